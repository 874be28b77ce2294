/**
 * What a directory node was told, as an observer takes it: who speaks, who must get what.
 *
 * Rule 1: lines are read with the codecs of the wire and judged here; the node's router, limiter
 * and registry are not asked, only compared with.
 * Rule 2: three facts are taken from the node, because they cannot be seen from outside in the same
 * step: that a connection is registered, how many lines were relayed, and how many private ones
 * were dropped because their target is too far behind.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import { ascii } from "../../core/bytes.ts";
import * as proxy from "../../core/directory/proxy.ts";
import type { ConnId } from "../../core/ids.ts";
import * as command from "../../core/joinmarket/command.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import * as handshake from "../../core/joinmarket/handshake.ts";
import * as lines from "../../core/joinmarket/lines.ts";
import * as nickauth from "../../core/joinmarket/nickauth.ts";
import { NEVER, type Mono } from "../../core/time.ts";
import * as behind from "./behind.ts";
import * as budget from "./budget.ts";
import {
  conn as newConn, end, owe, register, type Conn, type Hello, type Observer, type Seen,
} from "./observer.ts";
import { violation } from "./violation.ts";

/** Takes the event of a step in, before its effects. */
export function heard(o: Observer, seen: Seen): void {
  const { event, now } = seen;
  if (now >= o.leaveAt) announce(o, seen);
  switch (event.type) {
    case "conn.opened": return opened(o, event.conn, now);
    case "conn.received": return received(o, event.conn, event.bytes, seen);
    case "conn.congested": return congested(o, event.conn, now);
    case "conn.drained": return drained(o, event.conn, now);
    case "conn.closed": return closed(o, event.conn, now);
    case "entropy.given": o.entropyAsked -= 1; return;
    case "operator.started": o.beating = true; return;
    case "operator.stop": o.draining = true; o.beating = false; return;
    case "operator.reload": return reloaded(o, seen);
    case "clock.anchored":
    case "tick": return;
    default: return unreachable(event);
  }
}

function opened(o: Observer, id: ConnId, now: Mono): void {
  const c = newConn(o, id, now);
  o.conns.set(id, c);
  o.shaking.add(c);
}

function congested(o: Observer, id: ConnId, now: Mono): void {
  const c = o.conns.get(id);
  if (c !== undefined && c.congestedAt === NEVER) c.congestedAt = now;
}

function drained(o: Observer, id: ConnId, now: Mono): void {
  const c = o.conns.get(id);
  if (c === undefined) return;
  c.congestedAt = NEVER;
  c.movedAt = now;
}

function closed(o: Observer, id: ConnId, now: Mono): void {
  const c = o.conns.get(id);
  if (c === undefined) return;
  end(o, c, now);
  budget.closed(o.budgets, id);
  o.conns.delete(id);
}

function reloaded(o: Observer, seen: Seen): void {
  if (seen.event.type !== "operator.reload") return;
  const { settings } = seen.event;
  budget.reload(o.budgets, settings.limits, seen.now);
  o.config = {
    ...o.config, motd: settings.motd, logLevel: settings.logLevel, peersMax: settings.peersMax,
    limits: settings.limits, heartbeat: settings.heartbeat,
  };
  for (const c of o.peers.values()) c.silentFrom = seen.now;
}

/** The window of leave notices is over: everyone who is here is told. */
function announce(o: Observer, seen: Seen): void {
  const told = new Map<string, string>();
  for (const [nick, leaving] of o.leaving) told.set(nick, leaving.entry);
  // Who was evicted in the same tick is told of too, if the node did so before the window ended.
  for (const id of seen.closes.keys()) {
    const c = o.conns.get(id);
    if (c?.phase !== "peer" || c.hello?.maker !== true) continue;
    const { nick, location } = c.hello;
    if (seen.node.leaves.gone.has(nick) || seen.node.registry.byNick.has(nick)) continue;
    told.set(nick, `${nick};${location};D`);
    o.told.add(nick);
  }
  o.leaving.clear();
  o.leaveAt = NEVER;
  for (const [nick, entry] of told) {
    const raw = ascii(entry);
    for (const peer of o.peers.values()) {
      const item = { type: envelope.types.PEERLIST, raw, exact: undefined, since: seen.now };
      owe(o, peer, `;${nick}`, { ...item, hint: undefined, maybe: false });
    }
  }
}

/** How far the node's own counters let the lines of one delivery go. */
type Relayed = {
  public: number;
  private: number;
  /** Private lines dropped because their target is too far behind. */
  behind: number;
  /** Private lines of which nobody but the node knows whether they were dropped for that. */
  maybes: number;
  unsure: boolean;
  acted: boolean;
};

function received(o: Observer, id: ConnId, bytes: Uint8Array, seen: Seen): void {
  const c = o.conns.get(id);
  if (c === undefined || c.phase === "ended") return;
  const frames: Uint8Array[] = [];
  lines.feed(c.lines, bytes, o.config.lineBytesMax, frames);
  const { drops, totals } = seen.node.counts;
  const relayed: Relayed = {
    public: totals.publicRelayed - o.relayedPublic,
    private: totals.privateRelayed - o.relayedPrivate,
    behind: drops["target-behind"] - o.droppedBehind, maybes: 0, unsure: false, acted: false,
  };
  const wasPeer = c.phase === "peer";
  for (const frame of frames) if (!line(o, c, frame, relayed, seen)) break;
  // Who said one may get in as another ends in the same step.
  if (!wasPeer && c.hello === undefined && isIn(o, c, seen)) {
    seen.out.push(violation("D1", "registered without a handshake of its own", { conn: id }));
  }
  if (seen.closes.has(id)) relayed.unsure = true;
  if (!relayed.unsure && relayed.private + relayed.behind !== relayed.maybes) {
    const says = "a line was relayed, or dropped for its target, that should not be";
    seen.out.push(violation("D10", says, { conn: id }));
  }
  if (!relayed.unsure && relayed.public > 0) {
    seen.out.push(violation("D11", "a line was relayed that should not be", { conn: id }));
  }
  if (!relayed.acted) alone(o, c, seen);
}

/** D15: lines without effect have none on others, but for a newcomer that waits for this nick. */
function alone(o: Observer, c: Conn, seen: Seen): void {
  if (seen.now >= o.wakeAt) return;
  for (const effect of seen.effects) {
    if (effect.type !== "conn.send" && effect.type !== "conn.close") continue;
    if (effect.conn === c.id) continue;
    // Unfinished lines share one bound; whoever holds most of it goes.
    if (effect.type === "conn.close" && effect.reason === "input-full") continue;
    const other = o.conns.get(effect.conn);
    if (other?.phase === "asked" && other.hello?.nick === c.hello?.nick) continue;
    seen.out.push(violation("D15", "a line without effect touched another", { conn: effect.conn }));
  }
}

/** Did this step register the connection? */
function isIn(o: Observer, c: Conn, seen: Seen): boolean {
  if (seen.node.sessions.byConn.get(c.id)?.at.phase === "registered") return true;
  if (!seen.closes.has(c.id)) return false;
  return seen.node.counts.totals.registered > o.registeredSum;
}

/** One line of `c`. False: nothing after it counts. */
function line(o: Observer, c: Conn, frame: Uint8Array, r: Relayed, seen: Seen): boolean {
  switch (c.phase) {
    case "proxy": return circuit(o, c, frame);
    case "greeting": return greeting(o, c, frame, r, seen);
    case "asked": return asked(o, c, frame, r, seen);
    case "peer": return spoken(o, c, frame, r, seen);
    case "ended": return false;
    default: return unreachable(c.phase);
  }
}

function circuit(o: Observer, c: Conn, frame: Uint8Array): boolean {
  const named = proxy.parse(frame);
  if (!named.ok) return false;
  budget.bind(o.budgets, c.id, named.value);
  c.phase = "greeting";
  return true;
}

function greeting(o: Observer, c: Conn, frame: Uint8Array, r: Relayed, seen: Seen): boolean {
  const e = envelope.create();
  if (envelope.scan(frame, e) !== undefined || e.type !== envelope.types.HANDSHAKE) return false;
  const hello = handshake.parsePeer(envelope.content(frame, e));
  if (!hello.ok) return false;
  c.hello = helloOf(hello.value);
  c.phase = "asked";
  r.acted = true;
  if (isIn(o, c, seen)) register(o, c, c.hello.nick, seen.now);
  return true;
}

function helloOf(hello: handshake.PeerHello): Hello {
  const location = hello.location === "" ? "NOT-SERVING-ONION" : hello.location;
  const maker = location !== "NOT-SERVING-ONION";
  return {
    nick: hello.nick, network: hello.network, maker,
    location: maker ? location.toLowerCase() : location, ping: hello.features.includes("ping"),
    wantsFeatures: hello.features.includes("peerlist_features"),
    features: hello.features.join("+"),
  };
}

/** A line before registration: the proof of its nick, or nothing. */
function asked(o: Observer, c: Conn, frame: Uint8Array, r: Relayed, seen: Seen): boolean {
  r.acted = true;
  if (!isIn(o, c, seen)) return true;
  const e = envelope.create();
  const isProof = envelope.scan(frame, e) === undefined && nickauth.strictEnvelope(frame);
  const proof = isProof ? nickauth.parseProof(envelope.content(frame, e)) : undefined;
  if (proof?.ok !== true) return false;
  c.pubkey = proof.value.pubkey;
  register(o, c, c.hello?.nick ?? "", seen.now);
  return true;
}

type Reading = {
  readonly budget: budget.BudgetName;
  readonly does: "relay" | "deliver" | "list" | "pong" | "end" | "nothing";
};

/** One line of a peer: a sign of life, charged, then carried out. */
function spoken(o: Observer, c: Conn, frame: Uint8Array, r: Relayed, seen: Seen): boolean {
  c.lineAt = seen.now;
  c.silentFrom = seen.now;
  c.lateMs = o.lateMs;
  c.pingedAt = NEVER;
  o.pinged.delete(c);
  const e = envelope.create();
  const peek = command.create();
  const does = reading(c, frame, e, peek);
  const verdict = budget.charge(o.budgets, c.id, does.budget, frame.length, seen.now);
  if (verdict !== "ok") return verdict === "drop";
  if (does.does !== "nothing") r.acted = true;
  switch (does.does) {
    case "relay": relay(o, c, frame, e, r, seen); return true;
    case "deliver": deliver(o, c, frame, e, peek.to, r, seen); return true;
    case "list": list(o, c, seen.now); return true;
    case "pong": c.pongs += 1; return true;
    case "end": return false;
    case "nothing": return true;
    default: return unreachable(does.does);
  }
}

const nothing: Reading = { budget: "other", does: "nothing" };

function reading(c: Conn, frame: Uint8Array, e: envelope.Envelope, peek: command.Peek): Reading {
  if (frame.length === 2 || envelope.scan(frame, e) !== undefined) return nothing;
  const { types } = envelope;
  switch (e.type) {
    case types.PUBMSG:
    case types.PRIVMSG: return message(c, frame, e, peek);
    case types.GETPEERLIST: return { budget: "peerlist", does: "list" };
    case types.PING: return { budget: "ping", does: "pong" };
    case types.DISCONNECT:
    case types.NICK_AUTH_CHALLENGE:
    case types.NICK_AUTH_PROOF:
    case types.NICK_AUTH_RESULT: return { budget: "other", does: "end" };
    default: return nothing;
  }
}

function message(c: Conn, frame: Uint8Array, e: envelope.Envelope, peek: command.Peek): Reading {
  const nick = ascii(c.hello?.nick ?? "");
  if (command.peek(frame, e, nick, peek) !== undefined) return nothing;
  if (e.type === envelope.types.PRIVMSG) return { budget: "private", does: "deliver" };
  return { budget: peek.orderbook ? "orderbook" : "public", does: "relay" };
}

function relay(
  o: Observer, c: Conn, frame: Uint8Array, e: envelope.Envelope, r: Relayed, seen: Seen,
): void {
  if (r.public === 0) return unrelayed(c, "D11", seen);
  r.public -= 1;
  const item = itemOf(frame, e, seen.now, undefined);
  for (const peer of o.peers.values()) if (peer !== c) owe(o, peer, c.hello?.nick ?? "", item);
}

function deliver(
  o: Observer, c: Conn, frame: Uint8Array, e: envelope.Envelope, to: string, r: Relayed, seen: Seen,
): void {
  const target = o.peers.get(to);
  if (target === undefined) return;
  // It may have ended before or after it was due this line; if before, it gets nothing anyway.
  if (seen.closes.has(target.id)) r.unsure = true;
  const fate = fateOf(o, c, target, frame.length, r, seen);
  if (fate === "dropped") return void (r.behind -= 1);
  if (fate === "either") r.maybes += 1;
  else if (r.private > 0) r.private -= 1;
  else if (!r.unsure) return unrelayed(c, "D10", seen);
  const from = c.hello as Hello;
  const features = target.hello?.wantsFeatures === true && from.features !== "";
  const entry = `${from.nick};${from.location}${features ? `;F:${from.features}` : ""}`;
  const item = itemOf(frame, e, seen.now, from.maker ? entry : undefined);
  owe(o, target, from.nick, { ...item, maybe: fate === "either" });
}

/** Was a private line relayed, or was its target too far behind? */
function fateOf(
  o: Observer, c: Conn, target: Conn, bytes: number, r: Relayed, seen: Seen,
): "relayed" | "dropped" | "either" {
  const isSurely = behind.isSurely(o, target, bytes);
  if (isSurely && r.behind === 0 && !r.unsure && !seen.closes.has(c.id)) {
    const says = "a private line was queued for one that is too far behind";
    seen.out.push(violation("D12", says, { conn: target.id }));
  }
  if (r.behind === 0 || !behind.isMaybe(o, target, bytes, seen.now)) return "relayed";
  return isSurely || r.private === 0 ? "dropped" : "either";
}

/** The node did not relay a line; that is right only if it ended the sender before. */
function unrelayed(c: Conn, id: "D10" | "D11", seen: Seen): void {
  if (seen.closes.has(c.id)) return;
  seen.out.push(violation(id, "a line within its budget was not relayed", { conn: c.id }));
}

function itemOf(frame: Uint8Array, e: envelope.Envelope, since: Mono, hint: string | undefined) {
  const exact = e.exact ? frame.slice() : undefined;
  return { type: e.type, raw: frame.slice(e.from, e.to), exact, since, hint, maybe: false };
}

function list(o: Observer, c: Conn, now: Mono): void {
  if (c.list !== undefined && c.list.missing === undefined) return;
  c.list = { since: now, listed: new Set(), missing: undefined, doneAt: NEVER };
  o.listing.add(c);
}
