/**
 * The core's Bitcoin Core backend against the stand-in node: every question, through payments,
 * replacements, reorganisations, restarts and outages.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Found, Question } from "../../../core/chain/chain.ts";
import { addressFor } from "../../../sim/chain/address.ts";
import { mine, reorg } from "../../../sim/chain/blocks.ts";
import { cutOff, rejoin, restart, unload, type Chain } from "../../../sim/chain/chain.ts";
import type { Fault } from "../../../sim/chain/faults.ts";
import { evict } from "../../../sim/chain/ledger.ts";
import { bump, draft, pay, spend } from "../../../sim/chain/till.ts";
import { reasonOf } from "../../support/bitcoind.ts";
import { call, chainOf, core, dayMs, only, ours, startMs, type Life } from "./questions.ts";

type Ask = Found["ask"];

function found<A extends Ask>(
  c: Chain, question: Extract<Question, { ask: A }>, life?: Life,
): Extract<Found, { ask: A }> {
  const { answer } = core(c, question, life);
  assert.ok(answer.ok, reasonOf(answer));
  return answer as Extract<Found, { ask: A }>;
}

function prepared(blocks = 130, other: Parameters<typeof chainOf>[1] = {}): Chain {
  const c = chainOf(blocks, other);
  found(c, { ask: "prepare" });
  return c;
}

const oneSat = 123_456_789n;

test("sim: chain: bitcoind: prepare makes a wallet once and imports once", () => {
  const c = chainOf();
  assert.deepEqual(found(c, { ask: "prepare" }), {
    ok: true, ask: "prepare", imported: 4, isScanned: false,
  });
  assert.equal(found(c, { ask: "prepare" }).imported, 0);
  assert.deepEqual(found(c, { ask: "rescan", fromHeight: undefined }), {
    ok: true, ask: "rescan", fromHeight: 0, toHeight: 130,
  });
  assert.equal(found(c, { ask: "prepare" }).isScanned, true);
});

test("sim: chain: bitcoind: what was paid before the import is found by a rescan", () => {
  const c = chainOf();
  pay(c.ledger, ours(3), oneSat, startMs);
  // Core searches two hours back by itself, so the payment has to be older.
  const life = { nowMs: startMs + dayMs, outages: [] };
  mine(c.ledger, 1, startMs);
  mine(c.ledger, 22, life.nowMs);
  found(c, { ask: "prepare" }, life);
  assert.equal(found(c, { ask: "coins" }, life).coins.length, 0);
  found(c, { ask: "rescan", fromHeight: undefined }, life);
  const { coins, tip } = found(c, { ask: "coins" }, life);
  assert.equal(tip.height, 153);
  assert.equal(coins.length, 1);
  const [{ valueSat, confirmations, mixdepth, branch, index, address }] = coins as [never];
  assert.deepEqual({ valueSat, confirmations, mixdepth, branch, index, address }, {
    valueSat: oneSat, confirmations: 23, mixdepth: 0, branch: 0, index: 3, address: ours(3),
  });
});

test("sim: chain: bitcoind: a payment waits, is confirmed, and is found by its address", () => {
  const c = prepared();
  const txid = pay(c.ledger, ours(2, 1, 1), oneSat, startMs)!;
  const waiting = found(c, { ask: "tx", txid }).tx;
  assert.equal(waiting.confirmations, 0);
  assert.equal(waiting.outputs[0]?.valueSat, oneSat);
  assert.deepEqual(found(c, { ask: "address", address: ours(2, 1, 1) }).payments, [
    { txid, vout: 0, valueSat: oneSat, confirmations: 0 },
  ]);
  const [hash] = mine(c.ledger, 3, startMs);
  const { tx } = found(c, { ask: "tx", txid });
  assert.deepEqual([tx.confirmations, tx.blockHash, tx.height], [3, hash, 131]);
  const [coin] = found(c, { ask: "coins" }).coins;
  assert.deepEqual([coin?.mixdepth, coin?.branch, coin?.index], [1, 1, 2]);
  assert.equal(reasonOf(core(c, { ask: "address", address: ours(9) }).answer), "absent");
});

test("sim: chain: bitcoind: what was replaced is absent and names its rival", () => {
  const c = prepared();
  const txid = pay(c.ledger, ours(0), oneSat, startMs)!;
  found(c, { ask: "coins" });
  const sent = bump(c.ledger, txid, 1_000n, startMs);
  assert.ok(sent?.ok);
  assert.deepEqual(sent.replaced, [txid]);
  assert.deepEqual(core(c, { ask: "tx", txid }).answer, {
    ok: false, why: "absent", conflicts: [sent.txid],
  });
  mine(c.ledger, 2, startMs);
  assert.equal(found(c, { ask: "tx", txid }).tx.confirmations, -2);
});

test("sim: chain: bitcoind: what was dropped is absent, and comes back", () => {
  const c = prepared();
  const txid = pay(c.ledger, ours(0), oneSat, startMs)!;
  const { tx } = c.ledger.pool.get(txid)!;
  found(c, { ask: "tip" });
  assert.equal(evict(c.ledger, txid), true);
  assert.equal(reasonOf(core(c, { ask: "tx", txid }).answer), "absent");
  mine(c.ledger, 1, startMs, { with: [tx] });
  assert.equal(found(c, { ask: "tx", txid }).tx.confirmations, 1);
});

test("sim: chain: bitcoind: a reorganisation at equal height is told by the hash alone", () => {
  const c = prepared();
  const txid = pay(c.ledger, ours(0), oneSat, startMs)!;
  mine(c.ledger, 1, startMs);
  const before = found(c, { ask: "tip" }).tip;
  reorg(c.ledger, 1, 1, startMs, { leave: "all" });
  const { tip } = found(c, { ask: "tip", since: before.hash });
  assert.equal(tip.height, before.height);
  assert.notEqual(tip.hash, before.hash);
  assert.equal(tip.keptSince, false);
  assert.equal(found(c, { ask: "tx", txid }).tx.confirmations, 0);
  mine(c.ledger, 1, startMs);
  assert.equal(found(c, { ask: "tip", since: tip.hash }).tip.keptSince, true);
  assert.equal(found(c, { ask: "tx", txid }).tx.confirmations, 1);
});

test("sim: chain: bitcoind: a reorganisation can confirm the rival", () => {
  const c = prepared();
  const coin = [...c.ledger.coins.values()].find((one) => one.height === 1)!;
  const out = (to: string, valueSat: bigint): { address: string; valueSat: bigint }[] => (
    [{ address: to, valueSat }]
  );
  const sent = spend(c.ledger, [coin.outpoint], out(ours(4), coin.valueSat - 300n), startMs);
  assert.ok(sent.ok);
  mine(c.ledger, 1, startMs);
  assert.equal(found(c, { ask: "tx", txid: sent.txid }).tx.confirmations, 1);
  const rival = draft(c.ledger, [coin.outpoint], out(addressFor("x"), coin.valueSat - 400n));
  reorg(c.ledger, 1, 2, startMs, { with: [rival] });
  assert.equal(found(c, { ask: "tx", txid: sent.txid }).tx.confirmations, -2);
  assert.equal(found(c, { ask: "coins" }).coins.length, 0);
});

test("sim: chain: bitcoind: locked coins are listed as such", () => {
  const c = prepared();
  const txid = pay(c.ledger, ours(1), oneSat, startMs)!;
  mine(c.ledger, 1, startMs);
  assert.equal(call(c, "lockunspent", [false, [{ txid, vout: 0 }]], "watch"), true);
  assert.equal(call(c, "lockunspent", [false, [{ txid, vout: 0 }]], "watch"), -8);
  const [coin] = found(c, { ask: "coins" }).coins;
  assert.deepEqual([coin?.isLocked, coin?.index, coin?.valueSat], [true, 1, oneSat]);
  restart(c, startMs);
  assert.equal(found(c, { ask: "coins" }).coins[0]?.isLocked, false);
});

test("sim: chain: bitcoind: a scan takes time, shows progress, dies with the node", () => {
  const c = chainOf(130, { scanMsPerBlock: 1_000 });
  pay(c.ledger, ours(0), oneSat, startMs);
  mine(c.ledger, 22, startMs);
  const life: Life = { nowMs: startMs, outages: [] };
  found(c, { ask: "prepare" }, life);
  life.nowMs += 10_000_000;
  const busy = (params: number[]): unknown => (
    call(c, "rescanblockchain", params, "watch", life.nowMs)
  );
  assert.deepEqual(busy([0, 99]), { start_height: 0, stop_height: 99 });
  assert.equal(busy([0, 99]), -4);
  assert.equal(reasonOf(core(c, { ask: "rescan", fromHeight: 0 }, life).answer), "rescanning");
  life.nowMs += 25_000;
  const seen = found(c, { ask: "rescan-progress" }, life).progress;
  assert.deepEqual(seen, { permille: 250, atHeight: undefined });
  restart(c, life.nowMs);
  assert.equal(found(c, { ask: "rescan-progress" }, life).progress, undefined);
  found(c, { ask: "rescan", fromHeight: undefined }, life);
  assert.equal(found(c, { ask: "prepare" }, life).isScanned, true);
});

test("sim: chain: bitcoind: a wallet that was unloaded is loaded again by whoever asks", () => {
  const c = prepared();
  pay(c.ledger, ours(0), oneSat, startMs);
  assert.equal(unload(c, "watch"), true);
  assert.equal(unload(c, "watch"), false);
  mine(c.ledger, 1, startMs);
  const asked = core(c, { ask: "coins" });
  assert.equal(asked.sent[1], "/ loadwallet");
  assert.ok(asked.answer.ok && asked.answer.ask === "coins");
  assert.equal(asked.answer.coins.length, 1);
});

test("sim: chain: bitcoind: a node that is cut off shows the chain as it was", () => {
  const c = prepared();
  const before = found(c, { ask: "tip" }).tip;
  cutOff(c, "bitcoind");
  pay(c.ledger, ours(0), oneSat, startMs);
  mine(c.ledger, 2, startMs);
  assert.deepEqual(found(c, { ask: "tip" }).tip, before);
  assert.equal(found(c, { ask: "coins" }).coins.length, 0);
  rejoin(c, "bitcoind");
  assert.equal(found(c, { ask: "tip" }).tip.height, before.height + 2);
  assert.equal(found(c, { ask: "coins" }).coins.length, 1);
});

test("sim: chain: bitcoind: without an index only what the wallet follows is absent", () => {
  const c = prepared(130, { hasTxIndex: false });
  const txid = "ab".repeat(32);
  assert.equal(reasonOf(core(c, { ask: "tx", txid }).answer), "no-index");
  assert.equal(reasonOf(core(c, { ask: "tx", txid, address: ours(0) }).answer), "absent");
});

const troubles: readonly [Fault, Question, string][] = [
  [{ kind: "warm-up" }, { ask: "coins" }, "warming-up"],
  [{ kind: "denied" }, { ask: "coins" }, "credentials"],
  [{ kind: "refusing" }, { ask: "coins" }, "timeout"],
  [{ kind: "silent" }, { ask: "coins" }, "timeout"],
  [{ kind: "slow", ms: 300_000 }, { ask: "coins" }, "timeout"],
  [{ kind: "slow", ms: 299_999 }, { ask: "coins" }, "found coins"],
  [{ kind: "busy" }, { ask: "coins" }, "busy"],
  [{ kind: "empty" }, { ask: "coins" }, "nonsense"],
  [{ kind: "html", status: 200 }, { ask: "coins" }, "nonsense"],
  [{ kind: "html", status: 502 }, { ask: "coins" }, "unreachable"],
  [{ kind: "truncated", permille: 500 }, { ask: "coins" }, "nonsense"],
  [{ kind: "truncated", permille: 990 }, { ask: "coins" }, "nonsense"],
  [{ kind: "wrong-id" }, { ask: "coins" }, "nonsense"],
  [{ kind: "float-amounts" }, { ask: "coins" }, "nonsense"],
  [{ kind: "short-amounts" }, { ask: "coins" }, "found coins"],
  [{ kind: "other-network" }, { ask: "coins" }, "wrong-network"],
  [{ kind: "other-network" }, { ask: "prepare" }, "wrong-network"],
  [{ kind: "syncing", headersAhead: 20 }, { ask: "coins" }, "syncing"],
  [{ kind: "wallet-loading" }, { ask: "coins" }, "wallet-loading"],
  [{ kind: "no-wallets" }, { ask: "coins" }, "too-old"],
  [{ kind: "pruned", below: 40 }, { ask: "rescan", fromHeight: 10 }, "pruned"],
  [{ kind: "alone" }, { ask: "tx", txid: "ab".repeat(32) }, "absent"],
  [{ kind: "mempool-loading" }, { ask: "tx", txid: "ab".repeat(32) }, "warming-up"],
  [{ kind: "initial" }, { ask: "coins" }, "found coins"],
];

for (const [fault, question, says] of troubles) {
  const name = Object.values(fault).join(" ");
  test(`sim: chain: bitcoind: fault ${name}: ${question.ask} is ${says}`, () => {
    const c = prepared();
    pay(c.ledger, ours(0), oneSat, startMs);
    const life = only("bitcoind", fault);
    assert.equal(reasonOf(core(c, question, life).answer), says);
    // The node itself is unharmed.
    assert.equal(found(c, { ask: "coins" }).coins.length, 1);
  });
}

test("sim: chain: bitcoind: an outage begins at its first instant and ends before its last", () => {
  const c = prepared();
  const outages = [{
    face: "bitcoind", fault: { kind: "warm-up" }, fromMs: startMs + 10, untilMs: startMs + 20,
  }] as const;
  const at = (ms: number): string => (
    reasonOf(core(c, { ask: "tip" }, { nowMs: startMs + ms, outages }).answer)
  );
  assert.deepEqual([at(9), at(10), at(19), at(20)], [
    "found tip", "warming-up", "warming-up", "found tip",
  ]);
});
