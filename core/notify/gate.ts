/**
 * Which notices are news, and how many of them an hour bears.
 *
 * Rule 1: the same state of a subject within `sameMs` is no news. What is to be told once stays
 * told (`onceMax` of them), also across restarts: the parent says what earlier runs told.
 * Rule 2: a subject whose state flaps tells `changesMax` changes within `sameMs`; then its newest
 * state is held, and told when there is room, unless the last one told is true again.
 * Rule 3: an hour has room for so many notices, counted apart for the routine and the important:
 * what peers can provoke is routine and crowds out no alarm. States beyond are held as in rule 2,
 * the rest is counted, and one notice tells the count when the hour is over.
 * Not known here: what notices say, and where they go.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import { isImportant, type Identity, type Priority } from "./notice.ts";

export type Config = {
  /** The same again within this is no news, in ms. 600,000. */
  readonly sameMs: number;
  /** So many changes of one subject within `sameMs` are told. 4. */
  readonly changesMax: number;
  /** Subjects of which it is known what was told, for states and events each. 1,000. */
  readonly subjectsMax: number;
  /** Notices of which it is known that they are told once. 10,000. */
  readonly onceMax: number;
  /** Of low and normal priority in an hour. 20. */
  readonly routineMax: number;
  /** Of high and urgent priority in an hour. 40. */
  readonly importantMax: number;
  /** What an hour is, in ms. 3,600,000. */
  readonly hourMs: number;
};

export const defaults: Config = {
  sameMs: 600_000, changesMax: 4, subjectsMax: 1_000, onceMax: 10_000, routineMax: 20,
  importantMax: 40, hourMs: 3_600_000,
};

/** What the gate knows of a notice. */
export type Draft = Identity & { readonly priority: Priority };

export type Verdict = "pass" | "same" | "held" | "suppressed";

export type Effect<D extends Draft> =
  /** A held draft goes now. */
  | { readonly type: "pass"; readonly draft: D }
  /** The hour is over; so many were not told. Not while it is zero. */
  | { readonly type: "suppressed"; readonly count: number };

/** The last state that was told of a subject, and when each of the last tellings stops counting. */
type Told = { state: string; frees: Mono[] };
type Held<D> = { readonly draft: D; readonly dueAt: Mono };

export type Gate<D extends Draft> = {
  config: Config;
  readonly states: Map<string, Told>;
  readonly events: Map<string, Told>;
  readonly once: Set<string>;
  /** By subject; each has an entry in `states` or waits for the hour. */
  readonly held: Map<string, Held<D>>;
  hour: { until: Mono; routine: number; important: number; suppressed: number };
};

/** Nothing was told yet. Asserts that every limit of `config` leaves room for one. */
export function create<D extends Draft>(config: Config): Gate<D> {
  check(config);
  return {
    config, states: new Map(), events: new Map(), once: new Set(), held: new Map(),
    hour: { until: 0 as Mono, routine: 0, important: 0, suppressed: 0 },
  };
}

function check(c: Config): void {
  for (const n of [c.sameMs, c.changesMax, c.subjectsMax, c.onceMax, c.hourMs]) {
    assert(Number.isSafeInteger(n), "a limit of the gate is whole");
    assert(n >= 1, "a limit of the gate leaves room for one");
  }
  assert(c.routineMax >= 2, "an hour has room for a notice and for the count of the others");
  assert(c.importantMax >= 1, "an hour has room for an alarm");
}

/** Other limits, from the next notice on. */
export function reconfigure<D extends Draft>(g: Gate<D>, config: Config): void {
  check(config);
  g.config = config;
}

/** May this draft go now? If so, it counts as told. What is due is told first, by `tick`. */
export function offer<D extends Draft>(g: Gate<D>, draft: D, now: Mono): Verdict {
  assert(now < deadline(g), "what was held goes first");
  const { nature } = draft;
  switch (nature) {
    case "once": return g.once.has(keyOf(draft)) ? "same" : counted(g, draft, now);
    case "each": return counted(g, draft, now);
    case "event": return isFresh(g, draft, now) ? "same" : counted(g, draft, now);
    case "state": return offerState(g, draft, now);
    default: return unreachable(nature); /* c8 ignore next */
  }
}

function offerState<D extends Draft>(g: Gate<D>, draft: D, now: Mono): Verdict {
  const told = g.states.get(draft.subject);
  if (told === undefined) return counted(g, draft, now);
  prune(told, now);
  const isHeld = g.held.delete(draft.subject);
  if (told.state === draft.state && (isHeld || told.frees.length > 0)) return "same";
  if (told.frees.length < g.config.changesMax) return counted(g, draft, now);
  return hold(g, draft, told.frees[0] as Mono);
}

function isFresh<D extends Draft>(g: Gate<D>, draft: D, now: Mono): boolean {
  const told = g.events.get(draft.subject);
  if (told === undefined) return false;
  prune(told, now);
  return told.state === draft.state && told.frees.length > 0;
}

function prune(told: Told, now: Mono): void {
  while (told.frees.length > 0 && (told.frees[0] as Mono) <= now) told.frees.shift();
}

/** Rule 3. */
function counted<D extends Draft>(g: Gate<D>, draft: D, now: Mono): Verdict {
  if (now >= g.hour.until) renew(g, now);
  const { hour, config } = g;
  const important = isImportant(draft.priority);
  // One place is kept for the notice that tells the count.
  const isFull = important ? hour.important >= config.importantMax
    : hour.routine >= config.routineMax - (draft.subject === "suppressed" ? 0 : 1);
  if (isFull) return crowded(g, draft);
  if (important) hour.important += 1;
  else hour.routine += 1;
  g.held.delete(draft.subject);
  tell(g, draft, after(now, g.config.sameMs));
  return "pass";
}

function crowded<D extends Draft>(g: Gate<D>, draft: D): Verdict {
  if (draft.nature === "state") return hold(g, draft, g.hour.until);
  g.hour.suppressed += 1;
  return "suppressed";
}

function hold<D extends Draft>(g: Gate<D>, draft: D, dueAt: Mono): Verdict {
  g.held.delete(draft.subject);
  if (g.held.size >= g.config.subjectsMax) {
    g.hour.suppressed += 1;
    return "suppressed";
  }
  g.held.set(draft.subject, { draft, dueAt });
  return "held";
}

function renew<D extends Draft>(g: Gate<D>, now: Mono): void {
  g.hour = { until: after(now, g.config.hourMs), routine: 0, important: 0, suppressed: 0 };
}

function tell<D extends Draft>(g: Gate<D>, draft: Draft, freeAt: Mono): void {
  const { nature, subject, state } = draft;
  switch (nature) {
    case "each": return;
    case "once": return keep(g, draft);
    case "event": case "state": {
      const map = nature === "state" ? g.states : g.events;
      const told = map.get(subject) ?? { state, frees: [] };
      told.state = state;
      told.frees.push(freeAt);
      if (told.frees.length > g.config.changesMax) told.frees.shift();
      map.delete(subject);
      map.set(subject, told);
      return shed(map, g.config.subjectsMax);
    }
    default: return unreachable(nature); /* c8 ignore next */
  }
}

function keep<D extends Draft>(g: Gate<D>, draft: Draft): void {
  g.once.delete(keyOf(draft));
  g.once.add(keyOf(draft));
  shed(g.once, g.config.onceMax);
}

/** The one that was told longest ago goes. */
function shed(map: Map<string, unknown> | Set<string>, max: number): void {
  if (map.size <= max) return;
  const first = map.keys().next().value;
  assert(first !== undefined, "a full map has a first key");
  map.delete(first);
}

/** An earlier run told this, and it is to be told once. In the order of telling. */
export function remember<D extends Draft>(g: Gate<D>, told: Draft): void {
  assert(told.nature === "once", "what may be told again is not remembered");
  keep(g, told);
}

/**
 * An earlier run told this, `agoMs` (zero or more) before `now`. In the order of telling, before
 * any offer. What it tells of the hour counts as told now.
 */
export function recall<D extends Draft>(g: Gate<D>, told: Draft, agoMs: number, now: Mono): void {
  assert(agoMs >= 0, "what was told is past");
  if (agoMs < g.config.hourMs) {
    if (now >= g.hour.until) renew(g, now);
    if (isImportant(told.priority)) g.hour.important += 1;
    else g.hour.routine += 1;
  }
  if (agoMs < g.config.sameMs) tell(g, told, after(now, g.config.sameMs - agoMs));
}

/** Is it known that this was told, and is it to be told once? */
export function isToldOnce<D extends Draft>(g: Gate<D>, told: Identity): boolean {
  return told.nature === "once" && g.once.has(keyOf(told));
}

/** What waited for room goes, and the count of an hour that is over. */
export function tick<D extends Draft>(g: Gate<D>, now: Mono, out: Effect<D>[]): void {
  if (now < deadline(g)) return;
  if (now >= g.hour.until) {
    const { suppressed } = g.hour;
    renew(g, now);
    if (suppressed > 0) out.push({ type: "suppressed", count: suppressed });
  }
  for (const { draft, dueAt } of [...g.held.values()]) {
    if (dueAt > now) continue;
    g.held.delete(draft.subject);
    if (offerState(g, draft, now) === "pass") out.push({ type: "pass", draft });
  }
}

/** When a held draft may go, or the count of the hour is told. */
export function deadline<D extends Draft>(g: Gate<D>): Mono {
  let dueAt = g.hour.suppressed > 0 ? g.hour.until : NEVER;
  for (const held of g.held.values()) dueAt = soonest(dueAt, held.dueAt);
  return dueAt;
}

function keyOf(told: Identity): string {
  return `${told.subject} ${told.state}`;
}
