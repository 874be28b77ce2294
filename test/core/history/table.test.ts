import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as table from "../../../core/history/table.ts";

const field = fc.oneof(
  fc.string({ maxLength: 8 }), fc.constantFrom("", ",", '"', "\r\n", "\r", "\n", 'a"b', '""', " x"),
);

test("history: table: what was written is read", () => {
  const rows = fc.array(fc.array(field, { minLength: 2, maxLength: 5 }), { maxLength: 6 });
  fc.assert(fc.property(rows, (list) => {
    const read = table.read(list.map(table.write).join(""));
    assert.deepEqual(read.map(({ fields }) => fields), list);
  }), { numRuns: 300 });
});

test("history: table: quotes only where they are needed, two for one, CRLF at the end", () => {
  assert.equal(table.write(["a b", "", "x,y", 'q"', "l\n", "'"]),
    'a b,,"x,y","q""","l\n",\'\r\n');
});

test("history: table: rows end as any system ends them, and know their line", () => {
  const read = table.read("\ufeffa,b\n\nc,\"d\r\ne\"\rf,g");
  assert.deepEqual(read, [
    { line: 1, fields: ["a", "b"] }, { line: 3, fields: ["c", "d\r\ne"] },
    { line: 5, fields: ["f", "g"] },
  ]);
});

test("history: table: a broken row is one broken row", () => {
  const read = table.read('a,b\nx"y,z\n"p"q,r\nc,d\n"open,e\nf,g\n');
  assert.deepEqual(read.map(({ line, fields }) => [line, fields?.join("|")]), [
    [1, "a|b"], [2, undefined], [3, undefined], [4, "c|d"], [5, undefined], [6, "f|g"],
  ]);
});

test("history: table: any text is read to its end", () => {
  const text = fc.array(fc.constantFrom("a", ",", '"', "\r", "\n", "\ufeff"), { maxLength: 40 });
  fc.assert(fc.property(text, (parts) => {
    const lines = table.read(parts.join("")).map(({ line }) => line);
    assert.deepEqual(lines, [...lines].sort((a, b) => a - b));
    assert.equal(new Set(lines).size, lines.length);
  }), { numRuns: 300 });
});
