/**
 * "Sometimes" goals of worlds with our Ark daemon: what a search has to reach, seen from outside.
 *
 * Rule 1: as in `goals.ts`: declared before any run, O(1) a step, no verdict.
 * @module
 */
import type { Observer } from "../invariants/ark.ts";
import type { OracleWorld } from "./world.ts";

/** Id, situation, how it is recognised, and what the observer calls it. */
const rows: readonly (readonly [id: string, what: string, how: string, name: string])[] = [
  ["S40", "the Ark daemon dies while it waits for answers", "a process ends with calls open",
    "died-asking"],
  ["S41", "a refresh is asked for", "the call is made", "refresh"],
  ["S42", "an exit is begun", "the call is made", "exit"],
  ["S43", "exited coins are claimed", "the call is made", "claim"],
  ["S44", "a VTXO is due", "the daemon says so", "due"],
  ["S45", "a refresh keeps failing", "the daemon says so", "failing"],
  ["S46", "a VTXO has to exit now", "the daemon says so", "exit-now"],
  ["S47", "a VTXO expires", "the daemon says so", "expired"],
  ["S48", "a chain source is stale for three hours",
    "it repeats a height that was first heard so long ago", "tip-stale"],
  ["S49", "a chain source goes back", "a height below one that was heard", "tip-went-back"],
  ["S50", "a chain source catches up by more than six blocks at once",
    "an answer so much above all before it", "tip-leaps"],
  ["S51", "a refresh is refused", "an answer of 400 or more", "refresh-failed"],
  ["S52", "a refresh of many is rejected", "and says so, of more than one", "batch-rejected"],
  ["S53", "an Ark daemon's journal with a torn end is repaired", "the daemon says so",
    "journal-torn"],
  ["S54", "another server key is seen", "the daemon says so", "server-key"],
  ["S55", "an Ark daemon stops in good order", "its last effect", "stopped"],
];
/** And what is seen elsewhere. */
const others: readonly (readonly [id: string, what: string, how: string])[] = [
  ["S56", "a reorganisation at equal height", "the ark's chain has had one"],
  ["S57", "a VTXO is lost", "the Ark server has taken one after its expiry"],
];

export const arkGoals: readonly (readonly [id: string, what: string, how: string])[] = [
  ...rows.map(([id, what, how]) => [id, what, how] as const), ...others,
];

const byName: ReadonlyMap<string, string> = new Map(rows.map(([id, , , name]) => [name, id]));

function reach(w: OracleWorld, id: string): void {
  const { hits } = w.oracles.goals;
  if (!hits.has(id)) hits.set(id, w.steps < 1 ? 0 : w.steps - 1);
}

/** What the observer of a fleet has just seen. */
export function seen(w: OracleWorld, o: Observer): void {
  if (o.seen.size === 0) return;
  for (const name of o.seen) {
    const id = byName.get(name);
    if (id !== undefined) reach(w, id);
  }
}

/** At the end: what has left its traces. */
export function finished(w: OracleWorld, o: Observer): void {
  if (o.town.reorgMs >= 0) reach(w, "S56");
  if (o.town.world.losses.length > 0) reach(w, "S57");
  const parts = Math.floor(1_000 * o.lateMaxMs / lateBoundMs);
  const { gauges } = w.oracles.goals;
  if (parts > (gauges.get("stageLate") ?? 0)) gauges.set("stageLate", parts);
}

/** As old as a chain source gets. */
const lateBoundMs = 6 * 3_600_000;
