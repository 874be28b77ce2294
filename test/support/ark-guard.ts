/**
 * A guardian, its journal, and a little world behind it: a chain, an Ark server that takes
 * refreshes for rounds to come, a wallet with exits. Processes die at every boundary, answers are
 * lost before or after what they were for, heights are old or lies.
 *
 * Many steps are driven twice (state and copy), and what is asked for is judged as it is asked for.
 * @module
 */
import assert from "node:assert/strict";
import * as expiry from "../../core/ark/expiry.ts";
import * as guardian from "../../core/ark/guardian.ts";
import {
  done, unavailable, type Answer, type Exit, type Op, type Vtxo,
} from "../../core/ark/wallet.ts";
import type { Notice } from "../../core/notify/notice.ts";
import * as prng from "../../core/prng.ts";
import { mono, type Mono } from "../../core/time.ts";
import { clone } from "./laws.ts";

export const min = 60_000;
/** The wall clock at 0 of ours. */
const epochMs = 1_763_000_000_000;

export const config: guardian.Config = {
  ...guardian.defaults,
  expiry: {
    ...expiry.defaults, wallet: "w", refreshBlocks: 60, leadBlocks: 12, failingBlocks: 12,
    perLevelBlocks: 1, marginBlocks: 16,
  },
  refresh: { ...guardian.defaults.refresh, batchMax: 4 },
  shepherd: {
    ...guardian.defaults.shepherd, autoExit: true, autoClaim: true, destination: "bcrt1qhome",
    batchMax: 2,
  },
};

export type Told = { readonly at: Mono; readonly notice: Notice };

type Call = { readonly token: number; readonly op: Op };
type Pending = { readonly vtxos: readonly string[]; readonly at: number };

/** What the chain source does. */
export type Source = "true" | "frozen" | "down" | "low" | "giant";

type Heard = { readonly height: number; readonly at: Mono };

export type World = {
  readonly config: guardian.Config;
  m: guardian.Guardian;
  now: Mono;
  height: number;
  source: Source;
  /** What a frozen source says. */
  frozen: number;
  isServerUp: boolean;
  isWalletUp: boolean;
  isFundable: boolean;
  readonly vtxos: Map<string, Vtxo>;
  readonly exits: Map<string, { state: Exit["state"]; at: number }>;
  readonly pending: Pending[];
  /** VTXOs that the server does not take. */
  readonly bad: Set<string>;
  calls: Call[];
  readonly durable: string[];
  flying: { readonly token: number; readonly body: string }[];
  readonly told: Told[];
  readonly violations: string[];
  readonly asked: { readonly at: Mono; readonly op: Op }[];
  /** Exits that this life was shown. */
  shown: Set<string>;
  /**
   * The highest that this life was told, unless it was a lie, and when it was told that first; or
   * what it has read that had proof, since it was read.
   */
  heard: Heard | undefined;
  /** Was this life told an older height than there is? */
  isMisled: boolean;
  /** The same of all lives, and the highest that the count from any of them has come to. */
  known: Heard;
  peak: number;
  /** So many answers of work are lost, every other one after what it was for. */
  losses: number;
  lives: number;
  steps: number;
  minted: number;
};

export function vtxo(id: string, fields: Partial<Vtxo> = {}): Vtxo {
  return {
    id, amountSat: 100_000n, expiryHeight: 1_100, exitDeltaBlocks: 6, exitDepth: 2,
    state: "spendable", ...fields,
  };
}

export function world(vtxos: readonly Vtxo[], given = config): World {
  const w: World = {
    config: given, m: undefined as never, now: mono(0), height: 1_000, source: "true",
    frozen: 1_000, isServerUp: true, isWalletUp: true, isFundable: true,
    vtxos: new Map(vtxos.map((one) => [one.id, one])), exits: new Map(), pending: [],
    bad: new Set(), calls: [], durable: [], flying: [], told: [], violations: [], asked: [],
    shown: new Set(), heard: undefined, isMisled: false,
    known: { height: 0, at: mono(0) }, peak: 0, losses: 0, lives: 0, steps: 0, minted: 0,
  };
  boot(w);
  return w;
}

/** A process starts from what is durable. */
export function boot(w: World): void {
  w.lives += 1;
  w.calls = [];
  w.flying = [];
  w.shown = new Set();
  w.heard = written(w);
  w.isMisled = false;
  w.m = guardian.create(w.config, prng.key(`life ${w.lives}`), w.now);
  send(w, { type: "anchored", unixMs: epochMs + w.now });
  for (const body of w.durable) send(w, { type: "replayed", body });
  send(w, { type: "opened" });
}

/** The height that is in the file with proof, and a stamp that is past, as of now. */
function written(w: World): Heard | undefined {
  type Json = { type: string; height: number; at: number; is?: string };
  const tip = w.durable.map((body) => JSON.parse(body) as Json)
    .findLast(({ type }) => type === "ark-tip");
  if (tip === undefined || tip.is === "unproven" || tip.at >= epochMs + w.now) return undefined;
  return { height: Math.min(tip.height, w.height), at: w.now };
}

/** One step; some of them twice, of which each must be the same. */
export function send(w: World, event: guardian.Event): void {
  w.steps += 1;
  const out: guardian.Effect[] = [];
  const twin = w.steps % 16 === 0 ? clone(w.m) : undefined;
  guardian.step(w.m, event, w.now, out);
  if (twin !== undefined) {
    const again: guardian.Effect[] = [];
    guardian.step(twin, event, w.now, again);
    assert.deepEqual(again, out, "double drive");
    assert.deepEqual(twin, w.m, "double drive of the state");
  }
  assert.ok(guardian.deadline(w.m) > w.now, `due after ${event.type}`);
  for (const effect of out) {
    if (effect.type === "call") asked(w, effect);
    else if (effect.type === "record") w.flying.push(effect);
    else if (effect.type === "notice") w.told.push({ at: w.now, notice: effect.notice });
  }
}

/** Intents that are open in the file, by an own reading of it. */
export function openIntents(w: World): Map<number, { do: string; vtxos: string[] }> {
  type Json = { type: string; id: number; do: string; vtxos: string[] };
  const open = new Map<number, { do: string; vtxos: string[] }>();
  const held = new Map<string, number>();
  for (const body of w.durable) {
    const json = JSON.parse(body) as Json;
    if (json.type === "ark-intent") {
      for (const id of json.vtxos) {
        if (held.has(id)) w.violations.push(`${id} in intents ${held.get(id)} and ${json.id}`);
        held.set(id, json.id);
      }
      open.set(json.id, json);
    } else if (json.type === "ark-intent-settled") {
      for (const id of open.get(json.id)?.vtxos ?? []) held.delete(id);
      open.delete(json.id);
    }
  }
  return open;
}

/** What is asked for is judged at once. */
function asked(w: World, { token, call: op, lane }: guardian.Effect & { type: "call" }): void {
  const sameLane = w.calls.filter((one) => laneOf(one.op) === lane);
  if (sameLane.length > 0) w.violations.push(`two calls in lane ${lane}`);
  w.calls.push({ token, op });
  if (op.op !== "refresh" && op.op !== "exit" && op.op !== "claim") return;
  w.asked.push({ at: w.now, op });
  const key = op.vtxos.join();
  const isWritten = [...openIntents(w).values()]
    .some((one) => one.do === op.op && one.vtxos.join() === key);
  if (!isWritten) w.violations.push(`${op.op} of ${key} without a durable intent`);
  for (const id of op.vtxos) judge(w, op.op, id);
}

function laneOf(op: Op): string {
  return op.op === "refresh" || op.op === "exit" || op.op === "claim" ? op.op : "look";
}

function judge(w: World, what: "refresh" | "exit" | "claim", id: string): void {
  const says = (text: string) => void w.violations.push(`${what} of ${id} ${text}`);
  const isPending = w.pending.some((one) => one.vtxos.includes(id));
  const coin = w.m.expiry.coins.get(id);
  if (what === "refresh") {
    if (w.shown.has(id)) says("that is exiting");
    if (isPending) says("that the server has already");
    const counted = w.heard === undefined ? 0 : countedFrom(w, w.heard);
    if (coin !== undefined && counted >= coin.vtxo.expiryHeight) says("that has expired");
    // A life that was told old heights knows no more than those, its file, and its own count.
    const isPast = coin !== undefined && w.height >= coin.vtxo.expiryHeight;
    if (isPast && !w.isMisled) says("that is past its height");
  }
  if (what === "exit") {
    if (w.shown.has(id)) says("twice");
    // By its own count it may have expired: as long as nobody has said so it may still leave.
    const isOver = (w.heard?.height ?? 0) >= (coin?.vtxo.expiryHeight ?? 0);
    if (coin === undefined || isOver || !expiry.isAtLeast(coin, "exit-now")) {
      says(`in stage ${coin?.stage}`);
    }
    if (coin !== undefined && isEarly(w, coin.vtxo)) says("that is early");
    if (isPending) says("that the server is refreshing");
  }
  if (what === "claim" && w.exits.get(id)?.state === "claimed") says("twice");
}

/** How high the chain may be for one who goes on from what was said, at the fast pace. */
function countedFrom({ config, now }: World, { height, at }: Heard): number {
  return height + Math.floor((now - at) / config.expiry.fastMs);
}

/** Nothing that anybody was told, and no clock since, has brought it to where it must leave. */
function isEarly(w: World, { expiryHeight, exitDeltaBlocks, exitDepth }: Vtxo): boolean {
  const { perLevelBlocks, marginBlocks } = w.config.expiry;
  const exitHeight = expiryHeight - exitDeltaBlocks - exitDepth * perLevelBlocks - marginBlocks;
  return Math.max(w.peak, countedFrom(w, w.known)) < exitHeight;
}

/** The daemon is told a height. What is no lie binds it; after a lie it may leave at any time. */
function told(w: World, height: number): void {
  const { fastMs, staleMs } = w.config.expiry;
  if (height > w.height) w.peak = Infinity;
  // A source that was low for long is believed, as one that is stale.
  if (height < w.known.height) w.peak = Math.max(w.peak, height + Math.ceil(staleMs / fastMs));
  if (height > w.height || height <= (w.heard?.height ?? -1)) return;
  w.heard = { height, at: w.now };
  if (height <= w.known.height) return;
  w.peak = Math.max(w.peak, countedFrom(w, w.known));
  w.known = w.heard;
}

/** The call is carried out. */
function carry(w: World, op: Op): Answer {
  if (op.op === "tip") return tipOf(w);
  if (op.op === "vtxos") return done({ op: "vtxos", vtxos: [...w.vtxos.values()] });
  if (op.op === "exits") return done({ op: "exits", exits: exitsOf(w) });
  if (op.op === "ark-info") return unavailable("server-down", "down", "down");
  if (op.op === "exit-fee") {
    return done({ op: "exit-fee", isFundable: w.isFundable, feeSat: 3_000n, txs: 4 });
  }
  if (op.op === "refresh") return refreshed(w, op.vtxos);
  if (op.op === "pending") {
    return done({ op: "pending", vtxos: w.pending.flatMap(({ vtxos }) => vtxos) });
  }
  if (op.op === "exit") {
    for (const id of op.vtxos) {
      if (w.vtxos.has(id) && !w.exits.has(id)) w.exits.set(id, { state: "start", at: w.height });
    }
    return done({ op: "exit" });
  }
  assert.ok(op.op === "claim", `nobody asks for ${op.op}`);
  for (const id of op.vtxos) {
    const exit = w.exits.get(id);
    if (exit?.state !== "claimable") return rejected([]);
    exit.state = "claimed";
    w.vtxos.delete(id);
  }
  return done({ op: "claim" });
}

function exitsOf(w: World): Exit[] {
  return [...w.exits].map(([id, { state }]) => ({ vtxo: id, state, claimableHeight: undefined }));
}

function tipOf(w: World): Answer {
  const height = {
    true: w.height, frozen: w.frozen, down: 0, low: w.height - 40, giant: w.height + 5_000,
  }[w.source];
  // Nothing holds the first heights of a wallet against anything: they are true here.
  const isFirst = !w.m.expiry.height.isProven && (w.source === "low" || w.source === "frozen");
  if (isFirst) return done({ op: "tip", height: w.height });
  if (w.source === "down") return unavailable("chain", "down", "down");
  if (height < w.height) w.isMisled = true;
  return done({ op: "tip", height });
}

function rejected(ids: readonly string[]): Answer {
  const fault = { code: "refused", text: "refused" };
  return { ok: false, why: "rejected", fault, ids };
}

function refreshed(w: World, vtxos: readonly string[]): Answer {
  if (!w.isServerUp) return unavailable("server-down", "down", "down");
  if (vtxos.some((id) => !w.vtxos.has(id))) return rejected([]);
  const bad = vtxos.filter((id) => w.bad.has(id));
  // Half of the time the server says which.
  if (bad.length > 0) return rejected(w.height % 2 === 0 ? bad : []);
  w.pending.push({ vtxos, at: w.now + 15 * min });
  return done({ op: "refresh", roundId: 1, isConfirmed: false });
}

/** The oldest call, or the one at `nth`: answered; or its answer is lost; or it never arrives. */
export function serve(
  w: World, how: "well" | "lost-before" | "lost-after" | "busy", nth = 0,
): void {
  const call = w.calls[nth % (w.calls.length || 1)];
  if (call === undefined) return;
  w.calls = w.calls.filter((one) => one !== call);
  let answer: Answer = unavailable(how === "busy" ? "busy" : "timeout", "none", "no answer");
  if (how === "lost-after" || (how === "well" && w.isWalletUp)) {
    const real = carry(w, call.op);
    if (how === "well") answer = real;
  }
  if (answer.ok && answer.done.op === "exits") {
    w.shown = new Set(answer.done.exits.map((exit) => exit.vtxo));
  }
  if (answer.ok && answer.done.op === "tip") told(w, answer.done.height);
  send(w, { type: "answered", token: call.token, answer });
}

/** The oldest record lands, or is refused. */
export function land(w: World, isDurable = true): void {
  const first = w.flying.shift();
  if (first === undefined) return;
  if (isDurable) w.durable.push(first.body);
  if (first.body.includes("ark-intent\"")) openIntents(w);
  send(w, { type: isDurable ? "durable" : "refused", token: first.token });
}

/** The process dies; of what was under way some has landed and some was carried out. */
export function die(w: World, landed: number, carried: boolean): void {
  for (const { body } of w.flying.slice(0, landed)) w.durable.push(body);
  openIntents(w);
  if (carried) for (const { op } of w.calls) if (w.isWalletUp) carry(w, op);
  boot(w);
}

/** Time passes; blocks come every ten minutes; every tick at its own instant. */
export function pass(w: World, ms: number, blockMs = 10 * min): void {
  const until = w.now + ms;
  for (let i = 0; i < 100_000; i += 1) {
    const block = w.now - (w.now % blockMs) + blockMs;
    const due = guardian.deadline(w.m);
    const at = due < block ? due : block;
    if (at > until) break;
    w.now = mono(at);
    if (at === block) mine(w);
    if (due <= w.now) send(w, { type: "tick" });
  }
  w.now = mono(until);
}

/** A block: rounds end, exits go on. */
function mine(w: World): void {
  w.height += 1;
  for (const one of w.pending.filter(({ at }) => at <= w.now)) {
    w.pending.splice(w.pending.indexOf(one), 1);
    if (one.vtxos.some((id) => !w.vtxos.has(id) || w.exits.has(id))) continue;
    let amountSat = 0n;
    for (const id of one.vtxos) {
      amountSat += (w.vtxos.get(id) as Vtxo).amountSat;
      w.vtxos.delete(id);
    }
    w.minted += 1;
    const expiryHeight = w.height + 100;
    const made = vtxo(`new${w.minted}:0`, { amountSat, expiryHeight, exitDepth: 1 });
    w.vtxos.set(made.id, made);
  }
  for (const exit of w.exits.values()) {
    const passed = w.height - exit.at;
    if (exit.state === "start" && passed >= 1) exit.state = "processing";
    if (exit.state === "processing" && passed >= 3) exit.state = "awaiting-delta";
    if (exit.state === "awaiting-delta" && passed >= 9) exit.state = "claimable";
  }
}

/** Everybody does their work for so long, in steps of a minute. */
export function live(w: World, ms: number): void {
  for (let spent = 0; spent < ms; spent += min) {
    for (let k = 0; k < 50 && w.calls.length + w.flying.length > 0; k += 1) {
      while (w.flying.length > 0) land(w);
      const isWork = w.calls[0] !== undefined && laneOf(w.calls[0].op) !== "look";
      const isLost = isWork && w.losses > 0;
      if (isLost) w.losses -= 1;
      serve(w, !isLost ? "well" : w.losses % 2 === 0 ? "lost-after" : "lost-before");
    }
    pass(w, min);
  }
}
