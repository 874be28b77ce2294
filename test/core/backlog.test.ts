import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as backlog from "../../core/backlog.ts";
import { ascii, text } from "../../core/bytes.ts";

const batchOf = (said: string): backlog.Batch => ({ bytes: ascii(said), refs: 0 });
const textOf = (entries: readonly backlog.Entry[]) => entries.map(({ bytes }) => text(bytes));

/** Counts anew what the queues hold: each batch once, each entry that points into it. */
function recount(queues: readonly backlog.Backlog[], known: Iterable<backlog.Batch>): number {
  const refs = new Map<backlog.Batch, number>();
  for (const { batch, bytes } of queues.flat()) {
    assert.equal(bytes.buffer, batch.bytes.buffer);
    refs.set(batch, (refs.get(batch) ?? 0) + 1);
  }
  for (const batch of known) assert.equal(batch.refs, refs.get(batch) ?? 0);
  for (const [batch, count] of refs) assert.equal(batch.refs, count);
  return [...refs.keys()].reduce((sum, { bytes }) => sum + bytes.length, 0);
}

const sharesOf = (queue: backlog.Backlog) => queue.map(({ shared }) => shared);

test("backlog: put: a whole batch is shared, however short, and counted once", () => {
  const ledger = { totalBytes: 0 };
  const batch = batchOf("line");
  const queues: backlog.Backlog[] = [[], [], []];
  for (const queue of queues) assert.equal(backlog.put(ledger, queue, batch, [batch.bytes]), 0);
  assert.deepEqual([ledger.totalBytes, batch.refs], [4, 3]);
  for (const queue of queues) {
    assert.deepEqual(sharesOf(queue), [true]);
    assert.equal(queue[0]?.bytes, batch.bytes);
  }
});

test("backlog: put: a part of 4,096 bytes is shared, one of 4,095 is copied", () => {
  const ledger = { totalBytes: 0 };
  const batch = batchOf("x".repeat(9_000));
  const queue: backlog.Backlog = [];
  assert.equal(backlog.put(ledger, queue, batch, [batch.bytes.subarray(1, 4_097)]), 0);
  assert.deepEqual([ledger.totalBytes, batch.refs], [9_000, 1]);
  assert.equal(backlog.put(ledger, queue, batch, [batch.bytes.subarray(1, 4_096)]), 4_095);
  assert.deepEqual([ledger.totalBytes, batch.refs], [9_000 + 4_095, 1]);
  assert.deepEqual(sharesOf(queue), [true, false]);
  assert.notEqual(queue[1]?.bytes.buffer, batch.bytes.buffer);
});

test("backlog: put: what comes from elsewhere is copied, whatever its length", () => {
  const ledger = { totalBytes: 0 };
  const batch = batchOf("x".repeat(5_000));
  const received = new Uint8Array(50_000);
  const queue: backlog.Backlog = [];
  assert.equal(backlog.put(ledger, queue, batch, [received.subarray(0, 5_000)]), 5_000);
  assert.deepEqual([ledger.totalBytes, batch.refs], [5_000, 0]);
  assert.equal(queue[0]?.bytes.buffer.byteLength, 5_000);
});

test("backlog: put: short neighbours become one copy, in order between what is shared", () => {
  const ledger = { totalBytes: 0 };
  const [p, q] = ["p".repeat(4_096), "q".repeat(5_000)];
  const batch = batchOf(`${p}s${q}t`);
  const parts = [
    ascii("a"), ascii("b"), batch.bytes.subarray(0, 4_096), batch.bytes.subarray(4_096, 4_097),
    ascii("c"), batch.bytes.subarray(4_097, 9_097), batch.bytes.subarray(9_097),
  ];
  const queue: backlog.Backlog = [];
  assert.equal(backlog.put(ledger, queue, batch, parts), 5);
  assert.deepEqual(textOf(queue), ["ab", p, "sc", q, "t"]);
  assert.deepEqual(sharesOf(queue), [false, true, false, true, false]);
  assert.deepEqual([ledger.totalBytes, batch.refs], [9_098 + 5, 2]);
  assert.equal(backlog.put(ledger, queue, batch, []), 0);
  assert.equal(queue.length, 5);
});

test("backlog: take: whole entries from the front, until there is enough", () => {
  const ledger = { totalBytes: 0 };
  const queue: backlog.Backlog = [];
  for (const said of ["one", "two", "three"]) {
    backlog.put(ledger, queue, batchOf(""), [ascii(said)]);
  }
  assert.deepEqual(textOf(backlog.take(ledger, queue, 0)), []);
  assert.deepEqual(textOf(backlog.take(ledger, queue, 3)), ["one"]);
  assert.deepEqual([ledger.totalBytes, queue.length], [8, 2]);
  assert.deepEqual(textOf(backlog.take(ledger, queue, 4)), ["two", "three"]);
  assert.deepEqual([ledger.totalBytes, queue.length], [0, 0]);
  assert.deepEqual(backlog.take(ledger, queue, 1), []);
});

test("backlog: discard: the last queue that gives up a batch frees it", () => {
  const ledger = { totalBytes: 0 };
  const batch = batchOf("line");
  const queues: backlog.Backlog[] = [[], []];
  for (const queue of queues) backlog.put(ledger, queue, batch, [batch.bytes, ascii("own")]);
  assert.equal(ledger.totalBytes, 10);
  backlog.discard(ledger, queues[0] as backlog.Backlog);
  assert.deepEqual([ledger.totalBytes, batch.refs], [7, 1]);
  backlog.discard(ledger, queues[0] as backlog.Backlog);
  backlog.discard(ledger, queues[1] as backlog.Backlog);
  assert.deepEqual([ledger.totalBytes, batch.refs, queues], [0, 0, [[], []]]);
});

test("backlog: discard: a batch that is free may be held anew", () => {
  const ledger = { totalBytes: 0 };
  const batch = batchOf("line");
  const queue: backlog.Backlog = [];
  backlog.put(ledger, queue, batch, [batch.bytes]);
  backlog.discard(ledger, queue);
  backlog.put(ledger, queue, batch, [batch.bytes]);
  assert.deepEqual([ledger.totalBytes, batch.refs], [4, 1]);
});

test("backlog: join: the parts in order, in an array of their own", () => {
  const part = ascii("one ");
  const joined = backlog.join([part, ascii("two")]);
  assert.equal(text(joined), "one two");
  part.fill(0);
  assert.equal(text(joined), "one two");
  assert.equal(backlog.join([part]).buffer === part.buffer, false);
  assert.equal(backlog.join([]).length, 0);
});

/** A window: cuts of the batch (or other bytes) for one of three queues. */
type Act =
  | { readonly type: "window"; readonly size: number }
  | { readonly type: "put"; readonly queue: number; readonly cuts: readonly Cut[] }
  | { readonly type: "take"; readonly queue: number; readonly bytesMin: number }
  | { readonly type: "discard"; readonly queue: number };
type Cut = { readonly from: number; readonly to: number; readonly isOwn: boolean };

const queue = fc.nat(2);
const place = fc.nat(12_000);
const cut = fc.tuple(place, place, fc.boolean())
  .map(([a, b, isOwn]) => ({ from: Math.min(a, b), to: Math.max(a, b), isOwn }));
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 2, arbitrary: fc.record({
    type: fc.constant("window" as const), size: fc.integer({ min: 1, max: 12_000 }),
  }) },
  { weight: 5, arbitrary: fc.record({
    type: fc.constant("put" as const), queue, cuts: fc.array(cut, { maxLength: 4 }),
  }) },
  { weight: 3, arbitrary: fc.record({
    type: fc.constant("take" as const), queue, bytesMin: fc.nat(20_000),
  }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("discard" as const), queue }) },
);

/** Three queues beside three plain lists of bytes, of which each remembers what it must give. */
class Twins {
  readonly ledger = { totalBytes: 0 };
  readonly queues: backlog.Backlog[] = [[], [], []];
  readonly owed: string[] = ["", "", ""];
  readonly own = [0, 0, 0];
  readonly batches: backlog.Batch[] = [batchOf("first")];

  act(one: Act): void {
    switch (one.type) {
      case "window": return this.window(one.size);
      case "put": return this.put(one.queue, one.cuts);
      case "take": return this.take(one.queue, one.bytesMin);
      case "discard":
        backlog.discard(this.ledger, this.queueOf(one.queue));
        this.owed[one.queue] = "";
        this.own[one.queue] = 0;
        return;
      default: assert.fail();
    }
  }

  queueOf(n: number): backlog.Backlog {
    return this.queues[n] as backlog.Backlog;
  }

  window(size: number): void {
    const mark = String.fromCharCode(97 + (this.batches.length % 26));
    this.batches.push(batchOf(mark.repeat(size)));
  }

  put(n: number, cuts: readonly Cut[]): void {
    const batch = this.batches.at(-1) as backlog.Batch;
    const parts = cuts.map(({ from, to, isOwn }) =>
      isOwn ? ascii("0".repeat(to - from)) : batch.bytes.subarray(from, to))
      .filter((part) => part.length > 0);
    const own = backlog.put(this.ledger, this.queueOf(n), batch, parts);
    this.owed[n] += parts.map((part) => text(part)).join("");
    this.own[n] = (this.own[n] as number) + own;
    const isLong = (part: Uint8Array) => part.buffer === batch.bytes.buffer
      && (part.length >= 4_096 || part.length === batch.bytes.length);
    const copied = parts.filter((part) => !isLong(part));
    assert.equal(own, copied.reduce((sum, part) => sum + part.length, 0));
  }

  take(n: number, bytesMin: number): void {
    const taken = backlog.take(this.ledger, this.queueOf(n), bytesMin);
    const said = textOf(taken).join("");
    const owed = this.owed[n] as string;
    assert.ok(owed.startsWith(said), "taken out of order");
    assert.ok(said.length >= bytesMin || said === owed, "taken too little");
    const last = taken.at(-1)?.bytes.length ?? 0;
    assert.ok(taken.length === 0 || said.length - last < bytesMin, "taken too much");
    this.owed[n] = owed.slice(said.length);
    for (const { shared, bytes } of taken) {
      if (!shared) this.own[n] = (this.own[n] as number) - bytes.length;
    }
  }

  holds(): void {
    assert.equal(this.ledger.totalBytes, recount(this.queues, this.batches));
    for (const [n, entries] of this.queues.entries()) {
      assert.equal(textOf(entries).join(""), this.owed[n]);
      const own = entries.filter(({ shared }) => !shared);
      assert.equal(own.reduce((sum, { bytes }) => sum + bytes.length, 0), this.own[n]);
    }
  }
}

test("backlog: laws: each queue gives what was put, and the ledger counts what is held", () => {
  const law = fc.property(fc.array(act, { maxLength: 30, size: "max" }), (acts) => {
    const twins = new Twins();
    for (const one of acts) {
      twins.act(one);
      twins.holds();
    }
    for (const one of [0, 1, 2]) twins.act({ type: "discard", queue: one });
    twins.holds();
    assert.equal(twins.ledger.totalBytes, 0);
  });
  fc.assert(law, { numRuns: 250 });
});
