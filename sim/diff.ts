/**
 * The first place where two runs differ: of recordings, of trace files, and of states.
 *
 * Rule 1: everything is compared as lines of text; what is equal before the difference is shown in
 * part, so that one sees where one is.
 * Rule 2: headers of trace files may differ (time, version); that is told and is no divergence.
 * Rule 3: what comes after a secret in a recorded trace cannot be made again exactly; a difference
 * there is called so.
 * @module
 */
import { hex } from "../core/bytes.ts";
import { isSecret } from "../core/secret.ts";
import type { Recording, StepRecord } from "./recording.ts";
import { timeText } from "./words.ts";

export type Diff =
  | { readonly isSame: true; readonly count: number; readonly notes: readonly string[] }
  | {
      readonly isSame: false;
      /** How many are equal before it; also the number of the first different one, from 0. */
      readonly at: number;
      /** The last equal ones. */
      readonly before: readonly string[];
      /** The first different one and those that follow it; empty if that side is over. */
      readonly a: readonly string[];
      readonly b: readonly string[];
      readonly notes: readonly string[];
    };

const beforeMax = 5;
const afterMax = 5;

/** The first different step of two recordings. */
export function recordings(a: Recording, b: Recording): Diff {
  return lists(a.steps.length, b.steps.length, (i) => stepText(a, i), (i) => stepText(b, i));
}

/** A step of a recording in one line: `72:12 maker1 conn.opened … -> conn.send, wake`. */
export function stepText(r: Recording, index: number): string {
  const step = r.steps[index];
  if (step === undefined) return "";
  const effects = step.effects.length === 0 ? "" : ` -> ${step.effects.join(", ")}`;
  return `${clockText(step)} ${nodeName(r, step.node)} ${step.event} ${step.says}${effects}`;
}

function clockText(step: StepRecord): string {
  return timeText(Math.trunc(step.atUs / 1_000));
}

/** The name of a node by its index. */
export function nodeName(r: Recording, index: number): string {
  return r.scenario.nodes[index]?.id ?? `node ${index}`;
}

/** The first different line of two trace files, each line with or without its newline. */
export function traces(a: readonly string[], b: readonly string[]): Diff {
  const one = a.map(bare);
  const other = b.map(bare);
  const notes: string[] = [];
  if (one[0] !== other[0]) notes.push("the headers differ");
  const diff = lists(one.length - 1, other.length - 1, (i) => one[i + 1] ?? "",
    (i) => other[i + 1] ?? "");
  if (!diff.isSame && hasSecret(one.slice(0, diff.at + 1))) {
    notes.push("a secret came before: the difference may be derived from it");
  }
  return { ...diff, notes };
}

function bare(line: string): string {
  return line.endsWith("\n") ? line.slice(0, -1) : line;
}

function hasSecret(lines: readonly string[]): boolean {
  return lines.some((line) => line.includes(`{"secret":"`));
}

type LineAt = (index: number) => string;

function lists(aCount: number, bCount: number, a: LineAt, b: LineAt): Diff {
  const shorter = aCount < bCount ? aCount : bCount;
  let at = 0;
  while (at < shorter && a(at) === b(at)) at += 1;
  if (at >= aCount && at >= bCount) return { isSame: true, count: at, notes: [] };
  return {
    isSame: false, at, before: slice(a, at < beforeMax ? 0 : at - beforeMax, at),
    a: slice(a, at, lesser(at + afterMax, aCount)), b: slice(b, at, lesser(at + afterMax, bCount)),
    notes: [],
  };
}

function slice(line: LineAt, from: number, to: number): string[] {
  const lines: string[] = [];
  for (let i = from; i < to; i += 1) lines.push(line(i));
  return lines;
}

/** A field of a state that differs: its path, and both values as text. */
export type Change = { readonly path: string; readonly a: string; readonly b: string };

/** Fields that two states differ in, in the order of their paths. `-`: not there. */
export function states(a: unknown, b: unknown): Change[] {
  const one = flat(a);
  const other = flat(b);
  const paths = [...new Set([...one.keys(), ...other.keys()])].toSorted((x, y) => (x < y ? -1 : 1));
  return paths.flatMap((path) => {
    const change = { path, a: one.get(path) ?? "-", b: other.get(path) ?? "-" };
    return change.a === change.b ? [] : [change];
  });
}

/** A state as lines `path = value`, for people. */
export function stateLines(state: unknown): string[] {
  return [...flat(state)].map(([path, value]) => `${path} = ${value}`);
}

/** Values nested deeper than this are not looked into. */
const depthMax = 24;
/** Of longer byte strings, only the beginning is shown; the length always. */
const bytesShownMax = 24;

function flat(state: unknown): Map<string, string> {
  const out = new Map<string, string>();
  flatten(state, "", out, 0);
  return out;
}

function flatten(value: unknown, path: string, out: Map<string, string>, depth: number): void {
  if (typeof value !== "object" || value === null) {
    out.set(path === "" ? "." : path, plainText(value));
    return;
  }
  const leaf = leafText(value, depth);
  if (leaf !== undefined) {
    out.set(path === "" ? "." : path, leaf);
    return;
  }
  for (const [name, item] of membersOf(value)) {
    flatten(item, path === "" ? name : `${path}.${name}`, out, depth + 1);
  }
}

function plainText(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "function" ? "(a function)" : String(value);
}

function leafText(value: object, depth: number): string | undefined {
  if (value instanceof Uint8Array) return bytesText(value);
  if (isSecret(value)) return `(a secret of ${value.secret.length} bytes)`;
  if (depth >= depthMax) return "(deeper)";
  return membersOf(value).length === 0 ? emptyText(value) : undefined;
}

function bytesText(bytes: Uint8Array): string {
  const shown = hex(bytes.subarray(0, bytesShownMax));
  return `${bytes.length} bytes ${shown}${bytes.length > bytesShownMax ? "..." : ""}`;
}

function emptyText(value: object): string {
  return Array.isArray(value) ? "[]" : "{}";
}

function membersOf(value: object): (readonly [string, unknown])[] {
  if (value instanceof Map) return [...value].map(([key, item]) => [keyText(key), item] as const);
  if (value instanceof Set) return [...value].map((key) => [keyText(key), true] as const);
  return Object.entries(value);
}

function keyText(key: unknown): string {
  return typeof key === "string" || typeof key === "number" ? String(key) : plainText(key);
}

/** Two lists of lines beside each other in `width` columns; `|` between those that differ. */
export function sideBySide(
  a: readonly string[],
  b: readonly string[],
  width: number,
): string[] {
  const half = Math.trunc((width - 3) / 2);
  const rows = a.length > b.length ? a.length : b.length;
  const lines: string[] = [];
  for (let i = 0; i < rows; i += 1) {
    const one = wrapped(a[i] ?? "", half);
    const other = wrapped(b[i] ?? "", half);
    const sign = a[i] === b[i] ? " " : "|";
    const height = one.length > other.length ? one.length : other.length;
    for (let k = 0; k < height; k += 1) {
      lines.push(`${(one[k] ?? "").padEnd(half)} ${sign} ${other[k] ?? ""}`.trimEnd());
    }
  }
  return lines;
}

/** Cut into pieces of `width` characters. */
function wrapped(line: string, width: number): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < line.length || at === 0; at += width) {
    pieces.push(line.slice(at, at + width));
  }
  return pieces;
}

/** Names of the two sides. */
export type Names = { readonly a: string; readonly b: string };

/** A difference in lines of at most `width` columns; changes of the state below it, if given. */
export function diffText(
  diff: Diff,
  names: Names,
  width: number,
  changes: readonly Change[] = [],
): string[] {
  const notes = diff.notes.map((note) => `note: ${note}`);
  if (diff.isSame) return [`the same: ${diff.count} steps`, ...notes];
  const head = `equal for ${diff.at} steps; the first different one is step ${diff.at}`;
  return [
    head,
    ...diff.before.map((line) => cut(`    ${line}`, width)),
    ...sideBySide([names.a], [names.b], width),
    ...sideBySide(orOver(diff.a), orOver(diff.b), width),
    ...stateText(changes, names, width),
    ...notes,
  ];
}

function orOver(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? ["(over)"] : lines;
}

/** How many changed fields are shown. */
const changesMax = 20;

function stateText(changes: readonly Change[], names: Names, width: number): string[] {
  if (changes.length === 0) return [];
  const shown = changes.slice(0, changesMax).flatMap((change) => [
    cut(`  ${change.path}`, width),
    cut(`    ${names.a}: ${change.a}`, width),
    cut(`    ${names.b}: ${change.b}`, width),
  ]);
  const more = changes.length - changesMax;
  return ["state", ...shown, ...(more > 0 ? [`  and ${more} more fields`] : [])];
}

function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, width - 3)}...`;
}

function lesser(a: number, b: number): number {
  return a < b ? a : b;
}
