/**
 * Sees VTXOs to the chain that cannot stay: begins exits in time, asks early whether they can be
 * paid, watches them, and claims what has arrived.
 *
 * Rule 1: an exit is begun when its stage is `exit-now`, the height is proven, the operator allows
 * it (`autoExit`), it is worth it and not known to be unpayable. Otherwise the operator is told
 * what is to be done, once for each VTXO and reason. An exit that somebody has called off is his.
 * Rule 2: from `due` on it is asked what an exit would cost and whether the wallet can pay; that it
 * cannot is told, and when it can again. What can be paid leaves, though not all can (`funds.ts`).
 * Rule 3: whatever leaves, or is about to, is refreshed no more (`leaving`). A refresh that is
 * still open keeps its VTXOs until it is settled, which its patience bounds: `marginBlocks` is for
 * that. The operator is told that an exit waits for it. So does an exit of what the wallet has
 * locked for a round of its own, until that margin is over.
 * Rule 4: an exit has begun when the wallet lists it; a claim is made when the wallet lists it as
 * being claimed. That something is there no more, or is claimable no more, proves neither: blocks
 * are undone. What does not show in time has come to nothing; but nothing is settled during a call.
 * Rule 5: claims only where allowed, and to the destination that the operator named.
 * Not known here: records and calls (`drive.ts`); the lane that makes exits go on.
 * @module
 */
import { assert } from "../assert.ts";
import * as backoff from "../backoff.ts";
import type { ArkNotice, ClaimBlock, ExitBlock } from "../notify/ark.ts";
import type { Prng } from "../prng.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import * as drive from "./drive.ts";
import { byExpiry, isAtLeast, type Coin, type Config as ExpiryConfig } from "./expiry.ts";
import * as funds from "./funds.ts";
import type { Effect, Sight } from "./guardian-events.ts";
import { isText, type Intent, type Settled } from "./intents.ts";
import { isBeyondMargin } from "./patience.ts";
import { isLeaving } from "./refresh.ts";
import * as still from "./still.ts";
import type { Op } from "./wallet.ts";

export type Config = still.Config & funds.Config & {
  /** May the daemon begin exits? Off: it costs fees and cannot be taken back. */
  readonly autoExit: boolean;
  /** And of what has expired already? Off. */
  readonly exitExpired: boolean;
  /** What is worth less leaves by hand only, in satoshis. 10,000. */
  readonly exitMinSat: bigint;
  /** May it claim? Off. */
  readonly autoClaim: boolean;
  /** Where to; "": nowhere. */
  readonly destination: string;
  /** VTXOs in one call. 16. */
  readonly batchMax: number;
  /** An exit that was asked for shows within this, in ms. 120,000. */
  readonly exitMs: number;
  /** And a claim, in ms. 1,800,000. */
  readonly claimMs: number;
  /** What was rejected is asked for again after this, in ms. 3,600,000. */
  readonly restMs: number;
  /** Between two intents. From 5 s to 10 min. */
  readonly gap: backoff.Config;
};

export const defaults: Config = {
  ...still.defaults, ...funds.defaults, autoExit: false, exitExpired: false, exitMinSat: 10_000n,
  autoClaim: false, destination: "", batchMax: 16, exitMs: 120_000, claimMs: 1_800_000,
  restMs: 3_600_000,
  gap: { baseMs: 5_000, maxMs: 600_000, times: 2, per: 1 },
};

export type Shepherd = {
  readonly config: Config;
  readonly expiry: ExpiryConfig;
  readonly chance: Prng;
  /** About to leave; made anew at every look. */
  readonly leaving: Set<string>;
  readonly rests: Map<string, Mono>;
  /** What was told last of each VTXO that needs the operator. */
  readonly needs: Map<string, ExitBlock>;
  readonly claims: Map<string, ClaimBlock>;
  readonly still: still.Still;
  readonly funds: funds.Funds;
  /** Fewer, after one was rejected and none was named. */
  batchMax: number;
  openAt: Mono;
  failures: number;
};

/** Nothing was asked for. Asserts the ranges of `config`. */
export function create(config: Config, expiry: ExpiryConfig, chance: Prng): Shepherd {
  backoff.check(config.gap);
  const { batchMax, destination } = config;
  assert(batchMax >= 1, "a call holds something");
  assert(destination === "" || isText(destination), "a destination is short");
  const { exitMs, claimMs, restMs } = config;
  for (const ms of [exitMs, claimMs, restMs]) {
    assert(Number.isSafeInteger(ms) && ms >= 1, "a time is a whole number of milliseconds");
  }
  return {
    config, expiry, chance, leaving: new Set(), rests: new Map(), needs: new Map(),
    claims: new Map(), still: still.create(config, expiry.wallet), funds: funds.create(config),
    batchMax, openAt: NEVER, failures: 0,
  };
}

/** When something that had to wait may go on. */
export function deadline(m: Shepherd): Mono {
  let at = soonest(m.openAt, still.deadline(m.still));
  for (const until of m.rests.values()) at = soonest(at, until);
  return at;
}

/** Judges what is open, says what is to be said, and opens what is due. */
export function look(
  m: Shepherd, d: drive.Drive, s: Sight, isReady: boolean, now: Mono, out: Effect[],
): void {
  for (const [id, until] of m.rests) if (until <= now) m.rests.delete(id);
  if (m.openAt <= now) m.openAt = NEVER;
  still.look(m.still, s.exits, (id) => amountOf(m, s, id), now, out);
  arrived(m, s, out);
  judge(m, d, s, now, out);
  want(m, d, s, out);
  if (!isReady || !s.isFresh || m.openAt !== NEVER || !drive.isWritable(d)) return;
  if (d.book.open.size >= d.book.config.openMax) return;
  if (!isOpening(d, "exit") && begin(m, d, s, now, out)) return;
  if (!isOpening(d, "claim")) claim(m, d, s, now, out);
}

/** Asks what exits would cost, where that is due. */
export function feeQuestion(m: Shepherd, d: drive.Drive, s: Sight, now: Mono): readonly Op[] {
  if (!s.isFresh || !funds.isDue(m.funds, m.config, s.said, now)) return [];
  const spoken = new Set(funds.underWay(d, s));
  const list = [...s.coins.values()].filter((coin) => isAtLeast(coin, "due")
    && !isLeaving(s, coin) && coin.vtxo.amountSat >= m.config.exitMinSat && isText(coin.vtxo.id)
    && !spoken.has(coin.vtxo.id));
  if (list.length === 0) return [];
  const vtxos = [...spoken, ...firstOf(m, list)].slice(0, m.config.batchMax);
  return funds.ask(m.funds, vtxos, s.said, now);
}

/** What the wallet says of costs; nothing, if it did not say. */
export function feeHeard(
  m: Shepherd, d: drive.Drive, s: Sight, said: funds.Said, out: Effect[],
): void {
  const spoken = funds.underWay(d, s);
  const list = [...s.coins.values()].filter((coin) => isAtLeast(coin, "exit-now")
    && !isLeaving(s, coin) && !spoken.includes(coin.vtxo.id)
    && otherBlockOf(m, s, coin) === undefined);
  const exits = { spoken, wanted: firstOf(m, list), max: m.config.batchMax };
  const news = funds.heard(m.funds, said, exits);
  const { wallet } = m.expiry;
  if (news === "ark-exit-fundable") notify(out, { kind: news, wallet });
  if (news !== "ark-exit-unfundable" || m.funds.fee === undefined) return;
  const { count, feeSat } = m.funds.fee;
  notify(out, { kind: news, wallet, count, feeSat });
}

/** Those that expire first, as many as a call holds. */
function firstOf({ config: { batchMax } }: Shepherd, list: readonly Coin[]): readonly string[] {
  const first = list.toSorted((a, b) => byExpiry(a.vtxo, b.vtxo)).slice(0, batchMax);
  return first.map(({ vtxo }) => vtxo.id);
}

/** May this one be asked for right now, as far as anybody sees? */
export function mayAsk(m: Shepherd, s: Sight, { aim, vtxos, destination }: Intent): boolean {
  if (!s.isFresh) return false;
  if (aim === "exit") {
    return m.config.autoExit && vtxos.every((id) => {
      const coin = s.coins.get(id);
      if (coin === undefined || isLeaving(s, coin) || !s.isProven) return false;
      return isAtLeast(coin, "exit-now") && blockOf(m, s, coin) === undefined;
    });
  }
  return m.config.autoClaim && destination === m.config.destination
    && vtxos.every((id) => s.exits.get(id)?.state === "claimable");
}

/** A call of ours was answered. */
export function heard(m: Shepherd, one: drive.Heard, now: Mono): void {
  if (one.as === "taken") return;
  m.failures += 1;
  gap(m, now);
  if (one.as !== "rejected") return;
  const { vtxos } = one.intent;
  const named = vtxos.length === 1 ? vtxos : one.ids.filter((id) => vtxos.includes(id));
  if (named.length === 0) return void (m.batchMax = (vtxos.length + 1) >> 1);
  m.batchMax = m.config.batchMax;
  for (const id of named) m.rests.set(id, after(now, m.config.restMs));
}

/** An intent of ours has come to its end. */
export function settled(m: Shepherd, one: Settled, s: Sight, out: Effect[]): void {
  if (one.outcome !== "success") return;
  m.failures = 0;
  m.batchMax = m.config.batchMax;
  const { id: intent, vtxos: { length: count }, aim } = one;
  let amountSat = 0n;
  for (const id of one.vtxos) amountSat += amountOf(m, s, id);
  const kind = aim === "exit" ? "ark-exit-started" : "ark-exit-claimed";
  notify(out, { kind, wallet: m.expiry.wallet, intent, count, amountSat });
}

function amountOf(m: Shepherd, s: Sight, id: string): bigint {
  return s.coins.get(id)?.vtxo.amountSat ?? still.amountOf(m.still, id);
}

/** Why a VTXO that would have to leave does not; `undefined` if nothing is in the way. */
export function blockOf(m: Shepherd, s: Sight, coin: Coin): ExitBlock | undefined {
  const why = otherBlockOf(m, s, coin);
  const isPayable = !funds.isShort(m.funds, coin.vtxo.id);
  return isPayable || (why !== undefined && why !== "refreshing") ? why : "unfundable";
}

/** The same, as if everything could be paid. */
function otherBlockOf(m: Shepherd, s: Sight, coin: Coin): ExitBlock | undefined {
  const { config: c } = m;
  const { id, amountSat, state } = coin.vtxo;
  if (!c.autoExit) return "not-allowed";
  if (s.exits.get(id)?.state === "canceled") return "canceled";
  if (m.rests.has(id)) return "rejected";
  if (isOver(s, coin) && !c.exitExpired) return "expired";
  if (amountSat < c.exitMinSat || !isText(id)) return "too-small";
  return state === "locked" && !isBeyondMargin(m.expiry, s, id) ? "refreshing" : undefined;
}

/** Is it too late for an exit? A height that is counted on makes haste, and gives nothing up. */
function isOver(s: Sight, { stage, vtxo: { expiryHeight } }: Coin): boolean {
  return stage === "expired" && (s.said === undefined || s.said >= expiryHeight);
}

/** What an exit that nothing else is in the way of has to wait for. */
export function heldBy({ book, held }: drive.Drive, vtxo: string): ExitBlock | undefined {
  const id = book.byVtxo.get(vtxo);
  if (id === undefined || book.open.get(id)?.aim !== "refresh") return undefined;
  const is = held.get(id)?.phase.is;
  return is === "calling" || is === "watching" ? "refreshing" : undefined;
}

/** Who leaves, and who would have to and needs the operator. */
function want(m: Shepherd, d: drive.Drive, s: Sight, out: Effect[]): void {
  m.leaving.clear();
  const news = new Map<ExitBlock, Coin[]>();
  for (const [id, coin] of s.coins) {
    const isDue = isAtLeast(coin, "exit-now") && !isLeaving(s, coin) && s.isProven
      && coin.vtxo.state !== "spent" && coin.vtxo.amountSat >= m.expiry.quietSat;
    let why = isDue ? blockOf(m, s, coin) : undefined;
    if (isDue && why === undefined) {
      m.leaving.add(id);
      why = heldBy(d, id);
    }
    // It is being asked whether this one can be paid all the same.
    if (why === "unfundable" && m.funds.trial !== undefined) continue;
    if (why === undefined) {
      m.needs.delete(id);
    } else if (m.needs.get(id) !== why) {
      m.needs.set(id, why);
      news.set(why, [...news.get(why) ?? [], coin]);
    }
  }
  for (const id of m.needs.keys()) if (!s.coins.has(id)) m.needs.delete(id);
  for (const [why, coins] of news) tellNeed(m, s, why, coins, out);
}

function tellNeed(
  m: Shepherd, s: Sight, why: ExitBlock, coins: readonly Coin[], out: Effect[],
): void {
  const [first, ...others] = coins.map(({ vtxo }) => vtxo).toSorted(byExpiry);
  assert(first !== undefined, "a notice is about something");
  const left = first.expiryHeight - (s.tip ?? 0);
  notify(out, {
    kind: "ark-exit-needed", wallet: m.expiry.wallet, lead: first.id, count: coins.length,
    amountSat: others.reduce((sum, vtxo) => sum + vtxo.amountSat, first.amountSat),
    blocksLeft: left > 0 ? left : 0, why,
  });
}

/** Opens an exit of those that expire first. Says whether there was any. */
function begin(m: Shepherd, d: drive.Drive, s: Sight, now: Mono, out: Effect[]): boolean {
  const list: Coin[] = [];
  for (const id of m.leaving) {
    const coin = s.coins.get(id);
    if (coin !== undefined && !d.book.byVtxo.has(id)) list.push(coin);
  }
  const batch = list.map(({ vtxo }) => vtxo).toSorted(byExpiry).slice(0, batchMaxOf(m, d));
  if (batch.length === 0) return false;
  drive.open(d, "exit", batch.map(({ id }) => id), "", s.unixMs, out);
  gap(m, now);
  return true;
}

function batchMaxOf(m: Shepherd, d: drive.Drive): number {
  const { vtxosMax } = d.book.config;
  return m.batchMax < vtxosMax ? m.batchMax : vtxosMax;
}

/** Opens a claim of what has arrived, or says why not. */
function claim(m: Shepherd, d: drive.Drive, s: Sight, now: Mono, out: Effect[]): void {
  const { autoClaim, destination } = m.config;
  const batch: string[] = [];
  for (const { vtxo, state } of s.exits.values()) {
    if (state !== "claimable" || d.book.byVtxo.has(vtxo) || !isText(vtxo)) continue;
    if (autoClaim && destination !== "" && !m.rests.has(vtxo)) batch.push(vtxo);
  }
  if (batch.length === 0) return;
  const list = batch.toSorted(byText).slice(0, batchMaxOf(m, d));
  drive.open(d, "claim", list, destination, s.unixMs, out);
  gap(m, now);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function gap(m: Shepherd, now: Mono): void {
  m.openAt = after(now, backoff.delayMs(m.config.gap, m.failures, m.chance));
}

/** One intent of each kind at a time is on its way to its call, or in it. */
function isOpening(d: drive.Drive, aim: "exit" | "claim"): boolean {
  if (drive.isBusy(d, aim)) return true;
  for (const { id, phase } of d.held.values()) {
    if (d.book.open.get(id)?.aim !== aim) continue;
    if (phase.is === "opening" || phase.is === "due" || phase.is === "resting") return true;
  }
  return false;
}

/** Rule 4. */
function judge(m: Shepherd, d: drive.Drive, s: Sight, now: Mono, out: Effect[]): void {
  const from = s.exitsFrom;
  if (from === undefined || s.vtxosFrom === undefined) return;
  for (const held of d.held.values()) {
    const intent = d.book.open.get(held.id);
    const { phase } = held;
    if (intent === undefined || intent.aim === "refresh" || phase.is === "calling") continue;
    if (!drive.isSettleable(held)) continue;
    const shown = intent.vtxos.filter((id) => isShown(s, intent, id)).length;
    if (shown === intent.vtxos.length) {
      drive.settle(d, held.id, held.isAsked ? "success" : "superseded", out);
    } else if (phase.is === "watching") {
      const waitMs = intent.aim === "exit" ? m.config.exitMs : m.config.claimMs;
      if (from < after(phase.since, waitMs) || s.vtxosFrom < after(phase.since, waitMs)) continue;
      drive.settle(d, held.id, "superseded", out);
      m.failures += 1;
      gap(m, now);
    } else if (phase.is === "resting" && !intent.vtxos.every((id) => isThere(s, intent, id))) {
      drive.settle(d, held.id, "superseded", out);
    }
  }
}

/** Does the wallet show what this intent wanted of this one? */
function isShown(s: Sight, { aim }: Intent, id: string): boolean {
  const state = s.exits.get(id)?.state;
  if (aim === "claim") {
    return state === "claim-in-progress" || state === "claimed" || state === "already-spent";
  }
  const isListed = state !== undefined && state !== "canceled";
  return isListed || s.coins.get(id)?.vtxo.state === "exited";
}

/** Is there still what this intent is about? */
function isThere(s: Sight, { aim }: Intent, id: string): boolean {
  if (aim === "claim") return s.exits.get(id)?.state === "claimable";
  const coin = s.coins.get(id);
  return coin !== undefined && !isLeaving(s, coin);
}

/** What waits to be claimed by somebody. */
function arrived(m: Shepherd, s: Sight, out: Effect[]): void {
  for (const id of m.claims.keys()) {
    if (s.exits.get(id)?.state !== "claimable") m.claims.delete(id);
  }
  const waiting = new Map<ClaimBlock, string[]>();
  for (const { vtxo, state } of s.exits.values()) {
    const why = state === "claimable" ? claimBlockOf(m, vtxo) : undefined;
    if (why === undefined || m.claims.get(vtxo) === why) continue;
    m.claims.set(vtxo, why);
    waiting.set(why, [...waiting.get(why) ?? [], vtxo]);
  }
  for (const [why, list] of waiting) {
    const [lead = ""] = list.toSorted(byText);
    const { wallet } = m.expiry;
    notify(out, { kind: "ark-exit-claimable", wallet, lead, count: list.length, why });
  }
}

/** Why what has arrived is not claimed; `undefined` if nothing is in the way. */
export function claimBlockOf(m: Shepherd, vtxo: string): ClaimBlock | undefined {
  if (!m.config.autoClaim) return "not-allowed";
  if (m.config.destination === "") return "no-destination";
  return m.rests.has(vtxo) ? "rejected" : undefined;
}

function notify(out: Effect[], notice: ArkNotice): void {
  out.push({ type: "notice", notice });
}
