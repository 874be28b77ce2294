import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import type { ConnId } from "../../../core/ids.ts";
import type { LogEffect } from "../../../core/kernel/io.ts";
import * as guard from "../../../core/maker/guard.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { laws, scripts, type Subject } from "../../support/laws.ts";

const id = (n: number) => n as ConnId;
const { defaults } = guard;

function with_(budgets: Partial<guard.Budgets>, rest: Partial<guard.Config> = {}): guard.Config {
  return { ...defaults, ...rest, budgets: { ...defaults.budgets, ...budgets } };
}

const wide = { tokens: 100_000, perMs: 1, burst: 100_000 };
const tight = { tokens: 1, perMs: 1_000, burst: 3 };

/** A guard; what it logs is kept. */
function world(config = defaults) {
  const m = guard.create(config);
  const logs: LogEffect[] = [];
  return {
    m, logs,
    ask: (directory: number, nick: string, at: number) =>
      guard.orderbook(m, { directory, nick }, mono(at), logs),
    askDirect: (conn: number, at: number) => guard.directOrderbook(m, id(conn), mono(at), logs),
    line: (conn: number, at: number) => guard.directLine(m, id(conn), mono(at)),
    signed: (nick: string, ingress: guard.Ingress, at: number) =>
      guard.signedLine(m, nick, ingress, mono(at), logs),
    codes: () => logs.map(({ level, code }) => `${level} ${code}`),
    stats: (at: number) => guard.statistics(m, mono(at)),
  };
}

/** How many of `max` tries in a row succeed. */
function taken(max: number, attempt: (n: number) => boolean): number {
  let count = 0;
  for (let n = 0; n < max; n += 1) if (attempt(n)) count += 1;
  return count;
}

const through = (directory: number): guard.Ingress => ({ via: "directory", directory });
const over = (conn: number): guard.Ingress => ({ via: "direct", conn: id(conn) });

test("maker: guard: an unknown nick is answered at once, and again after ten seconds", () => {
  const w = world();
  assert.equal(w.ask(0, "a", 0), "answer");
  assert.equal(w.ask(0, "a", 9_999), "drop");
  assert.equal(w.ask(0, "a", 10_000), "answer");
  assert.equal(w.ask(0, "b", 10_000), "answer");
});

// Row 12: a directory can put any unsigned nick into a public line.
test("maker: guard: a forged nick burns its allowance with the forging directory only", () => {
  const w = world();
  for (let n = 0; n < 500; n += 1) w.ask(3, "victim", n);
  assert.equal(w.ask(3, "victim", 500), "drop");
  assert.equal(w.stats(500).orderbook.banned[0]?.label.directory, 3);
  for (const directory of [0, 1, 2]) assert.equal(w.ask(directory, "victim", 500), "answer");
  assert.equal(w.ask(3, "someone else", 500), "answer");
});

// Row 12: a nick costs nothing.
test("maker: guard: whoever changes nicks gets the budget of the directory and no more", () => {
  const w = world();
  assert.equal(taken(5_000, (n) => w.ask(0, `nick ${n}`, 0) === "answer"), 100);
  assert.equal(w.ask(0, "honest", 499), "drop");
  assert.equal(w.ask(0, "honest", 500), "answer");
  assert.equal(w.ask(1, "honest", 500), "answer", "other directories are not touched");
  assert.equal(w.stats(500).orderbook.violations, 0, "a spent budget is nobody's violation");
  assert.equal(w.stats(500).refusals.directoryBudget, 4_901);
});

test("maker: guard: one budget bounds the replies through all directories", () => {
  const w = world(with_({ directoryReplies: wide }));
  const count = taken(200, (n) => w.ask(0, `a ${n}`, 0) === "answer")
    + taken(200, (n) => w.ask(1, `b ${n}`, 0) === "answer");
  assert.equal(count, 300);
  assert.equal(w.ask(2, "c", 49), "drop");
  assert.equal(w.ask(2, "c", 50), "answer");
});

test("maker: guard: those who ask directly are served, whatever the directories bring", () => {
  const w = world();
  for (let directory = 0; directory < 5; directory += 1) {
    for (let n = 0; n < 500; n += 1) w.ask(directory, `x ${n}`, 0);
  }
  assert.equal(w.ask(5, "honest", 0), "drop", "their budget is spent");
  assert.equal(taken(100, (n) => w.askDirect(n, 0) === "answer"), 50);
});

test("maker: guard: a request that the common budget refuses spends nothing else", () => {
  const w = world(with_({ replies: { ...tight, burst: 1 }, directoryReplies: tight }));
  assert.equal(w.ask(0, "a", 0), "answer");
  for (let n = 0; n < 9; n += 1) assert.equal(w.ask(1, `x ${n}`, 0), "drop");
  assert.equal(w.ask(1, "a", 1_000), "answer");
  assert.deepEqual(w.m.buckets.directoryReplies.tats.get(1), 2_000, "one token of three");
  assert.equal(w.m.buckets.directReplies.tats.size, 0);
  assert.equal(w.m.askedDirect.entries.size, 0);
});

test("maker: guard: directories outnumbered by direct connections are still served", () => {
  const w = world();
  assert.equal(taken(1_000, (n) => w.askDirect(n, 0) === "answer"), 50);
  assert.equal(w.ask(0, "a", 0), "answer");
});

test("maker: guard: a direct connection is banned at its tenth violation and closed", () => {
  const w = world();
  assert.equal(w.askDirect(1, 0), "answer");
  for (let n = 1; n < 10; n += 1) assert.equal(w.askDirect(1, n), "drop");
  assert.equal(w.askDirect(1, 29_999), "close");
  assert.equal(w.askDirect(1, 30_000), "close");
  assert.equal(w.askDirect(3, 30_000), "answer", "another connection from the same address");
  assert.equal(w.askDirect(3, 60_000), "answer");
  guard.closed(w.m, id(1), mono(60_000));
  guard.closed(w.m, id(3), mono(60_000));
  const { direct } = w.stats(60_000);
  assert.deepEqual(direct.banned, [{ label: 1, violations: 11 }]);
  assert.equal(direct.tracked, 1);
});

test("maker: guard: lines of a direct connection: a burst of twenty, five a second", () => {
  const w = world();
  assert.equal(taken(50, () => w.line(1, 0)), 20);
  assert.equal(taken(50, () => w.line(1, 199)), 0);
  assert.equal(taken(50, () => w.line(1, 200)), 1);
  assert.equal(taken(50, () => w.line(1, 1_200)), 5);
  assert.equal(w.line(3, 1_200), true);
});

test("maker: guard: connecting again brings fresh lines up to what all have together", () => {
  const w = world();
  let lines = 0;
  for (let conn = 0; conn < 100; conn += 1) {
    lines += taken(20, () => w.line(conn, 0));
    guard.closed(w.m, id(conn), mono(0));
  }
  assert.equal(lines, 500);
  assert.equal(w.m.buckets.connectionLines.tats.size, 0);
});

test("maker: guard: a line that the budget of all refuses leaves the connection its own", () => {
  const w = world(with_({ directLines: { tokens: 1, perMs: 1_000, burst: 1 } }));
  assert.equal(w.line(1, 0), true);
  assert.equal(taken(99, () => w.line(3, 0)), 0);
  assert.equal(w.m.buckets.connectionLines.tats.has(3), false);
});

test("maker: guard: more connections than are counted are refused their lines", () => {
  const w = world(with_({ directLines: wide }, { connectionsMax: 3 }));
  for (const conn of [1, 3, 5]) assert.equal(w.line(conn, 0), true);
  assert.equal(w.line(7, 0), false);
  assert.equal(w.line(5, 0), true);
  assert.equal(w.line(7, 199), false);
  assert.equal(w.line(7, 200), true, "two have their full burst again");
  assert.equal(w.m.buckets.connectionLines.tats.size, 2);
});

test("maker: guard: signatures are looked at within the budget of a directory and of all", () => {
  const w = world();
  const ask = (directory: number, at: number) => guard.directoryLine(w.m, directory, mono(at));
  assert.equal(taken(999, () => ask(0, 0)), 200);
  assert.equal(ask(0, 49), false);
  assert.equal(ask(0, 50), true);
  let rest = 0;
  for (let directory = 1; directory < 9; directory += 1) {
    rest += taken(999, () => ask(directory, 50));
  }
  assert.equal(rest, 804, "1,000 of all, less 200 and 1, and 5 came back");
  assert.equal(w.stats(50).refusals.lines, 799 + 1 + (8 * 999 - 804));
});

test("maker: guard: a line that the common budget refuses leaves the directory its own", () => {
  const w = world(with_({ lines: { ...tight, burst: 1 } }));
  assert.equal(guard.directoryLine(w.m, 0, mono(0)), true);
  assert.equal(taken(300, () => guard.directoryLine(w.m, 1, mono(0))), 0);
  assert.equal(w.m.buckets.directoryLines.tats.has(1), false);
});

test("maker: guard: a nick has a hundred signed lines at once and ten a second", () => {
  const w = world();
  assert.equal(taken(500, () => w.signed("a", through(0), 0)), 100);
  assert.equal(w.signed("a", through(0), 99), false);
  assert.equal(w.signed("a", through(0), 100), true);
  assert.equal(w.signed("b", through(0), 100), true);
});

// Row 15 with row 12: what was signed once can be said again by whoever heard it.
test("maker: guard: lines said again through one directory spend nothing elsewhere", () => {
  const w = world();
  for (let n = 0; n < 500; n += 1) w.signed("victim", through(3), 0);
  assert.equal(w.signed("victim", through(3), 0), false);
  assert.equal(w.signed("victim", through(1), 0), true);
  assert.equal(w.signed("victim", over(3), 0), true, "a connection is not a directory");
});

// Row 11: nothing grows without bound.
test("maker: guard: fresh nicks are forgotten, a spent one stays", () => {
  const w = world(with_({}, { nicksMax: 10 }));
  taken(100, () => w.signed("spent", through(0), 0));
  for (let n = 0; n < 200; n += 1) {
    assert.equal(w.signed(`fresh ${n}`, through(0), 1), true);
    assert.ok(w.m.senders.size <= 10);
    assert.ok(w.m.buckets.nickLines.tats.size <= 10);
  }
  assert.equal(w.signed("spent", through(0), 1), false);
  assert.equal(w.signed("next", through(0), 101), true);
  assert.equal(w.m.senders.size, 2, "who has refilled went first");
});

test("maker: guard: askers are bounded too", () => {
  const w = world({
    ...with_({ directoryReplies: wide, replies: wide }),
    orderbook: { ...defaults.orderbook, keysMax: 50 },
    direct: { ...defaults.direct, keysMax: 20 },
  });
  for (let n = 0; n < 300; n += 1) {
    w.ask(n % 64, `nick ${n}`, n);
    w.askDirect(n, n);
  }
  assert.equal(w.m.asked.entries.size, 50);
  assert.ok(w.m.askedDirect.entries.size <= 20);
});

test("maker: guard: a minute without trouble leaves nothing behind at the next call", () => {
  const w = world();
  for (let n = 0; n < 50; n += 1) {
    w.ask(n % 8, `nick ${n}`, 0);
    w.signed(`nick ${n}`, through(n % 8), 0);
    w.line(n, 0);
    w.askDirect(n, 0);
    guard.directoryLine(w.m, n % 8, mono(0));
  }
  assert.equal(w.line(999, guard.sweepMs), true);
  const tats = Object.values(w.m.buckets).map(({ tats: { size } }) => size);
  assert.deepEqual([w.m.senders.size, w.m.asked.entries.size, w.m.askedDirect.entries.size],
    [0, 0, 0]);
  assert.equal(tats.reduce((sum, size) => sum + size, 0), 2, "the line just now, and that of all");
});

test("maker: guard: the log names the first, each tenth and the ban, and no more", () => {
  const w = world(with_({ logs: wide }));
  for (let n = 0; n < 300; n += 1) w.ask(0, "a", n);
  const told = w.logs.map(({ code, fields }) => `${code} ${String(fields["violations"])}`);
  assert.deepEqual(told, [
    "maker.asker-early 1", "maker.asker-early 10", "maker.asker-early 20", "maker.asker-early 30",
    "maker.asker-early 40", "maker.asker-early 50", "maker.asker-early 60", "maker.asker-early 70",
    "maker.asker-early 80", "maker.asker-early 90", "maker.asker-banned 100",
  ]);
  assert.deepEqual(w.logs.at(-1), {
    type: "log", level: "warn", code: "maker.asker-banned",
    fields: { nick: "a", directory: 0, violations: 100 },
  });
  assert.deepEqual(w.stats(300).refusals, {
    early: 100, banned: 199, directoryBudget: 0, directBudget: 0, budget: 0, lines: 0,
    nickLines: 0,
  });
});

test("maker: guard: a flood writes few lines, which say how many they stand for", () => {
  const w = world(with_({ directLines: wide }));
  for (let n = 0; n < 20_000; n += 1) {
    w.ask(n % 3, `nick ${n % 700}`, n);
    w.askDirect(n % 90, n);
  }
  // A burst of ten and one a minute, of each level.
  assert.ok(w.logs.length <= 22, `${w.logs.length} lines`);
  const before = w.m.unsaid.warn;
  assert.ok(before > 1_000);
  w.logs.length = 0;
  for (let n = 0; n < 200 && w.logs.length === 0; n += 1) w.ask(7, `late ${n}`, 120_000);
  assert.equal(w.logs[0]?.fields["unsaid"], before);
  assert.equal(w.m.unsaid.warn, 0);
});

test("maker: guard: what is only for debugging keeps no warning out of the log", () => {
  const w = world();
  for (let n = 0; n < 30; n += 1) for (let i = 0; i < 2; i += 1) w.ask(0, `nick ${n}`, 0);
  assert.equal(w.logs.length, 10);
  for (let n = 0; n < 101; n += 1) w.ask(0, "bad", 0);
  assert.equal(w.codes().at(-1), "warn maker.asker-banned");
  assert.equal(w.logs.at(-1)?.fields["unsaid"], undefined);
});

test("maker: guard: dropped lines of a nick are logged by fifties", () => {
  const w = world();
  taken(100 + 149, () => w.signed("a", through(0), 0));
  assert.deepEqual(w.codes(), ["warn maker.lines-dropped", "warn maker.lines-dropped"]);
  assert.deepEqual(w.logs.map(({ fields }) => fields["dropped"]), [50, 100]);
});

test("maker: guard: the report sums up both kinds", () => {
  const w = world();
  for (let n = 0; n < 7; n += 1) for (let i = 0; i < 102; i += 1) w.ask(n, "bad", 0);
  for (let n = 0; n < 5; n += 1) w.ask(0, "hasty", 0);
  for (let n = 0; n < 3; n += 1) w.askDirect(1, 0);
  const { orderbook, direct, refusals } = w.stats(1);
  assert.equal(orderbook.violations, 7 * 101 + 4);
  assert.equal(orderbook.tracked, 8);
  assert.deepEqual(orderbook.banned.map(({ label }) => label.directory), [0, 1, 2, 3, 4]);
  assert.equal(orderbook.bannedMore, 2);
  assert.equal(orderbook.top.length, 5);
  assert.deepEqual(direct.top, [{ label: 1, violations: 2 }]);
  assert.deepEqual([refusals.early, refusals.banned], [7 * 100 + 4 + 2, 7]);
});

test("maker: guard: a reload changes the limits and neither forgives nor forgets", () => {
  const w = world();
  for (let n = 0; n < 102; n += 1) w.ask(0, "bad", 0);
  taken(100, (n) => w.signed(n === 0 ? "a" : "b", through(0), 0));
  guard.reload(w.m, with_({ nickLines: { tokens: 1, perMs: 1_000, burst: 5 } }, {
    orderbook: { ...defaults.orderbook, intervalMs: 1_000, banMs: 60_000 }, nicksMax: 1,
  }), mono(0));
  assert.equal(w.m.senders.size, 1, "the one that had spent least went");
  assert.equal(w.signed("b", through(0), 0), false);
  assert.equal(w.ask(0, "bad", 59_999), "drop");
  assert.equal(w.ask(0, "bad", 60_000), "answer");
  assert.equal(w.ask(0, "bad", 61_000), "answer");
  assert.equal(w.askDirect(1, 61_000), "answer");
  guard.reload(w.m, { ...defaults, direct: { ...defaults.direct, intervalMs: 50 } }, mono(61_000));
  assert.equal(w.askDirect(1, 61_050), "answer");
});

test("maker: guard: limits and callers out of range are our mistake", () => {
  for (const wrong of [{ nicksMax: 0 }, { connectionsMax: 1.5 }, { directoriesMax: -1 }]) {
    assert.throws(() => guard.create({ ...defaults, ...wrong }), InvariantError);
  }
  assert.throws(() => guard.create(with_({ logs: { ...tight, burst: 0 } })), InvariantError);
  const w = world();
  for (const directory of [-1, 64, 0.5]) {
    assert.throws(() => w.ask(directory, "a", 0), InvariantError);
    assert.throws(() => guard.directoryLine(w.m, directory, mono(0)), InvariantError);
    assert.throws(() => w.signed("a", through(directory), 0), InvariantError);
  }
  assert.throws(() => w.ask(0, "x".repeat(65), 0), InvariantError);
  assert.throws(() => w.signed("x".repeat(65), through(0), 0), InvariantError);
});

type Call =
  | { readonly call: "ask"; readonly directory: number; readonly nick: string }
  | { readonly call: "signed"; readonly directory: number; readonly nick: string }
  | { readonly call: "askDirect" | "line" | "closed"; readonly conn: number }
  | { readonly call: "directoryLine"; readonly directory: number }
  | { readonly call: "reload" | "idle" };
type Said =
  | LogEffect
  | { readonly type: "said"; readonly call: Call; readonly ok: boolean };

const small: guard.Config = {
  orderbook: {
    intervalMs: 20, warnAt: 2, warnFactor: 2, severeAt: 3, severeFactor: 3, banAt: 5, banMs: 90,
    decayMs: 50, keysMax: 5,
  },
  direct: {
    intervalMs: 30, warnAt: 2, warnFactor: 1, severeAt: 2, severeFactor: 1, banAt: 2, banMs: 80,
    decayMs: 40, keysMax: 3,
  },
  budgets: {
    directoryReplies: { tokens: 1, perMs: 10, burst: 3 },
    directReplies: { tokens: 1, perMs: 15, burst: 2 },
    replies: { tokens: 1, perMs: 7, burst: 5 },
    connectionLines: { tokens: 1, perMs: 10, burst: 3 },
    directLines: { tokens: 1, perMs: 4, burst: 6 },
    directoryLines: { tokens: 1, perMs: 10, burst: 3 },
    lines: { tokens: 1, perMs: 6, burst: 5 },
    nickLines: { tokens: 1, perMs: 20, burst: 2 },
    logs: { tokens: 1, perMs: 50, burst: 2 },
  },
  nicksMax: 3, connectionsMax: 3, directoriesMax: 3,
};

const directory = fc.nat(2);
const nick = fc.constantFrom("a", "b", "c", "d");
const conn = fc.nat(5);
const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ call: fc.constant("ask" as const), directory, nick }) },
  { weight: 3, arbitrary: fc.record({ call: fc.constant("signed" as const), directory, nick }) },
  { weight: 4, arbitrary: fc.record({ call: fc.constant("askDirect" as const), conn }) },
  { weight: 3, arbitrary: fc.record({ call: fc.constant("line" as const), conn }) },
  { weight: 3, arbitrary: fc.record({ call: fc.constant("directoryLine" as const), directory }) },
  { weight: 1, arbitrary: fc.record({ call: fc.constant("closed" as const), conn }) },
  { weight: 1, arbitrary: fc.constant<Call>({ call: "reload" }) },
);

function answer(m: guard.Guard, event: Call, now: Mono, out: LogEffect[]): boolean {
  switch (event.call) {
    case "ask": return guard.orderbook(m, event, now, out) === "answer";
    case "signed": return guard.signedLine(m, event.nick, through(event.directory), now, out);
    case "askDirect": return guard.directOrderbook(m, id(event.conn), now, out) === "answer";
    case "line": return guard.directLine(m, id(event.conn), now);
    case "directoryLine": return guard.directoryLine(m, event.directory, now);
    case "closed": guard.closed(m, id(event.conn), now); return true;
    case "reload": guard.reload(m, small, now); return true;
    case "idle": return true;
  }
}

const subject: Omit<Subject<guard.Guard, Call, Said>, "lives"> = {
  create: () => guard.create(small),
  step(m, event, now, out) {
    if (event.call === "idle") return;
    const logs: LogEffect[] = [];
    const ok = answer(m, event, now, logs);
    out.push({ type: "said", call: event, ok }, ...logs);
  },
  deadline: () => NEVER,
  tick: { call: "idle" },
  settleMs: 0,
  holds(m) {
    const { nickLines, connectionLines, directoryReplies, directoryLines } = m.buckets;
    for (const [size, max] of [
      [m.asked.entries.size, small.orderbook.keysMax],
      [m.askedDirect.entries.size, small.direct.keysMax],
      [m.senders.size, small.nicksMax],
      [nickLines.tats.size, m.senders.size],
      [connectionLines.tats.size, small.connectionsMax],
      [directoryReplies.tats.size, small.directoriesMax],
      [directoryLines.tats.size, small.directoriesMax],
    ] as const) {
      assert.ok(size <= max, `${size} of at most ${max}`);
    }
  },
};

/** No window of a run holds more than the rate gives in it. */
function within(at: readonly Mono[], rate: guard.Budgets["replies"]): void {
  at.forEach((start, i) => at.slice(i).forEach((end, more) => {
    const most = rate.burst + Math.floor(((end - start) * rate.tokens) / rate.perMs);
    assert.ok(more + 1 <= most, `${more + 1} from ${start} to ${end}`);
  }));
}

test("maker: guard: the laws hold, every budget holds, and peace is answered", () => {
  fc.assert(fc.property(scripts(call, 40, 60), (script) => {
    laws({
      ...subject,
      lives({ steps }) {
        const said = steps.flatMap(({ at, effects }) => effects.map((effect) => ({ at, effect })));
        const passed = (...calls: Call["call"][]) => said
          .filter(({ effect: e }) => e.type === "said" && e.ok && calls.includes(e.call.call))
          .map(({ at }) => at);
        within(passed("ask"), small.budgets.replies);
        within(passed("askDirect"), small.budgets.directReplies);
        within(passed("line"), small.budgets.directLines);
        within(passed("directoryLine"), small.budgets.lines);
        const logged = said.filter(({ effect }) => effect.type === "log").map(({ at }) => at);
        within(logged, { ...small.budgets.logs, tokens: 2, burst: 4 });
        // Law 4: who asks nothing for 100 ms, longer than any ban, is answered if the budgets are
        // full again, which they are after 100 ms without anybody.
        steps.forEach(({ at, effects }, i) => {
          const before = steps[i - 1]?.at ?? -1;
          if (at - before < 100 && i > 0) return;
          for (const e of effects) if (e.type === "said") assert.ok(e.ok, `refused at ${at}`);
        });
      },
    }, script.map((timed, i) => (i % 9 === 8 ? { ...timed, afterMs: 100 } : timed)));
  }), { numRuns: 60 });
});
