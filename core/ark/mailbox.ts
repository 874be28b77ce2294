/**
 * The mailbox: read by the wallet, at every interval and whenever something says that there is
 * more.
 *
 * Rule 1: nothing is held here. An item of the stream is a hint that the wallet should read up to
 * its checkpoint; only the wallet's own answer says how far it has read.
 * Rule 2: checkpoints go up. One that went back is told, and the higher one is kept.
 * Rule 3: behind the stream there is a poll, and a poll never waits for ever: not for a stream, not
 * for news, and by default not for the server to count as connected.
 * Rule 4: a read that moved is followed by another, up to `againMax` in a row: a server may cut its
 * pages short. Failed reads are tried again after growing waits.
 * Rule 5: a mailbox that stands still below a hint for `stuckMax` reads is told as stuck, once: a
 * message blocks it. One that stands still for `stillMs` while there was news of the wallet
 * is told as still. Both end with the next motion.
 * Not known here: what messages say.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Tick } from "../kernel/io.ts";
import type * as prng from "../prng.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import * as lane from "./lane.ts";
import * as pause from "./pause.ts";
import * as stream from "./stream.ts";
import type { Answer, Failed } from "./wallet.ts";

export type Config = {
  /** How the stream is kept, if the backend has one. */
  readonly stream: stream.Config;
  /** From the start to the first read; between reads; after a failed one. */
  readonly first: pause.Rest;
  readonly poll: pause.Rest;
  readonly retry: pause.Wait;
  /** Is there a poll behind a stream? */
  readonly isStreamTrusted: boolean;
  /** Does an item lead to a read? `false`: the backend processes what it delivers. */
  readonly isHintRead: boolean;
  /** Do news, and a server that is back, bring a read forward? */
  readonly isHurried: boolean;
  /** Is nothing read, or taken from the stream, while the chain source is known to fail? */
  readonly needsChain: boolean;
  /** `connected`: a poll that is due waits another interval unless the server is connected. */
  readonly gate: "none" | "connected";
  /** After a read that moved; and so many in a row. */
  readonly again: pause.Rest;
  readonly againMax: number;
  readonly waitMs: number;
  readonly stuckMax: number;
  /** So long without motion, and so much news of the wallet, are worth a word. */
  readonly stillMs: number;
  readonly stillNewsMin: number;
};

export type Event =
  /** `hasStream`: the backend can be subscribed to. */
  | { readonly type: "started"; readonly hasStream: boolean }
  | { readonly type: "connected"; readonly isConnected: boolean }
  | { readonly type: "subscribed"; readonly token: number }
  /** A message at `checkpoint` waits to be read. */
  | { readonly type: "item"; readonly token: number; readonly checkpoint: number }
  | {
    readonly type: "ended"; readonly token: number; readonly why: "clean" | "error" | "refused";
  }
  /** Something happened in the wallet. */
  | { readonly type: "news" }
  | { readonly type: "answered"; readonly token: number; readonly answer: Answer }
  /** Nothing may be asked of the server, or may again. */
  | { readonly type: "barred"; readonly isBarred: boolean }
  /** `finishing`: a try of the stream that is under way may come to its outcome first. */
  | { readonly type: "hurried" | "released" | "stopped" | "finishing" }
  | Tick;

export type Effect = lane.Effect | stream.Effect
  | { readonly type: "moved"; readonly checkpoint: number }
  /** The wallet says it has read less than it had said before. */
  | { readonly type: "went-back"; readonly from: number; readonly to: number }
  /** A message up to `hint` does not get read; `reads` were tried. */
  | {
    readonly type: "stuck"; readonly checkpoint: number | undefined; readonly hint: number;
    readonly reads: number;
  }
  | { readonly type: "still"; readonly forMs: number; readonly news: number }
  | {
    readonly type: "failed"; readonly failed: Failed; readonly failures: number;
    readonly retryMs: number;
  }
  | { readonly type: "unsupported"; readonly op: "sync-mailbox" };

export type Mailbox = {
  readonly config: Config;
  readonly stream: stream.Stream;
  readonly jitter: prng.Prng;
  readonly lane: lane.Lane;
  hasStream: boolean;
  /** The highest the wallet has named. */
  checkpoint: number | undefined;
  /** The highest of an item. */
  hint: number | undefined;
  /** When the next read is due; `NEVER`: none is, or none before the one under way ends. */
  readAt: Mono;
  /** A hint or news came while a read was under way. */
  isWanted: boolean;
  /** Hints and news bring no read forward beyond this. */
  pacedAt: Mono;
  failures: number;
  /** Reads in a row that moved; that stood below the hint. */
  moves: number;
  stands: number;
  isBack: boolean;
  isStuck: boolean;
  isStill: boolean;
  movedAt: Mono;
  news: number;
  isConnected: boolean;
  isBarred: boolean;
  isRunning: boolean;
};

/** Asserts the ranges of `c`. */
export function check(c: Config): void {
  stream.check(c.stream);
  pause.checkRest(c.first, 0, "mailbox: first");
  pause.checkRest(c.poll, 1, "mailbox: poll");
  pause.checkRest(c.again, 1, "mailbox: again");
  pause.checkWait(c.retry, 1, "mailbox: retry");
  for (const n of [c.waitMs, c.stuckMax, c.stillMs, c.stillNewsMin]) {
    assert(Number.isSafeInteger(n), "mailbox: whole numbers");
    assert(n >= 1, "mailbox: at least 1");
  }
  assert(c.againMax >= 0, "mailbox: no negative count");
}

/** A mailbox that is not read until `started`; the two streams of chance are its own. */
export function create(config: Config, jitter: prng.Prng, streamJitter: prng.Prng): Mailbox {
  check(config);
  return {
    config, stream: stream.create(config.stream, streamJitter), jitter, lane: lane.create(),
    hasStream: false, checkpoint: undefined, hint: undefined, readAt: NEVER, isWanted: false,
    pacedAt: 0 as Mono, failures: 0, moves: 0, stands: 0, isBack: false,
    isStuck: false, isStill: false,
    movedAt: NEVER, news: 0, isConnected: false, isBarred: false,
    isRunning: false,
  };
}

export function step(m: Mailbox, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "started": return started(m, event.hasStream, now, out);
    case "connected": {
      m.isConnected = event.isConnected;
      return stream.step(m.stream, event, now, out);
    }
    case "barred": {
      m.isBarred = event.isBarred;
      return stream.step(m.stream, event, now, out);
    }
    case "subscribed": case "ended": return stream.step(m.stream, event, now, out);
    case "item": return hinted(m, event.token, event.checkpoint, now, out);
    case "news": return news(m, now, out);
    case "answered": {
      return ended(m, lane.answered(m.lane, event.token, event.answer, now, out), now, out);
    }
    case "hurried": return hurried(m, now, out);
    case "released": return ended(m, lane.released(m.lane, now), now, out);
    case "stopped": return stopped(m, event.type, now, out);
    case "finishing": return m.isRunning ? stopped(m, event.type, now, out) : undefined;
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When a read or a try is due, or something is overdue. */
export function deadline(m: Mailbox): Mono {
  const readAt = lane.isFree(m.lane) ? m.readAt : NEVER;
  return soonest(soonest(stream.deadline(m.stream), lane.deadline(m.lane)),
    soonest(readAt, stillAt(m)));
}

function stillAt(m: Mailbox): Mono {
  const isSilent = m.isStill || m.news < m.config.stillNewsMin;
  return isSilent ? NEVER : after(m.movedAt, m.config.stillMs);
}

function started(m: Mailbox, hasStream: boolean, now: Mono, out: Effect[]): void {
  assert(!m.isRunning, "mailbox: started once");
  m.isRunning = true;
  m.hasStream = hasStream;
  m.movedAt = now;
  if (hasStream) stream.step(m.stream, { type: "started" }, now, out);
  if (!isPolled(m)) return;
  const waitMs = pause.restMs(m.config.first, m.jitter);
  m.readAt = after(now, waitMs);
  if (waitMs === 0) due(m, now, out);
}

function isPolled(m: Mailbox): boolean {
  return !m.hasStream || !m.config.isStreamTrusted;
}

/** A read as soon as the pace permits; after the one under way, if there is one. */
function want(m: Mailbox, now: Mono, out: Effect[]): void {
  if (!m.isRunning || m.isBarred) return;
  if (!lane.isFree(m.lane)) {
    m.isWanted = true;
    return;
  }
  if (m.failures > 0 && isPolled(m)) return;
  if (now >= m.pacedAt) return read(m, now, out);
  m.readAt = soonest(m.readAt, m.pacedAt);
}

function read(m: Mailbox, now: Mono, out: Effect[]): void {
  m.readAt = NEVER;
  m.isWanted = false;
  lane.call(m.lane, { op: "sync-mailbox" }, m.config.waitMs, now, out);
}

/** A hint that the wallet has passed already says nothing. After a failure its wait goes on. */
function hinted(
  m: Mailbox, token: number, checkpoint: number, now: Mono, out: Effect[],
): void {
  if (token !== m.stream.tokens || !stream.isOpen(m.stream)) return;
  const isNews = checkpoint > (m.hint ?? -1) && checkpoint > (m.checkpoint ?? -1);
  stream.step(m.stream, { type: "item", token, isNews }, now, out);
  if (!isNews) return;
  m.hint = checkpoint;
  if (m.config.isHintRead) want(m, now, out);
}

/** What happened may have come by the mailbox. */
function news(m: Mailbox, now: Mono, out: Effect[]): void {
  if (!m.isRunning) return;
  if (m.news < m.config.stillNewsMin) m.news += 1;
  if (isPolled(m) && m.config.isHurried) want(m, now, out);
  look(m, now, out);
}

/** The server is back. */
function hurried(m: Mailbox, now: Mono, out: Effect[]): void {
  stream.step(m.stream, { type: "hurried" }, now, out);
  if (!m.config.isHurried || !lane.isFree(m.lane) || m.readAt === NEVER) return;
  m.readAt = soonest(m.readAt, after(now, pause.restMs(m.config.again, m.jitter)));
}

function tick(m: Mailbox, now: Mono, out: Effect[]): void {
  ended(m, lane.tick(m.lane, now, out), now, out);
  stream.step(m.stream, { type: "tick" }, now, out);
  if (lane.isFree(m.lane) && now >= m.readAt) due(m, now, out);
  look(m, now, out);
}

function due(m: Mailbox, now: Mono, out: Effect[]): void {
  const isOpen = m.config.gate === "none" || m.isConnected;
  if (isOpen && !m.isBarred) return read(m, now, out);
  m.readAt = after(now, pause.restMs(m.config.poll, m.jitter));
}

function look(m: Mailbox, now: Mono, out: Effect[]): void {
  if (now < stillAt(m)) return;
  m.isStill = true;
  out.push({ type: "still", forMs: now - m.movedAt, news: m.news });
}

function ended(m: Mailbox, of: lane.Ended | undefined, now: Mono, out: Effect[]): void {
  if (of === undefined) return;
  const { answer } = of;
  m.pacedAt = after(now, pause.restMs(m.config.again, m.jitter));
  if (answer.ok) {
    assert(answer.done.op === "sync-mailbox", "mailbox: the answer to another call");
    m.failures = 0;
    answered(m, answer.done.checkpoint, now, out);
  } else if (answer.why === "unsupported") {
    out.push({ type: "unsupported", op: "sync-mailbox" });
    return stopped(m, "stopped", now, out);
  } else {
    const retryMs = pause.waitMs(m.config.retry, m.failures, m.jitter);
    m.failures += 1;
    m.moves = 0;
    out.push({ type: "failed", failed: answer, failures: m.failures, retryMs });
    rest(m, retryMs, now);
  }
  if (m.isWanted) want(m, now, out);
  m.isWanted = false;
}

function rest(m: Mailbox, waitMs: number, now: Mono): void {
  m.readAt = m.isRunning && isPolled(m) ? after(now, waitMs) : NEVER;
}

/** A good read: has the mailbox moved, and when is it read again? */
function answered(
  m: Mailbox, checkpoint: number | undefined, now: Mono, out: Effect[],
): void {
  const { config, jitter } = m;
  const hasMoved = checkpoint !== undefined && compare(m, checkpoint, now, out);
  m.moves = hasMoved && m.moves < config.againMax ? m.moves + 1 : 0;
  const isBelow = m.hint !== undefined && checkpoint !== undefined
    && m.hint > (m.checkpoint ?? -1);
  if (m.moves > 0) return rest(m, pause.restMs(config.again, jitter), now);
  if (isBelow && !hasMoved) return stands(m, now, out);
  rest(m, pause.restMs(config.poll, jitter), now);
}

/** Rule 2. */
function compare(m: Mailbox, checkpoint: number, now: Mono, out: Effect[]): boolean {
  const former = m.checkpoint;
  if (former !== undefined && checkpoint < former) {
    if (!m.isBack) out.push({ type: "went-back", from: former, to: checkpoint });
    m.isBack = true;
    return false;
  }
  m.isBack = false;
  if (checkpoint === former) return false;
  m.checkpoint = checkpoint;
  m.movedAt = now;
  m.news = 0;
  m.stands = 0;
  m.isStuck = false;
  m.isStill = false;
  if (former !== undefined) out.push({ type: "moved", checkpoint });
  return former !== undefined;
}

/** A message below the hint was not read: again after a growing wait, by and by at poll pace. */
function stands(m: Mailbox, now: Mono, out: Effect[]): void {
  const { config: { stuckMax, retry }, checkpoint, hint } = m;
  const waitMs = pause.waitMs(retry, m.stands, m.jitter);
  m.stands += 1;
  if (m.stands >= stuckMax && !m.isStuck && hint !== undefined) {
    m.isStuck = true;
    out.push({ type: "stuck", checkpoint, hint, reads: m.stands });
  }
  rest(m, waitMs, now);
}

function stopped(
  m: Mailbox, how: "stopped" | "finishing", now: Mono, out: Effect[],
): void {
  m.isRunning = false;
  m.readAt = NEVER;
  m.isWanted = false;
  m.movedAt = NEVER;
  stream.step(m.stream, { type: how }, now, out);
}
