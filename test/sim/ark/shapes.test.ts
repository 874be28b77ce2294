/**
 * Every reply of the stand-in wallet beside the shapes of the real one's interface, on a tour
 * through a whole life.
 * @module
 */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { write, type Value } from "../../../sim/chain/json.ts";
import * as rest from "../../../sim/ark/rest.ts";
import { notFound, problem, replies } from "../../support/ark-openapi.ts";
import { tour, type Seen } from "../../support/ark-tour.ts";

let seen: readonly Seen[] = [];
before(() => { seen = tour(); });

test("sim: ark: shapes: every call that is served has its shape, and the other way round", () => {
  assert.deepEqual([...replies.keys()].toSorted(), [...rest.served]);
});

for (const route of replies.keys()) {
  test(`sim: ark: shapes: ${route}: as the interface says`, () => {
    const good = seen.filter((one) => one.route === route && one.status === 200);
    assert.ok(good.length > 0, "the tour comes by");
    const shape = replies.get(route);
    for (const { body } of good) {
      if (shape === undefined) assert.ok(body === "" || body === "pong");
      else shape.parse(JSON.parse(body));
    }
  });
}

test("sim: ark: shapes: every state of an exit was on the way", () => {
  const all = seen.map(({ body }) => body).join("");
  for (const state of [
    "start", "processing", "awaiting-delta", "claimable", "claim-in-progress", "claimed",
    "canceled",
  ]) assert.ok(all.includes(`"state":{"type":"${state}"`), state);
  for (const status of [
    "awaiting-cpfp-broadcast", "awaiting-confirmation", "confirmed", "awaiting-input-confirmation",
  ]) assert.ok(all.includes(`{"type":"${status}"`), status);
  assert.ok(all.includes("insufficient-confirmed-funds"));
});

test("sim: ark: shapes: errors are a message, and what is not there is named", () => {
  const bad = seen.filter(({ status }) => status !== 200);
  const statuses = new Set(bad.map(({ status }) => status));
  assert.deepEqual([...statuses].toSorted((a, b) => a - b), [400, 404, 422, 500]);
  for (const { status, body } of bad) {
    (status === 404 ? notFound : problem).parse(JSON.parse(body));
  }
});

test("sim: ark: shapes: amounts are written in whole satoshis", () => {
  for (const { body } of seen) assert.ok(!/_sat":-?[0-9]*[.eE]/.test(body), body);
  const value: Value = { a_sat: { numeral: "2100000000000000" } };
  assert.equal(write(value), "{\"a_sat\":2100000000000000}");
});
