/**
 * The safety invariants of a directory node, as checks that know nothing of how the node works.
 *
 * | id  | where it is checked                                                          |
 * |-----|------------------------------------------------------------------------------|
 * | D1  | `observe` (each registration), `audit` (`owners`)                            |
 * | D2  | `observe` (`stale`, everything sent to or ended twice), `audit` (`owners`)   |
 * | D3  | `observe` (reasons `displaced` and `nick-contest`, proofs and their results) |
 * | D4  | `observe` (peersMax at each registration, `isEven`), `audit` (`leaks`)       |
 * | D5  | `observe` (reason `idle-timeout`, each PING that is marked as pending)       |
 * | D6  | `observe` (reason `pong-timeout`)                                            |
 * | D7  | `observe` (`silences`, at the first instant at which it can be broken)       |
 * | D8  | `observe` (`anchored`)                                                       |
 * | D9  | `observe` (`pings`), `audit` (`leaks`)                                       |
 * | D10 | `observe` (each private line and its hint, held against what is due)         |
 * | D11 | `observe` (each public line; what is due and does not come)                  |
 * | D12 | `observe` (`punctual`, `lingering`, `slowOnes`, sends while congested),      |
 * |     | `audit` (`queues`)                                                           |
 * | D13 | `observe` (each notice, held against what is due), `audit` (`leaks`)         |
 * | D14 | `observe` (each line of a list, and that a list is whole: `complete`)        |
 * | D15 | `observe` (lines without effect, split line ends), `sameOutcome` (two runs,  |
 * |     | other splits)                                                                |
 * | D16 | `observe` (`handshakes`, `lingering` for unfinished lines, order of what is  |
 * |     | sent before a peer is in)                                                    |
 * | X3  | `observe` (lines of lists in one step), `audit` (`bounds`)                   |
 * | X4  | `observe` (`due`: no part of the node is left with something due)            |
 * | X5  | `observe` (`idle`: wakes for nothing)                                        |
 *
 * X1, X2 and the rest of X4 to X6 are those of any kernel: `cross.ts`. `wire` is checked with each
 * line sent.
 *
 * Use: `create` beside the node; after every step of the kernel `observe` with its event, its
 * effects and `now`; `audit` after every step or now and then. Deliver a due tick as a step of its
 * own: checks of what an event alone may cause are left out where a tick was due with it.
 * @module
 */
import { concat, equal } from "../../core/bytes.ts";
import type { Directory } from "../../core/directory/node.ts";
import type { ConnId } from "../../core/ids.ts";
import { NEVER, type Mono } from "../../core/time.ts";
import { heard } from "./heard.ts";
import * as due from "./due.ts";
import {
  create, register, type Conn, type Effect, type Event, type List, type Observer, type Owed,
  type Seen,
} from "./observer.ts";
import * as pauses from "./pauses.ts";
import { sent } from "./sent.ts";
import * as tables from "./tables.ts";
import { violation, type Violation } from "./violation.ts";

export { create };
export type { Effect, Event, Observer };

/**
 * Takes one step in and says what it broke. `node` is the state after the step. Costs O(1), and
 * O(receivers) for what goes to everybody; whatever is looked through as a whole (here and in
 * `audit`) is so when a sum is wrong, or at the earliest instant at which it can matter.
 */
export function observe(
  o: Observer, node: Directory, event: Event, effects: readonly Effect[], now: Mono,
): readonly Violation[] {
  const seen = begun(o, node, event, effects, now);
  pauses.paused(o, now);
  if (now > o.wakeAt) o.lateMs += now - o.wakeAt + pauses.sparedMs;
  if (now < o.wakeAt) {
    stale(o, seen);
    anchored(seen);
  }
  heard(o, seen);
  sent(o, seen);
  joined(o, seen);
  pings(o, seen);
  if (o.listing.size > 0) complete(o, seen);
  if (now >= o.overdueAt) punctual(o, seen);
  if (o.shaking.size > 0) handshakes(o, seen);
  if (now >= o.lingerAt) lingering(o, seen);
  idle(o, seen);
  glance(o, seen);
  remember(o, seen);
  if (seen.out.length === 0) return nothing;
  const found = seen.out;
  o.scratch.seen.out = [];
  return found;
}

const nothing: readonly Violation[] = Object.freeze([]);

function begun(
  o: Observer, node: Directory, event: Event, effects: readonly Effect[], now: Mono,
): Seen {
  const { seen } = o.scratch;
  seen.node = node;
  seen.event = event;
  seen.effects = effects;
  seen.now = now;
  if (seen.closes.size > 0) seen.closes.clear();
  for (let i = 0; i < effects.length; i += 1) {
    const effect = effects[i] as Effect;
    if (effect.type === "conn.close") seen.closes.set(effect.conn, effect.reason);
  }
  // What was written in an earlier step may have been written over since.
  o.batch.bytes = undefined;
  o.joins = 0;
  o.scratch.linesHeard = 0;
  o.scratch.greeted = undefined;
  o.scratch.answeredMs = -1;
  o.scratch.lateMs = now > o.wakeAt ? now - o.wakeAt : 0;
  return seen;
}

/** D1, D2, D4, D7, D9, D12, D13 and X3, by a walk over every table of the node. */
export function audit(o: Observer, node: Directory, now: Mono): readonly Violation[] {
  const out: Violation[] = [];
  tables.owners(o, node, out);
  tables.leaks(o, node, out);
  tables.bounds(o, node, out);
  tables.queues(o, node, now, out);
  tables.silences(o, now, out);
  return out;
}

/** D12, D16: who was given time has had it, for its last words or the rest of a line. */
function lingering(o: Observer, seen: Seen): void {
  const { now, out } = seen;
  const { lineMs, outbox: { closeGraceMs } } = o.config;
  let at = NEVER as number;
  for (const c of o.lingering) {
    const dueAt = c.closedAt + closeGraceMs;
    if (now < dueAt) at = dueAt < at ? dueAt : at;
    else out.push(violation("D12", "ended, and not reset when its time was over", { conn: c.id }));
  }
  for (const c of o.partial) {
    const dueAt = c.partialAt + lineMs;
    if (now < dueAt) at = dueAt < at ? dueAt : at;
    else out.push(violation("D16", "a line that is unfinished for too long", { conn: c.id }));
  }
  o.lingerAt = at;
}

/** Ticks in which nothing happens are few: there is one for each look of the heartbeat at most. */
const idleTicksMax = 700;
const idleMs = 10_000;

/** X5: the node does not wake again and again for nothing. */
function idle(o: Observer, seen: Seen): void {
  if (seen.event.type !== "tick" || seen.effects.length > 1) return;
  if (seen.effects.length === 1 && seen.effects[0]?.type !== "wake") return;
  if (seen.now - o.idleFrom > idleMs) {
    o.idleFrom = seen.now;
    o.idleTicks = 0;
  }
  o.idleTicks += 1;
  if (o.idleTicks !== idleTicksMax) return;
  seen.out.push(violation("X5", `${idleTicksMax} wakes for nothing within ${idleMs} ms`));
}

/** D2: an event of a connection that ended before has no effect at all. */
function stale(o: Observer, seen: Seen): void {
  const { event } = seen;
  if (!("conn" in event) || event.type === "conn.opened") return;
  const c = o.conns.get(event.conn);
  if (c !== undefined && c.phase !== "ended") return;
  for (const effect of seen.effects) {
    if (effect.type === "wake" || effect.type === "stopped") continue;
    const says = `${event.type} of an ended connection caused ${effect.type}`;
    seen.out.push(violation("D2", says, { conn: event.conn }));
  }
}

/** D8: wall time is for records. */
function anchored(seen: Seen): void {
  if (seen.event.type !== "clock.anchored") return;
  for (const effect of seen.effects) {
    seen.out.push(violation("D8", `a change of the wall clock caused ${effect.type}`));
  }
}

/** D1, D4: newcomers that waited and are in now; looked for when there is one more peer. */
function joined(o: Observer, seen: Seen): void {
  const { registry, sessions, counts } = seen.node;
  const isMore = counts.totals.registered > o.registeredSum;
  if (isMore && registry.byNick.size > o.config.peersMax) {
    seen.out.push(violation("D4", `${registry.byNick.size} peers`));
  }
  const isKnown = counts.totals.registered - o.registeredSum === o.joins;
  if (isKnown && registry.byNick.size === o.peers.size) return;
  for (const c of o.shaking) {
    if (c.phase !== "asked" || sessions.byConn.get(c.id)?.at.phase !== "registered") continue;
    const nick = c.hello?.nick ?? "";
    const at = { conn: c.id, nick };
    if (o.peers.has(nick)) seen.out.push(violation("D1", "registered beside its owner", at));
    if (registry.byNick.get(nick)?.conn !== c.id) {
      seen.out.push(violation("D1", "registered under a nick it did not say", at));
    }
    register(o, c, nick, seen.now);
  }
}

/** D5, D9: the heartbeat awaits only peers, and only those that were silent long enough. */
function pings(o: Observer, seen: Seen): void {
  const { pending } = seen.node.heartbeat;
  const isAsked = seen.node.counts.totals.heartbeatPings !== o.heartbeatPings;
  if (!isAsked && pending.size === o.pinged.size) return;
  for (const c of o.pinged) {
    if (pending.has(c.id)) continue;
    c.pingedAt = NEVER;
    o.pinged.delete(c);
  }
  if (pending.size === o.pinged.size) return;
  for (const id of pending.keys()) {
    const c = o.conns.get(id);
    if (c?.phase !== "peer") {
      seen.out.push(violation("D9", "a PING is pending for a dead one", { conn: id }));
    } else if (!o.pinged.has(c)) pinged(o, c, seen);
  }
}

function pinged(o: Observer, c: Conn, seen: Seen): void {
  c.pingedAt = seen.now;
  c.pingPausedMs = o.pausedMs;
  o.pinged.add(c);
  const silentMs = seen.now - c.lineAt - (o.pausedMs - c.pausedMs);
  if (silentMs >= o.config.heartbeat.idleMs) return;
  seen.out.push(violation("D5", "pinged though heard lately", { conn: c.id }));
}

/** D14: a list that is done has each maker that was here all the time, and the node itself. */
function complete(o: Observer, seen: Seen): void {
  for (const c of o.listing) {
    const { list } = c;
    if (list === undefined) continue;
    if (list.missing === undefined) {
      if (seen.node.listing.cursors.has(c.id)) continue;
      list.doneAt = seen.now;
      list.missing = missing(o, seen, list);
    }
    if (list.missing.size === 0) o.listing.delete(c);
    else if (isOverdue(o, c, list.doneAt, seen.now)) {
      o.listing.delete(c);
      for (const nick of list.missing) {
        if (!isHere(o, seen, list, nick)) continue;
        seen.out.push(violation("D14", "missing in a peerlist", { conn: c.id, nick }));
      }
    }
  }
}

/** Whom the list has not named though it was here when it was asked for. */
function missing(o: Observer, seen: Seen, list: List): Set<string> {
  const found = new Set<string>();
  // A list that was begun before the address was told does not come back to its head.
  const isNamed = o.location !== undefined && o.locatedAt < list.since;
  if (isNamed) found.add(seen.node.nick);
  for (const [nick, peer] of o.peers) {
    if (peer.hello?.maker === true && peer.registeredAt < list.since) found.add(nick);
  }
  for (const nick of list.listed) found.delete(nick);
  return found;
}

/** Whoever left meanwhile need not be in it, back or not. */
function isHere(o: Observer, seen: Seen, list: List, nick: string): boolean {
  if (nick === seen.node.nick) return true;
  const peer = o.peers.get(nick);
  return peer !== undefined && peer.registeredAt < list.since;
}

/** D11, D12: whoever reads gets what is due within one flush window. */
function punctual(o: Observer, seen: Seen): void {
  due.rest(o);
  const { log, owing } = o;
  for (const c of owing) hasten(o, c, seen);
  if (log.items.length === 0) return;
  for (const c of o.peers.values()) if (!owing.has(c)) hasten(o, c, seen);
  due.trim(o);
}

/** What is due to one receiver, and when it would be late. */
function hasten(o: Observer, c: Conn, seen: Seen): void {
  if (c.congestedAt !== NEVER) return;
  let first = due.earliest(o, c);
  if (first !== undefined && isOverdue(o, c, first.since, seen.now)) {
    due.spill(o, c);
    late(o, c, seen);
    first = c.owed[0];
  }
  if (first !== undefined) due.hurry(o, c.movedAt > first.since ? c.movedAt : first.since);
}

/** Lines that may have come and are due by now have been dropped; others should have come. */
function late(o: Observer, c: Conn, seen: Seen): void {
  const isDue = (item: Owed): boolean => isOverdue(o, c, item.since, seen.now);
  const keys = new Set<string>();
  for (const item of c.owed) {
    if (item.maybe || keys.has(item.key) || !isDue(item)) continue;
    keys.add(item.key);
    const isNotice = item.key.startsWith(";");
    const nick = isNotice ? item.key.slice(1) : item.key;
    seen.out.push(violation(isNotice ? "D13" : "D12", "due and not sent", { conn: c.id, nick }));
  }
  due.drop(o, c, (item) => keys.has(item.key) || (item.maybe && isDue(item)));
}

/** A queue that moved lately is written in parts, one for each window. */
function isOverdue(o: Observer, c: Conn, since: Mono, now: Mono): boolean {
  if (c.congestedAt !== NEVER) return false;
  const from = c.movedAt > since ? c.movedAt : since;
  return now - from > o.config.outbox.flushMs;
}

/** D16: nobody is neither in nor out for longer than a handshake may take. */
function handshakes(o: Observer, seen: Seen): void {
  for (const c of o.shaking) {
    if (seen.now - c.openedAt < o.config.handshakeMs) return;
    const says = `shaking hands for ${seen.now - c.openedAt} ms`;
    seen.out.push(violation("D16", says, { conn: c.id }));
  }
}

/**
 * D1, D4, D7 and D12 without a walk: sums that agree, those who do not read, and the first instant
 * at which somebody can have been silent for too long.
 */
function glance(o: Observer, seen: Seen): void {
  const { node, now, out } = seen;
  tables.due(node, now, out);
  if (!tables.isEven(o, node)) out.push(...audit(o, node, now));
  if (o.congested.size > 0) tables.slowOnes(o, node, now, out);
  if (now > o.silentAt) tables.silences(o, now, out);
}

function remember(o: Observer, seen: Seen): void {
  const { totals } = seen.node.counts;
  if (totals.peerlistLines - o.peerlistLines > o.config.peerlistLinesPerFlush) {
    seen.out.push(violation("X3", "more lines of peerlists in one step than allowed"));
  }
  o.relayedPublic = totals.publicRelayed;
  o.relayedPrivate = totals.privateRelayed;
  o.droppedBehind = seen.node.counts.drops["target-behind"];
  o.registeredSum = totals.registered;
  o.peerlistLines = totals.peerlistLines;
  o.heartbeatPings = totals.heartbeatPings;
  const { heartbeat } = seen.node;
  o.beatAt = heartbeat.running ? heartbeat.dueAt + heartbeat.pausedMs : NEVER;
  o.now = seen.now;
  if (o.told.size > 0) o.told.clear();
  if (seen.now - o.latelyAt > latelyMs) forget(o, seen.now);
}

/** Who has left long ago; the earliest come first. */
function forget(o: Observer, now: Mono): void {
  o.latelyAt = NEVER;
  for (const [nick, endedAt] of o.lately) {
    if (now - endedAt <= latelyMs) {
      o.latelyAt = endedAt;
      return;
    }
    o.lately.delete(nick);
  }
}

/** Longer than any line may be on its way, so that the map stays small. */
const latelyMs = 120_000;

/** What each connection was sent and why it was closed: one side of D15. */
export type Outcome = Map<ConnId, { bytes: Uint8Array[]; closed: string | undefined }>;

/** Adds the effects of one step to what a run has come to. */
export function gather(outcome: Outcome, effects: readonly Effect[]): void {
  for (const effect of effects) {
    if (effect.type !== "conn.send" && effect.type !== "conn.close") continue;
    const known = outcome.get(effect.conn) ?? { bytes: [], closed: undefined };
    outcome.set(effect.conn, known);
    if (effect.type === "conn.send") known.bytes.push(effect.bytes.slice());
    else known.closed ??= effect.reason;
  }
}

/** D15: two nodes were fed the same streams at the same times, cut differently. */
export function sameOutcome(a: Outcome, b: Outcome): readonly Violation[] {
  const out: Violation[] = [];
  for (const conn of new Set([...a.keys(), ...b.keys()])) {
    const [ours, theirs] = [a.get(conn), b.get(conn)];
    if (ours?.closed !== theirs?.closed) {
      const says = `closed as ${ours?.closed} and as ${theirs?.closed}`;
      out.push(violation("D15", says, { conn }));
    }
    if (!equal(concat(ours?.bytes ?? []), concat(theirs?.bytes ?? []))) {
      out.push(violation("D15", "was sent different lines", { conn }));
    }
  }
  return out;
}
