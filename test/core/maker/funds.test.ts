/**
 * The maker and its backend: outages, slowness, coins that come and go.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaults } from "../../../core/maker/config.ts";
import * as chains from "../../support/maker-chain.ts";
import * as rig from "../../support/maker.ts";
import * as rules from "../../support/maker-rules.ts";
import { kinds, running, said } from "../../support/maker-told.ts";

test("maker: backend: a short outage changes nothing", () => {
  const r = running();
  r.chain.mode = "refused";
  rig.pass(r, 50_000);
  r.chain.mode = "up";
  rig.pass(r, 600_000);
  assert.equal(said(r).length, 1);
  assert.equal(kinds(r, "backend-down").length, 0);
});

test("maker: backend: down past the grace: withdrawn; coins looked at: announced again", () => {
  for (const mode of ["refused", "hang", "warming", "html"] as const) {
    const r = running({ isStrict: mode === "refused" });
    const first = said(r)[0]!;
    r.chain.mode = mode;
    rig.pass(r, 500_000);
    assert.deepEqual(said(r), [first, "cancel 0"], mode);
    rig.pass(r, 3_600_000);
    assert.equal(kinds(r, "backend-down").length, 1);
    r.chain.mode = "up";
    // Within one look at the tip and one at the coins, not at the next retry.
    rig.until(r, () => said(r).length > 2, 50_000);
    assert.deepEqual(said(r), [first, "cancel 0", first], mode);
    rig.pass(r, 60_000);
    assert.equal(kinds(r, "backend-up").length, 1);
    rules.settled(r.rules, r.kernel.state);
  }
});

test("maker: backend: coins that grew old are no ground for offers, and fresh ones are", () => {
  const wallet = { ...defaults.wallet, downMs: 86_400_000, viewMsMax: 900_000 };
  const r = running({ config: { wallet } });
  const before = said(r).length;
  // The tip is told, and every look at the coins fails.
  r.chain.isListing = false;
  rig.pass(r, 3_600_000);
  assert.deepEqual(said(r).slice(before), ["cancel 0"]);
  r.chain.isListing = true;
  rig.pass(r, 300_000);
  assert.equal(said(r).length, before + 2);
  rules.settled(r.rules, r.kernel.state);
});

test("maker: coins: less of them is announced at once, gone ones are cancelled", () => {
  const r = running();
  r.chain.coins = [{ n: 2, mixdepth: 0, sat: 10_000_000n, confirmations: 3 }];
  chains.mine(r.chain);
  rig.pass(r, 40_000);
  assert.equal(said(r).length, 2);
  r.chain.coins = [];
  chains.mine(r.chain);
  rig.pass(r, 40_000);
  assert.equal(said(r).at(-1), "cancel 0");
  rig.pass(r, 3_600_000);
  assert.equal(said(r).length, 3);
  assert.ok(kinds(r, "offers-changed").length >= 2);
});

test("maker: coins: more of them wait for the privacy delay", () => {
  const offers = { ...defaults.offers, network: "regtest", announceDelayMaxMs: 600_000 } as const;
  const r = running({ config: { offers } });
  r.chain.coins = [{ n: 2, mixdepth: 0, sat: 500_000_000n, confirmations: 3 }];
  chains.mine(r.chain);
  rig.pass(r, 30_000);
  assert.equal(said(r).length, 1);
  rig.pass(r, 630_000);
  assert.equal(said(r).length, 2);
  rules.settled(r.rules, r.kernel.state);
});

test("maker: tip: a reorganisation makes it look at the coins", () => {
  const r = running();
  const asked = r.kernel.state.rescan.tokens;
  r.chain.branch = 1;
  rig.pass(r, 16_000);
  assert.ok(r.kernel.state.rescan.tokens > asked);
  assert.ok(r.logs.some(({ code }) => code === "maker.tip-reorganised"));
});

test("maker: operator: a look when asked for, and a search of old blocks", () => {
  const r = running();
  const before = r.chain.asked;
  rig.push(r, { type: "operator.rescan", fromHeight: undefined });
  assert.equal(r.chain.asked, before + 2, "the tip and the coins");
  rig.pass(r, 100);
  rig.push(r, { type: "operator.rescan", fromHeight: 100 });
  rig.pass(r, 1_000);
  assert.ok(r.logs.some(({ code }) => code === "maker.rescan-searched"));
  assert.equal(said(r).length, 1);
});

test("maker: operator: who has mended the backend and asks is answered at once", () => {
  const r = running();
  r.chain.mode = "refused";
  rig.pass(r, 500_000);
  assert.equal(said(r).at(-1), "cancel 0");
  r.chain.mode = "up";
  rig.push(r, { type: "operator.rescan", fromHeight: undefined });
  rig.pass(r, 100);
  assert.deepEqual(said(r).slice(1), ["cancel 0", said(r)[0]]);
});

test("maker: clock: set a day back or forth, it changes nothing", () => {
  const r = running();
  for (const ms of [-86_400_000, 86_400_000]) {
    rig.push(r, { type: "clock.anchored", unixMs: rig.startedUnixMs + r.now + ms });
    rig.pass(r, 700_000);
  }
  assert.equal(said(r).length, 1);
  assert.equal(kinds(r, "backend-down").length, 0);
});
