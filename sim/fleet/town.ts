/**
 * The little world of an Ark as a node of a world: whoever asks is answered at its own pace.
 *
 * Rule 1: the little world goes by true time, which no jump of a clock moves. It outlives the
 * node's process: blocks and rounds that nobody served happen all the same.
 * Rule 2: everything that it tells goes to a process by its number; what was meant for another one
 * is lost.
 * Rule 3: a connection of which nobody hears any more breaks a second after its fault is over, also
 * one that a heal ends early: the host's own keep-alive sees to that.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import type { StreamEvent } from "../../core/ark/streams.ts";
import type { ClockEvent, Tick } from "../../core/kernel/io.ts";
import type { Root } from "../../core/kernel/kernel.ts";
import { mono, NEVER, type Mono } from "../../core/time.ts";
import * as acts from "../ark/acts.ts";
import { heightOf } from "../ark/chain.ts";
import * as configs from "../ark/config.ts";
import type { Outage, Reply } from "../ark/faults.ts";
import * as rest from "../ark/rest.ts";
import * as run from "../ark/run.ts";
import * as servers from "../ark/server.ts";
import { addWallet, create as worldOf, type Output, type World } from "../ark/state.ts";
import * as streams from "../ark/streams.ts";
import type { Work } from "../scenario.ts";
import { outageOf } from "./outages.ts";
import type { ArkHarm, ArkSpec, WalletSpec } from "./spec.ts";

/** What outlives the node's process. */
export type Town = {
  readonly world: World;
  /** Unix milliseconds less the node's own time. */
  readonly aheadMs: number;
  /** When a reorganisation was last, in true time; -1: never. */
  reorgMs: number;
};

/** One process that asks, and its number for what it asks. */
export type Asker = { readonly asker: number; readonly incarnation: number; readonly req: number };

export type Question = Asker & {
  readonly wallet: string; readonly method: string; readonly path: string; readonly body: string;
  readonly headers: readonly (readonly [string, string])[];
};

export type TownEvent =
  | ClockEvent
  | { readonly type: "started" }
  | { readonly type: "asked"; readonly task: Work }
  | { readonly type: "ark.asked"; readonly question: Question }
  /** Whoever asked that does not wait any more. */
  | { readonly type: "ark.dropped"; readonly by: Asker }
  /** A stream of rounds is opened (`req` is its number), or left. */
  | { readonly type: "ark.opened"; readonly by: Asker }
  | { readonly type: "ark.left"; readonly by: Asker }
  /** A process is gone, with all that it waited for. */
  | { readonly type: "ark.gone"; readonly asker: number; readonly incarnation: number }
  | { readonly type: "ark.suffers"; readonly harm: ArkHarm }
  /** Everything that is wrong ends now, and blocks want little. */
  | { readonly type: "ark.healed" };

export type TownEffect =
  | {
    readonly type: "ark.answered"; readonly to: Asker; readonly afterMs: number;
    readonly status: number; readonly body: string;
  }
  /** The connection breaks: nobody is there, or it was cut. */
  | {
    readonly type: "ark.failed"; readonly to: Asker; readonly afterMs: number;
    readonly reason: Extract<Reply, { readonly type: "failed" }>["reason"];
  }
  | {
    readonly type: "ark.streamed"; readonly to: Asker; readonly afterMs: number;
    readonly event: StreamEvent;
  };

export type TownNode = {
  readonly town: Town;
  /** Who waits for an answer that time brings, by the little world's number. */
  readonly waits: Map<number, Asker>;
  /** Answers on their way that somebody may leave, and waits, by asker. */
  readonly tickets: Map<string, number>;
  readonly subs: Map<number, Asker>;
  readonly byStream: Map<string, number>;
  /** Who is met with silence, and until when, in true time; by asker. */
  readonly hushed: Map<string, Hushed>;
};

type Hushed = { readonly to: Asker; readonly untilMs: number };

/** Blocks before its expiry from which a VTXO that is lost counts as watched. */
const watchBlocks = 14;

/** The little world of an ark with these wallets, as it is before anything happens. */
export function found(
  spec: ArkSpec, wallets: readonly WalletSpec[], seed: string, startMs: number, aheadMs: number,
): Town {
  const { pace, blockMs, roundMs, lifeBlocks, deltaBlocks } = spec;
  const server: servers.Config = {
    ...servers.defaults, roundMs, lifetimeBlocks: lifeBlocks, exitDeltaBlocks: deltaBlocks,
    treeDepth: 2, boardConfirmations: 2,
  };
  const world = worldOf({
    ...configs.defaults, seed: `${seed} ${spec.id}`, pace: { kind: pace, everyMs: blockMs }, server,
    startMs, watchBlocks, respawnMs: 5_000,
  });
  for (const { name, coins, fundsSat, runsItself, ownBlocks } of wallets) {
    if (world.barkds.has(name)) continue;
    addWallet(world, name, { isManual: runsItself !== true, hasWallet: true, ownBlocks });
    for (const { sat, blocks, levels } of coins) {
      acts.endow(world, name, [BigInt(sat)], blocks, levels);
    }
    if (fundsSat > 0) acts.deposit(world, name, BigInt(fundsSat));
  }
  return { world, aheadMs, reorgMs: -1 };
}

/** A process of the node: nobody of an earlier one is connected any more. */
export function create(town: Town): TownNode {
  const { world } = town;
  for (const id of [...world.subs.keys()]) streams.unsubscribe(world, id);
  world.waits.clear();
  world.tickets.clear();
  run.drain(world);
  return {
    town, waits: new Map(), tickets: new Map(), subs: new Map(), byStream: new Map(),
    hushed: new Map(),
  };
}

/** Enough for all who wait, all who watch, and what they are told at once. */
const effectsMax = 1_000_000;

export const root: Root<TownNode, TownEvent, TownEffect> = {
  step, deadline, effectsMax: () => effectsMax,
};

function deadline({ town }: TownNode): Mono {
  const at = run.dueMs(town.world) - town.aheadMs;
  return at >= NEVER ? NEVER : mono(at);
}

function step(m: TownNode, event: TownEvent | Tick, now: Mono, out: TownEffect[]): void {
  const { world, aheadMs } = m.town;
  const nowMs = now + aheadMs;
  run.advance(world, nowMs);
  told(m, out);
  handle(m, event, nowMs, out);
  run.advance(world, nowMs);
  told(m, out);
  if (m.hushed.size > 0) brokeOff(m, nowMs, out);
}

function handle(m: TownNode, event: TownEvent | Tick, nowMs: number, out: TownEffect[]): void {
  switch (event.type) {
    case "tick": case "started": case "clock.anchored": return;
    case "asked": return does(m, event.task);
    case "ark.asked": return asked(m, event.question, nowMs, out);
    case "ark.dropped": return dropped(m, event.by, nowMs);
    case "ark.opened": return opened(m, event.by, out);
    case "ark.left": return left(m, keyOf(event.by));
    case "ark.gone": return gone(m, event.asker, event.incarnation, nowMs);
    case "ark.suffers": {
      const { world } = m.town;
      const one = outageOf(event.harm, { fromMs: nowMs, untilMs: nowMs + event.harm.forMs });
      return run.suffer(world, [...world.outages.filter(({ untilMs }) => untilMs > nowMs), one]);
    }
    case "ark.healed": return healed(m, nowMs);
    default: unreachable(event);
  }
}

/**
 * What ends at an instant does something then: so it ends at the next one. But the server's key is
 * right at once, and a program that has kept another one is started anew by its operator.
 */
function healed({ town: { world }, hushed }: TownNode, nowMs: number): void {
  acts.setRate(world, 1);
  const ended = <T extends { readonly untilMs: number }>(one: T): T => (
    one.untilMs > nowMs + 1 ? { ...one, untilMs: nowMs + 1 } : one
  );
  const isKey = (one: Outage): boolean => one.on === "server" && one.fault.kind === "key";
  run.suffer(world, world.outages.filter((one) => !isKey(one)).map(ended));
  for (const [key, one] of hushed) hushed.set(key, ended(one));
  const right = servers.rightPubkey(world.server);
  for (const { name, session } of world.barkds.values()) {
    const isWrong = session !== undefined && session.info.serverPubkey !== right;
    if (isWrong) acts.restartBarkd(world, name);
  }
}

function keyOf({ asker, incarnation, req }: Asker): string {
  return `${asker} ${incarnation} ${req}`;
}

function asked(m: TownNode, question: Question, nowMs: number, out: TownEffect[]): void {
  const { world } = m.town;
  const { asker, incarnation, req, wallet, method, path, body, headers } = question;
  const to: Asker = { asker, incarnation, req };
  if (!world.barkds.has(wallet)) {
    out.push({ type: "ark.failed", to, afterMs: 1, reason: "refused" });
    return;
  }
  const reply = rest.ask(world, wallet, { method, path, body, headers }, nowMs);
  if (reply.type === "waiting") {
    m.waits.set(reply.wait, to);
    m.tickets.set(keyOf(to), reply.wait);
    return;
  }
  if (reply.type === "replied" && reply.ticket !== undefined) {
    m.tickets.set(keyOf(to), reply.ticket);
  }
  replied(m, to, reply, nowMs, out);
}

function replied(
  m: TownNode, to: Asker, reply: Reply, nowMs: number, out: TownEffect[],
): void {
  switch (reply.type) {
    case "replied": {
      const afterMs = reply.afterMs > 0 ? reply.afterMs : 1;
      const { status, body } = reply;
      out.push({ type: "ark.answered", to, afterMs, status, body });
      return;
    }
    case "failed":
      out.push({ type: "ark.failed", to, afterMs: 1, reason: reply.reason });
      return;
    case "silent":
      m.hushed.set(keyOf(to), { to, untilMs: silentUntilMs(m.town.world, nowMs) });
      return;
    default: unreachable(reply);
  }
}

/** Until the last of the silent faults is over. */
function silentUntilMs({ outages }: World, nowMs: number): number {
  let ms = nowMs;
  for (const one of outages) {
    const isNow = one.fromMs <= nowMs && nowMs < one.untilMs;
    if (isNow && one.fault.kind === "silent" && one.untilMs > ms) ms = one.untilMs;
  }
  return ms;
}

/** Rule 3. */
function brokeOff({ hushed }: TownNode, nowMs: number, out: TownEffect[]): void {
  for (const [key, { to, untilMs }] of hushed) {
    if (untilMs > nowMs) continue;
    hushed.delete(key);
    out.push({ type: "ark.failed", to, afterMs: 1_000, reason: "reset" });
  }
}

function dropped(m: TownNode, by: Asker, nowMs: number): void {
  const key = keyOf(by);
  m.hushed.delete(key);
  const ticket = m.tickets.get(key);
  if (ticket === undefined) return;
  m.tickets.delete(key);
  m.waits.delete(ticket);
  rest.hangUp(m.town.world, ticket, nowMs);
}

function opened(m: TownNode, by: Asker, out: TownEffect[]): void {
  const { world } = m.town;
  const said = streams.subscribe(world, "rounds", undefined);
  const stream = by.req;
  const { afterMs } = said;
  if (!said.ok) {
    const fault = { code: "round-down", text: "nobody there" };
    const event = { type: "stream.ended", stream, reason: "refused", fault } as const;
    out.push({ type: "ark.streamed", to: by, afterMs, event });
    return;
  }
  m.subs.set(said.value, by);
  m.byStream.set(keyOf(by), said.value);
  out.push({ type: "ark.streamed", to: by, afterMs, event: { type: "stream.subscribed", stream } });
}

function left(m: TownNode, key: string): void {
  const sub = m.byStream.get(key);
  if (sub === undefined) return;
  m.byStream.delete(key);
  m.subs.delete(sub);
  streams.unsubscribe(m.town.world, sub);
}

function gone(m: TownNode, asker: number, incarnation: number, nowMs: number): void {
  const whose = `${asker} ${incarnation} `;
  for (const key of [...m.hushed.keys()]) if (key.startsWith(whose)) m.hushed.delete(key);
  for (const [key, ticket] of [...m.tickets]) {
    if (!key.startsWith(whose)) continue;
    m.tickets.delete(key);
    m.waits.delete(ticket);
    rest.hangUp(m.town.world, ticket, nowMs);
  }
  for (const key of [...m.byStream.keys()]) if (key.startsWith(whose)) left(m, key);
}

/** What the little world tells meanwhile. */
function told(m: TownNode, out: TownEffect[]): void {
  const { world } = m.town;
  if (world.out.length === 0) return;
  for (const one of run.drain(world)) tell(m, one, world.nowMs, out);
}

function tell(m: TownNode, one: Output, nowMs: number, out: TownEffect[]): void {
  if (one.type === "answered") {
    const to = m.waits.get(one.wait);
    if (to === undefined) return;
    m.waits.delete(one.wait);
    m.tickets.delete(keyOf(to));
    return replied(m, to, one.reply, nowMs, out);
  }
  const to = m.subs.get(one.sub);
  if (to === undefined) return;
  const { afterMs } = one;
  const stream = to.req;
  if (one.type === "ended") {
    m.subs.delete(one.sub);
    m.byStream.delete(keyOf(to));
    const fault = { code: "round-over", text: "it ended" };
    const event = { type: "stream.ended", stream, reason: one.reason, fault } as const;
    out.push({ type: "ark.streamed", to, afterMs, event });
  } else if (one.item.stream === "rounds") {
    // Each reads its own: nobody shares what others may keep.
    const event = { type: "stream.item", stream, event: { ...one.item.event } } as const;
    out.push({ type: "ark.streamed", to, afterMs, event });
  }
}

/** What somebody does in the little world. */
function does({ town }: TownNode, task: Work): void {
  const { world } = town;
  if ("wallet" in task && !world.barkds.has(task.wallet)) return;
  switch (task.op) {
    case "mine":
      for (let i = 0; i < task.blocks; i += 1) run.block(world);
      return;
    case "reorg": {
      const blocks = heightOf(world.chain) - world.config.baseHeight;
      const depth = task.blocks < blocks ? task.blocks : blocks - 1;
      if (depth < 1) return;
      town.reorgMs = world.nowMs;
      return run.reorg(world, depth, depth, task.isDropped);
    }
    case "pay": {
      const { wallet, sat, blocks: lifeBlocks, levels: exitDepth } = task;
      acts.pay(world, wallet, { amountsSat: [BigInt(sat)], lifeBlocks, exitDepth });
      return;
    }
    case "deposit": return void acts.deposit(world, task.wallet, BigInt(task.sat));
    case "restartServer": return acts.restartServer(world);
    case "restartProgram": return acts.restartBarkd(world, task.wallet);
    case "changeToken": return void acts.changeToken(world, task.wallet);
    case "feeRate": return acts.setRate(world, task.rate);
    case "announce": case "orderbook": case "fill": case "peerlist": case "ping": case "chat":
    case "away": case "burst": case "append": case "send": case "replace": case "evict":
    case "fund": case "drain":
      return;
    default: unreachable(task);
  }
}
