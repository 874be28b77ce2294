/**
 * What the watch over pending transactions hears and says.
 *
 * Rule 1: it owns neither the chain, nor the journal, nor the notices: it asks, wants recorded, and
 * wants told, each under a number, and hears what came of it.
 * @module
 */
import type { Answer, Question } from "../chain/chain.ts";
import type { Untold } from "../history/book.ts";
import type { Change, Row } from "../history/entry.ts";
import type { LogEffect, Tick } from "../kernel/io.ts";

export type Event =
  /**
   * Rows whose fate is open and changes nobody was told of, as the book has them: at the start, and
   * after `refill`. `isAll`: there are no more.
   */
  | {
    readonly type: "restored"; readonly rows: readonly Row[]; readonly untold: readonly Untold[];
    readonly isAll: boolean;
  }
  /** A row as the book has it now: a new one, or one that somebody else changed. */
  | { readonly type: "known"; readonly row: Row }
  | {
    readonly type: "answered"; readonly token: number; readonly answer: Answer;
    readonly unixMs: number;
  }
  /** A record is durable, and the book has it. */
  | { readonly type: "durable"; readonly token: number; readonly seq: number }
  | { readonly type: "refused"; readonly token: number }
  /** A durable record says that the notice was told. `muted`: nobody will, so none does. */
  | { readonly type: "told" | "muted"; readonly seq: number }
  /** The process ends: ages are recorded and nothing is asked any more. */
  | { readonly type: "stopping" }
  | Tick;

export type Effect =
  /** One `answered` with this token is waited for, until `askMs` have passed. */
  | { readonly type: "ask"; readonly token: number; readonly question: Question }
  /** One `durable` or `refused` with this token must follow. */
  | { readonly type: "record"; readonly token: number; readonly body: string }
  /** Somebody is to hear of it; `told` or `muted` must follow. */
  | {
    readonly type: "notice"; readonly seq: number; readonly of: number;
    readonly what: Change["type"];
  }
  /** There is room for what did not fit: `restored` is wanted. */
  | { readonly type: "refill" }
  | LogEffect;
