/**
 * What the background of one wallet takes and gives: the words of `daemon.ts`.
 * @module
 */
import type { Tick } from "../kernel/io.ts";
import type { Capability, Evidence, State } from "./facts.ts";
import type { Running } from "./stopping.ts";
import type { Why } from "./stream.ts";
import type { Answer, Done, Failed, Op, OpName, RoundEvent } from "./wallet.ts";

export type LaneName = "startup" | "probe" | "rounds" | "mailbox" | "sync" | "exits";
/** All that can have a call under way. */
export const laneNames: readonly LaneName[] = [
  "startup", "probe", "rounds", "mailbox", "sync", "exits",
];
export type StreamName = "rounds" | "mailbox";

export type Event =
  /** Once. Which streams the backend has. */
  | { readonly type: "started"; readonly hasRounds: boolean; readonly hasMailbox: boolean }
  | {
    readonly type: "answered"; readonly lane: LaneName; readonly token: number;
    readonly answer: Answer;
  }
  /** The answer to a call that somebody else made; evidence only. */
  | { readonly type: "heard"; readonly op: OpName; readonly answer: Answer }
  | { readonly type: "subscribed"; readonly stream: StreamName; readonly token: number }
  | {
    readonly type: "round"; readonly token: number; readonly event: RoundEvent;
    readonly isReplay: boolean | undefined;
  }
  | { readonly type: "message"; readonly token: number; readonly checkpoint: number }
  | {
    readonly type: "ended"; readonly stream: StreamName; readonly token: number;
    readonly why: "clean" | "error" | "refused";
  }
  /** A block; or work for the steps, such as a refresh that was just asked for. */
  | { readonly type: "tip" | "work" }
  /** An exit was begun. */
  | { readonly type: "exit" }
  /** Something happened in the wallet. */
  | { readonly type: "news" }
  /** The wallet's program is known to be gone, and what ran in it. */
  | { readonly type: "released" }
  /** The operator has looked at the server's key. */
  | { readonly type: "trusted" }
  | { readonly type: "stop"; readonly isWaiting: boolean }
  | { readonly type: "start" }
  | Tick;

export type Effect =
  | {
    readonly type: "call"; readonly lane: LaneName; readonly token: number; readonly call: Op;
    readonly waitMs: number;
  }
  | { readonly type: "drop"; readonly lane: LaneName; readonly token: number }
  | { readonly type: "subscribe" | "close"; readonly stream: StreamName; readonly token: number }
  | Report
  /** Nothing of this run is under way any more: the wished-for next one may begin. */
  | { readonly type: "start" };

/** What others act on, count, and tell. */
export type Report =
  | { readonly type: "ready" }
  | {
    readonly type: "edge"; readonly of: Capability; readonly from: State; readonly to: State;
    readonly evidence: Evidence;
  }
  | { readonly type: "connected"; readonly isConnected: boolean }
  | { readonly type: "barred" }
  | { readonly type: "round"; readonly event: RoundEvent; readonly isReplay: boolean }
  | { readonly type: "began"; readonly roundSeq: number }
  | { readonly type: "lagging"; readonly dropped: number }
  | { readonly type: "ran"; readonly lane: LaneName; readonly done: Done; readonly ranMs: number }
  | {
    readonly type: "failed"; readonly lane: LaneName; readonly op: OpName;
    readonly failed: Failed; readonly failures: number; readonly retryMs: number | undefined;
  }
  | { readonly type: "unsupported"; readonly lane: LaneName; readonly op: OpName }
  | {
    readonly type: "overdue"; readonly lane: LaneName; readonly op: OpName;
    readonly ranMs: number; readonly isDropped: boolean;
  }
  | {
    readonly type: "late"; readonly lane: LaneName; readonly op: OpName; readonly ranMs: number;
  }
  | {
    readonly type: "passed"; readonly lane: LaneName; readonly tookMs: number;
    readonly failures: number;
  }
  | { readonly type: "behind"; readonly lane: LaneName; readonly forMs: number }
  | { readonly type: "caught-up"; readonly lane: LaneName }
  | {
    readonly type: "over"; readonly stream: StreamName; readonly why: Why;
    readonly isHealthy: boolean; readonly failures: number; readonly retryMs: number;
  }
  | { readonly type: "moved"; readonly checkpoint: number }
  | { readonly type: "went-back"; readonly from: number; readonly to: number }
  | {
    readonly type: "stuck"; readonly checkpoint: number | undefined; readonly hint: number;
    readonly reads: number;
  }
  | { readonly type: "still"; readonly forMs: number; readonly news: number }
  /** The answer to a wish to stop. */
  | { readonly type: "stop-answered"; readonly running: readonly Running[] }
  | { readonly type: "stopped"; readonly running: readonly Running[]; readonly tookMs: number }
  | { readonly type: "drained" };
