/**
 * The root of an honest peer: maker, taker or watcher, with old or new features.
 *
 * Rule 1: an event of a connection that is not the current one of its link changes nothing, so a
 * late end of an old connection does no harm to a newer one.
 * Rule 2: links to different directories never wait for each other.
 * Rule 3: makers remember nothing of others; takers and watchers keep a book of offers for each
 * directory. Before the registration nothing but the handshake is read.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import * as lines from "../../core/joinmarket/lines.ts";
import type { ConnId } from "../../core/ids.ts";
import type { Ended, Tick } from "../../core/kernel/io.ts";
import type { Root } from "../../core/kernel/kernel.ts";
import type { Primitives } from "../../core/primitives.ts";
import * as prng from "../../core/prng.ts";
import type { Secret } from "../../core/secret.ts";
import { NEVER, soonest, type Mono } from "../../core/time.ts";
import type { NodeId } from "../scenario.ts";
import * as book from "./book.ts";
import type { PeerConfig, PeerEffect, PeerEvent } from "./io.ts";
import * as link from "./link.ts";
import * as read from "./read.ts";
import * as say from "./say.ts";
import * as state from "./state.ts";
import * as tasks from "./tasks.ts";
import { stolenTags, type Odd } from "./told.ts";
import * as vet from "./vet.ts";

export type { PeerConfig, PeerEffect, PeerEvent } from "./io.ts";
export type Peer = state.Peer;
type Link = state.Link;
type Turn = state.Turn;

const { types } = envelope;
const LF = 10;
const CR = 13;
const LETTER_C = 0x63;
const LETTER_F = 0x66;
const LETTER_P = 0x70;
const LETTER_S = 0x73;

/** A fresh peer; it does nothing until `started`. */
export function create(config: PeerConfig, now: Mono): Peer {
  return state.create(config, now);
}

/** What the kernel drives. */
export function root(p: Primitives): Root<Peer, PeerEvent, PeerEffect> {
  return {
    step: (peer, event, now, out) => step(peer, event, { now, p, out }),
    deadline, effectsMax,
  };
}

function step(p: Peer, event: PeerEvent | Tick, t: Turn): void {
  if (event.type === "tick") return tick(p, t);
  if (t.out.length === 0) p.stepUnits = 0;
  switch (event.type) {
    case "conn.received": received(p, event.conn, event.bytes, t); break;
    case "conn.dialed": dialed(p, event.conn, t); break;
    case "conn.failed": failed(p, event.conn, t); break;
    case "conn.congested": congested(p, event.conn, t); break;
    case "conn.drained": drained(p, event.conn, t); break;
    case "conn.closed": closed(p, event.conn, event.reason, t); break;
    case "key.given": given(p, event.key); break;
    case "started": started(p, t); break;
    case "asked": tasks.asked(p, event.task, t); break;
    // Nobody dials a peer, and none of its intervals is measured by the wall.
    case "conn.opened":
    case "clock.anchored":
      break;
    default: unreachable(event);
  }
  dropStuck(p, t);
}

/** Links of which more waits than may. */
function dropStuck(p: Peer, t: Turn): void {
  for (const l of p.links) if (l.isStuck) link.lost(p, l, "stuck", t);
}

/** The next instant at which a tick changes anything. */
export function deadline(p: Peer): Mono {
  const first = p.pending[0];
  let at = first === undefined ? p.againAt : soonest(p.againAt, first.dueAt);
  for (const l of p.links) at = soonest(at, link.deadline(l));
  return at;
}

/** Where a connection of a peer stands, for oracles. */
export type LinkView = {
  readonly directory: NodeId;
  /** Of the dialled or open connection. */
  readonly conn: ConnId | undefined;
  readonly phase: "waiting" | "dialing" | "shaking" | "up";
  /** On the peer's own clock. */
  readonly since: Mono;
};

/** All links of a peer, in the order of its directories. */
export function links(p: Peer): readonly LinkView[] {
  return p.links.map(({ to, conn, phase, since }) => {
    const open = phase === "apart" ? undefined : conn;
    return { directory: to.id, conn: open, phase: shown[phase], since };
  });
}

const shown = {
  apart: "waiting", dialing: "dialing", greeting: "shaking", challenged: "shaking",
  proving: "shaking", up: "up",
} as const;

/** What a taker or watcher holds of each maker at a directory; `undefined` for makers. */
export function offersAt(p: Peer, directory: NodeId): ReadonlyMap<string, book.Held> | undefined {
  if (!state.collects(p)) return undefined;
  return p.links.find((l) => l.to.id === directory)?.book.held;
}

/** A maker's current offers. */
export function ownOffers(p: Peer): book.Held {
  return { tag: p.offersTag, size: p.offersSize };
}

function effectsMax(p: Peer): number {
  return 64 + 8 * p.links.length + 4 * p.stepUnits;
}

function tick(p: Peer, t: Turn): void {
  if (deadline(p) > t.now) return;
  if (t.out.length === 0) p.stepUnits = 0;
  p.stepUnits += p.pending.length;
  for (const l of p.links) link.tick(p, l, t);
  tasks.tick(p, t);
  dropStuck(p, t);
}

/** The link whose current connection this is. */
function linkOf(p: Peer, conn: ConnId): Link | undefined {
  for (const l of p.links) if (l.conn === conn) return l;
  return undefined;
}

function given(p: Peer, key: Secret): void {
  p.secret = key;
}

function started(p: Peer, t: Turn): void {
  link.introduce(p);
  if (p.config.spec.kind === "maker") {
    say.offers(p, state.nextTag(p), prng.between(p.jitter, 1, 2), t);
  }
  for (const l of p.links) link.begin(p, l, t);
}

function dialed(p: Peer, conn: ConnId, t: Turn): void {
  const l = linkOf(p, conn);
  if (l !== undefined) link.dialed(p, l, t);
}

function failed(p: Peer, conn: ConnId, t: Turn): void {
  const l = linkOf(p, conn);
  if (l !== undefined) link.lost(p, l, "dial-failed", t);
}

function closed(p: Peer, conn: ConnId, reason: Ended, t: Turn): void {
  const l = linkOf(p, conn);
  if (l !== undefined) return link.lost(p, l, reason, t);
  for (const one of p.links) if (one.closing === conn) link.closed(one);
}

function congested(p: Peer, conn: ConnId, t: Turn): void {
  const l = linkOf(p, conn);
  if (l?.congestedAt === NEVER) l.congestedAt = t.now;
}

function drained(p: Peer, conn: ConnId, t: Turn): void {
  const l = linkOf(p, conn);
  if (l !== undefined) state.drained(l, t);
}

function received(p: Peer, conn: ConnId, bytes: Uint8Array, t: Turn): void {
  const l = linkOf(p, conn);
  if (l === undefined) return;
  l.heardAt = t.now;
  if (l.lines.partial === undefined && isOneLine(bytes)) {
    p.stepUnits += 1;
    return heard(p, l, bytes, t);
  }
  const cut: lines.Cut = { at: 0, line: undefined };
  while (l.conn === conn) {
    if (!lines.next(l.lines, bytes, envelope.lineBytesMax, cut)) {
      return link.lost(p, l, "protocol", t);
    }
    if (cut.line === undefined) return;
    p.stepUnits += 1;
    heard(p, l, cut.line, t);
  }
}

/** Just one line, and not too long: most of what arrives. */
function isOneLine(bytes: Uint8Array): boolean {
  const end = bytes.length - 1;
  return end > 0 && end <= envelope.lineBytesMax && bytes[end] === LF && bytes[end - 1] === CR &&
    bytes.indexOf(LF) === end;
}

function heard(p: Peer, l: Link, line: Uint8Array, t: Turn): void {
  if (read.isPlain(line)) return said(p, l, line, t);
  const { frame, odd: what } = read.look(line);
  const from = what === "respelled" && frame !== undefined
    ? read.nickAt(frame, read.senderAt) : undefined;
  if (what !== undefined) odd(l, what, t, from);
  if (frame !== undefined) said(p, l, frame, t);
}

function said(p: Peer, l: Link, frame: Uint8Array, t: Turn): void {
  const type = read.typeOf(frame);
  if (l.phase !== "up") return greeted(p, l, type, frame, t);
  switch (type) {
    case types.PUBMSG: return published(p, l, frame, t);
    case types.PRIVMSG: return whispered(p, l, frame, t);
    case types.PEERLIST: return listed(p, l, frame, t);
    case types.PING: return state.isNew(p) ? link.pinged(l, t) : undefined;
    case types.PONG: return link.ponged(p, l, t);
    default: return undefined;
  }
}

/** A line before the registration: only what the handshake waits for counts. */
function greeted(p: Peer, l: Link, type: number, frame: Uint8Array, t: Turn): void {
  if (l.phase === "greeting" && type === types.DN_HANDSHAKE) {
    link.answered(p, l, frame, t);
  } else if (l.phase === "challenged" && type === types.NICK_AUTH_CHALLENGE) {
    link.challenged(p, l, read.lineOf(frame), t);
  } else if (l.phase === "proving" && type === types.NICK_AUTH_RESULT) {
    link.judged(p, l, read.lineOf(frame), t);
  } else if (isRelayed(type) || type === types.PEERLIST || type === types.PING) {
    odd(l, "early", t);
  }
  if (l.phase === "up") arrived(p, l, t);
}

function isRelayed(type: number): boolean {
  return type === types.PUBMSG || type === types.PRIVMSG;
}

/** Registered: a maker says what it offers, the others ask for it. */
function arrived(p: Peer, l: Link, t: Turn): void {
  const tag = state.nextTag(p);
  if (!state.collects(p)) return say.announce(p, l, tag, t);
  say.orderbook(p, l, tag, t);
  if (state.isNew(p)) say.list(l, t);
}

function published(p: Peer, l: Link, frame: Uint8Array, t: Turn): void {
  if (vet.standsAt(frame, read.senderAt, p.nickBytes)) return odd(l, "echo", t);
  if (vet.standsAt(frame, read.senderAt, l.nickBytes) && !read.isOrderbook(frame)) {
    return odd(l, "impostor", t);
  }
  if (p.config.tells) told(l, frame, t);
  if (!state.collects(p)) {
    if (read.isOrderbook(frame)) say.repeat(p, l, frame, t);
    return;
  }
  const letter = read.publicLetter(frame);
  if (letter !== LETTER_S && letter !== LETTER_C) return;
  const from = read.publicFrom(frame);
  if (from === undefined) return;
  const offers: read.Offers = { tag: -1, size: 0 };
  read.publicOffers(frame, offers);
  if (offers.size > 0) held(l, from, offers, t);
  else if (letter === LETTER_C && book.gone(l.book, from)) dropped(l, from, "cancelled", t);
}

function told(l: Link, frame: Uint8Array, t: Turn): void {
  const from = read.publicFrom(frame);
  if (from === undefined) return;
  const tag = read.publicTag(frame);
  if (tag >= stolenTags) odd(l, "stolen", t, from);
  state.tell(t, { fact: "heard", directory: l.to.id, conn: l.conn, from, tag });
}

function held(l: Link, maker: string, offers: read.Offers, t: Turn): void {
  const { tag, size } = offers;
  if (tag >= stolenTags) return odd(l, "stolen", t, maker);
  if (!book.offered(l.book, maker, tag, size)) return;
  state.tell(t, { fact: "held", directory: l.to.id, maker, tag, size });
}

function dropped(l: Link, maker: string, why: "left" | "cancelled", t: Turn): void {
  state.tell(t, { fact: "dropped", directory: l.to.id, maker, why });
}

function whispered(p: Peer, l: Link, frame: Uint8Array, t: Turn): void {
  const between = read.privateBetween(frame);
  if (between?.endsWith(p.config.nick) !== true) return odd(l, "misdirected", t);
  if (vet.standsAt(frame, read.senderAt, l.nickBytes)) return odd(l, "impostor", t);
  const from = between.slice(0, 16);
  if (read.privateTag(frame) >= stolenTags) return odd(l, "stolen", t, from);
  switch (read.privateLetter(frame)) {
    case LETTER_F: return asked(p, l, from, frame, t);
    case LETTER_P: return answered(p, l, from, read.privateTag(frame), t);
    case LETTER_S: return offered(p, l, from, frame, t);
    default: return;
  }
}

/** The directory sent what it should not have. */
function odd(l: Link, what: Odd, t: Turn, from?: string): void {
  const where = { directory: l.to.id, conn: l.conn };
  if (from === undefined) state.tell(t, { fact: "odd", ...where, what });
  else state.tell(t, { fact: "odd", ...where, what, from });
}

function asked(p: Peer, l: Link, from: string, frame: Uint8Array, t: Turn): void {
  const tag = read.privateTag(frame);
  if (p.config.spec.kind === "maker" && tag >= 0) say.pubkey(p, l, from, tag, t);
}

function offered(p: Peer, l: Link, from: string, frame: Uint8Array, t: Turn): void {
  if (!state.collects(p)) return;
  const offers: read.Offers = { tag: -1, size: 0 };
  read.privateOffers(frame, offers);
  if (offers.size > 0) held(l, from, offers, t);
}

function answered(p: Peer, l: Link, from: string, tag: number, t: Turn): void {
  for (let at = 0; at < p.pending.length; at += 1) {
    const one = p.pending[at];
    if (one?.tag !== tag || one.to !== from || one.conn !== l.conn) continue;
    p.pending.splice(at, 1);
    return state.tell(t, { fact: "answered", directory: l.to.id, conn: l.conn, from, tag });
  }
  odd(l, "unexpected", t);
}

/** A peerlist: who left, and, to new peers, who is there. */
function listed(p: Peer, l: Link, frame: Uint8Array, t: Turn): void {
  if (!state.collects(p)) return;
  const leavers = read.hasLeavers(frame);
  const last = frame.length - 4;
  let end = read.entryEnd(frame, read.senderAt);
  if (!leavers && vet.standsAt(frame, read.senderAt, l.nickBytes)) begun(l, t);
  if (!leavers && end < last && book.isKnown(l.book, frame)) return;
  p.lists += 1;
  for (let at = read.senderAt; at < last; at = end + 1) {
    end = read.entryEnd(frame, at);
    p.stepUnits += 1;
    const isGone = read.isLeaver(frame, end);
    const nick = read.nickAt(frame, at);
    if (vetted(p, l, { frame, at, end, nick, isGone }, t)) entered(p, l, nick, isGone, t);
  }
}

/** A list begins with the directory's own entry, which is nowhere else. */
function begun(l: Link, t: Turn): void {
  l.listsBegun += 1;
  if (l.listsBegun > l.listsAsked) odd(l, "unasked", t);
}

type Entry = {
  readonly frame: Uint8Array;
  readonly at: number;
  readonly end: number;
  readonly nick: string;
  readonly isGone: boolean;
};

/** Is it a proper entry? Its checksum is looked at once. */
function vetted(p: Peer, l: Link, e: Entry, t: Turn): boolean {
  const { frame, at, end, nick } = e;
  if (!vet.isEntry(frame, at, end)) {
    odd(l, "entry", t);
    return false;
  }
  const sum = vet.sumOf(frame, at, end);
  let known = p.vetted.get(nick);
  if (known?.sum !== sum && !vet.hasChecksum(frame, at, t.p.sha3)) odd(l, "entry", t, nick);
  if (known === undefined) {
    if (p.vetted.size >= state.vettedMax) p.vetted.clear();
    known = { sum, list: -1 };
    p.vetted.set(nick, known);
  }
  known.sum = sum;
  if (e.isGone) return true;
  if (known.list === p.lists) odd(l, "twice", t, nick);
  known.list = p.lists;
  return true;
}

function entered(p: Peer, l: Link, nick: string, isGone: boolean, t: Turn): void {
  if (!isGone) {
    if (state.isNew(p) && nick !== l.nick) book.listed(l.book, nick, t.now);
  } else if (book.gone(l.book, nick)) dropped(l, nick, "left", t);
}
