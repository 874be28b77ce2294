/**
 * A process that only writes a journal: the subject of disk faults.
 *
 * Rule 1: each record has a body of its own, by node, life and number, so that an oracle can follow
 * it.
 * Rule 2: what the process asks for is told in the same step, behind what the journal does about
 * it, so that a crash after the first effect of a step hits the order to the disk.
 * Not known here: what is on the disk, and what is a failure.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import * as journal from "../../core/history/journal.ts";
import type { StoreEffect, StoreEvent } from "../../core/history/store.ts";
import type { ClockEvent, LogEffect, LogField, Tick } from "../../core/kernel/io.ts";
import type { Root } from "../../core/kernel/kernel.ts";
import type { Mono } from "../../core/time.ts";
import type { NodeId, Work } from "../scenario.ts";

/** Facts for oracles. */
export type JournalTold =
  /** The process wants this recorded. `token` counts from 1 in each life. */
  | { readonly type: "asked"; readonly token: number; readonly body: string }
  /** The file as `record.each` reads it, all of it durable. */
  | {
    readonly type: "ready"; readonly bytes: Uint8Array; readonly end: number;
    readonly count: number; readonly tornBytes: number;
  }
  | { readonly type: "durable"; readonly token: number; readonly seq: number }
  | { readonly type: "refused"; readonly token: number; readonly why: journal.Refusal }
  | { readonly type: "broken"; readonly code: string };

export type JournalEvent =
  | StoreEvent
  | ClockEvent
  | { readonly type: "started" }
  | { readonly type: "asked"; readonly task: Work }
  | Tick;

export type JournalEffect =
  | StoreEffect
  | { readonly type: "mark"; readonly mark: "appended" | "synced" }
  | LogEffect
  | { readonly type: "told"; readonly what: JournalTold };

export type JournalConfig = {
  readonly node: NodeId;
  /** Which process of the node this is, from 1. */
  readonly life: number;
  /** Records of one task; more are not asked for. 1,000. */
  readonly taskRecordsMax: number;
  readonly journal: journal.Config;
};

export type Journal = {
  readonly config: JournalConfig;
  readonly journal: journal.Journal;
  /** Records asked for in this life. */
  tokens: number;
};

/** Bounds so small that runs reach them. */
const limits: journal.Config = {
  bodyBytesMax: 4_096, queueRecordsMax: 256, queueBytesMax: 262_144, batchRecordsMax: 32,
  batchBytesMax: 16_384, tornBytesMax: 32_768, fileBytesMax: 16_777_216, retryMinMs: 1_000,
  retryMaxMs: 60_000, slowMs: 5_000,
};

/** The configuration of a node's process. */
export function configOf(node: NodeId, life: number): JournalConfig {
  return { node, life, taskRecordsMax: 1_000, journal: limits };
}

export function create(config: JournalConfig, now: Mono): Journal {
  void now;
  return { config, journal: journal.create(config.journal), tokens: 0 };
}

export const root: Root<Journal, JournalEvent, JournalEffect> = {
  step,
  deadline: (m) => journal.deadline(m.journal),
  // Each record of a task is told twice at most and orders one write at most.
  effectsMax: (m) => 2 * journal.effectsMax(m.journal) + 3 * m.config.taskRecordsMax,
};

function step(m: Journal, event: JournalEvent, now: Mono, out: JournalEffect[]): void {
  switch (event.type) {
    case "clock.anchored": return;
    case "started": return pass(m, { type: "opened" }, now, out);
    case "asked": return asked(m, event.task, now, out);
    case "tick": return pass(m, event, now, out);
    case "store.appended": {
      const isBatch = m.journal.at.phase === "appending";
      pass(m, event, now, out);
      if (isBatch && m.journal.at.phase === "syncing") out.push({ type: "mark", mark: "appended" });
      return;
    }
    case "store.loaded": case "store.synced": case "store.truncated": case "store.failed":
      return pass(m, event, now, out);
    default: return unreachable(event);
  }
}

function asked(m: Journal, task: Work, now: Mono, out: JournalEffect[]): void {
  if (task.op !== "append") return;
  const { taskRecordsMax } = m.config;
  const count = task.count < taskRecordsMax ? task.count : taskRecordsMax;
  const facts: JournalEffect[] = [];
  for (let i = 0; i < count; i += 1) {
    m.tokens += 1;
    const token = m.tokens;
    const body = bodyOf(m.config, token, task.bytes);
    facts.push({ type: "told", what: { type: "asked", token, body } });
    pass(m, { type: "asked", token, body }, now, out);
  }
  for (const fact of facts) out.push(fact);
}

/** A body that no other record has, of `bytes` bytes unless that is too few. */
function bodyOf(config: JournalConfig, token: number, bytes: number): string {
  const start = `{"by":"${config.node}","life":${config.life},"n":${token},"pad":"`;
  return `${start.padEnd(bytes - 2, "x")}"}`;
}

function pass(m: Journal, event: journal.Event, now: Mono, out: JournalEffect[]): void {
  const effects: journal.Effect[] = [];
  journal.step(m.journal, event, now, effects);
  let isSynced = false;
  for (const effect of effects) {
    if (effect.type === "durable") isSynced = true;
    translate(effect, out);
  }
  if (isSynced) out.push({ type: "mark", mark: "synced" });
}

function translate(effect: journal.Effect, out: JournalEffect[]): void {
  switch (effect.type) {
    case "store.load": case "store.append": case "store.sync": case "store.truncate":
      return void out.push(effect);
    case "ready":
      if (effect.tornBytes > 0) log(out, "journal.torn", { bytes: effect.tornBytes });
      return void out.push({ type: "told", what: effect });
    case "durable": case "refused":
      return void out.push({ type: "told", what: effect });
    case "failing":
      return log(out, "journal.failing", { phase: effect.phase, reason: effect.reason });
    case "recovered": return log(out, "journal.recovered", { failures: effect.failures });
    case "slow": return log(out, "journal.slow", { phase: effect.phase });
    case "broken":
      log(out, "journal.broken", { fault: effect.fault.code, text: effect.fault.text });
      return void out.push({ type: "told", what: { type: "broken", code: effect.fault.code } });
    default: return unreachable(effect);
  }
}

function log(
  out: JournalEffect[], code: string, fields: { readonly [name: string]: LogField },
): void {
  out.push({ type: "log", level: "warn", code, fields });
}
