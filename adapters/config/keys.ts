/**
 * The schema as a list: every key in the order of the file, with its documentation, and every
 * table.
 *
 * Rule 1: made from the schema when this module loads; nothing is listed twice by hand.
 * @module
 */
import * as z from "zod";
import { type KeyMeta, keyMeta, schema } from "./schema.ts";

/** One key: its dotted name in the file, its table ("" for the top) and its last part. */
export type Key = KeyMeta & { readonly key: string; readonly table: string; readonly name: string };

/** Every key, in the order of the template. */
export const keys: readonly Key[] = walk(schema, "");

/** Every key by its dotted name. */
export const keysByName: ReadonlyMap<string, Key> = new Map(keys.map((key) => [key.key, key]));

/** Every table by its dotted name, without the top one. */
export const tables: ReadonlySet<string> = new Set(keys.flatMap((key) => ancestors(key.table)));

const byCore: ReadonlyMap<string, string> = new Map(
  keys.flatMap((key) => (key.core === undefined ? [] : [[key.core, key.key]])),
);

/** The file's name for a dotted path of the core's configuration. */
export function keyOfCore(core: string): string {
  return byCore.get(core) ?? `directory.${core}`;
}

/** A daemon that reads the file. */
export type Reader = "directory" | "maker" | "ark";

/** Tables that are none of a daemon's business. */
const strangers: { readonly [daemon in Reader]: readonly string[] } = {
  directory: ["maker", "ark", "bitcoind", "esplora", "tor", "notify"],
  maker: ["directory", "ark"],
  ark: ["directory", "maker", "bitcoind", "esplora"],
};

/** Does this key, by its dotted name, say anything to that daemon? */
export function concerns(daemon: Reader, key: string): boolean {
  const [table = ""] = key.split(".");
  return !strangers[daemon].includes(table);
}

const envPrefix = "DOGWATCH__";

/** The environment variable that sets `key`: `DOGWATCH__DIRECTORY__PEERS_MAX`. */
export function envName(key: string): string {
  return envPrefix + key.toUpperCase().replaceAll(".", "__");
}

/** Does this variable claim to be a setting? */
export function isEnvName(name: string): boolean {
  return name.startsWith(envPrefix);
}

/** The key that the variable `name` sets, whether or not there is such a key. */
export function keyOfEnv(name: string): string {
  return name.slice(envPrefix.length).toLowerCase().replaceAll("__", ".");
}

function walk(table: z.ZodObject, path: string): Key[] {
  return Object.entries(table.shape).flatMap(([name, child]): Key[] => {
    const key = path === "" ? name : `${path}.${name}`;
    const about = keyMeta.get(child);
    if (about !== undefined) return [{ ...about, key, table: path, name }];
    const inner = child instanceof z.ZodPrefault ? child.unwrap() : child;
    return inner instanceof z.ZodObject ? walk(inner, key) : [];
  });
}

function ancestors(table: string): string[] {
  const parts = table === "" ? [] : table.split(".");
  return parts.map((_, index) => parts.slice(0, index + 1).join("."));
}
