import assert from "node:assert/strict";
import { test } from "node:test";
import type { Coin } from "../../../../core/chain/chain.ts";
import { begin, resume } from "../../../../core/chain/plans/coins.ts";
import {
  ask, chainAt, config, error, hashAt, quiet, reasonOf, resultOf, watch, type Asking, type Node,
} from "../../../support/bitcoind.ts";

const coins = (other: Node, limits: Partial<typeof config> = {}): Asking =>
  ask({ ask: "coins" }, { ...quiet, ...other }, { ...config, ...limits });

function found(asking: Asking): readonly Coin[] {
  assert.ok(asking.answer.ok && asking.answer.ask === "coins", reasonOf(asking.answer));
  return asking.answer.coins;
}

const txid = (n: number): string => n.toString(16).padStart(64, "0");

type Listed = { readonly n: number; readonly mixdepth?: number; readonly amount?: string };
function listed({ n, mixdepth = 0, amount = "0.00010000" }: Listed): string {
  const { descriptor } = watch[2 * mixdepth]!;
  const kind = mixdepth === 0 ? "wpkh" : "tr";
  const desc = `${kind}([67a47aff/${mixdepth === 0 ? 84 : 86}h/1h/0h/0/${n}]02ab)#x`;
  return `{"txid":"${txid(n)}","vout":1,"address":"bcrt1qaddress${n}","amount":${amount},` +
    `"confirmations":3,"desc":"${desc}","parent_descs":["${descriptor}"]}`;
}

test("chain: coins: one request when nothing is locked", () => {
  const asking = coins({
    listunspent: resultOf("wallet", "listunspent (many coinbases, truncated by amount filter)"),
  });
  const all = found(asking);
  assert.equal(all.length, 30);
  assert.ok(all.every((coin) => coin.mixdepth === 0 && coin.branch === 0 && coin.index === 0));
  assert.ok(all.every((coin) => coin.valueSat === 5_000_000_000n && !coin.isLocked));
  assert.deepEqual(all.map((coin) => coin.outpoint), all.map((coin) => coin.outpoint).toSorted());
  assert.deepEqual(asking.sent, [
    "/wallet/watch getbestblockhash,listunspent,listlockunspent,getblockchaininfo",
  ]);
});

test("chain: coins: each belongs to the mixdepth whose descriptor it came from", () => {
  const all = found(coins({
    listunspent: `[${listed({ n: 2, mixdepth: 1 })},${listed({ n: 1 })}]`,
  }));
  assert.deepEqual(all.map(({ mixdepth, index }) => [mixdepth, index]), [[0, 1], [1, 2]]);
});

test("chain: coins: what belongs to no descriptor of ours is counted and left out", () => {
  const foreign = `{"txid":"${txid(9)}","vout":0,"address":"bcrt1qbond00000","amount":1,` +
    "\"confirmations\":3,\"desc\":\"addr(x)#y\",\"parent_descs\":[\"addr(x)#y\"]}";
  const bare = `{"txid":"${txid(8)}","vout":0,"amount":1,"confirmations":3}`;
  const asking = coins({ listunspent: `[${foreign},${bare},${listed({ n: 1 })}]` });
  assert.equal(found(asking).length, 1);
  assert.ok(asking.answer.ok && asking.answer.ask === "coins" && asking.answer.foreign === 2);
});

test("chain: coins: locked ones are ours all the same", () => {
  const asking = coins({
    listunspent: `[${listed({ n: 1 })}]`,
    listlockunspent: `[{"txid":"${txid(2)}","vout":1},{"txid":"${txid(3)}","vout":0}]`,
    gettxout: (id) => (id === txid(3) ? "null" : JSON.stringify({
      bestblock: hashAt(130), confirmations: 7, value: 0.5,
      scriptPubKey: { address: "bcrt1qlocked000" },
    })),
    getaddressinfo: JSON.stringify({
      ismine: true, desc: "tr([67a47aff/86h/1h/0h/1/4]ab)#x", parent_desc: watch[3].descriptor,
    }),
  });
  const locked = found(asking).filter((coin) => coin.isLocked);
  assert.deepEqual(locked, [{
    outpoint: `${txid(2)}:1`, valueSat: 50_000_000n, address: "bcrt1qlocked000", confirmations: 7,
    mixdepth: 1, branch: 1, index: 4, isLocked: true,
  }], "a lock outlives its coin, which is not one any more");
  assert.deepEqual(asking.sent.slice(1), [
    "/wallet/watch gettxout,gettxout", "/wallet/watch getaddressinfo,getbestblockhash",
  ]);
});

test("chain: coins: when the tip moves all is asked again, and in the end refused", () => {
  let calls = 0;
  const moving = (times: number): Node => ({
    getbestblockhash: () => {
      calls += 1;
      return JSON.stringify(hashAt(calls <= times ? 129 : 130));
    },
  });
  calls = 0;
  assert.equal(coins(moving(2)).sent.length, 3);
  calls = 0;
  const refused = coins(moving(3));
  assert.equal(reasonOf(refused.answer), "unsettled");
  assert.equal(refused.sent.length, config.attemptsMax);
});

test("chain: coins: the tip may move while locked coins are looked up, too", () => {
  const lock = {
    listlockunspent: `[{"txid":"${txid(2)}","vout":1}]`,
    getaddressinfo: "{\"ismine\":true}",
  };
  const out = (best: string): string => JSON.stringify({
    bestblock: best, confirmations: 1, value: 1, scriptPubKey: { address: "bcrt1qlocked000" },
  });
  assert.equal(reasonOf(coins({ ...lock, gettxout: out(hashAt(131)) }).answer), "unsettled");
  let calls = 0;
  const late = coins({
    ...lock, gettxout: out(hashAt(130)),
    getbestblockhash: () => JSON.stringify(hashAt((calls += 1) % 2 === 0 ? 131 : 130)),
  });
  assert.equal(reasonOf(late.answer), "unsettled");
});

test("chain: coins: a node that is behind has no say", () => {
  const behind = { getblockchaininfo: chainAt(130, { headers: 140 }) };
  assert.equal(reasonOf(coins(behind).answer), "syncing");
});

test("chain: coins: more than the limits is refused, never cut short", () => {
  const list = (count: number): string =>
    `[${Array.from({ length: count }, (_, n) => listed({ n })).join(",")}]`;
  assert.equal(found(coins({ listunspent: list(3) }, { coinsMax: 3 })).length, 3);
  assert.equal(reasonOf(coins({ listunspent: list(4) }, { coinsMax: 3 }).answer), "too-many");
  const locks = JSON.stringify([1, 2].map((n) => ({ txid: txid(n), vout: 0 })));
  const locked = { listlockunspent: locks, gettxout: "null" };
  assert.equal(coins(locked, { lockedMax: 2 }).answer.ok, true);
  assert.equal(reasonOf(coins(locked, { lockedMax: 1 }).answer), "too-many");
});

test("chain: coins: hazard 3: no error and no nonsense is an empty wallet", () => {
  const methods = ["listunspent", "listlockunspent", "getbestblockhash", "getblockchaininfo"];
  for (const method of methods) {
    assert.equal(reasonOf(coins({ [method]: error(-28) }).answer), "warming-up");
    assert.equal(reasonOf(coins({ [method]: error(-1) }).answer), "refused");
    for (const said of ["null", "7", "{}", "[1]", "[{}]", "\"\""]) {
      assert.equal(reasonOf(coins({ [method]: said }).answer), "nonsense", `${method} ${said}`);
    }
  }
  const float = coins({ listunspent: `[${listed({ n: 1, amount: "0.30000000000000004" })}]` });
  assert.equal(reasonOf(float.answer), "nonsense");
});

test("chain: coins: begin and resume", () => {
  const move = begin(config);
  assert.ok(move.type === "call" && move.isWallet && move.stage.attempt === 1);
  assert.equal(resume(config, move.stage, []).type, "done");
});
