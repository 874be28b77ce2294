/**
 * `dogwatch sim replay`: exactly the same run again, and a look at any step of it.
 *
 * Rule 1: without a terminal and without commands it only runs and compares: the digest with that
 * of the file, the finding with the one that was kept.
 * Rule 2: the same words work typed, from `--command`, and from a pipe.
 * @module
 */
import { createInterface } from "node:readline";
import { parseTime } from "../../sim/words.ts";
import { exits } from "../exit.ts";
import type { Io } from "../io.ts";
import { drawField, drawPictures, type Drawn, exitWith, wantsAny } from "./draw.ts";
import { type Engine, engineOf } from "./engine.ts";
import { fieldOf } from "./field.ts";
import { type Film, filmOf } from "./film.ts";
import { misused, read, type Settings, type SimFlags } from "./flags.ts";
import { createRepl, proceed, readBreak, type Repl, say, whereText } from "./repl.ts";
import { pictureName } from "./run.ts";
import { type Subject, subjectOf } from "./subject.ts";
import { traceKind, traceTo } from "./tracing.ts";
import { exitOf, lastLine } from "./verdict.ts";

export type ReplayFlags = SimFlags & {
  readonly from?: string;
  readonly until?: string;
  readonly break?: readonly string[];
  readonly command?: readonly string[];
  readonly trace?: string;
};

/** Replays; the exit code. */
export async function replay(
  given: string | undefined, flags: ReplayFlags, io: Io,
): Promise<number> {
  const settings = read(flags, io);
  if (settings === undefined) return exits.usage;
  const { from, ...rest } = flags;
  if (from !== undefined && !/^#?[0-9]+$/.test(from)) {
    return fieldReplay(from, rest, settings, io);
  }
  if (given === undefined) return misused(io, "name a file, a seed or a recorded trace");
  if (traceKind(given) === "recorded") return fieldReplay(given, flags, settings, io);
  const engine = await engineOf(settings.lib);
  const subject = subjectOf(given, settings, engine, io);
  if (subject === undefined) return exits.usage;
  if (!isLooking(flags, settings)) return again(engine, subject, flags, settings, io);
  if (flags.trace !== undefined) {
    const so = "without --from, --until, --break and --command";
    return misused(io, `--trace ${flags.trace}: a whole run is written, ${so}`);
  }
  const drawn = pictures(subject, settings, io);
  io.out(pictureLines(drawn));
  return exitWith(await look(filmOf(engine, subject.scenario, settings.options), flags, io), drawn);
}

/** Does somebody want to look, or only to know, or files that tell of the run? */
function isLooking(flags: ReplayFlags, s: Settings): boolean {
  if (isAsked(flags)) return true;
  if (flags.trace !== undefined || wantsAny(s.pictures)) return false;
  return process.stdin.isTTY && process.stdout.isTTY && !s.isQuiet && s.format === "tty";
}

function isAsked({ from, until, break: breaks, command }: ReplayFlags): boolean {
  return [from, until, breaks, command].some((flag) => flag !== undefined);
}

function pictures(subject: Subject, settings: Settings, io: Io): Drawn {
  const { scenario, kept, again: typed } = subject;
  return drawPictures(
    { scenario, original: kept?.original, again: typed }, pictureName(settings, subject),
    settings.pictures, io,
  );
}

function pictureLines({ files }: Drawn): string {
  return files.map((file) => `picture  ${file}\n`).join("");
}

/** Runs to the end and compares. */
function again(
  engine: Engine, subject: Subject, flags: ReplayFlags, settings: Settings, io: Io,
): number {
  const tracing = flags.trace === undefined ? undefined : traceTo(flags.trace, subject.scenario);
  const outcome = engine.run(subject.scenario, {
    ...settings.options, ...(tracing === undefined ? {} : { watch: tracing.watch }),
  });
  const unwritten = tracing?.close();
  if (unwritten !== undefined) io.err(`dogwatch: no trace: ${unwritten}\n`);
  const drawn = pictures(subject, settings, io);
  const { files } = drawn;
  const isLost = drawn.isLost || unwritten !== undefined;
  const exit = exitWith(exitOf(outcome.verdict), { isLost });
  const { finding } = outcome;
  const kept = subject.kept?.digest;
  const same = kept === undefined ? undefined : kept === outcome.digest ? "yes" : "no";
  const last = lastLine(exit, {
    ...(finding === undefined ? {} : { id: finding.id }), steps: outcome.steps,
    hash: outcome.digest, same, repro: subject.file ?? subject.again,
  });
  if (settings.format === "json") {
    io.out(`${JSON.stringify({ schema: 1, exit, outcome, same, files })}\n`);
    io.err(last);
    return exit;
  }
  io.out(finding === undefined ? "nothing is wrong\n" : `${finding.id}: ${finding.says}\n`);
  if (same === "no") {
    io.out(`it ran otherwise when it was kept (digest ${kept}): the code has changed since\n`);
  }
  io.out(pictureLines(drawn) + last);
  return exit;
}

/** A trace that a daemon recorded: compared, drawn, looked at. */
async function fieldReplay(
  file: string, flags: ReplayFlags, settings: Settings, io: Io,
): Promise<number> {
  if (flags.trace !== undefined) {
    return misused(io, `--trace ${flags.trace}: ${file} is a recording, its steps are written`);
  }
  try {
    const field = fieldOf(file);
    io.out(`${field.says}\n`);
    if (!field.isSame) return exits.failed;
    const drawn = drawField(file, settings.pictures, io);
    io.out(pictureLines(drawn));
    if (!isLooking(flags, settings)) return exitWith(exits.ok, drawn);
    return exitWith(await look(field.film, flags, io), drawn);
  } catch (error) {
    io.err(`dogwatch: cannot replay ${file}: ${(error as Error).message}\n`);
    return exits.failed;
  }
}

/** Steps through a film until the commands or the person are done. */
async function look(film: Film, flags: ReplayFlags, io: Io): Promise<number> {
  const repl = createRepl(film);
  for (const text of flags.break ?? []) {
    const found = readBreak(text);
    if (found === undefined) return misused(io, `--break ${text}: expected a mark, mm:ss or #step`);
    repl.breaks.push(found);
  }
  const until = flags.until === undefined ? undefined : readUntil(flags.until);
  if (flags.until !== undefined && until === undefined) {
    return misused(io, `--until ${flags.until}: expected mm:ss or #step`);
  }
  if (flags.from !== undefined) film.seek(Number(flags.from.replace("#", "")) + 1);
  if (until !== undefined) repl.breaks.push(until);
  const runsFirst = repl.breaks.length > 0;
  io.out(`${runsFirst ? proceed(repl) : whereText(repl)}\n`);
  if (until !== undefined) repl.breaks.pop();
  if (flags.command === undefined) return converse(repl, io);
  for (const line of flags.command.flatMap((text) => text.split(";"))) {
    const said = say(repl, line);
    if (said.isOver) break;
    io.out(`${said.text}\n`);
  }
  return exits.ok;
}

function readUntil(text: string): ReturnType<typeof readBreak> {
  const found = readBreak(text);
  if (found !== undefined) return found;
  const atMs = parseTime(text);
  return atMs === undefined ? undefined : { kind: "time", atMs };
}

/** Lines from stdin until it ends or one says quit. */
async function converse(repl: Repl, io: Io): Promise<number> {
  const isTalk = process.stdin.isTTY;
  const lines = createInterface({
    input: process.stdin, terminal: isTalk, ...(isTalk ? { output: process.stdout } : {}),
    prompt: "sim> ",
  });
  if (isTalk) {
    io.out("help tells the commands; quit ends\n");
    lines.prompt();
  }
  for await (const line of lines) {
    const said = say(repl, line);
    if (said.isOver) break;
    if (said.text !== "") io.out(`${said.text}\n`);
    if (isTalk) lines.prompt();
  }
  lines.close();
  return exits.ok;
}
