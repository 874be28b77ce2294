/**
 * What became of planted bugs: for a terminal, for programs, for the documentation, and as the
 * record from which killing seeds are run again.
 * @module
 */
import { type Aim, aims } from "../../sim/mutants.ts";
import type { Profile } from "./engine.ts";
import type { Acted, Kill, Place } from "./mutate-hunt.ts";
import { shortSeed } from "./seeds.ts";

/** One planted bug and its end. */
export type Row = {
  readonly id: string;
  readonly aims: Aim;
  readonly says: string;
  /** The bug was seen. */
  readonly kill: Kill | undefined;
  /** Seeds that were searched. */
  readonly seeds: number;
  /** Of those: given up before their end; failed without the bug, too. */
  readonly spent: number;
  readonly doubtful: number;
  /** Of survivors: did it do anything? */
  readonly acted: Acted | undefined;
};

/** The record by bug: which seed of which profile kills it, and how. */
export type Recorded = { readonly [id: string]: Place & { readonly by: string } };

/** Everything about one campaign. */
export type Campaign = {
  readonly rows: readonly Row[];
  readonly profiles: readonly Profile[];
  readonly seedsMax: number;
};

export function survivors(rows: readonly Row[]): readonly Row[] {
  return rows.filter(({ kill }) => kill === undefined);
}

/** Half of the bugs were seen after at most so many seeds; survivors count as never. */
export function median(rows: readonly Row[]): number | undefined {
  const needed = rows.map(({ kill }) => kill?.seeds ?? Number.MAX_SAFE_INTEGER);
  const middle = needed.sort((a, b) => a - b)[Math.ceil(needed.length / 2) - 1];
  return middle === Number.MAX_SAFE_INTEGER ? undefined : middle;
}

/** In the order of what they are aimed at. */
export function inOrder(rows: readonly Row[]): readonly Row[] {
  return [...rows].sort((a, b) => aims.indexOf(a.aims) - aims.indexOf(b.aims));
}

/** One bug, one line. */
export function lineOf({ id, aims: aim, kill, seeds, spent, doubtful, acted }: Row): string {
  const head = `${(kill === undefined ? "SURVIVES" : "dies").padEnd(9)}${aim.padEnd(15)} ${id}`;
  const notes = [
    ...(spent === 0 ? [] : [`${spent} not run to their end`]),
    ...(doubtful === 0 ? [] : [`${doubtful} fail without it too`]),
    ...(acted === undefined ? [] : [actedText(acted)]),
  ].join(", ");
  const tail = notes === "" ? "" : ` (${notes})`;
  if (kill === undefined) return `${head}: not seen in ${seeds} seeds${tail}\n`;
  const where = `${kill.profile} ${shortSeed(kill.seed)}`;
  return `${head}: seed ${kill.seeds}, ${where}, ${kill.id}: ${kill.says}${tail}\n`;
}

/** Why it was not seen, as far as that can be told. */
function actedText({ seeds, of }: Acted): string {
  return seeds === 0 ? `it never acted in ${of} runs: a fault or an actor is missing`
    : `it changed ${seeds} of ${of} runs: a check is missing`;
}

/** The sum of a campaign, for people. */
export function sumOf({ rows, seedsMax }: Campaign): string {
  const alive = survivors(rows);
  const half = median(rows);
  const killed = `${rows.length - alive.length} of ${rows.length} planted bugs were seen`;
  const middle = half === undefined ? "" : `, half of them within ${half} seeds`;
  const rest = alive.map(({ id, says }) => `  ${id}: ${says}\n`).join("");
  const blind = rest === "" ? "" : `The simulator cannot see these within ${seedsMax} seeds:\n`;
  return `${killed}${middle}.\n${blind}${rest}`;
}

/** How many bugs each profile saw first. */
export function byProfile({ rows, profiles }: Campaign): readonly (readonly [Profile, number])[] {
  const count = (profile: Profile): number =>
    rows.filter(({ kill }) => kill?.profile === profile).length;
  return profiles.map((profile) => [profile, count(profile)] as const);
}

/** The record with what is new; bugs that are not in `known` any more leave it. */
export function recordOf(
  before: Recorded, rows: readonly Row[], known: readonly string[],
): Recorded {
  const fresh = new Map(rows.map((row) => [row.id, row]));
  const out: { [id: string]: Recorded[string] } = {};
  for (const id of [...known].sort((a, b) => (a < b ? -1 : 1))) {
    const kill = fresh.get(id)?.kill;
    const old = fresh.has(id) ? undefined : before[id];
    const { profile, seed, id: by } = kill ?? { ...old, id: old?.by };
    if (profile !== undefined && seed !== undefined && by !== undefined) {
      out[id] = { profile, seed, by };
    }
  }
  return out;
}

/** The page of the documentation. */
export function page(campaign: Campaign): string {
  const { rows, profiles, seedsMax } = campaign;
  const alive = survivors(rows);
  const half = median(rows);
  const firsts = byProfile(campaign).map(([profile, count]) => `${profile} ${count}`).join(", ");
  return [
    "# Planted bugs", "",
    "Made by `dogwatch sim mutate --write`. Each row is a small bug that is planted in a copy of",
    "the compiled core (`sim/mutants.ts`); the simulator then has to see it. Seeds of these",
    `profiles are tried in turn: ${profiles.join(", ")}.`, "",
    `${rows.length - alive.length} of ${rows.length} are seen within ${seedsMax} seeds` +
      `${half === undefined ? "" : `, half of them within ${half}`}.`,
    `First seen by profile: ${firsts}.`, "",
    "| aimed at | bug | seeds | profile | seed | seen by |",
    "| --- | --- | ---: | --- | --- | --- |",
    ...inOrder(rows).map(tableRow), "", ...blindSpots(alive, seedsMax),
  ].join("\n");
}

function tableRow({ aims: aim, id, says, kill }: Row): string {
  const bug = `\`${id}\`: ${cell(says)}`;
  if (kill === undefined) return `| ${aim} | ${bug} | – | – | – | **nothing** |`;
  const by = `${kill.id}: ${cell(kill.says)}`;
  return `| ${aim} | ${bug} | ${kill.seeds} | ${kill.profile} | ${shortSeed(kill.seed)} | ${by} |`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll(/[\r\n]+/g, " ");
}

function blindSpots(alive: readonly Row[], seedsMax: number): readonly string[] {
  if (alive.length === 0) return [];
  const list = alive.map(({ id, says, acted }) =>
    `- \`${id}\`: ${says}${acted === undefined ? "" : ` (${actedText(acted)})`}`);
  const head = ["## What the simulator cannot see", "", `Not seen in ${seedsMax} seeds:`, ""];
  return [...head, ...list, ""];
}
