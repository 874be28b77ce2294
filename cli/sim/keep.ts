/**
 * From findings of a search to kept files: each is made small, run once more, and written.
 *
 * Rule 1: of every finding something is written, also when shrinking was cut short.
 * What cannot be written is told in full instead.
 * Rule 2: what fails otherwise on the way is a finding too, and is written beside.
 * @module
 */
import { join } from "node:path";
import type { Finding, Outcome } from "../../sim/outcome.ts";
import type { Scenario } from "../../sim/scenario.ts";
import { progress, type Shrunk } from "../../sim/shrink.ts";
import type { WhyResult } from "../../sim/why.ts";
import { version } from "../version.ts";
import { whyOn } from "./asking.ts";
import { type Engine, engineOf } from "./engine.ts";
import { type Kept, Unwritten, writeKept } from "./files.ts";
import type { Settings } from "./flags.ts";
import { drawPictures, undrawn } from "./draw.ts";
import { scenarioOf } from "./job.ts";
import type { Pool } from "./pool.ts";
import type { Plan } from "./search.ts";
import { seedText, shortSeed } from "./seeds.ts";
import { runOn, shrinkOn } from "./shrinking.ts";
import type { Found, Tally } from "./tally.ts";
import type { Io } from "../io.ts";

/** A finding on disk. */
export type KeptFile = {
  /** Or, where it could not be written, the seed with its flags. */
  readonly file: string;
  readonly isWritten: boolean;
  /** Other files that were written with it: pictures, findings by the way. */
  readonly beside: readonly string[];
  readonly found: Found;
  readonly scenario: Scenario;
  readonly outcome: Outcome;
  readonly shrunk: Shrunk | undefined;
  readonly shrinkMs: number;
  readonly why: WhyResult | undefined;
  /** Found in another engine than this build's own, in this folder: it cannot be drawn here. */
  readonly lib: string | undefined;
};

export type Keeping = {
  readonly settings: Settings;
  readonly plan: Plan;
  readonly code: string;
  readonly again: readonly string[];
  readonly progress: { readonly tally: Tally };
};

export type Telling = {
  readonly told: (says: string) => void;
  readonly isOver: () => boolean;
  readonly now: () => number;
};

/** Findings that are made small; the rest are written as they were drawn. */
const shrunkMax = 8;
const runsMax = 1_000;
/** What a quick `why` may cost: forks for each of a few instants, and steps in all. */
const quickWhy = { columns: 5, forks: 10 };
const whyStepsMax = 20_000_000;
const whyRuns = 150;

/** Keeps every finding of a search. */
export async function keepAll(
  h: Keeping, pool: Pool, io: Io, telling: Telling,
): Promise<KeptFile[]> {
  const engine = await engineOf(h.settings.lib);
  const kept: KeptFile[] = [];
  for (const found of h.progress.tally.found) {
    const one = await keep(h, found, kept.length < shrunkMax, engine, pool, io, telling);
    if (one !== undefined) kept.push(one);
  }
  return kept;
}

async function keep(
  h: Keeping, found: Found, mayShrink: boolean, engine: Engine, pool: Pool, io: Io,
  telling: Telling,
): Promise<KeptFile | undefined> {
  const { recipe, options } = h.plan;
  const scenario = scenarioOf({ seed: found.seed, recipe }, engine);
  const ran = await runOn(pool, scenario, options);
  if (!ran.ok || ran.outcome.finding === undefined) {
    const says = ran.ok ? "run once more, it does not fail" : ran.says.split("\n")[0];
    const seed = shortSeed(found.seed);
    io.err(`dogwatch: ${found.finding.id} seed ${seed} is not kept: ${says}\n`);
    return undefined;
  }
  const { id } = ran.outcome.finding;
  const name = `${id} seed ${shortSeed(found.seed)}`;
  const began = telling.now();
  const shrunk = h.settings.shrink && mayShrink && !telling.isOver()
    ? await shrinkOn(scenario, ran.outcome, runsMax, {
      pool, options, isOver: telling.isOver,
      told: (state) => telling.told(`${name}: shrinking ${progress(state)}, ${state.runs} runs`),
    })
    : undefined;
  const shrinkMs = telling.now() - began;
  const best = shrunk ?? { scenario, outcome: ran.outcome };
  const finding = best.outcome.finding ?? ran.outcome.finding;
  const file = fileOf(h.settings.folder, finding, found.seed);
  const story = storyOf(h, found.seed);
  const isWritten = writeFinding(file, {
    ...keptOf(best.scenario, finding, best.outcome.digest, story),
    ...(shrunk === undefined ? {} : shrunkOf(shrunk, shrinkMs)),
    ...(shrunk === undefined ? {} : { original: scenario }),
  }, io);
  const others = (shrunk?.slipped ?? []).flatMap((slip, i) => {
    const beside = fileOf(h.settings.folder, slip.finding, found.seed, `-${i + 1}`);
    const slipped = keptOf(slip.scenario, slip.finding, undefined, story);
    return writeFinding(beside, slipped, io) ? [beside] : [];
  });
  const { lib } = h.settings;
  const pictures = lib !== undefined ? undrawn : drawPictures(
    { scenario: best.scenario, original: shrunk === undefined ? undefined : scenario },
    file, { ...h.settings.pictures, html: h.settings.pictures.html ?? true }, io,
  );
  const isQuick = shrunk !== undefined && best.outcome.steps * whyRuns <= whyStepsMax;
  const why = isQuick
    ? await whyOn(best.scenario, best.outcome, pool, options, {
      told: (runs) => telling.told(`${name}: why, ${runs} runs`), isOver: telling.isOver,
    }, quickWhy)
    : undefined;
  const again = [shortSeed(found.seed), ...h.again].join(" ");
  return {
    file: isWritten ? file : again, isWritten, beside: [...pictures.files, ...others], found,
    scenario: best.scenario, outcome: best.outcome, shrunk, shrinkMs, why, lib,
  };
}

/**
 * Writes a finding. A disk that refuses costs the file and not the finding: it is told in full.
 * False if it was.
 */
export function writeFinding(file: string, kept: Kept, io: Io): boolean {
  try {
    writeKept(file, kept);
    return true;
  } catch (error) {
    if (!(error instanceof Unwritten)) throw error;
    const { original: _, ...rest } = kept;
    io.err(`dogwatch: ${error.message}; this is what it was to hold:\n${JSON.stringify(rest)}\n`);
    return false;
  }
}

/** What is kept of where a scenario comes from. */
export function storyOf(
  h: Pick<Keeping, "code" | "again"> & { readonly plan: Pick<Plan, "recipe"> }, seed: string,
): NonNullable<Kept["found"]> {
  return {
    seed: shortSeed(seed), profile: h.plan.recipe.profile, flags: h.again, commit: h.code,
    version: version(),
  };
}

/** A kept scenario of a finding. */
export function keptOf(
  scenario: Scenario, finding: Finding, digest: string | undefined, found: Kept["found"],
): Kept {
  const { id, shape, says, step, atUs } = finding;
  return {
    kept: 1, finding: { id, shape, says, step, atUs }, ...(found === undefined ? {} : { found }),
    ...(digest === undefined ? {} : { digest }), scenario,
  };
}

/** What is kept of a shrinking. */
export function shrunkOf({ scenario, runs, from }: Shrunk, ms: number): Pick<Kept, "shrunk"> {
  const to = scenario.faults.length + scenario.triggers.length;
  return { shrunk: { runs, ms, from: from.faults, to } };
}

/** `.sim/L1-0x94.json`. */
export function fileOf(folder: string, finding: Finding, seed: string, more = ""): string {
  return join(folder, `${finding.id}-${shortSeed(seedText(BigInt(seed)))}${more}.json`);
}
