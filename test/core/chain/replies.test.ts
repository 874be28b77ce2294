import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as replies from "../../../core/chain/replies.ts";
import { allOf, field } from "../../../core/chain/fields.ts";
import { parse, type Json } from "../../../core/joinmarket/json.ts";
import { resultOf } from "../../support/bitcoind.ts";

const json = (text: string): Json => {
  const parsed = parse(text, { depthMax: 12, nodesMax: 100_000 });
  assert.ok(parsed.ok);
  return parsed.value;
};
const result = (file: string, name: string): Json => json(resultOf(file, name));

test("chain: replies: the chain, at its first block and later", () => {
  const first = replies.chainOf(result("wallet", "getblockchaininfo"));
  assert.deepEqual(first, {
    chain: "regtest", blocks: 0, headers: 0, timeS: 1_296_688_602, isInitial: true, prunedBelow: 0,
    hash: "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
  });
  const later = replies.chainOf(result("wallet", "getblockchaininfo at 130"));
  assert.deepEqual([later?.blocks, later?.isInitial], [130, false]);
  const pruned = json(resultOf("wallet", "getblockchaininfo at 130")
    .replace("\"pruned\":false", "\"pruned\":true,\"pruneheight\":77"));
  assert.equal(replies.chainOf(pruned)?.prunedBelow, 77);
  const old = json(resultOf("wallet", "getblockchaininfo at 130")
    .replace("\"time\":1795298712,", ""));
  assert.equal(replies.chainOf(old)?.timeS, 1_795_298_711, "before 23.0");
});

test("chain: replies: the node and its mempool", () => {
  const node = replies.nodeOf(result("wallet", "getnetworkinfo"));
  assert.deepEqual(node, { version: 300_000, peers: 0, isTold: true });
  const deaf = resultOf("wallet", "getnetworkinfo")
    .replace("\"localrelay\":true", "\"localrelay\":false");
  assert.equal(replies.nodeOf(json(deaf))?.isTold, false);
  const strange = "{\"version\":300000,\"connections\":8,\"localrelay\":\"no\"}";
  assert.equal(replies.nodeOf(json(strange)), undefined);
  assert.equal(replies.mempoolLoadedOf(result("wallet", "getmempoolinfo")), true);
  assert.equal(replies.hasTxIndexOf(json("{\"txindex\":{\"synced\":true}}")), true);
  assert.equal(replies.hasTxIndexOf(json("{\"txindex\":{\"synced\":false}}")), false);
  assert.equal(replies.hasTxIndexOf(json("{}")), false);
});

test("chain: replies: a wallet, idle and searching", () => {
  const text = resultOf("wallet", "getwalletinfo idle");
  assert.deepEqual(replies.walletOf(json(text)), {
    hasKeys: false, isDescriptors: true, scanning: undefined,
  });
  const scanning = (progress: string): replies.Wallet | undefined => replies.walletOf(json(
    text.replace("\"scanning\":false", `"scanning":{"duration":9,"progress":${progress}}`),
  ));
  assert.deepEqual(scanning("0.25190311418685")?.scanning, { permille: 251, atHeight: undefined });
  assert.deepEqual(scanning("1e-9")?.scanning, { permille: 0, atHeight: undefined });
  assert.equal(scanning("\"half\""), undefined);
});

test("chain: replies: coins, to the satoshi, with their descriptors", () => {
  const all = allOf(
    result("wallet", "listunspent (many coinbases, truncated by amount filter)"), replies.unspentOf,
  );
  assert.equal(all?.length, 30);
  assert.equal(all[0]?.valueSat, 5_000_000_000n);
  assert.match(all[0]?.desc ?? "", /^wpkh\(\[67a47aff\/84h\/1h\/0h\/0\/0\]/);
  assert.equal(all[0]?.parents.length, 1);
  const [one] = allOf(result("transactions", "listunspent unconfirmed only"), replies.unspentOf)!;
  assert.equal(one?.valueSat, 123_456_789n);
  assert.equal(one.confirmations, 0);
});

test("chain: replies: one output, unspent or not", () => {
  const out = replies.txOutOf(result("transactions", "gettxout unconfirmed, with mempool"));
  assert.deepEqual([out?.valueSat, out?.confirmations], [123_456_789n, 0]);
  const none = replies.txOutOf(result("transactions", "gettxout unconfirmed, without mempool"));
  assert.equal(none, null);
});

test("chain: replies: a transaction in the mempool, replaced, in a block, out of it", () => {
  const told = (name: string): replies.Told | undefined =>
    replies.toldOf(result("transactions", name));
  const mempool = told("getrawtransaction in mempool");
  assert.deepEqual([mempool?.confirmations, mempool?.blockHash], [0, undefined]);
  assert.deepEqual(mempool?.outputs?.[0], {
    vout: 0, valueSat: 123_456_789n, address: "bcrt1qw0p98vtm3pcq8p2xfg4zqnaf4mphfm8638khr6",
  });
  assert.deepEqual(told("gettransaction of a replaced transaction")?.conflicts, [
    "7f2e946ee6bb39dbf5106b53fbf804d94fb1f757ff7275c09e95fbfc34384848",
  ]);
  const block = told("gettransaction confirmed once");
  assert.deepEqual([block?.confirmations, block?.height], [1, 131]);
  assert.equal(told("getrawtransaction after its block was disconnected")?.confirmations, 0);
  assert.equal(told("getrawtransaction confirmed again on another branch")?.confirmations, 2);
});

test("chain: replies: headers, also of a block that was left behind", () => {
  const header = (name: string): unknown => replies.headerOf(result("transactions", name));
  assert.deepEqual(header("getblockheader"), { confirmations: 1, height: 131 });
  assert.deepEqual(header("getblockheader of a stale block (confirmations -1)"), {
    confirmations: -1, height: 131,
  });
});

test("chain: replies: descriptors, imports and scans", () => {
  const held = allOf(
    field(result("wallet", "listdescriptors watch-only"), "descriptors"), replies.descriptorOf,
  );
  // The wallet keeps a thousand addresses ahead of the last one that was paid.
  assert.deepEqual(held?.map(({ end }) => end), [999, 999, 1_000, 999]);
  const imports = (name: string): unknown => allOf(result("wallet", name), replies.importOf);
  assert.deepEqual(imports("importdescriptors with rescan from 0"),
    Array.from({ length: 4 }, () => ({ ok: true, code: 0, message: "" })));
  const [bad] = imports("importdescriptors bad descriptor") as { ok: boolean; code: number }[];
  assert.deepEqual([bad?.ok, bad?.code], [false, -5]);
  assert.deepEqual(replies.scanOf(result("wallet", "rescanblockchain from 120")), {
    from: 120, to: 130,
  });
});

test("chain: replies: addresses, and what paid them", () => {
  const info = json("{\"ismine\":true,\"desc\":\"d\",\"parent_desc\":\"p\",\"labels\":[\"l\"]}");
  assert.deepEqual(replies.addressInfoOf(info), {
    isMine: true, desc: "d", parent: "p", labels: ["l"],
  });
  const id = "ab".repeat(32);
  const received = json(`[{"address":"other","txids":[]},{"address":"a","txids":["${id}"]}]`);
  assert.deepEqual(replies.receivedOf(received, "a"), [id]);
  assert.deepEqual(replies.receivedOf(received, "b"), []);
  assert.equal(replies.receivedOf(json("{}"), "a"), undefined);
});

test("chain: replies: amounts that are none, negative coins and wrong ids are refused", () => {
  const [text] = /\{.*\}/.exec(resultOf("transactions", "listunspent unconfirmed only"))!;
  assert.ok(replies.unspentOf(json(text)) !== undefined);
  const swaps: readonly (readonly [string, string])[] = [
    ["1.23456789", "1.234567891"], ["1.23456789", "-1.23456789"], ["1.23456789", "null"],
    ["\"confirmations\":0", "\"confirmations\":-1"], ["\"vout\":0", "\"vout\":\"0\""],
    ["\"txid\":\"a26059", "\"txid\":\"A26059"],
  ];
  for (const [from, to] of swaps) {
    assert.equal(replies.unspentOf(json(text.replace(from, to))), undefined, to);
  }
});

test("chain: replies: no value makes a reader throw", () => {
  const readers = [
    replies.chainOf, replies.nodeOf, replies.walletOf, replies.unspentOf, replies.outpointOf,
    replies.txOutOf, replies.addressInfoOf, replies.toldOf, replies.headerOf, replies.descriptorOf,
    replies.importOf, replies.scanOf, replies.mempoolLoadedOf, replies.hasTxIndexOf,
    (j: Json) => replies.receivedOf(j, "a"),
  ];
  fc.assert(fc.property(fc.json({ maxDepth: 3 }), (text) => {
    const parsed = parse(text);
    if (parsed.ok) for (const reader of readers) void reader(parsed.value);
  }), { numRuns: 200 });
});
