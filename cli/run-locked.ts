/**
 * What daemons with a folder of their own do alike: how they take it, and how they let it go.
 *
 * Rule 1: one process for each folder: the lock is taken first and goes with the process.
 * Rule 2: what only the operator can mend ends the start, with a sentence.
 * @module
 */
import type { Ambient } from "../adapters/ambient.ts";
import { type Lock, type Taken, takeLock } from "../adapters/lock.ts";
import type { Log } from "../adapters/log.ts";
import type { Store } from "../adapters/store.ts";
import { exits } from "./exit.ts";
import { limitStop } from "./overrun.ts";
import * as runtime from "./runtime.ts";

export type RunOptions<Settings> = {
  readonly settings: Settings;
  /** The folder of this daemon; made if it is not there. */
  readonly folder: string;
  readonly ambient: Ambient;
  /** Closed when the daemon ends or does not start. */
  readonly log: Log;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stderr: (text: string) => void;
};

type Refused = { readonly ok: false; readonly exit: number; readonly says: string };
export type Started<Daemon> = { readonly ok: true; readonly daemon: Daemon } | Refused;

/** What is there of each of them while it runs. */
export type Locked<Settings> = {
  readonly options: RunOptions<Settings>;
  readonly kernel: {
    readonly state: { readonly phase: string; readonly config: { readonly drainMs: number } };
  };
  readonly store: Store;
  readonly lock: Lock;
  finish: (code: number) => void;
  readonly ended: Promise<number>;
};

/** Takes the folder and its lock, or says why not. Lock and note are called by `name`. */
export async function takeFolder(
  { folder, ambient, log }: RunOptions<unknown>, name: runtime.DaemonName,
): Promise<{ readonly ok: true; readonly lock: Lock } | Refused> {
  const says = runtime.makeDataDir(folder);
  if (says !== undefined) {
    return refuse(log, `the data directory ${folder} cannot be used: ${says}; ` +
      "nothing was started; choose another one with --data-dir");
  }
  const taken = await takeLock({ folder, name, command: `dogwatch ${name}`, ambient });
  return taken.ok ? taken : refuse(log, lockAdvice(folder, taken));
}

function refuse(log: Log, says: string): Refused {
  log.close();
  return { ok: false, exit: exits.failed, says };
}

function lockAdvice(folder: string, taken: Exclude<Taken, { ok: true }>): string {
  if (taken.why === "failed") return `cannot lock ${folder}: ${taken.text}; nothing was started`;
  const who = taken.holder === undefined ? "another process"
    : `${taken.holder.command} with process number ${taken.holder.pid}`;
  return `${who} uses ${folder}; nothing was started; give each its own --data-dir`;
}

/** Ends one that could not open all it needs. */
export async function abandon(parts: Locked<unknown>, says: string): Promise<Refused> {
  parts.finish(exits.failed);
  await parts.ended;
  return { ok: false, exit: exits.failed, says };
}

/** For those who ask the one that runs; the lock keeps others away. */
export function leaveNote(
  { folder, log }: RunOptions<unknown>, name: runtime.DaemonName, note: Omit<runtime.Note, "pid">,
): void {
  const says = runtime.writeNote(folder, { pid: process.pid, ...note }, name);
  if (says !== undefined) log.log("warn", "run.no-note", { folder, says });
}

/** Says that `signal` stops it, and sees to its end; false if it is stopping already. */
export function beginStop(parts: Locked<unknown>, signal: string): boolean {
  const { options: { ambient, log }, kernel: { state }, ended } = parts;
  if (state.phase === "draining" || state.phase === "stopped") return false;
  const finish = (code: number): void => parts.finish(code);
  limitStop(signal, { ambient, log, drainMs: state.config.drainMs, finish, ended });
  return true;
}

/** The last that it does, when nothing else is open. */
export async function letGo(
  { options: { folder, log }, store, lock }: Locked<unknown>, name: runtime.DaemonName,
  code: number,
): Promise<number> {
  runtime.removeNote(folder, process.pid, name);
  await store.close();
  await lock.release();
  if (code === exits.ok) log.log("info", "run.stopped", {});
  log.close();
  return code;
}
