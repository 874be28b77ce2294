/**
 * What can happen to a directory node and what it can ask for, beyond the shared vocabulary.
 * @module
 */
import type {
  ClockEvent, ConnEffect, ConnEvent, EntropyEffect, EntropyEvent, LogEffect,
} from "../kernel/io.ts";
import type { DirectoryConfig } from "./config.ts";

/** Settings that may change while the node runs (SIGHUP); the rest needs a restart. */
export type Reloadable = Pick<
  DirectoryConfig,
  "motd" | "logLevel" | "peersMax" | "limits" | "heartbeat"
>;

export type DirectoryEvent =
  | ConnEvent
  | EntropyEvent
  | ClockEvent
  /**
   * The operator asked to stop: refuse newcomers, flush, close; `stopped` follows within `drainMs`.
   */
  | { readonly type: "operator.stop" }
  | { readonly type: "operator.reload"; readonly settings: Reloadable }
  /**
   * Sent once by the host, before the listeners open: nick and heartbeat begin here. With
   * `isAwaited` an onion service beside the node will tell the own address.
   */
  | { readonly type: "operator.started"; readonly isAwaited?: boolean }
  /** The own address, `<56>.onion:port`, is known for good; or it is another one now. */
  | { readonly type: "onion.located"; readonly location: string };

export type DirectoryEffect =
  | ConnEffect
  | EntropyEffect
  | LogEffect
  /** The drain is over: every connection is closed; the host may exit. */
  | { readonly type: "stopped" };
