import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { dateOf, dayOf, fixed, instantOf, localOf, type Zone } from "../../../core/history/zone.ts";

const hourMs = 3_600_000;
/** Winter is one hour ahead; summer, from hour 1,000 to hour 5,000, is two. */
const summer: Zone = (ms) => (ms >= 1_000 * hourMs && ms < 5_000 * hourMs ? 2 : 1) * hourMs;
const us = (hours: number) => hours * hourMs * 1_000;

test("history: zone: local time and back, except in the hour that comes twice", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 6_000 * hourMs }), (unixMs) => {
    const unixUs = unixMs * 1_000 + 7;
    const read = instantOf(localOf(unixUs, summer), summer);
    const isSecond = unixMs >= 5_000 * hourMs && unixMs < 5_001 * hourMs;
    assert.equal(read.unixUs, isSecond ? unixUs - us(1) : unixUs);
    const isTwice = unixMs >= 4_999 * hourMs && unixMs < 5_001 * hourMs;
    assert.equal(read.doubt, isTwice ? "twice" : undefined);
  }), { numRuns: 500 });
});

test("history: zone: the hour that is left out, to the millisecond", () => {
  const at = (local: number) => instantOf(local, summer);
  assert.deepEqual(at(us(1_001) - 1), { unixUs: us(1_000) - 1, doubt: undefined });
  assert.deepEqual(at(us(1_001)), { unixUs: us(1_000), doubt: "never" });
  assert.deepEqual(at(us(1_002) - 1_000), { unixUs: us(1_001) - 1_000, doubt: "never" });
  assert.deepEqual(at(us(1_002)), { unixUs: us(1_000), doubt: undefined });
  assert.deepEqual(instantOf(us(5), fixed(-2 * hourMs)), { unixUs: us(7), doubt: undefined });
});

test("history: zone: days and dates are those of the calendar", () => {
  fc.assert(fc.property(fc.integer({ min: -100_000, max: 100_000 }), (days) => {
    const { year, month, day } = dateOf(days);
    assert.equal(dayOf(year, month, day), days);
    const known = new Date(days * 86_400_000);
    assert.deepEqual([year, month, day],
      [known.getUTCFullYear(), known.getUTCMonth() + 1, known.getUTCDate()]);
  }), { numRuns: 500 });
  const none = [[2025, 2, 29], [2025, 0, 1], [2025, 13, 1], [2025, 4, 31], [2025, 1, 0]] as const;
  for (const [y, m, d] of none) {
    assert.equal(dayOf(y, m, d), undefined);
  }
  assert.equal(dayOf(2024, 2, 29), 19_782);
  assert.equal(dayOf(1900, 2, 29), undefined);
});
