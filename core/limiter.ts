/**
 * Token buckets: how often something may happen, for each key.
 *
 * Rule 1: a bucket is one number, the instant at which it will be full again (GCRA: the theoretical
 * arrival time of ITU-T I.371). Nothing has to be refilled, and a full bucket needs no entry.
 * Rule 2: the arithmetic is exact. Instants are scaled by `tokens`, so that a token is worth
 * `perMs` scaled units and nothing is ever rounded.
 * Rule 3: a key without an entry has its full burst. Whoever must not gain by being forgotten is
 * kept by the caller until `sweep` drops the full bucket by itself.
 * Rule 4: what is taken may cost any whole number of tokens, so that a bucket can count bytes as
 * well as lines. What costs more than the burst never fits.
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
/**
 * The largest product of `burst` and `perMs` of a rate in lowest terms: what a full burst is worth
 * in scaled units. A million tokens at one a day, or a hundred million at one every 864 seconds.
 */
export const spentMax = 1_000_000 * perMsMax;

/**
 * The largest scaled instant; a full burst beyond it is still a safe integer. A rate of `tokensMax`
 * reaches it after 2.8 years of uptime, any default rate after more than 5,000 years.
 */
const scaledMax = Number.MAX_SAFE_INTEGER - spentMax;

/** Can buckets of this rate be counted exactly? All three are whole, at least 1, and in range. */
export function accepts(rate: Rate): boolean {
  const { tokens, perMs, burst } = rate;
  if (!isCount(tokens) || !isCount(perMs) || !isCount(burst)) return false;
  const l = lowest(rate);
  return l.tokens <= tokensMax && l.perMs <= perMsMax && l.burst * l.perMs <= spentMax;
}

/** A limiter without entries. Asserts what `accepts` asks for. */
export function create(rate: Rate): Limiter {
  return { rate: checked(rate), tats: new Map() };
}

/**
 * Takes `cost` tokens (whole, at least 1) of `key` at `now` (ms, never earlier than before), or
 * takes none and answers false.
 */
export function take(l: Limiter, key: number, now: number, cost = 1): boolean {
  assert(Number.isInteger(cost), "a cost is a whole number of tokens");
  assert(cost >= 1, "a cost is at least one token");
  const { tokens, perMs, burst } = l.rate;
  const scaled = scale(now, tokens);
  // Beyond the burst the product below need not be exact any more.
  if (cost > burst) return false;
  const tat = l.tats.get(key);
  const next = (tat === undefined || tat < scaled ? scaled : tat) + cost * perMs;
  if (next - scaled > burst * perMs) return false;
  l.tats.set(key, next);
  return true;
}

/** Undoes a `take` of the same key, instant and cost, as if it had been refused. */
export function refund(l: Limiter, key: number, now: number, cost = 1): void {
  const { tokens, perMs } = l.rate;
  const tat = l.tats.get(key);
  assert(tat !== undefined, "a refund of what was not taken");
  const before = tat - cost * perMs;
  const scaled = scale(now, tokens);
  assert(before >= scaled, "a refund of more than was taken");
  if (before > scaled) l.tats.set(key, before);
  else l.tats.delete(key);
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
  const next = checked(rate);
  const scaledBefore = scale(now, before.tokens);
  const scaledNext = scale(now, next.tokens);
  for (const [key, tat] of l.tats) {
    const spent = convert(tat - scaledBefore, before.perMs, next);
    if (spent <= 0) l.tats.delete(key);
    else l.tats.set(key, scaledNext + spent);
  }
  l.rate = next;
}

/** Drops the entries of buckets that are full at `now`, which changes no answer. */
export function sweep(l: Limiter, now: number): void {
  const scaled = scale(now, l.rate.tokens);
  for (const [key, tat] of l.tats) if (tat <= scaled) l.tats.delete(key);
}

/**
 * `spent` units, `from` to a token, as units of the rate `to`; rounded up, at most its burst, all
 * products safe.
 */
function convert(spent: number, from: number, to: Rate): number {
  if (spent <= 0) return 0;
  const rest = spent % from;
  const whole = (spent - rest) / from;
  const full = to.burst * to.perMs;
  if (whole >= to.burst) return full;
  const scaledRest = rest * to.perMs;
  const over = scaledRest % from;
  const part = (scaledRest - over) / from + (over > 0 ? 1 : 0);
  return least(whole * to.perMs + part, full);
}

function scale(now: number, tokens: number): number {
  const scaled = now * tokens;
  assert(scaled >= 0, "negative instant");
  assert(scaled <= scaledMax, "the uptime exceeds what this rate can count");
  return scaled;
}

function checked(rate: Rate): Rate {
  const { tokens, perMs, burst } = rate;
  assert(accepts(rate), `rate out of range: ${tokens} per ${perMs} ms, burst ${burst}`);
  return lowest(rate);
}

function lowest(rate: Rate): Rate {
  const divisor = commonDivisor(rate.tokens, rate.perMs);
  return { tokens: rate.tokens / divisor, perMs: rate.perMs / divisor, burst: rate.burst };
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

function commonDivisor(a: number, b: number): number {
  let [larger, smaller] = [a, b];
  while (smaller > 0) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}

function least(a: number, b: number): number {
  return a < b ? a : b;
}
