/**
 * The one text of a scenario, and its hash: equal scenarios are equal texts.
 *
 * Rule 1: keys in the order of code units, no white space, absent fields left out; lists keep their
 * order, since some of it means something (`nodes`).
 * Rule 2: the hash notices accidents and is no protection against a forger. It is part of names of
 * files and of reports: changing it changes them.
 * @module
 */
import { assert } from "../core/assert.ts";
import * as canon from "../core/kernel/canon.ts";
import { digest, fold, hex } from "../core/kernel/trace.ts";
import { NEVER } from "../core/time.ts";
import type { Scenario } from "./scenario.ts";

/** The canonical text of a scenario: JSON on one line. */
export function canonicalText(s: Scenario): string {
  return text(s);
}

/** 16 hex digits over the canonical text. */
export function hashOf(s: Scenario): string {
  return hashText(canonicalText(s));
}

/** 16 hex digits over any text. */
export function hashText(from: string): string {
  const d = digest();
  fold(d, NEVER, from, []);
  return hex(d);
}

/** Any plain JSON value with its keys in order; fields that are `undefined` are left out. */
export function text(value: unknown): string {
  if (typeof value === "string") return canon.quote(value);
  if (typeof value === "boolean") return value ? "true" : "false";
  if (value === null) return "null";
  if (typeof value === "number") return numeral(value);
  assert(typeof value === "object", `a ${typeof value} in a scenario`);
  if (Array.isArray(value)) return `[${value.map(text).join(",")}]`;
  return fields(value as { readonly [name: string]: unknown });
}

function fields(value: { readonly [name: string]: unknown }): string {
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  names.sort((a, b) => (a < b ? -1 : 1));
  return `{${names.map((name) => `${canon.quote(name)}:${text(value[name])}`).join(",")}}`;
}

function numeral(value: number): string {
  assert(Number.isSafeInteger(value), `${value} in a scenario`);
  return String(value === 0 ? 0 : value);
}
