/**
 * `dogwatch directory`: one node in the foreground, and the signals that steer it.
 *
 * Rule 1: stdout carries one line, when the node is ready, and nothing else. Talk goes to stderr.
 * @module
 */
import { addressText } from "../adapters/address.ts";
import { createAmbient } from "../adapters/ambient.ts";
import { createLog, type Log } from "../adapters/log.ts";
import { exits } from "./exit.ts";
import { type Flags, loadFlags, tellProblems } from "./flags.ts";
import type { Io } from "./io.ts";
import { reloader } from "./reload.ts";
import { type Daemon, start } from "./run.ts";
import { sentences } from "./sentences.ts";
import { type Steering, steered } from "./steer.ts";
import { version } from "./version.ts";

/** Runs until a signal ends it; the exit code. */
export function directory(flags: Flags, io: Io): Promise<number> {
  return steered(io, (steer) => run(flags, io, steer));
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
    reload: reloader({
      daemon: "directory", entries: loaded.entries, flags, io, log, problems: () => [],
      apply: ({ settings: next }) => {
        const broken = daemon.reload(next);
        return broken === undefined ? [] : [broken];
      },
    }),
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
