/**
 * What leaves one end: taken into the send buffer, cut into segments, sent as far as the other
 * end's buffer has room, lost, sent again.
 *
 * Rule 1: segments arrive in order, or not at all; only the first that flies is in the queue.
 * Rule 2: a cut is at the far end of its path: what counts is whether the path is whole when a
 * segment arrives, so that a fault hits what is under way.
 * Not known here: what an arrival does to the other end (`arrivals.ts`).
 * @module
 */
import * as prng from "../../core/prng.ts";
import { empty } from "../lists.ts";
import * as queue from "../queue.ts";
import { joinUsMax, neverUs, rtoUs } from "./law.ts";
import { mark, type Network, type Path, type Segment, type Socket } from "./socket.ts";

/** Of one write, at most so many pieces are tiny. */
const tinyPiecesMax = 16;
const tinyBytesMax = 4;
/** Pieces of one write follow each other within this time, or at once. */
const gapUsMax = 2_000;

/** Nothing that this end sends arrives. */
export function isBroken(n: Network, s: Socket): boolean {
  return s.isDead || s.path.cut > 0 || n.isUp[s.peer.node] !== true;
}

/** How many bytes the system takes now. */
export function room(n: Network, s: Socket): number {
  return n.net.sendBufferBytes - s.heldBytes;
}

/** The system takes `bytes`, for which it has room. */
export function take(n: Network, s: Socket, bytes: Uint8Array, nowUs: number): void {
  s.heldBytes += bytes.length;
  s.line.push({ what: "data", bytes, atUs: 0 });
  launch(n, s, nowUs);
}

/** The system takes a mark, which needs no room. */
export function put(n: Network, s: Socket, what: "fin" | "rst" | "open", nowUs: number): void {
  s.line.push(mark(what));
  launch(n, s, nowUs);
}

/** Sends what the other end's buffer has room for. */
export function launch(n: Network, s: Socket, nowUs: number): void {
  if (s.isLost) return;
  const { line } = s;
  let pieces = 0;
  while (s.sent < line.length) {
    const first = line[s.sent] as Segment;
    const size = first.bytes.length;
    if (size > 0) {
      const window = n.net.receiveBufferBytes - s.flyingBytes - s.peer.unreadBytes;
      if (window <= 0) break;
      const piece = pieceOf(n, s, size < window ? size : window, pieces);
      if (piece < size) split(s, piece);
    }
    fly(n, s, line[s.sent] as Segment, pieces, nowUs);
    s.sent += 1;
    pieces += 1;
  }
  armArrival(n, s);
  if (s.sent < line.length && s.head === s.sent) waitForAnswer(n, s, nowUs);
}

/** How much of `size` bytes travels together. */
function pieceOf(n: Network, s: Socket, size: number, pieces: number): number {
  const how = s.path.chop ?? n.net.segment;
  if (how === "whole" || how === "joined" || size < 2) return size;
  if (how === "split") {
    return prng.chance(s.prng, 1, 2) ? size : 1 + prng.below(s.prng, size);
  }
  if (pieces >= tinyPiecesMax) return size;
  const tiny = 1 + prng.below(s.prng, tinyBytesMax);
  return tiny < size ? tiny : size;
}

/** The first segment that has not been sent becomes two. */
function split(s: Socket, at: number): void {
  const { bytes } = s.line[s.sent] as Segment;
  s.line[s.sent] = { what: "data", bytes: bytes.subarray(0, at), atUs: 0 };
  const rest: Segment = { what: "data", bytes: bytes.subarray(at), atUs: 0 };
  if (s.sent + 1 === s.line.length) s.line.push(rest);
  else s.line.splice(s.sent + 1, 0, rest);
}

function fly(n: Network, s: Socket, one: Segment, pieces: number, nowUs: number): void {
  const { path } = s;
  let atUs = nowUs + latencyUs(s);
  if (path.bytesPerSec > 0) atUs += passUs(path, one.bytes.length, nowUs);
  if (one.what === "fin" || one.what === "rst") atUs += path.lateEndUs;
  else if (pieces > 0) {
    if (s.lastUs > atUs) atUs = s.lastUs;
    if (prng.chance(s.prng, 1, 2)) atUs += prng.below(s.prng, gapUsMax);
  } else if ((path.chop ?? n.net.segment) === "joined" && s.lastUs <= nowUs) {
    atUs += prng.below(s.prng, joinUsMax + 1);
  }
  if (atUs < s.lastUs) atUs = s.lastUs;
  s.lastUs = atUs;
  one.atUs = atUs;
  s.flyingBytes += one.bytes.length;
}

/** One way from this end, drawn anew. */
export function latencyUs(s: Socket): number {
  const { path } = s;
  const least = path.latencyMinUs + path.slowUs;
  const more = path.latencyMeanUs - path.latencyMinUs;
  return more > 0 ? least + prng.tailed(s.prng, more) : least;
}

/** The way from this end for what nobody sees, such as acknowledgements: nothing is drawn. */
export function usualUs(s: Socket): number {
  const { latencyMinUs, latencyMeanUs, slowUs } = s.path;
  return slowUs + (latencyMeanUs > latencyMinUs ? latencyMeanUs : latencyMinUs);
}

/** How long until `bytes` more have passed a narrow path. */
function passUs(path: Path, bytes: number, nowUs: number): number {
  const fromUs = path.freeUs > nowUs ? path.freeUs : nowUs;
  path.freeUs = fromUs + Math.ceil(bytes * 1_000_000 / path.bytesPerSec);
  return path.freeUs - nowUs;
}

/** Sees to it that the first segment that flies is in the queue. */
export function armArrival(n: Network, s: Socket): void {
  if (s.head === s.sent) return;
  const { atUs } = s.line[s.head] as Segment;
  if (s.arrivalUs === atUs) return;
  s.arrivalUs = atUs;
  queue.push(n.queue, atUs, s.arrival);
}

/** Sees to it that the earliest of what the system waits for is in the queue. */
export function armTimer(n: Network, s: Socket): void {
  let atUs = s.retryUs;
  if (s.windowUs < atUs) atUs = s.windowUs;
  if (s.drainUs < atUs) atUs = s.drainUs;
  if (atUs === s.timerUs) return;
  s.timerUs = atUs;
  if (atUs !== neverUs) queue.push(n.queue, atUs, s.timer);
}

/** Without an answer the system will send again. */
export function waitForAnswer(n: Network, s: Socket, nowUs: number): void {
  if (s.retryUs !== neverUs) return;
  s.retryUs = nowUs + rtoUs(s.backoff);
  armTimer(n, s);
}

/** The system knows again that the other one is there. */
export function answered(n: Network, s: Socket): void {
  s.unanswered = 0;
  s.backoff = 0;
  if (s.retryUs === neverUs) return;
  s.retryUs = neverUs;
  armTimer(n, s);
}

/** What flew is gone. Systems that still know the connection send it again. */
export function lose(n: Network, s: Socket, nowUs: number): void {
  if (s.system === "gone") return drop(s);
  s.isLost = true;
  waitForAnswer(n, s, nowUs);
}

/** Sends again what was lost. */
export function repeat(n: Network, s: Socket, nowUs: number): void {
  s.isLost = false;
  s.flyingBytes = 0;
  s.lastUs = nowUs;
  for (let i = s.head; i < s.sent; i += 1) fly(n, s, s.line[i] as Segment, 0, nowUs);
  launch(n, s, nowUs);
}

/** Forgets everything, also what flies. */
export function drop(s: Socket): void {
  s.line.length = s.head;
  s.sent = s.head;
  s.flyingBytes = 0;
  s.isLost = false;
  s.arrivalUs = neverUs;
  trim(s);
}

/** The system forgets what it has not sent; what flies flies on, unless it is lost. */
export function forget(n: Network, s: Socket): void {
  if (s.isLost) drop(s);
  else s.line.length = s.sent;
  s.waiting.length = 0;
  s.waitingBytes = 0;
  s.heldBytes = 0;
  s.unackedBytes = 0;
  s.isUnacked = false;
  s.retryUs = neverUs;
  s.windowUs = neverUs;
  s.drainUs = neverUs;
  armTimer(n, s);
}

/** The first segment has arrived. */
export function shift(s: Socket): Segment {
  const one = s.line[s.head] as Segment;
  s.head += 1;
  s.flyingBytes -= one.bytes.length;
  return one;
}

/** Gives room back that arrived segments took in the line. */
export function trim(s: Socket): void {
  const { line, head } = s;
  if (head === line.length) empty(line);
  else if (head > 64 && head * 2 > line.length) line.splice(0, head);
  else return;
  s.sent -= head;
  s.head = 0;
}
