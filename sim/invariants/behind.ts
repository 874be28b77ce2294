/**
 * Bounds of what waits for a peer that is behind, as the observer of a directory node counts it.
 *
 * Rule 1: private lines may fill half of a peer's queue and no more. When the node flushes its
 * window is its own business, so what waits is known between two bounds only; where they disagree
 * either fate of a line is right.
 * Rule 2: it knows what is owed to a peer, and nothing of the node's queues.
 * @module
 */
import { NEVER, type Mono } from "../../core/time.ts";
import { envelopeBytes, least, most } from "./due.ts";
import type { Conn, Observer } from "./observer.ts";

/** Handshake answer, PINGs and probes that may wait; the message of the day comes on top. */
const ownBytes = 1_024;

/** Must a private line of so many bytes be dropped, because its target is too far behind? */
export function isSurely(o: Observer, to: Conn, bytes: number): boolean {
  if (to.congestedAt === NEVER) return false;
  const { bytesMax, flushBytes } = o.config.outbox;
  // Public lines of the window are not queued yet; there are never more of them.
  return 2 * (least(o, to) - flushBytes + bytes) > bytesMax;
}

/** May a private line of so many bytes be dropped for that reason? */
export function isMaybe(o: Observer, to: Conn, bytes: number, now: Mono): boolean {
  const { bytesMax, flushBytes, flushMs } = o.config.outbox;
  // A queue that moves is written to in each window.
  if (to.congestedAt === NEVER && now - to.movedAt > flushMs) return false;
  const { motd, peerlistBytesMax } = o.config;
  const listed = flushBytes + peerlistBytesMax + envelopeBytes;
  const own = ownBytes + motd.length + to.pongs * envelopeBytes + listed;
  return 2 * (most(o, to) + own + bytes) > bytesMax;
}
