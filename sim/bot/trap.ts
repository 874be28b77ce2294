/**
 * Directories that are none: whom our makers dial and get nowhere with.
 *
 * Rule 1: each has one way of being bad, from accepting and closing to talking without end before
 * it lets anybody in. None of them keeps state of those who come, but the nick that each says.
 * Rule 2: what is replayed is in order but for its repetition: the nick, the key and the signature
 * are of one person.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import { ascii, concat, text } from "../../core/bytes.ts";
import type { ConnId } from "../../core/ids.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import * as features from "../../core/joinmarket/features.ts";
import * as handshake from "../../core/joinmarket/handshake.ts";
import { isNick } from "../../core/joinmarket/nick.ts";
import * as signed from "../../core/joinmarket/signed.ts";
import type { ClockEvent, ConnEffect, ConnEvent, Tick } from "../../core/kernel/io.ts";
import type { Root } from "../../core/kernel/kernel.ts";
import { after, NEVER, type Mono } from "../../core/time.ts";
import { nickFor, primitives, pubkeyOf, secretFor, signDigest } from "../primitives.ts";
import type { TrapKind, Work } from "../scenario.ts";

const { types } = envelope;

export type TrapConfig = { readonly as: TrapKind; readonly nick: string };

export type TrapEvent =
  | ConnEvent
  | ClockEvent
  | { readonly type: "started" }
  | { readonly type: "asked"; readonly task: Work };

export type Trap = {
  readonly config: TrapConfig;
  /** Who is there, and the nick that it has said; empty: nothing yet. */
  readonly conns: Map<ConnId, string>;
  dueAt: Mono;
  beats: number;
};

/** Between two things that it does unasked, in ms. */
const beatMs = 7_000;

export function create(config: TrapConfig): Trap {
  return { config, conns: new Map(), dueAt: NEVER, beats: 0 };
}

export const root: Root<Trap, TrapEvent, ConnEffect> = {
  step, deadline: (m) => m.dueAt, effectsMax: (m) => 8 + 4 * m.conns.size,
};

function step(m: Trap, event: TrapEvent | Tick, now: Mono, out: ConnEffect[]): void {
  switch (event.type) {
    case "conn.opened":
      m.conns.set(event.conn, "");
      if (m.dueAt === NEVER) m.dueAt = after(now, beatMs);
      return opened(m, event.conn, out);
    case "conn.received": return received(m, event.conn, event.bytes, out);
    case "conn.closed":
      m.conns.delete(event.conn);
      if (m.conns.size === 0) m.dueAt = NEVER;
      return;
    case "tick": return tick(m, now, out);
    case "conn.congested": case "conn.drained": case "clock.anchored": case "started":
    case "asked":
      return;
    default: return unreachable(event);
  }
}

function opened(m: Trap, conn: ConnId, out: ConnEffect[]): void {
  if (m.config.as === "shut") out.push({ type: "conn.close", conn, how: "abort", reason: "shut" });
}

/** Somebody has said hello, or more. */
function received(m: Trap, conn: ConnId, bytes: Uint8Array, out: ConnEffect[]): void {
  if (m.conns.get(conn) !== "") return;
  m.conns.set(conn, /J5[0-9A-Za-z]{14}/.exec(text(bytes))?.[0] ?? "nobody");
  switch (m.config.as) {
    case "shut": case "mute": case "drip": return;
    case "welcomes": case "chatters": case "replays":
      return void out.push({ type: "conn.send", conn, bytes: welcome(m, "regtest", true) });
    case "refuses":
      return void out.push({ type: "conn.send", conn, bytes: welcome(m, "regtest", false) });
    case "forges": return void out.push({ type: "conn.send", conn, bytes: forged(m) });
    default: return unreachable(m.config.as);
  }
}

function welcome(m: Trap, network: string, accepted: boolean): Uint8Array {
  return envelope.encode(types.DN_HANDSHAKE, handshake.directoryHello({
    nick: m.config.nick, network, motd: "come in", features: [features.ping], accepted,
  }));
}

/** A welcome of another network, one that is none, and a verdict that nobody asked for. */
function forged(m: Trap): Uint8Array {
  return concat([
    envelope.encode(types.DN_HANDSHAKE, "{\"app-name\":\"joinmarket\",\"accepted\":1}"),
    welcome(m, "mainnet", true),
    envelope.encode(types.NICK_AUTH_RESULT, "{\"code\":\"ok\",\"verified\":true}"),
  ]);
}

function tick(m: Trap, now: Mono, out: ConnEffect[]): void {
  if (now < m.dueAt) return;
  m.dueAt = after(now, beatMs);
  m.beats += 1;
  for (const [conn, nick] of m.conns) beat(m, conn, nick, out);
}

function beat(m: Trap, conn: ConnId, nick: string, out: ConnEffect[]): void {
  switch (m.config.as) {
    case "shut": case "mute": case "refuses": case "forges": return;
    case "drip":
      // Always something, never an answer; now and then a line.
      if (m.beats % 3 !== 0) return void out.push({ type: "conn.send", conn, bytes: ascii(" ") });
      return void out.push({ type: "conn.send", conn, bytes: envelope.encode(types.PING, "") });
    case "welcomes":
      return void out.push({ type: "conn.close", conn, how: "flush", reason: "enough" });
    case "chatters": {
      const lines = ["!PUBLIC!orderbook", "J5", "\u0000!x!fill 0 1", `${m.config.nick}!PUBLIC!`];
      const line = lines[m.beats % lines.length] as string;
      return void out.push({ type: "conn.send", conn, bytes: envelope.encode(types.PUBMSG, line) });
    }
    case "replays": {
      if (!isNick(nick)) return;
      const bytes = envelope.encode(envelope.types.PRIVMSG, replayed(nick, m.beats));
      return void out.push({ type: "conn.send", conn, bytes });
    }
    default: return unreachable(m.config.as);
  }
}

/** Whose lines are replayed, everywhere the same. */
const person = 1_000_000_007;
/** Beats for which a line comes again: longer than copies of one may take to arrive. */
const repeats = 8;

/** A request for a coinjoin that its owner has signed: good once, whoever brings it again. */
function replayed(to: string, beats: number): string {
  const secret = secretFor(person);
  const data = `0 100000 #${Math.floor(beats / repeats)}`;
  const digest = signed.digestFor(data, primitives.sha256);
  const line = signed.unsigned(nickFor(person), to, "fill", data);
  return signed.appended(line, pubkeyOf(secret), signDigest(secret, digest));
}
