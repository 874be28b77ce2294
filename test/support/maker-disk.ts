/**
 * A file as `core/history/store.ts` has it, in memory: what is written, how much of that is
 * durable, and what goes wrong.
 * @module
 */
import { concat } from "../../core/bytes.ts";
import type { StoreEffect, StoreEvent } from "../../core/history/store.ts";

export type Disk = {
  /** What a reader sees, and how much of it survives a power failure. */
  bytes: Uint8Array;
  durableBytes: number;
  /** `hang`: no order is ever answered. */
  fault: "none" | "full" | "io" | "hang";
  /** An order takes so long. */
  delayMs: number;
  orders: number;
};

export function create(): Disk {
  return { bytes: new Uint8Array(0), durableBytes: 0, fault: "none", delayMs: 1, orders: 0 };
}

/** Carries out one order; `undefined`: there is no answer. */
export function order(d: Disk, effect: StoreEffect): StoreEvent | undefined {
  const { req } = effect;
  d.orders += 1;
  if (d.fault === "hang") return undefined;
  switch (effect.type) {
    case "store.load": return { type: "store.loaded", req, bytes: d.bytes.slice() };
    case "store.append": return append(d, req, effect.bytes);
    case "store.sync":
      if (d.fault === "io") return { type: "store.failed", req, reason: "io" };
      d.durableBytes = d.bytes.length;
      return { type: "store.synced", req };
    case "store.truncate":
      d.bytes = d.bytes.slice(0, effect.size);
      d.durableBytes = Math.min(d.durableBytes, effect.size);
      return { type: "store.truncated", req };
    default: throw new Error("an order that no store knows");
  }
}

/** Without room, a part is written all the same. */
function append(d: Disk, req: number, bytes: Uint8Array): StoreEvent {
  const isFull = d.fault === "full";
  const part = isFull ? bytes.subarray(0, bytes.length >> 1) : bytes;
  d.bytes = concat([d.bytes, part]);
  if (isFull) return { type: "store.failed", req, reason: "full" };
  return { type: "store.appended", req };
}

/** The machine loses its power: of what was not durable, `keptBytes` are there. */
export function crash(d: Disk, keptBytes = 0): void {
  d.bytes = d.bytes.slice(0, d.durableBytes + keptBytes);
  d.durableBytes = d.bytes.length;
  d.fault = "none";
}
