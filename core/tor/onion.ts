/**
 * Our own onion service: kept up through restarts of Tor, under one address for good.
 *
 * Rule 1: the service lives as long as our control connection. When that is lost, the connection is
 * made again and the service published again, after a growing wait, for ever. Whether Tor still
 * has the service is asked at intervals: a connection that is only half there is noticed.
 * Rule 2: an address is told once it is known for good: its key is durable (`keeper.ts`).
 * Rule 3: what an older Tor does not know (proof of work) is left out for it.
 * Rule 4: an address that another connection of ours still holds counts as served; it is taken over
 * as soon as Tor lets go of it.
 * Rule 5: with `torrc` the operator's Tor runs the service, and only its address is read here.
 * Not known here: who listens behind the service, and how a visit is made.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Fault } from "../fault.ts";
import type { Tick } from "../kernel/io.ts";
import { assertMove, type Transition } from "../kernel/phases.ts";
import type { Primitives } from "../primitives.ts";
import * as prng from "../prng.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import * as control from "./control.ts";
import * as hostname from "./hostname.ts";
import * as keeper from "./keeper.ts";
import * as reach from "./reach.ts";
import type { Reply } from "./reply.ts";
import * as service from "./service.ts";
import * as standing from "./standing.ts";

export type Config = service.Config & keeper.Config & {
  /** Who runs the service: we, over the control port, or the operator's torrc. */
  readonly managed: "control" | "torrc";
  /** Between questions whether Tor still has the service, in ms. 60,000. */
  readonly checkMs: number;
  readonly control: control.Config;
  readonly reach: reach.Config;
};

export const defaults: Config = {
  ...service.defaults, ...keeper.defaults, managed: "control", checkMs: 60_000,
  control: control.defaults, reach: reach.defaults,
};

/** What the host answers; each names the link or request of the effect that asked. */
export type HostEvent = control.HostEvent | keeper.HostEvent | hostname.HostEvent
  /** The visit `req` ended: a handshake was completed, or why not. */
  | { readonly type: "visited"; readonly req: number; readonly failure: string | undefined };

/** What the host is to do. */
export type HostEffect =
  control.HostEffect | keeper.HostEffect | hostname.HostEffect | standing.VisitEffect;

export type Event =
  | HostEvent
  | { readonly type: "started" }
  /** Ends the service in good order; it may be started again. */
  | { readonly type: "stopped" }
  | Tick;

export type Effect = HostEffect | standing.Effect;

type At =
  | { readonly phase: "off" | "keyless" | "connecting" | "checking" | "managed" }
  | { readonly phase: "waiting" | "up" | "shared"; readonly dueAt: Mono }
  | { readonly phase: "adding"; readonly isPow: boolean; readonly isCleared: boolean }
  | { readonly phase: "clearing"; readonly isPow: boolean };
export type PhaseName = At["phase"];

export const transitions: readonly Transition<PhaseName>[] = [
  { from: "off", on: "started", to: "keyless", note: "the key is read" },
  { from: "off", on: "key kept", to: "connecting", note: "started again" },
  { from: "off", on: "started", to: "managed", note: "torrc runs the service" },
  { from: "keyless", on: "key read", to: "connecting", note: "there is one, or a first start" },
  { from: "connecting", on: "ready", to: "adding", note: "ADD_ONION" },
  { from: "adding", on: "no proof of work", to: "adding", note: "this Tor does not know it" },
  { from: "adding", on: "collision", to: "clearing", note: "the address is taken: DEL_ONION" },
  { from: "clearing", on: "cleared or not", to: "adding", note: "ADD_ONION once more" },
  { from: "adding", on: "collision again", to: "shared", note: "another connection serves it" },
  { from: "adding", on: "added", to: "up", note: "the service is published" },
  { from: "shared", on: "try again", to: "adding", note: "Tor may have let go" },
  { from: "up", on: "check due", to: "checking", note: "GETINFO onions/current" },
  { from: "checking", on: "there", to: "up", note: "proof of health" },
  { from: "checking", on: "gone", to: "adding", note: "Tor has forgotten the service" },
  { from: "*", on: "failed", to: "waiting", note: "refused, or the connection was lost" },
  { from: "waiting", on: "try again", to: "connecting", note: "the wait is over" },
  { from: "*", on: "stopped", to: "off", note: "the service ends with the connection" },
];

export type Onion = {
  readonly config: Config;
  readonly jitter: prng.Prng;
  readonly control: control.Control;
  readonly keeper: keeper.Keeper;
  readonly hostname: hostname.Hostname;
  readonly standing: standing.Standing;
  at: At;
  kept: service.Kept | undefined;
  /** In a row, since the last proof of health. */
  failures: number;
  /** Tor's own start, 0 to 100; `undefined`: not known. */
  progress: number | undefined;
  /** Visitors solve puzzles: this Tor can do that. */
  isPow: boolean;
};

/** Tokens of the commands: one of each is under way at most. */
const token = { listen: 1, add: 2, remove: 3, check: 4 } as const;

export function create(config: Config, jitter: prng.Key, now: Mono): Onion {
  // Of a service that torrc runs nothing of this is used.
  if (config.managed === "control") service.assertConfig(config);
  assert(config.checkMs >= 1, "onion: checkMs is at least 1");
  assert(config.control.commandsMax >= 2, "onion: two commands may be under way");
  return {
    config, jitter: prng.stream(jitter, "retry"), control: control.create(config.control),
    keeper: keeper.create(config, prng.stream(jitter, "keeper")),
    hostname: hostname.create(config, prng.stream(jitter, "hostname")),
    standing: standing.create(config.port, config.reach, prng.stream(jitter, "reach"), now),
    at: { phase: "off" }, kept: undefined, failures: 0, progress: undefined, isPow: false,
  };
}

export function step(m: Onion, event: Event, now: Mono, p: Primitives, out: Effect[]): void {
  const t: Turn = { now, p, out };
  switch (event.type) {
    case "started": return started(m, t);
    case "stopped": return stopped(m, t);
    case "dialed": case "undialed": case "received": case "closed":
    case "cookie.given": case "cookie.failed": case "password.given": case "password.failed":
    case "nonce.given":
      return port(m, event, t);
    case "key.loaded": case "key.absent": case "key.saved": case "key.failed":
      return keep(m, event, t);
    case "hostname.given": case "hostname.failed":
      return name(m, event, t);
    case "visited": return standing.visits(m.standing, event, now, out);
    case "tick": return tick(m, t);
    default: return unreachable(event); /* c8 ignore next */
  }
}

type Turn = { readonly now: Mono; readonly p: Primitives; readonly out: Effect[] };

export function deadline(m: Onion): Mono {
  const own = "dueAt" in m.at ? m.at.dueAt : NEVER;
  const files = soonest(keeper.deadline(m.keeper), hostname.deadline(m.hostname));
  const others = soonest(control.deadline(m.control), standing.deadline(m.standing));
  return soonest(own, soonest(files, others));
}

/** For pages and the doctor. */
export type Status = standing.Facts & {
  readonly phase: PhaseName;
  /** Empty while it is not known. */
  readonly torVersion: string;
  readonly torProgress: number | undefined;
  readonly isPow: boolean;
};

export function status(m: Onion, now: Mono): Status {
  const { phase } = m.at;
  return {
    ...standing.facts(m.standing, now), phase, torVersion: m.control.version,
    torProgress: m.progress, isPow: m.isPow,
  };
}

function tick(m: Onion, t: Turn): void {
  const event: Tick = { type: "tick" };
  port(m, event, t);
  keep(m, event, t);
  name(m, event, t);
  standing.visits(m.standing, event, t.now, t.out);
  if (!("dueAt" in m.at) || m.at.dueAt > t.now) return;
  switch (m.at.phase) {
    case "waiting": return connect(m, "try again", t);
    case "shared": return add(m, "try again", m.config.isPowWanted, false, t);
    case "up": return check(m, t);
    default: return unreachable(m.at); /* c8 ignore next */
  }
}

function move(m: Onion, on: string, to: At): void {
  assertMove(transitions, m.at.phase, on, to.phase);
  m.at = to;
}

function started(m: Onion, t: Turn): void {
  if (m.at.phase !== "off") return;
  if (m.config.managed === "torrc") {
    move(m, "started", { phase: "managed" });
    if (m.hostname.host !== "") standing.up(m.standing, t.now, t.out);
    return name(m, { type: "wanted" }, t);
  }
  const { phase } = m.keeper.at;
  const isRead = phase !== "idle" && phase !== "loading" && phase !== "unloaded";
  if (isRead) return connect(m, "key kept", t);
  move(m, "started", { phase: "keyless" });
  keep(m, { type: "wanted" }, t);
}

function stopped(m: Onion, t: Turn): void {
  if (m.at.phase === "off") return;
  move(m, "stopped", { phase: "off" });
  const fault = { code: "onion-stopped", text: "the onion service was stopped" };
  standing.down(m.standing, fault, t.now, t.out);
  port(m, { type: "unwanted" }, t);
  name(m, { type: "unwanted" }, t);
  m.failures = 0;
}

/** The key. */
function keep(m: Onion, event: keeper.Event, t: Turn): void {
  const wishes: keeper.Effect[] = [];
  keeper.step(m.keeper, event, t.now, t.p, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "key.load": case "key.save": t.out.push(wish); break;
      case "ready":
        m.kept = wish.kept;
        if (m.kept?.host !== undefined) standing.announce(m.standing, m.kept.host, t.out);
        if (m.at.phase === "keyless") connect(m, "key read", t);
        break;
      case "durable": kept(m, t); break;
      case "failing": standing.blame(m.standing, wish.fault, t.out); break;
      default: unreachable(wish); /* c8 ignore next */
    }
  }
}

/** The key that Tor made is durable: now the address may be told, and with it that it is served. */
function kept(m: Onion, t: Turn): void {
  const { phase } = m.at;
  standing.announce(m.standing, m.kept?.host ?? "", t.out);
  const isServed = phase === "up" || phase === "checking" || phase === "shared";
  if (isServed) standing.up(m.standing, t.now, t.out);
}

/** The address in torrc's care. */
function name(m: Onion, event: hostname.Event, t: Turn): void {
  const wishes: hostname.Effect[] = [];
  hostname.step(m.hostname, event, t.now, t.p, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "hostname.want": t.out.push(wish); break;
      case "known":
        standing.announce(m.standing, wish.host, t.out);
        standing.up(m.standing, t.now, t.out);
        break;
      case "failing": standing.blame(m.standing, wish.fault, t.out); break;
      case "recovered": standing.up(m.standing, t.now, t.out); break;
      default: unreachable(wish); /* c8 ignore next */
    }
  }
}

/** The control port. */
function port(m: Onion, event: control.Event, t: Turn): void {
  const wishes: control.Effect[] = [];
  control.step(m.control, event, t.now, t.p, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "dial": case "send": case "hangup":
      case "cookie.want": case "password.want": case "nonce.want":
        t.out.push(wish);
        break;
      case "ready": ready(m, wish.version, t); break;
      case "answered": answered(m, wish.token, wish.reply, t); break;
      case "told": told(m, wish.lines, t); break;
      case "ended":
        if (wish.fault.code !== "control-unwanted") fail(m, wish.fault, t);
        break;
      default: unreachable(wish); /* c8 ignore next */
    }
  }
}

function connect(m: Onion, on: string, t: Turn): void {
  move(m, on, { phase: "connecting" });
  port(m, { type: "wanted" }, t);
}

function ready(m: Onion, version: string, t: Turn): void {
  standing.log("info", "onion.control-ready", { version }, t.out);
  port(m, { type: "asked", token: token.listen, command: service.listen }, t);
  add(m, "ready", m.config.isPowWanted, false, t);
}

function add(m: Onion, on: string, isPow: boolean, isCleared: boolean, t: Turn): void {
  move(m, on, { phase: "adding", isPow, isCleared });
  const command = service.add(m.config, m.kept, isPow);
  port(m, { type: "asked", token: token.add, command }, t);
}

function check(m: Onion, t: Turn): void {
  move(m, "check due", { phase: "checking" });
  port(m, { type: "asked", token: token.check, command: service.check }, t);
}

/** Every answer is to what the phase has asked; that to `listen` changes nothing. */
function answered(m: Onion, to: number, reply: Reply, t: Turn): void {
  const { at } = m;
  if (to === token.add && at.phase === "adding") {
    return added(m, at.isPow, at.isCleared, reply, t);
  }
  if (to === token.remove && at.phase === "clearing") {
    return add(m, "cleared or not", at.isPow, true, t);
  }
  if (to === token.check && at.phase === "checking") checked(m, reply, t);
}

function added(m: Onion, isPow: boolean, isCleared: boolean, reply: Reply, t: Turn): void {
  if (reply.code === 550) return collided(m, isPow, isCleared, t);
  if (reply.code !== 250 && isPow) {
    standing.log("warn", "onion.no-pow", { version: m.control.version }, t.out);
    return add(m, "no proof of work", false, isCleared, t);
  }
  if (reply.code !== 250) {
    const text = `Tor does not add the onion service (${reply.code}): see Tor's own log`;
    return fail(m, { code: "onion-refused", text }, t);
  }
  const kept = service.added(reply, m.config, m.kept, t.p.sha3);
  if (!kept.ok) return fail(m, kept.fault, t);
  const isNew = m.kept === undefined;
  m.kept = kept.value;
  m.isPow = isPow;
  if (isNew) keep(m, { type: "made", kept: kept.value }, t);
  if (keeper.isDurable(m.keeper)) standing.announce(m.standing, kept.value.host, t.out);
  move(m, "added", { phase: "up", dueAt: after(t.now, m.config.checkMs) });
  standing.up(m.standing, t.now, t.out);
}

/** Another control connection, or nobody any more, has the service. */
function collided(m: Onion, isPow: boolean, isCleared: boolean, t: Turn): void {
  const host = m.kept?.host;
  if (host !== undefined && !isCleared) {
    move(m, "collision", { phase: "clearing", isPow });
    const command = service.remove(host);
    return port(m, { type: "asked", token: token.remove, command }, t);
  }
  move(m, "collision again", { phase: "shared", dueAt: keeper.retryAt(m, t.now) });
  m.failures += 1;
  standing.blame(m.standing, taken, t.out);
  // An imported key whose address is not known yet: then nobody can be told of it.
  if (host !== undefined) standing.up(m.standing, t.now, t.out);
}

const taken: Fault = {
  code: "onion-taken", text: "another connection to this Tor serves our onion address",
};

function checked(m: Onion, reply: Reply, t: Turn): void {
  m.progress = service.progress(reply);
  if (service.isListed(reply, m.kept?.host ?? "")) {
    m.failures = 0;
    return move(m, "there", { phase: "up", dueAt: after(t.now, m.config.checkMs) });
  }
  const fault = { code: "onion-vanished", text: "Tor has forgotten the onion service" };
  standing.blame(m.standing, fault, t.out);
  standing.down(m.standing, fault, t.now, t.out);
  add(m, "gone", m.config.isPowWanted, false, t);
}

function told(m: Onion, lines: readonly string[], t: Turn): void {
  const host = m.kept?.host;
  if (host === undefined || !service.isUploaded(lines, host)) return;
  standing.uploaded(m.standing, t.now, t.out);
}

/** Whatever it was: the connection is given up, and all is done again after a wait. */
function fail(m: Onion, fault: Fault, t: Turn): void {
  if (m.at.phase === "off") return;
  move(m, "failed", { phase: "waiting", dueAt: keeper.retryAt(m, t.now) });
  m.failures += 1;
  m.progress = undefined;
  port(m, { type: "unwanted" }, t);
  standing.blame(m.standing, fault, t.out);
  standing.down(m.standing, fault, t.now, t.out);
}
