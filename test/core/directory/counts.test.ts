import assert from "node:assert/strict";
import { test } from "node:test";
import * as counts from "../../../core/directory/counts.ts";

test("directory: counts: every label exists from the start, at zero, and none twice", () => {
  const c = counts.create();
  for (const [names, tally] of [
    [counts.dropReasons, c.drops], [counts.closeReasons, c.closes],
    [counts.handshakeResults, c.handshakes],
  ] as const) {
    assert.deepEqual(Object.keys(tally), [...names]);
    assert.equal(new Set<string>(names).size, names.length);
    for (const name of names) assert.match(name, /^[a-z]+(-[a-z]+)*$/);
  }
  for (const tally of Object.values(c)) {
    for (const count of Object.values(tally)) assert.equal(count, 0);
  }
});

test("directory: counts: tallies have no inherited names", () => {
  const c = counts.create();
  for (const tally of [c.drops, c.closes, c.handshakes]) {
    assert.equal(Object.getPrototypeOf(tally), null);
    assert.equal("constructor" in tally, false);
  }
});

test("directory: counts: two nodes count apart", () => {
  const [a, b] = [counts.create(), counts.create()];
  a.totals.opened += 1;
  a.drops.malformed += 1;
  assert.deepEqual([b.totals.opened, b.drops.malformed], [0, 0]);
});
