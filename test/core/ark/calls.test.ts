import assert from "node:assert/strict";
import { test } from "node:test";
import * as calls from "../../../core/ark/calls.ts";
import { mono, NEVER } from "../../../core/time.ts";

const { defaults } = calls;
const asker = (over: Partial<calls.Asker> = {}): calls.Asker => (
  { wallet: "a", who: "guardian", lane: "look", token: 1, ...over }
);
const hour = defaults.longMs;

test("calls: numbers are odd and never the same; an answer ends a call once", () => {
  const c = calls.create(defaults);
  const one = calls.start(c, asker(), { op: "tip" }, 100, mono(0));
  const two = calls.start(c, asker({ lane: "exit" }), { op: "tip" }, 50, mono(0));
  assert.deepEqual([one.req, two.req], [3, 5]);
  assert.equal(calls.deadline(c), 50);
  assert.equal(calls.settle(c, 5), two);
  assert.equal(calls.settle(c, 5), undefined);
  assert.equal(calls.deadline(c), 100);
  assert.equal(calls.inLane(c, "a", "look"), one);
  assert.equal(calls.inLane(c, "a", "exit"), undefined);
});

test("calls: one for each wallet and lane, and no more than there is room for", () => {
  const c = calls.create({ ...defaults, openMax: 2 });
  calls.start(c, asker(), { op: "tip" }, 100, mono(0));
  assert.throws(() => calls.start(c, asker({ token: 2 }), { op: "tip" }, 100, mono(0)));
  calls.start(c, asker({ wallet: "b" }), { op: "tip" }, 100, mono(0));
  assert.ok(calls.isFull(c));
  assert.throws(() => calls.start(c, asker({ wallet: "c" }), { op: "tip" }, 100, mono(0)));
});

test("calls: what may be cut ends when its time is over, at its instant and not before", () => {
  const c = calls.create(defaults);
  const call = calls.start(c, asker(), { op: "vtxos" }, 100, mono(0));
  assert.deepEqual(calls.expired(c, mono(99)), []);
  assert.deepEqual(calls.expired(c, mono(100)), [{ call, as: "cut" }]);
  assert.equal(calls.settle(c, call.req), undefined);
  assert.equal(calls.deadline(c), NEVER);
});

test("calls: what must not be cut goes on: overdue, then stuck, and its answer counts", () => {
  const c = calls.create(defaults);
  const call = calls.start(c, asker(), { op: "exit", vtxos: ["x"] }, 100, mono(0));
  assert.deepEqual(calls.expired(c, mono(100)), [{ call, as: "overdue" }]);
  assert.equal(calls.deadline(c), hour);
  assert.deepEqual(calls.expired(c, mono(hour)), [{ call, as: "stuck" }]);
  assert.equal(calls.deadline(c), NEVER);
  assert.throws(() => calls.drop(c, asker()));
  assert.equal(calls.settle(c, call.req), call);
});

test("calls: lanes of the background keep their own time", () => {
  const c = calls.create(defaults);
  const own = asker({ who: "daemon", lane: "sync", token: 4 });
  const call = calls.start(c, own, { op: "probe" }, 100, mono(0));
  assert.equal(calls.deadline(c), hour);
  assert.deepEqual(calls.expired(c, mono(hour)), [{ call, as: "stuck" }]);
  assert.equal(calls.drop(c, { ...own, token: 3 }), undefined);
  assert.equal(calls.drop(c, own), call);
  assert.equal(calls.drop(c, own), undefined);
});
