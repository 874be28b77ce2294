/**
 * What surrounds a fleet's process: the way to its wallets' programs and to the server's rounds.
 *
 * Rule 1: a question over HTTP goes the network's way (latency, cuts, refusals) but not as bytes:
 * it arrives whole or not at all, and so does the answer.
 * Rule 2: the daemon has no time-out for most of what it asks; of what a cut swallowed the
 * system's keep-alive tells in the end.
 * Rule 3: the token is read when a request says so (`renew`), as its file is.
 * @module
 */
import type { RequestEffect, RequestFailure } from "../../core/kernel/io.ts";
import * as prng from "../../core/prng.ts";
import { serve } from "../bot/host.ts";
import * as network from "../network.ts";
import { pushAt } from "../process.ts";
import * as queue from "../queue.ts";
import type { FleetEvent, SimEvent } from "../vocabulary.ts";
import type { Node, World } from "../world.ts";
import { walletIn } from "./config.ts";
import type { FleetHost } from "./state.ts";
import type { Asker, TownEffect } from "./town.ts";

type Start = Extract<RequestEffect, { readonly type: "req.start" }>;

/** Keep-alive of the system: silence for so long, in microseconds, is the end. */
const keepAliveUs = 120_000_000;

/** A process asks over HTTP. */
export function request(w: World, node: Node, host: FleetHost, start: Start): void {
  const { req, to, method, path, body, headers, renew } = start;
  host.open.add(req);
  const wallet = walletIn(to);
  if (wallet === undefined) return serve(w, node, req);
  const ark = w.nodes[host.ark];
  const town = ark?.town;
  if (ark === undefined || town === undefined) return fail(w, node, req, "refused");
  const known = host.tokens.get(wallet);
  const token = renew || known === undefined
    ? town.world.barkds.get(wallet)?.token ?? "" : known;
  host.tokens.set(wallet, token);
  const way = network.path(w.net, node.index, ark.index);
  if (way.cut > 0 || way.hang) return lose(w, node, req);
  if (way.refuse || ark.kernel === undefined) return fail(w, node, req, "refused");
  const given = headers.concat([["authorization", `Bearer ${token}`]]);
  const question = {
    asker: node.index, incarnation: node.incarnation, req, wallet, method, path, body,
    headers: given,
  };
  pushAt(w, ark, w.nowUs + latencyUs(node, way), { type: "ark.asked", question });
}

function askerOf(node: Node, req: number): Asker {
  return { asker: node.index, incarnation: node.incarnation, req };
}

function latencyUs(node: Node, way: network.Path): number {
  const tail = prng.tailed(node.costs, way.latencyMeanUs - way.latencyMinUs);
  return way.latencyMinUs + tail + way.slowUs;
}

function fail(w: World, node: Node, req: number, reason: RequestFailure): void {
  const atUs = w.nowUs + 1 + prng.below(node.costs, 2_000);
  pushAt(w, node, atUs, { type: "req.failed", req, reason });
}

function lose(w: World, node: Node, req: number): void {
  pushAt(w, node, w.nowUs + keepAliveUs, { type: "req.failed", req, reason: "reset" });
}

/** It does not wait for that any more. */
export function drop(w: World, node: Node, host: FleetHost, req: number): void {
  if (!host.open.delete(req)) return;
  const ark = w.nodes[host.ark];
  if (ark === undefined) return;
  pushAt(w, ark, w.nowUs + wayUs(w, node, ark), { type: "ark.dropped", by: askerOf(node, req) });
}

function wayUs(w: World, from: Node, to: Node): number {
  return latencyUs(from, network.path(w.net, from.index, to.index));
}

/** It wants to hear of rounds. */
export function open(w: World, node: Node, host: FleetHost, stream: number): void {
  host.streams.set(stream, 0);
  const ark = w.nodes[host.ark];
  const way = ark === undefined ? undefined : network.path(w.net, node.index, ark.index);
  const isAway = way === undefined || ark?.kernel === undefined || way.refuse || way.cut > 0
    || way.hang;
  if (isAway) {
    const afterUs = way !== undefined && (way.cut > 0 || way.hang) ? keepAliveUs : 1_000;
    const fault = { code: "round-down", text: "nobody there" };
    const event = { type: "stream.ended", stream, reason: "refused", fault } as const;
    return pushAt(w, node, w.nowUs + afterUs, event);
  }
  pushAt(w, ark, w.nowUs + latencyUs(node, way), { type: "ark.opened", by: askerOf(node, stream) });
}

export function close(w: World, node: Node, host: FleetHost, stream: number): void {
  if (!host.streams.delete(stream)) return;
  const ark = w.nodes[host.ark];
  if (ark === undefined) return;
  pushAt(w, ark, w.nowUs + wayUs(w, node, ark), { type: "ark.left", by: askerOf(node, stream) });
}

/** What an ark says goes its way. */
export function replied(w: World, ark: Node, effect: TownEffect): void {
  const { to } = effect;
  const node = w.nodes[to.asker];
  if (node === undefined || node.incarnation !== to.incarnation) return;
  const way = network.path(w.net, ark.index, node.index);
  const isLost = way.cut > 0;
  const afterUs = isLost ? keepAliveUs : latencyUs(ark, way) + effect.afterMs * 1_000;
  const event = isLost ? brokenOf(effect) : eventOf(effect);
  const notice = { socket: undefined, event } as const;
  const { incarnation, req } = to;
  let atUs = w.nowUs + afterUs;
  const lastUs = effect.type === "ark.streamed" ? node.fleet?.streams.get(req) : undefined;
  if (lastUs !== undefined) {
    if (atUs < lastUs) atUs = lastUs;
    node.fleet?.streams.set(req, atUs);
  }
  queue.push(w.queue, atUs, { kind: "notice", node: node.index, incarnation, notice });
}

function eventOf(effect: TownEffect): FleetEvent {
  const { to: { req } } = effect;
  if (effect.type === "ark.streamed") return effect.event;
  if (effect.type === "ark.failed") return { type: "req.failed", req, reason: effect.reason };
  return { type: "req.done", req, status: effect.status, body: effect.body };
}

function brokenOf(effect: TownEffect): FleetEvent {
  const { to: { req } } = effect;
  if (effect.type !== "ark.streamed") return { type: "req.failed", req, reason: "reset" };
  const fault = { code: "round-over", text: "it broke" };
  return { type: "stream.ended", stream: req, reason: "error", fault };
}

/** Does the process still wait for what this event is about? What it left comes to nobody. */
export function isAwaited(host: FleetHost, event: SimEvent): boolean {
  const { type } = event;
  if (type === "req.done" || type === "req.failed") return host.open.delete(event.req);
  if (type === "stream.ended") return host.streams.delete(event.stream);
  if (type === "stream.subscribed" || type === "stream.item") return host.streams.has(event.stream);
  return true;
}
