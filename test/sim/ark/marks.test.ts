/**
 * Names that look real: dates to the millisecond, spans, keys and tokens.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { key } from "../../../core/prng.ts";
import { dateOf, hashOf, instantOf, pubkeyOf, spanOf, tokenOf } from "../../../sim/ark/marks.ts";

test("sim: ark: marks: dates are those of the machine's own calendar, both ways", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (ms) => {
    assert.equal(dateOf(ms), new Date(ms).toISOString());
    assert.equal(instantOf(dateOf(ms)), ms);
  }));
  for (const wrong of ["", "2024-02-30T00:00:00.000Z", "2024-01-01T00:00:00Z", "now"]) {
    assert.equal(instantOf(wrong), undefined, wrong);
  }
});

test("sim: ark: marks: spans are read as they are said", () => {
  const spans = [0, 10_000, 600_000, 3_600_000, 5_430_000].map(spanOf);
  assert.deepEqual(spans, ["0s", "10s", "10m", "1h", "1h 30m 30s"]);
});

test("sim: ark: marks: names depend on all their labels", () => {
  const k = key("x");
  assert.match(hashOf(k, "a", 1), /^[0-9a-f]{64}$/);
  assert.notEqual(hashOf(k, "a", 1), hashOf(k, "a", 2));
  assert.match(pubkeyOf(k, "a"), /^02[0-9a-f]{64}$/);
  const token = tokenOf(k, "alice", 0);
  assert.match(token, /^AA?[A-Za-z0-9_-]{42,43}$/);
  assert.equal(Buffer.from(token, "base64url").length, 33);
  assert.equal(Buffer.from(token, "base64url")[0], 0);
});
