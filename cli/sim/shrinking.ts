/**
 * Shrinking over several workers: candidates are run ahead, and count in their order.
 * @module
 */
import { hashOf } from "../../sim/canonical.ts";
import type { Outcome } from "../../sim/outcome.ts";
import type { Scenario } from "../../sim/scenario.ts";
import * as shrink from "../../sim/shrink.ts";
import type { RunOptions } from "./job.ts";
import type { Pool } from "./pool.ts";

export type Shrinking = {
  readonly pool: Pool;
  readonly options: RunOptions;
  /** Called after every batch. */
  readonly told: (state: shrink.Shrink) => void;
  /** Stop early; what there is by then is the result. */
  readonly isOver: () => boolean;
};

/** A candidate may take so much longer than what it came from before it is given up. */
const stepsSpare = 20_000;

/** Makes a failing scenario small. */
export async function shrinkOn(
  scenario: Scenario, outcome: Outcome, runsMax: number, how: Shrinking,
): Promise<shrink.Shrunk> {
  const state = shrink.create(scenario, outcome, { runsMax });
  await shrinkFrom(state, how);
  return shrink.result(state);
}

/**
 * Goes on with a shrinker until it is done or told to stop. Every worker has one candidate: the
 * next that would be tried if those before it do not fail. When one does, what the others are at
 * comes to nothing.
 */
export async function shrinkFrom(state: shrink.Shrink, how: Shrinking): Promise<void> {
  const underWay = new Map<string, Promise<void>>();
  const begin = (candidate: Scenario): void => {
    const { accepted } = state;
    const hash = `${accepted} ${hashOf(candidate)}`;
    if (underWay.has(hash) || underWay.size >= how.pool.size) return;
    const eventsMax = 2 * shrink.best(state).outcome.steps + stepsSpare;
    const options = { ...how.options, eventsMax: Math.min(how.options.eventsMax, eventsMax) };
    underWay.set(hash, runOn(how.pool, candidate, options).then((one) => {
      underWay.delete(hash);
      if (state.accepted !== accepted) return;
      shrink.arrived(state, candidate, one.ok ? one.outcome : crashed(one.says));
    }));
  };
  while (!shrink.done(state) && !how.isOver()) {
    const candidates = shrink.wanted(state, how.pool.size);
    candidates.forEach(begin);
    if (underWay.size > 0) await Promise.race(underWay.values());
    else if (candidates.length === 0) shrink.tried(state, []);
    how.told(state);
  }
  await Promise.all(underWay.values());
}

type Ran =
  | { readonly ok: true; readonly outcome: Outcome }
  | { readonly ok: false; readonly says: string };

/** Runs a scenario on some worker. */
export async function runOn(pool: Pool, scenario: Scenario, options: RunOptions): Promise<Ran> {
  const { answer } = await pool.submit({
    what: { scenario }, options, checkpoints: false, traps: true,
  });
  if (!answer.ok) return { ok: false, says: answer.says };
  return { ok: true, outcome: answer.outcome };
}

/** A candidate that crashes the simulator itself is not the failure that is looked for. */
export function crashed(says: string): Outcome {
  return {
    verdict: "budget", finding: undefined, digest: "", checkpoints: [], steps: 0, virtualMs: 0,
    goals: {}, faults: {}, gauges: { [`crashed: ${says.slice(0, 80)}`]: 0 }, idle: [],
  };
}
