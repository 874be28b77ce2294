/** How long a refresh that shows nothing is waited for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import * as expiry from "../../../core/ark/expiry.ts";
import type { Sight } from "../../../core/ark/guardian-events.ts";
import type { Intent } from "../../../core/ark/intents.ts";
import * as patience from "../../../core/ark/patience.ts";
import { coin, sightOf } from "../../support/ark-sight.ts";

const { defaults } = patience;
const none: ReadonlySet<string> = new Set();
const both: Intent = {
  id: 1, aim: "refresh", vtxos: ["a:0", "b:0"], destination: "", unixMs: 0, isSent: false,
  isConfirmed: false,
};
const first = coin("a:0");
/** The first height at which an exit of `a:0` has its bare time left. */
const bare = expiry.heightOf(expiry.defaults, first.vtxo, "exit-now")
  + expiry.defaults.marginBlocks;

function left(tip: number, leaving: ReadonlySet<string>, agoMs = 0, intent = both): number {
  const s = { ...sightOf([first, coin("b:0", "due", { expiryHeight: bare * 2 })]), tip };
  return patience.leftMs(defaults, expiry.defaults, s, leaving, intent, agoMs);
}

test("ark: patience: it ends where the margin of an exit does that is about to begin", () => {
  const leaving = new Set(["a:0"]);
  assert.equal(left(bare - 1, leaving), defaults.unsureMs);
  assert.equal(left(bare, leaving), defaults.hastyMs);
  assert.equal(left(bare, leaving, 0, { ...both, isSent: true }), defaults.hastyMs);
  assert.equal(left(bare, leaving, 1_000), defaults.hastyMs - 1_000);
});

test("ark: patience: haste is for an exit, and for one of the refresh itself", () => {
  assert.equal(left(bare + 9, none), defaults.unsureMs);
  assert.equal(left(bare + 9, new Set(["b:0"])), defaults.unsureMs);
  assert.equal(left(bare + 9, new Set(["c:0"])), defaults.unsureMs);
});

test("ark: patience: haste leaves a refresh the round that may have taken it", () => {
  for (const [roundS, ms] of [
    [60, defaults.hastyMs], [3_600, 3_600_000], [5_400, 5_400_000], [1e9, 36 * 480_000],
  ] as const) {
    const info = { roundIntervalS: roundS } as Sight["info"];
    const s = { ...sightOf([first]), tip: bare, info };
    const leaving = new Set(["a:0"]);
    assert.equal(patience.leftMs(defaults, expiry.defaults, s, leaving, both, 0), ms);
  }
});

test("ark: patience: haste makes nobody wait longer", () => {
  const s = { ...sightOf([first]), tip: bare };
  fc.assert(fc.property(fc.nat(400_000), fc.nat(400_000), fc.nat(9_000), (wait, hasty, agoMs) => {
    const c = { patienceMs: wait + 1, unsureMs: wait + 1, anewMs: 1, hastyMs: hasty + 1 };
    const at = (leaving: ReadonlySet<string>): number => (
      patience.leftMs(c, expiry.defaults, s, leaving, both, agoMs)
    );
    assert.equal(at(none), Math.max(wait + 1 - agoMs, 1));
    assert.equal(at(new Set(["a:0"])), Math.min(wait, hasty) + 1 - agoMs);
  }));
});

test("ark: patience: what an earlier run asked for has time to be fetched", () => {
  assert.equal(left(1_000, none, defaults.unsureMs - 10), defaults.anewMs);
  assert.equal(left(1_000, none, 99 * defaults.unsureMs), defaults.anewMs);
  assert.equal(left(1_000, none, defaults.unsureMs - defaults.anewMs - 1), defaults.anewMs + 1);
  // But an exit that can wait no longer does not.
  assert.ok(left(bare, new Set(["a:0"]), 99 * defaults.unsureMs) < 0);
});

test("ark: patience: senseless times are refused", () => {
  patience.check(defaults);
  for (const odd of [
    { hastyMs: 0 }, { anewMs: 0 }, { unsureMs: 0 }, { patienceMs: defaults.unsureMs - 1 },
  ]) {
    assert.throws(() => patience.check({ ...defaults, ...odd }), /patience/);
  }
});
