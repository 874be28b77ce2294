/**
 * The history's journal as the commands use it: read whole without touching it, or written by a
 * process that holds the lock.
 *
 * Rule 1: reading needs no lock and changes nothing: a daemon may be writing meanwhile, and then
 * the last record may be cut short.
 * Rule 2: what it says is written is on the disk (`journal-file.ts`).
 * @module
 */
import { join } from "node:path";
import type { Ambient } from "../adapters/ambient.ts";
import { readBytes } from "../adapters/bounded.ts";
import { loadBytesMax } from "../adapters/store.ts";
import * as book from "../core/history/book.ts";
import * as journal from "../core/history/journal.ts";
import * as record from "../core/history/record.ts";
import { journaling } from "./journal-file.ts";

/** The maker's own folder in a data directory: its journal, its lock, its note. */
export function makerFolder(dataDir: string): string {
  return join(dataDir, "maker");
}

/** The folder of the daemon of Ark wallets in a data directory: its journal, its lock, its note. */
export function arkFolder(dataDir: string): string {
  return join(dataDir, "ark");
}

/** What a maker's lock and note are called, in its folder. */
export const lockName = "maker";

/** The journal's path in a data directory. */
export function historyPath(dataDir: string): string {
  return join(makerFolder(dataDir), "history.journal");
}

export type Found = {
  readonly book: book.Book;
  readonly bytes: number;
  readonly tornBytes: number;
};

export type Unread = "missing" | "damaged" | "unreadable";

export type Looked =
  | { readonly ok: true; readonly found: Found }
  | { readonly ok: false; readonly why: Unread; readonly text: string };

/** Reads a journal without changing it. */
export function look(path: string): Looked {
  const read = readBytes(path, loadBytesMax);
  if (!read.ok) {
    return { ok: false, why: read.code === "ENOENT" ? "missing" : "unreadable", text: read.says };
  }
  const { bytes } = read;
  const scanned = record.scan(bytes, journal.defaults.tornBytesMax);
  if (!scanned.ok) return { ok: false, why: "damaged", text: scanned.fault.text };
  const { end, tornBytes } = scanned.value;
  const m = book.create(book.defaults);
  book.load(m, bytes, end, () => {});
  return { ok: true, found: { book: m, bytes: bytes.length, tornBytes } };
}

/** A history that is open for writing. */
export type Writer = {
  readonly book: book.Book;
  /** Resolves when all of them are durable; then the book has them too. Rejects at a failure. */
  readonly write: (bodies: readonly string[]) => Promise<void>;
};

/** Opens the history at `path`, has `act` write to it, and closes it. Rejects at a failure. */
export async function writing<T>(
  path: string, ambient: Ambient, act: (writer: Writer) => Promise<T>,
): Promise<T> {
  const m = book.create(book.defaults);
  const hear = {
    read: (bytes: Uint8Array, end: number) => book.load(m, bytes, end, () => {}),
    durable: (seq: number, body: string) => void book.take(m, seq, body),
  };
  return journaling(path, ambient, hear, (write) => act({ book: m, write }));
}
