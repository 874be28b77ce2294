/**
 * The background of one wallet against a wallet and a server that do as the test says, in time that
 * the test moves.
 * @module
 */
import assert from "node:assert/strict";
import * as daemon from "../../core/ark/daemon.ts";
import type { Policy } from "../../core/ark/policy.ts";
import type { Answer, Done, Op, OpName } from "../../core/ark/wallet.ts";
import { unavailable } from "../../core/ark/wallet.ts";
import { key } from "../../core/prng.ts";
import { mono, NEVER } from "../../core/time.ts";

/** When the answer comes, and which; `undefined`: never. */
export type Reply = { readonly afterMs: number; readonly answer: Answer } | undefined;
/** What happens on a subscription, after so many ms each. */
export type Happens = { readonly afterMs: number; readonly event: daemon.Event };

export type World = {
  readonly call: (op: Op, at: number) => Reply;
  readonly subscribe?: (stream: daemon.StreamName, token: number, at: number) => readonly Happens[];
};

export type Line = { readonly at: number; readonly effect: daemon.Effect };
export type Bench = {
  readonly d: daemon.Daemon;
  world: World;
  at: number;
  readonly lines: Line[];
  readonly pending: { readonly at: number; readonly n: number; readonly event: daemon.Event }[];
  /** Calls under way, and the most there ever were in a lane. */
  readonly under: Map<string, OpName>;
  readonly dropped: Set<string>;
  n: number;
};

export function bench(policy: Policy, world: World, seed = "ark"): Bench {
  return {
    d: daemon.create(policy, key(seed), mono(0)), world, at: 0, lines: [], pending: [],
    under: new Map(), dropped: new Set(), n: 0,
  };
}

/** Gives the daemon one event now. */
export function say(b: Bench, event: daemon.Event): void {
  const out: daemon.Effect[] = [];
  daemon.step(b.d, event, mono(b.at), out);
  for (const effect of out) {
    b.lines.push({ at: b.at, effect });
    act(b, effect);
  }
  assert.ok(daemon.deadline(b.d) > b.at, `due at ${b.at} after ${event.type}`);
}

function act(b: Bench, effect: daemon.Effect): void {
  if (effect.type === "call") return called(b, effect);
  if (effect.type === "drop") {
    b.dropped.add(`${effect.lane} ${effect.token}`);
    b.under.delete(effect.lane);
  }
  if (effect.type !== "subscribe") return;
  const { stream, token } = effect;
  for (const { afterMs, event } of b.world.subscribe?.(stream, token, b.at) ?? []) {
    later(b, afterMs, event);
  }
}

type Call = Extract<daemon.Effect, { type: "call" }>;

function called(b: Bench, { lane, token, call }: Call): void {
  assert.ok(!b.under.has(lane), `two calls in ${lane}`);
  b.under.set(lane, call.op);
  const reply = b.world.call(call, b.at);
  if (reply === undefined) return;
  later(b, reply.afterMs, { type: "answered", lane, token, answer: reply.answer });
}

/** An event to come. */
export function later(b: Bench, afterMs: number, event: daemon.Event): void {
  b.n += 1;
  b.pending.push({ at: b.at + afterMs, n: b.n, event });
  b.pending.sort((x, y) => x.at - y.at || x.n - y.n);
}

/** Time passes, to `until` and what happens then; a tick comes before an event of its instant. */
export function run(b: Bench, until: number): Bench {
  for (let i = 0; i < 100_000; i += 1) {
    const dueAt = daemon.deadline(b.d);
    const next = b.pending[0];
    const at = Math.min(dueAt, next?.at ?? NEVER);
    if (at > until) {
      b.at = until;
      return b;
    }
    b.at = at;
    if (dueAt <= at) {
      say(b, { type: "tick" });
      continue;
    }
    b.pending.shift();
    assert.ok(next !== undefined, "an event");
    if (next.event.type === "answered") {
      const { lane, token } = next.event;
      if (!b.dropped.has(`${lane} ${token}`)) b.under.delete(lane);
    }
    say(b, next.event);
  }
  return assert.fail("time stands still");
}

/** A bench that has been started with these streams. */
export function begun(
  policy: Policy, world: World, streams: readonly daemon.StreamName[] = [], seed = "ark",
): Bench {
  const b = bench(policy, world, seed);
  say(b, {
    type: "started", hasRounds: streams.includes("rounds"),
    hasMailbox: streams.includes("mailbox"),
  });
  return b;
}

/** The instants of the calls of an operation, or of its calls in a lane. */
export function callsOf(b: Bench, op: OpName, lane?: daemon.LaneName): readonly number[] {
  return b.lines.flatMap(({ at, effect }) => (
    effect.type === "call" && effect.call.op === op && (lane ?? effect.lane) === effect.lane
      ? [at] : []
  ));
}

/** The instants of effects of one type. */
export function timesOf(b: Bench, type: daemon.Effect["type"]): readonly number[] {
  return b.lines.flatMap(({ at, effect }) => (effect.type === type ? [at] : []));
}

/** Effects of one type. */
export function given<T extends daemon.Effect["type"]>(
  b: Bench, type: T,
): readonly Extract<daemon.Effect, { type: T }>[] {
  return b.lines.flatMap(({ effect }) => (
    effect.type === type ? [effect as Extract<daemon.Effect, { type: T }>] : []
  ));
}

/** What a wallet says when all is well. */
export function good(op: Op): Answer {
  return { ok: true, done: doneOf(op) };
}

/** Calls that are answered with more than that they are done. */
const details: readonly Done[] = [
  { op: "probe", nextRoundUnixMs: undefined }, { op: "identity", fingerprint: "f" },
  { op: "tip", height: 100 }, { op: "vtxos", vtxos: [] }, { op: "exits", exits: [] },
  { op: "notifications", news: [], last: undefined }, { op: "sync-mailbox", checkpoint: 1 },
  { op: "progress-exits", isDone: true, claimableHeight: undefined, exits: [] },
];

function doneOf({ op }: Op): Done {
  return details.find((one) => one.op === op) ?? { op } as Done;
}

/** A wallet that answers everything after `afterMs`. */
export const well = (afterMs = 100): World["call"] => (op) => ({ afterMs, answer: good(op) });

export const down = unavailable("server-down", "x", "the server is down");
export const chainDown = unavailable("chain", "x", "the chain source is down");
export const unsupported: Answer = { ok: false, why: "unsupported" };

/** A transcript: calls, subscriptions and the flag, one line each, in seconds. */
export function transcript(b: Bench): readonly string[] {
  return b.lines.flatMap(({ at, effect }) => {
    const s = at / 1_000;
    if (effect.type === "call") return [`${s} ${effect.lane}: ${effect.call.op}`];
    if (effect.type === "connected") return [`${s} connected: ${effect.isConnected}`];
    const isStream = effect.type === "subscribe" || effect.type === "close";
    return isStream ? [`${s} ${effect.type} ${effect.stream}`] : [];
  });
}
