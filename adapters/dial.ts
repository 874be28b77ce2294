/**
 * Connections that the core opens: directly on this machine, and through Tor to everywhere else.
 *
 * Rule 1: nothing leaves around Tor. Without `isolation` only an address of this machine is
 * dialled; with it the name goes to the SOCKS proxy as it stands, and is never looked up here. All
 * else fails as `denied`. The proxy itself is where the operator put it.
 * Rule 2: connections with different labels never share a circuit. A proxy that does not ask for
 * the credentials would let them: it is refused.
 * Rule 3: decides nothing and waits for nothing by itself: how long a dial may take is the core's
 * business, which gives up by closing. Dials beyond `dialsMax` at once wait for their turn, because
 * Tor loses most of several hundred circuits that are asked for together.
 * Rule 4: each `conn.dial` has one outcome, `conn.dialed` or `conn.failed`, unless it is given up
 * before. What an open connection may do is in `wire.ts`.
 * @module
 */
import type * as net from "node:net";
import { assert } from "../core/assert.ts";
import type { ConnId } from "../core/ids.ts";
import type {
  ConfidedEvent, ConfideEffect, ConnEffect, ConnEvent, DialEffect, DialEvent, DialFailure,
} from "../core/kernel/io.ts";
import type { Secret } from "../core/secret.ts";
import { credentials, isLabel } from "../core/tor/socks.ts";
import { isLoopback, parseAddress, type Address } from "./address.ts";
import { askProxy, connectTo, hostBytesMax, sharedSays } from "./socks.ts";
import * as wires from "./wire.ts";

export type DialerEvent = ConnEvent | ConfidedEvent | DialEvent;

export type DialerCounts = wires.WireCounts & {
  dialed: number;
  failed: number;
  denied: number;
  /** Given up by the core before there was an outcome. */
  abandoned: number;
  /** Of those that failed: the proxy was not there. */
  proxyDown: number;
};

export type DialerOptions = {
  readonly push: (event: DialerEvent) => void;
  /** Where Tor listens; `undefined`: everything with `isolation` is denied. */
  readonly socks: Address | undefined;
  /** What passwords are made of: `keyBytes` of `core/tor/socks.ts`, drawn for this process. */
  readonly key: Secret;
  /** Dials under way at once; more wait. 32. */
  readonly dialsMax: number;
  /** Connections, dials under way and waiting, together; more fail as `unreachable`. */
  readonly connsMax: number;
  readonly report: (code: "dial.denied" | "dial.refused", says: string) => void;
};

export interface Dialer {
  dial(effect: DialEffect): void;
  send(effect: Extract<ConnEffect, { type: "conn.send" }> | ConfideEffect): void;
  close(effect: Extract<ConnEffect, { type: "conn.close" }>): void;
  /** Gives up every dial and resets every connection. */
  closeAll(): void;
  /** Open connections. */
  open(): number;
  /** Dials without an outcome, those that wait included. */
  pending(): number;
  readonly counts: Readonly<DialerCounts>;
}

/** A dial without an outcome; without a socket it waits for its turn. */
type Attempt = {
  readonly effect: DialEffect;
  readonly address: Address;
  socket: net.Socket | undefined;
};

type Hub = {
  readonly options: DialerOptions;
  readonly wire: wires.Wire;
  readonly counts: DialerCounts;
  /** In order of asking. */
  readonly attempts: Map<ConnId, Attempt>;
  underWay: number;
};

export function createDialer(options: DialerOptions): Dialer {
  const counts: DialerCounts = {
    dialed: 0, failed: 0, denied: 0, abandoned: 0, proxyDown: 0, lateSends: 0,
  };
  const wire = wires.createWire(options.push, counts);
  const hub: Hub = { options, wire, counts, attempts: new Map(), underWay: 0 };

  function close(conn: ConnId, how: "abort" | "flush"): void {
    const attempt = hub.attempts.get(conn);
    if (attempt === undefined) return wires.close(wire, conn, how);
    counts.abandoned += 1;
    settle(hub, attempt)?.destroy();
    proceed(hub);
  }

  return {
    dial: (effect) => dial(hub, effect),
    send: (effect) => {
      const { bytes } = effect;
      wires.send(wire, effect.conn, bytes instanceof Uint8Array ? bytes : bytes.secret);
    },
    close: (effect) => close(effect.conn, effect.how),
    closeAll: () => {
      // Those that wait go first, so that none of them begins now.
      for (const conn of [...hub.attempts.keys()].reverse()) close(conn, "abort");
      wires.abortAll(wire);
    },
    open: () => wire.conns.size,
    pending: () => hub.attempts.size,
    counts,
  };
}

function dial(hub: Hub, effect: DialEffect): void {
  const address = permitted(hub.options, effect);
  if (typeof address === "string") {
    hub.counts.denied += 1;
    hub.options.report("dial.denied", address);
    hub.options.push({ type: "conn.failed", conn: effect.conn, reason: "denied" });
    return;
  }
  if (hub.wire.conns.size + hub.attempts.size >= hub.options.connsMax) {
    hub.counts.failed += 1;
    hub.options.push({ type: "conn.failed", conn: effect.conn, reason: "unreachable" });
    return;
  }
  hub.attempts.set(effect.conn, { effect, address, socket: undefined });
  proceed(hub);
}

/** Where to, or why not there. */
function permitted(options: DialerOptions, effect: DialEffect): Address | string {
  const address = parseAddress(effect.to);
  if (address === undefined) return "this is no address";
  if (address.kind === "tcp" && address.port === 0) return "this is no address";
  if (effect.isolation === undefined) {
    return isLoopback(address) ? address : "only this machine is dialled without Tor";
  }
  if (address.kind === "unix") return "a socket file is not behind Tor";
  if (Buffer.byteLength(address.host) > hostBytesMax) return "this is no address";
  if (options.socks === undefined) return "no SOCKS proxy is configured";
  return isLabel(effect.isolation) ? address : "this is no label for isolation";
}

/** Begins as many waiting dials as may be under way. */
function proceed(hub: Hub): void {
  if (hub.underWay >= hub.options.dialsMax) return;
  for (const attempt of hub.attempts.values()) {
    if (attempt.socket !== undefined) continue;
    begin(hub, attempt);
    if (hub.underWay >= hub.options.dialsMax) return;
  }
}

function begin(hub: Hub, attempt: Attempt): void {
  const { address, effect: { isolation } } = attempt;
  const first = isolation === undefined ? address : hub.options.socks;
  assert(first !== undefined, "nothing goes through a proxy that is not there");
  const socket = connectTo(first);
  attempt.socket = socket;
  hub.underWay += 1;
  // For good: the proxy's client takes its own listener away when it has failed.
  socket.on("error", wires.ignore);
  const early = (error: NodeJS.ErrnoException): void => {
    if (isolation !== undefined) hub.counts.proxyDown += 1;
    fail(hub, attempt, isolation === undefined ? reasonOf(error) : "unreachable");
  };
  socket.once("error", early);
  socket.once("connect", () => {
    socket.off("error", early);
    if (isolation === undefined) succeed(hub, attempt, socket);
    else ask(hub, attempt, socket, isolation);
  });
}

/** The proxy is there: the SOCKS5 exchange. */
function ask(hub: Hub, attempt: Attempt, socket: net.Socket, isolation: string): void {
  const { address } = attempt;
  if (address.kind === "unix") return;
  const { host, port } = address;
  askProxy(socket, { host, port, as: credentials(isolation, hub.options.key) }, (outcome) => {
    if (outcome === "open") return succeed(hub, attempt, socket);
    if (outcome === "shared") hub.options.report("dial.refused", sharedSays);
    fail(hub, attempt, outcome === "shared" ? "denied" : outcome);
  });
}

/** Takes the attempt out of the list, and gives its socket if it had one. */
function settle(hub: Hub, attempt: Attempt): net.Socket | undefined {
  hub.attempts.delete(attempt.effect.conn);
  if (attempt.socket !== undefined) hub.underWay -= 1;
  return attempt.socket;
}

function isOpen(hub: Hub, attempt: Attempt): boolean {
  return hub.attempts.get(attempt.effect.conn) === attempt;
}

function succeed(hub: Hub, attempt: Attempt, socket: net.Socket): void {
  if (!isOpen(hub, attempt)) return;
  settle(hub, attempt);
  hub.counts.dialed += 1;
  const { conn, isSecret } = attempt.effect;
  wires.hold(hub.wire, socket, conn, isSecret === true);
  hub.options.push({ type: "conn.dialed", conn });
  proceed(hub);
}

function fail(hub: Hub, attempt: Attempt, reason: DialFailure): void {
  // Also what the client says of a socket that was destroyed because the dial was given up.
  if (!isOpen(hub, attempt)) return;
  settle(hub, attempt)?.destroy();
  hub.counts.failed += 1;
  hub.options.push({ type: "conn.failed", conn: attempt.effect.conn, reason });
  proceed(hub);
}

function reasonOf(error: NodeJS.ErrnoException): DialFailure {
  switch (error.code ?? "") {
    case "ECONNREFUSED": return "refused";
    case "ETIMEDOUT": return "timeout";
    case "EACCES":
    case "EPERM": return "denied";
    default: return "unreachable";
  }
}
