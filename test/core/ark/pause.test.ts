import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as pause from "../../../core/ark/pause.ts";
import { key, stream } from "../../../core/prng.ts";

test("ark pause: rests and waits stay in their ranges", () => {
  const p = stream(key("pause"));
  fc.assert(fc.property(fc.nat(20), fc.integer({ min: 1, max: 5_000 }), (n, ms) => {
    const rest = pause.restMs({ ms, spreadMs: 10 }, p);
    assert.ok(rest >= ms && rest <= ms + 10);
    assert.equal(pause.waitMs(pause.even(ms), n, p), ms);
    const wait = pause.growing(ms, ms * 8);
    const drawn = pause.waitMs(wait, n, p);
    assert.ok(drawn >= 1 && drawn <= pause.longestMs(wait));
    assert.ok(drawn >= ms - (ms >> 1));
  }), { numRuns: 100 });
  assert.equal(pause.longestMs(pause.even(7)), 7);
});

test("ark pause: check: nothing repeats without a rest", () => {
  pause.checkRest(pause.exactly(1_000), 1_000, "x");
  pause.checkWait(pause.growing(1_000, 2_000), 1_000, "x");
  const wrong = [pause.exactly(0), pause.exactly(1.5), pause.exactly(86_400_001),
    { ms: 5, spreadMs: -1 }];
  for (const rest of wrong) assert.throws(() => pause.checkRest(rest, 1, "x"));
  assert.throws(() => pause.checkWait(pause.even(0), 1, "x"), /at least 1 ms/);
  assert.throws(() => pause.checkWait(pause.growing(500, 800), 1_000, "x"), /at least 1000 ms/);
});
