/**
 * Two clocks that cannot be mixed up.
 *
 * Rule 1: `Mono` is an integer count of milliseconds that never goes back; intervals and deadlines
 * use it.
 * Rule 2: `Wall` is an object, so that subtracting two of them is a type error; only records show
 * it.
 * @module
 */
import { assert } from "./assert.ts";

declare const monoBrand: unique symbol;

/** Monotonic milliseconds since an arbitrary start. */
export type Mono = number & { readonly [monoBrand]: true };

/** A wall-clock stamp, for records and people. */
export type Wall = { readonly unixMs: number };

/**
 * The deadline of a machine that waits for nothing. Not `Infinity`: JSON would turn that into
 * `null`.
 */
export const NEVER = Number.MAX_SAFE_INTEGER as Mono;

/** A checked instant: a safe integer, zero or more. */
export function mono(ms: number): Mono {
  if (!Number.isSafeInteger(ms) || ms < 0) noInstant(ms);
  return ms as Mono;
}

// Not within `mono`, which runs for every event: compilers make the text there with every call,
// and that of a large number is dear.
function noInstant(ms: number): never {
  if (ms < 0) assert(false, `negative instant: ${ms}`);
  assert(false, `not a whole number of milliseconds: ${ms}`);
}

/** The instant `ms` (a whole number, zero or more) after `at`, never beyond `NEVER`. */
export function after(at: Mono, ms: number): Mono {
  const sum = at + ms;
  return (sum >= NEVER ? NEVER : sum) as Mono;
}

/** The earlier of two instants. */
export function soonest(a: Mono, b: Mono): Mono {
  return a < b ? a : b;
}

/**
 * Wall time at `now`, given the last anchor (a wall stamp and the monotonic instant it was read
 * at).
 */
export function wallAt(anchor: Wall, anchoredAt: Mono, now: Mono): Wall {
  return { unixMs: anchor.unixMs + (now - anchoredAt) };
}
