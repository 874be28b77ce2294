/**
 * The state of an honest peer, and the verbs that its parts share: send, tell, mark.
 *
 * Rule 1: what is written while the system takes no more waits in the link, within a bound; beyond
 * it the link is given up, so that nothing is silently missing from it.
 * Rule 2: everything remembered has a bound.
 * @module
 */
import { join } from "../../core/backlog.ts";
import { ascii } from "../../core/bytes.ts";
import type { ConnId } from "../../core/ids.ts";
import * as lines from "../../core/joinmarket/lines.ts";
import type { Primitives } from "../../core/primitives.ts";
import * as prng from "../../core/prng.ts";
import type { Secret } from "../../core/secret.ts";
import { NEVER, type Mono } from "../../core/time.ts";
import type { Mark, NodeId } from "../scenario.ts";
import * as book from "./book.ts";
import type { Known, PeerConfig, PeerEffect } from "./io.ts";
import { tagSpan, type Told } from "./told.ts";

/** Bytes that wait for one connection whose system takes no more. */
export const waitingBytesMax = 256 * 1024;

/** Where the connection to one directory stands. */
export type Phase =
  /** Nothing is open; dials at `dueAt` (never, before the start). */
  | "apart"
  /** Dialled; given up at `dueAt`. */
  | "dialing"
  /** The handshake went out; all of it must be over at `dueAt`, whatever else arrives. */
  | "greeting"
  /** Accepted; the challenge must come. Same deadline. */
  | "challenged"
  /** The proof went out. Same deadline. */
  | "proving"
  /** Registered. */
  | "up";

export type Link = {
  readonly to: Known;
  phase: Phase;
  /** Since when. */
  since: Mono;
  /** Of the open or dialled connection; meaningless when apart. */
  conn: ConnId;
  /** When this link has something to do; a lower bound. */
  dueAt: Mono;
  /** Attempts since the last one that came up. */
  failures: number;
  refusals: number;
  lines: lines.Lines;
  /** The last bytes that arrived. */
  heardAt: Mono;
  /** The last answer that let us in, and what it said of the directory. */
  welcome: Uint8Array | undefined;
  pings: boolean;
  proves: boolean;
  /** The directory's own, as text and as bytes; empty until it is known. */
  nick: string;
  nickBytes: Uint8Array;
  /** Questions for the peerlist on this connection, and answers that have begun. */
  listsAsked: number;
  listsBegun: number;
  /** When a PING went out that nothing has answered; `NEVER`: none. */
  pingedAt: Mono;
  lastPingAt: Mono;
  /** The next PING. */
  pingAt: Mono;
  /** When nothing may have arrived for too long, for those that cannot ping; a lower bound. */
  silentAt: Mono;
  /** The next look at the peerlist. */
  refreshAt: Mono;
  /** Since when the system takes no more; `NEVER`: it does. */
  congestedAt: Mono;
  waiting: Uint8Array[];
  waitingBytes: number;
  /** More waits than may: the link is given up before the step ends. */
  isStuck: boolean;
  /** A connection closed in good order that is not gone yet, and when it is reset. */
  closing: ConnId | undefined;
  closingDueAt: Mono;
  book: book.Book;
};

/** A request that awaits its answer. */
export type Pending = {
  readonly tag: number;
  readonly to: string;
  readonly conn: ConnId;
  readonly directory: NodeId;
  readonly dueAt: Mono;
};

/** What was last listed of a nick: a sum of the text, and in which line. */
export type Vetted = { sum: number; list: number };

/** Nicks whose entries are remembered; all are forgotten for one more. */
export const vettedMax = 4_096;

export type Peer = {
  readonly config: PeerConfig;
  readonly jitter: prng.Prng;
  readonly links: readonly Link[];
  readonly nickBytes: Uint8Array;
  /** Entries of peerlists whose checksum has been looked at, by nick. */
  readonly vetted: Map<string, Vetted>;
  /** Peerlist lines read. */
  lists: number;
  secret: Secret | undefined;
  hello: Uint8Array;
  helloLine: string;
  /** Tags given out. */
  tags: number;
  /** Connections dialled. */
  conns: number;
  /** A maker's offers: their tag, and how many. */
  offersTag: number;
  offersSize: number;
  /** The line that announces them, and the frame that answers who asks, without the nick. */
  announcement: string;
  reply: Uint8Array;
  /** When they are announced once more, because a burst may have cost the last announcement. */
  againAt: Mono;
  /** Oldest first. */
  readonly pending: Pending[];
  /** What this step has taken in; bounds what it may give out. */
  stepUnits: number;
};

/** What one step carries along. */
export type Turn = {
  readonly now: Mono;
  readonly p: Primitives;
  readonly out: PeerEffect[];
};

export function create(config: PeerConfig, now: Mono): Peer {
  return {
    config, jitter: prng.stream(config.key, "peer", config.incarnation),
    links: config.directories.map((to) => linkTo(to, now)),
    nickBytes: ascii(config.nick), vetted: new Map(), lists: 0,
    secret: undefined, hello: new Uint8Array(0), helloLine: "", tags: 0, conns: 0,
    offersTag: 0, offersSize: 0, announcement: "", reply: new Uint8Array(0),
    againAt: NEVER, pending: [], stepUnits: 0,
  };
}

function linkTo(to: Known, now: Mono): Link {
  return {
    to, phase: "apart", since: now, conn: 0 as ConnId, dueAt: NEVER, failures: 0, refusals: 0,
    lines: lines.create(), heardAt: now, welcome: undefined, pings: false, proves: false, nick: "",
    nickBytes: new Uint8Array(0), listsAsked: 0, listsBegun: 0,
    pingedAt: NEVER, lastPingAt: now, pingAt: NEVER, silentAt: NEVER, refreshAt: NEVER,
    congestedAt: NEVER, waiting: [], waitingBytes: 0, isStuck: false, closing: undefined,
    closingDueAt: NEVER, book: book.create(),
  };
}

/** Does this peer know PING and features? */
export function isNew(p: Peer): boolean {
  return p.config.spec.speaks === "new";
}

/** Does it collect offers? */
export function collects(p: Peer): boolean {
  return p.config.spec.kind !== "maker";
}

/** A tag that no other line of this node has. */
export function nextTag(p: Peer): number {
  p.tags += 1;
  return p.config.incarnation * tagSpan + p.tags;
}

/** An even id that no other connection of this node has. */
export function nextConn(p: Peer): ConnId {
  p.conns += 1;
  return (2 * (p.config.incarnation * tagSpan + p.conns)) as ConnId;
}

/** One write, or a place in the queue of a connection that is congested. */
export function send(l: Link, bytes: Uint8Array, t: Turn): void {
  if (l.congestedAt === NEVER) {
    t.out.push({ type: "conn.send", conn: l.conn, bytes });
    return;
  }
  l.waiting.push(bytes);
  l.waitingBytes += bytes.length;
  if (l.waitingBytes > waitingBytesMax) l.isStuck = true;
}

/** The system takes bytes again. */
export function drained(l: Link, t: Turn): void {
  l.congestedAt = NEVER;
  if (l.waiting.length === 0) return;
  const bytes = join(l.waiting);
  l.waiting = [];
  l.waitingBytes = 0;
  t.out.push({ type: "conn.send", conn: l.conn, bytes });
}

export function tell(t: Turn, what: Told): void {
  t.out.push({ type: "told", what });
}

export function mark(t: Turn, name: Mark, conn: ConnId | undefined): void {
  t.out.push({ type: "mark", mark: name, conn });
}
