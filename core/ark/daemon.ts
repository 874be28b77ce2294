/**
 * The background of one wallet: startup, probe, rounds, mailbox, sync and exits under one policy.
 *
 * Rule 1: the machines do not know each other. Here evidence becomes facts, and the edges of facts
 * wake who waits: a server that is back, the mailbox, the rounds and the sync; a chain source that
 * is back, the sync and the exits.
 * Rule 2: every answer is evidence, and so is its absence.
 * Rule 3: a stop halts all machines in the step that takes it, before anything that is due then.
 * Rule 4: under manual sync only the check of the connection runs.
 * Not known here: how calls travel, who else makes some, and what VTXOs need.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Tick } from "../kernel/io.ts";
import type { Key } from "../prng.ts";
import type { Mono } from "../time.ts";
import { laneNames, type Effect, type Event, type LaneName, type StreamName }
  from "./daemon-events.ts";
import * as exits from "./exits.ts";
import * as facts from "./facts.ts";
import * as lane from "./lane.ts";
import * as mailbox from "./mailbox.ts";
import * as parts from "./parts.ts";
import type { Policy } from "./policy.ts";
import * as probe from "./probe.ts";
import type * as rota from "./rota.ts";
import * as rounds from "./rounds.ts";
import * as startup from "./startup.ts";
import * as stopping from "./stopping.ts";
import type * as stream from "./stream.ts";
import * as sync from "./sync.ts";
import type * as wallet from "./wallet.ts";

export type { Effect, Event, LaneName, Report, StreamName } from "./daemon-events.ts";

export type Daemon = parts.Parts;

export const create: (policy: Policy, key: Key, now: Mono) => Daemon = parts.create;
export const deadline: (d: Daemon) => Mono = parts.deadline;

export function step(d: Daemon, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "started": return started(d, event, now, out);
    case "answered": return answered(d, event.lane, event.token, event.answer, now, out);
    case "heard": return known(d, event, now, out);
    case "subscribed": case "ended":
      if (event.stream === "rounds") ofRounds(d, event, now, out);
      else ofMailbox(d, event, now, out);
      return freed(d, event.stream, now, out);
    case "round": {
      const { token, isReplay } = event;
      return ofRounds(d, { type: "item", token, event: event.event, isReplay }, now, out);
    }
    case "message": {
      const { token, checkpoint } = event;
      return ofMailbox(d, { type: "item", token, checkpoint }, now, out);
    }
    case "tip": case "work": case "exit": return woken(d, event.type, now, out);
    case "news": return ofMailbox(d, event, now, out);
    case "released": return released(d, now, out);
    case "trusted": return trusted(d, now, out);
    case "stop": return stop(d, event.isWaiting, now, out);
    case "start": return ofStopping(d, event, now, out);
    case "tick": return tick(d, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

function started(
  d: Daemon, event: Extract<Event, { type: "started" }>, now: Mono, out: Effect[],
): void {
  d.hasRounds = event.hasRounds;
  d.hasMailbox = event.hasMailbox;
  ofStartup(d, { type: "started", isManual: d.policy.isManual }, now, out);
}

/** What had to come first is done. */
function ready(d: Daemon, now: Mono, out: Effect[]): void {
  if (!stopping.isRunning(d.stopping)) return lateReady(d, now, out);
  out.push({ type: "ready" });
  ofProbe(d, { type: "started" }, now, out);
  if (d.policy.isManual) return;
  if (d.hasRounds) ofRounds(d, { type: "started" }, now, out);
  ofSync(d, { type: "started" }, now, out);
  ofMailbox(d, { type: "started", hasStream: d.hasMailbox }, now, out);
  ofExits(d, { type: "started" }, now, out);
}

/** The document's mailbox looks for a stop once it has subscribed; the others look before. */
function lateReady(d: Daemon, now: Mono, out: Effect[]): void {
  if (!d.hasMailbox || d.policy.isManual) return;
  ofMailbox(d, { type: "started", hasStream: true }, now, out);
  ofMailbox(d, { type: "finishing" }, now, out);
  const running = parts.runningIn(d, "mailbox");
  if (running !== undefined) ofStopping(d, { type: "begun", running }, now, out);
}

function answered(
  d: Daemon, name: LaneName, token: number, answer: wallet.Answer, now: Mono, out: Effect[],
): void {
  const { under } = parts.laneOf(d, name);
  if (under?.token !== token) return;
  known(d, { op: under.op, answer }, now, out);
  if (answer.ok && (name === "startup" || name === "rounds" || name === "mailbox")) {
    out.push({ type: "ran", lane: name, done: answer.done, ranMs: now - under.sentAt });
  }
  toLane(d, name, { type: "answered", token, answer }, now, out);
  freed(d, name, now, out);
}

/** A block concerns all that looks at the chain. */
function woken(d: Daemon, by: "tip" | "work" | "exit", now: Mono, out: Effect[]): void {
  if (by !== "work") ofExits(d, { type: "woken" }, now, out);
  if (by !== "exit") ofSync(d, { type: "woken" }, now, out);
}

type ForAll = Extract<rota.Event, {
  type: "answered" | "released" | "stopped" | "finishing";
}>;

function toLane(d: Daemon, name: LaneName, event: ForAll, now: Mono, out: Effect[]): void {
  switch (name) {
    case "startup": return ofStartup(d, event, now, out);
    case "probe": return ofProbe(d, event, now, out);
    case "rounds": return ofRounds(d, event, now, out);
    case "mailbox": return ofMailbox(d, event, now, out);
    case "sync": return ofSync(d, event, now, out);
    case "exits": return ofExits(d, event, now, out);
    default: return unreachable(name); /* c8 ignore next */
  }
}

/** Has a halted lane come to its end? */
function freed(d: Daemon, name: LaneName, now: Mono, out: Effect[]): void {
  if (stopping.isRunning(d.stopping) || parts.runningIn(d, name) !== undefined) return;
  ofStopping(d, { type: "ended", lane: name }, now, out);
}

function released(d: Daemon, now: Mono, out: Effect[]): void {
  for (const name of laneNames) {
    toLane(d, name, { type: "released" }, now, out);
    freed(d, name, now, out);
  }
}

function trusted(d: Daemon, now: Mono, out: Effect[]): void {
  ofFacts(d, { type: "trusted" }, now, out);
  bar(d, false, now, out);
  ofProbe(d, { type: "doubted" }, now, out);
}

function bar(d: Daemon, isBarred: boolean, now: Mono, out: Effect[]): void {
  ofRounds(d, { type: "barred", isBarred }, now, out);
  barMail(d, now, out);
}

/** A program that cannot check what it receives may drop it: nothing is read then. */
function barMail(d: Daemon, now: Mono, out: Effect[]): void {
  const isBlind = facts.factOf(d.facts, "chain").state === "down";
  const isBarred = d.facts.isBarred || (isBlind && d.policy.mailbox.needsChain);
  ofMailbox(d, { type: "barred", isBarred }, now, out);
  ofSync(d, { type: "blind", isBlind }, now, out);
}

/** Rule 3. */
function stop(d: Daemon, isWaiting: boolean, now: Mono, out: Effect[]): void {
  if (stopping.isRunning(d.stopping)) {
    const { isCutting, isFinishing } = d.policy.stopping;
    for (const name of laneNames) {
      toLane(d, name, { type: isFinishing ? "finishing" : "stopped" }, now, out);
      const token = isCutting ? lane.cut(parts.laneOf(d, name)) : undefined;
      if (token !== undefined) out.push({ type: "drop", lane: name, token });
    }
  }
  const running = laneNames.flatMap((name) => parts.runningIn(d, name) ?? []);
  ofStopping(d, { type: "stop", isWaiting, running }, now, out);
}

function tick(d: Daemon, now: Mono, out: Effect[]): void {
  const event: Tick = { type: "tick" };
  if (facts.deadline(d.facts) <= now) ofFacts(d, event, now, out);
  if (startup.deadline(d.startup) <= now) ofStartup(d, event, now, out);
  if (probe.deadline(d.probe) <= now) ofProbe(d, event, now, out);
  if (rounds.deadline(d.rounds) <= now) ofRounds(d, event, now, out);
  if (mailbox.deadline(d.mailbox) <= now) ofMailbox(d, event, now, out);
  if (sync.deadline(d.sync) <= now) ofSync(d, event, now, out);
  if (exits.deadline(d.exits) <= now) ofExits(d, event, now, out);
  if (!stopping.isRunning(d.stopping)) for (const name of laneNames) freed(d, name, now, out);
  if (stopping.deadline(d.stopping) <= now) ofStopping(d, event, now, out);
}

type Heard = { readonly op: wallet.OpName; readonly answer: wallet.Answer };

/** Rule 2. */
function known(d: Daemon, { op, answer }: Heard, now: Mono, out: Effect[]): void {
  ofFacts(d, { type: "answered", op, answer }, now, out);
}

function ofFacts(d: Daemon, event: facts.Event, now: Mono, out: Effect[]): void {
  const wishes: facts.Effect[] = [];
  facts.step(d.facts, event, now, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "edge": out.push(wish); edge(d, wish, now, out); break;
      case "connected": out.push(wish); connected(d, wish, now, out); break;
      case "doubt": ofProbe(d, { type: "doubted" }, now, out); break;
      case "barred": out.push(wish); bar(d, true, now, out); break;
      default: return unreachable(wish); /* c8 ignore next */
    }
  }
}

type Connected = Extract<facts.Effect, { type: "connected" }>;

function connected(d: Daemon, event: Connected, now: Mono, out: Effect[]): void {
  ofProbe(d, event, now, out);
  ofSync(d, event, now, out);
  ofMailbox(d, event, now, out);
  ofExits(d, event, now, out);
}

/** Rule 1: who waited for what was down is woken. What was merely not known yet delays nobody. */
function edge(
  d: Daemon, { of, from, to }: { of: facts.Capability; from: facts.State; to: facts.State },
  now: Mono, out: Effect[],
): void {
  if (of === "chain") barMail(d, now, out);
  if (from !== "down" || to !== "up" || of === "rounds" || of === "mailbox") return;
  ofSync(d, { type: "woken" }, now, out);
  if (of !== "server") ofExits(d, { type: "woken" }, now, out);
  if (of === "program") ofProbe(d, { type: "doubted" }, now, out);
  if (of !== "chain") ofRounds(d, { type: "hurried" }, now, out);
  ofMailbox(d, { type: "hurried" }, now, out);
}

function ofStartup(d: Daemon, event: startup.Event, now: Mono, out: Effect[]): void {
  const wishes: startup.Effect[] = [];
  startup.step(d.startup, event, now, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "connected": ofFacts(d, { ...wish, type: "written" }, now, out); break;
      case "ready": ready(d, now, out); break;
      case "failed":
        out.push({ ...wish, lane: "startup", failures: 1, retryMs: undefined });
        break;
      case "call": case "drop": case "overdue": case "late":
        ofLane(d, "startup", wish, now, out);
        break;
      default: return unreachable(wish); /* c8 ignore next */
    }
  }
}

function ofProbe(d: Daemon, event: probe.Event, now: Mono, out: Effect[]): void {
  const wishes: probe.Effect[] = [];
  probe.step(d.probe, event, now, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "up":
        ofFacts(d, { type: "written", isConnected: true }, now, out);
        out.push({ ...wish, type: "ran", lane: "probe" });
        break;
      case "down":
        ofFacts(d, { type: "written", isConnected: false }, now, out);
        out.push({ ...wish, type: "failed", lane: "probe", op: d.policy.probe.op });
        break;
      case "unsupported": out.push({ ...wish, lane: "probe" }); break;
      case "call": case "drop": case "overdue": case "late":
        ofLane(d, "probe", wish, now, out);
        break;
      default: return unreachable(wish); /* c8 ignore next */
    }
  }
}

function ofRounds(d: Daemon, event: rounds.Event, now: Mono, out: Effect[]): void {
  const wishes: rounds.Effect[] = [];
  rounds.step(d.rounds, event, now, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "round":
        out.push(wish);
        if (wish.event.kind === "finished") ofSync(d, { type: "woken" }, now, out);
        break;
      case "lagging": out.push(wish); ofSync(d, { type: "woken" }, now, out); break;
      case "began": out.push(wish); break;
      case "failed":
        out.push({ ...wish, lane: "rounds", failures: 1, retryMs: undefined });
        break;
      case "unsupported": out.push({ ...wish, lane: "rounds" }); break;
      case "subscribe": case "close": case "opened": case "news": case "over":
        ofStream(d, "rounds", wish, now, out);
        break;
      case "call": case "drop": case "overdue": case "late":
        ofLane(d, "rounds", wish, now, out);
        break;
      default: return unreachable(wish); /* c8 ignore next */
    }
  }
}

function ofMailbox(d: Daemon, event: mailbox.Event, now: Mono, out: Effect[]): void {
  const wishes: mailbox.Effect[] = [];
  mailbox.step(d.mailbox, event, now, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "moved": case "went-back": case "stuck": case "still": out.push(wish); break;
      case "failed": out.push({ ...wish, lane: "mailbox", op: "sync-mailbox" }); break;
      case "unsupported": out.push({ ...wish, lane: "mailbox" }); break;
      case "subscribe": case "close": case "opened": case "news": case "over":
        ofStream(d, "mailbox", wish, now, out);
        break;
      case "call": case "drop": case "overdue": case "late":
        ofLane(d, "mailbox", wish, now, out);
        break;
      default: return unreachable(wish); /* c8 ignore next */
    }
  }
}

function ofSync(d: Daemon, event: sync.Event, now: Mono, out: Effect[]): void {
  const wishes: sync.Effect[] = [];
  sync.step(d.sync, event, now, wishes);
  ofRota(d, "sync", wishes, now, out);
}

function ofExits(d: Daemon, event: exits.Event, now: Mono, out: Effect[]): void {
  const wishes: exits.Effect[] = [];
  exits.step(d.exits, event, now, wishes);
  ofRota(d, "exits", wishes, now, out);
}

function ofRota(
  d: Daemon, name: "sync" | "exits", wishes: readonly rota.Effect[], now: Mono, out: Effect[],
): void {
  for (const wish of wishes) {
    switch (wish.type) {
      case "ran": case "failed": case "unsupported": case "passed": case "behind":
      case "caught-up":
        out.push({ ...wish, lane: name });
        break;
      case "call": case "drop": case "overdue": case "late":
        ofLane(d, name, wish, now, out);
        break;
      default: return unreachable(wish); /* c8 ignore next */
    }
  }
}

function ofLane(d: Daemon, name: LaneName, wish: lane.Effect, now: Mono, out: Effect[]): void {
  switch (wish.type) {
    case "call":
      assert(stopping.isRunning(d.stopping) || d.policy.stopping.isFinishing,
        "ark: a call after the stop");
      return void out.push({ ...wish, lane: name });
    case "drop": case "late": return void out.push({ ...wish, lane: name });
    case "overdue":
      out.push({ ...wish, lane: name });
      return known(d, { op: wish.op, answer: lane.unanswered }, now, out);
    default: return unreachable(wish); /* c8 ignore next */
  }
}

/** The round stream is one of the source's writers; a healthy end writes nothing. */
function ofStream(
  d: Daemon, name: StreamName, wish: stream.Effect, now: Mono, out: Effect[],
): void {
  const isWriter = name === "rounds";
  switch (wish.type) {
    case "subscribe": case "close": return void out.push({ ...wish, stream: name });
    case "news": return ofFacts(d, { type: "streamed", stream: name, what: "news" }, now, out);
    case "opened":
      ofFacts(d, { type: "streamed", stream: name, what: "opened" }, now, out);
      return isWriter ? ofFacts(d, { type: "written", isConnected: true }, now, out) : undefined;
    case "over": {
      const { why, isHealthy, failures, retryMs } = wish;
      out.push({ type: "over", stream: name, why, isHealthy, failures, retryMs });
      ofFacts(d, { type: "streamed", stream: name, what: "over" }, now, out);
      if (!isWriter || isHealthy) return;
      return ofFacts(d, { type: "written", isConnected: false }, now, out);
    }
    default: return unreachable(wish); /* c8 ignore next */
  }
}

function ofStopping(d: Daemon, event: stopping.Event, now: Mono, out: Effect[]): void {
  const wishes: stopping.Effect[] = [];
  stopping.step(d.stopping, event, now, wishes);
  for (const wish of wishes) {
    out.push(wish.type === "answered" ? { ...wish, type: "stop-answered" } : wish);
  }
}
