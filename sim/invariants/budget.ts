/**
 * What a connection may still ask for, as the observer of a directory node counts it.
 *
 * Rule 1: a bucket is counted in credit that grows, not in an instant at which it is full, so that
 * a slip in the node's own limiter is not made twice. One token is `perMs` units of credit.
 * Rule 2: the key is the circuit of a connection where that is known, otherwise the connection.
 * Rule 3: a line that is relayed needs its own token and one for each of its bytes; without either
 * it takes none.
 * Not known here: what a line says.
 * @module
 */
import type { DirectoryConfig, LimitsConfig, Rate } from "../../core/directory/config.ts";
import type { ConnId } from "../../core/ids.ts";
import type { Mono } from "../../core/time.ts";

export const budgets = ["public", "orderbook", "private", "peerlist", "ping", "other"] as const;
export type BudgetName = (typeof budgets)[number];

/** All buckets of a key, in the order of `Purse`; the last two count bytes. */
const names = [...budgets, "publicBytes", "privateBytes"] as const;
const places: { readonly [name in BudgetName]: number } = {
  public: 0, orderbook: 1, private: 2, peerlist: 3, ping: 4, other: 5,
};

/** The bucket that counts the bytes of such lines; -1: none does. */
const sizes: { readonly [name in BudgetName]: number } = {
  public: 6, orderbook: 6, private: 7, peerlist: -1, ping: -1, other: -1,
};

/** What one key has left of each bucket and since when, and how many lines it has lost lately. */
type Purse = { readonly credit: number[]; readonly at: Mono[]; dropsSince: Mono; drops: number };

/** A rate in lowest terms; `full` is its burst in units. */
type Law = { readonly tokens: number; readonly perMs: number; readonly full: number };

export type Budgets = {
  limits: LimitsConfig;
  laws: readonly Law[];
  readonly purses: Map<number, Purse>;
  readonly circuits: Map<ConnId, number>;
};

export function create(config: DirectoryConfig): Budgets {
  const { limits } = config;
  return { limits, laws: lawsOf(limits), purses: new Map(), circuits: new Map() };
}

/** The connection came by this circuit. */
export function bind(m: Budgets, conn: ConnId, circuit: number): void {
  m.circuits.set(conn, -1 - circuit);
}

/** Charges one line of so many bytes: acted on, dropped, or dropped once too often. */
export function charge(
  m: Budgets, conn: ConnId, name: BudgetName, bytes: number, now: Mono,
): "ok" | "drop" | "close" {
  const key = m.circuits.size === 0 ? conn : m.circuits.get(conn) ?? conn;
  const purse = m.purses.get(key) ?? opened(m, key, now);
  const line = places[name];
  const size = sizes[name];
  const lineUnits = (m.laws[line] as Law).perMs;
  if (grown(m, purse, line, now) < lineUnits) return dropped(m, purse, now);
  if (size >= 0) {
    const units = bytes * (m.laws[size] as Law).perMs;
    if (grown(m, purse, size, now) < units) return dropped(m, purse, now);
    purse.credit[size] = (purse.credit[size] as number) - units;
  }
  purse.credit[line] = (purse.credit[line] as number) - lineUnits;
  return "ok";
}

function opened(m: Budgets, key: number, now: Mono): Purse {
  const purse: Purse = { credit: [], at: [], dropsSince: now, drops: 0 };
  for (const law of m.laws) {
    purse.credit.push(law.full);
    purse.at.push(now);
  }
  m.purses.set(key, purse);
  return purse;
}

/** What the bucket holds now. */
function grown(m: Budgets, purse: Purse, place: number, now: Mono): number {
  const { tokens, full } = m.laws[place] as Law;
  const sum = (purse.credit[place] as number) + (now - (purse.at[place] as number)) * tokens;
  const credit = sum < full ? sum : full;
  purse.credit[place] = credit;
  purse.at[place] = now;
  return credit;
}

function dropped(m: Budgets, purse: Purse, now: Mono): "drop" | "close" {
  const { dropsMax, dropsWindowMs } = m.limits;
  if (purse.drops === 0 || now - purse.dropsSince >= dropsWindowMs) {
    purse.dropsSince = now;
    purse.drops = 0;
  }
  purse.drops += 1;
  return purse.drops > dropsMax ? "close" : "drop";
}

/** The connection is gone; what its circuit has spent stays spent. */
export function closed(m: Budgets, conn: ConnId): void {
  m.circuits.delete(conn);
  m.purses.delete(conn);
}

/** Other limits from `now` on: what was spent stays spent in tokens, up to the new burst. */
export function reload(m: Budgets, limits: LimitsConfig, now: Mono): void {
  const before = m.laws;
  const next = lawsOf(limits);
  for (const purse of m.purses.values()) {
    for (let place = 0; place < names.length; place += 1) {
      const credit = grown(m, purse, place, now);
      purse.credit[place] = moved(credit, before[place] as Law, next[place] as Law);
    }
  }
  m.limits = limits;
  m.laws = next;
}

/** Rounding happens in units of the rate in lowest terms. */
function moved(credit: number, before: Law, next: Law): number {
  const spent = BigInt(before.full - credit) * BigInt(next.perMs);
  const units = (spent + BigInt(before.perMs - 1)) / BigInt(before.perMs);
  return units >= BigInt(next.full) ? 0 : next.full - Number(units);
}

function lawsOf(limits: LimitsConfig): readonly Law[] {
  return names.map((name) => lowest(limits[name]));
}

function lowest(rate: Rate): Law {
  let [a, b] = [rate.tokens, rate.perMs];
  while (b > 0) [a, b] = [b, a % b];
  return { tokens: rate.tokens / a, perMs: rate.perMs / a, full: rate.burst * (rate.perMs / a) };
}
