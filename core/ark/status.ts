/**
 * What the daemon of Ark wallets looks like from outside: a plain value for `/status`, metrics,
 * health, pages and tests. Reading it changes nothing.
 *
 * Rule 1: it is JSON: amounts are satoshis in decimal text, spans are milliseconds, and what is not
 * known or does not apply is `null`.
 * Rule 2: VTXOs are named in the plan only.
 * @module
 */
import * as delivery from "../notify/delivery.ts";
import type { Counts as NoticeCounts } from "../notify/events.ts";
import { NEVER, wallAt, type Mono } from "../time.ts";
import * as asking from "./asking.ts";
import type { Counts } from "./counts.ts";
import { laneNames } from "./daemon-events.ts";
import { degraded, walletDegraded, type Degraded } from "./degraded.ts";
import { byExpiry, reaches, stages, type Coin, type Stage } from "./expiry.ts";
import { capabilities, factOf, type Capability, type Evidence, type State } from "./facts.ts";
import * as fleet from "./fleet.ts";
import { sight } from "./guardian.ts";
import type { Ark, Node } from "./node.ts";
import { plan, type Plan } from "./plan.ts";
import { isLeaving } from "./refresh.ts";
import * as supervisor from "./supervisor.ts";
import { doubted } from "./trust.ts";
import type { Exit, ExitState, OpName } from "./wallet.ts";
import * as words from "./words.ts";

export type FactStatus = {
  readonly of: Capability; readonly state: State; readonly evidence: Evidence;
  /** How long it has been in this state, and how old the newest evidence is. */
  readonly sinceMs: number; readonly ageMs: number | null;
};

/** Lanes of the background, of the guard (`look`, `refresh`, `exit`), `news` and `books`. */
export type LaneStatus = {
  readonly lane: string;
  /** Since the last call that succeeded. */
  readonly okMs: number | null;
  /** In a row, and the last one's reason: a word of a closed list. */
  readonly failures: number; readonly why: string | null;
  /** What runs, for how long, and whether it is waited for any more. */
  readonly running: { readonly op: OpName; readonly ranMs: number; readonly isOverdue: boolean }
    | null;
};

/** A wallet's program that this process runs. */
export type ProgramStatus = {
  readonly phase: supervisor.PhaseName;
  readonly pid: number | null; readonly upMs: number | null;
  /** Starts after the first. */
  readonly restarts: number;
  readonly isCrashing: boolean;
  /** How the last run that ended did, in words; how long it was, and how long ago. */
  readonly lastExit: { readonly how: string; readonly ranMs: number; readonly agoMs: number }
    | null;
};

/** Satoshis; `exitSat` is unknown while exits are at work. */
export type BalanceStatus = {
  readonly spendableSat: string; readonly inRoundSat: string; readonly lightningSendSat: string;
  readonly lightningReceiveSat: string; readonly boardSat: string; readonly exitSat: string | null;
  /** How old all this is. */
  readonly ageMs: number;
};

export type StageStatus = {
  readonly stage: Stage; readonly vtxos: number; readonly amountSat: string;
};

export type ExpiryStatus = {
  readonly height: number; readonly stage: Stage;
  /** At worst; 0 once it has expired, `null` while no height is known. */
  readonly blocksLeft: number | null; readonly leftMs: number | null;
};

/** What the journal is about, and what is shown now. */
export type Doubt = { readonly known: string; readonly shown: string };

export type WalletStatus = {
  readonly name: string;
  readonly server: string;
  readonly fingerprint: string | null;
  /** May the server be asked for work? */
  readonly isConnected: boolean;
  /** Its key is another one than the wallet knows: nothing is asked of it until it is trusted. */
  readonly isBarred: boolean;
  /** What waits for the operator's trust: another wallet, or another key of the server. */
  readonly doubts: { readonly wallet: Doubt | null; readonly server: Doubt | null };
  readonly degraded: readonly Degraded[];
  /** `null`: somebody else runs it. */
  readonly program: ProgramStatus | null;
  readonly facts: readonly FactStatus[];
  readonly lanes: readonly LaneStatus[];
  readonly balance: BalanceStatus | null;
  readonly tip: Plan["tip"];
  /** How old the newest list of VTXOs is, and whether it may be acted on. */
  readonly seenMs: number | null;
  readonly isFresh: boolean;
  readonly vtxos: number;
  /** Every stage, also where there is none. */
  readonly stages: readonly StageStatus[];
  /** The VTXO that expires first and does not leave. */
  readonly nextExpiry: ExpiryStatus | null;
  /** Exits by state; only what there is. */
  readonly exits: readonly { readonly state: ExitState; readonly count: number }[];
  readonly fee: Plan["fee"];
  readonly intents: Plan["intents"];
  /** Of intents, in this run and in what the journal held. */
  readonly outcomes: {
    readonly success: number; readonly rejected: number; readonly superseded: number;
  };
  readonly round: { readonly kind: string; readonly roundSeq: number; readonly ageMs: number }
    | null;
  readonly checkpoint: number | null;
};

export type Status = {
  readonly schema: 1;
  readonly version: string;
  readonly phase: "fresh" | "running" | "draining" | "stopped";
  /** Unix milliseconds of the start, or `null` while the host has not told the time. */
  readonly startedUnixMs: number | null;
  readonly uptimeMs: number;
  /** Of the process; each wallet has its own. */
  readonly degraded: readonly Degraded[];
  readonly wallets: readonly WalletStatus[];
  /** Wallets without a degraded state, and all. */
  readonly up: number;
  readonly total: number;
  /** What keeps running in wallets' programs after the end. */
  readonly leftRunning: readonly {
    readonly wallet: string; readonly lane: string; readonly op: OpName; readonly ranMs: number;
  }[];
  readonly journal: {
    readonly phase: string; readonly isReady: boolean; readonly failingMs: number | null;
    readonly why: string | null; readonly records: number; readonly bytes: number;
    readonly waiting: number;
  };
  readonly notices: {
    readonly targets: readonly {
      readonly to: string; readonly waiting: number; readonly failures: number;
      readonly why: string;
    }[];
    readonly counts: NoticeCounts;
  };
  readonly counts: Counts;
  readonly underWay: {
    readonly calls: number; readonly held: number; readonly streams: number;
    readonly requests: number;
  };
};

/** All of it at `now`. */
export function status(d: Ark, now: Mono): Status {
  const { config: { version }, phase, anchor, startedAt } = d;
  const all = d.nodes.map((node) => walletOf(d, node, now));
  return {
    schema: 1, version, phase,
    startedUnixMs: anchor === undefined ? null : wallAt(anchor, d.anchoredAt, startedAt).unixMs,
    uptimeMs: now - startedAt, degraded: degraded(d, now), wallets: all,
    up: all.filter((one) => one.degraded.length === 0).length, total: all.length,
    leftRunning: phase === "stopped" ? asking.remaining(d, now) : [],
    journal: journalOf(d, now),
    notices: {
      targets: delivery.status(d.notify),
      counts: { ...d.notify.counts, lost: { ...d.notify.counts.lost } },
    },
    counts: { ...d.counts },
    underWay: {
      calls: d.calls.open.size, held: fleet.held(d.fleet), streams: d.streams.size,
      requests: d.requests.open.size,
    },
  };
}

/** The plan of every wallet, or of the one of this name. */
export function plans(d: Ark, now: Mono, wallet?: string, rowsMax = 1_000): readonly Plan[] {
  return d.nodes.filter(({ config: { name } }) => wallet === undefined || name === wallet)
    .map((node) => plan(node.guardian, now, rowsMax));
}

function since(at: Mono | undefined, now: Mono): number | null {
  return at === undefined || at === NEVER ? null : now - at;
}

function walletOf(d: Ark, node: Node, now: Mono): WalletStatus {
  const { config: { name, server }, daemon: { facts, mailbox }, guardian: g, books, round } = node;
  const { tip, seenMs, isFresh, fee, intents } = plan(g, now, 0);
  const { counts } = g.drive.book;
  return {
    name, server, fingerprint: books.fingerprint ?? null, isConnected: facts.isConnected,
    isBarred: facts.isBarred,
    doubts: {
      wallet: doubted(g.trust, "wallet", g.drive) ?? null,
      server: doubted(g.trust, "server", g.drive) ?? null,
    },
    degraded: walletDegraded(d, node, now), program: programOf(node, now),
    facts: capabilities.map((of) => {
      const { state, evidence, since: at, at: heardAt } = factOf(facts, of);
      const ageMs = evidence === "none" ? null : now - heardAt;
      return { of, state, evidence, sinceMs: now - at, ageMs };
    }),
    lanes: lanesOf(d, node, now), balance: balanceOf(node, now), tip, seenMs, isFresh,
    vtxos: g.expiry.coins.size, stages: stagesOf(g.expiry.coins.values()),
    nextExpiry: nextExpiryOf(node, now), exits: exitsOf(g.exits.values()), fee, intents,
    outcomes: { ...counts },
    round: round === undefined ? null
      : { kind: round.event.kind, roundSeq: round.event.roundSeq, ageMs: now - round.at },
    checkpoint: mailbox.checkpoint ?? null,
  };
}

function programOf({ program: m }: Node, now: Mono): ProgramStatus | null {
  if (m === undefined) return null;
  const { at: { phase }, runs, last } = m;
  const run = supervisor.running(m);
  return {
    phase, pid: run?.pid ?? null, upMs: since(run?.since, now), restarts: runs > 1 ? runs - 1 : 0,
    isCrashing: supervisor.isLooping(m),
    lastExit: last === undefined ? null
      : { how: words.exit(last.exit), ranMs: last.ranMs, agoMs: now - last.at },
  };
}

/** Lanes of a wallet, in this order. */
const lanes: readonly string[] = [
  ...laneNames, "look", "refresh", "exit", "claim", "news", "books",
];

function lanesOf(d: Ark, node: Node, now: Mono): readonly LaneStatus[] {
  const { name: wallet } = node.config;
  return lanes.map((lane) => {
    const one = node.lanes.get(lane);
    const call = asking.under(d, wallet, lane);
    return {
      lane, okMs: since(one?.okAt, now), failures: one?.failures ?? 0,
      why: one === undefined || one.why === "" ? null : one.why,
      running: call === undefined ? null : {
        op: call.op.op, ranMs: now - call.sentAt, isOverdue: asking.isOverdue(node, call),
      },
    };
  });
}

function balanceOf({ books: { balance, balanceAt } }: Node, now: Mono): BalanceStatus | null {
  if (balance === undefined) return null;
  const { exitSat } = balance;
  return {
    spendableSat: `${balance.spendableSat}`, inRoundSat: `${balance.inRoundSat}`,
    lightningSendSat: `${balance.lightningSendSat}`, boardSat: `${balance.boardSat}`,
    lightningReceiveSat: `${balance.lightningReceiveSat}`,
    exitSat: exitSat === undefined ? null : `${exitSat}`, ageMs: now - balanceAt,
  };
}

function stagesOf(coins: Iterable<Coin>): readonly StageStatus[] {
  const sums = new Map<Stage, { vtxos: number; sat: bigint }>();
  for (const stage of stages) sums.set(stage, { vtxos: 0, sat: 0n });
  for (const { stage, vtxo } of coins) {
    const sum = sums.get(stage);
    if (sum === undefined) continue;
    sum.vtxos += 1;
    sum.sat += vtxo.amountSat;
  }
  return [...sums].map(([stage, { vtxos, sat }]) => ({ stage, vtxos, amountSat: `${sat}` }));
}

function nextExpiryOf({ guardian: g }: Node, now: Mono): ExpiryStatus | null {
  const s = sight(g, now);
  let first: Coin | undefined;
  for (const coin of g.expiry.coins.values()) {
    if (isLeaving(s, coin)) continue;
    if (first === undefined || byExpiry(coin.vtxo, first.vtxo) < 0) first = coin;
  }
  if (first === undefined) return null;
  const { vtxo: { expiryHeight: height }, stage } = first;
  if (s.tip === undefined) return { height, stage, blocksLeft: null, leftMs: null };
  const at = reaches(g.expiry, height);
  return {
    height, stage, blocksLeft: height > s.tip ? height - s.tip : 0,
    leftMs: at === NEVER ? null : at > now ? at - now : 0,
  };
}

function exitsOf(exits: Iterable<Exit>): WalletStatus["exits"] {
  const counts = new Map<ExitState, number>();
  for (const { state } of exits) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => ({ state, count }));
}

function journalOf(d: Ark, now: Mono): Status["journal"] {
  const { at, isReady, count, endBytes, pending } = d.journal;
  return {
    phase: at.phase, isReady, failingMs: since(d.diskFailingAt, now),
    why: d.diskTrouble === "" ? null : d.diskTrouble, records: count, bytes: endBytes,
    waiting: pending.queue.length,
  };
}
