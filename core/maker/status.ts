/**
 * What a maker looks like from outside: a plain value for `/status`, metrics, health, pages and
 * tests. Reading it changes nothing.
 *
 * Rule 1: it is JSON: amounts are satoshis in decimal text, spans are milliseconds, and what is not
 * known or does not apply is `null`.
 * Rule 2: it names no peer and no address of a coin.
 * @module
 */
import * as delivery from "../notify/delivery.ts";
import type { Counts as NoticeCounts } from "../notify/events.ts";
import { NEVER, wallAt, type Mono } from "../time.ts";
import { none, shown, type OnionStatus } from "../tor/shown.ts";
import type { Counts } from "./counts.ts";
import { degraded, type Degraded } from "./degraded.ts";
import * as guard from "./guard.ts";
import type { Maker } from "./node.ts";
import * as offers from "./offers.ts";
import * as pool from "./pool.ts";
import type { Report } from "./rates.ts";
import * as wallet from "./wallet.ts";
import * as words from "./words.ts";

export type DirectoryStatus = {
  readonly directory: string; readonly phase: string; readonly isUp: boolean;
  /** How long it is up, or is not. */
  readonly sinceMs: number | null;
  /** Until it is dialled again, or a deadline passes. */
  readonly dueMs: number | null;
  /** In a row, not counting startup. */
  readonly failures: number;
  readonly malformed: number;
};

export type OfferStatus = {
  readonly oid: number; readonly kind: string; readonly minsizeSat: string;
  readonly maxsizeSat: string; readonly txfeeSat: string;
  /** Satoshis, or a part of the amount. */
  readonly cjfee: string;
};

export type BalanceStatus = {
  readonly mixdepth: number; readonly coins: number; readonly spendableSat: string;
  readonly largestSat: string; readonly unconfirmedSat: string; readonly lockedSat: string;
  readonly totalSat: string;
};

export type LimitStatus = {
  readonly violations: number; readonly tracked: number; readonly banned: number;
};

export type Status = {
  readonly schema: 1;
  readonly nick: string;
  readonly pubkey: string;
  readonly network: string;
  /** Where takers reach us, as directories are told. */
  readonly location: string;
  readonly phase: Maker["phase"];
  /** Unix milliseconds of the start, or `null` while the host has not told the time. */
  readonly startedUnixMs: number | null;
  readonly uptimeMs: number;
  readonly degraded: readonly Degraded[];
  readonly directories: {
    readonly up: number; readonly total: number; readonly all: readonly DirectoryStatus[];
  };
  readonly onion: OnionStatus;
  readonly offers: {
    readonly public: readonly OfferStatus[];
    /** Counts the announcements. */
    readonly version: number;
    readonly block: offers.Block | null;
    /** Why nothing is public, for people; `null` if something is. */
    readonly why: string | null;
    /** Until a change is announced that waits for the sake of privacy. */
    readonly heldMs: number | null;
  };
  readonly wallet: {
    readonly state: "none" | "up" | "down";
    readonly sinceMs: number;
    readonly trouble: {
      readonly part: string; readonly reason: string; readonly why: string;
      readonly failures: number; readonly sinceMs: number;
    } | null;
    /** How long ago the coins were seen. */
    readonly viewAgeMs: number | null;
    /** May offers stand on that view? */
    readonly isReliable: boolean;
    readonly coins: number;
    readonly spendableSat: string;
    readonly balances: readonly BalanceStatus[];
  };
  readonly tip: {
    readonly height: number | null; readonly hash: string | null;
    readonly heardMs: number | null; readonly stale: "old-block" | "silent" | null;
  };
  readonly rescan: {
    readonly phase: string; readonly failures: number; readonly isSearching: boolean;
    readonly permille: number | null; readonly atHeight: number | null;
  };
  readonly pending: {
    readonly watched: number; readonly givenUp: number; readonly asking: number;
    readonly recording: number; readonly untold: number;
  };
  readonly journal: {
    readonly phase: string; readonly isReady: boolean; readonly failingMs: number | null;
    readonly why: string | null; readonly records: number; readonly bytes: number;
    readonly waiting: number;
  };
  readonly history: {
    readonly rows: number; readonly others: number; readonly malformed: number;
    readonly unknown: number;
  };
  readonly notices: {
    readonly targets: readonly {
      readonly to: string; readonly waiting: number; readonly failures: number;
      readonly why: string;
    }[];
    readonly counts: NoticeCounts;
  };
  readonly guard: {
    readonly orderbook: LimitStatus; readonly direct: LimitStatus;
    readonly refusals: Readonly<guard.Refusals>;
  };
  readonly inbound: {
    readonly open: number; readonly opened: number; readonly greeted: number;
    readonly identified: number; readonly ended: { readonly [reason: string]: number };
  };
  readonly counts: Counts;
  /** Requests over HTTP, and signatures, that have no answer yet. */
  readonly underWay: { readonly requests: number; readonly signatures: number };
};

/** The maker at `now`. */
export function status(d: Maker, now: Mono): Status {
  const { config, nick, phase, startedAt, anchor } = d;
  return {
    schema: 1, nick, pubkey: config.pubkey, network: config.network,
    location: d.pool.location, phase,
    startedUnixMs: anchor === undefined ? null : wallAt(anchor, d.anchoredAt, startedAt).unixMs,
    uptimeMs: now - startedAt, degraded: degraded(d, now), directories: directoriesOf(d, now),
    onion: d.errands === undefined ? none : shown(d.errands.onion, now),
    offers: offersOf(d, now), wallet: walletOf(d, now), tip: tipOf(d, now),
    rescan: rescanOf(d), pending: pendingOf(d), journal: journalOf(d, now),
    history: {
      rows: d.book.rows, others: d.book.others, malformed: d.book.skipped.malformed,
      unknown: d.book.skipped.unknown,
    },
    notices: {
      targets: delivery.status(d.notify),
      counts: { ...d.notify.counts, lost: { ...d.notify.counts.lost } },
    },
    guard: guardOf(d, now),
    inbound: {
      ...d.inbound.counts, open: d.inbound.guests.all.size, ended: { ...d.inbound.guests.ended },
    },
    counts: { ...d.counts },
    underWay: { requests: d.requests.open.size, signatures: d.signing.size },
  };
}

function until(at: Mono | undefined, now: Mono): number | null {
  return at === undefined || at === NEVER ? null : at - now;
}

function since(at: Mono | undefined, now: Mono): number | null {
  return at === undefined || at === NEVER ? null : now - at;
}

function directoriesOf(d: Maker, now: Mono): Status["directories"] {
  const all = pool.views(d.pool).map(({ directory, phase, dueAt, failures, malformed }) => ({
    directory, phase, isUp: phase === "up", sinceMs: since(d.since.get(directory), now),
    dueMs: until(dueAt, now), failures, malformed,
  }));
  return { up: all.filter(({ isUp }) => isUp).length, total: all.length, all };
}

function offersOf(d: Maker, now: Mono): Status["offers"] {
  const block = offers.blockOf(d.offers) ?? null;
  const current = offers.current(d.offers);
  return {
    public: current.map((o) => ({
      oid: o.oid, kind: o.kind, minsizeSat: `${o.minsizeSat}`, maxsizeSat: `${o.maxsizeSat}`,
      txfeeSat: `${o.txfeeSat}`, cjfee: "cjfee" in o ? o.cjfee.text : `${o.cjfeeSat}`,
    })),
    version: d.offers.version, block, why: current.length > 0 ? null : whyNone(d, block),
    heldMs: d.offers.next === undefined ? null : until(d.offers.holdUntil, now),
  };
}

function whyNone(d: Maker, block: offers.Block | null): string {
  if (d.config.offers.terms.length === 0) return "no offer is configured";
  return block === null ? "no coins suffice" : words.blocked(block).why;
}

function walletOf(d: Maker, now: Mono): Status["wallet"] {
  const { wallet: w } = d;
  const trouble = w.parts.tip.trouble ?? w.parts.coins.trouble;
  const coins = wallet.spendable(w);
  return {
    state: d.chain === undefined ? "none" : w.backend.state, sinceMs: now - w.backend.since,
    trouble: trouble === undefined ? null : {
      part: trouble.part, reason: trouble.reason, why: trouble.fault.text,
      failures: trouble.failures, sinceMs: now - trouble.since,
    },
    viewAgeMs: wallet.ageMs(w, now) ?? null, isReliable: wallet.isReliable(w),
    coins: w.coins.length,
    spendableSat: `${coins.reduce((sum, { valueSat }) => sum + valueSat, 0n)}`,
    balances: wallet.balances(w).map((b, mixdepth) => ({
      mixdepth, coins: b.coins, spendableSat: `${b.spendableSat}`, largestSat: `${b.largestSat}`,
      unconfirmedSat: `${b.unconfirmedSat}`, lockedSat: `${b.lockedSat}`,
      totalSat: `${b.totalSat}`,
    })),
  };
}

function tipOf(d: Maker, now: Mono): Status["tip"] {
  const { tip, heardAt, stale } = d.tip;
  return {
    height: tip?.height ?? null, hash: tip?.hash ?? null,
    heardMs: tip === undefined ? null : now - heardAt, stale: stale ?? null,
  };
}

function rescanOf(d: Maker): Status["rescan"] {
  const { at, failures, search } = d.rescan;
  return {
    phase: at.phase, failures, isSearching: search !== undefined,
    permille: d.progress?.permille ?? null, atHeight: d.progress?.atHeight ?? null,
  };
}

function pendingOf(d: Maker): Status["pending"] {
  const { held, lates, asking, recording, untold, telling } = d.pending;
  return {
    watched: held.size - lates, givenUp: lates, asking: asking.size, recording: recording.size,
    untold: untold.size + telling.size,
  };
}

function journalOf(d: Maker, now: Mono): Status["journal"] {
  const { at, isReady, count, endBytes, pending } = d.journal;
  return {
    phase: at.phase, isReady, failingMs: since(d.diskFailingAt, now),
    why: d.diskTrouble === "" ? null : d.diskTrouble, records: count, bytes: endBytes,
    waiting: pending.queue.length,
  };
}

function guardOf(d: Maker, now: Mono): Status["guard"] {
  const { orderbook, direct, refusals } = guard.statistics(d.guard, now);
  return { orderbook: limitOf(orderbook), direct: limitOf(direct), refusals };
}

function limitOf(report: Report<unknown>): LimitStatus {
  const { violations, tracked, banned, bannedMore } = report;
  return { violations, tracked, banned: banned.length + bannedMore };
}
