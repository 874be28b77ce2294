import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import { ascii, text } from "../../../core/bytes.ts";
import * as listing from "../../../core/directory/listing.ts";
import * as registry from "../../../core/directory/registry.ts";
import * as relay from "../../../core/directory/relay.ts";
import * as router from "../../../core/directory/router.ts";
import type { ConnId } from "../../../core/ids.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import * as net from "../../support/directory.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";
import { primitives } from "../../support/primitives.ts";

/** A listing and the room of its readers, as a parent would know it. */
type State = {
  readonly m: listing.Listing;
  readonly stalled: Set<ConnId>;
  /** Readers that have no room for so many more turns. */
  readonly later: Map<ConnId, number>;
};
type Event =
  | { readonly type: "asked" | "congested" | "drained" | "gone"; readonly conn: ConnId }
  | { readonly type: "slow"; readonly conn: ConnId }
  | { readonly type: "tick" };
type Wrote =
  | { readonly type: "line"; readonly conn: ConnId; readonly from: number }
  | { readonly type: "took"; readonly conn: ConnId };

const turnMs = 10;
const linesPerTurn = 3;
/** Lines of every list; cursors count them. */
const listLines = 4;
const id = (n: number) => n as ConnId;

function step(s: State, event: Event, now: Mono, out: Wrote[]): void {
  switch (event.type) {
    case "asked":
      if (listing.asked(s.m, event.conn, now)) out.push({ type: "took", conn: event.conn });
      return;
    case "congested": return void s.stalled.add(event.conn);
    case "slow": return void s.later.set(event.conn, 2);
    case "drained":
      s.stalled.delete(event.conn);
      return listing.drained(s.m, event.conn, now);
    case "gone": return listing.gone(s.m, event.conn);
    case "tick": return listing.tick(s.m, now, (conn, cursor) => write(s, conn, cursor, out));
    default: assert.fail();
  }
}

function write(
  s: State, conn: ConnId, cursor: number, out: Wrote[],
): number | "done" | "later" | "stalled" {
  if (s.stalled.has(conn)) return "stalled";
  const turns = s.later.get(conn) ?? 0;
  s.later.set(conn, turns - 1);
  if (turns > 0) return "later";
  out.push({ type: "line", conn, from: cursor });
  const next = cursor < 0 ? 1 : cursor + 1;
  return next >= listLines ? "done" : next;
}

const subject: Subject<State, Event, Wrote> = {
  create: () => ({
    m: listing.create(turnMs, linesPerTurn), stalled: new Set(), later: new Map(),
  }),
  step,
  deadline: ({ m }) => listing.deadline(m),
  tick: { type: "tick" },
  settleMs: 400,
  holds: ({ m }) => {
    for (const conn of [...m.active, ...m.waiting]) assert.ok(m.cursors.has(conn));
    for (const conn of m.active) assert.ok(!m.waiting.has(conn));
  },
  lives: (run) => {
    for (const { effects } of run.steps) {
      assert.ok(effects.filter(({ type }) => type === "line").length <= linesPerTurn);
    }
    // With a turn every 10 ms and five readers, 400 ms see every list to its end.
    for (const conn of run.state.m.cursors.keys()) {
      assert.ok(run.state.stalled.has(conn), `${conn} reads and never gets its list`);
    }
    const cursors = new Map<ConnId, number>();
    for (const { effect } of effectsOf(run)) {
      const at = cursors.get(effect.conn);
      if (effect.type === "took") cursors.set(effect.conn, -1);
      else assert.equal(effect.from, at, "a line was left out or repeated");
      if (effect.type === "line") cursors.set(effect.conn, effect.from < 0 ? 1 : effect.from + 1);
    }
  },
};

test("directory: listing: laws: every reader gets its list, and none waits for another", () => {
  const conn = fc.integer({ min: 1, max: 5 }).map(id);
  const type = fc.constantFrom(
    "asked" as const, "asked", "asked", "congested", "drained", "slow", "gone",
  );
  const event = fc.record({ type, conn }) as fc.Arbitrary<Event>;
  fc.assert(fc.property(scripts(event, 30), (script) => void laws(subject, script)));
});

test("directory: listing: readers take turns, and no turn writes more than its lines", () => {
  const m = listing.create(turnMs, 2);
  const told: string[] = [];
  const writer = (conn: ConnId, cursor: number) => {
    told.push(`${conn}:${cursor}`);
    return cursor < 0 ? 1 : "done";
  };
  for (const n of [1, 2, 3]) assert.equal(listing.asked(m, id(n), mono(0)), true);
  assert.equal(listing.asked(m, id(2), mono(0)), false);
  listing.tick(m, mono(0), writer);
  assert.deepEqual(told.splice(0), []);
  for (const at of [1, 11, 21]) listing.tick(m, mono(at), writer);
  assert.deepEqual(told, ["1:-1", "2:-1", "3:-1", "1:1", "2:1", "3:1"]);
  for (const n of [4, 5]) listing.asked(m, id(n), mono(30));
  listing.gone(m, id(4));
  listing.gone(m, id(5));
  listing.tick(m, mono(31), writer);
  assert.equal(listing.deadline(m), NEVER);
  assert.equal(listing.asked(m, id(2), mono(40)), true);
});

test("directory: listing: it sleeps while all its readers are stalled, until one drains", () => {
  const m = listing.create(turnMs, 2);
  let isReading = false;
  const writer = () => (isReading ? "done" as const : "stalled" as const);
  listing.asked(m, id(1), mono(0));
  listing.tick(m, mono(1), writer);
  assert.equal(listing.deadline(m), NEVER);
  listing.drained(m, id(9), mono(5));
  assert.equal(listing.deadline(m), NEVER);
  isReading = true;
  listing.drained(m, id(1), mono(50));
  assert.equal(listing.deadline(m), 51);
  listing.drained(m, id(1), mono(50));
  listing.tick(m, mono(51), writer);
  assert.equal(m.cursors.size, 0);
});

test("directory: listing: one that has no room just now is asked again in the next turn", () => {
  const m = listing.create(turnMs, 2);
  listing.asked(m, id(1), mono(0));
  listing.tick(m, mono(1), () => "later");
  assert.equal(listing.deadline(m), 11);
  listing.tick(m, mono(11), () => "done");
  assert.equal(listing.deadline(m), NEVER);
});

test("directory: listing: a line that ends connections neither revives nor starves anyone", () => {
  const m = listing.create(turnMs, 2);
  for (const n of [1, 2, 3, 4, 5]) listing.asked(m, id(n), mono(0));
  const told: number[] = [];
  const writer = (conn: ConnId) => {
    told.push(conn);
    if (conn === 1) return "stalled";
    // The line to 2 ends 1, 2 and 3.
    if (conn === 2) for (const n of [1, 2, 3]) listing.gone(m, id(n));
    return conn === 2 ? 7 : "done";
  };
  listing.tick(m, mono(1), writer);
  assert.deepEqual(told, [1, 2, 4]);
  assert.deepEqual([...m.cursors.keys()], [5]);
  assert.equal(listing.deadline(m), 11);
  listing.tick(m, mono(11), writer);
  assert.deepEqual(told, [1, 2, 4, 5]);
});

/** Runs turns until everyone is served or the bound is reached; returns how many there were. */
function turns(m: listing.Listing, max: number, write: (turn: number) => listing.Writer): number {
  for (let turn = 0; turn < max; turn += 1) {
    const at = listing.deadline(m);
    if (at === NEVER) return turn;
    listing.tick(m, at, write(turn));
  }
  return max;
}

/** What each requester saw of a list of `lines` lines: its turns, and the longest gap in turns. */
function watch(lines: number) {
  const seen = { first: [] as ConnId[], gapMax: 0, calls: 0, lines: 0, last: new Map() };
  const last = seen.last as Map<ConnId, number>;
  const write = (turn: number): listing.Writer => (conn, cursor) => {
    seen.calls += 1;
    seen.lines += 1;
    const before = last.get(conn);
    if (before === undefined) seen.first.push(conn);
    else seen.gapMax = Math.max(seen.gapMax, turn - before);
    last.set(conn, turn);
    const next = cursor < 0 ? 1 : cursor + 1;
    return next >= lines ? "done" : next;
  };
  return { seen, write };
}

test("directory: listing: whoever reads waits 2 turns for its next line, however many ask", () => {
  // 3,000 makers are sixteen lines: 32,000 lines in all, 64 a turn.
  const m = listing.create(turnMs, 64);
  const { seen, write } = watch(16);
  for (let n = 1; n <= 2_000; n += 1) listing.asked(m, id(n), mono(0));
  const took = turns(m, 600, write);
  assert.equal(seen.lines, 32_000);
  assert.equal(took, 500, "a turn was not used to the full");
  assert.ok(seen.gapMax <= 2, `${seen.gapMax} turns`);
  assert.deepEqual(seen.first, Array.from({ length: 2_000 }, (_, at) => id(at + 1)));
  assert.equal(m.cursors.size, 0);
});

test("directory: listing: with one line a turn the gap is the lists in progress, not more", () => {
  const m = listing.create(turnMs, 1);
  const { seen, write } = watch(3);
  for (let n = 1; n <= 200; n += 1) listing.asked(m, id(n), mono(0));
  assert.equal(turns(m, 700, write), 600);
  assert.ok(seen.gapMax <= listing.activeMax, `${seen.gapMax} turns`);
});

test("directory: listing: a turn costs the same whoever stalls or waits", () => {
  const m = listing.create(turnMs, 64);
  let calls = 0;
  const reader = id(9_000);
  const writer: listing.Writer = (conn, cursor) => {
    calls += 1;
    return conn === reader ? cursor + 2 : "stalled";
  };
  for (let n = 1; n <= 8_000; n += 1) listing.asked(m, id(n), mono(0));
  listing.asked(m, reader, mono(0));
  let callsMax = 0;
  turns(m, 251, () => {
    callsMax = Math.max(callsMax, calls);
    calls = 0;
    return writer;
  });
  assert.ok(callsMax <= 128, `${callsMax} calls in a turn`);
  assert.deepEqual([...m.active], [reader]);
  calls = 0;
  turns(m, 1, () => writer);
  assert.equal(calls, 64);
  listing.gone(m, reader);
  calls = 0;
  turns(m, 1, () => writer);
  assert.equal(calls, 0);
  assert.equal(listing.deadline(m), NEVER);
  assert.equal(m.cursors.size, 8_000);
});

test("directory: listing: turns keep their distance whoever asks or drains in between", () => {
  const m = listing.create(turnMs, 64);
  const at: number[] = [];
  for (let now = 0; now < 100; now += 1) {
    listing.asked(m, id(now + 1), mono(now));
    listing.drained(m, id(now + 1), mono(now));
    let calls = 0;
    listing.tick(m, mono(now), () => {
      calls += 1;
      return "stalled";
    });
    if (calls > 0) at.push(now);
  }
  assert.deepEqual(at, Array.from({ length: 10 }, (_, turn) => 1 + turn * turnMs));
});

test("directory: listing: who drains goes on before newcomers begin, and all at once share", () => {
  const m = listing.create(turnMs, 64);
  const { seen, write } = watch(16);
  const stalls = (turn: number): listing.Writer => (conn, cursor) => {
    return cursor < 0 ? write(turn)(conn, cursor) : "stalled";
  };
  for (let n = 1; n <= 2_000; n += 1) listing.asked(m, id(n), mono(0));
  turns(m, 100, stalls);
  assert.equal(listing.deadline(m), NEVER);
  assert.equal(seen.first.length, 2_000);
  const now = mono(5_000);
  for (let n = 1; n <= 2_000; n += 1) listing.drained(m, id(n), now);
  for (let n = 3_001; n <= 3_010; n += 1) listing.asked(m, id(n), now);
  seen.gapMax = 0;
  seen.last.clear();
  const order: ConnId[] = [];
  const took = turns(m, 600, (turn) => (conn, cursor) => {
    if (cursor < 0) order.push(conn);
    assert.ok(cursor >= 0 || m.active.size <= listing.activeMax, "a newcomer came first");
    return write(turn)(conn, cursor);
  });
  assert.equal(m.cursors.size, 0);
  assert.ok(took <= 2_010 * 16 / 64 + 16, `${took} turns`);
  // 2,000 requesters with a line each are 32 turns.
  assert.ok(seen.gapMax <= 33, `${seen.gapMax} turns`);
  assert.equal(order.length, 10);
});

test("directory: listing: one that stalled before its first line waits in turn again", () => {
  const m = listing.create(turnMs, 1);
  listing.asked(m, id(1), mono(0));
  listing.tick(m, mono(1), () => "stalled");
  listing.asked(m, id(2), mono(1));
  listing.drained(m, id(1), mono(2));
  listing.drained(m, id(1), mono(2));
  assert.deepEqual([...m.waiting], [2, 1]);
});

function newcomer(n: number): registry.Newcomer {
  const nick = `J5${String(n).replaceAll("0", "a").padStart(6, "z")}`.padEnd(16, "O");
  const location = `${"a".repeat(56)}.onion:${1 + n}`;
  const features = n % 3 === 0 ? ["ping"] : [];
  return {
    conn: n as ConnId, nick, nickBytes: ascii(nick), location, maker: true, features,
    pubkey: undefined,
  };
}

test("directory: listing: lists are complete, without ghosts, while makers and room change", () => {
  const what = fc.constantFrom("maker" as const, "maker", "ask", "stall", "drain", "turn", "turn");
  const act = fc.record({ what, n: fc.integer({ min: 0, max: 39 }) });
  fc.assert(fc.property(fc.array(act, { maxLength: 200, size: "max" }), (acts) => {
    const r = registry.create();
    const pages = router.create();
    const m = listing.create(turnMs, 2);
    const stalled = new Set<ConnId>();
    type List = { readonly due: Set<string>; readonly listed: string[] };
    const lists = new Map<ConnId, List>();
    for (let n = 0; n < 30; n += 1) registry.add(r, newcomer(n));
    const write: listing.Writer = (conn, cursor) => {
      if (stalled.has(conn)) return "stalled";
      const page = router.written(pages, r, cursor, undefined, conn % 2 === 0, 300);
      const list = lists.get(conn) as List;
      for (const [nick] of text(page.bytes ?? new Uint8Array(0)).matchAll(/J5[^;]{14}/g)) {
        assert.ok(r.byNick.has(nick), `${nick} has left`);
        list.listed.push(nick);
      }
      if (!page.done) return page.cursor;
      for (const nick of list.due) {
        assert.equal(list.listed.filter((it) => it === nick).length, 1, nick);
      }
      return "done";
    };
    let now = mono(0);
    const turn = () => {
      now = mono(now + turnMs);
      listing.tick(m, now, write);
    };
    for (const { what, n } of acts) {
      const conn = id(1 + n % 6);
      if (what === "turn") turn();
      if (what === "stall") stalled.add(conn);
      if (what === "drain" && stalled.delete(conn)) listing.drained(m, conn, now);
      if (what === "ask" && listing.asked(m, conn, now)) {
        lists.set(conn, { due: new Set(r.byNick.keys()), listed: [] });
      }
      if (what !== "maker") continue;
      const known = registry.find(r, newcomer(n).nick);
      if (known === undefined) registry.add(r, newcomer(n));
      else {
        registry.remove(r, known);
        for (const { due } of lists.values()) due.delete(known.nick);
      }
    }
    for (const conn of stalled) listing.drained(m, conn, now);
    stalled.clear();
    for (let more = 0; more < 200 && m.cursors.size > 0; more += 1) turn();
    assert.equal(m.cursors.size, 0, "a list is not finished");
  }), { numRuns: 100 });
});

test("directory: listing: a line of a list is a line of the step, which bounds its effects", () => {
  const n = net.start();
  const conn = net.join(n, net.taker(1));
  const d = n.drive.kernel.state;
  const before = d.stepLines;
  const t = { now: n.drive.now, p: primitives, out: [], outcomes: [] };
  assert.equal(relay.writePage(d, conn, -1, t), "done");
  assert.equal(d.stepLines, before + 1);
  assert.equal(relay.writePage(d, conn, 0, t), "done");
  assert.equal(d.stepLines, before + 1, "the empty end of a list is not sent");
});

test("directory: listing: create: refuses what cannot work", () => {
  assert.throws(() => listing.create(0, 1), InvariantError);
  assert.throws(() => listing.create(1, 0), InvariantError);
});
