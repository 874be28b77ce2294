/**
 * The port of an Ark wallet.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as wallet from "../../../core/ark/wallet.ts";

test("ark wallet: what changes coins or state is never cut", () => {
  const cut = wallet.names.filter(wallet.isCuttable);
  assert.deepEqual(cut, [
    "alive", "identity", "probe", "ark-info", "tip", "vtxos", "balance", "exits", "pending",
    "exit-fee", "notifications", "refresh-server", "fee-rates",
  ]);
});

test("ark wallet: exits and fee rates need no server", () => {
  const alone = ["exit", "progress-exits", "sync-exits", "claim", "fee-rates", "sync"] as const;
  for (const op of alone) assert.notEqual(wallet.needs(op), "server", op);
  for (const op of ["probe", "sync-mailbox", "refresh", "progress-rounds"] as const) {
    assert.equal(wallet.needs(op), "server", op);
  }
});

test("ark wallet: reasons are told apart", () => {
  assert.equal(new Set(wallet.reasons).size, wallet.reasons.length);
  assert.deepEqual(wallet.unavailable("auth", "x", "y"), {
    ok: false, why: "unavailable", reason: "auth", fault: { code: "x", text: "y" },
  });
  assert.deepEqual(wallet.done({ op: "alive" }), { ok: true, done: { op: "alive" } });
});
