/**
 * Strict JSON read as bytes, one skipping function per construct: each gets the place where
 * something begins and answers the place just past it, or a negative number that says what is
 * amiss.
 *
 * Rule 1: nothing is made on the way: this runs over every byte that every peer sends.
 * Rule 2: RFC 8259 grammar, RFC 3629 UTF-8, no lone surrogates, no line feed between values (a
 * frame is one line).
 * Rule 3: recursion is bounded by the `depth` argument. Knows no key and no meaning.
 * @module
 */
import { ascii, text } from "../bytes.ts";

/** Not JSON. */
export const AMISS = -1;
export const AMISS_UTF8 = -2;
/** Nested deeper than allowed. */
export const AMISS_DEPTH = -3;

/** The marks of JSON as bytes. */
export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN = 0x7b;
export const CLOSE = 0x7d;
const TRUE = ascii("true");
const FALSE = ascii("false");
const NULL = ascii("null");

/**
 * Past the bytes that stand for themselves inside a string: ASCII, no control, quote or backslash.
 */
export function skipPlain(b: Uint8Array, from: number, end: number): number {
  let at = from;
  for (; at < end; at++) {
    const byte = b[at]!;
    if (byte < 0x20 || byte >= 0x80 || byte === QUOTE || byte === BACKSLASH) break;
  }
  return at;
}

/** White space, but no line feed: a frame is one line. */
export function skipSpace(b: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && (b[at] === 0x20 || b[at] === 0x09 || b[at] === 0x0d)) at++;
  return at;
}

export function skipDigits(b: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isDigit(b[at]!)) at++;
  return at;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Past the string whose opening quote is at `from`. */
export function skipString(b: Uint8Array, from: number, end: number): number {
  let at = from + 1;
  for (;;) {
    at = skipPlain(b, at, end);
    if (at >= end) return AMISS;
    const byte = b[at]!;
    if (byte === QUOTE) return at + 1;
    if (byte < 0x20) return AMISS;
    at = byte === BACKSLASH ? skipEscape(b, at + 1, end) : skipPoint(b, at, end);
    if (at < 0) return at;
  }
}

/** Past the escape whose letter is at `at`; a high surrogate needs its low one right behind it. */
function skipEscape(b: Uint8Array, at: number, end: number): number {
  if (at >= end) return AMISS;
  switch (b[at]!) {
    case QUOTE: case BACKSLASH: case 0x2f: case 0x62: case 0x66: case 0x6e: case 0x72: case 0x74:
      return at + 1;
    case 0x75: break;
    default: return AMISS;
  }
  const unit = unitAt(b, at + 1, end);
  if (unit < 0) return AMISS;
  if (unit < 0xd800 || unit > 0xdfff) return at + 5;
  if (unit > 0xdbff) return AMISS;
  if (at + 7 > end || b[at + 5] !== BACKSLASH || b[at + 6] !== 0x75) return AMISS;
  const low = unitAt(b, at + 7, end);
  return low >= 0xdc00 && low <= 0xdfff ? at + 11 : AMISS;
}

/** The code unit of the four hex digits at `at`, or -1. */
function unitAt(b: Uint8Array, at: number, end: number): number {
  if (at + 4 > end) return -1;
  let unit = 0;
  for (let i = at; i < at + 4; i++) {
    const digit = hexDigit(b[i]!);
    if (digit < 0) return -1;
    unit = (unit << 4) | digit;
  }
  return unit;
}

function hexDigit(byte: number): number {
  if (isDigit(byte)) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/**
 * Past one code point of two to four bytes; shortest form only, no surrogates, at most U+10FFFF
 * (RFC 3629).
 */
function skipPoint(b: Uint8Array, at: number, end: number): number {
  const lead = b[at]!;
  const size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (size === 0 || at + size > end) return AMISS_UTF8;
  for (let i = at + 1; i < at + size; i++) if ((b[i]! & 0xc0) !== 0x80) return AMISS_UTF8;
  const second = b[at + 1]!;
  if (lead === 0xe0 && second < 0xa0) return AMISS_UTF8;
  if (lead === 0xed && second > 0x9f) return AMISS_UTF8;
  if (lead === 0xf0 && second < 0x90) return AMISS_UTF8;
  if (lead === 0xf4 && second > 0x8f) return AMISS_UTF8;
  return at + size;
}

/** Past any value; arrays and objects nest at most `depth` deep. */
export function skipValue(b: Uint8Array, at: number, end: number, depth: number): number {
  if (at >= end) return AMISS;
  switch (b[at]!) {
    case QUOTE: return skipString(b, at, end);
    case OPEN: return depth > 0 ? skipNested(b, at + 1, end, depth - 1, CLOSE) : AMISS_DEPTH;
    case 0x5b: return depth > 0 ? skipNested(b, at + 1, end, depth - 1, 0x5d) : AMISS_DEPTH;
    case 0x74: return startsAt(b, at, TRUE) ? at + 4 : AMISS;
    case 0x66: return startsAt(b, at, FALSE) ? at + 5 : AMISS;
    case 0x6e: return startsAt(b, at, NULL) ? at + 4 : AMISS;
    default: return skipNumber(b, at, end);
  }
}

/** Past the members of an object or the items of an array, up to and with `close`. */
function skipNested(
  b: Uint8Array, from: number, end: number, depth: number, close: number,
): number {
  let at = skipSpace(b, from, end);
  if (at < end && b[at] === close) return at + 1;
  for (;;) {
    if (close === CLOSE) at = skipKey(b, at, end);
    if (at < 0) return at;
    at = skipValue(b, skipSpace(b, at, end), end, depth);
    if (at < 0) return at;
    at = skipSpace(b, at, end);
    if (at >= end) return AMISS;
    if (b[at] === close) return at + 1;
    if (b[at] !== COMMA) return AMISS;
    at = skipSpace(b, at + 1, end);
  }
}

/** Past a key and its colon. */
function skipKey(b: Uint8Array, from: number, end: number): number {
  if (from >= end || b[from] !== QUOTE) return AMISS;
  const past = skipString(b, from, end);
  if (past < 0) return past;
  const at = skipSpace(b, past, end);
  return at < end && b[at] === COLON ? at + 1 : AMISS;
}

/** Past a number: no leading zero, digits on both sides of a point, digits in an exponent. */
function skipNumber(b: Uint8Array, from: number, end: number): number {
  const start = b[from] === 0x2d ? from + 1 : from;
  let at = start < end && b[start] === 0x30 ? start + 1 : skipDigits(b, start, end);
  if (at === start) return AMISS;
  if (at < end && b[at] === 0x2e) {
    const point = at;
    at = skipDigits(b, point + 1, end);
    if (at === point + 1) return AMISS;
  }
  if (at < end && (b[at]! | 0x20) === 0x65) {
    const sign = at + 1 < end && (b[at + 1] === 0x2b || b[at + 1] === 0x2d) ? 2 : 1;
    const exponent = at + sign;
    at = skipDigits(b, exponent, end);
    if (at === exponent) return AMISS;
  }
  return at;
}

/** Is `what` at `at`? */
export function startsAt(b: Uint8Array, at: number, what: Uint8Array): boolean {
  for (let i = 0; i < what.length; i++) if (b[at + i] !== what[i]) return false;
  return true;
}

/** Is there a backslash from `from` to before `to`? */
export function hasBackslash(b: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (b[i] === BACKSLASH) return true;
  return false;
}

/**
 * Decodes the inside of a validated JSON string. Nearly all that is escaped are the quotes of a
 * handshake: then the bytes are put together first, and made text at once.
 */
export function unescaped(b: Uint8Array, start: number, to: number): string {
  const plain = new Uint8Array(to - start);
  let size = 0;
  for (let at = start; at < to; at++) {
    if (b[at] !== BACKSLASH) plain[size++] = b[at]!;
    else if (b[at + 1] === 0x75) return anyUnescaped(b, start, to);
    else plain[size++] = meaning(b[++at]!);
  }
  return text(plain, 0, size);
}

function anyUnescaped(b: Uint8Array, start: number, to: number): string {
  let out = "";
  let from = start;
  for (let at = start; at < to; at++) {
    if (b[at] !== BACKSLASH) continue;
    if (at > from) out += text(b, from, at);
    at++;
    if (b[at] === 0x75) {
      out += String.fromCharCode(unitAt(b, at + 1, to));
      at += 4;
    } else out += String.fromCharCode(meaning(b[at]!));
    from = at + 1;
  }
  return from < to ? out + text(b, from, to) : out;
}

/** What the letter after a backslash stands for; itself for quote, backslash and slash. */
function meaning(letter: number): number {
  switch (letter) {
    case 0x62: return 0x08;
    case 0x66: return 0x0c;
    case 0x6e: return 0x0a;
    case 0x72: return 0x0d;
    case 0x74: return 0x09;
    default: return letter;
  }
}
