/**
 * The benchmark's results for people and for programs.
 * @module
 */
import { cpus, loadavg, totalmem } from "node:os";
import { today } from "./clock.ts";
import type { Figure } from "./figures.ts";
import type { Report } from "./load.ts";

export type Results = {
  readonly date: string;
  readonly machine: string;
  readonly figures: readonly Figure[];
  /** What the generator reported, row by row; the yardstick's reports are called `bare-…`. */
  readonly reports: readonly Report[];
  /** Rows that could not be measured, and why. */
  readonly failures: readonly string[];
};

/** Where this runs, and how busy the machine was with other things just before. */
export function machine(): string {
  const gib = Math.round(totalmem() / 2 ** 30);
  const load = (loadavg()[0] ?? 0).toFixed(1);
  const node = process.versions.node;
  return `${cpus().length} cores, ${gib} GiB, Node ${node}, loopback, load before ${load}`;
}

/** Puts results together, dated today. */
export function results(
  where: string,
  figures: readonly Figure[],
  reports: readonly Report[],
  failures: readonly string[],
): Results {
  return { date: today(), machine: where, figures, reports, failures };
}

const verdict = (f: Figure): string => (f.holds === undefined ? "-" : f.holds ? "yes" : "no");

/** One line of the table on a terminal. */
export function figureLine(f: Figure): string {
  const head = `${f.name.padEnd(52)} ${String(f.n).padStart(6)}  ${f.target.padEnd(12)}`;
  return `${head} ${verdict(f).padEnd(4)} ${f.measured}`;
}

/** The table's first line. */
export const headLine =
  `${"figure".padEnd(52)} ${"N".padStart(6)}  ${"target".padEnd(12)} holds measured`;

/** What a row offered and what it cost the generator. */
export function reportLine(r: Report): string {
  const cpu = `${r.generatorCpuSec.toFixed(1)} s CPU of ${r.wallSec.toFixed(1)} s`;
  return `# ${r.row}, N = ${r.n}: ${r.offered}; generator ${cpu}`;
}

/** The recorded report. */
export function markdown(r: Results): string {
  const rows = r.figures.map(
    (f) => `| ${f.name} | ${f.n} | ${f.target} | ${f.measured} | ${verdict(f)} |`,
  );
  return [
    "# Directory node: benchmark",
    "",
    `Measured ${r.date} by \`npm run bench:directory -- --record\`: ${r.machine}.`,
    "The load generator is a separate process and shares the cores with the server. It checks that",
    "every line arrives exactly once and in its sender's order; what it finds wrong stands in",
    "brackets behind the figure, and then nothing holds. Figures are medians over repetitions.",
    "Rate limits are raised for the throughput rows and left at their defaults for the burst,",
    "leave and stuck rows. N counts the idle peers; the senders come on top.",
    "",
    "| figure | N | target | measured | holds |",
    "|---|---|---|---|---|",
    ...rows,
    "",
    "## What each row offered",
    "",
    ...r.reports.map((report) => `- ${reportLine(report).slice(2)}`),
    ...r.failures.map((failure) => `- NOT MEASURED: ${failure}`),
    "",
  ].join("\n");
}
