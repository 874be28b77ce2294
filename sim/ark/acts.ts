/**
 * What a scenario does to the little world, beyond letting time pass.
 *
 * Rule 1: each act is something that happens to people: a payment, a deposit, a board, a restart, a
 * new key. What goes wrong for a while is an outage (`faults.ts`).
 * @module
 */
import { assert } from "../../core/assert.ts";
import * as books from "./books.ts";
import { heightOf, submit } from "./chain.ts";
import { hashOf, tokenOf } from "./marks.ts";
import * as rounds from "./rounds.ts";
import { boot, halt } from "./run.ts";
import { mint, post, type Coin } from "./server.ts";
import { barkdOf, type Barkd, type Board, type Said, type Wallet, type World } from "./state.ts";
import * as streams from "./streams.ts";
import * as sync from "./sync.ts";

function walletOf(b: Barkd): Wallet {
  assert(b.wallet !== undefined, `${b.name} has a wallet`);
  return b.wallet;
}

/** Satoshis come to a wallet's own address; it sees them once they are in a block. Their txid. */
export function deposit(w: World, name: string, amountSat: bigint): string {
  const b = barkdOf(w, name);
  const wallet = walletOf(b);
  const txid = hashOf(w.key, "deposit", name, w.nextId);
  w.nextId += 1;
  submit(w.chain, { txid, takes: [], needs: [], fromHeight: 0, rate: 1_000_000 });
  wallet.deposits.set(txid, amountSat);
  wallet.books.depositedSat += amountSat;
  return txid;
}

/** Somebody boards funds that the wallet has on the chain. */
export function board(w: World, name: string, amountSat: bigint): Said<Board> {
  const b = barkdOf(w, name);
  return sync.board(w, b, walletOf(b), amountSat);
}

export type Payment = {
  readonly amountsSat: readonly bigint[];
  /** Blocks that they still live. */
  readonly lifeBlocks: number;
  readonly exitDepth: number;
  /** No wallet can make sense of it. */
  readonly isPoison?: boolean;
};

/** Somebody pays a wallet: one message with so many VTXOs. */
export function pay(w: World, name: string, payment: Payment): readonly Coin[] {
  const expiryHeight = heightOf(w.chain) + payment.lifeBlocks;
  const coins = payment.amountsSat.map((amountSat) => (
    mint(w.server, { owner: name, amountSat, expiryHeight, exitDepth: payment.exitDepth })
  ));
  post(w.server, name, "arkoor", coins.map(({ id }) => id), w.nowMs, payment.isPoison === true);
  streams.pump(w);
  return coins;
}

/** A message of a kind that the wallet has never heard of. */
export function mystify(w: World, name: string): void {
  post(w.server, name, "unknown", [], w.nowMs);
  streams.pump(w);
}

/** A wallet has VTXOs from the beginning: as if received, and no message of it. */
export function endow(
  w: World, name: string, amountsSat: readonly bigint[], lifeBlocks: number, exitDepth: number,
): readonly Coin[] {
  const wallet = walletOf(barkdOf(w, name));
  const expiryHeight = heightOf(w.chain) + lifeBlocks;
  return amountsSat.map((amountSat) => {
    const coin = mint(w.server, { owner: name, amountSat, expiryHeight, exitDepth });
    books.take(wallet, coin);
    wallet.books.receivedSat += amountSat;
    return coin;
  });
}

/** The server refuses these from now on, whoever asks; or takes them again. */
export function refuse(w: World, ids: readonly string[], isRefused = true): void {
  for (const id of ids) {
    if (isRefused) w.server.refused.add(id);
    else w.server.refused.delete(id);
  }
}

/** The server stops and starts in an orderly way: streams end cleanly, rounds begin anew. */
export function restartServer(w: World): void {
  rounds.restart(w.server, w.nowMs);
  for (const sub of [...w.subs.values()]) streams.end(w, sub, "clean");
}

/** A wallet's program stops and starts. */
export function restartBarkd(w: World, name: string): void {
  boot(w, barkdOf(w, name));
}

export function stopBarkd(w: World, name: string): void {
  halt(w, barkdOf(w, name));
}

/** Somebody gave the program another token, and started it anew; it is returned. */
export function changeToken(w: World, name: string): string {
  const b = barkdOf(w, name);
  b.token = tokenOf(w.key, name, w.nextId);
  w.nextId += 1;
  boot(w, b);
  return b.token;
}

/** The wallet's files are put aside, or back. */
export function shelve(w: World, name: string, isAway: boolean): void {
  const b = barkdOf(w, name);
  const other = isAway ? b.wallet : w.shelf.get(name);
  if (other === undefined) return;
  if (isAway) w.shelf.set(name, other);
  else w.shelf.delete(name);
  b.wallet = isAway ? undefined : other;
  boot(w, b);
}

/** The price of a place in a block, in sat/vB; what pays less waits. */
export function setRate(w: World, rate: number): void {
  assert(Number.isSafeInteger(rate) && rate >= 1, "a whole rate");
  w.rate = rate;
  w.chain.rateMin = rate;
}
