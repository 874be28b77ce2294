/**
 * Small worlds in which something is done behind the back of everybody, to see who notices.
 * @module
 */
import type { Directory } from "../../../core/directory/node.ts";
import type { Outcome } from "../../../sim/outcome.ts";
import * as runner from "../../../sim/runner.ts";
import {
  simVersion, type Fate, type Fault, type Harm, type NodeId, type NodeSpec, type Scenario,
  type Work,
} from "../../../sim/scenario.ts";
import type { Node, World } from "../../../sim/world.ts";

export type Wants = {
  readonly nodes?: readonly NodeSpec[];
  readonly work?: readonly (readonly [number, NodeId, Work])[];
  readonly harm?: readonly (readonly [number, Harm])[];
  readonly faultyMs?: number;
  readonly convergeMs?: number;
  readonly core?: readonly NodeId[];
  readonly fates?: readonly { readonly node: NodeId; readonly fate: Fate }[];
  readonly seed?: string;
};

export const maker = (i: number): NodeSpec => ({ id: `maker${i}`, kind: "maker", speaks: "new" });
export const taker = (i: number): NodeSpec => ({ id: `taker${i}`, kind: "taker", speaks: "new" });
export const directory: NodeSpec = { id: "dir0", kind: "directory" };

/** One directory, two makers, a taker, unless wanted otherwise; a minute, and a heal of all. */
export function scenario(wants: Wants = {}): Scenario {
  const nodes = wants.nodes ?? [directory, maker(0), maker(1), taker(0)];
  return {
    simVersion, name: "test", seed: wants.seed ?? "0x0000000000000007", nodes,
    net: {
      latencyMinUs: 20_000, latencyMeanUs: 40_000, segment: "whole", sendBufferBytes: 87_040,
      receiveBufferBytes: 131_072,
    },
    host: { stepUs: 20, effectUs: 3, timerLateUs: 1_200 },
    workload: (wants.work ?? []).map(([at, node, work], i) => ({ id: 100 + i, at, node, ...work })),
    faults: (wants.harm ?? []).map(([at, harm], i): Fault => ({ id: 1 + i, at, ...harm })),
    triggers: [],
    phases: {
      faultyMs: wants.faultyMs ?? 60_000, convergeMs: wants.convergeMs ?? 0,
      core: wants.core ?? nodes.map((one) => one.id), fates: wants.fates ?? [],
    },
  };
}

/** Runs a world; at `atMs`, between two steps, `meddle` may do what no machine can. */
export function play(
  s: Scenario, atMs = -1, meddle: (w: World) => void = () => {},
  setUp: (w: World) => void = () => {},
): { readonly outcome: Outcome; readonly world: World } {
  const run = runner.begin(s);
  const w = run.world;
  setUp(w);
  let done = atMs < 0;
  for (;;) {
    if (!done && w.nowUs >= atMs * 1_000) {
      done = true;
      meddle(w);
    }
    if (!runner.advance(run)) break;
  }
  return { outcome: runner.outcome(run), world: w };
}

export function node(w: World, id: NodeId): Node {
  const found = w.byId.get(id);
  if (found === undefined) throw new Error(`no ${id}`);
  return found;
}

/** The state of a directory that runs. */
export function stateOf(w: World, id: NodeId = "dir0"): Directory {
  return node(w, id).kernel?.state as Directory;
}
