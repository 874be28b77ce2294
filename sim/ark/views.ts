/**
 * What barkd writes: the members of its replies, in their order, amounts as whole satoshis.
 * @module
 */
import { numeral, write, type Members, type Value } from "../chain/json.ts";
import { fundsSat, coinOf, heldSat } from "./books.ts";
import { blockAt, placeOf, type View } from "./chain.ts";
import * as exits from "./exits.ts";
import { dateOf, hashOf, pubkeyOf, spanOf } from "./marks.ts";
import { exitTxids } from "./server.ts";
import type {
  Barkd, Board, Exit, ExitStage, Held, Info, Movement, News, RoundWork, Wallet, World,
} from "./state.ts";

function sat(amount: bigint): Value {
  return numeral(String(amount));
}

export function vtxoView(w: World, { id, state, lockedBy }: Held): Members {
  const coin = coinOf(w, id);
  const locked: Members = lockedBy === undefined ? {} : { movement_id: lockedBy };
  return {
    id, amount_sat: sat(coin.amountSat), policy_type: "pubkey",
    user_pubkey: pubkeyOf(w.key, "user", coin.owner, id), server_pubkey: coin.serverPubkey,
    expiry_height: coin.expiryHeight, exit_delta: w.config.server.exitDeltaBlocks,
    exit_depth: coin.exitDepth, chain_anchor: coin.anchor, state: { type: state, ...locked },
  };
}

/** `undefined` for exits: not known while they are at work. */
export function balanceView(w: World, b: Barkd, wallet: Wallet): Members {
  const isBusy = b.exitsBusyUntilMs > w.nowMs;
  let exitSat = 0n;
  for (const exit of wallet.exits.values()) {
    if (!exits.isOver(exit)) exitSat += coinOf(w, exit.vtxo).amountSat;
  }
  const boardSat = sum([...wallet.boards.values()].map(({ amountSat }) => amountSat));
  return {
    spendable_sat: sat(heldSat(w, wallet, ["spendable"])), pending_lightning_send_sat: 0,
    claimable_lightning_receive_sat: 0, pending_in_round_sat: sat(inRoundSat(w, wallet)),
    pending_board_sat: sat(boardSat), pending_exit_sat: isBusy ? null : sat(exitSat),
  };
}

/** Of VTXOs that an interactive round holds; boards are locked too, and are no round. */
export function inRoundSat(w: World, wallet: Wallet): bigint {
  const boards = sum([...wallet.boards.values()].map(({ amountSat }) => amountSat));
  return heldSat(w, wallet, ["locked"]) - boards;
}

export function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, one) => total + one, 0n);
}

export function infoView(w: World, info: Info): Members {
  const { config } = w.server;
  const ppm = [{ expiry_blocks_threshold: 0, ppm: sat(info.refreshPpm) }];
  const base = info.hasFees ? info.refreshFeeSat : 21_000_000_0000_0000n;
  return {
    network: info.network, server_pubkey: info.serverPubkey, mailbox_pubkey: info.mailboxPubkey,
    round_interval: spanOf(config.roundMs), nb_round_nonces: 8,
    vtxo_exit_delta: config.exitDeltaBlocks, vtxo_expiry_delta: config.lifetimeBlocks,
    vtxo_lifetime: config.lifetimeBlocks, htlc_send_expiry_delta: 258, htlc_expiry_delta: 6,
    max_vtxo_amount: 10_000_000_000, required_board_confirmations: config.boardConfirmations,
    max_user_invoice_cltv_delta: 250, min_board_amount_sat: 20_000,
    offboard_feerate_sat_per_kvb: 1_000, ln_receive_anti_dos_required: false,
    fees: {
      board: { min_fee_sat: 0, base_fee_sat: 0, ppm: 0 },
      offboard: { base_fee_sat: 0, fixed_additional_vb: 100, ppm_expiry_table: ppm },
      refresh: { base_fee_sat: sat(base), ppm_expiry_table: ppm },
      lightning_receive: { base_fee_sat: 0, ppm: 0 },
      lightning_send: { min_fee_sat: 0, base_fee_sat: 0, ppm_expiry_table: ppm },
    },
    max_vtxo_exit_depth: config.maxExitDepth, max_offboard_inputs: 100, tos_link: null,
  };
}

/** The height that is in a stage, and a block that was there. */
function blockRef(w: World, height: number): Members {
  const hash = blockAt(w.chain, height)?.hash ?? hashOf(w.key, "no block", height);
  return { height, hash };
}

export function stageView(w: World, exit: Exit, stage: ExitStage, view: View): Members {
  const tip_height = view.height;
  switch (stage.at) {
    case "start": case "canceled": return { type: stage.at, tip_height };
    case "already-spent": return { type: "vtxo-already-spent", tip_height };
    case "processing":
      return { type: "processing", tip_height, transactions: transactionViews(w, exit) };
    case "awaiting-delta":
      return {
        type: "awaiting-delta", tip_height, confirmed_block: blockRef(w, stage.confirmedAt),
        claimable_height: stage.claimableAt,
      };
    case "claimable":
      return {
        type: "claimable", tip_height, claimable_since: blockRef(w, stage.since),
        last_scanned_block: null,
      };
    case "claim-in-progress":
      return {
        type: "claim-in-progress", tip_height, claimable_since: blockRef(w, stage.since),
        claim_txid: stage.txid,
      };
    case "claimed":
      return { type: "claimed", tip_height, txid: stage.txid, block: blockRef(w, stage.height) };
  }
}

function transactionViews(w: World, exit: Exit): readonly Members[] {
  const txids = exitTxids(coinOf(w, exit.vtxo));
  return txids.map((txid, at) => ({ txid, status: statusView(w, txid, txids[at - 1]) }));
}

function statusView(w: World, txid: string, parent: string | undefined): Members {
  const child_txid = hashOf(w.key, "child", txid);
  const height = placeOf(w.chain, txid);
  if (height !== undefined) {
    const block = blockRef(w, height);
    return { type: "confirmed", child_txid, block, origin: { type: "block", confirmed_in: block } };
  }
  if (w.chain.pool.has(txid)) {
    return {
      type: "awaiting-confirmation", child_txid, origin: { type: "wallet", confirmed_in: null },
    };
  }
  return parent === undefined || placeOf(w.chain, parent) !== undefined
    ? { type: "awaiting-cpfp-broadcast" }
    : { type: "awaiting-input-confirmation", txids: [parent] };
}

export type Wanted = { readonly history: boolean; readonly transactions: boolean };

export function exitView(w: World, exit: Exit, view: View, wanted: Wanted): Members {
  const history = exit.history.map((stage) => stageView(w, exit, stage, view));
  const transactions = exitTxids(coinOf(w, exit.vtxo)).map((txid) => (
    { exit: { txid, tx: `0200000000${txid}` }, child: null }
  ));
  return {
    vtxo_id: exit.vtxo, state: stageView(w, exit, exit.stage, view),
    history: wanted.history ? history : null,
    transactions: wanted.transactions ? transactions : undefined,
  };
}

/** When all exits can be claimed; `undefined`: that is not known of one of them. */
export function claimableHeight(live: readonly Exit[]): number | undefined {
  let highest: number | undefined;
  for (const { stage } of live) {
    const height = stage.at === "awaiting-delta" ? stage.claimableAt
      : stage.at === "claimable" ? stage.since : undefined;
    if (height === undefined && !isPast(stage)) return undefined;
    if (height !== undefined && (highest === undefined || height > highest)) highest = height;
  }
  return highest;
}

function isPast(stage: ExitStage): boolean {
  return ["claim-in-progress", "claimed", "canceled", "already-spent"].includes(stage.at);
}

/** Are all of them out on the chain, and claimable? */
export function isAllDone(live: readonly Exit[]): boolean {
  return live.every(({ stage }) => stage.at === "claimable" || isPast(stage));
}

export function progressView(w: World, live: readonly Exit[], view: View): Members {
  return {
    exits: live.map((exit) => ({
      vtxo_id: exit.vtxo, state: stageView(w, exit, exit.stage, view), error: errorView(w, exit),
    })),
    done: isAllDone(live), claimable_height: claimableHeight(live) ?? null, error: null,
  };
}

function errorView(w: World, exit: Exit): Value {
  if (!exit.isShort) return null;
  const needed = w.config.exitVb * w.rate;
  return { type: "insufficient-confirmed-funds", needed, available: 0 };
}

export function costView(cost: exits.Cost): Members {
  return {
    exit_broadcast_fee_sat: sat(cost.broadcastSat), claim_fee_sat: sat(cost.claimSat),
    total_fee_sat: sat(cost.broadcastSat + cost.claimSat), fee_rate_sat_per_vb: cost.rate,
    txs_to_broadcast: cost.txs, fundable: cost.isFundable,
  };
}

/** Does the transaction of this round stand in a block? */
export function isConfirmed(w: World, work: RoundWork): boolean {
  const { txid } = w.server.participations.get(work.participation)!;
  return txid !== undefined && placeOf(w.chain, txid) !== undefined;
}

export function roundView(w: World, work: RoundWork): Members {
  const one = w.server.participations.get(work.participation)!;
  const status: Members = one.status === "gone" ? { status: "failed", error: "not found" }
    : one.txid === undefined ? { status: "pending" }
      : { status: isConfirmed(w, work) ? "confirmed" : "unconfirmed", funding_txid: one.txid };
  const output = {
    amount_sat: sat(one.outputSat), policy_type: "pubkey",
    user_pubkey: pubkeyOf(w.key, "user", one.owner, one.id),
  };
  return {
    id: work.id, status, participation: { inputs: work.inputs, outputs: [output] },
    unlock_hash: work.isDelegated ? one.id : null, funding_txid: one.txid ?? null,
    funding_tx_hex: null,
  };
}

export function boardView(board: Board): Members {
  return {
    funding_tx: { txid: board.txid, tx: `0200000000${board.txid}` }, vtxos: [board.vtxo],
    amount_sat: sat(board.amountSat), movement_id: board.movement,
  };
}

export function onchainView(wallet: Wallet): Members {
  const held = sat(fundsSat(wallet));
  return {
    total_sat: held, trusted_spendable_sat: held, immature_sat: 0, trusted_pending_sat: 0,
    untrusted_pending_sat: 0, confirmed_sat: held,
  };
}

const kinds: { readonly [what in Movement["what"]]: readonly [string, string] } = {
  refresh: ["round", "refresh"], board: ["board", "board"], receive: ["arkoor", "receive"],
  exit: ["exit", "start"], deposit: ["onchain", "receive"],
};

export function movementView(one: Movement): Members {
  const [name, kind] = kinds[one.what];
  const isOpen = one.status === "pending";
  return {
    id: one.id, status: one.status, subsystem: { name, kind }, metadata: null,
    intended_balance_sat: sat(one.effectSat), effective_balance_sat: sat(one.effectSat),
    offchain_fee_sat: sat(one.feeSat), sent_to: [], received_on: [], input_vtxos: one.inputs,
    output_vtxos: one.outputs, exited_vtxos: one.what === "exit" ? one.inputs : [],
    time: {
      created_at: dateOf(one.atMs), updated_at: dateOf(one.updatedMs),
      completed_at: isOpen ? null : dateOf(one.updatedMs),
    },
  };
}

/** The answer to who waited for news. */
export function newsBody(found: readonly News[], last: string | undefined): string {
  const notifications = found.map(({ kind, movement }) => (
    movement === undefined ? { type: kind } : { type: kind, movement: movementView(movement) }
  ));
  return write({ notifications, last_pushed_at: last ?? null });
}
