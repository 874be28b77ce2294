/**
 * The chain under the Ark: conflicts, parents, branches, and what others see of it.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { key } from "../../../core/prng.ts";
import * as chains from "../../../sim/ark/chain.ts";
import type { Chain, Tx } from "../../../sim/ark/chain.ts";

const tx = (txid: string, over: Partial<Tx> = {}): Tx => (
  { txid, takes: [], needs: [], fromHeight: 0, rate: 5, ...over }
);

function chain(): Chain {
  const c = chains.create(key("chain"), 100, 0);
  for (let i = 1; i <= 5; i += 1) chains.mine(c, i * 1_000);
  return c;
}

test("sim: ark: chain: a coin is taken once, and a parent comes before its child", () => {
  const c = chain();
  assert.equal(chains.submit(c, tx("child", { needs: ["parent"] })), "orphan");
  assert.equal(chains.submit(c, tx("parent", { takes: ["coin"] })), "taken");
  assert.equal(chains.submit(c, tx("parent", { takes: ["coin"] })), "known");
  assert.equal(chains.submit(c, tx("rival", { takes: ["coin"] })), "conflict");
  assert.equal(chains.submit(c, tx("child", { needs: ["parent"] })), "taken");
  assert.deepEqual(chains.mine(c, 6_000), ["parent", "child"]);
  assert.equal(chains.placeOf(c, "child"), 106);
  assert.equal(chains.submit(c, tx("parent")), "known");
});

test("sim: ark: chain: what pays too little or comes too early waits", () => {
  const c = chain();
  c.rateMin = 4;
  chains.submit(c, tx("poor", { rate: 3 }));
  chains.submit(c, tx("early", { fromHeight: 108 }));
  assert.deepEqual(chains.mine(c, 6_000), []);
  chains.raise(c, "poor", 2);
  assert.deepEqual(chains.mine(c, 7_000), []);
  chains.raise(c, "poor", 4);
  assert.deepEqual(chains.mine(c, 8_000, true), []);
  assert.deepEqual(chains.mine(c, 9_000), ["poor", "early"]);
});

test("sim: ark: chain: a branch at equal height gives other hashes and frees what was held", () => {
  const c = chain();
  chains.submit(c, tx("a"));
  chains.mine(c, 6_000);
  const before = chains.viewOf(c);
  chains.reorg(c, 1, 1, 7_000, true);
  assert.equal(chains.viewOf(c).height, before.height);
  assert.notEqual(chains.viewOf(c).hash, before.hash);
  assert.equal(chains.placeOf(c, "a"), undefined);
  chains.mine(c, 8_000);
  assert.equal(chains.placeOf(c, "a"), before.height + 1);
  chains.reorg(c, 3, 1, 9_000);
  assert.equal(chains.heightOf(c), 105);
  assert.equal(chains.placeOf(c, "a"), 105);
});

test("sim: ark: chain: a view shows nothing above its height", () => {
  const c = chain();
  chains.submit(c, tx("a"));
  chains.mine(c, 6_000);
  assert.equal(chains.heightAt(c, 4_999), 104);
  assert.equal(chains.heightAt(c, -1), 100);
  const old = chains.viewAt(c, 104);
  assert.equal(old.hash, chains.blockAt(c, 104)!.hash);
  assert.equal(chains.seenAt(c, old, "a"), undefined);
  assert.equal(chains.seenAt(c, chains.viewOf(c), "a"), 106);
  assert.equal(chains.viewAt(c, 3).height, 100);
  assert.equal(chains.viewAt(c, 999).height, 106);
});
