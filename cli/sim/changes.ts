/**
 * What differs between two states, for people: values that changed, and whole parts that came or
 * went, each on one line; and fewer lines where those are many.
 *
 * Rule 1: states come as lines `path = value` (`sim/diff.ts`); a part that came is told by its
 * topmost path, not by every value in it.
 * Rule 2: what does not fit is put together from the innermost parts outwards, and counted: nothing
 * is left out without a word.
 * @module
 */
import { plural } from "../../sim/words.ts";

/** A difference, or several under one path. */
export type Change = {
  readonly path: string;
  readonly what: "new" | "gone" | "other";
  /** As it is told, after the path. */
  readonly says: string;
  /** How many differences it stands for. */
  readonly count: number;
};

type What = Change["what"];
type Values = ReadonlyMap<string, string>;

/** One side of a comparison: its values, and every path with all that it lies in. */
type Side = { readonly values: Values; readonly parts: ReadonlySet<string> };

/** The differences, in the order of paths. */
export function changesOf(before: readonly string[], after: readonly string[]): Change[] {
  const [old, now] = [sideOf(before), sideOf(after)];
  const changed = [...old.values].flatMap(([path, value]) => {
    const other = now.values.get(path) ?? value;
    return other === value ? [] : [one(path, "other", `${value} -> ${other}`)];
  });
  const all = [...changed, ...missing(old, now, "gone"), ...missing(now, old, "new")];
  return all.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A line each. */
export function changeLines(before: readonly string[], after: readonly string[]): string[] {
  return changesOf(before, after).map(lineOf);
}

/** A change on its line. */
export function lineOf({ path, says }: Change): string {
  return `${path}: ${says}`;
}

function one(path: string, what: What, says: string): Change {
  return { path, what, says, count: 1 };
}

function sideOf(lines: readonly string[]): Side {
  const values = new Map(lines.map((text) => {
    const cut = text.indexOf(" = ");
    return [text.slice(0, cut), text.slice(cut + 3)] as const;
  }));
  const parts = new Set<string>();
  for (const path of values.keys()) {
    for (let cut = path.length; cut > 0; cut = path.lastIndexOf(".", cut - 1)) {
      parts.add(path.slice(0, cut));
    }
  }
  return { values, parts };
}

/** What `a` has and `b` has not, by topmost paths. */
function missing(a: Side, b: Side, what: "gone" | "new"): Change[] {
  const groups = new Map<string, string[]>();
  for (const path of a.values.keys()) {
    // Where one side has a value and the other a part, the part tells of both.
    if (b.parts.has(path)) continue;
    const part = topmost(path, b);
    groups.set(part, [...(groups.get(part) ?? []), path]);
  }
  return [...groups].map(([part, paths]) => partChange(part, paths, a, b, what));
}

/** The shortest beginning of a path that the other side lacks, or has as a value. */
function topmost(path: string, other: Side): string {
  for (let cut = path.indexOf("."); cut > 0; cut = path.indexOf(".", cut + 1)) {
    const part = path.slice(0, cut);
    if (other.values.has(part) || !other.parts.has(part)) return part;
  }
  return path;
}

/** A value on its own is shown; a part says how many values it has. */
function partChange(
  part: string, paths: readonly string[], a: Side, b: Side, what: "gone" | "new",
): Change {
  const [path = part] = paths;
  const instead = b.values.get(part);
  const isSingle = paths.length === 1;
  const isEmpty = instead === undefined || instead === "{}" || instead === "[]";
  if (isSingle && isEmpty) return one(path, what, `${what}, ${a.values.get(path) ?? ""}`);
  const size = plural(paths.length, "value");
  if (instead === undefined) return one(part, what, `${what}, ${size}`);
  return one(part, "other", what === "new" ? `${instead} -> ${size}` : `${size} -> ${instead}`);
}

/** More changes than this of one part become one line, where lines are too many. */
const togetherMin = 4;

/**
 * The changes in about `linesMax` lines, those of one part put together where they are more. Parts
 * of `open` names or fewer stay open.
 */
export function fitted(changes: readonly Change[], linesMax: number, open = 0): Change[] {
  let shown = [...changes];
  const deepest = Math.max(0, ...shown.map(({ path }) => path.split(".").length));
  for (let depth = deepest - 1; depth > open && shown.length > linesMax; depth -= 1) {
    shown = together(shown, depth, depth === open + 1 ? 2 : togetherMin);
  }
  return shown;
}

function together(changes: readonly Change[], depth: number, least: number): Change[] {
  const groups = new Map<string, Change[]>();
  for (const change of changes) {
    const part = change.path.split(".").slice(0, depth).join(".");
    const known = groups.get(part);
    if (known === undefined) groups.set(part, [change]);
    else known.push(change);
  }
  return [...groups].flatMap(([part, group]) =>
    (group.length < least ? group : [summed(part, group)]));
}

function summed(path: string, group: readonly Change[]): Change {
  const count = group.reduce((sum, change) => sum + change.count, 0);
  const first = group[0]?.what ?? "other";
  const what = group.every((change) => change.what === first) ? first : "other";
  return { path, what, says: what === "other" ? `${count} changes` : `${count} ${what}`, count };
}
