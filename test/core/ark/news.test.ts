import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as news from "../../../core/ark/news.ts";
import { done, unavailable, type Answer } from "../../../core/ark/wallet.ts";
import * as prng from "../../../core/prng.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { laws, scripts, type Subject } from "../../support/laws.ts";

const { defaults } = news;
const heard = (count: number, last?: string): Answer => done({
  op: "notifications", last, news: Array.from({ length: count }, () => ({ kind: "movement" })),
});
const lost = unavailable("timeout", "x", "x");

type Rig = { readonly m: news.News; now: Mono; readonly out: news.Effect[] };

function rig(): Rig {
  const m = news.create(defaults, prng.stream(prng.key("news")));
  const r: Rig = { m, now: mono(0), out: [] };
  step(r, { type: "started" });
  return r;
}

function step(r: Rig, event: news.Event): readonly news.Effect[] {
  const out: news.Effect[] = [];
  news.step(r.m, event, r.now, out);
  r.out.push(...out);
  return out;
}

/** The next question. */
function asked(r: Rig): Extract<news.Effect, { type: "call" }> {
  r.now = news.deadline(r.m);
  const [call] = step(r, { type: "tick" });
  assert.equal(call?.type, "call");
  return call as Extract<news.Effect, { type: "call" }>;
}

test("news: each question goes on from the answer before, and news are told", () => {
  const r = rig();
  assert.deepEqual(asked(r).call, { op: "notifications", since: undefined });
  assert.deepEqual(step(r, { type: "answered", token: 1, answer: heard(2, "t1") }),
    [{ type: "news" }]);
  const second = asked(r);
  assert.deepEqual(second.call, { op: "notifications", since: "t1" });
  assert.deepEqual(step(r, { type: "answered", token: 2, answer: heard(0) }), []);
  assert.deepEqual(asked(r).call, { op: "notifications", since: "t1" });
});

test("news: after news the next question comes at once, after none there is a rest", () => {
  const r = rig();
  const restMs = (count: number): number => {
    step(r, { type: "answered", token: asked(r).token, answer: heard(count) });
    return news.deadline(r.m) - r.now;
  };
  assert.deepEqual([restMs(1), restMs(0), restMs(2)], [
    defaults.gapMs, defaults.calmMs, defaults.gapMs,
  ]);
  const { retry, ...rest } = defaults;
  const hurried = { ...rest, retry, calmMs: defaults.gapMs - 1 };
  assert.throws(() => news.create(hurried, prng.stream(prng.key("news"))), /calm/);
});

test("news: an answer to another question changes nothing, nor does a second start", () => {
  const r = rig();
  asked(r);
  step(r, { type: "answered", token: 9, answer: heard(1) });
  step(r, { type: "started" });
  assert.equal(news.deadline(r.m), NEVER);
  step(r, { type: "answered", token: 1, answer: heard(0) });
  step(r, { type: "answered", token: 1, answer: heard(1) });
  assert.equal(r.out.length, 1);
});

test("news: a failure is followed by a wait that grows; what is refused is asked from anew", () => {
  const r = rig();
  const waits: number[] = [];
  for (let i = 1; i <= 9; i += 1) {
    const { token } = asked(r);
    step(r, { type: "answered", token, answer: lost });
    waits.push(news.deadline(r.m) - r.now);
  }
  assert.ok(waits[0]! >= 1_000 && waits.at(-1)! >= 60_000 && waits.at(-1)! <= 120_000);
  step(r, { type: "answered", token: asked(r).token, answer: heard(0, "t7") });
  const fault = { code: "x", text: "x" };
  const no: Answer = { ok: false, why: "rejected", fault, ids: [] };
  step(r, { type: "answered", token: asked(r).token, answer: no });
  assert.deepEqual(asked(r).call, { op: "notifications", since: undefined });
});

test("news: a backend without this call is asked again after a long rest", () => {
  const r = rig();
  const no = { ok: false, why: "unsupported" } as const;
  step(r, { type: "answered", token: asked(r).token, answer: no });
  assert.equal(news.deadline(r.m) - r.now, defaults.restMs);
});

test("news: a program that is back is asked soon, with a gap, and failures are forgotten", () => {
  const r = rig();
  step(r, { type: "back" });
  for (let i = 0; i < 9; i += 1) step(r, { type: "answered", token: asked(r).token, answer: lost });
  const at = r.now;
  step(r, { type: "back" });
  const next = news.deadline(r.m);
  assert.ok(next > at + defaults.gapMs && next <= at + 2 * defaults.gapMs, `${next - at}`);
  const { token } = asked(r);
  step(r, { type: "back" });
  assert.equal(news.deadline(r.m), NEVER, "one question at a time");
  step(r, { type: "answered", token, answer: lost });
  assert.ok(news.deadline(r.m) - r.now <= 1_000, "waits begin anew");
});

test("news: after the stop nothing is asked", () => {
  const r = rig();
  const { token } = asked(r);
  step(r, { type: "stopped" });
  step(r, { type: "answered", token, answer: heard(1) });
  assert.equal(news.deadline(r.m), NEVER);
  assert.equal(r.out.length, 1);
});

const event: fc.Arbitrary<news.Event> = fc.oneof(
  fc.record({
    type: fc.constant("answered" as const), token: fc.integer({ min: 1, max: 9 }),
    answer: fc.constantFrom(heard(1, "t"), heard(0), lost),
  }),
  fc.constant({ type: "started" as const }), fc.constant({ type: "back" as const }),
);

test("news: laws: whatever is answered, questions lie a gap apart", () => {
  const subject: Subject<news.News, news.Event, news.Effect> = {
    create: () => news.create(defaults, prng.stream(prng.key("laws"))), step: news.step,
    deadline: news.deadline, tick: { type: "tick" }, settleMs: 200_000,
    lives: ({ steps, state }) => {
      const asks = steps.filter(({ effects }) => effects.some(({ type }) => type === "call"));
      asks.forEach(({ at }, i) => {
        if (i > 0) assert.ok(at - asks[i - 1]!.at >= defaults.gapMs);
      });
      if (state.isRunning) assert.ok(asks.length > 0);
    },
  };
  fc.assert(fc.property(scripts(event, 5_000), (script) => void laws(subject, script)),
    { numRuns: 50 });
});
