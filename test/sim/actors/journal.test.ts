import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as kernel from "../../../core/kernel/kernel.ts";
import { mono, NEVER } from "../../../core/time.ts";
import * as actor from "../../../sim/actors/journal.ts";
import * as disk from "../../../sim/disk.ts";
import * as rigs from "../../support/journal.ts";

/** Asks in several ways, with a full disk and a slow one on the way. */
function busy(r: rigs.Rig): void {
  rigs.pass(r, 100);
  rigs.ask(r, 3, 60);
  rigs.pass(r, 2);
  rigs.ask(r, 20, 900);
  rigs.pass(r, 200);
  disk.full(r.disk, true);
  rigs.ask(r, 2, 200);
  rigs.pass(r, 4_000);
  disk.full(r.disk, false);
  disk.slow(r.disk, 700);
  rigs.ask(r, 5, 70);
  rigs.pass(r, 9_000);
  disk.slow(r.disk, 0);
  rigs.pass(r, 60_000);
}

/** No more deaths; whatever happened before, what is asked now becomes durable. */
function settle(r: rigs.Rig): void {
  r.deaths.length = 0;
  r.disk.tear = "no";
  r.disk.fault = undefined;
  rigs.pass(r, 130_000);
  const before = r.observer.kept.length;
  rigs.ask(r, 2);
  rigs.pass(r, 1_000);
  assert.deepEqual(r.violations, []);
  assert.equal(r.observer.kept.length, before + 2);
  rigs.assertQuiet(r);
}

const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i + 1);

test("actors: journal: whatever is asked becomes durable, in order, once", () => {
  const r = rigs.rig();
  busy(r);
  settle(r);
  assert.equal(r.observer.kept.length, 32);
  assert.deepEqual(rigs.facts(r, "durable").map((one) => one.seq), upTo(32));
  assert.deepEqual(rigs.facts(r, "durable").map((one) => one.token), upTo(32));
  assert.deepEqual(rigs.facts(r, "asked").map((one) => one.body), r.observer.kept);
  assert.deepEqual(rigs.logs(r), ["journal.failing", "journal.recovered"]);
  const marks = r.effects.flatMap((effect) => (effect.type === "mark" ? [effect.mark] : []));
  assert.ok(marks.length > 8);
  for (const [i, mark] of marks.entries()) assert.equal(mark, i % 2 === 0 ? "appended" : "synced");
});

test("actors: journal: bodies are as long as asked or as they must be, and never equal", () => {
  const r = rigs.rig();
  rigs.ask(r, 2, 100);
  rigs.ask(r, 1, 0);
  rigs.ask(r, 1, 5_000);
  rigs.pass(r, 1_000);
  const bodies = rigs.facts(r, "asked").map((one) => one.body);
  assert.deepEqual(bodies.map((body) => body.length), [100, 100, 41, 5_000]);
  for (const body of bodies) assert.ok(typeof JSON.parse(body) === "object");
  assert.equal(new Set(bodies).size, 4);
  assert.deepEqual(rigs.facts(r, "refused"), [{ type: "refused", token: 4, why: "long" }]);
});

test("actors: journal: a task is bounded, and so is what waits", () => {
  const r = rigs.rig();
  rigs.ask(r, 5_000, 50);
  assert.equal(rigs.facts(r, "asked").length, 1_000);
  rigs.pass(r, 30_000);
  assert.equal(rigs.facts(r, "durable").length, 256);
  assert.ok(rigs.facts(r, "refused").every((one) => one.why === "behind"));
  assert.equal(rigs.facts(r, "refused").length, 744);
  rigs.assertQuiet(r);
});

test("actors: journal: a task of another kind and the date change nothing", () => {
  const r = rigs.rig();
  rigs.pass(r, 100);
  const before = r.effects.length;
  rigs.deliver(r, { type: "asked", task: { op: "orderbook" } });
  rigs.deliver(r, { type: "clock.anchored", unixMs: 5 });
  assert.equal(r.effects.length, before);
});

test("actors: journal: M13: a crash at every boundary of effects leaves no third state", () => {
  const whole = rigs.rig();
  busy(whole);
  const boundaries = whole.effects.length;
  assert.ok(boundaries > 80);
  for (let afterEffects = 0; afterEffects <= boundaries; afterEffects += 1) {
    for (const power of [false, true]) {
      const deaths = [{ afterEffects, power }];
      const r = rigs.rig({ seed: `${afterEffects} ${power}`, deaths });
      busy(r);
      // Latencies differ by seed, and with them how many effects there are.
      if (afterEffects < boundaries - 20) assert.equal(r.deaths.length, 0);
      settle(r);
    }
  }
});

test("actors: journal: M13: a crash at every boundary of the recovery from a crash", () => {
  for (let first = 18; first <= 34; first += 4) {
    for (let second = 0; second <= 8; second += 1) {
      for (const power of [false, true]) {
        const deaths = [
          { afterEffects: first, power: true }, { afterEffects: first + second, power },
        ];
        const r = rigs.rig({ seed: `${first} ${second} ${power}`, deaths });
        busy(r);
        settle(r);
      }
    }
  }
});

test("actors: journal: what was written when the power failed is there, gone, or cut off", () => {
  const torn = new Set<boolean>();
  for (let i = 0; i < 30; i += 1) {
    const r = rigs.rig({ seed: `tear ${i}` });
    rigs.pass(r, 100);
    rigs.ask(r, 3);
    rigs.pass(r, 100);
    disk.tear(r.disk);
    rigs.ask(r, 4);
    settle(r);
    const cutBytes = rigs.facts(r, "ready").map((one) => one.tornBytes);
    assert.deepEqual(rigs.logs(r), cutBytes[1] === 0 ? [] : ["journal.torn"]);
    torn.add(cutBytes[1] !== 0);
  }
  assert.ok(torn.has(true));
});

test("actors: journal: a hole in what was written when the power failed is no damage", () => {
  let holes = 0;
  for (let i = 0; i < 40; i += 1) {
    const r = rigs.rig({ seed: `hole ${i}` });
    rigs.pass(r, 100);
    rigs.ask(r, 12, 300);
    while (r.observer.written < 11) rigs.step(r);
    while (!r.observer.isAppended) rigs.step(r);
    rigs.die(r, true);
    const { bytes, size } = r.disk;
    if (bytes[size - 1] === 0x0a && bytes.subarray(0, size).includes(0)) holes += 1;
    settle(r);
  }
  assert.ok(holes > 0);
});

test("actors: journal: a small disk is full, and the record comes when there is room", () => {
  const r = rigs.rig({ capacityBytes: 400 });
  rigs.pass(r, 100);
  rigs.ask(r, 10, 80);
  rigs.pass(r, 300_000);
  assert.ok(r.observer.kept.length < 10);
  assert.deepEqual(r.violations, []);
  assert.notEqual(r.observer.waiting.length, 0);
  assert.deepEqual(rigs.logs(r), ["journal.failing"]);
});

test("actors: journal: a slow disk is told of and gets no second order", () => {
  const r = rigs.rig();
  rigs.pass(r, 100);
  disk.slow(r.disk, 20_000);
  rigs.ask(r, 1);
  rigs.pass(r, 50_000);
  assert.deepEqual(rigs.logs(r), ["journal.slow", "journal.slow"]);
  rigs.assertQuiet(r);
  assert.equal(r.observer.kept.length, 1);
});

test("actors: journal: a record that was damaged where it lay breaks the journal", () => {
  const r = rigs.rig();
  rigs.ask(r, 2);
  rigs.pass(r, 100);
  rigs.ask(r, 2);
  rigs.pass(r, 100);
  r.disk.bytes[60] = 0;
  r.kernel = undefined;
  rigs.boot(r);
  rigs.pass(r, 100);
  assert.deepEqual(rigs.facts(r, "broken"), [{ type: "broken", code: "journal-damaged" }]);
  assert.deepEqual(rigs.logs(r), ["journal.broken"]);
  rigs.ask(r, 1);
  assert.equal(rigs.facts(r, "refused")[0]?.why, "broken");
});

test("actors: journal: a step returns no more than it says", () => {
  const state = actor.create(actor.configOf("journal0", 1), mono(0));
  assert.equal(actor.root.deadline(state), NEVER);
  const k = kernel.create(actor.root, state, mono(0), false);
  const effects = kernel.step(k, { type: "asked", task: { op: "append", count: 1_000, bytes: 1 } },
    mono(1));
  assert.equal(effects.length, 1_744);
  assert.ok(effects.length <= actor.root.effectsMax(state));
});

type Move =
  | { readonly type: "ask" | "pass"; readonly n: number }
  | { readonly type: "power" | "process" | "full" | "room" | "slow" | "fast" | "tear" }
  | { readonly type: "fails"; readonly order: "store.append" | "store.load" | "store.truncate" };

const moves: fc.Arbitrary<Move> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("ask" as const), n: fc.nat(40) }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant("pass" as const), n: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("pass" as const), n: fc.nat(9_000) }) },
  {
    weight: 5, arbitrary: fc.record({
      type: fc.constantFrom(
        "power" as const, "process" as const, "full" as const, "room" as const, "slow" as const,
        "fast" as const, "tear" as const,
      ),
    }),
  },
  {
    weight: 1, arbitrary: fc.record({
      type: fc.constant("fails" as const),
      order: fc.constantFrom("store.append" as const, "store.load" as const,
        "store.truncate" as const),
    }),
  },
);

function play(r: rigs.Rig, move: Move): void {
  switch (move.type) {
    case "ask": return rigs.ask(r, move.n % 7, 40 + 10 * move.n);
    case "pass": return rigs.pass(r, move.n);
    case "power": case "process":
      if (r.kernel !== undefined) rigs.die(r, move.type === "power");
      return;
    case "full": return disk.full(r.disk, true);
    case "room":
      if (r.disk.fulls > 0) disk.full(r.disk, false);
      return;
    case "slow": return disk.slow(r.disk, 300);
    case "fast": return disk.slow(r.disk, 0);
    case "tear": return disk.tear(r.disk);
    case "fails": return disk.failNext(r.disk, move.order, "io");
  }
}

test("actors: journal: property: M13 holds whatever breaks, and everything heals", () => {
  const arb = fc.record({
    seed: fc.integer(), script: fc.array(moves, { maxLength: 40, size: "max" }),
    deaths: fc.array(fc.record({ gap: fc.nat(25), power: fc.boolean() }), { maxLength: 4 }),
  });
  fc.assert(fc.property(arb, ({ seed, script, deaths }) => {
    let afterEffects = 0;
    const planned = deaths.map(({ gap, power }) => {
      afterEffects += gap;
      return { afterEffects, power };
    });
    const r = rigs.rig({ seed: `${seed}`, deaths: planned });
    for (const move of script) play(r, move);
    while (r.disk.fulls > 0) disk.full(r.disk, false);
    disk.slow(r.disk, 0);
    settle(r);
  }), { numRuns: 120 });
});

test("actors: journal: property: records that were announced survive failed syncs", () => {
  const arb = fc.record({
    seed: fc.integer(),
    script: fc.array(fc.record({ count: fc.integer({ min: 1, max: 4 }), waitMs: fc.nat(3_000),
      fails: fc.boolean(), dies: fc.boolean() }), { minLength: 1, maxLength: 12 }),
  });
  fc.assert(fc.property(arb, ({ seed, script }) => {
    const r = rigs.rig({ seed: `${seed}` });
    rigs.pass(r, 100);
    for (const { count, waitMs, fails, dies } of script) {
      if (fails && r.observer.isReady) disk.failNext(r.disk, "store.sync", "io");
      rigs.ask(r, count);
      rigs.pass(r, waitMs);
      // A process that dies alone right after a failed sync leaves what nobody can tell.
      r.disk.fault = undefined;
      if (dies) rigs.die(r, true);
      rigs.pass(r, 200);
    }
    settle(r);
  }), { numRuns: 80 });
});
