/**
 * Time passes in the little world: blocks, rounds, outages, daemons, and answers that were awaited.
 *
 * Rule 1: `advance` does what is due, in the order of its instants; `dueMs` says when there is
 * something to do. What somebody is told goes to `drain`.
 * Rule 2: whoever asks the world something first brings it to the present.
 * @module
 */
import { assert } from "../../core/assert.ts";
import { unavailable as lost, type RoundEvent } from "../../core/ark/wallet.ts";
import { tailed } from "../../core/prng.ts";
import * as chains from "./chain.ts";
import * as faults from "./faults.ts";
import type { Outage } from "./faults.ts";
import { look, reach } from "./link.ts";
import * as news from "./news.ts";
import * as refresh from "./refresh.ts";
import * as rounds from "./rounds.ts";
import * as servers from "./server.ts";
import type { Barkd, Output, World } from "./state.ts";
import * as streams from "./streams.ts";
import * as sync from "./sync.ts";
import { blameFor, chancesOf, note } from "./watch.ts";

/** The next instant at which something happens by itself; at or before `nowMs`: now. */
export function dueMs(w: World): number {
  let next = rounds.dueMs(w.server);
  const consider = (atMs: number | undefined): void => {
    if (atMs !== undefined && atMs < next) next = atMs;
  };
  consider(blockDueMs(w));
  if (w.outages.length > 0) consider(faults.nextChangeMs(w.outages, w.nowMs));
  if (w.outages.length > 0 || w.stormDueMs !== undefined) consider(stormDueMs(w));
  if (w.timed.size > 0) {
    for (const b of w.timed) {
      consider(b.daemonDueMs);
      consider(b.bootDueMs);
    }
  }
  consider(news.dueMs(w));
  return next;
}

function blockDueMs(w: World): number | undefined {
  if (w.config.pace.kind === "by-hand") return undefined;
  w.blockDueMs ??= w.nowMs + gapMs(w);
  return w.blockDueMs;
}

function gapMs(w: World): number {
  const { pace } = w.config;
  switch (pace.kind) {
    case "by-hand": return 0;
    case "steady": return pace.everyMs;
    case "drawn": return tailed(w.chance, pace.everyMs) + 1;
  }
}

function stormDueMs(w: World): number | undefined {
  for (const fault of faults.ofServer(w.outages, w.nowMs)) {
    if (fault.kind !== "storm") continue;
    const perSecond = fault.perSecond > 100 ? 100 : fault.perSecond < 1 ? 1 : fault.perSecond;
    w.stormDueMs ??= w.nowMs + Math.ceil(1_000 / perSecond);
    return w.stormDueMs;
  }
  w.stormDueMs = undefined;
  return undefined;
}

/** Does what is due until then. Time does not go back: an earlier instant is now. */
export function advance(w: World, nowMs: number): void {
  assert(Number.isSafeInteger(nowMs), "a whole number of milliseconds");
  for (;;) {
    const atMs = dueMs(w);
    if (atMs > nowMs) break;
    if (atMs > w.nowMs) w.nowMs = atMs;
    happen(w);
  }
  if (nowMs > w.nowMs) w.nowMs = nowMs;
  streams.pump(w);
  news.settle(w);
}

/** What was told since the last time. */
export function drain(w: World): readonly Output[] {
  const { out } = w;
  w.out = [];
  return out;
}

/** Everything that is due at `nowMs`. */
function happen(w: World): void {
  change(w);
  const dueBlock = blockDueMs(w);
  if (dueBlock !== undefined && dueBlock <= w.nowMs) {
    w.blockDueMs = undefined;
    block(w);
  }
  const found = faults.ofServer(w.outages, w.nowMs);
  const isDown = found.some(({ kind }) => kind === "down");
  if (isDown && rounds.dueMs(w.server) <= w.nowMs) rounds.restart(w.server, w.nowMs);
  for (const event of rounds.step(w.server, w.chain, found, w.nowMs)) {
    streams.broadcast(w, event);
    if (!found.some(({ kind }) => kind === "mute" || kind === "black-hole")) attend(w, event);
  }
  storm(w);
  for (const b of [...w.timed]) {
    if (b.bootDueMs !== undefined && b.bootDueMs <= w.nowMs) boot(w, b);
    if (b.daemonDueMs !== undefined && b.daemonDueMs <= w.nowMs) beat(w, b);
  }
  streams.pump(w);
  news.settle(w);
}

/** What goes wrong from now on. */
export function suffer(w: World, outages: readonly Outage[]): void {
  w.outages = outages;
  change(w);
}

/** Outages begin and end. */
function change(w: World): void {
  for (const one of w.outages) {
    const isOver = one.untilMs === w.nowMs && one.on === "barkd"
      && one.fault.kind === "restarting";
    if (!isOver) continue;
    for (const b of w.barkds.values()) {
      if (one.wallet === undefined || one.wallet === b.name) boot(w, b);
    }
  }
  const kinds = faults.ofServer(w.outages, w.nowMs).map(({ kind }) => kind);
  const isDown = kinds.includes("down");
  if (isDown && !w.isDown.server) rounds.restart(w.server, w.nowMs);
  w.isDown.server = isDown;
  const generation = kinds.includes("key") ? 1 : 0;
  w.server.generation = generation;
  streams.cut(w);
}

function storm(w: World): void {
  if (w.stormDueMs === undefined || w.stormDueMs > w.nowMs) return;
  w.stormDueMs = undefined;
  streams.broadcast(w, { kind: "attempt", roundSeq: w.server.seq, attemptSeq: w.told % 1_000 });
}

/** One more block is found. `isEmpty`: it takes nothing that waits. */
export function block(w: World, isEmpty = false): void {
  chains.mine(w.chain, w.nowMs, isEmpty);
  settleBlock(w);
}

/** The newest blocks give way to others; as many: at equal height. */
export function reorg(w: World, depth: number, count: number, isEmpty = false): void {
  chains.reorg(w.chain, depth, count, w.nowMs, isEmpty);
  settleBlock(w);
}

function settleBlock(w: World): void {
  note(w);
  const height = chains.heightOf(w.chain);
  const isUp = !faults.ofServer(w.outages, w.nowMs).some(({ kind }) => kind === "down");
  for (const coin of servers.afterBlock(w.server, w.chain, isUp)) {
    const chances = chancesOf(w, coin.id);
    const held = w.barkds.get(coin.owner)?.wallet?.vtxos.get(coin.id);
    if (held === undefined || held.state === "spent") continue;
    w.losses.push({
      wallet: coin.owner, vtxo: coin.id, amountSat: coin.amountSat, height,
      blame: blameFor(chances), chances,
    });
  }
}

/** A wallet's program starts: without what it had in memory, and not at all without a chain. */
export function boot(w: World, b: Barkd): void {
  halt(w, b);
  b.bootDueMs = undefined;
  if (b.daemonDueMs === undefined) w.timed.delete(b);
  if (b.wallet !== undefined && !look(w, b).ok) {
    b.process = "dead";
    if (w.config.respawnMs > 0) {
      b.bootDueMs = w.nowMs + w.config.respawnMs;
      w.timed.add(b);
    }
    return;
  }
  b.process = "running";
  if (b.wallet !== undefined) reach(w, b);
}

/** It stops; who waits for it has no answer. */
export function halt(w: World, b: Barkd): void {
  b.process = "stopped";
  b.session = undefined;
  b.news = [];
  b.exitsBusyUntilMs = 0;
  b.hasForgottenExits = false;
  for (const wait of [...w.waits.values()]) {
    if (wait.wallet !== b.name) continue;
    w.waits.delete(wait.id);
    const answer = lost("unreachable", "reset", "the program stopped");
    const reply = { type: "failed", reason: "reset" } as const;
    w.out.push({ type: "answered", wait: wait.id, reply, answer });
  }
  streams.cut(w);
}

/** Programs with a daemon of their own join the rounds that begin, and sign in them. */
function attend(w: World, event: RoundEvent): void {
  for (const b of w.timed) {
    if (b.daemonDueMs === undefined || b.wallet === undefined || streams.isAway(w, b)) continue;
    const isBegun = event.kind === "attempt" && event.attemptSeq === 0;
    if (isBegun) refresh.maintain(w, b, b.wallet);
    refresh.progress(w, b, b.wallet, event);
  }
}

/** The program's own daemon does its pass. */
function beat(w: World, b: Barkd): void {
  b.daemonDueMs = w.nowMs + w.config.daemonMs;
  if (b.wallet !== undefined && !streams.isAway(w, b)) sync.pass(w, b, b.wallet);
}
