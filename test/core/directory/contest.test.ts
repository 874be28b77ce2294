import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import { defaults } from "../../../core/directory/config.ts";
import * as contest from "../../../core/directory/contest.ts";
import type { Kind } from "../../../core/directory/heartbeat.ts";
import type { ConnId } from "../../../core/ids.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { effectsOf, laws, scripts, type Run, type Subject } from "../../support/laws.ts";

const config = { contestPingMs: 10_000, contestMakerMs: 120_000 };
const small = { contestPingMs: 10, contestMakerMs: 35 };

const id = (n: number) => n as ConnId;
const kindOf = (conn: number) => (["ping", "maker", "mute"] as const)[conn % 3] as Kind;

const line = (effect: contest.Effect) => `${effect.type} ${effect.conn}`;

/** A machine at an instant; every call answers with what it emitted. */
function world(beatPending = false) {
  const m = contest.create(config);
  let now = mono(0);
  const said = (body: (out: contest.Effect[]) => void) => {
    const out: contest.Effect[] = [];
    body(out);
    return out.map(line);
  };
  const verdicts: contest.Verdict[] = [];
  return {
    m,
    verdicts,
    open: (incumbent: number, kind: Kind, newcomer: number) => said((out) => {
      const claim = { incumbent: id(incumbent), kind, newcomer: id(newcomer), beatPending };
      verdicts.push(contest.opened(m, claim, now, out));
    }),
    seen: (conn: number) => said((out) => contest.seen(m, id(conn), now, out)),
    gone: (conn: number) => said((out) => contest.gone(m, id(conn), now, out)),
    /** A tick at an instant, on time or late. */
    at: (ms: number) => said((out) => {
      now = mono(ms);
      contest.tick(m, now, out);
      assert.ok(contest.deadline(m) > now);
    }),
  };
}

test("directory: contest: incumbent with ping is pinged and the newcomer waits", () => {
  const w = world();
  assert.deepEqual(w.open(1, "ping", 2), ["ping 1"]);
  assert.deepEqual(w.verdicts, ["wait"]);
  assert.ok(contest.has(w.m, id(1)));
  assert.ok(!contest.has(w.m, id(2)));
  assert.equal(contest.deadline(w.m), 10_000);
  assert.deepEqual(w.at(9_999), []);
  assert.deepEqual(w.at(10_000), ["lost 1", "won 2"]);
  assert.equal(contest.deadline(w.m), NEVER);
  assert.deepEqual(w.gone(1), []);
});

test("directory: contest: a line a millisecond before the end keeps the nick", () => {
  const w = world();
  w.open(1, "ping", 2);
  w.at(9_999);
  assert.deepEqual(w.seen(1), ["refused 2"]);
  assert.ok(!contest.has(w.m, id(1)));
  assert.deepEqual(w.at(10_000), []);
  assert.deepEqual(w.gone(2), []);
});

test("directory: contest: a line in the millisecond of the end is too late", () => {
  const w = world();
  w.open(1, "ping", 2);
  assert.deepEqual(w.at(10_000), ["lost 1", "won 2"]); // the kernel runs the due tick first
  assert.deepEqual(w.seen(1), []);
});

test("directory: contest: one newcomer waits, the next is refused without another ping", () => {
  const w = world();
  w.open(1, "ping", 2);
  assert.deepEqual(w.open(1, "ping", 3), []);
  assert.deepEqual(w.verdicts, ["wait", "refuse"]);
  assert.deepEqual(w.at(10_000), ["lost 1", "won 2"]);
});

test("directory: contest: a newcomer that leaves makes room in the same contest", () => {
  const w = world();
  w.open(1, "ping", 2);
  w.at(4_000);
  assert.deepEqual(w.gone(2), []);
  assert.ok(contest.has(w.m, id(1)));
  assert.deepEqual(w.open(1, "ping", 3), []);
  assert.deepEqual(w.verdicts, ["wait", "wait"]);
  assert.deepEqual(w.at(10_000), ["lost 1", "won 3"]);
});

test("directory: contest: silent incumbent loses even when nobody waits", () => {
  const w = world();
  w.open(1, "ping", 2);
  w.gone(2);
  assert.deepEqual(w.at(10_000), ["lost 1"]);
});

test("directory: contest: maker without ping has two minutes and the newcomer is refused", () => {
  const w = world();
  assert.deepEqual(w.open(1, "maker", 2), ["probe 1"]);
  assert.deepEqual(w.open(1, "maker", 3), []);
  assert.deepEqual(w.verdicts, ["refuse", "refuse"]);
  assert.deepEqual(w.at(119_999), []);
  assert.deepEqual(w.at(120_000), ["lost 1"]);
});

test("directory: contest: maker that shows life keeps its nick", () => {
  const w = world();
  w.open(1, "maker", 2);
  w.at(119_999);
  assert.deepEqual(w.seen(1), []);
  assert.deepEqual(w.at(120_000), []);
});

test("directory: contest: taker without ping keeps its nick and is left alone", () => {
  const w = world();
  assert.deepEqual(w.open(1, "mute", 2), []);
  assert.deepEqual(w.verdicts, ["refuse"]);
  assert.equal(contest.deadline(w.m), NEVER);
});

test("directory: contest: an incumbent that has answered is left in peace for as long", () => {
  for (const [kind, ms] of [["ping", 10_000], ["maker", 120_000]] as const) {
    const w = world();
    w.open(1, kind, 2);
    w.at(500);
    w.seen(1);
    w.at(500 + ms - 1);
    assert.deepEqual(w.open(1, kind, 3), []);
    w.at(500 + ms);
    assert.equal(w.open(1, kind, 4).length, 1);
    assert.deepEqual(w.verdicts.slice(1), ["refuse", kind === "ping" ? "wait" : "refuse"]);
  }
});

test("directory: contest: peace ends with the connection", () => {
  const w = world();
  w.open(1, "ping", 2);
  w.seen(1);
  assert.equal(w.m.peace.size, 1);
  w.gone(1);
  assert.equal(w.m.peace.size, 0);
});

test("directory: contest: incumbent that leaves gives way to the waiting newcomer", () => {
  const w = world();
  w.open(1, "ping", 2);
  assert.deepEqual(w.gone(1), ["won 2"]);
  w.open(3, "maker", 4);
  assert.deepEqual(w.gone(3), []);
  assert.equal(contest.deadline(w.m), NEVER);
  assert.equal(w.m.waiting.size, 0);
});

test("directory: contest: a ping of the heartbeat under way is not repeated", () => {
  const w = world(true);
  assert.deepEqual(w.open(1, "ping", 2), []);
  assert.deepEqual(w.verdicts, ["wait"]);
  assert.deepEqual(w.at(10_000), ["lost 1", "won 2"]);
});

test("directory: contest: lines of others end nothing", () => {
  const w = world();
  assert.deepEqual(w.seen(9), []);
  w.open(1, "ping", 2);
  assert.deepEqual(w.seen(2), []);
  assert.deepEqual(w.gone(9), []);
  assert.ok(contest.has(w.m, id(1)));
});

test("directory: contest: a late tick puts a contest off once", () => {
  const w = world();
  w.open(1, "ping", 2);
  assert.deepEqual(w.at(11_001), []);
  assert.equal(contest.deadline(w.m), 12_001);
  assert.deepEqual(w.at(99_000), ["lost 1", "won 2"]);
  w.open(3, "ping", 4);
  assert.deepEqual(w.at(110_000), ["lost 3", "won 4"], "late by no more than is usual");
  w.open(5, "ping", 6);
  assert.deepEqual(w.at(130_000), []);
  assert.deepEqual(w.seen(5), ["refused 6"]);
});

test("directory: contest: misuse and times out of range are caught", () => {
  const w = world();
  w.open(1, "ping", 2);
  assert.throws(() => w.open(3, "ping", 2), InvariantError);
  assert.throws(() => w.open(5, "ping", 5), InvariantError);
  assert.throws(() => contest.create({ ...config, contestPingMs: 0 }), InvariantError);
  assert.throws(() => contest.create({ ...config, contestMakerMs: 0 }), InvariantError);
  assert.equal(contest.deadline(contest.create(defaults)), NEVER);
});

type Call =
  | contest.Event
  | { readonly type: "opened"; readonly incumbent: ConnId; readonly newcomer: ConnId };
type Said = contest.Effect | { readonly type: contest.Verdict; readonly conn: ConnId };

function step(m: contest.Contest, event: Call, now: Mono, out: Said[]): void {
  const effects: contest.Effect[] = [];
  if (event.type !== "opened") contest.step(m, event, now, effects);
  else if (!m.waiting.has(event.newcomer)) {
    const { incumbent, newcomer } = event;
    const claim = { incumbent, kind: kindOf(incumbent), newcomer, beatPending: false };
    out.push({ type: contest.opened(m, claim, now, effects), conn: newcomer });
  }
  out.push(...effects);
  // What the parent does with it: the loser is closed.
  for (const { type, conn } of effects) if (type === "lost") contest.gone(m, conn, now, effects);
}

function holds(m: contest.Contest): void {
  for (const [newcomer, incumbent] of m.waiting) {
    assert.equal(m.open.get(incumbent)?.newcomer, newcomer);
  }
  const waiting = [...m.open.values()].filter((open) => open.newcomer !== undefined);
  assert.equal(waiting.length, m.waiting.size);
  for (const open of m.open.values()) assert.ok(m.dueAt <= open.dueAt);
}

/** Law 4, and that each question has one answer: told from the transcript alone. */
function judge(run: Run<contest.Contest, Call, Said>): void {
  const askedAt = new Map<ConnId, number>();
  const waitsSince = new Map<ConnId, number>();
  for (const { at, event, effects } of run.steps) {
    const life = event.type === "seen" ? event.incumbent : event.type === "gone" ? event.conn : 0;
    askedAt.delete(life as ConnId);
    if (event.type === "gone") waitsSince.delete(event.conn);
    for (const { type, conn } of effects) {
      if (type === "ping" || type === "probe") {
        assert.ok(!askedAt.has(conn), "asked twice");
        askedAt.set(conn, at);
      } else if (type === "lost") {
        const ms = kindOf(conn) === "ping" ? small.contestPingMs : small.contestMakerMs;
        assert.equal(at - (askedAt.get(conn) ?? NaN), ms);
        askedAt.delete(conn);
      } else if (type === "wait") waitsSince.set(conn, at);
      else if (type !== "refuse") assert.ok(waitsSince.delete(conn), "told without waiting");
    }
    for (const since of waitsSince.values()) assert.ok(at - since <= small.contestPingMs);
    for (const since of askedAt.values()) assert.ok(at - since <= small.contestMakerMs);
  }
  assert.equal(waitsSince.size, 0, "a newcomer waits for ever");
  assert.equal(askedAt.size, 0, "a question was forgotten");
}

test("directory: contest: the four laws hold", () => {
  const incumbent = fc.integer({ min: 1, max: 5 }).map(id);
  const newcomer = fc.integer({ min: 6, max: 9 }).map(id);
  const any = fc.integer({ min: 1, max: 9 }).map(id);
  const opened = fc.record({ type: fc.constant("opened" as const), incumbent, newcomer });
  const event: fc.Arbitrary<Call> = fc.oneof(
    { weight: 4, arbitrary: opened },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("seen" as const), incumbent }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("gone" as const), conn: any }) },
  );
  const subject: Subject<contest.Contest, Call, Said> = {
    create: () => contest.create(small),
    step,
    deadline: contest.deadline,
    tick: { type: "tick" },
    settleMs: 100,
    holds,
    lives: judge,
  };
  let lost = 0;
  fc.assert(fc.property(scripts(event, 12), (script) => {
    const run = laws(subject, script);
    lost += effectsOf(run).filter(({ effect }) => effect.type === "lost").length;
  }), { numRuns: 200 });
  assert.ok(lost > 0);
  const unjudged = { ...subject, lives: ({ state }: Run<contest.Contest, Call, Said>) => {
    assert.equal(state.open.size, 0);
    assert.equal(state.waiting.size, 0);
  } };
  fc.assert(fc.property(scripts(event, 30, 30, true), (script) => {
    laws(unjudged, script);
  }), { numRuns: 100 });
});
