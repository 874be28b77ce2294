/**
 * Every policy of the daemon by name: what it does by default, and what the source did.
 *
 * Rule 1: a machine decides nothing that its successors might decide otherwise; it is said here.
 * The meaning and the range of a value stand with the machine that takes it.
 * Rule 2: `defaults` waits for nobody it does not need, asks while it believes, proves health by
 * time and news, and spreads what many wallets do. `source` is the behaviour of the document that
 * was given, hazards included; it is kept for comparison, not for coins.
 * Rule 3: whatever is configured, nothing that repeats rests for less than a second.
 * @module
 */
import { assert } from "../assert.ts";
import * as exits from "./exits.ts";
import type * as facts from "./facts.ts";
import * as mailbox from "./mailbox.ts";
import { checkRest, checkWait, even, exactly, growing } from "./pause.ts";
import * as probe from "./probe.ts";
import * as rota from "./rota.ts";
import * as rounds from "./rounds.ts";
import type * as startup from "./startup.ts";
import type * as stopping from "./stopping.ts";
import type * as stream from "./stream.ts";

export type Policy = {
  readonly name: string;
  /** Only the server's connection is checked; all else is left to who calls the wallet himself. */
  readonly isManual: boolean;
  readonly startup: startup.Config;
  /** Who says that the server is connected, and for how long it is believed. */
  readonly connected: facts.Config;
  readonly probe: probe.Config;
  readonly rounds: rounds.Config;
  readonly mailbox: mailbox.Config;
  readonly sync: rota.Config;
  readonly exits: exits.Config;
  readonly stopping: stopping.Config;
};

const second = 1_000;
const minute = 60_000;
const hour = 3_600_000;

/** Nothing that repeats rests for less. */
export const restMsMin = second;

type Gate = rota.Step["gate"];
const stepOf = (op: rota.Plain, gate: Gate, waitMs: number): rota.Step => (
  { op, gate, waitMs, everyMs: 0, coversFor: [] }
);

/**
 * A subscription, by default: health is a minute of open stream and an item that was not repeated;
 * after any end there is a wait, 1 s at first and 60 s at last.
 */
const kept: stream.Config = {
  first: { ms: 0, spreadMs: 5 * second }, openMs: 30 * second, silentMs: 0, healthyMs: minute,
  timedFrom: "open", proof: "time-and-news", afterHealthy: "wait", canErrorBeHealthy: true,
  atOnceMax: 0, resetBy: "health", wait: growing(second, minute), gate: "none",
  hurryGapMs: 30 * second,
};

/**
 * The steps of the sync. Fee rates and offboards need the chain only, so no step waits for the
 * server. The whole sync reads the mailbox, and what is received there is checked by the chain.
 */
const steps: readonly rota.Step[] = [
  stepOf("fee-rates", "none", 30 * second),
  stepOf("sync-onchain", "none", 2 * minute),
  stepOf("sync-rounds", "none", 2 * minute),
  stepOf("sync-boards", "none", 2 * minute),
  stepOf("sync-offboards", "none", 2 * minute),
  // All that has no step of its own is retried here, not at the start only.
  {
    op: "sync", gate: "chain", waitMs: 5 * minute, everyMs: 5 * minute,
    coversFor: ["sync-rounds", "sync-boards", "sync-offboards"],
  },
];

export const defaults: Policy = {
  name: "defaults",
  isManual: false,
  startup: { calls: [], connectedBy: "answer", madeBefore: [], waitMs: minute },
  connected: {
    owner: "evidence",
    agesMs: {
      program: 3 * minute, server: 3 * minute, rounds: 0, mailbox: 10 * minute, chain: 10 * minute,
    },
  },
  probe: {
    op: "probe", first: { ms: 0, spreadMs: 2 * second },
    rest: { ms: 50 * second, spreadMs: 20 * second }, retry: growing(second, minute),
    waitMs: 20 * second, whileUp: "probe", gapMs: 5 * second,
  },
  rounds: {
    // The longest interval between rounds is an hour; two silent ones are no rest any more.
    stream: { ...kept, silentMs: 2 * hour + 5 * minute },
    queueMax: 16, isInline: false, isRepeatHandled: false, maintain: "never", isProgressed: true,
    waitMs: minute,
  },
  mailbox: {
    stream: { ...kept, silentMs: 0 },
    first: { ms: second, spreadMs: 5 * second }, poll: { ms: 50 * second, spreadMs: 20 * second },
    retry: growing(second, minute), isStreamTrusted: false, isHintRead: true,
    isHurried: true, needsChain: true, gate: "none",
    again: { ms: second, spreadMs: 0 }, againMax: 20, waitMs: 2 * minute, stuckMax: 5,
    stillMs: 6 * hour, stillNewsMin: 3,
  },
  sync: {
    steps, first: { ms: 0, spreadMs: 5 * second },
    rest: { ms: 110 * second, spreadMs: 20 * second }, retry: growing(second, minute),
    wake: { ms: 0, spreadMs: 2 * second }, gapMs: 5 * second, behindMs: 15 * minute,
  },
  exits: {
    isOwn: true,
    rota: {
      steps: [
        stepOf("fee-rates", "none", 10 * second), stepOf("progress-exits", "none", 2 * minute),
      ],
      first: { ms: 0, spreadMs: 5 * second }, rest: { ms: 50 * second, spreadMs: 20 * second },
      retry: growing(second, minute), wake: { ms: 0, spreadMs: 2 * second },
      gapMs: 5 * second, behindMs: 15 * minute,
    },
    idle: { ms: 9 * minute, spreadMs: 2 * minute },
  },
  stopping: { stopMs: 30 * second, isCutting: true, isFinishing: false },
};

/** The interval of the source; its healthy session is one second short of a proxy's minute. */
const T = minute;
const H = 59 * second;
/** All that bounds a call there: the limit of one request. */
const requestMs = 10 * minute;

const sourceStream: stream.Config = {
  first: exactly(0), openMs: requestMs, silentMs: 0, healthyMs: H, timedFrom: "try",
  proof: "time", afterHealthy: "at-once", canErrorBeHealthy: true, atOnceMax: 0,
  resetBy: "health", wait: even(T), gate: "none", hurryGapMs: 0,
};

/** The document's own order, gates and times. */
export const source: Policy = {
  name: "source",
  isManual: false,
  startup: {
    calls: ["refresh-server", "sync"], connectedBy: "made",
    madeBefore: ["server-key", "malformed", "other"], waitMs: requestMs,
  },
  connected: {
    owner: "writers", agesMs: { program: 0, server: 0, rounds: 0, mailbox: 0, chain: 0 },
  },
  probe: {
    op: "refresh-server", first: exactly(T), rest: exactly(T), retry: even(T), waitMs: requestMs,
    whileUp: "skip", gapMs: T,
  },
  rounds: {
    stream: sourceStream, queueMax: 8, isInline: true, isRepeatHandled: true,
    maintain: "first-attempt", isProgressed: true, waitMs: requestMs,
  },
  mailbox: {
    stream: {
      ...sourceStream, timedFrom: "open", canErrorBeHealthy: false, atOnceMax: 5,
      resetBy: "any-item", gate: "connected",
    },
    first: exactly(0), poll: exactly(T), retry: even(T), isStreamTrusted: true,
    isHintRead: false, isHurried: false, needsChain: false, gate: "connected",
    again: exactly(1), againMax: 0, waitMs: requestMs, stuckMax: 1_000_000,
    stillMs: 24 * hour, stillNewsMin: 1_000_000,
  },
  sync: {
    steps: [
      stepOf("fee-rates", "connected", requestMs), stepOf("sync-boards", "connected", requestMs),
      stepOf("sync-offboards", "connected", requestMs), stepOf("sync-onchain", "none", requestMs),
      stepOf("sync-rounds", "none", requestMs), stepOf("sync-exits", "none", requestMs),
      stepOf("progress-exits", "none", requestMs),
    ],
    first: exactly(0), rest: exactly(T), retry: undefined, wake: undefined, gapMs: T,
    behindMs: 24 * hour,
  },
  exits: { ...defaults.exits, isOwn: false },
  stopping: { stopMs: 0, isCutting: false, isFinishing: true },
};

/** Asserts every range, and rule 3. What an operator can set is checked before it comes here. */
export function check(p: Policy): void {
  rounds.check(p.rounds);
  mailbox.check(p.mailbox);
  probe.check(p.probe);
  rota.check(p.sync);
  exits.check(p.exits);
  const rests = [p.probe.rest, p.mailbox.poll, p.sync.rest, p.exits.rota.rest, p.exits.idle];
  for (const rest of rests) checkRest(rest, restMsMin, "policy: a rest");
  const { probe: { retry }, rounds: { stream: { wait } } } = p;
  const waits = [
    retry, wait, p.mailbox.stream.wait, p.mailbox.retry, p.sync.retry, p.exits.rota.retry,
  ];
  for (const w of waits) if (w !== undefined) checkWait(w, restMsMin, "policy: a wait");
  assert(p.rounds.stream.gate === "none", "policy: rounds wait for no flag");
  const { owner, agesMs } = p.connected;
  if (owner === "evidence") {
    const slowestMs = p.probe.rest.ms + p.probe.rest.spreadMs + p.probe.waitMs;
    assert(agesMs.server > slowestMs, "policy: evidence lives longer than a probe takes");
  }
}
