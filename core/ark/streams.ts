/**
 * The vocabulary of streams that an Ark wallet's daemon listens to: orders to the host, and what
 * it says.
 *
 * Rule 1: the core chooses the ids, never one twice. After `stream.open` comes at most one
 * `stream.subscribed`, then items, then one `stream.ended`; `stream.close` ends a stream at once
 * and nothing follows.
 * Rule 2: the host opens once and never again by itself. How long anything may take beyond the
 * first exchange is the core's business.
 * @module
 */
import type { Fault } from "../fault.ts";
import type { RoundEvent } from "./wallet.ts";

export type StreamEffect =
  /** Asks the server `to`, a name in the host's configuration, for all events of rounds. */
  | { readonly type: "stream.open"; readonly stream: number; readonly to: string }
  | { readonly type: "stream.close"; readonly stream: number };

/**
 * How it ended. `refused`: before the server took the subscription. `clean`: the server closed it.
 * `error`: it broke, or the server sent what is none of its events.
 */
export type StreamEnd = "clean" | "error" | "refused";

export type StreamEvent =
  /** The server took the subscription; it may have nothing to say for an hour. */
  | { readonly type: "stream.subscribed"; readonly stream: number }
  /** The first may be a replay of the event before: servers do that. */
  | { readonly type: "stream.item"; readonly stream: number; readonly event: RoundEvent }
  | {
    readonly type: "stream.ended"; readonly stream: number; readonly reason: StreamEnd;
    readonly fault: Fault;
  };
