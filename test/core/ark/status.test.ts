import assert from "node:assert/strict";
import { test } from "node:test";
import * as ark from "../../../core/ark/ark.ts";
import { defaults } from "../../../core/ark/config.ts";
import { plans, status } from "../../../core/ark/status.ts";
import * as prng from "../../../core/prng.ts";
import { mono } from "../../../core/time.ts";
import * as acts from "../../../sim/ark/acts.ts";
import * as rig from "../../support/ark-fleet.ts";
import { clone } from "../../support/laws.ts";

const { hour, minute } = rig;

test("ark: status: before anything is known every value is null or nothing", () => {
  const config = { ...defaults, wallets: [rig.plain("a")] };
  const d = ark.create(config, prng.key("status"), mono(5));
  const shown = status(d, mono(5));
  assert.equal(shown.startedUnixMs, null);
  assert.equal(shown.phase, "fresh");
  const [wallet] = shown.wallets;
  assert.deepEqual(
    [wallet!.balance, wallet!.nextExpiry, wallet!.fee, wallet!.round, wallet!.fingerprint],
    [null, null, null, null, null],
  );
  assert.ok(wallet!.facts.every(({ state, ageMs }) => state === "unknown" && ageMs === null));
  assert.ok(wallet!.lanes.every(({ okMs, running }) => okMs === null && running === null));
  assert.deepEqual(shown.degraded.map(({ name }) => name), ["starting"]);
});

test("ark: status: reading it changes nothing, and it is JSON at any time", () => {
  const r = rig.start({ before: ({ world }) => {
    acts.endow(world, "alice", [100_000n, 50_000n], 36, 1);
  } });
  for (let i = 0; i < 30; i += 1) {
    rig.pass(r, 7 * minute);
    const before = clone(r.kernel.state);
    rig.shown(r);
    plans(r.kernel.state, mono(r.now));
    assert.deepEqual(r.kernel.state, before);
  }
});

test("ark: status: an expiry, its stage, and what is left of it at worst", () => {
  const r = rig.start({ before: ({ world }) => {
    acts.endow(world, "alice", [100_000n, 50_000n], 36, 1);
  } });
  rig.pass(r, 10 * minute);
  const { nextExpiry, stages, vtxos, tip } = rig.one(r);
  assert.equal(nextExpiry!.stage, "fine");
  assert.equal(nextExpiry!.blocksLeft, 100_036 - tip.height!);
  assert.ok(nextExpiry!.leftMs! <= 36 * 8 * minute);
  assert.deepEqual([vtxos, stages[0]], [2, { stage: "fine", vtxos: 2, amountSat: "150000" }]);
  rig.until(r, () => rig.one(r).intents.length > 0, 2 * hour);
  assert.equal(rig.one(r).intents[0]!.aim, "refresh");
});

test("ark: status: the plan of each wallet, or of one", () => {
  const r = rig.start({ wallets: ["alice", "bob"] });
  rig.pass(r, minute);
  const all = plans(r.kernel.state, mono(r.now));
  assert.deepEqual(all.map(({ wallet }) => wallet), ["alice", "bob"]);
  assert.deepEqual(plans(r.kernel.state, mono(r.now), "bob"), all.slice(1));
  assert.deepEqual(plans(r.kernel.state, mono(r.now), "nobody"), []);
});
