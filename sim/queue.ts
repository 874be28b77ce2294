/**
 * The event queue of a world: what happens next, in virtual time.
 *
 * Rule 1: instants are whole microseconds of true time, which no node sees.
 * Rule 2: ties are broken by a number drawn when an item is put in, then by the order of putting
 * in: the same seed gives the same order, another seed may give another.
 * Rule 3: a heap in columns, four below each: what is compared lies side by side in memory, and no
 * item has a record of its own.
 * Not known here: what items mean.
 * @module
 */
import { assert } from "../core/assert.ts";
import { u32, type Prng } from "../core/prng.ts";

export type Queue<T> = {
  readonly items: T[];
  /** Of each item in the heap; as long as there is room. */
  atUs: Float64Array;
  tie: Uint32Array;
  seq: Float64Array;
  readonly ties: Prng;
  /** Items that were ever put in. */
  pushed: number;
};

const roomMin = 64;

/** An empty queue whose ties are drawn from `ties`. */
export function create<T>(ties: Prng): Queue<T> {
  return {
    items: [], atUs: new Float64Array(roomMin), tie: new Uint32Array(roomMin),
    seq: new Float64Array(roomMin), ties, pushed: 0,
  };
}

/** Puts an item in, due at `atUs`. */
export function push<T>(q: Queue<T>, atUs: number, item: T): void {
  const tie = u32(q.ties);
  q.pushed += 1;
  let at = q.items.length;
  if (at === q.atUs.length) grow(q);
  q.items.push(item);
  while (at > 0) {
    const up = (at - 1) >> 2;
    const aboveUs = q.atUs[up] as number;
    // What is put in last comes last of equals.
    if (atUs > aboveUs || (atUs === aboveUs && tie >= (q.tie[up] as number))) break;
    move(q, up, at);
    at = up;
  }
  put(q, at, atUs, tie, q.pushed, item);
}

/** When the next item is due; `undefined` when there is none. */
export function nextAt<T>(q: Queue<T>): number | undefined {
  return q.items.length === 0 ? undefined : q.atUs[0];
}

/** Takes the next item out; `nextAt` tells its instant. Asserts that there is one. */
export function pop<T>(q: Queue<T>): T {
  const { items } = q;
  const top = items[0];
  assert(top !== undefined, "an empty queue was popped");
  const last = items.pop() as T;
  if (items.length > 0) sink(q, last);
  return top;
}

function grow<T>(q: Queue<T>): void {
  const { atUs, tie, seq } = q;
  q.atUs = new Float64Array(2 * atUs.length);
  q.atUs.set(atUs);
  q.tie = new Uint32Array(2 * atUs.length);
  q.tie.set(tie);
  q.seq = new Float64Array(2 * atUs.length);
  q.seq.set(seq);
}

function put<T>(
  q: Queue<T>, at: number, atUs: number, tie: number, seq: number, item: T,
): void {
  q.atUs[at] = atUs;
  q.tie[at] = tie;
  q.seq[at] = seq;
  q.items[at] = item;
}

function move<T>(q: Queue<T>, from: number, to: number): void {
  q.atUs[to] = q.atUs[from] as number;
  q.tie[to] = q.tie[from] as number;
  q.seq[to] = q.seq[from] as number;
  q.items[to] = q.items[from] as T;
}

/** The last item, whose keys still stand behind the heap, finds its place from the top. */
function sink<T>(q: Queue<T>, item: T): void {
  const count = q.items.length;
  const atUs = q.atUs[count] as number;
  const tie = q.tie[count] as number;
  const seq = q.seq[count] as number;
  let at = 0;
  for (;;) {
    const first = 4 * at + 1;
    if (first >= count) break;
    const end = first + 4 < count ? first + 4 : count;
    let down = first;
    for (let i = first + 1; i < end; i += 1) if (isBefore(q, i, down)) down = i;
    const belowUs = q.atUs[down] as number;
    if (belowUs > atUs || (belowUs === atUs && !isTied(q, down, tie, seq))) break;
    move(q, down, at);
    at = down;
  }
  put(q, at, atUs, tie, seq, item);
}

function isBefore<T>(q: Queue<T>, a: number, b: number): boolean {
  const oneUs = q.atUs[a] as number;
  const otherUs = q.atUs[b] as number;
  if (oneUs !== otherUs) return oneUs < otherUs;
  return isTied(q, a, q.tie[b] as number, q.seq[b] as number);
}

/** Of two at one instant: does the item at `at` come before that of `tie` and `seq`? */
function isTied<T>(q: Queue<T>, at: number, tie: number, seq: number): boolean {
  const own = q.tie[at] as number;
  return own === tie ? (q.seq[at] as number) < seq : own < tie;
}
