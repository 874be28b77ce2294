/**
 * Goals are declared, and reached by the situations that they name.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as goals from "../../sim/goals.ts";
import { harmKinds, type NodeSpec } from "../../sim/scenario.ts";
import { directory, maker, play, scenario, taker, type Wants } from "./oracles/worlds.ts";

const quick: NodeSpec = { ...directory, kind: "directory", settings: {
  sweepMs: 4_000, idleMs: 20_000, hardMs: 60_000, pongMs: 10_000 } };

function reached(wants: Wants): readonly string[] {
  const { outcome } = play(scenario(wants));
  assert.equal(outcome.finding, undefined, JSON.stringify(outcome.finding));
  for (const step of Object.values(outcome.goals)) assert.ok(step >= 0 && step <= outcome.steps);
  return Object.keys(outcome.goals);
}

test("sim: goals: the catalogue is whole, each with its words", () => {
  const ids = goals.goals.map((one) => one.id);
  assert.equal(new Set(ids).size, ids.length);
  const wanted = [1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 16, 19, 20, 21];
  for (const n of wanted) assert.ok(ids.includes(`S${n}`), `S${n}`);
  for (const kind of harmKinds) assert.ok(ids.includes(`S22.${kind}`));
  for (const { what, how } of goals.goals) assert.ok(what.length > 10 && how.length > 10);
});

test("sim: goals: a quiet world reaches none but that of its core", () => {
  assert.deepEqual(reached({ convergeMs: 1_000 }), ["S19"]);
});

test("sim: goals: S1 and S2 are told by two generations of a nick", () => {
  const found = reached({
    nodes: [quick, maker(0), taker(0)], faultyMs: 120_000,
    harm: [
      [20_000, { kind: "lateEnd", link: ["maker0", "dir0"], ms: 20_000, forMs: 60_000 }],
      [21_000, { kind: "crash", node: "maker0", effect: 0, power: false, forMs: 1_000 }],
    ],
  });
  for (const id of ["S1", "S22.lateEnd", "S22.crash"]) assert.ok(found.includes(id), found.join());
});

test("sim: goals: S16 takes a jump back over a timer and one ahead over two sweeps", () => {
  const [back, ahead] = [
    [10_000, { kind: "jump", node: "dir0", ms: -3_600_000 }],
    [11_000, { kind: "jump", node: "dir0", ms: 3_600_000 }],
  ] as const;
  assert.ok(!reached({ harm: [back] }).includes("S16"));
  assert.ok(!reached({ harm: [ahead] }).includes("S16"));
  assert.ok(reached({ harm: [back, ahead] }).includes("S16"));
});

test("sim: goals: S20 is a crash before anybody is back", () => {
  const crash = (at: number) =>
    [at, { kind: "crash", node: "dir0", effect: 0, power: false, forMs: 100 }] as const;
  assert.ok(reached({ harm: [crash(20_000), crash(20_200)] }).includes("S20"));
  assert.ok(!reached({ harm: [crash(20_000), crash(50_000)] }).includes("S20"));
  const restart = [20_000, { kind: "restart", node: "dir0", forMs: 100 }] as const;
  assert.ok(!reached({ harm: [restart, crash(20_300)] }).includes("S20"));
});

test("sim: goals: S12 takes a split character and three lines at once", () => {
  const found = reached({
    work: [
      ...[20_000, 21_000, 22_000, 23_000, 24_000].map((at) =>
        [at, "taker0", { op: "chat", bytes: 3_000 }] as const),
      [40_000, "taker0", { op: "burst", count: 9, bytes: 10 }],
    ],
    harm: [[15_000, { kind: "chop", link: ["taker0", "dir0"], as: "split", forMs: 20_000 }]],
  });
  assert.ok(found.includes("S12"), found.join());
});

test("sim: goals: gauges say how near a bound was", () => {
  const burst = [20_000, "taker0", { op: "burst", count: 99, bytes: 1 }] as const;
  const { outcome } = play(scenario({ work: [burst] }));
  for (const [name, parts] of Object.entries(outcome.gauges)) {
    assert.match(name, /^[a-zA-Z]+$/);
    assert.ok(Number.isSafeInteger(parts) && parts > 0, name);
  }
});
