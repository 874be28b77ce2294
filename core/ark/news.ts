/**
 * Listens for news of one wallet by a long poll, and wakes whoever acts on them.
 *
 * Rule 1: one question at a time, each from where the answer before ended. That something happened
 * is all that is told: what, is read anew.
 * Rule 2: between two questions lies `gapMs` at least, whatever the answers are; after failures
 * more and more. After an answer without news it is `calmMs`: what comes meanwhile is in the next
 * one. A backend without this call is asked again after `restMs`.
 * Rule 3: that the program is back is worth a question, which still keeps the gap.
 * Rule 4: news are a convenience. Nothing depends on them, and a failure is nobody's evidence here.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import * as backoff from "../backoff.ts";
import type { Tick } from "../kernel/io.ts";
import * as prng from "../prng.ts";
import { after, mono, NEVER, soonest, type Mono } from "../time.ts";
import type { Answer, Op } from "./wallet.ts";

export type Config = {
  /** Longer than the wallet's program holds the question back, in ms. 60,000. */
  readonly waitMs: number;
  /** From an answer to the next question, in ms. 1,000. */
  readonly gapMs: number;
  /** Where there were no news, in ms; not below `gapMs`. 60,000. */
  readonly calmMs: number;
  /** After failures. From 1 s to 2 min, doubling. */
  readonly retry: backoff.Config;
  /** After `unsupported`, in ms. 3,600,000. */
  readonly restMs: number;
};

export const defaults: Config = {
  waitMs: 60_000, gapMs: 1_000, calmMs: 60_000, restMs: 3_600_000,
  retry: { baseMs: 1_000, maxMs: 120_000, times: 2, per: 1 },
};

export type Event =
  | { readonly type: "started" | "stopped" }
  /** The program answers again. */
  | { readonly type: "back" }
  | { readonly type: "answered"; readonly token: number; readonly answer: Answer }
  | Tick;

export type Effect =
  /** One `answered` with this token must follow, unless it is stopped first. */
  | {
    readonly type: "call"; readonly token: number; readonly call: Op; readonly waitMs: number;
  }
  /** Something happened in the wallet. */
  | { readonly type: "news" };

export type News = {
  readonly config: Config;
  readonly chance: prng.Prng;
  isRunning: boolean;
  /** The number of the last question; whether it is under way. */
  tokens: number;
  isAsking: boolean;
  askAt: Mono;
  /** Not before. */
  openAt: Mono;
  since: string | undefined;
  failures: number;
};

/** Asks nothing until `started`. Asserts the ranges of `config`. */
export function create(config: Config, chance: prng.Prng): News {
  backoff.check(config.retry);
  for (const ms of [config.waitMs, config.gapMs, config.calmMs, config.restMs]) {
    assert(Number.isSafeInteger(ms), "news: whole milliseconds");
    assert(ms >= 1, "news: at least 1 ms");
  }
  assert(config.calmMs >= config.gapMs, "news: calm is no hurry");
  return {
    config, chance, isRunning: false, tokens: 0, isAsking: false, askAt: NEVER, openAt: mono(0),
    since: undefined, failures: 0,
  };
}

/** Takes one event; answers to nothing change nothing. */
export function step(m: News, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "started":
      if (m.isRunning) return;
      m.isRunning = true;
      m.askAt = after(now, prng.between(m.chance, 1, m.config.gapMs));
      return;
    case "stopped":
      m.isRunning = false;
      m.isAsking = false;
      m.askAt = NEVER;
      return;
    case "back": return back(m, now);
    case "answered": return answered(m, event.token, event.answer, now, out);
    case "tick":
      if (now >= m.askAt) ask(m, out);
      return;
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When the next question is due. */
export function deadline(m: News): Mono {
  return m.askAt;
}

function back(m: News, now: Mono): void {
  m.failures = 0;
  if (m.askAt === NEVER) return;
  const soonAt = after(m.openAt > now ? m.openAt : now, prng.between(m.chance, 1, m.config.gapMs));
  m.askAt = soonest(m.askAt, soonAt);
}

function ask(m: News, out: Effect[]): void {
  m.tokens += 1;
  m.isAsking = true;
  m.askAt = NEVER;
  const call = { op: "notifications", since: m.since } as const;
  out.push({ type: "call", token: m.tokens, call, waitMs: m.config.waitMs });
}

function answered(m: News, token: number, answer: Answer, now: Mono, out: Effect[]): void {
  if (!m.isAsking || token !== m.tokens) return;
  m.isAsking = false;
  m.openAt = after(now, m.config.gapMs);
  m.askAt = after(now, waitMs(m, answer));
  if (!answer.ok || answer.done.op !== "notifications") return;
  m.since = answer.done.last ?? m.since;
  if (answer.done.news.length > 0) out.push({ type: "news" });
}

function waitMs(m: News, answer: Answer): number {
  const { gapMs, restMs, retry } = m.config;
  if (answer.ok) {
    m.failures = 0;
    const isCalm = answer.done.op === "notifications" && answer.done.news.length === 0;
    return isCalm ? m.config.calmMs : gapMs;
  }
  if (answer.why === "unsupported") return restMs;
  // What it was asked from may be what it does not take.
  if (answer.why !== "unavailable") m.since = undefined;
  const ms = backoff.delayMs(retry, m.failures, m.chance);
  m.failures += 1;
  return ms > gapMs ? ms : gapMs;
}
