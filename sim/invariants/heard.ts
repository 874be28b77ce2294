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
import type { ConnId } from "../../core/ids.ts";
import * as command from "../../core/joinmarket/command.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import * as lines from "../../core/joinmarket/lines.ts";
import { NEVER, type Mono } from "../../core/time.ts";
import * as behind from "./behind.ts";
import * as budget from "./budget.ts";
import * as due from "./due.ts";
import * as newcomer from "./newcomer.ts";
import {
  conn as newConn, end, type Conn, type Hello, type Hint, type Observer, type Owed,
  type Seen,
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
    case "operator.started":
      o.beating = true;
      o.silentAt = now;
      return;
    case "onion.located":
      o.location = event.location;
      o.locatedAt = now;
      return;
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
  if (c === undefined || c.congestedAt !== NEVER) return;
  c.congestedAt = now;
  c.stalledAt = now;
  o.congested.add(c);
  const stuckAt = now + o.config.outbox.congestedMsMax;
  if (stuckAt < o.stuckAt) o.stuckAt = stuckAt;
}

function drained(o: Observer, id: ConnId, now: Mono): void {
  const c = o.conns.get(id);
  if (c === undefined) return;
  c.congestedAt = NEVER;
  o.congested.delete(c);
  c.movedAt = now;
  due.hurry(o, now);
}

function closed(o: Observer, id: ConnId, now: Mono): void {
  const c = o.conns.get(id);
  if (c === undefined) return;
  end(o, c, now);
  budget.closed(o.budgets, id);
  o.lingering.delete(c);
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
  o.silentAt = seen.now;
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
  if (o.peers.size === 0) return;
  for (const [nick, entry] of told) {
    const bytes = ascii(entry);
    due.publish(o, {
      key: `;${nick}`, type: envelope.types.PEERLIST, bytes, from: 0, to: bytes.length,
      exact: false, since: seen.now, at: due.endOf(o), by: undefined, hint: undefined,
      leastBefore: o.log.leastBytes, mostBefore: o.log.mostBytes, maybe: false,
    });
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
  const { drops, totals } = seen.node.counts;
  const relayed: Relayed = {
    public: totals.publicRelayed - o.relayedPublic,
    private: totals.privateRelayed - o.relayedPrivate,
    behind: drops["target-behind"] - o.droppedBehind, maybes: 0, unsure: false, acted: false,
  };
  const wasPeer = c.phase === "peer";
  const had = c.lines.partialBytes > 0;
  eachLine(o, c, bytes, relayed, seen);
  unfinished(o, c, had, seen.now);
  // Who said one may get in as another ends in the same step.
  if (!wasPeer && c.hello === undefined && newcomer.isIn(o, c, seen)) {
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

/** Lines after one that ends it are cut and not looked at. */
function eachLine(o: Observer, c: Conn, bytes: Uint8Array, r: Relayed, seen: Seen): void {
  const { cut } = o.scratch;
  cut.at = 0;
  let counts = true;
  const last = bytes[0] === LF ? lastOf(c.lines) : -1;
  while (lines.next(c.lines, bytes, o.config.lineBytesMax, cut) && cut.line !== undefined) {
    if (last >= 0 && o.scratch.linesHeard === 0) ending(c, cut.line, last, seen);
    o.scratch.linesHeard += 1;
    counts = counts && line(o, c, cut.line, r, seen);
  }
}

/** The last byte of the unfinished line that is no part of its end; -1 if there is none. */
function lastOf({ partial, partialBytes }: lines.Lines): number {
  if (partial === undefined || partialBytes < 2) return -1;
  const last = partial[partialBytes - 1] as number;
  return last === CR ? partial[partialBytes - 2] as number : last;
}

/** D15: a line end that comes in two pieces is one line end. */
function ending(c: Conn, line: Uint8Array, last: number, seen: Seen): void {
  if (line[line.length - 3] === last) return;
  seen.out.push(violation("D15", "a line end in two pieces is read otherwise", { conn: c.id }));
}

const LF = 10;
const CR = 13;

/** An unfinished line is timed from its first byte, or from the registration. */
function unfinished(o: Observer, c: Conn, had: boolean, now: Mono): void {
  if (c.phase !== "peer") return;
  if (c.lines.partialBytes === 0) {
    if (c.partialAt === NEVER) return;
    c.partialAt = NEVER;
    o.partial.delete(c);
  } else if (c.partialAt === NEVER || !had || o.scratch.linesHeard > 0) {
    c.partialAt = now;
    o.partial.add(c);
    const at = now + o.config.lineMs;
    if (at < o.lingerAt) o.lingerAt = at;
  }
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

/** One line of `c`. False: nothing after it counts. */
function line(o: Observer, c: Conn, frame: Uint8Array, r: Relayed, seen: Seen): boolean {
  switch (c.phase) {
    case "proxy": return newcomer.circuit(o, c, frame);
    case "greeting":
      if (!newcomer.greeting(o, c, frame, seen)) return false;
      r.acted = true;
      return true;
    case "asked":
      r.acted = true;
      return newcomer.asked(o, c, frame, seen);
    case "peer": return spoken(o, c, frame, r, seen);
    case "ended": return false;
    default: return unreachable(c.phase);
  }
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
  c.pausedMs = o.pausedMs;
  if (c.pingedAt !== NEVER) {
    o.scratch.answeredMs = seen.now - c.pingedAt;
    c.pingedAt = NEVER;
    o.pinged.delete(c);
  }
  const { envelope: e, peek } = o.scratch;
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
const leaving: Reading = { budget: "other", does: "end" };
const listing: Reading = { budget: "peerlist", does: "list" };
const ping: Reading = { budget: "ping", does: "pong" };
const whisper: Reading = { budget: "private", does: "deliver" };
const asking: Reading = { budget: "orderbook", does: "relay" };
const telling: Reading = { budget: "public", does: "relay" };

function reading(c: Conn, frame: Uint8Array, e: envelope.Envelope, peek: command.Peek): Reading {
  if (frame.length === 2 || envelope.scan(frame, e) !== undefined) return nothing;
  const { types } = envelope;
  switch (e.type) {
    case types.PUBMSG:
    case types.PRIVMSG: return message(c, frame, e, peek);
    case types.GETPEERLIST: return listing;
    case types.PING: return ping;
    case types.DISCONNECT:
    case types.NICK_AUTH_CHALLENGE:
    case types.NICK_AUTH_PROOF:
    case types.NICK_AUTH_RESULT: return leaving;
    default: return nothing;
  }
}

function message(c: Conn, frame: Uint8Array, e: envelope.Envelope, peek: command.Peek): Reading {
  if (command.peek(frame, e, c.nickBytes, peek) !== undefined) return nothing;
  if (e.type === envelope.types.PRIVMSG) return whisper;
  return peek.orderbook ? asking : telling;
}

function relay(
  o: Observer, c: Conn, frame: Uint8Array, e: envelope.Envelope, r: Relayed, seen: Seen,
): void {
  if (r.public === 0) return unrelayed(c, "D11", seen);
  r.public -= 1;
  if (o.peers.size > 1) due.publish(o, itemOf(o, c, frame, e, seen.now, undefined, false));
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
  const hint = hintOf(c, target.hello?.wantsFeatures === true);
  due.owe(o, target, itemOf(o, c, frame, e, seen.now, hint, fate === "either"));
}

/** What must follow a private line of `c`: only makers are found in peerlists. */
function hintOf(c: Conn, wantsFeatures: boolean): Hint | undefined {
  const { maker, nick, location, features } = c.hello as Hello;
  if (!maker) return undefined;
  if (!wantsFeatures || features === "") return (c.hintPlain ??= hint(`${nick};${location}`));
  return (c.hintFeatures ??= hint(`${nick};${location};F:${features}`));
}

function hint(text: string): Hint {
  return { text, frame: envelope.encode(envelope.types.PEERLIST, text) };
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

/** One line in so many is copied, so that nobody can change what it is compared with later. */
const copyEvery = 16;

function itemOf(
  o: Observer, by: Conn, frame: Uint8Array, e: envelope.Envelope, since: Mono,
  hint: Hint | undefined, maybe: boolean,
): Owed {
  const { scratch } = o;
  scratch.lines = (scratch.lines + 1) % copyEvery;
  const bytes = scratch.lines === 0 ? frame.slice() : frame;
  return {
    key: by.hello?.nick ?? "", type: e.type, bytes, from: e.from, to: e.to,
    exact: e.exact && frame.length <= envelope.lineBytesMax + 2, since, at: due.endOf(o), by, hint,
    leastBefore: o.log.leastBytes, mostBefore: o.log.mostBytes, maybe,
  };
}

/** How long lines of a list that is done may still be on their way. */
function staleMs(c: Conn, now: Mono): number {
  const isSlow = c.stalledAt !== NEVER && now - c.stalledAt < slowMs;
  return isSlow ? slowMs : quickMs;
}

const quickMs = 2_000;
const slowMs = 120_000;

function list(o: Observer, c: Conn, now: Mono): void {
  if (c.list !== undefined && c.list.missing === undefined) return;
  const isMixed = c.list !== undefined && now - c.list.doneAt < staleMs(c, now);
  c.list = { since: now, listed: new Set(), missing: undefined, doneAt: NEVER, isMixed };
  o.listing.add(c);
}
