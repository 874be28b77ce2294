/**
 * What people read for each log code of the daemon of Ark wallets.
 * @module
 */
import type { Sentences } from "../adapters/log.ts";
import type { Evidence } from "../core/ark/facts.ts";
import { evidence } from "../core/ark/words.ts";
import type { LogField } from "../core/kernel/io.ts";
import { sentences as notices } from "./sentences-notices.ts";
import { sentences as common } from "./sentences.ts";
import { counted, span } from "./status-text.ts";

type Fields = { readonly [name: string]: LogField };

/** Of which wallet; a process may have hundreds. */
const of = (f: Fields): string => (f["wallet"] === undefined ? "" : `${f["wallet"]}: `);
const some = (count: unknown, noun: string): string => counted(Number(count), noun);
const time = (ms: unknown): string => span(Number(ms));

/** Of the one that expires first. */
const left = (f: Fields): string => `${some(f["blocksLeft"], "block")} are left`;

const ways: Readonly<Record<string, string>> = {
  program: "the wallet's program", server: "the Ark server", chain: "the wallet's chain source",
  rounds: "the stream of rounds", mailbox: "the mailbox",
};
const way = (name: unknown): string => ways[String(name)] ?? String(name);

/** Of a word of the core's closed list. */
const reason = (word: unknown): string => evidence(word as Evidence);
const owner = (f: Fields): string =>
  (f["subject"] === "wallet" ? "the wallet" : "the server's key");
const keys = (f: Fields): string => (f["shown"] === undefined || f["shown"] === "" ? ""
  : ` (${f["shown"]}, not ${f["known"]})`);

const states: Readonly<Record<string, string>> = {
  up: "is reached", down: "is not reached", unknown: "was not heard of for a while",
};

export const sentences: Sentences = {
  ...common,
  ...notices,
  "ark.started": (f) => `${some(f["wallets"], "wallet")} to look after`,
  "ark.wallet-ready": (f) => `${of(f)}its work has begun`,
  "ark.wallet-stopped": (f) =>
    `${of(f)}stopped after ${time(f["tookMs"])}; ${some(f["running"], "call")} not answered`,
  "ark.left-running": (f) =>
    `${of(f)}${f["op"]} runs on in the wallet's program, for ${time(f["ranMs"])} so far; ` +
    "it was not waited for any longer",
  "ark.draining": (f) =>
    `stopping: nothing new is asked; ${some(f["calls"], "call")} under way`,
  "ark.reloaded": () => "settings applied",
  "ark.reload-refused": (f) =>
    `the new settings contradict each other (${f["keys"]}): ${f["why"]}; the old ones stay`,
  "ark.trusted": (f) =>
    `${of(f)}${owner(f)} ${f["shown"]} is trusted from now on, in the place of ${f["known"]}`,
  "ark.trust-stale": (f) =>
    `${of(f)}${owner(f)} is another one by now than the operator has looked at; it is not trusted`,
  "ark.unbarred": (f) => `${of(f)}the Ark server is asked again; the operator trusts it`,
  "ark.fact": (f) => `${of(f)}${way(f["of"])} ${states[String(f["to"])] ?? f["to"]}` +
    `${f["to"] === "down" ? `: ${reason(f["evidence"])}` : ""}`,
  "ark.connected": (f) => (f["isConnected"] === true
    ? `${of(f)}connected to its Ark server`
    : `${of(f)}not connected to its Ark server: nothing is asked of it meanwhile`),
  "ark.way-down": (f) =>
    `${of(f)}${way(f["way"])} is away for too long: ${reason(f["why"])}`,
  "ark.way-up": (f) => `${of(f)}${way(f["way"])} is back after ${time(f["awayMs"])}`,
  "ark.server-key": (f) =>
    `${of(f)}the Ark server has another key than the wallet knows${keys(f)}; nothing is asked ` +
    "of it any more; ask its operator, then: dogwatch ark trust",
  "ark.program-gone": (f) => `${of(f)}its program is gone, and what ran in it`,
  "ark.program-up": (f) => `${of(f)}its program runs as process ${f["pid"]}`,
  "ark.program-found": (f) =>
    `${of(f)}a program answers already at its address; it is left as it is, and none is started`,
  "ark.program-exited": (f) =>
    `${of(f)}its program is over (${f["how"]}), after ${time(f["ranMs"])}; started again in ` +
    `${Math.ceil(Number(f["retryMs"]) / 1_000)} s`,
  "ark.program-ended": (f) =>
    `${of(f)}its program has ended (${f["how"]}), after ${time(f["ranMs"])}`,
  "ark.program-crashing": (f) =>
    `${of(f)}its program ended soon after each of ${some(f["runs"], "start")}: ${f["how"]}; ` +
    "it is tried on; see what it said",
  "ark.program-steady": (f) =>
    `${of(f)}its program stays, after ${time(f["loopedMs"])} of crashing`,
  "ark.program-killed": (f) =>
    `${of(f)}its program did not end within ${time(f["waitedMs"])} and is killed: what it was ` +
    "at may be half done",
  "ark.program-stuck": (f) =>
    `${of(f)}its program (process ${f["pid"]}) did not even end when it was killed; look at it`,
  "ark.program-left": (f) =>
    `${of(f)}its program (process ${f["pid"]}) is left running, as configured`,
  "ark.work-cut": (f) =>
    `${of(f)}${f["op"]} was not done after ${time(f["ranMs"])}, and its program is ended: ` +
    "look at what became of it",
  "child.said": (f) => `${of(f)}says: ${f["says"]}`,
  "child.quiet": (f) => `${of(f)}${some(f["lines"], "line")} more of its program were left out`,
  "ark.other-network": (f) =>
    `${of(f)}the wallet is of network ${f["network"]}, and ${f["expected"]} is configured: ` +
    "nothing that moves money is asked of it",
  "ark.exchanged": (f) =>
    `${of(f)}another wallet answers at its address than before${keys(f)}; nothing is begun for ` +
    "it; look at the configuration, or: dogwatch ark trust",
  "ark.call-failed": (f) => `${of(f)}${f["op"]} failed: ${f["reason"]} (${f["fault"]})`,
  "ark.call-refused": (f) => `${of(f)}${f["op"]} was refused: ${f["why"]}`,
  "ark.call-overdue": (f) =>
    `${of(f)}${f["op"]} has no answer after ${time(f["ranMs"])}` +
    (f["isDropped"] === true ? "; it was given up" : "; it is left alone, and not waited for"),
  "ark.call-stuck": (f) =>
    `${of(f)}${f["op"]} has no answer after ${time(f["ranMs"])}: look at the wallet's program`,
  "ark.call-late": (f) =>
    `${of(f)}${f["op"]} was answered at last, after ${time(f["ranMs"])}`,
  "ark.lane-failed": (f) =>
    `${of(f)}${f["op"]} failed (${some(f["failures"], "time")} in a row); tried again later`,
  "ark.lane-behind": (f) => `${of(f)}${f["lane"]} was not done for ${time(f["forMs"])}`,
  "ark.lane-good": (f) => `${of(f)}${f["lane"]} is up to date again`,
  "ark.look-failed": (f) => `${of(f)}${f["op"]} gave no answer: ${f["reason"]}`,
  "ark.unsupported": (f) => `${of(f)}this wallet has no ${f["op"]}; it is left out`,
  "ark.stream-ended": (f) => `${of(f)}the stream of ${f["stream"]} ended: ${f["fault"]}`,
  "ark.stream-over": (f) =>
    `${of(f)}the stream of ${f["stream"]} ended (${f["why"]}); opened again in ` +
    `${Math.ceil(Number(f["retryMs"]) / 1_000)} s`,
  "ark.round": (f) => `${of(f)}round ${f["roundSeq"]}: ${f["kind"]}`,
  "ark.round-began": (f) => `${of(f)}round ${f["roundSeq"]} has begun`,
  "ark.rounds-lagging": (f) =>
    `${of(f)}${some(f["dropped"], "event")} of rounds came too fast and were passed over`,
  "ark.mail-moved": (f) => `${of(f)}the mailbox was read up to ${f["checkpoint"]}`,
  "ark.mail-went-back": (f) =>
    `${of(f)}the mailbox went back from ${f["from"]} to ${f["to"]}`,
  "ark.mail-stuck": (f) =>
    `${of(f)}a message is not read, after ${some(f["reads"], "attempt")}; ` +
    "look at the wallet's log",
  "ark.mail-still": (f) =>
    `${of(f)}the mailbox has not moved for ${time(f["forMs"])}, though there was news`,
  "ark.intent-opened": (f) =>
    `${of(f)}${f["aim"]} of ${some(f["vtxos"], "VTXO")} is written down (intent ${f["id"]})`,
  "ark.intent-success": (f) =>
    `${of(f)}${f["aim"]} of ${some(f["vtxos"], "VTXO")} is done (intent ${f["id"]})`,
  "ark.intent-rejected": (f) =>
    `${of(f)}${f["aim"]} of ${some(f["vtxos"], "VTXO")} was rejected (intent ${f["id"]})`,
  "ark.intent-superseded": (f) =>
    `${of(f)}${f["aim"]} of ${some(f["vtxos"], "VTXO")} came to nothing (intent ${f["id"]})`,
  "ark.tip-doubted": (f) =>
    `${of(f)}the chain source says block ${f["height"]}, where ${f["expected"]} was expected: ` +
    "it is believed if it stays so",
  "ark.tip-believed": (f) => `${of(f)}block ${f["height"]} is believed now, not ${f["before"]}`,
  "ark.tip-corrected": (f) =>
    `${of(f)}the height was wrong: ${f["height"]} in place of ${f["before"]}`,
  "ark.tip-senseless": (f) => `${of(f)}the chain source says a height that is none`,
  "ark.vtxos-full": (f) =>
    `${of(f)}${some(f["dropped"], "VTXO")} more than are watched; those that expire last`,
  "ark.disk-failing": (f) =>
    `records do not become durable: ${f["why"]}; nothing is asked for until they do; ` +
    "make room, or look at the disk",
  "ark.disk-recovered": (f) =>
    `records are durable again after ${some(f["failures"], "failure")}`,
  "ark.disk-slow": (f) => `the disk does not answer in time (${f["phase"]})`,
  "ark.journal-broken": (f) =>
    `the journal cannot be used: ${f["fault"]}; no refresh, exit or claim is begun; ` +
    "mend the file and start again",
  "ark.journal-torn": (f) =>
    `the last write before the end was cut short: ${f["bytes"]} bytes that nothing depended on`,
  "ark.journal-ready": (f) => `journal read: ${some(f["records"], "record")}`,
  "ark.journal-others": (f) =>
    `the journal has records of ${some(f["wallets"], "wallet")} that are not configured; ` +
    "they are kept",
  "ark.expiry-due": (f) => `${of(f)}a refresh of ${some(f["count"], "VTXO")} is due; ${left(f)}`,
  "ark.expiry-failing": (f) =>
    `${of(f)}the refresh of ${some(f["count"], "VTXO")} keeps failing; ${left(f)}`,
  "ark.expiry-exit-now": (f) =>
    `${of(f)}${some(f["count"], "VTXO")} must leave for the chain now; ${left(f)}`,
  "ark.expiry-expired": (f) => `${of(f)}${some(f["count"], "VTXO")} expired`,
  "requests.no-target": (f) => `a request was not made: ${f["says"]}`,
  "requests.no-secret": (f) => `a request was not made: ${f["says"]}`,
  "requests.refused": (f) => `a request was not made: ${f["says"]}`,
  "rounds.no-target": (f) => `round events were not asked for: ${f["says"]}`,
  "rounds.refused": (f) => `round events were not asked for: ${f["says"]}`,
  "rounds.unknown": (f) => `${f["says"]}; it is passed over`,
  "run.journal-smaller": (f) =>
    `the journal is made smaller: ${f["after"]} bytes in place of ${f["before"]}`,
  "run.journal-kept": (f) => `the journal could not be made smaller: ${f["says"]}`,
  "run.ready-lost": (f) =>
    `the ready line could not be written to stdout: ${f["says"]}; ` +
    "wallets are looked after all the same",
  "run.no-note": (f) =>
    `the data directory ${f["folder"]} cannot be used: ${f["says"]}; ` +
    "wallets are looked after all the same, `dogwatch status` needs --http",
  "run.ark-ready": (f) =>
    `running with ${some(f["wallets"], "wallet")}; status page at ${f["http"]}`,
};
