/**
 * When a directory node did not run: what its heartbeat may take for its own pause, and when it has
 * to spare everybody because it comes late itself.
 * @module
 */
import { NEVER, type Mono } from "../../core/time.ts";
import type { Observer } from "./observer.ts";

/** After a late tick the node spares everybody for up to this long. */
export const sparedMs = 1_000;

/** Time in which the node did not run, as its heartbeat counts it. */
export function paused(o: Observer, now: Mono): void {
  const lateMs = now - o.beatAt;
  if (lateMs > o.config.heartbeat.sweepMs) o.pausedMs += lateMs;
  o.isSparing = false;
  if (lateMs >= 0) beat(o, lateMs, now);
}

/** A tick of the heartbeat that comes late evicts nobody; a second one in a row may. */
function beat(o: Observer, lateMs: number, now: Mono): void {
  const { sweepMs, pongMs } = o.config.heartbeat;
  if (lateMs > Math.min(sparedMs, sweepMs, pongMs)) {
    o.isSparing = o.lateAt === NEVER;
    o.lateAt = now;
  } else if (o.lateAt !== NEVER && now - o.lateAt > 2 * sparedMs) o.lateAt = NEVER;
}
