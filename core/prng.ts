/**
 * A seeded generator, split by purpose: for jitter, order and simulation, never for secrets.
 *
 * Rule 1: a stream is named by a key and labels. One more draw in one stream moves nothing in any
 * other, and streams need not be made in a fixed order.
 * Rule 2: 32-bit integer arithmetic only, so that every engine draws the same. The mapping from
 * seed to draws is part of the format of kept scenarios; a golden vector in the tests holds it.
 * The generator is sfc32 (Chris Doty-Humphrey's small fast counting generator, 128 bits of state).
 * @module
 */
import { assert } from "./assert.ts";

/** What streams are derived from; 128 bits. */
export type Key = {
  readonly a: number; readonly b: number; readonly c: number; readonly d: number;
};

/** One stream. Mutated by every draw; it has one owner. */
export type Prng = { a: number; b: number; c: number; d: number };

/** The key of a text, such as a seed as it is typed. */
export function key(text: string): Key {
  return derive({ a: 0x9e3779b9, b: 0x243f6a88, c: 0xb7e15162, d: 0x5bf03635 }, text);
}

/** A key for one purpose. Labels are texts or whole numbers; `1` and `"1"` differ. */
export function derive(from: Key, ...labels: readonly (string | number)[]): Key {
  const s: Prng = { a: from.a | 0, b: from.b | 0, c: from.c | 0, d: from.d | 0 };
  for (const label of labels) {
    if (typeof label === "number") absorbNumber(s, label);
    else absorbText(s, label);
  }
  return s;
}

function absorbNumber(s: Prng, value: number): void {
  assert(Number.isSafeInteger(value), "a label is a whole number");
  absorb(s, 0x6e);
  absorb(s, value | 0);
  absorb(s, Math.floor(value / 0x1_0000_0000) | 0);
}

function absorbText(s: Prng, value: string): void {
  absorb(s, 0x74 ^ (value.length << 8));
  for (let i = 0; i < value.length; i += 1) absorb(s, value.charCodeAt(i));
}

/** A permutation of the state for each word. */
function absorb(s: Prng, word: number): void {
  s.a = Math.imul(s.a ^ word, 0x85ebca6b);
  s.a ^= s.a >>> 13;
  s.b = Math.imul((s.b + s.a) | 0, 0xc2b2ae35);
  s.b ^= s.b >>> 16;
  s.c = Math.imul(s.c ^ s.b, 0x27d4eb2f);
  s.c ^= s.c >>> 15;
  s.d = Math.imul((s.d + s.c) | 0, 0x165667b1);
  s.d ^= s.d >>> 14;
  s.a = (s.a + ((s.d << 11) | (s.d >>> 21))) | 0;
}

/** The stream of a key and labels. */
export function stream(from: Key, ...labels: readonly (string | number)[]): Prng {
  const { a, b, c, d } = derive(from, ...labels);
  const p: Prng = { a, b, c, d };
  for (let i = 0; i < 12; i += 1) u32(p);
  return p;
}

/** The next 32 bits, 0 to 2^32 - 1. */
export function u32(p: Prng): number {
  const t = (p.a + p.b + p.d) | 0;
  p.d = (p.d + 1) | 0;
  p.a = p.b ^ (p.b >>> 9);
  p.b = (p.c + (p.c << 3)) | 0;
  p.c = ((p.c << 21) | (p.c >>> 11)) + t | 0;
  return t >>> 0;
}

/** A whole number from 0 to `n - 1`, each as likely; `n` from 1 to 2^32. */
export function below(p: Prng, n: number): number {
  assert(Number.isSafeInteger(n), "below: a whole number");
  if (n < 1 || n > 0x1_0000_0000) outOfRange("below", n);
  let draw = u32(p);
  // Nearly every draw is below this, and so below the exact bound, which costs a division.
  if (draw < 0x1_0000_0000 - n) return draw % n;
  const fair = 0x1_0000_0000 - (0x1_0000_0000 % n);
  while (draw >= fair) draw = u32(p);
  return draw % n;
}

// Not within those who draw: compilers may make the text with every draw.
function outOfRange(who: string, n: number): never {
  assert(false, `${who}: ${n} is out of range`);
}

/** A whole number from `low` to `high`, both included; at most 2^32 apart. */
export function between(p: Prng, low: number, high: number): number {
  return low + below(p, high - low + 1);
}

/** True `parts` times out of `whole`. */
export function chance(p: Prng, parts: number, whole: number): boolean {
  return below(p, whole) < parts;
}

/** One of a list that is not empty. */
export function pick<T>(p: Prng, list: readonly T[]): T {
  return list[below(p, list.length)] as T;
}

/** The same items in another order. */
export function shuffled<T>(p: Prng, list: readonly T[]): T[] {
  const out = list.slice();
  for (let i = out.length - 1; i > 0; i -= 1) {
    const j = below(p, i + 1);
    const item = out[i] as T;
    out[i] = out[j] as T;
    out[j] = item;
  }
  return out;
}

/** `count` bytes. */
export function bytes(p: Prng, count: number): Uint8Array {
  const out = new Uint8Array(count);
  for (let i = 0; i < count; i += 1) out[i] = u32(p) & 0xff;
  return out;
}

const meanMax = 0x400_0000;

/**
 * A whole number with a long tail: about `mean` on average, most below it, at most `16 * mean`,
 * which is at most 2^30.
 * Geometric in halves of the mean: each doubling of the wait is half as likely.
 */
export function tailed(p: Prng, mean: number): number {
  if (mean <= 0) return 0;
  if (mean > meanMax) outOfRange("tailed", mean);
  const top = smaller(Math.clz32(u32(p) | 1), 5);
  const span = (mean * (1 << top)) >> 1;
  return span <= 0 ? 0 : below(p, span + 1);
}

function smaller(a: number, b: number): number {
  return a < b ? a : b;
}
