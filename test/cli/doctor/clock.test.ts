/**
 * Verdicts about a clock.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, type Evidence } from "../../../cli/doctor/clock.ts";

const wallMs = 1_795_298_712_000;
const none: Evidence = {
  wallMs, blockMs: undefined, peersAheadS: undefined, consensus: undefined,
};
const hourMs = 3_600_000;

test("doctor: clock: nobody to ask is skipped, agreement is well", () => {
  assert.equal(clock(none).state, "skipped");
  const found = clock({
    wallMs, blockMs: wallMs - 600_000, peersAheadS: -1,
    consensus: { fromMs: wallMs - hourMs, untilMs: wallMs + hourMs },
  });
  assert.equal(found.state, "ok");
  assert.equal(found.seen,
    "agrees with the newest block, 1 s from the node's peers, Tor's consensus");
});

test("doctor: clock: each witness alone tells a wrong clock, at its limit", () => {
  const verdicts: readonly (readonly [Partial<Evidence>, string])[] = [
    [{ blockMs: wallMs + 2 * hourMs }, "ok"], [{ blockMs: wallMs + 2 * hourMs + 1 }, "fail"],
    [{ blockMs: wallMs - 4 * hourMs }, "ok"], [{ blockMs: wallMs - 4 * hourMs - 1 }, "warn"],
    [{ peersAheadS: 30 }, "ok"], [{ peersAheadS: -31 }, "warn"], [{ peersAheadS: 600 }, "warn"],
    [{ peersAheadS: 601 }, "fail"], [{ peersAheadS: -601 }, "fail"],
    [{ consensus: { fromMs: wallMs, untilMs: wallMs } }, "ok"],
    [{ consensus: { fromMs: wallMs + 1, untilMs: wallMs + hourMs } }, "fail"],
    [{ consensus: { fromMs: wallMs - hourMs, untilMs: wallMs - 1 } }, "fail"],
  ];
  for (const [evidence, state] of verdicts) {
    const found = clock({ ...none, ...evidence });
    assert.equal(found.state, state, JSON.stringify(evidence));
    assert.equal(found.fix === undefined, state === "ok");
  }
});
