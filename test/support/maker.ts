/**
 * A maker in virtual time with everything around it: real directory nodes, takers, a node with a
 * little chain, a file, the nick's key, targets of notices.
 *
 * Rule 1: what happens at an instant is a queue, in order; effects cause events `latencyMs` later
 * or at once, never within the step. Every loop is bounded.
 * Rule 2: each step is checked: the maker's laws and tables (`rules`), and, with `isStrict`, that
 * the same step on a copy gives the same (double drive).
 * Rule 3: a process can die after any effect; the next one starts from what the disk keeps.
 * @module
 */
import assert from "node:assert/strict";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { hex, text } from "../../core/bytes.ts";
import type { ConnId } from "../../core/ids.ts";
import { nickOf } from "../../core/joinmarket/nick.ts";
import type { LogEffect, Tick, WakeEffect } from "../../core/kernel/io.ts";
import * as kernel from "../../core/kernel/kernel.ts";
import { defaults, type MakerConfig } from "../../core/maker/config.ts";
import type { MakerEffect, MakerEvent } from "../../core/maker/events.ts";
import * as maker from "../../core/maker/maker.ts";
import type { Maker } from "../../core/maker/node.ts";
import type { Target } from "../../core/notify/target.ts";
import * as prng from "../../core/prng.ts";
import { mono } from "../../core/time.ts";
import { config as bitcoind } from "./bitcoind.ts";
import * as node from "./directory.ts";
import * as drive from "./drive.ts";
import { clone, poisoned } from "./laws.ts";
import * as chains from "./maker-chain.ts";
import * as disks from "./maker-disk.ts";
import * as rules from "./maker-rules.ts";
import { primitives } from "./primitives.ts";

const key = new Uint8Array(32).fill(77);
export const pubkey = hex(secp256k1.getPublicKey(key, true));
export const nick = nickOf(pubkey, 5, primitives.sha256);
export const startedUnixMs = 1_795_298_712_000;

/** One target, which wants everything. */
export const target: Target = { kind: "webhook", to: "notice:0", path: "/", priorityMin: "low" };
const notify = { ...defaults.notify, targets: [target] };

export type Effect = MakerEffect | WakeEffect;

/** A directory: the node itself, and what a dial to it comes to. */
export type Directory = {
  readonly to: string; node: node.Node; reach: "up" | "refused" | "blackhole"; born: number;
};

/** A connection that the maker has dialled. */
type Line = {
  readonly conn: ConnId; readonly to: string; readonly node: node.Node; theirs: ConnId;
  read: number; isGone: boolean;
};

/** A direct connection to the maker. */
export type Guest = { readonly conn: ConnId; readonly got: Uint8Array[]; isGone: boolean };

export type Notice = { readonly to: string; readonly body: string; readonly life: number };

export type Rig = {
  config: MakerConfig;
  readonly chain: chains.Chain;
  readonly disk: disks.Disk;
  readonly directories: Map<string, Directory>;
  readonly lines: Map<ConnId, Line>;
  readonly guests: Map<ConnId, Guest>;
  readonly notices: Notice[];
  readonly logs: LogEffect[];
  /** Every event of the present life and what it brought. */
  script: { readonly at: number; readonly event: MakerEvent | Tick; readonly told: string }[];
  readonly rules: rules.Rules;
  readonly beside: Beside;
  kernel: kernel.Kernel<Maker, MakerEvent, MakerEffect>;
  now: number;
  life: number;
  steps: number;
  effects: number;
  /** Dies before it carries out this effect, counted over all lives; with it goes the power. */
  diesAt: number;
  isAlive: boolean;
  isStopped: boolean;
  /** Whether the host answers for signatures and notices, and how late. */
  signs: boolean;
  signMs: number;
  notifies: 200 | 503 | "never";
  latencyMs: number;
  isStrict: boolean;
  queue: { readonly at: number; readonly order: number; readonly run: () => void }[];
  order: number;
  connNext: number;
};

/** Whoever else is there: the events that answer an effect; `undefined`: it is not for them. */
export type Beside = (effect: Effect) => readonly MakerEvent[] | undefined;

export type Options = {
  readonly directories?: number;
  readonly config?: Partial<MakerConfig>;
  readonly isStrict?: boolean;
  readonly beside?: Beside;
  /** Prepares the world before the maker starts. */
  readonly before?: (r: Rig) => void;
};

export const nameOf = (i: number): string => node.onion(2_000 + i);

/** A maker that was just started. */
export function start(options: Options = {}): Rig {
  const names = Array.from({ length: options.directories ?? 1 }, (_, i) => nameOf(i));
  const config: MakerConfig = {
    ...defaults, network: "regtest", pubkey, bitcoind, logLevel: "debug",
    directories: names.map((to) => ({ to, directoryId: to, isolation: "directory" })),
    tip: { ...defaults.tip, staleMs: 0 }, notify,
    offers: { ...defaults.offers, network: "regtest", announceDelayMaxMs: 0 },
    ...options.config,
  };
  const r: Rig = {
    config, chain: chains.create(), disk: disks.create(), directories: new Map(), lines: new Map(),
    guests: new Map(), notices: [], logs: [], script: [], rules: rules.create(),
    beside: options.beside ?? (() => undefined),
    kernel: undefined as unknown as Rig["kernel"], now: 1_000, life: 0, steps: 0, effects: 0,
    diesAt: Number.MAX_SAFE_INTEGER, isAlive: false, isStopped: false, signs: true, signMs: 0,
    notifies: 200, latencyMs: 2, isStrict: options.isStrict ?? false, queue: [], order: 0,
    connNext: 1,
  };
  for (const to of names) addDirectory(r, to);
  options.before?.(r);
  boot(r);
  return r;
}

export function addDirectory(r: Rig, to: string): void {
  r.directories.set(to, { to, node: nodeAt(r, to), reach: "up", born: r.now });
}

function nodeAt(r: Rig, to: string): node.Node {
  return node.start({ network: "regtest", location: to }, { at: r.now });
}

/** The next process starts. */
export function boot(r: Rig): void {
  r.life += 1;
  r.isAlive = true;
  r.isStopped = false;
  r.queue = [];
  r.script = [];
  rules.reborn(r.rules);
  const at = mono(r.now);
  const root = maker.root(primitives);
  const state = poisoned(() => maker.create(r.config, prng.key("rig"), primitives, at));
  r.kernel = kernel.create(root, state, at, false);
  push(r, { type: "clock.anchored", unixMs: startedUnixMs + r.now });
  push(r, { type: "operator.started" });
}

/** The process dies; with `power` the disk keeps what is durable and no more. */
export function die(r: Rig, power = true): void {
  r.isAlive = false;
  r.queue = [];
  for (const line of r.lines.values()) if (!line.isGone) endTheirs(line);
  r.lines.clear();
  r.guests.clear();
  if (power) disks.crash(r.disk);
}

function endTheirs(line: Line): void {
  line.isGone = true;
  if (line.theirs > 0) drive.hangUp(line.node.drive, line.theirs);
}

function later(r: Rig, ms: number, run: () => void): void {
  r.order += 1;
  const { life } = r;
  r.queue.push({ at: r.now + ms, order: r.order, run: () => void (r.life === life && run()) });
}

/** Something happens now. */
export function push(r: Rig, event: MakerEvent | Tick): void {
  later(r, 0, () => step(r, event));
  settle(r);
}

let isSettling = false;
function settle(r: Rig): void {
  if (isSettling) return;
  isSettling = true;
  try {
    for (let i = 0; i < 100_000; i += 1) {
      const next = nextOf(r);
      if (next === undefined || next.at > r.now) return;
      r.queue.splice(r.queue.indexOf(next), 1);
      next.run();
      deliver(r);
    }
    assert.fail("events without end");
  } finally {
    isSettling = false;
  }
}

function nextOf(r: Rig): Rig["queue"][number] | undefined {
  let first: Rig["queue"][number] | undefined;
  for (const one of r.queue) {
    const isFirst = first === undefined || one.at < first.at
      || (one.at === first.at && one.order < first.order);
    if (isFirst) first = one;
  }
  return first;
}

function step(r: Rig, event: MakerEvent | Tick): void {
  if (!r.isAlive || r.isStopped) return;
  r.steps += 1;
  assert.ok(r.steps < 2_000_000, "a run without end");
  if (r.isStrict) rules.early(r.kernel, r.now);
  const twin = r.isStrict ? clone(r.kernel.state) : undefined;
  const effects = poisoned(() => kernel.step(r.kernel, event, mono(r.now)));
  if (twin !== undefined) rules.twin(r.kernel, twin, event, effects, r.now);
  r.script.push({ at: r.now, event, told: rules.shown(effects) });
  rules.check(r.rules, r.kernel.state, event, effects, r.now);
  for (const effect of effects) {
    if (r.effects >= r.diesAt) {
      r.diesAt = Number.MAX_SAFE_INTEGER;
      return die(r);
    }
    if (effect.type !== "wake" && effect.type !== "log") r.effects += 1;
    perform(r, effect);
  }
}

function perform(r: Rig, effect: Effect): void {
  const answers = r.beside(effect);
  if (answers === undefined) return alone(r, effect);
  for (const event of answers) later(r, 1, () => step(r, event));
}

/** What the rig itself carries out. */
function alone(r: Rig, effect: Effect): void {
  switch (effect.type) {
    case "wake": return;
    case "log": return void r.logs.push(effect);
    case "stopped": return void (r.isStopped = true);
    case "conn.dial": return dial(r, effect.conn, effect.to);
    case "conn.send": return send(r, effect.conn, effect.bytes);
    case "conn.close": return close(r, effect.conn);
    case "req.start": return asked(r, effect);
    case "req.drop": return;
    case "exec.start":
      r.notices.push({ to: effect.to, body: effect.body, life: r.life });
      return later(r, 3, () => step(r, {
        type: "req.done", req: effect.req, status: 200, body: "",
      }));
    case "sign.want": {
      const { req, digest } = effect;
      if (!r.signs) return;
      const signature = secp256k1.sign(digest, key, { prehash: false, format: "der" });
      return later(r, r.signMs, () => step(r, { type: "sign.given", req, signature }));
    }
    case "store.load": case "store.append": case "store.sync": case "store.truncate": {
      const event = disks.order(r.disk, effect);
      if (event !== undefined) later(r, r.disk.delayMs, () => step(r, event));
      return;
    }
    case "derive.want": case "conn.confide": case "cookie.want": case "password.want":
    case "nonce.want": case "key.load": case "key.save": case "hostname.want":
      return assert.fail(`${effect.type}: neither Esplora nor an onion is in this world`);
    default: assert.fail("an effect that nobody carries out");
  }
}

function asked(r: Rig, effect: Extract<Effect, { type: "req.start" }>): void {
  const { req, to, body } = effect;
  if (to !== "bitcoind") {
    r.notices.push({ to, body, life: r.life });
    if (r.notifies === "never") return;
    const status = r.notifies;
    return later(r, 3, () => step(r, { type: "req.done", req, status, body: "" }));
  }
  const { chain } = r;
  chain.asked += 1;
  if (chain.mode === "hang") return;
  if (chain.mode === "refused") {
    return later(r, 1, () => step(r, { type: "req.failed", req, reason: "refused" }));
  }
  // Answered as the chain is when the answer is made.
  later(r, chain.delayMs, () => step(r, { type: "req.done", req, ...chains.answer(chain, body) }));
}

function dial(r: Rig, conn: ConnId, to: string): void {
  const directory = r.directories.get(to);
  assert.ok(directory !== undefined, `a dial to ${to}, which is nowhere`);
  const line: Line = {
    conn, to, node: directory.node, theirs: 0 as ConnId, read: 0, isGone: false,
  };
  r.lines.set(conn, line);
  if (directory.reach === "blackhole") return;
  later(r, r.latencyMs, () => {
    if (line.isGone) return;
    if (directory.reach !== "up" || directory.node !== line.node) {
      line.isGone = true;
      return step(r, { type: "conn.failed", conn, reason: "refused" });
    }
    line.theirs = drive.open(line.node.drive);
    step(r, { type: "conn.dialed", conn });
  });
}

function send(r: Rig, conn: ConnId, bytes: Uint8Array): void {
  const guest = r.guests.get(conn);
  if (guest !== undefined) return void (guest.isGone ? undefined : guest.got.push(bytes));
  const line = r.lines.get(conn);
  assert.ok(line !== undefined && line.theirs > 0, `sent to ${conn}, which was never opened`);
  later(r, r.latencyMs, () => drive.feed(line.node.drive, line.theirs, bytes));
}

function close(r: Rig, conn: ConnId): void {
  const guest = r.guests.get(conn);
  const end = guest ?? r.lines.get(conn);
  assert.ok(end !== undefined, `closed ${conn}, which was never opened`);
  if (end.isGone) return;
  end.isGone = true;
  const isOpen = guest !== undefined || (end as Line).theirs > 0;
  if (guest === undefined && isOpen) {
    const line = end as Line;
    later(r, r.latencyMs, () => drive.hangUp(line.node.drive, line.theirs));
  }
  if (isOpen) later(r, 1, () => step(r, { type: "conn.closed", conn, reason: "closed" }));
}

/** What directories have written is on its way, and who has hung up is gone. */
function deliver(r: Rig): void {
  for (const line of r.lines.values()) {
    if (line.theirs === 0 || line.isGone) continue;
    const theirs = drive.linkOf(line.node.drive, line.theirs);
    for (; line.read < theirs.got.length; line.read += 1) {
      const bytes = theirs.got[line.read] as Uint8Array;
      later(r, r.latencyMs, () => {
        if (!line.isGone) step(r, { type: "conn.received", conn: line.conn, bytes: bytes.slice() });
      });
    }
    if (!theirs.gone) continue;
    later(r, r.latencyMs, () => {
      if (line.isGone) return;
      line.isGone = true;
      step(r, { type: "conn.closed", conn: line.conn, reason: "eof" });
    });
  }
}

/** Time passes, every tick at its own instant, for everybody. */
export function pass(r: Rig, ms: number): void {
  const until = r.now + ms;
  settle(r);
  for (let i = 0; i < 1_000_000 && r.now < until; i += 1) {
    let next = Math.min(until, nextOf(r)?.at ?? until);
    if (r.isAlive && !r.isStopped) next = Math.min(next, r.kernel.wakeAt);
    for (const { node: n } of r.directories.values()) {
      next = Math.min(next, n.drive.kernel.wakeAt);
    }
    if (r.isStrict && r.isAlive && next === r.kernel.wakeAt) rules.early(r.kernel, next - 1);
    r.now = Math.max(next, r.now);
    for (const { node: n } of r.directories.values()) node.advance(n, r.now - node.now(n));
    deliver(r);
    if (r.isAlive && !r.isStopped && r.kernel.wakeAt <= r.now) push(r, kernel.TICK);
    settle(r);
  }
}

/** Takes time until something holds. */
export function until(r: Rig, holds: (r: Rig) => boolean, withinMs = 120_000): void {
  for (let ms = 0; ms < withinMs && !holds(r); ms += 5) pass(r, 5);
  assert.ok(holds(r), `not within ${withinMs} ms`);
}

/** The directory goes down: connections break, dials are refused (or lead nowhere). */
export function cut(r: Rig, to: string, reach: "refused" | "blackhole" = "refused"): void {
  const directory = r.directories.get(to) as Directory;
  directory.reach = reach;
  for (const line of r.lines.values()) {
    if (line.to !== to || line.isGone || line.theirs === 0) continue;
    line.isGone = true;
    push(r, { type: "conn.closed", conn: line.conn, reason: "reset" });
  }
  directory.node = nodeAt(r, to);
}

/** And comes back, as a new process. */
export function heal(r: Rig, to: string): void {
  (r.directories.get(to) as Directory).reach = "up";
}

/** The lines that a direct connection has read. */
export function read(guest: Guest): readonly { readonly type: number; readonly line: string }[] {
  const all = guest.got.map((bytes) => text(bytes)).join("");
  return all.split("\r\n").filter((one) => one !== "").map((one) => (
    JSON.parse(one) as { type: number; line: string }
  ));
}

/** Somebody connects to the maker directly. */
export function visit(r: Rig): Guest {
  const guest: Guest = { conn: r.connNext as ConnId, got: [], isGone: false };
  r.connNext += 2;
  r.guests.set(guest.conn, guest);
  push(r, { type: "conn.opened", conn: guest.conn });
  return guest;
}

export function say(r: Rig, guest: Guest, bytes: Uint8Array): void {
  push(r, { type: "conn.received", conn: guest.conn, bytes });
}
