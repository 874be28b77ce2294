/**
 * Rows of bad input that a directory node meets on its connections (`test/tidy/rows.json`).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { base64, concat } from "../../../core/bytes.ts";
import { defaults, type DirectoryConfig } from "../../../core/directory/config.ts";
import { dropReasons } from "../../../core/directory/counts.ts";
import * as directory from "../../../core/directory/directory.ts";
import type { ConnId } from "../../../core/ids.ts";
import * as nickauth from "../../../core/joinmarket/nickauth.ts";
import * as peerlist from "../../../core/joinmarket/peerlist.ts";
import * as kernel from "../../../core/kernel/kernel.ts";
import { mono } from "../../../core/time.ts";
import * as t from "../../support/directory.ts";
import * as drive from "../../support/drive.ts";
import { primitives, pubkeyOf, signEcdsa } from "../../support/primitives.ts";

const { types } = t;

/**
 * A node whose invariants are not asserted after each step: that costs as much as the node has
 * connections, and here it has thousands.
 */
function crowded(settings: Partial<DirectoryConfig> = {}): t.Node {
  const at = mono(1_000);
  const config = { ...defaults, location: t.ownLocation, ...settings };
  const root = directory.root(primitives);
  const machine = kernel.create(root, directory.create(config, at), at, false);
  const plain: t.Node["drive"] = drive.create(machine, {
    perform: (effect) => {
      if (effect.type === "entropy.want") t.give(n, effect.req, effect.size);
    },
  });
  const n: t.Node = { ...t.start(settings), drive: plain };
  t.push(n, { type: "clock.anchored", unixMs: 1_700_000_000_000 });
  t.push(n, { type: "operator.started" });
  return n;
}

function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

function sum(counts: { readonly [name: string]: number }): number {
  return Object.values(counts).reduce((all, count) => all + count, 0);
}

/** Texts of the lines that are neither PING nor PONG. */
function heard(n: t.Node, conn: ConnId): readonly string[] {
  const beats: readonly number[] = [types.PING, types.PONG];
  return t.fresh(n, conn).filter((f) => !beats.includes(f.type)).map((f) => f.line);
}

/** How many lines the peer has read, without looking at them. */
function linesRead(n: t.Node, conn: ConnId): number {
  let ends = 0;
  for (const bytes of drive.linkOf(n.drive, conn).got) {
    for (const byte of bytes) if (byte === 10) ends += 1;
  }
  return ends;
}

/** The sizes of all that grows with connections. */
function sizes(n: t.Node): { readonly [table: string]: number } {
  const { sessions, outbox, admission, registry, draws, contest } = n.drive.kernel.state;
  const buckets = Object.values(admission.buckets).map(({ tats }) => tats.size);
  return {
    sessions: sessions.byConn.size, shaking: sessions.shaking.due.size,
    silent: sessions.silent.size, unfinished: sessions.unfinished.due.size,
    closing: sessions.closing.due.size, boxes: outbox.boxes.size, members: outbox.members.size,
    stuck: outbox.stuck.due.size, touched: outbox.touched.size, draws: draws.size,
    contests: contest.open.size, registered: registry.byNick.size,
    spent: Math.max(...buckets), drops: admission.drops.size,
  };
}

test("directory: rows: row 1.2/partial-alive: bytes that trickle in move no deadline", () => {
  const n = t.start();
  const [slow, busy] = [t.join(n, t.taker(1)), t.join(n, t.taker(2))];
  const line = t.frame(types.PUBMSG, `${t.nick(1)}!PUBLIC!hp2 ${"x".repeat(100)}`);
  const seconds = defaults.lineMs / 1_000;
  // The last ms before the deadline is in time.
  t.raw(n, slow, concat([t.frame(types.PONG, ""), line.subarray(0, 1)]));
  for (let i = 1; i < seconds; i += 1) {
    t.advance(n, 1_000);
    t.raw(n, slow, line.subarray(i, i + 1));
  }
  t.advance(n, 999);
  t.raw(n, slow, line.subarray(seconds));
  t.advance(n, 20);
  assert.equal(heard(n, busy).length, 1);
  // The deadline is not, though bytes came a ms ago and others are served meanwhile.
  t.raw(n, slow, line.subarray(0, 1));
  for (let i = 1; i < seconds; i += 1) {
    t.advance(n, 1_000);
    t.raw(n, slow, line.subarray(i, i + 1));
    t.publish(n, busy, t.taker(2), `hp2 ${i}`);
  }
  t.advance(n, 999);
  t.raw(n, slow, "x");
  assert.ok(t.isIn(n, slow));
  t.advance(n, 1);
  assert.equal(t.closedAs(n, slow), "line-timeout");
  assert.equal(t.statusOf(n).inputBytes, 0);
  assert.ok(t.isIn(n, busy));
});

/** The challenge that `conn` is to answer, read or not. */
function challengeOf(n: t.Node, conn: ConnId): string {
  const at = n.drive.kernel.state.sessions.byConn.get(conn)?.at;
  assert.ok(at?.phase === "proving");
  return at.challenge;
}

test("directory: rows: row 2.6/result-unsent: no room for the 807: nothing is registered", () => {
  const who = t.prover(21n);
  const settings = { motd: "m".repeat(300), lineBytesMax: 400, peerlistBytesMax: 400 };
  const roomy = t.start(settings);
  const before = t.join(roomy, who);
  const needed = t.frames(roomy, before).reduce((all, { bytes }) => all + bytes.length + 2, 0);
  for (const [bytesMax, isRoom] of [[needed, true], [needed - 1, false]] as const) {
    const outbox = { ...defaults.outbox, bytesMax };
    const n = t.start({ ...settings, outbox });
    const observer = t.join(n, t.taker(1, ["peerlist_features"]));
    const conn = t.connect(n);
    t.push(n, { type: "conn.congested", conn });
    t.send(n, conn, types.HANDSHAKE, t.helloOf(who));
    t.send(n, conn, types.NICK_AUTH_PROOF, signed(who, challengeOf(n, conn)));
    assert.equal(t.isIn(n, conn), isRoom);
    if (isRoom) continue;
    assert.equal(t.closedAs(n, conn), "outbox-full");
    assert.equal(t.ownerOf(n, who.nick), undefined);
    const { peers, totals, handshakes } = t.statusOf(n);
    assert.deepEqual([peers.registered, peers.makers, peers.verified], [1, 0, 0]);
    assert.deepEqual([totals.registered, totals.verified, handshakes["ok"]], [1, 0, 1]);
    assert.deepEqual(t.frames(n, conn), []);
    t.advance(n, 5_000);
    t.send(n, observer, types.GETPEERLIST, "");
    t.advance(n, 50);
    const heardOf = heard(n, observer).flatMap((line) => line.split(","));
    assert.deepEqual(heardOf.map((entry) => entry.slice(0, 16)), [t.ownNick(n)]);
    assert.ok(t.isIn(n, t.join(n, { nick: who.nick, features: ["ping"] })), "the nick is free");
  }
});

/** The text of an 805. */
function signed(who: t.Who, challenge: string): string {
  assert.ok(who.key !== undefined);
  const pubkey = pubkeyOf(who.key);
  const claim = {
    challenge, directoryId: t.ownLocation, handshakeLine: t.helloOf(who), nick: who.nick, pubkey,
  };
  const inner = nickauth.digest(claim, primitives.sha256);
  return nickauth.proofLine({ pubkey, signature: base64(signEcdsa(who.key, inner)) });
}

test("directory: rows: row 10/T1-connection-flood: 10,000 that never speak are bounded", () => {
  const n = crowded();
  const resident = t.join(n, t.taker(1));
  const { handshakingMax, handshakeMs } = defaults;
  const honest: ConnId[] = [];
  const flood: ConnId[] = [];
  for (let i = 0; i < 10_000; i += 1) {
    flood.push(t.connect(n));
    if (i % 2_500 !== 2_499) continue;
    const conn = t.greet(n, t.taker(2 + honest.length));
    assert.ok(t.isIn(n, conn), "in at once, in the middle of the flood");
    honest.push(conn);
  }
  const cut = flood.filter((conn) => t.closedAs(n, conn) === "handshake-slots");
  assert.equal(cut.length, 10_000 - handshakingMax + 1);
  assert.deepEqual(cut, flood.slice(0, cut.length), "the oldest make room");
  const full = sizes(n);
  assert.ok((full["shaking"] ?? 0) <= handshakingMax);
  assert.ok((full["silent"] ?? 0) <= handshakingMax);
  assert.ok((full["boxes"] ?? 0) <= handshakingMax + honest.length + 1);
  assert.equal(full["boxes"], full["sessions"]);
  const nobody = { unfinished: 0, closing: 0, stuck: 0, draws: 0, contests: 0, spent: 0, drops: 0 };
  for (const table of Object.keys(nobody)) assert.equal(full[table], 0, table);
  const { outbox, inputBytes } = t.statusOf(n);
  assert.deepEqual([outbox.queuedBytes, inputBytes], [0, 0], "nothing is held for who is silent");
  t.publish(n, resident, t.taker(1), "hp2 still here");
  t.advance(n, 20);
  assert.deepEqual(t.freshLines(n, honest[0] as ConnId, types.PUBMSG).length, 1);
  t.advance(n, handshakeMs);
  const { touched: _touched, ...left } = sizes(n);
  assert.deepEqual(left, {
    ...nobody, shaking: 0, silent: 0, sessions: 5, boxes: 5, members: 5, registered: 5, spent: 1,
  });
  assert.equal(t.statusOf(n).closes["handshake-timeout"], handshakingMax - 1);
  assert.ok(t.now(n) < 2 * handshakeMs, "virtual time, not patience");
});

test("directory: rows: row 10/T6-idle-sockets: silence takes no place of those who speak", () => {
  const n = t.start({ peersMax: 3, handshakingMax: 5 });
  const first = t.join(n, t.taker(1));
  const who = t.prover(22n);
  const proving = t.greet(n, who);
  const waiting = t.greet(n, t.taker(1));
  const silent = times(200, () => t.connect(n));
  assert.equal(t.closedAs(n, proving), undefined, "who has shaken hands is not the idle one");
  assert.equal(t.closedAs(n, waiting), undefined);
  t.prove(n, proving, who);
  assert.ok(t.isIn(n, proving));
  t.join(n, t.taker(2));
  assert.equal(t.statusOf(n).peers.registered, 3, "200 sockets have taken no place");
  assert.match(t.refusal(n, t.greet(n, t.taker(3))) ?? "", /full \(3 peers\)/);
  const cut = silent.filter((conn) => t.closedAs(n, conn) === "handshake-slots");
  assert.ok(cut.length >= 195);
  assert.ok(t.isIn(n, first));
  t.advance(n, defaults.handshakeMs);
  assert.ok(silent.every((conn) => t.closedAs(n, conn) !== undefined), "none outlives its time");
  assert.equal(t.statusOf(n).peers.handshaking, 0);
});

test("directory: rows: row 10/T8-broadcast-flood: 1,000 lines at once lose no peer", () => {
  const n = crowded();
  const readers = times(300, (i) => t.join(n, t.taker(100 + i)));
  const senders = times(40, (i) => ({ who: t.taker(500 + i), conn: t.join(n, t.taker(500 + i)) }));
  const lazy = readers.filter((_, i) => i % 3 === 0);
  for (const conn of lazy) drive.stall(n.drive, conn, 10_000);
  const before = new Map(readers.map((conn) => [conn, linesRead(n, conn)]));
  for (const { who, conn } of senders) {
    const burst = times(25, (i) => t.frame(types.PUBMSG, `${who.nick}!PUBLIC!sw0reloffer ${i} 9`));
    t.raw(n, conn, concat(burst));
  }
  t.advance(n, 20);
  assert.equal(t.statusOf(n).outbox.congested, lazy.length);
  t.advance(n, 5_000);
  for (const conn of lazy) drive.resume(n.drive, conn);
  t.advance(n, 1_000);
  for (const conn of readers) {
    assert.equal(linesRead(n, conn) - (before.get(conn) ?? 0), 1_000);
    assert.ok(t.isIn(n, conn));
  }
  for (const conn of [readers[0], readers[1]] as ConnId[]) {
    const lines = t.freshLines(n, conn, types.PUBMSG);
    const from = lines.filter((line) => line.startsWith(senders[7]?.who.nick ?? "?"));
    assert.deepEqual(from.map((line) => Number(line.split(" ")[1])), times(25, (i) => i));
  }
  const { closes, drops, outbox } = t.statusOf(n);
  assert.deepEqual([sum(closes), sum(drops), outbox.queuedBytes], [0, 0, 0]);
});

test("directory: rows: row 10/T8-broadcast-flood: one sender's excess is dropped, counted", () => {
  const n = crowded();
  const readers = times(20, (i) => t.join(n, t.taker(100 + i)));
  const flooder = t.join(n, t.taker(1));
  const burst = times(500, (i) => t.frame(types.PUBMSG, `${t.nick(1)}!PUBLIC!hp2 ${i}`));
  t.raw(n, flooder, concat(burst));
  t.advance(n, 20);
  const { public: limit } = defaults.limits;
  const told = times(limit.burst, (i) => `${t.nick(1)}!PUBLIC!hp2 ${i}`);
  for (const conn of readers) assert.deepEqual(heard(n, conn), told);
  assert.equal(t.statusOf(n).drops["rate-public"], 500 - limit.burst);
  assert.ok(t.isIn(n, flooder), "dropped, not yet closed");
  t.publish(n, readers[0] as ConnId, t.taker(100), "hp2 mine");
  t.advance(n, 20);
  assert.equal(heard(n, readers[1] as ConnId).length, 1, "others keep their own budget");
});

test("directory: rows: row 10/T9-private-flood: on one target it delays no third party", () => {
  const n = crowded();
  const target = t.join(n, t.taker(1));
  const [alice, bob] = [t.join(n, t.taker(2)), t.join(n, t.taker(3))];
  const flooders = times(3, (i) => ({ who: t.taker(10 + i), conn: t.join(n, t.taker(10 + i)) }));
  drive.stall(n.drive, target);
  for (const { who, conn } of flooders) {
    const line = t.frame(types.PRIVMSG, `${who.nick}!${t.nick(1)}!fill ${"x".repeat(30_000)}`);
    for (let i = 0; i < 60; i += 1) t.raw(n, conn, line);
  }
  t.whisper(n, alice, t.taker(2), t.nick(3), "fill 0");
  t.advance(n, defaults.outbox.flushMs);
  assert.deepEqual(heard(n, bob), [`${t.nick(2)}!${t.nick(3)}!fill 0`]);
  const { drops, outbox, closes } = t.statusOf(n);
  assert.ok((drops["target-behind"] ?? 0) > 0);
  assert.ok(outbox.queuedBytes <= defaults.outbox.bytesMax / 2, "half is left for public lines");
  assert.deepEqual(sum(closes), 0);
  t.publish(n, alice, t.taker(2), "hp2 later");
  t.advance(n, 20);
  drive.resume(n.drive, target);
  t.advance(n, 1_000);
  assert.ok(t.isIn(n, target), "a flood does not cost the target its connection");
  assert.equal(heard(n, target).at(-1), `${t.nick(2)}!PUBLIC!hp2 later`);
});

test("directory: rows: row 10/T9-private-flood: a target that reads hears the others too", () => {
  const n = t.start();
  const target = t.join(n, t.taker(1));
  const [flooder, other] = [t.join(n, t.taker(2)), t.join(n, t.taker(3))];
  const line = t.frame(types.PRIVMSG, `${t.nick(2)}!${t.nick(1)}!fill 0`);
  t.raw(n, flooder, concat(times(900, () => line)));
  t.whisper(n, other, t.taker(3), t.nick(1), "pubkey 1");
  t.advance(n, defaults.outbox.flushMs);
  const lines = heard(n, target);
  assert.equal(lines.length, defaults.limits.private.burst + 1);
  assert.equal(lines.at(-1), `${t.nick(3)}!${t.nick(1)}!pubkey 1`);
  assert.equal(t.statusOf(n).drops["rate-private"], 900 - defaults.limits.private.burst);
});

test("directory: rows: row 10/T10-peerlist-amplification: limited, one at a time, paced", () => {
  const settings = { peerlistBytesMax: 1_000, peerlistLinesPerFlush: 4 };
  const n = t.start(settings);
  for (let i = 0; i < 60; i += 1) t.join(n, t.maker(100 + i));
  const asking = times(10, (i) => t.join(n, t.taker(1 + i)));
  const stranger = t.connect(n);
  t.send(n, stranger, types.GETPEERLIST, "");
  assert.equal(t.closedAs(n, stranger), "not-a-handshake");
  assert.deepEqual(t.frames(n, stranger), [], "a list is for those who are in");
  for (const conn of asking) {
    t.raw(n, conn, concat(times(5, () => t.frame(types.GETPEERLIST, ""))));
  }
  let lines = t.statusOf(n).totals.peerlistLines;
  let wroteAt = t.now(n) - defaults.outbox.flushMs;
  for (let ms = 0; ms < 1_000; ms += 1) {
    t.advance(n, 1);
    const more = t.statusOf(n).totals.peerlistLines - lines;
    if (more === 0) continue;
    assert.ok(more <= settings.peerlistLinesPerFlush, `${more} lines in one flush`);
    assert.ok(t.now(n) - wroteAt >= defaults.outbox.flushMs, "turns keep their distance");
    lines += more;
    wroteAt = t.now(n);
  }
  for (const conn of asking) {
    const pages = t.freshLines(n, conn, types.PEERLIST);
    assert.ok(pages.every((page) => page.length <= settings.peerlistBytesMax));
    assert.equal(pages.flatMap((page) => page.split(",")).length, 61, "one whole list each");
  }
  const { drops, totals } = t.statusOf(n);
  assert.equal(totals.peerlists, asking.length);
  assert.deepEqual([drops["peerlist-busy"], drops["rate-peerlist"]], [20, 20]);
});

test("directory: rows: row 10/T19-hostile-names: names of the language are names like any", () => {
  const names = [...Object.getOwnPropertyNames(Object.prototype), "prototype", "then", "length"];
  const language = [Object.prototype, Array.prototype, Map.prototype].map((one) =>
    Object.getOwnPropertyNames(one));
  const n = t.start();
  const who = t.maker(1, ["__proto__", "constructor", "ping"]);
  const [maker, reader] = [t.join(n, who), t.join(n, t.taker(2, ["peerlist_features"]))];
  const told: string[] = [];
  for (const name of names) {
    t.whisper(n, maker, who, name, "fill 0");
    t.raw(n, maker, `{"type":685,"line":"${who.nick}!\\u005f${name}!fill 0"}\r\n`);
    t.publish(n, maker, { nick: name }, "hp2 forged");
    t.publish(n, maker, who, `${name} ${name}`);
    told.push(`${who.nick}!PUBLIC!${name} ${name}`);
    for (const hello of [
      t.helloOf({ nick: name }), t.helloOf(t.taker(3), name),
      t.helloOf(t.taker(3)).replace("joinmarket", name),
    ]) {
      const conn = t.connect(n);
      t.send(n, conn, types.HANDSHAKE, hello);
      assert.match(t.refusal(n, conn) ?? "", /nick|serves mainnet|app-name/);
    }
  }
  t.advance(n, 20);
  assert.deepEqual(heard(n, reader), told);
  const { drops, handshakes } = t.statusOf(n);
  assert.equal(drops["no-target"], 2 * names.length);
  assert.equal(drops["from-nick"], names.length);
  for (const result of ["nick", "network", "app-name"]) {
    assert.equal(handshakes[result], names.length, result);
  }
  assert.deepEqual(Object.keys(drops).toSorted(), [...dropReasons].toSorted(), "no new counters");
  t.send(n, reader, types.GETPEERLIST, "");
  t.advance(n, 50);
  assert.ok(heard(n, reader)[0]?.endsWith(`${who.location};F:__proto__+constructor+ping`));
  const extra = t.helloOf(t.taker(4)).replace("{", "{\"__proto__\": {\"directory\": true}, ");
  const conn = t.connect(n);
  t.send(n, conn, types.HANDSHAKE, extra);
  assert.ok(t.isIn(n, conn), "an extra field is ignored, and inherits nothing");
  assert.deepEqual([Object.prototype, Array.prototype, Map.prototype].map((one) =>
    Object.getOwnPropertyNames(one)), language);
  assert.equal(t.statusOf(n).closes["refused"], 3 * names.length);
});

/** An address whose checksum is wrong by one letter. */
function misspelled(location: string): string {
  const letter = location.startsWith("a") ? "b" : "a";
  return `${letter}${location.slice(1)}`;
}

test("directory: rows: row issue/forged-location: what is no address is told to nobody", () => {
  const n = t.start();
  const honest = t.maker(1);
  const maker = t.join(n, honest);
  const reader = t.join(n, t.taker(2));
  const [good, own] = [t.onion(9), `${t.ownNick(n)};${t.ownLocation}`];
  const forged = [
    misspelled(good), `${good},${t.nick(1)};${t.onion(1)};D`, `${good};D`, `${good}\r\n`,
    good.replace(":5222", ":5;D"), good.replace(":5222", ":5,x"), good.replace(":5222", ":5!"),
    `${good} `, `x${good}`, good.replace(":5222", ":0"), good.replace(":5222", ":65536"),
    good.replace(":5222", ""), "127.0.0.1:5222", "evil.example:80", "NOT-SERVING-ONION;D",
    `${"a".repeat(56)}.onion:5222`, "é", "a".repeat(5_000),
  ];
  for (const location of forged) {
    const conn = t.greet(n, { ...t.maker(9), location });
    assert.match(t.refusal(n, conn) ?? "", /^Rejected: the /, location);
    assert.ok(!t.frames(n, conn).some(({ line }) => line.includes(location)));
  }
  assert.equal(t.statusOf(n).handshakes["location"], forged.length);
  // Who is in cannot move, nor speak for the directory.
  t.send(n, maker, types.HANDSHAKE, t.helloOf({ ...honest, location: good }));
  t.send(n, maker, types.PEERLIST, `${t.nick(5)};${good}`);
  t.send(n, maker, types.LOCAL_CONNECT, good);
  t.send(n, maker, types.LOCAL_DISCONNECT, t.onion(1));
  t.whisper(n, maker, honest, t.nick(2), "sw0reloffer 0");
  t.send(n, reader, types.GETPEERLIST, "");
  t.advance(n, defaults.leaveMs + 100);
  const entry = `${honest.nick};${honest.location}`;
  const words = `${honest.nick}!${t.nick(2)}!sw0reloffer 0`;
  assert.deepEqual(heard(n, reader), [words, entry, `${own},${entry}`]);
  drive.hangUp(n.drive, maker);
  t.advance(n, defaults.leaveMs + 100);
  assert.deepEqual(heard(n, reader), [`${entry};D`]);
});

test("directory: rows: row issue/forged-leave-feature: no feature reads as a leave notice", () => {
  const n = t.start();
  const victim = `${t.nick(1)};${t.onion(1)}`;
  t.join(n, t.maker(1));
  const readers = [t.join(n, t.taker(2)), t.join(n, t.taker(3, ["peerlist_features"]))];
  const names = [
    "D", "x;D", ";D", "ping+;D", `x,${victim};D`, `x,${victim};D,y`, "ping\r\n", "é", "", "F:x",
    `x"}\r\n{"type": 789, "line": "${victim};D"}\r\n`,
  ];
  for (const name of names) {
    const conn = t.greet(n, t.maker(4, [name]));
    assert.match(t.refusal(n, conn) ?? "", /a feature name is not made of/, name);
  }
  assert.equal(t.statusOf(n).handshakes["features"], names.length);
  // A value is never told, whatever it says.
  const conn = t.connect(n);
  const hello = t.helloOf(t.maker(5, ["ping", "x"]));
  t.send(n, conn, types.HANDSHAKE, hello.replace("\"x\": true", `"x": ";D,${victim};D"`));
  assert.ok(t.isIn(n, conn));
  t.whisper(n, conn, t.maker(5), t.nick(3), "sw0reloffer 0");
  for (const reader of readers) t.send(n, reader, types.GETPEERLIST, "");
  t.advance(n, defaults.leaveMs + 100);
  for (const reader of readers) {
    const lines = t.freshLines(n, reader, types.PEERLIST);
    const entries = lines.flatMap((line) => {
      const read = peerlist.parse(line);
      assert.ok(read.ok && read.value.malformed === 0);
      return read.value.entries;
    });
    assert.ok(entries.length >= 3);
    assert.ok(entries.every(({ disconnected }) => !disconnected));
    const known = new Set([t.ownNick(n), t.nick(1), t.nick(5)]);
    assert.ok(entries.every(({ nick }) => known.has(nick)));
    assert.ok(entries.every(({ features }) => !features.includes("x")));
  }
});
