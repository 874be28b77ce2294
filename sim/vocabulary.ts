/**
 * What the machines of a world are told and what they order: all kinds together.
 * @module
 */
import type { DirectoryEffect, DirectoryEvent } from "../core/directory/events.ts";
import type { Directory } from "../core/directory/node.ts";
import type { StoreEvent } from "../core/history/store.ts";
import type { Tick, WakeEffect } from "../core/kernel/io.ts";
import type { Kernel } from "../core/kernel/kernel.ts";
import type { Hostile } from "./actors/hostile.ts";
import type { Journal, JournalEffect, JournalEvent } from "./actors/journal.ts";
import type { Peer, PeerEffect, PeerEvent } from "./actors/peer.ts";

export type SimEvent = DirectoryEvent | PeerEvent | JournalEvent | StoreEvent | Tick;
export type SimEffect = DirectoryEffect | PeerEffect | JournalEffect | WakeEffect;
export type SimState = Directory | Peer | Hostile | Journal;
export type SimKernel = Kernel<SimState, SimEvent, SimEffect>;
