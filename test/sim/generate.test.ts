import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  arkProfiles, generate, makerProfiles, noWishes, profiles, shapes, weightOf,
} from "../../sim/generate.ts";
import { check } from "../../core/directory/config.ts";
import { configOf } from "../../sim/build.ts";
import { arkHarms, botHarms, harmKinds, type HarmKind, type Scenario } from "../../sim/scenario.ts";

function seedOf(n: number): string {
  return `0x${n.toString(16).padStart(16, "0")}`;
}

function many(count: number, of: (seed: string) => void): void {
  for (let i = 0; i < count; i += 1) of(seedOf(i * 7 + 1));
}

/** Every id of a scenario's entries. */
function ids(s: Scenario): readonly (number | string)[] {
  return [...s.nodes, ...s.workload, ...s.faults, ...s.triggers].map((one) => one.id);
}

test("generate: the same seed gives the same scenario, another seed another", () => {
  for (const profile of profiles) {
    const one = JSON.stringify(generate(profile, seedOf(5)));
    assert.equal(JSON.stringify(generate(profile, seedOf(5))), one);
    assert.notEqual(JSON.stringify(generate(profile, seedOf(6))), one);
  }
});

test("generate: scenarios are plain JSON: what is read back is what was written", () => {
  many(40, (seed) => {
    for (const profile of profiles) {
      const scenario = generate(profile, seed);
      assert.deepEqual(JSON.parse(JSON.stringify(scenario)), scenario);
    }
  });
});

test("generate: ids are unique, instants within the faulty phase, numbers whole", () => {
  many(60, (seed) => {
    for (const profile of profiles) {
      const s = generate(profile, seed);
      assert.equal(new Set(ids(s)).size, ids(s).length, `${profile} ${seed}`);
      for (const one of [...s.faults, ...s.workload]) {
        assert.ok(one.at >= 0 && one.at < s.phases.faultyMs);
      }
      const text = JSON.stringify(s);
      assert.ok(!/[0-9]\.[0-9]|null|e\+/.test(text), `${profile} ${seed}: a fraction or a hole`);
    }
  });
});

test("generate: the settings of directories are ones that the daemon accepts", () => {
  many(200, (seed) => {
    for (const spec of generate("chaos", seed).nodes) {
      if (spec.kind !== "directory") continue;
      assert.equal(check(configOf(spec.settings ?? {}, "x")), undefined);
    }
  });
});

test("generate: the core has a directory and never the same person twice", () => {
  many(200, (seed) => {
    const s = generate("std", seed);
    const specs = s.nodes.filter((spec) => s.phases.core.includes(spec.id));
    assert.ok(specs.some((spec) => spec.kind === "directory"));
    const persons = specs.map((spec) => ("twinOf" in spec ? spec.twinOf : undefined) ?? spec.id);
    assert.equal(new Set(persons).size, persons.length);
  });
});

test("generate: std20 is a directory, twenty makers, five takers and two hours", () => {
  many(20, (seed) => {
    const s = generate("std20", seed);
    const count = (kind: string): number => s.nodes.filter((one) => one.kind === kind).length;
    assert.deepEqual([count("directory"), count("maker"), count("taker")], [1, 20, 5]);
    assert.equal(s.nodes.length, 26);
    const minutes = (s.phases.faultyMs + s.phases.convergeMs) / 60_000;
    assert.ok(minutes >= 120 && minutes < 121);
  });
});

test("generate: every fault kind comes in every profile that may have it", () => {
  for (const profile of profiles) {
    const seen = new Set<HarmKind>();
    many(400, (seed) => {
      const s = generate(profile, seed);
      for (const one of s.faults) seen.add(one.kind);
      for (const one of s.triggers) seen.add(one.do.kind);
    });
    const shape = shapes[profile];
    const hasBots = shape.bots[0] > 0;
    const hasArks = shape.wallets[0] > 0;
    const hasDisks = hasBots || hasArks || shape.journal > 0;
    const wanted = harmKinds.filter((one) => hasDisks || !one.startsWith("disk"))
      .filter((one) => hasBots || hasArks || !botHarms.has(one))
      .filter((one) => hasArks || !arkHarms.has(one))
      .filter((one) => weightOf(shape, one) > 0);
    assert.deepEqual(wanted.filter((kind) => !seen.has(kind)), [], profile);
  }
});

test("generate: queues: readers stop and go on at one instant, and are told the same", () => {
  many(40, (seed) => {
    const { faults, nodes, workload } = generate("queues", seed);
    const stalls = faults.filter((one) => one.kind === "stall" && one.id >= 100_000);
    const first = stalls[0];
    assert.ok(first !== undefined, seed);
    const spans = stalls.filter((one) => one.at === first.at)
      .map((one) => "forMs" in one && one.forMs);
    assert.ok(spans.length >= 2 && new Set(spans).size === 1, seed);
    assert.ok(workload.some((one) => one.id >= 100_000));
    const settings = nodes[0]?.kind === "directory" ? nodes[0].settings : undefined;
    assert.equal(check(configOf(settings ?? {}, "x")), undefined);
    const { outboxBytesMax = 0, outboxBytesTotalMax = 0 } = settings ?? {};
    assert.ok(outboxBytesTotalMax > outboxBytesMax && outboxBytesTotalMax < 2 * outboxBytesMax);
  });
});

test("generate: queues, disk: nothing of what is banned comes", () => {
  const faults = new Map<HarmKind, boolean>(harmKinds.map((kind) => [kind, kind === "jump"]));
  many(20, (seed) => {
    for (const profile of ["queues", "disk"] as const) {
      const s = generate(profile, seed, { ...noWishes, faults });
      assert.ok(s.faults.every((one) => one.kind === "jump"), profile);
      assert.ok(s.triggers.every((one) => one.do.kind === "jump"), profile);
      assert.ok(s.workload.every((one) => one.id < 100_000), profile);
    }
  });
});

test("generate: a kind that a profile does not have comes when it is asked for", () => {
  const faults = new Map<HarmKind, boolean>([["diskFails", true]]);
  const kinds = new Set<HarmKind>();
  many(200, (seed) => {
    for (const one of generate("chaos", seed, { ...noWishes, faults }).faults) kinds.add(one.kind);
    assert.ok(generate("chaos", seed).faults.every((one) => one.kind !== "diskFails"));
  });
  assert.ok(kinds.has("diskFails"));
});

test("generate: our makers come with a chain, and with nobody who did not ask for them", () => {
  many(40, (seed) => {
    for (const profile of profiles) {
      const { nodes, workload } = generate(profile, seed);
      const bots = nodes.filter((one) => one.kind === "bot").length;
      const chains = nodes.filter((one) => one.kind === "chain").length;
      const [least, most] = shapes[profile].bots;
      assert.ok(bots >= least && bots <= most, `${profile} ${seed}: ${bots}`);
      assert.equal(chains, bots > 0 ? 1 : 0);
      assert.equal(makerProfiles.includes(profile), bots > 0);
      if (!arkProfiles.includes(profile)) {
        assert.equal(workload.some((one) => one.op === "mine"), bots > 0);
      }
    }
  });
});

test("generate: Ark wallets come with an ark, as many as the profile says, and alone", () => {
  many(40, (seed) => {
    for (const profile of profiles) {
      const { nodes, phases } = generate(profile, seed);
      const wallets = nodes.flatMap((one) => (one.kind === "fleet" ? one.wallets : []));
      const { wallets: [least, most], lifeBlocks } = shapes[profile];
      assert.ok(wallets.length >= least && wallets.length <= most, `${profile} ${seed}`);
      assert.equal(nodes.some((one) => one.kind === "ark"), wallets.length > 0);
      if (wallets.length === 0) continue;
      assert.deepEqual(nodes.map(({ kind }) => kind), ["fleet", "ark"]);
      assert.deepEqual(phases.core, nodes.map(({ id }) => id));
      for (const coin of wallets.flatMap(({ coins }) => coins)) {
        assert.ok(coin.blocks >= 1 && coin.blocks <= lifeBlocks && coin.levels >= 1);
      }
    }
  });
});

test("generate: expiry1 is twelve hours, with sources that are stale for six at most", () => {
  many(100, (seed) => {
    const { faults, phases } = generate("expiry1", seed);
    const minutes = (phases.faultyMs + phases.convergeMs) / 60_000;
    assert.ok(minutes >= 719 && minutes <= 720);
    for (const one of faults) {
      if (one.kind === "sourceWrong") assert.ok(one.forMs <= 6 * 3_600_000);
    }
  });
});

test("generate: what some troubles need to be noticed comes with them", () => {
  let count = 0;
  many(300, (seed) => {
    const { faults, workload, phases } = generate("ark", seed);
    for (const { kind, at, ...rest } of faults) {
      if (kind !== "serverWrong" || !("as" in rest) || rest.as !== "key") continue;
      if (at + 1 >= phases.faultyMs) continue;
      count += 1;
      assert.ok(workload.some((one) => one.op === "restartProgram" && one.at === at + 1), seed);
    }
  });
  assert.ok(count > 10);
});

test("generate: wishes: kinds on and off, numbers of nodes, lite", () => {
  const faults = new Map<HarmKind, boolean>([["jump", true]]);
  for (const kind of harmKinds) if (kind !== "jump") faults.set(kind, false);
  many(30, (seed) => {
    const s = generate("chaos", seed, { ...noWishes, faults, nodes: { makers: 7 } });
    assert.ok(s.faults.every((one) => one.kind === "jump"));
    assert.equal(s.nodes.filter((one) => one.kind === "maker" && one.id !== "twin0").length, 7);
    const lite = generate("std", seed, { ...noWishes, lite: true });
    assert.equal(lite.phases.convergeMs, 0);
    assert.ok(lite.nodes.length <= 17);
  });
});

test("generate: property: one more fault changes no other", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 1e6 }), (n) => {
    const s = generate("std", seedOf(n));
    const plain = generate("std", seedOf(n), { ...noWishes, nodes: { watchers: 0 } });
    const kept = plain.workload.filter((one) => one.node.startsWith("maker"));
    const same = s.workload.filter((one) => one.node.startsWith("maker"));
    assert.deepEqual(
      kept.map(({ at, node, op }) => [at, node, op]),
      same.map(({ at, node, op }) => [at, node, op]),
    );
  }), { numRuns: 50 });
});
