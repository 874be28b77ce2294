/**
 * What can be next in a world.
 * @module
 */
import type { NetItem, Socket, Told } from "./network.ts";
import type { SimEvent } from "./vocabulary.ts";

/** Something waits for the process: an event, or what its system tells of a socket. */
export type Notice =
  | { readonly socket: Socket; readonly told: Told }
  | { readonly socket: undefined; readonly event: SimEvent };

/** A node looks at its inbox (`run`) or its clock (`wake`), or its machine starts (`boot`). */
export type NodeItem = {
  readonly kind: "run" | "wake" | "boot"; readonly node: number;
  /** Of which process: items of a dead one do nothing. */
  readonly incarnation: number;
};

/** Something for a node's process, not before this instant: an answer of its machine. */
export type NoticeItem = {
  readonly kind: "notice"; readonly node: number; readonly incarnation: number;
  readonly notice: Notice;
};

/** The plan's next entry: a fault begins or ends, a task is given, the heal comes. */
export type PlanItem = {
  readonly kind: "begin" | "end" | "task" | "heal" | "check";
  /** Place in the list that it is about. */
  readonly at: number;
};

/** An item for the process of that number. */
export function itemOf(kind: NodeItem["kind"], node: number, incarnation: number): NodeItem {
  return { kind, node, incarnation };
}

export type Item = NetItem | NodeItem | NoticeItem | PlanItem;
