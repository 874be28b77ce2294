import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as prng from "../../core/prng.ts";
import * as queue from "../../sim/queue.ts";

function empty(seed = "queue"): queue.Queue<number> {
  return queue.create(prng.stream(prng.key(seed), "ties"));
}

function drained(q: queue.Queue<number>): [number, number][] {
  const out: [number, number][] = [];
  for (;;) {
    const atUs = queue.nextAt(q);
    if (atUs === undefined) return out;
    out.push([atUs, queue.pop(q)]);
  }
}

test("sim: queue: comes out by time, whatever the order of putting in", () => {
  fc.assert(fc.property(fc.array(fc.nat(50), { maxLength: 200, size: "max" }), (times) => {
    const q = empty();
    for (const [i, atUs] of times.entries()) queue.push(q, atUs, i);
    const out = drained(q);
    assert.deepEqual(out.map(([atUs]) => atUs), [...times].sort((a, b) => a - b));
    assert.equal(new Set(out.map(([, item]) => item)).size, times.length);
    for (const [atUs, item] of out) assert.equal(times[item], atUs);
  }));
});

test("sim: queue: like a sorted list, when putting in and taking out alternate", () => {
  const ops = fc.array(fc.oneof(fc.nat(20), fc.constant(-1)), { maxLength: 200, size: "max" });
  fc.assert(fc.property(ops, (all) => {
    const q = empty();
    let list: number[] = [];
    for (const op of all) {
      if (op >= 0) {
        queue.push(q, op, op);
        list.push(op);
        list = list.sort((a, b) => a - b);
      } else if (list.length > 0) {
        assert.equal(queue.pop(q), list.shift());
      }
      assert.equal(queue.nextAt(q), list[0]);
    }
  }));
});

test("sim: queue: ties are drawn: the same seed the same order, another seed another", () => {
  const order = (seed: string): number[] => {
    const q = empty(seed);
    for (let i = 0; i < 30; i += 1) queue.push(q, 5, i);
    return drained(q).map(([, item]) => item);
  };
  assert.deepEqual(order("a"), order("a"));
  assert.notDeepEqual(order("a"), order("b"));
  assert.notDeepEqual(order("a"), order("a").sort((a, b) => a - b));
});

test("sim: queue: of two at once each is first for about half of the seeds", () => {
  let first = 0;
  for (let seed = 0; seed < 400; seed += 1) {
    const q = empty(`tie ${seed}`);
    queue.push(q, 1, 0);
    queue.push(q, 1, 1);
    if (queue.pop(q) === 0) first += 1;
  }
  assert.ok(first > 150, `${first} of 400`);
  assert.ok(first < 250, `${first} of 400`);
});

test("sim: queue: equal draws keep the order of putting in", () => {
  const ties = prng.stream(prng.key("same"));
  const q: queue.Queue<number> = queue.create({ ...ties });
  for (let i = 0; i < 20; i += 1) {
    Object.assign(q.ties, ties);
    queue.push(q, 3, i);
  }
  assert.deepEqual(drained(q).map(([, item]) => item), Array.from({ length: 20 }, (_, i) => i));
});

test("sim: queue: an empty one has no next, and is not popped", () => {
  const q = empty();
  assert.equal(queue.nextAt(q), undefined);
  assert.throws(() => queue.pop(q), /empty/);
  queue.push(q, 7, 1);
  assert.equal(queue.nextAt(q), 7);
  queue.pop(q);
  assert.throws(() => queue.pop(q), /empty/);
});
