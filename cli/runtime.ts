/**
 * The note that a running daemon leaves in its data directory, so that `dogwatch status` finds one
 * whose ports were chosen by the operating system.
 *
 * Rule 1: a convenience only: a daemon runs without it, and nobody trusts it further than to try
 * the address.
 * @module
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type Note = {
  readonly pid: number;
  readonly listen: readonly string[];
  readonly http: string;
  readonly nick: string;
};

/** The note's path in a data directory. */
export function notePath(dataDir: string): string {
  return join(dataDir, "directory.json");
}

/** Makes the data directory (mode 0700), or says why not. */
export function makeDataDir(dataDir: string): string | undefined {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Writes the note in one piece, or says why not. */
export function writeNote(dataDir: string, note: Note): string | undefined {
  const path = notePath(dataDir);
  const fresh = `${path}.${note.pid}`;
  try {
    writeFileSync(fresh, `${JSON.stringify(note)}\n`, { mode: 0o600 });
    renameSync(fresh, path);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The note that was left, or `undefined` when there is none that can be read. */
export function readNote(dataDir: string): Note | undefined {
  try {
    const note = JSON.parse(readFileSync(notePath(dataDir), "utf8")) as Partial<Note> | null;
    const { pid, listen, http, nick } = note ?? {};
    if (typeof pid !== "number" || !Array.isArray(listen)) return undefined;
    if (typeof http !== "string" || typeof nick !== "string") return undefined;
    return { pid, listen: listen.map(String), http, nick };
  } catch {
    return undefined;
  }
}

/** Takes the note away if it is this process's own. */
export function removeNote(dataDir: string, pid: number): void {
  if (readNote(dataDir)?.pid !== pid) return;
  try {
    rmSync(notePath(dataDir), { force: true });
  } catch {
    // A note that stays behind names an address that refuses; `status` says so.
  }
}
