import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { changeLines } from "../../../cli/sim/changes.ts";
import { stateLines } from "../../../sim/diff.ts";

function changed(before: unknown, after: unknown): string[] {
  return changeLines(stateLines(before), stateLines(after));
}

test("sim cli: changes: a value that changed is shown as it was and is", () => {
  assert.deepEqual(changed({ a: 1, b: { c: "x" } }, { a: 2, b: { c: "y" } }), [
    "a: 1 -> 2", "b.c: \"x\" -> \"y\"",
  ]);
  assert.deepEqual(changed({ a: 1 }, { a: 1 }), []);
});

test("sim cli: changes: a part that came or went is one line", () => {
  const first = { at: { phase: "up", nick: "J5" }, bytes: 7 };
  const one = { sessions: new Map<number, unknown>([[1, first]]) };
  const two = { sessions: new Map<number, unknown>([[1, first], [3, { at: "new", bytes: 0 }]]) };
  assert.deepEqual(changed(one, two), ["sessions.3: new, 2 values"]);
  assert.deepEqual(changed(two, one), ["sessions.3: gone, 2 values"]);
  assert.deepEqual(changed({ a: {} }, { a: { b: 5 } }).at(-1), "a.b: new, 5");
});

test("sim cli: changes: nothing changed, nothing told; something changed, something told", () => {
  const states = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.oneof(
    fc.integer({ min: 0, max: 2 }),
    fc.dictionary(fc.constantFrom("d", "e"), fc.integer({ min: 0, max: 2 })),
  ));
  fc.assert(fc.property(states, states, (before, after) => {
    const isSame = stateLines(before).join("\n") === stateLines(after).join("\n");
    assert.equal(changed(before, after).length === 0, isSame);
    assert.deepEqual(changed(before, before), []);
  }));
});
