/**
 * A run in slices, so that whoever waits for it can be told that it lives.
 * @module
 */
import type { Outcome } from "../../sim/outcome.ts";
import type { Engine, Run } from "./engine.ts";
import type { Sprung } from "./traps.ts";

/** Steps of one slice: a second, even on a machine that is busy with other things. */
const sliceSteps = 20_000;

/** Does work among traps, or without. */
export type Among = <T>(work: () => T) => Sprung<T>;

/** Begins a run and makes it; `told` hears of it between two slices. */
export function runSliced(
  engine: Pick<Engine, "advance" | "outcome">, begin: () => Run, among: Among,
  told: (run: Run) => void,
): Sprung<Outcome> {
  let run: Run | undefined;
  let touched: string | undefined;
  for (;;) {
    const slice = among(() => {
      run ??= begin();
      return advanced(engine, run) ? undefined : engine.outcome(run);
    });
    touched ??= slice.touched;
    const { result } = slice;
    if ("error" in result) return { result, touched };
    if (result.value !== undefined) return { result: { value: result.value }, touched };
    if (run !== undefined) told(run);
  }
}

/** False at the end of the run. */
function advanced(engine: Pick<Engine, "advance">, run: Run): boolean {
  const until = run.world.steps + sliceSteps;
  while (run.world.steps < until) if (!engine.advance(run)) return false;
  return true;
}
