/**
 * Budgets: what a peer may make the node do.
 *
 * Rule 1: one bucket for each class of line and key. The key is the Tor circuit of a connection
 * where it is known, otherwise the connection, so that opening more connections buys nothing.
 * Rule 2: a line that is relayed is charged twice, one line and its bytes; without the second, a
 * few long lines would fill the outbox of everybody who gets them. A line that one of the two
 * buckets refuses spends nothing of the other.
 * Rule 3: a line over budget is dropped and counted. More than `dropsMax` drops of one key within
 * `dropsWindowMs` close the connection that caused the last one. Windows are fixed: one starts at
 * the first drop after the one before has ended.
 * Rule 4: nothing is stored for a connection that never spoke, except, with circuits, which circuit
 * it came by and how many share it.
 * Rule 5: a circuit keeps what it has spent when its last connection ends, until it has refilled,
 * so that reconnecting brings no fresh burst. `departedMax` bounds how many are remembered; beyond
 * it the one that left first, which has refilled the longest, is forgotten.
 * Rule 6: there is no deadline. Refilled buckets are dropped while other calls come in, at most
 * once in `sweepMs`; without calls nothing grows.
 *
 * Does not know what a line says, who is registered, or how a connection is closed.
 * @module
 */
import { assert } from "../assert.ts";
import type { ConnId } from "../ids.ts";
import * as limiter from "../limiter.ts";
import { after, type Mono } from "../time.ts";
import type { DirectoryConfig, LimitsConfig } from "./config.ts";

export type Class = "public" | "orderbook" | "private" | "peerlist" | "ping" | "other";

/** What is counted for each key: lines of a class, bytes of some classes, proofs of a circuit. */
export type Budget = Class | "publicBytes" | "privateBytes" | "proofsPerCircuit";

const budgets: readonly Budget[] = [
  "public", "publicBytes", "orderbook", "private", "privateBytes", "peerlist", "ping", "other",
  "proofsPerCircuit",
];

/** The classes whose bytes are counted too: those that are queued for others. */
const bytesOf: { readonly [cls in Class]: "publicBytes" | "privateBytes" | undefined } = {
  public: "publicBytes", orderbook: "publicBytes", private: "privateBytes",
  peerlist: undefined, ping: undefined, other: undefined,
};

/** `drop`: over budget, ignore the line. `close`: over budget once too often. */
export type Verdict = "ok" | "drop" | "close";

export type Admission = {
  dropsMax: number;
  dropsWindowMs: number;
  readonly connsPerCircuitMax: number;
  readonly buckets: { readonly [budget in Budget]: limiter.Limiter };
  /** One bucket for the whole node, under key 0. */
  readonly proofs: limiter.Limiter;
  /** Connections that came by a known circuit, to the key of that circuit. */
  readonly bound: Map<ConnId, number>;
  /** Keys of circuits that have connections, to how many. */
  readonly circuits: Map<number, number>;
  /** Keys of circuits without a connection that may still owe tokens; the first to leave first. */
  readonly departed: Set<number>;
  /** Keys that had a line dropped, to their window. */
  readonly drops: Map<number, DropWindow>;
  sweepAt: Mono;
};

/** The drops of one key since `since`. */
export type DropWindow = { since: Mono; count: number };

/** Circuits remembered after their last connection, about 16 MiB in the worst case. */
export const departedMax = 65_536;

/** Refilled buckets are dropped this often at most, in ms. */
export const sweepMs = 60_000;

/** A circuit is named by 32 bits of the PROXY header's source address. */
const circuitIdMax = 0xffff_ffff;

/** Nothing spent, nobody known. Asserts the ranges of every rate. */
export function create(config: DirectoryConfig): Admission {
  const { limits } = config;
  assertDrops(limits);
  assert(config.connsPerCircuitMax >= 1, "a circuit needs room for one connection");
  return {
    dropsMax: limits.dropsMax,
    dropsWindowMs: limits.dropsWindowMs,
    connsPerCircuitMax: config.connsPerCircuitMax,
    buckets: {
      public: limiter.create(limits.public),
      publicBytes: limiter.create(limits.publicBytes),
      orderbook: limiter.create(limits.orderbook),
      private: limiter.create(limits.private),
      privateBytes: limiter.create(limits.privateBytes),
      peerlist: limiter.create(limits.peerlist),
      ping: limiter.create(limits.ping),
      other: limiter.create(limits.other),
      proofsPerCircuit: limiter.create(limits.proofsPerCircuit),
    },
    proofs: limiter.create(limits.proofs),
    bound: new Map(),
    circuits: new Map(),
    departed: new Set(),
    drops: new Map(),
    sweepAt: 0 as Mono,
  };
}

/** A connection was accepted. Stores nothing about it. */
export function opened(m: Admission, conn: ConnId, now: Mono): void {
  assert(conn >= 0, "connection ids are not negative");
  if (now >= m.sweepAt) sweep(m, now);
}

/**
 * The connection came by this Tor circuit (0..2^32-1). False, and not bound, when the circuit has
 * `connsPerCircuitMax` connections already. Call it once, before the first `admit`.
 */
export function circuit(m: Admission, conn: ConnId, circuitId: number): boolean {
  assert(Number.isInteger(circuitId), "a circuit id is a whole number");
  assert(circuitId >= 0, "a circuit id is not negative");
  assert(circuitId <= circuitIdMax, "a circuit id has 32 bits");
  assert(!m.bound.has(conn), "a connection has one circuit");
  const key = -1 - circuitId;
  const conns = m.circuits.get(key) ?? 0;
  if (conns >= m.connsPerCircuitMax) return false;
  m.bound.set(conn, key);
  m.circuits.set(key, conns + 1);
  m.departed.delete(key);
  return true;
}

/**
 * May this connection have a line of this class acted on? `bytes` is its length with its CRLF; it
 * is charged for public, `!orderbook` and private lines only.
 */
export function admit(
  m: Admission, conn: ConnId, cls: Class, bytes: number, now: Mono,
): Verdict {
  if (now >= m.sweepAt) sweep(m, now);
  const key = keyOf(m, conn);
  return affords(m, key, cls, bytes, now) ? "ok" : dropped(m, key, now);
}

function affords(m: Admission, key: number, cls: Class, bytes: number, now: Mono): boolean {
  const lines = m.buckets[cls];
  if (!limiter.take(lines, key, now)) return false;
  const counted = bytesOf[cls];
  if (counted === undefined || limiter.take(m.buckets[counted], key, now, bytes)) return true;
  limiter.refund(lines, key, now);
  return false;
}

/**
 * May the node verify one more signature now, for this connection? False: refuse the proof without
 * a check. A circuit has a budget of its own, so that it cannot spend that of everybody.
 */
export function proof(m: Admission, conn: ConnId, now: Mono): boolean {
  const circuitKey = m.bound.get(conn);
  if (circuitKey === undefined) return limiter.take(m.proofs, 0, now);
  const own = m.buckets.proofsPerCircuit;
  if (!limiter.take(own, circuitKey, now)) return false;
  if (limiter.take(m.proofs, 0, now)) return true;
  limiter.refund(own, circuitKey, now);
  return false;
}

/** The connection is gone. Safe for one that is unknown or already gone. */
export function closed(m: Admission, conn: ConnId): void {
  forget(m, conn);
  const key = m.bound.get(conn);
  if (key === undefined) return;
  m.bound.delete(conn);
  const conns = m.circuits.get(key) ?? 0;
  assert(conns >= 1, "a bound connection is counted");
  if (conns > 1) m.circuits.set(key, conns - 1);
  else departs(m, key);
}

/** Other limits from `now` on. What was spent stays spent (`limiter.setRate`). */
export function reload(m: Admission, limits: LimitsConfig, now: Mono): void {
  assertDrops(limits);
  m.dropsMax = limits.dropsMax;
  m.dropsWindowMs = limits.dropsWindowMs;
  for (const budget of budgets) limiter.setRate(m.buckets[budget], limits[budget], now);
  limiter.setRate(m.proofs, limits.proofs, now);
}

/** Circuits are negative keys, connections are not; neither can name the other. */
function keyOf(m: Admission, conn: ConnId): number {
  if (m.bound.size === 0) return conn;
  return m.bound.get(conn) ?? conn;
}

function dropped(m: Admission, key: number, now: Mono): Verdict {
  const window = m.drops.get(key);
  if (window === undefined) {
    m.drops.set(key, { since: now, count: 1 });
    return m.dropsMax < 1 ? "close" : "drop";
  }
  if (now - window.since >= m.dropsWindowMs) {
    window.since = now;
    window.count = 0;
  }
  window.count += 1;
  return window.count > m.dropsMax ? "close" : "drop";
}

function departs(m: Admission, key: number): void {
  m.circuits.delete(key);
  if (!owes(m, key)) return;
  m.departed.add(key);
  if (m.departed.size <= departedMax) return;
  for (const first of m.departed) {
    m.departed.delete(first);
    forget(m, first);
    return;
  }
}

function owes(m: Admission, key: number): boolean {
  if (m.drops.has(key)) return true;
  return budgets.some((budget) => m.buckets[budget].tats.has(key));
}

function forget(m: Admission, key: number): void {
  m.drops.delete(key);
  for (const budget of budgets) limiter.forget(m.buckets[budget], key);
}

function sweep(m: Admission, now: Mono): void {
  m.sweepAt = after(now, sweepMs);
  for (const budget of budgets) limiter.sweep(m.buckets[budget], now);
  for (const [key, window] of m.drops) {
    if (now - window.since >= m.dropsWindowMs) m.drops.delete(key);
  }
  for (const key of m.departed) if (!owes(m, key)) m.departed.delete(key);
}

function assertDrops(limits: LimitsConfig): void {
  assert(limits.dropsMax >= 0, "dropsMax is not negative");
  assert(limits.dropsWindowMs >= 1, "dropsWindowMs is at least 1");
}
