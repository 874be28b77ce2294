/**
 * Listeners and the connections that they accept.
 *
 * Rule 1: decides nothing; what an open connection may do is in `wire.ts`.
 * Rule 2: each `conn.opened` is followed by exactly one `conn.closed`, and by nothing after that.
 * Rule 3: ids of accepted connections are odd and never used twice.
 * @module
 */
import * as net from "node:net";
import type { ConnId } from "../core/ids.ts";
import type { ConnEffect, ConnEvent } from "../core/kernel/io.ts";
import type { Address } from "./address.ts";
import { listenOn, type Listening } from "./listen.ts";
import * as wires from "./wire.ts";

export type SocketCounts = wires.WireCounts & {
  accepted: number;
  /** Refused because `connsMax` connections were open. */
  refused: number;
  /** The system told of a connection and then could not give it. */
  acceptErrors: number;
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

type Hub = {
  readonly wire: wires.Wire;
  readonly push: (event: ConnEvent) => void;
  readonly servers: Set<net.Server>;
  readonly counts: SocketCounts;
  nextConn: number;
};

export function createSockets(options: SocketsOptions): Sockets {
  const { push } = options;
  const counts: SocketCounts = { accepted: 0, refused: 0, acceptErrors: 0, lateSends: 0 };
  const wire = wires.createWire((event) => {
    if (event.type !== "conn.confided") push(event);
  }, counts);
  const hub: Hub = { wire, push, servers: new Set(), counts, nextConn: 1 };

  function accept(socket: net.Socket): void {
    if (wire.conns.size < options.connsMax) return adopt(hub, socket);
    counts.refused += 1;
    socket.on("error", wires.ignore);
    wires.reset(socket);
    options.report("sockets.refused", `${wire.conns.size} connections are open`);
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
    wires.abortAll(wire);
  }

  return {
    listen,
    send: (effect) => wires.send(wire, effect.conn, effect.bytes),
    close: (effect) => wires.close(wire, effect.conn, effect.how),
    stopListening, closeAll,
    open: () => wire.conns.size,
    counts,
  };
}

function adopt(hub: Hub, socket: net.Socket): void {
  const conn = hub.nextConn as ConnId;
  hub.nextConn += 2;
  hub.counts.accepted += 1;
  wires.hold(hub.wire, socket, conn);
  hub.push({ type: "conn.opened", conn });
}
