/**
 * What peers say to a maker, and what it answers.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLine } from "../../../core/joinmarket/command.ts";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import * as offer from "../../../core/joinmarket/offer.ts";
import { defaults } from "../../../core/maker/config.ts";
import * as offers from "../../../core/maker/offers.ts";
import { notServing } from "../../../core/maker/talk.ts";
import * as rig from "../../support/maker.ts";
import * as takers from "../../support/maker-taker.ts";
import { running, said, stateOf } from "../../support/maker-told.ts";

const { types } = envelope;
const one = rig.nameOf(0);
const two = rig.nameOf(1);

test("maker: orderbook: a taker gets one signed reply for each offer", () => {
  const terms = [
    ...defaults.offers.terms,
    {
      kind: "sw0absoffer", minsizeSat: 100_000n, txfeeSat: 0n, txfeeSpreadPpm: 0,
      cjfeeSpreadPpm: 0, sizeSpreadPpm: 0, cjfeeSat: 700n,
    } as const,
  ];
  const r = running({
    config: { offers: { ...defaults.offers, network: "regtest", announceDelayMaxMs: 0, terms } },
  });
  const t = takers.taker(1);
  takers.join(r, t, one);
  takers.publish(r, t, one, "orderbook");
  rig.pass(r, 100);
  const replies = takers.heard(r, t, one);
  assert.deepEqual(
    replies.map(({ word, data }) => `${word} ${data}`), offers.publicLines(stateOf(r).offers),
  );
  assert.equal(replies.length, 2);
  for (const { word, data } of replies) {
    const line = parseLine(`a!b!${word} ${data}`);
    assert.ok(line.ok && offer.parse(line.value.commands[0]!).ok);
  }
});

test("maker: orderbook: each directory that brings a request takes the answer to it", () => {
  const r = running({ directories: 2 });
  const t = takers.taker(1);
  for (const to of [one, two]) takers.join(r, t, to);
  for (const to of [one, two]) takers.publish(r, t, to, "orderbook");
  rig.pass(r, 100);
  for (const to of [one, two]) assert.equal(takers.heard(r, t, to).length, 1);
  assert.equal(stateOf(r).counts.signatures, 1, "the same words are signed once");
});

test("maker: fill: hazard 12: refused on one way, it is answered on another", () => {
  const nickLines = { tokens: 1, perMs: 600_000, burst: 1 };
  const budgets = { ...defaults.guard.budgets, nickLines };
  const r = running({ directories: 2, config: { guard: { ...defaults.guard, budgets } } });
  const t = takers.taker(3);
  for (const to of [one, two]) takers.join(r, t, to);
  const [spent, wanted] = [takers.line(t, "fill", "0 1 2 3"), takers.line(t, "fill", "1 1 2 3")];
  for (const line of [spent, wanted]) takers.whisper(r, t, one, line);
  rig.pass(r, 100);
  assert.equal(takers.heard(r, t, one).length, 1);
  takers.whisper(r, t, two, wanted);
  rig.pass(r, 100);
  assert.equal(takers.heard(r, t, two).length, 1);
});

test("maker: fill: answered with a signed error, once for each message", () => {
  const r = running({ directories: 2 });
  const t = takers.taker(3);
  for (const to of [one, two]) takers.join(r, t, to);
  const line = takers.line(t, "fill", `0 1000000 ${"ab".repeat(32)} ${"cd".repeat(32)}`);
  for (const to of [one, two]) takers.whisper(r, t, to, line);
  rig.pass(r, 100);
  const all = [...takers.heard(r, t, one), ...takers.heard(r, t, two)];
  assert.deepEqual(all.map(({ word, data }) => [word, data]), [["error", notServing]]);
  rig.pass(r, 60_000);
  takers.whisper(r, t, one, line);
  rig.pass(r, 100);
  assert.equal(takers.heard(r, t, one).length, 0);
  assert.equal(stateOf(r).counts.replays, 1);
});

test("maker: fill: on mainnet too, and nothing is announced there", () => {
  const r = rig.start({
    config: {
      network: "mainnet", offers: { ...defaults.offers, announceDelayMaxMs: 0 },
      bitcoind: undefined, directories: [],
    },
  });
  rig.pass(r, 1_000);
  const t = takers.taker(3);
  const guest = takers.visit(r, t, "mainnet");
  rig.say(r, guest, envelope.encode(types.PRIVMSG, takers.line(t, "fill", "0 1 2 3")));
  assert.deepEqual(takers.heardDirectly(t, guest).map(({ word }) => word), ["error"]);
  assert.deepEqual(said(r), []);
  assert.equal(offers.blockOf(stateOf(r).offers), "mainnet");
});

test("maker: talk: unknown commands and other spellings are remembered by nobody", () => {
  const r = running();
  const t = takers.taker(4);
  takers.join(r, t, one);
  for (const word of ["auth", "tx", "FILL", "Fill", "fil", "x"]) {
    takers.whisper(r, t, one, takers.line(t, word, "0 1 2 3"));
  }
  rig.pass(r, 100);
  assert.equal(stateOf(r).dedup.signatures.size, 0);
  assert.equal(stateOf(r).counts.passed, 6);
  takers.whisper(r, t, one, takers.line(t, "fill", "0 1 2 3"));
  rig.pass(r, 100);
  assert.equal(takers.heard(r, t, one).length, 1);
});

test("maker: talk: a forged or malformed line is answered by nothing", () => {
  const r = running();
  const [t, other] = [takers.taker(5), takers.taker(6)];
  takers.join(r, t, one);
  const good = takers.line(t, "fill", "0 1 2 3");
  takers.whisper(r, t, one, good.replace("0 1 2 3", "0 1 2 4"));
  takers.whisper(r, t, one, `${t.nick}!${rig.nick}!fill 0 1 2 3`);
  takers.whisper(r, t, one, good.replace(t.pubkey, other.pubkey));
  rig.pass(r, 100);
  assert.equal(takers.heard(r, t, one).length, 0);
  const { forged, malformed } = stateOf(r).counts;
  assert.deepEqual([forged, malformed], [1, 2]);
});
