/**
 * The maker's journal and what it holds: who wanted which record, and what everybody learns of the
 * file when it has been read.
 *
 * Rule 1: records become durable in time, or nothing is on offer: not while the disk fails, and not
 * from the moment an order has taken too long until what it was for is durable.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import * as book from "../history/book.ts";
import * as journal from "../history/journal.ts";
import * as record from "../history/record.ts";
import type { StoreEvent } from "../history/store.ts";
import * as letters from "../notify/letter.ts";
import { NEVER } from "../time.ts";
import { log, say, unixMsAt, type Maker, type Recorder, type Turn } from "./node.ts";
import * as pending from "./pending.ts";
import type { Effect as PendingEffect, Event as PendingEvent } from "./pending-events.ts";
import * as reports from "./reports.ts";
import * as telling from "./telling.ts";
import * as words from "./words.ts";

/** Something is to be recorded. */
export function write(d: Maker, recorder: Recorder, t: Turn): void {
  d.counts.records += 1;
  d.records += 1;
  d.recorded.set(d.records, recorder);
  tell(d, { type: "asked", token: d.records, body: recorder.body }, t);
}

/** Something for the journal. */
export function tell(d: Maker, event: journal.Event | StoreEvent, t: Turn): void {
  const wishes: journal.Effect[] = [];
  journal.step(d.journal, event, t.now, wishes);
  for (const wish of wishes) translate(d, wish, t);
  // The order that was late may be the first of several for the same records.
  if (!("slowAt" in d.journal.at)) d.isDiskSlow = false;
  if (isWritable(d) !== d.offers.isWritable) t.todo.push({ do: "disk" });
}

/** Do records become durable, and in time? */
export function isWritable(d: Maker): boolean {
  return d.isRestored && d.diskFailingAt === NEVER && !d.isDiskSlow;
}

function translate(d: Maker, wish: journal.Effect, t: Turn): void {
  switch (wish.type) {
    case "store.load": case "store.append": case "store.sync": case "store.truncate":
      return void t.out.push(wish);
    case "ready": return ready(d, wish, t);
    case "durable": {
      d.isDiskSlow = false;
      const recorder = take(d, wish.token);
      return void t.todo.push({ do: "durable", recorder, seq: wish.seq });
    }
    case "refused": {
      d.counts.recordsRefused += 1;
      t.todo.push({ do: "refused", recorder: take(d, wish.token) });
      return wish.why === "file-full" ? full(d, t) : undefined;
    }
    case "failing": return failing(d, words.diskTrouble(wish.phase, wish.reason), t);
    case "recovered": {
      const { failures } = wish;
      log(d, "info", "maker.disk-recovered", { failures }, t);
      t.todo.push({ do: "notice", notice: { kind: "disk-recovered", failures } });
      return recovered(d);
    }
    case "slow":
      d.isDiskSlow = true;
      return log(d, "warn", "maker.disk-slow", { phase: wish.phase }, t);
    case "broken":
      log(d, "error", "maker.journal-broken", { fault: wish.fault.text }, t);
      return failing(d, wish.fault.text, t);
    default: return unreachable(wish); /* c8 ignore next */
  }
}

function take(d: Maker, token: number): Recorder {
  const recorder = d.recorded.get(token);
  assert(recorder !== undefined, "the journal answers what it was asked, once");
  d.recorded.delete(token);
  return recorder;
}

function failing(d: Maker, why: string, t: Turn): void {
  if (d.diskFailingAt === NEVER) d.diskFailingAt = t.now;
  d.diskTrouble = why;
  log(d, "error", "maker.disk-failing", { why }, t);
  t.todo.push({ do: "notice", notice: { kind: "disk-failing", why } });
}

/** No record has room any more, and no time makes any. */
function full(d: Maker, t: Turn): void {
  if (d.isFileFull) return;
  d.isFileFull = true;
  failing(d, "the journal has its largest size; move it away and restart", t);
}

function recovered(d: Maker): void {
  if (d.isFileFull) return;
  d.diskFailingAt = NEVER;
  d.diskTrouble = "";
}

/** The file was read: the book is made, and everybody hears what concerns it. */
function ready(d: Maker, wish: Extract<journal.Effect, { type: "ready" }>, t: Turn): void {
  const { bytes, end, count, tornBytes } = wish;
  d.book = book.create(d.config.book);
  book.load(d.book, bytes, end, () => {});
  record.each(bytes, end, (_, body) => {
    if (letters.owns(body)) telling.tell(d, { type: "replayed", body }, t);
    else if (reports.owns(body)) telling.report(d, { type: "replayed", body }, t);
  });
  d.isRestored = true;
  const unixMs = unixMsAt(d, t.now);
  telling.tell(d, { type: "opened", unixMs }, t);
  telling.report(d, { type: "opened", unixMs }, t);
  restore(d, t);
  if (tornBytes > 0) log(d, "warn", "maker.journal-torn", { bytes: tornBytes }, t);
  log(d, "info", "maker.journal-ready", { records: count, rows: d.book.rows }, t);
}

/** What the watch over pending transactions has to know of the book. */
function restore(d: Maker, t: Turn): void {
  const { watchedMax, lateMax, noticesQueuedMax } = d.config.pending;
  const { waiting, givenUp } = book.open(d.book, {
    fingerprint: "", waitingMax: watchedMax, givenUpMax: lateMax,
  });
  const untold = [...d.book.untold.values()].slice(0, noticesQueuedMax);
  const isAll = waiting.length < watchedMax && givenUp.length < lateMax
    && untold.length === d.book.untold.size;
  watch(d, { type: "restored", rows: [...waiting, ...givenUp], untold, isAll }, t);
}

/** Something for the watch over pending transactions. */
export function watch(d: Maker, event: PendingEvent, t: Turn): void {
  const wishes: PendingEffect[] = [];
  pending.step(d.pending, event, t.now, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "ask": {
        const asker = { who: "pending", token: wish.token } as const;
        t.todo.push({ do: "ask", asker, question: wish.question });
        break;
      }
      case "record": {
        const recorder = { who: "pending", token: wish.token, body: wish.body } as const;
        t.todo.push({ do: "record", recorder });
        break;
      }
      case "notice": telling.became(d, wish, t); break;
      case "refill": restore(d, t); break;
      case "log": say(d, wish, t); break;
      default: unreachable(wish); /* c8 ignore next */
    }
  }
}

/** A record survives whatever comes: the book has it, then whoever wanted it hears of it. */
export function durable(d: Maker, { who, token, body }: Recorder, seq: number, t: Turn): void {
  book.take(d.book, seq, body);
  switch (who) {
    case "pending": return watch(d, { type: "durable", token, seq }, t);
    case "told": return watch(d, { type: "told", seq: token }, t);
    case "notify": return telling.tell(d, { type: "durable", token }, t);
    case "reports": return;
    default: return unreachable(who); /* c8 ignore next */
  }
}

/** A record is not in the file. */
export function refused(d: Maker, { who, token }: Recorder, t: Turn): void {
  switch (who) {
    case "pending": return watch(d, { type: "refused", token }, t);
    // It was told and is told again by the next process: nothing is lost by that.
    case "told": return watch(d, { type: "told", seq: token }, t);
    case "notify": return telling.tell(d, { type: "refused", token }, t);
    case "reports": return;
    default: return unreachable(who); /* c8 ignore next */
  }
}
