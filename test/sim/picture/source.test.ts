import assert from "node:assert/strict";
import test from "node:test";
import { divergence } from "../../../sim/picture/diverge.ts";
import { neighbourOf, triesMax } from "../../../sim/picture/neighbour.ts";
import { rerun, written, type Pair, type Source } from "../../../sim/picture/source.ts";
import { treeOf, type Tree } from "../../../sim/picture/tree.ts";
import type { Outcome } from "../../../sim/outcome.ts";
import type { Recording } from "../../../sim/recording.ts";
import type { Scenario } from "../../../sim/scenario.ts";
import * as make from "../../support/recording.ts";

const made = make.lostWelcome();
const { recording } = made;

/** The states as they were, by walking the changes. */
function truth(): Pair[] {
  const states = written(recording, made.states);
  return recording.steps.map((step, i) => states.states(i, step.node) as Pair);
}

function asked(source: Source, step: number, node: number): Pair {
  for (let tries = 0; tries < 100; tries += 1) {
    const pair = source.states(step, node);
    if (pair !== undefined) return pair;
    source.work();
  }
  assert.fail(`no state of ${node} at ${step}`);
}

test("picture: source: written states are found at any step, in any order", () => {
  const source = written(recording, made.states);
  const pairs = truth();
  for (const step of [0, 130, 64, 65, 3, 129]) {
    const { node } = recording.steps[step] as { node: number };
    assert.deepEqual(source.states(step, node), pairs[step]);
    assert.notDeepEqual(pairs[step]?.before, pairs[step]?.after);
  }
  const other = source.states(100, 3);
  assert.deepEqual(other?.before, other?.after, "a node that did not step has not changed");
});

/** A run whose steps are counted: node `i % 3` adds `i` to its sum; some turns make two steps. */
function counting(total: number, begun: { count: number }) {
  return (stepped: (step: number, node: number) => void) => {
    begun.count += 1;
    const sums = [{ sum: 0 }, { sum: 0 }, { sum: 0 }];
    let at = 0;
    const one = (): void => {
      (sums[at % 3] as { sum: number }).sum += at;
      at += 1;
      stepped(at - 1, (at - 1) % 3);
    };
    return {
      steps: () => at,
      advance: () => {
        if (at >= total) return false;
        one();
        if (at % 5 === 0 && at < total) one();
        return true;
      },
      state: (node: number): unknown => sums[node],
    };
  };
}

function sumOf(step: number, node: number): Tree {
  let sum = 0;
  for (let i = node; i <= step; i += 3) sum += i;
  return treeOf({ sum });
}

function countedRecording(total: number): Recording {
  const steps = Array.from({ length: total }, (_, i) => ({
    atUs: i, node: i % 3, event: "tick", life: -1, says: "", effects: [],
  }));
  return { ...recording, steps };
}

test("picture: source: a run made again knows every state, forwards and back", () => {
  const total = 150_000;
  const begun = { count: 0 };
  const source = rerun(countedRecording(total), counting(total, begun));
  for (const step of [140_000, 140_001, 139_950, 139_949, 5, 0, 149_999]) {
    const node = step % 3;
    const pair = asked(source, step, node);
    assert.deepEqual(pair, { before: sumOf(step - 1, node), after: sumOf(step, node) }, `${step}`);
    const other = (node + 1) % 3;
    const still = asked(source, step, other);
    assert.deepEqual(still, { before: sumOf(step, other), after: sumOf(step, other) });
  }
  assert.ok(begun.count < 12, `${begun.count} runs`);
});

test("picture: source: stepping back does not run again at each step", () => {
  const begun = { count: 0 };
  const source = rerun(countedRecording(5_000), counting(5_000, begun));
  for (let step = 4_000; step > 3_900; step -= 1) {
    assert.deepEqual(asked(source, step, step % 3).after, sumOf(step, step % 3));
  }
  assert.ok(begun.count <= 2, `${begun.count} runs`);
});

test("picture: source: beyond the end of the run there is no state", () => {
  const source = rerun(countedRecording(10), counting(10, { count: 0 }));
  assert.deepEqual(asked(source, 50, 1), { before: undefined, after: undefined });
  assert.deepEqual(asked(source, 4, 1).after, sumOf(4, 1));
});

test("picture: diverge: equal runs do not part, others at their first different step", () => {
  assert.equal(divergence(recording, make.lostWelcome().recording), undefined);
  const other = make.passingNeighbour().recording;
  const at = divergence(recording, other) as number;
  assert.deepEqual(recording.steps.slice(0, at), other.steps.slice(0, at));
  assert.notDeepEqual(recording.steps[at], other.steps[at]);
  const shorter = { ...recording, steps: recording.steps.slice(0, 9) };
  assert.equal(divergence(recording, shorter), 9);
});

function passesWithout(id: number): (scenario: Scenario) => Outcome {
  return ({ faults }) => {
    const verdict = faults.some((fault) => fault.id === id) ? "liveness" : "pass";
    return { ...recording.outcome, verdict };
  };
}

test("picture: neighbour: the latest fault without which the run passes", () => {
  const { scenario } = recording;
  const neighbour = neighbourOf(scenario, passesWithout(2));
  assert.equal(neighbour?.without, "71:58 slow maker1 ⇄ dir0 for 3m21s (+20 s each way)");
  assert.deepEqual(neighbour?.scenario.faults.map((fault) => fault.id), [1, 3]);
  assert.equal(neighbourOf(scenario, passesWithout(9))?.scenario.faults.length, 2, "any will do");
  const stubborn = (): Outcome => recording.outcome;
  assert.equal(neighbourOf(scenario, stubborn), undefined);
});

test("picture: neighbour: a trigger counts as a fault, and tries are bounded", () => {
  const fault = recording.scenario.faults[0] as (typeof recording.scenario.faults)[number];
  const faults = Array.from({ length: 3 * triesMax }, (_, i) => ({ ...fault, id: i }));
  const triggers = [{
    id: 900, on: { mark: "dial", node: "maker1", nth: 1 }, delayMs: 0,
    do: { kind: "reset", link: ["maker1", "dir0"] },
  }] as const;
  let tries = 0;
  const neighbour = neighbourOf({ ...recording.scenario, faults, triggers }, (one) => {
    tries += 1;
    return { ...recording.outcome, verdict: one.triggers.length === 0 ? "pass" : "safety" };
  });
  assert.equal(neighbour?.without, "at dial of maker1: reset maker1 ⇄ dir0");
  assert.equal(tries, 1);
  neighbourOf({ ...recording.scenario, faults }, () => {
    tries += 1;
    return recording.outcome;
  });
  assert.equal(tries, 1 + triesMax);
});
