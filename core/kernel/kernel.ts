/**
 * The machine contract and the one place where it is kept.
 *
 * Rule 1: `step(kernel, event, now)` is the only way in; it returns every effect, in order.
 * Rule 2: monotonic time is asserted; a due tick runs before the event that came with it, so no
 * machine sees an event at a time it should already have acted on.
 * Rule 3: one wake. The root derives its next deadline from its state; there is no timer to set or
 * to cancel. State changes in steps only, so the wake after one step holds until the next.
 * Rule 4: the kernel knows no protocol and never grows a variant.
 * @module
 */
import { assert } from "../assert.ts";
import { NEVER, type Mono } from "../time.ts";
import type { Tick, WakeEffect } from "./io.ts";
import * as trace from "./trace.ts";

/** What a daemon's root machine offers. `State` is mutated in place by its one owner. */
export interface Root<S, E, F> {
  step(state: S, event: E | Tick, now: Mono, out: F[]): void;
  /**
   * The next instant at which `tick` changes anything; `NEVER` when idle. Always later than the
   * step before it.
   */
  deadline(state: S): Mono;
  /** No step may return more effects than this; a function of the state's size. */
  effectsMax(state: S): number;
}

export interface Kernel<S, E, F> {
  readonly root: Root<S, E, F>;
  readonly state: S;
  now: Mono;
  wakeAt: Mono;
  /** Steps so far; the index of the next record in a trace. */
  steps: number;
  /** Kept only where a trace is wanted: hashing costs time. */
  readonly digest: trace.Digest | undefined;
}

/** The tick that hosts and the kernel send. */
export const TICK: Tick = { type: "tick" };

/** A step settles in this many due ticks: law 2 says that a step leaves `deadline > now`. */
const ticksMax = 8;

/**
 * Wraps a root and its fresh state, created at `now`. With `traced`, every step is folded into a
 * running digest.
 */
export function create<S, E, F>(
  root: Root<S, E, F>,
  state: S,
  now: Mono,
  traced: boolean,
): Kernel<S, E, F> {
  const digest = traced ? trace.digest() : undefined;
  return { root, state, now, wakeAt: NEVER, steps: 0, digest };
}

/**
 * One step. Throws `InvariantError` when time goes back, when the root keeps a deadline that is
 * due, or when a step exceeds its own bound of effects: each is a bug of ours.
 */
export function step<S, E extends { readonly type: string }, F extends { readonly type: string }>(
  k: Kernel<S, E, F>,
  event: E | Tick,
  now: Mono,
): readonly (F | WakeEffect)[] {
  // Messages are built only when they are needed: this runs once for every event.
  if (now < k.now) assert(false, `time went back from ${k.now} to ${now}`);
  k.now = now;
  k.steps += 1;
  const out: (F | WakeEffect)[] = [];
  if (k.wakeAt <= now || k.steps === 1) runDue(k, now, out as F[]);
  k.root.step(k.state, event, now, out as F[]);
  if (out.length > 0 && out.length > k.root.effectsMax(k.state)) {
    assert(false, `${out.length} effects in one step`);
  }
  rearm(k, now, out);
  if (k.digest !== undefined) trace.fold(k.digest, now, event, out);
  return out;
}

function runDue<S, E, F>(k: Kernel<S, E, F>, now: Mono, out: F[]): void {
  let ticks = 0;
  while (k.root.deadline(k.state) <= now) {
    if (ticks >= ticksMax) {
      assert(false, `deadline ${k.root.deadline(k.state)} stays due at ${now}`);
    }
    k.root.step(k.state, TICK, now, out);
    ticks += 1;
  }
}

function rearm<S, E, F>(k: Kernel<S, E, F>, now: Mono, out: (F | WakeEffect)[]): void {
  const at = k.root.deadline(k.state);
  if (at <= now) assert(false, `a step at ${now} left the deadline ${at} due`);
  if (at === k.wakeAt) return;
  k.wakeAt = at;
  out.push({ type: "wake", at });
}
