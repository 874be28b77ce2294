import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ascii, concat } from "../../../core/bytes.ts";
import type { ConnId } from "../../../core/ids.ts";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import * as handshake from "../../../core/joinmarket/handshake.ts";
import * as inbound from "../../../core/maker/inbound.ts";
import { mono } from "../../../core/time.ts";
import { laws, scripts, type Run, type Subject } from "../../support/laws.ts";
import { primitives } from "../../support/primitives.ts";
import { hostOf } from "../../support/tor.ts";

const { types } = envelope;
const us = "J52N8GdNkKtMA6TW";
const alice = "J59cTYvZJZEbjWk4";
const mallory = "J5D7wbEWpGZCy3Zv";
const config: inbound.Config = {
  ...inbound.defaults, nick: us, network: "regtest", features: ["ping", "peerlist_features"],
  connsMax: 4, shakingMax: 3, lineBytesMax: 1_000, lineRate: { tokens: 1, perMs: 100, burst: 10 },
  strikesMax: 3, handshakeMs: 100, idleMs: 1_000, outboxBytesMax: 50_000, closeMs: 50,
  congestedMsMax: 200,
};
const id = (n: number): ConnId => n as ConnId;

type Bench = { readonly m: inbound.Inbound; at: number };
const bench = (part: Partial<inbound.Config> = {}): Bench =>
  ({ m: inbound.create({ ...config, ...part }), at: 0 });

function say(b: Bench, event: inbound.Event): readonly inbound.Effect[] {
  const out: inbound.Effect[] = [];
  inbound.step(b.m, event, mono(b.at), primitives, out);
  return out;
}

const hear = (b: Bench, n: number, ...frames: Uint8Array[]): readonly inbound.Effect[] =>
  say(b, { type: "received", conn: id(n), bytes: concat(frames) });

function hello(nick: string, part: { network?: string; location?: string } = {}): Uint8Array {
  const text = handshake.peerHello({
    nick, network: part.network ?? "regtest", location: part.location ?? "NOT-SERVING-ONION",
    features: [],
  });
  return envelope.encode(types.HANDSHAKE, text);
}

const line = (type: number, text: string): Uint8Array => envelope.encode(type, text);
const fill = (from: string, to = us): Uint8Array =>
  line(types.PRIVMSG, `${from}!${to}!fill 0 1000 key sig`);
const ping = line(types.PING, "");
const pong = line(types.PONG, "");

function reasons(out: readonly inbound.Effect[]): readonly string[] {
  return out.flatMap((f) => (f.type === "close" ? [f.reason] : []));
}

function greeted(b: Bench, n: number, nick: string): void {
  say(b, { type: "opened", conn: id(n) });
  const out = hear(b, n, hello(nick));
  assert.deepEqual(out[0], { type: "greeted", conn: n, nick });
}

function verified(b: Bench, n: number, nick: string): readonly inbound.Effect[] {
  return say(b, { type: "verified", conn: id(n), nick });
}

test("maker: inbound: a 793 is answered by a 793 that takers accept, and no directory's", () => {
  const b = bench();
  const location = `${hostOf(new Uint8Array(32).fill(1))}:5222`;
  say(b, { type: "located", location });
  say(b, { type: "opened", conn: id(1) });
  const [, sent] = hear(b, 1, hello(alice, { network: "testnet" }));
  assert.ok(sent?.type === "send");
  const e = envelope.create();
  assert.equal(envelope.scan(sent.bytes, e), undefined);
  assert.equal(e.type, types.HANDSHAKE);
  const ours = handshake.parsePeer(envelope.content(sent.bytes, e));
  assert.deepEqual(ours.ok && ours.value, {
    appName: "joinmarket", directory: false, location, protoVer: 5,
    features: ["peerlist_features", "ping"], nick: us, network: "testnet",
  });
});

test("maker: inbound: what is no handshake, or not one for us, ends the connection", () => {
  const wrong: readonly [Uint8Array, string][] = [
    [ping, "not-a-handshake"], [fill(alice), "not-a-handshake"],
    [ascii("GET / HTTP/1.1\r\n"), "not-a-handshake"],
    [line(types.DN_HANDSHAKE, "{}"), "not-a-handshake"],
    [line(types.HANDSHAKE, "{}"), "bad-handshake"],
    [hello(alice, { network: "mainnet" }), "bad-handshake"], [hello("J5"), "bad-handshake"],
    [hello(alice, { location: "x.onion:1" }), "bad-handshake"],
  ];
  for (const [frame, reason] of wrong) {
    const b = bench();
    say(b, { type: "opened", conn: id(1) });
    const out = hear(b, 1, frame, fill(alice));
    assert.deepEqual(out, [{ type: "close", conn: 1, how: "abort", reason }]);
    assert.deepEqual(hear(b, 1, hello(alice)), []);
    assert.equal(b.m.guests.ended[reason as "idle"], 1);
  }
});

test("maker: inbound: who comes under our own nick is answered by it, and let go", () => {
  const b = bench();
  say(b, { type: "opened", conn: id(1) });
  const [sent, ...rest] = hear(b, 1, hello(us), fill(us));
  assert.ok(sent?.type === "send");
  const e = envelope.create();
  assert.equal(envelope.scan(sent.bytes, e), undefined);
  const ours = handshake.parsePeer(envelope.content(sent.bytes, e));
  assert.equal(ours.ok && ours.value.nick, us);
  assert.deepEqual(rest, [{ type: "close", conn: 1, how: "flush", reason: "own-nick" }]);
  assert.equal(inbound.routeTo(b.m, us), undefined);
  assert.deepEqual([b.m.counts.greeted, b.m.guests.ended["own-nick"]], [0, 1]);
});

test("maker: inbound: PING is answered at once, several in one write", () => {
  const b = bench();
  greeted(b, 1, alice);
  assert.deepEqual(hear(b, 1, ping), [{ type: "send", conn: 1, bytes: pong }]);
  const both = { type: "send", conn: 1, bytes: concat([pong, pong]) };
  assert.deepEqual(hear(b, 1, ping, ping), [both]);
});

test("maker: inbound: the first verified line fixes who the peer is, not what it claimed", () => {
  const b = bench();
  greeted(b, 1, mallory);
  assert.deepEqual(hear(b, 1, fill(alice)), [
    { type: "line", conn: 1, from: alice, to: us, text: "fill 0 1000 key sig" },
  ]);
  assert.ok(!inbound.isFrom(b.m, id(1), alice));
  assert.deepEqual(verified(b, 1, alice), [{ type: "identified", conn: 1, nick: alice }]);
  assert.ok(inbound.isFrom(b.m, id(1), alice));
  assert.equal(inbound.routeTo(b.m, alice), 1);
  assert.equal(inbound.routeTo(b.m, mallory), undefined);
  assert.deepEqual(verified(b, 1, alice), []);
});

test("maker: inbound: a false claim of a nick does not keep its owner out", () => {
  const b = bench();
  greeted(b, 1, alice);
  greeted(b, 3, alice);
  hear(b, 1, fill(alice));
  say(b, { type: "refused", conn: id(1), end: false });
  hear(b, 3, fill(alice));
  verified(b, 3, alice);
  assert.equal(inbound.routeTo(b.m, alice), 3);
  assert.ok(!inbound.isFrom(b.m, id(1), alice));
  // The impostor leaves: the owner stays.
  assert.deepEqual(say(b, { type: "closed", conn: id(1) }), [{ type: "gone", conn: 1 }]);
  assert.equal(inbound.routeTo(b.m, alice), 3);
});

test("maker: inbound: a second identity ends the connection, said or proved", () => {
  const b = bench();
  greeted(b, 1, alice);
  hear(b, 1, fill(alice));
  verified(b, 1, alice);
  assert.deepEqual(reasons(hear(b, 1, fill(mallory))), ["second-identity"]);
  const c = bench();
  greeted(c, 1, alice);
  assert.equal(hear(c, 1, fill(alice), fill(mallory)).length, 2);
  verified(c, 1, alice);
  assert.deepEqual(reasons(verified(c, 1, mallory)), ["second-identity"]);
  assert.ok(!inbound.isFrom(c.m, id(1), mallory));
  assert.ok(!inbound.isFrom(c.m, id(1), alice));
});

test("maker: inbound: a handshake may be repeated, but not with another nick", () => {
  const b = bench();
  greeted(b, 1, alice);
  assert.deepEqual(hear(b, 1, hello(alice)), []);
  assert.deepEqual(reasons(hear(b, 1, hello(mallory))), ["nick-changed"]);
});

test("maker: inbound: a public line is from the claimed nick, and proves nothing", () => {
  const b = bench();
  greeted(b, 1, alice);
  assert.deepEqual(hear(b, 1, line(types.PUBMSG, `${alice}!PUBLIC!orderbook`)), [
    { type: "public", conn: 1, from: alice, text: "orderbook" },
  ]);
  assert.equal(inbound.routeTo(b.m, alice), undefined);
  assert.deepEqual(hear(b, 1, line(types.PUBMSG, `${mallory}!PUBLIC!orderbook`)), []);
  assert.deepEqual(hear(b, 1, line(types.PUBMSG, `${alice}!${us}!orderbook`)), []);
});

test("maker: inbound: replies go out on the connection that asked", () => {
  const b = bench();
  greeted(b, 1, alice);
  greeted(b, 3, alice);
  const said = say(b, { type: "said", conn: id(3), frame: pong });
  assert.deepEqual(said, [{ type: "send", conn: 3, bytes: pong }]);
  say(b, { type: "closed", conn: id(3) });
  assert.deepEqual(say(b, { type: "said", conn: id(3), frame: pong }), []);
});

test("maker: inbound: lines that are not for us, malformed or unsigned have their number", () => {
  const strikes: readonly Uint8Array[] = [
    fill(alice, mallory), fill(us), fill("nobody"), line(types.PRIVMSG, "no bangs"),
    line(types.PRIVMSG, `${alice}!${us}`), ascii("not json\r\n"), ascii("\r\n"),
    line(types.HANDSHAKE, "{"),
  ];
  for (const frame of strikes) {
    const b = bench();
    greeted(b, 1, alice);
    assert.deepEqual(hear(b, 1, frame, frame), []);
    assert.deepEqual(reasons(hear(b, 1, frame, ping)), ["strikes"]);
  }
  const b = bench();
  greeted(b, 1, alice);
  const refuse = (): readonly inbound.Effect[] =>
    say(b, { type: "refused", conn: id(1), end: false });
  assert.deepEqual([refuse(), refuse()], [[], []]);
  assert.deepEqual(reasons(refuse()), ["strikes"]);
  const c = bench();
  greeted(c, 1, alice);
  assert.deepEqual(reasons(say(c, { type: "refused", conn: id(1), end: true })), ["refused"]);
});

test("maker: inbound: what a later version says is passed over, a farewell is taken", () => {
  const b = bench();
  greeted(b, 1, alice);
  assert.deepEqual(hear(b, 1, line(9_999, "x"), line(types.GETPEERLIST, ""), pong), []);
  assert.deepEqual(hear(b, 1, line(types.DISCONNECT, "")), [
    { type: "close", conn: 1, how: "flush", reason: "bye" },
  ]);
});

test("maker: inbound: hazard 11: a line and the rate of lines are bounded", () => {
  const b = bench();
  greeted(b, 1, alice);
  const long = (size: number): Uint8Array => ascii(`${"x".repeat(size)}\r\n`);
  assert.deepEqual(reasons(hear(b, 1, long(1_000))), []);
  assert.deepEqual(reasons(hear(b, 1, long(1_001))), ["line-too-long"]);
  const c = bench();
  greeted(c, 1, alice);
  assert.equal(reasons(hear(c, 1, ...Array.from({ length: 9 }, () => ping))).length, 0);
  const flood = hear(c, 1, ping, ping);
  assert.deepEqual(flood, [{ type: "close", conn: 1, how: "abort", reason: "flood" }]);
  const d = bench();
  greeted(d, 1, alice);
  for (let i = 0; i < 100; i += 1) {
    d.at += 100;
    assert.deepEqual(reasons(hear(d, 1, ping)), []);
  }
});

test("maker: inbound: a drip of bytes is no handshake and no line", () => {
  const b = bench();
  say(b, { type: "opened", conn: id(1) });
  const frame = hello(alice);
  for (let i = 0; i < 99; i += 1) {
    b.at += 1;
    assert.deepEqual(say(b, { type: "tick" }), []);
    assert.deepEqual(hear(b, 1, frame.subarray(i, i + 1)), []);
  }
  b.at = 100;
  assert.deepEqual(reasons(say(b, { type: "tick" })), ["handshake-timeout"]);
  const c = bench();
  greeted(c, 1, alice);
  c.at = 999;
  hear(c, 1, ascii("x"));
  c.at = 1_000;
  assert.deepEqual(reasons(say(c, { type: "tick" })), ["idle"]);
});

test("maker: inbound: stopped, all end in good order and nobody comes in", () => {
  const b = bench();
  greeted(b, 1, alice);
  assert.deepEqual(say(b, { type: "stopped" }), [
    { type: "close", conn: 1, how: "flush", reason: "draining" },
  ]);
  assert.deepEqual(say(b, { type: "opened", conn: id(3) }), [
    { type: "close", conn: 3, how: "abort", reason: "draining" },
  ]);
  assert.deepEqual(say(b, { type: "stopped" }), []);
  b.at = 50;
  assert.deepEqual(reasons(say(b, { type: "tick" })), ["unread"]);
  say(b, { type: "closed", conn: id(1) });
  say(b, { type: "closed", conn: id(3) });
  assert.equal(b.m.guests.all.size, 0);
});

test("maker: inbound: events of connections that are gone change nothing", () => {
  const b = bench();
  for (const type of ["congested", "drained", "closed"] as const) {
    assert.deepEqual(say(b, { type, conn: id(9) }), []);
  }
  assert.deepEqual(hear(b, 9, ping), []);
  assert.deepEqual(verified(b, 9, alice), []);
  assert.deepEqual(say(b, { type: "refused", conn: id(9), end: true }), []);
  say(b, { type: "opened", conn: id(1) });
  assert.deepEqual(verified(b, 1, alice), []);
});

test("maker: inbound: the ranges of its configuration are asserted", () => {
  const wrong: readonly Partial<inbound.Config>[] = [
    { nick: "x" }, { lineBytesMax: 0 }, { strikesMax: 0 }, { outboxBytesMax: 40_001 },
  ];
  for (const part of wrong) assert.throws(() => bench(part), /inbound:/);
  assert.throws(() => say(bench(), { type: "located", location: "nowhere" }), /not a location/);
});

const conn = fc.constantFrom(1, 3, 5, 7, 9, 11).map(id);
const frames = fc.array(fc.constantFrom(
  hello(alice), hello(mallory), ping, fill(alice), fill(mallory), ascii("x\r\n"), ascii("x"),
  line(types.PUBMSG, `${alice}!PUBLIC!orderbook`),
), { minLength: 1, maxLength: 4 }).map((list) => concat(list));
const opened = conn.map((one) => ({ type: "opened" as const, conn: one }));
const events: fc.Arbitrary<inbound.Event> = fc.oneof(
  { weight: 3, arbitrary: opened },
  { weight: 6, arbitrary: fc.record({
    type: fc.constant("received" as const), conn, bytes: frames,
  }) },
  { weight: 2, arbitrary: fc.record({
    type: fc.constantFrom("congested" as const, "drained" as const, "closed" as const), conn,
  }) },
  { weight: 2, arbitrary: fc.record({
    type: fc.constant("verified" as const), conn, nick: fc.constantFrom(alice, mallory),
  }) },
  { weight: 1, arbitrary: fc.record({
    type: fc.constant("refused" as const), conn, end: fc.boolean(),
  }) },
  { weight: 2, arbitrary: fc.record({
    type: fc.constant("said" as const), conn, frame: fc.constant(pong),
  }) },
);

const subject: Subject<inbound.Inbound, inbound.Event, inbound.Effect> = {
  create: () => inbound.create(config),
  // A host opens a connection once.
  step: (m, event, now, out) => {
    if (event.type === "opened" && m.guests.all.has(event.conn)) return;
    inbound.step(m, event, now, primitives, out);
  },
  deadline: inbound.deadline,
  tick: { type: "tick" },
  settleMs: 3_000,
  holds: bounded,
  lives: allEnd,
};

function bounded(m: inbound.Inbound): void {
  const live = [...m.guests.all.values()].filter(({ at }) => at.phase !== "closing");
  assert.equal(live.length, m.guests.liveCount);
  assert.ok(live.length <= config.connsMax);
  assert.ok(live.filter(({ at }) => at.phase === "shaking").length <= config.shakingMax);
  for (const { queuedBytes } of live) assert.ok(queuedBytes <= config.outboxBytesMax);
  for (const [nick, route] of m.guests.routes) assert.ok(inbound.isFrom(m, route, nick));
  assert.ok(m.rate.tats.size <= m.guests.all.size);
}

/** Nobody speaks any more: within handshake, idle and farewell every connection was ended. */
function allEnd(run: Run<inbound.Inbound, inbound.Event, inbound.Effect>): void {
  assert.equal(run.state.guests.liveCount, 0);
  const open = new Set<number>();
  for (const { effects } of run.steps) {
    for (const effect of effects) {
      if (effect.type === "greeted") open.add(effect.conn);
      if (effect.type === "gone") open.delete(effect.conn);
      if (effect.type === "send" || effect.type === "line" || effect.type === "public") {
        assert.ok(open.has(effect.conn), `${effect.type} for nobody`);
      }
    }
  }
}

test("maker: inbound: the laws hold for any script", () => {
  fc.assert(fc.property(scripts(events, 150, 40, true), (script) => void laws(subject, script)), {
    numRuns: 120,
  });
});
