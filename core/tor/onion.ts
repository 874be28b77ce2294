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
import * as backoff from "../backoff.ts";
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
  readonly sha3: Primitives["sha3"];
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

export function create(
  config: Config, primitives: Pick<Primitives, "sha256" | "sha3">, jitter: prng.Key, now: Mono,
): Onion {
  service.assertConfig(config);
  assert(config.checkMs >= 1, "onion: checkMs is at least 1");
  assert(config.control.commandsMax >= 2, "onion: two commands may be under way");
  const { sha3 } = primitives;
  return {
    config, sha3, jitter: prng.stream(jitter, "retry"),
    control: control.create(config.control, primitives),
    keeper: keeper.create(config, sha3, prng.stream(jitter, "keeper")),
    hostname: hostname.create(config, sha3, prng.stream(jitter, "hostname")),
    standing: standing.create(config.port, config.reach, prng.stream(jitter, "reach"), now),
    at: { phase: "off" }, kept: undefined, failures: 0, progress: undefined, isPow: false,
  };
}

export function step(m: Onion, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "started": return started(m, now, out);
    case "stopped": return stopped(m, now, out);
    case "dialed": case "undialed": case "received": case "closed":
    case "cookie.given": case "cookie.failed": case "password.given": case "password.failed":
    case "nonce.given":
      return port(m, event, now, out);
    case "key.loaded": case "key.absent": case "key.saved": case "key.failed":
      return keep(m, event, now, out);
    case "hostname.given": case "hostname.failed":
      return name(m, event, now, out);
    case "visited": return standing.visits(m.standing, event, now, out);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

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

function tick(m: Onion, now: Mono, out: Effect[]): void {
  const event: Tick = { type: "tick" };
  port(m, event, now, out);
  keep(m, event, now, out);
  name(m, event, now, out);
  standing.visits(m.standing, event, now, out);
  if (!("dueAt" in m.at) || m.at.dueAt > now) return;
  switch (m.at.phase) {
    case "waiting": return connect(m, "try again", now, out);
    case "shared": return add(m, "try again", m.config.isPowWanted, false, now, out);
    case "up": return check(m, now, out);
    default: return unreachable(m.at); /* c8 ignore next */
  }
}

function move(m: Onion, on: string, to: At): void {
  assertMove(transitions, m.at.phase, on, to.phase);
  m.at = to;
}

function started(m: Onion, now: Mono, out: Effect[]): void {
  if (m.at.phase !== "off") return;
  if (m.config.managed === "torrc") {
    move(m, "started", { phase: "managed" });
    if (m.hostname.host !== "") standing.up(m.standing, now, out);
    return name(m, { type: "wanted" }, now, out);
  }
  const { phase } = m.keeper.at;
  const isRead = phase !== "idle" && phase !== "loading" && phase !== "unloaded";
  if (isRead) return connect(m, "key kept", now, out);
  move(m, "started", { phase: "keyless" });
  keep(m, { type: "wanted" }, now, out);
}

function stopped(m: Onion, now: Mono, out: Effect[]): void {
  if (m.at.phase === "off") return;
  move(m, "stopped", { phase: "off" });
  const fault = { code: "onion-stopped", text: "the onion service was stopped" };
  standing.down(m.standing, fault, now, out);
  port(m, { type: "unwanted" }, now, out);
  name(m, { type: "unwanted" }, now, out);
  m.failures = 0;
}

/** The key. */
function keep(m: Onion, event: keeper.Event, now: Mono, out: Effect[]): void {
  const wishes: keeper.Effect[] = [];
  keeper.step(m.keeper, event, now, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "key.load": case "key.save": out.push(wish); break;
      case "ready":
        m.kept = wish.kept;
        if (m.kept?.host !== undefined) standing.announce(m.standing, m.kept.host, out);
        if (m.at.phase === "keyless") connect(m, "key read", now, out);
        break;
      case "durable": kept(m, now, out); break;
      case "failing": standing.blame(m.standing, wish.fault, out); break;
      default: unreachable(wish); /* c8 ignore next */
    }
  }
}

/** The key that Tor made is durable: now the address may be told, and with it that it is served. */
function kept(m: Onion, now: Mono, out: Effect[]): void {
  const { phase } = m.at;
  standing.announce(m.standing, m.kept?.host ?? "", out);
  const isServed = phase === "up" || phase === "checking" || phase === "shared";
  if (isServed) standing.up(m.standing, now, out);
}

/** The address in torrc's care. */
function name(m: Onion, event: hostname.Event, now: Mono, out: Effect[]): void {
  const wishes: hostname.Effect[] = [];
  hostname.step(m.hostname, event, now, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "hostname.want": out.push(wish); break;
      case "known":
        standing.announce(m.standing, wish.host, out);
        standing.up(m.standing, now, out);
        break;
      case "failing": standing.blame(m.standing, wish.fault, out); break;
      case "recovered": standing.up(m.standing, now, out); break;
      default: unreachable(wish); /* c8 ignore next */
    }
  }
}

/** The control port. */
function port(m: Onion, event: control.Event, now: Mono, out: Effect[]): void {
  const wishes: control.Effect[] = [];
  control.step(m.control, event, now, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "dial": case "send": case "hangup":
      case "cookie.want": case "password.want": case "nonce.want":
        out.push(wish);
        break;
      case "ready": ready(m, wish.version, now, out); break;
      case "answered": answered(m, wish.token, wish.reply, now, out); break;
      case "told": told(m, wish.lines, now, out); break;
      case "ended":
        if (wish.fault.code !== "control-unwanted") fail(m, wish.fault, now, out);
        break;
      default: unreachable(wish); /* c8 ignore next */
    }
  }
}

function connect(m: Onion, on: string, now: Mono, out: Effect[]): void {
  move(m, on, { phase: "connecting" });
  port(m, { type: "wanted" }, now, out);
}

function ready(m: Onion, version: string, now: Mono, out: Effect[]): void {
  standing.log("info", "onion.control-ready", { version }, out);
  port(m, { type: "asked", token: token.listen, command: service.listen }, now, out);
  add(m, "ready", m.config.isPowWanted, false, now, out);
}

function add(
  m: Onion, on: string, isPow: boolean, isCleared: boolean, now: Mono, out: Effect[],
): void {
  move(m, on, { phase: "adding", isPow, isCleared });
  const command = service.add(m.config, m.kept, isPow);
  port(m, { type: "asked", token: token.add, command }, now, out);
}

function check(m: Onion, now: Mono, out: Effect[]): void {
  move(m, "check due", { phase: "checking" });
  port(m, { type: "asked", token: token.check, command: service.check }, now, out);
}

/** Every answer is to what the phase has asked; that to `listen` changes nothing. */
function answered(m: Onion, to: number, reply: Reply, now: Mono, out: Effect[]): void {
  const { at } = m;
  if (to === token.add && at.phase === "adding") {
    return added(m, at.isPow, at.isCleared, reply, now, out);
  }
  if (to === token.remove && at.phase === "clearing") {
    return add(m, "cleared or not", at.isPow, true, now, out);
  }
  if (to === token.check && at.phase === "checking") checked(m, reply, now, out);
}

function added(
  m: Onion, isPow: boolean, isCleared: boolean, reply: Reply, now: Mono, out: Effect[],
): void {
  if (reply.code === 550) return collided(m, isPow, isCleared, now, out);
  if (reply.code !== 250 && isPow) {
    standing.log("warn", "onion.no-pow", { version: m.control.version }, out);
    return add(m, "no proof of work", false, isCleared, now, out);
  }
  if (reply.code !== 250) {
    const text = `Tor does not add the onion service (${reply.code}): see Tor's own log`;
    return fail(m, { code: "onion-refused", text }, now, out);
  }
  const kept = service.added(reply, m.config, m.kept, m.sha3);
  if (!kept.ok) return fail(m, kept.fault, now, out);
  const isNew = m.kept === undefined;
  m.kept = kept.value;
  m.isPow = isPow;
  if (isNew) keep(m, { type: "made", kept: kept.value }, now, out);
  if (keeper.isDurable(m.keeper)) standing.announce(m.standing, kept.value.host, out);
  move(m, "added", { phase: "up", dueAt: after(now, m.config.checkMs) });
  standing.up(m.standing, now, out);
}

/** Another control connection, or nobody any more, has the service. */
function collided(
  m: Onion, isPow: boolean, isCleared: boolean, now: Mono, out: Effect[],
): void {
  const host = m.kept?.host;
  if (host !== undefined && !isCleared) {
    move(m, "collision", { phase: "clearing", isPow });
    const command = service.remove(host);
    return port(m, { type: "asked", token: token.remove, command }, now, out);
  }
  move(m, "collision again", { phase: "shared", dueAt: wait(m, now) });
  m.failures += 1;
  standing.blame(m.standing, taken, out);
  // An imported key whose address is not known yet: then nobody can be told of it.
  if (host !== undefined) standing.up(m.standing, now, out);
}

const taken: Fault = {
  code: "onion-taken", text: "another connection to this Tor serves our onion address",
};

function checked(m: Onion, reply: Reply, now: Mono, out: Effect[]): void {
  m.progress = service.progress(reply);
  if (service.isListed(reply, m.kept?.host ?? "")) {
    m.failures = 0;
    return move(m, "there", { phase: "up", dueAt: after(now, m.config.checkMs) });
  }
  const fault = { code: "onion-vanished", text: "Tor has forgotten the onion service" };
  standing.blame(m.standing, fault, out);
  standing.down(m.standing, fault, now, out);
  add(m, "gone", m.config.isPowWanted, false, now, out);
}

function told(m: Onion, lines: readonly string[], now: Mono, out: Effect[]): void {
  const host = m.kept?.host;
  if (host === undefined || !service.isUploaded(lines, host)) return;
  standing.uploaded(m.standing, now, out);
}

/** Whatever it was: the connection is given up, and all is done again after a wait. */
function fail(m: Onion, fault: Fault, now: Mono, out: Effect[]): void {
  if (m.at.phase === "off") return;
  move(m, "failed", { phase: "waiting", dueAt: wait(m, now) });
  m.failures += 1;
  m.progress = undefined;
  port(m, { type: "unwanted" }, now, out);
  standing.blame(m.standing, fault, out);
  standing.down(m.standing, fault, now, out);
}

function wait(m: Onion, now: Mono): Mono {
  return after(now, backoff.delayMs(m.config.retry, m.failures, m.jitter));
}
