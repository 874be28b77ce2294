/**
 * Small worlds for tests, and what one asks about them.
 * @module
 */
import assert from "node:assert/strict";
import type { Outcome } from "../../sim/outcome.ts";
import * as queue from "../../sim/queue.ts";
import * as runner from "../../sim/runner.ts";
import {
  simVersion, type Fault, type Harm, type Net, type NodeSpec, type Scenario, type Task,
  type Trigger,
} from "../../sim/scenario.ts";
import type { World } from "../../sim/world.ts";

export const quiet: Net = {
  latencyMinUs: 10_000, latencyMeanUs: 0, segment: "whole",
  sendBufferBytes: 87_040, receiveBufferBytes: 131_072,
};

export type Parts = {
  readonly nodes?: readonly NodeSpec[];
  readonly faults?: readonly (readonly [number, Harm])[];
  readonly triggers?: readonly Trigger[];
  readonly work?: readonly Task[];
  readonly net?: Partial<Net>;
  readonly faultyMs?: number;
  readonly core?: readonly string[];
  readonly convergeMs?: number;
  readonly seed?: string;
};

export const dir0: NodeSpec = { id: "dir0", kind: "directory" };
export const maker0: NodeSpec = { id: "maker0", kind: "maker", speaks: "new" };
export const maker1: NodeSpec = { id: "maker1", kind: "maker", speaks: "old" };
export const taker0: NodeSpec = { id: "taker0", kind: "taker", speaks: "new" };

/** A directory, two makers and a taker, with nothing wrong but what is asked for. */
export function small(parts: Parts = {}): Scenario {
  const nodes = parts.nodes ?? [dir0, maker0, maker1, taker0];
  const harms = parts.faults ?? [];
  return {
    simVersion, name: "test", seed: parts.seed ?? "0x0000000000000001", nodes,
    net: { ...quiet, ...parts.net }, host: { stepUs: 20, effectUs: 3, timerLateUs: 0 },
    workload: parts.work ?? [],
    faults: harms.map(([at, harm], i): Fault => ({ id: 1_000 + i, at, ...harm })),
    triggers: parts.triggers ?? [],
    phases: {
      faultyMs: parts.faultyMs ?? 120_000, core: parts.core ?? [],
      convergeMs: parts.convergeMs ?? 0, fates: [],
    },
  };
}

/** Runs all that is due by `atMs` of true time; asserts that nothing was found. */
export function until(scenario: Scenario, atMs: number): runner.Run {
  const r = runner.begin(scenario);
  on(r, atMs);
  return r;
}

/** On with it, to a later instant. */
export function on(r: runner.Run, atMs: number): void {
  const { world: w } = r;
  const isDue = (): boolean =>
    w.readyAt < w.ready.length || (queue.nextAt(w.queue) ?? w.endUs + 1) <= atMs * 1_000;
  while (isDue() && runner.advance(r));
  fine(runner.outcome(r));
}

/** A run to its end, which found nothing. */
export function passes(scenario: Scenario): Outcome {
  const outcome = runner.run(scenario);
  fine(outcome);
  return outcome;
}

export function fine(outcome: Outcome): void {
  const { finding } = outcome;
  if (finding === undefined) return;
  const lines = [`${finding.id} ${finding.node}: ${finding.says}`, ...finding.pending];
  assert.fail(`step ${finding.step} at ${finding.atUs} us: ${lines.join("\n  ")}`);
}

/** Nicks that a directory has registered. */
export function registered(w: World, id: string): readonly string[] {
  const node = w.byId.get(id);
  const state = node?.kernel?.state;
  if (state === undefined || !("registry" in state)) return [];
  const nicks = [...state.registry.byNick.keys()];
  return w.nodes.filter((one) => nicks.includes(one.identity.nick)).map((one) => one.id);
}
