/**
 * Watches transactions until they are settled: finds those that are not known yet, follows their
 * confirmations, warns, gives up, and takes back what appears late.
 *
 * Rule 1: each transaction has one thing under way: a question or a record. What an answer means
 * takes effect when its record is durable and not before; a record that is refused changes nothing,
 * and the transaction is looked at again later.
 * Rule 2: one notice for each record that is worth one, named by the record's sequence, after it is
 * durable. Whoever tells must see to a record that says so (`about`, or `muted` here); what has no
 * such record is told again after a restart. So every notice is told once.
 * Rule 3: an answer of "unavailable", or none in time, is no answer: nothing changes.
 * Rule 4: what was given up is looked at on a slower schedule, the newest `lateMax` of them. Of the
 * others `watchedMax` are held; when there is room the parent is asked for the rest.
 * Not known here: who answers, where records go, and how notices are worded.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Answer, Question } from "../chain/chain.ts";
import { encode } from "../history/body.ts";
import { tellable, type Untold } from "../history/book.ts";
import type { Change, Row } from "../history/entry.ts";
import type { LogField, LogLevel } from "../kernel/io.ts";
import { after, mono, NEVER, soonest, type Mono } from "../time.ts";
import type { Effect, Event } from "./pending-events.ts";
import * as watch from "./watch.ts";

export type { Effect, Event } from "./pending-events.ts";

export type Config = watch.Config & {
  /** A transaction is looked at so often. 60,000. */
  readonly checkMs: number;
  /** One that was given up, so often. 3,600,000. */
  readonly lateCheckMs: number;
  /** A question without an answer for so long has none. 120,000. */
  readonly askMs: number;
  /** Questions under way. 4. */
  readonly questionsMax: number;
  /** Transactions that are watched, without those that were given up. 10,000. */
  readonly watchedMax: number;
  /** And of those. 1,000. */
  readonly lateMax: number;
  /** Notices that are being told, and that wait for it; beyond, they come later. 64 and 1,024. */
  readonly noticesMax: number;
  readonly noticesQueuedMax: number;
};

export const defaults: Config = {
  ...watch.defaults, checkMs: 60_000, lateCheckMs: 3_600_000, askMs: 120_000, questionsMax: 4,
  watchedMax: 10_000, lateMax: 1_000, noticesMax: 64, noticesQueuedMax: 1_024,
};

type Phase =
  | { readonly is: "idle" }
  | { readonly is: "asking"; readonly token: number }
  | { readonly is: "recording"; readonly token: number; readonly change: Change };

type Held = { readonly watch: watch.Watch; phase: Phase };

/** What is due when; each in order of time, since each waits equally long. */
type Queue = Map<number, Mono>;

export type Pending = {
  readonly config: Config;
  readonly held: Map<number, Held>;
  /** Due at once, at the next check, at the next late check: row ids. */
  readonly urgent: Queue;
  readonly active: Queue;
  readonly late: Queue;
  /** Questions under way, oldest first. */
  readonly asking: Map<number, { readonly id: number; readonly until: Mono }>;
  /** Records under way, and of which row; or of which notice, that it is not to be told. */
  readonly recording: Map<number, number>;
  readonly muting: Map<number, number>;
  tokens: number;
  /** How many of `held` were given up. */
  lates: number;
  readonly telling: Set<number>;
  readonly untold: Map<number, Untold>;
  /** Rows did not fit, or notices; they are asked for at this instant or later. */
  lacksRows: boolean;
  lacksNotices: boolean;
  refillAt: Mono;
  isStopping: boolean;
};

const timeoutMsMin = 600_000;
const timeoutMsMax = 86_400_000;

/** Watches nothing yet. Asserts the relations of `config`. */
export function create(config: Config): Pending {
  const { timeoutMs, warnMs, ageStepMs, checkMs } = config;
  assert(timeoutMs >= timeoutMsMin, "ten minutes are the least");
  assert(timeoutMs <= timeoutMsMax, "a day is the most");
  assert(warnMs >= 1 && warnMs <= timeoutMs, "a warning comes before the end");
  assert(checkMs >= 1 && config.lateCheckMs >= checkMs, "what was given up is checked less often");
  assert(ageStepMs >= 1 && ageStepMs <= timeoutMs, "an age has steps");
  assert(config.creditMaxMs >= checkMs, "two checks in a row count in full");
  assert(config.askMs >= 1, "an answer takes time");
  assert(config.questionsMax >= 1, "something can be asked");
  assert(config.settledMin >= 1, "what is settled is in a block");
  assert(config.watchedMax >= 1, "something is watched");
  assert(config.noticesMax >= 1 && config.noticesQueuedMax >= 1, "something can be told");
  return {
    config, held: new Map(), urgent: new Map(), active: new Map(), late: new Map(),
    asking: new Map(), recording: new Map(), muting: new Map(), tokens: 0, lates: 0,
    telling: new Set(), untold: new Map(), lacksRows: false, lacksNotices: false, refillAt: mono(0),
    isStopping: false,
  };
}

/** Takes one event; answers and outcomes that nobody waits for change nothing. */
export function step(m: Pending, event: Event, now: Mono, out: Effect[]): void {
  handle(m, event, now, out);
  ask(m, now, out);
  tell(m, out);
  refill(m, now, out);
}

function handle(m: Pending, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "restored":
      if (!event.isAll) m.lacksRows = true;
      for (const row of event.rows) known(m, row, false, now, out);
      for (const untold of event.untold) queue(m, untold);
      return;
    case "known": return known(m, event.row, true, now, out);
    case "answered": return answered(m, event.token, event.answer, event.unixMs, now, out);
    case "durable": return durable(m, event.token, event.seq, now, out);
    case "refused": return refused(m, event.token, now);
    case "told":
      m.telling.delete(event.seq);
      return;
    case "muted": return muted(m, event.seq, out);
    case "stopping": return stopping(m, out);
    case "tick": return expire(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When a question has no answer, the next one is due, or there is room. */
export function deadline(m: Pending): Mono {
  let at = isRoom(m) ? m.refillAt : NEVER;
  for (const { until } of m.asking.values()) {
    at = soonest(at, until);
    break;
  }
  if (m.isStopping || m.asking.size >= m.config.questionsMax) return at;
  for (const due of [m.urgent, m.active, m.late]) at = soonest(at, headAt(due));
  return at;
}

/** Every row's first record, a log line and a notice, all questions, and ages at the end. */
export function effectsMax(m: Pending, rows: number): number {
  const { questionsMax, noticesMax, watchedMax } = m.config;
  return 2 * rows + 2 * questionsMax + noticesMax + watchedMax + 4;
}

function headAt(due: Queue): Mono {
  for (const at of due.values()) return at;
  return NEVER;
}


/** A row to watch, or one that has changed. */
function known(m: Pending, row: Row, isNews: boolean, now: Mono, out: Effect[]): void {
  const old = m.held.get(row.id);
  if (old !== undefined && (!isNews || old.phase.is === "recording")) return;
  if (old !== undefined) drop(m, old);
  if (row.stage === "settled") return;
  const w = watch.create(row);
  const isLate = w.stage === "given-up";
  if (isLate && watch.isBlind(w)) return;
  if (!isLate && m.held.size - m.lates >= m.config.watchedMax) {
    if (!m.lacksRows) log(out, "warn", "maker.pending-full", { watched: m.config.watchedMax });
    m.lacksRows = true;
    return;
  }
  const held: Held = { watch: w, phase: { is: "idle" } };
  m.held.set(row.id, held);
  if (isLate) lateCame(m);
  if (watch.isBlind(w)) return note(m, held, watch.blindEnd(w, row.entry.addedUs), out);
  if (m.held.has(row.id)) rest(m, held, !isLate, now);
}

/** One more was given up; the oldest beyond `lateMax` is watched no longer. */
function lateCame(m: Pending): void {
  m.lates += 1;
  if (m.lates <= m.config.lateMax) return;
  let oldest: Held | undefined;
  for (const held of m.held.values()) {
    if (held.watch.stage !== "given-up") continue;
    if (oldest === undefined || held.watch.id < oldest.watch.id) oldest = held;
  }
  if (oldest !== undefined) drop(m, oldest);
}

function drop(m: Pending, held: Held): void {
  const { id, stage } = held.watch;
  m.held.delete(id);
  unqueue(m, id);
  if (held.phase.is === "asking") m.asking.delete(held.phase.token);
  if (held.phase.is === "recording") m.recording.delete(held.phase.token);
  if (stage === "given-up") m.lates -= 1;
}

function unqueue(m: Pending, id: number): void {
  m.urgent.delete(id);
  m.active.delete(id);
  m.late.delete(id);
}

/** Nothing is under way: the row waits for its next check. */
function rest(m: Pending, held: Held, isUrgent: boolean, now: Mono): void {
  const { id, stage } = held.watch;
  const { checkMs, lateCheckMs } = m.config;
  held.phase = { is: "idle" };
  unqueue(m, id);
  if (isUrgent) m.urgent.set(id, now);
  else if (stage === "given-up") m.late.set(id, after(now, lateCheckMs));
  else m.active.set(id, after(now, checkMs));
}

/** Asks about what is due, longest due first, as many at a time as may be asked. */
function ask(m: Pending, now: Mono, out: Effect[]): void {
  while (!m.isStopping && m.asking.size < m.config.questionsMax) {
    let due = m.urgent;
    for (const other of [m.active, m.late]) if (headAt(other) < headAt(due)) due = other;
    const [id] = due.keys();
    if (id === undefined || headAt(due) > now) return;
    due.delete(id);
    const held = m.held.get(id);
    assert(held?.phase.is === "idle", "what is due has nothing under way");
    const token = nextToken(m);
    held.phase = { is: "asking", token };
    m.asking.set(token, { id, until: after(now, m.config.askMs) });
    out.push({ type: "ask", token, question: questionOf(held.watch) });
  }
}

function questionOf({ txid, destination: address }: watch.Watch): Question {
  if (txid === "") return { ask: "address", address };
  return address === "" ? { ask: "tx", txid } : { ask: "tx", txid, address };
}

function nextToken(m: Pending): number {
  m.tokens += 1;
  return m.tokens;
}

function answered(
  m: Pending, token: number, answer: Answer, unixMs: number, now: Mono, out: Effect[],
): void {
  const asked = m.asking.get(token);
  if (asked === undefined) return;
  m.asking.delete(token);
  const held = m.held.get(asked.id);
  assert(held !== undefined, "what is asked about is watched");
  const change = watch.judge(held.watch, m.config, answer, unixMs * 1_000, now);
  if (!answer.ok && answer.why === "unavailable") {
    log(out, "debug", "maker.pending-unavailable", { id: asked.id });
  }
  if (change === undefined) return rest(m, held, false, now);
  note(m, held, change, out);
}

function note(m: Pending, held: Held, change: Change, out: Effect[]): void {
  const token = nextToken(m);
  unqueue(m, held.watch.id);
  held.phase = { is: "recording", token, change };
  m.recording.set(token, held.watch.id);
  out.push({ type: "record", token, body: encode(change) });
}

/** Questions that nobody answers: as good as unavailable. */
function expire(m: Pending, now: Mono, out: Effect[]): void {
  for (const [token, { id, until }] of m.asking) {
    if (until > now) return;
    m.asking.delete(token);
    const held = m.held.get(id);
    assert(held !== undefined, "what is asked about is watched");
    log(out, "debug", "maker.pending-unanswered", { id });
    rest(m, held, false, now);
  }
}

function durable(m: Pending, token: number, seq: number, now: Mono, out: Effect[]): void {
  const id = m.recording.get(token);
  if (id === undefined) return unmute(m, token);
  m.recording.delete(token);
  const held = m.held.get(id);
  assert(held?.phase.is === "recording", "a record of a row is under way");
  const { change } = held.phase;
  const wasLate = held.watch.stage === "given-up";
  watch.apply(held.watch, change);
  held.phase = { is: "idle" };
  const line = watch.lineOf(held.watch, change);
  if (line !== undefined) out.push(line);
  if (tellable.has(change.type)) queue(m, { seq, of: id, what: change.type });
  if (wasLate && held.watch.stage !== "given-up") m.lates -= 1;
  if (!wasLate && held.watch.stage === "given-up") lateCame(m);
  if (change.type === "settled" || watch.isBlind(held.watch)) return drop(m, held);
  if (m.held.has(id)) rest(m, held, isUrgent(change.type), now);
}

/** Is there more to be seen at once? */
function isUrgent(what: Change["type"]): boolean {
  return what === "txid" || what === "lost" || what === "returned";
}

function refused(m: Pending, token: number, now: Mono): void {
  const id = m.recording.get(token);
  if (id === undefined) {
    if (m.muting.has(token)) m.lacksNotices = true;
    return unmute(m, token);
  }
  m.recording.delete(token);
  const held = m.held.get(id);
  assert(held !== undefined, "what is recorded is watched");
  rest(m, held, false, now);
}

function queue(m: Pending, untold: Untold): void {
  if (m.telling.has(untold.seq)) return;
  if (m.untold.size >= m.config.noticesQueuedMax) return void (m.lacksNotices = true);
  m.untold.set(untold.seq, untold);
}

function tell(m: Pending, out: Effect[]): void {
  for (const { seq, of, what } of m.untold.values()) {
    if (m.telling.size >= m.config.noticesMax) return;
    m.untold.delete(seq);
    m.telling.add(seq);
    out.push({ type: "notice", seq, of, what });
  }
}

function muted(m: Pending, seq: number, out: Effect[]): void {
  if (!m.telling.has(seq)) return;
  for (const other of m.muting.values()) if (other === seq) return;
  const token = nextToken(m);
  m.muting.set(token, seq);
  out.push({ type: "record", token, body: encode({ type: "told", of: seq }) });
}

/** The record that a notice is not to be told came to an end. */
function unmute(m: Pending, token: number): void {
  const seq = m.muting.get(token);
  if (seq === undefined) return;
  m.muting.delete(token);
  m.telling.delete(seq);
}

/** Asks for what did not fit once there is room, no more often than rows are looked at. */
function refill(m: Pending, now: Mono, out: Effect[]): void {
  if (!isRoom(m) || now < m.refillAt) return;
  m.lacksRows = false;
  m.lacksNotices = false;
  m.refillAt = after(now, m.config.checkMs);
  out.push({ type: "refill" });
}

function isRoom(m: Pending): boolean {
  if (m.isStopping) return false;
  if (m.lacksNotices && m.untold.size === 0) return true;
  return m.lacksRows && m.held.size - m.lates < m.config.watchedMax;
}

function stopping(m: Pending, out: Effect[]): void {
  m.isStopping = true;
  m.asking.clear();
  for (const held of m.held.values()) {
    if (held.phase.is === "recording") continue;
    held.phase = { is: "idle" };
    const change = watch.unrecorded(held.watch, 1);
    if (change !== undefined) note(m, held, change, out);
  }
}

function log(
  out: Effect[], level: LogLevel, code: string, fields: { readonly [name: string]: LogField },
): void {
  out.push({ type: "log", level, code, fields });
}
