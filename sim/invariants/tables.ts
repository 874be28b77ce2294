/**
 * The tables of a directory node, looked through: each is about connections that live, and bounded.
 *
 * Rule 1: costs a walk over every table; whoever simulates thousands of peers does it now and then.
 * Rule 2: what the observer knows is the truth, the node's tables are what is checked.
 * @module
 */
import { departedMax } from "../../core/directory/admission.ts";
import type { Directory } from "../../core/directory/node.ts";
import type { ConnId } from "../../core/ids.ts";
import type { Box } from "../../core/outbox.ts";
import { NEVER, type Mono } from "../../core/time.ts";
import { least } from "./due.ts";
import { noticesMax, type Conn, type Observer } from "./observer.ts";
import { violation, type InvariantId, type Violation } from "./violation.ts";

/** D1: sessions, registry and the observer agree on who owns which nick, both ways. */
export function owners(o: Observer, d: Directory, out: Violation[]): void {
  for (const [nick, peer] of d.registry.byNick) {
    const at = { conn: peer.conn, nick };
    const s = d.sessions.byConn.get(peer.conn);
    const isBound = s?.at.phase === "registered" && s.at.peer === peer && peer.nick === nick;
    if (!isBound) out.push(violation("D1", "an owner without its session", at));
    const c = o.peers.get(nick);
    if (c === undefined) out.push(violation("D1", "an owner that never shook hands", at));
    else if (c.id !== peer.conn) out.push(violation("D1", "the nick has another owner", at));
  }
  for (const [nick, c] of o.peers) {
    if (d.registry.byNick.get(nick)?.conn === c.id) continue;
    out.push(violation("D2", "lost its nick without an end of its own", { conn: c.id, nick }));
  }
  for (const s of d.sessions.byConn.values()) {
    if (s.at.phase !== "registered") continue;
    if (d.registry.byNick.get(s.at.peer.nick) === s.at.peer) continue;
    out.push(violation("D1", "a session without its nick", { conn: s.conn }));
  }
}

/** D4: tables of connections hold those that live and no other. */
export function leaks(o: Observer, d: Directory, out: Violation[]): void {
  const isPeer = (id: ConnId): boolean => o.conns.get(id)?.phase === "peer";
  const isShaking = (id: ConnId): boolean => shakes(o.conns.get(id));
  const isOpen = (id: ConnId): boolean => isPeer(id) || isShaking(id);
  const isKnown = (id: ConnId): boolean => o.conns.has(id);
  among(d.sessions.byConn.keys(), isKnown, "sessions", "D4", out);
  among(d.outbox.boxes.keys(), isOpen, "outbox", "D4", out);
  among(d.outbox.stuck.due.keys(), isOpen, "stuck readers", "D4", out);
  among(d.sessions.shaking.due.keys(), isShaking, "handshakes", "D4", out);
  among(d.sessions.unfinished.due.keys(), isPeer, "unfinished lines", "D4", out);
  among(d.sessions.closing.due.keys(), (id) => o.conns.get(id)?.phase === "ended", "closing", "D4",
    out);
  among(d.contest.open.keys(), isPeer, "contests", "D4", out);
  among(d.contest.waiting.keys(), isShaking, "waiting newcomers", "D4", out);
  among(d.contest.peace.keys(), isPeer, "peace", "D4", out);
  among(d.listing.cursors.keys(), isPeer, "lists", "D4", out);
  among(d.heartbeat.pending.keys(), isPeer, "pending pings", "D9", out);
  among(d.admission.bound.keys(), isKnown, "circuits", "D4", out);
  if (d.sessions.byConn.size !== o.conns.size) says(out, "D4", "a connection without a session");
  if (d.outbox.members.size !== o.peers.size) says(out, "D4", "members are not the peers");
  budgets(o, d, out);
  beats(o, d, out);
  for (const nick of d.leaves.gone.keys()) {
    if (o.peers.has(nick)) out.push(violation("D13", "a notice about who is back", { nick }));
  }
}

function shakes(c: Conn | undefined): boolean {
  return c !== undefined && c.phase !== "peer" && c.phase !== "ended";
}

function among(
  ids: Iterable<ConnId>, isRight: (id: ConnId) => boolean, table: string, id: InvariantId,
  out: Violation[],
): void {
  for (const conn of ids) {
    if (!isRight(conn)) out.push(violation(id, `${table}: an entry of a dead one`, { conn }));
  }
}

function says(out: Violation[], id: InvariantId, what: string): void {
  out.push(violation(id, what));
}

/** Keys of budgets are connections, or circuits as negative numbers. */
function budgets(o: Observer, d: Directory, out: Violation[]): void {
  const { buckets, drops, circuits, departed } = d.admission;
  const tables: (readonly [string, Iterable<number>])[] = [["drops", drops.keys()]];
  for (const [name, limiter] of Object.entries(buckets)) tables.push([name, limiter.tats.keys()]);
  for (const [name, keys] of tables) {
    for (const key of keys) {
      const isLive = key >= 0 ? o.conns.has(key as ConnId) : circuits.has(key) || departed.has(key);
      if (!isLive) says(out, "D4", `budget ${name}: key ${key} of a dead one`);
    }
  }
  if (departed.size > departedMax) says(out, "X3", "more departed circuits than are remembered");
}

function beats(o: Observer, d: Directory, out: Violation[]): void {
  let count = 0;
  for (const slot of d.heartbeat.slots) {
    for (const beat of slot.beats) {
      count += 1;
      if (o.conns.get(beat.conn)?.phase === "peer") continue;
      out.push(violation("D4", "heartbeat: an entry of a dead one", { conn: beat.conn }));
    }
  }
  if (count !== o.peers.size) says(out, "D4", `${count} heartbeats for ${o.peers.size} peers`);
}

/** Makers that a registry keeps room for beyond those it has. */
const makersMin = 64;
const featureListsMax = 256;
const recentMax = 50;

/** X3: sizes stay below what the configuration and the modules declare; sums are sums. */
export function bounds(o: Observer, d: Directory, out: Violation[]): void {
  const { outbox, registry, sessions } = d;
  const { makers, makerCount } = registry;
  let pending = 0;
  for (const s of sessions.byConn.values()) pending += s.pendingBytes;
  if (pending !== sessions.pendingBytes) says(out, "X3", "the sum of unfinished lines is wrong");
  if (pending > o.config.inputBytesTotalMax) says(out, "X3", "unfinished lines exceed their bound");
  if (o.shaking.size > o.config.handshakingMax) says(out, "X3", "too many without a handshake");
  if (outbox.totalBytes > o.config.outbox.bytesTotalMax) says(out, "X3", "queues exceed their sum");
  if (outbox.totalBytes < 0) says(out, "X3", "queues hold less than nothing");
  // Holes are looked for when a maker leaves, and only in a list that is long by then.
  const holes = makers.length - makerCount;
  if (holes > makersMin && holes > makerCount) {
    says(out, "X3", "the list of makers is mostly holes");
  }
  if (registry.featureLists.size > featureListsMax) says(out, "X3", "too many feature lists");
  if (d.recent.length > recentMax) says(out, "X3", "too many recent events");
  if (d.leaves.gone.size > noticesMax) says(out, "X3", "too many leave notices wait");
  if (d.draws.size > o.entropyAsked) says(out, "X3", "random bytes are awaited that nobody gives");
  if (d.contest.open.size > o.peers.size) says(out, "X3", "more contests than peers");
}

/** D12: each queue is bounded, by the node's count and by ours, and a stuck reader ends in time. */
export function queues(o: Observer, d: Directory, now: Mono, out: Violation[]): void {
  let sum = 0;
  for (const box of d.outbox.boxes.values()) {
    sum += box.pieceBytes;
    queue(o, box, out);
  }
  if (sum !== d.outbox.pieceBytes) says(out, "X3", "the sum of pieces is wrong");
  resumed(o, d, now, out);
  for (const c of o.conns.values()) {
    stuck(o, c, now, out);
    if (c.phase === "peer") owed(o, c, out);
  }
}

/** D14: a list that waits for its reader goes on when that reads again. */
function resumed(o: Observer, { listing }: Directory, now: Mono, out: Violation[]): void {
  for (const id of listing.cursors.keys()) {
    if (listing.active.has(id) || listing.waiting.has(id)) continue;
    const c = o.conns.get(id);
    if (c === undefined || c.congestedAt !== NEVER || now - c.movedAt < movedMs) continue;
    out.push(violation("D14", "a peerlist waits for a reader that reads", { conn: id }));
  }
}

/** After congestion is over, what waits is written in the same step. */
const movedMs = 1_000;

function queue(o: Observer, box: Box, out: Violation[]): void {
  const { bytesMax } = o.config.outbox;
  const at = { conn: box.conn };
  if (box.queuedBytes > bytesMax) out.push(violation("D12", "a queue beyond its bound", at));
  if (box.pieceBytes > bytesMax) out.push(violation("D12", "pieces beyond their bound", at));
}

function owed(o: Observer, c: Conn, out: Violation[]): void {
  const { bytesMax, flushBytes } = o.config.outbox;
  const windowMax = 5 * flushBytes + 2 * (o.config.lineBytesMax + 2);
  if (least(o, c) <= bytesMax + windowMax) return;
  out.push(violation("D12", "more on its way than a queue may hold", { conn: c.id }));
}

function stuck(o: Observer, c: Conn, now: Mono, out: Violation[]): void {
  if (c.phase === "ended" || c.congestedAt === NEVER) return;
  if (now - c.congestedAt < o.config.outbox.congestedMsMax) return;
  out.push(violation("D12", "a reader that is stuck for too long", { conn: c.id }));
}

/** D12 of those who do not read: few, and looked at after every step. */
export function slowOnes(o: Observer, d: Directory, now: Mono, out: Violation[]): void {
  let stuckAt = NEVER as number;
  for (const c of o.congested) {
    const box = d.outbox.boxes.get(c.id);
    if (box !== undefined) queue(o, box, out);
    if (c.phase === "peer") owed(o, c, out);
    if (now >= o.stuckAt) stuck(o, c, now, out);
    const at = c.congestedAt + o.config.outbox.congestedMsMax;
    if (at < stuckAt) stuckAt = at;
  }
  o.stuckAt = stuckAt;
}

/**
 * D7: nobody is silent for longer than the heartbeat allows; a late host is not counted. Nobody
 * else can be before `o.silentAt`, which is set here.
 */
export function silences(o: Observer, now: Mono, out: Violation[]): void {
  if (!o.beating) return;
  const { idleMs, sweepMs, pongMs, hardMs } = o.config.heartbeat;
  let silentAt = NEVER as number;
  for (const [nick, c] of o.peers) {
    const silentMs = now - c.silentFrom - (o.lateMs - c.lateMs);
    const boundMs = c.hello?.ping === true ? idleMs + sweepMs + pongMs : hardMs + sweepMs;
    const at = c.silentFrom + boundMs;
    if (at < silentAt) silentAt = at;
    if (silentMs <= boundMs) continue;
    out.push(violation("D7", `silent for ${silentMs} ms and still here`, { conn: c.id, nick }));
  }
  // Who is spared because the host was late is looked at again soon.
  o.silentAt = silentAt > now ? silentAt : now + sparedMs;
}

/** How often one is looked at who would be silent for too long, were it not for a late host. */
const sparedMs = 1_000;

/** X4: no part of the node is left with something due: the root wakes for each of them. */
export function due(d: Directory, now: Mono, out: Violation[]): void {
  if (d.contest.dueAt <= now) says(out, "X4", "a contest is left due");
  if (d.outbox.flushAt <= now) says(out, "X4", "a flush is left due");
  if (d.leaves.dueAt <= now) says(out, "X4", "leave notices are left due");
  if (d.listing.dueAt <= now) says(out, "X4", "a list is left due");
  if (d.drainDueAt <= now) says(out, "X4", "the end of the drain is left due");
}

/** Sums that every step must leave equal; where one is not, tables are looked through. */
export function isEven(o: Observer, d: Directory): boolean {
  return d.registry.byNick.size === o.peers.size && d.sessions.byConn.size === o.conns.size
    && d.outbox.members.size === o.peers.size;
}
