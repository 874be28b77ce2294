/**
 * Why a scenario fails, asked of several workers.
 * @module
 */
import type { Outcome } from "../../sim/outcome.ts";
import type { Scenario } from "../../sim/scenario.ts";
import * as why from "../../sim/why.ts";
import type { RunOptions } from "./job.ts";
import type { Pool } from "./pool.ts";
import { crashed, runOn } from "./shrinking.ts";

const askedPerWorker = 8;

/** Answers both questions; `told` hears how many runs were made. */
export async function whyOn(
  scenario: Scenario, outcome: Outcome, pool: Pool, options: RunOptions,
  how: { readonly told: (runs: number) => void; readonly isOver: () => boolean },
  limits: Partial<why.WhyOptions> = {},
): Promise<why.WhyResult | undefined> {
  const question = why.create(scenario, outcome, limits);
  while (!why.done(question)) {
    if (how.isOver()) return undefined;
    const asks = why.wanted(question, askedPerWorker * pool.size);
    const runs = await Promise.all(asks.map((ask) =>
      runOn(pool, ask.scenario, { ...options, fork: ask.fork })));
    why.tried(question, runs.map((one) => (one.ok ? one.outcome : otherwise(one.says))));
    how.told(question.runs);
  }
  return why.result(question);
}

/** A run that crashes the simulator itself fails, and not in the way that is asked about. */
function otherwise(says: string): Outcome {
  const [first = ""] = says.split("\n");
  return {
    ...crashed(says), verdict: "crash",
    finding: {
      id: "worker", node: "", says: first, shape: "worker", step: 0, atUs: 0, pending: [],
    },
  };
}
