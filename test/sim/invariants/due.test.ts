/**
 * Lines for everybody are owed once and looked at once: nobody may slip through for that.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { concat } from "../../../core/bytes.ts";
import type { DirectoryEffect, DirectoryEvent } from "../../../core/directory/events.ts";
import type { ConnId } from "../../../core/ids.ts";
import type { Tick, WakeEffect } from "../../../core/kernel/io.ts";
import { step } from "../../../core/kernel/kernel.ts";
import * as invariants from "../../../sim/invariants/directory.ts";
import * as due from "../../../sim/invariants/due.ts";
import type { InvariantId } from "../../../sim/invariants/violation.ts";
import * as t from "../../support/directory.ts";
import * as drive from "../../support/drive.ts";

type Effects = readonly (DirectoryEffect | WakeEffect)[];

/** Effects are altered on their way to the observer, which is not helped by any audit. */
function tapped(n: t.Node, alter: (effects: Effects) => Effects): Set<InvariantId> {
  const said = new Set<InvariantId>();
  const hooks = n.drive.hooks as { step?: unknown; stepped?: unknown };
  hooks.step = step;
  hooks.stepped = (event: DirectoryEvent | Tick, effects: Effects) => {
    const { now, kernel } = n.drive;
    const found = invariants.observe(n.observer, kernel.state, event, alter(effects), now);
    for (const v of found) said.add(v.id);
  };
  return said;
}

type Room = { readonly n: t.Node; readonly conns: readonly ConnId[] };

function room(count: number): Room {
  const n = t.start();
  return { n, conns: Array.from({ length: count }, (_, i) => t.join(n, t.maker(i + 1))) };
}

/** Everybody says something in public, at once and in turns, and some things in private. */
function talk({ n, conns }: Room): void {
  for (let round = 0; round < 4; round += 1) {
    conns.forEach((conn, i) => {
      t.publish(n, conn, t.maker(i + 1), `hp2 ${round} a`);
      if (i % 2 === round % 2) t.whisper(n, conn, t.maker(i + 1), t.nick(1 + (i + 1) % 5), "fill");
      if (i === round) t.advance(n, 3);
    });
    t.advance(n, round === 2 ? 30 : 4);
  }
  t.advance(n, 50);
}

const sends = (effects: Effects, change: (e: DirectoryEffect & { type: "conn.send" }) => Effects) =>
  effects.flatMap((e) => (e.type === "conn.send" ? change(e) : [e]));

test("invariants: due: one array for all, an own array for each: the same verdict", () => {
  for (const own of [false, true]) {
    const r = room(6);
    const said = tapped(r.n, (effects) =>
      own ? sends(effects, (e) => [{ ...e, bytes: e.bytes.slice() }]) : effects);
    talk(r);
    drive.hangUp(r.n.drive, r.conns[5] as ConnId);
    t.advance(r.n, 5_000);
    assert.deepEqual([...said], []);
    for (const c of r.n.observer.peers.values()) {
      assert.equal(due.least(r.n.observer, c), 0);
      assert.equal(due.most(r.n.observer, c), 0);
      assert.equal(due.earliest(r.n.observer, c), undefined);
    }
    assert.equal(r.n.observer.owing.size, 0);
    assert.ok(r.n.observer.log.items.length < 64, "what everybody has is forgotten");
  }
});

/** The array that went to others, once more or to whom it is not due. */
type Slip = (bytes: Uint8Array, to: ConnId) => Effects;
const slips: readonly (readonly [string, InvariantId, Slip])[] = [
  ["twice to one receiver", "D11", (bytes, to) => [
    { type: "conn.send", conn: to, bytes }, { type: "conn.send", conn: to, bytes },
  ]],
  ["in another order", "D11", (bytes, to) => {
    const at = bytes.indexOf(10) + 1;
    const turned = concat([bytes.subarray(at), bytes.subarray(0, at)]);
    return [{ type: "conn.send", conn: to, bytes: turned }];
  }],
  ["without its last line", "D12", (bytes, to) => [
    { type: "conn.send", conn: to, bytes: bytes.subarray(0, bytes.indexOf(10) + 1) },
  ]],
];

for (const [what, id, slip] of slips) {
  test(`invariants: due: a write that comes ${what} breaks ${id}`, () => {
    const r = room(4);
    const [a, , , d] = r.conns;
    const said = tapped(r.n, (effects) =>
      sends(effects, (e) => (e.conn === d && e.bytes.length > 60 ? slip(e.bytes, e.conn) : [e])));
    for (const words of ["one", "two"]) t.publish(r.n, a as ConnId, t.maker(1), words);
    t.advance(r.n, 100);
    t.send(r.n, d as ConnId, t.types.PONG, "");
    assert.ok(said.has(id), [...said].join());
  });
}

test("invariants: due: the sender's own line in the array of all breaks D11", () => {
  const r = room(3);
  const [a, b] = r.conns;
  const said = tapped(r.n, (effects) => effects.flatMap((e) =>
    (e.type === "conn.send" && e.conn === b ? [e, { ...e, conn: a as ConnId }] : [e])));
  t.publish(r.n, a as ConnId, t.maker(1), "mine");
  t.advance(r.n, 100);
  assert.ok(said.has("D11"), [...said].join());
});

test("invariants: due: a receiver that is passed over is late after one window", () => {
  const r = room(3);
  const [a, , c] = r.conns;
  const said = tapped(r.n, (effects) => effects.filter((e) =>
    !(e.type === "conn.send" && e.conn === c)));
  t.publish(r.n, a as ConnId, t.maker(1), "lost");
  t.advance(r.n, 12);
  t.send(r.n, a as ConnId, t.types.PONG, "");
  assert.deepEqual([...said], ["D12"]);
});

test("invariants: due: sums of who does not read follow what is owed", () => {
  const r = room(3);
  const [a, b, c] = r.conns as readonly [ConnId, ConnId, ConnId];
  const said = tapped(r.n, (effects) => effects);
  drive.stall(r.n.drive, c);
  t.publish(r.n, a, t.maker(1), "fills the buffer");
  t.advance(r.n, 20);
  for (let i = 0; i < 30; i += 1) {
    t.publish(r.n, i % 2 === 0 ? a : b, t.maker(1 + i % 2), `line ${i}`);
    if (i % 7 === 0) t.whisper(r.n, a, t.maker(1), t.nick(3), `quiet ${i}`);
    t.advance(r.n, 5);
  }
  const conn = r.n.observer.conns.get(c);
  assert.ok(conn !== undefined);
  const owed = due.least(r.n.observer, conn);
  const queued = r.n.drive.kernel.state.outbox.boxes.get(c)?.queuedBytes ?? 0;
  const most = due.most(r.n.observer, conn);
  assert.ok(owed > 0 && owed < queued && queued <= most, `${owed} ${queued} ${most}`);
  drive.resume(r.n.drive, c);
  t.advance(r.n, 1_000);
  assert.deepEqual([...said], []);
  assert.equal(due.least(r.n.observer, conn), 0);
});
