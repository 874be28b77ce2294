/**
 * A state a part at a time: what a path holds, with whatever is large in it closed.
 *
 * Rule 1: a state comes as lines `path = value` (`sim/diff.ts`); a closed part says how much there
 * is in it.
 * @module
 */
import { plural } from "../../sim/words.ts";

/** A part of at most so many values is shown in full. */
const openMax = 40;
const linesMax = 100;

/** The lines under `path`; `undefined`: all. */
export function under(lines: readonly string[], path: string | undefined): string[] {
  if (path === undefined) return [...lines];
  return lines.filter((line) => line.startsWith(path) && /^[. ]/.test(line.slice(path.length)));
}

/**
 * What is at `path`, or at the top: values, and how much there is in each part. A small part is
 * shown in full, a state never.
 */
export function partLines(lines: readonly string[], path: string | undefined): string[] {
  const inside = under(lines, path);
  if (path !== undefined && inside.length <= openMax) return inside;
  const parts = byName(inside, path === undefined ? 0 : path.length + 1);
  const shown = [...parts].slice(0, linesMax).map(([name, all]) =>
    (all.length === 1 ? all[0] ?? name : `${name}: ${sizeText(all, name)}`));
  const more = parts.size - shown.length;
  return more > 0 ? [...shown, `and ${more} more; name a longer path, or all`] : shown;
}

/** Lines by the next name of their path after `from` characters. */
function byName(lines: readonly string[], from: number): Map<string, string[]> {
  const parts = new Map<string, string[]>();
  for (const line of lines) {
    const name = line.slice(0, from) + (/^[^. ]+/.exec(line.slice(from))?.[0] ?? "");
    const known = parts.get(name);
    if (known === undefined) parts.set(name, [line]);
    else known.push(line);
  }
  return parts;
}

function sizeText(lines: readonly string[], name: string): string {
  const entries = byName(lines, name.length + 1).size;
  const values = plural(lines.length, "value");
  return entries === lines.length ? values : `${plural(entries, "entry", "entries")}, ${values}`;
}
