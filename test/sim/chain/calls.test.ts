/**
 * The stand-in node beside a recorded real one, for every call that the maker makes: what it
 * asks of wallets, addresses, labels and locks. The node is a Knots; what only that one says is
 * passed over.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { mine } from "../../../sim/chain/blocks.ts";
import * as chains from "../../../sim/chain/chain.ts";
import { answer } from "../../../sim/chain/rpc.ts";
import { recorded, watch, type Exchange } from "../../support/bitcoind.ts";
import { shape } from "../../support/shape.ts";
import { call, config, ours, startMs } from "./questions.ts";

const knotsOnly = new Set(["isactive", "use_txids"]);

const foreign = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
const walletFolder = ["", "home", "user", ".bitcoin", "regtest", "wallets"].join("/");

type Asked = { readonly method: string; readonly params: readonly unknown[] };

/** As the recorded node was: its exchanges are one story, told again to the stand-in. */
const c = chains.create({ ...config, walletFolder }, startMs);

/** What happened between two exchanges, before the one of this name. */
const before: { readonly [name: string]: () => void } = {
  "listwallets: one": () => {
    call(c, "createwallet", ["watch", true, true, "", false, true]);
  },
  "listunspent: as the maker asks": () => {
    for (let i = 0; i < 101; i += 1) mine(c.ledger, 1, startMs, { address: ours(0) });
  },
  "listlockunspent: one": () => {
    const { txid, vout } = first();
    call(c, "lockunspent", [false, [{ txid, vout }]], "watch");
  },
  "listunspent: which wallet": () => void call(c, "createwallet", ["other"]),
};

function first(): { txid: string; vout: number } {
  const coin = [...c.ledger.coins.values()].find(({ height }) => height === 1)!;
  const [txid = "", vout] = coin.outpoint.split(":");
  return { txid, vout: Number(vout) };
}

/** Addresses are derived otherwise here. */
function own(params: readonly unknown[], names: ReadonlyMap<unknown, unknown>): unknown[] {
  return params.map((param) => names.get(param) ?? param);
}

const story = recorded("calls");

function namesOf(): ReadonlyMap<unknown, unknown> {
  const addressIn = (name: string): unknown =>
    (JSON.parse(textOf(named(name))) as { result: { address: string } }).result.address;
  return new Map<unknown, unknown>([
    [addressIn("getaddressinfo: ours"), ours(0)],
    [addressIn("getaddressinfo: ours, Taproot"), ours(0, 1)],
    [addressIn("getaddressinfo: ours, change"), ours(0, 0, 1)],
  ]);
}

function named(name: string): Exchange {
  const found = story.find((one) => one.name === name);
  assert.ok(found, name);
  return found;
}

function textOf(one: Exchange): string {
  assert.ok(one.responseText !== undefined, one.name);
  return one.responseText;
}

/** What the maker calls. */
const used = new Set([
  "createwallet", "deriveaddresses", "getaddressinfo", "getbestblockhash", "getblockchaininfo",
  "getblockheader", "getindexinfo", "getmempoolentry", "getmempoolinfo", "getnetworkinfo",
  "getrawtransaction", "gettransaction", "gettxout", "getwalletinfo", "importdescriptors",
  "listdescriptors", "listlockunspent", "listreceivedbyaddress", "listunspent", "listwalletdir",
  "listwallets", "loadwallet", "rescanblockchain", "setlabel",
]);

test("sim: chain: calls: every call of the maker was recorded from a real node", () => {
  const asked = ["errors", "wallet", "transactions", "calls"].flatMap(recorded).flatMap(
    ({ request }) => (request ?? []) as Asked | readonly Asked[],
  ).map(({ method }) => method);
  assert.deepEqual([...used].filter((method) => !asked.includes(method)), []);
});

const names = namesOf();
for (const one of story) {
  test(`sim: chain: calls: ${one.name}: as a real node answers`, () => {
    before[one.name]?.();
    const request = one.request as unknown as Asked;
    const params = own(request.params, names);
    const told = answer(c, one.path, JSON.stringify({ ...request, params }), startMs);
    assert.equal(told.status, one.status);
    const recordedText = textOf(one);
    if (/"error":\{/.test(recordedText)) assert.equal(told.body, recordedText);
    else assert.deepEqual(shape(told.body), shape(recordedText, knotsOnly));
  });
}

test("sim: chain: calls: the recording is of the wallet that the tests watch", () => {
  const imports = named("importdescriptors with timestamp now").request as unknown as Asked;
  const [asked] = imports.params as { desc: string }[][];
  assert.deepEqual(asked?.map(({ desc }) => desc), watch.map(({ descriptor }) => descriptor));
  assert.ok(story.some(({ request }) => JSON.stringify(request).includes(foreign)));
});
