import assert from "node:assert/strict";
import { test } from "node:test";
import {
  anyFailed, chainName, failed, garbled, markDescriptor, notSynced, readBy, tipOf, unsettled,
} from "../../../../core/chain/plans/plan.ts";
import type { Chain } from "../../../../core/chain/replies.ts";
import { config, hashAt, watch } from "../../../support/bitcoind.ts";

const chain: Chain = {
  chain: "regtest", blocks: 130, headers: 130, hash: hashAt(130), timeS: 5, isInitial: false,
  prunedBelow: 0,
};
const live = { ...config, network: "mainnet" as const };
const main = { ...chain, chain: "main" };

test("chain: plan: a node is believed if it has all blocks, or all but behindMax", () => {
  assert.equal(notSynced(config, chain), undefined);
  assert.equal(notSynced(config, { ...chain, headers: 131 }), undefined);
  assert.equal(notSynced(config, { ...chain, headers: 132 })?.reason, "syncing");
  assert.equal(notSynced(live, { ...main, isInitial: true })?.reason, "syncing");
  assert.equal(notSynced(config, { ...chain, isInitial: true }), undefined, "regtest has no today");
});

test("chain: plan: the network comes before everything else", () => {
  assert.equal(notSynced(live, chain)?.reason, "wrong-network");
  assert.equal(notSynced(live, main), undefined);
  assert.deepEqual(
    (["mainnet", "testnet", "testnet4", "signet", "regtest"] as const).map(chainName),
    ["main", "test", "testnet4", "signet", "regtest"],
  );
});

test("chain: plan: the tip says what the node knows of itself", () => {
  assert.deepEqual(tipOf(config, chain, true), {
    hash: hashAt(130), height: 130, timeS: 5, isSynced: true, keptSince: true,
  });
  assert.equal(tipOf(config, { ...chain, headers: 200 }).isSynced, false);
});

test("chain: plan: errors and results", () => {
  const ok = { ok: true, result: { numeral: "1" } } as const;
  const bad = { ok: false, code: -28, message: "" } as const;
  assert.equal(failed(ok), undefined);
  assert.equal(failed(bad)?.reason, "warming-up");
  assert.equal(anyFailed([ok, bad])?.reason, "warming-up");
  assert.equal(anyFailed([ok]), undefined);
  assert.equal(readBy(bad, () => 1), undefined);
  assert.equal(readBy(undefined, () => 1), undefined);
  assert.equal(readBy(ok, () => 1), 1);
  assert.equal(garbled().reason, "nonsense");
  assert.equal(unsettled().reason, "unsettled");
  assert.equal(markDescriptor(config), watch[0].descriptor);
});
