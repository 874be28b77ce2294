import assert from "node:assert/strict";
import { test } from "node:test";
import type { Effect } from "../../../core/ark/guardian-events.ts";
import * as network from "../../../core/ark/network.ts";
import type { ArkInfo } from "../../../core/ark/wallet.ts";
import * as acts from "../../../sim/ark/acts.ts";
import { barkdOf } from "../../../sim/ark/state.ts";
import * as rig from "../../support/ark-fleet.ts";

const { hour, minute } = rig;
const of = (name: string): ArkInfo => ({ network: name }) as ArkInfo;

test("ark network: any is right where none is configured, and before it was said", () => {
  assert.ok(!network.differs("", of("signet")));
  assert.ok(!network.differs("bitcoin", undefined));
  assert.ok(!network.differs("bitcoin", of("bitcoin")));
  assert.ok(network.differs("bitcoin", of("signet")));
});

test("ark network: another one is told when it is news, with both names", () => {
  const hear = (before: ArkInfo | undefined, now: string): readonly Effect[] => {
    const out: Effect[] = [];
    network.heard("w", "bitcoin", before, of(now), out);
    return out;
  };
  assert.deepEqual(hear(undefined, "bitcoin"), []);
  assert.deepEqual(hear(of("signet"), "signet"), []);
  const [notice, log] = hear(of("bitcoin"), "signet");
  assert.deepEqual(notice, { type: "notice", notice: {
    kind: "ark-network", wallet: "w", network: "signet", expected: "bitcoin",
  } });
  assert.equal(log?.type, "log");
});

/** A wallet of regtest with something to refresh, and where `expected` is configured. */
function start(expected: string, life = 20): rig.Rig {
  return rig.start({
    wallet: (one) => {
      const quick = rig.quick(one);
      return { ...quick, guardian: { ...quick.guardian, network: expected } };
    },
    before: ({ world }) => {
      acts.deposit(world, "alice", 1_000_000n);
      acts.endow(world, "alice", [100_000n, 60_000n], life, 1);
    },
  });
}

const moves = /\/(refresh\/delegated\/vtxos|exits\/start\/vtxos|exits\/claim\/vtxos|progress)$/;

test("ark network: of a wallet of another network nothing is asked that moves money", () => {
  const r = start("bitcoin");
  rig.pass(r, 6 * hour);
  // What was asked before its network was known began nothing: there was no exit.
  const asked = r.asked.filter(({ path, at }) => moves.test(path) && at > 2 * minute);
  assert.deepEqual(asked.map(({ path }) => path), []);
  assert.ok(!r.asked.some(({ path }) => /delegated|start|claim/.test(path)));
  assert.ok(rig.troubles(r).includes("other-network"));
  const why = rig.one(r).degraded.find(({ name }) => name === "other-network")!.why;
  assert.match(why, /network regtest, and bitcoin is configured/);
  assert.equal(rig.told(r, "Wallet of another network"), 1);
  assert.ok(rig.count(r, /vtxos$/) > 100, "it is looked at");
});

test("ark network: of the right one nothing is held back", () => {
  const r = start("regtest");
  rig.pass(r, hour);
  assert.ok(rig.count(r, /delegated/) > 0);
  assert.ok(!rig.troubles(r).includes("other-network"));
});

test("ark network: one that becomes another one, and is right again, without a restart", () => {
  const r = start("regtest", 200);
  rig.pass(r, 10 * minute);
  const session = barkdOf(r.world, "alice").session!;
  const say = (name: string): void => rig.act(r, (w) => {
    barkdOf(w, "alice").session = { info: { ...session.info, network: name } };
  });
  say("signet");
  rig.until(r, () => rig.troubles(r).includes("other-network"), 2 * hour, minute);
  say("regtest");
  rig.until(r, () => rig.troubles(r).length === 0, 3 * minute);
});
