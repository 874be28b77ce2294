/**
 * JSON of small texts: the objects that travel inside the `line` of an envelope.
 *
 * Rule 1: strict grammar (RFC 8259), bounded in depth and in number of values; never throws, never
 * recurses deeper than the bound.
 * Rule 2: an object is a `Map` and says whether a key came twice, so `__proto__` is a key like any
 * other and strict readers can refuse what others would resolve silently.
 * Rule 3: a number keeps its text: `5`, `5.0` and `5e0` differ, and nothing is rounded.
 * Rule 4: texts with a lone surrogate are refused; they have no UTF-8 form.
 * @module
 */
import { wellFormed } from "../bytes.ts";
import { bad, good } from "../fault.ts";
import type { Decoded } from "../fault.ts";

/** A number as it was written. */
export type Numeral = { readonly numeral: string };
/** An object; of a repeated key the last value. */
export type Fields = { readonly fields: ReadonlyMap<string, Json>; readonly duplicates: boolean };
export type Json = null | boolean | string | Numeral | Fields | readonly Json[];

/** `depthMax`: nested arrays and objects. `nodesMax`: values of any kind, keys not counted. */
export type Limits = { readonly depthMax: number; readonly nodesMax: number };

/** Enough for every object of the protocol, with room for keys that are yet unknown. */
export const limits: Limits = { depthMax: 10, nodesMax: 1_024 };

type Cursor = {
  readonly text: string;
  at: number;
  nodes: number;
  readonly nodesMax: number;
  /** The first thing wrong; once set, every parser returns at once. */
  wrong: string | undefined;
};

/** The one JSON value that `text` is. Faults: `json`. */
export function parse(text: string, bounds: Limits = limits): Decoded<Json> {
  const c: Cursor = { text, at: 0, nodes: 0, nodesMax: bounds.nodesMax, wrong: undefined };
  const found = value(c, bounds.depthMax);
  if (c.wrong === undefined && c.at < text.length) c.wrong = "text after the value";
  return c.wrong === undefined ? good(found) : bad("json", c.wrong);
}

/** As `parse`, and the value must be an object. Faults: `json`. */
export function parseObject(text: string, bounds: Limits = limits): Decoded<Fields> {
  const decoded = parse(text, bounds);
  if (!decoded.ok) return decoded;
  return isFields(decoded.value) ? good(decoded.value) : bad("json", "not an object");
}

export function isFields(j: Json | undefined): j is Fields {
  return typeof j === "object" && j !== null && "fields" in j;
}

export function isNumeral(j: Json | undefined): j is Numeral {
  return typeof j === "object" && j !== null && "numeral" in j;
}

/**
 * The integer that `j` is, if it is written in plain digits (at most nine) with an optional minus
 * sign.
 */
export function integer(j: Json | undefined): number | undefined {
  if (!isNumeral(j)) return undefined;
  return /^(0|-?[1-9][0-9]{0,8})$/.test(j.numeral) ? Number(j.numeral) : undefined;
}

/** `text` as a JSON string in ASCII, escaped the way Python's `json.dumps` does. */
export function quote(text: string): string {
  let out = "\"";
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x20 && unit < 0x7f && unit !== 0x22 && unit !== 0x5c) continue;
    out += text.slice(from, i) + escaped(unit);
    from = i + 1;
  }
  return `${out}${text.slice(from)}"`;
}

function escaped(unit: number): string {
  switch (unit) {
    case 0x22: return "\\\"";
    case 0x5c: return "\\\\";
    case 0x08: return "\\b";
    case 0x09: return "\\t";
    case 0x0a: return "\\n";
    case 0x0c: return "\\f";
    case 0x0d: return "\\r";
    default: return `\\u${unit.toString(16).padStart(4, "0")}`;
  }
}

/** A value with the white space on both sides of it. */
function value(c: Cursor, depth: number): Json {
  c.nodes++;
  if (c.nodes > c.nodesMax) return fail(c, "too many values");
  skipSpace(c);
  const found = bare(c, depth);
  skipSpace(c);
  return found;
}

function bare(c: Cursor, depth: number): Json {
  switch (c.text.charAt(c.at)) {
    case "{": return depth > 0 ? object(c, depth - 1) : fail(c, "nested too deeply");
    case "[": return depth > 0 ? array(c, depth - 1) : fail(c, "nested too deeply");
    case "\"": return string(c);
    case "t": return word(c, "true", true);
    case "f": return word(c, "false", false);
    case "n": return word(c, "null", null);
    default: return number(c);
  }
}

function fail(c: Cursor, wrong: string): null {
  c.wrong ??= wrong;
  return null;
}

function skipSpace(c: Cursor): void {
  for (;; c.at++) {
    const unit = c.text.charCodeAt(c.at);
    if (unit !== 0x20 && unit !== 0x09 && unit !== 0x0a && unit !== 0x0d) return;
  }
}

function take(c: Cursor, character: string): boolean {
  if (c.text.charAt(c.at) !== character) return false;
  c.at++;
  return true;
}

function word<T extends Json>(c: Cursor, spelling: string, meaning: T): T | null {
  if (!c.text.startsWith(spelling, c.at)) return fail(c, "not a value");
  c.at += spelling.length;
  return meaning;
}

function object(c: Cursor, depth: number): Json {
  const fields = new Map<string, Json>();
  let duplicates = false;
  c.at++;
  skipSpace(c);
  if (take(c, "}")) return { fields, duplicates };
  for (;;) {
    skipSpace(c);
    if (c.text.charAt(c.at) !== "\"") return fail(c, "a key is not a string");
    const key = string(c);
    skipSpace(c);
    if (!take(c, ":")) return fail(c, "no colon after a key");
    const found = value(c, depth);
    if (c.wrong !== undefined) return null;
    if (fields.has(key)) duplicates = true;
    fields.set(key, found);
    if (take(c, "}")) return { fields, duplicates };
    if (!take(c, ",")) return fail(c, "an object does not end");
  }
}

function array(c: Cursor, depth: number): Json {
  const items: Json[] = [];
  c.at++;
  skipSpace(c);
  if (take(c, "]")) return items;
  for (;;) {
    items.push(value(c, depth));
    if (c.wrong !== undefined) return null;
    if (take(c, "]")) return items;
    if (!take(c, ",")) return fail(c, "an array does not end");
  }
}

/** The string whose opening quote is at the cursor. */
function string(c: Cursor): string {
  let out = "";
  let from = ++c.at;
  for (;; c.at++) {
    const unit = c.text.charCodeAt(c.at);
    if (unit === 0x22) break;
    // `charCodeAt` is NaN beyond the end.
    if (!(unit >= 0x20)) return fail(c, "a string is not closed or has a control character") ?? "";
    if (unit !== 0x5c) continue;
    out += c.text.slice(from, c.at);
    const meant = escape(c);
    if (meant === undefined) return fail(c, "an unknown escape") ?? "";
    out += meant;
    from = c.at + 1;
  }
  out += c.text.slice(from, c.at);
  c.at++;
  if (!wellFormed(out)) return fail(c, "a lone surrogate") ?? "";
  return out;
}

/**
 * Reads the escape whose backslash is at the cursor and leaves the cursor on its last character.
 */
function escape(c: Cursor): string | undefined {
  c.at++;
  switch (c.text.charAt(c.at)) {
    case "\"": return "\"";
    case "\\": return "\\";
    case "/": return "/";
    case "b": return "\b";
    case "f": return "\f";
    case "n": return "\n";
    case "r": return "\r";
    case "t": return "\t";
    case "u": break;
    default: return undefined;
  }
  const digits = c.text.slice(c.at + 1, c.at + 5);
  if (!/^[0-9A-Fa-f]{4}$/.test(digits)) return undefined;
  c.at += 4;
  return String.fromCharCode(Number.parseInt(digits, 16));
}

function number(c: Cursor): Json {
  const from = c.at;
  take(c, "-");
  const zero = take(c, "0");
  if (!zero && digits(c) === 0) return fail(c, "not a value");
  if (take(c, ".") && digits(c) === 0) return fail(c, "no digit after the point");
  if (take(c, "e") || take(c, "E")) {
    if (!take(c, "+")) take(c, "-");
    if (digits(c) === 0) return fail(c, "no digit in the exponent");
  }
  return { numeral: c.text.slice(from, c.at) };
}

function digits(c: Cursor): number {
  const from = c.at;
  for (;; c.at++) {
    const unit = c.text.charCodeAt(c.at);
    if (!(unit >= 0x30 && unit <= 0x39)) return c.at - from;
  }
}
