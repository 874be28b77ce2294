/**
 * Bounds of honest peers that ordinary worlds seldom reach.
 * @module
 */
import assert from "node:assert/strict";
import test from "node:test";
import type { ConnId } from "../../../core/ids.ts";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import * as handshake from "../../../core/joinmarket/handshake.ts";
import * as onion from "../../../core/joinmarket/onion.ts";
import type { Tick, WakeEffect } from "../../../core/kernel/io.ts";
import * as kernel from "../../../core/kernel/kernel.ts";
import { mono } from "../../../core/time.ts";
import type { PeerEffect, PeerEvent } from "../../../sim/actors/io.ts";
import { backoffMsMax } from "../../../sim/actors/link.ts";
import * as peer from "../../../sim/actors/peer.ts";
import * as say from "../../../sim/actors/say.ts";
import { vettedMax } from "../../../sim/actors/state.ts";
import { nickFor, primitives } from "../../../sim/primitives.ts";
import type { PeerSpec } from "../../../sim/scenario.ts";
import * as yard from "./yard.ts";

const { types } = envelope;

/** A peer whose directory is this test. */
type Rig = { readonly k: kernel.Kernel<peer.Peer, PeerEvent, PeerEffect>; conn: ConnId };

function rig(kind: PeerSpec["kind"]): Rig {
  const now = mono(1_000);
  const state = peer.create(yard.peerConfig(0, { kind }), now);
  const r: Rig = { k: kernel.create(peer.root(primitives), state, now, false), conn: 0 as ConnId };
  push(r, { type: "started" });
  return r;
}

/** One step, `ms` later. */
function push(r: Rig, event: PeerEvent | Tick, ms = 0): readonly (PeerEffect | WakeEffect)[] {
  const effects = kernel.step(r.k, event, mono(r.k.now + ms));
  for (const one of effects) if (one.type === "conn.dial") r.conn = one.conn;
  return effects;
}

/** The next dial, which takes this long to come, is answered. */
function answer(r: Rig, accepted: boolean): number {
  const ms = r.k.wakeAt - r.k.now;
  push(r, kernel.TICK, ms);
  push(r, { type: "conn.dialed", conn: r.conn });
  said(r, types.DN_HANDSHAKE, handshake.directoryHello({
    nick: nickFor(500), network: "regtest", motd: "", features: ["ping"], accepted,
  }));
  return ms;
}

function said(r: Rig, type: number, line: string): readonly (PeerEffect | WakeEffect)[] {
  return push(r, { type: "conn.received", conn: r.conn, bytes: envelope.encode(type, line) });
}

test("sim: actors: bounds: a refused peer comes back soon sixteen times, then seldom", () => {
  const r = rig("maker");
  const waits: number[] = [];
  for (let i = 0; i < 40; i += 1) {
    waits.push(answer(r, false));
    push(r, { type: "conn.closed", conn: r.conn, reason: "closed" });
  }
  const [soon, late] = [waits.slice(1, 17), waits.slice(17)];
  assert.ok(soon.every((ms) => ms <= 15_000), soon.join(" "));
  assert.ok(late.every((ms) => ms >= backoffMsMax / 2 && ms <= backoffMsMax), late.join(" "));
});

test("sim: actors: bounds: a connection that does not end in good order is reset", () => {
  const r = rig("maker");
  answer(r, true);
  const { conn } = r;
  const left = push(r, { type: "asked", task: { op: "away", forMs: 60_000 } });
  assert.ok(left.some((one) => one.type === "conn.close" && one.how === "flush"));
  assert.deepEqual(push(r, kernel.TICK, 4_999).filter((one) => one.type === "conn.close"), []);
  const late = push(r, kernel.TICK, 1).filter((one) => one.type === "conn.close");
  assert.deepEqual(late, [{ type: "conn.close", conn, how: "abort", reason: "closing-late" }]);
});

test("sim: actors: bounds: names in peerlists are forgotten when they are too many", () => {
  const r = rig("taker");
  answer(r, true);
  const perLine = 1_000;
  for (let from = 0; from <= vettedMax; from += perLine) {
    const entries = Array.from({ length: perLine }, (_, i) =>
      `${nickFor(from + i)};${onion.notServing}`);
    said(r, types.PEERLIST, entries.join(","));
  }
  assert.equal(r.k.state.vetted.size, 5 * perLine - vettedMax);
});

test("sim: actors: bounds: requests beyond those that may wait end the oldest", () => {
  const y = yard.create();
  yard.addDirectory(y);
  const maker = yard.addPeer(y, 0, { kind: "maker" });
  const taker = yard.addPeer(y, 9, { kind: "taker" });
  yard.advance(y, 3_000);
  yard.lose(yard.newest(y, maker));
  for (let i = 0; i <= say.pendingMax; i += 1) {
    yard.ask(y, taker, { op: "fill", maker: "maker0", bytes: 10 });
  }
  assert.equal(yard.peerOf(taker).pending.length, say.pendingMax);
  const [first] = yard.facts(taker, "asked");
  assert.deepEqual(yard.facts(taker, "unanswered").map((one) => one.tag), [first?.tag]);
});

test("sim: actors: bounds: a burst has so many lines and so many bytes at most", () => {
  for (const [count, bytes, lines] of [[2_001, 5, 2_000], [200, 38_000, 110]] as const) {
    const r = rig("taker");
    answer(r, true);
    const effects = push(r, { type: "asked", task: { op: "burst", count, bytes } });
    const told = effects.filter((one) => one.type === "told" && one.what.fact === "said");
    assert.equal(told.length, lines);
  }
});

test("sim: actors: bounds: a body fits in any line", () => {
  const r = rig("taker");
  answer(r, true);
  for (const op of ["chat", "burst"] as const) {
    const task = op === "chat" ? { op, bytes: 50_000 } : { op, count: 1, bytes: 50_000 };
    const effects = push(r, { type: "asked", task });
    const sent = effects.flatMap((one) => one.type === "conn.send" ? [one.bytes.length] : []);
    const size = sent[0] ?? 0;
    assert.ok(size > say.bodyBytesMax && size <= envelope.lineBytesMax, `${op}: ${size}`);
  }
});
