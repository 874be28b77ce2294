/**
 * The chain that Ark wallets and their server see: heights, hashes, and which transaction is where.
 *
 * Rule 1: a transaction is what it needs and what it takes: parents that must be in a block before
 * it, a height before which it may not come, and coins that nobody else may take too. Amounts are
 * their owners' business (`wallet.ts`).
 * Rule 2: a reorganisation gives other hashes to the same heights; what was in blocks that are left
 * behind waits again, before what waited already.
 * Rule 3: who asks sees it through a `View`, which may be old, may lie, or may not answer.
 * @module
 */
import { assert } from "../../core/assert.ts";
import type { Key } from "../../core/prng.ts";
import { hashOf } from "./marks.ts";

export type Tx = {
  readonly txid: string;
  /** Coins that only one transaction can take, by any name. */
  readonly takes: readonly string[];
  /** Transactions that must stand in a block. */
  readonly needs: readonly string[];
  /** The first height at which a block may hold it. */
  readonly fromHeight: number;
  /** What it pays, in sat/vB; a child may raise it. */
  rate: number;
};

export type Block = {
  readonly hash: string; readonly atMs: number; readonly txids: readonly string[];
};

export type Chain = {
  readonly key: Key;
  /** The height of the first block here. */
  readonly baseHeight: number;
  readonly blocks: Block[];
  readonly txs: Map<string, Tx>;
  /** Heights of transactions in blocks. */
  readonly placed: Map<string, number>;
  /** What waits, in its order. */
  readonly pool: Set<string>;
  /** Who takes a coin, in a block or waiting. */
  readonly taken: Map<string, string>;
  /** Blocks take nothing that pays less, in sat/vB; at least 0. */
  rateMin: number;
  /** Blocks so far, those that were left behind too. */
  mined: number;
};

/** A chain of one block. */
export function create(key: Key, baseHeight: number, nowMs: number): Chain {
  assert(Number.isSafeInteger(baseHeight) && baseHeight >= 0, "a height");
  const first = { hash: hashOf(key, "block", baseHeight, 0), atMs: nowMs, txids: [] };
  return {
    key, baseHeight, blocks: [first], txs: new Map(), placed: new Map(), pool: new Set(),
    taken: new Map(), rateMin: 0, mined: 0,
  };
}

export function heightOf(c: Chain): number {
  return c.baseHeight + c.blocks.length - 1;
}

export function blockAt(c: Chain, height: number): Block | undefined {
  return c.blocks[height - c.baseHeight];
}

/** The height that was the tip's at an instant, by the blocks that are here now. */
export function heightAt(c: Chain, atMs: number): number {
  let i = c.blocks.length - 1;
  while (i > 0 && c.blocks[i]!.atMs > atMs) i -= 1;
  return c.baseHeight + i;
}

/** The height of a transaction's block; `undefined`: it is in none. */
export function placeOf(c: Chain, txid: string): number | undefined {
  return c.placed.get(txid);
}

export type Submitted = "taken" | "known" | "conflict" | "orphan";

/** Offers a transaction. `conflict`: another one takes a coin of it; the first one stays. */
export function submit(c: Chain, tx: Tx): Submitted {
  if (c.placed.has(tx.txid) || c.pool.has(tx.txid)) return "known";
  if (tx.needs.some((txid) => !c.placed.has(txid) && !c.pool.has(txid))) return "orphan";
  if (tx.takes.some((coin) => c.taken.has(coin))) return "conflict";
  for (const coin of tx.takes) c.taken.set(coin, tx.txid);
  c.txs.set(tx.txid, tx);
  c.pool.add(tx.txid);
  return "taken";
}

/** A child pays for a transaction that waits. */
export function raise(c: Chain, txid: string, rate: number): void {
  const tx = c.txs.get(txid);
  if (tx !== undefined && c.pool.has(txid) && rate > tx.rate) tx.rate = rate;
}

/** One more block; what it holds. `isEmpty`: whoever found it takes nothing that waits. */
export function mine(c: Chain, nowMs: number, isEmpty = false): readonly string[] {
  const height = heightOf(c) + 1;
  c.mined += 1;
  const txids: string[] = [];
  for (const txid of isEmpty ? [] : c.pool) {
    const tx = c.txs.get(txid)!;
    const isReady = tx.fromHeight <= height && tx.rate >= c.rateMin
      && tx.needs.every((need) => c.placed.has(need));
    if (!isReady) continue;
    txids.push(txid);
    c.placed.set(txid, height);
  }
  for (const txid of txids) c.pool.delete(txid);
  const atMs = later(c.blocks.at(-1)!.atMs, nowMs);
  c.blocks.push({ hash: hashOf(c.key, "block", height, c.mined), atMs, txids });
  return txids;
}

function later(a: number, b: number): number {
  return a > b ? a : b;
}

/**
 * The newest `depth` blocks are left behind for `count` others; as many: a reorganisation at equal
 * height. `isEmpty`: the others hold nothing of what they displace.
 */
export function reorg(
  c: Chain, depth: number, count: number, nowMs: number, isEmpty = false,
): void {
  assert(depth >= 1 && depth < c.blocks.length, "the first block stays");
  const freed: string[] = [];
  for (let i = 0; i < depth; i += 1) freed.unshift(...c.blocks.pop()!.txids);
  for (const txid of freed) c.placed.delete(txid);
  const waiting = [...freed, ...c.pool];
  c.pool.clear();
  for (const txid of waiting) c.pool.add(txid);
  for (let i = 0; i < count; i += 1) mine(c, nowMs, isEmpty);
}

/** What somebody sees of the chain: all of it up to a height, which may be below the tip. */
export type View = { readonly height: number; readonly hash: string };

/** The chain as it is. */
export function viewOf(c: Chain): View {
  return viewAt(c, heightOf(c));
}

/** The chain as it was at a height; from the first block to the tip. */
export function viewAt(c: Chain, height: number): View {
  const last = heightOf(c);
  const inside = height < c.baseHeight ? c.baseHeight : height;
  const at = inside > last ? last : inside;
  return { height: at, hash: blockAt(c, at)!.hash };
}

/** As `placeOf`, seen through a view. */
export function seenAt(c: Chain, view: View, txid: string): number | undefined {
  const height = c.placed.get(txid);
  return height !== undefined && height <= view.height ? height : undefined;
}
