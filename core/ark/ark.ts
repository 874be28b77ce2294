/**
 * The daemon of Ark wallets: background and guard of each, one journal, one outbox of notices.
 *
 * Rule 1: the parts run side by side and none waits for another, but for money: no intent is
 * carried out before the journal was read, and none before its record is durable. A wallet's
 * failure is its own.
 * Rule 2: what one part wants of another within a step stands in `todo` and is done, in order,
 * before the step ends.
 * Rule 3: at the end nothing new is asked, what must not be cut is waited for as long as its
 * wallet's policy says, then what runs on is named, and programs that we run are ended; the journal
 * has the rest of the time.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import * as journal from "../history/journal.ts";
import type { Tick } from "../kernel/io.ts";
import type { Root } from "../kernel/kernel.ts";
import * as delivery from "../notify/delivery.ts";
import * as requests from "../requests.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import * as asking from "./asking.ts";
import * as calls from "./calls.ts";
import { check } from "./config.ts";
import type { ArkEffect, ArkEvent, Reloadable } from "./events.ts";
import * as fleet from "./fleet.ts";
import type { Shown } from "./intents.ts";
import * as ledger from "./ledger.ts";
import { log, type Ark, type Todo, type Turn } from "./node.ts";
import * as outages from "./outages.ts";
import * as programs from "./programs.ts";
import * as reports from "./reports.ts";
import * as telling from "./telling.ts";
import * as wallets from "./wallets.ts";

export { create } from "./node.ts";

/** What the kernel drives. */
export const root: Root<Ark, ArkEvent, ArkEffect> = {
  step: (d, event, now, out) => step(d, event, { now, out, todo: [], touched: new Set() }),
  deadline, effectsMax,
};

/** What wallets may want at one instant, each with its log lines, and one batch of records. */
function effectsMax(d: Ark): number {
  return 4_096 + 4 * d.config.journal.queueRecordsMax + 256 * d.nodes.length
    + 2 * d.calls.config.openMax;
}

/** What parts may do for each other in one step; more is a circle. */
function todoMax(d: Ark): number {
  return 100_000 + 1_024 * d.nodes.length + 2 * d.journal.count
    + 8 * d.config.journal.queueRecordsMax;
}

function step(d: Ark, event: ArkEvent | Tick, t: Turn): void {
  if (d.phase === "stopped") return;
  handle(d, event, t);
  for (let at = 0; at < t.todo.length; at += 1) {
    assert(at < todoMax(d), "parts of the daemon keep each other busy");
    does(d, t.todo[at] as Todo, t);
  }
  if (d.phase === "draining") programs.settle(d, t);
  timed(d, t);
  // The last effect of all: whoever carries it out may exit.
  if (d.phase === "draining" && (t.now >= d.drainDueAt || isDrained(d))) stopped(d, t);
  d.dueAt = soonestOf(d);
}

/** Deadlines of those to whom something was done; the soonest is looked for where it was lost. */
function timed(d: Ark, { touched }: Turn): void {
  let isLost = false;
  for (const node of touched) {
    const at = wallets.deadline(node);
    if (node.dueAt === d.nodesDueAt && at > node.dueAt) isLost = true;
    node.dueAt = at;
    if (at < d.nodesDueAt) d.nodesDueAt = at;
  }
  if (!isLost) return;
  let at = NEVER;
  for (const { dueAt } of d.nodes) if (dueAt < at) at = dueAt;
  d.nodesDueAt = at;
}

function handle(d: Ark, event: ArkEvent | Tick, t: Turn): void {
  switch (event.type) {
    case "req.done": case "req.failed": return asking.settled(d, event, t);
    case "stream.subscribed": case "stream.item": case "stream.ended":
      return asking.streamed(d, event, t);
    case "child.spawned": case "child.failed": case "child.exited":
      return programs.host(d, event, t);
    case "store.loaded": case "store.appended": case "store.synced": case "store.truncated":
    case "store.failed":
      return ledger.tell(d, event, t);
    case "clock.anchored": return anchored(d, event.unixMs, t);
    case "operator.started": return started(d, t);
    case "operator.stop": return stop(d, t);
    case "operator.reload": return reload(d, event.settings, t);
    case "operator.look":
      for (const node of d.nodes) wallets.nudge(d, node, t);
      return;
    case "program.gone": return gone(d, event.wallet, t);
    case "operator.trust": return trust(d, event.wallet, event.looked, t);
    case "tick": return tick(d, t);
    default: return unreachable(event); /* c8 ignore next */
  }
}

function does(d: Ark, todo: Todo, t: Turn): void {
  switch (todo.do) {
    case "daemon": return wallets.toDaemon(d, todo.node, todo.event, t);
    case "guardian": return wallets.toGuardian(d, todo.node, todo.event, t);
    case "answered": return wallets.answered(d, todo.asker, todo.op, todo.answer, t);
    case "record": return ledger.write(d, todo.recorder, t);
    case "durable": case "refused": return ledger.recorded(d, todo.recorder, todo.do, t);
    case "notice": return telling.notice(d, todo.notice, t);
    case "order": return asking.order(d, todo.effect, t);
    case "notified": return telling.tell(d, todo.event, t);
    default: return unreachable(todo); /* c8 ignore next */
  }
}

/** The next instant at which a tick changes anything. */
export function deadline(d: Ark): Mono {
  return d.dueAt;
}

function soonestOf(d: Ark): Mono {
  if (d.phase === "stopped") return NEVER;
  let at = soonest(journal.deadline(d.journal), delivery.deadline(d.notify));
  at = soonest(at, soonest(calls.deadline(d.calls), requests.deadline(d.requests)));
  at = soonest(at, soonest(d.leaveAt, d.drainDueAt));
  at = soonest(at, soonest(fleet.deadline(d.fleet), outages.deadline(d.outages)));
  return d.phase === "fresh" ? at : soonest(at, d.nodesDueAt);
}

function tick(d: Ark, t: Turn): void {
  const event: Tick = { type: "tick" };
  if (d.leaveAt <= t.now) d.leaveAt = NEVER;
  // Who gives up waiting leaves before turns are given.
  if (d.phase !== "fresh") look(d, t);
  asking.tick(d, t);
  if (outages.deadline(d.outages) <= t.now) reports.missed(d, event, t);
  if (journal.deadline(d.journal) <= t.now) ledger.tell(d, event, t);
  if (delivery.deadline(d.notify) <= t.now) telling.tell(d, event, t);
}

/** Wallets of which something is due; none before the start, when nothing may be asked. */
function look(d: Ark, t: Turn): void {
  if (d.nodesDueAt > t.now) return;
  for (const node of d.nodes) if (node.dueAt <= t.now) wallets.tick(d, node, t);
}

/** Guards stamp records by the wall clock. */
function anchored(d: Ark, unixMs: number, t: Turn): void {
  d.anchor = { unixMs };
  d.anchoredAt = t.now;
  for (const node of d.nodes) wallets.toGuardian(d, node, { type: "anchored", unixMs }, t);
}

function started(d: Ark, t: Turn): void {
  assert(d.phase === "fresh", "a daemon is started once");
  d.phase = "running";
  const { version } = d.config;
  log(d, "info", "ark.started", { wallets: d.nodes.length, version }, t);
  telling.notice(d, { kind: "ark-started", wallets: d.nodes.length, version }, t);
  ledger.tell(d, { type: "opened" }, t);
  const starts = fleet.startsOf(d.fleet, d.config.wallets);
  d.nodes.forEach((node, i) => {
    const ms = starts[i] as number;
    node.startAt = after(t.now, ms);
    if (ms === 0) wallets.start(d, node, t);
    t.touched.add(node);
  });
  look(d, t);
}

/** Settings that contradict each other change nothing. */
function reload(d: Ark, settings: Reloadable, t: Turn): void {
  if (d.phase !== "running") return;
  const config = { ...d.config, ...settings };
  const broken = check(config);
  if (broken !== undefined) {
    const { keys, says } = broken;
    return log(d, "error", "ark.reload-refused", { keys: keys.join(" "), why: says }, t);
  }
  d.config = config;
  telling.tell(d, { type: "reloaded", config: settings.notify }, t);
  log(d, "info", "ark.reloaded", {}, t);
}

function gone(d: Ark, wallet: string, t: Turn): void {
  const node = d.byName.get(wallet);
  if (node === undefined || d.phase === "fresh") return;
  log(d, "warn", "ark.program-gone", { wallet }, t);
  programs.release(d, node, t);
}

function trust(d: Ark, wallet: string, looked: Shown | undefined, t: Turn): void {
  const node = d.byName.get(wallet);
  if (node !== undefined && d.phase === "running") wallets.trust(d, node, looked, t);
}

function stop(d: Ark, t: Turn): void {
  if (d.phase === "draining") return;
  if (d.phase === "fresh") return stopped(d, t);
  d.phase = "draining";
  d.drainDueAt = after(t.now, d.config.drainMs);
  const ms = leaveMs(d);
  d.leaveAt = ms === 0 ? NEVER : after(t.now, ms);
  log(d, "info", "ark.draining", { calls: d.calls.open.size }, t);
  telling.notice(d, { kind: "stopping", why: "the operator asked for it" }, t);
  telling.tell(d, { type: "closing" }, t);
  reports.missed(d, { type: "stopped" }, t);
  for (const node of d.nodes) wallets.stop(d, node, t);
  asking.stop(d, t);
  for (const node of d.nodes) programs.stop(d, node, t);
}

/** As long as the most patient wallet waits, which may be all the time; 0: there is none. */
function leaveMs(d: Ark): number {
  let most = 0;
  for (const { config: { policy: { stopping: { stopMs } } } } of d.nodes) {
    if (stopMs === 0) return d.config.drainMs;
    if (stopMs > most) most = stopMs;
  }
  return most;
}

/** Nothing is left to wait for, or to write. A broken journal has nothing to wait for. */
function isDrained(d: Ark): boolean {
  const isLeft = d.leaveAt === NEVER || d.calls.open.size === 0;
  return isLeft && programs.isOver(d) && d.notify.closing === "closed"
    && (journal.isQuiet(d.journal) || d.journal.at.phase === "broken");
}

function stopped(d: Ark, t: Turn): void {
  asking.sayRemaining(d, t);
  d.phase = "stopped";
  d.leaveAt = NEVER;
  d.drainDueAt = NEVER;
  t.out.push({ type: "stopped" });
}
