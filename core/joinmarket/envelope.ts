/**
 * The envelope: one JSON object per line, `{"type": 687, "line": "..."}` and CRLF.
 *
 * Rule 1: `scan` decides whether a frame is valid before anything else looks at it. It reads the
 * bytes once, makes nothing, and answers where the text of `line` lies, so that a valid frame can
 * be relayed as it came.
 * Rule 2: stricter than JSON where receivers differ: `type` in plain digits, `type` and `line` once
 * each, no lone surrogates, no line feed inside. Extra keys are allowed and never relayed.
 * Rule 3: what is sent is ASCII with Python's separators and at most `lineBytesMax` long, because
 * deployed clients drop a connection that sends more. Knows nothing of what the line says.
 * @module
 */
import { assert } from "../assert.ts";
import { ascii, concat, text, wellFormed } from "../bytes.ts";
import type { Fault } from "../fault.ts";
import {
  AMISS_DEPTH, AMISS_UTF8, BACKSLASH, CLOSE, COLON, COMMA, OPEN, QUOTE, hasBackslash,
  skipDigits, skipPlain, skipSpace, skipString, skipValue, startsAt, unescaped,
} from "./json-bytes.ts";
import { quote } from "./json.ts";

/** Message types (JMP-0001, JMP-0004; 803 to 807 nick authentication). */
export const types = Object.freeze({
  PRIVMSG: 685,
  PUBMSG: 687,
  /** 785, 787 and 797 are deployed clients' own events: never sent, dropped when received. */
  LOCAL_CONNECT: 785,
  LOCAL_DISCONNECT: 787,
  LOCAL_CONNECT_IN: 797,
  PEERLIST: 789,
  GETPEERLIST: 791,
  HANDSHAKE: 793,
  DN_HANDSHAKE: 795,
  PING: 798,
  /** Deployed clients crash on 799 (unless they pinged) and on 801. */
  PONG: 799,
  DISCONNECT: 801,
  NICK_AUTH_CHALLENGE: 803,
  NICK_AUTH_PROOF: 805,
  NICK_AUTH_RESULT: 807,
} as const);

/** The longest line that every deployed client takes, in bytes without the terminator. */
export const lineBytesMax = 40_000;

/** How deep arrays and objects may nest inside the value of an extra key. */
export const depthMax = 10;

export type Envelope = {
  type: number;
  /** First byte of the line's text, after the opening quote. */
  from: number;
  /** Just past its last byte: the closing quote. */
  to: number;
  /** There is a backslash between `from` and `to`. */
  escaped: boolean;
  /** The object has `type` and `line` and nothing else. */
  exact: boolean;
};

/** An empty result for `scan` to fill; one serves any number of frames. */
export function create(): Envelope {
  return { type: 0, from: 0, to: 0, escaped: false, exact: false };
}

const NOT_JSON: Fault = { code: "json", text: "the frame is not valid JSON" };
const NOT_UTF8: Fault = { code: "utf8", text: "the frame is not valid UTF-8" };
const TOO_DEEP: Fault = { code: "depth", text: "the frame nests too deeply" };
const NOT_OBJECT: Fault = { code: "object", text: "the frame is not an object" };
const BAD_TYPE: Fault = { code: "type", text: "`type` is not a plain 32-bit number" };
const BAD_LINE: Fault = { code: "line", text: "`line` is not a string" };
const TWICE: Fault = { code: "duplicate", text: "`type` or `line` appears twice" };
const MISSING: Fault = { code: "missing", text: "`type` or `line` is missing" };

/**
 * The two spellings that senders use: Python's and the compact one. Type and text are filled in
 * between.
 */
const SPACED_TYPE = ascii("{\"type\": ");
const SPACED_LINE = ascii(", \"line\": \"");
const COMPACT_TYPE = ascii("{\"type\":");
const COMPACT_LINE = ascii(",\"line\":\"");
/** What ends a frame that is sent. */
const TAIL = ascii("\"}\r\n");

/**
 * Validates a whole frame (with or without its CRLF) and fills `into`. On a fault `into` is
 * meaningless. Faults: `json`, `utf8`, `depth`, `object`, `type`, `line`, `duplicate`, `missing`.
 */
export function scan(frame: Uint8Array, into: Envelope): Fault | undefined {
  const end = contentEnd(frame);
  if (frame[8] === 0x20) {
    if (usual(frame, end, into, SPACED_TYPE, SPACED_LINE)) return undefined;
  } else if (usual(frame, end, into, COMPACT_TYPE, COMPACT_LINE)) return undefined;
  return general(frame, end, into);
}

function contentEnd(frame: Uint8Array): number {
  const size = frame.length;
  return size >= 2 && frame[size - 1] === 0x0a && frame[size - 2] === 0x0d ? size - 2 : size;
}

/**
 * The usual spelling with a text that needs no decoding. False says nothing: the general way
 * decides.
 */
function usual(
  b: Uint8Array, end: number, into: Envelope, head: Uint8Array, mid: Uint8Array,
): boolean {
  if (!startsAt(b, 0, head)) return false;
  const digitsAt = head.length;
  const midAt = skipDigits(b, digitsAt, end);
  const type = typeOf(b, digitsAt, midAt);
  if (type < 0) return false;
  if (!startsAt(b, midAt, mid)) return false;
  const from = midAt + mid.length;
  const to = skipPlain(b, from, end);
  if (to + 2 !== end || b[to] !== QUOTE || b[to + 1] !== CLOSE) return false;
  into.type = type;
  into.from = from;
  into.to = to;
  into.escaped = false;
  into.exact = true;
  return true;
}

/**
 * The value of the plain digits `from` to `to`: 0 to 4,294,967,295 without leading zeros; else -1.
 */
function typeOf(b: Uint8Array, from: number, to: number): number {
  const count = to - from;
  if (count < 1 || count > 10) return -1;
  if (count > 1 && b[from] === 0x30) return -1;
  let sum = 0;
  for (let i = from; i < to; i++) sum = sum * 10 + (b[i]! - 0x30);
  return sum <= 0xffff_ffff ? sum : -1;
}

/** Any spelling, key by key. */
function general(b: Uint8Array, end: number, into: Envelope): Fault | undefined {
  let at = skipSpace(b, 0, end);
  if (at >= end || b[at] !== OPEN) return skipWhole(b, at, end) === end ? NOT_OBJECT : NOT_JSON;
  into.exact = true;
  let types = 0;
  let lines = 0;
  at = skipSpace(b, at + 1, end);
  if (at < end && b[at] === CLOSE) return finish(b, at + 1, end, types, lines);
  for (;;) {
    const keyAt = at;
    if (keyAt >= end || b[keyAt] !== QUOTE) return NOT_JSON;
    at = skipString(b, keyAt, end);
    if (at < 0) return faultOf(at);
    const key = keyOf(b, keyAt + 1, at - 1);
    at = skipSpace(b, at, end);
    if (at >= end || b[at] !== COLON) return NOT_JSON;
    const valueAt = skipSpace(b, at + 1, end);
    at = skipValue(b, valueAt, end, depthMax);
    if (at < 0) return faultOf(at);
    const fault = store(b, key, valueAt, at, into);
    if (fault !== undefined) return fault;
    if (key === "type") types++;
    if (key === "line") lines++;
    at = skipSpace(b, at, end);
    if (at >= end) return NOT_JSON;
    if (b[at] === CLOSE) return finish(b, at + 1, end, types, lines);
    if (b[at] !== COMMA) return NOT_JSON;
    at = skipSpace(b, at + 1, end);
  }
}

function skipWhole(b: Uint8Array, at: number, end: number): number {
  const past = skipValue(b, at, end, depthMax);
  return past < 0 ? past : skipSpace(b, past, end);
}

function finish(
  b: Uint8Array, at: number, end: number, types: number, lines: number,
): Fault | undefined {
  if (skipSpace(b, at, end) !== end) return NOT_JSON;
  if (types > 1 || lines > 1) return TWICE;
  if (types < 1 || lines < 1) return MISSING;
  return undefined;
}

function faultOf(amiss: number): Fault {
  if (amiss === AMISS_UTF8) return NOT_UTF8;
  return amiss === AMISS_DEPTH ? TOO_DEEP : NOT_JSON;
}

/** Takes one member of the object into the result. */
function store(
  b: Uint8Array, key: "type" | "line" | "other", from: number, to: number, into: Envelope,
): Fault | undefined {
  if (key === "type") {
    into.type = skipDigits(b, from, to) === to ? typeOf(b, from, to) : -1;
    return into.type < 0 ? BAD_TYPE : undefined;
  }
  if (key === "line") {
    if (b[from] !== QUOTE) return BAD_LINE;
    into.from = from + 1;
    into.to = to - 1;
    into.escaped = hasBackslash(b, from + 1, to - 1);
    return undefined;
  }
  into.exact = false;
  return undefined;
}

/** A key may be escaped; each of its four characters then takes up to six bytes. */
function keyOf(b: Uint8Array, from: number, to: number): "type" | "line" | "other" {
  if (to - from < 4 || to - from > 24) return "other";
  const key = hasBackslash(b, from, to) ? unescaped(b, from, to) : text(b, from, to);
  return key === "type" || key === "line" ? key : "other";
}

/** The decoded text of `line`. `frame` and `e` are what `scan` accepted. */
export function content(frame: Uint8Array, e: Envelope): string {
  return e.escaped ? unescaped(frame, e.from, e.to) : text(frame, e.from, e.to);
}

/**
 * A frame with this line, ready to send. `type` is a message type; `line` is well-formed text.
 * Asserts that the frame without its terminator is at most `lineBytesMax` long: no peer may be sent
 * more.
 */
export function encode(type: number, line: string): Uint8Array {
  assert(Number.isInteger(type), "envelope: the type is not an integer");
  assert(type >= 0 && type <= 0xffff_ffff, "envelope: the type is out of range");
  const frame = plainFrame(type, line) ?? quotedFrame(type, line);
  assert(frame.length <= lineBytesMax + 2, "envelope: the line is too long to send");
  return frame;
}

/**
 * The frame of a line without anything to escape (peerlists, most messages), or `undefined`. Long
 * lines go out often: each character is looked at once and nothing is made but the frame.
 */
function plainFrame(type: number, line: string): Uint8Array | undefined {
  const head = `{"type": ${type}, "line": "`;
  const frame = new Uint8Array(head.length + line.length + TAIL.length);
  for (let i = 0; i < head.length; i++) frame[i] = head.charCodeAt(i);
  let at = head.length;
  for (let i = 0; i < line.length; i++) {
    const unit = line.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e || unit === QUOTE || unit === BACKSLASH) return undefined;
    frame[at++] = unit;
  }
  frame.set(TAIL, at);
  return frame;
}

function quotedFrame(type: number, line: string): Uint8Array {
  assert(wellFormed(line), "envelope: the line has a lone surrogate");
  return ascii(`{"type": ${type}, "line": ${quote(line)}}\r\n`);
}

/**
 * The bytes to relay for a frame that `scan` accepted: the frame itself, or, if it carries more
 * than `type` and `line`, a new envelope around the untouched text. Never longer than the frame.
 */
export function relayed(frame: Uint8Array, e: Envelope): Uint8Array {
  if (e.exact && contentEnd(frame) < frame.length) return frame;
  const head = ascii(`{"type": ${e.type}, "line": "`);
  return concat([head, frame.subarray(e.from, e.to), TAIL]);
}
