/**
 * The history's journal as the commands use it: read whole without touching it, or written by a
 * process that holds the lock.
 *
 * Rule 1: reading needs no lock and changes nothing: a daemon may be writing meanwhile, and then
 * the last record may be cut short.
 * Rule 2: writing is the daemon's own machine on the daemon's own store. It does not wait for a
 * disk to get better: the first failure ends the command. What it says is written is on the disk.
 * @module
 */
import { join } from "node:path";
import type { Ambient } from "../adapters/ambient.ts";
import { readBytes } from "../adapters/bounded.ts";
import { createStore, loadBytesMax, type Store } from "../adapters/store.ts";
import * as book from "../core/history/book.ts";
import * as journal from "../core/history/journal.ts";
import * as record from "../core/history/record.ts";

/** The maker's own folder in a data directory: its journal, its lock, its note. */
export function makerFolder(dataDir: string): string {
  return join(dataDir, "maker");
}

/** What a maker's lock is called, in its folder. */
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

/** A journal that is open for writing. */
export type Writer = {
  readonly book: book.Book;
  /** Resolves when all of them are durable; then the book has them too. Rejects at a failure. */
  readonly write: (bodies: readonly string[]) => Promise<void>;
};

type Session = {
  readonly machine: journal.Journal;
  readonly store: Store;
  readonly bodies: Map<number, string>;
  readonly book: book.Book;
  tokens: number;
  fail: (error: Error) => void;
  done: () => void;
};

/** Records that are asked for at a time: no more than the journal lets wait. */
const roundMax = 1_000;

/** Opens the journal at `path`, has `act` write to it, and closes it. Rejects at a failure. */
export async function writing<T>(
  path: string, ambient: Ambient, act: (writer: Writer) => Promise<T>,
): Promise<T> {
  const machine = journal.create(journal.defaults);
  const store = createStore(path, (event) => step(event));
  const s: Session = {
    machine, store, bodies: new Map(), book: book.create(book.defaults), tokens: 0,
    fail: () => {}, done: () => {},
  };
  const timer = ambient.timer(() => step({ type: "tick" }));

  function step(event: journal.Event): void {
    const out: journal.Effect[] = [];
    journal.step(machine, event, ambient.now(), out);
    for (const effect of out) perform(s, effect);
    timer.arm(journal.deadline(machine));
  }

  const waited = (start: () => void): Promise<void> => new Promise((resolve, reject) => {
    s.done = resolve;
    s.fail = reject;
    start();
  });

  async function write(bodies: readonly string[]): Promise<void> {
    for (let from = 0; from < bodies.length; from += roundMax) {
      await waited(() => {
        for (const body of bodies.slice(from, from + roundMax)) {
          s.tokens += 1;
          s.bodies.set(s.tokens, body);
          step({ type: "asked", token: s.tokens, body });
        }
      });
    }
  }

  try {
    await waited(() => step({ type: "opened" }));
    return await act({ book: s.book, write });
  } finally {
    timer.disarm();
    await store.close();
  }
}

function perform(s: Session, effect: journal.Effect): void {
  switch (effect.type) {
    case "store.load": case "store.append": case "store.sync": case "store.truncate":
      return s.store.order(effect);
    case "ready":
      book.load(s.book, effect.bytes, effect.end, () => {});
      return s.done();
    case "durable": {
      book.take(s.book, effect.seq, s.bodies.get(effect.token) ?? "");
      s.bodies.delete(effect.token);
      if (s.bodies.size === 0) s.done();
      return;
    }
    case "refused": return s.fail(new Error(`a record was refused: ${effect.why}`));
    case "failing":
      return s.fail(new Error(effect.reason === "full" ? "no space left" : s.store.says()));
    case "broken": return s.fail(new Error(effect.fault.text));
    case "slow": case "recovered": return;
    default: {
      const never: never = effect;
      return never;
    }
  }
}
