/**
 * Lines of registered peers: charged, judged, relayed or answered.
 *
 * Rule 1: any complete line is a sign of life, whatever it says; then it is charged to its class;
 * then it acts.
 * Rule 2: what has no effect is dropped and counted with its reason; too many drops end the
 * connection.
 * Rule 3: private lines go to the current owner of the nick only, followed by a hint if the sender
 * serves an onion.
 * Rule 4: private lines never cost their target its connection: of the queue of one that is behind
 * they fill half and no more. Who wrote a private line misses its answer; a public line that is
 * lost is missed by nobody, so the other half is left to those.
 * @module
 */
import { unreachable } from "../assert.ts";
import * as envelope from "../joinmarket/envelope.ts";
import * as peerlist from "../joinmarket/peerlist.ts";
import type { ConnId } from "../ids.ts";
import * as outbox from "../outbox.ts";
import * as admission from "./admission.ts";
import * as contest from "./contest.ts";
import type { DropReason } from "./counts.ts";
import * as heartbeat from "./heartbeat.ts";
import * as listing from "./listing.ts";
import { broadcast, bye, end, log, ownFeatures, send, type Directory, type Turn } from "./node.ts";
import * as registry from "./registry.ts";
import * as router from "./router.ts";
import type { Session } from "./session.ts";
import * as sessions from "./sessions.ts";

/** One line of the registered `peer`. */
export function heard(
  d: Directory, s: Session, peer: registry.Peer, beat: heartbeat.Beat, frame: Uint8Array, t: Turn,
): void {
  heartbeat.seen(d.heartbeat, beat, t.now);
  contest.seen(d.contest, s.conn, t.now, t.outcomes);
  const { asked, fault } = router.read(d.router, frame, peer.nickBytes);
  // What ends the connection is not a matter of budget.
  if (asked === "goodbye" || asked === "proof") return act(d, s, peer, frame, asked, fault, t);
  const budget = router.budget(asked);
  const verdict = admission.admit(d.admission, s.conn, budget, frame.length, t.now);
  switch (verdict) {
    case "drop": return dropped(d, over[budget]);
    case "close": return flooded(d, s, over[budget], t);
    case "ok": return act(d, s, peer, frame, asked, fault, t);
    default: return unreachable(verdict); /* c8 ignore next */
  }
}

function act(
  d: Directory, s: Session, peer: registry.Peer, frame: Uint8Array,
  asked: router.Asked, fault: DropReason, t: Turn,
): void {
  switch (asked) {
    case "public":
    case "orderbook":
      d.counts.totals.publicRelayed += 1;
      peer.shown = true;
      return broadcast(d, router.relayed(d.router, frame), s, t);
    case "private": return deliver(d, peer, frame, t);
    case "peerlist": return list(d, s, t);
    case "ping":
      d.counts.totals.pingsAnswered += 1;
      return send(d, s, pongFrame, t);
    case "pong": return;
    case "goodbye": return bye(d, s, "goodbye", undefined, t);
    case "proof": return end(d, s, "nick-auth", t);
    case "fault": return dropped(d, fault);
    default: return unreachable(asked); /* c8 ignore next */
  }
}

function deliver(d: Directory, sender: registry.Peer, frame: Uint8Array, t: Turn): void {
  const to = d.router.peek.to;
  const target = registry.find(d.registry, to);
  if (target === undefined) {
    // A legacy maker answers the directory's own probe in private; that is life, and nothing is
    // lost.
    if (to === d.nick) d.counts.totals.toDirectory += 1;
    else d.counts.drops["no-target"] += 1;
    return;
  }
  const s = sessions.find(d.sessions, target.conn) as Session;
  if (isTooFarBehind(d, s.box, frame)) return dropped(d, "target-behind");
  d.counts.totals.privateRelayed += 1;
  send(d, s, router.relayed(d.router, frame), t);
  if (!sender.maker) return;
  d.counts.totals.hints += 1;
  send(d, s, router.hint(sender, target.wantsFeatures), t);
}

/** Would this line take a target that is behind beyond the half that private lines may fill? */
function isTooFarBehind(d: Directory, box: outbox.Box, frame: Uint8Array): boolean {
  if (!outbox.isBehind(box)) return false;
  const held = box.queuedBytes + box.pieceBytes + frame.length;
  return 2 * held > d.config.outbox.bytesMax;
}

function list(d: Directory, s: Session, t: Turn): void {
  if (listing.asked(d.listing, s.conn, t.now)) d.counts.totals.peerlists += 1;
  else dropped(d, "peerlist-busy");
}

/** Writes the next PEERLIST line of a list in progress (the `Writer` of `listing`). */
export function writePage(
  d: Directory, conn: ConnId, cursor: number, t: Turn,
): number | "done" | "later" | "stalled" {
  const s = sessions.find(d.sessions, conn);
  if (s?.at.phase !== "registered") return "done";
  if (s.box.congested) return "stalled";
  if (!outbox.hasRoom(d.outbox, s.box)) return "later";
  const features = s.at.peer.wantsFeatures;
  const own = cursor < 0 ? ownEntry(d, features) : undefined;
  const { peerlistBytesMax } = d.config;
  const page = router.written(d.router, d.registry, cursor, own, features, peerlistBytesMax);
  if (page.bytes !== undefined) {
    d.counts.totals.peerlistLines += 1;
    d.stepLines += 1;
    send(d, s, page.bytes, t);
  }
  return page.done ? "done" : page.cursor;
}

function ownEntry(d: Directory, features: boolean): string | undefined {
  if (d.location === undefined) return undefined;
  return peerlist.entry(d.nick, d.location, features ? ownFeatures(d) : undefined, false);
}

function dropped(d: Directory, reason: DropReason): void {
  d.counts.drops[reason] += 1;
}

function flooded(d: Directory, s: Session, reason: DropReason, t: Turn): void {
  dropped(d, reason);
  log(d, "info", "peer.flooding", { conn: s.conn, reason }, t);
  end(d, s, "flood", t);
}

const pongFrame = envelope.encode(envelope.types.PONG, "");

/** The drop reason of each budget. */
const over: { readonly [budget in admission.Class]: DropReason } = {
  public: "rate-public", orderbook: "rate-orderbook", private: "rate-private",
  peerlist: "rate-peerlist", ping: "rate-ping", other: "rate-other",
};
