/**
 * A small root machine for tests of kernel, trace, replay and host: whatever a connection sends
 * goes to all of them at once, and ten milliseconds of silence later it says so.
 * @module
 */
import { InvariantError, unreachable } from "../../core/assert.ts";
import type { ConnId } from "../../core/ids.ts";
import type {
  ClockEvent, ConnEffect, ConnEvent, LogEffect, Tick,
} from "../../core/kernel/io.ts";
import { create, type Kernel, type Root } from "../../core/kernel/kernel.ts";
import { after, NEVER, type Mono } from "../../core/time.ts";

export type ToyEvent = ConnEvent | ClockEvent;
export type ToyEffect = ConnEffect | LogEffect;
export type Toy = { readonly conns: Set<ConnId>; quietAt: Mono; forgotten: boolean };

export const quietMs = 10;

export const toyRoot: Root<Toy, ToyEvent, ToyEffect> = {
  step(toy, event, now, out) {
    switch (event.type) {
      case "conn.opened": return void toy.conns.add(event.conn);
      case "conn.closed": return void toy.conns.delete(event.conn);
      case "conn.received": return received(toy, event.bytes, now, out);
      case "tick": return tick(toy, now, out);
      case "conn.congested":
      case "conn.drained":
      case "clock.anchored": return;
      default: return unreachable(event);
    }
  },
  deadline: (toy) => (toy.forgotten ? NEVER : toy.quietAt),
  effectsMax: (toy) => toy.conns.size + 1,
};

/** `!` breaks the machine, `?` makes it forget its deadline. */
function received(toy: Toy, bytes: Uint8Array, now: Mono, out: ToyEffect[]): void {
  if (bytes[0] === 0x21) throw new InvariantError("told to break");
  if (bytes[0] === 0x3f) toy.forgotten = true;
  for (const conn of toy.conns) out.push({ type: "conn.send", conn, bytes });
  toy.quietAt = after(now, quietMs);
}

function tick(toy: Toy, now: Mono, out: (ToyEffect | Tick)[]): void {
  if (now < toy.quietAt) return;
  toy.quietAt = NEVER;
  out.push({ type: "log", level: "info", code: "toy.quiet", fields: { conns: toy.conns.size } });
}

export function toyKernel(now: Mono, traced = true): Kernel<Toy, ToyEvent, ToyEffect> {
  const toy: Toy = { conns: new Set(), quietAt: NEVER, forgotten: false };
  return create(toyRoot, toy, now, traced);
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
