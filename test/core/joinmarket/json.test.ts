import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as json from "../../../core/joinmarket/json.ts";
import type { Json } from "../../../core/joinmarket/json.ts";
import { differs } from "../../support/wire-model.ts";

/** The value in the platform's terms. Numbers become numbers, objects lose their repeats. */
function plain(j: Json): unknown {
  if (json.isNumeral(j)) return Number(j.numeral);
  if (json.isFields(j)) {
    return Object.fromEntries([...j.fields].map(([key, value]) => [key, plain(value)]));
  }
  return Array.isArray(j) ? j.map((item: Json) => plain(item)) : j;
}

const roomy = { depthMax: 64, nodesMax: 100_000 };

test("joinmarket: json: what the platform writes is read back the same", () => {
  fc.assert(fc.property(fc.jsonValue({ stringUnit: "binary" }), fc.nat(3), (value, indent) => {
    const text = JSON.stringify(value, undefined, indent);
    const read = json.parse(text, roomy);
    assert.ok(read.ok, text);
    assert.deepEqual(plain(read.value), JSON.parse(text));
  }));
});

const pieces = fc.constantFrom(
  ..."{}[]:,\"\\ \n\t01-+.eEtfn/u".split(""),
  "true", "null", "\"a\":", "\\u00e9", "\\ud83d", "\\ude00", "1.5", "é",
);

test("joinmarket: json: any text is taken or refused as the platform does", () => {
  fc.assert(fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
    const text = parts.join("");
    const read = json.parse(text, roomy);
    let platform: unknown;
    try {
      platform = JSON.parse(text);
    } catch {
      assert.equal(read.ok, false, text);
      return;
    }
    const isWell = !/[\uD800-\uDFFF]/u.test(
      JSON.stringify(platform).replaceAll(/\\ud[89a-f]../g, "\ud800"),
    );
    assert.equal(read.ok, isWell, text);
    if (read.ok) assert.deepEqual(plain(read.value), platform);
  }), { numRuns: 1_000 });
});

test("joinmarket: json: every escape has its meaning, and there are no others", () => {
  const text = "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00E9\"";
  assert.deepEqual(json.parse(text), { ok: true, value: "\"\\/\b\f\n\r\té" });
  for (const wrong of ["\\x", "\\u12g4", "\\u12", "\\", "\\B", "\\u+123"]) {
    assert.equal(json.parse(`"${wrong}"`).ok, false, wrong);
  }
});

test("joinmarket: json: numbers keep their text", () => {
  for (const numeral of ["0", "-0", "5", "5.0", "5e0", "5E+00", "1e999", "9".repeat(40)]) {
    assert.deepEqual(json.parse(numeral), { ok: true, value: { numeral } });
  }
  for (const text of ["01", "+1", ".5", "5.", "1e", "1e+", "-", "0x1", "NaN", "Infinity"]) {
    assert.equal(json.parse(text).ok, false, text);
  }
});

test("joinmarket: json: integers are plain digits only", () => {
  const of = (numeral: string): number | undefined => json.integer({ numeral });
  assert.deepEqual(["5", "-5", "0", "999999999"].map(of), [5, -5, 0, 999_999_999]);
  const refused = ["5.0", "5e0", "-0", "1000000000"].map(of);
  assert.deepEqual(refused, [undefined, undefined, undefined, undefined]);
  assert.equal(json.integer("5"), undefined);
  assert.equal(json.integer(undefined), undefined);
});

test("joinmarket: json: repeated keys are told, the last value stays", () => {
  const read = json.parseObject("{\"a\": 1, \"\\u0061\": 2}");
  assert.ok(read.ok);
  assert.equal(read.value.duplicates, true);
  assert.deepEqual(read.value.fields.get("a"), { numeral: "2" });
});

test("joinmarket: json: row issue/proto-key: __proto__ is a key like any other", () => {
  const read = json.parseObject("{\"__proto__\": {\"polluted\": true}, \"constructor\": 1}");
  assert.ok(read.ok);
  assert.deepEqual([...read.value.fields.keys()], ["__proto__", "constructor"]);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

test("joinmarket: json: row issue/lone-surrogates: texts without a UTF-8 form are refused", () => {
  const refused = [
    "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800x\\udc00\"", "\"\ud800\"", "{\"\\ud800\": 1}",
  ];
  for (const text of refused) assert.equal(json.parse(text).ok, false, text);
  assert.deepEqual(json.parse("\"\\ud83d\\ude00\""), { ok: true, value: "😀" });
});

test("joinmarket: json: depth and number of values are bounded", () => {
  const nested = (n: number): string => "[".repeat(n) + "]".repeat(n);
  assert.equal(json.parse(nested(3), { depthMax: 3, nodesMax: 10 }).ok, true);
  assert.equal(json.parse(nested(4), { depthMax: 3, nodesMax: 10 }).ok, false);
  assert.equal(json.parse("[1,2,3]", { depthMax: 3, nodesMax: 4 }).ok, true);
  assert.equal(json.parse("[1,2,3,4]", { depthMax: 3, nodesMax: 4 }).ok, false);
  assert.equal(json.parse("[".repeat(40_000)).ok, false);
  assert.equal(json.parse("{\"a\":".repeat(8_000)).ok, false);
  assert.equal(json.parseObject("[]").ok, false);
  assert.equal(json.parseObject("null").ok, false);
});

test("joinmarket: json: quote is ASCII and the platform reads it back", () => {
  assert.equal(json.quote("a\"\\\b\t\n\f\r\u0000\u007fé😀/"),
    "\"a\\\"\\\\\\b\\t\\n\\f\\r\\u0000\\u007f\\u00e9\\ud83d\\ude00/\"");
  fc.assert(fc.property(fc.string({ unit: "binary" }), (s) => {
    assert.match(json.quote(s), /^[ -~]*$/);
    assert.equal(JSON.parse(json.quote(s)), s);
  }));
});

test("joinmarket: json: the model knows what the platform cannot see", () => {
  assert.equal(differs("{\"a\": 1, \"\\u0061\": 2}"), true);
  assert.equal(differs("{\"a\": 5.0}"), true);
  assert.equal(differs("{\"a\": 5, \"b\": \"c\"}"), false);
});
