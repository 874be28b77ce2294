/**
 * Whether two runs of one scenario were the same, and where they parted if not.
 *
 * Rule 1: digests are chained, so once they differ they differ for good: the first difference is
 * found by bisection.
 * Rule 2: what a run came to is compared too, field by field, not only its digest.
 * Rule 3: two runs that are stepped side by side find the first different step of this very pair;
 * that works even where each run differs from every other.
 * @module
 */
import { assert } from "../core/assert.ts";
import { text } from "./canonical.ts";
import { checkpointSteps, type Outcome } from "./outcome.ts";

export type Comparison =
  | { readonly isSame: true }
  | {
      readonly isSame: false;
      /** The parts of the outcome that differ, with both texts. */
      readonly parts: readonly Part[];
      /** The first different step is from `fromStep` on and before `toStep`. */
      readonly fromStep: number;
      readonly toStep: number;
    };

export type Part = { readonly name: string; readonly a: string; readonly b: string };

const partNames = [
  "digest", "verdict", "finding", "steps", "virtualMs", "goals", "faults", "gauges", "idle",
] as const satisfies readonly (keyof Outcome)[];

/** Compares what two runs of one scenario came to. */
export function compare(a: Outcome, b: Outcome): Comparison {
  const parts = partNames.flatMap((name): Part[] => {
    const one = partText(a[name]);
    const other = partText(b[name]);
    return one === other ? [] : [{ name, a: one, b: other }];
  });
  const checkpoint = firstCheckpoint(a, b);
  const shorter = lesser(a.checkpoints.length, b.checkpoints.length);
  if (parts.length === 0 && checkpoint === undefined) return { isSame: true };
  const at = checkpoint ?? shorter;
  const toStep = checkpoint === undefined ? greater(a.steps, b.steps) : (at + 1) * checkpointSteps;
  return { isSame: false, parts, fromStep: at * checkpointSteps, toStep };
}

function partText(value: unknown): string {
  return value === undefined ? "-" : text(value);
}

/** The first checkpoint that differs, if any among those that both have. */
function firstCheckpoint(a: Outcome, b: Outcome): number | undefined {
  const count = lesser(a.checkpoints.length, b.checkpoints.length);
  return firstDifferent(0, count, (at) => a.checkpoints[at] !== b.checkpoints[at]);
}

/**
 * The first index from `from` on and before `to` that differs, if differing once means differing
 * from there on; `undefined` if none does. Asks about log2 of the length many times.
 */
export function firstDifferent(
  from: number,
  to: number,
  differs: (index: number) => boolean,
): number | undefined {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = Math.trunc((low + high) / 2);
    if (differs(middle)) high = middle;
    else low = middle + 1;
  }
  return low < to ? low : undefined;
}

/** A run that goes one step at a time. */
export type Stepper = {
  /** Takes one step; false if the run was over. */
  readonly advance: () => boolean;
  /** The digest with all steps so far. */
  readonly digest: () => string;
  /** The step that was taken last, in lines for people; made only when asked. */
  readonly says: () => readonly string[];
};

/** The first step at which two runs differ, from 0, and what each of them did there. */
export type Divergence = {
  readonly step: number;
  readonly a: readonly string[];
  readonly b: readonly string[];
};

const over: readonly string[] = ["the run was over"];

/** Steps two runs side by side, at most `stepsMax` steps; `undefined`: they were the same. */
export function lockstep(a: Stepper, b: Stepper, stepsMax: number): Divergence | undefined {
  assert(a !== b, "a run is always the same as itself");
  for (let step = 0; step < stepsMax; step += 1) {
    const one = a.advance();
    const other = b.advance();
    if (!one && !other) return undefined;
    if (one && other && a.digest() === b.digest()) continue;
    return { step, a: one ? a.says() : over, b: other ? b.says() : over };
  }
  return undefined;
}

/** A run that can be made again up to a step: by another process, or without stepping. */
export type Replays = {
  /** The digest after so many steps. */
  readonly digestAfter: (steps: number) => string;
  readonly says: (step: number) => readonly string[];
};

/**
 * The first different step among those of a comparison, by running both to steps in between. Only
 * for runs that are the same each time they are made, such as the same seed on two engines.
 */
export function diverged(a: Replays, b: Replays, found: Comparison): Divergence | undefined {
  if (found.isSame) return undefined;
  const step = firstDifferent(found.fromStep, found.toStep, (at) =>
    a.digestAfter(at + 1) !== b.digestAfter(at + 1));
  return step === undefined ? undefined : { step, a: a.says(step), b: b.says(step) };
}

/** Runs a scenario twice. */
export function twice<S>(scenario: S, run: (scenario: S) => Outcome): Comparison {
  return compare(run(scenario), run(scenario));
}

/** Runs one, then another, then the first again: nothing may leak from run to run. */
export function aba<S>(a: S, b: S, run: (scenario: S) => Outcome): Comparison {
  const before = run(a);
  run(b);
  return compare(before, run(a));
}

function lesser(a: number, b: number): number {
  return a < b ? a : b;
}

function greater(a: number, b: number): number {
  return a > b ? a : b;
}
