/**
 * How long to wait before the next try: growing, capped, with jitter.
 *
 * Rule 1: the wait after `n` failures before this one lies between half of
 * `min(maxMs, baseMs * growth^n)` and all of it, both included. It is never 0, so that nothing that
 * fails at once is tried in a circle, and it is finite for every `n`.
 * Rule 2: whole milliseconds only; each growth is rounded down.
 * Rule 3: jitter is drawn from the caller's stream, so that many that failed together do not come
 * back together.
 * Not known here: what failed, and what counts as success.
 * @module
 */
import { assert } from "./assert.ts";
import * as prng from "./prng.ts";

export type Config = {
  /** The longest first wait, in ms. */
  readonly baseMs: number;
  /** No wait is longer, in ms; at most a day. */
  readonly maxMs: number;
  /** Each wait is `times / per` of the one before: 2 and 1 double it. */
  readonly times: number;
  readonly per: number;
};

/** The longest wait that can be asked for: one day. */
export const waitMsMax = 86_400_000;
const growthMax = 1_000;

/** The shortest and the longest wait that may be drawn, both included. */
export type Range = { readonly lowMs: number; readonly highMs: number };

/** Asserts that `c` grows, and that nothing in it overflows. */
export function check(c: Config): void {
  const { baseMs, maxMs, times, per } = c;
  for (const n of [baseMs, maxMs, times, per]) assert(Number.isSafeInteger(n), "backoff: integers");
  assert(baseMs >= 1, "backoff: a wait is at least 1 ms");
  assert(maxMs >= baseMs, "backoff: the cap is not below the base");
  assert(maxMs <= waitMsMax, "backoff: the cap is at most a day");
  assert(per >= 1, "backoff: growth has a divisor");
  assert(times <= growthMax, "backoff: growth is moderate");
  const isFlat = baseMs === maxMs;
  assert(isFlat || grown(c, baseMs) > baseMs, "backoff: waits grow");
}

/** What may be drawn after `n` (0 or more) failures in a row before this one. */
export function range(c: Config, n: number): Range {
  assert(Number.isSafeInteger(n), "backoff: a whole number of failures");
  assert(n >= 0, "backoff: a negative number of failures");
  let ms = c.baseMs;
  for (let i = 0; i < n && ms < c.maxMs; i += 1) ms = grown(c, ms);
  const highMs = ms < c.maxMs ? ms : c.maxMs;
  return { lowMs: highMs - (highMs >> 1), highMs };
}

/** Draws the wait after `n` failures in a row before this one. */
export function delayMs(c: Config, n: number, p: prng.Prng): number {
  const { lowMs, highMs } = range(c, n);
  return prng.between(p, lowMs, highMs);
}

function grown(c: Config, ms: number): number {
  const product = ms * c.times;
  return (product - (product % c.per)) / c.per;
}
