/**
 * One connection of a demo peer to a directory: the client's side of the protocol on a real socket.
 *
 * Rule 1: speaks as deployed peers do: handshake first, nick authentication if both sides have it,
 * CRLF at the end of every line, PONG for every PING if it said that it can.
 * Rule 2: what a peer says and when is not known here.
 * @module
 */
import * as net from "node:net";
import type { Address } from "../../adapters/address.ts";
import * as command from "../../core/joinmarket/command.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import * as features from "../../core/joinmarket/features.ts";
import * as handshake from "../../core/joinmarket/handshake.ts";
import * as lines from "../../core/joinmarket/lines.ts";
import * as nickauth from "../../core/joinmarket/nickauth.ts";
import * as peerlist from "../../core/joinmarket/peerlist.ts";
import { type Identity, prove } from "./identity.ts";

const { types } = envelope;

export type ClientOptions = {
  readonly address: Address;
  readonly who: Identity;
  readonly network: string;
  /** Own onion address and port, or `NOT-SERVING-ONION`. */
  readonly location: string;
  readonly features: readonly string[];
  /** The handshake with the directory of this nick is over; `proved` with nick authentication. */
  readonly ready: (proved: boolean, directory: string) => void;
  /** A line that others wrote, read and as it came. */
  readonly line: (line: command.Line, text: string) => void;
  readonly peers: (entries: readonly peerlist.Entry[]) => void;
  /** The directory asked for a sign of life. Answers if the result is true. */
  readonly pinged: () => boolean;
  /** Comes once, whoever ended it. */
  readonly closed: (why: string) => void;
};

export interface Client {
  publish(commands: readonly string[]): void;
  tell(to: string, commands: readonly string[]): void;
  askPeers(): void;
  end(): void;
}

type Conn = {
  readonly options: ClientOptions;
  readonly socket: net.Socket;
  readonly framing: lines.Lines;
  readonly seen: envelope.Envelope;
  readonly hello: string;
  phase: "shaking" | "proving" | "ready";
  directory: string;
  why: string | undefined;
};

/** Connects and shakes hands. Everything else is told through `options`. */
export function connect(options: ClientOptions): Client {
  const { address, who, network, location } = options;
  const socket = net.connect(
    address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port },
  );
  const hello = handshake.peerHello({
    nick: who.nick, network, location, features: options.features,
  });
  const conn: Conn = {
    options, socket, framing: lines.create(), seen: envelope.create(), hello, phase: "shaking",
    directory: "", why: undefined,
  };
  socket.setNoDelay(true);
  socket.on("connect", () => send(conn, types.HANDSHAKE, hello));
  socket.on("data", (bytes) => received(conn, bytes));
  socket.on("error", (error: NodeJS.ErrnoException) => {
    conn.why ??= error.code === "ECONNRESET" ? "the directory reset the connection" : error.message;
  });
  socket.on("close", () => options.closed(conn.why ?? "the directory closed the connection"));
  return {
    publish: (commands) => send(conn, types.PUBMSG, command.publicLine(who.nick, commands)),
    tell: (to, commands) =>
      send(conn, types.PRIVMSG, command.privateLine(who.nick, to, commands)),
    askPeers: () => send(conn, types.GETPEERLIST, ""),
    end: () => fail(conn, "it left"),
  };
}

function send(conn: Conn, type: number, text: string): void {
  if (conn.socket.writable) conn.socket.write(envelope.encode(type, text));
}

function fail(conn: Conn, why: string): void {
  conn.why ??= why;
  conn.socket.destroy();
}

function received(conn: Conn, bytes: Uint8Array): void {
  const frames: Uint8Array[] = [];
  const fits = lines.feed(conn.framing, bytes, envelope.lineBytesMax, frames);
  for (const frame of frames) {
    if (conn.socket.destroyed) return;
    const fault = envelope.scan(frame, conn.seen);
    if (fault !== undefined) return fail(conn, `the directory sent a bad frame: ${fault.text}`);
    framed(conn, conn.seen.type, envelope.content(frame, conn.seen));
  }
  if (!fits) fail(conn, "the directory sent a line that is too long");
}

function framed(conn: Conn, type: number, text: string): void {
  switch (conn.phase) {
    case "shaking": return shaken(conn, type, text);
    case "proving": return proving(conn, type, text);
    case "ready": return said(conn, type, text);
  }
}

function shaken(conn: Conn, type: number, text: string): void {
  if (type !== types.DN_HANDSHAKE) return fail(conn, "the directory did not answer the handshake");
  const hello = handshake.parseDirectory(text);
  if (!hello.ok) return fail(conn, hello.fault.text);
  const fine = handshake.checkDirectory(hello.value, { network: conn.options.network });
  if (!fine.ok) return fail(conn, `${fine.fault.text}: ${hello.value.motd}`);
  conn.directory = hello.value.nick;
  const both = hello.value.features.includes(features.nickAuth) &&
    conn.options.features.includes(features.nickAuth);
  if (both) conn.phase = "proving";
  else ready(conn, false);
}

function proving(conn: Conn, type: number, text: string): void {
  if (type === types.NICK_AUTH_CHALLENGE) {
    const challenge = nickauth.parseChallenge(text);
    if (!challenge.ok) return fail(conn, challenge.fault.text);
    const proof = prove(conn.options.who, challenge.value, conn.hello);
    return send(conn, types.NICK_AUTH_PROOF, proof);
  }
  const result = nickauth.parseResult(text);
  const code = type === types.NICK_AUTH_RESULT && result.ok ? result.value : "malformed";
  if (code === "ok") ready(conn, true);
  else fail(conn, `the directory did not take the proof: ${code}`);
}

function ready(conn: Conn, proved: boolean): void {
  conn.phase = "ready";
  conn.options.ready(proved, conn.directory);
}

function said(conn: Conn, type: number, text: string): void {
  if (type === types.PING) return answer(conn);
  if (type === types.PEERLIST) {
    const list = peerlist.parse(text);
    if (list.ok) conn.options.peers(list.value.entries);
  } else if (type === types.PUBMSG || type === types.PRIVMSG) {
    const line = command.parseLine(text);
    if (line.ok) conn.options.line(line.value, text);
  }
}

function answer(conn: Conn): void {
  if (conn.options.pinged()) send(conn, types.PONG, "");
}
