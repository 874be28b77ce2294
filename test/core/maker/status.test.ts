/**
 * The snapshot of a maker: plain and complete.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { concat } from "../../../core/bytes.ts";
import { encode } from "../../../core/history/body.ts";
import { blank } from "../../../core/history/entry.ts";
import * as record from "../../../core/history/record.ts";
import { defaults } from "../../../core/maker/config.ts";
import { status, type Status } from "../../../core/maker/status.ts";
import { mono } from "../../../core/time.ts";
import { clone } from "../../support/laws.ts";
import * as chains from "../../support/maker-chain.ts";
import * as rig from "../../support/maker.ts";
import { notify } from "../../support/maker-told.ts";

const statusOf = (r: rig.Rig): Status => status(r.kernel.state, mono(r.now));
const degraded = (r: rig.Rig): string[] => statusOf(r).degraded.map(({ name }) => name);

test("maker: status: plain JSON from first to last, and reading changes nothing", () => {
  const r = rig.start({ directories: 2, config: { notify } });
  for (const ms of [0, 10, 1_000, 600_000]) {
    rig.pass(r, ms);
    const before = clone(r.kernel.state);
    const told = statusOf(r);
    assert.deepEqual(r.kernel.state, before);
    assert.deepEqual(JSON.parse(JSON.stringify(told)), told);
    assert.doesNotMatch(JSON.stringify(told), /bcrt1q/, "no address of a coin");
  }
  rig.push(r, { type: "operator.stop" });
  assert.deepEqual(degraded(r)[0], "draining");
  rig.pass(r, 10_000);
  assert.equal(statusOf(r).phase, "stopped");
});

test("maker: status: a maker that is well says what it has", () => {
  const r = rig.start({ directories: 2, config: { notify } });
  rig.pass(r, 10_000);
  const told = statusOf(r);
  assert.deepEqual(told.degraded, []);
  assert.deepEqual([told.nick, told.network, told.phase], [rig.nick, "regtest", "running"]);
  assert.deepEqual([told.directories.up, told.directories.total], [2, 2]);
  const [first] = told.directories.all;
  assert.deepEqual([first?.directory, first?.isUp, first?.failures], [rig.nameOf(0), true, 0]);
  assert.ok((first?.sinceMs ?? 0) > 9_000, `${first?.sinceMs}`);
  const [offer] = told.offers.public;
  assert.equal(r.rules.lines[0]?.text, [
    offer?.kind, offer?.oid, offer?.minsizeSat, offer?.maxsizeSat, offer?.txfeeSat, offer?.cjfee,
  ].join(" "));
  assert.deepEqual([told.offers.block, told.offers.why, told.offers.version], [null, null, 1]);
  assert.deepEqual([told.wallet.state, told.wallet.coins, told.wallet.spendableSat],
    ["up", 1, "50000000"]);
  assert.deepEqual(told.wallet.balances[0], {
    mixdepth: 0, coins: 1, spendableSat: "50000000", largestSat: "50000000", unconfirmedSat: "0",
    lockedSat: "0", totalSat: "50000000",
  });
  assert.equal(told.wallet.balances.length, defaults.wallet.mixdepths);
  assert.deepEqual([told.tip.height, told.tip.stale, told.rescan.phase], [130, null, "idle"]);
  assert.deepEqual([told.onion.state, told.onion.isReachable], ["none", null]);
  assert.deepEqual([told.journal.isReady, told.journal.failingMs], [true, null]);
  assert.ok(told.journal.records > 0, "notices are recorded");
  assert.deepEqual(told.notices.targets[0], { to: "notice:0", waiting: 0, failures: 0, why: "" });
  assert.equal(told.startedUnixMs, rig.startedUnixMs + 1_000);
  assert.equal(told.uptimeMs, r.now - 1_000);
});

test("maker: status: directories: how long each is gone, and when it is dialled again", () => {
  const r = rig.start({ directories: 2 });
  rig.pass(r, 10_000);
  rig.cut(r, rig.nameOf(0));
  rig.pass(r, 4_000);
  const { all, up } = statusOf(r).directories;
  assert.deepEqual([up, all[0]?.isUp, all[0]?.sinceMs, all[1]?.isUp], [1, false, 4_000, true]);
  assert.ok((all[0]?.dueMs ?? -1) >= 0, "a next dial");
  assert.deepEqual(degraded(r), []);
  rig.cut(r, rig.nameOf(1));
  rig.pass(r, 1_000);
  const [found] = statusOf(r).degraded;
  assert.deepEqual([found?.name, found?.sinceMs], ["no-directory", 1_000]);
  assert.match(found?.why ?? "", /none of 2/);
});

test("maker: status: pending transactions and what is under way are counted", () => {
  const entry = {
    ...blank(1), txid: chains.txid(7), destination: "bcrt1qours00000", cjSat: 5n, amountSat: 5n,
  };
  const r = rig.start({
    before: (it) => {
      const body = encode({ type: "added", entry });
      it.disk.bytes = concat([record.header, record.encode(1, 0, body)]);
      it.disk.durableBytes = it.disk.bytes.length;
    },
  });
  rig.pass(r, 1_000);
  assert.deepEqual(statusOf(r).pending, {
    watched: 1, givenUp: 0, asking: 0, recording: 0, untold: 0,
  });
  const { history } = statusOf(r);
  assert.deepEqual([history.rows, history.malformed, history.unknown], [1, 0, 0]);
  assert.ok(history.others > 0, "notices are records of another part");
  r.chain.mode = "hang";
  rig.pass(r, 61_000);
  assert.ok(statusOf(r).underWay.requests > 0, "a question hangs");
});
