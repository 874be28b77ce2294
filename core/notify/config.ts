/**
 * The operator's settings of notices, and their defaults.
 * @module
 */
import { assert } from "../assert.ts";
import * as gate from "./gate.ts";
import * as lane from "./lane.ts";
import { kinds, type Kind } from "./notice.ts";
import { accepts, type Target } from "./target.ts";
import * as text from "./text.ts";

export type Config = {
  /** What titles begin with, so that several makers can share a telephone. */
  readonly label: string;
  readonly privacy: text.Privacy;
  /** Kinds that the operator does not want. Each loss of one directory, by default. */
  readonly off: readonly Kind[];
  readonly targets: readonly Target[];
  readonly gate: gate.Config;
  readonly lane: lane.Config;
  /** A notice waits so long for its record, in ms. 2,000. */
  readonly recordMs: number;
  /** A letter that leaves later than this says when it happened, in ms. 300,000. */
  readonly lateMs: number;
  /** Closing waits so long for targets, in ms. 5,000. */
  readonly closeMs: number;
  /** Runs that send a letter of an earlier one. 10. */
  readonly runsMax: number;
};

export const defaults: Config = {
  label: "Dogwatch maker", privacy: text.defaults, off: ["directory-lost", "directory-back"],
  targets: [], gate: gate.defaults, lane: lane.defaults, recordMs: 2_000, lateMs: 300_000,
  closeMs: 5_000, runsMax: 10,
};

/** More targets than anybody has telephones. */
export const targetsMax = 16;
/** Of the label, in UTF-16 units. */
export const labelMax = 40;

/** Asserts the relations of `c`; those of the gate and of the lanes are asserted there. */
export function check(c: Config): void {
  for (const n of [c.recordMs, c.lateMs, c.closeMs, c.runsMax]) {
    assert(Number.isSafeInteger(n), "a limit of the outbox is whole");
    assert(n >= 1, "a limit of the outbox leaves room for one");
  }
  assert(c.closeMs > c.recordMs, "closing waits for records");
  assert(c.label.length <= labelMax, "a label is short");
  assert(c.off.every((kind) => kinds.includes(kind)), "a kind that is off exists");
  assert(c.targets.length <= targetsMax, "targets are few");
  for (const t of c.targets) assert(accepts(t), `not a target: ${t.to}`);
  assert(new Set(c.targets.map(({ to }) => to)).size === c.targets.length, "targets differ");
}
