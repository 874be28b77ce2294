/**
 * Further looks at a run: in which states faults met connections, and what all states hashed to.
 *
 * Rule 1: looks change nothing; a run that is looked at has the digest that it has without.
 * Rule 2: states are named by the tables of the machines: `session greeting`, `link up`.
 * @module
 */
import { hashText } from "../../sim/canonical.ts";
import { stateLines } from "../../sim/diff.ts";
import { checkpointSteps } from "../../sim/outcome.ts";
import type { Watch, World } from "../../sim/world.ts";

/** Counts by kind of fault and state, and by move from state to state. */
export type Cover = {
  readonly matrix: { [kind: string]: { [state: string]: number } };
  readonly moves: { [move: string]: number };
};

type Phased = { readonly phase: string };
type DirectoryLike = {
  readonly sessions: { readonly byConn: ReadonlyMap<number, { readonly at: Phased }> };
};
type PeerLike = { readonly links: readonly Phased[] };
type Node = World["nodes"][number];

/** What watches for cover, and where it counts. */
export function coverWatch(): { readonly watch: Watch; readonly cover: Cover } {
  const cover: Cover = { matrix: {}, moves: {} };
  const known = new Map<string, string>();
  return {
    cover,
    watch: {
      began: (w, { harm }) => {
        const row = cover.matrix[harm.kind] ??= {};
        for (const state of statesOf(w)) row[state] = (row[state] ?? 0) + 1;
      },
      stepped: (_, node) => moved(cover, known, node),
    },
  };
}

/** The states that connections are in now, each once. */
function statesOf(w: World): ReadonlySet<string> {
  const states = new Set<string>();
  for (const node of w.nodes) {
    for (const [, state] of partsOf(node)) states.add(state);
    if (node.kernel === undefined) states.add(`${node.kind} down`);
    if (node.stalls > 0) states.add(`${node.kind} stalled`);
    if (node.pausedUntilUs > w.nowUs) states.add(`${node.kind} paused`);
  }
  if (w.healed) states.add("healed");
  return states;
}

/** The connections of a node: a key and a state each. */
function* partsOf(node: Node): Generator<readonly [key: string, state: string]> {
  const state: unknown = node.kernel?.state;
  if (state === undefined) return;
  if (node.kind === "directory") {
    for (const [conn, session] of (state as DirectoryLike).sessions.byConn) {
      yield [`${node.id} ${node.incarnation} ${conn}`, `session ${session.at.phase}`];
    }
  } else if (node.kind === "peer") {
    for (const [i, link] of (state as PeerLike).links.entries()) {
      yield [`${node.id} ${i}`, `link ${link.phase}`];
    }
  }
}

function moved(cover: Cover, known: Map<string, string>, node: Node): void {
  for (const [key, state] of partsOf(node)) {
    const before = known.get(key);
    if (before === state) continue;
    known.set(key, state);
    const move = `${before ?? `${state.split(" ")[0]} new`} > ${state.split(" ")[1]}`;
    cover.moves[move] = (cover.moves[move] ?? 0) + 1;
  }
}

/** Adds the counts of one run to those of others. */
export function addCover(into: Cover, from: Cover): void {
  for (const [kind, row] of Object.entries(from.matrix)) {
    const known = into.matrix[kind] ??= {};
    for (const [state, n] of Object.entries(row)) known[state] = (known[state] ?? 0) + n;
  }
  for (const [move, n] of Object.entries(from.moves)) {
    into.moves[move] = (into.moves[move] ?? 0) + n;
  }
}

/** What hashes all states of a world at every checkpoint; `hash` is chained over them. */
export function stateWatch(): { readonly watch: Watch; readonly hash: () => string } {
  let chained = "";
  return {
    hash: () => chained,
    watch: {
      stepped: (w) => {
        if (w.steps % checkpointSteps === 0) chained = hashText(chained + statesText(w));
      },
    },
  };
}

function statesText(w: World): string {
  return w.nodes.map((node) => {
    const state: unknown = node.kernel?.state;
    const lines = state === undefined ? ["down"] : stateLines(state);
    return `${node.id} ${node.incarnation}\n${lines.join("\n")}`;
  }).join("\n");
}
