/**
 * What the link to one directory is told, and what it says.
 * @module
 */
import type { DialFailure, Ended, Tick } from "../kernel/io.ts";
import type { Why as Refusal } from "./greet.ts";
import type { Dead, Effect as WireEffect } from "./wire.ts";

/** The public offers. Each text is one command with its arguments: one line each. */
export type Offers = {
  /** Grows with every change. */
  readonly version: number;
  /** Said where the version before was said: what is withdrawn, and what is new. */
  readonly change: readonly string[];
  /** Said on a connection that is new: all there is. */
  readonly current: readonly string[];
};

export type Event =
  /** The process is there: dial. Once. With `isStartup`, no directory was reached yet. */
  | { readonly type: "started"; readonly isStartup: boolean }
  /** Startup is over. */
  | { readonly type: "settled" }
  | { readonly type: "dialed" }
  | { readonly type: "failed"; readonly reason: DialFailure }
  | { readonly type: "received"; readonly bytes: Uint8Array }
  | { readonly type: "congested" | "drained" }
  | { readonly type: "closed"; readonly reason: Ended }
  /** The answer to `sign`. */
  | { readonly type: "signed"; readonly signature: Uint8Array }
  | { readonly type: "offered"; readonly offers: Offers }
  /** Where others reach us from now on; a directory that was told otherwise is dialled anew. */
  | { readonly type: "located"; readonly location: string }
  /** Close in good order, and dial no more. */
  | { readonly type: "stopped" }
  | Tick;

/** Why an attempt or a connection ended. */
export type Why =
  | `dial-${DialFailure}` | Ended | Dead | Refusal
  /** No outcome within `dialMs`; not let in within `handshakeMs`. */
  | "dial-late" | "handshake-late"
  /** A part of the proof's exchange at the wrong moment. */
  | "auth-order"
  | "line-too-long" | "malformed"
  /** We have another address now. */
  | "relocated";

export type Effect =
  | WireEffect
  | { readonly type: "dial" }
  | { readonly type: "close"; readonly how: "abort" | "flush"; readonly reason: string }
  /** 32 bytes, hashed twice. An answer for an older connection must not be handed in. */
  | { readonly type: "sign"; readonly digest: Uint8Array }
  | { readonly type: "up"; readonly motd: string; readonly isProven: boolean }
  /** Over; the next dial comes in `retryMs`. `says`: what the directory said of it, unescaped. */
  | {
    readonly type: "lost"; readonly why: Why; readonly says: string; readonly wasUp: boolean;
    readonly failures: number; readonly retryMs: number;
  }
  /** A line that a peer sent by way of this directory. Not checked. */
  | { readonly type: "heard"; readonly kind: "public" | "private"; readonly line: string }
  | { readonly type: "announced"; readonly version: number; readonly lines: number }
  /** Nothing is left of the link. */
  | { readonly type: "ended" };
