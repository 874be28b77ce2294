/**
 * One transaction, as a Bitcoin Core node and its wallet see it.
 *
 * Rule 1: the wallet remembers what it once saw. That it knows a transaction does not put it into
 * the mempool: replaced and evicted ones have no confirmation there for ever. Only the mempool
 * itself (`getrawtransaction`) or a block makes it found.
 * Rule 2: a conflict in a block is told as such (negative confirmations): it is decided, and
 * waiting changes nothing.
 * Rule 3: between the calls a transaction may go from the mempool into a block, and be seen in
 * neither. So the best block is asked for before and after.
 * Rule 4: "absent" has to pass `trust.ts`, and a conflict too: a node that is alone or behind may
 * hold a block that all others have left.
 * @module
 */
import { absent, type Tx } from "../chain.ts";
import { hashOf } from "../fields.ts";
import { chainOf, toldOf, type Told } from "../replies.ts";
import { ofError, type Call, type Outcome } from "../rpc.ts";
import { done, garbled, readBy, unsettled, type Config, type Move } from "./plan.ts";
import * as trust from "./trust.ts";

export type Stage = {
  readonly plan: "tx"; readonly txid: string; readonly address: string | undefined;
  readonly attempt: number;
};

export function begin(
  config: Config, txid: string, address: string | undefined, attempt = 1,
): Move<Stage> {
  const calls: readonly Call[] = [
    ["getbestblockhash"], ["gettransaction", txid, true, true], ["getrawtransaction", txid, true],
    ...trust.calls(address), ["getbestblockhash"],
  ];
  const stage: Stage = { plan: "tx", txid, address, attempt };
  return { type: "call", calls, isWallet: true, timeoutMs: config.callMs, stage };
}

export function resume(config: Config, stage: Stage, outcomes: readonly Outcome[]): Move<Stage> {
  const before = readBy(outcomes[0], hashOf);
  const after = readBy(outcomes.at(-1), hashOf);
  if (before === undefined || after === undefined) return done(firstError(outcomes) ?? garbled());
  if (before !== after) return again(config, stage);
  const wallet = lookedUp(outcomes[1]);
  const node = lookedUp(outcomes[2]);
  if (wallet === undefined || node === undefined) {
    return done(firstError(outcomes.slice(1, 3)) ?? garbled());
  }
  const around = outcomes.slice(3, -1);
  const found = txOf(wallet, node, readBy(around[0], chainOf)?.blocks);
  if (found !== undefined && found.confirmations >= 0) return told(found);
  const by = found !== undefined ? "block" : wallet === "unknown" ? "index" : "knows";
  const doubt = trust.doubt(config, around, by);
  if (doubt !== undefined) return done(doubt);
  if (found !== undefined) return told(found);
  return done(absent(wallet === "unknown" ? [] : wallet.conflicts));
}

function told(tx: Tx): Move<Stage> {
  return done({ ok: true, ask: "tx", tx });
}

function again(config: Config, stage: Stage): Move<Stage> {
  if (stage.attempt >= config.attemptsMax) return done(unsettled());
  return begin(config, stage.txid, stage.address, stage.attempt + 1);
}

function firstError(outcomes: readonly Outcome[]): ReturnType<typeof ofError> | undefined {
  for (const outcome of outcomes) {
    if (!outcome.ok && !trust.isUnknown(outcome)) return ofError(outcome.code, outcome.message);
  }
  return undefined;
}

/** What was told, or that nothing is known; `undefined`: another error, or no such result. */
function lookedUp(outcome: Outcome | undefined): Told | "unknown" | undefined {
  return trust.isUnknown(outcome) ? "unknown" : readBy(outcome, toldOf);
}

type Known = Told | "unknown";

/** In a block, in the mempool or in conflict; `undefined`: in none of these. */
function txOf(wallet: Known, node: Known, tip: number | undefined): Tx | undefined {
  if (wallet !== "unknown" && wallet.confirmations !== 0) return inBlock(wallet, node, tip);
  if (node === "unknown") return undefined;
  if (node.confirmations > 0) return inBlock(node, wallet, tip);
  // With an index, a transaction of a block that was left behind is found there, and nowhere else.
  if (node.blockHash !== undefined) return undefined;
  return { confirmations: 0, outputs: node.outputs ?? [] };
}

function inBlock(told: Told, other: Known, tip: number | undefined): Tx {
  const { confirmations, blockHash } = told;
  const outputs = told.outputs ?? (other === "unknown" ? undefined : other.outputs) ?? [];
  const height = told.height ?? (tip === undefined ? undefined : tip - confirmations + 1);
  // The block of the rival is not the block of this one.
  if (confirmations < 0) return { confirmations, outputs };
  return {
    confirmations, outputs,
    ...(blockHash === undefined ? {} : { blockHash }), ...(height === undefined ? {} : { height }),
  };
}
