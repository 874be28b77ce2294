/**
 * A whole daemon of Ark wallets in virtual time over a little world: wallets' programs behind their
 * REST face, the Ark server's round events, a file, and targets of notices.
 *
 * Rule 1: what happens at an instant is a queue, in order; effects cause events later or at once,
 * never within the step. Every loop is bounded.
 * Rule 2: a process can die before any effect; the next one starts from what the disk keeps.
 * Rule 3: what is asked for is judged as it is asked for (`asked`): never two calls of a wallet in
 * one lane, never an intent whose record is not durable, and nothing given up that must not be.
 * @module
 */
import assert from "node:assert/strict";
import * as ark from "../../core/ark/ark.ts";
import { defaults, walletOf, type ArkConfig, type WalletConfig } from "../../core/ark/config.ts";
import type { ArkEffect, ArkEvent } from "../../core/ark/events.ts";
import * as ledger from "../../core/ark/ledger.ts";
import type { Ark } from "../../core/ark/node.ts";
import { status, type Status, type WalletStatus } from "../../core/ark/status.ts";
import type { Failure } from "../../core/ark/supervisor.ts";
import * as record from "../../core/history/record.ts";
import type { LogEffect, Tick, WakeEffect } from "../../core/kernel/io.ts";
import * as kernel from "../../core/kernel/kernel.ts";
import type { Target } from "../../core/notify/target.ts";
import * as prng from "../../core/prng.ts";
import { mono } from "../../core/time.ts";
import * as acts from "../../sim/ark/acts.ts";
import * as rest from "../../sim/ark/rest.ts";
import * as run from "../../sim/ark/run.ts";
import type { World } from "../../sim/ark/state.ts";
import * as streams from "../../sim/ark/streams.ts";
import * as worlds from "./ark-world.ts";
import * as laws from "./laws.ts";
import * as disks from "./maker-disk.ts";

export const second = 1_000;
export const minute = 60_000;
export const hour = 3_600_000;

/** One target, which wants everything. */
export const target: Target = { kind: "webhook", to: "notice:0", path: "/", priorityMin: "low" };

type Effect = ArkEffect | WakeEffect;

export type Asked = {
  readonly at: number; readonly wallet: string; readonly method: string; readonly path: string;
  readonly body: string; readonly renew: boolean; readonly req: number; readonly life: number;
};

/** How a wallet's program behaves that the daemon runs. */
export type Manner = {
  /** It cannot be started. */
  readonly failure?: Failure;
  /** It ends by itself after this. */
  readonly livesMs?: number;
  /** From the wish to its end; it may take no notice of it. 5. */
  readonly termMs?: number;
};

export type Rig = {
  config: ArkConfig;
  readonly world: World;
  readonly disk: disks.Disk;
  readonly asked: Asked[];
  /** Requests under way: how to go away from each. */
  readonly open: Map<number, { readonly asked: Asked; ticket: number | undefined }>;
  readonly dials: { readonly at: number; readonly wallet: string }[];
  readonly subs: Map<number, { readonly stream: number; readonly life: number }>;
  readonly byStream: Map<number, number>;
  readonly notices: string[];
  readonly logs: (LogEffect & { readonly at: number })[];
  /** Tokens as the host has read them; again when asked to. */
  readonly tokens: Map<string, string>;
  /** By wallet; those of the present life. */
  readonly manners: Map<string, Manner>;
  readonly children: Map<string, { readonly run: number; readonly pid: number }>;
  readonly starts: { readonly at: number; readonly wallet: string }[];
  kernel: kernel.Kernel<Ark, ArkEvent, ArkEffect>;
  now: number;
  life: number;
  steps: number;
  effects: number;
  /** Dies before it carries out this effect, counted over all lives. */
  diesAt: number;
  isAlive: boolean;
  isStopped: boolean;
  /** Each step also on a copy, which must come to the same. */
  isStrict: boolean;
  order: number;
  queue: { readonly at: number; readonly order: number; readonly run: () => void }[];
};

export type Options = {
  readonly wallets?: readonly string[];
  readonly world?: Parameters<typeof worlds.world>[0];
  readonly config?: Partial<ArkConfig>;
  /** Each wallet's own. */
  readonly wallet?: (one: WalletConfig) => WalletConfig;
  readonly isStrict?: boolean;
  /** Before the process starts. */
  readonly before?: (r: Rig) => void;
};

/** Wallets of lives of 36 blocks that may do everything. */
export function quick(one: WalletConfig): WalletConfig {
  const { guardian: g } = one;
  return {
    ...one, rounds: "rounds:ark",
    guardian: {
      ...g,
      expiry: {
        ...g.expiry, refreshBlocks: 30, leadBlocks: 2, failingBlocks: 4, perLevelBlocks: 1,
        marginBlocks: 15,
      },
      // Rounds are quick there, too.
      refresh: { ...g.refresh, unsureMs: 30 * minute },
      shepherd: {
        ...g.shepherd, autoExit: true, autoClaim: true, destination: worlds.home,
      },
    },
  };
}

/** A process that was started. */
export function start(options: Options = {}): Rig {
  const names = options.wallets ?? ["alice"];
  const pace = { kind: "steady", everyMs: 10 * minute } as const;
  const world = worlds.world({ pace, ...options.world }, ...names);
  const of = options.wallet ?? quick;
  const config: ArkConfig = {
    ...defaults, version: "0.0.1", logLevel: "debug",
    notify: { ...defaults.notify, targets: [target] },
    ...options.config, wallets: names.map((name) => of(walletOf(name, "ark"))),
  };
  const r: Rig = {
    config, world, disk: disks.create(), asked: [], open: new Map(), dials: [], subs: new Map(),
    byStream: new Map(), notices: [], logs: [], tokens: new Map(),
    manners: new Map(), children: new Map(), starts: [], kernel: undefined as never,
    now: 1_000, life: 0, steps: 0, effects: 0, diesAt: Number.MAX_SAFE_INTEGER, isAlive: false,
    isStopped: false, isStrict: options.isStrict ?? false, order: 0, queue: [],
  };
  for (const [name, { token }] of world.barkds) r.tokens.set(name, token);
  options.before?.(r);
  boot(r);
  return r;
}

/** Wall time of the little world. */
export function wallMs(r: Rig): number {
  return r.world.config.startMs + r.now;
}

/** The next process starts. */
export function boot(r: Rig): void {
  r.life += 1;
  r.isAlive = true;
  r.isStopped = false;
  const state = ark.create(r.config, prng.key(`life ${r.life}`), mono(r.now));
  r.kernel = kernel.create(ark.root, state, mono(r.now), false);
  push(r, { type: "clock.anchored", unixMs: wallMs(r) });
  push(r, { type: "operator.started" });
}

/** The process dies, and with it the power. */
export function die(r: Rig): void {
  r.isAlive = false;
  r.queue.length = 0;
  for (const { ticket } of r.open.values()) {
    if (ticket !== undefined) rest.hangUp(r.world, ticket, wallMs(r));
  }
  r.open.clear();
  for (const id of r.subs.keys()) streams.unsubscribe(r.world, id);
  r.subs.clear();
  r.byStream.clear();
  // They go on, and are nobody's children.
  r.children.clear();
  disks.crash(r.disk);
}

/** One event now. */
export function push(r: Rig, event: ArkEvent | Tick): void {
  if (!r.isAlive || r.isStopped) return;
  r.steps += 1;
  const twin = r.isStrict ? laws.clone(r.kernel) : undefined;
  const out = r.isStrict ? laws.poisoned(() => kernel.step(r.kernel, event, mono(r.now)))
    : kernel.step(r.kernel, event, mono(r.now));
  if (twin !== undefined) {
    // A root is functions, which no copy has.
    const again = kernel.step({ ...twin, root: ark.root }, event, mono(r.now));
    assert.deepEqual(again, out, "double drive");
  }
  for (const effect of out) {
    r.effects += 1;
    if (r.effects >= r.diesAt) {
      r.diesAt = Number.MAX_SAFE_INTEGER;
      return die(r);
    }
    carryOut(r, effect);
  }
}

function later(r: Rig, ms: number, act: () => void): void {
  r.order += 1;
  const { life } = r;
  const one = { at: r.now + ms, order: r.order, run: () => (r.life === life ? act() : undefined) };
  let i = r.queue.length;
  while (i > 0 && r.queue[i - 1]!.at > one.at) i -= 1;
  r.queue.splice(i, 0, one);
}

function carryOut(r: Rig, effect: Effect): void {
  switch (effect.type) {
    case "req.start": return request(r, effect);
    case "req.drop": return dropped(r, effect.req);
    case "stream.open": return subscribe(r, effect.stream);
    case "stream.close": {
      const sub = r.byStream.get(effect.stream);
      if (sub === undefined) return;
      r.byStream.delete(effect.stream);
      r.subs.delete(sub);
      streams.unsubscribe(r.world, sub);
      return;
    }
    case "store.load": case "store.append": case "store.sync": case "store.truncate": {
      const answer = disks.order(r.disk, effect);
      if (answer !== undefined) later(r, r.disk.delayMs, () => push(r, answer));
      return;
    }
    case "child.start": return spawn(r, effect.wallet, effect.run);
    case "child.signal": {
      const { wallet, run: which } = effect;
      if (effect.signal === "kill") return later(r, 1, () => end(r, wallet, which, "SIGKILL"));
      return later(r, r.manners.get(wallet)?.termMs ?? 5, () => end(r, wallet, which));
    }
    case "log": return void r.logs.push({ ...effect, at: r.now });
    case "stopped":
      r.isStopped = true;
      return;
    case "wake": case "exec.start": return;
    default: throw new Error("an effect that no host knows");
  }
}

function spawn(r: Rig, wallet: string, which: number): void {
  r.starts.push({ at: r.now, wallet });
  const { failure, livesMs } = r.manners.get(wallet) ?? {};
  later(r, 1, () => {
    if (failure !== undefined) {
      return push(r, { type: "child.failed", wallet, run: which, why: failure });
    }
    const pid = 1_000 + r.starts.length;
    r.children.set(wallet, { run: which, pid });
    act(r, (w) => acts.restartBarkd(w, wallet));
    push(r, { type: "child.spawned", wallet, run: which, pid });
    if (livesMs !== undefined) later(r, livesMs, () => end(r, wallet, which, "SIGABRT"));
  });
}

/** A run of a program ends, and breaks the connections to it. */
export function end(r: Rig, wallet: string, which: number, signal = ""): void {
  if (r.children.get(wallet)?.run !== which) return;
  r.children.delete(wallet);
  act(r, (w) => acts.stopBarkd(w, wallet));
  for (const [req, { asked }] of [...r.open]) {
    if (asked.wallet === wallet) answer(r, req, { type: "req.failed", req, reason: "reset" });
  }
  const code = signal === "" ? 0 : undefined;
  push(r, { type: "child.exited", wallet, run: which, code, signal });
}

function request(r: Rig, effect: Extract<ArkEffect, { type: "req.start" }>): void {
  const { req, to, method, path, body, headers, renew } = effect;
  if (!to.startsWith("barkd:")) {
    r.notices.push(body);
    return later(r, 5, () => push(r, { type: "req.done", req, status: 200, body: "" }));
  }
  const wallet = to.slice("barkd:".length);
  const asked: Asked = { at: r.now, wallet, method, path, body, renew, req, life: r.life };
  judge(r, asked);
  r.asked.push(asked);
  if (renew) r.tokens.set(wallet, r.world.barkds.get(wallet)!.token);
  const open = { asked, ticket: undefined as number | undefined };
  r.open.set(req, open);
  const given = [
    ...headers, ["authorization", `Bearer ${r.tokens.get(wallet)!}`] as const,
  ];
  const reply = rest.ask(r.world, wallet, { method, path, body, headers: given }, wallMs(r));
  switch (reply.type) {
    case "replied":
      open.ticket = reply.ticket;
      return later(r, reply.afterMs > 0 ? reply.afterMs : 1, () => (
        answer(r, req, { type: "req.done", req, status: reply.status, body: reply.body })
      ));
    case "failed":
      return later(r, 1, () => answer(r, req, { type: "req.failed", req, reason: reply.reason }));
    case "waiting":
      open.ticket = reply.wait;
      return;
    case "silent": return;
    default: throw new Error("a reply that is none");
  }
}

function answer(r: Rig, req: number, event: ArkEvent): void {
  if (r.open.delete(req)) push(r, event);
}

/** Paths whose calls must not be cut. */
const uncuttable = /\/(sync|sync\/mailbox|progress|delegated\/vtxos|start\/vtxos|claim\/vtxos)$/;

function dropped(r: Rig, req: number): void {
  const open = r.open.get(req);
  if (open === undefined) return;
  assert.ok(!uncuttable.test(open.asked.path), `given up: ${open.asked.path}`);
  r.open.delete(req);
  if (open.ticket !== undefined) rest.hangUp(r.world, open.ticket, wallMs(r));
}

const intents = /\/(refresh\/delegated\/vtxos|exits\/start\/vtxos|exits\/claim\/vtxos)$/;

/** Rule 3. */
function judge(r: Rig, asked: Asked): void {
  for (const { asked: other } of r.open.values()) {
    assert.ok(other.wallet !== asked.wallet || other.path !== asked.path,
      `twice at once: ${asked.path}`);
  }
  if (!intents.test(asked.path)) return;
  const { vtxos } = JSON.parse(asked.body) as { vtxos: readonly string[] };
  const open = openIntents(r, asked.wallet);
  assert.equal(new Set(open.flat()).size, open.flat().length, "a VTXO in two open intents");
  assert.ok(open.some((list) => list.join() === vtxos.join()),
    `not durable: ${asked.path} ${asked.body}`);
}

/** The VTXOs of each intent that is open by what is durable. */
export function openIntents(r: Rig, wallet: string): readonly (readonly string[])[] {
  const open = new Map<number, readonly string[]>();
  for (const body of bodies(r)) {
    const found = ledger.split(body);
    if (found?.wallet !== wallet) continue;
    const one = JSON.parse(found.body) as { type: string; id: number; vtxos: string[] };
    if (one.type === "ark-intent") open.set(one.id, one.vtxos);
    if (one.type === "ark-intent-settled") open.delete(one.id);
  }
  return [...open.values()];
}

/** Whole records that would survive a loss of power. */
export function bodies(r: Rig): readonly string[] {
  const bytes = r.disk.bytes.subarray(0, r.disk.durableBytes);
  const found: string[] = [];
  const scan = record.scan(bytes, 4_194_304);
  if (scan.ok) record.each(bytes, scan.value.end, (_, body) => void found.push(body));
  return found;
}

function subscribe(r: Rig, stream: number): void {
  const wallet = r.kernel.state.streams.get(stream)?.node.config.name ?? "";
  r.dials.push({ at: r.now, wallet });
  run.advance(r.world, wallMs(r));
  const said = streams.subscribe(r.world, "rounds", undefined);
  if (!said.ok) {
    const fault = { code: "round-down", text: "nobody there" };
    return later(r, said.afterMs, () => (
      push(r, { type: "stream.ended", stream, reason: "refused", fault })
    ));
  }
  r.subs.set(said.value, { stream, life: r.life });
  r.byStream.set(stream, said.value);
  later(r, said.afterMs, () => push(r, { type: "stream.subscribed", stream }));
}

/** What the little world tells meanwhile. */
function drain(r: Rig): void {
  run.advance(r.world, wallMs(r));
  for (const one of run.drain(r.world)) {
    if (one.type === "answered") {
      const found = [...r.open].find(([, { ticket }]) => ticket === one.wait);
      if (found === undefined) continue;
      const [req] = found;
      const { reply } = one;
      if (reply.type === "replied") {
        const { status: code, body } = reply;
        later(r, reply.afterMs, () => answer(r, req, {
          type: "req.done", req, status: code, body,
        }));
      } else if (reply.type === "failed") {
        later(r, 0, () => answer(r, req, { type: "req.failed", req, reason: reply.reason }));
      }
      continue;
    }
    const sub = r.subs.get(one.sub);
    if (sub === undefined) continue;
    const { stream } = sub;
    if (one.type === "item" && one.item.stream === "rounds") {
      const { event } = one.item;
      later(r, one.afterMs, () => push(r, { type: "stream.item", stream, event }));
    } else if (one.type === "ended") {
      r.subs.delete(one.sub);
      const fault = { code: "round-over", text: "it ended" };
      const { reason } = one;
      later(r, one.afterMs, () => push(r, { type: "stream.ended", stream, reason, fault }));
    }
  }
}

const stepsMax = 5_000_000;

/** Time passes; a process that died starts again `restartMs` later. */
export function pass(r: Rig, ms: number, restartMs = 1_000): void {
  const until = r.now + ms;
  for (let i = 0; ; i += 1) {
    assert.ok(i < stepsMax, "a rig that comes to no end");
    if (!r.isAlive && !r.isStopped) {
      r.now = Math.min(until, r.now + restartMs);
      if (r.now >= until) return;
      boot(r);
    }
    drain(r);
    const wakeAt = r.isStopped ? Number.MAX_SAFE_INTEGER : r.kernel.wakeAt;
    const worldAt = run.dueMs(r.world) - r.world.config.startMs;
    const at = Math.min(r.queue[0]?.at ?? Number.MAX_SAFE_INTEGER, wakeAt, worldAt);
    if (at > until) break;
    r.now = Math.max(r.now, at);
    if (r.queue[0] !== undefined && r.queue[0].at <= r.now) r.queue.shift()!.run();
    else if (wakeAt <= r.now) push(r, kernel.TICK);
    else drain(r);
  }
  r.now = until;
}

/** Until it is so, at most `ms`; how long it took. */
export function until(r: Rig, isSo: () => boolean, ms: number, stepMs = second): number {
  const from = r.now;
  while (!isSo()) {
    assert.ok(r.now - from < ms, `not within ${ms} ms`);
    pass(r, stepMs);
  }
  return r.now - from;
}

export function shown(r: Rig): Status {
  const value = status(r.kernel.state, mono(r.now));
  assert.deepEqual(JSON.parse(JSON.stringify(value)), value, "a status is JSON");
  return value;
}

export function one(r: Rig, wallet = "alice"): WalletStatus {
  return shown(r).wallets.find(({ name }) => name === wallet)!;
}

/** Names of degraded states of a wallet. */
export function troubles(r: Rig, wallet = "alice"): readonly string[] {
  return one(r, wallet).degraded.map(({ name }) => name);
}

export function codes(r: Rig, wallet?: string): readonly string[] {
  return r.logs.filter(({ fields }) => wallet === undefined || fields["wallet"] === wallet)
    .map(({ code }) => code);
}

/** How often this was asked of a wallet. */
export function count(r: Rig, path: RegExp, wallet = "alice"): number {
  return r.asked.filter((asked) => asked.wallet === wallet && path.test(asked.path)).length;
}

/** Notices whose text has this in it. */
export function told(r: Rig, text: string): number {
  return r.notices.filter((body) => body.includes(text)).length;
}

/** Outages from now on. */
export function suffer(r: Rig, outages: readonly Parameters<typeof run.suffer>[1][number][]): void {
  run.advance(r.world, wallMs(r));
  run.suffer(r.world, outages);
}

/** Something is done to the world, now. */
export function act(r: Rig, what: (w: World) => void): void {
  run.advance(r.world, wallMs(r));
  what(r.world);
}

/** A wallet as it is by default. */
export function plain(name: string): WalletConfig {
  return walletOf(name, "ark");
}
