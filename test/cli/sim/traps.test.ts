import assert from "node:assert/strict";
import { test } from "node:test";
import { trapped } from "../../../cli/sim/traps.ts";

const leaks: readonly (readonly [string, () => unknown])[] = [
  ["Date.now", () => Date.now()],
  ["Date()", () => new Date()],
  ["Math.random()", () => Math.random()],
  ["performance.now", () => performance.now()],
  ["setTimeout()", () => setTimeout(() => {}, 0)],
  ["setImmediate()", () => setImmediate(() => {})],
  ["queueMicrotask()", () => queueMicrotask(() => {})],
  ["crypto.getRandomValues", () => crypto.getRandomValues(new Uint8Array(1))],
  ["fetch()", () => fetch("http://127.0.0.1:1")],
  ["process.hrtime.bigint", () => process.hrtime.bigint()],
  ["process.nextTick()", () => process.nextTick(() => {})],
  ["WeakRef()", () => new WeakRef({})],
  ["Intl.Collator", () => new Intl.Collator()],
];

test("sim cli: traps: each source of difference throws and is remembered", () => {
  for (const [name, leak] of leaks) {
    const { result, touched } = trapped(leak);
    assert.ok("error" in result, name);
    assert.equal(touched, name);
  }
});

test("sim cli: traps: a throw that is swallowed is remembered all the same", () => {
  const { result, touched } = trapped(() => {
    try {
      return Date.now();
    } catch {
      return 7;
    }
  });
  assert.deepEqual(result, { value: 7 });
  assert.equal(touched, "Date.now");
});

test("sim cli: traps: what is pure goes through, and all is as it was afterwards", () => {
  const all = (): unknown[] => [Date, performance, crypto, Math.random, process.hrtime];
  const before = all();
  const { result, touched } = trapped(() => [3, 1, 2].sort((a, b) => a - b));
  assert.deepEqual(result, { value: [1, 2, 3] });
  assert.equal(touched, undefined);
  assert.deepEqual(all(), before);
  assert.ok(Date.now() > 0);
  assert.ok(performance.now() > 0);
  assert.ok(new WeakRef({}).deref() !== undefined);
});
