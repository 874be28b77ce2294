/**
 * The nearest run that passes: the same scenario without one of its faults.
 * @module
 */
import type { Outcome } from "../outcome.ts";
import type { Scenario } from "../scenario.ts";
import { faultText, triggerText } from "../words.ts";

export type Neighbour = {
  readonly scenario: Scenario;
  /** What it lacks, in words. */
  readonly without: string;
};

/** More faults than this are not tried: such a scenario has not been shrunk. */
export const triesMax = 32;

/**
 * The scenario without the latest of its faults and triggers whose absence lets it pass;
 * `undefined` when there is none among the last `triesMax`.
 */
export function neighbourOf(
  scenario: Scenario, run: (scenario: Scenario) => Outcome,
): Neighbour | undefined {
  for (const one of candidates(scenario).slice(0, triesMax)) {
    if (run(one.scenario).verdict === "pass") return one;
  }
  return undefined;
}

function candidates(scenario: Scenario): Neighbour[] {
  const found: { readonly at: number; readonly neighbour: Neighbour }[] = [];
  for (const fault of scenario.faults) {
    const faults = scenario.faults.filter((other) => other !== fault);
    found.push({
      at: fault.at, neighbour: { scenario: { ...scenario, faults }, without: faultText(fault) },
    });
  }
  for (const trigger of scenario.triggers) {
    const triggers = scenario.triggers.filter((other) => other !== trigger);
    const without = triggerText(trigger);
    // When it goes off is not known here; what a trigger does tends to be what matters.
    found.push({ at: Infinity, neighbour: { scenario: { ...scenario, triggers }, without } });
  }
  found.sort((a, b) => (a.at === b.at ? 0 : b.at - a.at));
  return found.map(({ neighbour }) => neighbour);
}
