/**
 * Keeps one wallet's program running: when it is started, started again, and ended.
 *
 * Rule 1: between two starts lies a wait, always: half of `retry.baseMs` at least, and more after
 * each run that was shorter than `healthyMs`. Nothing that a program does makes a storm of starts.
 * Rule 2: `loopRuns` short runs in a row are a crash loop, which is told; and its end, with a run
 * that is long enough or with somebody else who answers. It is tried on all the same.
 * Rule 3: who answers already is left in place: a program that was left running, or that somebody
 * else has started. It is not ended either. When nobody answers any more, ours is started.
 * Rule 4: at the end nothing is started any more. The program stays as long as work goes on in it,
 * `waitMs` at most; then it is asked to end, and after `termMs` it is killed. With `isLeft` it is
 * left running.
 * Rule 5: a program that runs and does not answer is not killed: what it does must not be cut.
 * Not known here: what the program is, how it is started, and what goes on in it.
 * `docs/phases/ark-supervisor.md` shows the phases.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import * as backoff from "../backoff.ts";
import type { Tick } from "../kernel/io.ts";
import { assertMove, type Transition } from "../kernel/phases.ts";
import type * as prng from "../prng.ts";
import { after, NEVER, type Mono } from "../time.ts";

export type Config = {
  /** Before the next start, by short runs in a row. From 1 s to 5 min, doubling. */
  readonly retry: backoff.Config;
  /** A run of this length was none of a crash loop, in ms. 60,000. */
  readonly healthyMs: number;
  /** Short runs in a row that are a crash loop. 3. */
  readonly loopRuns: number;
  /** At first it is waited so long for somebody who answers already, in ms. 3,000. */
  readonly lookMs: number;
  /** From the wish that it ends to the kill, in ms. 10,000. */
  readonly termMs: number;
  /** And from there to where it is given up, in ms. 2,000. */
  readonly killMs: number;
  /** Is it left running at the end? No. */
  readonly isLeft: boolean;
};

export const defaults: Config = {
  retry: { baseMs: 1_000, maxMs: 300_000, times: 2, per: 1 }, healthyMs: 60_000, loopRuns: 3,
  lookMs: 3_000, termMs: 10_000, killMs: 2_000, isLeft: false,
};

/** Why a program could not be started: it is not there, may not be run, or there is no room. */
export type Failure = "missing" | "denied" | "scarce" | "other";

/** How a run ended: a code, or the name of a signal, or it never began. */
export type Exit = {
  readonly code: number | undefined; readonly signal: string; readonly failure: Failure | undefined;
};

export type Event =
  | { readonly type: "started" }
  /** The run that was ordered is there, or could not be; and later, it has ended. */
  | { readonly type: "spawned"; readonly run: number; readonly pid: number }
  | { readonly type: "failed"; readonly run: number; readonly why: Failure }
  | {
    readonly type: "exited"; readonly run: number; readonly code: number | undefined;
    readonly signal: string;
  }
  /** Somebody answers at the wallet's address; nobody does. */
  | { readonly type: "answers" | "silent" }
  /** `isBusy`: work goes on in it, for which `waitMs` are left. */
  | { readonly type: "stop"; readonly isBusy: boolean; readonly waitMs: number }
  /** No work goes on in it any more. */
  | { readonly type: "idle" }
  | Tick;

export type Effect =
  /** `spawned` or `failed` of this run must follow. */
  | { readonly type: "start"; readonly run: number }
  | { readonly type: "signal"; readonly run: number; readonly signal: "term" | "kill" }
  /** It runs; of somebody else it is not known as what. */
  | { readonly type: "up"; readonly pid: number | undefined }
  /** A run is over. `retryMs`: until the next; `undefined`: there is none. */
  | {
    readonly type: "gone"; readonly exit: Exit; readonly ranMs: number;
    readonly retryMs: number | undefined;
  }
  | { readonly type: "looping"; readonly runs: number; readonly exit: Exit }
  | { readonly type: "steady"; readonly loopedMs: number }
  /** It did not end when it was asked to, and is killed; nor when it was killed. */
  | { readonly type: "killed"; readonly waitedMs: number }
  | { readonly type: "stuck"; readonly pid: number }
  /** By policy. */
  | { readonly type: "left"; readonly pid: number };

type Run = { readonly run: number; readonly pid: number; readonly since: Mono };
type At =
  | { readonly phase: "off" | "foreign" | "over" }
  | { readonly phase: "looking" | "resting"; readonly until: Mono }
  | { readonly phase: "starting"; readonly run: number }
  | { readonly phase: "up"; readonly of: Run; isHealthy: boolean }
  | {
    readonly phase: "draining" | "ending" | "killing"; readonly of: Run; readonly until: Mono;
  };
export type PhaseName = At["phase"];

export const transitions: readonly Transition<PhaseName>[] = [
  { from: "off", on: "started", to: "looking", note: "does somebody answer already?" },
  { from: "looking", on: "silent", to: "starting", note: "nobody does" },
  { from: "looking", on: "due", to: "starting", note: "nobody did within lookMs" },
  { from: "looking", on: "answers", to: "foreign", note: "it is left in place" },
  { from: "foreign", on: "silent", to: "resting", note: "it is gone" },
  { from: "starting", on: "spawned", to: "up", note: "it runs" },
  { from: "starting", on: "failed", to: "resting", note: "it could not be started" },
  { from: "up", on: "exited", to: "resting", note: "the wait grows with short runs" },
  { from: "resting", on: "due", to: "starting", note: "once more" },
  { from: "resting", on: "answers", to: "foreign", note: "somebody else has started one" },
  { from: "up", on: "stop", to: "draining", note: "work goes on in it" },
  { from: "up", on: "stop", to: "ending", note: "it is asked to end" },
  { from: "up", on: "stop", to: "over", note: "it is left running" },
  { from: "starting", on: "spawned", to: "ending", note: "a stop came first" },
  { from: "starting", on: "failed", to: "over", note: "a stop came first" },
  { from: "starting", on: "spawned", to: "over", note: "a stop came first; it is left running" },
  { from: "draining", on: "idle", to: "ending", note: "the work is done" },
  { from: "draining", on: "due", to: "ending", note: "the time for it is over" },
  { from: "draining", on: "exited", to: "over", note: "by itself" },
  { from: "ending", on: "exited", to: "over", note: "in good order" },
  { from: "ending", on: "due", to: "killing", note: "termMs are over" },
  { from: "killing", on: "exited", to: "over", note: "killed" },
  { from: "killing", on: "due", to: "over", note: "not even that; it is said" },
  { from: "off", on: "stop", to: "over", note: "there is none" },
  { from: "looking", on: "stop", to: "over", note: "there is none" },
  { from: "resting", on: "stop", to: "over", note: "there is none" },
  { from: "foreign", on: "stop", to: "over", note: "it is not ours" },
];

export type Supervisor = {
  readonly config: Config;
  readonly chance: prng.Prng;
  at: At;
  /** Runs that were ordered; the number of the last. */
  runs: number;
  /** Short ones in a row. */
  shorts: number;
  /** Since when it is a crash loop that was told; `NEVER`: it is none. */
  loopAt: Mono;
  last: { readonly exit: Exit; readonly ranMs: number; readonly at: Mono } | undefined;
  isStopping: boolean;
};

/** A program that nobody wants yet. Asserts the ranges of `config`. */
export function create(config: Config, chance: prng.Prng): Supervisor {
  backoff.check(config.retry);
  const { healthyMs, loopRuns, lookMs, termMs, killMs } = config;
  for (const n of [healthyMs, loopRuns, lookMs, termMs, killMs]) {
    assert(Number.isSafeInteger(n) && n >= 1, "supervisor: whole numbers from 1");
  }
  return {
    config, chance, at: { phase: "off" }, runs: 0, shorts: 0, loopAt: NEVER, last: undefined,
    isStopping: false,
  };
}

/** Takes one event; what is said of another run than the present one changes nothing. */
export function step(m: Supervisor, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "started":
      if (m.at.phase !== "off") return;
      return move(m, "started", { phase: "looking", until: after(now, m.config.lookMs) });
    case "spawned": return spawned(m, event.run, event.pid, now, out);
    case "failed": {
      if (m.at.phase !== "starting" || m.at.run !== event.run) return;
      return over(m, "failed", { code: undefined, signal: "", failure: event.why }, 0, now, out);
    }
    case "exited": {
      if (!("of" in m.at) || m.at.of.run !== event.run) return;
      const { code, signal } = event;
      return over(m, "exited", { code, signal, failure: undefined }, now - m.at.of.since, now, out);
    }
    case "answers": return answers(m, now, out);
    case "silent": return silent(m, now, out);
    case "stop": return stop(m, event.isBusy, event.waitMs, now, out);
    case "idle": return m.at.phase === "draining" ? end(m, "idle", m.at.of, now, out) : undefined;
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When something is due without any event. */
export function deadline(m: Supervisor): Mono {
  const { at } = m;
  if ("until" in at) return at.until;
  return at.phase === "up" && !at.isHealthy ? after(at.of.since, m.config.healthyMs) : NEVER;
}

/** Is there nothing more to wait for? */
export function isOver(m: Supervisor): boolean {
  return m.at.phase === "over";
}

/** Is it in a crash loop? */
export function isLooping(m: Supervisor): boolean {
  return m.loopAt !== NEVER;
}

/** The run that there is, and since when. */
export function running(m: Supervisor): { readonly pid: number; readonly since: Mono } | undefined {
  return "of" in m.at ? m.at.of : undefined;
}

function spawned(m: Supervisor, run: number, pid: number, now: Mono, out: Effect[]): void {
  if (m.at.phase !== "starting" || m.at.run !== run) return;
  const of = { run, pid, since: now };
  out.push({ type: "up", pid });
  if (!m.isStopping) return move(m, "spawned", { phase: "up", of, isHealthy: false });
  if (m.config.isLeft) return leave(m, "spawned", of, out);
  end(m, "spawned", of, now, out);
}

/** A run has ended, or never began. */
function over(
  m: Supervisor, on: "failed" | "exited", exit: Exit, ranMs: number, now: Mono, out: Effect[],
): void {
  m.last = { exit, ranMs, at: now };
  if (m.isStopping) {
    move(m, on, { phase: "over" });
    return void out.push({ type: "gone", exit, ranMs, retryMs: undefined });
  }
  m.shorts = ranMs >= m.config.healthyMs ? 0 : m.shorts + 1;
  const retryMs = backoff.delayMs(m.config.retry, m.shorts, m.chance);
  move(m, on, { phase: "resting", until: after(now, retryMs) });
  out.push({ type: "gone", exit, ranMs, retryMs });
  if (m.shorts < m.config.loopRuns || m.loopAt !== NEVER) return;
  m.loopAt = now;
  out.push({ type: "looping", runs: m.shorts, exit });
}

/** Rule 3. What answers while ours runs is ours. */
function answers(m: Supervisor, now: Mono, out: Effect[]): void {
  const { phase } = m.at;
  if (phase !== "looking" && phase !== "resting") return;
  move(m, "answers", { phase: "foreign" });
  out.push({ type: "up", pid: undefined });
  calm(m, now, out);
}

function silent(m: Supervisor, now: Mono, out: Effect[]): void {
  if (m.at.phase === "looking") return start(m, "silent", out);
  if (m.at.phase !== "foreign") return;
  const ms = backoff.delayMs(m.config.retry, m.shorts, m.chance);
  move(m, "silent", { phase: "resting", until: after(now, ms) });
}

function start(m: Supervisor, on: string, out: Effect[]): void {
  m.runs += 1;
  move(m, on, { phase: "starting", run: m.runs });
  out.push({ type: "start", run: m.runs });
}

/** Rule 4. */
function stop(m: Supervisor, isBusy: boolean, waitMs: number, now: Mono, out: Effect[]): void {
  if (m.isStopping) return;
  m.isStopping = true;
  const { at } = m;
  switch (at.phase) {
    case "off": case "looking": case "resting": case "foreign":
      return move(m, "stop", { phase: "over" });
    case "starting": return;
    case "up":
      if (m.config.isLeft) return leave(m, "stop", at.of, out);
      if (!isBusy || waitMs < 1) return end(m, "stop", at.of, now, out);
      return move(m, "stop", { phase: "draining", of: at.of, until: after(now, waitMs) });
    // They come after the stop.
    case "draining": case "ending": case "killing": case "over": return;
    default: return unreachable(at); /* c8 ignore next */
  }
}

function leave(m: Supervisor, on: string, { pid }: Run, out: Effect[]): void {
  move(m, on, { phase: "over" });
  out.push({ type: "left", pid });
}

function end(m: Supervisor, on: string, of: Run, now: Mono, out: Effect[]): void {
  move(m, on, { phase: "ending", of, until: after(now, m.config.termMs) });
  out.push({ type: "signal", run: of.run, signal: "term" });
}

function tick(m: Supervisor, now: Mono, out: Effect[]): void {
  const { at, config } = m;
  if (now < deadline(m)) return;
  switch (at.phase) {
    case "looking": case "resting": return start(m, "due", out);
    case "up": return healthy(m, at, now, out);
    case "draining": return end(m, "due", at.of, now, out);
    case "ending":
      move(m, "due", { phase: "killing", of: at.of, until: after(now, config.killMs) });
      out.push({ type: "killed", waitedMs: config.termMs });
      return void out.push({ type: "signal", run: at.of.run, signal: "kill" });
    case "killing":
      move(m, "due", { phase: "over" });
      return void out.push({ type: "stuck", pid: at.of.pid });
    case "off": case "foreign": case "over": case "starting": return;
    default: return unreachable(at); /* c8 ignore next */
  }
}

function healthy(
  m: Supervisor, at: Extract<At, { phase: "up" }>, now: Mono, out: Effect[],
): void {
  at.isHealthy = true;
  m.shorts = 0;
  calm(m, now, out);
}

function calm(m: Supervisor, now: Mono, out: Effect[]): void {
  if (m.loopAt === NEVER) return;
  out.push({ type: "steady", loopedMs: now - m.loopAt });
  m.loopAt = NEVER;
}

function move(m: Supervisor, on: string, to: At): void {
  assertMove(transitions, m.at.phase, on, to.phase);
  m.at = to;
}
