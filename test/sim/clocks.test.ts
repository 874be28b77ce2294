import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { mono } from "../../core/time.ts";
import * as clocks from "../../sim/clocks.ts";

const second = 1_000_000;
const day = 86_400 * second;
const ppms = fc.integer({ min: -200_000, max: 200_000 });

test("sim: clocks: counts from what the machine shows at the beginning", () => {
  const c = clocks.create(5_000, 1_000_000);
  assert.equal(clocks.now(c, 0), 5_000);
  assert.equal(clocks.now(c, 999), 5_000);
  assert.equal(clocks.now(c, 1_000), 5_001);
  assert.equal(clocks.monoUs(c, 7), 5_000_007);
  assert.equal(clocks.wall(c, 0), 1_005_000);
});

test("sim: clocks: a jump moves the date alone", () => {
  const c = clocks.create(0, 1_800_000_000_000);
  const before = clocks.now(c, second);
  clocks.jump(c, -86_400_000);
  assert.equal(clocks.wall(c, second), 1_800_000_001_000 - 86_400_000);
  clocks.jump(c, 2 * 86_400_000);
  assert.equal(clocks.wall(c, second), 1_800_000_001_000 + 86_400_000);
  assert.equal(clocks.now(c, second), before);
});

test("sim: clocks: drift changes the speed from now on, and nothing before", () => {
  const c = clocks.create(0, 0);
  clocks.drift(c, 100_000, 10 * second);
  assert.equal(clocks.now(c, 10 * second), 10_000);
  assert.equal(clocks.now(c, 20 * second), 21_000);
  clocks.drift(c, -100_000, 20 * second);
  assert.equal(clocks.now(c, 20 * second), 21_000);
  assert.equal(clocks.now(c, 30 * second), 30_000);
  clocks.drift(c, 0, 30 * second);
  assert.equal(clocks.now(c, 40 * second), 40_000);
  // The date follows the clock of the machine.
  assert.equal(clocks.wall(c, 40 * second), 40_000);
});

test("sim: clocks: monotonic time never goes back, however the speed changes", () => {
  const steps = fc.array(fc.record({ afterUs: fc.nat(3 * second), ppm: ppms }), { maxLength: 20 });
  fc.assert(fc.property(steps, (all) => {
    const c = clocks.create(1, 0);
    let nowUs = 0;
    let last = clocks.monoUs(c, 0);
    for (const { afterUs, ppm } of all) {
      nowUs += afterUs;
      const seen = clocks.monoUs(c, nowUs);
      assert.ok(seen >= last);
      assert.ok(Number.isSafeInteger(seen));
      clocks.drift(c, ppm, nowUs);
      assert.equal(clocks.monoUs(c, nowUs), seen);
      last = seen;
    }
  }));
});

test("sim: clocks: when: the first instant at which the node reads that time or later", () => {
  fc.assert(fc.property(ppms, fc.nat(10 * second), fc.nat(100_000), (ppm, nowUs, inMs) => {
    const c = clocks.create(3, 0);
    clocks.drift(c, ppm, Math.floor(nowUs / 2));
    const at = mono(clocks.now(c, nowUs) + inMs);
    const whenUs = clocks.whenUs(c, at, nowUs);
    assert.ok(whenUs >= nowUs);
    assert.ok(clocks.now(c, whenUs) >= at);
    if (whenUs > nowUs) assert.ok(clocks.now(c, whenUs - 1) < at);
  }), { examples: [[-190_457, 0, 5_019]] });
});

test("sim: clocks: when: the last microsecond before, and what is past", () => {
  const c = clocks.create(0, 0);
  assert.equal(clocks.whenUs(c, mono(30_000), 12_345), 30 * second);
  assert.equal(clocks.now(c, 30 * second - 1), 29_999);
  assert.equal(clocks.whenUs(c, mono(10), second), second);
});

test("sim: clocks: a day of drift stays in whole numbers", () => {
  const c = clocks.create(0, 0);
  clocks.drift(c, 200, 0);
  assert.equal(clocks.now(c, 30 * day), 30 * 86_400_000 + 30 * 17_280);
  assert.ok(Number.isSafeInteger(clocks.monoUs(c, 30 * day)));
});
