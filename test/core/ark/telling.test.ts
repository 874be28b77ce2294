/**
 * Notices of all wallets, as they leave the whole daemon.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as acts from "../../../sim/ark/acts.ts";
import * as rig from "../../support/ark-fleet.ts";

const { hour, minute } = rig;

test("ark: telling: what is told is recorded, sent once, and known to the next process", () => {
  const r = rig.start({ before: ({ world }) => {
    acts.endow(world, "alice", [100_000n], 36, 1);
    acts.stopBarkd(world, "alice");
  } });
  rig.pass(r, 10 * minute);
  assert.equal(rig.told(r, "Wallet program away"), 1);
  const records = rig.bodies(r).filter((body) => body.includes("\"notice"));
  assert.ok(records.length >= 4, "told, and sent");
  rig.die(r);
  rig.pass(r, minute);
  assert.equal(rig.told(r, "Wallet program away"), 1, "not again before its grace");
});

test("ark: telling: two wallets at one telephone are told apart by name", () => {
  const r = rig.start({ wallets: ["alice", "bob"], before: ({ world }) => {
    acts.stopBarkd(world, "alice");
    acts.stopBarkd(world, "bob");
  } });
  rig.pass(r, 10 * minute);
  assert.equal(rig.told(r, "alice: wallet program"), 1);
  assert.equal(rig.told(r, "bob: wallet program"), 1);
  assert.ok(r.notices.every((body) => body.includes("Dogwatch Ark")));
});

test("ark: telling: no id of a coin and no token is in any notice", () => {
  const r = rig.start({ before: ({ world }) => {
    acts.endow(world, "alice", [100_000n, 50_000n], 36, 1);
    acts.deposit(world, "alice", 500_000n);
  } });
  const fromMs = rig.wallMs(r);
  rig.suffer(r, [{ on: "server", fault: { kind: "down" }, fromMs, untilMs: fromMs + 90 * hour }]);
  rig.pass(r, 14 * hour);
  assert.ok(r.notices.length >= 5);
  const secrets = [
    ...r.world.barkds.get("alice")!.wallet!.vtxos.keys(), r.tokens.get("alice")!,
  ];
  for (const body of r.notices) {
    for (const secret of secrets) assert.ok(!body.includes(secret), body);
  }
});
