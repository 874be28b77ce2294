/**
 * What peers say to a maker, and what it answers.
 *
 * Rule 1: a public request is unsigned: whoever relays it may have made it up. It is answered by
 * each directory that brings it, within what the guard allows there, so that no directory can hide
 * what comes by another. A private line is charged to whoever brought it, read, passed over unless
 * its command is one that we know, checked for having been seen, so that copies by several ways are
 * handled once, and only then is its signature looked at.
 * Rule 2: an answer goes back the way its question came. It waits for a signature only the first
 * time its text is said: a signature covers the text and not the addressee, so that it serves all.
 * A signature that does not come in time costs the replies that waited, and the next one asks anew.
 * Rule 3: this maker serves no coinjoins yet. A `!fill` is answered with a signed `!error`, and
 * every other step of one is passed over.
 * @module
 */
import * as command from "../joinmarket/command.ts";
import * as envelope from "../joinmarket/envelope.ts";
import { isNick } from "../joinmarket/nick.ts";
import * as signed from "../joinmarket/signed.ts";
import type { LogEffect } from "../kernel/io.ts";
import * as dedup from "./dedup.ts";
import * as directories from "./directories.ts";
import * as direct from "./direct.ts";
import * as guard from "./guard.ts";
import { log, say, type Maker, type Reply, type Turn, type Way } from "./node.ts";
import * as offers from "./offers.ts";
import * as signing from "./signing.ts";

/** What a taker that wants a coinjoin is told. */
export const notServing = "this maker does not serve coinjoins yet";

const lineOf = (from: string, to: string, text: string): string => `${from}!${to}!${text}`;

type Direct = Way & { readonly via: "direct" };

/** Private commands that are acted on, spelled as they must be: any other spelling is none. */
const known: ReadonlySet<string> = new Set(["fill", "orderbook"]);

/** A request for the order book on a direct connection, be it signed or not: it needs no proof. */
const asksDirectly = /^!*orderbook( [0-9a-f]{66} [A-Za-z0-9+/=]{1,96})?$/;

/** A public line that came through `directory`. */
export function published(d: Maker, directory: string, line: string, t: Turn): void {
  const parsed = command.parseLine(line);
  if (!parsed.ok || !isNick(parsed.value.from)) return;
  const { from, commands } = parsed.value;
  if (from === d.nick || !commands.some(({ word }) => word === "orderbook")) return;
  d.counts.orderbooks += 1;
  const number = directories.numberOf(d, directory);
  if (number === undefined) return;
  const verdict = guarded(d, t, (out) => (
    guard.orderbook(d.guard, { directory: number, nick: from }, t.now, out)
  ));
  if (verdict === "answer") answerOrderbook(d, from, { via: "directory", directory }, t);
}

/** A verdict of the guard, whose lines are for the log. */
function guarded<T>(d: Maker, t: Turn, judge: (out: LogEffect[]) => T): T {
  const out: LogEffect[] = [];
  const verdict = judge(out);
  for (const line of out) say(d, line, t);
  return verdict;
}

/** A public line over a direct connection. */
export function publishedDirectly(
  d: Maker, way: Direct, from: string, text: string, t: Turn,
): void {
  if (!guard.directLine(d.guard, way.conn, t.now)) return direct.refuse(d, way.conn, t);
  if (asksDirectly.test(text)) askedDirectly(d, from, way, t);
}

/** A request for the order book over a direct connection. */
function askedDirectly(d: Maker, from: string, way: Direct, t: Turn): void {
  if (from === d.nick) return;
  d.counts.orderbooks += 1;
  const verdict = guarded(d, t, (out) => guard.directOrderbook(d.guard, way.conn, t.now, out));
  if (verdict === "answer") answerOrderbook(d, from, way, t);
  if (verdict === "close") direct.turnAway(d, way.conn, t);
}

function answerOrderbook(d: Maker, to: string, way: Way, t: Turn): void {
  const replies = offers.orderbookReply(d.offers, undefined);
  if (replies.length > 0) d.counts.orderbooksAnswered += 1;
  for (const text of replies) {
    const cut = text.indexOf(" ");
    reply(d, { to, word: text.slice(0, cut), way }, text.slice(cut + 1), t);
  }
}

/** A private line that came through `directory`. */
export function whispered(d: Maker, directory: string, line: string, t: Turn): void {
  d.counts.privateLines += 1;
  const number = directories.numberOf(d, directory);
  if (number === undefined || !guard.directoryLine(d.guard, number, t.now)) return;
  const read = heard(d, line, t);
  if (typeof read === "object") act(d, read, { via: "directory", directory }, t);
}

/**
 * A private line over a direct connection: `text` follows `from!to!`. The connection is told
 * whether the signature holds before anything is done about it. A copy of what came another way,
 * or a command that we do not serve, is nothing to hold against it.
 */
export function whisperedDirectly(
  d: Maker, way: Direct, from: string, text: string, t: Turn,
): void {
  d.counts.privateLines += 1;
  if (!guard.directLine(d.guard, way.conn, t.now)) return direct.refuse(d, way.conn, t);
  if (asksDirectly.test(text)) return askedDirectly(d, from, way, t);
  const read = heard(d, lineOf(from, d.nick, text), t);
  if (read === "bad") return direct.refuse(d, way.conn, t);
  if (read !== "passed" && direct.verify(d, way.conn, from, t)) act(d, read, way, t);
}

/** What a line says, if it is new, for us to act on, and its signature holds. */
function heard(d: Maker, line: string, t: Turn): signed.Signed | "passed" | "bad" {
  const read = signed.read(line, d.nick, t.p.sha256);
  if (!read.ok) {
    d.counts.malformed += 1;
    return "bad";
  }
  // Before it is remembered: else one signed line could be sent under any number of words.
  if (!known.has(read.value.word)) {
    d.counts.passed += 1;
    return "passed";
  }
  const seen = dedup.seen(d.dedup, read.value, t.now, t.p.sha256);
  if (seen !== "new") {
    d.counts[seen === "duplicate" ? "duplicates" : "replays"] += 1;
    return seen === "duplicate" ? "passed" : "bad";
  }
  if (!signed.verify(read.value, t.p)) {
    d.counts.forged += 1;
    return "bad";
  }
  return read.value;
}

/** It is remembered once it may be acted on: a copy by a way that may is else taken for one. */
function act(d: Maker, read: signed.Signed, way: Way, t: Turn): void {
  const { from, word } = read;
  const may = guarded(d, t, (out) => (
    guard.signedLine(d.guard, from, ingressOf(d, way), t.now, out)
  ));
  if (!may) return;
  dedup.remember(d.dedup, read, t.now, t.p.sha256);
  if (from === d.nick) return;
  switch (word) {
    case "fill":
      d.counts.fills += 1;
      return reply(d, { to: from, word: "error", way }, notServing, t);
    case "orderbook":
      if (way.via === "direct") askedDirectly(d, from, way, t);
      return;
    default: return;
  }
}

function ingressOf(d: Maker, way: Way): guard.Ingress {
  if (way.via === "direct") return way;
  return { via: "directory", directory: directories.numberOf(d, way.directory) ?? 0 };
}

/** Says `data` to one peer, as soon as it is signed. */
function reply(d: Maker, one: Reply, data: string, t: Turn): void {
  const known = d.signatures.get(data);
  if (known !== undefined) return send(d, one, data, known, t);
  const waiting = d.waiting.get(data);
  if (d.replies >= d.config.talk.repliesMax) {
    d.counts.unsigned += 1;
    return;
  }
  d.replies += 1;
  if (waiting !== undefined) return void waiting.push(one);
  d.waiting.set(data, [one]);
  signing.want(d, { who: "talk", data }, signed.digestFor(data, t.p.sha256), t);
}

/** There is no signature of `data` in time. */
export function unsigned(d: Maker, data: string, t: Turn): void {
  const replies = take(d, data).length;
  d.counts.unsigned += replies;
  log(d, "warn", "maker.sign-late", { replies }, t);
}

function take(d: Maker, data: string): readonly Reply[] {
  const waiting = d.waiting.get(data) ?? [];
  d.waiting.delete(data);
  d.replies -= waiting.length;
  return waiting;
}

/** The signature of `data` is there: it is remembered, and whoever waits is answered. */
export function given(d: Maker, data: string, signature: Uint8Array, t: Turn): void {
  d.counts.signatures += 1;
  const [oldest] = d.signatures.keys();
  if (d.signatures.size >= d.config.talk.signaturesMax && oldest !== undefined) {
    d.signatures.delete(oldest);
  }
  d.signatures.set(data, signature);
  for (const one of take(d, data)) send(d, one, data, signature, t);
}

function send(d: Maker, one: Reply, data: string, signature: Uint8Array, t: Turn): void {
  const line = signed.appended(
    signed.unsigned(d.nick, one.to, one.word, data), d.config.pubkey, signature,
  );
  const isTaken = one.way.via === "directory"
    ? directories.say(d, line, one.way.directory, t)
    : direct.say(d, one.way.conn, one.to, envelope.encode(envelope.types.PRIVMSG, line), t);
  d.counts[isTaken ? "replies" : "undeliverable"] += 1;
}
