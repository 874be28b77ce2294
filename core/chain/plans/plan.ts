/**
 * What the sequences of calls to Bitcoin Core have in common: their limits, what they can want, and
 * how far a node can be believed.
 *
 * Rule 1: a plan is two pure functions, `begin` and `resume`, over a stage that is plain data. It
 * knows nothing of requests, of passwords, or of a wallet that must be loaded first: `bitcoind.ts`
 * sees to those between two stages.
 * @module
 */
import { unreachable } from "../../assert.ts";
import type { Limits } from "../../joinmarket/json.ts";
import { unavailable } from "../chain.ts";
import type { Answer, Network, Progress, Tip, Unavailable } from "../chain.ts";
import type { Watch } from "../descriptor.ts";
import type { Chain } from "../replies.ts";
import { ofError } from "../rpc.ts";
import type { Call, Outcome } from "../rpc.ts";

export type Config = {
  /** The target's name in the host's configuration. */
  readonly to: string;
  /** The wallet in the node, made if it is not there: letters, digits, `.`, `_` and `-`. */
  readonly wallet: string;
  readonly network: Network;
  /** From `descriptor.watchOf`; at least one. */
  readonly watch: readonly Watch[];
  /** Blocks below this height hold no coin of ours; 0: search all. */
  readonly birthHeight: number;
  /** The last address index that is watched, of each branch. */
  readonly indexMax: number;
  /** Questions at once; at least 1. */
  readonly questionsMax: number;
  /** An ordinary call. */
  readonly callMs: number;
  /** Loading and making a wallet, importing descriptors, listing coins. */
  readonly walletMs: number;
  /** One part of a scan of old blocks, and how many blocks are one part. */
  readonly scanMs: number;
  readonly scanBlocks: number;
  /** How often a question is asked anew because the tip moved under it. */
  readonly attemptsMax: number;
  /** Coins, coins that are locked, and payments to one address, that are read; more is refused. */
  readonly coinsMax: number;
  readonly lockedMax: number;
  readonly paymentsMax: number;
  /** With fewer peers the node cannot know what it has missed. */
  readonly peersMin: number;
  /** So many blocks may be known by their header only. */
  readonly behindMax: number;
  /** Of each answer. */
  readonly json: Limits;
};

/** All but what only the operator knows. Worst case of memory: one answer of the host's size. */
export const defaults = {
  to: "bitcoind", birthHeight: 0, indexMax: 999, questionsMax: 64,
  callMs: 30_000, walletMs: 300_000, scanMs: 900_000, scanBlocks: 2_000, attemptsMax: 3,
  coinsMax: 10_000, lockedMax: 500, paymentsMax: 50, peersMin: 1, behindMax: 1,
  json: { depthMax: 12, nodesMax: 400_000 },
} as const;

/** What a plan wants next; `S` are its stages. */
export type Move<S> =
  | {
    readonly type: "call"; readonly calls: readonly Call[]; readonly isWallet: boolean;
    readonly timeoutMs: number; readonly stage: S; readonly told?: Progress;
  }
  | { readonly type: "done"; readonly answer: Answer };

export function done(answer: Answer): { readonly type: "done"; readonly answer: Answer } {
  return { type: "done", answer };
}

/** An error of a call that has no meaning of its own in the plan. */
export function failed(outcome: Outcome): Unavailable | undefined {
  return outcome.ok ? undefined : ofError(outcome.code, outcome.message);
}

/** The first of these that failed. */
export function anyFailed(outcomes: readonly Outcome[]): Unavailable | undefined {
  for (const outcome of outcomes) if (!outcome.ok) return ofError(outcome.code, outcome.message);
  return undefined;
}

/** The result of a call, read; `undefined` when it failed or is not what the method answers. */
export function readBy<T>(
  outcome: Outcome | undefined, read: (result: Extract<Outcome, { ok: true }>["result"]) => T,
): T | undefined {
  return outcome?.ok === true ? read(outcome.result) : undefined;
}

/** A result that is not what the method answers. */
export function garbled(): Unavailable {
  return unavailable("nonsense", "rpc-result", "a result that this call does not have");
}

/** The tip moved whenever it was looked at. */
export function unsettled(): Unavailable {
  return unavailable("unsettled", "chain-unsettled", "the tip moved during every look");
}

/** Core's name for the network, in `getblockchaininfo`. */
export function chainName(network: Network): string {
  switch (network) {
    case "mainnet": return "main";
    case "testnet": return "test";
    case "testnet4": case "signet": case "regtest": return network;
    default: return unreachable(network); /* c8 ignore next */
  }
}

/**
 * Why this node cannot say what is unspent today; `undefined`: it can. A regtest node calls itself
 * behind whenever its last block is a day old, and is not.
 */
export function notSynced(config: Config, chain: Chain): Unavailable | undefined {
  if (chain.chain !== chainName(config.network)) {
    const text = `the node is not on ${config.network}`;
    return unavailable("wrong-network", "chain-network", text);
  }
  const isInitial = chain.isInitial && config.network !== "regtest";
  if (!isInitial && chain.headers - chain.blocks <= config.behindMax) return undefined;
  const text = `the node has ${chain.blocks} of ${chain.headers} blocks`;
  return unavailable("syncing", "chain-syncing", text);
}

/** The tip in our words. */
export function tipOf(config: Config, chain: Chain, keptSince?: boolean): Tip {
  const { hash, blocks, timeS } = chain;
  const isSynced = notSynced(config, chain) === undefined;
  return { hash, height: blocks, timeS, isSynced, keptSince };
}

/** The wallet has one address of its own on which marks are kept; see `scan.ts`. */
export function markDescriptor(config: Config): string {
  return config.watch[0]!.descriptor;
}
