/**
 * All connections and the three things that each may be late with: its handshake, a line, its last
 * read.
 *
 * Rule 1: a connection stays here from `conn.opened` until `conn.closed`, closing or not, and its
 * id is its identity.
 * Rule 2: unfinished lines are accounted in one total, whoever they belong to.
 * Rule 3: it decides what is late, never what follows.
 * @module
 */
import { assert } from "../assert.ts";
import * as expiry from "../expiry.ts";
import type { ConnId } from "../ids.ts";
import * as lines from "../joinmarket/lines.ts";
import { after, soonest, type Mono } from "../time.ts";
import type { DirectoryConfig } from "./config.ts";
import type { Session } from "./session.ts";

export type Sessions = {
  readonly byConn: Map<ConnId, Session>;
  readonly shaking: expiry.Expiry<ConnId>;
  /** Of those, who has not said a valid handshake yet. */
  readonly silent: Set<ConnId>;
  readonly unfinished: expiry.Expiry<ConnId>;
  readonly closing: expiry.Expiry<ConnId>;
  /** Bytes of unfinished lines, all connections together. */
  pendingBytes: number;
  readonly handshakeMs: number;
  readonly lineMs: number;
  readonly graceMs: number;
};

export type Effect = {
  readonly type: "late";
  readonly conn: ConnId;
  readonly with: "handshake" | "line" | "close";
};

export function create(c: DirectoryConfig): Sessions {
  assert(c.handshakeMs > 0, "sessions: handshakeMs is positive");
  assert(c.lineMs > 0, "sessions: lineMs is positive");
  assert(c.outbox.closeGraceMs > 0, "sessions: closeGraceMs is positive");
  return {
    byConn: new Map(), shaking: expiry.create(), silent: new Set(), unfinished: expiry.create(),
    closing: expiry.create(), pendingBytes: 0,
    handshakeMs: c.handshakeMs, lineMs: c.lineMs, graceMs: c.outbox.closeGraceMs,
  };
}

/** A connection opened; its handshake is due within `handshakeMs`. */
export function opened(m: Sessions, s: Session, now: Mono): void {
  if (m.byConn.has(s.conn)) assert(false, `sessions: connection ${s.conn} opened twice`);
  m.byConn.set(s.conn, s);
  m.silent.add(s.conn);
  expiry.put(m.shaking, s.conn, after(now, m.handshakeMs));
}

export function find(m: Sessions, conn: ConnId): Session | undefined {
  return m.byConn.get(conn);
}

/** The handshake is done. A line that was begun before is due like one that begins now. */
export function registered(m: Sessions, s: Session, now: Mono): void {
  expiry.remove(m.shaking, s.conn);
  if (s.pendingBytes > 0) expiry.put(m.unfinished, s.conn, after(now, m.lineMs));
}

/** A valid handshake was said: whatever follows, it is not a silent connection. */
export function spoke(m: Sessions, s: Session): void {
  m.silent.delete(s.conn);
}

/**
 * Who makes room for a newcomer: the one that has been silent longest or, when only the newcomer is
 * silent, the one that has shaken hands longest.
 */
export function slowest(m: Sessions): Session | undefined {
  const silent = m.silent.size > 1 ? m.silent.values().next().value : undefined;
  const conn = silent ?? expiry.oldest(m.shaking);
  return conn === undefined ? undefined : m.byConn.get(conn);
}

/** Cuts the next line of a delivery. False when a line is longer than `lineBytesMax`. */
export function nextLine(
  m: Sessions, s: Session, bytes: Uint8Array, lineBytesMax: number, cut: lines.Cut,
): boolean {
  const fits = lines.next(s.lines, bytes, lineBytesMax, cut);
  if (cut.line === undefined || s.pendingBytes > 0) account(m, s);
  return fits;
}

function account(m: Sessions, s: Session): void {
  const pending = lines.pendingBytes(s.lines);
  m.pendingBytes += pending - s.pendingBytes;
  s.pendingBytes = pending;
}

/** The session that holds most bytes of an unfinished line; the earliest of equals. */
export function largest(m: Sessions): Session | undefined {
  let found: Session | undefined;
  for (const s of m.byConn.values()) {
    if (s.pendingBytes > (found?.pendingBytes ?? 0)) found = s;
  }
  return found;
}

/**
 * After the lines of a delivery were handled: the unfinished one is due within `lineMs` of its
 * first byte.
 */
export function timeLine(m: Sessions, s: Session, whole: number, had: number, now: Mono): void {
  if (s.at.phase !== "registered") return;
  if (s.pendingBytes === 0) {
    if (had > 0) expiry.remove(m.unfinished, s.conn);
  } else if (had === 0 || whole > 0) {
    expiry.put(m.unfinished, s.conn, after(now, m.lineMs));
  }
}

/** We ended it. With `lingers` the peer may still read what was written, for `graceMs`. */
export function ended(m: Sessions, s: Session, lingers: boolean, now: Mono): void {
  forget(m, s);
  if (lingers) expiry.put(m.closing, s.conn, after(now, m.graceMs));
}

/** The host says that it is gone. */
export function closed(m: Sessions, s: Session): void {
  forget(m, s);
  expiry.remove(m.closing, s.conn);
  m.byConn.delete(s.conn);
}

export function tick(m: Sessions, now: Mono, out: Effect[]): void {
  late(m.shaking, "handshake", now, out);
  late(m.unfinished, "line", now, out);
  late(m.closing, "close", now, out);
}

export function deadline(m: Sessions): Mono {
  const late = soonest(expiry.deadline(m.shaking), expiry.deadline(m.unfinished));
  return soonest(late, expiry.deadline(m.closing));
}

function late(
  queue: expiry.Expiry<ConnId>, what: Effect["with"], now: Mono, out: Effect[],
): void {
  for (const conn of expiry.take(queue, now)) out.push({ type: "late", conn, with: what });
}

function forget(m: Sessions, s: Session): void {
  expiry.remove(m.shaking, s.conn);
  m.silent.delete(s.conn);
  expiry.remove(m.unfinished, s.conn);
  lines.stop(s.lines);
  account(m, s);
}
