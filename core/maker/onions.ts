/**
 * The maker's own onion service: Tor's control port, visits to ourselves, and what others hear of
 * the address.
 *
 * Rule 1: connections that are dialled here have even numbers that the pool does not mint.
 * Rule 2: what goes over the control port is secret: a trace shows seals of it.
 * Rule 3: a visit is what a taker does: through Tor, with circuits of its own, to the end of a
 * handshake.
 * @module
 */
import { unreachable } from "../assert.ts";
import type { ConnId } from "../ids.ts";
import * as envelope from "../joinmarket/envelope.ts";
import * as handshake from "../joinmarket/handshake.ts";
import * as lines from "../joinmarket/lines.ts";
import { notServing } from "../joinmarket/onion.ts";
import type { ConfidedEvent, ConnEvent, DialEvent } from "../kernel/io.ts";
import { NEVER, type Mono } from "../time.ts";
import * as onion from "../tor/onion.ts";
import * as socks from "../tor/socks.ts";
import * as direct from "./direct.ts";
import * as directories from "./directories.ts";
import { log, type Errand, type Maker, type Turn } from "./node.ts";

/** When a tick is due. */
export function deadline(d: Maker): Mono {
  return d.onion === undefined ? NEVER : onion.deadline(d.onion);
}

/** The longest line of a host that we visit; it should be ourselves. */
const visitBytesMax = 16_384;
/** Ids of the pool are 2, 6, 10, …: these are 4, 8, 12, …. */
const connStride = 4;

/** Something for the onion service. */
export function tell(d: Maker, event: onion.Event, t: Turn): void {
  if (d.onion === undefined) return;
  const wishes: onion.Effect[] = [];
  onion.step(d.onion, event, t.now, t.p, wishes);
  for (const wish of wishes) translate(d, wish, t);
}

function translate(d: Maker, wish: onion.Effect, t: Turn): void {
  switch (wish.type) {
    case "dial": return dial(d, { is: "control", link: wish.link }, t);
    case "send": {
      const conn = connOf(d, (one) => one.is === "control" && one.link === wish.link);
      if (conn !== undefined) t.out.push({ type: "conn.confide", conn, bytes: wish.bytes });
      return;
    }
    case "hangup": return drop(d, (one) => one.is === "control" && one.link === wish.link, t);
    case "visit": return dial(d, { is: "visit", req: wish.req, lines: lines.create() }, t);
    case "leave": return drop(d, (one) => one.is === "visit" && one.req === wish.req, t);
    case "cookie.want": case "password.want": case "nonce.want": case "key.load": case "key.save":
    case "hostname.want": case "log":
      return void t.out.push(wish);
    case "address": return located(d, wish.location, t);
    case "up": return up(d, t);
    case "down": {
      const why = wish.fault.text;
      d.onionDownAt = t.now;
      log(d, "error", "maker.onion-down", { why }, t);
      return void t.todo.push({ do: "notice", notice: { kind: "onion-down", why } });
    }
    case "reachable": {
      const { isReachable, failure = "" } = wish;
      return log(d, isReachable ? "info" : "warn", "maker.onion-reachable",
        { isReachable, failure }, t);
    }
    default: return unreachable(wish); /* c8 ignore next */
  }
}

/** The address is ours for good: directories and guests hear of it. */
function located(d: Maker, location: string, t: Turn): void {
  log(d, "info", "maker.onion-address", { location }, t);
  directories.tell(d, { type: "located", location }, t);
  direct.tell(d, { type: "located", location }, t);
}

function up(d: Maker, t: Turn): void {
  log(d, "info", "maker.onion-up", {}, t);
  if (d.onionDownAt === undefined) return;
  const downMs = t.now - d.onionDownAt;
  d.onionDownAt = undefined;
  t.todo.push({ do: "notice", notice: { kind: "onion-up", downMs } });
}

function dial(d: Maker, errand: Errand, t: Turn): void {
  const conn = d.errandNext as ConnId;
  d.errandNext += connStride;
  d.errands.set(conn, errand);
  if (errand.is === "control") {
    t.out.push({ type: "conn.dial", conn, to: d.config.torControl, isSecret: true });
    return;
  }
  const to = d.onion?.standing.host ?? "";
  t.out.push({
    type: "conn.dial", conn, to: `${to}:${d.config.onion?.port}`,
    isolation: socks.label({ purpose: "probe" }),
  });
}

function connOf(d: Maker, isIt: (errand: Errand) => boolean): ConnId | undefined {
  for (const [conn, errand] of d.errands) if (isIt(errand)) return conn;
  return undefined;
}

function drop(d: Maker, isIt: (errand: Errand) => boolean, t: Turn): void {
  const conn = connOf(d, isIt);
  if (conn !== undefined) end(d, conn, "done", t);
}

function end(d: Maker, conn: ConnId, reason: string, t: Turn): void {
  d.errands.delete(conn);
  t.out.push({ type: "conn.close", conn, how: "abort", reason });
}

/** Does this connection belong here? Also one that is over. */
export function owns(conn: ConnId): boolean {
  return conn % connStride === 0;
}

/** Something happened to a connection of ours. */
export function happened(d: Maker, event: ConnEvent | DialEvent | ConfidedEvent, t: Turn): void {
  const errand = d.errands.get(event.conn);
  if (errand === undefined) return;
  if (errand.is === "visit") return visited(d, errand, event, t);
  const { link } = errand;
  switch (event.type) {
    case "conn.dialed": return tell(d, { type: "dialed", link }, t);
    case "conn.failed":
      d.errands.delete(event.conn);
      return tell(d, { type: "undialed", link, reason: event.reason }, t);
    case "conn.confided": return tell(d, { type: "received", link, bytes: event.bytes }, t);
    case "conn.closed":
      d.errands.delete(event.conn);
      return tell(d, { type: "closed", link }, t);
    case "conn.opened": case "conn.received": case "conn.congested": case "conn.drained": return;
    default: return unreachable(event); /* c8 ignore next */
  }
}

function visited(
  d: Maker, errand: Extract<Errand, { is: "visit" }>, event: ConnEvent | DialEvent | ConfidedEvent,
  t: Turn,
): void {
  const { conn } = event;
  switch (event.type) {
    case "conn.dialed": {
      const hello = handshake.peerHello({
        nick: d.nick, network: d.config.network, location: notServing, features: [],
      });
      const bytes = envelope.encode(envelope.types.HANDSHAKE, hello);
      return void t.out.push({ type: "conn.send", conn, bytes });
    }
    case "conn.received": return heard(d, errand, conn, event.bytes, t);
    case "conn.failed": case "conn.closed":
      d.errands.delete(conn);
      return tell(d, { type: "visited", req: errand.req, failure: event.reason }, t);
    case "conn.opened": case "conn.confided": case "conn.congested": case "conn.drained": return;
    default: return unreachable(event); /* c8 ignore next */
  }
}

function heard(
  d: Maker, { req, lines: read }: Extract<Errand, { is: "visit" }>, conn: ConnId, bytes: Uint8Array,
  t: Turn,
): void {
  const frames: Uint8Array[] = [];
  const isFine = lines.feed(read, bytes, visitBytesMax, frames);
  const [frame] = frames;
  if (isFine && frame === undefined) return;
  const into = envelope.create();
  const isHello = frame !== undefined && envelope.scan(frame, into) === undefined
    && into.type === envelope.types.HANDSHAKE;
  end(d, conn, "visited", t);
  tell(d, { type: "visited", req, failure: isHello ? undefined : "no handshake" }, t);
}
