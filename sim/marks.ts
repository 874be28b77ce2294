/**
 * Moments of the protocol: counted for each node, and the triggers that wait for them.
 *
 * Rule 1: peers say their marks; those of a directory are read off what it writes, by the type of
 * the first line of each write.
 * Rule 2: a trigger that fires becomes an entry of the plan like any other fault.
 * @module
 */
import * as envelope from "../core/joinmarket/envelope.ts";
import { typeOf } from "./actors/read.ts";
import * as queue from "./queue.ts";
import type { Fault, Mark } from "./scenario.ts";
import type { Node, SimEffect, SimEvent, World } from "./world.ts";

/** A mark was seen on a node. */
export function seen(w: World, node: Node, mark: Mark): void {
  const nth = (node.marks.get(mark) ?? 0) + 1;
  node.marks.set(mark, nth);
  if (w.healed) return;
  for (const trigger of w.scenario.triggers) {
    const { on } = trigger;
    if (on.node !== node.id || on.mark !== mark || on.nth !== nth) continue;
    const atUs = w.nowUs + trigger.delayMs * 1_000;
    const fault: Fault = { id: trigger.id, at: Math.floor(atUs / 1_000), ...trigger.do };
    w.plan.push(fault);
    queue.push(w.queue, atUs, { kind: "begin", at: w.plan.length - 1 });
  }
}

/** The marks of a directory: what an event told it and what it wrote. */
export function look(
  w: World, node: Node, event: SimEvent, effects: readonly SimEffect[],
): void {
  if (node.kind === "fleet") return stored(w, node, event, effects);
  if (node.kind !== "directory") return;
  if (event.type === "conn.congested") seen(w, node, "congested");
  for (const effect of effects) {
    if (effect.type === "conn.send") sent(w, node, typeOf(effect.bytes));
    else if (effect.type === "conn.close") ended(w, node, effect.reason);
  }
}

/** Those of a fleet: what it writes, and what is durable. */
function stored(
  w: World, node: Node, event: SimEvent, effects: readonly SimEffect[],
): void {
  if (event.type === "store.synced") seen(w, node, "synced");
  for (const effect of effects) if (effect.type === "store.append") seen(w, node, "appended");
}

function ended(w: World, node: Node, reason: string): void {
  if (reason === "idle-timeout" || reason === "pong-timeout") seen(w, node, "evicted");
  else seen(w, node, reason === "refused" ? "refused" : "closed");
}

function sent(w: World, node: Node, type: number): void {
  if (type === envelope.types.DN_HANDSHAKE) seen(w, node, "welcome.sent");
  else if (type === envelope.types.PING) seen(w, node, "ping.sent");
  else if (type === envelope.types.PEERLIST) seen(w, node, "list.sent");
}
