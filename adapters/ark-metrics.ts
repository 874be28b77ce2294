/**
 * The snapshot of Ark wallets as Prometheus metrics.
 *
 * Rule 1: filled on scrape from the same snapshot that /status serves; nothing is counted here.
 * Rule 2: labels come from the core's closed lists, and from the names that the operator gave his
 * wallets. No VTXO, server or fingerprint is ever a label.
 * Rule 3: no amount is told: metrics are kept for years, often by others. They are on the status
 * page.
 * Rule 4: what is not known is `NaN`, so that no alarm takes it for nothing.
 * @module
 */
import type { Gauge, Registry } from "prom-client";
import { processNames, walletNames } from "../core/ark/degraded.ts";
import { stages } from "../core/ark/expiry.ts";
import { capabilities } from "../core/ark/facts.ts";
import type { Status, WalletStatus } from "../core/ark/status.ts";
import * as registries from "./registry.ts";
import { gauge } from "./registry.ts";
import { filler, type Metrics, plainOf, seconds, type Tables } from "./snapshot-metrics.ts";

const levels: Tables<Status>["levels"] = [
  ["dw_ark_uptime_seconds", "Time since the daemon started.", (s) => s.uptimeMs / 1_000],
  ["dw_ark_draining", "1 while the daemon is stopping.", (s) => Number(s.phase === "draining")],
  ["dw_ark_wallets", "Configured wallets.", (s) => s.total],
  ["dw_ark_wallets_well", "Wallets about which nothing is wrong.", (s) => s.up],
  ["dw_ark_intents_open", "Refreshes, exits and claims that are asked for and not done.",
    (s) => s.wallets.reduce((sum, { intents }) => sum + intents.length, 0)],
  ["dw_ark_journal_ready", "1 while records become durable.",
    (s) => Number(s.journal.isReady && s.journal.failingMs === null)],
  ["dw_ark_journal_records", "Records in the journal.", (s) => s.journal.records],
  ["dw_ark_journal_bytes", "Size of the journal.", (s) => s.journal.bytes],
  ["dw_ark_journal_waiting", "Records that wait to be written.", (s) => s.journal.waiting],
  ["dw_ark_notices_waiting", "Notices that wait to be sent, for all targets.",
    (s) => s.notices.targets.reduce((sum, { waiting }) => sum + waiting, 0)],
  ["dw_ark_notice_targets_failing", "Targets that do not take notices.",
    (s) => s.notices.targets.filter(({ failures }) => failures > 0).length],
  ["dw_ark_calls_under_way", "Calls to wallets without an answer yet.", (s) => s.underWay.calls],
  ["dw_ark_calls_held", "Calls and subscriptions that wait for their turn.",
    (s) => s.underWay.held],
  ["dw_ark_streams", "Streams of round events.", (s) => s.underWay.streams],
];

/** Gauges over all wallets. */
const states: Tables<Status>["states"] = [
  ["dw_ark_degraded", "1 while the daemon is in this degraded state.", "state",
    (s) => Object.fromEntries(processNames.map((name) => (
      [name, Number(s.degraded.some((one) => one.name === name))]
    )))],
  ["dw_ark_wallets_degraded", "Wallets in this degraded state.", "state",
    (s) => Object.fromEntries(walletNames.map((name) => (
      [name, s.wallets.filter((w) => w.degraded.some((one) => one.name === name)).length]
    )))],
  ["dw_ark_vtxos", "VTXOs by how near they are to their expiry.", "stage",
    (s) => Object.fromEntries(stages.map((stage) => (
      [stage, sum(s, (w) => w.stages.find((one) => one.stage === stage)?.vtxos ?? 0)]
    )))],
  ["dw_ark_wallets_up", "Wallets of which this is reached.", "capability",
    (s) => Object.fromEntries(capabilities.map((name) => (
      [name, sum(s, (w) => Number(w.facts.find(({ of }) => of === name)?.state === "up"))]
    )))],
];

const byReason: Tables<Status>["byReason"] = [
  ["dw_ark_intents_total", "Refreshes, exits and claims that came to an end, by outcome.",
    "outcome", (s) => ({
      success: sum(s, (w) => w.outcomes.success), rejected: sum(s, (w) => w.outcomes.rejected),
      superseded: sum(s, (w) => w.outcomes.superseded),
    })],
  ["dw_ark_notices_lost_total", "Notices that will not arrive, by reason.", "reason",
    (s) => s.notices.counts.lost],
];

const totals: Tables<Status>["totals"] = [
  ["dw_ark", (s) => s.counts],
  ["dw_ark_notices", (s) => plainOf(s.notices.counts)],
];

type Own = readonly [name: string, help: string, read: (wallet: WalletStatus) => number];

/** Gauges of one wallet. */
const ofWallet: readonly Own[] = [
  ["dw_ark_wallet_troubles", "Degraded states that hold.", (w) => w.degraded.length],
  ["dw_ark_wallet_connected", "1 while the Ark server may be asked for work.",
    (w) => Number(w.isConnected)],
  ["dw_ark_wallet_tip_height", "Height at worst.", (w) => w.tip.height ?? Number.NaN],
  ["dw_ark_wallet_seen_age_seconds", "Since the coins were seen.", (w) => seconds(w.seenMs)],
  ["dw_ark_wallet_vtxos", "VTXOs.", (w) => w.vtxos],
  ["dw_ark_wallet_expiry_blocks", "Blocks to the next expiry, at worst.",
    (w) => w.nextExpiry?.blocksLeft ?? Number.NaN],
  ["dw_ark_wallet_expiry_seconds", "Time to the next expiry, at worst.",
    (w) => seconds(w.nextExpiry?.leftMs ?? null)],
  ["dw_ark_wallet_exits", "Exits that the wallet lists.",
    (w) => w.exits.reduce((total, { count }) => total + count, 0)],
  ["dw_ark_wallet_exit_fundable", "1 while an exit of what is due can be paid.",
    (w) => (w.fee === null ? Number.NaN : Number(w.fee.isFundable))],
  ["dw_ark_wallet_program_running", "1 while its program, which is run here, runs.",
    (w) => (w.program === null ? Number.NaN : Number(w.program.upMs !== null))],
  ["dw_ark_wallet_program_restarts", "Starts of its program after the first.",
    (w) => w.program?.restarts ?? Number.NaN],
  ["dw_ark_wallet_failures_max", "Failures in a row of the worst lane.",
    (w) => w.lanes.reduce((most, { failures }) => Math.max(most, failures), 0)],
];

function sum({ wallets }: Status, read: (wallet: WalletStatus) => number): number {
  return wallets.reduce((total, wallet) => total + read(wallet), 0);
}

/** Creates the registry, with the metrics of the process itself. */
export function create(version: string): Metrics<Status> {
  const registry = registries.create("dw_ark_build_info", version);
  const fillAll = filler(registry, { who: "daemon", levels, states, byReason, totals });
  const fillWallets = walletFiller(registry);
  const text: Metrics<Status>["text"] = async (status) => {
    fillAll(status);
    fillWallets(status.wallets);
    return registry.metrics();
  };
  return { contentType: registry.contentType, text };
}

function walletFiller(registry: Registry): (wallets: readonly WalletStatus[]) => void {
  const own = ofWallet.map(([name, help, read]) => (
    { metric: gauge(registry, name, help, ["wallet"]), read }
  ));
  const lanes: Gauge = gauge(
    registry, "dw_ark_wallet_lane_age_seconds", "Since a lane's call last succeeded.",
    ["wallet", "lane"],
  );
  return (wallets) => {
    for (const wallet of wallets) {
      const { name } = wallet;
      for (const { metric, read } of own) metric.set({ wallet: name }, read(wallet));
      for (const { lane, okMs } of wallet.lanes) lanes.set({ wallet: name, lane }, seconds(okMs));
    }
  };
}
