/**
 * The outbox of notices: what is told reaches every target that is reachable, or its loss is known.
 *
 * Rule 1: a notice is recorded before it is sent. When the journal does not answer within
 * `recordMs`, it goes all the same, says that it is not durable, and is still recorded if the
 * journal recovers: a failing disk is itself worth a notice.
 * Rule 2: delivery is at least once. What was sent is recorded after the target's answer, so a
 * restart sends again what it does not know to be sent: at most one copy more for each restart and
 * target, and none after `runsMax` restarts. A webhook gets the letter's id to tell copies apart.
 * Rule 3: each target has its own queue (`lane.ts`), in the order of telling; none waits for
 * another.
 * Rule 4: `gate.ts` decides what is news and how much an hour bears. What it holds is not recorded
 * and does not survive a restart, whose own notices say what is the case.
 * Rule 5: closing takes no longer than `closeMs`; what is left stays in the journal.
 * Rule 6: ages and waits are monotonic. Wall time stands in texts, and decides only how much of the
 * last hour an earlier run has told.
 * Not known here: journals, HTTP, credentials, and what makes a notice.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { LogField, LogLevel } from "../kernel/io.ts";
import type { Key } from "../prng.ts";
import { after, NEVER, soonest, wallAt, type Mono, type Wall } from "../time.ts";
import { check, targetsMax, type Config } from "./config.ts";
import type { Counts, Effect, Event } from "./events.ts";
import * as gate from "./gate.ts";
import * as intake from "./intake.ts";
import * as letters from "./letter.ts";
import type { Letter, Loss } from "./letter.ts";
import { identityOf, type Notice } from "./notice.ts";
import * as past from "./past.ts";
import * as reply from "./reply.ts";
import * as routes from "./routes.ts";

type Draft = gate.Draft & { readonly letter: Letter };

/** Notices that wait for the journal to be read. */
export const earlyMax = 64;

export type Delivery = {
  config: Config;
  past: past.Past | undefined;
  readonly gate: gate.Gate<Draft>;
  /** What was told before the journal was read; how long it waits; that this was too long. */
  readonly early: Draft[];
  earlyUntil: Mono;
  isPastLate: boolean;
  readonly intake: intake.Intake;
  readonly routes: routes.Routes;
  ids: number;
  tokens: number;
  closing: "no" | "closing" | "closed";
  closeAt: Mono;
  /** The wall clock as it was last told, and when. */
  wall: { readonly last: Wall; readonly at: Mono };
  readonly counts: Counts;
};

/** An outbox that has read nothing. `key` names its streams of chance. Asserts `config`. */
export function create(config: Config, key: Key): Delivery {
  check(config);
  return {
    config, gate: gate.create(config.gate), early: [], earlyUntil: NEVER, isPastLate: false,
    intake: [], ids: 0, tokens: 0, routes: routes.create(config, key), closing: "no",
    closeAt: NEVER,
    counts: zero(), wall: { last: { unixMs: 0 }, at: 0 as Mono },
    past: pastOf(config),
  };
}

/** What of an earlier run is of any use to an outbox: what it reads first. */
export function pastOf({ gate: g, lane: l }: Config): past.Past {
  return past.create(l.queueMax * targetsMax, 2 * (g.routineMax + g.importantMax));
}

function zero(): Counts {
  return {
    told: 0, off: 0, same: 0, held: 0, suppressed: 0, sent: 0, unrecorded: 0,
    lost: { old: 0, attempts: 0, rejected: 0, overflow: 0, restarts: 0, removed: 0 },
  };
}

/** Takes one event; answers that nothing waits for change nothing. */
export function step(m: Delivery, event: Event, now: Mono, out: Effect[]): void {
  if (m.closing === "closed") return;
  switch (event.type) {
    case "told": told(m, event.notice, event.unixMs, now, out); break;
    case "replayed": replayed(m, event.body); break;
    case "opened": opened(m, event.unixMs, now, out); break;
    case "durable": case "refused":
      recorded(m, event.token, event.type === "durable", now, out);
      break;
    case "req.done":
      answered(m, event.req, reply.judge(event.status, event.body, event.retryAfter), now, out);
      break;
    case "req.failed": answered(m, event.req, reply.judgeFailure(event.reason), now, out); break;
    case "nudged": drive(m, event, now, out); break;
    case "reloaded": reloaded(m, event.config, now, out); break;
    case "closing": closing(m, now, out); break;
    case "tick": tick(m, now, out); break;
    default: return unreachable(event); /* c8 ignore next */
  }
  if (m.closing === "closing" && isDone(m)) close(m, out);
}

/** When a record, an answer, a wait or the closing is due. */
export function deadline(m: Delivery): Mono {
  if (m.closing === "closed") return NEVER;
  let dueAt = soonest(m.closeAt, m.earlyUntil);
  if (m.closing === "no") dueAt = soonest(dueAt, gate.deadline(m.gate));
  dueAt = soonest(dueAt, intake.deadline(m.intake));
  return soonest(dueAt, routes.deadline(m.routes));
}

/**
 * Was this told by this run or an earlier one, of what is told only once? For a root that finds
 * after a crash that something may not have been told.
 */
export function isTold(m: Delivery, notice: Notice): boolean {
  return gate.isToldOnce(m.gate, identityOf(notice));
}

/** Each target, and how it is doing. */
export function status(m: Delivery): readonly routes.Status[] {
  return routes.status(m.routes);
}

function told(m: Delivery, notice: Notice, unixMs: number, now: Mono, out: Effect[]): void {
  if (m.closing !== "no" || m.config.targets.length === 0) return;
  m.wall = { last: { unixMs }, at: now };
  m.counts.told += 1;
  if (m.config.off.includes(notice.kind)) return void (m.counts.off += 1);
  const draft = draftOf(m, notice, unixMs, now);
  if (m.past !== undefined && !m.isPastLate) return wait(m, draft, now);
  passHeld(m, now, out);
  offer(m, draft, now, out);
  release(m, now, out);
}

/** Whether it was told before is not known before the journal was read. */
function wait(m: Delivery, draft: Draft, now: Mono): void {
  if (m.early.length === 0) m.earlyUntil = after(now, m.config.recordMs);
  if (m.early.length < earlyMax) m.early.push(draft);
  else m.counts.suppressed += 1;
}

function offerEarly(m: Delivery, now: Mono, out: Effect[]): void {
  m.earlyUntil = NEVER;
  passHeld(m, now, out);
  for (const draft of m.early.splice(0)) offer(m, draft, now, out);
  release(m, now, out);
}

function draftOf(m: Delivery, notice: Notice, unixMs: number, now: Mono): Draft {
  const { label, privacy } = m.config;
  const letter = letters.letterOf(notice, label, privacy, unixMs, now);
  const { nature, subject, state, priority } = letter;
  return { nature, subject, state, priority, letter };
}

function offer(m: Delivery, draft: Draft, now: Mono, out: Effect[]): void {
  const verdict = gate.offer(m.gate, draft, now);
  if (verdict !== "pass") return void (m.counts[verdict] += 1);
  take(m, draft.letter, now, out);
}

function passHeld(m: Delivery, now: Mono, out: Effect[]): void {
  const effects: gate.Effect<Draft>[] = [];
  gate.tick(m.gate, now, effects);
  for (const effect of effects) {
    switch (effect.type) {
      case "pass": take(m, effect.draft.letter, now, out); break;
      case "suppressed": {
        const { unixMs } = wallAt(m.wall.last, m.wall.at, now);
        const notice = { kind: "suppressed", count: effect.count } as const;
        offer(m, draftOf(m, notice, unixMs, now), now, out);
        break;
      }
      default: return unreachable(effect); /* c8 ignore next */
    }
  }
}

/** A letter is made durable, and waits for that behind those told before it. */
function take(m: Delivery, letter: Letter, now: Mono, out: Effect[]): void {
  const to = routes.namesFor(m.routes, letter);
  if (to.length === 0) return;
  if (m.past !== undefined) return intake.push(m.intake, letter, to, now);
  intake.push(m.intake, letter, to, after(now, m.config.recordMs));
  ask(m, letter, to, out);
}

function ask(m: Delivery, letter: Letter, to: readonly string[], out: Effect[]): void {
  m.ids += 1;
  letter.id = m.ids;
  letter.token = record(m, letters.recordOf(letter, to), out);
}

function record(m: Delivery, r: letters.Record, out: Effect[]): number {
  m.tokens += 1;
  out.push({ type: "record", token: m.tokens, body: letters.encode(r) });
  return m.tokens;
}

function replayed(m: Delivery, body: string): void {
  assert(m.past !== undefined, "the journal is read before it is opened");
  const told = past.read(m.past, body);
  if (told !== undefined) gate.remember(m.gate, told);
}

/** Letters of earlier runs go first, and then what this run was told meanwhile. */
function opened(m: Delivery, unixMs: number, now: Mono, out: Effect[]): void {
  const before = m.past;
  assert(before !== undefined, "the journal is opened once");
  m.past = undefined;
  m.wall = { last: { unixMs }, at: now };
  m.ids = before.idMax;
  for (const told of past.told(before)) {
    // A clock that was set back makes a past out of the future: that was just now.
    const agoMs = unixMs > told.unixMs ? unixMs - told.unixMs : 0;
    gate.recall(m.gate, told, agoMs, now);
  }
  resume(m, before, now, out);
  offerEarly(m, now, out);
  const { unreadable } = before;
  if (unreadable > 0) log("warn", "maker.notice-record-unreadable", { count: unreadable }, out);
}

/** The record of this run comes before any copy that it sends. */
function resume(m: Delivery, before: past.Past, now: Mono, out: Effect[]): void {
  const until = after(now, m.config.recordMs);
  const going: Letter[] = [];
  for (const { letter, to, runs } of before.open.values()) {
    const open = stillOpen(m, letter, to, runs, out);
    if (open.length === 0) continue;
    const again = { ...letter, toldAt: now };
    intake.push(m.intake, again, open, until);
    going.push(again);
  }
  if (going.length === 0) return;
  const token = record(m, { type: "notice-run" }, out);
  for (const letter of going) letter.token = token;
  log("info", "maker.notice-resumed", { count: going.length }, out);
}

function stillOpen(
  m: Delivery, letter: Letter, to: ReadonlySet<string>, runs: number, out: Effect[],
): readonly string[] {
  const open: string[] = [];
  for (const name of to) {
    if (!m.routes.byName.has(name)) lost(m, letter, name, "removed", out);
    else if (runs >= m.config.runsMax) lost(m, letter, name, "restarts", out);
    else open.push(name);
  }
  return open;
}

function log(
  level: LogLevel, code: string, fields: { readonly [name: string]: LogField }, out: Effect[],
): void {
  out.push({ type: "log", level, code, fields });
}

function lost(m: Delivery, letter: Letter, to: string, why: Loss, out: Effect[]): void {
  m.counts.lost[why] += 1;
  if (letter.id > 0) record(m, { type: "notice-lost", id: letter.id, to, why }, out);
}

/** The answer of a record. Also a late one makes a letter durable that waits for a target. */
function recorded(
  m: Delivery, token: number, isDurable: boolean, now: Mono, out: Effect[],
): void {
  intake.settle(m.intake, token, isDurable);
  if (isDurable) routes.recorded(m.routes, token);
  release(m, now, out);
}

/** Letters whose record is answered, or has taken too long, go to their targets in order. */
function release(m: Delivery, now: Mono, out: Effect[]): void {
  for (;;) {
    const first = intake.next(m.intake, now);
    if (first === undefined) return;
    if (!first.letter.isRecorded) m.counts.unrecorded += 1;
    const effects: routes.Effect[] = [];
    for (const to of first.to) routes.put(m.routes, to, first.letter, now, effects);
    carryOut(m, effects, out);
  }
}

function answered(
  m: Delivery, req: number, outcome: reply.Outcome, now: Mono, out: Effect[],
): void {
  const effects: routes.Effect[] = [];
  routes.answered(m.routes, req, outcome, now, effects);
  carryOut(m, effects, out);
}

function drive(m: Delivery, event: routes.Event, now: Mono, out: Effect[]): void {
  const effects: routes.Effect[] = [];
  routes.step(m.routes, event, now, effects);
  carryOut(m, effects, out);
}

function carryOut(m: Delivery, effects: readonly routes.Effect[], out: Effect[]): void {
  for (const effect of effects) {
    switch (effect.type) {
      case "req.start": case "req.drop": case "exec.start": case "log": out.push(effect); break;
      case "sent": sent(m, effect.letter, effect.to, out); break;
      case "lost": lost(m, effect.letter, effect.to, effect.why, out); break;
      default: return unreachable(effect); /* c8 ignore next */
    }
  }
}

function sent(m: Delivery, letter: Letter, to: string, out: Effect[]): void {
  m.counts.sent += 1;
  if (letter.id > 0) record(m, { type: "notice-sent", id: letter.id, to }, out);
}

function reloaded(m: Delivery, config: Config, now: Mono, out: Effect[]): void {
  check(config);
  m.config = config;
  gate.reconfigure(m.gate, config.gate);
  const effects: routes.Effect[] = [];
  routes.reloaded(m.routes, config, effects);
  carryOut(m, effects, out);
  passHeld(m, now, out);
}

function closing(m: Delivery, now: Mono, out: Effect[]): void {
  assert(m.closing === "no", "an outbox closes once");
  m.closing = "closing";
  m.closeAt = after(now, m.config.closeMs);
  drive(m, { type: "closing" }, now, out);
}

function isDone(m: Delivery): boolean {
  return m.early.length === 0 && m.intake.length === 0 && routes.isDone(m.routes);
}

/** What is not sent stays in the journal, if it is there. */
function close(m: Delivery, out: Effect[]): void {
  const open = new Set(m.intake.map(({ letter }) => letter));
  for (const { letter } of m.early) open.add(letter);
  const effects: routes.Effect[] = [];
  routes.close(m.routes, open, effects);
  carryOut(m, effects, out);
  let loose = 0;
  for (const letter of open) if (!letter.isRecorded) loose += 1;
  m.closing = "closed";
  out.push({ type: "closed", waiting: open.size, loose });
}

function tick(m: Delivery, now: Mono, out: Effect[]): void {
  if (now < deadline(m)) return;
  if (now >= m.closeAt) return close(m, out);
  if (now >= m.earlyUntil) {
    m.isPastLate = true;
    offerEarly(m, now, out);
  } else if (m.closing === "no") {
    passHeld(m, now, out);
  }
  release(m, now, out);
  drive(m, { type: "tick" }, now, out);
}
