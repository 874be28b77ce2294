/**
 * Reading relayed lines as cheaply as a peer can that receives every broadcast.
 *
 * Rule 1: a directory has checked that a frame is valid JSON; here only bytes at fixed places are
 * looked at: `{"type": 687, "line": "<nick>!...`. Nicks have 16 characters.
 * Rule 2: a frame in another spelling is brought into this one first (`usual`), which is rare.
 * @module
 */
import { ascii, text, wellFormed } from "../../core/bytes.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import { nickLength } from "../../core/joinmarket/nick.ts";
import type { Odd } from "./told.ts";
import * as vet from "./vet.ts";

const { types } = envelope;
const SPACE = 0x20;
const BANG = 0x21;
const QUOTE = 0x22;
const HASH = 0x23;
const COMMA = 0x2c;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const LETTER_D = 0x44;
const LETTER_S = 0x73;

/** Where the text of the line begins in the usual spelling: with the sender's nick. */
const lineAt = 23;
export const senderAt = lineAt;
/** Where the addressee of a private line stands. */
export const addresseeAt = lineAt + nickLength + 1;
/** The command of `nick!PUBLIC!command`. */
const publicAt = lineAt + nickLength + 8;
/** The command of `nick!nick!command`. */
const privateAt = lineAt + 2 * nickLength + 2;

/**
 * Is it a frame in the usual spelling with nothing but a type and a line, and a line with a proper
 * head in plain characters? All that honest peers say is, and what directories write of their own
 * but for the handshake.
 */
export function isPlain(b: Uint8Array): boolean {
  return isUsual(b) && vet.isToTheEnd(b, lineAt) && hasHead(b);
}

function hasHead(b: Uint8Array): boolean {
  switch (typeOf(b)) {
    case types.PUBMSG: return vet.isPublicHead(b, lineAt);
    case types.PRIVMSG: return vet.isPrivateHead(b, lineAt);
    default: return true;
  }
}

/** A frame that is not plain: in the usual spelling if it can be, and what is wrong with it. */
export type Look = { readonly frame: Uint8Array | undefined; readonly odd: Odd | undefined };

/** Looks closely at a frame that is not plain. */
export function look(b: Uint8Array): Look {
  const e = envelope.create();
  if (envelope.scan(b, e) !== undefined) return { frame: undefined, odd: "malformed" };
  if (!e.exact) return { frame: undefined, odd: "keys" };
  if (e.type < 100 || e.type > 999) return { frame: undefined, odd: "malformed" };
  if (e.type !== types.PUBMSG && e.type !== types.PRIVMSG) {
    return { frame: usual(b), odd: undefined };
  }
  const line = envelope.content(b, e);
  if (!wellFormed(line)) return { frame: undefined, odd: "malformed" };
  // Escaping what is beyond ASCII makes a text at most six times as long; heads are short.
  const some = line.slice(0, lookMax);
  const frame = envelope.encode(e.type, wellFormed(some) ? some : some.slice(0, -1));
  return hasHead(frame) ? { frame, odd: "respelled" } : { frame: undefined, odd: "head" };
}

/** Characters that are read of a line that is not plain. */
const lookMax = 6_000;

/** Offers in a line. */
export type Offers = { tag: number; size: number };

/**
 * The frame in the usual spelling, with its type readable by `typeOf`; `undefined` for one that is
 * not an envelope or cannot be spelled so.
 */
export function usual(frame: Uint8Array): Uint8Array | undefined {
  if (isUsual(frame)) return frame;
  const e = envelope.create();
  if (envelope.scan(frame, e) !== undefined) return undefined;
  if (e.type < 100 || e.type > 999) return undefined;
  const line = envelope.content(frame, e);
  // Escaping what is beyond ASCII makes a text at most six times as long.
  if (6 * line.length + 40 > envelope.lineBytesMax || !wellFormed(line)) return undefined;
  return envelope.encode(e.type, line);
}

function isUsual(b: Uint8Array): boolean {
  if (b[8] !== SPACE || b[12] !== COMMA || b[13] !== SPACE) return false;
  return b[15] === 0x6c && b[20] === COLON && b[21] === SPACE && b[22] === QUOTE;
}

/** The type of a usual frame: its three digits. */
export function typeOf(b: Uint8Array): number {
  return 100 * (b[9] as number) + 10 * (b[10] as number) + (b[11] as number) - 111 * ZERO;
}

/** The whole text of the line of a frame. */
export function lineOf(frame: Uint8Array): string {
  const e = envelope.create();
  return envelope.scan(frame, e) === undefined ? envelope.content(frame, e) : "";
}

/** The sender of a public line, or `undefined`. */
export function publicFrom(b: Uint8Array): string | undefined {
  return isPublic(b) ? text(b, lineAt, lineAt + nickLength) : undefined;
}

function isPublic(b: Uint8Array): boolean {
  if (b[lineAt + nickLength] !== BANG || b[publicAt - 1] !== BANG) return false;
  return b[lineAt + nickLength + 1] === 0x50 && b[publicAt - 2] === 0x43;
}

/** The sender and the addressee of a private line, run together with a `!`; or `undefined`. */
export function privateBetween(b: Uint8Array): string | undefined {
  if (b[lineAt + nickLength] !== BANG || b[privateAt - 1] !== BANG) return undefined;
  return text(b, lineAt, privateAt - 1);
}

/** The first letter of a public line's command. */
export function publicLetter(b: Uint8Array): number {
  return b[publicAt] ?? 0;
}

/** The first letter of a private line's command. */
export function privateLetter(b: Uint8Array): number {
  return b[privateAt] ?? 0;
}

const ORDERBOOK = ascii("orderbook");

/** Does a public line ask for offers? The spelling that clients use. */
export function isOrderbook(b: Uint8Array): boolean {
  if (!vet.standsAt(b, publicAt, ORDERBOOK)) return false;
  const past = b[publicAt + ORDERBOOK.length];
  return (past === SPACE || past === QUOTE || past === BANG) && isPublic(b);
}

/** Reads the offers of a public line. */
export function publicOffers(b: Uint8Array, into: Offers): void {
  offersIn(b, publicAt, into);
}

/** Reads the offers of a private line. */
export function privateOffers(b: Uint8Array, into: Offers): void {
  offersIn(b, privateAt, into);
}

/** How many commands are offers (of ours: `sw0reloffer`), and the tag in the fee of the first. */
function offersIn(b: Uint8Array, from: number, into: Offers): void {
  into.tag = -1;
  into.size = 0;
  for (let at = from; at > 0; at = b.indexOf(BANG, at) + 1) {
    if (b[at] !== LETTER_S) continue;
    if (into.size === 0) into.tag = feeTag(b, at);
    into.size += 1;
  }
}

/** The digits behind `0.000` in the sixth word of the command at `from`. */
function feeTag(b: Uint8Array, from: number): number {
  let at = from;
  for (let words = 0; words < 5; words += 1) {
    at = b.indexOf(SPACE, at) + 1;
    if (at === 0) return -1;
  }
  const isFee = b[at] === ZERO && b[at + 1] === POINT && b[at + 2] === ZERO && b[at + 4] === ZERO;
  return isFee ? numberAt(b, at + 5) : -1;
}

/** The tag that a public line carries behind `#`; -1: none. */
export function publicTag(b: Uint8Array): number {
  return hashTag(b, publicAt);
}

/** The tag that a private line's command carries behind `#`; -1: none. */
export function privateTag(b: Uint8Array): number {
  return hashTag(b, privateAt);
}

function hashTag(b: Uint8Array, from: number): number {
  const at = b.indexOf(HASH, from);
  return at < 0 ? -1 : numberAt(b, at + 1);
}

/** Up to 15 digits; -1 if there is none. */
function numberAt(b: Uint8Array, from: number): number {
  let sum = 0;
  let at = from;
  for (; at < from + 15; at += 1) {
    const digit = (b[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) break;
    sum = 10 * sum + digit;
  }
  return at === from ? -1 : sum;
}

/** Where the entry of a peerlist that begins at `from` ends: at a comma or at the closing quote. */
export function entryEnd(b: Uint8Array, from: number): number {
  const at = b.indexOf(COMMA, from);
  return at < 0 ? b.length - 4 : at;
}

/** The nick at this place. */
export function nickAt(b: Uint8Array, at: number): string {
  return text(b, at, at + nickLength);
}

/** Has the peer of the entry that ends here left? */
export function isLeaver(b: Uint8Array, end: number): boolean {
  return b[end - 1] === LETTER_D && b[end - 2] === SEMICOLON;
}

/** Does a peerlist have an entry of somebody who left? Locations have no `;`. */
export function hasLeavers(b: Uint8Array): boolean {
  for (let at = b.indexOf(SEMICOLON, lineAt); at > 0; at = b.indexOf(SEMICOLON, at + 1)) {
    if (b[at + 1] === LETTER_D) return true;
  }
  return false;
}
