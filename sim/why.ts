/**
 * Why a scenario fails: which of its entries are needed, and when the failure became likely.
 *
 * Rule 1: an entry is necessary if the scenario without it does not fail in the same way.
 * Rule 2: for the second question the run is forked: the same up to an instant, everything random
 * drawn anew after it. The share of forks that still fail, over instants, jumps where the failure
 * was decided.
 * Rule 3: a coarse row of instants first, then bisection of its jump, where an instant is given up
 * as soon as too many of its forks pass.
 * Rule 4: all state is plain JSON data; runs may be spread over processes, and the answer does not
 * depend on how.
 * @module
 */
import { assert } from "../core/assert.ts";
import { withoutIds } from "./shrink/edit.ts";
import type { Finding, Outcome } from "./outcome.ts";
import type { Scenario } from "./scenario.ts";

/** From `atUs` on, everything random is drawn from another seed. */
export type Fork = { readonly atUs: number; readonly seed: string };

/** One run that is wanted. */
export type Ask = { readonly scenario: Scenario; readonly fork?: Fork };

export type WhyOptions = {
  /** Instants of the coarse row, the beginning and the failure included; at least 2. 9. */
  readonly columns: number;
  /** Forks at each instant. 20. */
  readonly forks: number;
  /** Parts of a thousand of forks that must fail to call it certain. 900. */
  readonly certainPerMille: number;
  /** Bisection ends at a gap of this, in microseconds. 1,000,000. */
  readonly gapUs: number;
};
export const whyDefaults: WhyOptions = {
  columns: 9, forks: 20, certainPerMille: 900, gapUs: 1_000_000,
};

/** What the scenario without one entry does. */
export type Row = {
  readonly id: number;
  readonly list: "faults" | "triggers" | "workload";
  /** `other`: it fails in another way, which `says` tells. */
  readonly without: "passes" | "fails" | "other";
  readonly says: string;
};

/** At an instant, how many of how many forks failed in the same way. */
export type Point = { readonly atUs: number; readonly fails: number; readonly runs: number };

/** The question as it is worked on; plain JSON data. */
export type Why = {
  readonly scenario: Scenario;
  readonly finding: Finding;
  readonly options: WhyOptions;
  readonly rows: Row[];
  readonly points: { atUs: number; fails: number; runs: number }[];
  /** The instants that still get forks, in this order. */
  readonly due: number[];
  /** Bisection: the failure is not certain at `lowUs` and is at `highUs`. -1: not begun. */
  lowUs: number;
  highUs: number;
  isOver: boolean;
  runs: number;
  /** How many runs `wanted` gave last. */
  asked: number;
};

export type WhyResult = {
  readonly rows: readonly Row[];
  /** In the order of time; the failure itself last. */
  readonly points: readonly Point[];
  /** Between the two the failure became certain; equal if it was from the beginning. */
  readonly jump: { readonly fromUs: number; readonly toUs: number };
  /** Shares before and after the jump, in parts of a thousand. */
  readonly before: number;
  readonly after: number;
  readonly runs: number;
};

/** Begins with a failing scenario and its outcome. */
export function create(
  scenario: Scenario,
  outcome: Outcome,
  options: Partial<WhyOptions> = {},
): Why {
  const finding = outcome.finding;
  assert(finding !== undefined, "only a failure has a why");
  const whole = { ...whyDefaults, ...options };
  assert(whole.columns >= 2, "a row of instants has two ends");
  assert(whole.forks >= 1, "an instant without forks says nothing");
  return {
    scenario, finding, options: whole, rows: [], points: [],
    due: columns(finding.atUs, whole.columns), lowUs: -1, highUs: -1, isOver: false, runs: 0,
    asked: 0,
  };
}

/** From 0 to just before the failure; at the failure itself nothing is open any more. */
function columns(endUs: number, count: number): number[] {
  const instants: number[] = [];
  for (let i = 0; i < count - 1; i += 1) {
    const atUs = Math.trunc((endUs / (count - 1)) * i);
    if (!instants.includes(atUs)) instants.push(atUs);
  }
  return instants;
}

/** Up to `count` runs to make next, in order; empty when the question is answered. */
export function wanted(w: Why, count: number): Ask[] {
  const asks: Ask[] = [];
  const entries = entriesOf(w.scenario);
  for (let i = w.rows.length; i < entries.length && asks.length < count; i += 1) {
    asks.push({ scenario: withoutIds(w.scenario, [entries[i]?.id as number]) });
  }
  if (w.rows.length + asks.length < entries.length) return asked(w, asks);
  addForks(w, asks, count);
  return asked(w, asks);
}

function asked(w: Why, asks: Ask[]): Ask[] {
  w.asked = asks.length;
  return asks;
}

function addForks(w: Why, asks: Ask[], count: number): void {
  for (const atUs of w.due) {
    const had = pointAt(w, atUs)?.runs ?? 0;
    for (let n = had; n < w.options.forks && asks.length < count; n += 1) {
      asks.push({ scenario: w.scenario, fork: { atUs, seed: `${w.scenario.seed}/${n}` } });
    }
  }
}

/** What came of the runs that `wanted` gave, in the same order; fewer if not all were made. */
export function tried(w: Why, outcomes: readonly Outcome[]): void {
  assert(outcomes.length <= w.asked, "more outcomes than runs were wanted");
  w.asked = 0;
  const entries = entriesOf(w.scenario);
  let at = 0;
  for (; at < outcomes.length && w.rows.length < entries.length; at += 1) {
    const entry = entries[w.rows.length] as Entry;
    w.rows.push({ ...entry, ...rowOf(w, (outcomes[at] as Outcome).finding) });
    w.runs += 1;
  }
  if (w.rows.length < entries.length) return;
  settle(w);
  const isBisecting = w.lowUs >= 0;
  const dueUs = w.due[0];
  for (; at < outcomes.length; at += 1) {
    // The rest was run ahead for an instant that is decided by now.
    if (isBisecting && w.due[0] !== dueUs) return;
    forked(w, outcomes[at] as Outcome);
    settle(w);
  }
}

type Entry = { readonly id: number; readonly list: Row["list"] };

function entriesOf(s: Scenario): Entry[] {
  const faults = s.faults.map(({ id }): Entry => ({ id, list: "faults" }));
  const triggers = s.triggers.map(({ id }): Entry => ({ id, list: "triggers" }));
  const tasks = s.workload.map(({ id }): Entry => ({ id, list: "workload" }));
  return [...faults, ...triggers, ...tasks];
}

function rowOf(w: Why, finding: Finding | undefined): Pick<Row, "without" | "says"> {
  if (finding === undefined) return { without: "passes", says: "" };
  if (isSame(w, finding)) return { without: "fails", says: "" };
  return { without: "other", says: `${finding.id}: ${finding.says}` };
}

function isSame(w: Why, finding: Finding): boolean {
  return finding.id === w.finding.id && finding.shape === w.finding.shape;
}

function pointAt(w: Why, atUs: number): Why["points"][number] | undefined {
  return w.points.find((point) => point.atUs === atUs);
}

/** Counts one fork for the instant whose turn it is. */
function forked(w: Why, outcome: Outcome): void {
  const atUs = w.due[0];
  if (atUs === undefined) return;
  w.runs += 1;
  let point = pointAt(w, atUs);
  if (point === undefined) {
    point = { atUs, fails: 0, runs: 0 };
    w.points.push(point);
  }
  point.runs += 1;
  if (outcome.finding !== undefined && isSame(w, outcome.finding)) point.fails += 1;
  if (point.runs >= w.options.forks) w.due.shift();
}

/** Goes on once the row is complete, and after each instant of the bisection. */
function settle(w: Why): void {
  if (w.isOver) return;
  if (w.lowUs < 0 && w.due.length > 0) return;
  if (w.lowUs < 0) {
    beginBisection(w);
    return halve(w);
  }
  const atUs = w.due[0] ?? Math.trunc((w.lowUs + w.highUs) / 2);
  const point = pointAt(w, atUs);
  if (point === undefined) return;
  const isCertain = certain(w, point);
  if (isCertain === undefined) return;
  w.due.length = 0;
  if (isCertain) w.highUs = atUs;
  else w.lowUs = atUs;
  halve(w);
}

/** From the last instant of the row at which the failure was not certain. */
function beginBisection(w: Why): void {
  const inTime = sorted(w.points);
  w.lowUs = 0;
  w.highUs = 0;
  for (let i = 0; i < inTime.length; i += 1) {
    const point = inTime[i] as Point;
    if (certain(w, point) === true) continue;
    w.lowUs = point.atUs;
    w.highUs = inTime[i + 1]?.atUs ?? w.finding.atUs;
  }
}

function halve(w: Why): void {
  if (w.highUs - w.lowUs <= w.options.gapUs) {
    w.isOver = true;
    return;
  }
  w.due.push(Math.trunc((w.lowUs + w.highUs) / 2));
}

/** Whether an instant is certain; `undefined` while its forks may still tip it. */
function certain(w: Why, point: Point): boolean | undefined {
  const { forks, certainPerMille } = w.options;
  const passes = point.runs - point.fails;
  if (passes * 1_000 > forks * (1_000 - certainPerMille)) return false;
  return point.runs >= forks ? true : undefined;
}

function sorted(points: readonly Point[]): Point[] {
  return points.toSorted((a, b) => a.atUs - b.atUs);
}

/** Both questions are answered. */
export function done(w: Why): boolean {
  return w.isOver;
}

/** The answers; complete once `done`. */
export function result(w: Why): WhyResult {
  const points: Point[] = sorted(w.points).map(({ atUs, fails, runs }) => ({ atUs, fails, runs }));
  points.push({ atUs: w.finding.atUs, fails: 1, runs: 1 });
  const jump = { fromUs: at0(w.lowUs), toUs: w.lowUs < 0 ? w.finding.atUs : w.highUs };
  return {
    rows: w.rows, points, jump, before: share(points, jump.fromUs), after: share(points, jump.toUs),
    runs: w.runs,
  };
}

function at0(us: number): number {
  return us < 0 ? 0 : us;
}

/** The share of forks at an instant that failed, in parts of a thousand. */
function share(points: readonly Point[], atUs: number): number {
  const point = points.find((other) => other.atUs === atUs);
  return point === undefined ? 0 : perMille(point);
}

/** Failing forks in parts of a thousand. */
export function perMille(point: Point): number {
  return point.runs === 0 ? 0 : Math.round((point.fails * 1_000) / point.runs);
}

/** Answers in one go, one run after another. */
export function why(
  scenario: Scenario,
  outcome: Outcome,
  run: (scenario: Scenario, options?: { readonly fork?: Fork }) => Outcome,
  options: Partial<WhyOptions> = {},
): WhyResult {
  const w = create(scenario, outcome, options);
  while (!done(w)) {
    const asks = wanted(w, 1);
    tried(w, asks.map((ask) => (ask.fork === undefined ? run(ask.scenario)
      : run(ask.scenario, { fork: ask.fork }))));
  }
  return result(w);
}
