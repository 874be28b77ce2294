/**
 * What is shown of a wallet and decides nothing: which wallet it is, and its balance.
 *
 * Rule 1: one question at a time: every `everyMs`, half of it more or less, which wallet it is and
 * then its balance. What gives no answer is left as it was, and grows old.
 * Rule 2: a program that is back may be another wallet's, and news may be of money: either is worth
 * a question within `soonMs`.
 * Not known here: whether it is the right one, which is for the guard to say.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Tick } from "../kernel/io.ts";
import * as prng from "../prng.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import type { Answer, Balance, Op } from "./wallet.ts";

export type Config = {
  /** In ms. 240,000. */
  readonly everyMs: number;
  /** To the first question, and to one that something gave reason for, in ms. 10,000. */
  readonly soonMs: number;
  /** An answer is waited for so long, in ms. 30,000. */
  readonly waitMs: number;
};

export const defaults: Config = { everyMs: 240_000, soonMs: 10_000, waitMs: 30_000 };

export type Event =
  | { readonly type: "started" | "stopped" | "nudged" }
  | { readonly type: "answered"; readonly token: number; readonly answer: Answer }
  | Tick;

/** One `answered` with this token must follow, unless it is stopped first. */
export type Effect = {
  readonly type: "call"; readonly token: number; readonly call: Op; readonly waitMs: number;
};

export type Books = {
  readonly config: Config;
  readonly chance: prng.Prng;
  isRunning: boolean;
  tokens: number;
  asking: "identity" | "balance" | undefined;
  askAt: Mono;
  fingerprint: string | undefined;
  balance: Balance | undefined;
  balanceAt: Mono;
};

/** Asks nothing until `started`. Asserts the ranges of `config`. */
export function create(config: Config, chance: prng.Prng): Books {
  assert(Number.isSafeInteger(config.everyMs) && config.everyMs >= 2, "books: an interval");
  assert(Number.isSafeInteger(config.soonMs) && config.soonMs >= 1, "books: soon");
  assert(Number.isSafeInteger(config.waitMs) && config.waitMs >= 1, "books: a wait");
  return {
    config, chance, isRunning: false, tokens: 0, asking: undefined, askAt: NEVER,
    fingerprint: undefined, balance: undefined, balanceAt: NEVER,
  };
}

/** Takes one event; answers to nothing change nothing. */
export function step(m: Books, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "started":
      if (m.isRunning) return;
      m.isRunning = true;
      m.askAt = after(now, prng.between(m.chance, 1, m.config.soonMs));
      return;
    case "stopped":
      m.isRunning = false;
      m.asking = undefined;
      m.askAt = NEVER;
      return;
    case "nudged":
      if (m.askAt === NEVER) return;
      m.askAt = soonest(m.askAt, after(now, prng.between(m.chance, 1, m.config.soonMs)));
      return;
    case "answered": return answered(m, event.token, event.answer, now, out);
    case "tick":
      if (now >= m.askAt) ask(m, "identity", out);
      return;
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When the next question is due. */
export function deadline(m: Books): Mono {
  return m.askAt;
}

function ask(m: Books, op: "identity" | "balance", out: Effect[]): void {
  m.tokens += 1;
  m.asking = op;
  m.askAt = NEVER;
  out.push({ type: "call", token: m.tokens, call: { op }, waitMs: m.config.waitMs });
}

function answered(m: Books, token: number, answer: Answer, now: Mono, out: Effect[]): void {
  if (m.asking === undefined || token !== m.tokens) return;
  const { asking } = m;
  m.asking = undefined;
  if (answer.ok && answer.done.op === "balance") {
    m.balance = answer.done.balance;
    m.balanceAt = now;
  } else if (answer.ok && answer.done.op === "identity") {
    m.fingerprint = answer.done.fingerprint ?? m.fingerprint;
  }
  if (asking === "identity" && answer.ok) return ask(m, "balance", out);
  const half = m.config.everyMs >> 1;
  m.askAt = after(now, half + prng.between(m.chance, 1, m.config.everyMs));
}
