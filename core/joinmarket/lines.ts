/**
 * The byte stream of one connection, cut into lines.
 *
 * Rule 1: any split of the stream gives the same lines; LF and CRLF both end a line, CRLF is what
 * comes out.
 * Rule 2: a line that arrived whole and with CRLF is a view of the received bytes, because it is
 * relayed as it came; an unfinished line is always a copy, so that a drip does not keep whole
 * network buffers alive.
 * Rule 3: knows nothing of JSON. Time limits on unfinished lines are the session's business.
 * @module
 */
import { assert } from "../assert.ts";
import { copy } from "../bytes.ts";

const LF = 10;
const CR = 13;
/** The empty line; one for all, because a flood of them must cost next to nothing. */
const empty = Uint8Array.of(CR, LF);
/** The first allocation for an unfinished line, in bytes; doubled as it grows. */
const PARTIAL_BYTES_MIN = 64;

/** Plain data of one connection. Idle: no buffer. */
export type Lines = {
  /** Room for the unfinished line; only the first `partialBytes` are meaningful. */
  partial: Uint8Array | undefined;
  partialBytes: number;
  /** A line was too long: nothing more comes out. */
  dead: boolean;
};

export function create(): Lines {
  return { partial: undefined, partialBytes: 0, dead: false };
}

/**
 * Memory held for the unfinished line, in bytes: at least its size, less than twice that plus 64; 0
 * when idle.
 */
export function pendingBytes(l: Lines): number {
  return l.partial === undefined ? 0 : l.partial.length;
}

/** Where cutting stands in one delivery, and the line that was cut last. */
export type Cut = { at: number; line: Uint8Array | undefined };

/**
 * Cuts the next line that ends in `bytes` at or after `cut.at`, with exactly one CRLF at its end
 * (an empty line is just CRLF). When none is left `cut.line` is undefined, and the rest has been
 * kept for the next delivery. Returns false, now and ever after, once a line without its terminator
 * exceeds `maxBytes`; nothing of that line comes out.
 */
export function next(l: Lines, bytes: Uint8Array, maxBytes: number, cut: Cut): boolean {
  cut.line = undefined;
  if (l.dead) return false;
  const from = cut.at;
  const lf = bytes[from] === LF ? from : bytes.indexOf(LF, from);
  if (lf < 0) {
    if (from < bytes.length) keep(l, bytes, from, maxBytes);
    cut.at = bytes.length;
    return l.dead ? die(l) : true;
  }
  cut.line = l.partial === undefined
    ? whole(bytes, from, lf, maxBytes)
    : joined(l, l.partial, bytes, lf, maxBytes);
  cut.at = lf + 1;
  return cut.line === undefined ? die(l) : true;
}

/**
 * Takes the next received bytes and pushes each line that they complete. Returns false like `next`;
 * the lines before the one that is too long come out.
 */
export function feed(l: Lines, bytes: Uint8Array, maxBytes: number, out: Uint8Array[]): boolean {
  assert(maxBytes > 0, "lines: the limit must be positive");
  const cut: Cut = { at: 0, line: undefined };
  for (;;) {
    if (!next(l, bytes, maxBytes, cut)) return false;
    if (cut.line === undefined) return true;
    out.push(cut.line);
  }
}

/** Gives up the unfinished line and all that may follow. */
export function stop(l: Lines): void {
  die(l);
}

function die(l: Lines): false {
  l.dead = true;
  l.partial = undefined;
  l.partialBytes = 0;
  return false;
}

/** The line `from` to `lf` that lies in one chunk. */
function whole(
  bytes: Uint8Array, from: number, lf: number, maxBytes: number,
): Uint8Array | undefined {
  const returned = lf > from && bytes[lf - 1] === CR;
  const size = returned ? lf - 1 - from : lf - from;
  if (size > maxBytes) return undefined;
  if (size === 0) return empty;
  if (returned) return bytes.subarray(from, lf + 1);
  const line = terminated(size);
  copy(bytes, from, lf, line, 0);
  return line;
}

/** The line that began in earlier chunks and ends at `lf` of this one. */
function joined(
  l: Lines, partial: Uint8Array, bytes: Uint8Array, lf: number, maxBytes: number,
): Uint8Array | undefined {
  const before = l.partialBytes;
  const last = lf > 0 ? bytes[lf - 1] : partial[before - 1];
  const size = before + lf - (last === CR ? 1 : 0);
  if (size > maxBytes) return undefined;
  const line = new Uint8Array(size + 2);
  // The CR of the terminator may sit in either part; both copies stop short of it.
  copy(partial, 0, before > size ? size : before, line, 0);
  if (size > before) copy(bytes, 0, size - before, line, before);
  line[size] = CR;
  line[size + 1] = LF;
  l.partial = undefined;
  l.partialBytes = 0;
  return line;
}

function terminated(size: number): Uint8Array {
  const line = new Uint8Array(size + 2);
  line[size] = CR;
  line[size + 1] = LF;
  return line;
}

/**
 * Copies the unfinished rest. One CR beyond the limit may still turn out to be half of a
 * terminator.
 */
function keep(l: Lines, bytes: Uint8Array, from: number, maxBytes: number): void {
  const size = l.partialBytes + bytes.length - from;
  const content = bytes[bytes.length - 1] === CR ? size - 1 : size;
  if (content > maxBytes) {
    l.dead = true;
    return;
  }
  const room = roomFor(l, size, maxBytes + 1);
  copy(bytes, from, bytes.length, room, l.partialBytes);
  l.partialBytes = size;
}

/** Doubling keeps a one-byte drip linear: each byte is moved twice on average. */
function roomFor(l: Lines, size: number, sizeMax: number): Uint8Array {
  const old = l.partial;
  if (old !== undefined && old.length >= size) return old;
  let capacity = old === undefined ? PARTIAL_BYTES_MIN : 2 * old.length;
  if (capacity < size) capacity = size;
  if (capacity > sizeMax) capacity = sizeMax;
  const room = new Uint8Array(capacity);
  if (old !== undefined) copy(old, 0, l.partialBytes, room, 0);
  l.partial = room;
  return room;
}
