import assert from "node:assert/strict";
import { test } from "node:test";
import type { BenchLine } from "../../../cli/sim/bench-figures.ts";
import { page, shrinkOf } from "../../../cli/sim/bench-page.ts";
import type { Kept } from "../../../cli/sim/files.ts";

const line = (over: Partial<BenchLine["figures"]> = {}): BenchLine => ({
  bench: 1, at: Date.UTC(2026, 10, 22), code: "abc", machine: "Some CPU, 2 cores, Node 20",
  figures: {
    eventsPerSecond: 500_000, stepsPerSecond: 240_000, ratio: 40_000, jobs: 2,
    seedsPerHour: 39_999, seedMs: { p50: 170, p95: 400, most: 900 }, checkShare: 31,
    scaling: [
      { nodes: 50, eventsPerSecond: 300_001 }, { nodes: 1_000, eventsPerSecond: 150_000 },
    ],
    ...over,
  },
});

const kept = (runs: number, ms?: number): Kept =>
  ({ shrunk: { runs, ...(ms === undefined ? {} : { ms }), from: 9, to: 2 } }) as Kept;

test("sim bench: page: each figure beside its target, at it and just below", () => {
  const text = page(line(), []);
  for (const row of [
    "| events/s, one process | >= 500,000 | 500,000 | yes |",
    "| steps of machines among them | - | 240,000 | - |",
    "| simulated : wall, std20, one process | >= 40,000 : 1 | 40,000 : 1 | yes |",
    "| complete std20 seeds/h, 2 processes | >= 40,000 | 39,999 | no |",
    "| events/s at 50 nodes | - | 300,001 | - |",
    "| events/s at 1,000 nodes | >= half of 50 nodes: 150,001 | 150,000 | no |",
  ]) assert.ok(text.includes(`\n${row}\n`), `${row}\n${text}`);
  assert.match(text, /Measured 2026-11-22 by `npm run bench:sim`: Some CPU, 2 cores, Node 20\./);
  assert.ok(page(line({ eventsPerSecond: 499_999 }), []).includes("| 499,999 | no |"), "below it");
  assert.ok(!text.includes("shrink"), "nothing was noted");
});

test("sim bench: page: shrinking is told by the medians of what was noted", () => {
  assert.equal(shrinkOf([kept(5), { } as Kept]), undefined);
  const noted = [kept(100, 2_000), kept(500, 10_000), kept(900, 30_000), kept(1)];
  assert.deepEqual(shrinkOf(noted), { failures: 3, runs: 500, seconds: 10 });
  const text = page(line(), noted);
  assert.ok(text.includes("| runs to shrink a failure, 3 kept ones | <= 500 | 500 | yes |"), text);
  assert.ok(text.includes("| seconds to shrink a failure, 3 kept ones | <= 10 | 10.0 | yes |"));
  assert.ok(text.includes("[shrink.md](shrink.md)"), "and where it is measured alone");
});
