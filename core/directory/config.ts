/**
 * Everything an operator can set about a directory node, and every limit it lives within.
 *
 * Rule 1: plain data in whole milliseconds and bytes; parsing and units for people live in the
 * adapters.
 * Rule 2: each limit names its unit, its default and its worst case; a test reaches each.
 * Rule 3: relations are asserted here once, by `check`, and answered as a sentence, so that the
 * operator sees them.
 * @module
 */
import { lineBytesMax as sentBytesMax } from "../joinmarket/envelope.ts";
import type { LogLevel } from "../kernel/io.ts";

export type Network = "mainnet" | "testnet" | "signet" | "regtest";

/** A token bucket: `tokens` are added every `perMs`, up to `burst`. */
export type Rate = { readonly tokens: number; readonly perMs: number; readonly burst: number };

export type HeartbeatConfig = {
  /** How often each peer is looked at; probes are spread within one interval. 60,000. */
  readonly sweepMs: number;
  /** Silence (no complete line) after which a peer is probed. 600,000. */
  readonly idleMs: number;
  /** Silence after which a peer is evicted without a probe. 1,500,000. */
  readonly hardMs: number;
  /** How long a PING may stay unanswered by any complete line. 30,000. */
  readonly pongMs: number;
};

export type LimitsConfig = {
  /** Public lines other than `!orderbook`. 10/s, burst 200. */
  readonly public: Rate;
  /**
   * Bytes of public lines, `!orderbook` included: each is queued for every peer. 20,000/s, burst
   * 262,144: a burst is a sixteenth of the default outbox of a peer that does not read.
   */
  readonly publicBytes: Rate;
  /** Public `!orderbook`, each of which makes every maker answer. 1 per 10 s, burst 3. */
  readonly orderbook: Rate;
  /** 50/s, burst 500. */
  readonly private: Rate;
  /** Bytes of private lines. 200,000/s, burst 2,000,000: half of the default outbox. */
  readonly privateBytes: Rate;
  /** GETPEERLIST. 3/min. */
  readonly peerlist: Rate;
  /** A peer's PING. 6/min. */
  readonly ping: Rate;
  /** Every other line: unknown types, malformed lines, PONG. 10/s, burst 100. */
  readonly other: Rate;
  /** Nick-auth proofs verified by the whole node; each costs about 0.4 ms. 500/s, burst 2,000. */
  readonly proofs: Rate;
  /** Of those, by connections of one circuit; only with `circuits`. 1/s, burst 5. */
  readonly proofsPerCircuit: Rate;
  /**
   * Drops of one key (connection or circuit) within `dropsWindowMs` that close the connection.
   * 1,000.
   */
  readonly dropsMax: number;
  readonly dropsWindowMs: number;
};

export type OutboxConfig = {
  /** What one connection may have queued while it does not read, in bytes. 4 MiB. */
  readonly bytesMax: number;
  /** What all queues really hold together (a shared batch counts once), in bytes. 256 MiB. */
  readonly bytesTotalMax: number;
  /** The flush window: lines are coalesced at most this long. 10. */
  readonly flushMs: number;
  /** Lines waiting in a window beyond this flush at once, in bytes. 65,536. */
  readonly flushBytes: number;
  /** A connection that takes nothing for this long is a slow reader. 60,000. */
  readonly congestedMsMax: number;
  /** A flushed refusal that is not taken within this is reset. 5,000. */
  readonly closeGraceMs: number;
};

export type DirectoryConfig = {
  readonly network: Network;
  /**
   * Own address, `<56>.onion:port`; `undefined`: until one is told (`onion.located`), no own
   * peerlist entry and no nick-auth.
   */
  readonly location: string | undefined;
  /** Message of the day, printable ASCII and `\n`. */
  readonly motd: string;
  /** Registered peers. 10,000. */
  readonly peersMax: number;
  /**
   * Connections that have not finished their handshake; beyond, the oldest silent one makes room.
   * 4,096.
   */
  readonly handshakingMax: number;
  /** A line before the registration, in bytes, within `lineBytesMax`. 8,192. */
  readonly handshakeBytesMax: number;
  /** From accept to registration. 30,000. */
  readonly handshakeMs: number;
  /** A line without its terminator, in bytes. 40,000: a longer one disconnects deployed clients. */
  readonly lineBytesMax: number;
  /** Partial lines of all connections together, in bytes. 64 MiB. */
  readonly inputBytesTotalMax: number;
  /** From the first byte of a line to its terminator, after the handshake. 60,000. */
  readonly lineMs: number;
  /**
   * Torrc has `HiddenServiceExportCircuitID haproxy`: every connection begins with a PROXY line.
   */
  readonly circuits: boolean;
  /** Connections of one circuit; only with `circuits`. 16. */
  readonly connsPerCircuitMax: number;
  /** A PING-capable incumbent has this long to defend its nick. 10,000. */
  readonly contestPingMs: number;
  /** A maker without PING has this long. 120,000: makers answer `!orderbook` slowly. */
  readonly contestMakerMs: number;
  /**
   * Leave notices for makers that nobody was shown (no list, no hint, no line of theirs): a
   * connection that comes and goes must not be a broadcast. 20/s, burst 1,000.
   */
  readonly unseenLeaves: Rate;
  /** Leave notices are collected this long, and cancelled if the nick is back. 2,000. */
  readonly leaveMs: number;
  /**
   * The text of one PEERLIST line, in bytes; a single longer entry still goes out, alone. 16,384.
   */
  readonly peerlistBytesMax: number;
  /** PEERLIST lines written in one flush, over all connections. 64. */
  readonly peerlistLinesPerFlush: number;
  /** From `stopped` asked for to every connection reset. 10,000. */
  readonly drainMs: number;
  readonly logLevel: LogLevel;
  readonly heartbeat: HeartbeatConfig;
  readonly limits: LimitsConfig;
  readonly outbox: OutboxConfig;
};

/** What `{"type": 789, "line": ""}` adds to the text of a PEERLIST. */
const envelopeBytes = 25;

/** A relation that does not hold: the keys that it is about, and what it says. */
export type Broken = { readonly keys: readonly string[]; readonly says: string };

/** The documented defaults. */
export const defaults: DirectoryConfig = {
  network: "mainnet",
  location: undefined,
  motd: "Dogwatch directory node",
  peersMax: 10_000,
  handshakingMax: 4_096,
  handshakeBytesMax: 8_192,
  handshakeMs: 30_000,
  lineBytesMax: 40_000,
  inputBytesTotalMax: 64 * 1024 * 1024,
  lineMs: 60_000,
  circuits: false,
  connsPerCircuitMax: 16,
  contestPingMs: 10_000,
  contestMakerMs: 120_000,
  unseenLeaves: { tokens: 20, perMs: 1_000, burst: 1_000 },
  leaveMs: 2_000,
  peerlistBytesMax: 16_384,
  peerlistLinesPerFlush: 64,
  drainMs: 10_000,
  logLevel: "info",
  heartbeat: { sweepMs: 60_000, idleMs: 600_000, hardMs: 1_500_000, pongMs: 30_000 },
  limits: {
    public: { tokens: 10, perMs: 1_000, burst: 200 },
    orderbook: { tokens: 1, perMs: 10_000, burst: 3 },
    publicBytes: { tokens: 20_000, perMs: 1_000, burst: 262_144 },
    private: { tokens: 50, perMs: 1_000, burst: 500 },
    privateBytes: { tokens: 200_000, perMs: 1_000, burst: 2_000_000 },
    peerlist: { tokens: 3, perMs: 60_000, burst: 3 },
    ping: { tokens: 6, perMs: 60_000, burst: 6 },
    other: { tokens: 10, perMs: 1_000, burst: 100 },
    proofs: { tokens: 500, perMs: 1_000, burst: 2_000 },
    proofsPerCircuit: { tokens: 1, perMs: 1_000, burst: 5 },
    dropsMax: 1_000,
    dropsWindowMs: 60_000,
  },
  outbox: {
    bytesMax: 4 * 1024 * 1024,
    bytesTotalMax: 256 * 1024 * 1024,
    flushMs: 10,
    flushBytes: 65_536,
    congestedMsMax: 60_000,
    closeGraceMs: 5_000,
  },
};

/**
 * The relations between values that no single range can state. Returns the keys and the sentence of
 * the first one broken, or `undefined`. Keys are dotted paths of this type.
 */
export function check(c: DirectoryConfig): Broken | undefined {
  const h = c.heartbeat;
  const relations: readonly (readonly [boolean, string, string, string])[] = [
    [h.pongMs < h.idleMs, "heartbeat.pongMs", "heartbeat.idleMs",
      "the pong wait must be shorter than the idle threshold"],
    [h.idleMs < h.hardMs, "heartbeat.idleMs", "heartbeat.hardMs",
      "the idle threshold must be shorter than the hard eviction"],
    [c.contestPingMs < c.handshakeMs, "contestPingMs", "handshakeMs",
      "a contested newcomer must wait inside its handshake deadline"],
    [c.lineBytesMax <= sentBytesMax, "lineBytesMax", "lineBytesMax",
      `deployed clients disconnect on lines longer than ${sentBytesMax} bytes`],
    [c.limits.publicBytes.burst >= c.lineBytesMax + 2, "limits.publicBytes", "lineBytesMax",
      "a burst of public bytes must hold the longest line and its end"],
    [c.limits.privateBytes.burst >= c.lineBytesMax + 2, "limits.privateBytes", "lineBytesMax",
      "a burst of private bytes must hold the longest line and its end"],
    [c.peerlistBytesMax <= c.lineBytesMax, "peerlistBytesMax", "lineBytesMax",
      "a PEERLIST line must not exceed the line limit"],
    [c.peerlistBytesMax + envelopeBytes <= sentBytesMax, "peerlistBytesMax", "peerlistBytesMax",
      `a PEERLIST line must fit in ${sentBytesMax} bytes with its ${envelopeBytes} of envelope`],
    [c.outbox.bytesMax >= 2 * c.lineBytesMax, "outbox.bytesMax", "lineBytesMax",
      "an outbox must hold at least two lines"],
    [c.outbox.bytesTotalMax >= c.outbox.bytesMax, "outbox.bytesTotalMax", "outbox.bytesMax",
      "all queues together must hold at least one full outbox"],
  ];
  const broken = relations.find(([holds]) => !holds);
  if (broken === undefined) return undefined;
  return { keys: [...new Set([broken[1], broken[2]])], says: broken[3] };
}
