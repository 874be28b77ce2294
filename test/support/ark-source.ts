/**
 * The background of wallets on the stand-in, in the same process: every call of the port, both
 * streams, and a network between that a test may spoil. For the document's profile, which needs
 * calls that REST has not, and for the default one under the same conditions.
 *
 * Rule 1: time is the test's. What is due at an instant comes before what happens in it.
 * Rule 2: a call is carried out when it is asked for; its answer may come later, or never.
 * Rule 3: instants are milliseconds since the start of the world.
 * @module
 */
import assert from "node:assert/strict";
import * as daemon from "../../core/ark/daemon.ts";
import type { Policy } from "../../core/ark/policy.ts";
import type { Answer, Op, OpName, RoundEvent } from "../../core/ark/wallet.ts";
import { key } from "../../core/prng.ts";
import { mono, NEVER } from "../../core/time.ts";
import * as port from "../../sim/ark/port.ts";
import * as run from "../../sim/ark/run.ts";
import { barkdOf, type Held, type World } from "../../sim/ark/state.ts";
import * as streams from "../../sim/ark/streams.ts";
import * as worlds from "./ark-world.ts";

export const second = 1_000;
export const minute = 60_000;
export const hour = 3_600_000;

/** What the way to wallet and server does to a call, a subscription, or an event. */
export type Net = {
  /** `instead`: the wallet is not asked. `never`: it is, and its answer is lost. */
  readonly call?: (op: Op, at: number) =>
    { readonly moreMs: number } | { readonly instead: Answer; readonly afterMs: number }
    | "never" | undefined;
  /** `refuse`: at once. Else how long it lasts once it is open, and how it ends. */
  readonly subscribe?: (stream: daemon.StreamName, at: number, wallet: string) =>
    "refuse" | "hang" | { readonly lastsMs: number; readonly why: "clean" | "error" } | undefined;
  readonly loses?: (event: RoundEvent, at: number) => boolean;
};

export type Line = {
  readonly at: number; readonly wallet: string; readonly effect: daemon.Effect;
};

type Sub = { readonly wallet: string; readonly stream: daemon.StreamName; readonly token: number };

export type Rig = {
  readonly world: World;
  readonly daemons: Map<string, daemon.Daemon>;
  net: Net;
  now: number;
  readonly lines: Line[];
  readonly subs: Map<number, Sub>;
  /** Calls under way, by wallet and lane, with what was asked. */
  readonly under: Map<string, OpName>;
  order: number;
  queue: { readonly at: number; readonly order: number; readonly run: () => void }[];
};

export type Options = {
  readonly wallets?: readonly string[];
  readonly world?: Parameters<typeof worlds.world>[0];
  readonly net?: Net;
  readonly streams?: readonly daemon.StreamName[];
  /** Before the daemons start. */
  readonly before?: (w: World) => void;
};

/** Wallets of one world, each with a background under `policy` that was started. */
export function rig(policy: Policy, options: Options = {}): Rig {
  const names = options.wallets ?? ["alice"];
  const world = worlds.world(options.world, ...names);
  options.before?.(world);
  const r: Rig = {
    world, daemons: new Map(), net: options.net ?? {}, now: world.nowMs - world.config.startMs,
    lines: [], subs: new Map(), under: new Map(), order: 0, queue: [],
  };
  for (const name of names) begin(r, policy, name, options.streams);
  return r;
}

/** One daemon more. Of `alice` and `alice/2` each thinks that it is the only one of Alice's. */
export function begin(
  r: Rig, policy: Policy, name: string, has: Options["streams"] = ["rounds", "mailbox"],
): void {
  r.daemons.set(name, daemon.create(policy, key(name), mono(r.now)));
  say(r, name, {
    type: "started", hasRounds: has.includes("rounds"), hasMailbox: has.includes("mailbox"),
  });
}

/** The wallet behind a daemon: what stands before a slash in its name. */
const walletOf = (name: string): string => name.split("/")[0] ?? name;

/** Gives a daemon one event now. */
export function say(r: Rig, name: string, event: daemon.Event): void {
  const d = r.daemons.get(name);
  assert.ok(d !== undefined, `no daemon ${name}`);
  const out: daemon.Effect[] = [];
  daemon.step(d, event, mono(r.now), out);
  for (const effect of out) {
    r.lines.push({ at: r.now, wallet: name, effect });
    act(r, name, effect);
  }
  assert.ok(daemon.deadline(d) > r.now, `due at ${r.now} after ${event.type}`);
}

function later(r: Rig, ms: number, act_: () => void): void {
  r.order += 1;
  r.queue.push({ at: r.now + ms, order: r.order, run: act_ });
  r.queue.sort((a, b) => a.at - b.at || a.order - b.order);
}

/** Something happens to the world at an instant to come. */
export function at(r: Rig, ms: number, what: (w: World) => void): void {
  later(r, ms - r.now, () => {
    run.advance(r.world, wallMs(r));
    what(r.world);
    drain(r);
  });
}

export function wallMs(r: Rig): number {
  return r.world.config.startMs + r.now;
}

function act(r: Rig, name: string, effect: daemon.Effect): void {
  if (effect.type === "call") return called(r, name, effect);
  if (effect.type === "drop") return void r.under.delete(`${name} ${effect.lane}`);
  if (effect.type === "subscribe") return subscribed(r, name, effect.stream, effect.token);
  if (effect.type !== "close") return;
  for (const [id, sub] of r.subs) {
    if (sub.wallet !== name || sub.stream !== effect.stream) continue;
    r.subs.delete(id);
    streams.unsubscribe(r.world, id);
  }
}

type Call = Extract<daemon.Effect, { type: "call" }>;

function called(r: Rig, name: string, { lane, token, call: op }: Call): void {
  const of = `${name} ${lane}`;
  assert.ok(!r.under.has(of), `two calls in ${of}`);
  r.under.set(of, op.op);
  const answered = (afterMs: number, answer: Answer): void => later(r, afterMs, () => {
    r.under.delete(of);
    say(r, name, { type: "answered", lane, token, answer });
  });
  const changed = r.net.call?.(op, r.now);
  if (typeof changed === "object" && "instead" in changed) {
    return answered(changed.afterMs, changed.instead);
  }
  const found = port.call(r.world, walletOf(name), op, wallMs(r));
  drain(r);
  if (changed === "never" || found.type === "silent") return;
  assert.ok(found.type === "answered", "nobody waits for news here");
  answered(found.afterMs + (changed?.moreMs ?? 0), found.answer);
}

function subscribed(r: Rig, name: string, stream: daemon.StreamName, token: number): void {
  const ended = (afterMs: number): void => later(r, afterMs, () => (
    say(r, name, { type: "ended", stream, token, why: "refused" })
  ));
  const way = r.net.subscribe?.(stream, r.now, name);
  if (way === "refuse") return ended(r.world.config.remoteMs);
  if (way === "hang") return;
  run.advance(r.world, wallMs(r));
  const said = streams.subscribe(r.world, stream, walletOf(name));
  if (!said.ok) return ended(said.afterMs);
  r.subs.set(said.value, { wallet: name, stream, token });
  later(r, said.afterMs, () => say(r, name, { type: "subscribed", stream, token }));
  if (way !== undefined) {
    const { lastsMs, why } = way;
    later(r, said.afterMs + lastsMs, () => over(r, said.value, why));
  }
  drain(r);
}

/** The way between ends it, whatever the server thinks. */
function over(r: Rig, id: number, why: "clean" | "error"): void {
  const sub = r.subs.get(id);
  if (sub === undefined) return;
  r.subs.delete(id);
  streams.unsubscribe(r.world, id);
  say(r, sub.wallet, { type: "ended", stream: sub.stream, token: sub.token, why });
}

/** What the world has told subscribers comes to them. */
function drain(r: Rig): void {
  for (const one of run.drain(r.world)) {
    if (one.type === "answered") continue;
    const sub = r.subs.get(one.sub);
    if (sub === undefined) continue;
    const { wallet, token } = sub;
    if (one.type === "ended") {
      later(r, one.afterMs, () => over(r, one.sub, one.reason));
      continue;
    }
    const { item, isReplay } = one;
    later(r, one.afterMs, () => {
      if (!r.subs.has(one.sub)) return;
      if (item.stream === "mailbox") {
        say(r, wallet, { type: "message", token, checkpoint: item.message.checkpoint });
      } else if (r.net.loses?.(item.event, r.now) !== true) {
        say(r, wallet, { type: "round", token, event: item.event, isReplay });
      }
    });
  }
}

const stepsMax = 1_000_000;

/** Time passes, up to an instant and what happens in it. */
export function to(r: Rig, until: number): Rig {
  for (let i = 0; ; i += 1) {
    assert.ok(i < stepsMax, "time stands still");
    run.advance(r.world, wallMs(r));
    drain(r);
    let dueAt: number = NEVER;
    let due = "";
    for (const [name, d] of r.daemons) {
      if (daemon.deadline(d) >= dueAt) continue;
      dueAt = daemon.deadline(d);
      due = name;
    }
    const worldAt = run.dueMs(r.world) - r.world.config.startMs;
    const next = Math.min(dueAt, r.queue[0]?.at ?? NEVER, worldAt);
    if (next > until) break;
    r.now = Math.max(r.now, next);
    if (dueAt <= r.now) say(r, due, { type: "tick" });
    else if ((r.queue[0]?.at ?? NEVER) <= r.now) r.queue.shift()?.run();
  }
  r.now = until;
  return r;
}

/** Outages from now on, in place of all others. */
export function suffer(r: Rig, outages: Parameters<typeof run.suffer>[1]): void {
  run.advance(r.world, wallMs(r));
  run.suffer(r.world, outages);
  drain(r);
}

/** An outage of the server, in instants of the rig. */
export function away(
  r: Rig, fault: Extract<Parameters<typeof run.suffer>[1][number], { on: "server" }>["fault"],
  fromMs: number, untilMs: number,
): Parameters<typeof run.suffer>[1][number] {
  const { startMs } = r.world.config;
  return { on: "server", fault, fromMs: startMs + fromMs, untilMs: startMs + untilMs };
}

/** What daemons gave, of one kind. */
export function given<T extends daemon.Effect["type"]>(
  r: Rig, type: T, wallet?: string,
): readonly (Extract<daemon.Effect, { type: T }> & { readonly at: number })[] {
  return r.lines.flatMap((line) => (
    line.effect.type === type && (wallet ?? line.wallet) === line.wallet
      ? [{ ...line.effect as Extract<daemon.Effect, { type: T }>, at: line.at }] : []
  ));
}

/** The instants of the calls of an operation. */
export function callsOf(r: Rig, op: OpName, wallet?: string): readonly number[] {
  return given(r, "call", wallet).flatMap(({ call, at: when }) => (call.op === op ? [when] : []));
}

/** The instants of the tries of a subscription. */
export function triesOf(r: Rig, stream: daemon.StreamName, wallet?: string): readonly number[] {
  return r.lines.flatMap(({ at: when, wallet: of, effect }) => (
    effect.type === "subscribe" && effect.stream === stream && (wallet ?? of) === of ? [when] : []
  ));
}

/** Does the daemon count as connected? */
export function isConnected(r: Rig, wallet = "alice"): boolean {
  return r.daemons.get(wallet)?.facts.isConnected ?? assert.fail("no such daemon");
}

/** The wallet's coins that are not spent. */
export function coins(r: Rig, wallet = "alice"): readonly Held[] {
  const held = barkdOf(r.world, wallet).wallet?.vtxos.values() ?? [];
  return [...held].filter(({ state }) => state !== "spent");
}

/** Calls, subscriptions, the flag and the end: one line each, with its instant in ms. */
export function transcript(r: Rig, wallet = "alice"): readonly string[] {
  return r.lines.flatMap(({ at: when, wallet: of, effect }) => {
    const says = of === wallet ? wordOf(effect) : undefined;
    return says === undefined ? [] : [`${when} ${says}`];
  });
}

function wordOf(effect: daemon.Effect): string | undefined {
  const { type } = effect;
  if (type === "call") {
    const { lane, call } = effect;
    if (call.op !== "progress-rounds") return `${lane}: ${call.op}`;
    return `${lane}: ${call.op} ${call.event?.kind} ${call.event?.attemptSeq}`;
  }
  if (type === "subscribe" || type === "close") return `${type} ${effect.stream}`;
  if (type === "connected") return `connected: ${effect.isConnected}`;
  const isEnd = type === "stop-answered" || type === "stopped" || type === "drained";
  return isEnd || type === "start" ? type : undefined;
}
