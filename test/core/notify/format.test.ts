import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import * as format from "../../../core/notify/format.ts";

test("notify: format: numbers are grouped in threes", () => {
  const wanted = { 0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567" };
  for (const [n, text] of Object.entries(wanted)) assert.equal(format.grouped(BigInt(n)), text);
  assert.throws(() => format.grouped(-1), InvariantError);
});

test("notify: format: amounts are exact to the satoshi on both sides of a bitcoin", () => {
  const wanted: [bigint, string][] = [
    [0n, "0 sats"], [1n, "1 sat"], [27_300n, "27,300 sats"], [99_999_999n, "99,999,999 sats"],
    [100_000_000n, "1 BTC"], [100_000_001n, "1.00000001 BTC"], [150_000_000n, "1.5 BTC"],
    [2_100_000_000_000_000n, "21,000,000 BTC"],
  ];
  for (const [sat, text] of wanted) assert.equal(format.exactly(sat), text);
  assert.throws(() => format.exactly(-1n), InvariantError);
});

test("notify: format: rounded amounts have two digits and say that they are rounded", () => {
  const wanted: [bigint, string][] = [
    [0n, "0 sats"], [7n, "about 7 sats"], [1_249n, "about 1,200 sats"],
    [1_250n, "about 1,300 sats"], [99_600n, "about 100,000 sats"],
    [123_456_789n, "about 1.2 BTC"], [99_999_999n, "about 1 BTC"],
  ];
  for (const [sat, text] of wanted) assert.equal(format.roughly(sat), text);
  assert.throws(() => format.roughly(-1n), InvariantError);
});

test("notify: format: rounded amounts are within five percent and tell two digits at most", () => {
  fc.assert(fc.property(fc.bigInt({ min: 1n, max: 2_100_000_000_000_000n }), (sat) => {
    const text = format.roughly(sat);
    const [, digits = "", unit] = /^about ([0-9,.]+) (sats|sat|BTC)$/.exec(text) ?? [];
    const [whole = "", rest = ""] = digits.replaceAll(",", "").split(".");
    const told = unit === "BTC" ? BigInt(whole + rest.padEnd(8, "0")) : BigInt(whole);
    const apart = told > sat ? told - sat : sat - told;
    assert.ok(apart * 20n <= sat);
    assert.ok(`${told}`.replace(/0+$/, "").length <= 2);
  }));
});

test("notify: format: spans are told in their two largest units", () => {
  const wanted: [number, string][] = [
    [0, "0 s"], [59_999, "59 s"], [60_000, "1 min"], [3_599_999, "59 min"], [3_600_000, "1 h"],
    [12_000_000, "3 h 20 min"], [172_799_999, "47 h 59 min"], [172_800_000, "2 d"],
    [180_000_000, "2 d 2 h"],
  ];
  for (const [ms, text] of wanted) assert.equal(format.span(ms), text);
  assert.throws(() => format.span(-1), InvariantError);
});

test("notify: format: stamps are those of the calendar", () => {
  const max = Date.UTC(2400, 0, 1);
  fc.assert(fc.property(fc.integer({ min: 0, max }), (unixMs) => {
    const iso = new Date(unixMs).toISOString();
    assert.equal(format.stamp(unixMs), `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`);
  }));
  assert.equal(format.stamp(Date.UTC(2024, 1, 29, 23, 59, 59)), "2024-02-29 23:59:59 UTC");
  assert.equal(format.stamp(Date.UTC(2000, 11, 31)), "2000-12-31 00:00:00 UTC");
});

test("notify: format: of many names a few are told, and how many more there are", () => {
  const list = ["a", "b", "c", "d", "e", "f", "g"];
  assert.equal(format.names(list.slice(0, 5), 5), "a, b, c, d, e");
  assert.equal(format.names(list, 5), "a, b, c, d, e, ... and 2 more");
  assert.equal(format.names([], 5), "");
});

test("notify: format: no text brings a control character, half a pair or more than asked", () => {
  const any = fc.string({ unit: "binary", maxLength: 60 });
  fc.assert(fc.property(any, fc.integer({ min: 3, max: 50 }), (text, max) => {
    const clean = format.line(text, max);
    assert.ok(clean.length <= max);
    assert.doesNotMatch(clean, /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u);
  }));
  assert.equal(format.line("a\r\nX: b", 20), "a X: b");
  assert.equal(format.line("x\ud800y", 20), "x?y");
  assert.equal(format.line("abcdef", 5), "ab...");
  assert.equal(format.line("a\u{1f436}cdef", 5), "a...");
  assert.equal(format.line("abcde", 5), "abcde");
});

test("notify: format: codes are words, counts have their plural", () => {
  assert.equal(format.words("not-found"), "not found");
  assert.equal(format.count(1, "coin"), "1 coin");
  assert.equal(format.count(1200, "coin"), "1,200 coins");
});
