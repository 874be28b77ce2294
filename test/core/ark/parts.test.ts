import assert from "node:assert/strict";
import { test } from "node:test";
import { laneNames } from "../../../core/ark/daemon-events.ts";
import * as daemon from "../../../core/ark/daemon.ts";
import * as parts from "../../../core/ark/parts.ts";
import { defaults, source } from "../../../core/ark/policy.ts";
import { key } from "../../../core/prng.ts";
import { mono, NEVER } from "../../../core/time.ts";

test("ark parts: nothing is due before the start; every lane has its name", () => {
  for (const policy of [defaults, source]) {
    const d = parts.create(policy, key("parts"), mono(0));
    assert.equal(parts.deadline(d), NEVER);
    const lanes = laneNames.map((name) => parts.laneOf(d, name));
    assert.equal(new Set(lanes).size, laneNames.length);
  }
});

test("ark parts: no two machines draw from one stream; the soonest of them is due", () => {
  const d = parts.create(defaults, key("parts"), mono(0));
  daemon.step(d, { type: "started", hasRounds: true, hasMailbox: true }, mono(0), []);
  const firsts = [d.probe.askAt, d.mailbox.readAt, parts.deadline(d)];
  assert.equal(parts.deadline(d), Math.min(...firsts));
  const states = [
    d.probe.jitter, d.rounds.stream.jitter, d.mailbox.jitter, d.mailbox.stream.jitter,
    d.sync.jitter, d.exits.rota.jitter,
  ].map((p) => JSON.stringify(p));
  assert.equal(new Set(states).size, states.length);
});
