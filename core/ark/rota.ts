/**
 * Steps in a fixed order, one at a time: a pass at every interval, failed ones again in between.
 *
 * Rule 1: a step stands in the queue at most once, and the queue is worked off from its front: no
 * step can keep another from its turn by failing or by being asked for. A step whose call hangs is
 * cut, or told, by the lane.
 * Rule 2: what failed is tried again by itself after a growing wait, not only in the next pass.
 * Rule 3: a wake is answered by a pass that begins after it. Wakes during a pass give one more pass
 * together; passes begin `gapMs` apart at least, whatever wakes.
 * Rule 4: a step that the backend has not is not asked for again. `coversFor` names steps that
 * another one does as well: it has its turn in every pass as soon as one of them is missing.
 * Rule 5: once stopped, no call is made; who stops it may cut the one under way.
 * Not known here: what the steps do.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Tick } from "../kernel/io.ts";
import type * as prng from "../prng.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import * as lane from "./lane.ts";
import * as pause from "./pause.ts";
import type { Answer, Done, Failed, OpName } from "./wallet.ts";

/** Calls that need no words. */
export type Plain = Exclude<OpName,
  "exit-fee" | "notifications" | "refresh" | "exit" | "claim" | "progress-rounds">;

export type Step = {
  readonly op: Plain;
  /**
   * `connected`: left out of passes that begin while the server does not count as connected.
   * `chain`: not begun while the chain source is known to fail.
   */
  readonly gate: "none" | "connected" | "chain";
  /** How long its answer is waited for. */
  readonly waitMs: number;
  /** Left out of passes until so long after its last success; 0: it is in every pass. */
  readonly everyMs: number;
  readonly coversFor: readonly OpName[];
};

export type Config = {
  /** In their order; 1 to 16. */
  readonly steps: readonly Step[];
  /** From the start to the first pass. */
  readonly first: pause.Rest;
  /** From the end of a pass to the next. */
  readonly rest: pause.Rest;
  /** After a failed step; `undefined`: the next pass is its next try. */
  readonly retry: pause.Wait | undefined;
  /** From a wake to its pass; `undefined`: nothing wakes. */
  readonly wake: pause.Rest | undefined;
  /** From the begin of a pass to the begin of a woken one. */
  readonly gapMs: number;
  /** Told when not all steps have succeeded for so long. */
  readonly behindMs: number;
};

export type Event =
  | { readonly type: "started" }
  | { readonly type: "connected"; readonly isConnected: boolean }
  /** The chain source is known to fail, or is not any more. */
  | { readonly type: "blind"; readonly isBlind: boolean }
  /** There is news: a block, a coin, a server that is back. */
  | { readonly type: "woken" }
  | { readonly type: "answered"; readonly token: number; readonly answer: Answer }
  /** The wallet's program is gone, and its calls. */
  | { readonly type: "released" }
  /** `finishing`: the pass under way may come to its end first. */
  | { readonly type: "stopped" | "finishing" }
  | Tick;

export type Effect = lane.Effect
  | { readonly type: "ran"; readonly done: Done; readonly ranMs: number }
  /** `retryMs`: from now to its own next try. */
  | {
    readonly type: "failed"; readonly op: OpName; readonly failed: Failed;
    readonly failures: number; readonly retryMs: number | undefined;
  }
  /** The backend has no such call. Told once for each. */
  | { readonly type: "unsupported"; readonly op: OpName }
  /** A pass is over; `failures`: steps that failed in it. */
  | { readonly type: "passed"; readonly tookMs: number; readonly failures: number }
  /** For `forMs` there was no moment at which every step had succeeded. Told once, as its end. */
  | { readonly type: "behind"; readonly forMs: number }
  | { readonly type: "caught-up" };

type Turn = {
  /** In a row. */
  failures: number;
  retryAt: Mono;
  /** Of the last success. */
  doneAt: Mono | undefined;
  isUnsupported: boolean;
};

type At =
  | { readonly phase: "fresh" | "stopped" }
  | { readonly phase: "resting"; passAt: Mono }
  /** `left`: steps that have not ended in this pass; retries of others may run between them. */
  | { readonly phase: "passing"; readonly left: Set<number>; failures: number };

export type Rota = {
  readonly config: Config;
  readonly jitter: prng.Prng;
  readonly lane: lane.Lane;
  readonly turns: readonly Turn[];
  /** Which steps wait for their turn; each at most once. */
  readonly queue: number[];
  /** The step under way, and whether it is run for the pass. */
  running: { readonly i: number; readonly isOfPass: boolean } | undefined;
  at: At;
  /** The rest after passes; who owns the rota may lengthen it. */
  rest: pause.Rest;
  isConnected: boolean;
  isBlind: boolean;
  /** No pass after this one. */
  isLast: boolean;
  isWoken: boolean;
  /** Begin of the last pass. */
  passedFrom: Mono | undefined;
  /** When every step had last succeeded; at first, the start. `NEVER`: not begun, or stopped. */
  goodAt: Mono;
  isBehind: boolean;
};

const stepsMax = 16;

/** Asserts the ranges of `c`. */
export function check(c: Config): void {
  assert(c.steps.length >= 1, "rota: a step at least");
  assert(c.steps.length <= stepsMax, "rota: few steps");
  assert(new Set(c.steps.map(({ op }) => op)).size === c.steps.length, "rota: each step once");
  for (const { waitMs, everyMs } of c.steps) {
    assert(waitMs >= 1, "rota: a step takes its time");
    assert(everyMs >= 0, "rota: no negative interval");
  }
  pause.checkRest(c.first, 0, "rota: first");
  pause.checkRest(c.rest, 1, "rota: rest");
  if (c.retry !== undefined) pause.checkWait(c.retry, 1, "rota: retry");
  if (c.wake !== undefined) pause.checkRest(c.wake, 0, "rota: wake");
  assert(c.gapMs >= 1, "rota: woken passes lie apart");
  assert(c.behindMs >= 1, "rota: being behind takes its time");
}

/** A rota that runs nothing until `started`; `jitter` is a stream of its own. */
export function create(config: Config, jitter: prng.Prng): Rota {
  check(config);
  const turns = config.steps.map((): Turn => (
    { failures: 0, retryAt: NEVER, doneAt: undefined, isUnsupported: false }
  ));
  return {
    config, jitter, lane: lane.create(), turns, queue: [], running: undefined,
    at: { phase: "fresh" }, rest: config.rest, isConnected: false, isBlind: false, isLast: false,
    isWoken: false,
    passedFrom: undefined, goodAt: NEVER, isBehind: false,
  };
}

export function step(m: Rota, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "started": return started(m, now, out);
    case "connected": return void (m.isConnected = event.isConnected);
    case "blind": return blind(m, event.isBlind, now, out);
    case "woken": return woken(m, now, out);
    case "answered": {
      return ended(m, lane.answered(m.lane, event.token, event.answer, now, out), now, out);
    }
    case "released": return ended(m, lane.released(m.lane, now), now, out);
    case "stopped": return stopped(m);
    case "finishing": return finishing(m);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When a pass, a retry or the end of waiting is due. */
export function deadline(m: Rota): Mono {
  let dueAt = lane.deadline(m.lane);
  if (m.at.phase === "resting") dueAt = soonest(dueAt, m.at.passAt);
  // A retry that is due while another step runs is in the queue, and then has no `retryAt`.
  for (const { retryAt } of m.turns) dueAt = soonest(dueAt, retryAt);
  return m.isBehind ? dueAt : soonest(dueAt, behindAt(m));
}

/** Passes are `rest` apart from now on; the one to come is not later than that. */
export function pace(m: Rota, rest: pause.Rest, now: Mono): void {
  m.rest = rest;
  if (m.at.phase !== "resting") return;
  m.at.passAt = soonest(m.at.passAt, after(now, pause.restMs(rest, m.jitter)));
}

/** Has the backend said that it has no such call? */
export function lacks(m: Rota, op: OpName): boolean {
  return m.config.steps.some((s, i) => s.op === op && m.turns[i]?.isUnsupported === true);
}

function behindAt(m: Rota): Mono {
  return after(m.goodAt, m.config.behindMs);
}

function started(m: Rota, now: Mono, out: Effect[]): void {
  assert(m.at.phase === "fresh", "rota: started once");
  m.goodAt = now;
  const waitMs = pause.restMs(m.config.first, m.jitter);
  if (waitMs === 0) return pass(m, now, out);
  m.at = { phase: "resting", passAt: after(now, waitMs) };
}

function woken(m: Rota, now: Mono, out: Effect[]): void {
  if (m.config.wake === undefined) return;
  if (m.at.phase === "passing") m.isWoken = true;
  if (m.at.phase !== "resting") return;
  hasten(m, m.at, m.config.wake, now);
  tick(m, now, out);
}

/** Brings the next pass forward, as far as the gap permits. */
function hasten(
  m: Rota, at: { passAt: Mono }, wake: pause.Rest, now: Mono,
): void {
  const soon = after(now, pause.restMs(wake, m.jitter));
  const gap = m.passedFrom === undefined ? now : after(m.passedFrom, m.config.gapMs);
  at.passAt = soonest(at.passAt, soon > gap ? soon : gap);
}

function tick(m: Rota, now: Mono, out: Effect[]): void {
  if (now < deadline(m)) return;
  if (!m.isBehind && now >= behindAt(m)) {
    m.isBehind = true;
    out.push({ type: "behind", forMs: now - m.goodAt });
  }
  ended(m, lane.tick(m.lane, now, out), now, out);
  for (const [i, turn] of m.turns.entries()) {
    if (now >= turn.retryAt) enqueue(m, i);
  }
  if (m.at.phase === "resting" && now >= m.at.passAt) return pass(m, now, out);
  proceed(m, now, out);
}

/** Every step that is in this pass, in order. */
function pass(m: Rota, now: Mono, out: Effect[]): void {
  const left = new Set<number>();
  m.at = { phase: "passing", left, failures: 0 };
  m.isWoken = false;
  m.passedFrom = now;
  for (const [i, s] of m.config.steps.entries()) {
    if (s.gate === "connected" && !m.isConnected) continue;
    if (isOfThisPass(m, s, m.turns[i]?.doneAt, now) && enqueue(m, i)) left.add(i);
  }
  if (left.size === 0) passed(m, now, out);
  proceed(m, now, out);
}

function isOfThisPass(m: Rota, s: Step, doneAt: Mono | undefined, now: Mono): boolean {
  if (s.everyMs === 0 || doneAt === undefined || now >= after(doneAt, s.everyMs)) return true;
  return s.coversFor.some((op) => lacks(m, op));
}

/** What waits for its turn and needs the chain is not in this pass any more. */
function blind(m: Rota, isBlind: boolean, now: Mono, out: Effect[]): void {
  m.isBlind = isBlind;
  if (!isBlind) return;
  for (const [i, s] of m.config.steps.entries()) {
    const at = m.queue.indexOf(i);
    if (s.gate !== "chain" || at < 0) continue;
    m.queue.splice(at, 1);
    if (m.at.phase === "passing") m.at.left.delete(i);
  }
  if (m.at.phase === "passing" && m.at.left.size === 0) passed(m, now, out);
}

/** Does it wait for its turn now? */
function enqueue(m: Rota, i: number): boolean {
  const turn = turnOf(m, i);
  turn.retryAt = NEVER;
  const isShut = m.isBlind && m.config.steps[i]?.gate === "chain";
  if (turn.isUnsupported || isShut) return false;
  if (!m.queue.includes(i)) m.queue.push(i);
  return true;
}

/** The next turn, if the lane is free. */
function proceed(m: Rota, now: Mono, out: Effect[]): void {
  if (m.at.phase === "stopped" || !lane.isFree(m.lane)) return;
  const i = m.queue.shift();
  const s = i === undefined ? undefined : m.config.steps[i];
  if (i === undefined || s === undefined) return;
  m.running = { i, isOfPass: m.at.phase === "passing" && m.at.left.has(i) };
  turnOf(m, i).retryAt = NEVER;
  lane.call(m.lane, { op: s.op }, s.waitMs, now, out);
}

/** The last step of a pass has ended. */
function passed(m: Rota, now: Mono, out: Effect[]): void {
  assert(m.at.phase === "passing" && m.passedFrom !== undefined, "rota: a pass has begun");
  out.push({ type: "passed", tookMs: now - m.passedFrom, failures: m.at.failures });
  if (m.isLast) return stopped(m);
  const at = { phase: "resting" as const, passAt: after(now, pause.restMs(m.rest, m.jitter)) };
  m.at = at;
  if (!m.isWoken || m.config.wake === undefined) return;
  hasten(m, at, m.config.wake, now);
  if (now >= at.passAt) pass(m, now, out);
}

/** Has everything succeeded when it was tried last? */
function look(m: Rota, now: Mono, out: Effect[]): void {
  if (m.passedFrom === undefined || m.turns.some(({ failures }) => failures > 0)) return;
  m.goodAt = now;
  if (m.isBehind) out.push({ type: "caught-up" });
  m.isBehind = false;
}

function ended(m: Rota, of: lane.Ended | undefined, now: Mono, out: Effect[]): void {
  if (of === undefined) return;
  const { running } = m;
  assert(running !== undefined, "rota: a step was under way");
  m.running = undefined;
  const turn = turnOf(m, running.i);
  const { answer } = of;
  if (answer.ok) {
    turn.failures = 0;
    turn.doneAt = now;
    out.push({ type: "ran", done: answer.done, ranMs: of.ranMs });
  } else if (answer.why === "unsupported") {
    turn.isUnsupported = true;
    turn.failures = 0;
    const again = m.queue.indexOf(running.i);
    if (again >= 0) m.queue.splice(again, 1);
    out.push({ type: "unsupported", op: of.op });
    coverFor(m, of.op);
  } else {
    failed(m, turn, of.op, answer, now, out);
  }
  if (m.at.phase !== "stopped") look(m, now, out);
  if (m.at.phase === "passing" && (running.isOfPass || turn.isUnsupported)) {
    m.at.left.delete(running.i);
    if (m.at.left.size === 0) passed(m, now, out);
  }
  proceed(m, now, out);
}

/** Whatever does the same has its turn now. */
function coverFor(m: Rota, op: OpName): void {
  if (m.at.phase === "stopped") return;
  for (const [i, s] of m.config.steps.entries()) {
    if (!s.coversFor.includes(op) || !enqueue(m, i)) continue;
    if (m.at.phase === "passing") m.at.left.add(i);
  }
}

function failed(
  m: Rota, turn: Turn, op: OpName, how: Failed, now: Mono, out: Effect[],
): void {
  if (m.at.phase === "passing") m.at.failures += 1;
  const { retry } = m.config;
  const isRetried = retry !== undefined && m.at.phase !== "stopped";
  const retryMs = isRetried ? pause.waitMs(retry, turn.failures, m.jitter) : undefined;
  turn.failures += 1;
  if (retryMs !== undefined) turn.retryAt = after(now, retryMs);
  out.push({ type: "failed", op, failed: how, failures: turn.failures, retryMs });
}

function finishing(m: Rota): void {
  m.isLast = m.at.phase === "passing";
  if (!m.isLast) stopped(m);
}

function stopped(m: Rota): void {
  m.at = { phase: "stopped" };
  m.goodAt = NEVER;
  m.queue.length = 0;
  for (const turn of m.turns) turn.retryAt = NEVER;
}

function turnOf(m: Rota, i: number): Turn {
  const turn = m.turns[i];
  assert(turn !== undefined, "rota: a step of ours");
  return turn;
}
