/**
 * The running digest of a world: every step of every node, so that equal digests mean equal runs.
 *
 * Rule 1: numbers are folded, no text is made: the kinds that make up nearly all steps have a code
 * and their fields folded by hand, the others go through the digest of traces.
 * Rule 2: bytes are folded whole; an array that many receivers share is read once.
 * Rule 3: two lanes of 32 bits notice accidents. They are no protection against a forger.
 * @module
 */
import { unreachable } from "../core/assert.ts";
import * as trace from "../core/kernel/trace.ts";
import type { Mono } from "../core/time.ts";
import type { SimEffect, SimEvent } from "./vocabulary.ts";

export type Digest = {
  a: number;
  b: number;
  /** The bytes that were folded last, and what they came to. */
  last: Uint8Array | undefined;
  lastA: number;
  lastB: number;
  /** For what has no code here. */
  readonly rest: trace.Digest;
};

export function create(): Digest {
  return {
    a: 0x51ed270b, b: 0x2c1b3c6d, last: undefined, lastA: 0, lastB: 0, rest: trace.digest(),
  };
}

/** The digest as 16 hex digits. */
export function hex(d: Digest): string {
  return hex32(d.a) + hex32(d.b);
}

function hex32(w: number): string {
  return (w >>> 0).toString(16).padStart(8, "0");
}

/** Folds one step of node `node` in. */
export function fold(
  d: Digest, atUs: number, node: number, event: SimEvent, effects: readonly SimEffect[],
): void {
  mix(d, atUs | 0);
  mix(d, Math.floor(atUs / 0x1_0000_0000) ^ (node << 12));
  one(d, event);
  for (let i = 0; i < effects.length; i += 1) one(d, effects[i] as SimEffect);
  mix(d, effects.length);
}

/** Each lane is a bijection of its state for a given word, and of the word for a given state. */
function mix(d: Digest, w: number): void {
  let k = Math.imul(w, 0x2c9277b5);
  k = (k << 15) | (k >>> 17);
  const a = d.a ^ Math.imul(k, 0x1b873593);
  d.a = (Math.imul((a << 13) | (a >>> 19), 5) + 0x6b43a9b5) | 0;
  const b = Math.imul(d.b ^ w, 0x7feb352d);
  d.b = ((b ^ (b >>> 15)) + d.a) | 0;
}

/** The kind's code in the low bits, the connection above. */
function tag(d: Digest, code: number, conn: number): void {
  mix(d, (conn << 5) ^ code);
}

function one(d: Digest, value: SimEvent | SimEffect): void {
  switch (value.type) {
    case "tick": return mix(d, 1);
    case "wake":
      mix(d, 2);
      return mix(d, value.at | 0);
    case "conn.received":
      tag(d, 3, value.conn);
      return bytes(d, value.bytes);
    case "conn.send":
      tag(d, 4, value.conn);
      return bytes(d, value.bytes);
    case "conn.opened": return tag(d, 5, value.conn);
    case "conn.dialed": return tag(d, 6, value.conn);
    case "conn.congested": return tag(d, 7, value.conn);
    case "conn.drained": return tag(d, 8, value.conn);
    case "conn.closed":
      tag(d, 9, value.conn);
      return text(d, value.reason);
    case "conn.close":
      tag(d, 10, value.conn);
      text(d, value.how);
      return text(d, value.reason);
    case "mark":
      tag(d, 11, "conn" in value ? value.conn ?? 0 : 0);
      return text(d, value.mark);
    case "told": return told(d, value.what);
    case "ark.answered":
      tag(d, 12, value.to.req);
      mix(d, value.status);
      mix(d, value.afterMs);
      return text(d, value.body);
    case "ark.asked":
      tag(d, 13, value.question.req);
      text(d, value.question.path);
      return text(d, value.question.body);
    case "child.start": case "child.signal":
    case "ark.dropped": case "ark.failed": case "ark.gone": case "ark.healed": case "ark.left":
    case "ark.opened": case "ark.streamed": case "ark.suffers": case "operator.trust":
    case "stream.close": case "stream.ended": case "stream.item": case "stream.open":
    case "stream.subscribed":
    case "conn.confide": case "conn.confided": case "cookie.given": case "cookie.want":
    case "key.absent": case "key.failed": case "key.load": case "key.loaded": case "key.save":
    case "key.saved": case "nonce.given": case "nonce.want":
    case "derive.given": case "derive.want": case "exec.start": case "operator.rescan":
    case "req.done": case "req.drop": case "req.failed": case "req.start": case "rpc.answered":
    case "rpc.asked": case "sign.given": case "sign.want":
    case "asked": case "clock.anchored": case "conn.dial": case "conn.failed":
    case "entropy.given": case "entropy.want": case "key.given": case "log":
    case "onion.located": case "operator.reload": case "operator.started": case "operator.stop":
    case "started": case "stopped": case "store.append": case "store.appended":
    case "store.failed": case "store.load": case "store.loaded": case "store.sync":
    case "store.synced": case "store.truncate": case "store.truncated":
      return other(d, value);
    default: unreachable(value);
  }
}

/** Facts for oracles: what they are about is in the state of who tells them. */
function told(d: Digest, what: Extract<SimEffect, { type: "told" }>["what"]): void {
  if ("type" in what) return text(d, what.type);
  text(d, what.fact);
  if ("conn" in what) mix(d, what.conn);
  if ("tag" in what) mix(d, what.tag | 0);
}

function other(d: Digest, value: SimEvent | SimEffect): void {
  trace.fold(d.rest, 0 as Mono, value, []);
  mix(d, d.rest.a);
  mix(d, d.rest.b);
}

function text(d: Digest, value: string): void {
  mix(d, value.length);
  for (let i = 0; i < value.length; i += 1) mix(d, value.charCodeAt(i));
}

function bytes(d: Digest, value: Uint8Array): void {
  if (value !== d.last) {
    sum(d, value);
    d.last = value;
  }
  mix(d, d.lastA);
  mix(d, d.lastB);
}

/** Two lanes over words of four bytes. */
function sum(d: Digest, value: Uint8Array): void {
  let a = value.length ^ 0x3c6ef372;
  let b = 0x1f83d9ab;
  const whole = value.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    const low = (value[i] as number) | ((value[i + 1] as number) << 8);
    const w = low | ((value[i + 2] as number) << 16) | ((value[i + 3] as number) << 24);
    a = Math.imul(a ^ w, 0x5bd1e995);
    a ^= a >>> 15;
    b = (Math.imul(b, 0x01000193) ^ w) + a | 0;
  }
  for (let i = whole; i < value.length; i += 1) {
    a = Math.imul(a ^ (value[i] as number), 0x5bd1e995);
    b = (Math.imul(b, 0x01000193) ^ (value[i] as number)) + (a >>> 13) | 0;
  }
  d.lastA = a;
  d.lastB = b;
}
