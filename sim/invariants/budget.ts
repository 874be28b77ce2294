/**
 * What a connection may still ask for, as the observer of a directory node counts it.
 *
 * Rule 1: a bucket is counted in credit that grows, not in an instant at which it is full, so that
 * a slip in the node's own limiter is not made twice. One token is `perMs` units of credit.
 * Rule 2: the key is the circuit of a connection where that is known, otherwise the connection.
 * Not known here: what a line says.
 * @module
 */
import type { DirectoryConfig, LimitsConfig, Rate } from "../../core/directory/config.ts";
import type { ConnId } from "../../core/ids.ts";
import type { Mono } from "../../core/time.ts";

export const budgets = ["public", "orderbook", "private", "peerlist", "ping", "other"] as const;
export type BudgetName = (typeof budgets)[number];

type Bucket = { credit: number; at: Mono };
type Drops = { since: Mono; count: number };

export type Budgets = {
  limits: LimitsConfig;
  readonly buckets: { readonly [name in BudgetName]: Map<number, Bucket> };
  readonly drops: Map<number, Drops>;
  readonly circuits: Map<ConnId, number>;
};

export function create(config: DirectoryConfig): Budgets {
  return {
    limits: config.limits, drops: new Map(), circuits: new Map(),
    buckets: {
      public: new Map(), orderbook: new Map(), private: new Map(), peerlist: new Map(),
      ping: new Map(), other: new Map(),
    },
  };
}

/** The connection came by this circuit. */
export function bind(m: Budgets, conn: ConnId, circuit: number): void {
  m.circuits.set(conn, -1 - circuit);
}

/** Charges one line: acted on, dropped, or dropped once too often. */
export function charge(
  m: Budgets, conn: ConnId, name: BudgetName, now: Mono,
): "ok" | "drop" | "close" {
  const key = m.circuits.get(conn) ?? conn;
  const { tokens, perMs, burst } = lowest(m.limits[name]);
  const bucket = m.buckets[name].get(key) ?? { credit: burst * perMs, at: now };
  m.buckets[name].set(key, bucket);
  bucket.credit = least(bucket.credit + (now - bucket.at) * tokens, burst * perMs);
  bucket.at = now;
  if (bucket.credit >= perMs) {
    bucket.credit -= perMs;
    return "ok";
  }
  return dropped(m, key, now);
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
  for (const name of budgets) m.buckets[name].delete(conn);
}

/** Other limits from `now` on: what was spent stays spent in tokens, up to the new burst. */
export function reload(m: Budgets, limits: LimitsConfig, now: Mono): void {
  for (const name of budgets) {
    const before = lowest(m.limits[name]);
    const next = lowest(limits[name]);
    const full = before.burst * before.perMs;
    const nextFull = next.burst * next.perMs;
    for (const bucket of m.buckets[name].values()) {
      const credit = least(bucket.credit + (now - bucket.at) * before.tokens, full);
      const spent = (full - credit) * next.perMs;
      const rest = spent % before.perMs;
      const units = (spent - rest) / before.perMs + (rest > 0 ? 1 : 0);
      bucket.credit = nextFull - least(units, nextFull);
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
