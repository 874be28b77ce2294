/**
 * One connection to Tor's control port: from dialling over proof to commands and their replies.
 *
 * Rule 1: every phase has its own deadline, and each `wanted` is answered by exactly one `ended`.
 * It never tries again: when to is its owner's business.
 * Rule 2: each link has a number; what comes from an earlier one is dropped.
 * Rule 3: what goes over this connection may be a password or a private key, so that its bytes are
 * marked secret both ways. A fault tells the operator what to do and never what was received.
 * Source: Tor's control-spec, version 1.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import { ascii, concat, hex } from "../bytes.ts";
import type { Fault } from "../fault.ts";
import type { Tick } from "../kernel/io.ts";
import { assertMove, type Transition } from "../kernel/phases.ts";
import type { Primitives } from "../primitives.ts";
import { secret, type Secret } from "../secret.ts";
import { after, NEVER, type Mono } from "../time.ts";
import * as auth from "./auth.ts";
import * as faults from "./faults.ts";
import * as reply from "./reply.ts";

export type Config = reply.Limits & {
  /** A password is configured: it is asked of the host when Tor wants it. */
  readonly hasPassword: boolean;
  /** Where the cookie is, if not where Tor says: Tor may live in another file system. */
  readonly cookiePath: string | undefined;
  /** Until the connection is open, in ms. 10,000. */
  readonly dialMs: number;
  /** Until the host has read a cookie or a password or drawn a nonce, in ms. 10,000. */
  readonly hostMs: number;
  /** Until Tor has answered one command, in ms. 30,000. */
  readonly replyMs: number;
  /** Commands under way at once. 8. */
  readonly commandsMax: number;
};

export const defaults: Config = {
  ...reply.defaults, hasPassword: false, cookiePath: undefined, dialMs: 10_000, hostMs: 10_000,
  replyMs: 30_000, commandsMax: 8,
};

/** What the host answers; `link` and `req` are those of the effect that asked. */
export type HostEvent =
  | { readonly type: "dialed"; readonly link: number }
  | { readonly type: "undialed"; readonly link: number; readonly reason: string }
  | { readonly type: "received"; readonly link: number; readonly bytes: Secret }
  | { readonly type: "closed"; readonly link: number }
  | { readonly type: "cookie.given"; readonly req: number; readonly cookie: Secret }
  | { readonly type: "cookie.failed"; readonly req: number; readonly reason: faults.NoSecret }
  | { readonly type: "password.given"; readonly req: number; readonly password: Secret }
  | { readonly type: "password.failed"; readonly req: number; readonly reason: faults.NoSecret }
  | { readonly type: "nonce.given"; readonly req: number; readonly bytes: Uint8Array };

/** What the host is to do. */
export type HostEffect =
  /** Opens a connection to the control port. `dialed` or `undialed` follows, then `closed`. */
  | { readonly type: "dial"; readonly link: number }
  | { readonly type: "send"; readonly link: number; readonly bytes: Secret }
  /** Also gives up a dial. Nothing of this link is heard any more. */
  | { readonly type: "hangup"; readonly link: number }
  /** Reads the file, which is `auth.cookieBytes` long. */
  | { readonly type: "cookie.want"; readonly req: number; readonly path: string }
  | { readonly type: "password.want"; readonly req: number }
  /** Random bytes from the operating system; they go over the wire in clear. */
  | { readonly type: "nonce.want"; readonly req: number; readonly size: number };

export type Event =
  | HostEvent
  /** Opens a connection, unless there is one. */
  | { readonly type: "wanted" }
  /** A command without its line end. Dropped unless the port is ready: `ended` tells. */
  | { readonly type: "asked"; readonly token: number; readonly command: Secret }
  /** Ends the connection in good order. */
  | { readonly type: "unwanted" }
  | Tick;

export type Effect =
  | HostEffect
  /** Commands are welcome. */
  | { readonly type: "ready"; readonly version: string; readonly method: auth.Method }
  /** The answer to the command of this token, in the order of asking. May hold a private key. */
  | { readonly type: "answered"; readonly token: number; readonly reply: reply.Reply }
  /** What Tor says unasked (650). */
  | { readonly type: "told"; readonly lines: readonly string[] }
  /** The connection is no more. With fault `control-unwanted` its owner ended it. */
  | { readonly type: "ended"; readonly fault: Fault };

type At =
  | { readonly phase: "idle" }
  | { readonly phase: "dialing" | "introducing"; readonly dueAt: Mono }
  | {
    readonly phase: "fetching"; readonly dueAt: Mono; readonly req: number;
    readonly method: auth.Method; readonly path: string;
  }
  | {
    readonly phase: "drawing"; readonly dueAt: Mono; readonly req: number; readonly cookie: Secret;
  }
  | {
    readonly phase: "challenging"; readonly dueAt: Mono; readonly cookie: Secret;
    readonly nonce: Uint8Array;
  }
  | { readonly phase: "proving"; readonly dueAt: Mono; readonly method: auth.Method }
  | { readonly phase: "ready" };
export type PhaseName = At["phase"];

export const transitions: readonly Transition<PhaseName>[] = [
  { from: "idle", on: "wanted", to: "dialing", note: "the control port is dialled" },
  { from: "dialing", on: "dialed", to: "introducing", note: "PROTOCOLINFO" },
  { from: "introducing", on: "needs a secret", to: "fetching", note: "cookie or password" },
  { from: "introducing", on: "needs none", to: "proving", note: "AUTHENTICATE" },
  { from: "fetching", on: "safe cookie", to: "drawing", note: "a nonce is asked for" },
  { from: "fetching", on: "secret given", to: "proving", note: "AUTHENTICATE" },
  { from: "drawing", on: "nonce given", to: "challenging", note: "AUTHCHALLENGE" },
  { from: "challenging", on: "Tor knows the cookie", to: "proving", note: "AUTHENTICATE" },
  { from: "proving", on: "accepted", to: "ready", note: "commands are welcome" },
  { from: "*", on: "ended", to: "idle", note: "lost, refused, late or unwanted" },
];

const idle: At = { phase: "idle" };
const ready: At = { phase: "ready" };

export type Control = {
  readonly config: Config;
  at: At;
  /** The number of the newest link. */
  link: number;
  nextReq: number;
  reader: reply.Reader;
  /** Commands under way, in order of sending. */
  asked: { readonly token: number; readonly dueAt: Mono }[];
  /** What Tor said of itself on the newest link. */
  version: string;
};

export function create(config: Config): Control {
  assert(config.dialMs >= 1, "control: dialMs is at least 1");
  assert(config.hostMs >= 1, "control: hostMs is at least 1");
  assert(config.replyMs >= 1, "control: replyMs is at least 1");
  assert(config.commandsMax >= 1, "control: commandsMax is at least 1");
  assert(config.lineBytesMax >= 256, "control: lineBytesMax holds what Tor sends");
  assert(config.replyBytesMax >= config.lineBytesMax, "control: a reply holds a line");
  return {
    config, at: idle, link: 0, nextReq: 1, reader: reply.create(), asked: [], version: "",
  };
}

export function isReady(m: Control): boolean {
  return m.at.phase === "ready";
}

export function step(m: Control, event: Event, now: Mono, p: Primitives, out: Effect[]): void {
  switch (event.type) {
    case "wanted": return wanted(m, now, out);
    case "asked": return asked(m, event.token, event.command, now, out);
    case "unwanted": return end(m, faults.unwanted, out);
    case "dialed": return dialed(m, event.link, now, out);
    case "undialed": return undialed(m, event.link, event.reason, out);
    case "received": return received(m, event.link, event.bytes, now, p, out);
    case "closed": return closed(m, event.link, out);
    case "cookie.given": return cookieGiven(m, event.req, event.cookie, now, out);
    case "cookie.failed": return cookieFailed(m, event.req, event.reason, out);
    case "password.given": return passwordGiven(m, event.req, event.password, now, out);
    case "password.failed": return passwordFailed(m, event.req, event.reason, out);
    case "nonce.given": return nonceGiven(m, event.req, event.bytes, now, out);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

export function deadline(m: Control): Mono {
  if ("dueAt" in m.at) return m.at.dueAt;
  return m.asked[0]?.dueAt ?? NEVER;
}

function wanted(m: Control, now: Mono, out: Effect[]): void {
  if (m.at.phase !== "idle") return;
  m.link += 1;
  m.reader = reply.create();
  m.version = "";
  move(m, "wanted", { phase: "dialing", dueAt: after(now, m.config.dialMs) });
  out.push({ type: "dial", link: m.link });
}

function move(m: Control, on: string, to: At): void {
  assertMove(transitions, m.at.phase, on, to.phase);
  m.at = to;
}

function dialed(m: Control, link: number, now: Mono, out: Effect[]): void {
  if (link !== m.link || m.at.phase !== "dialing") return;
  move(m, "dialed", { phase: "introducing", dueAt: after(now, m.config.replyMs) });
  send(m, secret(ascii("PROTOCOLINFO 1")), out);
}

/** `reason` is a word of the host's, such as `refused`. */
function undialed(m: Control, link: number, reason: string, out: Effect[]): void {
  if (link !== m.link || m.at.phase !== "dialing") return;
  ended(m, faults.undialed(reason), out);
}

function received(
  m: Control, link: number, bytes: Secret, now: Mono, p: Primitives, out: Effect[],
): void {
  if (link !== m.link || m.at.phase === "idle" || m.at.phase === "dialing") return;
  const replies: reply.Reply[] = [];
  const fault = reply.feed(m.reader, bytes.secret, m.config, replies);
  for (const one of replies) {
    replied(m, one, now, p, out);
  }
  if (fault !== undefined) end(m, fault, out);
}

function closed(m: Control, link: number, out: Effect[]): void {
  if (link !== m.link || m.at.phase === "idle" || m.at.phase === "dialing") return;
  ended(m, faults.closed, out);
}

/** A reply may end the connection; what came behind it is of no more use. */
function replied(
  m: Control, one: reply.Reply, now: Mono, p: Primitives, out: Effect[],
): void {
  if (one.code >= 600) return told(m, one, out);
  switch (m.at.phase) {
    case "idle": return;
    case "introducing": return introduced(m, one, now, out);
    case "challenging": return challenged(m, m.at, one, now, p, out);
    case "proving": return proved(m, m.at.method, one, out);
    case "ready": return answered(m, one, out);
    case "dialing":
    case "fetching":
    case "drawing":
      return end(m, faults.unasked, out);
    default: return unreachable(m.at); /* c8 ignore next */
  }
}

function told(m: Control, one: reply.Reply, out: Effect[]): void {
  if (m.at.phase === "ready") out.push({ type: "told", lines: one.lines });
}

function introduced(m: Control, one: reply.Reply, now: Mono, out: Effect[]): void {
  const said = auth.introduction(one);
  if (!said.ok) return end(m, said.fault, out);
  m.version = said.value.version;
  const method = auth.choose(said.value.methods, m.config.hasPassword);
  if (method === undefined) return end(m, faults.noMethod(m.config.hasPassword), out);
  if (method === "NULL") return prove(m, "needs none", method, new Uint8Array(0), now, out);
  const path = m.config.cookiePath ?? said.value.cookieFile ?? "";
  if (method !== "HASHEDPASSWORD" && path === "") return end(m, faults.noPath, out);
  const req = m.nextReq++;
  const dueAt = after(now, m.config.hostMs);
  move(m, "needs a secret", { phase: "fetching", dueAt, req, method, path });
  if (method === "HASHEDPASSWORD") out.push({ type: "password.want", req });
  else out.push({ type: "cookie.want", req, path });
}

function cookieGiven(m: Control, req: number, cookie: Secret, now: Mono, out: Effect[]): void {
  if (m.at.phase !== "fetching" || m.at.req !== req) return;
  const { method } = m.at;
  // Also a guard: a false Tor could name any file and have it sent.
  if (cookie.secret.length !== auth.cookieBytes) return cookieFailed(m, req, "malformed", out);
  if (method === "COOKIE") return prove(m, "secret given", method, cookie.secret, now, out);
  const drawReq = m.nextReq++;
  const dueAt = after(now, m.config.hostMs);
  move(m, "safe cookie", { phase: "drawing", dueAt, req: drawReq, cookie });
  out.push({ type: "nonce.want", req: drawReq, size: auth.cookieBytes });
}

function cookieFailed(m: Control, req: number, reason: faults.NoSecret, out: Effect[]): void {
  if (m.at.phase !== "fetching" || m.at.req !== req) return;
  end(m, faults.noCookie(reason, m.at.path), out);
}

function passwordGiven(m: Control, req: number, password: Secret, now: Mono, out: Effect[]): void {
  if (m.at.phase !== "fetching" || m.at.req !== req) return;
  const isAsked = m.at.method === "HASHEDPASSWORD" && password.secret.length > 0;
  if (!isAsked || 2 * password.secret.length > m.config.lineBytesMax) {
    return passwordFailed(m, req, "malformed", out);
  }
  prove(m, "secret given", m.at.method, password.secret, now, out);
}

function passwordFailed(m: Control, req: number, reason: faults.NoSecret, out: Effect[]): void {
  if (m.at.phase !== "fetching" || m.at.req !== req) return;
  end(m, faults.noPassword(reason), out);
}

function nonceGiven(m: Control, req: number, bytes: Uint8Array, now: Mono, out: Effect[]): void {
  if (m.at.phase !== "drawing" || m.at.req !== req) return;
  assert(bytes.length === auth.cookieBytes, "a nonce has 32 bytes");
  const { cookie } = m.at;
  const dueAt = after(now, m.config.replyMs);
  move(m, "nonce given", { phase: "challenging", dueAt, cookie, nonce: bytes });
  send(m, secret(ascii(`AUTHCHALLENGE SAFECOOKIE ${hex(bytes)}`)), out);
}

function challenged(
  m: Control, at: Extract<At, { phase: "challenging" }>, one: reply.Reply, now: Mono,
  p: Primitives, out: Effect[],
): void {
  const theirs = auth.challenge(one);
  if (!theirs.ok) return end(m, theirs.fault, out);
  const { serverNonce, serverHash } = theirs.value;
  const due = auth.serverHash(at.cookie, at.nonce, serverNonce, p.sha256);
  if (!auth.isSame(due, serverHash)) return end(m, faults.stranger, out);
  const proof = auth.clientHash(at.cookie, at.nonce, serverNonce, p.sha256);
  prove(m, "Tor knows the cookie", "SAFECOOKIE", proof, now, out);
}

function prove(
  m: Control, on: string, method: auth.Method, proof: Uint8Array, now: Mono, out: Effect[],
): void {
  move(m, on, { phase: "proving", dueAt: after(now, m.config.replyMs), method });
  send(m, auth.authenticate(proof), out);
}

function proved(m: Control, method: auth.Method, one: reply.Reply, out: Effect[]): void {
  if (one.code !== 250) return end(m, faults.refused(method), out);
  move(m, "accepted", ready);
  out.push({ type: "ready", version: m.version, method });
}

function asked(m: Control, token: number, command: Secret, now: Mono, out: Effect[]): void {
  if (m.at.phase !== "ready") return;
  assert(!command.secret.includes(0x0a), "a command is one line");
  assert(!command.secret.includes(0x0d), "a command has no line end");
  if (m.asked.length >= m.config.commandsMax) return end(m, faults.tooMany, out);
  m.asked.push({ token, dueAt: after(now, m.config.replyMs) });
  send(m, command, out);
}

function answered(m: Control, one: reply.Reply, out: Effect[]): void {
  const first = m.asked.shift();
  if (first === undefined) return end(m, faults.unasked, out);
  out.push({ type: "answered", token: first.token, reply: one });
}

function send(m: Control, line: Secret, out: Effect[]): void {
  const bytes = secret(concat([line.secret, ascii("\r\n")]));
  out.push({ type: "send", link: m.link, bytes });
}

function tick(m: Control, now: Mono, out: Effect[]): void {
  if (deadline(m) > now) return;
  end(m, faults.late(m.at.phase), out);
}

/** Ends a connection that the host still has, if there is one. */
function end(m: Control, fault: Fault, out: Effect[]): void {
  if (m.at.phase === "idle") return;
  out.push({ type: "hangup", link: m.link });
  ended(m, fault, out);
}

function ended(m: Control, fault: Fault, out: Effect[]): void {
  move(m, "ended", idle);
  m.asked = [];
  m.reader = reply.create();
  out.push({ type: "ended", fault });
}
