/**
 * Every setting there is: its unit, default, range, one line of documentation, and whether a reload
 * applies it.
 *
 * Rule 1: this schema is the only list. The template, the checks, `config show`, the tables of the
 * documentation and the environment names are all made from it.
 * Rule 2: input is what TOML holds; output is what the core takes (whole milliseconds, `Rate`,
 * `Address`).
 * Rule 3: relations between values are the core's (`check` in core/directory/config.ts), not this
 * file's.
 * @module
 */
import * as z from "zod";
import { defaults } from "../../core/directory/config.ts";
import * as onion from "../../core/joinmarket/onion.ts";
import { defaults as onionDefaults } from "../../core/tor/onion.ts";
import { type Address, parseAddress } from "../address.ts";
import { primitives } from "../primitives.ts";
import { ark } from "./ark.ts";
import * as maker from "./maker.ts";
import {
  described, flag, keyMeta, meta, oneOf, parsed, rate, seconds, type Setting, text, whole,
} from "./setting.ts";
import { addressForm } from "./values.ts";

export type { KeyMeta, Raw, RawTable } from "./setting.ts";

const address = z.string().transform((value, context) => parsed(parseAddress(value), context));

const listen: Setting<readonly Address[]> = described(
  z.union([address.transform((one) => [one]), z.array(address).min(1).max(16)])
    .prefault("127.0.0.1:5222"),
  meta(
    { doc: "Where peers connect; torrc's HiddenServicePort points here. One address or an array." },
    `${addressForm}; or an array of 1 to 16`,
    "127.0.0.1:5222",
  ),
);

const http: Setting<Address> = described(
  address.prefault("127.0.0.1:9105"),
  meta(
    { doc: "Where the status page, /status, /metrics, /livez and /readyz are. Keep it private." },
    addressForm,
    "127.0.0.1:9105",
  ),
);

const httpRemote: Setting<boolean> = described(
  z.boolean().prefault(false),
  meta(
    { doc: "Lets http be reached from other machines. It has no access control." },
    "true or false",
    false,
  ),
);

const circuitHeader: Setting<boolean> = described(
  z.union([z.literal(false), z.literal("haproxy")])
    .transform((value) => value === "haproxy")
    .prefault(false),
  meta(
    {
      doc: 'Limits per Tor circuit; torrc needs "HiddenServiceExportCircuitID haproxy".',
      core: "circuits",
    },
    'false or "haproxy"',
    false,
  ),
);

const d = defaults;
const o = onionDefaults;

/** As many as `conns_per_circuit_max` allows where torrc names the circuits. */
const streamsMax = d.connsPerCircuitMax;

const location: Setting<string> = described(
  z.string().refine(isOwnLocation).prefault(""),
  meta(
    {
      doc: "Own onion address. Unset: no own peerlist entry and no nick authentication.",
      core: "location",
    },
    '"" (unset) or a version 3 address, <56 characters>.onion:PORT in lower case',
    "",
  ),
);

function isOwnLocation(value: string): boolean {
  if (value === "") return true;
  return onion.isLocation(value) && onion.parse(value, primitives.sha3).ok;
}

const heartbeat = z.strictObject({
  sweep_interval_sec: seconds(0.05, 3_600, d.heartbeat.sweepMs, {
    doc: "How often each peer is looked at; probes are spread within one interval.",
    reload: true, core: "heartbeat.sweepMs",
  }),
  idle_threshold_sec: seconds(0.1, 86_400, d.heartbeat.idleMs, {
    doc: "Silence after which a peer is probed.", reload: true, core: "heartbeat.idleMs",
  }),
  hard_evict_sec: seconds(0.2, 604_800, d.heartbeat.hardMs, {
    doc: "Silence after which a peer is evicted without a probe.",
    reload: true, core: "heartbeat.hardMs",
  }),
  pong_wait_sec: seconds(0.05, 3_600, d.heartbeat.pongMs, {
    doc: "How long a PING may stay unanswered by any complete line.",
    reload: true, core: "heartbeat.pongMs",
  }),
});

const limits = z.strictObject({
  public: rate(d.limits.public, {
    doc: "Public lines of one peer other than !orderbook.",
    reload: true, core: "limits.public",
  }),
  public_bytes: rate(d.limits.publicBytes, {
    doc: "Bytes of public lines of one peer, !orderbook included.",
    reload: true, core: "limits.publicBytes",
  }),
  orderbook: rate(d.limits.orderbook, {
    doc: "Public !orderbook of one peer: every maker answers each.",
    reload: true, core: "limits.orderbook",
  }),
  private: rate(d.limits.private, {
    doc: "Private messages of one peer.",
    reload: true, core: "limits.private",
  }),
  private_bytes: rate(d.limits.privateBytes, {
    doc: "Bytes of private messages of one peer.",
    reload: true, core: "limits.privateBytes",
  }),
  peerlist: rate(d.limits.peerlist, {
    doc: "GETPEERLIST of one peer.",
    reload: true, core: "limits.peerlist",
  }),
  ping: rate(d.limits.ping, { doc: "PING sent by one peer.", reload: true, core: "limits.ping" }),
  other: rate(d.limits.other, {
    doc: "Every other line of one peer: unknown types, malformed lines.",
    reload: true, core: "limits.other",
  }),
  proofs: rate(d.limits.proofs, {
    doc: "Nick-auth proofs verified by the whole node.",
    reload: true, core: "limits.proofs",
  }),
  proofs_per_circuit: rate(d.limits.proofsPerCircuit, {
    doc: "Of those, for connections of one Tor circuit; only with circuit_header.",
    reload: true, core: "limits.proofsPerCircuit",
  }),
  drops_max: whole(1, 1_000_000, "lines", d.limits.dropsMax, {
    doc: "Dropped lines within drops_window_sec that close the connection.",
    reload: true, core: "limits.dropsMax",
  }),
  drops_window_sec: seconds(1, 3_600, d.limits.dropsWindowMs, {
    doc: "The window of drops_max.", reload: true, core: "limits.dropsWindowMs",
  }),
});

const outbox = z.strictObject({
  bytes_max: whole(4_096, 1_073_741_824, "bytes", d.outbox.bytesMax, {
    doc: "What one peer may have queued while it does not read; then it is closed.",
    core: "outbox.bytesMax",
  }),
  bytes_total_max: whole(65_536, 17_179_869_184, "bytes", d.outbox.bytesTotalMax, {
    doc: "What all queues may hold together; a line shared by many counts once.",
    core: "outbox.bytesTotalMax",
  }),
  flush_ms: whole(1, 1_000, "milliseconds", d.outbox.flushMs, {
    doc: "Lines are collected at most this long, then written together.", core: "outbox.flushMs",
  }),
  flush_bytes: whole(1, 16_777_216, "bytes", d.outbox.flushBytes, {
    doc: "More than this waiting is written at once.", core: "outbox.flushBytes",
  }),
  congested_max_sec: seconds(1, 3_600, d.outbox.congestedMsMax, {
    doc: "A peer that takes nothing for this long is closed.", core: "outbox.congestedMsMax",
  }),
  close_grace_sec: seconds(0.1, 600, d.outbox.closeGraceMs, {
    doc: "A refusal that is not taken within this is reset.", core: "outbox.closeGraceMs",
  }),
});

const managedForm = ["off", "control", "torrc"] as const;

const service = z.strictObject({
  managed: oneOf(managedForm, "off", {
    doc: "Who runs the onion service: nobody, this node over tor.control, or torrc.",
  }),
  hostname_file: text(/^[^\0]{0,4096}$/, '"" (none) or a path', "", {
    doc: 'With managed = "torrc": the hostname file in HiddenServiceDir.',
  }),
  port: described(z.number().int().min(1).max(65_535).prefault(o.port), meta(
    { doc: "The port of the onion address; torrc's HiddenServicePort, if torrc runs the service." },
    "a port, 1 to 65535", o.port,
  )),
  streams_max: whole(0, 65_535, "streams", streamsMax, {
    doc: "Connections on one Tor circuit; one more closes the circuit. 0: no limit.",
  }),
  pow: flag(o.isPowWanted, {
    doc: "Newcomers solve a puzzle while many come at once, where this Tor knows how.",
  }),
});

const directory = z.strictObject({
  listen,
  http,
  http_remote: httpRemote,
  location,
  motd: text(/^[\x20-\x7e\n]{0,1000}$/, "up to 1000 characters of printable ASCII", d.motd, {
    doc: "Message of the day, sent with each handshake.", reload: true, core: "motd",
  }),
  peers_max: whole(1, 1_000_000, "peers", d.peersMax, {
    doc: "Registered peers; more are refused with a reason. Needs as many open files.",
    reload: true, core: "peersMax",
  }),
  handshaking_max: whole(1, 1_000_000, "connections", d.handshakingMax, {
    doc: "Connections that have not finished their handshake.", core: "handshakingMax",
  }),
  handshake_bytes_max: whole(512, 40_000, "bytes", d.handshakeBytesMax, {
    doc: "The longest line before the registration.", core: "handshakeBytesMax",
  }),
  handshake_timeout_sec: seconds(0.1, 600, d.handshakeMs, {
    doc: "From accept to registration.", core: "handshakeMs",
  }),
  line_bytes_max: whole(1_024, 40_000, "bytes", d.lineBytesMax, {
    doc: "The longest line. Deployed clients disconnect on one that is longer than 40000.",
    core: "lineBytesMax",
  }),
  line_timeout_sec: seconds(0.1, 3_600, d.lineMs, {
    doc: "From the first byte of a line to its end.", core: "lineMs",
  }),
  input_bytes_total_max: whole(65_536, 17_179_869_184, "bytes", d.inputBytesTotalMax, {
    doc: "Unfinished lines of all connections together.", core: "inputBytesTotalMax",
  }),
  circuit_header: circuitHeader,
  conns_per_circuit_max: whole(1, 65_536, "connections", d.connsPerCircuitMax, {
    doc: "Connections of one Tor circuit; only with circuit_header.", core: "connsPerCircuitMax",
  }),
  contest_ping_sec: seconds(0.1, 600, d.contestPingMs, {
    doc: "How long a peer that can PING may take to defend its nick.", core: "contestPingMs",
  }),
  contest_maker_sec: seconds(0.1, 3_600, d.contestMakerMs, {
    doc: "How long a maker that cannot PING may take.", core: "contestMakerMs",
  }),
  unseen_leaves: rate(d.unseenLeaves, {
    doc: "Leave notices for makers that nobody was shown; the rest of them is not told.",
    core: "unseenLeaves",
  }),
  leave_window_sec: seconds(0.01, 60, d.leaveMs, {
    doc: "Leave notices are collected this long, and cancelled if the nick is back.",
    core: "leaveMs",
  }),
  peerlist_bytes_max: whole(512, 39_975, "bytes", d.peerlistBytesMax, {
    doc: "The longest PEERLIST line.", core: "peerlistBytesMax",
  }),
  peerlist_lines_per_flush: whole(1, 65_536, "lines", d.peerlistLinesPerFlush, {
    doc: "PEERLIST lines written in one flush, over all peers.", core: "peerlistLinesPerFlush",
  }),
  drain_sec: seconds(0.1, 600, d.drainMs, {
    doc: "From SIGTERM or SIGINT to the end of the last connection.", core: "drainMs",
  }),
  onion: service.prefault({}),
  heartbeat: heartbeat.prefault({}),
  limits: limits.prefault({}),
  outbox: outbox.prefault({}),
});

const networks = ["mainnet", "testnet", "signet", "regtest"] as const;
const dataDirAccepts = 'a path; "" for $XDG_STATE_HOME/dogwatch or ~/.local/state/dogwatch';
const levels = ["error", "warn", "info", "debug"] as const;

/** The whole configuration file. */
export const schema = z.strictObject({
  network: oneOf(networks, d.network, {
    doc: "Peers of another network are refused.", core: "network",
  }),
  data_dir: text(/^[^\0]{0,4096}$/, dataDirAccepts, "", {
    doc: "Where the daemon notes its addresses for `dogwatch status`; mode 0700.",
  }),
  log: z.strictObject({
    level: oneOf(levels, d.logLevel, {
      doc: "The least important lines that are logged.",
      reload: true, core: "logLevel",
    }),
    format: oneOf(["auto", "json", "pretty"] as const, "auto", {
      doc: "auto: readable on a terminal, JSON elsewhere.",
    }),
  }).prefault({}),
  directory: directory.prefault({}),
  maker: maker.maker.prefault({}),
  ark: ark.prefault({}),
  bitcoind: maker.bitcoind.prefault({}),
  esplora: maker.esplora.prefault({}),
  tor: maker.tor.prefault({}),
  notify: maker.notify.prefault({}),
});

export { keyMeta };

/** The checked values of the whole file, in the core's units under the file's names. */
export type Parsed = z.output<typeof schema>;
