/**
 * What a wallet looks after: its funds on the chain, fee rates, boards, and all of it at once.
 *
 * Rule 1: the whole `sync` says nothing of what went wrong, as the real one.
 * Rule 2: a board becomes a VTXO once its transaction is deep enough and the server has taken note.
 * @module
 */
import { assert } from "../../core/assert.ts";
import * as books from "./books.ts";
import { heightOf, seenAt, submit } from "./chain.ts";
import * as exits from "./exits.ts";
import { look, reach } from "./link.ts";
import * as mail from "./mail.ts";
import { hashOf } from "./marks.ts";
import * as refresh from "./refresh.ts";
import { mint } from "./server.ts";
import {
  no, said, type Barkd, type Board, type Said, type Wallet, type World,
} from "./state.ts";

/** The wallet looks at its own funds on the chain. */
export function onchain(w: World, b: Barkd, wallet: Wallet): Said<undefined> {
  const view = look(w, b);
  if (!view.ok) return view;
  books.seeDeposits(w, wallet, view.value);
  return said(undefined, view.afterMs);
}

/** The rates of the day. */
export function rates(w: World, b: Barkd, wallet: Wallet): Said<undefined> {
  const view = look(w, b);
  if (!view.ok) return view;
  wallet.rate = w.rate;
  return said(undefined, view.afterMs);
}

/** Boards go one step on; what cannot be done now is left for the next time. */
export function boards(w: World, b: Barkd, wallet: Wallet): Said<undefined> {
  if (wallet.boards.size === 0) return said(undefined, w.config.localMs);
  const view = look(w, b);
  const reached = reach(w, b);
  const afterMs = view.afterMs + reached.afterMs;
  if (!view.ok || !reached.ok) return said(undefined, afterMs);
  for (const board of [...wallet.boards.values()]) {
    const height = seenAt(w.chain, view.value, board.txid);
    const depth = height === undefined ? 0 : view.value.height - height + 1;
    if (depth >= w.config.server.boardConfirmations) registered(w, b, wallet, board);
  }
  return said(undefined, afterMs);
}

function registered(w: World, b: Barkd, wallet: Wallet, board: Board): void {
  const held = wallet.vtxos.get(board.vtxo);
  assert(held !== undefined, "a board has its VTXO");
  if (held.state === "locked") held.state = "spendable";
  held.lockedBy = undefined;
  wallet.boards.delete(board.txid);
  books.conclude(w, b, wallet, board.movement, "successful");
}

/** Takes funds from the chain into the Ark. */
export function board(
  w: World, b: Barkd, wallet: Wallet, amountSat: bigint,
): Said<Board> {
  const view = look(w, b);
  if (!view.ok) return view;
  const reached = reach(w, b);
  if (!reached.ok) return reached;
  const afterMs = view.afterMs + reached.afterMs;
  const feeSat = BigInt(w.config.claimVb * wallet.rate);
  if (amountSat < w.config.server.dustSat || books.fundsSat(wallet) < amountSat + feeSat) {
    return no("bad", "not enough funds on the chain", [], afterMs);
  }
  const txid = hashOf(w.key, "board", b.name, wallet.nextId);
  const sent = submit(w.chain, { txid, takes: [], needs: [], fromHeight: 0, rate: wallet.rate });
  assert(sent === "taken", "a board is new");
  wallet.spentSat += amountSat;
  books.payFee(wallet, feeSat);
  const expiryHeight = heightOf(w.chain) + w.config.server.lifetimeBlocks;
  const coin = mint(w.server, { owner: b.name, amountSat, expiryHeight, exitDepth: 1, txid });
  books.take(wallet, coin, "locked");
  const movement = books.record(w, b, wallet, {
    what: "board", status: "pending", inputs: [], outputs: [coin.id], effectSat: amountSat, feeSat,
  });
  const made: Board = { txid, amountSat, movement, vtxo: coin.id };
  wallet.vtxos.get(coin.id)!.lockedBy = movement;
  wallet.boards.set(txid, made);
  return said(made, afterMs);
}

/** All of it; nothing is said of what went wrong. How long it took. */
export function all(w: World, b: Barkd, wallet: Wallet): number {
  const steps = [rates, mail.read, refresh.sync, boards, onchain];
  let afterMs = w.config.localMs;
  for (const step of steps) {
    const done = step(w, b, wallet);
    // They run side by side: the slowest counts.
    if (done.afterMs > afterMs) afterMs = done.afterMs;
  }
  return afterMs;
}

/** One pass of the program's own daemon. */
export function pass(w: World, b: Barkd, wallet: Wallet): void {
  all(w, b, wallet);
  exits.progress(w, b, wallet);
}
