import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "../../../core/assert.ts";
import { check, defaults, labelMax, targetsMax } from "../../../core/notify/config.ts";
import type { Config } from "../../../core/notify/config.ts";
import type { Target } from "../../../core/notify/target.ts";

const exec = (n: number): Target => ({ kind: "exec", to: `notice:${n}`, priorityMin: "low" });

test("notify: config: the defaults are accepted, and targets up to their number", () => {
  check(defaults);
  check({ ...defaults, targets: Array.from({ length: targetsMax }, (_, n) => exec(n)) });
  check({ ...defaults, label: "x".repeat(labelMax) });
});

test("notify: config: what cannot be is refused", () => {
  const wrong: Partial<Config>[] = [
    { recordMs: 0 }, { lateMs: 0 }, { closeMs: 0 }, { runsMax: 0 }, { recordMs: 1_500_000_000.5 },
    { closeMs: 2_000 }, { label: "x".repeat(labelMax + 1) },
    { targets: [exec(1), exec(1)] }, { targets: [{ ...exec(1), to: "" }] },
    { targets: Array.from({ length: targetsMax + 1 }, (_, n) => exec(n)) },
    { off: ["nothing" as "test"] },
  ];
  for (const part of wrong) {
    assert.throws(() => check({ ...defaults, ...part }), InvariantError, JSON.stringify(part));
  }
});
