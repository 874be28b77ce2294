/**
 * A set of ids that each wait a constant time: the order of arrival is the order of expiry.
 *
 * Rule 1: `deadline` is a lower bound kept in one field; removing an id never moves it, so an early
 * tick may find nothing, and that tick moves it.
 * Rule 2: it does not know what an id means or what expiry does.
 * @module
 */
import { assert } from "./assert.ts";
import { NEVER, type Mono } from "./time.ts";

export type Expiry<Id extends number> = {
  readonly due: Map<Id, Mono>;
  dueAtMin: Mono;
  /** The latest instant ever put: arrivals must not overtake each other. */
  lastAt: Mono;
};

export function create<Id extends number>(): Expiry<Id> {
  return { due: new Map(), dueAtMin: NEVER, lastAt: 0 as Mono };
}

/**
 * `id` expires at `dueAt`, which is not earlier than any instant put before. A known id is put
 * anew.
 */
export function put<Id extends number>(e: Expiry<Id>, id: Id, dueAt: Mono): void {
  if (dueAt < e.lastAt) assert(false, `expiry at ${dueAt} put after one at ${e.lastAt}`);
  e.due.delete(id);
  e.due.set(id, dueAt);
  e.lastAt = dueAt;
  if (dueAt < e.dueAtMin) e.dueAtMin = dueAt;
}

/** Forgets `id`. Returns whether it was waiting. */
export function remove<Id extends number>(e: Expiry<Id>, id: Id): boolean {
  return e.due.delete(id);
}

/** The id that has waited longest, or `undefined`. */
export function oldest<Id extends number>(e: Expiry<Id>): Id | undefined {
  return e.due.keys().next().value;
}

/** Removes and returns every id due at `now`, in order of arrival, and renews the lower bound. */
export function take<Id extends number>(e: Expiry<Id>, now: Mono): readonly Id[] {
  const expired: Id[] = [];
  if (now < e.dueAtMin) return expired;
  e.dueAtMin = NEVER;
  for (const [id, dueAt] of e.due) {
    if (dueAt > now) {
      e.dueAtMin = dueAt;
      break;
    }
    expired.push(id);
  }
  for (const id of expired) e.due.delete(id);
  return expired;
}

/**
 * Never later than the next expiry; `NEVER` when nothing waits and nothing was removed since the
 * last `take`.
 */
export function deadline<Id extends number>(e: Expiry<Id>): Mono {
  return e.dueAtMin;
}
