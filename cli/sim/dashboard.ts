/**
 * `dogwatch sim dashboard`: a page about many nights of searching, from the lines that they left.
 * @module
 */
import { readText } from "../../adapters/bounded.ts";
import { plural } from "../../sim/words.ts";
import { exits } from "../exit.ts";
import type { Io } from "../io.ts";
import { historyOf } from "./dashboard-data.ts";
import { pageOf } from "./dashboard-page.ts";
import { writeWhole } from "./files.ts";

/** A line a night for many years. 64 MiB. */
const historyBytesMax = 67_108_864;

export type DashboardFlags = { readonly out?: string };

/** Writes the page; 1 if a history cannot be read. */
export function dashboard(files: readonly string[], flags: DashboardFlags, io: Io): number {
  const lines: string[] = [];
  for (const file of files) {
    const read = readText(file, historyBytesMax, "any");
    if (!read.ok) {
      io.err(`dogwatch: ${file}: ${read.says}\n`);
      return exits.failed;
    }
    for (const line of read.text.split("\n")) lines.push(line);
  }
  const history = historyOf(lines);
  const out = flags.out ?? "dashboard.html";
  writeWhole(out, pageOf(history));
  if (history.odd > 0) io.err(`dogwatch: ${plural(history.odd, "line")} left out: no history\n`);
  const { days, found } = history;
  io.out(`${out}: ${plural(days.length, "day")}, ${plural(found.length, "finding")}\n`);
  return exits.ok;
}
