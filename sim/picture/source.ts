/**
 * Where a picture's reader gets the states of nodes from.
 *
 * Rule 1: a state is asked for by step and node, and is a tree of texts: machines change theirs in
 * place.
 * Rule 2: an answer may need work; the reader gives it in portions and stays usable meanwhile.
 * @module
 */
import type { Recording } from "../recording.ts";
import { applied, treeOf, type Change, type Tree } from "./tree.ts";

/** A node before and after a step; `undefined` while its process is down. */
export type Pair = { readonly before: Tree | undefined; readonly after: Tree | undefined };

export type Source = {
  readonly recording: Recording;
  /** `undefined`: not known yet, `work` is needed. */
  readonly states: (step: number, node: number) => Pair | undefined;
  /** Does a portion of what the last `states` asked for. */
  readonly work: () => void;
};

/** States that were written down with a recording: the first of each node, then what changed. */
export type Written = {
  readonly firsts: readonly (Tree | undefined)[];
  /** By step, in order; a step without changes may be absent. */
  readonly changes: readonly { readonly step: number; readonly changes: readonly Change[] }[];
};

/** Kept for each node: a state after so many of its changes. */
const keptEvery = 64;

/** A source over states that were written down. */
export function written(recording: Recording, states: Written): Source {
  const byNode = recording.scenario.nodes.map((_, node) => {
    return states.changes.filter(({ step }) => recording.steps[step]?.node === node);
  });
  const kept = byNode.map((_, node): (Tree | undefined)[] => [states.firsts[node]]);
  /** After so many of the node's changes. */
  const after = (node: number, count: number): Tree | undefined => {
    const marks = kept[node] ?? [];
    const changes = byNode[node] ?? [];
    while (marks.length <= Math.floor(count / keptEvery)) {
      const from = (marks.length - 1) * keptEvery;
      const some = changes.slice(from, from + keptEvery).flatMap((one) => one.changes);
      marks.push(applied(marks[marks.length - 1], some));
    }
    const mark = Math.floor(count / keptEvery);
    const rest = changes.slice(mark * keptEvery, count).flatMap((one) => one.changes);
    return applied(marks[mark], rest);
  };
  return {
    recording,
    states: (step, node) => {
      const changes = byNode[node] ?? [];
      const before = countBefore(changes, step);
      const isOwn = changes[before]?.step === step;
      const old = after(node, before);
      return { before: old, after: isOwn ? after(node, before + 1) : old };
    },
    work: () => undefined,
  };
}

/** How many of the changes come before `step`. */
function countBefore(changes: readonly { readonly step: number }[], step: number): number {
  let [low, high] = [0, changes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((changes[middle] as { readonly step: number }).step < step) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A run that is made again from its beginning, a portion at a time. */
export type Again = {
  /** Steps made so far. */
  readonly steps: () => number;
  /** Does what comes next, which may be no step, one or more; false when the run is over. */
  readonly advance: () => boolean;
  /** The state of a node now, plain data; `undefined` while its process is down. */
  readonly state: (node: number) => unknown;
};

/** Begins a run; `stepped` is told each step's number and node, right after it. */
export type Begin = (stepped: (step: number, node: number) => void) => Again;

/** Steps that one portion of work makes at most. */
const portion = 50_000;
/** On the way to a step these many before it are kept, so that stepping back is cheap. */
const keptBefore = 128;
const pairsMax = 4_096;

type Rerun = {
  readonly recording: Recording;
  readonly pairs: Map<string, Pair>;
  /** The states as they were when `freshAt` steps had been made. */
  trees: (Tree | undefined)[];
  freshAt: number;
  isKeeping: boolean;
  wanted: { readonly step: number; readonly node: number };
  again: Again | undefined;
};

/** A source that runs the scenario again: forwards from where it stands, back from the start. */
export function rerun(recording: Recording, begin: Begin): Source {
  const m: Rerun = {
    recording, pairs: new Map(), trees: [], freshAt: -1, isKeeping: false,
    wanted: { step: -1, node: -1 }, again: undefined,
  };
  return {
    recording,
    states: (step, node) => {
      m.wanted = { step, node };
      return m.pairs.get(`${step} ${node}`);
    },
    work: () => work(m, begin),
  };
}

function work(m: Rerun, begin: Begin): void {
  const { step } = m.wanted;
  if (m.again === undefined || m.again.steps() > step) {
    m.freshAt = -1;
    m.isKeeping = false;
    m.again = begin((at, node) => stepped(m, at, node));
  }
  const { again } = m;
  const end = again.steps() + portion;
  while (again.steps() <= step && again.steps() < end) {
    keepFrom(m, again);
    if (!again.advance()) break;
  }
  m.isKeeping = false;
  if (again.steps() <= step && again.steps() < end) nothing(m);
}

/** Near the wanted step every step is kept; for that the states before it must be known. */
function keepFrom(m: Rerun, again: Again): void {
  m.isKeeping = again.steps() >= m.wanted.step - keptBefore;
  if (!m.isKeeping || m.freshAt === again.steps()) return;
  m.trees = m.recording.scenario.nodes.map((_, node) => stateOf(again, node));
  m.freshAt = again.steps();
}

function stepped(m: Rerun, step: number, node: number): void {
  if (!m.isKeeping || m.again === undefined) return;
  if (m.pairs.size > pairsMax) m.pairs.clear();
  const after = stateOf(m.again, node);
  m.pairs.set(`${step} ${node}`, { before: m.trees[node], after });
  m.trees[node] = after;
  m.freshAt = step + 1;
  if (step !== m.wanted.step || node === m.wanted.node) return;
  const other = m.trees[m.wanted.node];
  m.pairs.set(`${step} ${m.wanted.node}`, { before: other, after: other });
}

/** A process that is down has none. */
function stateOf(again: Again, node: number): Tree | undefined {
  const state = again.state(node);
  return state === undefined ? undefined : treeOf(state);
}

/** The run ended before the step: there is nothing to see, and nothing more to do. */
function nothing(m: Rerun): void {
  m.pairs.set(`${m.wanted.step} ${m.wanted.node}`, { before: undefined, after: undefined });
}
