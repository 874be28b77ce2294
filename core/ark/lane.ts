/**
 * One lane of work: at most one call to the wallet at a time, and how long it is waited for.
 *
 * Rule 1: a call that may be cut is dropped when its time is over, and counts as failed; the lane
 * is free again.
 * Rule 2: one that must not be cut goes on. The lane stays taken, so that there is never a second
 * beside it; that it is overdue is told once, and its late answer still counts.
 * Rule 3: a taken lane holds up nothing but itself.
 * Rule 4: only who knows that the wallet's program is gone, and its calls with it, releases a lane
 * otherwise.
 * Not known here: what a call is for, and when there is another.
 * @module
 */
import { assert } from "../assert.ts";
import { after, NEVER, type Mono } from "../time.ts";
import * as wallet from "./wallet.ts";

/** A call under way. */
export type Under = {
  readonly token: number;
  readonly op: wallet.OpName;
  readonly sentAt: Mono;
  /** Until then it is waited for; `NEVER` once it is overdue. */
  readonly waitUntil: Mono;
};

export type Lane = {
  /** Calls ever made: the number of the last one. */
  tokens: number;
  under: Under | undefined;
};

export type Effect =
  | {
    readonly type: "call"; readonly token: number; readonly call: wallet.Op;
    readonly waitMs: number;
  }
  /** Nobody wants the answer any more; only for what may be cut. */
  | { readonly type: "drop"; readonly token: number }
  /** No answer in time. `isDropped`: the lane is free again; else the call goes on. */
  | {
    readonly type: "overdue"; readonly op: wallet.OpName; readonly ranMs: number;
    readonly isDropped: boolean;
  }
  /** What was overdue has ended. */
  | { readonly type: "late"; readonly op: wallet.OpName; readonly ranMs: number };

/** Where effects go: a list of these, or of these among others. */
export type Out<E> = { readonly push: (effect: E) => unknown };

/** A call that is over, for whoever owns the lane. */
export type Ended = {
  readonly op: wallet.OpName; readonly answer: wallet.Answer; readonly ranMs: number;
};

/** A free lane. */
export function create(): Lane {
  return { tokens: 0, under: undefined };
}

export function isFree(l: Lane): boolean {
  return l.under === undefined;
}

/** Is a call under way for longer than it was to be waited for? */
export function isOverdue(l: Lane): boolean {
  return l.under?.waitUntil === NEVER;
}

/** Makes a call on a free lane and waits `waitMs` (at least 1) for it. */
export function call(l: Lane, op: wallet.Op, waitMs: number, now: Mono, out: Out<Effect>): void {
  assert(isFree(l), "lane: one call at a time");
  assert(Number.isSafeInteger(waitMs), "lane: whole milliseconds");
  assert(waitMs >= 1, "lane: a call takes its time");
  l.tokens += 1;
  const waitUntil = after(now, waitMs);
  assert(waitUntil < NEVER, "lane: waiting ends");
  l.under = { token: l.tokens, op: op.op, sentAt: now, waitUntil };
  out.push({ type: "call", token: l.tokens, call: op, waitMs });
}

/** The answer to the call under way; `undefined` for any other. */
export function answered(
  l: Lane, token: number, answer: wallet.Answer, now: Mono, out: Out<Effect>,
): Ended | undefined {
  const { under } = l;
  if (under?.token !== token) return undefined;
  if (answer.ok) assert(answer.done.op === under.op, "lane: the answer to another call");
  const wasOverdue = isOverdue(l);
  const ended = end(l, under, answer, now);
  if (wasOverdue) out.push({ type: "late", op: ended.op, ranMs: ended.ranMs });
  return ended;
}

/** Is the call overdue by now? What may be cut is, and has ended. */
export function tick(l: Lane, now: Mono, out: Out<Effect>): Ended | undefined {
  const { under } = l;
  if (under === undefined || now < under.waitUntil) return undefined;
  const { op, token, sentAt } = under;
  const isDropped = wallet.isCuttable(op);
  out.push({ type: "overdue", op, ranMs: now - sentAt, isDropped });
  if (isDropped) {
    out.push({ type: "drop", token });
    return end(l, under, unanswered, now);
  }
  l.under = { token, op, sentAt, waitUntil: NEVER };
  return undefined;
}

/** The wallet's program is gone, and whatever ran in it. */
export function released(l: Lane, now: Mono): Ended | undefined {
  return l.under === undefined ? undefined : end(l, l.under, gone, now);
}

/**
 * Frees the lane of what may be cut, because all is to stop: the token of the call to drop. The
 * rest goes on; its answer ends it.
 */
export function cut(l: Lane): number | undefined {
  if (l.under === undefined || !wallet.isCuttable(l.under.op)) return undefined;
  const { token } = l.under;
  l.under = undefined;
  return token;
}

/** When the call under way is overdue. */
export function deadline(l: Lane): Mono {
  return l.under?.waitUntil ?? NEVER;
}

/** What an overdue call amounts to, as evidence. */
export const unanswered = wallet.unavailable("timeout", "ark-overdue", "no answer in time");
const gone = wallet.unavailable("unreachable", "ark-released", "the wallet's program is gone");

function end(l: Lane, under: Under, answer: wallet.Answer, now: Mono): Ended {
  l.under = undefined;
  return { op: under.op, answer, ranMs: now - under.sentAt };
}
