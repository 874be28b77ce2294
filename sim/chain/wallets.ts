/**
 * Descriptor wallets of the stand-in node: whose addresses they watch, and what they have seen.
 *
 * Rule 1: a wallet knows the transactions that came by while it watched, and those that a scan of
 * old blocks found. A descriptor that is imported late knows nothing of its past.
 * Rule 2: what it once saw it remembers, be it replaced, dropped or in a block that was left
 * behind.
 * Rule 3: a scan takes its time. What it finds is known when it ends, and one that is broken off
 * (the node stops) has found nothing.
 * @module
 */
import { canonical } from "../../core/chain/descriptor.ts";
import type { AddressOf } from "./address.ts";
import {
  blockAt, depthOf, heightOf, isMature, placeOf, type Coin, type Ledger,
} from "./ledger.ts";
import { isCoinbase, outpointOf, partsOf, type Tx } from "./tx.ts";

export type Branch = {
  readonly descriptor: string;
  readonly isInternal: boolean;
  readonly isActive: boolean;
  readonly timestampS: number;
  /** The last index that is watched, and the first that was never paid. */
  end: number;
  next: number;
};

/** Where an address is from; `undefined`: from no ranged descriptor. */
export type Home = { readonly branch: number; readonly index: number } | undefined;

export type Scan = {
  readonly from: number; readonly to: number; readonly withPool: boolean;
  readonly startedAtMs: number; readonly endsAtMs: number;
};

export type Wallet = {
  readonly name: string;
  readonly hasKeys: boolean;
  readonly createdAtS: number;
  isLoaded: boolean;
  /** Is it loaded whenever the node starts? */
  isAtStart: boolean;
  readonly branches: Branch[];
  readonly owned: Map<string, Home>;
  readonly labels: Map<string, string>;
  readonly locks: Set<string>;
  /** When it first saw what; by txid. */
  readonly known: Map<string, number>;
  /** How many of the ledger's sights it has looked at. */
  cursor: number;
  scan: Scan | undefined;
};

/** Derives addresses, and how many of each branch are watched beyond the last that was paid. */
export type Deriving = { readonly addressOf: AddressOf; readonly keypool: number };

export function create(
  name: string, hasKeys: boolean, createdAtS: number, l: Ledger,
): Wallet {
  return {
    name, hasKeys, createdAtS, isLoaded: true, isAtStart: false, branches: [], owned: new Map(),
    labels: new Map(), locks: new Set(), known: new Map(), cursor: l.sights.length, scan: undefined,
  };
}

/** Brings a wallet up to what the ledger shows at `nowMs`. */
export function follow(w: Wallet, l: Ledger, nowMs: number, d: Deriving): void {
  if (w.scan !== undefined && nowMs >= w.scan.endsAtMs) {
    search(w, l, w.scan, d);
    w.scan = undefined;
  }
  for (; w.cursor < l.sights.length; w.cursor += 1) {
    const { txid, atMs } = l.sights[w.cursor]!;
    consider(w, l.txs.get(txid)!, atMs, d);
  }
}

/** Old blocks are read, lowest first, and at last what waits. */
function search(w: Wallet, l: Ledger, { from, to, withPool, endsAtMs }: Scan, d: Deriving): void {
  for (let height = from; height <= to; height += 1) {
    for (const tx of blockAt(l, height)?.txs ?? []) consider(w, tx, endsAtMs, d);
  }
  if (withPool) for (const { tx } of l.pool.values()) consider(w, tx, endsAtMs, d);
}

function consider(w: Wallet, tx: Tx, atMs: number, d: Deriving): void {
  let isOurs = tx.inputs.some((input) => isOwnInput(w, input));
  for (const { address } of tx.outputs) {
    if (!w.owned.has(address)) continue;
    isOurs = true;
    const home = w.owned.get(address);
    if (home === undefined) continue;
    const branch = w.branches[home.branch]!;
    if (home.index < branch.next) continue;
    branch.next = home.index + 1;
    watch(w, home.branch, branch.next + d.keypool - 1, d);
  }
  if (isOurs && !w.known.has(tx.txid)) w.known.set(tx.txid, atMs);
}

function isOwnInput(w: Wallet, input: { outpoint: string; address: string }): boolean {
  return w.owned.has(input.address) && w.known.has(partsOf(input.outpoint).txid);
}

/** Does this wallet spend a coin of its own here? */
export function isFromMe(w: Wallet, tx: Tx): boolean {
  return tx.inputs.some((input) => isOwnInput(w, input));
}

/** The wallet's own share of what a transaction spends. */
export function debitSat(w: Wallet, tx: Tx): bigint {
  let total = 0n;
  for (const input of tx.inputs) if (isOwnInput(w, input)) total += input.valueSat;
  return total;
}

/** Adds a ranged descriptor, or watches further along one that is there. */
export function watchBranch(w: Wallet, wanted: Branch, d: Deriving): void {
  const known = w.branches.findIndex(({ descriptor }) => (
    canonical(descriptor) === canonical(wanted.descriptor)
  ));
  const at = known < 0 ? w.branches.length : known;
  const next = w.branches[at]?.next ?? 0;
  if (known < 0) w.branches.push({ ...wanted, end: -1, next });
  const topped = next + d.keypool - 1;
  watch(w, at, wanted.end > topped ? wanted.end : topped, d);
}

function watch(w: Wallet, at: number, end: number, d: Deriving): void {
  const branch = w.branches[at]!;
  for (let index = branch.end + 1; index <= end; index += 1) {
    w.owned.set(d.addressOf(branch.descriptor, index), { branch: at, index });
  }
  if (end > branch.end) branch.end = end;
}

/** An output of the wallet that nothing spends, in a block or waiting. */
export type Unspent = Coin & { readonly confirmations: number };

/** All of these, in the order in which the wallet met them; immature coinbases are left out. */
export function unspentOf(w: Wallet, l: Ledger): readonly Unspent[] {
  const found: Unspent[] = [];
  for (const txid of w.known.keys()) {
    const tx = l.txs.get(txid);
    const isWaiting = l.pool.has(txid);
    if (tx === undefined || (!isWaiting && placeOf(l, txid) === undefined)) continue;
    for (const [vout, { valueSat, address }] of tx.outputs.entries()) {
      const outpoint = outpointOf(txid, vout);
      if (!w.owned.has(address) || l.poolSpends.has(outpoint)) continue;
      const coin = l.coins.get(outpoint);
      if (coin !== undefined && isMature(l, coin)) {
        found.push({ ...coin, confirmations: depthOf(l, coin.height) });
      } else if (isWaiting) {
        found.push({
          outpoint, valueSat, address, height: heightOf(l) + 1, isCoinbase: false, confirmations: 0,
        });
      }
    }
  }
  return found;
}

/** What is not to be counted on yet: paid by others and in no block. */
export function isTrusted(w: Wallet, l: Ledger, txid: string): boolean {
  const entry = l.pool.get(txid);
  return entry !== undefined && entry.tx.inputs.every((input) => isOwnInput(w, input));
}

/** Coinbases that are the wallet's and cannot be spent yet. */
export function immatureSat(w: Wallet, l: Ledger): bigint {
  let total = 0n;
  for (const coin of l.coins.values()) {
    const isOurs = w.owned.has(coin.address) && w.known.has(partsOf(coin.outpoint).txid);
    if (isOurs && !isMature(l, coin)) total += coin.valueSat;
  }
  return total;
}

/**
 * Confirmations as a wallet counts them: 0 for what waits or was dropped, negative for what a block
 * contradicts, be it through a parent.
 */
export function confirmationsOf(l: Ledger, txid: string): number {
  const block = placeOf(l, txid);
  if (block !== undefined) return depthOf(l, block.height);
  if (l.pool.has(txid)) return 0;
  const depth = conflictDepth(l, txid, 0);
  return depth === 0 ? 0 : -depth;
}

/** Longer chains of unconfirmed parents than any mempool takes. */
const parentsMax = 25;

function conflictDepth(l: Ledger, txid: string, steps: number): number {
  const tx = l.txs.get(txid);
  if (tx === undefined || steps > parentsMax || placeOf(l, txid) !== undefined) return 0;
  let deepest = 0;
  for (const { outpoint } of tx.inputs) {
    const rival = l.spentBy.get(outpoint);
    const block = rival === undefined ? undefined : placeOf(l, rival);
    const depth = block !== undefined ? depthOf(l, block.height)
      : conflictDepth(l, partsOf(outpoint).txid, steps + 1);
    if (depth > deepest) deepest = depth;
  }
  return deepest;
}

/** Other transactions that spend a coin which this one spends: in the wallet, and waiting. */
export function conflictsOf(
  w: Wallet, l: Ledger, tx: Tx,
): { readonly wallet: readonly string[]; readonly pool: readonly string[] } {
  const spent = new Set(tx.inputs.map(({ outpoint }) => outpoint));
  const wallet: string[] = [];
  for (const txid of w.known.keys()) {
    const other = l.txs.get(txid);
    if (other === undefined || txid === tx.txid || isCoinbase(other)) continue;
    if (other.inputs.some(({ outpoint }) => spent.has(outpoint))) wallet.push(txid);
  }
  const pool = new Set<string>();
  for (const outpoint of spent) {
    const rival = l.poolSpends.get(outpoint);
    if (rival !== undefined && rival !== tx.txid) pool.add(rival);
  }
  return { wallet, pool: [...pool] };
}
