/**
 * Is what answered a Dogwatch daemon, and of which kind? Another program may hold the address that
 * is asked.
 *
 * Rule 1: every field that is shown is checked; others may come and go with versions.
 * @module
 */
import type { Readiness } from "../adapters/http.ts";
import type { Status as ArkStatus } from "../core/ark/status.ts";
import type { Status } from "../core/directory/status.ts";
import type { Status as MakerStatus } from "../core/maker/status.ts";

type Table = { readonly [name: string]: unknown };

/** The numbers that people are shown, by table; "" is the top. */
const numbers: readonly (readonly [table: string, names: readonly string[]])[] = [
  ["", ["uptimeMs"]],
  ["peers", [
    "registered", "max", "makers", "takers", "pingCapable", "verified", "handshaking",
  ]],
  ["totals", [
    "publicRelayed", "privateRelayed", "heartbeatPings", "heartbeatProbes", "heartbeatEvictions",
  ]],
  ["heartbeat", ["pending"]],
  ["outbox", ["queuedBytes", "congested"]],
];

/** Tables whose every value is a count. */
const counts = ["drops", "closes", "handshakes"];

/** The answer to `/status`, or `undefined` when it is none. */
export function statusIn(code: number, body: unknown): Status | undefined {
  const top = tableOf(body);
  if (code !== 200 || top?.["schema"] !== 1) return undefined;
  const { nick, network, location, draining } = top;
  if (typeof nick !== "string" || typeof network !== "string") return undefined;
  if (location !== null && typeof location !== "string") return undefined;
  if (typeof draining !== "boolean") return undefined;
  if (!has(wrongForm, top["degraded"]) || !has(onionForm, top["onion"])) return undefined;
  if (typeof tableOf(top["heartbeat"])?.["running"] !== "boolean") return undefined;
  const isWhole = numbers.every(([name, names]) => {
    const table = name === "" ? top : tableOf(top[name]);
    return names.every((one) => Number.isFinite(table?.[one]));
  });
  const isCounted = counts.every((name) => {
    const table = tableOf(top[name]);
    return table !== undefined && Object.values(table).every(Number.isFinite);
  });
  return isWhole && isCounted ? (body as Status) : undefined;
}

/** `sat`: satoshis in decimal text. */
type Kind = "text" | "number" | "flag" | "sat" | "maybe-text" | "maybe-number" | "maybe-flag";
/** What a value must look like; an array holds the form of each of its members. */
type Form = Kind | readonly [Form] | { readonly [name: string]: Form };

const limit: Form = { violations: "number", tracked: "number", banned: "number" };

const wrongForm: Form = [{ name: "text", why: "text", does: "text", sinceMs: "maybe-number" }];

const onionForm: Form = {
  state: "text", sinceMs: "maybe-number", why: "maybe-text", torVersion: "maybe-text",
  isPow: "flag", isReachable: "maybe-flag", reachedMs: "maybe-number",
  visitFailure: "maybe-text",
};

const makerForm: Form = {
  nick: "text", network: "text", location: "text", phase: "text", uptimeMs: "number",
  degraded: wrongForm,
  directories: {
    up: "number", total: "number", all: [{
      directory: "text", phase: "text", isUp: "flag", sinceMs: "maybe-number",
      dueMs: "maybe-number", failures: "number",
    }],
  },
  onion: onionForm,
  offers: {
    public: [{
      oid: "number", kind: "text", minsizeSat: "sat", maxsizeSat: "sat", txfeeSat: "sat",
      cjfee: "text",
    }],
    why: "maybe-text", heldMs: "maybe-number",
  },
  wallet: {
    state: "text", sinceMs: "number", viewAgeMs: "maybe-number", isReliable: "flag",
    coins: "number", spendableSat: "sat",
    balances: [{ mixdepth: "number", coins: "number", totalSat: "sat" }],
  },
  tip: { height: "maybe-number", heardMs: "maybe-number", stale: "maybe-text" },
  rescan: { phase: "text", failures: "number", permille: "maybe-number" },
  pending: { watched: "number", givenUp: "number" },
  journal: { isReady: "flag", failingMs: "maybe-number", records: "number", bytes: "number" },
  history: { rows: "number" },
  notices: {
    targets: [{ to: "text", waiting: "number", failures: "number", why: "text" }],
    counts: { sent: "number" },
  },
  guard: { orderbook: limit, direct: limit },
  inbound: { open: "number" },
  counts: { orderbooks: "number", orderbooksAnswered: "number", fills: "number" },
};

const arkForm: Form = {
  phase: "text", uptimeMs: "number", up: "number", total: "number", degraded: wrongForm,
  wallets: [{
    name: "text", isConnected: "flag", isBarred: "flag", degraded: wrongForm, doubts: {},
    facts: [{ of: "text", state: "text", evidence: "text", sinceMs: "number" }],
    lanes: [{ lane: "text", okMs: "maybe-number", failures: "number", why: "maybe-text" }],
    tip: { height: "maybe-number", isEstimate: "flag", saidMs: "maybe-number" },
    seenMs: "maybe-number", vtxos: "number",
    stages: [{ stage: "text", vtxos: "number", amountSat: "sat" }],
    exits: [{ state: "text", count: "number" }],
    intents: [{ id: "number", aim: "text", phase: "text", vtxos: "number" }],
  }],
  journal: { isReady: "flag", failingMs: "maybe-number", records: "number", bytes: "number" },
  notices: {
    targets: [{ to: "text", waiting: "number", failures: "number", why: "text" }],
    counts: { sent: "number" },
  },
  counts: { calls: "number", callsFailed: "number" },
  underWay: { calls: "number", streams: "number" },
};

const arkParts: readonly (readonly [name: string, form: Form])[] = [
  ["balance", {
    spendableSat: "sat", inRoundSat: "sat", lightningSendSat: "sat", lightningReceiveSat: "sat",
    boardSat: "sat", ageMs: "number",
  }],
  ["nextExpiry", {
    height: "number", stage: "text", blocksLeft: "maybe-number", leftMs: "maybe-number",
  }],
  ["fee", { isFundable: "flag", feeSat: "sat", count: "number" }],
];

const doubtForm: Form = { known: "text", shown: "text" };

/** The answer to `/status` of the daemon of Ark wallets, or `undefined` when it is none. */
export function arkStatusIn(code: number, body: unknown): ArkStatus | undefined {
  const top = tableOf(body);
  if (code !== 200 || top?.["schema"] !== 1 || !has(arkForm, body)) return undefined;
  const isWhole = (top["wallets"] as readonly Table[]).every((wallet) => arkParts.every(
    ([name, form]) => wallet[name] === null || has(form, wallet[name]),
  ) && Object.values(wallet["doubts"] as Table).every(
    (doubt) => doubt === null || has(doubtForm, doubt),
  ));
  return isWhole ? (body as ArkStatus) : undefined;
}

/** A maker's answer to `/status`, or `undefined` when it is none. */
export function makerStatusIn(code: number, body: unknown): MakerStatus | undefined {
  if (code !== 200 || tableOf(body)?.["schema"] !== 1) return undefined;
  return has(makerForm, body) ? (body as MakerStatus) : undefined;
}

function has(form: Form, value: unknown): boolean {
  if (typeof form === "string") return isOf(form, value);
  if (isListForm(form)) return Array.isArray(value) && value.every((one) => has(form[0], one));
  const table = tableOf(value);
  if (table === undefined) return false;
  return Object.entries(form).every(([name, inner]) => has(inner, table[name]));
}

function isListForm(form: Exclude<Form, Kind>): form is readonly [Form] {
  return Array.isArray(form);
}

function isOf(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case "text": return typeof value === "string";
    case "number": return Number.isFinite(value);
    case "flag": return typeof value === "boolean";
    case "sat": return typeof value === "string" && /^[0-9]{1,20}$/.test(value);
    case "maybe-text": return value === null || typeof value === "string";
    case "maybe-flag": return value === null || typeof value === "boolean";
    case "maybe-number": return value === null || Number.isFinite(value);
  }
}

/** The answer to `/readyz`: 200 says ready and 503 says not; anything else is no answer. */
export function readinessIn(code: number, body: unknown): Readiness | undefined {
  const { ready, reasons } = tableOf(body) ?? {};
  const isMeant = (code === 200 && ready === true) || (code === 503 && ready === false);
  if (!isMeant || !Array.isArray(reasons)) return undefined;
  const texts = reasons.filter((one) => typeof one === "string");
  return texts.length === reasons.length ? { ready: code === 200, reasons: texts } : undefined;
}

function tableOf(value: unknown): Table | undefined {
  const isTable = typeof value === "object" && value !== null && !Array.isArray(value);
  return isTable ? (value as Table) : undefined;
}
