import assert from "node:assert/strict";
import { test } from "node:test";
import * as counts from "../../../core/maker/counts.ts";

test("maker: counts: all zero, and nobody else's", () => {
  const one = counts.create();
  assert.ok(Object.values(one).every((count) => count === 0), "a count that is not zero");
  one.fills += 1;
  assert.equal(counts.create().fills, 0);
});
