import assert from "node:assert/strict";
import { test } from "node:test";
import { type Adjust, drawn, unadjusted } from "../../../cli/sim/adjust.ts";
import { builtIn } from "../../../cli/sim/engine.ts";
import { check } from "../../../cli/sim/files.ts";
import { seedText } from "../../../cli/sim/seeds.ts";
import type { Scenario } from "../../../sim/scenario.ts";

const seeds = Array.from({ length: 12 }, (_, i) => seedText(BigInt(i)));

function scenarios(adjust: Partial<Adjust>): Scenario[] {
  return seeds.map((seed) => drawn("std", seed, { ...unadjusted, ...adjust }, builtIn));
}

function count(s: Scenario, kind: string): number {
  const triggered = s.triggers.filter((trigger) => trigger.do.kind === kind).length;
  return s.faults.filter((fault) => fault.kind === kind).length + triggered;
}

test("sim cli: adjust: without flags it is the generator's own scenario", () => {
  for (const [i, scenario] of scenarios({}).entries()) {
    assert.deepEqual(scenario, builtIn.generate("std", seeds[i] ?? ""));
  }
});

test("sim cli: adjust: a kind that is off never comes, also not by a trigger", () => {
  const off = { faults: [{ kind: "crash" as const, rate: "off" as const }] };
  for (const scenario of scenarios(off)) assert.equal(count(scenario, "crash"), 0);
});

test("sim cli: adjust: a rate is so many an hour, in order and with ids of their own", () => {
  for (const rate of [0, 1, 12, 60]) {
    for (const scenario of scenarios({ faults: [{ kind: "halfOpen", rate }] })) {
      const hours = scenario.phases.faultyMs / 3_600_000;
      const want = rate === 0 ? 0 : Math.max(1, Math.round(rate * hours));
      assert.equal(count(scenario, "halfOpen"), want);
      const checked = check("adjusted", JSON.parse(JSON.stringify(scenario)));
      assert.ok(checked.ok, checked.ok ? "" : checked.problems.join());
      const times = scenario.faults.map((fault) => fault.at);
      assert.deepEqual(times, [...times].sort((a, b) => a - b));
    }
  }
});

test("sim cli: adjust: counts of nodes are exact, and lite is small and ends at the heal", () => {
  for (const s of scenarios({ nodes: { dirs: 2, makers: 5, takers: 0, hostile: 3 } })) {
    const kinds = s.nodes.map((node) => node.kind);
    assert.equal(kinds.filter((kind) => kind === "directory").length, 2);
    assert.equal(kinds.filter((kind) => kind === "taker").length, 0);
    const makers = s.nodes.filter((node) => node.kind === "maker" && !node.id.startsWith("twin"));
    assert.equal(makers.length, 5);
  }
  for (const s of scenarios({ lite: true })) {
    assert.equal(s.phases.convergeMs, 0);
    assert.ok(s.nodes.length <= 16);
  }
});

test("sim cli: adjust: the same flags give the same scenario", () => {
  const adjust: Partial<Adjust> = { faults: [{ kind: "slow", rate: 9 }], nodes: { makers: 4 } };
  assert.deepEqual(scenarios(adjust), scenarios(adjust));
});
