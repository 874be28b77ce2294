/**
 * Profiles: which worlds a hunt looks at.
 *
 * Rule 1: a profile is data: ranges, from which each seed draws its own world (swarm: each seed
 * also has its own subset of fault kinds, so that rare combinations are not washed out).
 * Rule 2: `std20` is a fixed topology, for figures that can be compared.
 * @module
 */
import { arkHarms, type HarmKind, type HostileKind } from "../scenario.ts";

export const profiles = [
  "smoke", "std", "chaos", "clock", "slow", "adversary", "liveness", "std20", "queues", "disk",
  "maker", "maker24", "ark", "ark24", "expiry1",
] as const;
/** Worlds with our maker daemon in them; the others are about directories. */
export const makerProfiles: readonly Profile[] = ["maker", "maker24"];
/** Worlds with our Ark daemon and nobody else. */
export const arkProfiles: readonly Profile[] = ["ark", "ark24", "expiry1"];
export type Profile = (typeof profiles)[number];

/** From, to; both included. */
export type Range = readonly [number, number];

export type Shape = {
  readonly says: string;
  readonly directories: Range;
  readonly makers: Range;
  readonly takers: Range;
  readonly watchers: Range;
  readonly hostile: Range;
  /** How hard these try, at most: 1 to 10. */
  readonly zealMax: number;
  /** Our makers; with any there is a chain for them too. */
  readonly bots: Range;
  /** What they take for directories and is none. */
  readonly traps: Range;
  /** Ark wallets of one daemon; with any there is an Ark around them, and no directory. */
  readonly wallets: Range;
  /** What their VTXOs live at most. */
  readonly lifeBlocks: number;
  /** Programs that run a daemon of their own, and daemons that look rarely. */
  readonly runThemselves: number;
  readonly rareLooks: number;
  readonly faultyMin: Range;
  readonly convergeMs: number;
  readonly faults: Range;
  readonly triggers: Range;
  /** Two faults at once, or one at the very moment at which it hurts. */
  readonly ambushes: Range;
  /** Tasks for each honest peer in an hour. */
  readonly tasksPerHour: Range;
  /** Relative weights; a kind that is not named has `otherWeight`. */
  readonly weights: { readonly [kind in HarmKind]?: number };
  readonly otherWeight: number;
  /** Of 100 seeds, how many have small limits, small buffers, odd segments and so on. */
  readonly smallLimits: number;
  readonly smallBuffers: number;
  readonly oddSegments: number;
  readonly slowHosts: number;
  readonly journal: number;
  readonly twins: number;
  /** Of a thousand bodies, how many are as long as lines may be. */
  readonly longBodies: number;
  /** Faster heartbeats: more of them in the same time. */
  readonly quickBeats: number;
  /** Outboxes so small that a few stuck readers fill them all together. */
  readonly tightQueues: number;
  /** Readers that stop together, are told much meanwhile, and go on together. */
  readonly rushes: Range;
  /** Faults of a journal's disk at the moment between a write and its sync. */
  readonly diskTraps: Range;
};

/** Kinds that only profiles have which name them. */
const namedKinds: readonly HarmKind[] = ["diskFails", ...arkHarms];

/** How often a kind comes in a profile, relative to the others. */
export function weightOf(shape: Shape, kind: HarmKind): number {
  return shape.weights[kind] ?? (namedKinds.includes(kind) ? 0 : shape.otherWeight);
}

const std: Shape = {
  says: "a bit of everything",
  directories: [1, 2], makers: [2, 10], takers: [1, 4], watchers: [0, 2], hostile: [0, 2],
  zealMax: 10,
  bots: [0, 0], traps: [0, 0], wallets: [0, 0], lifeBlocks: 0,
  runThemselves: 0, rareLooks: 0,
  faultyMin: [10, 60], convergeMs: 2_100_000, faults: [0, 24], triggers: [0, 4],
  ambushes: [0, 3],
  tasksPerHour: [4, 12], weights: {}, otherWeight: 2,
  smallLimits: 25, smallBuffers: 30, oddSegments: 50, slowHosts: 25, journal: 25, twins: 20,
  quickBeats: 25, longBodies: 60, tightQueues: 0, rushes: [0, 0], diskTraps: [0, 0],
};

/** Nobody but the daemon of Ark wallets. */
const alone: Shape = {
  ...std, directories: [0, 0], makers: [0, 0], takers: [0, 0], watchers: [0, 0], hostile: [0, 0],
  ambushes: [0, 0], journal: 0, twins: 0, smallLimits: 0, smallBuffers: 0, oddSegments: 0,
  quickBeats: 0, otherWeight: 0, lifeBlocks: 36, convergeMs: 10_800_000,
};

export const shapes: { readonly [profile in Profile]: Shape } = {
  std,
  std20: {
    ...std, says: "1 directory, 20 makers, 5 takers, 2 hours, faults",
    directories: [1, 1], makers: [20, 20], takers: [5, 5], watchers: [0, 0], hostile: [0, 0],
    faultyMin: [85, 85], faults: [10, 30], tasksPerHour: [6, 6], journal: 0, twins: 0,
    smallLimits: 0, quickBeats: 0, longBodies: 4,
  },
  smoke: {
    ...std, says: "small and short", directories: [1, 1], makers: [1, 3], takers: [1, 2],
    watchers: [0, 1], hostile: [0, 1], faultyMin: [5, 30], faults: [0, 8], triggers: [0, 2],
  },
  chaos: {
    ...std, says: "many faults at once", makers: [3, 8], hostile: [0, 3], faults: [20, 80],
    triggers: [2, 12], ambushes: [0, 6], smallLimits: 50, smallBuffers: 50, oddSegments: 70,
    slowHosts: 50,
    quickBeats: 50, twins: 40, journal: 40,
  },
  clock: {
    ...std, says: "clocks that jump and drift, processes that stop", hostile: [0, 1],
    weights: { jump: 12, drift: 8, pause: 12, crash: 4 }, otherWeight: 1, faults: [4, 30],
  },
  slow: {
    ...std, says: "slow links, slow readers, small buffers, odd segments", faults: [6, 40],
    weights: { slow: 10, narrow: 10, stall: 12, chop: 8, lateEnd: 8, lateDial: 6 },
    otherWeight: 1, smallLimits: 50, smallBuffers: 80, oddSegments: 90, slowHosts: 60,
    tasksPerHour: [10, 40], longBodies: 150,
  },
  adversary: {
    ...std, says: "hostile peers", hostile: [2, 6], faults: [0, 12], smallLimits: 50,
    faultyMin: [5, 30], quickBeats: 50,
  },
  liveness: {
    ...std, says: "much broken at the heal, and half-open links above all", directories: [1, 3],
    hostile: [0, 1], faults: [6, 40], triggers: [1, 8],
    weights: { halfOpen: 14, cut: 8, partition: 8, crash: 8, lateEnd: 8, hang: 6 },
    otherWeight: 1,
  },
  queues: {
    ...std, says: "small queues, and readers that stop and go on together",
    directories: [1, 1], makers: [3, 7], takers: [2, 4], hostile: [0, 0], faultyMin: [5, 15],
    faults: [0, 6], triggers: [0, 1], ambushes: [0, 1], smallBuffers: 90, tightQueues: 100,
    rushes: [1, 5], journal: 0, twins: 0,
  },
  disk: {
    ...std, says: "a journal, and what disks and power do to it",
    directories: [1, 1], makers: [1, 1], takers: [1, 1], watchers: [0, 0], hostile: [0, 0],
    faultyMin: [10, 30], faults: [2, 16], triggers: [0, 0], ambushes: [0, 0], journal: 100,
    twins: 0, otherWeight: 1, diskTraps: [2, 10],
    weights: { diskSlow: 8, diskFull: 12, diskTorn: 12, diskFails: 16, crash: 16 },
  },
  maker: {
    ...std, says: "our maker daemon: several directories, a chain, a disk, Tor",
    directories: [2, 4], makers: [0, 2], takers: [1, 2], watchers: [0, 0], hostile: [0, 1],
    zealMax: 2, bots: [1, 3], traps: [0, 2],
    faultyMin: [15, 75], convergeMs: 3_000_000, faults: [2, 30], triggers: [0, 2],
    ambushes: [0, 1], journal: 0, twins: 0,
    weights: { tor: 6, rpcWrong: 6, crash: 6, diskFull: 4, restart: 3, hookDown: 3 },
    otherWeight: 2,
  },
  maker24: {
    ...std, says: "our maker daemon for a day, with 8 directories and few faults",
    directories: [8, 8], makers: [0, 0], takers: [0, 0], watchers: [0, 0], hostile: [0, 0],
    bots: [1, 1], faultyMin: [1_440, 1_440], convergeMs: 0, faults: [2, 8], triggers: [0, 0],
    ambushes: [0, 0], journal: 0, twins: 0, smallLimits: 0, quickBeats: 0, smallBuffers: 0,
    oddSegments: 0, slowHosts: 0,
  },
  ark: {
    ...alone, says: "our Ark daemon: a few wallets, hours to days, all faults", wallets: [1, 5],
    faultyMin: [240, 1_800], faults: [2, 30], triggers: [0, 4], tasksPerHour: [0, 2],
    runThemselves: 25, rareLooks: 25,
    weights: {
      barkdWrong: 6, serverWrong: 6, sourceWrong: 5, crash: 4, restart: 1, jump: 2, drift: 1,
      pause: 2, diskSlow: 2, diskFull: 2, diskTorn: 2, diskFails: 2, hookDown: 1, cut: 2,
      refuse: 1, hang: 1, slow: 2,
    },
  },
  ark24: {
    ...alone, says: "our Ark daemon for a day, with 100 wallets and few faults",
    wallets: [100, 100], faultyMin: [1_440, 1_440], convergeMs: 0, faults: [2, 8],
    triggers: [0, 0], tasksPerHour: [1, 1], lifeBlocks: 4_320, slowHosts: 0,
    weights: { barkdWrong: 2, serverWrong: 2, sourceWrong: 2, crash: 1, diskSlow: 1 },
  },
  expiry1: {
    ...alone, says: "our Ark daemon: VTXOs that live 36 blocks, 12 hours, stale chain sources",
    wallets: [1, 3], faultyMin: [539, 539], faults: [0, 12], triggers: [0, 2],
    tasksPerHour: [0, 1], slowHosts: 5, runThemselves: 70, rareLooks: 70,
    weights: {
      sourceWrong: 6, barkdWrong: 3, serverWrong: 3, crash: 3, restart: 1, jump: 2, diskSlow: 1,
      diskFull: 1, diskFails: 1,
    },
  },
};

/** Hostile kinds and how often each is chosen. */
export const hostileWeights: readonly (readonly [HostileKind, number])[] = [
  ["flood", 3], ["squatter", 4], ["drip", 3], ["garbage", 3], ["forger", 4], ["mute", 3],
  ["churn", 4], ["crowd", 2],
];
