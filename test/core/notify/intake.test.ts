import assert from "node:assert/strict";
import { test } from "node:test";
import * as intake from "../../../core/notify/intake.ts";
import { mono, NEVER } from "../../../core/time.ts";
import { letter } from "../../support/notices.ts";

function three(): intake.Intake {
  const m: intake.Intake = [];
  for (const token of [1, 2, 3]) {
    intake.push(m, letter({ id: token, token, isRecorded: false }), ["a"], mono(10 * token));
  }
  return m;
}

test("notify: intake: nobody leaves before those in front, whoever is recorded first", () => {
  const m = three();
  intake.settle(m, 2, true);
  assert.equal(intake.next(m, mono(0)), undefined);
  intake.settle(m, 1, true);
  assert.deepEqual([1, 2].map(() => intake.next(m, mono(0))?.letter.id), [1, 2]);
  assert.equal(intake.next(m, mono(0)), undefined);
  assert.equal(m.length, 1);
});

test("notify: intake: a letter leaves unrecorded when its record takes too long, no sooner", () => {
  const m = three();
  assert.equal(intake.deadline(m), 10);
  assert.equal(intake.next(m, mono(9)), undefined);
  assert.equal(intake.next(m, mono(10))?.letter.isRecorded, false);
  assert.equal(intake.deadline(m), 20);
});

test("notify: intake: a refused record lets the letter go, unrecorded", () => {
  const m = three();
  intake.settle(m, 1, false);
  assert.equal(intake.next(m, mono(0))?.letter.isRecorded, false);
});

test("notify: intake: one record stands for several letters, an unknown one for none", () => {
  const m: intake.Intake = [];
  assert.equal(intake.deadline(m), NEVER);
  for (const id of [1, 2]) intake.push(m, letter({ id, token: 7 }), ["a"], mono(9));
  intake.settle(m, 8, true);
  assert.equal(intake.next(m, mono(0)), undefined);
  intake.settle(m, 7, true);
  assert.deepEqual([1, 2].map(() => intake.next(m, mono(0))?.letter.id), [1, 2]);
});
