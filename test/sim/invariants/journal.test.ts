import assert from "node:assert/strict";
import { test } from "node:test";
import { ascii, concat } from "../../../core/bytes.ts";
import * as record from "../../../core/history/record.ts";
import * as kernel from "../../../core/kernel/kernel.ts";
import { mono } from "../../../core/time.ts";
import * as actor from "../../../sim/actors/journal.ts";
import type { JournalEffect, JournalEvent, JournalTold } from "../../../sim/actors/journal.ts";
import * as observer from "../../../sim/invariants/journal.ts";
import { text } from "../../../sim/invariants/violation.ts";
import * as rigs from "../../support/journal.ts";

/** What is said about a step, without ids. */
type Step = (event: JournalEvent, ...effects: readonly JournalEffect[]) => readonly string[];

function watched(o: observer.Observer): Step {
  return (event, ...effects) => observer.observe(o, event, effects, mono(7)).map((one) => {
    assert.equal(one.id, "M13");
    assert.match(text(one), /^M13 \(a crash at any boundary/);
    return one.says;
  });
}

const told = (what: JournalTold): JournalEffect => ({ type: "told", what });
const load = { type: "store.load", req: 1 } as const;
const sync = (req: number): JournalEffect => ({ type: "store.sync", req });
const started: JournalEvent = { type: "started" };
const asking: JournalEvent = { type: "asked", task: { op: "append", count: 1, bytes: 1 } };

function file(...bodies: readonly string[]): Uint8Array {
  return concat([record.header, ...bodies.map((body, i) => record.encode(i + 1, i, body))]);
}

function ready(bytes: Uint8Array, count: number): JournalEffect {
  return told({ type: "ready", bytes, end: bytes.length, count, tornBytes: 0 });
}

const asked = (token: number): JournalEffect => told({ type: "asked", token, body: `b${token}` });
const line = (seq: number): Uint8Array => record.encode(seq, seq - 1, `b${seq}`);
const write = (req: number, ...parts: readonly Uint8Array[]): JournalEffect =>
  ({ type: "store.append", req, bytes: concat(parts) });

/** A process that has read a file of these bodies, and says `ready` at its first sync. */
function opened(o: observer.Observer, ...bodies: readonly string[]): readonly string[] {
  const step = watched(o);
  const bytes = file(...bodies);
  return [
    ...step(started, load),
    ...step({ type: "store.loaded", req: 1, bytes }, sync(2)),
    ...step({ type: "store.synced", req: 2 }, ready(bytes, bodies.length)),
  ];
}

/** One record is asked for, written and synced by its turn. */
function kept(step: Step, seq: number, req: number): readonly string[] {
  return [
    ...step(asking, write(req, line(seq)), asked(seq)),
    ...step({ type: "store.appended", req }, sync(req + 1)),
    ...step({ type: "store.synced", req: req + 1 }, told({ type: "durable", token: seq, seq })),
  ];
}

test("invariants: M13: an honest journal", () => {
  const o = observer.create();
  assert.deepEqual(opened(o), []);
  assert.deepEqual(kept(watched(o), 1, 3), []);
  assert.deepEqual(kept(watched(o), 2, 5), []);
  observer.crashed(o);
  assert.deepEqual(observer.reloaded(o, ["b1", "b2"]), []);
  assert.deepEqual(opened(o, "b1", "b2"), []);
});

test("invariants: M13: what was announced is there after a crash, in order, once", () => {
  const found: readonly (readonly [readonly string[], RegExp])[] = [
    [["b1"], /2 records were announced, 1 are there/],
    [["b2", "b1"], /record 1 is not what was written/],
    [["b1", "b2", "b2"], /1 records are there that were never written/],
    [["b1", "b9"], /record 2 is not/],
  ];
  for (const [bodies, says] of found) {
    const o = observer.create();
    opened(o);
    kept(watched(o), 1, 3);
    kept(watched(o), 2, 5);
    observer.crashed(o);
    assert.match(observer.reloaded(o, bodies)[0]?.says ?? "", says);
    assert.match(opened(o, ...bodies)[0] ?? "", says);
  }
});

test("invariants: M13: what was being written may be there from the front", () => {
  for (const bodies of [["b1"], ["b1", "b2"], ["b1", "b2", "b3"]]) {
    const o = observer.create();
    opened(o);
    kept(watched(o), 1, 3);
    watched(o)(asking, write(5, line(2), line(3)), asked(2), asked(3), asked(4));
    observer.crashed(o);
    observer.crashed(o);
    assert.deepEqual(observer.reloaded(o, bodies), []);
    assert.equal(observer.reloaded(o, ["b1", "b3"]).length, 1);
    assert.equal(observer.reloaded(o, ["b1", "b2", "b3", "b4"]).length, 1, "b4 was not written");
    assert.deepEqual(opened(o, ...bodies), []);
    observer.crashed(o);
    assert.deepEqual(observer.reloaded(o, bodies), [], "what was read once stays");
  }
});

test("invariants: M13: nothing is announced before its sync", () => {
  const o = observer.create();
  const step = watched(o);
  opened(o);
  step(asking, write(3, line(1)), asked(1));
  const durable = told({ type: "durable", token: 1, seq: 1 });
  assert.deepEqual(step({ type: "store.appended", req: 3 }, sync(4), durable), [
    "1 records announced, 0 synced",
  ]);
});

test("invariants: M13: a sync that was ordered before its write was answered keeps nothing", () => {
  const o = observer.create();
  const step = watched(o);
  opened(o);
  const early = step(asking, write(3, line(1)), sync(4), asked(1));
  assert.deepEqual(early, ["store.sync while store.append is under way"]);
  const durable = told({ type: "durable", token: 1, seq: 1 });
  assert.deepEqual(step({ type: "store.synced", req: 4 }, durable), [
    "1 records announced, 0 synced",
  ]);
});

test("invariants: M13: a record that is synced is announced", () => {
  const o = observer.create();
  const step = watched(o);
  opened(o);
  step(asking, write(3, line(1)), asked(1));
  step({ type: "store.appended", req: 3 }, sync(4));
  assert.equal(observer.waitingSince(o), 7);
  assert.deepEqual(step({ type: "store.synced", req: 4 }), ["0 records announced, 1 synced"]);
});

test("invariants: M13: records are announced in turn and by their number", () => {
  const o = observer.create();
  const step = watched(o);
  opened(o);
  step(asking, write(3, line(1), line(2)), asked(1), asked(2));
  step({ type: "store.appended", req: 3 }, sync(4));
  const says = step({ type: "store.synced", req: 4 },
    told({ type: "durable", token: 2, seq: 1 }), told({ type: "durable", token: 1, seq: 2 }));
  assert.deepEqual(says, [
    "record 2 is announced out of turn", "record 1 is announced as number 2",
  ]);
});

test("invariants: M13: a write holds what waits, in whole lines", () => {
  const bad: readonly (readonly [Uint8Array, RegExp])[] = [
    [line(2), /line 1 of a write/], [concat([line(1), line(1)]), /line 2 of a write/],
    [concat([line(1), ascii("x")]), /does not end with a line/],
  ];
  for (const [bytes, says] of bad) {
    const o = observer.create();
    opened(o);
    const found = watched(o)(asking, write(3, bytes), asked(1), asked(2));
    assert.match(found[0] ?? "", says);
  }
});

test("invariants: M13: one order at a time, and no answer without an order", () => {
  const o = observer.create();
  const step = watched(o);
  assert.deepEqual(step({ type: "store.synced", req: 9 }), [
    "the disk answered an order that was not given",
  ]);
  step(started, load);
  assert.deepEqual(step({ type: "tick" }, load), ["store.load while store.load is under way"]);
});

test("invariants: M13: a second write before the first is durable or cut off", () => {
  const o = observer.create();
  const step = watched(o);
  opened(o);
  step(asking, write(3, line(1)), asked(1));
  assert.deepEqual(step({ type: "store.failed", req: 3, reason: "full" }, write(4, line(1))), [
    "a second write before the first is durable or cut off",
  ]);
});

test("invariants: M13: a write that failed is cut off and made again", () => {
  const o = observer.create();
  const step = watched(o);
  opened(o);
  const size = record.header.length;
  step(asking, write(3, line(1)), asked(1));
  const says = [
    ...step({ type: "store.failed", req: 3, reason: "full" },
      { type: "store.truncate", req: 4, size }),
    ...step({ type: "store.truncated", req: 4 }, sync(5)),
    ...step({ type: "store.synced", req: 5 }),
    ...step({ type: "tick" }, write(6, line(1))),
    ...step({ type: "store.appended", req: 6 }, sync(7)),
    ...step({ type: "store.synced", req: 7 }, told({ type: "durable", token: 1, seq: 1 })),
  ];
  assert.deepEqual(says, []);
});

test("invariants: M13: announced records are not cut off", () => {
  const o = observer.create();
  opened(o);
  kept(watched(o), 1, 3);
  const size = record.header.length;
  assert.deepEqual(watched(o)({ type: "tick" }, { type: "store.truncate", req: 9, size }), [
    "announced records are cut off",
  ]);
});

test("invariants: M13: what is written is not refused, nor what nobody asked for", () => {
  const o = observer.create();
  const step = watched(o);
  opened(o);
  step(asking, write(3, line(1)), asked(1), asked(2),
    told({ type: "refused", token: 2, why: "behind" }));
  assert.equal(o.waiting.length, 1);
  assert.deepEqual(step({ type: "tick" }, told({ type: "refused", token: 1, why: "behind" })), [
    "record 1 was written",
  ]);
  assert.deepEqual(step({ type: "tick" }, told({ type: "refused", token: 5, why: "long" })), [
    "record 5 is refused and was not asked for",
  ]);
});

test("invariants: M13: a sound file does not break the journal, a failed sync may", () => {
  const broken = told({ type: "broken", code: "journal-damaged" });
  const o = observer.create();
  opened(o);
  assert.deepEqual(watched(o)({ type: "tick" }, broken), [
    "the journal broke (journal-damaged) over a sound file",
  ]);
  const spoiled = observer.create();
  const step = watched(spoiled);
  opened(spoiled);
  step(asking, write(3, line(1)), asked(1));
  step({ type: "store.appended", req: 3 }, sync(4));
  assert.deepEqual(step({ type: "store.failed", req: 4, reason: "io" }, broken,
    told({ type: "refused", token: 1, why: "broken" })), []);
  observer.crashed(spoiled);
  for (const bodies of [[], ["b1"]]) assert.deepEqual(observer.reloaded(spoiled, bodies), []);
});

/** A process whose sync failed dies, alone or with its machine, before it has cut the file. */
function died(power: boolean): observer.Observer {
  const o = observer.create();
  opened(o);
  kept(watched(o), 1, 3);
  const step = watched(o);
  step(asking, write(5, line(2)), asked(2));
  step({ type: "store.appended", req: 5 }, sync(6));
  step({ type: "store.failed", req: 6, reason: "io" }, { type: "store.load", req: 7 });
  observer.crashed(o, power);
  return o;
}

test("invariants: M13: what was synced in vain may go when the power fails, and only then", () => {
  const broken = told({ type: "broken", code: "journal-damaged" });
  const lost = died(false);
  assert.deepEqual(opened(lost, "b1", "b2"), []);
  observer.crashed(lost, false);
  assert.match(observer.reloaded(lost, ["b1"])[0]?.says ?? "", /2 records were announced, 1/);
  observer.crashed(lost, true);
  assert.deepEqual(watched(lost)({ type: "tick" }, broken), [], "what is left may be damaged");
  assert.deepEqual(opened(lost, "b1"), []);
  observer.crashed(lost, true);
  assert.match(opened(lost)[0] ?? "", /1 records were announced, 0 are there/);
  const kept2 = died(true);
  assert.deepEqual(opened(kept2, "b1", "b2"), []);
  observer.crashed(kept2, true);
  assert.match(opened(kept2, "b1")[0] ?? "", /2 records were announced, 1 are there/);
});

test("invariants: M13: who announces after a failed sync answers for it", () => {
  const o = observer.create();
  opened(o);
  const step = watched(o);
  step(asking, write(3, line(1)), asked(1));
  step({ type: "store.appended", req: 3 }, sync(4));
  step({ type: "store.failed", req: 4, reason: "io" }, sync(5));
  step({ type: "store.synced", req: 5 }, told({ type: "durable", token: 1, seq: 1 }));
  observer.crashed(o, false);
  observer.crashed(o, true);
  assert.match(observer.reloaded(o, [])[0]?.says ?? "", /1 records were announced, 0 are there/);
});

test("invariants: M13: ready once in a life, with as many records as are there", () => {
  const o = observer.create();
  opened(o);
  assert.deepEqual(watched(o)({ type: "tick" }, ready(file(), 1)), [
    "the journal is ready twice in one life", "1 records are told of, 0 are there",
  ]);
  const short = told({ type: "ready", bytes: file(), end: 50, count: 0, tornBytes: 0 });
  observer.crashed(o);
  assert.deepEqual(watched(o)({ type: "tick" }, short), [], "a header that was made since");
});

test("invariants: M13: double drive: a step that depends on anything else is seen", () => {
  const state = actor.create(actor.configOf("journal0", 1), mono(0));
  const honest = kernel.create(actor.root, state, mono(0), false);
  assert.deepEqual(observer.stepDouble(honest, { type: "started" }, mono(1)).violations, []);
  let calls = 0;
  const root: typeof actor.root = {
    ...actor.root,
    step: (m, event, now, out) => {
      calls += 1;
      actor.root.step(m, event, now, out);
      if (calls % 2 === 0) out.push({ type: "mark", mark: "synced" });
    },
  };
  const fresh = actor.create(actor.configOf("journal0", 1), mono(0));
  const forgetful = kernel.create(root, fresh, mono(0), false);
  const { violations } = observer.stepDouble(forgetful, { type: "started" }, mono(1));
  assert.deepEqual([...new Set(violations.map((one) => one.id))], ["M13"]);
});

test("invariants: M13: the rig sees a disk that loses what it synced", () => {
  const r = rigs.rig();
  rigs.ask(r, 3);
  rigs.pass(r, 1_000);
  r.disk.size -= 10;
  r.disk.kept = r.disk.size;
  rigs.die(r, true);
  assert.match(r.violations[0]?.says ?? "", /3 records were announced, 2 are there/);
});
