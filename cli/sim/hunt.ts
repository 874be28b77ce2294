/**
 * `dogwatch sim hunt`: many seeds over all cores; what fails is told apart, made small and kept.
 *
 * Rule 1: first the search, then the shrinking: by then the fastest-failing seed of each finding is
 * known.
 * Rule 2: Ctrl-C ends the search, not the hunt: what was found by then is made small and reported.
 * Rule 3: the state is saved as it goes, so that a hunt that was killed can be resumed. A hunt that
 * cannot save at its beginning does not begin; one that cannot later says so and goes on.
 * @module
 */
import { type Ambient, createAmbient } from "../../adapters/ambient.ts";
import { exits } from "../exit.ts";
import type { Io } from "../io.ts";
import { onStop } from "../signals.ts";
import { Unwritten } from "./files.ts";
import { misused, read, readSpan, type Settings, type SimFlags, told } from "./flags.ts";
import { type GoalMode, goalModeOf, unmet } from "./goals.ts";
import { type KeptFile, keepAll } from "./keep.ts";
import { poolOf, type Pool } from "./pool.ts";
import type { View } from "./progress.ts";
import { reportHunt } from "./report.ts";
import { openScreen } from "./screen.ts";
import { type Plan, type Progress, search } from "./search.ts";
import {
  commit, drawnSeed, type Range, rangeText, readRange, readSeed, seedsMax, sizeOf,
} from "./seeds.ts";
import { type HuntState, loadState, newestState, saveState, stateFile } from "./state.ts";
import { createTally } from "./tally.ts";
import { codeText } from "./verdict.ts";

export type HuntFlags = SimFlags & {
  readonly seeds?: string;
  readonly for?: string;
  /** Stop at the first failure. */
  readonly stop?: boolean;
  readonly resume?: string | true;
  readonly goals?: string;
};

/** All that a hunt needs to know. */
export type Hunt = {
  readonly settings: Settings;
  readonly plan: Plan;
  readonly code: string;
  readonly again: readonly string[];
  readonly progress: Progress;
  readonly forMs: number | undefined;
  readonly stopsAtFirst: boolean;
  readonly goalMode: GoalMode;
  readonly file: string;
};

const seedsUsual = 1_000;
const saveMs = 5_000;

/** Hunts; the exit code. */
export async function hunt(
  flags: HuntFlags, io: Io, ambient: Ambient = createAmbient(),
): Promise<number> {
  const settings = read(flags, io);
  if (settings === undefined) return exits.usage;
  const planned = plan(flags, settings, ambient);
  if (typeof planned === "string") return misused(io, planned);
  const pool = poolOf(settings, ambient);
  try {
    const { kept, isLost } = await work(planned, pool, io, ambient);
    const lacking = unmet(planned.progress.tally, planned.plan.recipe, planned.goalMode);
    return reportHunt({ hunt: planned, kept, unmet: lacking, deaths: pool.deaths, isLost }, io);
  } finally {
    await pool.close();
  }
}

function plan(flags: HuntFlags, settings: Settings, ambient: Ambient): Hunt | string {
  const problems = flags.resume === undefined ? [] : settled(flags);
  const forMs = flags.for === undefined
    ? undefined
    : told("--for", flags.for, readSpan(flags.for), problems);
  const goalMode = goalModeOf(flags.goals);
  if (!goalMode.ok) return goalMode.says;
  if (problems[0] !== undefined) return problems[0];
  const rest = { settings, forMs, goalMode: goalMode.value, stopsAtFirst: flags.stop === true };
  if (flags.resume !== undefined) return resumed(flags.resume, settings, rest);
  const range = rangeOf(flags, settings, ambient);
  if (typeof range === "string") return range;
  const fresh: Plan = {
    recipe: settings.recipe, options: settings.options, range, shard: settings.shard,
  };
  return {
    ...rest, plan: fresh, code: codeText(), again: settings.again,
    progress: { next: 0, tally: createTally() }, file: stateFile(settings.folder, fresh),
  };
}

/** Flags that a hunt on disk has settled. */
function settled(flags: HuntFlags): string[] {
  const { seeds, seedFrom, shard, profile, fault, nodes, budgetEvents } = flags;
  const given = {
    "--seeds": seeds, "--seed-from": seedFrom, "--shard": shard, "--profile": profile,
    "--fault": fault, "--nodes": nodes, "--lite": flags.lite, "--budget-events": budgetEvents,
  };
  return Object.entries(given).filter(([, value]) => value !== undefined)
    .map(([flag]) => `${flag}: with --resume the hunt has its own`);
}

function resumed(
  given: string | true, settings: Settings,
  rest: Pick<Hunt, "settings" | "forMs" | "goalMode" | "stopsAtFirst">,
): Hunt | string {
  const file = given === true ? newestState(settings.folder) : given;
  if (file === undefined) return `--resume: no hunt in ${settings.folder}`;
  const state = loadState(file);
  if (!state.ok) return `--resume: ${state.says}`;
  const { code, ...saved }: HuntState = state.value;
  if (code !== codeText()) {
    return `--resume ${file}: a hunt on ${code}, this is ${codeText()}; ` +
      "results of different code are not mixed";
  }
  return { ...rest, ...saved, code, file };
}

/** The range of seeds, or what is wrong with the flags. */
export function rangeOf(
  flags: Pick<HuntFlags, "seeds" | "for">, settings: Settings, ambient: Pick<Ambient, "entropy">,
): Range | string {
  const base = baseOf(settings.seedFrom, ambient);
  if (typeof base === "string") return base;
  const usual = flags.for === undefined ? seedsUsual : seedsMax;
  const text = flags.seeds ?? String(usual);
  const range = readRange(text, () => base);
  return range.ok ? range.value : `--seeds ${text}: ${range.says}`;
}

function baseOf(where: string, ambient: Pick<Ambient, "entropy">): bigint | string {
  if (where === "random") return drawnSeed(ambient.entropy(8));
  const isGit = where === "git";
  const hash = isGit ? commit() : where;
  if (hash === undefined) return "--seed-from git: no commit is checked out here";
  const seed = readSeed(hash);
  if (seed.ok) return seed.value;
  return `--seed-from ${where}: expected git, random or a seed: ${seed.says}`;
}

type Worked = {
  readonly kept: readonly KeptFile[];
  /** The state could not be saved in the end. */
  readonly isLost: boolean;
};

/** Searches, then makes small what was found. Throws `Unwritten` before it begins, not later. */
async function work(h: Hunt, pool: Pool, io: Io, ambient: Ambient): Promise<Worked> {
  const { progress, plan: { range, shard } } = h;
  const { tally } = progress;
  const began = ambient.now();
  const before = { seeds: tally.seeds, steps: tally.steps, virtualMs: tally.virtualMs,
    wallMs: tally.wallMs };
  let doing = "";
  let isStopped = false;
  let searchedMs = 0;
  const elapsed = (): number => (searchedMs > 0 ? searchedMs : ambient.now() - began);
  const view = (): View => ({
    name: `hunt ${h.plan.recipe.profile}`, recipe: h.plan.recipe, code: h.code,
    jobs: pool.size, range: rangeText(range), total: sizeOf(range, shard), forMs: h.forMs,
    elapsedMs: elapsed(), freshSeeds: tally.seeds - before.seeds,
    freshSteps: tally.steps - before.steps, freshVirtualMs: tally.virtualMs - before.virtualMs,
    tally, doing, goalMode: h.goalMode,
  });
  saveState(h.file, h);
  const screen = openScreen(view, io, ambient, h.settings.isQuiet);
  const undo = onStop(() => (isStopped = true), io);
  let isLost = false;
  const save = (): void => {
    tally.wallMs = before.wallMs + elapsed();
    isLost = !saved(h, isLost, io);
  };
  const saving = ambient.every(saveMs, save);
  await search(pool, h.plan, progress, {
    isOver: () => isStopped || (h.forMs !== undefined && elapsed() >= h.forMs),
    merged: (found) => h.stopsAtFirst && found !== undefined,
  });
  searchedMs = Math.max(1, elapsed());
  saving();
  save();
  isStopped = false;
  const kept = await keepAll(h, pool, io, {
    told: (says) => (doing = says), isOver: () => isStopped, now: ambient.now,
  });
  doing = "";
  undo();
  screen.end();
  return { kept, isLost };
}

/** Saves. That it cannot be done is told, once until it can, and stops nothing. */
function saved(h: Hunt, wasLost: boolean, io: Io): boolean {
  try {
    saveState(h.file, h);
    return true;
  } catch (error) {
    if (!(error instanceof Unwritten)) throw error;
    const so = "the hunt goes on, and what comes from here on cannot be resumed";
    if (!wasLost) io.err(`dogwatch: ${error.message}; ${so}\n`);
    return false;
  }
}
