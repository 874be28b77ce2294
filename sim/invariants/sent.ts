/**
 * What a directory node sends and ends, held against what an observer knows to be due.
 *
 * Rule 1: the bytes are read as a peer would read them; a frame that nobody is owed is a violation,
 * and so is one that comes before another of its sender.
 * Rule 2: every end is judged by its reason.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import { ascii, text } from "../../core/bytes.ts";
import type { ConnId } from "../../core/ids.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import * as handshake from "../../core/joinmarket/handshake.ts";
import * as nickauth from "../../core/joinmarket/nickauth.ts";
import * as peerlist from "../../core/joinmarket/peerlist.ts";
import { NEVER, type Mono } from "../../core/time.ts";
import * as behind from "./behind.ts";
import * as due from "./due.ts";
import { end, type Conn, type List, type Observer, type Owed, type Seen } from "./observer.ts";
import { violation, type InvariantId } from "./violation.ts";

/** Takes the effects of a step in, in order. */
export function sent(o: Observer, seen: Seen): void {
  for (const effect of seen.effects) {
    switch (effect.type) {
      case "conn.send": written(o, effect.conn, effect.bytes, seen); break;
      case "conn.close": ended(o, effect.conn, effect.how, effect.reason, seen); break;
      case "entropy.want": o.entropyAsked += 1; break;
      case "stopped": o.stopped = true; break;
      case "wake": o.wakeAt = effect.at; break;
      case "log": break;
      default: unreachable(effect);
    }
  }
}

function say(seen: Seen, id: InvariantId, says: string, c: Conn): void {
  const nick = c.hello?.nick;
  seen.out.push(violation(id, says, nick === undefined ? { conn: c.id } : { conn: c.id, nick }));
}

function written(o: Observer, id: ConnId, data: Uint8Array, seen: Seen): void {
  const c = o.conns.get(id);
  if (c === undefined || c.phase === "ended") {
    seen.out.push(violation("D2", "sent to a connection that has ended", { conn: id }));
    return;
  }
  if (c.congestedAt !== NEVER && !seen.closes.has(id)) say(seen, "D12", "sent while congested", c);
  c.movedAt = seen.now;
  if (due.takenWhole(o, c, data)) return;
  const from = due.isClear(c) ? c.cursor : -1;
  const isPublic = each(o, c, data, seen);
  // Whoever was due nothing else and is due nothing more has had lines for everybody only.
  if (from < 0 || !isPublic || !due.isClear(c)) return;
  o.batch.bytes = data;
  o.batch.from = from;
  o.batch.to = c.cursor;
}

/** Every line of a write. True: nothing was wrong, and all were public lines and notices. */
function each(o: Observer, c: Conn, data: Uint8Array, seen: Seen): boolean {
  const before = seen.out.length;
  let isPublic = true;
  let at = 0;
  while (at < data.length) {
    const size = due.taken(o, c, data, at);
    if (size > 0) {
      at += size;
      continue;
    }
    const lf = data.indexOf(10, at);
    if (lf <= at || data[lf - 1] !== 13) {
      say(seen, "wire", "sent what ends in no CRLF", c);
      return false;
    }
    o.scratch.isShared = false;
    frame(o, c, data.subarray(at, lf + 1), seen);
    isPublic = isPublic && o.scratch.isShared;
    at = lf + 1;
  }
  return isPublic && seen.out.length === before;
}

function frame(o: Observer, c: Conn, data: Uint8Array, seen: Seen): void {
  const e = o.scratch.envelope;
  if (data.length > envelope.lineBytesMax + 2) say(seen, "wire", "a line beyond 40,000 bytes", c);
  if (envelope.scan(data, e) !== undefined) return say(seen, "wire", "sent no valid frame", c);
  if (!e.exact) say(seen, "wire", "sent more than a type and a line", c);
  const { types } = envelope;
  if (e.type === types.DN_HANDSHAKE) return answered(c, data, e, seen);
  if (e.type === types.NICK_AUTH_CHALLENGE) return challenged(c, data, e, seen);
  if (e.type === types.NICK_AUTH_RESULT) return judged(c, data, e, seen);
  if (c.said === "answered") c.said = "open";
  if (c.said !== "open") return say(seen, "D16", `sent ${e.type} before the handshake is done`, c);
  if (c.hint !== undefined && e.type !== types.PEERLIST) {
    return say(seen, "D10", "a private line was not followed by its hint", c);
  }
  switch (e.type) {
    case types.PRIVMSG: return relayed(o, c, data, e, "D10", seen);
    case types.PUBMSG: return relayed(o, c, data, e, "D11", seen);
    case types.PEERLIST: return listed(o, c, envelope.content(data, e), seen);
    case types.PING:
      if (asksAgain(o, c, seen.now)) say(seen, "X5", "pinged again and again", c);
      if (c.hello?.ping !== true) say(seen, "wire", "PING to a peer that does not know it", c);
      return;
    case types.PONG:
      if (c.pongs === 0) return say(seen, "wire", "PONG that nobody asked for", c);
      c.pongs -= 1;
      return;
    default: return say(seen, "wire", `sent a ${e.type}`, c);
  }
}

/**
 * The third PING within the shorter of two rests: the heartbeat asks after a silence, and who has
 * defended its nick is left in peace.
 */
function asksAgain(o: Observer, c: Conn, now: Mono): boolean {
  const restMs = Math.min(o.config.heartbeat.idleMs, o.config.contestPingMs);
  const isAgain = c.askedBefore !== NEVER && now - c.askedBefore < restMs;
  c.askedBefore = c.askedAt;
  c.askedAt = now;
  return isAgain;
}

function answered(c: Conn, data: Uint8Array, e: envelope.Envelope, seen: Seen): void {
  if (c.said !== "nothing") return say(seen, "D16", "a second handshake was sent", c);
  const hello = handshake.parseDirectory(envelope.content(data, e));
  if (!hello.ok) return say(seen, "wire", "sent a malformed handshake", c);
  c.said = hello.value.accepted ? "answered" : "silent";
  if (hello.value.accepted && c.hello === undefined) {
    say(seen, "D16", "accepted a peer that said no handshake", c);
  }
}

function challenged(c: Conn, data: Uint8Array, e: envelope.Envelope, seen: Seen): void {
  const challenge = nickauth.parseChallenge(envelope.content(data, e));
  if (challenge.ok) c.challenge = challenge.value.challenge;
  else say(seen, "wire", "sent a malformed challenge", c);
  if (c.said !== "answered") say(seen, "D16", "a challenge out of turn", c);
  c.said = "challenged";
}

function judged(c: Conn, data: Uint8Array, e: envelope.Envelope, seen: Seen): void {
  if (c.said !== "challenged") say(seen, "D16", "the result of no challenge", c);
  const result = nickauth.parseResult(envelope.content(data, e));
  if (!result.ok) say(seen, "wire", "sent a malformed nick-auth result", c);
  c.said = result.ok && result.value === "ok" ? "open" : "silent";
  if (c.said === "open" && c.pubkey === undefined) say(seen, "D3", "verified without a proof", c);
}

function relayed(
  o: Observer, c: Conn, data: Uint8Array, e: envelope.Envelope, id: "D10" | "D11", seen: Seen,
): void {
  const from = senderOf(data, e);
  if (from === seen.node.nick) return probed(c, envelope.content(data, e), e.type, seen);
  due.spill(o, c);
  const item = due.settle(o, c, from, (one) =>
    one.type === e.type && due.isText(one, data, e.from, e.to));
  if (item === undefined) return say(seen, id, "a line that is not the next one due", c);
  if (item.exact && !due.isWhole(item, data)) {
    say(seen, id, "a line that is not relayed as it came", c);
  }
  o.scratch.isShared = e.type === envelope.types.PUBMSG;
  c.hint = item.hint;
}

/** The nick before the first "!"; the rest of a line is long, and nobody needs its text. */
function senderOf(data: Uint8Array, e: envelope.Envelope): string {
  const bang = data.indexOf(BANG, e.from);
  if (!e.escaped && bang >= 0 && bang < e.to) return text(data, e.from, bang);
  const line = envelope.content(data, e);
  return line.slice(0, line.indexOf("!"));
}

const BANG = 33;

function probed(c: Conn, text: string, type: number, seen: Seen): void {
  if (type !== envelope.types.PUBMSG || text !== `${seen.node.nick}!PUBLIC!orderbook`) {
    return say(seen, "wire", "a probe of another form", c);
  }
  c.askedAt = seen.now;
  if (c.hello?.maker !== true) say(seen, "wire", "a taker was asked for its order book", c);
  if (c.hello?.ping === true) say(seen, "wire", "a peer that knows PING was probed otherwise", c);
}

function listed(o: Observer, c: Conn, text: string, seen: Seen): void {
  if (c.hint !== undefined) return hinted(c, text, seen);
  const entries = entriesOf(o, text);
  if (entries === undefined) return say(seen, "D14", "a malformed peerlist", c);
  const gone = entries.filter((entry) => entry.disconnected);
  if (gone.length === 0) return page(o, c, entries, seen);
  if (gone.length < entries.length) say(seen, "D14", "a leave notice that also lists peers", c);
  due.spill(o, c);
  o.scratch.isShared = true;
  for (const { nick, location } of gone) {
    const raw = ascii(`${nick};${location};D`);
    const isIt = (one: Owed): boolean => due.isText(one, raw, 0, raw.length);
    if (due.settle(o, c, `;${nick}`, isIt) !== undefined) continue;
    seen.out.push(violation("D13", "a leave notice that is not due", { conn: c.id, nick }));
  }
}

/** Pages that are remembered: many ask while few come and go. */
const pagesMax = 8;

/** The entries of a peerlist; `undefined` if it is malformed. */
function entriesOf(o: Observer, text: string): readonly peerlist.Entry[] | undefined {
  const { pages } = o.scratch;
  const known = pages.get(text);
  if (known !== undefined) return known;
  const list = peerlist.parse(text);
  if (!list.ok || list.value.malformed > 0) return undefined;
  if (pages.size >= pagesMax) pages.clear();
  pages.set(text, list.value.entries);
  return list.value.entries;
}

function hinted(c: Conn, text: string, seen: Seen): void {
  if (text !== c.hint?.text) say(seen, "D10", "a hint that is not about the sender", c);
  c.hint = undefined;
}

function page(
  o: Observer, c: Conn, entries: readonly peerlist.Entry[], seen: Seen,
): void {
  if (c.list === undefined) return say(seen, "D14", "a peerlist that nobody asked for", c);
  for (const entry of entries) {
    if (!belongs(o, c, entry, seen)) {
      const { nick } = entry;
      seen.out.push(violation("D14", "lists who is not here", { conn: c.id, nick }));
    }
    if (entry.features.length > 0 && c.hello?.wantsFeatures !== true) {
      say(seen, "D14", "features for a peer that did not ask", c);
    }
    if (c.list.listed.has(entry.nick) && !mayRecur(o, c.list, entry.nick)) {
      seen.out.push(violation("D14", "one list names it twice", { conn: c.id, nick: entry.nick }));
    }
    c.list.listed.add(entry.nick);
    c.list.missing?.delete(entry.nick);
  }
}

/** Lines of the list before may still come, and who is back since is named once more. */
function mayRecur(o: Observer, list: List, nick: string): boolean {
  if (list.isMixed) return true;
  const peer = o.peers.get(nick);
  const endedAt = o.lately.get(nick);
  return (peer !== undefined && peer.registeredAt >= list.since)
    || (endedAt !== undefined && endedAt >= list.since);
}

/** A live maker, one that left while the line was on its way, or the node itself. */
function belongs(o: Observer, c: Conn, entry: peerlist.Entry, seen: Seen): boolean {
  if (entry.nick === seen.node.nick) return entry.location === o.location;
  const peer = o.peers.get(entry.nick);
  if (peer !== undefined && peer.hello?.location === entry.location) return true;
  const endedAt = o.lately.get(entry.nick);
  if (endedAt === undefined) return false;
  const { flushMs, congestedMsMax } = o.config.outbox;
  if (seen.now - endedAt <= flushMs + latelyMs + o.scratch.lateMs) return true;
  // Its reader was congested before the line left: it has waited in the queue.
  if (c.stalledAt === NEVER || seen.now - c.stalledAt > congestedMsMax + drainMs) return false;
  return endedAt >= c.stalledAt - flushMs - drainMs;
}

/** What a queue may take to be written, in parts, and how late a host may be. */
const drainMs = 2_000;

/**
 * A line of a peerlist is written only when there is room, so it leaves with the next flush, which
 * is late if the host is.
 */
const latelyMs = 1;

function ended(
  o: Observer, id: ConnId, how: "abort" | "flush", reason: string, seen: Seen,
): void {
  const c = o.conns.get(id);
  if (c === undefined) {
    seen.out.push(violation("D2", `closed a connection that is gone: ${reason}`, { conn: id }));
    return;
  }
  if (c.closed !== undefined) {
    // The end of a drain resets whatever is left, once more if need be.
    const isLast = how === "abort" && (c.closed.how === "flush" || reason === "shutdown");
    if (!isLast) say(seen, "D2", `closed twice: ${reason}`, c);
    c.closed = { how, reason };
    o.lingering.delete(c);
    return;
  }
  c.closed = { how, reason };
  c.closedAt = seen.now;
  linger(o, c);
  judge(o, c, reason, seen);
  end(o, c, seen.now);
}

/** Who reads an orderly end has `closeGraceMs` for it. */
function linger(o: Observer, c: Conn): void {
  if (c.closed?.how !== "flush") return;
  o.lingering.add(c);
  const at = c.closedAt + o.config.outbox.closeGraceMs;
  if (at < o.lingerAt) o.lingerAt = at;
}

/** A reader that was behind so shortly before its last line may not have been reached since. */
const stalledMs = 600_000;

/** Was this end right? */
function judge(o: Observer, c: Conn, reason: string, seen: Seen): void {
  const { now } = seen;
  const { heartbeat, contestPingMs, contestMakerMs, outbox } = o.config;
  switch (reason) {
    case "idle-timeout": {
      if (o.isSparing) say(seen, "D5", "evicted by a tick that was late itself", c);
      // Time in which the node did not run is not silence of its peers.
      const silentMs = now - c.lineAt - (o.pausedMs - c.pausedMs);
      if (silentMs < heartbeat.hardMs) say(seen, "D5", "evicted though heard lately", c);
      return;
    }
    case "pong-timeout": {
      if (o.isSparing) say(seen, "D5", "evicted by a tick that was late itself", c);
      const waitedMs = now - c.pingedAt - (o.pausedMs - c.pingPausedMs);
      if (c.pingedAt === NEVER) say(seen, "D6", "evicted though it answered", c);
      else if (waitedMs < heartbeat.pongMs) say(seen, "D6", "evicted too early", c);
      return;
    }
    case "nick-contest": {
      const ms = c.hello?.ping === true ? contestPingMs : contestMakerMs;
      if (c.hello?.ping !== true && c.hello?.maker !== true) say(seen, "D3", "lost a contest", c);
      if (now - c.lineAt < ms) say(seen, "D3", "lost its nick though heard in the contest", c);
      // Who takes nothing cannot be asked.
      const isAsked = c.askedAt !== NEVER && c.askedAt >= c.lineAt;
      const isStalled = c.stalledAt !== NEVER && c.stalledAt >= c.lineAt - stalledMs;
      if (!isAsked && !isStalled) say(seen, "D3", "lost a contest in which it was never asked", c);
      return;
    }
    case "slow-reader":
      if (c.congestedAt === NEVER) say(seen, "D12", "a reader ended as a slow one", c);
      else if (now - c.congestedAt < outbox.congestedMsMax) say(seen, "D12", "ended too early", c);
      return;
    case "handshake-timeout":
      if (now - c.openedAt < o.config.handshakeMs) say(seen, "D16", "ended too early", c);
      return;
    case "handshake-slots":
      if (seen.event.type === "conn.opened" && seen.event.conn === c.id && o.shaking.size > 1) {
        say(seen, "D16", "a newcomer had to go, and not the slowest", c);
      }
      return;
    case "displaced": return displaced(o, c, seen);
    case "outbox-total":
      if (behind.isLeast(o, seen.node, c, seen.event)) {
        say(seen, "D12", "had to go for what others hold", c);
      }
      return;
    default: return;
  }
}

/** Who was displaced had no key, or the newcomer showed the same. */
function displaced(o: Observer, old: Conn, seen: Seen): void {
  const by = o.peers.get(old.hello?.nick ?? "");
  if (by === undefined || by === old || by.pubkey === undefined) {
    return say(seen, "D3", "displaced by nobody who proved the nick", old);
  }
  if (old.pubkey !== undefined && old.pubkey !== by.pubkey) {
    say(seen, "D3", "displaced by another key", old);
  }
}
