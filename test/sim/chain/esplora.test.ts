/**
 * The core's Esplora backend against the stand-in server, and what the server says by itself.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Question } from "../../../core/chain/chain.ts";
import { isHash } from "../../../core/chain/fields.ts";
import { addressFor } from "../../../sim/chain/address.ts";
import { mine, reorg } from "../../../sim/chain/blocks.ts";
import { cutOff } from "../../../sim/chain/chain.ts";
import { answer } from "../../../sim/chain/esplora.ts";
import type { Fault } from "../../../sim/chain/faults.ts";
import { evict } from "../../../sim/chain/ledger.ts";
import { ask, update } from "../../../sim/chain/serve.ts";
import { bump, pay, spend } from "../../../sim/chain/till.ts";
import { reasonOf } from "../../support/bitcoind.ts";
import { chainOf, lite, only, ours, startMs } from "./questions.ts";

test("sim: chain: esplora: prepare, tip and a scan that is none", () => {
  const c = chainOf();
  assert.deepEqual(lite(c, { ask: "prepare" }), {
    ok: true, ask: "prepare", imported: 0, isScanned: true,
  });
  const told = lite(c, { ask: "tip" });
  assert.ok(told.ok && told.ask === "tip");
  assert.deepEqual([told.tip.height, told.tip.hash], [130, c.ledger.chain[130]]);
  assert.equal(told.tip.timeS, Math.floor(startMs / 1_000));
  assert.equal(reasonOf(lite(c, { ask: "rescan", fromHeight: undefined })), "found rescan");
  assert.equal(reasonOf(lite(c, { ask: "rescan-progress" })), "found rescan-progress");
});

test("sim: chain: esplora: a payment waits, is confirmed, replaced ones are absent", () => {
  const c = chainOf();
  const txid = pay(c.ledger, ours(3, 1, 1), 70_000n, startMs)!;
  const paid = (id: string): unknown => {
    const told = lite(c, { ask: "tx", txid: id });
    return told.ok && told.ask === "tx" ? told.tx.confirmations : reasonOf(told);
  };
  assert.equal(paid(txid), 0);
  const sent = bump(c.ledger, txid, 1_000n, startMs);
  assert.ok(sent?.ok);
  assert.equal(paid(txid), "absent");
  assert.deepEqual(lite(c, { ask: "address", address: ours(3, 1, 1) }), {
    ok: true, ask: "address",
    payments: [{ txid: sent.txid, vout: 0, valueSat: 70_000n, confirmations: 0 }],
  });
  mine(c.ledger, 2, startMs);
  assert.equal(paid(sent.txid), 2);
  const coins = lite(c, { ask: "coins" });
  assert.ok(coins.ok && coins.ask === "coins");
  assert.deepEqual(coins.coins, [{
    outpoint: `${sent.txid}:0`, valueSat: 70_000n, address: ours(3, 1, 1), confirmations: 2,
    mixdepth: 1, branch: 1, index: 3, isLocked: false,
  }]);
  assert.equal(reasonOf(lite(c, { ask: "address", address: ours(4) })), "absent");
});

test("sim: chain: esplora: a reorganisation at equal height is told by the hash alone", () => {
  const c = chainOf();
  const before = c.ledger.chain[130]!;
  reorg(c.ledger, 1, 1, startMs);
  const told = lite(c, { ask: "tip", since: before });
  assert.ok(told.ok && told.ask === "tip");
  assert.equal(told.tip.height, 130);
  assert.equal(told.tip.keptSince, false);
  const [, next] = [c.ledger.chain[129]!, c.ledger.chain[130]!];
  assert.deepEqual(JSON.parse(answer(c, `/block/${c.ledger.chain[129]}/status`).body), {
    in_best_chain: true, height: 129, next_best: next,
  });
});

const troubles: readonly [Fault, Question, string][] = [
  [{ kind: "refusing" }, { ask: "tip" }, "unreachable"],
  [{ kind: "reset" }, { ask: "tip" }, "unreachable"],
  [{ kind: "silent" }, { ask: "tip" }, "timeout"],
  [{ kind: "slow", ms: 60_000 }, { ask: "tip" }, "timeout"],
  [{ kind: "slow", ms: 59_999 }, { ask: "tip" }, "found tip"],
  [{ kind: "html", status: 200 }, { ask: "tip" }, "nonsense"],
  [{ kind: "html", status: 404 }, { ask: "tx", txid: "ab".repeat(32) }, "nonsense"],
  [{ kind: "html", status: 502 }, { ask: "tip" }, "unreachable"],
  [{ kind: "busy" }, { ask: "coins" }, "busy"],
  [{ kind: "empty" }, { ask: "tip" }, "nonsense"],
  [{ kind: "truncated", permille: 900 }, { ask: "coins" }, "nonsense"],
  [{ kind: "float-amounts" }, { ask: "coins" }, "nonsense"],
  [{ kind: "other-network" }, { ask: "prepare" }, "wrong-network"],
];

for (const [fault, question, says] of troubles) {
  const name = Object.values(fault).join(" ");
  test(`sim: chain: esplora: fault ${name}: ${question.ask} is ${says}`, () => {
    const c = chainOf();
    pay(c.ledger, ours(0), 50_000n, startMs);
    assert.equal(reasonOf(lite(c, question, only("esplora", fault))), says);
    // The other server is unharmed.
    assert.equal(reasonOf(lite(c, { ask: "coins" }, only("bitcoind", fault))), "found coins");
  });
}

test("sim: chain: esplora: a stale outage shows the chain of its first instant", () => {
  const c = chainOf();
  const outages = [{
    face: "esplora", fault: { kind: "stale" }, fromMs: startMs + 10, untilMs: startMs + 50,
  }] as const;
  const height = (ms: number): string => {
    const asked = { method: "GET", path: "/blocks/tip/height", body: "" };
    const reply = ask(c, outages, "esplora", asked, startMs + ms);
    assert.ok(reply.type === "replied");
    return reply.body;
  };
  mine(c.ledger, 1, startMs);
  assert.equal(height(9), "131");
  update(c, outages, startMs + 10);
  mine(c.ledger, 1, startMs);
  assert.deepEqual([height(10), height(49), height(50)], ["131", "131", "132"]);
});

test("sim: chain: esplora: what it says of one transaction and one block", () => {
  const c = chainOf();
  const txid = pay(c.ledger, ours(1, 1), 60_000n, startMs)!;
  const get = (path: string): Record<string, unknown> => (
    JSON.parse(answer(c, path).body) as Record<string, unknown>
  );
  assert.deepEqual(Object.keys(get(`/tx/${txid}`)), [
    "txid", "version", "locktime", "vin", "vout", "size", "weight", "fee", "status",
  ]);
  assert.deepEqual(get(`/tx/${txid}/status`), { confirmed: false });
  assert.equal(get("/mempool")["count"], 1);
  mine(c.ledger, 1, startMs);
  const { status, vout, fee } = get(`/tx/${txid}`) as never;
  assert.deepEqual(Object.keys(status), ["confirmed", "block_height", "block_hash", "block_time"]);
  assert.equal(fee, 2_820);
  assert.deepEqual(Object.keys(vout[0]), [
    "scriptpubkey", "scriptpubkey_asm", "scriptpubkey_type", "scriptpubkey_address", "value",
  ]);
  assert.equal((vout[0] as { scriptpubkey_type: string }).scriptpubkey_type, "v1_p2tr");
  const hash = answer(c, "/block-height/131").body;
  assert.ok(isHash(hash));
  assert.deepEqual(Object.keys(get(`/block/${hash}`)), [
    "id", "height", "version", "timestamp", "tx_count", "size", "weight", "merkle_root",
    "previousblockhash", "mediantime", "nonce", "bits", "difficulty",
  ]);
  const txids = get(`/block/${hash}/txids`) as unknown as string[];
  assert.equal(txids[1], txid);
  const [coinbase] = get(`/tx/${txids[0]}`)["vin"] as { is_coinbase: boolean }[];
  assert.equal(coinbase?.is_coinbase, true);
  assert.deepEqual(get("/fee-estimates"), {});
});

test("sim: chain: esplora: many payments come in pages, the newest first", () => {
  const c = chainOf(130);
  const to = addressFor("many");
  const sent: string[] = [];
  for (let i = 0; i < 60; i += 1) {
    sent.push(pay(c.ledger, to, 1_000n + BigInt(i), startMs)!);
    if (i % 7 === 6) mine(c.ledger, 1, startMs);
  }
  for (let i = 0; i < 3; i += 1) sent.push(pay(c.ledger, to, 5_000n, startMs)!);
  const list = (path: string): string[] => (
    (JSON.parse(answer(c, `/address/${to}/txs${path}`).body) as { txid: string }[])
      .map(({ txid }) => txid)
  );
  const inBlocks = sent.slice(0, 56).toReversed();
  assert.deepEqual(list("/mempool"), sent.slice(56).toReversed());
  assert.deepEqual(list("/chain"), inBlocks.slice(0, 25));
  assert.deepEqual(list(`/chain/${inBlocks[24]}`), inBlocks.slice(25, 50));
  assert.deepEqual(list(`/chain/${inBlocks[49]}`), inBlocks.slice(50));
  assert.deepEqual(list(""), [...sent.slice(56).toReversed(), ...inBlocks.slice(0, 25)]);
});

test("sim: chain: esplora: the sums of an address count what came and what went", () => {
  const c = chainOf();
  const to = ours(0);
  const txid = pay(c.ledger, to, 50_000n, startMs)!;
  mine(c.ledger, 1, startMs);
  spend(c.ledger, [`${txid}:0`], [{ address: ours(1), valueSat: 49_000n }], startMs);
  const told = JSON.parse(answer(c, `/address/${to}`).body) as Record<string, object>;
  assert.deepEqual(told["chain_stats"], {
    funded_txo_count: 1, funded_txo_sum: 50_000, spent_txo_count: 0, spent_txo_sum: 0, tx_count: 1,
  });
  assert.deepEqual(told["mempool_stats"], {
    funded_txo_count: 0, funded_txo_sum: 0, spent_txo_count: 1, spent_txo_sum: 50_000, tx_count: 1,
  });
  assert.equal(answer(c, `/address/${to}/utxo`).body, "[]");
});

test("sim: chain: esplora: what is not there, and what cannot be", () => {
  const c = chainOf(3);
  const none = "ab".repeat(32);
  const txid = "ff";
  for (const [path, status, body] of [
    [`/tx/${none}`, 404, "Transaction not found"],
    [`/block/${none}`, 404, "Block not found"],
    ["/block-height/4", 404, "Block not found"],
    ["/block-height/x", 400, "Invalid number"],
    [`/tx/${txid}`, 400, "Invalid hex string"],
    ["/block/zz", 400, "Invalid hex string"],
    ["/address/bc1q", 400, "Invalid Bitcoin address"],
    [`/tx/${none}/status`, 200, "{\"confirmed\":false}"],
    [`/block/${none}/status`, 200, "{\"in_best_chain\":false,\"height\":null,\"next_best\":null}"],
    ["/", 404, "endpoint does not exist \"/\""],
    ["/blocks/tip", 404, "endpoint does not exist \"/blocks/tip\""],
    [`/tx/${none}/more`, 404, `endpoint does not exist "/tx/${none}/more"`],
  ] as const) assert.deepEqual(answer(c, path), { status, body }, path);
});

test("sim: chain: esplora: what was dropped is absent for a server that saw it go", () => {
  const c = chainOf();
  const txid = pay(c.ledger, ours(0), 50_000n, startMs)!;
  cutOff(c, "esplora");
  evict(c.ledger, txid);
  assert.equal(reasonOf(lite(c, { ask: "tx", txid })), "found tx");
  c.kept.esplora = undefined;
  assert.equal(reasonOf(lite(c, { ask: "tx", txid })), "absent");
});
