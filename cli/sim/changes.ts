/**
 * What differs between two states, for people: values that changed, and whole parts that came or
 * went, each on one line.
 *
 * Rule 1: states come as lines `path = value` (`sim/diff.ts`); a part that came is told by its
 * topmost path, not by every value in it.
 * @module
 */

type Values = ReadonlyMap<string, string>;

/** The differences, in the order of paths. */
export function changeLines(before: readonly string[], after: readonly string[]): string[] {
  const [old, now] = [valuesOf(before), valuesOf(after)];
  const [oldParts, nowParts] = [partsOf(old), partsOf(now)];
  const told = new Map<string, string>();
  for (const [path, value] of old) {
    const other = now.get(path);
    if (other === undefined) count(told, topmost(path, nowParts), "gone", value, path);
    else if (other !== value) told.set(path, `${path}: ${value} -> ${other}`);
  }
  for (const [path, value] of now) {
    if (!old.has(path)) count(told, topmost(path, oldParts), "new", value, path);
  }
  return [...told.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line);
}

function valuesOf(lines: readonly string[]): Values {
  return new Map(lines.map((text) => {
    const cut = text.indexOf(" = ");
    return [text.slice(0, cut), text.slice(cut + 3)];
  }));
}

/** Every path and all that it lies in. */
function partsOf(values: Values): ReadonlySet<string> {
  const parts = new Set<string>();
  for (const path of values.keys()) {
    for (let cut = path.length; cut > 0; cut = path.lastIndexOf(".", cut - 1)) {
      parts.add(path.slice(0, cut));
    }
  }
  return parts;
}

/** The shortest beginning of a path that is not among the others' parts. */
function topmost(path: string, others: ReadonlySet<string>): string {
  for (let cut = path.indexOf("."); cut > 0; cut = path.indexOf(".", cut + 1)) {
    const part = path.slice(0, cut);
    if (!others.has(part)) return part;
  }
  return path;
}

/** A value on its own is shown; a part says how many values it has. */
function count(
  told: Map<string, string>, part: string, what: string, value: string, path: string,
): void {
  const known = told.get(`${part} ${what}`);
  if (known === undefined) {
    const line = part === path ? `${part}: ${what}, ${value}` : `${part}: ${what}, 1 value`;
    told.set(`${part} ${what}`, line);
    return;
  }
  const values = Number(/, ([0-9]+) values?$/.exec(known)?.[1] ?? 1) + 1;
  told.set(`${part} ${what}`, `${part}: ${what}, ${values} values`);
}
