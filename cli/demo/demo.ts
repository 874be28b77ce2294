/**
 * `dogwatch demo`: a node, a maker and their peers on this machine, watched live.
 *
 * Rule 1: on a terminal the view is redrawn in place; elsewhere, and on one that knows no escapes,
 * each event is a line on stdout.
 * Rule 2: Ctrl-C, SIGTERM, a terminal that closes and `--for` end it alike: peers leave, the maker
 * withdraws its offers, the node drains, nothing is left behind, exit code 0.
 * @module
 */
import { addressText, type Address } from "../../adapters/address.ts";
import { type Ambient, createAmbient } from "../../adapters/ambient.ts";
import { load, type Settings } from "../../adapters/config.ts";
import { createLog } from "../../adapters/log.ts";
import { after } from "../../core/time.ts";
import { exits } from "../exit.ts";
import { type Flags, flagSettings, tellProblems } from "../flags.ts";
import type { Io } from "../io.ts";
import { type Daemon, start } from "../run.ts";
import { sentences } from "../sentences.ts";
import { onReload, onStop } from "../signals.ts";
import { version } from "../version.ts";
import * as maker from "./maker.ts";
import type { Happening } from "./peers.ts";
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
  const ending = endingOf(io);
  try {
    const started = await start({
      settings, ambient, log, version: version(), record: flags.record,
      note: flags.dataDir !== undefined, stderr: io.err,
    });
    if (!started.ok) {
      io.err(`dogwatch: ${started.says}\n`);
      return started.exit;
    }
    const { daemon } = started;
    const opened = await inhabit(settings, daemon, ambient, io);
    if (!opened.ok) {
      io.err(`dogwatch: ${opened.says}\n`);
      daemon.stop("there is no maker");
      await daemon.ended;
      return opened.exit;
    }
    const { resident, voice } = opened;
    return await watch({
      daemon, resident, voice, ambient, seconds, isLive, isJson: flags.json === true, heard,
      ending, io,
    });
  } finally {
    ending.undo();
  }
}

/** What asks the demo to end, be it before there is one. */
type Ending = { isAsked: boolean; end: () => void; readonly undo: () => void };

function endingOf(io: Io): Ending {
  const ask = (): void => {
    ending.isAsked = true;
    ending.end();
  };
  const undo = [onStop(ask, io), onReload(ask)];
  const ending: Ending = {
    isAsked: false, end: nothing, undo: () => {
      for (const each of undo) each();
    },
  };
  return ending;
}

/** Who hears what the maker and its chain tell; until there is a world, it is kept. */
type Voice = { tell: (happening: Happening) => void; readonly kept: Happening[] };

type Inhabited =
  | { readonly ok: true; readonly resident: maker.DemoMaker | undefined; readonly voice: Voice }
  | Extract<maker.Opened, { ok: false }>;

async function inhabit(
  settings: Settings, daemon: Daemon, ambient: Ambient, io: Io,
): Promise<Inhabited> {
  const kept: Happening[] = [];
  const voice: Voice = { kept, tell: (happening) => void kept.push(happening) };
  const [address] = daemon.listen;
  if (settings.network !== "regtest" || address === undefined) {
    const text = "there is no maker in this world: its stand-in chain is of regtest";
    voice.tell({ kind: "log", peer: maker.name, nick: "", text });
    return { ok: true, resident: undefined, voice };
  }
  const opened = await maker.open({
    settings, ambient, address, version: version(), env: io.env, stderr: io.err,
    tell: (happening) => voice.tell(happening),
  });
  return opened.ok ? { ok: true, resident: opened.maker, voice } : opened;
}

type Stage = {
  readonly daemon: Daemon;
  readonly resident: maker.DemoMaker | undefined;
  readonly voice: Voice;
  readonly ambient: Ambient;
  readonly seconds: number | undefined;
  readonly isLive: boolean;
  readonly isJson: boolean;
  /** Who hears lines of the log. */
  readonly heard: { say: (line: string) => void };
  readonly ending: Ending;
  readonly io: Io;
};

async function watch(stage: Stage): Promise<number> {
  const { daemon, resident, voice, ambient, seconds, isLive, isJson, ending, io } = stage;
  const show = isLive ? nothing : teller(isJson, io);
  const listen = daemon.listen.map(addressText).join(", ");
  const pages = [daemon.http, ...(resident === undefined ? [] : [resident.http])].map(pageText);
  if (!isLive) io.out(readyText(listen, pages, isJson));
  const play = world.open(daemon, resident, ambient, show);
  if (isLive) stage.heard.say = (line) => play.say(line.trim());
  voice.tell = play.tell;
  for (const happening of voice.kept.splice(0)) play.tell(happening);
  resident?.play();
  const screen = isLive ? liveScreen(play, listen, pages, io) : undefined;
  const ticking = ambient.every(lookMs, () => {
    play.look();
    screen?.();
  });
  const end = (): void => {
    play.stop();
    if (resident === undefined) return daemon.stop(why);
    resident.stop(why);
  };
  const timer = ambient.timer(end);
  if (seconds !== undefined) timer.arm(after(ambient.now(), Math.round(seconds * 1_000)));
  ending.end = end;
  if (ending.isAsked) end();
  const code = await endOf(daemon, resident, end);
  timer.disarm();
  ticking();
  play.stop();
  if (isLive) io.out("\nThe demo has ended.\n");
  return code;
}

const why = "end of the demo";

/**
 * The exit code, when all have ended: the maker leaves before the node does. One that ends by
 * itself takes the other along.
 */
async function endOf(
  daemon: Daemon, resident: maker.DemoMaker | undefined, end: () => void,
): Promise<number> {
  if (resident === undefined) return daemon.ended;
  void daemon.ended.then(end);
  const code = await resident.ended;
  daemon.stop(why);
  const other = await daemon.ended;
  return code === exits.ok ? other : code;
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

function readyText(
  listen: string, [page = "", makerPage]: readonly string[], isJson: boolean,
): string {
  if (isJson) {
    return `${JSON.stringify({ event: "demo.ready", listen, page, maker: makerPage ?? null })}\n`;
  }
  const beside = makerPage === undefined ? "" : `  and the maker's: ${makerPage}`;
  return `Dogwatch demo. Status page: ${page}${beside}  Peers connect to ${listen}. ` +
    "Ctrl-C ends it.\n";
}

/**
 * Redraws in place: up over the last frame, each line cleared behind its text, the rest below too.
 */
function liveScreen(
  play: world.Demo, listen: string, pages: readonly string[], io: Io,
): () => void {
  let drawn = 0;
  return () => {
    // Some terminals do not know their size and say 0.
    const columns = process.stdout.columns || 80;
    const rows = process.stdout.rows || 24;
    const isColoured = (io.env["NO_COLOR"] ?? "") === "";
    const lines = render(play.scene(), { columns, rows, isColoured, listen, pages });
    const up = drawn > 0 ? `\x1b[${drawn}A` : "";
    io.out(`${up}\r${lines.map((line) => `${line}\x1b[K`).join("\n")}\n\x1b[J`);
    drawn = lines.length;
  };
}
