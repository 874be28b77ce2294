/**
 * What to say to a name that is no setting: the one that was probably meant.
 * @module
 */
import { envName, keys, keysByName, tables } from "./keys.ts";
import { nearest } from "./nearest.ts";

/** For a dotted key of the file that does not exist. */
export function unknownKey(key: string): string {
  const names = [...keysByName.keys(), ...tables];
  const table = key.slice(0, key.lastIndexOf(".") + 1);
  const last = key.slice(table.length);
  // First a slip within the table, then the right name in the wrong table, then both.
  const inside = names
    .filter((name) => name.startsWith(table))
    .map((name) => name.slice(table.length));
  const sibling = nearest(last, inside.filter((name) => !name.includes(".")));
  const meant = sibling ?? nearest(last, names.map(lastPart));
  const full = sibling === undefined
    ? names.find((name) => lastPart(name) === meant)
    : table + sibling;
  return full === undefined
    ? "no such key; `dogwatch config init` lists all"
    : `no such key; did you mean ${full}?`;
}

function lastPart(key: string): string {
  return key.slice(key.lastIndexOf(".") + 1);
}

/** For an environment variable that claims to be a setting and is none. */
export function unknownEnv(name: string): string {
  const meant = nearest(name, keys.map((key) => envName(key.key)));
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  return `environment ${name}: no such setting${hint}`;
}
