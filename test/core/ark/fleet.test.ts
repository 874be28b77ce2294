import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as fleet from "../../../core/ark/fleet.ts";
import { mono, NEVER } from "../../../core/time.ts";

const { defaults } = fleet;
const members = (count: number, server = "s"): { name: string; server: string }[] => (
  Array.from({ length: count }, (_, i) => ({ name: `${server}${i}`, server }))
);

test("fleet: in no second more than a fortieth, and always one", () => {
  const gaps = [1, 40, 79, 80, 100, 1_000].map((count) => fleet.gapMsOf(defaults, count));
  assert.deepEqual(gaps, [1_000, 1_000, 1_000, 500, 500, 40]);
  const f = fleet.create(defaults, members(1_000));
  assert.equal(fleet.roundMs(f, "s"), 39_960);
});

test("fleet: turns come in the order of asking, however they were asked for", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 200 }), fc.array(fc.nat(3_000)), (n, waits) => {
    const f = fleet.create<number>(defaults, members(n));
    const gapMs = fleet.gapMsOf(defaults, n);
    const given: { at: number; who: number }[] = [];
    let now = 0;
    const pass = (until: number): void => {
      while (fleet.deadline(f) <= until) {
        now = fleet.deadline(f) > now ? fleet.deadline(f) : now;
        for (const who of fleet.due(f, mono(now))) given.push({ at: now, who });
        assert.ok(fleet.deadline(f) > now);
      }
      now = until;
    };
    waits.forEach((ms, who) => {
      pass(now + ms);
      if (fleet.take(f, "s", mono(now))) given.push({ at: now, who });
      else fleet.hold(f, "s", `${who}`, who);
    });
    pass(now + 1_000 * (waits.length + 1));
    assert.deepEqual(given.map(({ who }) => who), waits.map((_, who) => who));
    given.forEach(({ at }, i) => {
      if (i > 0) assert.ok(at - given[i - 1]!.at >= gapMs);
    });
    assert.equal(fleet.held(f), 0);
    assert.equal(fleet.deadline(f), NEVER);
  }), { numRuns: 50 });
});

test("fleet: who leaves is not given a turn, and servers do not wait for each other", () => {
  const f = fleet.create<string>(defaults, [...members(1, "a"), ...members(1, "b")]);
  assert.ok(fleet.take(f, "a", mono(0)) && fleet.take(f, "b", mono(0)));
  assert.equal(fleet.take(f, "a", mono(999)), false);
  for (const key of ["x", "y", "z"]) fleet.hold(f, "a", key, key);
  assert.equal(fleet.held(f), 3);
  assert.equal(fleet.leave(f, "a", "x"), "x");
  assert.equal(fleet.leave(f, "a", "x"), undefined);
  assert.ok(fleet.take(f, "b", mono(1_000)));
  assert.deepEqual(fleet.due(f, mono(999)), []);
  assert.deepEqual(fleet.due(f, mono(1_000)), ["y"]);
  assert.equal(fleet.leave(f, "a", "z"), "z");
  assert.equal(fleet.deadline(f), NEVER);
  assert.throws(() => fleet.take(f, "nobody", mono(0)));
});

test("fleet: starts at one server lie apart, at several they are side by side", () => {
  const wallets = [...members(2, "a"), ...members(2, "b")];
  const f = fleet.create(defaults, wallets);
  assert.deepEqual(fleet.startsOf(f, wallets), [0, 3_000, 0, 3_000]);
});
