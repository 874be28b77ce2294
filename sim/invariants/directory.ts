/**
 * The safety invariants of a directory node, as checks that know nothing of how the node works.
 *
 * | id  | where it is checked                                                          |
 * |-----|------------------------------------------------------------------------------|
 * | D1  | `observe` (each registration), `audit` (`owners`)                            |
 * | D2  | `observe` (`stale`, everything sent to or ended twice), `audit` (`owners`)   |
 * | D3  | `observe` (reasons `displaced` and `nick-contest`, results of proofs)        |
 * | D4  | `observe` (peersMax at each registration), `audit` (`leaks`)                 |
 * | D5  | `observe` (reason `idle-timeout`, each PING that is marked as pending)       |
 * | D6  | `observe` (reason `pong-timeout`)                                            |
 * | D7  | `audit` (`silences`)                                                         |
 * | D8  | `observe` (`anchored`)                                                       |
 * | D9  | `observe` (`pings`), `audit` (`leaks`)                                       |
 * | D10 | `observe` (each private line and its hint, held against what is due)         |
 * | D11 | `observe` (each public line; what is due and does not come)                  |
 * | D12 | `observe` (`punctual`, sends while congested), `audit` (`queues`)            |
 * | D13 | `observe` (each notice, held against what is due), `audit` (`leaks`)         |
 * | D14 | `observe` (each line of a list, and that a list is whole: `complete`)        |
 * | D15 | `observe` (lines without effect), `sameOutcome` (two runs, other splits)     |
 * | D16 | `observe` (`handshakes`, order of what is sent before a peer is in)          |
 * | X3  | `observe` (lines of lists in one step), `audit` (`bounds`)                   |
 *
 * X1, X2 and X4 to X6 are those of any kernel: `cross.ts`. `wire` is checked with each line sent.
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
import {
  create, register, waive, type Conn, type Effect, type Event, type Observer, type Seen,
} from "./observer.ts";
import { sent } from "./sent.ts";
import * as tables from "./tables.ts";
import { violation, type Violation } from "./violation.ts";

export { create };
export type { Effect, Event, Observer };

/** Takes one step in and says what it broke. `node` is the state after the step. */
export function observe(
  o: Observer, node: Directory, event: Event, effects: readonly Effect[], now: Mono,
): readonly Violation[] {
  const closes = new Map<ConnId, string>();
  for (const effect of effects) {
    if (effect.type === "conn.close") closes.set(effect.conn, effect.reason);
  }
  const seen: Seen = { node, event, effects, now, closes, out: [] };
  if (now > o.wakeAt) o.lateMs += now - o.wakeAt + graceMs;
  if (now < o.wakeAt) {
    stale(o, seen);
    anchored(seen);
  }
  heard(o, seen);
  sent(o, seen);
  joined(o, seen);
  pings(o, seen);
  complete(o, seen);
  punctual(o, seen);
  handshakes(o, seen);
  remember(o, seen);
  return seen.out;
}

/** After a late tick the node spares everybody for up to this long. */
const graceMs = 1_000;

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

/** D1, D4: newcomers that waited and are in now. */
function joined(o: Observer, seen: Seen): void {
  const { registry, sessions, counts } = seen.node;
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
  const isMore = counts.totals.registered > o.registeredSum;
  if (isMore && registry.byNick.size > o.config.peersMax) {
    seen.out.push(violation("D4", `${registry.byNick.size} peers`));
  }
}

/** D5, D9: the heartbeat awaits only peers, and only those that were silent long enough. */
function pings(o: Observer, seen: Seen): void {
  const { pending } = seen.node.heartbeat;
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
  o.pinged.add(c);
  if (seen.now - c.lineAt >= o.config.heartbeat.idleMs) return;
  seen.out.push(violation("D5", "pinged though heard lately", { conn: c.id }));
}

/** D14: a list that is done has each maker that was here all the time, and the node itself. */
function complete(o: Observer, seen: Seen): void {
  for (const c of o.listing) {
    const { list } = c;
    if (list === undefined || seen.node.listing.cursors.has(c.id)) continue;
    if (list.missing === undefined) {
      list.doneAt = seen.now;
      list.missing = new Set();
      if (o.config.location !== undefined) list.missing.add(seen.node.nick);
      for (const [nick, peer] of o.peers) {
        if (peer.hello?.maker === true && peer.registeredAt < list.since) list.missing.add(nick);
      }
      for (const nick of list.listed) list.missing.delete(nick);
    }
    for (const nick of list.missing) if (!isHere(o, seen, nick)) list.missing.delete(nick);
    if (list.missing.size === 0) o.listing.delete(c);
    else if (isOverdue(o, c, list.doneAt, seen.now)) {
      o.listing.delete(c);
      for (const nick of list.missing) {
        seen.out.push(violation("D14", "missing in a peerlist", { conn: c.id, nick }));
      }
    }
  }
}

function isHere(o: Observer, seen: Seen, nick: string): boolean {
  return nick === seen.node.nick || o.peers.has(nick);
}

/** D11, D12: whoever reads gets what is due within one flush window. */
function punctual(o: Observer, seen: Seen): void {
  for (const c of o.owing) {
    if (c.congestedAt !== NEVER) continue;
    for (const [key, queue] of c.owed) {
      if (queue[0]?.maybe === true) {
        waive(o, c, key, (item) => isOverdue(o, c, item.since, seen.now));
      }
      const first = queue[0];
      if (first === undefined || !isOverdue(o, c, first.since, seen.now)) continue;
      const nick = key.startsWith(";") ? key.slice(1) : key;
      const id = key.startsWith(";") ? "D13" : "D12";
      seen.out.push(violation(id, "due and not sent", { conn: c.id, nick }));
      c.owed.delete(key);
    }
  }
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
  o.now = seen.now;
  o.told.clear();
  for (const effect of seen.effects) if (effect.type === "wake") o.wakeAt = effect.at;
  for (const [nick, endedAt] of o.lately) {
    if (seen.now - endedAt <= latelyMs) break;
    o.lately.delete(nick);
  }
}

/** Longer than any flush window, so that the map stays small. */
const latelyMs = 60_000;

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
