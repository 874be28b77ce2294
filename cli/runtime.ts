/**
 * The note that a running daemon leaves in its folder, so that `dogwatch status` finds one whose
 * ports were chosen by the operating system.
 *
 * Rule 1: a convenience only: a daemon runs without it, and nobody trusts it further than to try
 * the address.
 * Rule 2: the note of a daemon that still runs is left alone.
 * @module
 */
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAddress } from "../adapters/address.ts";
import type { Ambient } from "../adapters/ambient.ts";
import { readText } from "../adapters/bounded.ts";
import { makeFolder } from "../adapters/folder.ts";
import { getJson } from "../adapters/http.ts";
import { arkFolder, makerFolder } from "./history-file.ts";

export type Note = {
  readonly pid: number;
  readonly listen: readonly string[];
  readonly http: string;
  readonly nick: string;
};

/** Daemons that leave notes; each has one kind of folder. */
export type DaemonName = "directory" | "maker" | "ark";

/** The folder of a daemon in a data directory; its note is there. */
export function folderOf(dataDir: string, name: DaemonName): string {
  switch (name) {
    case "directory": return dataDir;
    case "maker": return makerFolder(dataDir);
    case "ark": return arkFolder(dataDir);
  }
}

/** The path of a daemon's note in its folder. */
export function notePath(folder: string, name: DaemonName = "directory"): string {
  return join(folder, `${name}.json`);
}

/** Makes the data directory (mode 0700), or says why not. */
export function makeDataDir(dataDir: string): string | undefined {
  try {
    makeFolder(dataDir, 0o700);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const answerMsMax = 1_000;

/**
 * Says so if the note in `folder` is that of another daemon which still runs. After a restart of
 * the machine its number may belong to any program, so the daemon itself is asked.
 */
export async function otherDaemon(
  folder: string,
  pid: number,
  ambient: Pick<Ambient, "expiry">,
  name: DaemonName = "directory",
): Promise<string | undefined> {
  const note = readNote(folder, name);
  if (note === undefined || note.pid === pid || !isAlive(note.pid)) return undefined;
  const address = parseAddress(note.http);
  if (address === undefined) return undefined;
  const asked = await getJson(address, "/livez", answerMsMax, ambient);
  const { pid: answered } = ((asked.ok ? asked.body : null) ?? {}) as { pid?: unknown };
  if (answered !== note.pid) return undefined;
  return `the daemon with process number ${note.pid} keeps its note there; ` +
    "give each its own --data-dir";
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Writes the note in one piece, or says why not. */
export function writeNote(
  folder: string, note: Note, name: DaemonName = "directory",
): string | undefined {
  const path = notePath(folder, name);
  const fresh = `${path}.${note.pid}`;
  try {
    writeFileSync(fresh, `${JSON.stringify(note)}\n`, { mode: 0o600 });
    renameSync(fresh, path);
    return undefined;
  } catch (error) {
    remove(fresh);
    return (error as Error).message;
  }
}

/** 16 addresses and a nick are far less. */
const noteBytesMax = 65_536;

/** The note that was left, or `undefined` when there is none that can be read. */
export function readNote(folder: string, name: DaemonName = "directory"): Note | undefined {
  const read = readText(notePath(folder, name), noteBytesMax);
  if (!read.ok) return undefined;
  try {
    const note = JSON.parse(read.text) as Partial<Note> | null;
    const { pid, listen, http, nick } = note ?? {};
    if (typeof pid !== "number" || !Array.isArray(listen)) return undefined;
    if (typeof http !== "string" || typeof nick !== "string") return undefined;
    return { pid, listen: listen.map(String), http, nick };
  } catch {
    return undefined;
  }
}

/** Takes the note away if it is this process's own. */
export function removeNote(folder: string, pid: number, name: DaemonName = "directory"): void {
  if (readNote(folder, name)?.pid !== pid) return;
  remove(notePath(folder, name));
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // A note that stays behind names an address that refuses; `status` says so.
  }
}
