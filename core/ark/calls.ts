/**
 * The table of calls that went out to wallets' programs and have no answer yet.
 *
 * Rule 1: at most one call for each wallet and lane. Requests have odd numbers, none twice in a
 * run; those of notices have even ones.
 * Rule 2: a call ends by its answer. One that may be cut ends also when its time is over, or when
 * nobody wants it any more. One that must not be cut goes on: that it is overdue is told once, and
 * once more after `longMs`; its late answer counts.
 * Rule 3: lanes of the background keep their own time (`lane.ts`); here they have `longMs` only.
 * Not known here: what calls are for, and HTTP.
 * @module
 */
import { assert } from "../assert.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import { isCuttable, type Op } from "./wallet.ts";

export type Config = {
  /** Calls under way at once, over all wallets. 8,192. */
  readonly openMax: number;
  /** What runs for so long in a wallet is told as stuck, in ms. 3,600,000. */
  readonly longMs: number;
};

export const defaults: Config = { openMax: 8_192, longMs: 3_600_000 };

/** Who asked: `daemon` keeps its own time. */
export type Asker = {
  readonly wallet: string;
  readonly who: "daemon" | "guardian" | "news" | "books";
  readonly lane: string;
  readonly token: number;
};

export type Call = {
  readonly req: number;
  readonly asker: Asker;
  readonly op: Op;
  readonly sentAt: Mono;
  /** When its next time is over; `NEVER`: all is told. */
  dueAt: Mono;
  isOverdue: boolean;
};

export type Calls = {
  readonly config: Config;
  readonly open: Map<number, Call>;
  readonly byLane: Map<string, Call>;
  started: number;
  dueAtMin: Mono;
};

/** What came of a call's time. `cut`: it has ended; the others go on. */
export type Over = { readonly call: Call; readonly as: "cut" | "overdue" | "stuck" };

/** An empty table. */
export function create(config: Config): Calls {
  assert(Number.isSafeInteger(config.openMax) && config.openMax >= 1, "calls: room for one");
  assert(Number.isSafeInteger(config.longMs) && config.longMs >= 1, "calls: time for one");
  return { config, open: new Map(), byLane: new Map(), started: 0, dueAtMin: NEVER };
}

/** The lane's name in tables: no two wallets share one. */
export function keyOf({ wallet, lane }: Pick<Asker, "wallet" | "lane">): string {
  return `${wallet} ${lane}`;
}

/** Is there no room for another call? */
export function isFull(c: Calls): boolean {
  return c.open.size >= c.config.openMax;
}

/** Numbers a call. Asserts that there is room, and that its lane is free. */
export function start(c: Calls, asker: Asker, op: Op, waitMs: number, now: Mono): Call {
  assert(!isFull(c), "calls: there is room");
  const key = keyOf(asker);
  assert(!c.byLane.has(key), "calls: one for each wallet and lane");
  c.started += 1;
  const ms = asker.who === "daemon" ? c.config.longMs : waitMs;
  const call: Call = {
    req: 2 * c.started + 1, asker, op, sentAt: now, dueAt: after(now, ms), isOverdue: false,
  };
  c.open.set(call.req, call);
  c.byLane.set(key, call);
  c.dueAtMin = soonest(c.dueAtMin, call.dueAt);
  return call;
}

/** The answer of `req` is here: its call, or `undefined` for one that has ended. */
export function settle(c: Calls, req: number): Call | undefined {
  const call = c.open.get(req);
  if (call !== undefined) end(c, call);
  return call;
}

/** Nobody wants this any more; `undefined`: it had ended. Asserts that it may be cut. */
export function drop(c: Calls, asker: Pick<Asker, "wallet" | "lane" | "token">): Call | undefined {
  const call = c.byLane.get(keyOf(asker));
  if (call === undefined || call.asker.token !== asker.token) return undefined;
  assert(isCuttable(call.op.op), "calls: what must not be cut goes on");
  end(c, call);
  return call;
}

/** What runs in this lane. */
export function inLane(c: Calls, wallet: string, lane: string): Call | undefined {
  return c.byLane.get(keyOf({ wallet, lane }));
}

/** Calls whose time is over, in the order of asking. */
export function expired(c: Calls, now: Mono): readonly Over[] {
  if (now < c.dueAtMin) return [];
  const over: Over[] = [];
  for (const call of [...c.open.values()]) {
    if (call.dueAt > now) continue;
    if (call.asker.who !== "daemon" && isCuttable(call.op.op)) {
      end(c, call);
      over.push({ call, as: "cut" });
      continue;
    }
    const longAt = after(call.sentAt, c.config.longMs);
    over.push({ call, as: longAt > now ? "overdue" : "stuck" });
    call.isOverdue = true;
    call.dueAt = longAt > now ? longAt : NEVER;
  }
  c.dueAtMin = earliest(c);
  return over;
}

/** When the next call's time is over. */
export function deadline(c: Calls): Mono {
  return c.dueAtMin;
}

function end(c: Calls, call: Call): void {
  c.open.delete(call.req);
  c.byLane.delete(keyOf(call.asker));
  if (call.dueAt === c.dueAtMin) c.dueAtMin = earliest(c);
}

function earliest(c: Calls): Mono {
  let at: Mono = NEVER;
  for (const { dueAt } of c.open.values()) at = soonest(at, dueAt);
  return at;
}
