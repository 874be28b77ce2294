/**
 * Asks whether the Ark server is there.
 *
 * Rule 1: one live question at a time, by a call that the wallet cannot answer from memory. One
 * without an answer in time is given up, and is a failure.
 * Rule 2: `whileUp: "probe"` keeps asking while the answers are good; `"skip"` is the source's way,
 * and notices nothing while it believes that it is connected.
 * Rule 3: after a failure the waits grow. A doubt (a stream that ended, a call that failed for the
 * server's sake) brings the next question forward, but never closer than `gapMs` to the last.
 * Rule 4: it says what it was told; what counts as connected is for `facts.ts`.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Tick } from "../kernel/io.ts";
import type * as prng from "../prng.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import * as lane from "./lane.ts";
import * as pause from "./pause.ts";
import type { Answer, Done, Failed, OpName } from "./wallet.ts";

export type Config = {
  readonly op: "probe" | "refresh-server";
  /** From the start to the first question; after a good answer; after a failure. */
  readonly first: pause.Rest;
  readonly rest: pause.Rest;
  readonly retry: pause.Wait;
  readonly waitMs: number;
  readonly whileUp: "probe" | "skip";
  readonly gapMs: number;
};

export type Event =
  | { readonly type: "started" }
  | { readonly type: "connected"; readonly isConnected: boolean }
  /** Something suggests that the server, or the way to it, has changed. */
  | { readonly type: "doubted" }
  | { readonly type: "answered"; readonly token: number; readonly answer: Answer }
  | { readonly type: "released" | "stopped" | "finishing" }
  | Tick;

export type Effect = lane.Effect
  | { readonly type: "up"; readonly done: Done; readonly ranMs: number }
  | {
    readonly type: "down"; readonly failed: Failed; readonly failures: number;
    readonly retryMs: number;
  }
  /** The backend has no such call. */
  | { readonly type: "unsupported"; readonly op: OpName };

export type Probe = {
  readonly config: Config;
  readonly jitter: prng.Prng;
  readonly lane: lane.Lane;
  /** `NEVER` while a question is under way, before the start, and after the end. */
  askAt: Mono;
  askedAt: Mono | undefined;
  /** In a row. */
  failures: number;
  isDoubted: boolean;
  isConnected: boolean;
  isRunning: boolean;
};

/** Asserts the ranges of `c`. */
export function check(c: Config): void {
  pause.checkRest(c.first, 0, "probe: first");
  pause.checkRest(c.rest, 1, "probe: rest");
  pause.checkWait(c.retry, 1, "probe: retry");
  assert(c.waitMs >= 1, "probe: an answer takes its time");
  assert(c.gapMs >= 1, "probe: questions lie apart");
}

/** A probe that asks nothing until `started`; `jitter` is a stream of its own. */
export function create(config: Config, jitter: prng.Prng): Probe {
  check(config);
  return {
    config, jitter, lane: lane.create(), askAt: NEVER, askedAt: undefined, failures: 0,
    isDoubted: false, isConnected: false, isRunning: false,
  };
}

export function step(m: Probe, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "started": return started(m, now, out);
    case "connected": return void (m.isConnected = event.isConnected);
    case "doubted": return doubted(m, now, out);
    case "answered": {
      return ended(m, lane.answered(m.lane, event.token, event.answer, now, out), now, out);
    }
    case "released": return ended(m, lane.released(m.lane, now), now, out);
    case "stopped": case "finishing": return stopped(m);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When the next question is due, or the one under way is given up. */
export function deadline(m: Probe): Mono {
  return soonest(m.askAt, lane.deadline(m.lane));
}

function started(m: Probe, now: Mono, out: Effect[]): void {
  assert(!m.isRunning, "probe: started once");
  m.isRunning = true;
  const waitMs = pause.restMs(m.config.first, m.jitter);
  m.askAt = after(now, waitMs);
  if (waitMs === 0) due(m, now, out);
}

function doubted(m: Probe, now: Mono, out: Effect[]): void {
  if (!m.isRunning || m.config.whileUp === "skip") return;
  if (!lane.isFree(m.lane)) {
    m.isDoubted = true;
    return;
  }
  hasten(m, now);
  tick(m, now, out);
}

function hasten(m: Probe, now: Mono): void {
  const gapAt = m.askedAt === undefined ? now : after(m.askedAt, m.config.gapMs);
  m.askAt = soonest(m.askAt, gapAt > now ? gapAt : now);
}

function tick(m: Probe, now: Mono, out: Effect[]): void {
  ended(m, lane.tick(m.lane, now, out), now, out);
  if (now >= m.askAt) due(m, now, out);
}

function due(m: Probe, now: Mono, out: Effect[]): void {
  const { op, rest, waitMs, whileUp } = m.config;
  if (whileUp === "skip" && m.isConnected) {
    m.askAt = after(now, pause.restMs(rest, m.jitter));
    return;
  }
  m.askAt = NEVER;
  m.askedAt = now;
  m.isDoubted = false;
  lane.call(m.lane, { op }, waitMs, now, out);
}

function ended(m: Probe, of: lane.Ended | undefined, now: Mono, out: Effect[]): void {
  if (of === undefined || !m.isRunning) return;
  const { answer, op, ranMs } = of;
  if (!answer.ok && answer.why === "unsupported") {
    out.push({ type: "unsupported", op });
    return stopped(m);
  }
  if (answer.ok) {
    m.failures = 0;
    m.askAt = after(now, pause.restMs(m.config.rest, m.jitter));
    out.push({ type: "up", done: answer.done, ranMs });
  } else {
    const retryMs = pause.waitMs(m.config.retry, m.failures, m.jitter);
    m.failures += 1;
    m.askAt = after(now, retryMs);
    out.push({ type: "down", failed: answer, failures: m.failures, retryMs });
  }
  if (!m.isDoubted) return;
  m.isDoubted = false;
  // The question was put before the doubt, and its answer may be older.
  hasten(m, now);
  if (now >= m.askAt) due(m, now, out);
}

function stopped(m: Probe): void {
  m.isRunning = false;
  m.askAt = NEVER;
}
