/**
 * What one connection has not been given yet, and what all such queues really hold together.
 *
 * Rule 1: a batch that many queues share is held, and counted in the total, once; each queue counts
 * what it has of it in full against its own bound.
 * Rule 2: what a queue has for itself is a copy: a line points into what was received with it,
 * which may be far larger.
 * Rule 3: it knows no bound and no connection.
 * @module
 */

/** Bytes in queues; `refs` counts the entries that point into them. */
export type Batch = { readonly bytes: Uint8Array; refs: number };

/** A part of a batch (often all of it) that waits. */
export type Entry = { readonly batch: Batch; readonly bytes: Uint8Array; readonly shared: boolean };

/** The queue of one connection, oldest first. */
export type Backlog = Entry[];

/** Bytes that all queues hold, a shared batch once. */
export type Ledger = { totalBytes: number };

/** A shorter part of a batch is copied with its neighbours: an entry has its own cost. */
const sharedBytesMin = 4_096;

/**
 * Queues one window: `parts` in order, of which those inside `batch` are shared when they are long.
 * Returns how many bytes of it the queue has for itself.
 */
export function put(
  l: Ledger, queue: Backlog, batch: Batch, parts: readonly Uint8Array[],
): number {
  let own = 0;
  let copied: Uint8Array[] = [];
  for (const part of parts) {
    if (!isShareable(batch, part)) {
      copied.push(part);
      continue;
    }
    own += copy(l, queue, copied);
    copied = [];
    hold(l, queue, batch, part, true);
  }
  return own + copy(l, queue, copied);
}

function isShareable(batch: Batch, part: Uint8Array): boolean {
  if (part.buffer !== batch.bytes.buffer) return false;
  return part.length >= sharedBytesMin || part.length === batch.bytes.length;
}

/** Takes whole entries from the front until at least `bytesMin` are taken or nothing is left. */
export function take(l: Ledger, queue: Backlog, bytesMin: number): readonly Entry[] {
  let size = 0;
  let count = 0;
  while (count < queue.length && size < bytesMin) {
    const entry = queue[count] as Entry;
    size += entry.bytes.length;
    release(l, entry);
    count += 1;
  }
  return queue.splice(0, count);
}

/** What one flush has joined: many queues hold the same batches, and share what they join to. */
export type Joins = { readonly runs: Map<Batch, Run>; madeBytes: number };

type Run = { readonly entries: readonly Entry[]; readonly bytes: Uint8Array };

/** The entries as one array. Equal runs of whole batches get the same one. */
export function joinRun(joins: Joins, entries: readonly Entry[]): Uint8Array {
  const [first] = entries;
  if (first === undefined || entries.length === 1) return first?.bytes ?? new Uint8Array(0);
  const run = joins.runs.get(first.batch);
  if (run !== undefined && isSame(run.entries, entries)) return run.bytes;
  const bytes = join(entries.map((entry) => entry.bytes));
  joins.madeBytes += bytes.length;
  if (first.shared) joins.runs.set(first.batch, { entries, bytes });
  return bytes;
}

function isSame(a: readonly Entry[], b: readonly Entry[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((entry, at) => {
    const other = b[at] as Entry;
    return entry.batch === other.batch && entry.bytes.length === other.bytes.length
      && entry.bytes.byteOffset === other.bytes.byteOffset;
  });
}

/** Gives up everything. */
export function discard(l: Ledger, queue: Backlog): void {
  for (const entry of queue) release(l, entry);
  queue.length = 0;
}

/** The parts as one array of their own. */
export function join(parts: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const part of parts) size += part.length;
  const joined = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function copy(l: Ledger, queue: Backlog, parts: readonly Uint8Array[]): number {
  if (parts.length === 0) return 0;
  const bytes = join(parts);
  hold(l, queue, { bytes, refs: 0 }, bytes, false);
  return bytes.length;
}

function hold(l: Ledger, queue: Backlog, batch: Batch, bytes: Uint8Array, shared: boolean): void {
  if (batch.refs === 0) l.totalBytes += batch.bytes.length;
  batch.refs += 1;
  queue.push({ batch, bytes, shared });
}

function release(l: Ledger, entry: Entry): void {
  entry.batch.refs -= 1;
  if (entry.batch.refs === 0) l.totalBytes -= entry.batch.bytes.length;
}

/** Bytes of all parts. */
export function sizeOf(parts: readonly Uint8Array[]): number {
  let size = 0;
  for (const part of parts) size += part.length;
  return size;
}

/** A single part is written as it is: most private lines come alone in their window. */
export function joinFew(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? (parts[0] as Uint8Array) : join(parts);
}
