import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Answer } from "../../../cli/sim/job.ts";
import { add, addTwice, createTally, merge, type Tally } from "../../../cli/sim/tally.ts";
import { exitOfTally } from "../../../cli/sim/verdict.ts";
import type { Outcome } from "../../../sim/outcome.ts";

const passed: Outcome = {
  verdict: "pass", finding: undefined, digest: "00", checkpoints: [], steps: 100, virtualMs: 1_000,
  goals: { S1: 3 }, faults: { cut: { fired: 2, active: 1 } }, gauges: { outbox: 400 }, idle: [],
};

function answer(over: Partial<Outcome> = {}): Answer {
  return { ok: true, outcome: { ...passed, ...over }, entries: 4, touched: undefined };
}

function failed(id: string, steps: number, verdict: Outcome["verdict"] = "safety"): Answer {
  const finding = {
    id, node: "dir0", says: "it", shape: `${id}: it`, step: 1, atUs: 1, pending: [],
  };
  return answer({ verdict, finding, steps });
}

test("sim cli: tally: sums, first hits and extremes", () => {
  const t = createTally();
  add(t, "0x1", 0, answer({ goals: {} }));
  add(t, "0x2", 1, answer());
  add(t, "0x3", 2, answer({ gauges: { outbox: 900 } }));
  assert.equal(t.seeds, 3);
  assert.equal(t.steps, 300);
  assert.deepEqual(t.goals, { S1: { seed: "0x2", nth: 1, count: 2 } });
  assert.deepEqual(t.faults, { cut: { fired: 6, active: 3 } });
  assert.deepEqual(t.gauges, { outbox: { most: 900, seed: "0x3" } });
});

test("sim cli: tally: one shape is one finding, and the fastest-failing seed stands for it", () => {
  const t = createTally();
  assert.ok(add(t, "0x1", 0, failed("D2", 50)) !== undefined);
  assert.equal(add(t, "0x2", 1, failed("D2", 20)), undefined);
  assert.equal(add(t, "0x3", 2, failed("D2", 20)), undefined);
  assert.ok(add(t, "0x4", 3, failed("D5", 90)) !== undefined);
  const brief = t.found.map(({ finding, seed, count }) => [finding.id, seed, count]);
  assert.deepEqual(brief, [["D2", "0x2", 3], ["D5", "0x4", 1]]);
});

test("sim cli: tally: the digest is that of the runs in their order", () => {
  const one = createTally();
  const other = createTally();
  add(one, "0x1", 0, answer({ digest: "a" }));
  add(one, "0x2", 1, answer({ digest: "b" }));
  add(other, "0x2", 0, answer({ digest: "b" }));
  add(other, "0x1", 1, answer({ digest: "a" }));
  assert.notEqual(one.digest, other.digest);
});

const answers = fc.array(fc.oneof(
  fc.constant(answer()), fc.constant(answer({ goals: { S2: 1 } })),
  fc.integer({ min: 1, max: 99 }).map((steps) => failed("D2", steps)),
  fc.integer({ min: 1, max: 99 }).map((steps) => failed("L1", steps, "liveness")),
  fc.constant<Answer>({ ok: false, says: "gone", touched: undefined }),
  fc.constant(answer({ verdict: "budget" })),
), { maxLength: 30 });

test("sim cli: tally: shards merged are the whole, whoever took which seeds", () => {
  fc.assert(fc.property(answers, fc.integer({ min: 1, max: 5 }), (list, of) => {
    const whole = createTally();
    const parts = Array.from({ length: of }, () => createTally());
    for (const [nth, one] of list.entries()) {
      add(whole, `0x${nth.toString(16)}`, nth, one);
      add(parts[nth % of] as Tally, `0x${nth.toString(16)}`, nth, one);
    }
    const merged = createTally();
    for (const part of parts) merge(merged, part);
    const plain = ({ found, broken, spent, ...rest }: Tally): unknown => ({
      ...rest, digest: "", broken: broken.map((b) => b.seed).sort((a, b) => (a < b ? -1 : 1)),
      spent: [...spent].sort((a, b) => (a < b ? -1 : 1)),
      found: found.map((f) => [f.finding.id, f.seed, f.steps, f.count].join(" "))
        .sort((a, b) => (a < b ? -1 : 1)),
    });
    assert.deepEqual(plain(merged), plain(whole));
    assert.equal(exitOfTally(merged, []), exitOfTally(whole, []));
  }), { numRuns: 60 });
});

test("sim cli: verdict: what makes the others doubtful comes first", () => {
  const t = createTally();
  assert.equal(exitOfTally(t, []), 0);
  add(t, "0x1", 0, answer({ verdict: "budget" }));
  assert.equal(exitOfTally(t, []), 15);
  assert.equal(exitOfTally(t, ["S1"]), 14);
  add(t, "0x2", 1, failed("L1", 10, "liveness"));
  assert.equal(exitOfTally(t, ["S1"]), 11);
  add(t, "0x3", 2, failed("D2", 10));
  assert.equal(exitOfTally(t, []), 10);
  add(t, "0x4", 3, failed("crash", 10, "crash"));
  assert.equal(exitOfTally(t, []), 13);
  addTwice(t, "0x4", "a", "b");
  assert.equal(exitOfTally(t, []), 12);
});
