/**
 * Faults as they begin, last and end, and the heal that ends those of the core.
 *
 * Rule 1: a fault is an interval; what a path suffers is made anew from all faults that last, so
 * overlapping ones end in any order.
 * Rule 2: a fault that names nobody who is there does nothing, and is told.
 * Rule 3: after the heal nothing begins any more, the core is well, and the rest stays as broken as
 * it was: each node outside the core has its fate.
 * @module
 */
import { unreachable } from "../core/assert.ts";
import * as tors from "./bot/tor.ts";
import * as clocks from "./clocks.ts";
import * as disk from "./disk.ts";
import * as fleets from "./fleet/heal.ts";
import * as network from "./network.ts";
import * as oracles from "./oracles/oracles.ts";
import { die, push, rearm, start } from "./process.ts";
import * as queue from "./queue.ts";
import type { Fault, Harm, Link, NodeId, Way } from "./scenario.ts";
import type { Active, Node, World } from "./world.ts";

/** The plan's entry `at` begins. */
export function begin(w: World, at: number): void {
  const fault = w.plan[at] as Fault;
  if (w.healed) return;
  const { id, at: _at, ...rest } = fault;
  const harm = rest as Harm;
  const touched = nodesOf(w, harm);
  if (touched.length === 0) {
    w.idle.add(id);
    return;
  }
  count(w, harm, touched);
  const forMs = "forMs" in harm ? harm.forMs : 0;
  const one: Active = { id, harm, fromUs: w.nowUs, toUs: w.nowUs + forMs * 1_000 };
  w.active.set(at, one);
  w.watch?.began?.(w, one);
  strike(w, harm, touched);
  if (w.checks) oracles.began(w, one);
  queue.push(w.queue, one.toUs, { kind: "end", at });
}

/** The plan's entry `at` is over. */
export function end(w: World, at: number): void {
  const one = w.active.get(at);
  if (one === undefined || w.healed) return;
  over(w, at, one);
}

function over(w: World, at: number, one: Active): void {
  w.active.delete(at);
  relieve(w, one.harm, nodesOf(w, one.harm));
  w.watch?.ended?.(w, one);
}

/** S22: a fault counts as felt when it strikes somebody with an open session. */
function count(w: World, harm: Harm, touched: readonly Node[]): void {
  const known = w.fired.get(harm.kind) ?? { fired: 0, active: 0 };
  known.fired += 1;
  if (touched.some((node) => node.sessions > 0 || isAlways(node))) known.active += 1;
  w.fired.set(harm.kind, known);
}

/** What has no connections is struck all the same. */
function isAlways(node: Node): boolean {
  return node.kind === "journal" || node.kind === "chain" || node.kind === "fleet"
    || node.kind === "ark";
}

/** Whom a fault is about; for links, both ends. Empty when a name is unknown. */
export function nodesOf(w: World, harm: Harm): readonly Node[] {
  if ("node" in harm) return named(w, [harm.node]);
  if (harm.kind === "partition") return named(w, harm.side);
  const [a, b] = harm.link;
  if (b !== "*") return named(w, [a, b]).length === 2 ? named(w, [a, b]) : [];
  return named(w, [a]).length === 0 ? [] : w.nodes;
}

function named(w: World, ids: readonly NodeId[]): readonly Node[] {
  const found: Node[] = [];
  for (const id of ids) {
    const node = w.byId.get(id);
    if (node !== undefined) found.push(node);
  }
  return found;
}

/** Does the fault break what goes from `from` to `to`? */
function breaks(harm: Harm, from: Node, to: Node): boolean {
  const way: Way = "way" in harm ? harm.way : "both";
  if (way !== "back" && isAlong(harm, from, to)) return true;
  return way !== "there" && isAlong(harm, to, from);
}

/** Is `a` the first end of the fault and `b` the other? */
function isAlong(harm: Harm, a: Node, b: Node): boolean {
  if (harm.kind === "partition") return harm.side.includes(a.id) && !harm.side.includes(b.id);
  if (harm.kind === "tor") return harm.node === a.id && isOnion(b);
  if (!("link" in harm)) return false;
  return harm.link[0] === a.id && (harm.link[1] === "*" || harm.link[1] === b.id);
}

/** Reached through Tor. */
function isOnion(node: Node): boolean {
  return node.kind === "directory" || node.spec.kind === "trap";
}

/** Does another fault keep the node's Tor down? */
function isWithoutTor(w: World, node: Node): boolean {
  for (const { harm } of w.active.values()) {
    if (harm.kind === "tor" && harm.node === node.id) return true;
  }
  return false;
}

function endsOf(w: World, harm: Harm): readonly (readonly [Node, Node])[] {
  if (harm.kind === "partition") {
    const inside = named(w, harm.side);
    const outside = w.nodes.filter((node) => !inside.includes(node));
    return inside.flatMap((a) => outside.map((b) => [a, b] as const));
  }
  if (harm.kind === "tor") {
    const own = named(w, [harm.node]);
    const far = w.nodes.filter(isOnion);
    return own.flatMap((a) => far.map((b) => [a, b] as const));
  }
  if (!("link" in harm)) return [];
  return linkEnds(w, harm.link);
}

function linkEnds(w: World, link: Link): readonly (readonly [Node, Node])[] {
  const a = w.byId.get(link[0]);
  if (a === undefined) return [];
  if (link[1] === "*") {
    return w.nodes.filter((node) => node !== a).map((b) => [a, b] as const);
  }
  const b = w.byId.get(link[1]);
  return b === undefined ? [] : [[a, b]];
}

function strike(w: World, harm: Harm, touched: readonly Node[]): void {
  const node = touched[0] as Node;
  switch (harm.kind) {
    case "cut": case "partition": case "slow": case "narrow": case "lateEnd": case "refuse":
    case "hang": case "lateDial": case "chop":
      return refresh(w, harm);
    case "tor":
      for (const one of w.nodes) {
        if (isOnion(one)) network.reset(w.net, node.index, one.index);
      }
      tors.turn(w, node, false);
      return refresh(w, harm);
    case "rpcWrong": case "hookDown": return;
    case "barkdWrong": case "serverWrong": case "sourceWrong":
      return push(w, node, { type: "ark.suffers", harm });
    case "halfOpen":
      for (const [a, b] of linkEnds(w, harm.link)) {
        network.halfOpen(w.net, a.index, b.index, harm.way);
      }
      return refresh(w, harm);
    case "reset":
      for (const [a, b] of linkEnds(w, harm.link)) {
        network.reset(w.net, a.index, b.index);
      }
      return;
    case "stall":
      node.stalls += 1;
      return network.stall(w.net, node.index, true);
    case "pause":
      node.pausedUntilUs = later(node.pausedUntilUs, w.nowUs + harm.forMs * 1_000);
      return;
    case "crash":
      if (harm.effect === 0) die(w, node, harm.power, harm.forMs);
      else node.crash = harm;
      return;
    case "restart": return restart(w, node, harm.forMs);
    case "jump":
      clocks.jump(node.clock, harm.ms);
      return push(w, node, {
        type: "clock.anchored", unixMs: clocks.wall(node.clock, w.nowUs),
      });
    case "drift":
      clocks.drift(node.clock, harm.ppm, w.nowUs);
      return rearm(w, node);
    case "diskSlow": case "diskFull": case "diskTorn": case "diskFails":
      return diskFault(w, node, harm);
    default: unreachable(harm);
  }
}

function later(a: number, b: number): number {
  return a > b ? a : b;
}

/** A daemon stops in good order; others just end. */
function restart(w: World, node: Node, forMs: number): void {
  if (node.kernel === undefined) return;
  node.restartMs = forMs;
  const isAsked = node.kind === "directory" || node.kind === "bot" || node.kind === "fleet";
  if (isAsked) push(w, node, { type: "operator.stop" });
  else die(w, node, false, forMs);
}

function diskFault(
  w: World, node: Node,
  harm: Extract<Harm, { kind: "diskSlow" | "diskFull" | "diskTorn" | "diskFails" }>,
): void {
  if (node.disk === undefined) return;
  switch (harm.kind) {
    case "diskSlow": return disk.slow(node.disk, harm.ms);
    case "diskFull": return disk.full(node.disk, true);
    case "diskTorn":
      disk.tear(node.disk);
      node.restartMs = harm.forMs;
      return;
    case "diskFails": return disk.failNext(node.disk, `store.${harm.order}`, "io");
    default: unreachable(harm);
  }
}

function relieve(w: World, harm: Harm, touched: readonly Node[]): void {
  const node = touched[0] as Node;
  switch (harm.kind) {
    case "cut": case "partition": case "slow": case "narrow": case "lateEnd": case "refuse":
    case "hang": case "lateDial": case "chop": case "halfOpen":
      return refresh(w, harm);
    case "tor":
      if (!isWithoutTor(w, node)) tors.turn(w, node, true);
      return refresh(w, harm);
    case "stall":
      node.stalls -= 1;
      if (node.stalls === 0) network.stall(w.net, node.index, false);
      return;
    case "drift":
      clocks.drift(node.clock, 0, w.nowUs);
      return rearm(w, node);
    case "diskSlow":
      if (node.disk !== undefined) disk.slow(node.disk, 0);
      return;
    case "diskFull":
      if (node.disk !== undefined) disk.full(node.disk, false);
      return;
    case "reset": case "pause": case "crash": case "restart": case "jump": case "diskTorn":
    case "diskFails": case "rpcWrong": case "hookDown": case "barkdWrong": case "serverWrong":
    case "sourceWrong": return;
    default: unreachable(harm);
  }
}

/** Makes the paths anew that a fault of links touches. */
function refresh(w: World, harm: Harm): void {
  for (const [a, b] of endsOf(w, harm)) {
    renew(w, a, b);
    renew(w, b, a);
  }
}

function renew(w: World, from: Node, to: Node): void {
  const path = network.path(w.net, from.index, to.index);
  network.clear(path, w.scenario.net);
  if (w.healed && w.core.has(from.index) && w.core.has(to.index)) {
    path.latencyMeanUs = path.latencyMeanUs < calmUs ? path.latencyMeanUs : calmUs;
    path.latencyMinUs = path.latencyMinUs < calmUs ? path.latencyMinUs : calmUs;
  } else {
    for (const one of w.active.values()) suffer(one.harm, path, from, to);
  }
}

/** In a healed core nothing takes longer on average, one way. */
const calmUs = 50_000;

function suffer(harm: Harm, path: network.Path, from: Node, to: Node): void {
  if (!breaks(harm, from, to)) return;
  switch (harm.kind) {
    case "cut": case "partition":
      path.cut += 1;
      return;
    case "halfOpen":
      path.hang = true;
      return;
    case "slow":
      path.slowUs += harm.ms * 1_000;
      return;
    case "narrow":
      path.bytesPerSec = harm.bytesPerSec;
      return;
    case "lateEnd":
      if (harm.link[1] === "*" ? from.id === harm.link[0] : to.id === harm.link[1]) {
        path.lateEndUs += harm.ms * 1_000;
      }
      return;
    case "refuse":
      path.refuse = true;
      return;
    case "hang":
      path.hang = true;
      return;
    case "lateDial":
      path.lateDialUs += harm.ms * 1_000;
      return;
    case "chop":
      path.chop = harm.as;
      return;
    case "reset": case "stall": case "pause": case "crash": case "restart": case "jump":
    case "drift": case "diskSlow": case "diskFull": case "diskTorn": case "diskFails":
    case "rpcWrong": case "hookDown": case "barkdWrong": case "serverWrong": case "sourceWrong":
      return;
    case "tor":
      path.refuse = true;
      return;
    default: unreachable(harm);
  }
}

/** The heal: the core is well from here on, and stays so. */
export function heal(w: World): void {
  w.healed = true;
  for (const [at, one] of [...w.active]) {
    const touched = nodesOf(w, one.harm);
    if ("node" in one.harm && w.core.has((touched[0] as Node).index)) over(w, at, one);
  }
  for (const node of w.nodes) {
    if (w.core.has(node.index)) recover(w, node);
    else befall(w, node);
  }
  for (const a of w.nodes) {
    for (const b of w.nodes) if (a !== b && isUsed(a, b)) renew(w, a, b);
  }
  w.watch?.healed?.(w);
}

/** Connections go to directories, questions to chains. */
function isUsed(a: Node, b: Node): boolean {
  return isServer(a) || isServer(b);
}

function isServer(node: Node): boolean {
  return node.kind === "directory" || node.kind === "chain" || node.kind === "ark";
}

function recover(w: World, node: Node): void {
  node.crash = undefined;
  if (node.pausedUntilUs > w.nowUs) {
    node.pausedUntilUs = w.nowUs;
    if (node.isListed) queue.push(w.queue, w.nowUs, node.run);
  }
  clocks.drift(node.clock, 0, w.nowUs);
  rearm(w, node);
  if (node.disk !== undefined) disk.mend(node.disk);
  if (node.kernel === undefined) start(w, node);
  fleets.healed(w, node);
}

function befall(w: World, node: Node): void {
  const fate = w.scenario.phases.fates.find((one) => one.node === node.id)?.fate ?? "cut";
  switch (fate) {
    case "free": return;
    case "dead": return die(w, node, true, undefined);
    case "silent": case "cut": {
      const harm: Harm = { kind: "cut", link: [node.id, "*"], way: "both", forMs: 0 };
      if (fate === "silent") network.halfOpen(w.net, node.index, undefined, "both");
      const one: Active = { id: -1 - node.index, harm, fromUs: w.nowUs, toUs: w.endUs };
      w.active.set(-1 - node.index, one);
      w.watch?.began?.(w, one);
      return;
    }
    default: unreachable(fate);
  }
}
