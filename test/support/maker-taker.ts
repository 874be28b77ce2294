/**
 * Takers: who asks a maker, through directories or directly, with a key of their own.
 * @module
 */
import assert from "node:assert/strict";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { hex } from "../../core/bytes.ts";
import type { ConnId } from "../../core/ids.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import { nickOf } from "../../core/joinmarket/nick.ts";
import * as signed from "../../core/joinmarket/signed.ts";
import * as node from "./directory.ts";
import * as drive from "./drive.ts";
import * as rig from "./maker.ts";
import { primitives } from "./primitives.ts";

const { types } = envelope;

export type Taker = {
  readonly nick: string; readonly pubkey: string; readonly key: Uint8Array;
  /** Its connection to each directory, by name. */
  readonly conns: Map<string, ConnId>;
};

export function taker(i: number): Taker {
  const key = new Uint8Array(32).fill(100 + i);
  const pubkey = hex(secp256k1.getPublicKey(key, true));
  return { key, pubkey, nick: nickOf(pubkey, 5, primitives.sha256), conns: new Map() };
}

const helloOf = (t: Taker, network = "regtest"): string =>
  node.helloOf({ nick: t.nick, features: ["ping"] }, network);

/** Joins a directory. */
export function join(r: rig.Rig, t: Taker, to: string): void {
  const { node: n } = r.directories.get(to) as rig.Directory;
  const conn = drive.open(n.drive);
  t.conns.set(to, conn);
  node.send(n, conn, types.HANDSHAKE, helloOf(t));
  rig.pass(r, 50);
  assert.ok(node.isIn(n, conn), "the taker is not in");
  node.fresh(n, conn);
}

export function publish(r: rig.Rig, t: Taker, to: string, words: string): void {
  say(r, t, to, types.PUBMSG, `${t.nick}!PUBLIC!${words}`);
}

export function whisper(r: rig.Rig, t: Taker, to: string, line: string): void {
  say(r, t, to, types.PRIVMSG, line);
}

/** A public line that a hostile directory has made up. */
export function forge(r: rig.Rig, to: string, text: string): void {
  relay(r, to, types.PUBMSG, text);
}

/** A private line that a hostile directory says again. */
export function repeat(r: rig.Rig, to: string, text: string): void {
  relay(r, to, types.PRIVMSG, text);
}

function relay(r: rig.Rig, to: string, type: number, text: string): void {
  const [conn] = [...r.lines.values()].filter((one) => one.to === to && !one.isGone);
  assert.ok(conn !== undefined, `no connection to ${to}`);
  const bytes = envelope.encode(type, text);
  rig.push(r, { type: "conn.received", conn: conn.conn, bytes });
}

function say(r: rig.Rig, t: Taker, to: string, type: number, line: string): void {
  const { node: n } = r.directories.get(to) as rig.Directory;
  node.send(n, t.conns.get(to) as ConnId, type, line);
}

/** A private line with its signature. */
export function line(t: Taker, word: string, data: string, to = rig.nick): string {
  const digest = signed.digestFor(data, primitives.sha256);
  const der = secp256k1.sign(digest, t.key, { prehash: false, format: "der" });
  return signed.appended(signed.unsigned(t.nick, to, word, data), t.pubkey, der);
}

/** Private lines from the maker that have come since the last call, verified. */
export function heard(r: rig.Rig, t: Taker, to: string): readonly signed.Signed[] {
  const { node: n } = r.directories.get(to) as rig.Directory;
  const lines = node.freshLines(n, t.conns.get(to) as ConnId, types.PRIVMSG);
  return lines.map((one) => verified(t, one));
}

export function verified(t: Taker, one: string): signed.Signed {
  const read = signed.read(one, t.nick, primitives.sha256);
  assert.ok(read.ok, one);
  assert.equal(read.value.from, rig.nick);
  assert.ok(signed.verify(read.value, primitives), "the signature holds");
  return read.value;
}

/** A taker that connects directly, and has shaken hands. */
export function visit(r: rig.Rig, t: Taker, network = "regtest"): rig.Guest {
  const guest = rig.visit(r);
  rig.say(r, guest, envelope.encode(types.HANDSHAKE, helloOf(t, network)));
  return guest;
}

/** Private lines from the maker on a direct connection, verified. */
export function heardDirectly(t: Taker, guest: rig.Guest): readonly signed.Signed[] {
  return rig.read(guest).filter(({ type }) => type === types.PRIVMSG)
    .map(({ line: one }) => verified(t, one));
}
