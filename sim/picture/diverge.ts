/**
 * Where two runs part.
 * @module
 */
import type { Recording, StepRecord } from "../recording.ts";

/** The first step that is not the same in both; `undefined`: the runs are equal. */
export function divergence(a: Recording, b: Recording): number | undefined {
  const common = Math.min(a.steps.length, b.steps.length);
  for (let i = 0; i < common; i += 1) {
    if (!isSame(a.steps[i] as StepRecord, b.steps[i] as StepRecord)) return i;
  }
  return a.steps.length === b.steps.length ? undefined : common;
}

function isSame(a: StepRecord, b: StepRecord): boolean {
  return a.atUs === b.atUs && a.node === b.node && a.event === b.event && a.says === b.says
    && a.effects.length === b.effects.length
    && a.effects.every((effect, i) => effect === b.effects[i]);
}
