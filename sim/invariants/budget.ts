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

/** Budgets that count bytes, and of which lines. */
const sizes = ["publicBytes", "privateBytes"] as const;
type SizeName = (typeof sizes)[number];

function sizeOf(name: BudgetName): SizeName | undefined {
  if (name === "public" || name === "orderbook") return "publicBytes";
  return name === "private" ? "privateBytes" : undefined;
}

type Bucket = { credit: number; at: Mono };
type Drops = { since: Mono; count: number };

export type Budgets = {
  limits: LimitsConfig;
  readonly buckets: { readonly [name in BudgetName | SizeName]: Map<number, Bucket> };
  readonly drops: Map<number, Drops>;
  readonly circuits: Map<ConnId, number>;
};

export function create(config: DirectoryConfig): Budgets {
  return {
    limits: config.limits, drops: new Map(), circuits: new Map(),
    buckets: {
      public: new Map(), orderbook: new Map(), private: new Map(), peerlist: new Map(),
      ping: new Map(), other: new Map(), publicBytes: new Map(), privateBytes: new Map(),
    },
  };
}

/** The connection came by this circuit. */
export function bind(m: Budgets, conn: ConnId, circuit: number): void {
  m.circuits.set(conn, -1 - circuit);
}

/** Charges one line of so many bytes: acted on, dropped, or dropped once too often. */
export function charge(
  m: Budgets, conn: ConnId, name: BudgetName, bytes: number, now: Mono,
): "ok" | "drop" | "close" {
  const key = m.circuits.get(conn) ?? conn;
  const size = sizeOf(name);
  const prices = [price(m, key, name, 1, now)];
  if (size !== undefined) prices.push(price(m, key, size, bytes, now));
  if (prices.some(({ bucket, units }) => bucket.credit < units)) return dropped(m, key, now);
  for (const { bucket, units } of prices) bucket.credit -= units;
  return "ok";
}

/** The bucket as it is now, and what so many tokens take from it. */
function price(
  m: Budgets, key: number, name: BudgetName | SizeName, count: number, now: Mono,
): { readonly bucket: Bucket; readonly units: number } {
  const { tokens, perMs, burst } = lowest(m.limits[name]);
  const bucket = m.buckets[name].get(key) ?? { credit: burst * perMs, at: now };
  m.buckets[name].set(key, bucket);
  bucket.credit = least(bucket.credit + (now - bucket.at) * tokens, burst * perMs);
  bucket.at = now;
  return { bucket, units: count * perMs };
}

function dropped(m: Budgets, key: number, now: Mono): "drop" | "close" {
  const { dropsMax, dropsWindowMs } = m.limits;
  let drops = m.drops.get(key);
  if (drops === undefined || now - drops.since >= dropsWindowMs) {
    drops = { since: now, count: 0 };
    m.drops.set(key, drops);
  }
  drops.count += 1;
  return drops.count > dropsMax ? "close" : "drop";
}

/** The connection is gone; what its circuit has spent stays spent. */
export function closed(m: Budgets, conn: ConnId): void {
  m.drops.delete(conn);
  m.circuits.delete(conn);
  for (const name of [...budgets, ...sizes]) m.buckets[name].delete(conn);
}

/** Other limits from `now` on: what was spent stays spent in tokens, up to the new burst. */
export function reload(m: Budgets, limits: LimitsConfig, now: Mono): void {
  for (const name of [...budgets, ...sizes]) {
    const before = lowest(m.limits[name]);
    const next = lowest(limits[name]);
    const full = before.burst * before.perMs;
    const nextFull = next.burst * next.perMs;
    for (const bucket of m.buckets[name].values()) {
      const credit = least(bucket.credit + (now - bucket.at) * before.tokens, full);
      const spent = BigInt(full - credit) * BigInt(next.perMs);
      const units = (spent + BigInt(before.perMs - 1)) / BigInt(before.perMs);
      bucket.credit = units >= BigInt(nextFull) ? 0 : nextFull - Number(units);
      bucket.at = now;
    }
  }
  m.limits = limits;
}

/** Rounding happens in units of the rate in lowest terms. */
function lowest(rate: Rate): Rate {
  let [a, b] = [rate.tokens, rate.perMs];
  while (b > 0) [a, b] = [b, a % b];
  return { tokens: rate.tokens / a, perMs: rate.perMs / a, burst: rate.burst };
}

function least(a: number, b: number): number {
  return a < b ? a : b;
}
