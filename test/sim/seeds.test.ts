/**
 * Whole worlds as properties: a seed goes through the hunt's own generator, fields are varied, and
 * nothing may be found. Kept scenarios (`regressions/*.json`) are run first.
 * @module
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { generate, noWishes, type Profile } from "../../sim/generate.ts";
import { run } from "../../sim/runner.ts";
import { hostileKinds, segmentations, type Scenario } from "../../sim/scenario.ts";
import { fine } from "../support/worlds.ts";

/** Fewer where the same worlds have been looked at before, as on another version of Node. */
const runs = Number(process.env["SEEDS_RUNS"] ?? 1_000);

const keptFolder = new URL("./regressions/", import.meta.url.replace("/build/test/", "/test/"));

/** Scenarios that failed once, minimised. */
export function kept(): readonly (readonly [string, Scenario])[] {
  const names = fs.readdirSync(keptFolder).filter((name) => name.endsWith(".json")).sort();
  return names.map((name) => {
    const file = JSON.parse(fs.readFileSync(new URL(name, keptFolder), "utf8")) as Kept;
    return [name, file.scenario] as const;
  });
}

/** A kept failure: what it was, and the scenario that showed it. */
type Kept = { readonly scenario: Scenario };

type Varied = {
  readonly profile: Profile;
  readonly seed: number;
  readonly segment: Scenario["net"]["segment"];
  readonly latencyMeanUs: number;
  readonly effectUs: number;
  readonly dropped: number;
};

const varied: fc.Arbitrary<Varied> = fc.record({
  profile: fc.constantFrom<Profile>("smoke", "adversary", "slow", "clock", "chaos"),
  seed: fc.integer({ min: 0, max: 0x7fffffff }),
  segment: fc.constantFrom(...segmentations),
  latencyMeanUs: fc.integer({ min: 0, max: 2_000_000 }),
  effectUs: fc.integer({ min: 0, max: 2_000 }),
  dropped: fc.integer({ min: 0, max: 40 }),
});

/** The scenario of a seed, with some fields as the property wants them. */
function scenarioOf(v: Varied): Scenario {
  const seed = `0x${v.seed.toString(16).padStart(16, "0")}`;
  const drawn = generate(v.profile, seed, { ...noWishes, lite: true });
  return {
    ...drawn,
    net: {
      ...drawn.net, segment: v.segment,
      latencyMeanUs: Math.max(drawn.net.latencyMinUs, v.latencyMeanUs),
    },
    host: { ...drawn.host, effectUs: v.effectUs },
    faults: drawn.faults.filter((_, i) => i % 41 !== v.dropped),
    phases: { ...drawn.phases, faultyMs: Math.min(drawn.phases.faultyMs, 400_000) },
  };
}

test("seeds: kept scenarios stay mended", () => {
  for (const [name, scenario] of kept()) {
    try {
      fine(run(scenario));
    } catch (error) {
      const command = `dogwatch sim replay test/sim/regressions/${name}`;
      throw new Error(`${name}: ${command}`, { cause: error });
    }
  }
});

/** Fewer than of directories: a world with makers has a chain, disks and more to look at. */
const makerSeeds = runs >= 1_000 ? 12 : 4;

for (let seed = 1; seed <= makerSeeds; seed += 1) {
  test(`seeds: a world with our maker: 0x${seed.toString(16)}`, () => {
    const drawn = generate("maker", `0x${seed.toString(16).padStart(16, "0")}`);
    // Without makers of others, crowds and floods it is about ours.
    const nodes = drawn.nodes.filter(({ kind }) => !isLoud(kind));
    fine(run({ ...drawn, nodes }));
  });
}

function isLoud(kind: Scenario["nodes"][number]["kind"]): boolean {
  return hostileKinds.some((one) => one === kind);
}

test("seeds: property: a thousand worlds, drawn as the hunt draws them, and varied", () => {
  fc.assert(fc.property(varied, (v) => {
    const scenario = scenarioOf(v);
    const outcome = run(scenario, { eventsMax: 60_000 });
    assert.notEqual(outcome.verdict, "crash", outcome.finding?.says);
    fine(outcome);
  }), { numRuns: runs });
});
