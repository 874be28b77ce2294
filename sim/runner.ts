/**
 * Runs a world from its first event to its verdict.
 *
 * Rule 1: virtual time jumps to the next item; nodes that are ready go first, in the order in which
 * they became so.
 * Rule 2: a run ends with the first finding, at the end of its time, or when its budget of steps is
 * spent; the last is no verdict about the node.
 * Rule 3: first faults, then the heal; what must hold after the heal is asked at the instants that
 * the oracles name.
 * @module
 */
import { unreachable } from "../core/assert.ts";
import * as prng from "../core/prng.ts";
import * as chain from "./bot/chain.ts";
import { build } from "./build.ts";
import * as clocks from "./clocks.ts";
import * as digest from "./digest.ts";
import * as faults from "./faults.ts";
import type { Item, NodeItem, NoticeItem } from "./items.ts";
import { empty } from "./lists.ts";
import * as network from "./network.ts";
import * as node from "./node.ts";
import * as oracles from "./oracles/oracles.ts";
import type { Fired, Outcome, Verdict } from "./outcome.ts";
import * as processes from "./process.ts";
import * as queue from "./queue.ts";
import type { HarmKind, Scenario, Task } from "./scenario.ts";
import type { Node, Watch, World } from "./world.ts";

export type Options = {
  /** Invariants, liveness and goals. Off only to measure what they cost. */
  readonly checks: boolean;
  /** Steps after which a run is given up. */
  readonly eventsMax: number;
  /** Stops before this step. */
  readonly untilStep: number | undefined;
  readonly watch: Watch | undefined;
  /** From `atUs` on, everything that is drawn is drawn anew. */
  readonly fork: { readonly atUs: number; readonly seed: string } | undefined;
};

export const defaultOptions: Options = {
  checks: true, eventsMax: 20_000_000, untilStep: undefined, watch: undefined, fork: undefined,
};

/** A run in progress. */
export type Run = { readonly world: World; readonly options: Options; forked: boolean };

/** Runs a scenario to its end. */
export function run(scenario: Scenario, options: Partial<Options> = {}): Outcome {
  const r = begin(scenario, options);
  while (advance(r));
  return outcome(r);
}

/** A run that has not begun; `advance` it. */
export function begin(scenario: Scenario, options: Partial<Options> = {}): Run {
  const all: Options = { ...defaultOptions, ...options };
  return { world: build(scenario, all.checks, all.watch), options: all, forked: false };
}

/** Does what comes next, up to one step of one node. False when the run is over. */
export function advance(r: Run): boolean {
  const { world: w, options } = r;
  if (w.finding !== undefined || w.steps >= options.eventsMax) return false;
  if (options.untilStep !== undefined && w.steps >= options.untilStep) return false;
  const ready = nextReady(w);
  if (ready !== undefined) {
    node.look(w, ready);
    return true;
  }
  const nextUs = queue.nextAt(w.queue);
  if (nextUs === undefined || nextUs > w.endUs) return finish(w);
  if (options.fork !== undefined && !r.forked && nextUs >= options.fork.atUs) fork(r);
  w.nowUs = nextUs;
  happen(w, queue.pop(w.queue));
  return true;
}

function nextReady(w: World): Node | undefined {
  if (w.readyAt >= w.ready.length) return undefined;
  const first = w.ready[w.readyAt];
  w.readyAt += 1;
  if (w.readyAt === w.ready.length) {
    empty(w.ready);
    w.readyAt = 0;
  }
  return first;
}

/** The end of time: what is still owed is a finding. */
function finish(w: World): boolean {
  w.nowUs = w.endUs;
  if (w.checks) oracles.finished(w);
  return false;
}

function happen(w: World, item: Item): void {
  switch (item.kind) {
    case "run": case "wake": case "boot": case "notice": return toNode(w, item);
    case "begin": return faults.begin(w, item.at);
    case "end": return faults.end(w, item.at);
    case "task": return task(w, w.scenario.workload[item.at] as Task);
    case "heal":
      faults.heal(w);
      if (w.checks) oracles.healed(w);
      return;
    case "check":
      if (!w.checks) return;
      for (const { node: asked, task: work } of oracles.due(w, item.at)) {
        processes.push(w, w.nodes[asked] as Node, { type: "asked", task: work });
      }
      return;
    case "net.arrival": case "net.timer": case "net.dial": case "net.answer":
      return network.due(w.net, item, w.nowUs);
    default: unreachable(item);
  }
}

/** What was meant for an earlier process does nothing. */
function toNode(w: World, item: NodeItem | NoticeItem): void {
  const one = w.nodes[item.node] as Node;
  if (one.incarnation !== item.incarnation) return;
  switch (item.kind) {
    case "run": return node.look(w, one);
    case "wake": return node.wake(w, one);
    case "boot": return boot(w, one);
    case "notice": return processes.notify(w, one, item.notice);
    default: unreachable(item);
  }
}

/** A machine whose process died starts again, unless it already runs. */
function boot(w: World, one: Node): void {
  if (one.kernel !== undefined) return;
  if (w.healed && !w.core.has(one.index) && isDead(w, one)) return;
  processes.start(w, one);
}

function isDead(w: World, one: Node): boolean {
  return w.scenario.phases.fates.some((known) => known.node === one.id && known.fate === "dead");
}

function task(w: World, one: Task): void {
  const asked = w.byId.get(one.node);
  const other = "maker" in one ? one.maker : "bot" in one ? one.bot : undefined;
  if (asked === undefined || (other !== undefined && !w.byId.has(other))) {
    w.idle.add(one.id);
    return;
  }
  if (asked.ground === undefined) {
    processes.push(w, asked, { type: "asked", task: one });
  } else if (chain.act(asked.ground, one, clocks.wall(asked.clock, w.nowUs))) {
    if (w.checks) oracles.moved(w, asked);
  } else w.idle.add(one.id);
}

/** Other draws from here on, in every stream that is drawn from while a world runs. */
function fork(r: Run): void {
  r.forked = true;
  const { world: w, options: { fork: to } } = r;
  if (to === undefined) return;
  const key = prng.derive(prng.key(to.seed), "fork");
  Object.assign(w.queue.ties, prng.stream(key, "ties"));
  for (const one of w.nodes) Object.assign(one.costs, prng.stream(key, "costs", one.id));
  network.reseed(w.net, prng.derive(key, "net"));
}

/** What the run came to so far. */
export function outcome(r: Run): Outcome {
  const { world: w } = r;
  const seen = w.checks ? oracles.summary(w) : { goals: {}, gauges: {} };
  return {
    verdict: verdictOf(r), finding: w.finding, digest: digest.hex(w.digest),
    checkpoints: w.checkpoints, steps: w.steps, virtualMs: Math.floor(w.nowUs / 1_000),
    goals: seen.goals, faults: firedOf(w), gauges: seen.gauges,
    idle: [...w.idle].sort((a, b) => a - b),
  };
}

function verdictOf(r: Run): Verdict {
  const { finding } = r.world;
  if (finding === undefined) return r.world.steps >= r.options.eventsMax ? "budget" : "pass";
  if (finding.id === "crash") return "crash";
  return /^L[0-9]/.test(finding.id) ? "liveness" : "safety";
}

function firedOf(w: World): { readonly [kind in HarmKind]?: Fired } {
  const out: { [kind in HarmKind]?: Fired } = {};
  for (const [kind, fired] of w.fired) out[kind as HarmKind] = { ...fired };
  return out;
}
