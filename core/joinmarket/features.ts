/**
 * Features: what a peer says it can do.
 *
 * Rule 1: names are `[a-z0-9_]`, so none can forge a peerlist entry; unknown names are kept,
 * sorted.
 * Rule 2: only JSON `true` says that a feature is there. Other plain values are allowed and mean
 * nothing; nested ones are refused.
 * @module
 */
import { utf8Bytes } from "../bytes.ts";
import { bad, good } from "../fault.ts";
import type { Decoded } from "../fault.ts";
import { isFields, isNumeral } from "./json.ts";
import type { Json } from "./json.ts";

/** Entries of one features object, whatever their values. */
export const entriesMax = 32;
/** Characters of a name. */
export const nameMax = 64;
/** UTF-8 bytes of a value that is a string. */
export const valueBytesMax = 512;

/** Answers 798 with 799. */
export const ping = "ping";
/** Understands `;F:` in a peerlist. */
export const peerlistFeatures = "peerlist_features";
/** Proves that it owns its nick (803, 805, 807). */
export const nickAuth = "nick_auth";

export function isFeature(name: string): boolean {
  return name.length <= nameMax && /^[a-z0-9_]+$/.test(name);
}

/** The names that are `true`, sorted. `undefined` (no such key) is none. Faults: `features`. */
export function parse(j: Json | undefined): Decoded<readonly string[]> {
  if (j === undefined) return good([]);
  if (!isFields(j)) return bad("features", "features is not an object");
  if (j.duplicates) return bad("features", "a feature appears twice");
  if (j.fields.size > entriesMax) return bad("features", "too many features");
  const names: string[] = [];
  for (const [name, value] of j.fields) {
    if (!isFeature(name)) return bad("features", "a feature name is not made of a-z, 0-9 and _");
    if (!isPlain(value)) return bad("features", "a feature value is nested or too long");
    if (value === true) names.push(name);
  }
  return good(sorted(names));
}

function isPlain(value: Json): boolean {
  if (typeof value === "string") return utf8Bytes(value) <= valueBytesMax;
  return value === null || typeof value === "boolean" || isNumeral(value);
}

/** A sorted copy, in code unit order, without repeats (so the comparison never meets a tie). */
export function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort((a, b) => (a < b ? -1 : 1));
}

/** The form behind `F:` in a peerlist: `a+b`. */
export function join(features: readonly string[]): string {
  return features.join("+");
}
