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
  const parts: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) parts.push(`${JSON.stringify(key)}:${write(member)}`);
  }
  return `{${parts.join(",")}}`;
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function isNumeral(value: Members | Numeral): value is Numeral {
  return typeof value["numeral"] === "string";
}
