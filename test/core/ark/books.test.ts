import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as books from "../../../core/ark/books.ts";
import { done, unavailable, type Answer, type Balance } from "../../../core/ark/wallet.ts";
import * as prng from "../../../core/prng.ts";
import { mono, NEVER } from "../../../core/time.ts";
import { laws, scripts, type Subject } from "../../support/laws.ts";

const { defaults } = books;
const balance: Balance = {
  spendableSat: 7n, inRoundSat: 0n, lightningSendSat: 0n, lightningReceiveSat: 0n, boardSat: 0n,
  exitSat: undefined,
};
const named = (fingerprint?: string): Answer => done({ op: "identity", fingerprint });

function fresh(): books.Books {
  const m = books.create(defaults, prng.stream(prng.key("books")));
  books.step(m, { type: "started" }, mono(0), []);
  return m;
}

function step(m: books.Books, event: books.Event, ms: number): books.Effect[] {
  const out: books.Effect[] = [];
  books.step(m, event, mono(ms), out);
  return out;
}

test("books: which wallet it is, then its balance, and then a rest", () => {
  const m = fresh();
  const at = books.deadline(m);
  assert.ok(at <= defaults.soonMs);
  assert.deepEqual(step(m, { type: "tick" }, at), [
    { type: "call", token: 1, call: { op: "identity" }, waitMs: defaults.waitMs },
  ]);
  assert.deepEqual(step(m, { type: "answered", token: 1, answer: named("aa") }, at), [
    { type: "call", token: 2, call: { op: "balance" }, waitMs: defaults.waitMs },
  ]);
  const answer = done({ op: "balance", balance });
  assert.deepEqual(step(m, { type: "answered", token: 2, answer }, at + 5), []);
  assert.deepEqual([m.fingerprint, m.balance, m.balanceAt], ["aa", balance, at + 5]);
  const restMs = books.deadline(m) - (at + 5);
  assert.ok(restMs > defaults.everyMs / 2 && restMs <= defaults.everyMs * 1.5);
});

test("books: what gives no answer is left as it was, and no second question follows", () => {
  const m = fresh();
  step(m, { type: "tick" }, books.deadline(m));
  const answer = unavailable("timeout", "x", "x");
  assert.deepEqual(step(m, { type: "answered", token: 1, answer }, 60_000), []);
  assert.equal(m.fingerprint, undefined);
  assert.ok(books.deadline(m) > 60_000);
});

test("books: the wallet that answered last is shown, and its absence changes nothing", () => {
  const m = fresh();
  const tell = (fingerprint?: string): string | undefined => {
    const at = books.deadline(m);
    step(m, { type: "tick" }, at);
    step(m, { type: "answered", token: m.tokens, answer: named(fingerprint) }, at);
    step(m, { type: "answered", token: m.tokens, answer: done({ op: "balance", balance }) }, at);
    return m.fingerprint;
  };
  assert.deepEqual([tell("aa"), tell(), tell("bb")], ["aa", "aa", "bb"]);
});

test("books: a program that is back, or news, is worth a question; an open one is enough", () => {
  const m = fresh();
  const at = books.deadline(m);
  step(m, { type: "tick" }, at);
  assert.deepEqual(step(m, { type: "nudged" }, at), []);
  assert.equal(books.deadline(m), NEVER, "it is being asked");
  step(m, { type: "answered", token: 1, answer: unavailable("timeout", "x", "x") }, at);
  assert.ok(books.deadline(m) > at + defaults.soonMs);
  step(m, { type: "nudged" }, at);
  const soonAt = books.deadline(m);
  assert.ok(soonAt > at && soonAt <= at + defaults.soonMs);
  step(m, { type: "stopped" }, soonAt);
  step(m, { type: "nudged" }, soonAt);
  assert.equal(books.deadline(m), NEVER);
});

test("books: after the stop nothing is asked, and late answers are nobody's", () => {
  const m = fresh();
  step(m, { type: "tick" }, books.deadline(m));
  step(m, { type: "stopped" }, 60_000);
  step(m, { type: "answered", token: 1, answer: named("aa") }, 60_001);
  assert.equal(m.fingerprint, undefined);
  assert.equal(books.deadline(m), NEVER);
});

test("books: laws: one question at a time, again and again", () => {
  const event: fc.Arbitrary<books.Event> = fc.oneof(
    fc.record({
      type: fc.constant("answered" as const), token: fc.integer({ min: 1, max: 8 }),
      answer: fc.constantFrom(
        named("aa"), named("bb"), done({ op: "balance", balance }), unavailable("auth", "x", "x"),
      ),
    }),
    fc.constant({ type: "started" as const }), fc.constant({ type: "nudged" as const }),
  );
  const subject: Subject<books.Books, books.Event, books.Effect> = {
    create: () => books.create(defaults, prng.stream(prng.key("laws"))), step: books.step,
    deadline: books.deadline, tick: { type: "tick" }, settleMs: 200_000,
    lives: ({ steps, state }) => {
      const calls = steps.flatMap(({ effects }) => effects.filter(({ type }) => type === "call"));
      assert.equal(calls.length, state.tokens);
      if (state.isRunning) assert.ok(calls.length > 0);
    },
  };
  fc.assert(fc.property(scripts(event, 40_000), (script) => void laws(subject, script)),
    { numRuns: 50 });
});
