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
 * Rule 4: a public request is not remembered. It is unsigned, so nothing tells a copy of it from a
 * forgery, and a forged one would hide the true one. Each directory's is answered for itself,
 * within what the guard allows, and the answer goes back by that directory.
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
};

export const defaults: Config = {
  windowMs: 30_000, memoryMs: 86_400_000, signaturesMax: 20_000,
};

/** `new`: handle it. `duplicate`: a copy. `replay`: somebody sends it again. */
export type Verdict = "new" | "duplicate" | "replay";

export type Dedup = {
  readonly config: Config;
  /** When each message was handled, by its digest; in that order. */
  readonly signatures: Map<string, { readonly at: Mono }>;
  /** Forgotten before their time, because there was no room. */
  evicted: number;
};

/** What a message is known by. `word`: the command as it is understood, spelled one way. */
export type Known = Pick<Signed, "word" | "pubkey" | "signature">;

/** Nothing is remembered yet. Asserts the relations of `config`. */
export function create(config: Config): Dedup {
  for (const n of [config.windowMs, config.signaturesMax]) {
    assert(Number.isSafeInteger(n), "dedup: whole numbers");
    assert(n >= 1, "dedup: limits are at least 1");
  }
  assert(config.memoryMs >= config.windowMs, "dedup: the memory spans the window");
  return { config, signatures: new Map(), evicted: 0 };
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
  if (m.signatures.size >= m.config.signaturesMax) evict(m);
  m.signatures.set(key, { at: now });
}

/** No part holds a space. */
function textOf(s: Known): string {
  return `${s.word} ${s.pubkey} ${s.signature}`;
}

/** Everything whose time is over goes, oldest first. */
function prune(m: Dedup, now: Mono): void {
  for (const [key, { at }] of m.signatures) {
    if (now < after(at, m.config.memoryMs)) return;
    m.signatures.delete(key);
  }
}

function evict(m: Dedup): void {
  const oldest = m.signatures.keys().next().value;
  assert(oldest !== undefined, "dedup: nothing to forget");
  m.signatures.delete(oldest);
  m.evicted += 1;
}

/** 128 bits: nobody finds two texts with the same, and no long line is kept alive by a part. */
function digest(text: string, sha256: Primitives["sha256"]): string {
  return hex(sha256(utf8(text)).subarray(0, 16));
}
