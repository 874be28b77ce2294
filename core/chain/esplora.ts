/**
 * An Esplora server as a backend: the light alternative to a node of one's own.
 *
 * Rule 1: it watches nothing for us. Addresses are asked for one by one, branch after branch, until
 * `gapMax` in a row were never used; the host derives them (`derive`), as the core has no curve.
 * Rule 2: only the server's own words mean "not there": status 404 with exactly the plain text it
 * sends for a transaction or a block. A page of HTML, another text, a JSON error is an outage: any
 * web server that lost its backend answers 404 too.
 * Rule 3: the tip is asked for before and after; if it moved, or the server is really several that
 * disagree, all is asked again, and in the end refused as unsettled.
 * Rule 4: the server learns which addresses belong together. That is the price; it has to be named
 * to the operator, and there is no way around Tor for it.
 *
 * Keeps no time: see `chain.ts`. Knows no address of the server.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Limits } from "../joinmarket/json.ts";
import type { RequestFailure } from "../kernel/io.ts";
import { NEVER, type Mono } from "../time.ts";
import { absent, isAddress, ofFailure, turnedAway, unavailable } from "./chain.ts";
import type {
  Answer, Branch, Coin, Effect, Event, Network, Payment, Question, Tip,
} from "./chain.ts";
import * as says from "./esplora-says.ts";

export type Config = {
  /** The target's name in the host's configuration. */
  readonly to: string;
  readonly network: Network;
  /** Branches to look through: as `descriptor.watchOf` gives them. */
  readonly branches: readonly { readonly mixdepth: number; readonly branch: Branch }[];
  /** A branch ends after so many unused addresses in a row; BIP44 asks for 20. */
  readonly gapMax: number;
  /** No branch is looked through further than this; more is refused. */
  readonly indexMax: number;
  readonly questionsMax: number;
  readonly callMs: number;
  readonly attemptsMax: number;
  readonly coinsMax: number;
  readonly json: Limits;
};

/** All but what only the operator knows. */
export const defaults = {
  to: "esplora", gapMax: 20, indexMax: 10_000, questionsMax: 16, callMs: 60_000, attemptsMax: 3,
  coinsMax: 10_000, json: { depthMax: 12, nodesMax: 200_000 },
} as const;

/** What is waited for. */
type Want =
  | "genesis" | "hash" | "block" | "since" | "addresses" | "used" | "utxo" | "tx" | "txs"
  | "hash-again";

/** Where in the list of branches a look at all coins is. */
type Walk = {
  readonly coins: Coin[];
  branchAt: number;
  index: number;
  /** Unused addresses in a row. */
  gap: number;
  /** Addresses from `index` on that the host has derived already. */
  addresses: readonly string[];
};

export type Talk = {
  readonly question: Question;
  want: Want;
  attempt: number;
  tip: Tip | undefined;
  walk: Walk;
};

export type Esplora = { readonly config: Config; readonly talks: Map<number, Talk> };

/** A backend with nothing asked. Asserts the relations of `config`. */
export function create(config: Config): Esplora {
  assert(config.gapMax >= 1, "a branch ends after an unused address at the earliest");
  assert(config.indexMax >= config.gapMax, "a branch is longer than its gap");
  assert(config.questionsMax >= 1, "no question could be asked");
  assert(config.attemptsMax >= 1, "a question is asked");
  assert(config.branches.length >= 1, "a wallet that watches nothing");
  return { config, talks: new Map() };
}

/** Takes one event; what comes for a question that has its answer changes nothing. */
export function step(m: Esplora, event: Event, _now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "asked": return asked(m, event.token, event.question, out);
    case "dropped":
      if (m.talks.delete(event.token)) out.push({ type: "withdraw", token: event.token });
      return;
    case "replied": return replied(m, event.token, event.status, event.body, out);
    case "failed": return failed(m, event.token, event.reason, out);
    case "given": return given(m, event.token, event.addresses, out);
    case "tick": return;
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** Never: the table of requests keeps the time. */
export function deadline(_m: Esplora): Mono {
  return NEVER;
}

/** Is nobody waiting for an answer? */
export function isQuiet(m: Esplora): boolean {
  return m.talks.size === 0;
}

function asked(m: Esplora, token: number, question: Question, out: Effect[]): void {
  assert(!m.talks.has(token), "a token is used once");
  const answer = turnedAway(question, m.talks.size, m.config.questionsMax);
  if (answer !== undefined) return void out.push({ type: "answered", token, answer });
  const first = question.ask === "prepare" ? "genesis" : "hash";
  const talk: Talk = { question, want: first, attempt: 1, tip: undefined, walk: walkOf() };
  m.talks.set(token, talk);
  // It scans nothing, so no scan is ever under way.
  if (question.ask === "rescan-progress") {
    return ended(m, token, { ok: true, ask: "rescan-progress", progress: undefined }, out);
  }
  get(m, token, talk, first, first === "genesis" ? "/block-height/0" : "/blocks/tip/hash", out);
}

function walkOf(): Walk {
  return { coins: [], branchAt: 0, index: 0, gap: 0, addresses: [] };
}

function get(
  m: Esplora, token: number, talk: Talk, want: Want, path: string, out: Effect[],
): void {
  talk.want = want;
  out.push({
    type: "request", token, to: m.config.to, method: "GET", path, headers: [], body: "",
    renew: false, timeoutMs: m.config.callMs,
  });
}

function ended(m: Esplora, token: number, answer: Answer, out: Effect[]): void {
  if (m.talks.delete(token)) out.push({ type: "answered", token, answer });
}

function failed(m: Esplora, token: number, reason: RequestFailure, out: Effect[]): void {
  const isHost = m.talks.get(token)?.want === "addresses" && reason === "denied";
  ended(m, token, isHost ? underived : ofFailure(reason), out);
}

const underived = unavailable(
  "wallet", "chain-underived", "the descriptors of the wallet give no addresses",
);

function replied(m: Esplora, token: number, status: number, body: string, out: Effect[]): void {
  const talk = m.talks.get(token);
  // A derivation is answered by `given`.
  if (talk === undefined || talk.want === "addresses") return;
  const reply = says.read(status, body);
  switch (reply.type) {
    case "trouble": return ended(m, token, reply.answer, out);
    case "absent": return absence(m, token, talk, out);
    case "said": return said(m, token, talk, reply.body, out);
    default: return unreachable(reply); /* c8 ignore next */
  }
}

/** Only a transaction and an earlier block may be missing; a tip that is gone has just moved. */
function absence(m: Esplora, token: number, talk: Talk, out: Effect[]): void {
  switch (talk.want) {
    case "tx": return get(m, token, talk, "hash-again", "/blocks/tip/hash", out);
    case "since": return kept(m, token, talk, false, out);
    case "block": return again(m, token, talk, out);
    case "genesis": case "hash": case "hash-again": case "used": case "utxo": case "txs":
    case "addresses":
      return ended(m, token, says.garbled(), out);
    default: return unreachable(talk.want); /* c8 ignore next */
  }
}

function said(m: Esplora, token: number, talk: Talk, body: string, out: Effect[]): void {
  const { json } = m.config;
  switch (talk.want) {
    case "genesis": return genesis(m, token, says.hash(body), out);
    case "hash": return tipped(m, token, talk, says.hash(body), out);
    case "block": return block(m, token, talk, says.block(body, json), out);
    case "since": {
      const isKept = says.isKept(body, json);
      if (isKept === undefined) return ended(m, token, says.garbled(), out);
      return kept(m, token, talk, isKept, out);
    }
    case "used": return used(m, token, talk, says.usage(body, json), out);
    case "utxo": return unspent(m, token, talk, says.utxos(body, json), out);
    case "tx": return tx(m, token, talk, says.tx(body, json), out);
    case "txs": return paid(m, token, talk, says.txs(body, json), out);
    case "hash-again": return settled(m, token, talk, says.hash(body), out);
    case "addresses": return;
    default: return unreachable(talk.want); /* c8 ignore next */
  }
}

function genesis(m: Esplora, token: number, hash: string | undefined, out: Effect[]): void {
  if (hash === undefined) return ended(m, token, says.garbled(), out);
  if (hash === says.genesis[m.config.network]) {
    return ended(m, token, { ok: true, ask: "prepare", imported: 0, isScanned: true }, out);
  }
  const text = `the server is not on ${m.config.network}`;
  ended(m, token, unavailable("wrong-network", "chain-network", text), out);
}

function tipped(
  m: Esplora, token: number, talk: Talk, hash: string | undefined, out: Effect[],
): void {
  if (hash === undefined) return ended(m, token, says.garbled(), out);
  get(m, token, talk, "block", `/block/${hash}`, out);
}

function block(
  m: Esplora, token: number, talk: Talk, found: ReturnType<typeof says.block>, out: Effect[],
): void {
  if (found === undefined) return ended(m, token, says.garbled(), out);
  talk.tip = { ...found, isSynced: true, keptSince: undefined };
  const { question } = talk;
  const since = question.ask === "tip" ? question.since : undefined;
  if (since === undefined) return proceed(m, token, talk, talk.tip, out);
  if (since === found.hash) return kept(m, token, talk, true, out);
  get(m, token, talk, "since", `/block/${since}/status`, out);
}

function kept(m: Esplora, token: number, talk: Talk, isKept: boolean, out: Effect[]): void {
  assert(talk.tip !== undefined, "the tip comes first");
  const tip: Tip = { ...talk.tip, keptSince: isKept };
  ended(m, token, { ok: true, ask: "tip", tip }, out);
}

/** The tip is known; now what was asked. */
function proceed(m: Esplora, token: number, talk: Talk, tip: Tip, out: Effect[]): void {
  const { question } = talk;
  switch (question.ask) {
    case "tip": return ended(m, token, { ok: true, ask: "tip", tip }, out);
    case "coins": return walk(m, token, talk, out);
    case "rescan":
      return ended(m, token, { ok: true, ask: "rescan", fromHeight: 0, toHeight: tip.height }, out);
    case "tx": return get(m, token, talk, "tx", `/tx/${question.txid}`, out);
    case "address":
      return get(m, token, talk, "txs", `/address/${question.address}/txs`, out);
    case "prepare": case "rescan-progress": return assert(false, "asked without a tip");
    default: return unreachable(question); /* c8 ignore next */
  }
}

/** The next address, the next branch, or the end. */
function walk(m: Esplora, token: number, talk: Talk, out: Effect[]): void {
  const { config } = m;
  const w = talk.walk;
  if (w.gap >= config.gapMax) {
    w.branchAt += 1;
    w.index = 0;
    w.gap = 0;
    w.addresses = [];
  }
  const at = config.branches[w.branchAt];
  if (at === undefined) return get(m, token, talk, "hash-again", "/blocks/tip/hash", out);
  if (w.index > config.indexMax) {
    const text = `a branch is used beyond address ${config.indexMax}`;
    return ended(m, token, unavailable("too-many", "chain-many", text), out);
  }
  const [address] = w.addresses;
  if (address !== undefined) return get(m, token, talk, "used", `/address/${address}`, out);
  talk.want = "addresses";
  const { mixdepth, branch } = at;
  const count = config.gapMax - w.gap;
  const permille = Math.floor((w.branchAt * 1_000) / config.branches.length);
  out.push({ type: "progress", token, progress: { permille, atHeight: undefined } });
  out.push({ type: "derive", token, mixdepth, branch, from: w.index, count });
}

function given(m: Esplora, token: number, addresses: readonly string[], out: Effect[]): void {
  const talk = m.talks.get(token);
  if (talk?.want !== "addresses") return;
  assert(addresses.length === m.config.gapMax - talk.walk.gap, "as many addresses as were wanted");
  assert(addresses.every(isAddress), "an address fits into a path");
  talk.walk.addresses = addresses;
  walk(m, token, talk, out);
}

function used(
  m: Esplora, token: number, talk: Talk, usage: ReturnType<typeof says.usage>, out: Effect[],
): void {
  if (usage === undefined) return ended(m, token, says.garbled(), out);
  const w = talk.walk;
  w.gap = usage.isUsed ? 0 : w.gap + 1;
  if (usage.unspent > 0) {
    return get(m, token, talk, "utxo", `/address/${w.addresses[0]!}/utxo`, out);
  }
  onwards(m, token, talk, out);
}

function onwards(m: Esplora, token: number, talk: Talk, out: Effect[]): void {
  talk.walk.index += 1;
  talk.walk.addresses = talk.walk.addresses.slice(1);
  walk(m, token, talk, out);
}

function unspent(
  m: Esplora, token: number, talk: Talk, found: readonly says.Utxo[] | undefined, out: Effect[],
): void {
  if (found === undefined) return ended(m, token, says.garbled(), out);
  const { coins, branchAt, index, addresses } = talk.walk;
  const { mixdepth, branch } = m.config.branches[branchAt]!;
  for (const { outpoint, valueSat, place } of found) {
    coins.push({
      outpoint, valueSat, address: addresses[0]!, confirmations: depth(talk, place),
      mixdepth, branch, index, isLocked: false,
    });
  }
  if (coins.length > m.config.coinsMax) {
    const text = `more than ${m.config.coinsMax} coins`;
    return ended(m, token, unavailable("too-many", "chain-many", text), out);
  }
  onwards(m, token, talk, out);
}

/** Confirmations at the tip of this question; a block beyond it makes the end unsettled. */
function depth(talk: Talk, place: says.Place): number {
  assert(talk.tip !== undefined, "the tip comes first");
  if (place === undefined) return 0;
  const confirmations = talk.tip.height - place.height + 1;
  return confirmations >= 1 ? confirmations : 1;
}

function tx(
  m: Esplora, token: number, talk: Talk, told: says.Told | undefined, out: Effect[],
): void {
  if (told === undefined) return ended(m, token, says.garbled(), out);
  if (talk.question.ask !== "tx" || told.txid !== talk.question.txid) {
    return ended(m, token, says.garbled(), out);
  }
  const { place, outputs } = told;
  const confirmations = depth(talk, place);
  ended(m, token, { ok: true, ask: "tx", tx: { confirmations, outputs, ...place } }, out);
}

function paid(
  m: Esplora, token: number, talk: Talk, told: readonly says.Told[] | undefined, out: Effect[],
): void {
  const { question } = talk;
  if (told === undefined || question.ask !== "address") return ended(m, token, says.garbled(), out);
  const payments: Payment[] = [];
  for (const { txid, place, outputs } of told) {
    const confirmations = depth(talk, place);
    for (const { vout, valueSat, address } of outputs) {
      if (address === question.address) payments.push({ txid, vout, valueSat, confirmations });
    }
  }
  if (payments.length > 0) return ended(m, token, { ok: true, ask: "address", payments }, out);
  get(m, token, talk, "hash-again", "/blocks/tip/hash", out);
}

/** At the end the tip must be what it was; "not there" and "no more coins" hang on it. */
function settled(
  m: Esplora, token: number, talk: Talk, hash: string | undefined, out: Effect[],
): void {
  const { tip, walk: { coins } } = talk;
  if (hash === undefined || tip === undefined) return ended(m, token, says.garbled(), out);
  if (hash !== tip.hash) return again(m, token, talk, out);
  if (talk.question.ask !== "coins") return ended(m, token, absent(), out);
  coins.sort((a, b) => (a.outpoint < b.outpoint ? -1 : a.outpoint > b.outpoint ? 1 : 0));
  ended(m, token, { ok: true, ask: "coins", tip, coins, foreign: 0 }, out);
}

function again(m: Esplora, token: number, talk: Talk, out: Effect[]): void {
  if (talk.attempt >= m.config.attemptsMax) {
    const text = "the tip moved during every look";
    return ended(m, token, unavailable("unsettled", "chain-unsettled", text), out);
  }
  talk.attempt += 1;
  talk.tip = undefined;
  talk.walk = walkOf();
  get(m, token, talk, "hash", "/blocks/tip/hash", out);
}
