/**
 * Token buckets: how often something may happen, for each key.
 *
 * Rule 1: a bucket is one number, the instant at which it will be full again (GCRA: the theoretical
 * arrival time of ITU-T I.371). Nothing has to be refilled, and a full bucket needs no entry.
 * Rule 2: the arithmetic is exact. Instants are scaled by `tokens`, so that a token is worth
 * `perMs` scaled units and nothing is ever rounded.
 * Rule 3: a key without an entry has its full burst. Whoever must not gain by being forgotten is
 * kept by the caller until `sweep` drops the full bucket by itself.
 *
 * Knows nothing of what a key names or what a refusal means.
 * @module
 */
import { assert } from "./assert.ts";
import type { Rate } from "./directory/config.ts";

export type Limiter = {
  /** In lowest terms: 200 per 1,000 ms is kept as 1 per 5 ms. */
  rate: Rate;
  /** Key to the scaled instant (milliseconds times `rate.tokens`) at which its bucket is full. */
  readonly tats: Map<number, number>;
};

/** The largest `tokens` of a rate in lowest terms. */
export const tokensMax = 100_000;
/** The longest `perMs` of a rate in lowest terms: one day. */
export const perMsMax = 86_400_000;
/** The largest burst, in tokens. */
export const burstMax = 1_000_000;

/**
 * The largest scaled instant; a full burst beyond it is still a safe integer. A rate of `tokensMax`
 * reaches it after 2.8 years of uptime, any default rate after more than 5,000 years.
 */
const scaledMax = Number.MAX_SAFE_INTEGER - burstMax * perMsMax;

/** A limiter without entries. Asserts 1..`tokensMax`, 1..`perMsMax` and 1..`burstMax`. */
export function create(rate: Rate): Limiter {
  return { rate: lowest(rate), tats: new Map() };
}

/** Takes one token of `key` at `now` (ms, never earlier than before), or answers false. */
export function take(l: Limiter, key: number, now: number): boolean {
  const { tokens, perMs, burst } = l.rate;
  const scaled = scale(now, tokens);
  const tat = l.tats.get(key);
  const next = (tat === undefined || tat < scaled ? scaled : tat) + perMs;
  if (next - scaled > burst * perMs) return false;
  l.tats.set(key, next);
  return true;
}

/** The bucket of `key` is full again. */
export function forget(l: Limiter, key: number): void {
  l.tats.delete(key);
}

/**
 * Another rate from `now` on. What a key has spent stays spent, counted in tokens and rounded up,
 * but no more than the new burst; so a reload hands out no fresh bursts.
 */
export function setRate(l: Limiter, rate: Rate, now: number): void {
  const before = l.rate;
  const next = lowest(rate);
  const scaledBefore = scale(now, before.tokens);
  const scaledNext = scale(now, next.tokens);
  for (const [key, tat] of l.tats) {
    const spent = convert(tat - scaledBefore, before.perMs, next.perMs);
    if (spent <= 0) l.tats.delete(key);
    else l.tats.set(key, scaledNext + least(spent, next.burst * next.perMs));
  }
  l.rate = next;
}

/** Drops the entries of buckets that are full at `now`, which changes no answer. */
export function sweep(l: Limiter, now: number): void {
  const scaled = scale(now, l.rate.tokens);
  for (const [key, tat] of l.tats) if (tat <= scaled) l.tats.delete(key);
}

/** `spent` units, `from` to a token, as units, `to` to a token; rounded up, all products safe. */
function convert(spent: number, from: number, to: number): number {
  if (spent <= 0) return 0;
  const rest = spent % from;
  const whole = (spent - rest) / from;
  const scaledRest = rest * to;
  const over = scaledRest % from;
  const part = (scaledRest - over) / from + (over > 0 ? 1 : 0);
  return whole * to + part;
}

function scale(now: number, tokens: number): number {
  const scaled = now * tokens;
  assert(scaled >= 0, "negative instant");
  assert(scaled <= scaledMax, "the uptime exceeds what this rate can count");
  return scaled;
}

function lowest(rate: Rate): Rate {
  assertWhole(rate.tokens, "tokens");
  assertWhole(rate.perMs, "perMs");
  assertWhole(rate.burst, "burst");
  const divisor = commonDivisor(rate.tokens, rate.perMs);
  const tokens = rate.tokens / divisor;
  const perMs = rate.perMs / divisor;
  assert(tokens <= tokensMax, "rate: too many tokens");
  assert(perMs <= perMsMax, "rate: perMs is longer than a day");
  assert(rate.burst <= burstMax, "rate: burst too large");
  return { tokens, perMs, burst: rate.burst };
}

function assertWhole(value: number, name: string): void {
  assert(Number.isSafeInteger(value), `rate: ${name} is not a whole number`);
  assert(value >= 1, `rate: ${name} must be at least 1`);
}

function commonDivisor(a: number, b: number): number {
  let [larger, smaller] = [a, b];
  while (smaller > 0) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}

function least(a: number, b: number): number {
  return a < b ? a : b;
}
