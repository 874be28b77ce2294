/**
 * Everything that a daemon tells its operator unasked: a closed list.
 *
 * Rule 1: a notice holds facts, never sentences and never text that a peer chose; `text.ts` words
 * it, under the operator's privacy setting.
 * Rule 2: a notice is about a subject, and says one state of it. That is its key: what was told of
 * a subject is known, so nothing is told twice and the last word of a flapping subject is told.
 * Rule 3: notices that peers can provoke are no more than `normal`, so that whoever provokes many
 * of them crowds out no alarm (`gate.ts`).
 * Not known here: when a notice is due, and where it goes.
 * @module
 */
import { unreachable } from "../assert.ts";
import { arkIdentity, arkKinds, arkPriority, isArk, type ArkNotice } from "./ark.ts";
import {
  arkLifeIdentity, arkLifeKinds, arkLifePriority, isArkLife, type ArkLifeNotice,
} from "./ark-life.ts";
import { line } from "./format.ts";

/** The lowest first. */
export const priorities = ["low", "normal", "high", "urgent"] as const;
export type Priority = (typeof priorities)[number];

/** What a periodic summary counts. Amounts in satoshis. */
export type Summary = {
  /** CoinJoins that takers began with us, and how they ended; some may still be open. */
  readonly requests: number; readonly successful: number; readonly failed: number;
  readonly feesSat: bigint;
  readonly volumeSat: bigint; readonly successfulVolumeSat: bigint;
  /** Coins that were shown to takers. */
  readonly disclosed: number;
  /** What the wallet holds; absent when the operator keeps it out or the backend cannot say. */
  readonly balanceSat: bigint | undefined; readonly coins: number | undefined;
  readonly connected: number; readonly directories: number;
};

export type GivenUp = "not-broadcast" | "not-found" | "conflicted";

export type Notice =
  | {
    readonly kind: "started"; readonly nick: string; readonly version: string;
    readonly network: string;
  }
  | { readonly kind: "stopping"; readonly why: string }
  /** `connected` of `total` are left. */
  | {
    readonly kind: "directory-lost" | "directory-back"; readonly directory: string;
    readonly connected: number; readonly total: number;
  }
  | { readonly kind: "all-down"; readonly total: number }
  | {
    readonly kind: "all-back"; readonly connected: number; readonly total: number;
    readonly downMs: number;
  }
  | { readonly kind: "coins-changed"; readonly balanceSat: bigint; readonly coins: number }
  /** None left: `offers` is 0 and `maxSat` too. */
  | {
    readonly kind: "offers-changed"; readonly offers: number; readonly minSat: bigint;
    readonly maxSat: bigint; readonly why: string;
  }
  | { readonly kind: "tx-seen"; readonly txid: string; readonly amountSat: bigint }
  | {
    readonly kind: "tx-confirmed"; readonly txid: string; readonly amountSat: bigint;
    readonly confirmations: number;
  }
  /** `ref` names the entry for good; its transaction may not be known. */
  | {
    readonly kind: "tx-warned"; readonly ref: string; readonly txid: string | undefined;
    readonly amountSat: bigint; readonly unseenMs: number;
  }
  | {
    readonly kind: "tx-given-up"; readonly ref: string; readonly txid: string | undefined;
    readonly amountSat: bigint; readonly unseenMs: number; readonly why: GivenUp;
  }
  | {
    readonly kind: "tx-back"; readonly ref: string; readonly txid: string;
    readonly amountSat: bigint;
  }
  /** `peer` tells peers apart, whatever nick they use at the moment. */
  | {
    readonly kind: "peer-banned"; readonly peer: string; readonly nick: string | undefined;
    readonly violations: number; readonly banMs: number;
  }
  | { readonly kind: "backend-down"; readonly backend: string; readonly why: string }
  | { readonly kind: "backend-up"; readonly backend: string; readonly downMs: number }
  | { readonly kind: "disk-failing"; readonly why: string }
  | { readonly kind: "disk-recovered"; readonly failures: number }
  | { readonly kind: "tor-down" | "onion-down"; readonly why: string }
  | { readonly kind: "tor-up" | "onion-up"; readonly downMs: number }
  /** `seq` counts summaries for good, so that each is told once. */
  | {
    readonly kind: "summary"; readonly seq: number; readonly label: string;
    readonly summary: Summary; readonly update: string | undefined;
  }
  | { readonly kind: "update-available"; readonly version: string; readonly current: string }
  /** `state` names what is degraded; several may be at once. */
  | { readonly kind: "degraded-entered"; readonly state: string; readonly why: string }
  | { readonly kind: "degraded-left"; readonly state: string; readonly degradedMs: number }
  /** The outbox itself: so many notices of the last hour were not sent. */
  | { readonly kind: "suppressed"; readonly count: number }
  /** Asked for by the operator. */
  | { readonly kind: "test" }
  | ArkNotice
  | ArkLifeNotice;

export type Kind = Notice["kind"];

/** Every kind, for configurations that name some. */
export const kinds: readonly Kind[] = [
  "started", "stopping", "directory-lost", "directory-back", "all-down", "all-back",
  "coins-changed", "offers-changed", "tx-seen", "tx-confirmed", "tx-warned", "tx-given-up",
  "tx-back", "peer-banned", "backend-down", "backend-up", "disk-failing", "disk-recovered",
  "tor-down", "tor-up", "onion-down", "onion-up", "summary", "update-available",
  "degraded-entered", "degraded-left", "suppressed", "test", ...arkKinds,
  ...arkLifeKinds,
];

/**
 * How repetition is judged. `state`: the newest state of the subject counts, and is told in the end
 * whatever happens in between. `event`: the same again within a while is no news. `once`: never
 * again, also after a restart. `each`: always news.
 */
export const natures = ["state", "event", "once", "each"] as const;
export type Nature = (typeof natures)[number];

export type Identity = {
  readonly nature: Nature; readonly subject: string; readonly state: string;
};

/** How much a notice matters. What ends an alarm matters as much as the alarm but never wakes. */
export function priorityOf(n: Notice): Priority {
  if (isArk(n)) return arkPriority(n);
  if (isArkLife(n)) return arkLifePriority(n);
  switch (n.kind) {
    case "all-down": case "backend-down": case "disk-failing": case "tor-down":
    case "degraded-entered":
      return "urgent";
    case "all-back": case "backend-up": case "disk-recovered": case "tor-up": case "onion-down":
    case "onion-up": case "degraded-left": case "tx-warned": case "tx-given-up": case "tx-back":
      return "high";
    case "offers-changed": return n.offers === 0 ? "high" : "normal";
    case "directory-lost": case "stopping": case "coins-changed": case "tx-seen":
    case "tx-confirmed": case "update-available": case "suppressed": case "test":
      return "normal";
    case "started": case "directory-back": case "peer-banned": case "summary": return "low";
    default: return unreachable(n); /* c8 ignore next */
  }
}

/** What a notice is about, and what it says of it. */
export function identityOf(n: Notice): Identity {
  if (isArk(n) || isArkLife(n)) {
    const { nature, subject, state: is } = isArk(n) ? arkIdentity(n) : arkLifeIdentity(n);
    return about(nature, subject, is);
  }
  switch (n.kind) {
    case "started": case "stopping": return state("process", n.kind);
    case "directory-lost": case "directory-back": return state(`directory:${n.directory}`, n.kind);
    case "all-down": case "all-back": return state("directories", n.kind);
    case "coins-changed": return state("coins", `${n.balanceSat} in ${n.coins}`);
    case "offers-changed": return state("offers", `${n.offers} of ${n.minSat}-${n.maxSat}`);
    case "tx-seen": case "tx-confirmed":
      return about("once", `tx:${n.txid}`, n.kind);
    case "tx-warned": case "tx-given-up": case "tx-back": return state(`entry:${n.ref}`, n.kind);
    case "peer-banned": return about("event", `peer:${n.peer}`, n.kind);
    case "backend-down": case "backend-up": return state(`backend:${n.backend}`, n.kind);
    case "disk-failing": case "disk-recovered": return state("disk", n.kind);
    case "tor-down": case "tor-up": return state("tor", n.kind);
    case "onion-down": case "onion-up": return state("onion", n.kind);
    case "summary": return about("once", "summary", `${n.seq}`);
    case "update-available": return about("once", "update", n.version);
    case "degraded-entered": case "degraded-left": return state(`degraded:${n.state}`, n.kind);
    case "suppressed": case "test": return about("each", n.kind, n.kind);
    default: return unreachable(n); /* c8 ignore next */
  }
}

function state(subject: string, is: string): Identity {
  return about("state", subject, is);
}

function about(nature: Nature, subject: string, is: string): Identity {
  return { nature, subject: line(subject, 200), state: line(is, 100) };
}

/** 0 for the lowest. */
export function rankOf(priority: Priority): number {
  return priorities.indexOf(priority);
}

/** Does it concern the maker's working, rather than its routine? Counted apart in the rate cap. */
export function isImportant(priority: Priority): boolean {
  return priority === "high" || priority === "urgent";
}
