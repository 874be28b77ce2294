/**
 * JSON as it is written here: members in the order in which they were named, amounts with all eight
 * decimals, no number ever a float of ours.
 * @module
 */
import { btcOf } from "../../core/chain/amount.ts";
import type { Numeral } from "../../core/joinmarket/json.ts";

/** Members that are `undefined` are left out. */
export type Value =
  | null | boolean | string | number | Numeral | readonly Value[] | Members;
export type Members = { readonly [key: string]: Value | undefined };

/** An amount as Bitcoin Core writes it. */
export function btc(sat: bigint): Numeral {
  return { numeral: btcOf(sat) };
}

/** A number in these very characters. */
export function numeral(text: string): Numeral {
  return { numeral: text };
}

/** The text of a value, without white space. */
export function write(value: Value): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(write).join(",")}]`;
  if (isNumeral(value)) return value.numeral;
  let text = "";
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (member === undefined) continue;
    text += `${text === "" ? "{" : ","}${nameOf(key)}:${write(member)}`;
  }
  return text === "" ? "{}" : `${text}}`;
}

/** Nearly all names need no escapes. */
function nameOf(key: string): string {
  return plainName.test(key) ? `"${key}"` : JSON.stringify(key);
}

const plainName = /^[a-z0-9_]+$/;

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function isNumeral(value: Members | Numeral): value is Numeral {
  return typeof value["numeral"] === "string";
}
