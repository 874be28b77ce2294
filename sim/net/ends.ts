/**
 * How one end of a connection comes to its end, for its process and for its system.
 *
 * Rule 1: an end that arrives is found by reading: after all that came before it, and not at all by
 * a process that reads nothing. Then the process's own half is ended too, as the host's sockets do
 * (no half-open sockets).
 * Rule 2: a socket that is let go with unread bytes is reset; so is whoever sends to it later.
 * Rule 3: the first cause counts: whatever ends it after `close`, the process is told what it asked
 * for.
 * @module
 */
import * as line from "./line.ts";
import { neverUs } from "./law.ts";
import type { Ending, Network, Socket } from "./socket.ts";

/** There is something to find for the process. */
export function tellReadable(n: Network, s: Socket): void {
  if (s.isReadableTold || s.phase !== "open" || n.isStalled[s.node] === true) return;
  s.isReadableTold = true;
  n.host.told(s, "readable");
}

/** The process is told the end; its system closes what is left in good order. */
export function finish(n: Network, s: Socket, why: Ending): void {
  s.phase = "ended";
  const what = s.ending ?? why;
  s.ending = what;
  letUnreadGo(s);
  n.host.told(s, what);
  n.watch?.ended?.(s.life, s.node, what);
  if (s.system === "live") s.system = "orphan";
  settle(n, s);
}

/** The process has read up to the other end's last byte. */
export function readToEnd(n: Network, s: Socket, nowUs: number): void {
  s.finRead = true;
  s.finWanted = true;
  if (s.waitingBytes === 0) takeFin(n, s, nowUs);
  if (s.waitingBytes === 0) finish(n, s, "eof");
  else if (s.brokenBy !== undefined) finish(n, s, s.brokenBy);
}

/** All that the process sent was taken; its end follows. */
export function takeFin(n: Network, s: Socket, nowUs: number): void {
  if (s.finTaken) return;
  s.finTaken = true;
  if (s.system !== "gone") line.put(n, s, "fin", nowUs);
}

/** The connection has failed: the system forgets it, and the process finds out. */
export function breakOff(n: Network, s: Socket, why: "reset" | "error"): void {
  if (s.system === "gone") return;
  const wasWaiting = s.waitingBytes > 0;
  const { waitingBytes } = s;
  s.system = "gone";
  line.forget(n, s);
  if (s.phase !== "open") return settle(n, s);
  s.brokenBy = why;
  // What waits tells `readToEnd` that a write failed too.
  s.waitingBytes = waitingBytes;
  if (wasWaiting && (s.finRead || n.isStalled[s.node] === true)) finish(n, s, why);
  else tellReadable(n, s);
}

/** The system resets: what was not sent is lost, and the other end is told if it can be reached. */
export function reset(n: Network, s: Socket, nowUs: number): void {
  if (s.system === "gone") return;
  s.system = "gone";
  line.forget(n, s);
  line.put(n, s, "rst", nowUs);
  settle(n, s);
}

/** Something came for a socket that the system of `s` does not know: it is answered by a reset. */
export function refuse(n: Network, s: Socket, nowUs: number): void {
  if (s.line[s.line.length - 1]?.what === "rst") return;
  line.forget(n, s);
  line.put(n, s, "rst", nowUs);
}

/** The process closes its socket without a word. */
export function letGo(n: Network, s: Socket, nowUs: number): void {
  const isUnread = s.unreadBytes > 0;
  s.phase = "ended";
  letUnreadGo(s);
  s.waiting.length = 0;
  s.waitingBytes = 0;
  if (s.system !== "live") return settle(n, s);
  if (isUnread) return reset(n, s, nowUs);
  takeFin(n, s, nowUs);
  s.system = "orphan";
  settle(n, s);
}

/** Everything is over at once and untold: the machine has no power. */
export function vanish(n: Network, s: Socket): void {
  s.phase = "ended";
  s.system = "gone";
  letUnreadGo(s);
  line.forget(n, s);
  settle(n, s);
}

function letUnreadGo(s: Socket): void {
  s.unread.length = 0;
  s.unreadHead = 0;
  s.unreadBytes = 0;
}

/** Forgets a socket that nobody needs any more. */
export function settle(n: Network, s: Socket): void {
  if (s.system === "orphan" && s.finIn && s.heldBytes === 0 && s.head === s.line.length &&
    !s.isUnacked) {
    s.system = "gone";
    s.retryUs = neverUs;
    line.armTimer(n, s);
  }
  if (s.system === "gone" && s.phase === "ended") n.sockets[s.node]?.delete(s);
}
