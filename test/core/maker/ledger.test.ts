/**
 * The maker and its file: disks that refuse, processes that die anywhere.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { text } from "../../../core/bytes.ts";
import * as record from "../../../core/history/record.ts";
import { defaults } from "../../../core/maker/config.ts";
import * as offers from "../../../core/maker/offers.ts";
import * as chains from "../../support/maker-chain.ts";
import * as rig from "../../support/maker.ts";
import * as rules from "../../support/maker-rules.ts";
import { stageOf, waiting, withRow, write } from "../../support/maker-rows.ts";
import { codes, kinds, notify, said } from "../../support/maker-told.ts";

const min = 60_000;

function whole(r: rig.Rig): number {
  const found = record.scan(r.disk.bytes, 1_000_000);
  assert.ok(found.ok, "the file is damaged");
  return found.value.count;
}

test("maker: disk: full: offers are withdrawn, and announced when there is room", () => {
  const r = rig.start({ config: { notify }, isStrict: true });
  rig.pass(r, 1_000);
  const [first] = said(r);
  r.disk.fault = "full";
  r.chain.coins = [{ n: 2, mixdepth: 0, sat: 60_000_000n, confirmations: 2 }];
  chains.mine(r.chain);
  // The notice of the change is the record that has no room.
  rig.pass(r, 60_000);
  assert.equal(said(r).at(-1), "cancel 0");
  const before = said(r).length;
  rig.pass(r, 600_000);
  assert.equal(said(r).length, before);
  assert.equal(kinds(r, "disk-failing").length, 1);
  assert.equal(kinds(r, "disk-failing")[0]!.durable, false);
  r.disk.fault = "none";
  rig.pass(r, 61_000);
  assert.equal(said(r).length, before + 1);
  assert.notEqual(said(r).at(-1), first);
  assert.equal(kinds(r, "disk-recovered").length, 1);
  rules.settled(r.rules, r.kernel.state);
});

test("maker: disk: slow: offers are withdrawn at slowMs, and back when records are durable", () => {
  const r = rig.start({ config: { notify }, isStrict: true });
  rig.pass(r, 1_000);
  assert.equal(said(r).length, 1);
  r.disk.delayMs = 8_000;
  r.chain.coins = [{ n: 2, mixdepth: 0, sat: 60_000_000n, confirmations: 2 }];
  chains.mine(r.chain);
  rig.until(r, ({ kernel }) => kernel.state.journal.at.phase === "appending");
  const { at } = r.kernel.state.journal;
  assert.ok("slowAt" in at);
  const slowAt = at.slowAt;
  assert.equal(slowAt, r.now + r.config.journal.slowMs);
  rig.pass(r, slowAt - r.now - 1);
  const before = said(r).length;
  assert.ok(!said(r).includes("cancel 0"), "in time");
  rig.pass(r, 1);
  assert.deepEqual(said(r).slice(before), ["cancel 0"], "too late");
  r.disk.delayMs = 3_000;
  rig.until(r, ({ kernel }) => kernel.state.journal.at.phase === "syncing");
  rig.pass(r, 2_999);
  assert.equal(said(r).length, before + 1, "what is written is not durable yet");
  rig.pass(r, 1);
  assert.deepEqual(said(r).slice(before + 1), [...offers.publicLines(r.kernel.state.offers)]);
  assert.equal(kinds(r, "disk-failing").length, 0);
  rules.settled(r.rules, r.kernel.state);
});

test("maker: disk: one that hangs takes the offers away until the process is another", () => {
  const r = rig.start({ config: { notify } });
  rig.pass(r, 1_000);
  r.disk.fault = "hang";
  r.chain.coins = [{ n: 2, mixdepth: 0, sat: 60_000_000n, confirmations: 2 }];
  chains.mine(r.chain);
  rig.pass(r, 3_600_000);
  assert.equal(said(r).at(-1), "cancel 0");
  assert.equal(codes(r).filter((one) => one === "maker.disk-slow").length, 1);
  const [none] = kinds(r, "offers-changed").slice(-1);
  assert.equal(none?.durable, false, "told though there is no record");
  assert.match(r.notices.at(-1)?.body ?? "", /Reason: records do not become durable\./);
  rig.die(r);
  rig.boot(r);
  rig.pass(r, 10_000);
  rules.settled(r.rules, r.kernel.state);
  assert.equal(offers.publicLines(r.kernel.state.offers).length, 1);
});

test("maker: disk: a journal that is damaged ends nothing but the offers", () => {
  const r = rig.start({
    before: (it) => {
      write(it, [waiting(7), waiting(8), waiting(9)]);
      it.disk.bytes[80] = 0x7e;
    },
  });
  rig.pass(r, 600_000);
  assert.deepEqual(said(r), []);
  assert.ok(r.kernel.state.pool.slots.every(({ link }) => link.at.phase === "up"));
  assert.equal(codes(r).filter((one) => one === "maker.journal-broken").length, 1);
  rig.push(r, { type: "operator.stop" });
  rig.pass(r, 500);
  assert.ok(r.isStopped, "a broken journal is not waited for");
});

test("maker: disk: at its largest size it takes no records, and nothing is offered", () => {
  const journal = { ...defaults.journal, fileBytesMax: 2_000 };
  const r = rig.start({ config: { notify, journal } });
  for (let i = 0; i < 30; i += 1) {
    r.chain.coins = [{ n: 2 + i, mixdepth: 0, sat: 60_000_000n + BigInt(i), confirmations: 2 }];
    chains.mine(r.chain);
    rig.pass(r, 20_000);
  }
  assert.equal(said(r).at(-1), "cancel 0");
  assert.equal(codes(r).filter((one) => one === "maker.disk-failing").length, 1);
  assert.equal(r.kernel.state.isFileFull, true);
});

test("maker: journal: what other parts wrote is nobody's malformed record", () => {
  const r = withRow();
  rig.pass(r, 10_000);
  rig.die(r);
  rig.boot(r);
  rig.pass(r, 10_000);
  const { book } = r.kernel.state;
  assert.ok(whole(r) > 3);
  assert.equal(book.skipped.malformed, 0);
  assert.ok(book.others >= 2);
  assert.equal(book.lastSeq, whole(r));
});

test("maker: crash: at every effect: told once, and the file stays whole (M12, M13)", () => {
  const script = (r: rig.Rig): void => {
    for (let i = 0; i < 12; i += 1) {
      if (!r.isAlive) rig.boot(r);
      if (i === 2) r.chain.txs.set(chains.txid(7), 0);
      if (i === 4) r.chain.txs.set(chains.txid(7), 1);
      if (i === 8) chains.mine(r.chain, 6);
      rig.pass(r, 31_000);
    }
  };
  const calm = withRow({ directories: 0 });
  script(calm);
  assert.equal(stageOf(calm), "settled");
  const all = calm.effects;
  assert.ok(all > 50, `${all} effects`);
  for (let at = 1; at <= all; at += 1) {
    const r = withRow({ directories: 0, before: (it) => void (it.diesAt = at) });
    script(r);
    if (!r.isAlive) rig.boot(r);
    r.diesAt = Number.MAX_SAFE_INTEGER;
    if (!r.isAlive) rig.boot(r);
    rig.pass(r, 5 * min);
    assert.equal(stageOf(r), "settled", `died at ${at}`);
    const file = text(r.disk.bytes);
    for (const [kind, k] of [["tx-seen", "seen"], ["tx-confirmed", "confirmed"]] as const) {
      // A process that is away may miss it in the pool; in a block it is found.
      const records = file.split(`"k":"${k}"`).length - 1;
      const ids = new Set(kinds(r, kind).map(({ id }) => id));
      assert.equal(ids.size, records, `${kind} when it died at ${at}`);
      assert.ok(k === "seen" || records === 1, `${records} records of ${k}, died at ${at}`);
    }
    whole(r);
    rules.settled(r.rules, r.kernel.state);
  }
});

test("maker: stop: the journal has every record before the end", () => {
  const r = withRow({ before: (it) => void it.chain.txs.set(chains.txid(7), 0) });
  rig.pass(r, 10_000);
  rig.push(r, { type: "operator.stop" });
  rig.pass(r, 500);
  assert.ok(r.isStopped);
  assert.equal(r.disk.durableBytes, r.disk.bytes.length);
  assert.equal(kinds(r, "stopping").length, 1);
});
