/**
 * Abuse limits: what strangers may make the maker do.
 *
 * Rule 1: a public `!orderbook` is unsigned, and only the directory that relayed it says who asked.
 * So its limits are kept for the pair of directory and nick: a directory that makes up requests in
 * another's name spends what that nick has with this directory, and nothing of what it has with
 * others.
 * Rule 2: a fresh nick costs nothing. So every directory has a budget of replies for all nicks
 * together, all directories have one, and so have all direct connections: whoever changes nicks, or
 * owns a directory, gets that and no more, and takes nothing from those who ask directly. A request
 * that a budget refuses is nobody's violation and spends nothing else.
 * Rule 3: a direct connection comes out of Tor from the same address as all others, so its limits
 * are those of the connection. Connecting again brings fresh ones, so all direct connections have
 * budgets together.
 * Rule 4: a private line is charged before its signature is looked at, to the directory and to all,
 * because looking is what costs. With a good signature it is charged to its nick at this ingress:
 * a signed line can be said again by a directory that has heard it, and such a directory must not
 * spend what the nick has elsewhere.
 * Rule 5: everything remembered is bounded, and so is what is logged: what went unsaid is counted
 * and told with the next line.
 * Rule 6: there is no deadline. What has expired is dropped while other calls come in, at most once
 * in `sweepMs`; without calls nothing grows.
 *
 * Closes and answers nothing itself. Own requests and malformed nicks are the caller's to drop; it
 * numbers the directories from 0 and gives no number to another while this one remembers it.
 * @module
 */
import { assert } from "../assert.ts";
import type { Rate } from "../directory/config.ts";
import type { ConnId } from "../ids.ts";
import type { LogEffect } from "../kernel/io.ts";
import * as limiter from "../limiter.ts";
import { after, type Mono } from "../time.ts";
import * as rates from "./rates.ts";

export type Budgets = {
  /** Replies to public requests through one directory. 2/s, burst 100. */
  readonly directoryReplies: Rate;
  /** Replies to requests over all direct connections. 2/s, burst 50. */
  readonly directReplies: Rate;
  /** Replies to public requests through all directories: as many as of ten. 20/s, burst 300. */
  readonly replies: Rate;
  /**
   * Lines of one direct connection. 5/s, burst 20, as joinmarket-ng's DirectConnectionRateLimiter.
   */
  readonly connectionLines: Rate;
  /** Lines of all direct connections. 50/s, burst 500. */
  readonly directLines: Rate;
  /** Private lines through one directory, before their signatures. 20/s, burst 200. */
  readonly directoryLines: Rate;
  /** Private lines through all directories. 100/s, burst 1,000: at most a tenth of a core. */
  readonly lines: Rate;
  /** Signed lines of one nick at one ingress. 10/s, burst 100, as joinmarket-ng's per nick. */
  readonly nickLines: Rate;
  /** Lines of log of each level. 1/min, burst 10. */
  readonly logs: Rate;
};

export type Config = {
  /** Public requests, by directory and nick. */
  readonly orderbook: rates.Config;
  /** Requests over direct connections, by connection. */
  readonly direct: rates.Config;
  readonly budgets: Budgets;
  /** Nicks whose signed lines are counted. 4,096; at least 1. */
  readonly nicksMax: number;
  /** Direct connections whose lines are counted; lines of others are refused. 1,024. */
  readonly connectionsMax: number;
  /** Directories are numbered below this. 64. */
  readonly directoriesMax: number;
};

export const defaults: Config = {
  orderbook: rates.orderbook,
  direct: rates.direct,
  budgets: {
    directoryReplies: { tokens: 2, perMs: 1_000, burst: 100 },
    directReplies: { tokens: 2, perMs: 1_000, burst: 50 },
    replies: { tokens: 20, perMs: 1_000, burst: 300 },
    connectionLines: { tokens: 5, perMs: 1_000, burst: 20 },
    directLines: { tokens: 50, perMs: 1_000, burst: 500 },
    directoryLines: { tokens: 20, perMs: 1_000, burst: 200 },
    lines: { tokens: 100, perMs: 1_000, burst: 1_000 },
    nickLines: { tokens: 10, perMs: 1_000, burst: 100 },
    logs: { tokens: 1, perMs: 60_000, burst: 10 },
  },
  nicksMax: 4_096, connectionsMax: 1_024, directoriesMax: 64,
};

/** What has expired is dropped this often at most, in ms. */
export const sweepMs = 60_000;
/** A violation is logged if it is the first or a multiple of this, as in joinmarket-ng. */
export const loggedEach = 10;
/** So many dropped lines of one nick are logged as one, as in joinmarket-ng. */
export const droppedEach = 50;
/** Characters of a nick, well-formed or not. */
const nickLengthMax = 64;

/** Who asked in public. */
export type Asker = { readonly directory: number; readonly nick: string };

/** Where a private line came from. */
export type Ingress =
  | { readonly via: "directory"; readonly directory: number }
  | { readonly via: "direct"; readonly conn: ConnId };

/** A nick whose signed lines are counted. */
type Sender = { readonly id: number; dropped: number };

/** How often each refusal was given since the start. */
export type Refusals = {
  /** Requests too early, and of those who are banned. */
  early: number; banned: number;
  /** Requests beyond a budget: of the directory, of all direct connections, of all. */
  directoryBudget: number; directBudget: number; budget: number;
  /** Lines beyond a budget: of the ingress, and signed ones of a nick. */
  lines: number; nickLines: number;
};

export type Guard = {
  config: Config;
  readonly asked: rates.Rates<Asker>;
  readonly askedDirect: rates.Rates<ConnId>;
  readonly buckets: { readonly [budget in keyof Budgets]: limiter.Limiter };
  /** By ingress and nick. */
  readonly senders: Map<string, Sender>;
  nextSender: number;
  /** Lines of log that were not written since the last one that was, by level. */
  readonly unsaid: { warn: number; debug: number };
  readonly refusals: Refusals;
  sweepAt: Mono;
};

/** `answer` it; `drop` it without a word; `close` the connection that it came over. */
export type Verdict = "answer" | "drop" | "close";

/** For the periodic report and the metrics. A copy. */
export type Statistics = {
  readonly orderbook: rates.Report<Asker>;
  readonly direct: rates.Report<ConnId>;
  readonly refusals: Readonly<Refusals>;
};

const all = 0;

/** Nothing spent, nobody known. Asserts the ranges of every limit. */
export function create(config: Config): Guard {
  assertConfig(config);
  const b = config.budgets;
  return {
    config,
    asked: rates.create(config.orderbook),
    askedDirect: rates.create(config.direct),
    buckets: {
      directoryReplies: limiter.create(b.directoryReplies),
      directReplies: limiter.create(b.directReplies),
      replies: limiter.create(b.replies),
      connectionLines: limiter.create(b.connectionLines),
      directLines: limiter.create(b.directLines),
      directoryLines: limiter.create(b.directoryLines),
      lines: limiter.create(b.lines),
      nickLines: limiter.create(b.nickLines),
      logs: limiter.create(b.logs),
    },
    senders: new Map(),
    nextSender: 1,
    unsaid: { warn: 0, debug: 0 },
    refusals: {
      early: 0, banned: 0, directoryBudget: 0, directBudget: 0, budget: 0, lines: 0, nickLines: 0,
    },
    sweepAt: 0 as Mono,
  };
}

/** A public `!orderbook` came through a directory: `answer` or `drop`. */
export function orderbook(m: Guard, asker: Asker, now: Mono, out: LogEffect[]): Verdict {
  const { directory, nick } = asker;
  assertDirectory(m, directory);
  assert(nick.length <= nickLengthMax, "a nick is short");
  if (now >= m.sweepAt) sweep(m, now);
  const key = `${directory} ${nick}`;
  const verdict = rates.judge(m.asked, key, now);
  if (verdict !== "ok") {
    count(m, verdict);
    const violations = rates.violationsOf(m.asked, key, now);
    logViolation(m, verdict, violations, { nick, directory }, now, out);
    return "drop";
  }
  if (!limiter.take(m.buckets.directoryReplies, directory, now)) {
    return overBudget(m, "directoryBudget", { directory }, now, out);
  }
  if (!limiter.take(m.buckets.replies, all, now)) {
    limiter.refund(m.buckets.directoryReplies, directory, now);
    return overBudget(m, "budget", { directory }, now, out);
  }
  rates.answered(m.asked, key, { directory, nick }, now);
  return "answer";
}

/** An `!orderbook` came over a direct connection, after its line passed `directLine`. */
export function directOrderbook(m: Guard, conn: ConnId, now: Mono, out: LogEffect[]): Verdict {
  if (now >= m.sweepAt) sweep(m, now);
  const key = String(conn);
  const verdict = rates.judge(m.askedDirect, key, now);
  if (verdict !== "ok") {
    count(m, verdict);
    const violations = rates.violationsOf(m.askedDirect, key, now);
    logViolation(m, verdict, violations, { conn }, now, out);
    return verdict === "early" ? "drop" : "close";
  }
  if (!limiter.take(m.buckets.directReplies, all, now)) {
    return overBudget(m, "directBudget", { conn }, now, out);
  }
  rates.answered(m.askedDirect, key, conn, now);
  return "answer";
}

/** May a line of a direct connection be looked at? Every line, whatever it says. */
export function directLine(m: Guard, conn: ConnId, now: Mono): boolean {
  if (now >= m.sweepAt) sweep(m, now);
  const own = m.buckets.connectionLines;
  if (!hasRoom(m, conn, now) || !limiter.take(own, conn, now)) return refused(m, "lines");
  if (limiter.take(m.buckets.directLines, all, now)) return true;
  limiter.refund(own, conn, now);
  return refused(m, "lines");
}

/** May the signature of a private line that came through a directory be looked at? */
export function directoryLine(m: Guard, directory: number, now: Mono): boolean {
  assertDirectory(m, directory);
  if (now >= m.sweepAt) sweep(m, now);
  const own = m.buckets.directoryLines;
  if (!limiter.take(own, directory, now)) return refused(m, "lines");
  if (limiter.take(m.buckets.lines, all, now)) return true;
  limiter.refund(own, directory, now);
  return refused(m, "lines");
}

/** May a private line be acted on that `nick` signed? */
export function signedLine(
  m: Guard, nick: string, ingress: Ingress, now: Mono, out: LogEffect[],
): boolean {
  assert(nick.length <= nickLengthMax, "a nick is short");
  if (now >= m.sweepAt) sweep(m, now);
  const sender = senderOf(m, `${nameOf(m, ingress)} ${nick}`, now);
  if (limiter.take(m.buckets.nickLines, sender.id, now)) return true;
  sender.dropped += 1;
  if (sender.dropped % droppedEach === 0) {
    say(m, "warn", "maker.lines-dropped", { nick, dropped: sender.dropped }, now, out);
  }
  return refused(m, "nickLines");
}

/** A direct connection is gone. What it did wrong stays in the report for a while. */
export function closed(m: Guard, conn: ConnId, now: Mono): void {
  limiter.forget(m.buckets.connectionLines, conn);
  rates.gone(m.askedDirect, String(conn), now);
}

/** Other limits from `now` on. What was spent stays spent, and who is banned stays banned. */
export function reload(m: Guard, config: Config, now: Mono): void {
  assertConfig(config);
  m.config = config;
  rates.reload(m.asked, config.orderbook, now);
  rates.reload(m.askedDirect, config.direct, now);
  for (const budget of budgetsOf(config)) {
    limiter.setRate(m.buckets[budget], config.budgets[budget], now);
  }
  while (m.senders.size > config.nicksMax) evictSender(m, now);
}

export function statistics(m: Guard, now: Mono): Statistics {
  return {
    orderbook: rates.report(m.asked, now),
    direct: rates.report(m.askedDirect, now),
    refusals: { ...m.refusals },
  };
}

function count(m: Guard, verdict: Exclude<rates.Verdict, "ok">): void {
  m.refusals[verdict === "banned" ? "banned" : "early"] += 1;
}

function refused(m: Guard, why: keyof Refusals): false {
  m.refusals[why] += 1;
  return false;
}

function overBudget(
  m: Guard, why: keyof Refusals, who: LogEffect["fields"], now: Mono, out: LogEffect[],
): Verdict {
  m.refusals[why] += 1;
  say(m, "warn", "maker.replies-spent", { ...who, budget: why }, now, out);
  return "drop";
}

/** The first, each tenth, and the ban; nothing of those who are banned already. */
function logViolation(
  m: Guard, verdict: rates.Verdict, violations: number, who: LogEffect["fields"],
  now: Mono, out: LogEffect[],
): void {
  if (verdict === "banned") return;
  const isBan = verdict === "ban";
  if (!isBan && violations !== 1 && violations % loggedEach !== 0) return;
  const fields = { ...who, violations };
  if (isBan) say(m, "warn", "maker.asker-banned", fields, now, out);
  else say(m, "debug", "maker.asker-early", fields, now, out);
}

function say(
  m: Guard, level: "warn" | "debug", code: string, fields: LogEffect["fields"],
  now: Mono, out: LogEffect[],
): void {
  if (!limiter.take(m.buckets.logs, level === "warn" ? 1 : 0, now)) {
    m.unsaid[level] += 1;
    return;
  }
  const unsaid = m.unsaid[level];
  m.unsaid[level] = 0;
  out.push({ type: "log", level, code, fields: unsaid > 0 ? { ...fields, unsaid } : fields });
}

function nameOf(m: Guard, ingress: Ingress): string {
  if (ingress.via === "direct") return `c${ingress.conn}`;
  assertDirectory(m, ingress.directory);
  return `d${ingress.directory}`;
}

function senderOf(m: Guard, key: string, now: Mono): Sender {
  const known = m.senders.get(key);
  if (known !== undefined) return known;
  if (m.senders.size >= m.config.nicksMax) evictSender(m, now);
  const sender = { id: m.nextSender, dropped: 0 };
  m.nextSender += 1;
  m.senders.set(key, sender);
  return sender;
}

/** All that have refilled go; if none has, the one that is nearest to it. */
function evictSender(m: Guard, now: Mono): void {
  const before = m.senders.size;
  sweepSenders(m, now);
  if (m.senders.size < before) return;
  const { tats } = m.buckets.nickLines;
  let found: string | undefined;
  let leastTat = Number.MAX_SAFE_INTEGER;
  for (const [key, { id }] of m.senders) {
    const tat = tats.get(id) ?? 0;
    if (tat >= leastTat) continue;
    found = key;
    leastTat = tat;
  }
  assert(found !== undefined, "a full table has senders");
  limiter.forget(m.buckets.nickLines, m.senders.get(found)!.id);
  m.senders.delete(found);
}

function sweepSenders(m: Guard, now: Mono): void {
  limiter.sweep(m.buckets.nickLines, now);
  const { tats } = m.buckets.nickLines;
  for (const [key, { id }] of m.senders) if (!tats.has(id)) m.senders.delete(key);
}

/** Is this connection counted, or may it be? */
function hasRoom(m: Guard, conn: ConnId, now: Mono): boolean {
  const { tats } = m.buckets.connectionLines;
  if (tats.has(conn) || tats.size < m.config.connectionsMax) return true;
  limiter.sweep(m.buckets.connectionLines, now);
  return tats.size < m.config.connectionsMax;
}

function sweep(m: Guard, now: Mono): void {
  m.sweepAt = after(now, sweepMs);
  rates.sweep(m.asked, now);
  rates.sweep(m.askedDirect, now);
  for (const budget of budgetsOf(m.config)) limiter.sweep(m.buckets[budget], now);
  sweepSenders(m, now);
}

function budgetsOf(config: Config): readonly (keyof Budgets)[] {
  return Object.keys(config.budgets) as (keyof Budgets)[];
}

function assertDirectory(m: Guard, directory: number): void {
  assert(Number.isInteger(directory), "directories are numbered");
  assert(directory >= 0 && directory < m.config.directoriesMax, "a directory beyond the limit");
}

function assertConfig(config: Config): void {
  for (const count of [config.nicksMax, config.connectionsMax, config.directoriesMax]) {
    assert(Number.isSafeInteger(count), "a limit is a whole number");
    assert(count >= 1, "a limit is at least 1");
  }
}
