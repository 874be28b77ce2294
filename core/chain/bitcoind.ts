/**
 * Bitcoin Core as a backend: a question becomes the calls of its plan, one request after the other.
 *
 * Rule 1: each question has at most one request under way, and its own plan (`plans/`). Questions
 * do not wait for each other: a scan of hours runs beside a look at the tip.
 * Rule 2: a password that is refused is read again, once for each question (Core makes a new cookie
 * whenever it starts); then the answer is `credentials`.
 * Rule 3: a wallet that is not loaded is loaded, once for each question, and the call repeated.
 * Only "prepare" makes one.
 * Rule 4: the plans' answers are all the answers there are; every other turn of events (no reply,
 * a reply that is none) ends the question as unavailable. Nothing ends it as absent or empty.
 *
 * Keeps no time: see `chain.ts`. Knows no password and no address of the node.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import { NEVER, type Mono } from "../time.ts";
import {
  ofFailure, turnedAway, type Answer, type Effect, type Event, type Question, type Wish,
} from "./chain.ts";
import * as address from "./plans/address.ts";
import * as coins from "./plans/coins.ts";
import { anyFailed, done, garbled, readBy, type Config, type Move } from "./plans/plan.ts";
import * as prepare from "./plans/prepare.ts";
import * as scan from "./plans/scan.ts";
import * as tip from "./plans/tip.ts";
import * as tx from "./plans/tx.ts";
import { walletOf } from "./replies.ts";
import { codes, decode, encode, ofError, type Call, type Outcome } from "./rpc.ts";

export { defaults, type Config } from "./plans/plan.ts";

type Progress = { readonly plan: "progress" };
type Stage =
  | address.Stage | coins.Stage | prepare.Stage | scan.Stage | tip.Stage | tx.Stage | Progress;

/** One question, and the request that is under way for it. */
export type Talk = {
  stage: Stage;
  sent: { readonly calls: readonly Call[]; readonly isWallet: boolean; readonly timeoutMs: number };
  serial: number;
  hasRenewed: boolean;
  /** The wallet is being loaded, to repeat what was sent; or was. */
  loading: "no" | "asked" | "done";
};

export type Bitcoind = {
  readonly config: Config;
  readonly talks: Map<number, Talk>;
  /** Requests so far. */
  serial: number;
};

const headers: Wish["headers"] = [["content-type", "application/json"]];

/** A backend with nothing asked. Asserts the relations of `config`. */
export function create(config: Config): Bitcoind {
  assert(/^[A-Za-z0-9._-]{1,64}$/.test(config.wallet), "a wallet's name that fits into a path");
  assert(config.watch.length >= 1, "a wallet that watches nothing");
  assert(config.questionsMax >= 1, "no question could be asked");
  assert(config.attemptsMax >= 1, "a question is asked");
  assert(config.scanBlocks >= 1, "a part of a scan has blocks");
  assert(config.birthHeight >= 0, "no block lies below the first");
  assert(config.indexMax >= 0, "no address would be watched");
  return { config, talks: new Map(), serial: 0 };
}

/** Takes one event; what comes for a question that has its answer changes nothing. */
export function step(m: Bitcoind, event: Event, _now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "asked": return asked(m, event.token, event.question, out);
    case "dropped": return dropped(m, event.token, out);
    case "replied": return replied(m, event.token, event.status, event.body, out);
    case "failed": return ended(m, event.token, ofFailure(event.reason), out);
    case "given": case "tick": return;
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** Never: the table of requests keeps the time. */
export function deadline(_m: Bitcoind): Mono {
  return NEVER;
}

/** Is nobody waiting for an answer? */
export function isQuiet(m: Bitcoind): boolean {
  return m.talks.size === 0;
}

function asked(m: Bitcoind, token: number, question: Question, out: Effect[]): void {
  assert(!m.talks.has(token), "a token is used once");
  const answer = turnedAway(question, m.talks.size, m.config.questionsMax);
  if (answer !== undefined) return void out.push({ type: "answered", token, answer });
  follow(m, token, undefined, begin(m.config, question), out);
}

function dropped(m: Bitcoind, token: number, out: Effect[]): void {
  if (m.talks.delete(token)) out.push({ type: "withdraw", token });
}

function begin(config: Config, question: Question): Move<Stage> {
  switch (question.ask) {
    case "tip": return tip.begin(config, question.since);
    case "coins": return coins.begin(config);
    case "rescan": return scan.begin(config, question.fromHeight);
    case "rescan-progress": return progress(config);
    case "tx": return tx.begin(config, question.txid, question.address);
    case "address": return address.begin(config, question.address);
    case "prepare": return prepare.begin(config);
    default: return unreachable(question); /* c8 ignore next */
  }
}

function resume(config: Config, stage: Stage, outcomes: readonly Outcome[]): Move<Stage> {
  switch (stage.plan) {
    case "tip": return tip.resume(config, outcomes);
    case "coins": return coins.resume(config, stage, outcomes);
    case "scan": return scan.resume(config, stage, outcomes);
    case "progress": return progressed(outcomes);
    case "tx": return tx.resume(config, stage, outcomes);
    case "address": return address.resume(config, stage, outcomes);
    case "prepare": return prepare.resume(config, stage, outcomes);
    default: return unreachable(stage); /* c8 ignore next */
  }
}

function progress(config: Config): Move<Progress> {
  const calls: readonly Call[] = [["getwalletinfo"]];
  const stage: Progress = { plan: "progress" };
  return { type: "call", calls, isWallet: true, timeoutMs: config.callMs, stage };
}

function progressed(outcomes: readonly Outcome[]): Move<Progress> {
  const wrong = anyFailed(outcomes);
  if (wrong !== undefined) return done(wrong);
  const wallet = readBy(outcomes[0], walletOf);
  if (wallet === undefined) return done(garbled());
  return done({ ok: true, ask: "rescan-progress", progress: wallet.scanning });
}

function replied(
  m: Bitcoind, token: number, status: number, body: string, out: Effect[],
): void {
  const talk = m.talks.get(token);
  if (talk === undefined) return;
  const count = talk.loading === "asked" ? 1 : talk.sent.calls.length;
  const reply = decode(status, body, talk.serial, count, m.config.json);
  if (reply.ok) return understood(m, token, talk, reply.outcomes, out);
  if (reply.reason !== "credentials" || talk.hasRenewed) return ended(m, token, reply, out);
  talk.hasRenewed = true;
  send(m, token, talk, true, out);
}

function understood(
  m: Bitcoind, token: number, talk: Talk, outcomes: readonly Outcome[], out: Effect[],
): void {
  if (talk.loading === "asked") return loaded(m, token, talk, outcomes[0]!, out);
  const starting = outcomes.find((outcome) => !outcome.ok && outcome.code === codes.warmUp);
  if (starting?.ok === false) {
    return ended(m, token, ofError(starting.code, starting.message), out);
  }
  if (talk.sent.isWallet && talk.loading === "no" && outcomes.some(isMissing)) {
    talk.loading = "asked";
    return send(m, token, talk, false, out);
  }
  follow(m, token, talk, resume(m.config, talk.stage, outcomes), out);
}

function isMissing(outcome: Outcome): boolean {
  return !outcome.ok && outcome.code === codes.walletMissing;
}

/** The wallet is there, by us or by somebody else, and what was sent is sent again. */
function loaded(m: Bitcoind, token: number, talk: Talk, outcome: Outcome, out: Effect[]): void {
  if (!outcome.ok && outcome.code !== codes.walletLoaded) {
    return ended(m, token, ofError(outcome.code, outcome.message), out);
  }
  talk.loading = "done";
  send(m, token, talk, false, out);
}

/** Does what the plan wants next. `talk` is `undefined` at its beginning, which is a call. */
function follow(
  m: Bitcoind, token: number, talk: Talk | undefined, move: Move<Stage>, out: Effect[],
): void {
  if (move.type === "done") return ended(m, token, move.answer, out);
  if (move.told !== undefined) out.push({ type: "progress", token, progress: move.told });
  const { stage, calls, isWallet, timeoutMs } = move;
  const next: Talk = talk
    ?? { stage, sent: { calls, isWallet, timeoutMs }, serial: 0, hasRenewed: false, loading: "no" };
  next.stage = stage;
  next.sent = { calls, isWallet, timeoutMs };
  m.talks.set(token, next);
  send(m, token, next, false, out);
}

function send(m: Bitcoind, token: number, talk: Talk, renew: boolean, out: Effect[]): void {
  const { config } = m;
  m.serial += 1;
  talk.serial = m.serial;
  const isLoading = talk.loading === "asked";
  const calls: readonly Call[] = isLoading ? [["loadwallet", config.wallet]] : talk.sent.calls;
  const isWallet = talk.sent.isWallet && !isLoading;
  out.push({
    type: "request", token, to: config.to, method: "POST",
    path: isWallet ? `/wallet/${config.wallet}` : "/", headers,
    body: encode(calls, m.serial), renew,
    timeoutMs: isLoading ? config.walletMs : talk.sent.timeoutMs,
  });
}

function ended(m: Bitcoind, token: number, answer: Answer, out: Effect[]): void {
  if (m.talks.delete(token)) out.push({ type: "answered", token, answer });
}
