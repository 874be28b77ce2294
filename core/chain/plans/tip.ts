/**
 * The tip of a Bitcoin Core node, and whether an earlier one is still below it.
 * @module
 */
import { chainOf, headerOf } from "../replies.ts";
import { codes, ofError } from "../rpc.ts";
import type { Call, Outcome } from "../rpc.ts";
import { done, garbled, readBy, tipOf, type Config, type Move } from "./plan.ts";

export type Stage = { readonly plan: "tip" };

export function begin(config: Config, since: string | undefined): Move<Stage> {
  const calls: readonly Call[] = since === undefined ? [["getblockchaininfo"]]
    : [["getblockchaininfo"], ["getblockheader", since]];
  return { type: "call", calls, isWallet: false, timeoutMs: config.callMs, stage: { plan: "tip" } };
}

export function resume(config: Config, outcomes: readonly Outcome[]): Move<Stage> {
  const [first, header] = outcomes;
  if (first?.ok === false) return done(ofError(first.code, first.message));
  const chain = readBy(first, chainOf);
  if (chain === undefined) return done(garbled());
  if (header === undefined) return done({ ok: true, ask: "tip", tip: tipOf(config, chain) });
  const kept = isKept(header);
  if (kept === undefined) return done(garbled());
  return done({ ok: true, ask: "tip", tip: tipOf(config, chain, kept) });
}

/** A block that the node does not know is not in its chain: it was built anew, or is another's. */
function isKept(header: Outcome): boolean | undefined {
  if (!header.ok) return header.code === codes.unknown ? false : undefined;
  const read = headerOf(header.result);
  return read === undefined ? undefined : read.confirmations >= 1;
}
