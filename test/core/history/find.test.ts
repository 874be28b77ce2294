import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import { ascii } from "../../../core/bytes.ts";
import * as find from "../../../core/history/find.ts";
import { addresses } from "../../support/history.ts";

test("history: find: no row is missed, none comes twice, however often it was added", () => {
  const adds = fc.array(fc.tuple(addresses, fc.nat({ max: 30 }), fc.boolean()), { maxLength: 300 });
  fc.assert(fc.property(adds, (list) => {
    const m = find.create();
    const rows = new Map<string, Set<number>>();
    for (const [text, row, isBytes] of list) {
      const framed = ascii(`<${text}>`);
      if (isBytes) find.addBytes(m, framed, 1, framed.length - 1, row);
      else find.add(m, text, row);
      rows.set(text, (rows.get(text) ?? new Set()).add(row));
    }
    for (const [text, expected] of rows) {
      const found = find.candidates(m, text);
      assert.deepEqual([...found].sort((a, b) => a - b), found);
      assert.equal(new Set(found).size, found.length);
      for (const row of expected) assert.ok(found.includes(row), text);
    }
    assert.ok(3 * m.count <= 2 * m.places.length, "a third stays free");
  }), { numRuns: 100 });
});

test("history: find: wrong candidates are rare among a hundred thousand texts", () => {
  const m = find.create();
  for (let i = 0; i < 100_000; i += 1) find.add(m, `bc1q${i.toString(16)}`, i);
  let wrong = 0;
  for (let i = 0; i < 10_000; i += 1) wrong += find.candidates(m, `bc1p${i}`).length;
  assert.ok(wrong <= 3, `${wrong} wrong candidates`);
  assert.deepEqual(find.candidates(find.create(), "x"), []);
  assert.throws(() => find.add(m, "x", -1), InvariantError);
});
