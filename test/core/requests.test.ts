import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as requests from "../../core/requests.ts";
import { mono, NEVER, type Mono } from "../../core/time.ts";
import { laws, scripts, type Subject } from "../support/laws.ts";

const table = (openMax = 4): requests.Requests => requests.create({ openMax });

test("requests: start: numbers are never used twice, and answers find who asked", () => {
  const t = table();
  assert.equal(requests.start(t, "chain", 7, 100, mono(0)), 1);
  assert.equal(requests.start(t, "notice", 7, 50, mono(0)), 2);
  assert.equal(requests.deadline(t), 50);
  assert.deepEqual(requests.settle(t, 1), { req: 1, asker: "chain", token: 7, dueAt: 100 });
  assert.equal(requests.settle(t, 1), undefined);
  assert.equal(requests.start(t, "chain", 8, 100, mono(1)), 3);
});

test("requests: start: no more than openMax at once", () => {
  const t = table(2);
  requests.start(t, "a", 1, 10, mono(0));
  requests.start(t, "a", 2, 10, mono(0));
  assert.equal(requests.start(t, "a", 3, 10, mono(0)), undefined);
  requests.settle(t, 1);
  assert.equal(requests.start(t, "a", 3, 10, mono(0)), 3);
});

test("requests: expired: at the instant and not a millisecond before", () => {
  const t = table();
  requests.start(t, "a", 1, 10, mono(5));
  requests.start(t, "b", 2, 20, mono(5));
  assert.deepEqual(requests.expired(t, mono(14)), []);
  assert.deepEqual(requests.expired(t, mono(15)).map((open) => open.asker), ["a"]);
  assert.equal(requests.settle(t, 1), undefined, "a late answer finds nothing");
  assert.equal(requests.deadline(t), 25);
  assert.deepEqual(requests.expired(t, mono(99)).map((open) => open.token), [2]);
  assert.equal(requests.deadline(t), NEVER);
});

test("requests: withdraw: gives the number to drop, once", () => {
  const t = table();
  requests.start(t, "a", 1, 10, mono(0));
  requests.start(t, "b", 1, 10, mono(0));
  assert.equal(requests.withdraw(t, "b", 1), 2);
  assert.equal(requests.withdraw(t, "b", 1), undefined);
  assert.equal(t.open.size, 1);
});

test("requests: create, start: what makes no sense is our own mistake", () => {
  assert.throws(() => table(0), /without room/);
  assert.throws(() => table(1.5), /whole number/);
  assert.throws(() => requests.start(table(), "a", 1, 0, mono(0)), /takes its time/);
  assert.throws(() => requests.start(table(), "a", 1, 0.5, mono(0)), /whole number/);
});

type Event =
  | { readonly type: "start"; readonly token: number; readonly timeoutMs: number }
  | { readonly type: "settle"; readonly req: number }
  | { readonly type: "withdraw"; readonly token: number }
  | { readonly type: "tick" };
type Effect = readonly (string | number)[];

function step(t: requests.Requests, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "start": {
      const req = requests.start(t, "a", event.token, event.timeoutMs, now);
      return void out.push(["started", req ?? "full", event.timeoutMs]);
    }
    case "settle": return void out.push(["settled", requests.settle(t, event.req)?.req ?? "late"]);
    case "withdraw":
      return void out.push(["settled", requests.withdraw(t, "a", event.token) ?? "late"]);
    case "tick":
      for (const open of requests.expired(t, now)) out.push(["expired", open.req]);
  }
}

test("requests: laws: every request ends once, at its time-out at the latest", () => {
  const subject: Subject<requests.Requests, Event, Effect> = {
    create: () => table(), step, deadline: requests.deadline, tick: { type: "tick" },
    settleMs: 60,
    holds: (t) => assert.ok(t.open.size <= 4),
    lives: (run) => {
      const started = new Map<number, number>();
      for (const { at, effects } of run.steps) {
        for (const [what, req, timeoutMs] of effects) {
          if (what === "started" && typeof req === "number") {
            started.set(req, at + Number(timeoutMs));
          } else if (typeof req === "number") {
            assert.ok(started.has(req), `${req} ended twice`);
            assert.ok(at <= started.get(req)!, `${req} ended too late`);
            started.delete(req);
          }
        }
      }
      assert.equal(started.size, 0, "somebody still waits");
    },
  };
  const token = fc.integer({ min: 1, max: 5 });
  const event: fc.Arbitrary<Event> = fc.oneof(
    fc.record({
      type: fc.constant("start" as const), token, timeoutMs: fc.integer({ min: 1, max: 50 }),
    }),
    fc.record({ type: fc.constant("settle" as const), req: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ type: fc.constant("withdraw" as const), token }),
  );
  fc.assert(fc.property(scripts(event, 30), (script) => void laws(subject, script)), {
    numRuns: 100,
  });
});
