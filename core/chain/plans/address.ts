/**
 * What paid one address of ours, spent since or not, as a Bitcoin Core wallet knows it.
 *
 * Rule 1: the wallet is asked for the transactions that paid the address, and each transaction for
 * the outputs that did. Those that are in no block and in no mempool do not count.
 * Rule 2: "nothing" has to pass `trust.ts`, and the address has to be the wallet's.
 * @module
 */
import { unreachable } from "../../assert.ts";
import { absent, unavailable, type Payment, type Unavailable } from "../chain.ts";
import { receivedOf, toldOf } from "../replies.ts";
import type { Call, Outcome } from "../rpc.ts";
import { anyFailed, done, failed, garbled, readBy, type Config, type Move } from "./plan.ts";
import * as trust from "./trust.ts";

export type Stage = {
  readonly plan: "address"; readonly address: string;
  readonly at: "listing" | "reading";
  readonly txids: readonly string[];
  /** Why "nothing" could not be said. */
  readonly doubt: Unavailable | undefined;
};

export function begin(config: Config, address: string): Move<Stage> {
  const calls: readonly Call[] = [
    // From the mempool on, without addresses that were not paid, watch-only ones too.
    ["listreceivedbyaddress", 0, false, true, address], ...trust.calls(address),
  ];
  return call(config, calls, {
    plan: "address", address, at: "listing", txids: [], doubt: undefined,
  });
}

export function resume(config: Config, stage: Stage, outcomes: readonly Outcome[]): Move<Stage> {
  switch (stage.at) {
    case "listing": return listed(config, stage, outcomes);
    case "reading": return read(stage, outcomes);
    default: return unreachable(stage.at); /* c8 ignore next */
  }
}

function call(config: Config, calls: readonly Call[], stage: Stage): Move<Stage> {
  return { type: "call", calls, isWallet: true, timeoutMs: config.callMs, stage };
}

function listed(config: Config, stage: Stage, outcomes: readonly Outcome[]): Move<Stage> {
  const first = outcomes[0]!;
  const wrong = failed(first);
  if (wrong !== undefined) return done(wrong);
  const txids = readBy(first, (j) => receivedOf(j, stage.address));
  if (txids === undefined) return done(garbled());
  const doubt = trust.doubt(config, outcomes.slice(1), "address");
  if (txids.length === 0) return done(doubt ?? absent());
  if (txids.length > config.paymentsMax) {
    const text = `more than ${config.paymentsMax} transactions paid one address`;
    return done(unavailable("too-many", "chain-many", text));
  }
  const calls = txids.flatMap((txid): readonly Call[] => [
    ["gettransaction", txid, true, true], ["getmempoolentry", txid],
  ]);
  return call(config, calls, { ...stage, at: "reading", txids, doubt });
}

function read(stage: Stage, outcomes: readonly Outcome[]): Move<Stage> {
  const payments: Payment[] = [];
  for (const [i, txid] of stage.txids.entries()) {
    const outcome = outcomes[2 * i]!;
    const wrong = failed(outcome);
    if (wrong !== undefined) return done(wrong);
    const told = readBy(outcome, toldOf);
    if (told?.outputs === undefined) return done(garbled());
    const mempool = outcomes[2 * i + 1]!;
    if (!mempool.ok && !trust.isUnknown(mempool)) return done(anyFailed([mempool])!);
    const { confirmations } = told;
    if (confirmations < 0 || (confirmations === 0 && !mempool.ok)) continue;
    for (const { vout, valueSat, address } of told.outputs) {
      if (address === stage.address) payments.push({ txid, vout, valueSat, confirmations });
    }
  }
  if (payments.length === 0) return done(stage.doubt ?? absent());
  return done({ ok: true, ask: "address", payments });
}
