/**
 * The measurements behind `dogwatch sim bench`.
 * @module
 */
import type { Ambient } from "../../adapters/ambient.ts";
import { drawn, unadjusted } from "./adjust.ts";
import { builtIn } from "./engine.ts";
import { plainOptions } from "./flags.ts";
import type { Recipe, RunOptions } from "./job.ts";
import { createPool } from "./pool.ts";
import { search } from "./search.ts";
import { seedsMax, seedText } from "./seeds.ts";
import { createTally } from "./tally.ts";

export type Figures = {
  /**
   * What worlds do next, in a second: arrivals, timers, dials, wake-ups and steps of machines, in
   * one process, with digest and checks.
   */
  readonly eventsPerSecond: number;
  /** The steps of machines among them. */
  readonly stepsPerSecond: number;
  /** Virtual time by time on the wall. */
  readonly ratio: number;
  readonly jobs: number;
  readonly seedsPerHour: number;
  readonly seedMs: { readonly p50: number; readonly p95: number; readonly most: number };
  /** Parts of a hundred of the time that checks take. */
  readonly checkShare: number;
  readonly scaling: readonly { readonly nodes: number; readonly eventsPerSecond: number }[];
};

/** One line of a history. */
export type BenchLine = {
  readonly bench: 1;
  readonly at: number;
  readonly code: string;
  readonly machine: string;
  readonly figures: Figures;
};

export type Spans = {
  readonly warmMs: number;
  readonly spanMs: number;
  readonly spans: number;
  readonly seedsMs: number;
  readonly scaleMs: number;
  /** Steps of one run where nodes are counted: a whole run of a thousand nodes takes minutes. */
  readonly scaleSteps: number;
};

export type Measuring = {
  readonly ambient: Ambient;
  readonly spans: Spans;
  readonly jobs: number;
  readonly recipe: Recipe;
  readonly told: (says: string) => void;
};

const scales = [10, 20, 50, 100, 200, 1_000];

/** Takes all measurements, one after another. */
export async function measure(m: Measuring): Promise<Figures> {
  const { spans, told } = m;
  told("one process");
  const usual: Work = {
    recipe: m.recipe, options: plainOptions, warmMs: spans.warmMs, spanMs: spans.spanMs,
    spans: spans.spans,
  };
  const one = alone(m, usual);
  told("without checks");
  const bare = alone(m, { ...usual, options: { ...plainOptions, checks: false }, spans: 1 });
  told(`${m.jobs} processes`);
  const seedsPerHour = await together(m);
  const scaling = scales.map((nodes) => {
    told(`${nodes} nodes`);
    const recipe: Recipe = {
      profile: "std20",
      adjust: { ...unadjusted, nodes: { makers: Math.floor(nodes * 0.8) - 1,
        takers: Math.ceil(nodes * 0.2) } },
    };
    const ran = alone(m, {
      recipe, options: { ...plainOptions, eventsMax: spans.scaleSteps }, warmMs: spans.warmMs,
      spanMs: spans.scaleMs, spans: 1,
    });
    return { nodes, eventsPerSecond: Math.round(ran.eventsPerSecond) };
  });
  const share = 1 - one.eventsPerSecond / bare.eventsPerSecond;
  return {
    eventsPerSecond: Math.round(one.eventsPerSecond),
    stepsPerSecond: Math.round(one.stepsPerSecond), ratio: Math.round(one.ratio), jobs: m.jobs,
    seedsPerHour, seedMs: one.seedMs, checkShare: Math.max(0, Math.round(100 * share)), scaling,
  };
}

type Alone = Pick<Figures, "eventsPerSecond" | "stepsPerSecond" | "ratio" | "seedMs">;

type Work = Pick<Spans, "warmMs" | "spanMs" | "spans"> & {
  readonly recipe: Recipe;
  readonly options: RunOptions;
};

const nothing = { events: 0, steps: 0, virtualMs: 0, wallMs: 0 };

/** Seed after seed in this process, for so long. */
function alone(m: Measuring, { recipe, options, warmMs, spanMs, spans }: Work): Alone {
  const rates: number[] = [];
  const steps: number[] = [];
  const ratios: number[] = [];
  const times: number[] = [];
  let seed = 0n;
  const run = (ms: number): typeof nothing => {
    const began = m.ambient.now();
    const sum = { ...nothing };
    do {
      const at = m.ambient.now();
      const scenario = drawn(recipe.profile, seedText(seed), recipe.adjust, builtIn);
      const going = builtIn.begin(scenario, options);
      while (builtIn.advance(going)) sum.events += 1;
      const outcome = builtIn.outcome(going);
      seed += 1n;
      sum.steps += outcome.steps;
      sum.virtualMs += outcome.virtualMs;
      times.push(m.ambient.now() - at);
    } while (m.ambient.now() - began < ms);
    sum.wallMs = Math.max(1, m.ambient.now() - began);
    return sum;
  };
  if (warmMs > 0) run(warmMs);
  times.length = 0;
  for (let i = 0; i < spans; i += 1) {
    const sum = run(spanMs);
    rates.push((sum.events * 1_000) / sum.wallMs);
    steps.push((sum.steps * 1_000) / sum.wallMs);
    ratios.push(sum.virtualMs / sum.wallMs);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(share * (times.length - 1))] ?? 0;
  return {
    eventsPerSecond: median(rates), stepsPerSecond: median(steps), ratio: median(ratios),
    seedMs: { p50: at(0.5), p95: at(0.95), most: at(1) },
  };
}

/** Complete seeds in an hour over all processes, with everything that a hunt does. */
async function together(m: Measuring): Promise<number> {
  const pool = createPool({ size: m.jobs, ambient: m.ambient });
  const tally = createTally();
  let began = m.ambient.now();
  let warmSeeds: number | undefined;
  const { warmMs, seedsMs } = m.spans;
  const elapsed = (): number => m.ambient.now() - began;
  try {
    await search(pool, {
      recipe: m.recipe, options: plainOptions, range: { from: 1n << 32n, count: seedsMax },
      shard: { at: 1, of: 1 },
    }, { next: 0, tally }, {
      isOver: () => warmSeeds !== undefined && elapsed() >= seedsMs,
      merged: () => {
        if (warmSeeds === undefined && elapsed() >= warmMs) {
          warmSeeds = tally.seeds;
          began = m.ambient.now();
        }
        return false;
      },
    });
    const seeds = tally.seeds - (warmSeeds ?? 0);
    return Math.round((seeds * 3_600_000) / Math.max(1, elapsed()));
  } finally {
    await pool.close();
  }
}

/** The middle of a list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
