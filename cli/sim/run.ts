/**
 * `dogwatch sim run`: one scenario from its first event to its verdict.
 *
 * Rule 1: a failing seed is made small and kept, as in a hunt; a file is run as it is.
 * @module
 */
import { type Ambient, createAmbient } from "../../adapters/ambient.ts";
import type { Outcome } from "../../sim/outcome.ts";
import { passText } from "../../sim/report.ts";
import { countText, timeText } from "../../sim/words.ts";
import { exits } from "../exit.ts";
import type { Io } from "../io.ts";
import { drawPictures, type Drawn, exitWith, undrawn } from "./draw.ts";
import { type Engine, engineOf, type Run } from "./engine.ts";
import { failureText, reportLook } from "./failure.ts";
import { misused, read, type Settings, type SimFlags } from "./flags.ts";
import { type Case, githubText, junitText } from "./formats.ts";
import { keepAll, type KeptFile } from "./keep.ts";
import { poolOf } from "./pool.ts";
import { type LiveLine, liveLine } from "./screen.ts";
import { drawnSeed, seedText, shortSeed } from "./seeds.ts";
import { rangeOf } from "./hunt.ts";
import { runSliced } from "./slices.ts";
import { fromSeed, type Subject, subjectOf } from "./subject.ts";
import { add, createTally } from "./tally.ts";
import { trapped } from "./traps.ts";
import { codeText, exitOf, lastLine } from "./verdict.ts";

/** Runs one; the exit code. */
export async function run(
  given: string | undefined, flags: SimFlags, io: Io, ambient: Ambient = createAmbient(),
): Promise<number> {
  const settings = read(flags, io);
  if (settings === undefined) return exits.usage;
  if (given !== undefined && flags.seedFrom !== undefined) {
    const so = `${given} is what is run; name one of the two`;
    return misused(io, `--seed-from ${flags.seedFrom}: it draws a seed, and ${so}`);
  }
  const engine = await engineOf(settings.lib);
  const subject = given === undefined
    ? anySeed(settings, engine, io, ambient)
    : subjectOf(given, settings, engine, io);
  if (subject === undefined) return exits.usage;
  const line = liveLine(io, settings.isQuiet);
  const ran = runLive(engine, subject.scenario, settings, line.isShown ? toldOn(line) : undefined);
  line.end();
  if ("touched" in ran) return differs(ran.touched, subject, io);
  const drawn = settings.lib !== undefined ? undrawn : drawPictures(
    { scenario: subject.scenario, original: undefined, again: subject.again },
    pictureName(settings, subject), settings.pictures, io,
  );
  const kept = await keep(ran.outcome, subject, settings, io, ambient);
  return report(ran.outcome, subject, kept, drawn, settings, io);
}

function anySeed(
  settings: Settings, engine: Engine, io: Io, ambient: Ambient,
): Subject | undefined {
  if (settings.seedFrom === "random") {
    return fromSeed(seedText(drawnSeed(ambient.entropy(8))), settings, engine);
  }
  const range = rangeOf({ seeds: "1" }, settings, ambient);
  if (typeof range !== "string") return fromSeed(seedText(range.from), settings, engine);
  io.err(`dogwatch: ${range}\n`);
  return undefined;
}

/** Where pictures of a run go that have no name of their own. */
export function pictureName({ folder }: Settings, subject: Subject): string {
  return subject.file ?? `${folder}/${subject.name ?? shortSeed(subject.seed ?? "run")}.json`;
}

type Ran = { readonly outcome: Outcome } | { readonly touched: string };

/** Runs among traps; `told` hears how far it is. Throws what the run throws. */
export function runLive(
  engine: Engine, scenario: Subject["scenario"], { options }: Pick<Settings, "options">,
  told: ((run: Run) => void) | undefined,
): Ran {
  const begin = (): Run => engine.begin(scenario, options);
  const { result, touched } = runSliced(engine, begin, trapped, (run) => told?.(run));
  if (touched !== undefined) return { touched };
  if ("error" in result) throw result.error;
  return { outcome: result.value };
}

function toldOn(line: LiveLine): (run: Run) => void {
  return ({ world }) => {
    const at = timeText(Math.floor(world.nowUs / 1_000_000) * 1_000);
    const of = timeText(Math.floor(world.endUs / 1_000_000) * 1_000);
    line.tell(`${at} of ${of}, ${countText(world.steps)} steps`);
  };
}

function differs(touched: string, subject: Subject, io: Io): number {
  io.err(`dogwatch: ${subject.again}: a step reached for ${touched}, which no step may\n`);
  io.out(lastLine(exits.nondeterministic, { touched }));
  return exits.nondeterministic;
}

async function keep(
  outcome: Outcome, subject: Subject, settings: Settings, io: Io, ambient: Ambient,
): Promise<KeptFile | undefined> {
  const { seed } = subject;
  if (outcome.finding === undefined || seed === undefined) return undefined;
  const progress = { tally: createTally() };
  const entries = subject.scenario.faults.length + subject.scenario.triggers.length;
  add(progress.tally, seed, 0, { ok: true, outcome, entries, touched: undefined });
  const pool = poolOf(settings, ambient);
  const line = liveLine(io, settings.isQuiet);
  try {
    const [kept] = await keepAll({
      settings, plan: planOf(settings), code: codeText(), again: settings.again, progress,
    }, pool, io, {
      told: line.tell, isOver: () => false, now: ambient.now,
    });
    return kept;
  } finally {
    line.end();
    await pool.close();
  }
}

function planOf({ recipe, options, shard }: Settings): Parameters<typeof keepAll>[0]["plan"] {
  return { recipe, options, shard, range: { from: 0n, count: 1 } };
}

function report(
  outcome: Outcome, subject: Subject, kept: KeptFile | undefined, drawn: Drawn,
  settings: Settings, io: Io,
): number {
  const exit = exitWith(exitOf(outcome.verdict), drawn);
  const { files } = drawn;
  const { finding } = outcome;
  const seed = subject.seed === undefined ? {} : { seed: shortSeed(subject.seed) };
  const last = lastLine(exit, {
    ...(finding === undefined ? {} : { id: finding.id }), ...seed, steps: outcome.steps,
    hash: outcome.digest, repro: kept?.file ?? subject.file ?? subject.name,
  });
  const { format } = settings;
  if (format === "json") {
    io.out(`${JSON.stringify({ schema: 1, exit, outcome, kept: kept?.file, files })}\n`);
    io.err(last);
    return exit;
  }
  if (format === "tty") io.out(text(outcome, subject, kept, files, settings, io) + last);
  else {
    const cases = [caseOf(outcome, subject)];
    if (format === "github") io.out(githubText(cases) + last);
    else {
      io.out(junitText("dogwatch sim run", cases, 0));
      io.err(last);
    }
  }
  return exit;
}

function caseOf({ finding, verdict }: Outcome, subject: Subject): Case {
  const says = finding?.says ?? (verdict === "budget" ? "the budget was spent" : undefined);
  const more = [`dogwatch sim run ${subject.again}`];
  return { name: finding?.shape ?? subject.again, says, more };
}

function text(
  outcome: Outcome, subject: Subject, kept: KeptFile | undefined, files: readonly string[],
  settings: Settings, io: Io,
): string {
  const { scenario } = subject;
  const drawn = files.map((file) => `picture  ${file}\n`).join("");
  if (outcome.finding === undefined) {
    return `${passText(scenario, outcome, undefined, reportLook(io)).join("\n")}\n${drawn}`;
  }
  const failed: KeptFile = kept ?? {
    file: subject.file ?? subject.again, isWritten: subject.file !== undefined, beside: [],
    scenario, outcome, shrunk: undefined, shrinkMs: 0, why: undefined, lib: settings.lib,
    found: {
      verdict: outcome.verdict === "liveness" ? "liveness" : "safety", finding: outcome.finding,
      seed: scenario.seed, steps: outcome.steps, entries: 0, digest: outcome.digest, count: 1,
    },
  };
  return failureText(failed, io) + drawn;
}
