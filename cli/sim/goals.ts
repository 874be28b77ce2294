/**
 * Which goals a search must have reached, and which it has not.
 *
 * Rule 1: goals are declared before the search, each kind of fault among them; one that was never
 * reached fails it, once enough seeds have run for that to mean something.
 * @module
 */
import { arkHarms, botHarms, type HarmKind, harmKinds } from "../../sim/scenario.ts";
import { type Goal, goals, type Profile, shapes, weightOf } from "./engine.ts";
import type { Recipe } from "./job.ts";
import type { Read } from "./seeds.ts";
import type { Tally } from "./tally.ts";

/** Seeds within which every goal is reached. */
const goalSeeds = 5_000;

const goalModes = ["auto", "require", "ignore"] as const;
/** `auto`: required of profiles that draw everything, unchanged by flags, after enough seeds. */
export type GoalMode = (typeof goalModes)[number];

/** What `--goals` says. */
export function goalModeOf(text = "auto"): Read<GoalMode> {
  const value = goalModes.find((mode) => mode === text);
  if (value !== undefined) return { ok: true, value };
  return { ok: false, says: `--goals ${text}: expected ${goalModes.join(", ")}` };
}

/** Fewer seeds than this miss goals by nature: their names say nothing then. */
const namedSeeds = 500;

/** Are the names of missing goals worth a line? */
export function namesGoals({ seeds }: Tally, mode: GoalMode): boolean {
  return mode === "require" || seeds >= namedSeeds;
}

/** Profiles whose worlds can reach every goal. */
const fullProfiles: readonly Profile[] = ["std", "chaos"];

/** The goals that worlds of this recipe can reach. */
export function declared(recipe: Recipe): Goal[] {
  const shape = shapes[recipe.profile];
  const hasBots = shape.bots[1] > 0;
  const hasArks = shape.wallets[1] > 0;
  return goals.filter(({ id, isMakers, isArks }) => {
    if ((isMakers && !hasBots) || (isArks && !hasArks)) return false;
    if (hasArks && !isArks && !id.startsWith("S22.") && id !== "S20") return false;
    const kind = harmKinds.find((one) => id === `S22.${one}`);
    return kind === undefined || mayFire(kind, recipe);
  });
}

/** Declared and not reached, each with what it is. */
export function missing(tally: Tally, recipe: Recipe): string[] {
  return declared(recipe).filter(({ id }) => tally.goals[id] === undefined)
    .map(({ id, what }) => `${id} ${what}`);
}

/** `31/33`. */
export function shareText(tally: Tally, recipe: Recipe): string {
  const all = declared(recipe).length;
  return `${all - missing(tally, recipe).length}/${all}`;
}

function mayFire(kind: HarmKind, { profile, adjust }: Recipe): boolean {
  const shape = shapes[profile];
  const hasBots = shape.bots[1] > 0;
  const hasArks = shape.wallets[1] > 0;
  if (kind.startsWith("disk") && shape.journal === 0 && !hasBots && !hasArks) return false;
  if (arkHarms.has(kind) && !hasArks) return false;
  if (botHarms.has(kind) && !hasBots) return false;
  const last = adjust.faults.findLast((one) => one.kind === kind);
  if (last !== undefined) return last.rate !== "off" && last.rate !== 0;
  return weightOf(shape, kind) > 0;
}

/** What a search failed to reach although it should have. */
export function unmet(tally: Tally, recipe: Recipe, mode: GoalMode): string[] {
  if (mode === "ignore") return [];
  if (mode === "auto" && !isFull(tally, recipe)) return [];
  return missing(tally, recipe);
}

function isFull(tally: Tally, { profile, adjust }: Recipe): boolean {
  const isPlain = adjust.faults.length === 0 && !adjust.lite
    && Object.keys(adjust.nodes).length === 0;
  return isPlain && fullProfiles.includes(profile) && tally.seeds >= goalSeeds;
}
