/**
 * One notice of every kind, and letters, for tests.
 * @module
 */
import type { ArkKind, ArkNotice } from "../../core/notify/ark.ts";
import type { ArkLifeKind } from "../../core/notify/ark-life.ts";
import type { Letter } from "../../core/notify/letter.ts";
import type { Kind, Notice, Summary } from "../../core/notify/notice.ts";
import { mono } from "../../core/time.ts";

export const txid = "ab".repeat(32);
export const nick = "J5Nick0123456789";

export const summary: Summary = {
  requests: 4, successful: 3, failed: 1, feesSat: 1_234n, volumeSat: 987_654_321n,
  successfulVolumeSat: 123_456_789n, disclosed: 9, balanceSat: 55_555_555n, coins: 12,
  connected: 7, directories: 8,
};

const wallet = "savings";
export const vtxo = `${"cd".repeat(32)}:0`;

const arkSamples: { readonly [K in ArkKind]: ArkNotice & { readonly kind: K } } = {
  "ark-expiry": {
    kind: "ark-expiry", wallet, stage: "failing", lead: vtxo, count: 3, amountSat: 5_432_100n,
    expiryHeight: 900_144, blocksLeft: 90, leftMs: 43_200_000, nth: 1, isEstimate: true,
  },
  "ark-expiry-over": { kind: "ark-expiry-over", wallet },
  "ark-tip-doubted": {
    kind: "ark-tip-doubted", wallet, height: 990_000, expected: 900_000, affected: 3,
  },
  "ark-tip-missing": { kind: "ark-tip-missing", wallet, count: 3, blindMs: 1_800_000 },
  "ark-refresh-rejected": {
    kind: "ark-refresh-rejected", wallet, lead: vtxo, count: 3, amountSat: 5_432_100n,
    why: "refused",
    restMs: 21_600_000,
  },
  "ark-exit-needed": {
    kind: "ark-exit-needed", wallet, lead: vtxo, count: 3, amountSat: 5_432_100n, blocksLeft: 40,
    why: "not-allowed",
  },
  "ark-exit-unfundable": { kind: "ark-exit-unfundable", wallet, count: 3, feeSat: 5_432_100n },
  "ark-exit-fundable": { kind: "ark-exit-fundable", wallet },
  "ark-exit-started": {
    kind: "ark-exit-started", wallet, intent: 7, count: 3, amountSat: 5_432_100n,
  },
  "ark-exit-claimed": {
    kind: "ark-exit-claimed", wallet, intent: 8, count: 3, amountSat: 5_432_100n,
  },
  "ark-exit-stuck": {
    kind: "ark-exit-stuck", wallet, lead: vtxo, count: 3, state: "processing", stuckMs: 21_600_000,
  },
  "ark-exit-claimable": {
    kind: "ark-exit-claimable", wallet, lead: vtxo, count: 3, why: "no-destination",
  },
};

const arkLifeSamples: { readonly [K in ArkLifeKind]: Notice & { readonly kind: K } } = {
  "ark-started": { kind: "ark-started", wallets: 3, version: "1.2.3" },
  "ark-way-down": { kind: "ark-way-down", wallet, way: "server", why: "server-down" },
  "ark-way-up": { kind: "ark-way-up", wallet, way: "server", awayMs: 61_000 },
  "ark-server-key": { kind: "ark-server-key", wallet },
  "ark-lane-stuck": {
    kind: "ark-lane-stuck", wallet, lane: "sync", op: "sync-onchain", ranMs: 3_600_000,
  },
  "ark-lane-behind": { kind: "ark-lane-behind", wallet, lane: "sync", forMs: 900_000 },
  "ark-lane-good": { kind: "ark-lane-good", wallet, lane: "sync" },
  "ark-mail-stuck": { kind: "ark-mail-stuck", wallet, reads: 5 },
  "ark-unseen": { kind: "ark-unseen", wallet, forMs: 900_000 },
  "ark-seen": { kind: "ark-seen", wallet, forMs: 960_000 },
  "ark-program-crashing": {
    kind: "ark-program-crashing", wallet, runs: 3, how: "exit code 1",
  },
  "ark-program-steady": { kind: "ark-program-steady", wallet, loopedMs: 960_000 },
  "ark-server-down": {
    kind: "ark-server-down", server: "https://ark.example:443", wallet, count: 9, total: 12,
    why: "server-down",
  },
  "ark-server-up": {
    kind: "ark-server-up", server: "https://ark.example:443", awayMs: 960_000,
  },
  "ark-network": { kind: "ark-network", wallet, network: "bitcoin", expected: "signet" },
  "ark-exchanged": { kind: "ark-exchanged", wallet },
};

/** Every kind once; the compiler sees that none is missing. */
export const samples: { readonly [K in Kind]: Notice & { readonly kind: K } } = {
  "started": { kind: "started", nick, version: "1.2.3", network: "signet" },
  "stopping": { kind: "stopping", why: "asked-to" },
  "directory-lost": { kind: "directory-lost", directory: "d.onion:5222", connected: 2, total: 3 },
  "directory-back": { kind: "directory-back", directory: "d.onion:5222", connected: 3, total: 3 },
  "all-down": { kind: "all-down", total: 3 },
  "all-back": { kind: "all-back", connected: 1, total: 3, downMs: 125_000 },
  "coins-changed": { kind: "coins-changed", balanceSat: 55_555_555n, coins: 12 },
  "offers-changed": {
    kind: "offers-changed", offers: 2, minSat: 27_300n, maxSat: 44_444_444n, why: "coins",
  },
  "tx-seen": { kind: "tx-seen", txid, amountSat: 5_432_100n },
  "tx-confirmed": { kind: "tx-confirmed", txid, amountSat: 5_432_100n, confirmations: 1 },
  "tx-warned": {
    kind: "tx-warned", ref: "e7", txid: undefined, amountSat: 5_432_100n, unseenMs: 1_800_000,
  },
  "tx-given-up": {
    kind: "tx-given-up", ref: "e7", txid, amountSat: 5_432_100n, unseenMs: 3_600_000,
    why: "not-found",
  },
  "tx-back": { kind: "tx-back", ref: "e7", txid, amountSat: 5_432_100n },
  "peer-banned": {
    kind: "peer-banned", peer: "p1", nick, violations: 100, banMs: 3_600_000,
  },
  "backend-down": { kind: "backend-down", backend: "bitcoind", why: "refused" },
  "backend-up": { kind: "backend-up", backend: "bitcoind", downMs: 61_000 },
  "disk-failing": { kind: "disk-failing", why: "full" },
  "disk-recovered": { kind: "disk-recovered", failures: 4 },
  "tor-down": { kind: "tor-down", why: "refused" },
  "tor-up": { kind: "tor-up", downMs: 61_000 },
  "onion-down": { kind: "onion-down", why: "timeout" },
  "onion-up": { kind: "onion-up", downMs: 61_000 },
  "summary": { kind: "summary", seq: 3, label: "Daily", summary, update: "1.3.0" },
  "update-available": { kind: "update-available", version: "1.3.0", current: "1.2.3" },
  "degraded-entered": { kind: "degraded-entered", state: "no-backend", why: "refused" },
  "degraded-left": { kind: "degraded-left", state: "no-backend", degradedMs: 61_000 },
  "suppressed": { kind: "suppressed", count: 17 },
  "test": { kind: "test" },
  ...arkSamples, ...arkLifeSamples,
};

/** A letter of which only the given fields matter. */
export function letter(fields: Partial<Letter> = {}): Letter {
  return {
    id: 1, kind: "test", priority: "normal", nature: "each", subject: "test", state: "test",
    title: "Title", body: "Body", unixMs: 1_763_780_000_000, toldAt: mono(0), token: 0,
    isRecorded: true, isOld: false, ...fields,
  };
}
