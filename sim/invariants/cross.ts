/**
 * The invariants of any kernel, whatever its machines do.
 *
 * | id | here                                                                          |
 * |----|-------------------------------------------------------------------------------|
 * | X1 | `stepTwice`: the same step on a copy; `keep` and `unchanged`: old effects     |
 * | X2 | `plain`: known kinds, plain values                                            |
 * | X3 | the tables of a node: `directory.ts`; the size of a step is the kernel's own  |
 * | X4 | `wakes`                                                                       |
 * | X5 | `pulse`                                                                       |
 * | X6 | `secretsOf` and `secrecy`                                                     |
 * @module
 */
import { base64, hex } from "../../core/bytes.ts";
import { step, type Kernel } from "../../core/kernel/kernel.ts";
import type { Tick, WakeEffect } from "../../core/kernel/io.ts";
import { isSecret } from "../../core/secret.ts";
import type { Mono } from "../../core/time.ts";
import { clone, difference, freeze } from "./plain.ts";
import { violation, type Violation } from "./violation.ts";

type Typed = { readonly type: string };

/** One step, and what is wrong with it. */
export type Stepped<F> = {
  readonly effects: readonly (F | WakeEffect)[];
  readonly violations: readonly Violation[];
};

/**
 * X1: steps `k` and a copy of it with the same event, which is frozen first. Both must give the
 * same effects and the same state, and the event's bytes must stay as they were. Costs a walk over
 * the state.
 */
export function stepTwice<S, E extends Typed, F extends Typed>(
  k: Kernel<S, E, F>, event: E | Tick, now: Mono,
): Stepped<F> {
  const copied = clone({ state: k.state, digest: k.digest });
  const twin: Kernel<S, E, F> = { ...k, state: copied.state, digest: copied.digest };
  const before = clone(event);
  freeze(event);
  const effects = step(k, event, now);
  const others = step(twin, clone(before), now);
  const violations: Violation[] = [];
  const say = (what: string, path: string | undefined): void => {
    if (path !== undefined) violations.push(violation("X1", `${what} at ${path}`));
  };
  say("a copy of the state gave other effects", difference(effects, others));
  say("a copy of the state became another state", difference(k.state, twin.state));
  say("the event was changed", difference(event, before));
  return { effects, violations };
}

/** Effects beside a copy of them, to be compared later. */
export type Kept = { readonly given: readonly unknown[]; readonly copied: readonly unknown[] };

/** X1: remembers what effects look like now. */
export function keep(effects: readonly unknown[]): Kept {
  return { given: effects, copied: clone(effects) };
}

/** X1: effects still are what they were when they were returned. */
export function unchanged(kept: Kept): readonly Violation[] {
  const path = difference(kept.given, kept.copied);
  return path === undefined ? [] : [violation("X1", `an effect changed afterwards at ${path}`)];
}

/** X2: each effect is of a kind in `kinds` and holds plain values only. */
export function plain(
  effects: readonly Typed[], kinds: ReadonlySet<string>,
): readonly Violation[] {
  const out: Violation[] = [];
  for (const effect of effects) {
    if (!kinds.has(effect.type)) out.push(violation("X2", `an effect of kind ${effect.type}`));
    const name = unplain(effect, 0);
    if (name !== undefined) out.push(violation("X2", `${effect.type}: ${name} is no plain value`));
  }
  return out;
}

/** Effects are shallow: a record of records at most. */
const depthMax = 8;

function unplain(value: object, depth: number): string | undefined {
  for (const [name, item] of Object.entries(value) as [string, unknown][]) {
    if (!isPlain(item, depth)) return name;
  }
  return undefined;
}

function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === "number") return Number.isSafeInteger(value);
  if (typeof value === "function" || typeof value === "symbol") return false;
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isRecord = prototype === null || prototype === Object.prototype;
  if (!isRecord && !Array.isArray(value)) return false;
  return depth < depthMax && unplain(value, depth + 1) === undefined;
}

/** X4: at most one wake in a step, and the deadline after it lies ahead. */
export function wakes<S, E, F>(
  k: Kernel<S, E, F>, effects: readonly Typed[], now: Mono,
): readonly Violation[] {
  const out: Violation[] = [];
  const asked = effects.filter((effect) => effect.type === "wake") as WakeEffect[];
  if (asked.length > 1) out.push(violation("X4", `${asked.length} wakes in one step`));
  const at = k.root.deadline(k.state);
  if (at <= now) out.push(violation("X4", `a step at ${now} left ${at} due`));
  if (at !== k.wakeAt) out.push(violation("X4", `due at ${at} and woken at ${k.wakeAt}`));
  return out;
}

/** Steps at one instant. */
export type Pulse = { at: Mono; steps: number };

/** X5: no more than `stepsMax` steps at one instant, in a world that is fed a bounded number. */
export function pulse(m: Pulse, now: Mono, stepsMax: number): readonly Violation[] {
  if (m.at !== now) {
    m.at = now;
    m.steps = 0;
  }
  m.steps += 1;
  return m.steps === stepsMax + 1 ? [violation("X5", `${m.steps} steps at ${now}`)] : none;
}

const none: readonly Violation[] = Object.freeze([]);

/** X6: every marked secret in a value, such as an event or a configuration. */
export function secretsOf(value: unknown): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  seek(value, found);
  return found;
}

function seek(value: unknown, found: Uint8Array[]): void {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
  if (isSecret(value)) {
    found.push(value.secret);
    return;
  }
  for (const item of Object.values(value)) seek(item, found);
}

/** Shorter ones appear in any text by chance. */
const secretBytesMin = 4;

/** X6: no secret appears in `text` (of a trace, a log line, an error): plain, hex or base64. */
export function secrecy(secrets: readonly Uint8Array[], text: string): readonly Violation[] {
  const lowered = text.toLowerCase();
  for (const bytes of secrets) {
    if (bytes.length < secretBytesMin) continue;
    const isTold = text.includes(String.fromCharCode(...bytes)) || text.includes(base64(bytes))
      || lowered.includes(hex(bytes));
    if (isTold) return [violation("X6", "a secret is written out")];
  }
  return [];
}
