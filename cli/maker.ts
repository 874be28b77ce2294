/**
 * `dogwatch maker`: one maker in the foreground, and the signals that steer it.
 *
 * Rule 1: stdout carries one line, when the maker runs, and nothing else. Talk goes to stderr.
 * Rule 2: SIGHUP applies what may change while it runs, SIGUSR2 looks at the coins now.
 * @module
 */
import { addressText } from "../adapters/address.ts";
import { createAmbient } from "../adapters/ambient.ts";
import { relationText } from "../adapters/config.ts";
import { makerOf, type MakerSettings } from "../adapters/config/maker-settings.ts";
import { createLog, type Log } from "../adapters/log.ts";
import { takeEarlyReload } from "./early.ts";
import { exits } from "./exit.ts";
import { type Flags, loadFlags, tellProblems } from "./flags.ts";
import { makerFolder } from "./history-file.ts";
import type { Io } from "./io.ts";
import { type MakerDaemon, start } from "./run-maker.ts";
import { sentences } from "./sentences-maker.ts";
import { onReload, onStop } from "./signals.ts";
import { version } from "./version.ts";

export type MakerRead =
  | {
    readonly ok: true; readonly settings: MakerSettings; readonly folder: string;
    readonly format: "auto" | "json" | "pretty";
  }
  | { readonly ok: false; readonly problems: readonly string[] };

/** A maker's settings from file, environment and flags, or everything that is wrong with them. */
export function readMaker(flags: Flags, io: Io): MakerRead {
  const loaded = loadFlags(flags, io);
  if (!loaded.ok) return loaded;
  const { settings, entries } = loaded;
  const made = makerOf(settings.parsed, io.env);
  if (made.ok) {
    const { logFormat: format, dataDir } = settings;
    return { ok: true, settings: made.settings, folder: makerFolder(dataDir), format };
  }
  const problems = made.broken.map(({ keys, says }) => relationText(entries, keys, says));
  return { ok: false, problems };
}

export { makerFolder } from "./history-file.ts";

/** Runs until a signal ends it; the exit code. */
export async function maker(flags: Flags, io: Io): Promise<number> {
  const read = readMaker(flags, io);
  if (!read.ok) {
    tellProblems(io, read.problems);
    return exits.usage;
  }
  const { settings, folder } = read;
  const ambient = createAmbient();
  const log = createLog({
    ambient, level: settings.config.logLevel, format: flags.json === true ? "json" : read.format,
    isTerminal: process.stderr.isTTY, sentences,
  });
  const early: { signal?: string } = {};
  let steer: MakerDaemon | undefined;
  const undo = [
    onStop((signal) => (steer === undefined ? (early.signal = signal) : steer.stop(signal)), io),
    onReload(() => (steer === undefined ? undefined : reload(steer, flags, io, log))),
  ];
  const look = (): void => steer?.rescan();
  process.on("SIGUSR2", look);
  takeEarlyReload();
  try {
    const started = await start({
      settings, folder, ambient, log, version: version(), env: io.env, stderr: io.err,
    });
    if (!started.ok) {
      io.err(`dogwatch: ${started.says}\n`);
      return started.exit;
    }
    steer = started.daemon;
    tellReady(steer, io, log);
    if (early.signal !== undefined) steer.stop(early.signal);
    return await steer.ended;
  } finally {
    for (const each of undo) each();
    process.off("SIGUSR2", look);
  }
}

function tellReady(daemon: MakerDaemon, io: Io, log: Log): void {
  const http = addressText(daemon.http);
  const { nick } = daemon.status();
  const listen = daemon.listen === undefined ? null : addressText(daemon.listen);
  io.out(`${JSON.stringify({ event: "maker.ready", nick, http, listen })}\n`);
  log.log("info", "run.maker-ready", { nick, http });
}

/** Reads the configuration again; the old one stays whole if the new one is wrong. */
function reload(daemon: MakerDaemon, flags: Flags, io: Io, log: Log): void {
  const read = readMaker(flags, io);
  if (!read.ok) {
    for (const says of read.problems) log.log("error", "reload.rejected", { says });
    return;
  }
  daemon.reload(read.settings);
  log.log("info", "reload.applied", {
    keys: "directories, offers, limits, notices, reports and the log level",
  });
}
