import assert from "node:assert/strict";
import { test } from "node:test";
import { defaults, type LimitsConfig } from "../../../core/directory/config.ts";
import type { DropReason } from "../../../core/directory/counts.ts";
import * as relay from "../../../core/directory/relay.ts";
import type { ConnId } from "../../../core/ids.ts";
import * as peerlist from "../../../core/joinmarket/peerlist.ts";
import * as net from "../../support/directory.ts";
import * as drive from "../../support/drive.ts";
import { primitives } from "../../support/primitives.ts";

const { types } = net;
const limits = (over: Partial<LimitsConfig>): LimitsConfig => ({ ...defaults.limits, ...over });
const few = { tokens: 1, perMs: 60_000, burst: 1 };
const many = { tokens: 1_000, perMs: 1, burst: 100_000 };

const alice = net.maker(1);
const bob = net.taker(2);

/** Alice speaks, Bob is there to hear it. */
function pair(settings: Parameters<typeof net.start>[0] = {}) {
  const n = net.start(settings);
  const [a, b] = [net.join(n, alice), net.join(n, bob)];
  return { n, a, b };
}

/** What the drops counted since the start, without the zeros. */
function drops(n: net.Node): Record<string, number> {
  const counted = Object.entries(net.statusOf(n).drops).filter(([, count]) => count > 0);
  return Object.fromEntries(counted);
}

const line = (type: number | string, text: string) =>
  `{"type": ${type}, "line": ${JSON.stringify(text)}}`;

const dropped: readonly (readonly [string, DropReason])[] = [
  ["", "empty"],
  ["not json", "malformed"],
  ['{"type": 687}', "malformed"],
  [line('"687"', ""), "malformed"],
  [line(687, `${bob.nick}!PUBLIC!orderbook`), "from-nick"],
  [line(685, `${bob.nick}!${alice.nick}!fill 0`), "from-nick"],
  [line(687, `${alice.nick}!${bob.nick}!x`), "grammar"],
  [line(685, `${alice.nick}!PUBLIC!x`), "grammar"],
  [line(685, `${alice.nick}!${net.nick(9)}!x`), "no-target"],
  [line(1, ""), "unknown-type"],
  [line(804, ""), "unknown-type"],
  [line(785, ""), "local-type"],
  [line(787, alice.location ?? ""), "local-type"],
  [line(797, ""), "local-type"],
  [line(793, net.helloOf(alice)), "misplaced-type"],
  [line(795, ""), "misplaced-type"],
  [line(789, `${bob.nick};NOT-SERVING-ONION;D`), "misplaced-type"],
];

test("directory: relay: each drop has its reason, reaches nobody and ends nobody", () => {
  for (const [frame, reason] of dropped) {
    const { n, a, b } = pair();
    net.raw(n, a, `${frame}\r\n`);
    net.advance(n, 20);
    assert.deepEqual(drops(n), { [reason]: 1 }, frame);
    assert.deepEqual([net.fresh(n, a), net.fresh(n, b)], [[], []]);
    assert.equal(net.isIn(n, a), true);
  }
});

test("directory: relay: public lines reach everyone else as they came", () => {
  const { n, a, b } = pair();
  const frame = `{"line":"${alice.nick}!PUBLIC!new 1\\u00e9","type":687}`;
  net.raw(n, a, `${frame}\n`);
  net.publish(n, a, alice, "orderbook");
  net.advance(n, 20);
  assert.deepEqual(net.fresh(n, a), []);
  const [first, second] = net.fresh(n, b);
  assert.equal(first?.bytes, frame);
  assert.equal(second?.line, `${alice.nick}!PUBLIC!orderbook`);
  assert.equal(net.statusOf(n).totals.publicRelayed, 2);
});

test("directory: relay: private lines reach their target, then a hint if the sender serves", () => {
  const n = net.start();
  const [plain, asking] = [net.taker(3, ["ping"]), net.taker(4, ["peerlist_features"])];
  const [a, p, q] = [net.join(n, alice), net.join(n, plain), net.join(n, asking)];
  for (const to of [plain, asking]) net.whisper(n, a, alice, to.nick, "fill 0");
  net.whisper(n, p, plain, asking.nick, "auth x");
  net.advance(n, 20);
  const entry = `${alice.nick};${alice.location}`;
  assert.deepEqual(net.fresh(n, p).map((f) => f.line),
    [`${alice.nick}!${plain.nick}!fill 0`, entry]);
  assert.deepEqual(net.fresh(n, q).map((f) => f.line), [
    `${alice.nick}!${asking.nick}!fill 0`, `${entry};F:ping`, `${plain.nick}!${asking.nick}!auth x`,
  ]);
  const { totals } = net.statusOf(n);
  assert.deepEqual([totals.privateRelayed, totals.hints], [3, 2]);
});

test("directory: relay: an answer to the directory's own probe is no drop", () => {
  const { n, a } = pair();
  net.whisper(n, a, alice, net.ownNick(n), "sw0reloffer 0 1 2 0 0.1");
  assert.equal(net.statusOf(n).totals.toDirectory, 1);
  assert.deepEqual(drops(n), {});
});

test("directory: relay: PING is answered, PONG is taken, goodbye is granted", () => {
  const { n, a, b } = pair();
  net.send(n, a, types.PING, "");
  net.send(n, a, types.PONG, "");
  net.advance(n, 20);
  assert.deepEqual(net.fresh(n, a).map((f) => [f.type, f.line]), [[types.PONG, ""]]);
  assert.equal(net.statusOf(n).totals.pingsAnswered, 1);
  net.publish(n, b, bob, "last words");
  net.send(n, a, types.DISCONNECT, "");
  assert.deepEqual(net.fresh(n, a).map((f) => f.line), [`${bob.nick}!PUBLIC!last words`]);
  assert.equal(net.closedAs(n, a), "goodbye");
  assert.equal(net.statusOf(n).closes["goodbye"], 1);
});

test("directory: relay: nick-auth out of turn ends the connection (row 2.6/out-of-turn)", () => {
  for (const type of [803, 805, 807]) {
    const { n, a, b } = pair();
    net.raw(n, a, `${line(type, "\u0000{")}\r\n`);
    net.advance(n, 20);
    assert.equal(net.closedAs(n, a), "nick-auth");
    assert.equal(net.statusOf(n).closes["nick-auth"], 1);
    assert.equal(net.isIn(n, b), true);
  }
});

const budgets: readonly (readonly [keyof LimitsConfig, DropReason, number, string])[] = [
  ["public", "rate-public", types.PUBMSG, `${alice.nick}!PUBLIC!x`],
  ["orderbook", "rate-orderbook", types.PUBMSG, `${alice.nick}!PUBLIC!orderbook`],
  ["private", "rate-private", types.PRIVMSG, `${alice.nick}!${bob.nick}!x`],
  ["peerlist", "rate-peerlist", types.GETPEERLIST, ""],
  ["ping", "rate-ping", types.PING, ""],
  ["other", "rate-other", types.PONG, ""],
];

test("directory: relay: each class has its budget, then drops, then the end", () => {
  for (const [cls, reason, type, text] of budgets) {
    const { n, a, b } = pair({ limits: limits({ [cls]: few, dropsMax: 2 }) });
    for (let i = 0; i < 3; i += 1) net.send(n, a, type, text);
    assert.deepEqual(drops(n), { [reason]: 2 }, cls);
    assert.equal(net.isIn(n, a), true);
    net.send(n, a, type, text);
    assert.equal(net.closedAs(n, a), "flood");
    assert.deepEqual(drops(n), { [reason]: 3 });
    net.advance(n, 20);
    assert.ok(net.fresh(n, b).length <= 2, "what was dropped was relayed");
    assert.ok(n.logs.some(({ code }) => code === "peer.flooding"));
  }
});

test("directory: relay: a line over budget is a sign of life all the same", () => {
  const { n, a } = pair({ limits: limits({ other: few }) });
  for (let minutes = 0; minutes < 26; minutes += 1) {
    net.advance(n, 60_000);
    net.raw(n, a, "?\r\n");
  }
  assert.equal(net.isIn(n, a), true);
});

function askList(n: net.Node, conn: ConnId): void {
  net.send(n, conn, types.GETPEERLIST, "");
}

function listed(n: net.Node, conn: ConnId): readonly string[] {
  return net.freshLines(n, conn, types.PEERLIST);
}

test("directory: relay: a peerlist is makers and the node itself, features on request", () => {
  const n = net.start();
  const [a, asking] = [net.join(n, alice), net.join(n, net.taker(4, ["peerlist_features"]))];
  net.join(n, bob);
  for (const conn of [a, asking]) askList(n, conn);
  net.advance(n, 50);
  const own = `${net.ownNick(n)};${net.ownLocation}`;
  const entry = `${alice.nick};${alice.location}`;
  assert.deepEqual(listed(n, a), [`${own},${entry}`]);
  const features = ";F:nick_auth+peerlist_features+ping";
  assert.deepEqual(listed(n, asking), [`${own}${features},${entry};F:ping`]);
  const { totals } = net.statusOf(n);
  assert.deepEqual([totals.peerlists, totals.peerlistLines], [2, 2]);
});

test("directory: relay: nobody to list is one empty line, and only one", () => {
  const n = net.start({ location: undefined });
  const b = net.join(n, bob);
  askList(n, b);
  net.advance(n, 100);
  assert.deepEqual(listed(n, b), [""]);
});

test("directory: relay: a second request while a list is under way is dropped", () => {
  const { n, b } = pair();
  askList(n, b);
  askList(n, b);
  net.advance(n, 50);
  assert.equal(listed(n, b).length, 1);
  assert.deepEqual(drops(n), { "peerlist-busy": 1 });
});

test("directory: relay: a long list comes in lines, complete, past those who left", () => {
  const n = net.start({ peerlistBytesMax: 200, peerlistLinesPerFlush: 3 });
  const makers = Array.from({ length: 12 }, (_, i) => net.join(n, net.maker(10 + i)));
  const b = net.join(n, bob);
  askList(n, b);
  net.advance(n, 5);
  drive.hangUp(n.drive, makers.at(-1) as ConnId);
  net.advance(n, 500);
  const lines = listed(n, b);
  assert.ok(lines.length > 4 && lines.every((text) => text.length <= 200));
  const nicks = lines.flatMap((text) => {
    const read = peerlist.parse(text);
    assert.ok(read.ok && read.value.malformed === 0);
    return read.value.entries.map((entry) => entry.nick);
  });
  const stayed = Array.from({ length: 11 }, (_, i) => net.nick(10 + i));
  assert.deepEqual(nicks, [net.ownNick(n), ...stayed]);
});

test("directory: relay: a list waits for its reader and goes on when it reads, unasked", () => {
  const { n, a, b } = pair({ limits: limits({ public: many }) });
  drive.stall(n.drive, b, 0);
  net.publish(n, a, alice, "one");
  net.advance(n, 20);
  askList(n, b);
  net.advance(n, 1_000);
  net.publish(n, a, alice, "two");
  net.advance(n, 11);
  drive.resume(n.drive, b);
  net.advance(n, 100);
  assert.equal(listed(n, b).length, 1, "the list was forgotten");
  assert.equal(n.drive.kernel.state.listing.cursors.size, 0);
});

test("directory: relay: a list waits while a long queue drains in parts", () => {
  const { n, a, b } = pair({ limits: limits({ public: many }) });
  drive.stall(n.drive, b, 0);
  for (let i = 0; i < 20; i += 1) net.publish(n, a, alice, "x".repeat(39_000));
  askList(n, b);
  net.advance(n, 50);
  drive.resume(n.drive, b);
  net.advance(n, 200);
  assert.equal(net.fresh(n, b).filter((f) => f.type === types.PEERLIST).length, 1);
});

test("directory: relay: a window of private lines holds a list up for that window only", () => {
  const { n, a, b } = pair({ limits: limits({ private: many }) });
  net.advance(n, 5);
  askList(n, b);
  for (let i = 0; i < 2; i += 1) net.whisper(n, a, alice, bob.nick, "x".repeat(39_000));
  net.advance(n, 100);
  const lines = net.fresh(n, b).filter((f) => f.type === types.PEERLIST).map((f) => f.line);
  assert.equal(lines.filter((text) => text.startsWith(net.ownNick(n))).length, 1);
});

test("directory: relay: a list of a connection that is not registered is over", () => {
  const n = net.start();
  const conn = net.connect(n);
  const t = { now: n.drive.now, p: primitives, out: [], outcomes: [] };
  assert.equal(relay.writePage(n.drive.kernel.state, conn, -1, t), "done");
  assert.equal(relay.writePage(n.drive.kernel.state, 99 as ConnId, -1, t), "done");
});

test("directory: relay: the never-send list is never sent (row 10/T14-local-control-types)", () => {
  const n = net.start();
  const key = net.prover(5n);
  const conns = [net.join(n, alice), net.join(n, bob), net.join(n, key)];
  const asker = conns[1] as ConnId;
  for (const [i, who] of [alice, bob, key].entries()) {
    const conn = conns[i] as ConnId;
    for (const type of [785, 787, 797, 793, 789, 795, 801_000]) net.send(n, conn, type, "");
    net.publish(n, conn, who, "orderbook");
    net.whisper(n, conn, who, bob.nick, "x");
    askList(n, conn);
  }
  net.send(n, asker, types.PING, "");
  net.greet(n, alice);
  net.advance(n, 700_000);
  net.push(n, { type: "operator.stop" });
  net.advance(n, 20_000);
  const allowed = [685, 687, 789, 795, 798, 803, 807];
  for (const conn of n.drive.links.keys()) {
    for (const { type, bytes } of net.frames(n, conn)) {
      const isAnswer = type === types.PONG && conn === asker;
      assert.ok(isAnswer || allowed.includes(type), bytes);
      assert.ok(bytes.length <= 40_000);
    }
  }
});
