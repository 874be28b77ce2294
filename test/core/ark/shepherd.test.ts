import assert from "node:assert/strict";
import { test } from "node:test";
import * as drive from "../../../core/ark/drive.ts";
import * as expiry from "../../../core/ark/expiry.ts";
import * as funds from "../../../core/ark/funds.ts";
import type { Sight } from "../../../core/ark/guardian-events.ts";
import * as shepherd from "../../../core/ark/shepherd.ts";
import { done, unavailable, type Answer } from "../../../core/ark/wallet.ts";
import * as prng from "../../../core/prng.ts";
import { mono } from "../../../core/time.ts";
import { coin, driven, exit, sightOf } from "../../support/ark-sight.ts";

const hour = 3_600_000;
const home = "bcrt1qhome";

function start(fields: Partial<shepherd.Config> = {}) {
  const config = {
    ...shepherd.defaults, autoExit: true, autoClaim: true, destination: home, ...fields,
  };
  const m = shepherd.create(config, { ...expiry.defaults, wallet: "w" },
    prng.stream(prng.key("shepherd"), "test"));
  const given = driven();
  const look = (s: Sight, ms: number, isReady = true) => {
    shepherd.look(m, given.d, s, isReady, mono(ms), given.out);
    const { calls, settled } = given.run((intent) => shepherd.mayAsk(m, s, intent), ms);
    for (const one of settled) shepherd.settled(m, one, s, given.out);
    given.run();
    return calls;
  };
  const answer = (token: number, one: Answer, ms: number): void => {
    const heard = drive.answered(given.d, token, one, mono(ms), given.out);
    if (heard !== undefined) shepherd.heard(m, heard, mono(ms));
    given.run();
  };
  const kinds = () => given.notices.map(({ kind }) => kind);
  return { m, ...given, look, answer, kinds };
}

const last = (id: string, fields = {}) => coin(id, "exit-now", fields);

test("ark: shepherd: an exit begins when it must, once, and is told when it shows", () => {
  const { look, answer, m, book, kinds } = start();
  assert.deepEqual(look(sightOf([coin("a:0", "failing")]), 0), []);
  const [call] = look(sightOf([last("a:0")]), 1);
  assert.deepEqual(call?.call, { op: "exit", vtxos: ["a:0"] });
  assert.deepEqual([...m.leaving], ["a:0"]);
  answer(call?.token ?? 0, done({ op: "exit" }), 2);
  assert.deepEqual(look(sightOf([last("a:0")], [], 3), 3), []);
  assert.deepEqual(kinds(), []);
  look(sightOf([last("a:0")], [exit("a:0", "start")], 9_000), 9_000);
  assert.deepEqual(kinds(), ["ark-exit-started"]);
  assert.equal(book.counts.success, 1);
  assert.deepEqual(look(sightOf([last("a:0")], [exit("a:0", "start")], 2 * hour), 2 * hour), []);
});

test("ark: shepherd: each reason why none begins is told once, with what to do", () => {
  const rows = [
    [{ autoExit: false }, last("a:0"), [], "not-allowed"],
    [{}, last("a:0"), [exit("a:0", "canceled")], "canceled"],
    [{}, coin("a:0", "expired"), [], "expired"],
    [{}, last("a:0", { amountSat: 9_999n }), [], "too-small"],
  ] as const;
  for (const [fields, one, exits, why] of rows) {
    const { look, notices, m } = start(fields);
    const s = sightOf([one], exits);
    for (const ms of [0, 1, 99_999_999]) assert.deepEqual(look(s, ms), []);
    assert.equal(notices.length, 1, why);
    assert.ok(notices[0]?.kind === "ark-exit-needed" && notices[0].why === why);
    assert.equal(shepherd.blockOf(m, s, one), why);
    assert.equal(m.leaving.size, 0);
  }
});

test("ark: shepherd: what has expired by our own count only is not given up", () => {
  const counted = coin("a:0", "expired", { expiryHeight: 1_001 });
  const s = { ...sightOf([counted]), tip: 1_040 };
  assert.equal(start().look(s, 0).length, 1);
  const said = { ...s, said: 1_001 };
  assert.deepEqual(start().look(said, 0), []);
  assert.deepEqual(start().look({ ...s, said: undefined }, 0), []);
});

test("ark: shepherd: what has expired leaves where policy says so", () => {
  const calls = start({ exitExpired: true }).look(sightOf([coin("a:0", "expired")]), 0);
  assert.equal(calls.length, 1);
});

test("ark: shepherd: a height that is not proven, or a stale sight, begins nothing", () => {
  const s = sightOf([last("a:0")]);
  const { look, notices } = start();
  assert.deepEqual(look({ ...s, isProven: false }, 0), []);
  assert.deepEqual(look({ ...s, isFresh: false }, 1), []);
  assert.deepEqual(look(s, 2, false), []);
  assert.deepEqual(notices, []);
  assert.equal(look(s, 3).length, 1);
});

test("ark: shepherd: costs are asked for early, their trouble told, and its end", () => {
  const { d, m, out, look, kinds, run } = start();
  const s = sightOf([coin("a:0", "fine"), coin("b:0", "due"), coin("c:0", "due")],
    [exit("c:0", "awaiting-delta")]);
  const question = (ms: number) => shepherd.feeQuestion(m, d, s, mono(ms));
  const heard = (said: funds.Said) => shepherd.feeHeard(m, d, s, said, out);
  assert.deepEqual(question(0), [{ op: "exit-fee", vtxos: ["b:0"] }]);
  assert.deepEqual(question(hour - 1), []);
  assert.deepEqual(question(hour), [{ op: "exit-fee", vtxos: ["b:0"] }]);
  const trouble = { isFundable: false, feeSat: 900n };
  for (const said of [trouble, undefined, trouble]) {
    heard(said);
    assert.deepEqual(funds.next(m.funds), []);
  }
  assert.deepEqual(look(sightOf([last("b:0")]), 0), []);
  run();
  assert.deepEqual(kinds(), ["ark-exit-unfundable", "ark-exit-needed"]);
  heard({ ...trouble, isFundable: true });
  assert.equal(look(sightOf([last("b:0")]), 1).length, 1);
  assert.deepEqual(kinds().slice(2), ["ark-exit-fundable"]);
  const none = sightOf([coin("a:0", "fine")]);
  assert.deepEqual(shepherd.feeQuestion(start().m, d, none, mono(0)), []);
});

test("ark: shepherd: costs that cannot be paid are asked for again soon, and after a block", () => {
  const { d, m, out } = start();
  const { feeShortMs, feeGapMs, feeMs } = shepherd.defaults;
  const at = (said: number): Sight => ({ ...sightOf([coin("b:0", "due")]), said });
  const asks = (said: number, ms: number): boolean => (
    shepherd.feeQuestion(m, d, at(said), mono(ms)).length > 0
  );
  const heard = (said: funds.Said) => shepherd.feeHeard(m, d, at(1_000), said, out);
  assert.ok(asks(1_000, 0));
  heard({ isFundable: false, feeSat: 900n });
  assert.deepEqual(funds.next(m.funds), []);
  assert.ok(!asks(1_000, feeShortMs - 1));
  assert.ok(!asks(1_001, feeGapMs - 1), "a block a second is no storm");
  assert.ok(asks(1_001, feeGapMs));
  // No answer is no news: it is asked on.
  heard(undefined);
  assert.ok(!asks(1_001, feeGapMs + feeShortMs - 1));
  assert.ok(asks(1_001, feeGapMs + feeShortMs));
  heard({ isFundable: true, feeSat: 900n });
  assert.ok(!asks(1_002, 2 * feeGapMs + feeShortMs));
  assert.ok(asks(1_002, feeGapMs + feeShortMs + feeMs));
});

test("ark: shepherd: what can be paid leaves though not all can, and nothing false is told", () => {
  const { d, m, out, look, notices, run } = start();
  const s = sightOf([
    last("a:0", { expiryHeight: 1_010 }), last("b:0", { expiryHeight: 1_020 }),
    last("c:0", { expiryHeight: 1_030 }), coin("d:0", "due", { expiryHeight: 1_090 }),
    last("e:0", { expiryHeight: 1_005, amountSat: 9_999n }), last("f:0"),
  ], [exit("f:0", "processing")]);
  // What is under way comes first; what must leave, and is worth it, is asked about one by one.
  const costs: Readonly<Record<string, number>> = {
    "f:0": 200, "a:0": 300, "b:0": 700, "c:0": 500, "d:0": 100,
  };
  const asked: string[] = [];
  let ops = shepherd.feeQuestion(m, d, s, mono(0));
  while (ops.length > 0) {
    const [op] = ops;
    assert.ok(op?.op === "exit-fee", "only costs are asked for");
    asked.push(op.vtxos.map((id) => id.slice(0, 1)).join(""));
    const sat = op.vtxos.reduce((sum, id) => sum + (costs[id] ?? 0), 0);
    shepherd.feeHeard(m, d, s, { isFundable: sat <= 1_000, feeSat: BigInt(sat) }, out);
    ops = funds.next(m.funds);
    if (ops.length > 0) assert.deepEqual(look(s, 0), [], "not before it is known");
  }
  assert.deepEqual(asked, ["fabcd", "f", "fa", "fab", "fac"]);
  const [call] = look(s, 1);
  assert.deepEqual(call?.call, { op: "exit", vtxos: ["a:0", "c:0"] });
  run();
  const told = notices.map((one) => (
    one.kind === "ark-exit-needed" ? `${one.lead} ${one.why}`
    : one.kind === "ark-exit-unfundable" ? `${one.count} ${one.feeSat}` : one.kind
  ));
  assert.deepEqual(told.toSorted(), ["5 1800", "b:0 unfundable", "e:0 too-small"]);
});

test("ark: shepherd: more exits under way than a question holds: none is begun beside them", () => {
  const { d, m, out, look } = start({ batchMax: 2 });
  const ids = ["a:0", "b:0", "c:0"];
  const s = sightOf([last("d:0"), ...ids.map((id) => last(id))],
    ids.map((id) => exit(id, "start")));
  const ask = shepherd.feeQuestion(m, d, s, mono(0));
  assert.deepEqual(ask, [{ op: "exit-fee", vtxos: ["a:0", "b:0"] }]);
  shepherd.feeHeard(m, d, s, { isFundable: false, feeSat: 900n }, out);
  assert.deepEqual(funds.next(m.funds), []);
  assert.deepEqual(look(s, 0), []);
});

test("ark: shepherd: what is in an open intent waits for its end", () => {
  const { d, out, look, run } = start();
  drive.open(d, "refresh", ["a:0"], "", 0, out);
  run();
  const calls = look(sightOf([last("a:0"), last("b:0")]), 0);
  assert.deepEqual(calls.map(({ call }) => call), [{ op: "exit", vtxos: ["b:0"] }]);
});

test("ark: shepherd: that an exit waits for a refresh is told once, and it begins after it", () => {
  const { d, out, look, run, m, notices } = start();
  const id = drive.open(d, "refresh", ["a:0"], "", 0, out);
  run();
  const s = sightOf([last("a:0")]);
  for (const ms of [0, 1, hour]) assert.deepEqual(look(s, ms), []);
  assert.equal(notices.length, 1);
  assert.ok(notices[0]?.kind === "ark-exit-needed" && notices[0].why === "refreshing");
  assert.ok(m.leaving.has("a:0"));
  assert.equal(shepherd.heldBy(d, "a:0"), "refreshing");
  drive.settle(d, id, "superseded", out);
  run();
  assert.equal(look(s, 2 * hour)[0]?.call.op, "exit");
});

test("ark: shepherd: a claim that hangs, or was turned away, holds up no exit", () => {
  for (const reply of [undefined, unavailable("auth", "", "")]) {
    const { look, answer } = start();
    const arrived = [exit("b:0", "claimable")];
    const [claim] = look(sightOf([], arrived), 0);
    assert.equal(claim?.call.op, "claim");
    if (reply !== undefined) answer(claim?.token ?? 0, reply, 1);
    const [call] = look(sightOf([last("a:0")], arrived, hour), hour);
    assert.deepEqual(call?.call, { op: "exit", vtxos: ["a:0"] });
  }
});

test("ark: shepherd: an exit whose outcome does not show in time is asked for again", () => {
  const { look, answer, book } = start();
  const [call] = look(sightOf([last("a:0")]), 0);
  answer(call?.token ?? 0, unavailable("timeout", "", ""), 10);
  assert.deepEqual(look(sightOf([last("a:0")], [], 120_009), 120_009), []);
  look(sightOf([last("a:0")], [], 120_010), 120_010);
  assert.equal(book.counts.superseded, 1);
  assert.equal(look(sightOf([last("a:0")], [], 900_000), 900_000).length, 1);
});

test("ark: shepherd: one that rejects a batch without naming any is tried in smaller ones", () => {
  const { look, answer, m } = start({ batchMax: 4 });
  const s = sightOf(["a:0", "b:0", "c:0", "d:0"].map((id) => last(id)));
  const sizes: number[] = [];
  let ms = 0;
  for (let i = 0; i < 4; i += 1) {
    const [call] = look(s, ms);
    assert.ok(call?.call.op === "exit");
    sizes.push(call.call.vtxos.length);
    answer(call.token, {
      ok: false, why: "rejected", fault: { code: "x", text: "x" }, ids: i === 3 ? ["b:0"] : [],
    }, ms);
    ms += 700_000;
  }
  assert.deepEqual(sizes, [4, 2, 1, 3]);
  assert.deepEqual([...m.rests.keys()], ["a:0", "b:0"]);
  assert.ok(shepherd.deadline(m) <= ms + hour);
});

test("ark: shepherd: claims what has arrived, there and nowhere else, and once", () => {
  const { look, answer, kinds, book } = start();
  const arrived = [exit("b:0", "claimable"), exit("a:0", "claimable"), exit("c:0", "processing")];
  const [call] = look(sightOf([], arrived), 0);
  assert.deepEqual(call?.call, { op: "claim", vtxos: ["a:0", "b:0"], destination: home });
  answer(call?.token ?? 0, unavailable("timeout", "", ""), 10);
  assert.deepEqual(look(sightOf([], arrived, 1_000_000), 1_000_000), []);
  const shown = [exit("a:0", "claim-in-progress"), exit("b:0", "claimed")];
  look(sightOf([], shown, 1_100_000), 1_100_000);
  assert.deepEqual(kinds(), ["ark-exit-claimed"]);
  assert.equal(book.counts.success, 1);
});

test("ark: shepherd: a claim that never shows is superseded and asked for again", () => {
  const { look, answer, book } = start();
  const arrived = [exit("a:0", "claimable")];
  const [call] = look(sightOf([], arrived), 0);
  answer(call?.token ?? 0, done({ op: "claim" }), 0);
  look(sightOf([], arrived, 1_799_999), 1_799_999);
  assert.equal(book.counts.superseded, 0);
  look(sightOf([], arrived, 1_800_000), 1_800_000);
  assert.equal(book.counts.superseded, 1);
});

test("ark: shepherd: a claim that is not listed, or whose blocks were undone, is none", () => {
  for (const later of [[], [exit("a:0", "awaiting-delta")], [exit("a:0", "processing")],
    [exit("a:0", "unknown")]]) {
    const { look, answer, book, kinds } = start();
    const [call] = look(sightOf([], [exit("a:0", "claimable")]), 0);
    look(sightOf([], later, 1), 1);
    assert.equal(book.open.size, 1);
    answer(call?.token ?? 0, done({ op: "claim" }), 10);
    look(sightOf([], later, 1_800_009), 1_800_009);
    assert.equal(book.open.size, 1);
    look(sightOf([], later, 1_800_010), 1_800_010);
    assert.equal(book.counts.superseded, 1);
    assert.deepEqual(kinds(), []);
  }
});

test("ark: shepherd: an exit that is not listed is none, though its VTXO is gone", () => {
  const { look, answer, book, kinds } = start();
  const [call] = look(sightOf([last("a:0")]), 0);
  answer(call?.token ?? 0, done({ op: "exit" }), 10);
  look(sightOf([], [], 120_009), 120_009);
  assert.equal(book.open.size, 1);
  look(sightOf([], [], 120_010), 120_010);
  assert.equal(book.counts.superseded, 1);
  assert.deepEqual(kinds(), []);
});

test("ark: shepherd: nothing is settled during a call, whatever shows meanwhile", () => {
  const { look, answer, book } = start();
  const [call] = look(sightOf([last("a:0")]), 0);
  const shown = sightOf([last("a:0")], [exit("a:0", "start")], hour);
  look(shown, hour);
  assert.equal(book.open.size, 1);
  answer(call?.token ?? 0, unavailable("timeout", "", ""), hour);
  look(shown, hour + 1);
  assert.equal(book.counts.success, 1);
});

test("ark: shepherd: what may not be claimed is told once, and why", () => {
  for (const [fields, why] of [
    [{ autoClaim: false }, "not-allowed"], [{ destination: "" }, "no-destination"],
  ] as const) {
    const { look, notices } = start(fields);
    const s = sightOf([], [exit("a:0", "claimable"), exit("b:0", "claimable")]);
    for (const ms of [0, 1]) assert.deepEqual(look(s, ms), []);
    assert.equal(notices.length, 1);
    assert.ok(notices[0]?.kind === "ark-exit-claimable" && notices[0].why === why);
    assert.equal(notices[0].count, 2);
  }
});

test("ark: shepherd: a rejected claim rests and is told", () => {
  const { look, answer, kinds } = start();
  const s = sightOf([], [exit("a:0", "claimable")]);
  const [call] = look(s, 0);
  answer(call?.token ?? 0, {
    ok: false, why: "rejected", fault: { code: "x", text: "x" }, ids: [],
  }, 1);
  assert.deepEqual(look(s, 700_000), []);
  assert.deepEqual(kinds(), ["ark-exit-claimable"]);
  assert.equal(look(s, hour + 1).length, 1);
});

test("ark: shepherd: an exit that stands still is told at its instant, once for each state", () => {
  const { look, m, kinds } = start();
  const s = sightOf([], [exit("a:0", "processing"), exit("b:0", "awaiting-delta")]);
  look(s, 0);
  assert.equal(shepherd.deadline(m), 6 * hour);
  look(s, 6 * hour - 1);
  assert.deepEqual(kinds(), []);
  look(s, 6 * hour);
  look(s, 99 * hour);
  assert.deepEqual(kinds(), ["ark-exit-stuck"]);
  look(sightOf([], []), 100 * hour);
  assert.equal(m.still.watched.size, 0);
});

test("ark: shepherd: between the record and the call it is looked at once more", () => {
  const { d, m, out, run } = start();
  shepherd.look(m, d, sightOf([last("a:0")]), true, mono(0), out);
  const now = sightOf([last("a:0")], [exit("a:0", "start")]);
  const { calls, settled } = run((intent) => shepherd.mayAsk(m, now, intent));
  assert.deepEqual(calls, []);
  assert.equal(settled[0]?.outcome, "superseded");
  const stale = { ...sightOf([last("a:0")]), isFresh: false };
  const intent = { id: 1, aim: "claim", vtxos: ["a:0"], destination: home, unixMs: 0,
    isSent: false, isConfirmed: false } as const;
  assert.ok(!shepherd.mayAsk(m, stale, intent));
  assert.ok(!shepherd.mayAsk(m, sightOf([], [exit("a:0", "claimed")]), intent));
});

test("ark: shepherd: what need not leave any more, or must not, is not sent away", () => {
  const s = sightOf([last("a:0")]);
  const off = sightOf([last("a:0")], [exit("a:0", "canceled")]);
  const cases: readonly (readonly [Sight, boolean])[] = [
    [s, true], [{ ...s, isProven: false }, false], [sightOf([coin("a:0", "failing")]), false],
    [sightOf([coin("a:0", "expired")]), false], [off, false], [sightOf([]), false],
    [sightOf([last("a:0", { amountSat: 9_999n })]), false],
  ];
  for (const [seen, isSent] of cases) {
    const { d, m, out, run, book } = start();
    shepherd.look(m, d, s, true, mono(0), out);
    assert.equal(book.open.size, 1);
    const { calls } = run((intent) => shepherd.mayAsk(m, seen, intent));
    assert.equal(calls.length, isSent ? 1 : 0);
    assert.equal(book.open.size, isSent ? 1 : 0);
  }
});

test("ark: shepherd: ranges of the configuration are asserted", () => {
  for (const wrong of [{ batchMax: 0 }, { destination: "two words" }, { exitMs: 0 }]) {
    assert.throws(() => start(wrong));
  }
});
