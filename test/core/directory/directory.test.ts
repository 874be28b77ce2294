/**
 * A whole directory node, rule by rule. Every invariant of `sim/invariants` is asserted after each
 * step of each example (`test/support/directory.ts`).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ascii, concat } from "../../../core/bytes.ts";
import { defaults } from "../../../core/directory/config.ts";
import * as directory from "../../../core/directory/directory.ts";
import type { ConnId } from "../../../core/ids.ts";
import * as handshake from "../../../core/joinmarket/handshake.ts";
import { mono } from "../../../core/time.ts";
import * as t from "../../support/directory.ts";
import * as drive from "../../support/drive.ts";

const { types } = t;
const minute = 60_000;

/** Texts of the lines that are neither PING nor PONG. */
function heard(n: t.Node, conn: ConnId): readonly string[] {
  const beats: readonly number[] = [types.PING, types.PONG];
  return t.fresh(n, conn).filter((f) => !beats.includes(f.type)).map((f) => f.line);
}

test("directory: start: without a location there is one warning, and no nick-auth", () => {
  const n = t.start({ location: undefined });
  assert.equal(n.logs.filter((l) => l.code === "directory.no-location").length, 1);
  const conn = t.greet(n, t.prover(7n));
  t.advance(n, 20);
  assert.ok(t.isIn(n, conn));
  assert.deepEqual(t.frames(n, conn).map((f) => f.type), [types.DN_HANDSHAKE]);
  t.send(n, conn, types.GETPEERLIST, "");
  t.advance(n, 20);
  const { nick, location } = t.prover(7n);
  assert.deepEqual(t.freshLines(n, conn, types.PEERLIST), [`${nick};${location}`]);
});

test("directory: start: an address that is told is like one that was configured", () => {
  const n = t.start({ location: undefined });
  const early = t.join(n, t.taker(1));
  t.push(n, { type: "onion.located", location: t.ownLocation });
  t.push(n, { type: "onion.located", location: t.ownLocation });
  assert.equal(n.logs.filter((l) => l.code === "directory.located").length, 1);
  const prover = t.join(n, t.prover(7n));
  assert.equal(t.statusOf(n).peers.verified, 1);
  t.send(n, early, types.GETPEERLIST, "");
  t.advance(n, 20);
  const { nick, location } = t.prover(7n);
  const [list = ""] = t.freshLines(n, early, types.PEERLIST);
  assert.deepEqual(list.split(","), [
    `${t.ownNick(n)};${t.ownLocation}`, `${nick};${location}`,
  ]);
  const other = t.onion(77);
  t.push(n, { type: "onion.located", location: other });
  const hello = handshake.parseDirectory(t.frames(n, t.greet(n, t.taker(2)))[0]?.line ?? "");
  assert.equal(hello.ok && hello.value.location, other);
  assert.ok(t.isIn(n, prover), "who is in stays");
  assert.throws(() => t.push(n, { type: "onion.located", location: "here" }), /no onion location/);
});

test("directory: start: an address that is awaited is not missed", () => {
  const n = t.start({ location: undefined });
  n.logs.length = 0;
  t.push(n, { type: "operator.started", isAwaited: true });
  assert.deepEqual(n.logs.filter((l) => l.code === "directory.no-location"), []);
});

test("directory: start: a configuration with a broken relation is refused", () => {
  const config = { ...defaults, peerlistBytesMax: 50_000 };
  assert.throws(() => directory.create(config, mono(0)), /a PEERLIST line must/);
});

test("directory: start: before the node has its nick, a newcomer is refused with a reason", () => {
  const n = t.start();
  n.drive.kernel.state.nick = "";
  const conn = t.greet(n, t.taker(1));
  assert.match(t.refusal(n, conn) ?? "", /starting/);
});

test("directory: nick: a ping-capable owner that answers keeps its nick", () => {
  const n = t.start();
  const owner = t.join(n, t.maker(1));
  t.advance(n, 1_000);
  const newcomer = t.greet(n, t.maker(1));
  t.advance(n, 20);
  assert.deepEqual(t.fresh(n, owner).map((f) => f.type), [types.PING]);
  assert.equal(t.refusal(n, newcomer), undefined);
  t.advance(n, 9_000);
  t.send(n, owner, types.PONG, "");
  t.advance(n, 20);
  assert.match(t.refusal(n, newcomer) ?? "", /in use; its owner answered/);
  assert.equal(t.ownerOf(n, t.nick(1)), owner);
});

test("directory: nick: a ping-capable owner that is silent for 10 s loses it to who waits", () => {
  const n = t.start();
  const owner = t.join(n, t.maker(1));
  const watcher = t.join(n, t.taker(2));
  const newcomer = t.greet(n, t.maker(1));
  t.advance(n, defaults.contestPingMs - 1);
  assert.equal(t.ownerOf(n, t.nick(1)), owner);
  t.advance(n, 1);
  assert.equal(t.closedAs(n, owner), "nick-contest");
  assert.equal(t.ownerOf(n, t.nick(1)), newcomer);
  t.advance(n, 5_000);
  assert.deepEqual(heard(n, watcher), [], "no leave notice: the nick is back");
});

/**
 * A silent owner is evicted by the heartbeat. `contestAt`: somebody claims its nick then;
 * `leaveAt`: another maker leaves. Says when the owner was evicted, and what others were told.
 */
function silentOwner(
  contestAt = Infinity, leaveAt = Infinity,
): { readonly at: number; readonly told: readonly string[]; readonly isBack: boolean } {
  const n = t.start({ leaveMs: 2_000 });
  const owner = t.join(n, t.maker(1));
  const others = [t.join(n, t.maker(3)), t.join(n, t.taker(2))] as const;
  let newcomer: ConnId | undefined;
  let told: readonly string[] = [];
  let at = 0;
  let spokeAt = 0;
  for (const until = t.now(n) + 720_000; t.now(n) < until;) {
    // Every instant at which the node does something is stopped at, and both of ours.
    const stops = [500 + t.now(n), n.drive.kernel.wakeAt, contestAt, leaveAt];
    drive.runTo(n.drive, Math.min(...stops.filter((stop) => stop > t.now(n))));
    const speaks = t.now(n) - spokeAt >= 60_000;
    if (speaks) spokeAt = t.now(n);
    for (const conn of speaks ? others : []) t.send(n, conn, types.PONG, "");
    if (newcomer === undefined && t.now(n) >= contestAt) newcomer = t.greet(n, t.maker(1));
    if (t.now(n) === leaveAt) drive.hangUp(n.drive, others[0]);
    if (at === 0 && t.closedAs(n, owner) !== undefined) at = t.now(n);
    told = [...told, ...heard(n, others[1])];
  }
  return { at, told, isBack: newcomer !== undefined && t.isIn(n, newcomer) };
}

test("directory: nick: who takes over from an evicted owner is not told of as gone", () => {
  const { at } = silentOwner();
  for (const early of [1_999, 2_000, 2_001]) {
    const taken = silentOwner(at - 5_000, at - early);
    assert.deepEqual([taken.at, taken.isBack], [at, true]);
    assert.deepEqual(taken.told, [`${t.nick(3)};${t.onion(3)};D`], `window of ${early} ms`);
  }
});

test("directory: nick: a maker without PING has 120 s, its newcomer is told to come back", () => {
  const n = t.start();
  const owner = t.join(n, t.maker(1, []));
  const first = t.greet(n, t.maker(1, []));
  t.advance(n, 20);
  assert.match(t.refusal(n, first) ?? "", /its owner is probed/);
  assert.deepEqual(heard(n, owner), [`${t.ownNick(n)}!PUBLIC!orderbook`]);
  t.advance(n, defaults.contestMakerMs - 20 - 1);
  assert.equal(t.ownerOf(n, t.nick(1)), owner);
  t.advance(n, 1);
  assert.equal(t.closedAs(n, owner), "nick-contest");
  const second = t.join(n, t.maker(1, []));
  assert.equal(t.ownerOf(n, t.nick(1)), second);
});

test("directory: nick: a maker that answers the probe in private keeps its nick", () => {
  const n = t.start();
  const who = t.maker(1, []);
  const owner = t.join(n, who);
  t.greet(n, who);
  t.advance(n, 90_000);
  t.whisper(n, owner, who, t.ownNick(n), "sw0reloffer 0 1 2 3 4");
  t.advance(n, 60_000);
  assert.equal(t.ownerOf(n, who.nick), owner);
  assert.equal(t.statusOf(n).totals.toDirectory, 1);
  assert.equal(t.statusOf(n).drops["no-target"], 0);
});

test("directory: nick: a taker without PING keeps its nick until it is evicted", () => {
  const n = t.start();
  const owner = t.join(n, t.taker(1, []));
  const newcomer = t.greet(n, t.taker(1, []));
  t.advance(n, 10 * minute);
  assert.match(t.refusal(n, newcomer) ?? "", /in use/);
  assert.equal(t.ownerOf(n, t.nick(1)), owner);
  t.advance(n, 16 * minute);
  assert.equal(t.closedAs(n, owner), "idle-timeout");
});

test("directory: nick: row 10/T3-nick-squatting: a proof takes the nick at once", () => {
  const n = t.start();
  const who = t.prover(11n);
  const squatter = t.join(n, { nick: who.nick, features: ["ping"] });
  const newcomer = t.greet(n, who);
  t.prove(n, newcomer, who);
  assert.equal(t.closedAs(n, squatter), "displaced");
  assert.equal(t.ownerOf(n, who.nick), newcomer);
  assert.equal(t.statusOf(n).peers.verified, 1);
});

test("directory: nick: the same key displaces its ghost, a wrong proof nobody", () => {
  const n = t.start();
  const who = t.prover(12n);
  const ghost = t.join(n, who);
  const liar = t.greet(n, who);
  t.prove(n, liar, who, 13n);
  t.advance(n, 20);
  assert.equal(t.closedAs(n, liar), "nick-auth");
  assert.equal(t.ownerOf(n, who.nick), ghost);
  const again = t.join(n, who);
  assert.equal(t.ownerOf(n, who.nick), again);
});

test("directory: nick: row 10/T4-onion-squatting: one address under two nicks harms nobody", () => {
  const n = t.start();
  const victim = t.maker(1);
  const squatter = { ...t.maker(2), location: victim.location ?? "" };
  t.join(n, squatter);
  assert.ok(t.isIn(n, t.join(n, victim)));
});

test("directory: nick: row 10/T5-bond-reuse: a copied bond locks nobody out", () => {
  const n = t.start();
  const bond = "A".repeat(336);
  for (const i of [1, 2]) {
    const line = t.helloOf(t.maker(i)).replace("\"ping\": true", `"fidelity_bond": "${bond}"`);
    const conn = t.connect(n);
    t.send(n, conn, types.HANDSHAKE, line);
    t.advance(n, 20);
    assert.ok(t.isIn(n, conn));
  }
});

test("directory: nick: the directory's own nick is refused", () => {
  const n = t.start();
  const conn = t.greet(n, { nick: t.ownNick(n) });
  assert.match(t.refusal(n, conn) ?? "", /directory's/);
});

test("directory: generations: nothing of an old connection touches the new owner", () => {
  const n = t.start();
  const who = t.prover(14n);
  const old = t.join(n, who);
  const reader = t.join(n, t.taker(2));
  n.drive.lateCloses = true;
  const owner = t.join(n, who);
  assert.equal(t.closedAs(n, old), "displaced");
  t.publish(n, old, who, "hp2 stale");
  t.send(n, old, types.DISCONNECT, "");
  t.advance(n, 9 * minute);
  t.send(n, reader, types.PONG, "");
  while (t.statusOf(n).heartbeat.pending === 0) t.advance(n, 1_000);
  assert.deepEqual(heard(n, reader), []);
  t.send(n, old, types.PONG, "");
  assert.equal(t.statusOf(n).heartbeat.pending, 1, "a stale PONG answers for nobody");
  t.send(n, owner, types.PONG, "");
  assert.equal(t.statusOf(n).heartbeat.pending, 0);
  drive.closeLate(n.drive, old);
  t.advance(n, 5_000);
  assert.equal(t.ownerOf(n, who.nick), owner);
  assert.deepEqual(heard(n, reader), [], "no notice about a nick that is here");
});

test("directory: relay: a public line reaches everybody else, byte for byte", () => {
  const n = t.start();
  const [a, b, c] = [1, 2, 3].map((i) => t.join(n, t.taker(i))) as [ConnId, ConnId, ConnId];
  const line = `{"type":687,"line":"${t.nick(1)}!PUBLIC!some \\u00e9 new\\/command"}`;
  t.raw(n, a, `${line}\n`);
  t.advance(n, 20);
  assert.deepEqual(t.fresh(n, b).map((f) => f.bytes), [line]);
  assert.deepEqual(t.fresh(n, c).map((f) => f.bytes), [line]);
  assert.deepEqual(t.fresh(n, a), []);
});

test("directory: relay: row 1.2/line-ends: lines that end in LF go out with CRLF", () => {
  const n = t.start();
  const [a, b] = [t.join(n, t.taker(1)), t.join(n, t.taker(2))];
  const frame = new TextDecoder().decode(t.frame(types.PUBMSG, `${t.nick(1)}!PUBLIC!hp2 x`));
  t.raw(n, a, frame.replace("\r\n", "\n"));
  t.advance(n, 20);
  const bytes = new TextDecoder().decode(concat(drive.linkOf(n.drive, b).got));
  assert.ok(bytes.endsWith(frame));
});

test("directory: relay: row issue/forged-nick: another's nick reaches nobody, counted", () => {
  const n = t.start();
  const [a, b] = [t.join(n, t.taker(1)), t.join(n, t.taker(2))];
  t.join(n, t.taker(3));
  t.publish(n, a, t.taker(3), "hp2 forged");
  t.whisper(n, a, t.taker(3), t.nick(2), "fill 0");
  t.advance(n, 20);
  assert.deepEqual(heard(n, b), []);
  assert.equal(t.statusOf(n).drops["from-nick"], 2);
  assert.ok(t.isIn(n, a));
});

test("directory: relay: private lines go to the owner alone, with a hint about a maker", () => {
  const n = t.start();
  const maker = t.maker(1);
  const sender = t.join(n, maker);
  const plain = t.join(n, t.taker(2));
  const asked = t.join(n, t.taker(3, ["peerlist_features"]));
  const other = t.join(n, t.taker(4));
  for (const i of [2, 3]) t.whisper(n, sender, maker, t.nick(i), "sw0reloffer 0");
  t.whisper(n, plain, t.taker(2), t.nick(3), "fill 0");
  t.advance(n, 20);
  const hint = `${maker.nick};${maker.location}`;
  const text = (to: number): string => `${maker.nick}!${t.nick(to)}!sw0reloffer 0`;
  assert.deepEqual(heard(n, plain), [text(2), hint]);
  const fill = `${t.nick(2)}!${t.nick(3)}!fill 0`;
  assert.deepEqual(heard(n, asked), [text(3), `${hint};F:ping`, fill], "a taker has no hint");
  assert.deepEqual(heard(n, other), []);
});

test("directory: relay: order of public and private lines of one sender is kept", () => {
  const n = t.start();
  const [a, b] = [t.join(n, t.taker(1)), t.join(n, t.taker(2))];
  const lines: string[] = [];
  for (let i = 0; i < 20; i += 1) {
    const to = i % 3 === 0 ? t.nick(2) : "PUBLIC";
    lines.push(`${t.nick(1)}!${to}!word ${i}`);
    t.send(n, a, i % 3 === 0 ? types.PRIVMSG : types.PUBMSG, lines.at(-1) ?? "");
  }
  t.advance(n, 20);
  assert.deepEqual(heard(n, b), lines);
});

test("directory: relay: a private line waits for nobody: an unknown nick drops it, counted", () => {
  const n = t.start();
  const a = t.join(n, t.taker(1));
  t.whisper(n, a, t.taker(1), t.nick(8), "fill 0");
  const later = t.join(n, t.taker(8));
  t.advance(n, 1_000);
  assert.deepEqual(heard(n, later), []);
  assert.equal(t.statusOf(n).drops["no-target"], 1);
});

test("directory: ping: a peer's PING is answered, 801 is a goodbye", () => {
  const n = t.start();
  const a = t.join(n, t.taker(1));
  t.send(n, a, types.PING, "");
  t.advance(n, 20);
  assert.deepEqual(t.fresh(n, a).map((f) => f.type), [types.PONG]);
  t.send(n, a, types.DISCONNECT, "");
  assert.equal(t.closedAs(n, a), "goodbye");
  assert.equal(t.statusOf(n).peers.registered, 0);
  assert.deepEqual(t.fresh(n, a), [], "nothing is answered");
});

test("directory: peerlist: makers and the node itself, F: only for those who asked", () => {
  const n = t.start();
  t.join(n, t.maker(1));
  t.join(n, t.maker(2, []));
  const plain = t.join(n, t.taker(3));
  const asking = t.join(n, t.taker(4, ["peerlist_features"]));
  for (const conn of [plain, asking]) t.send(n, conn, types.GETPEERLIST, "");
  t.advance(n, 50);
  const [one, two] = [1, 2].map((i) => `${t.nick(i)};${t.onion(i)}`);
  const own = `${t.ownNick(n)};${t.ownLocation}`;
  assert.deepEqual(heard(n, plain), [`${own},${one},${two}`]);
  const features = ";F:nick_auth+peerlist_features+ping";
  assert.deepEqual(heard(n, asking), [`${own}${features},${one};F:ping,${two}`]);
});

test("directory: peerlist: a slow reader's list goes on when it reads, without who left", () => {
  const n = t.start({ peerlistBytesMax: 200, peerlistLinesPerFlush: 1 });
  const makers = [1, 2, 3, 4, 5, 6].map((i) => t.join(n, t.maker(i)));
  const reader = t.join(n, t.taker(9));
  drive.stall(n.drive, reader, 250);
  t.send(n, reader, types.GETPEERLIST, "");
  t.advance(n, 100);
  assert.equal(t.statusOf(n).outbox.congested, 1);
  drive.hangUp(n.drive, makers[5] as ConnId, "reset");
  t.advance(n, 5_000);
  drive.resume(n.drive, reader);
  t.advance(n, 200);
  const names = heard(n, reader).flatMap((line) => line.split(","));
  const listed = names.filter((entry) => !entry.endsWith(";D")).map((e) => e.slice(0, 16));
  assert.deepEqual(listed, [t.ownNick(n), ...[1, 2, 3, 4, 5].map((i) => t.nick(i))]);
  assert.equal(names.filter((entry) => entry.endsWith(";D")).length, 1);
});

test("directory: peerlist: row issue/flood-peerlist: three a minute, excess dropped and counted",
  () => {
    const n = t.start();
    const a = t.join(n, t.taker(1));
    for (let i = 0; i < 5; i += 1) {
      t.send(n, a, types.GETPEERLIST, "");
      t.advance(n, 100);
    }
    assert.equal(t.freshLines(n, a, types.PEERLIST).length, 3);
    assert.equal(t.statusOf(n).drops["rate-peerlist"], 2);
    assert.ok(t.isIn(n, a));
  });

test("directory: leaves: makers that go are told of together, takers are not", () => {
  const n = t.start();
  const makers = [1, 2, 3].map((i) => t.join(n, t.maker(i)));
  const gone = t.join(n, t.taker(4));
  const watcher = t.join(n, t.taker(5));
  for (const conn of [...makers, gone]) drive.hangUp(n.drive, conn, "reset");
  t.advance(n, defaults.leaveMs - 1);
  assert.deepEqual(heard(n, watcher), []);
  t.advance(n, 20);
  const entries = [1, 2, 3].map((i) => `${t.nick(i)};${t.onion(i)};D`);
  assert.deepEqual(heard(n, watcher), [entries.join(",")]);
  t.advance(n, minute);
  assert.deepEqual(heard(n, watcher), []);
});

test("directory: leaves: a nick that is back in time takes its notice with it", () => {
  const n = t.start();
  const maker = t.join(n, t.maker(1));
  const watcher = t.join(n, t.taker(5));
  drive.hangUp(n.drive, maker);
  t.advance(n, 1_900);
  t.join(n, t.maker(1));
  t.advance(n, minute);
  assert.deepEqual(heard(n, watcher), []);
  assert.equal(t.statusOf(n).totals.leavesCancelled, 1);
});

test("directory: leaves: makers that nobody was shown are told of within a budget", () => {
  const n = t.start({ unseenLeaves: { tokens: 1, perMs: 3_600_000, burst: 2 } });
  const watcher = t.join(n, t.taker(0));
  const unseen = [1, 2, 3, 4].map((i) => t.join(n, t.maker(i)));
  const seen = t.join(n, t.maker(5));
  t.publish(n, seen, t.maker(5), "sw0reloffer 0 1 2 3 0.1");
  t.advance(n, 20);
  t.fresh(n, watcher);
  for (const conn of [...unseen, seen]) drive.hangUp(n.drive, conn);
  t.advance(n, defaults.leaveMs + 20);
  const entries = t.freshLines(n, watcher, types.PEERLIST).join(",").split(",");
  const told = entries.map((entry) => entry.slice(0, 16));
  assert.deepEqual(told, [t.nick(1), t.nick(2), t.nick(5)]);
  assert.equal(t.statusOf(n).totals.leavesUntold, 2);
});

test("directory: leaves: row 10/T17-mass-disconnect: 600 makers gone cost a few lines", () => {
  const n = t.start();
  const makers = Array.from({ length: 600 }, (_, i) => t.greet(n, t.maker(i + 10)));
  const watchers = Array.from({ length: 7 }, (_, i) => t.join(n, t.taker(i + 700)));
  for (const conn of makers) drive.hangUp(n.drive, conn, "reset");
  t.advance(n, 3_000);
  for (const watcher of watchers) {
    const lines = heard(n, watcher);
    assert.ok(lines.length <= 4, `${lines.length} lines`);
    assert.equal(lines.flatMap((line) => line.split(",")).length, 600);
    assert.ok(t.isIn(n, watcher));
  }
});

test("directory: slow reader: row issue/never-reads: it is reset, others notice nothing", () => {
  const n = t.start();
  const [a, b] = [t.join(n, t.taker(1)), t.join(n, t.taker(2))];
  const stuck = t.join(n, t.taker(3));
  drive.stall(n.drive, stuck, 0);
  t.publish(n, a, t.taker(1), "hp2 0");
  t.advance(n, 20);
  const from = t.now(n);
  for (let i = 1; i <= 50; i += 1) {
    t.publish(n, a, t.taker(1), `hp2 ${i}`);
    t.advance(n, 1_000);
  }
  assert.equal(heard(n, b).length, 51);
  assert.ok(t.isIn(n, stuck));
  t.advance(n, from + defaults.outbox.congestedMsMax - t.now(n) - 30);
  assert.ok(t.isIn(n, stuck));
  t.advance(n, 30);
  assert.equal(t.closedAs(n, stuck), "slow-reader");
});

test("directory: slow reader: row 10/T7-slow-reader: a full outbox closes it alone", () => {
  const n = t.start({ outbox: { ...defaults.outbox, bytesMax: 100_000 } });
  const [a, b] = [t.join(n, t.taker(1)), t.join(n, t.taker(2))];
  const stuck = t.join(n, t.taker(3));
  drive.stall(n.drive, stuck, 1_000);
  for (let i = 0; i < 12; i += 1) {
    t.publish(n, a, t.taker(1), `hp2 ${i} ${"x".repeat(10_000)}`);
    t.advance(n, 20);
  }
  assert.equal(t.closedAs(n, stuck), "outbox-full");
  assert.equal(heard(n, b).length, 12);
  assert.equal(t.statusOf(n).closes["outbox-full"], 1);
});

test("directory: input: row 1.2/oversized: 40,000 bytes pass, one more closes the sender alone",
  () => {
    const n = t.start();
    const [a, b] = [t.join(n, t.taker(1)), t.join(n, t.taker(2))];
    const head = `{"type": 687, "line": "${t.nick(1)}!PUBLIC!hp2 `;
    const line = (size: number): string => `${head}${"x".repeat(size - head.length - 2)}"}\r\n`;
    t.raw(n, a, line(40_000));
    t.advance(n, 20);
    assert.equal(heard(n, b).length, 1);
    t.raw(n, a, line(40_001));
    t.advance(n, 20);
    assert.deepEqual(heard(n, b), []);
    assert.equal(t.closedAs(n, a), "line-too-long");
    assert.equal(t.statusOf(n).closes["line-too-long"], 1);
    assert.ok(t.isIn(n, b));
  });

test("directory: input: row issue/oversized: too long a line without an end closes too", () => {
  const n = t.start();
  const a = t.join(n, t.taker(1));
  for (let i = 0; i < 40; i += 1) t.raw(n, a, "x".repeat(1_000));
  assert.equal(t.closedAs(n, a), undefined);
  t.raw(n, a, "xx");
  assert.equal(t.closedAs(n, a), "line-too-long");
});

test("directory: input: row 2.3/oversized: a handshake has a bound of its own", () => {
  const n = t.start();
  const a = t.connect(n);
  t.raw(n, a, "x".repeat(defaults.handshakeBytesMax));
  assert.equal(t.closedAs(n, a), undefined);
  t.raw(n, a, "xx");
  assert.equal(t.closedAs(n, a), "line-too-long");
});

test("directory: input: the total of unfinished lines ends who holds most, not who sends", () => {
  const n = t.start({ inputBytesTotalMax: 10_000 });
  const [holder, honest] = [t.join(n, t.taker(1)), t.join(n, t.taker(2))];
  t.raw(n, holder, "x".repeat(9_900));
  t.raw(n, honest, "x".repeat(200));
  assert.equal(t.closedAs(n, holder), "input-full");
  assert.ok(t.isIn(n, honest));
});

test("directory: input: row issue/partial: an unfinished line meets its deadline", () => {
  const n = t.start();
  const [a, b] = [t.join(n, t.taker(1)), t.join(n, t.taker(2))];
  t.raw(n, a, "{\"type\": 687");
  t.advance(n, defaults.lineMs - 1);
  assert.ok(t.isIn(n, a));
  t.advance(n, 1);
  assert.equal(t.closedAs(n, a), "line-timeout");
  assert.ok(t.isIn(n, b));
});

test("directory: input: row 10/T16-tiny-liveness: bytes without an end are no sign of life", () => {
  const n = t.start({ lineMs: 3_600_000 });
  const a = t.join(n, t.taker(1));
  for (let i = 0; i < 11 * 6; i += 1) {
    t.raw(n, a, "x");
    t.advance(n, 10_000);
  }
  assert.equal(t.closedAs(n, a), "pong-timeout");
});

const bad: readonly (readonly [string, string | Uint8Array])[] = [
  ["issue/not-json", "what?\r\n"],
  ["issue/not-utf8", Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d, 13, 10)],
  ["issue/deep-nesting", `{"type": 687, "line": "", "x": ${"[".repeat(9_000)}}\r\n`],
  ["issue/wrong-types", "{\"type\": \"687\", \"line\": 5}\r\n"],
  ["issue/duplicate-keys", "{\"type\": 687, \"type\": 685, \"line\": \"\"}\r\n"],
  ["issue/proto-key", "{\"__proto__\": {\"type\": 687}, \"line\": \"\"}\r\n"],
  ["issue/unknown-types", "{\"type\": 4242, \"line\": \"\"}\r\n"],
  ["10/T14-local-control-types", "{\"type\": 787, \"line\": \"x.onion:5222\"}\r\n"],
  ["2.3/second-handshake", t.frame(types.HANDSHAKE, t.helloOf(t.maker(8)))],
];

for (const [row, bytes] of bad) {
  test(`directory: input: row ${row}: touches only its own connection, which stays`, () => {
    const n = t.start();
    const [a, b] = [t.join(n, t.taker(1)), t.join(n, t.taker(2))];
    t.raw(n, a, bytes);
    t.publish(n, a, t.taker(1), "hp2 after");
    t.advance(n, 20);
    assert.ok(t.isIn(n, a));
    assert.deepEqual(heard(n, b), [`${t.nick(1)}!PUBLIC!hp2 after`]);
    const drops = Object.values(t.statusOf(n).drops).reduce((sum, count) => sum + count, 0);
    assert.equal(drops, 1);
  });
}

test("directory: handshake: row issue/handshake-drip: a drip meets the handshake deadline", () => {
  const n = t.start();
  const conn = t.connect(n);
  const bytes = t.frame(types.HANDSHAKE, t.helloOf(t.taker(1)));
  for (let i = 0; i < 29; i += 1) {
    t.raw(n, conn, bytes.slice(i, i + 1));
    t.advance(n, 1_000);
  }
  t.advance(n, 999);
  assert.equal(t.closedAs(n, conn), undefined);
  t.advance(n, 1);
  assert.equal(t.closedAs(n, conn), "handshake-timeout");
});

test("directory: handshake: lines while it waits for its nick are only counted", () => {
  const n = t.start();
  t.join(n, t.maker(1));
  const reader = t.join(n, t.taker(2));
  const newcomer = t.greet(n, t.maker(1));
  t.publish(n, newcomer, t.maker(1), "hp2 early");
  t.advance(n, 20);
  assert.deepEqual(heard(n, reader), []);
  assert.equal(t.statusOf(n).drops["early-line"], 1);
});

test("directory: handshake: a line behind the handshake in one delivery counts", () => {
  const n = t.start();
  const reader = t.join(n, t.taker(2));
  const conn = t.connect(n);
  const pub = t.frame(types.PUBMSG, `${t.nick(1)}!PUBLIC!hp2 x`);
  t.raw(n, conn, concat([t.frame(types.HANDSHAKE, t.helloOf(t.taker(1))), pub]));
  t.advance(n, 20);
  assert.deepEqual(heard(n, reader), [`${t.nick(1)}!PUBLIC!hp2 x`]);
});

test("directory: handshake: row issue/silent-connections: they make room for who speaks", () => {
  const n = t.start({ handshakingMax: 50 });
  const silent = Array.from({ length: 200 }, () => t.connect(n));
  assert.equal(t.statusOf(n).peers.handshaking, 50);
  assert.equal(t.closedAs(n, silent[0] as ConnId), "handshake-slots");
  assert.ok(t.isIn(n, t.join(n, t.taker(1))));
  t.advance(n, 31_000);
  assert.equal(t.statusOf(n).peers.connections, 1);
});

test("directory: handshake: row 2.3/capacity: a full node refuses with a reason", () => {
  const n = t.start({ peersMax: 2 });
  const first = t.join(n, t.taker(1));
  t.join(n, t.taker(2));
  const conn = t.greet(n, t.taker(3));
  assert.match(t.refusal(n, conn) ?? "", /full \(2 peers\)/);
  assert.equal(t.statusOf(n).handshakes["full"], 1);
  drive.hangUp(n.drive, first);
  assert.ok(t.isIn(n, t.join(n, t.taker(3))));
});

test("directory: handshake: a full node lets a nick change hands", () => {
  const n = t.start({ peersMax: 1 });
  const who = t.prover(15n);
  t.join(n, { nick: who.nick });
  const owner = t.join(n, who);
  assert.equal(t.ownerOf(n, who.nick), owner);
});

test("directory: handshake: row 2.6/nothing-between: no broadcast between 795 and 807", () => {
  const n = t.start();
  const who = t.prover(16n);
  const a = t.join(n, t.taker(1));
  const conn = t.greet(n, who);
  t.publish(n, a, t.taker(1), "hp2 x");
  t.prove(n, conn, who);
  t.advance(n, 20);
  const got = t.frames(n, conn).map((f) => f.type);
  assert.deepEqual(got, [types.DN_HANDSHAKE, types.NICK_AUTH_CHALLENGE, types.NICK_AUTH_RESULT]);
});

test("directory: handshake: random bytes that come too late are for nobody", () => {
  const n = t.start();
  n.holdsEntropy = true;
  const conn = t.greet(n, t.prover(17n));
  t.advance(n, 30_000);
  assert.equal(t.closedAs(n, conn), "handshake-timeout");
  for (const req of n.wanted) t.give(n, req, 32);
  assert.equal(n.drive.kernel.state.draws.size, 0);
});

const floods: readonly (readonly [string, string, (n: t.Node, conn: ConnId) => void])[] = [
  ["issue/flood-public", "rate-public", (n, c) => t.publish(n, c, t.taker(1), "hp2")],
  ["issue/flood-orderbook", "rate-orderbook", (n, c) => t.publish(n, c, t.taker(1), "orderbook")],
  ["issue/flood-private", "rate-private",
    (n, c) => t.whisper(n, c, t.taker(1), t.nick(2), "fill 0")],
  ["issue/flood-ping", "rate-ping", (n, c) => t.send(n, c, types.PING, "")],
  ["issue/flood-other", "rate-other", (n, c) => t.raw(n, c, "\r\n")],
];

for (const [row, reason, once] of floods) {
  test(`directory: limits: row ${row}: excess is dropped and counted, then closed`, () => {
    const n = t.start();
    const [a, b] = [t.join(n, t.taker(1)), t.join(n, t.taker(2))];
    for (let i = 0; i < 2_000 && t.closedAs(n, a) === undefined; i += 1) once(n, a);
    assert.equal(t.closedAs(n, a), "flood");
    assert.equal(t.statusOf(n).drops[reason], 1_001);
    t.advance(n, 20);
    assert.ok(t.isIn(n, b));
  });
}

test("directory: limits: 1,000 drops in more than a minute close nobody", () => {
  const n = t.start();
  const a = t.join(n, t.taker(1));
  for (let i = 0; i < 3; i += 1) {
    for (let k = 0; k < 900; k += 1) t.send(n, a, types.PONG, "");
    t.advance(n, 61_000);
  }
  assert.ok(t.isIn(n, a));
});

const circuit = (id: string): string =>
  `PROXY TCP6 fc00:dead:beef:4dad::${id} ::1 40000 5222\r\n`;

test("directory: circuits: with a PROXY line in front, a peer gets in as any other", () => {
  const n = t.start({ circuits: true });
  const conn = t.connect(n);
  t.raw(n, conn, circuit("0:17"));
  t.send(n, conn, types.HANDSHAKE, t.helloOf(t.taker(1)));
  t.advance(n, 20);
  assert.ok(t.isIn(n, conn));
});

const headers: readonly (readonly [string, string])[] = [
  ["missing", "{\"type\": 793, \"line\": \"\"}\r\n"], ["malformed", "PROXY TCP4 1.2.3.4\r\n"],
  ["too long", "PROXY TCP6 ".padEnd(108, "x")],
];

for (const [what, bytes] of headers) {
  test(`directory: circuits: a PROXY line that is ${what} closes, counted`, () => {
    const n = t.start({ circuits: true });
    const conn = t.connect(n);
    t.raw(n, conn, bytes);
    assert.equal(t.closedAs(n, conn), "proxy-header");
    assert.equal(t.statusOf(n).closes["proxy-header"], 1);
    assert.deepEqual(t.frames(n, conn), []);
  });
}

test("directory: circuits: connections and budgets are those of the circuit", () => {
  const limits = { ...defaults.limits, public: { tokens: 1, perMs: 60_000, burst: 3 } };
  const n = t.start({ circuits: true, connsPerCircuitMax: 2, limits });
  const from = (id: string, i: number): ConnId => {
    const conn = t.connect(n);
    t.raw(n, conn, circuit(id));
    if (t.closedAs(n, conn) === undefined) {
      t.send(n, conn, types.HANDSHAKE, t.helloOf(t.taker(i)));
    }
    return conn;
  };
  const [a, b] = [from("1:1", 1), from("1:1", 2)];
  assert.equal(t.closedAs(n, from("1:1", 3)), "circuit-full");
  const reader = from("2:2", 4);
  t.advance(n, 20);
  t.fresh(n, reader);
  for (let i = 0; i < 2; i += 1) t.publish(n, a, t.taker(1), "hp2");
  for (let i = 0; i < 2; i += 1) t.publish(n, b, t.taker(2), "hp2");
  t.advance(n, 20);
  assert.equal(heard(n, reader).length, 3);
});

test("directory: heartbeat: a ping-capable peer is pinged when idle; silence evicts it", () => {
  const n = t.start();
  const a = t.join(n, t.maker(1));
  t.advance(n, 599_000);
  assert.deepEqual(t.fresh(n, a), []);
  t.advance(n, 61_000);
  assert.deepEqual(t.fresh(n, a).map((f) => f.type), [types.PING]);
  t.advance(n, 30_000);
  assert.equal(t.closedAs(n, a), "pong-timeout");
});

test("directory: heartbeat: any line after the PING is its answer", () => {
  const n = t.start();
  const a = t.join(n, t.taker(1));
  for (let i = 0; i < 5; i += 1) {
    while (t.statusOf(n).heartbeat.pending === 0) t.advance(n, 1_000);
    t.raw(n, a, "\r\n");
  }
  assert.ok(t.isIn(n, a));
  assert.deepEqual(new Set(t.fresh(n, a).map((f) => f.type)), new Set([types.PING]));
});

test("directory: heartbeat: a maker without PING gets unicast orderbooks, others nothing", () => {
  const n = t.start();
  const maker = t.join(n, t.maker(1, []));
  const mute = t.join(n, t.taker(2, []));
  t.advance(n, 24 * minute);
  const probes = heard(n, maker);
  assert.ok(probes.length >= 13 && probes.length <= 15, `${probes.length} probes`);
  assert.deepEqual(new Set(probes), new Set([`${t.ownNick(n)}!PUBLIC!orderbook`]));
  assert.deepEqual(t.fresh(n, mute), []);
  t.advance(n, 2 * minute);
  assert.equal(t.closedAs(n, maker), "idle-timeout");
  assert.equal(t.closedAs(n, mute), "idle-timeout");
});

test("directory: heartbeat: row 10/T18-clock-step: the wall clock evicts nobody", () => {
  const n = t.start();
  const a = t.join(n, t.taker(1));
  for (const unixMs of [1_800_000_000_000, 1_600_000_000_000]) {
    t.push(n, { type: "clock.anchored", unixMs });
    t.advance(n, 1_000);
  }
  assert.ok(t.isIn(n, a));
  t.advance(n, 11 * minute + 31_000);
  assert.equal(t.closedAs(n, a), "pong-timeout", "and keeps nobody");
});

test("directory: heartbeat: a paused host evicts nobody for the time it slept", () => {
  const n = t.start();
  const a = t.join(n, t.taker(1));
  drive.pause(n.drive, 3_600_000);
  t.advance(n, 5_000);
  assert.ok(t.isIn(n, a));
});

test("directory: stop: newcomers are refused, peers flushed and closed, then over", () => {
  const n = t.start();
  const [a, b] = [t.join(n, t.taker(1)), t.join(n, t.taker(2))];
  const shaking = t.connect(n);
  t.publish(n, a, t.taker(1), "hp2 last");
  t.push(n, { type: "operator.stop" });
  assert.deepEqual(heard(n, b), [`${t.nick(1)}!PUBLIC!hp2 last`]);
  for (const conn of [a, b]) assert.equal(t.closedAs(n, conn), "shutdown");
  assert.match(t.refusal(n, shaking) ?? "", /shutting down/);
  assert.ok(n.stopped);
  t.push(n, { type: "operator.stop" });
});

test("directory: stop: a peer that does not read is reset, the drain ends in time", () => {
  const n = t.start();
  const a = t.join(n, t.taker(1));
  const [stuck, slow] = [t.join(n, t.taker(2)), t.join(n, t.taker(3))];
  drive.stall(n.drive, stuck, 0);
  t.publish(n, a, t.taker(1), "hp2 x");
  t.advance(n, 20);
  drive.stall(n.drive, slow, 1_000);
  n.drive.lateCloses = true;
  t.push(n, { type: "operator.stop" });
  assert.deepEqual(drive.linkOf(n.drive, stuck).closed?.how, "abort");
  const late = t.greet(n, t.taker(5));
  assert.match(t.refusal(n, late) ?? "", /shutting down/);
  t.advance(n, defaults.drainMs - 1);
  assert.ok(!n.stopped);
  assert.deepEqual(drive.linkOf(n.drive, slow).closed?.how, "abort", "after the grace time");
  t.advance(n, 1);
  assert.ok(n.stopped);
});

test("directory: stop: who was asked for a proof gets a result, not a second handshake", () => {
  const n = t.start();
  const conn = t.greet(n, t.prover(18n));
  t.advance(n, 20);
  t.push(n, { type: "operator.stop" });
  const [last] = t.frames(n, conn).slice(-1);
  assert.equal(last?.type, types.NICK_AUTH_RESULT);
  assert.match(last?.line ?? "", /"policy"/);
});

test("directory: reload: limits, heartbeat and the message change at once", () => {
  const n = t.start({ peersMax: 3 });
  const a = t.join(n, t.taker(1));
  const { heartbeat, limits, logLevel } = defaults;
  t.push(n, { type: "operator.reload", settings: {
    motd: "New", peersMax: 1, logLevel, limits,
    heartbeat: { ...heartbeat, idleMs: 120_000 },
  } });
  assert.match(t.refusal(n, t.greet(n, t.taker(2))) ?? "", /full/);
  t.advance(n, 181_000);
  assert.deepEqual(t.fresh(n, a).map((f) => f.type), [types.PING]);
  t.advance(n, 30_000);
  assert.equal(t.closedAs(n, a), "pong-timeout");
  const next = t.greet(n, t.taker(2));
  t.advance(n, 20);
  assert.match(t.frames(n, next)[0]?.line ?? "", /"motd": "New"/);
});

test("directory: reload: a broken relation is our error, not the operator's", () => {
  const n = t.start();
  const { heartbeat, limits, logLevel, motd, peersMax } = defaults;
  const settings = { motd, peersMax, logLevel, limits, heartbeat: { ...heartbeat, idleMs: 1 } };
  assert.throws(() => t.push(n, { type: "operator.reload", settings }), /pong wait/);
});

test("directory: logs: row 10/T13-log-injection: hold codes and checked names only", () => {
  const n = t.start();
  const a = t.join(n, t.taker(1));
  const sizes = n.logs.length;
  t.raw(n, a, ascii("{\"type\": 687, \"line\": \"\\u001b[31mevil!PUBLIC!x\"}\r\n"));
  t.publish(n, a, t.taker(1), "hp2 evil");
  t.advance(n, 20);
  assert.equal(n.logs.length, sizes, "traffic is not logged");
  for (const log of n.logs) assert.match(JSON.stringify(log.fields), /^[ -~]*$/);
});
