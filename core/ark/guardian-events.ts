/**
 * What the guardian of one wallet's VTXOs hears and says, and what its parts look at.
 *
 * Rule 1: it owns neither the wallet, nor the journal, nor the notices: it asks, wants recorded and
 * wants told. Calls and records have numbers of one count.
 * Rule 2: no more than one call is under way in each lane. What must not be cut is not given up
 * here: its lane is taken until an answer comes, and nothing else waits for it.
 * @module
 */
import type { LogEffect, Tick } from "../kernel/io.ts";
import type { ArkLifeNotice } from "../notify/ark-life.ts";
import type { ArkNotice } from "../notify/ark.ts";
import type { Mono } from "../time.ts";
import type { Coin } from "./expiry.ts";
import type { Shown } from "./intents.ts";
import type { Answer, ArkInfo, Exit, Op } from "./wallet.ts";

export type Lane = "look" | "refresh" | "exit" | "claim";

export type Event =
  /** A body of the journal, in order, before `opened`; those of others are passed over. */
  | { readonly type: "replayed"; readonly body: string }
  /** The journal was read, and takes records. Once. */
  | { readonly type: "opened" }
  /** The wall clock, for records: before `opened`, and whenever it was set. */
  | { readonly type: "anchored"; readonly unixMs: number }
  | { readonly type: "answered"; readonly token: number; readonly answer: Answer }
  /** A record's fate. */
  | { readonly type: "durable" | "refused"; readonly token: number }
  /** Something has happened: look now. */
  | { readonly type: "nudged" }
  /** The server shows another key than the wallet knows; or the operator trusts it again. */
  | { readonly type: "barred"; readonly isBarred: boolean }
  /** Which wallet answers. */
  | { readonly type: "identified"; readonly fingerprint: string }
  /** What the operator has looked at is right; `undefined`: whatever is shown, or comes next. */
  | { readonly type: "trusted"; readonly looked: Shown | undefined }
  /** No call and no record is begun any more; answers still count. */
  | { readonly type: "stopping" }
  | Tick;

export type Effect =
  /** One `answered` with this token must follow, be it late. */
  | {
    readonly type: "call"; readonly token: number; readonly lane: Lane; readonly call: Op;
    readonly waitMs: number;
  }
  /** One `durable` or `refused` with this token must follow. */
  | { readonly type: "record"; readonly token: number; readonly body: string }
  | { readonly type: "notice"; readonly notice: ArkNotice | OfSight }
  /** The server shows another key than the one that the journal is about. Once. */
  | { readonly type: "rekeyed" }
  | LogEffect;

type OfSight = Extract<ArkLifeNotice, {
  readonly kind: "ark-exchanged" | "ark-unseen" | "ark-seen" | "ark-network";
}>;

/** What is known of the wallet; read by the parts, changed by the guardian only. */
export type Sight = {
  readonly coins: ReadonlyMap<string, Coin>;
  readonly exits: ReadonlyMap<string, Exit>;
  /** When the newest answers were asked for: they say what was so then, or later. */
  readonly vtxosFrom: Mono | undefined;
  readonly exitsFrom: Mono | undefined;
  /** Are both new enough to act on? */
  readonly isFresh: boolean;
  /** The height at worst: it says what is urgent. */
  readonly tip: number | undefined;
  /** As it was said in this run, or had proof before, and with what was counted since: they say
   * what is too late. */
  readonly said: number | undefined;
  readonly counted: number | undefined;
  /** Does the height bear acts that cannot be taken back? */
  readonly isProven: boolean;
  /** Another wallet may be answering, or one of another network: nobody acts on what it shows. */
  readonly isStrange: boolean;
  readonly isElsewhere: boolean;
  /** Nothing that is worth anything is given to this server. */
  readonly isBarred: boolean;
  readonly info: ArkInfo | undefined;
  readonly unixMs: number;
};
