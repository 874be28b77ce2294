/**
 * `dogwatch history verify|list|export|import|add`: the history of a data directory, offline.
 *
 * Rule 1: `verify`, `list` and `export` change nothing and run beside a daemon. `import` and `add`
 * take the daemon's lock first, so that two processes never write to one file.
 * Rule 2: a row that cannot be read is named with its line and left out; everything else is taken.
 * A row that is in the history already is not taken again, so that an import can be repeated.
 * @module
 */
import { writeFileSync } from "node:fs";
import { type Ambient, createAmbient } from "../adapters/ambient.ts";
import { takeLock, type Holder } from "../adapters/lock.ts";
import { readText } from "../adapters/bounded.ts";
import { cleanText } from "../adapters/log.ts";
import { amountSatMax, encode, isTxid } from "../core/history/body.ts";
import * as book from "../core/history/book.ts";
import * as csv from "../core/history/csv.ts";
import { blank, reasons, type Entry, type Row } from "../core/history/entry.ts";
import * as journal from "../core/history/journal.ts";
import * as stats from "../core/history/stats.ts";
import { fixed, instantOf, localOf, type Zone } from "../core/history/zone.ts";
import { exits } from "./exit.ts";
import { type Flags, loadFlags, tellProblems } from "./flags.ts";
import {
  historyPath, lockName, look, makerFolder, type Found, type Unread, type Writer, writing,
} from "./history-file.ts";
import { json, rowJson, sumsText, tableText } from "./history-text.ts";
import type { Io } from "./io.ts";
import { makeDataDir } from "./runtime.ts";
import { zoneOf } from "./zones.ts";

export type HistoryFlags = Flags & {
  /** A zone of the system's table, or an offset. */
  readonly tz?: string;
  readonly pending?: boolean;
  readonly dryRun?: boolean;
  readonly txid?: string;
  readonly address?: string;
  readonly amount?: string;
  readonly change?: string;
  readonly fee?: string;
};

type Settings = Extract<ReturnType<typeof loadFlags>, { ok: true }>["settings"];

function settingsOf(flags: Flags, io: Io): Settings | undefined {
  const loaded = loadFlags(flags, io);
  if (loaded.ok) return loaded.settings;
  tellProblems(io, loaded.problems);
  return undefined;
}

/** Says whether the journal is whole. 1: it is damaged, or holds what this version cannot read. */
export function verify(flags: HistoryFlags, io: Io): number {
  const settings = settingsOf(flags, io);
  if (settings === undefined) return exits.usage;
  const path = historyPath(settings.dataDir);
  const looked = look(path);
  if (!looked.ok) {
    if (flags.json === true) io.out(json({ schema: 1, path, ok: false, says: looked.text }));
    return unread(path, looked.why, looked.text, io);
  }
  const { bytes, tornBytes } = looked.found;
  const { lastSeq: records, rows, others, values, untold, skipped } = looked.found.book;
  const isWhole = skipped.malformed === 0 && skipped.stray === 0;
  if (flags.json === true) {
    const counts = { rows, others, values: values.size, untold: untold.size, skipped };
    io.out(json({ schema: 1, path, ok: isWhole, records, bytes, tornBytes, ...counts }));
  } else {
    io.out(`${path}: ${isWhole ? "whole" : "NOT WHOLE"}: ${records} records in ${bytes} bytes, `
      + `${rows} transactions\n`);
  }
  if (tornBytes > 0) {
    io.err(`dogwatch: the last ${tornBytes} bytes are a write that is under way or was cut short; `
      + "the daemon cuts it off when it starts, nothing is lost\n");
  }
  if (skipped.unknown > 0) {
    io.err(`dogwatch: ${skipped.unknown} records are of a newer version; they are kept\n`);
  }
  if (!isWhole) {
    io.err(`dogwatch: ${skipped.malformed} records cannot be read and ${skipped.stray} speak of `
      + "transactions that are not there; they are kept, please report this\n");
  }
  return isWhole ? exits.ok : exits.failed;
}

/** Prints all transactions, or with `--pending` those whose fate is open. */
export function list(flags: HistoryFlags, io: Io): number {
  const opened = readable(flags, flags.tz ?? "UTC", io);
  if (typeof opened === "number") return opened;
  const { found, zone } = opened;
  const m = found.book;
  const rows = flags.pending === true ? openRows(m) : allRows(m);
  const sums = stats.total(m, "both");
  if (flags.json === true) {
    io.out(json({ schema: 1, rows: rows.map(rowJson), totals: sums }));
    return exits.ok;
  }
  io.out(rows.length === 0 ? "" : tableText(rows, zone));
  io.err(sumsText(sums));
  return exits.ok;
}

/** Prints the history as joinmarket-ng's `history.csv`, or writes it to a new file. */
export function exportCsv(file: string | undefined, flags: HistoryFlags, io: Io): number {
  const opened = readable(flags, flags.tz, io);
  if (typeof opened === "number") return opened;
  const { found, zone } = opened;
  const rows = allRows(found.book)
    .sort((a, b) => a.entry.addedUs - b.entry.addedUs || a.id - b.id);
  const text = [csv.header, ...rows.map(({ entry }) => csv.write(entry, zone))].join("");
  const doubtful = rows.filter(({ entry }) => timesOf(entry).some((us) => isDoubtful(us, zone)));
  if (doubtful.length > 0) {
    io.err(`dogwatch: the times of ${doubtful.length} rows are in the hour that comes twice when `
      + "the clocks go back: a reader takes them for an hour earlier; --tz UTC has no such hour\n");
  }
  if (file === undefined) {
    io.out(text);
    return exits.ok;
  }
  try {
    writeFileSync(file, text, { flag: "wx", mode: 0o600 });
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === "EEXIST";
    const says = isThere ? "it exists already and was left as it is" : (error as Error).message;
    io.err(`dogwatch: cannot write ${file}: ${says}\n`);
    return exits.failed;
  }
  io.err(`Wrote ${rows.length} rows to ${file}.\n`);
  return exits.ok;
}

function timesOf({ addedUs, completedUs, confirmedUs }: Entry): readonly number[] {
  return [addedUs, completedUs ?? addedUs, confirmedUs ?? addedUs];
}

function isDoubtful(us: number, zone: Zone): boolean {
  return instantOf(localOf(us, zone), zone).unixUs !== us;
}

type Readable = { readonly found: Found; readonly zone: Zone };

function readable(flags: HistoryFlags, tz: string | undefined, io: Io): Readable | number {
  const zone = zoneFor(tz, io);
  const settings = zone === undefined ? undefined : settingsOf(flags, io);
  if (zone === undefined || settings === undefined) return exits.usage;
  const path = historyPath(settings.dataDir);
  const looked = look(path);
  if (looked.ok) return { found: looked.found, zone };
  return unread(path, looked.why, looked.text, io);
}

function zoneFor(tz: string | undefined, io: Io): Zone | undefined {
  if (tz === undefined) {
    io.err("dogwatch: --tz: the times of a history.csv name no zone; say which they are in: "
      + "--tz Europe/Berlin, --tz +02:00 or --tz UTC\n");
    return undefined;
  }
  const zone = zoneOf(tz);
  if (zone === undefined) {
    io.err(`dogwatch: --tz ${cleanText(tz)}: no such zone; some are Europe/Berlin, +02:00, UTC\n`);
  }
  return zone;
}

function unread(path: string, why: Unread, text: string, io: Io): number {
  const says = why === "missing"
    ? `there is no history at ${path}; name the maker's directory with --data-dir or --config, or `
      + "begin one with: dogwatch history import"
    : why === "damaged"
      ? `${path} is damaged: ${text}; nothing was changed: keep a copy of it and please report this`
      : `cannot read ${path}: ${text}`;
  io.err(`dogwatch: ${says}\n`);
  return exits.failed;
}

function allRows(m: book.Book): Row[] {
  return Array.from({ length: m.rows }, (_, row) => book.rowAt(m, row));
}

function openRows(m: book.Book): readonly Row[] {
  const most = { waitingMax: Number.MAX_SAFE_INTEGER, givenUpMax: 0 };
  return book.open(m, { fingerprint: "", ...most }).waiting.reverse();
}

/** Several hundred thousand rows. 128 MiB. */
const csvBytesMax = 134_217_728;

/** Takes the rows of a `history.csv` that are not there yet. 1: some could not be read. */
export async function importCsv(file: string, flags: HistoryFlags, io: Io): Promise<number> {
  const zone = zoneFor(flags.tz, io);
  if (zone === undefined) return exits.usage;
  const found = readText(file, csvBytesMax, "any");
  if (!found.ok) {
    io.err(`dogwatch: cannot read ${file}: ${found.says}\n`);
    return exits.failed;
  }
  const read = csv.read(found.text, zone);
  if (!read.ok) {
    io.err(`dogwatch: ${file} is no history.csv of joinmarket-ng: ${cleanText(read.fault.text)}\n`);
    return exits.failed;
  }
  return locked("history import", flags, io, (writer) => take(writer, read.value, flags, io, file));
}

async function take(
  writer: Writer, read: csv.Read, flags: HistoryFlags, io: Io, file: string,
): Promise<number> {
  const known = new Set(allRows(writer.book).map(({ entry }) => csv.identityOf(entry)));
  const faults: csv.Bad[] = [...read.faults];
  const bodies: string[] = [];
  const seen = new Set<string>();
  let doubles = 0;
  for (const { line, entry } of read.rows) {
    const body = encode({ type: "imported", entry });
    if (known.has(csv.identityOf(entry)) || seen.has(body)) doubles += 1;
    else if (body.length > journal.defaults.bodyBytesMax) {
      faults.push({ line, text: "the row is too long" });
    } else bodies.push(body);
    seen.add(body);
  }
  faults.sort((a, b) => a.line - b.line);
  if (flags.dryRun !== true) await writer.write(bodies);
  const doubts = read.rows.flatMap(({ line, doubts: texts }) =>
    texts.map((text) => ({ line, text })));
  const imported = bodies.length;
  if (flags.json === true) {
    const { ignored } = read;
    const isDry = flags.dryRun === true;
    io.out(json({ schema: 1, imported, known: doubles, faults, doubts, ignored, dryRun: isDry }));
  } else {
    const did = flags.dryRun === true ? "would be imported" : "imported";
    io.out(`${imported} rows ${did}, ${doubles} were there already, ${faults.length} left out\n`);
  }
  for (const name of read.ignored) {
    io.err(`dogwatch: ${file}:1: column ${cleanText(name)} is not known here and was left\n`);
  }
  for (const { line, text } of doubts) io.err(`dogwatch: ${file}:${line}: ${text}\n`);
  for (const { line, text } of faults) io.err(`dogwatch: ${file}:${line}: left out: ${text}\n`);
  return faults.length > 0 ? exits.failed : exits.ok;
}

/** Adds one transaction to watch, by its id, its destination address, or both. */
export async function add(flags: HistoryFlags, io: Io): Promise<number> {
  const ambient = createAmbient();
  const settings = settingsOf(flags, io);
  if (settings === undefined) return exits.usage;
  const made = entryOf(flags, ambient.wall().unixMs * 1_000, settings.network);
  if (typeof made === "string") {
    io.err(`dogwatch: ${made}\n`);
    return exits.usage;
  }
  return locked("history add", flags, io, async (writer) => {
    const { txid, destination } = made;
    const [same] = [
      ...(txid === "" ? [] : book.byTxid(writer.book, txid)),
      ...(destination === "" ? [] : book.byAddress(writer.book, destination)),
    ];
    if (same !== undefined) {
      io.err(`dogwatch: transaction ${same.id} of the history has that id or address already\n`);
      return exits.failed;
    }
    await writer.write([encode({ type: "added", entry: made })]);
    const id = writer.book.lastSeq;
    io.out(flags.json === true ? json({ schema: 1, id }) : `added as transaction ${id}\n`);
    return exits.ok;
  });
}

const addressShape = /^[0-9A-Za-z]{14,100}$/;

/** The entry that flags describe, or what is wrong with them. */
function entryOf(flags: HistoryFlags, addedUs: number, network: string): Entry | string {
  const { txid = "", address: destination = "", change = "" } = flags;
  if (txid === "" && destination === "") return "--txid or --address: name one of them, or both";
  if (txid !== "" && !isTxid(txid)) return "--txid: 64 lower-case hex digits are wanted";
  for (const [name, value] of [["--address", destination], ["--change", change]] as const) {
    if (value !== "" && !addressShape.test(value)) return `${name}: that is not an address`;
  }
  if (flags.amount === undefined) return "--amount: the CoinJoin amount in satoshis is wanted";
  const cjSat = satoshis(flags.amount);
  if (cjSat === undefined || cjSat === 0n) return "--amount: a whole number of satoshis is wanted";
  const feeReceivedSat = satoshis(flags.fee ?? "0");
  if (feeReceivedSat === undefined) return "--fee: a whole number of satoshis is wanted";
  const fees = { feeReceivedSat, netFeeSat: feeReceivedSat };
  const reason = txid === "" ? reasons.awaiting : reasons.unconfirmed;
  return {
    ...blank(addedUs), ...fees, txid, destination, change, cjSat, amountSat: cjSat, reason, network,
    source: "protocol",
  };
}

function satoshis(text: string): bigint | undefined {
  if (!/^[0-9]{1,16}$/.test(text)) return undefined;
  const sat = BigInt(text);
  return sat <= amountSatMax ? sat : undefined;
}

/** Has `act` write to the journal, alone. */
async function locked(
  command: string, flags: HistoryFlags, io: Io, act: (writer: Writer) => Promise<number>,
): Promise<number> {
  const settings = settingsOf(flags, io);
  if (settings === undefined) return exits.usage;
  const folder = makerFolder(settings.dataDir);
  const unmade = makeDataDir(folder);
  if (unmade !== undefined) {
    io.err(`dogwatch: the data directory ${folder} cannot be used: ${unmade}\n`);
    return exits.failed;
  }
  const ambient: Ambient = createAmbient();
  const says = `dogwatch ${command}`;
  const taken = await takeLock({ folder, name: lockName, command: says, ambient });
  if (!taken.ok) {
    const text = taken.why === "held"
      ? `${heldBy(taken.holder)} has ${folder}; stop it first, then try again`
      : `cannot lock ${folder}: ${taken.text}`;
    io.err(`dogwatch: ${text}\n`);
    return exits.failed;
  }
  const path = historyPath(settings.dataDir);
  try {
    return await writing(path, ambient, act);
  } catch (error) {
    const { message } = error as Error;
    io.err(`dogwatch: cannot write ${path}: ${message}; what was written before is kept, and the `
      + "command can be repeated\n");
    return exits.failed;
  } finally {
    await taken.lock.release();
  }
}

function heldBy(holder: Holder | undefined): string {
  if (holder === undefined) return "another process";
  const since = csv.timeText(localOf(holder.sinceUnixMs * 1_000, fixed(0)));
  return `process ${holder.pid} (${cleanText(holder.command)}, since ${since} UTC)`;
}
