/**
 * `dogwatch demo`: a node, a maker, Ark wallets and peers on this machine, watched live.
 *
 * Rule 1: on a terminal the view is redrawn in place; elsewhere, and on one that knows no escapes,
 * each event is a line on stdout.
 * Rule 2: Ctrl-C, SIGTERM, a terminal that closes and `--for` end it alike: peers leave, the maker
 * withdraws its offers, the wallets' daemon asks nothing more, the node drains, nothing is left
 * behind, exit code 0.
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
import type { Resident } from "./housed.ts";
import * as maker from "./maker.ts";
import type { Happening } from "./peers.ts";
import { eventText, type Pages, render } from "./view.ts";
import * as wallets from "./wallets.ts";
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
      daemon.stop("somebody is missing");
      await daemon.ended;
      return opened.exit;
    }
    const { cast, voice } = opened;
    return await watch({
      daemon, cast, voice, ambient, seconds, isLive, isJson: flags.json === true, heard, ending,
      io,
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

/** Who hears what residents and their worlds tell; until there is a world, it is kept. */
type Voice = { tell: (happening: Happening) => void; readonly kept: Happening[] };

type Inhabited =
  | { readonly ok: true; readonly cast: world.Cast; readonly voice: Voice }
  | { readonly ok: false; readonly exit: number; readonly says: string };

async function inhabit(
  settings: Settings, daemon: Daemon, ambient: Ambient, io: Io,
): Promise<Inhabited> {
  const kept: Happening[] = [];
  const voice: Voice = { kept, tell: (happening) => void kept.push(happening) };
  const [address] = daemon.listen;
  if (settings.network !== "regtest" || address === undefined) {
    const text = "there is no maker and no Ark in this world: the stand-in chains are of regtest";
    voice.tell({ kind: "log", peer: maker.name, nick: "", text });
    return { ok: true, cast: {}, voice };
  }
  const common = {
    settings, ambient, version: version(), env: io.env, stderr: io.err,
    tell: (happening: Happening) => voice.tell(happening),
  };
  const opened = await maker.open({ ...common, address });
  if (!opened.ok) return opened;
  const beatMs = settings.parsed.directory.heartbeat.idle_threshold_sec;
  const other = await wallets.open({ ...common, beatMs });
  if (!other.ok) {
    opened.resident.stop(why);
    await opened.resident.ended;
    return other;
  }
  return { ok: true, cast: { maker: opened.resident, ark: other.resident }, voice };
}

/** The maker before the others: it has something to withdraw. */
function residentsOf({ maker: first, ark }: world.Cast): readonly Resident[] {
  return [first, ark].filter((one) => one !== undefined);
}

type Stage = {
  readonly daemon: Daemon;
  readonly cast: world.Cast;
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
  const { daemon, cast, voice, ambient, seconds, isLive, isJson, ending, io } = stage;
  const show = isLive ? nothing : teller(isJson, io);
  const listen = daemon.listen.map(addressText).join(", ");
  const residents = residentsOf(cast);
  const pages: Pages = {
    directory: pageText(daemon.http), maker: cast.maker && pageText(cast.maker.http),
    ark: cast.ark && pageText(cast.ark.http),
  };
  if (!isLive) io.out(readyText(listen, pages, isJson));
  const play = world.open(daemon, cast, ambient, show);
  if (isLive) stage.heard.say = (line) => play.say(line.trim());
  voice.tell = play.tell;
  for (const happening of voice.kept.splice(0)) play.tell(happening);
  for (const one of residents) one.play();
  const screen = isLive ? liveScreen(play, listen, pages, io) : undefined;
  const ticking = ambient.every(lookMs, () => {
    play.look();
    screen?.();
  });
  const end = (): void => {
    play.stop();
    if (residents.length === 0) return daemon.stop(why);
    for (const one of residents) one.stop(why);
  };
  const timer = ambient.timer(end);
  if (seconds !== undefined) timer.arm(after(ambient.now(), Math.round(seconds * 1_000)));
  ending.end = end;
  if (ending.isAsked) end();
  const code = await endOf(daemon, residents, end);
  timer.disarm();
  ticking();
  play.stop();
  if (isLive) io.out("\nThe demo has ended.\n");
  return code;
}

const why = "end of the demo";

/**
 * The exit code, when all have ended: the others leave before the node does. One that ends by
 * itself takes the others along.
 */
async function endOf(
  daemon: Daemon, residents: readonly Resident[], end: () => void,
): Promise<number> {
  if (residents.length === 0) return daemon.ended;
  for (const { ended } of [daemon, ...residents]) void ended.then(end);
  const codes = await Promise.all(residents.map(({ ended }) => ended));
  daemon.stop(why);
  codes.push(await daemon.ended);
  return codes.find((code) => code !== exits.ok) ?? exits.ok;
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

function readyText(listen: string, pages: Pages, isJson: boolean): string {
  const { directory: page, maker: makers = null, ark = null } = pages;
  if (isJson) {
    return `${JSON.stringify({ event: "demo.ready", listen, page, maker: makers, ark })}\n`;
  }
  const beside = makers === null ? "" : `  and the maker's: ${makers}`;
  const last = ark === null ? "" : `  and the Ark wallets': ${ark}`;
  return `Dogwatch demo. Status page: ${page}${beside}${last}  Peers connect to ${listen}. ` +
    "Ctrl-C ends it.\n";
}

/**
 * Redraws in place: up over the last frame, each line cleared behind its text, the rest below too.
 */
function liveScreen(
  play: world.Demo, listen: string, pages: Pages, io: Io,
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
