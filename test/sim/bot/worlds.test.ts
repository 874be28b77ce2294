/**
 * Our maker as a node of a world: what it does there, and that the checks see what it must not do.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { degraded } from "../../../core/maker/degraded.ts";
import type { Maker } from "../../../core/maker/node.ts";
import type { ConnId } from "../../../core/ids.ts";
import type { Mono } from "../../../core/time.ts";
import * as disk from "../../../sim/disk.ts";
import { placeOf } from "../../../sim/bot/chain.ts";
import * as rows from "../../../sim/bot/rows.ts";
import { balanceOf } from "../../../sim/invariants/maker-offers.ts";
import { isUp } from "../../../sim/invariants/maker-links.ts";
import type { Observer } from "../../../sim/invariants/maker.ts";
import {
  trapKinds, type Harm, type NodeId, type NodeSpec, type Work,
} from "../../../sim/scenario.ts";
import type { World } from "../../../sim/world.ts";
import { node, play, scenario, taker, type Wants } from "../oracles/worlds.ts";

const bot: NodeSpec = {
  id: "bot0", kind: "bot", rows: 2, settings: {
    announceDelayMaxMs: 0, backendGraceMs: 20_000, downMs: 10_000, pollMs: 5_000,
    intervalMs: 60_000, checkMs: 20_000, timeoutMs: 600_000, warnMs: 300_000,
    lateCheckMs: 60_000, settledMin: 2,
  },
};
const nodes: readonly NodeSpec[] = [
  { id: "dir0", kind: "directory" }, { id: "dir1", kind: "directory" }, taker(0), bot,
  { id: "chain0", kind: "chain" },
];

const chainDoes = (at: number, work: Work): readonly [number, NodeId, Work] =>
  [at, "chain0", work];

function world(wants: Wants = {}): ReturnType<typeof scenario> {
  return scenario({ nodes, faultyMs: 300_000, ...wants });
}

function seen(w: World): Observer {
  const observer = w.oracles.watched[node(w, "bot0").index]?.maker;
  assert.ok(observer !== undefined);
  return observer;
}

function stateOf(w: World): Maker {
  return node(w, "bot0").kernel?.state as Maker;
}

/** Public offers at each directory. */
function offered(w: World): readonly number[] {
  return seen(w).links.all.map((link) => link.offers.size);
}

test("bot: it joins its directories, proves its nick, and offers what its coins bear", () => {
  const { outcome, world: w } = play(world());
  assert.equal(outcome.finding, undefined, JSON.stringify(outcome.finding));
  const links = seen(w).links.all;
  assert.equal(links.length, 2);
  assert.ok(links.every(isUp));
  assert.ok(links.every(({ proves }) => proves), "directories ask for the proof");
  assert.ok(offered(w).every((size) => size > 0));
  assert.ok(balanceOf(stateOf(w).config, stateOf(w).wallet.coins) > 0n);
});

test("bot: what waits in its history is found, confirmed and settled, and told once", () => {
  const { outcome, world: w } = play(world({
    work: [
      chainDoes(30_000, { op: "send", bot: "bot0", row: 0 }),
      chainDoes(31_000, { op: "send", bot: "bot0", row: 1 }),
      chainDoes(90_000, { op: "mine", blocks: 1 }), chainDoes(150_000, { op: "mine", blocks: 1 }),
    ],
  }));
  assert.equal(outcome.finding, undefined, JSON.stringify(outcome.finding));
  const o = seen(w);
  assert.deepEqual(o.rows.all.map(({ stage }) => stage), ["settled", "settled"]);
  const told = [...o.letters.told.keys()].filter((key) => key.startsWith("tx-confirmed"));
  assert.equal(told.length, 2);
});

test("bot: the truth about a transaction is the chain's", () => {
  const { world: w } = play(world({
    work: [
      chainDoes(30_000, { op: "send", bot: "bot0", row: 0 }),
      chainDoes(30_000, { op: "send", bot: "bot0", row: 1 }),
      chainDoes(40_000, { op: "replace", bot: "bot0", row: 1 }),
      chainDoes(50_000, { op: "mine", blocks: 1 }),
    ],
  }));
  const { ground } = node(w, "chain0");
  assert.ok(ground !== undefined);
  const place = (row: number): string => {
    const tx = ground.drafts.get(rows.nameOf("bot0", row));
    assert.ok(tx !== undefined);
    return placeOf(ground, tx);
  };
  assert.deepEqual([place(0), place(1)], ["block", "absent"]);
});

const outages: readonly (readonly [string, Harm])[] = [
  ["the node is gone", {
    kind: "crash", node: "chain0", effect: 0, power: false, forMs: 150_000,
  }],
  ["the node does not answer", { kind: "rpcWrong", node: "chain0", as: "silent", forMs: 150_000 }],
  ["a proxy answers", { kind: "rpcWrong", node: "chain0", as: "html", forMs: 150_000 }],
  ["the way there is cut", {
    kind: "cut", link: ["bot0", "chain0"], way: "both", forMs: 150_000,
  }],
  ["its disk is full", { kind: "diskFull", node: "bot0", forMs: 150_000 }],
  ["its disk hangs", { kind: "diskSlow", node: "bot0", ms: 100_000, forMs: 150_000 }],
];

for (const [name, harm] of outages) {
  test(`bot: ${name}: offers are withdrawn, and are back afterwards`, () => {
    const s = world({
      harm: [[60_000, harm]], faultyMs: 400_000,
      // Something to write, for the disk.
      work: [chainDoes(70_000, { op: "send", bot: "bot0", row: 0 })],
    });
    let during: readonly number[] = [];
    const { outcome, world: w } = play(s, 200_000, (at) => { during = offered(at); });
    assert.equal(outcome.finding, undefined, JSON.stringify(outcome.finding));
    assert.deepEqual(during, [0, 0]);
    assert.ok(offered(w).every((size) => size > 0));
  });
}

test("bot: Tor dies: all connections end, and all are back", () => {
  const s = world({ harm: [[60_000, { kind: "tor", node: "bot0", forMs: 60_000 }]] });
  let during = 0;
  const { outcome, world: w } = play(s, 100_000, (at) => {
    during = seen(at).links.all.filter(isUp).length;
  });
  assert.equal(outcome.finding, undefined, JSON.stringify(outcome.finding));
  assert.equal(during, 0);
  assert.ok(seen(w).links.all.every(isUp));
});

const withOnion: readonly NodeSpec[] = nodes.map(
  (spec) => (spec.kind === "bot" ? { ...spec, onion: true } : spec),
);

/** What it says is the matter with it. */
function states(w: World): readonly string[] {
  const { kernel } = node(w, "bot0");
  assert.ok(kernel !== undefined);
  return degraded(stateOf(w), kernel.now as Mono).map(({ name }) => name);
}

test("bot: its onion is lost with Tor, which is a named state, and is back under one key", () => {
  const s = world({
    nodes: withOnion, faultyMs: 400_000,
    harm: [
      [60_000, { kind: "tor", node: "bot0", forMs: 120_000 }],
      [300_000, { kind: "crash", node: "bot0", effect: 0, power: true, forMs: 1_000 }],
    ],
  });
  let during: readonly string[] = [];
  let before = "";
  const { outcome, world: w } = play(s, 100_000, (at) => {
    during = states(at);
    before = seen(at).onion.location;
  });
  assert.equal(outcome.finding, undefined, JSON.stringify(outcome.finding));
  assert.ok(during.includes("onion-down"));
  assert.ok(!states(w).includes("onion-down"));
  assert.match(before, /^[a-z2-7]{56}\.onion:5222$/);
  assert.equal(seen(w).onion.location, before);
  const { reach } = stateOf(w).errands?.onion.standing ?? {};
  assert.equal(reach?.isReachable, true, "it gets through to itself");
  assert.deepEqual([seen(w).onion.losses, seen(w).onion.backs], [1, 1]);
});

test("bot: a line that false directories bring again and again is answered once", () => {
  const { outcome, world: w } = play(world({
    nodes: [
      ...nodes, { id: "trap0", kind: "trap", as: "replays" },
      { id: "trap1", kind: "trap", as: "replays" },
    ],
  }));
  assert.equal(outcome.finding, undefined, JSON.stringify(outcome.finding));
  const { talk } = seen(w);
  assert.ok(talk.copies > 5);
  assert.ok(talk.replays > 5);
  const { counts } = stateOf(w);
  assert.equal(counts.fills, talk.requests.size);
  assert.ok(counts.replays > 5);
});

test("bot: a new cookie is read, and nothing else is asked of anybody", () => {
  const { outcome } = play(world({
    harm: [[60_000, { kind: "crash", node: "chain0", effect: 0, power: false, forMs: 1_000 }]],
  }));
  assert.equal(outcome.finding, undefined, JSON.stringify(outcome.finding));
  assert.ok(outcome.goals["S28"] !== undefined);
});

for (const as of trapKinds) {
  test(`bot: a false directory that ${as}: the true ones are served all the same`, () => {
    const { outcome, world: w } = play(world({
      nodes: [...nodes, { id: "trap0", kind: "trap", as }], faultyMs: 900_000, convergeMs: 0,
    }));
    assert.equal(outcome.finding, undefined, JSON.stringify(outcome.finding));
    const { links } = seen(w);
    assert.equal(links.all.length, 3);
    assert.equal(links.all.slice(0, 2).every(isUp), true);
    const isHeld = as === "chatters" || as === "replays";
    assert.equal(isUp(links.all[2]!), isHeld);
    if (!isHeld) assert.ok(links.all[2]!.failures + links.all[2]!.startupFailures > 2);
  });
}

for (let effect = 0; effect < 8; effect += 1) {
  for (const power of [false, true]) {
    const how = `after effect ${effect}${power ? ", with the power" : ""}`;
    test(`bot: a crash ${how} leaves what was durable, and the next process goes on`, () => {
      const { outcome, world: w } = play(world({
        faultyMs: 240_000,
        work: [
          chainDoes(40_000, { op: "send", bot: "bot0", row: 0 }),
          chainDoes(50_000, { op: "mine", blocks: 1 }),
        ],
        harm: [
          [20_000, { kind: "crash", node: "bot0", effect, power, forMs: 500 }],
          [55_000, { kind: "crash", node: "bot0", effect, power, forMs: 500 }],
          [65_000, { kind: "crash", node: "bot0", effect, power, forMs: 500 }],
        ],
      }));
      assert.equal(outcome.finding, undefined, JSON.stringify(outcome.finding));
      assert.equal(seen(w).rows.all[0]?.stage, "confirmed");
    });
  }
}

test("bot: the same world runs the same twice, and without checks", () => {
  const s = world({ harm: [[50_000, { kind: "tor", node: "bot0", forMs: 30_000 }]] });
  const first = play(s).outcome;
  assert.equal(play(s).outcome.digest, first.digest);
  assert.ok(first.steps > 100);
});

/** A finding of that rule, after something was done that no machine can do. */
function caught(
  id: string, meddle: (w: World) => void, wants: Wants = {}, atMs = 100_000,
): void {
  const { outcome } = play(world({ faultyMs: 700_000, ...wants }), atMs, meddle);
  assert.equal(outcome.finding?.id, id, JSON.stringify(outcome.finding));
}

test("bot: a connection that is forgotten and dialled again is seen (M1)", () => {
  caught("M1", (w) => {
    const { pool } = stateOf(w);
    const [slot] = pool.slots;
    assert.ok(slot !== undefined);
    pool.byConn.delete(slot.conn as ConnId);
    slot.conn = undefined;
    slot.link.wire = undefined;
    slot.link.at = { phase: "waiting", dueAt: stateOf(w).startedAt };
  });
});

test("bot: a coin that is gone and still offered is seen (M6)", () => {
  caught("M6", (w) => { stateOf(w).wallet.coins = []; });
});

test("bot: a file that lost what was synced is seen (M13)", () => {
  caught("M13", (w) => {
    const own = node(w, "bot0").disk;
    assert.ok(own !== undefined);
    own.bytes = own.bytes.slice(0, 25);
    own.size = 25;
    own.kept = 25;
  }, { harm: [[110_000, { kind: "crash", node: "bot0", effect: 0, power: false, forMs: 100 }]] });
});

test("bot: what is given up while it is in the memory pool is seen (M9)", () => {
  caught("M9", (w) => {
    const held = [...stateOf(w).pending.held.values()][0];
    assert.ok(held !== undefined);
    held.watch.ageMs = 599_999;
    held.watch.absentAt = stateOf(w).startedAt;
  });
});

test("bot: a second answer to one request is seen (M14)", () => {
  caught("M14", (w) => { stateOf(w).dedup.signatures.clear(); }, {
    nodes: [...nodes, { id: "trap0", kind: "trap", as: "replays" }],
  }, 30_000);
});

test("bot: an onion that is lost and said to be served is seen (M15)", () => {
  const harm: Wants["harm"] = [[110_000, { kind: "tor", node: "bot0", forMs: 60_000 }]];
  caught("M15", (w) => {
    const onion = stateOf(w).errands?.onion;
    assert.ok(onion !== undefined);
    Object.defineProperty(onion.standing, "isUp", { get: () => true, set: () => {} });
  }, { nodes: withOnion, harm });
});

test("bot: an onion under another key is seen (M15)", () => {
  caught("M15", (w) => { seen(w).onion.location = "x.onion:5222"; }, {
    nodes: withOnion, harm: [[110_000, { kind: "reset", link: ["bot0", "dir0"] }]],
  });
});

test("bot: a disk starts with what stood in its file", () => {
  const own = node(play(world({ faultyMs: 1_000 })).world, "bot0").disk;
  assert.ok(own !== undefined);
  const text = new TextDecoder().decode(disk.contents(own));
  assert.match(text, /^dogwatch-journal 1\n[0-9a-f]{8} 1 0 /);
});
