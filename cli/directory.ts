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
import { takeEarlyReload } from "./early.ts";
import { exits } from "./exit.ts";
import { type Flags, loadFlags, tellProblems } from "./flags.ts";
import type { Io } from "./io.ts";
import { type Daemon, start } from "./run.ts";
import { sentences } from "./sentences.ts";
import { onReload, onStop } from "./signals.ts";
import { version } from "./version.ts";

/** What the signals do. Until the daemon runs, they are remembered. */
type Steering = { stop: (signal: string) => void; reload: () => void };

/** Runs until a signal ends it; the exit code. */
export async function directory(flags: Flags, io: Io): Promise<number> {
  const early: { signal: string | undefined; reload: boolean } = {
    signal: undefined, reload: false,
  };
  const steering: Steering = {
    stop: (signal) => (early.signal = signal),
    reload: () => (early.reload = true),
  };
  // Without these, a SIGHUP that comes while the daemon starts would end it.
  const undo = [
    onStop((signal) => steering.stop(signal), io),
    onReload(() => steering.reload()),
  ];
  if (takeEarlyReload()) early.reload = true;
  try {
    return await run(flags, io, (chosen) => {
      Object.assign(steering, chosen);
      if (early.reload) steering.reload();
      if (early.signal !== undefined) steering.stop(early.signal);
    });
  } finally {
    for (const each of undo) each();
  }
}

/** From the flags to the exit code. `steer` is called once, when there is a daemon to steer. */
async function run(flags: Flags, io: Io, steer: (steering: Steering) => void): Promise<number> {
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
  const { daemon } = started;
  io.onLost?.((says) => log.log("warn", "run.ready-lost", { says }));
  tellReady(daemon, io, log);
  steer({
    stop: (signal) => daemon.stop(signal),
    reload: reloader(daemon, loaded.entries, flags, io, log),
  });
  return daemon.ended;
}

function tellReady(daemon: Daemon, io: Io, log: Log): void {
  const [first, ...others] = daemon.listen.map(addressText);
  const http = addressText(daemon.http);
  const listen = others.length === 0 ? first : [first, ...others];
  io.out(`${JSON.stringify({ event: "directory.ready", listen, http })}\n`);
  log.log("info", "run.ready", { listen: [first, ...others].join(", "), http });
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
