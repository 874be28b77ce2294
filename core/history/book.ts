/**
 * The history as it stands: what the journal's records say, taken in their order.
 *
 * Rule 1: it is made of records and of nothing else, so that every process that reads the same file
 * has the same book. A record that was taken is not taken again: replaying changes nothing.
 * Rule 2: rows are kept as their records, in the bytes of the file that was read and in the texts
 * that came since, and put together when somebody asks; of each row only what every question needs
 * is at hand. So a million records take little more memory than the file has bytes.
 * Rule 3: nothing is an error. A record that cannot be read, is of a newer kind, or speaks of a row
 * that is not there is counted and skipped; the file keeps it.
 * Rule 4: a change that is worth telling (`tellable`) stays in `untold` until a record says that it
 * was told. So nothing is told twice and nothing is forgotten, wherever a process dies.
 * Not known here: the file, and who asks.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import { text } from "../bytes.ts";
import type { Decoded } from "../fault.ts";
import { decode, type Body } from "./body.ts";
import {
  apply, firstStage, nextStage, rowOf, stages, type Change, type Entry, type Row, type Stage,
} from "./entry.ts";
import * as find from "./find.ts";
import * as glance from "./glance.ts";
import * as record from "./record.ts";

export type Config = {
  /** Keys with a value; records of further keys are counted as `refused`. 256. */
  readonly valuesMax: number;
};

export const defaults: Config = { valuesMax: 256 };

/** Changes that somebody should hear of, once. */
export const tellable: ReadonlySet<Change["type"]> = new Set<Change["type"]>([
  "seen", "confirmed", "lost", "warned", "given-up", "returned",
]);

/** A change nobody was told of. `seq` is its record's and names the notice. */
export type Untold = { readonly seq: number; readonly of: number; readonly what: Change["type"] };

/** Records that say nothing here, by reason. */
export type Skipped = {
  /** Of a newer version, or a kind that is not known here. */
  unknown: number;
  /** Not as this version writes them. */
  malformed: number;
  /** About a row that is not there. */
  stray: number;
  /** Values beyond `valuesMax`. */
  refused: number;
};

export type Book = {
  readonly config: Config;
  /** The last record that was taken; 0: none. */
  lastSeq: number;
  /** Records about rows: of each the one before it about the same row, or -1. */
  records: number;
  before: Int32Array;
  /** The bodies of the first `loaded` of them are in `file`, from `from` to `to`. */
  loaded: number;
  file: Uint8Array;
  from: Uint32Array;
  to: Uint32Array;
  /** Those of the others. */
  readonly bodies: string[];
  /** Rows in the order of their records. */
  rows: number;
  ids: Float64Array;
  addedUs: Float64Array;
  /** Places in `stages`. */
  stageOf: Uint8Array;
  /** The last record about the row; `isAged`: it only tells an age. */
  last: Int32Array;
  isAged: Uint8Array;
  readonly texts: find.Find;
  readonly values: Map<string, string>;
  readonly untold: Map<number, Untold>;
  readonly skipped: Skipped;
  /** Records of other parts. */
  others: number;
};

const roomMin = 64;

/** A book without a record. */
export function create(config: Config): Book {
  assert(config.valuesMax >= 1, "a book remembers a value");
  return {
    config, lastSeq: 0, records: 0, before: new Int32Array(roomMin), loaded: 0,
    file: new Uint8Array(0), from: new Uint32Array(roomMin), to: new Uint32Array(roomMin),
    bodies: [], rows: 0,
    ids: new Float64Array(roomMin), addedUs: new Float64Array(roomMin),
    stageOf: new Uint8Array(roomMin), last: new Int32Array(roomMin),
    isAged: new Uint8Array(roomMin), texts: find.create(), values: new Map(), untold: new Map(),
    skipped: { unknown: 0, malformed: 0, stray: 0, refused: 0 }, others: 0,
  };
}

/**
 * Takes all records of a file that `record.scan` found whole up to `end`, into a book without any.
 * The bytes are kept: nobody may write to them again. `visit` sees what other parts wrote.
 */
export function load(
  m: Book, bytes: Uint8Array, end: number, visit: (seq: number, body: Body) => void,
): void {
  assert(m.lastSeq === 0, "a file is read into an empty book");
  m.file = bytes;
  const seen = glance.create();
  record.ranges(bytes, end, (seq, from, to) => {
    m.lastSeq = seq;
    if (glance.look(seen, bytes, from, to)) return glanced(m, seq, seen, from, to);
    const decoded = decode(text(bytes, from, to));
    if (!decoded.ok) return void (m.skipped.malformed += 1);
    taken(m, seq, decoded.value, from, to);
    if (decoded.value.type === "other") visit(seq, decoded.value);
  });
  m.loaded = m.records;
  m.from = m.from.slice(0, m.records);
  m.to = m.to.slice(0, m.records);
}

/**
 * Takes record `seq`, which follows the last one; a record that was taken already changes nothing.
 * Returns what it says, for the parts that keep records of their own.
 */
export function take(m: Book, seq: number, body: string): Decoded<Body> {
  const decoded = decode(body);
  if (seq <= m.lastSeq) return decoded;
  assert(seq === m.lastSeq + 1, "records come in order");
  m.lastSeq = seq;
  const before = m.records;
  if (decoded.ok) taken(m, seq, decoded.value, 0, 0);
  else m.skipped.malformed += 1;
  if (m.records > before) m.bodies.push(body);
  return decoded;
}

function glanced(m: Book, seq: number, seen: glance.Glance, from: number, to: number): void {
  const { kind, of, ranges } = seen;
  if (kind === "told") return void m.untold.delete(of);
  let row: number | undefined;
  if (kind === "added" || kind === "imported") {
    const stage = seen.isSuccess ? "settled" : seen.isDone ? "given-up" : "waiting";
    row = begun(m, seq, seen.atUs, stage, from, to);
  } else {
    row = changed(m, seq, of, kind, from, to);
  }
  if (row === undefined) return;
  for (let i = 0; i < ranges.length; i += 2) {
    find.addBytes(m.texts, m.file, ranges[i] as number, ranges[i + 1] as number, row);
  }
}

function taken(m: Book, seq: number, body: Body, from: number, to: number): void {
  switch (body.type) {
    case "added": case "imported": return added(m, seq, body.entry, from, to);
    case "told": return void m.untold.delete(body.of);
    case "value": return remember(m, body.key, body.value);
    case "other":
      m.others += 1;
      if (body.about !== undefined) m.untold.delete(body.about);
      return;
    case "unknown":
      m.skipped.unknown += 1;
      return;
    case "txid": case "signed": case "seen": case "confirmed": case "lost": case "settled":
    case "warned": case "given-up": case "returned": case "aged": {
      const row = changed(m, seq, body.of, body.type, from, to);
      if (row !== undefined && "txid" in body) find.add(m.texts, body.txid, row);
      return;
    }
    default: return unreachable(body); /* c8 ignore next */
  }
}

function remember(m: Book, key: string, value: string): void {
  if (m.values.has(key) || m.values.size < m.config.valuesMax) m.values.set(key, value);
  else m.skipped.refused += 1;
}

function added(m: Book, seq: number, entry: Entry, from: number, to: number): void {
  const row = begun(m, seq, entry.addedUs, firstStage(entry), from, to);
  const { txid, destination, change, sourceAddresses } = entry;
  for (const one of [txid, destination, change, ...sourceAddresses]) {
    if (one !== "") find.add(m.texts, one, row);
  }
}

function begun(
  m: Book, seq: number, addedUs: number, stage: Stage, from: number, to: number,
): number {
  const row = m.rows;
  if (row === m.ids.length) widen(m);
  m.rows += 1;
  m.ids[row] = seq;
  m.addedUs[row] = addedUs;
  m.stageOf[row] = stages.indexOf(stage);
  m.last[row] = keep(m, -1, from, to);
  return row;
}

/** The row that changed, if it is there. */
function changed(
  m: Book, seq: number, of: number, what: Change["type"], from: number, to: number,
): number | undefined {
  const row = placeOf(m, of);
  if (row === undefined) {
    m.skipped.stray += 1;
    return undefined;
  }
  const last = m.last[row] as number;
  // Only the latest age counts: it takes the place of the one before.
  const before = what === "aged" && m.isAged[row] === 1 ? m.before[last] as number : last;
  m.last[row] = keep(m, before, from, to);
  m.isAged[row] = what === "aged" ? 1 : 0;
  m.stageOf[row] = stages.indexOf(nextStage(stageAt(m, row), what));
  if (tellable.has(what)) m.untold.set(seq, { seq, of, what });
  return row;
}

function keep(m: Book, before: number, from: number, to: number): number {
  const at = m.records;
  if (at === m.before.length) m.before = copied(new Int32Array(2 * at), m.before);
  m.before[at] = before;
  m.records += 1;
  if (m.loaded > 0 || to === 0) return at;
  if (at === m.from.length) {
    m.from = copied(new Uint32Array(2 * at), m.from);
    m.to = copied(new Uint32Array(2 * at), m.to);
  }
  m.from[at] = from;
  m.to[at] = to;
  return at;
}

function bodyAt(m: Book, at: number): string {
  if (at >= m.loaded) return m.bodies[at - m.loaded] as string;
  return text(m.file, m.from[at], m.to[at]);
}

function widen(m: Book): void {
  const size = 2 * m.ids.length;
  m.ids = copied(new Float64Array(size), m.ids);
  m.addedUs = copied(new Float64Array(size), m.addedUs);
  m.stageOf = copied(new Uint8Array(size), m.stageOf);
  m.last = copied(new Int32Array(size), m.last);
  m.isAged = copied(new Uint8Array(size), m.isAged);
}

function copied<T extends { set(from: T): void }>(to: T, from: T): T {
  to.set(from);
  return to;
}

/** The place of row `id`, if there is one. Ids grow. */
function placeOf(m: Book, id: number): number | undefined {
  let low = 0;
  let high = m.rows;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((m.ids[middle] as number) < id) low = middle + 1;
    else high = middle;
  }
  return low < m.rows && m.ids[low] === id ? low : undefined;
}

function stageAt(m: Book, row: number): Stage {
  return stages[m.stageOf[row] as number] as Stage;
}

/** The row with this id. */
export function rowById(m: Book, id: number): Row | undefined {
  const row = placeOf(m, id);
  return row === undefined ? undefined : rowAt(m, row);
}

/** Row number `row`, from 0 to `rows - 1`, oldest record first. */
export function rowAt(m: Book, row: number): Row {
  assert(row >= 0 && row < m.rows, "there is such a row");
  const chain: string[] = [];
  for (let at = m.last[row] as number; at >= 0; at = m.before[at] as number) {
    chain.push(bodyAt(m, at));
  }
  let made: Row | undefined;
  for (let i = chain.length - 1; i >= 0; i -= 1) {
    const decoded = decode(chain[i] as string);
    assert(decoded.ok, "a record that was read reads again");
    const body = decoded.value;
    if (body.type === "added" || body.type === "imported") {
      made = rowOf(m.ids[row] as number, body.entry);
    } else {
      assert(made !== undefined, "a row begins with its entry");
      made = apply(made, body as Change);
    }
  }
  assert(made !== undefined, "a row has an entry");
  return made;
}

/** Rows with this transaction, oldest record first. */
export function byTxid(m: Book, txid: string): readonly Row[] {
  return holding(m, txid, ({ entry }) => entry.txid === txid);
}

/** Rows that used this address in any way, oldest record first. */
export function byAddress(m: Book, address: string): readonly Row[] {
  return holding(m, address, ({ entry }) => uses(entry, address));
}

/** Was this address ever used? Then it is not to be used again. */
export function isUsed(m: Book, address: string): boolean {
  return find.candidates(m.texts, address).some((row) => uses(rowAt(m, row).entry, address));
}

function uses(entry: Entry, address: string): boolean {
  if (address === "") return false;
  return entry.destination === address || entry.change === address
    || entry.sourceAddresses.includes(address);
}

function holding(m: Book, text: string, holds: (row: Row) => boolean): readonly Row[] {
  return find.candidates(m.texts, text).map((row) => rowAt(m, row)).filter(holds);
}

/** Every address that was ever used: destinations, change and sources of all rows. */
export function usedAddresses(m: Book): ReadonlySet<string> {
  const used = new Set<string>();
  for (let row = 0; row < m.rows; row += 1) {
    const { destination, change, sourceAddresses } = rowAt(m, row).entry;
    for (const one of [destination, change, ...sourceAddresses]) if (one !== "") used.add(one);
  }
  return used;
}

/** A question for rows to watch. */
export type Wanted = {
  /** Rows of other wallets are none of ours; rows that name none are. "": any wallet. */
  readonly fingerprint: string;
  /** At most so many of each kind, newest first */
  readonly waitingMax: number;
  readonly givenUpMax: number;
};

export type Open = { readonly waiting: Row[]; readonly givenUp: Row[] };

/**
 * Rows whose fate is open, newest first: those that wait or may still be reorganised, and the
 * newest that were given up. A row that waits beside one of the same wallet and transaction that
 * succeeded is a double and is left out.
 */
export function open(m: Book, wanted: Wanted): Open {
  const waiting: Row[] = [];
  const givenUp: Row[] = [];
  for (let at = m.rows - 1; at >= 0; at -= 1) {
    const stage = stageAt(m, at);
    if (stage === "settled") continue;
    const list = stage === "given-up" ? givenUp : waiting;
    if (list.length >= (stage === "given-up" ? wanted.givenUpMax : wanted.waitingMax)) continue;
    const row = rowAt(m, at);
    if (isOurs(row.entry, wanted.fingerprint) && !hasTwin(m, row)) list.push(row);
  }
  return { waiting, givenUp };
}

function isOurs({ fingerprint }: Entry, wanted: string): boolean {
  return wanted === "" || fingerprint === "" || fingerprint === wanted;
}

function hasTwin(m: Book, { id, entry }: Row): boolean {
  if (entry.isSuccess || entry.txid === "") return false;
  return byTxid(m, entry.txid).some((other) =>
    other.id !== id && other.entry.isSuccess && other.entry.fingerprint === entry.fingerprint);
}

/** Rows that were added in a period: from `fromUs`, included, to `toUs`, not included. */
export function addedBetween(m: Book, fromUs: number, toUs: number): readonly number[] {
  const found: number[] = [];
  for (let row = 0; row < m.rows; row += 1) {
    const at = m.addedUs[row] as number;
    if (at >= fromUs && at < toUs) found.push(row);
  }
  return found;
}
