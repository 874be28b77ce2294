/**
 * A stand-in chain on which a maker has coins.
 *
 * Rule 1: the accounts are new each time, the amounts always the same.
 * @module
 */
import type { Ambient } from "../../adapters/ambient.ts";
import { mine } from "../../sim/chain/blocks.ts";
import * as chains from "../../sim/chain/chain.ts";
import { pay } from "../../sim/chain/till.ts";
import * as accounts from "./accounts.ts";

/** Addresses that the stand-in node watches beyond those that were paid. */
const keypool = 20;
/** A coinbase may be spent; and some more. */
const blocksAtStart = 110;
const blockMs = 600_000;

/** What each mixdepth has at the start, coin by coin. */
export const coinsSat: readonly (readonly bigint[])[] = [
  [60_000_000n, 15_000_000n], [42_000_000n], [31_000_000n, 90_000_000n],
];
export const pendingSat = 12_000_000n;

/** What a maker is given: its accounts, and who answers for their coins. */
export type Funded = {
  readonly chain: chains.Chain;
  readonly nowMs: () => number;
  readonly descriptors: readonly string[];
  readonly address: (mixdepth: number, index: number) => string;
  readonly pending: { readonly txid: string; readonly address: string };
};

/** A chain of regtest on which new accounts have coins, and one more payment on its way. */
export function fund(ambient: Ambient): Funded {
  const descriptors = accounts.create(coinsSat.length, ambient);
  const addressOf = accounts.deriver();
  const address = (mixdepth: number, index: number): string => (
    addressOf(descriptors[mixdepth]!.replace("<0;1>", "0"), index)
  );
  const anchorMs = ambient.wall().unixMs - ambient.now();
  const nowMs = (): number => anchorMs + ambient.now();
  const chain = chains.create({ ...chains.defaults, addressOf, keypool }, nowMs());
  const { ledger } = chain;
  for (let left = blocksAtStart; left > 2; left -= 1) mine(ledger, 1, nowMs() - left * blockMs);
  for (const [mixdepth, coins] of coinsSat.entries()) {
    for (const [index, sat] of coins.entries()) pay(ledger, address(mixdepth, index), sat, nowMs());
  }
  mine(ledger, 2, nowMs() - blockMs);
  const last = address(0, coinsSat[0]!.length);
  const txid = pay(ledger, last, pendingSat, nowMs());
  if (txid === undefined) throw new Error("the miner of the demo has no coins");
  return { chain, nowMs, descriptors, address, pending: { txid, address: last } };
}
