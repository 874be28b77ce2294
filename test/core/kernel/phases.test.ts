import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import { assertMove, mermaid, type Transition } from "../../../core/kernel/phases.ts";

type Phase = "shaking" | "half-open" | "closing";

const table: readonly Transition<Phase>[] = [
  { from: "shaking", on: "line", to: "half-open", note: "the first line" },
  { from: "*", on: "lost", to: "closing", note: "the stream ended" },
];

test("kernel: phases: a change in the table passes, from any phase for the star", () => {
  assertMove(table, "shaking", "line", "half-open");
  assertMove(table, "shaking", "lost", "closing");
  assertMove(table, "half-open", "lost", "closing");
  assertMove(table, "closing", "lost", "closing");
});

test("kernel: phases: a change that is not in the table is our error", () => {
  assert.throws(() => assertMove(table, "half-open", "line", "shaking"), InvariantError);
  assert.throws(() => assertMove(table, "shaking", "lost", "half-open"), InvariantError);
  assert.throws(() => assertMove(table, "half-open", "line", "half-open"), InvariantError);
  const never = (): void => assertMove([], "shaking", "line", "half-open");
  assert.throws(never, /shaking to half-open on line/);
});

test("kernel: phases: exactly the listed changes pass", () => {
  const phase = fc.constantFrom("a", "b", "c");
  const on = fc.constantFrom("x", "y");
  const row = fc.record({ from: phase, on, to: phase, note: fc.constant("") });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 6 }), row, (rows, move) => {
      const listed = rows.some((r) => r.from === move.from && r.on === move.on && r.to === move.to);
      const check = (): void => assertMove(rows, move.from, move.on, move.to);
      if (listed) assert.doesNotThrow(check);
      else assert.throws(check, InvariantError);
    }),
    { numRuns: 200 },
  );
});

test("kernel: phases: the diagram names each phase once and each change in order", () => {
  const expected = [
    "---",
    "title: link",
    "---",
    "stateDiagram-v2",
    '  state "shaking" as p_shaking',
    '  state "half-open" as p_half_open',
    '  state "any phase" as p_any_phase',
    '  state "closing" as p_closing',
    "  p_shaking --> p_half_open: line",
    "  p_any_phase --> p_closing: lost",
    "",
  ];
  assert.equal(mermaid("link", table), expected.join("\n"));
});
