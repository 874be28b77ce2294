import assert from "node:assert/strict";
import test from "node:test";
import { hashText } from "../../sim/canonical.ts";
import * as determinism from "../../sim/determinism.ts";
import { checkpointSteps, type Outcome } from "../../sim/outcome.ts";
import { outcome, scenario } from "../support/planted.ts";

/** A run whose steps are these; digests are chained. */
function digests(steps: readonly string[]): string[] {
  const out: string[] = [];
  let digest = "";
  for (const one of steps) {
    digest = hashText(digest + one);
    out.push(digest);
  }
  return out;
}

function ran(steps: readonly string[]): Outcome {
  const all = digests(steps);
  const checkpoints = all.filter((_, i) => (i + 1) % checkpointSteps === 0);
  const base = outcome(scenario("same", 3));
  return { ...base, digest: all.at(-1) ?? "", checkpoints, steps: steps.length };
}

function steps(count: number, changed = -1): string[] {
  return Array.from({ length: count }, (_, i) => (i === changed ? `other ${i}` : `step ${i}`));
}

function replays(list: readonly string[]): determinism.Replays & { asked: number } {
  const all = digests(list);
  const r = {
    asked: 0,
    digestAfter: (count: number): string => {
      r.asked += 1;
      return all[count - 1] ?? "over";
    },
    says: (at: number): readonly string[] => [list[at] ?? "over"],
  };
  return r;
}

function stepper(list: readonly string[]): determinism.Stepper {
  const all = digests(list);
  let at = -1;
  return {
    advance: () => {
      if (at + 1 >= list.length) return false;
      at += 1;
      return true;
    },
    digest: () => all[at] ?? "",
    says: () => [list[at] ?? ""],
  };
}

test("determinism: compare: equal runs are the same", () => {
  assert.deepEqual(determinism.compare(ran(steps(3_000)), ran(steps(3_000))), { isSame: true });
});

for (const at of [0, 1_023, 1_024, 2_047, 2_500]) {
  test(`determinism: diverged: step ${at} of 2,600 is found by a few runs up to steps`, () => {
    const one = steps(2_600);
    const other = steps(2_600, at);
    const found = determinism.compare(ran(one), ran(other));
    assert.ok(!found.isSame);
    assert.ok(found.fromStep <= at);
    assert.ok(found.toStep > at);
    assert.ok(found.toStep - found.fromStep <= checkpointSteps);
    assert.deepEqual(found.parts.map((part) => part.name), ["digest"]);
    const a = replays(one);
    const step = determinism.diverged(a, replays(other), found);
    assert.deepEqual(step, { step: at, a: [`step ${at}`], b: [`other ${at}`] });
    assert.ok(a.asked <= 11, `${a.asked} runs`);
  });
}

test("determinism: compare: the result counts too, not only the digest", () => {
  const a = ran(steps(10));
  const found = determinism.compare(a, { ...a, goals: { S3: 4 } });
  assert.ok(!found.isSame);
  assert.deepEqual(found.parts, [{ name: "goals", a: "{}", b: `{"S3":4}` }]);
});

test("determinism: compare: a run that goes on longer differs where the other ends", () => {
  const one = steps(2_048);
  const other = steps(2_050);
  const found = determinism.compare(ran(one), ran(other));
  assert.ok(!found.isSame);
  assert.deepEqual([found.fromStep, found.toStep], [2_048, 2_050]);
  assert.equal(determinism.diverged(replays(one), replays(other), found)?.step, 2_048);
});

test("determinism: lockstep: the first different step of this very pair is found", () => {
  const found = determinism.lockstep(stepper(steps(3_000)), stepper(steps(3_000, 777)), 9_999);
  assert.deepEqual(found, { step: 777, a: ["step 777"], b: ["other 777"] });
  assert.equal(determinism.lockstep(stepper(steps(90)), stepper(steps(90)), 9_999), undefined);
  const short = determinism.lockstep(stepper(steps(5)), stepper(steps(6)), 9_999);
  assert.deepEqual(short, { step: 5, a: ["the run was over"], b: ["step 5"] });
  assert.equal(determinism.lockstep(stepper(steps(5)), stepper(steps(6)), 5), undefined);
});

test("determinism: A-B-A: what one run leaves behind in another is seen", () => {
  let runs = 0;
  const leaky = (s: number): Outcome => {
    runs += 1;
    return ran(steps(20, s === 1 && runs > 1 ? 7 : -1));
  };
  assert.equal(determinism.aba(1, 2, leaky).isSame, false);
  assert.equal(determinism.aba(1, 2, (s) => ran(steps(20, s))).isSame, true);
  assert.equal(determinism.twice(1, (s) => ran(steps(20, s))).isSame, true);
});
