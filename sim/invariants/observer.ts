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
import * as lines from "../../core/joinmarket/lines.ts";
import type { Tick, WakeEffect } from "../../core/kernel/io.ts";
import { NEVER, type Mono } from "../../core/time.ts";
import * as budget from "./budget.ts";
import type { Violation } from "./violation.ts";

/** Where a connection stands, as far as one can see from outside. */
export type Phase = "proxy" | "greeting" | "asked" | "peer" | "ended";

/** What the node has said on a connection so far; `silent` allows nothing more. */
export type Said = "nothing" | "answered" | "challenged" | "open" | "silent";

/** A line on its way to a receiver. `hint` is the peerlist entry that must follow at once. */
export type Owed = {
  readonly type: number;
  /** The text between the quotes, as bytes. */
  readonly raw: Uint8Array;
  /** The whole line, if it has to go out as it came. */
  readonly exact: Uint8Array | undefined;
  readonly since: Mono;
  readonly hint: string | undefined;
  /** The node may have dropped it: it comes, or it does not. */
  maybe: boolean;
};

/** A list that a peer asked for. */
export type List = {
  readonly since: Mono;
  readonly listed: Set<string>;
  /** The node has said that it is complete; `missing` is still on its way. */
  missing: Set<string> | undefined;
  doneAt: Mono;
};

export type Conn = {
  readonly id: ConnId;
  readonly openedAt: Mono;
  readonly lines: lines.Lines;
  phase: Phase;
  said: Said;
  hello: Hello | undefined;
  /** The key of the proof that let it in. */
  pubkey: string | undefined;
  registeredAt: Mono;
  /** The last complete line. */
  lineAt: Mono;
  /** For D7: silence is counted from here, and the host was late by `lateMs` in all by then. */
  silentFrom: Mono;
  lateMs: number;
  /** When the node's heartbeat marked it; `NEVER`: not marked. */
  pingedAt: Mono;
  congestedAt: Mono;
  /** The host reported congestion ended, or bytes were written: the queue moves. */
  movedAt: Mono;
  pongs: number;
  /** By sender nick, or `;` and the nick that left. */
  readonly owed: Map<string, Owed[]>;
  /** Texts of what must come; less than it takes. */
  owedBytes: number;
  /** More than all that may come takes, with its hints. */
  owedBytesMost: number;
  hint: string | undefined;
  list: List | undefined;
  /** The node closed it, how, and why. */
  closed: { readonly how: "abort" | "flush"; readonly reason: string } | undefined;
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
  now: Mono;
  /** When the kernel asked to be woken. */
  wakeAt: Mono;
  /** How late the host has been in all, each time with the grace that the node then gives. */
  lateMs: number;
  draining: boolean;
  stopped: boolean;
  beating: boolean;
  /** Known connections, also those that the node has ended. */
  readonly conns: Map<ConnId, Conn>;
  /** Not registered and not ended, the oldest first. */
  readonly shaking: Set<Conn>;
  readonly peers: Map<string, Conn>;
  /** Receivers with something on its way. */
  readonly owing: Set<Conn>;
  readonly listing: Set<Conn>;
  /** Peers whom the node's heartbeat awaits. */
  readonly pinged: Set<Conn>;
  readonly budgets: budget.Budgets;
  readonly leaving: Map<string, Leaving>;
  leaveAt: Mono;
  /** Makers that end in this step and are announced in it. */
  readonly told: Set<string>;
  /** Makers that ended lately, to when: a line of a peerlist may still be on its way. */
  readonly lately: Map<string, Mono>;
  entropyAsked: number;
  /** Sums of the node's counters before this step. */
  relayedPublic: number;
  relayedPrivate: number;
  droppedBehind: number;
  registeredSum: number;
  peerlistLines: number;
};

export type Event = DirectoryEvent | Tick;
export type Effect = DirectoryEffect | WakeEffect;

/** One step as the observer sees it. */
export type Seen = {
  readonly node: Directory;
  readonly event: Event;
  readonly effects: readonly Effect[];
  readonly now: Mono;
  /** Connections that the node closed in this step, and why. */
  readonly closes: ReadonlyMap<ConnId, string>;
  readonly out: Violation[];
};

/** An observer of a node that was just created with `config`. */
export function create(config: DirectoryConfig, now: Mono): Observer {
  return {
    config, now, wakeAt: NEVER, lateMs: 0,
    draining: false, stopped: false, beating: false,
    conns: new Map(), shaking: new Set(), peers: new Map(), owing: new Set(),
    listing: new Set(), pinged: new Set(), budgets: budget.create(config),
    leaving: new Map(), leaveAt: NEVER, told: new Set(), lately: new Map(),
    entropyAsked: 0, relayedPublic: 0, relayedPrivate: 0, droppedBehind: 0,
    registeredSum: 0, peerlistLines: 0,
  };
}

/** A connection that was accepted just now. */
export function conn(o: Observer, id: ConnId, now: Mono): Conn {
  return {
    id, openedAt: now, lines: lines.create(), phase: o.config.circuits ? "proxy" : "greeting",
    said: "nothing", hello: undefined, pubkey: undefined, registeredAt: NEVER, lineAt: now,
    silentFrom: now, lateMs: o.lateMs, pingedAt: NEVER, congestedAt: NEVER,
    movedAt: now, pongs: 0, owed: new Map(), owedBytes: 0, owedBytesMost: 0, hint: undefined,
    list: undefined, closed: undefined,
  };
}

/** Something is on its way to `to`. */
export function owe(o: Observer, to: Conn, key: string, item: Owed): void {
  const queue = to.owed.get(key);
  if (queue === undefined) to.owed.set(key, [item]);
  else queue.push(item);
  if (!item.maybe) to.owedBytes += item.raw.length;
  to.owedBytesMost += mostBytes(item);
  o.owing.add(to);
}

/** What an envelope adds to its text, with the line end. */
const envelopeBytes = 27;

function mostBytes(item: Owed): number {
  const hint = item.hint === undefined ? 0 : item.hint.length + envelopeBytes;
  return (item.exact?.length ?? item.raw.length + envelopeBytes) + hint;
}

/**
 * The next line of `key` that `to` must get; it is taken out if `isIt`, with those before it that
 * only may have come.
 */
export function settle(
  o: Observer, to: Conn, key: string, isIt: (item: Owed) => boolean,
): Owed | undefined {
  const queue = to.owed.get(key) ?? [];
  const at = queue.findIndex((one) => !one.maybe || isIt(one));
  const item = queue[at];
  if (item === undefined || !isIt(item)) return undefined;
  if (item.maybe) doubt(to, queue.slice(at + 1), isIt);
  takeOut(o, to, key, queue, at + 1);
  return item;
}

/** Of two equal lines, one that may and one that must come, one has come: which, nobody can say. */
function doubt(to: Conn, rest: readonly Owed[], isIt: (item: Owed) => boolean): void {
  const next = rest.find((one) => !one.maybe);
  if (next === undefined || !isIt(next)) return;
  next.maybe = true;
  to.owedBytes -= next.raw.length;
}

/** Lines of `key` that may have come and are due by now have been dropped. */
export function waive(o: Observer, to: Conn, key: string, isDue: (item: Owed) => boolean): void {
  const queue = to.owed.get(key) ?? [];
  const at = queue.findIndex((one) => !one.maybe || !isDue(one));
  takeOut(o, to, key, queue, at < 0 ? queue.length : at);
}

function takeOut(o: Observer, to: Conn, key: string, queue: Owed[], count: number): void {
  for (const item of queue.splice(0, count)) {
    if (!item.maybe) to.owedBytes -= item.raw.length;
    to.owedBytesMost -= mostBytes(item);
  }
  if (queue.length === 0) to.owed.delete(key);
  if (to.owed.size === 0 && to.hint === undefined) o.owing.delete(to);
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
  o.shaking.delete(c);
  o.peers.set(nick, c);
  o.leaving.delete(nick);
}

/** The connection claims nothing any more; a maker among the peers is about to be announced. */
export function end(o: Observer, c: Conn, now: Mono): void {
  if (c.phase === "ended") return;
  const wasPeer = c.phase === "peer";
  c.phase = "ended";
  c.owed.clear();
  c.owedBytes = 0;
  c.owedBytesMost = 0;
  c.hint = undefined;
  c.list = undefined;
  c.pingedAt = NEVER;
  o.pinged.delete(c);
  o.shaking.delete(c);
  o.owing.delete(c);
  o.listing.delete(c);
  const { hello } = c;
  if (!wasPeer || hello === undefined) return;
  if (o.peers.get(hello.nick) === c) o.peers.delete(hello.nick);
  if (hello.maker) left(o, hello, now);
}

/** More notices than this end the window at once. */
const noticesMax = 4_096;

function left(o: Observer, hello: Hello, now: Mono): void {
  o.lately.delete(hello.nick);
  o.lately.set(hello.nick, now);
  if (o.told.has(hello.nick)) return;
  o.leaving.delete(hello.nick);
  o.leaving.set(hello.nick, { entry: `${hello.nick};${hello.location};D`, since: now });
  if (o.leaveAt === NEVER) o.leaveAt = (now + o.config.leaveMs) as Mono;
  if (o.leaving.size >= noticesMax) o.leaveAt = (now + 1) as Mono;
}
