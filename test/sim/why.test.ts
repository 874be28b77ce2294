import assert from "node:assert/strict";
import test from "node:test";
import * as prng from "../../core/prng.ts";
import type { Outcome } from "../../sim/outcome.ts";
import type { Fault, Scenario } from "../../sim/scenario.ts";
import * as why from "../../sim/why.ts";
import { finding, outcome, scenario } from "../support/planted.ts";

const decidedUs = 4_352_000_000;
const failsAtMs = 5_000_000;

function base(): Scenario {
  const pause = { kind: "pause", node: "maker1", forMs: 5_000 } as const;
  const faults: Fault[] = [
    { id: 1, at: 1_000, ...pause }, { id: 2, at: 2_000, ...pause }, { id: 3, at: 3_000, ...pause },
  ];
  return { ...scenario("why", 0), workload: [], faults };
}

/** Needs faults 1 and 3; without 2 it fails otherwise. Decided at `decidedUs`, 1 in 50 before. */
function run(s: Scenario, options?: { readonly fork?: why.Fork }): Outcome {
  const has = (id: number): boolean => s.faults.some((fault) => fault.id === id);
  if (!has(2)) return outcome(s, finding("L8", "sockets grow", failsAtMs));
  if (!has(1) || !has(3)) return outcome(s);
  const fork = options?.fork;
  if (fork !== undefined && fork.atUs < decidedUs) {
    const p = prng.stream(prng.key(`${fork.seed} at ${fork.atUs}`));
    if (!prng.chance(p, 1, 50)) return outcome(s);
  }
  return outcome(s, finding("L1", "maker1@dir0: handshaking", failsAtMs, "maker1"));
}

test("why: leave one out: each entry is necessary, not needed, or changes the failure", () => {
  const s = base();
  const extra: Fault = { id: 4, at: 9_000, kind: "jump", node: "maker2", ms: 1_000 };
  const whole = { ...s, faults: [...s.faults, extra] };
  const { rows } = why.why(whole, run(whole), run);
  assert.deepEqual(rows.map((row) => [row.id, row.list, row.without]), [
    [1, "faults", "passes"], [2, "faults", "other"], [3, "faults", "passes"],
    [4, "faults", "fails"],
  ]);
  assert.equal(rows[1]?.says, "L8: sockets grow");
});

test("why: graph: the jump is found to the second with a few hundred runs", () => {
  const s = base();
  const found = why.why(s, run(s), run);
  assert.ok(found.jump.fromUs < decidedUs);
  assert.ok(found.jump.toUs >= decidedUs);
  assert.ok(found.jump.toUs - found.jump.fromUs <= 1_000_000);
  assert.ok(found.before < 900);
  assert.equal(found.after, 1_000);
  assert.ok(found.runs < 400, `${found.runs} runs`);
  const instants = found.points.map((point) => point.atUs);
  assert.deepEqual(instants, instants.toSorted((a, b) => a - b));
  assert.equal(instants.at(-1), failsAtMs * 1_000);
});

test("why: graph: a scenario that fails whatever is drawn is certain from the beginning", () => {
  const s = base();
  const always = (): Outcome => outcome(s, finding("D2", "stale", failsAtMs));
  const found = why.why(s, always(), always);
  assert.deepEqual(found.jump, { fromUs: 0, toUs: 0 });
  assert.equal(found.after, 1_000);
});

test("why: graph: one that is only decided at the failure itself jumps there", () => {
  const s = base();
  const never = (one: Scenario, options?: { readonly fork?: why.Fork }): Outcome =>
    options?.fork === undefined ? run(one) : outcome(one);
  const found = why.why(s, run(s), never);
  assert.equal(found.jump.toUs, failsAtMs * 1_000);
  assert.equal(found.before, 0);
});

test("why: graph: a failure in the first instant has nothing before it", () => {
  const s = base();
  const first = (): Outcome => outcome(s, finding("D2", "stale", 0));
  assert.deepEqual(why.why(s, first(), first).jump, { fromUs: 0, toUs: 0 });
});

test("why: parallel: the answer does not depend on how many run at a time, and resumes", () => {
  const s = base();
  const alone = why.why(s, run(s), run);
  for (const many of [2, 3, 7, 64]) {
    let w = why.create(s, run(s));
    for (let i = 0; i < 2_000 && !why.done(w); i += 1) {
      w = JSON.parse(JSON.stringify(w)) as why.Why;
      const asks = why.wanted(w, many);
      const kept = i % 3 === 0 ? asks.slice(0, 1) : asks;
      why.tried(w, kept.map((ask) =>
        run(ask.scenario, ask.fork === undefined ? {} : { fork: ask.fork })));
    }
    assert.deepEqual(why.result(w), alone);
  }
});
