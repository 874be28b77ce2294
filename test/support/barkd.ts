/**
 * Replies as barkd's schema describes them, made up, for the tests of whoever reads them.
 * @module
 */
import type { Op } from "../../core/ark/wallet.ts";

export const idA = `${"a1".repeat(32)}:0`;
export const idB = `${"b2".repeat(32)}:1`;
export const idC = `${"c3".repeat(32)}:4294967295`;
const block = { height: 812_000, hash: "0d".repeat(32) };

export const vtxo = {
  id: idA, amount_sat: 250_000, policy_type: "pubkey", user_pubkey: `02${"4a".repeat(32)}`,
  server_pubkey: `03${"5b".repeat(32)}`, expiry_height: 815_000, exit_delta: 144, exit_depth: 3,
  chain_anchor: `${"6c".repeat(32)}:2`, state: { type: "spendable" },
} as const;

export const arkInfo = {
  network: "regtest", server_pubkey: `03${"5b".repeat(32)}`,
  mailbox_pubkey: `02${"7d".repeat(32)}`, round_interval: "1h 5m", nb_round_nonces: 8,
  vtxo_exit_delta: 144, vtxo_expiry_delta: 4_320, vtxo_lifetime: 4_320,
  htlc_send_expiry_delta: 258, htlc_expiry_delta: 40, max_vtxo_amount: null,
  required_board_confirmations: 3, max_user_invoice_cltv_delta: 250, min_board_amount_sat: 20_000,
  offboard_feerate_sat_per_kvb: 3_000, ln_receive_anti_dos_required: false,
  fees: { refresh: { base_fee_sat: 0, ppm_expiry_table: [{ ppm: 2 }] } },
  max_vtxo_exit_depth: 5, max_offboard_inputs: 10,
} as const;

export const balance = {
  spendable_sat: 2_100_000_000_000_000, pending_lightning_send_sat: 1,
  claimable_lightning_receive_sat: 2, pending_in_round_sat: 3, pending_board_sat: 4,
  pending_exit_sat: null,
} as const;

export const exits = [
  { vtxo_id: idA, state: { type: "processing", tip_height: 812_001, transactions: [] } },
  {
    vtxo_id: idB, transactions: [],
    state: {
      type: "awaiting-delta", tip_height: 812_001, confirmed_block: block,
      claimable_height: 812_144,
    },
  },
  {
    vtxo_id: idC, history: null,
    state: { type: "claimable", tip_height: 812_200, claimable_since: block },
  },
] as const;

export const round = {
  id: 7, status: { status: "pending" }, unlock_hash: "ee".repeat(32), funding_txid: null,
  participation: { inputs: [idB, idA], outputs: [{ amount_sat: 500_000 }] },
} as const;

/** A call and a good reply to it. */
export const goods: readonly (readonly [Op, unknown])[] = [
  [{ op: "identity" }, { fingerprint: "9f8e7d6c" }],
  [{ op: "probe" }, { start_time: "2026-08-22T18:30:00.5+02:00" }],
  [{ op: "ark-info" }, arkInfo],
  [{ op: "tip" }, { tip_height: 812_001 }],
  [{ op: "vtxos" }, [vtxo, { ...vtxo, id: idB, state: { type: "locked", movement_id: 3 } }]],
  [{ op: "balance" }, balance],
  [{ op: "exits" }, exits],
  [{ op: "pending" }, [
    { id: 9, status: "pending", input_vtxos: [idB, idA], metadata: null },
    { id: 8, status: "failed", input_vtxos: [idA] }, { id: 7, status: "successful" },
  ]],
  [{ op: "exit-fee", vtxos: [idA] }, {
    exit_broadcast_fee_sat: 900, claim_fee_sat: 100, total_fee_sat: 1_000,
    fee_rate_sat_per_vb: 2.5, txs_to_broadcast: 4, fundable: false,
  }],
  [{ op: "notifications", since: undefined }, {
    notifications: [
      { type: "movement-created", movement: { id: 1, metadata: { deep: [[[1]]] } } },
      { type: "channel-lagging" }, { type: "wallet-moved-house" },
    ],
    last_pushed_at: "2026-08-22T16:30:00.123456789Z",
  }],
  [{ op: "sync-mailbox" }, { checkpoint: 1_755_880_200_123_456 }],
  [{ op: "progress-exits" }, {
    done: false, claimable_height: 812_144,
    exits: [{ ...exits[0], error: { type: "insufficient-confirmed-funds" } }],
  }],
  [{ op: "refresh", vtxos: [idA, idB] }, round],
  [{ op: "exit", vtxos: [idA] }, { message: "begun" }],
  [{ op: "claim", vtxos: [idA], destination: "bcrt1qclaims" }, { message: "claimed" }],
];
