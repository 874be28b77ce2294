/**
 * What must hold after every step of a maker, seen from its events, its effects and its tables.
 *
 * M1: one connection or dial to each directory. M6: what is announced on a connection is said once,
 * without a bond, and is what is on offer. Nothing is announced while it could not be kept. Tables
 * hold what is under way and nothing else. Nothing comes after `stopped`.
 * @module
 */
import assert from "node:assert/strict";
import type { ConnId } from "../../core/ids.ts";
import { hex, text } from "../../core/bytes.ts";
import type { Tick, WakeEffect } from "../../core/kernel/io.ts";
import * as kernel from "../../core/kernel/kernel.ts";
import type { MakerEffect, MakerEvent } from "../../core/maker/events.ts";
import type { Maker } from "../../core/maker/node.ts";
import * as offers from "../../core/maker/offers.ts";
import { mono, NEVER } from "../../core/time.ts";
import * as cross from "../../sim/invariants/cross.ts";
import { clone, poisoned } from "./laws.ts";

type Effect = MakerEffect | WakeEffect;

/** What was said in public on a connection: by number of the offer, its line. */
export type Rules = {
  readonly said: Map<ConnId, Map<string, string>>;
  readonly live: Map<ConnId, string>;
  /** Public lines, in order, with what connection they went over. */
  readonly lines: {
    readonly at: number; readonly conn: ConnId; readonly text: string;
  }[];
  isStopped: boolean;
};

export function create(): Rules {
  return { said: new Map(), live: new Map(), lines: [], isStopped: false };
}

export function reborn(m: Rules): void {
  m.said.clear();
  m.live.clear();
  m.isStopped = false;
}

const kinds = new Set([
  "conn.send", "conn.close", "conn.dial", "req.start", "req.drop", "sign.want", "store.load",
  "store.append", "store.sync", "store.truncate", "exec.start", "derive.want", "log", "stopped",
  "wake", "conn.confide", "cookie.want", "nonce.want", "key.load", "key.save",
]);

export function check(
  m: Rules, d: Maker, event: MakerEvent | Tick, effects: readonly Effect[], now: number,
): void {
  assert.deepEqual(cross.plain(effects, kinds), []);
  if (event.type === "conn.closed" || event.type === "conn.failed") end(m, event.conn);
  for (const effect of effects) {
    assert.ok(!m.isStopped || effect.type === "wake", `${effect.type} after the end`);
    if (effect.type === "stopped") m.isStopped = true;
    if (effect.type === "conn.dial") {
      assert.ok(![...m.live.values()].includes(effect.to), `M1: two connections to ${effect.to}`);
      m.live.set(effect.conn, effect.to);
      m.said.set(effect.conn, new Map());
    }
    if (effect.type === "conn.close") end(m, effect.conn);
    if (effect.type === "conn.send") heard(m, d, effect.conn, effect.bytes, now);
  }
  kept(m, d);
  tables(d);
}

function end(m: Rules, conn: ConnId): void {
  m.live.delete(conn);
  m.said.delete(conn);
}

function heard(m: Rules, d: Maker, conn: ConnId, bytes: Uint8Array, now: number): void {
  for (const line of text(bytes).split("\r\n")) {
    const frame = line === "" ? undefined : JSON.parse(line) as { type: number; line: string };
    if (frame?.type !== 687) continue;
    const said = m.said.get(conn);
    assert.ok(said !== undefined, "M6: a public line on no connection to a directory");
    const [from, to, ...rest] = frame.line.split("!");
    assert.deepEqual([from, to, rest.length], [d.nick, "PUBLIC", 1]);
    const words = rest[0]!.split(" ");
    const oid = words[1]!;
    m.lines.push({ at: now, conn, text: rest[0]! });
    assert.ok(!rest[0]!.includes("tbond"), "M6: a bond in public");
    if (words[0] === "cancel") {
      assert.ok(said.delete(oid), "M6: cancelled what was not on offer here");
      continue;
    }
    assert.notEqual(said.get(oid), rest[0], "M6: announced twice");
    said.set(oid, rest[0]!);
  }
}

/** What is on offer after a step could be kept at its end. */
function kept(m: Rules, d: Maker): void {
  for (const said of m.said.values()) {
    if (said.size === 0) continue;
    assert.equal(offers.blockOf(d.offers), undefined, "on offer: what could not be kept");
    assert.equal(d.diskFailingAt, NEVER, "on offer: what could not be recorded");
    assert.ok(!d.isDiskSlow, "on offer: what is not recorded in time");
    assert.ok(d.isRestored, "on offer before the journal was read");
    return;
  }
}

/** M6, at rest: who is connected knows what is on offer. */
export function settled(m: Rules, d: Maker): void {
  const wanted = new Map(offers.publicLines(d.offers).map((line) => [line.split(" ")[1]!, line]));
  for (const slot of d.pool.slots) {
    if (slot.link.at.phase !== "up") continue;
    assert.deepEqual(m.said.get(slot.conn as ConnId), wanted, `M6: at ${slot.directory.to}`);
  }
}

function tables(d: Maker): void {
  assert.equal(d.asked.size, d.chain?.m.talks.size ?? 0, "questions that nobody answers");
  assert.equal(d.recorded.size, d.journal.pending.queue.length, "records that nobody answers");
  let waiting = 0;
  for (const list of d.waiting.values()) waiting += list.length;
  assert.equal(waiting, d.replies, "replies are counted");
  const talks = [...d.signing.values()].filter(({ signing }) => signing.who === "talk").length;
  assert.equal(talks, d.waiting.size, "a text that waits is being signed");
  assert.ok(d.requests.open.size <= d.config.requests.openMax);
  assert.ok(d.signatures.size <= d.config.talk.signaturesMax);
  assert.ok(d.numbers.size <= d.config.guard.directoriesMax);
  assert.deepEqual([...d.since.keys()].sort(), d.phase === "fresh" ? []
    : d.config.directories.map(({ to }) => to).sort());
}

type Kernel = kernel.Kernel<Maker, MakerEvent, MakerEffect>;

/** Law 1: a tick before the deadline changes nothing. */
export function early({ root, state, now }: Kernel, at: number): void {
  if (at < now || root.deadline(state) <= at) return;
  const copy = clone(state);
  const out: MakerEffect[] = [];
  poisoned(() => root.step(copy, kernel.TICK, mono(at), out));
  assert.deepEqual(out, [], "law 1: an early tick had effects");
  assert.deepEqual(copy, state, "law 1: an early tick changed the state");
}

/** Double drive: the same step on a copy gives the same effects and the same state. */
export function twin(
  k: Kernel, state: Maker, event: MakerEvent | Tick, effects: readonly Effect[], now: number,
): void {
  const copy = { ...k, state, now: mono(0), wakeAt: mono(0) };
  const again = poisoned(() => kernel.step(copy, clone(event), mono(now)));
  const plain = (list: readonly Effect[]): string => shown(list.filter((e) => e.type !== "wake"));
  assert.equal(plain(again), plain(effects), "a copy of the state gave other effects");
  assert.deepEqual(state, k.state, "a copy of the state became another state");
}

/** Effects as text, to compare runs. */
export function shown(effects: readonly Effect[]): string {
  return JSON.stringify(effects, (_, value: unknown) => (
    value instanceof Uint8Array ? hex(value) : value
  ));
}
