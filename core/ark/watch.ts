/**
 * Which capabilities of one wallet have been away for too long, for its operator to hear.
 *
 * Rule 1: what is down, or was never heard of, is told after `graceMs`, once; and that it is back
 * when it was told that it is not. Whatever comes and goes within the grace is not told. Time
 * counts from the start of the wallet's work; what was heard of before is known all the same.
 * Rule 2: what needs the program cannot be known without it: while the program is away nothing
 * else is told, and its time counts from when the program is back.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Tick } from "../kernel/io.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import type { Capability, Evidence, State } from "./facts.ts";

/** What is watched: streams have other ways round. */
export type Watched = Extract<Capability, "program" | "server" | "chain">;
export const watched: readonly Watched[] = ["program", "server", "chain"];

export type Config = {
  /** In ms, for each. 2 min, 5 min, and 10 min. */
  readonly graceMs: { readonly [of in Watched]: number };
};

export const defaults: Config = {
  graceMs: { program: 120_000, server: 300_000, chain: 600_000 },
};

export type Event =
  | { readonly type: "started" | "stopped" }
  | {
    readonly type: "edge"; readonly of: Capability; readonly to: State;
    readonly evidence: Evidence;
  }
  | Tick;

export type Effect =
  | {
    readonly type: "away"; readonly of: Watched; readonly why: Evidence; readonly awayMs: number;
  }
  | { readonly type: "back"; readonly of: Watched; readonly awayMs: number };

type One = { awayAt: Mono; tellAt: Mono; isTold: boolean; isUp: boolean; why: Evidence };

export type Watch = {
  readonly config: Config; readonly all: Map<Watched, One>;
  isStarted: boolean;
};

/** Nothing is told of what happens before `started`. */
export function create(config: Config): Watch {
  const all = new Map<Watched, One>();
  for (const of of watched) {
    assert(config.graceMs[of] >= 1, "watch: a grace");
    all.set(of, { awayAt: NEVER, tellAt: NEVER, isTold: false, isUp: false, why: "none" });
  }
  return { config, all, isStarted: false };
}

export function step(m: Watch, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "started":
      m.isStarted = true;
      for (const of of watched) {
        const { isUp, why } = oneOf(m, of);
        if (!isUp) leave(m, of, why, now);
      }
      return;
    case "stopped":
      for (const one of m.all.values()) one.tellAt = NEVER;
      return;
    case "edge": return edge(m, event, now, out);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When something was away for long enough to be told. */
export function deadline(m: Watch): Mono {
  let at = NEVER;
  for (const { tellAt } of m.all.values()) at = soonest(at, tellAt);
  return at;
}

function edge(m: Watch, event: Extract<Event, { type: "edge" }>, now: Mono, out: Effect[]): void {
  const of = watched.find((one) => one === event.of);
  if (of === undefined) return;
  const one = oneOf(m, of);
  if (event.to !== "up") {
    one.why = event.evidence;
    one.isUp = false;
    if (m.isStarted && one.awayAt === NEVER) leave(m, of, event.evidence, now);
    return;
  }
  if (one.isTold) out.push({ type: "back", of, awayMs: now - one.awayAt });
  const { evidence: why } = event;
  Object.assign(one, { awayAt: NEVER, tellAt: NEVER, isTold: false, isUp: true, why });
  if (of !== "program") return;
  for (const other of watched) {
    const rest = oneOf(m, other);
    if (rest.awayAt !== NEVER && !rest.isTold) rest.tellAt = after(now, m.config.graceMs[other]);
  }
}

function leave(m: Watch, of: Watched, why: Evidence, now: Mono): void {
  const one = oneOf(m, of);
  Object.assign(one, { awayAt: now, tellAt: after(now, m.config.graceMs[of]), why });
}

function tick(m: Watch, now: Mono, out: Effect[]): void {
  const isGone = oneOf(m, "program").awayAt !== NEVER;
  for (const of of watched) {
    const one = oneOf(m, of);
    if (one.tellAt > now) continue;
    one.tellAt = NEVER;
    if (isGone && of !== "program") continue;
    one.isTold = true;
    out.push({ type: "away", of, why: one.why, awayMs: now - one.awayAt });
  }
}

function oneOf(m: Watch, of: Watched): One {
  const one = m.all.get(of);
  assert(one !== undefined, "watch: one of each");
  return one;
}
