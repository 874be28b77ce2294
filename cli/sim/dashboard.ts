/**
 * `dogwatch sim dashboard`: a page about many nights of searching, from the lines that they left.
 * @module
 */
import { readFileSync } from "node:fs";
import { plural } from "../../sim/words.ts";
import { exits } from "../exit.ts";
import type { Io } from "../io.ts";
import { historyOf } from "./dashboard-data.ts";
import { pageOf } from "./dashboard-page.ts";
import { writeWhole } from "./files.ts";

export type DashboardFlags = { readonly out?: string };

/** Writes the page; 1 if a history cannot be read. */
export function dashboard(files: readonly string[], flags: DashboardFlags, io: Io): number {
  const lines: string[] = [];
  for (const file of files) {
    try {
      lines.push(...readFileSync(file, "utf8").split("\n"));
    } catch (error) {
      io.err(`dogwatch: ${file}: ${(error as Error).message}\n`);
      return exits.failed;
    }
  }
  const history = historyOf(lines);
  const out = flags.out ?? "dashboard.html";
  writeWhole(out, pageOf(history));
  if (history.odd > 0) io.err(`dogwatch: ${plural(history.odd, "line")} left out: no history\n`);
  const { days, found } = history;
  io.out(`${out}: ${plural(days.length, "day")}, ${plural(found.length, "finding")}\n`);
  return exits.ok;
}
