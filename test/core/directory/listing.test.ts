import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import * as listing from "../../../core/directory/listing.ts";
import type { ConnId } from "../../../core/ids.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";

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
  assert.equal(listing.deadline(m), NEVER);
  assert.equal(listing.asked(m, id(2), mono(30)), true);
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

test("directory: listing: create: refuses what cannot work", () => {
  assert.throws(() => listing.create(0, 1), InvariantError);
  assert.throws(() => listing.create(1, 0), InvariantError);
});
