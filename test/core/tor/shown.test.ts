import assert from "node:assert/strict";
import { test } from "node:test";
import * as prng from "../../../core/prng.ts";
import { mono } from "../../../core/time.ts";
import * as onion from "../../../core/tor/onion.ts";
import { names, none, shown, trouble } from "../../../core/tor/shown.ts";
import { primitives } from "../../support/primitives.ts";
import { hostOf } from "../../support/tor.ts";

const host = hostOf(new Uint8Array(32).fill(4));

function machine(managed: "control" | "torrc"): onion.Onion {
  const m = onion.create({ ...onion.defaults, managed }, prng.key("shown"), mono(0));
  onion.step(m, { type: "started" }, mono(0), primitives, []);
  return m;
}

test("tor: shown: plain JSON, with null for what is not known", () => {
  const m = machine("control");
  for (const one of [none, shown(m, mono(7))]) {
    assert.deepEqual(JSON.parse(JSON.stringify(one)), one);
  }
  assert.deepEqual(Object.keys(shown(m, mono(7))).sort(), Object.keys(none).sort());
  const { state, sinceMs, why, torVersion, reachTookMs } = shown(m, mono(7));
  assert.deepEqual([state, sinceMs, why, torVersion, reachTookMs], ["down", 7, null, null, null]);
});

test("tor: shown: down: the reason, how long, and who does what about it", () => {
  const m = machine("control");
  const early = trouble(m, "strangers wait", mono(5));
  assert.deepEqual([early?.name, early?.why, early?.sinceMs], [
    "onion-down", "the address is not served yet", 5,
  ]);
  assert.match(early?.does ?? "", /^Tor is asked again.*; until then strangers wait$/);
  onion.step(m, { type: "key.failed", req: 1, reason: "denied" }, mono(9), primitives, []);
  assert.match(trouble(m, "", mono(9))?.why ?? "", /may not be read/);
  m.progress = 40;
  m.standing.fault = undefined;
  assert.match(trouble(m, "", mono(9))?.why ?? "", /Tor is starting, 40 %/);
});

test("tor: shown: a service of torrc is read about, and visits that fail are told", () => {
  const m = machine("torrc");
  assert.match(trouble(m, "they wait", mono(1))?.does ?? "", /^the file .*until then they wait$/);
  onion.step(m, { type: "hostname.given", req: 1, text: host }, mono(1), primitives, []);
  assert.equal(trouble(m, "", mono(1)), undefined);
  m.standing.reach.isReachable = false;
  m.standing.reach.failure = "timeout";
  const found = trouble(m, "they wait", mono(1));
  assert.deepEqual([found?.name, found?.sinceMs], ["onion-unreachable", null]);
  assert.match(`${found?.why}; ${found?.does}`, /failed: timeout; it is visited.*they wait$/);
  assert.deepEqual([...names], ["onion-down", "onion-unreachable"]);
});
