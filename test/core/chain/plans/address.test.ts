import assert from "node:assert/strict";
import { test } from "node:test";
import { begin, resume } from "../../../../core/chain/plans/address.ts";
import {
  ask, config, error, quiet, reasonOf, resultOf, type Asking, type Node,
} from "../../../support/bitcoind.ts";

const ours = "bcrt1qw0p98vtm3pcq8p2xfg4zqnaf4mphfm8638khr6";
const txid = "7f2e946ee6bb39dbf5106b53fbf804d94fb1f757ff7275c09e95fbfc34384848";
const received = (...txids: string[]): string => JSON.stringify([{ address: ours, txids }]);
const confirmed = resultOf("transactions", "getrawtransaction confirmed once");
const unconfirmed = resultOf("transactions", "getrawtransaction after its block was disconnected");
const inMempool = resultOf("transactions", "getmempoolentry");
const notThere = error(-5, "Transaction not in mempool");

const address = (other: Node, limits: Partial<typeof config> = {}): Asking => ask(
  { ask: "address", address: ours }, { ...quiet, ...other }, { ...config, ...limits },
);

test("chain: address: each output that paid it, spent since or not", () => {
  const asking = address({
    listreceivedbyaddress: received(txid), gettransaction: confirmed, getmempoolentry: notThere,
  });
  assert.deepEqual(asking.answer, {
    ok: true, ask: "address",
    payments: [{ txid, vout: 0, valueSat: 123_456_789n, confirmations: 1 }],
  });
  assert.equal(asking.sent.length, 2);
});

test("chain: address: what waits in the mempool counts, what fell out of it does not", () => {
  const paid = (getmempoolentry: ReturnType<typeof error>): string => reasonOf(address({
    listreceivedbyaddress: received(txid), gettransaction: unconfirmed, getmempoolentry,
  }).answer);
  assert.equal(paid(inMempool), "found address");
  assert.equal(paid(notThere), "absent");
  assert.equal(paid(error(-28)), "warming-up");
});

test("chain: address: hazard 3: nothing paid it only if the wallet would know", () => {
  const reason = (other: Node): string => reasonOf(address(other).answer);
  assert.equal(reason({}), "absent");
  assert.equal(reason({ getaddressinfo: "{\"ismine\":false}" }), "no-index");
  assert.equal(reason({ getmempoolinfo: "{\"loaded\":false}" }), "warming-up");
  const scanning = "{\"private_keys_enabled\":false,\"scanning\":{\"progress\":0.5}}";
  assert.equal(reason({ getwalletinfo: scanning }), "rescanning");
  const fell = { listreceivedbyaddress: received(txid), gettransaction: unconfirmed,
    getmempoolentry: notThere };
  assert.equal(reason({ ...fell, getwalletinfo: scanning }), "rescanning");
  for (const method of ["listreceivedbyaddress", "getblockchaininfo", "getaddressinfo"]) {
    assert.equal(reason({ [method]: error(-1) }), "refused", method);
    assert.equal(reason({ [method]: "7" }), "nonsense", method);
  }
});

test("chain: address: more payments than the limit is refused", () => {
  const many = {
    listreceivedbyaddress: received(...Array.from({ length: 3 }, () => txid)),
    gettransaction: confirmed, getmempoolentry: notThere,
  };
  assert.equal(address(many, { paymentsMax: 3 }).answer.ok, true);
  assert.equal(reasonOf(address(many, { paymentsMax: 2 }).answer), "too-many");
});

test("chain: address: a transaction that cannot be read spoils the answer", () => {
  const reason = (gettransaction: ReturnType<typeof error>): string => reasonOf(address({
    listreceivedbyaddress: received(txid), gettransaction, getmempoolentry: notThere,
  }).answer);
  assert.equal(reason("{}"), "nonsense");
  assert.equal(reason(error(-5)), "refused");
  assert.equal(reason(resultOf("transactions", "gettransaction confirmed once")), "nonsense");
});

test("chain: address: begin and resume", () => {
  const move = begin(config, ours);
  assert.ok(move.type === "call" && move.isWallet);
  assert.equal(resume(config, move.stage, [error(-28) as never]).type, "done");
});
