/**
 * What a run came to, for people: one screen of 80 columns; and for programs: JSON and a last line.
 *
 * Rule 1: a report says what is wrong, how to make it happen again, and what is known of why; it
 * holds no bytes that a peer chose.
 * Rule 2: decides nothing: times, paths and numbers are given.
 * @module
 */
import { canonicalText, hashOf } from "./canonical.ts";
import type { Finding, Outcome } from "./outcome.ts";
import type { Recording } from "./recording.ts";
import { cut, edges, hanging, columns, listing } from "./report/lines.ts";
import { lastSteps, story } from "./report/story.ts";
import { harmKinds, type Scenario } from "./scenario.ts";
import { perMille, type Row, type WhyResult } from "./why.ts";
import {
  countText, harmNames, harmWords, nodesText, partsText, plural, signs as allSigns, spanText,
  taskText, timeText, whenText, type HarmWords, type Signs,
} from "./words.ts";

/** How reports look. */
export type Look = { readonly signs: Signs; readonly width: number };
export const look: Look = { signs: allSigns, width: 80 };

/** What shrinking did. */
export type ShrinkFacts = {
  readonly fromFaults: number;
  readonly runs: number;
  readonly ms: number;
  readonly isMinimal: boolean;
};

/** A failure and what is known of it. */
export type Failure = {
  readonly scenario: Scenario;
  readonly outcome: Outcome;
  readonly finding: Finding;
  readonly commit: string;
  /** The rule that was broken, if it is known beside the finding's id, such as `M3`. */
  readonly rule?: string;
  /** The invariant in a few words, such as `a handshake has its own deadline`. */
  readonly means?: string;
  readonly shrunk?: ShrinkFacts;
  readonly why?: WhyResult;
  readonly recording?: Recording;
  /** Files that were written. */
  readonly repro?: string;
  readonly picture?: string;
  readonly kept?: string;
};

const program = "npx dogwatch sim";
const pendingMax = 4;
const entriesMax = 12;
const tasksMax = 4;
const storyMax = 8;

/** The report of a failure. */
export function failureText(f: Failure, l: Look = look): string[] {
  return [
    ...headText(f, l), "",
    ...scenarioText(f, l), "",
    ...storyText(f, l),
    ...whyText(f, l),
    ...commandText(f),
  ];
}

function headText(f: Failure, l: Look): string[] {
  const { finding } = f;
  const verdict = f.outcome.verdict.toUpperCase();
  const head = `${l.signs.fail} ${verdict}  ${finding.id} ${l.signs.dot} `;
  const who = finding.says.includes(finding.node) ? "" : `${finding.node}: `;
  const says = hanging(head, `${who}${finding.says}`, l.width);
  const named = f.rule === undefined ? [] : [`rule ${f.rule}`];
  const words = [...named, ...(f.means === undefined ? [] : [f.means])].join(": ");
  const rule = words === "" ? "" : `[${words}]`;
  const last = says.at(-1) ?? "";
  return [...says.slice(0, -1), ...edges(last, rule, l.width), ...pendingText(f, l)];
}

function pendingText(f: Failure, l: Look): string[] {
  const pending = f.finding.pending.filter((one) => one !== f.finding.says);
  const where = `  ${instantText(f)}`;
  if (pending.length === 0) return [`${where}, step ${countText(f.finding.step)}`];
  const shown = pending.slice(0, pendingMax).flatMap((one) => hanging("    ", one, l.width));
  const more = pending.length - pendingMax;
  const rest = more > 0 ? [`    ${l.signs.more} and ${more} more`] : [];
  return [`${where}, still pending:`, ...shown, ...rest];
}

function instantText(f: Failure): string {
  const atMs = Math.trunc(f.finding.atUs / 1_000);
  const { faultyMs, convergeMs } = f.scenario.phases;
  const heal = convergeMs > 0 && atMs >= faultyMs;
  const after = heal ? `, ${spanText(wholeSeconds(atMs - faultyMs))} after the heal` : "";
  return `at ${timeText(atMs)}${after}`;
}

function wholeSeconds(ms: number): number {
  return ms < 1_000 ? ms : ms - (ms % 1_000);
}

function scenarioText(f: Failure, l: Look): string[] {
  const { scenario, shrunk } = f;
  const size = shrunk === undefined ? "" : shrunk.isMinimal ? "minimal " : "smaller ";
  const how = shrunk === undefined ? "" : `  (${shrunkText(shrunk)})`;
  return [
    `  ${size}scenario   ${partsText(scenario)}${how}`,
    ...entryLines(scenario, l),
    ...hanging("    ", settingText(scenario, l), l.width),
  ];
}

function shrunkText(s: ShrinkFacts): string {
  return `from ${countText(s.fromFaults)}; ${plural(s.runs, "run")}, ${tenths(s.ms)} s`;
}

function tenths(ms: number): string {
  const parts = Math.round(ms / 100);
  return `${countText(Math.trunc(parts / 10))}.${parts % 10}`;
}

/** Everything that is not a fault, on a line. */
function settingText(s: Scenario, l: Look): string {
  return `${nodesText(s)}${healText(s)} ${l.signs.dot} seed ${s.seed}`;
}

/** Without a core the heal helps nobody: all that is left of it is what it breaks. */
function healText({ phases }: Scenario): string {
  if (phases.convergeMs === 0) return "";
  const at = timeText(phases.faultyMs);
  if (phases.core.length === 0) return `, no core: everybody is cut off at ${at}`;
  return `, heal of ${listing(phases.core)} at ${at}`;
}

function entryLines(s: Scenario, l: Look): string[] {
  const faults = s.faults.map((fault) => entryRow(timeText(fault.at), harmWords(fault, l.signs)));
  const triggers = s.triggers.map((one) => entryRow(whenText(one), harmWords(one.do, l.signs)));
  const tasks = s.workload.map((task) => `${timeText(task.at)}  ${taskText(task)}`);
  return [
    ...columns(limited(faults, entriesMax), [0]), ...columns(limited(triggers, entriesMax), []),
    ...limited(tasks, tasksMax), ...moreText(s, l),
  ].map((line) => cut(`    ${line}`, l.width, l.signs.more));
}

function entryRow(when: string, words: HarmWords): string[] {
  return [when, words.what, words.where, words.how];
}

function limited<T>(list: readonly T[], max: number): readonly T[] {
  return list.length > max ? list.slice(0, max) : list;
}

function moreText(s: Scenario, l: Look): string[] {
  const hidden = over(s.faults.length, entriesMax) + over(s.triggers.length, entriesMax)
    + over(s.workload.length, tasksMax);
  return hidden === 0 ? [] : [`${l.signs.more} and ${countText(hidden)} more`];
}

function over(count: number, max: number): number {
  return count > max ? count - max : 0;
}

function storyText(f: Failure, l: Look): string[] {
  if (f.recording === undefined) return [];
  const lines = story(f.recording, l.signs, storyMax, l.width - 4);
  if (lines.length === 0) return [];
  return ["  what happened", ...lines.map((line) => `    ${line}`), ""];
}

function whyText(f: Failure, l: Look): string[] {
  if (f.why === undefined) return [];
  return [...hanging("  why      ", whySentence(f.why, l), l.width), ""];
}

/** `failure probability jumps 2 % → 100 % at 72:32; faults 1, 2 and 3 are each necessary`. */
export function whySentence(w: WhyResult, l: Look = look): string {
  const { jump } = w;
  const when = jump.toUs === 0 ? "the scenario alone makes it fail, whatever is drawn"
    : `failure probability jumps ${percent(w.before)} ${l.signs.there} ${percent(w.after)} at `
      + timeText(Math.trunc(jump.toUs / 1_000));
  return w.rows.length === 0 ? when : `${when}; ${neededText(w.rows)}`;
}

function percent(parts: number): string {
  return `${Math.round(parts / 10)} %`;
}

function neededText(rows: readonly Row[]): string {
  const needed = rows.filter((row) => row.without !== "fails");
  const faults = needed.filter((row) => row.list !== "workload").map((row) => String(row.id));
  const tasks = needed.filter((row) => row.list === "workload").map((row) => String(row.id));
  const parts = [named("fault", faults), named("task", tasks)].filter((part) => part !== "");
  return parts.length === 0 ? "no single entry is necessary" : parts.join("; ");
}

function named(what: string, ids: readonly string[]): string {
  if (ids.length === 0) return "";
  if (ids.length === 1) return `${what} ${ids[0]} is necessary`;
  return `${what}s ${listing(ids)} are each necessary`;
}

/** Commands and paths are never cut: they are copied. The break is where it was decided. */
function commandText(f: Failure): string[] {
  const decidedUs = f.why === undefined ? 0 : f.why.jump.toUs;
  const at = timeText(Math.trunc((decidedUs > 0 ? decidedUs : f.finding.atUs) / 1_000));
  const replay = `${program} replay ${f.repro ?? f.scenario.seed} --break ${at}`;
  return [
    `  replay   ${replay}`,
    ...(f.picture === undefined ? [] : [`  picture  ${f.picture}`]),
    ...(f.kept === undefined ? [] : [`  test     ${f.kept}`]),
  ];
}

/** The full answer of `why`: the table, the graph, and last steps if there is a recording. */
export function whyReport(
  w: WhyResult,
  scenario: Scenario,
  recording: Recording | undefined,
  l: Look = look,
): string[] {
  const steps = recording === undefined ? []
    : ["", "last steps of those involved", ...lastSteps(recording, 10, l.width, l.signs.more)];
  return [
    ...hanging("why  ", whySentence(w, l), l.width), "",
    ...tableText(w, scenario, l),
    "failing when everything random is drawn anew from", ...graphText(w, l), ...steps,
  ];
}

function tableText(w: WhyResult, s: Scenario, l: Look): string[] {
  const rows = w.rows.map((row) => [
    `${oneOf[row.list]} ${row.id}`, effectText(row), entryText(s, row, l),
  ]);
  if (rows.length === 0) return [];
  const lines = columns(rows, []).map((line) => cut(`  ${line}`, l.width, l.signs.more));
  return ["without", ...lines, ""];
}

const oneOf = { faults: "fault", triggers: "trigger", workload: "task" } as const;

function effectText(row: Row): string {
  if (row.without === "passes") return "necessary";
  return row.without === "fails" ? "not needed" : `otherwise ${row.says}`;
}

function entryText(s: Scenario, row: Row, l: Look): string {
  const fault = s.faults.find((one) => one.id === row.id);
  if (fault !== undefined) return wordsText(timeText(fault.at), harmWords(fault, l.signs));
  const trigger = s.triggers.find((one) => one.id === row.id);
  if (trigger !== undefined) return wordsText(whenText(trigger), harmWords(trigger.do, l.signs));
  const task = s.workload.find((one) => one.id === row.id);
  return task === undefined ? "" : `${timeText(task.at)} ${taskText(task)}`;
}

function wordsText(when: string, words: HarmWords): string {
  return entryRow(when, words).filter((part) => part !== "").join(" ");
}

const barColumns = 40;

function graphText(w: WhyResult, l: Look): string[] {
  const rows = w.points.map((point) => [
    timeText(Math.trunc(point.atUs / 1_000)), percent(perMille(point)),
    `${point.fails}/${point.runs}`, bar(perMille(point), l.signs),
  ]);
  return columns(rows, [0, 1, 2]).map((line) => `  ${line}`);
}

/** A bar for parts of a thousand, in eighths of a column. */
export function bar(parts: number, s: Signs): string {
  const eighths = Math.round((parts * barColumns * 8) / 1_000);
  const whole = Math.trunc(eighths / 8);
  return `${(s.bars[8] ?? "#").repeat(whole)}${s.bars[eighths % 8] ?? ""}`.trimEnd();
}

/** The summary of a run that passed. `ms`: how long it took, if known. */
export function passText(
  s: Scenario,
  o: Outcome,
  ms: number | undefined,
  l: Look = look,
): string[] {
  const dot = ` ${l.signs.dot} `;
  const sizes = [
    `virtual ${spanText(wholeSeconds(o.virtualMs))}`, `${countText(o.steps)} steps`,
    ...speed(o, ms),
  ];
  const fired = harmKinds.flatMap((kind) => {
    const count = o.faults[kind]?.fired ?? 0;
    return count === 0 ? [] : [`${harmNames[kind]} ${countText(count)}`];
  });
  return [
    `${l.signs.pass} PASS  ${s.name}${dot}seed ${s.seed}`,
    ...hanging("  run      ", sizes.join(dot), l.width),
    ...hanging("  nodes    ", nodesText(s), l.width),
    ...hanging("  faults   ", fired.length === 0 ? "none" : fired.join(dot), l.width),
    ...hanging("  goals    ", goalText(o), l.width),
    ...gaugeText(o, dot, l),
    `  hash     ${o.digest}`,
  ];
}

function speed(o: Outcome, ms: number | undefined): string[] {
  if (ms === undefined) return [];
  const perMs = Math.trunc(o.virtualMs / (ms < 1 ? 1 : ms));
  return [`${tenths(ms)} s`, `${countText(perMs)} : 1`];
}

function goalText(o: Outcome): string {
  const goals = Object.keys(o.goals).toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1));
  return goals.length === 0 ? "none" : goals.join(" ");
}

function gaugeText(o: Outcome, dot: string, l: Look): string[] {
  const gauges = Object.entries(o.gauges).map(([name, parts]) => `${name} ${percent(parts)}`);
  return gauges.length === 0 ? [] : hanging("  nearest  ", gauges.join(dot), l.width);
}

/** The last line of every command: `SIM fail id=L1 seed=… …`; absent values are left out. */
export function lastLine(
  word: string,
  fields: readonly (readonly [name: string, value: string | number | undefined])[],
): string {
  const parts = fields.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${String(value).replace(/\s+/g, "_")}`]);
  return ["SIM", word, ...parts].join(" ");
}

/** The last line of a failure. */
export function failLine(f: Failure): string {
  return lastLine("fail", [
    ["id", f.finding.id], ["rule", f.rule], ["seed", f.scenario.seed], ["commit", f.commit],
    ["hash", f.outcome.digest], ["repro", f.repro],
  ]);
}

/** The last line of a run that passed, or whose budget was used up. */
export function passLine(s: Scenario, o: Outcome, commit: string): string {
  return lastLine(o.verdict, [
    ["seed", s.seed], ["commit", commit], ["hash", o.digest], ["steps", o.steps],
    ["virtualMs", o.virtualMs],
  ]);
}

/** A failure as plain JSON data. */
export function failureJson(f: Failure): object {
  const { finding, scenario, outcome } = f;
  return {
    verdict: outcome.verdict, id: finding.id, rule: f.rule, node: finding.node, says: finding.says,
    shape: finding.shape, pending: finding.pending, step: finding.step, atUs: finding.atUs,
    seed: scenario.seed, commit: f.commit, hash: outcome.digest, scenarioHash: hashOf(scenario),
    shrunk: f.shrunk, why: f.why, repro: f.repro, picture: f.picture, kept: f.kept,
    scenario: JSON.parse(canonicalText(scenario)) as unknown,
  };
}

/** A run that passed as plain JSON data. */
export function passJson(s: Scenario, o: Outcome, commit: string): object {
  return {
    verdict: o.verdict, seed: s.seed, name: s.name, commit, hash: o.digest, steps: o.steps,
    virtualMs: o.virtualMs, goals: o.goals, faults: o.faults, gauges: o.gauges, idle: o.idle,
    scenarioHash: hashOf(s),
  };
}
