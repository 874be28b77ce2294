/**
 * What a directory forgets to do in time, or does for nothing, is noticed: nothing is altered but
 * what it was to remember, or what it has sent.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ascii } from "../../../core/bytes.ts";
import type { DirectoryEffect, DirectoryEvent } from "../../../core/directory/events.ts";
import type { ConnId } from "../../../core/ids.ts";
import type { Tick, WakeEffect } from "../../../core/kernel/io.ts";
import { step, TICK } from "../../../core/kernel/kernel.ts";
import { mono, NEVER } from "../../../core/time.ts";
import * as invariants from "../../../sim/invariants/directory.ts";
import * as tables from "../../../sim/invariants/tables.ts";
import type { Violation } from "../../../sim/invariants/violation.ts";
import * as t from "../../support/directory.ts";
import * as drive from "../../support/drive.ts";
import { primitives } from "../../support/primitives.ts";

type Effects = readonly (DirectoryEffect | WakeEffect)[];

/** What the observer says from now on, by id. */
function heard(
  n: t.Node,
  alter: (effects: Effects, event: DirectoryEvent | Tick) => Effects = (same) => same,
): Set<string> {
  const said = new Set<string>();
  const hooks = n.drive.hooks as { step?: unknown; stepped?: unknown };
  hooks.step = step;
  hooks.stepped = (event: DirectoryEvent | Tick, effects: Effects) => {
    const { now, kernel } = n.drive;
    const found = invariants.observe(n.observer, kernel.state, event, alter(effects, event), now);
    for (const v of found) said.add(`${v.id}: ${v.says}`);
  };
  return said;
}

const state = (n: t.Node) => n.drive.kernel.state;

test("invariants: overdue: an end that is never carried out breaks D12", () => {
  const n = t.start();
  const a = t.join(n, t.maker(1));
  drive.stall(n.drive, a);
  const said = heard(n);
  t.send(n, a, t.types.DISCONNECT, "");
  state(n).sessions.closing.due.clear();
  t.advance(n, 4_999);
  assert.deepEqual([...said], []);
  t.advance(n, 60_000);
  assert.deepEqual([...said], ["D12: ended, and not reset when its time was over"]);
});

test("invariants: overdue: an unfinished line that may go on breaks D16", () => {
  for (const forgets of [false, true]) {
    const n = t.start();
    const a = t.join(n, t.maker(1));
    const said = heard(n);
    t.raw(n, a, "{\"type\": 6");
    if (forgets) state(n).sessions.unfinished.due.clear();
    t.advance(n, 700_000);
    const wanted = forgets ? ["D16: a line that is unfinished for too long"] : [];
    assert.deepEqual([...said], wanted);
  }
});

test("invariants: overdue: wakes for nothing break X5", () => {
  const n = t.start();
  const said = heard(n);
  for (let i = 0; i < 800; i += 1) {
    n.drive.now = mono(n.drive.now + 10);
    drive.push(n.drive, TICK as never);
  }
  assert.deepEqual([...said], ["X5: 700 wakes for nothing within 10000 ms"]);
});

test("invariants: overdue: a part that is left due breaks X4", () => {
  const n = t.start();
  const d = state(n);
  const now = n.drive.now;
  const none: Violation[] = [];
  tables.due(d, now, none);
  assert.deepEqual(none, []);
  const out: Violation[] = [];
  d.contest.dueAt = now;
  d.outbox.flushAt = now;
  d.leaves.dueAt = now;
  d.listing.dueAt = now;
  d.drainDueAt = now;
  tables.due(d, now, out);
  assert.deepEqual(out.map((v) => v.id), ["X4", "X4", "X4", "X4", "X4"]);
  d.drainDueAt = NEVER;
});

test("invariants: overdue: a pause that counts as silence breaks D6", () => {
  for (const forgets of [false, true]) {
    const n = t.start();
    t.join(n, t.taker(1, []));
    // Somebody who is looked at sooner, so that the tick is late by most of the pause.
    t.join(n, t.maker(2));
    const said = heard(n);
    drive.pause(n.drive, 1_600_000);
    if (forgets) state(n).heartbeat.pausedMs = 0;
    t.advance(n, 120_000);
    assert.deepEqual([...said], forgets ? ["D6: evicted too early"] : []);
  }
});

function sends(
  effects: Effects, conn: ConnId, change: (text: string) => readonly string[],
): Effects {
  return effects.flatMap((e) => {
    if (e.type !== "conn.send" || e.conn !== conn) return [e];
    const text = String.fromCharCode(...e.bytes);
    return change(text).map((one) => ({ ...e, bytes: ascii(one) }));
  });
}

test("invariants: overdue: more keys than a type and a line break the wire", () => {
  const n = t.start();
  const [a, b] = [t.join(n, t.maker(1)), t.join(n, t.taker(2))];
  const said = heard(n, (effects) =>
    sends(effects, b, (text) => [text.replace("}\r\n", ", \"more\": 1}\r\n")]));
  t.publish(n, a, t.maker(1), "hp2");
  t.advance(n, 50);
  assert.ok(said.has("wire: sent more than a type and a line"), [...said].join());
});

test("invariants: overdue: a list that repeats itself breaks D14", () => {
  const n = t.start();
  t.join(n, t.maker(1));
  const b = t.join(n, t.taker(2));
  const said = heard(n, (effects) => sends(effects, b, (text) => [text, text]));
  t.send(n, b, t.types.GETPEERLIST, "");
  t.advance(n, 50);
  assert.deepEqual([...said], ["D14: one list names it twice"]);
});

test("invariants: overdue: who holds little and goes for what others hold breaks D12", () => {
  for (const goes of ["the least", "the most"]) {
    const n = t.start();
    const from = t.join(n, t.taker(1));
    const [little, much] = [t.join(n, t.maker(2)), t.join(n, t.maker(3))];
    for (const one of [little, much]) drive.stall(n.drive, one);
    t.publish(n, from, t.taker(1), "hello");
    t.advance(n, 50);
    const gone = goes === "the least" ? little : much;
    let closes = 0;
    const said = heard(n, (effects, event) => {
      const held = state(n).outbox.boxes.get(much)?.ownBytes ?? 0;
      if (closes > 0 || event.type !== "tick" || held < 20_000) return effects;
      closes += 1;
      return [...effects, { type: "conn.close", conn: gone, how: "abort", reason: "outbox-total" }];
    });
    for (let i = 0; i < 4; i += 1) {
      t.whisper(n, from, t.taker(1), t.nick(3), `fill ${"x".repeat(5_000)}`);
    }
    t.advance(n, 1_000);
    assert.equal(closes, 1);
    const wanted = goes === "the least" ? ["D12: had to go for what others hold"] : [];
    assert.deepEqual([...said].filter((one) => one.includes("what others hold")), wanted);
  }
});

test("invariants: overdue: a proof of something else breaks D3", () => {
  for (const isOther of [false, true]) {
    const n = t.start();
    (n.observer as { primitives: unknown }).primitives = primitives;
    const said = heard(n);
    const who = t.prover(77n);
    const conn = t.greet(n, who);
    t.advance(n, 20);
    const c = n.observer.conns.get(conn);
    assert.ok(c !== undefined);
    if (isOther) c.challenge = "00".repeat(32);
    t.prove(n, conn, who);
    assert.ok(t.isIn(n, conn));
    const wanted = isOther ? ["D3: registered with a proof that proves nothing"] : [];
    assert.deepEqual([...said], wanted);
  }
});
