import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sight } from "../../../core/ark/guardian-events.ts";
import * as intents from "../../../core/ark/intents.ts";
import * as refresh from "../../../core/ark/refresh.ts";
import * as ties from "../../../core/ark/ties.ts";
import { mono, NEVER } from "../../../core/time.ts";
import { hour, idsOf, none, rejected, start, taken } from "../../support/ark-refresh.ts";
import { coin, exit, sightOf } from "../../support/ark-sight.ts";

/** Three are asked for together and given up; then the first of them has to leave. */
function broken() {
  const given = start();
  const coins = ["a:0", "b:0", "c:0"].map((id) => coin(id));
  const [call] = given.look(sightOf(coins), 0).calls;
  given.answer(call?.token ?? 0, taken, sightOf(coins), 10);
  const ms = refresh.defaults.patienceMs + 10;
  const leaving = new Set(["a:0"]);
  given.look(sightOf(coins, [], ms), ms, leaving);
  assert.equal(given.book.counts.superseded, 1);
  assert.ok(intents.isFree(given.book, ["a:0"]), "an exit does not wait for that round");
  const at = (late: number): Sight => sightOf(coins, [exit("a:0", "start")], late);
  return { ...given, coins, leaving, at };
}

test("ark: ties: the rest of a set that is broken waits until nothing holds it", () => {
  const { look, pending, at, m, d, coins } = broken();
  const [, b = coin("b:0")] = coins;
  assert.deepEqual(idsOf(look(at(9 * hour), 9 * hour)), []);
  assert.equal(refresh.blockOf(m, d, at(9 * hour), none, b), "earlier-refresh");
  assert.ok(pending(at(9 * hour), 9 * hour, ["b:0", "a:0", "c:0"]), "the wallet is asked");
  assert.deepEqual(idsOf(look(at(10 * hour), 10 * hour)), []);
  const gapMs = refresh.defaults.pendingMs;
  assert.ok(!pending(at(9 * hour), 9 * hour + gapMs - 1, []), "asked now and then only");
  assert.ok(pending(at(9 * hour), 9 * hour + gapMs, ["a:0"]), "asked again");
  assert.equal(refresh.blockOf(m, d, at(11 * hour), none, b), undefined);
  assert.deepEqual(idsOf(look(at(11 * hour), 11 * hour)), ["b:0", "c:0"]);
  assert.ok(!pending(at(12 * hour), 12 * hour, []), "nothing waits for an answer");
});

test("ark: ties: what has expired, was spent or was rejected breaks a set as well", () => {
  const late = 9 * hour;
  const coins = ["b:0", "c:0"].map((id) => coin(id));
  const old = coin("a:0", "expired", { expiryHeight: 1_002 });
  const over = { ...sightOf([old, ...coins], [], late), said: 1_002, counted: 1_002 };
  for (const s of [sightOf(coins, [], late), over]) {
    const { look, pending } = broken();
    assert.deepEqual(idsOf(look(s, late)), []);
    assert.ok(pending(s, late, []), "asked");
    assert.deepEqual(idsOf(look(s, late)), ["b:0", "c:0"]);
  }
  const { look, answer, pending, book } = broken();
  const whole = sightOf([coin("a:0"), ...coins], [], late);
  const [call] = look(whole, late).calls;
  answer(call?.token ?? 0, rejected(), whole, late);
  assert.equal(book.counts.rejected, 1);
  // No half of what may be held: not before the wallet has said so.
  assert.deepEqual(idsOf(look(whole, late + hour)), []);
  assert.ok(pending(whole, late + hour, []), "asked");
  assert.deepEqual(idsOf(look(whole, late + hour)), ["a:0", "b:0", "c:0"]);
});

test("ark: ties: a call that may still begin a refresh keeps the question back", () => {
  const given = start();
  const coins = ["a:0", "b:0"].map((id) => coin(id));
  const [call] = given.look(sightOf(coins), 0).calls;
  const ms = refresh.defaults.patienceMs + 1;
  given.look(sightOf(coins, [], ms), ms);
  assert.equal(given.book.counts.superseded, 1);
  const s = sightOf(coins, [exit("a:0", "start")], ms);
  assert.ok(!given.pending(s, ms, []), "its call is still out");
  assert.deepEqual(idsOf(given.look(s, ms)), []);
  given.answer(call?.token ?? 0, taken, s, ms);
  assert.ok(given.pending(s, ms, []), "and is back");
  for (const off of [{ ...s, isBarred: true }, { ...s, isStrange: true }]) {
    assert.ok(!broken().pending(off, ms, []), "no refresh is to come");
  }
});

test("ark: ties: follow from the journal, newest first, and are loosed by proof only", () => {
  const book = intents.create(intents.defaults);
  const give = (vtxos: readonly string[], outcome: intents.Outcome): void => {
    const intent = intents.draft(book, "refresh", vtxos, "", 0);
    intents.take(book, { type: "ark-intent", intent });
    intents.take(book, { type: "ark-intent-settled", id: intent.id, outcome });
  };
  const m = ties.create(1);
  const ids = (): readonly string[] => [...ties.all(m, book)].map(([id, tie]) => (
    `${id} ${tie.id}${tie.isRefused ? " refused" : ""}`
  ));
  give(["a:0", "b:0", "c:0"], "superseded");
  give(["d:0"], "rejected");
  give(["b:0"], "rejected");
  give(["c:0"], "success");
  assert.deepEqual(ids(), ["a:0 1", "b:0 1 refused"]);
  ties.asks(m, ties.all(m, book), mono(5));
  // What comes after the question is not answered by it.
  give(["b:0"], "superseded");
  ties.heard(m, ["x:0"]);
  assert.deepEqual(ids(), ["b:0 5"]);
  ties.heard(m, []);
  assert.deepEqual(ids(), ["b:0 5"]);
  assert.ok(!ties.mayAsk(m, mono(5)) && ties.mayAsk(m, mono(6)), "once in a while");
  ties.forget(m, (id) => id === "b:0");
  assert.deepEqual([...m.loosed], [["b:0", 1]]);
  assert.equal(ties.create(1).askedAt, NEVER);
  assert.throws(() => ties.create(0));
});
