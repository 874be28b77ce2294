import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as prng from "../../core/prng.ts";
import type { Prng } from "../../core/prng.ts";

const key = prng.key("dogwatch");

function draws(p: Prng, count: number): number[] {
  return Array.from({ length: count }, () => prng.u32(p));
}

/** The generator as its author describes it, with numbers of any size. */
function sfc32(seed: Prng): () => number {
  const word = (x: bigint): bigint => x & 0xffff_ffffn;
  let [a, b, c, counter] = [seed.a, seed.b, seed.c, seed.d].map((x) => word(BigInt(x))) as
    [bigint, bigint, bigint, bigint];
  return () => {
    const out = word(a + b + counter);
    counter = word(counter + 1n);
    a = b ^ (b >> 9n);
    b = word(c + (c << 3n));
    c = word(word((c << 21n) | (c >> 11n)) + out);
    return Number(out);
  };
}

/**
 * Pearson's statistic for `cells` equally likely cells, less what is expected of it, in standard
 * deviations. Seeds are fixed, so it either always passes or never.
 */
function deviation(counts: readonly number[]): number {
  const total = counts.reduce((sum, one) => sum + one, 0);
  const each = total / counts.length;
  const chi = counts.reduce((sum, one) => sum + (one - each) ** 2 / each, 0);
  const freedom = counts.length - 1;
  return Math.abs(chi - freedom) / Math.sqrt(2 * freedom);
}

function counted(cells: number, values: Iterable<number>): number[] {
  const counts = Array.from({ length: cells }, () => 0);
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

// Kept scenarios hang on these: whoever changes them changes `simVersion` too.
test("prng: golden: keys, streams and draws stay what they are", () => {
  assert.deepEqual(prng.key("0x5f3c"), {
    a: 21_039_648, b: -2_015_648_710, c: 733_836_901, d: -1_372_214_838,
  });
  assert.deepEqual(draws(prng.stream(key, "link", 3, 0, 1), 8), [
    1_661_538_440, 2_229_428_932, 1_629_865_861, 424_445_477,
    2_929_694_436, 4_088_143_006, 3_745_255_014, 257_890_152,
  ]);
  const p = prng.stream(key, "golden");
  assert.deepEqual([
    prng.below(p, 10), prng.between(p, -5, 5), prng.chance(p, 1, 3), prng.pick(p, ["a", "b", "c"]),
    prng.shuffled(p, [1, 2, 3, 4, 5]), [...prng.bytes(p, 4)], prng.tailed(p, 80_000),
  ], [9, 1, true, "c", [2, 3, 5, 4, 1], [172, 241, 51, 188], 222656]);
});

test("prng: the generator is sfc32", () => {
  fc.assert(fc.property(fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer()), (s) => {
    const p: Prng = { a: s[0], b: s[1], c: s[2], d: s[3] };
    const model = sfc32(p);
    for (let i = 0; i < 50; i += 1) assert.equal(prng.u32(p), model());
  }), { numRuns: 100 });
});

test("prng: a stream is named by its labels, in order and kind", () => {
  const first = (...labels: (string | number)[]): number => prng.u32(prng.stream(key, ...labels));
  const all = [
    first(), first("a"), first("b"), first("ab"), first("a", "b"), first("b", "a"), first(1),
    first("1"), first(1, 2), first(2, 1), first(12), first(-1), first(2 ** 32), first(2 ** 33),
    first(""), first("", ""), first("a", ""), first("", "a"), first("\u0101"), first("\u0001"),
    prng.u32(prng.stream(prng.key("other"), "a")),
  ];
  assert.equal(new Set(all).size, all.length);
  assert.equal(first("a", 7), first("a", 7));
});

test("prng: labels are absorbed one after the other", () => {
  fc.assert(fc.property(fc.array(fc.oneof(fc.string(), fc.maxSafeInteger())), (labels) => {
    const step = labels.reduce<prng.Key>((from, label) => prng.derive(from, label), key);
    assert.deepEqual(prng.derive(key, ...labels), step);
  }));
});

test("prng: a label is a whole number", () => {
  assert.throws(() => prng.stream(key, 0.5), /whole number/);
  assert.throws(() => prng.stream(key, Number.NaN), /whole number/);
});

test("prng: a key is not changed by what is derived from it", () => {
  const from = prng.key("kept");
  const copy = { ...from };
  draws(prng.stream(from, "x"), 10);
  assert.deepEqual(from, copy);
});

test("prng: one more draw in one stream moves nothing in another", () => {
  const alone = draws(prng.stream(key, "b"), 20);
  const a = prng.stream(key, "a");
  const b = prng.stream(key, "b");
  const beside = alone.map((_, i) => {
    draws(a, i % 3);
    return prng.u32(b);
  });
  assert.deepEqual(beside, alone);
});

test("prng: bytes of one stream are spread evenly, at each place of the word", () => {
  const p = prng.stream(key, "even");
  const words = draws(p, 100_000);
  for (const shift of [0, 8, 16, 24]) {
    const off = deviation(counted(256, words.map((word) => (word >>> shift) & 0xff)));
    assert.ok(off < 4, `${off} at bit ${shift}`);
  }
});

test("prng: first draws over neighbouring labels are spread evenly and unlike each other", () => {
  // As for links and faults: thousands of streams, few draws from each.
  for (const which of [0, 1, 2]) {
    const words = Array.from({ length: 20_000 }, (_, i) => draws(prng.stream(key, "link", i), 3))
      .map((three) => three[which] as number);
    for (const shift of [0, 12, 24]) {
      const off = deviation(counted(256, words.map((word) => (word >>> shift) & 0xff)));
      assert.ok(off < 4, `draw ${which}: ${off} at bit ${shift}`);
    }
    const pairs = words.slice(1).map((word, i) => ((word >>> 28) << 4) | ((words[i] ?? 0) >>> 28));
    assert.ok(deviation(counted(256, pairs)) < 4, `draw ${which} beside its neighbour`);
  }
});

test("prng: two streams agree in half of their bits", () => {
  const a = draws(prng.stream(key, "fault", 1), 5_000);
  const b = draws(prng.stream(key, "fault", 2), 5_000);
  let same = 0;
  for (const [i, word] of a.entries()) {
    for (let x = ~(word ^ (b[i] ?? 0)) >>> 0; x !== 0; x >>>= 1) same += x & 1;
  }
  assert.ok(Math.abs(same - 80_000) < 800, `${same} of 160,000`);
});

test("prng: seeds that differ in one character have nothing in common", () => {
  const firsts = new Set<number>();
  for (let i = 0; i < 5_000; i += 1) {
    firsts.add(prng.u32(prng.stream(prng.key(`0x${i.toString(16).padStart(16, "0")}`))));
  }
  assert.ok(firsts.size >= 4_998);
});

test("prng: below: whole numbers from 0 to n - 1, each as likely", () => {
  const p = prng.stream(key, "below");
  for (const n of [2, 3, 7, 10, 100]) {
    const off = deviation(counted(n, Array.from({ length: 30_000 }, () => prng.below(p, n))));
    assert.ok(off < 4, `${n}: ${off}`);
  }
  assert.equal(prng.below(p, 1), 0);
  const wide = Array.from({ length: 100 }, () => prng.below(p, 2 ** 32));
  assert.ok(wide.some((one) => one > 2 ** 31));
  // Above half of the range a remainder alone would favour the low third.
  const n = 3 * 2 ** 30;
  const thirds = Array.from({ length: 30_000 }, () => Math.floor(prng.below(p, n) / 2 ** 30));
  assert.ok(deviation(counted(3, thirds)) < 4);
});

test("prng: below: takes 1 to 2^32", () => {
  const p = prng.stream(key, "range");
  for (const n of [0, -1, 1.5, 2 ** 32 + 1, Number.NaN]) {
    assert.throws(() => prng.below(p, n), /below/);
  }
});

test("prng: between: both ends included", () => {
  const p = prng.stream(key, "between");
  const seen = new Set(Array.from({ length: 500 }, () => prng.between(p, -2, 3)));
  assert.deepEqual([...seen].sort((a, b) => a - b), [-2, -1, 0, 1, 2, 3]);
  assert.equal(prng.between(p, 4, 4), 4);
});

test("prng: chance: never, always and about as often as said", () => {
  const p = prng.stream(key, "chance");
  const often = (parts: number, whole: number): number =>
    Array.from({ length: 10_000 }, () => prng.chance(p, parts, whole)).filter((yes) => yes).length;
  assert.equal(often(0, 5), 0);
  assert.equal(often(5, 5), 10_000);
  assert.ok(Math.abs(often(1, 4) - 2_500) < 200);
});

test("prng: pick and shuffled: one of the list, and the same items in each order", () => {
  const p = prng.stream(key, "order");
  const list = ["a", "b", "c"] as const;
  const picks = counted(3, Array.from({ length: 9_000 }, () => list.indexOf(prng.pick(p, list))));
  assert.ok(deviation(picks) < 4);
  const orders = new Map<string, number>();
  for (let i = 0; i < 6_000; i += 1) {
    const order = prng.shuffled(p, list).join("");
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  assert.equal(orders.size, 6);
  assert.ok(deviation([...orders.values()]) < 4);
  assert.deepEqual(list, ["a", "b", "c"]);
  assert.deepEqual(prng.shuffled(p, []), []);
});

test("prng: bytes: so many, of all values", () => {
  const p = prng.stream(key, "bytes");
  assert.equal(prng.bytes(p, 0).length, 0);
  assert.ok(deviation(counted(256, prng.bytes(p, 50_000))) < 4);
});

test("prng: tailed: about the mean, mostly below it, at most sixteen times it", () => {
  const p = prng.stream(key, "tailed");
  for (const mean of [10, 1_000, 80_000, 30_000_000]) {
    const all = Array.from({ length: 20_000 }, () => prng.tailed(p, mean));
    const average = all.reduce((sum, one) => sum + one, 0) / all.length;
    assert.ok(average > 0.75 * mean, `${average} of ${mean}`);
    assert.ok(average < 1.25 * mean, `${average} of ${mean}`);
    assert.ok(all.filter((one) => one < mean).length > 10_000);
    assert.ok(all.every((one) => one >= 0 && one <= 16 * mean && Number.isInteger(one)));
    assert.ok(all.some((one) => one > 8 * mean));
  }
  assert.equal(prng.tailed(p, 0), 0);
  assert.equal(prng.tailed(p, -5), 0);
  assert.ok(Array.from({ length: 200 }, () => prng.tailed(p, 1)).every((one) => one <= 16));
});
