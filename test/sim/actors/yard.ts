/**
 * Peers and directories in one process: kernels, joined by plain links with a latency, in virtual
 * time. Links can lose, end late and end early; the network model of the simulator is tested
 * elsewhere.
 * @module
 */
import assert from "node:assert/strict";
import { unreachable } from "../../../core/assert.ts";
import { text } from "../../../core/bytes.ts";
import { defaults, type DirectoryConfig } from "../../../core/directory/config.ts";
import * as directory from "../../../core/directory/directory.ts";
import type { DirectoryEffect, DirectoryEvent } from "../../../core/directory/events.ts";
import type { ConnId } from "../../../core/ids.ts";
import type { ConnEffect, DialEffect, Ended, Tick, WakeEffect } from "../../../core/kernel/io.ts";
import * as kernel from "../../../core/kernel/kernel.ts";
import * as prng from "../../../core/prng.ts";
import { secret } from "../../../core/secret.ts";
import { mono } from "../../../core/time.ts";
import * as hostile from "../../../sim/actors/hostile.ts";
import type { HostileConfig, PeerConfig, PeerEffect, PeerEvent } from "../../../sim/actors/io.ts";
import * as peer from "../../../sim/actors/peer.ts";
import type { Told } from "../../../sim/actors/told.ts";
import * as invariants from "../../../sim/invariants/directory.ts";
import { text as say } from "../../../sim/invariants/violation.ts";
import { nickFor, onionFor, primitives, pubkeyOf, secretFor } from "../../../sim/primitives.ts";
import type { HostileKind, Mark, NodeId, PeerSpec, Work } from "../../../sim/scenario.ts";
import { poisoned } from "../../support/laws.ts";

type Effect = PeerEffect | DirectoryEffect | WakeEffect;
type Event = PeerEvent | DirectoryEvent | Tick;
type AnyKernel = kernel.Kernel<unknown, { type: string }, { type: string }>;

export type Node = {
  readonly id: NodeId;
  readonly kind: "directory" | "peer" | "hostile";
  readonly kernel: AnyKernel;
  readonly observer: invariants.Observer | undefined;
  /** Reads nothing. */
  readonly deaf: boolean;
  nextConn: number;
  isUp: boolean;
  readonly facts: { readonly at: number; readonly what: Told }[];
  readonly marks: { readonly at: number; readonly mark: Mark; readonly conn: number }[];
  readonly dials: ConnId[];
  /** Dials that were taken back before they failed. */
  readonly givenUp: Set<ConnId>;
};

type End = { readonly node: Node; readonly conn: ConnId; isTold: boolean };

/** One connection. */
export type Pipe = {
  /** Who dialled, and who accepted. */
  readonly ends: readonly [End, End];
  /** Bytes that each has sent, as text. */
  readonly sent: [string, string];
  /** What each sends is lost, and its end too. */
  readonly loses: [boolean, boolean];
  /** When the last of what each has sent arrives: nothing overtakes it. */
  readonly arrivesAt: [number, number];
};

type Item = { readonly at: number; readonly order: number; readonly run: () => void };

export type Yard = {
  now: number;
  order: number;
  steps: number;
  readonly items: Item[];
  readonly nodes: Map<NodeId, Node>;
  readonly pipes: Pipe[];
  latencyMs: number;
  /** How much later than its bytes the end of a connection arrives. */
  lateEndMs: number;
  chance: number;
};

const stepsMax = 2_000_000;

export function create(): Yard {
  return {
    now: 1_000, order: 0, steps: 0, items: [], nodes: new Map(), pipes: [], latencyMs: 20,
    lateEndMs: 0, chance: 1,
  };
}

export function addDirectory(y: Yard, index = 0, settings: Partial<DirectoryConfig> = {}): Node {
  const location = onionFor(1_000 + index);
  const config: DirectoryConfig = { ...defaults, network: "regtest", location, ...settings };
  const at = mono(y.now);
  const k = kernel.create(directory.root(primitives), directory.create(config, at), at, false);
  const node = add(y, `dir${index}`, "directory", k, invariants.create(config, at));
  step(y, node, { type: "clock.anchored", unixMs: 1_700_000_000_000 });
  step(y, node, { type: "operator.started" });
  return node;
}

function add(
  y: Yard, id: NodeId, kind: Node["kind"], k: unknown, observer?: invariants.Observer,
): Node {
  const node: Node = {
    id, kind, kernel: k as AnyKernel, observer, deaf: id.startsWith("mute"), nextConn: 1,
    isUp: true, facts: [], marks: [], dials: [], givenUp: new Set(),
  };
  y.nodes.set(id, node);
  return node;
}

export const key = prng.key("yard");

/** What a peer knows of a yard: two directories, and twenty peers by number. */
export function knows(index: number, directories: number): Omit<PeerConfig, "spec" | "tells"> {
  const known = Array.from({ length: directories }, (_, i) => {
    return { id: `dir${i}`, address: onionFor(1_000 + i) };
  });
  const nicks = new Map(Array.from({ length: 20 }, (_, i) => [`maker${i}`, nickFor(i)]));
  const keys = new Map(Array.from({ length: 20 }, (_, i) => {
    return [nickFor(i), pubkeyOf(secretFor(i))];
  }));
  return {
    keys, index, incarnation: 1, nick: nickFor(index), location: undefined, network: "regtest",
    directories: known, nicks, key: prng.derive(key, index),
  };
}

export function peerConfig(
  index: number, spec: Partial<PeerSpec> & { kind: PeerSpec["kind"] }, directories = 1,
): PeerConfig {
  return {
    ...knows(index, directories), tells: true,
    spec: { id: `${spec.kind}${index}`, speaks: "new", ...spec },
    location: spec.kind === "maker" ? onionFor(index) : undefined,
  };
}

/** A started peer. */
export function addPeer(
  y: Yard, index: number, spec: Partial<PeerSpec> & { kind: PeerSpec["kind"] }, directories = 1,
): Node {
  const config = peerConfig(index, spec, directories);
  const at = mono(y.now);
  const k = kernel.create(peer.root(primitives), peer.create(config, at), at, false);
  const node = add(y, config.spec.id, "peer", k);
  if (spec.auth === true) step(y, node, { type: "key.given", key: secret(secretFor(index)) });
  step(y, node, { type: "started" });
  return node;
}

export function hostileConfig(index: number, kind: HostileKind, zeal = 1): HostileConfig {
  return { ...knows(index, 1), spec: { id: `${kind}${index}`, kind, zeal } };
}

export function addHostile(y: Yard, index: number, kind: HostileKind, zeal = 1): Node {
  const config = hostileConfig(index, kind, zeal);
  const at = mono(y.now);
  const k = kernel.create(hostile.root(primitives), hostile.create(config, at), at, false);
  const node = add(y, config.spec.id, "hostile", k);
  step(y, node, { type: "started" });
  return node;
}

export function ask(y: Yard, node: Node, task: Work): void {
  step(y, node, { type: "asked", task });
}

export function peerOf(node: Node): peer.Peer {
  return node.kernel.state as peer.Peer;
}

export function directoryOf(node: Node): directory.Directory {
  return node.kernel.state as directory.Directory;
}

/** The connection on which this nick is registered, by the directory's own id. */
export function ownerOf(node: Node, nick: string): ConnId | undefined {
  return directoryOf(node).registry.byNick.get(nick)?.conn;
}

/** A tick that is due is a step of its own, before what comes in the same instant. */
function step(y: Yard, node: Node, event: Event): void {
  if (event.type !== "tick" && node.kernel.wakeAt <= y.now) step(y, node, { type: "tick" });
  y.steps += 1;
  assert.ok(y.steps <= stepsMax, `more than ${stepsMax} steps by ${y.now}`);
  const effects = poisoned(() => kernel.step(node.kernel, event, mono(y.now)));
  if (node.observer !== undefined) observe(y, node, event, effects as readonly Effect[]);
  for (const effect of effects) perform(y, node, effect as Effect);
}

function observe(y: Yard, node: Node, event: Event, effects: readonly Effect[]): void {
  const o = node.observer as invariants.Observer;
  const violations = [
    ...invariants.observe(o, directoryOf(node), event as DirectoryEvent,
      effects as readonly (DirectoryEffect | WakeEffect)[], mono(y.now)),
    ...invariants.audit(o, directoryOf(node), mono(y.now)),
  ];
  if (violations.length > 0) assert.fail(`at ${y.now}: ${violations.map(say).join("; ")}`);
}

function perform(y: Yard, node: Node, effect: Effect): void {
  switch (effect.type) {
    case "conn.dial": dial(y, node, effect); break;
    case "conn.send": sent(y, node, effect); break;
    case "conn.close": close(y, node, effect); break;
    case "entropy.want": give(y, node, effect.req, effect.size); break;
    case "told": node.facts.push({ at: y.now, what: effect.what }); break;
    case "mark":
      node.marks.push({ at: y.now, mark: effect.mark, conn: effect.conn ?? 0 });
      break;
    case "log":
    case "wake":
    case "stopped":
      break;
    default: unreachable(effect);
  }
}

function give(y: Yard, node: Node, req: number, size: number): void {
  y.chance += 1;
  const bytes = Uint8Array.from({ length: size }, (_, i) => (y.chance * 31 + i * 7) & 0xff);
  later(y, 0, () => step(y, node, { type: "entropy.given", req, bytes }));
}

function later(y: Yard, ms: number, run: () => void): void {
  y.order += 1;
  const item: Item = { at: y.now + ms, order: y.order, run };
  let at = y.items.length;
  while (at > 0 && (y.items[at - 1] as Item).at > item.at) at -= 1;
  y.items.splice(at, 0, item);
}

function dial(y: Yard, node: Node, effect: DialEffect): void {
  node.dials.push(effect.conn);
  const index = Array.from({ length: 4 }, (_, i) => onionFor(1_000 + i)).indexOf(effect.to);
  const to = y.nodes.get(`dir${index}`);
  if (to?.isUp !== true) {
    return later(y, y.latencyMs, () => {
      if (node.givenUp.has(effect.conn)) return;
      step(y, node, { type: "conn.failed", conn: effect.conn, reason: "refused" });
    });
  }
  const pipe: Pipe = {
    ends: [
      { node, conn: effect.conn, isTold: false },
      { node: to, conn: to.nextConn as ConnId, isTold: false },
    ],
    sent: ["", ""], loses: [false, false], arrivesAt: [0, 0],
  };
  to.nextConn += 2;
  y.pipes.push(pipe);
  later(y, y.latencyMs, () => {
    if (pipe.ends[0].isTold) return;
    step(y, to, { type: "conn.opened", conn: pipe.ends[1].conn });
    if (!pipe.ends[0].isTold) step(y, node, { type: "conn.dialed", conn: effect.conn });
  });
}

/** The connection of this node with this id, and which end it is. */
export function pipeOf(y: Yard, node: Node, conn: ConnId): readonly [Pipe, 0 | 1] {
  for (let at = y.pipes.length - 1; at >= 0; at -= 1) {
    const pipe = y.pipes[at] as Pipe;
    if (pipe.ends[0].node === node && pipe.ends[0].conn === conn) return [pipe, 0];
    if (pipe.ends[1].node === node && pipe.ends[1].conn === conn) return [pipe, 1];
  }
  return assert.fail(`${node.id} never had a connection ${conn}`);
}

function sent(y: Yard, node: Node, effect: ConnEffect & { type: "conn.send" }): void {
  const [pipe, side] = pipeOf(y, node, effect.conn);
  if (pipe.ends[side].isTold) return;
  const far = pipe.ends[side === 0 ? 1 : 0];
  pipe.sent[side] += text(effect.bytes);
  if (pipe.loses[side] || far.node.deaf) return;
  const bytes = effect.bytes.slice();
  later(y, inOrder(y, pipe, side, y.latencyMs), () => {
    if (far.isTold || pipe.loses[side]) return;
    step(y, far.node, { type: "conn.received", conn: far.conn, bytes });
  });
}

function close(y: Yard, node: Node, effect: ConnEffect & { type: "conn.close" }): void {
  if (!y.pipes.some((one) => one.ends.some((e) => e.node === node && e.conn === effect.conn))) {
    node.givenUp.add(effect.conn);
    return;
  }
  const [pipe, side] = pipeOf(y, node, effect.conn);
  const far = pipe.ends[side === 0 ? 1 : 0];
  const own = pipe.ends[side];
  const isFlush = effect.how === "flush";
  later(y, isFlush ? 2 * y.latencyMs : 0, () => end(y, own, isFlush ? "closed" : "aborted"));
  if (pipe.loses[side]) return;
  const ms = inOrder(y, pipe, side, y.latencyMs + y.lateEndMs);
  later(y, ms, () => end(y, far, isFlush ? "eof" : "reset"));
}

/** How long it takes: `ms`, or until what was sent before has arrived. */
function inOrder(y: Yard, pipe: Pipe, side: 0 | 1, ms: number): number {
  const at = Math.max(y.now + ms, pipe.arrivesAt[side]);
  pipe.arrivesAt[side] = at;
  return at - y.now;
}

function end(y: Yard, one: End, reason: Ended): void {
  if (one.isTold) return;
  one.isTold = true;
  step(y, one.node, { type: "conn.closed", conn: one.conn, reason });
}

/** What this connection carries is lost from now on: of the dialler, of the other, or of both. */
export function lose(pipe: Pipe, dialler = true, acceptor = true): void {
  pipe.loses[0] ||= dialler;
  pipe.loses[1] ||= acceptor;
}

/** The newest connection of a peer to a directory. */
export function newest(y: Yard, node: Node): Pipe {
  const pipe = y.pipes.findLast((one) => one.ends[0].node === node);
  assert.ok(pipe !== undefined, `${node.id} never got through`);
  return pipe;
}

/** Is this peer registered on the connection that it believes live? */
export function isIn(y: Yard, node: Node, at = 0): boolean {
  const link = peer.links(peerOf(node))[at];
  const dir = y.nodes.get(`dir${at}`);
  if (link?.phase !== "up" || link.conn === undefined || dir === undefined) return false;
  const [pipe] = pipeOf(y, node, link.conn);
  return ownerOf(dir, peerOf(node).config.nick) === pipe.ends[1].conn;
}

/** The directory's process dies: everybody reads the end, and nobody gets in until `revive`. */
export function kill(y: Yard, node: Node): void {
  node.isUp = false;
  y.nodes.delete(node.id);
  for (const pipe of y.pipes) {
    if (pipe.ends[1].node !== node) continue;
    pipe.ends[1].isTold = true;
    const [far] = pipe.ends;
    later(y, y.latencyMs, () => end(y, far, "reset"));
  }
}

/** Everything until `until`, each at its own instant. */
export function runTo(y: Yard, until: number): void {
  for (;;) {
    const item = y.items[0];
    let at = item?.at ?? Number.MAX_SAFE_INTEGER;
    let due: Node | undefined;
    for (const node of y.nodes.values()) {
      if (node.kernel.wakeAt >= at) continue;
      at = node.kernel.wakeAt;
      due = node;
    }
    if (at > until) break;
    if (at > y.now) y.now = at;
    if (due !== undefined) step(y, due, { type: "tick" });
    else y.items.shift()?.run();
  }
  y.now = until;
}

export function advance(y: Yard, ms: number): void {
  runTo(y, y.now + ms);
}

export function push(y: Yard, node: Node, event: Event): void {
  step(y, node, event);
}

export function facts<F extends Told["fact"]>(
  node: Node, fact: F,
): readonly Extract<Told, { fact: F }>[] {
  return node.facts.filter((one) => one.what.fact === fact)
    .map((one) => one.what as Extract<Told, { fact: F }>);
}

export function marksOf(node: Node): readonly Mark[] {
  return node.marks.map((one) => one.mark);
}

/** The tag of a line, from its text (`from!to!command...`); -1 if there is none. */
export function tagIn(line: string): number {
  const found = /#([1-9][0-9]{0,14})(?![0-9])/.exec(line);
  return found === null ? -1 : Number(found[1]);
}
