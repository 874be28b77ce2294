/**
 * The whole little world of an Ark: one chain, one server, and wallets with their programs.
 *
 * Rule 1: plain state with one owner. Time is an argument, unix milliseconds, and `nowMs` is how
 * far the world has come (`run.ts`).
 * Rule 2: what a program has in memory is lost when it stops (`Session`, news, waiting askers); the
 * wallet's books (`Wallet`) are its disk.
 * @module
 */
import { assert } from "../../core/assert.ts";
import type { Answer, Reason, RoundEvent } from "../../core/ark/wallet.ts";
import { derive, key, stream, type Key, type Prng } from "../../core/prng.ts";
import * as chains from "./chain.ts";
import type { Chain } from "./chain.ts";
import { defaults, type Config } from "./config.ts";
import type { Outage, Reply } from "./faults.ts";
import type { Message } from "./mailbox.ts";
import { hashOf, tokenOf } from "./marks.ts";
import * as servers from "./server.ts";
import type { Server } from "./server.ts";

export type VtxoState = "spendable" | "locked" | "exited" | "spent";

/** A VTXO as its wallet knows it; amounts and heights are the server's (`Coin`). */
export type Held = {
  readonly id: string; state: VtxoState; lockedBy: number | undefined;
};

export type ExitStage =
  | { readonly at: "start" | "processing" | "canceled" | "already-spent" }
  | { readonly at: "awaiting-delta"; readonly confirmedAt: number; readonly claimableAt: number }
  | { readonly at: "claimable"; readonly since: number }
  | { readonly at: "claim-in-progress"; readonly since: number; readonly txid: string }
  | { readonly at: "claimed"; readonly height: number; readonly txid: string };

export type Exit = {
  readonly vtxo: string;
  stage: ExitStage;
  readonly history: ExitStage[];
  /** Sat that children paid so far, by transaction. */
  readonly paid: Map<string, bigint>;
  isShort: boolean;
};

export type RoundWork = {
  readonly id: number;
  readonly participation: string;
  readonly inputs: readonly string[];
  readonly isDelegated: boolean;
  readonly movement: number;
};

export type Board = {
  readonly txid: string; readonly amountSat: bigint; readonly movement: number;
  readonly vtxo: string;
};

export type Movement = {
  readonly id: number;
  readonly what: "refresh" | "board" | "receive" | "exit" | "deposit";
  readonly atMs: number;
  updatedMs: number;
  status: "pending" | "successful" | "failed" | "canceled";
  readonly inputs: readonly string[];
  outputs: readonly string[];
  readonly effectSat: bigint;
  feeSat: bigint;
};

/** Sat of a wallet, in and out; `audit.ts` adds them up. */
export type Books = {
  depositedSat: bigint;
  receivedSat: bigint;
  feesSat: bigint;
  claimedSat: bigint;
  /** Of VTXOs that the server took after their expiry, as far as the wallet has noticed. */
  lostSat: bigint;
};

export type Wallet = {
  readonly fingerprint: string;
  /** Of the server that it was made for. */
  readonly serverPubkey: string;
  readonly vtxos: Map<string, Held>;
  readonly exits: Map<string, Exit>;
  readonly rounds: Map<number, RoundWork>;
  readonly boards: Map<string, Board>;
  readonly movements: Movement[];
  readonly books: Books;
  /** Deposits by transaction; what of them was seen in blocks; what was paid out of them. */
  readonly deposits: Map<string, bigint>;
  seenSat: bigint;
  spentSat: bigint;
  /** How far the mailbox was read. */
  checkpoint: number;
  /** Fee rates as they were when they were last asked for, in sat/vB. */
  rate: number;
  nextId: number;
  /** Messages that a quirk of the program lost. */
  readonly dropped: Set<string>;
};

/** What the program learned of the server when it first reached it. */
export type Session = { readonly info: Info };

export type Info = {
  readonly network: string; readonly serverPubkey: string; readonly mailboxPubkey: string;
  readonly refreshFeeSat: bigint; readonly refreshPpm: bigint; readonly hasFees: boolean;
};

export type News = {
  readonly atMs: number;
  readonly kind: "movement-created" | "movement-updated" | "channel-lagging";
  readonly movement: Movement | undefined;
};

export type Barkd = {
  readonly name: string;
  token: string;
  /** `dead`: it found no chain when it started, and went away. */
  process: "running" | "stopped" | "dead";
  wallet: Wallet | undefined;
  session: Session | undefined;
  news: News[];
  newsAtMs: number;
  /** Its own daemon's next pass; `undefined`: only what is asked for is done. */
  daemonDueMs: number | undefined;
  /** So near its expiry is a VTXO when the program refreshes it by itself. */
  readonly ownBlocks: number;
  /** When somebody starts it again. */
  bootDueMs: number | undefined;
  /** Progress of exits keeps others out until then. */
  exitsBusyUntilMs: number;
  /** H28 has struck. */
  hasForgottenExits: boolean;
};

export type Stream = "rounds" | "mailbox";
export type RoundItem = { readonly stream: "rounds"; readonly event: RoundEvent };
export type MailItem = {
  readonly stream: "mailbox"; readonly message: Message; readonly isProcessed: boolean;
};
export type Item = RoundItem | MailItem;

/** `wallet` is undefined for who watches rounds without one. */
export type Sub = {
  readonly id: number;
  readonly stream: Stream;
  readonly wallet: string | undefined;
  /** Round events that it has been given, as the server counts them. */
  seen: number;
  /** Whoever reads it is busy: events wait, and the oldest of too many are gone. */
  isHeld: boolean;
  /** The last checkpoint that it was given. */
  checkpoint: number;
  /** How long its items are on their way. */
  readonly afterMs: number;
};

/** Somebody waits for an answer that time or news bring. */
export type Wait = {
  readonly id: number; readonly wallet: string; readonly untilMs: number;
  readonly sinceMs: number; readonly since: string | undefined;
};

/** An answer that is on its way; whoever asked may go away before it is there. */
export type Ticket = {
  readonly id: number; readonly wallet: string; readonly isProgress: boolean;
  readonly doneMs: number;
};

export type Output =
  | {
    readonly type: "item"; readonly sub: number; readonly item: Item; readonly isReplay: boolean;
    readonly afterMs: number;
  }
  | {
    readonly type: "ended"; readonly sub: number; readonly reason: "clean" | "error";
    readonly afterMs: number;
  }
  /** An asker that waited has its answer. */
  | {
    readonly type: "answered"; readonly wait: number; readonly reply: Reply;
    /** The same to one who asked by the port. */
    readonly answer: Answer;
  };

export type Blame = "daemon" | "barkd" | "server" | "chain" | "funds" | "nobody";

export type Violation = {
  readonly law: "A1" | "A2" | "A3" | "A4" | "loss";
  readonly wallet: string;
  readonly text: string;
  readonly blame: Blame;
};

/** What could have been done for a VTXO in its last blocks, and what was asked for. */
export type Chances = {
  blocks: number;
  refreshes: number;
  exits: number;
  barkdDown: number;
  serverDown: number;
  chainDown: number;
  unfunded: number;
  refreshAskedAt: number | undefined;
  exitAskedAt: number | undefined;
};

export type Loss = {
  readonly wallet: string; readonly vtxo: string; readonly amountSat: bigint;
  readonly height: number; readonly blame: Blame; readonly chances: Chances;
};

export type World = {
  readonly config: Config;
  readonly key: Key;
  readonly chance: Prng;
  readonly chain: Chain;
  readonly server: Server;
  readonly barkds: Map<string, Barkd>;
  /** Those that do something by themselves at an instant. */
  readonly timed: Set<Barkd>;
  /** Wallets whose files were put aside. */
  readonly shelf: Map<string, Wallet>;
  nowMs: number;
  blockDueMs: number | undefined;
  /** What blocks want, in sat/vB: fast, regular and slow. */
  rate: number;
  outages: readonly Outage[];
  readonly subs: Map<number, Sub>;
  /** So many of them are of mailboxes. */
  mailSubs: number;
  /** In the order in which they began to wait, all of them as long. */
  readonly waits: Map<number, Wait>;
  /** News so far, of all wallets; and so many were there when waits were last looked at. */
  newsTold: number;
  newsSeen: number;
  readonly tickets: Map<number, Ticket>;
  /** The newest round events, and how many there have been. */
  readonly ring: RoundEvent[];
  told: number;
  stormDueMs: number | undefined;
  out: Output[];
  nextId: number;
  /** A fault that was asked for and what was lost. */
  readonly breaches: Violation[];
  readonly losses: Loss[];
  readonly chances: Map<string, Chances>;
  readonly isDown: { server: boolean };
};

/** Asserts the relations of `config`. */
export function create(config: Config = defaults): World {
  assert(config.localMs >= 0 && config.remoteMs >= config.localMs, "far away takes longer");
  assert(config.pollMs >= 1 && config.newsMs >= config.pollMs, "news outlast a poll");
  assert(config.ringMax >= 1 && config.newsMax >= 1 && config.pagesMax >= 1, "room for one");
  assert(config.pace.kind === "by-hand" || config.pace.everyMs >= 1, "blocks take time");
  const from = key(config.seed);
  const w: World = {
    config, key: from, chance: stream(from, "blocks"),
    chain: chains.create(derive(from, "chain"), config.baseHeight, config.startMs),
    server: servers.create(config.server, derive(from, "server"), config.startMs),
    barkds: new Map(), timed: new Set(), shelf: new Map(), nowMs: config.startMs,
    blockDueMs: undefined, rate: 2,
    outages: [], subs: new Map(), mailSubs: 0, waits: new Map(), newsTold: 0, newsSeen: 0,
    tickets: new Map(), ring: [], told: 0,
    stormDueMs: undefined, out: [], nextId: 1, breaches: [], losses: [], chances: new Map(),
    isDown: { server: false },
  };
  return w;
}

/**
 * How a wallet's program is set up. `isManual`: it does only what it is asked for; else it
 * refreshes `ownBlocks` before the expiry (the world's `refreshBlocks`, if not said).
 */
export type Setup = {
  readonly isManual: boolean; readonly hasWallet: boolean;
  readonly ownBlocks?: number | undefined;
};

/** A wallet's program comes into the world, running. */
export function addWallet(
  w: World, name: string, setup: Setup = { isManual: true, hasWallet: true },
): Barkd {
  assert(!w.barkds.has(name), "one wallet of a name");
  const barkd: Barkd = {
    name, token: tokenOf(w.key, name, 0), process: "running",
    wallet: setup.hasWallet ? walletFor(w, name) : undefined, session: undefined, news: [],
    newsAtMs: w.nowMs, daemonDueMs: setup.isManual ? undefined : w.nowMs + w.config.daemonMs,
    ownBlocks: setup.ownBlocks ?? w.config.refreshBlocks,
    bootDueMs: undefined, exitsBusyUntilMs: 0, hasForgottenExits: false,
  };
  w.barkds.set(name, barkd);
  if (barkd.daemonDueMs !== undefined) w.timed.add(barkd);
  return barkd;
}

/** A new wallet of the server as it is now. */
export function walletFor(w: World, name: string): Wallet {
  return {
    fingerprint: hashOf(w.key, "fingerprint", name).slice(0, 8),
    serverPubkey: servers.pubkey(w.server), vtxos: new Map(), exits: new Map(), rounds: new Map(),
    boards: new Map(), movements: [], deposits: new Map(), seenSat: 0n, spentSat: 0n,
    books: { depositedSat: 0n, receivedSat: 0n, feesSat: 0n, claimedSat: 0n, lostSat: 0n },
    checkpoint: 0, rate: w.rate, nextId: 1, dropped: new Set(),
  };
}

/** The program of that name. It must be there. */
export function barkdOf(w: World, name: string): Barkd {
  const found = w.barkds.get(name);
  if (found === undefined) assert(false, `no wallet ${name}`);
  return found;
}

/** What went right, or why it did not; `afterMs`: when that is known. */
export type Said<T> =
  | { readonly ok: true; readonly value: T; readonly afterMs: number }
  | Trouble;

export type Trouble = {
  readonly ok: false; readonly text: string; readonly afterMs: number;
} & (
  /** It names what is not there; it is malformed; it is refused for good. */
  | { readonly why: "absent" | "bad" | "rejected"; readonly ids: readonly string[] }
  | { readonly why: "unavailable"; readonly reason: Reason }
);

export function said<T>(value: T, afterMs: number): Said<T> {
  return { ok: true, value, afterMs };
}

export function no(
  why: "absent" | "bad" | "rejected", text: string, ids: readonly string[], afterMs: number,
): Trouble {
  return { ok: false, why, text, ids, afterMs };
}

export function unavailable(reason: Reason, text: string, afterMs: number): Trouble {
  return { ok: false, why: "unavailable", reason, text, afterMs };
}
