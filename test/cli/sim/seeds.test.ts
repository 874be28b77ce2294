import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  drawnSeed, rangeText, readRange, readSeed, readShard, seedAt, seedText, shortSeed, sizeOf,
} from "../../../cli/sim/seeds.ts";

const base = (): bigint => 16n;

test("sim cli: seeds: hex, decimal and a commit are read", () => {
  assert.deepEqual(readSeed("0x94"), { ok: true, value: 148n });
  assert.deepEqual(readSeed("148"), { ok: true, value: 148n });
  const commit = `${"a".repeat(16)}${"b".repeat(24)}`;
  assert.deepEqual(readSeed(commit), { ok: true, value: BigInt(`0x${"a".repeat(16)}`) });
  assert.deepEqual(readSeed("18446744073709551615"), { ok: true, value: (1n << 64n) - 1n });
  const long = `0x1${"0".repeat(16)}`;
  for (const bad of ["18446744073709551616", "0x", "-1", "1.5", "zebra", long, ""]) {
    assert.equal(readSeed(bad).ok, false, bad);
  }
});

test("sim cli: seeds: every seed is read back from its text", () => {
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (seed) => {
    assert.equal(seedText(seed).length, 18);
    assert.deepEqual(readSeed(seedText(seed)), { ok: true, value: seed });
    assert.deepEqual(readSeed(shortSeed(seedText(seed))), { ok: true, value: seed });
  }));
  assert.equal(shortSeed(seedText(0n)), "0x0");
});

test("sim cli: seeds: ranges have both ends, counts begin at the base", () => {
  assert.deepEqual(readRange("0x10..0x1f", base), { ok: true, value: { from: 16n, count: 16 } });
  assert.deepEqual(readRange("100", base), { ok: true, value: { from: 16n, count: 100 } });
  assert.equal(rangeText({ from: 16n, count: 16 }), "0x10..0x1f");
  for (const bad of ["5..4", "..4", "a..b", "0", "9999999999", "1...3"]) {
    assert.equal(readRange(bad, base).ok, false, bad);
  }
});

test("sim cli: seeds: shards are disjoint and leave nothing out", () => {
  const ranges = fc.record({
    from: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), count: fc.integer({ min: 1, max: 200 }),
  });
  fc.assert(fc.property(ranges, fc.integer({ min: 1, max: 12 }), (range, of) => {
    const seen = new Set<string>();
    let count = 0;
    for (let at = 1; at <= of; at += 1) {
      const shard = { at, of };
      for (let nth = 0; nth < sizeOf(range, shard); nth += 1) {
        seen.add(seedAt(range, shard, nth));
        count += 1;
      }
    }
    assert.equal(count, range.count);
    assert.equal(seen.size, range.count);
  }));
});

test("sim cli: seeds: shards are written i/n", () => {
  assert.deepEqual(readShard("2/4"), { ok: true, value: { at: 2, of: 4 } });
  for (const bad of ["0/4", "5/4", "2", "2/0", "a/b"]) assert.equal(readShard(bad).ok, false, bad);
});

test("sim cli: seeds: eight random bytes are a seed", () => {
  assert.equal(drawnSeed(new Uint8Array([0, 0, 0, 0, 0, 0, 1, 2])), 258n);
});
