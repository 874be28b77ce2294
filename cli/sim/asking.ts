/**
 * Why a scenario fails, asked of several workers.
 * @module
 */
import type { Outcome } from "../../sim/outcome.ts";
import type { Scenario } from "../../sim/scenario.ts";
import * as why from "../../sim/why.ts";
import type { RunOptions } from "./job.ts";
import type { Pool } from "./pool.ts";

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
    const outcomes: Outcome[] = [];
    const answers = await Promise.all(asks.map((ask) => pool.submit({
      what: { scenario: ask.scenario }, options: { ...options, fork: ask.fork },
      checkpoints: false, traps: true,
    })));
    for (const { answer } of answers) {
      if (!answer.ok) throw new Error(`a run for why: ${answer.says}`);
      outcomes.push(answer.outcome);
    }
    why.tried(question, outcomes);
    how.told(question.runs);
  }
  return why.result(question);
}
