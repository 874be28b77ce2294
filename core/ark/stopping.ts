/**
 * Stop, and stop and wait.
 *
 * Rule 1: from `stop` on nothing new is asked for; a stop that is due together with anything else
 * comes first, because the parent halts all lanes in the step that takes it.
 * Rule 2: calls that may be cut are given up at once. The others are waited for, `stopMs` at most;
 * then what still runs is named. It is not cut: it goes on in the wallet.
 * Rule 3: who only asked to stop has the answer at once; who waits has it when nothing runs any
 * more, or when the time is over. A second wish to stop ends the waiting.
 * Rule 4: a start during all this waits until nothing of the former run is under way: there are
 * never two daemons at one wallet.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Tick } from "../kernel/io.ts";
import { assertMove, type Transition } from "../kernel/phases.ts";
import { after, NEVER, type Mono } from "../time.ts";
import type { OpName } from "./wallet.ts";

export type Config = {
  /** How long calls that must not be cut are waited for; 0: as long as they take. */
  readonly stopMs: number;
  /** Are the others given up? */
  readonly isCutting: boolean;
  /** Is what has begun gone through with: a pass, an event, the start, a subscription? */
  readonly isFinishing: boolean;
};

/** A call that outlives its daemon: whose lane, what, and since when. */
export type Running = {
  readonly lane: string; readonly op: OpName | "subscribe"; readonly sinceAt: Mono;
};

export type Event =
  /** `running`: what remains under way after lanes were halted. */
  | { readonly type: "stop"; readonly isWaiting: boolean; readonly running: readonly Running[] }
  /** After the stop there is one more, which what had begun leads to. */
  | { readonly type: "begun"; readonly running: Running }
  /** A call of this lane has ended. */
  | { readonly type: "ended"; readonly lane: string }
  | { readonly type: "start" }
  | Tick;

export type Effect =
  /** The wish to stop is answered; with what still runs. */
  | { readonly type: "answered"; readonly running: readonly Running[] }
  /** The waiting is over; `running` is empty unless the time ran out. */
  | { readonly type: "stopped"; readonly running: readonly Running[]; readonly tookMs: number }
  /** What had been left running has ended by itself. */
  | { readonly type: "drained" }
  /** Nothing is in the way of a new run. */
  | { readonly type: "start" };

type At =
  | { readonly phase: "running" | "stopped" }
  | { readonly phase: "draining"; readonly since: Mono; readonly dueAt: Mono; waiters: number }
  | { readonly phase: "left" };
export type PhaseName = At["phase"];

export const transitions: readonly Transition<PhaseName>[] = [
  { from: "running", on: "stop", to: "stopped", note: "nothing was under way" },
  { from: "running", on: "stop", to: "draining", note: "lanes are halted" },
  { from: "draining", on: "ended", to: "stopped", note: "the last call has ended" },
  { from: "draining", on: "due", to: "left", note: "stopMs is over; what runs is named" },
  { from: "draining", on: "stop", to: "left", note: "nobody wants to wait any more" },
  { from: "left", on: "ended", to: "stopped", note: "it has ended by itself" },
  { from: "stopped", on: "start", to: "running", note: "nothing of the former run is left" },
];

export type Stopping = {
  readonly config: Config;
  at: At;
  /** One for each lane at most. */
  readonly running: Map<string, Running>;
  isStartWished: boolean;
};

/** The phases of a daemon that runs. */
export function create(config: Config): Stopping {
  assert(Number.isSafeInteger(config.stopMs), "stopping: whole milliseconds");
  assert(config.stopMs >= 0, "stopping: no negative time");
  return { config, at: { phase: "running" }, running: new Map(), isStartWished: false };
}

export function step(m: Stopping, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "stop": return stop(m, event.isWaiting, event.running, now, out);
    case "begun": return begun(m, event.running);
    case "ended": return ended(m, event.lane, now, out);
    case "start": return start(m, out);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When the waiting is over. */
export function deadline(m: Stopping): Mono {
  return m.at.phase === "draining" ? m.at.dueAt : NEVER;
}

/** May calls be made? */
export function isRunning(m: Stopping): boolean {
  return m.at.phase === "running";
}

/** What is still under way, in the order of lanes as they were given. */
export function remaining(m: Stopping): readonly Running[] {
  return [...m.running.values()];
}

function stop(
  m: Stopping, isWaiting: boolean, running: readonly Running[], now: Mono, out: Effect[],
): void {
  m.isStartWished = false;
  if (m.at.phase === "running") return begin(m, isWaiting, running, now, out);
  if (m.at.phase === "draining") return over(m, m.at, "stop", isWaiting ? 1 : 0, now, out);
  out.push({ type: "answered", running: remaining(m) });
}

function begin(
  m: Stopping, isWaiting: boolean, running: readonly Running[], now: Mono, out: Effect[],
): void {
  for (const r of running) {
    assert(!m.running.has(r.lane), "stopping: a lane has one call");
    m.running.set(r.lane, r);
  }
  if (running.length === 0) {
    move(m, "stop", { phase: "stopped" });
    out.push({ type: "answered", running: [] }, { type: "stopped", running: [], tookMs: 0 });
    return;
  }
  const dueAt = m.config.stopMs === 0 ? NEVER : after(now, m.config.stopMs);
  move(m, "stop", { phase: "draining", since: now, dueAt, waiters: isWaiting ? 1 : 0 });
  if (!isWaiting) out.push({ type: "answered", running: remaining(m) });
}

function begun(m: Stopping, running: Running): void {
  assert(m.running.size > 0, "stopping: only what runs leads to more");
  m.running.set(running.lane, running);
}

function ended(m: Stopping, name: string, now: Mono, out: Effect[]): void {
  const { at } = m;
  if (!m.running.delete(name) || m.running.size > 0) return;
  if (at.phase === "draining") {
    finish(m, at, 0, now, out);
  } else {
    assert(at.phase === "left", "stopping: calls run on only after the stop");
    out.push({ type: "drained" });
  }
  move(m, "ended", { phase: "stopped" });
  if (m.isStartWished) start(m, out);
}

function tick(m: Stopping, now: Mono, out: Effect[]): void {
  if (m.at.phase === "draining" && now >= m.at.dueAt) over(m, m.at, "due", 0, now, out);
}

/** The waiting ends, and calls go on. */
function over(
  m: Stopping, at: Extract<At, { phase: "draining" }>, on: string, more: number, now: Mono,
  out: Effect[],
): void {
  finish(m, at, more, now, out);
  move(m, on, { phase: "left" });
}

function finish(
  m: Stopping, at: Extract<At, { phase: "draining" }>, more: number, now: Mono, out: Effect[],
): void {
  for (let i = 0; i < at.waiters + more; i += 1) {
    out.push({ type: "answered", running: remaining(m) });
  }
  out.push({ type: "stopped", running: remaining(m), tookMs: now - at.since });
}

function start(m: Stopping, out: Effect[]): void {
  if (m.at.phase === "running") return;
  if (m.at.phase !== "stopped") {
    m.isStartWished = true;
    return;
  }
  m.isStartWished = false;
  move(m, "start", { phase: "running" });
  out.push({ type: "start" });
}

function move(m: Stopping, on: string, to: At): void {
  assertMove(transitions, m.at.phase, on, to.phase);
  m.at = to;
}
