/**
 * Floods against a whole node: by lines and by bytes, in each class; what they cost is dropped and
 * counted, and in the end it is the sender who is closed.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaults, type LimitsConfig } from "../../../core/directory/config.ts";
import type { ConnId } from "../../../core/ids.ts";
import * as t from "../../support/directory.ts";
import * as drive from "../../support/drive.ts";

const { types } = t;
const [alice, bob, carol] = [t.taker(1), t.taker(2), t.taker(3)];
const many = { tokens: 1_000, perMs: 1, burst: 1_000_000 };
/** What the envelope adds to a text, with the line end. */
const envelopeBytes = 27;

function limits(over: Partial<LimitsConfig>): LimitsConfig {
  return { ...defaults.limits, ...over };
}

/** The counters that are not zero. */
function counted(all: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0));
}

/** A public line that takes `bytes` on the wire. */
function shout(n: t.Node, conn: ConnId, who: t.Who, bytes: number): void {
  const head = `${who.nick}!PUBLIC!`;
  t.send(n, conn, types.PUBMSG, head.padEnd(bytes - envelopeBytes, "x"));
}

/** A private line that takes `bytes` on the wire. */
function mutter(n: t.Node, conn: ConnId, who: t.Who, to: t.Who, bytes: number): void {
  const head = `${who.nick}!${to.nick}!`;
  t.send(n, conn, types.PRIVMSG, head.padEnd(bytes - envelopeBytes, "y"));
}

/** An `!orderbook` that takes `bytes` on the wire: what is beside the text is not relayed. */
function ask(n: t.Node, conn: ConnId, who: t.Who, bytes: number): void {
  const head = `{"type": 687, "line": "${who.nick}!PUBLIC!orderbook", "more": "`;
  t.raw(n, conn, `${head.padEnd(bytes - 4, "z")}"}\r\n`);
}

type Flood = {
  readonly row: string;
  readonly reason: string;
  /** How many lines of 39,000 bytes fit. */
  readonly fits: number;
  readonly once: (n: t.Node, conn: ConnId) => void;
};

const floods: readonly Flood[] = [
  { row: "issue/flood-public", reason: "rate-public", fits: 6,
    once: (n, c) => shout(n, c, alice, 39_000) },
  { row: "issue/flood-orderbook", reason: "rate-orderbook", fits: 6,
    once: (n, c) => ask(n, c, alice, 39_000) },
  { row: "issue/flood-private", reason: "rate-private", fits: 51,
    once: (n, c) => mutter(n, c, alice, bob, 39_000) },
];

for (const { row, reason, fits, once } of floods) {
  test(`directory: floods: row ${row}: of long lines a few pass, then it is the sender's end`,
    () => {
      const n = t.start({ limits: limits({ public: many, orderbook: many, private: many }) });
      const [a, b, c] = [t.join(n, alice), t.join(n, bob), t.join(n, carol)];
      for (let i = 0; i < fits + 1_000; i += 1) once(n, a);
      assert.deepEqual(counted(t.statusOf(n).drops), { [reason]: 1_000 });
      assert.ok(t.isIn(n, a), "1,000 drops are borne");
      once(n, a);
      assert.equal(t.closedAs(n, a), "flood");
      assert.deepEqual(counted(t.statusOf(n).drops), { [reason]: 1_001 });
      assert.deepEqual(counted(t.statusOf(n).closes), { flood: 1 });
      t.advance(n, 20);
      assert.equal(t.fresh(n, b).length, fits);
      assert.ok(t.isIn(n, b) && t.isIn(n, c));
      assert.ok(n.logs.some(({ code }) => code === "peer.flooding"));
    });
}

test("directory: floods: row issue/flood-peerlist: asking on and on ends the one who asks", () => {
  const n = t.start();
  const [a, b] = [t.join(n, alice), t.join(n, bob)];
  for (let i = 0; i < 1_003; i += 1) t.send(n, a, types.GETPEERLIST, "");
  assert.deepEqual(counted(t.statusOf(n).drops), { "peerlist-busy": 2, "rate-peerlist": 1_000 });
  assert.ok(t.isIn(n, a));
  t.send(n, a, types.GETPEERLIST, "");
  assert.equal(t.closedAs(n, a), "flood");
  assert.deepEqual(counted(t.statusOf(n).closes), { flood: 1 });
  assert.ok(t.isIn(n, b));
});

test("directory: floods: row 10/T8-broadcast-flood: a burst of long lines loses nobody", () => {
  const n = t.start();
  const peers = Array.from({ length: 10 }, (_, i) => t.join(n, t.taker(10 + i)));
  const senders = [alice, bob, carol].map((who) => [t.join(n, who), who] as const);
  // They are behind for as long as a reader may be.
  for (const conn of peers) drive.stall(n.drive, conn, 10_000);
  for (let i = 0; i < 200; i += 1) {
    for (const [conn, who] of senders) shout(n, conn, who, 40_000);
    t.advance(n, 200);
  }
  for (const conn of peers) assert.ok(t.isIn(n, conn), "a peer that was behind for 40 s is gone");
  for (const conn of peers) drive.resume(n.drive, conn);
  t.advance(n, 10_000);
  const { totals, drops, closes } = t.statusOf(n);
  // A burst of 262,144 bytes and 20,000 more each second, for 39.8 seconds.
  const each = Math.floor((262_144 + 39_800 * 20) / 40_000);
  assert.equal(totals.publicRelayed, 3 * each);
  assert.deepEqual(counted(drops), { "rate-public": 3 * (200 - each) });
  assert.deepEqual(counted(closes), {});
  for (const conn of peers) assert.equal(t.fresh(n, conn).length, 3 * each);
});

test("directory: floods: row 10/T9-private-flood: the victim stays and hears the public", () => {
  const n = t.start({ limits: limits({ private: many }) });
  const victim = t.join(n, alice);
  const [b, other] = [t.join(n, bob), t.join(n, t.taker(4))];
  const attackers = [t.taker(5), t.taker(6), t.maker(7)].map((who) =>
    [t.join(n, who), who] as const);
  drive.stall(n.drive, victim);
  shout(n, b, bob, 100);
  t.advance(n, 20);
  t.fresh(n, other);
  for (let i = 0; i < 50; i += 1) {
    for (const [conn, who] of attackers) mutter(n, conn, who, alice, 40_000);
    t.whisper(n, b, bob, t.nick(4), `fill ${i}`);
    t.advance(n, 11);
    assert.equal(t.fresh(n, other).length, 1, "a third party waits");
  }
  const { drops, totals } = t.statusOf(n);
  assert.deepEqual(Object.keys(counted(drops)), ["target-behind"]);
  assert.equal(totals.privateRelayed + (drops["target-behind"] ?? 0), 200);
  const relayed = totals.privateRelayed - 50;
  const hintBytes = `${t.nick(7)};${t.onion(7)}`.length + envelopeBytes;
  const held = relayed * 40_000 + totals.hints * hintBytes;
  assert.ok(2 * held <= defaults.outbox.bytesMax + 2 * hintBytes);
  assert.ok(2 * (held + 40_000) > defaults.outbox.bytesMax, "dropped though there is room");
  assert.ok(totals.hints > 0 && totals.hints < 50, "a line that is dropped has no hint");
  // The other half is for these.
  for (let i = 0; i < 5; i += 1) shout(n, b, bob, 39_000);
  t.advance(n, 20);
  for (const [conn] of attackers) assert.ok(t.isIn(n, conn), "a drop for its target is no flood");
  drive.resume(n.drive, victim);
  t.advance(n, 2_000);
  assert.ok(t.isIn(n, victim));
  const frames = t.fresh(n, victim);
  assert.equal(frames.filter((f) => f.type === types.PRIVMSG).length, relayed);
  assert.equal(frames.filter((f) => f.type === types.PEERLIST).length, totals.hints);
  assert.equal(frames.filter((f) => f.type === types.PUBMSG).length, 6);
  mutter(n, b, bob, alice, 40_000);
  t.advance(n, 20);
  assert.equal(t.fresh(n, victim).length, 1, "who has caught up gets private lines again");
});

test("directory: floods: private lines fill half of an outbox to the byte", () => {
  const outbox = { ...defaults.outbox, bytesMax: 100_000 };
  for (const [over, dropped] of [[0, 0], [1, 1]] as const) {
    const n = t.start({ outbox });
    const [victim, b] = [t.join(n, alice), t.join(n, bob)];
    drive.stall(n.drive, victim);
    shout(n, b, bob, 5_000);
    t.advance(n, 20);
    for (let i = 0; i < 4; i += 1) mutter(n, b, bob, alice, 10_000);
    // What waits is half of it now, flushed or not.
    if (over === 0) t.advance(n, 20);
    mutter(n, b, bob, alice, 10_000 + over);
    assert.equal(t.statusOf(n).drops["target-behind"], dropped);
    mutter(n, b, bob, alice, 20_000);
    assert.equal(t.statusOf(n).drops["target-behind"], dropped + 1);
    shout(n, b, bob, 39_000);
    t.advance(n, 20);
    assert.ok(t.isIn(n, victim));
    drive.resume(n.drive, victim);
    t.advance(n, 100);
    assert.equal(t.fresh(n, victim).length, 7 - dropped);
  }
});

test("directory: floods: a target that reads gets all that the sender's budget allows", () => {
  const n = t.start({ limits: limits({ private: many }) });
  const [victim, b] = [t.join(n, alice), t.join(n, bob)];
  for (let i = 0; i < 60; i += 1) mutter(n, b, bob, alice, 40_000);
  t.advance(n, 20);
  assert.equal(t.fresh(n, victim).length, 50);
  assert.deepEqual(counted(t.statusOf(n).drops), { "rate-private": 10 });
});

test("directory: floods: public bytes fit to the byte, and come back to the millisecond", () => {
  const publicBytes = { tokens: 2, perMs: 1, burst: 50_000 };
  const n = t.start({ limits: limits({ publicBytes, orderbook: many }) });
  const [a, b] = [t.join(n, alice), t.join(n, bob)];
  shout(n, a, alice, 30_000);
  shout(n, a, alice, 20_001);
  ask(n, a, alice, 20_001);
  shout(n, a, alice, 20_000);
  assert.deepEqual(counted(t.statusOf(n).drops), { "rate-public": 1, "rate-orderbook": 1 });
  t.advance(n, 99);
  ask(n, a, alice, 200);
  t.advance(n, 1);
  ask(n, a, alice, 200);
  t.advance(n, 20);
  assert.equal(t.fresh(n, b).length, 3);
  assert.deepEqual(counted(t.statusOf(n).drops), { "rate-public": 1, "rate-orderbook": 2 });
});

/** A peer that comes by a circuit. */
function from(n: t.Node, circuit: string, who: t.Who): ConnId {
  const conn = t.connect(n);
  t.raw(n, conn, `PROXY TCP6 fc00:dead:beef:4dad::${circuit} ::1 40000 5222\r\n`);
  t.send(n, conn, types.HANDSHAKE, t.helloOf(who));
  if (who.key !== undefined) t.prove(n, conn, who);
  t.advance(n, 20);
  return conn;
}

test("directory: floods: connections of one circuit share their bytes, also when they reconnect",
  () => {
    const n = t.start({ circuits: true });
    const [a, b, c] = [from(n, "1:1", alice), from(n, "1:1", bob), from(n, "2:2", carol)];
    for (const conn of [a, b, c]) t.fresh(n, conn);
    for (let i = 0; i < 4; i += 1) shout(n, a, alice, 40_000);
    for (let i = 0; i < 4; i += 1) shout(n, b, bob, 40_000);
    assert.deepEqual(counted(t.statusOf(n).drops), { "rate-public": 2 });
    for (const conn of [a, b]) drive.hangUp(n.drive, conn);
    const again = from(n, "1:1", alice);
    shout(n, again, alice, 40_000);
    assert.deepEqual(counted(t.statusOf(n).drops), { "rate-public": 3 });
    shout(n, c, carol, 40_000);
    t.advance(n, 20);
    assert.equal(t.fresh(n, c).length, 6);
    assert.equal(t.fresh(n, again).filter((f) => f.type === types.PUBMSG).length, 1);
  });

test("directory: floods: a circuit has few proofs, and another circuit its own", () => {
  const proofsPerCircuit = { tokens: 1, perMs: 1_000, burst: 1 };
  const n = t.start({ circuits: true, limits: limits({ proofsPerCircuit }) });
  const [a, b] = [from(n, "1:1", t.prover(3n)), from(n, "1:1", t.prover(4n))];
  assert.ok(t.isIn(n, a) && !t.isIn(n, b));
  assert.equal(t.statusOf(n).handshakes["auth-busy"], 1);
  assert.ok(t.isIn(n, from(n, "2:2", t.prover(5n))));
  t.advance(n, 1_000);
  assert.ok(t.isIn(n, from(n, "1:1", t.prover(6n))));
});

test("directory: floods: a reload changes the byte rates at once and hands out no burst", () => {
  const n = t.start();
  const [a, b] = [t.join(n, alice), t.join(n, bob)];
  const { motd, peersMax, logLevel, heartbeat } = defaults;
  const reload = (over: Partial<LimitsConfig>): void => t.push(n, {
    type: "operator.reload",
    settings: { motd, peersMax, logLevel, heartbeat, limits: limits(over) },
  });
  for (let i = 0; i < 3; i += 1) shout(n, a, alice, 30_000);
  reload({ publicBytes: { tokens: 1, perMs: 1, burst: 100_000 } });
  shout(n, a, alice, 10_001);
  assert.deepEqual(counted(t.statusOf(n).drops), { "rate-public": 1 });
  shout(n, a, alice, 10_000);
  shout(n, b, bob, 40_000);
  t.advance(n, 999);
  shout(n, a, alice, 1_000);
  t.advance(n, 1);
  shout(n, a, alice, 1_000);
  assert.deepEqual(counted(t.statusOf(n).drops), { "rate-public": 2 });
  reload({ publicBytes: { tokens: 1, perMs: 1, burst: 300_000 } });
  for (let i = 0; i < 5; i += 1) shout(n, a, alice, 40_000);
  shout(n, a, alice, 1);
  t.advance(n, 20);
  assert.equal(t.fresh(n, b).length, 10, "what was spent stays spent");
});
