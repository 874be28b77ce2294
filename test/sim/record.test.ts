import assert from "node:assert/strict";
import { test } from "node:test";
import { generate } from "../../sim/generate.ts";
import { shownTypes } from "../../sim/lines.ts";
import { record } from "../../sim/record.ts";
import { ascii } from "../../core/bytes.ts";
import { types } from "../../core/joinmarket/envelope.ts";
import { small } from "../support/worlds.ts";

const recording = record(generate("chaos", "0x0000000000000007"));

test("record: every step of the run, in order, by its node", () => {
  assert.equal(recording.steps.length, recording.outcome.steps);
  let beforeUs = 0;
  for (const step of recording.steps) {
    assert.ok(step.atUs >= beforeUs);
    assert.ok(recording.scenario.nodes[step.node] !== undefined);
    beforeUs = step.atUs;
  }
});

test("record: messages fall forward, between the nodes of their life", () => {
  assert.ok(recording.messages.length > 50);
  for (const one of recording.messages) {
    const life = recording.lives[one.life];
    assert.ok(life !== undefined);
    const ends = [life.from, life.to];
    assert.ok(ends.includes(one.from) && ends.includes(one.to) && one.from !== one.to);
    if (one.gotUs >= 0) {
      assert.ok(one.gotUs >= one.sentUs);
      assert.ok(one.gotStep > one.sentStep);
      assert.equal(recording.steps[one.gotStep]?.node, one.to);
    }
    assert.equal(recording.steps[one.sentStep]?.node, one.from);
  }
});

test("record: lives: generations count up for each pair, ends follow beginnings", () => {
  const seen = new Map<string, number>();
  for (const life of recording.lives) {
    const pair = `${life.from} ${life.to}`;
    assert.equal(life.generation, (seen.get(pair) ?? 0) + 1);
    seen.set(pair, life.generation);
    if (life.fromOpenUs >= 0) assert.ok(life.fromOpenUs >= life.dialedUs);
    if (life.fromEndUs >= 0) assert.ok(life.fromEndUs >= life.dialedUs);
  }
});

test("record: bands: each fault of the plan that struck somebody", () => {
  const { outcome } = recording;
  const fired = Object.values(outcome.faults).reduce((sum, one) => sum + one.fired, 0);
  const cuts = recording.bands.filter((band) => band.id < 0).length;
  assert.equal(recording.bands.length - cuts, fired);
  for (const band of recording.bands) assert.ok(band.toUs >= band.fromUs);
});

test("record: a line that is never read is lost", () => {
  const scenario = small({
    faults: [[20_000, { kind: "halfOpen", link: ["maker0", "dir0"], way: "both", forMs: 0 }]],
    work: [{ id: 1, at: 21_000, node: "maker0", op: "chat", bytes: 20 }], faultyMs: 60_000,
  });
  const lost = record(scenario).messages.filter((one) => one.gotUs < 0 && one.says === "PUBMSG");
  assert.ok(lost.length >= 1);
});

test("record: lines: types are shown, what peers wrote is not", () => {
  const line = (type: number): string => `{"type": ${type}, "line": "secret words"}\r\n`;
  assert.equal(shownTypes(ascii(line(687) + line(687) + line(types.PING))), "PUBMSG x2, PING");
  assert.equal(shownTypes(ascii("ret words\"}\r\n")), "piece");
  assert.equal(shownTypes(ascii(line(123))), "type 123");
  assert.equal(shownTypes(new Uint8Array(0)), "");
  const many = [793, 687, 789, 795, 685, 801].map(line).join("");
  assert.match(shownTypes(ascii(many)), /and 2 more$/);
});
