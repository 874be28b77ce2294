/**
 * How blocks come and go: mining, and another branch in place of the newest blocks.
 *
 * Rule 1: a block's hash depends on its height, its parent and its content; two blocks of one
 * height always differ, since each coinbase has its own number.
 * Rule 2: what was in blocks that are left behind waits again, before what waited already.
 * Rule 3: a block may hold what the mempool has not seen; what it contradicts is dropped.
 * @module
 */
import { assert } from "../../core/assert.ts";
import {
  admit, evict, heightOf, isSpendable, learn, medianTimeS, remove, subsidySat, tipOf,
  type Block, type Coin, type Ledger,
} from "./ledger.ts";
import { digest, isCoinbase, little, make, outpointOf, sum, type Tx } from "./tx.ts";

export type How = {
  /** Who gets subsidy and fees; the miner by default. */
  readonly address?: string;
  /** Transactions that the block leaves waiting; "all": an empty block. */
  readonly leave?: "all" | readonly string[];
  /** Transactions that come with the first block, past the mempool. */
  readonly with?: readonly Tx[];
};

/** Mines `count` blocks on the tip; their hashes. */
export function mine(l: Ledger, count: number, nowMs: number, how: How = {}): readonly string[] {
  const hashes: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const past = i === 0 ? how.with ?? [] : [];
    const txs = [...past, ...waiting(l, how.leave ?? [], past)];
    hashes.push(connect(l, txs, nowMs, how.address ?? l.minerAddress));
  }
  return hashes;
}

/**
 * The newest `depth` blocks are left behind for `count` others; their hashes. As many as before: a
 * reorganisation at equal height. None: the tip is one below (`invalidateblock`).
 */
export function reorg(
  l: Ledger, depth: number, count: number, nowMs: number, how: How = {},
): readonly string[] {
  assert(depth >= 1 && depth <= heightOf(l), "the first block stays");
  const freed: Tx[] = [];
  for (let i = 0; i < depth; i += 1) freed.unshift(...disconnect(l));
  refill(l, freed, nowMs);
  return mine(l, count, nowMs, how);
}

function waiting(l: Ledger, leave: "all" | readonly string[], past: readonly Tx[]): readonly Tx[] {
  if (leave === "all") return [];
  const left = new Set(leave);
  const spent = new Set(past.flatMap((tx) => tx.inputs.map(({ outpoint }) => outpoint)));
  const known = new Set(past.map(({ txid }) => txid));
  const taken: Tx[] = [];
  for (const { tx } of l.pool.values()) {
    if (known.has(tx.txid)) continue;
    // What is left out takes its children with it.
    const isOut = left.has(tx.txid) || tx.inputs.some(({ outpoint }) => (
      spent.has(outpoint) || left.has(outpoint.slice(0, 64))
    ));
    if (isOut) left.add(tx.txid);
    else taken.push(tx);
  }
  return taken;
}

function connect(l: Ledger, txs: readonly Tx[], nowMs: number, address: string): string {
  const parent = tipOf(l);
  const height = parent.height + 1;
  l.mined += 1;
  const all = [coinbaseOf(l, height, txs, address), ...txs];
  const merkleRoot = digest(all.map(({ wtxid }) => wtxid).join());
  const timeS = later(medianTimeS(l, parent) + 1, Math.floor(nowMs / 1_000));
  const hash = `00000000${digest(`${height} ${parent.hash} ${merkleRoot} ${timeS}`).slice(8)}`;
  l.chain.push(hash);
  const undo: Coin[] = [];
  for (const tx of all) undo.push(...apply(l, tx, hash, height, nowMs));
  const block = { hash, parent: parent.hash, height, timeS, merkleRoot, txs: all, undo };
  l.blocks.set(hash, block);
  return hash;
}

function later(a: number, b: number): number {
  return a > b ? a : b;
}

function coinbaseOf(l: Ledger, height: number, txs: readonly Tx[], address: string): Tx {
  const feesSat = txs.reduce((total, { feeSat }) => total + feeSat, 0n);
  const valueSat = subsidySat(l.config, height) + feesSat;
  // Height and number, and the seed, so that two worlds share no coin.
  const coinbase = `03${little(BigInt(height), 3)}04${little(BigInt(l.mined), 4)}`
    + `04${little(BigInt(l.config.seed >>> 0), 4)}`;
  return make({ inputs: [], outputs: [{ valueSat, address }], locktime: 0, coinbase });
}

/** Puts one transaction into a block; what it spent. */
function apply(
  l: Ledger, tx: Tx, hash: string, height: number, nowMs: number,
): readonly Coin[] {
  const spent: Coin[] = [];
  for (const { outpoint } of tx.inputs) {
    const coin = l.coins.get(outpoint);
    assert(coin !== undefined, "a block spends what is there");
    spent.push(coin);
    l.coins.delete(outpoint);
    l.spentBy.set(outpoint, tx.txid);
    const rival = l.poolSpends.get(outpoint);
    if (rival !== undefined && rival !== tx.txid) evict(l, rival);
  }
  remove(l, tx.txid);
  for (const [vout, output] of tx.outputs.entries()) {
    const outpoint = outpointOf(tx.txid, vout);
    const { valueSat, address } = output;
    l.coins.set(outpoint, { outpoint, valueSat, address, height, isCoinbase: isCoinbase(tx) });
  }
  l.blockOf.set(tx.txid, hash);
  learn(l, tx, nowMs);
  return spent;
}

/** Takes the tip away; its transactions, without the coinbase. */
function disconnect(l: Ledger): readonly Tx[] {
  const block: Block = tipOf(l);
  l.chain.pop();
  for (const tx of block.txs.toReversed()) {
    for (let vout = 0; vout < tx.outputs.length; vout += 1) {
      l.coins.delete(outpointOf(tx.txid, vout));
    }
    for (const { outpoint } of tx.inputs) {
      l.spentBy.delete(outpoint);
      const coin = block.undo.find((spent) => spent.outpoint === outpoint);
      // What the same block had made goes with its maker, above.
      if (coin !== undefined) l.coins.set(outpoint, coin);
    }
  }
  return block.txs.slice(1);
}

/** The mempool anew: what came out of blocks, then what waited, as far as it still can be. */
function refill(l: Ledger, freed: readonly Tx[], nowMs: number): void {
  const held = [...l.pool.values()];
  l.pool.clear();
  l.poolSpends.clear();
  const all = [...freed.map((tx) => ({ tx, atMs: nowMs })), ...held];
  for (const { tx, atMs } of all) {
    if (tx.inputs.every(({ outpoint }) => isSpendable(l, outpoint))) admit(l, tx, atMs);
  }
  while (l.pool.size > l.config.poolMax) evict(l, [...l.pool.keys()].at(-1)!);
}

/** What came in beside its value, for those who check that money is conserved. */
export function feesSat(block: Block): bigint {
  return sum(block.txs.slice(1).map(({ feeSat }) => ({ valueSat: feeSat })));
}
