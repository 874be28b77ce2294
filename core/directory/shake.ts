/**
 * From the first line to registration: circuit, handshake, nick ownership, proof.
 *
 * Rule 1: a connection that does not speak the protocol is cut without a word; one that does is
 * refused with a reason.
 * Rule 2: a nick with an owner goes to a newcomer that proves its key, at once; otherwise the owner
 * is probed and keeps it while it lives. Nobody is locked out by a dead connection for longer than
 * the probe takes.
 * Rule 3: nothing is sent between the answer (795) and the result of the proof (807) but the
 * challenge (803).
 * Source: JMP-0001 and the nick-auth draft, as deployed peers implement them.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import { ascii, hex } from "../bytes.ts";
import type { Fault } from "../fault.ts";
import * as envelope from "../joinmarket/envelope.ts";
import * as handshake from "../joinmarket/handshake.ts";
import * as nickauth from "../joinmarket/nickauth.ts";
import type { ConnId } from "../ids.ts";
import * as outbox from "../outbox.ts";
import * as admission from "./admission.ts";
import * as contest from "./contest.ts";
import { handshakeResults, type HandshakeResult } from "./counts.ts";
import * as heartbeat from "./heartbeat.ts";
import * as leaves from "./leaves.ts";
import {
  bye, drainingText, end, log, note, refuse, send, sendNow, type Directory, type Turn, welcome,
} from "./node.ts";
import * as proxy from "./proxy.ts";
import * as registry from "./registry.ts";
import * as session from "./session.ts";
import * as sessions from "./sessions.ts";

type Session = session.Session;
type Hello = session.Hello;

const contestedText = "this nick is in use; its owner is probed, try again later";

/** One line of a connection that is not registered yet. */
export function heard(d: Directory, s: Session, frame: Uint8Array, t: Turn): void {
  switch (s.at.phase) {
    case "proxy": return circuit(d, s, frame, t);
    case "greeting": return greeted(d, s, frame, t);
    case "proving": return proved(d, s, frame, s.at, t);
    case "waiting": return early(d, s, t);
    case "drawing": return refuse(d, s, "auth-malformed", "a line came before the challenge", t);
    case "registered":
    case "closing":
      return;
    default: return unreachable(s.at); /* c8 ignore next */
  }
}

/** A line of a newcomer that waits for a nick: ignored, and charged like any other. */
function early(d: Directory, s: Session, t: Turn): void {
  d.counts.drops["early-line"] += 1;
  if (admission.admit(d.admission, s.conn, "other", 0, t.now) === "close") end(d, s, "flood", t);
}

/** The handshake deadline passed. Who has said a valid handshake is told. */
export function late(d: Directory, s: Session, t: Turn): void {
  if (s.at.phase === "proving") return failProof(d, s, "expired", "auth-expired", t);
  if (s.at.phase === "waiting") return refuse(d, s, "nick-contested", contestedText, t);
  end(d, s, "handshake-timeout", t);
}

/** Random bytes arrived for the challenge of `conn`. */
export function drawn(d: Directory, conn: ConnId, bytes: Uint8Array, t: Turn): void {
  const s = sessions.find(d.sessions, conn);
  if (s === undefined || s.at.phase !== "drawing") return;
  assert(bytes.length === 32, "a challenge has 32 bytes");
  const { hello } = s.at;
  const challenge = hex(bytes);
  const directoryId = d.location as string;
  session.move(s, "entropy given", { phase: "proving", hello, challenge, directoryId });
  send(d, s, welcome(d, hello.network), t);
  const line = nickauth.challengeLine(challenge, directoryId);
  send(d, s, envelope.encode(envelope.types.NICK_AUTH_CHALLENGE, line), t);
}

/** Carries out how a nick contest ended. */
export function settle(d: Directory, outcome: contest.Effect, t: Turn): void {
  switch (outcome.type) {
    case "ping":
    case "probe":
      return;
    case "lost": {
      const owner = sessions.find(d.sessions, outcome.conn);
      if (owner?.at.phase === "registered") note(d, "peer.contest-lost", owner.at.peer.nick, t);
      if (owner !== undefined) end(d, owner, "nick-contest", t);
      return;
    }
    case "won": {
      const s = sessions.find(d.sessions, outcome.conn);
      if (s?.at.phase !== "waiting") return;
      return won(d, s, s.at.hello, t);
    }
    case "refused": {
      const s = sessions.find(d.sessions, outcome.conn);
      if (s?.at.phase !== "waiting") return;
      return refuse(d, s, "nick-in-use", "this nick is in use; its owner answered just now", t);
    }
    default: return unreachable(outcome); /* c8 ignore next */
  }
}

/**
 * The owner is gone, and the newcomer that waited may have its nick: unless someone was quicker, or
 * a reload has left the node fuller than it may be.
 */
function won(d: Directory, s: Session, hello: Hello, t: Turn): void {
  const owner = registry.find(d.registry, hello.nick);
  if (owner !== undefined) return refuse(d, s, "nick-in-use", "this nick is in use", t);
  if (isFull(d, undefined)) return refuse(d, s, "full", fullText(d), t);
  d.counts.totals.contestsWon += 1;
  admitted(d, s, hello, "owner silent", t);
}

function circuit(d: Directory, s: Session, frame: Uint8Array, t: Turn): void {
  const named = proxy.parse(frame);
  if (!named.ok) return end(d, s, "proxy-header", t);
  if (!admission.circuit(d.admission, s.conn, named.value)) return end(d, s, "circuit-full", t);
  session.greet(s);
}

function greeted(d: Directory, s: Session, frame: Uint8Array, t: Turn): void {
  const e = d.router.envelope;
  if (envelope.scan(frame, e) !== undefined) return end(d, s, "not-a-handshake", t);
  if (e.type !== envelope.types.HANDSHAKE) return end(d, s, "not-a-handshake", t);
  const line = envelope.content(frame, e);
  const parsed = handshake.parsePeer(line);
  if (!parsed.ok) return invalid(d, s, parsed.fault, t);
  const checked = handshake.checkPeer(parsed.value, { network: d.config.network }, t.p.sha3);
  if (!checked.ok) return invalid(d, s, checked.fault, t);
  sessions.spoke(d.sessions, s);
  const { nick, location, features, network } = checked.value;
  const maker = location.serving;
  const at = location.serving ? location.text : "NOT-SERVING-ONION";
  claims(d, s, { nick, location: at, maker, features, network, line }, t);
}

function invalid(d: Directory, s: Session, fault: Fault, t: Turn): void {
  const result = handshakeResults.find((known) => known === fault.code);
  assert(result !== undefined, `a handshake fault without a counter: ${fault.code}`);
  refuse(d, s, result, fault.text, t);
}

/** A valid handshake claims a nick. */
function claims(d: Directory, s: Session, hello: Hello, t: Turn): void {
  if (d.nick === "") return refuse(d, s, "starting", "the directory is starting", t);
  if (d.drain !== "no") return refuse(d, s, "draining", drainingText, t);
  if (hello.nick === d.nick) return refuse(d, s, "own-nick", "this nick is the directory's", t);
  const owner = registry.find(d.registry, hello.nick);
  if (isFull(d, owner)) return refuse(d, s, "full", fullText(d), t);
  const canProve = d.location !== undefined && hello.features.includes("nick_auth");
  if (canProve) return draw(d, s, hello, t);
  if (owner === undefined) return admitted(d, s, hello, "valid, nick free", t);
  contested(d, s, hello, owner, t);
}

/** Is there no room, counting a place that the newcomer would take over as free? */
function isFull(d: Directory, owner: registry.Peer | undefined): boolean {
  return registry.size(d.registry) - (owner === undefined ? 0 : 1) >= d.config.peersMax;
}

function fullText(d: Directory): string {
  return `the directory is full (${d.config.peersMax} peers)`;
}

function draw(d: Directory, s: Session, hello: Hello, t: Turn): void {
  session.move(s, "valid, nick-auth", { phase: "drawing", hello });
  const req = d.nextReq;
  d.nextReq += 1;
  d.draws.set(req, s.conn);
  t.out.push({ type: "entropy.want", req, size: 32 });
}

function contested(d: Directory, s: Session, hello: Hello, owner: registry.Peer, t: Turn): void {
  const incumbent = sessions.find(d.sessions, owner.conn) as Session;
  assert(incumbent.at.phase === "registered", "an owner is registered");
  const claim = {
    incumbent: owner.conn, kind: incumbent.at.beat.kind, newcomer: s.conn,
    beatPending: heartbeat.isPending(d.heartbeat, incumbent.at.beat),
  };
  d.counts.totals.contestsOpened += 1;
  const asked: contest.Effect[] = [];
  const verdict = contest.opened(d.contest, claim, t.now, asked);
  probe(d, incumbent, asked, t);
  if (verdict === "refuse") return refuse(d, s, "nick-contested", contestedText, t);
  session.move(s, "valid, nick owned", { phase: "waiting", hello });
}

function probe(d: Directory, owner: Session, asked: readonly contest.Effect[], t: Turn): void {
  for (const wish of asked) {
    if (wish.type === "ping") send(d, owner, pingFrame, t);
    else if (wish.type === "probe") send(d, owner, orderbookProbe(d), t);
    else t.outcomes.push(wish);
  }
}

/** PING, empty. */
export const pingFrame = envelope.encode(envelope.types.PING, "");

/**
 * The unicast `!orderbook` in the form that deployed makers answer: a public line from the
 * directory's nick.
 */
export function orderbookProbe(d: Directory): Uint8Array {
  return envelope.encode(envelope.types.PUBMSG, `${d.nick}!PUBLIC!orderbook`);
}

/** Answers (795) and registers. */
function admitted(d: Directory, s: Session, hello: Hello, on: string, t: Turn): void {
  sendNow(d, s, welcome(d, hello.network), t);
  register(d, s, hello, undefined, on, t);
}

function register(
  d: Directory, s: Session, hello: Hello, pubkey: string | undefined, on: string, t: Turn,
): void {
  if (s.at.phase === "closing") return;
  assert(registry.size(d.registry) < d.config.peersMax, "registered beyond the capacity");
  const peer = registry.add(d.registry, {
    conn: s.conn, nick: hello.nick, nickBytes: ascii(hello.nick), location: hello.location,
    maker: hello.maker, features: hello.features, pubkey,
  });
  const kind: heartbeat.Kind = peer.ping ? "ping" : peer.maker ? "maker" : "mute";
  const beat = heartbeat.added(d.heartbeat, s.conn, kind, t.now);
  session.move(s, on, { phase: "registered", peer, beat });
  sessions.registered(d.sessions, s, t.now);
  outbox.joined(d.outbox, s.box);
  if (leaves.back(d.leaves, peer.nick)) {
    d.counts.totals.leavesCancelled += 1;
    // The notice taken back is owed again when this generation ends.
    peer.shown = true;
  }
  d.counts.handshakes.ok += 1;
  d.counts.totals.registered += 1;
  note(d, "peer.registered", peer.nick, t);
  log(d, "debug", "peer.registered", { conn: s.conn, nick: peer.nick, maker: peer.maker }, t);
}

type Proving = Extract<session.Phase, { phase: "proving" }>;

function proved(
  d: Directory, s: Session, frame: Uint8Array, { hello, challenge, directoryId }: Proving, t: Turn,
): void {
  const e = d.router.envelope;
  const fault = envelope.scan(frame, e);
  const isProof = fault === undefined && e.exact && e.type === envelope.types.NICK_AUTH_PROOF;
  if (!isProof) return failProof(d, s, "malformed", "auth-malformed", t);
  const proof = nickauth.parseProof(envelope.content(frame, e));
  if (!proof.ok) return failProof(d, s, "malformed", "auth-malformed", t);
  const { pubkey, signature } = proof.value;
  const claim = {
    challenge, directoryId, handshakeLine: hello.line, nick: hello.nick, pubkey, signature,
  };
  // The budget is for the costly part: what fails on its form costs nobody a place.
  if (!nickauth.isWellFormed(claim, t.p)) return failProof(d, s, "invalid", "auth-invalid", t);
  if (!admission.proof(d.admission, s.conn, t.now)) {
    return failProof(d, s, "policy", "auth-busy", t);
  }
  if (!nickauth.verify(claim, t.p)) return failProof(d, s, "invalid", "auth-invalid", t);
  takeover(d, s, hello, pubkey, t);
}

/** The newcomer owns the key of its nick: whoever holds the nick without that key leaves. */
function takeover(d: Directory, s: Session, hello: Hello, pubkey: string, t: Turn): void {
  const owner = registry.find(d.registry, hello.nick);
  if (owner?.pubkey !== undefined && owner.pubkey !== pubkey) {
    return failProof(d, s, "policy", "auth-policy", t);
  }
  if (isFull(d, owner)) return failProof(d, s, "policy", "full", t);
  if (owner !== undefined) displace(d, owner, t);
  send(d, s, envelope.encode(envelope.types.NICK_AUTH_RESULT, nickauth.resultLine("ok")), t);
  register(d, s, hello, pubkey, "proof holds", t);
  // The queue may have had no room for the result: then nobody is registered.
  if (s.at.phase === "registered") d.counts.totals.verified += 1;
}

/** Ends the owner; a newcomer that waited for it without a proof is refused first. */
function displace(d: Directory, owner: registry.Peer, t: Turn): void {
  const asked: contest.Effect[] = [];
  contest.seen(d.contest, owner.conn, t.now, asked);
  for (const outcome of asked) settle(d, outcome, t);
  const incumbent = sessions.find(d.sessions, owner.conn) as Session;
  d.counts.totals.displaced += 1;
  note(d, "peer.displaced", owner.nick, t);
  end(d, incumbent, "displaced", t);
}

/** Ends a connection that was asked for a proof; after the 803 only an 807 may follow. */
export function failProof(
  d: Directory, s: Session, code: "malformed" | "expired" | "invalid" | "policy",
  result: HandshakeResult, t: Turn,
): void {
  d.counts.handshakes[result] += 1;
  const word = envelope.encode(envelope.types.NICK_AUTH_RESULT, nickauth.resultLine(code));
  bye(d, s, "nick-auth", word, t);
}

