import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import * as leaves from "../../../core/directory/leaves.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { effectsOf, laws, scripts, type Run, type Subject } from "../../support/laws.ts";

type M = leaves.Leaves;
type Event =
  | { readonly type: "left" | "back"; readonly nick: string; readonly mark: number }
  | { readonly type: "tick" };

const leaveMs = 20;
const lineBytesMax = 24;

function step(m: M, event: Event, now: Mono, out: leaves.Effect[]): void {
  switch (event.type) {
    case "left": return leaves.left(m, event.nick, entryOf(event), now);
    case "back": return void leaves.back(m, event.nick);
    case "tick": return leaves.tick(m, now, out);
    default: assert.fail();
  }
}

const entryOf = (e: { readonly nick: string; readonly mark: number }) => `${e.nick};${e.mark};D`;

/** Every maker that stayed away is told once and in time, none that is back, in order. */
function lives(run: Run<M, Event, leaves.Effect>): void {
  let told = effectsOf(run).flatMap(({ at, effect }) =>
    effect.line.split(",").map((entry) => ({ at, entry })));
  const owed = new Map<string, { readonly entry: string; readonly at: number }>();
  const settle = (now: number) => {
    const due = told.filter(({ at }) => at <= now);
    told = told.filter(({ at }) => at > now);
    if (due.length === 0) return;
    assert.deepEqual(due.map(({ entry }) => entry), [...owed.values()].map(({ entry }) => entry));
    owed.clear();
  };
  for (const { at, event } of run.steps) {
    settle(at);
    for (const gone of owed.values()) assert.ok(at - gone.at <= leaveMs, "told too late");
    if (event.type === "tick") continue;
    owed.delete(event.nick);
    if (event.type === "left") owed.set(event.nick, { entry: entryOf(event), at });
  }
  settle(run.now);
  assert.deepEqual([owed.size, told.length], [0, 0]);
  for (const { effect } of effectsOf(run)) {
    assert.ok(effect.line.length <= lineBytesMax || !effect.line.includes(","));
  }
}

const subject: Subject<M, Event, leaves.Effect> = {
  create: () => leaves.create(leaveMs, lineBytesMax),
  step, deadline: leaves.deadline, tick: { type: "tick" }, settleMs: 50, lives,
};

test("directory: leaves: laws: who stays away is told once and in time, who is back is not", () => {
  const nick = fc.constantFrom("a", "bb", "ccc", "dddd", "e".repeat(40));
  const event: fc.Arbitrary<Event> = fc.record({
    type: fc.constantFrom("left" as const, "left" as const, "back" as const),
    nick, mark: fc.nat(99),
  });
  fc.assert(fc.property(scripts(event, 30), (script) => void laws(subject, script)));
});

test("directory: leaves: nothing in the last millisecond, one line at the end", () => {
  const m = leaves.create(2_000, 16_384);
  const out: leaves.Effect[] = [];
  for (let n = 0; n < 3; n += 1) leaves.left(m, `n${n}`, `n${n};x;D`, mono(100 + n));
  leaves.tick(m, mono(2_099), out);
  assert.deepEqual(out, []);
  leaves.tick(m, mono(2_100), out);
  assert.deepEqual(out, [{ type: "notice", line: "n0;x;D,n1;x;D,n2;x;D" }]);
  assert.equal(leaves.deadline(m), NEVER);
});

test("directory: leaves: a nick that is back takes its notice with it", () => {
  const m = leaves.create(20, 100);
  const out: leaves.Effect[] = [];
  leaves.left(m, "a", "a;x;D", mono(0));
  assert.equal(leaves.back(m, "a"), true);
  assert.equal(leaves.back(m, "a"), false);
  leaves.tick(m, mono(20), out);
  assert.deepEqual(out, []);
});

test("directory: leaves: a window with too many notices ends at once", () => {
  const m = leaves.create(60_000, 16_384);
  for (let n = 0; n < 4_095; n += 1) leaves.left(m, `n${n}`, `n${n};x;D`, mono(5));
  assert.equal(leaves.deadline(m), 60_005);
  leaves.left(m, "last", "last;x;D", mono(5));
  assert.equal(leaves.deadline(m), 6);
  const out: leaves.Effect[] = [];
  leaves.tick(m, mono(6), out);
  assert.equal(out.flatMap(({ line }) => line.split(",")).length, 4_096);
  assert.ok(out.length <= 4 && out.every(({ line }) => line.length <= 16_384));
});

test("directory: leaves: create: refuses what cannot work", () => {
  assert.throws(() => leaves.create(0, 100), InvariantError);
  assert.throws(() => leaves.create(1, 0), InvariantError);
});
