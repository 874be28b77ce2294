/**
 * A shadow is told the same in other pieces: it agrees with its twin, and says where it does not.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ascii, concat } from "../../../core/bytes.ts";
import { defaults } from "../../../core/directory/config.ts";
import * as directory from "../../../core/directory/directory.ts";
import type { DirectoryEffect, DirectoryEvent } from "../../../core/directory/events.ts";
import type { ConnId } from "../../../core/ids.ts";
import type { Tick, WakeEffect } from "../../../core/kernel/io.ts";
import * as kernel from "../../../core/kernel/kernel.ts";
import * as prng from "../../../core/prng.ts";
import { mono } from "../../../core/time.ts";
import type { Violation } from "../../../sim/invariants/violation.ts";
import * as shadow from "../../../sim/oracles/shadow.ts";
import { primitives } from "../../support/primitives.ts";
import * as t from "../../support/directory.ts";

type Effects = readonly (DirectoryEffect | WakeEffect)[];
type Alter = (effects: Effects) => Effects;

const config = { ...defaults, location: t.ownLocation };
const conn = (i: number): ConnId => (1 + 2 * i) as ConnId;

/** A directory and its shadow, told some lines of three peers; what the first wrote is altered. */
function play(alter: Alter, inputBytesTotalMax = config.inputBytesTotalMax): readonly Violation[] {
  const start = mono(1_000);
  const settings = { ...config, inputBytesTotalMax };
  const state = directory.create(settings, start);
  const k = kernel.create(directory.root(primitives), state, start, false);
  const s = shadow.create(settings, primitives, prng.stream(prng.key("cuts"), "x"), start);
  const found: Violation[] = [];
  const step = (event: DirectoryEvent | Tick, now: number): void => {
    const effects = kernel.step(k, event, mono(now));
    found.push(...shadow.follow(s, event, alter(effects), mono(now)));
  };
  const said = (i: number, bytes: Uint8Array, now: number): void =>
    step({ type: "conn.received", conn: conn(i), bytes }, now);
  step({ type: "operator.started" }, 1_000);
  step({ type: "entropy.given", req: 0, bytes: new Uint8Array(33).fill(2) }, 1_001);
  for (const i of [0, 1, 2]) {
    step({ type: "conn.opened", conn: conn(i) }, 1_010 + 10 * i);
    said(i, t.frame(793, t.helloOf(t.maker(i))), 1_015 + 10 * i);
  }
  for (let i = 0; i < 20; i += 1) {
    const now = 1_100 + 20 * i;
    const lines = [t.frame(687, `${t.nick(0)}!PUBLIC!hp2 ${i}`),
      t.frame(685, `${t.nick(0)}!${t.nick(1)}!fill ${i}`), ascii("nonsense\r\n\r\n")];
    said(0, concat(lines), now);
    step({ type: "tick" }, now + 12);
  }
  said(2, ascii("x".repeat(50_000)), 2_000);
  step({ type: "conn.closed", conn: conn(2), reason: "aborted" }, 2_001);
  step({ type: "tick" }, 9_000);
  return found;
}

test("sim: oracles: shadow: other pieces, the same lines and the same ends", () => {
  assert.deepEqual(play((effects) => effects), []);
});

test("sim: oracles: shadow: lost bytes and another end are D15", () => {
  const lost = play((effects) => effects.filter((e) => !(e.type === "conn.send" && e.conn === 3)));
  assert.equal(lost[0]?.id, "D15");
  assert.match(lost[0]?.says ?? "", /different lines/);
  const other = play((effects) => effects.map((e) =>
    e.type === "conn.close" ? { ...e, reason: "flood" } : e));
  assert.match(other[0]?.says ?? "", /closed as line-too-long and not as flood/);
});

test("sim: oracles: shadow: a bound that counts pieces ends the comparison", () => {
  assert.deepEqual(play((effects) => effects.filter((e) => e.type === "wake"), 1), []);
});
