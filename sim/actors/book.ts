/**
 * Which offers a taker or watcher holds of which maker, at one directory.
 *
 * Rule 1: what a maker says last counts; a leave notice ends it. Being absent from a peerlist does
 * not: a directory that forgets a notice must be seen.
 * Rule 2: a private answer may be lost where its reader is behind. So nicks in a peerlist of which
 * nothing is held are asked for: all by one `!orderbook`, and each twice at most.
 * Rule 3: bounded in makers and in nicks that are missing.
 * @module
 */
import { equal } from "../../core/bytes.ts";
import { after, NEVER, type Mono } from "../../core/time.ts";

/** Makers of which offers are held; later ones are not taken in. */
export const makersMax = 2_000;
/** Nicks of which nothing is held that are looked after. */
export const missingMax = 256;
/** How often a nick is asked for. */
const asksMax = 2;
/** How long after a peerlist the offers of those in it are waited for. */
const patienceMs = 5_000;
/** Between two questions. */
const apartMs = 60_000;

export type Held = { readonly tag: number; readonly size: number };

export type Book = {
  readonly held: Map<string, Held>;
  /** How often each nick without offers was asked for. */
  readonly missing: Map<string, number>;
  /** When to ask again; `NEVER`: nobody is missing. */
  askAt: Mono;
  askedAt: Mono;
  /** The last line of a peerlist: an equal one says nothing new. */
  list: Uint8Array | undefined;
};

export function create(): Book {
  return { held: new Map(), missing: new Map(), askAt: NEVER, askedAt: 0 as Mono, list: undefined };
}

/** Forgets everything. */
export function clear(b: Book): void {
  if (b.held.size > 0) b.held.clear();
  if (b.missing.size > 0) b.missing.clear();
  b.askAt = NEVER;
  b.list = undefined;
}

/** A maker's offers. True if what is held has changed. */
export function offered(b: Book, maker: string, tag: number, size: number): boolean {
  const known = b.held.get(maker);
  if (known !== undefined && known.tag === tag && known.size === size) return false;
  if (known === undefined && b.held.size >= makersMax) return false;
  b.held.set(maker, { tag, size });
  if (b.missing.size > 0) b.missing.delete(maker);
  return true;
}

/** A maker is gone, or offers nothing. True if anything was held of it. */
export function gone(b: Book, maker: string): boolean {
  b.list = undefined;
  return b.held.delete(maker);
}

/** Has this very line of a peerlist been looked at? */
export function isKnown(b: Book, line: Uint8Array): boolean {
  if (b.list !== undefined && equal(b.list, line)) return true;
  b.list = line.slice();
  return false;
}

/** A nick that is in a peerlist, at `now`. */
export function listed(b: Book, nick: string, now: Mono): void {
  if (b.held.has(nick)) return;
  const asks = b.missing.get(nick) ?? 0;
  if (asks >= asksMax) return;
  if (asks === 0) {
    if (b.missing.size >= missingMax) return;
    b.missing.set(nick, 0);
  }
  if (b.askAt !== NEVER) return;
  const soon = after(now, patienceMs);
  const apart = b.askedAt === 0 ? soon : after(b.askedAt, apartMs);
  b.askAt = soon > apart ? soon : apart;
}

/** It is `askAt`. True if somebody is still missing: then ask. */
export function due(b: Book, now: Mono): boolean {
  b.askAt = NEVER;
  let wanted = false;
  for (const [nick, asks] of b.missing) {
    if (asks >= asksMax) continue;
    b.missing.set(nick, asks + 1);
    wanted = true;
  }
  if (!wanted) return false;
  b.askedAt = now;
  b.list = undefined;
  return true;
}
