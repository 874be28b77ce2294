/**
 * The root of a directory node: connections in, lines out; it owns the parts and translates what
 * they wish.
 *
 * Rule 1: an event of an ended connection changes nothing; identity is the connection generation.
 * Rule 2: children are called in a stated order: leave notices, late connections, contests,
 * heartbeat, peerlists, and the outbox last, so that what a tick queued can go out with it.
 * Rule 3: outcomes of nick contests are carried out before the step ends.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import { hex } from "../bytes.ts";
import * as lines from "../joinmarket/lines.ts";
import * as nick from "../joinmarket/nick.ts";
import * as onion from "../joinmarket/onion.ts";
import * as envelope from "../joinmarket/envelope.ts";
import type { ConnId } from "../ids.ts";
import type { Ended, Tick } from "../kernel/io.ts";
import type { Root } from "../kernel/kernel.ts";
import * as outbox from "../outbox.ts";
import type { Primitives } from "../primitives.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import * as admission from "./admission.ts";
import { check, type DirectoryConfig } from "./config.ts";
import * as contest from "./contest.ts";
import type { DirectoryEffect, DirectoryEvent, Reloadable } from "./events.ts";
import * as heartbeat from "./heartbeat.ts";
import * as leaves from "./leaves.ts";
import * as listing from "./listing.ts";
import * as node from "./node.ts";
import * as proxy from "./proxy.ts";
import * as relay from "./relay.ts";
import * as session from "./session.ts";
import * as sessions from "./sessions.ts";
import * as shake from "./shake.ts";

export type Directory = node.Directory;
type Turn = node.Turn;

/** The request id of the random bytes for the directory's own nick. */
const nickReq = 0;

/** A fresh node. Throws `InvariantError` for a configuration that `check` refuses. */
export function create(config: DirectoryConfig, now: Mono): Directory {
  const broken = check(config);
  assert(broken === undefined, `directory config: ${broken?.says}`);
  return node.create(config, now);
}

/** What the kernel drives. `p` are pure functions, so two nodes may share them. */
export function root(p: Primitives): Root<Directory, DirectoryEvent, DirectoryEffect> {
  return {
    step: (d, event, now, out) => step(d, event, { now, p, out, outcomes: [] }),
    deadline,
    effectsMax: (d) => 1_024 + (8 + d.stepLines) * (1 + d.sessions.byConn.size),
  };
}

function step(d: Directory, event: DirectoryEvent | Tick, t: Turn): void {
  if (t.out.length === 0) d.stepLines = 0;
  switch (event.type) {
    case "conn.opened": opened(d, event.conn, t); break;
    case "conn.received": received(d, event.conn, event.bytes, t); break;
    case "conn.congested": congested(d, event.conn, t); break;
    case "conn.drained": drained(d, event.conn, t); break;
    case "conn.closed": closed(d, event.conn, event.reason, t); break;
    case "entropy.given": given(d, event.req, event.bytes, t); break;
    case "clock.anchored": anchored(d, event.unixMs, t); break;
    case "operator.started": started(d, event.isAwaited === true, t); break;
    case "onion.located": located(d, event.location, t); break;
    case "operator.stop": stop(d, t); break;
    case "operator.reload": reload(d, event.settings, t); break;
    case "tick": tick(d, t); break;
    default: unreachable(event); /* c8 ignore next */
  }
  for (let at = 0; at < t.outcomes.length; at += 1) {
    shake.settle(d, t.outcomes[at] as contest.Effect, t);
  }
}

/** The next instant at which a tick changes anything. */
export function deadline(d: Directory): Mono {
  const peers = soonest(sessions.deadline(d.sessions), heartbeat.deadline(d.heartbeat));
  const lists = soonest(leaves.deadline(d.leaves), listing.deadline(d.listing));
  const rest = soonest(contest.deadline(d.contest), outbox.deadline(d.outbox));
  return soonest(soonest(peers, lists), soonest(rest, d.drainDueAt));
}

function tick(d: Directory, t: Turn): void {
  // Of those who left before: who is evicted now may be replaced before the step ends.
  notices(d, t);
  lateOnes(d, t);
  contest.tick(d.contest, t.now, t.outcomes);
  beats(d, t);
  listing.tick(d.listing, t.now, (conn, cursor) => relay.writePage(d, conn, cursor, t));
  const wishes: outbox.Effect[] = [];
  outbox.tick(d.outbox, t.now, wishes);
  node.write(d, wishes, t);
  if (d.drainDueAt <= t.now) drainOver(d, t);
}

function opened(d: Directory, conn: ConnId, t: Turn): void {
  d.counts.totals.opened += 1;
  const box = outbox.opened(d.outbox, conn);
  const s = session.create(conn, lines.create(), box, d.config.circuits);
  sessions.opened(d.sessions, s, t.now);
  admission.opened(d.admission, conn, t.now);
  if (d.drain !== "no") return node.refuse(d, s, "draining", node.drainingText, t);
  if (d.sessions.shaking.due.size > d.config.handshakingMax) crowded(d, t);
}

/** Too many connections that have not shaken hands: the slowest makes room. */
function crowded(d: Directory, t: Turn): void {
  const slowest = sessions.slowest(d.sessions);
  if (slowest !== undefined) node.end(d, slowest, "handshake-slots", t);
}

function received(d: Directory, conn: ConnId, bytes: Uint8Array, t: Turn): void {
  const s = sessions.find(d.sessions, conn);
  if (s === undefined || s.at.phase === "closing") return;
  d.counts.totals.bytesReceived += bytes.length;
  const had = s.pendingBytes;
  const cut: lines.Cut = { at: 0, line: undefined };
  const before = d.counts.totals.linesReceived;
  while (isOpen(s)) {
    // A line that is too long ends the connection before anything more of it is looked at.
    if (!sessions.nextLine(d.sessions, s, bytes, lineLimit(d, s), cut)) {
      return node.end(d, s, s.at.phase === "proxy" ? "proxy-header" : "line-too-long", t);
    }
    if (cut.line === undefined) break;
    d.counts.totals.linesReceived += 1;
    d.stepLines += 1;
    heard(d, s, cut.line, t);
  }
  sessions.timeLine(d.sessions, s, d.counts.totals.linesReceived - before, had, t.now);
  if (d.sessions.pendingBytes > d.config.inputBytesTotalMax) inputFull(d, t);
}

function isOpen(s: session.Session): boolean {
  return s.at.phase !== "closing";
}

/** How long a line may be: what comes before the registration is short. */
function lineLimit(d: Directory, s: session.Session): number {
  if (s.at.phase === "registered") return d.config.lineBytesMax;
  if (s.at.phase === "proxy") return proxy.proxyBytesMax;
  return smaller(d.config.handshakeBytesMax, d.config.lineBytesMax);
}

function smaller(a: number, b: number): number {
  return a < b ? a : b;
}

/** Unfinished lines hold too much together: who holds most goes, not who happens to send. */
function inputFull(d: Directory, t: Turn): void {
  const holder = sessions.largest(d.sessions);
  if (holder !== undefined) node.end(d, holder, "input-full", t);
}

function heard(d: Directory, s: session.Session, frame: Uint8Array, t: Turn): void {
  if (s.at.phase === "closing") return;
  if (s.at.phase === "registered") relay.heard(d, s, s.at.peer, s.at.beat, frame, t);
  else shake.heard(d, s, frame, t);
}

function congested(d: Directory, conn: ConnId, t: Turn): void {
  const s = sessions.find(d.sessions, conn);
  if (s === undefined) return;
  d.counts.totals.congestions += 1;
  outbox.congested(d.outbox, s.box, t.now);
}

function drained(d: Directory, conn: ConnId, t: Turn): void {
  const s = sessions.find(d.sessions, conn);
  if (s === undefined) return;
  outbox.drained(d.outbox, s.box, t.now);
  listing.drained(d.listing, conn, t.now);
}

function closed(d: Directory, conn: ConnId, reason: Ended, t: Turn): void {
  const s = sessions.find(d.sessions, conn);
  if (s === undefined) return;
  d.counts.totals.closed += 1;
  if (s.at.phase !== "closing") {
    node.retire(d, s, t);
    session.close(s);
    outbox.closed(d.outbox, s.box);
    d.counts.closes[reason] += 1;
  }
  sessions.closed(d.sessions, s);
  admission.closed(d.admission, conn);
  if (d.drain === "draining" && d.sessions.byConn.size === 0) stopped(d, t);
}

function given(d: Directory, req: number, bytes: Uint8Array, t: Turn): void {
  if (req === nickReq) {
    d.nick = nick.nickOf(hex(bytes), 5, t.p.sha256);
    d.welcomes.clear();
    node.log(d, "info", "directory.named", { nick: d.nick, network: d.config.network }, t);
    return;
  }
  const conn = d.draws.get(req);
  d.draws.delete(req);
  if (conn !== undefined) shake.drawn(d, conn, bytes, t);
}

function anchored(d: Directory, unixMs: number, t: Turn): void {
  d.anchor = { unixMs };
  d.anchoredAt = t.now;
}

/** Comes before the listeners open: the node gets its nick and its heartbeat starts. */
function started(d: Directory, isAwaited: boolean, t: Turn): void {
  t.out.push({ type: "entropy.want", req: nickReq, size: 33 });
  heartbeat.started(d.heartbeat, t.now);
  if (d.location === undefined && !isAwaited) node.log(d, "warn", "directory.no-location", {}, t);
}

/** From now on newcomers are told the address, may prove their nicks, and find it in lists. */
function located(d: Directory, location: string, t: Turn): void {
  assert(onion.isLocation(location), "an own address that is no onion location");
  if (location === d.location) return;
  d.location = location;
  d.welcomes.clear();
  node.log(d, "info", "directory.located", { location }, t);
}

function stop(d: Directory, t: Turn): void {
  if (d.drain !== "no") return;
  d.drain = "draining";
  d.drainDueAt = after(t.now, d.config.drainMs);
  heartbeat.stopped(d.heartbeat);
  const wishes: outbox.Effect[] = [];
  outbox.flush(d.outbox, t.now, wishes);
  node.write(d, wishes, t);
  node.log(d, "info", "directory.draining", { connections: d.sessions.byConn.size }, t);
  for (const s of d.sessions.byConn.values()) {
    if (s.box.congested) node.end(d, s, "shutdown", t);
    else if (s.at.phase === "proving") shake.failProof(d, s, "policy", "draining", t);
    else if (session.isShaking(s)) node.refuse(d, s, "draining", node.drainingText, t);
    else node.bye(d, s, "shutdown", undefined, t);
  }
  if (d.sessions.byConn.size === 0) stopped(d, t);
}

/** The drain deadline: whoever still has not taken its last bytes is reset. */
function drainOver(d: Directory, t: Turn): void {
  for (const s of d.sessions.byConn.values()) {
    t.out.push({ type: "conn.close", conn: s.conn, how: "abort", reason: "shutdown" });
  }
  stopped(d, t);
}

function stopped(d: Directory, t: Turn): void {
  if (d.drain === "stopped") return;
  d.drain = "stopped";
  d.drainDueAt = NEVER;
  t.out.push({ type: "stopped" });
}

function reload(d: Directory, settings: Reloadable, t: Turn): void {
  const config: DirectoryConfig = {
    ...d.config, motd: settings.motd, logLevel: settings.logLevel, peersMax: settings.peersMax,
    limits: settings.limits, heartbeat: settings.heartbeat,
  };
  const broken = check(config);
  assert(broken === undefined, `directory config: ${broken?.says}`);
  d.config = config;
  d.welcomes.clear();
  admission.reload(d.admission, settings.limits, t.now);
  heartbeat.reloaded(d.heartbeat, settings.heartbeat, t.now);
  node.log(d, "info", "directory.reloaded", { peersMax: settings.peersMax }, t);
}

function lateOnes(d: Directory, t: Turn): void {
  const wishes: sessions.Effect[] = [];
  sessions.tick(d.sessions, t.now, wishes);
  for (const late of wishes) {
    const s = sessions.find(d.sessions, late.conn);
    if (s === undefined) continue;
    switch (late.with) {
      case "handshake": shake.late(d, s, t); break;
      case "line": node.end(d, s, "line-timeout", t); break;
      case "close":
        d.counts.totals.graceOver += 1;
        t.out.push({ type: "conn.close", conn: s.conn, how: "abort", reason: "grace-over" });
        break;
      default: unreachable(late.with); /* c8 ignore next */
    }
  }
}

function beats(d: Directory, t: Turn): void {
  const wishes: heartbeat.Effect[] = [];
  heartbeat.tick(d.heartbeat, t.now, wishes);
  for (const wish of wishes) {
    const s = sessions.find(d.sessions, wish.conn);
    if (s?.at.phase !== "registered") continue;
    switch (wish.type) {
      case "ping":
        d.counts.totals.heartbeatPings += 1;
        node.note(d, "peer.pinged", s.at.peer.nick, t);
        node.send(d, s, shake.pingFrame, t);
        break;
      case "probe":
        d.counts.totals.heartbeatProbes += 1;
        node.note(d, "peer.probed", s.at.peer.nick, t);
        node.send(d, s, shake.orderbookProbe(d), t);
        break;
      case "evict":
        d.counts.totals.heartbeatEvictions += 1;
        node.note(d, "peer.evicted", s.at.peer.nick, t);
        node.log(d, "info", "peer.evicted", { nick: s.at.peer.nick, reason: wish.reason }, t);
        // Unregistered at once; a peer that lives after all reads an orderly end, not a reset.
        node.bye(d, s, wish.reason, undefined, t);
        break;
      default: unreachable(wish); /* c8 ignore next */
    }
  }
}

function notices(d: Directory, t: Turn): void {
  const wishes: leaves.Effect[] = [];
  const told = d.leaves.gone.size;
  leaves.tick(d.leaves, t.now, wishes);
  if (wishes.length === 0) return;
  d.counts.totals.leaveNotices += told;
  d.stepLines += wishes.length;
  for (const wish of wishes) {
    node.broadcast(d, envelope.encode(envelope.types.PEERLIST, wish.line), undefined, t);
  }
}
