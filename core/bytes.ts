/**
 * Bytes and texts: UTF-8, hex, base64, compare, join. Nothing here knows what the bytes mean.
 *
 * Rule 1: written by hand because the core may not use what only some hosts have (Buffer,
 * TextEncoder, atob).
 * Rule 2: decoders of foreign text answer `undefined` and accept the canonical form only, so that
 * one value has one spelling; encoders assert what they are given.
 * @module
 */
import { assert } from "./assert.ts";

const HEX = "0123456789abcdef";
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * Code units handed to one `String.fromCharCode` call: well below every engine's limit on
 * arguments.
 */
const UNITS_PER_CALL = 4_096;

const HEX_OF_BYTE: readonly string[] = Array.from(
  { length: 256 }, (_, byte) => HEX.charAt(byte >> 4) + HEX.charAt(byte & 15),
);
const NIBBLE_OF = values(HEX);
const SEXTET_OF = values(BASE64);

/** For each ASCII code the place of that character in `alphabet`, or -1. */
function values(alphabet: string): Int8Array {
  const table = new Int8Array(128).fill(-1);
  for (let i = 0; i < alphabet.length; i++) table[alphabet.charCodeAt(i)] = i;
  return table;
}

function valueIn(table: Int8Array, code: number): number {
  return code < 128 ? table[code]! : -1;
}

/** The bytes of a text that must be ASCII. */
export function ascii(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    assert(code < 0x80, "ascii: a character beyond 0x7f");
    out[i] = code;
  }
  return out;
}

/** Does every surrogate of `text` have its partner? Only such texts have a UTF-8 form. */
export function wellFormed(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    if (unit > 0xdbff) return false;
    const next = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
    if (next < 0xdc00 || next > 0xdfff) return false;
    i++;
  }
  return true;
}

/** How many bytes `utf8(text)` takes. */
export function utf8Bytes(text: string): number {
  let total = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) total += 1;
    else if (unit < 0x800) total += 2;
    // Each half of a pair counts two: a pair takes four bytes.
    else if (unit >= 0xd800 && unit <= 0xdfff) total += 2;
    else total += 3;
  }
  return total;
}

/** The UTF-8 bytes of a well-formed text (see `wellFormed`). */
export function utf8(text: string): Uint8Array {
  assert(wellFormed(text), "utf8: a lone surrogate");
  const out = new Uint8Array(utf8Bytes(text));
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i)!;
    if (point > 0xffff) i++;
    at = put(out, at, point);
  }
  return out;
}

/** Writes one code point as UTF-8 and returns where the next one goes. */
function put(out: Uint8Array, start: number, point: number): number {
  let at = start;
  if (point < 0x80) {
    out[at++] = point;
    return at;
  }
  if (point < 0x800) {
    out[at++] = 0xc0 | (point >> 6);
  } else if (point < 0x10000) {
    out[at++] = 0xe0 | (point >> 12);
    out[at++] = 0x80 | ((point >> 6) & 63);
  } else {
    out[at++] = 0xf0 | (point >> 18);
    out[at++] = 0x80 | ((point >> 12) & 63);
    out[at++] = 0x80 | ((point >> 6) & 63);
  }
  out[at++] = 0x80 | (point & 63);
  return at;
}

/**
 * The text of the UTF-8 bytes `from` (inclusive) to `to` (exclusive). The caller has validated
 * them.
 */
export function text(bytes: Uint8Array, from = 0, to = bytes.length): string {
  if (isAscii(bytes, from, to)) return asciiText(bytes, from, to);
  const units = new Uint16Array(to - from);
  let count = 0;
  for (let at = from; at < to;) {
    const lead = bytes[at]!;
    if (lead < 0x80) {
      units[count++] = lead;
      at += 1;
    } else if (lead < 0xe0) {
      units[count++] = ((lead & 31) << 6) | tail(bytes, at + 1);
      at += 2;
    } else if (lead < 0xf0) {
      units[count++] = ((lead & 15) << 12) | (tail(bytes, at + 1) << 6) | tail(bytes, at + 2);
      at += 3;
    } else {
      const high = ((lead & 7) << 18) | (tail(bytes, at + 1) << 12);
      const beyond = (high | (tail(bytes, at + 2) << 6) | tail(bytes, at + 3)) - 0x10000;
      units[count++] = 0xd800 | (beyond >> 10);
      units[count++] = 0xdc00 | (beyond & 0x3ff);
      at += 4;
    }
  }
  return join(units, 0, count);
}

function tail(bytes: Uint8Array, at: number): number {
  return bytes[at]! & 63;
}

function isAscii(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i]! >= 0x80) return false;
  return true;
}

function asciiText(bytes: Uint8Array, from: number, to: number): string {
  if (to - from > 512) return join(bytes, from, to);
  // Short texts (nicks, words, lines) are many: a view for each would cost more than its text.
  // Sixteen units are a nick, which is then made in one piece: a third of the time of four.
  const b = bytes;
  let out = "";
  let i = from;
  for (; i + 16 <= to; i += 16) {
    out += String.fromCharCode(
      b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!, b[i + 7]!,
      b[i + 8]!, b[i + 9]!, b[i + 10]!, b[i + 11]!, b[i + 12]!, b[i + 13]!, b[i + 14]!, b[i + 15]!,
    );
  }
  for (; i + 4 <= to; i += 4) out += String.fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!);
  for (; i < to; i++) out += String.fromCharCode(b[i]!);
  return out;
}

function join(units: Uint8Array | Uint16Array, from: number, to: number): string {
  let out = "";
  for (let at = from; at < to; at += UNITS_PER_CALL) {
    const part = units.subarray(at, at + UNITS_PER_CALL < to ? at + UNITS_PER_CALL : to);
    out += String.fromCharCode.apply(undefined, part as unknown as number[]);
  }
  return out;
}

/** Lower-case hex. */
export function hex(bytes: Uint8Array): string {
  let out = "";
  for (const byte of bytes) out += HEX_OF_BYTE[byte]!;
  return out;
}

/** The bytes of a lower-case hex text of even length; `undefined` for anything else. */
export function unhex(s: string): Uint8Array | undefined {
  if (s.length % 2 !== 0) return undefined;
  const out = new Uint8Array(s.length / 2);
  for (let i = 0; i < out.length; i++) {
    const high = valueIn(NIBBLE_OF, s.charCodeAt(2 * i));
    const low = valueIn(NIBBLE_OF, s.charCodeAt(2 * i + 1));
    if (high < 0 || low < 0) return undefined;
    out[i] = (high << 4) | low;
  }
  return out;
}

/** Up to here a loop costs less than a view for `set`. */
const LOOP_BYTES_MAX = 48;

/** Copies `from` to `to` (exclusive) of `bytes` into `out`, where there is room, at `at`. */
export function copy(
  bytes: Uint8Array, from: number, to: number, out: Uint8Array, at: number,
): void {
  if (to - from > LOOP_BYTES_MAX) {
    out.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), at);
    return;
  }
  for (let i = from; i < to; i++) out[at + i - from] = bytes[i]!;
}

/** All parts in one new array. `total` is the sum of their sizes, if the caller knows it. */
export function concat(parts: readonly Uint8Array[], total?: number): Uint8Array {
  let sum = 0;
  for (const part of parts) sum += part.length;
  assert(total === undefined || total === sum, "concat: the parts do not add up to the total");
  const out = new Uint8Array(sum);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Same size, same bytes. Not constant-time: never for secrets. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Base64 (RFC 4648 §4) with padding. */
export function base64(bytes: Uint8Array): string {
  let out = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    out += BASE64.charAt(group >> 18) + BASE64.charAt((group >> 12) & 63);
    out += left > 1 ? BASE64.charAt((group >> 6) & 63) : "=";
    out += left > 2 ? BASE64.charAt(group & 63) : "=";
  }
  return out;
}

/**
 * The bytes of canonical base64: full padding, unused bits zero, no white space. `undefined` for
 * anything else.
 */
export function unbase64(s: string): Uint8Array | undefined {
  if (s.length % 4 !== 0) return undefined;
  const padding = s.endsWith("==") ? 2 : s.endsWith("=") ? 1 : 0;
  const digits = s.length - padding;
  const out = new Uint8Array((s.length / 4) * 3 - padding);
  let bits = 0;
  let pending = 0;
  let at = 0;
  for (let i = 0; i < digits; i++) {
    const value = valueIn(SEXTET_OF, s.charCodeAt(i));
    if (value < 0) return undefined;
    pending = ((pending << 6) | value) & 0xfff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out[at++] = (pending >> bits) & 0xff;
  }
  return (pending & ((1 << bits) - 1)) === 0 ? out : undefined;
}
