import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import { defaults, type DirectoryConfig } from "../../../core/directory/config.ts";
import type { Session } from "../../../core/directory/session.ts";
import * as session from "../../../core/directory/session.ts";
import * as sessions from "../../../core/directory/sessions.ts";
import type { ConnId } from "../../../core/ids.ts";
import * as lines from "../../../core/joinmarket/lines.ts";
import * as outbox from "../../../core/outbox.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { effectsOf, laws, scripts, type Run, type Subject } from "../../support/laws.ts";

const small: DirectoryConfig = {
  ...defaults, handshakeMs: 30, lineMs: 50, lineBytesMax: 200,
  outbox: { ...defaults.outbox, closeGraceMs: 20 },
};

type M = sessions.Sessions;
type Event =
  | { readonly type: "opened" | "registered" | "closed"; readonly conn: ConnId }
  | { readonly type: "ended"; readonly conn: ConnId; readonly lingers: boolean }
  | { readonly type: "received"; readonly conn: ConnId; readonly text: string }
  | { readonly type: "tick" };

const id = (n: number) => n as ConnId;

function open(m: M, conn: ConnId, now: Mono): Session {
  const box = outbox.opened(outbox.create(small.outbox), conn);
  const s = session.create(conn, lines.create(), box, false);
  sessions.opened(m, s, now);
  return s;
}

/** Registration as the parent does it; peer and beat are of no interest here. */
function register(m: M, s: Session, now: Mono): void {
  s.at = { phase: "registered" } as Session["at"];
  sessions.registered(m, s, now);
}

function receive(m: M, s: Session, text: string, now: Mono): boolean {
  const out: Uint8Array[] = [];
  const had = s.pendingBytes;
  const bytes = Buffer.from(text);
  const cut: lines.Cut = { at: 0, line: undefined };
  let fits = sessions.nextLine(m, s, bytes, small.lineBytesMax, cut);
  while (fits && cut.line !== undefined) {
    out.push(cut.line);
    fits = sessions.nextLine(m, s, bytes, small.lineBytesMax, cut);
  }
  sessions.timeLine(m, s, out.length, had, now);
  return fits;
}

function step(m: M, event: Event, now: Mono, out: sessions.Effect[]): void {
  if (event.type === "tick") return sessions.tick(m, now, out);
  const s = sessions.find(m, event.conn);
  if (event.type === "opened" && s === undefined) return void open(m, event.conn, now);
  if (s === undefined) return;
  const closing = s.at.phase === "closing";
  if (event.type === "closed") return sessions.closed(m, s);
  if (closing || event.type === "opened") return;
  if (event.type === "registered" && s.at.phase !== "registered") return register(m, s, now);
  if (event.type === "received") return void receive(m, s, event.text, now);
  if (event.type !== "ended") return;
  session.close(s);
  sessions.ended(m, s, event.lingers, now);
}

/** The same as plain facts: since when each connection owes what. */
function expected(run: Run<M, Event, sessions.Effect>): Set<string> {
  type Phase = "shaking" | "registered" | "closing";
  type Owed = { phase: Phase; line: string; due: Map<string, number> };
  const conns = new Map<ConnId, Owed>();
  const late = new Set<string>();
  const pass = (now: number) => {
    for (const [conn, { due }] of conns) {
      for (const [what, at] of due) {
        if (at > now) continue;
        late.add(`${at} ${conn} ${what}`);
        due.delete(what);
      }
    }
  };
  for (const { at, event } of run.steps) {
    pass(at);
    if (event.type === "tick") continue;
    const c = conns.get(event.conn);
    if (event.type === "opened" && c === undefined) {
      const due = new Map([["handshake", at + small.handshakeMs]]);
      conns.set(event.conn, { phase: "shaking", line: "", due });
    }
    if (c === undefined) continue;
    if (event.type === "closed") conns.delete(event.conn);
    if (c.phase === "closing") continue;
    if (event.type === "registered" && c.phase === "shaking") {
      c.phase = "registered";
      c.due.delete("handshake");
      if (c.line !== "") c.due.set("line", at + small.lineMs);
    }
    if (event.type === "received" && event.text !== "") {
      const parts = (c.line + event.text).split("\n");
      const begins = c.line === "" || parts.length > 1;
      c.line = parts.at(-1) as string;
      if (c.line === "") c.due.delete("line");
      else if (begins && c.phase === "registered") c.due.set("line", at + small.lineMs);
    }
    if (event.type === "ended") {
      c.phase = "closing";
      c.due.clear();
      if (event.lingers) c.due.set("close", at + 20);
    }
  }
  pass(run.now);
  return late;
}

const subject: Subject<M, Event, sessions.Effect> = {
  create: () => sessions.create(small),
  step,
  deadline: sessions.deadline,
  tick: { type: "tick" },
  settleMs: 120,
  holds: (m) => {
    let pending = 0;
    for (const s of m.byConn.values()) pending += s.pendingBytes;
    assert.equal(m.pendingBytes, pending);
    for (const conn of [m.shaking, m.unfinished, m.closing].flatMap((e) => [...e.due.keys()])) {
      assert.ok(m.byConn.has(conn), "a deadline of nobody");
    }
  },
  lives: (run) => {
    const told = effectsOf(run).map(({ at, effect }) => `${at} ${effect.conn} ${effect.with}`);
    assert.equal(new Set(told).size, told.length);
    assert.deepEqual(new Set(told), expected(run));
  },
};

test("directory: sessions: laws: handshake, line and farewell are late at their instant", () => {
  const conn = fc.integer({ min: 1, max: 3 }).map(id);
  const event: fc.Arbitrary<Event> = fc.oneof(
    fc.record({ type: fc.constantFrom("opened" as const, "opened", "registered", "closed"), conn }),
    fc.record({
      type: fc.constant("received" as const), conn,
      text: fc.constantFrom("a", "b", "\n", "x\ny", "x\n", ""),
    }),
    fc.record({ type: fc.constant("ended" as const), conn, lingers: fc.boolean() }),
  );
  fc.assert(fc.property(scripts(event, 40), (script) => void laws(subject, script)));
});

function lateAt(m: M, at: number): string[] {
  const out: sessions.Effect[] = [];
  sessions.tick(m, mono(at), out);
  return out.map((effect) => `${effect.conn} ${effect.with}`);
}

test("directory: sessions: a handshake has its last millisecond, and not one more", () => {
  const m = sessions.create(small);
  open(m, id(1), mono(100));
  assert.deepEqual(lateAt(m, 129), []);
  assert.deepEqual(lateAt(m, 130), ["1 handshake"]);
  assert.equal(sessions.deadline(m), NEVER);
});

test("directory: sessions: an unfinished line is due from its first byte, however it drips", () => {
  const m = sessions.create(small);
  const s = open(m, id(1), mono(0));
  register(m, s, mono(0));
  for (const at of [10, 30, 59]) receive(m, s, "x", mono(at));
  assert.deepEqual(lateAt(m, 59), []);
  assert.deepEqual(lateAt(m, 60), ["1 line"]);
});

test("directory: sessions: a line that ends starts the time of the one behind it", () => {
  const m = sessions.create(small);
  const s = open(m, id(1), mono(0));
  register(m, s, mono(0));
  receive(m, s, "a", mono(0));
  receive(m, s, "b\nc", mono(40));
  assert.deepEqual(lateAt(m, 89), []);
  receive(m, s, "\n", mono(89));
  assert.deepEqual(lateAt(m, 200), []);
  assert.equal(m.pendingBytes, 0);
});

test("directory: sessions: a line begun before registration is due after it", () => {
  const m = sessions.create(small);
  const s = open(m, id(1), mono(0));
  receive(m, s, "begun while it waited", mono(5));
  register(m, s, mono(20));
  receive(m, s, "x", mono(60));
  assert.deepEqual(lateAt(m, 69), []);
  assert.deepEqual(lateAt(m, 70), ["1 line"]);
});

test("directory: sessions: who ends with a word has its grace, who is cut has nothing", () => {
  const m = sessions.create(small);
  for (const n of [1, 2]) sessions.ended(m, open(m, id(n), mono(0)), n === 1, mono(10));
  assert.deepEqual(lateAt(m, 29), []);
  assert.deepEqual(lateAt(m, 30), ["1 close"]);
  assert.equal(m.byConn.size, 2);
});

test("directory: sessions: bytes of unfinished lines are one total, given back at the end", () => {
  const m = sessions.create(small);
  const [a, b] = [open(m, id(1), mono(0)), open(m, id(2), mono(0))];
  receive(m, a, "x".repeat(100), mono(1));
  receive(m, b, "y", mono(1));
  assert.equal(m.pendingBytes, a.pendingBytes + b.pendingBytes);
  assert.ok(m.pendingBytes >= 101);
  sessions.ended(m, a, false, mono(2));
  assert.equal(m.pendingBytes, b.pendingBytes);
  sessions.closed(m, b);
  sessions.closed(m, a);
  assert.equal(m.pendingBytes, 0);
  assert.equal(m.byConn.size, 0);
});

test("directory: sessions: a line that is too long does not fit and holds nothing", () => {
  const m = sessions.create(small);
  const s = open(m, id(1), mono(0));
  assert.equal(receive(m, s, "x".repeat(200), mono(0)), true);
  assert.equal(receive(m, s, "x", mono(0)), false);
  assert.equal(m.pendingBytes, 0);
});

test("directory: sessions: a connection opens once", () => {
  const m = sessions.create(small);
  open(m, id(1), mono(0));
  assert.throws(() => open(m, id(1), mono(0)), InvariantError);
});

test("directory: sessions: create: refuses what cannot work", () => {
  const { outbox: sizes } = defaults;
  for (const wrong of [
    { handshakeMs: 0 }, { lineMs: 0 }, { outbox: { ...sizes, closeGraceMs: 0 } },
  ]) assert.throws(() => sessions.create({ ...small, ...wrong }), InvariantError);
});
