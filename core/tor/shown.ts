/**
 * How an onion service of our own looks from outside, for pages, metrics and the operator.
 *
 * Rule 1: it is JSON: what is not known or does not apply is `null`.
 * Rule 2: what is wrong has a name from a closed list, and says what is done about it.
 * @module
 */
import type { Mono } from "../time.ts";
import * as onion from "./onion.ts";

export type OnionStatus = {
  /** `none`: no service of our own is configured. */
  readonly state: "none" | "up" | "down";
  readonly phase: string | null;
  readonly sinceMs: number | null;
  /** The last fault, while it is down. */
  readonly why: string | null;
  readonly torVersion: string | null;
  /** How far Tor itself has started, in percent. */
  readonly torPercent: number | null;
  /** Visitors solve puzzles. */
  readonly isPow: boolean;
  /** Since Tor told that others can find the address. */
  readonly uploadedMs: number | null;
  /** By visits to ourselves; `null`: not known. */
  readonly isReachable: boolean | null;
  /** Since a visit succeeded, and how long that one took. */
  readonly reachedMs: number | null;
  readonly reachTookMs: number | null;
  /** Since the last visit ended, and why it failed, if it did. */
  readonly visitedMs: number | null;
  readonly visitFailure: string | null;
};

/** Of a daemon without a service. */
export const none: OnionStatus = {
  state: "none", phase: null, sinceMs: null, why: null, torVersion: null, torPercent: null,
  isPow: false, uploadedMs: null, isReachable: null, reachedMs: null, reachTookMs: null,
  visitedMs: null, visitFailure: null,
};

/** The service at `now`. */
export function shown(m: onion.Onion, now: Mono): OnionStatus {
  const o = onion.status(m, now);
  return {
    state: o.isUp ? "up" : "down", phase: o.phase, sinceMs: o.sinceMs, why: o.fault?.text ?? null,
    torVersion: o.torVersion === "" ? null : o.torVersion, torPercent: o.torProgress ?? null,
    isPow: o.isPow, uploadedMs: o.uploadedMs ?? null, isReachable: o.isReachable ?? null,
    reachedMs: o.reachedMs ?? null, reachTookMs: o.reachedMs === undefined ? null : o.reachTookMs,
    visitedMs: o.visitedMs ?? null, visitFailure: o.visitFailure ?? null,
  };
}

/** The states in which a service is not as it should be. */
export const names = ["onion-down", "onion-unreachable"] as const;

export type Trouble = {
  readonly name: (typeof names)[number];
  /** What is the matter, for people. */
  readonly why: string;
  /** What Dogwatch does about it, and what holds meanwhile. */
  readonly does: string;
  /** For how long it has been so; `null` if that is not known. */
  readonly sinceMs: number | null;
};

/** What is wrong at `now`, if anything is. `meanwhile`: how strangers fare until it is mended. */
export function trouble(m: onion.Onion, meanwhile: string, now: Mono): Trouble | undefined {
  const { isUp, fault, sinceMs, isReachable, visitFailure, torProgress } = onion.status(m, now);
  if (!isUp) {
    const starting = torProgress === undefined || torProgress === 100 ? ""
      : `: Tor is starting, ${torProgress} %`;
    const why = fault?.text ?? `the address is not served yet${starting}`;
    const does = m.config.managed === "torrc"
      ? "the file with the address is read again and again"
      : "Tor is asked again and again, with growing waits up to a limit, and the service published"
        + " anew";
    return { name: "onion-down", why, does: `${does}; until then ${meanwhile}`, sinceMs };
  }
  if (isReachable !== false) return undefined;
  const why = `several visits to our own address have failed: ${visitFailure ?? "no answer"}`;
  const does = `it is visited again and again; meanwhile ${meanwhile}`;
  return { name: "onion-unreachable", why, does, sinceMs: null };
}
