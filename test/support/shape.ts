/**
 * JSON by its shape: which members in which order, of which types, numbers by how they are written.
 * @module
 */
import assert from "node:assert/strict";
import { isFields, isNumeral, parse, type Json } from "../../core/joinmarket/json.ts";

/** A value as what it is: members in their order, numbers and texts by their form. */
function shapeOf(j: Json, without: ReadonlySet<string>): unknown {
  if (j === null || typeof j === "boolean") return j === null ? "null" : "bool";
  if (isNumeral(j)) return numberForm(j.numeral);
  if (typeof j === "string") return textForm(j);
  if (isFields(j)) {
    return [...j.fields].filter(([key]) => !without.has(key))
      .map(([key, value]) => [key, shapeOf(value, without)]);
  }
  const items = new Set((j as readonly Json[]).map((item) => (
    JSON.stringify(shapeOf(item, without))
  )));
  return { list: [...items].toSorted((a, b) => (a < b ? -1 : 1)) };
}

function numberForm(text: string): string {
  if (/^-?[0-9]+\.[0-9]{8}$/.test(text)) return text.startsWith("-") ? "-amount" : "amount";
  return /^-?[0-9]+$/.test(text) ? text.replace(/[0-9]+/, "integer") : "float";
}

function textForm(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return "hash";
  if (/^([0-9a-f]{2})+$/.test(text) && text.length > 8) return "hex";
  if (text.startsWith("bcrt1")) return "address";
  if (/^(wpkh|tr)\(\[[0-9a-f]{8}\/[^\]]*\][^)]*\)#[0-9a-z]{8}$/.test(text)) return "descriptor";
  if (/^addr\(bcrt1[0-9a-z]+\)#[0-9a-z]{8}$/.test(text)) return "addr()";
  return text === "" ? "empty" : "text";
}

/** What a JSON text is made of; members in `without` are passed over, wherever they stand. */
export function shape(text: string, without: ReadonlySet<string> = new Set()): unknown {
  const parsed = parse(text, { depthMax: 12, nodesMax: 100_000 });
  assert.ok(parsed.ok, text.slice(0, 200));
  return shapeOf(parsed.value, without);
}
