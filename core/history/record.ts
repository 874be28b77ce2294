/**
 * The lines of a journal: how a record is written, and which records a file holds.
 *
 *     dogwatch-journal 1
 *     96d0dba5 1 0 15 {"type":"seen"}
 *     checksum sequence known length body
 *
 * Rule 1: printable ASCII, one line for each record, one spelling for each: a person can read and
 * search it. The checksum (CRC-32, ISO 3309, as `gzip` has it) is over the rest of the line without
 * its end, so that any tool can verify it.
 * Rule 2: `sequence` counts from 1 without gaps. `known` is the last sequence that was known to be
 * durable when the line was written: a line bears witness that everything up to there was kept.
 * Rule 3: what follows the last whole record is a write that was cut short, and may go, if no later
 * line bears witness to it and it is no larger than one write can be. Otherwise a record that was
 * durable is damaged; nothing is cut then and nothing is skipped.
 * Not known here: what bodies mean, and when anything is written.
 * @module
 */
import { assert } from "../assert.ts";
import { ascii, equal, text } from "../bytes.ts";
import { bad, good, type Decoded } from "../fault.ts";

/** The first line of every journal; the number is the version of the format. */
export const header: Uint8Array = ascii("dogwatch-journal 1\n");

const anyHeader = /^dogwatch-journal [0-9]{1,9}$/;
const headerBytesMax = 32;

/** A line is at most this much longer than its body: checksum, three numbers, spaces, end. */
export const frameBytesMax = 8 + 15 + 15 + 7 + 4 + 1;

/** A body is at most this long, whatever a journal's configuration says. 1 MiB. */
export const bodyBytesCap = 1_048_576;

const sumDigits = 8;
/** So that a number stays a safe integer. */
const numberDigitsMax = 15;
const spaceByte = 0x20;
const zeroByte = 0x30;
const endByte = 0x0a;

/** What a file holds. */
export type Scan = {
  /** Whole records; their sequences are 1 to `count`. */
  readonly count: number;
  /** Where the last whole record ends, or the header if there is none; 0 without a header. */
  readonly end: number;
  /** What follows `end` is a write that was cut short. */
  readonly tornBytes: number;
};

/** May `body` be a record's? Printable ASCII and not too long. */
export function isBody(body: string): boolean {
  if (body.length > bodyBytesCap) return false;
  for (let i = 0; i < body.length; i += 1) {
    const code = body.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}

/** The line of a record, with its end. Asserts `isBody(body)` and `0 <= known < seq`. */
export function encode(seq: number, known: number, body: string): Uint8Array {
  assert(Number.isSafeInteger(seq), "a sequence is a whole number");
  assert(known >= 0, "nothing is known before the first record");
  assert(known < seq, "a record cannot know of itself");
  assert(isBody(body), "a body is printable ASCII");
  const rest = `${seq} ${known} ${body.length} ${body}`;
  const line = ascii(`00000000 ${rest}\n`);
  putSum(line, crc32(line, sumDigits + 1, line.length - 1));
  return line;
}

/**
 * Which records a file holds. `tornBytesMax` is the largest write that may have been cut short. A
 * fault says where the file is damaged, or that it is no journal of this version. Never throws.
 */
export function scan(bytes: Uint8Array, tornBytesMax: number): Decoded<Scan> {
  const { length } = bytes;
  if (!hasHeader(bytes)) return headless(bytes);
  const line: Line = { seq: 0, known: 0, from: 0, end: 0 };
  let end = header.length;
  let count = 0;
  let known = 0;
  while (end < length && isLine(bytes, end, line)) {
    if (line.seq !== count + 1 || line.known < known) break;
    count = line.seq;
    known = line.known;
    end = line.end;
  }
  if (end === length) return good({ count, end, tornBytes: 0 });
  return tail(bytes, count, end, tornBytesMax);
}

function hasHeader(bytes: Uint8Array): boolean {
  return bytes.length >= header.length && equal(bytes.subarray(0, header.length), header);
}

/**
 * The header is durable before any record is written, so a creation that was cut short leaves no
 * more bytes than a header has, whatever they are. A larger file is someone else's.
 */
function headless(bytes: Uint8Array): Decoded<Scan> {
  const lineEnd = bytes.subarray(0, headerBytesMax).indexOf(endByte);
  if (lineEnd >= 0 && anyHeader.test(latin(bytes.subarray(0, lineEnd)))) {
    return bad("journal-version", "the file is a journal of another version");
  }
  if (bytes.length <= header.length) return good({ count: 0, end: 0, tornBytes: bytes.length });
  return bad("journal-foreign", "the file does not begin like a journal");
}

function latin(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** The file is not whole from `end` on: was a write cut short, or is a record damaged? */
function tail(
  bytes: Uint8Array, count: number, end: number, tornBytesMax: number,
): Decoded<Scan> {
  const tornBytes = bytes.length - end;
  if (witnessed(bytes, end) > count) {
    return bad("journal-damaged", `record ${count + 1} at byte ${end} is damaged`);
  }
  if (tornBytes > tornBytesMax) {
    return bad("journal-damaged", `no record in the last ${tornBytes} bytes from byte ${end}`);
  }
  return good({ count, end, tornBytes });
}

/** The highest sequence that any whole line from `from` on knows to be durable. */
function witnessed(bytes: Uint8Array, from: number): number {
  const line: Line = { seq: 0, known: 0, from: 0, end: 0 };
  let highest = 0;
  for (let at = from; ;) {
    if (isLine(bytes, at, line) && line.known > highest) highest = line.known;
    const end = bytes.indexOf(endByte, at);
    if (end < 0) return highest;
    at = end + 1;
  }
}

/**
 * Shows the records of a file that `scan` found whole up to `end`, in order. They are not checked
 * again.
 */
export function each(
  bytes: Uint8Array, end: number, visit: (seq: number, body: string) => void,
): void {
  ranges(bytes, end, (seq, from, to) => visit(seq, text(bytes, from, to)));
}

/** The same, for who reads bodies where they are: from `from` (inclusive) to `to` (exclusive). */
export function ranges(
  bytes: Uint8Array, end: number, visit: (seq: number, from: number, to: number) => void,
): void {
  const line: Line = { seq: 0, known: 0, from: 0, end: 0 };
  for (let at = header.length; at < end; at = line.end) {
    assert(hasFrame(bytes, at, line), "a scanned record lost its frame");
    visit(line.seq, line.from, line.end - 1);
  }
}

/** One line as found: its numbers, where its body begins, where it ends. */
type Line = { seq: number; known: number; from: number; end: number };

/** Is there a whole record at `at`? Fills `line`, which is reused: a file may have a million. */
function isLine(bytes: Uint8Array, at: number, line: Line): boolean {
  if (!hasFrame(bytes, at, line)) return false;
  return sumAt(bytes, at) === crc32(bytes, at + sumDigits + 1, line.end - 1);
}

function hasFrame(bytes: Uint8Array, at: number, line: Line): boolean {
  if (bytes[at + sumDigits] !== spaceByte) return false;
  line.from = at + sumDigits + 1;
  line.seq = numberAt(bytes, line);
  line.known = numberAt(bytes, line);
  const size = numberAt(bytes, line);
  if (size < 0 || line.known < 0 || line.known >= line.seq) return false;
  line.end = line.from + size + 1;
  return size <= bodyBytesCap && bytes[line.end - 1] === endByte;
}

/** The number at `line.from`, which moves behind the space that follows; -1 if there is none. */
function numberAt(bytes: Uint8Array, line: Line): number {
  const { from } = line;
  let value = 0;
  let at = from;
  for (; at < from + numberDigitsMax; at += 1) {
    const digit = (bytes[at] ?? 0) - zeroByte;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  const isCanonical = at === from + 1 || bytes[from] !== zeroByte;
  if (at === from || bytes[at] !== spaceByte || !isCanonical) return -1;
  line.from = at + 1;
  return value;
}

/** The checksum as written at `at`; -1 if there are not eight lower-case hex digits. */
function sumAt(bytes: Uint8Array, at: number): number {
  let sum = 0;
  for (let i = at; i < at + sumDigits; i += 1) {
    const digit = nibble(bytes[i] ?? 0);
    if (digit < 0) return -1;
    sum = (sum << 4) | digit;
  }
  return sum >>> 0;
}

function nibble(code: number): number {
  if (code >= zeroByte && code <= 0x39) return code - zeroByte;
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -1;
}

function putSum(line: Uint8Array, sum: number): void {
  for (let i = 0; i < sumDigits; i += 1) {
    const digit = (sum >>> (28 - 4 * i)) & 15;
    line[i] = digit < 10 ? zeroByte + digit : 0x57 + digit;
  }
}

const crcTable = table();

/** Of the reflected polynomial 0xedb88320. */
function table(): Int32Array {
  const made = new Int32Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    let rest = byte;
    for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ ((rest & 1) * 0xedb88320);
    made[byte] = rest;
  }
  return made;
}

/** The CRC-32 of the bytes `from` (inclusive) to `to` (exclusive), 0 to 2^32 - 1. */
export function crc32(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let sum = -1;
  for (let i = from; i < to; i += 1) {
    sum = (sum >>> 8) ^ (crcTable[(sum ^ (bytes[i] as number)) & 0xff] as number);
  }
  return (sum ^ -1) >>> 0;
}
