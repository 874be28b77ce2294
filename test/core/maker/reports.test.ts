import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import { isBody } from "../../../core/history/record.ts";
import * as reports from "../../../core/maker/reports.ts";
import type { Config, Effect, Event, Reports } from "../../../core/maker/reports.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { laws, scripts, type Run, type Subject } from "../../support/laws.ts";
import { summary } from "../../support/notices.ts";

const hour = 3_600_000;
const day = 24 * hour;
const at0 = 1_763_780_000_000;

function bench(config: Partial<Config> = {}, startAt = 0) {
  let now = mono(startAt);
  const m = reports.create({ ...reports.defaults, ...config }, now);
  const say = (event: Event): readonly Effect[] => {
    const out: Effect[] = [];
    reports.step(m, event, now, out);
    assert.ok(reports.deadline(m) > now);
    return out;
  };
  const wants: string[] = [];
  return {
    m, say, wants,
    /** Goes to `ms`; every report that is due is wanted at its own instant. */
    to: (ms: number) => {
      for (let i = 0; reports.deadline(m) <= ms; i += 1) {
        assert.ok(i < 10_000);
        now = reports.deadline(m);
        for (const e of say({ type: "tick" })) {
          if (e.type === "want") wants.push(`${e.what} ${now}`);
        }
      }
      now = mono(ms);
    },
    late: (ms: number) => {
      now = mono(ms);
      return say({ type: "tick" });
    },
    give: (unixMs: number) => say({ type: "summary", summary, update: undefined, unixMs }),
  };
}

const logs = (effects: readonly Effect[]): readonly string[] => effects.flatMap((e) =>
  e.type === "log" ? [`${e.level} ${e.code} ${JSON.stringify(e.fields)}`] : []);
const names = (count: number, prefix: string): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);

test("maker: reports: connections each 600 s from 300 s on, limits each hour", () => {
  const b = bench({ summaryHours: 0 });
  b.to(299_999);
  assert.equal(b.wants.length, 0);
  b.to(300_000);
  assert.deepEqual(b.wants, ["connections 300000"]);
  b.to(1_500_000);
  assert.deepEqual(b.wants.slice(1),
    ["limits 600000", "connections 900000", "connections 1500000"]);
  b.to(4_199_999);
  assert.equal(b.wants.filter((w) => w.startsWith("limits")).length, 1);
  b.to(4_200_000);
  assert.equal(b.wants.filter((w) => w.startsWith("limits")).length, 2);
});

test("maker: reports: missing directories are a warning, five named and the rest counted", () => {
  const b = bench();
  const told = logs(b.say({
    type: "connections", connected: ["x"], disconnected: names(7, "d"),
  }));
  assert.deepEqual(told, [
    `warn maker.report-connections {"connected":1,"total":8,`
      + `"disconnected":"d0, d1, d2, d3, d4, ... and 2 more"}`,
  ]);
  const well = b.say({ type: "connections", connected: names(5, "d"), disconnected: [] });
  assert.deepEqual(logs(well), [
    `info maker.report-connections {"connected":5,"total":5,"directories":"d0, d1, d2, d3, d4"}`,
  ]);
});

const quiet: reports.Limits = { violations: 0, banned: [], top: [] };

test("maker: reports: limits are told only when there is anything to tell", () => {
  const b = bench();
  assert.deepEqual(b.say({ type: "limits", orderbook: quiet, direct: quiet }), []);
  const busy: reports.Limits = {
    violations: 120, banned: names(6, "J5"),
    top: names(9, "J5").map((name, i) => ({ name, count: 99 - i })),
  };
  assert.deepEqual(logs(b.say({ type: "limits", orderbook: busy, direct: quiet })), [
    `info maker.report-orderbook-limits {"violations":120,"banned":6,`
      + `"nick":"J50, J51, J52, J53, J54, ... and 1 more",`
      + `"nickTop":"J50(99), J51(98), J52(97), J53(96), J54(95)"}`,
  ]);
  const banned = { ...quiet, banned: ["10.0.0.1:9"] };
  assert.deepEqual(logs(b.say({ type: "limits", orderbook: quiet, direct: banned })), [
    `info maker.report-direct-limits {"violations":0,"banned":1}`,
    `debug maker.report-direct-limits-peers {"address":"10.0.0.1:9","addressTop":""}`,
  ]);
});

test("maker: reports: periods have the names of the source", () => {
  const labels = [1, 24, 168, 12, 2].map(reports.labelOf);
  assert.deepEqual(labels, ["Hourly", "Daily", "Weekly", "12-Hour", "2-Hour"]);
});

test("maker: reports: a summary becomes a line, a notice and a record, in this order", () => {
  const b = bench();
  assert.deepEqual(b.say({ type: "opened", unixMs: at0 }),
    [{ type: "record", body: `{"type":"summary","seq":0,"at":${at0}}` }]);
  b.to(day);
  assert.equal(b.wants.at(-1), `summary ${day}`);
  const told = b.give(at0 + day);
  assert.deepEqual(told.map((e) => e.type), ["log", "notice", "record"]);
  const [, notice, record] = told;
  assert.deepEqual(notice?.type === "notice" ? notice.notice : {}, {
    kind: "summary", seq: 1, label: "Daily", summary, update: undefined,
  });
  const body = record?.type === "record" ? record.body : "";
  assert.ok(isBody(body));
  assert.ok(reports.owns(body));
  assert.equal(body, `{"type":"summary","seq":1,"at":${at0 + day}}`);
  assert.deepEqual(b.give(at0 + day), [], "nobody wanted another one");
});

test("maker: reports: without a period there are no summaries and no records", () => {
  const b = bench({ summaryHours: 0 });
  assert.deepEqual(b.say({ type: "opened", unixMs: at0 }), []);
  b.to(9 * day);
  assert.ok(b.wants.every((w) => !w.startsWith("summary")));
});

/** A start after a record of `recordedMs`; when its first summary is due. */
function restarted(unixMs: number, recordedMs: number): number {
  const b = bench();
  b.say({ type: "replayed", body: `{"type":"summary","seq":4,"at":${recordedMs - 5}}` });
  b.say({ type: "replayed", body: `{"type":"summary","seq":5,"at":${recordedMs}}` });
  assert.deepEqual(b.say({ type: "opened", unixMs }), []);
  return b.m.summaryAt;
}

test("maker: reports: a restart goes on with the period, and soon makes up a missed one", () => {
  assert.equal(restarted(at0 + 20 * hour, at0), 4 * hour);
  assert.equal(restarted(at0, at0), day);
  const { overdueMs } = reports.defaults;
  assert.equal(restarted(at0 + day - 1, at0), overdueMs);
  assert.equal(restarted(at0 + 9 * day, at0), overdueMs);
});

test("maker: reports: a clock that is set never makes a row of summaries", () => {
  assert.equal(restarted(at0 - 400 * day, at0), day, "set back: one whole period, no longer");
  const b = bench();
  b.say({ type: "replayed", body: `{"type":"summary","seq":5,"at":${at0}}` });
  b.say({ type: "opened", unixMs: at0 + 400 * day });
  b.to(3 * day);
  const summaries = b.wants.filter((w) => w.startsWith("summary"));
  assert.equal(summaries.length, 3, "one that was missed, and one each day");
  assert.equal(restarted(at0 + 400 * day + 1, at0 + 400 * day), day - 1, "its record ends that");
});

test("maker: reports: a daemon that restarts all the time tells one summary a period", () => {
  let recorded: string | undefined;
  let told = 0;
  for (let unixMs = at0; unixMs < at0 + 10 * day; unixMs += 7 * 60_000) {
    const b = bench();
    if (recorded !== undefined) b.say({ type: "replayed", body: recorded });
    const first = b.say({ type: "opened", unixMs });
    const wanted = b.m.summaryAt <= 6 * 60_000;
    b.to(6 * 60_000);
    const given = wanted ? b.give(unixMs + 6 * 60_000) : [];
    told += given.filter((e) => e.type === "notice").length;
    for (const e of [...first, ...given]) if (e.type === "record") recorded = e.body;
  }
  assert.ok(told >= 9 && told <= 10, `${told}`);
});

test("maker: reports: a crash before the record tells the same summary, by the same number", () => {
  const seqOf = () => {
    const b = bench();
    b.say({ type: "replayed", body: `{"type":"summary","seq":5,"at":${at0}}` });
    b.say({ type: "opened", unixMs: at0 + 2 * day });
    b.to(hour);
    const notice = b.give(at0 + 2 * day + hour).find((e) => e.type === "notice");
    return notice?.notice.kind === "summary" ? notice.notice.seq : 0;
  };
  assert.deepEqual([seqOf(), seqOf()], [6, 6]);
});

test("maker: reports: unreadable records and those of others are passed over", () => {
  const b = bench();
  for (const body of [
    "", "{", `{"type":"tx","seq":9,"at":1}`, `{"type":"summary"}`, `{"type":"summary","seq":9}`,
    `{"type":"summary","seq":-9,"at":1}`, `{"type":"summary","seq":9,"at":1.5}`,
    `{"type":"summary","seq":9,"at":1234567890123456}`, `{"type":"summary","seq":`,
  ]) b.say({ type: "replayed", body });
  assert.deepEqual([b.m.seq, b.m.lastUnixMs], [0, undefined]);
});

test("maker: reports: a journal that is never read keeps nobody from a summary", () => {
  const b = bench({}, 77);
  b.to(77 + day);
  assert.equal(b.wants.at(-1), `summary ${77 + day}`);
});

test("maker: reports: a host that slept makes one of each report", () => {
  const b = bench();
  const told = b.late(9 * day);
  assert.deepEqual(told.map((e) => (e.type === "want" ? e.what : "")),
    ["connections", "limits", "summary"]);
  assert.deepEqual(b.late(9 * day + 1), []);
});

test("maker: reports: a reload changes periods from now on", () => {
  const b = bench();
  b.to(hour);
  b.say({ type: "reloaded", config: { ...reports.defaults, summaryHours: 1 } });
  assert.equal(b.m.summaryAt, 2 * hour);
  b.say({ type: "reloaded", config: { ...reports.defaults, summaryHours: 1, limitsMs: 5 } });
  assert.equal(b.m.limitsAt, hour + 5);
  b.say({ type: "reloaded", config: { ...reports.defaults, summaryHours: 0 } });
  assert.equal(b.m.summaryAt, NEVER);
});

test("maker: reports: ranges are kept", () => {
  bench({ summaryHours: 168 });
  for (const wrong of [{ summaryHours: 169 }, { summaryHours: -1 }, { connectionsMs: 0 },
    { summaryHours: NaN }, { limitsFirstMs: 0 }, { namesMax: 0 }, { overdueMs: 0 }]) {
    assert.throws(() => bench(wrong), InvariantError, JSON.stringify(wrong));
  }
  const b = bench();
  b.say({ type: "opened", unixMs: at0 });
  assert.throws(() => b.say({ type: "opened", unixMs: at0 }), InvariantError);
  assert.throws(() => b.say({ type: "replayed", body: "" }), InvariantError);
});

const small: Config = {
  connectionsFirstMs: 30, connectionsMs: 60, limitsFirstMs: 60, limitsMs: 360, summaryHours: 1,
  overdueMs: 30, namesMax: 2,
};

/** No two reports of a kind are closer than their period; none is missing for longer. */
function lives(run: Run<Reports, Event, Effect>): void {
  if (run.steps.some(({ event }) => event.type === "reloaded")) return;
  const last = new Map<string, Mono>();
  for (const { at, effects } of run.steps) {
    for (const e of effects) {
      if (e.type !== "want") continue;
      const before = last.get(e.what);
      const periodMs = { connections: 60, limits: 360, summary: hour }[e.what];
      if (before !== undefined) assert.ok(at - before >= periodMs, e.what);
      last.set(e.what, at);
    }
  }
  assert.ok(run.now - (last.get("connections") ?? 0) <= 60);
}

test("maker: reports: the four laws hold, and no report comes sooner than its period", () => {
  const subject: Subject<Reports, Event, Effect> = {
    create: (now) => {
      const m = reports.create(small, now);
      reports.step(m, { type: "opened", unixMs: at0 }, now, []);
      return m;
    },
    step: reports.step, deadline: reports.deadline, tick: { type: "tick" }, settleMs: 300, lives,
  };
  const list = fc.array(fc.string(), { maxLength: 4 });
  const limits = fc.record({
    violations: fc.nat(9), banned: list,
    top: fc.array(fc.record({ name: fc.string(), count: fc.nat(9) }), { maxLength: 4 }),
  });
  const event: fc.Arbitrary<Event> = fc.oneof(
    fc.record({ type: fc.constant("connections" as const), connected: list, disconnected: list }),
    fc.record({ type: fc.constant("limits" as const), orderbook: limits, direct: limits }),
    fc.record({
      type: fc.constant("summary" as const), summary: fc.constant(summary),
      update: fc.constantFrom(undefined, "1.2.3"), unixMs: fc.nat(),
    }),
    fc.constant<Event>({ type: "reloaded", config: small }),
  );
  fc.assert(fc.property(scripts(event, 200, 20, true), (script) => void laws(subject, script)),
    { numRuns: 60 });
});
