/**
 * The server's round events: kept subscribed to, told on, and given to the wallet where it can use
 * them.
 *
 * Rule 1: the server repeats its last event for every subscriber. The first item of a subscription
 * is taken for that unless the backend says otherwise: it proves no health. What was seen already
 * is not told again.
 * Rule 2: events are read while one is being handled. At most `queueMax` wait; when more come, the
 * oldest is dropped and that is told, because a sync makes up for it.
 * Rule 3: events get lost, and the first one of a round may be any. `began` is told once for each
 * round, with whatever event shows it first.
 * Rule 4: a backend without a stream has none here: the sync polls instead. A wallet that cannot be
 * given events is not asked again.
 * Rule 5: `isInline` is the source's way: the stream is not read while an event is handled, and so
 * its end counts only then.
 * Not known here: which VTXOs are due.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Tick } from "../kernel/io.ts";
import type * as prng from "../prng.ts";
import { soonest, type Mono } from "../time.ts";
import * as lane from "./lane.ts";
import * as stream from "./stream.ts";
import type { Answer, Failed, Op, OpName, RoundEvent } from "./wallet.ts";

export type Config = {
  readonly stream: stream.Config;
  /** Events that wait for the wallet; 1 to 64. */
  readonly queueMax: number;
  readonly isInline: boolean;
  /** Are items that were seen before handled again? */
  readonly isRepeatHandled: boolean;
  /** Is the wallet asked to join rounds? `first-attempt`: when attempt 0 of a round is seen. */
  readonly maintain: "never" | "first-attempt";
  /** Is the wallet given each event? */
  readonly isProgressed: boolean;
  /** How long handling is waited for. */
  readonly waitMs: number;
};

type Ended = "clean" | "error" | "refused";
export type Event =
  | { readonly type: "started" }
  | { readonly type: "subscribed"; readonly token: number }
  | {
    readonly type: "item"; readonly token: number; readonly event: RoundEvent;
    /** `undefined`: the backend does not know. */
    readonly isReplay: boolean | undefined;
  }
  | { readonly type: "ended"; readonly token: number; readonly why: Ended }
  | { readonly type: "answered"; readonly token: number; readonly answer: Answer }
  | { readonly type: "barred"; readonly isBarred: boolean }
  | { readonly type: "hurried" }
  /** `finishing`: the event under way, and a try of the stream, may come to their end first. */
  | { readonly type: "released" | "stopped" | "finishing" }
  | Tick;

export type Effect = lane.Effect | stream.Effect
  /** What the server says, in its order, each once. */
  | { readonly type: "round"; readonly event: RoundEvent; readonly isReplay: boolean }
  /** A round that was not known is under way. */
  | { readonly type: "began"; readonly roundSeq: number }
  /** An event was dropped: more came than were handled. */
  | { readonly type: "lagging"; readonly dropped: number }
  | { readonly type: "failed"; readonly op: OpName; readonly failed: Failed }
  | { readonly type: "unsupported"; readonly op: OpName };

export type Rounds = {
  readonly config: Config;
  readonly stream: stream.Stream;
  readonly lane: lane.Lane;
  /** Calls that wait, in order. */
  readonly queue: Op[];
  /** What was not read while an event was handled: items, and an end. */
  readonly unread: Unread[];
  last: RoundEvent | undefined;
  /** The newest round that was told. */
  roundSeq: number | undefined;
  /** Items of this subscription. */
  items: number;
  dropped: number;
  cannotMaintain: boolean;
  cannotProgress: boolean;
  isFinishing: boolean;
  isStopped: boolean;
};

type Item = Extract<Event, { type: "item" }>;
type Unread = Item | Extract<Event, { type: "ended" }>;
const queueCap = 64;

/** Asserts the ranges of `c`. */
export function check(c: Config): void {
  stream.check(c.stream);
  assert(c.queueMax >= 1, "rounds: room for an event");
  assert(c.queueMax <= queueCap, "rounds: few events wait");
  assert(c.waitMs >= 1, "rounds: handling takes its time");
}

/** Nothing is subscribed to until `started`; `jitter` is a stream of its own. */
export function create(config: Config, jitter: prng.Prng): Rounds {
  check(config);
  return {
    config, stream: stream.create(config.stream, jitter), lane: lane.create(), queue: [],
    unread: [], last: undefined, roundSeq: undefined, items: 0, dropped: 0,
    cannotMaintain: config.maintain === "never", cannotProgress: !config.isProgressed,
    isFinishing: false, isStopped: false,
  };
}

export function step(m: Rounds, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "started": case "hurried": case "barred":
      return stream.step(m.stream, event, now, out);
    case "subscribed": {
      m.items = 0;
      return stream.step(m.stream, event, now, out);
    }
    case "item": case "ended": return arrived(m, event, now, out);
    case "answered": {
      return handled(m, lane.answered(m.lane, event.token, event.answer, now, out), now, out);
    }
    case "released": return handled(m, lane.released(m.lane, now), now, out);
    case "stopped": return stopped(m, now, out);
    case "finishing": return finishing(m, now, out);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When a try is due, a session is given up, or handling is overdue. */
export function deadline(m: Rounds): Mono {
  return soonest(stream.deadline(m.stream), lane.deadline(m.lane));
}

function tick(m: Rounds, now: Mono, out: Effect[]): void {
  handled(m, lane.tick(m.lane, now, out), now, out);
  stream.step(m.stream, { type: "tick" }, now, out);
}

function arrived(m: Rounds, event: Unread, now: Mono, out: Effect[]): void {
  if (!stream.isCurrent(m.stream, event.token)) return;
  if (m.isFinishing && event.type === "item") return;
  // After its end a subscription brings nothing more.
  const last = m.unread.at(-1);
  if (last?.type === "ended" && last.token === event.token) return;
  const isBusy = m.config.isInline && !(lane.isFree(m.lane) && m.queue.length === 0);
  if (!isBusy) return read(m, event, now, out);
  if (m.unread.length < m.config.queueMax || event.type === "ended") m.unread.push(event);
  else dropped(m, out);
}

function read(m: Rounds, event: Unread, now: Mono, out: Effect[]): void {
  if (event.type === "ended") return stream.step(m.stream, event, now, out);
  if (!stream.isOpen(m.stream)) return;
  m.items += 1;
  const isReplay = event.isReplay ?? m.items === 1;
  const isKnown = m.last !== undefined && isSame(m.last, event.event);
  const { token } = event;
  stream.step(m.stream, { type: "item", token, isNews: !isReplay && !isKnown }, now, out);
  m.last = event.event;
  if (!isKnown) tell(m, event.event, isReplay, out);
  if (!isKnown || m.config.isRepeatHandled) handle(m, event.event, now, out);
}

function isSame(a: RoundEvent, b: RoundEvent): boolean {
  return a.kind === b.kind && a.roundSeq === b.roundSeq && a.attemptSeq === b.attemptSeq;
}

/** Round numbers jump up when the server restarts; a lower one is no new round. */
function tell(m: Rounds, event: RoundEvent, isReplay: boolean, out: Effect[]): void {
  out.push({ type: "round", event, isReplay });
  const isOver = event.kind === "finished" || event.kind === "failed";
  if (m.roundSeq !== undefined && event.roundSeq <= m.roundSeq) return;
  m.roundSeq = event.roundSeq;
  if (!isOver) out.push({ type: "began", roundSeq: event.roundSeq });
}

function handle(m: Rounds, event: RoundEvent, now: Mono, out: Effect[]): void {
  const isFirst = event.kind === "attempt" && event.attemptSeq === 0;
  if (isFirst && !m.cannotMaintain) enqueue(m, { op: "maintain" }, out);
  if (!m.cannotProgress) enqueue(m, { op: "progress-rounds", event }, out);
  proceed(m, now, out);
}

function enqueue(m: Rounds, op: Op, out: Effect[]): void {
  m.queue.push(op);
  if (m.queue.length <= m.config.queueMax) return;
  m.queue.shift();
  dropped(m, out);
}

function dropped(m: Rounds, out: Effect[]): void {
  m.dropped += 1;
  out.push({ type: "lagging", dropped: m.dropped });
}

function proceed(m: Rounds, now: Mono, out: Effect[]): void {
  while (lane.isFree(m.lane) && !m.isStopped) {
    const op = m.queue.shift();
    if (op !== undefined) return lane.call(m.lane, op, m.config.waitMs, now, out);
    const event = m.unread.shift();
    if (event === undefined) return;
    if (stream.isCurrent(m.stream, event.token)) read(m, event, now, out);
  }
}

function handled(m: Rounds, ended: lane.Ended | undefined, now: Mono, out: Effect[]): void {
  if (ended === undefined) return;
  const { answer, op } = ended;
  if (!answer.ok && answer.why === "unsupported") {
    if (op === "maintain") m.cannotMaintain = true;
    else m.cannotProgress = true;
    drop(m, op);
    out.push({ type: "unsupported", op });
  } else if (!answer.ok) {
    out.push({ type: "failed", op, failed: answer });
  }
  proceed(m, now, out);
  if (m.isFinishing && lane.isFree(m.lane)) stopped(m, now, out);
}

/** Nothing that was not read yet is handled any more. */
function finishing(m: Rounds, now: Mono, out: Effect[]): void {
  m.isFinishing = true;
  m.unread.length = 0;
  if (!lane.isFree(m.lane)) return;
  m.isStopped = true;
  stream.step(m.stream, { type: "finishing" }, now, out);
}

/** What the backend has not need not wait for its turn. */
function drop(m: Rounds, op: OpName): void {
  for (let i = m.queue.length - 1; i >= 0; i -= 1) {
    if (m.queue[i]?.op === op) m.queue.splice(i, 1);
  }
}

function stopped(m: Rounds, now: Mono, out: Effect[]): void {
  m.isStopped = true;
  m.queue.length = 0;
  m.unread.length = 0;
  stream.step(m.stream, { type: "stopped" }, now, out);
}
