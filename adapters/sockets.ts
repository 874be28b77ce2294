/**
 * Listeners and accepted connections: bytes in as events, orders out as system calls.
 *
 * Rule 1: decides nothing: no retry, no timeout, no buffer of its own. What the system does not
 * take is reported (`conn.congested`) and the core stops.
 * Rule 2: each `conn.opened` is followed by exactly one `conn.closed`, and by nothing after that.
 * Rule 3: thousands of idle connections must be cheap: the functions that listen are shared, the
 * one small record of a connection hangs on its socket, and there is no timer.
 * @module
 */
import * as net from "node:net";
import type { ConnId } from "../core/ids.ts";
import type { ConnEffect, ConnEvent, Ended } from "../core/kernel/io.ts";
import type { Address } from "./address.ts";
import { listenOn, type Listening } from "./listen.ts";

export type SocketCounts = {
  accepted: number;
  /** Refused because `connsMax` connections were open. */
  refused: number;
  /** The system told of a connection and then could not give it. */
  acceptErrors: number;
  /** Sends for connections that had ended or were ending. */
  lateSends: number;
};

export type SocketsOptions = {
  readonly push: (event: ConnEvent) => void;
  /**
   * Connections at once over all listeners. Keep it, with room for files, below the limit of open
   * files: at that limit libuv accepts and closes newcomers itself, and nobody is told.
   */
  readonly connsMax: number;
  /** Rights of a Unix socket file, such as 0o600. */
  readonly unixMode: number;
  readonly report: (code: "sockets.refused" | "sockets.accept-failed", says: string) => void;
};

export interface Sockets {
  listen(address: Address): Promise<Listening>;
  send(effect: Extract<ConnEffect, { type: "conn.send" }>): void;
  close(effect: Extract<ConnEffect, { type: "conn.close" }>): void;
  /** Accepts no more; open connections stay. */
  stopListening(): void;
  /** Accepts no more and resets every connection. */
  closeAll(): void;
  /** Open connections. */
  open(): number;
  readonly counts: Readonly<SocketCounts>;
}

/** What hangs on each accepted socket. */
type Owner = {
  readonly hub: Hub;
  readonly conn: ConnId;
  congested: boolean;
  /** Why it ends, once that is known; the first cause counts. */
  ending: Ended | undefined;
};

type Hub = {
  readonly push: (event: ConnEvent) => void;
  readonly conns: Map<ConnId, Owned>;
  readonly servers: Set<net.Server>;
  readonly counts: SocketCounts;
  nextConn: number;
  lastBytes: Uint8Array | undefined;
  lastBuffer: Buffer;
};

const owner = Symbol("owner");
type Owned = net.Socket & { [owner]: Owner };

const nothing = Buffer.alloc(0);

export function createSockets(options: SocketsOptions): Sockets {
  const counts: SocketCounts = { accepted: 0, refused: 0, acceptErrors: 0, lateSends: 0 };
  const hub: Hub = {
    push: options.push, conns: new Map(), servers: new Set(), counts, nextConn: 1,
    lastBytes: undefined, lastBuffer: nothing,
  };

  function accept(socket: net.Socket): void {
    if (hub.conns.size < options.connsMax) return adopt(hub, socket);
    counts.refused += 1;
    socket.on("error", ignore);
    reset(socket);
    options.report("sockets.refused", `${hub.conns.size} connections are open`);
  }

  async function listen(address: Address): Promise<Listening> {
    const server = net.createServer({ noDelay: true, allowHalfOpen: false }, accept);
    const listening = await listenOn(server, address, options.unixMode);
    if (!listening.ok) return listening;
    hub.servers.add(server);
    server.on("error", (error) => {
      counts.acceptErrors += 1;
      options.report("sockets.accept-failed", error.message);
    });
    return listening;
  }

  function stopListening(): void {
    for (const server of hub.servers) server.close();
    hub.servers.clear();
  }

  function closeAll(): void {
    stopListening();
    for (const socket of hub.conns.values()) abort(socket);
  }

  return {
    listen,
    send: (effect) => send(hub, effect.conn, effect.bytes),
    close: (effect) => close(hub, effect.conn, effect.how),
    stopListening, closeAll,
    open: () => hub.conns.size,
    counts,
  };
}

function ignore(): void {}

function adopt(hub: Hub, socket: net.Socket): void {
  const conn = hub.nextConn as ConnId;
  hub.nextConn += 2;
  hub.counts.accepted += 1;
  const owned = socket as Owned;
  owned[owner] = { hub, conn, congested: false, ending: undefined };
  hub.conns.set(conn, owned);
  socket.on("data", onData);
  socket.on("error", onError);
  socket.on("close", onClose);
  hub.push({ type: "conn.opened", conn });
}

function onData(this: net.Socket, bytes: Buffer): void {
  const { hub, conn } = (this as Owned)[owner];
  hub.push({ type: "conn.received", conn, bytes });
}

function onError(this: net.Socket, error: NodeJS.ErrnoException): void {
  const own = (this as Owned)[owner];
  own.ending ??= error.code === "ECONNRESET" || error.code === "EPIPE" ? "reset" : "error";
}

function onClose(this: net.Socket): void {
  const { hub, conn, ending } = (this as Owned)[owner];
  hub.conns.delete(conn);
  const reason = ending ?? (this.readableEnded ? "eof" : "error");
  hub.push({ type: "conn.closed", conn, reason });
}

function send(hub: Hub, conn: ConnId, bytes: Uint8Array): void {
  const socket = hub.conns.get(conn);
  if (socket === undefined || !socket.writable) {
    hub.counts.lateSends += 1;
    return;
  }
  socket.write(bufferOf(hub, bytes));
  // Node writes at once what the system takes; a length that is left was not taken.
  if (socket.writableLength > 0 && !socket[owner].congested) congested(socket);
}

/** A view over the same memory. A broadcast sends one array to everybody: the last view is kept. */
function bufferOf(hub: Hub, bytes: Uint8Array): Buffer {
  if (bytes === hub.lastBytes) return hub.lastBuffer;
  hub.lastBytes = bytes;
  hub.lastBuffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return hub.lastBuffer;
}

function congested(socket: Owned): void {
  const { hub, conn } = socket[owner];
  socket[owner].congested = true;
  awaitDrain(socket);
  hub.push({ type: "conn.congested", conn });
}

/**
 * The stream's own `drain` comes only after more than its high-water mark was queued. An empty
 * write queued behind the rest calls back exactly when all before it has been taken.
 */
function awaitDrain(socket: Owned): void {
  // A write that failed was not taken: why is told when the socket closes.
  socket.write(nothing, (error) => {
    if (!error) taken(socket);
  });
}

function taken(socket: Owned): void {
  const own = socket[owner];
  if (socket.destroyed || own.hub.conns.get(own.conn) !== socket) return;
  if (socket.writableLength > 0 && socket.writable) return awaitDrain(socket);
  own.congested = false;
  own.hub.push({ type: "conn.drained", conn: own.conn });
}

function close(hub: Hub, conn: ConnId, how: "abort" | "flush"): void {
  const socket = hub.conns.get(conn);
  if (socket === undefined) return;
  if (how === "abort") return abort(socket);
  socket[owner].ending ??= "closed";
  socket.end();
}

function abort(socket: Owned): void {
  socket[owner].ending ??= "aborted";
  reset(socket);
}

function reset(socket: net.Socket): void {
  // libuv refuses to reset a handle while its FIN is on the way, and Node would then lose it.
  const isShutting =
    socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  // A Unix socket has no address, and nothing to reset.
  if (isShutting || socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
