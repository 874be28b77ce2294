/**
 * The verdict over a search: its exit code and its last line.
 *
 * Rule 1: what makes all other verdicts doubtful comes first: runs that differ, workers that crash.
 * Rule 2: the last line is for programs: `SIM`, one word, then `name=value` without blanks.
 * @module
 */
import type { Verdict } from "../../sim/outcome.ts";
import { exits } from "../exit.ts";
import { version } from "../version.ts";
import { commit, shortSeed } from "./seeds.ts";
import type { Found, Tally } from "./tally.ts";

/** The exit code of a run. */
export function exitOf(verdict: Verdict): number {
  switch (verdict) {
    case "pass": return exits.ok;
    case "safety": return exits.safety;
    case "liveness": return exits.liveness;
    case "crash": return exits.invariant;
    case "budget": return exits.budget;
  }
}

/** The exit code of a search. `unmet`: goals that should have been reached and were not. */
export function exitOfTally(tally: Tally, unmet: readonly string[]): number {
  if (tally.differing.length > 0 || tally.touched.length > 0) return exits.nondeterministic;
  if (tally.broken.length > 0) return exits.invariant;
  const worst = worstFound(tally);
  if (worst !== undefined) return exitOf(worst.verdict);
  if (unmet.length > 0) return exits.goals;
  return tally.spent.length > 0 ? exits.budget : exits.ok;
}

const badness: readonly Verdict[] = ["crash", "safety", "liveness"];

/** The finding that the exit code is about: crashes first, then the earliest seen. */
export function worstFound(tally: Tally): Found | undefined {
  for (const verdict of badness) {
    const one = tally.found.find((found) => found.verdict === verdict);
    if (one !== undefined) return one;
  }
  return undefined;
}

/** The word of an exit code. */
export function wordOf(exit: number): string {
  switch (exit) {
    case exits.ok: return "pass";
    case exits.nondeterministic: return "differs";
    case exits.goals: return "unmet";
    case exits.budget: return "inconclusive";
    case exits.canary: return "blind";
    default: return "fail";
  }
}

export type Fields = { readonly [name: string]: string | number | undefined };

/** The last line, with its newline. Fields that are absent are left out. */
export function lastLine(exit: number, fields: Fields): string {
  const hash = commit()?.slice(0, 7);
  const code = hash === undefined ? { version: version() } : { commit: hash };
  const known = { ...fields, ...code, exit };
  const told = Object.entries(known).filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => `${name}=${String(value).replaceAll(/\s+/g, "_")}`);
  return `${["SIM", wordOf(exit), ...told].join(" ")}\n`;
}

/** Which code was simulated: the commit, or the version outside a repository. */
export function codeText(): string {
  return commit()?.slice(0, 7) ?? `v${version()}`;
}

/** Fields of the last line that name a finding. */
export function foundFields(found: Found, repro: string | undefined): Fields {
  return {
    id: found.finding.id, seed: shortSeed(found.seed), hash: found.digest, repro,
  };
}
