import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../core/assert.ts";
import * as expiry from "../../core/expiry.ts";
import { mono, NEVER, type Mono } from "../../core/time.ts";
import { effectsOf, laws, scripts, type Run, type Subject } from "../support/laws.ts";

type M = expiry.Expiry<number>;
type Event =
  | { readonly type: "put" | "remove"; readonly id: number }
  | { readonly type: "tick" };
type Expired = { readonly id: number };

const waitMs = 20;

function step(m: M, event: Event, now: Mono, out: Expired[]): void {
  switch (event.type) {
    case "put": return expiry.put(m, event.id, mono(now + waitMs));
    case "remove": return void expiry.remove(m, event.id);
    case "tick": return void out.push(...expiry.take(m, now).map((id) => ({ id })));
    default: assert.fail();
  }
}

/** What a list of arrivals says should have expired, and when. */
function expected(run: Run<M, Event, Expired>): string[] {
  let waiting: { id: number; dueAt: number }[] = [];
  const expired: string[] = [];
  const pass = (now: number) => {
    for (const { id, dueAt } of waiting) if (dueAt <= now) expired.push(`${dueAt} ${id}`);
    waiting = waiting.filter(({ dueAt }) => dueAt > now);
  };
  for (const { at, event } of run.steps) {
    pass(at);
    if (event.type === "tick") continue;
    waiting = waiting.filter(({ id }) => id !== event.id);
    if (event.type === "put") waiting.push({ id: event.id, dueAt: at + waitMs });
  }
  pass(run.now);
  return expired;
}

const subject: Subject<M, Event, Expired> = {
  create: () => expiry.create(),
  step,
  deadline: expiry.deadline,
  tick: { type: "tick" },
  settleMs: 3 * waitMs,
  holds: (m) => {
    const first = expiry.oldest(m);
    if (first !== undefined) assert.ok(m.dueAtMin <= (m.due.get(first) as Mono));
  },
  lives: (run) => {
    const told = effectsOf(run).map(({ at, effect }) => `${at} ${effect.id}`);
    assert.deepEqual(told, expected(run));
    assert.equal(expiry.deadline(run.state), NEVER);
  },
};

test("expiry: laws: each id expires at its instant, in order, unless it is removed", () => {
  const id = fc.integer({ min: 1, max: 6 });
  const event: fc.Arbitrary<Event> = fc.oneof(
    fc.record({ type: fc.constant("put" as const), id }),
    fc.record({ type: fc.constant("remove" as const), id }),
  );
  fc.assert(fc.property(scripts(event, 30), (script) => void laws(subject, script)));
});

test("expiry: take: nothing in the last millisecond, everything due at the instant", () => {
  const e = expiry.create<number>();
  for (const id of [3, 1, 2]) expiry.put(e, id, mono(100));
  expiry.put(e, 9, mono(101));
  assert.deepEqual(expiry.take(e, mono(99)), []);
  assert.deepEqual(expiry.take(e, mono(100)), [3, 1, 2]);
  assert.equal(expiry.deadline(e), 101);
  assert.equal(expiry.oldest(e), 9);
});

test("expiry: remove: says whether the id waited, and leaves a lower bound behind", () => {
  const e = expiry.create<number>();
  assert.equal(expiry.remove(e, 1), false);
  expiry.put(e, 1, mono(5));
  expiry.put(e, 2, mono(8));
  assert.equal(expiry.remove(e, 1), true);
  assert.equal(expiry.deadline(e), 5);
  assert.deepEqual(expiry.take(e, mono(5)), []);
  assert.equal(expiry.deadline(e), 8);
  assert.equal(expiry.remove(e, 2), true);
  assert.deepEqual(expiry.take(e, mono(8)), []);
  assert.equal(expiry.deadline(e), NEVER);
  assert.equal(expiry.oldest(e), undefined);
});

test("expiry: put: a known id moves to the end, and none overtakes another", () => {
  const e = expiry.create<number>();
  expiry.put(e, 1, mono(5));
  expiry.put(e, 2, mono(5));
  expiry.put(e, 1, mono(6));
  assert.deepEqual(expiry.take(e, mono(6)), [2, 1]);
  assert.throws(() => expiry.put(e, 3, mono(5)), InvariantError);
});
