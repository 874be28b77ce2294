import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as stopping from "../../../core/ark/stopping.ts";
import { mono, NEVER } from "../../../core/time.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";

const config: stopping.Config = { stopMs: 30, isCutting: true, isFinishing: false };
const sync: stopping.Running = { lane: "sync", op: "sync", sinceAt: mono(0) };
const exits: stopping.Running = { lane: "exits", op: "progress-exits", sinceAt: mono(0) };

function say(m: stopping.Stopping, event: stopping.Event, at: number): stopping.Effect[] {
  const out: stopping.Effect[] = [];
  stopping.step(m, event, mono(at), out);
  return out;
}
const stop = (running: readonly stopping.Running[], isWaiting = true): stopping.Event => (
  { type: "stop", isWaiting, running }
);

test("ark stopping: nothing runs: stopped at once", () => {
  const m = stopping.create(config);
  assert.deepEqual(say(m, stop([]), 1), [
    { type: "answered", running: [] }, { type: "stopped", running: [], tookMs: 0 },
  ]);
  assert.deepEqual(say(m, stop([]), 2), [{ type: "answered", running: [] }]);
});

test("ark stopping: stop and wait: answered when the last call has ended", () => {
  const m = stopping.create(config);
  assert.deepEqual(say(m, stop([sync, exits]), 1), []);
  assert.deepEqual(say(m, { type: "ended", lane: "sync" }, 5), []);
  assert.deepEqual(say(m, { type: "ended", lane: "exits" }, 9), [
    { type: "answered", running: [] }, { type: "stopped", running: [], tookMs: 8 },
  ]);
});

test("ark stopping: H31: the wait is bounded; what still runs is named, and not cut", () => {
  const m = stopping.create(config);
  say(m, stop([sync, exits]), 1);
  say(m, { type: "ended", lane: "sync" }, 5);
  assert.deepEqual(say(m, { type: "tick" }, 30), []);
  assert.deepEqual(say(m, { type: "tick" }, 31), [
    { type: "answered", running: [exits] },
    { type: "stopped", running: [exits], tookMs: 30 },
  ]);
  assert.deepEqual(stopping.remaining(m), [exits]);
  assert.deepEqual(say(m, { type: "ended", lane: "exits" }, 90), [{ type: "drained" }]);
});

test("ark stopping: stop without waiting is answered at once; a second wish ends the wait", () => {
  const m = stopping.create(config);
  assert.deepEqual(say(m, stop([sync], false), 1), [{ type: "answered", running: [sync] }]);
  assert.deepEqual(say(m, stop([sync]), 3), [
    { type: "answered", running: [sync] }, { type: "stopped", running: [sync], tookMs: 2 },
  ]);
});

test("ark stopping: H31: a start waits until nothing of the former run is under way", () => {
  const m = stopping.create(config);
  assert.deepEqual(say(m, { type: "start" }, 0), []);
  say(m, stop([exits], false), 1);
  assert.deepEqual(say(m, { type: "start" }, 2), []);
  say(m, { type: "tick" }, 31);
  assert.ok(!stopping.isRunning(m));
  assert.deepEqual(say(m, { type: "ended", lane: "exits" }, 50), [
    { type: "drained" }, { type: "start" },
  ]);
  assert.ok(stopping.isRunning(m));
});

test("ark stopping: source: waits as long as it takes", () => {
  const m = stopping.create({ stopMs: 0, isCutting: false, isFinishing: false });
  say(m, stop([sync]), 1);
  assert.equal(stopping.deadline(m), NEVER);
  assert.throws(() => stopping.create({ stopMs: -1, isCutting: true, isFinishing: false }));
});

type Played = { readonly type: "stop" | "start" | "sync" | "exits" | "tick" };

test("ark stopping: laws: who waits has his answer in stopMs; there are never two runs", () => {
  const play: Subject<stopping.Stopping, Played, stopping.Effect>["step"] = (
    m, { type }, now, out,
  ) => {
    const step = (event: stopping.Event): void => stopping.step(m, event, now, out);
    switch (type) {
      case "stop": return step(stop(stopping.isRunning(m) ? [sync, exits] : []));
      case "start": case "tick": return step({ type });
      case "sync": case "exits": return step({ type: "ended", lane: type });
    }
  };
  const subject: Subject<stopping.Stopping, Played, stopping.Effect> = {
    create: () => stopping.create(config), step: play, deadline: stopping.deadline,
    tick: { type: "tick" }, settleMs: 40,
    holds: (m) => assert.ok(!stopping.isRunning(m) || m.running.size === 0),
    lives: (run) => {
      const stops = run.steps.filter(({ event }) => event.type === "stop");
      const answers = effectsOf(run).filter(({ effect }) => effect.type === "answered");
      assert.equal(answers.length, stops.length);
      for (const { at } of stops) {
        assert.ok(answers.some((a) => a.at >= at && a.at <= at + config.stopMs));
      }
    },
  };
  const event = fc.constantFrom<Played["type"]>("stop", "start", "sync", "exits")
    .map((type): Played => ({ type }));
  fc.assert(fc.property(scripts(event, 40, 20), (s) => void laws(subject, s)), { numRuns: 80 });
});
