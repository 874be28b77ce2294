/**
 * A daemon with a folder of its own in the foreground, and the signals that steer it.
 *
 * Rule 1: stdout carries one line, when the daemon runs, and nothing else. Talk goes to stderr.
 * Rule 2: a daemon runs on when nobody reads that line, and says so in its log.
 * Rule 3: SIGHUP applies what may change while it runs, SIGUSR2 has it look at what it watches.
 * @module
 */
import { createAmbient } from "../adapters/ambient.ts";
import { createLog, type Log, type Sentences } from "../adapters/log.ts";
import type { LogLevel } from "../core/kernel/io.ts";
import { exits } from "./exit.ts";
import { type Flags, loadFlags, type Made, type Read, tellProblems } from "./flags.ts";
import type { Io } from "./io.ts";
import { reloader } from "./reload.ts";
import type { RunOptions, Started } from "./run-locked.ts";
import { folderOf } from "./runtime.ts";
import { type Steering, steered } from "./steer.ts";
import { version } from "./version.ts";

/** What one kind of daemon has of its own. */
export type Kind<Settings, Daemon> = {
  readonly name: "maker" | "ark";
  readonly settingsIn: (read: Read, io: Io) => Made<Settings>;
  readonly sentences: Sentences;
  readonly start: (options: RunOptions<Settings>) => Promise<Started<Daemon>>;
  /** Writes the line that says that it runs. */
  readonly tellReady: (daemon: Daemon, io: Io, log: Log) => void;
  /** What SIGUSR2 does. */
  readonly look: (daemon: Daemon) => void;
};

type Logged = { readonly config: { readonly logLevel: LogLevel } };
type Steerable<Settings> = {
  readonly reload: (settings: Settings) => void;
  readonly stop: (signal: string) => void;
  readonly ended: Promise<number>;
};

/** Runs until a signal ends it; the exit code. */
export function foreground<Settings extends Logged, Daemon extends Steerable<Settings>>(
  kind: Kind<Settings, Daemon>, flags: Flags, io: Io,
): Promise<number> {
  return steered(io, (steer) => run(kind, flags, io, steer));
}

/** From the flags to the exit code. `steer` is called once, when there is a daemon to steer. */
async function run<Settings extends Logged, Daemon extends Steerable<Settings>>(
  kind: Kind<Settings, Daemon>, flags: Flags, io: Io, steer: (steering: Steering) => void,
): Promise<number> {
  const read = loadFlags(flags, io);
  if (!read.ok) return refuse(read.problems, io);
  const made = kind.settingsIn(read, io);
  if (!made.ok) return refuse(made.problems, io);
  const { settings } = made;
  const { logFormat, dataDir } = read.settings;
  const ambient = createAmbient();
  const log = createLog({
    ambient, level: settings.config.logLevel, format: flags.json === true ? "json" : logFormat,
    isTerminal: process.stderr.isTTY, sentences: kind.sentences,
  });
  const started = await kind.start({
    settings, folder: folderOf(dataDir, kind.name), ambient, log, version: version(),
    env: io.env, stderr: io.err,
  });
  if (!started.ok) {
    io.err(`dogwatch: ${started.says}\n`);
    return started.exit;
  }
  const { daemon } = started;
  io.onLost?.((says) => log.log("warn", "run.ready-lost", { says }));
  kind.tellReady(daemon, io, log);
  steer(steeringOf(kind, daemon, read, flags, io, log));
  return await daemon.ended;
}

function refuse(problems: readonly string[], io: Io): number {
  tellProblems(io, problems);
  return exits.usage;
}

function steeringOf<Settings, Daemon extends Steerable<Settings>>(
  { name, settingsIn, look }: Kind<Settings, Daemon>, daemon: Daemon, { entries }: Read,
  flags: Flags, io: Io, log: Log,
): Steering {
  const problems = (next: Read): readonly string[] => {
    const made = settingsIn(next, io);
    return made.ok ? [] : made.problems;
  };
  const apply = (next: Read): readonly string[] => {
    const made = settingsIn(next, io);
    if (!made.ok) return made.problems;
    daemon.reload(made.settings);
    return [];
  };
  return {
    stop: daemon.stop,
    reload: reloader({ daemon: name, entries, flags, io, log, problems, apply }),
    look: () => look(daemon),
  };
}
