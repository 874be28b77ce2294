/**
 * One open connection to a directory: what comes in cut into lines, what goes out bounded, and
 * whether anybody is still there.
 *
 * Rule 1: a directory that answers PING is asked when nothing has come for `idleMs`, and when it
 * has not shown for `proveMs` that it hears us: what it relays proves the other direction only.
 * Without a byte for `pongMs` after the question, or without its answer for `unheardMs`, it is
 * dead, whatever the operating system says of the connection.
 * Rule 2: a directory that knows no PING is dead after `silentMs` without a byte.
 * Rule 3: what the system does not take waits here, up to `outboxBytesMax`; a connection that is
 * behind for `congestedMsMax` is stuck. Nothing is dropped from the middle of the stream: the
 * connection ends, and the next one begins with what is current.
 * Rule 4: bytes that arrive move no timer; `watchAt` is a lower bound that a tick moves.
 * Not known here: what a line means, and who closes the connection.
 * @module
 */
import { assert } from "../assert.ts";
import { join } from "../backlog.ts";
import * as envelope from "../joinmarket/envelope.ts";
import * as lines from "../joinmarket/lines.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";

export type Config = {
  /** Silence, in ms, after which a directory that knows PING is asked. 60,000. */
  readonly idleMs: number;
  /** No two questions come closer, in ms: directories count what they get. To `idleMs`. 60,000. */
  readonly pingGapMs: number;
  /** How long, in ms, not a byte may come after the question. 30,000. */
  readonly pongMs: number;
  /** An answer is asked for at least this often, in ms, even if other bytes come. 300,000. */
  readonly proveMs: number;
  /** How long, in ms, the answer may be missing while other bytes come. 120,000. */
  readonly unheardMs: number;
  /** Silence, in ms, after which a directory without PING is given up. 1,800,000. */
  readonly silentMs: number;
  /** How long, in ms, a connection may take nothing. 60,000. */
  readonly congestedMsMax: number;
  /** What may wait while it takes nothing, in bytes. 1 MiB. */
  readonly outboxBytesMax: number;
  /**
   * The longest line that is read, in bytes. Directories in use take up to 65,536 and write what is
   * not ASCII in up to three times as many; a shorter limit would let any peer end the connections
   * of all makers with one long line. 262,144.
   */
  readonly lineBytesMax: number;
};

export const defaults: Config = {
  idleMs: 60_000, pingGapMs: 60_000, pongMs: 30_000, proveMs: 300_000, unheardMs: 120_000,
  silentMs: 1_800_000, congestedMsMax: 60_000, outboxBytesMax: 1_048_576, lineBytesMax: 262_144,
};

/** Why a connection is as good as gone. */
export type Dead = "no-pong" | "unheard" | "silent" | "stuck" | "outbox-full";

/** One write. */
export type Effect = { readonly type: "send"; readonly bytes: Uint8Array };

/** Where effects go: the list of whoever owns the wire. */
export type Out = { readonly push: (effect: Effect) => unknown };

export type Wire = {
  readonly config: Config;
  readonly lines: lines.Lines;
  /** Whole frames that wait, oldest first. */
  queue: Uint8Array[];
  queuedBytes: number;
  /** More waits than may. */
  isFull: boolean;
  /** Since when the system takes nothing; `NEVER` while it does. */
  congestedAt: Mono;
  /** The last byte. */
  heardAt: Mono;
  /** Silence is judged: the directory has let us in. */
  isWatched: boolean;
  /** The directory has said that it answers PING. */
  answersPing: boolean;
  /** The last PING; `NEVER` before the first. */
  pingedAt: Mono;
  /** A byte came since. */
  isHeard: boolean;
  /** The first PING since the last PONG; `NEVER` if none is open. */
  askedAt: Mono;
  /** When it last showed that it hears us. */
  provenAt: Mono;
  watchAt: Mono;
};

const PING = envelope.encode(envelope.types.PING, "");

/** Asserts that waits are positive and that a line and a PING fit. */
export function check(c: Config): void {
  const { idleMs, pingGapMs, pongMs, proveMs, silentMs, congestedMsMax } = c;
  for (const ms of [idleMs, pingGapMs, pongMs, proveMs, silentMs, congestedMsMax]) {
    assert(Number.isSafeInteger(ms), "wire: whole milliseconds");
    assert(ms >= 1, "wire: a wait is at least 1 ms");
  }
  assert(Number.isSafeInteger(c.unheardMs), "wire: whole milliseconds");
  assert(c.unheardMs >= c.pongMs, "wire: silence is noticed before a missing answer");
  assert(c.pingGapMs <= c.idleMs, "wire: silence is noticed after idleMs and pongMs, never later");
  assert(c.outboxBytesMax >= PING.length, "wire: a PING fits");
  assert(c.lineBytesMax >= 1, "wire: a line has room");
}

/** A connection that has just opened. */
export function create(config: Config, now: Mono): Wire {
  return {
    config, lines: lines.create(), queue: [], queuedBytes: 0, isFull: false, congestedAt: NEVER,
    heardAt: now, isWatched: false, answersPing: false, pingedAt: NEVER, isHeard: false,
    askedAt: NEVER, provenAt: now, watchAt: NEVER,
  };
}

/** Bytes have arrived. */
export function heard(w: Wire, now: Mono): void {
  w.heardAt = now;
  w.isHeard = true;
}

/** The answer to a PING has arrived. */
export function ponged(w: Wire, now: Mono): void {
  w.askedAt = NEVER;
  w.provenAt = now;
}

/** From now on silence is judged: the directory has let us in. */
export function watched(w: Wire, now: Mono): void {
  assert(!w.isWatched, "wire: watched twice");
  w.isWatched = true;
  w.provenAt = now;
  // The handshake had a deadline of its own.
  if (w.congestedAt !== NEVER) w.congestedAt = now;
  w.watchAt = nextAt(w);
}

/** Queues whole frames; they go out with the next `flush`. */
export function put(w: Wire, frame: Uint8Array, out: Out): void {
  // What the system may still take is never over the bound.
  if (w.queuedBytes + frame.length > w.config.outboxBytesMax) flush(w, out);
  w.queue.push(frame);
  w.queuedBytes += frame.length;
  if (w.congestedAt !== NEVER && w.queuedBytes > w.config.outboxBytesMax) w.isFull = true;
}

/** Writes what waits, in one piece, unless the system takes nothing. */
export function flush(w: Wire, out: Out): void {
  if (w.congestedAt !== NEVER || w.queue.length === 0) return;
  const [first] = w.queue;
  const bytes = w.queue.length === 1 && first !== undefined ? first : join(w.queue);
  out.push({ type: "send", bytes });
  w.queue = [];
  w.queuedBytes = 0;
}

/** The system takes nothing more. */
export function congested(w: Wire, now: Mono): void {
  if (w.congestedAt !== NEVER) return;
  w.congestedAt = now;
  w.watchAt = soonest(w.watchAt, after(now, w.config.congestedMsMax));
}

/** The system takes bytes again. */
export function drained(w: Wire): void {
  w.congestedAt = NEVER;
}

/** Never later than the next instant at which a tick finds something. */
export function deadline(w: Wire): Mono {
  return w.watchAt;
}

/** Asks, or tells that nobody is there; nothing before `deadline`. */
export function tick(w: Wire, now: Mono, out: Out): Dead | undefined {
  if (now < w.watchAt) return undefined;
  const dead = judged(w, now);
  if (dead !== undefined) return dead;
  if (pingAt(w) <= now) ping(w, now, out);
  w.watchAt = nextAt(w);
  return w.isFull ? "outbox-full" : undefined;
}

function judged(w: Wire, now: Mono): Dead | undefined {
  if (stuckAt(w) <= now) return "stuck";
  if (noPongAt(w) <= now) return "no-pong";
  if (unheardAt(w) <= now) return "unheard";
  return silentAt(w) <= now ? "silent" : undefined;
}

function ping(w: Wire, now: Mono, out: Out): void {
  w.pingedAt = now;
  w.isHeard = false;
  if (w.askedAt === NEVER) w.askedAt = now;
  put(w, PING, out);
}

function nextAt(w: Wire): Mono {
  const gone = soonest(soonest(stuckAt(w), silentAt(w)), soonest(noPongAt(w), unheardAt(w)));
  return soonest(gone, pingAt(w));
}

function stuckAt(w: Wire): Mono {
  return w.congestedAt === NEVER ? NEVER : after(w.congestedAt, w.config.congestedMsMax);
}

function silentAt(w: Wire): Mono {
  const isJudged = w.isWatched && !w.answersPing;
  return isJudged ? after(w.heardAt, w.config.silentMs) : NEVER;
}

function noPongAt(w: Wire): Mono {
  return isOpen(w) ? after(w.pingedAt, w.config.pongMs) : NEVER;
}

function unheardAt(w: Wire): Mono {
  return w.askedAt === NEVER ? NEVER : after(w.askedAt, w.config.unheardMs);
}

/** Has nothing come since the last PING? */
function isOpen(w: Wire): boolean {
  return w.askedAt !== NEVER && !w.isHeard;
}

/** When the next PING is due, one at a time. */
function pingAt(w: Wire): Mono {
  if (!w.isWatched || !w.answersPing || isOpen(w)) return NEVER;
  const idleAt = after(w.heardAt, w.config.idleMs);
  const proveAt = w.askedAt === NEVER ? after(w.provenAt, w.config.proveMs) : NEVER;
  const dueAt = soonest(idleAt, proveAt);
  const gapAt = w.pingedAt === NEVER ? dueAt : after(w.pingedAt, w.config.pingGapMs);
  return gapAt > dueAt ? gapAt : dueAt;
}
