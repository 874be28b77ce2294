/**
 * Little Ark worlds for tests: short lives, quick rounds, and a wallet that is asked over REST.
 * @module
 */
import assert from "node:assert/strict";
import { audit } from "../../sim/ark/audit.ts";
import { defaults, type Config } from "../../sim/ark/config.ts";
import type { Outage } from "../../sim/ark/faults.ts";
import * as rest from "../../sim/ark/rest.ts";
import * as run from "../../sim/ark/run.ts";
import * as server from "../../sim/ark/server.ts";
import { addWallet, barkdOf, create, type Setup, type World } from "../../sim/ark/state.ts";

export const minuteMs = 60_000;
export const ever = { fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER };
/** An address to claim to. */
export const home = "bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq";

/** Rounds every ten minutes; VTXOs live for 36 blocks; exits need two blocks and six more. */
export const quick: server.Config = {
  ...server.defaults, roundMs: 10 * minuteMs, lifetimeBlocks: 36, exitDeltaBlocks: 6,
  treeDepth: 2, boardConfirmations: 2,
};

export function world(over: Partial<Config> = {}, ...names: readonly string[]): World {
  const w = create({ ...defaults, server: quick, ...over });
  for (const name of names.length === 0 ? ["alice"] : names) addWallet(w, name);
  return w;
}

/** So much later. */
export function pass(w: World, ms: number): void {
  run.advance(w, w.nowMs + ms);
}

/** So many blocks, ten minutes after each other. */
export function blocks(w: World, count: number): void {
  for (let i = 0; i < count; i += 1) {
    pass(w, 10 * minuteMs);
    run.block(w);
  }
}

/** From now on for good. */
export function fault(w: World, ...faults: readonly (
  | { on: "barkd"; fault: Extract<Outage, { on: "barkd" }>["fault"] }
  | { on: "server"; fault: Extract<Outage, { on: "server" }>["fault"] }
  | { on: "chain"; fault: Extract<Outage, { on: "chain" }>["fault"] }
)[]): void {
  run.suffer(w, faults.map((one) => ({ ...one, ...ever, fromMs: w.nowMs }) as Outage));
}

export function heal(w: World): void {
  run.suffer(w, []);
}

export type Reply = { readonly status: number; readonly body: string; readonly afterMs: number };

/** One request with the right token; it must be replied to at once. */
export function ask(w: World, method: string, path: string, body?: unknown, name = "alice"): Reply {
  const asked = asking(w, method, path, body, name);
  const reply = rest.ask(w, name, asked, w.nowMs);
  assert.equal(reply.type, "replied", `${method} ${path}`);
  return reply as Reply & { type: "replied" };
}

export function asking(
  w: World, method: string, path: string, body?: unknown, name = "alice",
): rest.Asked {
  const { token } = barkdOf(w, name);
  return {
    method, path, body: body === undefined ? "" : JSON.stringify(body),
    headers: [["authorization", `Bearer ${token}`]],
  };
}

/** The JSON of a reply with this status. */
export function json<T>(reply: Reply, status = 200): T {
  assert.equal(reply.status, status, reply.body);
  return JSON.parse(reply.body) as T;
}

/** Nothing is wrong with anybody's coins. */
export function sound(w: World): void {
  assert.deepEqual(audit(w), []);
}

/** No wallet, or one whose program runs its own daemon. */
export function another(w: World, name: string, setup: Setup): void {
  addWallet(w, name, setup);
}
