/**
 * M1 to M5 of a maker daemon: its connections to directories, from what it orders, what it is told
 * and what goes over the wire.
 *
 * Rule 1: one connection to a directory at a time (M1), and none waits for another (M5).
 * Rule 2: the wait before a dial lies within the law of backoff, which begins anew only after proof
 * of health: whole lines that came when the connection had been up for long enough (M2).
 * Rule 3: every step first does what is due, so a deadline that has passed after a step is broken:
 * of a dial and a handshake (M3), of silence (M4). PING is answered in the step that read it (M5).
 * Not known here: what the machine keeps. Lines are read by the core's codecs.
 * @module
 */
import type { ConnId } from "../../core/ids.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import * as lines from "../../core/joinmarket/lines.ts";
import type { Tick } from "../../core/kernel/io.ts";
import type { MakerConfig } from "../../core/maker/config.ts";
import { after, NEVER, soonest, type Mono } from "../../core/time.ts";
import * as socks from "../../core/tor/socks.ts";
import type { BotEffect, BotEvent } from "../vocabulary.ts";
import { violation, type InvariantId, type Violation } from "./violation.ts";

const { types } = envelope;

/** One directory, as the running process has to do with it. */
export type Link = {
  readonly to: string;
  phase: "none" | "dialing" | "open" | "closing";
  conn: ConnId | undefined;
  /** When the phase began; of `none`, when the connection was lost. `NEVER`: never dialled. */
  since: Mono;
  /** Registered since; `NEVER`: not. */
  upAt: Mono;
  readonly scan: envelope.Envelope;
  lines: lines.Lines;
  heardAt: Mono;
  pingedAt: Mono;
  /** Something came since. */
  isHeard: boolean;
  answersPing: boolean;
  proves: boolean;
  isCongested: boolean;
  /** PINGs that came in this step. */
  pings: number;
  /** The connection that was lost in this step. */
  lost: ConnId | undefined;
  /** It was given up for a new address of our own: no failure. */
  isMoved: boolean;
  /** In a row: while startup lasted, and since. */
  startupFailures: number;
  failures: number;
  /** Shortest and longest wait that may follow the last loss. */
  lowMs: number;
  highMs: number;
  /** Public offers on this connection, by number. */
  readonly offers: Map<string, string>;
};

/** What is seen of frames that go by. */
export type Ear = {
  readonly heard: (link: Link, type: number, text: string) => void;
  readonly said: (link: Link, type: number, text: string) => void;
};

export type Links = {
  readonly config: MakerConfig;
  readonly all: readonly Link[];
  readonly byConn: Map<ConnId, Link>;
  startedAt: Mono;
  /** Some directory was up, or the time for the start is over. */
  isSettled: boolean;
  isStopping: boolean;
};

/** Of a process that has just begun. */
export function create(config: MakerConfig): Links {
  const all = config.directories.map(({ to }): Link => ({
    to, phase: "none", conn: undefined, since: NEVER, upAt: NEVER, scan: envelope.create(),
    lines: lines.create(), heardAt: NEVER, pingedAt: NEVER, isHeard: false, answersPing: false,
    proves: false,
    isCongested: false, pings: 0, lost: undefined, isMoved: false, startupFailures: 0,
    failures: 0, lowMs: 0,
    highMs: 0, offers: new Map(),
  }));
  return {
    config, all, byConn: new Map(), startedAt: NEVER, isSettled: false, isStopping: false,
  };
}

/** Registered, as far as the wire shows. */
export function isUp(link: Link): boolean {
  return link.phase === "open" && link.upAt !== NEVER;
}

/** One step: what came, then what was ordered, then what is overdue. */
export function observe(
  m: Links, event: BotEvent | Tick, effects: readonly { readonly type: string }[], now: Mono,
  ear: Ear, out: Violation[],
): void {
  for (const link of m.all) {
    link.pings = 0;
    link.lost = undefined;
    link.isMoved = false;
  }
  const wasSettled = m.isSettled;
  if (event.type === "operator.started") m.startedAt = now;
  if (event.type === "operator.stop") m.isStopping = true;
  came(m, event, now, ear, out);
  for (const effect of effects) ordered(m, effect as BotEffect, now, ear, out);
  if (m.startedAt !== NEVER && now >= after(m.startedAt, m.config.pool.startupMs)) {
    m.isSettled = true;
  }
  for (const link of m.all) {
    if (link.lost !== undefined) waits(m, link, wasSettled);
    overdue(m, link, now, out);
  }
  if (event.type === "operator.started") together(m, out);
}

function say(out: Violation[], id: InvariantId, says: string, link: Link): void {
  const { conn } = link;
  out.push(conn === undefined ? violation(id, says) : violation(id, says, { conn }));
}

function together(m: Links, out: Violation[]): void {
  if (m.all.every(({ phase }) => phase === "dialing")) return;
  out.push(violation("M5", "a directory was not dialled at the start"));
}

function came(
  m: Links, event: BotEvent | Tick, now: Mono, ear: Ear, out: Violation[],
): void {
  if (!("conn" in event)) return;
  const link = m.byConn.get(event.conn);
  if (link === undefined) return;
  switch (event.type) {
    case "conn.dialed":
      if (link.phase !== "dialing") return;
      link.phase = "open";
      link.since = now;
      link.heardAt = now;
      return;
    case "conn.received": return received(m, link, event.bytes, now, ear);
    case "conn.failed": case "conn.closed": return gone(m, link, now);
    case "conn.congested": link.isCongested = true; return;
    case "conn.drained": link.isCongested = false; return;
    case "conn.opened": case "conn.confided":
      out.push(violation("M1", "a dialled connection was accepted, or is another"));
      return;
    default: event satisfies never;
  }
}

function gone(m: Links, link: Link, now: Mono): void {
  if (link.conn === undefined) return;
  const wasClosing = link.phase === "closing";
  m.byConn.delete(link.conn);
  link.lost = wasClosing ? undefined : link.conn;
  link.conn = undefined;
  link.phase = "none";
  link.since = wasClosing ? NEVER : now;
  link.upAt = NEVER;
  link.isCongested = false;
  link.answersPing = false;
  link.proves = false;
  link.pingedAt = NEVER;
  link.lines = lines.create();
  link.offers.clear();
}

function received(m: Links, link: Link, bytes: Uint8Array, now: Mono, ear: Ear): void {
  if (link.phase !== "open") return;
  link.heardAt = now;
  link.isHeard = true;
  const cut: lines.Cut = { at: 0, line: undefined };
  while (lines.next(link.lines, bytes, m.config.pool.link.lineBytesMax, cut)) {
    if (cut.line === undefined) return;
    frame(m, link, cut.line, now, ear);
  }
}

function frame(m: Links, link: Link, line: Uint8Array, now: Mono, ear: Ear): void {
  if (envelope.scan(line, link.scan) !== undefined) return;
  const { type } = link.scan;
  if (isUp(link) && now >= after(link.upAt, m.config.pool.link.healthyMs)) {
    link.failures = 0;
    link.startupFailures = 0;
  }
  if (type === types.PING) link.pings += 1;
  const text = type === types.PEERLIST ? "" : envelope.content(line, link.scan);
  if (type === types.DN_HANDSHAKE && !isUp(link)) welcomed(m, link, text, now);
  const isVerdict = type === types.NICK_AUTH_RESULT && link.proves;
  if (isVerdict && text.includes("\"verified\":true")) up(m, link, now);
  ear.heard(link, type, text);
}

function welcomed(m: Links, link: Link, text: string, now: Mono): void {
  const isOurs = text.includes(`"network": "${m.config.network}"`)
    || text.includes(`"network":"${m.config.network}"`);
  if (!isOurs || !/"accepted": ?true/.test(text)) return;
  link.answersPing = /"ping": ?true/.test(text);
  link.proves = /"nick_auth": ?true/.test(text);
  if (!link.proves) up(m, link, now);
}

function up(m: Links, link: Link, now: Mono): void {
  if (link.upAt === NEVER) link.upAt = now;
  m.isSettled = true;
}

const probe = socks.label({ purpose: "probe" });

function ordered(m: Links, effect: BotEffect, now: Mono, ear: Ear, out: Violation[]): void {
  if (effect.type === "conn.dial") {
    // Neither Tor's control port nor its own onion is a directory.
    if (effect.isSecret === true || effect.isolation === probe) return;
    return dials(m, effect.conn, effect.to, now, out);
  }
  if (effect.type !== "conn.send" && effect.type !== "conn.close") return;
  const link = m.byConn.get(effect.conn);
  if (link === undefined) return;
  if (effect.type === "conn.send") return said(m, link, effect.bytes, now, ear, out);
  if (effect.how === "abort") {
    link.isMoved = effect.reason === "relocated";
    return gone(m, link, now);
  }
  link.phase = "closing";
}

function dials(m: Links, conn: ConnId, to: string, now: Mono, out: Violation[]): void {
  const link = m.all.find((one) => one.to === to);
  if (link === undefined) return void out.push(violation("M1", "it dials nobody it knows"));
  if (link.phase !== "none") say(out, "M1", "a second connection to one directory", link);
  if (m.isStopping) say(out, "M1", "it dials while it stops", link);
  const waitedMs = link.since === NEVER ? link.lowMs : now - link.since;
  if (waitedMs < link.lowMs) {
    say(out, "M2", `dialled after ${waitedMs} ms, no sooner than ${link.lowMs} ms`, link);
  }
  link.phase = "dialing";
  link.since = now;
  link.conn = conn;
  m.byConn.set(conn, link);
}

function said(
  m: Links, link: Link, bytes: Uint8Array, now: Mono, ear: Ear, out: Violation[],
): void {
  const found: Uint8Array[] = [];
  lines.feed(lines.create(), bytes, bytes.length + 1, found);
  const scan = envelope.create();
  for (const line of found) {
    if (envelope.scan(line, scan) !== undefined) {
      say(out, "M5", "it sends what is no frame", link);
      continue;
    }
    if (scan.type === types.PONG) link.pings -= 1;
    if (scan.type === types.PING) {
      const gapMs = link.pingedAt === NEVER ? NEVER : now - link.pingedAt;
      if (gapMs < m.config.pool.link.pingGapMs) say(out, "M4", `asked again in ${gapMs} ms`, link);
      link.pingedAt = now;
      link.isHeard = false;
    }
    ear.said(link, scan.type, envelope.content(line, scan));
  }
}

type Range = { readonly lowMs: number; readonly highMs: number };
type Law = {
  readonly baseMs: number; readonly maxMs: number; readonly times: number; readonly per: number;
};

/** The wait after `n` failures before this one: half of the bound to all of it. */
function lawOf(law: Law, n: number): Range {
  let ms = law.baseMs;
  for (let i = 0; i < n && ms < law.maxMs; i += 1) ms = Math.floor(ms * law.times / law.per);
  return between(ms < law.maxMs ? ms : law.maxMs);
}

function between(highMs: number): Range {
  return { lowMs: highMs - (highMs >> 1), highMs };
}

/** How long the next dial may and must wait, by the law of backoff. */
function waits(m: Links, link: Link, wasSettled: boolean): void {
  const { link: c } = m.config.pool;
  const ranges: Range[] = [];
  if (link.isMoved) ranges.push(lawOf(c.retry, 0));
  else if (!wasSettled) {
    ranges.push(lawOf(c.startup, link.startupFailures));
    link.startupFailures += 1;
  }
  if (m.isSettled && !link.isMoved) {
    const isSpent = c.retriesMax > 0 && link.failures >= c.retriesMax;
    ranges.push(isSpent ? between(c.spentMs) : lawOf(c.retry, link.failures));
    // A loss in the step that ended the start may count or not.
    if (wasSettled) link.failures += 1;
  }
  link.lowMs = ranges.reduce((low, one) => (one.lowMs < low ? one.lowMs : low), NEVER as number);
  link.highMs = ranges.reduce((high, one) => (one.highMs > high ? one.highMs : high), 0);
}

function overdue(m: Links, link: Link, now: Mono, out: Violation[]): void {
  const { link: c } = m.config.pool;
  switch (link.phase) {
    case "none":
      if (m.isStopping || link.since === NEVER || now < after(link.since, link.highMs)) return;
      return say(out, "M5", `not dialled again within ${link.highMs} ms`, link);
    case "dialing":
      if (now >= after(link.since, c.dialMs)) say(out, "M3", "a dial has no end", link);
      return;
    case "open": return open(m, link, now, out);
    case "closing": return;
    default: link.phase satisfies never;
  }
}

function open(m: Links, link: Link, now: Mono, out: Violation[]): void {
  const { link: c } = m.config.pool;
  if (link.pings > 0 && !link.isCongested) say(out, "M5", "a PING is not answered at once", link);
  if (link.upAt === NEVER) {
    if (now >= after(link.since, c.handshakeMs)) say(out, "M3", "a handshake has no end", link);
    return;
  }
  if (!link.answersPing) {
    if (now >= after(link.heardAt, c.silentMs)) say(out, "M4", "silence is never judged", link);
    return;
  }
  const isOpen = link.pingedAt !== NEVER && !link.isHeard;
  if (isOpen && now >= after(link.pingedAt, c.pongMs)) say(out, "M4", "it answers no PING", link);
  const askAt = after(later(link.heardAt, link.upAt), c.idleMs);
  const gapAt = link.pingedAt === NEVER ? askAt : after(link.pingedAt, c.pingGapMs);
  if (!isOpen && !link.isCongested && now >= later(askAt, gapAt)) {
    say(out, "M4", "silence is not asked about", link);
  }
}

function later(a: Mono, b: Mono): Mono {
  return soonest(a, b) === a ? b : a;
}
