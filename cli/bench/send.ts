/**
 * What the senders of a crowd send: numbered lines, in a closed loop or at a steady rate.
 *
 * Rule 1: a sender's sequence numbers start at zero and have no holes: per sender for public
 * lines, per sender and addressee for private ones.
 * Rule 2: a closed loop keeps a bounded number of lines of each sender under way, so that no queue
 * grows without bound: a public line is done when the slowest of a few receivers spread over the
 * crowd has it.
 * Rule 3: a steady rate is an open loop: it does not wait for anybody.
 * @module
 */
import { assert } from "../../core/assert.ts";
import { afterReads, everyMs, nowUs, sleep, until } from "./clock.ts";
import * as lines from "./lines.ts";
import { peerAt, type Crowd } from "./peers.ts";
import { missing, ringSize } from "./reader.ts";

export type Outgoing = {
  readonly crowd: Crowd;
  readonly senders: number;
  /** Everybody: senders first, then the idle peers. */
  readonly receivers: number;
  readonly sent: Float64Array;
  /** Private lines: `[addressee * senders + sender]`. */
  readonly sentTo: Uint32Array;
  readonly nicks: readonly Buffer[];
  /** Instants of sending by global number, a ring. */
  readonly sentUs: Float64Array;
  global: number;
  random: number;
  turn: number;
};

/** Seeds the choice of addressees; the same in every run. */
const seed = 0x9e3779b9;

export function outgoing(crowd: Crowd, senders: number, receivers: number): Outgoing {
  return {
    crowd,
    senders,
    receivers,
    sent: new Float64Array(senders),
    sentTo: new Uint32Array(receivers * senders),
    nicks: Array.from({ length: receivers }, (_, i) => Buffer.from(lines.nickOf(i), "latin1")),
    sentUs: new Float64Array(ringSize),
    global: 0,
    random: seed,
    turn: 0,
  };
}

/** Sends `count` lines of `sender` in one write. */
export function send(o: Outgoing, sender: number, count: number): void {
  const { kind, templates } = o.crowd.reader;
  const template = templates[sender] as lines.Template;
  const bytes = Buffer.allocUnsafe(count * lines.lineBytes);
  const atUs = nowUs();
  for (let i = 0; i < count; i += 1) {
    const at = i * lines.lineBytes;
    template.bytes.copy(bytes, at);
    const seq = kind === "public" ? (o.sent[sender] as number) : address(o, sender, bytes, at);
    assert(seq <= lines.seqMax, `sender ${sender} ran out of sequence numbers`);
    o.sent[sender] = (o.sent[sender] as number) + 1;
    const seqAt = at + template.numbersAt + lines.senderDigits + 1;
    lines.putDigits(bytes, seqAt, lines.seqDigits, lines.seqBase + seq);
    const globalAt = seqAt + lines.seqDigits + 1;
    lines.putDigits(bytes, globalAt, lines.globalDigits, lines.globalBase + o.global);
    o.sentUs[o.global & (ringSize - 1)] = atUs;
    o.global += 1;
  }
  peerAt(o.crowd, sender).socket.write(bytes);
}

/** Picks an idle peer, writes its nick, returns the sequence number of this pair. */
function address(o: Outgoing, sender: number, bytes: Buffer, at: number): number {
  const target = o.senders + (xorshift(o) % (o.receivers - o.senders));
  const template = o.crowd.reader.templates[sender] as lines.Template;
  (o.nicks[target] as Buffer).copy(bytes, at + template.targetAt);
  const slot = target * o.senders + sender;
  const seq = o.sentTo[slot] as number;
  o.sentTo[slot] = seq + 1;
  return seq;
}

function xorshift(o: Outgoing): number {
  let x = o.random;
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  o.random = x >>> 0;
  return o.random;
}

/** Keeps `window` lines of each sender under way until the returned function is called. */
export function closedLoop(o: Outgoing, window: number): () => void {
  const refs = references(o);
  let isQueued = false;
  const pump = (): void => {
    isQueued = false;
    for (let sender = 0; sender < o.senders; sender += 1) {
      const room = window - ((o.sent[sender] as number) - done(o, refs, sender));
      if (room > 0) send(o, sender, room);
    }
  };
  const onRead = (): void => {
    if (isQueued) return;
    isQueued = true;
    afterReads(pump);
  };
  o.crowd.onRead = onRead;
  onRead();
  return () => {
    o.crowd.onRead = undefined;
    isQueued = true;
  };
}

/** Eight idle receivers spread over the order of joining, the first and the last among them. */
function references(o: Outgoing): readonly number[] {
  const idle = o.receivers - o.senders;
  return Array.from({ length: 8 }, (_, i) => o.senders + Math.floor(((idle - 1) * i) / 7));
}

function done(o: Outgoing, refs: readonly number[], sender: number): number {
  const { kind, got, next } = o.crowd.reader;
  if (kind === "private") return got[sender] as number;
  let least = Number.MAX_SAFE_INTEGER;
  for (const ref of refs) least = Math.min(least, next[ref * o.senders + sender] as number);
  return least;
}

/** Sends `perSec` lines a second for `durationMs`, the senders taking turns. */
export async function steady(o: Outgoing, perSec: number, durationMs: number): Promise<void> {
  const startUs = nowUs();
  let sent = 0;
  const stop = everyMs(() => {
    const due = Math.floor(((nowUs() - startUs) * perSec) / 1e6);
    for (; sent < due; sent += 1) {
      send(o, o.turn, 1);
      o.turn = (o.turn + 1) % o.senders;
    }
  });
  await sleep(durationMs);
  stop();
}

/** Lines that must have arrived by now, over all receivers. */
export function owed(o: Outgoing): number {
  const copies = o.crowd.reader.kind === "public" ? o.receivers - 1 : 1;
  return o.sent.reduce((sum, count) => sum + count, 0) * copies;
}

/**
 * Waits until everything sent has arrived, at most `limitMs`; says what is missing and what was
 * wrong.
 */
export async function settle(o: Outgoing, limitMs: number): Promise<Faults> {
  const { reader } = o.crowd;
  await until(() => reader.tally.delivered >= owed(o) || o.crowd.lost > 0, limitMs, 10);
  const absent = missing(reader, (slot) => {
    if (reader.kind === "private") return o.sentTo[slot] as number;
    const sender = slot % o.senders;
    const receiver = Math.floor(slot / o.senders);
    if (receiver >= o.receivers || receiver === sender) return 0;
    return o.sent[sender] as number;
  });
  const { repeated, damaged } = reader.tally;
  return { missing: absent, repeated, damaged, lost: o.crowd.lost };
}

/** Every count must be zero. A line out of order is counted as missing and as repeated. */
export type Faults = {
  readonly missing: number;
  readonly repeated: number;
  readonly damaged: number;
  /** Connections that the server ended. */
  readonly lost: number;
};
