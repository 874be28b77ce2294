import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../core/assert.ts";
import type { Rate } from "../../core/directory/config.ts";
import * as limiter from "../../core/limiter.ts";
import { NEVER } from "../../core/time.ts";
import { effectsOf, laws, scripts, type Subject } from "../support/laws.ts";

type Call =
  | { readonly type: "take"; readonly key: number; readonly cost: number }
  | { readonly type: "forget"; readonly key: number }
  | { readonly type: "sweep" | "tick" };
type Took = { readonly key: number; readonly cost: number; readonly ok: boolean };

const runs = { numRuns: 150 };
const rates: fc.Arbitrary<Rate> = fc.record({
  tokens: fc.integer({ min: 1, max: 7 }),
  perMs: fc.integer({ min: 1, max: 40 }),
  burst: fc.integer({ min: 1, max: 5 }),
});

function call(l: limiter.Limiter, event: Call, now: number, out: Took[]): void {
  switch (event.type) {
    case "take": {
      const { cost } = event;
      out.push({ key: event.key, cost, ok: limiter.take(l, event.key, now, cost) });
      break;
    }
    case "forget": limiter.forget(l, event.key); break;
    case "sweep": limiter.sweep(l, now); break;
    case "tick": break;
  }
}

function subject(rate: Rate, startAt: number): Subject<limiter.Limiter, Call, Took> {
  return {
    create: () => limiter.create(rate),
    step: call,
    deadline: () => NEVER,
    tick: { type: "tick" },
    settleMs: rate.perMs * rate.burst,
    startAt,
    // However it was used, a bucket that was left alone for so long has its burst again.
    lives: ({ state, now }) => {
      for (const key of [0, 1]) {
        for (let i = 0; i < rate.burst; i += 1) assert.ok(limiter.take(state, key, now));
      }
    },
  };
}

const key = fc.integer({ min: 0, max: 1 });
const cost = fc.integer({ min: 1, max: 6 });

test("limiter: the four laws hold", () => {
  const event: fc.Arbitrary<Call> = fc.oneof(
    { weight: 8, arbitrary: fc.record({ type: fc.constant("take" as const), key, cost }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("forget" as const), key }) },
    { weight: 1, arbitrary: fc.constant<Call>({ type: "sweep" }) },
  );
  const startAt = fc.constantFrom(0, 31_536_000_000);
  fc.assert(fc.property(rates, startAt, scripts(event, 60), (rate, at, script) => {
    laws(subject(rate, at), script);
  }), runs);
});

test("limiter: no window has more than the burst and what time adds", () => {
  const event: fc.Arbitrary<Call> = fc.oneof(
    { weight: 9, arbitrary: fc.record({ type: fc.constant("take" as const), key, cost }) },
    { weight: 1, arbitrary: fc.constant<Call>({ type: "sweep" }) },
  );
  fc.assert(fc.property(rates, scripts(event, 30, 60), (rate, script) => {
    const run = laws(subject(rate, 0), script);
    const taken = effectsOf(run).filter(({ effect }) => effect.ok && effect.key === 0);
    taken.forEach((first, i) => {
      let sum = 0;
      for (const last of taken.slice(i)) {
        sum += last.effect.cost;
        const added = Math.floor(((last.at - first.at) * rate.tokens) / rate.perMs);
        assert.ok(sum <= rate.burst + added);
      }
    });
  }), runs);
});

test("limiter: nothing is refused that an exact count of tokens would grant", () => {
  const takes = fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), cost));
  fc.assert(fc.property(rates, takes, (rate, script) => {
    const l = limiter.create(rate);
    let [now, scaled] = [0, rate.burst * rate.perMs];
    for (const [gap, tokens] of script) {
      now += gap;
      scaled = Math.min(scaled + gap * rate.tokens, rate.burst * rate.perMs);
      const ok = scaled >= tokens * rate.perMs;
      assert.equal(limiter.take(l, 7, now, tokens), ok);
      if (ok) scaled -= tokens * rate.perMs;
    }
  }), runs);
});

test("limiter: a cost fits to the token: the whole burst does, one more never", () => {
  const l = limiter.create({ tokens: 20, perMs: 1, burst: 1_000 });
  assert.ok(!limiter.take(l, 1, 5, 1_001));
  assert.ok(!limiter.take(l, 1, 5, Number.MAX_SAFE_INTEGER));
  assert.equal(l.tats.size, 0, "what is refused is not stored");
  assert.ok(limiter.take(l, 1, 5, 1_000));
  assert.ok(!limiter.take(l, 1, 5));
  assert.ok(!limiter.take(l, 1, 9, 81));
  assert.ok(limiter.take(l, 1, 9, 80));
  assert.ok(!limiter.take(l, 1, 58, 981));
  assert.ok(!limiter.take(l, 1, 1_000_000, 1_001));
  for (const bad of [0, -1, 0.5, NaN]) {
    assert.throws(() => limiter.take(l, 1, 60, bad), InvariantError);
  }
});

test("limiter: a refund is as if nothing had been taken", () => {
  fc.assert(fc.property(rates, fc.array(fc.tuple(fc.nat(30), cost)), cost, (rate, script, back) => {
    const [l, same] = [limiter.create(rate), limiter.create(rate)];
    let now = 0;
    for (const [gap, tokens] of script) {
      now += gap;
      if (limiter.take(l, 7, now, back)) limiter.refund(l, 7, now, back);
      assert.equal(limiter.take(l, 7, now, tokens), limiter.take(same, 7, now, tokens));
    }
    limiter.sweep(same, now);
    limiter.sweep(l, now);
    assert.deepEqual(l.tats, same.tats);
  }), runs);
  const l = limiter.create({ tokens: 1, perMs: 10, burst: 3 });
  assert.throws(() => limiter.refund(l, 1, 0), InvariantError);
  limiter.take(l, 1, 0);
  assert.throws(() => limiter.refund(l, 1, 0, 2), InvariantError);
  limiter.refund(l, 1, 0);
  assert.equal(l.tats.size, 0, "a full bucket has no entry");
});

test("limiter: a token is back at its very millisecond and not before", () => {
  const l = limiter.create({ tokens: 3, perMs: 100, burst: 1 });
  assert.ok(limiter.take(l, 1, 0));
  assert.ok(!limiter.take(l, 1, 33));
  assert.ok(limiter.take(l, 1, 34));
  assert.ok(!limiter.take(l, 1, 67));
  assert.ok(limiter.take(l, 1, 68));
});

test("limiter: thirds of a second do not drift in a year", () => {
  const l = limiter.create({ tokens: 3, perMs: 1_000, burst: 1 });
  const start = 31_536_000_000;
  let taken = 0;
  for (let ms = 0; ms < 10_000; ms += 1) if (limiter.take(l, 1, start + ms)) taken += 1;
  // Each take waits for the next whole millisecond: 334 ms instead of 333 1/3.
  assert.equal(taken, Math.ceil(10_000 / 334));
});

test("limiter: a new key starts with its burst, a forgotten one too", () => {
  const l = limiter.create({ tokens: 1, perMs: 1_000, burst: 3 });
  for (const again of [1, 2]) {
    for (let i = 0; i < 3; i += 1) assert.ok(limiter.take(l, again, 5));
    assert.ok(!limiter.take(l, again, 5));
  }
  limiter.forget(l, 1);
  assert.ok(limiter.take(l, 1, 5));
  assert.ok(!limiter.take(l, 2, 5));
});

test("limiter: sweep drops full buckets at the millisecond they are full", () => {
  const l = limiter.create({ tokens: 1, perMs: 1_000, burst: 3 });
  limiter.take(l, 1, 0);
  limiter.take(l, 2, 0);
  limiter.take(l, 2, 0);
  limiter.sweep(l, 999);
  assert.deepEqual([...l.tats.keys()], [1, 2]);
  limiter.sweep(l, 1_000);
  assert.deepEqual([...l.tats.keys()], [2]);
  limiter.sweep(l, 2_000);
  assert.equal(l.tats.size, 0);
});

test("limiter: another rate hands out no fresh burst and takes no more than its own", () => {
  const l = limiter.create({ tokens: 1, perMs: 1_000, burst: 10 });
  for (let i = 0; i < 10; i += 1) assert.ok(limiter.take(l, 1, 0));
  assert.ok(limiter.take(l, 2, 0));
  limiter.setRate(l, { tokens: 1, perMs: 10, burst: 4 }, 500);
  assert.ok(!limiter.take(l, 1, 509));
  assert.ok(limiter.take(l, 1, 510), "what was owed beyond the new burst is gone");
  // Key 2 owed half a token: 5 ms of the new rate.
  assert.ok(limiter.take(l, 2, 500));
  assert.ok(limiter.take(l, 2, 500));
  assert.ok(limiter.take(l, 2, 500));
  assert.ok(!limiter.take(l, 2, 504));
  assert.ok(limiter.take(l, 2, 505));
});

test("limiter: another rate at any time keeps the new bound from there on", () => {
  const takes = fc.integer({ min: 0, max: 8 });
  fc.assert(fc.property(rates, rates, takes, fc.nat(50), (before, next, count, at) => {
    const l = limiter.create(before);
    for (let i = 0; i < count; i += 1) limiter.take(l, 1, 0);
    limiter.setRate(l, next, at);
    let taken = 0;
    while (taken <= next.burst && limiter.take(l, 1, at)) taken += 1;
    assert.ok(taken <= next.burst);
    const spent = Math.max(0, Math.min(count, before.burst) - (at * before.tokens) / before.perMs);
    assert.equal(taken, Math.max(0, Math.floor(next.burst - spent + 1e-9)));
  }), runs);
});

test("limiter: the largest values stay exact integers", () => {
  const { spentMax, perMsMax, tokensMax } = limiter;
  const burst = spentMax / perMsMax;
  const l = limiter.create({ tokens: 1, perMs: perMsMax, burst });
  const year = 31_536_000_000;
  assert.ok(limiter.take(l, 1, year));
  limiter.setRate(l, { tokens: tokensMax, perMs: perMsMax - 1, burst }, year);
  for (const tat of l.tats.values()) assert.ok(Number.isSafeInteger(tat));
  assert.ok(limiter.take(l, 1, 2 * year));
  assert.throws(() => limiter.take(l, 1, 4 * year), InvariantError);
  assert.throws(() => limiter.take(l, 1, -1), InvariantError);
});

test("limiter: huge bursts keep their spent tokens exactly through any other rate", () => {
  const huge = { tokens: 1, perMs: 1, burst: limiter.spentMax };
  const slow = { tokens: 1, perMs: 86_399_999, burst: 1_000_000 };
  const l = limiter.create(huge);
  assert.ok(limiter.take(l, 1, 7, limiter.spentMax));
  assert.ok(limiter.take(l, 2, 7, 999_999));
  limiter.setRate(l, slow, 7);
  assert.ok(!limiter.take(l, 1, 7), "what was spent beyond the burst is the burst");
  assert.ok(!limiter.take(l, 2, 7, 2));
  assert.ok(limiter.take(l, 2, 7));
  assert.ok(limiter.take(l, 1, 7 + 86_399_999));
  const hundredMillion = limiter.create({ tokens: 1_000, perMs: 7, burst: 100_000_000 });
  assert.ok(limiter.take(hundredMillion, 1, 0, 100_000_000));
  assert.ok(!limiter.take(hundredMillion, 1, 6, 858));
  assert.ok(limiter.take(hundredMillion, 1, 6, 857));
});

test("limiter: a rate out of range is refused", () => {
  const good = { tokens: 1, perMs: 1, burst: 1 };
  const { spentMax, perMsMax, tokensMax } = limiter;
  const burstMax = spentMax / perMsMax;
  assert.ok(burstMax >= 1_000_000);
  for (const part of ["tokens", "perMs", "burst"]) {
    for (const value of [0, -1, 1.5, NaN, 2 ** 53]) {
      assert.throws(() => limiter.create({ ...good, [part]: value }), InvariantError);
      assert.equal(limiter.accepts({ ...good, [part]: value }), false);
    }
  }
  assert.ok(limiter.accepts({ tokens: 1, perMs: 864_000, burst: 100_000_000 }));
  assert.ok(limiter.accepts({ tokens: tokensMax, perMs: 1, burst: spentMax }));
  assert.ok(!limiter.accepts({ tokens: 1, perMs: perMsMax, burst: burstMax + 1 }));
  assert.throws(() => limiter.create({ ...good, tokens: tokensMax + 1 }), InvariantError);
  assert.throws(() => limiter.create({ ...good, perMs: perMsMax + 1 }), InvariantError);
  assert.throws(() => limiter.create({ ...good, burst: spentMax + 1 }), InvariantError);
  assert.deepEqual(limiter.create({ tokens: 200_000, perMs: 1_000, burst: 1 }).rate, {
    tokens: 200, perMs: 1, burst: 1,
  });
});
