/**
 * "Sometimes" goals: situations that a campaign must reach, else its worlds are too tame. Declared
 * here before any run, seen from outside, each counted once per run.
 *
 * Rule 1: O(1) a step where nothing happens; a goal that needs a search looks only when an event of
 * its kind comes.
 * Rule 2: a goal is no verdict; a run that misses all of them passes.
 * Rule 3: gauges say how near a run came to a bound, in parts of a thousand: hunts may prefer seeds
 * that come nearer.
 * @module
 */
import type { Directory } from "../core/directory/node.ts";
import type { ConnId } from "../core/ids.ts";
import { NEVER, type Mono } from "../core/time.ts";
import type { Told } from "./actors/told.ts";
import type { Effect, Event, Observer } from "./invariants/directory.ts";
import { coreDirectories } from "./oracles/core.ts";
import { arkGoals } from "./oracles/ark-goals.ts";
import { makerGoals } from "./oracles/maker-goals.ts";
import type { Goals, Place } from "./oracles/state.ts";
import type { OracleActive, OracleNode, OracleWorld } from "./oracles/world.ts";
import type { Gauges } from "./outcome.ts";
import { arkHarms, botHarms, harmKinds, type NodeId } from "./scenario.ts";

export type Goal = {
  readonly id: string;
  /** In worlds with our makers only. */
  readonly isMakers: boolean;
  /** In worlds with our Ark daemon only. */
  readonly isArks: boolean;
  /** The situation. */
  readonly what: string;
  /** How it is recognised. */
  readonly how: string;
};

function goal(
  id: string, what: string, how: string, isMakers = false, isArks = false,
): Goal {
  return { id, what, how, isMakers, isArks };
}

/** All goals: of worlds with directories and their peers, and of those with our makers. */
export const goals: readonly Goal[] = Object.freeze([
  goal("S1", "two generations of one nick are alive at once",
    "a directory hears a handshake with the nick of a connection that is not gone"),
  goal("S2", "the FIN of the old generation comes after the HELLO of the new one",
    "a directory is told eof of such an older connection"),
  goal("S3", "data of the old generation comes after the HELLO of the new one",
    "a directory receives bytes on such an older connection"),
  goal("S4", "a PONG comes in the last hundredth of its window",
    "a line of a pinged peer, 99 % of pongMs after the PING or later"),
  goal("S5", "a peer is evicted while its bytes are on their way",
    "the heartbeat ends a connection whose peer has sent what was not read"),
  goal("S6", "the answer to a handshake is lost",
    "a peer gives a handshake up that its directory has answered"),
  goal("S7", "a sweep falls into a mass disconnect",
    "a PING or an eviction in a second in which three connections or more ended"),
  goal("S10", "a full outbox closes a slow peer", "an end as outbox-full or outbox-total"),
  goal("S11", "an eviction interrupts a peerlist in parts",
    "a directory ends a registered connection while a list is half written"),
  goal("S12", "a frame is split inside a character, and three frames come at once",
    "a delivery begins with a continuation byte; another completes three lines or more"),
  goal("S16", "the wall clock jumps back across a timer, and ahead over two sweeps",
    "both jumps at directories that run"),
  goal("S19", "the core has one directory", "at the heal"),
  goal("S20", "a process crashes while it recovers from a crash",
    "a second crash before anybody is registered again"),
  goal("S21", "peersMax is reached when a peer is displaced",
    "a displacement while the directory has all the peers that it may have"),
  ...harmKinds.map((kind) => goal(`S22.${kind}`, `${kind} strikes while a session is active`,
    "a fault of this kind begins while one of its nodes has a connection, or is a journal",
    botHarms.has(kind), arkHarms.has(kind))),
  ...makerGoals.map(([id, what, how]) => goal(id, what, how, true)),
  ...arkGoals.map(([id, what, how]) => goal(id, what, how, false, true)),
]);

/** Nothing has been reached. */
export function create(): Goals {
  return {
    hits: new Map(), gauges: new Map(), places: new Map(), parts: new Set(), crashed: new Set(),
    trails: new Map(),
  };
}

/** The goal is reached in step `step`, unless it was before. */
export function hit(g: Goals, id: string, step: number): void {
  if (!g.hits.has(id)) g.hits.set(id, step < 0 ? 0 : step);
}

/** One part of a goal that takes two; the second reaches it. */
function part(g: Goals, id: string, one: string, other: string, step: number): void {
  if (g.hits.has(id)) return;
  g.parts.add(id + one);
  if (g.parts.has(id + other)) hit(g, id, step);
}

function gauge(g: Goals, name: string, value: number, bound: number): void {
  const parts = bound <= 0 ? 0 : Math.floor(1_000 * value / bound);
  if (parts > (g.gauges.get(name) ?? 0)) g.gauges.set(name, parts);
}

/** The node's process has started. */
export function booted(w: OracleWorld, node: OracleNode): void {
  if (node.kind !== "directory") return;
  w.oracles.goals.places.set(node.index, {
    generations: { byNick: new Map(), nicks: new Map() }, doubles: 0, endedAt: [], pings: 0,
    displaced: 0, isCut: false,
  });
}

/** The node's process is gone. */
export function died(w: OracleWorld, node: OracleNode, observer: Observer | undefined): void {
  const g = w.oracles.goals;
  g.places.delete(node.index);
  if (!isCrash(w, node.id)) {
    g.crashed.delete(node.index);
    return;
  }
  const isWell = observer !== undefined && observer.peers.size > 0;
  if (g.crashed.has(node.index) && !isWell) hit(g, "S20", w.steps - 1);
  g.crashed.add(node.index);
}

function isCrash(w: OracleWorld, id: NodeId): boolean {
  for (const { harm } of w.active.values()) {
    if ((harm.kind === "crash" || harm.kind === "diskTorn") && harm.node === id) return true;
  }
  return false;
}

/** A step of a directory, after its observer has seen it. */
export function directoryStepped(
  w: OracleWorld, node: OracleNode, o: Observer, d: Directory, event: Event,
  effects: readonly Effect[], now: Mono,
): void {
  const g = w.oracles.goals;
  const place = g.places.get(node.index);
  if (place === undefined) return;
  if (event.type === "conn.received") received(w, g, place, o, event.conn, event.bytes);
  else if (event.type === "conn.closed") closed(w, g, place, event.conn, event.reason, now);
  const { totals } = d.counts;
  if (o.scratch.seen.closes.size > 0) ends(w, node, g, place, o, effects, now);
  if (totals.heartbeatPings !== place.pings) {
    place.pings = totals.heartbeatPings;
    if (isMass(place, now)) hit(g, "S7", w.steps - 1);
  }
  if (totals.displaced === place.displaced) return;
  place.displaced = totals.displaced;
  if (d.registry.byNick.size >= d.config.peersMax) hit(g, "S21", w.steps - 1);
}

function received(
  w: OracleWorld, g: Goals, place: Place, o: Observer, conn: ConnId, bytes: Uint8Array,
): void {
  const { scratch } = o;
  if (scratch.greeted !== undefined) greeted(w, g, place, conn, scratch.greeted.hello?.nick ?? "");
  else if (place.doubles > 0 && isOld(place, conn)) hit(g, "S3", w.steps - 1);
  if (scratch.answeredMs >= 0) answered(w, g, o, scratch.answeredMs);
  if (((bytes[0] as number) & 0xc0) === 0x80) part(g, "S12", "split", "joined", w.steps - 1);
  if (scratch.linesHeard >= 3) part(g, "S12", "joined", "split", w.steps - 1);
}

function greeted(w: OracleWorld, g: Goals, place: Place, conn: ConnId, nick: string): void {
  const { byNick, nicks } = place.generations;
  nicks.set(conn, nick);
  const known = byNick.get(nick);
  if (known === undefined) {
    byNick.set(nick, [conn]);
    return;
  }
  known.push(conn);
  if (known.length === 2) place.doubles += 1;
  hit(g, "S1", w.steps - 1);
}

/** Has another connection said the same nick since? */
function isOld(place: Place, conn: ConnId): boolean {
  const known = place.generations.byNick.get(place.generations.nicks.get(conn) ?? "");
  return known !== undefined && known[known.length - 1] !== conn;
}

function answered(w: OracleWorld, g: Goals, o: Observer, afterMs: number): void {
  const { pongMs } = o.config.heartbeat;
  if (afterMs >= pongMs) return;
  gauge(g, "pong", afterMs, pongMs);
  if (100 * afterMs >= 99 * pongMs) hit(g, "S4", w.steps - 1);
}

function closed(
  w: OracleWorld, g: Goals, place: Place, conn: ConnId, reason: string, now: Mono,
): void {
  ended(place, now);
  const { byNick, nicks } = place.generations;
  const nick = nicks.get(conn);
  if (nick === undefined) return;
  if (reason === "eof" && isOld(place, conn)) hit(g, "S2", w.steps - 1);
  nicks.delete(conn);
  const known = byNick.get(nick);
  if (known === undefined) return;
  const at = known.indexOf(conn);
  if (at >= 0) known.splice(at, 1);
  if (known.length === 1) place.doubles -= 1;
  if (known.length === 0) byNick.delete(nick);
}

/** Ends that are remembered: a mass is three. */
const endsMax = 3;
const massMs = 1_000;

function ended(place: Place, now: Mono): void {
  place.endedAt.push(now);
  if (place.endedAt.length > endsMax) place.endedAt.shift();
}

function isMass(place: Place, now: Mono): boolean {
  const first = place.endedAt[0];
  return place.endedAt.length === endsMax && first !== undefined && now - first <= massMs;
}

/** The directory ended connections in this step. */
function ends(
  w: OracleWorld, node: OracleNode, g: Goals, place: Place, o: Observer,
  effects: readonly Effect[], now: Mono,
): void {
  for (const effect of effects) {
    if (effect.type !== "conn.close") continue;
    const { reason, conn } = effect;
    if (reason === "outbox-full" || reason === "outbox-total") hit(g, "S10", w.steps - 1);
    if (place.isCut && wasPeer(o, conn)) hit(g, "S11", w.steps - 1);
    if (reason !== "idle-timeout" && reason !== "pong-timeout") continue;
    if (isMass(place, now)) hit(g, "S7", w.steps - 1);
    const socket = node.sockets.get(conn);
    if (socket === undefined) continue;
    if (socket.unreadBytes > 0 || socket.peer.heldBytes > 0) hit(g, "S5", w.steps - 1);
  }
}

function wasPeer(o: Observer, conn: ConnId): boolean {
  const at = o.conns.get(conn)?.registeredAt;
  return at !== undefined && at !== NEVER;
}

/** Before the observer of a directory sees a step: is a list half written? */
export function directoryStepping(w: OracleWorld, node: OracleNode, o: Observer): void {
  const place = w.oracles.goals.places.get(node.index);
  if (place === undefined) return;
  place.isCut = false;
  if (o.listing.size === 0) return;
  for (const c of o.listing) {
    if (c.list !== undefined && c.list.missing === undefined && c.list.listed.size > 0) {
      place.isCut = true;
    }
  }
}

/** A peer closes a connection of its own. */
export function gaveUp(w: OracleWorld, node: OracleNode, conn: ConnId, reason: string): void {
  if (reason !== "handshake-timeout") return;
  const far = node.sockets.get(conn)?.peer;
  const observer = far === undefined ? undefined : w.oracles.watched[far.node]?.observer;
  const said = far === undefined ? undefined : observer?.conns.get(far.conn)?.said;
  if (said !== undefined && said !== "nothing") hit(w.oracles.goals, "S6", w.steps - 1);
}

/** One fact of an honest peer. */
export function told(w: OracleWorld, node: OracleNode, what: Told): void {
  if (what.fact === "up") w.oracles.goals.crashed.delete(node.index);
}

/** A fault has begun. */
export function began(w: OracleWorld, { harm }: OracleActive): void {
  const g = w.oracles.goals;
  const counted = w.fired.get(harm.kind);
  if (counted !== undefined && counted.active > 0) hit(g, `S22.${harm.kind}`, w.steps);
  if (harm.kind !== "jump") return;
  const node = w.byId.get(harm.node);
  const { kernel, config } = node ?? {};
  if (kernel === undefined || config === undefined) return;
  const isAcross = harm.ms < 0 && kernel.wakeAt - kernel.now <= -harm.ms;
  if (isAcross) part(g, "S16", "back", "ahead", w.steps);
  if (harm.ms > 2 * config.heartbeat.sweepMs) part(g, "S16", "ahead", "back", w.steps);
}

/** The core has just been healed. */
export function healed(w: OracleWorld): void {
  if (coreDirectories(w).length === 1) hit(w.oracles.goals, "S19", w.steps);
}

/** How near a directory is to its bounds; costs a walk over its queues. */
export function measure(
  w: OracleWorld, o: Observer, d: Directory, now: Mono,
): void {
  const g = w.oracles.goals;
  const { outbox, heartbeat } = o.config;
  let queued = 0;
  for (const box of d.outbox.boxes.values()) if (box.queuedBytes > queued) queued = box.queuedBytes;
  gauge(g, "outbox", queued, outbox.bytesMax);
  gauge(g, "outboxTotal", d.outbox.totalBytes, outbox.bytesTotalMax);
  gauge(g, "peers", o.peers.size, o.config.peersMax);
  gauge(g, "shaking", o.shaking.size, o.config.handshakingMax);
  gauge(g, "unfinished", d.sessions.pendingBytes, o.config.inputBytesTotalMax);
  for (const c of o.shaking) {
    gauge(g, "handshake", now - c.openedAt, o.config.handshakeMs);
    break;
  }
  for (const c of o.peers.values()) gauge(g, "silence", now - c.silentFrom, heartbeat.hardMs);
}

/** What was reached, by goal, and how near bounds were. */
export function summary(
  g: Goals,
): { readonly goals: { readonly [goal: string]: number }; readonly gauges: Gauges } {
  return { goals: record(g.hits), gauges: record(g.gauges) };
}

/** In the order of names, so that equal runs give equal texts. */
function record(map: ReadonlyMap<string, number>): { readonly [name: string]: number } {
  const out: { [name: string]: number } = {};
  const names = [...map.keys()].sort((a, b) => (a < b ? -1 : 1));
  for (const name of names) out[name] = map.get(name) ?? 0;
  return out;
}
