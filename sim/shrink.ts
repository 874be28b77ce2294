/**
 * Makes a failing scenario as small as it can be while it still fails in the same way.
 *
 * Rule 1: a candidate is accepted only if the same invariant fails with the same shape; a failure
 * of another shape is kept as a finding of its own.
 * Rule 2: structure first, then values; every pass again until a whole round changes nothing, or
 * the budget of runs is used up.
 * Rule 3: all state is plain JSON data, so that it can be kept in a file and taken up again.
 * Rule 4: candidates may be run ahead and in parallel. They count in their order, as if each had
 * been run when its turn came: the result does not depend on how many run at a time.
 * Not known here: how a scenario is run.
 * @module
 */
import { assert } from "../core/assert.ts";
import { hashOf } from "./canonical.ts";
import type { Finding, Outcome } from "./outcome.ts";
import type { Scenario } from "./scenario.ts";
import { fieldPass } from "./shrink/bisect.ts";
import { fields, together } from "./shrink/fields.ts";
import { choices, chunks, start, type Best, type Pass, type Place } from "./shrink/pass.ts";
import * as plain from "./shrink/plain.ts";
import { weaken } from "./shrink/weaken.ts";
import { plural } from "./words.ts";

/** Runs a scenario to its end. */
export type Run = (scenario: Scenario) => Outcome;

export type ShrinkOptions = {
  /** Runs that count, at most. 1,000. */
  readonly runsMax: number;
};

/** A failure of another kind that came up on the way. */
export type Slipped = { readonly scenario: Scenario; readonly finding: Finding };

/** The shrinker; plain JSON data. */
export type Shrink = {
  readonly runsMax: number;
  /** What the scenario was before. */
  readonly from: { readonly faults: number; readonly entries: number; readonly nodes: number };
  /** What must fail. */
  readonly id: string;
  readonly shape: string;
  best: Best;
  /** Candidates that counted. */
  runs: number;
  /** How often a smaller scenario was found. */
  accepted: number;
  /** Numbers of faults and triggers on the way down. */
  readonly trail: number[];
  cursor: Cursor;
  /** Hashes of candidates that do not fail this way. */
  readonly known: string[];
  /** Outcomes of candidates whose turn has not come. */
  readonly ahead: Ahead[];
  /** Hashes of what `wanted` gave last. */
  readonly asked: string[];
  readonly slipped: Slipped[];
};

/** Where the search is. `isOver`: nothing more is tried; `isMinimal`: a round changed nothing. */
type Cursor = {
  round: number;
  pass: number;
  hasChanged: boolean;
  isOver: boolean;
  isMinimal: boolean;
  readonly place: Place;
};

type Ahead = { readonly hash: string; readonly outcome: Outcome };

/** More rounds than this mean that values chase each other. */
const roundsMax = 12;
const slippedMax = 16;
const aheadMax = 64;

const passes: readonly Pass[] = [
  choices("truncate", plain.truncate),
  choices("groups", plain.groups),
  chunks("nodes", plain.topology),
  chunks("wallets", plain.wallets),
  chunks("entries", plain.entries),
  choices("merge", plain.merge),
  choices("rename", plain.rename),
  choices("weaken", weaken),
  choices("noise", plain.noise),
  choices("plainer", plain.plainer),
  fieldPass("values", fields),
  fieldPass("together", together),
  choices("pairs", plain.pairs),
];

/** A shrinker for a failing scenario and the outcome of its run. */
export function create(
  scenario: Scenario,
  outcome: Outcome,
  options: Partial<ShrinkOptions> = {},
): Shrink {
  const finding = outcome.finding;
  assert(finding !== undefined, "only a failing scenario can be made smaller");
  const size = sizeOf(scenario);
  return {
    runsMax: options.runsMax ?? 1_000,
    from: size,
    id: finding.id, shape: finding.shape,
    best: { scenario, outcome: slim(outcome) },
    runs: 0, accepted: 0, trail: [size.faults],
    cursor: begin(),
    known: [hashOf(scenario)], ahead: [], asked: [], slipped: [],
  };
}

function begin(): Cursor {
  return {
    round: 0, pass: 0, hasChanged: false, isOver: false, isMinimal: false, place: start(),
  };
}

/** How many faults (with triggers), entries and nodes a scenario has. */
export function sizeOf(s: Scenario): { faults: number; entries: number; nodes: number } {
  const faults = s.faults.length + s.triggers.length;
  return { faults, entries: faults + s.workload.length, nodes: s.nodes.length };
}

/** Checkpoints are long and belong to one run. */
function slim(outcome: Outcome): Outcome {
  return { ...outcome, checkpoints: [] };
}

/**
 * Up to `count` scenarios to run next, in order: the second and later ones are wanted if those
 * before them do not fail. Empty when there is nothing more to do.
 */
export function wanted(m: Shrink, count: number): Scenario[] {
  const scenarios: Scenario[] = [];
  m.asked.length = 0;
  const cursor = copy(m.cursor);
  let left = m.runsMax - m.runs;
  while (scenarios.length < count && left > 0) {
    const candidate = propose(m, cursor);
    if (candidate === undefined) break;
    const hash = hashOf(candidate);
    const isNews = !m.known.includes(hash) && !m.asked.includes(hash);
    if (isNews) left -= 1;
    if (isNews && !m.ahead.some((other) => other.hash === hash)) {
      scenarios.push(candidate);
      m.asked.push(hash);
    }
    reject(m, cursor);
  }
  return scenarios;
}

/**
 * What came of the scenarios that `wanted` gave, in the same order; `undefined` where a run was
 * lost, and it will be wanted again.
 */
export function tried(m: Shrink, outcomes: readonly (Outcome | undefined)[]): void {
  assert(outcomes.length <= m.asked.length, "more outcomes than scenarios were wanted");
  for (let i = 0; i < outcomes.length; i += 1) {
    const outcome = outcomes[i];
    if (outcome === undefined) continue;
    m.ahead.push({ hash: m.asked[i] as string, outcome: slim(outcome) });
  }
  m.asked.length = 0;
  settle(m);
  trim(m);
}

/**
 * What came of one scenario that `wanted` gave, whichever that was: nobody waits for the others.
 * Nothing may have been accepted since it was given.
 */
export function arrived(m: Shrink, scenario: Scenario, outcome: Outcome): void {
  m.ahead.push({ hash: hashOf(scenario), outcome: slim(outcome) });
  settle(m);
  trim(m);
}

function trim({ ahead }: Shrink): void {
  if (ahead.length > aheadMax) ahead.splice(0, ahead.length - aheadMax);
}

/** Nothing is left to try, or the budget is used up. */
export function done(m: Shrink): boolean {
  return m.cursor.isOver || m.runs >= m.runsMax;
}

/** No pass finds anything smaller. */
export function isMinimal(m: Shrink): boolean {
  return m.cursor.isMinimal;
}

/** The smallest failing scenario so far, with its outcome. */
export function best(m: Shrink): Best {
  return m.best;
}

/** What it is doing, for people: `20 → 11 → 5 → 3 faults`. */
export function progress(m: Shrink, arrow = "→"): string {
  const last = m.trail.at(-1) ?? 0;
  const before = shortened(m.trail.slice(0, -1)).map((n) => `${n} ${arrow} `);
  return `${before.join("")}${plural(last, "fault")}`;
}

/** The name of the pass it is in. */
export function stage(m: Shrink): string {
  return m.cursor.isOver ? "done" : passes[m.cursor.pass]?.name ?? "done";
}

/** At most this many numbers before the last. */
const trailMax = 4;

function shortened(trail: readonly number[]): number[] {
  if (trail.length <= trailMax) return trail.slice();
  const picked: number[] = [];
  for (let i = 0; i < trailMax; i += 1) {
    const at = Math.trunc((i * (trail.length - 1)) / (trailMax - 1));
    picked.push(trail[at] as number);
  }
  return picked;
}

export type Shrunk = {
  readonly scenario: Scenario;
  readonly outcome: Outcome;
  readonly runs: number;
  /** No pass finds anything smaller; otherwise the budget was used up. */
  readonly isMinimal: boolean;
  /** `20 → 11 → 5 → 3 faults`. */
  readonly says: string;
  readonly from: Shrink["from"];
  readonly slipped: readonly Slipped[];
};

/** What has come of it so far. */
export function result(m: Shrink): Shrunk {
  return {
    scenario: m.best.scenario, outcome: m.best.outcome, runs: m.runs, isMinimal: isMinimal(m),
    says: progress(m), from: m.from, slipped: m.slipped,
  };
}

/**
 * Shrinks in one go, one run after another. `outcome` is that of `scenario` if it is known already.
 */
export function shrink(
  scenario: Scenario,
  run: Run,
  options: Partial<ShrinkOptions> & { readonly outcome?: Outcome } = {},
): Shrunk {
  const m = create(scenario, options.outcome ?? run(scenario), options);
  while (!done(m)) tried(m, wanted(m, 1).map((one) => runOrNot(one, run, m.best.outcome)));
  return result(m);
}

/**
 * A candidate that cannot be run at all, such as one with settings that contradict each other, is
 * not the failure that is looked for.
 */
function runOrNot(scenario: Scenario, run: Run, like: Outcome): Outcome {
  try {
    return run(scenario);
  } catch {
    return { ...like, verdict: "budget", finding: undefined };
  }
}

/** Takes what is known in its order, as far as it goes. */
function settle(m: Shrink): void {
  while (m.runs < m.runsMax) {
    const candidate = propose(m, m.cursor);
    if (candidate === undefined) return;
    const hash = hashOf(candidate);
    if (m.known.includes(hash)) {
      reject(m, m.cursor);
      continue;
    }
    const at = m.ahead.findIndex((other) => other.hash === hash);
    if (at < 0) return;
    const [taken] = m.ahead.splice(at, 1);
    m.known.push(hash);
    m.runs += 1;
    if (taken !== undefined) judge(m, candidate, taken.outcome);
  }
}

function judge(m: Shrink, candidate: Scenario, outcome: Outcome): void {
  const finding = outcome.finding;
  if (finding === undefined) return reject(m, m.cursor);
  if (finding.id === m.id && finding.shape === m.shape) return accept(m, candidate, outcome);
  slip(m, candidate, finding);
  reject(m, m.cursor);
}

function accept(m: Shrink, scenario: Scenario, outcome: Outcome): void {
  m.best = { scenario, outcome };
  m.accepted += 1;
  // What was run ahead was made from the one before.
  m.ahead.length = 0;
  const { faults } = sizeOf(scenario);
  if (faults !== m.trail.at(-1)) m.trail.push(faults);
  m.cursor.hasChanged = true;
  pass(m.cursor).moved(m.best, m.cursor.place, true);
}

/** The first of each shape is kept. */
function slip(m: Shrink, scenario: Scenario, finding: Finding): void {
  if (m.slipped.length >= slippedMax) return;
  if (m.slipped.some((other) => other.finding.shape === finding.shape)) return;
  m.slipped.push({ scenario, finding });
}

function pass(cursor: Cursor): Pass {
  const current = passes[cursor.pass];
  assert(current !== undefined, "a pass beyond the last");
  return current;
}

/** The candidate at the cursor, which moves over passes that have nothing more. */
function propose(m: Shrink, cursor: Cursor): Scenario | undefined {
  while (!cursor.isOver) {
    const candidate = pass(cursor).propose(m.best, cursor.place, cursor.round);
    if (candidate !== undefined) return candidate;
    nextPass(cursor);
  }
  return undefined;
}

function reject(m: Shrink, cursor: Cursor): void {
  pass(cursor).moved(m.best, cursor.place, false);
}

function nextPass(cursor: Cursor): void {
  Object.assign(cursor.place, start());
  cursor.pass += 1;
  if (cursor.pass < passes.length) return;
  cursor.pass = 0;
  cursor.round += 1;
  cursor.isMinimal = !cursor.hasChanged;
  cursor.isOver = cursor.isMinimal || cursor.round >= roundsMax;
  cursor.hasChanged = false;
}

function copy(cursor: Cursor): Cursor {
  return { ...cursor, place: { ...cursor.place } };
}
