import assert from "node:assert/strict";
import { test } from "node:test";
import * as heights from "../../../core/ark/height.ts";
import type { Tip } from "../../../core/ark/intents.ts";
import * as lasting from "../../../core/ark/lasting.ts";
import { mono } from "../../../core/time.ts";

const min = 60_000;
const anchor = { unixMs: 1_000_000, at: mono(0) };

test("ark: lasting: at once what has no proof yet, and again when it has", () => {
  const m = heights.create(heights.defaults);
  const next = (known: Tip | undefined, ms: number, isDue = false, isMisdated = false) => (
    lasting.tipOf(m, known, anchor, isDue, isMisdated, mono(ms))
  );
  assert.equal(next(undefined, 0, true), undefined);
  heights.heard(m, 100, mono(5));
  const first = { height: 100, unixMs: 1_000_005, isProven: false };
  assert.deepEqual(next(undefined, 6), first);
  heights.heard(m, 101, mono(min));
  assert.equal(next(first, min), undefined);
  assert.deepEqual(next(first, min, true), { ...first, height: 101, unixMs: 1_000_000 + min });
  for (const ms of [2, 31]) heights.heard(m, 101, mono(ms * min));
  const proven = { height: 101, unixMs: 1_000_000 + min, isProven: true };
  assert.deepEqual(next(first, 31 * min), proven);
  assert.equal(next(proven, 32 * min, true), undefined);
  assert.deepEqual(next(proven, 32 * min, true, true), proven);
});

test("ark: lasting: what takes the place of a lie that had no proof is written at once", () => {
  const m = heights.create(heights.defaults);
  heights.heard(m, 90_000, mono(5));
  heights.heard(m, 100, mono(10));
  const lie = { height: 90_000, unixMs: 1_000_005, isProven: false };
  const tip = lasting.tipOf(m, lie, anchor, false, false, mono(10));
  assert.deepEqual(tip, { height: 100, unixMs: 1_000_010, isProven: false });
  // Not while a wall clock would have to be before its epoch.
  const early = { unixMs: 1, at: mono(100) };
  assert.equal(lasting.tipOf(m, lie, early, true, false, mono(100)), undefined);
});
