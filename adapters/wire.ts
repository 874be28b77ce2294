/**
 * Open connections, accepted or dialled: bytes in as events, orders out as system calls.
 *
 * Rule 1: decides nothing: no retry, no timeout, no buffer of its own. What the system does not
 * take is reported (`conn.congested`) and the core stops.
 * Rule 2: each connection that is held ends with exactly one `conn.closed`, and with nothing after
 * that.
 * Rule 3: thousands of idle connections must be cheap: the functions that listen are shared, the
 * one small record of a connection hangs on its socket, and there is no timer.
 * Not known here: how a connection came about.
 * @module
 */
import type * as net from "node:net";
import type { ConnId } from "../core/ids.ts";
import type { ConfidedEvent, ConnEffect, ConnEvent, Ended } from "../core/kernel/io.ts";
import { secret } from "../core/secret.ts";

export type WireCounts = {
  /** Sends for connections that had ended or were ending. */
  lateSends: number;
};

/** What hangs on each socket. */
type Owner = {
  readonly wire: Wire;
  readonly conn: ConnId;
  readonly isSecret: boolean;
  congested: boolean;
  /** Why it ends, once that is known; the first cause counts. */
  ending: Ended | undefined;
  isGone: boolean;
};

const owner = Symbol("owner");
export type Held = net.Socket & { [owner]: Owner };

export type Wire = {
  readonly push: (event: ConnEvent | ConfidedEvent) => void;
  readonly conns: Map<ConnId, Held>;
  readonly counts: WireCounts;
  lastBytes: Uint8Array | undefined;
  lastBuffer: Buffer;
};

const nothing = Buffer.alloc(0);

export function createWire(
  push: (event: ConnEvent | ConfidedEvent) => void, counts: WireCounts,
): Wire {
  return { push, conns: new Map(), counts, lastBytes: undefined, lastBuffer: nothing };
}

/** From now on the socket is `conn`. Who calls this tells of it before it returns to the host. */
export function hold(wire: Wire, socket: net.Socket, conn: ConnId, isSecret = false): void {
  const held = socket as Held;
  held[owner] = { wire, conn, isSecret, congested: false, ending: undefined, isGone: false };
  wire.conns.set(conn, held);
  socket.on("data", onData);
  socket.on("error", onError);
  socket.on("close", onClose);
}

function onData(this: net.Socket, bytes: Buffer): void {
  const own = (this as Held)[owner];
  // Only what a proxy had read ahead can come this late.
  if (own.isGone) return;
  const { conn } = own;
  if (own.isSecret) own.wire.push({ type: "conn.confided", conn, bytes: secret(bytes) });
  else own.wire.push({ type: "conn.received", conn, bytes });
}

function onError(this: net.Socket, error: NodeJS.ErrnoException): void {
  const own = (this as Held)[owner];
  own.ending ??= error.code === "ECONNRESET" || error.code === "EPIPE" ? "reset" : "error";
}

function onClose(this: net.Socket): void {
  const own = (this as Held)[owner];
  own.isGone = true;
  own.wire.conns.delete(own.conn);
  const reason = own.ending ?? (this.readableEnded ? "eof" : "error");
  own.wire.push({ type: "conn.closed", conn: own.conn, reason });
}

export function send(wire: Wire, conn: ConnId, bytes: Uint8Array): void {
  const socket = wire.conns.get(conn);
  if (socket === undefined || !socket.writable) {
    wire.counts.lateSends += 1;
    return;
  }
  socket.write(bufferOf(wire, bytes));
  // Node writes at once what the system takes; a length that is left was not taken.
  if (socket.writableLength > 0 && !socket[owner].congested) congested(socket);
}

/** A view over the same memory. A broadcast sends one array to everybody: the last view is kept. */
function bufferOf(wire: Wire, bytes: Uint8Array): Buffer {
  if (bytes === wire.lastBytes) return wire.lastBuffer;
  wire.lastBytes = bytes;
  wire.lastBuffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return wire.lastBuffer;
}

function congested(socket: Held): void {
  const { wire, conn } = socket[owner];
  socket[owner].congested = true;
  awaitDrain(socket);
  wire.push({ type: "conn.congested", conn });
}

/**
 * The stream's own `drain` comes only after more than its high-water mark was queued. An empty
 * write queued behind the rest calls back exactly when all before it has been taken.
 */
function awaitDrain(socket: Held): void {
  // A write that failed was not taken: why is told when the socket closes.
  socket.write(nothing, (error) => {
    if (!error) taken(socket);
  });
}

function taken(socket: Held): void {
  const own = socket[owner];
  if (socket.destroyed || own.isGone) return;
  if (socket.writableLength > 0 && socket.writable) return awaitDrain(socket);
  own.congested = false;
  own.wire.push({ type: "conn.drained", conn: own.conn });
}

export function close(wire: Wire, conn: ConnId, how: CloseEffect["how"]): void {
  const socket = wire.conns.get(conn);
  if (socket === undefined) return;
  if (how === "abort") return abort(socket);
  socket[owner].ending ??= "closed";
  socket.end();
}

type CloseEffect = Extract<ConnEffect, { readonly type: "conn.close" }>;

function abort(socket: Held): void {
  socket[owner].ending ??= "aborted";
  reset(socket);
}

/** Resets every connection. */
export function abortAll(wire: Wire): void {
  for (const socket of wire.conns.values()) abort(socket);
}

export function reset(socket: net.Socket): void {
  // libuv refuses to reset a handle while its FIN is on the way, and Node would then lose it.
  const isShutting =
    socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  // A Unix socket has no address, and nothing to reset.
  if (isShutting || socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

/** For errors of sockets that nobody holds. */
export function ignore(): void {}
