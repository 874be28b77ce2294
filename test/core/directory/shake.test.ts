import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "../../../core/assert.ts";
import { defaults } from "../../../core/directory/config.ts";
import { handshakeResults, type HandshakeResult } from "../../../core/directory/counts.ts";
import * as shake from "../../../core/directory/shake.ts";
import type { ConnId } from "../../../core/ids.ts";
import * as nickauth from "../../../core/joinmarket/nickauth.ts";
import { mono } from "../../../core/time.ts";
import * as net from "../../support/directory.ts";
import * as drive from "../../support/drive.ts";
import { primitives } from "../../support/primitives.ts";

const { types } = net;
const limits = (over: Partial<typeof defaults.limits>) => ({ ...defaults.limits, ...over });

const good: Record<string, unknown> = {
  "app-name": "joinmarket", "directory": false, "location-string": net.onion(1), "proto-ver": 5,
  "features": {}, "nick": net.nick(1), "network": "mainnet",
};

/** A connection that said this handshake, which may be any text. */
function greeted(n: net.Node, hello: object | string): ConnId {
  const conn = net.connect(n);
  const line = typeof hello === "string" ? hello : JSON.stringify(hello);
  net.send(n, conn, types.HANDSHAKE, line);
  net.advance(n, 20);
  return conn;
}

const without = (name: string) =>
  Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));

/** Refused with this result: counted, told in a 795, closed after it, and in nobody's way. */
function refused(n: net.Node, conn: ConnId, result: HandshakeResult, reason?: RegExp): void {
  const { handshakes, closes } = net.statusOf(n);
  assert.equal(handshakes[result], 1, `${result}: ${JSON.stringify(handshakes)}`);
  assert.equal(closes["refused"], 1);
  assert.match(net.refusal(n, conn) ?? "", reason ?? /^Rejected: ./);
  assert.equal(net.frames(n, conn).length, 1);
  assert.equal(net.closedAs(n, conn), "refused");
  assert.equal(drive.linkOf(n.drive, conn).closed?.how, "flush");
  assert.equal(net.isIn(n, conn), false);
}

/** Cut without a word. */
function cut(n: net.Node, conn: ConnId, reason: string): void {
  assert.equal(net.closedAs(n, conn), reason);
  assert.equal(net.statusOf(n).closes[reason], 1);
  assert.equal(drive.linkOf(n.drive, conn).closed?.how, "abort");
  assert.deepEqual(net.frames(n, conn), []);
}

const refusals: readonly (readonly [string, HandshakeResult, readonly (object | string)[]])[] = [
  ["2.3/inner-json", "json", ["", "{", "null", "[]", "{} {}", '"x"', "not json"]],
  ["2.3/missing-fields", "fields", Object.keys(good)
    .filter((name) => name !== "directory" && name !== "features").map(without)],
  ["2.3/wrong-app-name", "app-name", [{ ...good, "app-name": "joinmarket2" }]],
  ["2.3/directory-true", "directory", [{ ...good, directory: true }]],
  ["2.3/wrong-proto-ver", "proto-ver", [4, 6, 0, -5].map((v) => ({ ...good, "proto-ver": v }))],
  ["2.3/wrong-network", "network", ["testnet", "signet", "regtest", "", "main\u212Aet"]
    .map((network) => ({ ...good, network }))],
  ["2.3/bad-nick", "nick", [
    "", "J", "PUBLIC", "J5aaaaaaaaaaaaa", "J5aaaaaaaaaaaaaaa", "j5aaaaaaaaaaaaaa",
    "J5aaaaaa;aaaaaaa", "J5aaaaaa,aaaaaaa", "J5aaaaaa!aaaaaaa", "J50aaaaaaaaaaaaa",
    "JXaaaaaaaaaaaaaa", "J5OOOOOOOaOOOOOO",
  ].map((nick) => ({ ...good, nick }))],
  ["2.3/bad-features", "features", [
    null, [], "ping", 1, { "a,b": true }, { "a;b": true }, { "A": true }, { "": true },
    { a: {} }, { a: [] }, { a: "x".repeat(513) },
    Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`f${n}`, true])),
  ].map((features) => ({ ...good, features }))],
  ["2.4/two-colons", "location", [`${net.onion(1)}:1`, "a:b:c"]
    .map((at) => ({ ...good, "location-string": at }))],
  ["2.4/port-range", "location", ["0", "65536", "99999", "x", "", "-1", "05222", "1.5"]
    .map((port) => ({ ...good, "location-string": `${net.onion(1).slice(0, 62)}:${port}` }))],
  ["2.4/host-grammar", "location", [
    "example.com:5222", "127.0.0.1:5222", "9050", "[::1]:5222", "onion:1", ".onion:1",
    `${"a".repeat(16)}.onion:5222`, `${"1".repeat(56)}.onion:5222`,
    `x${net.onion(1)}`, "not-serving-onion",
  ].map((at) => ({ ...good, "location-string": at }))],
  ["2.4/bad-checksum", "location", [`${"a".repeat(56)}.onion:5222`]
    .map((at) => ({ ...good, "location-string": at }))],
];

for (const [row, result, hellos] of refusals) {
  test(`directory: shake: refused with a reason, counted and closed (row ${row})`, () => {
    for (const hello of hellos) {
      const n = net.start();
      refused(n, greeted(n, hello), result);
      assert.equal(net.statusOf(n).peers.registered, 0);
    }
  });
}

test("directory: shake: a field of another type is refused, not guessed", () => {
  for (const name of ["app-name", "location-string", "nick", "network", "proto-ver", "directory"]) {
    for (const value of [null, 5.5, [], {}, "5"]) {
      const n = net.start();
      const conn = greeted(n, { ...good, [name]: value });
      const { handshakes } = net.statusOf(n);
      const isText = value === "5" && name !== "proto-ver" && name !== "directory";
      if (!isText) assert.equal(handshakes["fields"], 1, `${name} ${JSON.stringify(value)}`);
      assert.equal(net.closedAs(n, conn), "refused");
    }
  }
});

test("directory: shake: what is missing but may be is taken as none", () => {
  const n = net.start();
  const { directory: _, features: __, ...least } = good;
  assert.equal(net.isIn(n, greeted(n, least)), true);
  assert.equal(net.statusOf(n).handshakes["ok"], 1);
});

test("directory: shake: who serves nothing is a taker (row 2.4/not-serving, row 2.4/empty)", () => {
  for (const at of ["NOT-SERVING-ONION", ""]) {
    const n = net.start();
    assert.equal(net.isIn(n, greeted(n, { ...good, "location-string": at })), true);
    const { makers, takers } = net.statusOf(n).peers;
    assert.deepEqual([makers, takers], [0, 1]);
  }
  const n = net.start();
  refused(n, greeted(n, { ...good, "location-string": null }), "fields");
});

test("directory: shake: an upper-case onion becomes the one spelling (row 2.4/upper-case)", () => {
  const n = net.start();
  const conn = greeted(n, { ...good, "location-string": net.onion(1).toUpperCase() });
  assert.equal(net.isIn(n, conn), true);
  assert.equal(n.drive.kernel.state.registry.makers[0]?.location, net.onion(1));
});

test("directory: shake: silence meets the deadline, not before (row 2.3/no-line)", () => {
  const n = net.start();
  const conn = net.connect(n);
  net.raw(n, conn, '{"type"');
  net.advance(n, 29_999);
  assert.equal(net.closedAs(n, conn), undefined);
  net.advance(n, 1);
  cut(n, conn, "handshake-timeout");
});

test("directory: shake: no handshake is cut (row 2.3/bad-envelope, row 2.3/wrong-type)", () => {
  const frames = [
    "\r\n", "GET / HTTP/1.1\r\n", "[]\r\n", "{}\r\n", '{"type": 793}\r\n',
    '{"type": "793", "line": ""}\r\n', '{"type": 687, "line": "x!PUBLIC!y"}\r\n',
    ...[685, 687, 785, 787, 789, 791, 795, 797, 798, 799, 801, 803, 805, 807, 0]
      .map((type) => `{"type": ${type}, "line": ""}\r\n`),
  ];
  for (const frame of frames) {
    const n = net.start();
    const watcher = net.join(n, net.maker(2));
    const conn = net.connect(n);
    net.raw(n, conn, frame);
    net.advance(n, 20);
    cut(n, conn, "not-a-handshake");
    assert.deepEqual(net.fresh(n, watcher), []);
  }
});

test("directory: shake: a first line beyond the limit is cut (row 2.3/oversized)", () => {
  const n = net.start();
  const conn = net.connect(n);
  net.raw(n, conn, "x".repeat(40_001));
  cut(n, conn, "line-too-long");
});

test("directory: shake: a circuit is named first where the node is told so", () => {
  const n = net.start({ circuits: true, connsPerCircuitMax: 1 });
  const line = (id: string) => `PROXY TCP6 fc00:dead:beef:4dad::${id} ::1 9 5222\r\n`;
  const [a, b, c, d] = [net.connect(n), net.connect(n), net.connect(n), net.connect(n)];
  net.raw(n, a, line("0:1"));
  net.send(n, a, types.HANDSHAKE, JSON.stringify(good));
  net.raw(n, b, line("0:1"));
  net.send(n, c, types.HANDSHAKE, JSON.stringify({ ...good, nick: net.nick(2) }));
  net.raw(n, d, "x".repeat(200));
  net.advance(n, 20);
  assert.equal(net.isIn(n, a), true);
  assert.equal(net.closedAs(n, b), "circuit-full");
  assert.equal(net.closedAs(n, c), "proxy-header");
  assert.equal(net.closedAs(n, d), "proxy-header");
  net.raw(n, net.connect(n), line("0:2"));
  assert.equal(net.statusOf(n).closes["proxy-header"], 2);
});

test("directory: shake: a node without a nick yet, or with its own, refuses", () => {
  const n = net.start({}, {});
  (n.drive.kernel.state as { nick: string }).nick = "";
  refused(n, greeted(n, good), "starting");
  const other = net.start();
  refused(other, greeted(other, { ...good, nick: net.ownNick(other) }), "own-nick");
});

test("directory: shake: a full node refuses with its number (row 2.3/capacity)", () => {
  const n = net.start({ peersMax: 1 });
  net.join(n, net.maker(2));
  refused(n, greeted(n, good), "full", /full \(1 peers\)/);
});

test("directory: shake: a handshake during the drain is refused", () => {
  const n = net.start();
  drive.stall(n.drive, net.join(n, net.maker(2)), 0);
  n.drive.lateCloses = true;
  const late = net.connect(n);
  net.push(n, { type: "operator.stop" });
  net.advance(n, 20);
  assert.match(net.refusal(n, late) ?? "", /shutting down/);
  assert.equal(net.statusOf(n).handshakes["draining"], 1);
  const later = net.connect(n);
  net.advance(n, 20);
  assert.match(net.refusal(n, later) ?? "", /shutting down/);
});

test("directory: shake: a claim during the drain is refused, whatever let it through", () => {
  const n = net.start();
  const conn = net.connect(n);
  n.drive.kernel.state.drain = "draining";
  net.send(n, conn, types.HANDSHAKE, JSON.stringify(good));
  net.advance(n, 20);
  refused(n, conn, "draining");
  n.drive.kernel.state.drain = "no";
});

test("directory: shake: a live owner keeps its nick, with a reason (row 2.3/nick-live)", () => {
  const n = net.start();
  const owner = net.join(n, net.maker(1));
  const claimant = net.greet(n, net.maker(1));
  net.advance(n, 20);
  assert.deepEqual(net.fresh(n, owner).map(({ type }) => type), [types.PING]);
  assert.deepEqual(net.frames(n, claimant), []);
  net.send(n, owner, types.PONG, "");
  net.advance(n, 20);
  refused(n, claimant, "nick-in-use", /in use/);
  assert.equal(net.isIn(n, owner), true);
});

test("directory: shake: a dead owner loses its nick after its time, not before", () => {
  const n = net.start();
  const owner = net.join(n, net.maker(1));
  drive.stall(n.drive, owner, 1_000_000);
  const claimant = net.greet(n, net.maker(1));
  net.send(n, claimant, types.PING, "");
  net.advance(n, 9_999);
  assert.equal(net.closedAs(n, owner), undefined);
  net.advance(n, 1);
  assert.equal(net.closedAs(n, owner), "nick-contest");
  assert.equal(net.isIn(n, claimant), true);
  const { totals, drops, recent } = net.statusOf(n);
  assert.deepEqual([totals.contestsOpened, totals.contestsWon], [1, 1]);
  assert.equal(drops["early-line"], 1);
  assert.ok(recent.some(({ code }) => code === "peer.contest-lost"));
});

test("directory: shake: an owner without PING is probed, and the claimant sent away", () => {
  for (const [who, probe] of [
    [net.maker(1, []), (n: net.Node) => [`${net.ownNick(n)}!PUBLIC!orderbook`]],
    [net.taker(1, []), () => []],
  ] as const) {
    const n = net.start();
    const owner = net.join(n, who);
    const claimant = net.greet(n, who);
    net.advance(n, 20);
    refused(n, claimant, "nick-contested", /try again/);
    assert.deepEqual(net.fresh(n, owner).map(({ line }) => line), probe(n));
  }
});

test("directory: shake: a claimant whose own time ends first is told as well", () => {
  const n = net.start();
  drive.stall(n.drive, net.join(n, net.maker(1)), 1_000_000);
  const claimant = net.connect(n);
  net.advance(n, 25_000);
  net.send(n, claimant, types.HANDSHAKE, JSON.stringify(good));
  net.advance(n, 4_999);
  assert.equal(net.closedAs(n, claimant), undefined);
  net.advance(n, 1);
  refused(n, claimant, "nick-contested");
});

const reloadable = {
  motd: "", logLevel: "info", limits: defaults.limits, heartbeat: defaults.heartbeat,
} as const;

test("directory: shake: a nick that was won is refused if a reload has left no place", () => {
  const n = net.start();
  const owner = net.join(n, net.maker(1));
  for (const i of [2, 3]) net.join(n, net.maker(i));
  drive.stall(n.drive, owner, 1_000_000);
  const claimant = net.greet(n, net.maker(1));
  net.push(n, { type: "operator.reload", settings: { ...reloadable, peersMax: 2 } });
  net.advance(n, 10_000);
  refused(n, claimant, "full");
  assert.equal(net.statusOf(n).peers.registered, 2);
});

test("directory: shake: a nick that was won is refused if someone was quicker", () => {
  const n = net.start();
  net.join(n, net.maker(1));
  const claimant = net.greet(n, net.maker(1));
  const out: [] = [];
  const t = { now: n.drive.now, p: primitives, out, outcomes: [] };
  shake.settle(n.drive.kernel.state, { type: "won", conn: claimant }, t);
  assert.equal(net.statusOf(n).handshakes["nick-in-use"], 1);
});

test("directory: shake: outcomes for connections that are gone change nothing", () => {
  const n = net.start();
  const before = JSON.stringify(net.statusOf(n));
  const t = { now: n.drive.now, p: primitives, out: [], outcomes: [] };
  for (const type of ["ping", "probe", "lost", "won", "refused"] as const) {
    shake.settle(n.drive.kernel.state, { type, conn: 99 as ConnId }, t);
  }
  assert.equal(JSON.stringify(net.statusOf(n)), before);
  const idle = net.connect(n);
  for (const type of ["won", "refused"] as const) {
    shake.settle(n.drive.kernel.state, { type, conn: idle }, t);
  }
  assert.equal(net.closedAs(n, idle), undefined);
});

const alice = net.prover(5n);

/** A newcomer with its challenge before it. */
function challenged(n: net.Node, who = alice): ConnId {
  const conn = net.greet(n, who);
  net.advance(n, 20);
  const got = net.frames(n, conn).map(({ type }) => type);
  assert.deepEqual(got, [types.DN_HANDSHAKE, types.NICK_AUTH_CHALLENGE]);
  return conn;
}

/** The proof failed: 807 with this code, counted, closed, and nothing is registered. */
function failed(n: net.Node, conn: ConnId, code: string, result: HandshakeResult): void {
  net.advance(n, 20);
  const last = net.frames(n, conn).at(-1);
  assert.equal(last?.type, types.NICK_AUTH_RESULT);
  assert.deepEqual(nickauth.parseResult(last.line), { ok: true, value: code });
  assert.equal(net.closedAs(n, conn), "nick-auth");
  assert.equal(net.statusOf(n).handshakes[result], 1);
  assert.equal(net.isIn(n, conn), false);
}

test("directory: shake: nick-auth: only when both sides can (row 2.6/not-negotiated)", () => {
  const legacy = net.start();
  assert.equal(net.isIn(legacy, greeted(legacy, good)), true);
  assert.deepEqual(legacy.wanted, []);
  const homeless = net.start({ location: undefined });
  const conn = net.greet(homeless, alice);
  net.advance(homeless, 20);
  assert.equal(net.isIn(homeless, conn), true);
  assert.deepEqual(net.frames(homeless, conn).map(({ type }) => type), [types.DN_HANDSHAKE]);
});

test("directory: shake: a client without nick-auth comes in (row 2.3/nick-auth-required)", () => {
  const n = net.start();
  assert.equal(net.isIn(n, greeted(n, good)), true);
  assert.equal(net.statusOf(n).peers.verified, 0);
});

test("directory: shake: nick-auth: nothing between 795 and 807 (row 2.6/nothing-between)", () => {
  const n = net.start();
  const other = net.maker(2);
  const talker = net.join(n, other);
  const conn = challenged(n);
  net.publish(n, talker, other, "hp2 x");
  net.whisper(n, talker, other, alice.nick, "fill 0");
  net.advance(n, 1_000);
  assert.equal(net.frames(n, conn).length, 2);
  assert.equal(net.statusOf(n).drops["no-target"], 1);
  net.prove(n, conn, alice);
  net.advance(n, 20);
  const last = net.frames(n, conn).at(-1);
  assert.deepEqual([last?.type, last?.line], [types.NICK_AUTH_RESULT, nickauth.resultLine("ok")]);
  assert.equal(net.statusOf(n).peers.verified, 1);
});

test("directory: shake: nick-auth: a proof answers for the address that it was asked for", () => {
  const n = net.start();
  const conn = challenged(n);
  net.push(n, { type: "onion.located", location: net.onion(77) });
  net.prove(n, conn, alice);
  assert.equal(net.statusOf(n).peers.verified, 1);
});

test("directory: shake: nick-auth: malformed (row 2.6/strict-object, row 2.6/wrong-type)", () => {
  const proof = JSON.stringify({ type: 805, line: "{}" });
  const frames = [
    "\r\n", "x\r\n", `${proof}\r\n`,
    `${proof.replace("}", ',"x":1}')}\r\n`, '{"type": 805, "type": 805, "line": "{}"}\r\n',
    ...[
      '{"pubkey":1,"signature":""}', '{"pubkey":"02","signature":""}', "[]", "null", "",
      `{"pubkey":"02${"00".repeat(32)}","signature":"AA==","more":1}`,
      `{"pubkey":"02${"00".repeat(32)}","pubkey":"","signature":"AA=="}`,
    ].map((line) => `${JSON.stringify({ type: 805, line })}\r\n`),
    ...[793, 795, 803, 807, 798, 799, 801, 687, 0].map((type) => `{"type":${type},"line":""}\r\n`),
  ];
  for (const frame of frames) {
    const n = net.start();
    const conn = challenged(n);
    net.raw(n, conn, frame);
    failed(n, conn, "malformed", "auth-malformed");
    assert.equal(net.ownerOf(n, alice.nick), undefined);
  }
});

test("directory: shake: nick-auth: expired at the deadline, not before (row 2.6/expired)", () => {
  const n = net.start();
  const conn = challenged(n);
  net.advance(n, 29_979);
  assert.equal(net.closedAs(n, conn), undefined);
  net.advance(n, 1);
  failed(n, conn, "expired", "auth-expired");
});

test("directory: shake: nick-auth: invalid, and no way back (row 2.6/no-fallback)", () => {
  const n = net.start();
  const conn = challenged(n);
  net.prove(n, conn, alice, 6n);
  failed(n, conn, "invalid", "auth-invalid");
  assert.equal(net.statusOf(n).peers.registered, 0);
});

test("directory: shake: nick-auth: policy, when the nick is verified under another key", () => {
  const n = net.start();
  const owner = net.join(n, alice);
  const peer = n.drive.kernel.state.registry.byNick.get(alice.nick);
  // No two keys with one nick are known, so the owner's key is changed behind the node's back.
  (peer as { pubkey: string }).pubkey = `02${"00".repeat(32)}`;
  const conn = challenged(n);
  net.prove(n, conn, alice);
  failed(n, conn, "policy", "auth-policy");
  assert.equal(net.ownerOf(n, alice.nick), owner);
});

test("directory: shake: nick-auth: policy, when the node is full by then (row 2.6/policy)", () => {
  const n = net.start({ peersMax: 2 });
  net.join(n, net.maker(2));
  const conn = challenged(n);
  net.join(n, net.maker(3));
  net.prove(n, conn, alice);
  failed(n, conn, "policy", "full");
});

test("directory: shake: nick-auth: policy, when the node has verified enough for now", () => {
  const n = net.start({ limits: limits({ proofs: { tokens: 1, perMs: 60_000, burst: 1 } }) });
  net.join(n, alice);
  const bob = net.prover(7n);
  const conn = challenged(n, bob);
  net.prove(n, conn, bob);
  failed(n, conn, "policy", "auth-busy");
});

test("directory: shake: nick-auth: a proof displaces at once, and who waited is told first", () => {
  const n = net.start();
  const impostor = { nick: alice.nick, location: net.onion(9), features: ["ping"] };
  const squatter = net.join(n, impostor);
  const waiting = net.greet(n, impostor);
  const conn = challenged(n);
  net.prove(n, conn, alice);
  net.advance(n, 20);
  assert.equal(net.closedAs(n, squatter), "displaced");
  refused(n, waiting, "nick-in-use");
  assert.equal(net.ownerOf(n, alice.nick), conn);
  const { totals } = net.statusOf(n);
  assert.deepEqual([totals.displaced, totals.verified, totals.leavesCancelled], [1, 1, 1]);
});

test("directory: shake: nick-auth: the owner of the key reconnects at once", () => {
  const n = net.start();
  const first = net.join(n, alice);
  const second = net.join(n, alice);
  assert.equal(net.closedAs(n, first), "displaced");
  assert.equal(net.ownerOf(n, alice.nick), second);
});

test("directory: shake: nick-auth: a result that cannot be sent registers nobody", () => {
  const { outbox } = defaults;
  const n = net.start({ motd: "m".repeat(900), lineBytesMax: 400, peerlistBytesMax: 400,
    outbox: { ...outbox, bytesMax: 800, bytesTotalMax: 800 } });
  const conn = net.connect(n);
  net.send(n, conn, types.HANDSHAKE, net.helloOf(alice));
  net.advance(n, 20);
  assert.equal(net.closedAs(n, conn), "outbox-full");
  assert.equal(net.statusOf(n).peers.registered, 0);
});

test("directory: shake: nick-auth: a line before the challenge ends it", () => {
  const n = net.start();
  n.holdsEntropy = true;
  const conn = net.greet(n, alice);
  net.send(n, conn, types.PING, "");
  assert.equal(net.statusOf(n).handshakes["auth-malformed"], 1);
  net.give(n, n.wanted[0] as number, 32);
  assert.equal(net.isIn(n, conn), false);
});

test("directory: shake: nick-auth: random bytes that come too late change nothing", () => {
  const n = net.start();
  n.holdsEntropy = true;
  const conn = net.greet(n, alice);
  net.advance(n, 30_000);
  cut(n, conn, "handshake-timeout");
  net.give(n, n.wanted[0] as number, 32);
  assert.equal(net.statusOf(n).peers.registered, 0);
});

test("directory: shake: nick-auth: a challenge of another size is the host's error", () => {
  const n = net.start();
  n.holdsEntropy = true;
  net.greet(n, alice);
  assert.throws(() => net.give(n, n.wanted[0] as number, 31), InvariantError);
});

test("directory: shake: a fault that nobody counts is our error", () => {
  const known = new Set<string>(handshakeResults);
  for (const code of ["json", "fields", "app-name", "directory", "proto-ver", "network", "nick",
    "location", "features"]) assert.ok(known.has(code), code);
});

test("directory: shake: a session that is registered or closing is not heard here", () => {
  const n = net.start();
  const conn = net.join(n, net.maker(1));
  const s = n.drive.kernel.state.sessions.byConn.get(conn);
  assert.ok(s !== undefined);
  const t = { now: mono(n.drive.now), p: primitives, out: [], outcomes: [] };
  shake.heard(n.drive.kernel.state, s, net.frame(types.PING, ""), t);
  assert.deepEqual(t.out, []);
});
