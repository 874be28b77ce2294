import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { capabilities } from "../../../core/ark/facts.ts";
import * as watch from "../../../core/ark/watch.ts";
import { mono, NEVER } from "../../../core/time.ts";
import { laws, scripts, type Subject } from "../../support/laws.ts";

const { defaults: config, defaults: { graceMs } } = watch;
type Rig = { readonly m: watch.Watch; now: number };

function step(r: Rig, event: watch.Event): readonly watch.Effect[] {
  const out: watch.Effect[] = [];
  watch.step(r.m, event, mono(r.now), out);
  return out;
}

function rig(): Rig {
  const r = { m: watch.create(config), now: 0 };
  step(r, { type: "started" });
  for (const of of watch.watched) step(r, { type: "edge", of, to: "up", evidence: "answered" });
  return r;
}

const down = (of: watch.Watched): watch.Event => (
  { type: "edge", of, to: "down", evidence: "timeout" }
);
const up = (of: watch.Watched): watch.Event => (
  { type: "edge", of, to: "up", evidence: "answered" }
);

test("watch: what is away for its grace is told once, and that it is back", () => {
  for (const of of watch.watched) {
    const r = rig();
    r.now = 1_000;
    step(r, down(of));
    r.now += graceMs[of] - 1;
    assert.deepEqual(step(r, { type: "tick" }), []);
    r.now += 1;
    assert.equal(watch.deadline(r.m), r.now);
    assert.deepEqual(step(r, { type: "tick" }), [
      { type: "away", of, why: "timeout", awayMs: graceMs[of] },
    ]);
    assert.deepEqual(step(r, { type: "edge", of, to: "unknown", evidence: "aged" }), []);
    assert.deepEqual(step(r, { type: "tick" }), []);
    r.now += 5_000;
    assert.deepEqual(step(r, up(of)), [{ type: "back", of, awayMs: graceMs[of] + 5_000 }]);
    assert.equal(watch.deadline(r.m), NEVER);
  }
});

test("watch: what was up before the start is not away, and is told of when it goes", () => {
  for (const of of watch.watched) {
    const r: Rig = { m: watch.create(config), now: 0 };
    for (const one of watch.watched) assert.deepEqual(step(r, up(one)), []);
    r.now = 5_000;
    assert.deepEqual(step(r, { type: "started" }), []);
    assert.equal(watch.deadline(r.m), NEVER);
    step(r, down(of));
    r.now += graceMs[of];
    const told = { type: "away", of, why: "timeout", awayMs: graceMs[of] };
    assert.deepEqual(step(r, { type: "tick" }), [told]);
  }
});

test("watch: what was down before the start has its grace from the start, with its reason", () => {
  const r: Rig = { m: watch.create(config), now: 0 };
  step(r, down("program"));
  assert.equal(watch.deadline(r.m), NEVER);
  r.now = 5_000;
  step(r, { type: "started" });
  r.now += graceMs.program - 1;
  assert.deepEqual(step(r, { type: "tick" }), []);
  r.now += 1;
  const told = { type: "away", of: "program", why: "timeout", awayMs: graceMs.program };
  assert.deepEqual(step(r, { type: "tick" }), [told]);
});

test("watch: what comes back within its grace was never away", () => {
  const r = rig();
  for (let i = 0; i < 50; i += 1) {
    step(r, down("server"));
    r.now += graceMs.server - 1;
    assert.deepEqual([...step(r, { type: "tick" }), ...step(r, up("server"))], []);
  }
});

test("watch: nothing is told beside a program that is away; time begins with its return", () => {
  const r = rig();
  step(r, down("program"));
  step(r, down("chain"));
  r.now = graceMs.chain;
  assert.deepEqual(step(r, { type: "tick" }).map(({ of }) => of), ["program"]);
  step(r, up("program"));
  assert.equal(watch.deadline(r.m), r.now + graceMs.chain);
  r.now += graceMs.chain;
  assert.deepEqual(step(r, { type: "tick" }), [
    { type: "away", of: "chain", why: "timeout", awayMs: 2 * graceMs.chain },
  ]);
});

test("watch: after the stop, and of streams, nothing is told", () => {
  const r = rig();
  step(r, { type: "edge", of: "rounds", to: "down", evidence: "stream-ended" });
  assert.equal(watch.deadline(r.m), NEVER);
  step(r, down("server"));
  step(r, { type: "stopped" });
  assert.equal(watch.deadline(r.m), NEVER);
});

test("watch: laws: away and back take turns, and what stays away is told", () => {
  const event: fc.Arbitrary<watch.Event> = fc.record({
    type: fc.constant("edge" as const), of: fc.constantFrom(...capabilities),
    to: fc.constantFrom("up" as const, "down" as const, "unknown" as const),
    evidence: fc.constantFrom("answered" as const, "timeout" as const),
  });
  const subject: Subject<watch.Watch, watch.Event, watch.Effect> = {
    create: () => watch.create(config), step: watch.step, deadline: watch.deadline,
    tick: { type: "tick" }, settleMs: 1_300_000,
    lives: ({ state, steps }) => {
      for (const of of watch.watched) {
        const told = steps.flatMap(({ effects }) => effects.filter((one) => one.of === of));
        told.forEach(({ type }, i) => {
          assert.equal(type, i % 2 === 0 ? "away" : "back");
        });
      }
      const { awayAt, isTold } = state.all.get("program")!;
      assert.equal(isTold, awayAt !== NEVER);
    },
  };
  fc.assert(fc.property(scripts(event, 200_000), (script) => (
    void laws(subject, [{ afterMs: 0, event: { type: "started" } }, ...script])
  )), { numRuns: 50 });
});
