/**
 * The event queue of a world: what happens next, in virtual time.
 *
 * Rule 1: instants are whole microseconds of true time, which no node sees.
 * Rule 2: ties are broken by a number drawn when an item is put in, then by the order of putting
 * in: the same seed gives the same order, another seed may give another.
 * Not known here: what items mean.
 * @module
 */
import { assert } from "../core/assert.ts";
import { u32, type Prng } from "../core/prng.ts";

/** An item in the queue. `tie` and `seq` belong to the queue. */
export type Queued<T> = { readonly atUs: number; tie: number; seq: number; readonly item: T };

export type Queue<T> = {
  readonly heap: Queued<T>[];
  readonly ties: Prng;
  seq: number;
};

/** An empty queue whose ties are drawn from `ties`. */
export function create<T>(ties: Prng): Queue<T> {
  return { heap: [], ties, seq: 0 };
}

/** Puts an item in, due at `atUs`. */
export function push<T>(q: Queue<T>, atUs: number, item: T): void {
  q.seq += 1;
  const one: Queued<T> = { atUs, tie: u32(q.ties), seq: q.seq, item };
  const { heap } = q;
  let at = heap.length;
  heap.push(one);
  while (at > 0) {
    const up = (at - 1) >> 1;
    const above = heap[up] as Queued<T>;
    if (!isBefore(one, above)) break;
    heap[at] = above;
    at = up;
  }
  heap[at] = one;
}

/** When the next item is due; `undefined` when there is none. */
export function nextAt<T>(q: Queue<T>): number | undefined {
  return q.heap[0]?.atUs;
}

/** Takes the next item out. Asserts that there is one. */
export function pop<T>(q: Queue<T>): Queued<T> {
  const { heap } = q;
  const top = heap[0];
  assert(top !== undefined, "an empty queue was popped");
  const last = heap.pop() as Queued<T>;
  if (heap.length > 0) sink(heap, last);
  return top;
}

function sink<T>(heap: Queued<T>[], one: Queued<T>): void {
  const count = heap.length;
  let at = 0;
  for (;;) {
    let down = 2 * at + 1;
    if (down >= count) break;
    const right = down + 1;
    if (right < count && isBefore(heap[right] as Queued<T>, heap[down] as Queued<T>)) down = right;
    const below = heap[down] as Queued<T>;
    if (!isBefore(below, one)) break;
    heap[at] = below;
    at = down;
  }
  heap[at] = one;
}

function isBefore<T>(a: Queued<T>, b: Queued<T>): boolean {
  if (a.atUs !== b.atUs) return a.atUs < b.atUs;
  if (a.tie !== b.tie) return a.tie < b.tie;
  return a.seq < b.seq;
}
