/**
 * Finds the line of a key in a TOML file, for messages only: the parser keeps no positions.
 *
 * Rule 1: a guess that may fail but never lies about the key: `undefined` for layouts it does not
 * read (inline tables, quoted keys).
 * @module
 */

/**
 * The 1-based line that sets `key` (dotted), or opens the table of that name; `undefined` when it
 * is not found.
 */
export function lineOf(text: string, key: string): number | undefined {
  let table = "";
  for (const [index, line] of text.split("\n").entries()) {
    const header = /^\s*\[\[?\s*([A-Za-z0-9_.-]+)\s*\]/.exec(line)?.[1];
    const name = /^\s*([A-Za-z0-9_.-]+)\s*=/.exec(line)?.[1];
    if (header !== undefined) table = header;
    const path = name === undefined || table === "" ? name : `${table}.${name}`;
    if ((header ?? path) === key || path?.startsWith(`${key}.`) === true) return index + 1;
  }
  return undefined;
}
