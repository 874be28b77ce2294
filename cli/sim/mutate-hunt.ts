/**
 * The hunt for one planted bug: seeds of all profiles in turn, until one of them shows it.
 *
 * Rule 1: a seed kills if the planted library fails on it and the unchanged one does not: a fault
 * that is there anyway proves nothing about the planted one.
 * Rule 2: seeds are taken in a fixed order, so what kills a bug, and after how many seeds, depends
 * on the code and on the first seed alone.
 * Rule 3: a spent budget is no kill. Runs that differ, a reach for the clock, a simulator that
 * throws and a worker that hangs are, each under its own name.
 * @module
 */
import type { Ambient } from "../../adapters/ambient.ts";
import type { Mutant } from "../../sim/mutants.ts";
import { unadjusted } from "./adjust.ts";
import { arkProfiles, makerProfiles, type Profile, profiles } from "./engine.ts";
import type { Answer, Job, RunOptions } from "./job.ts";
import { createPool, type Pool } from "./pool.ts";
import { seedText } from "./seeds.ts";

/** Where a bug was seen. */
export type Place = { readonly profile: Profile; readonly seed: string };

/** How a seed showed it: the id and words of a finding, or of what went wrong otherwise. */
export type Sight = { readonly id: string; readonly says: string };

export type Kill = Place & Sight & {
  /** Seeds that were run, this one included. */
  readonly seeds: number;
};

export type Hunted = {
  readonly kill: Kill | undefined;
  readonly seeds: number;
  /** Runs that were given up before their end. */
  readonly spent: number;
  /** Seeds on which the unchanged library failed too. */
  readonly doubtful: number;
  /**
   * Of survivors: of how many first seeds the run was another one with the bug than without. None:
   * the bug never acted, so a fault or an actor is missing. Some: it acted, and a check is missing.
   */
  readonly acted: Acted | undefined;
};

export type Acted = { readonly seeds: number; readonly of: number };

export type Search = {
  readonly profiles: readonly Profile[];
  readonly from: bigint;
  /** Seeds of all profiles together. */
  readonly seedsMax: number;
  readonly options: RunOptions;
};

/** The first run of each profile and then one in so many are made twice in the same process. */
const twiceEvery = 17;
const ahead = 4;
/** Of survivors so many runs are compared. */
const comparedMax = 400;
/** Generous: a machine that is busy with other things must not look like a bug. */
const silentMs = 600_000;

/** The unchanged library, to compare with; each seed is run once. */
export type Control = {
  readonly run: (place: Place) => Promise<Usual>;
  readonly close: () => Promise<void>;
};

/** What a seed does without a bug. */
export type Usual = { readonly fails: boolean; readonly digest: string };

export function createControl(
  lib: string, options: RunOptions, ambient: Pick<Ambient, "now" | "every">,
): Control {
  const pool = createPool({ size: 1, ambient, lib, silentMs });
  const known = new Map<string, Promise<Usual>>();
  const look = async (place: Place): Promise<Usual> => {
    const { answer } = await pool.submit(jobOf(place, options));
    return { fails: sightOf(answer) !== undefined, digest: digestOf(answer) };
  };
  return {
    run: (place) => {
      const name = `${place.profile} ${place.seed}`;
      const asked = known.get(name) ?? look(place);
      known.set(name, asked);
      return asked;
    },
    close: () => pool.close(),
  };
}

/** A pool of one worker with a planted library. */
export function plantedPool(lib: string, ambient: Pick<Ambient, "now" | "every">): Pool {
  return createPool({ size: 1, ambient, lib, silentMs });
}

/** The `nth` seed (from 0) of a search: every profile has the same seeds. */
export function placeAt({ profiles, from }: Search, nth: number): Place {
  const profile = profiles[nth % profiles.length] as Profile;
  return { profile, seed: seedText(from + BigInt(Math.floor(nth / profiles.length))) };
}

/** Bugs of our daemons need worlds with them; the others are hunted in those of directories. */
export function worldsOf(
  { isMakers, isArks }: Pick<Mutant, "isMakers" | "isArks"> = {},
): readonly Profile[] {
  if (isArks === true) return ["expiry1", "ark"];
  return isMakers === true ? ["maker"] : profiles
    .filter((one) => !makerProfiles.includes(one) && !arkProfiles.includes(one));
}

/** Which seed a place is, from 1, in a search of these profiles from seed 1 on. */
export function nthOf({ profile, seed }: Place, from: readonly Profile[]): number {
  return Number(BigInt(seed) - 1n) * from.length + from.indexOf(profile) + 1;
}

/** Searches until a seed kills, or the seeds are through. */
export async function hunt(pool: Pool, control: Control, search: Search): Promise<Hunted> {
  const waiting: Promise<Look>[] = [];
  const digests: string[] = [];
  let [issued, seeds, spent, doubtful] = [0, 0, 0, 0];
  for (;;) {
    while (waiting.length < ahead && issued < search.seedsMax) {
      const isTwice = issued < search.profiles.length || issued % twiceEvery === 0;
      waiting.push(look(pool, placeAt(search, issued), search.options, isTwice));
      issued += 1;
    }
    const head = waiting.shift();
    if (head === undefined) {
      const acted = await compared(control, search, digests);
      return { kill: undefined, seeds, spent, doubtful, acted };
    }
    const { place, sight, isSpent, digest } = await head;
    seeds += 1;
    if (digests.length < comparedMax) digests.push(digest);
    if (isSpent) spent += 1;
    if (sight === undefined) continue;
    const { fails } = await control.run(place);
    if (fails) doubtful += 1;
    else return { kill: { ...place, ...sight, seeds }, seeds, spent, doubtful, acted: undefined };
  }
}

async function compared(
  control: Control, search: Search, digests: readonly string[],
): Promise<Acted> {
  let seeds = 0;
  for (const [nth, digest] of digests.entries()) {
    const usual = await control.run(placeAt(search, nth));
    if (usual.digest !== digest) seeds += 1;
  }
  return { seeds, of: digests.length };
}

/** Does this one seed kill? */
export async function retry(
  pool: Pool, control: Control, place: Place, options: RunOptions,
): Promise<{ readonly sight: Sight | undefined; readonly isDoubtful: boolean }> {
  const once = await look(pool, place, options, false);
  const { sight } = once.sight === undefined ? await look(pool, place, options, true) : once;
  const { fails } = await control.run(place);
  return { sight, isDoubtful: fails };
}

type Look = {
  readonly place: Place; readonly sight: Sight | undefined; readonly isSpent: boolean;
  readonly digest: string;
};

async function look(
  pool: Pool, place: Place, options: RunOptions, isTwice: boolean,
): Promise<Look> {
  const job = jobOf(place, options);
  const once = pool.submit(job);
  const again = isTwice ? pool.submit(job) : undefined;
  const { answer } = await once;
  const second = await again;
  const isSpent = answer.ok && answer.outcome.verdict === "budget";
  const sight = sightOf(answer)
    ?? (second === undefined ? undefined : differs(answer, second.answer));
  return { place, sight, isSpent, digest: digestOf(answer) };
}

function jobOf({ profile, seed }: Place, options: RunOptions): Job {
  const what = { seed, recipe: { profile, adjust: unadjusted } };
  return { what, options, checkpoints: false, traps: true };
}

function sightOf(answer: Answer): Sight | undefined {
  if (answer.touched !== undefined) return { id: "trap", says: `reached for ${answer.touched}` };
  if (!answer.ok) {
    const [says = ""] = answer.says.split("\n");
    return { id: says.includes("was silent") ? "hang" : "thrown", says };
  }
  const { finding } = answer.outcome;
  return finding === undefined ? undefined : { id: finding.id, says: finding.says };
}

function differs(first: Answer, second: Answer): Sight | undefined {
  const [a, b] = [digestOf(first), digestOf(second)];
  if (a === b) return undefined;
  return { id: "differs", says: `two runs of one seed differ: ${a} and ${b}` };
}

function digestOf(answer: Answer): string {
  return answer.ok ? answer.outcome.digest : "no digest";
}
