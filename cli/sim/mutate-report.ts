/**
 * What became of planted bugs: for a terminal, for programs, for the documentation, and as the
 * record from which killing seeds are run again.
 * @module
 */
import { type Aim, aims, type Mutant } from "../../sim/mutants.ts";
import { type Profile, profiles } from "./engine.ts";
import { type Acted, type Kill, nthOf, type Place, worldsOf } from "./mutate-hunt.ts";
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
  return middleOf(rows.map(({ kill }) => kill?.seeds));
}

function middleOf(seeds: readonly (number | undefined)[]): number | undefined {
  const needed = seeds.map((one) => one ?? Number.MAX_SAFE_INTEGER).sort((a, b) => a - b);
  const middle = needed[Math.ceil(needed.length / 2) - 1];
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

/**
 * The page of the documentation: what is recorded of these bugs, and which have no seed that shows
 * them.
 */
export function page(list: readonly Mutant[], record: Recorded): string {
  const ordered = aims.flatMap((aim) => list.filter((mutant) => mutant.aims === aim));
  const alive = ordered.filter(({ id }) => record[id] === undefined);
  const half = middleOf(list.map((mutant) => seedsOf(mutant, record)));
  const last = Math.max(0, ...list.map((mutant) => seedsOf(mutant, record) ?? 0));
  return [
    "# Planted bugs", "",
    "Made by `dogwatch sim mutate --write` from `test/sim/mutants.json`. Each row is a small bug",
    "of `sim/mutants/`, planted in a copy of the compiled core, with a seed that shows it and the",
    "rule that is broken there (`sim explain D2`; `crash`, `thrown` and `hang` are what they say).",
    "CI plants each and runs its seed: `sim mutate --recorded`.", "",
    "`seeds` counts from the first seed of a search to this one: it takes the profiles",
    `${namesOf(worldsOf())} in turn,`,
    `for bugs of our maker ${namesOf(worldsOf({ isMakers: true }))}, for those of our Ark daemon`,
    `${namesOf(worldsOf({ isArks: true }))}. An earlier one may show the bug too.`,
    "",
    `${list.length - alive.length} of ${list.length} are seen, the last after ${last} seeds` +
      `${half === undefined ? "" : `; the median is ${half}`}.`,
    `By profile: ${sharesOf(list, record)}.`, "",
    "| aimed at | bug | seeds | profile | seed | broken |",
    "| --- | --- | ---: | --- | --- | --- |",
    ...ordered.map((mutant) => tableRow(mutant, record)), "", ...blindSpots(alive),
  ].join("\n");
}

function namesOf(list: readonly Profile[]): string {
  return list.map((name) => `\`${name}\``).join(", ");
}

/** How many seeds a search for the bug takes to the recorded one. */
function seedsOf(mutant: Mutant, record: Recorded): number | undefined {
  const place = record[mutant.id];
  return place === undefined ? undefined : nthOf(place, worldsOf(mutant));
}

function sharesOf(list: readonly Mutant[], record: Recorded): string {
  const shares = profiles.map((profile) =>
    [profile, list.filter(({ id }) => record[id]?.profile === profile).length] as const);
  return shares.filter(([, count]) => count > 0)
    .map(([profile, count]) => `${profile} ${count}`).join(", ");
}

function tableRow(mutant: Mutant, record: Recorded): string {
  const { aims: aim, id, says } = mutant;
  const bug = `\`${id}\`: ${cell(says)}`;
  const place = record[id];
  if (place === undefined) return `| ${aim} | ${bug} | – | – | – | **nothing** |`;
  const { profile, seed, by } = place;
  const seeds = seedsOf(mutant, record);
  return `| ${aim} | ${bug} | ${seeds} | ${profile} | ${shortSeed(seed)} | ${by} |`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll(/[\r\n]+/g, " ");
}

function blindSpots(alive: readonly Mutant[]): readonly string[] {
  if (alive.length === 0) return [];
  const list = alive.map(({ id, says }) => `- \`${id}\`: ${says}`);
  const head = ["## What the simulator cannot see", "", "No seed is recorded that shows:", ""];
  return [...head, ...list, ""];
}
