/**
 * What happens when something arrives, is acknowledged, or was waited for in vain.
 *
 * In good times an acknowledgement costs nothing: it counts as soon as a segment has arrived, if
 * the way back is whole then. Only a sender that waits for room is woken after the way back.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import * as ends from "./ends.ts";
import { neverUs, orphanRetriesMax, retriesMax, rtoUs } from "./law.ts";
import * as line from "./line.ts";
import type { Network, Segment, Socket } from "./socket.ts";

/** The first segment that flies from `s` is due at the other end, and those that came with it. */
export function arrive(n: Network, s: Socket, nowUs: number): void {
  if (s.arrivalUs !== nowUs) return;
  s.arrivalUs = neverUs;
  if (line.isBroken(n, s)) return line.lose(n, s, nowUs);
  let bytes = 0;
  while (s.head < s.sent) {
    const next = s.line[s.head] as Segment;
    if (next.atUs > nowUs) break;
    line.shift(s);
    bytes += next.bytes.length;
    deliver(n, s.peer, next, nowUs);
  }
  line.trim(s);
  if (s.system !== "gone") hear(n, s, bytes, nowUs);
  line.armArrival(n, s);
}

/** The acknowledgement of what arrived, if the way back is whole. */
function hear(n: Network, s: Socket, bytes: number, nowUs: number): void {
  s.unackedBytes += bytes;
  s.isUnacked = true;
  if (line.isBroken(n, s.peer)) return line.waitForAnswer(n, s, nowUs);
  acknowledged(n, s, nowUs);
}

function acknowledged(n: Network, s: Socket, nowUs: number): void {
  s.heldBytes -= s.unackedBytes;
  s.unackedBytes = 0;
  s.isUnacked = false;
  if (s.retryUs !== neverUs || s.backoff > 0) line.answered(n, s);
  if (s.sent < s.line.length) line.launch(n, s, nowUs);
  if (s.waitingBytes > 0) wakeWriter(n, s, nowUs);
  else if (s.system === "orphan") ends.settle(n, s);
}

/** Linux calls a socket writable once a third of its send buffer is free. */
function wakeWriter(n: Network, s: Socket, nowUs: number): void {
  if (s.drainUs !== neverUs || s.heldBytes * 3 > n.net.sendBufferBytes * 2) return;
  s.drainUs = nowUs + line.usualUs(s.peer);
  line.armTimer(n, s);
}

function deliver(n: Network, to: Socket, one: Segment, nowUs: number): void {
  switch (one.what) {
    case "rst": return ends.breakOff(n, to, "reset");
    case "open": return opened(n, to, nowUs);
    case "fin": return finished(n, to, nowUs);
    case "data": return received(n, to, one.bytes, nowUs);
    default: return unreachable(one.what);
  }
}

function opened(n: Network, to: Socket, nowUs: number): void {
  if (to.phase !== "nascent" || n.isListening[to.node] !== true) {
    ends.vanish(n, to);
    return ends.refuse(n, to, nowUs);
  }
  to.phase = "open";
  n.host.told(to, "opened");
  n.watch?.opened?.(to.life, to.node);
}

function finished(n: Network, to: Socket, nowUs: number): void {
  if (to.system === "gone") return ends.refuse(n, to, nowUs);
  to.finIn = true;
  if (to.system === "orphan") ends.settle(n, to);
  else ends.tellReadable(n, to);
}

function received(n: Network, to: Socket, bytes: Uint8Array, nowUs: number): void {
  if (to.system === "gone") return ends.refuse(n, to, nowUs);
  // Nobody will ever read it.
  if (to.system === "orphan") return ends.reset(n, to, nowUs);
  to.unread.push(bytes);
  to.unreadBytes += bytes.length;
  ends.tellReadable(n, to);
}

/** Something that the system of `s` waits for is due. */
export function timer(n: Network, s: Socket, nowUs: number): void {
  if (s.timerUs !== nowUs) return;
  s.timerUs = neverUs;
  if (s.drainUs <= nowUs) {
    s.drainUs = neverUs;
    refill(n, s, nowUs);
  }
  if (s.windowUs <= nowUs) {
    s.windowUs = neverUs;
    if (!line.isBroken(n, s.peer)) opensWider(n, s, nowUs);
  }
  if (s.retryUs <= nowUs) {
    s.retryUs = neverUs;
    retry(n, s, nowUs);
  }
  line.armTimer(n, s);
}

/** The other end has read, and says so. */
function opensWider(n: Network, s: Socket, nowUs: number): void {
  if (s.isLost) return;
  line.answered(n, s);
  line.launch(n, s, nowUs);
}

/** The system takes what waits, as far as there is room. */
function refill(n: Network, s: Socket, nowUs: number): void {
  while (s.waitingBytes > 0) {
    const free = line.room(n, s);
    if (free <= 0) return;
    const first = s.waiting[0] as Uint8Array;
    const part = first.length <= free ? first : first.subarray(0, free);
    if (part === first) s.waiting.shift();
    else s.waiting[0] = first.subarray(free);
    s.waitingBytes -= part.length;
    line.take(n, s, part, nowUs);
  }
  if (!s.isCongested) return;
  s.isCongested = false;
  n.host.told(s, "drained");
  if (s.finWanted) ends.takeFin(n, s, nowUs);
  if (s.finRead) ends.finish(n, s, "eof");
}

/** No answer came in time. */
function retry(n: Network, s: Socket, nowUs: number): void {
  if (s.system === "gone" || !awaits(s)) return;
  if (s.unanswered >= (s.system === "orphan" ? orphanRetriesMax : retriesMax)) return giveUp(n, s);
  s.unanswered += 1;
  s.backoff += 1;
  s.retryUs = nowUs + rtoUs(s.backoff);
  if (line.isBroken(n, s)) return;
  if (s.isLost) {
    s.retryUs = neverUs;
    return line.repeat(n, s, nowUs);
  }
  if (s.peer.system === "gone" && s.peer.phase !== "nascent") return ends.refuse(n, s.peer, nowUs);
  if (line.isBroken(n, s.peer)) return;
  if (s.isUnacked) return acknowledged(n, s, nowUs);
  // The other end has no room, and says so: that is an answer.
  s.unanswered = 0;
  line.launch(n, s, nowUs);
}

/** Something is owed to this end: an acknowledgement, or room at the other end. */
function awaits(s: Socket): boolean {
  return s.isLost || s.isUnacked || (s.sent < s.line.length && s.head === s.sent);
}

function giveUp(n: Network, s: Socket): void {
  const isOpening = s.isDialer && s.line.length === 1 && s.line[0]?.what === "open";
  if (!isOpening) return ends.breakOff(n, s, "error");
  // An acknowledgement alone: the dialer does not notice, the other end forgets the dial.
  line.drop(s);
  line.answered(n, s);
  ends.vanish(n, s.peer);
}
