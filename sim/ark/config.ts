/**
 * How the little world is set up.
 * @module
 */
import * as servers from "./server.ts";

/** When blocks are found: by hand only, at an interval, or by lot around a mean. */
export type Pace =
  | { readonly kind: "by-hand" }
  | { readonly kind: "steady" | "drawn"; readonly everyMs: number };

/** What a wallet's program does wrong by itself. All false: nothing. */
export type Quirks = {
  /** H34: a receipt that cannot be checked because the chain fails is dropped for good. */
  readonly dropsUnchecked: boolean;
  /** H32: a message that failed is passed by the next one that did not. */
  readonly buries: boolean;
  /** H19: what is read twice is booked twice. */
  readonly booksTwice: boolean;
  /** H28: progress of exits whose asker went away forgets the exits until the next start. */
  readonly forgetsExits: boolean;
};

export const flawless: Quirks = {
  dropsUnchecked: false, buries: false, booksTwice: false, forgetsExits: false,
};

/** As the program is today. */
export const today: Quirks = {
  dropsUnchecked: true, buries: false, booksTwice: false, forgetsExits: true,
};

export type Config = {
  readonly seed: string;
  readonly startMs: number;
  readonly baseHeight: number;
  readonly pace: Pace;
  readonly server: servers.Config;
  readonly quirks: Quirks;
  /** How long answers take that need nobody else, and those that need the chain or the server. */
  readonly localMs: number;
  readonly remoteMs: number;
  /** A server that does not answer is waited for so long: to connect, and for a call. */
  readonly connectMs: number;
  readonly callMs: number;
  /** A long poll of news; what is remembered of them, in ms and in number. */
  readonly pollMs: number;
  readonly newsMs: number;
  readonly newsMax: number;
  /** Pages of one reading of the mailbox. */
  readonly pagesMax: number;
  /** Round events that a slow subscriber can fall behind. */
  readonly ringMax: number;
  /** Virtual bytes of an exit's transaction with its child, and of a claim or a board. */
  readonly exitVb: number;
  readonly claimVb: number;
  /** A program that runs its own daemon does a pass so often. */
  readonly daemonMs: number;
  /** A program that went away when it started is started again so much later; 0: never. */
  readonly respawnMs: number;
  /** Blocks before its expiry from which a wallet's own maintenance refreshes a VTXO. */
  readonly refreshBlocks: number;
  /** Blocks before its expiry from which it is noted what could be done for a VTXO. */
  readonly watchBlocks: number;
  /** Movements that a wallet remembers. */
  readonly movementsMax: number;
  /** Open subscriptions, and askers that wait, of one world. */
  readonly subsMax: number;
  readonly waitsMax: number;
};

export const defaults: Config = {
  seed: "ark", startMs: 1_700_000_000_000, baseHeight: 100_000, pace: { kind: "by-hand" },
  server: servers.defaults, quirks: flawless, localMs: 1, remoteMs: 40, connectMs: 127_000,
  callMs: 600_000, pollMs: 30_000, newsMs: 600_000, newsMax: 64, pagesMax: 10, ringMax: 8,
  exitVb: 300, claimVb: 150, daemonMs: 60_000, respawnMs: 0, refreshBlocks: 12,
  watchBlocks: 144, movementsMax: 1_000, subsMax: 4_000, waitsMax: 4_000,
};
