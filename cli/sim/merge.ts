/**
 * `dogwatch sim merge`: the results of shards as if one search had made them.
 *
 * Rule 1: only shards of one search of one code; each at most once.
 * @module
 */
import { exits } from "../exit.ts";
import type { Io } from "../io.ts";
import { Unwritten } from "./files.ts";
import { misused, read, type SimFlags } from "./flags.ts";
import { goalModeOf, unmet } from "./goals.ts";
import { reportHunt } from "./report.ts";
import { seedText, sizeOf } from "./seeds.ts";
import { type HuntState, loadState, saveState } from "./state.ts";
import { createTally, merge as addTally } from "./tally.ts";

export type MergeFlags = SimFlags & { readonly goals?: string; readonly into?: string };

/** Merges; the exit code of the whole. */
export function merge(files: readonly string[], flags: MergeFlags, io: Io): number {
  const settings = read(flags, io);
  if (settings === undefined) return exits.usage;
  const mode = goalModeOf(flags.goals);
  if (!mode.ok) return misused(io, mode.says);
  const states: HuntState[] = [];
  for (const file of files) {
    const state = loadState(file);
    if (!state.ok) return misused(io, state.says);
    const says = clash(file, state.value, states);
    if (says !== undefined) return misused(io, says);
    states.push(state.value);
  }
  states.sort((a, b) => keyOf(a) < keyOf(b) ? -1 : 1);
  const whole = together(states);
  const isLost = flags.into !== undefined && !written(flags.into, whole, io);
  tellGaps(states, io);
  return reportHunt({
    hunt: { ...whole, settings, goalMode: mode.value }, kept: [], deaths: [], isLost,
    unmet: unmet(whole.progress.tally, whole.plan.recipe, mode.value),
  }, io);
}

/** The report does not wait for a disk with room. */
function written(file: string, whole: HuntState, io: Io): boolean {
  try {
    saveState(file, whole);
    return true;
  } catch (error) {
    if (!(error instanceof Unwritten)) throw error;
    io.err(`dogwatch: ${error.message}\n`);
    return false;
  }
}

/** Ranges in the order of their seeds, shards in theirs. */
function keyOf({ plan: { range, shard } }: HuntState): string {
  return `${seedText(range.from)} ${String(shard.at).padStart(7, "0")}`;
}

/** Why a state does not belong to the others. */
function clash(file: string, state: HuntState, others: readonly HuntState[]): string | undefined {
  const [first] = others;
  if (first === undefined) return undefined;
  const { plan, code } = state;
  if (code !== first.code) return `${file}: made on ${code}, the others on ${first.code}`;
  const same = JSON.stringify([plan.recipe, plan.options]);
  if (same !== JSON.stringify([first.plan.recipe, first.plan.options])) {
    return `${file}: another profile or other flags than the first file`;
  }
  const twin = others.find((other) => overlaps(plan, other.plan));
  return twin === undefined ? undefined : `${file}: its seeds are in another file already`;
}

type Plan = HuntState["plan"];

function overlaps(a: Plan, b: Plan): boolean {
  const aTo = a.range.from + BigInt(a.range.count);
  const bTo = b.range.from + BigInt(b.range.count);
  if (aTo <= b.range.from || bTo <= a.range.from) return false;
  const isOneRange = a.range.from === b.range.from && a.range.count === b.range.count
    && a.shard.of === b.shard.of;
  return !isOneRange || a.shard.at === b.shard.at;
}

function together(states: readonly HuntState[]): HuntState {
  const [first] = states;
  if (first === undefined) throw new Error("nothing to merge");
  const tally = createTally();
  for (const { progress } of states) addTally(tally, progress.tally);
  return { ...first, progress: { next: tally.seeds, tally } };
}

/** Shards that are not there or not through. */
function tellGaps(states: readonly HuntState[], io: Io): void {
  const [first] = states;
  const of = first?.plan.shard.of ?? 1;
  const ranges = new Set(states.map(({ plan }) => `${plan.range.from} ${plan.range.count}`));
  const there = new Set(states.map(({ plan }) => plan.shard.at));
  const missing = Array.from({ length: of }, (_, i) => i + 1).filter((at) => !there.has(at));
  if (ranges.size === 1 && missing.length > 0) {
    io.err(`dogwatch: shards that are missing: ${missing.map((at) => `${at}/${of}`).join(", ")}\n`);
  }
  for (const { plan, progress } of states) {
    const total = sizeOf(plan.range, plan.shard);
    if (progress.next >= total) continue;
    const { at } = plan.shard;
    io.err(`dogwatch: shard ${at}/${plan.shard.of} has ${progress.next} of ${total} seeds\n`);
  }
}
