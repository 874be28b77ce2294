import assert from "node:assert/strict";
import test from "node:test";
import { secret } from "../../core/secret.ts";
import * as diff from "../../sim/diff.ts";
import type { Recording, StepRecord } from "../../sim/recording.ts";
import { outcome, scenario } from "../support/planted.ts";

function record(at: number, node: number, says: string): StepRecord {
  return {
    atUs: at * 1_000_000, node, event: "conn.received", life: 0, says, effects: ["conn.send"],
  };
}

function recording(steps: readonly StepRecord[]): Recording {
  const s = scenario("diff", 2);
  return { scenario: s, outcome: outcome(s), steps, messages: [], lives: [], bands: [], flags: [] };
}

test("diff: recordings: the first different step, with what came before, in 80 columns", () => {
  const same = [1, 2, 3, 4, 5, 6, 7].map((at) => record(at, 1, `PUBMSG ${at}`));
  const a = recording([...same, record(8, 1, "PING"), record(9, 0, "PONG")]);
  const b = recording([...same, record(8, 2, "an entirely different long line about PING")]);
  const found = diff.recordings(a, b);
  assert.ok(!found.isSame);
  assert.equal(found.at, 7);
  assert.equal(found.before.length, 5);
  assert.equal(found.a[0], "00:08 maker1 conn.received PING -> conn.send");
  const lines = diff.diffText(found, { a: "minimal", b: "passing" }, 80);
  assert.ok(lines.every((line) => line.length <= 80));
  assert.match(lines.join("\n"), /^equal for 7 steps; the first different one is step 7\n/);
  assert.ok(lines.some((line) => line.includes(" | ")));
});

test("diff: recordings: equal ones are the same, and a shorter one is over", () => {
  const steps = [record(1, 0, "a"), record(2, 0, "b")];
  assert.ok(diff.recordings(recording(steps), recording(steps)).isSame);
  const found = diff.recordings(recording(steps), recording(steps.slice(0, 1)));
  assert.ok(!found.isSame);
  assert.equal(found.at, 1);
  assert.deepEqual(found.b, []);
  assert.match(diff.diffText(found, { a: "a", b: "b" }, 80).join("\n"), /\(over\)/);
});

test("diff: traces: headers may differ, steps may not, and secrets are named", () => {
  const a = [`{"trace":1}\n`, `{"i":0,"e":{"secret":"12"}}\n`, `{"i":1,"h":"aa"}\n`];
  const b = [`{"trace":1,"v":2}`, `{"i":0,"e":{"secret":"12"}}`, `{"i":1,"h":"bb"}`];
  const found = diff.traces(a, b);
  assert.ok(!found.isSame);
  assert.equal(found.at, 1);
  assert.deepEqual(found.notes, [
    "the headers differ", "a secret came before: the difference may be derived from it",
  ]);
  assert.ok(diff.traces(a, a.map((line) => line.trimEnd())).isSame);
});

test("diff: states: changed, added and missing fields by path; a secret shows its length", () => {
  const one = {
    peers: new Map([[3, { nick: "J5a", seen: new Set([1]) }]]), key: secret(Uint8Array.of(1, 2)),
    bytes: Uint8Array.of(255), queue: [] as number[], at: 5n,
  };
  const other = {
    peers: new Map([[3, { nick: "J5b", seen: new Set([1, 2]) }]]),
    key: secret(Uint8Array.of(9, 9)), bytes: Uint8Array.of(255), queue: [7], at: 5n,
  };
  assert.deepEqual(diff.states(one, other), [
    { path: "peers.3.nick", a: `"J5a"`, b: `"J5b"` },
    { path: "peers.3.seen.2", a: "-", b: "true" },
    { path: "queue", a: "[]", b: "-" },
    { path: "queue.0", a: "-", b: "7" },
  ]);
  assert.ok(!diff.stateLines(one).join("\n").includes("0102"));
  assert.deepEqual(diff.states(one, one), []);
});
