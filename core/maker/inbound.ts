/**
 * Takers that come to us directly, through our own onion: from the first byte to the last.
 *
 * Rule 1: the handshake is symmetric: the taker's 793 is answered by ours, which is no directory's.
 * What comes before it ends the connection; it has a deadline that no other line moves.
 * Rule 2: a handshake claims a nick and proves nothing: it reserves nothing, so that nobody can
 * keep a nick from its owner. The first signed line that the parent has `verified` fixes who the
 * peer is; a second identity on the same connection ends it.
 * Rule 3: replies go out on the connection that asked. Of several connections of one nick the
 * newest verified one is its route; an older one that closes changes nothing.
 * Rule 4: connections, handshakes under way, lines, their rate and what waits to be sent are
 * bounded. Who has proved nothing makes room first, the oldest before others.
 * Not known here: signatures, commands, who is banned.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import { concat } from "../bytes.ts";
import type { Rate } from "../directory/config.ts";
import type { ConnId } from "../ids.ts";
import * as envelope from "../joinmarket/envelope.ts";
import * as handshake from "../joinmarket/handshake.ts";
import * as linesOf from "../joinmarket/lines.ts";
import { isNick } from "../joinmarket/nick.ts";
import { isLocation, notServing } from "../joinmarket/onion.ts";
import type { Tick } from "../kernel/io.ts";
import * as limiter from "../limiter.ts";
import type { Primitives } from "../primitives.ts";
import type { Mono } from "../time.ts";
import * as guests from "./guests.ts";

export type Config = guests.Config & {
  /** Our own nick. */
  readonly nick: string;
  /** `mainnet`, `testnet`, `signet` or `regtest`. */
  readonly network: string;
  /** What our handshake says that we can do. */
  readonly features: readonly string[];
  /** The longest line that is read, in bytes. 65,536. */
  readonly lineBytesMax: number;
  /** Lines of one connection. 10 a second, 40 at once. */
  readonly lineRate: Rate;
  /** Lines of one connection that were malformed, not for us or not signed, until it ends. 8. */
  readonly strikesMax: number;
};

export const defaults: Omit<Config, "nick" | "network" | "features"> = {
  ...guests.defaults, lineBytesMax: 65_536, lineRate: { tokens: 10, perMs: 1_000, burst: 40 },
  strikesMax: 8,
};

export type Event =
  | { readonly type: "opened" | "congested" | "drained" | "closed"; readonly conn: ConnId }
  | { readonly type: "received"; readonly conn: ConnId; readonly bytes: Uint8Array }
  /** The signature of a `line` of this connection holds: `nick` is who sent it. */
  | { readonly type: "verified"; readonly conn: ConnId; readonly nick: string }
  /** It does not hold. With `end`: whatever it was, the connection is to end. */
  | { readonly type: "refused"; readonly conn: ConnId; readonly end: boolean }
  /** A whole frame for this peer. Who has not finished the handshake is told nothing. */
  | { readonly type: "said"; readonly conn: ConnId; readonly frame: Uint8Array }
  /** Where we are reached: `host:port`, or `NOT-SERVING-ONION`. */
  | { readonly type: "located"; readonly location: string }
  /** Nobody comes in any more, and all connections end in good order. */
  | { readonly type: "stopped" }
  | Tick;

export type Effect =
  | guests.Effect
  /** The handshake is done. `nick` is a claim. */
  | { readonly type: "greeted"; readonly conn: ConnId; readonly nick: string }
  /**
   * A private line to us: `text` is what follows `from!to!`, signature included. The parent answers
   * `verified` or `refused` and acts on it only if `isFrom` holds then.
   */
  | {
    readonly type: "line"; readonly conn: ConnId; readonly from: string; readonly to: string;
    readonly text: string;
  }
  /** A public line, which nobody signs; `from` is what the connection claims to be. */
  | {
    readonly type: "public"; readonly conn: ConnId; readonly from: string; readonly text: string;
  }
  /** The peer is known: from now on `routeTo(nick)` leads here. */
  | { readonly type: "identified"; readonly conn: ConnId; readonly nick: string };

type Guest = guests.Guest;

export type Inbound = {
  readonly config: Config;
  readonly guests: guests.Guests;
  readonly rate: limiter.Limiter;
  readonly counts: { opened: number; greeted: number; identified: number };
  readonly envelope: envelope.Envelope;
  location: string;
  isStopped: boolean;
};

const PONG = envelope.encode(envelope.types.PONG, "");

export function create(config: Config): Inbound {
  assert(isNick(config.nick), "inbound: our nick is a nick");
  assert(config.lineBytesMax >= 1, "inbound: lineBytesMax is at least 1");
  assert(config.strikesMax >= 1, "inbound: strikesMax is at least 1");
  assert(config.outboxBytesMax >= envelope.lineBytesMax + 2, "inbound: a frame may wait");
  return {
    config, guests: guests.create(config), rate: limiter.create(config.lineRate),
    counts: { opened: 0, greeted: 0, identified: 0 }, envelope: envelope.create(),
    location: notServing, isStopped: false,
  };
}

export function step(m: Inbound, event: Event, now: Mono, p: Primitives, out: Effect[]): void {
  switch (event.type) {
    case "opened": return opened(m, event.conn, now, out);
    case "received": return received(m, event.conn, event.bytes, { now, p, answers: [], out });
    case "congested": return guests.congested(m.guests, event.conn, now);
    case "drained": return guests.drained(m.guests, event.conn, out);
    case "closed": return closed(m, event.conn, out);
    case "verified": return verified(m, event.conn, event.nick, out);
    case "refused": return refused(m, event.conn, event.end, out);
    case "said": return said(m, event.conn, event.frame, out);
    case "located": return located(m, event.location);
    case "stopped": return stopped(m, now, out);
    case "tick": return guests.tick(m.guests, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

export function deadline(m: Inbound): Mono {
  return guests.deadline(m.guests);
}

/** Is the connection open, and does it belong to the owner of this nick? */
export function isFrom(m: Inbound, conn: ConnId, nick: string): boolean {
  const at = guests.find(m.guests, conn)?.at;
  return at?.phase === "known" && at.nick === nick;
}

/** The newest connection on which the owner of this nick has proved itself. */
export function routeTo(m: Inbound, nick: string): ConnId | undefined {
  return m.guests.routes.get(nick);
}

function opened(m: Inbound, conn: ConnId, now: Mono, out: Effect[]): void {
  m.counts.opened += 1;
  const guest = guests.opened(m.guests, conn, now, out);
  if (m.isStopped && guests.isLive(guest)) guests.end(m.guests, guest, "draining", out);
}

/** What one delivery brings: when, what is said at once, and all else that follows from it. */
type Turn = {
  readonly now: Mono; readonly p: Primitives; readonly answers: Uint8Array[];
  readonly out: Effect[];
};

function received(m: Inbound, conn: ConnId, bytes: Uint8Array, t: Turn): void {
  const guest = guests.find(m.guests, conn);
  if (guest === undefined) return;
  const cut: linesOf.Cut = { at: 0, line: undefined };
  while (guests.isLive(guest)) {
    const isShort = linesOf.next(guest.lines, bytes, m.config.lineBytesMax, cut);
    if (!isShort) guests.end(m.guests, guest, "line-too-long", t.out);
    else if (cut.line === undefined) break;
    else heard(m, guest, cut.line, t);
  }
  const isAnswered = t.answers.length > 0 && guests.isLive(guest);
  if (isAnswered) guests.send(m.guests, guest, concat(t.answers), t.out);
}

/** One whole line. */
function heard(m: Inbound, guest: Guest, line: Uint8Array, t: Turn): void {
  const isInTime = limiter.take(m.rate, guest.conn, t.now);
  if (!isInTime) return guests.end(m.guests, guest, "flood", t.out);
  if (guest.at.phase === "shaking") return greet(m, guest, line, t);
  guests.seen(m.guests, guest, t.now);
  const e = m.envelope;
  if (envelope.scan(line, e) !== undefined) return strike(m, guest, t.out);
  switch (e.type) {
    case envelope.types.PING:
      t.answers.push(PONG);
      return;
    case envelope.types.HANDSHAKE: return again(m, guest, envelope.content(line, e), t.out);
    case envelope.types.PRIVMSG: return privately(m, guest, envelope.content(line, e), t.out);
    case envelope.types.PUBMSG: return publicly(m, guest, envelope.content(line, e), t.out);
    case envelope.types.DISCONNECT: return guests.bye(m.guests, guest, "bye", t.now, t.out);
    default: return; // What a later version says is none of our business.
  }
}

/** The first line must be a handshake that we accept. */
function greet(m: Inbound, guest: Guest, line: Uint8Array, t: Turn): void {
  const e = m.envelope;
  if (envelope.scan(line, e) !== undefined || e.type !== envelope.types.HANDSHAKE) {
    return guests.end(m.guests, guest, "not-a-handshake", t.out);
  }
  const hello = handshake.parsePeer(envelope.content(line, e));
  const checked = hello.ok ? handshake.checkPeer(hello.value, m.config, t.p.sha3) : hello;
  if (!checked.ok) return guests.end(m.guests, guest, "bad-handshake", t.out);
  const { nick, network } = checked.value;
  if (nick === m.config.nick) {
    // So we come by ourselves, to see whether we are reached; whoever else does is told no more.
    guests.send(m.guests, guest, ourHello(m, network), t.out);
    return guests.bye(m.guests, guest, "own-nick", t.now, t.out);
  }
  guests.claimed(m.guests, guest, nick, t.now);
  m.counts.greeted += 1;
  t.answers.push(ourHello(m, network));
  t.out.push({ type: "greeted", conn: guest.conn, nick });
}

/** In the taker's own spelling of the network, because deployed ones compare it as text. */
function ourHello(m: Inbound, network: string): Uint8Array {
  const { nick, features } = m.config;
  const hello = handshake.peerHello({ nick, network, location: m.location, features });
  return envelope.encode(envelope.types.HANDSHAKE, hello);
}

/** A second handshake may repeat the first and nothing else. */
function again(m: Inbound, guest: Guest, text: string, out: Effect[]): void {
  const hello = handshake.parsePeer(text);
  if (!hello.ok) return strike(m, guest, out);
  if ("nick" in guest.at && hello.value.nick !== guest.at.nick) {
    guests.end(m.guests, guest, "nick-changed", out);
  }
}

function privately(m: Inbound, guest: Guest, line: string, out: Effect[]): void {
  const { from, to, text } = split(line);
  const isForUs = to === m.config.nick && from !== to && isNick(from);
  if (!isForUs) return strike(m, guest, out);
  if (guest.at.phase === "known" && from !== guest.at.nick) {
    return guests.end(m.guests, guest, "second-identity", out);
  }
  out.push({ type: "line", conn: guest.conn, from, to, text });
}

function publicly(m: Inbound, guest: Guest, line: string, out: Effect[]): void {
  const { from, to, text } = split(line);
  const isFromHere = "nick" in guest.at && from === guest.at.nick;
  if (to !== "PUBLIC" || !isFromHere) return strike(m, guest, out);
  out.push({ type: "public", conn: guest.conn, from, text });
}

type Parts = { readonly from: string; readonly to: string; readonly text: string };

/** `from!to!text`; empty where there is none. */
function split(line: string): Parts {
  const first = line.indexOf("!");
  const second = line.indexOf("!", first + 1);
  if (first < 0 || second < 0) return { from: "", to: "", text: "" };
  return {
    from: line.slice(0, first), to: line.slice(first + 1, second), text: line.slice(second + 1),
  };
}

function verified(m: Inbound, conn: ConnId, nick: string, out: Effect[]): void {
  const guest = guests.find(m.guests, conn);
  if (guest === undefined || guest.at.phase === "shaking") return;
  if (guest.at.phase === "known") {
    if (guest.at.nick !== nick) guests.end(m.guests, guest, "second-identity", out);
    return;
  }
  guests.known(m.guests, guest, nick);
  m.counts.identified += 1;
  out.push({ type: "identified", conn, nick });
}

function refused(m: Inbound, conn: ConnId, isEnd: boolean, out: Effect[]): void {
  const guest = guests.find(m.guests, conn);
  if (guest === undefined) return;
  if (isEnd) return guests.end(m.guests, guest, "refused", out);
  strike(m, guest, out);
}

function strike(m: Inbound, guest: Guest, out: Effect[]): void {
  guest.strikes += 1;
  if (guest.strikes >= m.config.strikesMax) guests.end(m.guests, guest, "strikes", out);
}

function said(m: Inbound, conn: ConnId, frame: Uint8Array, out: Effect[]): void {
  const guest = guests.find(m.guests, conn);
  if (guest === undefined || guest.at.phase === "shaking") return;
  guests.send(m.guests, guest, frame, out);
}

function closed(m: Inbound, conn: ConnId, out: Effect[]): void {
  limiter.forget(m.rate, conn);
  guests.closed(m.guests, conn, out);
}

function located(m: Inbound, location: string): void {
  assert(location === notServing || isLocation(location), "inbound: not a location");
  m.location = location;
}

function stopped(m: Inbound, now: Mono, out: Effect[]): void {
  m.isStopped = true;
  for (const guest of m.guests.all.values()) {
    if (guests.isLive(guest)) guests.bye(m.guests, guest, "draining", now, out);
  }
}
