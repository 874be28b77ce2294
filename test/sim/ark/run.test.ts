/**
 * Time in the little world: what is due, when, and what stands still.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as acts from "../../../sim/ark/acts.ts";
import { heightOf } from "../../../sim/ark/chain.ts";
import type { Outage } from "../../../sim/ark/faults.ts";
import * as run from "../../../sim/ark/run.ts";
import { addWallet, type World } from "../../../sim/ark/state.ts";
import * as streams from "../../../sim/ark/streams.ts";
import * as worlds from "../../support/ark-world.ts";

function world(): World {
  const w = worlds.world({ pace: { kind: "drawn", everyMs: 600_000 } });
  addWallet(w, "bob", { isManual: false, hasWallet: true });
  acts.endow(w, "alice", [30_000n], 10, 2);
  streams.subscribe(w, "rounds", undefined);
  const hourMs = 3_600_000;
  const { startMs } = w.config;
  const outages: readonly Outage[] = [
    {
      on: "server", fault: { kind: "down" }, fromMs: startMs + hourMs,
      untilMs: startMs + 5_000_000,
    },
    {
      on: "barkd", fault: { kind: "restarting" }, wallet: "bob", fromMs: startMs + 100_000,
      untilMs: startMs + 200_000,
    },
  ];
  run.suffer(w, outages);
  return w;
}

function picture(w: World): string {
  return JSON.stringify([
    w.out, w.chain.blocks, w.losses, w.server.seq, w.server.round, w.told, [...w.barkds.keys()],
  ], (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}

test("sim: ark: run: nothing happens before it is due, and what is due lies ahead", () => {
  const w = world();
  for (let i = 0; i < 300; i += 1) {
    const atMs = run.dueMs(w);
    assert.ok(atMs > w.nowMs);
    const before = picture(w);
    run.advance(w, atMs - 1);
    assert.equal(picture(w), before);
    run.advance(w, atMs);
    assert.equal(w.nowMs, atMs);
  }
});

test("sim: ark: run: small steps or a great one: the same", () => {
  const spans = fc.array(fc.integer({ min: 1, max: 900_000 }), { maxLength: 40 });
  fc.assert(fc.property(spans, (steps) => {
    const [small, great] = [world(), world()];
    for (const ms of steps) worlds.pass(small, ms);
    worlds.pass(great, steps.reduce((sum, ms) => sum + ms, 0));
    assert.equal(picture(small), picture(great));
  }), { numRuns: 30 });
});

test("sim: ark: run: blocks come at their pace", () => {
  const drawn = world();
  worlds.pass(drawn, 30 * 86_400_000);
  const blocks = heightOf(drawn.chain) - drawn.config.baseHeight;
  assert.ok(blocks > 2_500 && blocks < 6_500, `${blocks} in thirty days`);
  const steady = worlds.world({ pace: { kind: "steady", everyMs: 600_000 } });
  worlds.pass(steady, 86_400_000);
  assert.equal(heightOf(steady.chain) - steady.config.baseHeight, 144);
  run.advance(steady, 0);
  assert.equal(steady.nowMs, steady.config.startMs + 86_400_000);
});

test("sim: ark: run: a restart at the end of an outage loses what was in memory", () => {
  const w = worlds.world();
  worlds.ask(w, "GET", "/api/v1/wallet/next-round");
  const { nowMs } = w;
  run.suffer(w, [{
    on: "barkd", fault: { kind: "restarting" }, fromMs: nowMs, untilMs: nowMs + 1_000,
  }]);
  const before = w.barkds.get("alice")!.session;
  worlds.pass(w, 999);
  assert.equal(w.barkds.get("alice")!.session, before);
  worlds.pass(w, 1);
  assert.notEqual(w.barkds.get("alice")!.session, before);
});
