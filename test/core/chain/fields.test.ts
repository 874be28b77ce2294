import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  allOf, countOf, field, flagOf, hashOf, integerOf, isHash, listOf, permilleOf, textOf,
} from "../../../core/chain/fields.ts";
import { parse, type Json } from "../../../core/joinmarket/json.ts";

const json = (text: string): Json => {
  const parsed = parse(text);
  assert.ok(parsed.ok);
  return parsed.value;
};

test("chain: fields: each reads its own kind and nothing else", () => {
  const all = ["null", "true", "1", "\"a\"", "[1]", "{\"a\":1}"].map(json);
  const read = (reader: (j: Json) => unknown): readonly number[] =>
    all.flatMap((j, i) => (reader(j) === undefined ? [] : [i]));
  assert.deepEqual(read(flagOf), [1]);
  assert.deepEqual(read(integerOf), [2]);
  assert.deepEqual(read(textOf), [3]);
  assert.deepEqual(read(listOf), [4]);
  assert.deepEqual(read((j) => field(j, "a")), [5]);
  for (const reader of [flagOf, integerOf, textOf, listOf, countOf, hashOf, permilleOf]) {
    assert.equal(reader(undefined), undefined);
  }
});

test("chain: fields: integers are plain digits, and safe", () => {
  assert.equal(integerOf(json("-1")), -1);
  assert.equal(countOf(json("-1")), undefined);
  assert.equal(countOf(json("9007199254740991")), 9_007_199_254_740_991);
  for (const text of ["9007199254740992", "1.0", "1e3", "-0", "99999999999999999"]) {
    assert.equal(integerOf(json(text)), undefined, text);
  }
});

test("chain: fields: hashes are 64 digits of lower-case hex", () => {
  assert.equal(isHash("ab".repeat(32)), true);
  for (const text of ["AB".repeat(32), "ab".repeat(31), "ab".repeat(33), `${"ab".repeat(31)}zz`]) {
    assert.equal(isHash(text), false, text);
  }
});

test("chain: fields: allOf: one that cannot be read spoils the list", () => {
  assert.deepEqual(allOf(json("[1,2]"), countOf), [1, 2]);
  assert.deepEqual(allOf(json("[]"), countOf), []);
  assert.equal(allOf(json("[1,\"2\"]"), countOf), undefined);
  assert.equal(allOf(json("{}"), countOf), undefined);
});

test("chain: fields: permille: thousandths, rounded down, in any notation", () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ["0", 0], ["0.0009", 0], ["0.001", 1], ["0.5", 500], ["0.99999", 999], ["1", 1_000],
    ["1.0", 1_000], ["2.005571131645476e-06", 0], ["2", undefined], ["-0.5", undefined],
    ["1e3", undefined], ["\"0.5\"", undefined],
  ];
  for (const [text, value] of cases) assert.equal(permilleOf(json(text)), value, text);
  fc.assert(fc.property(fc.nat(999), fc.nat(999_999), (whole, rest) => {
    const text = `0.${String(whole).padStart(3, "0")}${rest}`;
    assert.equal(permilleOf(json(text)), whole);
  }), { numRuns: 50 });
});
