import assert from "node:assert/strict";
import test from "node:test";
import { InvariantError } from "../../core/assert.ts";
import { after, mono, NEVER, soonest, wallAt } from "../../core/time.ts";

test("core: time: an instant is a whole number, zero or more", () => {
  for (const wrong of [-1, 1 / 2, Number.NaN, Infinity, NEVER + 1]) {
    assert.throws(() => mono(wrong), InvariantError);
  }
  assert.equal(mono(0), 0);
});

test("core: time: nothing is later than never", () => {
  assert.equal(after(mono(5), 7), 12);
  assert.equal(after(NEVER, 1), NEVER);
  assert.equal(after(mono(NEVER - 1), 5), NEVER);
  assert.equal(soonest(mono(3), NEVER), 3);
  assert.equal(soonest(NEVER, mono(3)), 3);
});

test("core: time: wall time is derived from the last anchor", () => {
  assert.deepEqual(wallAt({ unixMs: 1_000 }, mono(50), mono(75)), { unixMs: 1_025 });
});
