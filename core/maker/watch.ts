/**
 * One transaction that is watched, and what an answer of the chain says of it.
 *
 * Rule 1: an age is the time between definite absences. A span in which nobody could look counts
 * for nothing beyond `creditMax`, so that no outage, no pause and no clock can make a transaction
 * old; being found ends the age. What a process saw of an age is recorded, step by step: the next
 * one goes on from there, so that a restart neither doubles an age nor loses more than one step.
 * Rule 2: a verdict is a change to be recorded; nothing here takes effect before it is durable.
 * Rule 3: "unavailable" is no verdict. Conflicted and evicted are absences with names of their own;
 * a conflict that is as deep as a settled transaction is final at once.
 * Not known here: when to ask, and how many at a time (`pending.ts`).
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Answer, Payment, Tx } from "../chain/chain.ts";
import { nextStage, type Change, type Row } from "../history/entry.ts";
import type { LogEffect, LogField, LogLevel } from "../kernel/io.ts";
import type { Mono } from "../time.ts";

export type Config = {
  /** An absence of so long is worth a warning. 1,800,000 (30 min). */
  readonly warnMs: number;
  /** And of so long, giving up. 3,600,000; from 600,000 (10 min) to 86,400,000 (24 h). */
  readonly timeoutMs: number;
  /** An age that has grown by so much is recorded. 60,000. */
  readonly ageStepMs: number;
  /** Two absences further apart than this count as this far apart. 120,000. */
  readonly creditMaxMs: number;
  /** So many confirmations are beyond reorganisation. 6. */
  readonly settledMin: number;
};

export const defaults: Config = {
  warnMs: 1_800_000, timeoutMs: 3_600_000, ageStepMs: 60_000, creditMaxMs: 120_000, settledMin: 6,
};

export type Watch = {
  readonly id: number;
  txid: string;
  readonly destination: string;
  readonly cjSat: bigint;
  stage: "waiting" | "confirmed" | "given-up";
  isSeen: boolean;
  hasWarned: boolean;
  ageMs: number;
  /** What a record says of the age. */
  recordedAgeMs: number;
  /** The last definite absence in this process. */
  absentAt: Mono | undefined;
};

/** Nothing can be asked about such a row. */
export function isBlind({ txid, destination }: Watch): boolean {
  return txid === "" && destination === "";
}

/** Nobody could ever tell what became of a blind one. */
export function blindEnd(w: Watch, atUs: number): Change {
  const why = "there is neither a transaction nor an address to look for";
  return { type: "given-up", of: w.id, atUs, why };
}

/** A watch on a row that is not settled. */
export function create(row: Row): Watch {
  const { id, entry, stage, isSeen, hasWarned, ageMs } = row;
  assert(stage !== "settled", "what is settled is not watched");
  const { txid, destination, cjSat } = entry;
  return {
    id, txid, destination, cjSat, stage, isSeen, hasWarned, ageMs, recordedAgeMs: ageMs,
    absentAt: undefined,
  };
}

/** A change is durable. */
export function apply(w: Watch, change: Change): void {
  const stage = nextStage(w.stage, change.type);
  if (stage !== "settled") w.stage = stage;
  switch (change.type) {
    case "txid":
      w.txid = change.txid;
      return rejuvenate(w);
    case "signed":
      w.txid = change.txid;
      return;
    case "warned":
      w.hasWarned = true;
      return;
    case "aged":
      w.recordedAgeMs = change.ageMs;
      return;
    case "seen":
      w.isSeen = true;
      return rejuvenate(w);
    case "confirmed": return rejuvenate(w);
    case "lost": case "returned":
      w.hasWarned = false;
      return rejuvenate(w);
    case "settled": case "given-up": return;
    default: return unreachable(change); /* c8 ignore next */
  }
}

function rejuvenate(w: Watch): void {
  w.ageMs = 0;
  w.recordedAgeMs = 0;
  w.absentAt = undefined;
}

/** What an answer changes; `undefined`: nothing that is worth a record. `atUs` is wall time. */
export function judge(
  w: Watch, config: Config, answer: Answer, atUs: number, now: Mono,
): Change | undefined {
  if (!answer.ok) {
    if (answer.why !== "absent") return undefined;
    const what = answer.conflicts.length > 0 ? "conflicted" : missing(w);
    return gone(w, config, what, atUs, now);
  }
  switch (answer.ask) {
    case "tx": return found(w, config, answer.tx, atUs, now);
    case "address": {
      const txid = w.txid === "" ? payment(w, answer.payments) : undefined;
      if (txid === undefined) return gone(w, config, missing(w), atUs, now);
      return { type: "txid", of: w.id, txid };
    }
    case "tip": case "coins": case "rescan": case "rescan-progress": case "prepare":
      return undefined;
    default: return unreachable(answer); /* c8 ignore next */
  }
}

/**
 * The transaction that paid at least the amount, if any: a smaller coin may be anybody's dust. The
 * exact amount is best, then the most confirmations.
 */
function payment(w: Watch, payments: readonly Payment[]): string | undefined {
  let best: Payment | undefined;
  for (const coin of payments) {
    if (coin.valueSat < w.cjSat || coin.valueSat <= 0n) continue;
    if (best === undefined || isBetter(coin, best, w.cjSat)) best = coin;
  }
  return best?.txid;
}

function isBetter(a: Payment, b: Payment, cjSat: bigint): boolean {
  const [isExactA, isExactB] = [a.valueSat === cjSat, b.valueSat === cjSat];
  if (isExactA !== isExactB) return isExactA;
  if (a.confirmations !== b.confirmations) return a.confirmations > b.confirmations;
  return a.txid < b.txid;
}

type Missing = "unsent" | "unfound" | "evicted" | "conflicted";

function missing(w: Watch): Missing {
  if (w.txid === "") return "unsent";
  return w.isSeen ? "evicted" : "unfound";
}

function found(
  w: Watch, config: Config, tx: Tx, atUs: number, now: Mono,
): Change | undefined {
  const { confirmations } = tx;
  const of = w.id;
  if (confirmations < 0) return dead(w, config, confirmations, atUs, now);
  w.absentAt = undefined;
  switch (w.stage) {
    case "given-up": return { type: "returned", of, atUs };
    case "confirmed":
      if (confirmations === 0) return { type: "lost", of, atUs };
      if (confirmations < config.settledMin) return undefined;
      return { type: "settled", of, confirmations };
    case "waiting":
      if (confirmations === 0) return pooled(w, atUs);
      return { type: "confirmed", of, atUs, confirmations, peers: peersOf(w, tx) };
    default: return unreachable(w.stage); /* c8 ignore next */
  }
}

function pooled(w: Watch, atUs: number): Change | undefined {
  const of = w.id;
  if (!w.isSeen) return { type: "seen", of, atUs };
  w.ageMs = 0;
  return w.recordedAgeMs > 0 ? { type: "aged", of, ageMs: 0 } : undefined;
}

/** Equal outputs; unknown when the answer does not show any. */
function peersOf(w: Watch, { outputs }: Tx): number | undefined {
  const equal = outputs.filter(({ valueSat }) => valueSat === w.cjSat).length;
  return equal > 0 ? equal : undefined;
}

/** It is known, and a block holds another transaction that spends its coins. */
function dead(
  w: Watch, config: Config, confirmations: number, atUs: number, now: Mono,
): Change | undefined {
  if (w.stage === "waiting" && -confirmations >= config.settledMin) {
    return { type: "given-up", of: w.id, atUs, why: whyOf("conflicted", 0) };
  }
  return gone(w, config, "conflicted", atUs, now);
}

/** A definite absence. */
function gone(
  w: Watch, config: Config, what: Missing, atUs: number, now: Mono,
): Change | undefined {
  const of = w.id;
  if (w.stage === "given-up") return undefined;
  if (w.stage === "confirmed") return { type: "lost", of, atUs };
  const spanMs = w.absentAt === undefined ? 0 : now - w.absentAt;
  w.ageMs += spanMs < config.creditMaxMs ? spanMs : config.creditMaxMs;
  w.absentAt = now;
  if (w.ageMs >= config.timeoutMs) {
    return { type: "given-up", of, atUs, why: whyOf(what, minutes(w.ageMs)) };
  }
  if (w.ageMs >= config.warnMs && !w.hasWarned) return { type: "warned", of, atUs };
  return unrecorded(w, config.ageStepMs);
}

/** The record of an age that has grown by `stepMs` or more since the last one. */
export function unrecorded(w: Watch, stepMs: number): Change | undefined {
  if (w.stage !== "waiting" || w.ageMs - w.recordedAgeMs < stepMs) return undefined;
  return { type: "aged", of: w.id, ageMs: w.ageMs };
}

/** Whole minutes of an age, rounded down. */
export function minutes(ms: number): number {
  return Math.floor(ms / 60_000);
}

function whyOf(what: Missing, min: number): string {
  switch (what) {
    case "unsent": return `nothing has paid the address for ${min} min: the taker sent nothing`;
    case "unfound": return `no such transaction for ${min} min: never sent, or replaced`;
    case "evicted": return `dropped from the memory pool, and not back for ${min} min`;
    case "conflicted": return "another transaction has spent its coins";
    default: return unreachable(what); /* c8 ignore next */
  }
}

/** What the log says of a change that is durable and was applied. */
export function lineOf(w: Watch, change: Change): LogEffect | undefined {
  const { id, txid } = w;
  switch (change.type) {
    case "txid": return line("info", "maker.pending-discovered", { id, txid });
    case "seen": return line("info", "maker.pending-seen", { id, txid });
    case "confirmed": {
      const { confirmations } = change;
      return line("info", "maker.pending-confirmed", { id, txid, confirmations });
    }
    case "lost": return line("warn", "maker.pending-lost", { id, txid });
    case "warned":
      return line("warn", "maker.pending-missing", { id, txid, ageMin: minutes(w.ageMs) });
    case "given-up": return line("warn", "maker.pending-given-up", { id, txid, why: change.why });
    case "returned": return line("info", "maker.pending-returned", { id, txid });
    case "signed": case "settled": case "aged": return undefined;
    default: return unreachable(change); /* c8 ignore next */
  }
}

function line(
  level: LogLevel, code: string, fields: { readonly [name: string]: LogField },
): LogEffect {
  return { type: "log", level, code, fields };
}
