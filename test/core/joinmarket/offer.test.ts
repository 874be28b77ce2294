import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as offer from "../../../core/joinmarket/offer.ts";
import type { Offer } from "../../../core/joinmarket/offer.ts";
import * as model from "../../support/wire-model.ts";

function read(text: string): Offer | undefined {
  const [word = "", ...args] = text.split(" ");
  const found = offer.parse({ word, args });
  if (!found.ok) assert.equal(found.fault.code, "offer");
  return found.ok ? found.value : undefined;
}

test("joinmarket: offer: an absolute and a relative offer", () => {
  const terms = { oid: 0, minsizeSat: 100_000n, maxsizeSat: 5_000_000_000n, txfeeSat: 0n };
  assert.deepEqual(read("sw0absoffer 0 100000 5000000000 0 250"),
    { kind: "sw0absoffer", ...terms, cjfeeSat: 250n });
  assert.deepEqual(read("sw0reloffer 0 100000 5000000000 0 0.00002"),
    { kind: "sw0reloffer", ...terms, cjfee: { text: "0.00002", units: 2n, scale: 5 } });
});

test("joinmarket: offer: every kind is known, and nothing else", () => {
  const kinds = [
    "absoffer", "reloffer", "swabsoffer", "swreloffer", "sw0absoffer", "sw0reloffer", "tr0absoffer",
  ];
  for (const kind of [...kinds, "tr0reloffer"]) {
    assert.equal(offer.isOffer(kind), true);
    assert.equal(read(`${kind} 1 2 3 4 5`)?.kind, kind);
  }
  for (const word of ["", "offer", "orderbook", "SW0ABSOFFER", "toString", "__proto__"]) {
    assert.equal(offer.isOffer(word), false);
    assert.equal(read(`${word} 1 2 3 4 5`), undefined);
  }
});

test("joinmarket: offer: a private line's key and signature may follow", () => {
  assert.equal(read("absoffer 1 2 3 4 5 key sig")?.oid, 1);
  assert.equal(read("absoffer 1 2 3 4 5 key"), undefined);
  assert.equal(read("absoffer 1 2 3 4"), undefined);
});

test("joinmarket: offer: amounts are plain digits within all money", () => {
  const wrong = [
    "-1", "1.0", "1e3", "01", "", "x", "0x10", "2100000000000001", "9".repeat(40_000), "+1", "١",
  ];
  for (const value of wrong) {
    for (const place of [0, 1, 2, 3, 4]) {
      const args = ["0", "0", "2100000000000000", "0", "0"];
      args[place] = value;
      assert.equal(offer.parse({ word: "absoffer", args }).ok, false, value.slice(0, 20));
    }
  }
  assert.equal(read("absoffer 999999999 0 2100000000000000 0 0")?.maxsizeSat, offer.satMax);
  assert.equal(read("absoffer 1000000000 0 1 0 0"), undefined);
  assert.equal(read("absoffer 0 2 1 0 0"), undefined);
});

test("joinmarket: offer: a relative fee is a bounded decimal, exponents included", () => {
  const ratios: [string, bigint, number][] = [
    ["0", 0n, 0], ["0.0002", 2n, 4], ["1.50", 150n, 2], ["2e-05", 2n, 5], ["2.5E-05", 25n, 6],
  ];
  for (const [text, units, scale] of ratios) {
    assert.deepEqual(offer.parseRatio(text), { text, units, scale });
  }
  const wrong = [
    "", ".5", "5.", "-0.1", "1e5", "1e+5", "1e-", "1e-100", "1e-41", "NaN", "0.1 ", "1/2",
    "0".repeat(33), "٠.١",
  ];
  for (const text of wrong) assert.equal(offer.parseRatio(text), undefined, text);
});

test("joinmarket: offer: a fee cannot expand into a large number", () => {
  for (const text of ["9".repeat(32), "1e-40", `0.${"9".repeat(30)}`, `0.${"9".repeat(24)}e-16`]) {
    const ratio = offer.parseRatio(text);
    assert.ok(ratio !== undefined);
    assert.ok(ratio.units.toString().length <= 32);
    assert.ok(ratio.scale <= offer.scaleMax);
  }
});

test("joinmarket: offer: the fee of an amount is rounded to the nearest satoshi", () => {
  const fee = (text: string, amountSat: bigint) => offer.feeSat(read(text)!, amountSat);
  assert.equal(fee("reloffer 0 0 1 0 0.00002", 149_999n), 3n);
  assert.equal(fee("reloffer 0 0 1 0 2e-05", 150_000n), 3n);
  assert.equal(fee("reloffer 0 0 1 0 0.000022", 9_994_243n), 220n);
  assert.equal(fee("reloffer 0 0 1 0 0.9999999999", offer.satMax), 2_099_999_999_790_000n);
  assert.equal(fee("absoffer 0 0 1 0 7", 149_999n), 7n);
  assert.throws(() => fee("absoffer 0 0 1 0 7", -1n), { name: "InvariantError" });
});

test("joinmarket: offer: half a satoshi of fee goes to the even side", () => {
  const fee = (amountSat: bigint) => offer.feeSat(read("reloffer 0 0 1 0 0.5")!, amountSat);
  assert.deepEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n].map(fee), [0n, 1n, 2n, 2n, 2n, 3n, 4n]);
});

test("joinmarket: offer: a fraction is written plainly and read back as it was", () => {
  const texts: [bigint, number, string][] = [
    [0n, 0, "0"], [0n, 9, "0"], [2n, 5, "0.00002"], [200n, 7, "0.00002"], [150n, 2, "1.5"],
    [100n, 2, "1"], [10n, 0, "10"], [1n, 30, `0.${"0".repeat(29)}1`], [7n, 1, "0.7"],
  ];
  for (const [units, scale, text] of texts) {
    const made = offer.ratio(units, scale);
    assert.equal(made.text, text);
    assert.deepEqual(offer.parseRatio(text), made);
  }
  const wrong: [bigint, number][] = [[-1n, 0], [1n, -1], [1n, 1.5], [1n, 41], [1n, 31]];
  for (const [units, scale] of wrong) {
    assert.throws(() => offer.ratio(units, scale), { name: "InvariantError" });
  }
});

test("joinmarket: offer: cancellations", () => {
  assert.deepEqual(offer.parseCancel({ word: "cancel", args: ["7"] }), { ok: true, value: 7 });
  for (const args of [[], ["x"], ["1", "2"], ["-1"], ["01"]]) {
    assert.equal(offer.parseCancel({ word: "cancel", args }).ok, false);
  }
  assert.equal(offer.parseCancel({ word: "fill", args: ["7"] }).ok, false);
  assert.equal(offer.encodeCancel(7), "cancel 7");
  assert.throws(() => offer.encodeCancel(-1), { name: "InvariantError" });
});

const kind = fc.constantFrom(
  "absoffer", "sw0absoffer", "tr0absoffer", "reloffer", "sw0reloffer", "x",
);
const number = fc.oneof(
  fc.bigInt(0n, 2_200_000_000_000_000n).map(String), fc.nat(20).map(String),
  fc.constantFrom("", "00", "-1", "1.5", "2e-05", "0.0001", "1e5", "0x1"),
);

test("joinmarket: offer: any offer is judged as the model judges it, and written back", () => {
  fc.assert(fc.property(kind, fc.array(number, { minLength: 4, maxLength: 6 }), (word, args) => {
    const text = [word, ...args].join(" ");
    const found = read(text);
    assert.equal(found !== undefined, model.offer(text) !== undefined, text);
    if (found !== undefined) assert.equal(offer.encode(found), text);
  }), { numRuns: 1_000 });
});

test("joinmarket: offer: an impossible offer is our mistake", () => {
  const fine = read("absoffer 0 1 2 0 0")!;
  assert.throws(() => offer.encode({ ...fine, minsizeSat: 3n }), { name: "InvariantError" });
  assert.throws(
    () => offer.encode({ ...fine, maxsizeSat: offer.satMax + 1n }), { name: "InvariantError" },
  );
});
