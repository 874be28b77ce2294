/**
 * Direct connections and how long they may stay: number, time, and what waits to be sent.
 *
 * Rule 1: a guest is shaking (no handshake yet), claimed (a nick that nobody has proved), known (a
 * verified nick) or closing. Each of the first three may stay only so long without a whole line.
 * Rule 2: who has proved least makes room first, the oldest before others, and a newcomer last of
 * its kind: neither silent connections nor false claims keep anybody out.
 * Rule 3: of several connections of one nick the newest is its route; one that closes leaves the
 * others as they are.
 * Rule 4: what a guest does not read waits up to a bound; beyond it the guest leaves, for nothing
 * is dropped from the middle of a stream.
 * Not known here: what is said.
 * @module
 */
import { assert } from "../assert.ts";
import { concat } from "../bytes.ts";
import * as expiry from "../expiry.ts";
import type { ConnId } from "../ids.ts";
import * as lines from "../joinmarket/lines.ts";
import { after, soonest, type Mono } from "../time.ts";

export type Config = {
  /** Connections at once. 64. */
  readonly connsMax: number;
  /** Of those, without a finished handshake. 16. */
  readonly shakingMax: number;
  /** From the first byte to the end of the handshake, in ms. 30,000. */
  readonly handshakeMs: number;
  /** Between whole lines of a guest, in ms. 600,000. */
  readonly idleMs: number;
  /** What may wait for one guest that does not read, in bytes. 262,144. */
  readonly outboxBytesMax: number;
  /** A guest may take nothing for so long, in ms. 60,000. */
  readonly congestedMsMax: number;
  /** What is left to say is given up after so long, in ms. 5,000. */
  readonly closeMs: number;
};

export const defaults: Config = {
  connsMax: 64, shakingMax: 16, handshakeMs: 30_000, idleMs: 600_000, outboxBytesMax: 262_144,
  congestedMsMax: 60_000, closeMs: 5_000,
};

/** Why a connection was ended, for counters and logs. */
export const endings = [
  "not-a-handshake", "bad-handshake", "own-nick", "handshake-timeout", "idle", "line-too-long",
  "flood", "strikes", "second-identity", "nick-changed", "outbox-full", "slow-reader", "crowded",
  "bye", "draining", "refused", "unread",
] as const;
export type Ending = (typeof endings)[number];

/** What happens to a guest; the last thing that does is `gone`. */
export type Effect =
  | { readonly type: "send"; readonly conn: ConnId; readonly bytes: Uint8Array }
  | {
    readonly type: "close"; readonly conn: ConnId; readonly how: "abort" | "flush";
    readonly reason: Ending;
  }
  /** The connection is gone; so is every wish that concerns it. */
  | { readonly type: "gone"; readonly conn: ConnId };

/** Where effects go: a list of these or of more kinds. */
export type Out = { readonly push: (effect: Effect) => unknown };

type Phase =
  | { readonly phase: "shaking" | "closing" }
  | { readonly phase: "claimed"; readonly nick: string }
  | { readonly phase: "known"; readonly nick: string };

export type Guest = {
  readonly conn: ConnId;
  readonly lines: lines.Lines;
  at: Phase;
  strikes: number;
  isCongested: boolean;
  queue: Uint8Array[];
  queuedBytes: number;
};

export type Guests = {
  readonly config: Config;
  /** In order of opening. */
  readonly all: Map<ConnId, Guest>;
  /** A verified nick and its newest connection. */
  readonly routes: Map<string, ConnId>;
  readonly shaking: expiry.Expiry<ConnId>;
  readonly idle: expiry.Expiry<ConnId>;
  readonly stuck: expiry.Expiry<ConnId>;
  readonly closing: expiry.Expiry<ConnId>;
  readonly ended: Record<Ending, number>;
  /** Guests that are not closing. */
  liveCount: number;
};

export function create(config: Config): Guests {
  assert(config.connsMax >= 1, "guests: connsMax is at least 1");
  assert(config.shakingMax >= 1, "guests: shakingMax is at least 1");
  assert(config.shakingMax <= config.connsMax, "guests: shakingMax is within connsMax");
  assert(config.handshakeMs >= 1, "guests: handshakeMs is at least 1");
  assert(config.idleMs >= 1, "guests: idleMs is at least 1");
  assert(config.outboxBytesMax >= 1, "guests: outboxBytesMax is at least 1");
  assert(config.congestedMsMax >= 1, "guests: congestedMsMax is at least 1");
  assert(config.closeMs >= 1, "guests: closeMs is at least 1");
  const ended = Object.fromEntries(endings.map((e) => [e, 0])) as Record<Ending, number>;
  return {
    config, all: new Map(), routes: new Map(), shaking: expiry.create(), idle: expiry.create(),
    stuck: expiry.create(), closing: expiry.create(), ended, liveCount: 0,
  };
}

export function deadline(g: Guests): Mono {
  const waiting = soonest(expiry.deadline(g.shaking), expiry.deadline(g.idle));
  const leaving = soonest(expiry.deadline(g.stuck), expiry.deadline(g.closing));
  return soonest(waiting, leaving);
}

/** The guest of a connection, unless it is closing or not there. */
export function find(g: Guests, conn: ConnId): Guest | undefined {
  const guest = g.all.get(conn);
  return guest !== undefined && isLive(guest) ? guest : undefined;
}

export function isLive(guest: Guest): boolean {
  return guest.at.phase !== "closing";
}

/** A connection opened. The guest may have to leave at once, or another one for it. */
export function opened(g: Guests, conn: ConnId, now: Mono, out: Out): Guest {
  assert(!g.all.has(conn), `guests: connection ${conn} opened twice`);
  const guest: Guest = {
    conn, lines: lines.create(), at: { phase: "shaking" }, strikes: 0, isCongested: false,
    queue: [], queuedBytes: 0,
  };
  g.all.set(conn, guest);
  g.liveCount += 1;
  expiry.put(g.shaking, conn, after(now, g.config.handshakeMs));
  const isCrowded =
    g.liveCount > g.config.connsMax || g.shaking.due.size > g.config.shakingMax;
  if (isCrowded) makeRoom(g, guest, out);
  return guest;
}

/** One guest leaves: a silent one before a claim, a claim before the newcomer. */
function makeRoom(g: Guests, newcomer: Guest, out: Out): void {
  const silent = g.all.get(expiry.oldest(g.shaking) as ConnId);
  if (silent !== undefined && silent !== newcomer) return end(g, silent, "crowded", out);
  end(g, oldestClaim(g) ?? newcomer, "crowded", out);
}

function oldestClaim(g: Guests): Guest | undefined {
  for (const guest of g.all.values()) if (guest.at.phase === "claimed") return guest;
  return undefined;
}

/** The handshake is done: the guest claims this nick. */
export function claimed(g: Guests, guest: Guest, nick: string, now: Mono): void {
  assert(guest.at.phase === "shaking", "guests: a handshake is done once");
  guest.at = { phase: "claimed", nick };
  expiry.remove(g.shaking, guest.conn);
  expiry.put(g.idle, guest.conn, after(now, g.config.idleMs));
}

/** A whole line came. */
export function seen(g: Guests, guest: Guest, now: Mono): void {
  if (guest.at.phase !== "shaking") expiry.put(g.idle, guest.conn, after(now, g.config.idleMs));
}

/** The guest has proved that it owns this nick. */
export function known(g: Guests, guest: Guest, nick: string): void {
  assert(guest.at.phase === "claimed", "guests: an identity is fixed once");
  guest.at = { phase: "known", nick };
  g.routes.set(nick, guest.conn);
}

/** Sends, or keeps until the guest reads; too much, and it leaves. */
export function send(g: Guests, guest: Guest, bytes: Uint8Array, out: Out): void {
  if (!guest.isCongested) {
    out.push({ type: "send", conn: guest.conn, bytes });
    return;
  }
  guest.queue.push(bytes);
  guest.queuedBytes += bytes.length;
  if (guest.queuedBytes > g.config.outboxBytesMax) end(g, guest, "outbox-full", out);
}

/** The system takes no more for this guest. */
export function congested(g: Guests, conn: ConnId, now: Mono): void {
  const guest = find(g, conn);
  if (guest === undefined || guest.isCongested) return;
  guest.isCongested = true;
  expiry.put(g.stuck, conn, after(now, g.config.congestedMsMax));
}

export function drained(g: Guests, conn: ConnId, out: Out): void {
  const guest = find(g, conn);
  if (guest === undefined || !guest.isCongested) return;
  guest.isCongested = false;
  expiry.remove(g.stuck, conn);
  if (guest.queue.length === 0) return;
  out.push({ type: "send", conn, bytes: concat(guest.queue) });
  guest.queue = [];
  guest.queuedBytes = 0;
}

/** The host says that the connection is gone. */
export function closed(g: Guests, conn: ConnId, out: Out): void {
  const guest = g.all.get(conn);
  if (guest === undefined) return;
  if (isLive(guest)) forget(g, guest);
  expiry.remove(g.closing, conn);
  g.all.delete(conn);
  out.push({ type: "gone", conn });
}

/** Ends the connection for us, at once; the host's word that it is gone follows. */
export function end(g: Guests, guest: Guest, reason: Ending, out: Out): void {
  leave(g, guest, reason);
  out.push({ type: "close", conn: guest.conn, how: "abort", reason });
}

/** Like `end`, but what was sent may still arrive. */
export function bye(g: Guests, guest: Guest, reason: Ending, now: Mono, out: Out): void {
  leave(g, guest, reason);
  expiry.put(g.closing, guest.conn, after(now, g.config.closeMs));
  out.push({ type: "close", conn: guest.conn, how: "flush", reason });
}

function leave(g: Guests, guest: Guest, reason: Ending): void {
  assert(isLive(guest), "guests: a connection ends once");
  forget(g, guest);
  lines.stop(guest.lines);
  g.ended[reason] += 1;
}

/** It counts no more, waits for nothing, and leads nowhere. */
function forget(g: Guests, guest: Guest): void {
  const { conn, at } = guest;
  guest.at = { phase: "closing" };
  guest.queue = [];
  guest.queuedBytes = 0;
  guest.isCongested = false;
  g.liveCount -= 1;
  expiry.remove(g.shaking, conn);
  expiry.remove(g.idle, conn);
  expiry.remove(g.stuck, conn);
  if (at.phase === "known" && g.routes.get(at.nick) === conn) reroute(g, at.nick);
}

/** The route of a nick is gone: its newest other connection becomes it, if there is one. */
function reroute(g: Guests, nick: string): void {
  g.routes.delete(nick);
  for (const { conn, at } of g.all.values()) {
    if (at.phase === "known" && at.nick === nick) g.routes.set(nick, conn);
  }
}

export function tick(g: Guests, now: Mono, out: Out): void {
  late(g, g.shaking, "handshake-timeout", now, out);
  late(g, g.idle, "idle", now, out);
  late(g, g.stuck, "slow-reader", now, out);
  for (const conn of expiry.take(g.closing, now)) {
    out.push({ type: "close", conn, how: "abort", reason: "unread" });
  }
}

function late(
  g: Guests, waiting: expiry.Expiry<ConnId>, reason: Ending, now: Mono, out: Out,
): void {
  for (const conn of expiry.take(waiting, now)) {
    const guest = find(g, conn);
    if (guest !== undefined) end(g, guest, reason, out);
  }
}
