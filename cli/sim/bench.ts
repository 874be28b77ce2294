/**
 * `dogwatch sim bench`: the figures that say how fast the simulator is.
 *
 * Rule 1: every figure names its scenario; medians, with the first part thrown away as warm-up.
 * Rule 2: compared only with runs on the same kind of machine: processor, cores, Node.
 * @module
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import { dirname } from "node:path";
import { type Ambient, createAmbient } from "../../adapters/ambient.ts";
import { makeFolder } from "../../adapters/folder.ts";
import { columns } from "../../sim/report/lines.ts";
import { countText } from "../../sim/words.ts";
import { exits } from "../exit.ts";
import { tellProblems } from "../flags.ts";
import type { Io } from "../io.ts";
import { unadjusted } from "./adjust.ts";
import { type BenchLine, type Figures, measure, median, type Spans } from "./bench-figures.ts";
import { page, shrinkOf } from "./bench-page.ts";
import { corpusFolder, scenariosIn } from "./corpus.ts";
import { type Kept, Unwritten, writing } from "./files.ts";
import { readAll } from "./flags.ts";
import { codeText, lastLine } from "./verdict.ts";

export type BenchFlags = {
  readonly jobs?: string;
  readonly quiet?: boolean;
  readonly history?: string;
  /** The same as `--history` with the file that the repository keeps. */
  readonly record?: boolean;
  readonly quick?: boolean;
  readonly json?: boolean;
};

/** Where `--record` writes: a line for each measurement, and the newest as a page. */
export const recordFile = "docs/bench/sim.jsonl";
export const pageFile = "docs/bench/simulator.md";

const full: Spans = {
  warmMs: 3_000, spanMs: 10_000, spans: 5, seedsMs: 60_000, scaleMs: 5_000, scaleSteps: 1_000_000,
};
const quick: Spans = {
  warmMs: 500, spanMs: 1_500, spans: 3, seedsMs: 5_000, scaleMs: 1_000, scaleSteps: 50_000,
};

/** A figure that fell by more than this many parts of a hundred is a regression. */
const fallMax = 20;
const comparedRuns = 10;

/** Measures; 0, or 1 when a figure fell by more than a fifth. */
export async function bench(
  flags: BenchFlags, io: Io, ambient: Ambient = createAmbient(),
): Promise<number> {
  const problems: string[] = [];
  const settings = readAll(flags.jobs === undefined ? {} : { jobs: flags.jobs }, problems);
  tellProblems(io, problems);
  if (problems.length > 0) return exits.usage;
  const spans = flags.quick === true ? quick : full;
  const told = counted((says) => {
    if (flags.quiet !== true) io.err(`${says}\n`);
  }, spans);
  const figures = await measure({
    ambient, spans, jobs: settings.jobs, told,
    recipe: { profile: "std20", adjust: unadjusted },
  });
  const line: BenchLine = {
    bench: 1, at: ambient.wall().unixMs, code: codeText(), machine: machineText(), figures,
  };
  const file = flags.history ?? (flags.record === true ? recordFile : undefined);
  const before = file === undefined ? [] : historyOf(file, line.machine);
  const fallen = compareFigures(figures, before);
  const kept = keptIn(corpusFolder);
  const isLost = file !== undefined && !added(file, line, io)
    || flags.record === true && !paged(page(line, kept), io);
  const exit = fallen.length === 0 && !isLost ? exits.ok : exits.failed;
  const last = lastLine(exit, {
    events: figures.eventsPerSecond, ratio: figures.ratio, seeds: figures.seedsPerHour,
  });
  if (flags.json === true) {
    io.out(`${JSON.stringify({ schema: 1, ...line, fallen })}\n`);
    io.err(last);
    return exit;
  }
  const shrinking = shrinkText(kept);
  io.out([line.machine, ...linesOf(figures), ...shrinking, ...fallen, ""].join("\n") + last);
  return exit;
}

/** Adds a line to a history. False if it cannot be written: the figures are told all the same. */
function added(file: string, line: BenchLine, io: Io): boolean {
  return written(file, io, () => appendFileSync(file, `${JSON.stringify(line)}\n`));
}

function paged(text: string, io: Io): boolean {
  return written(pageFile, io, () => writeFileSync(pageFile, text));
}

function written(file: string, io: Io, write: () => void): boolean {
  try {
    writing(file, () => {
      makeFolder(dirname(file));
      write();
    });
    return true;
  } catch (error) {
    if (!(error instanceof Unwritten)) throw error;
    io.err(`dogwatch: ${error.message}\n`);
    return false;
  }
}

/** What is told of each measurement, with its number; before the first, how long all take. */
export function counted(tell: (says: string) => void, spans: Spans): (says: string) => void {
  let at = 0;
  return (says) => {
    if (at === 0) tell(`${measurements} measurements, ${minutesText(spans)}`);
    at += 1;
    tell(`[${at}/${measurements}] ${says}`);
  };
}

/** How often `measure` tells: rates, without checks, all processes, and by numbers of nodes. */
const scales = 6;
const measurements = 3 + scales;

/** At least; a run that has begun is run to its end. */
function minutesText({ warmMs, spanMs, spans, seedsMs, scaleMs }: Spans): string {
  const ms = (3 + scales) * warmMs + (spans + 1) * spanMs + seedsMs + scales * scaleMs;
  return ms < 60_000 ? "about a minute" : `about ${Math.ceil(ms / 60_000)} minutes`;
}

function machineText(): string {
  const [cpu] = os.cpus();
  const model = cpu?.model.trim() ?? "unknown processor";
  return `${model}, ${os.cpus().length} cores, Node ${process.versions.node}`;
}

/** Earlier lines of the same machine, oldest first. */
function historyOf(file: string, machine: string): BenchLine[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8").split("\n").filter((text) => text.startsWith(`{"bench":1,`))
    .map((text) => JSON.parse(text) as BenchLine)
    .filter((line) => line.machine === machine).slice(-comparedRuns);
}

const compared = ["eventsPerSecond", "ratio", "seedsPerHour"] as const;

function compareFigures(figures: Figures, before: readonly BenchLine[]): string[] {
  if (before.length === 0) return [];
  return compared.flatMap((name) => {
    const usual = median(before.map((line) => line.figures[name]));
    const least = (usual * (100 - fallMax)) / 100;
    if (figures[name] >= least) return [];
    return [`${name} fell to ${countText(figures[name])} from ${countText(Math.round(usual))}`];
  });
}

function linesOf(f: Figures): string[] {
  const rows = [
    ["events/s, one process, checks and digest on", countText(f.eventsPerSecond)],
    ["steps of machines among them", countText(f.stepsPerSecond)],
    ["simulated : wall, std20, one process", `${countText(f.ratio)} : 1`],
    [`complete std20 seeds/h, ${f.jobs} processes`, countText(f.seedsPerHour)],
    ["ms a seed, p50 / p95 / most", `${f.seedMs.p50} / ${f.seedMs.p95} / ${f.seedMs.most}`],
    ["share of checks, of 100", String(f.checkShare)],
    ...f.scaling.map(({ nodes, eventsPerSecond }) =>
      [`events/s at ${countText(nodes)} nodes`, countText(eventsPerSecond)]),
  ];
  return columns(rows, [1]);
}

function keptIn(folder: string): Kept[] {
  return scenariosIn(folder).map(({ kept }) => kept);
}

function shrinkText(kept: readonly Kept[]): string[] {
  const shrunk = shrinkOf(kept);
  if (shrunk === undefined) return [];
  const { failures, runs, seconds } = shrunk;
  return [`shrinking of ${failures} kept failures, median: ${runs} runs, ${seconds.toFixed(1)} s`];
}
