/**
 * Calls and subscriptions of all wallets on their way out, and their answers on the way back.
 *
 * Rule 1: every call gets one answer, unless whoever asked gave it up. What the backend cannot do
 * is answered here; what there is no room for, and what is asked too late, is `unasked`.
 * Rule 2: what may make a wallet's program dial its server waits for its turn (`fleet.ts`): new
 * subscriptions, and calls to a server that is not known to be up. All of one wallet is one turn.
 * Rule 3: every answer is evidence for the background, whoever asked (`daemon.ts`, rule 2).
 * Rule 4: nothing that moves money is asked of a wallet of another network than is configured.
 * Rule 5: after a refused token the host reads it again before the next request.
 * @module
 */
import { unreachable } from "../assert.ts";
import type { RequestEffect, RequestEvent } from "../kernel/io.ts";
import type { ExecEffect } from "../notify/target.ts";
import * as requests from "../requests.ts";
import * as barkd from "./barkd.ts";
import * as calls from "./calls.ts";
import { targetOf } from "./config.ts";
import type { StreamName } from "./daemon.ts";
import { laneNames } from "./daemon-events.ts";
import * as facts from "./facts.ts";
import * as fleet from "./fleet.ts";
import * as guardian from "./guardian.ts";
import { isElsewhere } from "./network.ts";
import * as lanes from "./lane.ts";
import { laneOf, log, logOf, named, type Ark, type Held, type Node, type Turn } from "./node.ts";
import { laneOf as laneIn } from "./parts.ts";
import type { StreamEvent } from "./streams.ts";
import { isCuttable, needs, unavailable, type Answer, type Op, type Reason } from "./wallet.ts";

/** A notice's request is given up by its own lane long before. */
const noticeMs = 600_000;
const unasked = unavailable("unasked", "ark-busy", "nothing was asked: too much is under way");
const ended = unavailable("unreachable", "ark-gone", "the wallet's program is gone");
const elsewhere = unavailable("other", "ark-network", "its wallet is of another network");
const late = unavailable("timeout", "ark-overdue", "no answer in time");

/** A part asks its wallet. */
export function ask(
  d: Ark, node: Node, asker: calls.Asker, op: Op, waitMs: number, t: Turn,
): void {
  if (barkd.requestOf(d.config.barkd, op) === undefined) {
    return answer(asker, op, { ok: false, why: "unsupported" }, t);
  }
  if (d.phase !== "running") return refuse(d, asker, op, t);
  if (isMove(op) && isElsewhere(node.guardian)) return answer(asker, op, elsewhere, t);
  if (!isDial(node, op) || takes(d, node, t)) return send(d, node, asker, op, waitMs, t);
  hold(d, node, asker.lane, { is: "call", asker, op, waitMs });
}

/** Does it move money? */
function isMove({ op }: Op): boolean {
  return op === "refresh" || op === "exit" || op === "claim" || op === "progress-exits";
}

function isDial(node: Node, op: Op): boolean {
  if (needs(op.op) !== "server" && op.op !== "sync") return false;
  return facts.factOf(node.daemon.facts, "server").state !== "up";
}

/** What waits already goes first. */
function takes(d: Ark, node: Node, t: Turn): boolean {
  return node.held.size === 0 && fleet.take(d.fleet, node.config.server, t.now);
}

/** All that a wallet waits with has its turn at once: it is one that connects. */
function hold(d: Ark, node: Node, key: string, what: Held): void {
  d.counts.paced += 1;
  const { server, name } = node.config;
  if (node.held.size === 0) fleet.hold(d.fleet, server, name, node);
  node.held.set(key, what);
}

/** Does it leave the queue? */
function leaves(d: Ark, node: Node, key: string): boolean {
  if (!node.held.delete(key)) return false;
  const { server, name } = node.config;
  if (node.held.size === 0) fleet.leave(d.fleet, server, name);
  return true;
}

function answer(asker: calls.Asker, op: Op, given: Answer, t: Turn): void {
  t.todo.push({ do: "answered", asker, op, answer: given });
}

function refuse(d: Ark, asker: calls.Asker, op: Op, t: Turn): void {
  d.counts.callsBusy += 1;
  answer(asker, op, unasked, t);
}

function send(
  d: Ark, node: Node, asker: calls.Asker, op: Op, waitMs: number, t: Turn,
): void {
  const request = barkd.requestOf(d.config.barkd, op);
  if (request === undefined || calls.isFull(d.calls)) return refuse(d, asker, op, t);
  const { req } = calls.start(d.calls, asker, op, waitMs, t.now);
  d.counts.calls += 1;
  const { method, path, headers, body } = request;
  const renew = node.isTokenDoubted;
  node.isTokenDoubted = false;
  t.out.push({
    type: "req.start", req, to: targetOf(node.config.name), method, path, headers, body, renew,
  });
}

/** A part has lost interest in its call, which may be cut. */
export function drop(d: Ark, node: Node, lane: string, token: number, t: Turn): void {
  if (leaves(d, node, lane)) return;
  const call = calls.drop(d.calls, { wallet: node.config.name, lane, token });
  if (call === undefined) return;
  d.counts.callsDropped += 1;
  t.out.push({ type: "req.drop", req: call.req });
}

const streamKey = (stream: StreamName): string => `~${stream}`;

/** A wallet wants a stream, as soon as it is its turn. */
export function subscribe(
  d: Ark, node: Node, stream: StreamName, token: number, t: Turn,
): void {
  if (takes(d, node, t)) return open(d, node, stream, token, t);
  hold(d, node, streamKey(stream), { is: "stream", stream, token });
}

function open(d: Ark, node: Node, stream: StreamName, token: number, t: Turn): void {
  const { rounds } = node.config;
  // Barkd has no stream of its own; the background was told so.
  if (stream !== "rounds" || rounds === undefined) return;
  d.streamIds += 1;
  d.counts.streamsOpened += 1;
  d.streams.set(d.streamIds, { node, stream, token });
  node.streams.set(stream, { id: d.streamIds, token });
  t.out.push({ type: "stream.open", stream: d.streamIds, to: rounds });
}

/** And wants it no more. */
export function close(d: Ark, node: Node, stream: StreamName, t: Turn): void {
  if (leaves(d, node, streamKey(stream))) return;
  const known = node.streams.get(stream);
  if (known === undefined) return;
  node.streams.delete(stream);
  d.streams.delete(known.id);
  t.out.push({ type: "stream.close", stream: known.id });
}

/** Something of a stream; of one that was closed nothing is heard. */
export function streamed(d: Ark, event: StreamEvent, t: Turn): void {
  const known = d.streams.get(event.stream);
  if (known === undefined) return;
  const { node, stream, token } = known;
  switch (event.type) {
    case "stream.subscribed":
      return void t.todo.push({ do: "daemon", node, event: { type: "subscribed", stream, token } });
    case "stream.item": {
      const round = { type: "round", token, event: event.event, isReplay: undefined } as const;
      return void t.todo.push({ do: "daemon", node, event: round });
    }
    case "stream.ended": {
      d.counts.streamsEnded += 1;
      d.streams.delete(event.stream);
      node.streams.delete(stream);
      const { reason: why, fault } = event;
      logOf(d, node, "debug", "ark.stream-ended", { stream, why, fault: fault.code }, t);
      const ended = { type: "ended", stream, token, why } as const;
      return void t.todo.push({ do: "daemon", node, event: ended });
    }
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** An answer of the host: of a wallet's program, or of a target of notices. */
export function settled(d: Ark, event: RequestEvent, t: Turn): void {
  if (event.req % 2 === 0) {
    const order = requests.settle(d.requests, event.req >> 1);
    if (order === undefined) return;
    return void t.todo.push({ do: "notified", event: { ...event, req: order.token } });
  }
  const call = calls.settle(d.calls, event.req);
  if (call === undefined) return;
  const { asker, op, isOverdue } = call;
  if (isOverdue) d.counts.callsLate += 1;
  const given = event.type === "req.failed" ? barkd.ofFailure(event.reason)
    : barkd.answerOf(d.config.barkd, op, event.status, event.body);
  answer(asker, op, given, t);
}

/** What each look asks for. */
const lookOps: ReadonlySet<Op["op"]> = new Set<Op["op"]>(["tip", "vtxos", "exits"]);

/** Whatever fails for these is the same trouble, which a fact says once (`reports.ts`). */
const saidElsewhere: ReadonlySet<Reason> = new Set<Reason>([
  "unreachable", "auth", "no-wallet", "server-down", "server-key", "version", "network", "chain",
]);

/** What an answer says of the lane that asked. */
export function heard(d: Ark, asker: calls.Asker, op: Op, given: Answer, t: Turn): void {
  const node = named(d, asker.wallet);
  const lane = laneOf(node, asker.lane);
  if (given.ok) {
    // A look that sees heights and no VTXOs is blind all the same.
    if (lane.failedOp !== "" && lane.failedOp !== op.op) return;
    lane.okAt = t.now;
    lane.failures = 0;
    lane.why = "";
    lane.failedOp = "";
    return;
  }
  if (given.why === "unsupported") return;
  if (lookOps.has(op.op)) lane.failedOp = op.op;
  if (given.why === "rejected") d.counts.callsRejected += 1;
  if (given.why !== "unavailable") {
    failed(lane, given.why);
    return logOf(d, node, "info", "ark.call-refused", { op: op.op, why: given.why }, t);
  }
  d.counts.callsFailed += 1;
  if (given.reason === "auth") node.isTokenDoubted = true;
  failed(lane, given.reason);
  const { reason, fault } = given;
  const isSaid = saidElsewhere.has(reason) || d.phase === "draining";
  const level = lane.failures === 1 && !isSaid ? "info" : "debug";
  logOf(d, node, level, "ark.call-failed", { op: op.op, reason, fault: fault.code }, t);
}

/** A lane's call came to nothing. */
export function failed(lane: { failures: number; why: string }, why: string): void {
  lane.failures += 1;
  lane.why = why;
}

/** Calls and requests that have lasted too long, and those whose turn it is. */
export function tick(d: Ark, t: Turn): void {
  for (const { call, as } of calls.expired(d.calls, t.now)) over(d, call, as, t);
  for (const open of requests.expired(d.requests, t.now)) {
    t.out.push({ type: "req.drop", req: 2 * open.req });
    const event = { type: "req.failed", req: open.token, reason: "timeout" } as const;
    t.todo.push({ do: "notified", event });
  }
  for (const node of fleet.due(d.fleet, t.now)) {
    const turns = [...node.held.values()];
    node.held.clear();
    for (const held of turns) {
      if (held.is === "stream") open(d, node, held.stream, held.token, t);
      else if (!mayStill(node, held.asker, t)) refuse(d, held.asker, held.op, t);
      else send(d, node, held.asker, held.op, held.waitMs, t);
    }
  }
}

/** A turn may be long in coming: the guard looks once more at what it wanted. */
function mayStill(node: Node, { who, token }: calls.Asker, t: Turn): boolean {
  return who !== "guardian" || guardian.mayStill(node.guardian, token, t.now);
}

function over(d: Ark, call: calls.Call, as: calls.Over["as"], t: Turn): void {
  const { req, asker, op: { op }, sentAt } = call;
  const node = named(d, asker.wallet);
  const fields = { lane: asker.lane, op, ranMs: t.now - sentAt };
  switch (as) {
    case "cut":
      d.counts.callsDropped += 1;
      t.out.push({ type: "req.drop", req });
      return answer(asker, call.op, late, t);
    case "overdue":
      d.counts.callsOverdue += 1;
      return logOf(d, node, "warn", "ark.call-overdue", fields, t);
    case "stuck": {
      logOf(d, node, "error", "ark.call-stuck", fields, t);
      const { wallet, lane } = asker;
      const notice = {
        kind: "ark-lane-stuck", wallet, lane, op, ranMs: t.now - sentAt,
      } as const;
      return void t.todo.push({ do: "notice", notice });
    }
    default: return unreachable(as); /* c8 ignore next */
  }
}

/** A request of the notices, or the run of a command. */
export function order(d: Ark, effect: RequestEffect | ExecEffect, t: Turn): void {
  if (effect.type === "req.drop") {
    const req = requests.withdraw(d.requests, "notify", effect.req);
    if (req !== undefined) t.out.push({ type: "req.drop", req: 2 * req });
    return;
  }
  const req = requests.start(d.requests, "notify", effect.req, noticeMs, t.now);
  if (req !== undefined) return void t.out.push({ ...effect, req: 2 * req });
  const event = { type: "req.failed", req: effect.req, reason: "denied" } as const;
  t.todo.push({ do: "notified", event });
}

/**
 * Nothing is asked any more: what waits for its turn was never asked; what may be cut is given up.
 * The rest goes on.
 */
export function stop(d: Ark, t: Turn): void {
  for (const node of d.nodes) {
    for (const [key, held] of [...node.held]) {
      leaves(d, node, key);
      if (held.is === "call") refuse(d, held.asker, held.op, t);
    }
  }
  for (const call of [...d.calls.open.values()]) {
    if (call.asker.who === "daemon" || !isCuttable(call.op.op)) continue;
    calls.settle(d.calls, call.req);
    t.out.push({ type: "req.drop", req: call.req });
    answer(call.asker, call.op, unasked, t);
  }
}

/** Nothing of this wallet runs any more. Whether it was done, nobody knows. */
export function gone(d: Ark, node: Node, t: Turn): void {
  for (const [key, held] of [...node.held]) {
    if (held.is !== "call") continue;
    leaves(d, node, key);
    if (held.asker.who !== "daemon") answer(held.asker, held.op, ended, t);
  }
  for (const { req, asker, op } of [...d.calls.open.values()]) {
    if (asker.wallet !== node.config.name) continue;
    calls.settle(d.calls, req);
    if (isCuttable(op.op)) t.out.push({ type: "req.drop", req });
    // Lanes of the background are released all at once.
    if (asker.who !== "daemon") answer(asker, op, ended, t);
  }
}

/** What runs in this lane of a wallet. */
export function under(d: Ark, wallet: string, lane: string): calls.Call | undefined {
  return calls.inLane(d.calls, wallet, lane);
}

/** Is it not waited for any more? Lanes of the background know themselves. */
export function isOverdue(node: Node, { asker, isOverdue: isLate }: calls.Call): boolean {
  const name = laneNames.find((one) => one === asker.lane);
  return isLate || (name !== undefined && lanes.isOverdue(laneIn(node.daemon, name)));
}

/** What runs on in wallets' programs, or in that of one. */
export function remaining(d: Ark, now: number, of?: string): readonly {
  readonly wallet: string; readonly lane: string; readonly op: Op["op"]; readonly ranMs: number;
}[] {
  return [...d.calls.open.values()].filter(({ asker: { wallet } }) => (
    of === undefined || wallet === of
  )).map(({ asker: { wallet, lane }, op: { op }, sentAt }) => (
    { wallet, lane, op, ranMs: now - sentAt }
  ));
}

/** Does anything run in the program of this wallet? */
export function isBusy(d: Ark, of: string): boolean {
  for (const { asker: { wallet } } of d.calls.open.values()) if (wallet === of) return true;
  return false;
}

/** Says what runs on when the process ends. */
export function sayRemaining(d: Ark, t: Turn): void {
  for (const one of remaining(d, t.now)) log(d, "warn", "ark.left-running", one, t);
}
