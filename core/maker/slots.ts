/**
 * What the pool keeps of each directory: its link, and the connection that the link speaks over.
 * @module
 */
import type { ConnId } from "../ids.ts";
import type { Mono } from "../time.ts";
import * as link from "./link.ts";
import type { Directory } from "./pool-events.ts";

export type Slot = {
  readonly directory: Directory;
  readonly link: link.Link;
  /** The connection that is dialled, open, or being left. */
  conn: ConnId | undefined;
  /** Of the signature that its link waits for. */
  token: number | undefined;
  /** It is not configured any more. */
  isLeaving: boolean;
};

/** How many directories are up, of how many that are configured. */
export function count(
  all: readonly Slot[],
): { readonly connected: number; readonly total: number } {
  let [connected, total] = [0, 0];
  for (const slot of all) {
    if (slot.isLeaving) continue;
    total += 1;
    if (link.isUp(slot.link)) connected += 1;
  }
  return { connected, total };
}

/** Where the connection to one directory stands. */
export type View = {
  readonly directory: string;
  readonly phase: link.PhaseName;
  readonly conn: ConnId | undefined;
  /** When it is dialled again, or a deadline passes; `NEVER` if neither. */
  readonly dueAt: Mono;
  /** In a row, not counting startup. */
  readonly failures: number;
  /** Lines that were no frames, ever. */
  readonly malformed: number;
};

/** Every configured directory, in the order of the configuration. */
export function views(all: readonly Slot[]): readonly View[] {
  return all.filter((slot) => !slot.isLeaving).map(({ directory, link: l, conn }) => ({
    directory: directory.to, phase: l.at.phase, conn, dueAt: link.deadline(l),
    failures: l.retry.failures, malformed: l.malformedTotal,
  }));
}
