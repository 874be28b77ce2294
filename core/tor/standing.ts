/**
 * How our onion address stands: known, served, reachable from outside; each with its age.
 *
 * Rule 1: an address that is not known for good is neither served nor visited, for it may not
 * survive a restart.
 * Rule 2: each change is told once. A fault that comes again and again is news once.
 * Not known here: why an address is or is not served.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Fault } from "../fault.ts";
import type { LogEffect, LogField, LogLevel } from "../kernel/io.ts";
import type { Prng } from "../prng.ts";
import type { Mono } from "../time.ts";
import * as reach from "./reach.ts";

/** What is to be done for visits, by the rules of `reach.ts`. */
export type VisitEffect = Extract<reach.Effect, { readonly type: "visit" | "leave" }>;

export type Effect =
  | VisitEffect
  /** Our address for good; `location` is `host:port`. Whether it is served is told by `up`. */
  | { readonly type: "address"; readonly host: string; readonly location: string }
  | { readonly type: "up" }
  /** The address is not served at the moment. */
  | { readonly type: "down"; readonly fault: Fault }
  /** Visits to ourselves succeed, or several in a row have failed. At each change. */
  | {
    readonly type: "reachable"; readonly isReachable: boolean; readonly failure: string | undefined;
  }
  | LogEffect;

/** Where effects go: a list of these or of more kinds. */
export type Out = { readonly push: (effect: Effect) => unknown };

export type Standing = {
  readonly port: number;
  readonly reach: reach.Reach;
  /** The address that was told; empty before. */
  host: string;
  isUp: boolean;
  /** Since when it is up or down. */
  turnedAt: Mono;
  /** The last fault, until the service is up. */
  fault: Fault | undefined;
  /** When its descriptor was last seen to go where visitors look for it. */
  uploadedAt: Mono | undefined;
};

/** `port`: that of the address. */
export function create(port: number, config: reach.Config, jitter: Prng, now: Mono): Standing {
  return {
    port, reach: reach.create(config, jitter), host: "", isUp: false, turnedAt: now,
    fault: undefined, uploadedAt: undefined,
  };
}

/** `host:port`; empty while the address is not known. */
export function location(s: Standing): string {
  return s.host === "" ? "" : `${s.host}:${s.port}`;
}

/** The address is known for good. */
export function announce(s: Standing, host: string, out: Out): void {
  assert(host !== "", "onion: an address without a host");
  if (host === s.host) return;
  s.host = host;
  out.push({ type: "address", host, location: location(s) });
}

/** The address, if it is known, is served. */
export function up(s: Standing, now: Mono, out: Out): void {
  if (s.host === "") return;
  s.fault = undefined;
  const isNew = !s.isUp || s.reach.location !== location(s);
  if (isNew) visits(s, { type: "served", location: location(s) }, now, out);
  if (s.isUp) return;
  s.isUp = true;
  s.turnedAt = now;
  out.push({ type: "up" });
  log("info", "onion.up", {}, out);
}

/** The address is not served. */
export function down(s: Standing, fault: Fault, now: Mono, out: Out): void {
  visits(s, { type: "unserved" }, now, out);
  s.uploadedAt = undefined;
  if (!s.isUp) return;
  s.isUp = false;
  s.turnedAt = now;
  out.push({ type: "down", fault });
}

/** Something failed. */
export function blame(s: Standing, fault: Fault, out: Out): void {
  const isNews = s.fault?.code !== fault.code;
  s.fault = fault;
  log(isNews ? "warn" : "debug", "onion.failed", { fault: fault.code, says: fault.text }, out);
}

/** The descriptor is where visitors look for it. */
export function uploaded(s: Standing, now: Mono, out: Out): void {
  s.uploadedAt = now;
  visits(s, { type: "uploaded" }, now, out);
}

/** Steps the visits to ourselves. */
export function visits(s: Standing, event: reach.Event, now: Mono, out: Out): void {
  const wishes: reach.Effect[] = [];
  reach.step(s.reach, event, now, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "visit": case "leave": out.push(wish); break;
      case "turned": turned(wish.isReachable, wish.failure, out); break;
      default: unreachable(wish); /* c8 ignore next */
    }
  }
}

function turned(isReachable: boolean, failure: string | undefined, out: Out): void {
  out.push({ type: "reachable", isReachable, failure });
  if (isReachable) log("info", "onion.reachable", {}, out);
  else log("warn", "onion.unreachable", { reason: failure ?? "" }, out);
}

export function log(
  level: LogLevel, code: string, fields: { readonly [name: string]: LogField }, out: Out,
): void {
  out.push({ type: "log", level, code, fields });
}

export function deadline(s: Standing): Mono {
  return reach.deadline(s.reach);
}

/** For pages and the doctor. Ages are in ms; `undefined`: it has not happened. */
export type Facts = {
  readonly location: string;
  readonly isUp: boolean;
  readonly sinceMs: number;
  readonly fault: Fault | undefined;
  readonly uploadedMs: number | undefined;
  /** `undefined`: not known. */
  readonly isReachable: boolean | undefined;
  /** How long ago a visit last succeeded, and how long that one took. */
  readonly reachedMs: number | undefined;
  readonly reachTookMs: number;
  /** How long ago one last ended, and why it failed, if it did. */
  readonly visitedMs: number | undefined;
  readonly visitFailure: string | undefined;
};

export function facts(s: Standing, now: Mono): Facts {
  const age = (at: Mono | undefined): number | undefined => at === undefined ? undefined : now - at;
  return {
    location: location(s), isUp: s.isUp, sinceMs: now - s.turnedAt, fault: s.fault,
    uploadedMs: age(s.uploadedAt), isReachable: s.reach.isReachable,
    reachedMs: age(s.reach.reachedAt), reachTookMs: s.reach.tookMs,
    visitedMs: age(s.reach.visitedAt), visitFailure: s.reach.failure,
  };
}
