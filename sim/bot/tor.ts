/**
 * The Tor of a bot: its control port and the onion services that it runs; and the file in which the
 * bot keeps the key of its own.
 *
 * Rule 1: a service lives as long as the control connection that asked for it, and no longer than
 * Tor does. Each start of Tor is a new cookie.
 * Rule 2: who has not proved that he knows the cookie is not served.
 * Rule 3: an address follows from its key, and each key that is asked for is another one.
 * Not modelled: an older Tor without proof of work, Tor's own slow start, a Tor that hangs.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import { ascii, base64, concat, equal, hex, text, unbase64, unhex } from "../../core/bytes.ts";
import type { ConnId } from "../../core/ids.ts";
import * as prng from "../../core/prng.ts";
import { secret, type Secret } from "../../core/secret.ts";
import * as auth from "../../core/tor/auth.ts";
import { onionOf, primitives } from "../primitives.ts";
import { pushAt } from "../process.ts";
import type { NodeId } from "../scenario.ts";
import type { BotEffect, BotEvent } from "../vocabulary.ts";
import type { Node, World } from "../world.ts";
import type { Session, Tor } from "./state.ts";

/** One that runs, and keeps no key. */
export function create(): Tor {
  return { isUp: true, life: 1, sessions: new Map(), keys: 0, file: undefined, saidUs: 0 };
}

/** A connection on one machine takes so long, in microseconds; a file about as much. */
const localUs = 400;
/** From a service to its descriptor where visitors look. */
const uploadUs = 8_000_000;

function later(w: World, node: Node): number {
  return w.nowUs + 1 + prng.tailed(node.costs, localUs);
}

function tell(w: World, node: Node, event: BotEvent, fromUs = later(w, node)): void {
  const tor = node.host?.tor;
  const atUs = tor !== undefined && tor.saidUs >= fromUs ? tor.saidUs + 1 : fromUs;
  if (tor !== undefined) tor.saidUs = atUs;
  pushAt(w, node, atUs, event);
}

/** The bot opens a control connection. */
export function dial(w: World, node: Node, conn: ConnId): void {
  const tor = node.host?.tor;
  if (tor?.isUp !== true) return tell(w, node, { type: "conn.failed", conn, reason: "refused" });
  tor.sessions.set(conn, { rest: "", proof: "", isProven: false, services: new Set() });
  tell(w, node, { type: "conn.dialed", conn });
}

/** The bot closes one, if it is one. */
export function close(w: World, node: Node, conn: ConnId): void {
  if (node.host?.tor.sessions.delete(conn) !== true) return;
  tell(w, node, { type: "conn.closed", conn, reason: "aborted" });
}

/** Tor dies, or starts. */
export function turn(w: World, node: Node, isUp: boolean): void {
  const tor = node.host?.tor;
  if (tor === undefined || tor.isUp === isUp) return;
  tor.isUp = isUp;
  if (isUp) tor.life += 1;
  for (const conn of tor.sessions.keys()) {
    tell(w, node, { type: "conn.closed", conn, reason: "reset" });
  }
  tor.sessions.clear();
}

/** Whose onion service is served at this address just now. */
export function whose(w: World, address: string): number | undefined {
  for (const { index, host } of w.nodes) {
    for (const { services } of host?.tor.sessions.values() ?? []) {
      if (services.has(address)) return index;
    }
  }
  return undefined;
}

/** The bot says something on a control connection. */
export function confide(w: World, node: Node, conn: ConnId, bytes: Secret): void {
  const tor = node.host?.tor;
  const session = tor?.sessions.get(conn);
  if (tor === undefined || session === undefined) return;
  const lines = (session.rest + text(bytes.secret)).split("\r\n");
  session.rest = lines.pop() ?? "";
  for (const line of lines) {
    const reply = answered(w, node, tor, session, line);
    tell(w, node, { type: "conn.confided", conn, bytes: secret(ascii(reply)) });
    if (line.startsWith("ADD_ONION ") && reply.startsWith("250")) uploads(w, node, conn, reply);
  }
}

function uploads(w: World, node: Node, conn: ConnId, reply: string): void {
  const id = /ServiceID=([a-z2-7]+)/.exec(reply)?.[1] ?? "";
  const line = `650 HS_DESC UPLOADED ${id} UNKNOWN $0000\r\n`;
  const atUs = w.nowUs + 1 + prng.tailed(node.costs, uploadUs);
  pushAt(w, node, atUs, { type: "conn.confided", conn, bytes: secret(ascii(line)) });
}

const ok = "250 OK\r\n";

function answered(w: World, node: Node, tor: Tor, session: Session, line: string): string {
  const [word = "", first = "", second = ""] = line.split(" ");
  switch (word) {
    case "PROTOCOLINFO":
      return "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"/cookie\"\r\n"
        + `250-VERSION Tor="0.4.9.11"\r\n${ok}`;
    case "AUTHCHALLENGE": return challenged(w, node, tor, session, second);
    case "AUTHENTICATE":
      session.isProven = session.proof !== "" && first.toLowerCase() === session.proof;
      return session.isProven ? ok : "515 Authentication failed\r\n";
    default: break;
  }
  if (!session.isProven) return "514 Authentication required.\r\n";
  switch (word) {
    case "SETEVENTS": return ok;
    case "ADD_ONION": return added(node, tor, session, first);
    case "DEL_ONION":
      return session.services.delete(`${first}.onion:5222`) ? ok : "552 Unknown service\r\n";
    case "GETINFO": {
      const ids = [...session.services].map((one) => one.replace(/\.onion.*$/, ""));
      return `250+onions/current=\r\n${ids.map((one) => `${one}\r\n`).join("")}.\r\n`
        + `250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=100 TAG=done\r\n${ok}`;
    }
    default: return "510 Unrecognized command\r\n";
  }
}

function challenged(
  w: World, node: Node, tor: Tor, session: Session, nonceHex: string,
): string {
  const nonce = unhex(nonceHex.toLowerCase()) ?? new Uint8Array(0);
  const ours = prng.bytes(node.entropy, auth.cookieBytes);
  const cookie = cookieOf(node.id, tor);
  const { sha256 } = w.primitives;
  session.proof = hex(auth.clientHash(cookie, nonce, ours, sha256));
  const hash = hex(auth.serverHash(cookie, nonce, ours, sha256)).toUpperCase();
  return `250 AUTHCHALLENGE SERVERHASH=${hash} SERVERNONCE=${hex(ours).toUpperCase()}\r\n`;
}

function cookieOf(id: NodeId, tor: Tor): Secret {
  return secret(primitives.sha256(ascii(`cookie ${id} ${tor.life}`)));
}

function added(node: Node, tor: Tor, session: Session, key: string): string {
  if (key.startsWith("NEW:")) tor.keys += 1;
  const blob = key.startsWith("NEW:")
    ? primitives.sha256(ascii(`onion ${node.id} ${tor.keys}`))
    : unbase64(key.replace(/^ED25519-V3:/, ""))?.subarray(0, 32) ?? new Uint8Array(0);
  const address = onionOf(blob);
  for (const { services } of tor.sessions.values()) {
    if (services.has(address)) return "550 Onion address collision\r\n";
  }
  session.services.add(address);
  const id = address.replace(/\.onion.*$/, "");
  const made = key.startsWith("NEW:")
    ? `250-PrivateKey=ED25519-V3:${base64(concat([blob, blob]))}\r\n` : "";
  return `250-ServiceID=${id}\r\n${made}${ok}`;
}

type FileOrder = Extract<BotEffect, {
  readonly type: "cookie.want" | "nonce.want" | "key.load" | "key.save";
}>;

/** What the bot's host reads, draws and writes for its onion service. */
export function order(w: World, node: Node, wish: FileOrder, isFull: boolean): void {
  const tor = node.host?.tor;
  if (tor === undefined) return;
  const atUs = later(w, node) + (node.disk?.slowUs ?? 0);
  pushAt(w, node, atUs, outcome(node, tor, wish, isFull));
}

function outcome(node: Node, tor: Tor, wish: FileOrder, isFull: boolean): BotEvent {
  const { req } = wish;
  switch (wish.type) {
    case "cookie.want": return { type: "cookie.given", req, cookie: cookieOf(node.id, tor) };
    case "nonce.want": {
      return { type: "nonce.given", req, bytes: prng.bytes(node.entropy, wish.size) };
    }
    case "key.load":
      if (tor.file === undefined) return { type: "key.absent", req };
      return { type: "key.loaded", req, file: secret(tor.file.slice()) };
    case "key.save":
      if (isFull) return { type: "key.failed", req, reason: "full" };
      if (tor.file !== undefined && !equal(tor.file, wish.file.secret)) {
        return { type: "key.failed", req, reason: "failed" };
      }
      tor.file = wish.file.secret.slice();
      return { type: "key.saved", req };
    default: return unreachable(wish);
  }
}
