/**
 * What an observer of one directory node knows: a model of its own, kept from what went in and out.
 *
 * Rule 1: plain data, kept apart from the node's tables; where a check would go in a circle, this
 * is the other side of it.
 * Rule 2: a connection that the node ended stays known until the host says that it is gone.
 * Rule 3: it decides nothing; `heard.ts` and `sent.ts` write here and say what is wrong.
 * @module
 */
import type { DirectoryConfig } from "../../core/directory/config.ts";
import type { DirectoryEffect, DirectoryEvent } from "../../core/directory/events.ts";
import type { Directory } from "../../core/directory/node.ts";
import type { ConnId } from "../../core/ids.ts";
import * as command from "../../core/joinmarket/command.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import * as lines from "../../core/joinmarket/lines.ts";
import type { Entry } from "../../core/joinmarket/peerlist.ts";
import type { Tick, WakeEffect } from "../../core/kernel/io.ts";
import { TICK } from "../../core/kernel/kernel.ts";
import type { Primitives } from "../../core/primitives.ts";
import { NEVER, type Mono } from "../../core/time.ts";
import * as budget from "./budget.ts";
import type { Violation } from "./violation.ts";

/** Where a connection stands, as far as one can see from outside. */
export type Phase = "proxy" | "greeting" | "asked" | "peer" | "ended";

/** What the node has said on a connection so far; `silent` allows nothing more. */
export type Said = "nothing" | "answered" | "challenged" | "open" | "silent";

/** A line on its way to one receiver, or to everybody. */
export type Owed = {
  /** The nick of its sender, or `;` and the nick that left. */
  readonly key: string;
  readonly type: number;
  /** A copy of the line as it came, or the text of a notice. */
  readonly bytes: Uint8Array;
  /** Where its text lies in `bytes`: what stands between the quotes. */
  readonly from: number;
  readonly to: number;
  /** It has to go out as it came, all of `bytes`. */
  readonly exact: boolean;
  readonly since: Mono;
  /** How many public lines there were before it. */
  readonly at: number;
  /** Who said it; notices are nobody's. */
  readonly by: Conn | undefined;
  /** The peerlist entry that must follow at once. */
  readonly hint: Hint | undefined;
  /** Of a public line: what all public lines before it take, at least and at most. */
  readonly leastBefore: number;
  readonly mostBefore: number;
  /** The node may have dropped it: it comes, or it does not. */
  maybe: boolean;
};

/** A peerlist entry that follows a private line, and the usual spelling of its frame. */
export type Hint = { readonly text: string; readonly frame: Uint8Array };

/**
 * Public lines and notices, once for all who are owed them. Each receiver has a place in it
 * (`Conn.cursor`); numbers count from the first public line ever.
 */
export type Log = {
  readonly items: Owed[];
  /** The number of the first of `items`; all before it have been sent. */
  from: number;
  /** What all of them so far take in texts, and at most. */
  leastBytes: number;
  mostBytes: number;
};

/**
 * A write that held the public lines `from` to `to` and nothing else; who is at `from` and gets the
 * same array needs no second look.
 */
export type Batch = { bytes: Uint8Array | undefined; from: number; to: number };

/** A list that a peer asked for. */
export type List = {
  readonly since: Mono;
  readonly listed: Set<string>;
  /** The node has said that it is complete; `missing` is still on its way. */
  missing: Set<string> | undefined;
  doneAt: Mono;
  /** Lines of the list before it may come too. */
  readonly isMixed: boolean;
};

export type Conn = {
  readonly id: ConnId;
  readonly openedAt: Mono;
  readonly lines: lines.Lines;
  phase: Phase;
  said: Said;
  hello: Hello | undefined;
  /** The nick that it said. */
  nickBytes: Uint8Array;
  /** What is told about it behind its private lines, without and with its features. */
  hintPlain: Hint | undefined;
  hintFeatures: Hint | undefined;
  /** The text of its handshake and the challenge that it was sent, for nick-auth. */
  helloLine: string;
  challenge: string | undefined;
  /** The key of the proof that let it in. */
  pubkey: string | undefined;
  registeredAt: Mono;
  /** The last complete line. */
  lineAt: Mono;
  /** For D7: silence is counted from here, and the host was late by `lateMs` in all by then. */
  silentFrom: Mono;
  lateMs: number;
  /** Of the node's pauses, those before its last line, and before it was marked. */
  pausedMs: number;
  pingPausedMs: number;
  /** When the unfinished line began; `NEVER`: there is none. */
  partialAt: Mono;
  /** When the node's heartbeat marked it; `NEVER`: not marked. */
  pingedAt: Mono;
  /** When it was sent a PING or a probe last; `NEVER`: never. */
  askedAt: Mono;
  /** And the time before. */
  askedBefore: Mono;
  congestedAt: Mono;
  /** When it was congested last, whether it still is or not; `NEVER`: it never was. */
  stalledAt: Mono;
  /** The host reported congestion ended, or bytes were written: the queue moves. */
  movedAt: Mono;
  pongs: number;
  /** What it is due for itself, the earliest first. */
  owed: Owed[];
  /** Of those, texts of what must come; less than it takes. */
  owedBytes: number;
  /** More than all that may come takes, with its hints. */
  owedBytesMost: number;
  /** The public line that it is due next. */
  cursor: number;
  /** The last public line of its own, which it does not get, and all of them from `cursor` on. */
  ownAt: number;
  ownLeast: number;
  ownMost: number;
  hint: Hint | undefined;
  list: List | undefined;
  /** The node closed it, how, and why. */
  closed: { readonly how: "abort" | "flush"; readonly reason: string } | undefined;
  closedAt: Mono;
};

/** What a handshake said, as parsed by the observer. */
export type Hello = {
  readonly nick: string;
  readonly network: string;
  /** `<56>.onion:port` or `NOT-SERVING-ONION`. */
  readonly location: string;
  readonly maker: boolean;
  readonly ping: boolean;
  readonly wantsFeatures: boolean;
  /** As a peerlist shows them: sorted and joined by `+`. */
  readonly features: string;
};

/** A maker whose leave notice is due. */
export type Leaving = { readonly entry: string; readonly since: Mono };

export type Observer = {
  config: DirectoryConfig;
  /** The node's own address as it was configured or told, and when: before the run, or in it. */
  location: string | undefined;
  locatedAt: number;
  /** To check proofs with; without them proofs are not checked. */
  readonly primitives: Primitives | undefined;
  now: Mono;
  /** When the kernel asked to be woken. */
  wakeAt: Mono;
  /** How late the host has been in all, each time with the grace that the node then gives. */
  lateMs: number;
  /**
   * What the node may take for its pauses: its heartbeat was due by `beatAt` and came later by more
   * than a sweep.
   */
  pausedMs: number;
  beatAt: number;
  /** Its heartbeat comes late in this step and did not before: it has to spare everybody. */
  isSparing: boolean;
  /** When it last came late; `NEVER`: it has been punctual since. */
  lateAt: Mono;
  draining: boolean;
  stopped: boolean;
  beating: boolean;
  /** Known connections, also those that the node has ended. */
  readonly conns: Map<ConnId, Conn>;
  /** Not registered and not ended, the oldest first. */
  readonly shaking: Set<Conn>;
  readonly peers: Map<string, Conn>;
  readonly log: Log;
  readonly batch: Batch;
  /** Receivers with something of their own on its way. */
  readonly owing: Set<Conn>;
  /** Nothing on its way is late before this. */
  overdueAt: number;
  readonly listing: Set<Conn>;
  /** Peers whom the node's heartbeat awaits. */
  readonly pinged: Set<Conn>;
  readonly congested: Set<Conn>;
  /** Connections that were given time for their last words, and peers with an unfinished line. */
  readonly lingering: Set<Conn>;
  readonly partial: Set<Conn>;
  /** No end and no line is overdue before this. */
  lingerAt: number;
  /** No reader has been stuck for too long before this, and no peer silent. */
  stuckAt: number;
  silentAt: number;
  readonly budgets: budget.Budgets;
  readonly leaving: Map<string, Leaving>;
  leaveAt: Mono;
  /** Makers that end in this step and are announced in it. */
  readonly told: Set<string>;
  /** Makers that ended lately, to when: a line of a peerlist may still be on its way. */
  readonly lately: Map<string, Mono>;
  latelyAt: number;
  /** Registrations noticed in this step. */
  joins: number;
  entropyAsked: number;
  /** Sums of the node's counters before this step. */
  relayedPublic: number;
  relayedPrivate: number;
  droppedBehind: number;
  registeredSum: number;
  peerlistLines: number;
  heartbeatPings: number;
  /** Ticks without any effect since `idleFrom`. */
  idleTicks: number;
  idleFrom: Mono;
  /** Used again in every step, so that a step in which nothing happens makes nothing. */
  readonly scratch: Scratch;
};

export type Scratch = {
  readonly seen: Seen;
  readonly cut: lines.Cut;
  readonly envelope: envelope.Envelope;
  readonly peek: command.Peek;
  /** The line that was just looked at went to everybody. */
  isShared: boolean;
  /** Relayed lines so far, in turns. */
  lines: number;
  /** Of this step: complete lines, who said its handshake, and a PING's answer after so many ms. */
  linesHeard: number;
  greeted: Conn | undefined;
  answeredMs: number;
  /** How late the host was with it, in ms. */
  lateMs: number;
  /** Peerlists as they were read. */
  readonly pages: Map<string, readonly Entry[]>;
};

export type Event = DirectoryEvent | Tick;
export type Effect = DirectoryEffect | WakeEffect;

/** One step as the observer sees it. */
export type Seen = {
  node: Directory;
  event: Event;
  effects: readonly Effect[];
  now: Mono;
  /** Connections that the node closed in this step, and why. */
  readonly closes: Map<ConnId, string>;
  out: Violation[];
};

const noBytes = new Uint8Array(0);

/** An observer of a node that was just created with `config`. */
export function create(
  config: DirectoryConfig, now: Mono, primitives?: Primitives,
): Observer {
  return {
    config, location: config.location, locatedAt: now - 1, primitives, now, wakeAt: NEVER,
    lateMs: 0, pausedMs: 0, beatAt: NEVER, isSparing: false, lateAt: NEVER,
    draining: false, stopped: false, beating: false,
    conns: new Map(), shaking: new Set(), peers: new Map(),
    log: { items: [], from: 0, leastBytes: 0, mostBytes: 0 },
    batch: { bytes: undefined, from: 0, to: 0 }, owing: new Set(), overdueAt: NEVER,
    listing: new Set(), pinged: new Set(), congested: new Set(), stuckAt: NEVER, silentAt: NEVER,
    lingering: new Set(), partial: new Set(), lingerAt: NEVER,
    budgets: budget.create(config), leaving: new Map(), leaveAt: NEVER, told: new Set(),
    lately: new Map(), latelyAt: NEVER, joins: 0,
    entropyAsked: 0, relayedPublic: 0, relayedPrivate: 0, droppedBehind: 0,
    registeredSum: 0, peerlistLines: 0, heartbeatPings: 0, idleTicks: 0, idleFrom: now,
    scratch: scratch(),
  };
}

function scratch(): Scratch {
  return {
    seen: {
      node: undefined as unknown as Directory, event: TICK, effects: [], now: 0 as Mono,
      closes: new Map(), out: [],
    },
    cut: { at: 0, line: undefined }, envelope: envelope.create(), peek: command.create(),
    isShared: false, lines: 0, linesHeard: 0, greeted: undefined, answeredMs: -1,
    lateMs: 0, pages: new Map(),
  };
}

/** A connection that was accepted just now. */
export function conn(o: Observer, id: ConnId, now: Mono): Conn {
  return {
    id, openedAt: now, lines: lines.create(), phase: o.config.circuits ? "proxy" : "greeting",
    said: "nothing", hello: undefined, nickBytes: noBytes, hintPlain: undefined,
    hintFeatures: undefined, helloLine: "", challenge: undefined, pubkey: undefined,
    registeredAt: NEVER, lineAt: now,
    silentFrom: now, lateMs: o.lateMs, pausedMs: o.pausedMs, pingPausedMs: 0, partialAt: NEVER,
    pingedAt: NEVER, askedAt: NEVER, askedBefore: NEVER, congestedAt: NEVER, stalledAt: NEVER,
    movedAt: now, pongs: 0, owed: [], owedBytes: 0, owedBytesMost: 0, cursor: 0, ownAt: -1,
    ownLeast: 0, ownMost: 0, hint: undefined, list: undefined, closed: undefined, closedAt: NEVER,
  };
}

/** The connection is a peer from now on; an owner before it has ended in this step. */
export function register(o: Observer, c: Conn, nick: string, now: Mono): void {
  const before = o.peers.get(nick);
  if (before !== undefined) end(o, before, now);
  c.phase = "peer";
  c.registeredAt = now;
  c.silentFrom = now;
  c.lateMs = o.lateMs;
  c.lineAt = now;
  c.pausedMs = o.pausedMs;
  c.helloLine = "";
  c.cursor = o.log.from + o.log.items.length;
  o.shaking.delete(c);
  o.peers.set(nick, c);
  o.leaving.delete(nick);
  o.joins += 1;
  // Whoever it is, it may be silent for longer than this.
  o.silentAt = soonest(o.silentAt, now + o.config.heartbeat.idleMs);
}

function soonest(a: number, b: number): number {
  return a < b ? a : b;
}

/** The connection claims nothing any more; a maker among the peers is about to be announced. */
export function end(o: Observer, c: Conn, now: Mono): void {
  if (c.phase === "ended") return;
  const wasPeer = c.phase === "peer";
  c.phase = "ended";
  c.owed = [];
  c.owedBytes = 0;
  c.owedBytesMost = 0;
  c.hint = undefined;
  c.list = undefined;
  c.pingedAt = NEVER;
  o.pinged.delete(c);
  o.shaking.delete(c);
  o.owing.delete(c);
  o.listing.delete(c);
  o.congested.delete(c);
  o.partial.delete(c);
  const { hello } = c;
  if (!wasPeer || hello === undefined) return;
  if (o.peers.get(hello.nick) === c) o.peers.delete(hello.nick);
  if (hello.maker) left(o, hello, now);
}

/** More notices than this end the window at once. */
export const noticesMax = 4_096;

function left(o: Observer, hello: Hello, now: Mono): void {
  o.lately.delete(hello.nick);
  o.lately.set(hello.nick, now);
  o.latelyAt = soonest(o.latelyAt, now);
  if (o.told.has(hello.nick)) return;
  o.leaving.delete(hello.nick);
  o.leaving.set(hello.nick, { entry: `${hello.nick};${hello.location};D`, since: now });
  if (o.leaveAt === NEVER) o.leaveAt = (now + o.config.leaveMs) as Mono;
  if (o.leaving.size >= noticesMax) o.leaveAt = (now + 1) as Mono;
}
