/**
 * Direct connections of takers, from end to end.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import * as offers from "../../../core/maker/offers.ts";
import * as rig from "../../support/maker.ts";
import * as takers from "../../support/maker-taker.ts";
import { running, stateOf } from "../../support/maker-told.ts";

const { types } = envelope;
const one = rig.nameOf(0);

test("maker: direct: handshake, order book, fill, and PING are answered", () => {
  const r = running();
  const t = takers.taker(8);
  const guest = takers.visit(r, t);
  assert.equal(rig.read(guest)[0]?.type, types.HANDSHAKE);
  rig.say(r, guest, envelope.encode(types.PING, ""));
  assert.equal(rig.read(guest).at(-1)?.type, types.PONG);
  rig.say(r, guest, envelope.encode(types.PUBMSG, `${t.nick}!PUBLIC!!orderbook`));
  assert.deepEqual(
    takers.heardDirectly(t, guest).map(({ word, data }) => `${word} ${data}`),
    offers.publicLines(stateOf(r).offers),
  );
  rig.say(r, guest, envelope.encode(types.PRIVMSG, takers.line(t, "fill", "0 1 2 3")));
  assert.equal(takers.heardDirectly(t, guest).at(-1)?.word, "error");
  rig.pass(r, 31_000);
  rig.say(r, guest, envelope.encode(types.PRIVMSG, `${t.nick}!${rig.nick}!orderbook`));
  assert.equal(takers.heardDirectly(t, guest).length, 3);
  assert.equal(guest.isGone, false);
});

test("maker: direct: who asks too often is turned away, and others are not", () => {
  const r = running();
  const t = takers.taker(9);
  const guest = takers.visit(r, t);
  for (let i = 0; i < 60 && !guest.isGone; i += 1) {
    rig.say(r, guest, envelope.encode(types.PUBMSG, `${t.nick}!PUBLIC!!orderbook`));
    rig.pass(r, 1_000);
  }
  assert.ok(guest.isGone);
  const again = takers.visit(r, takers.taker(10));
  rig.say(r, again, envelope.encode(types.PUBMSG, `${takers.taker(10).nick}!PUBLIC!orderbook`));
  assert.equal(takers.heardDirectly(takers.taker(10), again).length, 1);
});

test("maker: direct: a copy of what a directory brought is nothing to hold against anybody", () => {
  const r = running();
  const t = takers.taker(11);
  takers.join(r, t, one);
  const guest = takers.visit(r, t);
  for (let i = 0; i < 12; i += 1) {
    const line = takers.line(t, "fill", `${i} 1 2 3`);
    takers.whisper(r, t, one, line);
    rig.pass(r, 1_000);
    rig.say(r, guest, envelope.encode(types.PRIVMSG, line));
  }
  assert.equal(guest.isGone, false);
  assert.equal(takers.heard(r, t, one).length, 12);
});
