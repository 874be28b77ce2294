/**
 * When the maker looks at its coins: at the start, every `intervalMs`, and soon after something
 * happened to them.
 *
 * A pass is: the backend is made ready, old blocks are searched if that was never finished or if
 * the operator wants it, the coins are listed.
 *
 * Rule 1: one pass at a time. Whatever asks during a pass is remembered, all of it as one, and gets
 * exactly one pass afterwards.
 * Rule 2: after activity the pass waits `deferMs`, so that a transaction can reach the mempool;
 * more activity postpones it, up to `deferMsMax` after the first. No activity is answered by a pass
 * that began earlier than `deferMs` after it.
 * Rule 3: a failure is told and retried, with growing waits; it lists nothing, and so takes no coin
 * away. What only takes time (a node that starts, a search of hours) is no failure: it is asked
 * again every `pollMs`, and its progress is told.
 * Rule 4: coins are listed only from a wallet that was searched to its end. The operator's wish to
 * search more than that is given up when a person would have to change something for it.
 * Rule 5: a pass ends by its answer, for which the backend vouches. One from which nothing was
 * heard for `lostMs` is given up all the same, so that no mistake elsewhere stops the watch.
 *
 * Knows neither servers nor what coins are for.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import { isPatient, needsPerson, unavailable } from "../chain/chain.ts";
import type {
  Answer, Coin, Found, Progress, Question, Reason, Tip, Unavailable,
} from "../chain/chain.ts";
import type { Fault } from "../fault.ts";
import type { Tick } from "../kernel/io.ts";
import { assertMove, type Transition } from "../kernel/phases.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";

/** Each at least 1 ms. */
export type Config = {
  /** From the end of a pass to the next. */
  readonly intervalMs: number;
  /** From activity to the pass that looks at it, and the longest that more activity postpones. */
  readonly deferMs: number;
  readonly deferMsMax: number;
  /** Between looks at something that takes its time. */
  readonly pollMs: number;
  /** The first wait after a failure, doubled with each, and the longest. */
  readonly retryMsMin: number;
  readonly retryMsMax: number;
  /** A step of a pass is called slow after this, once. */
  readonly slowMs: number;
  /** Longer than any request may take. */
  readonly lostMs: number;
};

export const defaults: Config = {
  intervalMs: 600_000, deferMs: 2_000, deferMsMax: 10_000, pollMs: 5_000,
  retryMsMin: 2_000, retryMsMax: 120_000, slowMs: 60_000, lostMs: 3_600_000,
};

export type Event =
  /** The daemon runs. Once. */
  | { readonly type: "started" }
  /** Something happened to our coins, or is about to. */
  | { readonly type: "active" }
  /** Look now: the operator asks, or the backend is back. */
  | { readonly type: "asked" }
  /** Search old blocks, then look; `fromHeight` as in the question "rescan". */
  | { readonly type: "search"; readonly fromHeight: number | undefined }
  | { readonly type: "answered"; readonly token: number; readonly answer: Answer }
  | { readonly type: "progress"; readonly token: number; readonly progress: Progress }
  | Tick;

export type Effect =
  | { readonly type: "ask"; readonly token: number; readonly question: Question }
  | { readonly type: "drop"; readonly token: number }
  /** A complete look. */
  | {
    readonly type: "listed"; readonly coins: readonly Coin[]; readonly tip: Tip;
    readonly foreign: number;
  }
  /** Nothing is known that was not known before; it is tried again in `retryMs`. */
  | {
    readonly type: "failed"; readonly reason: Reason; readonly fault: Fault;
    readonly failures: number; readonly retryMs: number;
  }
  /** The backend needs time, and gets it. */
  | { readonly type: "waiting"; readonly reason: Reason; readonly fault: Fault }
  | { readonly type: "progress"; readonly progress: Progress }
  /** A search of old blocks is over. */
  | { readonly type: "searched"; readonly fromHeight: number; readonly toHeight: number }
  | { readonly type: "slow"; readonly phase: Asking };

/** Phases in which a question is under way. */
export type Asking = "preparing" | "searching" | "listing" | "watching";

type At =
  | { readonly phase: "closed" }
  | { readonly phase: "idle"; readonly nextAt: Mono }
  | { readonly phase: Asking; readonly token: number; slowAt: Mono; lostAt: Mono }
  | { readonly phase: "waiting"; readonly until: Mono; readonly next: "pass" | "watch" };
export type PhaseName = At["phase"];

export const transitions: readonly Transition<PhaseName>[] = [
  { from: "closed", on: "started", to: "preparing", note: "the first pass" },
  { from: "idle", on: "due", to: "searching", note: "the operator wants it" },
  { from: "idle", on: "due", to: "listing", note: "all is ready" },
  { from: "preparing", on: "prepared", to: "searching", note: "old blocks were never searched" },
  { from: "preparing", on: "prepared", to: "listing", note: "all is ready" },
  { from: "searching", on: "searched", to: "listing", note: "the wallet is complete" },
  { from: "searching", on: "partly", to: "preparing", note: "is the wallet complete by now" },
  { from: "listing", on: "listed", to: "idle", note: "the pass is over" },
  { from: "preparing", on: "failed", to: "waiting", note: "tried again later" },
  { from: "searching", on: "failed", to: "waiting", note: "it goes on where it was" },
  { from: "listing", on: "failed", to: "waiting", note: "no coin is lost by that" },
  { from: "watching", on: "failed", to: "waiting", note: "tried again later" },
  { from: "watching", on: "searching", to: "waiting", note: "somebody searches old blocks" },
  { from: "watching", on: "over", to: "preparing", note: "nobody does any more" },
  { from: "waiting", on: "watch", to: "watching", note: "how far is the search" },
  { from: "waiting", on: "retry", to: "preparing", note: "the pass from its beginning" },
  { from: "waiting", on: "retry", to: "searching", note: "the tip had moved only" },
  { from: "waiting", on: "retry", to: "listing", note: "the tip had moved only" },
];

/** `fromHeight` is the operator's; `undefined`: what is left, which must be done. */
export type Search = { readonly fromHeight: number | undefined };

export type Rescan = {
  readonly config: Config;
  at: At;
  tokens: number;
  /** The wallet holds all descriptors, as far as we know. */
  isPrepared: boolean;
  /** Old blocks are to be searched; one object for each wish. */
  search: Search | undefined;
  /** The one that is under way. */
  searching: Search | undefined;
  /** Activity that no pass has looked at: the first and the last, and when it is looked at. */
  activeFirstAt: Mono;
  activeLastAt: Mono;
  deferAt: Mono;
  /** In a row. */
  failures: number;
};

/** A watch that has not begun. Asserts the relations of `config`. */
export function create(config: Config): Rescan {
  assert(config.intervalMs >= 1, "passes have an interval");
  assert(config.deferMs >= 1, "a pass comes after the activity");
  assert(config.deferMsMax >= config.deferMs, "activity postpones within bounds");
  assert(config.pollMs >= 1, "a look rests");
  assert(config.retryMsMin >= 1, "a retry waits");
  assert(config.retryMsMax >= config.retryMsMin, "waits grow");
  assert(config.slowMs >= 1, "a step takes its time");
  assert(config.lostMs > config.slowMs, "what is lost was slow before");
  return {
    config, at: { phase: "closed" }, tokens: 0, isPrepared: false, search: undefined,
    searching: undefined, activeFirstAt: NEVER, activeLastAt: NEVER, deferAt: NEVER, failures: 0,
  };
}

/** Takes one event; answers to questions that are not under way change nothing. */
export function step(m: Rescan, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "started":
      assert(m.at.phase === "closed", "a watch begins once");
      return begin(m, "started", now, out);
    case "active": return active(m, now);
    case "asked": return asked(m, now, out);
    case "search":
      m.search = { fromHeight: event.fromHeight };
      return asked(m, now, out);
    case "answered": return answered(m, event.token, event.answer, now, out);
    case "progress": return progressed(m, event.token, event.progress, now, out);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When the next pass is due, a wait is over, or a step is slow or lost. */
export function deadline(m: Rescan): Mono {
  const { at } = m;
  switch (at.phase) {
    case "closed": return NEVER;
    case "idle": return soonest(at.nextAt, m.deferAt);
    case "waiting": return at.until;
    case "preparing": case "searching": case "listing": case "watching":
      return soonest(at.slowAt, at.lostAt);
    default: return unreachable(at); /* c8 ignore next */
  }
}

function active(m: Rescan, now: Mono): void {
  const { deferMs, deferMsMax } = m.config;
  if (m.deferAt === NEVER) m.activeFirstAt = now;
  m.activeLastAt = now;
  m.deferAt = soonest(after(now, deferMs), after(m.activeFirstAt, deferMsMax));
}

/** Now, or right after what is under way. */
function asked(m: Rescan, now: Mono, out: Effect[]): void {
  const { phase } = m.at;
  if (phase === "idle") return begin(m, "due", now, out);
  if (phase === "waiting") return begin(m, "retry", now, out);
  if (m.deferAt > now) m.deferAt = now;
  if (m.activeFirstAt === NEVER) m.activeFirstAt = now;
}

/** A pass begins: it looks at all activity that is old enough; the rest stays for the next. */
function begin(m: Rescan, on: string, now: Mono, out: Effect[]): void {
  const isYoung = m.activeLastAt !== NEVER && after(m.activeLastAt, m.config.deferMs) > now;
  m.deferAt = isYoung ? after(m.activeLastAt, m.config.deferMs) : NEVER;
  m.activeFirstAt = isYoung ? m.activeLastAt : NEVER;
  if (!isYoung) m.activeLastAt = NEVER;
  if (!m.isPrepared) return ask(m, on, "preparing", { ask: "prepare" }, now, out);
  proceed(m, on, now, out);
}

function proceed(m: Rescan, on: string, now: Mono, out: Effect[]): void {
  if (m.search === undefined) return ask(m, on, "listing", { ask: "coins" }, now, out);
  const { fromHeight } = m.search;
  m.searching = m.search;
  ask(m, on, "searching", { ask: "rescan", fromHeight }, now, out);
}

function ask(
  m: Rescan, on: string, phase: Asking, question: Question, now: Mono, out: Effect[],
): void {
  const { slowMs, lostMs } = m.config;
  m.tokens += 1;
  move(m, on, { phase, token: m.tokens, slowAt: after(now, slowMs), lostAt: after(now, lostMs) });
  out.push({ type: "ask", token: m.tokens, question });
}

function progressed(
  m: Rescan, token: number, progress: Progress, now: Mono, out: Effect[],
): void {
  if (!("token" in m.at) || m.at.token !== token) return;
  m.at.lostAt = after(now, m.config.lostMs);
  out.push({ type: "progress", progress });
}

function answered(m: Rescan, token: number, answer: Answer, now: Mono, out: Effect[]): void {
  if (!("token" in m.at) || m.at.token !== token) return;
  if (answer.ok) return found(m, answer, now, out);
  assert(answer.why === "unavailable", "what a pass asks for is never absent");
  failed(m, answer, now, out);
}

function found(m: Rescan, answer: Found, now: Mono, out: Effect[]): void {
  switch (answer.ask) {
    case "prepare": {
      m.isPrepared = true;
      if (!answer.isScanned) m.search ??= { fromHeight: undefined };
      return proceed(m, "prepared", now, out);
    }
    case "rescan": {
      const { fromHeight, toHeight } = answer;
      out.push({ type: "searched", fromHeight, toHeight });
      return searched(m, now, out);
    }
    case "coins": return listed(m, answer, now, out);
    case "rescan-progress": return watched(m, answer.progress, now, out);
    case "tip": case "tx": case "address": return assert(false, "the answer to another question");
    default: return unreachable(answer); /* c8 ignore next */
  }
}

function searched(m: Rescan, now: Mono, out: Effect[]): void {
  const wasPart = m.searching?.fromHeight !== undefined;
  // A wish that came meanwhile is another object, and stays for the next pass.
  if (m.search === m.searching) m.search = undefined;
  m.searching = undefined;
  if (wasPart) return ask(m, "partly", "preparing", { ask: "prepare" }, now, out);
  ask(m, "searched", "listing", { ask: "coins" }, now, out);
}

function listed(
  m: Rescan, { coins, tip, foreign }: Extract<Found, { ask: "coins" }>, now: Mono, out: Effect[],
): void {
  m.failures = 0;
  move(m, "listed", { phase: "idle", nextAt: after(now, m.config.intervalMs) });
  out.push({ type: "listed", coins, tip, foreign });
  if (m.deferAt <= now || m.search !== undefined) begin(m, "due", now, out);
}

function watched(
  m: Rescan, progress: Progress | undefined, now: Mono, out: Effect[],
): void {
  if (progress === undefined) return begin(m, "over", now, out);
  out.push({ type: "progress", progress });
  const until = after(now, m.config.pollMs);
  move(m, "searching", { phase: "waiting", until, next: "watch" });
}

function failed(m: Rescan, answer: Unavailable, now: Mono, out: Effect[]): void {
  const { reason, fault } = answer;
  if (m.at.phase === "searching" && needsPerson(reason)) giveUpSearch(m);
  if (reason !== "unsettled") m.isPrepared = false;
  if (isPatient(reason)) {
    const next = reason === "rescanning" ? "watch" : "pass";
    move(m, "failed", { phase: "waiting", until: after(now, m.config.pollMs), next });
    return void out.push({ type: "waiting", reason, fault });
  }
  m.failures += 1;
  const retryMs = retryMsOf(m);
  move(m, "failed", { phase: "waiting", until: after(now, retryMs), next: "pass" });
  out.push({ type: "failed", reason, fault, failures: m.failures, retryMs });
}

function giveUpSearch(m: Rescan): void {
  const isWish = m.searching?.fromHeight !== undefined;
  if (isWish && m.search === m.searching) m.search = undefined;
  m.searching = undefined;
}

function retryMsOf(m: Rescan): number {
  const { retryMsMin, retryMsMax } = m.config;
  let ms = retryMsMin;
  for (let i = 1; i < m.failures && ms < retryMsMax; i += 1) ms *= 2;
  return ms < retryMsMax ? ms : retryMsMax;
}

function tick(m: Rescan, now: Mono, out: Effect[]): void {
  const { at } = m;
  if (now < deadline(m)) return;
  if (at.phase === "idle") return begin(m, "due", now, out);
  if (at.phase === "waiting") {
    if (at.next === "pass") return begin(m, "retry", now, out);
    return ask(m, "watch", "watching", { ask: "rescan-progress" }, now, out);
  }
  assert("token" in at, "only passes and waits have a deadline");
  if (now < at.lostAt) {
    at.slowAt = NEVER;
    return void out.push({ type: "slow", phase: at.phase });
  }
  out.push({ type: "drop", token: at.token });
  failed(m, unavailable("timeout", "rescan-lost", "nothing was heard of the pass"), now, out);
}

function move(m: Rescan, on: string, to: At): void {
  assertMove(transitions, m.at.phase, on, to.phase);
  m.at = to;
}
