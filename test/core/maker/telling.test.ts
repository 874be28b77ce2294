/**
 * What became of transactions is told, once.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaults } from "../../../core/maker/config.ts";
import * as chains from "../../support/maker-chain.ts";
import * as rig from "../../support/maker.ts";
import { stageOf, withRow } from "../../support/maker-rows.ts";
import { kinds } from "../../support/maker-told.ts";

const min = 60_000;

test("maker: start: its operator is told, once for each run that was not told just now", () => {
  const r = withRow({ isStrict: true });
  rig.pass(r, 10_000);
  const first = kinds(r, "started");
  assert.deepEqual(first.map(({ durable }) => durable), [true]);
  const told = r.notices.find(({ body }) => body.includes("\"started\""));
  assert.match(told?.body ?? "", new RegExp(`Nick: ${rig.nick}\\\\nVersion: 0\\.0\\.0`));
  rig.die(r);
  rig.boot(r);
  rig.pass(r, 10_000);
  assert.equal(kinds(r, "started").length, 1, "one that starts again and again is told once");
  rig.push(r, { type: "operator.stop" });
  rig.pass(r, 10_000);
  rig.boot(r);
  rig.pass(r, 10_000);
  assert.equal(kinds(r, "started").length, 2, "after an end that was told");
});

test("maker: pending: seen, confirmed, settled, each told once, also across restarts", () => {
  const r = withRow({ isStrict: true });
  rig.pass(r, 10_000);
  assert.equal(stageOf(r), "waiting");
  r.chain.txs.set(chains.txid(7), 0);
  rig.pass(r, 61_000);
  assert.equal(kinds(r, "tx-seen").length, 1);
  r.chain.txs.set(chains.txid(7), 1);
  rig.pass(r, 61_000);
  assert.deepEqual([stageOf(r), kinds(r, "tx-confirmed").length], ["confirmed", 1]);
  rig.die(r);
  rig.boot(r);
  chains.mine(r.chain, 6);
  rig.pass(r, 61_000);
  assert.deepEqual([stageOf(r), kinds(r, "tx-confirmed").length], ["settled", 1]);
  assert.equal(kinds(r, "tx-seen").length, 1);
});

test("maker: pending: an outage as long as the time-out fails nothing (M9, M11)", () => {
  for (const mode of ["refused", "hang", "warming", "html"] as const) {
    const r = withRow({ directories: 0 });
    r.chain.txs.set(chains.txid(7), 0);
    rig.pass(r, 61_000);
    r.chain.mode = mode;
    rig.pass(r, 2 * defaults.pending.timeoutMs);
    r.chain.mode = "up";
    rig.pass(r, 5 * min);
    assert.equal(stageOf(r), "waiting", mode);
    assert.equal(kinds(r, "tx-given-up").length, 0);
    r.chain.txs.set(chains.txid(7), 1);
    rig.pass(r, 5 * min);
    assert.equal(stageOf(r), "confirmed");
  }
});

test("maker: pending: given up with its reason, and taken back when it appears", () => {
  const r = withRow();
  rig.pass(r, defaults.pending.timeoutMs + 10 * min);
  assert.equal(stageOf(r), "given-up");
  assert.equal(kinds(r, "tx-given-up").length, 1);
  assert.equal(kinds(r, "tx-warned").length, 1);
  r.chain.txs.set(chains.txid(7), 2);
  rig.pass(r, defaults.pending.lateCheckMs + 5 * min);
  assert.equal(stageOf(r), "confirmed");
  assert.deepEqual([kinds(r, "tx-back").length, kinds(r, "tx-confirmed").length], [1, 1]);
});

test("maker: pending: in conflict with a block, that is what the notice says", () => {
  const r = withRow();
  r.chain.txs.set(chains.txid(7), -6);
  rig.pass(r, 5 * min);
  const [one] = r.notices.filter(({ body }) => body.includes("tx-given-up"));
  assert.match(one?.body ?? "nothing", /given up/);
  assert.doesNotMatch(one?.body ?? "", /Neither the chain/);
});

test("maker: stop: what is not told yet is told by the next process", () => {
  const r = withRow();
  rig.pass(r, 10_000);
  r.chain.txs.set(chains.txid(7), 1);
  const isUnderWay = (): boolean => (
    [...r.kernel.state.recorded.values()].some(({ who }) => who === "pending")
  );
  for (let ms = 0; ms < 61_000 && !isUnderWay(); ms += 1) rig.pass(r, 1);
  assert.equal(isUnderWay(), true, "the record is under way when the order to stop comes");
  rig.push(r, { type: "operator.stop" });
  rig.pass(r, 11_000);
  assert.equal(r.isStopped, true);
  assert.equal(kinds(r, "tx-confirmed").length, 0);
  rig.die(r, false);
  rig.boot(r);
  rig.pass(r, 10_000);
  assert.equal(stageOf(r), "confirmed");
  assert.equal(kinds(r, "tx-confirmed").length, 1);
});
