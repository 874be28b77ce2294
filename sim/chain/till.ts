/**
 * Who moves money in the stand-in chain: the miner pays from coinbases, and tests spend whatever
 * coin they name. Nobody signs anything.
 * @module
 */
import { assert } from "../../core/assert.ts";
import {
  heightOf, isSpendable, outputOf, submit, type Ledger, type Submitted,
} from "./ledger.ts";
import { make, sum, type Input, type Output, type Tx } from "./tx.ts";

/** What the miner pays for any transaction of his own, in satoshis. */
export const feeSat = 2_820n;

/** A transaction of these coins, not yet offered to anybody. The coins must be known. */
export function draft(
  l: Ledger, outpoints: readonly string[], outputs: readonly Output[],
): Tx {
  const inputs = outpoints.map((outpoint): Input => {
    const output = outputOf(l, outpoint);
    assert(output !== undefined, "a coin that never was");
    return { outpoint, ...output };
  });
  return make({ inputs, outputs, locktime: heightOf(l), coinbase: "" });
}

/** Spends coins to outputs; the difference is the fee. Replaces what spends them already. */
export function spend(
  l: Ledger, outpoints: readonly string[], outputs: readonly Output[], nowMs: number,
): Submitted {
  return submit(l, draft(l, outpoints, outputs), nowMs);
}

/** The miner pays an address; the txid, or `undefined` if he cannot. */
export function pay(
  l: Ledger, address: string, valueSat: bigint, nowMs: number,
): string | undefined {
  const wantedSat = valueSat + feeSat;
  const taken: string[] = [];
  let heldSat = 0n;
  for (const coin of l.coins.values()) {
    if (heldSat >= wantedSat) break;
    if (coin.address !== l.minerAddress || !isSpendable(l, coin.outpoint)) continue;
    taken.push(coin.outpoint);
    heldSat += coin.valueSat;
  }
  if (heldSat < wantedSat) return undefined;
  const changeSat = heldSat - wantedSat;
  const outputs = [{ address, valueSat }, { address: l.minerAddress, valueSat: changeSat }];
  const sent = spend(l, taken, outputs.slice(0, changeSat > 0n ? 2 : 1), nowMs);
  return sent.ok ? sent.txid : undefined;
}

/**
 * The same payments, with `moreSat` more of a fee out of the last output; `undefined` if that does
 * not yield it, or the transaction does not wait any more.
 */
export function bump(
  l: Ledger, txid: string, moreSat: bigint, nowMs: number,
): Submitted | undefined {
  const tx = l.pool.get(txid)?.tx;
  const last = tx?.outputs.at(-1);
  if (tx === undefined || last === undefined || last.valueSat <= moreSat) return undefined;
  const outputs = [...tx.outputs.slice(0, -1), { ...last, valueSat: last.valueSat - moreSat }];
  assert(sum(outputs) < sum(tx.inputs), "a fee");
  return spend(l, tx.inputs.map(({ outpoint }) => outpoint), outputs, nowMs);
}
