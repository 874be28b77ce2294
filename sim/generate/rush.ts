/**
 * Draws rushes: some peers stop reading at one instant, are told much meanwhile, and go on at one
 * instant.
 *
 * Rule 1: made of ordinary faults and tasks, so that it shrinks like anything else.
 * Rule 2: as takers do, one asks several makers the same at once: what waits for them has the same
 * lengths and other receivers. Others are told more, or less: what waits differs between queues.
 * @module
 */
import * as prng from "../../core/prng.ts";
import type { Key, Prng } from "../../core/prng.ts";
import type { Fault, HarmKind, NodeId, NodeSpec, Task, Work } from "../scenario.ts";
import { clamp } from "./faults.ts";
import type { Range } from "./profiles.ts";

export type Rushes = { readonly faults: readonly Fault[]; readonly tasks: readonly Task[] };

/** Entries of one rush have ids below the next one's. */
const idsEach = 10_000;

/** Some rushes before `untilMs`, each with a stream of its own. */
export function rushes(
  key: Key, count: Range, untilMs: number, nodes: readonly NodeSpec[],
  isBanned: (kind: HarmKind) => boolean,
): Rushes {
  const of = (...kinds: readonly NodeSpec["kind"][]): readonly NodeId[] =>
    nodes.filter(({ kind }) => kinds.includes(kind)).map(({ id }) => id);
  const [makers, takers, others] = [of("maker"), of("taker"), of("taker", "watcher")];
  const faults: Fault[] = [];
  const tasks: Task[] = [];
  if (makers.length === 0 || takers.length === 0 || isBanned("stall")) return { faults, tasks };
  for (let i = prng.between(prng.stream(key, "rushes"), ...count) - 1; i >= 0; i -= 1) {
    const p = prng.stream(key, "rush", i);
    const at = prng.below(p, untilMs);
    const forMs = prng.between(p, 3_000, 40_000);
    const stuck = some(p, makers, 2);
    const id = 100_000 + i * idsEach;
    const still = [...stuck, ...(prng.chance(p, 1, 2) ? some(p, others, 1) : [])];
    for (const [nth, node] of still.entries()) {
      faults.push({ id: id + nth, at, kind: "stall", node, forMs });
    }
    for (const [nth, { afterMs, node, work }] of told(p, forMs, stuck, takers).entries()) {
      tasks.push({ id: id + 1_000 + nth, at: clamp(at + afterMs, untilMs), node, ...work });
    }
  }
  return { faults, tasks };
}

/** At least so many of a list, if it has as many, in any order. */
function some(p: Prng, list: readonly NodeId[], least: number): readonly NodeId[] {
  const low = least < list.length ? least : list.length;
  return prng.shuffled(p, list).slice(0, prng.between(p, low, list.length));
}

type Told = { readonly afterMs: number; readonly node: NodeId; readonly work: Work };

function told(
  p: Prng, forMs: number, stuck: readonly NodeId[], takers: readonly NodeId[],
): readonly Told[] {
  const out: Told[] = [];
  // What fills the buffers of the systems, so that the rest has to wait in queues.
  for (let i = prng.between(p, 1, 3); i > 0; i -= 1) {
    const work: Work = { op: "chat", bytes: prng.between(p, 4_000, 16_000) };
    out.push({ afterMs: i * 20, node: prng.pick(p, takers), work });
  }
  for (let i = prng.between(p, 2, 14); i > 0; i -= 1) {
    const afterMs = 100 + prng.below(p, forMs);
    const node = prng.pick(p, takers);
    const bytes = prng.between(p, 500, 20_000);
    for (const work of works(p, stuck, bytes)) out.push({ afterMs, node, work });
  }
  return out;
}

/** A public line, or a private one to all of them, or to one. */
function works(p: Prng, stuck: readonly NodeId[], bytes: number): readonly Work[] {
  if (prng.chance(p, 1, 4)) return [{ op: "chat", bytes }];
  const asked = prng.chance(p, 2, 3) ? stuck : [prng.pick(p, stuck)];
  return asked.map((maker): Work => ({ op: "fill", maker, bytes }));
}
