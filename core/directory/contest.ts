/**
 * Nick contests: an incumbent whose nick a newcomer claims without proof must show that it lives.
 *
 * Rule 1: an incumbent that can be pinged has `contestPingMs`; one newcomer waits for the outcome.
 * A maker that cannot has `contestMakerMs`, longer than a handshake may last, so its newcomer is
 * refused and may come back. Anyone else keeps the nick until the heartbeat takes it.
 * Rule 2: any complete line of the incumbent after the contest began wins it for the incumbent.
 * Rule 3: an incumbent that has just defended its nick is left in peace for as long again, else a
 * stranger could have us ping a victim without end.
 * Rule 4: a newcomer that leaves takes back its claim and not the question: the incumbent still
 * has to answer, and the next newcomer may wait for the rest of the same contest.
 * Rule 5: a late tick is our fault. One that is late by more than `lateMsMax` puts each contest off
 * once by as much, so that the host can read an answer that is already there.
 *
 * The kernel runs a due tick before the event of the same instant: an answer in the very
 * millisecond of the deadline is too late. Knows no nicks and closes nothing. `won` says that the
 * incumbent is gone, not that the nick is free: another may have taken it in the same step.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { ConnId } from "../ids.ts";
import type { Tick } from "../kernel/io.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import type { DirectoryConfig } from "./config.ts";
import type { Kind } from "./heartbeat.ts";

export type ContestConfig = Pick<DirectoryConfig, "contestPingMs" | "contestMakerMs">;

/** A newcomer's claim. */
export type Claim = {
  readonly incumbent: ConnId;
  /** What the incumbent is. */
  readonly kind: Kind;
  readonly newcomer: ConnId;
  /** The heartbeat awaits an answer of the incumbent already: a second PING adds nothing. */
  readonly beatPending: boolean;
};

/** An incumbent that has to answer. */
export type Open = {
  readonly kind: "ping" | "maker";
  dueAt: Mono;
  /** Rule 5 has been used. */
  putOff: boolean;
  /** Who waits for the outcome. */
  newcomer: ConnId | undefined;
};

export type Contest = {
  readonly config: ContestConfig;
  /** By incumbent. Never more than there are registered peers. */
  readonly open: Map<ConnId, Open>;
  /** Waiting newcomers, to their incumbents. */
  readonly waiting: Map<ConnId, ConnId>;
  /** Incumbents that have answered, to the end of their peace; kept until asked again or gone. */
  readonly peace: Map<ConnId, Mono>;
  /** No later than the earliest end of an open contest. */
  dueAt: Mono;
};

export type Event =
  | { readonly type: "seen"; readonly incumbent: ConnId }
  | { readonly type: "gone"; readonly conn: ConnId }
  | Tick;

export type Effect =
  | { readonly type: "ping"; readonly conn: ConnId }
  /** The unicast `!orderbook` to a maker that cannot be pinged. */
  | { readonly type: "probe"; readonly conn: ConnId }
  /** The incumbent lives: turn the waiting newcomer away. */
  | { readonly type: "refused"; readonly conn: ConnId }
  /** The incumbent did not answer: evict it. */
  | { readonly type: "lost"; readonly conn: ConnId }
  /** The incumbent is gone: the waiting newcomer may go on. */
  | { readonly type: "won"; readonly conn: ConnId };

/** What to tell the newcomer: wait for `won` or `refused`, or turn it away now. */
export type Verdict = "wait" | "refuse";

/** A tick is late beyond this, or beyond the contest if it is shorter; in ms. */
export const lateMsMax = 1_000;

/** No contest. Both times are at least 1 ms. */
export function create(config: ContestConfig): Contest {
  assert(config.contestPingMs >= 1, "contestPingMs is at least 1");
  assert(config.contestMakerMs >= 1, "contestMakerMs is at least 1");
  const { contestPingMs, contestMakerMs } = config;
  return {
    config: { contestPingMs, contestMakerMs },
    open: new Map(),
    waiting: new Map(),
    peace: new Map(),
    dueAt: NEVER,
  };
}

/** What can also be said by a direct call, as events. */
export function step(m: Contest, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "seen": return seen(m, event.incumbent, now, out);
    case "gone": return gone(m, event.conn, now, out);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** No later than the next tick that does anything; `NEVER` without contests. */
export function deadline(m: Contest): Mono {
  return m.dueAt;
}

/** Is the liveness of this incumbent in question? */
export function has(m: Contest, conn: ConnId): boolean {
  return m.open.has(conn);
}

/** A newcomer, waiting for nobody yet, claims the nick of a registered peer. */
export function opened(m: Contest, claim: Claim, now: Mono, out: Effect[]): Verdict {
  const { incumbent, kind, newcomer } = claim;
  assert(newcomer !== incumbent, "nobody contests its own nick");
  assert(!m.waiting.has(newcomer), "a newcomer waits for one incumbent");
  if (kind === "mute") return "refuse";
  if (!m.open.has(incumbent)) {
    if (now < (m.peace.get(incumbent) ?? 0)) return "refuse";
    begin(m, claim, kind, now, out);
  }
  return kind === "ping" ? wait(m, incumbent, newcomer) : "refuse";
}

/** A complete line came from a registered peer. Costs one comparison while nothing is contested. */
export function seen(m: Contest, incumbent: ConnId, now: Mono, out: Effect[]): void {
  if (m.open.size === 0) return;
  const open = m.open.get(incumbent);
  if (open === undefined) return;
  end(m, incumbent);
  m.peace.set(incumbent, after(now, msOf(m, open.kind)));
  if (open.newcomer !== undefined) out.push({ type: "refused", conn: open.newcomer });
}

/** A connection is gone or no longer registered, incumbent or newcomer or neither. */
export function gone(m: Contest, conn: ConnId, _now: Mono, out: Effect[]): void {
  m.peace.delete(conn);
  if (m.open.size === 0) return;
  withdraw(m, conn);
  const open = m.open.get(conn);
  if (open === undefined) return;
  end(m, conn);
  if (open.newcomer !== undefined) out.push({ type: "won", conn: open.newcomer });
}

function begin(
  m: Contest,
  claim: Claim,
  kind: "ping" | "maker",
  now: Mono,
  out: Effect[],
): void {
  const { incumbent, beatPending } = claim;
  const dueAt = after(now, msOf(m, kind));
  m.peace.delete(incumbent);
  m.open.set(incumbent, { kind, dueAt, putOff: false, newcomer: undefined });
  m.dueAt = soonest(m.dueAt, dueAt);
  if (beatPending) return;
  out.push({ type: kind === "ping" ? "ping" : "probe", conn: incumbent });
}

function wait(m: Contest, incumbent: ConnId, newcomer: ConnId): Verdict {
  const open = m.open.get(incumbent);
  assert(open !== undefined, "a newcomer waits for an open contest");
  if (open.newcomer !== undefined) return "refuse";
  open.newcomer = newcomer;
  m.waiting.set(newcomer, incumbent);
  return "wait";
}

/** Ends what is due; nothing before `deadline`. At most two effects for each contest. */
export function tick(m: Contest, now: Mono, out: Effect[]): void {
  if (now < m.dueAt) return;
  const graceMs = graceOf(m);
  m.dueAt = NEVER;
  for (const [incumbent, open] of m.open) {
    if (open.dueAt <= now && !putOff(open, now, graceMs)) lose(m, incumbent, open, out);
    else m.dueAt = soonest(m.dueAt, open.dueAt);
  }
}

/** Rule 5: once for each contest, and only by a tick that is late for it. */
function putOff(open: Open, now: Mono, graceMs: number): boolean {
  if (open.putOff || now - open.dueAt <= graceMs) return false;
  open.putOff = true;
  open.dueAt = after(now, graceMs);
  return true;
}

function lose(m: Contest, incumbent: ConnId, open: Open, out: Effect[]): void {
  m.open.delete(incumbent);
  out.push({ type: "lost", conn: incumbent });
  if (open.newcomer === undefined) return;
  m.waiting.delete(open.newcomer);
  out.push({ type: "won", conn: open.newcomer });
}

/** The contest is over. What is left of its deadline is a tick that finds nothing to do. */
function end(m: Contest, incumbent: ConnId): void {
  const open = m.open.get(incumbent);
  m.open.delete(incumbent);
  if (open?.newcomer !== undefined) m.waiting.delete(open.newcomer);
  if (m.open.size === 0) m.dueAt = NEVER;
}

function withdraw(m: Contest, newcomer: ConnId): void {
  const incumbent = m.waiting.get(newcomer);
  if (incumbent === undefined) return;
  m.waiting.delete(newcomer);
  const open = m.open.get(incumbent);
  assert(open !== undefined, "who waits, waits for an open contest");
  open.newcomer = undefined;
}

function msOf(m: Contest, kind: "ping" | "maker"): number {
  return kind === "ping" ? m.config.contestPingMs : m.config.contestMakerMs;
}

function graceOf(m: Contest): number {
  const { contestPingMs, contestMakerMs } = m.config;
  const shorter = contestPingMs < contestMakerMs ? contestPingMs : contestMakerMs;
  return shorter < lateMsMax ? shorter : lateMsMax;
}
