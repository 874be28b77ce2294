/**
 * What is wrong has a name, a reason, and a remedy.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { concat } from "../../../core/bytes.ts";
import { encode } from "../../../core/history/body.ts";
import { blank } from "../../../core/history/entry.ts";
import * as record from "../../../core/history/record.ts";
import { defaults } from "../../../core/maker/config.ts";
import { names } from "../../../core/maker/degraded.ts";
import { status, type Status } from "../../../core/maker/status.ts";
import { mono } from "../../../core/time.ts";
import * as chains from "../../support/maker-chain.ts";
import * as rig from "../../support/maker.ts";
import { notify } from "../../support/maker-told.ts";

const statusOf = (r: rig.Rig): Status => status(r.kernel.state, mono(r.now));
const degraded = (r: rig.Rig): string[] => statusOf(r).degraded.map(({ name }) => name);

test("maker: status: backend down: named, with its reason and what is done", () => {
  const r = rig.start({ config: { notify } });
  rig.pass(r, 1_000);
  r.chain.mode = "refused";
  rig.pass(r, 100_000);
  assert.deepEqual(degraded(r), ["backend-down"]);
  assert.equal(statusOf(r).offers.public.length, 1);
  rig.pass(r, 200_000);
  assert.deepEqual(degraded(r), ["backend-down", "not-announcing"]);
  const told = statusOf(r);
  assert.match(told.degraded[0]?.why ?? "", /^unreachable: /);
  assert.equal(told.wallet.trouble?.reason, "unreachable");
  assert.deepEqual([told.offers.block, told.offers.public.length], ["backend", 0]);
  assert.ok(told.degraded.every(({ why, does }) => why.length > 0 && does.length > 0));
});

test("maker: status: coins that are old, and none at all", () => {
  const wallet = { ...defaults.wallet, downMs: 86_400_000, viewMsMax: 900_000 };
  const r = rig.start({ config: { wallet } });
  rig.pass(r, 1_000);
  r.chain.isListing = false;
  rig.pass(r, 1_800_000);
  assert.deepEqual(degraded(r), ["coins-aged", "not-announcing"]);
  r.chain.isListing = true;
  r.chain.coins = [];
  rig.pass(r, 700_000);
  assert.deepEqual(degraded(r), [], "poor, not degraded");
  assert.equal(statusOf(r).offers.why, "no coins suffice");
});

test("maker: status: a disk that fails, hangs, or holds a damaged journal", () => {
  const r = rig.start({ config: { notify } });
  rig.pass(r, 1_000);
  r.disk.fault = "full";
  r.chain.coins = [];
  chains.mine(r.chain);
  rig.pass(r, 30_000);
  assert.deepEqual(degraded(r), ["disk-failing", "not-announcing"]);
  assert.equal(statusOf(r).journal.why, "no room is left while records are written");
  r.disk.fault = "hang";
  rig.pass(r, 60_000);
  assert.deepEqual(degraded(r), ["disk-failing", "disk-slow", "not-announcing"]);
  const row = { ...blank(1), destination: "bcrt1qours00000" };
  const damaged = rig.start({
    before: (it) => {
      const body = encode({ type: "added", entry: row });
      const lines = [1, 2].map((seq) => record.encode(seq, seq - 1, body));
      it.disk.bytes = concat([record.header, ...lines]);
      it.disk.bytes[40] = 0x7e;
    },
  });
  rig.pass(damaged, 1_000);
  assert.deepEqual(degraded(damaged), ["journal-broken", "not-announcing"]);
});

test("maker: status: what waits for the start, for the file, for a wallet", () => {
  const r = rig.start({
    before: (it) => void (it.disk.fault = "hang"), config: { bitcoind: undefined },
  });
  assert.deepEqual(degraded(r), ["journal-unread", "no-directory", "no-backend", "not-announcing"]);
  assert.equal(statusOf(r).wallet.state, "none");
});

test("maker: status: on mainnet it says why nothing is announced", () => {
  const r = rig.start({
    directories: 0,
    config: { network: "mainnet", bitcoind: undefined, offers: defaults.offers },
  });
  rig.pass(r, 1_000);
  assert.equal(statusOf(r).offers.block, "mainnet");
  const found = statusOf(r).degraded.find(({ name }) => name === "not-announcing");
  assert.match(found?.why ?? "", /mainnet/);
});

test("maker: status: notices that do not arrive", () => {
  const r = rig.start({ config: { notify }, before: (it) => void (it.notifies = 503) });
  rig.pass(r, 60_000);
  assert.deepEqual(degraded(r), ["notices-failing"]);
  assert.ok(statusOf(r).notices.targets[0]!.waiting > 0, "they wait");
});

test("maker: status: every state has a name of the list", () => {
  assert.equal(new Set(names).size, names.length);
  for (const name of names) assert.match(name, /^[a-z-]+$/);
});
