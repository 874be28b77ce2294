import assert from "node:assert/strict";
import { test } from "node:test";
import { processNames, walletNames } from "../../../core/ark/degraded.ts";
import * as acts from "../../../sim/ark/acts.ts";
import * as rig from "../../support/ark-fleet.ts";

const { hour, minute } = rig;

test("ark: degraded: names are of one list each, and none is in both", () => {
  assert.equal(new Set([...processNames, ...walletNames]).size,
    processNames.length + walletNames.length);
});

test("ark: degraded: each state says why and what is done, and ends when it is over", () => {
  const r = rig.start({ before: ({ world }) => {
    acts.endow(world, "alice", [100_000n], 36, 1);
  } });
  rig.pass(r, 10 * minute);
  const seen = new Set<string>();
  const outages = [
    { on: "server", fault: { kind: "down" } }, { on: "chain", fault: { kind: "down" } },
    { on: "barkd", fault: { kind: "refusing" } },
  ] as const;
  for (const one of outages) {
    const fromMs = rig.wallMs(r);
    rig.suffer(r, [{ ...one, fromMs, untilMs: fromMs + 8 * minute }]);
    rig.pass(r, 8 * minute - 1);
    for (const { name, why, does } of rig.one(r).degraded) {
      seen.add(name);
      assert.ok(why.length > 8 && does.length > 8, name);
    }
    rig.pass(r, 10 * minute);
    assert.deepEqual(rig.troubles(r), [], one.on);
  }
  assert.deepEqual([...seen].toSorted(), ["chain-down", "program-down", "server-down", "unseen"]);
});

test("ark: degraded: a coin that nobody saves goes through every stage, and each is said", () => {
  const r = rig.start({ wallet: (one) => one, before: ({ world }) => {
    acts.endow(world, "alice", [100_000n], 150, 1);
  } });
  rig.pass(r, 10 * minute);
  const fromMs = rig.wallMs(r);
  rig.suffer(r, [{
    on: "server", fault: { kind: "down" }, fromMs, untilMs: Number.MAX_SAFE_INTEGER,
  }]);
  const seen = new Set<string>();
  for (let i = 0; i < 26; i += 1) {
    rig.pass(r, hour);
    for (const name of rig.troubles(r)) seen.add(name);
  }
  for (const name of ["server-down", "refresh-failing", "exit-needed", "expired"]) {
    assert.ok(seen.has(name), name);
  }
  assert.ok(rig.told(r, "Exit needed, by hand") >= 1);
  assert.equal(rig.count(r, /start\/vtxos$/), 0, "it may not begin one");
});

test("ark: degraded: a message that cannot be read, and work that is not done", () => {
  const r = rig.start();
  rig.pass(r, 5 * minute);
  rig.act(r, (w) => void acts.pay(w, "alice", {
    amountsSat: [40_000n], lifeBlocks: 36, exitDepth: 1, isPoison: true,
  }));
  rig.pass(r, 2 * hour);
  const behind = rig.troubles(r);
  assert.ok(behind.every((name) => name === "mailbox-stuck" || name === "lane-behind"));
});
