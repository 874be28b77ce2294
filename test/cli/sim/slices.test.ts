import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine, Run } from "../../../cli/sim/engine.ts";
import { runSliced } from "../../../cli/sim/slices.ts";
import { trapped } from "../../../cli/sim/traps.ts";
import type { Outcome } from "../../../sim/outcome.ts";

const ended = { verdict: "pass" } as Outcome;

/** An engine whose runs have so many steps, and does something else at one of them. */
function engine(
  steps: number, at = -1, does = (): void => {},
): Pick<Engine, "advance" | "outcome"> {
  return {
    advance: ({ world }) => {
      world.steps += 1;
      if (world.steps === at) does();
      return world.steps < steps;
    },
    outcome: () => ended,
  };
}

const begin = (): Run => ({ world: { steps: 0 } }) as Run;

test("sim cli: slices: a long run tells that it lives, a short one need not", () => {
  for (const [steps, times] of [[1, 0], [20_000, 0], [20_001, 1], [65_000, 3]] as const) {
    let told = 0;
    const { result, touched } = runSliced(engine(steps), begin, trapped, () => (told += 1));
    assert.ok("value" in result && result.value === ended, `${steps} steps end`);
    assert.equal(told, times, `${steps} steps`);
    assert.equal(touched, undefined);
  }
});

test("sim cli: slices: what throws or reaches for the clock in any slice is told", () => {
  const thrown = runSliced(engine(50_000, 45_000, () => assert.fail("here")), begin, trapped,
    () => {});
  assert.ok("error" in thrown.result, "thrown");
  const swallowed = (): void => {
    try {
      Date.now();
    } catch {
      // A machine that hides it is caught all the same.
    }
  };
  const reached = runSliced(engine(50_000, 5, swallowed), begin, trapped, () => {});
  assert.ok("value" in reached.result, "it goes on");
  assert.equal(reached.touched, "Date.now");
  const unbegun = runSliced(engine(1), () => assert.fail("no world"), trapped, () => {});
  assert.ok("error" in unbegun.result, "a world that cannot be made");
});

test("sim cli: slices: between two of them nothing is trapped", () => {
  const times: number[] = [];
  runSliced(engine(45_000), begin, trapped, () => times.push(Date.now()));
  assert.equal(times.length, 2);
});
