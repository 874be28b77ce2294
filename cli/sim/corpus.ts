/**
 * `dogwatch sim corpus`: kept scenarios: add one, run all, choose the few that cover as much.
 *
 * Rule 1: a kept scenario once failed and passes since; one that fails is a regression.
 * Rule 2: the chosen few reach the same goals and fire the same faults as all, greedily: most new
 * for its steps first.
 * @module
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { type Ambient, createAmbient } from "../../adapters/ambient.ts";
import { hashOf } from "../../sim/canonical.ts";
import { countText, plural } from "../../sim/words.ts";
import { exits } from "../exit.ts";
import { tellProblems } from "../flags.ts";
import type { Io } from "../io.ts";
import { unadjusted } from "./adjust.ts";
import { builtIn, type Profile, profiles } from "./engine.ts";
import { check, type Kept, loadFile, readJson, writeKept, writeWhole } from "./files.ts";
import { misused, read, type Settings, type SimFlags } from "./flags.ts";
import { rangeOf } from "./hunt.ts";
import type { Answer, Job } from "./job.ts";
import { poolOf, type Pool } from "./pool.ts";
import { seedAt, seedText } from "./seeds.ts";
import { add as addToTally, createTally } from "./tally.ts";
import { exitOfTally, lastLine } from "./verdict.ts";

export type CorpusFlags = SimFlags & {
  readonly dir?: string;
  readonly note?: string;
  readonly seeds?: string;
  readonly write?: string;
};

/** Where kept scenarios lie. */
export const corpusFolder = "test/sim/regressions";

/** Adds files to the corpus; those that are there already, and broken ones, are told. */
export function addFiles(files: readonly string[], flags: CorpusFlags, io: Io): number {
  const folder = flags.dir ?? corpusFolder;
  const there = new Map(scenariosIn(folder).map(({ file, kept }) => [hashOf(kept.scenario), file]));
  let exit: number = exits.ok;
  for (const file of files) {
    const loaded = loadFile(file);
    if (!loaded.ok) {
      tellProblems(io, loaded.problems);
      exit = exits.usage;
      continue;
    }
    const hash = hashOf(loaded.kept.scenario);
    const twin = there.get(hash);
    if (twin !== undefined) {
      io.out(`${file}: there already, as ${twin}\n`);
      continue;
    }
    const to = keep(loaded.kept, hash, folder, flags.note, io);
    there.set(hash, to);
  }
  return exit;
}

function keep(kept: Kept, hash: string, folder: string, note: string | undefined, io: Io): string {
  const outcome = builtIn.run(kept.scenario);
  const id = outcome.finding?.id ?? kept.finding?.id ?? kept.scenario.name;
  const to = join(folder, `${id}-${hash.slice(0, 8)}.json`);
  const { original: _, ...rest } = kept;
  const finding = outcome.finding === undefined ? {} : { finding: {
    id: outcome.finding.id, shape: outcome.finding.shape, says: outcome.finding.says,
    step: outcome.finding.step, atUs: outcome.finding.atUs,
  } };
  writeKept(to, { ...rest, ...finding, ...(note === undefined ? {} : { note }) });
  const says = outcome.finding === undefined
    ? "passes"
    : `fails with ${outcome.finding.id} for now: it is to pass once that is fixed`;
  io.out(`${to}: kept; it ${says}\n`);
  return to;
}

type Entry = { readonly file: string; readonly kept: Kept };

/** The scenarios in a folder, in the order of names; files of other kinds are left out. */
export function scenariosIn(folder: string): Entry[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  return readdirSync(folder).filter((name) => name.endsWith(".json"))
    .sort((a, b) => (a < b ? -1 : 1)).flatMap((name) => {
      const file = join(folder, name);
      const loaded = loadFile(file);
      return loaded.ok ? [{ file, kept: loaded.kept }] : [];
    });
}

type Item = { readonly name: string; readonly seed: string; readonly what: Job["what"] };

const smokeSchema = z.strictObject({
  smoke: z.literal(1),
  seeds: z.array(z.strictObject({ profile: z.enum(profiles), seed: z.string() })),
});

/** All that a folder or a file of seeds holds, or what is wrong. */
function itemsOf(place: string): Item[] | string {
  if (!existsSync(place)) return `${place}: no such file or folder`;
  if (statSync(place).isDirectory()) {
    const problems = readdirSync(place).filter((name) => name.endsWith(".json"))
      .map((name) => loadFile(join(place, name))).find((loaded) => !loaded.ok);
    if (problems !== undefined && !problems.ok) return problems.problems.join("; ");
    return scenariosIn(place).map(({ file, kept }) =>
      ({ name: file, seed: kept.scenario.seed, what: { scenario: kept.scenario } }));
  }
  const raw = readJson(place);
  if (!raw.ok) return raw.says;
  const smoke = smokeSchema.safeParse(raw.value);
  if (smoke.success) {
    return smoke.data.seeds.map(({ profile, seed }) => ({
      name: `${profile} ${seed}`, seed, what: { seed, recipe: { profile, adjust: unadjusted } },
    }));
  }
  const loaded = check(place, raw.value);
  if (!loaded.ok) return loaded.problems.join("; ");
  const { scenario } = loaded.kept;
  return [{ name: place, seed: scenario.seed, what: { scenario } }];
}

/** Runs every kept scenario; all have to pass. */
export async function runAll(
  places: readonly string[], flags: CorpusFlags, io: Io, ambient: Ambient = createAmbient(),
): Promise<number> {
  const settings = read(flags, io);
  if (settings === undefined) return exits.usage;
  const items = filesOf(places.length > 0 ? places : [corpusFolder]);
  if (typeof items === "string") return misused(io, items);
  const ran = await runItems(items, settings, ambient);
  const tally = createTally();
  const failed: string[] = [];
  for (const [nth, { item, answer }] of ran.entries()) {
    addToTally(tally, item.seed, nth, answer);
    const says = verdictText(answer);
    if (says === undefined) continue;
    failed.push(item.name);
    io.out(`${item.name}: ${says}\n`);
  }
  const exit = exitOfTally(tally, []);
  const passed = ran.length - failed.length;
  io.out(`${countText(passed)} of ${plural(ran.length, "kept scenario")} pass\n`);
  io.out(lastLine(exit, { kept: ran.length, failed: failed.length, repro: failed[0] }));
  return exit;
}

function verdictText(answer: Answer): string | undefined {
  if (answer.touched !== undefined) return `reached for ${answer.touched}`;
  if (!answer.ok) return answer.says;
  const { finding, verdict } = answer.outcome;
  if (finding !== undefined) return `${finding.id} at ${finding.node}: ${finding.says}`;
  return verdict === "budget" ? "the budget was spent" : undefined;
}

type Ran = { readonly item: Item; readonly answer: Answer };

async function runItems(
  items: readonly Item[], settings: Settings, ambient: Ambient, look?: "cover",
): Promise<Ran[]> {
  const pool: Pool = poolOf(settings, ambient);
  try {
    return await Promise.all(items.map(async (item) => {
      const { answer } = await pool.submit({
        what: item.what, options: settings.options, checkpoints: false, traps: true,
        ...(look === undefined ? {} : { look }),
      });
      return { item, answer };
    }));
  } finally {
    await pool.close();
  }
}

const seedsUsual = "500";

/** Chooses the few that reach what all reach; the exit code. */
export async function minimise(
  places: readonly string[], flags: CorpusFlags, io: Io, ambient: Ambient = createAmbient(),
): Promise<number> {
  const settings = read(flags, io);
  if (settings === undefined) return exits.usage;
  const items = places.length > 0 ? filesOf(places) : drawn(flags, settings, ambient);
  if (typeof items === "string") return misused(io, items);
  const ran = await runItems(items, settings, ambient, "cover");
  const chosen = choose(ran);
  const steps = chosen.reduce((sum, { answer }) => sum + stepsOf(answer), 0);
  for (const { item, answer } of chosen) {
    io.out(`${item.name}  ${countText(stepsOf(answer))} steps\n`);
  }
  if (flags.write !== undefined) {
    const says = writeSmoke(flags.write, chosen);
    if (says !== undefined) return misused(io, says);
  }
  io.out(`${chosen.length} of ${ran.length} reach the same goals, faults and states\n`);
  io.out(lastLine(exits.ok, { chosen: chosen.length, of: ran.length, steps }));
  return exits.ok;
}

function filesOf(places: readonly string[]): Item[] | string {
  const items: Item[] = [];
  for (const place of places) {
    const found = itemsOf(place);
    if (typeof found === "string") return found;
    items.push(...found);
  }
  return items;
}

function drawn(flags: CorpusFlags, settings: Settings, ambient: Ambient): Item[] | string {
  const range = rangeOf({ seeds: seedsUsual, ...flags }, settings, ambient);
  if (typeof range === "string") return range;
  return Array.from({ length: range.count }, (_, nth) => {
    const seed = seedAt(range, { at: 1, of: 1 }, nth);
    const { recipe } = settings;
    return { name: `${recipe.profile} ${seed}`, seed, what: { seed, recipe } };
  });
}

/** A seed file keeps seeds that flags do not change. */
function writeSmoke(file: string, chosen: readonly Ran[]): string | undefined {
  const seeds: { profile: Profile; seed: string }[] = [];
  for (const { item: { what, name } } of chosen) {
    if ("scenario" in what) return `--write: ${name} is a scenario, not a seed`;
    const { profile, adjust } = what.recipe;
    if (JSON.stringify(adjust) !== JSON.stringify(unadjusted)) {
      return "--write: seeds with --fault, --nodes or --lite cannot be kept as seeds";
    }
    seeds.push({ profile, seed: seedText(BigInt(what.seed)) });
  }
  const lines = seeds.map((one) => `    ${JSON.stringify(one)}`).join(",\n");
  writeWhole(file, `{\n  "smoke": 1,\n  "seeds": [\n${lines}\n  ]\n}\n`);
  return undefined;
}

function stepsOf(answer: Answer): number {
  return answer.ok ? Math.max(1, answer.outcome.steps) : 1;
}

/** Greedy: again and again the one with the most that is new for its steps. */
function choose(ran: readonly Ran[]): Ran[] {
  const rest = ran.map((one) => ({ one, features: featuresOf(one.answer) }));
  const seen = new Set<string>();
  const chosen: Ran[] = [];
  for (;;) {
    let best: (typeof rest)[number] | undefined;
    let bestWorth = 0;
    for (const candidate of rest) {
      const fresh = candidate.features.filter((feature) => !seen.has(feature)).length;
      const worth = fresh / (1_000 + stepsOf(candidate.one.answer));
      if (worth > bestWorth) [best, bestWorth] = [candidate, worth];
    }
    if (best === undefined) return chosen;
    chosen.push(best.one);
    for (const feature of best.features) seen.add(feature);
  }
}

/** What a run got to see: goals, faults with a session, faults in states, moves. */
function featuresOf(answer: Answer): string[] {
  if (!answer.ok || answer.outcome.verdict !== "pass") return [];
  const { outcome, cover } = answer;
  const faults = Object.entries(outcome.faults).filter(([, fired]) => fired.active > 0);
  const states = Object.entries(cover?.matrix ?? {}).flatMap(([kind, row]) =>
    Object.keys(row).map((state) => `${kind} in ${state}`));
  return [
    ...Object.keys(outcome.goals), ...faults.map(([kind]) => kind), ...states,
    ...Object.keys(cover?.moves ?? {}),
  ];
}
