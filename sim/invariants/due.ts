/**
 * What is due to whom, as the observer of a directory node keeps it: public lines once for all
 * receivers, private ones with their receiver.
 *
 * Rule 1: lines of one sender come in their order, public and private ones alike; between senders
 * any order is right.
 * Rule 2: a node that writes lines in the order in which they came is followed without reading
 * them again: equal bytes in that place are taken at once (`taken`), and an array that went to one
 * receiver as a whole is not looked at for the next one in the same place (`takenWhole`). What is
 * not taken so is read and sought (`settle`), after `spill` has given the receiver a list of its
 * own.
 * Rule 3: it says nothing is wrong; `sent.ts` and `directory.ts` do.
 * @module
 */
import type { Mono } from "../../core/time.ts";
import { NEVER } from "../../core/time.ts";
import type { Conn, Observer, Owed } from "./observer.ts";

/** What an envelope adds to its text, with the line end. */
export const envelopeBytes = 27;

/** Lines for everybody that are kept though everybody has them, so that few are moved. */
const trimMin = 64;

function leastBytes(item: Owed): number {
  return item.to - item.from;
}

function mostBytes(item: Owed): number {
  const line = item.exact ? item.bytes.length : item.to - item.from + envelopeBytes;
  return item.hint === undefined ? line : line + item.hint.text.length + envelopeBytes;
}

/** The number of the next public line. */
export function endOf(o: Observer): number {
  return o.log.from + o.log.items.length;
}

/** A line that everybody is owed who is a peer now, except who said it. */
export function publish(o: Observer, item: Owed): void {
  const { log } = o;
  const at = endOf(o);
  log.items.push(item);
  const least = leastBytes(item);
  const most = mostBytes(item);
  log.leastBytes += least;
  log.mostBytes += most;
  hurry(o, item.since);
  if (item.by === undefined) return;
  item.by.ownAt = at;
  item.by.ownLeast += least;
  item.by.ownMost += most;
}

/** A line that `to` alone is owed. */
export function owe(o: Observer, to: Conn, item: Owed): void {
  to.owed.push(item);
  if (!item.maybe) to.owedBytes += leastBytes(item);
  to.owedBytesMost += mostBytes(item);
  o.owing.add(to);
  hurry(o, item.since);
}

/** Something may be late one flush window after this. */
export function hurry(o: Observer, since: Mono): void {
  const at = since + o.config.outbox.flushMs + 1;
  if (at < o.overdueAt) o.overdueAt = at;
}

/** Texts of what must come to `c`. */
export function least(o: Observer, c: Conn): number {
  const item = o.log.items[c.cursor - o.log.from];
  if (item === undefined) return c.owedBytes;
  return c.owedBytes + o.log.leastBytes - item.leastBefore - c.ownLeast;
}

/** What all that may come to `c` takes at most. */
export function most(o: Observer, c: Conn): number {
  const item = o.log.items[c.cursor - o.log.from];
  if (item === undefined) return c.owedBytesMost;
  return c.owedBytesMost + o.log.mostBytes - item.mostBefore - c.ownMost;
}

/** Passes over lines of its own. */
function skip(o: Observer, c: Conn): void {
  const { items, from } = o.log;
  while (c.cursor <= c.ownAt) {
    const item = items[c.cursor - from];
    if (item === undefined || item.by !== c) return;
    c.cursor += 1;
    c.ownLeast -= leastBytes(item);
    c.ownMost -= mostBytes(item);
  }
}

/** Is `data` the write that was just looked at for another receiver in the same place? */
export function takenWhole(o: Observer, c: Conn, data: Uint8Array): boolean {
  const { batch } = o;
  if (batch.bytes !== data || batch.from !== c.cursor || !isClear(c)) return false;
  c.cursor = batch.to;
  return true;
}

/** Nothing but public lines of others is due to it. */
export function isClear(c: Conn): boolean {
  return c.owed.length === 0 && c.hint === undefined && c.ownAt < c.cursor && c.said === "open";
}

/**
 * How many bytes of `data` from `pos` on are what is due to `c` next, in the usual spelling; they
 * are settled. 0: this has to be looked at closely.
 */
export function taken(o: Observer, c: Conn, data: Uint8Array, pos: number): number {
  if (c.said !== "open") return 0;
  if (c.hint !== undefined) {
    const { frame } = c.hint;
    if (!startsAt(data, pos, frame)) return 0;
    c.hint = undefined;
    return frame.length;
  }
  if (c.cursor <= c.ownAt) skip(o, c);
  const first = c.owed[0];
  if (first !== undefined && first.at <= c.cursor) return takenFirst(o, c, first, data, pos);
  const item = o.log.items[c.cursor - o.log.from];
  if (item === undefined || !item.exact || !startsAt(data, pos, item.bytes)) return 0;
  c.cursor += 1;
  return item.bytes.length;
}

function takenFirst(
  o: Observer, c: Conn, item: Owed, data: Uint8Array, pos: number,
): number {
  if (item.maybe || !item.exact || !startsAt(data, pos, item.bytes)) return 0;
  c.owed.shift();
  c.owedBytes -= leastBytes(item);
  c.owedBytesMost -= mostBytes(item);
  c.hint = item.hint;
  if (c.owed.length === 0) o.owing.delete(c);
  return item.bytes.length;
}

function startsAt(data: Uint8Array, pos: number, bytes: Uint8Array): boolean {
  const size = bytes.length;
  if (pos + size > data.length) return false;
  for (let i = 0; i < size; i += 1) if (data[pos + i] !== bytes[i]) return false;
  return true;
}

/** Is what `item` says the bytes `from` to `to` of `data`? */
export function isText(item: Owed, data: Uint8Array, from: number, to: number): boolean {
  if (to - from !== item.to - item.from) return false;
  for (let i = from, j = item.from; i < to; i += 1, j += 1) {
    if (data[i] !== item.bytes[j]) return false;
  }
  return true;
}

/** Is `data` the whole line as it came? */
export function isWhole(item: Owed, data: Uint8Array): boolean {
  return data.length === item.bytes.length && startsAt(data, 0, item.bytes);
}

/** From now on `c` has the public lines that it is due in its own list, among its private ones. */
export function spill(o: Observer, c: Conn): void {
  const { items, from } = o.log;
  const end = endOf(o);
  if (c.cursor >= end) return;
  const merged: Owed[] = [];
  let next = 0;
  for (let at = c.cursor; at < end; at += 1) {
    for (; next < c.owed.length && (c.owed[next] as Owed).at <= at; next += 1) {
      merged.push(c.owed[next] as Owed);
    }
    const item = items[at - from] as Owed;
    if (item.by !== c) merged.push(item);
  }
  for (; next < c.owed.length; next += 1) merged.push(c.owed[next] as Owed);
  c.owedBytes = least(o, c);
  c.owedBytesMost = most(o, c);
  c.owed = merged;
  c.cursor = end;
  c.ownLeast = 0;
  c.ownMost = 0;
  if (merged.length > 0) o.owing.add(c);
}

/**
 * The next line of `key` that `to` must get; it is taken out if `isIt`, with those before it that
 * only may have come. `to` has a list of its own.
 */
export function settle(
  o: Observer, to: Conn, key: string, isIt: (item: Owed) => boolean,
): Owed | undefined {
  const at = to.owed.findIndex((one) => one.key === key && (!one.maybe || isIt(one)));
  const item = to.owed[at];
  if (item === undefined || !isIt(item)) return undefined;
  if (item.maybe) doubt(to, to.owed.slice(at + 1).filter((one) => one.key === key), isIt);
  drop(o, to, (one, i) => one.key === key && i <= at);
  return item;
}

/** Of two equal lines, one that may and one that must come, one has come: which, nobody can say. */
function doubt(to: Conn, rest: readonly Owed[], isIt: (item: Owed) => boolean): void {
  const next = rest.find((one) => !one.maybe);
  if (next === undefined || !isIt(next)) return;
  next.maybe = true;
  to.owedBytes -= leastBytes(next);
}

/** What is due to `to` for itself without these. */
export function drop(
  o: Observer, to: Conn, isGone: (item: Owed, at: number) => boolean,
): void {
  const kept: Owed[] = [];
  for (const [at, item] of to.owed.entries()) {
    if (!isGone(item, at)) {
      kept.push(item);
      continue;
    }
    if (!item.maybe) to.owedBytes -= leastBytes(item);
    to.owedBytesMost -= mostBytes(item);
  }
  to.owed = kept;
  if (kept.length === 0) o.owing.delete(to);
}

/** The earliest line that is due to `c`; of those, one that must come rather than one that may. */
export function earliest(o: Observer, c: Conn): Owed | undefined {
  if (c.cursor <= c.ownAt) skip(o, c);
  const first = c.owed[0];
  const next = o.log.items[c.cursor - o.log.from];
  if (first === undefined) return next;
  return next === undefined || first.at <= c.cursor ? first : next;
}

/** Forgets public lines that every peer has. */
export function trim(o: Observer): void {
  const { log } = o;
  let from = endOf(o);
  for (const c of o.peers.values()) if (c.cursor < from) from = c.cursor;
  const count = from - log.from;
  if (count === 0 || (count < trimMin && count < log.items.length)) return;
  log.items.splice(0, count);
  log.from = from;
}

/** Nothing is on its way to anybody: nothing will be late. */
export function rest(o: Observer): void {
  o.overdueAt = NEVER;
}
