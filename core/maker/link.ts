/**
 * The maker's connection to one directory: dial, handshake, proof of the nick, announcements, and
 * the wait before the next try.
 *
 * Rule 1: dialling has one deadline, and all from the open connection to being up has another;
 * nothing that arrives puts either off.
 * Rule 2: a PING is answered in the step that reads it, whatever else is going on.
 * Rule 3: waits begin anew only after proof of health: a frame that came when the link had been up
 * for `healthyMs`. A directory that accepts and closes, or lets us in and closes, is met with ever
 * longer waits (`retry.ts`), but there is always a next try.
 * Rule 4: what is on offer is said once on each connection, and a change once on those that were
 * up. What a bond proves is never said in public.
 * Rule 5: a frame that a directory merely relays may be malformed by whoever wrote it, and ends
 * nothing; `malformedMax` others in a row end the connection.
 * Not known here: other directories, who holds the key, and the number of the connection.
 * `docs/phases/maker-link.md` shows the phases.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import { ascii, base64 } from "../bytes.ts";
import * as command from "../joinmarket/command.ts";
import * as envelope from "../joinmarket/envelope.ts";
import * as lines from "../joinmarket/lines.ts";
import * as nickauth from "../joinmarket/nickauth.ts";
import { assertMove, type Transition } from "../kernel/phases.ts";
import type { Primitives } from "../primitives.ts";
import type * as prng from "../prng.ts";
import { after, NEVER, type Mono } from "../time.ts";
import * as greet from "./greet.ts";
import type { Effect, Event, Offers, Why } from "./link-events.ts";
import * as retry from "./retry.ts";
import * as wire from "./wire.ts";

const { types } = envelope;

export type Config = wire.Config & retry.Config & {
  /** A dial without an outcome is given up after so many ms; Tor may need most of it. 120,000. */
  readonly dialMs: number;
  /** From the open connection to being up, in ms. 60,000. */
  readonly handshakeMs: number;
  /** After a close in good order the connection has so many ms to go. 5,000. */
  readonly closingMs: number;
  /** A frame after so many ms of being up proves health. 60,000. */
  readonly healthyMs: number;
  /** Malformed frames of the directory's own in a row. 10. */
  readonly malformedMax: number;
  /** Lines of one announcement. 64. */
  readonly announcedMax: number;
};

export const defaults: Config = {
  ...wire.defaults, ...retry.defaults, dialMs: 120_000, handshakeMs: 60_000, closingMs: 5_000,
  healthyMs: 60_000, malformedMax: 10, announcedMax: 64,
};

export type { Effect, Event, Offers, Why } from "./link-events.ts";

/** Phases of an open connection that is not up yet. */
type Shaking = "greeting" | "challenged" | "signing" | "proved";
type At =
  | { readonly phase: "fresh" | "stopped" }
  | { readonly phase: "waiting" | "dialing" | "leaving"; readonly dueAt: Mono }
  | { readonly phase: Shaking; readonly dueAt: Mono; readonly hello: string; readonly motd: string }
  | { readonly phase: "up"; readonly since: Mono };
export type PhaseName = At["phase"];

export const transitions: readonly Transition<PhaseName>[] = [
  { from: "fresh", on: "started", to: "dialing", note: "at once" },
  { from: "waiting", on: "due", to: "dialing", note: "the wait is over" },
  { from: "dialing", on: "dialed", to: "greeting", note: "793 sent" },
  { from: "greeting", on: "accepted, to be proved", to: "challenged", note: "795; 803 must come" },
  { from: "challenged", on: "challenge", to: "signing", note: "803; the key is elsewhere" },
  { from: "signing", on: "signed", to: "proved", note: "805 sent" },
  { from: "greeting", on: "accepted", to: "up", note: "795; nothing to prove" },
  { from: "proved", on: "believed", to: "up", note: "807 ok" },
  { from: "dialing", on: "lost", to: "waiting", note: "failed, or took too long" },
  { from: "greeting", on: "lost", to: "waiting", note: "refused, ended, or took too long" },
  { from: "challenged", on: "lost", to: "waiting", note: "no challenge, or one for another" },
  { from: "signing", on: "lost", to: "waiting", note: "ended, or took too long" },
  { from: "proved", on: "lost", to: "waiting", note: "not believed, ended, or took too long" },
  { from: "up", on: "lost", to: "waiting", note: "ended, silent, stuck, or malformed" },
  { from: "fresh", on: "stopped", to: "stopped", note: "never dialled" },
  { from: "waiting", on: "stopped", to: "stopped", note: "no connection to close" },
  { from: "dialing", on: "stopped", to: "stopped", note: "the dial is given up" },
  { from: "greeting", on: "stopped", to: "leaving", note: "closed in good order" },
  { from: "challenged", on: "stopped", to: "leaving", note: "closed in good order" },
  { from: "signing", on: "stopped", to: "leaving", note: "closed in good order" },
  { from: "proved", on: "stopped", to: "leaving", note: "closed in good order" },
  { from: "up", on: "stopped", to: "leaving", note: "what waits goes out first" },
  { from: "leaving", on: "gone", to: "stopped", note: "closed, or reset after closingMs" },
];

export type Link = {
  readonly config: Config;
  readonly identity: greet.Identity;
  /** What the directory calls itself in a challenge; without it nothing is proved. */
  readonly directoryId: string | undefined;
  readonly retry: retry.Retry;
  at: At;
  /** The open connection, until it has ended or was told to. */
  wire: wire.Wire | undefined;
  location: string;
  offers: Offers | undefined;
  /** Frames of the directory's own in a row; and all there ever were, relayed ones included. */
  malformed: number;
  malformedTotal: number;
  readonly envelope: envelope.Envelope;
};

const PONG = envelope.encode(types.PONG, "");
const RELAYED = ["{\"type\": 68", "{\"type\":68"].map(ascii);

/** Asserts the ranges and relations of `c`. */
export function check(c: Config): void {
  wire.check(c);
  retry.check(c);
  for (const ms of [c.dialMs, c.handshakeMs, c.closingMs, c.healthyMs]) {
    assert(Number.isSafeInteger(ms), "link: whole milliseconds");
    assert(ms >= 1, "link: a wait is at least 1 ms");
  }
  assert(c.malformedMax >= 1, "link: one malformed frame at least");
  assert(c.announcedMax >= 1, "link: one line at least");
}

/** A link that dials nothing until `started`. `jitter` is a stream of its own. */
export function create(
  config: Config, identity: greet.Identity, directoryId: string | undefined, location: string,
  jitter: prng.Prng,
): Link {
  check(config);
  const isId = directoryId === undefined || nickauth.isDirectoryId(directoryId);
  assert(isId, "link: a malformed directory id");
  return {
    config, identity, directoryId, retry: retry.create(config, jitter), at: { phase: "fresh" },
    wire: undefined, location, offers: undefined, malformed: 0, malformedTotal: 0,
    envelope: envelope.create(),
  };
}

/** Takes one event of the current connection, or one that is about none. */
export function step(m: Link, event: Event, now: Mono, p: Primitives, out: Effect[]): void {
  handle(m, event, now, p, out);
  settle(m, now, out);
}

function handle(m: Link, event: Event, now: Mono, p: Primitives, out: Effect[]): void {
  switch (event.type) {
    case "started": return started(m, event.isStartup, now, out);
    case "settled": return void (m.retry.isStartup = false);
    case "dialed": return dialed(m, now, out);
    case "failed": return gone(m, `dial-${event.reason}`, now, out);
    case "received": return received(m, event.bytes, now, p, out);
    case "congested": return m.wire === undefined ? undefined : wire.congested(m.wire, now);
    case "drained": return m.wire === undefined ? undefined : wire.drained(m.wire);
    case "closed": return gone(m, event.reason, now, out);
    case "signed": return signed(m, event.signature, out);
    case "offered": return offered(m, event.offers, out);
    case "located": return located(m, event.location, now, out);
    case "stopped": return stopped(m, now, out);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** What was queued goes out; a queue that is too long ends the connection. */
function settle(m: Link, now: Mono, out: Effect[]): void {
  if (m.wire === undefined) return;
  if (m.wire.isFull) return lost(m, "outbox-full", "", now, out);
  wire.flush(m.wire, out);
}

/** When a tick is due. */
export function deadline(m: Link): Mono {
  if ("dueAt" in m.at) return m.at.dueAt;
  return m.wire === undefined ? NEVER : wire.deadline(m.wire);
}

/** Can lines be sent to peers now? */
export function isUp(m: Link): boolean {
  return m.at.phase === "up";
}

/**
 * Hands a frame (one line, ready to send) to the directory. False if the link is not up, or is not
 * any more because too much waits.
 */
export function post(m: Link, frame: Uint8Array, now: Mono, out: Effect[]): boolean {
  if (m.at.phase !== "up" || m.wire === undefined) return false;
  wire.put(m.wire, frame, out);
  settle(m, now, out);
  return isUp(m);
}

function started(m: Link, isStartup: boolean, now: Mono, out: Effect[]): void {
  assert(m.at.phase === "fresh", "link: started once");
  m.retry.isStartup = isStartup;
  dial(m, "started", now, out);
}

function dial(m: Link, on: string, now: Mono, out: Effect[]): void {
  move(m, on, { phase: "dialing", dueAt: after(now, m.config.dialMs) });
  out.push({ type: "dial" });
}

function dialed(m: Link, now: Mono, out: Effect[]): void {
  if (m.at.phase !== "dialing") return;
  const hello = greet.introduction(m.identity, m.directoryId, m.location);
  const dueAt = after(now, m.config.handshakeMs);
  move(m, "dialed", { phase: "greeting", dueAt, hello, motd: "" });
  m.wire = wire.create(m.config, now);
  m.malformed = 0;
  wire.put(m.wire, envelope.encode(types.HANDSHAKE, hello), out);
}

function received(m: Link, bytes: Uint8Array, now: Mono, p: Primitives, out: Effect[]): void {
  const w = m.wire;
  if (w === undefined) return;
  wire.heard(w, now);
  const cut: lines.Cut = { at: 0, line: undefined };
  while (m.wire === w) {
    const isWhole = lines.next(w.lines, bytes, m.config.lineBytesMax, cut);
    if (!isWhole) return lost(m, "line-too-long", "", now, out);
    if (cut.line === undefined) return;
    framed(m, w, cut.line, now, p, out);
  }
}

function framed(
  m: Link, w: wire.Wire, frame: Uint8Array, now: Mono, p: Primitives, out: Effect[],
): void {
  if (envelope.scan(frame, m.envelope) !== undefined) return malformed(m, frame, now, out);
  m.malformed = 0;
  if (m.at.phase === "up" && now >= after(m.at.since, m.config.healthyMs)) retry.healthy(m.retry);
  switch (m.envelope.type) {
    case types.PING: return wire.put(w, PONG, out);
    case types.PONG: return wire.ponged(w, now);
    case types.DN_HANDSHAKE: return answered(m, w, content(m, frame), now, out);
    case types.NICK_AUTH_CHALLENGE: return challenged(m, content(m, frame), now, p, out);
    case types.NICK_AUTH_RESULT: return judged(m, w, content(m, frame), now, out);
    case types.NICK_AUTH_PROOF: return lost(m, "auth-order", "", now, out);
    case types.PUBMSG: return heard(m, "public", frame, out);
    case types.PRIVMSG: return heard(m, "private", frame, out);
    // Peerlists are for takers; the rest is not for peers, or not known yet.
    default: return;
  }
}

function content(m: Link, frame: Uint8Array): string {
  return envelope.content(frame, m.envelope);
}

function malformed(m: Link, frame: Uint8Array, now: Mono, out: Effect[]): void {
  m.malformedTotal += 1;
  if (RELAYED.some((head) => head.every((byte, i) => frame[i] === byte))) return;
  m.malformed += 1;
  if (m.malformed >= m.config.malformedMax) lost(m, "malformed", "", now, out);
}

/** Before the registration nothing that peers say is for us. */
function heard(m: Link, kind: "public" | "private", frame: Uint8Array, out: Effect[]): void {
  if (m.at.phase === "up") out.push({ type: "heard", kind, line: content(m, frame) });
}

/** The directory's answer to our 793. A second one means nothing. */
function answered(m: Link, w: wire.Wire, line: string, now: Mono, out: Effect[]): void {
  if (m.at.phase !== "greeting") return;
  const answer = greet.welcome(line, m.identity, m.directoryId);
  if (!answer.ok) return lost(m, answer.why, answer.says, now, out);
  const { motd } = answer;
  w.answersPing = answer.answersPing;
  if (!answer.proves) return up(m, w, "accepted", motd, now, out);
  move(m, "accepted, to be proved", { ...m.at, phase: "challenged", motd });
}

function challenged(m: Link, line: string, now: Mono, p: Primitives, out: Effect[]): void {
  const { at } = m;
  if (at.phase !== "challenged") return lost(m, "auth-order", "", now, out);
  const asked = greet.challenge(line, at.hello, m.identity, m.directoryId, p.sha256);
  if (!asked.ok) return lost(m, asked.why, asked.says, now, out);
  move(m, "challenge", { ...at, phase: "signing" });
  out.push({ type: "sign", digest: asked.digest });
}

function signed(m: Link, signature: Uint8Array, out: Effect[]): void {
  if (m.at.phase !== "signing" || m.wire === undefined) return;
  const proof = nickauth.proofLine({ pubkey: m.identity.pubkey, signature: base64(signature) });
  move(m, "signed", { ...m.at, phase: "proved" });
  wire.put(m.wire, envelope.encode(types.NICK_AUTH_PROOF, proof), out);
}

function judged(m: Link, w: wire.Wire, line: string, now: Mono, out: Effect[]): void {
  if (m.at.phase !== "proved") return lost(m, "auth-order", "", now, out);
  const verdict = greet.verdict(line);
  if (!verdict.ok) return lost(m, verdict.why, verdict.says, now, out);
  up(m, w, "believed", m.at.motd, now, out);
}

function up(m: Link, w: wire.Wire, on: string, motd: string, now: Mono, out: Effect[]): void {
  move(m, on, { phase: "up", since: now });
  wire.watched(w, now);
  out.push({ type: "up", motd, isProven: on === "believed" });
  if (m.offers !== undefined) announce(m, w, m.offers.version, m.offers.current, out);
}

function offered(m: Link, offers: Offers, out: Effect[]): void {
  const known = m.offers?.version ?? -1;
  assert(offers.version >= known, "link: offers of an older version");
  if (offers.version === known) return;
  m.offers = offers;
  if (m.at.phase === "up" && m.wire !== undefined) {
    announce(m, m.wire, offers.version, offers.change, out);
  }
}

function announce(
  m: Link, w: wire.Wire, version: number, commands: readonly string[], out: Effect[],
): void {
  assert(commands.length <= m.config.announcedMax, "link: too many lines to announce");
  for (const text of commands) {
    assert(!/tbond/i.test(text), "link: a bond is never announced in public");
    const line = command.publicLine(m.identity.nick, [text]);
    wire.put(w, envelope.encode(types.PUBMSG, line), out);
  }
  out.push({ type: "announced", version, lines: commands.length });
}

function located(m: Link, location: string, now: Mono, out: Effect[]): void {
  if (location === m.location) return;
  m.location = location;
  if (m.wire !== undefined) lost(m, "relocated", "", now, out);
}

function stopped(m: Link, now: Mono, out: Effect[]): void {
  if (m.at.phase === "leaving" || m.at.phase === "stopped") return;
  if (m.wire === undefined) {
    if (m.at.phase === "dialing") out.push({ type: "close", how: "abort", reason: "stopped" });
    return end(m, "stopped", out);
  }
  wire.flush(m.wire, out);
  out.push({ type: "close", how: "flush", reason: "stopped" });
  m.wire = undefined;
  move(m, "stopped", { phase: "leaving", dueAt: after(now, m.config.closingMs) });
}

function end(m: Link, on: string, out: Effect[]): void {
  move(m, on, { phase: "stopped" });
  out.push({ type: "ended" });
}

/** The host says that the dial or the connection has ended: nothing is left to close. */
function gone(m: Link, why: Why, now: Mono, out: Effect[]): void {
  if (m.at.phase === "leaving") return end(m, "gone", out);
  if (m.at.phase !== "dialing" && m.wire === undefined) return;
  m.wire = undefined;
  lost(m, why, "", now, out);
}

/** The attempt or the connection is over; another comes after the wait. */
function lost(m: Link, why: Why, says: string, now: Mono, out: Effect[]): void {
  const wasUp = m.at.phase === "up";
  const isOurs = m.wire !== undefined || why === "dial-late";
  if (isOurs) out.push({ type: "close", how: "abort", reason: why });
  m.wire = undefined;
  const retryMs = why === "relocated" ? retry.pause(m.retry) : retry.failed(m.retry);
  move(m, "lost", { phase: "waiting", dueAt: after(now, retryMs) });
  out.push({ type: "lost", why, says, wasUp, failures: m.retry.failures, retryMs });
}

function tick(m: Link, now: Mono, out: Effect[]): void {
  if (now < deadline(m)) return;
  switch (m.at.phase) {
    case "waiting": return dial(m, "due", now, out);
    case "dialing": return lost(m, "dial-late", "", now, out);
    case "greeting": case "challenged": case "signing": case "proved":
      return lost(m, "handshake-late", "", now, out);
    case "leaving":
      out.push({ type: "close", how: "abort", reason: "closing-late" });
      return end(m, "gone", out);
    case "up": {
      const dead = m.wire === undefined ? undefined : wire.tick(m.wire, now, out);
      return dead === undefined ? undefined : lost(m, dead, "", now, out);
    }
    case "fresh": case "stopped": return;
    default: return unreachable(m.at); /* c8 ignore next */
  }
}

function move(m: Link, on: string, to: At): void {
  assertMove(transitions, m.at.phase, on, to.phase);
  m.at = to;
}
