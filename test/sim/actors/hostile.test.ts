import assert from "node:assert/strict";
import test from "node:test";
import { text as ascii } from "../../../core/bytes.ts";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import * as handshake from "../../../core/joinmarket/handshake.ts";
import { create, type Hostile, type Slot } from "../../../sim/actors/crew.ts";
import * as peer from "../../../sim/actors/peer.ts";
import * as masks from "../../../sim/actors/tricks/masks.ts";
import { spelled } from "../../../sim/actors/tricks/spelling.ts";
import { nickFor, primitives, pubkeyOf, secretFor } from "../../../sim/primitives.ts";
import { hostileKinds, type HostileKind } from "../../../sim/scenario.ts";
import * as yard from "./yard.ts";
import { hostileConfig } from "./yard.ts";

type Scene = {
  readonly y: yard.Yard;
  readonly dir: yard.Node;
  readonly maker: yard.Node;
  readonly taker: yard.Node;
  readonly hostile: yard.Node;
};

function scene(kind: HostileKind, zeal: number, ms: number): Scene {
  const y = yard.create();
  const dir = yard.addDirectory(y);
  const maker = yard.addPeer(y, 0, { kind: "maker", auth: true });
  const taker = yard.addPeer(y, 9, { kind: "taker" });
  yard.advance(y, 2_000);
  const hostile = yard.addHostile(y, 30, kind, zeal);
  yard.advance(y, ms);
  return { y, dir, maker, taker, hostile };
}

function mark(node: yard.Node, name: string): number {
  return yard.marksOf(node).filter((one) => one === name).length;
}

/** What all connections of a node have sent. */
function sentBy(y: yard.Yard, node: yard.Node): readonly string[] {
  return y.pipes.filter((pipe) => pipe.ends[0].node === node).map((pipe) => pipe.sent[0]);
}

/** What an honest peer holds against the directory; hostile peers may respell their own lines. */
function objections(node: yard.Node): readonly unknown[] {
  return yard.facts(node, "odd").filter(({ what, from }) => {
    return what !== "unexpected" && !(what === "respelled" && from !== nickFor(0));
  });
}

for (const kind of hostileKinds) {
  for (const zeal of [1, 10]) {
    test(`sim: actors: hostile: ${kind} at ${zeal} harms no honest peer`, () => {
      const { y, maker, taker, hostile } = scene(kind, zeal, zeal === 1 ? 180_000 : 90_000);
      assert.ok(mark(hostile, "dial") >= 1);
      assert.ok(yard.isIn(y, maker));
      assert.ok(yard.isIn(y, taker));
      assert.equal(yard.facts(maker, "up").length, 1, "never lost");
      assert.equal(yard.facts(taker, "up").length, 1, "never lost");
      const held = peer.offersAt(yard.peerOf(taker), "dir0")?.get(nickFor(0));
      assert.deepEqual(held, peer.ownOffers(yard.peerOf(maker)));
      assert.deepEqual(yard.facts(taker, "dropped").filter((f) => f.maker === nickFor(0)), []);
      assert.deepEqual([...objections(maker), ...objections(taker)], []);
      assert.deepEqual(yard.facts(hostile, "admitted"), []);
    });
  }
}

test("sim: actors: hostile: flood overdraws the directory's budgets", () => {
  const { dir } = scene("flood", 10, 400_000);
  const { drops } = yard.directoryOf(dir).counts;
  assert.ok(drops["rate-public"] > 0);
  assert.ok(drops["rate-orderbook"] > 0);
  assert.ok(drops["rate-ping"] > 0);
});

test("sim: actors: hostile: squatter holds a free nick and is refused a live one", () => {
  const y = yard.create();
  const dir = yard.addDirectory(y);
  for (let i = 0; i < 4; i += 1) yard.addPeer(y, i, { kind: "maker" });
  yard.advance(y, 2_000);
  const hostile = yard.addHostile(y, 30, "squatter", 3);
  yard.advance(y, 600_000);
  assert.ok(mark(hostile, "refused") >= 1);
  assert.ok(mark(hostile, "registered") >= 1);
  assert.ok(mark(hostile, "proof.sent") >= 1);
  assert.deepEqual(yard.facts(hostile, "admitted"), []);
  assert.ok(yard.directoryOf(dir).counts.totals.verified <= 3, "each of its own people once");
});

test("sim: actors: hostile: squatter shows false proofs of all sorts", () => {
  const { y, dir, hostile } = scene("squatter", 3, 1_500_000);
  const { handshakes } = yard.directoryOf(dir).counts;
  assert.ok(handshakes["own-nick"] > 0);
  assert.ok(handshakes["auth-invalid"] > 0);
  assert.ok(handshakes["auth-malformed"] > 0);
  const proofs = sentBy(y, hostile).flatMap((text) => text.split("\r\n"))
    .filter((line) => line.startsWith("{\"type\": 805"));
  const victims = [0, 1, 2, 3, 4, 5].map((i) => pubkeyOf(secretFor(i)));
  assert.ok(proofs.some((line) => victims.some((key) => line.includes(key))), "with their key");
  const lastOnes = new Set(proofs);
  assert.ok(lastOnes.size < proofs.length, "said again");
});

test("sim: actors: hostile: forger's handshakes are refused for every reason", () => {
  const { dir, hostile } = scene("forger", 10, 1_500_000);
  const { handshakes } = yard.directoryOf(dir).counts;
  for (const reason of ["nick", "location", "network", "fields", "directory"] as const) {
    assert.ok(handshakes[reason] > 0, reason);
  }
  assert.ok(handshakes["nick-in-use"] + handshakes["nick-contested"] > 0, "twice one nick");
  assert.deepEqual(yard.facts(hostile, "admitted"), []);
});

test("sim: actors: hostile: what should have been refused is told", () => {
  const y = yard.create();
  yard.addDirectory(y);
  const hostile = yard.addHostile(y, 30, "forger", 10);
  const slots = (hostile.kernel.state as Hostile).slots;
  const slot = (): Slot | undefined => {
    return slots.find((s) => s.phase === "open" && s.wrong !== undefined);
  };
  for (let i = 0; i < 6_000 && slot() === undefined; i += 1) yard.advance(y, 10);
  const one = slot();
  assert.ok(one !== undefined);
  const welcome = handshake.directoryHello({
    nick: nickFor(77), network: "regtest", motd: "", features: [], accepted: true,
  });
  const bytes = envelope.encode(envelope.types.DN_HANDSHAKE, welcome);
  yard.push(y, hostile, { type: "conn.received", conn: one.conn, bytes });
  const [told] = yard.facts(hostile, "admitted");
  assert.equal(told?.wrong, one.wrong);
  assert.equal(told?.nick, one.nick);
});

test("sim: actors: hostile: flood besieges one peer with long lines", () => {
  const { y, hostile } = scene("flood", 10, 600_000);
  const long = sentBy(y, hostile).flatMap((text) => text.split("\r\n"))
    .filter((line) => line.startsWith("{\"type\": 685") && line.length > 4_000);
  assert.ok(long.length >= 20);
  const counted = new Map<string, number>();
  for (const line of long) {
    const to = line.split("!")[1] ?? "";
    counted.set(to, (counted.get(to) ?? 0) + 1);
  }
  assert.ok(Math.max(...counted.values()) >= 20, "one peer gets many");
});

test("sim: actors: hostile: no wrong handshake is right, no spelling says something else", () => {
  const config = hostileConfig(30, "forger");
  const h = create(config, 1);
  const e = envelope.create();
  const seen = new Set<string>();
  for (let i = 0; i < 600; i += 1) {
    const { line, wrong } = masks.wrong(h);
    seen.add(wrong);
    const hello = handshake.parsePeer(line);
    if (!hello.ok) continue;
    assert.ok(!handshake.checkPeer(hello.value, { network: "regtest" }, primitives.sha3).ok, line);
  }
  assert.deepEqual([...seen].sort(), ["hello", "network", "nick", "onion"]);
  const text = `${nickFor(1)}!PUBLIC!chat #5 x"y\\z`;
  const shapes = new Set<string>();
  for (let i = 0; i < 300; i += 1) {
    const frame = spelled(h, 687, text);
    shapes.add(ascii(frame));
    assert.equal(envelope.scan(frame, e), undefined);
    assert.equal(e.type, 687);
    assert.equal(envelope.content(frame, e), text);
  }
  assert.ok(shapes.size > 100);
});

test("sim: actors: hostile: drip never finishes a handshake in time, or a line", () => {
  const { y, dir, hostile } = scene("drip", 4, 300_000);
  assert.ok(sentBy(y, hostile).some((text) => text.length > 0 && !text.includes("\n")));
  const { closes } = yard.directoryOf(dir).counts;
  assert.ok(closes["handshake-timeout"] > 0);
  assert.ok(closes["line-timeout"] > 0);
});

test("sim: actors: hostile: crowd says nothing on many connections", () => {
  const { y, dir, hostile } = scene("crowd", 3, 120_000);
  assert.ok(mark(hostile, "dial") >= 60);
  assert.deepEqual(sentBy(y, hostile).filter((text) => text !== ""), []);
  assert.ok(yard.directoryOf(dir).counts.closes["handshake-timeout"] > 0);
});

test("sim: actors: hostile: churn comes and goes under many nicks", () => {
  const { dir, hostile } = scene("churn", 3, 120_000);
  assert.ok(mark(hostile, "registered") + mark(hostile, "closed") >= 20);
  assert.ok(yard.directoryOf(dir).counts.totals.registered >= 10);
});

test("sim: actors: hostile: mute joins without reading", () => {
  const { y, dir, hostile } = scene("mute", 2, 30_000 + 60_000);
  assert.ok(mark(hostile, "hello.sent") >= 2);
  assert.equal(mark(hostile, "registered"), 0);
  assert.ok(yard.directoryOf(dir).counts.totals.registered >= 3);
  assert.ok(sentBy(y, hostile).every((text) => text.includes("\"type\": 791")));
});

test("sim: actors: hostile: forger is heard by nobody under another nick", () => {
  const { dir, taker, y, hostile } = scene("forger", 10, 400_000);
  const sent = sentBy(y, hostile).join("");
  assert.ok(sent.includes(`"line": "${nickFor(0)}!PUBLIC!`));
  assert.ok(yard.directoryOf(dir).counts.drops["from-nick"] > 0);
  assert.ok(sent.includes("\\u00"), "with escapes");
  const tags = yard.facts(taker, "heard").filter((fact) => fact.from === nickFor(0));
  assert.ok(tags.length <= 1);
});

test("sim: actors: hostile: garbage of many sorts arrives", () => {
  const { dir } = scene("garbage", 10, 400_000);
  const { counts } = yard.directoryOf(dir);
  assert.ok(counts.closes["not-a-handshake"] > 0);
  assert.ok(counts.closes["line-too-long"] > 0);
  assert.ok(Object.values(counts.drops).filter((count) => count > 0).length >= 3);
});
