/**
 * Finds the line of a key in a TOML file, for messages only: the parser keeps no positions.
 *
 * Rule 1: a guess that may fail but never lies about the key: `undefined` for layouts it does not
 * read (inline tables, quoted keys).
 * Rule 2: one pass over the text, however many keys are asked for.
 * @module
 */

/** No table of ours is nested deeper; a longer path must not cost quadratic time. */
const partsMax = 8;

/**
 * Reads the text once. The answer gives the 1-based line that sets a key (dotted), or opens the
 * table of that name; the tables of an array are counted from 0. `undefined`: not found.
 */
export function lineFinder(text: string): (key: string) => number | undefined {
  const lines = new Map<string, number>();
  const found = (key: string, line: number): void => {
    if (!lines.has(key)) lines.set(key, line);
  };
  const counts = new Map<string, number>();
  let table = "";
  for (const [index, line] of text.split("\n").entries()) {
    const header = /^\s*\[\[?\s*([A-Za-z0-9_.-]+)\s*\]/.exec(line)?.[1];
    const name = /^\s*([A-Za-z0-9_.-]+)\s*=/.exec(line)?.[1];
    if (header !== undefined) {
      found(header, index + 1);
      table = /^\s*\[\[/.test(line) ? nextOf(counts, header) : header;
      found(table, index + 1);
    } else if (name !== undefined) {
      const path = table === "" ? name : `${table}.${name}`;
      for (const key of prefixes(path)) found(key, index + 1);
    }
  }
  return (key) => lines.get(key);
}

/** One more table of an array. */
function nextOf(counts: Map<string, number>, header: string): string {
  const count = counts.get(header) ?? 0;
  counts.set(header, count + 1);
  return `${header}.${count}`;
}

/** A dotted key and the tables that it opens by being there. */
function prefixes(path: string): string[] {
  const parts = path.split(".", partsMax);
  return [path, ...parts.slice(0, -1).map((_, at) => parts.slice(0, at + 1).join("."))];
}
