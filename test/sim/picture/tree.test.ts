import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { ascii } from "../../../core/bytes.ts";
import { secret } from "../../../core/secret.ts";
import { NEVER } from "../../../core/time.ts";
import {
  applied, briefText, changesOf, isBranch, treeOf, type Tree,
} from "../../../sim/picture/tree.ts";

test("picture: tree: plain data of every shape becomes texts", () => {
  const shared = { a: 1 };
  const value = {
    map: new Map<unknown, unknown>([["k", shared], [11, null]]), set: new Set(["x"]), never: NEVER,
    bytes: Uint8Array.of(0, 255), line: ascii("{}\r\n"), secret: secret(new Uint8Array(32)),
    again: shared, none: [], empty: {}, gone: undefined, yes: true,
  };
  assert.deepEqual(treeOf(value), [
    ["map", [["k", [["a", "1"]]], ["11", "null"]]], ["set", [["0", "\"x\""]]], ["never", "never"],
    ["bytes", "2 bytes 00ff"], ["line", "4 bytes \"{}\\r\\n\""], ["secret", "secret, 32 bytes"],
    ["again", "see map.k"], ["none", "none"], ["empty", "{}"], ["gone", "undefined"],
    ["yes", "true"],
  ]);
});

test("picture: tree: circles end, long collections and texts are cut and say so", () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  assert.deepEqual(treeOf(circle), [["self", "see the top"]]);
  const long = treeOf(Array.from({ length: 1_200 }, (_, i) => i));
  assert.ok(isBranch(long));
  assert.deepEqual(long[long.length - 1], ["…", "700 more"]);
  assert.match(treeOf("x".repeat(300)) as string, /300 characters$/);
});

test("picture: tree: a secret never shows, wherever it is", () => {
  const bytes = ascii("correct horse battery staple");
  const text = JSON.stringify(treeOf({ list: [new Map([["key", secret(bytes)]])] }));
  assert.doesNotMatch(text, /horse|636f7272/);
});

test("picture: tree: changes name what is new, gone and different", () => {
  const before = treeOf({ a: 1, b: { c: 1, d: 2 }, e: 5 });
  const after = treeOf({ a: 1, b: { c: 3, d: 2, f: 4 }, g: [] });
  assert.deepEqual(changesOf(before, after), [
    { path: ["e"], before: "5", after: undefined },
    { path: ["b", "c"], before: "1", after: "3" },
    { path: ["b", "f"], before: undefined, after: "4" },
    { path: ["g"], before: undefined, after: "none" },
  ]);
  assert.equal(briefText(treeOf({ c: 1, d: { e: 2 } })), "{ c 1, d … }");
});

const trees = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" }, fc.constantFrom("1", "2", "3"),
    fc.uniqueArray(fc.tuple(fc.constantFrom("a", "b", "c", "d"), tie("tree")), {
      selector: ([name]) => name, minLength: 1, maxLength: 4,
    }),
  ),
})).tree;

test("picture: tree: a state is the one before with its changes made", () => {
  fc.assert(fc.property(trees, trees, (a, b) => {
    assert.deepEqual(sorted(applied(a, changesOf(a, b))), sorted(b));
    assert.deepEqual(changesOf(a, a), []);
  }));
});

/** The order of what is new is not kept. */
function sorted(tree: Tree | undefined): unknown {
  if (!isBranch(tree)) return tree;
  const parts = tree.map(([name, part]) => [name, sorted(part)] as const);
  return parts.sort(([a], [b]) => (a < b ? -1 : 1));
}
