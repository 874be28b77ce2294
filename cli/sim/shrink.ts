/**
 * `dogwatch sim shrink`: a failing scenario made as small as it can be.
 *
 * Rule 1: the state is kept beside the file while it works, so that it can be taken up again.
 * @module
 */
import { rmSync } from "node:fs";
import { type Ambient, createAmbient } from "../../adapters/ambient.ts";
import { hashOf } from "../../sim/canonical.ts";
import * as machine from "../../sim/shrink.ts";
import type { Io } from "../io.ts";
import { onStop } from "../signals.ts";
import { drawPictures } from "./draw.ts";
import { failingOf } from "./failing.ts";
import { failureText } from "./failure.ts";
import { readJson, Unwritten, writeWhole } from "./files.ts";
import { type Settings, type SimFlags, whole } from "./flags.ts";
import { fileOf, keptOf, type KeptFile, shrunkOf, storyOf, writeFinding } from "./keep.ts";
import { poolOf } from "./pool.ts";
import { liveLine } from "./screen.ts";
import { shrinkFrom } from "./shrinking.ts";
import type { Subject } from "./subject.ts";
import { codeText, exitOf, lastLine } from "./verdict.ts";

export type ShrinkFlags = SimFlags & { readonly runs?: string };

const runsUsual = 1_000;
const runsTop = 1_000_000;
const saveEvery = 50;

/** Shrinks; the exit code is that of the failure, 0 if it does not fail. */
export async function shrink(
  given: string, flags: ShrinkFlags, io: Io, ambient: Ambient = createAmbient(),
): Promise<number> {
  const problems: string[] = [];
  const runsMax = whole("--runs", flags.runs, runsTop, problems) ?? runsUsual;
  const failing = await failingOf(given, flags, problems, "make smaller", io);
  if (typeof failing === "number") return failing;
  const { settings, subject, outcome } = failing;
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
  const read = readJson(file);
  if (!read.ok) return undefined;
  try {
    const state = read.value as machine.Shrink;
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
  const pool = poolOf(settings, ambient);
  let isStopped = false;
  const undo = onStop(() => (isStopped = true), io);
  const line = liveLine(io, settings.isQuiet);
  let saved = state.runs;
  let isSaving = true;
  const save = (): void => {
    if (isSaving) isSaving = saveState(stateFile, state, io);
  };
  const told = (): void => {
    line.tell(`${machine.progress(state)}, ${state.runs} runs, ${machine.stage(state)}`);
    if (state.runs < saved + saveEvery) return;
    saved = state.runs;
    save();
  };
  try {
    await shrinkFrom(state, {
      pool, options: settings.options, isOver: () => isStopped, told,
    });
    if (!machine.done(state)) save();
  } finally {
    line.end();
    undo();
    await pool.close();
  }
}

/** False after it was told that there is no place for it: the work goes on without. */
function saveState(file: string, state: machine.Shrink, io: Io): boolean {
  try {
    writeWhole(file, JSON.stringify(state));
    return true;
  } catch (error) {
    if (!(error instanceof Unwritten)) throw error;
    io.err(`dogwatch: ${error.message}; what is stopped here cannot be taken up again\n`);
    return false;
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
  const isWritten = writeFinding(file, {
    ...keptOf(scenario, finding, outcome.digest, story), ...shrunkOf(shrunk, shrinkMs), original,
  }, io);
  const beside = settings.lib === undefined
    ? drawPictures({ scenario, original }, file, settings.pictures, io).files
    : [];
  const verdict = outcome.verdict === "pass" || outcome.verdict === "budget"
    ? "safety" as const
    : outcome.verdict;
  const found = {
    verdict, finding, seed: scenario.seed, steps: outcome.steps, entries: 0,
    digest: outcome.digest, count: 1,
  };
  const { lib } = settings;
  const again = isWritten ? file : subject.again;
  return {
    file: again, isWritten, beside, found, scenario, outcome, shrunk, shrinkMs, why: undefined, lib,
  };
}

function report(kept: KeptFile, settings: Settings, io: Io): number {
  const exit = exitOf(kept.outcome.verdict);
  const { shrunk, outcome, file, beside, isWritten } = kept;
  const last = lastLine(exit, {
    id: outcome.finding?.id, runs: shrunk?.runs, minimal: shrunk?.isMinimal === true ? "yes" : "no",
    hash: outcome.digest, repro: isWritten ? file : undefined,
  });
  if (settings.format === "json") {
    io.out(`${JSON.stringify({ schema: 1, exit, file, beside, outcome, runs: shrunk?.runs,
      says: shrunk?.says, isMinimal: shrunk?.isMinimal })}\n`);
    io.err(last);
  } else io.out(failureText(kept, io) + last);
  return exit;
}
