import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as features from "../../../core/joinmarket/features.ts";
import { parse as parseJson } from "../../../core/joinmarket/json.ts";

/** The names, or `undefined` if refused. */
function read(text: string): readonly string[] | undefined {
  const j = parseJson(text);
  assert.ok(j.ok, text);
  const found = features.parse(j.value);
  if (!found.ok) assert.equal(found.fault.code, "features");
  return found.ok ? found.value : undefined;
}

test("joinmarket: features: only true counts, unknown names are kept, all is sorted", () => {
  const values = { zz: true, ping: true, a_1: true, no: false, n: 1, s: "true", u: null };
  const text = JSON.stringify(values);
  assert.deepEqual(read(text), ["a_1", "ping", "zz"]);
  assert.deepEqual(read("{}"), []);
  assert.deepEqual(features.parse(undefined), { ok: true, value: [] });
  assert.equal(features.join(["a", "b"]), "a+b");
});

test("joinmarket: features: row 2.1/features: null, lists, nested and repeated are refused", () => {
  const wrong = [
    "null", "[]", "\"ping\"", "true", "1", "{\"a\": {}}", "{\"a\": [true]}",
    "{\"ping\": true, \"ping\": false}",
    "{\"\": true}", "{\"Ping\": true}", "{\"p-g\": true}", "{\"p g\": true}", "{\"é\": 1}",
    "{\"a\\n\": 1}",
  ];
  for (const text of wrong) assert.equal(read(text), undefined, text);
});

test("joinmarket: features: row 10/T2-peerlist-injection: a name cannot forge an entry", () => {
  for (const name of ["a,J5victimNkOOOOOO;x;D", "a;D", "a+b", "F:x", "a!b"]) {
    assert.equal(read(JSON.stringify({ [name]: true })), undefined);
    assert.equal(features.isFeature(name), false);
  }
});

test("joinmarket: features: each limit is reached", () => {
  const many = (n: number): string =>
    JSON.stringify(Object.fromEntries(Array.from({ length: n }, (_, i) => [`f${i}`, true])));
  assert.equal(read(many(32))?.length, 32);
  assert.equal(read(many(33)), undefined);
  assert.deepEqual(read(`{"${"x".repeat(64)}": true}`), ["x".repeat(64)]);
  assert.equal(read(`{"${"x".repeat(65)}": true}`), undefined);
  assert.deepEqual(read(`{"x": "${"é".repeat(256)}"}`), []);
  assert.equal(read(`{"x": "${"é".repeat(256)}z"}`), undefined);
});

test("joinmarket: features: row issue/proto-key: __proto__ is a name and no more", () => {
  assert.deepEqual(
    read("{\"__proto__\": true, \"constructor\": true}"), ["__proto__", "constructor"],
  );
  assert.equal(({} as { ping?: boolean }).ping, undefined);
});

test("joinmarket: features: sorting is total, without repeats, and leaves its input alone", () => {
  fc.assert(fc.property(fc.array(fc.constantFrom("a", "b", "_", "0", "aa", "b0")), (names) => {
    const before = [...names];
    const out = features.sorted(names);
    assert.deepEqual(names, before);
    assert.deepEqual(out, [...new Set(names)].toSorted());
  }));
});
