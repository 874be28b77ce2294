/**
 * The maker's connections to all its directories.
 *
 * Rule 1: every directory has its own link, and none waits for another: all are dialled at once,
 * and what is said to one is said whether or not another takes it.
 * Rule 2: a directory has at most one connection. What comes late from an older one is dropped.
 * Rule 3: startup is over when one directory is up, or after `startupMs`; the process goes on in
 * both cases. That all are down is said once, when the last one goes or when startup is over
 * without any; that one is up again is said once after that.
 * Rule 4: a directory that is taken out of the configuration is left in good order; one that is put
 * back meanwhile does not wait for that.
 * Not known here: what is on offer, keys, and what peers say.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { ConnId } from "../ids.ts";
import * as envelope from "../joinmarket/envelope.ts";
import type { Primitives } from "../primitives.ts";
import * as prng from "../prng.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import type { Identity } from "./greet.ts";
import * as link from "./link.ts";
import type { Directory, Effect, Event } from "./pool-events.ts";
import * as slots from "./slots.ts";

export type Config = {
  readonly link: link.Config;
  /** While no directory was reached, so long is waited before that is said, in ms. 120,000. */
  readonly startupMs: number;
  /** Directories at most; and as many more that are being left. 64. */
  readonly directoriesMax: number;
  /**
   * Connections get `connFirst`, then each `connStride` more: even ids that nobody else mints. 2
   * and 4.
   */
  readonly connFirst: number;
  readonly connStride: number;
};

export const defaults: Config = {
  link: link.defaults, startupMs: 120_000, directoriesMax: 64, connFirst: 2, connStride: 4,
};

export type { Directory, Effect, Event } from "./pool-events.ts";

export type Pool = {
  readonly config: Config;
  readonly identity: Identity;
  readonly jitter: prng.Key;
  /** In the order of the configuration. */
  slots: slots.Slot[];
  readonly byConn: Map<ConnId, slots.Slot>;
  location: string;
  offers: link.Offers | undefined;
  phase: "fresh" | "running" | "stopping" | "stopped";
  /** When startup is over at the latest; `NEVER` once it is. */
  startupUntil: Mono;
  /** Some directory was up. */
  wasReached: boolean;
  isAllDown: boolean;
  connNext: number;
  tokenNext: number;
};

/** Nothing is dialled until `started`. Each directory's jitter is split from `jitter`. */
export function create(
  config: Config, identity: Identity, location: string, jitter: prng.Key,
): Pool {
  link.check(config.link);
  assert(config.startupMs >= 1, "pool: startup takes its time");
  assert(config.directoriesMax >= 1, "pool: room for a directory");
  assert(config.connFirst >= 2, "pool: ids are positive");
  assert(config.connFirst % 2 === 0, "pool: what is dialled has an even id");
  assert(config.connStride >= 2, "pool: ids differ");
  assert(config.connStride % 2 === 0, "pool: what is dialled has an even id");
  return {
    config, identity, jitter, slots: [], byConn: new Map(), location, offers: undefined,
    phase: "fresh", startupUntil: NEVER, wasReached: false, isAllDown: false,
    connNext: config.connFirst, tokenNext: 1,
  };
}

/** Takes one event. Those of connections that are no more change nothing. */
export function step(m: Pool, event: Event, now: Mono, p: Primitives, out: Effect[]): void {
  const t: Turn = { now, p, out };
  handle(m, event, t);
  reckon(m, out);
}

type Turn = { readonly now: Mono; readonly p: Primitives; readonly out: Effect[] };

function handle(m: Pool, event: Event, t: Turn): void {
  switch (event.type) {
    case "started": return started(m, t);
    case "configured": return configured(m, event.directories, t);
    case "located": return located(m, event.location, t);
    case "offered": return offered(m, event.offers, t);
    case "signed": return signed(m, event.token, event.signature, t);
    case "conn.dialed": return on(m, event.conn, { type: "dialed" }, t);
    case "conn.failed": return gone(m, event.conn, { type: "failed", reason: event.reason }, t);
    case "conn.received": return on(m, event.conn, { type: "received", bytes: event.bytes }, t);
    case "conn.congested": return on(m, event.conn, { type: "congested" }, t);
    case "conn.drained": return on(m, event.conn, { type: "drained" }, t);
    case "conn.closed": return gone(m, event.conn, { type: "closed", reason: event.reason }, t);
    case "stopped": return stopped(m, t);
    case "tick": return tick(m, t);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When a tick is due. */
export function deadline(m: Pool): Mono {
  let at = m.startupUntil;
  for (const slot of m.slots) at = soonest(at, link.deadline(slot.link));
  return at;
}

/** Every configured directory, in the order of the configuration. */
export function views(m: Pool): readonly slots.View[] {
  return slots.views(m.slots);
}

/** Is this the id of a connection that the pool has minted, now or ever? */
export function owns(m: Pool, conn: ConnId): boolean {
  const { connFirst, connStride } = m.config;
  return conn >= connFirst && conn < m.connNext && (conn - connFirst) % connStride === 0;
}

/**
 * Says a private line (`from!to!command…`, signed) by way of `via`, or of every directory that is
 * up. Each is on its own: answers how many have taken it. At most `envelope.lineBytesMax` long.
 */
export function say(
  m: Pool, line: string, via: string | undefined, now: Mono, p: Primitives, out: Effect[],
): number {
  assert(line.startsWith(`${m.identity.nick}!`), "pool: a line in another's name");
  const frame = envelope.encode(envelope.types.PRIVMSG, line);
  let taken = 0;
  for (const slot of m.slots) {
    if (slot.isLeaving || (via !== undefined && via !== slot.directory.to)) continue;
    const wishes: link.Effect[] = [];
    if (link.post(slot.link, frame, now, wishes)) taken += 1;
    translate(m, slot, wishes, { now, p, out });
  }
  reckon(m, out);
  return taken;
}

function started(m: Pool, t: Turn): void {
  assert(m.phase === "fresh", "pool: started once");
  m.phase = "running";
  m.startupUntil = after(t.now, m.config.startupMs);
  for (const slot of m.slots) tell(m, slot, { type: "started", isStartup: true }, t);
}

function configured(m: Pool, directories: readonly Directory[], t: Turn): void {
  const names = new Set(directories.map(({ to }) => to));
  assert(names.size === directories.length, "pool: a directory is configured twice");
  assert(names.size <= m.config.directoriesMax, "pool: too many directories");
  if (m.phase === "stopping" || m.phase === "stopped") return;
  const before = m.slots;
  const kept = directories.map((d) => before.find((s) => !s.isLeaving && isSame(s.directory, d)));
  for (const slot of before) {
    if (!slot.isLeaving && !kept.includes(slot)) leave(m, slot, t);
  }
  // Who is put back while it is being left has one connection all the same.
  for (const slot of before) {
    if (slot.isLeaving && names.has(slot.directory.to)) cut(m, slot, t);
  }
  const added: slots.Slot[] = [];
  const wanted = directories.map((directory, i) => {
    const slot = kept[i] ?? fresh(m, directory);
    if (kept[i] === undefined) added.push(slot);
    return slot;
  });
  const left = m.slots.filter((slot) => slot.isLeaving && slot.conn !== undefined);
  // Reloads in a row may leave more and more; nobody waits for so many.
  const tooMany = left.length - m.config.directoriesMax;
  for (const slot of left.slice(0, tooMany > 0 ? tooMany : 0)) cut(m, slot, t);
  m.slots = [...wanted, ...left.filter((slot) => slot.conn !== undefined)];
  if (m.phase === "fresh") return;
  const isStartup = m.startupUntil !== NEVER;
  for (const slot of added) tell(m, slot, { type: "started", isStartup }, t);
}

function isSame(a: Directory, b: Directory): boolean {
  return a.to === b.to && a.isolation === b.isolation && a.directoryId === b.directoryId;
}

function fresh(m: Pool, directory: Directory): slots.Slot {
  const jitter = prng.stream(m.jitter, "link", directory.to);
  const made = link.create(
    m.config.link, m.identity, directory.directoryId, m.location, jitter,
  );
  made.offers = m.offers;
  return { directory, link: made, conn: undefined, token: undefined, isLeaving: false };
}

function leave(m: Pool, slot: slots.Slot, t: Turn): void {
  slot.isLeaving = true;
  tell(m, slot, { type: "stopped" }, t);
}

/** The connection of a slot that is being left is not waited for any longer. */
function cut(m: Pool, slot: slots.Slot, t: Turn): void {
  if (slot.conn === undefined) return;
  const { conn } = slot;
  forget(m, slot);
  t.out.push({ type: "conn.close", conn, how: "abort", reason: "put-back" });
}

function located(m: Pool, location: string, t: Turn): void {
  m.location = location;
  for (const slot of m.slots) tell(m, slot, { type: "located", location }, t);
}

function offered(m: Pool, offers: link.Offers, t: Turn): void {
  m.offers = offers;
  for (const slot of m.slots) tell(m, slot, { type: "offered", offers }, t);
}

function signed(m: Pool, token: number, signature: Uint8Array, t: Turn): void {
  const slot = m.slots.find((s) => s.token === token);
  if (slot === undefined) return;
  slot.token = undefined;
  tell(m, slot, { type: "signed", signature }, t);
}

function on(m: Pool, conn: ConnId, event: link.Event, t: Turn): void {
  const slot = m.byConn.get(conn);
  if (slot !== undefined) tell(m, slot, event, t);
}

/** The connection is no more, and the host knows. */
function gone(m: Pool, conn: ConnId, event: link.Event, t: Turn): void {
  const slot = m.byConn.get(conn);
  if (slot === undefined) return;
  forget(m, slot);
  tell(m, slot, event, t);
}

function forget(m: Pool, slot: slots.Slot): void {
  if (slot.conn !== undefined) m.byConn.delete(slot.conn);
  slot.conn = undefined;
  slot.token = undefined;
}

function stopped(m: Pool, t: Turn): void {
  if (m.phase === "stopping" || m.phase === "stopped") return;
  m.phase = "stopping";
  m.startupUntil = NEVER;
  for (const slot of m.slots.filter((s) => !s.isLeaving)) leave(m, slot, t);
  finish(m, t.out);
}

function tick(m: Pool, t: Turn): void {
  for (const slot of m.slots.filter((s) => link.deadline(s.link) <= t.now)) {
    tell(m, slot, { type: "tick" }, t);
  }
  if (m.startupUntil <= t.now) settle(m, false, t);
}

/** Startup is over. */
function settle(m: Pool, isReached: boolean, t: Turn): void {
  m.startupUntil = NEVER;
  t.out.push({ type: "settled", isReached });
  for (const slot of m.slots) tell(m, slot, { type: "settled" }, t);
}

function tell(m: Pool, slot: slots.Slot, event: link.Event, t: Turn): void {
  const wishes: link.Effect[] = [];
  link.step(slot.link, event, t.now, t.p, wishes);
  translate(m, slot, wishes, t);
}

function translate(m: Pool, slot: slots.Slot, wishes: readonly link.Effect[], t: Turn): void {
  for (const wish of wishes) carryOut(m, slot, wish, t);
}

function carryOut(m: Pool, slot: slots.Slot, wish: link.Effect, t: Turn): void {
  const { out } = t;
  const { to } = slot.directory;
  switch (wish.type) {
    case "dial": return dial(m, slot, out);
    case "send":
      return void out.push({ type: "conn.send", conn: connOf(slot), bytes: wish.bytes });
    case "close": return close(m, slot, wish.how, wish.reason, out);
    case "sign": return sign(m, slot, wish.digest, out);
    case "up": return up(m, slot, wish.motd, wish.isProven, t);
    case "lost": return lost(m, slot, wish, out);
    case "heard":
      return void out.push({ type: "heard", directory: to, kind: wish.kind, line: wish.line });
    case "announced": {
      const { version, lines } = wish;
      return void out.push({ type: "announced", directory: to, version, lines });
    }
    case "ended": return ended(m, slot, out);
    default: return unreachable(wish); /* c8 ignore next */
  }
}

function connOf(slot: slots.Slot): ConnId {
  assert(slot.conn !== undefined, "pool: a link speaks without a connection");
  return slot.conn;
}

function dial(m: Pool, slot: slots.Slot, out: Effect[]): void {
  assert(slot.conn === undefined, "pool: two connections to one directory");
  const conn = m.connNext as ConnId;
  m.connNext += m.config.connStride;
  slot.conn = conn;
  m.byConn.set(conn, slot);
  const { to, isolation } = slot.directory;
  if (isolation === undefined) out.push({ type: "conn.dial", conn, to });
  else out.push({ type: "conn.dial", conn, to, isolation });
}

function close(
  m: Pool, slot: slots.Slot, how: "abort" | "flush", reason: string, out: Effect[],
): void {
  out.push({ type: "conn.close", conn: connOf(slot), how, reason });
  // What was aborted is over at once; the host's own word comes later and means nothing.
  if (how === "abort") forget(m, slot);
  slot.token = undefined;
}

function sign(m: Pool, slot: slots.Slot, digest: Uint8Array, out: Effect[]): void {
  slot.token = m.tokenNext;
  m.tokenNext += 1;
  out.push({ type: "sign", token: slot.token, digest });
}

function up(m: Pool, slot: slots.Slot, motd: string, isProven: boolean, t: Turn): void {
  m.wasReached = true;
  const { connected, total } = slots.count(m.slots);
  const directory = slot.directory.to;
  t.out.push({ type: "up", directory, connected, total, isProven, motd });
  if (m.startupUntil !== NEVER) settle(m, true, t);
}

function lost(
  m: Pool, slot: slots.Slot, wish: Extract<link.Effect, { readonly type: "lost" }>, out: Effect[],
): void {
  const { why, says, failures, retryMs } = wish;
  const directory = slot.directory.to;
  if (!wish.wasUp) {
    return void out.push({ type: "failed", directory, why, says, failures, retryMs });
  }
  const { connected, total } = slots.count(m.slots);
  out.push({ type: "down", directory, connected, total, why, says, retryMs });
}

function ended(m: Pool, slot: slots.Slot, out: Effect[]): void {
  forget(m, slot);
  if (slot.isLeaving) m.slots = m.slots.filter((other) => other !== slot);
  finish(m, out);
}

/** After `stopped` the last connection ends the pool. */
function finish(m: Pool, out: Effect[]): void {
  if (m.phase !== "stopping" || m.slots.length > 0) return;
  m.phase = "stopped";
  out.push({ type: "ended" });
}

/** Says that all are down, or not any more. */
function reckon(m: Pool, out: Effect[]): void {
  if (m.phase !== "running") return;
  const { connected, total } = slots.count(m.slots);
  const isDown = connected === 0 && total > 0 && m.startupUntil === NEVER;
  if (isDown === m.isAllDown) return;
  if (isDown) out.push({ type: "all-down", total, isStartup: !m.wasReached });
  else if (connected > 0) out.push({ type: "all-back", connected, total });
  // With no directory configured there is nothing to be down, and nothing to say.
  m.isAllDown = isDown;
}
