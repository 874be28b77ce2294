/**
 * The legal phase changes of a machine as data.
 *
 * Rule 1: what is not in the table is illegal; the machine asserts every change, so the table
 * cannot lie.
 * Rule 2: the diagrams in `docs/phases` are drawn from these tables and from nothing else.
 * Not known here: what data a phase holds, and when a change is due.
 * @module
 */
import { assert } from "../assert.ts";

/**
 * One legal change. `"*"` stands for every phase, `to` included; `note` says why, in one line,
 * without `|`.
 */
export type Transition<P extends string> = {
  readonly from: P | "*";
  readonly on: string;
  readonly to: P;
  readonly note: string;
};

/** Throws `InvariantError` unless the table has a change from `from` to `to` when `on` happens. */
export function assertMove<P extends string>(
  table: readonly Transition<P>[],
  from: P,
  on: string,
  to: P,
): void {
  const legal = table.some((t) =>
    t.on === on && t.to === to && (t.from === from || t.from === "*"));
  if (!legal) assert(false, `illegal phase change: ${from} to ${to} on ${on}`);
}

/**
 * The table as a Mermaid state diagram, titled `name`: lines in table order, each ended by a line
 * feed.
 */
export function mermaid<P extends string>(name: string, table: readonly Transition<P>[]): string {
  const lines = ["---", `title: ${name}`, "---", "stateDiagram-v2"];
  for (const phase of phasesOf(table)) lines.push(`  state "${shown(phase)}" as ${alias(phase)}`);
  for (const t of table) lines.push(`  ${alias(t.from)} --> ${alias(t.to)}: ${t.on}`);
  return `${lines.join("\n")}\n`;
}

function phasesOf<P extends string>(table: readonly Transition<P>[]): Set<P | "*"> {
  const phases = new Set<P | "*">();
  for (const t of table) {
    phases.add(t.from);
    phases.add(t.to);
  }
  return phases;
}

function shown(phase: string): string {
  return phase === "*" ? "any phase" : phase;
}

/** Mermaid takes no punctuation in identifiers, and `end` is a word of its own there. */
function alias(phase: string): string {
  return phase === "*" ? "p_any_phase" : `p_${phase.replaceAll(/[^A-Za-z0-9]/g, "_")}`;
}
