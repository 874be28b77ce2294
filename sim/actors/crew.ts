/**
 * The state of a hostile peer, and the verbs that its tricks share: dial, send, pose, leave.
 *
 * Rule 1: a fixed number of slots, each with one connection at a time and one thing to do next.
 * Rule 2: it is as bounded as an honest peer: it writes no more while the system takes no more.
 * Rule 3: what a slot does is decided by its trick; here is only what every trick needs.
 * @module
 */
import { join } from "../../core/backlog.ts";
import { ascii } from "../../core/bytes.ts";
import type { ConnId } from "../../core/ids.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import * as handshake from "../../core/joinmarket/handshake.ts";
import * as lines from "../../core/joinmarket/lines.ts";
import * as onion from "../../core/joinmarket/onion.ts";
import * as prng from "../../core/prng.ts";
import { after, NEVER, type Mono } from "../../core/time.ts";
import type { HostileConfig, Known } from "./io.ts";
import { mark, type Turn } from "./state.ts";
import { stolenTags, tagSpan, type Wrong } from "./told.ts";

export { mark, type Turn };

/** A dial may take this long. */
export const dialMs = 20_000;

export type Slot = {
  readonly to: Known;
  /** Its number, from 0. */
  readonly number: number;
  phase: "apart" | "dialing" | "open";
  /** Meaningless when apart. */
  conn: ConnId;
  /** When to dial, to give the dial up, or to act. */
  dueAt: Mono;
  /** When it leaves by itself. */
  leaveAt: Mono;
  /** Actions since the connection opened. */
  acts: number;
  /** Whom it says it is. */
  nick: string;
  helloLine: string;
  /** The directory accepted it. */
  isIn: boolean;
  /** What is wrong with the handshake it has said; the directory must not accept it. */
  wrong: Wrong | undefined;
  /** Its last proof was none. */
  isProofFalse: boolean;
  /** The directory's own nick, once it has been heard; kept from connection to connection. */
  host: string;
  /** Whom it bothers. Kept too. */
  target: string;
  /** A proof of its own that was good once. Kept too. */
  spent: string;
  isCongested: boolean;
  lines: lines.Lines;
  /** What goes out bit by bit, and how much of it has. */
  drip: Uint8Array;
  dripAt: number;
};

export type Hostile = {
  readonly config: HostileConfig;
  readonly chance: prng.Prng;
  /** 1 to 10. */
  readonly zeal: number;
  /** Nicks of honest peers. */
  readonly victims: readonly string[];
  readonly slots: readonly Slot[];
  conns: number;
  tags: number;
  /** No later than the first thing to do. */
  dueAt: Mono;
  /** Lines that this step has read. */
  stepUnits: number;
};

/** What a kind of hostile peer does. */
export type Trick = {
  /** Connections to each directory. */
  readonly slots: (zeal: number) => number;
  /** The time from a lost connection to the next, at least and at most, for a zeal of 1; ms. */
  readonly restMs: readonly [number, number];
  /** A connection opened. Says when to act (`next`). */
  readonly opened: (h: Hostile, s: Slot, t: Turn) => void;
  /** It is time. Says when to act again, or leaves. */
  readonly act: (h: Hostile, s: Slot, t: Turn) => void;
  /** A line came. PING has been answered. */
  readonly heard: (h: Hostile, s: Slot, type: number, frame: Uint8Array, t: Turn) => void;
};

export function create(config: HostileConfig, slotsEach: number): Hostile {
  const slots: Slot[] = [];
  for (const to of config.directories) {
    for (let i = 0; i < slotsEach; i += 1) slots.push(slotTo(to, slots.length));
  }
  return {
    config, chance: prng.stream(config.key, "hostile", config.incarnation),
    zeal: zealOf(config), victims: [...config.nicks.values()], slots, conns: 0, tags: 0,
    dueAt: NEVER, stepUnits: 0,
  };
}

/** How hard it tries, 1 to 10. */
export function zealOf(config: HostileConfig): number {
  const zeal = config.spec.zeal ?? 1;
  return zeal < 1 ? 1 : zeal > 10 ? 10 : zeal;
}

function slotTo(to: Known, number: number): Slot {
  return {
    to, number, phase: "apart", conn: 0 as ConnId, dueAt: NEVER, leaveAt: NEVER, acts: 0, nick: "",
    helloLine: "", isIn: false, wrong: undefined,
    isProofFalse: false, host: "", target: "", spent: "", isCongested: false, lines: lines.create(),
    drip: new Uint8Array(0), dripAt: 0,
  };
}

/** A draw from `low` to `high` ms, divided by the zeal; at least 1. */
export function draw(h: Hostile, low: number, high: number): number {
  const ms = Math.floor(prng.between(h.chance, low, high) / h.zeal);
  return ms < 1 ? 1 : ms;
}

/** One way out of `n`. */
export function choice(h: Hostile, n: number): number {
  return prng.below(h.chance, n);
}

/** Acts again in `low` to `high` ms. */
export function next(h: Hostile, s: Slot, low: number, high: number, t: Turn): void {
  s.dueAt = after(t.now, prng.between(h.chance, low, high));
}

/** The nick of an honest peer; its own if it knows none. */
export function victim(h: Hostile): string {
  return h.victims.length === 0 ? h.config.nick : prng.pick(h.chance, h.victims);
}

/** For lines of its own. */
export function nextTag(h: Hostile): number {
  h.tags += 1;
  return h.config.incarnation * tagSpan + h.tags;
}

/** For lines in the nicks of others. */
export function stolenTag(h: Hostile): number {
  return stolenTags + nextTag(h);
}

/** An offer in its own words, with a tag where honest ones have theirs. */
export function offer(tag: number): string {
  return `sw0reloffer 0 27300 2500000000 0 0.000${tag}`;
}

/** The directory let it in with something that it has to refuse. */
export function admitted(s: Slot, wrong: Wrong, t: Turn): void {
  const { nick, conn } = s;
  t.out.push({
    type: "told", what: { fact: "admitted", directory: s.to.id, conn, nick, wrong },
  });
}

/** One write; nothing while the system takes no more. */
export function send(s: Slot, bytes: Uint8Array, t: Turn): void {
  if (s.phase !== "open" || s.isCongested || bytes.length === 0) return;
  t.out.push({ type: "conn.send", conn: s.conn, bytes });
}

/** Several lines in one write. */
export function sendAll(s: Slot, frames: readonly Uint8Array[], t: Turn): void {
  if (frames.length > 0) send(s, join(frames), t);
}

/** A text as it stands, with the end of a line. ASCII only. */
export function raw(text: string): Uint8Array {
  return ascii(`${text}\r\n`);
}

/** A frame with this line. */
export function frame(type: number, line: string): Uint8Array {
  return envelope.encode(type, line);
}

export type Mask = {
  readonly nick: string;
  readonly location: string | undefined;
  readonly features: readonly string[];
};

/** The handshake of a valid or stolen identity. */
export function hello(h: Hostile, s: Slot, mask: Mask): Uint8Array {
  s.nick = mask.nick;
  s.helloLine = handshake.peerHello({
    nick: mask.nick, network: h.config.network, location: mask.location ?? onion.notServing,
    features: mask.features,
  });
  return frame(envelope.types.HANDSHAKE, s.helloLine);
}

/** Says a handshake. */
export function pose(h: Hostile, s: Slot, mask: Mask, t: Turn): void {
  send(s, hello(h, s, mask), t);
  mark(t, "hello.sent", s.conn);
}

/** Says a handshake that is wrong. */
export function poseWrong(
  s: Slot, mask: { readonly nick: string; readonly line: string; readonly wrong: Wrong }, t: Turn,
): void {
  s.nick = mask.nick;
  s.helloLine = mask.line;
  s.wrong = mask.wrong;
  send(s, frame(envelope.types.HANDSHAKE, mask.line), t);
  mark(t, "hello.sent", s.conn);
}

/** Leaves, in good order or not. */
export function leave(h: Hostile, s: Slot, how: "abort" | "flush", restMs: number, t: Turn): void {
  t.out.push({ type: "conn.close", conn: s.conn, how, reason: "leave" });
  lost(h, s, restMs, t);
}

/** The connection is no more; another is dialled in `restMs`. */
export function lost(h: Hostile, s: Slot, restMs: number, t: Turn): void {
  if (s.phase === "open") mark(t, "closed", s.conn);
  s.phase = "apart";
  s.conn = 0 as ConnId;
  s.dueAt = after(t.now, restMs);
  s.leaveAt = NEVER;
  s.acts = 0;
  s.isIn = false;
  s.wrong = undefined;
  s.isProofFalse = false;
  s.isCongested = false;
  s.lines = lines.create();
  s.drip = new Uint8Array(0);
  s.dripAt = 0;
}

export function dial(h: Hostile, s: Slot, t: Turn): void {
  h.conns += 1;
  s.phase = "dialing";
  s.conn = (2 * (h.config.incarnation * tagSpan + h.conns)) as ConnId;
  s.dueAt = after(t.now, dialMs);
  t.out.push({ type: "conn.dial", conn: s.conn, to: s.to.address });
  mark(t, "dial", s.conn);
}
