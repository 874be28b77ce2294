/**
 * Exits and losses: how a coin gets to the chain, and what happens to one that does not in time.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Op } from "../../../core/ark/wallet.ts";
import * as acts from "../../../sim/ark/acts.ts";
import { audit } from "../../../sim/ark/audit.ts";
import { today } from "../../../sim/ark/config.ts";
import * as port from "../../../sim/ark/port.ts";
import * as rest from "../../../sim/ark/rest.ts";
import * as run from "../../../sim/ark/run.ts";
import { walletFor, type World } from "../../../sim/ark/state.ts";
import * as worlds from "../../support/ark-world.ts";

function call(w: World, op: Op): Exclude<port.Called, { type: "silent" | "waiting" }>["answer"] {
  const called = port.call(w, "alice", op, w.nowMs);
  assert.ok(called.type === "answered");
  return called.answer;
}

/** One VTXO of `lifeBlocks` and two exit transactions, and funds to pay for them. */
function world(lifeBlocks = 30, fundsSat = 100_000n): { w: World; id: string } {
  const w = worlds.world();
  if (fundsSat > 0n) acts.deposit(w, "alice", fundsSat);
  worlds.blocks(w, 1);
  call(w, { op: "sync-onchain" });
  const [coin] = acts.endow(w, "alice", [30_000n], lifeBlocks, 2);
  return { w, id: coin!.id };
}

const stateOf = (w: World, id: string): string => (
  w.barkds.get("alice")!.wallet!.exits.get(id)!.stage.at
);
const turn = (w: World): void => {
  call(w, { op: "progress-exits" });
  worlds.blocks(w, 1);
};

test("sim: ark: exits: to the chain, and home when somebody asks", () => {
  const { w, id } = world();
  call(w, { op: "exit", vtxos: [id] });
  const path: string[] = [];
  for (let i = 0; i < 10; i += 1) {
    path.push(stateOf(w, id));
    turn(w);
    worlds.sound(w);
  }
  assert.deepEqual(path, [
    "start", "processing", "processing", "awaiting-delta", "awaiting-delta", "awaiting-delta",
    "awaiting-delta", "awaiting-delta", "awaiting-delta", "claimable",
  ]);
  assert.ok(call(w, { op: "claim", vtxos: [id], destination: worlds.home }).ok);
  assert.equal(stateOf(w, id), "claim-in-progress");
  turn(w);
  turn(w);
  assert.equal(stateOf(w, id), "claimed");
  // A branch without the claim takes it back for a while.
  run.reorg(w, 3, 3, true);
  call(w, { op: "progress-exits" });
  assert.equal(stateOf(w, id), "claim-in-progress");
  worlds.sound(w);
  turn(w);
  turn(w);
  assert.equal(stateOf(w, id), "claimed");
  worlds.sound(w);
});

test("sim: ark: exits: without funds they wait, and say so; the estimate said so before", () => {
  const { w, id } = world(30, 0n);
  const cost = call(w, { op: "exit-fee", vtxos: [id] });
  assert.ok(cost.ok && cost.done.op === "exit-fee");
  assert.deepEqual([cost.done.isFundable, cost.done.txs], [false, 2]);
  call(w, { op: "exit", vtxos: [id] });
  turn(w);
  turn(w);
  const poor = worlds.ask(w, "POST", "/api/v1/exits/progress", {}).body;
  assert.match(poor, /"error":\{"type":"insufficient-confirmed-funds"/);
  acts.deposit(w, "alice", 50_000n);
  worlds.blocks(w, 1);
  call(w, { op: "sync-onchain" });
  for (let i = 0; i < 4; i += 1) turn(w);
  assert.equal(stateOf(w, id), "awaiting-delta");
  worlds.sound(w);
});

test("sim: ark: exits: hazard H6: at an old rate nothing moves; a new one pays for more", () => {
  const { w, id } = world();
  acts.setRate(w, 9);
  call(w, { op: "exit", vtxos: [id] });
  for (let i = 0; i < 3; i += 1) turn(w);
  assert.ok(w.chain.pool.size > 0);
  call(w, { op: "fee-rates" });
  for (let i = 0; i < 4; i += 1) turn(w);
  assert.equal(stateOf(w, id), "awaiting-delta");
  worlds.sound(w);
});

test("sim: ark: exits: a branch takes an exit back to where its transactions are", () => {
  const { w, id } = world();
  call(w, { op: "exit", vtxos: [id] });
  for (let i = 0; i < 4; i += 1) turn(w);
  assert.equal(stateOf(w, id), "awaiting-delta");
  run.reorg(w, 4, 4, true);
  call(w, { op: "progress-exits" });
  assert.equal(stateOf(w, id), "processing");
  for (let i = 0; i < 3; i += 1) turn(w);
  assert.equal(stateOf(w, id), "awaiting-delta");
  worlds.sound(w);
});

test("sim: ark: exits: given up before the last transaction, not after", () => {
  const { w, id } = world();
  const cancel = (): number => worlds.ask(w, "POST", `/api/v1/exits/cancel/${id}`).status;
  assert.equal(cancel(), 404);
  call(w, { op: "exit", vtxos: [id] });
  turn(w);
  assert.equal(cancel(), 200);
  assert.equal(cancel(), 200);
  call(w, { op: "exit", vtxos: [id] });
  turn(w);
  assert.equal(cancel(), 400);
  worlds.sound(w);
});

test("sim: ark: exits: what was refreshed meanwhile is spent already", () => {
  const { w, id } = world();
  call(w, { op: "exit", vtxos: [id] });
  call(w, { op: "refresh", vtxos: [id] });
  assert.deepEqual(audit(w).map(({ text }) => text), [`${id} is refreshed while it exits`]);
  worlds.blocks(w, 2);
  call(w, { op: "sync-rounds" });
  call(w, { op: "progress-exits" });
  assert.equal(stateOf(w, id), "already-spent");
});

test("sim: ark: exits: while they are at work their balance is not known", () => {
  const { w, id } = world();
  call(w, { op: "exit", vtxos: [id] });
  worlds.fault(w, { on: "chain", fault: { kind: "slow", ms: 60_000 } });
  call(w, { op: "progress-exits" });
  const busy = call(w, { op: "balance" });
  assert.ok(busy.ok && busy.done.op === "balance" && busy.done.balance.exitSat === undefined);
  worlds.pass(w, 61_000);
  const idle = call(w, { op: "balance" });
  assert.ok(idle.ok && idle.done.op === "balance" && idle.done.balance.exitSat === 30_000n);
});

test("sim: ark: exits: hazard H28: whoever hangs up makes the program forget them", () => {
  for (const isToday of [true, false]) {
    const w = worlds.world(isToday ? { quirks: today } : {});
    const [coin] = acts.endow(w, "alice", [30_000n], 30, 2);
    call(w, { op: "exit", vtxos: [coin!.id] });
    const asked = worlds.asking(w, "POST", "/api/v1/exits/progress", {});
    const reply = rest.ask(w, "alice", asked, w.nowMs);
    assert.ok(reply.type === "replied" && reply.ticket !== undefined);
    rest.hangUp(w, reply.ticket, w.nowMs + 1);
    const live = worlds.ask(w, "GET", "/api/v1/exits/status/live").body;
    assert.equal(live === "[]", isToday);
    acts.restartBarkd(w, "alice");
    assert.notEqual(worlds.ask(w, "GET", "/api/v1/exits/status/live").body, "[]");
  }
});

/** Nobody does anything for so long. */
function blameAfter(w: World, blocks: number): string | undefined {
  worlds.blocks(w, blocks);
  const lost = audit(w).filter(({ law }) => law === "loss");
  assert.ok(audit(w).every(({ law }) => law === "loss"), JSON.stringify(audit(w)));
  return lost[0]?.blame;
}

test("sim: ark: losses: what expires is taken one block later, and not before", () => {
  const { w } = world(5);
  assert.equal(blameAfter(w, 5), undefined);
  assert.equal(blameAfter(w, 1), "daemon");
  assert.equal(w.losses[0]!.amountSat, 30_000n);
});

test("sim: ark: losses: an exit that is out in time is safe", () => {
  const { w, id } = world(5);
  call(w, { op: "exit", vtxos: [id] });
  for (let i = 0; i < 12; i += 1) turn(w);
  assert.equal(stateOf(w, id), "claimable");
  worlds.sound(w);
});

test("sim: ark: losses: an exit that comes too late loses, and notices it", () => {
  const { w, id } = world(5);
  worlds.blocks(w, 4);
  call(w, { op: "exit", vtxos: [id] });
  for (let i = 0; i < 4; i += 1) turn(w);
  assert.equal(stateOf(w, id), "already-spent");
  assert.deepEqual(audit(w).map(({ law }) => law), ["loss"]);
});

test("sim: ark: losses: blame goes to what was in the way", () => {
  const { w: without } = world(10, 0n);
  assert.equal(blameAfter(without, 11), "funds");
  const { w: down } = world(10);
  acts.stopBarkd(down, "alice");
  assert.equal(blameAfter(down, 11), "barkd");
  const { w: blind } = world(10);
  worlds.fault(blind, { on: "chain", fault: { kind: "stale" } });
  assert.equal(blameAfter(blind, 11), "chain");
  // The server alone excuses nobody: exits need none.
  const { w: alone } = world(10);
  worlds.fault(alone, { on: "server", fault: { kind: "closing" } });
  assert.equal(blameAfter(alone, 11), "daemon");
});

/** Two that expire together, each of this many transactions, and funds. */
function two(depths: readonly [number, number], fundsSat: bigint): { w: World; ids: string[] } {
  const w = worlds.world();
  acts.deposit(w, "alice", fundsSat);
  worlds.blocks(w, 1);
  call(w, { op: "sync-onchain" });
  const ids = depths.map((depth, at) => acts.endow(w, "alice", [30_000n], 10 + at, depth)[0]!.id);
  return { w, ids };
}

const blames = (w: World): unknown[] => audit(w).map(({ blame }) => blame);

test("sim: ark: losses: funds are for what is under way, and then for what expires first", () => {
  const w = worlds.world();
  const txSat = BigInt(w.config.exitVb * w.rate);
  // Enough for one of two: nobody has to save the other.
  const first = two([2, 2], 2n * txSat + 1n);
  worlds.blocks(first.w, 13);
  assert.deepEqual(blames(first.w), ["daemon", "funds"]);
  // One that is too dear keeps nothing from one that is not.
  const cheap = two([3, 1], 2n * txSat);
  worlds.blocks(cheap.w, 13);
  assert.deepEqual(blames(cheap.w), ["funds", "daemon"]);
  // What is under way has had its share.
  const begun = two([2, 2], 2n * txSat + 1n);
  call(begun.w, { op: "exit", vtxos: [begun.ids[1]!] });
  for (let i = 0; i < 13; i += 1) turn(begun.w);
  assert.deepEqual(blames(begun.w), ["funds"]);
  assert.equal(stateOf(begun.w, begun.ids[1]!), "claimable");
});

test("sim: ark: exits: what is under way may be asked about, and costs what is unsent", () => {
  const { w, id } = world();
  const cost = (): number => {
    const answer = call(w, { op: "exit-fee", vtxos: [id] });
    assert.ok(answer.ok && answer.done.op === "exit-fee", "it is answered");
    return answer.done.txs;
  };
  assert.equal(cost(), 2);
  call(w, { op: "exit", vtxos: [id] });
  const path: string[] = [];
  for (let i = 0; i < 4; i += 1) {
    turn(w);
    path.push(`${stateOf(w, id)} ${cost()}`);
  }
  assert.deepEqual(path, ["processing 1", "processing 0", "awaiting-delta 0", "awaiting-delta 0"]);
});

test("sim: ark: losses: a server that is away takes nothing until it is back", () => {
  const { w } = world(5);
  worlds.fault(w, { on: "server", fault: { kind: "down" } });
  worlds.blocks(w, 20);
  worlds.sound(w);
  worlds.heal(w);
  assert.equal(blameAfter(w, 2), "daemon");
});

test("sim: ark: losses: a refresh that waits for its owner is not taken", () => {
  const { w, id } = world(5);
  call(w, { op: "refresh", vtxos: [id] });
  worlds.blocks(w, 12);
  worlds.sound(w);
  call(w, { op: "sync" });
  worlds.sound(w);
  assert.equal(w.server.coins.get(id)!.fate, "forfeited");
});

test("sim: ark: losses: a wallet whose files are gone has forgotten, not lost", () => {
  const { w } = world();
  const old = w.barkds.get("alice")!.wallet!;
  acts.shelve(w, "alice", true);
  worlds.sound(w);
  acts.shelve(w, "alice", false);
  assert.equal(w.barkds.get("alice")!.wallet, old);
  w.barkds.get("alice")!.wallet = walletFor(w, "alice");
  assert.deepEqual(audit(w).map(({ law }) => law), ["A3"]);
});
