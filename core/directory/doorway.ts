/**
 * The onion service of a directory node: a machine beside the node, with a kernel of its own.
 *
 * Rule 1: the node learns one fact from here, its address, and does all it does while Tor is away.
 * So a recording of the node holds no secret of Tor's, and can be replayed.
 * Rule 2: a visit to ourselves asks under our own nick: the node refuses it and is known by its
 * answer, registers nobody, and has room for the visit even when it is full.
 * Not known here: Tor and its connections (`core/tor/errands.ts`), and the node's peers.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import { visit } from "../joinmarket/visit.ts";
import type {
  ClockEvent, ConfideEffect, ConnEffect, DialEffect, LogEffect, Tick,
} from "../kernel/io.ts";
import type { Root } from "../kernel/kernel.ts";
import type { Primitives } from "../primitives.ts";
import * as prng from "../prng.ts";
import { NEVER, type Mono } from "../time.ts";
import * as errands from "../tor/errands.ts";
import * as onion from "../tor/onion.ts";
import { none, shown, trouble, type OnionStatus, type Trouble } from "../tor/shown.ts";
import type { Network } from "./config.ts";

export type Config = {
  readonly onion: onion.Config;
  /** Tor's control port, `host:port` or `unix:path`. */
  readonly control: string;
  readonly network: Network;
};

export type Doorway = {
  readonly config: Config;
  readonly errands: errands.Errands;
  /** The node's nick, by which its answer is known; empty before the start. */
  nick: string;
  phase: "fresh" | "running" | "stopped";
};

export type DoorwayEvent =
  | errands.WireEvent | errands.FileEvent | ClockEvent
  /** The node runs and takes peers. */
  | { readonly type: "operator.started"; readonly nick: string }
  /** The service ends: nobody new comes this way, who is connected stays. */
  | { readonly type: "operator.stop" };

export type DoorwayEffect =
  | errands.FileEffect | DialEffect | ConfideEffect | ConnEffect | LogEffect
  /** The node is to know its address. */
  | { readonly type: "onion.located"; readonly location: string };

/** `seed`: for jitter, never for secrets. */
export function create(config: Config, seed: prng.Key, now: Mono): Doorway {
  const service = onion.create(config.onion, prng.derive(seed, "onion"), now);
  return { config, errands: errands.create(service, config.control), nick: "", phase: "fresh" };
}

/** What the kernel drives. */
export function root(p: Primitives): Root<Doorway, DoorwayEvent, DoorwayEffect> {
  return {
    step: (d, event, now, out) => step(d, event, { now, p, out }),
    deadline,
    effectsMax: () => effectsMax,
  };
}

/** More than a tick of every part can ask for, each with its log line. */
const effectsMax = 64;

type Turn = { readonly now: Mono; readonly p: Primitives; readonly out: DoorwayEffect[] };

function step(d: Doorway, event: DoorwayEvent | Tick, t: Turn): void {
  switch (event.type) {
    case "conn.opened": case "conn.received": case "conn.congested": case "conn.drained":
    case "conn.closed": case "conn.dialed": case "conn.failed": case "conn.confided":
      return run(d, t, (inner) => errands.happened(d.errands, event, inner));
    case "cookie.given": case "cookie.failed": case "password.given": case "password.failed":
    case "nonce.given": case "key.loaded": case "key.absent": case "key.saved": case "key.failed":
    case "hostname.given": case "hostname.failed": case "tick":
      return run(d, t, (inner) => errands.tell(d.errands, event, inner));
    case "clock.anchored": return;
    case "operator.started": return started(d, event.nick, t);
    case "operator.stop": return stop(d, t);
    default: return unreachable(event); /* c8 ignore next */
  }
}

export function deadline(d: Doorway): Mono {
  return d.phase === "running" ? errands.deadline(d.errands) : NEVER;
}

function started(d: Doorway, nick: string, t: Turn): void {
  assert(d.phase === "fresh", "an onion service is started once");
  assert(nick !== "", "the node has a nick when it takes peers");
  d.phase = "running";
  d.nick = nick;
  run(d, t, (inner) => errands.tell(d.errands, { type: "started" }, inner));
}

function stop(d: Doorway, t: Turn): void {
  const isRunning = d.phase === "running";
  // That it is down from now on is no trouble.
  d.phase = "stopped";
  if (isRunning) act(d, t, (inner) => errands.tell(d.errands, { type: "stopped" }, inner));
}

function run(d: Doorway, t: Turn, doing: (inner: errands.Turn) => void): void {
  if (d.phase === "running") act(d, t, doing);
}

function act(d: Doorway, t: Turn, doing: (inner: errands.Turn) => void): void {
  const wishes: errands.Effect[] = [];
  const manners = visit("directory", d.nick, d.config.network);
  doing({ now: t.now, p: t.p, out: wishes, manners });
  for (const wish of wishes) translate(d, wish, t);
}

function translate(d: Doorway, wish: errands.Effect, t: Turn): void {
  switch (wish.type) {
    case "conn.dial": case "conn.confide": case "conn.send": case "conn.close":
    case "cookie.want": case "password.want": case "nonce.want": case "key.load": case "key.save":
    case "hostname.want": case "log":
      return void t.out.push(wish);
    case "address":
      return void t.out.push({ type: "onion.located", location: wish.location });
    case "down": {
      if (d.phase !== "running") return;
      const fields = { why: wish.fault.text };
      return void t.out.push({ type: "log", level: "error", code: "directory.onion-down", fields });
    }
    // The service has said these itself.
    case "up": case "reachable": return;
    default: return unreachable(wish); /* c8 ignore next */
  }
}

/** What the node's status says of its service: nothing, if it has none. */
export type View = { readonly onion: OnionStatus; readonly degraded: readonly Trouble[] };

export const noDoorway: View = { onion: none, degraded: [] };

/** The service at `now`. */
export function view(d: Doorway, now: Mono): View {
  const { onion: service } = d.errands;
  const meanwhile = "nobody new comes by the onion address, and the node serves whom it has";
  const found = d.phase === "running" ? trouble(service, meanwhile, now) : undefined;
  return { onion: shown(service, now), degraded: found === undefined ? [] : [found] };
}
