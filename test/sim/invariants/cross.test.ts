import assert from "node:assert/strict";
import { test } from "node:test";
import { ascii, base64, hex } from "../../../core/bytes.ts";
import * as kernel from "../../../core/kernel/kernel.ts";
import { secret } from "../../../core/secret.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import * as cross from "../../../sim/invariants/cross.ts";
import { clone, difference, freeze } from "../../../sim/invariants/plain.ts";
import { statements, text, violation } from "../../../sim/invariants/violation.ts";

type Event = { readonly type: "said"; readonly bytes: Uint8Array };
type Effect = { readonly type: "told"; readonly bytes: Uint8Array; readonly sum: number };
type State = { sum: number; dueAt: Mono; readonly held: Uint8Array };

/** A small machine; `leak` is where it breaks the contract. */
function machine(leak?: "chance" | "event"): kernel.Kernel<State, Event, Effect> {
  let calls = 0;
  const root: kernel.Root<State, Event, Effect> = {
    step: (s, event, now, out) => {
      if (event.type === "tick") return;
      calls += 1;
      s.sum += leak === "chance" ? calls : 1;
      s.dueAt = mono(now + 10);
      if (leak === "event") event.bytes[0] = 9;
      out.push({ type: "told", bytes: s.held, sum: s.sum });
    },
    deadline: (s) => s.dueAt,
    effectsMax: () => 10,
  };
  const state = { sum: 0, dueAt: NEVER, held: Uint8Array.of(1, 2) };
  return kernel.create(root, state, mono(0), true);
}

const event = (): Event => ({ type: "said", bytes: Uint8Array.of(5) });

test("invariants: X1: a pure step is found pure", () => {
  const { effects, violations } = cross.stepTwice(machine(), event(), mono(1));
  assert.deepEqual(violations, []);
  assert.equal(effects.length, 2);
});

test("invariants: X1: hidden state and a changed event are seen", () => {
  for (const leak of ["chance", "event"] as const) {
    const { violations } = cross.stepTwice(machine(leak), event(), mono(1));
    assert.ok(violations.length > 0, leak);
    assert.ok(violations.every((v) => v.id === "X1"));
  }
});

test("invariants: X1: an effect that changes later is seen", () => {
  const k = machine();
  const kept = cross.keep(kernel.step(k, event(), mono(1)));
  assert.deepEqual(cross.unchanged(kept), []);
  k.state.held[0] = 77;
  assert.equal(cross.unchanged(kept)[0]?.id, "X1");
});

test("invariants: X2: unknown kinds and values that are not plain are seen", () => {
  const kinds = new Set(["told"]);
  const good = { type: "told", bytes: new Uint8Array(1), list: [1, { a: "b" }], none: undefined };
  assert.deepEqual(cross.plain([good], kinds), []);
  assert.equal(cross.plain([{ type: "other" }], kinds).length, 1);
  const wrong: unknown[] = [0.5, () => 1, new Map(), new Error("x"), Symbol("s"), [new Set()]];
  for (const value of wrong) {
    assert.equal(cross.plain([{ type: "told", value } as { type: string }], kinds).length, 1);
  }
});

test("invariants: X4: two wakes, and a deadline that is due, are seen", () => {
  const k = machine();
  const effects = kernel.step(k, event(), mono(1));
  assert.deepEqual(cross.wakes(k, effects, mono(1)), []);
  assert.equal(cross.wakes(k, [...effects, ...effects], mono(1)).length, 1);
  k.state.dueAt = mono(1);
  assert.equal(cross.wakes(k, effects, mono(1)).length, 2);
});

test("invariants: X5: endless steps at one instant are seen once", () => {
  const m: cross.Pulse = { at: mono(0), steps: 0 };
  const said: number[] = [];
  for (let i = 0; i < 10; i += 1) said.push(cross.pulse(m, mono(0), 4).length);
  assert.deepEqual(said, [0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
  assert.deepEqual(cross.pulse(m, mono(1), 4), []);
});

test("invariants: X6: marked secrets are found in plain, hex and base64", () => {
  const bytes = ascii("hunter2!");
  const found = cross.secretsOf({ type: "given", deep: [{ cookie: secret(bytes) }] });
  assert.deepEqual(found, [bytes]);
  for (const told of ["x hunter2! y", hex(bytes).toUpperCase(), base64(bytes)]) {
    assert.equal(cross.secrecy(found, `a ${told} b`)[0]?.id, "X6");
  }
  assert.deepEqual(cross.secrecy(found, "nothing"), []);
  assert.deepEqual(cross.secrecy([Uint8Array.of(65)], "A"), [], "too short to tell");
});

test("invariants: plain: a copy is equal, apart, and shares what was shared", () => {
  const shared = { n: 1 };
  const value = {
    a: [shared, shared], m: new Map([[1, shared]]), s: new Set([shared]), b: Uint8Array.of(1, 2),
    none: Object.assign(Object.create(null) as object, { x: 1 }),
  };
  const copied = clone(value);
  assert.equal(difference(value, copied), undefined);
  assert.equal(copied.a[0], copied.m.get(1));
  assert.notEqual(copied.a[0], shared);
  assert.throws(() => clone({ f: () => 1 }), /function/);
  assert.throws(() => clone(new Error("x")), /class/);
  assert.throws(() => clone(JSON.parse("{\"__proto__\": 1}")), /__proto__/);
});

test("invariants: plain: a difference is named by its path", () => {
  const cases: readonly (readonly [unknown, unknown, string])[] = [
    [{ a: { b: 1 } }, { a: { b: 2 } }, ".a.b"], [1, 2, "."], [[1], [1, 2], "."],
    [new Map([[1, 2]]), new Map([[1, 3]]), ".0.1"], [new Set([1]), new Set(), ".size"],
    [new Map(), new Set(), "."], [{}, new Map(), "."], [[], {}, "."], [{ a: 1 }, { b: 1 }, ".a"],
    [Uint8Array.of(1), Uint8Array.of(2), "."], [{ a: undefined }, {}, "."],
    [Uint8Array.of(1), [1], "."], [null, {}, "."],
  ];
  for (const [a, b, path] of cases) assert.equal(difference(a, b), path);
  const one = { n: 1 };
  assert.equal(difference([one, one], [{ n: 1 }, { n: 1 }]), ".1", "sharing is part of it");
});

test("invariants: plain: frozen to the leaves, bytes and collections as they are", () => {
  const value = freeze({ a: [{ b: 1 }], m: new Map(), bytes: new Uint8Array(1) });
  assert.ok(Object.isFrozen(value.a[0]));
  assert.equal(freeze(5), 5);
});

test("invariants: violations: each id has a statement, and a text says what and where", () => {
  const ids = Object.keys(statements);
  for (let i = 1; i <= 16; i += 1) assert.ok(ids.includes(`D${i}`));
  for (let i = 1; i <= 6; i += 1) assert.ok(ids.includes(`X${i}`));
  assert.match(text(violation("D4", "six peers")), /^D4 \(.*\): six peers$/);
});
