/**
 * Peerlists in progress: a long list goes out in lines, as fast as its reader takes them.
 *
 * Rule 1: each line is written from the registry of that moment, so that no line names a peer that
 * has left (D14).
 * Rule 2: few lists are in progress at a time, in the order in which they were asked for: clients
 * wait a minute for the first line of a list, but take it as complete when 5 s bring no other.
 * Rule 3: a requester that does not read waits for nobody and nobody for it: it leaves the turns,
 * and when it drains it is back in them before any newcomer.
 * Rule 4: at most `linesPerTurn` lines are written in one turn, shared evenly by those in it; what
 * a turn costs does not depend on how many wait or do not read.
 * Rule 5: it does not know the wire form, nor what room a connection has.
 * @module
 */
import { assert } from "../assert.ts";
import type { ConnId } from "../ids.ts";
import { after, NEVER, type Mono } from "../time.ts";

export type Listing = {
  /** The registration number up to which each requester has been told; -1 before the first line. */
  readonly cursors: Map<ConnId, number>;
  /** Requesters in progress that read, the one served longest ago first. */
  readonly active: Set<ConnId>;
  /** Requesters before their first line, in order. Who is in neither set does not read. */
  readonly waiting: Set<ConnId>;
  readonly turnMs: number;
  readonly linesPerTurn: number;
  dueAt: Mono;
  /** No turn comes sooner, whoever asks or drains: this bounds the lines of a second. */
  turnAt: Mono;
};

/**
 * Writes one line to `conn` from `cursor` on and returns the new cursor, or `done` when the list is
 * complete. Nothing is written when it returns `later` (no room until what is queued has gone out:
 * ask again next turn) or `stalled` (the connection does not read: ask again after `drained`).
 */
export type Writer = (conn: ConnId, cursor: number) => number | "done" | "later" | "stalled";

/**
 * A list begins while fewer than this many are in progress, so that one of them has a line at least
 * every so many turns. More are in progress only when several drain at once.
 */
export const activeMax = 32;

export function create(turnMs: number, linesPerTurn: number): Listing {
  assert(turnMs >= 1, "listing: a turn takes at least 1 ms");
  assert(linesPerTurn >= 1, "listing: a turn writes at least one line");
  return {
    cursors: new Map(), active: new Set(), waiting: new Set(), turnMs, linesPerTurn,
    dueAt: NEVER, turnAt: 0 as Mono,
  };
}

/**
 * Starts a list. A second request while one is in progress is answered by the one in progress:
 * returns false.
 */
export function asked(m: Listing, conn: ConnId, now: Mono): boolean {
  if (m.cursors.has(conn)) return false;
  m.cursors.set(conn, -1);
  m.waiting.add(conn);
  resume(m, now);
  return true;
}

/** A requester may have room again. One that has had no line yet waits for it like the others. */
export function drained(m: Listing, conn: ConnId, now: Mono): void {
  const cursor = m.cursors.get(conn);
  if (cursor === undefined || m.active.has(conn) || m.waiting.has(conn)) return;
  if (cursor < 0) m.waiting.add(conn);
  else m.active.add(conn);
  resume(m, now);
}

export function gone(m: Listing, conn: ConnId): void {
  m.cursors.delete(conn);
  m.active.delete(conn);
  m.waiting.delete(conn);
}

/**
 * One turn. When every requester is stalled it sleeps until one drains. A written line may end any
 * connection, its reader's included: such a requester is `gone` before `write` returns.
 */
export function tick(m: Listing, now: Mono, write: Writer): void {
  if (now < m.dueAt) return;
  m.dueAt = NEVER;
  m.turnAt = after(now, m.turnMs);
  begin(m);
  if (m.active.size === 0) return;
  const share = Math.ceil(m.linesPerTurn / m.active.size);
  let left = m.linesPerTurn;
  for (const conn of first(m.active, Math.max(activeMax, m.linesPerTurn))) {
    if (left === 0) break;
    if (m.active.has(conn)) left -= serve(m, conn, Math.min(share, left), write);
  }
  if (m.active.size > 0 || m.waiting.size > 0) resume(m, now);
}

export function deadline(m: Listing): Mono {
  return m.dueAt;
}

/** Newcomers take the places that are free. */
function begin(m: Listing): void {
  for (const conn of first(m.waiting, activeMax - m.active.size)) {
    m.waiting.delete(conn);
    m.active.add(conn);
  }
}

/** Writes up to `linesMax` lines to one requester and returns how many; it is served last next. */
function serve(m: Listing, conn: ConnId, linesMax: number, write: Writer): number {
  for (let lines = 0; lines < linesMax; lines += 1) {
    const next = write(conn, m.cursors.get(conn) as number);
    if (!m.active.has(conn)) return lines + 1;
    switch (next) {
      case "done":
        gone(m, conn);
        return lines + 1;
      case "stalled":
        m.active.delete(conn);
        return lines;
      case "later":
        again(m, conn);
        return lines;
      default: m.cursors.set(conn, next);
    }
  }
  again(m, conn);
  return linesMax;
}

function again(m: Listing, conn: ConnId): void {
  m.active.delete(conn);
  m.active.add(conn);
}

/** The first `count` of a set (none if it is not positive), for a loop that changes the set. */
function first(conns: ReadonlySet<ConnId>, count: number): readonly ConnId[] {
  const some: ConnId[] = [];
  for (const conn of conns) {
    if (some.length >= count) break;
    some.push(conn);
  }
  return some;
}

function resume(m: Listing, now: Mono): void {
  const soon = after(now, 1);
  const at = soon > m.turnAt ? soon : m.turnAt;
  if (at < m.dueAt) m.dueAt = at;
}
