/**
 * Which nodes a picture shows, and in what order they stand.
 *
 * Rule 1: a node counts by what the finding, the faults and the flags say about it, then by what it
 * sent and got; directories are always wanted. Equal ones come in the order of the scenario.
 * Rule 2: directories stand in the middle, with half of the others on each side, so that fewer
 * messages cross a lane that has nothing to do with them.
 * @module
 */
import type { Recording } from "../recording.ts";
import type { NodeSpec } from "../scenario.ts";

export type Lanes = {
  /** Node indices from left to right. */
  readonly nodes: readonly number[];
  /** For each node of the scenario its place in `nodes`; -1: not shown. */
  readonly places: readonly number[];
  /** Nodes that are not shown although something was sent or got there. */
  readonly hidden: readonly number[];
};

/** What each thing that is known of a node weighs. */
const weights = { found: 10_000, directory: 5_000, named: 2_000, fault: 1_000 } as const;
/** Messages beyond this count no more. */
const messagesMax = 900;
/** Faults of more nodes than this say little about each. */
const narrowFault = 3;

/** The nodes that matter most, `max` at most; nodes of which nothing is known are left out. */
export function relevant(r: Recording, max: number): number[] {
  const scores = scoresOf(r);
  const order = r.scenario.nodes.map((_, node) => node).filter((node) => scoreOf(scores, node) > 0);
  order.sort((a, b) => scoreOf(scores, b) - scoreOf(scores, a) || a - b);
  return order.slice(0, max);
}

/** Lanes for these nodes, in their order on paper. */
export function arrange(r: Recording, shown: readonly number[]): Lanes {
  const wanted = new Set(shown);
  const all = r.scenario.nodes.map((_, node) => node).filter((node) => wanted.has(node));
  const middle = all.filter((node) => isDirectory(r.scenario.nodes[node]));
  const rest = all.filter((node) => !isDirectory(r.scenario.nodes[node]));
  const half = middle.length === 0 ? rest.length : Math.ceil(rest.length / 2);
  const nodes = [...rest.slice(0, half), ...middle, ...rest.slice(half)];
  const places = r.scenario.nodes.map((_, node) => nodes.indexOf(node));
  const busy = busyNodes(r);
  const hidden = places.flatMap((place, node) => (place < 0 && busy.has(node) ? [node] : []));
  return { nodes, places, hidden };
}

function scoresOf(r: Recording): number[] {
  const scores = r.scenario.nodes.map((node) => (isDirectory(node) ? weights.directory : 0));
  for (const node of busyNodes(r)) add(scores, node, 1);
  const counts = r.scenario.nodes.map(() => 0);
  for (const { from, to } of r.messages) {
    counts[from] = (counts[from] ?? 0) + 1;
    counts[to] = (counts[to] ?? 0) + 1;
  }
  counts.forEach((count, node) => add(scores, node, Math.min(count, messagesMax)));
  for (const band of r.bands) {
    if (band.nodes.length > narrowFault) continue;
    for (const node of band.nodes) add(scores, node, weights.fault);
  }
  for (const flag of r.flags) {
    if (flag.kind === "violation") add(scores, flag.node, weights.named);
  }
  named(r, scores);
  return scores;
}

/** Who is found wrong, and whoever is named with it. */
function named(r: Recording, scores: number[]): void {
  const { finding } = r.outcome;
  if (finding === undefined) return;
  const says = [finding.says, ...finding.pending].join(" ");
  const words = new Set(says.split(/[^A-Za-z0-9_]+/));
  r.scenario.nodes.forEach(({ id }, node) => {
    if (id === finding.node) add(scores, node, weights.found);
    if (words.has(id)) add(scores, node, weights.named);
  });
}

function busyNodes(r: Recording): ReadonlySet<number> {
  const busy = new Set<number>();
  // `forEach` passes over connections that never came to be.
  r.lives.forEach((life) => busy.add(life.from).add(life.to));
  for (const { node } of r.steps) {
    if (busy.size === r.scenario.nodes.length) break;
    busy.add(node);
  }
  return busy;
}

function add(scores: number[], node: number, weight: number): void {
  if (node >= 0 && node < scores.length) scores[node] = scoreOf(scores, node) + weight;
}

function scoreOf(scores: readonly number[], node: number): number {
  return scores[node] ?? 0;
}

function isDirectory(node: NodeSpec | undefined): boolean {
  return node?.kind === "directory";
}
