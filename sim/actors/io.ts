/**
 * What simulated peers, honest and hostile, are told and what they order.
 * @module
 */
import type { ClockEvent, ConnEffect, ConnEvent, DialEffect, DialEvent, LogEffect } from
  "../../core/kernel/io.ts";
import type { ConnId } from "../../core/ids.ts";
import type { Key } from "../../core/prng.ts";
import type { Secret } from "../../core/secret.ts";
import type { HostileSpec, Mark, NodeId, PeerSpec, Work } from "../scenario.ts";
import type { Told } from "./told.ts";

export type PeerEvent =
  | ConnEvent
  | DialEvent
  | ClockEvent
  /** The key behind the nick, before `started`. Without it nothing is proved. */
  | { readonly type: "key.given"; readonly key: Secret }
  /** Once: dialling begins. `joinsAt` is the world's business. */
  | { readonly type: "started" }
  /** A person or a wallet asks for something. */
  | { readonly type: "asked"; readonly task: Work };

export type PeerEffect =
  | ConnEffect
  | DialEffect
  | LogEffect
  /** A moment of the protocol, right after the effect that makes it. */
  | { readonly type: "mark"; readonly mark: Mark; readonly conn: ConnId | undefined }
  /** A fact for the oracles. */
  | { readonly type: "told"; readonly what: Told };

/** One that a peer connects to. `address` is what it dials and the directory's own location. */
export type Known = { readonly id: NodeId; readonly address: string };

type Common = {
  /** The number of the node in its world. */
  readonly index: number;
  /** Processes of this node so far, from 1: no tag or connection id of an earlier one recurs. */
  readonly incarnation: number;
  readonly nick: string;
  /** `<56>.onion:5222`; takers and watchers have none. */
  readonly location: string | undefined;
  /** What it says in its handshake; old peers say `testnet` for regtest. */
  readonly network: "regtest";
  readonly directories: readonly Known[];
  /** The nicks of honest peers by node: whom to ask, and whom to harm. One map may serve all. */
  readonly nicks: ReadonlyMap<NodeId, string>;
  /** Public keys by nick: they are no secret. Hostile ones show them as their own. */
  readonly keys?: ReadonlyMap<string, string>;
  /** Where its chance comes from; its own. */
  readonly key: Key;
};

export type PeerConfig = Common & {
  readonly spec: PeerSpec;
  /** Tell of every public line that arrives: costs much. */
  readonly tells: boolean;
};

export type HostileConfig = Common & { readonly spec: HostileSpec };
