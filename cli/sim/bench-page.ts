/**
 * What `dogwatch sim bench --record` writes for people: the newest figures beside their targets.
 * @module
 */
import { stamp } from "../../core/notify/format.ts";
import { countText } from "../../sim/words.ts";
import { type BenchLine, median } from "./bench-figures.ts";
import type { Kept } from "./files.ts";

/** What it took to make the kept failures small, as it was noted then; medians. */
export type Shrink = {
  readonly failures: number;
  readonly runs: number;
  readonly seconds: number;
};

/** `undefined`: of none it was noted. */
export function shrinkOf(kept: readonly Kept[]): Shrink | undefined {
  const noted = kept.flatMap(({ shrunk }) => (shrunk?.ms === undefined ? [] : [shrunk]));
  if (noted.length === 0) return undefined;
  return {
    failures: noted.length, runs: median(noted.map((one) => one.runs)),
    seconds: median(noted.map((one) => one.ms ?? 0)) / 1_000,
  };
}

type Row = readonly [what: string, target: string, measured: string, holds: boolean | undefined];

const noted = [
  "", "What it took to shrink kept failures is as it was noted when each was found, beside other",
  "work; what it takes alone is in [shrink.md](shrink.md).",
];

/** The page of one measurement. */
export function page(line: BenchLine, kept: readonly Kept[]): string {
  const shrunk = shrinkRows(shrinkOf(kept));
  const rows = [...ratesOf(line), ...scalingOf(line), ...shrunk];
  return [
    "# Simulator: benchmark", "",
    `Measured ${stamp(line.at).slice(0, 10)} by \`npm run bench:sim\`: ${
      line.machine}. Checks and digest are`,
    "on, the program is the built one. `std20` is a directory, 20 makers, 5 takers, 2 hours and",
    "faults. An event is what a world does next: an arrival, a timer, a dial, a wake-up or a step",
    "of a machine. Young objects have 64 MB, as in the workers of a hunt. Figures are medians;",
    "every run appends to [sim.jsonl](sim.jsonl).", "",
    "| figure | target | measured | holds |", "|---|---|---|---|",
    ...rows.map(([what, target, measured, holds]) =>
      `| ${what} | ${target} | ${measured} | ${verdictOf(holds)} |`),
    ...shrunk.length === 0 ? [] : noted, "",
  ].join("\n");
}

function verdictOf(holds: boolean | undefined): string {
  if (holds === undefined) return "-";
  return holds ? "yes" : "no";
}

function ratesOf({ figures: f }: BenchLine): Row[] {
  const atLeast = (what: string, least: number, value: number, unit = ""): Row =>
    [what, `>= ${countText(least)}${unit}`, `${countText(value)}${unit}`, value >= least];
  return [
    atLeast("events/s, one process", 500_000, f.eventsPerSecond),
    ["steps of machines among them", "-", countText(f.stepsPerSecond), undefined],
    atLeast("simulated : wall, std20, one process", 40_000, f.ratio, " : 1"),
    atLeast(`complete std20 seeds/h, ${f.jobs} processes`, 40_000, f.seedsPerHour),
    ["ms a seed, p50 / p95 / most", "-", `${f.seedMs.p50} / ${f.seedMs.p95} / ${f.seedMs.most}`,
      undefined],
    ["share of checks", "-", `${f.checkShare} %`, undefined],
  ];
}

function scalingOf({ figures: { scaling } }: BenchLine): Row[] {
  const half = (scaling.find(({ nodes }) => nodes === 50)?.eventsPerSecond ?? 0) / 2;
  return scaling.map(({ nodes, eventsPerSecond }) => nodes === 1_000
    ? ["events/s at 1,000 nodes", `>= half of 50 nodes: ${countText(Math.ceil(half))}`,
      countText(eventsPerSecond), eventsPerSecond >= half]
    : [`events/s at ${countText(nodes)} nodes`, "-", countText(eventsPerSecond), undefined]);
}

function shrinkRows(shrink: Shrink | undefined): Row[] {
  if (shrink === undefined) return [];
  const { failures, runs, seconds } = shrink;
  return [
    [`runs to shrink a failure, ${failures} kept ones`, "<= 500", countText(runs), runs <= 500],
    [`seconds to shrink a failure, ${failures} kept ones`, "<= 10", seconds.toFixed(1),
      seconds <= 10],
  ];
}
