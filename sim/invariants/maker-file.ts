/**
 * M13 of a maker daemon: its journal as bytes. What was synced is there for every later process,
 * and nothing of it is ever cut off.
 *
 * Rule 1: an order is given when the one before it was answered.
 * Rule 2: durable is what a sync covers whose answer the process got: no more is taken for kept.
 * Not known here: what records mean. Only the shape of a line is known: four words, then the body.
 * @module
 */
import { concat, equal, text as textOf } from "../../core/bytes.ts";
import type { StoreEffect, StoreEvent } from "../../core/history/store.ts";
import { after, NEVER, type Mono } from "../../core/time.ts";
import { violation, type Violation } from "./violation.ts";

export type File = {
  /** What every process must find, and how many lines of it were told. */
  durable: Uint8Array;
  /** Behind it: written and not covered, in order. */
  pending: Uint8Array;
  /** So much of `pending` the sync under way covers. */
  covered: number;
  order: StoreEffect | undefined;
  /** When it was given. */
  orderedAt: Mono;
  /** This process has seen a first sync. */
  isReady: boolean;
  isFailing: boolean;
  /** Something was written since the last failure. */
  hasWritten: boolean;
  failures: number;
};

/** A file that nobody has read. */
export function create(): File {
  return {
    durable: new Uint8Array(0), pending: new Uint8Array(0), covered: 0, order: undefined,
    orderedAt: NEVER,
    isReady: false, isFailing: false, hasWritten: false, failures: 0,
  };
}

/** Do records become durable just now? */
export function isWell(m: File): boolean {
  return m.isReady && !m.isFailing;
}

/** Has the disk not answered for so long? */
export function isLate(m: File, slowMs: number, now: Mono): boolean {
  return m.order !== undefined && now >= after(m.orderedAt, slowMs);
}

/** The process is gone. */
export function crashed(m: File): void {
  m.order = undefined;
  m.pending = new Uint8Array(0);
  m.isReady = false;
  m.isFailing = false;
  m.hasWritten = false;
}

const none: readonly string[] = Object.freeze([]);

/** An answer of the disk; the bodies of records that are durable by it. */
export function answered(
  m: File, event: StoreEvent, out: Violation[],
): readonly string[] {
  const { order } = m;
  if (order === undefined || order.req !== event.req) {
    out.push(violation("M13", "the disk answered an order that was not given"));
    return none;
  }
  m.order = undefined;
  switch (event.type) {
    case "store.loaded":
      loaded(m, event.bytes, out);
      return none;
    case "store.appended":
      if (order.type === "store.append") m.pending = concat([m.pending, order.bytes]);
      m.hasWritten = true;
      return none;
    case "store.truncated":
      if (order.type === "store.truncate") cut(m, order.size);
      return none;
    case "store.failed":
      m.isFailing = true;
      m.hasWritten = false;
      m.failures += 1;
      return none;
    case "store.synced": return synced(m);
    default:
      event satisfies never;
      return none;
  }
}

function loaded(m: File, bytes: Uint8Array, out: Violation[]): void {
  const { length } = m.durable;
  if (bytes.length < length || !equal(bytes.subarray(0, length), m.durable)) {
    out.push(violation("M13", "what was durable is not what the next process finds"));
  }
  m.pending = bytes.slice(length);
}

function cut(m: File, size: number): void {
  const left = size - m.durable.length;
  m.pending = m.pending.slice(0, left > 0 ? left : 0);
}

function synced(m: File): readonly string[] {
  const fresh = m.pending.slice(0, m.covered);
  if (!m.isReady || m.hasWritten) m.isFailing = false;
  m.isReady = true;
  if (fresh.length === 0) return none;
  m.durable = concat([m.durable, fresh]);
  m.pending = m.pending.slice(m.covered);
  return bodiesOf(fresh);
}

/** The bodies of whole lines; a header has none. */
export function bodiesOf(bytes: Uint8Array): readonly string[] {
  const out: string[] = [];
  for (const line of textOf(bytes).split("\n")) {
    const words = line.split(" ");
    if (words.length >= 5) out.push(words.slice(4).join(" "));
  }
  return out;
}

/** An order of the process. */
export function ordered(m: File, order: StoreEffect, now: Mono, out: Violation[]): void {
  if (m.order !== undefined) {
    out.push(violation("M13", `${order.type} while ${m.order.type} is under way`));
  }
  m.order = order;
  m.orderedAt = now;
  if (order.type === "store.sync") m.covered = m.pending.length;
  if (order.type === "store.truncate" && order.size < m.durable.length) {
    out.push(violation("M13", "durable records are cut off"));
  }
}
