/**
 * The state of a node as a tree of texts, and what changed from one to the next.
 *
 * Rule 1: plain data of any shape (`Map`, `Set`, bytes) becomes nested entries in its own order;
 * secrets show their size and nothing else.
 * Rule 2: what is shared or circular is told once and referred to after that.
 * Rule 3: bounded: long collections and long texts say how much is missing.
 * @module
 */
import { text as textOf } from "../../core/bytes.ts";
import { isSecret } from "../../core/secret.ts";
import { NEVER } from "../../core/time.ts";
import { countText, plural } from "../words.ts";

/** A text, or named parts in order. */
export type Tree = string | readonly Entry[];
export type Entry = readonly [string, Tree];

/** One difference. Without `before` it is new, without `after` it is gone. */
export type Change = {
  readonly path: readonly string[];
  readonly before: Tree | undefined;
  readonly after: Tree | undefined;
};

const entriesMax = 500;
const textMax = 200;
const previewBytes = 48;

/** The tree of a plain value. */
export function treeOf(value: unknown): Tree {
  return grown(value, "", new Map());
}

function grown(value: unknown, path: string, seen: Map<object, string>): Tree {
  if (typeof value !== "object" || value === null) return leaf(value);
  if (value instanceof Uint8Array) return bytesText(value);
  if (isSecret(value)) return `secret, ${plural(value.secret.length, "byte")}`;
  const known = seen.get(value);
  if (known !== undefined) return `see ${known === "" ? "the top" : known}`;
  seen.set(value, path);
  const parts = partsOf(value);
  const kept = parts.length > entriesMax ? parts.slice(0, entriesMax) : parts;
  const entries: Entry[] = kept.map(([name, part]) => {
    return [name, grown(part, path === "" ? name : `${path}.${name}`, seen)];
  });
  if (parts.length > kept.length) {
    entries.push(["…", `${countText(parts.length - kept.length)} more`]);
  }
  if (entries.length > 0) return entries;
  return Array.isArray(value) || value instanceof Map || value instanceof Set ? "none" : "{}";
}

function partsOf(value: object): (readonly [string, unknown])[] {
  if (Array.isArray(value)) return value.map((part, i) => [String(i), part]);
  if (value instanceof Map) return [...value].map(([key, part]) => [keyText(key), part]);
  if (value instanceof Set) return [...value].map((part, i) => [String(i), part]);
  return Object.keys(value).map((name) => {
    return [name, (value as { readonly [name: string]: unknown })[name]];
  });
}

function keyText(key: unknown): string {
  return typeof key === "string" ? key : String(key);
}

function leaf(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  if (value === NEVER) return "never";
  return typeof value === "function" ? "a function" : String(value);
}

function quoted(value: string): string {
  if (value.length <= textMax) return JSON.stringify(value);
  return `${JSON.stringify(value.slice(0, textMax))}… ${countText(value.length)} characters`;
}

/** Printable bytes as text, others as hex; the beginning only. */
function bytesText(bytes: Uint8Array): string {
  const size = plural(bytes.length, "byte");
  if (bytes.length === 0) return size;
  const start = bytes.subarray(0, previewBytes);
  const more = bytes.length > previewBytes ? "…" : "";
  const isText = start.every((byte) => byte >= 32 && byte < 127 || byte === 10 || byte === 13);
  if (isText) return `${size} ${JSON.stringify(textOf(start))}${more}`;
  return `${size} ${[...start].map((byte) => byte.toString(16).padStart(2, "0")).join("")}${more}`;
}

/** What is different in `after`, in its order; what is gone comes at its place. */
export function changesOf(before: Tree | undefined, after: Tree | undefined): Change[] {
  const changes: Change[] = [];
  compare(before, after, [], changes);
  return changes;
}

function compare(
  before: Tree | undefined, after: Tree | undefined, path: readonly string[], out: Change[],
): void {
  if (before === after) return;
  if (!isBranch(before) || !isBranch(after)) {
    out.push({ path, before, after });
    return;
  }
  const old = new Map(before);
  const now = new Set(after.map(([name]) => name));
  for (const [name, tree] of before) {
    if (!now.has(name)) out.push({ path: [...path, name], before: tree, after: undefined });
  }
  for (const [name, tree] of after) {
    const was = old.get(name);
    if (typeof was === "string" || typeof tree === "string" || was === undefined) {
      if (was !== tree) out.push({ path: [...path, name], before: was, after: tree });
    } else compare(was, tree, [...path, name], out);
  }
}

/** The tree with these changes made; what is new comes last. */
export function applied(tree: Tree | undefined, changes: readonly Change[]): Tree | undefined {
  let at = tree;
  for (const { path, after } of changes) at = put(at, path, 0, after);
  return at;
}

function put(
  tree: Tree | undefined, path: readonly string[], depth: number, value: Tree | undefined,
): Tree | undefined {
  if (depth >= path.length) return value;
  const name = path[depth] as string;
  const entries = isBranch(tree) ? tree : [];
  const at = entries.findIndex(([own]) => own === name);
  const made = put(at < 0 ? undefined : entries[at]?.[1], path, depth + 1, value);
  if (made === undefined) return entries.filter((_, i) => i !== at);
  if (at < 0) return [...entries, [name, made]];
  return entries.map((entry, i) => (i === at ? [name, made] : entry));
}

/** Named parts, rather than a text? */
export function isBranch(tree: Tree | undefined): tree is readonly Entry[] {
  return typeof tree === "object";
}

const briefMax = 4;

/** One line for a tree: its text, or what it holds. */
export function briefText(tree: Tree): string {
  if (!isBranch(tree)) return tree;
  const parts = tree.slice(0, briefMax).map(([name, part]) => {
    return isBranch(part) ? `${name} …` : `${name} ${part}`;
  });
  return `{ ${parts.join(", ")}${tree.length > briefMax ? ", …" : ""} }`;
}
