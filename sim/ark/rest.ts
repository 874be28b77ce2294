/**
 * barkd as its host speaks to it: a method, a path, headers and a body come to one reply.
 *
 * Rule 1: whoever has not the token gets 401 and nothing is done, except for the ping. Without a
 * wallet calls of the wallet come to 422.
 * Rule 2: what a program does is done although its answer does not arrive; one that nobody reaches
 * does nothing. Who goes away while exits progress may do harm (`hangUp`, hazard H28).
 * @module
 */
import * as faults from "./faults.ts";
import type { Reply } from "./faults.ts";
import {
  bodyOf, plain, targetOf, wrong, type Call, type OpenCall, type Told,
} from "./rest-call.ts";
import * as reading from "./rest-read.ts";
import * as working from "./rest-work.ts";
import { advance } from "./run.ts";
import { barkdOf, type Barkd, type World } from "./state.ts";

export type Asked = {
  readonly method: string; readonly path: string; readonly body: string;
  /** Names in lower case. */
  readonly headers: readonly (readonly [string, string])[];
};

/** `waiting`: the answer comes by `drain`. A ticket names an answer that is still on its way. */
export type Asking = (Reply & { readonly ticket?: number })
  | { readonly type: "waiting"; readonly wait: number };

const openCalls = new Map<string, OpenCall>(Object.entries({ ...reading.open, ...working.open }));
const calls = new Map<string, Call>(Object.entries({ ...reading.calls, ...working.calls }));

/** Every call that is served, as `METHOD /path`, with `{}` for a name. */
export const served: readonly string[] = [
  "GET /ping", ...openCalls.keys(), ...calls.keys(),
].toSorted((a, b) => (a < b ? -1 : 1));

/** The one reply of a wallet's program to a request at `nowMs`. */
export function ask(w: World, name: string, asked: Asked, nowMs: number): Asking {
  advance(w, nowMs);
  const b = barkdOf(w, name);
  if (b.process !== "running") return { type: "failed", reason: "refused" };
  const found = faults.ofBarkd(w.outages, name, w.nowMs);
  const isHeard = !found.some(faults.isUnheard);
  const isSilent = found.some(({ kind }) => kind === "silent");
  const answer = isHeard ? answered(w, b, found, asked) : plain(200, "", 0);
  if (answer.type === "waiting") {
    if (!isSilent) return answer;
    w.waits.delete(answer.wait);
    return { type: "silent" };
  }
  let reply: Reply = {
    type: "replied", status: answer.status, body: answer.body, isHtml: false,
    afterMs: answer.afterMs,
  };
  for (const fault of found) reply = faults.spoil(fault, reply);
  return reply.type === "replied" ? ticketed(w, b, reply, answer) : reply;
}

function ticketed(
  w: World, b: Barkd, reply: Reply & { type: "replied" }, answer: Told & { type: "told" },
): Asking {
  if (answer.isProgress !== true || reply.afterMs <= 0) return reply;
  for (const { id, doneMs } of w.tickets.values()) {
    if (doneMs <= w.nowMs) w.tickets.delete(id);
  }
  const ticket = w.nextId;
  w.nextId += 1;
  const doneMs = w.nowMs + reply.afterMs;
  w.tickets.set(ticket, { id: ticket, wallet: b.name, isProgress: true, doneMs });
  return { ...reply, ticket };
}

/** Whoever asked goes away before the answer is there, or stops waiting for news. */
export function hangUp(w: World, ticketOrWait: number, nowMs: number): void {
  advance(w, nowMs);
  w.waits.delete(ticketOrWait);
  const ticket = w.tickets.get(ticketOrWait);
  w.tickets.delete(ticketOrWait);
  if (ticket === undefined || ticket.doneMs <= w.nowMs || !ticket.isProgress) return;
  const b = barkdOf(w, ticket.wallet);
  if (w.config.quirks.forgetsExits) b.hasForgottenExits = true;
}

function answered(
  w: World, b: Barkd, found: readonly faults.BarkdFault[], asked: Asked,
): Told {
  const { localMs } = w.config;
  const { path, query } = targetOf(asked.path);
  if (path === "/ping") return plain(asked.method === "GET" ? 200 : 405, "pong", localMs);
  if (!path.startsWith("/api/v1/")) return plain(404, "\"not found\"", localMs);
  const isDenied = found.some(({ kind }) => kind === "denied") || !hasToken(b, asked);
  if (isDenied) return wrong(401, "Unauthorized", localMs);
  const { call, openCall, named } = routed(asked.method, path);
  const { ok, body } = bodyOf(asked.body);
  if (!ok) return plain(400, "Failed to parse the request body as JSON", localMs);
  const context = { w, b, query, named, body };
  if (openCall !== undefined) return openCall(context);
  if (call === undefined) return plain(404, "\"not found\"", localMs);
  const isWithout = found.some(({ kind }) => kind === "no-wallet");
  if (b.wallet === undefined || isWithout) return wrong(422, "No wallet set", localMs);
  return call(context, b.wallet);
}

function hasToken(b: Barkd, { headers }: Asked): boolean {
  let given = "";
  let count = 0;
  for (const [name, value] of headers) {
    if (name !== "authorization") continue;
    given = value;
    count += 1;
  }
  return count === 1 && given === `Bearer ${b.token}`;
}

function routed(method: string, path: string): {
  call: Call | undefined; openCall: OpenCall | undefined; named: string;
} {
  const route = `${method} ${path}`;
  const openCall = openCalls.get(route);
  const exact = calls.get(route);
  if (openCall !== undefined || exact !== undefined) return { call: exact, openCall, named: "" };
  const at = route.lastIndexOf("/") + 1;
  const call = calls.get(`${route.slice(0, at)}{}`);
  return { call, openCall: undefined, named: route.slice(at) };
}
