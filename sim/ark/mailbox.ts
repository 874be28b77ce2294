/**
 * The mailboxes of an Ark server: rows with checkpoints, read in pages.
 *
 * Rule 1: what belongs together shares one checkpoint and is one message, of as many rows as it
 * has VTXOs. Checkpoints rise strictly, and are instants as long as those do.
 * Rule 2: a page goes beyond the checkpoint that the reader names, and says whether there is more.
 * Rule 3: `truncates` reproduces hazard H36: the limit cuts a message in two, and "more" is judged
 * by messages where the limit counted rows.
 * @module
 */
import { assert } from "../../core/assert.ts";

export type Kind = "arkoor" | "round-completed" | "lightning-received" | "unknown";

export type Message = {
  readonly checkpoint: number;
  readonly kind: Kind;
  /** What was received, or nothing. */
  readonly vtxos: readonly string[];
  /** No wallet can ever process it. */
  readonly isPoison: boolean;
};

export type Row = {
  readonly checkpoint: number; readonly kind: Kind; readonly vtxo: string | undefined;
  readonly isPoison: boolean;
};

export type Mailbox = { readonly rows: Row[]; last: number };

export type Page = { readonly messages: readonly Message[]; readonly hasMore: boolean };

/** Rows on a page, by captaind's defaults. */
export const rowsMax = 100;

export function create(): Mailbox {
  return { rows: [], last: 0 };
}

/** Posts one message; its checkpoint. */
export function post(
  m: Mailbox, kind: Kind, vtxos: readonly string[], nowMs: number, isPoison = false,
): number {
  m.last = m.last + 1 > nowMs ? m.last + 1 : nowMs;
  const { last: checkpoint } = m;
  if (vtxos.length === 0) m.rows.push({ checkpoint, kind, vtxo: undefined, isPoison });
  for (const vtxo of vtxos) m.rows.push({ checkpoint, kind, vtxo, isPoison });
  return checkpoint;
}

/** What comes after a checkpoint. */
export function read(m: Mailbox, after: number, limit: number, truncates: boolean): Page {
  assert(limit >= 1, "a page of nothing");
  const from = firstBeyond(m, after);
  let to = from + limit;
  // A message is whole, unless the server is one that cuts.
  while (!truncates && isCut(m, to)) to += 1;
  const messages = grouped(m.rows.slice(from, to));
  return { messages, hasMore: truncates ? messages.length >= limit : to < m.rows.length };
}

/** Does a message go on where a page would end? */
function isCut(m: Mailbox, at: number): boolean {
  return at > 0 && at < m.rows.length && m.rows[at]!.checkpoint === m.rows[at - 1]!.checkpoint;
}

/** Rows are in the order of their checkpoints: the first one beyond, by halves. */
function firstBeyond(m: Mailbox, after: number): number {
  let low = 0;
  let high = m.rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (m.rows[middle]!.checkpoint > after) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Rows as messages. */
export function grouped(rows: readonly Row[]): readonly Message[] {
  const found: { checkpoint: number; kind: Kind; vtxos: string[]; isPoison: boolean }[] = [];
  for (const { checkpoint, kind, vtxo, isPoison } of rows) {
    let last = found.at(-1);
    if (last?.checkpoint !== checkpoint) {
      last = { checkpoint, kind, vtxos: [], isPoison };
      found.push(last);
    }
    if (vtxo !== undefined) last.vtxos.push(vtxo);
  }
  return found;
}
