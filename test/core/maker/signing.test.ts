/**
 * Signatures that the host gives late, or never.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as rig from "../../support/maker.ts";
import * as takers from "../../support/maker-taker.ts";
import { running, stateOf } from "../../support/maker-told.ts";

const one = rig.nameOf(0);

test("maker: signatures: one that never comes costs its replies, the next asks anew", () => {
  const r = running();
  const t = takers.taker(7);
  takers.join(r, t, one);
  r.signs = false;
  takers.publish(r, t, one, "orderbook");
  rig.pass(r, 29_990);
  assert.equal(stateOf(r).replies, 1);
  rig.pass(r, 100);
  assert.deepEqual([stateOf(r).replies, stateOf(r).signing.size], [0, 0]);
  assert.equal(stateOf(r).counts.unsigned, 1);
  r.signs = true;
  takers.publish(r, t, one, "orderbook");
  rig.pass(r, 100);
  assert.equal(takers.heard(r, t, one).length, 1);
});

test("maker: signatures: an answer that nobody waits for any more changes nothing", () => {
  const r = running();
  const t = takers.taker(7);
  takers.join(r, t, one);
  r.signMs = 31_000;
  takers.publish(r, t, one, "orderbook");
  rig.pass(r, 60_000);
  assert.equal(takers.heard(r, t, one).length, 0);
  rig.push(r, { type: "sign.given", req: 999, signature: new Uint8Array(70) });
});

test("maker: signatures: a host that never signs leaves failed handshakes and nothing else", () => {
  const r = rig.start({ before: (it) => void (it.signs = false) });
  rig.pass(r, 3_600_000);
  assert.equal(r.kernel.state.pool.slots[0]!.link.at.phase === "up", false);
  assert.ok(stateOf(r).signing.size <= 1);
});
