/**
 * What may be asked about the block chain, and what may be answered, whoever is asked.
 *
 * Rule 1: three answers. Found; absent, which is a fact about a server that is able to know; and
 * unavailable, which says nothing about the chain at all. No failure is ever "absent", and no
 * failure is ever an empty list.
 * Rule 2: an answer is about one tip. What was gathered while the tip moved is gathered again, and
 * in the end refused as `unsettled`.
 * Rule 3: a backend is a machine that takes `Event`s and emits `Effect`s of this module. It keeps
 * no time: every wish of a request names its time-out, every request gets one answer (`replied` or
 * `failed`, also `failed` with "timeout" from the table in `core/requests.ts`), so every question
 * gets one, unless it was dropped.
 *
 * Not known here: whether the tip itself is of today. A server that was cut off answers truthfully
 * about a chain that others have left; `tip.ts` watches for that.
 * @module
 */
import { unreachable } from "../assert.ts";
import { bad, type Fault } from "../fault.ts";
import type { RequestFailure, Tick } from "../kernel/io.ts";
import { isHash } from "./fields.ts";

export type Network = "mainnet" | "testnet" | "testnet4" | "signet" | "regtest";
export type Branch = 0 | 1;

/** An output of ours that nothing we know of spends. */
export type Coin = {
  /** `txid:vout` in lower-case hex. */
  readonly outpoint: string;
  readonly valueSat: bigint;
  readonly address: string;
  /** 0: in the mempool. */
  readonly confirmations: number;
  readonly mixdepth: number;
  readonly branch: Branch;
  readonly index: number;
  /** Set aside in the backend's own wallet (`lockunspent`). */
  readonly isLocked: boolean;
};

export type Tip = {
  readonly hash: string;
  readonly height: number;
  /** The block's own time, in unix seconds. */
  readonly timeS: number;
  /** False: the server says of itself that blocks are missing. */
  readonly isSynced: boolean;
  /** Is the block that the question named still in the chain? `undefined`: none was named. */
  readonly keptSince: boolean | undefined;
};

export type Output = {
  readonly vout: number;
  readonly valueSat: bigint;
  /** `undefined`: no address can be written for this output. */
  readonly address: string | undefined;
};

export type Tx = {
  /** 0: in the mempool. Negative: so many blocks deep lies what it is in conflict with. */
  readonly confirmations: number;
  readonly blockHash?: string;
  readonly height?: number;
  readonly outputs: readonly Output[];
};

/** One output that paid an address, spent since or not. */
export type Payment = {
  readonly txid: string;
  readonly vout: number;
  readonly valueSat: bigint;
  readonly confirmations: number;
};

/** How far a scan of old blocks has come; `atHeight` where the backend says it. */
export type Progress = { readonly permille: number; readonly atHeight: number | undefined };

export type Question =
  /** `since`: a block hash, to be told whether it is still in the chain. */
  | { readonly ask: "tip"; readonly since?: string }
  /** Every coin of ours, at one tip. */
  | { readonly ask: "coins" }
  /**
   * Old blocks are searched for our coins: from `fromHeight`, or from where an earlier scan ended;
   * then there may be nothing to do.
   */
  | { readonly ask: "rescan"; readonly fromHeight: number | undefined }
  | { readonly ask: "rescan-progress" }
  /**
   * `address`: one of ours that the transaction pays. A node without an index of transactions can
   * say "absent" only of those that its wallet would know.
   */
  | { readonly ask: "tx"; readonly txid: string; readonly address?: string }
  /** What paid this address of ours. Nothing is "absent". */
  | { readonly ask: "address"; readonly address: string }
  /** The right chain, a wallet loaded, all descriptors in it. */
  | { readonly ask: "prepare" };

export type Found =
  | { readonly ok: true; readonly ask: "tip"; readonly tip: Tip }
  | {
    readonly ok: true; readonly ask: "coins"; readonly tip: Tip; readonly coins: readonly Coin[];
    /** Outputs in the backend's wallet that belong to none of our descriptors; left out. */
    readonly foreign: number;
  }
  | {
    readonly ok: true; readonly ask: "rescan";
    readonly fromHeight: number; readonly toHeight: number;
  }
  /** `undefined`: no scan is under way. */
  | {
    readonly ok: true; readonly ask: "rescan-progress"; readonly progress: Progress | undefined;
  }
  | { readonly ok: true; readonly ask: "tx"; readonly tx: Tx }
  | { readonly ok: true; readonly ask: "address"; readonly payments: readonly Payment[] }
  | {
    readonly ok: true; readonly ask: "prepare";
    /** Descriptors that were not there before. */
    readonly imported: number;
    /** False: old blocks are to be searched before the coins are all there ("rescan"). */
    readonly isScanned: boolean;
  };

/** Not in a block and not in the mempool, of a server that had both before it. */
export type Absent = {
  readonly ok: false;
  readonly why: "absent";
  /** Transactions that are known to spend the same coins, a few of them. */
  readonly conflicts: readonly string[];
};

/** Why nothing can be said. Each is a word for a metric, and stands for one remedy. */
export type Reason =
  /** Nobody listens, or the way there is broken. */
  | "unreachable"
  | "timeout"
  /** The password is wrong, also after it was read again. */
  | "credentials"
  /** Asked for nothing unusual and was told no. */
  | "refused"
  /** Too much at once: ours (`questionsMax`) or theirs. */
  | "busy"
  | "warming-up"
  | "syncing"
  | "wallet-loading"
  /** Somebody, perhaps we, has the wallet search old blocks. */
  | "rescanning"
  /** There is no such wallet, or it cannot be ours. */
  | "wallet"
  /** What is asked about lies in blocks that the node has deleted. */
  | "pruned"
  /** The node keeps no index that would tell, and its wallet would not know. */
  | "no-index"
  /** The node hears of no transactions before they are in a block. */
  | "blocks-only"
  | "wrong-network"
  | "too-old"
  /** The tip moved whenever it was looked at. */
  | "unsettled"
  /** The tip is not of today. */
  | "stale"
  /** More than a limit of the configuration allows. */
  | "too-many"
  /** Not what the protocol says: HTML, half an answer, another's answer, amounts that are none. */
  | "nonsense";

export type Unavailable = {
  readonly ok: false;
  readonly why: "unavailable";
  readonly reason: Reason;
  readonly fault: Fault;
};

export type Answer = Found | Absent | Unavailable;

export type Event =
  /** `token` is the asker's, and used once. */
  | { readonly type: "asked"; readonly token: number; readonly question: Question }
  /** The asker has lost interest; there is no answer. */
  | { readonly type: "dropped"; readonly token: number }
  | {
    readonly type: "replied"; readonly token: number;
    readonly status: number; readonly body: string;
  }
  | { readonly type: "failed"; readonly token: number; readonly reason: RequestFailure }
  /** What `derive` asked for, in order. */
  | { readonly type: "given"; readonly token: number; readonly addresses: readonly string[] }
  | Tick;

/** A wish: the parent numbers it (`core/requests.ts`) and answers with the same token, once. */
export type Wish = {
  readonly type: "request";
  readonly token: number;
  readonly to: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  readonly renew: boolean;
  readonly timeoutMs: number;
};

export type Effect =
  | Wish
  /** The request with this token is not waited for any more. */
  | { readonly type: "withdraw"; readonly token: number }
  /**
   * Addresses of an account are wanted: `count` of them from `from` on. The host, which has the
   * curve, answers with `given`; a host that cannot answers with `failed`.
   */
  | {
    readonly type: "derive"; readonly token: number; readonly mixdepth: number;
    readonly branch: Branch; readonly from: number; readonly count: number;
  }
  | { readonly type: "progress"; readonly token: number; readonly progress: Progress }
  | { readonly type: "answered"; readonly token: number; readonly answer: Answer };

/** The answer that says nothing about the chain; `code` is kebab-case, `text` is for people. */
export function unavailable(reason: Reason, code: string, text: string): Unavailable {
  return { ok: false, why: "unavailable", reason, fault: bad(code, text).fault };
}

export function absent(conflicts: readonly string[] = []): Absent {
  return { ok: false, why: "absent", conflicts: conflicts.slice(0, conflictsMax) };
}

const conflictsMax = 8;

/** An address as far as it can be told without knowing its network: it fits into a path. */
export function isAddress(text: string): boolean {
  return /^[0-9A-Za-z]{10,100}$/.test(text);
}

/** A question that no server should get to see: what it names cannot exist. */
export function malformed(question: Question): Unavailable | undefined {
  switch (question.ask) {
    case "tip":
      return question.since === undefined || isHash(question.since) ? undefined : noSuch("block");
    case "tx":
      if (!isHash(question.txid)) return noSuch("transaction");
      return question.address === undefined || isAddress(question.address) ? undefined
        : noSuch("address");
    case "address": return isAddress(question.address) ? undefined : noSuch("address");
    case "rescan":
      return question.fromHeight === undefined || isHeight(question.fromHeight) ? undefined
        : noSuch("height");
    case "coins": case "rescan-progress": case "prepare": return undefined;
    default: return unreachable(question); /* c8 ignore next */
  }
}

function isHeight(height: number): boolean {
  return Number.isSafeInteger(height) && height >= 0 && height < 1_000_000_000;
}

function noSuch(what: string): Unavailable {
  return unavailable("refused", "chain-question", `there can be no such ${what}`);
}

/** What a request that had no reply at all means for the question behind it. */
export function ofFailure(failure: RequestFailure): Unavailable {
  switch (failure) {
    case "refused":
      return unavailable("unreachable", "chain-refused", "nobody listens at this address");
    case "unreachable":
      return unavailable("unreachable", "chain-unreachable", "no way leads to this address");
    case "reset":
      return unavailable("unreachable", "chain-reset", "the connection broke before the answer");
    case "denied":
      return unavailable("unreachable", "chain-denied", "no connection is permitted or free");
    case "timeout": return unavailable("timeout", "chain-timeout", "no answer in time");
    case "too-large":
      return unavailable("too-many", "chain-too-large", "the answer is larger than the host takes");
    case "malformed":
      return unavailable("nonsense", "chain-malformed", "the answer is not HTTP");
    default: return unreachable(failure); /* c8 ignore next */
  }
}

/** Why a question is not begun beside `open` others; `undefined` if it is. */
export function turnedAway(question: Question, open: number, max: number): Answer | undefined {
  if (open < max) return malformed(question);
  return unavailable("busy", "chain-busy", "too many questions at once");
}

/** Does this pass by itself, so that waiting is all there is to do and nothing is wrong? */
export function isPatient(reason: Reason): boolean {
  switch (reason) {
    case "warming-up": case "syncing": case "wallet-loading": case "rescanning": case "unsettled":
      return true;
    case "unreachable": case "timeout": case "credentials": case "refused": case "busy":
    case "wallet": case "pruned": case "no-index": case "blocks-only": case "wrong-network":
    case "too-old": case "stale": case "too-many": case "nonsense":
      return false;
    default: return unreachable(reason); /* c8 ignore next */
  }
}

/** Does this stay until a person has changed something? It is still asked again. */
export function needsPerson(reason: Reason): boolean {
  switch (reason) {
    case "credentials": case "wallet": case "pruned": case "no-index": case "blocks-only":
    case "wrong-network": case "too-old": case "too-many":
      return true;
    case "warming-up": case "syncing": case "wallet-loading": case "rescanning": case "unsettled":
    case "unreachable": case "timeout": case "refused": case "busy": case "stale": case "nonsense":
      return false;
    default: return unreachable(reason); /* c8 ignore next */
  }
}
