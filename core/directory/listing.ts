/**
 * Peerlists in progress: a long list goes out in lines, as fast as its reader takes them.
 *
 * Rule 1: each line is written from the registry of that moment, so that no line names a peer that
 * has left (D14).
 * Rule 2: a requester that does not read is passed over and resumed when it drains; nobody waits
 * for it.
 * Rule 3: at most `linesPerTurn` lines are written in one turn, over all requesters, in turn.
 * Rule 4: it does not know the wire form, nor what room a connection has.
 * @module
 */
import type { ConnId } from "../ids.ts";
import { after, NEVER, type Mono } from "../time.ts";

export type Listing = {
  /** The registration number up to which each requester has been told; -1 before the first line. */
  readonly cursors: Map<ConnId, number>;
  readonly turnMs: number;
  readonly linesPerTurn: number;
  dueAt: Mono;
};

/**
 * Writes one line to `conn` from `cursor` on and returns the new cursor, `done` when the list is
 * complete (or the connection ended over it), `stalled` when the connection has no room.
 */
export type Writer = (conn: ConnId, cursor: number) => number | "done" | "stalled";

export function create(turnMs: number, linesPerTurn: number): Listing {
  return { cursors: new Map(), turnMs, linesPerTurn, dueAt: NEVER };
}

/**
 * Starts a list. A second request while one is in progress is answered by the one in progress:
 * returns false.
 */
export function asked(m: Listing, conn: ConnId, now: Mono): boolean {
  if (m.cursors.has(conn)) return false;
  m.cursors.set(conn, -1);
  resume(m, now);
  return true;
}

/** A requester may have room again. */
export function drained(m: Listing, conn: ConnId, now: Mono): void {
  if (m.cursors.has(conn)) resume(m, now);
}

export function gone(m: Listing, conn: ConnId): void {
  m.cursors.delete(conn);
}

/** One turn. When every requester is stalled it sleeps until one drains. */
export function tick(m: Listing, now: Mono, write: Writer): void {
  if (now < m.dueAt) return;
  m.dueAt = NEVER;
  let lines = 0;
  let stalled = 0;
  for (const conn of [...m.cursors.keys()]) {
    if (lines >= m.linesPerTurn) break;
    const cursor = m.cursors.get(conn) as number;
    const next = write(conn, cursor);
    if (next === "stalled") {
      stalled += 1;
      continue;
    }
    lines += 1;
    m.cursors.delete(conn);
    if (next !== "done") m.cursors.set(conn, next);
  }
  if (m.cursors.size > stalled) m.dueAt = after(now, m.turnMs);
}

export function deadline(m: Listing): Mono {
  return m.dueAt;
}

function resume(m: Listing, now: Mono): void {
  const soon = after(now, 1);
  if (soon < m.dueAt) m.dueAt = soon;
}
