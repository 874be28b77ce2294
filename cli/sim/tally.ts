/**
 * What a hunt has seen so far: sums, first hits, and findings told apart by id and shape.
 *
 * Rule 1: results are added in the order of seeds, so that a tally depends on the seeds alone.
 * Rule 2: plain JSON: it is what a hunt resumes from and what shards hand in to be merged.
 * Rule 3: of failures with one shape the one with the fewest steps is kept, the earlier of equals.
 * @module
 */
import { hashText } from "../../sim/canonical.ts";
import type { Finding, Outcome, Verdict } from "../../sim/outcome.ts";
import type { HarmKind } from "../../sim/scenario.ts";
import type { Answer } from "./job.ts";

export type Found = {
  readonly verdict: Exclude<Verdict, "pass" | "budget">;
  readonly finding: Finding;
  /** The fastest-failing seed, its steps and its entries. */
  seed: string;
  steps: number;
  entries: number;
  digest: string;
  /** Seeds that failed like this. */
  count: number;
};

/** The first seed that hit a goal, its place in the range, and how many seeds did. */
export type Hit = { readonly seed: string; readonly nth: number; count: number };

export type Tally = {
  seeds: number;
  steps: number;
  virtualMs: number;
  /** Milliseconds of search, as a clock on the wall shows. */
  wallMs: number;
  /** Over the digests of all runs in order; empty where tallies were merged. */
  digest: string;
  readonly goals: { [goal: string]: Hit };
  readonly faults: { [kind in HarmKind]?: { fired: number; active: number } };
  readonly gauges: { [name: string]: { most: number; seed: string } };
  readonly found: Found[];
  /** Seeds that were run a second time elsewhere, and those that did not come out the same. */
  twice: number;
  readonly differing: { readonly seed: string; readonly digests: readonly string[] }[];
  /** Seeds whose machines reached for a clock or chance. */
  readonly touched: { readonly seed: string; readonly what: string }[];
  /** Seeds that nobody could finish. */
  readonly broken: { readonly seed: string; readonly says: string }[];
  /** Seeds whose budget ran out. */
  readonly spent: string[];
};

/** Entries of the lists of a tally: after so many of a kind one knows. */
const listMax = 100;

export function createTally(): Tally {
  return {
    seeds: 0, steps: 0, virtualMs: 0, wallMs: 0, digest: "", goals: {}, faults: {}, gauges: {},
    found: [], twice: 0, differing: [], touched: [], broken: [], spent: [],
  };
}

/** Adds what became of the `nth` seed of the range. Returns a finding that is new in its shape. */
export function add(t: Tally, seed: string, nth: number, answer: Answer): Found | undefined {
  t.seeds += 1;
  if (answer.touched !== undefined) {
    push(t.touched, { seed, what: answer.touched });
    return undefined;
  }
  if (!answer.ok) {
    push(t.broken, { seed, says: answer.says });
    return undefined;
  }
  const { outcome, entries } = answer;
  sum(t, seed, nth, outcome);
  if (outcome.verdict === "budget") push(t.spent, seed);
  return outcome.finding === undefined ? undefined : found(t, seed, outcome, entries);
}

function push<T>(list: T[], item: T): void {
  if (list.length < listMax) list.push(item);
}

function sum(t: Tally, seed: string, nth: number, outcome: Outcome): void {
  t.digest = hashText(t.digest + outcome.digest);
  t.steps += outcome.steps;
  t.virtualMs += outcome.virtualMs;
  for (const goal of Object.keys(outcome.goals)) {
    const hit = t.goals[goal] ??= { seed, nth, count: 0 };
    hit.count += 1;
  }
  for (const [kind, { fired, active }] of Object.entries(outcome.faults)) {
    const known = t.faults[kind as HarmKind] ??= { fired: 0, active: 0 };
    known.fired += fired;
    known.active += active;
  }
  for (const [name, value] of Object.entries(outcome.gauges)) {
    const known = t.gauges[name];
    if (known === undefined || value > known.most) t.gauges[name] = { most: value, seed };
  }
}

function found(t: Tally, seed: string, outcome: Outcome, entries: number): Found | undefined {
  const { finding, verdict, steps, digest } = outcome;
  if (finding === undefined || verdict === "pass" || verdict === "budget") return undefined;
  const known = t.found.find((one) => one.finding.shape === finding.shape);
  if (known === undefined) {
    const fresh: Found = { verdict, finding, seed, steps, entries, digest, count: 1 };
    t.found.push(fresh);
    return fresh;
  }
  known.count += 1;
  if (steps < known.steps) Object.assign(known, { finding, seed, steps, entries, digest });
  return undefined;
}

/** Notes that a seed was run a second time. */
export function addTwice(t: Tally, seed: string, first: string, second: string): void {
  t.twice += 1;
  if (first !== second) push(t.differing, { seed, digests: [first, second] });
}

/** Adds a whole tally of other seeds; the caller puts them in order. */
export function merge(into: Tally, from: Tally): void {
  into.digest = "";
  into.seeds += from.seeds;
  into.steps += from.steps;
  into.virtualMs += from.virtualMs;
  into.wallMs += from.wallMs;
  into.twice += from.twice;
  mergeGoals(into, from);
  for (const [kind, { fired, active }] of Object.entries(from.faults)) {
    const known = into.faults[kind as HarmKind] ??= { fired: 0, active: 0 };
    known.fired += fired;
    known.active += active;
  }
  for (const [name, gauge] of Object.entries(from.gauges)) {
    const known = into.gauges[name];
    const isMore = known === undefined || gauge.most > known.most
      || (gauge.most === known.most && isBefore(gauge.seed, known.seed));
    if (isMore) into.gauges[name] = { ...gauge };
  }
  for (const one of from.found) mergeFound(into, one);
  for (const one of from.differing) push(into.differing, one);
  for (const one of from.touched) push(into.touched, one);
  for (const one of from.broken) push(into.broken, one);
  for (const one of from.spent) push(into.spent, one);
}

function mergeGoals(into: Tally, from: Tally): void {
  for (const [goal, hit] of Object.entries(from.goals)) {
    const known = into.goals[goal];
    const count = hit.count + (known?.count ?? 0);
    const first = known === undefined || hit.nth < known.nth ? hit : known;
    into.goals[goal] = { ...first, count };
  }
}

function mergeFound(into: Tally, one: Found): void {
  const known = into.found.find(({ finding }) => finding.shape === one.finding.shape);
  if (known === undefined) return void into.found.push({ ...one });
  const count = known.count + one.count;
  const isBetter = one.steps < known.steps
    || (one.steps === known.steps && isBefore(one.seed, known.seed));
  Object.assign(known, isBetter ? one : known, { count });
}

function isBefore(a: string, b: string): boolean {
  return BigInt(a) < BigInt(b);
}
