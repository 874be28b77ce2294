/**
 * A run that can be looked at step by step, forwards and backwards.
 *
 * Rule 1: going back is running again from the start to the step before: a run of a million steps
 * takes a second or two, and nothing can be restored wrongly.
 * Rule 2: what is shown is looked up when it is asked for; a film that only runs costs little more
 * than the run itself.
 * @module
 */
import type { Mark, Scenario } from "../../sim/scenario.ts";
import type { SimEffect, SimEvent, Watch, World } from "../../sim/world.ts";
import type { Engine, Run } from "./engine.ts";
import type { RunOptions } from "./job.ts";

/** One step. */
export type Shot = {
  /** Its number, from 0. */
  readonly i: number;
  readonly atMs: number;
  readonly node: string;
  readonly event: { readonly type: string };
  readonly effects: readonly { readonly type: string }[];
};

export type Film = {
  /** Steps that were taken. */
  readonly steps: () => number;
  /** Virtual (or recorded) time, in ms. */
  readonly nowMs: () => number;
  /** Takes one step; `undefined`: the run is over. */
  readonly next: () => Shot | undefined;
  /** The steps taken last, oldest first; at most `tailMax`. */
  readonly tail: () => readonly Shot[];
  /** To the state after so many steps; fewer if the run is shorter. */
  readonly seek: (steps: number) => void;
  readonly nodes: () => readonly string[];
  /** The state of a node's machine; `undefined` while it is down. */
  readonly state: (node: string) => unknown;
  /** The world, for questions that only a simulated run can answer. */
  readonly world: () => World | undefined;
  /** How it ended, once it has. */
  readonly verdict: () => string | undefined;
};

/** Steps that are remembered. */
export const tailMax = 200;

/** A film of a scenario. */
export function filmOf(engine: Engine, scenario: Scenario, options: RunOptions): Film {
  let tail: Shot[] = [];
  const watch: Watch = {
    stepped: (w, node, event, effects) => {
      tail.push(shotOf(w, node.id, event, effects));
      if (tail.length > 2 * tailMax) tail = tail.slice(-tailMax);
    },
  };
  const begin = (): Run => {
    tail = [];
    const fresh = engine.begin(scenario, { ...options, watch });
    // Marks of directories are counted where a trigger waits for them; here they are looked at.
    for (const node of fresh.world.nodes) (fresh.world.marked as Set<number>).add(node.index);
    return fresh;
  };
  let run = begin();
  let isOver = false;
  const next = (): Shot | undefined => {
    const before = run.world.steps;
    while (run.world.steps === before) {
      if (engine.advance(run)) continue;
      isOver = true;
      if (run.world.steps === before) return undefined;
    }
    return tail.at(-1);
  };
  return {
    steps: () => run.world.steps,
    nowMs: () => Math.floor(run.world.nowUs / 1_000),
    next,
    tail: () => tail.slice(-tailMax),
    seek: (steps) => {
      if (steps < run.world.steps) {
        run = begin();
        isOver = false;
      }
      while (run.world.steps < steps && next() !== undefined);
    },
    nodes: () => run.world.nodes.map((node) => node.id),
    state: (node) => run.world.byId.get(node)?.kernel?.state,
    world: () => run.world,
    verdict: () => (isOver ? verdictText(engine, run) : undefined),
  };
}

function shotOf(
  w: World, node: string, event: SimEvent, effects: readonly SimEffect[],
): Shot {
  // The runner reuses the list of effects for its next step.
  return { i: w.steps - 1, atMs: Math.floor(w.nowUs / 1_000), node, event, effects: [...effects] };
}

function verdictText(engine: Engine, run: Run): string {
  const { finding } = run.world;
  if (finding !== undefined) return `${finding.id} at ${finding.node}: ${finding.says}`;
  const { verdict } = engine.outcome(run);
  return verdict === "pass" ? "the run is over and nothing is wrong" : verdict;
}

/** How often a mark was seen, on one node or on all. */
export function marksSeen(w: World, mark: Mark, node: string | undefined): number {
  let count = 0;
  for (const one of w.nodes) {
    if (node === undefined || one.id === node) count += one.marks.get(mark) ?? 0;
  }
  return count;
}
