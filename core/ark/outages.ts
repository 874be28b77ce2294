/**
 * Ark servers that several wallets share and do not reach: one notice for all of them.
 *
 * Rule 1: who misses a server first opens its outage; the others have `gatherMs` to join, and then
 * it is told how many they are. That it is over is told when the last of them is back.
 * Rule 2: an outage that was told of few and comes to be that of most is told once more.
 * Not known here: for how long a server has to be away before anybody minds (`watch.ts`).
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Tick } from "../kernel/io.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import type { Evidence } from "./facts.ts";

export type Config = {
  /** Wallets find out one after the other: so long they are waited for, in ms. 120,000. */
  readonly gatherMs: number;
};

export const defaults: Config = { gatherMs: 120_000 };

export type Event =
  | {
    readonly type: "away"; readonly server: string; readonly wallet: string;
    readonly why: Evidence; readonly since: Mono;
  }
  | { readonly type: "back"; readonly server: string; readonly wallet: string }
  | { readonly type: "stopped" }
  | Tick;

export type Effect =
  /** `wallet` is the first of `count`, out of `total` that share the server. */
  | {
    readonly type: "down"; readonly server: string; readonly wallet: string;
    readonly count: number; readonly total: number; readonly why: Evidence;
  }
  | { readonly type: "up"; readonly server: string; readonly awayMs: number };

type Outage = {
  readonly since: Mono;
  readonly why: Evidence;
  readonly wallets: Set<string>;
  tellAt: Mono;
  told: "nothing" | "few" | "most";
};

export type Outages = {
  readonly config: Config;
  /** How many wallets share each server; others are nobody's business here. */
  readonly totals: ReadonlyMap<string, number>;
  readonly open: Map<string, Outage>;
};

/** No server is away. `servers`: that of each wallet, "" where it is not known. */
export function create(config: Config, servers: readonly string[]): Outages {
  assert(Number.isSafeInteger(config.gatherMs) && config.gatherMs >= 1, "outages: a time");
  const totals = new Map<string, number>();
  for (const server of servers) {
    if (server !== "") totals.set(server, (totals.get(server) ?? 0) + 1);
  }
  for (const [server, total] of totals) if (total < 2) totals.delete(server);
  return { config, totals, open: new Map() };
}

/** Is it for this machine to tell of that server? */
export function isShared(m: Outages, server: string): boolean {
  return m.totals.has(server);
}

export function step(m: Outages, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "away": return away(m, event, now);
    case "back": return back(m, event.server, event.wallet, now, out);
    case "stopped": return m.open.clear();
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When an outage is to be told. */
export function deadline(m: Outages): Mono {
  let at = NEVER;
  for (const { tellAt } of m.open.values()) at = soonest(at, tellAt);
  return at;
}

function away(m: Outages, event: Extract<Event, { type: "away" }>, now: Mono): void {
  const { server, wallet, why, since } = event;
  const total = m.totals.get(server);
  if (total === undefined) return;
  let open = m.open.get(server);
  if (open === undefined) {
    const tellAt = after(now, m.config.gatherMs);
    open = { since, why, wallets: new Set(), tellAt, told: "nothing" };
    m.open.set(server, open);
  }
  open.wallets.add(wallet);
  if (open.told !== "few" || open.tellAt !== NEVER || !isMost(open, total)) return;
  open.tellAt = after(now, m.config.gatherMs);
}

function isMost({ wallets }: Outage, total: number): boolean {
  return 2 * wallets.size > total;
}

function back(m: Outages, server: string, wallet: string, now: Mono, out: Effect[]): void {
  const open = m.open.get(server);
  if (open?.wallets.delete(wallet) !== true || open.wallets.size > 0) return;
  m.open.delete(server);
  if (open.told !== "nothing") out.push({ type: "up", server, awayMs: now - open.since });
}

function tick(m: Outages, now: Mono, out: Effect[]): void {
  for (const [server, open] of m.open) {
    if (open.tellAt > now) continue;
    open.tellAt = NEVER;
    const total = m.totals.get(server);
    const [wallet] = open.wallets;
    assert(total !== undefined && wallet !== undefined, "an outage is somebody's");
    const told = isMost(open, total) ? "most" : "few";
    if (told === open.told) continue;
    open.told = told;
    const { why, wallets: { size: count } } = open;
    out.push({ type: "down", server, wallet, count, total, why });
  }
}
