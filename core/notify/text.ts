/**
 * The words of every notice, under the operator's privacy setting.
 *
 * Rule 1: amounts, nicks and transaction ids pass through one function each, which asks the
 * setting: services that carry notices keep them, and so do telephones.
 * Rule 2: a body says what it means for the operator, and what to look at when it is bad.
 * Rule 3: texts are bounded and printable whatever the facts hold (`format.ts`).
 * Not known here: where a text goes, and in which form.
 * @module
 */
import { unreachable } from "../assert.ts";
import { arkLifeWording, isArkLife } from "./ark-life.ts";
import { arkWording, isArk } from "./ark.ts";
import { count, exactly, grouped, line, names, roughly, span, words } from "./format.ts";
import type { GivenUp, Notice, Summary } from "./notice.ts";

export type Privacy = {
  /** Amounts are left out, told to two digits, or to the satoshi. `rounded`. */
  readonly amounts: "off" | "rounded" | "exact";
  /** Are nicks told? On. */
  readonly nicks: boolean;
  /** Are transaction ids told? Off: an id names our coins to whoever reads it. */
  readonly txids: boolean;
  /** What stands before a transaction id that is told, such as an explorer's address. Empty. */
  readonly txUrl: string;
};

export const defaults: Privacy = { amounts: "rounded", nicks: true, txids: false, txUrl: "" };

/** A title of one line, and a body of few. */
export type Text = { readonly title: string; readonly body: string };

/** No title is longer, in UTF-16 units. */
export const titleMax = 120;
/** Nor a body. Telegram takes 4,096 of a whole message. */
export const bodyMax = 2_000;

const hidden = "(withheld)";
const nameMax = 30;

/** What is told of a notice. */
export function compose(n: Notice, p: Privacy): Text {
  const [title, ...lines] = wording(n, p);
  const body = lines.map((text) => line(text, 400)).join("\n");
  return { title: line(title, titleMax), body: body.slice(0, bodyMax) };
}

type Wording = readonly [title: string, ...lines: string[]];

function wording(n: Notice, p: Privacy): Wording {
  if (isArk(n)) return arkWording(n, (sat) => amount(sat, p));
  if (isArkLife(n)) return arkLifeWording(n);
  switch (n.kind) {
    case "started":
      return ["Started", `Nick: ${nick(n.nick, p)}`, `Version: ${n.version}`,
        `Network: ${n.network}`];
    case "stopping": return ["Stopping", `Reason: ${words(n.why)}.`];
    case "directory-lost": case "directory-back": case "all-down": case "all-back":
      return aboutDirectories(n);
    case "coins-changed":
      return ["Coins changed", `The wallet holds ${amount(n.balanceSat, p)} in `
        + `${count(n.coins, "coin")}.`];
    case "offers-changed": return aboutOffers(n, p);
    case "tx-seen": case "tx-confirmed": case "tx-warned": case "tx-given-up": case "tx-back":
      return aboutTx(n, p);
    case "peer-banned":
      return ["Peer banned", `${nick(n.nick, p)} asked too often: `
        + `${count(n.violations, "violation")}.`, `It is ignored for ${span(n.banMs)}.`];
    case "backend-down": case "backend-up": case "disk-failing": case "disk-recovered":
    case "tor-down": case "tor-up": case "onion-down": case "onion-up":
      return aboutService(n);
    case "summary": return aboutPeriod(n.label, n.summary, n.update, p);
    case "update-available":
      return ["Update available", `Version ${n.version} is out; this is ${n.current}.`];
    case "degraded-entered":
      return [`Degraded: ${words(n.state)}`, `Reason: ${words(n.why)}.`,
        "The daemon keeps running and goes on by itself once this is over."];
    case "degraded-left":
      return [`No longer degraded: ${words(n.state)}`, `It took ${span(n.degradedMs)}.`];
    case "suppressed":
      return ["More happened than was told",
        `${count(n.count, "more notice")} of the last hour went over the limit; see the log.`];
    case "test": return ["Test", "Notices from this maker arrive here."];
    default: return unreachable(n); /* c8 ignore next */
  }
}

type About<K extends Notice["kind"]> = Extract<Notice, { readonly kind: K }>;

function aboutDirectories(
  n: About<"directory-lost" | "directory-back" | "all-down" | "all-back">,
): Wording {
  switch (n.kind) {
    case "directory-lost":
      return ["Directory lost", `${line(n.directory, nameMax)} is gone; trying again.`,
        `Connected: ${n.connected} of ${n.total}.`];
    case "directory-back":
      return ["Directory back", `${line(n.directory, nameMax)} is connected again.`,
        `Connected: ${n.connected} of ${n.total}.`];
    case "all-down":
      return ["All directories lost",
        `None of ${count(n.total, "directory server")} is connected: no taker sees the offers.`,
        "Look at Tor and the network if it lasts; the maker keeps trying."];
    case "all-back":
      return ["Directories are back", `Connected: ${n.connected} of ${n.total}, `
        + `after ${span(n.downMs)} without any.`, "Offers are announced again."];
    default: return unreachable(n); /* c8 ignore next */
  }
}

function aboutOffers(n: About<"offers-changed">, p: Privacy): Wording {
  if (n.offers === 0) {
    return ["No offers", "Nothing is offered at the moment.", `Reason: ${words(n.why)}.`];
  }
  const range = p.amounts === "off" ? hidden
    : `${amount(n.minSat, p)} to ${amount(n.maxSat, p)}`;
  const why = n.why === "" ? [] : [`Reason: ${words(n.why)}.`];
  return ["Offers changed", `Offers: ${n.offers}, ${range}.`, ...why];
}

function aboutTx(
  n: About<"tx-seen" | "tx-confirmed" | "tx-warned" | "tx-given-up" | "tx-back">, p: Privacy,
): Wording {
  const facts = [`Transaction: ${txid(n.txid, p)}`, `Amount: ${amount(n.amountSat, p)}`] as const;
  switch (n.kind) {
    case "tx-seen": return ["Transaction seen", ...facts, "Not confirmed yet."];
    case "tx-confirmed":
      return ["Transaction confirmed", ...facts, `Confirmations: ${grouped(n.confirmations)}`];
    case "tx-warned":
      return ["Transaction not seen", ...facts, `No sign of it for ${span(n.unseenMs)}.`];
    case "tx-given-up":
      return ["Transaction given up", ...facts,
        `${given(n.why)} It took ${span(n.unseenMs)}.`, "It is taken back if it appears late."];
    case "tx-back":
      return ["Transaction back", ...facts, "It had been given up and has appeared after all."];
    default: return unreachable(n); /* c8 ignore next */
  }
}

function given(why: GivenUp): string {
  switch (why) {
    case "not-broadcast": return "The taker seems never to have sent it.";
    case "not-found": return "Neither the chain nor the mempool knows it.";
    case "conflicted": return "Another transaction has spent its coins.";
    default: return unreachable(why); /* c8 ignore next */
  }
}

function aboutService(
  n: About<
    "backend-down" | "backend-up" | "disk-failing" | "disk-recovered" | "tor-down" | "tor-up"
    | "onion-down" | "onion-up"
  >,
): Wording {
  switch (n.kind) {
    case "backend-down":
      return [`No answer from ${words(n.backend)}`, `Reason: ${words(n.why)}.`,
        "Offers are withdrawn; nothing is judged by its silence."];
    case "backend-up":
      return [`${words(n.backend)} answers again`, `After ${span(n.downMs)}.`];
    case "disk-failing":
      return ["Records cannot be written", `Reason: ${words(n.why)}.`,
        "Nothing that needs a record is begun until the disk works again."];
    case "disk-recovered":
      return ["Records are written again", `After ${count(n.failures, "failure")}.`];
    case "tor-down": return ["Tor is gone", `Reason: ${words(n.why)}.`, "Nothing goes around it."];
    case "tor-up": return ["Tor is back", `After ${span(n.downMs)}.`];
    case "onion-down":
      return ["Own onion unreachable", `Reason: ${words(n.why)}.`,
        "Takers reach the maker through directories only."];
    case "onion-up": return ["Own onion reachable", `After ${span(n.downMs)}.`];
    default: return unreachable(n); /* c8 ignore next */
  }
}

function aboutPeriod(
  label: string, s: Summary, update: string | undefined, p: Privacy,
): Wording {
  const lines = s.requests === 0 ? ["No CoinJoin in this period."] : [
    `CoinJoins: ${grouped(s.requests)}, of which ${grouped(s.successful)} succeeded `
      + `and ${grouped(s.failed)} failed (${percent(s.successful, s.requests)} %)`,
    `Earned: ${amount(s.feesSat, p)}`,
    `Volume: ${amount(s.successfulVolumeSat, p)} of ${amount(s.volumeSat, p)}`,
    `Coins shown to takers: ${grouped(s.disclosed)}`,
  ];
  if (s.balanceSat !== undefined) lines.push(`Balance: ${amount(s.balanceSat, p)}`);
  if (s.coins !== undefined) lines.push(`Coins: ${grouped(s.coins)}`);
  lines.push(`Directories: ${s.connected} of ${s.directories}`);
  if (update !== undefined) lines.push(`Update available: ${update}`);
  return [`${label} summary`, ...lines];
}

/** Rounded half up. */
function percent(part: number, whole: number): number {
  const doubled = 200 * part + whole;
  return (doubled - (doubled % (2 * whole))) / (2 * whole);
}

function amount(sat: bigint, p: Privacy): string {
  switch (p.amounts) {
    case "off": return hidden;
    case "rounded": return roughly(sat);
    case "exact": return exactly(sat);
    default: return unreachable(p.amounts); /* c8 ignore next */
  }
}

function nick(value: string | undefined, p: Privacy): string {
  if (value === undefined) return "A peer without a nick";
  return p.nicks ? names([value], 1) : hidden;
}

function txid(value: string | undefined, p: Privacy): string {
  if (value === undefined) return "not known yet";
  return p.txids ? line(`${p.txUrl}${value}`, 200) : hidden;
}
