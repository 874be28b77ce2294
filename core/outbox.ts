/**
 * What each connection still has to be sent, coalesced into one write per connection and flush.
 *
 * Rule 1: a public line is kept once, in the window's log; a flush joins the log once and every
 * member shares it. What a member gets besides (replies, private lines) or not (its own public
 * lines) is a piece at a log position, so the order between public and private lines of one sender
 * holds.
 * Rule 2: queues are bounded in bytes. A line that does not fit ends the connection: a peer that
 * silently missed a line has a wrong order book and no way to notice.
 * Rule 3: nothing here waits. A connection that does not read is passed over and queues for itself.
 * Rule 4: it does not know what the bytes mean, nor who closes a connection.
 * @module
 */
import { assert } from "./assert.ts";
import * as backlog from "./backlog.ts";
import * as expiry from "./expiry.ts";
import type { ConnId } from "./ids.ts";
import { after, NEVER, soonest, type Mono } from "./time.ts";

export type OutboxConfig = {
  /** What one connection may have queued while it does not read, in bytes. Default 4 MiB. */
  readonly bytesMax: number;
  /**
   * What all queues really hold together (a shared batch counts once), in bytes. Default 256 MiB.
   */
  readonly bytesTotalMax: number;
  /** The flush window in ms: lines are coalesced at most this long. Default 10. */
  readonly flushMs: number;
  /**
   * A log larger than this, in bytes, is flushed at once; four times this for all other pieces.
   * Default 65,536.
   */
  readonly flushBytes: number;
  /** A connection that takes nothing for this many ms is a slow reader. Default 60,000. */
  readonly congestedMsMax: number;
};

/** What all queues together may have joined in one flush; the others wait for their turn. */
const drainTotalBytes = 33_554_432;

/** The end of a queue and the window behind it are joined up to this size. */
const joinedBytesMax = 16_384;

const nothing = new Uint8Array(0);

/** What is written at least to one connection that drains its queue, per window. */
const drainBytes = 65_536;

/**
 * A piece of one window: `bytes` before log line `at`, or (without bytes) log line `at` left out.
 */
type Piece = { readonly at: number; readonly bytes: Uint8Array | undefined };

export type Box = {
  readonly conn: ConnId;
  /** A member reads the log, from line `fromLine` of the current window on. */
  member: boolean;
  fromLine: number;
  pieces: Piece[] | undefined;
  pieceBytes: number;
  congested: boolean;
  queue: backlog.Backlog | undefined;
  queuedBytes: number;
  /** Of those, what this queue holds for itself alone. */
  ownBytes: number;
  /** When the queue was last written to: once at an instant, whatever the number of flushes. */
  drainedAt: number;
  live: boolean;
};

export type Outbox = {
  readonly config: OutboxConfig;
  readonly members: Set<Box>;
  readonly boxes: Map<ConnId, Box>;
  /** The window: public lines in order, and where each ends in the joined batch. */
  log: Uint8Array[];
  logEnds: number[];
  /** Boxes with pieces or a queue that may be written. */
  touched: Set<Box>;
  pieceBytes: number;
  flushAt: Mono;
  lastFlushAt: Mono;
  readonly stuck: expiry.Expiry<ConnId>;
  /** Bytes that queues hold, a shared batch once. */
  totalBytes: number;
};

export type Effect =
  | { readonly type: "write"; readonly conn: ConnId; readonly bytes: Uint8Array }
  /** The connection's claim to a complete stream is over; its queue is already discarded. */
  | { readonly type: "overflow"; readonly conn: ConnId; readonly reason: Overflow };

export type Overflow = "outbox-full" | "outbox-total" | "slow-reader";

export function create(config: OutboxConfig): Outbox {
  assert(config.flushMs >= 1, "outbox: flushMs is at least 1");
  assert(config.flushBytes >= 1, "outbox: flushBytes is at least 1");
  assert(config.congestedMsMax >= 1, "outbox: congestedMsMax is at least 1");
  assert(config.bytesTotalMax >= config.bytesMax, "outbox: bytesTotalMax holds an outbox");
  return {
    config, members: new Set(), boxes: new Map(), log: [], logEnds: [], touched: new Set(),
    pieceBytes: 0, flushAt: NEVER, lastFlushAt: 0 as Mono, stuck: expiry.create(), totalBytes: 0,
  };
}

/** A connection opened. Its box gets only what is sent to it, until `joined`. */
export function opened(m: Outbox, conn: ConnId): Box {
  if (m.boxes.has(conn)) assert(false, `outbox: connection ${conn} opened twice`);
  const box: Box = {
    conn, member: false, fromLine: 0, pieces: undefined, pieceBytes: 0,
    congested: false, queue: undefined, queuedBytes: 0, ownBytes: 0, drainedAt: -1, live: true,
  };
  m.boxes.set(conn, box);
  return box;
}

/** From now on the box gets every broadcast; nothing from before. */
export function joined(m: Outbox, box: Box): void {
  assert(box.live, "outbox: a closed box joined");
  box.member = true;
  box.fromLine = m.log.length;
  if (box.fromLine > 0) m.touched.add(box);
  m.members.add(box);
}

/** Queues bytes (whole lines) for one connection; they are given away. */
export function send(m: Outbox, box: Box, bytes: Uint8Array, now: Mono, out: Effect[]): void {
  if (!box.live) return;
  // A box that reads is never over its bound: the window goes out first.
  const isOver = box.pieceBytes + bytes.length > m.config.bytesMax;
  if (isOver && !box.congested) flush(m, now, out);
  if (!box.live) return;
  add(m, box, { at: m.log.length, bytes });
  box.pieceBytes += bytes.length;
  m.pieceBytes += bytes.length;
  if (box.pieceBytes > m.config.bytesMax) return overflow(m, box, "outbox-full", out);
  arm(m, now);
  if (m.pieceBytes >= 4 * m.config.flushBytes) flush(m, now, out);
}

/**
 * Like `send`, but at once if nothing waits for the box: for an answer that stands alone, such as
 * the one to a handshake.
 */
export function answer(m: Outbox, box: Box, bytes: Uint8Array, now: Mono, out: Effect[]): void {
  const isAlone = box.live && box.pieces === undefined && !isBehind(box) && !box.member;
  if (!isAlone) return send(m, box, bytes, now, out);
  out.push({ type: "write", conn: box.conn, bytes });
}

/**
 * Queues a public line for every member except `sender`. Costs O(1) whatever the number of members.
 */
export function broadcast(
  m: Outbox, bytes: Uint8Array, sender: Box | undefined, now: Mono, out: Effect[],
): void {
  if (sender !== undefined && sender.member) add(m, sender, { at: m.log.length, bytes: undefined });
  const before = m.logEnds.length === 0 ? 0 : (m.logEnds[m.logEnds.length - 1] as number);
  m.log.push(bytes);
  m.logEnds.push(before + bytes.length);
  arm(m, now);
  if (before + bytes.length >= m.config.flushBytes) flush(m, now, out);
}

/** The host could not hand over everything: nothing more is written until `drained`. */
export function congested(m: Outbox, box: Box, now: Mono): void {
  if (!box.live || box.congested) return;
  box.congested = true;
  expiry.put(m.stuck, box.conn, after(now, m.config.congestedMsMax));
}

/** The connection takes bytes again; its queue goes first. */
export function drained(m: Outbox, box: Box, now: Mono): void {
  if (!box.live || !box.congested) return;
  box.congested = false;
  expiry.remove(m.stuck, box.conn);
  if (box.queue === undefined) return;
  m.touched.add(box);
  arm(m, now);
}

/**
 * Writes the window, then `bytes`, and ends the box: for a last word before a close. What waits in
 * a queue is given up: a connection that is behind has no use for a last word.
 */
export function last(m: Outbox, box: Box, bytes: Uint8Array | undefined, out: Effect[]): void {
  if (!box.live) return;
  if (bytes !== undefined) add(m, box, { at: m.log.length, bytes });
  const parts = isBehind(box) ? [] : windowOf(m, box, box.member ? joinLog(m) : nothing);
  if (parts.length > 0) out.push({ type: "write", conn: box.conn, bytes: backlog.joinFew(parts) });
  closed(m, box);
}

/** Has it not taken all that it was given? Then what comes waits behind that. */
export function isBehind(box: Box): boolean {
  return box.congested || box.queue !== undefined;
}

/** Discards everything of the box. Idempotent. */
export function closed(m: Outbox, box: Box): void {
  if (!box.live) return;
  box.live = false;
  box.member = false;
  m.pieceBytes -= box.pieceBytes;
  box.pieces = undefined;
  box.pieceBytes = 0;
  if (box.queue !== undefined) backlog.discard(m, box.queue);
  emptied(box);
  expiry.remove(m.stuck, box.conn);
  m.members.delete(box);
  m.touched.delete(box);
  m.boxes.delete(box.conn);
}

/**
 * May a bulk sender (the peerlist) add a line now? Not while the connection is behind or has much
 * to come.
 */
export function hasRoom(m: Outbox, box: Box): boolean {
  return box.live && !isBehind(box) && box.pieceBytes < m.config.flushBytes;
}

export function tick(m: Outbox, now: Mono, out: Effect[]): void {
  for (const conn of expiry.take(m.stuck, now)) {
    const box = m.boxes.get(conn);
    if (box !== undefined) overflow(m, box, "slow-reader", out);
  }
  if (m.flushAt <= now) flush(m, now, out);
}

export function deadline(m: Outbox): Mono {
  return soonest(m.flushAt, expiry.deadline(m.stuck));
}

/** Writes the window to every connection that reads, and queues it for those that do not. */
export function flush(m: Outbox, now: Mono, out: Effect[]): void {
  const batch: backlog.Batch = { bytes: joinLog(m), refs: 0 };
  const touched = m.touched;
  m.touched = new Set();
  m.flushAt = NEVER;
  m.lastFlushAt = now;
  if (batch.bytes.length > 0) flushMembers(m, touched, batch, out);
  const turn: Turn = { batch, now, joins: { runs: new Map(), madeBytes: 0 }, served: [] };
  for (const box of touched) flushTouched(m, box, turn, out);
  for (const box of turn.served) if (box.live) m.touched.add(box);
  m.log = [];
  m.logEnds = [];
  m.pieceBytes = 0;
  while (m.totalBytes > m.config.bytesTotalMax) shed(m, out);
  if (m.touched.size > 0) arm(m, now);
}

function flushMembers(
  m: Outbox, touched: ReadonlySet<Box>, batch: backlog.Batch, out: Effect[],
): void {
  const few = touched.size === 0;
  const whole = [batch.bytes];
  for (const box of m.members) {
    if (!few && touched.has(box)) continue;
    // A box with a queue is congested or touched.
    if (box.congested) enqueue(m, box, batch, whole, out);
    else out.push({ type: "write", conn: box.conn, bytes: batch.bytes });
  }
}

/** One flush: its batch, what it has joined, and who was served and has more to come. */
type Turn = { batch: backlog.Batch; now: Mono; joins: backlog.Joins; served: Box[] };

function flushTouched(m: Outbox, box: Box, turn: Turn, out: Effect[]): void {
  if (!box.live) return;
  const parts = windowOf(m, box, turn.batch.bytes);
  box.pieces = undefined;
  box.pieceBytes = 0;
  box.fromLine = 0;
  // What waited goes first, and makes room for the window that comes behind it.
  const first = box.congested || box.drainedAt === turn.now ? [] : drain(m, box, turn);
  const isCaughtUp = !isBehind(box) && (first.length === 0 || isShort(first, parts));
  if (!isCaughtUp && parts.length > 0) enqueue(m, box, turn.batch, parts, out);
  if (!box.live) return;
  // Who waited for its turn comes first in the next one.
  if (box.queue !== undefined && !box.congested) {
    if (first.length > 0) turn.served.push(box);
    else m.touched.add(box);
  }
  const written = isCaughtUp ? [...first, ...parts] : first;
  if (written.length === 0) return;
  out.push({ type: "write", conn: box.conn, bytes: backlog.joinFew(written) });
}

/**
 * Takes a bounded part of the queue; the rest follows in the next window. Once at an instant: the
 * host can say that it was too much only after the step.
 */
function drain(m: Outbox, box: Box, turn: Turn): Uint8Array[] {
  if (box.queue === undefined || turn.joins.madeBytes >= drainTotalBytes) return [];
  const entries = backlog.take(m, box.queue, drainBytes);
  for (const entry of entries) {
    box.queuedBytes -= entry.bytes.length;
    if (!entry.shared) box.ownBytes -= entry.bytes.length;
  }
  box.drainedAt = turn.now;
  if (box.queue.length === 0) box.queue = undefined;
  return [backlog.joinRun(turn.joins, entries)];
}

/** Joining costs memory for each connection: only a short window joins the short end of a queue. */
function isShort(first: readonly Uint8Array[], parts: readonly Uint8Array[]): boolean {
  return backlog.sizeOf(first) + backlog.sizeOf(parts) <= joinedBytesMax;
}

function enqueue(
  m: Outbox, box: Box, batch: backlog.Batch, parts: readonly Uint8Array[], out: Effect[],
): void {
  const size = backlog.sizeOf(parts);
  if (box.queuedBytes + size > m.config.bytesMax) return overflow(m, box, "outbox-full", out);
  box.queue ??= [];
  box.ownBytes += backlog.put(m, box.queue, batch, parts);
  box.queuedBytes += size;
}

function emptied(box: Box): void {
  box.queue = undefined;
  box.queuedBytes = 0;
  box.ownBytes = 0;
}

/**
 * Ends the connection that holds most for itself. Shared batches are bounded by the longest queue,
 * so a total that is too large is made of what single connections hold.
 */
function shed(m: Outbox, out: Effect[]): void {
  const box = greediest(m);
  assert(box !== undefined, `outbox: ${m.totalBytes} bytes are held by no queue`);
  overflow(m, box, "outbox-total", out);
}

function greediest(m: Outbox): Box | undefined {
  let found: Box | undefined;
  for (const conn of m.stuck.due.keys()) found = greedier(found, m.boxes.get(conn));
  for (const box of m.touched) found = greedier(found, box);
  return found;
}

function greedier(a: Box | undefined, b: Box | undefined): Box | undefined {
  if (b === undefined || b.queuedBytes === 0) return a;
  if (a === undefined) return b;
  if (a.ownBytes !== b.ownBytes) return a.ownBytes < b.ownBytes ? b : a;
  return a.queuedBytes < b.queuedBytes ? b : a;
}

function overflow(m: Outbox, box: Box, reason: Overflow, out: Effect[]): void {
  closed(m, box);
  out.push({ type: "overflow", conn: box.conn, reason });
}

function add(m: Outbox, box: Box, piece: Piece): void {
  if (box.pieces === undefined) {
    box.pieces = [];
    m.touched.add(box);
  }
  box.pieces.push(piece);
}

/**
 * Within `flushMs` of the last flush lines are coalesced; after a quiet time the first one waits 1
 * ms only.
 */
function arm(m: Outbox, now: Mono): void {
  if (m.flushAt !== NEVER) return;
  const spaced = after(m.lastFlushAt, m.config.flushMs);
  const soon = after(now, 1);
  m.flushAt = spaced > soon ? spaced : soon;
}

function joinLog(m: Outbox): Uint8Array {
  return m.log.length === 1 ? (m.log[0] as Uint8Array).slice() : backlog.join(m.log);
}

/**
 * The window as this box gets it: the shared log from `fromLine` on, with its pieces put in.
 */
function windowOf(m: Outbox, box: Box, shared: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let from = box.member ? lineStart(m, box.fromLine) : shared.length;
  for (const piece of box.pieces ?? []) {
    const at = box.member ? lineStart(m, piece.at) : from;
    if (at > from) parts.push(shared.subarray(from, at));
    if (at > from) from = at;
    if (piece.bytes !== undefined) parts.push(piece.bytes);
    else from = lineStart(m, piece.at + 1);
  }
  if (from < shared.length) parts.push(shared.subarray(from));
  return parts;
}

function lineStart(m: Outbox, line: number): number {
  return line === 0 ? 0 : (m.logEnds[line - 1] as number);
}
