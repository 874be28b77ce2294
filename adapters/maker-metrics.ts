/**
 * The snapshot of a maker as Prometheus metrics.
 *
 * Rule 1: filled on scrape from the same snapshot that /status serves; nothing is counted here.
 * Rule 2: labels come from the core's closed lists (states, reasons). No nick, address, directory
 * or transaction is ever a label.
 * Rule 3: no amount is told: metrics are kept for years, often by others. They are on the status
 * page.
 * Rule 4: what is not known is `NaN`, so that no alarm takes it for nothing.
 * @module
 */
import { names } from "../core/maker/degraded.ts";
import type { Block } from "../core/maker/offers.ts";
import type { Status } from "../core/maker/status.ts";
import * as registries from "./registry.ts";
import { filler, type Metrics, plainOf, seconds, type Tables } from "./snapshot-metrics.ts";

/** Every cause, as the compiler sees to. */
const blocks: { readonly [block in Block]: true } = {
  mainnet: true, stopped: true, journal: true, backend: true, coins: true,
};

const states: Tables<Status>["states"] = [
  ["dw_maker_degraded", "1 while the maker is in this degraded state.", "state",
    (s) => flags(names, s.degraded.map(({ name }) => name))],
  ["dw_maker_directories", "Configured directories by state.", "state",
    ({ directories: { up, total } }) => ({ up, down: total - up })],
  ["dw_maker_offers_blocked", "1 while nothing may be announced, by cause.", "cause",
    (s) => flags(Object.keys(blocks), s.offers.block === null ? [] : [s.offers.block])],
  ["dw_maker_pending", "Transactions that are not done, by state.", "state",
    ({ pending: { watched, givenUp } }) => ({ watched, "given-up": givenUp })],
  ["dw_maker_limit_violations", "Violations of those that a limiter remembers.", "limiter",
    ({ guard: { orderbook, direct } }) =>
      ({ orderbook: orderbook.violations, direct: direct.violations })],
  ["dw_maker_limit_tracked", "Who a limiter remembers.", "limiter",
    ({ guard: { orderbook, direct } }) =>
      ({ orderbook: orderbook.tracked, direct: direct.tracked })],
  ["dw_maker_limit_banned", "Who a limiter does not answer for now.", "limiter",
    ({ guard: { orderbook, direct } }) => ({ orderbook: orderbook.banned, direct: direct.banned })],
];

const byReason: Tables<Status>["byReason"] = [
  ["dw_maker_refusals_total", "Requests and lines refused by a limit.", "reason",
    (s) => s.guard.refusals],
  ["dw_maker_guests_ended_total", "Direct connections that ended, by reason.", "reason",
    (s) => s.inbound.ended],
  ["dw_maker_notices_lost_total", "Notices that will not arrive, by reason.", "reason",
    (s) => s.notices.counts.lost],
];

const levels: Tables<Status>["levels"] = [
  ["dw_maker_uptime_seconds", "Time since the maker started.", (s) => s.uptimeMs / 1_000],
  ["dw_maker_draining", "1 while the maker is stopping.", (s) => Number(s.phase === "draining")],
  ["dw_maker_directory_failures_max", "Failures in a row of the worst directory.",
    (s) => s.directories.all.reduce((most, { failures }) => Math.max(most, failures), 0)],
  ["dw_maker_offers_public", "Offers that are announced.", (s) => s.offers.public.length],
  ["dw_maker_onion_up", "1 while the own onion service is served; not a number without one.",
    ({ onion: { state } }) => (state === "none" ? Number.NaN : Number(state === "up"))],
  ["dw_maker_onion_reachable", "1 while visits to the own onion service succeed.",
    ({ onion: { isReachable } }) => (isReachable === null ? Number.NaN : Number(isReachable))],
  ["dw_maker_onion_reached_age_seconds", "Since a visit to the own onion last succeeded.",
    (s) => seconds(s.onion.reachedMs)],
  ["dw_maker_backend_up", "1 while Bitcoin Core answers.",
    (s) => Number(s.wallet.state === "up")],
  ["dw_maker_coins", "Coins in the wallet.", (s) => s.wallet.coins],
  ["dw_maker_coins_age_seconds", "Since the coins were seen.", (s) => seconds(s.wallet.viewAgeMs)],
  ["dw_maker_tip_height", "Height of the newest block.", (s) => s.tip.height ?? Number.NaN],
  ["dw_maker_tip_age_seconds", "Since the tip was heard of.", (s) => seconds(s.tip.heardMs)],
  ["dw_maker_tip_stale", "1 while the tip is not of today.", (s) => Number(s.tip.stale !== null)],
  ["dw_maker_rescan_failures", "Looks at the wallet that failed, in a row.",
    (s) => s.rescan.failures],
  ["dw_maker_journal_ready", "1 while records become durable.",
    (s) => Number(s.journal.isReady && s.journal.failingMs === null)],
  ["dw_maker_journal_records", "Records in the journal.", (s) => s.journal.records],
  ["dw_maker_journal_bytes", "Size of the journal.", (s) => s.journal.bytes],
  ["dw_maker_journal_waiting", "Records that wait to be written.", (s) => s.journal.waiting],
  ["dw_maker_history_rows", "Rows of the history.", (s) => s.history.rows],
  ["dw_maker_notices_waiting", "Notices that wait to be sent, for all targets.",
    (s) => s.notices.targets.reduce((sum, { waiting }) => sum + waiting, 0)],
  ["dw_maker_notice_targets_failing", "Targets that do not take notices.",
    (s) => s.notices.targets.filter(({ failures }) => failures > 0).length],
  ["dw_maker_guests", "Direct connections that are open.", (s) => s.inbound.open],
  ["dw_maker_requests_under_way", "Questions over HTTP without an answer yet.",
    (s) => s.underWay.requests],
  ["dw_maker_signatures_under_way", "Signatures that are waited for.",
    (s) => s.underWay.signatures],
];

const totals: Tables<Status>["totals"] = [
  ["dw_maker", (s) => s.counts],
  ["dw_maker_notices", ({ notices: { counts } }) => plainOf(counts)],
  ["dw_maker_guests", ({ inbound: { opened, greeted, identified } }) =>
    ({ opened, greeted, identified })],
];

function flags(
  all: readonly string[], set: readonly string[],
): { readonly [name: string]: number } {
  return Object.fromEntries(all.map((name) => [name, Number(set.includes(name))]));
}

/** Creates the registry, with the metrics of the process itself. */
export function create(version: string): Metrics<Status> {
  const registry = registries.create("dw_maker_build_info", version);
  const fill = filler(registry, { who: "maker", levels, states, byReason, totals });
  const text: Metrics<Status>["text"] = async (status) => {
    fill(status);
    return registry.metrics();
  };
  return { contentType: registry.contentType, text };
}
