/**
 * Reading the JSON of servers: one question about one value, and `undefined` when it is not what
 * was asked for. Nothing here throws, whatever was sent.
 * @module
 */
import { isFields, isNumeral, type Json } from "../joinmarket/json.ts";

/** The value under `key`; `undefined` also when `j` is no object. */
export function field(j: Json | undefined, key: string): Json | undefined {
  return isFields(j) ? j.fields.get(key) : undefined;
}

export function textOf(j: Json | undefined): string | undefined {
  return typeof j === "string" ? j : undefined;
}

export function flagOf(j: Json | undefined): boolean | undefined {
  return typeof j === "boolean" ? j : undefined;
}

export function listOf(j: Json | undefined): readonly Json[] | undefined {
  return Array.isArray(j) ? j as readonly Json[] : undefined;
}

/** A safe integer in plain digits, with or without a minus sign. */
export function integerOf(j: Json | undefined): number | undefined {
  if (!isNumeral(j) || !/^(0|-?[1-9][0-9]{0,15})$/.test(j.numeral)) return undefined;
  const value = Number(j.numeral);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** As `integerOf`, zero or more. */
export function countOf(j: Json | undefined): number | undefined {
  const value = integerOf(j);
  return value !== undefined && value >= 0 ? value : undefined;
}

/** A txid or a block hash: 64 digits of lower-case hex. */
export function hashOf(j: Json | undefined): string | undefined {
  return typeof j === "string" && isHash(j) ? j : undefined;
}

export function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** Every item of a list read by `read`; `undefined` unless all of them can be. */
export function allOf<T>(
  j: Json | undefined, read: (item: Json) => T | undefined,
): readonly T[] | undefined {
  const items = listOf(j);
  if (items === undefined) return undefined;
  const out: T[] = [];
  for (const item of items) {
    const value = read(item);
    if (value === undefined) return undefined;
    out.push(value);
  }
  return out;
}

/** Thousandths of a number from 0 to 1, rounded down; it is written with any number of decimals. */
export function permilleOf(j: Json | undefined): number | undefined {
  if (!isNumeral(j)) return undefined;
  const found = /^(0|1)(?:\.([0-9]+))?$/.exec(j.numeral);
  // What is so small that it is written with an exponent is less than a thousandth.
  if (found === null) return /^[0-9.]+[eE]-[0-9]+$/.test(j.numeral) ? 0 : undefined;
  if (found[1] === "1") return 1_000;
  return Number((found[2] ?? "").padEnd(3, "0").slice(0, 3));
}
