/**
 * Brings one whole number of a scenario as near to its boring value as the failure allows, over
 * round numbers first.
 *
 * Rule 1: the boring value is tried first; then, for each unit from the coarsest, the multiple
 * below, the multiple above, and a bisection over multiples. A multiple that fails is good enough:
 * 23:00 reads better than 22:59.417.
 * Rule 2: after the first round only the next smaller multiple is looked at, since mostly nothing
 * has changed; bisection goes on only if that one fails too.
 * @module
 */
import type { Scenario } from "../scenario.ts";
import type { Best, Pass, Place } from "./pass.ts";

/** A number of a scenario that may be simpler; its value is at least `boring`. */
export type Field = {
  readonly value: number;
  readonly boring: number;
  /** With its boring value the entry does nothing: not worth a run. */
  readonly isNothing: boolean;
  /** Only smaller values count as simpler, not rounder ones above. */
  readonly isShift: boolean;
  /** From coarse to fine. The last is 1, or whatever is exact enough. */
  readonly units: readonly number[];
  readonly with: (value: number) => Scenario;
};

/** Every field of a list in order; how many there are must not depend on their values. */
export function fieldPass(name: string, list: (best: Best) => readonly Field[]): Pass {
  return {
    name,
    propose: (best, p, round) => {
      const fields = list(best);
      while (p.i < fields.length) {
        const field = fields[p.i] as Field;
        const value = probe(field, p, round);
        if (value !== undefined) {
          p.high = value;
          return field.with(value);
        }
        nextField(p);
      }
      return undefined;
    },
    moved: (best, p, accepted) => moved(p, accepted),
  };
}

function nextField(p: Place): void {
  p.i += 1;
  p.stage = 0;
  p.low = 0;
  p.tries = 0;
}

// The place of a field: `stage` 0 is the boring value, then three stages for each unit; `low` is
// the largest value below that does not fail; `high` was proposed last; `tries` counts bisections.
const below = 1;
const above = 2;
const between = 0;

function stageOf(p: Place): number {
  return p.stage % 3;
}

function probe(field: Field, p: Place, round: number): number | undefined {
  if (field.value <= field.boring) return undefined;
  if (p.stage === 0) {
    p.low = field.boring;
    if (!field.isNothing) return field.boring;
    p.stage = below;
  }
  for (;;) {
    const unit = field.units[Math.trunc((p.stage - 1) / 3)];
    if (unit === undefined) return undefined;
    const rest = field.value % unit;
    const stage = stageOf(p);
    if (stage === between && rest === 0) return middle(field.value, unit, p, round);
    if (stage === below && rest === 0) p.stage += 2;
    else if (stage === below && field.value - rest > p.low) return field.value - rest;
    else if (stage === above && mayRise(field, unit)) return field.value - rest + unit;
    else p.stage += 1;
  }
}

function mayRise(field: Field, unit: number): boolean {
  return !field.isShift && field.value > unit;
}

/** The next multiple to try, or nothing when the value's lower neighbour is known not to fail. */
function middle(value: number, unit: number, p: Place, round: number): number | undefined {
  const low = Math.trunc(p.low / unit);
  const high = value / unit;
  if (high - low <= 1) return undefined;
  const next = round > 0 && p.tries === 0 ? high - 1 : Math.trunc((low + high) / 2);
  return next * unit;
}

function moved(p: Place, accepted: boolean): void {
  if (p.stage === 0) {
    p.stage = below;
    return;
  }
  const stage = stageOf(p);
  if (stage === between) p.tries += 1;
  if (!accepted && stage !== above) p.low = p.high;
  if (stage === below) p.stage += accepted ? 2 : 1;
  else if (stage === above && accepted) nextField(p);
  else if (stage === above) p.stage += 2;
}
