/**
 * A journal: records that are durable before anything depends on them.
 *
 * Rule 1: a record is written, then synced, and only then said to be `durable`. Records become
 * durable in the order of asking, each once; a crash at any moment leaves a prefix of them that
 * holds every record that was said to be durable.
 * Rule 2: one order is under way at a time; what is asked meanwhile is one write afterwards. An
 * order that takes long is reported and never given again: the first one may still be carried out.
 * Rule 3: after an order that failed, the file is cut back to what is durable, and the same
 * records are written again with the same sequences. After a failed sync it is read again first:
 * nothing is taken for written (`store.ts`, rule 3).
 * Rule 4: when a journal is opened, a write that was cut short is cut off, and what is left is
 * synced before anybody sees it. Damage anywhere else breaks the journal: it changes nothing, says
 * so, and refuses every record.
 * Limit: a process that dies after a failed sync and before the file was cut leaves records that
 * the next process may read and sync in vain. Nobody was told of them; only a file system that
 * keeps failed pages dirty can tell.
 * Not known here: what records mean, and where the file is. `docs/phases/history-journal.md` shows
 * the phases.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Fault } from "../fault.ts";
import type { Tick } from "../kernel/io.ts";
import { assertMove, type Transition } from "../kernel/phases.ts";
import { after, NEVER, type Mono } from "../time.ts";
import * as pending from "./pending.ts";
import * as record from "./record.ts";
import type { StoreEffect, StoreEvent, StoreFailure } from "./store.ts";

export type Config = pending.Config & {
  /**
   * A write that was cut short is no larger; a larger damaged end is damage. Not below
   * `batchBytesMax` of any version that wrote the file. 4 MiB.
   */
  readonly tornBytesMax: number;
  /** The file is not made larger; beyond, records are refused. In bytes. 1 GiB. */
  readonly fileBytesMax: number;
  /** The wait after the first failure in a row; it doubles with each. 1,000. */
  readonly retryMinMs: number;
  /** And never is longer. 60,000. */
  readonly retryMaxMs: number;
  /** An order without an answer for so long is reported. 5,000. */
  readonly slowMs: number;
};

export const defaults: Config = {
  ...pending.defaults, tornBytesMax: 4_194_304, fileBytesMax: 1_073_741_824, retryMinMs: 1_000,
  retryMaxMs: 60_000, slowMs: 5_000,
};

export type Event =
  | StoreEvent
  /** The process is there: the file is read. Once. */
  | { readonly type: "opened" }
  /** `body` is to be recorded; the answer, one, carries `token`. Also before `opened`. */
  | { readonly type: "asked"; readonly token: number; readonly body: string }
  | Tick;

/**
 * Why a record is not taken. `behind`: too much waits already. `long`: its body. `file-full`: the
 * file has its largest size. `broken`: the journal is.
 */
export type Refusal = "behind" | "long" | "file-full" | "broken";

export type Effect =
  | StoreEffect
  /** What the file holds, for `record.each`; all of it is durable. Once, before any `durable`. */
  | {
    readonly type: "ready"; readonly bytes: Uint8Array; readonly end: number;
    readonly count: number;
    /** So much was cut off: a write that was cut short. */
    readonly tornBytes: number;
  }
  /** The record survives whatever comes. */
  | { readonly type: "durable"; readonly token: number; readonly seq: number }
  /** The record is not in the file; with `broken` nobody knows. */
  | { readonly type: "refused"; readonly token: number; readonly why: Refusal }
  /** The first failure in a row; what waits is tried again until it succeeds. */
  | { readonly type: "failing"; readonly phase: Ordered; readonly reason: StoreFailure }
  /** Records become durable again after so many failures in a row. */
  | { readonly type: "recovered"; readonly failures: number }
  /** The order of this phase has no answer for `slowMs`. Once for each order. */
  | { readonly type: "slow"; readonly phase: Ordered }
  /** For good: until a person has looked at the file. */
  | { readonly type: "broken"; readonly fault: Fault };

/** Phases in which an order is under way. */
export type Ordered = "loading" | "creating" | "cutting" | "settling" | "appending" | "syncing";

type At =
  | { readonly phase: "closed" | "idle" | "broken" }
  | { readonly phase: Ordered; readonly req: number; slowAt: Mono }
  | { readonly phase: "waiting"; readonly until: Mono; readonly next: "load" | "cut" | "write" };
export type PhaseName = At["phase"];

export const transitions: readonly Transition<PhaseName>[] = [
  { from: "closed", on: "opened", to: "loading", note: "the file is read" },
  { from: "loading", on: "whole", to: "settling", note: "durable before anybody sees it" },
  { from: "loading", on: "torn", to: "cutting", note: "a write was cut short" },
  { from: "loading", on: "empty", to: "creating", note: "the header comes first, alone" },
  { from: "loading", on: "damaged", to: "broken", note: "nothing is changed" },
  { from: "loading", on: "failed", to: "waiting", note: "read again later" },
  { from: "creating", on: "appended", to: "settling", note: "the header is written" },
  { from: "creating", on: "failed", to: "waiting", note: "read again later" },
  { from: "cutting", on: "truncated", to: "settling", note: "so much and no more is there" },
  { from: "cutting", on: "emptied", to: "creating", note: "not even a header is left" },
  { from: "cutting", on: "failed", to: "waiting", note: "read again later" },
  { from: "settling", on: "synced", to: "idle", note: "the journal is ready" },
  { from: "settling", on: "repaired", to: "waiting", note: "written again later" },
  { from: "settling", on: "failed", to: "waiting", note: "read again later" },
  { from: "settling", on: "unsettled", to: "broken", note: "what was read may be on no disk" },
  { from: "idle", on: "asked", to: "appending", note: "all that waits, up to one batch" },
  { from: "appending", on: "appended", to: "syncing", note: "written, not yet durable" },
  { from: "appending", on: "failed", to: "cutting", note: "a part may be written" },
  { from: "syncing", on: "synced", to: "idle", note: "the batch is durable" },
  { from: "syncing", on: "failed", to: "loading", note: "nobody knows what is on disk" },
  { from: "waiting", on: "load", to: "loading", note: "the wait is over" },
  { from: "waiting", on: "cut", to: "cutting", note: "the header is made anew" },
  { from: "waiting", on: "write", to: "idle", note: "the file is in order, and what waits goes" },
];

export type Journal = {
  readonly config: Config;
  at: At;
  readonly pending: pending.Pending;
  /** Durable records and where the last of them ends; until `isReady`, what was read. */
  count: number;
  endBytes: number;
  isReady: boolean;
  /** What the file held, until the journal is ready. */
  read: { readonly bytes: Uint8Array; readonly tornBytes: number };
  reqs: number;
  /** In a row; a batch that becomes durable ends it. */
  failures: number;
};

/** A journal whose file was not read yet. Asserts the relations of `config`. */
export function create(config: Config): Journal {
  assert(config.tornBytesMax >= config.batchBytesMax, "a write may be cut short at its end");
  assert(config.retryMinMs >= 1, "a retry waits");
  assert(config.retryMaxMs >= config.retryMinMs, "waits grow");
  assert(config.slowMs >= 1, "an order takes its time");
  return {
    config, at: { phase: "closed" }, pending: pending.create(config), count: 0, endBytes: 0,
    isReady: false, read: nothing, reqs: 0, failures: 0,
  };
}

const nothing = { bytes: new Uint8Array(0), tornBytes: 0 };

/** Takes one event; answers of orders that are not under way change nothing. */
export function step(m: Journal, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "opened": return opened(m, now, out);
    case "asked": return asked(m, event.token, event.body, now, out);
    case "tick": return tick(m, now, out);
    case "store.loaded": case "store.appended": case "store.synced": case "store.truncated":
    case "store.failed":
      return answered(m, event, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When an order counts as slow, or a wait is over. */
export function deadline(m: Journal): Mono {
  if (m.at.phase === "waiting") return m.at.until;
  return "slowAt" in m.at ? m.at.slowAt : NEVER;
}

/** One batch becomes durable and the next is written, or everything is refused. */
export function effectsMax(m: Journal): number {
  return m.config.queueRecordsMax + 4;
}

/** Is nothing asked for that is not durable, and no order under way? */
export function isQuiet(m: Journal): boolean {
  return m.pending.queue.length === 0 && m.at.phase === "idle";
}

function opened(m: Journal, now: Mono, out: Effect[]): void {
  assert(m.at.phase === "closed", "a journal is opened once");
  order(m, "opened", "loading", now, out);
}

function asked(m: Journal, token: number, body: string, now: Mono, out: Effect[]): void {
  const why = refusal(m, body) ?? pending.ask(m.pending, token, body);
  if (why !== undefined) return void out.push({ type: "refused", token, why });
  if (m.at.phase === "idle") write(m, now, out);
}

function refusal(m: Journal, body: string): Refusal | undefined {
  if (m.at.phase === "broken") return "broken";
  const sizeMax = m.endBytes + m.pending.queueBytes + pending.lineBytesMax(body);
  return sizeMax > m.config.fileBytesMax ? "file-full" : undefined;
}

function tick(m: Journal, now: Mono, out: Effect[]): void {
  const { at } = m;
  if (now < deadline(m)) return;
  if (at.phase === "waiting") return resume(m, at.next, now, out);
  assert("slowAt" in at, "only orders and waits have a deadline");
  at.slowAt = NEVER;
  out.push({ type: "slow", phase: at.phase });
}

function resume(m: Journal, next: "load" | "cut" | "write", now: Mono, out: Effect[]): void {
  switch (next) {
    case "load": return order(m, "load", "loading", now, out);
    case "cut": return order(m, "cut", "cutting", now, out);
    case "write":
      move(m, "write", { phase: "idle" });
      return write(m, now, out);
    default: return unreachable(next); /* c8 ignore next */
  }
}

function answered(m: Journal, event: StoreEvent, now: Mono, out: Effect[]): void {
  const { at } = m;
  if (!("req" in at) || at.req !== event.req) return;
  if (event.type === "store.failed") return failed(m, at.phase, event.reason, now, out);
  switch (at.phase) {
    case "loading":
      assert(event.type === "store.loaded", "a load was answered otherwise");
      return m.isReady ? reread(m, event.bytes, now, out) : loaded(m, event.bytes, now, out);
    case "creating":
      assert(event.type === "store.appended", "an append was answered otherwise");
      m.endBytes = record.header.length;
      return order(m, "appended", "settling", now, out);
    case "cutting":
      assert(event.type === "store.truncated", "a truncation was answered otherwise");
      if (m.endBytes === 0) return order(m, "emptied", "creating", now, out);
      return order(m, "truncated", "settling", now, out);
    case "settling":
      assert(event.type === "store.synced", "a sync was answered otherwise");
      return settled(m, now, out);
    case "appending":
      assert(event.type === "store.appended", "an append was answered otherwise");
      return order(m, "appended", "syncing", now, out);
    case "syncing":
      assert(event.type === "store.synced", "a sync was answered otherwise");
      return synced(m, now, out);
    default: return unreachable(at); /* c8 ignore next */
  }
}

/** The file as it is found when the journal is opened. */
function loaded(m: Journal, bytes: Uint8Array, now: Mono, out: Effect[]): void {
  const found = record.scan(bytes, m.config.tornBytesMax);
  if (!found.ok) return ruined(m, "damaged", found.fault, out);
  const { count, end, tornBytes } = found.value;
  m.count = count;
  m.endBytes = end;
  // A second reading finds less when the file was cut after the first.
  const cutBytes = m.read.tornBytes > tornBytes ? m.read.tornBytes : tornBytes;
  m.read = { bytes, tornBytes: cutBytes };
  if (tornBytes > 0) return order(m, "torn", "cutting", now, out);
  return end === 0 ? order(m, "empty", "creating", now, out)
    : order(m, "whole", "settling", now, out);
}

/** The file after a failure: what was said to be durable must be there, and the rest goes. */
function reread(m: Journal, bytes: Uint8Array, now: Mono, out: Effect[]): void {
  const found = record.scan(bytes.subarray(0, m.endBytes), m.config.tornBytesMax);
  if (!found.ok) return ruined(m, "damaged", found.fault, out);
  const { count, end } = found.value;
  if (count !== m.count || end !== m.endBytes) {
    const text = `${m.count} durable records, of which ${count} were read`;
    return ruined(m, "damaged", { code: "journal-lost", text }, out);
  }
  if (bytes.length > m.endBytes) return order(m, "torn", "cutting", now, out);
  return order(m, "whole", "settling", now, out);
}

/** The file is in order and durable: the journal is ready, or goes on where it had failed. */
function settled(m: Journal, now: Mono, out: Effect[]): void {
  if (m.isReady) return wait(m, "repaired", "write", now);
  move(m, "synced", { phase: "idle" });
  m.isReady = true;
  const { bytes, tornBytes } = m.read;
  m.read = nothing;
  out.push({ type: "ready", bytes, end: m.endBytes, count: m.count, tornBytes });
  recover(m, out);
  write(m, now, out);
}

function synced(m: Journal, now: Mono, out: Effect[]): void {
  move(m, "synced", { phase: "idle" });
  m.endBytes += m.pending.writingBytes;
  for (const { token } of pending.take(m.pending)) {
    m.count += 1;
    out.push({ type: "durable", token, seq: m.count });
  }
  recover(m, out);
  write(m, now, out);
}

function recover(m: Journal, out: Effect[]): void {
  if (m.failures > 0) out.push({ type: "recovered", failures: m.failures });
  m.failures = 0;
}

/** Writes what waits, up to one batch. */
function write(m: Journal, now: Mono, out: Effect[]): void {
  if (m.pending.queue.length > 0) order(m, "asked", "appending", now, out);
}

function failed(
  m: Journal, phase: Ordered, reason: StoreFailure, now: Mono, out: Effect[],
): void {
  m.failures += 1;
  if (m.failures === 1) out.push({ type: "failing", phase, reason });
  switch (phase) {
    case "appending": return order(m, "failed", "cutting", now, out);
    case "syncing": return order(m, "failed", "loading", now, out);
    case "loading": case "creating": case "cutting": return wait(m, "failed", "load", now);
    case "settling": return unsettled(m, now, out);
    default: return unreachable(phase); /* c8 ignore next */
  }
}

/**
 * What was found in the file may be on no disk, though it can be read. Records cannot be cut off
 * and written again: if this process died in between, those of which somebody knows would be gone.
 */
function unsettled(m: Journal, now: Mono, out: Effect[]): void {
  if (m.isReady) return wait(m, "failed", "load", now);
  if (m.count > 0) {
    const text = "the system could not keep what the file holds; restart the machine";
    return ruined(m, "unsettled", { code: "journal-unsettled", text }, out);
  }
  m.endBytes = 0;
  wait(m, "failed", "cut", now);
}

function ruined(m: Journal, on: string, fault: Fault, out: Effect[]): void {
  move(m, on, { phase: "broken" });
  m.read = nothing;
  out.push({ type: "broken", fault });
  for (const { token } of pending.giveUp(m.pending)) {
    out.push({ type: "refused", token, why: "broken" });
  }
}

function order(m: Journal, on: string, phase: Ordered, now: Mono, out: Effect[]): void {
  m.reqs += 1;
  const req = m.reqs;
  move(m, on, { phase, req, slowAt: after(now, m.config.slowMs) });
  switch (phase) {
    case "loading": return void out.push({ type: "store.load", req });
    case "creating": return void out.push({ type: "store.append", req, bytes: record.header });
    case "cutting": return void out.push({ type: "store.truncate", req, size: m.endBytes });
    case "settling": case "syncing": return void out.push({ type: "store.sync", req });
    case "appending": {
      const bytes = pending.batch(m.pending, m.count);
      return void out.push({ type: "store.append", req, bytes });
    }
    default: return unreachable(phase); /* c8 ignore next */
  }
}

function wait(m: Journal, on: string, next: "load" | "cut" | "write", now: Mono): void {
  const { retryMinMs, retryMaxMs } = m.config;
  let ms = retryMinMs;
  for (let i = 1; i < m.failures && ms < retryMaxMs; i += 1) ms *= 2;
  move(m, on, { phase: "waiting", until: after(now, ms < retryMaxMs ? ms : retryMaxMs), next });
}

function move(m: Journal, on: string, to: At): void {
  assertMove(transitions, m.at.phase, on, to.phase);
  m.at = to;
}
