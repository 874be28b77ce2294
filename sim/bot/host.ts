/**
 * What surrounds a bot's process: the way to its Bitcoin node, the key of its nick, and who gets
 * its notices.
 *
 * Rule 1: a question over HTTP goes the network's way (latency, cuts, refusals) but not as bytes:
 * it arrives whole or not at all, and so does the answer.
 * Rule 2: the password is read when a request says so (`renew`), as a cookie file is.
 * Rule 3: the host decides nothing: no retry, no time-out.
 * @module
 */
import type { RequestEffect, RequestFailure } from "../../core/kernel/io.ts";
import { assert } from "../../core/assert.ts";
import * as prng from "../../core/prng.ts";
import { derive as addressAt } from "../chain/address.ts";
import * as network from "../network.ts";
import { signDigest } from "../primitives.ts";
import { pushAt } from "../process.ts";
import * as queue from "../queue.ts";
import type { HarmKind, NodeId, RpcWrong } from "../scenario.ts";
import type { BotEffect } from "../vocabulary.ts";
import type { Node, World } from "../world.ts";
import type { ChainEffect } from "./chain.ts";
import { watchesOf } from "./config.ts";

type Start = Extract<RequestEffect, { readonly type: "req.start" }>;

/** Signing takes so long, in microseconds: an elliptic curve and a trip to a worker. */
const signUs = 900;
/** What a web service needs. */
const serviceUs = 250_000;

/** A process asks over HTTP. */
export function request(w: World, node: Node, start: Start): void {
  const { host } = node;
  assert(host !== undefined, "a request of a node without a host");
  if (start.to !== "bitcoind") return serve(w, node, start.req);
  const chain = w.nodes[host.chain];
  if (chain === undefined) return fail(w, node, start.req, "denied");
  if (start.renew) host.cookie = chain.incarnation;
  const path = network.path(w.net, node.index, chain.index);
  if (path.cut > 0 || path.hang) return;
  const atUs = w.nowUs + latencyUs(node, path);
  if (path.refuse || chain.kernel === undefined) return fail(w, node, start.req, "refused");
  const question = {
    asker: node.index, incarnation: node.incarnation, req: start.req, path: start.path,
    body: start.body, cookie: host.cookie,
  };
  const event = { type: "rpc.asked", question, wrong: wrongOf(w, chain.id) } as const;
  pushAt(w, chain, atUs, event);
}

function latencyUs(node: Node, path: network.Path): number {
  const tail = prng.tailed(node.costs, path.latencyMeanUs - path.latencyMinUs);
  return path.latencyMinUs + tail + path.slowUs;
}

function fail(w: World, node: Node, req: number, reason: RequestFailure): void {
  const atUs = w.nowUs + 1 + prng.below(node.costs, 2_000);
  pushAt(w, node, atUs, { type: "req.failed", req, reason });
}

/** What is wrong with the chain's node just now. */
function wrongOf(w: World, id: NodeId): RpcWrong | undefined {
  for (const { harm } of w.active.values()) {
    if (harm.kind === "rpcWrong" && harm.node === id) return harm.as;
  }
  return undefined;
}

function suffers(w: World, kind: HarmKind, id: NodeId): boolean {
  for (const { harm } of w.active.values()) {
    if (harm.kind === kind && "node" in harm && harm.node === id) return true;
  }
  return false;
}

/** The answer of the chain's node goes back. */
export function replied(w: World, chain: Node, answer: ChainEffect): void {
  const asker = w.nodes[answer.asker];
  if (asker === undefined || wrongOf(w, chain.id) === "silent") return;
  const path = network.path(w.net, chain.index, asker.index);
  if (path.cut > 0) return;
  const atUs = w.nowUs + latencyUs(chain, path) + answer.afterMs * 1_000;
  const { req, status, body, incarnation } = answer;
  const notice = { socket: undefined, event: { type: "req.done", req, status, body } } as const;
  queue.push(w.queue, atUs, { kind: "notice", node: asker.index, incarnation, notice });
}

/** Who gets notices takes them, unless nobody is there. */
export function serve(w: World, node: Node, req: number): void {
  if (suffers(w, "hookDown", node.id)) return fail(w, node, req, "refused");
  const atUs = w.nowUs + 1 + prng.tailed(node.costs, serviceUs);
  pushAt(w, node, atUs, { type: "req.done", req, status: 200, body: "" });
}

/** Addresses of the bot's own accounts. */
export function derive(
  w: World, node: Node, wish: Extract<BotEffect, { readonly type: "derive.want" }>,
): void {
  const { req, mixdepth, branch, from, count } = wish;
  const found = watchesOf(node.id)
    .find((one) => one.mixdepth === mixdepth && one.branch === branch);
  const addresses = found === undefined ? undefined
    : Array.from({ length: count }, (_, i) => addressAt(found.descriptor, from + i));
  const atUs = w.nowUs + 1 + prng.below(node.costs, 2 * signUs);
  pushAt(w, node, atUs, { type: "derive.given", req, addresses });
}

/** The nick's key signs what was hashed twice. */
export function sign(w: World, node: Node, req: number, digest: Uint8Array): void {
  const { secret } = node.identity;
  assert(secret !== undefined, "a bot has a key");
  const atUs = w.nowUs + 1 + prng.below(node.costs, 2 * signUs);
  pushAt(w, node, atUs, { type: "sign.given", req, signature: signDigest(secret, digest) });
}
