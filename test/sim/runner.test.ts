import assert from "node:assert/strict";
import { test } from "node:test";
import { generate, profiles } from "../../sim/generate.ts";
import { checkpointSteps } from "../../sim/outcome.ts";
import { record } from "../../sim/record.ts";
import * as runner from "../../sim/runner.ts";
import { poisoned } from "../support/laws.ts";
import { fine, passes, small } from "../support/worlds.ts";

const seed = (n: number): string => `0x${n.toString(16).padStart(16, "0")}`;

/** Smaller ones have all that is in these: nothing is new there but the size. */
const large: readonly string[] = ["std20", "ark24"];

test("runner: A, B, A: what ran before leaves nothing behind", () => {
  for (const profile of profiles.filter((one) => !large.includes(one))) {
    const [a, b] = [generate(profile, seed(3)), generate(profile, seed(4))];
    const first = runner.run(a);
    const other = runner.run(b);
    const again = runner.run(a);
    assert.equal(again.digest, first.digest, profile);
    assert.deepEqual(again.checkpoints, first.checkpoints);
    assert.deepEqual(again.goals, first.goals);
    assert.notEqual(other.digest, first.digest);
  }
});

test("runner: clocks and chance throw while a world runs", () => {
  const scenario = generate("smoke", seed(11));
  const plain = runner.run(scenario);
  assert.equal(poisoned(() => runner.run(scenario)).digest, plain.digest);
});

test("runner: checks and recordings change nothing", () => {
  const scenario = generate("smoke", seed(12));
  const checked = runner.run(scenario);
  assert.equal(record(scenario).outcome.digest, checked.digest);
});

test("runner: a run stops before the step that it is asked for, having gone the same way", () => {
  const scenario = generate("smoke", seed(13));
  const whole = runner.run(scenario);
  assert.ok(whole.steps > checkpointSteps, "a seed with more steps is needed");
  const part = runner.run(scenario, { untilStep: checkpointSteps });
  assert.ok(part.steps >= checkpointSteps && part.steps <= checkpointSteps + 1);
  assert.equal(part.checkpoints[0], whole.checkpoints[0]);
});

test("runner: a budget of steps ends a run without a verdict", () => {
  const outcome = runner.run(small(), { eventsMax: 20 });
  assert.equal(outcome.verdict, "budget");
});

test("runner: a fork is the same before its instant and another after", () => {
  const scenario = generate("smoke", seed(13));
  const whole = runner.run(scenario);
  const atUs = runner.run(scenario, { untilStep: checkpointSteps + 9 }).virtualMs * 1_000 + 1_000;
  const [one, two] = ["x", "y"].map((name) => runner.run(scenario, { fork: { atUs, seed: name } }));
  assert.equal(one?.checkpoints[0], whole.checkpoints[0]);
  assert.notEqual(one?.digest, two?.digest);
  const late = runner.run(scenario, { fork: { atUs: Number.MAX_SAFE_INTEGER, seed: "x" } });
  assert.equal(late.digest, whole.digest);
});

test("runner: a world in which nothing is wrong", () => {
  const outcome = passes(small({
    faultyMs: 600_000, convergeMs: 2_100_000, core: ["dir0", "maker0", "maker1", "taker0"],
  }));
  assert.equal(outcome.virtualMs, 2_700_000);
  assert.deepEqual(outcome.faults, {});
});

test("runner: another seed draws other latencies and reaches the same end", () => {
  const outcomes = [1, 2, 3].map((n) => runner.run(small({
    seed: seed(n), net: { latencyMeanUs: 50_000 },
  })));
  for (const one of outcomes) fine(one);
  assert.equal(new Set(outcomes.map((one) => one.digest)).size, 3);
});
