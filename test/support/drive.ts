/**
 * Drives a kernel in virtual time, with a fake link for each connection.
 *
 * Rule 1: time jumps to the next wake; a due tick is a step of its own, before the event of the
 * same instant. Every loop is bounded.
 * Rule 2: a link behaves as a socket does: what a peer does not read fills a buffer of bounded
 * size, then the host reports congestion; each opened connection is closed exactly once, at once or
 * when the test says so.
 * Rule 3: events that effects cause wait in a queue, as in the host.
 * @module
 */
import assert from "node:assert/strict";
import type { ConnId } from "../../core/ids.ts";
import type { ConnEffect, ConnEvent, Ended, WakeEffect } from "../../core/kernel/io.ts";
import { step, TICK, type Kernel } from "../../core/kernel/kernel.ts";
import { mono, type Mono } from "../../core/time.ts";

type Typed = { readonly type: string };

/** The far end of one connection, and what lies in between. */
export type Link = {
  readonly conn: ConnId;
  /** What the peer has read. */
  readonly got: Uint8Array[];
  /** What the system holds for a peer that does not read. */
  kept: Uint8Array[];
  keptBytes: number;
  reads: boolean;
  /** What the system takes while the peer does not read. */
  roomBytes: number;
  congested: boolean;
  /** The node closed it. */
  closed: { readonly how: "abort" | "flush"; readonly reason: string } | undefined;
  /** The node was told that it is gone. */
  gone: boolean;
};

export type Drive<S, E extends Typed, F extends Typed> = {
  readonly kernel: Kernel<S, E, F>;
  now: Mono;
  readonly links: Map<ConnId, Link>;
  nextConn: number;
  /** A connection that the node aborts stays until `closeLate`. */
  lateCloses: boolean;
  queue: E[];
  running: boolean;
  steps: number;
  readonly hooks: Hooks<S, E, F>;
};

export type Hooks<S, E extends Typed, F extends Typed> = {
  /** The step itself; `kernel.step` if absent. */
  readonly step?: (k: Kernel<S, E, F>, event: E | typeof TICK, now: Mono) =>
    readonly (F | WakeEffect)[];
  /** After each step. */
  readonly stepped?: (event: E | typeof TICK, effects: readonly (F | WakeEffect)[]) => void;
  /** Effects that are not about connections. */
  readonly perform?: (effect: F | WakeEffect) => void;
};

const stepsMax = 200_000;

export function create<S, E extends Typed, F extends Typed>(
  kernel: Kernel<S, E, F>, hooks: Hooks<S, E, F> = {},
): Drive<S, E, F> {
  return {
    kernel, now: kernel.now, links: new Map(), nextConn: 1, lateCloses: false, queue: [],
    running: false, steps: 0, hooks,
  };
}

/** Something happens now: due ticks first, then the event, then what it causes. */
export function push<S, E extends Typed, F extends Typed>(
  d: Drive<S, E, F>, event: E | ConnEvent,
): void {
  d.queue.push(event as E);
  if (!d.running) drain(d);
}

function drain<S, E extends Typed, F extends Typed>(d: Drive<S, E, F>): void {
  d.running = true;
  try {
    due(d);
    for (let at = 0; at < d.queue.length; at += 1) {
      run(d, d.queue[at] as E);
      due(d);
    }
  } finally {
    d.queue = [];
    d.running = false;
  }
}

function due<S, E extends Typed, F extends Typed>(d: Drive<S, E, F>): void {
  while (d.kernel.wakeAt <= d.now) run(d, TICK);
}

function run<S, E extends Typed, F extends Typed>(
  d: Drive<S, E, F>, event: E | typeof TICK,
): void {
  d.steps += 1;
  assert.ok(d.steps <= stepsMax, `more than ${stepsMax} steps by ${d.now}`);
  const effects = (d.hooks.step ?? step)(d.kernel, event, d.now);
  for (const effect of effects) carryOut(d, effect);
  d.hooks.stepped?.(event, effects);
}

function carryOut<S, E extends Typed, F extends Typed>(
  d: Drive<S, E, F>, effect: F | WakeEffect | ConnEffect,
): void {
  if (effect.type === "conn.send") return write(d, effect as ConnEffect & { type: "conn.send" });
  if (effect.type === "conn.close") return ending(d, effect as ConnEffect & { type: "conn.close" });
  d.hooks.perform?.(effect as F | WakeEffect);
}

function write<S, E extends Typed, F extends Typed>(
  d: Drive<S, E, F>, { conn, bytes }: { readonly conn: ConnId; readonly bytes: Uint8Array },
): void {
  const link = d.links.get(conn);
  assert.ok(link !== undefined, `sent to connection ${conn}, which was never opened`);
  if (link.gone) return;
  if (link.reads) return void link.got.push(bytes.slice());
  link.kept.push(bytes.slice());
  link.keptBytes += bytes.length;
  if (link.keptBytes <= link.roomBytes || link.congested) return;
  link.congested = true;
  d.queue.push({ type: "conn.congested", conn } as ConnEvent as unknown as E);
}

function ending<S, E extends Typed, F extends Typed>(
  d: Drive<S, E, F>, effect: ConnEffect & { type: "conn.close" },
): void {
  const link = d.links.get(effect.conn);
  assert.ok(link !== undefined, `closed connection ${effect.conn}, which was never opened`);
  if (link.gone) return;
  link.closed = { how: effect.how, reason: link.closed?.reason ?? effect.reason };
  if (effect.how === "abort") {
    if (!d.lateCloses) gone(d, link, "aborted");
  } else if (link.reads) gone(d, link, "closed");
}

function gone<S, E extends Typed, F extends Typed>(
  d: Drive<S, E, F>, link: Link, reason: Ended,
): void {
  if (link.gone) return;
  link.gone = true;
  d.queue.push({ type: "conn.closed", conn: link.conn, reason } as ConnEvent as unknown as E);
}

/** A listener accepts a connection. */
export function open<S, E extends Typed, F extends Typed>(d: Drive<S, E, F>): ConnId {
  const conn = d.nextConn as ConnId;
  d.nextConn += 2;
  d.links.set(conn, {
    conn, got: [], kept: [], keptBytes: 0, reads: true, roomBytes: 0, congested: false,
    closed: undefined, gone: false,
  });
  push(d, { type: "conn.opened", conn });
  return conn;
}

/**
 * The peer's bytes arrive now, cut at `cuts` (offsets, in order), before anything that they cause;
 * nothing once the peer is gone.
 */
export function feed<S, E extends Typed, F extends Typed>(
  d: Drive<S, E, F>, conn: ConnId, bytes: Uint8Array, cuts: readonly number[] = [],
): void {
  if (d.links.get(conn)?.gone !== false) return;
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    if (to <= from || to > bytes.length) continue;
    const piece: ConnEvent = { type: "conn.received", conn, bytes: bytes.slice(from, to) };
    d.queue.push(piece as unknown as E);
    from = to;
  }
  if (!d.running) drain(d);
}

/** The peer reads no more; the system takes `roomBytes` for it, then it is congested. */
export function stall<S, E extends Typed, F extends Typed>(
  d: Drive<S, E, F>, conn: ConnId, roomBytes = 0,
): void {
  const link = linkOf(d, conn);
  link.reads = false;
  link.roomBytes = roomBytes;
}

/** The peer reads again, all that is there. */
export function resume<S, E extends Typed, F extends Typed>(d: Drive<S, E, F>, conn: ConnId): void {
  const link = linkOf(d, conn);
  link.reads = true;
  for (const bytes of link.kept) link.got.push(bytes);
  link.kept = [];
  link.keptBytes = 0;
  if (link.gone) return;
  if (link.closed !== undefined) {
    if (link.closed.how === "flush") gone(d, link, "closed");
  } else if (link.congested) {
    link.congested = false;
    return push(d, { type: "conn.drained", conn });
  }
  link.congested = false;
  if (!d.running) drain(d);
}

/** The far end goes away. */
export function hangUp<S, E extends Typed, F extends Typed>(
  d: Drive<S, E, F>, conn: ConnId, reason: Ended = "eof",
): void {
  gone(d, linkOf(d, conn), reason);
  if (!d.running) drain(d);
}

/** The host at last says that a connection which the node closed is gone. */
export function closeLate<S, E extends Typed, F extends Typed>(
  d: Drive<S, E, F>, conn: ConnId,
): void {
  hangUp(d, conn, "aborted");
}

/** Time passes, every tick at its own instant. */
export function runTo<S, E extends Typed, F extends Typed>(d: Drive<S, E, F>, until: number): void {
  while (d.kernel.wakeAt <= until) {
    if (d.kernel.wakeAt > d.now) d.now = d.kernel.wakeAt;
    drain(d);
  }
  d.now = mono(until);
}

export function advance<S, E extends Typed, F extends Typed>(
  d: Drive<S, E, F>, ms: number,
): void {
  runTo(d, d.now + ms);
}

/** The host is paused: what was due runs `ms` later, in one go. */
export function pause<S, E extends Typed, F extends Typed>(d: Drive<S, E, F>, ms: number): void {
  d.now = mono(d.now + ms);
  drain(d);
}

export function linkOf<S, E extends Typed, F extends Typed>(
  d: Drive<S, E, F>, conn: ConnId,
): Link {
  const link = d.links.get(conn);
  assert.ok(link !== undefined, `connection ${conn} was never opened`);
  return link;
}
