/**
 * The weaknesses of joinmarket-ng that `docs/maker.md` lists, row by row: a maker in its whole
 * world meets each, and does not have it. Tests of single parts bear the numbers too.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ascii } from "../../../core/bytes.ts";
import type { ConnId } from "../../../core/ids.ts";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import { defaults } from "../../../core/maker/config.ts";
import * as offers from "../../../core/maker/offers.ts";
import * as chains from "../../support/maker-chain.ts";
import * as rig from "../../support/maker.ts";
import { stageOf, waiting, withRow, write } from "../../support/maker-rows.ts";
import * as rules from "../../support/maker-rules.ts";
import * as takers from "../../support/maker-taker.ts";
import { codes, kinds, notify, running, said, stateOf } from "../../support/maker-told.ts";

const { types } = envelope;
const one = rig.nameOf(0);
const two = rig.nameOf(1);
const min = 60_000;
const hour = 60 * min;
const day = 24 * hour;
const timeoutMs = defaults.pending.timeoutMs;

/** The maker's open connection to a directory. */
function connTo(r: rig.Rig, to: string): ConnId {
  const [line] = [...r.lines.values()].filter((each) => each.to === to && !each.isGone);
  assert.ok(line !== undefined, `no connection to ${to}`);
  return line.conn;
}

test("maker: hazard 1: one dead directory in a fan-out keeps nothing from the others", () => {
  const r = running({ directories: 3 });
  const t = takers.taker(1);
  takers.join(r, t, two);
  const before = said(r).length;
  // Nobody has noticed yet that the first is gone when the coins change.
  rig.push(r, { type: "conn.congested", conn: connTo(r, one) });
  r.chain.coins = [{ n: 2, mixdepth: 0, sat: 10_000_000n, confirmations: 3 }];
  chains.mine(r.chain);
  rig.pass(r, 30_000);
  assert.equal(said(r).length, before + 2, "the two that read have the new offers");
  takers.whisper(r, t, two, takers.line(t, "fill", "0 1 2 3"));
  rig.cut(r, one);
  rig.pass(r, 100);
  assert.equal(takers.heard(r, t, two).length, 1);
});

test("maker: hazard 2: a directory that does not read holds nobody up, and is left", () => {
  const r = running({ directories: 2 });
  const t = takers.taker(1);
  takers.join(r, t, two);
  rig.push(r, { type: "conn.congested", conn: connTo(r, one) });
  for (let i = 0; i < 200; i += 1) {
    takers.forge(r, one, `J5${String(i).padStart(14, "A")}!PUBLIC!orderbook`);
  }
  takers.publish(r, t, two, "orderbook");
  rig.pass(r, 100);
  assert.equal(takers.heard(r, t, two).length, 1);
  assert.ok(!codes(r).includes("maker.directory-down"));
  rig.pass(r, defaults.pool.link.congestedMsMax);
  assert.deepEqual(r.logs.filter(({ code }) => code === "maker.directory-down")
    .map(({ fields }) => [fields["directory"], fields["why"]]), [[one, "stuck"]]);
  rig.pass(r, min);
  rules.settled(r.rules, stateOf(r));
});

test("maker: hazard 3: an outage as long as the timeout fails no row", () => {
  const r = withRow();
  r.chain.mode = "refused";
  rig.pass(r, 3 * timeoutMs);
  assert.equal(stageOf(r), "waiting");
  r.chain.mode = "up";
  r.chain.txs.set(chains.txid(7), 1);
  rig.pass(r, 5 * min);
  assert.deepEqual([stageOf(r), kinds(r, "tx-given-up").length], ["confirmed", 0]);
});

test("maker: hazard 4: conflicted and evicted transactions come to an end", () => {
  const conflicted = withRow();
  conflicted.chain.txs.set(chains.txid(7), -6);
  rig.pass(conflicted, 5 * min);
  assert.equal(stageOf(conflicted), "given-up");
  const evicted = withRow();
  evicted.chain.txs.set(chains.txid(7), 0);
  rig.pass(evicted, 10 * min);
  assert.equal(kinds(evicted, "tx-seen").length, 1);
  evicted.chain.txs.delete(chains.txid(7));
  rig.pass(evicted, timeoutMs - min);
  assert.equal(stageOf(evicted), "waiting");
  rig.pass(evicted, 5 * min);
  assert.equal(stageOf(evicted), "given-up");
});

test("maker: hazard 5: summer time and winter time shift no age", () => {
  for (const ms of [hour, -hour]) {
    const r = withRow();
    rig.pass(r, timeoutMs / 2);
    rig.push(r, { type: "clock.anchored", unixMs: rig.startedUnixMs + r.now + ms });
    rig.pass(r, timeoutMs / 2 - 2 * min);
    assert.equal(stageOf(r), "waiting");
    rig.pass(r, 4 * min);
    assert.equal(stageOf(r), "given-up");
  }
});

test("maker: hazard 6: lines that came before the end of a link are handled", () => {
  const r = running();
  const conn = connTo(r, one);
  const t = takers.taker(1);
  const bytes = ["orderbook", "orderbook"].map((word) => (
    envelope.encode(types.PUBMSG, `${t.nick}!PUBLIC!${word}`)
  ));
  const fill = envelope.encode(types.PRIVMSG, takers.line(t, "fill", "0 1 2 3"));
  for (const each of [...bytes, fill]) {
    rig.push(r, { type: "conn.received", conn, bytes: each });
  }
  rig.push(r, { type: "conn.closed", conn, reason: "reset" });
  const { orderbooks, fills } = stateOf(r).counts;
  assert.deepEqual([orderbooks, fills], [2, 1]);
});

test("maker: hazard 7: a link that ends by ten errors is told, and dialled again", () => {
  const r = running({ config: { notify } });
  const conn = connTo(r, one);
  rig.push(r, { type: "conn.received", conn, bytes: ascii("no JSON\r\n".repeat(10)) });
  assert.deepEqual(r.logs.filter(({ code }) => code === "maker.directory-down")
    .map(({ fields }) => fields["why"]), ["malformed"]);
  rig.until(r, () => stateOf(r).pool.slots[0]?.link.at.phase === "up", hour);
  rig.pass(r, min);
  assert.deepEqual([kinds(r, "all-down").length, kinds(r, "all-back").length], [1, 1]);
  rules.settled(r.rules, stateOf(r));
});

test("maker: hazard 8: the wait before an announcement holds up no look; no two at once", () => {
  const terms = { ...defaults.offers, network: "regtest", announceDelayMaxMs: 10 * min } as const;
  const r = running({ config: { offers: terms } });
  r.chain.delayMs = 500;
  r.chain.coins = [{ n: 2, mixdepth: 0, sat: 500_000_000n, confirmations: 3 }];
  const looks = stateOf(r).rescan.tokens;
  for (let i = 0; i < 100; i += 1) {
    if (i % 3 === 0) rig.push(r, { type: "operator.rescan", fromHeight: undefined });
    if (i % 10 === 0) chains.mine(r.chain);
    rig.pass(r, 200);
    const open = [...stateOf(r).asked.values()].filter(({ who }) => who === "rescan");
    assert.ok(open.length <= 1, "two looks at once");
  }
  assert.ok(codes(r).includes("maker.offers-held"));
  assert.ok(stateOf(r).rescan.tokens > looks + 5, "looks go on during the wait");
  assert.equal(said(r).length, 1, "which is not over");
  rig.pass(r, 11 * min);
  assert.equal(said(r).length, 2);
});

test("maker: hazard 9: what is locked is not offered", () => {
  const r = running();
  const offered = (): bigint => (
    offers.current(stateOf(r).offers).reduce((sum, o) => sum + o.maxsizeSat, 0n)
  );
  r.chain.coins.push({ n: 2, mixdepth: 1, sat: 20_000_000n, confirmations: 5 });
  chains.mine(r.chain);
  rig.pass(r, min);
  assert.ok(offered() > 20_000_000n);
  r.chain.locked.add(1);
  chains.mine(r.chain);
  rig.pass(r, min);
  assert.ok(offered() > 0n && offered() < 20_000_000n);
  r.chain.locked.add(2);
  chains.mine(r.chain);
  rig.pass(r, min);
  assert.equal(said(r).at(-1), "cancel 0");
  r.chain.locked.clear();
  chains.mine(r.chain);
  rig.pass(r, min);
  assert.ok(offered() > 20_000_000n);
});

test("maker: hazard 10: a record that nobody can read erases nothing", () => {
  const bodies = [waiting(7), "{\"v\":1,\"k\":\"added\",\"at\":\"never\"}", "no JSON", waiting(8)];
  const r = rig.start({ config: { notify }, before: (it) => write(it, bodies) });
  const before = r.disk.bytes.slice();
  r.chain.txs.set(chains.txid(7), 1);
  rig.pass(r, 5 * min);
  assert.deepEqual(r.disk.bytes.subarray(0, before.length), before, "only appended");
  assert.ok(r.disk.bytes.length > before.length);
  assert.equal(kinds(r, "tx-confirmed").length, 1);
  assert.equal(r.kernel.state.book.rows, 2);
});

test("maker: hazard 11: no flood of nicks, messages or connections grows a table", () => {
  const guard = {
    ...defaults.guard, nicksMax: 20, connectionsMax: 20,
    orderbook: { ...defaults.guard.orderbook, keysMax: 20 },
    direct: { ...defaults.guard.direct, keysMax: 20 },
  };
  const dedup = { ...defaults.dedup, signaturesMax: 20 };
  const r = running({ config: { guard, dedup } });
  const d = stateOf(r);
  for (let i = 0; i < 100; i += 1) {
    takers.forge(r, one, `J5${String(i).padStart(14, "A")}!PUBLIC!orderbook`);
    const t = takers.taker(i % 100);
    const line = envelope.encode(types.PRIVMSG, takers.line(t, "fill", `${i} 1 2 3`));
    rig.push(r, { type: "conn.received", conn: connTo(r, one), bytes: line });
    const guest = takers.visit(r, t);
    rig.say(r, guest, envelope.encode(types.PUBMSG, `${t.nick}!PUBLIC!orderbook`));
    if (i % 10 === 9) rig.pass(r, 1_000);
  }
  const sizes = {
    askers: d.guard.asked.entries.size, direct: d.guard.askedDirect.entries.size,
    senders: d.guard.senders.size, signatures: d.dedup.signatures.size,
    lines: d.guard.buckets.connectionLines.tats.size,
  };
  for (const [what, size] of Object.entries(sizes)) assert.ok(size <= 20, `${what}: ${size}`);
  assert.ok(d.inbound.guests.all.size <= defaults.inbound.connsMax);
  assert.ok(d.signatures.size <= defaults.talk.signaturesMax);
  rig.pass(r, 2 * hour);
  assert.equal(d.inbound.guests.all.size, 0, "the silent have left");
});

test("maker: hazard 12: requests in another's name cost him nothing elsewhere", () => {
  const r = running({ directories: 2 });
  const t = takers.taker(1);
  takers.join(r, t, two);
  // The first directory is hostile. At first it keeps within every limit: all that it asks is
  // answered, by the way that it came.
  for (let i = 0; i < 40; i += 1) {
    if (i % 2 === 0) takers.forge(r, one, `${t.nick}!PUBLIC!orderbook`);
    rig.pass(r, 5_000);
    if (i % 10 !== 9) continue;
    takers.publish(r, t, two, "orderbook");
    rig.pass(r, 100);
    assert.equal(takers.heard(r, t, two).length, 1, `after ${i}`);
  }
  for (let i = 0; i < 500; i += 1) takers.forge(r, one, `${t.nick}!PUBLIC!orderbook`);
  assert.ok(codes(r).includes("maker.asker-banned"));
  rig.pass(r, min);
  takers.publish(r, t, two, "orderbook");
  rig.pass(r, 100);
  assert.equal(takers.heard(r, t, two).length, 1, "banned with the hostile directory only");
});

test("maker: hazard 14: when everything fails at once nothing turns in a circle", () => {
  const r = withRow({ directories: 2 });
  rig.pass(r, min);
  for (const to of [one, two]) rig.cut(r, to);
  r.chain.mode = "refused";
  r.disk.fault = "io";
  r.notifies = 503;
  r.signs = false;
  const before = r.steps;
  rig.pass(r, 6 * hour);
  assert.ok(r.steps - before < 15_000, `${r.steps - before} steps in six hours`);
  for (const to of [one, two]) rig.heal(r, to);
  r.chain.mode = "up";
  r.disk.fault = "none";
  r.notifies = 200;
  r.signs = true;
  rig.pass(r, hour);
  rules.settled(r.rules, stateOf(r));
  assert.equal(offers.current(stateOf(r).offers).length, 1);
});

test("maker: hazard 15: a signed line that is said again is not handled again", () => {
  const r = running({ directories: 2 });
  const t = takers.taker(3);
  for (const to of [one, two]) takers.join(r, t, to);
  const line = takers.line(t, "fill", `0 1000000 ${"ab".repeat(32)} ${"cd".repeat(32)}`);
  takers.whisper(r, t, one, line);
  for (const ms of [100, 31_000, min, hour, hour]) {
    rig.pass(r, ms);
    for (const to of [one, two]) takers.repeat(r, to, line);
  }
  assert.equal(stateOf(r).counts.fills, 1);
  assert.ok(stateOf(r).counts.replays >= 4);
});

test("maker: hazard 16: the height is that of the chain, not of the last look at the coins", () => {
  const r = running();
  r.chain.isListing = false;
  // Past the end of a difficulty period, which is when a bond's certificate would end.
  chains.mine(r.chain, 2_016);
  rig.pass(r, defaults.tip.pollMs + 1_000);
  assert.equal(stateOf(r).tip.tip?.height, r.chain.height);
  assert.ok(!said(r).some((line) => line.includes("tbond")), "there are no bonds yet");
});

test("maker: hazard 17: a start without directories is told, and made up for soon", () => {
  const r = rig.start({
    directories: 2, config: { notify },
    before: (it) => { for (const to of [one, two]) rig.cut(it, to); },
  });
  rig.pass(r, 10 * min);
  assert.ok(codes(r).includes("maker.no-directory"));
  assert.deepEqual(said(r), []);
  rig.heal(r, two);
  rig.until(r, () => said(r).length === 1, defaults.pool.link.retry.maxMs + 1_000);
  rules.settled(r.rules, stateOf(r));
});

test("maker: hazard 18: without coins it waits for them, for as long as it takes", () => {
  const r = rig.start({ before: (it) => { it.chain.coins = []; } });
  rig.pass(r, day);
  assert.deepEqual(said(r), []);
  r.chain.coins = [{ n: 1, mixdepth: 0, sat: 50_000_000n, confirmations: 1 }];
  chains.mine(r.chain);
  rig.until(r, () => said(r).length === 1, 2 * min);
});

test("maker: hazard 19: a clock that is set keeps no coin and frees none", () => {
  const play = (jumpMs: number): readonly unknown[] => {
    const r = withRow();
    r.chain.locked.add(1);
    rig.pass(r, 5 * min);
    rig.push(r, { type: "clock.anchored", unixMs: rig.startedUnixMs + r.now + jumpMs });
    rig.pass(r, 20 * min);
    r.chain.locked.clear();
    rig.pass(r, 2 * hour);
    return [r.rules.lines.map(({ at, text }) => [at, text]), stageOf(r), r.chain.asked];
  };
  const steady = play(0);
  for (const ms of [day, -day]) assert.deepEqual(play(ms), steady);
});

test("maker: hazard 20: the look for updates has one way out, or none", () => {
  const asked: string[] = [];
  const r = running({
    config: { updates: { ...defaults.updates, isOn: true, path: "/releases/latest" } },
    beside: (effect) => {
      if (effect.type !== "req.start" || effect.to !== "update") return undefined;
      asked.push(effect.path);
      return [{ type: "req.failed", req: effect.req, reason: "denied" }];
    },
  });
  rig.pass(r, day);
  assert.ok(asked.length >= 5 && asked.length <= 7, `${asked.length} questions`);
  assert.ok(asked.every((path) => path === "/releases/latest"));
  assert.equal(codes(r).filter((code) => code === "maker.update-check-failed").length, 1);
  assert.ok([...r.lines.values()].every(({ to }) => to === one), "nobody else was dialled");
});
