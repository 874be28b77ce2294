/**
 * A wallet's own books: its VTXOs, its coins on the chain, its movements and the news of them.
 *
 * Rule 1: every change of a VTXO's state and every satoshi that leaves goes through here, so that
 * `audit.ts` can add up.
 * Rule 2: news are kept for a while and in a number; whoever asks too late learns that some are
 * lost.
 * @module
 */
import { assert } from "../../core/assert.ts";
import { placeOf, seenAt, type View } from "./chain.ts";
import { exitTxids, type Coin } from "./server.ts";
import type { Barkd, Held, Movement, News, Wallet, World } from "./state.ts";

/** The server's coin behind a VTXO of a wallet. */
export function coinOf(w: World, id: string): Coin {
  const coin = w.server.coins.get(id);
  assert(coin !== undefined, "a VTXO comes from the server");
  return coin;
}

/** A VTXO comes into a wallet. */
export function take(wallet: Wallet, coin: Coin, state: Held["state"] = "spendable"): Held {
  const held: Held = { id: coin.id, state, lockedBy: undefined };
  wallet.vtxos.set(coin.id, held);
  return held;
}

/** Satoshis of VTXOs in one of these states. */
export function heldSat(w: World, wallet: Wallet, states: readonly Held["state"][]): bigint {
  let sum = 0n;
  for (const { id, state } of wallet.vtxos.values()) {
    if (states.includes(state)) sum += coinOf(w, id).amountSat;
  }
  return sum;
}

/** What the wallet can pay with on the chain: what it has seen in blocks, less what it paid. */
export function fundsSat(wallet: Wallet): bigint {
  const rest = wallet.seenSat - wallet.spentSat;
  return rest > 0n ? rest : 0n;
}

/** Transactions that exits of these still have to send. */
export function unsent(w: World, ids: readonly string[]): number {
  let txs = 0;
  for (const id of ids) {
    for (const txid of exitTxids(coinOf(w, id))) if (placeOf(w.chain, txid) === undefined) txs += 1;
  }
  return txs;
}

/** The wallet looks at its deposits. */
export function seeDeposits(w: World, wallet: Wallet, view: View): void {
  let sum = 0n;
  for (const [txid, sat] of wallet.deposits) {
    if (seenAt(w.chain, view, txid) !== undefined) sum += sat;
  }
  wallet.seenSat = sum;
}

/** Pays a fee on the chain, out of `fundsSat`. */
export function payFee(wallet: Wallet, sat: bigint): void {
  assert(sat >= 0n, "a fee");
  wallet.spentSat += sat;
  wallet.books.feesSat += sat;
}

export type NewMovement = Pick<Movement, "what" | "status" | "inputs" | "outputs" | "effectSat"
  | "feeSat">;

/** Something happens in the wallet; its number. */
export function record(w: World, b: Barkd, wallet: Wallet, made: NewMovement): number {
  const id = wallet.nextId;
  wallet.nextId += 1;
  const movement: Movement = {
    id, what: made.what, atMs: w.nowMs, updatedMs: w.nowMs, status: made.status,
    inputs: made.inputs, outputs: made.outputs, effectSat: made.effectSat, feeSat: made.feeSat,
  };
  wallet.movements.push(movement);
  if (wallet.movements.length > w.config.movementsMax) wallet.movements.shift();
  tell(w, b, "movement-created", movement);
  return id;
}

/** It comes to an end. Long ago is forgotten. */
export function conclude(
  w: World, b: Barkd, wallet: Wallet, id: number, status: Movement["status"],
  end: { readonly outputs?: readonly string[]; readonly feeSat?: bigint } = {},
): void {
  const movement = wallet.movements.find((one) => one.id === id);
  if (movement === undefined || movement.status !== "pending") return;
  movement.status = status;
  movement.updatedMs = w.nowMs;
  movement.outputs = end.outputs ?? movement.outputs;
  movement.feeSat = end.feeSat ?? movement.feeSat;
  tell(w, b, "movement-updated", movement);
}

function tell(
  w: World, b: Barkd, kind: "movement-created" | "movement-updated", movement: Movement,
): void {
  // Two of one instant have two stamps: who names one gets what came after it.
  w.newsTold += 1;
  b.newsAtMs = w.nowMs > b.newsAtMs ? w.nowMs : b.newsAtMs + 1;
  b.news = b.news.filter(({ atMs }) => atMs > w.nowMs - w.config.newsMs);
  b.news.push({ atMs: b.newsAtMs, kind, movement: { ...movement } });
  if (b.news.length > w.config.newsMax) lag(b, w.config.newsMax);
}

function lag(b: Barkd, max: number): void {
  const kept = b.news.slice(b.news.length - max);
  const [first] = kept;
  assert(first !== undefined, "news to keep");
  const lost: News = { atMs: first.atMs, kind: "channel-lagging", movement: undefined };
  b.news = [lost, ...kept.slice(1)];
}
