/**
 * The lines that honest peers say.
 *
 * Rule 1: every public line and private request has its tag (`told.ts`) and is told.
 * Rule 2: an announcement is complete: all offers, then the withdrawal of every other id.
 * @module
 */
import { join } from "../../core/backlog.ts";
import { utf8 } from "../../core/bytes.ts";
import * as command from "../../core/joinmarket/command.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import { nickLength } from "../../core/joinmarket/nick.ts";
import * as offer from "../../core/joinmarket/offer.ts";
import { after } from "../../core/time.ts";
import { addresseeAt, senderAt } from "./read.ts";
import { send, tell, type Link, type Peer, type Turn } from "./state.ts";

const { types } = envelope;

/** Offers of one maker. */
export const offersMax = 5;
/** What a request may take to be answered. */
export const answerMs = 30_000;
/** Requests that await their answers; the oldest is given up for a new one. */
export const pendingMax = 64;
/** Bytes of a line's body, so that it fits in any line. */
export const bodyBytesMax = 38_000;

const LIST = envelope.encode(types.GETPEERLIST, "");

/** A maker's offers are these from now on. `size` 1 to `offersMax`. */
export function offers(p: Peer, tag: number, size: number, t: Turn): void {
  const listed: string[] = [];
  const cancelled: string[] = [];
  for (let oid = 0; oid < offersMax; oid += 1) {
    if (oid < size) listed.push(offerText(oid, tag));
    else cancelled.push(offer.encodeCancel(oid));
  }
  p.offersTag = tag;
  p.offersSize = size;
  const nobody = "?".repeat(nickLength);
  p.reply = envelope.encode(types.PRIVMSG, `${p.config.nick}!${nobody}!${listed.join("!")}`);
  p.announcement = command.publicLine(p.config.nick, [...listed, ...cancelled]);
  tell(t, { fact: "offers", tag, size });
}

function offerText(oid: number, tag: number): string {
  const text = `0.000${tag}`;
  const terms = { oid, minsizeSat: 27_300n, maxsizeSat: 2_500_000_000n, txfeeSat: 0n };
  const cjfee = offer.parseRatio(text) ?? { text, units: 0n, scale: 0 };
  return offer.encode({ kind: "sw0reloffer", ...terms, cjfee });
}

/** A maker tells everybody its offers, in a line of its own tag. */
export function announce(p: Peer, l: Link, tag: number, t: Turn): void {
  send(l, envelope.encode(types.PUBMSG, `${p.announcement}!note #${tag}`), t);
  tell(t, { fact: "announced", directory: l.to.id, conn: l.conn, tag, offers: p.offersTag });
}

/**
 * A maker tells its offers to one who asks. Everybody's question reaches every maker, so the answer
 * is ready but for the nick, which is copied from the question.
 */
export function repeat(p: Peer, l: Link, question: Uint8Array, t: Turn): void {
  const frame = p.reply.slice();
  for (let i = 0; i < nickLength; i += 1) {
    frame[addresseeAt + i] = question[senderAt + i] as number;
  }
  send(l, frame, t);
}

/** A taker asks all makers for their offers. */
export function orderbook(p: Peer, l: Link, tag: number, t: Turn): void {
  send(l, envelope.encode(types.PUBMSG, `${p.config.nick}!PUBLIC!orderbook #${tag}`), t);
  said(l, tag, t);
}

/** Asks for the peerlist. */
export function list(l: Link, t: Turn): void {
  l.listsAsked += 1;
  send(l, LIST, t);
}

/** A taker asks a maker to join; the body has `bytes` bytes. */
export function fill(p: Peer, l: Link, ask: { to: string; tag: number; bytes: number }, t: Turn):
  void {
  const { to, tag } = ask;
  const head = `${p.config.nick}!${to}!fill 0 100000 #${tag}`;
  send(l, envelope.encode(types.PRIVMSG, `${head} ${plain(ask.bytes)}`), t);
  p.pending.push({ tag, to, conn: l.conn, directory: l.to.id, dueAt: after(t.now, answerMs) });
  tell(t, { fact: "asked", directory: l.to.id, conn: l.conn, to, tag });
}

/** A maker answers. */
export function pubkey(p: Peer, l: Link, to: string, tag: number, t: Turn): void {
  send(l, envelope.encode(types.PRIVMSG, `${p.config.nick}!${to}!pubkey #${tag}`), t);
  tell(t, { fact: "answering", directory: l.to.id, conn: l.conn, to, tag });
}

/** A public line, outside ASCII in part and sent so: not every client escapes. */
export function chat(p: Peer, l: Link, tag: number, bytes: number, t: Turn): void {
  const line = `${p.config.nick}!PUBLIC!chat #${tag} ${mixed(bytes)}`;
  send(l, utf8(`{"type": ${types.PUBMSG}, "line": "${line}"}\r\n`), t);
  said(l, tag, t);
}

/** Public lines in one write, with the tags from `tag` on. */
export function burst(
  p: Peer, l: Link, what: { tag: number; count: number; bytes: number }, t: Turn,
): void {
  const body = plain(what.bytes);
  const lines: Uint8Array[] = [];
  for (let at = 0; at < what.count; at += 1) {
    const tag = what.tag + at;
    lines.push(envelope.encode(types.PUBMSG, `${p.config.nick}!PUBLIC!chat #${tag} ${body}`));
  }
  if (lines.length > 0) send(l, join(lines), t);
  for (let at = 0; at < what.count; at += 1) said(l, what.tag + at, t);
}

function said(l: Link, tag: number, t: Turn): void {
  tell(t, { fact: "said", directory: l.to.id, conn: l.conn, tag });
}

function bounded(bytes: number): number {
  return bytes < 0 ? 0 : bytes > bodyBytesMax ? bodyBytesMax : bytes;
}

function plain(bytes: number): string {
  return "x".repeat(bounded(bytes));
}

/** Characters of one, two, three and four bytes: ten together. */
const MIXED = "xé漢😀";

function mixed(bytes: number): string {
  const size = bounded(bytes);
  return MIXED.repeat((size - size % 10) / 10) + "x".repeat(size % 10);
}
