/**
 * After the heal: what must come true does, and what does not is named with its reason.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as liveness from "../../sim/liveness.ts";
import * as network from "../../sim/network.ts";
import { NEVER } from "../../core/time.ts";
import type { Journal } from "../../sim/actors/journal.ts";
import type { Peer } from "../../sim/actors/peer.ts";
import { isLate } from "../../sim/oracles/core.ts";
import type { NodeSpec } from "../../sim/scenario.ts";
import type { World } from "../../sim/world.ts";
import { directory, maker, node, play, scenario, stateOf, taker } from "./oracles/worlds.ts";

const healedMs = 60_000;
const long = { faultyMs: healedMs, convergeMs: 1_200_000 };
const old: NodeSpec = { id: "maker9", kind: "maker", speaks: "old" };

test("sim: liveness: a world that heals passes, and makers answer after it", () => {
  const { outcome, world } = play(scenario({
    ...long, harm: [
      [20_000, { kind: "cut", link: ["maker0", "dir0"], way: "both", forMs: 600_000 }],
      [21_000, { kind: "halfOpen", link: ["maker1", "dir0"], way: "there", forMs: 0 }],
      [25_000, { kind: "crash", node: "taker0", effect: 0, power: true, forMs: 500_000 }],
    ],
  }));
  assert.equal(outcome.finding, undefined, JSON.stringify(outcome.finding));
  const { first, questions } = world.oracles.liveness;
  for (const name of ["L1 soon", "L2 soon"]) assert.equal(first.get(name)?.size, 0);
  assert.equal(questions.size, 0, "asked and answered");
  assert.deepEqual(liveness.pending(world), []);
  const asked = [...world.oracles.model.asked.values()];
  assert.ok(asked.length > 0, "the taker was asked to ask");
});

function peerOf(w: World, id: string): Peer {
  return node(w, id).kernel?.state as Peer;
}

/** The way from one to the other is cut after the heal, which no fault does. */
function cut(w: World, from: string, to: string): void {
  network.path(w.net, node(w, from).index, node(w, to).index).cut += 1;
}

test("sim: liveness: L1 names who is not in, and why", () => {
  const { outcome } = play(scenario(long), healedMs + 1_000, (w) => {
    cut(w, "maker0", "dir0");
    cut(w, "dir0", "maker0");
  });
  const { finding } = outcome;
  assert.equal(outcome.verdict, "liveness");
  assert.equal(finding?.id, "L1");
  assert.equal(finding?.node, "maker0");
  assert.match(finding?.says ?? "", /^maker0@dir0: (dialling|waiting to dial) since \d+ s$/);
  assert.deepEqual(finding?.pending, [finding?.says]);
  const boundUs = (healedMs + liveness.soonMs(10_000) + liveness.againMs) * 1_000;
  assert.equal(finding?.atUs, boundUs, "at the bound, and one more look");
});

test("sim: liveness: L1 sees a peer that believes in a connection that is none", () => {
  const { outcome } = play(scenario(long), healedMs + 200_000, (w) => {
    // Registered, told so, and forgotten on both sides of the truth.
    for (const link of peerOf(w, "maker0").links) link.pingAt = Number.MAX_SAFE_INTEGER as never;
    const { registry } = stateOf(w);
    const one = registry.byNick.get(node(w, "maker0").identity.nick);
    const other = registry.byNick.get(node(w, "maker1").identity.nick);
    if (one !== undefined && other !== undefined) registry.byNick.set(one.nick, other);
    const watched = w.oracles.watched[0];
    if (watched !== undefined) watched.observer = undefined;
  });
  assert.equal(outcome.finding?.id, "L1");
  assert.match(outcome.finding?.says ?? "", /believes itself registered since \d+ s/);
});

test("sim: liveness: L2 sees offers that are old", () => {
  const { outcome } = play(scenario(long), healedMs + 100_000, (w) => {
    peerOf(w, "maker1").offersTag += 5;
  });
  assert.equal(outcome.finding?.id, "L2");
  assert.equal(outcome.finding?.says, "taker0@dir0: holds old offers of maker1");
});

test("sim: liveness: L3 sees who is cut off and stays", () => {
  const quick: NodeSpec = { ...directory, kind: "directory", settings: {
    sweepMs: 2_000, idleMs: 40_000, hardMs: 150_000, pongMs: 3_000 } };
  const s = scenario({
    ...long, nodes: [quick, maker(0), maker(1), taker(0)], core: ["dir0", "maker0", "taker0"],
    fates: [{ node: "maker1", fate: "silent" }],
  });
  assert.equal(play(s).outcome.finding, undefined, "the heartbeat takes it");
  const { outcome } = play(s, healedMs + 1_000, (w) => {
    const state = stateOf(w);
    for (const slot of state.heartbeat.slots) slot.dueAt = Number.MAX_SAFE_INTEGER as never;
    state.heartbeat.running = false;
    const watched = w.oracles.watched[0];
    if (watched?.observer !== undefined) watched.observer.beating = false;
  });
  assert.equal(outcome.finding?.id, "L3", JSON.stringify(outcome.finding));
  assert.equal(outcome.finding?.says, "maker1@dir0: cut off and still registered");
});

test("sim: liveness: L4 sees an answer that does not come", () => {
  const atMs = healedMs + liveness.soonMs(10_000) + 60_000 - 1_000;
  const { outcome } = play(scenario(long), atMs, (w) => {
    // Takers give no answers.
    for (const id of ["maker0", "maker1"]) {
      const state = peerOf(w, id) as { config: Peer["config"] };
      state.config = { ...state.config, spec: taker(5) as Peer["config"]["spec"] };
    }
  });
  assert.equal(outcome.finding?.id, "L4", JSON.stringify(outcome.finding));
  assert.match(outcome.finding?.says ?? "", /^taker0@dir0: no answer from maker[01]$/);
});

test("sim: liveness: L8 sees what grows at the end", () => {
  const { outcome } = play(scenario(long), healedMs + 900_000, (w) => {
    const state = stateOf(w);
    for (let i = 0; i < 40; i += 1) state.contest.peace.set(2 * i as never, 0 as never);
    const watched = w.oracles.watched[0];
    if (watched !== undefined) watched.observer = undefined;
  });
  assert.equal(outcome.finding?.id, "L8", JSON.stringify(outcome.finding));
  assert.match(outcome.finding?.says ?? "", /^dir0: peace grew to 4\d in ten minutes$/);
});

test("sim: liveness: L8 sees a record that waits though its disk is well", () => {
  const wants = {
    ...long, nodes: [directory, taker(0), { id: "log0", kind: "journal" } as const],
    work: [[35_000, "log0", { op: "append", count: 2, bytes: 60 }] as const],
    harm: [[30_000, { kind: "diskFull", node: "log0", forMs: 60_000 }] as const],
  };
  const well = play(scenario(wants));
  assert.equal(well.outcome.finding, undefined, JSON.stringify(well.outcome.finding));
  const { outcome } = play(scenario(wants), healedMs - 500, (w) => {
    const state = node(w, "log0").kernel?.state as Journal | undefined;
    const at = state?.journal.at;
    assert.ok(at?.phase === "waiting");
    (at as { until: number }).until = NEVER;
  });
  assert.equal(outcome.finding?.id, "L8", JSON.stringify(outcome.finding));
  assert.match(outcome.finding?.says ?? "", /^log0: a record waits for the disk since 12\d\d s$/);
});

test("sim: liveness: a key is no proof at a directory that does not ask for it", () => {
  const proven: NodeSpec = { id: "maker0", kind: "maker", speaks: "new", auth: true };
  const thief: NodeSpec = { id: "squatter0", kind: "squatter" };
  for (const asks of [true, false]) {
    const settings = asks ? {} : { location: false };
    const at: NodeSpec = { id: "dir0", kind: "directory", settings };
    const nodes = [at, proven, thief];
    const { world } = play(scenario({ nodes, core: ["dir0", "maker0"], faultyMs: 1_000 }));
    assert.equal(isLate(world, node(world, "maker0")), !asks);
  }
});

test("sim: liveness: L9: nobody waits for what cannot come, and each excuse has its words", () => {
  const none = play(scenario({ ...long, core: ["maker0", "maker1", "taker0"] }));
  assert.equal(none.outcome.finding, undefined);
  assert.equal(none.world.oracles.liveness.laws.length, 0);
  const full: NodeSpec = { ...directory, kind: "directory", settings: { peersMax: 2 } };
  const { outcome, world } = play(scenario({
    ...long, nodes: [full, maker(0), maker(1), taker(0)],
  }));
  assert.equal(outcome.finding, undefined, JSON.stringify(outcome.finding));
  assert.equal(stateOf(world).registry.byNick.size, 2, "one of three stays out, as it should");
  for (const words of Object.values(liveness.excuses)) assert.match(words, /^\w.{20}/);
});

test("sim: liveness: old peers have their own bound, and absences count from their end", () => {
  assert.ok(liveness.lateMs(1_500_000, 60_000, 120_000) > 1_800_000);
  const { outcome, world } = play(scenario({
    ...long, nodes: [directory, maker(0), old, taker(0)],
    work: [[healedMs - 1_000, "maker0", { op: "away", forMs: 300_000 }]],
  }));
  assert.equal(outcome.finding, undefined, JSON.stringify(outcome.finding));
  const ids = world.oracles.liveness.laws.map((law) => `${law.id} ${law.isLate}`);
  assert.ok(ids.filter((id) => id === "L1 false").length > 1, "looked at again after the absence");
});
