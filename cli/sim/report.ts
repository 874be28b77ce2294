/**
 * What a search came to, for people and for programs.
 *
 * Rule 1: stdout holds the report; its last line is for programs. Where stdout is one JSON or XML
 * document, that line goes to stderr.
 * @module
 */
import { countText, plural, spanText } from "../../sim/words.ts";
import { exits } from "../exit.ts";
import type { Io } from "../io.ts";
import { failureText } from "./failure.ts";
import type { Format } from "./flags.ts";
import { type GoalMode, missing, namesGoals, shareText } from "./goals.ts";
import type { KeptFile } from "./keep.ts";
import { virtualText } from "./progress.ts";
import type { Recipe } from "./job.ts";
import { shortSeed } from "./seeds.ts";
import type { Tally } from "./tally.ts";
import { exitOfTally, foundFields, lastLine, worstFound } from "./verdict.ts";
import { type Case, githubText, junitText } from "./formats.ts";

export type Report = {
  readonly hunt: {
    readonly plan: { readonly recipe: Recipe };
    readonly code: string;
    readonly again: readonly string[];
    readonly progress: { readonly tally: Tally };
    readonly settings: { readonly format: Format };
    readonly goalMode: GoalMode;
  };
  readonly kept: readonly KeptFile[];
  /** Goals that should have been reached and were not. */
  readonly unmet: readonly string[];
  /** Workers that died on the way. */
  readonly deaths: readonly string[];
  /** A file that was asked for could not be written. */
  readonly isLost: boolean;
};

/** Tells what became of a search; the exit code. */
export function reportHunt(r: Report, io: Io): number {
  const { tally } = r.hunt.progress;
  const verdict = exitOfTally(tally, r.unmet);
  const exit = verdict === exits.ok && r.isLost ? exits.failed : verdict;
  for (const says of r.deaths) io.err(`dogwatch: a worker ${says}; it was started again\n`);
  const last = lastOf(r, exit);
  switch (r.hunt.settings.format) {
    case "json": io.out(jsonOf(r, exit)); break;
    case "junit": io.out(junitText("dogwatch sim hunt", casesOf(r), tally.wallMs)); break;
    case "github": io.out(githubText(casesOf(r)) + last); return exit;
    case "tty": io.out(ttyOf(r, io) + last); return exit;
  }
  io.err(last);
  return exit;
}

function lastOf(r: Report, exit: number): string {
  const { tally } = r.hunt.progress;
  const worst = worstFound(tally);
  const first = tally.differing[0]?.seed ?? tally.touched[0]?.seed ?? tally.broken[0]?.seed;
  const file = r.kept.find(({ found }) => found.finding.shape === worst?.finding.shape);
  const fields = worst === undefined || exit === exits.nondeterministic
    ? { seed: first === undefined ? undefined : shortSeed(first) }
    : foundFields(worst, file?.isWritten === true ? file.file : undefined);
  const others = { seeds: tally.seeds, found: tally.found.length };
  const unmet = exit === exits.goals ? { unmet: r.unmet.length } : {};
  return lastLine(exit, { ...fields, ...others, ...unmet, digest: tally.digest });
}

function jsonOf(r: Report, exit: number): string {
  const { plan, code, again, progress: { tally } } = r.hunt;
  const { recipe } = plan;
  const all = {
    schema: 1, exit, code, profile: recipe.profile, flags: again, tally,
    goals: { missing: missing(tally, recipe), unmet: r.unmet },
    kept: r.kept.map(({ file, beside, found, shrunk }) => ({
      file, beside, id: found.finding.id, shape: found.finding.shape, seed: found.seed,
      runs: shrunk?.runs, faults: shrunk?.says,
    })),
  };
  return `${JSON.stringify(all)}\n`;
}

function casesOf(r: Report): Case[] {
  const { tally } = r.hunt.progress;
  const differing = [
    ...tally.differing.map(({ seed, digests }) => `seed ${seed}: ${digests.join(" and ")}`),
    ...tally.touched.map(({ seed, what }) => `seed ${seed} reached for ${what}`),
  ];
  return [
    ...tally.found.map((found): Case => ({
      name: found.finding.shape,
      says: `${found.finding.says} (seed ${shortSeed(found.seed)})`,
      more: r.kept.filter((one) => one.found === found)
        .map(({ file }) => `dogwatch sim replay ${file}`),
    })),
    { name: "same seed, same run", says: differing[0], more: differing.slice(1) },
    { name: "every seed runs to its end", says: brokenText(tally), more: [] },
    { name: "every goal is reached", says: r.unmet[0], more: r.unmet.slice(1) },
  ];
}

function brokenText({ broken, spent }: Tally): string | undefined {
  const [first] = broken;
  if (first !== undefined) return `seed ${first.seed}: ${first.says}`;
  return spent[0] === undefined ? undefined : `seed ${spent[0]}: the budget was spent`;
}

function ttyOf(r: Report, io: Io): string {
  const { tally } = r.hunt.progress;
  const lines = [
    ...r.kept.map((kept) => failureText(kept, io)),
    ...tally.differing.map(({ seed, digests }) =>
      `seed ${shortSeed(seed)} gave different runs: ${digests.join(" and ")}\n` +
      `  look  dogwatch sim check-determinism ${shortSeed(seed)} ${r.hunt.again.join(" ")}\n`),
    ...tally.touched.map(({ seed, what }) =>
      `seed ${shortSeed(seed)} reached for ${what}: no step may\n`),
    ...tally.broken.map(({ seed, says }) => `seed ${shortSeed(seed)} had no end: ${says}\n`),
    ...spentLines(tally, r),
    ...r.unmet.map((name) => `never reached: ${name}\n`),
    summary(r),
  ];
  return lines.map((text) => (text.endsWith("\n") ? text : `${text}\n`)).join("");
}

function spentLines({ spent }: Tally, r: Report): string[] {
  const [first] = spent;
  if (first === undefined) return [];
  const again = ["dogwatch sim run", shortSeed(first), ...r.hunt.again].join(" ");
  return [`${plural(spent.length, "seed")} used up the budget of steps, such as: ${again}\n`];
}

function summary(r: Report): string {
  const { plan: { recipe }, progress: { tally }, goalMode } = r.hunt;
  const lacking = namesGoals(tally, goalMode) ? missing(tally, recipe) : [];
  const parts = [
    plural(tally.seeds, "seed"), `virtual ${virtualText(tally.virtualMs)}`,
    plural(tally.steps, "step"), `${spanText(Math.round(tally.wallMs / 100) * 100)} of search`,
    `${countText(tally.twice)} run twice`, `goals ${shareText(tally, recipe)}`,
    `found ${tally.found.length}`,
  ];
  const ids = lacking.map((name) => name.split(" ")[0]).join(" ");
  const more = lacking.length === 0 ? "" : `not reached: ${ids}\n`;
  return `${parts.join(", ")}\n${more}`;
}
