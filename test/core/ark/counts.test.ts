import assert from "node:assert/strict";
import { test } from "node:test";
import * as counts from "../../../core/ark/counts.ts";

test("ark: counts: all zero, and nobody else's", () => {
  const one = counts.create();
  assert.ok(Object.values(one).every((count) => count === 0), "a count that is not zero");
  one.calls += 1;
  assert.equal(counts.create().calls, 0);
});
