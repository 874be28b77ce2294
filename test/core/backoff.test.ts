import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../core/assert.ts";
import * as backoff from "../../core/backoff.ts";
import * as prng from "../../core/prng.ts";
import { poisoned } from "../support/laws.ts";

const doubling: backoff.Config = { baseMs: 5_000, maxMs: 300_000, times: 2, per: 1 };
const byHalf: backoff.Config = { baseMs: 5_000, maxMs: 30_000, times: 3, per: 2 };
const configs: fc.Arbitrary<backoff.Config> = fc.record({
  baseMs: fc.integer({ min: 2, max: 100_000 }),
  maxMs: fc.integer({ min: 100_000, max: backoff.waitMsMax }),
  times: fc.integer({ min: 3, max: 9 }),
  per: fc.constantFrom(1, 2),
});
const stream = (name: string): prng.Prng => prng.stream(prng.key(name));

test("backoff: waits double up to the cap", () => {
  const highs = Array.from({ length: 9 }, (_, n) => backoff.range(doubling, n).highMs);
  const wanted = [5, 10, 20, 40, 80, 160, 300, 300, 300].map((s) => s * 1_000);
  assert.deepEqual(highs, wanted);
});

test("backoff: growth by half is rounded down to whole milliseconds", () => {
  const highs = Array.from({ length: 7 }, (_, n) => backoff.range(byHalf, n).highMs);
  assert.deepEqual(highs, [5_000, 7_500, 11_250, 16_875, 25_312, 30_000, 30_000]);
});

test("backoff: M2: every wait lies in the upper half of what it may be, and is never 0", () => {
  fc.assert(fc.property(configs, fc.nat(200), fc.string(), (c, n, seed) => {
    backoff.check(c);
    const p = stream(seed);
    let exact = BigInt(c.baseMs);
    for (let i = 0; i < n && exact < c.maxMs; i += 1) {
      exact = exact * BigInt(c.times) / BigInt(c.per);
    }
    const top = exact < c.maxMs ? Number(exact) : c.maxMs;
    const { lowMs, highMs } = backoff.range(c, n);
    assert.equal(highMs, top);
    assert.equal(lowMs, Math.ceil(top / 2));
    const ms = poisoned(() => backoff.delayMs(c, n, p));
    assert.ok(Number.isSafeInteger(ms) && ms >= 1 && ms >= lowMs && ms <= highMs);
  }), { numRuns: 200 });
});

test("backoff: M2: 64 failures and a million give the cap", () => {
  for (const n of [64, 1_000_000, Number.MAX_SAFE_INTEGER]) {
    assert.deepEqual(backoff.range(doubling, n), { lowMs: 150_000, highMs: 300_000 });
  }
});

test("backoff: both ends of the range are drawn, and the same seed draws the same", () => {
  const c: backoff.Config = { baseMs: 4, maxMs: 4, times: 1, per: 1 };
  const p = stream("ends");
  const drawn = Array.from({ length: 100 }, () => backoff.delayMs(c, 3, p));
  assert.deepEqual([...new Set(drawn)].sort((a, b) => a - b), [2, 3, 4]);
  const again = stream("ends");
  assert.deepEqual(drawn, drawn.map(() => backoff.delayMs(c, 3, again)));
  assert.equal(backoff.delayMs({ ...c, baseMs: 1, maxMs: 1 }, 0, p), 1);
});

test("backoff: what does not grow, or is out of range, is refused", () => {
  backoff.check(doubling);
  backoff.check({ baseMs: 1, maxMs: backoff.waitMsMax, times: 2, per: 1 });
  const wrong: Partial<backoff.Config>[] = [
    { baseMs: 0 }, { baseMs: 1.5 }, { maxMs: 4_999 }, { maxMs: backoff.waitMsMax + 1 },
    { times: 1 }, { times: 1_001 }, { per: 0 }, { per: 2 }, { baseMs: 1, times: 3, per: 2 },
  ];
  for (const changes of wrong) {
    const c = { ...doubling, ...changes };
    assert.throws(() => backoff.check(c), InvariantError, JSON.stringify(changes));
  }
  for (const n of [-1, 0.5]) assert.throws(() => backoff.range(doubling, n), InvariantError);
});
