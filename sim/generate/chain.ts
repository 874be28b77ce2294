/**
 * Draws what happens to the chain that bots ask: blocks, what they wait for, money, and
 * reorganisations.
 *
 * Rule 1: each row of each bot has a fate of its own: sent and mined as others are, sent late,
 * replaced, dropped, or never sent.
 * @module
 */
import * as prng from "../../core/prng.ts";
import type { Prng } from "../../core/prng.ts";
import { countOf } from "../bot/rows.ts";
import type { BotSpec, NodeId, NodeSpec, Task, Work } from "../scenario.ts";

/** Between two blocks, on average, in ms. */
const blockMs = 240_000;

/** Tasks of one chain within `[0, untilMs)`, numbered from `firstId`, in no order. */
export function chainTasks(
  p: Prng, node: NodeId, nodes: readonly NodeSpec[], untilMs: number, firstId: number,
): readonly Task[] {
  const drawn: (readonly [number, Work])[] = [];
  const at = (): number => prng.below(p, untilMs);
  for (let i = Math.ceil(untilMs / blockMs); i > 0; i -= 1) {
    drawn.push([at(), { op: "mine", blocks: prng.chance(p, 1, 6) ? prng.between(p, 2, 7) : 1 }]);
  }
  for (let i = prng.below(p, 3); i > 0; i -= 1) {
    const blocks = prng.between(p, 1, 4);
    drawn.push([at(), { op: "reorg", blocks, isDropped: prng.chance(p, 1, 3) }]);
  }
  for (const spec of nodes) if (spec.kind === "bot") drawn.push(...ofBot(p, spec, untilMs));
  return drawn.filter(([when]) => when < untilMs)
    .map(([when, work], i): Task => ({ id: firstId + i, at: when, node, ...work }));
}

function ofBot(p: Prng, spec: BotSpec, untilMs: number): readonly (readonly [number, Work])[] {
  const out: (readonly [number, Work])[] = [];
  const bot = spec.id;
  for (let row = 0; row < countOf(spec); row += 1) {
    const at = prng.below(p, untilMs);
    const later = at + prng.between(p, 1_000, 600_000);
    switch (prng.below(p, 8)) {
      case 0: break;
      case 1:
        out.push([at, { op: "send", bot, row }], [later, { op: "evict", bot, row }]);
        break;
      case 2:
        out.push([at, { op: "send", bot, row }], [later, { op: "replace", bot, row }]);
        break;
      case 3: {
        // Dropped by all, and sent again when nobody waits any more.
        const again = later + prng.between(p, 600_000, 2_400_000);
        out.push(
          [at, { op: "send", bot, row }], [later, { op: "evict", bot, row }],
          [again, { op: "send", bot, row }],
        );
        break;
      }
      default: out.push([at, { op: "send", bot, row }]);
    }
  }
  for (let i = prng.below(p, 4); i > 0; i -= 1) {
    out.push([prng.below(p, untilMs), { op: "fund", bot, kSat: prng.between(p, 100, 90_000) }]);
  }
  for (let i = prng.below(p, 3); i > 0; i -= 1) {
    out.push([prng.below(p, untilMs), { op: "drain", bot }]);
  }
  return out;
}
