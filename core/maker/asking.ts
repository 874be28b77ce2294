/**
 * Questions to the chain, and requests of all parts over HTTP: who asked what, and who waits.
 *
 * Rule 1: every question gets one answer. Without a backend it is that there is none.
 * @module
 */
import { unreachable } from "../assert.ts";
import * as backend from "../chain/backend.ts";
import { unavailable } from "../chain/chain.ts";
import type * as chain from "../chain/chain.ts";
import type { RequestEffect, RequestEvent } from "../kernel/io.ts";
import type { ExecEffect } from "../notify/target.ts";
import * as requests from "../requests.ts";
import type { Asker, Maker, Sender, Turn } from "./node.ts";

/** A notice's request is given up by its own lane long before. */
const noticeMs = 600_000;
/** A few hundred multiplications take no second. */
const deriveMs = 60_000;

/** A part asks the chain. */
export function ask(d: Maker, asker: Asker, question: chain.Question, t: Turn): void {
  d.counts.questions += 1;
  if (d.chain === undefined) {
    const answer = unavailable("wallet", "chain-none", "no backend is configured");
    return void t.todo.push({ do: "answered", asker, answer });
  }
  d.asks += 1;
  d.asked.set(d.asks, asker);
  tell(d, { type: "asked", token: d.asks, question }, t);
}

/** A part has lost interest in its question. */
export function drop(d: Maker, asker: Asker, t: Turn): void {
  for (const [token, one] of d.asked) {
    if (one.who !== asker.who || one.token !== asker.token) continue;
    d.asked.delete(token);
    tell(d, { type: "dropped", token }, t);
    return;
  }
}

function tell(d: Maker, event: chain.Event, t: Turn): void {
  if (d.chain === undefined) return;
  const wishes: chain.Effect[] = [];
  backend.step(d.chain, event, t.now, wishes);
  for (const wish of wishes) translate(d, wish, t);
}

function translate(d: Maker, wish: chain.Effect, t: Turn): void {
  switch (wish.type) {
    case "request": return request(d, wish, t);
    case "withdraw":
      // It waits for the one or for the other.
      requests.withdraw(d.requests, "derive", wish.token);
      return withdraw(d, "chain", wish.token, t);
    case "derive": return derive(d, wish, t);
    case "progress": {
      const asker = d.asked.get(wish.token);
      if (asker !== undefined) t.todo.push({ do: "progress", asker, progress: wish.progress });
      return;
    }
    case "answered": {
      const asker = d.asked.get(wish.token);
      d.asked.delete(wish.token);
      if (!wish.answer.ok && wish.answer.why === "unavailable") d.counts.questionsFailed += 1;
      if (asker !== undefined) t.todo.push({ do: "answered", asker, answer: wish.answer });
      return;
    }
    default: return unreachable(wish); /* c8 ignore next */
  }
}

/** The host has the curve. */
function derive(d: Maker, wish: Extract<chain.Effect, { type: "derive" }>, t: Turn): void {
  const { token, mixdepth, branch, from, count } = wish;
  const req = requests.start(d.requests, "derive", token, deriveMs, t.now);
  if (req === undefined) return tell(d, { type: "failed", token, reason: "denied" }, t);
  t.out.push({ type: "derive.want", req, mixdepth, branch, from, count });
}

/** Addresses that the host has derived; none if it cannot. */
export function derived(
  d: Maker, req: number, addresses: readonly string[] | undefined, t: Turn,
): void {
  const open = requests.settle(d.requests, req);
  if (open === undefined) return;
  const { token } = open;
  tell(d, addresses === undefined ? { type: "failed", token, reason: "denied" }
    : { type: "given", token, addresses }, t);
}

function request(d: Maker, wish: chain.Wish, t: Turn): void {
  const req = requests.start(d.requests, "chain", wish.token, wish.timeoutMs, t.now);
  if (req === undefined) return tell(d, { type: "failed", token: wish.token, reason: "denied" }, t);
  const { to, method, path, headers, body, renew } = wish;
  t.out.push({ type: "req.start", req, to, method, path, headers, body, renew });
}

function withdraw(d: Maker, asker: string, token: number, t: Turn): void {
  const req = requests.withdraw(d.requests, asker, token);
  if (req !== undefined) t.out.push({ type: "req.drop", req });
}

/** A request of the notices, or the run of a command: numbered like all others. */
export function order(
  d: Maker, asker: Sender, effect: RequestEffect | ExecEffect, t: Turn,
): void {
  if (effect.type === "req.drop") return withdraw(d, asker, effect.req, t);
  const req = requests.start(d.requests, asker, effect.req, noticeMs, t.now);
  if (req !== undefined) return void t.out.push({ ...effect, req });
  const event = { type: "req.failed", req: effect.req, reason: "denied" } as const;
  t.todo.push({ do: "notified", asker, event });
}

/** An answer of the host. */
export function settled(d: Maker, event: RequestEvent, t: Turn): void {
  const open = requests.settle(d.requests, event.req);
  if (open !== undefined) answer(d, open, event, t);
}

/** Requests that have lasted too long. */
export function tick(d: Maker, t: Turn): void {
  for (const open of requests.expired(d.requests, t.now)) {
    t.out.push({ type: "req.drop", req: open.req });
    answer(d, open, { type: "req.failed", req: open.req, reason: "timeout" }, t);
  }
}

function answer(d: Maker, open: requests.Open, event: RequestEvent, t: Turn): void {
  const { asker, token } = open;
  if (asker === "notify" || asker === "update") {
    return void t.todo.push({ do: "notified", asker, event: { ...event, req: token } });
  }
  if (event.type === "req.failed") {
    return tell(d, { type: "failed", token, reason: event.reason }, t);
  }
  tell(d, { type: "replied", token, status: event.status, body: event.body }, t);
}
