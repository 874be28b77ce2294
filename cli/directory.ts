/**
 * `dogwatch directory`: one node in the foreground, and the signals that steer it.
 *
 * Rule 1: stdout carries one line, when the node is ready, and nothing else. Talk goes to stderr.
 * @module
 */
import { addressText } from "../adapters/address.ts";
import { createAmbient } from "../adapters/ambient.ts";
import type { Entry } from "../adapters/config.ts";
import { createLog, type Log } from "../adapters/log.ts";
import { exits } from "./exit.ts";
import { type Flags, loadFlags, tellProblems } from "./flags.ts";
import type { Io } from "./io.ts";
import { type Daemon, start } from "./run.ts";
import { sentences } from "./sentences.ts";
import { onReload, onStop } from "./signals.ts";
import { version } from "./version.ts";

/** Runs until a signal ends it; the exit code. */
export async function directory(flags: Flags, io: Io): Promise<number> {
  const loaded = loadFlags(flags, io);
  if (!loaded.ok) {
    tellProblems(io, loaded.problems);
    return exits.usage;
  }
  const { settings } = loaded;
  const ambient = createAmbient();
  const log = createLog({
    ambient,
    level: settings.directory.logLevel,
    format: flags.json === true ? "json" : settings.logFormat,
    isTerminal: process.stderr.isTTY,
    sentences,
  });
  const { record } = flags;
  const started = await start({
    settings, ambient, log, version: version(), record, note: true, stderr: io.err,
  });
  if (!started.ok) {
    io.err(`dogwatch: ${started.says}\n`);
    return started.exit;
  }
  return serve(started.daemon, loaded.entries, flags, io, log);
}

async function serve(
  daemon: Daemon,
  entries: readonly Entry[],
  flags: Flags,
  io: Io,
  log: Log,
): Promise<number> {
  const undo = [
    onStop((signal) => daemon.stop(signal), io),
    onReload(reloader(daemon, entries, flags, io, log)),
  ];
  const [first, ...others] = daemon.listen.map(addressText);
  const http = addressText(daemon.http);
  const listen = others.length === 0 ? first : [first, ...others];
  io.out(`${JSON.stringify({ event: "directory.ready", listen, http })}\n`);
  log.log("info", "run.ready", { listen: [first, ...others].join(", "), http });
  const code = await daemon.ended;
  for (const each of undo) each();
  return code;
}

/**
 * Reads the configuration again and applies what it may; keeps the old one whole if the new one is
 * wrong.
 */
function reloader(
  daemon: Daemon,
  initial: readonly Entry[],
  flags: Flags,
  io: Io,
  log: Log,
): () => void {
  let running = initial;
  return () => {
    const loaded = loadFlags(flags, io);
    if (!loaded.ok) {
      for (const says of loaded.problems) log.log("error", "reload.rejected", { says });
      return;
    }
    const changed = loaded.entries.filter((entry, at) => differs(entry, running[at]));
    const broken = changed.length === 0 ? undefined : daemon.reload(loaded.settings);
    if (broken !== undefined) return log.log("error", "reload.rejected", { says: broken });
    running = running.map((old, at) => (old.key.reload ? (loaded.entries[at] ?? old) : old));
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
