/**
 * What a line from a registered peer asks for, and what the node writes of its own: hints,
 * peerlists.
 *
 * Rule 1: a line is judged on its bytes and, if it is relayed, goes out as those bytes.
 * Rule 2: the sender's nick is bound to its connection; a line that claims another is a fault.
 * Rule 3: unknown public commands are relayed; what they mean is not this node's business.
 * Rule 4: it neither admits nor delivers; it knows no connection.
 * @module
 */
import { unreachable } from "../assert.ts";
import * as command from "../joinmarket/command.ts";
import * as envelope from "../joinmarket/envelope.ts";
import * as peerlist from "../joinmarket/peerlist.ts";
import type { Class } from "./admission.ts";
import type { DropReason } from "./counts.ts";
import * as registry from "./registry.ts";

export type Router = {
  /** Reused for every line, so that relaying allocates nothing but effects. */
  readonly envelope: envelope.Envelope;
  readonly peek: command.Peek;
  readonly pages: Pages;
};

/** Written pages, by cursor; they hold for one registry at one version, and for one `bytesMax`. */
export type Pages = {
  version: number;
  bytesMax: number;
  readonly plain: Map<number, Written>;
  readonly features: Map<number, Written>;
};

/**
 * One PEERLIST frame, shared by all who are sent it: nobody may change its bytes. No bytes: there
 * is nothing to say.
 */
export type Written = {
  readonly bytes: Uint8Array | undefined;
  readonly own: string | undefined;
  readonly cursor: number;
  readonly done: boolean;
};

/** Pages kept at most: 4 MiB at the default size of a page, enough for 20,000 makers. */
export const pagesMax = 256;

/** What a line asks for; `fault` says why it has no effect. */
export type Asked =
  | "public" | "orderbook" | "private" | "peerlist" | "ping" | "pong" | "goodbye" | "proof"
  | "fault";

export type Reading = { readonly asked: Asked; readonly fault: DropReason };

export function create(): Router {
  return {
    envelope: { type: 0, from: 0, to: 0, escaped: false, exact: false },
    peek: { to: "", public: false, orderbook: false },
    pages: { version: 0, bytesMax: 0, plain: new Map(), features: new Map() },
  };
}

/**
 * Reads one line (with its CRLF) of the peer that owns `nickBytes`. The details stay in `m` until
 * the next line.
 */
export function read(m: Router, frame: Uint8Array, nickBytes: Uint8Array): Reading {
  if (frame.length === 2) return faults.empty;
  if (envelope.scan(frame, m.envelope) !== undefined) return faults.malformed;
  switch (m.envelope.type) {
    case envelope.types.PUBMSG:
    case envelope.types.PRIVMSG:
      return message(m, frame, nickBytes);
    case envelope.types.GETPEERLIST: return readings.peerlist;
    case envelope.types.PING: return readings.ping;
    case envelope.types.PONG: return readings.pong;
    case envelope.types.DISCONNECT: return readings.goodbye;
    case envelope.types.NICK_AUTH_CHALLENGE:
    case envelope.types.NICK_AUTH_PROOF:
    case envelope.types.NICK_AUTH_RESULT:
      return readings.proof;
    case envelope.types.HANDSHAKE:
    case envelope.types.DN_HANDSHAKE:
    case envelope.types.PEERLIST:
      return faults.misplaced;
    case envelope.types.LOCAL_CONNECT:
    case envelope.types.LOCAL_DISCONNECT:
    case envelope.types.LOCAL_CONNECT_IN:
      return faults.local;
    default: return faults.unknown;
  }
}

/** The budget that a line is charged to. */
export function budget(asked: Asked): Class {
  switch (asked) {
    case "public": case "orderbook": case "private": case "peerlist": case "ping": return asked;
    case "pong": case "goodbye": case "proof": case "fault": return "other";
    default: return unreachable(asked); /* c8 ignore next */
  }
}

function message(m: Router, frame: Uint8Array, nickBytes: Uint8Array): Reading {
  const fault = command.peek(frame, m.envelope, nickBytes, m.peek);
  if (fault !== undefined) return fault.code === "from-nick" ? faults.fromNick : faults.grammar;
  const isPublic = m.envelope.type === envelope.types.PUBMSG;
  if (isPublic !== m.peek.public) return faults.grammar;
  if (!isPublic) return readings.private;
  return m.peek.orderbook ? readings.orderbook : readings.public;
}

/** The line that was read last, as it is relayed: the bytes as they came. */
export function relayed(m: Router, frame: Uint8Array): Uint8Array {
  return envelope.relayed(frame, m.envelope);
}

/**
 * The peerlist hint about a maker that follows its private lines, with features for those who asked
 * for them.
 */
export function hint(maker: registry.Peer, features: boolean): Uint8Array {
  maker.shown = true;
  const known = features ? maker.hintFeatures : maker.hintPlain;
  if (known !== undefined) return known;
  const bytes = envelope.encode(envelope.types.PEERLIST, listed(maker, features));
  if (features) maker.hintFeatures = bytes;
  else maker.hintPlain = bytes;
  return bytes;
}

/**
 * One PEERLIST line: `own` first if given, then makers registered after `cursor`, up to `bytesMax`.
 */
export type Page = { readonly line: string; readonly cursor: number; readonly done: boolean };

export function page(
  r: registry.Registry, cursor: number, own: string | undefined, features: boolean,
  bytesMax: number,
): Page {
  const entries: string[] = own === undefined ? [] : [own];
  let size = own === undefined ? 0 : own.length + 1;
  let at = cursor < 0 ? 0 : cursor;
  for (let peer = registry.nextMaker(r, at); peer !== undefined; peer = registry.nextMaker(r, at)) {
    const entry = listed(peer, features);
    const fits = size === 0 || size + entry.length <= bytesMax;
    if (!fits) return { line: entries.join(","), cursor: at, done: false };
    peer.shown = true;
    entries.push(entry);
    size += entry.length + 1;
    at = peer.seq;
  }
  return { line: entries.join(","), cursor: at, done: true };
}

/**
 * The page at `cursor` of `r`, the one registry of `m`, as a frame. It is what `page` says now: a
 * frame made before is sent again only while no maker has come or gone since.
 */
export function written(
  m: Router, r: registry.Registry, cursor: number, own: string | undefined, features: boolean,
  bytesMax: number,
): Written {
  const { pages } = m;
  if (pages.version !== r.version || pages.bytesMax !== bytesMax) forget(pages, r, bytesMax);
  const known = features ? pages.features : pages.plain;
  const before = known.get(cursor);
  if (before !== undefined && before.own === own) return before;
  if (pages.plain.size + pages.features.size >= pagesMax) forget(pages, r, bytesMax);
  const made = frameOf(page(r, cursor, own, features, bytesMax), own, cursor);
  known.set(cursor, made);
  return made;
}

function forget(pages: Pages, r: registry.Registry, bytesMax: number): void {
  pages.version = r.version;
  pages.bytesMax = bytesMax;
  pages.plain.clear();
  pages.features.clear();
}

/** An empty list is told; the empty end of a list is not. */
function frameOf(p: Page, own: string | undefined, cursor: number): Written {
  const isSaid = p.line !== "" || cursor < 0;
  const bytes = isSaid ? envelope.encode(envelope.types.PEERLIST, p.line) : undefined;
  return { bytes, own, cursor: p.cursor, done: p.done };
}

/** Made and checked once for each maker: a peerlist names thousands. */
function listed(maker: registry.Peer, features: boolean): string {
  return features
    ? (maker.entryFeatures ??= peerlist.entry(maker.nick, maker.location, maker.features, false))
    : (maker.entryPlain ??= peerlist.entry(maker.nick, maker.location, undefined, false));
}

function reading(asked: Asked, fault: DropReason = "malformed"): Reading {
  return { asked, fault };
}

const readings = {
  public: reading("public"), orderbook: reading("orderbook"), private: reading("private"),
  peerlist: reading("peerlist"), ping: reading("ping"), pong: reading("pong"),
  goodbye: reading("goodbye"), proof: reading("proof"),
};

const faults = {
  empty: reading("fault", "empty"), malformed: reading("fault", "malformed"),
  fromNick: reading("fault", "from-nick"), grammar: reading("fault", "grammar"),
  unknown: reading("fault", "unknown-type"), local: reading("fault", "local-type"),
  misplaced: reading("fault", "misplaced-type"),
};
