import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import * as gate from "../../../core/notify/gate.ts";
import type { Config, Draft, Gate } from "../../../core/notify/gate.ts";
import { priorities } from "../../../core/notify/notice.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { laws, scripts, type Run, type Subject } from "../../support/laws.ts";

const small: Config = {
  sameMs: 100, changesMax: 2, subjectsMax: 4, onceMax: 3, routineMax: 4, importantMax: 3,
  hourMs: 1_000,
};
const roomy: Config = { ...small, routineMax: 99, importantMax: 99, subjectsMax: 99 };

const draft = (subject: string, state: string, fields: Partial<Draft> = {}): Draft =>
  ({ nature: "state", subject, state, priority: "normal", ...fields });

function at(g: Gate<Draft>, ms: number, d: Draft): gate.Verdict {
  return gate.offer(g, d, mono(ms));
}

function ticked(g: Gate<Draft>, ms: number): gate.Effect<Draft>[] {
  const out: gate.Effect<Draft>[] = [];
  gate.tick(g, mono(ms), out);
  return out;
}

test("notify: gate: the same state within the window is no news, a changed one is", () => {
  const g = gate.create<Draft>(roomy);
  assert.equal(at(g, 0, draft("tor", "down")), "pass");
  assert.equal(at(g, 99, draft("tor", "down")), "same");
  assert.equal(at(g, 99, draft("tor", "up")), "pass");
  assert.equal(at(g, 100, draft("disk", "full")), "pass");
  assert.equal(at(g, 199, draft("tor", "up")), "pass", "its window is over");
});

test("notify: gate: a flapping subject ends with its last state, told when there is room", () => {
  const g = gate.create<Draft>(roomy);
  const states = ["down", "up", "down", "up", "down"];
  const verdicts = states.map((state, i) => at(g, i * 10, draft("tor", state)));
  assert.deepEqual(verdicts, ["pass", "pass", "held", "same", "held"]);
  assert.equal(gate.deadline(g), 100);
  assert.deepEqual(ticked(g, 99), []);
  assert.deepEqual(ticked(g, 100), [{ type: "pass", draft: draft("tor", "down") }]);
  assert.equal(gate.deadline(g), NEVER);
});

test("notify: gate: a subject that came back to what was told has nothing more to tell", () => {
  const g = gate.create<Draft>(roomy);
  for (const [i, state] of ["down", "up", "down", "up"].entries()) {
    at(g, i, draft("tor", state));
  }
  assert.equal(gate.deadline(g), NEVER);
});

test("notify: gate: an event again within the window is no news", () => {
  const g = gate.create<Draft>(roomy);
  const ban = draft("peer:1", "banned", { nature: "event" });
  assert.deepEqual([at(g, 0, ban), at(g, 99, ban), at(g, 100, ban)], ["pass", "same", "pass"]);
});

test("notify: gate: once is once, as long as it is among the last ones", () => {
  const g = gate.create<Draft>(roomy);
  const tx = (n: number) => draft(`tx:${n}`, "confirmed", { nature: "once" });
  for (const n of [1, 2, 3]) assert.equal(at(g, 0, tx(n)), "pass");
  assert.equal(at(g, 999_999, tx(1)), "same");
  assert.ok(gate.isToldOnce(g, tx(1)));
  assert.ok(!gate.isToldOnce(g, { ...tx(1), nature: "event" }));
  assert.equal(at(g, 999_999, tx(4)), "pass");
  assert.ok(!gate.isToldOnce(g, tx(1)), "beyond onceMax the oldest is forgotten");
  assert.equal(g.once.size, 3);
  gate.remember(g, tx(9));
  assert.equal(at(g, 999_999, tx(9)), "same");
  assert.throws(() => gate.remember(g, draft("tor", "down")), InvariantError);
});

test("notify: gate: an hour bears so many, and its end tells how many more there were", () => {
  const g = gate.create<Draft>(small);
  const each = draft("test", "test", { nature: "each" });
  const verdicts = [0, 1, 2, 3, 4].map((ms) => at(g, ms, each));
  assert.deepEqual(verdicts, ["pass", "pass", "pass", "suppressed", "suppressed"]);
  assert.equal(gate.deadline(g), 1_000);
  assert.deepEqual(ticked(g, 999), []);
  assert.deepEqual(ticked(g, 1_000), [{ type: "suppressed", count: 2 }]);
  assert.equal(at(g, 1_000, draft("suppressed", "suppressed", { nature: "each" })), "pass");
  assert.equal(at(g, 1_001, each), "pass");
  assert.equal(gate.deadline(g), NEVER);
});

test("notify: gate: the place for the count is free however full the hour is", () => {
  const g = gate.create<Draft>(small);
  for (let ms = 0; ms < 9; ms += 1) at(g, ms, draft("test", "test", { nature: "each" }));
  assert.equal(at(g, 9, draft("suppressed", "suppressed", { nature: "each" })), "pass");
  assert.equal(at(g, 9, draft("suppressed", "suppressed", { nature: "each" })), "suppressed");
});

test("notify: gate: a peer that provokes many notices silences no alarm", () => {
  const g = gate.create<Draft>(small);
  for (let n = 0; n < 50; n += 1) at(g, n, draft(`peer:${n}`, "banned", { nature: "event" }));
  assert.equal(at(g, 50, draft("tor", "down", { priority: "urgent" })), "pass");
  assert.equal(g.hour.suppressed, 47);
  assert.ok(g.events.size <= small.subjectsMax);
});

test("notify: gate: a state that an hour has no room for is told when it is over", () => {
  const g = gate.create<Draft>(small);
  for (const n of [1, 2, 3]) at(g, n, draft(`s${n}`, "down", { priority: "high" }));
  assert.equal(at(g, 10, draft("s4", "down", { priority: "urgent" })), "held");
  assert.equal(at(g, 11, draft("s4", "worse", { priority: "urgent" })), "held");
  assert.equal(gate.deadline(g), 1_001);
  const told = ticked(g, 1_001);
  assert.deepEqual(told, [{ type: "pass", draft: draft("s4", "worse", { priority: "urgent" }) }]);
});

test("notify: gate: no more states are held than there may be subjects", () => {
  const g = gate.create<Draft>(small);
  const verdicts = Array.from({ length: 9 }, (_, n) => at(g, n, draft(`s${n}`, "down")));
  assert.deepEqual(verdicts.slice(3), ["held", "held", "held", "held", "suppressed", "suppressed"]);
  assert.equal(g.held.size, small.subjectsMax);
});

test("notify: gate: what an earlier run told counts, each for as long as it still does", () => {
  const g = gate.create<Draft>(small);
  const now = mono(5);
  gate.recall(g, draft("process", "started"), 60, now);
  gate.recall(g, draft("tor", "down"), 100, now);
  gate.recall(g, draft("disk", "full"), 1_000, now);
  assert.equal(g.hour.routine, 2);
  assert.equal(at(g, 5, draft("process", "started")), "same");
  assert.equal(at(g, 5, draft("tor", "down")), "pass");
  assert.equal(at(g, 44, draft("process", "started")), "same");
  assert.equal(at(g, 45, draft("process", "started")), "held", "the hour is full");
  assert.throws(() => gate.recall(g, draft("tor", "down"), -1, now), InvariantError);
});

test("notify: gate: a daemon that dies again and again tells so a few times an hour", () => {
  const told: { d: Draft; at: number }[] = [];
  for (let start = 0; start < 3_600_000; start += 5_000) {
    const g = gate.create<Draft>(gate.defaults);
    for (const t of told) gate.recall(g, t.d, start - t.at, mono(0));
    const d = draft("process", "started", { priority: "low" });
    if (gate.offer(g, d, mono(0)) === "pass") told.push({ d, at: start });
  }
  assert.ok(told.length <= 6, `${told.length} times`);
});

test("notify: gate: limits leave room for one, and other limits hold from then on", () => {
  for (const wrong of [{ sameMs: 0 }, { changesMax: 0 }, { routineMax: 1 }, { importantMax: 0 },
    { hourMs: 0 }, { onceMax: 0 }, { subjectsMax: 0 }]) {
    assert.throws(() => gate.create({ ...small, ...wrong }), InvariantError);
  }
  assert.throws(() => gate.create({ ...small, sameMs: NaN }), InvariantError);
  const g = gate.create<Draft>(small);
  gate.reconfigure(g, { ...small, routineMax: 2 });
  assert.equal(at(g, 0, draft("a", "x")), "pass");
  assert.equal(at(g, 0, draft("b", "x")), "held");
});

type Event = { readonly type: "offer"; readonly draft: Draft } | { readonly type: "tick" };
type Effect = gate.Effect<Draft> | { readonly type: "verdict"; readonly verdict: gate.Verdict };

function step(g: Gate<Draft>, event: Event, now: Mono, out: Effect[]): void {
  const effects: gate.Effect<Draft>[] = [];
  gate.tick(g, now, effects);
  out.push(...effects);
  if (event.type === "tick") return;
  out.push({ type: "verdict", verdict: gate.offer(g, event.draft, now) });
}

/** Told so far in the hour of each pass, and the last state of each subject. */
function lives(run: Run<Gate<Draft>, Event, Effect>): void {
  const wanted = new Map<string, string>();
  const told = new Map<string, string>();
  const passes: { at: number; important: boolean }[] = [];
  for (const { at: ms, event, effects } of run.steps) {
    for (const effect of effects) {
      const passed = effect.type === "pass" ? effect.draft
        : effect.type === "verdict" && effect.verdict === "pass" && event.type === "offer"
          ? event.draft : undefined;
      if (passed === undefined) continue;
      const important = passed.priority === "high" || passed.priority === "urgent";
      passes.push({ at: ms, important });
      if (passed.nature === "state") told.set(passed.subject, passed.state);
    }
    if (event.type !== "offer" || event.draft.nature !== "state") continue;
    wanted.set(event.draft.subject, event.draft.state);
  }
  assert.deepEqual(told, new Map([...told.keys()].map((s) => [s, wanted.get(s) ?? ""])));
  assert.equal(told.size, wanted.size, "the last state of every subject was told");
  for (const { at: from, important } of passes) {
    const inHour = passes.filter((p) => p.important === important && p.at >= from
      && p.at < from + small.hourMs);
    // An hour of ours may lie across two of the gate's.
    assert.ok(inHour.length <= 2 * (important ? small.importantMax : small.routineMax));
  }
}

test("notify: gate: the four laws hold, and every subject's last state is told in the end", () => {
  const subject: Subject<Gate<Draft>, Event, Effect> = {
    create: () => gate.create(small), step, deadline: gate.deadline, tick: { type: "tick" },
    settleMs: 4_000, lives,
    holds: (g) => {
      assert.ok(g.held.size <= small.subjectsMax);
      assert.ok(g.states.size <= small.subjectsMax);
      assert.ok(g.once.size <= small.onceMax);
    },
  };
  const event: fc.Arbitrary<Event> = fc.record({
    type: fc.constant("offer" as const),
    draft: fc.oneof(
      fc.record({
        nature: fc.constant("state" as const), subject: fc.constantFrom("a", "b", "c", "d"),
        state: fc.constantFrom("x", "y"), priority: fc.constantFrom(...priorities),
      }),
      fc.record({
        nature: fc.constantFrom("event" as const, "once" as const, "each" as const),
        subject: fc.constantFrom("e", "f", "g", "h", "i", "j"), state: fc.constant("z"),
        priority: fc.constantFrom(...priorities),
      }),
    ),
  });
  fc.assert(fc.property(scripts(event, 300, 40, true), (script) => void laws(subject, script)),
    { numRuns: 150 });
});
