/**
 * How long something rests: between two runs, and after a failure.
 *
 * Rule 1: whatever is drawn is at least 1 ms, so that nothing goes in a circle.
 * Rule 2: what many wallets do at once is spread: each draws from a stream of its own.
 * Not known here: what rests.
 * @module
 */
import { assert } from "../assert.ts";
import * as backoff from "../backoff.ts";
import * as prng from "../prng.ts";

/** From `ms` to `ms + spreadMs`, both included; whole milliseconds. */
export type Rest = { readonly ms: number; readonly spreadMs: number };

/** After failures: always the same rest, or waits that grow with each. */
export type Wait =
  | { readonly kind: "even"; readonly rest: Rest }
  | { readonly kind: "growing"; readonly backoff: backoff.Config };

/** Exactly `ms`. */
export function exactly(ms: number): Rest {
  return { ms, spreadMs: 0 };
}

/** The same wait whatever failed before. */
export function even(ms: number): Wait {
  return { kind: "even", rest: exactly(ms) };
}

/** From half of `baseMs` to all of it; doubled with each failure up to `maxMs`. */
export function growing(baseMs: number, maxMs: number): Wait {
  return { kind: "growing", backoff: { baseMs, maxMs, times: 2, per: 1 } };
}

/** Asserts that a rest is `lowMs` at least, and finite. */
export function checkRest(rest: Rest, lowMs: number, what: string): void {
  for (const n of [rest.ms, rest.spreadMs]) assert(Number.isSafeInteger(n), `${what}: whole ms`);
  assert(rest.ms >= lowMs, `${what}: at least ${lowMs} ms`);
  assert(rest.spreadMs >= 0, `${what}: a spread is not negative`);
  assert(rest.ms + rest.spreadMs <= backoff.waitMsMax, `${what}: at most a day`);
}

/** Asserts that no wait is shorter than half of `lowMs`. */
export function checkWait(wait: Wait, lowMs: number, what: string): void {
  if (wait.kind === "even") return checkRest(wait.rest, lowMs, what);
  backoff.check(wait.backoff);
  assert(wait.backoff.baseMs >= lowMs, `${what}: at least ${lowMs} ms`);
}

/** Draws a rest; nothing is drawn where nothing is spread. */
export function restMs(rest: Rest, p: prng.Prng): number {
  return rest.spreadMs === 0 ? rest.ms : prng.between(p, rest.ms, rest.ms + rest.spreadMs);
}

/** Draws the wait after `failures` (0 or more) in a row before this one. */
export function waitMs(wait: Wait, failures: number, p: prng.Prng): number {
  if (wait.kind === "even") return restMs(wait.rest, p);
  return backoff.delayMs(wait.backoff, failures, p);
}

/** The longest that can be drawn. */
export function longestMs(wait: Wait): number {
  return wait.kind === "even" ? wait.rest.ms + wait.rest.spreadMs : wait.backoff.maxMs;
}
