/**
 * One target: its queue, its attempts, its waits.
 *
 * Rule 1: letters go in the order they came, one at a time, each until it is sent or lost. Another
 * target's trouble is not seen here.
 * Rule 2: failures in a row lengthen the wait, whichever letter met them; a delivery ends them.
 * A wait that the target asks for is kept, up to `askedMsMax`, also when a nudge cuts our own.
 * Rule 3: a letter is lost when it is older than `ageMsMax`, after `attemptsMax` attempts that may
 * have arrived, or when the target rejects it. Each loss is told to the parent, and the first of an
 * episode to the operator.
 * Rule 4: beyond `queueMax`, the oldest of the least important goes, never the one under way.
 * Rule 5: once closing, each letter has one more attempt, in order, until one fails.
 * Not known here: what requests look like, and their ids.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import * as backoff from "../backoff.ts";
import type { Tick } from "../kernel/io.ts";
import type { Prng } from "../prng.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import type { Letter, Loss } from "./letter.ts";
import { rankOf } from "./notice.ts";
import type { Outcome } from "./reply.ts";

export type Config = {
  /** Letters that wait for one target, with the one under way. 100. */
  readonly queueMax: number;
  /** Attempts at a letter that may have reached the target. 30. */
  readonly attemptsMax: number;
  /** A letter is sent no later than this after this run learned of it, in ms. 86,400,000. */
  readonly ageMsMax: number;
  /** An attempt without an answer, in ms. 60,000: a new circuit through Tor takes its time. */
  readonly answerMs: number;
  /** The longest wait that a target can ask for, in ms. 3,600,000. */
  readonly askedMsMax: number;
  /** Between attempts. From 5 s, doubling, to 15 minutes. */
  readonly backoff: backoff.Config;
};

export const defaults: Config = {
  queueMax: 100, attemptsMax: 30, ageMsMax: 86_400_000, answerMs: 60_000, askedMsMax: 3_600_000,
  backoff: { baseMs: 5_000, maxMs: 900_000, times: 2, per: 1 },
};

export type Event =
  | { readonly type: "put"; readonly letter: Letter }
  /** Of the attempt under way. */
  | { readonly type: "answered"; readonly outcome: Outcome }
  /** The way there may have come back: try soon, whatever the wait was. */
  | { readonly type: "nudged" }
  | { readonly type: "closing" }
  | Tick;

export type Effect =
  | { readonly type: "send"; readonly letter: Letter; readonly renew: boolean }
  /** The attempt under way has no answer in time: nobody waits for it any more. */
  | { readonly type: "abandon" }
  | { readonly type: "sent"; readonly letter: Letter }
  | { readonly type: "lost"; readonly letter: Letter; readonly why: Loss }
  /** The first failure in a row. */
  | { readonly type: "failing"; readonly why: string }
  /** The first letter that is lost since the last delivery; `why` the last attempt failed. */
  | { readonly type: "losing"; readonly loss: Loss; readonly why: string }
  /** A delivery after failures in a row. */
  | { readonly type: "recovered"; readonly failures: number; readonly lost: number };

type At =
  | { readonly phase: "idle" | "stopped" }
  | { readonly phase: "sending"; readonly until: Mono }
  /** Not before `askedUntil`, because the target asked for it. */
  | { readonly phase: "resting"; readonly until: Mono; readonly askedUntil: Mono };

export type Lane = {
  config: Config;
  readonly rng: Prng;
  at: At;
  /** Oldest first; while sending, the first is under way. */
  readonly queue: Letter[];
  /** Of the first letter: attempts that may have arrived. */
  attempts: number;
  /** The first letter was tried with renewed credentials. */
  isRenewed: boolean;
  isClosing: boolean;
  /** In a row, and letters lost among them. */
  failures: number;
  lost: number;
  /** Why the last attempt failed; empty before any did. */
  lastWhy: string;
};

/** Nothing waits. Asserts that every limit of `config` leaves room for one. */
export function create(config: Config, rng: Prng): Lane {
  check(config);
  return {
    config, rng, at: { phase: "idle" }, queue: [], attempts: 0, isRenewed: false,
    isClosing: false, failures: 0, lost: 0, lastWhy: "",
  };
}

function check(c: Config): void {
  for (const n of [c.queueMax, c.attemptsMax, c.ageMsMax, c.answerMs, c.askedMsMax]) {
    assert(Number.isSafeInteger(n), "a limit of a target is whole");
    assert(n >= 1, "a limit of a target leaves room for one");
  }
  backoff.check(c.backoff);
}

/** Other limits, from the next letter on. */
export function reconfigure(m: Lane, config: Config): void {
  check(config);
  m.config = config;
}

/** Takes one event; an answer that nothing waits for changes nothing. */
export function step(m: Lane, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "put": return put(m, event.letter, now, out);
    case "answered": return answered(m, event.outcome, now, out);
    case "nudged": return nudged(m, now);
    case "closing": return closing(m, now, out);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When an attempt has taken too long, or a wait is over. */
export function deadline(m: Lane): Mono {
  return "until" in m.at ? m.at.until : NEVER;
}

/** Is there nothing that can still be done before the next start? */
export function isDone(m: Lane): boolean {
  return m.at.phase === "stopped" || m.queue.length === 0;
}

function put(m: Lane, letter: Letter, now: Mono, out: Effect[]): void {
  m.queue.push(letter);
  if (m.queue.length > m.config.queueMax) overflow(m, out);
  if (m.at.phase === "idle") next(m, now, out);
}

function overflow(m: Lane, out: Effect[]): void {
  const first = m.at.phase === "sending" ? 1 : 0;
  let at = first;
  for (let i = first; i < m.queue.length; i += 1) {
    if (rankAt(m, i) < rankAt(m, at)) at = i;
  }
  lose(m, at, "overflow", out);
}

function rankAt(m: Lane, index: number): number {
  return rankOf((m.queue[index] as Letter).priority);
}

/** The letter at `index` goes; the first one takes its attempts with it. */
function drop(m: Lane, index: number): Letter {
  const [letter] = m.queue.splice(index, 1);
  assert(letter !== undefined, "a letter that goes was there");
  if (index === 0) {
    m.attempts = 0;
    m.isRenewed = false;
  }
  return letter;
}

function lose(m: Lane, index: number, why: Loss, out: Effect[]): void {
  const letter = drop(m, index);
  m.lost += 1;
  out.push({ type: "lost", letter, why });
  if (m.lost === 1) out.push({ type: "losing", loss: why, why: m.lastWhy });
}

/** Sends the first letter that is not too old, if there is one. */
function next(m: Lane, now: Mono, out: Effect[]): void {
  m.at = { phase: "idle" };
  loseOld(m, now, out);
  const letter = m.queue[0];
  if (letter === undefined) return;
  send(m, letter, false, now, out);
}

function loseOld(m: Lane, now: Mono, out: Effect[]): void {
  for (;;) {
    const letter = m.queue[0];
    if (letter === undefined || now < after(letter.toldAt, m.config.ageMsMax)) return;
    lose(m, 0, "old", out);
  }
}

function send(m: Lane, letter: Letter, renew: boolean, now: Mono, out: Effect[]): void {
  m.at = { phase: "sending", until: after(now, m.config.answerMs) };
  out.push({ type: "send", letter, renew });
}

function answered(m: Lane, outcome: Outcome, now: Mono, out: Effect[]): void {
  if (m.at.phase !== "sending") return;
  switch (outcome.type) {
    case "sent": return delivered(m, now, out);
    case "denied": return denied(m, outcome.why, now, out);
    case "rejected": return rejected(m, outcome.why, now, out);
    case "later": return failed(m, outcome.counts, outcome.waitMs, outcome.why, now, out);
    default: return unreachable(outcome); /* c8 ignore next */
  }
}

function delivered(m: Lane, now: Mono, out: Effect[]): void {
  const { failures, lost } = m;
  out.push({ type: "sent", letter: drop(m, 0) });
  m.failures = 0;
  m.lost = 0;
  if (failures > 0 || lost > 0) out.push({ type: "recovered", failures, lost });
  next(m, now, out);
}

/** The host may hold a credential that was replaced: once for each letter, it is read again. */
function denied(m: Lane, why: string, now: Mono, out: Effect[]): void {
  if (m.isRenewed) return rejected(m, why, now, out);
  m.isRenewed = true;
  send(m, m.queue[0] as Letter, true, now, out);
}

function rejected(m: Lane, why: string, now: Mono, out: Effect[]): void {
  fail(m, why, out);
  lose(m, 0, "rejected", out);
  rest(m, 0, now);
}

function failed(
  m: Lane, counts: boolean, waitMs: number, why: string, now: Mono, out: Effect[],
): void {
  fail(m, why, out);
  if (counts) m.attempts += 1;
  if (m.attempts >= m.config.attemptsMax) lose(m, 0, "attempts", out);
  loseOld(m, now, out);
  rest(m, waitMs, now);
}

function fail(m: Lane, why: string, out: Effect[]): void {
  m.failures += 1;
  m.lastWhy = why;
  if (m.failures === 1) out.push({ type: "failing", why });
}

/** The target is left alone, for no shorter than it asks; the next letter waits too. */
function rest(m: Lane, waitMs: number, now: Mono): void {
  if (m.isClosing) return void (m.at = { phase: "stopped" });
  const ownMs = backoff.delayMs(m.config.backoff, m.failures - 1, m.rng);
  const askedUntil = after(now, waitMs < m.config.askedMsMax ? waitMs : m.config.askedMsMax);
  m.at = { phase: "resting", until: latest(after(now, ownMs), askedUntil), askedUntil };
}

function nudged(m: Lane, now: Mono): void {
  if (m.at.phase !== "resting") return;
  const { until, askedUntil } = m.at;
  const soon = latest(askedUntil, after(now, backoff.delayMs(m.config.backoff, 0, m.rng)));
  m.at = { phase: "resting", until: soonest(until, soon), askedUntil };
}

function latest(a: Mono, b: Mono): Mono {
  return a > b ? a : b;
}

function closing(m: Lane, now: Mono, out: Effect[]): void {
  m.isClosing = true;
  if (m.at.phase === "resting") next(m, now, out);
}

function tick(m: Lane, now: Mono, out: Effect[]): void {
  if (now < deadline(m)) return;
  if (m.at.phase === "resting") return next(m, now, out);
  assert(m.at.phase === "sending", "only attempts and waits have a deadline");
  out.push({ type: "abandon" });
  failed(m, true, 0, "timeout", now, out);
}
