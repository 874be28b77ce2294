/**
 * The stand-in chain itself: blocks, outputs, and a mempool with replacement and eviction.
 *
 * Rule 1: plain state; whoever acts on it brings the time. The same acts on the same seed give the
 * same hashes.
 * Rule 2: money is conserved: what is unspent is what blocks have minted, to the satoshi.
 * Rule 3: blocks that were left behind and transactions that were dropped stay known, as to a node
 * with an index. A ledger grows as a chain does; only the mempool has a limit (`poolMax`).
 *
 * Knows no wallet and no protocol. Blocks come about in `blocks.ts`, payments in `till.ts`.
 * @module
 */
import { assert } from "../../core/assert.ts";
import { genesis } from "../../core/chain/esplora-says.ts";
import { addressFor } from "./address.ts";
import { isCoinbase, make, outpointOf, partsOf, type Output, type Tx } from "./tx.ts";

export type Config = {
  /** Another seed, other hashes. */
  readonly seed: number;
  /** Blocks until a coinbase may be spent, itself counted; Bitcoin: 100. */
  readonly maturity: number;
  /** Transactions that wait for a block; at least 1. Beyond, those of the lowest fee go. */
  readonly poolMax: number;
  /** What a block mints before the first halving, and blocks between halvings. */
  readonly subsidySat: bigint;
  readonly halvingBlocks: number;
};

/** Regtest, except that the subsidy does not run dry within a demo. */
export const defaults: Config = {
  seed: 1, maturity: 100, poolMax: 5_000, subsidySat: 5_000_000_000n, halvingBlocks: 100_000,
};

export type Coin = Output & {
  readonly outpoint: string;
  readonly height: number;
  readonly isCoinbase: boolean;
};

export type Block = {
  readonly hash: string;
  readonly parent: string;
  readonly height: number;
  readonly timeS: number;
  readonly merkleRoot: string;
  /** The coinbase first. */
  readonly txs: readonly Tx[];
  /** What its transactions spent, to give it back. */
  readonly undo: readonly Coin[];
};

export type Entry = { readonly tx: Tx; readonly atMs: number; readonly height: number };

/** A transaction came into the mempool or into a block. */
export type Sight = { readonly txid: string; readonly atMs: number };

export type Ledger = {
  readonly config: Config;
  /** Where coinbases and change of the till go. */
  readonly minerAddress: string;
  readonly txs: Map<string, Tx>;
  readonly blocks: Map<string, Block>;
  /** Hashes by height. */
  readonly chain: string[];
  /** The block that a transaction was last in, be it left behind. */
  readonly blockOf: Map<string, string>;
  /** Unspent in blocks, by outpoint. */
  readonly coins: Map<string, Coin>;
  /** What blocks have spent, and by what; and the same of the mempool. */
  readonly spentBy: Map<string, string>;
  readonly poolSpends: Map<string, string>;
  /** Parents before their children. */
  readonly pool: Map<string, Entry>;
  readonly byAddress: Map<string, string[]>;
  readonly sights: Sight[];
  /** Blocks so far, those that were left behind too. */
  mined: number;
};

const genesisTimeS = 1_296_688_602;

/** A chain of one block, whose hash is regtest's. */
export function create(config: Config = defaults, minerAddress = addressFor("miner")): Ledger {
  assert(config.maturity >= 1, "a coinbase cannot be spent in its own block");
  assert(config.poolMax >= 1, "a mempool without room");
  const hash = genesis.regtest;
  const coinbase = make({ inputs: [], outputs: [], locktime: 0, coinbase: "00" });
  const block: Block = {
    hash, parent: "0".repeat(64), height: 0, timeS: genesisTimeS, merkleRoot: coinbase.txid,
    txs: [coinbase], undo: [],
  };
  return {
    config, minerAddress, txs: new Map(), blocks: new Map([[hash, block]]), chain: [hash],
    blockOf: new Map(), coins: new Map(), spentBy: new Map(), poolSpends: new Map(),
    pool: new Map(), byAddress: new Map(), sights: [], mined: 0,
  };
}

/** The same chain, which goes its own way from now on. */
export function copy(l: Ledger): Ledger {
  const byAddress = new Map([...l.byAddress].map(([address, txids]) => [address, [...txids]]));
  return {
    config: l.config, minerAddress: l.minerAddress, txs: new Map(l.txs),
    blocks: new Map(l.blocks), chain: [...l.chain], blockOf: new Map(l.blockOf),
    coins: new Map(l.coins), spentBy: new Map(l.spentBy), poolSpends: new Map(l.poolSpends),
    pool: new Map(l.pool), byAddress, sights: [...l.sights], mined: l.mined,
  };
}

export function tipOf(l: Ledger): Block {
  return l.blocks.get(l.chain.at(-1)!)!;
}

export function heightOf(l: Ledger): number {
  return l.chain.length - 1;
}

export function blockAt(l: Ledger, height: number): Block | undefined {
  const hash = l.chain[height];
  return hash === undefined ? undefined : l.blocks.get(hash);
}

/** Is this block below the tip, or the tip? */
export function isActive(l: Ledger, block: Block): boolean {
  return l.chain[block.height] === block.hash;
}

/** The block of the chain that holds a transaction. */
export function placeOf(l: Ledger, txid: string): Block | undefined {
  const block = l.blocks.get(l.blockOf.get(txid) ?? "");
  return block !== undefined && isActive(l, block) ? block : undefined;
}

/** 1: in the newest block. */
export function depthOf(l: Ledger, height: number): number {
  return heightOf(l) - height + 1;
}

/** The median of the last eleven blocks' times, in unix seconds. */
export function medianTimeS(l: Ledger, block: Block): number {
  const times: number[] = [];
  let at: Block | undefined = block;
  for (; at !== undefined && times.length < 11; at = l.blocks.get(at.parent)) times.push(at.timeS);
  return times.toSorted((a, b) => a - b)[times.length >> 1]!;
}

/** What an outpoint is worth to whom, spent or not. */
export function outputOf(l: Ledger, outpoint: string): Output | undefined {
  const { txid, vout } = partsOf(outpoint);
  return l.txs.get(txid)?.outputs[vout];
}

/** Is it there to be spent by the next block, the mempool seen? */
export function isSpendable(l: Ledger, outpoint: string): boolean {
  if (l.poolSpends.has(outpoint)) return false;
  return isThere(l, outpoint);
}

function isThere(l: Ledger, outpoint: string): boolean {
  const coin = l.coins.get(outpoint);
  if (coin === undefined) {
    const { txid, vout } = partsOf(outpoint);
    return l.pool.get(txid)?.tx.outputs[vout] !== undefined;
  }
  return isMature(l, coin);
}

export function isMature(l: Ledger, coin: Coin): boolean {
  return !coin.isCoinbase || depthOf(l, coin.height) >= l.config.maturity;
}

/** Core's words for what it does not take. */
export type Refusal =
  | "txn-already-known" | "txn-already-in-mempool" | "bad-txns-inputs-missingorspent"
  | "bad-txns-in-belowout" | "insufficient fee" | "mempool full";

export type Submitted =
  | { readonly ok: true; readonly txid: string; readonly replaced: readonly string[] }
  | { readonly ok: false; readonly why: Refusal };

/**
 * Offers a transaction to the mempool. One that spends what others there spend replaces them, and
 * all that hangs on them, if it pays more than all of these together.
 */
export function submit(l: Ledger, tx: Tx, atMs: number): Submitted {
  const wrong = refusal(l, tx);
  if (wrong !== undefined) return { ok: false, why: wrong };
  const rivals = rivalsOf(l, tx);
  let feesSat = 0n;
  for (const txid of rivals) feesSat += l.pool.get(txid)!.tx.feeSat;
  if (rivals.length > 0 && tx.feeSat <= feesSat) return { ok: false, why: "insufficient fee" };
  for (const txid of rivals) evict(l, txid);
  admit(l, tx, atMs);
  while (l.pool.size > l.config.poolMax) evict(l, cheapest(l));
  if (!l.pool.has(tx.txid)) return { ok: false, why: "mempool full" };
  return { ok: true, txid: tx.txid, replaced: rivals };
}

function refusal(l: Ledger, tx: Tx): Refusal | undefined {
  if (l.pool.has(tx.txid)) return "txn-already-in-mempool";
  if (placeOf(l, tx.txid) !== undefined) return "txn-already-known";
  if (isCoinbase(tx)) return "bad-txns-inputs-missingorspent";
  if (tx.feeSat < 0n) return "bad-txns-in-belowout";
  const rivals = new Set(rivalsOf(l, tx));
  for (const { outpoint } of tx.inputs) {
    if (!isThere(l, outpoint)) return "bad-txns-inputs-missingorspent";
    if (rivals.has(partsOf(outpoint).txid)) return "bad-txns-inputs-missingorspent";
  }
  return undefined;
}

/** What waits and would have to go for this transaction, with all that hangs on it. */
function rivalsOf(l: Ledger, tx: Tx): readonly string[] {
  const found = new Set<string>();
  for (const { outpoint } of tx.inputs) {
    const rival = l.poolSpends.get(outpoint);
    if (rival !== undefined) for (const txid of familyOf(l, rival)) found.add(txid);
  }
  return [...found];
}

/** A transaction that waits, and what spends its outputs, and so on. */
export function familyOf(l: Ledger, txid: string): readonly string[] {
  const found = [txid];
  for (let i = 0; i < found.length; i += 1) {
    const { tx } = l.pool.get(found[i]!)!;
    for (let vout = 0; vout < tx.outputs.length; vout += 1) {
      const child = l.poolSpends.get(outpointOf(tx.txid, vout));
      if (child !== undefined && !found.includes(child)) found.push(child);
    }
  }
  return found;
}

function cheapest(l: Ledger): string {
  let lowest: Tx | undefined;
  for (const { tx } of l.pool.values()) {
    const isLower = lowest === undefined
      || tx.feeSat * BigInt(lowest.weight) < lowest.feeSat * BigInt(tx.weight);
    if (isLower) lowest = tx;
  }
  return lowest!.txid;
}

/** Takes a transaction into the mempool unasked: its inputs are there and nobody's. */
export function admit(l: Ledger, tx: Tx, atMs: number): void {
  l.pool.set(tx.txid, { tx, atMs, height: heightOf(l) });
  for (const { outpoint } of tx.inputs) l.poolSpends.set(outpoint, tx.txid);
  learn(l, tx, atMs);
}

/** A transaction is known from now on, and whom it concerns. */
export function learn(l: Ledger, tx: Tx, atMs: number): void {
  l.sights.push({ txid: tx.txid, atMs });
  if (l.txs.has(tx.txid)) return;
  l.txs.set(tx.txid, tx);
  for (const address of new Set([...tx.inputs, ...tx.outputs].map((one) => one.address))) {
    const txids = l.byAddress.get(address);
    if (txids === undefined) l.byAddress.set(address, [tx.txid]);
    else txids.push(tx.txid);
  }
}

/** Drops a transaction from the mempool, with all that hangs on it; false: it was not there. */
export function evict(l: Ledger, txid: string): boolean {
  if (!l.pool.has(txid)) return false;
  for (const gone of familyOf(l, txid).toReversed()) remove(l, gone);
  return true;
}

/** Takes one transaction out of the mempool: into a block, or for good. */
export function remove(l: Ledger, txid: string): void {
  const entry = l.pool.get(txid);
  if (entry === undefined) return;
  l.pool.delete(txid);
  for (const { outpoint } of entry.tx.inputs) {
    if (l.poolSpends.get(outpoint) === txid) l.poolSpends.delete(outpoint);
  }
}

/** What blocks have minted so far, fees left out: they come from coins. */
export function mintedSat(l: Ledger): bigint {
  let total = 0n;
  for (let height = 1; height <= heightOf(l); height += 1) total += subsidySat(l.config, height);
  return total;
}

export function subsidySat(config: Config, height: number): bigint {
  return config.subsidySat >> BigInt(Math.floor(height / config.halvingBlocks));
}

/** Everything that is unspent in blocks. */
export function circulatingSat(l: Ledger): bigint {
  let total = 0n;
  for (const { valueSat } of l.coins.values()) total += valueSat;
  return total;
}
