/**
 * What a person or a wallet asks of a peer, done at each directory that the peer is up at.
 *
 * Rule 1: a task that is not for this kind of peer, or names nobody, does nothing.
 * Rule 2: a peer keeps within what directories allow: after a burst a maker says its offers once
 * more, because the burst may have cost it the budget for an announcement; PINGs are spaced.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import { after, NEVER } from "../../core/time.ts";
import type { Work } from "../scenario.ts";
import * as link from "./link.ts";
import * as say from "./say.ts";
import { collects, isNew, nextTag, tell, type Link, type Peer, type Turn } from "./state.ts";

/** Lines of one burst. */
const burstMax = 2_000;
/** Bytes of one burst. */
const burstBytesMax = 4 * 1024 * 1024;
/** After a burst, a directory's budget for public lines is full again by then. */
const againMs = 30_000;
/** A burst of less costs nobody an announcement. */
const smallBurst = { count: 20, bytes: 20_000 };

/** Does what is asked. */
export function asked(p: Peer, task: Work, t: Turn): void {
  switch (task.op) {
    case "announce": return announce(p, task.size, t);
    case "orderbook": return orderbook(p, t);
    case "fill": return fill(p, task.maker, task.bytes, t);
    case "peerlist": return list(p, t);
    case "ping": return ping(p, t);
    case "chat": return chat(p, task.bytes, t);
    case "away": return away(p, task.forMs, t);
    case "burst": return burst(p, task.count, task.bytes, t);
    case "append": case "mine": case "reorg": case "send": case "replace": case "evict":
    case "fund": case "drain": case "pay": case "deposit": case "restartServer":
    case "restartProgram": case "changeToken": case "feeRate":
      return;
    default: return unreachable(task);
  }
}

/** A maker's offers change. */
function announce(p: Peer, size: number, t: Turn): void {
  if (p.config.spec.kind !== "maker") return;
  const fits = size < 1 ? 1 : size > say.offersMax ? say.offersMax : size;
  say.offers(p, nextTag(p), fits, t);
  announceAll(p, t);
}

function announceAll(p: Peer, t: Turn): void {
  const tag = nextTag(p);
  for (const l of p.links) if (l.phase === "up") say.announce(p, l, tag, t);
}

function orderbook(p: Peer, t: Turn): void {
  if (!collects(p)) return;
  const tag = nextTag(p);
  for (const l of p.links) if (l.phase === "up") say.orderbook(p, l, tag, t);
}

/** Asks at one directory: one where the maker's offers are held, if there is any. */
function fill(p: Peer, maker: string, bytes: number, t: Turn): void {
  const to = p.config.nicks.get(maker);
  if (to === undefined || p.config.spec.kind !== "taker") return;
  const tag = nextTag(p);
  const l = linkFor(p, to, tag);
  if (l === undefined) return tell(t, { fact: "unasked", to });
  if (p.pending.length >= say.pendingMax) giveUp(p, t);
  say.fill(p, l, { to, tag, bytes }, t);
}

function linkFor(p: Peer, to: string, tag: number): Link | undefined {
  const ups = p.links.filter((l) => l.phase === "up");
  const near = ups.filter((l) => l.book.held.has(to));
  const from = near.length > 0 ? near : ups;
  return from[tag % from.length];
}

/** The oldest request is not answered any more. */
function giveUp(p: Peer, t: Turn): void {
  const one = p.pending.shift();
  if (one !== undefined) tell(t, { fact: "unanswered", directory: one.directory, tag: one.tag });
}

function list(p: Peer, t: Turn): void {
  if (!isNew(p)) return;
  for (const l of p.links) if (l.phase === "up") say.list(l, t);
}

function ping(p: Peer, t: Turn): void {
  if (!isNew(p)) return;
  for (const l of p.links) if (l.phase === "up" && isSpaced(l, t)) link.ping(l, t);
}

/** Directories answer six PINGs in a minute: one that is dropped would look like a dead link. */
function isSpaced(l: Link, t: Turn): boolean {
  return l.pingAt !== NEVER && t.now >= after(l.lastPingAt, 12_000);
}

function chat(p: Peer, bytes: number, t: Turn): void {
  const tag = nextTag(p);
  for (const l of p.links) if (l.phase === "up") say.chat(p, l, tag, bytes, t);
}

function away(p: Peer, forMs: number, t: Turn): void {
  for (const l of p.links) link.depart(p, l, forMs, t);
}

function burst(p: Peer, count: number, bytes: number, t: Turn): void {
  const most = Math.floor(burstBytesMax / (bytes + 100));
  const fits = Math.min(count, burstMax, most);
  const tag = nextTag(p);
  p.tags += fits;
  p.stepUnits += fits * p.links.length;
  for (const l of p.links) {
    if (l.phase === "up") say.burst(p, l, { tag, count: fits, bytes }, t);
  }
  if (p.config.spec.kind !== "maker") return;
  const isSmall = fits < smallBurst.count && fits * bytes < smallBurst.bytes;
  if (!isSmall) p.againAt = after(t.now, againMs);
}

/** Does what is due at `now`; nothing before `deadline` of the peer. */
export function tick(p: Peer, t: Turn): void {
  for (let one = p.pending[0]; one !== undefined && one.dueAt <= t.now; one = p.pending[0]) {
    giveUp(p, t);
  }
  if (p.againAt > t.now) return;
  p.againAt = NEVER;
  announceAll(p, t);
}
