/**
 * Bounds of what waits for a peer that is behind, as the observer of a directory node counts it.
 *
 * Rule 1: private lines may fill half of a peer's queue and no more. When the node flushes its
 * window is its own business, so what waits is known between two bounds only; where they disagree
 * either fate of a line is right.
 * Rule 2: when all queues hold too much, the one goes that holds most for itself: nobody is ended
 * while another holds more than all that was due to the one that went.
 * Rule 3: what is due to a peer comes from what the observer saw. Of the node's own tables it looks
 * at what those hold who stayed.
 * @module
 */
import type { Directory } from "../../core/directory/node.ts";
import { NEVER, type Mono } from "../../core/time.ts";
import { envelopeBytes, least, most } from "./due.ts";
import type { Conn, Event, Observer } from "./observer.ts";

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
  const listed = flushBytes + o.config.peerlistBytesMax + envelopeBytes;
  return 2 * (most(o, to) + small(o, to) + listed + bytes) > bytesMax;
}

/** Of what the node itself says to a peer, all but lists. */
function small(o: Observer, to: Conn): number {
  return ownBytes + o.config.motd.length + to.pongs * envelopeBytes;
}

/**
 * Did `gone` surely hold less for itself than somebody who stayed? Only a tick tells: in any other
 * step more may have come for those after it went.
 */
export function isLeast(o: Observer, d: Directory, gone: Conn, event: Event): boolean {
  if (event.type !== "tick" || gone.list !== undefined) return false;
  const heldMax = most(o, gone) + small(o, gone);
  for (const c of o.congested) {
    const box = d.outbox.boxes.get(c.id);
    if (c !== gone && box !== undefined && box.ownBytes > heldMax) return true;
  }
  return false;
}
