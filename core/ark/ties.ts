/**
 * Which VTXOs an earlier refresh may still hold, and what the wallet says of that.
 *
 * Rule 1: what was given up may be in a round that nobody shows yet. Its VTXOs are tied: they are
 * asked for again as the same set, as long as all of it is there to stay, or not at all. A set that
 * was rejected since is not asked for as such: it may be rejected because it is held.
 * Rule 2: a tie is loosed by proof only: the wallet, asked after the refresh was given up and while
 * no refresh is being asked for, names all that it has under way, and this VTXO is not among them.
 * A wallet that gives no answer looses nothing.
 * Rule 3: exits have no ties: what must leave does not wait for a round.
 * Rule 4: ties follow from what is settled (`settledMax` back), so they outlive the process. What
 * looses them does not: it is asked for anew.
 * Not known here: what is due, and when anything is asked.
 * @module
 */
import { assert } from "../assert.ts";
import { after, NEVER, type Mono } from "../time.ts";
import type { Book } from "./intents.ts";

/** An earlier refresh that may hold a VTXO. */
export type Tie = {
  readonly id: number;
  readonly vtxos: readonly string[];
  /** Was any of it rejected since? */
  readonly isRefused: boolean;
};

/** What ties each VTXO that is tied. */
export type Tied = ReadonlyMap<string, Tie>;

export type Ties = {
  /** What is under way is asked for so often at most, in ms. */
  readonly everyMs: number;
  /** The newest refresh that is known not to hold this one. */
  readonly loosed: Map<string, number>;
  /** What was tied when the wallet was asked last, and when that was; `NEVER`: not yet. */
  asked: Tied;
  askedAt: Mono;
};

/** Nothing was asked. */
export function create(everyMs: number): Ties {
  assert(everyMs >= 1, "a question has its time");
  return { everyMs, loosed: new Map(), asked: new Map(), askedAt: NEVER };
}

/** By what is settled, less what is loosed. */
export function all(m: Ties, { settled }: Book): Tied {
  const found = new Map<string, Tie>();
  for (const { aim, outcome, vtxos, id } of settled) {
    if (aim !== "refresh") continue;
    for (const vtxo of vtxos) {
      const before = found.get(vtxo);
      if (outcome === "superseded") found.set(vtxo, { id, vtxos, isRefused: false });
      else if (outcome === "success") found.delete(vtxo);
      else if (before !== undefined) found.set(vtxo, { ...before, isRefused: true });
    }
  }
  for (const [vtxo, { id }] of found) if ((m.loosed.get(vtxo) ?? 0) >= id) found.delete(vtxo);
  return found;
}

/** May the wallet be asked what is under way? */
export function mayAsk(m: Ties, now: Mono): boolean {
  return m.askedAt === NEVER || now >= after(m.askedAt, m.everyMs);
}

/** It is asked. `tied`: as `all` says now. */
export function asks(m: Ties, tied: Tied, now: Mono): void {
  m.asked = tied;
  m.askedAt = now;
}

/** Rule 2: these, and no others, were under way when the wallet was asked last, or later. */
export function heard(m: Ties, pending: readonly string[]): void {
  const held = new Set(pending);
  for (const [vtxo, { id }] of m.asked) if (!held.has(vtxo)) m.loosed.set(vtxo, id);
  m.asked = new Map();
}

/** Nothing is kept of what is gone. */
export function forget(m: Ties, isThere: (vtxo: string) => boolean): void {
  for (const vtxo of m.loosed.keys()) if (!isThere(vtxo)) m.loosed.delete(vtxo);
}
