/**
 * Oracles in a world: they are silent in a good one, and name what was planted in a bad one.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnId } from "../../../core/ids.ts";
import { after, type Mono } from "../../../core/time.ts";
import type { Oracles } from "../../../sim/oracles/oracles.ts";
import { nickFor } from "../../../sim/primitives.ts";
import type { Work } from "../../../sim/scenario.ts";
import type { World } from "../../../sim/world.ts";
import { directory, maker, node, play, scenario, stateOf, taker } from "./worlds.ts";

type Changed<T> = { -readonly [name in keyof T]: T[name] };

/** Everything is looked at closely, all the time. */
function closely(w: World): void {
  const o = w.oracles as Changed<Oracles>;
  o.closeEvery = 1;
  o.closeAt = 0;
  o.isShadowed = true;
  o.isListening = true;
}

const busy: readonly (readonly [number, string, Work])[] = [
  [10_000, "maker0", { op: "announce", size: 3 }], [12_000, "taker0", { op: "orderbook" }],
  [14_000, "taker0", { op: "fill", maker: "maker1", bytes: 300 }],
  [16_000, "taker0", { op: "peerlist" }], [18_000, "maker1", { op: "away", forMs: 4_000 }],
  [20_000, "maker0", { op: "burst", count: 30, bytes: 50 }],
  [21_000, "taker0", { op: "chat", bytes: 200 }], [22_000, "taker0", { op: "ping" }],
];

test("sim: oracles: a world without faults passes, looked at closely", () => {
  const { outcome } = play(scenario({ work: busy }), -1, () => {}, closely);
  assert.equal(outcome.finding, undefined);
  assert.equal(outcome.verdict, "pass");
  assert.ok(outcome.steps > 60, `${outcome.steps} steps`);
});

test("sim: oracles: watching changes nothing", () => {
  const s = scenario({ work: busy });
  const often = (w: World): void => {
    const o = w.oracles as Changed<Oracles>;
    o.closeEvery = 3;
    o.closeAt = 0;
    o.isShadowed = true;
  };
  const [a, b] = [play(s), play(s, -1, () => {}, often)];
  assert.equal(a.outcome.digest, b.outcome.digest);
});

/** An instant at which something is due in dir0 that no step has planned. */
function soon(w: World, ms: number): Mono {
  const { kernel } = node(w, "dir0");
  assert.ok(kernel !== undefined, "dir0 runs");
  kernel.wakeAt = after(kernel.now, ms);
  return kernel.wakeAt;
}

/** At 15 s something is broken; the id must be what the run ends with. */
const planted: readonly (readonly [string, string, (w: World) => void])[] = [
  ["a nick that is lost", "D2", (w) => { stateOf(w).registry.byNick.clear(); }],
  ["a member that is forgotten", "D4", (w) => {
    const { members } = stateOf(w).outbox;
    const [first] = members;
    if (first !== undefined) members.delete(first);
  }],
  ["a session that leaks", "D4", (w) => {
    const { byConn } = stateOf(w).sessions;
    const [first] = byConn.values();
    if (first !== undefined) byConn.set(777 as ConnId, first);
  }],
  ["a maker who is said to have left", "D13", (w) => {
    const { leaves } = stateOf(w);
    const { nick, location } = node(w, "maker0").identity;
    leaves.gone.set(nick, `${nick};${location};D`);
    leaves.dueAt = soon(w, 10);
  }],
];

for (const [what, id, plant] of planted) {
  test(`sim: oracles: ${what} is seen as ${id}`, () => {
    const { outcome } = play(scenario({ work: busy }), 15_000, plant, closely);
    assert.equal(outcome.finding?.id, id, JSON.stringify(outcome.finding));
    assert.equal(outcome.verdict, "safety");
    assert.equal(outcome.finding?.node, "dir0");
    assert.ok((outcome.finding?.atUs ?? 0) >= 15_000_000);
    assert.ok((outcome.finding?.step ?? 0) < outcome.steps);
  });
}

test("sim: oracles: a public line that a directory makes up is seen end to end", () => {
  // Its observer is deaf and a peer tells: only the model knows what was said.
  const { outcome } = play(scenario({ work: busy }), 9_000, (w) => {
    const watched = w.oracles.watched[0];
    if (watched !== undefined) {
      watched.observer = undefined;
      watched.shadow = undefined;
    }
    const state = stateOf(w);
    const line = `${node(w, "maker1").identity.nick}!PUBLIC!chat #1000777 x`;
    const bytes = new TextEncoder().encode(`{"type": 687, "line": "${line}"}\r\n`);
    state.outbox.log.push(bytes);
    state.outbox.logEnds.push(bytes.length);
    state.outbox.flushAt = soon(w, 5);
  }, closely);
  assert.equal(outcome.finding?.id, "D11", JSON.stringify(outcome.finding));
  assert.match(outcome.finding?.says ?? "", /nobody published.*the nick of maker1/);
});

test("sim: oracles: a finding names nodes and holds no nick", () => {
  const { outcome } = play(scenario({ work: busy }), 15_000, planted[0]?.[2], closely);
  const { says, shape } = outcome.finding ?? { says: "", shape: "" };
  assert.match(says, /the connection of (\w+\d), the nick of \1/);
  assert.ok(!says.includes(nickFor(0)) && !/J5\w{14}/.test(says + shape));
});

test("sim: oracles: every process of a node has an observer of its own", () => {
  const { outcome, world } = play(scenario({
    nodes: [directory, maker(0), taker(0)], faultyMs: 90_000,
    harm: [
      [20_000, { kind: "crash", node: "dir0", effect: 0, power: false, forMs: 3_000 }],
      [40_000, { kind: "crash", node: "dir0", effect: 2, power: true, forMs: 3_000 }],
      [60_000, { kind: "restart", node: "dir0", forMs: 2_000 }],
      [70_000, { kind: "crash", node: "maker0", effect: 1, power: false, forMs: 1_000 }],
    ],
  }), -1, () => {}, closely);
  assert.equal(outcome.finding, undefined, JSON.stringify(outcome.finding));
  assert.ok(node(world, "dir0").incarnation >= 3);
  assert.ok(world.oracles.watched[0]?.observer !== undefined);
  assert.ok((world.oracles.watched[0]?.observer?.conns.size ?? 0) >= 1);
});
