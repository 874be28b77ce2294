/**
 * Messages that arrive several times are handled once.
 *
 * A signed private line comes through every directory that its sender uses, and anybody who saw it
 * may send it again later: neither command nor addressee nor time is signed.
 * Rule 1: a message is known by its command, key and signature. Not by the text of the line, which
 * has many spellings; and not by the signature alone: a hostile directory could put another command
 * before the same data, or make a key for which the same signature holds over other data, and with
 * that suppress the true message on its way through honest directories. It has to be one text per
 * signature for that (`joinmarket/signed.ts`, rule 2).
 * Rule 2: what was seen within `windowMs` is a duplicate: the same message by another way. Later it
 * is a replay: honest senders never sign the same data for the same command twice in a session.
 * That is remembered for `memoryMs`.
 * Rule 3: only verified messages are remembered (`remember`); `seen` comes before the verification
 * and makes it unnecessary for copies. So nobody fills the memory with what he did not sign.
 * Rule 4: a public request carries nothing that tells a copy from a repetition. A directory relays
 * each once, so the second one by the same way is another request, at once; a copy by another way
 * is none. Counts are forgotten `windowMs` after the last request, so that a way that missed some
 * does not hide later ones for longer.
 * Rule 5: memory is bounded; the oldest goes first. Forgetting costs O(1) for each entry ever made.
 * Limit: a replay of what an earlier process has seen, or another maker, cannot be known here.
 * @module
 */
import { assert } from "../assert.ts";
import { hex, utf8 } from "../bytes.ts";
import type { Signed } from "../joinmarket/signed.ts";
import type { Primitives } from "../primitives.ts";
import { after, type Mono } from "../time.ts";

export type Config = {
  /** Copies of a message come within so many ms of the first. 30,000. */
  readonly windowMs: number;
  /** How long signatures are remembered, in ms. One day. */
  readonly memoryMs: number;
  /** Signatures that are remembered; each takes about 250 bytes. 20,000. */
  readonly signaturesMax: number;
  /** Senders of public requests that are remembered. 4,096. */
  readonly requestsMax: number;
  /** Ways by which one request is counted; what comes by more is a copy. 64. */
  readonly sourcesMax: number;
};

export const defaults: Config = {
  windowMs: 30_000, memoryMs: 86_400_000, signaturesMax: 20_000, requestsMax: 4_096,
  sourcesMax: 64,
};

/** `new`: handle it. `duplicate`: a copy. `replay`: somebody sends it again. */
export type Verdict = "new" | "duplicate" | "replay";

/** How often a request came by each way, and how many were handled; and before the last one. */
type Request = {
  handled: number; before: number; readonly counts: Map<string, number>; at: Mono;
};

export type Dedup = {
  readonly config: Config;
  /** When each message was handled, by its digest; in that order. */
  readonly signatures: Map<string, { readonly at: Mono }>;
  /** By the digest of the request; in the order of `at`. */
  readonly requests: Map<string, Request>;
  /** Forgotten before their time, because there was no room. */
  evicted: number;
};

/** What a message is known by. `word`: the command as it is understood, spelled one way. */
export type Known = Pick<Signed, "word" | "pubkey" | "signature">;

/** Nothing is remembered yet. Asserts the relations of `config`. */
export function create(config: Config): Dedup {
  for (const n of [config.windowMs, config.signaturesMax, config.requestsMax, config.sourcesMax]) {
    assert(Number.isSafeInteger(n), "dedup: whole numbers");
    assert(n >= 1, "dedup: limits are at least 1");
  }
  assert(config.memoryMs >= config.windowMs, "dedup: the memory spans the window");
  return { config, signatures: new Map(), requests: new Map(), evicted: 0 };
}

/** What a signed message is, before it is verified. Remembers nothing. */
export function seen(m: Dedup, s: Known, now: Mono, sha256: Primitives["sha256"]): Verdict {
  prune(m, now);
  const known = m.signatures.get(digest(textOf(s), sha256));
  if (known === undefined) return "new";
  return now < after(known.at, m.config.windowMs) ? "duplicate" : "replay";
}

/** A message that was `new` and whose signature holds is handled now. */
export function remember(m: Dedup, s: Known, now: Mono, sha256: Primitives["sha256"]): void {
  prune(m, now);
  const key = digest(textOf(s), sha256);
  assert(!m.signatures.has(key), "dedup: remembered twice");
  if (m.signatures.size >= m.config.signaturesMax) evict(m, m.signatures);
  m.signatures.set(key, { at: now });
}

/** No part holds a space. */
function textOf(s: Known): string {
  return `${s.word} ${s.pubkey} ${s.signature}`;
}

/**
 * A public request came by way of `source`. `text` is all that tells it from others: who asks, and
 * for what. True if it is to be handled.
 */
export function requested(
  m: Dedup, text: string, source: string, now: Mono, sha256: Primitives["sha256"],
): boolean {
  prune(m, now);
  const key = digest(text, sha256);
  const known = m.requests.get(key);
  if (known === undefined) {
    if (m.requests.size >= m.config.requestsMax) evict(m, m.requests);
    m.requests.set(key, { handled: 1, before: 0, counts: new Map([[source, 1]]), at: now });
    return true;
  }
  const before = known.counts.get(source);
  if (before === undefined && known.counts.size >= m.config.sourcesMax) return false;
  const count = (before ?? 0) + 1;
  known.counts.set(source, count);
  if (count <= known.handled) return false;
  known.before = known.handled;
  known.handled = count;
  known.at = now;
  // Entries stay in the order of their time.
  m.requests.delete(key);
  m.requests.set(key, known);
  return true;
}

/**
 * The request for which `requested` was just true is not handled after all: a copy of it that comes
 * by another way may be.
 */
export function refused(m: Dedup, text: string, sha256: Primitives["sha256"]): void {
  const known = m.requests.get(digest(text, sha256));
  assert(known !== undefined, "dedup: refused is what was requested");
  known.handled = known.before;
}

/** Everything whose time is over goes, oldest first. */
function prune(m: Dedup, now: Mono): void {
  expire(m.signatures, m.config.memoryMs, now);
  expire(m.requests, m.config.windowMs, now);
}

function expire(map: Map<string, { readonly at: Mono }>, ms: number, now: Mono): void {
  for (const [key, { at }] of map) {
    if (now < after(at, ms)) return;
    map.delete(key);
  }
}

function evict(m: Dedup, map: Map<string, unknown>): void {
  const oldest = map.keys().next().value;
  assert(oldest !== undefined, "dedup: nothing to forget");
  map.delete(oldest);
  m.evicted += 1;
}

/** 128 bits: nobody finds two texts with the same, and no long line is kept alive by a part. */
function digest(text: string, sha256: Primitives["sha256"]): string {
  return hex(sha256(utf8(text)).subarray(0, 16));
}
