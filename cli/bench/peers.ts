/**
 * A crowd of peers on one directory: joins them with bounded concurrency, reads them, notices who
 * is lost.
 *
 * Rule 1: all sockets share one read buffer; only the unfinished end of a read is copied.
 * Rule 2: a connection that ends without being asked to is counted, as refused before its 795 and
 * as lost after it.
 * Rule 3: leaving resets connections, so that a run leaves no ports in TIME_WAIT.
 * @module
 */
import { connect, type Socket } from "node:net";
import { assert } from "../../core/assert.ts";
import { nowUs } from "./clock.ts";
import { handshakeOf, type Role } from "./lines.ts";
import { readLines, type Reader } from "./reader.ts";

export type Peer = {
  readonly index: number;
  readonly socket: Socket;
  phase: "joining" | "registered" | "left" | "lost";
  /** The unfinished end of what was read. */
  carry: Buffer | undefined;
};

export type Crowd = {
  readonly host: string;
  readonly port: number;
  readonly network: string;
  readonly reader: Reader;
  readonly inbox: Buffer;
  readonly peers: Peer[];
  registered: number;
  refused: number;
  lost: number;
  /** Called once after each read of any registered peer. */
  onRead: (() => void) | undefined;
  /** The join under way: called when a peer is registered or refused. */
  onSettled: (() => void) | undefined;
};

const inboxBytes = 1 << 20;
/**
 * Linux looks for a free port ever longer once half of its 28,000 are in use for one destination:
 * peers beyond this number get a source address and ports of their own, below that range.
 */
const freePorts = 12_000;
const ownPortMin = 2_048;
const ownAddress = "127.0.0.2";
/** Handshakes under way at once. */
export const inFlightMax = 256;

export function crowd(host: string, port: number, network: string, reader: Reader): Crowd {
  return {
    host,
    port,
    network,
    reader,
    inbox: Buffer.allocUnsafeSlow(inboxBytes),
    peers: [],
    registered: 0,
    refused: 0,
    lost: 0,
    onRead: undefined,
    onSettled: undefined,
  };
}

/**
 * Joins `count` more peers, at most `inFlightMax` at once, each with the role that `roleOf` gives
 * its index. Resolves with the microseconds from the first connect to the last answer; who was
 * refused is in `refused`.
 */
export function join(c: Crowd, count: number, roleOf: (index: number) => Role): Promise<number> {
  const first = c.peers.length;
  const hellos = Array.from({ length: count }, (_, i) =>
    handshakeOf(first + i, roleOf(first + i), c.network),
  );
  const inside = c.registered;
  const startUs = nowUs();
  return new Promise((resolve) => {
    let started = 0;
    let settled = 0;
    const startOne = (): void => {
      const hello = hellos[started];
      if (hello === undefined) return;
      open(c, hello, sourceOf(c, inside + started));
      started += 1;
    };
    c.onSettled = () => {
      settled += 1;
      if (settled === count) resolve(nowUs() - startUs);
      else startOne();
    };
    for (let i = 0; i < Math.min(count, inFlightMax); i += 1) startOne();
  });
}

type Source = { readonly localAddress?: string; readonly localPort?: number };

/** Where the `ordinal`-th peer that is in at the same time connects from. */
function sourceOf(c: Crowd, ordinal: number): Source {
  if (ordinal < freePorts || !c.host.startsWith("127.")) return {};
  return { localAddress: ownAddress, localPort: ownPortMin + ordinal - freePorts };
}

function open(c: Crowd, hello: Buffer, source: Source): void {
  const socket: Socket = connect({
    ...source,
    host: c.host,
    port: c.port,
    noDelay: true,
    onread: {
      buffer: c.inbox,
      callback: (size) => {
        received(c, peer, size);
        return true;
      },
    },
  });
  const peer: Peer = { index: c.peers.length, socket, phase: "joining", carry: undefined };
  c.peers.push(peer);
  socket.on("connect", () => socket.write(hello));
  socket.on("error", ignore);
  socket.on("close", () => ended(c, peer));
}

/** The close that follows an error is what counts. */
function ignore(): void {}

function ended(c: Crowd, peer: Peer): void {
  const before = peer.phase;
  if (before === "left") return;
  peer.phase = "lost";
  if (before === "joining") {
    c.refused += 1;
    c.onSettled?.();
  }
  if (before === "registered") {
    c.registered -= 1;
    c.lost += 1;
    c.onRead?.();
  }
}

function received(c: Crowd, peer: Peer, size: number): void {
  let from = 0;
  if (peer.carry !== undefined) {
    from = finishLine(c, peer, peer.carry, size);
    if (from === 0) return;
  }
  if (peer.phase === "joining") from = answered(c, peer, from, size);
  const isIn = peer.phase === "registered";
  const rest = isIn ? readLines(c.reader, peer.index, c.inbox, from, size) : from;
  if (rest < size) peer.carry = Buffer.from(c.inbox.subarray(rest, size));
  if (isIn) c.onRead?.();
}

/**
 * Completes the carried line with the start of the inbox; returns where the rest begins, 0 when it
 * goes on.
 */
function finishLine(c: Crowd, peer: Peer, carry: Buffer, size: number): number {
  const found = c.inbox.indexOf(10);
  const end = found < 0 || found >= size ? size : found + 1;
  const line = Buffer.concat([carry, c.inbox.subarray(0, end)]);
  if (c.inbox[end - 1] !== 10) {
    peer.carry = line;
    return 0;
  }
  peer.carry = undefined;
  if (peer.phase === "joining") accept(c, peer, line);
  else if (peer.phase === "registered") readLines(c.reader, peer.index, line, 0, line.length);
  return end;
}

/** Takes the answer to the handshake out of the inbox; returns where the rest begins. */
function answered(c: Crowd, peer: Peer, from: number, size: number): number {
  const found = c.inbox.indexOf(10, from);
  if (found < 0 || found >= size) return from;
  accept(c, peer, c.inbox.subarray(from, found + 1));
  return found + 1;
}

function accept(c: Crowd, peer: Peer, line: Buffer): void {
  if (!/"type": ?795,.*\\"accepted\\": ?true/.test(line.toString("latin1"))) {
    peer.socket.destroy();
    return;
  }
  peer.phase = "registered";
  c.registered += 1;
  c.onSettled?.();
}

/** A peer that joined. */
export function peerAt(c: Crowd, index: number): Peer {
  const peer = c.peers[index];
  assert(peer !== undefined, `no peer ${index}`);
  return peer;
}

/** Closes one connection for good: `reset` discards it, `close` says goodbye with a FIN. */
export function leave(c: Crowd, peer: Peer, how: "reset" | "close"): void {
  if (peer.phase === "registered") c.registered -= 1;
  peer.phase = "left";
  if (how === "reset") peer.socket.resetAndDestroy();
  else peer.socket.destroy();
}

/** Resets every connection. */
export function leaveAll(c: Crowd): void {
  for (const peer of c.peers) {
    if (peer.phase === "registered" || peer.phase === "joining") leave(c, peer, "reset");
  }
}
