/**
 * Liveness of registered peers.
 *
 * Rule 1: any complete line is life; the parent says `seen`. Silence of `idleMs` earns a probe,
 * silence of `hardMs` an eviction, and so does a PING that no line follows within `pongMs`.
 * The probe of a maker is repeated at every look: nothing waits for its answer, which is slow.
 * Rule 2: each peer belongs to one of up to 64 slots, given in turn, and is looked at only when its
 * slot comes round, once in `sweepMs`. So probes are spread over the interval, a dead peer that
 * can be pinged is gone by `idleMs + sweepMs + pongMs`, a silent one by `hardMs + sweepMs`.
 * Rule 3: a PING is marked pending as it is emitted, under its connection. The wait delays nothing,
 * and the mark goes with an answer, with the connection, and with `stopped`.
 * Rule 4: a slot keeps a lower bound of when it next matters. A received line can only make that
 * later, so `seen` writes one field, and a look that comes too early finds nothing to do.
 * Rule 5: time in which we did not run is not silence of theirs. A tick more than `sweepMs` late
 * means that the node was paused, and what it is late by is taken out of everybody's clock
 * (`pausedMs`). A tick that is late at all (`lateMsMax`) probes but evicts nobody, once, so that
 * the host can read what has arrived meanwhile; if the next ones are late too, they evict. Who was
 * spared is looked at again as soon as that is over, and not a whole turn later.
 * Rule 6: at a threshold itself, it has passed. The kernel runs a due tick before the event of the
 * same instant, so an answer in the very millisecond of its deadline is too late.
 *
 * Never sees bytes, nicks or wall time; closing a peer is the parent's business. An evicted peer is
 * forgotten as the eviction is emitted: the parent may still say `seen` and `removed`.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { ConnId } from "../ids.ts";
import type { Tick } from "../kernel/io.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import type { HeartbeatConfig } from "./config.ts";

/** Can answer PING; a maker that cannot; anyone else, who is never probed. */
export type Kind = "ping" | "maker" | "mute";

/** Instants of this machine: monotonic time without the pauses of the node. */
type Lived = Mono;

/** One tracked peer. The parent keeps it in the session and only passes it back. */
export type Beat = {
  readonly conn: ConnId;
  readonly kind: Kind;
  slot: number;
  /** Place in the slot; `gone` once it is no longer tracked. */
  index: number;
  seenAt: Lived;
  /** When the pending PING went out; `none` if no answer is awaited. */
  pingedAt: Lived;
};

/** Peers that are looked at together, and an instant before which none of them matters. */
export type Slot = { readonly beats: Beat[]; dueAt: Lived };

export type Heartbeat = {
  config: HeartbeatConfig;
  running: boolean;
  /** The node's pauses so far, in ms; `Lived` is `Mono` less this. */
  pausedMs: number;
  /** Slot `i` is looked at `i / slots.length` of an interval after this, and every interval. */
  originAt: Lived;
  slots: Slot[];
  /** The slot of the next peer. */
  turn: number;
  /** Peers with an unanswered PING, the earliest first. */
  readonly pending: Map<ConnId, Beat>;
  /** No later than the next instant at which a tick does anything. */
  dueAt: Lived;
  /** No eviction before this, after a late tick. */
  mercyUntil: Lived;
  /** A late tick has shown mercy and no punctual one has come since. */
  mercyShown: boolean;
};

export type Event =
  | { readonly type: "added"; readonly conn: ConnId; readonly kind: Kind }
  | { readonly type: "seen"; readonly conn: ConnId }
  | { readonly type: "removed"; readonly conn: ConnId }
  | { readonly type: "started" }
  | { readonly type: "stopped" }
  | { readonly type: "reloaded"; readonly config: HeartbeatConfig }
  | Tick;

export type Effect =
  | { readonly type: "ping"; readonly conn: ConnId }
  /** The unicast `!orderbook` to a maker that cannot be pinged. */
  | { readonly type: "probe"; readonly conn: ConnId }
  | { readonly type: "evict"; readonly conn: ConnId; readonly reason: Reason };

export type Reason = "idle-timeout" | "pong-timeout";

/** Enough to spread 10,000 probes thinly, few enough to look through at each tick. */
export const slotsMax = 64;

/** A tick is late beyond this, or beyond the pong wait or the sweep if they are shorter; in ms. */
export const lateMsMax = 1_000;

const none = -1 as Lived;
const gone = -1;

/** Tracks nobody, not started. Asserts `pongMs < idleMs < hardMs`, and that each is 1 or more. */
export function create(config: HeartbeatConfig, now: Mono): Heartbeat {
  assertConfig(config);
  return {
    config,
    running: false,
    pausedMs: 0,
    originAt: now,
    slots: slotsOf(config),
    turn: 0,
    pending: new Map(),
    dueAt: NEVER,
    mercyUntil: now,
    mercyShown: false,
  };
}

/**
 * The machine as events. `added`, `seen` and `removed` look the peer up one by one here: a parent
 * with thousands of peers calls those functions with its `Beat`.
 */
export function step(m: Heartbeat, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "added": return addedOnce(m, event.conn, event.kind, now);
    case "seen": return seenByConn(m, event.conn, now);
    case "removed": return removedByConn(m, event.conn);
    case "started": return started(m, now);
    case "stopped": return stopped(m);
    case "reloaded": return reloaded(m, event.config, now);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** No later than the next tick that does anything; `NEVER` while stopped or without peers. */
export function deadline(m: Heartbeat): Mono {
  return m.running ? after(m.dueAt, m.pausedMs) : NEVER;
}

/** A peer registered at `now`, its first sign of life. Tracked also while stopped. */
export function added(m: Heartbeat, conn: ConnId, kind: Kind, now: Mono): Beat {
  const seenAt = lived(m, now);
  const beat: Beat = { conn, kind, slot: 0, index: gone, seenAt, pingedAt: none };
  place(m, beat);
  if (m.running) {
    const slot = slotAt(m, beat.slot);
    slot.dueAt = soonest(slot.dueAt, lookAt(m, beat.slot, mattersAt(m, beat), seenAt));
    m.dueAt = soonest(m.dueAt, slot.dueAt);
  }
  return beat;
}

/** A complete line came from the peer. O(1), for every line; harmless once the peer is gone. */
export function seen(m: Heartbeat, beat: Beat, now: Mono): void {
  beat.seenAt = lived(m, now);
  if (beat.pingedAt !== none) settle(m, beat);
}

/** The peer is no longer registered, for whatever reason. Safe to repeat, and after `evict`. */
export function removed(m: Heartbeat, beat: Beat): void {
  if (beat.index === gone) return;
  if (beat.pingedAt !== none) settle(m, beat);
  const { beats } = slotAt(m, beat.slot);
  const last = beats.pop();
  assert(last !== undefined, "a tracked peer has a place in its slot");
  if (last !== beat) {
    beats[beat.index] = last;
    last.index = beat.index;
  }
  beat.index = gone;
}

/** Who has a PING unanswered, the earliest first. A copy. */
export function pending(m: Heartbeat): readonly ConnId[] {
  return [...m.pending.keys()];
}

/** Is an answer to a PING of the heartbeat awaited from this peer? */
export function isPending(m: Heartbeat, beat: Beat): boolean {
  return m.pending.get(beat.conn) === beat;
}

/** Started and not stopped. */
export function isRunning(m: Heartbeat): boolean {
  return m.running;
}

/** The first slot is looked at now, at the earliest a millisecond on. Repeated: nothing. */
export function started(m: Heartbeat, now: Mono): void {
  if (m.running) return;
  m.running = true;
  m.originAt = lived(m, now);
  plan(m, m.originAt);
}

/** Nothing more is emitted or awaited; peers stay tracked. Safe in any phase. */
export function stopped(m: Heartbeat): void {
  m.running = false;
  for (const beat of m.pending.values()) beat.pingedAt = none;
  m.pending.clear();
  m.mercyShown = false;
}

/** New thresholds, for every peer from the next millisecond on. The slots are dealt anew. */
export function reloaded(m: Heartbeat, config: HeartbeatConfig, now: Mono): void {
  assertConfig(config);
  const before = m.slots;
  m.config = config;
  m.slots = slotsOf(config);
  m.turn = 0;
  for (const slot of before) for (const beat of slot.beats) place(m, beat);
  if (m.running) plan(m, lived(m, now));
}

/** Looks at whoever is due; nothing before `deadline`. At most one effect for each peer. */
export function tick(m: Heartbeat, now: Mono, out: Effect[]): void {
  const dueAt = deadline(m);
  if (now < dueAt) return;
  excuse(m, now, now - dueAt);
  const at = lived(m, now);
  evictUnanswered(m, at, out);
  for (let index = 0; index < m.slots.length; index += 1) {
    if (slotAt(m, index).dueAt <= at) look(m, index, at, out);
  }
  m.dueAt = nextDue(m, at);
}

/** Rule 5: what a late tick means. */
function excuse(m: Heartbeat, now: Mono, lateMs: number): void {
  const { sweepMs, pongMs } = m.config;
  const graceMs = least(lateMsMax, least(sweepMs, pongMs));
  const wasPaused = lateMs > sweepMs;
  if (wasPaused) m.pausedMs += lateMs;
  const at = lived(m, now);
  if (wasPaused || (lateMs > graceMs && !m.mercyShown)) {
    m.mercyUntil = after(at, graceMs);
    m.mercyShown = true;
  } else if (lateMs <= graceMs && at >= m.mercyUntil) {
    m.mercyShown = false;
  }
}

function evictUnanswered(m: Heartbeat, at: Lived, out: Effect[]): void {
  if (at < m.mercyUntil) return;
  for (const beat of m.pending.values()) {
    if (after(beat.pingedAt, m.config.pongMs) > at) return;
    evict(m, beat, "pong-timeout", out);
  }
}

function look(m: Heartbeat, slotIndex: number, at: Lived, out: Effect[]): void {
  const slot = slotAt(m, slotIndex);
  const { beats } = slot;
  let isSpared = false;
  let index = 0;
  while (index < beats.length) {
    const beat = beats[index] as Beat;
    judge(m, beat, at, out);
    if (at < m.mercyUntil && at - beat.seenAt >= m.config.hardMs) isSpared = true;
    // The place of an evicted peer goes to the last one of the slot, which is judged next.
    if (beat.index !== gone) index += 1;
  }
  planSlot(m, slotIndex, at);
  if (isSpared) slot.dueAt = soonest(slot.dueAt, m.mercyUntil);
}

function judge(m: Heartbeat, beat: Beat, at: Lived, out: Effect[]): void {
  const silentMs = at - beat.seenAt;
  if (silentMs >= m.config.hardMs && at >= m.mercyUntil) {
    return evict(m, beat, "idle-timeout", out);
  }
  if (silentMs < m.config.idleMs) return;
  switch (beat.kind) {
    case "ping": return ping(m, beat, at, out);
    case "maker": return void out.push({ type: "probe", conn: beat.conn });
    case "mute": return;
    default: return unreachable(beat.kind); /* c8 ignore next */
  }
}

function ping(m: Heartbeat, beat: Beat, at: Lived, out: Effect[]): void {
  if (beat.pingedAt !== none) return;
  beat.pingedAt = at;
  m.pending.set(beat.conn, beat);
  out.push({ type: "ping", conn: beat.conn });
}

function evict(m: Heartbeat, beat: Beat, reason: Reason, out: Effect[]): void {
  removed(m, beat);
  out.push({ type: "evict", conn: beat.conn, reason });
}

/** The PING of this peer is no longer waited for. */
function settle(m: Heartbeat, beat: Beat): void {
  beat.pingedAt = none;
  m.pending.delete(beat.conn);
}

function plan(m: Heartbeat, at: Lived): void {
  for (let index = 0; index < m.slots.length; index += 1) planSlot(m, index, at);
  m.dueAt = nextDue(m, at);
}

function planSlot(m: Heartbeat, index: number, at: Lived): void {
  const slot = slotAt(m, index);
  let dueAt = NEVER;
  for (const beat of slot.beats) dueAt = soonest(dueAt, mattersAt(m, beat));
  slot.dueAt = lookAt(m, index, dueAt, at);
}

/** Rule 4: until then nothing is due for this peer, whatever it may send meanwhile. */
function mattersAt(m: Heartbeat, beat: Beat): Lived {
  const { idleMs, hardMs } = m.config;
  if (beat.kind === "mute") return after(beat.seenAt, hardMs);
  if (beat.pingedAt === none) return after(beat.seenAt, idleMs);
  // An answer may come from now on and would make the peer idle again `idleMs` later.
  return soonest(after(beat.seenAt, hardMs), after(beat.pingedAt, idleMs));
}

/** The first turn of a slot that is not before `dueAt` and after `at`. */
function lookAt(m: Heartbeat, index: number, dueAt: Lived, at: Lived): Lived {
  if (dueAt === NEVER) return NEVER;
  const { sweepMs } = m.config;
  const share = index * sweepMs;
  const phaseMs = (share - (share % m.slots.length)) / m.slots.length;
  const from = dueAt > at ? dueAt : after(at, 1);
  const past = (from - m.originAt - phaseMs) % sweepMs;
  if (past === 0) return from;
  return after(from, past > 0 ? sweepMs - past : -past);
}

function nextDue(m: Heartbeat, at: Lived): Lived {
  let dueAt = NEVER;
  for (const slot of m.slots) dueAt = soonest(dueAt, slot.dueAt);
  for (const beat of m.pending.values()) {
    const answerBy = latest(after(beat.pingedAt, m.config.pongMs), m.mercyUntil);
    return soonest(dueAt, latest(answerBy, after(at, 1)));
  }
  return dueAt;
}

function place(m: Heartbeat, beat: Beat): void {
  const { beats } = slotAt(m, m.turn);
  beat.slot = m.turn;
  beat.index = beats.length;
  beats.push(beat);
  m.turn = (m.turn + 1) % m.slots.length;
}

function slotAt(m: Heartbeat, index: number): Slot {
  return m.slots[index] as Slot;
}

function slotsOf(config: HeartbeatConfig): Slot[] {
  const count = least(slotsMax, config.sweepMs);
  return Array.from({ length: count }, () => ({ beats: [], dueAt: NEVER }));
}

function lived(m: Heartbeat, now: Mono): Lived {
  return (now - m.pausedMs) as Lived;
}

function addedOnce(m: Heartbeat, conn: ConnId, kind: Kind, now: Mono): void {
  if (find(m, conn) !== undefined) assert(false, `connection ${conn} is tracked already`);
  added(m, conn, kind, now);
}

function seenByConn(m: Heartbeat, conn: ConnId, now: Mono): void {
  const beat = find(m, conn);
  if (beat !== undefined) seen(m, beat, now);
}

function removedByConn(m: Heartbeat, conn: ConnId): void {
  const beat = find(m, conn);
  if (beat !== undefined) removed(m, beat);
}

function find(m: Heartbeat, conn: ConnId): Beat | undefined {
  for (const { beats } of m.slots) {
    for (const beat of beats) if (beat.conn === conn) return beat;
  }
  return undefined;
}

function assertConfig(config: HeartbeatConfig): void {
  const { sweepMs, idleMs, hardMs, pongMs } = config;
  for (const ms of [sweepMs, idleMs, hardMs, pongMs]) {
    assert(Number.isSafeInteger(ms), "a heartbeat time is a whole number of milliseconds");
    assert(ms >= 1, "a heartbeat time is at least 1 ms");
  }
  assert(pongMs < idleMs, "the pong wait must be shorter than the idle threshold");
  assert(idleMs < hardMs, "the idle threshold must be shorter than the hard eviction");
}

function latest(a: Lived, b: Lived): Lived {
  return a > b ? a : b;
}

function least(a: number, b: number): number {
  return a < b ? a : b;
}
