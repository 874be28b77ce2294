import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../core/assert.ts";
import { ascii, text } from "../../core/bytes.ts";
import { defaults } from "../../core/directory/config.ts";
import type { ConnId } from "../../core/ids.ts";
import * as outbox from "../../core/outbox.ts";
import { mono, NEVER, type Mono } from "../../core/time.ts";
import { laws, scripts, type Step, type Subject } from "../support/laws.ts";

type M = outbox.Outbox;
type On = { readonly conn: ConnId };
type Line = { readonly line: string };
type Event =
  | On & { readonly type: "opened" | "joined" | "congested" | "drained" | "closed" }
  | On & Line & { readonly type: "send" | "broadcast" | "last" }
  | { readonly type: "tick" };

const small: outbox.OutboxConfig = {
  bytesMax: 64, bytesTotalMax: 100, flushMs: 10, flushBytes: 48, congestedMsMax: 50,
};
const id = (n: number) => n as ConnId;

/** `broadcast` from a connection that is not there is a line of the node's own: no sender. */
function step(m: M, event: Event, now: Mono, out: outbox.Effect[]): void {
  if (event.type === "tick") return outbox.tick(m, now, out);
  const box = m.boxes.get(event.conn);
  if (event.type === "broadcast") return outbox.broadcast(m, ascii(event.line), box, now, out);
  if (event.type === "opened" && box === undefined) return void outbox.opened(m, event.conn);
  if (box === undefined) return;
  switch (event.type) {
    case "opened": return;
    case "joined": return box.member ? undefined : outbox.joined(m, box);
    case "send": return outbox.send(m, box, ascii(event.line), now, out);
    case "congested": return outbox.congested(m, box, now);
    case "drained": return outbox.drained(m, box, now);
    case "last": return outbox.last(m, box, ascii(event.line), out);
    case "closed": return outbox.closed(m, box);
    default: assert.fail();
  }
}

/** A connection as the model sees it: the lines that it has yet to get. */
type Reader = {
  member: boolean;
  congestedAt: number | undefined;
  drainedAt: number;
  owed: { readonly line: string; readonly at: number }[];
};

const bytesOf = (reader: Reader): number =>
  reader.owed.reduce((sum, { line }) => sum + line.length, 0);

/** Plain lists of lines: what each connection must get, in order, whatever the windows are. */
class Model {
  readonly readers = new Map<ConnId, Reader>();
  readonly isPunctual: boolean;

  constructor(isPunctual: boolean) {
    this.isPunctual = isPunctual;
  }

  /** One step: what it was told, then each thing that it did. */
  take({ at, event, effects }: Step<Event, outbox.Effect>): void {
    this.told(event, at);
    const written = new Set<ConnId>();
    for (const effect of effects) {
      const { conn } = effect;
      assert.ok(!written.has(conn), "two writes to one connection in one flush");
      written.add(conn);
      const reader = this.readers.get(conn);
      assert.ok(reader !== undefined, `an effect for ${conn}, which is not there`);
      if (effect.type === "overflow") this.ended(conn, reader, effect.reason, at);
      else this.wrote(reader, text(effect.bytes), at, event.type === "last");
    }
    if (event.type !== "last" && event.type !== "closed") return;
    const owed = event.type === "last" ? this.readers.get(event.conn)?.owed : undefined;
    assert.deepEqual(owed ?? [], [], "a last word left something unsaid");
    this.readers.delete(event.conn);
  }

  told(event: Event, at: number): void {
    if (event.type === "tick") return;
    if (event.type === "broadcast") {
      for (const [conn, reader] of this.readers) {
        if (reader.member && conn !== event.conn) reader.owed.push({ line: event.line, at });
      }
      return;
    }
    const reader = this.readers.get(event.conn);
    if (event.type === "opened" && reader === undefined) {
      const fresh = { member: false, congestedAt: undefined, drainedAt: 0, owed: [] };
      this.readers.set(event.conn, fresh);
    }
    if (reader === undefined) return;
    if (event.type === "joined") reader.member = true;
    if (event.type === "send" || event.type === "last") reader.owed.push({ line: event.line, at });
    if (event.type === "congested") reader.congestedAt ??= at;
    if (event.type === "drained" && reader.congestedAt !== undefined) {
      reader.congestedAt = undefined;
      reader.drainedAt = at;
    }
  }

  /** Whole lines, from the front of what is owed, not to a reader that is behind, and in time. */
  wrote(reader: Reader, bytes: string, at: number, isLast: boolean): void {
    if (!isLast) assert.equal(reader.congestedAt, undefined, "written while congested");
    assert.ok(bytes.length > 0, "an empty write");
    for (let rest = bytes; rest !== "";) {
      const next = reader.owed.shift();
      assert.ok(next !== undefined, `written but not owed: ${rest}`);
      assert.ok(rest.startsWith(next.line), `wrote ${rest} where ${next.line} was next`);
      rest = rest.slice(next.line.length);
      if (isLast || !this.isPunctual) continue;
      const since = Math.max(next.at, reader.drainedAt);
      assert.ok(at - since <= small.flushMs, `a line took ${at - since} ms`);
    }
  }

  ended(conn: ConnId, reader: Reader, reason: outbox.Overflow, at: number): void {
    switch (reason) {
      case "outbox-full":
        assert.ok(bytesOf(reader) > small.bytesMax, "ended though it all fits");
        break;
      case "outbox-total": {
        const all = [...this.readers.values()].reduce((sum, r) => sum + bytesOf(r), 0);
        assert.ok(all > small.bytesTotalMax, "ended though everything fits");
        assert.ok(reader.owed.length > 0, "ended though it holds nothing");
        break;
      }
      case "slow-reader": {
        assert.ok(reader.congestedAt !== undefined, "a slow reader that reads");
        const behindMs = at - reader.congestedAt;
        if (this.isPunctual) assert.equal(behindMs, small.congestedMsMax);
        else assert.ok(behindMs >= small.congestedMsMax);
        break;
      }
      default: assert.fail();
    }
    this.readers.delete(conn);
  }
}

/** Every byte is accounted for, once if it is shared, and no bound is exceeded. */
function holds(m: M): void {
  const refs = new Map<object, number>();
  let pieces = 0;
  let total = 0;
  for (const [conn, box] of m.boxes) {
    const queue = box.queue ?? [];
    assert.ok(box.live && box.conn === conn);
    assert.ok(box.queue === undefined || queue.length > 0);
    assert.equal(box.queuedBytes, queue.reduce((sum, batch) => sum + batch.bytes.length, 0));
    assert.ok(box.queuedBytes <= m.config.bytesMax);
    assert.equal(m.stuck.due.has(conn), box.congested);
    assert.equal(m.members.has(box), box.member);
    if (box.congested || box.queue !== undefined) assert.equal(outbox.hasRoom(m, box), false);
    if (!box.congested && box.queue !== undefined) assert.ok(m.touched.has(box));
    pieces += box.pieceBytes;
    for (const batch of queue) {
      if (!refs.has(batch)) total += batch.bytes.length;
      refs.set(batch, (refs.get(batch) ?? 0) + 1);
      assert.ok(batch.refs > 0);
    }
    for (const batch of queue) assert.ok(batch.refs >= (refs.get(batch) as number));
  }
  for (const [batch, count] of refs) assert.equal((batch as { refs: number }).refs, count);
  assert.equal(m.totalBytes, total);
  assert.ok(m.totalBytes <= m.config.bytesTotalMax);
  assert.equal(m.pieceBytes, pieces);
  assert.ok((m.logEnds.at(-1) ?? 0) < m.config.flushBytes);
  for (const box of m.touched) assert.equal(m.boxes.get(box.conn), box);
}

function subject(isPunctual: boolean): Subject<M, Event, outbox.Effect> {
  return {
    create: () => outbox.create(small),
    step,
    deadline: outbox.deadline,
    tick: { type: "tick" },
    settleMs: 200,
    holds,
    lives: (run) => {
      const model = new Model(isPunctual);
      for (const one of run.steps) model.take(one);
      for (const [conn, reader] of model.readers) {
        assert.equal(reader.congestedAt, undefined, `${conn} is behind for ever`);
        assert.deepEqual(reader.owed, [], `${conn} never got what it was owed`);
      }
      assert.deepEqual(new Set(run.state.boxes.keys()), new Set(model.readers.keys()));
    },
  };
}

const conn = fc.integer({ min: 1, max: 4 }).map(id);
const line = fc.tuple(fc.nat(9_999), fc.integer({ min: 1, max: 24 }))
  .map(([mark, size]) => `<${mark}${".".repeat(size)}>`);
const on = <T extends Event["type"]>(...types: T[]) =>
  fc.record({ type: fc.constantFrom(...types), conn });
const saying = <T extends Event["type"]>(type: T) =>
  fc.record({ type: fc.constant(type), conn, line });
const event = fc.oneof(
  { weight: 3, arbitrary: on("opened") },
  { weight: 3, arbitrary: on("joined") },
  { weight: 5, arbitrary: saying("send") },
  { weight: 6, arbitrary: saying("broadcast") },
  { weight: 1, arbitrary: fc.record({
    type: fc.constant("broadcast" as const), conn: fc.constant(id(0)), line,
  }) },
  { weight: 4, arbitrary: on("congested", "drained") },
  { weight: 1, arbitrary: on("closed") },
  { weight: 1, arbitrary: saying("last") },
) as fc.Arbitrary<Event>;

/** Four connections of which some have joined, so that what follows has readers. */
const begun = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }).map((joins) =>
  joins.flatMap((joined, at): { afterMs: number; event: Event }[] => {
    const opened = { afterMs: 0, event: { type: "opened" as const, conn: id(at + 1) } };
    const then = { afterMs: 0, event: { type: "joined" as const, conn: id(at + 1) } };
    return joined ? [opened, then] : [opened];
  }));

test("outbox: laws: each connection gets its lines, in order and in time, or its end", () => {
  const script = fc.tuple(begun, scripts(event, 25, 50)).map(([a, b]) => [...a, ...b]);
  fc.assert(fc.property(script, (s) => void laws(subject(true), s)), { numRuns: 250 });
});

test("outbox: laws: the same holds, without the times, for a host that sleeps", () => {
  const script = fc.tuple(begun, scripts(event, 60, 40, true)).map(([a, b]) => [...a, ...b]);
  fc.assert(fc.property(script, (s) => void laws(subject(false), s)), { numRuns: 100 });
});

/** An outbox driven by hand; every write is kept as text. */
function world(config: Partial<outbox.OutboxConfig> = {}, startAt = 1_000) {
  const m = outbox.create({ ...small, ...config });
  let now = mono(startAt);
  const told: string[] = [];
  const run = (body: (out: outbox.Effect[]) => void) => {
    const out: outbox.Effect[] = [];
    body(out);
    for (const effect of out) {
      const what = effect.type === "write" ? text(effect.bytes) : effect.reason;
      told.push(`${now} ${effect.conn} ${what}`);
    }
    assert.ok(outbox.deadline(m) > now);
  };
  return {
    m, told, run,
    open(n: number, joins = true): outbox.Box {
      const box = outbox.opened(m, id(n));
      if (joins) outbox.joined(m, box);
      return box;
    },
    at(ms: number) {
      for (let due = outbox.deadline(m); due <= ms; due = outbox.deadline(m)) {
        now = due;
        run((out) => outbox.tick(m, now, out));
      }
      now = mono(ms);
    },
    send: (box: outbox.Box, what: string) =>
      run((out) => outbox.send(m, box, ascii(what), now, out)),
    broadcast: (what: string, from?: outbox.Box) =>
      run((out) => outbox.broadcast(m, ascii(what), from, now, out)),
    last: (box: outbox.Box, what?: string) =>
      run((out) => outbox.last(m, box, what === undefined ? undefined : ascii(what), out)),
    congested: (box: outbox.Box) => outbox.congested(m, box, now),
    drained: (box: outbox.Box) => outbox.drained(m, box, now),
    said: () => told.splice(0),
  };
}

const big = { bytesMax: 4_000_000, bytesTotalMax: 8_000_000, flushBytes: 65_536 };

test("outbox: window: after a quiet time a line waits 1 ms, the next the rest of flushMs", () => {
  const w = world();
  const a = w.open(1);
  w.send(a, "one");
  w.at(1_000);
  assert.deepEqual(w.said(), []);
  w.at(1_001);
  assert.deepEqual(w.said(), ["1001 1 one"]);
  w.send(a, "two");
  w.at(1_010);
  w.send(a, "three");
  assert.deepEqual(w.said(), []);
  w.at(1_011);
  assert.deepEqual(w.said(), ["1011 1 twothree"]);
  w.at(1_021);
  w.send(a, "four");
  w.at(1_022);
  assert.deepEqual(w.said(), ["1022 1 four"]);
  assert.equal(outbox.deadline(w.m), NEVER);
});

test("outbox: window: a log of flushBytes goes out at once, to all its readers", () => {
  const w = world();
  const [a] = [w.open(1), w.open(2), w.open(3, false)];
  w.broadcast("x".repeat(47));
  assert.deepEqual(w.said(), []);
  w.broadcast("y", a);
  assert.deepEqual(w.said(), [`1000 2 ${"x".repeat(47)}y`, `1000 1 ${"x".repeat(47)}`]);
});

test("outbox: window: other pieces go out at once beyond four times flushBytes", () => {
  const w = world();
  const boxes = [w.open(1), w.open(2), w.open(3), w.open(4)] as const;
  for (const box of boxes) w.send(box, "z".repeat(47));
  assert.deepEqual(w.said(), []);
  w.send(boxes[0], "1234");
  assert.equal(w.said().length, 4);
});

test("outbox: order: public and private lines of one sender arrive as they were sent", () => {
  const w = world();
  const [a, b, c] = [w.open(1), w.open(2), w.open(3)];
  w.broadcast("p1 ", a);
  w.send(b, "q1 ");
  w.broadcast("p2 ", a);
  w.send(b, "q2 ");
  w.send(c, "r ");
  w.broadcast("n ", undefined);
  w.broadcast("p3 ", b);
  w.at(1_010);
  assert.deepEqual(w.said(), ["1001 1 n p3 ", "1001 2 p1 q1 p2 q2 n ", "1001 3 p1 p2 r n p3 "]);
});

test("outbox: joined: nothing from before, everything after, its answer first", () => {
  const w = world();
  const [a, b] = [w.open(1), w.open(2, false)];
  w.broadcast("before ", a);
  w.send(b, "welcome ");
  outbox.joined(w.m, b);
  w.broadcast("after ", a);
  const c = w.open(3);
  w.at(1_001);
  assert.deepEqual(w.said(), ["1001 2 welcome after "]);
  w.broadcast("later ", c);
  w.at(1_020);
  assert.deepEqual(w.said(), ["1011 1 later ", "1011 2 later "]);
});

test("outbox: congested: queues for itself alone, and its queue goes first when it drains", () => {
  const w = world();
  const [a, b] = [w.open(1), w.open(2)];
  w.congested(a);
  w.congested(a);
  w.broadcast("one ");
  w.at(1_010);
  assert.deepEqual(w.said(), ["1001 2 one "]);
  w.send(a, "two ");
  w.at(1_020);
  w.drained(a);
  w.drained(a);
  w.send(a, "three ");
  w.broadcast("four ", b);
  w.at(1_040);
  assert.deepEqual(w.said(), ["1021 1 one two three four "]);
  assert.equal(w.m.totalBytes, 0);
});

test("outbox: drained: without a queue it changes nothing that is owed", () => {
  const w = world();
  const a = w.open(1);
  w.congested(a);
  w.drained(a);
  assert.equal(w.m.flushAt, NEVER);
  w.at(2_000);
  assert.deepEqual(w.said(), []);
});

test("outbox: drain: a long queue goes out in parts of 256 KiB, one in each window", () => {
  const w = world(big);
  const a = w.open(1);
  w.congested(a);
  for (let n = 0; n < 10; n += 1) w.broadcast(String(n).repeat(65_536));
  assert.equal(w.m.totalBytes, 655_360);
  w.drained(a);
  assert.equal(outbox.hasRoom(w.m, a), false);
  w.at(1_100);
  const sizes = w.told.map((entry) => [entry.slice(0, 4), entry.length - 7]);
  assert.deepEqual(sizes, [["1010", 262_144], ["1020", 262_144], ["1030", 131_072]]);
  assert.equal(outbox.hasRoom(w.m, a), true);
});

test("outbox: drain: a part that congests again stops the rest", () => {
  const w = world(big);
  const a = w.open(1);
  w.congested(a);
  for (let n = 0; n < 5; n += 1) w.broadcast("x".repeat(65_536));
  w.drained(a);
  w.at(1_010);
  w.congested(a);
  w.at(1_050);
  assert.equal(w.said().length, 1);
  w.drained(a);
  w.at(1_055);
  assert.equal(w.said().length, 1);
});

test("outbox: full: the line that does not fit ends the connection, and none before", () => {
  const w = world();
  const [a, b] = [w.open(1), w.open(2)];
  w.congested(a);
  w.broadcast("x".repeat(40));
  w.at(1_020);
  w.broadcast("y".repeat(24));
  w.at(1_040);
  assert.equal(a.queuedBytes, small.bytesMax);
  w.said();
  w.broadcast("!");
  w.at(1_050);
  assert.deepEqual(w.said(), ["1041 1 outbox-full", "1041 2 !"]);
  w.broadcast("?", a);
  w.send(a, "nothing");
  w.last(a, "nothing");
  w.drained(a);
  w.congested(a);
  w.at(2_000);
  assert.deepEqual(w.said(), ["1051 2 ?"]);
  assert.equal(outbox.hasRoom(w.m, b), true);
  assert.equal(outbox.hasRoom(w.m, a), false);
});

test("outbox: full: one window of private lines is bounded as well", () => {
  const w = world();
  const a = w.open(1, false);
  w.send(a, "x".repeat(64));
  assert.deepEqual(w.said(), []);
  w.send(a, "!");
  assert.deepEqual(w.said(), ["1000 1 outbox-full"]);
  assert.equal(w.m.pieceBytes, 0);
});

test("outbox: full: a private queue that overflows in a flush ends its connection only", () => {
  const w = world();
  const [a, b] = [w.open(1), w.open(2)];
  w.congested(a);
  w.send(a, "x".repeat(50));
  w.at(1_020);
  w.send(a, "y".repeat(15));
  w.send(b, "z");
  w.at(1_040);
  assert.deepEqual(w.said(), ["1021 1 outbox-full", "1021 2 z"]);
});

test("outbox: total: the one behind for longest goes first, until the rest fits", () => {
  const w = world();
  const boxes = [w.open(1, false), w.open(2, false), w.open(3, false)] as const;
  for (const n of [1, 0, 2] as const) w.congested(boxes[n]);
  for (const box of boxes) w.send(box, "x".repeat(40));
  w.at(1_010);
  assert.deepEqual(w.said(), ["1001 2 outbox-total"]);
  assert.equal(w.m.totalBytes, 80);
});

test("outbox: total: queues that just fit are spared, one byte more is not", () => {
  const w = world();
  const [a, b] = [w.open(1, false), w.open(2, false)];
  for (const box of [a, b]) {
    w.congested(box);
    w.send(box, "x".repeat(50));
  }
  w.at(1_010);
  assert.deepEqual([w.said(), w.m.totalBytes], [[], small.bytesTotalMax]);
  w.send(b, "!");
  w.at(1_020);
  assert.deepEqual(w.said(), ["1011 1 outbox-total"]);
});

test("outbox: total: a congested connection without a queue is spared", () => {
  const w = world({ bytesTotalMax: 64 });
  const [a, b, c] = [w.open(1, false), w.open(2, false), w.open(3, false)];
  for (const box of [a, b, c]) w.congested(box);
  for (const box of [b, c]) w.send(box, "x".repeat(40));
  w.at(1_010);
  assert.deepEqual(w.said(), ["1001 2 outbox-total"]);
});

test("outbox: total: one that drains counts, and goes when nobody else can", () => {
  const w = world({ ...big, bytesMax: 600_000, bytesTotalMax: 600_000, flushBytes: 300_000 });
  const [a, b] = [w.open(1, false), w.open(2, false)];
  w.congested(a);
  w.send(a, "x".repeat(299_000));
  w.at(1_010);
  w.send(a, "y".repeat(299_000));
  w.at(1_020);
  w.drained(a);
  w.congested(b);
  w.at(1_021);
  assert.equal(w.m.totalBytes, 299_000);
  w.send(b, "z".repeat(599_000));
  w.said();
  w.at(1_031);
  assert.deepEqual(w.said().map((entry) => entry.slice(0, 8)), ["1031 1 y"]);
  assert.equal(w.m.totalBytes, 599_000);
});

test("outbox: total: when nobody is congested, one that still drains goes", () => {
  const w = world({ bytesMax: 1_000_000, bytesTotalMax: 1_250_000, flushBytes: 400_000 });
  const [a, b] = [w.open(1, false), w.open(2, false)];
  for (const box of [a, b]) w.congested(box);
  for (const at of [1_010, 1_020]) {
    for (const box of [a, b]) w.send(box, "x".repeat(300_000));
    w.at(at);
  }
  assert.equal(w.m.totalBytes, 1_200_000);
  for (const box of [a, b]) {
    w.drained(box);
    w.send(box, "y".repeat(400_000));
  }
  w.at(1_030);
  const told = w.said().map((entry) => entry.slice(5, 19));
  const part = "x".repeat(12);
  assert.deepEqual(told, [`1 ${part}`, `2 ${part}`, "1 outbox-total"]);
  assert.equal(w.m.totalBytes, 700_000);
});

test("outbox: total: a batch that many queues share counts once", () => {
  const w = world();
  const boxes = [1, 2, 3, 4].map((n) => w.open(n));
  for (const box of boxes) w.congested(box);
  w.broadcast("x".repeat(47));
  w.at(1_010);
  assert.equal(w.m.totalBytes, 47);
  for (const box of boxes.slice(1)) outbox.closed(w.m, box);
  assert.equal(w.m.totalBytes, 47);
  outbox.closed(w.m, boxes[0] as outbox.Box);
  assert.equal(w.m.totalBytes, 0);
});

test("outbox: slow reader: lives the last millisecond and ends at the deadline", () => {
  const w = world();
  const [a, b] = [w.open(1), w.open(2)];
  w.congested(a);
  w.at(1_001);
  w.congested(b);
  w.at(1_049);
  assert.deepEqual(w.said(), []);
  w.drained(b);
  w.at(1_050);
  assert.deepEqual(w.said(), ["1050 1 slow-reader"]);
  w.at(1_100);
  assert.deepEqual(w.said(), []);
  assert.equal(outbox.deadline(w.m), NEVER);
});

test("outbox: last: queue, window and word in one write, then nothing", () => {
  const w = world();
  const [a, b] = [w.open(1), w.open(2, false)];
  w.congested(a);
  w.broadcast("one ");
  w.at(1_010);
  w.broadcast("two ");
  w.last(a, "bye");
  w.last(b, undefined);
  w.last(a, "bye");
  assert.deepEqual(w.said(), ["1010 1 one two bye"]);
  outbox.closed(w.m, a);
  w.at(1_100);
  assert.deepEqual(w.said(), []);
  assert.equal(w.m.boxes.size, 0);
});

test("outbox: bytes: what waits is a copy, so that it keeps no received buffer alive", () => {
  const m = outbox.create(small);
  const box = outbox.opened(m, id(1));
  outbox.joined(m, box);
  outbox.congested(m, box, mono(0));
  const received = ascii("line\r\n");
  outbox.broadcast(m, received, undefined, mono(0), []);
  outbox.tick(m, mono(10), []);
  outbox.send(m, box, received, mono(10), []);
  outbox.tick(m, mono(20), []);
  const waits = (box.queue ?? []).map(({ bytes }) => bytes);
  assert.deepEqual(waits.map((bytes) => text(bytes)), ["line\r\n", "line\r\n"]);
  for (const bytes of waits) assert.notEqual(bytes.buffer, received.buffer);
});

test("outbox: create: refuses what cannot work, takes the defaults", () => {
  outbox.create(defaults.outbox);
  const bad: Partial<outbox.OutboxConfig>[] = [
    { flushMs: 0 }, { flushBytes: 0 }, { congestedMsMax: 0 }, { bytesTotalMax: 63 },
  ];
  for (const wrong of bad) {
    assert.throws(() => outbox.create({ ...small, ...wrong }), InvariantError);
  }
});

test("outbox: opened: a connection opens once, and only a live one joins", () => {
  const m = outbox.create(small);
  const box = outbox.opened(m, id(1));
  assert.throws(() => outbox.opened(m, id(1)), InvariantError);
  outbox.closed(m, box);
  outbox.closed(m, box);
  assert.throws(() => outbox.joined(m, box), InvariantError);
});
