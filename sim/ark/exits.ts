/**
 * Exits of a wallet: from its own tree to the chain, and from there to where its owner wants it.
 *
 * Rule 1: start, processing, awaiting-delta, claimable, claim-in-progress, claimed. A branch that
 * is left behind takes an exit back to where its transactions are. Nothing is claimed unasked.
 * Rule 2: each transaction needs its parent in a block, and a child that pays for it out of the
 * wallet's funds on the chain, at the rate that the wallet knows. Without funds it waits.
 * Rule 3: a coin that was refreshed meanwhile, or that the server took, is `already-spent`.
 * Rule 4: until its last transaction is out an exit can be canceled.
 * @module
 */
import * as books from "./books.ts";
import { coinOf } from "./books.ts";
import { placeOf, raise, seenAt, submit, heightOf, type View } from "./chain.ts";
import { look } from "./link.ts";
import { hashOf } from "./marks.ts";
import { exitTxids, leafCoin, leafOf, type Coin } from "./server.ts";
import {
  no, said, type Barkd, type Exit, type ExitStage, type Said, type Wallet, type World,
} from "./state.ts";
import { chancesOf } from "./watch.ts";

/** Is there nothing more to do about it? */
export function isOver({ stage }: Exit): boolean {
  return stage.at === "claimed" || stage.at === "canceled" || stage.at === "already-spent";
}

/** Registers exits. Those that are under way stay as they are. */
export function start(w: World, b: Barkd, wallet: Wallet, ids: readonly string[]): Said<undefined> {
  const { localMs } = w.config;
  if (ids.length === 0) return no("bad", "no VTXO ids provided", [], localMs);
  const absent = ids.filter((id) => !wallet.vtxos.has(id));
  if (absent.length > 0) return no("absent", "VTXO not found", absent, localMs);
  const spent = ids.filter((id) => wallet.vtxos.get(id)!.state === "spent");
  if (spent.length > 0) {
    return no("rejected", `VTXO already spent: ${spent.join(", ")}`, spent, localMs);
  }
  for (const id of ids) {
    const known = wallet.exits.get(id);
    if (known !== undefined && known.stage.at !== "canceled") continue;
    const stage: ExitStage = { at: "start" };
    wallet.exits.set(id, {
      vtxo: id, stage, history: [], paid: known?.paid ?? new Map(), isShort: false,
    });
    chancesOf(w, id).exitAskedAt ??= heightOf(w.chain);
    const { amountSat } = coinOf(w, id);
    books.record(w, b, wallet, {
      what: "exit", status: "pending", inputs: [id], outputs: [], effectSat: -amountSat,
      feeSat: 0n,
    });
  }
  return said(undefined, localMs);
}

/** Takes every exit as far as it goes now. */
export function progress(w: World, b: Barkd, wallet: Wallet): Said<readonly Exit[]> {
  const view = look(w, b);
  if (!view.ok) return view;
  const waitMs = b.exitsBusyUntilMs > w.nowMs ? b.exitsBusyUntilMs - w.nowMs : 0;
  const afterMs = view.afterMs + waitMs;
  b.exitsBusyUntilMs = w.nowMs + afterMs;
  if (b.hasForgottenExits) return said([], afterMs);
  const live = [...wallet.exits.values()].filter((exit) => !isDone(w, exit, view.value));
  for (const exit of live) advance(w, b, wallet, exit, view.value);
  return said(live, afterMs);
}

/** Claimed so deep that no branch takes it back, or given up. */
function isDone(w: World, exit: Exit, view: View): boolean {
  if (exit.stage.at !== "claimed") return isOver(exit);
  return seenAt(w.chain, view, exit.stage.txid) !== undefined;
}

/** Only looks where the transactions are: pays nothing, sends nothing. */
export function check(w: World, b: Barkd): Said<undefined> {
  const view = look(w, b);
  return view.ok ? said(undefined, view.afterMs) : view;
}

/** A stage leads to the next at most so many times in one go. */
const stepsMax = 8;

function advance(w: World, b: Barkd, wallet: Wallet, exit: Exit, view: View): void {
  for (let i = 0; i < stepsMax; i += 1) {
    const next = following(w, wallet, exit, view);
    if (next === undefined) return;
    exit.history.push(exit.stage);
    if (exit.history.length > 32) exit.history.shift();
    settle(w, b, wallet, exit, next);
    exit.stage = next;
  }
}

/** The stage after this one; `undefined`: it stays. */
function following(
  w: World, wallet: Wallet, exit: Exit, view: View,
): ExitStage | undefined {
  const coin = coinOf(w, exit.vtxo);
  const { stage } = exit;
  const leafAt = seenAt(w.chain, view, leafOf(coin));
  switch (stage.at) {
    case "start": return { at: "processing" };
    case "processing": return processing(w, wallet, exit, coin, view);
    case "awaiting-delta":
      if (leafAt === undefined) return { at: "processing" };
      if (leafAt !== stage.confirmedAt) return awaiting(w, leafAt);
      return view.height >= stage.claimableAt
        ? { at: "claimable", since: stage.claimableAt } : undefined;
    case "claimable": return leafAt === undefined ? { at: "processing" } : undefined;
    case "claim-in-progress": {
      const height = seenAt(w.chain, view, stage.txid);
      return height === undefined ? undefined : { at: "claimed", height, txid: stage.txid };
    }
    case "claimed": {
      const { txid, height } = stage;
      // Its block was left behind.
      return seenAt(w.chain, view, txid) === undefined
        ? { at: "claim-in-progress", since: height, txid } : undefined;
    }
    case "canceled": case "already-spent": return undefined;
  }
}

function awaiting(w: World, leafAt: number): ExitStage {
  const claimableAt = leafAt + w.config.server.exitDeltaBlocks;
  return { at: "awaiting-delta", confirmedAt: leafAt, claimableAt };
}

function processing(
  w: World, wallet: Wallet, exit: Exit, coin: Coin, view: View,
): ExitStage | undefined {
  const isRefreshed = wallet.vtxos.get(coin.id)!.state === "spent";
  if (isRefreshed || coin.fate === "swept") return { at: "already-spent" };
  exit.isShort = false;
  const txids = exitTxids(coin);
  for (const [at, txid] of txids.entries()) {
    if (seenAt(w.chain, view, txid) !== undefined) continue;
    const needs = at === 0 ? [] : [txids[at - 1]!];
    broadcast(w, wallet, exit, coin, txid, needs);
    return undefined;
  }
  return awaiting(w, seenAt(w.chain, view, leafOf(coin))!);
}

/** Sends a transaction with a child that pays, or pays more for one that waits. */
function broadcast(
  w: World, wallet: Wallet, exit: Exit, coin: Coin, txid: string, needs: readonly string[],
): void {
  if (placeOf(w.chain, txid) !== undefined) return;
  const wantedSat = BigInt(w.config.exitVb * wallet.rate);
  const moreSat = wantedSat - (exit.paid.get(txid) ?? 0n);
  if (moreSat > books.fundsSat(wallet)) {
    exit.isShort = true;
    return;
  }
  const isLast = txid === leafOf(coin);
  const sent = submit(w.chain, {
    txid, takes: isLast ? [leafCoin(coin)] : [], needs, fromHeight: 0, rate: wallet.rate,
  });
  if (sent === "conflict" || sent === "orphan") return;
  if (moreSat > 0n) {
    books.payFee(wallet, moreSat);
    exit.paid.set(txid, wantedSat);
    raise(w.chain, txid, wallet.rate);
  }
}

/** What a new stage means for the books. */
function settle(w: World, b: Barkd, wallet: Wallet, exit: Exit, next: ExitStage): void {
  const held = wallet.vtxos.get(exit.vtxo)!;
  const { amountSat, fate } = coinOf(w, exit.vtxo);
  const claimSat = BigInt(w.config.claimVb);
  const netSat = amountSat > claimSat ? amountSat - claimSat : 0n;
  const movement = wallet.movements.findLast(({ what, inputs }) => (
    what === "exit" && inputs[0] === exit.vtxo
  ));
  const end = (status: "successful" | "failed" | "canceled"): void => {
    if (movement !== undefined) books.conclude(w, b, wallet, movement.id, status);
  };
  if (exit.stage.at === "claimed") {
    held.state = "exited";
    wallet.books.claimedSat -= netSat;
    wallet.books.feesSat -= amountSat - netSat;
  }
  switch (next.at) {
    case "awaiting-delta": held.state = "exited"; break;
    case "processing":
      if (held.state === "exited") held.state = "spendable";
      break;
    case "already-spent":
      if (fate === "swept" && held.state !== "spent") {
        held.state = "spent";
        wallet.books.lostSat += amountSat;
      }
      end("failed");
      break;
    case "claimed":
      held.state = "spent";
      wallet.books.claimedSat += netSat;
      wallet.books.feesSat += amountSat - netSat;
      end("successful");
      break;
    case "start": case "claimable": case "claim-in-progress": case "canceled": break;
  }
}

const ADDRESS = /^(bcrt1|tb1|bc1)[02-9ac-hj-np-z]{8,90}$/;

/** Sends what is claimable to an address, as one transaction. */
export function claim(
  w: World, b: Barkd, wallet: Wallet, ids: readonly string[], destination: string,
): Said<undefined> {
  const view = look(w, b);
  if (!view.ok) return view;
  const { afterMs } = view;
  if (!ADDRESS.test(destination)) return no("bad", "invalid destination address", [], afterMs);
  if (ids.length === 0) return no("bad", "nothing to claim", [], afterMs);
  const early = ids.filter((id) => wallet.exits.get(id)?.stage.at !== "claimable");
  if (early.length > 0) {
    return no("bad", `unspendable VTXO provided: ${early.join(", ")}`, early, afterMs);
  }
  for (const id of ids) {
    const exit = wallet.exits.get(id)!;
    const txid = hashOf(w.key, "claim", id);
    const since = exit.stage.at === "claimable" ? exit.stage.since : 0;
    const sent = submit(w.chain, {
      txid, takes: [`out ${id}`], needs: [leafOf(coinOf(w, id))], fromHeight: since, rate: 1_000,
    });
    if (sent === "conflict" || sent === "orphan") continue;
    exit.history.push(exit.stage);
    exit.stage = { at: "claim-in-progress", since, txid };
  }
  return said(undefined, afterMs);
}

/** Gives an exit up while that is safe. Again is nothing. */
export function cancel(w: World, b: Barkd, wallet: Wallet, id: string): Said<undefined> {
  const exit = wallet.exits.get(id);
  if (exit === undefined) return no("absent", "the VTXO has no exit", [id], w.config.localMs);
  if (exit.stage.at === "canceled") return said(undefined, w.config.localMs);
  const view = look(w, b);
  if (!view.ok) return view;
  const leaf = leafOf(coinOf(w, id));
  const isOut = w.chain.pool.has(leaf) || placeOf(w.chain, leaf) !== undefined;
  if (isOut || isOver(exit)) {
    return no("bad", "the exit's last transaction is out already", [id], view.afterMs);
  }
  exit.history.push(exit.stage);
  exit.stage = { at: "canceled" };
  const movement = wallet.movements.findLast(({ what, inputs }) => (
    what === "exit" && inputs[0] === id
  ));
  if (movement !== undefined) books.conclude(w, b, wallet, movement.id, "canceled");
  return said(undefined, view.afterMs);
}

export type Cost = {
  readonly broadcastSat: bigint; readonly claimSat: bigint; readonly txs: number;
  readonly rate: number; readonly isFundable: boolean;
};

/** What exits of these would still cost; nobody named: all that is spendable. */
export function cost(
  w: World, wallet: Wallet, ids: readonly string[], rate = wallet.rate,
): Said<Cost> {
  const { localMs, exitVb, claimVb } = w.config;
  const spendable = [...wallet.vtxos.values()].filter(({ state }) => state === "spendable");
  const named = ids.length > 0 ? ids : spendable.map(({ id }) => id);
  const wrong = named.filter((id) => {
    const state = wallet.vtxos.get(id)?.state;
    return state === undefined || state === "spent";
  });
  if (wrong.length > 0) {
    return no("bad", `VTXO unknown, claimed or spent: ${wrong.join(", ")}`, wrong, localMs);
  }
  const txs = books.unsent(w, named);
  const broadcastSat = BigInt(txs * exitVb * rate);
  const claimSat = named.length === 0 ? 0n : BigInt(claimVb * rate);
  const isFundable = books.fundsSat(wallet) >= broadcastSat;
  return said({ broadcastSat, claimSat, txs, rate, isFundable }, localMs);
}
