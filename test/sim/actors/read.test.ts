import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { ascii, utf8 } from "../../../core/bytes.ts";
import * as command from "../../../core/joinmarket/command.ts";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import * as offer from "../../../core/joinmarket/offer.ts";
import * as peerlist from "../../../core/joinmarket/peerlist.ts";
import * as book from "../../../sim/actors/book.ts";
import * as read from "../../../sim/actors/read.ts";
import { nickFor, onionFor } from "../../../sim/primitives.ts";
import { mono } from "../../../core/time.ts";
import * as yard from "./yard.ts";

const { types } = envelope;

test("sim: actors: read: cheap readers and the core agree on every announcement", () => {
  const y = yard.create();
  yard.addDirectory(y);
  const maker = yard.addPeer(y, 0, { kind: "maker" });
  yard.advance(y, 1_000);
  for (let size = 1; size <= 5; size += 1) {
    yard.ask(y, maker, { op: "announce", size });
    const sent = yard.newest(y, maker).sent[0].split("\r\n");
    const frame = ascii(`${sent.at(-2) ?? ""}\r\n`);
    const e = envelope.create();
    assert.equal(envelope.scan(frame, e), undefined);
    const text = envelope.content(frame, e);
    const line = command.parseLine(text);
    assert.ok(line.ok);
    const announced = line.value.commands.filter((one) => offer.isOffer(one.word));
    assert.ok(announced.every((one) => offer.parse(one).ok));
    assert.equal(announced.length, size);
    assert.equal(line.value.commands.length, 6, "the rest is cancelled, and a note");
    const offers: read.Offers = { tag: 0, size: 0 };
    read.publicOffers(frame, offers);
    assert.deepEqual(offers, { tag: yard.peerOf(maker).offersTag, size });
    const told = yard.facts(maker, "announced").at(-1);
    assert.equal(yard.tagIn(text), told?.tag);
    assert.equal(read.publicTag(frame), told?.tag);
    assert.equal(told?.offers, offers.tag);
    assert.equal(read.publicFrom(frame), nickFor(0));
    assert.equal(read.typeOf(frame), types.PUBMSG);
  }
});

test("sim: actors: read: other spellings come out the same", () => {
  const line = `${nickFor(3)}!PUBLIC!orderbook #1000001`;
  const spellings = [
    `{"type": 687, "line": "${line}"}`, `{"type":687,"line":"${line}"}`,
    `{"line": "${line}", "type": 687}`, `{ "type" : 687 , "x": [1], "line": "${line}" }`,
    `{"type": 687, "line": "\\u004a${line.slice(1)}"}`,
  ];
  for (const spelling of spellings) {
    const frame = read.usual(ascii(`${spelling}\r\n`));
    assert.ok(frame !== undefined);
    assert.equal(read.typeOf(frame), 687);
  }
  for (const spelling of spellings.slice(0, 4)) {
    const frame = read.usual(ascii(`${spelling}\r\n`)) as Uint8Array;
    assert.ok(read.isOrderbook(frame));
    assert.equal(read.publicFrom(frame), nickFor(3));
    assert.equal(read.publicTag(frame), 1_000_001);
  }
  assert.equal(read.usual(ascii("{\"type\": 7\r\n")), undefined);
  assert.equal(read.usual(utf8("{\"type\":687,\"line\":\"é\"}\r\n"))?.length, 33);
});

test("sim: actors: read: nothing throws on any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), (bytes, isFramed) => {
    const head = ascii("{\"type\": 687, \"line\": \"");
    const frame = isFramed ? Uint8Array.of(...head, ...bytes) : bytes;
    const offers: read.Offers = { tag: 0, size: 0 };
    const usual = read.usual(frame);
    if (usual === undefined) return;
    read.typeOf(usual);
    read.publicFrom(usual);
    read.privateBetween(usual);
    read.isOrderbook(usual);
    read.publicOffers(usual, offers);
    read.privateOffers(usual, offers);
    read.publicTag(usual);
    read.privateTag(usual);
    read.hasLeavers(usual);
    read.lineOf(usual);
  }), { numRuns: 500 });
});

test("sim: actors: read: who left is seen in a peerlist and nowhere else", () => {
  const here = peerlist.entry(nickFor(1), onionFor(1), ["ping"], false);
  const gone = peerlist.entry(nickFor(2), onionFor(2), undefined, true);
  const frame = (text: string): Uint8Array => envelope.encode(types.PEERLIST, text);
  assert.equal(read.hasLeavers(frame(here)), false);
  assert.equal(read.hasLeavers(frame(`${here},${gone}`)), true);
  assert.equal(read.hasLeavers(frame(`${gone},${here}`)), true);
  assert.equal(read.hasLeavers(frame("")), false);
});

test("sim: actors: book: the missing are asked for twice, at most once a minute", () => {
  const b = book.create();
  book.listed(b, nickFor(1), mono(1_000));
  assert.equal(b.askAt, 6_000);
  assert.equal(book.due(b, mono(6_000)), true);
  book.listed(b, nickFor(1), mono(7_000));
  assert.equal(b.askAt, 66_000);
  assert.equal(book.due(b, mono(66_000)), true);
  book.listed(b, nickFor(1), mono(70_000));
  assert.equal(b.askAt, Number.MAX_SAFE_INTEGER);
  assert.equal(book.offered(b, nickFor(1), 5, 2), true);
  assert.equal(book.offered(b, nickFor(1), 5, 2), false);
  book.listed(b, nickFor(1), mono(80_000));
  assert.equal(b.missing.size, 0);
  for (let i = 0; i < 400; i += 1) book.listed(b, `nick${i}`, mono(90_000));
  assert.equal(b.missing.size, book.missingMax);
});

test("sim: actors: book: offers are held of so many makers and no more", () => {
  const b = book.create();
  for (let i = 0; i < book.makersMax; i += 1) assert.ok(book.offered(b, `nick${i}`, 1, 1));
  assert.equal(book.offered(b, "one more", 1, 1), false);
  assert.equal(book.offered(b, "nick0", 2, 1), true);
  assert.equal(book.gone(b, "nick0"), true);
  assert.equal(book.gone(b, "nick0"), false);
  assert.equal(book.offered(b, "one more", 1, 1), true);
});
