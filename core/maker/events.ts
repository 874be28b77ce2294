/**
 * What can happen to a maker and what it can ask for, beyond the shared vocabulary.
 * @module
 */
import type { StoreEffect, StoreEvent } from "../history/store.ts";
import type {
  ClockEvent, ConfidedEvent, ConfideEffect, ConnEffect, ConnEvent, DialEffect, DialEvent, LogEffect,
  RequestEffect, RequestEvent,
  SignEffect, SignEvent,
} from "../kernel/io.ts";
import type { ExecEffect } from "../notify/target.ts";
import type { FileEffect, FileEvent } from "../tor/errands.ts";
import type { MakerConfig } from "./config.ts";

/** Settings that may change while the maker runs (SIGHUP); the rest needs a restart. */
export type Reloadable = Pick<
  MakerConfig, "directories" | "offers" | "guard" | "notify" | "reports" | "logLevel"
>;

export type MakerEvent =
  | ConnEvent | DialEvent | ConfidedEvent | FileEvent | RequestEvent | SignEvent | StoreEvent
  | ClockEvent
  /** The answer to `derive.want`; `undefined`: it cannot be done. */
  | {
    readonly type: "derive.given"; readonly req: number;
    readonly addresses: readonly string[] | undefined;
  }
  /** Sent once by the host, after `clock.anchored` and before the listeners open. */
  | { readonly type: "operator.started" }
  /** Offers are cancelled, directories left in good order; `stopped` follows within `drainMs`. */
  | { readonly type: "operator.stop" }
  | { readonly type: "operator.reload"; readonly settings: Reloadable }
  /** Look at the coins now; with `fromHeight`, after a search of old blocks from there on. */
  | { readonly type: "operator.rescan"; readonly fromHeight: number | undefined };

export type MakerEffect =
  | ConnEffect | DialEffect | ConfideEffect | FileEffect | RequestEffect | SignEffect | StoreEffect
  | LogEffect | ExecEffect
  /** `count` addresses of an account from index `from` on, in order. */
  | {
    readonly type: "derive.want"; readonly req: number; readonly mixdepth: number;
    readonly branch: 0 | 1; readonly from: number; readonly count: number;
  }
  /** Everything is said and written: the host may exit. */
  | { readonly type: "stopped" };
