/**
 * What the maker owns, as it was last seen, and whether the one who sees it can be relied on.
 *
 * Rule 1: the coins are those of the last complete look. A look that failed changes none of them;
 * it makes the view older, and after `downMs` of failing the backend counts as down. So an outage
 * never looks like an empty wallet, and offers end because they cannot be honoured, not because
 * there would be nothing.
 * Rule 2: up and down are observed facts: what was seen, since when, on what evidence. Two things
 * are observed, the tip and the coins; one that fails is enough. What only a person can mend counts
 * at once.
 * Rule 3: spendable is what has `confirmationsMin`, is not locked in the backend, and not held
 * here. Held: set aside by the maker itself for something under way, each with its own end.
 *
 * Knows neither servers nor offers.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import { needsPerson } from "../chain/chain.ts";
import type { Coin, Reason, Tip } from "../chain/chain.ts";
import type { Fault } from "../fault.ts";
import type { Tick } from "../kernel/io.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";

export type Config = {
  /** Mixdepths that are watched, from 0 on; coins of others are a fault of ours. */
  readonly mixdepths: number;
  /** Confirmations that a coin needs, at least 1. */
  readonly confirmationsMin: number;
  /** A part that fails so long is down. 0: at once. */
  readonly downMs: number;
  /** Coins older than this are no ground for offers. */
  readonly viewMsMax: number;
};

export const defaults: Config = {
  mixdepths: 5, confirmationsMin: 1, downMs: 60_000, viewMsMax: 1_800_000,
};

/** The two things that a backend has to show. */
export type Part = "tip" | "coins";

/** The trouble a part is in. */
export type Trouble = {
  readonly part: Part;
  /** The first failure since the part was last seen well. */
  readonly since: Mono;
  readonly failures: number;
  /** The latest failure's. */
  readonly reason: Reason;
  readonly fault: Fault;
};

/** Down also before the first look; then `trouble` may be unknown yet. */
export type Backend =
  | { readonly state: "up"; readonly since: Mono }
  | { readonly state: "down"; readonly since: Mono; readonly trouble: Trouble | undefined };

export type Balance = {
  readonly spendableSat: bigint;
  /** The largest single spendable coin. */
  readonly largestSat: bigint;
  readonly unconfirmedSat: bigint;
  readonly lockedSat: bigint;
  readonly totalSat: bigint;
  readonly coins: number;
};

export type Event =
  /** A complete look. */
  | { readonly type: "listed"; readonly coins: readonly Coin[]; readonly tip: Tip }
  /** The part was seen well. */
  | { readonly type: "seen"; readonly part: Part }
  | {
    readonly type: "failed"; readonly part: Part;
    readonly reason: Reason; readonly fault: Fault;
  }
  | Tick;

export type Effect =
  /** What could be offered is not what it was; or it is known at last, or again. */
  | { readonly type: "changed" }
  | { readonly type: "up"; readonly downMs: number }
  /** Once for each episode. */
  | { readonly type: "down"; readonly trouble: Trouble }
  /** The coins were not seen for `viewMsMax`. Once, until they are. */
  | { readonly type: "aged" };

type Watched = { trouble: Trouble | undefined; isSeen: boolean };

export type Wallet = {
  readonly config: Config;
  coins: readonly Coin[];
  tip: Tip | undefined;
  /** When the coins were seen; `NEVER`: not yet. */
  viewedAt: Mono;
  hasAged: boolean;
  backend: Backend;
  readonly parts: { readonly [part in Part]: Watched };
};

/** A wallet that nobody has looked at. */
export function create(config: Config, now: Mono): Wallet {
  assert(config.mixdepths >= 1, "a maker has a mixdepth");
  assert(config.confirmationsMin >= 1, "a coin in no block can be taken back");
  assert(config.downMs >= 0, "a span");
  assert(config.viewMsMax >= 1, "a view has some age");
  return {
    config, coins: [], tip: undefined, viewedAt: NEVER, hasAged: false,
    backend: { state: "down", since: now, trouble: undefined },
    parts: {
      tip: { trouble: undefined, isSeen: false }, coins: { trouble: undefined, isSeen: false },
    },
  };
}

/** Takes one event. */
export function step(m: Wallet, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "listed": return listed(m, event.coins, event.tip, now, out);
    case "seen": return seen(m, event.part, now, out);
    case "failed": return failed(m, event.part, event.reason, event.fault, now, out);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When a failing part counts as down, or the view as old. */
export function deadline(m: Wallet): Mono {
  const downAt = m.backend.state === "up" ? soonest(downAtOf(m, "tip"), downAtOf(m, "coins"))
    : NEVER;
  return soonest(downAt, agedAt(m));
}

/** May offers stand on this view: a backend that is up, and coins that are not too old? */
export function isReliable(m: Wallet): boolean {
  return m.backend.state === "up" && m.viewedAt !== NEVER && !m.hasAged;
}

/** How long ago the coins were seen; `undefined`: never. */
export function ageMs(m: Wallet, now: Mono): number | undefined {
  return m.viewedAt === NEVER ? undefined : now - m.viewedAt;
}

/** What each mixdepth holds. `held`: outpoints that the maker has set aside. */
export function balances(m: Wallet, held: ReadonlySet<string> = none): readonly Balance[] {
  return Array.from({ length: m.config.mixdepths }, (_, mixdepth) => (
    balance(m, m.coins.filter((coin) => coin.mixdepth === mixdepth), held)
  ));
}

const none: ReadonlySet<string> = new Set();

function balance(m: Wallet, coins: readonly Coin[], held: ReadonlySet<string>): Balance {
  let spendableSat = 0n;
  let largestSat = 0n;
  let unconfirmedSat = 0n;
  let lockedSat = 0n;
  let totalSat = 0n;
  for (const coin of coins) {
    const { valueSat } = coin;
    totalSat += valueSat;
    if (coin.isLocked || held.has(coin.outpoint)) lockedSat += valueSat;
    else if (coin.confirmations < m.config.confirmationsMin) unconfirmedSat += valueSat;
    else {
      spendableSat += valueSat;
      if (valueSat > largestSat) largestSat = valueSat;
    }
  }
  return { spendableSat, largestSat, unconfirmedSat, lockedSat, totalSat, coins: coins.length };
}

/** Coins that could be spent now, of all mixdepths; `held` as for `balances`. */
export function spendable(m: Wallet, held: ReadonlySet<string> = none): readonly Coin[] {
  return m.coins.filter((coin) => isSpendable(m, coin) && !held.has(coin.outpoint));
}

function isSpendable(m: Wallet, coin: Coin): boolean {
  return !coin.isLocked && coin.confirmations >= m.config.confirmationsMin;
}

function listed(
  m: Wallet, coins: readonly Coin[], tip: Tip, now: Mono, out: Effect[],
): void {
  for (const coin of coins) {
    const isOurs = coin.mixdepth < m.config.mixdepths;
    if (!isOurs) assert(false, `a coin of mixdepth ${coin.mixdepth}`);
  }
  const before = m.viewedAt === NEVER || m.hasAged ? undefined : fingerprint(m);
  m.coins = coins;
  m.tip = tip;
  m.viewedAt = now;
  m.hasAged = false;
  seen(m, "coins", now, out);
  if (fingerprint(m) !== before) out.push({ type: "changed" });
}

/** What offers depend on: which coins could be spent, from where. */
function fingerprint(m: Wallet): string {
  const parts = spendable(m).map(({ mixdepth, outpoint }) => `${mixdepth}/${outpoint}`);
  return parts.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)).join(" ");
}

/** A part is well. The backend is up once both parts were seen and neither is in trouble. */
function seen(m: Wallet, part: Part, now: Mono, out: Effect[]): void {
  m.parts[part].trouble = undefined;
  m.parts[part].isSeen = true;
  if (m.backend.state === "up") return;
  const { tip, coins } = m.parts;
  if (!tip.isSeen || !coins.isSeen) return;
  if (tip.trouble !== undefined || coins.trouble !== undefined) return;
  const downMs = now - m.backend.since;
  m.backend = { state: "up", since: now };
  out.push({ type: "up", downMs });
}

function failed(
  m: Wallet, part: Part, reason: Reason, fault: Fault, now: Mono, out: Effect[],
): void {
  const known = m.parts[part].trouble;
  const trouble: Trouble = {
    part, since: known?.since ?? now, failures: (known?.failures ?? 0) + 1, reason, fault,
  };
  m.parts[part].trouble = trouble;
  if (m.backend.state === "down") {
    // Before the first look there is one message too: an operator waits for it.
    const isFirst = m.backend.trouble === undefined;
    m.backend = { state: "down", since: m.backend.since, trouble };
    if (isFirst) out.push({ type: "down", trouble });
    return;
  }
  if (needsPerson(reason) || now >= downAtOf(m, part)) fall(m, trouble, out);
}

function downAtOf(m: Wallet, part: Part): Mono {
  const { trouble } = m.parts[part];
  return trouble === undefined ? NEVER : after(trouble.since, m.config.downMs);
}

function fall(m: Wallet, trouble: Trouble, out: Effect[]): void {
  m.backend = { state: "down", since: trouble.since, trouble };
  out.push({ type: "down", trouble });
}

function agedAt(m: Wallet): Mono {
  if (m.viewedAt === NEVER || m.hasAged) return NEVER;
  return after(m.viewedAt, m.config.viewMsMax);
}

function tick(m: Wallet, now: Mono, out: Effect[]): void {
  if (m.backend.state === "up") {
    const late = (["tip", "coins"] as const).find((part) => now >= downAtOf(m, part));
    const trouble = late === undefined ? undefined : m.parts[late].trouble;
    if (trouble !== undefined) fall(m, trouble, out);
  }
  if (now < agedAt(m)) return;
  m.hasAged = true;
  out.push({ type: "aged" });
}
