/**
 * The maker's reports on itself: directory connections, abuse limits, the periodic summary.
 *
 * Rule 1: a report that is due is asked for (`want`); the root gives its numbers in the same step,
 * and they become a line of the log or a notice. A report for which nothing is given is skipped.
 * Rule 2: connections are told always, as a warning while some are missing; limits only when there
 * is anything to tell. A host that slept through several reports makes one of them.
 * Rule 3: summaries come once in `summaryHours`, across restarts: each has a number and is recorded
 * with the wall time. The notice is told before its record, and is told once (`notice.ts`), so a
 * crash between the two neither loses nor repeats it.
 * Rule 4: the wall clock is asked only when the journal is opened, for how much of the period has
 * passed: no less than nothing and no more than all of it. A run counts monotonic time from there.
 * So a clock that jumps makes at most one summary early or one period late, for each restart at
 * most one, and never a row of them.
 * Names of directories come from the operator's configuration; those of peers stand in fields that
 * begin with `nick` or `address`, the latter at `debug`.
 * Not known here: how numbers are counted, and where notices go.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import { isNumeral, parseObject } from "../joinmarket/json.ts";
import type { LogEffect, LogField, LogLevel, Tick } from "../kernel/io.ts";
import { names } from "../notify/format.ts";
import type { Notice, Summary } from "../notify/notice.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";

export type Config = {
  /** The first report on connections, and between two, in ms. 300,000 and 600,000. */
  readonly connectionsFirstMs: number;
  readonly connectionsMs: number;
  /** The first report on limits, and between two, in ms. 600,000 and 3,600,000. */
  readonly limitsFirstMs: number;
  readonly limitsMs: number;
  /** Between two summaries: 1 to 168 hours, 0 for none. 24. */
  readonly summaryHours: number;
  /** A summary that fell into a time of no run comes so long after the start, in ms. 300,000. */
  readonly overdueMs: number;
  /** Names in one line; the others are counted. 5. */
  readonly namesMax: number;
};

export const defaults: Config = {
  connectionsFirstMs: 300_000, connectionsMs: 600_000, limitsFirstMs: 600_000,
  limitsMs: 3_600_000, summaryHours: 24, overdueMs: 300_000, namesMax: 5,
};

export const summaryHoursMax = 168;
const hourMs = 3_600_000;

/** What a limiter has to tell: `top` the worst first. */
export type Limits = {
  readonly violations: number;
  readonly banned: readonly string[];
  readonly top: readonly { readonly name: string; readonly count: number }[];
};

export type Event =
  /** A body of the journal, in order, before `opened`. Those of others are passed over. */
  | { readonly type: "replayed"; readonly body: string }
  /** The journal was read; `unixMs` is the wall time. Once. */
  | { readonly type: "opened"; readonly unixMs: number }
  /** As configured; in the step that wants them. */
  | {
    readonly type: "connections"; readonly connected: readonly string[];
    readonly disconnected: readonly string[];
  }
  /** Of the order book's limiter, by nick, and of direct connections', by address. */
  | { readonly type: "limits"; readonly orderbook: Limits; readonly direct: Limits }
  /** Of the last `summaryHours` before `unixMs`; `update`, if a newer version is known. */
  | {
    readonly type: "summary"; readonly summary: Summary; readonly update: string | undefined;
    readonly unixMs: number;
  }
  | { readonly type: "reloaded"; readonly config: Config }
  | Tick;

export type Want = "connections" | "limits" | "summary";

export type Effect =
  | { readonly type: "want"; readonly what: Want }
  | { readonly type: "notice"; readonly notice: Notice }
  /** To be recorded; nothing waits for the answer. */
  | { readonly type: "record"; readonly body: string }
  | LogEffect;

export type Reports = {
  config: Config;
  connectionsAt: Mono;
  limitsAt: Mono;
  summaryAt: Mono;
  /** Of the last summary; 0 before the first one. */
  seq: number;
  /** The wall time of the last record that was read; none was if this is undefined. */
  lastUnixMs: number | undefined;
  isOpened: boolean;
  /** A summary was wanted and not given yet. */
  isWanted: boolean;
};

/** Reports begin to be due. Asserts the ranges of `config`. */
export function create(config: Config, now: Mono): Reports {
  check(config);
  return {
    config, connectionsAt: after(now, config.connectionsFirstMs),
    limitsAt: after(now, config.limitsFirstMs),
    // A journal that cannot be read keeps nobody from a summary.
    summaryAt: after(now, periodMs(config)), seq: 0, lastUnixMs: undefined, isOpened: false,
    isWanted: false,
  };
}

function check(c: Config): void {
  const spans = [
    c.connectionsFirstMs, c.connectionsMs, c.limitsFirstMs, c.limitsMs, c.overdueMs, c.namesMax,
  ];
  for (const n of spans) {
    assert(Number.isSafeInteger(n), "a limit of reports is whole");
    assert(n >= 1, "a report takes its time");
  }
  assert(Number.isSafeInteger(c.summaryHours), "summaries count whole hours");
  assert(c.summaryHours >= 0 && c.summaryHours <= summaryHoursMax, "a week is the longest period");
}

/** `NEVER` without summaries. */
function periodMs(c: Config): number {
  return c.summaryHours === 0 ? NEVER : c.summaryHours * hourMs;
}

/** Takes one event; numbers that were not wanted are told all the same, summaries are not. */
export function step(m: Reports, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "replayed": return replayed(m, event.body);
    case "opened": return opened(m, event.unixMs, now, out);
    case "connections": return connections(m, event.connected, event.disconnected, out);
    case "limits": return limits(m, event.orderbook, event.direct, out);
    case "summary": return summary(m, event.summary, event.update, event.unixMs, out);
    case "reloaded": return reloaded(m, event.config, now);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When the next report is due. */
export function deadline(m: Reports): Mono {
  return soonest(soonest(m.connectionsAt, m.limitsAt), m.summaryAt);
}

/** What a period of so many hours is called. */
export function labelOf(hours: number): string {
  switch (hours) {
    case 1: return "Hourly";
    case 24: return "Daily";
    case 168: return "Weekly";
    default: return `${hours}-Hour`;
  }
}

/** Is this body of a journal record one of ours? */
export function owns(body: string): boolean {
  return body.startsWith(`{"type":"summary"`);
}

function replayed(m: Reports, body: string): void {
  assert(!m.isOpened, "the journal is read before it is opened");
  if (!owns(body)) return;
  const parsed = parseObject(body);
  if (!parsed.ok) return;
  const seq = parsed.value.fields.get("seq");
  const at = parsed.value.fields.get("at");
  if (!isNumeral(seq) || !isNumeral(at)) return;
  if (!numeral.test(seq.numeral) || !numeral.test(at.numeral)) return;
  m.seq = Number(seq.numeral);
  m.lastUnixMs = Number(at.numeral);
}

/** So that it stays a safe integer. */
const numeral = /^(0|[1-9][0-9]{0,14})$/;

/** Rule 4. The first run ever begins the first period. */
function opened(m: Reports, unixMs: number, now: Mono, out: Effect[]): void {
  assert(!m.isOpened, "the journal is opened once");
  m.isOpened = true;
  if (m.config.summaryHours === 0) return;
  if (m.lastUnixMs === undefined) return record(m, unixMs, out);
  const passedMs = unixMs > m.lastUnixMs ? unixMs - m.lastUnixMs : 0;
  const leftMs = periodMs(m.config) - passedMs;
  m.summaryAt = after(now, leftMs > m.config.overdueMs ? leftMs : m.config.overdueMs);
}

function record(m: Reports, unixMs: number, out: Effect[]): void {
  m.lastUnixMs = unixMs;
  out.push({ type: "record", body: `{"type":"summary","seq":${m.seq},"at":${unixMs}}` });
}

function reloaded(m: Reports, config: Config, now: Mono): void {
  check(config);
  const before = m.config;
  m.config = config;
  if (before.summaryHours !== config.summaryHours) m.summaryAt = after(now, periodMs(config));
  m.connectionsAt = soonest(m.connectionsAt, after(now, config.connectionsMs));
  m.limitsAt = soonest(m.limitsAt, after(now, config.limitsMs));
}

function tick(m: Reports, now: Mono, out: Effect[]): void {
  if (now >= m.connectionsAt) {
    m.connectionsAt = after(now, m.config.connectionsMs);
    out.push({ type: "want", what: "connections" });
  }
  if (now >= m.limitsAt) {
    m.limitsAt = after(now, m.config.limitsMs);
    out.push({ type: "want", what: "limits" });
  }
  if (now >= m.summaryAt) {
    m.summaryAt = after(now, periodMs(m.config));
    m.isWanted = true;
    out.push({ type: "want", what: "summary" });
  }
}

function connections(
  m: Reports, connected: readonly string[], disconnected: readonly string[], out: Effect[],
): void {
  const total = connected.length + disconnected.length;
  const isWhole = disconnected.length === 0;
  const list = names(isWhole ? connected : disconnected, m.config.namesMax);
  const fields = {
    connected: connected.length, total, [isWhole ? "directories" : "disconnected"]: list,
  };
  log(isWhole ? "info" : "warn", "maker.report-connections", fields, out);
}

function limits(m: Reports, orderbook: Limits, direct: Limits, out: Effect[]): void {
  const max = m.config.namesMax;
  if (isWorthTelling(orderbook)) {
    const { violations, banned } = orderbook;
    log("info", "maker.report-orderbook-limits", {
      violations, banned: banned.length, nick: names(banned, max), nickTop: top(orderbook, max),
    }, out);
  }
  if (!isWorthTelling(direct)) return;
  const { violations, banned } = direct;
  log("info", "maker.report-direct-limits", { violations, banned: banned.length }, out);
  const addresses = { address: names(banned, max), addressTop: top(direct, max) };
  log("debug", "maker.report-direct-limits-peers", addresses, out);
}

function isWorthTelling(l: Limits): boolean {
  return l.violations > 0 || l.banned.length > 0;
}

function top(l: Limits, max: number): string {
  return names(l.top.slice(0, max).map(({ name, count }) => `${name}(${count})`), max);
}

function summary(
  m: Reports, given: Summary, update: string | undefined, unixMs: number, out: Effect[],
): void {
  if (!m.isWanted) return;
  m.isWanted = false;
  m.seq += 1;
  const label = labelOf(m.config.summaryHours);
  const { requests, successful, failed, disclosed } = given;
  log("info", "maker.report-summary", {
    label, requests, successful, failed, feesSat: `${given.feesSat}`,
    volumeSat: `${given.volumeSat}`, successfulVolumeSat: `${given.successfulVolumeSat}`, disclosed,
  }, out);
  const notice: Notice = { kind: "summary", seq: m.seq, label, summary: given, update };
  out.push({ type: "notice", notice });
  record(m, unixMs, out);
}

function log(
  level: LogLevel, code: string, fields: { readonly [name: string]: LogField }, out: Effect[],
): void {
  out.push({ type: "log", level, code, fields });
}
