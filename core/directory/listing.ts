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
import { assert } from "../assert.ts";
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
 * Writes one line to `conn` from `cursor` on and returns the new cursor, or `done` when the list is
 * complete. Nothing is written when it returns `later` (no room until what is queued has gone out:
 * ask again next turn) or `stalled` (the connection does not read: ask again after `drained`).
 */
export type Writer = (conn: ConnId, cursor: number) => number | "done" | "later" | "stalled";

export function create(turnMs: number, linesPerTurn: number): Listing {
  assert(turnMs >= 1, "listing: a turn takes at least 1 ms");
  assert(linesPerTurn >= 1, "listing: a turn writes at least one line");
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

/**
 * One turn. When every requester is stalled it sleeps until one drains. A written line may end any
 * connection, its reader's included: such a requester is `gone` before `write` returns.
 */
export function tick(m: Listing, now: Mono, write: Writer): void {
  if (now < m.dueAt) return;
  m.dueAt = NEVER;
  let lines = 0;
  const stalled = new Set<ConnId>();
  for (const conn of [...m.cursors.keys()]) {
    if (lines >= m.linesPerTurn) break;
    const cursor = m.cursors.get(conn);
    if (cursor === undefined) continue;
    const next = write(conn, cursor);
    if (next === "later") continue;
    if (next === "stalled") {
      stalled.add(conn);
      continue;
    }
    lines += 1;
    if (m.cursors.delete(conn) && next !== "done") m.cursors.set(conn, next);
  }
  for (const conn of m.cursors.keys()) {
    if (!stalled.has(conn)) return resumeAt(m, after(now, m.turnMs));
  }
}

export function deadline(m: Listing): Mono {
  return m.dueAt;
}

function resume(m: Listing, now: Mono): void {
  resumeAt(m, after(now, 1));
}

function resumeAt(m: Listing, at: Mono): void {
  if (at < m.dueAt) m.dueAt = at;
}
