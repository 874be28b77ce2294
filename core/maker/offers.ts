/**
 * What the maker offers: what is public now, what comes next, and when it may be said.
 *
 * Rule 1: whatever is public can be honoured from the coins that are known. A balance that no
 * longer suffices is answered in the same step, in an outage too: smaller offers, or `cancel`.
 * Rule 2: any other change of balance waits a random while, so that nobody can match the offers of
 * a maker with transactions of the chain. Nothing else waits for it: until then the old offers are
 * public, answered and honoured.
 * Rule 3: fees and sizes are drawn anew only when the balance or the terms have changed, so that
 * chance alone announces nothing. A balance that returns brings back what was public for it.
 * Rule 4: nothing is public that could not be kept or accounted for: not while the journal takes
 * no records, not once the backend has been down for longer than the grace, and after that not
 * before the coins were looked at again. What was public is cancelled, and announced again
 * afterwards if the balance is the same.
 * Rule 5: on mainnet nothing is announced unless the operator allows it: a daemon that cannot
 * serve a coinjoin would only lead takers into a void.
 * Rule 6: the proof of a bond goes into private replies and never into `announce`.
 *
 * Knows no directories, nicks or signatures, and no coins by name.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Network } from "../directory/config.ts";
import * as offer from "../joinmarket/offer.ts";
import type { Offer } from "../joinmarket/offer.ts";
import type { LogEffect, Tick } from "../kernel/io.ts";
import * as prng from "../prng.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import * as offermath from "./offermath.ts";

export type Config = {
  readonly network: Network;
  /** Announce on mainnet too. False. */
  readonly isMainnetAllowed: boolean;
  /** The offers, by number. At most `offermath.offersMax`; none announces nothing. */
  readonly terms: readonly offermath.Terms[];
  /**
   * The longest random wait before a change of balance is announced; 0: none. 600,000, as in
   * joinmarket-ng; at most a day.
   */
  readonly announceDelayMaxMs: number;
  /** How long the backend may be down before the offers are withdrawn. 120,000: a restart. */
  readonly backendGraceMs: number;
};

export const defaults: Config = {
  network: "mainnet", isMainnetAllowed: false, terms: offermath.defaults,
  announceDelayMaxMs: 600_000, backendGraceMs: 120_000,
};

/** No wait of the configuration is longer: a day. */
export const waitMsMax = 86_400_000;

export type Event =
  /** The wallet was looked at; all balances that can be offered. Also when nothing has changed. */
  | { readonly type: "coins"; readonly balances: readonly offermath.Balance[] }
  /** The same, of a backend that is not well otherwise: only less than before is believed. */
  | { readonly type: "glimpsed"; readonly balances: readonly offermath.Balance[] }
  | { readonly type: "backend"; readonly isUp: boolean }
  /** Whether records become durable. Until it is said, they do not. */
  | { readonly type: "journal"; readonly isWritable: boolean }
  | { readonly type: "reloaded"; readonly config: Config }
  /** The daemon is ending: everything is cancelled, nothing is announced again. */
  | { readonly type: "stopped" }
  | Tick;

export type Effect =
  /**
   * To be said in public through every directory, each line for itself, in this order. Who connects
   * later gets `publicLines` instead.
   */
  | { readonly type: "announce"; readonly version: number; readonly lines: readonly string[] }
  | LogEffect;

/** Why nothing may be public. `coins`: they were not looked at since the start or an outage. */
export type Block = "mainnet" | "stopped" | "journal" | "backend" | "coins";

/** Offers, and what they were drawn from. */
export type Draw = {
  readonly balanceSat: bigint; readonly termsKey: string; readonly offers: readonly Offer[];
};

/** `back`: up, but the coins that are known may be old. */
type Backend =
  | { readonly phase: "up" | "lost" | "back" }
  | { readonly phase: "down"; readonly sinceAt: Mono };

export type Offers = {
  config: Config;
  termsKey: string;
  readonly chance: prng.Prng;
  /** Counts the announcements. */
  version: number;
  backend: Backend;
  isWritable: boolean;
  isStopped: boolean;
  /** Rule 5 was logged. */
  isRefusalSaid: boolean;
  /** The largest that was seen last. */
  balanceSat: bigint | undefined;
  /** What was public last, and still is with `isPublic`. */
  told: Draw | undefined;
  isPublic: boolean;
  /** What will be public instead, `holdUntil` at the latest if nothing blocks it. */
  next: Draw | undefined;
  holdUntil: Mono | undefined;
};

/** Nothing is known yet and nothing public. `chance` is this machine's alone. */
export function create(config: Config, chance: prng.Prng): Offers {
  assertConfig(config);
  return {
    config, termsKey: keyOf(config.terms), chance, version: 0, backend: { phase: "back" },
    isWritable: false, isStopped: false, isRefusalSaid: false, balanceSat: undefined,
    told: undefined, isPublic: false, next: undefined, holdUntil: undefined,
  };
}

export function step(m: Offers, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "coins": return coins(m, event.balances, now, out);
    case "glimpsed": return glimpsed(m, event.balances, now, out);
    case "backend": return backend(m, event.isUp, now, out);
    case "journal": return journal(m, event.isWritable, now, out);
    case "reloaded": return reloaded(m, event.config, now, out);
    case "stopped": return stopped(m, now, out);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** The end of the grace or of the wait before an announcement. */
export function deadline(m: Offers): Mono {
  const graceAt = m.backend.phase === "down" ? graceEnd(m, m.backend.sinceAt) : NEVER;
  if (m.next === undefined || m.holdUntil === undefined || blockOf(m) !== undefined) return graceAt;
  return soonest(graceAt, m.holdUntil);
}

/** What is public now, by number: what a taker may ask for. */
export function current(m: Offers): readonly Offer[] {
  return m.isPublic && m.told !== undefined ? m.told.offers : [];
}

/** The offer that a taker names, if it is public now. */
export function find(m: Offers, oid: number): Offer | undefined {
  return current(m).find((o) => o.oid === oid);
}

/** What a directory that is reached just now has to be told in public: one line an offer. */
export function publicLines(m: Offers): readonly string[] {
  return current(m).map(offer.encode);
}

/**
 * The private replies to `!orderbook`: one for each offer, each to be signed as a whole; none while
 * nothing is public. `bond` is the base64 of the proof that was made for this taker.
 */
export function orderbookReply(m: Offers, bond: string | undefined): readonly string[] {
  if (bond === undefined) return publicLines(m);
  assert(/^[A-Za-z0-9+/]+={0,2}$/.test(bond), "a bond proof is base64");
  return publicLines(m).map((line) => `${line}!tbond ${bond}`);
}

/** Why nothing may be public at the moment; `undefined` if something may. */
export function blockOf(m: Offers): Block | undefined {
  if (m.config.network === "mainnet" && !m.config.isMainnetAllowed) return "mainnet";
  if (m.isStopped) return "stopped";
  if (!m.isWritable) return "journal";
  if (m.backend.phase === "lost") return "backend";
  return m.backend.phase === "back" || m.balanceSat === undefined ? "coins" : undefined;
}

function coins(
  m: Offers, balances: readonly offermath.Balance[], now: Mono, out: Effect[],
): void {
  m.balanceSat = offermath.largestSat(balances);
  assert(m.balanceSat >= 0n, "a balance is not negative");
  if (m.backend.phase === "back") m.backend = { phase: "up" };
  settle(m, now, out);
}

function glimpsed(
  m: Offers, balances: readonly offermath.Balance[], now: Mono, out: Effect[],
): void {
  const seenSat = offermath.largestSat(balances);
  if (m.balanceSat === undefined || seenSat >= m.balanceSat) return;
  m.balanceSat = seenSat;
  settle(m, now, out);
}

function backend(m: Offers, isUp: boolean, now: Mono, out: Effect[]): void {
  const { phase } = m.backend;
  if (isUp && phase === "down") m.backend = { phase: isOver(m, now) ? "back" : "up" };
  else if (isUp && phase === "lost") m.backend = { phase: "back" };
  else if (!isUp && phase === "up") m.backend = { phase: "down", sinceAt: now };
  else if (!isUp && phase === "back") m.backend = { phase: "lost" };
  settle(m, now, out);
}

function journal(m: Offers, isWritable: boolean, now: Mono, out: Effect[]): void {
  m.isWritable = isWritable;
  settle(m, now, out);
}

/** Other terms are announced at once: the operator's change says nothing about coins. */
function reloaded(m: Offers, config: Config, now: Mono, out: Effect[]): void {
  assertConfig(config);
  m.config = config;
  m.termsKey = keyOf(config.terms);
  if (m.holdUntil !== undefined) {
    m.holdUntil = soonest(m.holdUntil, after(now, config.announceDelayMaxMs));
  }
  settle(m, now, out);
}

function stopped(m: Offers, now: Mono, out: Effect[]): void {
  m.isStopped = true;
  settle(m, now, out);
}

function tick(m: Offers, now: Mono, out: Effect[]): void {
  if (now >= deadline(m)) settle(m, now, out);
}

/** Makes public what should be, and nothing else. Without a change it does nothing. */
function settle(m: Offers, now: Mono, out: Effect[]): void {
  if (isOver(m, now)) m.backend = { phase: "lost" };
  const block = blockOf(m);
  if (block !== undefined) return withdraw(m, block, out);
  plan(m, now, out);
  if (m.next === undefined) return restore(m, out);
  if (isUrgent(m) || m.holdUntil === undefined || m.holdUntil <= now) publish(m, m.next, out);
}

/** Draws what should come next, unless it is drawn already or public. */
function plan(m: Offers, now: Mono, out: Effect[]): void {
  if (isFor(m, m.told)) {
    m.next = undefined;
    m.holdUntil = undefined;
    return;
  }
  if (isFor(m, m.next)) return;
  const { balanceSat, termsKey } = m;
  assert(balanceSat !== undefined, "offers are drawn from a known balance");
  m.next = {
    balanceSat, termsKey, offers: offermath.draw(m.config.terms, balanceSat, m.chance),
  };
  if (m.told === undefined || m.told.termsKey !== termsKey) m.holdUntil = undefined;
  else m.holdUntil ??= held(m, now, out);
}

/** Rule 2. A further change of balance does not make the wait any longer. */
function held(m: Offers, now: Mono, out: Effect[]): Mono {
  const delayMs = prng.between(m.chance, 0, m.config.announceDelayMaxMs);
  if (delayMs > 0 && !isUrgent(m)) log(out, "info", "maker.offers-held", { delayMs });
  return after(now, delayMs);
}

/** Rule 1: something public can no longer be kept. */
function isUrgent(m: Offers): boolean {
  const { balanceSat } = m;
  if (balanceSat === undefined) return false;
  return current(m).some((o) => !offermath.isHonourable(o, balanceSat));
}

/** What was public before an outage is so again, word for word. */
function restore(m: Offers, out: Effect[]): void {
  if (m.isPublic || m.told === undefined) return;
  publish(m, m.told, out);
}

function publish(m: Offers, draw: Draw, out: Effect[]): void {
  const before = current(m);
  const known = new Set(before.map(offer.encode));
  const kept = new Set(draw.offers.map((o) => o.oid));
  const cancels = before.filter((o) => !kept.has(o.oid)).map((o) => offer.encodeCancel(o.oid));
  const fresh = draw.offers.map(offer.encode).filter((line) => !known.has(line));
  const wasEmpty = m.told !== undefined && m.told.offers.length === 0;
  m.told = draw;
  m.isPublic = true;
  m.next = undefined;
  m.holdUntil = undefined;
  if (draw.offers.length === 0 && !wasEmpty) {
    log(out, "warn", "maker.offers-none", { amountSat: String(draw.balanceSat) });
  }
  announce(m, [...cancels, ...fresh], out);
}

function withdraw(m: Offers, block: Block, out: Effect[]): void {
  if (block === "mainnet" && !m.isRefusalSaid) log(out, "warn", "maker.offers-refused", { block });
  m.isRefusalSaid = block === "mainnet";
  const cancels = current(m).map((o) => offer.encodeCancel(o.oid));
  m.isPublic = false;
  if (cancels.length === 0) return;
  log(out, "warn", "maker.offers-withdrawn", { block, offers: cancels.length });
  announce(m, cancels, out);
}

function announce(m: Offers, lines: readonly string[], out: Effect[]): void {
  if (lines.length === 0) return;
  m.version += 1;
  const { version } = m;
  out.push({ type: "announce", version, lines });
  if (!m.isPublic) return;
  log(out, "info", "maker.offers-announced", {
    version, offers: current(m).length, amountSat: String(mostSat(current(m))),
  });
}

/** The largest coinjoin of any of these offers. */
function mostSat(list: readonly Offer[]): bigint {
  return list.reduce((most, o) => (o.maxsizeSat > most ? o.maxsizeSat : most), 0n);
}

function isFor(m: Offers, draw: Draw | undefined): boolean {
  return draw !== undefined && draw.balanceSat === m.balanceSat && draw.termsKey === m.termsKey;
}

function isOver(m: Offers, now: Mono): boolean {
  return m.backend.phase === "down" && now >= graceEnd(m, m.backend.sinceAt);
}

function graceEnd(m: Offers, sinceAt: Mono): Mono {
  return after(sinceAt, m.config.backendGraceMs);
}

/** Equal for terms that draw alike, different for others. */
function keyOf(list: readonly offermath.Terms[]): string {
  return list.map((terms) => {
    const { kind, minsizeSat, txfeeSat, txfeeSpreadPpm, cjfeeSpreadPpm, sizeSpreadPpm } = terms;
    const fee = "cjfeeSat" in terms ? terms.cjfeeSat
      : `${terms.cjfee.units}/${terms.cjfee.scale}`;
    return [
      kind, minsizeSat, txfeeSat, txfeeSpreadPpm, cjfeeSpreadPpm, sizeSpreadPpm, fee,
    ].map(String).join(" ");
  }).join("\n");
}

function log(
  out: Effect[], level: LogEffect["level"], code: string, fields: LogEffect["fields"],
): void {
  out.push({ type: "log", level, code, fields });
}

function assertConfig(config: Config): void {
  const found = offermath.objection(config.terms);
  assert(found === undefined, `the offers: ${found ?? ""}`);
  for (const ms of [config.announceDelayMaxMs, config.backendGraceMs]) {
    assert(Number.isSafeInteger(ms), "a wait is a whole number of milliseconds");
    assert(ms >= 0 && ms <= waitMsMax, "a wait is at most a day");
  }
}
