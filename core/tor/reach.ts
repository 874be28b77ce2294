/**
 * Is our own address reachable from outside? Asked by visiting ourselves through Tor.
 *
 * Rule 1: one visit at a time, each with a deadline; times are jittered, so that the visits of many
 * nodes do not come in step and ours are no clock to watch.
 * Rule 2: one visit that fails says little, for a circuit may just have failed. Only several in a
 * row make the address unreachable; one that succeeds makes it reachable.
 * Not known here: how a visit is made.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Tick } from "../kernel/io.ts";
import * as prng from "../prng.ts";
import { after, NEVER, type Mono } from "../time.ts";

export type Config = {
  /** From the moment the address is served to the first visit, in ms. 30,000. */
  readonly firstMs: number;
  /** Between visits while they succeed, in ms. 1,800,000. */
  readonly intervalMs: number;
  /** Between visits while they fail, in ms. 60,000. */
  readonly retryMs: number;
  /** A visit that takes longer has failed, in ms. 120,000. */
  readonly visitMs: number;
  /** So many failures in a row make the address unreachable. 3. */
  readonly failuresMax: number;
};

export const defaults: Config = {
  firstMs: 30_000, intervalMs: 1_800_000, retryMs: 60_000, visitMs: 120_000, failuresMax: 3,
};

export type Event =
  /** The address is served at this location. */
  | { readonly type: "served"; readonly location: string }
  | { readonly type: "unserved" }
  /** The descriptor is where visitors look: a first visit may come at once. */
  | { readonly type: "uploaded" }
  /** The visit `req` ended: a handshake was completed, or why not. */
  | { readonly type: "visited"; readonly req: number; readonly failure: string | undefined }
  | Tick;

export type Effect =
  /** Connect to `location` through Tor, complete a handshake, report `visited`. */
  | { readonly type: "visit"; readonly req: number; readonly location: string }
  /** The visit is given up; nothing need be reported. */
  | { readonly type: "leave"; readonly req: number }
  /** What is known has changed. `failure`: of the last visit. */
  | {
    readonly type: "turned"; readonly isReachable: boolean; readonly failure: string | undefined;
  };

type At =
  | { readonly phase: "idle" }
  | { readonly phase: "waiting"; readonly dueAt: Mono }
  | { readonly phase: "visiting"; readonly dueAt: Mono; readonly req: number; since: Mono };

export type Reach = {
  readonly config: Config;
  readonly jitter: prng.Prng;
  at: At;
  location: string;
  nextReq: number;
  /** `undefined`: not known. */
  isReachable: boolean | undefined;
  /** In a row. */
  failures: number;
  failure: string | undefined;
  /** When a visit last succeeded and how long it took; when one last ended. */
  reachedAt: Mono | undefined;
  tookMs: number;
  visitedAt: Mono | undefined;
};

export function create(config: Config, jitter: prng.Prng): Reach {
  assert(config.firstMs >= 1, "reach: firstMs is at least 1");
  assert(config.intervalMs >= 4, "reach: intervalMs is at least 4");
  assert(config.retryMs >= 4, "reach: retryMs is at least 4");
  assert(config.visitMs >= 1, "reach: visitMs is at least 1");
  assert(config.failuresMax >= 1, "reach: failuresMax is at least 1");
  return {
    config, jitter, at: { phase: "idle" }, location: "", nextReq: 1, isReachable: undefined,
    failures: 0, failure: undefined, reachedAt: undefined, tookMs: 0, visitedAt: undefined,
  };
}

export function step(m: Reach, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "served": return served(m, event.location, now, out);
    case "unserved": return unserved(m, out);
    case "uploaded": return uploaded(m, now);
    case "visited": return visited(m, event.req, event.failure, now, out);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

export function deadline(m: Reach): Mono {
  return m.at.phase === "idle" ? NEVER : m.at.dueAt;
}

function served(m: Reach, location: string, now: Mono, out: Effect[]): void {
  unserved(m, out);
  if (location !== m.location) {
    m.isReachable = undefined;
    m.reachedAt = undefined;
    m.visitedAt = undefined;
    m.failures = 0;
    m.failure = undefined;
  }
  m.location = location;
  m.at = { phase: "waiting", dueAt: after(now, m.config.firstMs) };
}

function unserved(m: Reach, out: Effect[]): void {
  if (m.at.phase === "visiting") out.push({ type: "leave", req: m.at.req });
  m.at = { phase: "idle" };
}

/** Only an address that is not known to be reachable is in a hurry. */
function uploaded(m: Reach, now: Mono): void {
  if (m.at.phase !== "waiting" || m.isReachable === true) return;
  const soonAt = after(now, 1);
  if (soonAt < m.at.dueAt && m.failures === 0) m.at = { phase: "waiting", dueAt: soonAt };
}

function visited(
  m: Reach, req: number, failure: string | undefined, now: Mono, out: Effect[],
): void {
  if (m.at.phase !== "visiting" || m.at.req !== req) return;
  const tookMs = now - m.at.since;
  m.visitedAt = now;
  m.failure = failure;
  if (failure !== undefined) return missed(m, failure, now, out);
  m.failures = 0;
  m.reachedAt = now;
  m.tookMs = tookMs;
  m.at = { phase: "waiting", dueAt: jittered(m, m.config.intervalMs, now) };
  turn(m, true, undefined, out);
}

function missed(m: Reach, failure: string, now: Mono, out: Effect[]): void {
  m.failures += 1;
  m.at = { phase: "waiting", dueAt: jittered(m, m.config.retryMs, now) };
  if (m.failures >= m.config.failuresMax) turn(m, false, failure, out);
}

function turn(m: Reach, isReachable: boolean, failure: string | undefined, out: Effect[]): void {
  if (m.isReachable === isReachable) return;
  m.isReachable = isReachable;
  out.push({ type: "turned", isReachable, failure });
}

/** Three quarters to five quarters of `ms` from now. */
function jittered(m: Reach, ms: number, now: Mono): Mono {
  return after(now, prng.between(m.jitter, ms - (ms >> 2), ms + (ms >> 2)));
}

function tick(m: Reach, now: Mono, out: Effect[]): void {
  if (deadline(m) > now) return;
  if (m.at.phase === "visiting") {
    const { req } = m.at;
    out.push({ type: "leave", req });
    return visited(m, req, "timeout", now, out);
  }
  const req = m.nextReq++;
  m.at = { phase: "visiting", dueAt: after(now, m.config.visitMs), req, since: now };
  out.push({ type: "visit", req, location: m.location });
}
