/**
 * Draws what the peers of a world are asked to do.
 *
 * Rule 1: each node has a stream of its own.
 * Rule 2: nothing is asked after the heal: what happens then is the nodes' own doing.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import * as prng from "../../core/prng.ts";
import type { Key, Prng } from "../../core/prng.ts";
import type { NodeId, NodeSpec, Task, Work } from "../scenario.ts";
import { chainTasks } from "./chain.ts";

/** About `perHour` tasks for each honest peer and hour; of a thousand bodies so many are long. */
export function workload(
  key: Key, nodes: readonly NodeSpec[], untilMs: number, perHour: number, longBodies: number,
): readonly Task[] {
  const makers = nodes.filter((spec) => spec.kind === "maker").map((spec) => spec.id);
  const out: Task[] = [];
  for (const [index, spec] of nodes.entries()) {
    if (spec.kind === "directory" || spec.kind === "bot") continue;
    const p = prng.stream(key, "work", spec.id);
    if (spec.kind === "chain") {
      out.push(...chainTasks(p, spec.id, nodes, untilMs, 10_000 + index * 5_000));
      continue;
    }
    const hours = spec.kind === "journal" ? 30 : 1;
    const count = Math.ceil(untilMs * perHour * hours / 3_600_000);
    for (let i = 0; i < count; i += 1) {
      const work = workOf(p, spec, makers, longBodies);
      if (work === undefined) continue;
      const id = 10_000 + index * 5_000 + i;
      out.push({ id, at: prng.below(p, untilMs), node: spec.id, ...work });
    }
  }
  return out.sort((a, b) => a.at - b.at || a.id - b.id);
}

function workOf(
  p: Prng, spec: NodeSpec, makers: readonly NodeId[], longBodies: number,
): Work | undefined {
  switch (spec.kind) {
    case "maker": return makerWork(p, longBodies);
    case "taker": return takerWork(p, makers, longBodies);
    case "watcher": return watcherWork(p);
    case "journal":
      return { op: "append", count: prng.between(p, 1, 20), bytes: size(p, longBodies) };
    case "bot": case "chain": case "fleet": case "ark": case "directory": case "flood":
    case "squatter": case "drip": case "garbage": case "forger": case "trap": case "mute":
    case "churn": case "crowd":
      return undefined;
    default: unreachable(spec);
  }
}

function makerWork(p: Prng, longBodies: number): Work {
  switch (prng.below(p, 10)) {
    case 0: return { op: "away", forMs: prng.between(p, 10, 120_000) };
    case 1: return { op: "peerlist" };
    case 2: return { op: "ping" };
    case 3: return { op: "chat", bytes: size(p, longBodies) };
    default: return { op: "announce", size: prng.between(p, 1, 5) };
  }
}

function takerWork(p: Prng, makers: readonly NodeId[], longBodies: number): Work {
  switch (prng.below(p, 12)) {
    case 0: return { op: "away", forMs: prng.between(p, 10, 120_000) };
    case 1: case 2: return { op: "peerlist" };
    case 3: return { op: "ping" };
    case 4: return { op: "burst", count: prng.between(p, 2, 60), bytes: size(p, longBodies) };
    case 5: case 6: case 7: return { op: "orderbook" };
    default: {
      if (makers.length === 0) return { op: "orderbook" };
      return { op: "fill", maker: prng.pick(p, makers), bytes: size(p, longBodies) };
    }
  }
}

function watcherWork(p: Prng): Work {
  return prng.chance(p, 1, 2) ? { op: "peerlist" } : { op: "orderbook" };
}

/** Mostly short, at times as long as lines may be. */
function size(p: Prng, longBodies: number): number {
  const isLong = prng.chance(p, longBodies, 1_000);
  return isLong ? prng.between(p, 2_000, 38_000) : prng.between(p, 10, 400);
}
