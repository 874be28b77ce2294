/**
 * `dogwatch ark`: the daemon of Ark wallets in the foreground, and the signals that steer it; and
 * `dogwatch ark plan`, which asks the one that runs.
 *
 * Rule 1: stdout carries one line, when the daemon runs, and nothing else. Talk goes to stderr.
 * Rule 2: SIGHUP applies what may change while it runs, SIGUSR2 takes what the operator trusts and
 * looks at all wallets now.
 * @module
 */
import { addressText } from "../adapters/address.ts";
import { createAmbient } from "../adapters/ambient.ts";
import { getJson } from "../adapters/http.ts";
import { cleanText, createLog, type Log } from "../adapters/log.ts";
import { plansIn, plansText } from "./ark-plan.ts";
import { exits } from "./exit.ts";
import { arkIn, type Flags, loadArk, type Read, tellProblems } from "./flags.ts";
import { arkFolder } from "./history-file.ts";
import type { Io } from "./io.ts";
import { reloader } from "./reload.ts";
import { type ArkDaemon, start } from "./run-ark.ts";
import { sentences } from "./sentences-ark.ts";
import { chosen, loadAsking } from "./status.ts";
import { type Steering, steered } from "./steer.ts";
import { version } from "./version.ts";

/** Runs until a signal ends it; the exit code. */
export function ark(flags: Flags, io: Io): Promise<number> {
  return steered(io, (steer) => run(flags, io, steer));
}

/** From the flags to the exit code. `steer` is called once, when there is a daemon to steer. */
async function run(flags: Flags, io: Io, steer: (steering: Steering) => void): Promise<number> {
  const loaded = loadArk(flags, io);
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
  let daemon: ArkDaemon | undefined;
  // Heard from the beginning: unheard, it would end the process.
  const look = (): void => daemon?.look();
  process.on("SIGUSR2", look);
  try {
    const started = await start({
      settings, folder: arkFolder(dataDir), ambient, log, version: version(), env: io.env,
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

function tellReady(daemon: ArkDaemon, io: Io, log: Log): void {
  const http = addressText(daemon.http);
  const wallets = daemon.status().total;
  io.out(`${JSON.stringify({ event: "ark.ready", wallets, http })}\n`);
  log.log("info", "run.ark-ready", { wallets, http });
}

function steeringOf(
  daemon: ArkDaemon, read: Read, flags: Flags, io: Io, log: Log,
): Steering {
  const problems = (next: Read): readonly string[] => {
    const made = arkIn(next, io);
    return made.ok ? [] : made.problems;
  };
  const apply = (next: Read): readonly string[] => {
    const made = arkIn(next, io);
    if (!made.ok) return made.problems;
    daemon.reload(made.settings);
    return [];
  };
  const { entries } = read;
  return {
    stop: daemon.stop,
    reload: reloader({ daemon: "ark", entries, flags, io, log, problems, apply }),
  };
}

/** A thousand wallets' plans take a moment to write down. */
const answerMsMax = 10_000;

/** Prints what is planned for each VTXO, of the named wallet or of all. */
export async function plan(
  wallet: string | undefined, flags: Flags, io: Io,
): Promise<number> {
  const loaded = loadAsking(flags, io);
  if (!loaded.ok) {
    tellProblems(io, loaded.problems);
    return exits.usage;
  }
  const at = flags.http === undefined ? chosen(loaded, "ark") : loaded.settings.http;
  const asked = await getJson(at, "/plan", answerMsMax, createAmbient());
  const plans = asked.ok ? plansIn(asked.code, asked.body) : undefined;
  if (plans === undefined) {
    const why = asked.ok ? "it answers, but not as this daemon" : cleanText(asked.text);
    io.err(`dogwatch: no daemon of Ark wallets answers at ${addressText(at)} (${why}); is it ` +
      "running? Name its address with --http, or its --data-dir or --config\n");
    return exits.unreachable;
  }
  const wallets = plans.wallets.filter((one) => wallet === undefined || one.wallet === wallet);
  if (wallet !== undefined && wallets.length === 0) {
    const names = plans.wallets.map((one) => cleanText(one.wallet)).join(", ");
    io.err(`dogwatch: no wallet ${cleanText(wallet)}; there is ${names}\n`);
    return exits.usage;
  }
  const shown = { ...plans, wallets };
  io.out(flags.json === true ? `${JSON.stringify(shown)}\n` : plansText(shown));
  return exits.ok;
}
