/**
 * What the pool of directories is told, and what it says.
 * @module
 */
import type { ConnEffect, ConnEvent, DialEffect, DialEvent, Tick } from "../kernel/io.ts";
import type { Offers, Why } from "./link-events.ts";

/** A directory as it is configured. */
export type Directory = {
  /** `host:port`; also its name here. */
  readonly to: string;
  /** The label of the Tor circuits to it; without, it is dialled directly. */
  readonly isolation?: string;
  /** What it calls itself when it asks for a proof; without, nothing is proved. */
  readonly directoryId?: string;
};

export type Event =
  | DialEvent
  | Exclude<ConnEvent, { readonly type: "conn.opened" }>
  /** The process is there. Once. */
  | { readonly type: "started" }
  /** The directories from now on, each once. Also before `started`. */
  | { readonly type: "configured"; readonly directories: readonly Directory[] }
  /** Where others reach us from now on. */
  | { readonly type: "located"; readonly location: string }
  | { readonly type: "offered"; readonly offers: Offers }
  | { readonly type: "signed"; readonly token: number; readonly signature: Uint8Array }
  /** Leave all in good order. */
  | { readonly type: "stopped" }
  | Tick;

export type Effect =
  | ConnEffect | DialEffect
  /** 32 bytes for the nick's key. Wants one `signed` with this token; a late one does no harm. */
  | { readonly type: "sign"; readonly token: number; readonly digest: Uint8Array }
  /** `connected` of `total` are up, this one included. */
  | {
    readonly type: "up"; readonly directory: string; readonly connected: number;
    readonly total: number; readonly isProven: boolean; readonly motd: string;
  }
  /** It was up; so many others are. The next dial comes in `retryMs`. */
  | {
    readonly type: "down"; readonly directory: string; readonly connected: number;
    readonly total: number; readonly why: Why; readonly says: string; readonly retryMs: number;
  }
  /** It was not up. `failures` in a row, not counting startup. */
  | {
    readonly type: "failed"; readonly directory: string; readonly why: Why;
    readonly says: string; readonly failures: number; readonly retryMs: number;
  }
  /** Startup is over. */
  | { readonly type: "settled"; readonly isReached: boolean }
  /** No directory is up. Once, until `all-back`. `isStartup`: none ever was. */
  | { readonly type: "all-down"; readonly total: number; readonly isStartup: boolean }
  /** One is up again. Once after each `all-down`. */
  | { readonly type: "all-back"; readonly connected: number; readonly total: number }
  /** A line that a peer sent by way of `directory`. Not checked. */
  | {
    readonly type: "heard"; readonly directory: string; readonly kind: "public" | "private";
    readonly line: string;
  }
  | {
    readonly type: "announced"; readonly directory: string; readonly version: number;
    readonly lines: number;
  }
  /** After `stopped`: no connection is left. Once. */
  | { readonly type: "ended" };
