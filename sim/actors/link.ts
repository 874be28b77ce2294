/**
 * The connection of a peer to one directory: dial, handshake, proof, watch, backoff.
 *
 * Rule 1: the handshake, from the dialled connection to the registration, has one deadline, and
 * nothing that arrives puts it off.
 * Rule 2: a new peer that is up makes sure every 60 to 90 s that the directory hears it: a PING
 * must be answered within 30 s. Broadcasts prove the other direction only. Old peers know no PING:
 * they give up after 30 minutes without a byte.
 * Rule 3: delays grow from 1 s to 60 s, with jitter in the upper half, and begin anew once the
 * directory has let the peer in. A refusal is tried again sooner: a ghost with the peer's own nick
 * is gone in some seconds.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import type { ConnId } from "../../core/ids.ts";
import { base64, equal, utf8 } from "../../core/bytes.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import * as features from "../../core/joinmarket/features.ts";
import * as handshake from "../../core/joinmarket/handshake.ts";
import * as lines from "../../core/joinmarket/lines.ts";
import * as nickauth from "../../core/joinmarket/nickauth.ts";
import * as onion from "../../core/joinmarket/onion.ts";
import { assertMove, type Transition } from "../../core/kernel/phases.ts";
import * as prng from "../../core/prng.ts";
import { after, NEVER, soonest, type Mono } from "../../core/time.ts";
import { pubkeyOf, sign } from "../primitives.ts";
import * as book from "./book.ts";
import { lineOf } from "./read.ts";
import * as say from "./say.ts";
import {
  collects, isNew, mark, nextConn, nextTag, send, tell, type Link, type Peer, type Phase,
  type Turn,
} from "./state.ts";
import type { Down } from "./told.ts";

/** How long a dial may take. */
export const dialMs = 20_000;
/** From the dialled connection to the registration. */
export const greetMs = 25_000;
/** A new peer makes sure that it is heard this often; drawn anew each time. */
const pingMsMin = 60_000;
export const pingMsMax = 90_000;
/** How long a PING may stay unanswered. */
export const pongMs = 30_000;
/** An old peer gives up after this long without a byte. */
export const silentMs = 1_800_000;
/** A connection that takes nothing for this long is given up. */
const stuckMs = 30_000;
/** A connection closed in good order is reset if it is not gone by then. */
const closingMs = 5_000;
const backoffMs = 1_000;
export const backoffMsMax = 60_000;
const refusedMs = 2_000;
const refusedMsMax = 15_000;
/** Refusals after which the full backoff holds. */
const refusalsMax = 16;
/** How often a new taker or watcher asks for the peerlist. */
const refreshMsMin = 80_000;
const refreshMsMax = 100_000;

const PING = envelope.encode(envelope.types.PING, "");
const PONG = envelope.encode(envelope.types.PONG, "");

/** Every change of phase. */
export const transitions: readonly Transition<Phase>[] = [
  { from: "apart", on: "due", to: "dialing", note: "the backoff is over" },
  { from: "dialing", on: "dialed", to: "greeting", note: "793 sent" },
  { from: "greeting", on: "accepted, to be proved", to: "challenged", note: "795; 803 must come" },
  { from: "challenged", on: "challenge", to: "proving", note: "805 sent" },
  { from: "greeting", on: "in", to: "up", note: "795 accepted" },
  { from: "proving", on: "in", to: "up", note: "807 ok" },
  { from: "*", on: "left or lost", to: "apart", note: "dials again later" },
];

/** Makes the line that introduces the peer. Its key, if any, has been given. */
export function introduce(p: Peer): void {
  const { spec, nick, location, network } = p.config;
  const names = isNew(p) ? [features.ping, features.peerlistFeatures] : [];
  if (canProve(p)) names.push(features.nickAuth);
  p.helloLine = handshake.peerHello({
    nick, network: spec.speaks === "old" ? "testnet" : network,
    location: location ?? onion.notServing, features: names,
  });
  p.hello = envelope.encode(envelope.types.HANDSHAKE, p.helloLine);
}

function canProve(p: Peer): boolean {
  return p.config.spec.auth === true && p.secret !== undefined;
}

/** The first dial comes within half a second. */
export function begin(p: Peer, l: Link, t: Turn): void {
  l.dueAt = after(t.now, prng.between(p.jitter, 1, 500));
}

/** A dialled connection is open. */
export function dialed(p: Peer, l: Link, t: Turn): void {
  if (l.phase !== "dialing") return;
  move(l, "dialed", "greeting", t);
  l.heardAt = t.now;
  l.dueAt = after(t.now, greetMs);
  send(l, p.hello, t);
  mark(t, "hello.sent", l.conn);
}

/** The handshake's answer (795), whose text costs much: one that let us in before is known. */
export function answered(p: Peer, l: Link, frame: Uint8Array, t: Turn): void {
  if (l.welcome !== undefined && equal(l.welcome, frame)) return accepted(p, l, t);
  const hello = handshake.parseDirectory(lineOf(frame));
  if (!hello.ok) return lost(p, l, "protocol", t);
  const judged = handshake.checkDirectory(hello.value, { network: p.config.network });
  if (!judged.ok) {
    if (judged.fault.code === "refused") mark(t, "refused", l.conn);
    return lost(p, l, judged.fault.code === "refused" ? "refused" : "protocol", t);
  }
  l.welcome = frame.slice();
  l.pings = hello.value.features.includes(features.ping);
  l.proves = hello.value.features.includes(features.nickAuth);
  l.nick = hello.value.nick;
  l.nickBytes = utf8(l.nick);
  accepted(p, l, t);
}

function accepted(p: Peer, l: Link, t: Turn): void {
  if (canProve(p) && l.proves) move(l, "accepted, to be proved", "challenged", t);
  else up(p, l, t);
}

function move(l: Link, on: string, to: Phase, t: Turn): void {
  assertMove(transitions, l.phase, on, to);
  l.phase = to;
  l.since = t.now;
}

/** The challenge (803). One for another directory is an attempt to pass our proof on. */
export function challenged(p: Peer, l: Link, line: string, t: Turn): void {
  const read = nickauth.parseChallenge(line);
  if (!read.ok || read.value.directoryId !== l.to.address || p.secret === undefined) {
    return lost(p, l, "protocol", t);
  }
  const { challenge, directoryId } = read.value;
  const pubkey = pubkeyOf(p.secret.secret);
  const claim = { challenge, directoryId, handshakeLine: p.helloLine, nick: p.config.nick, pubkey };
  const inner = nickauth.digest(claim, t.p.sha256);
  const signature = base64(sign(p.secret.secret, inner));
  const proof = nickauth.proofLine({ pubkey, signature });
  move(l, "challenge", "proving", t);
  send(l, envelope.encode(envelope.types.NICK_AUTH_PROOF, proof), t);
  mark(t, "proof.sent", l.conn);
}

/** What the directory thinks of the proof (807). */
export function judged(p: Peer, l: Link, line: string, t: Turn): void {
  const code = nickauth.parseResult(line);
  if (!code.ok) return lost(p, l, "protocol", t);
  if (code.value === "ok") return up(p, l, t);
  mark(t, "refused", l.conn);
  lost(p, l, "refused", t);
}

function up(p: Peer, l: Link, t: Turn): void {
  move(l, "in", "up", t);
  l.failures = 0;
  l.refusals = 0;
  const canPing = isNew(p) && l.pings;
  l.pingAt = canPing ? after(t.now, pingGap(p)) : NEVER;
  l.silentAt = canPing ? NEVER : after(t.now, silentMs);
  l.refreshAt = isNew(p) && collects(p) ? after(t.now, refreshGap(p)) : NEVER;
  tell(t, { fact: "up", directory: l.to.id, conn: l.conn });
  mark(t, "registered", l.conn);
}

function pingGap(p: Peer): number {
  return prng.between(p.jitter, pingMsMin, pingMsMax);
}

function refreshGap(p: Peer): number {
  return prng.between(p.jitter, refreshMsMin, refreshMsMax);
}

/** The directory asks whether we live. */
export function pinged(l: Link, t: Turn): void {
  send(l, PONG, t);
  mark(t, "pong.sent", l.conn);
}

/** An answer to our PING. */
export function ponged(p: Peer, l: Link, t: Turn): void {
  if (l.pingedAt === NEVER) return;
  l.pingedAt = NEVER;
  l.pingAt = after(t.now, pingGap(p));
}

/** Asks the directory whether it lives, unless that was asked and is not answered. */
export function ping(l: Link, t: Turn): void {
  if (l.pingedAt !== NEVER || !l.pings) return;
  l.pingedAt = t.now;
  l.lastPingAt = t.now;
  l.pingAt = NEVER;
  send(l, PING, t);
  mark(t, "ping.sent", l.conn);
}

/** The connection is given up, or is gone; another is dialled after the backoff. */
export function lost(p: Peer, l: Link, why: Down, t: Turn): void {
  leave(p, l, why, t);
  l.dueAt = after(t.now, why === "refused" ? refusedDelay(p, l) : failedDelay(p, l));
}

function failedDelay(p: Peer, l: Link): number {
  l.failures += 1;
  return delay(p, backoffMs, l.failures, backoffMsMax);
}

function refusedDelay(p: Peer, l: Link): number {
  l.refusals += 1;
  return delay(p, refusedMs, l.refusals, l.refusals > refusalsMax ? backoffMsMax : refusedMsMax);
}

/** The upper half of `base * 2^(n - 1)`, at most `max`; `n` from 1. */
function delay(p: Peer, base: number, n: number, max: number): number {
  const full = n > 16 ? max : base << (n - 1);
  const top = full < max ? full : max;
  return prng.between(p.jitter, top >> 1, top);
}

/** The peer goes away for a while, in good order. */
export function depart(p: Peer, l: Link, forMs: number, t: Turn): void {
  if (l.phase !== "apart") leave(p, l, "away", t);
  l.failures = 0;
  l.dueAt = after(t.now, forMs < 1 ? 1 : forMs);
}

/** Ends what there is of the connection and forgets what belonged to it. */
function leave(p: Peer, l: Link, why: Down, t: Turn): void {
  const { conn } = l;
  if (!isTold(why)) shut(l, why, t);
  if (l.phase !== "dialing") mark(t, "closed", conn);
  if (l.phase === "up") {
    p.stepUnits += p.pending.length + 2;
    unanswered(p, l, t);
    tell(t, { fact: "down", directory: l.to.id, conn, why });
  }
  move(l, "left or lost", "apart", t);
  l.conn = 0 as ConnId;
  l.lines = lines.create();
  l.pingedAt = NEVER;
  l.pingAt = NEVER;
  l.silentAt = NEVER;
  l.refreshAt = NEVER;
  l.congestedAt = NEVER;
  l.waiting = [];
  l.waitingBytes = 0;
  l.isStuck = false;
  l.listsAsked = 0;
  l.listsBegun = 0;
  book.clear(l.book);
}

function isTold(why: Down): boolean {
  return why === "eof" || why === "reset" || why === "error" || why === "aborted" ||
    why === "closed" || why === "dial-failed";
}

/** The connection that was closed in good order is gone. */
export function closed(l: Link): void {
  l.closing = undefined;
  l.closingDueAt = NEVER;
}

/** Who may still read us gets an orderly end. */
function shut(l: Link, why: Down, t: Turn): void {
  const isOrderly = (why === "refused" || why === "away") && l.phase !== "dialing" &&
    l.congestedAt === NEVER;
  const how = isOrderly ? "flush" : "abort";
  t.out.push({ type: "conn.close", conn: l.conn, how, reason: why });
  if (!isOrderly) return;
  forgo(l, t);
  l.closing = l.conn;
  l.closingDueAt = after(t.now, closingMs);
}

/** A connection that was closed in good order has had its time. */
function forgo(l: Link, t: Turn): void {
  if (l.closing === undefined) return;
  t.out.push({ type: "conn.close", conn: l.closing, how: "abort", reason: "closing-late" });
  closed(l);
}

function unanswered(p: Peer, l: Link, t: Turn): void {
  for (let at = p.pending.length - 1; at >= 0; at -= 1) {
    const one = p.pending[at];
    if (one === undefined || one.conn !== l.conn) continue;
    p.pending.splice(at, 1);
    tell(t, { fact: "unanswered", directory: l.to.id, tag: one.tag });
  }
}

function dial(p: Peer, l: Link, t: Turn): void {
  forgo(l, t);
  move(l, "due", "dialing", t);
  l.conn = nextConn(p);
  l.dueAt = after(t.now, dialMs);
  t.out.push({ type: "conn.dial", conn: l.conn, to: l.to.address });
  mark(t, "dial", l.conn);
}

/** When this link next has something to do. */
export function deadline(l: Link): Mono {
  if (l.phase !== "up") return soonest(l.dueAt, l.closingDueAt);
  const heard = l.pingedAt === NEVER ? l.pingAt : after(l.pingedAt, pongMs);
  const stuck = l.congestedAt === NEVER ? NEVER : after(l.congestedAt, stuckMs);
  const rest = soonest(soonest(l.refreshAt, l.book.askAt), l.closingDueAt);
  return soonest(soonest(heard, stuck), soonest(rest, l.silentAt));
}

/** Does what is due at `now`; nothing before `deadline`. */
export function tick(p: Peer, l: Link, t: Turn): void {
  if (l.closingDueAt <= t.now) forgo(l, t);
  switch (l.phase) {
    case "apart":
      if (l.dueAt <= t.now) dial(p, l, t);
      return;
    case "dialing":
      if (l.dueAt <= t.now) lost(p, l, "dial-timeout", t);
      return;
    case "greeting":
    case "challenged":
    case "proving":
      if (l.dueAt <= t.now) lost(p, l, "handshake-timeout", t);
      return;
    case "up": return watch(p, l, t);
    default: unreachable(l.phase);
  }
}

function watch(p: Peer, l: Link, t: Turn): void {
  if (l.pingedAt !== NEVER && after(l.pingedAt, pongMs) <= t.now) return lost(p, l, "no-pong", t);
  if (l.congestedAt !== NEVER && after(l.congestedAt, stuckMs) <= t.now) {
    return lost(p, l, "stuck", t);
  }
  if (l.silentAt <= t.now) {
    // Moved only when it is due: bytes that arrive must not move a timer each time.
    l.silentAt = after(l.heardAt, silentMs);
    if (l.silentAt <= t.now) return lost(p, l, "silent", t);
  }
  if (l.pingAt <= t.now) ping(l, t);
  if (l.refreshAt <= t.now) {
    l.refreshAt = after(t.now, refreshGap(p));
    say.list(l, t);
  }
  if (l.book.askAt <= t.now && book.due(l.book, t.now)) say.orderbook(p, l, nextTag(p), t);
}
