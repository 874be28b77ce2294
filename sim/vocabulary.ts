/**
 * What the machines of a world are told and what they order: all kinds together.
 * @module
 */
import type { ArkEffect, ArkEvent } from "../core/ark/events.ts";
import type { Ark } from "../core/ark/node.ts";
import type { DirectoryEffect, DirectoryEvent } from "../core/directory/events.ts";
import type { Directory } from "../core/directory/node.ts";
import type { StoreEvent } from "../core/history/store.ts";
import type { Tick, WakeEffect } from "../core/kernel/io.ts";
import type { Kernel, Root } from "../core/kernel/kernel.ts";
import type { MakerEffect, MakerEvent } from "../core/maker/events.ts";
import type { Maker } from "../core/maker/node.ts";
import type { Hostile } from "./actors/hostile.ts";
import type { Journal, JournalEffect, JournalEvent } from "./actors/journal.ts";
import type { Peer, PeerEffect, PeerEvent } from "./actors/peer.ts";
import type { ChainEffect, ChainEvent, ChainNode } from "./bot/chain.ts";
import type { Trap } from "./bot/trap.ts";
import type { TownEffect, TownEvent, TownNode } from "./fleet/town.ts";

/**
 * What the host of a simulated maker daemon knows: neither passwords of Tor nor services that its
 * operator runs. An order of another kind is reported (X2).
 */
export type BotEvent = Extract<MakerEvent, {
  readonly type: "conn.opened" | "conn.received" | "conn.congested" | "conn.drained"
    | "conn.closed" | "conn.dialed" | "conn.failed" | "req.done" | "req.failed" | "sign.given"
    | "derive.given" | "store.loaded" | "store.appended" | "store.synced" | "store.truncated"
    | "store.failed" | "clock.anchored" | "operator.started" | "operator.stop"
    | "operator.reload" | "operator.rescan" | "conn.confided" | "cookie.given" | "nonce.given"
    | "key.loaded" | "key.absent" | "key.saved" | "key.failed";
}>;
export type BotEffect = Extract<MakerEffect, {
  readonly type: "conn.dial" | "conn.send" | "conn.close" | "req.start" | "req.drop"
    | "sign.want" | "derive.want" | "store.load" | "store.append" | "store.sync"
    | "store.truncate" | "exec.start" | "log" | "stopped" | "conn.confide" | "cookie.want"
    | "nonce.want" | "key.load" | "key.save";
}>;
/** What the host of a simulated Ark daemon knows. */
export type FleetEvent = Extract<ArkEvent, {
  readonly type: "req.done" | "req.failed" | "stream.subscribed" | "stream.item" | "stream.ended"
    | "store.loaded" | "store.appended" | "store.synced" | "store.truncated" | "store.failed"
    | "clock.anchored" | "operator.started" | "operator.stop" | "operator.trust";
}>;
export type SimEvent =
  | DirectoryEvent | PeerEvent | JournalEvent | StoreEvent | BotEvent | ChainEvent | FleetEvent
  | TownEvent | Tick;
export type SimEffect =
  | DirectoryEffect | PeerEffect | JournalEffect | BotEffect | ChainEffect | ArkEffect
  | TownEffect | WakeEffect;
export type SimState =
  Directory | Peer | Hostile | Journal | Maker | ChainNode | Trap | Ark | TownNode;
export type AnyRoot = Root<SimState, SimEvent, SimEffect>;
export type SimKernel = Kernel<SimState, SimEvent, SimEffect>;
