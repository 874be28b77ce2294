import assert from "node:assert/strict";
import { test } from "node:test";
import { defaults, type Config } from "../../../core/notify/config.ts";
import type { Letter } from "../../../core/notify/letter.ts";
import * as routes from "../../../core/notify/routes.ts";
import type { Effect } from "../../../core/notify/routes.ts";
import type { Target } from "../../../core/notify/target.ts";
import * as prng from "../../../core/prng.ts";
import { mono, NEVER } from "../../../core/time.ts";
import { letter } from "../../support/notices.ts";

const exec = (to: string, priorityMin: Target["priorityMin"] = "low"): Target =>
  ({ kind: "exec", to, priorityMin });
const config = (...targets: Target[]): Config => ({ ...defaults, targets });
const make = (...targets: Target[]) => routes.create(config(...targets), prng.key("routes"));

function got(act: (out: Effect[]) => void): readonly string[] {
  const out: Effect[] = [];
  act(out);
  return out.map((e) => {
    if (e.type === "exec.start") return `start ${e.to} ${e.req}`;
    if (e.type === "req.drop") return `drop ${e.req}`;
    if (e.type === "sent" || e.type === "lost") return `${e.type} ${e.to} ${e.letter.id}`;
    return e.type;
  });
}

test("notify: routes: a letter goes where it matters enough", () => {
  const m = make(exec("a", "urgent"), exec("b"), exec("c", "normal"));
  assert.deepEqual(routes.namesFor(m, letter({ priority: "low" })), ["b"]);
  assert.deepEqual(routes.namesFor(m, letter({ priority: "normal" })), ["b", "c"]);
  assert.deepEqual(routes.namesFor(m, letter({ priority: "urgent" })), ["a", "b", "c"]);
});

test("notify: routes: an answer counts for the request under way and for no other", () => {
  const m = make(exec("a"), exec("b"));
  const now = mono(0);
  assert.deepEqual(got((out) => routes.put(m, "a", letter(), now, out)), ["start a 1"]);
  assert.deepEqual(got((out) => routes.put(m, "b", letter(), now, out)), ["start b 2"]);
  for (const req of [0, 3, 99]) {
    assert.deepEqual(got((out) => routes.answered(m, req, { type: "sent" }, now, out)), []);
  }
  assert.deepEqual(got((out) => routes.answered(m, 2, { type: "sent" }, now, out)), ["sent b 1"]);
  assert.deepEqual(got((out) => routes.answered(m, 2, { type: "sent" }, now, out)), []);
  assert.deepEqual(routes.status(m).map(({ waiting }) => waiting), [1, 0]);
});

test("notify: routes: a letter to a target that is gone is lost", () => {
  const m = make(exec("a"));
  assert.deepEqual(got((out) => routes.put(m, "b", letter(), mono(0), out)), ["lost b 1"]);
});

test("notify: routes: a late record marks the letters that still wait", () => {
  const m = make(exec("a"));
  const late = letter({ token: 7, isRecorded: false });
  routes.put(m, "a", late, mono(0), []);
  routes.recorded(m, 8);
  assert.equal(late.isRecorded, false);
  routes.recorded(m, 7);
  assert.equal(late.isRecorded, true);
});

test("notify: routes: a reload adds, keeps and removes", () => {
  const m = make(exec("a"), exec("b"));
  for (const to of ["a", "b"]) routes.put(m, to, letter(), mono(0), []);
  const next = config(exec("b", "urgent"), exec("c"));
  assert.deepEqual(got((out) => routes.reloaded(m, next, out)), ["drop 1", "lost a 1"]);
  assert.deepEqual(routes.status(m).map(({ to, waiting }) => `${to} ${waiting}`), ["b 1", "c 0"]);
  assert.deepEqual(routes.namesFor(m, letter()), ["c"]);
});

test("notify: routes: closing leaves what is not sent, once for all targets", () => {
  const m = make(exec("a"), exec("b"));
  assert.equal(routes.deadline(m), NEVER);
  const both = letter();
  for (const to of ["a", "b"]) routes.put(m, to, both, mono(0), []);
  assert.equal(routes.deadline(m), defaults.lane.answerMs);
  assert.equal(routes.isDone(m), false);
  const left = new Set<Letter>();
  assert.deepEqual(got((out) => routes.close(m, left, out)), ["drop 1", "drop 2"]);
  assert.deepEqual([...left], [both]);
});

test("notify: routes: targets that fail together do not come back together", () => {
  const m = make(exec("a"), exec("b"), exec("c"), exec("d"));
  for (const [i, to] of ["a", "b", "c", "d"].entries()) {
    routes.put(m, to, letter(), mono(0), []);
    const outcome = { type: "later", waitMs: 0, counts: true, why: "reset" } as const;
    routes.answered(m, i + 1, outcome, mono(0), []);
  }
  const ends = [...m.byName.values()].map((r) => ("until" in r.lane.at ? r.lane.at.until : 0));
  assert.ok(new Set(ends).size > 1);
});
