import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as prng from "../../../core/prng.ts";
import { mono, NEVER } from "../../../core/time.ts";
import * as reach from "../../../core/tor/reach.ts";
import { laws, scripts, type Run, type Subject } from "../../support/laws.ts";

const config: reach.Config = {
  firstMs: 30, intervalMs: 1_000, retryMs: 100, visitMs: 50, failuresMax: 3,
};
const create = (): reach.Reach => reach.create(config, prng.stream(prng.key("reach")));

function say(m: reach.Reach, at: number, event: reach.Event): readonly reach.Effect[] {
  const out: reach.Effect[] = [];
  reach.step(m, event, mono(at), out);
  return out;
}

const served: reach.Event = { type: "served", location: "x:1" };
const tick: reach.Event = { type: "tick" };
const due = (m: reach.Reach): number => reach.deadline(m);

/** Takes the machine to its next visit. */
function visit(m: reach.Reach): { readonly at: number; readonly req: number } {
  const at = due(m);
  assert.deepEqual(say(m, at - 1, tick), []);
  const [effect] = say(m, at, tick);
  assert.ok(effect?.type === "visit");
  return { at, req: effect.req };
}

test("tor: reach: the first visit comes after a while, a success is told once", () => {
  const m = create();
  assert.equal(due(m), NEVER);
  say(m, 10, served);
  assert.equal(due(m), 40);
  const { req } = visit(m);
  const told = say(m, 60, { type: "visited", req, failure: undefined });
  assert.deepEqual(told, [{ type: "turned", isReachable: true, failure: undefined }]);
  assert.deepEqual([m.reachedAt, m.tookMs, m.visitedAt], [60, 20, 60]);
  assert.ok(due(m) >= 60 + 750 && due(m) <= 60 + 1_250);
  const again = visit(m);
  const good: reach.Event = { type: "visited", req: again.req, failure: undefined };
  assert.deepEqual(say(m, again.at + 1, good), []);
});

test("tor: reach: only several failures in a row make an address unreachable", () => {
  const m = create();
  say(m, 0, served);
  for (const failures of [1, 2]) {
    const { at, req } = visit(m);
    assert.deepEqual(say(m, at, { type: "visited", req, failure: "refused" }), []);
    assert.equal(m.failures, failures);
    assert.ok(due(m) >= at + 75 && due(m) <= at + 125);
  }
  const third = visit(m);
  assert.deepEqual(say(m, third.at, { type: "visited", req: third.req, failure: "timeout" }), [
    { type: "turned", isReachable: false, failure: "timeout" },
  ]);
  const fourth = visit(m);
  assert.deepEqual(say(m, fourth.at, { type: "visited", req: fourth.req, failure: "x" }), []);
  const fifth = visit(m);
  assert.deepEqual(say(m, fifth.at, { type: "visited", req: fifth.req, failure: undefined }), [
    { type: "turned", isReachable: true, failure: undefined },
  ]);
  assert.equal(m.failures, 0);
});

test("tor: reach: a visit without an end is left at its deadline, and has failed", () => {
  const m = create();
  say(m, 0, served);
  const { at, req } = visit(m);
  assert.deepEqual(say(m, at + 49, tick), []);
  assert.deepEqual(say(m, at + 50, tick), [{ type: "leave", req }]);
  assert.deepEqual([m.failures, m.failure], [1, "timeout"]);
  assert.deepEqual(say(m, at + 51, { type: "visited", req, failure: undefined }), []);
  assert.equal(m.isReachable, undefined);
});

test("tor: reach: an address that is not served is not visited, a visit under way is left", () => {
  const m = create();
  say(m, 0, served);
  const { at, req } = visit(m);
  assert.deepEqual(say(m, at + 1, { type: "unserved" }), [{ type: "leave", req }]);
  assert.equal(due(m), NEVER);
  say(m, at + 2, { type: "uploaded" });
  assert.equal(due(m), NEVER);
});

test("tor: reach: an uploaded descriptor hurries a first visit only", () => {
  const m = create();
  say(m, 0, served);
  say(m, 5, { type: "uploaded" });
  assert.equal(due(m), 6);
  const { at, req } = visit(m);
  say(m, at, { type: "uploaded" });
  assert.equal(due(m), at + 50);
  say(m, at, { type: "visited", req, failure: undefined });
  const before = due(m);
  say(m, at, { type: "uploaded" });
  assert.equal(due(m), before);
});

test("tor: reach: another address is not known to be reachable; the same one stays so", () => {
  const m = create();
  say(m, 0, served);
  const { at, req } = visit(m);
  say(m, at, { type: "visited", req, failure: undefined });
  say(m, at, { type: "unserved" });
  say(m, at, served);
  assert.equal(m.isReachable, true);
  say(m, at, { type: "served", location: "y:1" });
  assert.deepEqual([m.isReachable, m.reachedAt], [undefined, undefined]);
});

test("tor: reach: the ranges of its configuration are asserted", () => {
  const wrong = [
    { firstMs: 0 }, { intervalMs: 3 }, { retryMs: 3 }, { visitMs: 0 }, { failuresMax: 0 },
  ];
  for (const part of wrong) {
    assert.throws(() => reach.create({ ...config, ...part }, prng.stream(prng.key("x"))), /reach:/);
  }
});

const events: fc.Arbitrary<reach.Event> = fc.oneof(
  fc.constantFrom<reach.Event>(
    served, { type: "unserved" }, { type: "uploaded" }, { type: "served", location: "y:1" },
  ),
  fc.record({
    type: fc.constant("visited" as const), req: fc.integer({ min: 1, max: 9 }),
    failure: fc.constantFrom(undefined, "refused"),
  }),
);

const subject: Subject<reach.Reach, reach.Event, reach.Effect> = {
  create, step: reach.step, deadline: reach.deadline, tick, settleMs: 5_000,
  holds: (m) => assert.ok(m.failures === 0 || m.failure !== undefined),
  lives: visits,
};

/** While the address is served, visits are never further apart than a visit and a long wait. */
function visits(run: Run<reach.Reach, reach.Event, reach.Effect>): void {
  let sinceAt: number | undefined;
  for (const { at, event, effects } of run.steps) {
    const quietMs = at - (sinceAt ?? at);
    assert.ok(quietMs <= 50 + 1_250, `no visit for ${quietMs} ms at ${at}`);
    if (event.type === "served") sinceAt = at;
    if (event.type === "unserved") sinceAt = undefined;
    if (effects.some((effect) => effect.type === "visit")) sinceAt = at;
  }
}

test("tor: reach: the laws hold for any script", () => {
  fc.assert(fc.property(scripts(events, 200, 30), (script) => void laws(subject, script)), {
    numRuns: 100,
  });
});
