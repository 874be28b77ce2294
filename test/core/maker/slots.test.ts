import assert from "node:assert/strict";
import { test } from "node:test";
import * as pool from "../../../core/maker/pool.ts";
import * as slots from "../../../core/maker/slots.ts";
import { a, b, c, upWorld, world } from "../../support/maker-pool.ts";

test("maker: slots: how many are up, of how many that are configured", () => {
  const w = upWorld();
  assert.deepEqual(slots.count(w.m.slots), { connected: 3, total: 3 });
  w.close(b);
  assert.deepEqual(slots.count(w.m.slots), { connected: 2, total: 3 });
  w.on({ type: "configured", directories: [{ to: b }, { to: c }] });
  assert.equal(w.m.slots.length, 3, "one is being left");
  assert.deepEqual(slots.count(w.m.slots), { connected: 1, total: 2 });
});

test("maker: slots: where each connection stands, in the order of the configuration", () => {
  const w = world();
  assert.deepEqual(pool.views(w.m).map(({ phase }) => phase), ["fresh", "fresh", "fresh"]);
  w.on({ type: "started" });
  w.accept(b);
  w.on({ type: "conn.failed", conn: w.conn(c), reason: "refused" });
  w.hear(b, new TextEncoder().encode("nonsense\r\n"));
  const views = pool.views(w.m);
  assert.deepEqual(views.map(({ directory }) => directory), [a, b, c]);
  assert.deepEqual(views.map(({ phase }) => phase), ["dialing", "up", "waiting"]);
  assert.deepEqual(views.map(({ conn }) => conn), [w.conn(a), w.conn(b), undefined]);
  assert.deepEqual(views.map(({ failures }) => failures), [0, 0, 1]);
  assert.deepEqual(views.map(({ malformed }) => malformed), [0, 1, 0]);
  assert.equal(views[0]?.dueAt, 200);
});
