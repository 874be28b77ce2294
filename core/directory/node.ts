/**
 * The state of a directory node, and the verbs that its parts share: send, refuse, end, count, log.
 *
 * Rule 1: unregistering precedes closing; what belongs to an ended connection never touches a newer
 * one.
 * Rule 2: every end has a reason and a counter, counted once, where it is decided.
 * Rule 3: children are called and their wishes translated here or in the root; none knows another.
 * @module
 */
import { unreachable } from "../assert.ts";
import * as envelope from "../joinmarket/envelope.ts";
import * as handshake from "../joinmarket/handshake.ts";
import * as peerlist from "../joinmarket/peerlist.ts";
import type { ConnId } from "../ids.ts";
import type { LogField, LogLevel } from "../kernel/io.ts";
import * as limiter from "../limiter.ts";
import * as outbox from "../outbox.ts";
import type { Primitives } from "../primitives.ts";
import { NEVER, type Mono, type Wall } from "../time.ts";
import * as admission from "./admission.ts";
import type { DirectoryConfig } from "./config.ts";
import * as contest from "./contest.ts";
import * as counts from "./counts.ts";
import type { DirectoryEffect } from "./events.ts";
import * as heartbeat from "./heartbeat.ts";
import * as leaves from "./leaves.ts";
import * as listing from "./listing.ts";
import * as registry from "./registry.ts";
import * as router from "./router.ts";
import * as session from "./session.ts";
import * as sessions from "./sessions.ts";

type Session = session.Session;

export type Directory = {
  config: DirectoryConfig;
  /** Own nick; empty until the host has given random bytes for it. */
  nick: string;
  /** Own address, configured or told; `undefined`: none yet. */
  location: string | undefined;
  readonly startedAt: Mono;
  anchor: Wall | undefined;
  anchoredAt: Mono;
  drain: "no" | "draining" | "stopped";
  drainDueAt: Mono;
  readonly counts: counts.Counts;
  readonly sessions: sessions.Sessions;
  readonly registry: registry.Registry;
  readonly router: router.Router;
  readonly outbox: outbox.Outbox;
  readonly admission: admission.Admission;
  readonly heartbeat: heartbeat.Heartbeat;
  readonly contest: contest.Contest;
  /** Budget of notices about makers that nobody was shown. */
  readonly unseenLeaves: limiter.Limiter;
  readonly leaves: leaves.Leaves;
  readonly listing: listing.Listing;
  /** Who waits for which random bytes. */
  readonly draws: Map<number, ConnId>;
  nextReq: number;
  /** Encoded welcomes by network spelling, until the nick, the address or the motd changes. */
  readonly welcomes: Map<string, Uint8Array>;
  /** Lines handled in this step; each may fill a window and flush it to everybody. */
  stepLines: number;
  /** The last notable events, oldest first; at most `recentMax`. */
  recent: Notable[];
};

/** One notable event, for the status page. */
export type Notable = { readonly at: Mono; readonly code: string; readonly nick: string };

/** What one step carries along: the clock, the crypto, and what has been asked for so far. */
export type Turn = {
  readonly now: Mono;
  readonly p: Primitives;
  readonly out: DirectoryEffect[];
  /** Outcomes of nick contests, carried out by the root before the step ends. */
  readonly outcomes: contest.Effect[];
};

const recentMax = 50;

/** Ends by which the node defends itself: the operator hears of them without asking for more. */
const shedding: ReadonlySet<counts.CloseReason> =
  new Set(["outbox-full", "outbox-total", "slow-reader", "handshake-slots"]);

/** Spellings of a network name that differ in case only are few, but a peer may try them all. */
const welcomesMax = 8;

/** Why nobody is admitted during a drain, in words for the peer. */
export const drainingText = "the directory is shutting down";

const levels: readonly LogLevel[] = ["error", "warn", "info", "debug"];

export function create(config: DirectoryConfig, now: Mono): Directory {
  return {
    config, nick: "", location: config.location, startedAt: now, anchor: undefined, anchoredAt: now,
    drain: "no", drainDueAt: NEVER, counts: counts.create(),
    sessions: sessions.create(config), registry: registry.create(), router: router.create(),
    outbox: outbox.create(config.outbox), admission: admission.create(config),
    heartbeat: heartbeat.create(config.heartbeat, now), contest: contest.create(config),
    unseenLeaves: limiter.create(config.unseenLeaves),
    leaves: leaves.create(config.leaveMs, config.peerlistBytesMax),
    listing: listing.create(config.outbox.flushMs, config.peerlistLinesPerFlush),
    draws: new Map(), nextReq: 1, welcomes: new Map(), stepLines: 0, recent: [],
  };
}

/** The features that this node offers, sorted. Nick-auth needs an own address. */
export function ownFeatures(d: Directory): readonly string[] {
  const base = ["peerlist_features", "ping"];
  return d.location === undefined ? base : ["nick_auth", ...base];
}

/** Queues a line for one connection. */
export function send(d: Directory, s: Session, bytes: Uint8Array, t: Turn): void {
  const wishes: outbox.Effect[] = [];
  outbox.send(d.outbox, s.box, bytes, t.now, wishes);
  write(d, wishes, t);
}

/** Sends a line that stands alone without waiting for the window. */
export function sendNow(d: Directory, s: Session, bytes: Uint8Array, t: Turn): void {
  const wishes: outbox.Effect[] = [];
  outbox.answer(d.outbox, s.box, bytes, t.now, wishes);
  write(d, wishes, t);
}

/** Queues a public line for every registered peer except `sender`. */
export function broadcast(
  d: Directory, bytes: Uint8Array, sender: Session | undefined, t: Turn,
): void {
  const wishes: outbox.Effect[] = [];
  outbox.broadcast(d.outbox, bytes, sender?.box, t.now, wishes);
  write(d, wishes, t);
}

/** Carries out what the outbox wishes. */
export function write(d: Directory, wishes: readonly outbox.Effect[], t: Turn): void {
  for (const wish of wishes) {
    switch (wish.type) {
      case "write":
        d.counts.totals.bytesSent += wish.bytes.length;
        t.out.push({ type: "conn.send", conn: wish.conn, bytes: wish.bytes });
        break;
      case "overflow":
        endConn(d, wish.conn, wish.reason, t);
        break;
      default: unreachable(wish); /* c8 ignore next */
    }
  }
}

/** Ends the connection at once: what is queued is discarded and the socket is reset. */
export function end(d: Directory, s: Session, reason: counts.CloseReason, t: Turn): void {
  if (s.at.phase === "closing") return;
  retire(d, s, t);
  session.close(s);
  sessions.ended(d.sessions, s, false, t.now);
  outbox.closed(d.outbox, s.box);
  d.counts.closes[reason] += 1;
  t.out.push({ type: "conn.close", conn: s.conn, how: "abort", reason });
  if (shedding.has(reason)) log(d, "info", "peer.shed", { conn: s.conn, reason }, t);
  log(d, "debug", "peer.ended", { conn: s.conn, reason }, t);
}

export function endConn(d: Directory, conn: ConnId, reason: counts.CloseReason, t: Turn): void {
  const s = sessions.find(d.sessions, conn);
  if (s !== undefined) end(d, s, reason, t);
}

/**
 * Ends the connection after what is queued and a last word; it is reset if it does not take them in
 * time.
 */
export function bye(
  d: Directory, s: Session, reason: counts.CloseReason, word: Uint8Array | undefined, t: Turn,
): void {
  // Who has not read what came before gets no last word.
  if (outbox.isBehind(s.box)) return end(d, s, reason, t);
  if (s.at.phase === "closing") return;
  retire(d, s, t);
  session.close(s);
  sessions.ended(d.sessions, s, true, t.now);
  const wishes: outbox.Effect[] = [];
  outbox.last(d.outbox, s.box, word, wishes);
  write(d, wishes, t);
  d.counts.closes[reason] += 1;
  t.out.push({ type: "conn.close", conn: s.conn, how: "flush", reason });
}

/**
 * Refuses a handshake with a reason that the peer can read (`accepted: false`, the reason as motd).
 */
export function refuse(
  d: Directory, s: Session, result: counts.HandshakeResult, why: string, t: Turn,
): void {
  d.counts.handshakes[result] += 1;
  log(d, "debug", "handshake.refused", { conn: s.conn, result }, t);
  bye(d, s, "refused", answer(d, false, `Rejected: ${why}`, d.config.network), t);
}

/** The handshake (795) that lets a peer in, in the network's spelling that the peer used. */
export function welcome(d: Directory, network: string): Uint8Array {
  const known = d.welcomes.get(network);
  if (known !== undefined) return known;
  const bytes = answer(d, true, d.config.motd, network);
  if (d.welcomes.size < welcomesMax) d.welcomes.set(network, bytes);
  return bytes;
}

function answer(d: Directory, accepted: boolean, motd: string, network: string): Uint8Array {
  const line = handshake.directoryHello({
    nick: d.nick, network, motd, features: ownFeatures(d), accepted, location: d.location,
  });
  return envelope.encode(envelope.types.DN_HANDSHAKE, line);
}

/** The connection is not registered any more, and waits for nothing. */
export function retire(d: Directory, s: Session, t: Turn): void {
  contest.gone(d.contest, s.conn, t.now, t.outcomes);
  if (s.at.phase !== "registered") return;
  const { peer, beat } = s.at;
  registry.remove(d.registry, peer);
  heartbeat.removed(d.heartbeat, beat);
  listing.gone(d.listing, s.conn);
  if (!peer.maker) return;
  // A maker that nobody was shown is told of within a budget: coming and going is no broadcast.
  if (!peer.shown && !limiter.take(d.unseenLeaves, 0, t.now)) {
    d.counts.totals.leavesUntold += 1;
    return;
  }
  const notice = peerlist.entry(peer.nick, peer.location, undefined, true);
  leaves.left(d.leaves, peer.nick, notice, t.now);
}

/** A log line, if the operator wants that level. */
export function log(
  d: Directory, level: LogLevel, code: string,
  fields: { readonly [name: string]: LogField }, t: Turn,
): void {
  if (levels.indexOf(level) > levels.indexOf(d.config.logLevel)) return;
  t.out.push({ type: "log", level, code, fields });
}

/** Remembers a notable event for the status page. */
export function note(d: Directory, code: string, nick: string, t: Turn): void {
  d.recent.push({ at: t.now, code, nick });
  if (d.recent.length > recentMax) d.recent.shift();
}
