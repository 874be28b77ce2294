/**
 * Whether a state is plain data to its leaves: what can be copied, compared and traced.
 * @module
 */

/**
 * The path of the first value that is no plain data; `undefined` if there is none. Plain are
 * records without a class, arrays, `Map`, `Set`, typed arrays, and primitive values but symbols.
 */
export function unplain(state: unknown): string | undefined {
  return walk(state, "state", new Set());
}

function walk(value: unknown, path: string, seen: Set<object>): string | undefined {
  if (typeof value === "function" || typeof value === "symbol") return path;
  if (typeof value !== "object" || value === null || seen.has(value)) return undefined;
  seen.add(value);
  if (ArrayBuffer.isView(value)) return value instanceof DataView ? path : undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Map.prototype || prototype === Set.prototype) {
    return walkAll([...value as Iterable<unknown>].entries(), path, seen);
  }
  const isRecord = prototype === Object.prototype || prototype === null;
  if (!isRecord && prototype !== Array.prototype) return path;
  const fields = Object.entries(Object.getOwnPropertyDescriptors(value));
  if (Object.getOwnPropertySymbols(value).length > 0) return path;
  // An accessor is a function that looks like a value.
  const accessor = fields.find(([, field]) => !("value" in field));
  if (accessor !== undefined) return `${path}.${accessor[0]}`;
  return walkAll(fields.map(([name, field]) => [name, field.value] as const), path, seen);
}

function walkAll(
  items: Iterable<readonly [string | number, unknown]>, path: string, seen: Set<object>,
): string | undefined {
  for (const [name, item] of items) {
    const found = walk(item, `${path}.${name}`, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}
