/**
 * What earlier runs left in the journal: letters that are open, and what was told.
 *
 * Rule 1: a letter is open at its targets until a record says that it was sent or lost there.
 * Rule 2: each run that found it open has sent it at most once more than it was answered for;
 * after `runsMax` of them it is given up, so that a daemon that dies of sending does not send for
 * ever.
 * Rule 3: records that cannot be read are counted and passed over: a notice is worth no refusal to
 * start.
 * Not known here: what becomes of the letters.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Mono } from "../time.ts";
import * as letters from "./letter.ts";
import type { Letter, Record } from "./letter.ts";

/** A letter that is open at `to`, and how many runs have found it so. */
export type Open = { readonly letter: Letter; readonly to: Set<string>; runs: number };

/** Something that was told, when, and how much it mattered. */
export type Told = Pick<Letter, "nature" | "subject" | "state" | "priority" | "unixMs">;

export type Past = {
  /** Open letters by id, the oldest first; beyond `openMax` the oldest goes. */
  readonly open: Map<number, Open>;
  readonly openMax: number;
  /** The last `toldMax` notices, in a ring; the next one goes to `toldNext`. */
  readonly told: Told[];
  readonly toldMax: number;
  toldNext: number;
  /** The highest id. */
  idMax: number;
  unreadable: number;
  dropped: number;
};

/** Nothing was read yet. */
export function create(openMax: number, toldMax: number): Past {
  assert(openMax >= 1, "a letter may be open");
  assert(toldMax >= 1, "something may have been told");
  return {
    open: new Map(), openMax, told: [], toldMax, toldNext: 0, idMax: 0, unreadable: 0, dropped: 0,
  };
}

/**
 * Reads one body of the journal, in order. Those of others are passed over. Returns what it tells,
 * if that is to be told only once.
 */
export function read(p: Past, body: string): Told | undefined {
  if (!letters.owns(body)) return undefined;
  const decoded = letters.decode(body);
  if (!decoded.ok) {
    p.unreadable += 1;
    return undefined;
  }
  return take(p, decoded.value);
}

function take(p: Past, r: Record): Told | undefined {
  switch (r.type) {
    case "notice": return begun(p, r);
    case "notice-sent": case "notice-lost": return ended(p, r.id, r.to);
    case "notice-run": return ran(p);
    default: return unreachable(r); /* c8 ignore next */
  }
}

function begun(
  p: Past, r: Extract<Record, { readonly type: "notice" }>,
): Told | undefined {
  const { id, at: unixMs, nature, subject, state, priority, kind, title, body } = r;
  if (id > p.idMax) p.idMax = id;
  const letter: Letter = {
    id, kind, nature, subject, state, priority, title, body, unixMs, toldAt: 0 as Mono, token: 0,
    isRecorded: true, isOld: true,
  };
  p.open.set(id, { letter, to: new Set(r.to), runs: 0 });
  if (p.open.size > p.openMax) dropFirst(p);
  const told = { nature, subject, state, priority, unixMs };
  p.told[p.toldNext] = told;
  p.toldNext = (p.toldNext + 1) % p.toldMax;
  return nature === "once" ? told : undefined;
}

function dropFirst(p: Past): void {
  for (const id of p.open.keys()) {
    p.open.delete(id);
    p.dropped += 1;
    return;
  }
}

function ended(p: Past, id: number, to: string): undefined {
  const open = p.open.get(id);
  if (open === undefined) return;
  open.to.delete(to);
  if (open.to.size === 0) p.open.delete(id);
}

function ran(p: Past): undefined {
  for (const open of p.open.values()) open.runs += 1;
}

/** The last `toldMax` notices, the oldest first. */
export function told(p: Past): readonly Told[] {
  return [...p.told.slice(p.toldNext), ...p.told.slice(0, p.toldNext)];
}
