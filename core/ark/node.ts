/**
 * The state of all wallets of a process, and what their parts need of each other: calls, records,
 * notices, log.
 *
 * Rule 1: one node for each wallet, with machines and chance of its own; journal, notices, tables
 * of calls and turns at servers are everybody's.
 * Rule 2: parts are called and their wishes translated by the root and its helpers; none knows
 * another. What one wants of another within a step stands in `todo`.
 * Rule 3: a node's deadline is worked out anew when something was done to it, and only then.
 * @module
 */
import { assert } from "../assert.ts";
import * as journal from "../history/journal.ts";
import type { LogEffect, LogField, LogLevel, RequestEffect, RequestEvent } from "../kernel/io.ts";
import * as delivery from "../notify/delivery.ts";
import type { Notice } from "../notify/notice.ts";
import type { ExecEffect } from "../notify/target.ts";
import * as prng from "../prng.ts";
import * as requests from "../requests.ts";
import { NEVER, wallAt, type Mono, type Wall } from "../time.ts";
import * as books from "./books.ts";
import * as calls from "./calls.ts";
import { check, type ArkConfig, type WalletConfig } from "./config.ts";
import * as counts from "./counts.ts";
import * as daemon from "./daemon.ts";
import type { ArkEffect } from "./events.ts";
import * as fleet from "./fleet.ts";
import * as guardian from "./guardian.ts";
import * as news from "./news.ts";
import * as outages from "./outages.ts";
import type { Policy } from "./policy.ts";
import * as supervisor from "./supervisor.ts";
import type { Answer, Op, RoundEvent } from "./wallet.ts";
import * as watch from "./watch.ts";

/** How a lane has been doing. */
export type Lane = {
  /** Of the last success. */
  okAt: Mono | undefined;
  /** In a row, and the last one's reason. */
  failures: number;
  why: string;
  /** What it was that failed last; "": of no matter. */
  failedOp: string;
  /** Its work was not done for too long; since then. */
  behindAt: Mono | undefined;
};

export type Node = {
  readonly config: WalletConfig;
  readonly daemon: daemon.Daemon;
  readonly guardian: guardian.Guardian;
  readonly news: news.News;
  readonly books: books.Books;
  readonly watch: watch.Watch;
  /** Who keeps its program running, if that is ours to do. */
  readonly program: supervisor.Supervisor | undefined;
  readonly lanes: Map<string, Lane>;
  /** Its streams, with the numbers that the host knows. */
  readonly streams: Map<daemon.StreamName, { readonly id: number; readonly token: number }>;
  /** By lane, in the order of asking. */
  readonly held: Map<string, Held>;
  /** When it begins to work; `NEVER` once it has, and before the start. */
  startAt: Mono;
  /** When the guard was last told to look at once, and is the next time. */
  nudgedAt: Mono | undefined;
  nudgeAt: Mono;
  /** The token may be an old one: it is read again before the next request. */
  isTokenDoubted: boolean;
  height: number | undefined;
  round: { readonly event: RoundEvent; readonly at: Mono } | undefined;
  /** A message that is not read, whatever is tried. */
  isMailStuck: boolean;
  /** When any of its machines is due. */
  dueAt: Mono;
};

/** What waits for the wallet's turn at its server. */
export type Held =
  | {
    readonly is: "call"; readonly asker: calls.Asker; readonly op: Op; readonly waitMs: number;
  }
  | { readonly is: "stream"; readonly stream: daemon.StreamName; readonly token: number };

/** Who wanted a record, what it calls it, and what it says. */
export type Recorder =
  | { readonly who: "guardian"; readonly wallet: string; readonly token: number;
    readonly body: string; }
  | { readonly who: "notify"; readonly token: number; readonly body: string };

export type Ark = {
  config: ArkConfig;
  readonly startedAt: Mono;
  anchor: Wall | undefined;
  anchoredAt: Mono;
  phase: "fresh" | "running" | "draining" | "stopped";
  /** When anything is due, and any of the nodes: as the last step left it. */
  dueAt: Mono;
  nodesDueAt: Mono;
  /** While draining: until then calls are waited for, and until then anything is. */
  leaveAt: Mono;
  drainDueAt: Mono;
  readonly counts: counts.Counts;
  readonly nodes: readonly Node[];
  readonly byName: ReadonlyMap<string, Node>;
  readonly calls: calls.Calls;
  readonly fleet: fleet.Fleet<Node>;
  readonly outages: outages.Outages;
  /** Streams that are open at the host, by its numbers. */
  readonly streams: Map<number, {
    readonly node: Node; readonly stream: daemon.StreamName; readonly token: number;
  }>;
  streamIds: number;
  readonly journal: journal.Journal;
  /** The journal was read, and what it holds is known to everybody. */
  isRestored: boolean;
  /** Since when records do not become durable; `NEVER`: they do. And why. */
  diskFailingAt: Mono;
  diskTrouble: string;
  /** The journal has its largest size and takes nothing more. */
  isFileFull: boolean;
  isDiskSlow: boolean;
  /** By the number of the record. */
  readonly recorded: Map<number, Recorder>;
  records: number;
  readonly notify: delivery.Delivery;
  readonly requests: requests.Requests;
};

/** What one part wants of another within a step; the root does it before the step ends. */
export type Todo =
  | { readonly do: "daemon"; readonly node: Node; readonly event: daemon.Event }
  | { readonly do: "guardian"; readonly node: Node; readonly event: guardian.Event }
  | { readonly do: "answered"; readonly asker: calls.Asker; readonly op: Op;
    readonly answer: Answer; }
  | { readonly do: "record"; readonly recorder: Recorder }
  | { readonly do: "durable" | "refused"; readonly recorder: Recorder }
  | { readonly do: "notice"; readonly notice: Notice }
  | { readonly do: "order"; readonly effect: RequestEffect | ExecEffect }
  | { readonly do: "notified"; readonly event: RequestEvent };

/** What one step carries along: the clock, and what has been asked for so far. */
export type Turn = {
  readonly now: Mono;
  readonly out: ArkEffect[];
  readonly todo: Todo[];
  /** Nodes to which something was done. */
  readonly touched: Set<Node>;
};

const levels: readonly LogLevel[] = ["error", "warn", "info", "debug"];

/**
 * All wallets of `config`, of which none is started. `seed`: 32 bytes for jitter, never for
 * secrets. Throws `InvariantError` for a configuration that `check` refuses.
 */
export function create(config: ArkConfig, seed: prng.Key, now: Mono): Ark {
  const broken = check(config);
  assert(broken === undefined, `ark config: ${broken?.says}`);
  const turns = fleet.create<Node>(config.fleet, config.wallets);
  const nodes = config.wallets.map((wallet) => (
    nodeOf(config, wallet, fleet.roundMs(turns, wallet.server), seed, now)
  ));
  return {
    config, startedAt: now, anchor: undefined, anchoredAt: now, phase: "fresh",
    dueAt: NEVER, nodesDueAt: NEVER, leaveAt: NEVER, drainDueAt: NEVER,
    counts: counts.create(), nodes,
    byName: new Map(nodes.map((node) => [node.config.name, node])),
    calls: calls.create(config.calls), fleet: turns,
    outages: outages.create(config.outages, config.wallets.map(({ server }) => server)),
    streams: new Map(), streamIds: 0, journal: journal.create(config.journal), isRestored: false,
    diskFailingAt: NEVER, diskTrouble: "", isFileFull: false, isDiskSlow: false,
    recorded: new Map(), records: 0,
    notify: delivery.create(config.notify, prng.derive(seed, "notify")),
    requests: requests.create(config.requests),
  };
}

function nodeOf(
  config: ArkConfig, wallet: WalletConfig, queueMs: number, seed: prng.Key, now: Mono,
): Node {
  const key = prng.derive(seed, "wallet", wallet.name);
  const node: Node = {
    config: wallet, daemon: daemon.create(patient(wallet.policy, queueMs), key, now),
    guardian: guardian.create(wallet.guardian, key, now),
    news: news.create(config.news, prng.stream(key, "news")),
    books: books.create(config.books, prng.stream(key, "books")),
    watch: watch.create(config.watch),
    program: wallet.program === undefined ? undefined
      : supervisor.create(wallet.program, prng.stream(key, "program")),
    lanes: new Map(), streams: new Map(),
    held: new Map(), startAt: NEVER,
    nudgedAt: undefined, nudgeAt: NEVER, isTokenDoubted: false, height: undefined,
    round: undefined, isMailStuck: false, dueAt: NEVER,
  };
  return node;
}

/** Who may have to wait for a turn waits longer for what follows, as far as evidence lives. */
function patient(policy: Policy, queueMs: number): Policy {
  const { probe: p, rounds, connected: { owner, agesMs } } = policy;
  const slowestMs = p.rest.ms + p.rest.spreadMs + p.waitMs;
  const leftMs = owner === "evidence" ? agesMs.server - slowestMs - 1 : queueMs;
  const moreMs = leftMs < queueMs ? leftMs : queueMs;
  const { stream } = rounds;
  return {
    ...policy, probe: { ...p, waitMs: p.waitMs + moreMs },
    rounds: { ...rounds, stream: { ...stream, openMs: stream.openMs + queueMs } },
  };
}

/** The lane of this name, which may never have run. */
export function laneOf(node: Node, name: string): Lane {
  const found = node.lanes.get(name);
  if (found !== undefined) return found;
  const lane: Lane = { okAt: undefined, failures: 0, why: "", failedOp: "", behindAt: undefined };
  node.lanes.set(name, lane);
  return lane;
}

/** The wallet of this name, which there is. */
export function named(d: Ark, wallet: string): Node {
  const node = d.byName.get(wallet);
  assert(node !== undefined, "ark: a wallet that is configured");
  return node;
}

/** The wall time, for records and people; the start of 1970 before the host has told it. */
export function unixMsAt(d: Ark, now: Mono): number {
  return d.anchor === undefined ? 0 : wallAt(d.anchor, d.anchoredAt, now).unixMs;
}

type Fields = { readonly [name: string]: LogField };

/** Says it, if the operator wants to hear of it. */
export function log(d: Ark, level: LogLevel, code: string, fields: Fields, t: Turn): void {
  say(d, { type: "log", level, code, fields }, t);
}

/** The same of one wallet. */
export function logOf(
  d: Ark, node: Node, level: LogLevel, code: string, fields: Fields, t: Turn,
): void {
  if (!isHeard(d, level)) return;
  t.out.push({ type: "log", level, code, fields: { wallet: node.config.name, ...fields } });
}

/** The same for what a part has to say. */
export function say(d: Ark, line: LogEffect, t: Turn): void {
  if (isHeard(d, line.level)) t.out.push(line);
}

function isHeard(d: Ark, level: LogLevel): boolean {
  return levels.indexOf(level) <= levels.indexOf(d.config.logLevel);
}
