import assert from "node:assert/strict";
import { test } from "node:test";
import * as drive from "../../../core/ark/drive.ts";
import * as expiry from "../../../core/ark/expiry.ts";
import type { Sight } from "../../../core/ark/guardian-events.ts";
import * as refresh from "../../../core/ark/refresh.ts";
import * as intents from "../../../core/ark/intents.ts";
import { done, unavailable } from "../../../core/ark/wallet.ts";
import { mono } from "../../../core/time.ts";
import { hour, idsOf, none, rejected, start, taken } from "../../support/ark-refresh.ts";
import { coin, exit, sightOf } from "../../support/ark-sight.ts";

const info = {
  network: "regtest", serverPubkey: "", mailboxPubkey: "", roundIntervalS: 60,
  exitDeltaBlocks: 6, expiryDeltaBlocks: 100, maxExitDepth: 6,
};

test("ark: refresh: nothing while none must be; then what should be comes along", () => {
  const soon = coin("b:0", "fine", { expiryHeight: 1_170 });
  const small = coin("c:0", "fine", { amountSat: 4_999n, expiryHeight: 9_000 });
  const later = coin("d:0", "fine", { expiryHeight: 9_000 });
  const { look } = start();
  assert.deepEqual(idsOf(look(sightOf([soon, small, later]), 0)), []);
  const must = coin("a:0", "due", { expiryHeight: 1_150 });
  assert.deepEqual(idsOf(look(sightOf([later, small, soon, must]), 1)), ["a:0", "b:0", "c:0"]);
});

test("ark: refresh: what is too deep must be, what is half as deep comes along", () => {
  const far = { expiryHeight: 9_000 };
  const deep = (exitDepth: number) => coin(`d${exitDepth}:0`, "fine", { ...far, exitDepth });
  const coins = [6, 3, 2].map(deep);
  assert.deepEqual(idsOf(start().look({ ...sightOf(coins), info }, 0)), ["d3:0", "d6:0"].reverse());
  assert.deepEqual(idsOf(start().look(sightOf(coins), 0)), []);
});

test("ark: refresh: never what exits, leaves, has expired, rests or is not spendable", () => {
  const { look, m, d, out } = start();
  const coins = [
    coin("exits:0"), coin("leaves:0"), coin("old:0", "expired"), coin("rests:0"),
    coin("locked:0", "due", { state: "locked" }), coin("exited:0", "due", { state: "exited" }),
    coin("open:0"), coin("x y", "due"),
  ];
  m.rests.set("rests:0", mono(hour));
  drive.open(d, "claim", ["open:0"], "bcrt1qhome", 0, out);
  const leaving = new Set(["leaves:0"]);
  const s = sightOf(coins, [exit("exits:0", "processing")]);
  assert.deepEqual(idsOf(look(s, 1, leaving)), []);
  const blocks = coins.map((one) => refresh.blockOf(m, d, s, leaving, one));
  assert.deepEqual(blocks, [
    "exiting", "leaving", "expired", "rejected", "not-spendable", "exiting", "intent", "unsound",
  ]);
  // An exit that was called off is none.
  const off = sightOf([coin("exits:0")], [exit("exits:0", "canceled")]);
  assert.deepEqual(idsOf(look(off, 2)), ["exits:0"]);
});

test("ark: refresh: nothing before vtxos and exits were seen just now, or when it is off", () => {
  for (const [fields, fresh, isReady] of [
    [{}, false, true], [{ isOn: false }, true, true], [{}, true, false],
  ] as const) {
    const { look, m, d } = start(fields);
    const s = { ...sightOf([coin("a:0")]), isFresh: fresh };
    assert.deepEqual(idsOf(look(s, 0, none, isReady)), []);
    if (!fresh) assert.equal(refresh.blockOf(m, d, s, none, coin("a:0")), "blind");
    if (fields.isOn === false) assert.equal(refresh.blockOf(m, d, s, none, coin("a:0")), "off");
  }
});

test("ark: refresh: nothing is given to a server that is barred", () => {
  const { look, m, d, out, run } = start();
  const s = sightOf([coin("a:0")]);
  const barred = { ...s, isBarred: true };
  assert.deepEqual(idsOf(look(barred, 0)), []);
  assert.equal(refresh.blockOf(m, d, barred, none, coin("a:0")), "barred");
  refresh.look(m, d, s, none, true, [], mono(1), out);
  const { calls, settled } = run((intent) => refresh.mayAsk(m, barred, none, intent));
  assert.deepEqual(calls, []);
  assert.equal(settled[0]?.outcome, "superseded");
});

test("ark: refresh: dust begins no refresh and comes along with what does", () => {
  const dust = ["a:0", "b:0", "c:0"].map((id) => coin(id, "due", { amountSat: 100n }));
  assert.deepEqual(idsOf(start().look(sightOf(dust), 0)), []);
  const worth = coin("z:0", "due", { expiryHeight: 2_000 });
  assert.deepEqual(idsOf(start().look(sightOf([...dust, worth]), 0)), ["a:0", "b:0", "c:0", "z:0"]);
  // Also where there is no room for all.
  const { look } = start({ batchMax: 2 });
  assert.deepEqual(idsOf(look(sightOf([...dust, worth]), 0)), ["a:0", "z:0"]);
});

test("ark: refresh: all of it gone is success, whatever the answer was", () => {
  for (const reply of [undefined, taken, unavailable("timeout", "", "")]) {
    const { look, answer, book, m } = start();
    const s = sightOf([coin("a:0"), coin("b:0")]);
    const [call] = look(s, 0).calls;
    assert.ok(call !== undefined);
    if (reply !== undefined) answer(call.token, reply, s, 10);
    look(sightOf([coin("b:0")], [], 20), 20);
    assert.equal(book.open.size, 1);
    look(sightOf([], [], 30), 30);
    assert.equal(book.counts.success, 1);
    assert.equal(m.lastSuccessAt, 30);
  }
});

test("ark: refresh: patience ends with what was seen after it, never with silence", () => {
  for (const [reply, waitMs] of [
    [taken, refresh.defaults.patienceMs],
    [unavailable("timeout", "", ""), refresh.defaults.unsureMs],
  ] as const) {
    const { look, answer, book, failed } = start();
    const s = sightOf([coin("a:0")]);
    const [call] = look(s, 0).calls;
    answer(call?.token ?? 0, reply, s, 10);
    failed.length = 0;
    look({ ...s, vtxosFrom: undefined }, 99 * hour);
    look(sightOf([coin("a:0")], [], waitMs + 9), 99 * hour);
    assert.equal(book.counts.superseded, 0);
    look(sightOf([coin("a:0")], [], waitMs + 10), 99 * hour);
    assert.equal(book.counts.superseded, 1);
    assert.deepEqual(failed, ["a:0"]);
  }
});

test("ark: refresh: a call that never ends gives its VTXOs up, and keeps its lane", () => {
  const { look, answer, book, d, failed } = start();
  const [call] = look(sightOf([coin("a:0")], [], 5), 5).calls;
  const waitMs = refresh.defaults.unsureMs;
  look(sightOf([coin("a:0")], [], waitMs + 4), waitMs + 4);
  assert.equal(book.open.size, 1);
  const late = sightOf([coin("a:0")], [], waitMs + 5);
  look(late, waitMs + 5);
  assert.equal(book.counts.superseded, 1);
  assert.ok(intents.isFree(book, ["a:0"]));
  assert.deepEqual(failed, ["a:0"]);
  assert.deepEqual(look(sightOf([coin("a:0")], [], 99 * hour), 99 * hour).calls, []);
  assert.ok(drive.isBusy(d, "refresh"));
  answer(call?.token ?? 0, taken, late, 99 * hour);
  assert.equal(book.open.size, 0);
  assert.ok(!drive.isBusy(d, "refresh"));
});

test("ark: refresh: nothing is asked for twice while its round may still be to come", () => {
  assert.ok(refresh.defaults.unsureMs >= 2 * hour);
  const { marginBlocks, fastMs } = expiry.defaults;
  const marginMs = marginBlocks * fastMs;
  for (const [roundIntervalS, waitMs] of [
    [60, 2 * hour], [5_400, 3 * hour], [1_000_000_000, marginMs], [undefined, 2 * hour],
  ] as const) {
    for (const reply of [taken, unavailable("timeout", "", "")]) {
      const { look, answer, book } = start();
      const seen = (ms: number): Sight => {
        const s = sightOf([coin("a:0")], [], ms);
        return roundIntervalS === undefined ? s : { ...s, info: { ...info, roundIntervalS } };
      };
      const [call] = look(seen(0), 0).calls;
      answer(call?.token ?? 0, reply, seen(0), 10);
      assert.deepEqual(look(seen(waitMs + 9), waitMs + 9).calls, []);
      assert.equal(book.counts.superseded, 0);
      look(seen(waitMs + 10), waitMs + 10);
      assert.equal(book.counts.superseded, 1);
    }
  }
});

test("ark: refresh: those that were named are left out, rest, and are told", () => {
  const { look, answer, notices, failed, m } = start();
  const s = sightOf(["a:0", "b:0", "c:0"].map((id) => coin(id)));
  const [call] = look(s, 0).calls;
  answer(call?.token ?? 0, rejected("b:0", "other:0"), s, 10);
  assert.deepEqual(failed, ["b:0"]);
  assert.deepEqual(notices.map(({ kind }) => kind), ["ark-refresh-rejected"]);
  assert.deepEqual(idsOf(look(s, 5_009)), []);
  assert.deepEqual(idsOf(look(s, 5_010)), ["a:0", "c:0"]);
  assert.equal(refresh.restsUntil(m, "b:0"), 10 + refresh.defaults.restMs);
  assert.ok(refresh.deadline(m) <= refresh.restsUntil(m, "b:0"));
});

test("ark: refresh: where none was named both halves are tried, down to the bad one", () => {
  const { look, answer, notices } = start();
  const s = sightOf(["a:0", "b:0", "c:0", "d:0", "e:0"].map((id) => coin(id)));
  const asked: string[] = [];
  let ms = 0;
  for (let i = 0; i < 20; i += 1) {
    ms += 10_000;
    const [call] = look(s, ms).calls;
    if (call === undefined || call.call.op !== "refresh") break;
    asked.push(call.call.vtxos.join());
    const isBad = call.call.vtxos.includes("b:0");
    answer(call.token, isBad ? rejected() : taken, s, ms);
  }
  assert.deepEqual(asked, ["a:0,b:0,c:0,d:0,e:0", "a:0,b:0,c:0", "d:0,e:0", "a:0,b:0", "c:0", "a:0",
    "b:0"]);
  assert.equal(notices.length, 1);
});

test("ark: refresh: a batch of which all are bad is told in two notices, not in many", () => {
  const { look, answer, notices, m } = start();
  const s = sightOf(Array.from({ length: 16 }, (_, i) => coin(`v${i + 10}:0`)));
  let ms = 0;
  for (let i = 0; i < 40; i += 1) {
    ms += 6_000;
    const [call] = look(s, ms).calls;
    if (call !== undefined) answer(call.token, rejected(), s, ms);
  }
  assert.equal(m.rests.size, 16);
  const counts = () => notices.flatMap((n) => (n.kind === "ark-refresh-rejected"
    ? [[n.lead, n.count, n.amountSat] as const] : []));
  assert.deepEqual(counts(), [["v10:0", 1, 50_000n]]);
  const due = refresh.deadline(m);
  look(s, due - 1);
  assert.equal(counts().length, 1);
  look(s, due);
  assert.deepEqual(counts()[1], ["v11:0", 15, 750_000n]);
  look(s, refresh.deadline(m));
  assert.equal(m.untold.size, 0);
});

test("ark: refresh: what rested is asked for again, and what is gone is forgotten", () => {
  const { look, answer, m } = start({ restMs: hour });
  const s = sightOf([coin("a:0")]);
  const [call] = look(s, 0).calls;
  answer(call?.token ?? 0, rejected(), s, 10);
  assert.deepEqual(idsOf(look(s, hour + 9)), []);
  assert.deepEqual(idsOf(look(s, hour + 10)), ["a:0"]);
  m.rests.set("gone:0", mono(9 * hour));
  look(s, hour + 11);
  assert.equal(m.rests.size, 0);
});

test("ark: refresh: waits between intents grow with failures, and one success ends that", () => {
  const { look, answer, m } = start({ unsureMs: 1, patienceMs: 1 });
  let ms = 0;
  let least = 0;
  for (let i = 0; i < 6; i += 1) {
    const s = sightOf([coin("a:0")], [], ms);
    const [call] = look(s, ms).calls;
    assert.ok(call !== undefined, `${i}`);
    answer(call.token, unavailable("server-down", "", ""), s, ms);
    look(sightOf([coin("a:0")], [], ms + 1), ms + 1);
    const due = refresh.deadline(m);
    assert.ok(due - ms >= least, `${due - ms} < ${least}`);
    least = (due - ms) >> 1;
    ms = due;
  }
  assert.ok(m.failures >= 6);
});

test("ark: refresh: between the record and the call it is looked at once more", () => {
  const { d, out, m, run } = start();
  const s = sightOf([coin("a:0")]);
  refresh.look(m, d, s, none, true, [], mono(0), out);
  const intent = { id: 1, aim: "refresh", vtxos: ["a:0"], destination: "", unixMs: 0,
    isSent: false, isConfirmed: false } as const;
  assert.ok(refresh.mayAsk(m, s, none, intent));
  assert.ok(!refresh.mayAsk(m, { ...s, isFresh: false }, none, intent));
  const now = sightOf([coin("a:0")], [exit("a:0", "start")]);
  const { calls, settled } = run((intent) => refresh.mayAsk(m, now, none, intent));
  assert.deepEqual(calls, []);
  assert.equal(settled[0]?.outcome, "superseded");
});

test("ark: refresh: one that waits to be asked again goes when its VTXOs must leave", () => {
  const { look, answer, book } = start();
  const s = sightOf([coin("a:0")]);
  const [call] = look(s, 0).calls;
  answer(call?.token ?? 0, unavailable("auth", "", ""), s, 10);
  assert.equal(book.open.size, 1);
  look(s, 20, new Set(["a:0"]));
  assert.equal(book.counts.superseded, 1);
  assert.equal(book.open.size, 0);
});

test("ark: refresh: several may wait for their rounds, within the limit of intents", () => {
  const { look, answer, book } = start({ batchMax: 1 });
  const coins = ["a:0", "b:0", "c:0"].map((id) => coin(id));
  for (let i = 0; i < 3; i += 1) {
    const s = sightOf(coins, [], i * 10_000);
    const [call] = look(s, i * 10_000).calls;
    answer(call?.token ?? 0, taken, s, i * 10_000);
  }
  assert.equal(book.open.size, 3);
  const full = start();
  for (let i = 0; i < full.book.config.openMax; i += 1) {
    drive.open(full.d, "exit", [`x${i}:0`], "", 0, full.out);
  }
  assert.deepEqual(idsOf(full.look(sightOf([coin("a:0")]), 0)), []);
});

test("ark: refresh: ranges of the configuration are asserted", () => {
  for (const wrong of [
    { batchMax: 0 }, { unsureMs: 0 }, { patienceMs: 1 }, { restMs: 0 }, { tellMs: 0 },
  ]) assert.throws(() => start(wrong));
});

test("ark: refresh: a round that stands in a block is never superseded, nor after a crash", () => {
  const { look, answer, book } = start();
  const seen = (ms: number): Sight => sightOf([coin("a:0")], [], ms);
  const [call] = look(seen(0), 0).calls;
  const confirmed = done({ op: "refresh", roundId: 1, isConfirmed: true });
  answer(call?.token ?? 0, confirmed, seen(0), 10);
  const snapshot = intents.snapshot(book);
  assert.deepEqual(look(seen(99 * hour), 99 * hour).calls, []);
  assert.equal(book.counts.superseded, 0);
  look(sightOf([], [], 100 * hour), 100 * hour);
  assert.equal(book.counts.success, 1);
  const again = start();
  for (const body of snapshot) intents.replay(again.book, body);
  drive.restore(again.d, 0, mono(0));
  assert.deepEqual(again.look(seen(99 * hour), 99 * hour).calls, []);
  assert.equal(again.book.open.size, 1);
  again.look(sightOf([], [], 100 * hour), 100 * hour);
  assert.equal(again.book.counts.success, 1);
});

test("ark: refresh: what was superseded is asked for again as the same set, or not at all", () => {
  const ms = refresh.defaults.patienceMs + 10;
  const [b, c] = [coin("b:0"), coin("c:0")];
  const first = coin("a:0", "due", { expiryHeight: 1_050 });
  const superseded = () => {
    const given = start();
    const [call] = given.look(sightOf([b, c]), 0).calls;
    given.answer(call?.token ?? 0, taken, sightOf([b, c]), 10);
    given.look(sightOf([b, c], [], ms), ms);
    assert.equal(given.book.counts.superseded, 1);
    return given;
  };
  const late = 9 * hour;
  const seen = sightOf([first, b, c], [], late);
  const { look, answer } = superseded();
  const again = look(seen, late);
  assert.deepEqual(idsOf(again), ["b:0", "c:0"]);
  answer(again.calls[0]?.token ?? 0, taken, seen, late);
  assert.deepEqual(idsOf(look(seen, late + hour)), ["a:0"]);
  // One that has expired by our own count may be in that round, too; and while one of them may
  // be refreshed later, the others wait.
  const old = coin("c:0", "expired", { expiryHeight: 1_002 });
  const counted = { ...sightOf([first, b, old], [], late), counted: 1_010 };
  assert.deepEqual(idsOf(superseded().look(counted, late)), ["a:0"]);
  const { m, look: wait } = superseded();
  m.rests.set("c:0", mono(99 * hour));
  assert.deepEqual(idsOf(wait(seen, late)), ["a:0"]);
});

test("ark: refresh: one whose process dies again and again is given up at its time", () => {
  const { look, answer, book } = start();
  const s = (ms: number): Sight => sightOf([coin("a:0")], [], ms);
  const [call] = look(s(0), 0).calls;
  answer(call?.token ?? 0, unavailable("server-down", "", ""), s(0), 10);
  const body = intents.snapshot(book);
  const again = (agoMs: number) => {
    const given = start();
    for (const one of body) intents.replay(given.book, one);
    drive.restore(given.d, s(0).unixMs + agoMs, mono(0));
    return given;
  };
  const { unsureMs, anewMs } = refresh.defaults;
  const half = unsureMs / 2;
  const late = again(half);
  late.look(s(half - 1), half - 1);
  assert.equal(late.book.open.size, 1);
  late.look(s(half), half);
  assert.equal(late.book.counts.superseded, 1);
  // Not before the wallet could fetch what it missed; and a clock that went back makes it no older.
  const later = again(99 * unsureMs);
  later.look(s(anewMs - 1), anewMs - 1);
  assert.equal(later.book.open.size, 1);
  later.look(s(anewMs), anewMs);
  assert.equal(later.book.counts.superseded, 1);
  const back = again(-unsureMs);
  back.look(s(unsureMs - 1), unsureMs - 1);
  assert.equal(back.book.open.size, 1);
});

test("ark: refresh: what has expired by a height that nobody said is refreshed", () => {
  const one = coin("a:0", "expired", { expiryHeight: 1_001 });
  const s = { ...sightOf([one]), tip: 1_040 };
  assert.deepEqual(idsOf(start().look(s, 0)), ["a:0"]);
  for (const counted of [1_001, undefined]) {
    assert.deepEqual(idsOf(start().look({ ...s, counted }, 0)), []);
  }
});
