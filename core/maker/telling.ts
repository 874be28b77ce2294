/**
 * Notices and reports as the maker makes them.
 *
 * Rule 1: what became of a transaction is told from the book: the record is durable before the
 * notice exists, and a record says that it was told. When the outbox is closing nothing is told
 * any more, and no record says otherwise: the next process tells it.
 * @module
 */
import { unreachable } from "../assert.ts";
import * as book from "../history/book.ts";
import { encode } from "../history/body.ts";
import type { Row } from "../history/entry.ts";
import * as stats from "../history/stats.ts";
import * as delivery from "../notify/delivery.ts";
import type { Effect, Event } from "../notify/events.ts";
import type { GivenUp, Notice, Summary } from "../notify/notice.ts";
import { holdings } from "./funds.ts";
import * as guard from "./guard.ts";
import { say, unixMsAt, type Maker, type Turn } from "./node.ts";
import type * as pending from "./pending-events.ts";
import * as pool from "./pool.ts";
import type { Offender, Report } from "./rates.ts";
import * as reports from "./reports.ts";
import type { View } from "./slots.ts";
import * as updates from "./updates.ts";
import * as wallet from "./wallet.ts";

/** Something for the outbox of notices. */
export function tell(d: Maker, event: Event, t: Turn): void {
  const wishes: Effect[] = [];
  delivery.step(d.notify, event, t.now, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "record": {
        const recorder = { who: "notify", token: wish.token, body: wish.body } as const;
        t.todo.push({ do: "record", recorder });
        break;
      }
      case "req.start": case "req.drop": case "exec.start":
        t.todo.push({ do: "order", asker: "notify", effect: wish });
        break;
      case "log": say(d, wish, t); break;
      case "closed": break;
      default: unreachable(wish); /* c8 ignore next */
    }
  }
}

/** A notice goes to whoever is to hear of it. */
export function notice(d: Maker, one: Notice, t: Turn): void {
  tell(d, { type: "told", notice: one, unixMs: unixMsAt(d, t.now) }, t);
}

/** What became of a transaction, from the book; and a record that it was told. */
export function became(d: Maker, wish: Extract<pending.Effect, { type: "notice" }>, t: Turn): void {
  if (d.notify.closing !== "no") return;
  t.todo.push({ do: "active" });
  const row = book.rowById(d.book, wish.of);
  const told = row === undefined ? undefined : noticeOf(row, wish.what);
  if (told !== undefined) notice(d, told, t);
  const body = encode({ type: "told", of: wish.seq });
  t.todo.push({ do: "record", recorder: { who: "told", token: wish.seq, body } });
}

function noticeOf(row: Row, what: string): Notice | undefined {
  const { txid, amountSat, confirmations } = row.entry;
  const ref = String(row.id);
  const known = txid === "" ? undefined : txid;
  const unseenMs = row.ageMs;
  switch (what) {
    case "seen": return { kind: "tx-seen", txid, amountSat };
    case "confirmed": return { kind: "tx-confirmed", txid, amountSat, confirmations };
    case "lost": case "warned":
      return { kind: "tx-warned", ref, txid: known, amountSat, unseenMs };
    case "given-up":
      return { kind: "tx-given-up", ref, txid: known, amountSat, unseenMs, why: whyOf(row) };
    case "returned": return { kind: "tx-back", ref, txid, amountSat };
    default: return undefined;
  }
}

function whyOf({ entry: { txid, reason } }: Row): GivenUp {
  if (/conflict|spent its coins/i.test(reason)) return "conflicted";
  return txid === "" ? "not-broadcast" : "not-found";
}

/** Something for the look for a newer version. */
export function look(d: Maker, event: updates.Event, t: Turn): void {
  const wishes: updates.Effect[] = [];
  updates.step(d.updates, event, t.now, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "req.start": case "req.drop":
        t.todo.push({ do: "order", asker: "update", effect: wish });
        break;
      case "notice": notice(d, wish.notice, t); break;
      case "log": say(d, wish, t); break;
      default: unreachable(wish); /* c8 ignore next */
    }
  }
}

/** Something for the reports. */
export function report(d: Maker, event: reports.Event, t: Turn): void {
  const wishes: reports.Effect[] = [];
  reports.step(d.reports, event, t.now, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "want": report(d, wanted(d, wish.what, t), t); break;
      case "notice": notice(d, wish.notice, t); break;
      case "record": {
        const recorder = { who: "reports", token: 0, body: wish.body } as const;
        t.todo.push({ do: "record", recorder });
        break;
      }
      case "log": say(d, wish, t); break;
      default: unreachable(wish); /* c8 ignore next */
    }
  }
}

function wanted(d: Maker, what: reports.Want, t: Turn): reports.Event {
  switch (what) {
    case "connections": {
      const views = pool.views(d.pool);
      return {
        type: "connections", connected: views.filter(isUp).map((v) => v.directory),
        disconnected: views.filter((v) => !isUp(v)).map((v) => v.directory),
      };
    }
    case "limits": {
      const { orderbook, direct } = guard.statistics(d.guard, t.now);
      return {
        type: "limits", orderbook: limitsOf(orderbook, ({ nick }) => nick),
        direct: limitsOf(direct, (conn) => `connection ${conn}`),
      };
    }
    case "summary":
      return {
        type: "summary", summary: summaryOf(d, t), update: updates.available(d.updates),
        unixMs: unixMsAt(d, t.now),
      };
    default: return unreachable(what); /* c8 ignore next */
  }
}

const isUp = (view: View): boolean => view.phase === "up";

function limitsOf<L>(report: Report<L>, name: (label: L) => string): reports.Limits {
  const named = (one: Offender<L>): string => name(one.label);
  return {
    violations: report.violations, banned: report.banned.map(named),
    top: report.top.map((one) => ({ name: named(one), count: one.violations })),
  };
}

function summaryOf(d: Maker, t: Turn): Summary {
  const toUs = unixMsAt(d, t.now) * 1_000;
  const fromUs = toUs - d.config.reports.summaryHours * 3_600_000_000;
  const s = stats.between(d.book, fromUs, toUs, "maker");
  const { balanceSat, coins } = holdings(d);
  const views = pool.views(d.pool);
  const isKnown = wallet.isReliable(d.wallet);
  return {
    requests: s.requests, successful: s.successful, failed: s.failed, feesSat: s.feesEarnedSat,
    volumeSat: s.volumeSat, successfulVolumeSat: s.successfulVolumeSat, disclosed: s.utxosDisclosed,
    balanceSat: isKnown ? balanceSat : undefined, coins: isKnown ? coins : undefined,
    connected: views.filter(isUp).length, directories: views.length,
  };
}
