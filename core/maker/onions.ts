/**
 * The maker's own onion service: what directories, guests and the operator hear of the address.
 *
 * Rule 1: a visit to ourselves is what a taker does, under our own nick: an answer that bears
 * it is ours, and the guest who said it is let go (`inbound.ts`).
 * Not known here: Tor and its connections (`core/tor/errands.ts`).
 * @module
 */
import { unreachable } from "../assert.ts";
import { visit } from "../joinmarket/visit.ts";
import { NEVER, type Mono } from "../time.ts";
import * as errands from "../tor/errands.ts";
import type * as onion from "../tor/onion.ts";
import * as direct from "./direct.ts";
import * as directories from "./directories.ts";
import { log, type Maker, type Turn } from "./node.ts";

/** When a tick is due. */
export function deadline(d: Maker): Mono {
  return d.errands === undefined ? NEVER : errands.deadline(d.errands);
}

/** Something for the onion service. */
export function tell(d: Maker, event: onion.Event, t: Turn): void {
  if (d.errands === undefined) return;
  const wishes: errands.Effect[] = [];
  const manners = visit("maker", d.nick, d.config.network);
  errands.tell(d.errands, event, { now: t.now, p: t.p, out: wishes, manners });
  for (const wish of wishes) translate(d, wish, t);
}

/** Something happened to a connection of the onion service. */
export function happened(d: Maker, event: errands.WireEvent, t: Turn): void {
  if (d.errands === undefined) return;
  const wishes: errands.Effect[] = [];
  const manners = visit("maker", d.nick, d.config.network);
  errands.happened(d.errands, event, { now: t.now, p: t.p, out: wishes, manners });
  for (const wish of wishes) translate(d, wish, t);
}

function translate(d: Maker, wish: errands.Effect, t: Turn): void {
  switch (wish.type) {
    case "conn.dial": case "conn.confide": case "conn.send": case "conn.close":
    case "cookie.want": case "password.want": case "nonce.want": case "key.load": case "key.save":
    case "hostname.want": case "log":
      return void t.out.push(wish);
    case "address": return located(d, wish.location, t);
    case "up": return up(d, t);
    case "down": {
      // Who stops has nothing to tell of.
      if (d.phase !== "running") return;
      const why = wish.fault.text;
      d.onionDownAt = t.now;
      log(d, "error", "maker.onion-down", { why }, t);
      return void t.todo.push({ do: "notice", notice: { kind: "onion-down", why } });
    }
    case "reachable": {
      const { isReachable, failure = "" } = wish;
      return log(d, isReachable ? "info" : "warn", "maker.onion-reachable",
        { isReachable, failure }, t);
    }
    default: return unreachable(wish); /* c8 ignore next */
  }
}

/** The address is ours for good: directories and guests hear of it. */
function located(d: Maker, location: string, t: Turn): void {
  log(d, "info", "maker.onion-address", { location }, t);
  directories.tell(d, { type: "located", location }, t);
  direct.tell(d, { type: "located", location }, t);
}

function up(d: Maker, t: Turn): void {
  log(d, "info", "maker.onion-up", {}, t);
  if (d.onionDownAt === undefined) return;
  const downMs = t.now - d.onionDownAt;
  d.onionDownAt = undefined;
  t.todo.push({ do: "notice", notice: { kind: "onion-up", downMs } });
}
