/**
 * SIGHUP: the configuration is read again, and what may change in a running daemon is applied.
 *
 * Rule 1: a configuration with anything wrong in it changes nothing.
 * Rule 2: what needs a restart keeps its old value until then, whatever it is now in the file: what
 * runs is always one whole configuration. The log names it.
 * @module
 */
import { type Entry, reloaded } from "../adapters/config.ts";
import { concerns, type Reader } from "../adapters/config/keys.ts";
import type { Log } from "../adapters/log.ts";
import { type Flags, loadFlags, type Read } from "./flags.ts";
import type { Io } from "./io.ts";

export type Reloading = {
  readonly daemon: Reader;
  /** What it runs with. */
  readonly entries: readonly Entry[];
  readonly flags: Flags;
  readonly io: Io;
  readonly log: Log;
  /** What is wrong with it; nothing is applied. */
  readonly problems: (read: Read) => readonly string[];
  /** Applies it, or says what is wrong. */
  readonly apply: (read: Read) => readonly string[];
};

/** What SIGHUP does to a daemon. */
export function reloader(
  { daemon, entries, flags, io, log, problems, apply }: Reloading,
): () => void {
  let running = entries;
  const refuse = (broken: readonly string[]): void => {
    for (const says of broken) log.log("error", "reload.rejected", { says });
  };
  return () => {
    const read = loadFlags(flags, io);
    if (!read.ok) return refuse(read.problems);
    const wrong = problems(read);
    if (wrong.length > 0) return refuse(wrong);
    const changed = read.entries.filter((entry, at) =>
      differs(entry, running[at]) && concerns(daemon, entry.key.key));
    const next = reloaded(read.entries, running, io.env);
    if (!next.ok) return refuse(next.problems);
    const broken = changed.some(({ key }) => key.reload) ? apply(next) : [];
    if (broken.length > 0) return refuse(broken);
    running = next.entries;
    tellChanges(changed, log);
  };
}

function differs(entry: Entry, old: Entry | undefined): boolean {
  return JSON.stringify(entry.raw) !== JSON.stringify(old?.raw);
}

function tellChanges(changed: readonly Entry[], log: Log): void {
  const names = (reload: boolean): string =>
    changed.filter(({ key }) => key.reload === reload).map(({ key }) => key.key).join(", ");
  if (changed.length === 0) log.log("info", "reload.unchanged", {});
  if (names(true) !== "") log.log("info", "reload.applied", { keys: names(true) });
  if (names(false) !== "") log.log("warn", "reload.restart", { keys: names(false) });
}
