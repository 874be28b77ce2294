import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import * as offer from "../../../core/joinmarket/offer.ts";
import type { Offer } from "../../../core/joinmarket/offer.ts";
import * as math from "../../../core/maker/offermath.ts";
import * as prng from "../../../core/prng.ts";

const still = { txfeeSpreadPpm: 0, cjfeeSpreadPpm: 0, sizeSpreadPpm: 0 };
const base = { minsizeSat: 100_000n, txfeeSat: 0n, ...still };

function ratioOf(text: string): offer.Ratio {
  const found = offer.parseRatio(text);
  assert.ok(found !== undefined);
  return found;
}

function relative(fee: string, rest: Partial<math.RelativeTerms> = {}): math.RelativeTerms {
  return { kind: "sw0reloffer", ...base, cjfee: ratioOf(fee), ...rest };
}

function absolute(cjfeeSat: bigint, rest: Partial<math.AbsoluteTerms> = {}): math.AbsoluteTerms {
  return { kind: "sw0absoffer", ...base, cjfeeSat, ...rest };
}

function draw(terms: readonly math.Terms[], balanceSat: bigint, seed = "s"): readonly Offer[] {
  return math.draw(terms, balanceSat, prng.stream(prng.key(seed)));
}

const lines = (offers: readonly Offer[]) => offers.map(offer.encode);

function relativeFee(o: Offer | undefined): offer.Ratio {
  assert.ok(o !== undefined && "cjfee" in o);
  return o.cjfee;
}

function absoluteFee(o: Offer | undefined): bigint {
  assert.ok(o !== undefined && "cjfeeSat" in o);
  return o.cjfeeSat;
}

test("maker: offermath: an absolute offer reaches what is left beyond change and fee", () => {
  // 100,000 + 0 + 27,300 + 1 - 500 = 126,801 is what the smallest amount takes.
  assert.deepEqual(lines(draw([absolute(500n)], 1_000_000n)), [
    "sw0absoffer 0 100000 973199 0 500",
  ]);
  assert.deepEqual(draw([absolute(500n)], 126_801n), []);
  assert.deepEqual(lines(draw([absolute(500n)], 126_802n)), ["sw0absoffer 0 100000 100001 0 500"]);
});

test("maker: offermath: a relative offer reaches the very last satoshi that fits", () => {
  const [o] = draw([relative("0.00002")], 500_000_000n);
  assert.ok(o !== undefined);
  assert.equal(math.requiredSat(o, o.maxsizeSat), 500_000_000n);
  assert.ok(math.requiredSat(o, o.maxsizeSat + 1n) > 500_000_000n);
  assert.equal(offer.encode(o), "sw0reloffer 0 100000 499982699 0 0.00002");
});

test("maker: offermath: what the maker pays for the transaction is asked on top", () => {
  const [o] = draw([absolute(500n, { txfeeSat: 1_000n })], 1_000_000n);
  assert.ok(o !== undefined);
  assert.equal(offer.encode(o), "sw0absoffer 0 100000 973199 1000 1500");
  assert.equal(math.profitSat(o, 100_000n), 500n);
});

test("maker: offermath: an offer without a fee still keeps change above dust", () => {
  const [o] = draw([absolute(0n)], 1_000_000n);
  assert.ok(o !== undefined);
  assert.equal(o.maxsizeSat, 972_699n);
  assert.equal(1_000_000n - o.maxsizeSat, math.dustSat + 1n);
  assert.equal(math.profitSat(o, o.maxsizeSat), 0n);
});

test("maker: offermath: a relative offer that pays starts where it earns half again", () => {
  const [o] = draw([relative("0.0001", { txfeeSat: 200n })], 500_000_000n);
  assert.equal(o?.minsizeSat, 3_000_000n);
  assert.equal(math.profitSat(o, o.minsizeSat), 100n);
});

test("maker: offermath: however far sizes are drawn, no relative offer is made at a loss", () => {
  for (let seed = 0; seed < 200; seed += 1) {
    const terms = relative("0.0001", { txfeeSat: 200n, sizeSpreadPpm: 1_000_000 });
    const [o] = draw([terms], 500_000_000n, `${seed}`);
    assert.ok(o !== undefined);
    assert.ok(o.minsizeSat >= 2_000_000n);
    assert.ok(math.profitSat(o, o.minsizeSat) >= 0n);
  }
});

test("maker: offermath: no offer goes below dust, whatever was asked", () => {
  const [o] = draw([absolute(0n, { minsizeSat: 0n })], 1_000_000n);
  assert.equal(o?.minsizeSat, math.dustSat);
  assert.deepEqual(draw([absolute(0n, { minsizeSat: 0n })], 2n * math.dustSat + 1n), []);
  assert.equal(draw([absolute(0n, { minsizeSat: 0n })], 2n * math.dustSat + 2n).length, 1);
});

test("maker: offermath: without coins there is no offer, however high the fee", () => {
  const rich = absolute(math.feeSatMax);
  assert.deepEqual(draw([rich], 0n), []);
  assert.equal(math.fillableSat(draw([rich], 1n)[0]!, 0n), undefined);
  const small = { ...draw([rich], 1n)[0]!, maxsizeSat: 100_000n };
  assert.ok(math.requiredSat(small, 100_000n) < 0n);
  assert.deepEqual([0n, 1n].map((sat) => math.isHonourable(small, sat)), [false, true]);
});

test("maker: offermath: no amount is beyond all money", () => {
  const [o] = draw([absolute(0n)], 3n * offer.satMax);
  assert.equal(o?.maxsizeSat, offer.satMax);
});

test("maker: offermath: fees are drawn within their spread, both ends included", () => {
  const seen = new Set<bigint>();
  const rates = new Set<string>();
  for (let seed = 0; seed < 400; seed += 1) {
    const [a, r] = draw([
      absolute(10n, { cjfeeSpreadPpm: 300_000 }), relative("0.5", { cjfeeSpreadPpm: 1_000 }),
      absolute(1n),
    ], 10_000_000n, `${seed}`);
    seen.add(absoluteFee(a));
    const rate = relativeFee(r);
    rates.add(rate.text);
    assert.ok(rate.units * 100_000n >= 49_950n * 10n ** BigInt(rate.scale));
    assert.ok(rate.units * 100_000n <= 50_050n * 10n ** BigInt(rate.scale));
  }
  assert.deepEqual(seen, new Set([7n, 8n, 9n, 10n, 11n, 12n, 13n]));
  // A thousandth of a half, to five places: 0.4995 to 0.5005.
  assert.ok(rates.size > 90 && rates.size <= 101);
});

test("maker: offermath: a spread beyond the whole ends at zero, a rate never gets there", () => {
  const fees = new Set<bigint>();
  for (let seed = 0; seed < 200; seed += 1) {
    const [a, r] = draw([
      absolute(1n, { cjfeeSpreadPpm: 10_000_000 }),
      relative("0.1", { cjfeeSpreadPpm: 1_000_000, txfeeSat: 1n }), absolute(1n),
    ], 10_000_000n, `${seed}`);
    fees.add(absoluteFee(a));
    if (r !== undefined && "cjfee" in r) assert.ok(r.cjfee.units >= 1n);
  }
  assert.equal(fees.size, 12);
});

test("maker: offermath: a rate that is drawn as nothing is the smallest there is", () => {
  const terms = relative("0.1", { cjfeeSpreadPpm: 1_000_000 });
  assert.equal(math.objection([terms]), undefined);
  // This stream begins with a zero.
  const [o] = math.draw([terms], 1_000_000n, { a: 0, b: 0, c: 0, d: 0 });
  assert.equal(relativeFee(o).text, "0.00001");
});

test("maker: offermath: the amount from which an offer earns is rounded up", () => {
  // 30,003 / 0.9 is 33,336.67, and 0.9 of 33,336 is rounded to 30,002.
  const least = new Set<bigint>();
  for (let seed = 0; seed < 50; seed += 1) {
    const terms = relative("0.9", { txfeeSat: 30_003n, minsizeSat: 0n, sizeSpreadPpm: 1_000_000 });
    const [o] = draw([terms], 10_000_000n, `${seed}`);
    assert.ok(o !== undefined);
    assert.ok(math.profitSat(o, o.minsizeSat) >= 0n, `a loss at ${o.minsizeSat}`);
    least.add(o.minsizeSat);
  }
  assert.ok(least.has(33_337n), "reached");
});

test("maker: offermath: a fee without spread is announced as it was asked", () => {
  for (const [asked, told] of [
    ["0.00002", "0.00002"], ["2e-05", "0.00002"], ["0.000020", "0.00002"],
    ["0.12345678901234567890", "0.1234567890123456789"], ["1E-20", `0.${"0".repeat(19)}1`],
  ] as const) {
    const [o] = draw([relative(asked)], offer.satMax);
    assert.equal(relativeFee(o).text, told);
  }
});

test("maker: offermath: sizes are drawn inside, the largest downwards only", () => {
  const sizes = { sizeSpreadPpm: 100_000 };
  const least = { min: 1n << 60n, max: 1n << 60n };
  const most = { min: 0n, max: 0n };
  for (let seed = 0; seed < 300; seed += 1) {
    const [o] = draw([absolute(0n, sizes)], 1_027_301n, `${seed}`);
    assert.ok(o !== undefined);
    if (o.minsizeSat < least.min) least.min = o.minsizeSat;
    if (o.minsizeSat > most.min) most.min = o.minsizeSat;
    if (o.maxsizeSat < least.max) least.max = o.maxsizeSat;
    if (o.maxsizeSat > most.max) most.max = o.maxsizeSat;
  }
  assert.ok(least.min >= 90_000n && least.min < 92_000n);
  assert.ok(most.min <= 110_000n && most.min > 108_000n);
  assert.ok(least.max >= 900_000n && least.max < 910_000n);
  assert.ok(most.max <= 1_000_000n && most.max > 990_000n);
});

test("maker: offermath: the draw of sizes never decides whether there is an offer", () => {
  const terms = [absolute(0n, { sizeSpreadPpm: 1_000_000 })];
  for (let seed = 0; seed < 200; seed += 1) {
    assert.deepEqual(draw(terms, 127_301n, `${seed}`), []);
    const [o] = draw(terms, 127_302n, `${seed}`);
    assert.ok(o !== undefined && o.minsizeSat < o.maxsizeSat);
  }
});

test("maker: offermath: an offer that is left out keeps its number from the others", () => {
  const terms = [absolute(0n, { minsizeSat: 900_000n }), absolute(5n), absolute(6n)];
  assert.deepEqual(lines(draw(terms, 500_000n)), [
    "sw0absoffer 1 100000 472704 0 5", "sw0absoffer 2 100000 472705 0 6",
  ]);
});

test("maker: offermath: dual: the fees meet at the seam, and both sides name it", () => {
  const terms = [relative("0.00002"), absolute(500n)];
  assert.deepEqual(lines(draw(terms, 500_000_000n)), [
    "sw0reloffer 0 25000000 499982699 0 0.00002", "sw0absoffer 1 100000 25000000 0 500",
  ]);
  // The other order of numbers changes nothing else.
  assert.deepEqual(lines(draw([...terms].reverse(), 500_000_000n)), [
    "sw0absoffer 0 100000 25000000 0 500", "sw0reloffer 1 25000000 499982699 0 0.00002",
  ]);
});

test("maker: offermath: dual: the seam is exact under every draw, outer edges are drawn", () => {
  const spread = {
    txfeeSat: 100n, txfeeSpreadPpm: 300_000, cjfeeSpreadPpm: 200_000, sizeSpreadPpm: 100_000,
  };
  const terms = [relative("0.00002", spread), absolute(500n, spread)];
  const outer = new Set<bigint>();
  for (let seed = 0; seed < 100; seed += 1) {
    const [r, a] = draw(terms, 500_000_000n, `${seed}`);
    assert.ok(a !== undefined && r !== undefined);
    assert.equal(r.minsizeSat, a.maxsizeSat);
    const earned = absoluteFee(a) - a.txfeeSat;
    const { units, scale } = relativeFee(r);
    assert.equal(a.maxsizeSat, (earned * 10n ** BigInt(scale)) / units);
    outer.add(a.minsizeSat).add(r.maxsizeSat);
  }
  assert.ok(outer.size > 190);
});

test("maker: offermath: dual: a seam below the absolute minimum leaves the relative offer", () => {
  const terms = [
    relative("0.001", { minsizeSat: 50_000n }), absolute(50n, { minsizeSat: 200_000n }),
  ];
  assert.deepEqual(lines(draw(terms, 1_000_000n)), ["sw0reloffer 0 200000 973673 0 0.001"]);
  // Within the dust band: the fees meet at 20,000.
  const tiny = [relative("0.001", { minsizeSat: 0n }), absolute(20n, { minsizeSat: 0n })];
  assert.deepEqual(lines(draw(tiny, 1_000_000n)), ["sw0reloffer 0 27300 973673 0 0.001"]);
});

test("maker: offermath: dual: a seam beyond the balance leaves the absolute offer", () => {
  const terms = [relative("0.00002"), absolute(500n)];
  assert.deepEqual(lines(draw(terms, 25_000_000n)), ["sw0absoffer 1 100000 24973199 0 500"]);
  assert.deepEqual(draw(terms, 20_000n), []);
});

test("maker: offermath: dual: the seam at the edge of the balance or of the minimum", () => {
  const terms = [relative("0.00002"), absolute(500n)];
  assert.deepEqual(lines(draw(terms, 25_026_801n)), ["sw0absoffer 1 100000 25000000 0 500"]);
  assert.deepEqual(lines(draw(terms, 25_026_802n)), [
    "sw0reloffer 0 25000000 25000001 0 0.00002", "sw0absoffer 1 100000 25000000 0 500",
  ]);
  const at = (minsizeSat: bigint) =>
    lines(draw([relative("0.001"), absolute(500n, { minsizeSat })], 1_000_000n));
  assert.deepEqual(at(500_000n), ["sw0reloffer 0 500000 973673 0 0.001"]);
  assert.deepEqual(at(499_999n), [
    "sw0reloffer 0 500000 973673 0 0.001", "sw0absoffer 1 499999 500000 0 500",
  ]);
});

test("maker: offermath: dual: the relative offer keeps its own minimum above the seam", () => {
  const above = relative("0.001", { minsizeSat: 800_000n });
  const terms = [above, absolute(500n)];
  assert.deepEqual(lines(draw(terms, 2_000_000n)), [
    "sw0reloffer 0 800000 1974674 0 0.001", "sw0absoffer 1 100000 500000 0 500",
  ]);
  assert.deepEqual(lines(draw(terms, 800_000n)), ["sw0absoffer 1 100000 500000 0 500"]);
});

test("maker: offermath: two offers of one kind share nothing", () => {
  assert.deepEqual(lines(draw([absolute(1n), absolute(2n)], 200_000n)), [
    "sw0absoffer 0 100000 172700 0 1", "sw0absoffer 1 100000 172701 0 2",
  ]);
});

test("maker: offermath: balances: only confirmed and unlocked coins count, by mixdepth", () => {
  const coin = (mixdepth: number, valueSat: bigint, confirmations = 1, isLocked = false) =>
    ({ mixdepth, valueSat, confirmations, isLocked });
  const coins = [
    coin(4, 1n), coin(1, 10n), coin(1, 20n), coin(2, 500n, 0), coin(2, 500n, -3),
    coin(3, 900n, 9, true), coin(3, 40n, 9), coin(0, 7n), coin(0, 9n), coin(0, 8n),
  ];
  assert.deepEqual(math.balances(coins, math.coinRule), [
    { mixdepth: 0, balanceSat: 9n }, { mixdepth: 1, balanceSat: 30n },
    { mixdepth: 3, balanceSat: 40n }, { mixdepth: 4, balanceSat: 1n },
  ]);
  assert.deepEqual(math.balances(coins, { confirmationsMin: 2, isZeroMerged: true }), [
    { mixdepth: 3, balanceSat: 40n },
  ]);
  assert.equal(math.balances(coins, { confirmationsMin: 1, isZeroMerged: true })[0]?.balanceSat,
    24n);
  assert.equal(math.largestSat(math.balances(coins, math.coinRule)), 40n);
  assert.equal(math.largestSat([]), 0n);
  assert.throws(() => math.balances([], { ...math.coinRule, confirmationsMin: 0 }),
    InvariantError);
});

// Row 9: what is locked cannot be selected, so it is not offered.
test("maker: offermath: offers never exceed what can be selected while coins are locked", () => {
  const coins = [1, 2, 3].map((n) => ({
    mixdepth: 1, valueSat: BigInt(n) * 1_000_000n, confirmations: 6, isLocked: n === 3,
  }));
  const [o] = draw([absolute(0n)], math.largestSat(math.balances(coins, math.coinRule)));
  assert.ok(o !== undefined && math.requiredSat(o, o.maxsizeSat) <= 3_000_000n);
});

test("maker: offermath: terms that cannot be offered are refused with a sentence", () => {
  const fine = [absolute(500n), relative("0.00002"), ...math.defaults];
  assert.equal(math.objection(fine), undefined);
  assert.equal(math.objection([]), undefined);
  const wrong: math.Terms[] = [
    relative("0"), relative("1"), relative("0.6", { cjfeeSpreadPpm: 700_000 }), relative("1.5"),
    relative("0.1", { cjfeeSpreadPpm: 1_000_001 }), relative("1e-21"),
    relative("0.1", { cjfee: { text: "-0.1", units: -1n, scale: 1 } }),
    absolute(-1n), absolute(math.feeSatMax + 1n), absolute(1n, { txfeeSat: -1n }),
    absolute(1n, { txfeeSat: math.feeSatMax + 1n }), absolute(1n, { minsizeSat: -1n }),
    absolute(1n, { minsizeSat: offer.satMax + 1n }), absolute(1n, { txfeeSpreadPpm: 10_000_001 }),
    absolute(1n, { cjfeeSpreadPpm: 10_000_001 }), absolute(1n, { sizeSpreadPpm: 1_000_001 }),
    absolute(1n, { sizeSpreadPpm: -1 }), absolute(1n, { sizeSpreadPpm: 0.5 }),
  ];
  for (const terms of wrong) {
    assert.match(math.objection([absolute(1n), terms]) ?? "", /^[a-z][^.]*$/);
    assert.throws(() => draw([terms], 1_000_000n), InvariantError);
  }
  assert.equal(math.objection([relative("0.5", { cjfeeSpreadPpm: 999_999 })]), undefined);
  assert.match(math.objection([relative("0.5", { cjfeeSpreadPpm: 1_000_000 })]) ?? "", /below 1/);
});

test("maker: offermath: as many offers as a maker may have, and not one more", () => {
  const many = Array.from({ length: math.offersMax }, () => absolute(1n));
  assert.equal(draw(many, 1_000_000n).length, math.offersMax);
  assert.match(math.objection([...many, absolute(1n)]) ?? "", /at most 16/);
});

const sat = fc.oneof(
  fc.bigInt(0n, 200_000n), fc.bigInt(0n, 10_000_000_000n), fc.bigInt(0n, offer.satMax),
);
const feeArb = fc.oneof(fc.bigInt(0n, 1_000n), fc.bigInt(0n, math.feeSatMax));
const ppm = (most: number) => fc.oneof(fc.constant(0), fc.integer({ min: 0, max: most }));
const common = fc.record({
  minsizeSat: sat, txfeeSat: feeArb, txfeeSpreadPpm: ppm(10_000_000), sizeSpreadPpm: ppm(1_000_000),
});
const absoluteArb: fc.Arbitrary<math.Terms> = fc.tuple(common, feeArb, ppm(10_000_000)).map(
  ([rest, cjfeeSat, cjfeeSpreadPpm]) =>
    ({ kind: "sw0absoffer", ...rest, cjfeeSat, cjfeeSpreadPpm }));
const relativeArb: fc.Arbitrary<math.Terms> = fc.tuple(
  common, fc.integer({ min: 1, max: 20 }), fc.bigInt(1n, 99n), ppm(10_000),
).map(([rest, scale, units, cjfeeSpreadPpm]) => ({
  kind: "tr0reloffer", ...rest, cjfeeSpreadPpm,
  cjfee: offer.ratio(scale === 1 ? (units % 9n) + 1n : units, scale),
}));
const termsArb = fc.oneof(
  fc.array(fc.oneof(absoluteArb, relativeArb), { maxLength: 4 }),
  fc.tuple(relativeArb, absoluteArb), fc.tuple(absoluteArb, relativeArb),
).filter((list) => math.objection(list) === undefined);

/** Amounts of an offer: its ends, next to them, and one anywhere. */
function amounts(o: Offer, part: number): bigint[] {
  const span = o.maxsizeSat - o.minsizeSat;
  const near = span > 0n ? 1n : 0n;
  return [
    o.minsizeSat, o.minsizeSat + near, o.minsizeSat + (span * BigInt(part)) / 1_000n,
    o.maxsizeSat - near, o.maxsizeSat,
  ];
}

test("maker: offermath: whatever is offered can be honoured, at no loss, in plain text", () => {
  let offered = 0;
  const property = fc.property(
    termsArb, sat, fc.nat(), fc.nat(1_000), (terms, balanceSat, seed, part) => {
      const offers = draw(terms, balanceSat, `${seed}`);
      offered += offers.length;
      for (const o of offers) {
        assert.ok(o.minsizeSat >= math.dustSat, "dust");
        assert.ok(o.minsizeSat <= o.maxsizeSat, "sizes out of order");
        assert.ok(math.isHonourable(o, balanceSat), "the largest is beyond the balance");
        for (const amountSat of amounts(o, part)) {
          assert.ok(math.requiredSat(o, amountSat) <= balanceSat, `beyond: ${amountSat}`);
          assert.ok(math.profitSat(o, amountSat) >= 0n, `a loss: ${amountSat}`);
          // What is left of the balance is change, and change is above dust.
          const changeSat = balanceSat - amountSat - o.txfeeSat + offer.feeSat(o, amountSat);
          assert.ok(changeSat > math.dustSat, `dust is left: ${amountSat}`);
        }
        const [word = "", ...args] = offer.encode(o).split(" ");
        assert.deepEqual(offer.parse({ word, args }), { ok: true, value: o });
        for (const arg of args) assert.match(arg, /^(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$/);
      }
      const oids = offers.map(({ oid }) => oid);
      assert.deepEqual(oids, [...new Set(oids)].sort((a, b) => a - b));
    });
  fc.assert(property, { numRuns: 1_000 });
  assert.ok(offered > 300, `only ${offered} offers were looked at`);
});

test("maker: offermath: what is needed never falls as the amount grows", () => {
  fc.assert(fc.property(relativeArb, sat, sat, fc.nat(), (terms, a, b, seed) => {
    if (math.objection([terms]) !== undefined) return;
    const [o] = draw([terms], offer.satMax, `${seed}`);
    if (o === undefined) return;
    const [low, high] = a < b ? [a, b] : [b, a];
    assert.ok(math.requiredSat(o, low) <= math.requiredSat(o, high), "falls far on");
    assert.ok(math.requiredSat(o, low) <= math.requiredSat(o, low + 1n), "falls at once");
    const most = math.fillableSat(o, high);
    const isNothing = math.requiredSat(o, 0n) > high || high === 0n;
    assert.equal(most === undefined, isNothing);
    if (most === undefined) return;
    assert.ok(math.requiredSat(o, most) <= high, "too much");
    const isMost = most === offer.satMax || math.requiredSat(o, most + 1n) > high;
    assert.ok(isMost, "too little");
  }), { numRuns: 500 });
});

test("maker: offermath: dual offers overlap in one amount at most and leave no cheaper one", () => {
  let duals = 0;
  fc.assert(fc.property(relativeArb, absoluteArb, sat, fc.nat(), (r, a, balanceSat, seed) => {
    if (math.objection([r, a]) !== undefined) return;
    const [first, second] = draw([r, a], balanceSat, `${seed}`);
    if (first === undefined || second === undefined) return;
    duals += 1;
    assert.ok(first.minsizeSat >= second.maxsizeSat, "they overlap");
    const seam = second.maxsizeSat;
    // Up to the seam the relative fee earns no more than the absolute one, beyond it no less.
    const earned = absoluteFee(second) - second.txfeeSat;
    assert.ok(offer.feeSat(first, seam) <= earned, "dearer below the seam");
    assert.ok(offer.feeSat(first, seam + 1n) >= earned, "cheaper above the seam");
  }), { numRuns: 1_000 });
  assert.ok(duals > 20, `only ${duals} pairs`);
});
