import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { unreachable } from "../../../core/assert.ts";
import type { ConnId } from "../../../core/ids.ts";
import {
  backoffMsMax, dialMs, greetMs, pingMsMax, pongMs, silentMs,
} from "../../../sim/actors/link.ts";
import * as peer from "../../../sim/actors/peer.ts";
import { answerMs } from "../../../sim/actors/say.ts";
import { nickFor } from "../../../sim/primitives.ts";
import type { Work } from "../../../sim/scenario.ts";
import { clone } from "../../support/laws.ts";
import * as yard from "./yard.ts";

/** Bound of L1: 90 s and the longest backoff. */
const backMsMax = 150_000;

function phaseOf(node: yard.Node): string | undefined {
  return peer.links(yard.peerOf(node))[0]?.phase;
}

function sameOffers(taker: yard.Node, maker: yard.Node): void {
  const { nick } = yard.peerOf(maker).config;
  const held = peer.offersAt(yard.peerOf(taker), "dir0")?.get(nick);
  assert.deepEqual(held, peer.ownOffers(yard.peerOf(maker)));
}

test("sim: actors: peer: a new maker is registered and announces its offers", () => {
  const y = yard.create();
  yard.addDirectory(y);
  const maker = yard.addPeer(y, 0, { kind: "maker" });
  yard.advance(y, 2_000);
  assert.ok(yard.isIn(y, maker));
  assert.deepEqual(yard.marksOf(maker), ["dial", "hello.sent", "registered"]);
  assert.equal(yard.facts(maker, "announced").length, 1);
});

for (const speaks of ["old", "new"] as const) {
  for (const auth of [false, true]) {
    const who = `${speaks}${auth ? " with a key" : ""}`;
    test(`sim: actors: peer: a taker holds every maker's offers: ${who}`, () => {
      const y = yard.create();
      yard.addDirectory(y);
      const makers = [0, 1, 2].map((i) => yard.addPeer(y, i, { kind: "maker", speaks, auth }));
      yard.advance(y, 3_000);
      const taker = yard.addPeer(y, 9, { kind: "taker", speaks, auth });
      yard.advance(y, 3_000);
      assert.ok(yard.isIn(y, taker));
      assert.equal(yard.marksOf(taker).includes("proof.sent"), auth);
      for (const maker of makers) {
        assert.ok(yard.isIn(y, maker));
        sameOffers(taker, maker);
      }
      const [first] = makers as [yard.Node];
      yard.ask(y, first, { op: "announce", size: 4 });
      yard.advance(y, 1_000);
      sameOffers(taker, first);
      assert.equal(peer.ownOffers(yard.peerOf(first)).size, 4);
      yard.ask(y, first, { op: "away", forMs: 10_000 });
      yard.advance(y, 9_000);
      assert.equal(peer.offersAt(yard.peerOf(taker), "dir0")?.has(nickFor(0)), false);
      assert.deepEqual(yard.facts(taker, "dropped").map((f) => f.why), ["left"]);
      yard.advance(y, 4_000);
      sameOffers(taker, first);
    });
  }
}

test("sim: actors: peer: a taker's request is answered, with its tag", () => {
  const y = yard.create();
  yard.addDirectory(y);
  const maker = yard.addPeer(y, 0, { kind: "maker" });
  const taker = yard.addPeer(y, 9, { kind: "taker" });
  yard.ask(y, taker, { op: "fill", maker: "maker0", bytes: 3_000 });
  assert.equal(yard.facts(taker, "unasked").length, 1);
  yard.advance(y, 3_000);
  yard.ask(y, taker, { op: "fill", maker: "maker0", bytes: 3_000 });
  yard.advance(y, 1_000);
  const [asked] = yard.facts(taker, "asked");
  const [answered] = yard.facts(taker, "answered");
  assert.equal(asked?.tag, answered?.tag);
  assert.equal(yard.facts(maker, "answering")[0]?.tag, asked?.tag);
  assert.equal(answered?.from, nickFor(0));
  yard.ask(y, taker, { op: "fill", maker: "nobody", bytes: 1 });
  assert.equal(yard.facts(taker, "asked").length, 1);
});

test("sim: actors: peer: a request without an answer is given up in time", () => {
  const y = yard.create();
  yard.addDirectory(y);
  const maker = yard.addPeer(y, 0, { kind: "maker" });
  const taker = yard.addPeer(y, 9, { kind: "taker" });
  yard.advance(y, 3_000);
  yard.lose(yard.newest(y, maker));
  yard.ask(y, taker, { op: "fill", maker: "maker0", bytes: 10 });
  yard.advance(y, answerMs - 1);
  assert.equal(yard.facts(taker, "unanswered").length, 0);
  yard.advance(y, 1);
  assert.equal(yard.facts(taker, "unanswered").length, 1);
});

test("sim: actors: peer: a lost welcome ends at the handshake's own deadline", () => {
  const y = yard.create();
  yard.addDirectory(y);
  const maker = yard.addPeer(y, 0, { kind: "maker" });
  // What comes back on its first connection is lost.
  while (maker.dials.length === 0) yard.advance(y, 1);
  yard.lose(yard.newest(y, maker), false, true);
  yard.advance(y, 100);
  assert.equal(phaseOf(maker), "shaking");
  const [link] = peer.links(yard.peerOf(maker));
  const startedAt = link?.since ?? 0;
  const conn = link?.conn as ConnId;
  // Traffic does not put it off, and a PING is not answered before the welcome.
  const ping = new TextEncoder().encode("{\"type\": 798, \"line\": \"\"}\r\n");
  while (y.now < startedAt + greetMs - 1_000) {
    yard.advance(y, 1_000);
    yard.push(y, maker, { type: "conn.received", conn, bytes: ping.slice() });
  }
  assert.ok(!yard.marksOf(maker).includes("pong.sent"));
  yard.runTo(y, startedAt + greetMs - 1);
  assert.equal(phaseOf(maker), "shaking");
  yard.runTo(y, startedAt + greetMs);
  assert.equal(phaseOf(maker), "waiting");
  yard.advance(y, 60_000);
  assert.ok(yard.isIn(y, maker), "the ghost of its own nick was probed and lost");
});

for (const [name, there, back] of [
  ["both ways", true, true], ["towards the directory", true, false],
  ["towards the peer", false, true],
] as const) {
  for (const auth of [false, true]) {
    test(`sim: actors: peer: a half-open link is noticed, ${name}, auth ${auth}`, () => {
      const y = yard.create();
      yard.addDirectory(y);
      const maker = yard.addPeer(y, 0, { kind: "maker", auth });
      const taker = yard.addPeer(y, 9, { kind: "taker" });
      yard.advance(y, 30_000);
      yard.lose(yard.newest(y, maker), there, back);
      yard.ask(y, maker, { op: "announce", size: 3 });
      // Broadcasts must not make a peer believe that it is heard.
      for (let i = 0; i < backMsMax / 5_000; i += 1) {
        yard.ask(y, taker, { op: "chat", bytes: 30 });
        yard.advance(y, 5_000);
      }
      assert.ok(yard.isIn(y, maker));
      sameOffers(taker, maker);
      const [down] = yard.facts(maker, "down");
      assert.equal(down?.why, "no-pong");
    });
  }
}

test("sim: actors: peer: the pong wait ends exactly", () => {
  const y = yard.create();
  yard.addDirectory(y);
  const maker = yard.addPeer(y, 0, { kind: "maker" });
  yard.advance(y, 1_000);
  yard.lose(yard.newest(y, maker));
  yard.advance(y, pingMsMax);
  const pinged = maker.marks.find((one) => one.mark === "ping.sent");
  assert.ok(pinged !== undefined);
  yard.runTo(y, pinged.at + pongMs - 1);
  assert.equal(phaseOf(maker), "up");
  yard.runTo(y, pinged.at + pongMs);
  assert.equal(phaseOf(maker), "waiting");
});

test("sim: actors: peer: an old peer gives up after half an hour without a byte", () => {
  const y = yard.create();
  yard.addDirectory(y);
  const maker = yard.addPeer(y, 0, { kind: "maker", speaks: "old" });
  yard.advance(y, 1_000);
  yard.ask(y, maker, { op: "ping" });
  const heardAt = yard.peerOf(maker).links[0]?.heardAt ?? 0;
  yard.lose(yard.newest(y, maker));
  yard.runTo(y, heardAt + silentMs - 1);
  assert.equal(phaseOf(maker), "up");
  assert.ok(!yard.marksOf(maker).includes("ping.sent"));
  yard.runTo(y, heardAt + silentMs + 500);
  assert.equal(phaseOf(maker), "waiting");
});

test("sim: actors: peer: the directory's PING is answered, an old maker answers its probe", () => {
  const y = yard.create();
  const heartbeat = { sweepMs: 1_000, idleMs: 5_000, hardMs: 60_000, pongMs: 2_000 };
  const dir = yard.addDirectory(y, 0, { heartbeat });
  const fresh = yard.addPeer(y, 0, { kind: "maker" });
  const old = yard.addPeer(y, 1, { kind: "maker", speaks: "old" });
  yard.advance(y, 200_000);
  assert.equal(yard.facts(fresh, "up").length, 1);
  assert.equal(yard.facts(old, "up").length, 1);
  assert.ok(yard.marksOf(fresh).filter((mark) => mark === "pong.sent").length >= 10);
  assert.ok(yard.directoryOf(dir).counts.totals.toDirectory >= 10);
});

test("sim: actors: peer: events of an old connection change nothing", () => {
  const y = yard.create();
  yard.addDirectory(y);
  const maker = yard.addPeer(y, 0, { kind: "maker" });
  yard.advance(y, 2_000);
  yard.push(y, maker, { type: "conn.closed", conn: maker.dials[0] as ConnId, reason: "reset" });
  yard.advance(y, 20_000);
  assert.equal(maker.dials.length, 2);
  yard.push(y, maker, { type: "clock.anchored", unixMs: 0 });
  const before = clone(maker.kernel.state);
  const conn = maker.dials[0] as ConnId;
  yard.push(y, maker, { type: "conn.closed", conn, reason: "eof" });
  yard.push(y, maker, { type: "conn.received", conn, bytes: Uint8Array.of(10) });
  yard.push(y, maker, { type: "conn.congested", conn });
  yard.push(y, maker, { type: "conn.dialed", conn });
  yard.push(y, maker, { type: "conn.failed", conn, reason: "refused" });
  assert.deepEqual(maker.kernel.state, before);
});

test("sim: actors: peer: of two with one nick the later gets in when the first leaves", () => {
  const y = yard.create();
  yard.addDirectory(y);
  const first = yard.addPeer(y, 0, { kind: "maker" });
  yard.advance(y, 2_000);
  const second = yard.addPeer(y, 0, { kind: "maker", id: "twin0" });
  yard.advance(y, 120_000);
  assert.ok(yard.isIn(y, first));
  assert.ok(yard.marksOf(second).filter((mark) => mark === "refused").length >= 5);
  yard.ask(y, first, { op: "away", forMs: 600_000 });
  yard.advance(y, 61_000);
  assert.ok(yard.isIn(y, second));
});

test("sim: actors: peer: the backoff doubles to its cap, and the way back is found", () => {
  const y = yard.create();
  yard.addDirectory(y);
  const maker = yard.addPeer(y, 0, { kind: "maker" });
  yard.advance(y, 5_000);
  yard.kill(y, y.nodes.get("dir0") as yard.Node);
  const dials: number[] = [];
  const from = y.now;
  yard.advance(y, 600_000);
  for (const one of maker.marks) if (one.mark === "dial" && one.at > from) dials.push(one.at);
  for (let i = 1; i < dials.length; i += 1) {
    const gap = (dials[i] as number) - (dials[i - 1] as number) - y.latencyMs;
    const full = Math.min(backoffMsMax, 1_000 * 2 ** i);
    assert.ok(gap >= full / 2 && gap <= full, `attempt ${i} after ${gap}`);
  }
  yard.addDirectory(y);
  yard.advance(y, backoffMsMax + 1_000);
  assert.ok(yard.isIn(y, maker));
});

test("sim: actors: peer: what waits for a congested connection is bounded", () => {
  const y = yard.create();
  yard.addDirectory(y);
  const maker = yard.addPeer(y, 0, { kind: "maker" });
  yard.advance(y, 2_000);
  const conn = maker.dials.at(-1) as ConnId;
  yard.push(y, maker, { type: "conn.congested", conn });
  yard.ask(y, maker, { op: "chat", bytes: 30_000 });
  yard.ask(y, maker, { op: "chat", bytes: 30_000 });
  assert.equal(yard.peerOf(maker).links[0]?.waiting.length, 2);
  yard.push(y, maker, { type: "conn.drained", conn });
  assert.equal(yard.peerOf(maker).links[0]?.waiting.length, 0);
  yard.push(y, maker, { type: "conn.congested", conn });
  yard.ask(y, maker, { op: "burst", count: 2_000, bytes: 1_000 });
  assert.equal(yard.facts(maker, "down")[0]?.why, "stuck");
  yard.advance(y, 20_000);
  assert.ok(yard.isIn(y, maker));
});

test("sim: actors: peer: a burst costs nobody its offers for long", () => {
  const y = yard.create();
  yard.addDirectory(y);
  const maker = yard.addPeer(y, 0, { kind: "maker" });
  const taker = yard.addPeer(y, 9, { kind: "taker" });
  yard.advance(y, 3_000);
  yard.ask(y, maker, { op: "burst", count: 400, bytes: 50 });
  yard.ask(y, maker, { op: "announce", size: 5 });
  yard.advance(y, 35_000);
  sameOffers(taker, maker);
});

test("sim: actors: peer: every public line has its tag on the wire and in the facts", () => {
  const y = yard.create();
  yard.addDirectory(y);
  const maker = yard.addPeer(y, 0, { kind: "maker" });
  const taker = yard.addPeer(y, 9, { kind: "taker" });
  yard.advance(y, 3_000);
  const tasks: Work[] = [
    { op: "chat", bytes: 57 }, { op: "announce", size: 5 }, { op: "burst", count: 3, bytes: 5 },
  ];
  for (const task of tasks) yard.ask(y, maker, task);
  yard.ask(y, taker, { op: "orderbook" });
  yard.advance(y, 1_000);
  for (const [from, to] of [[maker, taker], [taker, maker]] as const) {
    const { nick } = yard.peerOf(from).config;
    const sent = yard.newest(y, from).sent[0].split("\r\n")
      .filter((text) => text.includes("687")).map((text) => yard.tagIn(text));
    assert.ok(sent.every((tag) => tag > 0));
    const said = from.facts.filter(({ what }) => what.fact === "said" || what.fact === "announced")
      .map(({ what }) => ("tag" in what ? what.tag : -1));
    assert.deepEqual(sent, said);
    const heard = yard.facts(to, "heard").filter((fact) => fact.from === nick)
      .map((fact) => fact.tag);
    // What was said before the other came in is missed.
    assert.deepEqual(heard, sent.slice(sent.length - heard.length));
    assert.ok(heard.length >= 1);
  }
});

test("sim: actors: peer: one directory that is down does not delay another", () => {
  const y = yard.create();
  yard.addDirectory(y, 1);
  const maker = yard.addPeer(y, 0, { kind: "maker" }, 2);
  yard.advance(y, 2_000);
  assert.ok(yard.isIn(y, maker, 1));
  yard.addDirectory(y, 0);
  yard.advance(y, backoffMsMax + 1_000);
  assert.ok(yard.isIn(y, maker, 0));
  assert.ok(yard.isIn(y, maker, 1));
});

/** Something goes wrong, or is asked for. */
type Trouble =
  | { readonly kind: "lose"; readonly who: number; readonly there: boolean; readonly back: boolean }
  | { readonly kind: "kill" | "revive" | "slow" }
  | { readonly kind: "ask"; readonly who: number; readonly task: Work };

type Step = { readonly afterMs: number; readonly trouble: Trouble };

const task: fc.Arbitrary<Work> = fc.oneof(
  fc.record({ op: fc.constant("announce" as const), size: fc.integer({ min: 1, max: 5 }) }),
  fc.constantFrom<Work>({ op: "orderbook" }, { op: "peerlist" }, { op: "ping" }),
  fc.record({ op: fc.constant("away" as const), forMs: fc.integer({ min: 1, max: 60_000 }) }),
  fc.record({ op: fc.constant("chat" as const), bytes: fc.integer({ min: 0, max: 3_000 }) }),
);
const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  fc.record({
    kind: fc.constant("lose" as const), who: fc.nat(3), there: fc.boolean(), back: fc.boolean(),
  }),
  fc.constantFrom<Trouble>({ kind: "kill" }, { kind: "revive" }, { kind: "slow" }),
  fc.record({ kind: fc.constant("ask" as const), who: fc.nat(3), task }),
);

/** The end of a connection arrives in the instant in which a line is relayed to it. */
const atOnce: readonly Step[] = [
  { afterMs: 460, trouble: { kind: "ask", who: 1, task: { op: "announce", size: 1 } } },
  { afterMs: 1, trouble: { kind: "ask", who: 0, task: { op: "away", forMs: 1 } } },
];

test("sim: actors: peer: whatever happened, all are back in time and offers agree", () => {
  const script = fc.array(fc.record({ afterMs: fc.nat(40_000), trouble }), { maxLength: 25 });
  fc.assert(fc.property(script, (steps) => {
    const y = yard.create();
    yard.addDirectory(y);
    const peers = [
      yard.addPeer(y, 0, { kind: "maker" }), yard.addPeer(y, 1, { kind: "maker", auth: true }),
      yard.addPeer(y, 8, { kind: "watcher" }), yard.addPeer(y, 9, { kind: "taker", auth: true }),
    ];
    for (const one of steps) {
      yard.advance(y, one.afterMs);
      make(y, peers, one.trouble);
    }
    if (!y.nodes.has("dir0")) yard.addDirectory(y);
    y.latencyMs = 20;
    yard.advance(y, Math.max(backMsMax, dialMs) + 60_000);
    for (const one of peers) assert.ok(yard.isIn(y, one), `${one.id} is ${phaseOf(one)}`);
    for (const collector of peers.slice(2)) {
      for (const maker of peers.slice(0, 2)) sameOffers(collector, maker);
    }
  }), { numRuns: 40, examples: [[[...atOnce]]] });
});

function make(y: yard.Yard, peers: readonly yard.Node[], what: Trouble): void {
  const dir = y.nodes.get("dir0");
  switch (what.kind) {
    case "lose": {
      const who = peers[what.who] as yard.Node;
      if (phaseOf(who) === "up" || phaseOf(who) === "shaking") {
        yard.lose(yard.newest(y, who), what.there, what.back);
      }
      return;
    }
    case "kill":
      if (dir !== undefined) yard.kill(y, dir);
      return;
    case "revive":
      if (dir === undefined) yard.addDirectory(y);
      return;
    case "slow":
      y.latencyMs = y.latencyMs === 20 ? 9_000 : 20;
      return;
    case "ask": return yard.ask(y, peers[what.who] as yard.Node, what.task);
    default: return unreachable(what);
  }
}
