/**
 * The invariants notice what they are about: a run that holds is altered in one place, and the id
 * of that place must be among what is said.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ascii, equal } from "../../../core/bytes.ts";
import type { DirectoryEffect, DirectoryEvent } from "../../../core/directory/events.ts";
import type { ConnId } from "../../../core/ids.ts";
import type { Tick, WakeEffect } from "../../../core/kernel/io.ts";
import { step } from "../../../core/kernel/kernel.ts";
import { after, mono, NEVER } from "../../../core/time.ts";
import * as invariants from "../../../sim/invariants/directory.ts";
import type { InvariantId } from "../../../sim/invariants/violation.ts";
import * as t from "../../support/directory.ts";
import * as drive from "../../support/drive.ts";

type Effects = readonly (DirectoryEffect | WakeEffect)[];
type Alter = (effects: Effects, event: DirectoryEvent | Tick) => Effects;

/** From now on effects are altered on their way to the observer, and what it says is collected. */
function tapped(n: t.Node, alter: Alter): Set<InvariantId> {
  const said = new Set<InvariantId>();
  const hooks = n.drive.hooks as { step?: unknown; stepped?: unknown };
  hooks.step = step;
  hooks.stepped = (event: DirectoryEvent | Tick, effects: Effects) => {
    const { now } = n.drive;
    const { state } = n.drive.kernel;
    const seen = alter(effects, event);
    for (const v of invariants.observe(n.observer, state, event, seen, now)) said.add(v.id);
    for (const v of invariants.audit(n.observer, state, now)) said.add(v.id);
  };
  return said;
}

const same: Alter = (effects) => effects;

/** Drops, doubles or changes what is sent to one connection. */
function sends(conn: ConnId, change: (bytes: Uint8Array) => readonly Uint8Array[]): Alter {
  return (effects) => effects.flatMap((e) => {
    if (e.type !== "conn.send" || e.conn !== conn) return [e];
    return change(e.bytes).map((bytes) => ({ ...e, bytes }));
  });
}

function pair(): { n: t.Node; a: ConnId; b: ConnId } {
  const n = t.start();
  return { n, a: t.join(n, t.maker(1)), b: t.join(n, t.taker(2)) };
}

test("invariants: directory: an unaltered run breaks nothing", () => {
  const { n, a, b } = pair();
  const said = tapped(n, same);
  t.publish(n, a, t.maker(1), "hp2");
  t.whisper(n, a, t.maker(1), t.nick(2), "fill");
  t.send(n, b, t.types.GETPEERLIST, "");
  t.advance(n, 1_000);
  drive.hangUp(n.drive, a);
  t.advance(n, 5_000);
  assert.deepEqual([...said], []);
});

type Change = (bytes: Uint8Array) => readonly Uint8Array[];
const changes: readonly (readonly [string, InvariantId, Change])[] = [
  ["is lost", "D12", () => []],
  ["comes twice", "D11", (b) => [b, b]],
  ["is altered", "D11", (b) => [b.map((byte) => (byte === 0x68 ? 0x48 : byte))]],
  ["has no end", "wire", (b) => [b.slice(0, -1)]],
  ["is no frame", "wire", () => [ascii("hello\r\n")]],
];

for (const [what, id, change] of changes) {
  test(`invariants: directory: a public line that ${what} breaks ${id}`, () => {
    const { n, a, b } = pair();
    const said = tapped(n, sends(b, change));
    t.publish(n, a, t.maker(1), "hp2");
    t.advance(n, 100);
    t.send(n, b, t.types.PONG, "");
    assert.ok(said.has(id), [...said].join());
  });
}

const strangers: readonly (readonly [string, InvariantId, number, (n: t.Node) => string])[] = [
  ["a private line of nobody", "D10", 685, () => `${t.nick(5)}!${t.nick(2)}!fill`],
  ["a public line of nobody", "D11", 687, () => `${t.nick(5)}!PUBLIC!hp2`],
  ["a notice about who is here", "D13", 789, () => `${t.nick(1)};${t.onion(1)};D`],
  ["a peerlist unasked for", "D14", 789, () => `${t.nick(1)};${t.onion(1)}`],
  ["a PONG unasked for", "wire", 799, () => ""],
  ["a goodbye", "wire", 801, () => ""],
  ["a probe for a taker", "wire", 687, (n) => `${t.ownNick(n)}!PUBLIC!orderbook`],
  ["a second handshake", "D16", 795, () => "{}"],
  ["a challenge", "D16", 803, () => "{}"],
];

for (const [what, id, type, line] of strangers) {
  test(`invariants: directory: ${what} breaks ${id}`, () => {
    const { n, a, b } = pair();
    const said = tapped(n, sends(b, (bytes) => [bytes, t.frame(type, line(n))]));
    t.publish(n, a, t.maker(1), "hp2");
    t.advance(n, 100);
    assert.ok(said.has(id), [...said].join());
  });
}

/** Adds effects to the next step. */
function adding(extra: (n: t.Node, a: ConnId, b: ConnId) => DirectoryEffect): Set<InvariantId> {
  const { n, a, b } = pair();
  const said = tapped(n, (effects) => [...effects, extra(n, a, b)]);
  t.push(n, { type: "clock.anchored", unixMs: 5 });
  return said;
}

const closing = (conn: ConnId, reason: string): DirectoryEffect =>
  ({ type: "conn.close", conn, how: "abort", reason });

const ends: readonly (readonly [string, InvariantId])[] = [
  ["idle-timeout", "D5"], ["pong-timeout", "D6"], ["nick-contest", "D3"], ["displaced", "D3"],
  ["slow-reader", "D12"], ["handshake-timeout", "D16"],
];

for (const [reason, id] of ends) {
  test(`invariants: directory: an end as ${reason} without its cause breaks ${id}`, () => {
    const said = adding((_, a) => closing(a, reason));
    assert.ok(said.has(id), [...said].join());
    assert.ok(said.has("D8"), "and the wall clock was its cause");
  });
}

test("invariants: directory: a third PING within a rest breaks X5", () => {
  const { n, a } = pair();
  const ping = t.frame(t.types.PING, "");
  let pings = 0;
  const said = tapped(n, (effects) =>
    pings === 0 ? effects : [...effects, { type: "conn.send", conn: a, bytes: ping }]);
  for (pings = 1; pings <= 2; pings += 1) t.push(n, { type: "clock.anchored", unixMs: pings });
  assert.equal(said.has("X5"), false);
  t.push(n, { type: "clock.anchored", unixMs: 9 });
  assert.ok(said.has("X5"), [...said].join());
});

test("invariants: directory: a newcomer that makes room breaks D16", () => {
  const n = t.start();
  t.connect(n);
  const said = tapped(n, (effects, event) => {
    if (event.type !== "conn.opened") return effects;
    return [...effects, closing(event.conn, "handshake-slots")];
  });
  t.connect(n);
  assert.ok(said.has("D16"), [...said].join());
});

for (const isAsked of [true, false]) {
  const what = isAsked ? "holds" : "breaks D3 if the owner was never asked";
  test(`invariants: directory: a lost contest ${what}`, () => {
    const { n, a } = pair();
    const ping = t.frame(t.types.PING, "");
    const said = tapped(n, isAsked ? same : sends(a, (b) => (equal(b, ping) ? [] : [b])));
    t.greet(n, t.maker(1));
    t.advance(n, 15_000);
    assert.equal(t.closedAs(n, a), "nick-contest");
    assert.deepEqual([...said], isAsked ? [] : ["D3"]);
  });
}

for (const lateMs of [0, 700_000]) {
  const what = lateMs > 0 ? "late" : "punctual";
  test(`invariants: directory: an eviction by a ${what} tick`, () => {
    const { n, a } = pair();
    let isOver = false;
    const said = tapped(n, (effects) => {
      if (isOver) return effects;
      isOver = true;
      return [...effects, closing(a, "pong-timeout")];
    });
    n.drive.now = after(n.drive.now, lateMs);
    t.push(n, { type: "clock.anchored", unixMs: 5 });
    assert.equal(said.has("D5"), lateMs > 0, [...said].join());
  });
}

test("invariants: directory: what is sent or closed after an end breaks D2", () => {
  const gone = 99 as ConnId;
  assert.ok(adding(() => closing(gone, "flood")).has("D2"));
  assert.ok(adding(() => ({ type: "conn.send", conn: gone, bytes: ascii("\r\n") })).has("D2"));
});

type State = t.Node["drive"]["kernel"]["state"];
type Damage = (d: State, a: ConnId, b: ConnId) => void;
const damages: readonly (readonly [string, InvariantId, Damage])[] = [
  ["an owner that is gone", "D2", (d) => d.registry.byNick.delete(t.nick(1))],
  ["two sessions of one nick", "D1", (d, a, b) => {
    const [x, y] = [d.sessions.byConn.get(a), d.sessions.byConn.get(b)];
    if (x !== undefined && y !== undefined) y.at = x.at;
  }],
  ["a session that stays", "D4", (d) => {
    const [first] = d.sessions.byConn.values();
    if (first !== undefined) d.sessions.byConn.set(77 as ConnId, first);
  }],
  ["a heartbeat that stays", "D4", (d) => d.heartbeat.slots.forEach((slot) => {
    const [beat] = slot.beats;
    if (beat !== undefined) slot.beats.push({ ...beat, conn: 77 as ConnId });
  })],
  ["a budget that stays", "D4", (d) => d.admission.buckets.public.tats.set(77, 5)],
  ["a PING pending for a dead one", "D9", (d) => {
    const beat = d.heartbeat.slots.flatMap((slot) => slot.beats)[0];
    if (beat !== undefined) d.heartbeat.pending.set(77 as ConnId, beat);
  }],
  ["a notice about who is back", "D13", (d) => d.leaves.gone.set(t.nick(1), "x")],
  ["a queue beyond its bound", "D12", (d) => {
    for (const box of d.outbox.boxes.values()) box.queuedBytes = 1e9;
  }],
  ["a sum that is wrong", "X3", (d) => { d.sessions.pendingBytes = 5; }],
  ["a list that nobody resumes", "D14", (d, a) => { d.listing.cursors.set(a, 3); }],
  ["recent events without a bound", "X3", (d) => {
    for (let i = 0; i < 60; i += 1) d.recent.push({ at: mono(0), code: "x", nick: "" });
  }],
];

for (const [what, id, damage] of damages) {
  test(`invariants: directory: ${what} breaks ${id}`, () => {
    const { n, a, b } = pair();
    const { state } = n.drive.kernel;
    damage(state, a, b);
    n.drive.now = after(n.drive.now, 5_000);
    const said = invariants.audit(n.observer, state, n.drive.now).map((v) => v.id);
    assert.ok(said.includes(id), said.join());
  });
}

test("invariants: directory: silence beyond idle, sweep and pong breaks D7", () => {
  const { n, a } = pair();
  const { state } = n.drive.kernel;
  const said = (): readonly InvariantId[] =>
    invariants.audit(n.observer, state, n.drive.now).map((v) => v.id);
  const c = n.observer.conns.get(a);
  assert.ok(c !== undefined);
  n.drive.now = mono(c.silentFrom + 690_000);
  assert.ok(!said().includes("D7"));
  n.drive.now = mono(c.silentFrom + 690_001);
  assert.ok(said().includes("D7"));
});

test("invariants: directory: a handshake without an end breaks D16, too many peers D4", () => {
  const { n } = pair();
  const said = tapped(n, same);
  const conn = t.connect(n);
  n.drive.kernel.state.sessions.shaking.due.delete(conn);
  t.advance(n, 40_000);
  t.push(n, { type: "clock.anchored", unixMs: 5 });
  assert.deepEqual([...said], ["D16"]);
  n.observer.config = { ...n.observer.config, peersMax: 2 };
  t.greet(n, t.taker(9));
  assert.ok(said.has("D4"));
});

test("invariants: directory: a stuck reader that stays breaks D12", () => {
  const { n, b } = pair();
  const c = n.observer.conns.get(b);
  assert.ok(c !== undefined);
  c.congestedAt = mono(0);
  const late = mono(61_000);
  assert.ok(invariants.audit(n.observer, n.drive.kernel.state, late).some((v) => v.id === "D12"));
  c.congestedAt = NEVER;
});

test("invariants: directory: two runs that came out differently break D15", () => {
  const conn = 1 as ConnId;
  const run = (text: string, closed?: string): invariants.Outcome =>
    new Map([[conn, { bytes: text.split("|").map(ascii), closed }]]);
  assert.deepEqual(invariants.sameOutcome(run("ab|c"), run("a|bc")), []);
  assert.equal(invariants.sameOutcome(run("ab"), run("ac"))[0]?.id, "D15");
  assert.equal(invariants.sameOutcome(run("ab"), run("ab", "flood"))[0]?.id, "D15");
  assert.equal(invariants.sameOutcome(run("ab"), new Map())[0]?.id, "D15");
});
