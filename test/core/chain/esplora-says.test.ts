import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as says from "../../../core/chain/esplora-says.ts";

const limits = { depthMax: 12, nodesMax: 1_000 };
const id = "ab".repeat(32);
const hash = "cd".repeat(32);

const shown = (status: number, body: string): string => {
  const reply = says.read(status, body);
  if (reply.type !== "trouble") return reply.type;
  return `${reply.answer.reason} ${reply.answer.fault.code}`;
};

test("esplora: replies: only its own words mean that something is not there", () => {
  assert.equal(shown(404, "Transaction not found"), "absent");
  assert.equal(shown(404, "Block not found\n"), "absent");
  const others = [
    "", "404 page not found", "Not Found", "<html>Transaction not found</html>",
    "{\"error\":\"Transaction not found\"}", "Transaction not found here",
    "endpoint does not exist",
  ];
  for (const body of others) assert.equal(shown(404, body), "nonsense esplora-404", body);
});

test("esplora: replies: statuses", () => {
  const cases: readonly (readonly [number, string, string])[] = [
    [200, "x", "said"], [200, "", "said"], [200, " <!DOCTYPE html>", "nonsense esplora-html"],
    [400, "Invalid hex string", "refused esplora-400"], [401, "", "refused esplora-forbidden"],
    [403, "", "refused esplora-forbidden"], [429, "", "busy esplora-busy"],
    [503, "", "busy esplora-busy"], [500, "", "unreachable esplora-5xx"],
    [502, "<html>", "unreachable esplora-5xx"], [599, "", "unreachable esplora-5xx"],
    [301, "", "nonsense esplora-status"], [600, "", "nonsense esplora-status"],
  ];
  for (const [status, body, expected] of cases) assert.equal(shown(status, body), expected);
});

test("esplora: replies: hashes and blocks", () => {
  assert.equal(says.hash(`${hash}\n`), hash);
  assert.equal(says.hash(hash.toUpperCase()), undefined);
  assert.deepEqual(says.block(`{"id":"${hash}","height":5,"timestamp":7,"x":1}`, limits), {
    hash, height: 5, timeS: 7,
  });
  assert.equal(says.block(`{"id":"${hash}","height":-5,"timestamp":7}`, limits), undefined);
  assert.equal(says.isKept("{\"in_best_chain\":false,\"next_best\":null}", limits), false);
  assert.equal(says.isKept("{}", limits), undefined);
});

test("esplora: replies: how an address was used", () => {
  const stats = (txs: number, funded: number, spent: number): string =>
    `{"funded_txo_count":${funded},"spent_txo_count":${spent},"tx_count":${txs}}`;
  const usage = (chain: string, mempool: string): unknown =>
    says.usage(`{"chain_stats":${chain},"mempool_stats":${mempool}}`, limits);
  const none = stats(0, 0, 0);
  assert.deepEqual(usage(none, none), { isUsed: false, unspent: 0 });
  assert.deepEqual(usage(stats(2, 1, 1), none), { isUsed: true, unspent: 0 });
  assert.deepEqual(usage(stats(1, 1, 0), stats(1, 0, 1)), { isUsed: true, unspent: 0 });
  assert.deepEqual(usage(none, stats(1, 2, 0)), { isUsed: true, unspent: 2 });
  assert.equal(usage("{}", none), undefined);
});

test("esplora: replies: coins, confirmed and not", () => {
  const utxo = (value: string, status: string): string =>
    `[{"txid":"${id}","vout":1,"value":${value},"status":${status}}]`;
  const confirmed = `{"confirmed":true,"block_height":9,"block_hash":"${hash}","block_time":1}`;
  assert.deepEqual(says.utxos(utxo("5", confirmed), limits), [
    { outpoint: `${id}:1`, valueSat: 5n, place: { height: 9, blockHash: hash } },
  ]);
  const [waiting] = says.utxos(utxo("5", "{\"confirmed\":false}"), limits)!;
  assert.equal(waiting?.place, undefined);
  const wrong = [["0.5", confirmed], ["-1", confirmed], ["\"5\"", confirmed], ["5", "{}"],
    ["5", "{\"confirmed\":true}"]] as const;
  for (const [value, status] of wrong) {
    assert.equal(says.utxos(utxo(value, status), limits), undefined, `${value} ${status}`);
  }
});

test("esplora: replies: transactions and lists of them", () => {
  const text = `{"txid":"${id}","vout":[{"value":7,"scriptpubkey_address":"a"},{"value":0}],` +
    "\"status\":{\"confirmed\":false}}";
  const told = {
    txid: id, place: undefined,
    outputs: [
      { vout: 0, valueSat: 7n, address: "a" }, { vout: 1, valueSat: 0n, address: undefined },
    ],
  };
  assert.deepEqual(says.tx(text, limits), told);
  assert.deepEqual(says.txs(`[${text}]`, limits), [told]);
  assert.equal(says.tx(text.replace("7", "7.5"), limits), undefined);
  assert.equal(says.garbled().reason, "nonsense");
});

test("esplora: replies: cut off or random, nothing throws and nothing is made up", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
    assert.equal(says.utxos(body, limits)?.length ?? 0, 0);
    assert.equal(says.tx(body, limits), undefined);
    assert.equal(says.usage(body, limits), undefined);
    assert.equal(says.block(body, limits), undefined);
    void says.isKept(body, limits);
    void says.hash(body);
  }), { numRuns: 200 });
});
