import assert from "node:assert/strict";
import { test } from "node:test";
import { defaults } from "../../../core/directory/config.ts";
import type { DirectoryEffect } from "../../../core/directory/events.ts";
import * as node from "../../../core/directory/node.ts";
import type { ConnId } from "../../../core/ids.ts";
import * as handshake from "../../../core/joinmarket/handshake.ts";
import type { LogLevel } from "../../../core/kernel/io.ts";
import { mono } from "../../../core/time.ts";
import * as net from "../../support/directory.ts";
import * as drive from "../../support/drive.ts";
import { primitives } from "../../support/primitives.ts";

function turn(now = 0): node.Turn {
  return { now: mono(now), p: primitives, out: [], outcomes: [] };
}

test("directory: node: it offers nick-auth only with an address of its own", () => {
  const plain = node.create(defaults, mono(0));
  const placed = node.create({ ...defaults, location: net.ownLocation }, mono(0));
  assert.deepEqual(node.ownFeatures(plain), ["peerlist_features", "ping"]);
  assert.deepEqual(node.ownFeatures(placed), ["nick_auth", "peerlist_features", "ping"]);
});

test("directory: node: its answer has every field that deployed clients read", () => {
  const motd = "hello\n\"there\"";
  const d = node.create({ ...defaults, location: net.ownLocation, motd }, mono(0));
  d.nick = net.nick(1);
  const bytes = Buffer.from(node.welcome(d, "MainNet")).toString();
  const { type, line } = JSON.parse(bytes) as { type: number; line: string };
  assert.equal(type, 795);
  assert.deepEqual(JSON.parse(line), {
    "app-name": "joinmarket", "directory": true, "proto-ver-min": 5, "proto-ver-max": 5,
    "features": { nick_auth: true, peerlist_features: true, ping: true }, "accepted": true,
    "nick": net.nick(1), "network": "MainNet", "motd": "hello\n\"there\"",
    "location-string": net.ownLocation,
  });
  assert.equal(handshake.parseDirectory(line).ok, true);
});

test("directory: node: the welcome repeats the network as it was spelled, and a new motd", () => {
  const n = net.start({ motd: "old" });
  const said = (i: number, network: string) => {
    const conn = net.connect(n);
    net.send(n, conn, net.types.HANDSHAKE, net.helloOf(net.taker(i), network));
    net.advance(n, 20);
    const read = handshake.parseDirectory(net.frames(n, conn)[0]?.line ?? "");
    return read.ok ? [read.value.network, read.value.motd] : [];
  };
  const spellings = Array.from({ length: 12 }, (_, i) => "mainnet".split("")
    .map((c, at) => ((i >> at) % 2 === 1 ? c.toUpperCase() : c)).join(""));
  for (const [i, network] of spellings.entries()) {
    assert.deepEqual(said(10 + i, network), [network, "old"]);
    assert.deepEqual(said(40 + i, network), [network, "old"]);
  }
  const { peersMax, limits, heartbeat } = defaults;
  const settings = { motd: "new", logLevel: "info", peersMax, limits, heartbeat } as const;
  net.push(n, { type: "operator.reload", settings });
  for (const [i, network] of spellings.entries()) {
    assert.deepEqual(said(70 + i, network), [network, "new"]);
  }
});

test("directory: node: log: nothing below the level that the operator wants", () => {
  const levels: readonly LogLevel[] = ["error", "warn", "info", "debug"];
  for (const [wanted, logLevel] of levels.entries()) {
    const d = node.create({ ...defaults, logLevel }, mono(0));
    const t = turn();
    for (const level of levels) node.log(d, level, "x.y", {}, t);
    const told = t.out.map((effect) => (effect.type === "log" ? effect.level : "?"));
    assert.deepEqual(told, levels.slice(0, wanted + 1));
  }
});

test("directory: node: note: the last fifty are remembered", () => {
  const d = node.create(defaults, mono(0));
  for (let n = 0; n < 60; n += 1) node.note(d, "x", String(n), turn(n));
  assert.equal(d.recent.length, 50);
  assert.deepEqual([d.recent[0]?.nick, d.recent.at(-1)?.nick], ["10", "59"]);
});

test("directory: node: an end is counted once, whoever asks for it again", () => {
  const n = net.start();
  n.drive.lateCloses = true;
  const conn = net.join(n, net.maker(1));
  const d = n.drive.kernel.state;
  const s = d.sessions.byConn.get(conn);
  assert.ok(s !== undefined);
  const t = turn(n.drive.now);
  node.end(d, s, "flood", t);
  const effects: DirectoryEffect[] = t.out.splice(0);
  assert.ok(effects.some(({ type }) => type === "conn.close"));
  node.end(d, s, "shutdown", t);
  node.bye(d, s, "goodbye", new Uint8Array(5), t);
  node.endConn(d, conn, "slow-reader", t);
  node.endConn(d, 99 as ConnId, "slow-reader", t);
  node.send(d, s, new Uint8Array(5), t);
  assert.deepEqual(t.out, []);
  assert.deepEqual([d.counts.closes.flood, d.counts.closes.shutdown], [1, 0]);
  assert.equal(d.registry.byNick.size, 0);
});

test("directory: node: what an overflow ends is unregistered before it is closed, and told", () => {
  const { outbox } = defaults;
  const n = net.start({ outbox: { ...outbox, bytesMax: 80_000, bytesTotalMax: 80_000 } });
  const [a, b] = [net.maker(1), net.maker(2)];
  const [from, stuck] = [net.join(n, a), net.join(n, b)];
  drive.stall(n.drive, stuck, 0);
  net.publish(n, from, a, "hp2 x");
  net.advance(n, 20);
  for (let i = 0; i < 3; i += 1) net.publish(n, from, a, "x".repeat(39_000));
  net.advance(n, 20);
  assert.equal(net.closedAs(n, stuck), "outbox-full");
  assert.equal(net.ownerOf(n, b.nick), undefined);
  assert.equal(net.isIn(n, from), true);
  net.advance(n, 2_000 + 20);
  assert.deepEqual(net.freshLines(n, from, 789), [`${b.nick};${b.location};D`]);
});

test("directory: node: bye: what was queued goes out before the last word, then nothing", () => {
  const n = net.start();
  const [a, b] = [net.maker(1), net.maker(2)];
  const [from, to] = [net.join(n, a), net.join(n, b)];
  net.publish(n, from, a, "before");
  const d = n.drive.kernel.state;
  const s = d.sessions.byConn.get(to);
  assert.ok(s !== undefined);
  const t = turn(n.drive.now);
  node.bye(d, s, "goodbye", net.frame(798, ""), t);
  const sent = t.out.filter((effect) => effect.type === "conn.send" && effect.conn === to);
  assert.equal(sent.length, 1);
  const [send] = sent;
  assert.ok(send?.type === "conn.send");
  const text = Buffer.from(send.bytes).toString();
  assert.match(text, /before"}\r\n\{"type": 798, "line": ""\}\r\n$/);
  assert.deepEqual(t.out.at(-1),
    { type: "conn.close", conn: to, how: "flush", reason: "goodbye" });
});

test("directory: node: every end of a peer leaves nothing of it behind", () => {
  const ends: readonly ((n: net.Node, conn: ConnId) => void)[] = [
    (n, conn) => drive.hangUp(n.drive, conn),
    (n, conn) => net.send(n, conn, net.types.DISCONNECT, ""),
    (n, conn) => net.send(n, conn, net.types.NICK_AUTH_PROOF, ""),
    (n, conn) => net.raw(n, conn, "x".repeat(40_001)),
    (n) => net.push(n, { type: "operator.stop" }),
    (n) => net.advance(n, 1_600_000),
  ];
  for (const end of ends) {
    const n = net.start();
    const conn = net.join(n, net.maker(1));
    net.send(n, conn, net.types.GETPEERLIST, "");
    net.greet(n, net.maker(1));
    end(n, conn);
    net.advance(n, 60_000);
    const d = n.drive.kernel.state;
    assert.equal(d.sessions.byConn.has(conn), false);
    for (const peer of d.registry.byNick.values()) assert.notEqual(peer.conn, conn);
    assert.equal(d.outbox.boxes.has(conn), false);
    assert.equal(d.listing.cursors.has(conn), false);
    assert.equal(d.contest.open.has(conn), false);
    const { opened, closed } = d.counts.totals;
    assert.equal(opened - closed, d.sessions.byConn.size);
    const counted = Object.values(d.counts.closes).reduce((sum, count) => sum + count, 0);
    assert.equal(counted, closed);
  }
});
