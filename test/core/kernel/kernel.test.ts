import assert from "node:assert/strict";
import test from "node:test";
import { InvariantError } from "../../../core/assert.ts";
import type { ConnId } from "../../../core/ids.ts";
import { create, step, TICK, type Root } from "../../../core/kernel/kernel.ts";
import * as trace from "../../../core/kernel/trace.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { bytesOf, quietMs, toyKernel, type ToyEffect, type ToyEvent } from "../../support/toy.ts";

const conn = 1 as ConnId;
const opened: ToyEvent = { type: "conn.opened", conn };
const received: ToyEvent = { type: "conn.received", conn, bytes: bytesOf("a") };

test("core: kernel: one wake tells the next deadline, and only when it changes", () => {
  const k = toyKernel(mono(0));
  assert.deepEqual(step(k, opened, mono(1)), []);
  const first = step(k, received, mono(2));
  assert.deepEqual(first.at(-1), { type: "wake", at: 2 + quietMs });
  assert.equal(step(k, received, mono(2)).filter((effect) => effect.type === "wake").length, 0);
  assert.deepEqual(step(k, TICK, mono(2 + quietMs)).map((effect) => effect.type), ["log", "wake"]);
  assert.equal(k.wakeAt, NEVER);
});

test("core: kernel: a due tick runs before the event that came with it", () => {
  const k = toyKernel(mono(0));
  step(k, opened, mono(0));
  step(k, received, mono(0));
  const early = step(k, received, mono(quietMs - 1));
  assert.deepEqual(early.map((effect) => effect.type), ["conn.send", "wake"]);
  const due = step(k, received, mono(2 * quietMs - 1));
  assert.deepEqual(due.map((effect) => effect.type), ["log", "conn.send", "wake"]);
});

test("core: kernel: time that goes back is a bug", () => {
  const k = toyKernel(mono(5));
  step(k, TICK, mono(5));
  assert.throws(() => step(k, TICK, mono(4)), InvariantError);
});

function rootWith(
  deadline: (now: Mono) => Mono,
  effects: number,
): Root<{ now: Mono }, ToyEvent, ToyEffect> {
  return {
    step(state, _event, now, out) {
      state.now = now;
      for (let i = 0; i < effects; i += 1) {
        out.push({ type: "log", level: "info", code: "x", fields: {} });
      }
    },
    deadline: (state) => deadline(state.now),
    effectsMax: () => 3,
  };
}

test("core: kernel: a deadline that stays due is a bug, and no endless loop", () => {
  const k = create(rootWith((now) => now, 0), { now: mono(0) }, mono(0), false);
  assert.throws(() => step(k, TICK, mono(1)), InvariantError);
  const stuck = create(rootWith(() => mono(1), 0), { now: mono(0) }, mono(0), false);
  assert.throws(() => step(stuck, TICK, mono(1)), /stays due/);
});

test("core: kernel: a step beyond its own bound of effects is a bug", () => {
  const k = create(rootWith(() => NEVER, 4), { now: mono(0) }, mono(0), false);
  assert.throws(() => step(k, TICK, mono(1)), /4 effects/);
});

test("core: kernel: steps are counted, and folded where a trace is kept", () => {
  const traced = toyKernel(mono(0));
  const plain = toyKernel(mono(0), false);
  for (const k of [traced, plain]) step(k, opened, mono(3));
  assert.equal(traced.steps, 1);
  assert.equal(plain.digest, undefined);
  assert.notEqual(trace.hex(traced.digest ?? trace.digest()), trace.hex(trace.digest()));
});
