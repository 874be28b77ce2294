import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tx } from "../../../../core/chain/chain.ts";
import { begin, resume } from "../../../../core/chain/plans/tx.ts";
import {
  ask, chainAt, config, error, hashAt, quiet, reasonOf, resultOf, type Asking, type Node,
} from "../../../support/bitcoind.ts";

const replaced = "a26059641450545e18c258660f481e8e263108aff7ad9f32bcf2cf795a47ebf6";
const payment = "7f2e946ee6bb39dbf5106b53fbf804d94fb1f757ff7275c09e95fbfc34384848";
const said = (name: string): string => resultOf("transactions", name);
const noIndex: Node = { getindexinfo: "{}" };

const tx = (other: Node, txid = payment, address?: string): Asking => ask(
  address === undefined ? { ask: "tx", txid } : { ask: "tx", txid, address },
  { ...quiet, ...other },
);

function found(asking: Asking): Tx {
  assert.ok(asking.answer.ok && asking.answer.ask === "tx", reasonOf(asking.answer));
  return asking.answer.tx;
}

test("chain: tx: in the mempool", () => {
  const asking = tx({
    getrawtransaction: said("getrawtransaction in mempool"),
    gettransaction: said("gettransaction in mempool, watch-only wallet"),
  }, replaced);
  const { confirmations, outputs, blockHash } = found(asking);
  assert.equal(confirmations, 0);
  assert.equal(blockHash, undefined);
  assert.deepEqual(outputs.map(({ valueSat }) => valueSat), [123_456_789n, 4_876_540_391n]);
  assert.equal(asking.sent.length, 1);
});

test("chain: tx: in a block, with its height, as the wallet or only the index knows it", () => {
  const both = found(tx({
    getrawtransaction: said("getrawtransaction confirmed once"),
    gettransaction: said("gettransaction confirmed once"),
  }));
  assert.deepEqual([both.confirmations, both.height], [1, 131]);
  assert.equal(both.blockHash, "008e31fa682aa286c23423e783466fc24bc655e30234ec4fcb0a65d7f57f0a0f");
  assert.equal(both.outputs.length, 2);
  const index = found(tx({
    getrawtransaction: said("getrawtransaction confirmed again on another branch"),
    getblockchaininfo: chainAt(132), getbestblockhash: JSON.stringify(hashAt(132)),
  }));
  assert.deepEqual([index.confirmations, index.height], [2, 131]);
  const wallet = found(tx({ ...noIndex, gettransaction: said("gettransaction confirmed once") }));
  assert.deepEqual([wallet.confirmations, wallet.height], [1, 131]);
});

test("chain: tx: its block was disconnected: back in the mempool", () => {
  const { confirmations } = found(tx({
    getrawtransaction: said("getrawtransaction after its block was disconnected"),
    gettransaction: said("gettransaction after its block was disconnected"),
  }));
  assert.equal(confirmations, 0);
});

test("chain: tx: hazard 4: replaced: the wallet knows it for ever, and it is nowhere", () => {
  const { answer } = tx({
    getrawtransaction: error(-5, "No such mempool transaction."),
    gettransaction: said("gettransaction of a replaced transaction"),
  }, replaced);
  assert.deepEqual(answer, { ok: false, why: "absent", conflicts: [payment] });
});

test("chain: tx: hazard 4: in conflict with a block: told as decided", () => {
  const conflicted = said("gettransaction of a replaced transaction")
    .replace("\"confirmations\":0", "\"confirmations\":-2");
  const { confirmations, height } = found(tx({ gettransaction: conflicted }, replaced));
  assert.deepEqual([confirmations, height], [-2, undefined]);
  const deaf = "{\"version\":300000,\"connections\":8,\"localrelay\":false}";
  const blocksOnly = tx({ gettransaction: conflicted, getnetworkinfo: deaf }, replaced);
  assert.equal(found(blocksOnly).confirmations, -2, "blocks are what it hears of");
});

test("chain: tx: a conflict that only a node alone or behind knows of is not decided", () => {
  const conflicted = said("gettransaction of a replaced transaction")
    .replace("\"confirmations\":0", "\"confirmations\":-2");
  const asking = (other: Node, peersMin: number): string => reasonOf(ask(
    { ask: "tx", txid: replaced }, { ...quiet, gettransaction: conflicted, ...other },
    { ...config, peersMin },
  ).answer);
  const alone: Node = { getnetworkinfo: "{\"version\":300000,\"connections\":0}" };
  assert.equal(asking(alone, 1), "syncing");
  assert.equal(asking({ getblockchaininfo: chainAt(130, { headers: 131 }) }, 0), "syncing");
});

test("chain: tx: known to an index from a block that was left behind only: nowhere", () => {
  const left = said("getrawtransaction confirmed once")
    .replace("\"confirmations\":1", "\"confirmations\":0");
  assert.equal(reasonOf(tx({ getrawtransaction: left }).answer), "absent");
});

test("chain: tx: hazard 3: absent only if the node can know", () => {
  const reason = (other: Node, address?: string): string =>
    reasonOf(tx(other, payment, address).answer);
  assert.equal(reason({}), "absent");
  assert.equal(reason({ getblockchaininfo: chainAt(130, { headers: 131 }) }), "syncing");
  assert.equal(reason({ getmempoolinfo: "{\"loaded\":false}" }), "warming-up");
  assert.equal(reason(noIndex), "no-index");
  assert.equal(reason({ getindexinfo: "{\"txindex\":{\"synced\":false}}" }), "no-index");
  assert.equal(reason({ getindexinfo: error(-1) }), "refused");
  const ours = "bcrt1qrqfavdzrhxsnnxwz6ck0035mrm96qpap0srxh9";
  assert.equal(reason(noIndex, ours), "absent", "the wallet would know of what pays it");
  assert.equal(reason({ ...noIndex, getaddressinfo: "{\"ismine\":false}" }, ours), "no-index");
  const scanning = "{\"private_keys_enabled\":false,\"scanning\":{\"progress\":0.5}}";
  assert.equal(reason({ ...noIndex, getwalletinfo: scanning }, ours), "rescanning");
  assert.equal(reason({ getwalletinfo: scanning }, ours), "absent", "the index does not scan");
});

test("chain: tx: hazard 3: no other error is an absence", () => {
  for (const method of ["gettransaction", "getrawtransaction", "getblockchaininfo",
    "getmempoolinfo", "getnetworkinfo", "getwalletinfo", "getbestblockhash"]) {
    assert.equal(reasonOf(tx({ [method]: error(-28) }).answer), "warming-up", method);
    assert.equal(reasonOf(tx({ [method]: error(-1) }).answer), "refused", method);
    assert.equal(reasonOf(tx({ [method]: "7" }).answer), "nonsense", method);
  }
});

test("chain: tx: a node without peers cannot know what it has missed", () => {
  const alone = ask({ ask: "tx", txid: payment }, {
    ...quiet, getnetworkinfo: "{\"version\":300000,\"connections\":0}",
  }, { ...config, peersMin: 1 });
  assert.equal(reasonOf(alone.answer), "syncing");
});

test("chain: tx: hazard 3: a node that hears only of blocks finds, and never says absent", () => {
  const deaf = { getnetworkinfo: "{\"version\":300000,\"connections\":8,\"localrelay\":false}" };
  assert.equal(reasonOf(tx(deaf).answer), "blocks-only");
  const told = said("gettransaction of a replaced transaction");
  const replacedThere = { ...deaf, gettransaction: told };
  assert.equal(reasonOf(tx(replacedThere, replaced).answer), "blocks-only");
  const inBlock = { ...deaf, getrawtransaction: said("getrawtransaction confirmed once") };
  assert.equal(found(tx(inBlock)).confirmations, 1);
});

test("chain: tx: a block between the calls: asked again, for it may be in neither place", () => {
  let round = 0;
  const asking = tx({
    getbestblockhash: () => {
      round += 1;
      return JSON.stringify(hashAt(round === 1 ? 129 : 130));
    },
    getrawtransaction: () => (round <= 2 ? error(-5)
      : said("getrawtransaction confirmed once")),
  });
  assert.equal(found(asking).confirmations, 1);
  assert.equal(asking.sent.length, 2);
  let turn = 0;
  const never = tx({
    getbestblockhash: () => {
      turn += 1;
      return JSON.stringify(hashAt(turn));
    },
  });
  assert.equal(reasonOf(never.answer), "unsettled");
  assert.equal(never.sent.length, config.attemptsMax);
});

test("chain: tx: begin and resume", () => {
  const move = begin(config, payment, undefined);
  assert.ok(move.type === "call" && move.isWallet);
  assert.equal(resume(config, move.stage, []).type, "done");
});
