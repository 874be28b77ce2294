/**
 * What can happen to the daemon of Ark wallets and what it can ask for, beyond the shared
 * vocabulary.
 * @module
 */
import type { StoreEffect, StoreEvent } from "../history/store.ts";
import type {
  ClockEvent, LogEffect, RequestEffect, RequestEvent,
} from "../kernel/io.ts";
import type { ExecEffect } from "../notify/target.ts";
import type { ArkConfig } from "./config.ts";
import type { Shown } from "./intents.ts";
import type { StreamEffect, StreamEvent } from "./streams.ts";
import type { Failure } from "./supervisor.ts";

/** Settings that may change while it runs (SIGHUP); the rest needs a restart. */
export type Reloadable = Pick<ArkConfig, "notify" | "logLevel">;

/** A wallet's program, as this process runs it. `run` counts those of one wallet. */
export type ChildEvent =
  | {
    readonly type: "child.spawned"; readonly wallet: string; readonly run: number;
    readonly pid: number;
  }
  /** It could not be started. One of these two follows each `child.start`. */
  | {
    readonly type: "child.failed"; readonly wallet: string; readonly run: number;
    readonly why: Failure;
  }
  /** It has ended: with a code, or by a signal. Once for each that was spawned. */
  | {
    readonly type: "child.exited"; readonly wallet: string; readonly run: number;
    readonly code: number | undefined; readonly signal: string;
  };

export type ChildEffect =
  | { readonly type: "child.start"; readonly wallet: string; readonly run: number }
  /** To the program and its own children. To one that has ended nothing is sent. */
  | {
    readonly type: "child.signal"; readonly wallet: string; readonly run: number;
    readonly signal: "term" | "kill";
  };

export type ArkEvent =
  /** Of wallets' programs (`barkd:<name>`) and of targets of notices. */
  | RequestEvent
  | StreamEvent
  | ChildEvent
  | StoreEvent
  | ClockEvent
  /** Sent once by the host, after `clock.anchored`. */
  | { readonly type: "operator.started" }
  /** Nothing new is asked; what must not be cut is waited for; `stopped` follows in `drainMs`. */
  | { readonly type: "operator.stop" }
  | { readonly type: "operator.reload"; readonly settings: Reloadable }
  /** Look at all wallets now. */
  | { readonly type: "operator.look" }
  /**
   * The wallet's program has ended, and what ran in it; only from who knows, such as another
   * supervisor than ours. Answers that come for its requests are not heard any more.
   */
  | { readonly type: "program.gone"; readonly wallet: string }
  /**
   * The operator has looked at this wallet's fingerprint and its server's key; `undefined`: at
   * nothing, and trusts whatever is shown.
   */
  | {
    readonly type: "operator.trust"; readonly wallet: string; readonly looked: Shown | undefined;
  };

export type ArkEffect =
  /**
   * `req.drop` comes only for what may be given up. Any other request goes on until it is answered
   * or its connection is gone: the host has no time-out of its own for it.
   */
  | RequestEffect
  | StreamEffect
  | ChildEffect
  | StoreEffect
  | LogEffect
  | ExecEffect
  /** Everything is said and written that could be: the host may exit. */
  | { readonly type: "stopped" };
