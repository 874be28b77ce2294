/**
 * Checks every line that a peer receives: each exactly once, and in its sender's order.
 *
 * Rule 1: one table of the next sequence number per receiver and sender. A lower number is a
 * repetition (or came late), a higher one a gap; what is still missing at the end is counted by
 * `missing`.
 * Rule 2: the server's spelling of JSON is learned from the first measured line, then lines are
 * read at fixed offsets. Every 101st line is compared byte by byte.
 * Rule 3: fast enough to stay out of the measurement: no allocation and no string per measured
 * line.
 * @module
 */
import { nowUs } from "./clock.ts";
import { addDelay, type Histogram } from "./histogram.ts";
import * as lines from "./lines.ts";

export type Tally = {
  /** Measured lines, over all receivers. */
  delivered: number;
  repeated: number;
  gaps: number;
  damaged: number;
  /** PEERLIST lines that name the sender of the private line just before. */
  hints: number;
  /** Every other line. */
  others: number;
};

/** Offsets in a measured line as this server writes it. */
type Layout = {
  readonly bytes: number;
  readonly typeAt: number;
  readonly nickAt: number;
  readonly numbersAt: number;
};

export type Reader = {
  readonly kind: lines.Kind;
  readonly senders: number;
  readonly templates: readonly lines.Template[];
  /** `[receiver * senders + sender]`: the sequence number expected next. */
  readonly next: Uint32Array;
  /** Lines of each sender seen by anybody. */
  readonly got: Float64Array;
  /** The sender of the last private line of each receiver, for the hint behind it; -1: none. */
  readonly lastFrom: Int32Array;
  readonly tally: Tally;
  layout: Layout | undefined;
  /** When set: the instant of each global number (a ring), and where delays go. */
  delays: { readonly sentUs: Float64Array; readonly into: Histogram } | undefined;
  /** Lines that are neither measured nor hints. The view is valid during the call only. */
  onOther: ((receiver: number, line: Buffer) => void) | undefined;
};

/** Global numbers modulo this index `delays.sentUs`: more than are ever under way. */
export const ringSize = 1 << 20;

/** Reads for `receivers` connections the `kind` lines of the first `senders` of them. */
export function reader(kind: lines.Kind, senders: number, receivers: number): Reader {
  return {
    kind,
    senders,
    templates: Array.from({ length: senders }, (_, i) => lines.templateOf(i, kind)),
    next: new Uint32Array(receivers * senders),
    got: new Float64Array(senders),
    lastFrom: new Int32Array(receivers).fill(-1),
    tally: { delivered: 0, repeated: 0, gaps: 0, damaged: 0, hints: 0, others: 0 },
    layout: undefined,
    delays: undefined,
    onOther: undefined,
  };
}

/** Reads the complete lines of `bytes[from..to)`; returns where the unfinished rest begins. */
export function readLines(
  r: Reader,
  receiver: number,
  bytes: Buffer,
  from: number,
  to: number,
): number {
  const atUs = r.delays === undefined ? 0 : nowUs();
  const kindDigit = r.kind === "public" ? 55 : 53;
  let at = from;
  while (at < to) {
    const layout = r.layout;
    if (layout !== undefined && isMeasured(layout, kindDigit, bytes, at, to)) {
      measured(r, layout, receiver, bytes, at, atUs);
      at += layout.bytes;
      continue;
    }
    const end = lineEnd(bytes, at, to);
    if (end === 0) break;
    if (layout !== undefined) other(r, layout, receiver, bytes, at, end);
    else if (learn(r, bytes, at, end)) continue;
    else unknown(r, receiver, bytes, at, end);
    at = end;
  }
  return at;
}

function isMeasured(l: Layout, kindDigit: number, bytes: Buffer, at: number, to: number): boolean {
  const end = at + l.bytes;
  if (end > to || bytes[end - 1] !== 10) return false;
  return bytes[at + l.typeAt + 2] === kindDigit && bytes[at + l.typeAt] === 54;
}

function measured(
  r: Reader,
  l: Layout,
  receiver: number,
  bytes: Buffer,
  at: number,
  atUs: number,
): void {
  const senderAt = at + l.numbersAt;
  const sender = lines.readDigits(bytes, senderAt, lines.senderDigits) - lines.senderBase;
  const seqAt = senderAt + lines.senderDigits + 1;
  const seq = lines.readDigits(bytes, seqAt, lines.seqDigits) - lines.seqBase;
  r.tally.delivered += 1;
  if (!(sender >= 0 && sender < r.senders)) {
    r.tally.damaged += 1;
    return;
  }
  r.got[sender] = (r.got[sender] as number) + 1;
  count(r, receiver * r.senders + sender, seq);
  if (r.kind === "private") r.lastFrom[receiver] = sender;
  if (r.tally.delivered % 101 === 0) compare(r, l, sender, bytes, at);
  if (r.delays !== undefined) timed(r.delays, bytes, seqAt + lines.seqDigits + 1, atUs);
}

function count(r: Reader, slot: number, seq: number): void {
  const expected = r.next[slot] as number;
  if (seq === expected) r.next[slot] = expected + 1;
  else if (seq < expected) r.tally.repeated += 1;
  else {
    r.tally.gaps += seq - expected;
    r.next[slot] = seq + 1;
  }
}

function timed(
  delays: NonNullable<Reader["delays"]>,
  bytes: Buffer,
  globalAt: number,
  atUs: number,
): void {
  const global = lines.readDigits(bytes, globalAt, lines.globalDigits) - lines.globalBase;
  const sentUs = delays.sentUs[global & (ringSize - 1)] as number;
  if (sentUs > 0) addDelay(delays.into, atUs - sentUs);
}

/**
 * The sender's nick, the command and the tail must be the offered bytes. The addressee is the
 * connection itself.
 */
function compare(r: Reader, l: Layout, sender: number, bytes: Buffer, at: number): void {
  const template = r.templates[sender] as lines.Template;
  const offered = template.bytes;
  const shift = at + l.numbersAt - template.numbersAt;
  const nickFrom = template.targetAt - lines.nickBytes - 1;
  const commandFrom = template.numbersAt - lines.commandBytes;
  const tailFrom =
    template.numbersAt + lines.senderDigits + lines.seqDigits + lines.globalDigits + 2;
  if (
    !same(bytes, shift, offered, nickFrom, template.targetAt) ||
    !same(bytes, shift, offered, commandFrom, template.numbersAt) ||
    !same(bytes, shift, offered, tailFrom, offered.length - 2)
  ) {
    r.tally.damaged += 1;
  }
}

function same(bytes: Buffer, shift: number, offered: Buffer, from: number, to: number): boolean {
  return bytes.compare(offered, from, to, from + shift, to + shift) === 0;
}

function other(
  r: Reader,
  l: Layout,
  receiver: number,
  bytes: Buffer,
  from: number,
  end: number,
): void {
  if (isHint(r, l, receiver, bytes, from)) {
    r.lastFrom[receiver] = -1;
    r.tally.hints += 1;
  } else unknown(r, receiver, bytes, from, end);
}

function isHint(r: Reader, l: Layout, receiver: number, bytes: Buffer, from: number): boolean {
  const sender = r.lastFrom[receiver] as number;
  if (sender < 0) return false;
  if (bytes.toString("latin1", from + l.typeAt, from + l.typeAt + 3) !== "789") return false;
  const template = r.templates[sender] as lines.Template;
  const nickFrom = template.targetAt - lines.nickBytes - 1;
  return same(bytes, from + l.nickAt - nickFrom, template.bytes, nickFrom, template.targetAt - 1);
}

function unknown(r: Reader, receiver: number, bytes: Buffer, from: number, end: number): void {
  r.tally.others += 1;
  r.onOther?.(receiver, bytes.subarray(from, end));
}

/**
 * Behind the next line feed, or 0 when there is none. Lines are short: a call to `indexOf` costs
 * more.
 */
function lineEnd(bytes: Buffer, from: number, to: number): number {
  for (let i = from; i < to; i += 1) if (bytes[i] === 10) return i + 1;
  return 0;
}

const measuredLine =
  /^(\{"type": ?)68[57](, ?"line": ?")([^!"]{16})!([^!"]+)!sw0reloffer \d{3} \d{7} \d{10} /;

function learn(r: Reader, bytes: Buffer, from: number, end: number): boolean {
  const found = measuredLine.exec(bytes.toString("latin1", from, end));
  if (found === null) return false;
  const [, head = "", middle = "", nick = "", to = ""] = found;
  const nickAt = head.length + 3 + middle.length;
  const numbersAt = nickAt + nick.length + 1 + to.length + lines.commandBytes;
  r.layout = { bytes: end - from, typeAt: head.length, nickAt, numbersAt };
  return true;
}

/** How many lines of `expected` (same slots as `next`) have not come, gaps included. */
export function missing(r: Reader, expected: (slot: number) => number): number {
  let count = r.tally.gaps;
  for (let slot = 0; slot < r.next.length; slot += 1) {
    count += Math.max(0, expected(slot) - (r.next[slot] as number));
  }
  return count;
}
