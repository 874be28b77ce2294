/**
 * The state of a maker, and what its parts need of each other: questions to the chain, records in
 * the journal, signatures, notices, log.
 *
 * Rule 1: parts are called and their wishes translated by the root and its helpers; none knows
 * another.
 * Rule 2: whatever is asked of somebody has a number here and gets one answer; an answer whose
 * number is not known changes nothing.
 * @module
 */
import { assert } from "../assert.ts";
import * as backend from "../chain/backend.ts";
import type { Answer, Progress, Question } from "../chain/chain.ts";
import * as tip from "../chain/tip.ts";
import * as book from "../history/book.ts";
import * as journal from "../history/journal.ts";
import type { ConnId } from "../ids.ts";
import * as features from "../joinmarket/features.ts";
import { nickOf } from "../joinmarket/nick.ts";
import type {
  LogEffect, LogField, LogLevel, RequestEffect, RequestEvent,
} from "../kernel/io.ts";
import * as delivery from "../notify/delivery.ts";
import type { Notice } from "../notify/notice.ts";
import type { ExecEffect } from "../notify/target.ts";
import type { Primitives } from "../primitives.ts";
import * as prng from "../prng.ts";
import * as requests from "../requests.ts";
import * as errands from "../tor/errands.ts";
import * as onion from "../tor/onion.ts";
import { NEVER, wallAt, type Mono, type Wall } from "../time.ts";
import { check, type MakerConfig } from "./config.ts";
import * as counts from "./counts.ts";
import * as dedup from "./dedup.ts";
import type { MakerEffect } from "./events.ts";
import * as guard from "./guard.ts";
import * as inbound from "./inbound.ts";
import * as offers from "./offers.ts";
import * as pending from "./pending.ts";
import * as pool from "./pool.ts";
import * as reports from "./reports.ts";
import * as rescan from "./rescan.ts";
import * as updates from "./updates.ts";
import * as wallet from "./wallet.ts";

/** Who asked the chain, and what it calls its question. */
export type Asker = { readonly who: "tip" | "rescan" | "pending"; readonly token: number };

/** Who wanted a record, what it calls it, and what it says. */
export type Recorder = {
  readonly who: "pending" | "notify" | "reports" | "told";
  readonly token: number;
  readonly body: string;
};

/** Who wants a signature: a link of the pool, or replies that say `data`. */
export type Signing =
  | { readonly who: "pool"; readonly token: number }
  | { readonly who: "talk"; readonly data: string };

/** Where a line came from, and where its answer goes. */
export type Way =
  | { readonly via: "directory"; readonly directory: string }
  | { readonly via: "direct"; readonly conn: ConnId };

/** A signature that was asked for, and how long it is waited for. */
export type Wanted = { readonly signing: Signing; readonly until: Mono };

/** A reply that waits for the signature of its data. */
export type Reply = { readonly to: string; readonly word: string; readonly way: Way };

export type Maker = {
  config: MakerConfig;
  readonly nick: string;
  readonly startedAt: Mono;
  anchor: Wall | undefined;
  anchoredAt: Mono;
  phase: "fresh" | "running" | "draining" | "stopped";
  drainDueAt: Mono;
  readonly counts: counts.Counts;
  readonly journal: journal.Journal;
  book: book.Book;
  /** The journal was read, and what it holds is known to everybody. */
  isRestored: boolean;
  /** Since when records do not become durable; `NEVER`: they do. And why. */
  diskFailingAt: Mono;
  diskTrouble: string;
  /** The journal has its largest size and takes nothing more. */
  isFileFull: boolean;
  /** An order to the disk has taken too long, and what it was for is not durable yet. */
  isDiskSlow: boolean;
  /** What the offers were told of the backend last. */
  isBackendUp: boolean | undefined;
  readonly requests: requests.Requests;
  readonly chain: backend.Backend | undefined;
  readonly tip: tip.Watch;
  readonly wallet: wallet.Wallet;
  /** It was told that the backend is down. */
  isBackendMissed: boolean;
  readonly rescan: rescan.Rescan;
  readonly offers: offers.Offers;
  readonly guard: guard.Guard;
  readonly dedup: dedup.Dedup;
  readonly pool: pool.Pool;
  readonly inbound: inbound.Inbound;
  /** Our own onion service, and its connections. */
  readonly errands: errands.Errands | undefined;
  /** When it was told that the onion is down; `undefined`: it is not. */
  onionDownAt: Mono | undefined;
  readonly pending: pending.Pending;
  readonly notify: delivery.Delivery;
  readonly reports: reports.Reports;
  readonly updates: updates.Updates;
  readonly asked: Map<number, Asker>;
  readonly recorded: Map<number, Recorder>;
  /** The longest asked for first. */
  readonly signing: Map<number, Wanted>;
  /** What budgets of directories are kept by: those that are gone first, then as configured. */
  numbers: Map<string, number>;
  /** The last number given: of a question, a record, a signature. */
  asks: number;
  records: number;
  signs: number;
  /** Signatures by what they sign, the oldest first. */
  readonly signatures: Map<string, Uint8Array>;
  readonly waiting: Map<string, Reply[]>;
  replies: number;
  /** Since when each configured directory is up, or is not. */
  readonly since: Map<string, Mono>;
  /** How far the search of old blocks is; `undefined`: none is known to be under way. */
  progress: Progress | undefined;
  /** When all directories were last lost; `NEVER`: one is up. */
  allDownAt: Mono;
};

/** Who asks the world outside: the notices, and the look for a newer version. */
export type Sender = "notify" | "update";

/** What one part wants of another within a step; the root does it before the step ends. */
export type Todo =
  /** A line that a peer sent by way of this directory. */
  | {
    readonly do: "hear"; readonly directory: string; readonly kind: "public" | "private";
    readonly line: string;
  }
  | { readonly do: "ask"; readonly asker: Asker; readonly question: Question }
  | { readonly do: "drop"; readonly asker: Asker }
  | { readonly do: "answered"; readonly asker: Asker; readonly answer: Answer }
  | { readonly do: "progress"; readonly asker: Asker; readonly progress: Progress }
  | { readonly do: "record"; readonly recorder: Recorder }
  | { readonly do: "durable"; readonly recorder: Recorder; readonly seq: number }
  | { readonly do: "refused"; readonly recorder: Recorder }
  | { readonly do: "notice"; readonly notice: Notice }
  /** A request of the notices, and what became of one. */
  | {
    readonly do: "order"; readonly asker: Sender; readonly effect: RequestEffect | ExecEffect;
  }
  | { readonly do: "notified"; readonly asker: Sender; readonly event: RequestEvent }
  /** Whether records become durable may have changed. */
  | { readonly do: "disk" }
  /** Something happened to our coins. */
  | { readonly do: "active" };

/** What one step carries along: the clock, the crypto, and what has been asked for so far. */
export type Turn = {
  readonly now: Mono;
  readonly p: Primitives;
  readonly out: MakerEffect[];
  readonly todo: Todo[];
};

const levels: readonly LogLevel[] = ["error", "warn", "info", "debug"];

/** What we can do, as handshakes say it; `nick_auth` is added where it holds. */
const ownFeatures: readonly string[] = [features.peerlistFeatures, features.ping];

/**
 * A maker that nobody has started. `seed`: 32 bytes for jitter and for the sizes of offers, never
 * for secrets. Throws `InvariantError` for a configuration that `check` refuses.
 */
export function create(config: MakerConfig, seed: prng.Key, p: Primitives, now: Mono): Maker {
  const broken = check(config);
  assert(broken === undefined, `maker config: ${broken?.says}`);
  const nick = nickOf(config.pubkey, 5, p.sha256);
  const identity = {
    nick, pubkey: config.pubkey, network: config.network, features: ownFeatures, auth: config.auth,
  };
  return {
    config, nick, startedAt: now, anchor: undefined, anchoredAt: now, phase: "fresh",
    drainDueAt: NEVER, counts: counts.create(), journal: journal.create(config.journal),
    book: book.create(config.book), isRestored: false, diskFailingAt: NEVER,
    diskTrouble: "", isFileFull: false, isDiskSlow: false, isBackendUp: undefined,
    requests: requests.create(config.requests),
    chain: backend.create(config.bitcoind, config.esplora),
    tip: tip.create(config.tip), wallet: wallet.create(config.wallet, now),
    isBackendMissed: false,
    rescan: rescan.create(config.rescan),
    offers: offers.create(config.offers, prng.stream(seed, "offers")),
    guard: guard.create(config.guard), dedup: dedup.create(config.dedup),
    pool: pool.create(config.pool, identity, config.location, prng.derive(seed, "pool")),
    inbound: inbound.create({
      ...config.inbound, nick, network: config.network, features: ownFeatures,
    }),
    errands: config.onion === undefined ? undefined : errands.create(
      onion.create(config.onion, prng.derive(seed, "onion"), now), config.torControl,
    ),
    onionDownAt: undefined,
    pending: pending.create(config.pending),
    notify: delivery.create(config.notify, prng.derive(seed, "notify")),
    reports: reports.create(config.reports, now),
    updates: updates.create(config.updates, prng.stream(seed, "updates"), now),
    asked: new Map(), recorded: new Map(), signing: new Map(),
    numbers: new Map(), asks: 0, records: 0, signs: 0,
    signatures: new Map(), waiting: new Map(), replies: 0, since: new Map(),
    progress: undefined, allDownAt: NEVER,
  };
}

/** The wall time, for records and people; the start of 1970 before the host has told it. */
export function unixMsAt(d: Maker, now: Mono): number {
  return d.anchor === undefined ? 0 : wallAt(d.anchor, d.anchoredAt, now).unixMs;
}

/** Says it, if the operator wants to hear of it. */
export function log(
  d: Maker, level: LogLevel, code: string, fields: { readonly [name: string]: LogField }, t: Turn,
): void {
  say(d, { type: "log", level, code, fields }, t);
}

/** The same for what a part has to say. */
export function say(d: Maker, line: LogEffect, t: Turn): void {
  if (levels.indexOf(line.level) <= levels.indexOf(d.config.logLevel)) t.out.push(line);
}
