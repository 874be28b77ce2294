/**
 * `dogwatch sim mutate`: plants known bugs and looks whether the simulator sees them.
 *
 * Rule 1: bugs are hunted side by side, each by one worker, so that seeds are counted in order.
 * Rule 2: a survivor is a failure of the simulator, and so is the exit code.
 * Rule 3: `--recorded` runs the seeds that killed before, one for each bug, and must see all again.
 * With `--write` it hunts anew for those that it does not see: worlds may have changed.
 * @module
 */
import * as fs from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { Option } from "commander";
import { type Ambient, createAmbient } from "../../adapters/ambient.ts";
import { type Mutant, mutants } from "../../sim/mutants.ts";
import { exits } from "../exit.ts";
import { tellProblems } from "../flags.ts";
import type { Io } from "../io.ts";
import { defaultOptions, type Profile, profiles } from "./engine.ts";
import { readJson } from "./files.ts";
import { plainOptions, told, whole } from "./flags.ts";
import type { RunOptions } from "./job.ts";
import {
  type Control, createControl, hunt, plantedPool, retry, worldsOf,
} from "./mutate-hunt.ts";
import { isLibrary, libraryHere, plant, type Planted } from "./mutate-library.ts";
import {
  type Campaign, inOrder, lineOf, median, page, type Recorded, recordOf, type Row, sumOf, survivors,
} from "./mutate-report.ts";
import type { Pool } from "./pool.ts";
import { readSeed } from "./seeds.ts";
import { lastLine } from "./verdict.ts";

/** What commander parsed. */
export type MutateFlags = {
  readonly only?: string;
  readonly seeds?: string;
  readonly from?: string;
  readonly profile?: string;
  readonly budgetEvents?: string;
  readonly recorded?: boolean;
  readonly write?: boolean;
  readonly lib?: string;
  readonly jobs?: string;
  readonly out?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
};

/** The flags of this command. */
export function mutateOptions(): readonly Option[] {
  return [
    new Option("--only <IDS>", "these bugs only, comma-separated"),
    new Option("--seeds <N>", `seeds for each bug, of all profiles together; ${seedsUsual}`),
    new Option("--from <SEED>", "the first seed; 1"),
    new Option("--profile <LIST>", `these worlds only, comma-separated: ${profiles.join(", ")}`),
    new Option("--budget-events <N>", "give a run up after so many steps"),
    new Option("--recorded", `run the recorded killing seeds (${recordFile}) and nothing else`),
    new Option("--write", `record what kills in ${recordFile}, and describe all in ${pageFile}`),
    new Option("--lib <DIR>", "plant in the compiled tree in this folder instead"),
    new Option("--out <DIR>", "where the planted copies go; .sim"),
    new Option("-j, --jobs <N>", "bugs hunted side by side; as many as there are cores"),
    new Option("--json", "one JSON object instead of text"),
    new Option("-q, --quiet", "no progress, only the end"),
  ];
}

const seedsUsual = 10_000;
const seedsMost = 10_000_000;
const jobsMost = 64;
/** In the repository; the killing seed of each bug. */
export const recordFile = "test/sim/mutants.json";
export const pageFile = "docs/mutants.md";

type Settings = {
  readonly mutants: readonly Mutant[];
  readonly profiles: readonly Profile[];
  /** Nobody asked for some of them. */
  readonly isPlain: boolean;
  readonly seedsMax: number;
  readonly from: bigint;
  readonly options: RunOptions;
  readonly lib: string;
  readonly folder: string;
  readonly jobs: number;
};

/** What a campaign works with. */
type Bench = {
  readonly settings: Settings;
  readonly control: Control;
  readonly ambient: Ambient;
  readonly told: (text: string) => void;
};

/** The exit code: 16 if a bug is not seen, 1 if a patch does not fit. */
export async function mutate(
  flags: MutateFlags, io: Io, ambient: Ambient = createAmbient(),
): Promise<number> {
  const problems: string[] = [];
  const settings = read(flags, problems);
  const { recorded: again = false, write: writes = false } = flags;
  const recorded = again ? recordIn(writes ? [] : problems) : undefined;
  tellProblems(io, problems);
  if (settings === undefined || problems.length > 0) return exits.usage;
  const tell = flags.quiet === true ? () => {} : io.err;
  const control = createControl(settings.lib, settings.options, ambient);
  const bench: Bench = { settings, control, ambient, told: tell };
  const ended = await campaignOf(bench, recorded, writes);
  await control.close();
  if (!ended.ok) {
    io.err(`dogwatch: ${ended.says}\n`);
    return exits.failed;
  }
  const { rows } = ended;
  const campaign: Campaign = {
    rows: inOrder(rows), profiles: settings.profiles, seedsMax: settings.seedsMax,
  };
  if (writes) write(rows);
  report(campaign, flags, io);
  return exitOf(rows);
}

function exitOf(rows: readonly Row[]): number {
  return survivors(rows).length === 0 ? exits.ok : exits.canary;
}

function read(flags: MutateFlags, problems: string[]): Settings | undefined {
  const lib = flags.lib ?? libraryHere();
  const { from: first } = flags;
  const from = first === undefined ? 1n : told("--from", first, readSeed(first), problems);
  if (lib === undefined) problems.push("there is no compiled library: run `npm run build`");
  else if (!isLibrary(lib)) problems.push(`--lib ${lib}: there is no sim/runner.js`);
  const eventsMax = whole("--budget-events", flags.budgetEvents, 1e12, problems);
  const settings = {
    mutants: listed("--only", flags.only, mutants, ({ id }) => id, problems),
    profiles: listed("--profile", flags.profile, profiles, (name) => name, problems),
    isPlain: flags.profile === undefined,
    seedsMax: whole("--seeds", flags.seeds, seedsMost, problems) ?? seedsUsual,
    options: { ...plainOptions, eventsMax: eventsMax ?? defaultOptions.eventsMax },
    folder: join(flags.out ?? ".sim", "mutants"),
    jobs: whole("--jobs", flags.jobs, jobsMost, problems) ?? availableParallelism(),
  };
  return lib === undefined || from === undefined ? undefined : { ...settings, lib, from };
}

/** Those of `all` that a flag names, or all. */
function listed<T>(
  flag: string, text: string | undefined, all: readonly T[], nameOf: (one: T) => string,
  problems: string[],
): readonly T[] {
  if (text === undefined) return all;
  const names = new Set(text.split(","));
  const found = all.filter((one) => names.delete(nameOf(one)));
  for (const name of names) problems.push(`${flag} ${name}: there is none of that name`);
  return found;
}

type Ended =
  | { readonly ok: true; readonly rows: readonly Row[] }
  | { readonly ok: false; readonly says: string };

async function campaignOf(
  bench: Bench, recorded: Recorded | undefined, mends: boolean,
): Promise<Ended> {
  if (recorded === undefined) return searched(bench, bench.settings.mutants);
  const before = await replayed(bench, recorded);
  if (!before.ok || !mends) return before;
  const seen = before.rows.filter(({ kill }) => kill !== undefined);
  const done = new Set(seen.map(({ id }) => id));
  const after = await searched(bench, bench.settings.mutants.filter(({ id }) => !done.has(id)));
  return after.ok ? { ok: true, rows: [...seen, ...after.rows] } : after;
}

function searched(bench: Bench, list: readonly Mutant[]): Promise<Ended> {
  const { settings, control } = bench;
  return eachOf(bench, list, async (mutant, pool) => {
    const worlds = settings.isPlain ? worldsOf(mutant) : settings.profiles;
    const hunted = await hunt(pool, control, { ...settings, profiles: worlds });
    return { id: mutant.id, aims: mutant.aims, says: mutant.says, ...hunted };
  });
}

async function replayed(bench: Bench, recorded: Recorded): Promise<Ended> {
  const { settings, control } = bench;
  const missing = settings.mutants.filter(({ id }) => recorded[id] === undefined);
  for (const { id } of missing) bench.told(`${id}: no killing seed is recorded\n`);
  const rest = settings.mutants.filter(({ id }) => recorded[id] !== undefined);
  return eachOf(bench, rest, async (mutant, pool) => {
    const place = recorded[mutant.id] as Recorded[string];
    const { sight, isDoubtful } = await retry(pool, control, place, settings.options);
    const kill = sight === undefined || isDoubtful ? undefined
      : { profile: place.profile, seed: place.seed, ...sight, seeds: 1 };
    const { id, aims, says } = mutant;
    const doubtful = isDoubtful ? 1 : 0;
    return { id, aims, says, kill, seeds: 1, spent: 0, doubtful, acted: undefined };
  });
}

/** Plants each bug in turn and does something about it, `jobs` at a time; the first error ends. */
async function eachOf(
  bench: Bench, list: readonly Mutant[], work: (mutant: Mutant, pool: Pool) => Promise<Row>,
): Promise<Ended> {
  const { settings } = bench;
  const rows: Row[] = [];
  const errors: string[] = [];
  let next = 0;
  const hand = async (): Promise<void> => {
    while (next < list.length && errors.length === 0) {
      const mutant = list[next] as Mutant;
      next += 1;
      const planted = planting(settings, mutant);
      if (!planted.ok) return void errors.push(`${mutant.id}: ${planted.says}`);
      const pool = plantedPool(planted.lib, bench.ambient);
      const row = await work(mutant, pool);
      await pool.close();
      rows.push(row);
      bench.told(`${rows.length}/${list.length} ${lineOf(row)}`);
    }
  };
  await Promise.all(Array.from({ length: settings.jobs }, hand));
  const [says] = errors;
  return says === undefined ? { ok: true, rows } : { ok: false, says };
}

function planting({ lib, folder }: Settings, mutant: Mutant): Planted {
  const { id, file, find, replace, and } = mutant;
  const first = { file, find, replace };
  return plant(lib, join(folder, id), and === undefined ? [first] : [first, and]);
}

function recordIn(problems: string[]): Recorded {
  const read = readJson(recordFile);
  if (read.ok) return read.value as Recorded;
  problems.push(`--recorded: ${read.says}`);
  return {};
}

/** The record takes in what was found; the page is about all that is recorded. */
function write(rows: readonly Row[]): void {
  const before = fs.existsSync(recordFile) ? recordIn([]) : {};
  const known = mutants.map(({ id }) => id);
  const record = recordOf(before, rows, known);
  const lines = Object.entries(record).map(([id, one]) => `  "${id}": ${JSON.stringify(one)}`);
  save(recordFile, `{\n${lines.join(",\n")}\n}\n`);
  save(pageFile, page(mutants, record));
}

function save(file: string, text: string): void {
  fs.mkdirSync(dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}

function report(campaign: Campaign, flags: MutateFlags, io: Io): void {
  const { rows } = campaign;
  const alive = survivors(rows);
  if (flags.json === true) {
    const all = { schema: 1, ...campaign, median: median(rows) ?? null };
    return io.out(`${JSON.stringify(all, null, 2)}\n`);
  }
  for (const row of rows) io.out(lineOf(row));
  io.out(`\n${sumOf(campaign)}`);
  io.out(lastLine(exitOf(rows), {
    of: rows.length, seen: rows.length - alive.length, median: median(rows),
    unseen: alive.map(({ id }) => id).join(","),
  }));
}
