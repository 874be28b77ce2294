/**
 * The stand-in node's calls by themselves: transport, parameters, wallets, what operators type.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFor } from "../../../sim/chain/address.ts";
import { mine, reorg } from "../../../sim/chain/blocks.ts";
import { healthy, restart, type Chain } from "../../../sim/chain/chain.ts";
import { nextChangeMs } from "../../../sim/chain/faults.ts";
import { answer, methodNames } from "../../../sim/chain/rpc.ts";
import { ask } from "../../../sim/chain/serve.ts";
import { pay } from "../../../sim/chain/till.ts";
import { watch } from "../../support/bitcoind.ts";
import { call, chainOf, core, ours, startMs } from "./questions.ts";

const raw = (c: Chain, body: string, path = "/"): [number, string] => {
  const { status, body: text } = answer(c, path, body, startMs);
  return [status, text];
};

test("sim: chain: rpc: versions, ids, batches and silence", () => {
  const c = chainOf(2);
  assert.deepEqual(raw(c, "{\"method\":\"getblockcount\"}"), [
    200, "{\"result\":2,\"error\":null,\"id\":null}\n",
  ]);
  assert.deepEqual(raw(c, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"getblockcount\"}"), [
    200, "{\"jsonrpc\":\"2.0\",\"result\":2,\"id\":7}\n",
  ]);
  // Without an id, a call of version 2.0 wants no answer.
  assert.deepEqual(raw(c, "{\"jsonrpc\":\"2.0\",\"method\":\"getblockcount\"}"), [204, ""]);
  assert.deepEqual(raw(c, "[{\"jsonrpc\":\"2.0\",\"method\":\"getblockcount\"}]"), [204, ""]);
  assert.deepEqual(raw(c, "[]"), [200, "[]\n"]);
  assert.equal(raw(c, "[{\"id\":1,\"method\":\"getblockcount\"},3]")[1],
    "[{\"result\":2,\"error\":null,\"id\":1},{\"result\":null,\"error\":"
    + "{\"code\":-32600,\"message\":\"Invalid Request object\"},\"id\":null}]\n");
  assert.deepEqual(raw(c, "3"), [400,
    "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Invalid Request object\"},"
    + "\"id\":null}\n"]);
  assert.equal(raw(c, "{\"id\":1}")[0], 400);
  assert.equal(raw(c, "{}", "/rest")[0], 404);
});

test("sim: chain: rpc: parameters by name, too few, too many, of the wrong kind", () => {
  const c = chainOf(4);
  const named = (params: string): string => (
    raw(c, `{"id":1,"method":"getblockhash","params":${params}}`)[1]
  );
  assert.match(named("{\"height\":3}"), /"result":"0{8}/);
  assert.match(named("{\"depth\":3}"), /"code":-8/);
  assert.match(named("[]"), /"code":-1,"message":"getblockhash height"/);
  assert.match(named("[1,2]"), /"code":-1/);
  assert.match(named("[true]"), /"code":-3,.*of type bool is not of expected type number/);
  assert.match(named("[[]]"), /of type array/);
  assert.match(named("[{}]"), /of type object/);
  assert.equal(call(c, "getblockheader", ["zz"]), -8);
  assert.equal(call(c, "getblockheader", ["z".repeat(64)]), -8);
  assert.equal(call(c, "getblockheader", ["a".repeat(64)]), -5);
});

test("sim: chain: rpc: which wallet is meant", () => {
  const c = chainOf(2);
  assert.equal(call(c, "getwalletinfo"), -18);
  call(c, "createwallet", ["a", true]);
  assert.equal((call(c, "getwalletinfo") as { walletname: string }).walletname, "a");
  call(c, "createwallet", ["b", true]);
  assert.equal(call(c, "getwalletinfo"), -19);
  assert.deepEqual(call(c, "listwallets"), ["a", "b"]);
  assert.deepEqual(call(c, "unloadwallet", ["a"]), {});
  assert.equal(call(c, "unloadwallet", ["a"]), -18);
  assert.equal(call(c, "getwalletinfo", [], "a"), -18);
  assert.deepEqual(call(c, "listwalletdir"), { wallets: [{ name: "a" }, { name: "b" }] });
  assert.equal(call(c, "loadwallet", ["none"]), -18);
  assert.deepEqual(call(c, "loadwallet", ["a"]), { name: "a" });
  assert.equal(call(c, "createwallet", ["old", true, true, "", false, false]), -4);
});

test("sim: chain: rpc: a node loads those wallets at its start that it was told to", () => {
  const c = chainOf(2);
  call(c, "createwallet", ["a", true]);
  call(c, "createwallet", ["b", true, true, "", false, true, true]);
  restart(c, startMs);
  assert.deepEqual(call(c, "listwallets"), ["b"]);
  call(c, "loadwallet", ["a", true]);
  call(c, "unloadwallet", ["b", false]);
  restart(c, startMs);
  assert.deepEqual(call(c, "listwallets"), ["a"]);
  assert.equal(call(c, "uptime", [], "", startMs + 5_400), 5);
});

test("sim: chain: rpc: the till pays, bumps and mines; a wallet without keys does not", () => {
  const c = chainOf(1);
  call(c, "createwallet", ["miner"]);
  call(c, "createwallet", ["watch", true]);
  const to = call(c, "getnewaddress", [], "miner");
  assert.equal(call(c, "sendtoaddress", [ours(0), 1], "miner"), -6);
  assert.equal((call(c, "generatetoaddress", [101, to]) as string[]).length, 101);
  assert.equal(call(c, "generatetoaddress", [1, "nowhere"]), -5);
  assert.equal(call(c, "generatetoaddress", [10_001, to]), -8);
  assert.equal(call(c, "sendtoaddress", [ours(0), 1], "watch"), -4);
  assert.equal(call(c, "sendtoaddress", [ours(0), "nothing"]), -3);
  assert.equal(call(c, "sendtoaddress", [ours(0), -1]), -3);
  assert.equal(call(c, "sendtoaddress", ["nowhere", 1]), -5);
  const txid = call(c, "sendtoaddress", [ours(0), "0.5"], "miner") as string;
  assert.deepEqual(call(c, "getrawmempool"), [txid]);
  const { txid: next } = call(c, "bumpfee", [txid]) as { txid: string };
  assert.deepEqual(call(c, "getrawmempool"), [next]);
  assert.equal(call(c, "bumpfee", [txid]), -4);
  assert.equal(call(c, "getnewaddress", [], "watch"), -4);
  type Balances = { mine: { trusted: number; immature: number } };
  const held = call(c, "getbalances", [], "miner") as Balances;
  assert.ok(held.mine.trusted > 99 && held.mine.immature > 4_000);
  assert.equal(call(c, "getbalance", [], "miner"), held.mine.trusted);
});

test("sim: chain: rpc: coins by depth, address, safety and size", () => {
  const c = chainOf(130);
  core(c, { ask: "prepare" });
  pay(c.ledger, ours(0), 5_000n, startMs);
  mine(c.ledger, 2, startMs);
  pay(c.ledger, ours(1), 9_000n, startMs);
  const count = (...params: unknown[]): unknown => {
    const told = call(c, "listunspent", params, "watch");
    return Array.isArray(told) ? told.length : told;
  };
  assert.deepEqual([count(), count(0), count(3), count(0, 1), count(2, 2)], [1, 2, 0, 1, 1]);
  assert.deepEqual([count(0, 99, [ours(1)]), count(0, 99, [addressFor("x")])], [1, 0]);
  assert.equal(count(0, 99, ["x"]), -5);
  // What others pay and no block holds is not safe.
  assert.equal(count(0, 99, [], false), 1);
  assert.equal(count(0, 99, [], true, { minimumAmount: 0.00009 }), 1);
});

test("sim: chain: rpc: what an address received, by transaction", () => {
  const c = chainOf(130);
  core(c, { ask: "prepare" });
  call(c, "setlabel", [ours(9), "empty"], "watch");
  const one = pay(c.ledger, ours(0), 5_000n, startMs);
  mine(c.ledger, 2, startMs);
  const two = pay(c.ledger, ours(0), 9_000n, startMs);
  assert.deepEqual(call(c, "listreceivedbyaddress", [0, false, true, ours(0)], "watch"), [
    { address: ours(0), amount: 0.00014, confirmations: 0, label: "", txids: [one, two] },
  ]);
  assert.deepEqual(call(c, "listreceivedbyaddress", [1], "watch"), [
    { address: ours(0), amount: 0.00005, confirmations: 2, label: "", txids: [one] },
  ]);
  assert.deepEqual(call(c, "listreceivedbyaddress", [1, true, true, ours(9)], "watch"), [
    { address: ours(9), amount: 0, confirmations: 0, label: "empty", txids: [] },
  ]);
  assert.equal(call(c, "listreceivedbyaddress", [1, true, true, "x"], "watch"), -4);
});

test("sim: chain: rpc: descriptors and the node's complaints about them", () => {
  const c = chainOf(3);
  call(c, "createwallet", ["w", true, true]);
  const [{ descriptor }] = watch;
  const imported = (request: object): unknown => {
    const [told] = call(c, "importdescriptors", [[request]], "w") as [
      { success: boolean; error?: { code: number } },
    ];
    return told.error?.code ?? told.success;
  };
  assert.equal(imported({}), -8);
  assert.equal(imported({ desc: descriptor.split("#")[0], timestamp: "now" }), -5);
  assert.equal(imported({ desc: descriptor, timestamp: "now", range: [5, 2] }), -8);
  assert.equal(imported({ desc: descriptor, timestamp: "now", range: 30 }), true);
  const addr = addressFor("fixed");
  const { descriptor: fixed } = call(c, "getdescriptorinfo", [`addr(${addr})`]) as {
    descriptor: string;
  };
  assert.equal(imported({ desc: fixed, timestamp: "now" }), true);
  assert.deepEqual(call(c, "deriveaddresses", [fixed]), [addr]);
  assert.equal(call(c, "deriveaddresses", [descriptor]), -8);
  assert.deepEqual(call(c, "deriveaddresses", [descriptor, [1, 2]]), [ours(1), ours(2)]);
  assert.equal(call(c, "getdescriptorinfo", ["pk(zz)"]), -5);
  assert.equal(call(c, "listdescriptors", [true], "w"), -4);
  assert.equal(call(c, "getaddressinfo", ["x"], "w"), -5);
  call(c, "createwallet", ["miner"]);
  const request = [{ desc: descriptor, timestamp: 0 }];
  const [refused] = call(c, "importdescriptors", [request], "miner") as [
    { error: { code: number } },
  ];
  assert.equal(refused.error.code, -4);
});

test("sim: chain: rpc: a pruned node scans nothing that it has deleted", () => {
  const c = chainOf(130);
  call(c, "createwallet", ["w", true, true]);
  const state = { ...healthy(c.config), prunedBelow: 100 };
  const said = (method: string, params: unknown[]): string => answer(
    c, "/wallet/w", JSON.stringify({ id: 1, method, params }), startMs, state,
  ).body;
  assert.match(said("rescanblockchain", [99]), /"code":-1,.*pruned data/);
  assert.match(said("rescanblockchain", [100]), /"start_height":100/);
  assert.match(said("rescanblockchain", [131]), /"code":-8/);
  assert.match(said("rescanblockchain", [5, 4]), /"code":-8/);
  assert.match(said("rescanblockchain", [5, 131]), /"code":-8/);
  const request = [{ desc: watch[0].descriptor, timestamp: 0 }];
  assert.match(said("importdescriptors", [request]), /"success":false,"error":\{"code":-1/);
  assert.match(said("getblockchaininfo", []), /"pruned":true,"pruneheight":100,/);
  assert.match(said("getblock", [c.ledger.chain[99]]), /"code":-1/);
});

test("sim: chain: rpc: blocks, left-behind ones too, and what an index still knows", () => {
  const c = chainOf(130);
  const txid = pay(c.ledger, ours(0), 5_000n, startMs)!;
  mine(c.ledger, 1, startMs);
  const stale = c.ledger.chain[131];
  reorg(c.ledger, 1, 2, startMs, { leave: "all" });
  c.ledger.pool.clear();
  c.ledger.poolSpends.clear();
  const told = call(c, "getrawtransaction", [txid, 1]) as Record<string, unknown>;
  assert.deepEqual([told["blockhash"], told["confirmations"], told["time"]], [stale, 0, undefined]);
  type Header = { confirmations: number; nextblockhash?: string; tx: string[] };
  const block = call(c, "getblock", [stale]) as Header;
  assert.deepEqual([block.confirmations, block.nextblockhash, block.tx[1]], [-1, undefined, txid]);
  const below = call(c, "getblockheader", [c.ledger.chain[131]]) as Header;
  assert.equal(below.nextblockhash, c.ledger.chain[132]);
  assert.match(String(call(c, "getblock", [stale, 0])), /^[0-9a-f]+$/);
  assert.match(String(call(c, "getblockheader", [stale, false])), /^[0-9a-f]+$/);
  assert.equal(call(c, "gettxout", [txid, 0]), null);
  assert.match(String(call(c, "help")), /getblock/);
  assert.ok(methodNames.includes("listunspent"));
});

test("sim: chain: serve: only the right method, and outages tell when they change", () => {
  const c = chainOf(1);
  const status = (face: "bitcoind" | "esplora", method: string): number => {
    const reply = ask(c, [], face, { method, path: "/", body: "" }, startMs);
    return reply.type === "replied" ? reply.status : 0;
  };
  assert.deepEqual([status("bitcoind", "GET"), status("esplora", "POST")], [405, 405]);
  const outages = [
    { face: "esplora", fault: { kind: "busy" }, fromMs: 10, untilMs: 30 },
    { face: "bitcoind", fault: { kind: "busy" }, fromMs: 20, untilMs: 25 },
  ] as const;
  const changes: number[] = [];
  for (let at = nextChangeMs(outages, 0); at !== undefined; at = nextChangeMs(outages, at)) {
    changes.push(at);
  }
  assert.deepEqual(changes, [10, 20, 25, 30]);
});

test("sim: chain: serve: what was done is done, though its answer is lost", () => {
  const c = chainOf(130);
  const pays = { id: 1, method: "sendtoaddress", params: [ours(0), 1] };
  const asked = { method: "POST", path: "/", body: JSON.stringify(pays) };
  const outage = (kind: "silent" | "refusing"): ReturnType<typeof ask> => ask(c, [
    { face: "bitcoind", fault: { kind }, fromMs: 0, untilMs: startMs + 1 },
  ], "bitcoind", asked, startMs);
  assert.deepEqual(outage("refusing"), { type: "failed", reason: "refused" });
  assert.equal(c.ledger.pool.size, 0);
  assert.deepEqual(outage("silent"), { type: "silent" });
  assert.equal(c.ledger.pool.size, 1);
});
