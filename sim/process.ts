/**
 * A process from outside: its inbox, its timer, its beginning and its end.
 *
 * Rule 1: a process knows what is on its disk and nothing else of the one before it.
 * Rule 2: what was meant for a dead process is lost; its number (`incarnation`) tells.
 * @module
 */
import { assert, unreachable } from "../core/assert.ts";
import * as directory from "../core/directory/directory.ts";
import * as kernel from "../core/kernel/kernel.ts";
import * as prng from "../core/prng.ts";
import * as maker from "../core/maker/maker.ts";
import { secret } from "../core/secret.ts";
import { NEVER, type Mono } from "../core/time.ts";
import * as hostile from "./actors/hostile.ts";
import * as journal from "./actors/journal.ts";
import * as peer from "./actors/peer.ts";
import * as chain from "./bot/chain.ts";
import * as trap from "./bot/trap.ts";
import * as clocks from "./clocks.ts";
import * as fleets from "./fleet/machine.ts";
import type { FleetHost } from "./fleet/state.ts";
import * as disk from "./disk.ts";
import { itemOf } from "./items.ts";
import * as marks from "./marks.ts";
import * as network from "./network.ts";
import type { Socket, Told } from "./network.ts";
import * as oracles from "./oracles/oracles.ts";
import * as queue from "./queue.ts";
import type { NodeId } from "./scenario.ts";
import type { AnyRoot } from "./vocabulary.ts";
import type {
  Node, Notice, SimEvent, SimKernel, SimState, World,
} from "./world.ts";

/** The latest true time that a timer is armed for: no run lasts as long. */
export const endOfTimeUs = 8_000_000_000_000_000;

/** Something for the node's process; lost if there is none. */
export function notify(w: World, node: Node, notice: Notice): void {
  if (node.kernel === undefined) return;
  node.inbox.push(notice);
  list(w, node);
}

/** The node looks at its inbox as soon as it may. */
export function list(w: World, node: Node): void {
  if (node.isListed) return;
  node.isListed = true;
  w.ready.push(node);
}

/** An event for the node's process. */
export function push(w: World, node: Node, event: SimEvent): void {
  notify(w, node, { socket: undefined, event });
}

/** An event for the process that runs now, not before `atUs`. */
export function pushAt(w: World, node: Node, atUs: number, event: SimEvent): void {
  const { index, incarnation } = node;
  const notice: Notice = { socket: undefined, event };
  queue.push(w.queue, atUs, { kind: "notice", node: index, incarnation, notice });
}

/** What the system tells a process about one of its sockets. */
export function told(w: World, socket: Socket, what: Told): void {
  notify(w, w.nodes[socket.node] as Node, { socket, told: what });
}

/** The process asked to be woken at `at` of its clock. */
export function arm(w: World, node: Node, at: Mono): void {
  if (at === NEVER) return;
  const dueUs = clocks.whenUs(node.clock, at, w.nowUs);
  const { timerLateUs } = w.scenario.host;
  const lateUs = timerLateUs === 0 ? 0 : prng.below(node.costs, timerLateUs);
  const atUs = dueUs + lateUs;
  if (atUs >= node.armedUs || atUs >= endOfTimeUs) return;
  node.armedUs = atUs;
  queue.push(w.queue, atUs, node.wake);
}

/** The clock runs at another speed: the timer is set anew. */
export function rearm(w: World, node: Node): void {
  if (node.kernel === undefined) return;
  node.armedUs = endOfTimeUs;
  arm(w, node, node.kernel.wakeAt);
}

/** The process starts. */
export function start(w: World, node: Node): void {
  assert(node.kernel === undefined, "a process that runs was started");
  node.incarnation += 1;
  node.run = itemOf("run", node.index, node.incarnation);
  node.wake = itemOf("wake", node.index, node.incarnation);
  node.entropy = prng.stream(w.key, "entropy", node.id, node.incarnation);
  node.busyUntilUs = w.nowUs;
  node.pausedUntilUs = w.nowUs;
  node.armedUs = endOfTimeUs;
  node.nextConn = 1;
  node.restartMs = undefined;
  network.booted(w.net, node.index);
  if (node.stalls > 0) network.stall(w.net, node.index, true);
  node.kernel = kernelOf(w, node, clocks.now(node.clock, w.nowUs));
  if (w.checks) oracles.booted(w, node);
  push(w, node, { type: "clock.anchored", unixMs: clocks.wall(node.clock, w.nowUs) });
  greet(w, node);
  if (node.incarnation > 1) marks.seen(w, node, "restarted");
  w.watch?.booted?.(w, node);
}

function greet(w: World, node: Node): void {
  switch (node.kind) {
    case "directory": return push(w, node, { type: "operator.started" });
    case "peer": case "hostile": {
      const key = node.identity.secret;
      if (key !== undefined) push(w, node, { type: "key.given", key: secret(key) });
      return join(w, node, { type: "started" });
    }
    case "journal": case "chain": case "ark": return push(w, node, { type: "started" });
    case "bot": case "fleet": return join(w, node, { type: "operator.started" });
    default: unreachable(node.kind);
  }
}

/** One that joins late waits until then. */
function join(w: World, node: Node, event: SimEvent): void {
  const { spec } = node;
  const atUs = ("joinsAt" in spec ? spec.joinsAt ?? 0 : 0) * 1_000;
  if (atUs <= w.nowUs) push(w, node, event);
  else pushAt(w, node, atUs, event);
}

function kernelOf(w: World, node: Node, now: Mono): SimKernel {
  const [root, state] = machineOf(w, node, now);
  return kernel.create(root, state, now, false);
}

function machineOf(w: World, node: Node, now: Mono): readonly [AnyRoot, SimState] {
  const { spec } = node;
  const { primitives } = w;
  switch (spec.kind) {
    case "directory": {
      assert(node.config !== undefined, "a directory without settings");
      const state = directory.create(node.config, now);
      return [directory.root(primitives) as unknown as AnyRoot, state];
    }
    case "journal": {
      const state = journal.create(journal.configOf(node.id, node.incarnation), now);
      return [journal.root as unknown as AnyRoot, state];
    }
    case "chain": {
      assert(node.ground !== undefined, "a node without blocks");
      const state = chain.create(node.ground, node.incarnation);
      return [chain.root as unknown as AnyRoot, state];
    }
    case "trap": {
      const state = trap.create({ as: spec.as, nick: node.identity.nick });
      return [trap.root as unknown as AnyRoot, state];
    }
    case "bot": {
      assert(node.host !== undefined, "a bot without a host");
      // The cookie is read when the process starts, and again when it says so.
      node.host.cookie = w.nodes[node.host.chain]?.incarnation ?? 0;
      const seed = prng.derive(w.key, "bot", node.id, node.incarnation);
      const state = maker.create(node.host.config, seed, primitives, now);
      return [maker.root(primitives) as unknown as AnyRoot, state];
    }
    case "fleet": case "ark": return fleets.machineOf(w, node, now);
    case "maker": case "taker": case "watcher": {
      const state = peer.create(peerOf(w, node, spec, w.checks && w.oracles.isListening), now);
      return [peer.root(primitives) as unknown as AnyRoot, state];
    }
    case "flood": case "squatter": case "drip": case "garbage": case "forger":
    case "mute": case "churn": case "crowd": {
      const state = hostile.create(peerOf(w, node, spec, false), now);
      return [hostile.root(primitives) as unknown as AnyRoot, state];
    }
    default: unreachable(spec);
  }
}

/** What every peer knows of the world when it starts; one literal: they are all of one shape. */
function peerOf<S extends { readonly directories?: readonly NodeId[] | undefined }>(
  w: World, node: Node, spec: S, tells: boolean,
): Omit<peer.PeerConfig, "spec"> & { readonly spec: S } {
  return {
    index: node.index, incarnation: node.incarnation, nick: node.identity.nick,
    location: node.identity.location, network: "regtest",
    directories: directoriesOf(w, spec.directories), nicks: w.nicks, keys: w.keys,
    key: prng.derive(w.key, "peer", node.id, node.incarnation), spec, tells,
  };
}

function directoriesOf(
  w: World, names: readonly NodeId[] | undefined,
): readonly { readonly id: NodeId; readonly address: string }[] {
  const all = w.nodes.filter((one) => one.kind === "directory");
  return all.filter((one) => names === undefined || names.includes(one.id))
    .map((one) => ({ id: one.id, address: one.identity.location ?? one.id }));
}

/**
 * The process is gone: by a fault, or because it is done. With `power`, so is the machine, and what
 * was not synced. It starts again `forMs` later; never if that is absent.
 */
export function die(w: World, node: Node, power: boolean, forMs: number | undefined): void {
  if (node.kernel === undefined) return;
  node.kernel = undefined;
  node.crash = undefined;
  node.inbox.length = 0;
  node.inboxAt = 0;
  node.isListed = false;
  node.armedUs = endOfTimeUs;
  node.sockets.clear();
  node.sessions = 0;
  network.died(w.net, node.index, power, w.nowUs);
  // Its Tor drops the services of connections that are gone.
  node.host?.tor.sessions.clear();
  if (node.fleet !== undefined) left(w, node, node.fleet);
  if (node.town !== undefined) broken(w, node);
  if (node.disk !== undefined) disk.crash(node.disk, power, w.nowUs);
  if (w.checks) oracles.died(w, node, power);
  w.watch?.died?.(w, node);
  if (forMs === undefined) return;
  const { index, incarnation } = node;
  queue.push(w.queue, w.nowUs + forMs * 1_000, { kind: "boot", node: index, incarnation });
}

/** A fleet's process is gone, and what it waited for is for nobody. */
function left(w: World, node: Node, host: FleetHost): void {
  host.open.clear();
  host.streams.clear();
  const ark = w.nodes[host.ark];
  const { index: asker, incarnation } = node;
  if (ark !== undefined) push(w, ark, { type: "ark.gone", asker, incarnation });
}

/** How soon a system is told that a process at the other end is gone, in microseconds. */
const brokenUs = 1_000;

/** An ark's process is gone: connections to it break. */
function broken(w: World, ark: Node): void {
  const fault = { code: "round-over", text: "it broke" };
  for (const node of w.nodes) {
    const { fleet: host } = node;
    if (host === undefined || host.ark !== ark.index) continue;
    const atUs = w.nowUs + brokenUs;
    for (const req of host.open) {
      pushAt(w, node, atUs, { type: "req.failed", req, reason: "reset" });
    }
    for (const stream of host.streams.keys()) {
      pushAt(w, node, atUs, { type: "stream.ended", stream, reason: "error", fault });
    }
  }
}
