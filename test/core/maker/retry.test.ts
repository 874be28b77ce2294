import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import * as retry from "../../../core/maker/retry.ts";
import * as prng from "../../../core/prng.ts";

const fresh = (changes: Partial<retry.Config> = {}): retry.Retry =>
  retry.create({ ...retry.defaults, ...changes }, prng.stream(prng.key("retry")));

/** The bounds of the next `count` waits, with the waits drawn in between. */
function bounds(m: retry.Retry, count: number): number[] {
  return Array.from({ length: count }, () => {
    const { lowMs, highMs } = retry.range(m);
    const ms = retry.failed(m);
    assert.ok(ms >= lowMs && ms <= highMs);
    return highMs;
  });
}

test("maker: retry: startup grows by half to 30 s, then waits double to 300 s", () => {
  const m = fresh();
  m.isStartup = true;
  assert.deepEqual(bounds(m, 7), [5_000, 7_500, 11_250, 16_875, 25_312, 30_000, 30_000]);
  m.isStartup = false;
  assert.equal(m.failures, 0, "startup counts for nothing");
  assert.deepEqual(bounds(m, 8), [5, 10, 20, 40, 80, 160, 300, 300].map((s) => s * 1_000));
  retry.healthy(m);
  assert.deepEqual(bounds(m, 2), [5_000, 10_000]);
});

test("maker: retry: a spent limit means hourly, never never", () => {
  const m = fresh({ retriesMax: 3 });
  const hour = 3_600_000;
  assert.deepEqual(bounds(m, 6), [5_000, 10_000, 20_000, hour, hour, hour]);
  assert.equal(retry.isSpent(m), true);
  fc.assert(fc.property(fc.integer({ min: 3, max: 1_000_000 }), (failures) => {
    m.failures = failures;
    const ms = retry.failed(m);
    assert.ok(ms >= hour / 2 && ms <= hour);
  }), { numRuns: 50 });
  retry.healthy(m);
  assert.deepEqual(bounds(m, 1), [5_000], "health gives all retries back");
});

test("maker: retry: without a limit it is never spent", () => {
  const m = fresh();
  m.failures = 1_000_000;
  assert.equal(retry.isSpent(m), false);
  assert.equal(retry.range(m).highMs, 300_000);
});

test("maker: retry: a pause is no failure", () => {
  const m = fresh();
  const ms = retry.pause(m);
  assert.ok(ms >= 2_500 && ms <= 5_000);
  assert.equal(m.failures, 0);
});

test("maker: retry: what makes no sense is refused", () => {
  for (const changes of [{ retriesMax: -1 }, { retriesMax: 0.5 }, { spentMs: 0 }]) {
    assert.throws(() => fresh(changes), InvariantError);
  }
  assert.throws(() => fresh({ retry: { ...retry.defaults.retry, times: 1 } }), InvariantError);
  assert.throws(() => fresh({ startup: { ...retry.defaults.startup, baseMs: 0 } }), InvariantError);
});
