import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../core/assert.ts";
import type { Rate } from "../../core/directory/config.ts";
import * as limiter from "../../core/limiter.ts";
import { NEVER } from "../../core/time.ts";
import { effectsOf, laws, scripts, type Subject } from "../support/laws.ts";

type Call =
  | { readonly type: "take" | "forget"; readonly key: number }
  | { readonly type: "sweep" | "tick" };
type Took = { readonly key: number; readonly ok: boolean };

const runs = { numRuns: 150 };
const rates: fc.Arbitrary<Rate> = fc.record({
  tokens: fc.integer({ min: 1, max: 7 }),
  perMs: fc.integer({ min: 1, max: 40 }),
  burst: fc.integer({ min: 1, max: 5 }),
});

function call(l: limiter.Limiter, event: Call, now: number, out: Took[]): void {
  switch (event.type) {
    case "take": out.push({ key: event.key, ok: limiter.take(l, event.key, now) }); break;
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

test("limiter: the four laws hold", () => {
  const event: fc.Arbitrary<Call> = fc.oneof(
    { weight: 8, arbitrary: fc.record({ type: fc.constant("take" as const), key }) },
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
    { weight: 9, arbitrary: fc.record({ type: fc.constant("take" as const), key }) },
    { weight: 1, arbitrary: fc.constant<Call>({ type: "sweep" }) },
  );
  fc.assert(fc.property(rates, scripts(event, 30, 60), (rate, script) => {
    const run = laws(subject(rate, 0), script);
    const taken = effectsOf(run).filter(({ effect }) => effect.ok && effect.key === 0);
    taken.forEach((first, i) => taken.slice(i).forEach((last, more) => {
      const added = Math.floor(((last.at - first.at) * rate.tokens) / rate.perMs);
      assert.ok(more + 1 <= rate.burst + added);
    }));
  }), runs);
});

test("limiter: nothing is refused that an exact count of tokens would grant", () => {
  fc.assert(fc.property(rates, fc.array(fc.integer({ min: 0, max: 30 })), (rate, gaps) => {
    const l = limiter.create(rate);
    let [now, scaled] = [0, rate.burst * rate.perMs];
    for (const gap of gaps) {
      now += gap;
      scaled = Math.min(scaled + gap * rate.tokens, rate.burst * rate.perMs);
      const ok = scaled >= rate.perMs;
      assert.equal(limiter.take(l, 7, now), ok);
      if (ok) scaled -= rate.perMs;
    }
  }), runs);
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
  const { burstMax, perMsMax, tokensMax } = limiter;
  const l = limiter.create({ tokens: 1, perMs: perMsMax, burst: burstMax });
  const year = 31_536_000_000;
  assert.ok(limiter.take(l, 1, year));
  limiter.setRate(l, { tokens: tokensMax, perMs: perMsMax - 1, burst: burstMax }, year);
  for (const tat of l.tats.values()) assert.ok(Number.isSafeInteger(tat));
  assert.ok(limiter.take(l, 1, 2 * year));
  assert.throws(() => limiter.take(l, 1, 4 * year), InvariantError);
  assert.throws(() => limiter.take(l, 1, -1), InvariantError);
});

test("limiter: a rate out of range is refused", () => {
  const good = { tokens: 1, perMs: 1, burst: 1 };
  const { burstMax, perMsMax, tokensMax } = limiter;
  for (const part of ["tokens", "perMs", "burst"]) {
    for (const value of [0, -1, 1.5, NaN, 2 ** 53]) {
      assert.throws(() => limiter.create({ ...good, [part]: value }), InvariantError);
    }
  }
  assert.throws(() => limiter.create({ ...good, tokens: tokensMax + 1 }), InvariantError);
  assert.throws(() => limiter.create({ ...good, perMs: perMsMax + 1 }), InvariantError);
  assert.throws(() => limiter.create({ ...good, burst: burstMax + 1 }), InvariantError);
  assert.deepEqual(limiter.create({ tokens: 200_000, perMs: 1_000, burst: 1 }).rate, {
    tokens: 200, perMs: 1, burst: 1,
  });
});
