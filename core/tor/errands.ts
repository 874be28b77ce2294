/**
 * The connections of an onion service: to Tor's control port, and visits to ourselves.
 *
 * Rule 1: they have every fourth number, 4, 8, 12, …: who else dials takes the other even ones.
 * Rule 2: what goes over the control port is secret: a trace shows seals of it.
 * Rule 3: a visit is what a stranger does: through Tor, with circuits of its own, to the end of a
 * handshake. What is said there, and what the right answer is, the owner knows.
 * Not known here: whom the address is told to.
 * @module
 */
import { unreachable } from "../assert.ts";
import type { ConnId } from "../ids.ts";
import * as lines from "../joinmarket/lines.ts";
import type {
  ConfidedEvent, ConfideEffect, ConnEffect, ConnEvent, DialEffect, DialEvent,
} from "../kernel/io.ts";
import type { Primitives } from "../primitives.ts";
import type { Mono } from "../time.ts";
import * as onion from "./onion.ts";
import * as socks from "./socks.ts";
import type * as standing from "./standing.ts";

/** What the host reads and writes for the service. */
export type FileEvent = Exclude<
  onion.HostEvent,
  { readonly type: "dialed" | "undialed" | "received" | "closed" | "visited" }
>;
export type FileEffect = Exclude<
  onion.HostEffect, { readonly type: "dial" | "send" | "hangup" | "visit" | "leave" }
>;

/** What happens to connections, those of others included. */
export type WireEvent = ConnEvent | DialEvent | ConfidedEvent;

/** What becomes of the address, for the owner. */
export type Told = Exclude<standing.Effect, standing.VisitEffect>;

export type Effect = FileEffect | DialEffect | ConfideEffect | ConnEffect | Told;

type Errand =
  | { readonly is: "control"; readonly link: number }
  | { readonly is: "visit"; readonly req: number; readonly lines: lines.Lines };

export type Errands = {
  readonly onion: onion.Onion;
  /** Tor's control port, `host:port` or `unix:path`. */
  readonly control: string;
  readonly open: Map<ConnId, Errand>;
  next: number;
};

/** What a visitor says, and whether the first line that comes back is ours. */
export type Manners = {
  readonly hello: () => Uint8Array;
  readonly isOurs: (frame: Uint8Array) => boolean;
};

export type Turn = {
  readonly now: Mono; readonly p: Primitives; readonly out: Effect[]; readonly manners: Manners;
};

/** The longest line of a host that we visit; it should be ourselves. */
const visitBytesMax = 16_384;
const connStride = 4;

export function create(service: onion.Onion, control: string): Errands {
  return { onion: service, control, open: new Map(), next: connStride };
}

export function deadline(m: Errands): Mono {
  return onion.deadline(m.onion);
}

/** Does a dialled connection belong here? Also one that is over. */
export function owns(conn: ConnId): boolean {
  return conn % connStride === 0;
}

/** Something for the onion service. */
export function tell(m: Errands, event: onion.Event, t: Turn): void {
  const wishes: onion.Effect[] = [];
  onion.step(m.onion, event, t.now, t.p, wishes);
  for (const wish of wishes) translate(m, wish, t);
}

function translate(m: Errands, wish: onion.Effect, t: Turn): void {
  switch (wish.type) {
    case "dial": return dial(m, { is: "control", link: wish.link }, t);
    case "send": {
      const conn = connOf(m, (one) => one.is === "control" && one.link === wish.link);
      if (conn !== undefined) t.out.push({ type: "conn.confide", conn, bytes: wish.bytes });
      return;
    }
    case "hangup": return drop(m, (one) => one.is === "control" && one.link === wish.link, t);
    case "visit": return dial(m, { is: "visit", req: wish.req, lines: lines.create() }, t);
    case "leave": return drop(m, (one) => one.is === "visit" && one.req === wish.req, t);
    case "cookie.want": case "password.want": case "nonce.want": case "key.load": case "key.save":
    case "hostname.want": case "address": case "up": case "down": case "reachable": case "log":
      return void t.out.push(wish);
    default: return unreachable(wish); /* c8 ignore next */
  }
}

function dial(m: Errands, errand: Errand, t: Turn): void {
  const conn = m.next as ConnId;
  m.next += connStride;
  m.open.set(conn, errand);
  if (errand.is === "control") {
    t.out.push({ type: "conn.dial", conn, to: m.control, isSecret: true });
    return;
  }
  const { host, port } = m.onion.standing;
  t.out.push({
    type: "conn.dial", conn, to: `${host}:${port}`, isolation: socks.label({ purpose: "probe" }),
  });
}

function connOf(m: Errands, isIt: (errand: Errand) => boolean): ConnId | undefined {
  for (const [conn, errand] of m.open) if (isIt(errand)) return conn;
  return undefined;
}

function drop(m: Errands, isIt: (errand: Errand) => boolean, t: Turn): void {
  const conn = connOf(m, isIt);
  if (conn !== undefined) end(m, conn, "done", t);
}

function end(m: Errands, conn: ConnId, reason: string, t: Turn): void {
  m.open.delete(conn);
  t.out.push({ type: "conn.close", conn, how: "abort", reason });
}

/** Something happened to a connection; one that is not ours, or over, changes nothing. */
export function happened(m: Errands, event: WireEvent, t: Turn): void {
  const errand = m.open.get(event.conn);
  if (errand === undefined) return;
  if (errand.is === "visit") return visited(m, errand, event, t);
  const { link } = errand;
  switch (event.type) {
    case "conn.dialed": return tell(m, { type: "dialed", link }, t);
    case "conn.failed":
      m.open.delete(event.conn);
      return tell(m, { type: "undialed", link, reason: event.reason }, t);
    case "conn.confided": return tell(m, { type: "received", link, bytes: event.bytes }, t);
    case "conn.closed":
      m.open.delete(event.conn);
      return tell(m, { type: "closed", link }, t);
    case "conn.opened": case "conn.received": case "conn.congested": case "conn.drained": return;
    default: return unreachable(event); /* c8 ignore next */
  }
}

type Visit = Extract<Errand, { readonly is: "visit" }>;

function visited(m: Errands, errand: Visit, event: WireEvent, t: Turn): void {
  const { conn } = event;
  switch (event.type) {
    case "conn.dialed":
      return void t.out.push({ type: "conn.send", conn, bytes: t.manners.hello() });
    case "conn.received": return heard(m, errand, conn, event.bytes, t);
    case "conn.failed": case "conn.closed":
      m.open.delete(conn);
      return tell(m, { type: "visited", req: errand.req, failure: event.reason }, t);
    case "conn.opened": case "conn.confided": case "conn.congested": case "conn.drained": return;
    default: return unreachable(event); /* c8 ignore next */
  }
}

function heard(
  m: Errands, { req, lines: read }: Visit, conn: ConnId, bytes: Uint8Array, t: Turn,
): void {
  const frames: Uint8Array[] = [];
  const isFine = lines.feed(read, bytes, visitBytesMax, frames);
  const [frame] = frames;
  if (isFine && frame === undefined) return;
  const isOurs = frame !== undefined && t.manners.isOurs(frame);
  end(m, conn, "visited", t);
  tell(m, { type: "visited", req, failure: isOurs ? undefined : "no handshake" }, t);
}
