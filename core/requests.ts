/**
 * The table of questions that went out over HTTP and have no answer yet.
 *
 * Rule 1: a machine wishes `{ type: "request", token, ... timeoutMs }` without a number; its parent
 * numbers the wish here and emits `req.start`. Numbers are never used twice in a run.
 * Rule 2: each request ends once: by its answer (`settle`), by its time (`expired`) or because
 * nobody wants it any more (`withdraw`). Whatever comes for it later finds nothing here.
 * Rule 3: whoever asked gets its own name and token back, so that it can have several out at once.
 *
 * Knows neither targets nor contents.
 * @module
 */
import { assert } from "./assert.ts";
import { after, NEVER, soonest, type Mono } from "./time.ts";

/** `openMax`: requests under way at once, at least 1; some hundred bytes each. */
export type Config = { readonly openMax: number };
export const defaults: Config = { openMax: 64 };

/** A request under way: whose it is, what the asker calls it, and when it has lasted too long. */
export type Open = {
  readonly req: number;
  readonly asker: string;
  readonly token: number;
  readonly dueAt: Mono;
};

export type Requests = {
  readonly config: Config;
  readonly open: Map<number, Open>;
  /** Requests ever started: the number of the last one. */
  started: number;
  dueAtMin: Mono;
};

/** An empty table. */
export function create(config: Config): Requests {
  assert(Number.isSafeInteger(config.openMax), "a whole number of requests");
  assert(config.openMax >= 1, "a table without room");
  return { config, open: new Map(), started: 0, dueAtMin: NEVER };
}

/**
 * Numbers a request of `asker` that may take `timeoutMs` (whole, at least 1); `undefined` when
 * `openMax` are under way, which the asker is to be told as a failure.
 */
export function start(
  t: Requests, asker: string, token: number, timeoutMs: number, now: Mono,
): number | undefined {
  assert(Number.isSafeInteger(timeoutMs), "a whole number of milliseconds");
  assert(timeoutMs >= 1, "a request takes its time");
  if (t.open.size >= t.config.openMax) return undefined;
  t.started += 1;
  const dueAt = after(now, timeoutMs);
  t.open.set(t.started, { req: t.started, asker, token, dueAt });
  t.dueAtMin = soonest(t.dueAtMin, dueAt);
  return t.started;
}

/** The answer of `req` is here: whose it was, or `undefined` for one that comes too late. */
export function settle(t: Requests, req: number): Open | undefined {
  const open = t.open.get(req);
  if (open === undefined) return undefined;
  t.open.delete(req);
  renew(t, open);
  return open;
}

/** Nobody waits for this any more: the number to drop, or `undefined` if it had ended. */
export function withdraw(t: Requests, asker: string, token: number): number | undefined {
  for (const open of t.open.values()) {
    if (open.asker === asker && open.token === token) return settle(t, open.req)?.req;
  }
  return undefined;
}

/** Removes and returns what is due, the oldest first: each is to be dropped and its asker told. */
export function expired(t: Requests, now: Mono): readonly Open[] {
  if (now < t.dueAtMin) return [];
  const due = [...t.open.values()].filter((open) => open.dueAt <= now);
  for (const open of due) t.open.delete(open.req);
  t.dueAtMin = earliest(t);
  return due;
}

/** When the next request has lasted too long; `NEVER` when none is under way. */
export function deadline(t: Requests): Mono {
  return t.dueAtMin;
}

/** The bound is exact: only the request that set it can move it. */
function renew(t: Requests, gone: Open): void {
  if (gone.dueAt === t.dueAtMin) t.dueAtMin = earliest(t);
}

function earliest(t: Requests): Mono {
  let at: Mono = NEVER;
  for (const open of t.open.values()) at = soonest(at, open.dueAt);
  return at;
}
