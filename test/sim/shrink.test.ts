import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import * as prng from "../../core/prng.ts";
import { canonicalText, hashOf } from "../../sim/canonical.ts";
import type { Outcome } from "../../sim/outcome.ts";
import type { Fault, Scenario, Trigger } from "../../sim/scenario.ts";
import * as shrink from "../../sim/shrink.ts";
import { timeText } from "../../sim/words.ts";
import { failing, finding, minute, outcome, planted, scenario } from "../support/planted.ts";

test("shrink: planted: three faults are left of 30, of 100 and of 300, within the runs", () => {
  const runs: number[] = [];
  for (const length of [30, 100, 300]) {
    for (let n = 0; n < 5; n += 1) {
      const small = shrink.shrink(failing(n, length), planted);
      assert.ok(small.isMinimal);
      assert.equal(small.scenario.faults.length, 3, `${length} faults, seed ${n}`);
      assert.equal(small.scenario.workload.length, 0);
      assert.equal(small.scenario.nodes.length, 3);
      runs.push(small.runs);
    }
  }
  runs.sort((a, b) => a - b);
  assert.ok((runs.at(-1) as number) < 1_000, `at most ${runs.at(-1)} runs`);
  assert.ok((runs[runs.length >> 1] as number) <= 500, `${runs[runs.length >> 1]} runs`);
});

test("shrink: planted: everything else is boring in the end", () => {
  const { scenario: small, says } = shrink.shrink(failing(0, 100), planted);
  assert.match(says, /^100 → (\d+ → )*3 faults$/);
  assert.deepEqual(small.faults.map((fault) => fault.kind), ["halfOpen", "crash", "jump"]);
  assert.deepEqual(small.faults.map((fault) => fault.at), [0, minute, 2 * minute]);
  assert.deepEqual(small.faults.map((fault) => fault.id), [1, 2, 3]);
  assert.deepEqual(small.nodes.map((node) => node.id), ["dir0", "maker1", "maker2"]);
  assert.deepEqual(small.nodes.map((node) => Object.keys(node).length), [2, 3, 3]);
  const [half, crash] = small.faults;
  assert.ok(half?.kind === "halfOpen" && half.way !== "both" && half.forMs === 10 * minute);
  assert.ok(crash?.kind === "crash" && !crash.power && crash.effect === 0 && crash.forMs === 1_000);
  assert.equal(small.net.segment, "whole");
  assert.equal(small.net.latencyMeanUs, small.net.latencyMinUs);
  assert.deepEqual(small.host, { stepUs: 0, effectUs: 0, timerLateUs: 0 });
  assert.deepEqual(small.phases, { faultyMs: 2 * minute, convergeMs: 0, core: [], fates: [] });
});

/** What `wanted` gives is run in any order and number at a time, and state goes through JSON. */
function spread(s: Scenario, run: shrink.Run, at: number, seed: string): shrink.Shrink {
  const p = prng.stream(prng.key(seed));
  let m = shrink.create(s, run(s));
  for (let i = 0; i < 5_000 && !shrink.done(m); i += 1) {
    m = JSON.parse(JSON.stringify(m)) as shrink.Shrink;
    const asked = shrink.wanted(m, prng.between(p, 1, at));
    const lost = prng.chance(p, 1, 5) ? prng.below(p, asked.length + 1) : -1;
    shrink.tried(m, asked.map((one, k) => (k === lost ? undefined : run(one))));
  }
  return m;
}

test("shrink: parallel: the result is that of one run after another", () => {
  const run = fickle(planted);
  for (let n = 0; n < 4; n += 1) {
    const alone = shrink.shrink(failing(n, 40), run);
    const many = shrink.result(spread(failing(n, 40), run, 5, `order ${n}`));
    assert.equal(canonicalText(many.scenario), canonicalText(alone.scenario));
    assert.equal(many.runs, alone.runs);
    assert.equal(many.says, alone.says);
  }
});

test("shrink: parallel: answers that come one by one, in any order, give the same", () => {
  const run = fickle(planted);
  for (let n = 0; n < 4; n += 1) {
    const alone = shrink.shrink(failing(n, 40), run);
    const p = prng.stream(prng.key(`one by one ${n}`));
    const m = shrink.create(failing(n, 40), run(failing(n, 40)));
    for (let i = 0; i < 20_000 && !shrink.done(m); i += 1) {
      const asked = shrink.wanted(m, 4);
      const one = asked.length > 0 ? asked[prng.below(p, asked.length)] : undefined;
      if (one === undefined) shrink.tried(m, []);
      else shrink.arrived(m, one, run(one));
    }
    assert.equal(canonicalText(m.best.scenario), canonicalText(alone.scenario));
    assert.deepEqual([m.runs, shrink.isMinimal(m)], [alone.runs, alone.isMinimal]);
  }
});

test("shrink: wallets: all but one go first, and with them what is done to them alone", () => {
  const wallets = ["a", "b", "c", "d", "e"].map((name) => ({ name, coins: [], fundsSat: 0 }));
  const wrong = (id: number, wallet: string): Fault => ({
    id, at: minute, kind: "barkdWrong", node: "ark0", wallet, as: "refusing", size: 0,
    forMs: minute,
  });
  const s: Scenario = {
    ...scenario("wallets", 0, 0),
    nodes: [
      { id: "fleet0", kind: "fleet", wallets },
      {
        id: "ark0", kind: "ark", pace: "steady", blockMs: minute, roundMs: minute, lifeBlocks: 9,
        deltaBlocks: 1,
      },
    ],
    workload: [
      { id: 9, at: 0, node: "ark0", op: "deposit", wallet: "c", sat: 1 },
      { id: 10, at: 0, node: "ark0", op: "deposit", wallet: "d", sat: 1 },
    ],
    faults: [wrong(1, "a"), wrong(2, "d"), wrong(3, "*")],
  };
  const named: string[] = [];
  const run = (one: Scenario): Outcome => {
    const names = one.nodes.flatMap((node) => (
      node.kind === "fleet" ? node.wallets.map(({ name }) => name) : []
    ));
    named.push(names.join(""));
    const isLeft = one.faults.some((fault) => fault.kind === "barkdWrong" && fault.wallet === "d");
    return outcome(one, names.includes("d") && isLeft ? finding("E1", "late", minute) : undefined);
  };
  const small = shrink.shrink(s, run).scenario;
  assert.deepEqual(small.nodes.flatMap((node) => ("wallets" in node ? node.wallets : [])),
    [{ name: "d", coins: [], fundsSat: 0 }]);
  assert.deepEqual([small.workload.length, small.faults.length], [0, 1]);
  const alone = named.indexOf("d");
  assert.ok(named.slice(alone).every((names) => names === "d" || names === ""), "at once");
});

test("shrink: budget: no more runs count than the budget, and what is found so far is kept", () => {
  const s = failing(1, 60);
  let made = 0;
  const counted = (one: Scenario): Outcome => {
    made += 1;
    return planted(one);
  };
  const small = shrink.shrink(s, counted, { runsMax: 25, outcome: planted(s) });
  assert.equal(small.runs, 25);
  assert.equal(made, 25);
  assert.ok(!small.isMinimal);
  assert.ok(small.scenario.faults.length < 60);
  assert.notEqual(planted(small.scenario).finding, undefined);
});

/** Fails now and then by chance, with another shape, as simulated runs do. */
function fickle(run: shrink.Run): shrink.Run {
  return (s) => {
    const draw = Number.parseInt(hashOf(s).slice(0, 4), 16) % 10;
    const found = run(s);
    if (draw === 0) return outcome(s);
    return draw === 1 ? outcome(s, finding("L8", "sockets grow on dir0", 5)) : found;
  };
}

test("shrink: shape: a failure of another kind is no success and is kept once", () => {
  const s = failing(2, 60);
  const small = shrink.shrink(s, fickle(planted), { outcome: planted(s) });
  assert.equal(small.outcome.finding?.id, "D2");
  assert.deepEqual(small.slipped.map((one) => one.finding.id), ["L8"]);
  assert.equal(small.scenario.faults.length, 3);
  assert.ok(small.runs < 1_000, `${small.runs} runs`);
});

/** A window of 40 ms: values that no round number meets. */
function narrow(s: Scenario): Outcome {
  const crash = s.faults.find((f) => f.kind === "crash" && f.at >= 754_321 && f.at < 754_361);
  const says = "a stale life acted";
  return crash === undefined ? outcome(s) : outcome(s, finding("D2", says, crash.at + 5));
}

test("shrink: values: where no round number fails the smallest exact one is taken", () => {
  const base = scenario("narrow", 20);
  const crash: Fault = {
    id: 99, at: 754_350, kind: "crash", node: "maker3", effect: 0, power: false, forMs: 4_000,
  };
  const small = shrink.shrink({ ...base, faults: [...base.faults, crash] }, narrow);
  assert.ok(small.isMinimal);
  assert.deepEqual(small.scenario.faults.map((f) => timeText(f.at)), ["12:34.321"]);
  assert.ok(small.runs <= 500);
});

test("shrink: values: two instants that need their distance move together", () => {
  const apart = (s: Scenario): Outcome => {
    const [a, b] = s.faults;
    const fails = a !== undefined && b !== undefined && b.at - a.at === 90_000;
    return fails ? outcome(s, finding("D5", "evicted", b.at)) : outcome(s);
  };
  const base = scenario("together", 0);
  const pause = { kind: "pause", node: "maker1", forMs: 5_000 } as const;
  const faults: Fault[] = [{ id: 1, at: 300_500, ...pause }, { id: 2, at: 390_500, ...pause }];
  const small = shrink.shrink({ ...base, faults }, apart);
  assert.deepEqual(small.scenario.faults.map((f) => f.at), [0, 90_000]);
});

test("shrink: triggers: delay and count fall, and the harm is weakened", () => {
  const trigger: Trigger = {
    id: 7, on: { mark: "registered", node: "dir0", nth: 6 }, delayMs: 61_234,
    do: { kind: "crash", node: "dir0", effect: 2, power: true, forMs: 61_000 },
  };
  const run = (s: Scenario): Outcome => {
    const hit = s.triggers.some((t) => t.on.nth >= 2 && t.do.kind === "crash" && !t.do.power);
    const early = s.triggers.some((t) => t.on.nth >= 2 && t.do.kind === "crash" && t.do.power);
    return hit || early ? outcome(s, finding("D9", "a pong is awaited", 500)) : outcome(s);
  };
  const small = shrink.shrink({ ...scenario("trigger", 30), triggers: [trigger] }, run).scenario;
  assert.deepEqual(small.triggers, [{
    id: 1, on: { mark: "registered", node: "dir0", nth: 2 }, delayMs: 0,
    do: { kind: "crash", node: "dir0", effect: 0, power: false, forMs: 1_000 },
  }]);
  assert.equal(small.faults.length, 0);
});

test("shrink: faults: adjacent ones merge, a partition becomes the cut of a link", () => {
  const run = (s: Scenario): Outcome => {
    const cut = s.faults.filter((f) => f.kind === "partition" || f.kind === "cut");
    const parted = cut.reduce((sum, f) => sum + f.forMs, 0);
    return parted >= 600_000 ? outcome(s, finding("D7", "found late", 900_000)) : outcome(s);
  };
  const part = {
    kind: "partition", side: ["maker1", "maker2"], way: "both", forMs: 305_000,
  } as const;
  const faults: Fault[] = [{ id: 1, at: 10_000, ...part }, { id: 2, at: 330_000, ...part }];
  const small = shrink.shrink({ ...scenario("merge", 0), faults }, run).scenario;
  assert.equal(small.faults.length, 1);
  const [cut] = small.faults;
  assert.ok(cut?.kind === "cut" && cut.way !== "both" && cut.forMs === 600_000);
});

test("shrink: liveness: the healed phase and its core become as small as they can", () => {
  const run = (s: Scenario): Outcome => {
    const lives = s.phases.convergeMs >= 720_000 && s.phases.core.includes("maker4");
    const says = "maker4@dir0: handshaking";
    return lives
      ? outcome(s, finding("L1", says, s.phases.faultyMs + 720_000, "maker4")) : outcome(s);
  };
  const base = scenario("liveness", 40);
  const core = ["dir0", "maker1", "maker3", "maker4", "maker9"];
  const s = { ...base, phases: { ...base.phases, core } };
  const small = shrink.shrink(s, run).scenario;
  assert.deepEqual(small.phases, { faultyMs: 0, convergeMs: 720_000, core: ["maker4"], fates: [] });
  assert.deepEqual(small.nodes.map((node) => node.id), ["dir0", "maker4"]);
  assert.equal(small.faults.length + small.workload.length, 0);
});

test("shrink: minimum: no single entry or node can be taken out of what is left", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 8, max: 60 }),
    (n, length) => {
      const s = failing(n % 8, length < 25 ? 25 : length);
      const small = shrink.shrink(s, planted).scenario;
      const entries = small.faults.map((fault) => fault.id);
      for (const id of entries) {
        const without = { ...small, faults: small.faults.filter((fault) => fault.id !== id) };
        assert.equal(planted(without).finding, undefined);
      }
      assert.ok(canonicalText(small).length < canonicalText(s).length);
    }), { numRuns: 10 });
});

test("shrink: candidates: one that cannot be run at all counts as one that does not fail", () => {
  const s = failing(3, 40);
  const picky = (one: Scenario): Outcome => {
    if (one.nodes[0] !== undefined && !("settings" in one.nodes[0])) throw new Error("settings");
    return planted(one);
  };
  const small = shrink.shrink(s, picky);
  assert.equal(small.scenario.faults.length, 3);
  assert.deepEqual(small.scenario.nodes[0], s.nodes[0]);
});

test("shrink: input: the scenario it is given is not touched", () => {
  const s = failing(0, 30);
  const before = canonicalText(s);
  shrink.shrink(s, planted, { runsMax: 200 });
  assert.equal(canonicalText(s), before);
});

test("canonical: text: the order of keys is nothing, that of lists is something", () => {
  const s = scenario("canonical", 3);
  const turned = Object.fromEntries(Object.entries(s).toReversed()) as Scenario;
  assert.equal(canonicalText(turned), canonicalText(s));
  assert.equal(hashOf(turned), hashOf(s));
  assert.notEqual(hashOf({ ...s, faults: s.faults.toReversed() }), hashOf(s));
  assert.deepEqual(JSON.parse(canonicalText(s)), JSON.parse(JSON.stringify(s)));
  assert.match(hashOf(s), /^[0-9a-f]{16}$/);
});
