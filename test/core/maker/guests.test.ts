import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnId } from "../../../core/ids.ts";
import * as guests from "../../../core/maker/guests.ts";
import { mono, NEVER } from "../../../core/time.ts";

const config: guests.Config = {
  connsMax: 4, shakingMax: 2, handshakeMs: 100, idleMs: 1_000, outboxBytesMax: 10,
  congestedMsMax: 50, closeMs: 20,
};
const id = (n: number): ConnId => n as ConnId;

type Bench = { readonly g: guests.Guests; readonly out: guests.Effect[] };
const bench = (): Bench => ({ g: guests.create(config), out: [] });

function open(b: Bench, n: number, at = 0): guests.Guest {
  return guests.opened(b.g, id(n), mono(at), b.out);
}

function claim(b: Bench, n: number, nick: string, at = 0): guests.Guest {
  const guest = open(b, n, at);
  guests.claimed(b.g, guest, nick, mono(at));
  return guest;
}

function prove(b: Bench, n: number, nick: string, at = 0): guests.Guest {
  const guest = claim(b, n, nick, at);
  guests.known(b.g, guest, nick);
  return guest;
}

/** Who was closed and why, since the last call. */
function left(b: Bench): readonly string[] {
  const lines = b.out.map((f) => (f.type === "close" ? `${f.conn} ${f.reason} ${f.how}` : ""));
  b.out.length = 0;
  return lines.filter((line) => line !== "");
}

test("maker: guests: hazard 11: the silent make room for newcomers, oldest first", () => {
  const b = bench();
  for (const n of [1, 3, 5, 7]) open(b, n);
  assert.deepEqual(left(b), ["1 crowded abort", "3 crowded abort"]);
  assert.equal(b.g.liveCount, 2);
});

test("maker: guests: hazard 11: claims make room before who is known, and a newcomer last", () => {
  const b = bench();
  prove(b, 1, "a");
  claim(b, 3, "b");
  claim(b, 5, "c");
  prove(b, 7, "d");
  open(b, 9);
  assert.deepEqual(left(b), ["3 crowded abort"]);
  open(b, 11);
  assert.deepEqual(left(b), ["9 crowded abort"]);
  guests.claimed(b.g, guests.find(b.g, id(11)) as guests.Guest, "e", mono(0));
  guests.known(b.g, guests.find(b.g, id(11)) as guests.Guest, "e");
  open(b, 13);
  assert.deepEqual(left(b), ["5 crowded abort"]);
  guests.claimed(b.g, guests.find(b.g, id(13)) as guests.Guest, "f", mono(0));
  guests.known(b.g, guests.find(b.g, id(13)) as guests.Guest, "f");
  open(b, 15);
  assert.deepEqual(left(b), ["15 crowded abort"]);
  assert.equal(b.g.liveCount, 4);
});

test("maker: guests: the handshake has a deadline, and not a moment less", () => {
  const b = bench();
  open(b, 1, 5);
  guests.seen(b.g, guests.find(b.g, id(1)) as guests.Guest, mono(50));
  guests.tick(b.g, mono(104), b.out);
  assert.deepEqual(left(b), []);
  assert.equal(guests.deadline(b.g), 105);
  guests.tick(b.g, mono(105), b.out);
  assert.deepEqual(left(b), ["1 handshake-timeout abort"]);
});

test("maker: guests: idle is without a whole line, known or not", () => {
  const b = bench();
  const one = claim(b, 1, "a", 0);
  prove(b, 3, "b", 10);
  guests.seen(b.g, one, mono(500));
  guests.tick(b.g, mono(1_009), b.out);
  assert.deepEqual(left(b), []);
  guests.tick(b.g, mono(1_010), b.out);
  assert.deepEqual(left(b), ["3 idle abort"]);
  guests.tick(b.g, mono(1_499), b.out);
  assert.deepEqual(left(b), []);
  guests.tick(b.g, mono(1_500), b.out);
  assert.deepEqual(left(b), ["1 idle abort"]);
});

test("maker: guests: what is not read waits in order, up to its bound", () => {
  const b = bench();
  const one = prove(b, 1, "a");
  const say = (...bytes: number[]): void => guests.send(b.g, one, Uint8Array.from(bytes), b.out);
  say(1);
  guests.congested(b.g, id(1), mono(0));
  guests.congested(b.g, id(1), mono(1));
  say(2, 3);
  say(4);
  guests.drained(b.g, id(1), b.out);
  guests.drained(b.g, id(1), b.out);
  say(5);
  const sent = b.out.flatMap((f) => (f.type === "send" ? [[...f.bytes]] : []));
  assert.deepEqual(sent, [[1], [2, 3, 4], [5]]);
  guests.congested(b.g, id(1), mono(2));
  say(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
  assert.deepEqual(left(b), []);
  say(1);
  assert.deepEqual(left(b), ["1 outbox-full abort"]);
});

test("maker: guests: who takes nothing for too long leaves, at the deadline", () => {
  const b = bench();
  prove(b, 1, "a");
  guests.congested(b.g, id(1), mono(10));
  guests.tick(b.g, mono(59), b.out);
  assert.deepEqual(left(b), []);
  guests.tick(b.g, mono(60), b.out);
  assert.deepEqual(left(b), ["1 slow-reader abort"]);
});

test("maker: guests: a farewell that is not taken is cut", () => {
  const b = bench();
  guests.bye(b.g, prove(b, 1, "a"), "draining", mono(0), b.out);
  assert.deepEqual(left(b), ["1 draining flush"]);
  guests.tick(b.g, mono(19), b.out);
  assert.deepEqual(left(b), []);
  guests.tick(b.g, mono(20), b.out);
  assert.deepEqual(left(b), ["1 unread abort"]);
  guests.closed(b.g, id(1), b.out);
  assert.deepEqual(b.out, [{ type: "gone", conn: 1 }]);
  // The lower bounds that others left move up with each tick.
  for (let i = 0; i < 3; i += 1) guests.tick(b.g, guests.deadline(b.g), b.out);
  assert.equal(guests.deadline(b.g), NEVER);
  assert.equal(b.g.all.size, 0);
});

test("maker: guests: the newest connection of a nick is its route, then the next", () => {
  const b = bench();
  prove(b, 1, "a");
  prove(b, 3, "a");
  assert.equal(b.g.routes.get("a"), 3);
  guests.closed(b.g, id(1), b.out);
  assert.equal(b.g.routes.get("a"), 3);
  prove(b, 5, "a");
  guests.closed(b.g, id(5), b.out);
  assert.equal(b.g.routes.get("a"), 3);
  guests.closed(b.g, id(3), b.out);
  assert.equal(b.g.routes.size, 0);
});

test("maker: guests: a connection ends once, opens once, and is known once", () => {
  const b = bench();
  const one = prove(b, 1, "a");
  assert.throws(() => open(b, 1), /opened twice/);
  assert.throws(() => guests.known(b.g, one, "b"), /fixed once/);
  assert.throws(() => guests.claimed(b.g, one, "b", mono(0)), /done once/);
  guests.end(b.g, one, "idle", b.out);
  assert.throws(() => guests.end(b.g, one, "idle", b.out), /ends once/);
  assert.equal(b.g.ended.idle, 1);
});

test("maker: guests: the ranges of its configuration are asserted", () => {
  const wrong: readonly Partial<guests.Config>[] = [
    { connsMax: 0 }, { shakingMax: 0 }, { shakingMax: 5 }, { handshakeMs: 0 }, { idleMs: 0 },
    { outboxBytesMax: 0 }, { congestedMsMax: 0 }, { closeMs: 0 },
  ];
  for (const part of wrong) assert.throws(() => guests.create({ ...config, ...part }), /guests:/);
});
