import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { btcOf, satFrom, satOf, wholeSatFrom } from "../../../core/chain/amount.ts";
import { satMax } from "../../../core/joinmarket/offer.ts";
import { parse, type Json } from "../../../core/joinmarket/json.ts";

const json = (text: string): Json => {
  const parsed = parse(text);
  assert.ok(parsed.ok);
  return parsed.value;
};

test("chain: amount: what a node writes is read to the satoshi", () => {
  assert.equal(satOf("0.00000000"), 0n);
  assert.equal(satOf("1.23456789"), 123_456_789n);
  assert.equal(satOf("48.76540391"), 4_876_540_391n);
  assert.equal(satOf("-0.00002820"), -2_820n);
  assert.equal(satOf("20999999.97690000"), 2_099_999_997_690_000n);
});

test("chain: amount: every way to write the same value is read", () => {
  for (const text of ["1e-8", "1E-8", "0.1e-7", "10e-9", "0.00000001", "0.000000010", "1.0e-08"]) {
    assert.equal(satOf(text), 1n, text);
  }
  for (const text of ["1", "1.0", "1e0", "10e-1", "0.01e+2", "1.000000000000"]) {
    assert.equal(satOf(text), 100_000_000n, text);
  }
  assert.equal(satOf("-0"), 0n);
  assert.equal(satOf("0e99"), 0n);
});

test("chain: amount: more than eight decimals is no amount, and nothing is rounded", () => {
  for (const text of ["0.000000001", "0.123456789", "1e-9", "0.30000000000000004", "12e-10"]) {
    assert.equal(satOf(text), undefined, text);
  }
});

test("chain: amount: what is no number, too long or too much is refused at once", () => {
  const texts = [
    "", ".", "1.", ".5", "01", "+1", "1e", "1e1.5", "0x1", " 1", "1 ", "NaN", "Infinity", "1_0",
    "1e999", "1e9999999999", "1e-9999", "21000000.00000001", "-21000000.00000001",
    `0.${"0".repeat(60)}`, "1".repeat(50),
  ];
  for (const text of texts) assert.equal(satOf(text), undefined, text);
  assert.equal(satOf("21000000"), satMax);
});

test("chain: amount: numbers and texts of JSON are read, nothing else", () => {
  assert.equal(satFrom(json("0.5")), 50_000_000n);
  assert.equal(satFrom(json("\"0.5\"")), 50_000_000n);
  for (const text of ["null", "true", "[]", "{}", "\"half\""]) {
    assert.equal(satFrom(json(text)), undefined, text);
  }
  assert.equal(satFrom(undefined), undefined);
});

test("chain: amount: satoshis are digits and nothing else", () => {
  assert.equal(wholeSatFrom(json("0")), 0n);
  assert.equal(wholeSatFrom(json("2100000000000000")), satMax);
  const wrong = ["-1", "1.0", "1e3", "2100000000000001", "99999999999999999", "\"1\"", "null"];
  for (const text of wrong) {
    assert.equal(wholeSatFrom(json(text)), undefined, text);
  }
});

test("chain: amount: btcOf writes all eight decimals, and no more than there is", () => {
  assert.equal(btcOf(0n), "0.00000000");
  assert.equal(btcOf(1n), "0.00000001");
  assert.equal(btcOf(-123_456_789n), "-1.23456789");
  assert.throws(() => btcOf(satMax + 1n), /all the money/);
});

test("chain: amount: satOf undoes btcOf, for every amount", () => {
  fc.assert(fc.property(fc.bigInt({ min: -satMax, max: satMax }), (sat) => {
    assert.equal(satOf(btcOf(sat)), sat);
    // Trailing zeros say nothing, and an exponent moves the point.
    assert.equal(satOf(btcOf(sat).replace(/0+$/, "0")), sat);
    assert.equal(satOf(`${sat}e-8`), sat);
  }), { numRuns: 300 });
});

test("chain: amount: no text makes it throw", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    const sat = satOf(text);
    if (sat !== undefined) assert.ok(sat <= satMax && sat >= -satMax);
  }), { numRuns: 300 });
});
