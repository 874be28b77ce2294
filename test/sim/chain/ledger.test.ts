/**
 * The chain by itself: money, order, mempool, branches.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressFor, derive, isAddress, scriptOf } from "../../../sim/chain/address.ts";
import * as bech32 from "../../../sim/chain/bech32.ts";
import { feesSat, mine, reorg } from "../../../sim/chain/blocks.ts";
import * as ledgers from "../../../sim/chain/ledger.ts";
import {
  circulatingSat, evict, heightOf, isSpendable, mintedSat, tipOf, type Ledger,
} from "../../../sim/chain/ledger.ts";
import { bump, draft, pay, spend } from "../../../sim/chain/till.ts";
import { partsOf } from "../../../sim/chain/tx.ts";
import { answer } from "../../../sim/chain/rpc.ts";
import { answer as told } from "../../../sim/chain/esplora.ts";
import * as chains from "../../../sim/chain/chain.ts";
import { call, chainOf, config, core, lite, ours, startMs } from "./questions.ts";

type Act =
  | { readonly act: "pay"; readonly to: number; readonly sat: number }
  | { readonly act: "mine"; readonly count: number; readonly isEmpty: boolean }
  | {
    readonly act: "reorg"; readonly depth: number; readonly count: number;
    readonly isEmpty: boolean;
  }
  | { readonly act: "bump" | "evict" | "spend"; readonly at: number };

const acts: fc.Arbitrary<Act[]> = fc.array(fc.oneof(
  fc.record({
    act: fc.constant("pay" as const), to: fc.nat(9), sat: fc.integer({ min: 1_000, max: 9e9 }),
  }),
  fc.record({
    act: fc.constant("mine" as const), count: fc.integer({ min: 1, max: 3 }),
    isEmpty: fc.boolean(),
  }),
  fc.record({
    act: fc.constant("reorg" as const), depth: fc.integer({ min: 1, max: 6 }),
    count: fc.nat(7), isEmpty: fc.boolean(),
  }),
  fc.record({
    act: fc.constantFrom("bump" as const, "evict" as const, "spend" as const), at: fc.nat(20),
  }),
), { maxLength: 25 });

function perform(l: Ledger, act: Act, nowMs: number): void {
  switch (act.act) {
    case "pay": {
      const to = act.to < 6 ? ours(act.to, act.to % 2) : addressFor(String(act.to));
      return void pay(l, to, BigInt(act.sat), nowMs);
    }
    case "mine": return void mine(l, act.count, nowMs, act.isEmpty ? { leave: "all" } : {});
    case "reorg": {
      const how = act.isEmpty ? { leave: "all" as const } : {};
      return void reorg(l, act.depth, act.count, nowMs, how);
    }
    case "bump": case "evict": {
      const txid = [...l.pool.keys()][act.at];
      if (txid === undefined) return;
      if (act.act === "bump") bump(l, txid, 20_000n, nowMs);
      else evict(l, txid);
      return;
    }
    case "spend": {
      const own = [...l.coins.values()].filter((coin) => (
        coin.address !== l.minerAddress && isSpendable(l, coin.outpoint)
      ));
      const coin = own[act.at];
      if (coin === undefined || coin.valueSat < 2_000n) return;
      const to = { address: ours(act.at, 1, 1), valueSat: coin.valueSat - 1_000n };
      return void spend(l, [coin.outpoint], [to], nowMs);
    }
  }
}

/** What the books must say whatever was done. */
function audit(l: Ledger): void {
  assert.equal(circulatingSat(l), mintedSat(l), "money is conserved");
  const unspent = new Set<string>();
  for (const hash of l.chain) {
    for (const tx of l.blocks.get(hash)!.txs) {
      for (const { outpoint } of tx.inputs) assert.ok(unspent.delete(outpoint), "spent once");
      for (const vout of tx.outputs.keys()) unspent.add(`${tx.txid}:${vout}`);
    }
  }
  assert.deepEqual([...l.coins.keys()].toSorted(), [...unspent].toSorted());
  const spent = new Set<string>();
  for (const { tx } of l.pool.values()) {
    for (const { outpoint } of tx.inputs) {
      assert.ok(!spent.has(outpoint), "nothing waits twice for a coin");
      spent.add(outpoint);
      assert.ok(l.coins.has(outpoint) || l.pool.has(partsOf(outpoint).txid));
      assert.equal(l.poolSpends.get(outpoint), tx.txid);
    }
    // Parents before children.
    for (const { outpoint } of tx.inputs) {
      const keys = [...l.pool.keys()];
      const parent = keys.indexOf(partsOf(outpoint).txid);
      assert.ok(parent < keys.indexOf(tx.txid));
    }
  }
  assert.equal(l.poolSpends.size, spent.size);
}

/** Outputs to watched addresses that nothing spends, looked up the slow way. */
function expected(l: Ledger): string[] {
  const watched = new Set<string>();
  for (const mixdepth of [0, 1]) {
    for (const branch of [0, 1] as const) {
      for (let i = 0; i < 25; i += 1) watched.add(ours(i, mixdepth, branch));
    }
  }
  const found: string[] = [];
  for (const txid of [...new Set([...l.coins.values()].map((coin) => partsOf(coin.outpoint).txid)),
    ...l.pool.keys()]) {
    for (const [vout, { address }] of l.txs.get(txid)!.outputs.entries()) {
      const outpoint = `${txid}:${vout}`;
      const isThere = l.coins.has(outpoint) || l.pool.has(txid);
      if (isThere && watched.has(address) && !l.poolSpends.has(outpoint)) found.push(outpoint);
    }
  }
  return found.toSorted();
}

test("sim: chain: ledger: money is conserved and coins are what both servers list", () => {
  fc.assert(fc.property(acts, (script) => {
    const c = chainOf(112);
    core(c, { ask: "prepare" });
    for (const act of script) {
      perform(c.ledger, act, startMs);
      audit(c.ledger);
    }
    const coins = core(c, { ask: "coins" }).answer;
    assert.ok(coins.ok && coins.ask === "coins");
    assert.deepEqual(coins.coins.map(({ outpoint }) => outpoint), expected(c.ledger));
    const light = lite(c, { ask: "coins" });
    assert.ok(light.ok && light.ask === "coins");
    assert.deepEqual(light.tip.hash, coins.tip.hash);
    // A branch ends at a gap for the light backend; all places here are within it.
    const shown = light.coins.map(({ outpoint, confirmations }) => [outpoint, confirmations]);
    const all = coins.coins.map(({ outpoint, confirmations }) => [outpoint, confirmations]);
    for (const one of shown) assert.ok(all.some((other) => other.join() === one.join()));
    assert.equal(shown.length, all.filter(([outpoint]) => {
      const coin = coins.coins.find((one) => one.outpoint === outpoint)!;
      return light.coins.some((one) => one.address === coin.address);
    }).length);
  }), { numRuns: 25 });
});

function history(script: readonly Act[], seed: number): readonly string[] {
  const c = chainOf(110, { ledger: { ...ledgers.defaults, seed } });
  core(c, { ask: "prepare" });
  const said: string[] = [];
  for (const [i, act] of script.entries()) {
    perform(c.ledger, act, startMs + i * 1_000);
    for (const method of ["listunspent", "getblockchaininfo", "getrawmempool"]) {
      const body = JSON.stringify({ id: i, method, params: [] });
      said.push(answer(c, "/wallet/watch", body, startMs + i * 1_000).body);
    }
    said.push(told(c, `/address/${ours(1, 1)}/txs`).body, told(c, "/blocks/tip/hash").body);
  }
  return said;
}

test("sim: chain: ledger: same acts, same answers; another seed, other hashes", () => {
  const poisoned = { now: Date.now, random: Math.random, perf: performance.now };
  fc.assert(fc.property(acts, (script) => {
    const once = history(script, 7);
    Date.now = Math.random = performance.now = () => { throw new Error("ambient"); };
    try {
      assert.deepEqual(history(script, 7), once);
    } finally {
      Date.now = poisoned.now;
      Math.random = poisoned.random;
      performance.now = poisoned.perf;
    }
  }), { numRuns: 8 });
  const one: Act[] = [{ act: "mine", count: 1, isEmpty: false }];
  assert.notDeepEqual(history(one, 7), history(one, 8));
});

test("sim: chain: ledger: a reorganisation at equal height changes the hash, and only that", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 100 }), (depth) => {
    const { ledger } = chainOf(105);
    const before = { hash: tipOf(ledger).hash, height: heightOf(ledger) };
    const stale = ledger.chain.slice(-depth);
    reorg(ledger, depth, depth, startMs);
    assert.equal(heightOf(ledger), before.height);
    assert.notEqual(tipOf(ledger).hash, before.hash);
    for (const hash of stale) {
      assert.ok(!ledger.chain.includes(hash));
      assert.ok(ledger.blocks.has(hash));
    }
  }), { numRuns: 10 });
});

test("sim: chain: ledger: block times rise, whatever the clock says", () => {
  const { ledger } = chainOf(12);
  const late = tipOf(ledger).timeS;
  mine(ledger, 30, startMs - 86_400_000);
  assert.ok(ledgers.medianTimeS(ledger, tipOf(ledger)) > late - 7_000);
  for (let height = 12; height <= heightOf(ledger); height += 1) {
    const block = ledgers.blockAt(ledger, height)!;
    const parent = ledgers.blockAt(ledger, height - 1)!;
    assert.ok(block.timeS > ledgers.medianTimeS(ledger, parent));
  }
});

test("sim: chain: ledger: a coinbase matures on its hundredth block", () => {
  const { ledger } = chainOf(98);
  assert.equal(pay(ledger, ours(0), 1_000n, startMs), undefined);
  mine(ledger, 1, startMs);
  assert.equal(pay(ledger, ours(0), 1_000n, startMs), undefined);
  mine(ledger, 1, startMs);
  assert.equal(typeof pay(ledger, ours(0), 1_000n, startMs), "string");
});

test("sim: chain: ledger: what a mempool refuses, in the node's words", () => {
  const { ledger: l } = chainOf(130);
  const coin = [...l.coins.values()][0]!;
  const to = (valueSat: bigint): { address: string; valueSat: bigint }[] => (
    [{ address: ours(0), valueSat }]
  );
  const first = spend(l, [coin.outpoint], to(coin.valueSat - 1_000n), startMs);
  assert.ok(first.ok);
  const why = (sat: bigint): unknown => {
    const sent = spend(l, [coin.outpoint], to(sat), startMs);
    return sent.ok ? "taken" : sent.why;
  };
  assert.equal(why(coin.valueSat - 1_000n), "txn-already-in-mempool");
  assert.equal(why(coin.valueSat - 999n), "insufficient fee");
  assert.equal(why(coin.valueSat + 1n), "bad-txns-in-belowout");
  const child = draft(l, [`${first.txid}:0`], to(coin.valueSat - 5_000n));
  assert.ok(ledgers.submit(l, child, startMs).ok);
  // A replacement pays more than parent and child together.
  assert.equal(why(coin.valueSat - 5_000n), "insufficient fee");
  const sent = spend(l, [coin.outpoint], to(coin.valueSat - 5_001n), startMs);
  assert.ok(sent.ok);
  assert.deepEqual(sent.replaced, [first.txid, child.txid]);
  assert.equal(ledgers.submit(l, child, startMs).ok, false);
  mine(l, 1, startMs);
  const again = ledgers.submit(l, l.txs.get(sent.txid)!, startMs);
  assert.deepEqual(again, { ok: false, why: "txn-already-known" });
  assert.equal(feesSat(tipOf(l)), 5_001n);
});

test("sim: chain: ledger: a full mempool lets the cheapest go", () => {
  const { ledger: l } = chainOf(130, { ledger: { ...ledgers.defaults, poolMax: 3 } });
  const coins = [...l.coins.values()].slice(0, 5);
  const send = (i: number, feeSat: bigint): ledgers.Submitted => spend(
    l, [coins[i]!.outpoint], [{ address: ours(i), valueSat: coins[i]!.valueSat - feeSat }], startMs,
  );
  const cheap = send(0, 500n);
  assert.ok(cheap.ok);
  for (const i of [1, 2, 3]) assert.ok(send(i, 1_000n).ok);
  assert.equal(l.pool.size, 3);
  assert.equal(l.pool.has(cheap.txid), false);
  assert.deepEqual(send(4, 400n), { ok: false, why: "mempool full" });
  assert.equal(l.pool.size, 3);
});

test("sim: chain: ledger: a reorganisation fills a small mempool no further than its limit", () => {
  const { ledger: l } = chainOf(130, { ledger: { ...ledgers.defaults, poolMax: 2 } });
  for (let i = 0; i < 4; i += 1) {
    pay(l, ours(i), 10_000n, startMs);
    mine(l, 1, startMs);
  }
  reorg(l, 4, 0, startMs);
  assert.equal(l.pool.size, 2);
  audit(l);
});

test("sim: chain: ledger: a copy goes its own way", () => {
  const { ledger } = chainOf(110);
  const other = ledgers.copy(ledger);
  pay(other, ours(0), 5_000n, startMs);
  mine(other, 2, startMs);
  assert.equal(heightOf(ledger), 110);
  assert.equal(ledger.pool.size, 0);
  audit(ledger);
  audit(other);
});

test("sim: chain: ledger: invariants of configurations are asserted", () => {
  assert.throws(() => ledgers.create({ ...ledgers.defaults, maturity: 0 }));
  assert.throws(() => ledgers.create({ ...ledgers.defaults, poolMax: 0 }));
  assert.throws(() => chains.create({ ...config, keypool: 0 }));
  assert.throws(() => chains.create({ ...config, scanMsPerBlock: -1 }));
  assert.throws(() => reorg(chainOf(2).ledger, 3, 1, startMs));
  assert.throws(() => draft(chainOf(2).ledger, [`${"0".repeat(64)}:0`], []));
});

// BIP173 and BIP350.
const addresses = [
  ["bc", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", 0,
    "751e76e8199196d454941c45d1b3a323f1433bd6"],
  ["bc", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", 1,
    "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"],
  ["bcrt", "bcrt1qrqfavdzrhxsnnxwz6ck0035mrm96qpap0srxh9", 0,
    "1813d63443b9a13999c2d62cf7c69b1ecba007a1"],
] as const;

test("sim: chain: bech32: known addresses", () => {
  for (const [prefix, address, version, program] of addresses) {
    const found = bech32.decode(prefix, address)!;
    assert.equal(found.version, version);
    assert.equal(Buffer.from(found.program).toString("hex"), program);
    assert.equal(bech32.encode(prefix, found), address);
  }
  for (const wrong of [
    "bc1pw5dgrnzv", "bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du", "", "bc1", "bc1q",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
  ]) assert.equal(bech32.decode("bc", wrong), undefined, wrong);
});

test("sim: chain: bech32: what was encoded decodes, and no neighbour does", () => {
  const programs = fc.oneof(
    fc.tuple(fc.constant(0), fc.constantFrom(20, 32)),
    fc.tuple(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 2, max: 40 })),
  ).chain(([version, size]) => (
    fc.uint8Array({ minLength: size, maxLength: size }).map((program) => ({ version, program }))
  ));
  fc.assert(fc.property(programs, fc.nat(30), (segwit, at) => {
    const address = bech32.encode("bcrt", segwit);
    assert.deepEqual(bech32.decode("bcrt", address), segwit);
    const i = 5 + (at % (address.length - 5));
    const other = address[i] === "q" ? "p" : "q";
    const slip = address.slice(0, i) + other + address.slice(i + 1);
    assert.equal(bech32.decode("bcrt", slip), undefined);
  }), { numRuns: 100 });
});

test("sim: chain: address: derived addresses differ by descriptor and index, and by kind", () => {
  const seen = new Set<string>();
  for (const mixdepth of [0, 1]) {
    for (const branch of [0, 1] as const) {
      for (let i = 0; i < 20; i += 1) seen.add(ours(i, mixdepth, branch));
    }
  }
  assert.equal(seen.size, 80);
  for (const address of seen) assert.ok(isAddress(address));
  assert.equal(scriptOf(ours(0)).type, "witness_v0_keyhash");
  assert.equal(scriptOf(ours(0, 1)).type, "witness_v1_taproot");
  const spelled = derive("wpkh([67a47aff/84'/1'/0']x/0/*)", 0);
  assert.equal(spelled, derive("wpkh([67a47aff/84h/1h/0h]x/0/*)#00", 0));
});

test("sim: chain: wallets: more is watched as addresses are paid, up to the keypool beyond", () => {
  const c = chainOf(110);
  core(c, { ask: "prepare" });
  pay(c.ledger, ours(24), 5_000n, startMs);
  type Held = { descriptors: { range: number[]; next: number }[] };
  const ranges = (): unknown => (call(c, "listdescriptors", [], "watch") as Held).descriptors
    .map(({ range, next }) => [range[1], next]).toSorted((a, b) => a[1]! - b[1]!);
  assert.deepEqual(ranges(), [[24, 0], [24, 0], [24, 0], [49, 25]]);
  pay(c.ledger, ours(50), 5_000n, startMs);
  assert.deepEqual(ranges(), [[24, 0], [24, 0], [24, 0], [49, 25]]);
});
