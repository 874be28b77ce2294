/**
 * All targets: which letters go where, and the requests under way.
 *
 * Rule 1: each target has a lane of its own; what one meets is not seen by another.
 * Rule 2: at most one request for each target is under way, and an answer counts only for that one.
 * Not known here: the journal, and what becomes of letters that are sent or lost.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { LogEffect, LogField, LogLevel, RequestEffect } from "../kernel/io.ts";
import * as prng from "../prng.ts";
import { NEVER, soonest, type Mono } from "../time.ts";
import type { Config } from "./config.ts";
import * as lane from "./lane.ts";
import { messageOf, type Letter, type Loss } from "./letter.ts";
import { rankOf } from "./notice.ts";
import type { Outcome } from "./reply.ts";
import { orderOf, type ExecEffect, type Target } from "./target.ts";

/** What every lane may be told at once. */
export type Event = Extract<lane.Event, { readonly type: "nudged" | "closing" | "tick" }>;

export type Effect =
  | RequestEffect
  | ExecEffect
  | LogEffect
  | { readonly type: "sent"; readonly letter: Letter; readonly to: string }
  | {
    readonly type: "lost"; readonly letter: Letter; readonly to: string; readonly why: Loss;
  };

/** A target, its queue, and the request under way; `req` is 0 without one. */
type Route = { target: Target; readonly lane: lane.Lane; req: number };

export type Routes = {
  config: Config;
  readonly key: prng.Key;
  readonly byName: Map<string, Route>;
  reqs: number;
};

/** The targets of `config`. `key` names their streams of chance. */
export function create(config: Config, key: prng.Key): Routes {
  const m: Routes = { config, key, byName: new Map(), reqs: 0 };
  for (const target of config.targets) add(m, target);
  return m;
}

function add(m: Routes, target: Target): void {
  const rng = prng.stream(m.key, "notice", target.to);
  m.byName.set(target.to, { target, lane: lane.create(m.config.lane, rng), req: 0 });
}

/** Every lane hears of this. */
export function step(m: Routes, event: Event, now: Mono, out: Effect[]): void {
  for (const route of m.byName.values()) drive(m, route, event, now, out);
}

/** When an answer or a wait is due. */
export function deadline(m: Routes): Mono {
  let dueAt = NEVER;
  for (const route of m.byName.values()) dueAt = soonest(dueAt, lane.deadline(route.lane));
  return dueAt;
}

/** The targets for which a letter matters enough. */
export function namesFor(m: Routes, letter: Letter): readonly string[] {
  const rank = rankOf(letter.priority);
  const names: string[] = [];
  for (const { target } of m.byName.values()) {
    if (rank >= rankOf(target.priorityMin)) names.push(target.to);
  }
  return names;
}

/** A letter goes to the target of this name, which may be gone. */
export function put(m: Routes, to: string, letter: Letter, now: Mono, out: Effect[]): void {
  const route = m.byName.get(to);
  if (route === undefined) return void out.push({ type: "lost", letter, to, why: "removed" });
  drive(m, route, { type: "put", letter }, now, out);
}

/** The answer of a request; of one that nobody waits for it changes nothing. */
export function answered(
  m: Routes, req: number, outcome: Outcome, now: Mono, out: Effect[],
): void {
  if (req === 0) return;
  for (const route of m.byName.values()) {
    if (route.req !== req) continue;
    route.req = 0;
    return drive(m, route, { type: "answered", outcome }, now, out);
  }
}

/** The record `token` has become durable after its letters had left. */
export function recorded(m: Routes, token: number): void {
  for (const route of m.byName.values()) {
    for (const letter of route.lane.queue) {
      if (letter.token === token) letter.isRecorded = true;
    }
  }
}

/** Targets that stay keep their queues; letters of those that are gone are lost. */
export function reloaded(m: Routes, config: Config, out: Effect[]): void {
  m.config = config;
  const wanted = new Map(config.targets.map((target) => [target.to, target]));
  for (const [to, route] of m.byName) {
    const target = wanted.get(to);
    if (target === undefined) {
      remove(m, to, route, out);
      continue;
    }
    route.target = target;
    lane.reconfigure(route.lane, config.lane);
  }
  for (const target of config.targets) if (!m.byName.has(target.to)) add(m, target);
}

function remove(m: Routes, to: string, route: Route, out: Effect[]): void {
  abandon(route, out);
  for (const letter of route.lane.queue) out.push({ type: "lost", letter, to, why: "removed" });
  m.byName.delete(to);
}

/** Is there nothing that can still be done before the next start? */
export function isDone(m: Routes): boolean {
  for (const route of m.byName.values()) if (!lane.isDone(route.lane)) return false;
  return true;
}

/** Drops every request and tells which letters are left. */
export function close(m: Routes, left: Set<Letter>, out: Effect[]): void {
  for (const route of m.byName.values()) {
    abandon(route, out);
    for (const letter of route.lane.queue) left.add(letter);
  }
}

/** A target, what waits for it, and why the last attempt failed; empty if it did not. */
export type Status = {
  readonly to: string; readonly waiting: number; readonly failures: number; readonly why: string;
};

export function status(m: Routes): readonly Status[] {
  return [...m.byName.values()].map(({ target: { to }, lane: l }) => ({
    to, waiting: l.queue.length, failures: l.failures, why: l.failures > 0 ? l.lastWhy : "",
  }));
}

function drive(m: Routes, route: Route, event: lane.Event, now: Mono, out: Effect[]): void {
  const effects: lane.Effect[] = [];
  lane.step(route.lane, event, now, effects);
  for (const effect of effects) perform(m, route, effect, now, out);
}

function perform(m: Routes, route: Route, effect: lane.Effect, now: Mono, out: Effect[]): void {
  const { to } = route.target;
  switch (effect.type) {
    case "send": return send(m, route, effect.letter, effect.renew, now, out);
    case "abandon": return abandon(route, out);
    case "sent": return void out.push({ type: "sent", letter: effect.letter, to });
    case "lost": {
      const { letter, why } = effect;
      return void out.push({ type: "lost", letter, to, why });
    }
    case "failing":
      return log("info", "maker.notice-delayed", { target: to, why: effect.why }, out);
    case "losing": {
      const { loss, why } = effect;
      return log("warn", "maker.notice-lost", { target: to, loss, why }, out);
    }
    case "recovered": {
      const { failures, lost } = effect;
      return log("info", "maker.notice-resent", { target: to, failures, lost }, out);
    }
    default: return unreachable(effect); /* c8 ignore next */
  }
}

function send(
  m: Routes, route: Route, letter: Letter, renew: boolean, now: Mono, out: Effect[],
): void {
  assert(route.req === 0, "one request at a time");
  m.reqs += 1;
  route.req = m.reqs;
  const message = messageOf(letter, now, m.config.lateMs);
  out.push(orderOf(route.target, message, route.req, renew));
}

function abandon(route: Route, out: Effect[]): void {
  if (route.req > 0) out.push({ type: "req.drop", req: route.req });
  route.req = 0;
}

function log(
  level: LogLevel, code: string, fields: { readonly [name: string]: LogField }, out: Effect[],
): void {
  out.push({ type: "log", level, code, fields });
}
