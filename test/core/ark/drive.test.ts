import assert from "node:assert/strict";
import { test } from "node:test";
import * as drive from "../../../core/ark/drive.ts";
import type { Effect } from "../../../core/ark/guardian-events.ts";
import * as intents from "../../../core/ark/intents.ts";
import { done, reasons, unavailable, type Answer } from "../../../core/ark/wallet.ts";
import * as prng from "../../../core/prng.ts";
import { mono, NEVER } from "../../../core/time.ts";

const yes = () => true;

function start(config = drive.defaults) {
  const book = intents.create(intents.defaults);
  const m = drive.create(config, book, prng.stream(prng.key("drive"), "test"));
  const out: Effect[] = [];
  const take = () => out.splice(0).filter(({ type }) => type !== "log");
  /** The last token of that kind. */
  const token = (type: "call" | "record"): number => {
    const found = take().findLast((effect) => effect.type === type);
    assert.ok(found !== undefined && "token" in found, `no ${type}`);
    return found.token;
  };
  return { m, book, out, take, token };
}

const refusal: Answer = {
  ok: false, why: "rejected", fault: { code: "no", text: "no" }, ids: ["a:0"],
};

test("ark: drive: a call is made when its intent is durable, and never before", () => {
  const { m, out, take, token } = start();
  drive.open(m, "refresh", ["a:0"], "", 5, out);
  drive.ask(m, yes, mono(0), out);
  const record = token("record");
  drive.ask(m, yes, mono(0), out);
  assert.deepEqual(take(), []);
  drive.durable(m, record);
  drive.durable(m, record);
  drive.ask(m, yes, mono(0), out);
  drive.ask(m, yes, mono(0), out);
  const calls = take();
  assert.equal(calls.length, 1);
  assert.ok(calls[0]?.type === "call" && calls[0].call.op === "refresh");
  assert.ok(drive.isBusy(m, "refresh") && !drive.isBusy(m, "exit"));
});

test("ark: drive: what may not be asked for any more is superseded without a call", () => {
  const { m, out, take, token } = start();
  drive.open(m, "exit", ["a:0"], "", 5, out);
  drive.durable(m, token("record"));
  drive.ask(m, () => false, mono(0), out);
  const [effect, ...others] = take();
  assert.ok(effect?.type === "record" && effect.body.includes("superseded"));
  assert.deepEqual(others, []);
  const settled = drive.durable(m, effect.token);
  assert.equal(settled?.outcome, "superseded");
  assert.ok(intents.isFree(m.book, ["a:0"]));
  assert.equal(m.held.size, 0);
});

function calling(aim: intents.Aim = "refresh", given = start()) {
  const { m, out, token } = given;
  drive.open(m, aim, ["a:0"], aim === "claim" ? "bcrt1qhome" : "", 5, out);
  drive.durable(m, token("record"));
  drive.ask(m, yes, mono(0), out);
  return { ...given, call: token("call") };
}

test("ark: drive: taken is written down; a rejection settles at once; both are told", () => {
  const taken = calling();
  const heard = drive.answered(taken.m, taken.call,
    done({ op: "refresh", roundId: 1, isConfirmed: false }), mono(9),
    taken.out);
  assert.equal(heard?.as, "taken");
  assert.ok(taken.book.open.get(1)?.isSent);
  assert.equal(drive.durable(taken.m, taken.token("record")), undefined);
  assert.deepEqual(taken.m.held.get(1)?.phase, { is: "watching", since: 9 });
  for (const answer of [refusal, { ok: false, why: "absent" }, { ok: false, why: "unsupported" }]) {
    const { m, call, out, token } = calling();
    const one = drive.answered(m, call, answer as Answer, mono(9), out);
    assert.equal(one?.as, "rejected");
    assert.equal(drive.durable(m, token("record"))?.outcome, "rejected");
  }
});

test("ark: drive: what was turned away at the door is asked for again, later each time", () => {
  const { m, out, call, token } = calling();
  let waits = 0;
  let [now, next] = [mono(0), call];
  for (let i = 0; i < 5; i += 1) {
    assert.equal(drive.answered(m, next, unavailable("auth", "x", "x"), now, out)?.as, "undone");
    const due = drive.deadline(m);
    assert.ok(due - now > waits >> 1 && due > now);
    waits = due - now;
    drive.tick(m, mono(due - 1), out);
    drive.ask(m, yes, mono(0), out);
    assert.ok(!drive.isBusy(m, "refresh"));
    drive.tick(m, due, out);
    drive.ask(m, yes, mono(0), out);
    now = due;
    next = token("call");
  }
  assert.equal(m.book.open.size, 1);
});

test("ark: drive: four reasons prove that nothing was done, and no other", () => {
  assert.deepEqual(reasons.filter(drive.isUndone), ["auth", "no-wallet", "busy", "unasked"]);
});

test("ark: drive: after any other failure nobody knows: it is watched and not asked again", () => {
  for (const reason of reasons) {
    if (drive.isUndone(reason)) continue;
    const { m, out, call, take } = calling();
    const heard = drive.answered(m, call, unavailable(reason, "x", "x"), mono(9), out);
    assert.equal(heard?.as, "unsure");
    assert.equal(drive.deadline(m), NEVER);
    drive.tick(m, mono(9_000_000), out);
    drive.ask(m, yes, mono(0), out);
    assert.deepEqual(take(), []);
    assert.ok(m.held.get(1)?.isAsked);
  }
});

test("ark: drive: an intent of an earlier run is watched, and never asked for", () => {
  const { m, book, out, take } = start();
  const intent = intents.draft(book, "exit", ["a:0"], "", 5);
  intents.replay(book, intents.encode({ type: "ark-intent", intent }));
  drive.restore(m, 0, mono(7));
  drive.tick(m, mono(9_000_000), out);
  drive.ask(m, yes, mono(0), out);
  assert.deepEqual(take(), []);
  const held = m.held.get(1);
  assert.ok(held !== undefined && drive.isSettleable(held) && held.isAsked);
});

test("ark: drive: what is refused opens nothing, and an end is written again", () => {
  const { m, out, take, token } = start();
  drive.open(m, "refresh", ["a:0"], "", 5, out);
  drive.refused(m, token("record"), mono(0));
  assert.ok(!drive.isWritable(m) && intents.isFree(m.book, ["a:0"]));
  assert.throws(() => drive.open(m, "refresh", ["a:0"], "", 5, out));
  drive.tick(m, drive.deadline(m), out);
  assert.ok(drive.isWritable(m));
  const id = drive.open(m, "refresh", ["a:0"], "", 5, out);
  assert.equal(id, 2);
  drive.durable(m, token("record"));
  drive.settle(m, id, "success", out);
  drive.refused(m, token("record"), mono(5_000));
  assert.ok(!drive.isSettleable(m.held.get(id) as drive.Held));
  assert.ok(!intents.isFree(m.book, ["a:0"]));
  drive.tick(m, drive.deadline(m), out);
  const [again] = take();
  assert.ok(again?.type === "record" && again.body.includes("success"));
  assert.equal(drive.durable(m, again.token)?.outcome, "success");
  drive.refused(m, 99, mono(0));
  assert.equal(drive.durable(m, 99), undefined);
});

test("ark: drive: one call in a lane; a late answer of what has ended changes nothing", () => {
  const given = calling("exit");
  const { m, out, take, call } = given;
  drive.open(m, "exit", ["b:0"], "", 5, out);
  drive.durable(m, given.token("record"));
  drive.ask(m, yes, mono(0), out);
  assert.deepEqual(take(), []);
  drive.settle(m, 1, "success", out);
  drive.durable(m, given.token("record"));
  drive.ask(m, yes, mono(0), out);
  assert.deepEqual(take(), []);
  assert.equal(drive.answered(m, call, done({ op: "exit" }), mono(9), out), undefined);
  drive.ask(m, yes, mono(0), out);
  const [next] = take();
  assert.ok(next?.type === "call" && next.call.op === "exit");
  assert.equal(drive.answered(m, 12_345, refusal, mono(9), out), undefined);
});

test("ark: drive: the height is written down, and its record is nobody's intent", () => {
  const { m, out, token, book } = start();
  drive.writeTip(m, { height: 900_000, unixMs: 77, isProven: true }, out);
  assert.equal(drive.durable(m, token("record")), undefined);
  assert.deepEqual(book.tip, { height: 900_000, unixMs: 77, isProven: true });
});

test("ark: drive: which wallet and server it is is written again where it was refused", () => {
  for (const of of ["wallet", "server"] as const) {
    const { m, out, token, book } = start();
    drive.writeKnown(m, of, "aa", out);
    assert.equal(book[of], "aa");
    drive.refused(m, token("record"), mono(0));
    assert.equal(book[of], undefined);
    drive.writeKnown(m, of, "aa", out);
    assert.equal(drive.durable(m, token("record")), undefined);
    assert.equal(book[of], "aa");
    drive.writeStrange(m, of, "bb", out);
    assert.equal(drive.durable(m, token("record")), undefined);
    assert.deepEqual([book[of], book.strange[of]], ["aa", "bb"]);
  }
});
