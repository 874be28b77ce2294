import assert from "node:assert/strict";
import { test } from "node:test";
import { unadjusted } from "../../../cli/sim/adjust.ts";
import type { Answer } from "../../../cli/sim/job.ts";
import {
  frame, line, type Look, shortCount, type View, virtualText,
} from "../../../cli/sim/progress.ts";
import { add, addTwice, createTally } from "../../../cli/sim/tally.ts";

const day = 86_400_000;

function view(over: Partial<View> = {}): View {
  const tally = createTally();
  const finding = {
    id: "L1", node: "maker1", says: "s", shape: "L1: s", step: 1, atUs: 1, pending: [],
  };
  const answer: Answer = {
    ok: true, entries: 20, touched: undefined,
    outcome: {
      verdict: "liveness", finding, digest: "d", checkpoints: [], steps: 400, virtualMs: 617 * day,
      goals: { S1: 4 }, faults: { halfOpen: { fired: 9_100, active: 1 }, crash: { fired: 12_000,
        active: 3 } }, gauges: {}, idle: [],
    },
  };
  add(tally, "0x94", 0, answer);
  for (let i = 0; i < 371; i += 1) addTwice(tally, "0x1", "a", "a");
  tally.seeds = 7_412;
  return {
    name: "hunt std20", recipe: { profile: "std20", adjust: unadjusted }, code: "1a2b3c4", jobs: 2,
    range: "0x1a00..0x410f", freshSeeds: 7_412, freshSteps: 148_240_000,
    freshVirtualMs: 617 * day, elapsedMs: 180_000, total: 10_000, forMs: undefined, tally,
    goalMode: "auto", doing: "", ...over,
  };
}

const plain: Look = { columns: 100, isPlain: true, isColoured: false };

test("sim cli: progress: a frame tells rate, time, faults, goals and findings", () => {
  const lines = frame(view({ doing: "L1 seed 0x94: shrinking 20 -> 5 -> 3 faults" }), plain);
  const text = lines.join("\n");
  assert.match(text, /^dogwatch sim hunt std20 - 1a2b3c4 - 2 processes - seeds 0x1a00\.\.0x410f\n/);
  assert.match(text, /^ #{15}\.{5} {2}7,412 \/ 10,000 seeds {3}41\/s {3}eta 1m03s$/m);
  assert.match(text, /virtual 617 d 0 h - 148,080 : 1 per process - 412 k ev\/s\/process/);
  assert.match(text, /determinism 371\/371 ok$/m);
  assert.match(text, /faults {2}crash 12k - half-open 9\.1k$/m);
  assert.match(text, /goals {3}1\/\d+ {3}missing: S2 /);
  assert.match(text, /found {3}x L1 \(liveness\) {2}seed 0x94\n {9}L1 seed 0x94: shrinking/);
});

test("sim cli: progress: nothing is wider than the terminal, and plain is ASCII", () => {
  for (const columns of [20, 40, 80, 200]) {
    for (const one of frame(view(), { ...plain, columns })) {
      assert.ok(one.length <= columns, one);
      assert.match(one, /^[\x20-\x7e]*$/);
    }
    for (const one of frame(view(), { columns, isPlain: false, isColoured: true })) {
      const shown = one.split("\x1b[")
        .map((part, i) => (i === 0 ? part : part.replace(/^\d*m/, "")));
      assert.ok(Array.from(shown.join("")).length <= columns, one);
    }
  }
});

test("sim cli: progress: a hunt by time shows what is left of it", () => {
  const timed = view({ forMs: 600_000, total: 1_000_000_000 });
  const drawn = frame(timed, plain).join("\n");
  assert.match(drawn, / #{6}\.{14} {2}7,412 seeds of 10m00s .* 7m00s left/);
});

test("sim cli: progress: in a log it is one line, and a short one", () => {
  assert.match(line(view()), /^hunt std20: 7,412 \/ 10,000 seeds, 41\/s, eta 1m03s, virtual 617 d/);
  assert.match(line(view()), /goals 1\/\d+ \(not S2 .* and \d+ more\), found L1$/);
  assert.ok(line(view()).length < 260);
  assert.equal(line(view({ doing: "shrinking" })), "hunt std20: shrinking");
  assert.match(line(view({ freshSeeds: 0, elapsedMs: 0 })), /0\.0\/s, virtual/);
});

test("sim cli: progress: counts and spans in a few characters", () => {
  const counts = [0, 999, 1_000, 9_949, 12_345, 999_499, 3_400_000].map((n) => shortCount(n));
  assert.deepEqual(counts, ["0", "999", "1.0k", "9.9k", "12k", "999k", "3.4M"]);
  assert.equal(virtualText(90_000), "1m30s");
  assert.equal(virtualText(3 * day + 3_600_000), "3 d 1 h");
  assert.equal(virtualText(1_000 * day), "2.7 years");
});
