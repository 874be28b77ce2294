/**
 * What people read for each log code of a maker.
 * @module
 */
import type { Sentences } from "../adapters/log.ts";
import type { LogField } from "../core/kernel/io.ts";
import { sentences as notices } from "./sentences-notices.ts";
import { sentences as common } from "./sentences.ts";
import { counted } from "./status-text.ts";

const reasons: Readonly<Record<string, string>> = {
  mainnet: "this version serves no coinjoins", stopped: "the maker is stopping",
  journal: "records do not become durable", backend: "the backend cannot be relied on",
  coins: "the coins are not known",
};
const why = (block: unknown): string => reasons[String(block)] ?? String(block);

const some = (count: unknown, noun: string): string => counted(Number(count), noun);
const are = (count: unknown): string => (Number(count) === 1 ? "is" : "are");
const seconds = (ms: unknown): string => `${Math.ceil(Number(ms) / 1_000)} s`;

/** A list that may be empty, in its brackets. */
const list = (before: string, names: LogField | undefined, after: string): string =>
  names === undefined || names === "" ? "" : `${before}${names}${after}`;

export const sentences: Sentences = {
  ...common,
  ...notices,
  "maker.named": (f) => `this maker is ${f["nick"]} on ${f["network"]}`,
  "maker.no-backend": () =>
    "no wallet is watched: nothing is offered; set bitcoind.url and maker.descriptors",
  "maker.directory-up": (f) =>
    `connected to ${f["directory"]} (${f["connected"]} of ${f["total"]})` +
    (f["isProven"] === true ? ", which knows the nick as ours" : ""),
  "maker.directory-down": (f) =>
    `lost ${f["directory"]}: ${f["why"]}; ${f["connected"]} of ${f["total"]} are left; ` +
    `tried again in ${seconds(f["retryMs"])}`,
  "maker.directory-failed": (f) =>
    `could not reach ${f["directory"]}: ${f["why"]}; tried again in ${seconds(f["retryMs"])}`,
  "maker.no-directory": (f) =>
    `none of ${f["directories"]} directories was reached yet; ` +
    "they are tried on: is Tor running, and are their addresses right?",
  "maker.announced": (f) =>
    `told ${f["directory"]} ${some(f["lines"], "line")} of offers`,
  "maker.disk-failing": (f) =>
    `records do not become durable: ${f["why"]}; offers are withdrawn until they do; ` +
    "make room, or look at the disk",
  "maker.disk-recovered": (f) =>
    `records are durable again after ${some(f["failures"], "failure")}`,
  "maker.disk-slow": (f) =>
    `the disk does not answer in time (${f["phase"]}); offers are withdrawn until it does`,
  "maker.journal-broken": (f) =>
    `the history cannot be used: ${f["fault"]}; nothing is announced; ` +
    "look at it with `dogwatch history verify`",
  "maker.journal-torn": (f) =>
    `the last write before the end was cut short: ${f["bytes"]} bytes that nothing depended on`,
  "maker.journal-ready": (f) =>
    `history read: ${some(f["records"], "record")}, ${some(f["rows"], "transaction")}`,
  "maker.backend-up": () => "the backend answers, and the coins are known",
  "maker.backend-down": (f) =>
    `the backend cannot be relied on: ${f["why"]}; coins stay as they were seen, ` +
    "and offers are withdrawn if it lasts",
  "maker.coins-aged": () => "the coins were not seen for too long: offers are withdrawn",
  "maker.rescan-failed": (f) =>
    `the wallet could not be looked at: ${f["fault"]}; tried again in ${seconds(f["retryMs"])}`,
  "maker.rescan-waiting": (f) => `the backend needs time: ${f["fault"]}`,
  "maker.rescan-progress": (f) => `old blocks are searched: ${Number(f["permille"]) / 10} %`,
  "maker.rescan-searched": (f) => `blocks ${f["fromHeight"]} to ${f["toHeight"]} were searched`,
  "maker.rescan-slow": (f) => `a look at the wallet takes long (${f["phase"]})`,
  "maker.coins-listed": (f) => `${f["coins"]} coins at block ${f["height"]}`
    + (Number(f["foreign"]) > 0 ? `; ${f["foreign"]} in the wallet are of no descriptor here` : ""),
  "maker.tip-found": (f) => `the chain is at block ${f["height"]}`,
  "maker.tip-advanced": (f) => `block ${f["height"]}; coins are looked at`,
  "maker.tip-reorganised": (f) =>
    `the chain was reorganised: from block ${f["from"]} to ${f["height"]}; coins are looked at`,
  "maker.offers-announced": (f) =>
    `offers are public: ${f["offers"]}, up to ${f["amountSat"]} sats`,
  "maker.offers-held": (f) =>
    `the coins have changed; new offers follow within ${seconds(f["delayMs"])}, for privacy`,
  "maker.offers-none": (f) => `no offer fits the coins: at most ${f["amountSat"]} sats together`,
  "maker.offers-refused": () =>
    "nothing is offered on mainnet: this version serves no coinjoins yet",
  "maker.offers-withdrawn": (f) =>
    `${some(f["offers"], "offer")} ${are(f["offers"])} withdrawn: ${why(f["block"])}`,
  "maker.pending-discovered": (f) => `transaction ${f["id"]} was found on the chain: ${f["txid"]}`,
  "maker.pending-seen": (f) => `transaction ${f["id"]} waits for a block: ${f["txid"]}`,
  "maker.pending-confirmed": (f) =>
    `transaction ${f["id"]} is confirmed (${f["confirmations"]}): ${f["txid"]}`,
  "maker.pending-lost": (f) =>
    `transaction ${f["id"]} is in no block any more after a reorganisation; it is watched on`,
  "maker.pending-missing": (f) => `transaction ${f["id"]} is not to be found; it is looked for`,
  "maker.pending-given-up": (f) =>
    `transaction ${f["id"]} is given up, and taken back if it appears`,
  "maker.pending-returned": (f) => `transaction ${f["id"]} has appeared after all`,
  "maker.pending-unavailable": (f) =>
    `transaction ${f["id"]}: the backend cannot tell; its age stands still`,
  "maker.pending-unanswered": (f) => `transaction ${f["id"]}: no answer in time; it is asked again`,
  "maker.pending-full": (f) =>
    `more than ${f["watched"]} transactions are open; the oldest wait for their turn`,
  "maker.asker-banned": (f) =>
    `${f["nick"] ?? "a direct connection"} asked too often: it is ignored`,
  "maker.asker-early": (f) =>
    `${f["nick"] ?? "a direct connection"} asks too often (${f["violations"]}): it must wait`,
  "maker.lines-dropped": (f) =>
    `${f["dropped"]} lines of ${f["nick"]} came too fast and were passed over`,
  "maker.sign-late": (f) => `a signature did not come in time; ${f["replies"]} replies are lost`,
  "maker.replies-spent": () => "more was asked than may be answered; the rest is passed over",
  "maker.report-connections": (f) =>
    `${f["connected"]} of ${f["total"]} directories are connected: ` +
    (f["disconnected"] === undefined ? `${f["directories"]}` : `without ${f["disconnected"]}`),
  "maker.report-orderbook-limits": (f) =>
    `requests by way of directories: ${f["violations"]} too early, ${f["banned"]} askers banned` +
    list(" (", f["nick"], ")") + list("; most often: ", f["nickTop"], ""),
  "maker.report-direct-limits": (f) =>
    `requests over direct connections: ${f["violations"]} too early, ${f["banned"]} banned`,
  "maker.report-direct-limits-peers": (f) =>
    `direct connections: banned: ${f["address"] || "none"}` +
    list("; most often: ", f["addressTop"], ""),
  "maker.report-summary": (f) =>
    `${f["label"]} summary: ${f["successful"]} of ${f["requests"]} coinjoins succeeded, ` +
    `${f["failed"]} failed; fees ${f["feesSat"]} sats, volume ` +
    `${f["successfulVolumeSat"]} of ${f["volumeSat"]} sats, ${f["disclosed"]} coins disclosed`,
  "maker.onion-address": (f) => `takers reach this maker directly at ${f["location"]}`,
  "maker.onion-up": () => "the onion service is published",
  "maker.onion-down": (f) =>
    `the onion service is not published: ${f["why"]}; takers still come by directories`,
  "maker.onion-reachable": (f) => (f["isReachable"] === true
    ? "a visit through Tor to our own address succeeded"
    : `visits through Tor to our own address fail: ${f["failure"]}`),
  "onion.control-ready": (f) => `Tor ${f["version"]} lets us in at its control port`,
  "onion.no-pow": (f) =>
    `Tor ${f["version"]} takes no proof of work or limit of streams: published without`,
  "onion.up": () => "Tor serves the onion service",
  "onion.failed": (f) => `the onion service: ${f["says"]}`,
  "onion.reachable": () => "the onion service was reached from outside",
  "onion.unreachable": (f) => `the onion service cannot be reached from outside: ${f["reason"]}`,
  "maker.update-available": (f) => `version ${f["version"]} is there; this is ${f["current"]}`,
  "maker.update-check-failed": (f) =>
    `it could not be found out whether there is a newer version: ${f["why"]}; asked again later`,
  "maker.reloaded": (f) => `settings applied; ${f["directories"]} directories`,
  "maker.reload-refused": (f) =>
    `the new settings contradict each other (${f["keys"]}): ${f["why"]}; the old ones stay`,
  "dial.denied": (f) => `a connection was not made: ${f["says"]}`,
  "dial.refused": (f) => `a connection was not used: ${f["says"]}`,
  "requests.no-target": (f) => `a request was not made: ${f["says"]}`,
  "requests.no-secret": (f) => `a request was not made: ${f["says"]}`,
  "requests.refused": (f) => `a request was not made: ${f["says"]}`,
  "maker.draining": (f) =>
    `stopping: offers are withdrawn, ${f["directories"] === 1 ? "the directory is"
      : `${f["directories"]} directories are`} left`,
  "run.ready-lost": (f) =>
    `the ready line could not be written to stdout: ${f["says"]}; the maker runs all the same`,
  "run.maker-ready": (f) => `running as ${f["nick"]}; status page at ${f["http"]}`,
};
