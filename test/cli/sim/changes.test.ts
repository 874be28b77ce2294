import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { changeLines, changesOf, fitted, lineOf } from "../../../cli/sim/changes.ts";
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

test("sim cli: changes: a value that became a part, or was one, is one line", () => {
  const [empty, full] = [{ log: [], of: undefined }, { log: [1, 2, 3], of: { a: 1, b: 2 } }];
  assert.deepEqual(changed(empty, full), ["log: [] -> 3 values", "of: undefined -> 2 values"]);
  assert.deepEqual(changed(full, empty), ["log: 3 values -> []", "of: 2 values -> undefined"]);
  assert.deepEqual(changed({ x: {} }, { x: { only: "this" } }), ["x.only: new, \"this\""]);
});

test("sim cli: changes: where they are many, those of one part are counted together", () => {
  const state = (n: number): unknown => ({
    few: { a: n }, other: { b: n, c: n, log: { old: 1, ...Object.fromEntries(entries(n)) } },
  });
  const entries = (n: number): [string, number][] =>
    Array.from({ length: 30 * n }, (_, i) => [`k${i}`, i]);
  const all = changesOf(stateLines(state(0)), stateLines(state(1)));
  assert.equal(all.length, 33);
  assert.deepEqual(fitted(all, 40), all);
  assert.deepEqual(fitted(all, 10).map(lineOf), [
    "few.a: 0 -> 1", "other.b: 0 -> 1", "other.c: 0 -> 1", "other.log: 30 new",
  ]);
  assert.deepEqual(fitted(all, 2).map(lineOf), ["few.a: 0 -> 1", "other: 32 changes"]);
  assert.equal(fitted(all, 10, 2).length, 33);
});

test("sim cli: changes: nothing changed, nothing told; something changed, something told", () => {
  const states = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.oneof(
    fc.integer({ min: 0, max: 2 }),
    fc.dictionary(fc.constantFrom("d", "e"), fc.integer({ min: 0, max: 2 })),
  ));
  fc.assert(fc.property(states, states, (before, after) => {
    // The order in which a state was filled is no part of it.
    const [old, now] = [before, after].map((state) => [...stateLines(state)].sort().join("\n"));
    const isSame = old === now;
    assert.equal(changed(before, after).length === 0, isSame);
    assert.deepEqual(changed(before, before), []);
  }));
});
