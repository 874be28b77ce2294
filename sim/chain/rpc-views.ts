/**
 * How a node shows blocks, transactions and scripts.
 * @module
 */
import { scriptOf, summed } from "./address.ts";
import { btc, numeral, type Members, type Value } from "./json.ts";
import {
  depthOf, isActive, medianTimeS, type Block, type Ledger,
} from "./ledger.ts";
import { isCoinbase, partsOf, sequence, vsizeOf, witnessOf, type Tx } from "./tx.ts";

export const bits = "207fffff";
export const target = `7fffff${"0".repeat(58)}`;
export const difficulty = numeral("4.656542373906925e-10");

/** Work is two hashes a block. */
export function chainWork(height: number): string {
  return (2 * (height + 1)).toString(16).padStart(64, "0");
}

export function headerOf(l: Ledger, block: Block): Members {
  const { hash, height, timeS, merkleRoot, txs, parent } = block;
  const isHere = isActive(l, block);
  return {
    hash, confirmations: isHere ? depthOf(l, height) : -1, height, version: 0x20000000,
    versionHex: "20000000", merkleroot: merkleRoot, time: timeS, mediantime: medianTimeS(l, block),
    nonce: 0, bits, target, difficulty, chainwork: chainWork(height), nTx: txs.length,
    previousblockhash: height === 0 ? undefined : parent,
    nextblockhash: isHere ? l.chain[height + 1] : undefined,
  };
}

export function blockOf(l: Ledger, block: Block): Members {
  const weight = block.txs.reduce((total, tx) => total + tx.weight, 324);
  const size = sizeOf(block);
  return {
    ...headerOf(l, block), strippedsize: Math.floor((weight - size) / 3), size, weight,
    tx: block.txs.map(({ txid }) => txid),
  };
}

/** With header and count of transactions. */
export function sizeOf(block: Block): number {
  return block.txs.reduce((total, { sizeBytes }) => total + sizeBytes, 81);
}

export function scriptPubKey(address: string): Members {
  const { asm, hex, type } = scriptOf(address);
  return { asm, desc: summed(`addr(${address})`), hex, address, type };
}

/** A transaction by itself, without its bytes. */
export function decodedOf(tx: Tx): Members {
  return {
    txid: tx.txid, hash: tx.wtxid, version: 2, size: tx.sizeBytes, vsize: vsizeOf(tx),
    weight: tx.weight, locktime: tx.locktime, vin: vinOf(tx),
    vout: tx.outputs.map(({ valueSat, address }, n) => (
      { value: btc(valueSat), n, scriptPubKey: scriptPubKey(address) }
    )),
  };
}

function vinOf(tx: Tx): readonly Value[] {
  if (isCoinbase(tx)) {
    return [{ coinbase: tx.coinbase, txinwitness: ["0".repeat(64)], sequence: 0xffffffff }];
  }
  return tx.inputs.map((input, at) => ({
    ...partsOf(input.outpoint), scriptSig: { asm: "", hex: "" },
    txinwitness: witnessOf(input, at, tx.txid), sequence,
  }));
}

/** A transaction that waits, with its like: itself and what it spends, or what spends it. */
export type Kin = {
  readonly count: number; readonly sizeBytes: number; readonly feesSat: bigint;
};

export function ancestorsOf(l: Ledger, txid: string): Kin {
  const found = [txid];
  for (let i = 0; i < found.length; i += 1) {
    for (const { outpoint } of l.pool.get(found[i]!)!.tx.inputs) {
      const parent = partsOf(outpoint).txid;
      if (l.pool.has(parent) && !found.includes(parent)) found.push(parent);
    }
  }
  return kinOf(l, found);
}

export function kinOf(l: Ledger, txids: readonly string[]): Kin {
  let sizeBytes = 0;
  let feesSat = 0n;
  for (const txid of txids) {
    const { tx } = l.pool.get(txid)!;
    sizeBytes += vsizeOf(tx);
    feesSat += tx.feeSat;
  }
  return { count: txids.length, sizeBytes, feesSat };
}
