import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { ascii, text } from "../../../core/bytes.ts";
import type { ConnId } from "../../../core/ids.ts";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import { isNick } from "../../../core/joinmarket/nick.ts";
import * as onion from "../../../core/joinmarket/onion.ts";
import * as peerlist from "../../../core/joinmarket/peerlist.ts";
import * as read from "../../../sim/actors/read.ts";
import { stolenTags, type Odd } from "../../../sim/actors/told.ts";
import * as vet from "../../../sim/actors/vet.ts";
import { nickFor, onionFor, primitives } from "../../../sim/primitives.ts";
import * as yard from "./yard.ts";

const { types } = envelope;
const [maker, other, me] = [nickFor(1), nickFor(2), nickFor(9)];

/** What a taker that is up objects to when the directory sends it this. */
function objections(...frames: readonly Uint8Array[]): readonly Odd[] {
  const y = yard.create();
  const dir = yard.addDirectory(y);
  const taker = yard.addPeer(y, 9, { kind: "taker" });
  yard.advance(y, 2_000);
  const conn = yard.peerOf(taker).links[0]?.conn as ConnId;
  const before = yard.facts(taker, "odd").length;
  assert.equal(before, 0);
  assert.ok(yard.isIn(y, taker) && dir.isUp);
  for (const bytes of frames) yard.push(y, taker, { type: "conn.received", conn, bytes });
  return yard.facts(taker, "odd").map((fact) => fact.what);
}

const pub = (line: string): Uint8Array => envelope.encode(types.PUBMSG, line);
const priv = (line: string): Uint8Array => envelope.encode(types.PRIVMSG, line);
const list = (line: string): Uint8Array => envelope.encode(types.PEERLIST, line);
const entry = (i: number): string => peerlist.entry(nickFor(i), onionFor(i), ["ping"], false);

test("sim: actors: vet: what directories send passes", () => {
  assert.deepEqual(objections(
    pub(`${maker}!PUBLIC!sw0reloffer 0 27300 2500000000 0 0.0001000001!note #1000002`),
    pub(`${maker}!PUBLIC!chat #1000003`), priv(`${maker}!${me}!note #1000004`),
    list(entry(1)), list(`${entry(1)},${entry(2)}`), list(""),
    list(`${nickFor(3)};${onion.notServing};D,${nickFor(4)};${onionFor(4)};D`),
    envelope.encode(types.PING, ""),
  ), []);
});

test("sim: actors: vet: what directories must not send is told", () => {
  const cases: readonly (readonly [Odd, Uint8Array])[] = [
    ["malformed", ascii("{\"type\": 687}\r\n")],
    ["malformed", ascii("{\"type\": 687, \"line\": \"x\", \"line\": \"y\"}\r\n")],
    ["keys", ascii(`{"type": 687, "line": "${maker}!PUBLIC!chat", "x": "y"}\r\n`)],
    ["keys", ascii(`{"x": {"y": 1}, "type": 687, "line": "${maker}!PUBLIC!chat"}\r\n`)],
    ["head", pub(`J5;D,${maker.slice(5)}!PUBLIC!chat`)],
    ["head", pub(`${maker}1!PUBLIC!chat`)],
    ["head", pub(`${maker}!${other}!chat`)],
    ["head", priv(`${maker}!PUBLIC!chat`)],
    ["head", ascii(`{"type": 687, "line": "${maker}\\u0021!PUBLIC!chat"}\r\n`)],
    ["respelled", ascii(`{"type":687,"line":"${maker}!PUBLIC!chat"}\r\n`)],
    ["respelled", ascii(`{"type": 687, "line": "${maker}!PUBLIC!chat"}\r\r\n`)],
    ["echo", pub(`${me}!PUBLIC!chat`)],
    ["misdirected", priv(`${maker}!${other}!note`)],
    ["stolen", pub(`${maker}!PUBLIC!chat #${stolenTags + 1}`)],
    ["stolen", priv(`${maker}!${me}!pubkey #${stolenTags + 1}`)],
    ["entry", list(`${maker};${onionFor(1).replace(":5222", "")}`)],
    ["entry", list(`J5;${maker.slice(3)};${onionFor(1)}`)],
    ["entry", list(`${maker};${onionFor(1)};F:`)],
    ["entry", list(`${maker};${spoilt(onionFor(1))}`)],
    ["twice", list(`${entry(1)},${entry(2)},${entry(1)}`)],
  ];
  for (const [odd, frame] of cases) assert.deepEqual(objections(frame), [odd], text(frame));
});

test("sim: actors: vet: escapes in a head hide nobody", () => {
  const hidden = `\\u004a${maker.slice(1)}!PUBLI\\u0043!chat #${stolenTags + 1}`;
  const frame = ascii(`{"type": 687, "line": "${hidden}"}\r\n`);
  assert.deepEqual(objections(frame), ["respelled", "stolen"]);
});

test("sim: actors: vet: the directory's own nick and its lists", () => {
  const y = yard.create();
  const dir = yard.addDirectory(y);
  const taker = yard.addPeer(y, 9, { kind: "taker" });
  yard.advance(y, 2_000);
  const { conn } = yard.peerOf(taker).links[0] as { conn: ConnId };
  const { nick } = yard.directoryOf(dir);
  const push = (bytes: Uint8Array): readonly Odd[] => {
    yard.push(y, taker, { type: "conn.received", conn, bytes });
    return yard.facts(taker, "odd").map((fact) => fact.what);
  };
  assert.deepEqual(push(pub(`${nick}!PUBLIC!orderbook`)), []);
  assert.deepEqual(push(pub(`${nick}!PUBLIC!chat`)), ["impostor"]);
  assert.deepEqual(push(priv(`${nick}!${me}!note`)), ["impostor", "impostor"]);
  const own = peerlist.entry(nick, onionFor(1_000), ["ping"], false);
  assert.equal(push(list(own)).at(-1), "unasked", "the list asked for has been answered");
});

test("sim: actors: vet: a line before the registration is early", () => {
  const y = yard.create();
  yard.addDirectory(y);
  const taker = yard.addPeer(y, 9, { kind: "taker", auth: true });
  const link = yard.peerOf(taker).links[0];
  for (let i = 0; i < 2_000 && link?.phase !== "greeting"; i += 1) yard.advance(y, 1);
  const conn = link?.conn as ConnId;
  yard.push(y, taker, { type: "conn.received", conn, bytes: pub(`${maker}!PUBLIC!chat`) });
  assert.deepEqual(yard.facts(taker, "odd").map((fact) => fact.what), ["early"]);
});

test("sim: actors: vet: its names and addresses are those of the core", () => {
  const characters = "J5OIl0;,!aZ9";
  const near = fc.tuple(fc.nat(15), fc.constantFrom(...Array.from(characters)), fc.nat(30))
    .map(([at, by, who]) => nickFor(who).slice(0, at) + by + nickFor(who).slice(at + 1));
  fc.assert(fc.property(near, (nick) => {
    assert.equal(vet.isNickAt(ascii(nick), 0), isNick(nick));
  }), { numRuns: 500 });
  const address = fc.tuple(fc.nat(61), fc.constantFrom(...Array.from("a2d:0.A;")), fc.nat(30))
    .map(([at, by, who]) => onionFor(who).slice(0, at) + by + onionFor(who).slice(at + 1));
  fc.assert(fc.property(fc.oneof(address, fc.nat(30).map(onionFor)), (where) => {
    const b = ascii(`${maker};${where}`);
    const isGood = vet.isEntry(b, 0, b.length) && vet.hasChecksum(b, 0, primitives.sha3);
    const parsed = onion.parse(where, primitives.sha3);
    const isSame = parsed.ok && parsed.value.serving && parsed.value.text === where;
    assert.equal(isGood, isSame, where);
  }), { numRuns: 500 });
  for (const port of ["0", "1", "65535", "65536", "05", "123456", ""]) {
    const where = onionFor(1).replace("5222", port);
    const b = ascii(`${maker};${where}`);
    assert.equal(vet.isEntry(b, 0, b.length), onion.isLocation(where), where);
  }
});

test("sim: actors: read: a close look throws on no bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), (bytes, isFramed) => {
    const head = ascii("{\"type\": 687, \"line\": \"");
    const frame = isFramed ? Uint8Array.of(...head, ...bytes) : bytes;
    if (!read.isPlain(frame)) read.look(frame);
    vet.isEntry(frame, 0, frame.length);
  }), { numRuns: 500 });
  const long = ascii(`{"type":687,"line":"${maker}!PUBLIC!chat ${"x".repeat(30_000)}"}\r\n`);
  const { frame, odd } = read.look(long);
  assert.equal(odd, "respelled");
  assert.equal(read.publicFrom(frame ?? long), maker);
});

/** The same key with another checksum. */
function spoilt(address: string): string {
  return address.slice(0, 52) + (address[52] === "a" ? "b" : "a") + address.slice(53);
}
