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
/** Queues that drain in several parts, windows too long to join, batches shared in part. */
const large: outbox.OutboxConfig = {
  bytesMax: 160_000, bytesTotalMax: 200_000, flushMs: 10, flushBytes: 24_000, congestedMsMax: 300,
};
const partBytes = 65_536;
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
  /** It was congested, and has not been given all that it was owed since. */
  isBehind: boolean;
  drainedAt: number;
  wroteAt: number | undefined;
  owed: Owed[];
};
type Owed = { readonly line: string; readonly at: number; dueAt: number };

const bytesOf = (reader: Reader): number =>
  reader.owed.reduce((sum, { line }) => sum + line.length, 0);

/** Plain lists of lines: what each connection must get, in order, whatever the windows are. */
class Model {
  readonly readers = new Map<ConnId, Reader>();
  readonly config: outbox.OutboxConfig;
  readonly isPunctual: boolean;
  publicBytes = 0;

  constructor(config: outbox.OutboxConfig, isPunctual: boolean) {
    this.config = config;
    this.isPunctual = isPunctual;
  }

  /** A queue that always fits into one part, and that the window behind it always joins. */
  get isShort(): boolean {
    return this.config.bytesMax <= 8_192;
  }

  /** One step: what it was told, then each thing that it did. */
  take({ at, event, effects }: Step<Event, outbox.Effect>): void {
    this.told(event, at);
    const written = new Set<ConnId>();
    for (const effect of effects) {
      const { conn } = effect;
      if (effect.type === "write") {
        assert.ok(!written.has(conn), "two writes to one connection in one flush");
        written.add(conn);
      }
      const reader = this.readers.get(conn);
      assert.ok(reader !== undefined, `an effect for ${conn}, which is not there`);
      if (effect.type === "overflow") this.ended(conn, reader, effect.reason, at);
      else this.wrote(reader, text(effect.bytes), at, event.type === "last");
    }
    if (event.type === "last") this.left(event.conn, written.has(event.conn), at);
    if (event.type === "closed") this.readers.delete(event.conn);
  }

  /** A last word comes after all that is owed; one that is behind gets neither. */
  left(conn: ConnId, isTold: boolean, at: number): void {
    const reader = this.readers.get(conn);
    if (reader === undefined) return;
    const oldestAt = reader.owed[0]?.at ?? at;
    const isQueued = reader.isBehind && this.isPunctual && at - oldestAt > this.config.flushMs;
    if (isTold) assert.ok(!isQueued, "a last word for one that is behind");
    if (isTold) assert.deepEqual(reader.owed, [], "a last word left something unsaid");
    else assert.ok(reader.isBehind, "no last word for one that reads");
    this.readers.delete(conn);
  }

  /** When a line that is owed after `ahead` bytes must be written, if nothing goes wrong. */
  dueAt(reader: Reader, ahead: number, line: string, at: number): number {
    const isPrompt = this.isShort || !reader.isBehind;
    const windows = isPrompt ? 1 : 1 + Math.ceil((ahead + line.length) / partBytes);
    return at + windows * this.config.flushMs;
  }

  owe(reader: Reader, line: string, at: number): void {
    reader.owed.push({ line, at, dueAt: this.dueAt(reader, bytesOf(reader), line, at) });
  }

  told(event: Event, at: number): void {
    if (event.type === "tick") return;
    if (event.type === "broadcast") {
      this.publicBytes += event.line.length;
      for (const [conn, reader] of this.readers) {
        if (reader.member && conn !== event.conn) this.owe(reader, event.line, at);
      }
      return;
    }
    const reader = this.readers.get(event.conn);
    if (event.type === "opened" && reader === undefined) {
      this.readers.set(event.conn, {
        member: false, congestedAt: undefined, isBehind: false, drainedAt: 0, wroteAt: undefined,
        owed: [],
      });
    }
    if (reader === undefined) return;
    if (event.type === "joined") reader.member = true;
    if (event.type === "send" || event.type === "last") this.owe(reader, event.line, at);
    if (event.type === "congested") {
      reader.congestedAt ??= at;
      reader.isBehind = true;
    }
    if (event.type === "drained" && reader.congestedAt !== undefined) this.drained(reader, at);
  }

  drained(reader: Reader, at: number): void {
    reader.congestedAt = undefined;
    reader.drainedAt = at;
    let ahead = 0;
    for (const one of reader.owed) {
      one.dueAt = this.dueAt(reader, ahead, one.line, at);
      ahead += one.line.length;
    }
    reader.isBehind = reader.owed.length > 0;
  }

  /** Whole lines, from the front of what is owed, not to a reader that is behind, and in time. */
  wrote(reader: Reader, bytes: string, at: number, isLast: boolean): void {
    assert.equal(reader.congestedAt, undefined, "written while congested");
    assert.ok(bytes.length > 0, "an empty write");
    for (let rest = bytes; rest !== "";) {
      const next = reader.owed.shift();
      assert.ok(next !== undefined, `written but not owed: ${rest}`);
      assert.ok(rest.startsWith(next.line), `wrote ${rest} where ${next.line} was next`);
      rest = rest.slice(next.line.length);
      if (isLast || !this.isPunctual) continue;
      assert.ok(at <= next.dueAt, `a line took ${at - next.at} ms`);
    }
    // Less than a part leaves of a queue nothing, and of the rest what came in this window only.
    const leftAt = reader.owed[0]?.at ?? at;
    const isEnough = bytes.length >= partBytes || at - leftAt <= this.config.flushMs;
    if (this.isPunctual) assert.ok(isEnough, `a part of ${bytes.length} bytes only`);
    reader.wroteAt = at;
    if (reader.owed.length === 0) reader.isBehind = false;
  }

  ended(conn: ConnId, reader: Reader, reason: outbox.Overflow, at: number): void {
    switch (reason) {
      case "outbox-full":
        assert.ok(bytesOf(reader) > this.config.bytesMax, "ended though it all fits");
        assert.ok(reader.isBehind, "ended though it reads");
        if (!this.isShort || reader.congestedAt !== undefined) break;
        assert.equal(reader.wroteAt, at, "ended though it drains");
        break;
      case "outbox-total": {
        const all = [...this.readers.values()].reduce((sum, r) => sum + bytesOf(r), 0);
        // A part of a batch holds all of it.
        const heldMax = this.isShort ? all : all + this.publicBytes;
        assert.ok(heldMax > this.config.bytesTotalMax, "ended though everything fits");
        assert.ok(reader.owed.length > 0, "ended though it holds nothing");
        break;
      }
      case "slow-reader": {
        assert.ok(reader.congestedAt !== undefined, "a slow reader that reads");
        const behindMs = at - reader.congestedAt;
        if (this.isPunctual) assert.equal(behindMs, this.config.congestedMsMax);
        else assert.ok(behindMs >= this.config.congestedMsMax);
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
    let own = 0;
    for (const { batch, bytes, shared } of queue) {
      assert.equal(bytes.buffer, batch.bytes.buffer);
      assert.ok(shared || bytes.length === batch.bytes.length, "a copy of more than is needed");
      if (!refs.has(batch)) total += batch.bytes.length;
      refs.set(batch, (refs.get(batch) ?? 0) + 1);
      assert.ok(batch.refs > 0);
      if (!shared) own += bytes.length;
    }
    assert.equal(box.ownBytes, own);
  }
  for (const [batch, count] of refs) assert.equal((batch as { refs: number }).refs, count);
  assert.equal(m.totalBytes, total);
  assert.ok(m.totalBytes <= m.config.bytesTotalMax);
  assert.equal(m.pieceBytes, pieces);
  assert.ok((m.logEnds.at(-1) ?? 0) < m.config.flushBytes);
  for (const box of m.touched) assert.equal(m.boxes.get(box.conn), box);
}

function subject(
  config: outbox.OutboxConfig, isPunctual: boolean,
): Subject<M, Event, outbox.Effect> {
  return {
    create: () => outbox.create(config),
    step,
    deadline: outbox.deadline,
    tick: { type: "tick" },
    settleMs: 2 * config.congestedMsMax + 100,
    holds,
    lives: (run) => {
      const model = new Model(config, isPunctual);
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
const lineOf = (size: fc.Arbitrary<number>) =>
  fc.tuple(fc.nat(9_999), size).map(([mark, n]) => `<${mark}${".".repeat(n)}>`);
const shortLine = lineOf(fc.integer({ min: 1, max: 24 }));
const longLine = lineOf(fc.oneof(fc.constantFrom(1, 4_094), fc.integer({ min: 1, max: 20_000 })));
const on = <T extends Event["type"]>(...types: T[]) =>
  fc.record({ type: fc.constantFrom(...types), conn });
const events = (line: fc.Arbitrary<string>) => {
  const saying = <T extends Event["type"]>(type: T) =>
    fc.record({ type: fc.constant(type), conn, line });
  return fc.oneof(
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
};

/** Four connections of which some have joined, so that what follows has readers. */
const begun = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }).map((joins) =>
  joins.flatMap((joined, at): { afterMs: number; event: Event }[] => {
    const opened = { afterMs: 0, event: { type: "opened" as const, conn: id(at + 1) } };
    const then = { afterMs: 0, event: { type: "joined" as const, conn: id(at + 1) } };
    return joined ? [opened, then] : [opened];
  }));

const script = (line: fc.Arbitrary<string>, gapMsMax: number, lengthMax: number, pauses = false) =>
  fc.tuple(begun, scripts(events(line), gapMsMax, lengthMax, pauses)).map(([a, b]) => [...a, ...b]);

test("outbox: laws: each connection gets its lines, in order and in time, or its end", () => {
  const law = fc.property(script(shortLine, 25, 50), (s) => void laws(subject(small, true), s));
  fc.assert(law, { numRuns: 250 });
});

test("outbox: laws: the same holds, without the times, for a host that sleeps", () => {
  const asleep = script(shortLine, 60, 40, true);
  const law = fc.property(asleep, (s) => void laws(subject(small, false), s));
  fc.assert(law, { numRuns: 100 });
});

test("outbox: laws: the same holds for long queues, a part of which goes out at a time", () => {
  const law = fc.property(script(longLine, 12, 60), (s) => void laws(subject(large, true), s));
  fc.assert(law, { numRuns: 60 });
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

/** Of each thing told: when, to whom, and how many bytes. */
const sizes = (said: readonly string[]) => said.map((entry) => {
  const [at, conn, what] = entry.split(" ") as [string, string, string];
  return [Number(at), Number(conn), what.length];
});

test("outbox: drain: a long queue goes out in parts of 64 KiB, one in each window", () => {
  const w = world(big);
  const a = w.open(1);
  w.congested(a);
  for (let n = 0; n < 4; n += 1) w.broadcast(String(n).repeat(65_536));
  assert.equal(w.m.totalBytes, 262_144);
  w.drained(a);
  assert.equal(outbox.hasRoom(w.m, a), false);
  w.at(1_100);
  const parts = [1_010, 1_020, 1_030, 1_040].map((at) => [at, 1, 65_536]);
  assert.deepEqual(sizes(w.said()), parts);
  assert.equal(outbox.hasRoom(w.m, a), true);
});

test("outbox: drain: a part has whole entries, as many as make 64 KiB", () => {
  const w = world({ ...big, congestedMsMax: 500 });
  const a = w.open(1, false);
  w.congested(a);
  for (const [at, size] of [[1_010, 65_535], [1_020, 1], [1_030, 40_000], [1_040, 50_000]]) {
    w.send(a, "x".repeat(size as number));
    w.at(at as number);
  }
  w.send(a, "y");
  w.at(1_050);
  w.drained(a);
  w.at(1_100);
  assert.deepEqual(sizes(w.said()), [[1_051, 1, 65_536], [1_061, 1, 90_000], [1_071, 1, 1]]);
});

test("outbox: drain: one part at an instant, whatever the number of flushes", () => {
  const w = world(big);
  const a = w.open(1);
  w.congested(a);
  for (let n = 0; n < 4; n += 1) w.broadcast(String(n).repeat(65_536));
  w.drained(a);
  w.at(1_005);
  for (const what of ["4", "5", "6"]) w.broadcast(what.repeat(65_536));
  assert.deepEqual(sizes(w.said()), [[1_005, 1, 65_536]]);
  w.drained(a);
  w.congested(a);
  w.drained(a);
  w.broadcast("7".repeat(65_536));
  assert.deepEqual(w.said(), []);
  assert.equal(a.queuedBytes, 7 * 65_536);
  w.at(1_100);
  const said = w.said();
  assert.deepEqual(said.map((entry) => entry.slice(0, 8)), [
    "1015 1 1", "1025 1 2", "1035 1 3", "1045 1 4", "1055 1 5", "1065 1 6", "1075 1 7",
  ]);
  for (const [, , size] of sizes(said)) assert.equal(size, 65_536);
});

test("outbox: drain: the window joins the end of the queue if both are short", () => {
  for (const [size, writes] of [[6_384, 1], [6_385, 2]] as const) {
    const w = world(big);
    const [a, b] = [w.open(1), w.open(2)];
    w.congested(a);
    w.broadcast("q".repeat(10_000));
    w.at(1_020);
    w.drained(a);
    w.broadcast("w".repeat(size));
    w.at(1_100);
    const to = w.said().filter((entry) => entry.startsWith(` ${a.conn}`, 4));
    const parts = writes === 1 ? [[1_021, 1, 16_384]] : [[1_021, 1, 10_000], [1_031, 1, size]];
    assert.deepEqual(sizes(to), parts);
    assert.equal(outbox.isBehind(b), false);
    assert.equal(w.m.totalBytes, 0);
  }
});

test("outbox: drain: a window behind an unfinished queue waits, however short", () => {
  const w = world(big);
  const a = w.open(1);
  w.congested(a);
  for (let n = 0; n < 2; n += 1) w.broadcast(String(n).repeat(65_536));
  w.drained(a);
  w.send(a, "reply");
  w.broadcast("line");
  w.at(1_015);
  assert.deepEqual(sizes(w.said()), [[1_010, 1, 65_536]]);
  assert.deepEqual([a.queuedBytes, a.ownBytes], [65_545, 5]);
  w.at(1_100);
  assert.deepEqual(sizes(w.said()), [[1_020, 1, 65_536], [1_030, 1, 9]]);
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

test("outbox: full: one window of private lines is bounded while nobody reads", () => {
  const w = world();
  const a = w.open(1, false);
  w.congested(a);
  w.send(a, "x".repeat(64));
  assert.deepEqual(w.said(), []);
  w.send(a, "!");
  assert.deepEqual(w.said(), ["1000 1 outbox-full"]);
  assert.equal(w.m.pieceBytes, 0);
});

test("outbox: full: one that reads gets its window before it is over its bound", () => {
  const w = world();
  const [a, b] = [w.open(1), w.open(2)];
  w.broadcast("p ");
  w.send(b, "q ");
  w.send(a, "x".repeat(64));
  assert.deepEqual(w.said(), []);
  w.send(a, "!");
  assert.deepEqual(w.said(), ["1000 2 p q ", `1000 1 p ${"x".repeat(64)}`]);
  w.at(1_010);
  assert.deepEqual(w.said(), ["1010 1 !"]);
  w.send(a, "y".repeat(65));
  assert.deepEqual(w.said(), ["1010 1 outbox-full"]);
});

test("outbox: full: one that drains and ends in the flush for its own line gets no other", () => {
  const w = world();
  const a = w.open(1, false);
  w.congested(a);
  w.send(a, "x".repeat(40));
  w.at(1_010);
  w.drained(a);
  w.run((out) => outbox.flush(w.m, mono(1_010), out));
  w.congested(a);
  w.send(a, "y".repeat(20));
  w.run((out) => outbox.flush(w.m, mono(1_010), out));
  w.drained(a);
  w.said();
  w.send(a, "z".repeat(50));
  w.send(a, "!".repeat(15));
  assert.deepEqual(w.said(), ["1010 1 outbox-full"]);
  assert.deepEqual([w.m.pieceBytes, w.m.touched.size, w.m.totalBytes], [0, 0, 0]);
  w.at(1_100);
  assert.deepEqual(w.said(), []);
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

test("outbox: total: of equal holders the one behind for longest goes, until the rest fits", () => {
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
  assert.deepEqual(w.said(), ["1011 2 outbox-total"]);
  assert.equal(w.m.totalBytes, 50);
});

test("outbox: total: who holds most for itself goes, whoever owes more of what is shared", () => {
  const w = world({ bytesMax: 90 });
  const [a, b] = [w.open(1), w.open(2, false)];
  w.congested(a);
  w.congested(b);
  w.broadcast("x".repeat(47));
  w.at(1_010);
  w.broadcast("x".repeat(40));
  w.at(1_020);
  assert.deepEqual([a.queuedBytes, a.ownBytes], [87, 0]);
  w.send(b, "y".repeat(14));
  w.at(1_030);
  assert.deepEqual(w.said(), ["1021 2 outbox-total"]);
});

test("outbox: total: of those who hold the same for themselves the longest queue goes", () => {
  const w = world({ bytesTotalMax: 70 });
  const [b, a] = [w.open(2, false), w.open(1)];
  for (const box of [b, a]) w.congested(box);
  w.broadcast("x".repeat(40));
  w.send(b, "y".repeat(20));
  w.at(1_010);
  assert.deepEqual([w.said(), w.m.totalBytes], [[], 60]);
  w.send(a, "z".repeat(20));
  w.at(1_020);
  assert.deepEqual(w.said(), ["1011 1 outbox-total"]);
  assert.equal(w.m.totalBytes, 20);
});

test("outbox: total: one that drains goes before one that is congested but holds less", () => {
  const w = world({ ...big, bytesMax: 400_000, bytesTotalMax: 400_000 });
  const [a, b] = [w.open(1, false), w.open(2, false)];
  for (const box of [a, b]) w.congested(box);
  for (const at of [1_010, 1_020, 1_030, 1_040]) {
    w.send(a, "x".repeat(100_000));
    w.at(at);
  }
  w.drained(a);
  w.send(b, "z".repeat(100_001));
  w.at(1_041);
  const told = w.said().map((entry) => entry.slice(0, 18));
  assert.deepEqual(told, ["1041 1 xxxxxxxxxxx", "1041 1 outbox-tota"]);
  assert.deepEqual([b.live, w.m.totalBytes], [true, 100_001]);
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

test("outbox: last: window and word in one write, then nothing", () => {
  const w = world();
  const [a, b, c] = [w.open(1), w.open(2, false), w.open(3)];
  w.broadcast("one ", c);
  w.at(1_010);
  w.said();
  w.broadcast("two ", c);
  w.send(a, "three ");
  w.last(a, "bye");
  w.last(b, undefined);
  w.last(c, undefined);
  w.last(a, "bye");
  assert.deepEqual(w.said(), ["1010 1 two three bye"]);
  outbox.closed(w.m, a);
  w.at(1_100);
  assert.deepEqual(w.said(), []);
  assert.deepEqual([w.m.boxes.size, w.m.pieceBytes], [0, 0]);
});

test("outbox: last: one that is behind is given up with its queue and its window", () => {
  const w = world();
  const [a, b, c] = [w.open(1), w.open(2), w.open(3)];
  for (const box of [a, b]) w.congested(box);
  w.broadcast("one ", c);
  w.send(a, "reply ");
  w.at(1_010);
  assert.deepEqual([a.queuedBytes, a.ownBytes], [10, 6]);
  w.broadcast("two ", c);
  w.drained(b);
  w.congested(c);
  for (const box of [a, b, c]) assert.equal(outbox.isBehind(box), true);
  w.last(a, "bye");
  w.last(b, "bye");
  w.last(c, "bye");
  assert.deepEqual(w.said(), []);
  assert.deepEqual([w.m.boxes.size, w.m.totalBytes, w.m.touched.size], [0, 0, 0]);
  for (const box of [a, b, c]) assert.deepEqual([box.queuedBytes, box.ownBytes], [0, 0]);
});

test("outbox: share: a batch and its long parts are held once, also for a touched box", () => {
  const w = world(big);
  const [a, b, c] = [w.open(1), w.open(2), w.open(3)];
  for (const box of [a, b, c]) w.congested(box);
  w.broadcast("p".repeat(4_096), b);
  w.send(a, "reply");
  w.broadcast("q".repeat(4_095), c);
  w.at(1_010);
  // What `a` and `c` get besides or instead is too short to share: 4,095 bytes are copied.
  assert.deepEqual([a.queuedBytes, a.ownBytes], [8_196, 4_100]);
  assert.deepEqual([b.queuedBytes, b.ownBytes], [4_095, 4_095]);
  assert.deepEqual([c.queuedBytes, c.ownBytes], [4_096, 0]);
  assert.equal(w.m.totalBytes, 8_191 + 4_100 + 4_095);
  for (const box of [a, b, c]) w.drained(box);
  w.at(1_020);
  const [p, q] = ["p".repeat(4_096), "q".repeat(4_095)];
  assert.deepEqual(w.said(), [`1011 1 ${p}reply${q}`, `1011 2 ${q}`, `1011 3 ${p}`]);
  assert.equal(w.m.totalBytes, 0);
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

/** What the effects of one step hold, an array that many of them share once. */
const heldBy = (effects: readonly outbox.Effect[]) => {
  const buffers = new Set<ArrayBufferLike>();
  for (const effect of effects) if (effect.type === "write") buffers.add(effect.bytes.buffer);
  return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
};

/** `count` members that a burst of `lines` public lines of 1,000 bytes finds congested. */
function herd(count: number, lines: number) {
  const m = outbox.create(defaults.outbox);
  const now = mono(1_000);
  const out: outbox.Effect[] = [];
  const boxes = Array.from({ length: count }, (_, n) => outbox.opened(m, id(n + 1)));
  for (const box of boxes) {
    outbox.joined(m, box);
    outbox.congested(m, box, now);
  }
  const said = new Uint8Array(1_000).fill(120);
  for (let n = 0; n < lines; n += 1) outbox.broadcast(m, said, undefined, now, out);
  outbox.tick(m, mono(1_010), out);
  assert.deepEqual(out, []);
  assert.equal(m.totalBytes, 1_000 * lines);
  return { m, boxes, said };
}

test("outbox: herd: windows that follow while 2,000 readers drain are shared as well", () => {
  const { m, boxes, said } = herd(2_000, 2_000);
  let now = mono(1_010);
  for (const box of boxes) outbox.drained(m, box, now);
  const written = new Map<ConnId, number>();
  for (let windows = 0; windows < 60; windows += 1) {
    const out: outbox.Effect[] = [];
    if (windows < 4) {
      for (let n = 0; n < 60; n += 1) outbox.broadcast(m, said, undefined, now, out);
      // One reply to each of some readers: only that is their own.
      for (const box of boxes.slice(0, 100)) outbox.send(m, box, said.slice(), now, out);
    }
    now = mono(now + 10);
    outbox.tick(m, now, out);
    for (const effect of out) {
      assert.ok(effect.type === "write", "a reader was shed");
      written.set(effect.conn, (written.get(effect.conn) ?? 0) + effect.bytes.length);
    }
    assert.ok(m.totalBytes <= 2_240_000 + 4 * 100 * 1_000, `${m.totalBytes} bytes are held`);
  }
  assert.deepEqual([m.boxes.size, m.totalBytes, m.touched.size], [2_000, 0, 0]);
  for (const box of boxes) {
    const replies = box.conn <= 100 ? 4_000 : 0;
    assert.equal(written.get(box.conn), 2_240_000 + replies);
  }
});

test("outbox: herd: equal queues share what they join, and all drain in the same flushes", () => {
  const { m, boxes } = herd(1_000, 0);
  const batch = new Uint8Array(40_000).fill(120);
  let now = mono(1_010);
  for (let n = 0; n < 4; n += 1) {
    outbox.broadcast(m, batch, undefined, now, []);
    now = mono(now + 10);
    outbox.tick(m, now, []);
  }
  for (const box of boxes) outbox.drained(m, box, now);
  for (let flushes = 0; flushes < 2; flushes += 1) {
    const out: outbox.Effect[] = [];
    now = mono(now + 10);
    outbox.tick(m, now, out);
    assert.equal(out.length, 1_000);
    const distinct = new Set(out.map((effect) => effect.type === "write" ? effect.bytes : effect));
    assert.equal(distinct.size, 1);
  }
  assert.deepEqual([m.touched.size, m.totalBytes, m.boxes.size], [0, 0, 1_000]);
});

test("outbox: herd: one flush joins 32 MiB, and everybody has a turn before a second one", () => {
  const { m, boxes } = herd(500, 0);
  let now = mono(1_010);
  for (let n = 0; n < 4; n += 1) {
    for (const box of boxes) outbox.send(m, box, new Uint8Array(40_000).fill(120), now, []);
    now = mono(now + 10);
    outbox.tick(m, now, []);
  }
  for (const box of boxes) outbox.drained(m, box, now);
  const turns: ConnId[] = [];
  let flushes = 0;
  for (; m.touched.size > 0 && flushes < 20; flushes += 1) {
    const out: outbox.Effect[] = [];
    now = mono(now + 10);
    outbox.tick(m, now, out);
    assert.ok(heldBy(out) < 33_554_432 + 80_000, `${heldBy(out)} bytes in one flush`);
    for (const effect of out) {
      assert.ok(effect.type === "write", "a reader was shed");
      turns.push(effect.conn);
    }
  }
  // Two parts of 80,000 bytes for each; 420 of them are 32 MiB.
  assert.equal(flushes, Math.ceil(1_000 / 420));
  assert.equal(turns.length, 1_000);
  assert.equal(new Set(turns.slice(0, 500)).size, 500);
  assert.deepEqual([m.totalBytes, m.boxes.size], [0, 500]);
});

test("outbox: herd: last words to 800 that do not read make no memory", () => {
  const { m, boxes } = herd(800, 4_000);
  const out: outbox.Effect[] = [];
  for (const box of boxes.slice(0, 400)) outbox.drained(m, box, mono(1_010));
  for (const box of boxes) outbox.last(m, box, ascii("bye"), out);
  assert.equal(heldBy(out), 0);
  assert.deepEqual([m.boxes.size, m.totalBytes, m.stuck.due.size], [0, 0, 0]);
});

test("outbox: herd: last words to 800 that read hold the window once each, nothing more", () => {
  const { m, boxes, said } = herd(800, 0);
  const out: outbox.Effect[] = [];
  for (const box of boxes) outbox.drained(m, box, mono(1_010));
  outbox.broadcast(m, said, undefined, mono(1_010), out);
  for (const box of boxes) outbox.last(m, box, ascii("bye"), out);
  assert.equal(heldBy(out), 800 * 1_003);
});

test("outbox: herd: who is behind for a moment survives those who hoard", () => {
  const bounds = { bytesMax: 40_000, bytesTotalMax: 200_000 };
  const w = world({ ...big, ...bounds, congestedMsMax: 500 });
  const honest = Array.from({ length: 50 }, (_, n) => w.open(n + 1));
  for (const box of honest) w.congested(box);
  w.broadcast("offer".repeat(1_000));
  for (const box of honest) w.send(box, "x".repeat(100));
  const hoarders = Array.from({ length: 10 }, (_, n) => w.open(n + 101, false));
  for (const box of hoarders) w.congested(box);
  for (let n = 1; n <= 30; n += 1) {
    for (const box of hoarders) w.send(box, "y".repeat(1_000));
    w.at(1_000 + n);
  }
  w.at(1_040);
  const told = w.said();
  for (const entry of told) assert.match(entry, /^10\d\d 1[01]\d outbox-total$/);
  // 5,000 bytes are shared and 5,000 are replies; six hoards of 30,000 fit besides.
  assert.equal(told.length, 4);
  assert.equal(w.m.totalBytes, 5_000 + 5_000 + 6 * 30_000);
  for (const box of honest) assert.equal(box.live, true);
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
