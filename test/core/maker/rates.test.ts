import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import * as rates from "../../../core/maker/rates.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { laws, scripts, type Subject } from "../../support/laws.ts";

const small: rates.Config = {
  intervalMs: 10, warnAt: 2, warnFactor: 3, severeAt: 4, severeFactor: 5, banAt: 6, banMs: 100,
  decayMs: 40, keysMax: 4,
};

/** Asks and, if that is allowed, is answered. */
function ask(r: rates.Rates<string>, key: string, at: number): rates.Verdict {
  const verdict = rates.judge(r, key, mono(at));
  if (verdict === "ok") rates.answered(r, key, key, mono(at));
  return verdict;
}

/** So many violations in one millisecond, after an answer in the same. */
function offend(r: rates.Rates<string>, key: string, at: number, times: number) {
  ask(r, key, at);
  for (let n = 0; n < times; n += 1) assert.notEqual(ask(r, key, at), "ok");
}

const of = (r: rates.Rates<string>, key: string, at: number) =>
  rates.violationsOf(r, key, mono(at));

test("maker: rates: the defaults are the numbers of joinmarket-ng", () => {
  assert.deepEqual(
    [rates.orderbook.intervalMs, rates.orderbook.warnAt, rates.orderbook.warnFactor,
      rates.orderbook.severeAt, rates.orderbook.severeFactor, rates.orderbook.banAt,
      rates.orderbook.banMs],
    [10_000, 10, 6, 50, 30, 100, 3_600_000]);
  assert.deepEqual([rates.direct.intervalMs, rates.direct.banAt, rates.direct.banMs],
    [30_000, 10, 3_600_000]);
});

test("maker: rates: the first request is allowed, also right after a start", () => {
  const r = rates.create<string>(rates.orderbook);
  assert.equal(ask(r, "a", 0), "ok");
  assert.equal(ask(r, "b", 1), "ok");
});

test("maker: rates: the interval runs from the last answer to its last millisecond", () => {
  const r = rates.create<string>(rates.orderbook);
  ask(r, "a", 0);
  assert.equal(ask(r, "a", 9_999), "early");
  assert.equal(ask(r, "a", 10_000), "ok");
  assert.equal(ask(r, "a", 19_999), "early");
  assert.equal(ask(r, "b", 10_001), "ok", "others are others");
});

test("maker: rates: ten violations make the interval six times as long, fifty thirty times", () => {
  for (const [violations, intervalMs] of [[9, 10_000], [10, 60_000], [49, 60_000], [50, 300_000]]) {
    const config = { ...rates.orderbook, decayMs: 3_600_000 };
    const early = rates.create<string>(config);
    offend(early, "a", 0, violations as number);
    assert.equal(ask(early, "a", (intervalMs as number) - 1), "early");
    const punctual = rates.create<string>(config);
    offend(punctual, "a", 0, violations as number);
    assert.equal(ask(punctual, "a", intervalMs as number), "ok");
  }
});

test("maker: rates: the hundredth violation bans for an hour to the millisecond", () => {
  const r = rates.create<string>(rates.orderbook);
  offend(r, "a", 0, 99);
  assert.equal(ask(r, "a", 5), "ban");
  assert.equal(of(r, "a", 5), 100);
  assert.equal(ask(r, "a", 6), "banned");
  assert.equal(of(r, "a", 6), 101);
  assert.equal(ask(r, "a", 3_600_004), "banned");
  assert.equal(of(r, "a", 3_600_005), 0);
  assert.equal(ask(r, "a", 3_600_005), "ok", "forgiven, as if never answered");
  assert.equal(ask(r, "a", 3_600_006), "early");
  assert.equal(of(r, "a", 3_600_006), 1);
});

test("maker: rates: each decay without a violation forgives one, and the interval shrinks", () => {
  const r = rates.create<string>(small);
  offend(r, "a", 0, 4);
  assert.equal(of(r, "a", 39), 4);
  assert.equal(of(r, "a", 40), 3);
  assert.equal(ask(r, "a", 49), "ok", "three times ten have passed, five times ten have not");
  assert.equal(of(r, "a", 79), 3, "an answer is no violation: the clock goes on");
  assert.equal(of(r, "a", 80), 2);
  assert.equal(of(r, "a", 160), 0);
  assert.equal(of(r, "a", 9_999), 0);
});

test("maker: rates: a violation starts the wait for forgiveness anew", () => {
  const r = rates.create<string>(small);
  offend(r, "a", 0, 1);
  ask(r, "a", 35);
  assert.equal(ask(r, "a", 39), "early");
  assert.equal(of(r, "a", 78), 2);
  assert.equal(of(r, "a", 79), 1);
});

test("maker: rates: nothing is forgiven during a ban", () => {
  const r = rates.create<string>(small);
  offend(r, "a", 0, 6);
  assert.equal(of(r, "a", 99), 6);
  assert.equal(of(r, "a", 100), 0);
});

test("maker: rates: an ok that the caller does not use costs nothing", () => {
  const r = rates.create<string>(small);
  assert.equal(rates.judge(r, "a", mono(0)), "ok");
  assert.equal(rates.judge(r, "a", mono(0)), "ok");
  assert.equal(r.entries.size, 0);
});

test("maker: rates: as many keys as the limit, then the one that says least goes", () => {
  const r = rates.create<string>({ ...small, decayMs: 10_000 });
  offend(r, "bad", 0, 3);
  offend(r, "worse", 1, 4);
  ask(r, "old", 2);
  ask(r, "new", 3);
  assert.equal(r.entries.size, 4);
  ask(r, "next", 4);
  assert.deepEqual([...r.entries.keys()], ["bad", "worse", "new", "next"]);
  for (let n = 0; n < 50; n += 1) ask(r, `fresh ${n}`, 5);
  assert.deepEqual([...r.entries.keys()].slice(0, 2), ["bad", "worse"]);
  assert.equal(r.entries.size, 4);
});

test("maker: rates: fresh keys cannot push out a ban, unless there are only bans", () => {
  const r = rates.create<string>(small);
  offend(r, "b0", 5, 6);
  for (const [i, key] of ["b1", "b2", "b3"].entries()) offend(r, key, i, 6);
  assert.equal(ask(r, "fresh", 6), "ok");
  assert.deepEqual([...r.entries.keys()], ["b0", "b2", "b3", "fresh"], "the oldest ban went");
  assert.equal(ask(r, "fresher", 7), "ok");
  assert.deepEqual([...r.entries.keys()], ["b0", "b2", "b3", "fresher"]);
});

test("maker: rates: a ban outlives entries with more violations", () => {
  const r = rates.create<string>({ ...small, keysMax: 2 });
  ask(r, "banned", 0);
  offend(r, "owes", 0, 5);
  const early = { ...small, keysMax: 2, warnAt: 1, severeAt: 2, banAt: 2 };
  rates.reload(r, early, mono(1));
  assert.deepEqual([ask(r, "banned", 1), ask(r, "banned", 1)], ["early", "ban"]);
  ask(r, "fresh", 2);
  assert.deepEqual([...r.entries.keys()], ["banned", "fresh"]);
});

test("maker: rates: a ban shorter than the interval ends it too", () => {
  const r = rates.create<string>({ ...small, banMs: 5 });
  offend(r, "a", 0, 6);
  assert.equal(ask(r, "a", 4), "banned");
  assert.equal(ask(r, "a", 5), "ok");
});

test("maker: rates: room is made first from what changes no answer", () => {
  const r = rates.create<string>(small);
  for (const key of ["a", "b", "c", "d"]) ask(r, key, 0);
  ask(r, "e", 10);
  assert.deepEqual([...r.entries.keys()], ["e"]);
});

test("maker: rates: a sweep keeps whoever still waits, owes or is banned", () => {
  const r = rates.create<string>(small);
  offend(r, "banned", 0, 6);
  offend(r, "owes", 0, 2);
  ask(r, "done", 0);
  ask(r, "waits", 1);
  rates.sweep(r, mono(10));
  assert.deepEqual([...r.entries.keys()], ["banned", "owes", "waits"]);
  rates.sweep(r, mono(80));
  assert.deepEqual([...r.entries.keys()], ["banned"]);
  rates.sweep(r, mono(99));
  assert.equal(r.entries.size, 1);
  rates.sweep(r, mono(100));
  assert.equal(r.entries.size, 0);
});

test("maker: rates: a key that will not come back is kept while it owes", () => {
  const r = rates.create<string>(small);
  ask(r, "good", 0);
  offend(r, "bad", 0, 1);
  rates.gone(r, "good", mono(1));
  rates.gone(r, "bad", mono(1));
  rates.gone(r, "nobody", mono(1));
  assert.deepEqual([...r.entries.keys()], ["bad"]);
  rates.gone(r, "bad", mono(40));
  assert.equal(r.entries.size, 0);
});

test("maker: rates: the report names the worst five and counts the rest", () => {
  const r = rates.create<string>({ ...small, keysMax: 100 });
  for (let n = 0; n < 8; n += 1) offend(r, `banned ${n}`, 0, 6 + n);
  for (let n = 1; n < 4; n += 1) offend(r, `early ${n}`, 0, n);
  ask(r, "good", 0);
  const report = rates.report(r, mono(1));
  assert.equal(report.tracked, 12);
  assert.equal(report.violations, 6 + 7 + 8 + 9 + 10 + 11 + 12 + 13 + 1 + 2 + 3);
  const worst = [7, 6, 5, 4, 3].map((n) => ({ label: `banned ${n}`, violations: 6 + n }));
  assert.deepEqual(report.banned, worst);
  assert.equal(report.bannedMore, 3);
  assert.deepEqual(report.top, worst);
  const later = rates.report(r, mono(100));
  assert.deepEqual([later.banned, later.bannedMore], [[], 0]);
  assert.deepEqual(later.top, [{ label: "early 3", violations: 1 }]);
  assert.equal(rates.report(r, mono(120)).violations, 0);
  assert.deepEqual(rates.report(rates.create<string>(small), mono(0)), {
    violations: 0, tracked: 0, banned: [], bannedMore: 0, top: [],
  });
});

test("maker: rates: equals are told in one order", () => {
  const r = rates.create<string>(small);
  for (const key of ["c", "a", "b"]) offend(r, key, 0, 1);
  assert.deepEqual(rates.report(r, mono(0)).top.map(({ label }) => label), ["a", "b", "c"]);
});

test("maker: rates: a reload shortens bans, forgets nobody and makes room", () => {
  const r = rates.create<string>(small);
  offend(r, "banned", 0, 6);
  offend(r, "owes", 0, 3);
  ask(r, "x", 1);
  ask(r, "y", 2);
  rates.reload(r, { ...small, banMs: 50, keysMax: 2 }, mono(3));
  assert.deepEqual([...r.entries.keys()], ["banned", "owes"]);
  assert.equal(ask(r, "banned", 52), "banned");
  assert.equal(ask(r, "banned", 53), "ok");
  rates.reload(r, { ...small, banMs: 1_000 }, mono(54));
  offend(r, "z", 60, 6);
  rates.reload(r, { ...small, banMs: 2_000 }, mono(61));
  assert.equal(ask(r, "z", 1_060), "ok", "a ban is not made longer");
});

test("maker: rates: limits out of order or range are refused", () => {
  for (const wrong of [
    { intervalMs: 0 }, { warnAt: 5 }, { severeAt: 7 }, { warnFactor: 6 }, { banMs: 0.5 },
    { decayMs: 0 }, { keysMax: 0 }, { banAt: NaN }, { intervalMs: Number.MAX_SAFE_INTEGER },
  ]) {
    assert.throws(() => rates.create({ ...small, ...wrong }), InvariantError);
  }
});

type Call =
  | { readonly call: "ask" | "gone"; readonly key: string }
  | { readonly call: "sweep" | "idle" };
type Said = { readonly key: string; readonly verdict: rates.Verdict };

const key = fc.constantFrom("a", "b", "c", "d", "e", "f");
const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ call: fc.constant("ask" as const), key }) },
  { weight: 1, arbitrary: fc.record({ call: fc.constant("gone" as const), key }) },
  { weight: 1, arbitrary: fc.constant<Call>({ call: "sweep" }) },
);

const subject: Omit<Subject<rates.Rates<string>, Call, Said>, "lives"> = {
  create: () => rates.create<string>(small),
  step(r, event, now, out) {
    if (event.call === "ask") out.push({ key: event.key, verdict: ask(r, event.key, now) });
    if (event.call === "gone") rates.gone(r, event.key, now);
    if (event.call === "sweep") rates.sweep(r, now);
  },
  deadline: () => NEVER,
  tick: { call: "idle" },
  settleMs: 0,
  holds(r, now) {
    assert.ok(r.entries.size <= small.keysMax, "too many keys");
    const before = rates.report(r, now);
    assert.deepEqual(rates.report(r, now), before);
  },
};

test("maker: rates: the laws hold, and whoever waits long enough is answered", () => {
  fc.assert(fc.property(scripts(call, 60, 60), (script) => {
    laws({
      ...subject,
      lives({ steps }) {
        const saidAt = new Map<string, Mono>();
        for (const { at, effects } of steps) {
          for (const { key: who, verdict } of effects) {
            const before = saidAt.get(who);
            // A ban of 100 ms or five intervals of 10 ms: nobody is refused after 100 ms of peace.
            if (before === undefined || at - before >= 100) assert.equal(verdict, "ok");
            saidAt.set(who, at);
          }
        }
      },
    }, script);
  }), { numRuns: 120 });
});

test("maker: rates: nobody who is remembered is answered twice in an interval", () => {
  const wide: rates.Config = { ...small, keysMax: 100 };
  fc.assert(fc.property(scripts(call, 20, 60), (script) => {
    laws<rates.Rates<string>, Call, Said>({
      ...subject,
      create: () => rates.create<string>(wide),
      step(r, event, now, out) {
        // `gone` is for keys that do not come back.
        if (event.call !== "gone") subject.step(r, event, now, out);
      },
      holds: () => undefined,
      lives({ steps }) {
        const answeredAt = new Map<string, Mono>();
        for (const { at, effects } of steps) {
          for (const { key: who, verdict } of effects) {
            if (verdict !== "ok") continue;
            const before = answeredAt.get(who);
            assert.ok(before === undefined || at - before >= wide.intervalMs, `twice: ${who}`);
            answeredAt.set(who, at);
          }
        }
      },
    }, script);
  }), { numRuns: 100 });
});
