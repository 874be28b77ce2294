import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import { absent, unavailable, type Answer, type Payment } from "../../../core/chain/chain.ts";
import { apply, blank, rowOf, type Entry } from "../../../core/history/entry.ts";
import * as watch from "../../../core/maker/watch.ts";
import { mono } from "../../../core/time.ts";

const config = watch.defaults;
const min = 60_000;
const txid = "ab".repeat(32);
const base: Entry = { ...blank(1), destination: "bcrt1qdest", cjSat: 5_000n };

const withTxid = (): watch.Watch => watch.create(rowOf(1, { ...base, txid }));
const bare = (): watch.Watch => watch.create(rowOf(1, base));
const tx = (confirmations: number, values: readonly bigint[] = [5_000n, 5_000n, 1n]): Answer => ({
  ok: true, ask: "tx",
  tx: {
    confirmations,
    outputs: values.map((valueSat, vout) => ({ vout, valueSat, address: undefined })),
  },
});
const paid = (...payments: readonly Partial<Payment>[]): Answer => ({
  ok: true, ask: "address",
  payments: payments.map((one) => ({ txid, vout: 0, valueSat: 5_000n, confirmations: 0, ...one })),
});
const down = unavailable("timeout", "timeout", "no answer");
const judge = (w: watch.Watch, answer: Answer, now = 0) =>
  watch.judge(w, config, answer, 9_000, mono(now));

/** Asks every minute from `from` to `to`; the first change. */
function looks(w: watch.Watch, answer: Answer, from: number, to: number) {
  for (let at = from; at <= to; at += min) {
    const change = judge(w, answer, at);
    if (change !== undefined && change.type !== "aged") return { at, change };
  }
  return undefined;
}

test("maker: watch: a payment of the amount is found, dust is not", () => {
  assert.equal(judge(bare(), paid({ valueSat: 4_999n })), undefined);
  assert.equal(judge(bare(), paid({}))?.type, "txid");
  const best = (...list: readonly Partial<Payment>[]) => {
    const change = judge(bare(), paid(...list));
    return change?.type === "txid" ? change.txid.slice(0, 2) : undefined;
  };
  const [a, b] = ["aa".repeat(32), "bb".repeat(32)];
  assert.equal(best({ txid: b, valueSat: 9_000n, confirmations: 9 }, { txid: a }), "aa", "exact");
  assert.equal(best({ txid: b, confirmations: 2 }, { txid: a, confirmations: 1 }), "bb", "deepest");
  assert.equal(best({ txid: b }, { txid: a }), "aa", "the same whatever the order");
  const free = watch.create(rowOf(1, { ...base, cjSat: 0n }));
  assert.equal(judge(free, paid({ valueSat: 0n })), undefined);
});

test("maker: watch: found at its address is found: the age begins anew", () => {
  const w = bare();
  assert.equal(looks(w, absent(), 0, 50 * min)?.change.type, "warned");
  watch.apply(w, { type: "warned", of: 1, atUs: 1 });
  assert.equal(looks(w, absent(), 31 * min, 50 * min), undefined);
  const found = judge(w, paid({}), 51 * min);
  assert.ok(found?.type === "txid", "discovered");
  watch.apply(w, found);
  assert.equal(w.ageMs, 0);
  // Evicted before it was ever looked at: only absence from here on counts.
  const end = looks(w, absent(), 52 * min, 200 * min);
  assert.equal(end?.change.type, "given-up");
  assert.equal(end?.at, 52 * min + config.timeoutMs);
  const aged = apply({ ...rowOf(1, base), ageMs: 9 }, found);
  assert.equal(aged.ageMs, 0, "and so it is after a restart");
});

test("maker: watch: first the memory pool, once, then the block with its equal outputs", () => {
  const w = withTxid();
  assert.deepEqual(judge(w, tx(0)), { type: "seen", of: 1, atUs: 9_000 });
  watch.apply(w, { type: "seen", of: 1, atUs: 9_000 });
  assert.equal(judge(w, tx(0)), undefined);
  assert.deepEqual(judge(w, tx(1)), {
    type: "confirmed", of: 1, atUs: 9_000, confirmations: 1, peers: 2,
  });
  const none = judge(w, tx(1, []));
  assert.equal(none?.type === "confirmed" ? none.peers : 0, undefined);
});

test("maker: watch: confirmed is settled at its depth, and lost before it", () => {
  const w = withTxid();
  watch.apply(w, { type: "confirmed", of: 1, atUs: 1, confirmations: 1, peers: 2 });
  assert.equal(judge(w, tx(5)), undefined);
  assert.deepEqual(judge(w, tx(6)), { type: "settled", of: 1, confirmations: 6 });
  for (const gone of [tx(0), tx(-1), absent()]) {
    assert.deepEqual(judge(w, gone), { type: "lost", of: 1, atUs: 9_000 });
  }
  assert.equal(judge(w, down), undefined);
});

test("maker: watch: a warning at 30 min of absence, the end at 60, none before", () => {
  const w = withTxid();
  assert.equal(looks(w, absent(), 0, 29 * min), undefined);
  assert.equal(judge(w, absent(), 30 * min - 1)?.type, "aged");
  assert.deepEqual(judge(w, absent(), 30 * min), { type: "warned", of: 1, atUs: 9_000 });
  watch.apply(w, { type: "warned", of: 1, atUs: 9_000 });
  assert.equal(looks(w, absent(), 31 * min, 59 * min), undefined);
  assert.equal(judge(w, absent(), 60 * min - 1)?.type, "aged");
  const end = judge(w, absent(), 60 * min);
  assert.ok(end?.type === "given-up");
  assert.match(end.why, /no such transaction for 60 min/);
});

test("maker: watch: hazard 3: an outage is not an absence, however long it lasts", () => {
  const w = withTxid();
  assert.equal(looks(w, down, 0, 10_000 * min), undefined);
  assert.equal(w.ageMs, 0);
  judge(w, absent(), 10_001 * min);
  assert.equal(w.ageMs, 0, "the first absence begins the age");
  judge(w, absent(), 20_000 * min);
  assert.equal(w.ageMs, config.creditMaxMs, "what lies between two looks counts little");
});

test("maker: watch: hazard 4: conflicted and evicted transactions come to an end", () => {
  const deep = judge(withTxid(), tx(-6));
  assert.ok(deep?.type === "given-up");
  assert.match(deep.why, /another transaction has spent its coins/);
  for (const [answer, why] of [
    [tx(-5), /another transaction/], [absent(["cd".repeat(32)]), /another transaction/],
    [absent(), /dropped from the memory pool, and not back for 60 min/],
  ] as const) {
    const w = withTxid();
    watch.apply(w, { type: "seen", of: 1, atUs: 1 });
    const warned = looks(w, answer, 0, 60 * min);
    assert.equal(warned?.at, 30 * min);
    watch.apply(w, { type: "warned", of: 1, atUs: 1 });
    const end = looks(w, answer, 31 * min, 60 * min);
    assert.equal(end?.at, 60 * min);
    assert.match(end.change.type === "given-up" ? end.change.why : "", why);
  }
});

test("maker: watch: one that nobody sent is given up with that reason", () => {
  const w = bare();
  w.hasWarned = true;
  for (const answer of [paid(), absent(), paid({ valueSat: 1n })]) {
    const copy = { ...w };
    const end = looks(copy, answer, 0, 60 * min);
    assert.equal(end?.at, 60 * min);
    assert.match(end.change.type === "given-up" ? end.change.why : "", /nothing has paid/);
  }
});

test("maker: watch: being found ends an age, and a record says so", () => {
  const w = withTxid();
  watch.apply(w, { type: "seen", of: 1, atUs: 1 });
  for (let at = 0; at <= 20; at += 1) {
    const change = judge(w, absent(), at * min);
    if (change !== undefined) watch.apply(w, change);
  }
  assert.equal(w.recordedAgeMs, 20 * min);
  const young = judge(w, tx(0), 21 * min);
  assert.deepEqual(young, { type: "aged", of: 1, ageMs: 0 });
  watch.apply(w, young);
  judge(w, absent(), 22 * min);
  assert.equal(w.ageMs, 0);
});

test("maker: watch: what was given up comes back from the pool or a block, and only so", () => {
  const late = rowOf(1, { ...base, txid, completedUs: 5 });
  for (const [answer, type] of [
    [tx(0), "returned"], [tx(3), "returned"], [tx(-1), undefined], [absent(), undefined],
    [down, undefined],
  ] as const) {
    assert.equal(judge(watch.create(late), answer, 1_000 * min)?.type, type);
  }
});

test("maker: watch: an age never exceeds the time that passed, and repeats count once", () => {
  const answers = fc.constantFrom<Answer>(absent(), down, tx(0), tx(-1));
  const looksAt = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 * min }), answers), {
    maxLength: 40, size: "max",
  });
  fc.assert(fc.property(looksAt, (list) => {
    const w = withTxid();
    let now = 0;
    let ageMs = 0;
    for (const [gapMs, answer] of list) {
      now += gapMs;
      const change = judge(w, answer, now);
      assert.ok(w.ageMs <= now);
      assert.ok(w.ageMs - ageMs <= config.creditMaxMs);
      ageMs = w.ageMs;
      if (change !== undefined && change.type !== "given-up") watch.apply(w, change);
      if (change !== undefined && answer === down) assert.fail("no answer is no change");
    }
  }), { numRuns: 200 });
});

test("maker: watch: what is settled is not watched", () => {
  assert.throws(() => watch.create(rowOf(1, { ...base, isSuccess: true })), InvariantError);
});
