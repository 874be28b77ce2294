/**
 * Plain data: copied, compared and frozen.
 *
 * Rule 1: objects, arrays, `Map`, `Set`, bytes and columns of numbers; a function or a class
 * instance is no state.
 * Rule 2: a copy keeps what is shared within it shared, so that a machine runs on it as on the
 * original.
 * Rule 3: order counts in a `Map` and a `Set`, because machines walk them.
 * @module
 */
import { InvariantError } from "../../core/assert.ts";
import { equal } from "../../core/bytes.ts";

/** A deep copy. Throws `InvariantError` for what is no plain data. */
export function clone<T>(value: T): T {
  return copy(value, new Map()) as T;
}

function copy(value: unknown, known: Map<object, unknown>): unknown {
  if (typeof value === "function") throw new InvariantError("a function in plain data");
  if (typeof value !== "object" || value === null) return value;
  const made = known.get(value);
  if (made !== undefined) return made;
  if (value instanceof Uint8Array) return keep(Uint8Array.from(value), value, known);
  if (isTable(value)) return keep(value.slice(), value, known);
  if (Array.isArray(value)) return copyArray(value, known);
  if (value instanceof Map) return copyMap(value, known);
  if (value instanceof Set) return copySet(value, known);
  return copyRecord(value, known);
}

/** Columns of numbers, as large tables are kept in. */
type Table = Int32Array | Uint32Array | Float64Array;

function isTable(value: object): value is Table {
  return value instanceof Int32Array || value instanceof Uint32Array
    || value instanceof Float64Array;
}

function copyArray(value: readonly unknown[], known: Map<object, unknown>): unknown[] {
  const array = keep<unknown[]>([], value, known);
  for (const item of value) array.push(copy(item, known));
  return array;
}

function copyMap(
  value: ReadonlyMap<unknown, unknown>, known: Map<object, unknown>,
): Map<unknown, unknown> {
  const map = keep(new Map<unknown, unknown>(), value, known);
  for (const [k, v] of value) map.set(copy(k, known), copy(v, known));
  return map;
}

function copySet(value: ReadonlySet<unknown>, known: Map<object, unknown>): Set<unknown> {
  const set = keep(new Set<unknown>(), value, known);
  for (const item of value) set.add(copy(item, known));
  return set;
}

function copyRecord(value: object, known: Map<object, unknown>): object {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    throw new InvariantError("an instance of a class in plain data");
  }
  const record = keep(Object.create(prototype) as { [name: string]: unknown }, value, known);
  for (const [name, item] of Object.entries(value)) {
    if (name !== "__proto__") record[name] = copy(item, known);
    else throw new InvariantError("a field named __proto__ in plain data");
  }
  return record;
}

function keep<T>(made: T, from: object, known: Map<object, unknown>): T {
  known.set(from, made);
  return made;
}

/** The path of the first difference between two plain values; `undefined` if there is none. */
export function difference(a: unknown, b: unknown): string | undefined {
  return differ(a, b, "", new Map());
}

function differ(
  a: unknown, b: unknown, path: string, seen: Map<object, unknown>,
): string | undefined {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return at(path);
  if (seen.has(a)) return seen.get(a) === b ? undefined : at(path);
  seen.set(a, b);
  if (a instanceof Uint8Array) {
    return b instanceof Uint8Array && equal(a, b) ? undefined : at(path);
  }
  if (isTable(a)) return isTable(b) && isSame(a, b) ? undefined : at(path);
  if (a instanceof Map || a instanceof Set) return differOrdered(a, b, path, seen);
  if (b instanceof Map || b instanceof Set || b instanceof Uint8Array) return at(path);
  return differRecord(a, b, path, seen);
}

function isSame(a: Table, b: Table): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

function differOrdered(
  a: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>, b: object, path: string,
  seen: Map<object, unknown>,
): string | undefined {
  const isAlike = a instanceof Map ? b instanceof Map : b instanceof Set;
  if (!isAlike) return at(path);
  const [ours, theirs] = [[...a], [...(b as Iterable<unknown>)]];
  if (ours.length !== theirs.length) return `${path}.size`;
  return differRecord(ours, theirs, path, seen);
}

function differRecord(
  a: object, b: object, path: string, seen: Map<object, unknown>,
): string | undefined {
  if (Array.isArray(a) !== Array.isArray(b)) return at(path);
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return at(path);
  for (const name of names) {
    if (!Object.hasOwn(b, name)) return `${path}.${name}`;
    const [ours, theirs] = [field(a, name), field(b, name)];
    const found = differ(ours, theirs, `${path}.${name}`, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

function field(record: object, name: string): unknown {
  return (record as { readonly [name: string]: unknown })[name];
}

function at(path: string): string {
  return path === "" ? "." : path;
}

/** Freezes records and arrays to their leaves; bytes and collections cannot be and stay as is. */
export function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (ArrayBuffer.isView(value) || value instanceof Map || value instanceof Set) return value;
  Object.freeze(value);
  for (const item of Object.values(value)) freeze(item);
  return value;
}
