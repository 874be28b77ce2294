/**
 * The root of a hostile peer: connections and time; what it does with them is its trick.
 *
 * Rule 1: an event of a connection that is not the current one of its slot changes nothing.
 * Rule 2: it may break every rule of the protocol and none of the host: ids are never used twice,
 * and what it holds is bounded.
 * Rule 3: it goes on for ever: who is thrown out comes back.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import type { ConnId } from "../../core/ids.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import * as lines from "../../core/joinmarket/lines.ts";
import type { Tick } from "../../core/kernel/io.ts";
import type { Root } from "../../core/kernel/kernel.ts";
import type { Primitives } from "../../core/primitives.ts";
import { NEVER, soonest, type Mono } from "../../core/time.ts";
import type { HostileKind } from "../scenario.ts";
import * as crew from "./crew.ts";
import type { HostileConfig, PeerEffect, PeerEvent } from "./io.ts";
import * as read from "./read.ts";
import { churn, crowd, drip } from "./tricks/idle.ts";
import { forger } from "./tricks/forger.ts";
import { garbage } from "./tricks/garbage.ts";
import { flood, mute } from "./tricks/flood.ts";
import { squatter } from "./tricks/squatter.ts";

export type { HostileConfig } from "./io.ts";
export type Hostile = crew.Hostile;
type Slot = crew.Slot;
type Turn = crew.Turn;

const { types } = envelope;
const PONG = envelope.encode(types.PONG, "");

const tricks: { readonly [kind in HostileKind]: crew.Trick } = {
  flood, squatter, drip, garbage, forger, mute, churn, crowd,
};

/** A fresh one; it does nothing until `started`. */
export function create(config: HostileConfig, _now: Mono): Hostile {
  const zeal = crew.zealOf(config);
  return crew.create(config, tricks[config.spec.kind].slots(zeal));
}

/** What the kernel drives. */
export function root(p: Primitives): Root<Hostile, PeerEvent, PeerEffect> {
  return {
    step: (h, event, now, out) => step(h, event, { now, p, out }),
    deadline: (h) => h.dueAt,
    effectsMax: (h) => 64 + 16 * h.slots.length + 8 * h.stepUnits,
  };
}

function step(h: Hostile, event: PeerEvent | Tick, t: Turn): void {
  if (event.type === "tick" && h.dueAt > t.now) return;
  if (t.out.length === 0) h.stepUnits = 0;
  const trick = tricks[h.config.spec.kind];
  switch (event.type) {
    case "conn.received": received(h, trick, event.conn, event.bytes, t); break;
    case "conn.dialed": dialed(h, trick, event.conn, t); break;
    case "conn.failed":
    case "conn.closed":
      ended(h, trick, event.conn, t);
      break;
    case "conn.congested": congested(h, event.conn, true); break;
    case "conn.drained": congested(h, event.conn, false); break;
    case "started": started(h, trick, t); break;
    case "tick": tick(h, trick, t); break;
    case "conn.opened":
    case "clock.anchored":
    case "key.given":
    case "asked":
      return;
    default: return unreachable(event);
  }
  rearm(h);
}

function rearm(h: Hostile): void {
  let at = NEVER;
  for (const s of h.slots) at = soonest(at, soonest(s.dueAt, s.leaveAt));
  h.dueAt = at;
}

function slotOf(h: Hostile, conn: ConnId): Slot | undefined {
  for (const s of h.slots) if (s.conn === conn) return s;
  return undefined;
}

/** Now and then it rests longer: harm comes in bouts. */
function restOf(h: Hostile, trick: crew.Trick): number {
  const rest = crew.draw(h, trick.restMs[0], trick.restMs[1]);
  return crew.choice(h, 5) === 0 ? 4 * rest : rest;
}

function started(h: Hostile, trick: crew.Trick, t: Turn): void {
  for (const s of h.slots) crew.next(h, s, 1, trick.restMs[1], t);
}

function dialed(h: Hostile, trick: crew.Trick, conn: ConnId, t: Turn): void {
  const s = slotOf(h, conn);
  if (s?.phase !== "dialing") return;
  s.phase = "open";
  s.dueAt = NEVER;
  trick.opened(h, s, t);
}

function ended(h: Hostile, trick: crew.Trick, conn: ConnId, t: Turn): void {
  const s = slotOf(h, conn);
  if (s !== undefined) crew.lost(h, s, restOf(h, trick), t);
}

function congested(h: Hostile, conn: ConnId, isCongested: boolean): void {
  const s = slotOf(h, conn);
  if (s !== undefined) s.isCongested = isCongested;
}

function tick(h: Hostile, trick: crew.Trick, t: Turn): void {
  for (const s of h.slots) {
    if (s.phase === "open" && s.leaveAt <= t.now) crew.leave(h, s, "abort", restOf(h, trick), t);
    if (s.dueAt > t.now) continue;
    if (s.phase === "apart") crew.dial(h, s, t);
    else if (s.phase === "dialing") crew.leave(h, s, "abort", restOf(h, trick), t);
    else act(h, trick, s, t);
  }
}

function act(h: Hostile, trick: crew.Trick, s: Slot, t: Turn): void {
  s.acts += 1;
  s.dueAt = NEVER;
  trick.act(h, s, t);
}

function received(
  h: Hostile, trick: crew.Trick, conn: ConnId, bytes: Uint8Array, t: Turn,
): void {
  const s = slotOf(h, conn);
  if (s === undefined) return;
  const cut: lines.Cut = { at: 0, line: undefined };
  while (s.conn === conn) {
    if (!lines.next(s.lines, bytes, envelope.lineBytesMax, cut) || cut.line === undefined) return;
    h.stepUnits += 1;
    heard(h, trick, s, cut.line, t);
  }
}

/** It answers PING: a place in the directory is worth keeping. */
function heard(h: Hostile, trick: crew.Trick, s: Slot, line: Uint8Array, t: Turn): void {
  const frame = read.usual(line);
  if (frame === undefined) return;
  const type = read.typeOf(frame);
  if (type === types.PING) {
    crew.send(s, PONG, t);
    crew.mark(t, "pong.sent", s.conn);
  } else if (type === types.DN_HANDSHAKE && !s.isIn) {
    answered(s, read.lineOf(frame), t);
  } else if (type === types.NICK_AUTH_RESULT && s.isProofFalse) {
    if (read.lineOf(frame).includes("\"verified\":true")) crew.admitted(s, "proof", t);
  }
  trick.heard(h, s, type, frame, t);
}

/** The handshake's answer: is it in, and should it be? */
function answered(s: Slot, line: string, t: Turn): void {
  s.isIn = line.includes("\"accepted\": true");
  crew.mark(t, s.isIn ? "registered" : "refused", s.conn);
  s.host = /"nick": "([^"]*)"/.exec(line)?.[1] ?? s.host;
  if (!s.isIn) return;
  if (s.nick === s.host) crew.admitted(s, "directory-nick", t);
  else if (s.wrong !== undefined) crew.admitted(s, s.wrong, t);
}
