/**
 * Keeps one subscription open: tries, proof of health, and the wait before the next try.
 *
 * Rule 1: one subscription at a time. What comes for a former one is not heard.
 * Rule 2: a session is healthy when it has lasted `healthyMs` and, if the policy asks for it, has
 * brought something new. Its time counts from where `timedFrom` says: counted from the try, a slow
 * failure looks like health; so by default it counts from the open stream.
 * Rule 3: what the server repeats on every subscription is nothing new. Only a healthy session
 * makes the waits short again.
 * Rule 4: tries are apart by the wait that the policy draws, however the server ends them; whoever
 * knows of news can hurry one try, at most once in `hurryGapMs`.
 * Rule 5: a subscription that does not open in `openMs`, or is silent for `silentMs`, is closed.
 * Not known here: what the items mean.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Tick } from "../kernel/io.ts";
import type * as prng from "../prng.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import type { Out } from "./lane.ts";
import * as pause from "./pause.ts";

export type Config = {
  /** From the start to the first try. */
  readonly first: pause.Rest;
  /** A try without an outcome is given up after so many ms. */
  readonly openMs: number;
  /** An open stream without an item is closed after so many ms; 0: never. */
  readonly silentMs: number;
  readonly healthyMs: number;
  readonly timedFrom: "try" | "open";
  readonly proof: "time" | "time-and-news";
  /** After a healthy session: a new try in the same instant, or the first of the waits. */
  readonly afterHealthy: "at-once" | "wait";
  /** Does an error end a healthy session as a clean end does? */
  readonly canErrorBeHealthy: boolean;
  /** So many short sessions in a row that ended cleanly are followed by a try at once. */
  readonly atOnceMax: number;
  /** Items that make the count of short sessions and failures begin anew: `any` is a hazard. */
  readonly resetBy: "health" | "any-item";
  readonly wait: pause.Wait;
  /** `connected`: no try begins after a wait unless the server counts as connected. */
  readonly gate: "none" | "connected";
  /** Between tries that are hurried; 0: none is. */
  readonly hurryGapMs: number;
};

/** `refused`: it never opened. The last two are found here. */
export type Why = "clean" | "error" | "refused" | "silent" | "no-answer";

export type Event =
  | { readonly type: "started" }
  | { readonly type: "connected"; readonly isConnected: boolean }
  | { readonly type: "subscribed"; readonly token: number }
  /** `isNews`: not what the server repeats for every subscriber. */
  | { readonly type: "item"; readonly token: number; readonly isNews: boolean }
  | { readonly type: "ended"; readonly token: number; readonly why: "clean" | "error" | "refused" }
  /** The server seems to be back. */
  | { readonly type: "hurried" }
  /** Nothing may be asked of the server, or may again. */
  | { readonly type: "barred"; readonly isBarred: boolean }
  /** `finishing`: a try that is under way may come to its outcome first. */
  | { readonly type: "stopped" | "finishing" }
  | Tick;

export type Effect =
  | { readonly type: "subscribe"; readonly token: number }
  | { readonly type: "close"; readonly token: number }
  | { readonly type: "opened" }
  /** Something new on an open stream. */
  | { readonly type: "news" }
  /** The session is over; `retryMs`: to the next try. */
  | {
    readonly type: "over"; readonly why: Why; readonly isHealthy: boolean;
    readonly openMs: number; readonly failures: number; readonly retryMs: number;
  };

type At =
  | { readonly phase: "fresh" | "stopped" }
  | { readonly phase: "waiting"; dueAt: Mono }
  | { readonly phase: "opening"; readonly triedAt: Mono }
  | { readonly phase: "open"; readonly triedAt: Mono; readonly openAt: Mono; heardAt: Mono };

export type Stream = {
  readonly config: Config;
  readonly jitter: prng.Prng;
  /** Tries ever made: the number of the last one. */
  tokens: number;
  at: At;
  /** Without a healthy session between them. */
  failures: number;
  atOnce: number;
  hasNews: boolean;
  isConnected: boolean;
  isBarred: boolean;
  /** No try after this one. */
  isLast: boolean;
  hurriedAt: Mono | undefined;
};

/** Asserts the ranges of `c`. */
export function check(c: Config): void {
  pause.checkRest(c.first, 0, "stream: first");
  pause.checkWait(c.wait, 1, "stream: wait");
  for (const ms of [c.openMs, c.healthyMs]) {
    assert(Number.isSafeInteger(ms), "stream: whole milliseconds");
    assert(ms >= 1, "stream: at least 1 ms");
  }
  assert(c.silentMs >= 0, "stream: no negative silence");
  assert(c.atOnceMax >= 0, "stream: no negative count");
  assert(c.hurryGapMs >= 0, "stream: no negative gap");
}

/** A stream that is not subscribed to until `started`; `jitter` is a stream of its own. */
export function create(config: Config, jitter: prng.Prng): Stream {
  check(config);
  return {
    config, jitter, tokens: 0, at: { phase: "fresh" }, failures: 0, atOnce: 0, hasNews: false,
    isConnected: false, isBarred: false, isLast: false, hurriedAt: undefined,
  };
}

export function step(m: Stream, event: Event, now: Mono, out: Out<Effect>): void {
  switch (event.type) {
    case "started": return started(m, now, out);
    case "connected": return void (m.isConnected = event.isConnected);
    case "subscribed": return subscribed(m, event.token, now, out);
    case "item": return heard(m, event.token, event.isNews, now, out);
    case "ended": return ended(m, event.token, event.why, now, out);
    case "hurried": return hurried(m, now, out);
    case "barred": return barred(m, event.isBarred, now, out);
    case "stopped": return stopped(m, out);
    case "finishing":
      m.isLast = m.at.phase === "opening";
      return m.isLast ? undefined : stopped(m, out);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When a try is due, or a session is given up. */
export function deadline(m: Stream): Mono {
  const { at, config } = m;
  switch (at.phase) {
    case "fresh": case "stopped": return NEVER;
    case "waiting": return at.dueAt;
    case "opening": return after(at.triedAt, config.openMs);
    case "open": return config.silentMs === 0 ? NEVER : after(at.heardAt, config.silentMs);
    default: return unreachable(at); /* c8 ignore next */
  }
}

export function isOpen(m: Stream): boolean {
  return m.at.phase === "open";
}

/** Does `token` name the subscription that is tried or open? */
export function isCurrent(m: Stream, token: number): boolean {
  return token === m.tokens && (m.at.phase === "opening" || m.at.phase === "open");
}

function started(m: Stream, now: Mono, out: Out<Effect>): void {
  assert(m.at.phase === "fresh", "stream: started once");
  const waitMs = pause.restMs(m.config.first, m.jitter);
  m.at = { phase: "waiting", dueAt: after(now, waitMs) };
  if (waitMs === 0) attempt(m, now, out);
}

/** The wait is over: a try, or another wait where the gate is closed. */
function attempt(m: Stream, now: Mono, out: Out<Effect>): void {
  if (m.config.gate === "connected" && !m.isConnected) {
    const waitMs = pause.waitMs(m.config.wait, m.failures, m.jitter);
    m.at = { phase: "waiting", dueAt: after(now, waitMs) };
    return;
  }
  subscribe(m, now, out);
}

function subscribe(m: Stream, now: Mono, out: Out<Effect>): void {
  m.tokens += 1;
  m.hasNews = false;
  m.at = { phase: "opening", triedAt: now };
  out.push({ type: "subscribe", token: m.tokens });
}

function subscribed(m: Stream, token: number, now: Mono, out: Out<Effect>): void {
  if (token !== m.tokens || m.at.phase !== "opening") return;
  m.at = { phase: "open", triedAt: m.at.triedAt, openAt: now, heardAt: now };
  out.push({ type: "opened" });
  if (m.isLast) stopped(m, out);
}

function heard(m: Stream, token: number, isNews: boolean, now: Mono, out: Out<Effect>): void {
  if (token !== m.tokens || m.at.phase !== "open") return;
  m.at.heardAt = now;
  if (isNews) {
    m.hasNews = true;
    out.push({ type: "news" });
  }
  if (m.config.resetBy === "any-item") reset(m);
  else if (isHealthy(m, now)) reset(m);
}

function reset(m: Stream): void {
  m.failures = 0;
  m.atOnce = 0;
}

/** Rule 2. */
function isHealthy(m: Stream, now: Mono): boolean {
  const { timedFrom, healthyMs, proof } = m.config;
  const { at } = m;
  if (at.phase !== "open" && at.phase !== "opening") return false;
  if (timedFrom === "open" && at.phase !== "open") return false;
  const from = timedFrom === "try" || at.phase === "opening" ? at.triedAt : at.openAt;
  return now - from >= healthyMs && (proof === "time" || m.hasNews);
}

function ended(
  m: Stream, token: number, why: "clean" | "error" | "refused", now: Mono, out: Out<Effect>,
): void {
  if (!isCurrent(m, token)) return;
  over(m, why, now, out);
}

function over(m: Stream, why: Why, now: Mono, out: Out<Effect>): void {
  const openMs = m.at.phase === "open" ? now - m.at.openAt : 0;
  const isClean = why === "clean" && m.at.phase === "open";
  const isGood = isHealthy(m, now) && (isClean || m.config.canErrorBeHealthy);
  if (isGood) reset(m);
  const { failures } = m;
  const isAtOnce = m.isLast ? false : isGood ? m.config.afterHealthy === "at-once"
    : isClean && m.atOnce < m.config.atOnceMax;
  if (!isGood && isAtOnce) m.atOnce += 1;
  if (!isAtOnce) m.atOnce = 0;
  const retryMs = isAtOnce ? 0 : pause.waitMs(m.config.wait, failures, m.jitter);
  if (!isGood) m.failures += 1;
  out.push({ type: "over", why, isHealthy: isGood, openMs, failures: m.failures, retryMs });
  if (m.isLast) return void (m.at = { phase: "stopped" });
  if (isAtOnce) return subscribe(m, now, out);
  m.at = { phase: "waiting", dueAt: after(now, retryMs) };
}

function hurried(m: Stream, now: Mono, out: Out<Effect>): void {
  const { hurryGapMs } = m.config;
  if (hurryGapMs === 0 || m.isBarred || m.at.phase !== "waiting") return;
  if (m.hurriedAt !== undefined && now < after(m.hurriedAt, hurryGapMs)) return;
  m.hurriedAt = now;
  // The first of the waits, so that many wallets do not come in the same instant.
  m.at.dueAt = soonest(m.at.dueAt, after(now, pause.waitMs(m.config.wait, 0, m.jitter)));
  tick(m, now, out);
}

function tick(m: Stream, now: Mono, out: Out<Effect>): void {
  if (now < deadline(m)) return;
  if (m.at.phase === "waiting") return attempt(m, now, out);
  out.push({ type: "close", token: m.tokens });
  over(m, m.at.phase === "open" ? "silent" : "no-answer", now, out);
}

function barred(m: Stream, isBarred: boolean, now: Mono, out: Out<Effect>): void {
  if (m.isBarred === isBarred || m.at.phase === "fresh" || m.at.phase === "stopped") return;
  m.isBarred = isBarred;
  if (m.at.phase !== "waiting") out.push({ type: "close", token: m.tokens });
  const waitMs = pause.waitMs(m.config.wait, 0, m.jitter);
  m.at = { phase: "waiting", dueAt: isBarred ? NEVER : after(now, waitMs) };
}

function stopped(m: Stream, out: Out<Effect>): void {
  if (m.at.phase === "opening" || m.at.phase === "open") {
    out.push({ type: "close", token: m.tokens });
  }
  m.at = { phase: "stopped" };
}
