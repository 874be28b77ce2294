/**
 * The network between the nodes of a world: TCP as processes see it.
 *
 * Rule 1: what a process is told of its sockets is what `adapters/sockets.ts` would tell it on
 * Linux: `test/sim/parity.test.ts` runs the same scripts on both.
 * Rule 2: each direction of each connection has its own stream of draws, named by its two nodes and
 * how many connections there were before: nothing that happens elsewhere moves it.
 * Rule 3: in good times one write is one queue item, and its bytes are shared, never copied.
 * Not modelled: congestion windows, segment sizes, the bound on connections that wait for `accept`.
 * @module
 */
import { assert, unreachable } from "../core/assert.ts";
import { copy } from "../core/bytes.ts";
import type { Key } from "../core/prng.ts";
import { empty } from "./lists.ts";
import * as arrivals from "./net/arrivals.ts";
import * as ends from "./net/ends.ts";
import { dialUsMax, synRetriesMax, synUs } from "./net/law.ts";
import * as line from "./net/line.ts";
import {
  pair, streamOf, type Host, type NetItem, type Network, type Path, type Socket,
} from "./net/socket.ts";
import * as queue from "./queue.ts";
import type { Net, Way } from "./scenario.ts";

export type {
  Ending, Host, NetItem, Network, NetWatch, Path, Socket, Told,
} from "./net/socket.ts";

/** What a process may leave with its socket, though it was told to stop. */
const waitingBytesMax = 256 * 1_024 * 1_024;

/** A network of `nodes` machines that are on and listen to nothing. Its items go into `into`. */
export function create(
  net: Net, key: Key, nodes: number, host: Host, into: queue.Queue<unknown>,
): Network {
  assert(net.sendBufferBytes > 0, "a send buffer holds something");
  assert(net.receiveBufferBytes > 0, "a receive buffer holds something");
  const n: Network = {
    net, key, nodes, host, queue: into, paths: new Map(), sockets: [], isListening: [], isUp: [],
    isStalled: [], lives: 0, watch: undefined,
  };
  for (let i = 0; i < nodes; i += 1) {
    n.sockets.push(new Set());
    n.isListening.push(false);
    n.isUp.push(true);
    n.isStalled.push(false);
  }
  return n;
}

/** The path from one node to another, for faults to change. */
export function path(n: Network, from: number, to: number): Path {
  const at = from * n.nodes + to;
  const known = n.paths.get(at);
  if (known !== undefined) return known;
  const made: Path = {
    latencyMinUs: 0, latencyMeanUs: 0, slowUs: 0, bytesPerSec: 0, cut: 0, refuse: false,
    hang: false, lateDialUs: 0, lateEndUs: 0, chop: undefined, freeUs: 0, dials: 0,
  };
  clear(made, n.net);
  n.paths.set(at, made);
  return made;
}

/** Takes all faults from a path. */
export function clear(p: Path, net: Net): void {
  p.latencyMinUs = net.latencyMinUs;
  p.latencyMeanUs = net.latencyMeanUs;
  p.slowUs = 0;
  p.bytesPerSec = 0;
  p.cut = 0;
  p.refuse = false;
  p.hang = false;
  p.lateDialUs = 0;
  p.lateEndUs = 0;
  p.chop = undefined;
}

/** The process of `node` accepts connections from now on, or no more; open ones stay. */
export function listen(n: Network, node: number, isListening: boolean): void {
  if (isListening) n.isUp[node] = true;
  n.isListening[node] = isListening;
}

/** The machine has power (again). */
export function booted(n: Network, node: number): void {
  n.isUp[node] = true;
}

/**
 * A connection from `from` to `to`. The dialer is told `dialed`, or `refused`, `timeout` or
 * `unreachable` (`to` is no node); the other one's socket is told `opened`.
 */
export function dial(n: Network, from: number, to: number, nowUs: number): Socket {
  assert(from >= 0 && from < n.nodes, "a node dials");
  n.isUp[from] = true;
  const there = path(n, from, to);
  const s = pair(n.key, n.lives, from, to, there, path(n, to, from));
  n.lives += 1;
  there.dials += 1;
  s.dialedUs = nowUs;
  n.watch?.dialed?.(s.life, from, to);
  if (to < 0 || to >= n.nodes) {
    s.phase = "ended";
    s.system = "gone";
    n.host.told(s, "unreachable");
    return s;
  }
  n.sockets[from]?.add(s);
  knock(n, s, nowUs);
  return s;
}

/** Sends the first packet of a dial. */
function knock(n: Network, s: Socket, nowUs: number): void {
  s.synsSent += 1;
  queue.push(n.queue, nowUs + line.latencyUs(s), { kind: "net.dial", socket: s } as const);
}

/** A packet of a dial was lost: another one at its time, or the end. */
function knockAgain(n: Network, s: Socket, nowUs: number): void {
  if (s.synsSent > synRetriesMax) return reply(n, s, "timeout", s.dialedUs + dialUsMax);
  const atUs = s.dialedUs + synUs(s.synsSent);
  knock(n, s, atUs > nowUs ? atUs : nowUs);
}

function reply(n: Network, s: Socket, answer: Socket["answer"], atUs: number): void {
  s.answer = answer;
  queue.push(n.queue, atUs, { kind: "net.answer", socket: s } as const);
}

/** A dial reaches the other machine. */
function dialed(n: Network, s: Socket, nowUs: number): void {
  if (s.phase !== "dialing") return;
  if (s.path.hang || line.isBroken(n, s)) return knockAgain(n, s, nowUs);
  const to = s.peer;
  const isTaken = n.isListening[to.node] === true && !s.path.refuse;
  const atUs = nowUs + line.latencyUs(to) + s.path.lateDialUs;
  const lastUs = s.dialedUs + dialUsMax;
  if (atUs < lastUs) reply(n, s, isTaken ? "accept" : "refuse", atUs);
  else reply(n, s, "timeout", nowUs > lastUs ? nowUs : lastUs);
}

/** The answer to a dial comes back. */
function replied(n: Network, s: Socket, nowUs: number): void {
  if (s.phase !== "dialing") return;
  if (s.answer === "accept" || s.answer === "refuse") {
    if (line.isBroken(n, s.peer)) return knockAgain(n, s, nowUs);
  }
  if (s.answer === "accept") {
    s.phase = "open";
    s.peer.system = "live";
    n.sockets[s.peer.node]?.add(s.peer);
    n.host.told(s, "dialed");
    n.watch?.opened?.(s.life, s.node);
    return line.put(n, s, "open", nowUs);
  }
  s.phase = "ended";
  s.system = "gone";
  n.sockets[s.node]?.delete(s);
  n.host.told(s, s.answer === "refuse" ? "refused" : "timeout");
}

/**
 * The process writes. What its system does not take waits with the socket; then it is told
 * `congested`, once, and `drained` when all was taken.
 */
export function send(n: Network, s: Socket, bytes: Uint8Array, nowUs: number): void {
  if (s.phase !== "open" || s.finWanted || bytes.length === 0) return;
  if (s.brokenBy !== undefined) return ends.finish(n, s, s.brokenBy);
  s.sentBytes += bytes.length;
  n.watch?.sent?.(s.life, s.node, s.peer.node, bytes, s.sentBytes);
  let rest = bytes;
  if (s.waitingBytes === 0) {
    const free = line.room(n, s);
    if (bytes.length <= free) return line.take(n, s, bytes, nowUs);
    if (free > 0) {
      line.take(n, s, bytes.subarray(0, free), nowUs);
      rest = bytes.subarray(free);
    }
  }
  s.waiting.push(rest);
  s.waitingBytes += rest.length;
  assert(s.waitingBytes <= waitingBytesMax, "a process goes on writing to a congested socket");
  if (s.isCongested) return;
  s.isCongested = true;
  n.host.told(s, "congested");
}

/**
 * The process reads: at most `bytesMax` bytes of what has arrived. `undefined`: nothing, or an end,
 * which is told. Told `readable` again while there is more to find.
 */
export function read(
  n: Network, s: Socket, bytesMax: number, nowUs: number,
): Uint8Array | undefined {
  s.isReadableTold = false;
  if (s.phase !== "open") return undefined;
  if (s.unreadBytes > 0) {
    const bytes = takeOut(s, bytesMax);
    s.readBytes += bytes.length;
    n.watch?.read?.(s.life, s.node, s.readBytes);
    if (s.peer.sent < s.peer.line.length) offerRoom(n, s.peer, nowUs);
    // libuv takes a failure that is seen together with the last bytes for an end.
    if (s.brokenBy !== undefined && s.unreadBytes === 0 && bytes.length < bytesMax) s.finIn = true;
    if (s.unreadBytes > 0 || s.finIn || s.brokenBy !== undefined) ends.tellReadable(n, s);
    return bytes;
  }
  if (s.finIn && !s.finRead) ends.readToEnd(n, s, nowUs);
  else if (s.brokenBy !== undefined && !s.finRead) ends.finish(n, s, s.brokenBy);
  return undefined;
}

/** The writer learns that there is room again. */
function offerRoom(n: Network, s: Socket, nowUs: number): void {
  if (s.windowUs <= nowUs) return;
  const atUs = nowUs + line.usualUs(s.peer);
  if (atUs >= s.windowUs) return;
  s.windowUs = atUs;
  line.armTimer(n, s);
}

function takeOut(s: Socket, bytesMax: number): Uint8Array {
  const first = s.unread[s.unreadHead] as Uint8Array;
  if (s.unread.length === 1 && first.length <= bytesMax) {
    s.unread.pop();
    s.unreadBytes = 0;
    return first;
  }
  return joined(s, s.unreadBytes < bytesMax ? s.unreadBytes : bytesMax);
}

function joined(s: Socket, size: number): Uint8Array {
  const out = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const one = s.unread[s.unreadHead] as Uint8Array;
    const left = size - at;
    if (one.length <= left) {
      copy(one, 0, one.length, out, at);
      at += one.length;
      s.unreadHead += 1;
    } else {
      out.set(one.subarray(0, left), at);
      at += left;
      s.unread[s.unreadHead] = one.subarray(left);
    }
  }
  s.unreadBytes -= size;
  if (s.unreadHead === s.unread.length) empty(s.unread);
  else if (s.unreadHead > 64) s.unread.splice(0, s.unreadHead);
  else return out;
  s.unreadHead = 0;
  return out;
}

/**
 * `flush`: what was sent goes out, then the end; told `closed` once the other side has ended too.
 * `abort`: what has not left is discarded, and the connection reset; told `aborted`. During a dial
 * either gives up, and nothing is told.
 */
export function close(n: Network, s: Socket, how: "abort" | "flush", nowUs: number): void {
  if (s.phase === "dialing") return ends.vanish(n, s);
  if (s.phase !== "open") return;
  if (how === "abort") return abort(n, s, nowUs);
  s.ending ??= "closed";
  if (s.finWanted) return;
  s.finWanted = true;
  s.finWantedUs = nowUs;
  if (s.waitingBytes === 0) ends.takeFin(n, s, nowUs);
}

function abort(n: Network, s: Socket, nowUs: number): void {
  const what = s.ending ?? "aborted";
  s.ending = what;
  // While its end is on the way to the system the host lets go instead of resetting.
  if (s.finTaken && s.finWantedUs === nowUs) {
    ends.letGo(n, s, nowUs);
  } else {
    ends.reset(n, s, nowUs);
    ends.letGo(n, s, nowUs);
  }
  n.host.told(s, what);
  n.watch?.ended?.(s.life, s.node, what);
}

/**
 * The process of `node` is gone and told nothing more. Its system closes its sockets: in good
 * order, or by a reset where something was unread. With `power` the machine is silent until it
 * boots.
 */
export function died(n: Network, node: number, power: boolean, nowUs: number): void {
  n.isListening[node] = false;
  if (power) n.isUp[node] = false;
  for (const s of [...n.sockets[node] ?? []]) {
    if (power || s.phase === "dialing" || s.phase === "nascent") ends.vanish(n, s);
    else if (s.phase === "open" && s.conn === 0) forsake(n, s, nowUs);
    else if (s.phase === "open") ends.letGo(n, s, nowUs);
  }
}

/** A connection that was never accepted is reset when nobody can accept it any more. */
function forsake(n: Network, s: Socket, nowUs: number): void {
  ends.reset(n, s, nowUs);
  ends.letGo(n, s, nowUs);
}

/** A node whose processes read nothing, or read again: then what has arrived is told. */
export function stall(n: Network, node: number, isStalled: boolean): void {
  n.isStalled[node] = isStalled;
  if (isStalled) return;
  for (const s of n.sockets[node] ?? []) {
    // What was told before the stall may have been told in vain.
    s.isReadableTold = false;
    if (s.unreadBytes > 0 || s.finIn || s.brokenBy !== undefined) ends.tellReadable(n, s);
  }
}

/** Runs one of its queue items. */
export function due(n: Network, item: NetItem, nowUs: number): void {
  switch (item.kind) {
    case "net.arrival": return arrivals.arrive(n, item.socket, nowUs);
    case "net.timer": return arrivals.timer(n, item.socket, nowUs);
    case "net.dial": return dialed(n, item.socket, nowUs);
    case "net.answer": return replied(n, item.socket, nowUs);
    default: return unreachable(item);
  }
}

/**
 * Connections that are open now between `a` and `b` (all others if `undefined`) lose everything
 * from here on, and no end is told. `there`: what `a` sends. Returns how many.
 */
export function halfOpen(n: Network, a: number, b: number | undefined, way: Way): number {
  let count = 0;
  for (const s of n.sockets[a] ?? []) {
    if (s.phase === "dialing" || (b !== undefined && s.peer.node !== b)) continue;
    if (way !== "back") s.isDead = true;
    if (way !== "there") s.peer.isDead = true;
    count += 1;
  }
  return count;
}

/** Connections that are open now between `a` and `b` are reset, at both ends. Returns how many. */
export function reset(n: Network, a: number, b: number | undefined): number {
  let count = 0;
  for (const s of [...n.sockets[a] ?? []]) {
    if (s.phase === "dialing" || (b !== undefined && s.peer.node !== b)) continue;
    line.drop(s);
    line.drop(s.peer);
    ends.breakOff(n, s, "reset");
    ends.breakOff(n, s.peer, "reset");
    count += 1;
  }
  return count;
}

/** Other draws from here on. */
export function reseed(n: Network, key: Key): void {
  n.key = key;
  for (const of of n.sockets) {
    for (const s of of) {
      const [from, to] = s.isDialer ? [s.node, s.peer.node] : [s.peer.node, s.node];
      Object.assign(s.prng, streamOf(key, from, to, s.nth, s.isDialer));
    }
  }
}
