/**
 * `dogwatch sim shrink`: a failing scenario made as small as it can be.
 *
 * Rule 1: the state is kept beside the file while it works, so that it can be taken up again.
 * @module
 */
import { readFileSync, rmSync } from "node:fs";
import { type Ambient, createAmbient } from "../../adapters/ambient.ts";
import { hashOf } from "../../sim/canonical.ts";
import * as machine from "../../sim/shrink.ts";
import { exits } from "../exit.ts";
import type { Io } from "../io.ts";
import { onStop } from "../signals.ts";
import { drawPictures } from "./draw.ts";
import { builtIn, loaded } from "./engine.ts";
import { failureText } from "./failure.ts";
import { writeKept, writeWhole } from "./files.ts";
import { read, type Settings, type SimFlags, whole } from "./flags.ts";
import { fileOf, keptOf, type KeptFile, shrunkOf, storyOf } from "./keep.ts";
import { createPool } from "./pool.ts";
import { isLive } from "./screen.ts";
import { shrinkFrom } from "./shrinking.ts";
import { type Subject, subjectOf } from "./subject.ts";
import { codeText, exitOf, lastLine } from "./verdict.ts";

export type ShrinkFlags = SimFlags & { readonly runs?: string };

const runsUsual = 1_000;
const runsTop = 1_000_000;
const saveEvery = 50;

/** Shrinks; the exit code is that of the failure, 0 if it does not fail. */
export async function shrink(
  given: string, flags: ShrinkFlags, io: Io, ambient: Ambient = createAmbient(),
): Promise<number> {
  const settings = read(flags, io);
  const problems: string[] = [];
  const runsMax = whole("--runs", flags.runs, runsTop, problems) ?? runsUsual;
  for (const problem of problems) io.err(`dogwatch: ${problem}\n`);
  if (settings === undefined || problems.length > 0) return exits.usage;
  const engine = settings.lib === undefined ? builtIn : await loaded(settings.lib);
  const subject = subjectOf(given, settings, engine, io);
  if (subject === undefined) return exits.usage;
  const outcome = engine.run(subject.scenario, settings.options);
  if (outcome.finding === undefined) {
    io.err(`dogwatch: ${given} does not fail: there is nothing to make smaller\n`);
    io.out(lastLine(exitOf(outcome.verdict), { hash: outcome.digest }));
    return exitOf(outcome.verdict);
  }
  const stateFile = `${settings.folder}/shrink-${hashOf(subject.scenario)}.json`;
  const state = resumed(stateFile, runsMax, io)
    ?? machine.create(subject.scenario, outcome, { runsMax });
  const began = ambient.now();
  await work(state, settings, stateFile, io, ambient);
  const kept = write(state, subject, settings, ambient.now() - began, io);
  if (machine.done(state)) rmSync(stateFile, { force: true });
  return report(kept, settings, io);
}

/** The state of a shrinking that was stopped, with a fresh budget. */
function resumed(file: string, runsMax: number, io: Io): machine.Shrink | undefined {
  try {
    const state = JSON.parse(readFileSync(file, "utf8")) as machine.Shrink;
    const so = `${machine.progress(state)} after ${state.runs} runs`;
    io.err(`dogwatch: going on with ${file}: ${so}\n`);
    return { ...state, runsMax: state.runs + runsMax };
  } catch {
    return undefined;
  }
}

async function work(
  state: machine.Shrink, settings: Settings, stateFile: string, io: Io, ambient: Ambient,
): Promise<void> {
  const pool = createPool({
    size: settings.jobs, ambient, ...(settings.lib === undefined ? {} : { lib: settings.lib }),
  });
  let isStopped = false;
  const undo = onStop(() => (isStopped = true), io);
  const isShown = isLive(io) && !settings.isQuiet;
  let saved = state.runs;
  const told = (): void => {
    const says = `${machine.progress(state)}, ${state.runs} runs, ${machine.stage(state)}`;
    if (isShown) io.err(`\r${says}\x1b[K`);
    if (state.runs < saved + saveEvery) return;
    saved = state.runs;
    writeWhole(stateFile, JSON.stringify(state));
  };
  try {
    await shrinkFrom(state, {
      pool, options: settings.options, isOver: () => isStopped, told,
    });
    if (!machine.done(state)) writeWhole(stateFile, JSON.stringify(state));
  } finally {
    if (isShown) io.err("\r\x1b[K");
    undo();
    await pool.close();
  }
}

function write(
  state: machine.Shrink, subject: Subject, settings: Settings, shrinkMs: number, io: Io,
): KeptFile {
  const shrunk = machine.result(state);
  const { scenario, outcome } = shrunk;
  const { finding } = outcome;
  if (finding === undefined) throw new Error("a shrunk scenario that does not fail");
  const file = fileOf(settings.folder, finding, scenario.seed);
  const story = subject.kept?.found ?? storyOf({
    code: codeText(), again: settings.again, plan: { recipe: settings.recipe },
  }, scenario.seed);
  const original = subject.kept?.original ?? subject.scenario;
  writeKept(file, {
    ...keptOf(scenario, finding, outcome.digest, story), ...shrunkOf(shrunk, shrinkMs), original,
  });
  const beside = settings.lib === undefined
    ? drawPictures({ scenario, original }, file, settings.pictures, io)
    : [];
  const verdict = outcome.verdict === "pass" || outcome.verdict === "budget"
    ? "safety" as const
    : outcome.verdict;
  const found = {
    verdict, finding, seed: scenario.seed, steps: outcome.steps, entries: 0,
    digest: outcome.digest, count: 1,
  };
  const { lib } = settings;
  return { file, beside, found, scenario, outcome, shrunk, shrinkMs, why: undefined, lib };
}

function report(kept: KeptFile, settings: Settings, io: Io): number {
  const exit = exitOf(kept.outcome.verdict);
  const { shrunk, outcome, file, beside } = kept;
  const last = lastLine(exit, {
    id: outcome.finding?.id, runs: shrunk?.runs, minimal: shrunk?.isMinimal === true ? "yes" : "no",
    hash: outcome.digest, repro: file,
  });
  if (settings.format === "json") {
    io.out(`${JSON.stringify({ schema: 1, exit, file, beside, outcome, runs: shrunk?.runs,
      says: shrunk?.says, isMinimal: shrunk?.isMinimal })}\n`);
    io.err(last);
  } else io.out(failureText(kept, io) + last);
  return exit;
}
