/**
 * The four laws of a machine, stated once for all of them.
 *
 * Use: describe the machine as a `Subject`, let fast-check draw a script, and hand both over.
 *
 *     const subject: Subject<M, machine.Event, machine.Effect> = {
 *       create: () => machine.create(config),
 *       step: machine.step,
 *       deadline: machine.deadline,
 *       tick: { type: "tick" },
 *       settleMs: 1_000, // driven on after the last event
 *       holds: (m) => assert.ok(m.queue.length <= queueMax), // optional, after every step
 *       lives: (run) => assert.ok(...), // law 4, without naming `deadline`
 *     };
 *     fc.assert(fc.property(scripts(eventArb, 500), (script) => void laws(subject, script)));
 *
 * What `laws` checks: a tick before the deadline changes nothing (1); after every step the deadline
 * lies ahead (2); a second run, and a clone of the state at every step, give the same effects and
 * the same state while the ambient clock and chance throw (3); `lives` holds of the whole run (4).
 * On the way events are frozen, and effects must stay as they were emitted (X1).
 *
 * Due ticks run at their own instant, and before an event of the same instant, as in the kernel.
 * An event with `paused` finds a host that slept through `afterMs`: what was due runs only at the
 * event's own instant.
 *
 * A machine of plain calls is described by an event union of the test, a `step` that makes the call
 * and pushes the answer into `out`, and `deadline: () => NEVER`.
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { mono, NEVER, type Mono } from "../../core/time.ts";

/** One event of a script, `afterMs` (zero or more) after the one before. */
export type Timed<E> = {
  readonly afterMs: number;
  readonly event: E;
  readonly paused?: boolean;
};

export type Script<E> = readonly Timed<E>[];

/** One step as it was seen from outside: the effects as they were then, and the very objects. */
export type Step<E, F> = {
  readonly at: Mono;
  readonly event: E;
  readonly effects: readonly F[];
  readonly given: readonly F[];
};

export type Run<S, E, F> = {
  readonly state: S;
  now: Mono;
  readonly steps: Step<E, F>[];
};

export type Subject<S, E, F> = {
  /** A fresh state. Called once a run, with the first instant. */
  readonly create: (now: Mono) => S;
  readonly step: (state: S, event: E, now: Mono, out: F[]) => void;
  readonly deadline: (state: S) => Mono;
  readonly tick: E;
  /** How long the run goes on after the last event. */
  readonly settleMs: number;
  /** The first instant; 0. */
  readonly startAt?: number;
  /** Must hold after every step; throws otherwise. */
  readonly holds?: (state: S, now: Mono) => void;
  /** Law 4: the bounded-liveness claim about a finished run, stated without `deadline`. */
  readonly lives: (run: Run<S, E, F>) => void;
};

/** No run of a property takes more steps; a machine that ticks in a circle ends here. */
const stepsMax = 20_000;

/** Runs `script` twice under all four laws and returns the first run. */
export function laws<S, E, F>(subject: Subject<S, E, F>, script: Script<E>): Run<S, E, F> {
  const first = play(subject, script);
  const second = play(subject, script);
  assert.deepEqual(second.steps, first.steps, "law 3: the same script gave other effects");
  assert.deepEqual(second.state, first.state, "law 3: the same script gave another state");
  subject.lives(first);
  return first;
}

/** One run of `script` under laws 1 to 3, driven `settleMs` beyond its last event. */
export function play<S, E, F>(subject: Subject<S, E, F>, script: Script<E>): Run<S, E, F> {
  const now = mono(subject.startAt ?? 0);
  const run: Run<S, E, F> = { state: poisoned(() => subject.create(now)), now, steps: [] };
  for (const timed of script) {
    const at = mono(run.now + timed.afterMs);
    if (timed.paused !== true) drive(subject, run, at);
    advance(subject, run, at);
    runDue(subject, run);
    act(subject, run, freeze(timed.event));
  }
  drive(subject, run, mono(run.now + subject.settleMs));
  for (const { given, effects } of run.steps) {
    assert.deepEqual(given, effects, "X1: an effect changed after it was emitted");
  }
  return run;
}

/** Takes a run to `until`, every tick at its own instant; one due at `until` runs. */
export function drive<S, E, F>(
  subject: Subject<S, E, F>,
  run: Run<S, E, F>,
  until: Mono,
): void {
  for (;;) {
    const dueAt = poisoned(() => subject.deadline(run.state));
    if (dueAt > until) break;
    advance(subject, run, dueAt > run.now ? dueAt : run.now);
    runDue(subject, run);
  }
  advance(subject, run, until);
}

/** Time passes. Law 1 is tried at both ends of what passes without a tick. */
function advance<S, E, F>(subject: Subject<S, E, F>, run: Run<S, E, F>, at: Mono): void {
  const dueAt = poisoned(() => subject.deadline(run.state));
  const quietUntil = dueAt === NEVER || dueAt > at ? at : mono(dueAt - 1);
  for (const early of [run.now, quietUntil]) {
    if (early >= run.now && early < dueAt) idle(subject, run, early);
  }
  run.now = at;
}

function idle<S, E, F>(subject: Subject<S, E, F>, run: Run<S, E, F>, at: Mono): void {
  const before = clone(run.state);
  const out: F[] = [];
  poisoned(() => subject.step(run.state, subject.tick, at, out));
  assert.deepEqual(out, [], `law 1: an early tick at ${at} had effects`);
  assert.deepEqual(run.state, before, `law 1: an early tick at ${at} changed the state`);
}

function runDue<S, E, F>(subject: Subject<S, E, F>, run: Run<S, E, F>): void {
  const dueAt = poisoned(() => subject.deadline(run.state));
  if (dueAt <= run.now) act(subject, run, subject.tick);
}

function act<S, E, F>(subject: Subject<S, E, F>, run: Run<S, E, F>, event: E): void {
  assert.ok(run.steps.length < stepsMax, `more than ${stepsMax} steps by ${run.now}`);
  const twin = clone(run.state);
  const effects: F[] = [];
  const twins: F[] = [];
  poisoned(() => {
    subject.step(run.state, event, run.now, effects);
    subject.step(twin, event, run.now, twins);
  });
  assert.deepEqual(twins, effects, "law 3: a clone of the state gave other effects");
  assert.deepEqual(twin, run.state, "law 3: a clone of the state became another state");
  const dueAt = poisoned(() => subject.deadline(run.state));
  assert.ok(dueAt > run.now, `law 2: a step at ${run.now} left ${dueAt} due`);
  run.steps.push({ at: run.now, event, effects: clone(effects), given: freeze(effects) });
  subject.holds?.(run.state, run.now);
}

/** Every effect of a run, in order, with its instant. */
export function effectsOf<S, E, F>(
  run: Run<S, E, F>,
): readonly { readonly at: Mono; readonly effect: F }[] {
  return run.steps.flatMap((step) => step.effects.map((effect) => ({ at: step.at, effect })));
}

/**
 * Scripts of up to `lengthMax` events; gaps up to `gapMsMax`, of which many are small or none.
 * With `pauses`, the host sleeps through some of them.
 */
export function scripts<E>(
  event: fc.Arbitrary<E>,
  gapMsMax: number,
  lengthMax = 30,
  pauses = false,
): fc.Arbitrary<Script<E>> {
  const afterMs = fc.oneof(
    fc.constant(0),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 0, max: gapMsMax }),
  );
  const paused = pauses ? fc.boolean() : fc.constant(false);
  // Without `size`, fast-check would stop at about ten events whatever `maxLength` says.
  return fc.array(fc.record({ afterMs, event, paused }), { maxLength: lengthMax, size: "max" });
}

/** Runs `body` (not async) while the ambient clocks and sources of chance throw. */
export function poisoned<T>(body: () => T): T {
  const { Date: RealDate } = globalThis;
  const { random } = Math;
  const now = performance.now;
  const getRandomValues = globalThis.crypto.getRandomValues;
  globalThis.Date = PoisonedDate;
  Math.random = () => poison("Math.random");
  performance.now = () => poison("performance.now");
  globalThis.crypto.getRandomValues = () => poison("crypto.getRandomValues");
  try {
    return body();
  } finally {
    globalThis.Date = RealDate;
    Math.random = random;
    performance.now = now;
    globalThis.crypto.getRandomValues = getRandomValues;
  }
}

function poison(name: string): never {
  throw new Error(`law 3: a machine asked ${name}`);
}

const PoisonedDate = new Proxy(Date, {
  apply: () => poison("Date"),
  construct: () => poison("Date"),
  get: (target, key) => (key === "prototype" ? target.prototype : poison(`Date.${String(key)}`)),
});

/** A deep copy of plain data: objects, arrays, `Map`, `Set`, bytes. Sharing within it is kept. */
export function clone<T>(value: T): T {
  return copy(value, new Map()) as T;
}

function copy(value: unknown, known: Map<object, unknown>): unknown {
  if (typeof value !== "object" || value === null) return value;
  const seen = known.get(value);
  if (seen !== undefined) return seen;
  if (value instanceof Uint8Array) return keep(value.slice(), value, known);
  if (Array.isArray(value)) {
    const array: unknown[] = keep([], value, known);
    for (const item of value) array.push(copy(item, known));
    return array;
  }
  if (value instanceof Map) {
    const map = keep(new Map<unknown, unknown>(), value, known);
    for (const [k, v] of value) map.set(copy(k, known), copy(v, known));
    return map;
  }
  if (value instanceof Set) {
    const set = keep(new Set<unknown>(), value, known);
    for (const item of value) set.add(copy(item, known));
    return set;
  }
  return copyRecord(value, known);
}

function copyRecord(value: object, known: Map<object, unknown>): object {
  if (ArrayBuffer.isView(value)) return keep(structuredClone(value), value, known);
  const prototype: unknown = Object.getPrototypeOf(value);
  assert.ok(prototype === Object.prototype || prototype === null, "state is not plain data");
  const record: Record<string, unknown> = keep(Object.create(prototype as object), value, known);
  for (const [k, v] of Object.entries(value)) record[k] = copy(v, known);
  return record;
}

function keep<T>(made: T, from: object, known: Map<object, unknown>): T {
  known.set(from, made);
  return made;
}

/** Freezes plain data to its leaves; bytes and collections, which cannot be, stay as they are. */
export function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value) || value instanceof Map || value instanceof Set) return value;
  if (Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const item of Object.values(value)) freeze(item);
  return value;
}
