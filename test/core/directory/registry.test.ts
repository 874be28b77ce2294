import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import { ascii } from "../../../core/bytes.ts";
import * as registry from "../../../core/directory/registry.ts";
import type { ConnId } from "../../../core/ids.ts";

const onion = `${"a".repeat(56)}.onion:5222`;

function newcomer(n: number, over: Partial<registry.Newcomer> = {}): registry.Newcomer {
  const nick = `J5${1_000 + n}`.padEnd(16, "O");
  return {
    conn: n as ConnId, nick, nickBytes: ascii(nick), location: onion, maker: true,
    features: [], pubkey: undefined, ...over,
  };
}

/** What must hold whatever came and went. */
function holds(r: registry.Registry): void {
  const makers = [...r.byNick.values()].filter((peer) => peer.maker);
  assert.equal(r.makers.length, r.seqs.length);
  assert.deepEqual(r.makers.filter((peer) => peer !== undefined), makers);
  r.makers.forEach((peer, at) => assert.ok(peer === undefined || peer.seq === r.seqs[at]));
  assert.ok(r.seqs.every((seq, at) => at === 0 || seq > (r.seqs[at - 1] as number)));
  assert.ok(r.makers.length <= 64 || r.makerCount * 2 >= r.makers.length, "too many holes");
  assert.equal(r.makerCount, makers.length);
  assert.equal(registry.size(r), r.byNick.size);
  const all = [...r.byNick.values()];
  assert.equal(r.pingCount, all.filter((peer) => peer.features.includes("ping")).length);
  assert.equal(r.verifiedCount, all.filter((peer) => peer.pubkey !== undefined).length);
  for (const [nick, peer] of r.byNick) assert.equal(peer.nick, nick);
}

test("directory: registry: a small table full of holes has few when it grows", () => {
  const r = registry.create();
  const peers = Array.from({ length: 64 }, (_, n) => registry.add(r, newcomer(n)));
  for (const peer of peers.slice(0, 40)) registry.remove(r, peer);
  assert.equal(r.makers.length, 64, "a small one keeps them");
  registry.add(r, newcomer(64));
  assert.equal(r.makers.length, 25);
  holds(r);
});

test("directory: registry: counts, order and cursors hold under any coming and going", () => {
  const act = fc.record({
    n: fc.integer({ min: 0, max: 199 }), maker: fc.boolean(), ping: fc.boolean(),
    proved: fc.boolean(),
  });
  const cursor = fc.integer({ min: 0, max: 400 });
  fc.assert(fc.property(fc.array(act, { maxLength: 300, size: "max" }), cursor, (acts, from) => {
    const r = registry.create();
    for (const { n, maker, ping, proved } of acts) {
      const { nick } = newcomer(n);
      const known = registry.find(r, nick);
      if (known !== undefined) registry.remove(r, known);
      else registry.add(r, newcomer(n, {
        maker, features: ping ? ["ping"] : [], pubkey: proved ? "02" : undefined,
      }));
    }
    holds(r);
    const makers = [...r.byNick.values()].filter((peer) => peer.maker);
    const later = makers.filter((peer) => peer.seq > from).map((peer) => peer.seq);
    const walked: number[] = [];
    for (let peer = registry.nextMaker(r, from); peer !== undefined;) {
      walked.push(peer.seq);
      peer = registry.nextMaker(r, peer.seq);
    }
    assert.deepEqual(walked, later);
  }), { numRuns: 60 });
});

test("directory: registry: a cursor stays good when makers leave and the list is compacted", () => {
  const r = registry.create();
  const peers = Array.from({ length: 100 }, (_, n) => registry.add(r, newcomer(n)));
  for (const peer of peers.slice(0, 50)) registry.remove(r, peer);
  assert.equal(r.makers.length, 100);
  assert.equal(registry.nextMaker(r, 10)?.seq, 51);
  registry.remove(r, peers[50] as registry.Peer);
  assert.equal(r.makers.length, 49);
  assert.equal(registry.nextMaker(r, 10)?.seq, 52);
  assert.equal(registry.nextMaker(r, 99)?.seq, 100);
  assert.equal(registry.nextMaker(r, 100), undefined);
  assert.equal(registry.add(r, newcomer(500)).seq, 101);
  holds(r);
});

test("directory: registry: takers have no number and are on no list", () => {
  const r = registry.create();
  const taker = registry.add(r, newcomer(1, { maker: false, location: "NOT-SERVING-ONION" }));
  assert.equal(taker.seq, 0);
  assert.equal(registry.nextMaker(r, 0), undefined);
  registry.remove(r, taker);
  assert.equal(registry.size(r), 0);
});

test("directory: registry: what a peer can do is read from its features", () => {
  const r = registry.create();
  const full = registry.add(r, newcomer(1, { features: ["peerlist_features", "ping"] }));
  const none = registry.add(r, newcomer(2));
  assert.deepEqual([full.ping, full.wantsFeatures], [true, true]);
  assert.deepEqual([none.ping, none.wantsFeatures], [false, false]);
});

test("directory: registry: equal feature lists are one array, for as long as one has them", () => {
  const r = registry.create();
  const [a, b] = [1, 2].map((n) => registry.add(r, newcomer(n, { features: ["ping"] })));
  assert.equal(a?.features, b?.features);
  registry.remove(r, a as registry.Peer);
  assert.equal(r.featureLists.size, 1);
  registry.remove(r, b as registry.Peer);
  assert.equal(r.featureLists.size, 0);
});

test("directory: registry: one nick has one owner", () => {
  const r = registry.create();
  const peer = registry.add(r, newcomer(1));
  assert.throws(() => registry.add(r, newcomer(1, { conn: 3 as ConnId })), InvariantError);
  registry.remove(r, peer);
  assert.throws(() => registry.remove(r, peer), InvariantError);
  const next = registry.add(r, newcomer(1, { conn: 3 as ConnId }));
  assert.throws(() => registry.remove(r, peer), InvariantError);
  assert.equal(registry.find(r, peer.nick), next);
});

test("directory: registry: a maker away from its number is our error", () => {
  const r = registry.create();
  const peer = registry.add(r, newcomer(1));
  r.makers[0] = undefined;
  assert.throws(() => registry.remove(r, peer), /not at its number/);
});
