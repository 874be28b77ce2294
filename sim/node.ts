/**
 * One simulated machine and its process: it looks at its inbox, steps its kernel and carries out
 * what the kernel asks for, as `adapters/host.ts` does for a real one.
 *
 * Rule 1: work takes time. Each step costs a drawn number of microseconds, more with each effect;
 * what arrives meanwhile waits in the inbox, and bytes wait in the system's buffers.
 * Rule 2: a due tick is a step of its own, before the event of the same instant. That one step for
 * both does the same is asked now and then.
 * Rule 3: a process can die between any two effects; what it had not carried out never happens.
 * Rule 4: a new process knows what is on disk and nothing else. Its connections are new ones.
 * @module
 */
import { assert, unreachable } from "../core/assert.ts";
import type { StoreEffect } from "../core/history/store.ts";
import type { ConnId } from "../core/ids.ts";
import { step, TICK } from "../core/kernel/kernel.ts";
import * as prng from "../core/prng.ts";
import type { Mono } from "../core/time.ts";
import * as hosts from "./bot/host.ts";
import * as tors from "./bot/tor.ts";
import * as clocks from "./clocks.ts";
import * as digest from "./digest.ts";
import * as fleets from "./fleet/host.ts";
import * as orders from "./fleet/orders.ts";
import * as disk from "./disk.ts";
import * as merged from "./invariants/merged.ts";
import { empty } from "./lists.ts";
import * as marks from "./marks.ts";
import { violation } from "./invariants/violation.ts";
import * as network from "./network.ts";
import type { Socket, Told } from "./network.ts";
import * as oracles from "./oracles/oracles.ts";
import { report } from "./oracles/report.ts";
import { checkpointSteps, shapeOf } from "./outcome.ts";
import { arm, endOfTimeUs, push } from "./process.ts";
import * as processes from "./process.ts";
import * as queue from "./queue.ts";
import type { Node, Notice, SimEffect, SimEvent, World } from "./world.ts";

/** What a process takes from a socket at once, as Node does. */
const readBytesMax = 65_536;

/** Looks at the inbox, or comes back when the node is free. */
export function look(w: World, node: Node): void {
  const freeUs = later(node.busyUntilUs, node.pausedUntilUs);
  if (freeUs > w.nowUs) {
    queue.push(w.queue, freeUs, node.run);
    return;
  }
  node.isListed = false;
  const notice = node.inbox[node.inboxAt];
  if (notice === undefined || node.kernel === undefined) return emptied(node);
  node.inboxAt += 1;
  if (node.inboxAt === node.inbox.length) emptied(node);
  take(w, node, notice);
  if (node.inboxAt < node.inbox.length) processes.list(w, node);
}

function emptied(node: Node): void {
  empty(node.inbox);
  node.inboxAt = 0;
}

function later(a: number, b: number): number {
  return a > b ? a : b;
}

/** The timer may be due. */
export function wake(w: World, node: Node): void {
  if (node.armedUs !== w.nowUs) return;
  node.armedUs = endOfTimeUs;
  const { kernel } = node;
  if (kernel === undefined) return;
  if (kernel.wakeAt <= clocks.now(node.clock, w.nowUs)) push(w, node, TICK);
  else arm(w, node, kernel.wakeAt);
}

function take(w: World, node: Node, notice: Notice): void {
  if (notice.socket === undefined) {
    const { event } = notice;
    const isLeft = node.fleet !== undefined && !fleets.isAwaited(node.fleet, event);
    return isLeft ? undefined : deliver(w, node, event);
  }
  const event = eventOf(w, node, notice.socket, notice.told);
  if (event !== undefined) deliver(w, node, event);
}

/** What the host makes of it; `undefined`: nothing to tell. */
function eventOf(w: World, node: Node, socket: Socket, what: Told): SimEvent | undefined {
  switch (what) {
    case "opened": return opened(node, socket);
    case "dialed":
      node.sessions += 1;
      return { type: "conn.dialed", conn: socket.conn };
    case "refused": case "timeout": case "unreachable":
      node.sockets.delete(socket.conn);
      return { type: "conn.failed", conn: socket.conn, reason: what };
    case "readable": return received(w, node, socket);
    case "congested": return { type: "conn.congested", conn: socket.conn };
    case "drained": return { type: "conn.drained", conn: socket.conn };
    case "eof": case "reset": case "error": case "aborted": case "closed":
      if (!node.sockets.delete(socket.conn)) return undefined;
      node.sessions -= 1;
      return { type: "conn.closed", conn: socket.conn, reason: what };
    default: unreachable(what);
  }
}

function opened(node: Node, socket: Socket): SimEvent {
  const conn = node.nextConn as ConnId;
  node.nextConn += 2;
  socket.conn = conn;
  node.sockets.set(conn, socket);
  node.sessions += 1;
  return { type: "conn.opened", conn };
}

function received(w: World, node: Node, socket: Socket): SimEvent | undefined {
  if (node.stalls > 0) return undefined;
  const bytes = network.read(w.net, socket, readBytesMax, w.nowUs);
  return bytes === undefined ? undefined : { type: "conn.received", conn: socket.conn, bytes };
}

function deliver(w: World, node: Node, event: SimEvent): void {
  const now = clocks.now(node.clock, w.nowUs);
  const { kernel } = node;
  assert(kernel !== undefined, "an event for a process that is down");
  if (kernel.wakeAt > now || event === TICK) {
    stepOnce(w, node, event, now);
    return;
  }
  w.untilMerged -= 1;
  const twin = w.checks && w.untilMerged < 0 ? merged.together(kernel, event, now) : undefined;
  const first = stepOnce(w, node, TICK, now);
  if (node.kernel !== kernel || w.finding !== undefined) return;
  const second = stepOnce(w, node, event, now);
  if (twin === undefined || node.kernel !== kernel) return;
  w.untilMerged = mergedEvery;
  const says = merged.differs(kernel, [...first, ...second], twin);
  if (says !== undefined) report(w, node, [violation("X4", says)], w.steps - 1);
}

/** Copies of a state are costly: one instant in so many. */
const mergedEvery = 512;

function stepOnce(
  w: World, node: Node, event: SimEvent, now: Mono,
): readonly SimEffect[] {
  const { kernel } = node;
  assert(kernel !== undefined, "a step of a process that is down");
  let effects: readonly SimEffect[];
  try {
    effects = w.checks ? oracles.step(w, node, event, now) : step(kernel, event, now);
  } catch (error) {
    crashed(w, node, error);
    return [];
  }
  digest.fold(w.digest, w.nowUs, node.index, event, effects);
  w.steps += 1;
  if (w.steps % checkpointSteps === 0) w.checkpoints.push(digest.hex(w.digest));
  if (w.checks) oracles.stepped(w, node, event, effects, now);
  w.watch?.stepped?.(w, node, event, effects);
  const { stepUs, effectUs } = w.scenario.host;
  const meanUs = stepUs + effectUs * effects.length;
  node.busyUntilUs = w.nowUs + (meanUs === 0 ? 0 : prng.below(node.costs, 2 * meanUs + 1));
  perform(w, node, event, effects);
  return effects;
}

/** A broken assertion in the core: the daemon would end with exit code 13. */
function crashed(w: World, node: Node, error: unknown): void {
  const says = error instanceof Error ? error.message : String(error);
  w.finding ??= {
    id: "crash", node: node.id, says, shape: shapeOf("crash", says), step: w.steps, atUs: w.nowUs,
    pending: [],
  };
}

function perform(
  w: World, node: Node, event: SimEvent, effects: readonly SimEffect[],
): void {
  const { crash } = node;
  const last = crash !== undefined && crash.effect <= effects.length ? crash.effect : -1;
  const { kernel } = node;
  for (let i = 0; i < effects.length; i += 1) {
    if (node.kernel !== kernel) return;
    if (i === last) return processes.die(w, node, crash?.power === true, crash?.forMs);
    carryOut(w, node, effects[i] as SimEffect);
  }
  if (last >= 0) return processes.die(w, node, crash?.power === true, crash?.forMs);
  if (w.marked.size > 0 && w.marked.has(node.index)) marks.look(w, node, event, effects);
  const listens = event.type === "operator.started"
    || (event.type === "started" && node.spec.kind === "trap");
  if (listens) network.listen(w.net, node.index, true);
}

function carryOut(w: World, node: Node, effect: SimEffect): void {
  switch (effect.type) {
    case "wake": return arm(w, node, effect.at);
    case "conn.send": {
      const socket = node.sockets.get(effect.conn);
      if (socket !== undefined) network.send(w.net, socket, effect.bytes, w.nowUs);
      return;
    }
    case "conn.close": return close(w, node, effect.conn, effect.how);
    case "conn.dial":
      if ("isSecret" in effect && effect.isSecret === true) return tors.dial(w, node, effect.conn);
      return dial(w, node, effect.conn, effect.to);
    case "conn.confide": return tors.confide(w, node, effect.conn, effect.bytes);
    case "cookie.want": case "nonce.want": case "key.load": case "key.save":
      return tors.order(w, node, effect, (node.disk?.fulls ?? 0) > 0);
    case "entropy.want": {
      const bytes = prng.bytes(node.entropy, effect.size);
      return push(w, node, { type: "entropy.given", req: effect.req, bytes });
    }
    case "mark": return marks.seen(w, node, effect.mark);
    case "stopped": return processes.die(w, node, false, node.restartMs);
    case "log": case "told": case "exec.start": case "child.start": case "child.signal": return;
    case "req.start":
      if (node.fleet !== undefined) return orders.carryOut(w, node, node.fleet, effect);
      return hosts.request(w, node, effect);
    case "req.drop": case "stream.open": case "stream.close":
      if (node.fleet !== undefined) orders.carryOut(w, node, node.fleet, effect);
      return;
    case "ark.answered": case "ark.failed": case "ark.streamed":
      return fleets.replied(w, node, effect);
    case "derive.want": return hosts.derive(w, node, effect);
    case "sign.want": return hosts.sign(w, node, effect.req, effect.digest);
    case "rpc.answered": return hosts.replied(w, node, effect);
    case "store.load": case "store.append": case "store.sync": case "store.truncate":
      return ordered(w, node, effect);
    default: unreachable(effect);
  }
}

/** An order to the disk. A torn write takes the power with it. */
function ordered(w: World, node: Node, effect: StoreEffect): void {
  const { disk: own } = node;
  assert(own !== undefined, "a store order on a node without a disk");
  disk.order(own, effect, w.nowUs, (atUs, answer) => processes.pushAt(w, node, atUs, answer));
  if (disk.isTorn(own)) processes.die(w, node, true, node.restartMs ?? 0);
}

/** A dial that is given up has no end to be told of. */
function close(w: World, node: Node, conn: ConnId, how: "abort" | "flush"): void {
  const socket = node.sockets.get(conn);
  if (socket === undefined) return tors.close(w, node, conn);
  if (socket.phase === "dialing") node.sockets.delete(conn);
  network.close(w.net, socket, how, w.nowUs);
}

function dial(w: World, node: Node, conn: ConnId, address: string): void {
  const to = w.byAddress.get(address) ?? tors.whose(w, address);
  if (to === undefined) return push(w, node, { type: "conn.failed", conn, reason: "unreachable" });
  const socket = network.dial(w.net, node.index, to, w.nowUs);
  socket.conn = conn;
  node.sockets.set(conn, socket);
}
