/**
 * The maker as a whole: its start, its settings while it runs, its end.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ratio } from "../../../core/joinmarket/offer.ts";
import { defaults } from "../../../core/maker/config.ts";
import * as rig from "../../support/maker.ts";
import * as rules from "../../support/maker-rules.ts";
import * as takers from "../../support/maker-taker.ts";
import { codes, notify, running, said, stateOf } from "../../support/maker-told.ts";

const one = rig.nameOf(0);

test("maker: start: coins, journal and a directory make one announcement", () => {
  const r = running({ isStrict: true });
  assert.equal(said(r).length, 1);
  assert.match(said(r)[0]!, /^sw0reloffer 0 \d+ \d+ 0 0\.0000\d+$/);
  assert.equal(rig.nick.length, 16);
  assert.ok(codes(r).includes("maker.directory-up"));
});

test("maker: start: announced as soon as the last of coins, journal and link is there", () => {
  const late: readonly ((r: rig.Rig) => () => void)[] = [
    (r) => {
      r.chain.mode = "refused";
      return () => void (r.chain.mode = "up");
    },
    (r) => {
      r.disk.fault = "io";
      return () => void (r.disk.fault = "none");
    },
    (r) => {
      rig.cut(r, one);
      return () => rig.heal(r, one);
    },
  ];
  for (const first of late) {
    for (const second of late) {
      let mends: (() => void)[] = [];
      const r = rig.start({
        before: (it) => void (mends = [...new Set([first, second])].map((make) => make(it))),
      });
      for (const mend of mends) {
        rig.pass(r, 5_000);
        assert.deepEqual(said(r), []);
        mend();
      }
      rig.until(r, () => said(r).length > 0, 70_000);
      rig.pass(r, 60_000);
      assert.equal(said(r).length, 1);
      rules.settled(r.rules, stateOf(r));
    }
  }
});

test("maker: start: the tip may be the last to be known", () => {
  const r = rig.start({ before: (it) => void (it.chain.delayMs = 900) });
  rig.pass(r, 5_000);
  assert.equal(said(r).length, 1);
});

test("maker: reload: other terms are announced at once; a contradiction changes nothing", () => {
  const r = running();
  const { directories, guard, notify, reports, logLevel } = r.config;
  const settings = { directories, guard, notify, reports, logLevel };
  const terms = [{ ...defaults.offers.terms[0]!, cjfee: ratio(3n, 4) }] as never;
  const given = { ...r.config.offers, terms };
  rig.push(r, { type: "operator.reload", settings: { ...settings, offers: given } });
  rig.pass(r, 10);
  assert.equal(said(r).length, 2);
  assert.match(said(r)[1]!, / 0\.0003$/);
  const wrong = { ...given, network: "mainnet" } as const;
  rig.push(r, { type: "operator.reload", settings: { ...settings, offers: wrong } });
  rig.pass(r, 10);
  assert.ok(codes(r).includes("maker.reload-refused"));
  assert.equal(said(r).length, 2);
  rules.settled(r.rules, stateOf(r));
});

test("maker: stop: offers are cancelled before the links close, and the end comes in order", () => {
  const r = running({ directories: 2 });
  const t = takers.taker(12);
  takers.join(r, t, one);
  const guest = takers.visit(r, t);
  const before = r.script.length;
  rig.push(r, { type: "operator.stop" });
  rig.push(r, { type: "operator.stop" });
  assert.deepEqual(said(r).slice(2), ["cancel 0", "cancel 0"]);
  const step = r.script[before]!.told;
  assert.ok(step.indexOf("conn.send") < step.indexOf("conn.close"));
  rig.pass(r, 200);
  assert.ok(r.isStopped);
  assert.ok(guest.isGone);
  rig.pass(r, 100_000);
});

test("maker: stop: whatever hangs, the end comes within drainMs", () => {
  const r = running({
    directories: 2, config: { notify },
  });
  r.disk.fault = "hang";
  r.notifies = "never";
  r.signs = false;
  r.chain.mode = "hang";
  const at = r.now;
  rig.push(r, { type: "operator.stop" });
  rig.pass(r, 9_999);
  assert.equal(r.isStopped, false);
  rig.pass(r, 1);
  assert.equal(r.isStopped, true);
  assert.equal(r.now, at + 10_000);
});

test("maker: stop: before the start, and before anything is there", () => {
  const r = rig.start({ before: (it) => void (it.disk.fault = "hang") });
  rig.push(r, { type: "operator.stop" });
  rig.pass(r, 10_000);
  assert.ok(r.isStopped);
});
