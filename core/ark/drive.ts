/**
 * Carries intents out: each is written down, then asked for, then watched, then its end is written.
 *
 * Rule 1: a call is made when the record of its intent is durable, and never before. Its VTXOs are
 * free again when the record of its end is.
 * Rule 2: an answer that proves that nothing was done (`isUndone`) lets the same intent be asked
 * for again, later each time. After any other failure nobody knows: it is watched, and never asked
 * for again; what came of it shows in the wallet.
 * Rule 3: an intent from an earlier run was asked for as far as we know: it is watched, and is as
 * old as its stamp says. A process that dies again and again makes nobody wait anew.
 * Rule 4: one call in each lane, and a lane for each aim: a claim that hangs holds up no exit. A
 * journal that refuses is not asked again at once.
 * Not known here: what is worth an intent, and what the wallet shows.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import * as backoff from "../backoff.ts";
import type { Prng } from "../prng.ts";
import { NEVER, soonest, after, type Mono } from "../time.ts";
import type { Effect, Lane } from "./guardian-events.ts";
import * as intents from "./intents.ts";
import type { Aim, Intent, Outcome } from "./intents.ts";
import type { Answer, Op, Reason } from "./wallet.ts";

export type Config = {
  /** Before the same is asked or written again. From 1 s to 10 min, doubling. */
  readonly retry: backoff.Config;
  /** A call that takes longer is overdue, in ms; it is not given up. 120,000. */
  readonly waitMs: number;
};

export const defaults: Config = {
  retry: { baseMs: 1_000, maxMs: 600_000, times: 2, per: 1 }, waitMs: 120_000,
};

export type Phase =
  /** Its record is under way. */
  | { readonly is: "opening" }
  /** Nothing was done; it is asked for at this instant, ... */
  | { readonly is: "resting"; readonly until: Mono }
  /** ... which is past: as soon as it may be. */
  | { readonly is: "due" }
  | { readonly is: "calling"; readonly token: number; readonly since: Mono }
  /** Since then it is not asked for any more. */
  | { readonly is: "watching"; readonly since: Mono }
  | { readonly is: "settling"; readonly outcome: Outcome }
  /** Its end could not be written down. */
  | { readonly is: "unsettled"; readonly outcome: Outcome; readonly until: Mono };

export type Held = {
  readonly id: number;
  phase: Phase;
  /** Was it asked for, as far as anybody knows? */
  isAsked: boolean;
  failures: number;
  /** So old was it when this run began, by the wall clock, in ms. */
  readonly agoMs: number;
};

type Written = {
  readonly what: "opened" | "sent" | "settled" | "tip" | "wallet" | "server" | "strange";
  readonly id: number;
};

export type Drive = {
  readonly config: Config;
  readonly book: intents.Book;
  readonly held: Map<number, Held>;
  readonly calls: Map<number, { readonly id: number; readonly lane: Lane }>;
  readonly records: Map<number, Written>;
  readonly chance: Prng;
  tokens: number;
  /** Nothing is opened before this; `NEVER`: at once. */
  blockedUntil: Mono;
  refusals: number;
};

/** What became of a call. `ids`: those that were named as the reason. */
export type Heard = { readonly intent: Intent } & (
  | { readonly as: "taken" | "undone" | "unsure" }
  | { readonly as: "rejected"; readonly ids: readonly string[]; readonly why: string }
);

/** Nothing is held. */
export function create(config: Config, book: intents.Book, chance: Prng): Drive {
  backoff.check(config.retry);
  assert(config.waitMs >= 1, "a call takes time");
  return {
    config, book, held: new Map(), calls: new Map(), records: new Map(), chance, tokens: 0,
    blockedUntil: NEVER, refusals: 0,
  };
}

/** Rule 3: what the book has open when the journal was read. `unixMs`: the wall time of now. */
export function restore(m: Drive, unixMs: number, now: Mono): void {
  for (const [id, intent] of m.book.open) {
    const agoMs = unixMs > intent.unixMs ? unixMs - intent.unixMs : 0;
    const phase = { is: "watching", since: now } as const;
    m.held.set(id, { id, phase, isAsked: true, failures: 0, agoMs });
  }
}

/** The next number of a call or a record. */
export function nextToken(m: Drive): number {
  m.tokens += 1;
  return m.tokens;
}

/** May an intent be opened, as far as the journal goes? */
export function isWritable(m: Drive): boolean {
  return m.blockedUntil === NEVER;
}

/** Writes an intent down, to be asked for. Asserts that its VTXOs are free (`intents.isFree`). */
export function open(
  m: Drive, aim: Aim, vtxos: readonly string[], destination: string, unixMs: number, out: Effect[],
): number {
  assert(isWritable(m), "the journal takes records");
  const intent = intents.draft(m.book, aim, vtxos, destination, unixMs);
  const { id } = intent;
  intents.take(m.book, { type: "ark-intent", intent });
  m.held.set(id, { id, phase: { is: "opening" }, isAsked: false, failures: 0, agoMs: 0 });
  write(m, { what: "opened", id }, { type: "ark-intent", intent }, out);
  log(out, "ark.intent-opened", id, aim, vtxos.length);
  return id;
}

/** The height that is believed, for the next run. */
export function writeTip(m: Drive, tip: intents.Tip, out: Effect[]): void {
  intents.take(m.book, { type: "ark-tip", ...tip });
  write(m, { what: "tip", id: 0 }, { type: "ark-tip", ...tip }, out);
}

/** Which wallet this is, or which server it is at, for the next run. */
export function writeKnown(m: Drive, of: intents.Known, is: string, out: Effect[]): void {
  const record: intents.Record = of === "wallet" ? { type: "ark-wallet", fingerprint: is }
    : { type: "ark-server", key: is };
  intents.take(m.book, record);
  write(m, { what: of, id: 0 }, record, out);
}

/** What was seen in its place, for who looks at the journal. */
export function writeStrange(m: Drive, of: intents.Known, shown: string, out: Effect[]): void {
  const record: intents.Record = { type: "ark-strange", of, shown };
  intents.take(m.book, record);
  write(m, { what: "strange", id: 0 }, record, out);
}

function write(m: Drive, written: Written, record: intents.Record, out: Effect[]): void {
  const token = nextToken(m);
  m.records.set(token, written);
  out.push({ type: "record", token, body: intents.encode(record) });
}

/** A record is durable; the intent that has come to its end by it, if so. */
export function durable(m: Drive, token: number): intents.Settled | undefined {
  const written = m.records.get(token);
  if (written === undefined) return undefined;
  m.records.delete(token);
  m.refusals = 0;
  const held = m.held.get(written.id);
  switch (written.what) {
    case "opened":
      if (held?.phase.is === "opening") held.phase = { is: "due" };
      return undefined;
    case "settled": {
      assert(held?.phase.is === "settling", "an end is written down once");
      const { outcome } = held.phase;
      m.held.delete(written.id);
      intents.take(m.book, { type: "ark-intent-settled", id: written.id, outcome });
      return m.book.settled.find(({ id }) => id === written.id);
    }
    case "sent": case "tip": case "wallet": case "server": case "strange": return undefined;
    default: return unreachable(written.what); /* c8 ignore next */
  }
}

/** A record is not in the file. */
export function refused(m: Drive, token: number, now: Mono): void {
  const written = m.records.get(token);
  if (written === undefined) return;
  m.records.delete(token);
  const until = after(now, backoff.delayMs(m.config.retry, m.refusals, m.chance));
  m.refusals += 1;
  m.blockedUntil = until;
  const held = m.held.get(written.id);
  // It is written when the wallet is asked again.
  if (written.what === "wallet" || written.what === "server") m.book[written.what] = undefined;
  if (written.what === "opened") {
    m.held.delete(written.id);
    intents.forget(m.book, written.id);
  } else if (written.what === "settled" && held?.phase.is === "settling") {
    held.phase = { is: "unsettled", outcome: held.phase.outcome, until };
  }
}

/** The intent's end is known: it is written down. Not while a record of it is under way. */
export function settle(m: Drive, id: number, outcome: Outcome, out: Effect[]): void {
  const held = m.held.get(id);
  assert(held !== undefined, "what ends was held");
  assert(held.phase.is !== "settling" && held.phase.is !== "opening", "one record at a time");
  held.phase = { is: "settling", outcome };
  write(m, { what: "settled", id }, { type: "ark-intent-settled", id, outcome }, out);
  const intent = m.book.open.get(id);
  log(out, ends[outcome], id, intent?.aim ?? "refresh", intent?.vtxos.length ?? 0);
}

/** What the log says of each end. */
const ends: { readonly [o in Outcome]: string } = {
  success: "ark.intent-success", rejected: "ark.intent-rejected",
  superseded: "ark.intent-superseded",
};

/** Can the end of this one be written down, if it is known? */
export function isSettleable({ phase: { is } }: Held): boolean {
  return is !== "opening" && is !== "settling" && is !== "unsettled";
}

/** Asks for what is due and may be asked for, where the lane is free; the rest is superseded. */
export function ask(
  m: Drive, mayAsk: (intent: Intent) => boolean, now: Mono, out: Effect[],
): void {
  for (const held of m.held.values()) {
    if (held.phase.is !== "due") continue;
    const intent = m.book.open.get(held.id);
    assert(intent !== undefined, "what is held is open");
    if (!mayAsk(intent)) {
      settle(m, held.id, "superseded", out);
      continue;
    }
    const lane = intent.aim;
    if (isBusy(m, lane)) continue;
    const token = nextToken(m);
    held.phase = { is: "calling", token, since: now };
    held.isAsked = true;
    m.calls.set(token, { id: held.id, lane });
    out.push({ type: "call", token, lane, call: opOf(intent), waitMs: m.config.waitMs });
  }
}

/** Is a call under way in this lane? */
export function isBusy(m: Drive, lane: Lane): boolean {
  for (const call of m.calls.values()) if (call.lane === lane) return true;
  return false;
}

function opOf({ aim, vtxos, destination }: Intent): Op {
  switch (aim) {
    case "refresh": return { op: "refresh", vtxos };
    case "exit": return { op: "exit", vtxos };
    case "claim": return { op: "claim", vtxos, destination };
    default: return unreachable(aim); /* c8 ignore next */
  }
}

/** A call was answered. `undefined`: it is none of ours, or its intent has ended meanwhile. */
export function answered(
  m: Drive, token: number, answer: Answer, now: Mono, out: Effect[],
): Heard | undefined {
  const call = m.calls.get(token);
  if (call === undefined) return undefined;
  m.calls.delete(token);
  const held = m.held.get(call.id);
  const intent = m.book.open.get(call.id);
  if (held?.phase.is !== "calling" || intent === undefined) return undefined;
  if (answer.ok) {
    held.phase = { is: "watching", since: now };
    const isConfirmed = answer.done.op === "refresh" && answer.done.isConfirmed;
    const sent = { type: "ark-intent-sent", id: held.id, isConfirmed } as const;
    intents.take(m.book, sent);
    write(m, { what: "sent", id: held.id }, sent, out);
    return { intent, as: "taken" };
  }
  switch (answer.why) {
    case "rejected":
      settle(m, held.id, "rejected", out);
      return { intent, as: "rejected", ids: answer.ids, why: answer.fault.code };
    case "absent": case "unsupported":
      settle(m, held.id, "rejected", out);
      return { intent, as: "rejected", ids: [], why: answer.why };
    case "unavailable": return failed(m, held, intent, answer.reason, now);
    default: return unreachable(answer); /* c8 ignore next */
  }
}

/** Rule 2. */
function failed(m: Drive, held: Held, intent: Intent, reason: Reason, now: Mono): Heard {
  if (!isUndone(reason)) {
    held.phase = { is: "watching", since: now };
    return { intent, as: "unsure" };
  }
  const until = after(now, backoff.delayMs(m.config.retry, held.failures, m.chance));
  held.failures += 1;
  held.isAsked = false;
  held.phase = { is: "resting", until };
  return { intent, as: "undone" };
}

/** Does this reason prove that nothing was done? The wallet turned us away, or was not asked. */
export function isUndone(reason: Reason): boolean {
  return reason === "auth" || reason === "no-wallet" || reason === "busy" || reason === "unasked";
}

/** What has waited long enough goes on. */
export function tick(m: Drive, now: Mono, out: Effect[]): void {
  if (m.blockedUntil <= now) m.blockedUntil = NEVER;
  for (const held of m.held.values()) {
    const { phase } = held;
    if (phase.is === "resting" && phase.until <= now) held.phase = { is: "due" };
    if (phase.is === "unsettled" && phase.until <= now) {
      held.phase = { is: "watching", since: now };
      settle(m, held.id, phase.outcome, out);
    }
  }
}

/** When something has waited long enough. */
export function deadline(m: Drive): Mono {
  let at = m.blockedUntil;
  for (const { phase } of m.held.values()) {
    if (phase.is === "resting" || phase.is === "unsettled") at = soonest(at, phase.until);
  }
  return at;
}

function log(out: Effect[], code: string, id: number, aim: Aim, vtxos: number): void {
  out.push({ type: "log", level: "info", code, fields: { id, aim, vtxos } });
}
