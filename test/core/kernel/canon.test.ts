import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import * as canon from "../../../core/kernel/canon.ts";
import { bytesOf } from "../../support/toy.ts";
import { event } from "../../support/plain.ts";

test("core: canon: what is encoded decodes to the same value, in printable ASCII", () => {
  fc.assert(
    fc.property(event, (value) => {
      const text = canon.encode(value, undefined);
      assert.match(text, /^[\x20-\x7e]*$/);
      const json = canon.parse(text);
      assert.ok(json.ok);
      const back = canon.decode(json.value);
      assert.ok(back.ok);
      assert.deepEqual(back.value, value);
      assert.equal(canon.encode(back.value, undefined), text);
    }),
    { numRuns: 400 },
  );
});

test("core: canon: bytes that print are text, others hex, and marks are never mistaken", () => {
  const textOf = (value: unknown): string => canon.encode(value, undefined);
  assert.equal(textOf(bytesOf("a\r\n")), `{"a":"a\\r\\n"}`);
  assert.equal(textOf(bytesOf("a\t")), `{"x":"6109"}`);
  assert.equal(textOf({ a: 1, b: undefined }), `{"o":{"a":1,"b":{"u":1}}}`);
  assert.equal(textOf([1n, null, -0, true]), `[{"n":"1"},null,-0,true]`);
  assert.equal(textOf("é\u007f\ud800"), `"\\u00e9\\u007f\\ud800"`);
});

test("core: canon: what is not plain data is a bug", () => {
  for (const wrong of [new Map(), new Set(), Number.NaN, () => 1, Symbol("x")]) {
    assert.throws(() => canon.encode({ wrong }, undefined), /trace/);
  }
  const deep = { type: "x", down: {} };
  let at: { down?: object } = deep.down;
  for (let i = 0; i < 40; i += 1) at = at.down = {};
  assert.throws(() => canon.encode(deep, undefined), /deeply/);
});
