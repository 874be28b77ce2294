import assert from "node:assert/strict";
import { test } from "node:test";
import { text } from "../../../core/bytes.ts";
import * as pending from "../../../core/history/pending.ts";
import { frameBytesMax } from "../../../core/history/record.ts";

const config: pending.Config = {
  bodyBytesMax: 10, queueRecordsMax: 4, queueBytesMax: 1_000, batchRecordsMax: 3,
  batchBytesMax: 10 + frameBytesMax,
};

function bodiesIn(bytes: Uint8Array): readonly string[] {
  return text(bytes).split("\n").slice(0, -1).map((line) => line.slice(9));
}

test("pending: bodyBytesMax: the longest body is taken, a longer one is not", () => {
  const m = pending.create(config);
  assert.equal(pending.ask(m, 1, "x".repeat(10)), undefined);
  assert.equal(pending.ask(m, 2, "x".repeat(11)), "long");
});

test("pending: queueRecordsMax: one more is refused, and nothing that was taken is dropped", () => {
  const m = pending.create(config);
  for (const token of [1, 2, 3, 4]) assert.equal(pending.ask(m, token, "x"), undefined);
  assert.equal(pending.ask(m, 5, "x"), "behind");
  assert.deepEqual(m.queue.map((one) => one.token), [1, 2, 3, 4]);
});

test("pending: queueBytesMax: counts the largest frame of each", () => {
  const queueBytesMax = 2 * (10 + frameBytesMax);
  const m = pending.create({ ...config, queueBytesMax });
  assert.equal(pending.ask(m, 1, "x".repeat(10)), undefined);
  assert.equal(pending.ask(m, 2, "x".repeat(10)), undefined);
  assert.equal(m.queueBytes, queueBytesMax);
  assert.equal(pending.ask(m, 3, ""), "behind");
});

test("pending: batchRecordsMax and batchBytesMax: a write ends at the first bound", () => {
  const wide = pending.create({ ...config, batchBytesMax: 10_000 });
  for (const token of [1, 2, 3, 4]) pending.ask(wide, token, `n${token}`);
  assert.deepEqual(bodiesIn(pending.batch(wide, 7)), ["8 7 2 n1", "9 7 2 n2", "10 7 2 n3"]);
  const narrow = pending.create(config);
  for (const token of [1, 2]) pending.ask(narrow, token, `n${token}`);
  assert.equal(bodiesIn(pending.batch(narrow, 0)).length, 1);
});

test("pending: a write that failed is made again, with what was asked since", () => {
  const m = pending.create({ ...config, batchBytesMax: 10_000 });
  pending.ask(m, 1, "a");
  const first = pending.batch(m, 0);
  pending.ask(m, 2, "b");
  const second = pending.batch(m, 0);
  assert.deepEqual(bodiesIn(second).slice(0, 1), bodiesIn(first));
  assert.equal(m.writing, 2);
  assert.deepEqual(pending.take(m).map((one) => one.token), [1, 2]);
  assert.deepEqual([m.queue.length, m.queueBytes, m.writing, m.writingBytes], [0, 0, 0, 0]);
  assert.deepEqual(pending.take(m), []);
});

test("pending: giveUp: everything is handed out and nothing is left", () => {
  const m = pending.create(config);
  pending.ask(m, 1, "a");
  pending.ask(m, 2, "b");
  pending.batch(m, 0);
  assert.deepEqual(pending.giveUp(m).map((one) => one.token), [1, 2]);
  assert.deepEqual([m.queue.length, m.queueBytes, m.writing, m.writingBytes], [0, 0, 0, 0]);
});

test("pending: create: bounds that cannot hold a record are a bug", () => {
  const broken: readonly Partial<pending.Config>[] = [
    { bodyBytesMax: 0 }, { bodyBytesMax: 2_000_000 }, { batchBytesMax: 20 }, { batchRecordsMax: 0 },
    { queueBytesMax: 20 }, { queueRecordsMax: 0 },
  ];
  for (const one of broken) assert.throws(() => pending.create({ ...config, ...one }));
  pending.create(pending.defaults);
});

test("pending: a body that no file may hold is a bug of the caller", () => {
  assert.throws(() => pending.ask(pending.create(config), 1, "a\nb"), /printable/);
});
