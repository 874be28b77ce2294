import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as lane from "../../../core/ark/lane.ts";
import { done, unavailable, type Op } from "../../../core/ark/wallet.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { laws, scripts, type Subject } from "../../support/laws.ts";

const down = unavailable("other", "x", "y");
const none = (): lane.Effect[] => [];
const at = (ms: number): Mono => mono(ms);

test("ark lane: a call that may be cut is dropped at its time, not before", () => {
  const l = lane.create();
  const out: lane.Effect[] = [];
  lane.call(l, { op: "probe" }, 50, at(0), out);
  assert.deepEqual(out.splice(0), [
    { type: "call", token: 1, call: { op: "probe" }, waitMs: 50 },
  ]);
  assert.throws(() => lane.call(l, { op: "probe" }, 50, at(0), out), /one call/);
  assert.equal(lane.tick(l, at(49), out), undefined);
  assert.deepEqual(out, none());
  const ended = lane.tick(l, at(50), out);
  assert.ok(ended?.answer.ok === false && ended.op === "probe" && ended.ranMs === 50);
  assert.deepEqual(out, [
    { type: "overdue", op: "probe", ranMs: 50, isDropped: true }, { type: "drop", token: 1 },
  ]);
  assert.ok(lane.isFree(l));
  assert.equal(lane.answered(l, 1, down, at(51), out), undefined, "dropped");
});

test("ark lane: one that must not be cut goes on, told once; its late answer counts", () => {
  const l = lane.create();
  const out: lane.Effect[] = [];
  lane.call(l, { op: "progress-exits" }, 50, at(0), out);
  out.length = 0;
  assert.equal(lane.tick(l, at(50), out), undefined);
  assert.deepEqual(out.splice(0), [
    { type: "overdue", op: "progress-exits", ranMs: 50, isDropped: false },
  ]);
  assert.ok(lane.isOverdue(l) && !lane.isFree(l));
  assert.equal(lane.deadline(l), NEVER);
  assert.equal(lane.tick(l, at(5_000), out), undefined);
  assert.equal(lane.cut(l), undefined);
  assert.deepEqual(out, none());
  assert.deepEqual(lane.answered(l, 1, down, at(9_000), out), {
    op: "progress-exits", answer: down, ranMs: 9_000,
  });
  assert.deepEqual(out, [{ type: "late", op: "progress-exits", ranMs: 9_000 }]);
});

test("ark lane: released by who knows that the program is gone; cut by who stops", () => {
  const l = lane.create();
  assert.equal(lane.released(l, at(1)), undefined);
  lane.call(l, { op: "sync" }, 50, at(1), none());
  const ended = lane.released(l, at(3));
  assert.ok(ended?.answer.ok === false && ended.answer.why === "unavailable");
  lane.call(l, { op: "tip" }, 50, at(4), none());
  assert.equal(lane.cut(l), 2);
  assert.equal(lane.cut(l), undefined);
  assert.throws(() => {
    lane.call(l, { op: "tip" }, 50, at(4), none());
    lane.answered(l, 3, done({ op: "alive" }), at(5), none());
  }, /another call/);
});

type Played = { readonly type: "call"; readonly op: "tip" | "sync" }
  | { readonly type: "answer" | "late" | "release" | "tick" };

test("ark lane: laws: what may be cut never holds a lane longer than it is waited for", () => {
  const waitMs = 20;
  const play = (l: lane.Lane, e: Played, now: Mono, out: lane.Effect[]): void => {
    const { tokens } = l;
    switch (e.type) {
      case "call": {
        const op: Op = { op: e.op };
        return lane.isFree(l) ? lane.call(l, op, waitMs, now, out) : undefined;
      }
      case "answer": return void lane.answered(l, tokens, down, now, out);
      case "late": return void lane.answered(l, tokens - 1, down, now, out);
      case "release": return void lane.released(l, now);
      case "tick": return void lane.tick(l, now, out);
    }
  };
  const subject: Subject<lane.Lane, Played, lane.Effect> = {
    create: lane.create, step: play, deadline: lane.deadline, tick: { type: "tick" },
    settleMs: 100,
    holds: (l, now) => {
      const { under } = l;
      if (under?.op === "tip") assert.ok(now < under.sentAt + waitMs, "held too long");
      if (under?.op === "sync" && now >= under.sentAt + waitMs) assert.ok(lane.isOverdue(l));
    },
    lives: (run) => {
      assert.notEqual(run.state.under?.op, "tip");
      for (const { effects } of run.steps) {
        assert.ok(effects.filter(({ type }) => type === "overdue").length <= 1);
      }
    },
  };
  const event: fc.Arbitrary<Played> = fc.oneof(
    fc.record({ type: fc.constant("call" as const), op: fc.constantFrom("tip", "sync") }),
    fc.record({ type: fc.constantFrom("answer", "late", "release") }),
  );
  fc.assert(fc.property(scripts(event, 40, 25), (s) => void laws(subject, s)), { numRuns: 80 });
});
