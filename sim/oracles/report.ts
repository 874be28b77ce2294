/**
 * From what an oracle saw to the finding that ends a run.
 * @module
 */
import { shapeOf } from "../outcome.ts";
import { violation, type Violation } from "../invariants/violation.ts";
import type { OracleNode, OracleWorld } from "./world.ts";

/** The first of `violations`, seen at `node` in step `step`, ends the run, unless one has. */
export function report(
  w: OracleWorld, node: OracleNode, violations: readonly Violation[], step: number,
): void {
  const v = violations[0];
  if (v === undefined || w.finding !== undefined) return;
  w.finding = {
    id: v.id, node: node.id, says: `${v.says}${whereOf(w, node, v)}`, shape: shapeOf(v.id, v.says),
    step: step < 0 ? 0 : step, atUs: w.nowUs, pending: [],
  };
}

/** Whose connection, and whose nick; ids of connections mean something to the node alone. */
function whereOf(w: OracleWorld, node: OracleNode, v: Violation): string {
  const parts: string[] = [];
  const far = v.conn === undefined ? undefined : node.sockets.get(v.conn)?.peer.node;
  const holder = far === undefined ? undefined : w.nodes[far]?.id;
  if (holder !== undefined) parts.push(`the connection of ${holder}`);
  else if (v.conn !== undefined) parts.push(`its connection ${v.conn}`);
  if (v.nick !== undefined) {
    const whose = w.nodes.find((one) => one.identity.nick === v.nick);
    parts.push(whose === undefined ? "a nick of nobody here" : `the nick of ${whose.id}`);
  }
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

/** The shadow of a directory broke an assertion that the directory kept. */
export function broken(error: unknown): readonly Violation[] {
  const says = error instanceof Error ? error.message : String(error);
  return [violation("D15", `cut differently, it dies: ${says}`)];
}
