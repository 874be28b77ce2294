import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  apply, blank, nextStage, reasons, rowOf, stages, type Change, type Row,
} from "../../../core/history/entry.ts";
import { changes, entries } from "../../support/history.ts";

const txid = "ab".repeat(32);
const row = rowOf(3, { ...blank(1_000), reason: reasons.awaiting, cjSat: 5_000n });

function after(...list: readonly Change[]): Row {
  return list.reduce(apply, row);
}

test("history: entry: a row's life: found, seen, confirmed, settled", () => {
  const seen = after({ type: "txid", of: 3, txid }, { type: "seen", of: 3, atUs: 2 });
  assert.equal(seen.entry.txid, txid);
  assert.equal(seen.entry.reason, reasons.awaiting, "finding it does not touch the reason");
  assert.ok(seen.isSeen);
  const confirmed = apply(seen, { type: "confirmed", of: 3, atUs: 9, confirmations: 1, peers: 4 });
  assert.equal(confirmed.stage, "confirmed");
  const { isSuccess, reason, confirmedUs, completedUs, peers, confirmations } = confirmed.entry;
  assert.deepEqual({ isSuccess, reason, confirmedUs, completedUs, peers, confirmations }, {
    isSuccess: true, reason: "", confirmedUs: 9, completedUs: 9, peers: 4, confirmations: 1,
  });
  const settled = apply(confirmed, { type: "settled", of: 3, confirmations: 6 });
  assert.equal(settled.stage, "settled");
  assert.equal(settled.entry.confirmations, 6);
});

test("history: entry: a reorganisation and a late appearance reopen a row", () => {
  const open: readonly Change[] = [
    { type: "signed", of: 3, txid, feeReceivedSat: 70n, txfeeContributionSat: 20n, vout: 1 },
    { type: "aged", of: 3, ageMs: 5 },
  ];
  for (const [end, back] of [["confirmed", "lost"], ["given-up", "returned"]] as const) {
    const over: Change = end === "confirmed"
      ? { type: end, of: 3, atUs: 9, confirmations: 1, peers: undefined }
      : { type: end, of: 3, atUs: 9, why: "gone" };
    const again = after(...open, over, { type: back, of: 3, atUs: 10 });
    assert.equal(again.stage, "waiting");
    assert.equal(again.ageMs, 0);
    const { isSuccess, reason, confirmedUs, completedUs, netFeeSat } = again.entry;
    assert.deepEqual({ isSuccess, reason, confirmedUs, completedUs, netFeeSat }, {
      isSuccess: false, reason: reasons.unconfirmed, confirmedUs: undefined,
      completedUs: undefined, netFeeSat: 50n,
    });
  }
});

test("history: entry: what another program finished is finished", () => {
  const { entry } = row;
  assert.equal(rowOf(1, { ...entry, isSuccess: true, completedUs: 5 }).stage, "settled");
  assert.equal(rowOf(1, { ...entry, completedUs: 5 }).stage, "given-up");
  assert.equal(rowOf(1, entry).stage, "waiting");
});

test("history: entry: any change gives some row, and the stage that stages alone give", () => {
  const list = fc.array(changes(fc.constant(3)), { maxLength: 12 });
  fc.assert(fc.property(entries(), list, (entry, drawn) => {
    let made = rowOf(3, entry);
    for (const change of drawn) {
      const before = JSON.stringify(made, (_, v: unknown) => (typeof v === "bigint" ? `${v}n` : v));
      const next = apply(made, change);
      assert.equal(next.stage, nextStage(made.stage, change.type));
      assert.ok(stages.includes(next.stage));
      assert.equal(
        JSON.stringify(made, (_, v: unknown) => (typeof v === "bigint" ? `${v}n` : v)), before,
        "a row is not changed, it is replaced",
      );
      made = next;
    }
  }), { numRuns: 100 });
});
