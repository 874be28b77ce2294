/**
 * `dogwatch maker`: one maker in the foreground, and the signals that steer it.
 *
 * Rule 1: stdout carries one line, when the maker runs, and nothing else. Talk goes to stderr.
 * Rule 2: SIGHUP applies what may change while it runs, SIGUSR2 looks at the coins now.
 * @module
 */
import { addressText } from "../adapters/address.ts";
import { createAmbient } from "../adapters/ambient.ts";
import { createLog, type Log } from "../adapters/log.ts";
import { exits } from "./exit.ts";
import { type Flags, loadMaker, makerIn, type Read, tellProblems } from "./flags.ts";
import { makerFolder } from "./history-file.ts";
import type { Io } from "./io.ts";
import { reloader } from "./reload.ts";
import { type MakerDaemon, start } from "./run-maker.ts";
import { sentences } from "./sentences-maker.ts";
import { type Steering, steered } from "./steer.ts";
import { version } from "./version.ts";

/** Runs until a signal ends it; the exit code. */
export function maker(flags: Flags, io: Io): Promise<number> {
  return steered(io, (steer) => run(flags, io, steer));
}

/** From the flags to the exit code. `steer` is called once, when there is a daemon to steer. */
async function run(flags: Flags, io: Io, steer: (steering: Steering) => void): Promise<number> {
  const loaded = loadMaker(flags, io);
  if (!loaded.ok) {
    tellProblems(io, loaded.problems);
    return exits.usage;
  }
  const { settings, read } = loaded;
  const { logFormat, dataDir } = read.settings;
  const ambient = createAmbient();
  const log = createLog({
    ambient, level: settings.config.logLevel, format: flags.json === true ? "json" : logFormat,
    isTerminal: process.stderr.isTTY, sentences,
  });
  let daemon: MakerDaemon | undefined;
  // Heard from the beginning: unheard, it would end the process.
  const look = (): void => daemon?.rescan();
  process.on("SIGUSR2", look);
  try {
    const started = await start({
      settings, folder: makerFolder(dataDir), ambient, log, version: version(), env: io.env,
      stderr: io.err,
    });
    if (!started.ok) {
      io.err(`dogwatch: ${started.says}\n`);
      return started.exit;
    }
    daemon = started.daemon;
    tellReady(daemon, io, log);
    steer(steeringOf(daemon, read, flags, io, log));
    return await daemon.ended;
  } finally {
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

function steeringOf(
  daemon: MakerDaemon, read: Read, flags: Flags, io: Io, log: Log,
): Steering {
  const problems = (next: Read): readonly string[] => {
    const made = makerIn(next, io);
    return made.ok ? [] : made.problems;
  };
  const apply = (next: Read): readonly string[] => {
    const made = makerIn(next, io);
    if (!made.ok) return made.problems;
    daemon.reload(made.settings);
    return [];
  };
  const { entries } = read;
  return {
    stop: daemon.stop,
    reload: reloader({ daemon: "maker", entries, flags, io, log, problems, apply }),
  };
}
