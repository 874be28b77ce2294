/**
 * The shapes of barkd's replies, version 0.6.0: names, types and what must be there. Strict: a
 * member that is not named here is wrong.
 * @module
 */
import { z } from "zod";

const count = z.int().min(0);
const optional = <T extends z.ZodType>(inner: T): z.ZodOptional<z.ZodNullable<T>> => (
  inner.nullable().optional()
);
const date = z.iso.datetime({ offset: true });
const text = z.string();
const ids = z.array(text);

export const problem = z.strictObject({ message: text });
export const notFound = z.strictObject({ message: text, resources: ids });

const ppmTable = z.array(z.strictObject({ expiry_blocks_threshold: count, ppm: count }));
const fees = z.strictObject({
  board: z.strictObject({ min_fee_sat: count, base_fee_sat: count, ppm: count }),
  offboard: z.strictObject({
    base_fee_sat: count, fixed_additional_vb: count, ppm_expiry_table: ppmTable,
  }),
  refresh: z.strictObject({ base_fee_sat: count, ppm_expiry_table: ppmTable }),
  lightning_receive: z.strictObject({ base_fee_sat: count, ppm: count }),
  lightning_send: z.strictObject({
    min_fee_sat: count, base_fee_sat: count, ppm_expiry_table: ppmTable,
  }),
});

export const arkInfo = z.strictObject({
  network: text, server_pubkey: text, mailbox_pubkey: text, round_interval: text,
  nb_round_nonces: count, vtxo_exit_delta: count, vtxo_expiry_delta: count,
  vtxo_lifetime: count.optional(), htlc_send_expiry_delta: count, htlc_expiry_delta: count,
  max_vtxo_amount: count, required_board_confirmations: count, max_user_invoice_cltv_delta: count,
  min_board_amount_sat: count, offboard_feerate_sat_per_kvb: count,
  ln_receive_anti_dos_required: z.boolean(), fees, max_vtxo_exit_depth: count,
  max_offboard_inputs: count, tos_link: optional(text),
});

const vtxoState = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("spendable") }), z.strictObject({ type: z.literal("spent") }),
  z.strictObject({ type: z.literal("exited") }),
  z.strictObject({
    type: z.literal("locked"), action_id: text.optional(), movement_id: count.optional(),
  }),
]);

export const vtxo = z.strictObject({
  id: text, amount_sat: count, policy_type: text, user_pubkey: text, server_pubkey: text,
  expiry_height: count, exit_delta: count, exit_depth: optional(count), chain_anchor: text,
  state: vtxoState,
});

export const balance = z.strictObject({
  spendable_sat: count, pending_in_round_sat: count, pending_lightning_send_sat: count,
  claimable_lightning_receive_sat: count, pending_board_sat: count,
  pending_exit_sat: optional(count),
});

const blockRef = z.strictObject({ hash: text, height: count });
const origin = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("wallet"), confirmed_in: optional(blockRef) }),
  z.strictObject({ type: z.literal("mempool") }),
  z.strictObject({ type: z.literal("block"), confirmed_in: blockRef }),
]);
const exitTxStatus = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("verify-inputs") }),
  z.strictObject({ type: z.literal("awaiting-input-confirmation"), txids: ids }),
  z.strictObject({ type: z.literal("awaiting-cpfp-broadcast") }),
  z.strictObject({ type: z.literal("awaiting-confirmation"), child_txid: text, origin }),
  z.strictObject({ type: z.literal("confirmed"), child_txid: text, block: blockRef, origin }),
]);

export const exitState = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("start"), tip_height: count }),
  z.strictObject({
    type: z.literal("processing"), tip_height: count,
    transactions: z.array(z.strictObject({ txid: text, status: exitTxStatus })),
  }),
  z.strictObject({
    type: z.literal("awaiting-delta"), tip_height: count, confirmed_block: blockRef,
    claimable_height: count,
  }),
  z.strictObject({
    type: z.literal("claimable"), tip_height: count, claimable_since: blockRef,
    last_scanned_block: optional(blockRef),
  }),
  z.strictObject({
    type: z.literal("claim-in-progress"), tip_height: count, claimable_since: blockRef,
    claim_txid: text,
  }),
  z.strictObject({ type: z.literal("claimed"), tip_height: count, txid: text, block: blockRef }),
  z.strictObject({ type: z.literal("vtxo-already-spent"), tip_height: count }),
  z.strictObject({ type: z.literal("canceled"), tip_height: count }),
]);

const transaction = z.strictObject({ txid: text, tx: text });
const feeInfo = z.strictObject({ fee_rate_sat_per_kvb: count, total_fee_sat: count });

export const exitStatus = z.strictObject({
  vtxo_id: text, state: exitState, history: optional(z.array(exitState)),
  transactions: z.array(z.strictObject({
    exit: transaction,
    child: optional(z.strictObject({ info: transaction, origin, fee_info: optional(feeInfo) })),
  })).optional(),
});

/** Of its many kinds, the one that a wallet without funds has. */
const exitError = z.strictObject({
  type: z.literal("insufficient-confirmed-funds"), needed: count, available: count,
});

export const exitProgress = z.strictObject({
  exits: z.array(z.strictObject({
    vtxo_id: text, state: exitState, error: optional(exitError),
  })),
  done: z.boolean(), claimable_height: optional(count), error: optional(exitError),
});

export const exitFee = z.strictObject({
  exit_broadcast_fee_sat: count, claim_fee_sat: count, total_fee_sat: count,
  fee_rate_sat_per_vb: count, txs_to_broadcast: count, fundable: z.boolean(),
});

const roundStatus = z.discriminatedUnion("status", [
  z.strictObject({ status: z.literal("sync-error"), error: text }),
  z.strictObject({ status: z.literal("confirmed"), funding_txid: text }),
  z.strictObject({ status: z.literal("unconfirmed"), funding_txid: text }),
  z.strictObject({ status: z.literal("pending") }),
  z.strictObject({ status: z.literal("failed"), error: text }),
  z.strictObject({ status: z.literal("canceled") }),
]);

export const round = z.strictObject({
  id: count, status: roundStatus,
  participation: z.strictObject({
    inputs: ids,
    outputs: z.array(z.strictObject({ amount_sat: count, policy_type: text, user_pubkey: text })),
  }),
  unlock_hash: text.nullable(), funding_txid: text.nullable(), funding_tx_hex: optional(text),
});

export const board = z.strictObject({
  funding_tx: transaction, vtxos: ids, amount_sat: count, movement_id: count,
});

const methods = [
  "ark", "bitcoin", "output-script", "invoice", "offer", "lightning-address", "lnurl", "custom",
] as const;
const destination = z.strictObject({
  destination: z.strictObject({ type: z.enum(methods), value: text }), amount_sat: count,
});

export const movement = z.strictObject({
  id: count, status: z.enum(["pending", "successful", "failed", "canceled"]),
  subsystem: z.strictObject({ name: text, kind: text }),
  metadata: optional(z.looseObject({})), intended_balance_sat: z.int(),
  effective_balance_sat: z.int(), offchain_fee_sat: count, sent_to: z.array(destination),
  received_on: z.array(destination), input_vtxos: ids, output_vtxos: ids, exited_vtxos: ids,
  time: z.strictObject({ created_at: date, updated_at: date, completed_at: optional(date) }),
});

export const news = z.strictObject({
  notifications: z.array(z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("movement-created"), movement }),
    z.strictObject({ type: z.literal("movement-updated"), movement }),
    z.strictObject({ type: z.literal("channel-lagging") }),
  ])),
  last_pushed_at: optional(date),
});

export const onchainBalance = z.strictObject({
  total_sat: count, trusted_spendable_sat: count, immature_sat: count,
  trusted_pending_sat: count, untrusted_pending_sat: count, confirmed_sat: count,
});

/** Replies of status 200, by `METHOD /path`; `undefined`: no JSON. */
export const replies = new Map<string, z.ZodType | undefined>([
  ["GET /ping", undefined],
  ["GET /api/v1/wallet", z.strictObject({ fingerprint: optional(text) })],
  ["POST /api/v1/wallet", z.strictObject({ fingerprint: text })],
  ["POST /api/v1/wallet/create", z.strictObject({ fingerprint: text })],
  ["GET /api/v1/wallet/connected", z.strictObject({ connected: z.boolean() })],
  ["GET /api/v1/wallet/ark-info", arkInfo],
  ["GET /api/v1/wallet/next-round", z.strictObject({ start_time: date })],
  ["GET /api/v1/wallet/balance", balance],
  ["GET /api/v1/wallet/vtxos", z.array(vtxo)],
  ["GET /api/v1/wallet/vtxos/{}", vtxo],
  ["GET /api/v1/wallet/rounds", z.array(round)],
  ["GET /api/v1/history", z.array(movement)],
  ["GET /api/v1/bitcoin/tip", z.strictObject({ tip_height: count })],
  ["GET /api/v1/boards/pending", z.array(board)],
  ["POST /api/v1/boards/board-amount", board],
  ["GET /api/v1/onchain/balance", onchainBalance],
  ["GET /api/v1/fees/onchain", z.strictObject({
    fast_sat_per_vb: count, regular_sat_per_vb: count, slow_sat_per_vb: count,
  })],
  ["GET /api/v1/exits/status/all", z.array(exitStatus)],
  ["GET /api/v1/exits/status/live", z.array(exitStatus)],
  ["GET /api/v1/exits/status/finished", z.array(exitStatus)],
  ["GET /api/v1/exits/status/vtxo/{}", exitStatus],
  ["GET /api/v1/exits/status/{}", exitStatus],
  ["GET /api/v1/exits/fee", exitFee],
  ["GET /api/v1/notifications/wait", news],
  ["POST /api/v1/wallet/sync", undefined],
  ["POST /api/v1/wallet/sync/mailbox", z.strictObject({ checkpoint: count })],
  ["POST /api/v1/onchain/sync", undefined],
  ["POST /api/v1/wallet/refresh/delegated/vtxos", round],
  ["POST /api/v1/exits/start/vtxos", problem],
  ["POST /api/v1/exits/start/all", problem],
  ["POST /api/v1/exits/cancel/{}", problem],
  ["POST /api/v1/exits/progress", exitProgress],
  ["POST /api/v1/exits/claim/vtxos", problem],
  ["POST /api/v1/exits/claim/all", problem],
]);
