/**
 * Canonical text of plain values: one value has one text, in ASCII, and the text gives it back.
 *
 * Rule 1: JSON with five marks for what JSON lacks: `{"a":"…"}` bytes that print (with CR and LF),
 * `{"x":"hex"}` other bytes, `{"n":"…"}` bigint, `{"u":1}` undefined, and `{"secret":"seal",
 * "bytes":n}` for a marked secret, whose bytes are lost.
 * Rule 2: an object whose first key is one of the marks is wrapped as `{"o":{…}}`.
 * Rule 3: keys stay in the order of the object. Nothing here knows what the values mean.
 * @module
 */
import { assert } from "../assert.ts";
import { hex, unhex } from "../bytes.ts";
import { bad, good, type Decoded } from "../fault.ts";
import { isSecret, seal, type Secret } from "../secret.ts";

/** Values nested deeper than this are refused by `decode` and are a bug in `encode`. */
const depthMax = 32;

const marks: ReadonlySet<string> = new Set(["a", "x", "n", "u", "o", "secret"]);

/** The text of a plain value. Secrets are written as seals made with `key`. */
export function encode(value: unknown, key: Secret | undefined): string {
  return text(value, key, 0);
}

function text(value: unknown, key: Secret | undefined, depth: number): string {
  assert(depth < depthMax, "a value is nested too deeply for a trace");
  switch (typeof value) {
    case "string": return quote(value);
    case "number": return numeral(value);
    case "boolean": return value ? "true" : "false";
    case "bigint": return `{"n":"${value}"}`;
    case "undefined": return `{"u":1}`;
    case "object": return value === null ? "null" : composite(value, key, depth);
    case "function":
    case "symbol": assert(false, `a ${typeof value} in a trace`);
  }
}

function composite(value: object, key: Secret | undefined, depth: number): string {
  if (value instanceof Uint8Array) return bytesText(value);
  if (Array.isArray(value)) {
    return `[${value.map((item) => text(item, key, depth + 1)).join(",")}]`;
  }
  if (isSecret(value)) {
    return `{"secret":"${seal(value, key)}","bytes":${value.secret.length}}`;
  }
  assert(!(value instanceof Map), "a Map in a trace");
  assert(!(value instanceof Set), "a Set in a trace");
  const fields = Object.entries(value);
  const parts = fields.map(([name, item]) => `${quote(name)}:${text(item, key, depth + 1)}`);
  const body = `{${parts.join(",")}}`;
  const first = fields[0];
  return first !== undefined && marks.has(first[0]) ? `{"o":${body}}` : body;
}

/** JSON's own quoting, with everything beyond ASCII escaped so that one character is one byte. */
export function quote(value: string): string {
  const json = JSON.stringify(value);
  return isAscii(json) ? json : escapeWide(json);
}

function isAscii(value: string): boolean {
  for (let i = 0; i < value.length; i += 1) if (value.charCodeAt(i) > 0x7e) return false;
  return true;
}

function escapeWide(json: string): string {
  let ascii = "";
  for (let i = 0; i < json.length; i += 1) {
    const code = json.charCodeAt(i);
    ascii += code > 0x7e ? `\\u${code.toString(16).padStart(4, "0")}` : json[i];
  }
  return ascii;
}

function numeral(value: number): string {
  if (!Number.isFinite(value)) assert(false, `${value} in a trace`);
  return Object.is(value, -0) ? "-0" : String(value);
}

function bytesText(bytes: Uint8Array): string {
  let plain = "";
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i] as number;
    if (!prints(byte)) return `{"x":"${hex(bytes)}"}`;
    plain += String.fromCharCode(byte);
  }
  return `{"a":${JSON.stringify(plain)}}`;
}

function prints(byte: number): boolean {
  return (byte >= 0x20 && byte <= 0x7e) || byte === 0x0a || byte === 0x0d;
}

/** The value of one JSON text, marks not yet read. Never throws. */
export function parse(json: string): Decoded<unknown> {
  try {
    return good(JSON.parse(json) as unknown);
  } catch {
    return bad("trace-json", "not JSON");
  }
}

/**
 * The value that a parsed canonical text stands for. Accepts texts that `encode` would have written
 * otherwise: whoever needs certainty encodes again and compares. Never throws.
 */
export function decode(json: unknown): Decoded<unknown> {
  return value(json, 0);
}

function value(json: unknown, depth: number): Decoded<unknown> {
  if (typeof json !== "object" || json === null) return good(json);
  if (depth >= depthMax) return bad("trace-depth", "nested too deeply");
  if (Array.isArray(json)) return list(json, depth);
  const first = Object.keys(json)[0];
  if (first === undefined || !marks.has(first)) return fields(json, depth);
  return marked(first, json as { readonly [name: string]: unknown }, depth);
}

function list(json: readonly unknown[], depth: number): Decoded<unknown[]> {
  const items: unknown[] = [];
  for (const item of json) {
    const decoded = value(item, depth + 1);
    if (!decoded.ok) return decoded;
    items.push(decoded.value);
  }
  return good(items);
}

function fields(json: object, depth: number): Decoded<unknown> {
  const entries: [string, unknown][] = [];
  for (const [name, item] of Object.entries(json)) {
    const decoded = value(item, depth + 1);
    if (!decoded.ok) return decoded;
    entries.push([name, decoded.value]);
  }
  // Not by assignment: a field named `__proto__` would be taken for the prototype.
  return good(Object.fromEntries(entries));
}

function marked(
  mark: string,
  json: { readonly [name: string]: unknown },
  depth: number,
): Decoded<unknown> {
  const held = json[mark];
  if (mark === "u") return good(undefined);
  if (mark === "o" && typeof held === "object" && held !== null) return fields(held, depth + 1);
  if (typeof held !== "string") return bad("trace-mark", `the mark ${mark} holds no text`);
  if (mark === "a") return plainBytes(held);
  if (mark === "x") return hexBytes(held);
  if (mark === "n") return integer(held);
  if (mark === "secret") return lostSecret(held, json["bytes"]);
  return bad("trace-mark", `the mark ${mark} holds no object`);
}

function plainBytes(plain: string): Decoded<Uint8Array> {
  const bytes = new Uint8Array(plain.length);
  for (let i = 0; i < plain.length; i += 1) bytes[i] = plain.charCodeAt(i);
  return good(bytes);
}

function hexBytes(digits: string): Decoded<Uint8Array> {
  const bytes = unhex(digits);
  return bytes === undefined ? bad("trace-hex", "not hex") : good(bytes);
}

function integer(digits: string): Decoded<bigint> {
  return /^-?[0-9]+$/.test(digits) ? good(BigInt(digits)) : bad("trace-integer", "not an integer");
}

/** No secret in a trace is larger; a damaged length must not allocate more. */
const secretBytesMax = 65_536;

/** Stands in for a secret whose bytes were not written: as long, all zero, with the seal it had. */
function lostSecret(sealed: string, length: unknown): Decoded<Secret> {
  if (typeof length !== "number" || !Number.isSafeInteger(length) || length < 0) {
    return bad("trace-secret", "a secret without a length");
  }
  if (length > secretBytesMax) return bad("trace-secret", "a secret too long");
  return good({ secret: new Uint8Array(length), sealed });
}
