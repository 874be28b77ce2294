import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError, unreachable } from "../../../core/assert.ts";
import * as lane from "../../../core/notify/lane.ts";
import type { Config, Effect, Event, Lane } from "../../../core/notify/lane.ts";
import type { Letter } from "../../../core/notify/letter.ts";
import { priorities } from "../../../core/notify/notice.ts";
import type { Outcome } from "../../../core/notify/reply.ts";
import * as prng from "../../../core/prng.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { laws, scripts, type Run, type Subject } from "../../support/laws.ts";
import { letter } from "../../support/notices.ts";

const small: Config = {
  queueMax: 4, attemptsMax: 3, ageMsMax: 1_000, answerMs: 50, askedMsMax: 400,
  backoff: { baseMs: 10, maxMs: 80, times: 2, per: 1 },
};
const sent: Outcome = { type: "sent" };
const later = (waitMs = 0, counts = true): Outcome =>
  ({ type: "later", waitMs, counts, why: "http-503" });
const denied: Outcome = { type: "denied", why: "http-401" };
const rejected: Outcome = { type: "rejected", why: "http-404" };

function bench(config: Partial<Config> = {}) {
  const m = lane.create({ ...small, ...config }, prng.stream(prng.key("lane")));
  let now = mono(0);
  const say = (event: Event): readonly Effect[] => {
    const out: Effect[] = [];
    lane.step(m, event, now, out);
    assert.ok(lane.deadline(m) > now);
    return out;
  };
  return {
    m, say,
    at: (ms: number) => void (now = mono(ms)),
    put: (id: number, fields: Partial<Letter> = {}) =>
      say({ type: "put", letter: letter({ id, toldAt: now, ...fields }) }),
    answer: (outcome: Outcome) => say({ type: "answered", outcome }),
    /** Goes to the end of a wait. */
    due: () => {
      now = lane.deadline(m);
      assert.notEqual(now, NEVER);
      return say({ type: "tick" });
    },
    now: () => now,
  };
}

const told = (effects: readonly Effect[]): string => effects.map((e) => {
  switch (e.type) {
    case "send": return `send ${e.letter.id}${e.renew ? " renew" : ""}`;
    case "sent": return `sent ${e.letter.id}`;
    case "lost": return `lost ${e.letter.id} ${e.why}`;
    case "failing": return `failing ${e.why}`;
    case "losing": return `losing ${e.loss} ${e.why}`;
    case "recovered": return `recovered ${e.failures} ${e.lost}`;
    case "abandon": return e.type;
    default: return unreachable(e);
  }
}).join(", ");

test("notify: lane: letters go one at a time, in order", () => {
  const b = bench();
  assert.equal(told(b.put(1)), "send 1");
  assert.equal(told(b.put(2)), "");
  assert.equal(told(b.answer(sent)), "sent 1, send 2");
  assert.equal(told(b.answer(sent)), "sent 2");
  assert.equal(lane.deadline(b.m), NEVER);
  assert.equal(told(b.answer(sent)), "", "nothing waits for an answer");
});

test("notify: lane: failures in a row wait longer and longer, a delivery ends them", () => {
  const b = bench({ attemptsMax: 9 });
  b.put(1);
  assert.equal(told(b.answer(later())), "failing http-503");
  for (const longest of [10, 20, 40, 80, 80, 80]) {
    const waitMs = lane.deadline(b.m) - b.now();
    assert.ok(waitMs >= longest / 2 && waitMs <= longest, `${waitMs} of ${longest}`);
    assert.equal(told(b.due()), "send 1");
    assert.equal(told(b.answer(later())), "");
  }
  b.due();
  assert.equal(told(b.answer(sent)), "sent 1, recovered 7 0");
});

test("notify: lane: an attempt without an answer is abandoned at its time, not before", () => {
  const b = bench();
  b.put(1);
  b.at(49);
  assert.equal(told(b.say({ type: "tick" })), "");
  b.at(50);
  assert.equal(told(b.say({ type: "tick" })), "abandon, failing timeout");
  assert.equal(told(b.due()), "send 1");
});

test("notify: lane: the wait that a target asks for is kept, up to a bound", () => {
  const b = bench();
  b.put(1);
  b.answer(later(300));
  assert.equal(lane.deadline(b.m), 300);
  b.say({ type: "nudged" });
  assert.equal(lane.deadline(b.m), 300, "a nudge does not cut it");
  b.due();
  b.answer(later(9_999_999));
  assert.equal(lane.deadline(b.m), 700);
});

test("notify: lane: a letter is lost after so many attempts that may have arrived", () => {
  const b = bench();
  b.put(1);
  b.put(2);
  b.answer(later());
  for (const unreached of [1, 2, 3, 4]) {
    b.due();
    assert.equal(told(b.answer(later(0, false))), "", `${unreached}`);
  }
  b.due();
  b.answer(later());
  b.due();
  assert.equal(told(b.answer(later())), "lost 1 attempts, losing attempts http-503");
  assert.equal(told(b.due()), "send 2", "the next one has all its attempts");
  assert.equal(b.m.attempts, 0);
});

test("notify: lane: a letter is lost when it is too old, at the instant and not before", () => {
  const b = bench();
  b.put(1);
  b.answer(later(400, false));
  b.at(999);
  assert.equal(told(b.say({ type: "tick" })), "send 1");
  b.at(1_000);
  assert.match(told(b.answer(later(0, false))), /^lost 1 old/);
  const young = bench();
  young.put(1);
  young.at(999);
  young.answer(later(0, false));
  assert.equal(young.m.queue.length, 1);
});

test("notify: lane: credentials are read again once for each letter", () => {
  const b = bench();
  b.put(1);
  b.put(2);
  assert.equal(told(b.answer(denied)), "send 1 renew");
  assert.equal(told(b.answer(denied)),
    "failing http-401, lost 1 rejected, losing rejected http-401");
  assert.equal(told(b.due()), "send 2");
  assert.equal(told(b.answer(denied)), "send 2 renew");
  assert.equal(told(b.answer(sent)), "sent 2, recovered 1 1");
});

test("notify: lane: a rejected letter is lost at once, told once in an episode", () => {
  const b = bench();
  for (const id of [1, 2, 3]) b.put(id);
  assert.equal(told(b.answer(rejected)),
    "failing http-404, lost 1 rejected, losing rejected http-404");
  assert.ok(lane.deadline(b.m) > 0, "the target is left alone for a while");
  b.due();
  assert.equal(told(b.answer(rejected)), "lost 2 rejected");
  b.due();
  assert.equal(told(b.answer(sent)), "sent 3, recovered 2 2");
  b.put(4);
  assert.match(told(b.answer(rejected)), /losing/, "a new episode");
});

test("notify: lane: of too many the oldest least important goes, never one under way", () => {
  const b = bench();
  b.put(1, { priority: "low" });
  b.put(2, { priority: "high" });
  b.put(3);
  b.put(4);
  assert.equal(told(b.put(5)), "lost 3 overflow, losing overflow ");
  assert.equal(told(b.put(6, { priority: "low" })), "lost 6 overflow");
  b.answer(later());
  assert.equal(told(b.put(7, { priority: "urgent" })), "lost 1 overflow", "it only waits");
  assert.deepEqual(b.m.queue.map((l) => l.id), [2, 4, 5, 7]);
  const one = bench({ queueMax: 1 });
  one.put(1);
  assert.match(told(one.put(2, { priority: "urgent" })), /^lost 2 overflow/);
});

test("notify: lane: a nudge ends a long wait soon, and never makes it longer", () => {
  const b = bench({ attemptsMax: 99 });
  b.put(1);
  for (let i = 0; i < 6; i += 1) {
    b.answer(later());
    if (i < 5) b.due();
  }
  assert.ok(lane.deadline(b.m) - b.now() >= 40);
  b.say({ type: "nudged" });
  const soon = lane.deadline(b.m);
  assert.ok(soon - b.now() <= 10);
  for (let i = 0; i < 20; i += 1) b.say({ type: "nudged" });
  assert.ok(lane.deadline(b.m) <= soon);
  b.due();
  b.say({ type: "nudged" });
  assert.equal(b.m.at.phase, "sending");
});

test("notify: lane: closing tries once more, in order, until something fails", () => {
  const b = bench();
  for (const id of [1, 2, 3]) b.put(id);
  b.answer(later(400));
  assert.equal(told(b.say({ type: "closing" })), "send 1");
  assert.equal(told(b.answer(sent)), "sent 1, recovered 1 0, send 2");
  assert.equal(lane.isDone(b.m), false);
  b.answer(later());
  assert.ok(lane.isDone(b.m));
  assert.equal(lane.deadline(b.m), NEVER);
  assert.equal(told(b.put(4)), "");
  const idle = bench();
  idle.say({ type: "closing" });
  assert.ok(lane.isDone(idle.m));
  assert.equal(told(idle.put(1)), "send 1");
  idle.answer(sent);
  assert.ok(lane.isDone(idle.m));
});

test("notify: lane: limits leave room for one", () => {
  for (const wrong of [{ queueMax: 0 }, { attemptsMax: 0 }, { ageMsMax: 0 }, { answerMs: 0 },
    { askedMsMax: 0 }, { queueMax: 1e300 }]) {
    assert.throws(() => bench(wrong), InvariantError);
  }
  const b = bench();
  lane.reconfigure(b.m, { ...small, queueMax: 1 });
  b.put(1);
  assert.match(told(b.put(2)), /^lost 2 overflow/);
});

type Scripted = Event | { readonly type: "letter"; readonly priority: (typeof priorities)[number] };

/** Each letter is settled, once, and sent in order, within its age, one wait and one attempt. */
function lives(run: Run<Lane, Scripted, Effect>): void {
  const settled = new Map<number, number>();
  const toldAt = new Map<number, number>();
  let last = 0;
  for (const { at, event, effects } of run.steps) {
    if (event.type === "letter") toldAt.set(toldAt.size + 1, at);
    for (const e of effects) {
      if (e.type !== "sent" && e.type !== "lost") continue;
      assert.ok(!settled.has(e.letter.id), "settled twice");
      settled.set(e.letter.id, at);
      assert.ok(at - (toldAt.get(e.letter.id) ?? NaN) <= 1_000 + 400 + 50);
      if (e.type !== "sent") continue;
      assert.ok(e.letter.id > last, "out of order");
      last = e.letter.id;
    }
  }
  if (run.steps.every(({ event }) => event.type !== "closing")) {
    assert.equal(settled.size, toldAt.size, "a letter is neither sent nor lost");
  }
}

test("notify: lane: the four laws hold, and every letter is sent or lost in bounded time", () => {
  const put = (m: Lane & { ids?: number }, event: Scripted, now: Mono, out: Effect[]): void => {
    if (event.type !== "letter") return lane.step(m, event, now, out);
    m.ids = (m.ids ?? 0) + 1;
    const l = letter({ id: m.ids, toldAt: now, priority: event.priority });
    lane.step(m, { type: "put", letter: l }, now, out);
  };
  const subject: Subject<Lane, Scripted, Effect> = {
    create: () => lane.create(small, prng.stream(prng.key("laws"))), step: put,
    deadline: lane.deadline, tick: { type: "tick" }, settleMs: 1_500, lives,
    holds: (m) => assert.ok(m.queue.length <= small.queueMax),
  };
  const outcome = fc.oneof(
    fc.constantFrom(sent, denied, rejected),
    fc.record({
      type: fc.constant("later" as const), waitMs: fc.constantFrom(0, 0, 60, 1_000),
      counts: fc.boolean(), why: fc.constant("reset"),
    }),
  );
  const event: fc.Arbitrary<Scripted> = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        type: fc.constant("letter" as const), priority: fc.constantFrom(...priorities),
      }),
    },
    { weight: 5, arbitrary: fc.record({ type: fc.constant("answered" as const), outcome }) },
    { weight: 1, arbitrary: fc.constantFrom<Event>({ type: "nudged" }) },
    { weight: 1, arbitrary: fc.constantFrom<Event>({ type: "nudged" }, { type: "closing" }) },
  );
  fc.assert(fc.property(scripts(event, 120, 40), (script) => void laws(subject, script)),
    { numRuns: 150 });
});
