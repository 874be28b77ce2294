/**
 * A simulated network with processes that read at once and note what they are told.
 * @module
 */
import assert from "node:assert/strict";
import type { ConnId } from "../../core/ids.ts";
import * as prng from "../../core/prng.ts";
import * as network from "../../sim/network.ts";
import type { NetItem, Network, Socket, Told } from "../../sim/network.ts";
import * as queue from "../../sim/queue.ts";
import type { Net } from "../../sim/scenario.ts";

export const calm: Net = {
  latencyMinUs: 1_000, latencyMeanUs: 1_000, segment: "whole",
  sendBufferBytes: 10_000, receiveBufferBytes: 5_000,
};

export type Entry = {
  readonly atUs: number; readonly node: number; readonly life: number;
  readonly what: Told | Uint8Array;
};

export type Lab = {
  readonly n: Network;
  readonly items: queue.Queue<unknown>;
  readonly log: Entry[];
  /** Accepted sockets in the order of their opening. */
  readonly accepted: Socket[];
  /** Nodes whose processes do not look. */
  readonly asleep: Set<number>;
  readonly inbox: [Socket, Told][];
  nowUs: number;
  steps: number;
};

/** All nodes but node 0 dial; those of `listeners` accept. */
export function lab(
  net: Partial<Net> = {}, nodes = 3, seed = "lab", listeners: readonly number[] = [1],
): Lab {
  const key = prng.key(seed);
  const items = queue.create<unknown>(prng.stream(key, "ties"));
  const inbox: [Socket, Told][] = [];
  const host = { told: (socket: Socket, what: Told) => void inbox.push([socket, what]) };
  const n = network.create({ ...calm, ...net }, key, nodes, host, items);
  for (const node of listeners) network.listen(n, node, true);
  return { n, items, log: [], accepted: [], asleep: new Set(), inbox, nowUs: 0, steps: 0 };
}

export function dial(l: Lab, from = 0, to = 1): Socket {
  const s = network.dial(l.n, from, to, l.nowUs);
  s.conn = 2 as ConnId;
  return s;
}

/** A connection that both ends know: the dialer's socket and the acceptor's. */
export function connect(l: Lab, from = 0, to = 1): [Socket, Socket] {
  const s = dial(l, from, to);
  runTo(l, l.nowUs + 1_000_000);
  assert.equal(s.phase, "open");
  assert.equal(s.peer.phase, "open");
  return [s, s.peer];
}

/** Runs what is due up to and at `untilUs`. */
export function runTo(l: Lab, untilUs: number): void {
  look(l);
  for (let next = queue.nextAt(l.items); next !== undefined; next = queue.nextAt(l.items)) {
    if (next > untilUs) break;
    advance(l);
  }
  l.nowUs = untilUs;
}

/** Runs until nothing is in the queue. */
export function runOut(l: Lab): void {
  look(l);
  while (queue.nextAt(l.items) !== undefined) advance(l);
}

function advance(l: Lab): void {
  const atUs = queue.nextAt(l.items) ?? assert.fail("nothing is next");
  const item = queue.pop(l.items);
  assert.ok(atUs >= l.nowUs, "time goes back");
  l.nowUs = atUs;
  l.steps += 1;
  assert.ok(l.steps < 1_000_000, "goes on for ever");
  network.due(l.n, item as NetItem, atUs);
  look(l);
}

/** Processes that are awake look at what they were told. */
export function look(l: Lab): void {
  const kept: [Socket, Told][] = [];
  for (let at = 0; at < l.inbox.length; at += 1) {
    const entry = l.inbox[at] as [Socket, Told];
    if (l.asleep.has(entry[0].node)) kept.push(entry);
    else take(l, entry[0], entry[1]);
  }
  l.inbox.splice(0, l.inbox.length, ...kept);
}

function take(l: Lab, s: Socket, what: Told): void {
  if (what !== "readable") note(l, s, what);
  if (what === "opened") {
    s.conn = 1 as ConnId;
    l.accepted.push(s);
  }
  if (what !== "readable") return;
  const bytes = network.read(l.n, s, 65_536, l.nowUs);
  if (bytes !== undefined) note(l, s, bytes);
}

function note(l: Lab, s: Socket, what: Told | Uint8Array): void {
  l.log.push({ atUs: l.nowUs, node: s.node, life: s.life, what });
}

/** What an end was told, reads as numbers of bytes. */
export function heard(l: Lab, s: Socket): (Told | number)[] {
  return l.log.filter((one) => one.node === s.node && one.life === s.life)
    .map((one) => typeof one.what === "string" ? one.what : one.what.length);
}

/** The bytes that an end has read. */
export function got(l: Lab, s: Socket): number[] {
  return l.log.filter((one) => one.node === s.node && one.life === s.life)
    .flatMap((one) => typeof one.what === "string" ? [] : [...one.what]);
}

/** When an end was first told `what`; -1: never. */
export function when(l: Lab, s: Socket, what: Told): number {
  const all = l.log.filter((one) => one.node === s.node && one.life === s.life);
  return all.find((one) => one.what === what)?.atUs ?? -1;
}

export function send(l: Lab, s: Socket, bytes: number | Uint8Array): void {
  network.send(l.n, s, typeof bytes === "number" ? new Uint8Array(bytes) : bytes, l.nowUs);
}

export function close(l: Lab, s: Socket, how: "abort" | "flush"): void {
  network.close(l.n, s, how, l.nowUs);
}

/** Both ways between two nodes. */
export function cut(l: Lab, a: number, b: number, by: 1 | -1): void {
  network.path(l.n, a, b).cut += by;
  network.path(l.n, b, a).cut += by;
}
