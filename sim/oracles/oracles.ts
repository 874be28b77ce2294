/**
 * The oracles of a run: everything that is asked of each step, after faults, after the heal and at
 * the end.
 *
 * Rule 1: they see true time and every state, and change neither: a run without them is the same
 * run. What they draw comes from a stream of their own.
 * Rule 2: most checks cost O(1) a step. What costs more is done at times (a second run of a step:
 * `closeEvery`; a walk over tables: `auditSteps`) or in some seeds (`isShadowed`, `isListening`).
 * Rule 3: the first finding ends the run.
 * @module
 */
import type { Directory } from "../../core/directory/node.ts";
import type { Tick, WakeEffect } from "../../core/kernel/io.ts";
import { step as stepKernel, type Kernel } from "../../core/kernel/kernel.ts";
import type { Key } from "../../core/prng.ts";
import * as prng from "../../core/prng.ts";
import type { Mono } from "../../core/time.ts";
import type { PeerEffect, PeerEvent } from "../actors/peer.ts";
import * as clocks from "../clocks.ts";
import * as goals from "../goals.ts";
import * as ark from "../invariants/ark.ts";
import * as cross from "../invariants/cross.ts";
import * as invariants from "../invariants/directory.ts";
import * as maker from "../invariants/maker.ts";
import * as journals from "../invariants/journal.ts";
import type { Violation } from "../invariants/violation.ts";
import * as liveness from "../liveness.ts";
import * as model from "../model.ts";
import type { Gauges } from "../outcome.ts";
import * as arkGoals from "./ark-goals.ts";
import * as arks from "./arks.ts";
import * as contract from "./contract.ts";
import * as makerGoals from "./maker-goals.ts";
import * as makers from "./makers.ts";
import { broken, report } from "./report.ts";
import * as shadow from "./shadow.ts";
import type { Oracles, Watched } from "./state.ts";
import type { Asked, OracleActive, OracleNode, OracleWorld, Typed } from "./world.ts";

export type { Asked, Oracles };

/** In one of so many seeds steps are looked at closely all the time. */
const closeSeeds = 64;
/** In one of so many seeds directories have shadows. */
const shadowSeeds = 16;

/** In one of so many seeds peers tell of every public line. */
const listeningSeeds = 4;

/** Oracles of a world of so many nodes and Ark wallets, which has not begun. */
export function create(key: Key, nodes: number, wallets: number): Oracles {
  const draws = prng.stream(key, "oracles");
  const isClose = prng.below(draws, closeSeeds) === 0;
  // A copy of a state costs more where there are more peers.
  const closeEvery = (isClose ? 64 : 8_192) * (1 + (nodes >> 5) + (wallets >> 2));
  return {
    draws, watched: Array.from({ length: nodes }, watched), closeEvery,
    closeAt: prng.below(draws, 2 * closeEvery), isClose: false,
    isShadowed: prng.below(draws, shadowSeeds) === 0,
    isListening: prng.below(draws, listeningSeeds) === 0,
    model: model.create(), liveness: liveness.create(), goals: goals.create(),
  };
}

function watched(): Watched {
  return {
    observer: undefined, shadow: undefined, maker: undefined, journal: undefined,
    ark: undefined,
    pulse: { at: -1 as Mono, steps: 0 }, kept: undefined, auditAt: 0, steps: 0,
  };
}

/** The node's process has started; nothing has happened to it yet. */
export function booted(w: OracleWorld, node: OracleNode): void {
  const o = w.oracles;
  const m = o.watched[node.index] as Watched;
  const now = clocks.now(node.clock, w.nowUs);
  if (node.kind === "directory" && node.config !== undefined) {
    m.observer = invariants.create(node.config, now, w.primitives);
    const cuts = prng.stream(w.key, "shadow", node.id, node.incarnation);
    m.shadow = o.isShadowed
      ? shadow.create(node.config, w.primitives, cuts, now) : undefined;
    m.auditAt = m.steps;
  }
  if (node.kind === "journal" && m.journal === undefined) m.journal = journals.create();
  if (node.kind === "bot") makers.booted(w, node, m);
  if (node.kind === "fleet") arks.booted(w, node, m);
  m.pulse.at = -1 as Mono;
  m.kept = undefined;
  goals.booted(w, node);
  liveness.booted(w, node);
}

/** The node's process is gone; with `power`, its machine too. */
export function died(w: OracleWorld, node: OracleNode, power: boolean): void {
  const m = w.oracles.watched[node.index] as Watched;
  goals.died(w, node, m.observer);
  model.died(w, node);
  m.observer = undefined;
  m.shadow = undefined;
  m.kept = undefined;
  if (m.journal !== undefined) journals.crashed(m.journal, power);
  if (m.maker !== undefined) {
    makerGoals.died(w, node, m.maker);
    maker.crashed(m.maker, w.nowUs);
  }
  if (m.ark !== undefined) {
    ark.crashed(m.ark);
    arkGoals.seen(w, m.ark);
  }
}

/**
 * Makes one step of the node's process; of a step that is looked at closely, on a copy too. Throws
 * what the kernel throws.
 */
export function step<S, E extends Typed, F extends Typed>(
  w: OracleWorld, node: OracleNode & { readonly kernel: Kernel<S, E, F> | undefined },
  event: E | Tick, now: Mono,
): readonly (F | WakeEffect)[] {
  const o = w.oracles;
  const kernel = node.kernel as Kernel<S, E, F>;
  // A chain is a stand-in, and shared with what happens to it: no copy of it is looked at.
  o.isClose = w.steps >= o.closeAt && node.kind !== "chain"
    && node.kind !== "ark";
  if (!o.isClose) return stepKernel(kernel, event, now);
  o.closeAt = w.steps + 1 + prng.below(o.draws, 2 * o.closeEvery);
  const { effects, violations } = cross.stepTwice(kernel, event, now);
  report(w, node, violations, w.steps);
  return effects;
}

/** After each step, before its effects are carried out; `w.steps` counts it already. */
export function stepped(
  w: OracleWorld, node: OracleNode, event: Typed, effects: readonly Typed[], now: Mono,
): void {
  const o = w.oracles;
  const m = o.watched[node.index] as Watched;
  m.steps += 1;
  const found: Violation[] = [];
  contract.glance(node, m, effects, now, found);
  const { kernel } = node;
  if (o.isClose && kernel !== undefined) {
    contract.look(node, m, kernel, event, effects, now, found);
  } else if (event.type === "key.given") contract.told(node, event, effects, found);
  switch (node.kind) {
    case "directory": directory(w, node, m, event, effects, now, found); break;
    case "peer": peer(w, node, event, effects, found); break;
    case "journal": journal(m, event, effects, now, found); break;
    case "hostile": hostile(w, node, effects, found); break;
    case "bot":
      makers.stepped(w, node, m, event, effects, now, found);
      if (m.maker !== undefined) makerGoals.stepped(w, node, m.maker, event, effects);
      break;
    case "chain": makers.served(w, event, effects); break;
    case "fleet":
      arks.stepped(w, node, m, event, effects, now, found);
      if (m.ark !== undefined) arkGoals.seen(w, m.ark);
      break;
    case "ark": break;
    default: node.kind satisfies never;
  }
  if (found.length > 0) report(w, node, found, w.steps - 1);
}

/** Tables of a directory are looked through after so many of its steps, and some for each peer. */
const auditSteps = 64;
const auditStepsPerConn = 4;

function directory(
  w: OracleWorld, node: OracleNode, m: Watched, event: Typed, effects: readonly Typed[], now: Mono,
  found: Violation[],
): void {
  const { observer, shadow: second } = m;
  const state = node.kernel?.state as Directory | undefined;
  if (observer === undefined || state === undefined) return;
  const happened = event as invariants.Event;
  const did = effects as readonly invariants.Effect[];
  goals.directoryStepping(w, node, observer);
  for (let i = 0; i < did.length; i += 1) {
    const effect = did[i] as invariants.Effect;
    if (effect.type !== "conn.close") continue;
    const { conn, reason } = effect;
    const nick = observer.conns.get(conn)?.hello?.nick ?? "";
    if (observer.peers.get(nick)?.id === conn) liveness.silenced(w, node.id, nick, reason);
  }
  const seen = invariants.observe(observer, state, happened, did, now);
  for (let i = 0; i < seen.length; i += 1) found.push(seen[i] as Violation);
  if (m.steps >= m.auditAt) {
    m.auditAt = m.steps + auditSteps + auditStepsPerConn * observer.conns.size;
    found.push(...invariants.audit(observer, state, now));
    goals.measure(w, observer, state, now);
  }
  if (second !== undefined) found.push(...follow(second, happened, did, now));
  goals.directoryStepped(w, node, observer, state, happened, did, now);
}

function follow(
  second: shadow.Shadow, event: invariants.Event, effects: readonly invariants.Effect[], now: Mono,
): readonly Violation[] {
  try {
    return shadow.follow(second, event, effects, now);
  } catch (error) {
    second.isOver = true;
    return broken(error);
  }
}

function peer(
  w: OracleWorld, node: OracleNode, event: Typed, effects: readonly Typed[], found: Violation[],
): void {
  if (event.type === "asked") asked(w, node, event as PeerEvent);
  for (let i = 0; i < effects.length; i += 1) {
    const effect = effects[i] as PeerEffect;
    if (effect.type === "told") {
      model.told(w, node, effect.what, found);
      liveness.told(w, node, effect.what);
      goals.told(w, node, effect.what);
    } else if (effect.type === "conn.close") goals.gaveUp(w, node, effect.conn, effect.reason);
  }
}

/** What hostile peers tell is what they got away with. */
function hostile(
  w: OracleWorld, node: OracleNode, effects: readonly Typed[], found: Violation[],
): void {
  for (let i = 0; i < effects.length; i += 1) {
    const effect = effects[i] as PeerEffect;
    if (effect.type === "told" && effect.what.fact === "admitted") {
      model.told(w, node, effect.what, found);
    }
  }
}

function asked(w: OracleWorld, node: OracleNode, event: PeerEvent): void {
  if (event.type !== "asked" || event.task.op !== "away") return;
  liveness.sentAway(w, node, event.task.forMs);
}

function journal(
  m: Watched, event: Typed, effects: readonly Typed[], now: Mono, found: Violation[],
): void {
  if (m.journal === undefined) return;
  type Event = Parameters<typeof journals.observe>[1];
  type Effects = Parameters<typeof journals.observe>[2];
  found.push(...journals.observe(m.journal, event as Event, effects as Effects, now));
}

/** What is asked of the chain itself was done. */
export function moved(w: OracleWorld, node: OracleNode): void {
  makers.moved(w, node);
}

/** A fault has begun. */
export function began(w: OracleWorld, active: OracleActive): void {
  goals.began(w, active);
  arks.began(w, active);
}

/** The core has just been healed: what is due from now on goes into the world's queue. */
export function healed(w: OracleWorld): void {
  goals.healed(w);
  liveness.healed(w);
}

/**
 * An item of kind `check`, put in by `healed`, has come: what must hold by now. What peers are to
 * be asked now, so that there is something to see, is returned.
 */
export function due(w: OracleWorld, at: number): readonly Asked[] {
  return liveness.due(w, at);
}

/** The end of time has come without a finding. */
export function finished(w: OracleWorld): void {
  for (const node of w.nodes) {
    const m = w.oracles.watched[node.index] as Watched;
    const { observer } = m;
    if (m.ark !== undefined) {
      arks.finished(w, node, m);
      arkGoals.finished(w, m.ark);
    }
    const state = node.kernel?.state as Directory | undefined;
    if (observer === undefined || state === undefined) continue;
    // As its process saw the world last: a node that is paused has not lived since.
    report(w, node, invariants.audit(observer, state, observer.now), w.steps - 1);
  }
  liveness.finished(w);
}

/** What a run has reached so far. */
export function summary(
  w: OracleWorld,
): { readonly goals: { readonly [goal: string]: number }; readonly gauges: Gauges } {
  return goals.summary(w.oracles.goals);
}
