/**
 * `dogwatch demo`: a node and its peers on this machine, watched live.
 *
 * Rule 1: on a terminal the view is redrawn in place; elsewhere, and on one that knows no escapes,
 * each event is a line on stdout.
 * Rule 2: Ctrl-C, SIGTERM and `--for` end it alike: peers leave, the node drains, exit code 0.
 * @module
 */
import { addressText, type Address } from "../../adapters/address.ts";
import { type Ambient, createAmbient } from "../../adapters/ambient.ts";
import { load } from "../../adapters/config.ts";
import { createLog } from "../../adapters/log.ts";
import { after } from "../../core/time.ts";
import { exits } from "../exit.ts";
import { type Flags, flagSettings, tellProblems } from "../flags.ts";
import type { Io } from "../io.ts";
import { type Daemon, start } from "../run.ts";
import { sentences } from "../sentences.ts";
import { onStop } from "../signals.ts";
import { version } from "../version.ts";
import { eventText, render } from "./view.ts";
import * as world from "./world.ts";

type DemoFlags = Flags & { readonly for?: string };

const lookMs = 250;
const secondsMax = 86_400;

/** Runs until it is ended; the exit code. */
export async function demo(flags: DemoFlags, io: Io): Promise<number> {
  const seconds = flags.for === undefined ? undefined : Number(flags.for);
  if (seconds !== undefined && !(seconds > 0 && seconds <= secondsMax)) {
    io.err(`dogwatch: --for ${flags.for}: expected seconds, more than 0 and up to ${secondsMax}\n`);
    return exits.usage;
  }
  // The files of a real node are not for the demo: only one that is named is read.
  const loaded = load({
    file: flags.config, env: io.env, flags: flagSettings(flags), preset: world.preset(),
  });
  if (!loaded.ok) {
    tellProblems(io, loaded.problems);
    return exits.usage;
  }
  const { settings } = loaded;
  const ambient = createAmbient();
  const isLive = process.stdout.isTTY && flags.json !== true && io.env["TERM"] !== "dumb";
  // On the live view a line of the log is one more thing that happened.
  const heard = { say: (line: string): void => io.err(line) };
  const log = createLog({
    ambient, level: settings.directory.logLevel,
    format: isLive ? "pretty" : settings.logFormat,
    isTerminal: process.stderr.isTTY, sentences,
    ...(isLive ? { write: (line: string) => heard.say(line) } : {}),
  });
  const started = await start({
    settings, ambient, log, version: version(), record: flags.record,
    note: flags.dataDir !== undefined, stderr: io.err,
  });
  if (!started.ok) {
    io.err(`dogwatch: ${started.says}\n`);
    return started.exit;
  }
  const stage: Stage = {
    daemon: started.daemon, ambient, seconds, isLive, isJson: flags.json === true, heard, io,
  };
  return watch(stage);
}

type Stage = {
  readonly daemon: Daemon;
  readonly ambient: Ambient;
  readonly seconds: number | undefined;
  readonly isLive: boolean;
  readonly isJson: boolean;
  /** Who hears lines of the log. */
  readonly heard: { say: (line: string) => void };
  readonly io: Io;
};

async function watch(stage: Stage): Promise<number> {
  const { daemon, ambient, seconds, isLive, isJson, io } = stage;
  const show = isLive ? nothing : teller(isJson, io);
  const listen = daemon.listen.map(addressText).join(", ");
  const page = pageText(daemon.http);
  if (!isLive) io.out(readyText(listen, page, isJson));
  const play = world.open(daemon, ambient, show);
  if (isLive) stage.heard.say = (line) => play.say(line.trim());
  const screen = isLive ? liveScreen(play, listen, page, io) : undefined;
  const ticking = ambient.every(lookMs, () => {
    play.look();
    screen?.();
  });
  const end = (): void => {
    play.stop();
    daemon.stop("end of the demo");
  };
  const timer = ambient.timer(end);
  if (seconds !== undefined) timer.arm(after(ambient.now(), Math.round(seconds * 1_000)));
  const undo = onStop(end, io);
  const code = await daemon.ended;
  timer.disarm();
  ticking();
  undo();
  play.stop();
  if (isLive) io.out("\nThe demo has ended.\n");
  return code;
}

function nothing(): void {}

function pageText(http: Address): string {
  return http.kind === "tcp" ? `http://${addressText(http)}/` : addressText(http);
}

function teller(isJson: boolean, io: Io): (event: world.Event) => void {
  return (event) => {
    const { atMs, kind, peer, nick, text } = event;
    const line = { event: `demo.${kind}`, atMs, peer, nick, text };
    io.out(isJson ? `${JSON.stringify(line)}\n` : `${eventText(event)}\n`);
  };
}

function readyText(listen: string, page: string, isJson: boolean): string {
  if (isJson) return `${JSON.stringify({ event: "demo.ready", listen, page })}\n`;
  return `Dogwatch demo. Status page: ${page}  Peers connect to ${listen}. Ctrl-C ends it.\n`;
}

/**
 * Redraws in place: up over the last frame, each line cleared behind its text, the rest below too.
 */
function liveScreen(play: world.Demo, listen: string, http: string, io: Io): () => void {
  let drawn = 0;
  return () => {
    // Some terminals do not know their size and say 0.
    const columns = process.stdout.columns || 80;
    const rows = process.stdout.rows || 24;
    const isColoured = (io.env["NO_COLOR"] ?? "") === "";
    const lines = render(play.scene(), { columns, rows, isColoured, listen, http });
    const up = drawn > 0 ? `\x1b[${drawn}A` : "";
    io.out(`${up}\r${lines.map((line) => `${line}\x1b[K`).join("\n")}\n\x1b[J`);
    drawn = lines.length;
  };
}
