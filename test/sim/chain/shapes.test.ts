/**
 * The stand-in node's answers beside the recorded ones of a real node: the same members in the same
 * order, of the same types, numbers written in the same form; errors to the letter.
 * @module
 */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { addressFor } from "../../../sim/chain/address.ts";
import { mine, reorg } from "../../../sim/chain/blocks.ts";
import * as chains from "../../../sim/chain/chain.ts";
import { healthy, type Chain } from "../../../sim/chain/chain.ts";
import { answer } from "../../../sim/chain/rpc.ts";
import { spend } from "../../../sim/chain/till.ts";
import { recorded, watch, type Exchange } from "../../support/bitcoind.ts";
import { shape } from "../../support/shape.ts";
import { call, config, ours, startMs } from "./questions.ts";

type Scene = { readonly c: Chain; readonly nowMs: number };

/** Our chain brought to where the recorded node was, by the name of the exchange. */
const scenes = new Map<string, { scene: () => Scene; params?: (s: Scene) => unknown[] }>();

function empty(): Scene {
  // As in the recording.
  const walletFolder = ["", "home", "user", ".bitcoin", "regtest", "wallets"].join("/");
  return { c: chains.create({ ...config, walletFolder }, startMs), nowMs: startMs };
}

/** At height 130, every coinbase to our first address, a wallet with keys and one that watches. */
function mined(): Scene {
  const s = empty();
  call(s.c, "createwallet", ["miner"]);
  for (let i = 0; i < 130; i += 1) mine(s.c.ledger, 1, startMs, { address: ours(0) });
  call(s.c, "createwallet", ["watch", true, true, "", false, true]);
  call(s.c, "importdescriptors", [watch.map(({ descriptor, branch }) => (
    { desc: descriptor, timestamp: 0, range: [0, 20], internal: branch === 1 }
  ))], "watch");
  return s;
}

/** The miner can pay. */
function funded(): Scene {
  const s = empty();
  call(s.c, "createwallet", ["miner"]);
  mine(s.c.ledger, 101, startMs);
  return s;
}

/** Our first coin pays our second address and our change address. */
function paying(feeSat = 2_820n): Scene & { txid: string } {
  const s = mined();
  return { ...s, txid: replace(s, feeSat) };
}

function replace({ c }: Scene, feeSat: bigint): string {
  const coin = [...c.ledger.coins.values()][0]!;
  const rest = coin.valueSat - 123_456_789n - feeSat;
  const sent = spend(c.ledger, [coin.outpoint], [
    { address: ours(1), valueSat: 123_456_789n }, { address: ours(0, 0, 1), valueSat: rest },
  ], startMs);
  assert.ok(sent.ok);
  call(c, "getwalletinfo", [], "watch");
  return sent.txid;
}

function replaced(): Scene & { old: string; txid: string } {
  const s = paying();
  return { ...s, old: s.txid, txid: replace(s, 3_526n) };
}

function confirmed(): Scene & { old: string; txid: string } {
  const s = replaced();
  mine(s.c.ledger, 1, startMs, { address: ours(0) });
  return s;
}

/** The branch after the payment's block was left behind; with as many others in its place. */
function left(others: number): Scene & { txid: string; stale: string } {
  const s = confirmed();
  const stale = s.c.ledger.chain.at(-1)!;
  reorg(s.c.ledger, 1, others, startMs);
  return { ...s, stale };
}

before(() => {
  let made: Scene | undefined;
  const shared = (): Scene => (made ??= mined());
  const at = <S extends Scene>(
    name: string, scene: () => S, params?: (s: S) => unknown[],
  ): void => {
    let one: S | undefined;
    const once = (): S => (one ??= scene());
    scenes.set(name, params === undefined ? { scene: once }
      : { scene: once, params: () => params(once()) });
  };
  for (const name of [
    "getnetworkinfo", "getmempoolinfo", "estimatesmartfee without data", "uptime",
    "createwallet with keys", "unknown method", "wrong type", "height out of range",
    "wallet not loaded", "batch of two, one unknown", "jsonrpc 2.0 error", "not JSON",
    "createwallet watch-only, blank, descriptors", "getdescriptorinfo", "stop",
    "getrawtransaction unknown",
  ]) at(name, empty);
  at("getblockchaininfo", empty);
  for (const name of [
    "createwallet that exists", "loadwallet already loaded", "getblockchaininfo at 130",
    "getbalances", "importdescriptors bad descriptor", "listdescriptors watch-only",
    "getwalletinfo idle", "rescanblockchain from 120",
    "listunspent (many coinbases, truncated by amount filter)",
    "gettransaction unknown to the wallet",
    "importdescriptors with rescan from 0",
  ]) at(name, shared);
  for (const name of [
    "getrawtransaction in mempool", "gettransaction in mempool, watch-only wallet",
  ]) at(name, paying, ({ txid }) => [txid, true]);
  at("getmempoolentry", paying, ({ txid }) => [txid]);
  at("gettxout unconfirmed, with mempool", paying, ({ txid }) => [txid, 0, true]);
  at("gettxout unconfirmed, without mempool", paying, ({ txid }) => [txid, 0, false]);
  at("listunspent unconfirmed only", paying, () => [0, 0, [ours(1)]]);
  at("sendtoaddress replaceable", funded, () => [addressFor("x"), 1.5, "", "", false, true]);
  at("bumpfee", () => {
    const s = funded();
    return { ...s, txid: call(s.c, "sendtoaddress", [addressFor("x"), 1], "miner") as string };
  }, ({ txid }) => [txid]);
  at("getrawtransaction of a replaced transaction", replaced, ({ old }) => [old, true]);
  at("gettransaction of a replaced transaction", replaced, ({ old }) => [old, true]);
  at("getrawtransaction confirmed once", confirmed, ({ txid }) => [txid, true]);
  at("gettransaction confirmed once", confirmed, ({ txid }) => [txid, true]);
  at("getmempoolentry no longer in mempool", confirmed, ({ txid }) => [txid]);
  at("getbestblockhash", confirmed);
  at("getblockheader", confirmed, ({ c }) => [c.ledger.chain.at(-1)]);
  at("getrawtransaction after its block was disconnected", () => left(0), (s) => [s.txid, true]);
  at("gettransaction after its block was disconnected", () => left(0), (s) => [s.txid, true]);
  at("getblockheader of a stale block (confirmations -1)", () => left(0), (s) => [s.stale]);
  at("getrawtransaction confirmed again on another branch", () => left(2), (s) => [s.txid, true]);
  at("getblockcount", () => left(2));
  at("getchaintips", () => left(2));
});

/** Needs keys or reads raw transactions, is not served; or has no answer at all. */
const unserved = new Set([
  "testmempoolaccept", "sendrawtransaction", "listsinceblock", "scantxoutset",
]);

function replyTo(one: Exchange, scene: Scene, params: unknown[] | undefined): {
  status: number; body: string;
} {
  const raw = (one as { rawRequest?: string }).rawRequest;
  if (raw !== undefined) return answer(scene.c, one.path, raw, scene.nowMs);
  const { request } = one;
  const isOne = request !== null && request !== undefined && "method" in request;
  const asked = isOne && params !== undefined ? { ...request, params } : request;
  return answer(scene.c, one.path, JSON.stringify(asked), scene.nowMs);
}

const all = ["errors", "wallet", "transactions", "shutdown"].flatMap((file) => recorded(file));

for (const one of all) {
  if (one.responseText === undefined || one.status === 401 || one.name === "warm-up") continue;
  const method = one.request !== null && one.request !== undefined && "method" in one.request
    ? one.request.method : "";
  if (unserved.has(method)) continue;
  test(`sim: chain: shapes: ${one.name}: as a real node answers`, () => {
    const found = scenes.get(one.name);
    assert.ok(found, "every recorded exchange has its scene");
    const scene = found.scene();
    const { status, body } = replyTo(one, scene, found.params?.(scene));
    assert.equal(status, one.status);
    if (/"error":\{/.test(one.responseText!)) assert.equal(body, one.responseText);
    else {
      assert.deepEqual(shape(body), shape(one.responseText!));
      assert.equal(body.endsWith("\n"), one.responseText!.endsWith("\n"));
    }
  });
}

test("sim: chain: shapes: warm-up: as a real node answers", () => {
  const exchanges = all.filter(({ name }) => name === "warm-up");
  assert.equal(exchanges.length, 5);
  for (const one of exchanges) {
    const { c, nowMs } = empty();
    const warmUp = /"message":"([^"]*)"/.exec(one.responseText!)![1]!;
    const state = { ...healthy(c.config), warmUp };
    const told = answer(c, one.path, JSON.stringify(one.request), nowMs, state);
    assert.deepEqual([told.status, told.body], [one.status, one.responseText]);
  }
});
