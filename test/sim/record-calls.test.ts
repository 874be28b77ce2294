/** Questions over HTTP and their answers are messages, as lines on a connection are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { generate } from "../../sim/generate.ts";
import { record } from "../../sim/record.ts";
import type { Message, Recording } from "../../sim/recording.ts";

function short(profile: "ark" | "maker"): Recording {
  const like = generate(profile, "0x0000000000000003");
  const phases = { ...like.phases, faultyMs: 600_000, convergeMs: 0 };
  return record({ ...like, faults: [], triggers: [], phases });
}

const asked = /^(wallet[0-9] )?(GET|POST) \/[^?]*$/;

for (const profile of ["ark", "maker"] as const) {
  test(`record: calls: ${profile}: each answer goes back to who asked`, () => {
    const r = short(profile);
    const calls = r.messages.filter(({ life }) => life < 0);
    const questions = calls.filter(({ says }) => asked.test(says));
    const answers = calls.filter(({ says }) => /^[0-9]{3}$/.test(says));
    assert.ok(questions.length >= 20 && answers.length >= 20, `${calls.length} calls`);
    assert.equal(questions.length + answers.length, calls.length);
    const pairs = (list: readonly Message[], back: boolean): readonly string[] => (
      [...new Set(list.map(({ from, to }) => (back ? `${to} ${from}` : `${from} ${to}`)))].sort()
    );
    assert.deepEqual(pairs(answers, true), pairs(questions, false));
    for (const { from, to, sentUs, sentStep, gotUs, gotStep } of calls) {
      assert.ok(gotUs >= sentUs && gotStep > sentStep && from !== to);
      assert.deepEqual([r.steps[sentStep]?.node, r.steps[gotStep]?.node], [from, to]);
    }
  });
}

test("record: calls: nothing of a body or a query is shown", () => {
  const { messages, steps } = short("ark");
  assert.ok(messages.some(({ says, bytes }) => says === "200" && bytes > 2));
  const texts = [...messages.map(({ says }) => says), ...steps.flatMap(({ effects }) => effects)];
  assert.ok(texts.some((text) => /question [0-9]+ to barkd:.*: GET \/api/.test(text)));
  assert.deepEqual(texts.filter((text) => /[?{]/.test(text)), []);
});
