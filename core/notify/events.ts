/**
 * What the outbox of notices hears and wants.
 * @module
 */
import type { LogEffect, RequestEffect, RequestFailure, Tick } from "../kernel/io.ts";
import type { Config } from "./config.ts";
import type { Loss } from "./letter.ts";
import type { Notice } from "./notice.ts";
import type { ExecEffect } from "./target.ts";

export type Event =
  /** Something happened, at the wall time `unixMs`. At any time. */
  | { readonly type: "told"; readonly notice: Notice; readonly unixMs: number }
  /** A body of the journal, in order, before `opened`. Those of others are passed over. */
  | { readonly type: "replayed"; readonly body: string }
  /** The journal was read, or there is none to read; `unixMs` is the wall time. Once. */
  | { readonly type: "opened"; readonly unixMs: number }
  /** Of a `record` with this token; others are passed over. */
  | { readonly type: "durable" | "refused"; readonly token: number }
  /** `retryAfter`: the header of that name, if the answer had one. */
  | {
    readonly type: "req.done"; readonly req: number; readonly status: number;
    readonly body: string; readonly retryAfter?: string;
  }
  | { readonly type: "req.failed"; readonly req: number; readonly reason: RequestFailure }
  /** The way out may have come back. */
  | { readonly type: "nudged" }
  /** Letters of targets that are gone are lost; the others go on. */
  | { readonly type: "reloaded"; readonly config: Config }
  /** Nothing is told after this. Once. */
  | { readonly type: "closing" }
  | Tick;

export type Effect =
  /** To be recorded; the answer, `durable` or `refused`, carries `token`. */
  | { readonly type: "record"; readonly token: number; readonly body: string }
  | RequestEffect
  | ExecEffect
  | LogEffect
  /** Nothing more is sent. `waiting` letters stay, of which `loose` are in no journal. */
  | { readonly type: "closed"; readonly waiting: number; readonly loose: number };

/** What happened to notices, and to letters: a letter counts once for each target. */
export type Counts = {
  told: number; off: number; same: number; held: number; suppressed: number;
  sent: number; lost: Record<Loss, number>; unrecorded: number;
};
