/**
 * `dogwatch sim check-determinism`: the same seeds again, under everything that must not matter.
 *
 * Rule 1: the first run of the first worker is what all others are compared with: digest, outcome,
 * and the hash of all states at every checkpoint.
 * Rule 2: a difference is told with the first step that differs, from two runs side by side.
 * Rule 3: with `--canary` a look at the clock is planted, and not to find it is the failure.
 * @module
 */
import { type Ambient, createAmbient } from "../../adapters/ambient.ts";
import { compare, lockstep, type Divergence, type Stepper } from "../../sim/determinism.ts";
import * as digest from "../../sim/digest.ts";
import { countText, plainSigns, signs } from "../../sim/words.ts";
import { exits } from "../exit.ts";
import type { Io } from "../io.ts";
import { canary } from "./canary.ts";
import { type Engine, engineOf } from "./engine.ts";
import { filmOf } from "./film.ts";
import { misused, read, type Settings, type SimFlags } from "./flags.ts";
import { rangeOf } from "./hunt.ts";
import { type Answer, type Job, scenarioOf } from "./job.ts";
import { libraryHere } from "./mutate-library.ts";
import { poolOf, type PoolOptions } from "./pool.ts";
import { isPlain } from "./screen.ts";
import { seedAt, shortSeed } from "./seeds.ts";
import { effectLines, shotLine } from "./shots.ts";
import { lastLine } from "./verdict.ts";

export type DeterminismFlags = SimFlags & {
  readonly seeds?: string;
  readonly node?: readonly string[];
  readonly canary?: boolean;
};

/** One way of running the same seeds again. */
type Leg = {
  readonly name: string;
  readonly pool: Partial<PoolOptions>;
  /** In the opposite order, so that each seed has another one before it. */
  readonly isReversed?: boolean;
  /** So many seeds only, where runs are slow. */
  readonly seedsMax?: number;
};

type LegResult = {
  readonly name: string;
  readonly seeds: number;
  readonly differing: readonly { readonly seed: string; readonly says: string }[];
};

const seedsUsual = "20";
const slowSeeds = 3;

/** Checks; 0, 12 when anything differs, 16 when the canary lives. */
export async function checkDeterminism(
  given: string | undefined, flags: DeterminismFlags, io: Io, ambient: Ambient = createAmbient(),
): Promise<number> {
  const settings = read(flags, io);
  if (settings === undefined) return exits.usage;
  if (flags.canary === true) return canaryCheck(settings, io, ambient);
  const one = given === undefined ? {} : { seeds: `${given}..${given}` };
  const range = rangeOf({ seeds: seedsUsual, ...flags, ...one }, settings, ambient);
  if (typeof range === "string") return misused(io, range);
  const shard = { at: 1, of: 1 };
  const seeds = Array.from({ length: range.count }, (_, nth) => seedAt(range, shard, nth));
  const legs = legsOf(flags);
  const [first, ...rest] = legs;
  if (first === undefined) return exits.failed;
  const base = await runLeg(first, seeds, settings, ambient);
  const results: LegResult[] = [];
  const mark = isPlain(io) ? plainSigns : signs;
  for (const leg of [first, ...rest]) {
    const chosen = seeds.slice(0, leg.seedsMax ?? seeds.length);
    const answers = await runLeg(leg, chosen, settings, ambient);
    const result = compareLeg(leg, chosen, base, answers);
    results.push(result);
    const same = result.seeds - result.differing.length;
    const sign = result.differing.length === 0 ? mark.pass : mark.fail;
    if (settings.format === "tty" || settings.format === "github") {
      io.out(`${sign} ${leg.name.padEnd(44)} ${countText(same)}/${countText(result.seeds)}\n`);
    }
  }
  return report(results, settings, io);
}

function legsOf({ node = [] }: DeterminismFlags): Leg[] {
  const turkish = { LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8" };
  return [
    { name: "again in a fresh process", pool: {} },
    { name: "after other seeds in one process (A-B-A)", pool: {}, isReversed: true },
    { name: "spread over several processes", pool: { size: 2 } },
    { name: "in another time zone and language", pool: {
      env: { TZ: "Pacific/Kiritimati", ...turkish },
    } },
    { name: "without the just-in-time compiler", pool: { nodeFlags: ["--jitless"] },
      seedsMax: slowSeeds },
    { name: "with an unoptimised compiler", pool: { nodeFlags: ["--no-opt"] },
      seedsMax: slowSeeds },
    ...node.map((path) => ({ name: `on ${path}`, pool: { node: path } })),
  ];
}

async function runLeg(
  leg: Leg, seeds: readonly string[], settings: Settings, ambient: Ambient,
): Promise<ReadonlyMap<string, Answer>> {
  const pool = poolOf({ ...settings, jobs: 1 }, ambient, leg.pool);
  const order = leg.isReversed === true ? [...seeds, ...[...seeds].reverse()] : seeds;
  try {
    const answers = await Promise.all(order.map((seed) => pool.submit(jobOf(seed, settings))));
    return new Map(order.map((seed, i) => [seed, answers[i]?.answer as Answer]));
  } finally {
    await pool.close();
  }
}

function jobOf(seed: string, { recipe, options }: Settings): Job {
  return { what: { seed, recipe }, options, checkpoints: true, traps: true, look: "states" };
}

function compareLeg(
  leg: Leg, seeds: readonly string[], base: ReadonlyMap<string, Answer>,
  answers: ReadonlyMap<string, Answer>,
): LegResult {
  const differing = seeds.flatMap((seed) => {
    const says = difference(base.get(seed), answers.get(seed));
    return says === undefined ? [] : [{ seed, says }];
  });
  return { name: leg.name, seeds: seeds.length, differing };
}

function difference(a: Answer | undefined, b: Answer | undefined): string | undefined {
  if (a === undefined || b === undefined) return "no answer";
  const touched = a.touched ?? b.touched;
  if (touched !== undefined) return `reached for ${touched}`;
  if (!a.ok || !b.ok) return a.ok ? (b as { says: string }).says : a.says;
  const found = compare(a.outcome, b.outcome);
  if (!found.isSame) {
    const parts = found.parts.map(({ name }) => name).join(", ");
    return `${parts} differ, between steps ${found.fromStep} and ${found.toStep}`;
  }
  return a.states === b.states ? undefined : "the same steps, but not the same states";
}

async function report(
  results: readonly LegResult[], settings: Settings, io: Io,
): Promise<number> {
  const bad = results.flatMap(({ name, differing }) =>
    differing.map((one) => ({ leg: name, ...one })));
  const exit = bad.length === 0 ? exits.ok : exits.nondeterministic;
  const last = lastLine(exit, {
    legs: results.length, seeds: results[0]?.seeds, differing: bad.length,
    seed: bad[0] === undefined ? undefined : shortSeed(bad[0].seed),
  });
  if (settings.format === "json") {
    io.out(`${JSON.stringify({ schema: 1, exit, legs: results })}\n`);
    io.err(last);
    return exit;
  }
  for (const { leg, seed, says } of bad) io.out(`seed ${shortSeed(seed)}, ${leg}: ${says}\n`);
  if (bad[0] !== undefined) io.out(await divergenceText(bad[0].seed, settings));
  io.out(last);
  return exit;
}

/** The first step at which two runs of this process part, if they do. */
async function divergenceText(seed: string, settings: Settings): Promise<string> {
  const engine = await engineOf(settings.lib);
  const scenario = scenarioOf({ seed, recipe: settings.recipe }, engine);
  const stepper = (): Stepper => stepperOf(engine, scenario, settings);
  const found = lockstep(stepper(), stepper(), settings.options.eventsMax);
  if (found === undefined) return "two runs side by side in one process are the same\n";
  return `${partingLines(found).join("\n")}\n`;
}

function stepperOf(
  engine: Engine, scenario: ReturnType<typeof scenarioOf>, { options }: Settings,
): Stepper {
  const film = filmOf(engine, scenario, options);
  return {
    advance: () => film.next() !== undefined,
    digest: () => {
      const world = film.world();
      return world === undefined ? "" : digest.hex(world.digest);
    },
    says: () => {
      const shot = film.tail().at(-1);
      return shot === undefined ? [] : [shotLine(shot), ...effectLines(shot)];
    },
  };
}

function partingLines({ step, a, b }: Divergence): string[] {
  return [
    `they part at step ${step}:`, ...a.map((line) => `  one    ${line}`),
    ...b.map((line) => `  other  ${line}`),
  ];
}

async function canaryCheck(settings: Settings, io: Io, ambient: Ambient): Promise<number> {
  const lib = settings.lib ?? libraryHere();
  if (lib === undefined) {
    return misused(io, "--canary needs a compiled tree: run npm run build, or name one with --lib");
  }
  const legs = await canary(lib, settings.folder, ambient);
  const alive = legs.filter(({ caught }) => caught === undefined);
  const exit = alive.length === 0 ? exits.ok : exits.canary;
  for (const { leg, caught } of legs) {
    io.out(`canary, ${leg}: ${caught ?? "NOT FOUND: the checks are blind"}\n`);
  }
  io.out(lastLine(exit, { canary: alive.length === 0 ? "found" : "passed" }));
  return exit;
}
