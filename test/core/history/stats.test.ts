import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import { encode } from "../../../core/history/body.ts";
import * as book from "../../../core/history/book.ts";
import { blank, type Entry } from "../../../core/history/entry.ts";
import * as stats from "../../../core/history/stats.ts";
import { entries } from "../../support/history.ts";

function bookOf(list: readonly Entry[]): book.Book {
  const m = book.create(book.defaults);
  list.forEach((entry, i) => void book.take(m, i + 1, encode({ type: "added", entry })));
  return m;
}

test("history: stats: requests are the successful, the failed and the pending, always", () => {
  const sides = fc.constantFrom<stats.Side>("maker", "taker", "both");
  fc.assert(fc.property(fc.array(entries(), { maxLength: 15 }), sides, (list, side) => {
    const { requests, successful, failed, pending, ...rest } = stats.total(bookOf(list), side);
    assert.equal(requests, successful + failed + pending);
    assert.equal(requests, rest.makerRequests + rest.takerRequests);
    assert.ok(rest.successPercent >= 0 && rest.successPercent <= 100);
  }), { numRuns: 100 });
});

test("history: stats: the sums of a small history", () => {
  const base = { ...blank(1_000), cjSat: 100n, feeReceivedSat: 9n, netFeeSat: 7n, utxos: ["a:0"] };
  const done = { isSuccess: true, completedUs: 2_000 };
  const m = bookOf([
    { ...base, ...done }, { ...base, completedUs: 2_000, utxos: ["a:0", "b:1"] }, base,
    { ...base, ...done, role: "taker", makerFeesPaidSat: 3n, miningFeePaidSat: 2n },
    { ...base, ...done, role: "deposit" },
  ]);
  assert.deepEqual(stats.total(m, "maker"), {
    requests: 3, successful: 1, failed: 1, pending: 1, makerRequests: 3, takerRequests: 0,
    successPercent: 33, volumeSat: 300n, successfulVolumeSat: 100n, feesEarnedSat: 9n,
    netFeesSat: 7n, feesPaidSat: 0n, utxosDisclosed: 2,
  });
  const both = stats.total(m, "both");
  assert.deepEqual([both.requests, both.feesPaidSat, both.feesEarnedSat], [4, 5n, 9n]);
});

test("history: stats: a period holds its first instant and not its last", () => {
  const m = bookOf([999, 1_000, 1_999, 2_000].map(blank));
  assert.equal(stats.between(m, 1_000, 2_000, "maker").requests, 2);
  assert.equal(stats.between(m, 1_000, 1_000, "maker").requests, 0);
  assert.equal(stats.between(m, 1_000, 1_000, "maker").successPercent, 0);
  assert.throws(() => stats.between(m, 2, 1, "maker"), InvariantError);
});
