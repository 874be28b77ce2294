/**
 * What scenarios say of Ark wallets: the daemon that looks after them, the little world of an Ark
 * around it, and what befalls that world.
 *
 * Rule 1: plain JSON, as in `scenario.ts`; amounts are whole satoshis, ages are blocks.
 * Rule 2: the smallest value of each field is the boring one.
 * @module
 */

/** The name of a node, as in `scenario.ts`. */
type NodeId = string;

/** One VTXO: its amount, how many blocks it still lives, and how deep its exit is. */
export type CoinSpec = { readonly sat: number; readonly blocks: number; readonly levels: number };

export type WalletSpec = {
  readonly name: string;
  readonly coins: readonly CoinSpec[];
  /** What it has on the chain to pay exits with. */
  readonly fundsSat: number;
  /** Its daemon begins exits by itself, and claims what came out of them. */
  readonly autoExit?: boolean;
  readonly autoClaim?: boolean;
  /** Its daemon hears the server's round events. */
  readonly hasRounds?: boolean;
  /** Its program runs a daemon of its own: ours guards, and asks for nothing that repeats. */
  readonly runsItself?: boolean;
  /** And then has them refreshed by itself, so many blocks before their expiry. */
  readonly ownBlocks?: number;
  /** Our daemon leaves refreshes to it. */
  readonly noRefresh?: boolean;
};

/** Our Ark daemon: one process, with a disk, and with somebody who gets its notices. */
export type FleetSpec = {
  readonly id: NodeId;
  readonly kind: "fleet";
  /** Where its wallets are; the first one when absent. */
  readonly ark?: NodeId;
  readonly joinsAt?: number;
  readonly wallets: readonly WalletSpec[];
  /** Over the defaults of the daemon. */
  readonly settings?: FleetSettings;
};

/** What scenarios may change about a fleet: keys of a wallet's guard, and the disk. */
export type FleetSettings = {
  readonly refreshBlocks?: number;
  readonly leadBlocks?: number;
  readonly failingBlocks?: number;
  readonly perLevelBlocks?: number;
  readonly marginBlocks?: number;
  /** How often coins, exits and the height are looked at, in ms. */
  readonly lookMs?: number;
  readonly diskBytes?: number;
  /** Everything is logged. */
  readonly verbose?: boolean;
};

export const paces = ["steady", "drawn"] as const;

/** An Ark server, a block chain, and a program for each wallet of the fleets that name it. */
export type ArkSpec = {
  readonly id: NodeId;
  readonly kind: "ark";
  /** Blocks come at an interval of `blockMs`, or by lot around it. */
  readonly pace: (typeof paces)[number];
  readonly blockMs: number;
  /** From one round to the next. */
  readonly roundMs: number;
  /** What a refresh gives a VTXO to live, and how long its exit has to wait at the end. */
  readonly lifeBlocks: number;
  readonly deltaBlocks: number;
};

/** What an ark, as a node, is asked to do; `mine` and `reorg` of chains are its tasks too. */
export type ArkWork =
  /** Somebody pays a wallet: a message with one VTXO. */
  | {
    readonly op: "pay"; readonly wallet: string; readonly sat: number; readonly blocks: number;
    readonly levels: number;
  }
  /** Satoshis come to a wallet's own address. */
  | { readonly op: "deposit"; readonly wallet: string; readonly sat: number }
  /** The server starts anew, or a wallet's program; or the latter gets another token. */
  | { readonly op: "restartServer" }
  | { readonly op: "restartProgram" | "changeToken"; readonly wallet: string }
  /** What blocks want, in satoshis per virtual byte. */
  | { readonly op: "feeRate"; readonly rate: number };

/** See `BarkdFault` of `sim/ark/faults.ts`; `without` leaves heights of expiry out. */
export const barkdWrongs = [
  "refusing", "restarting", "closing", "silent", "slow", "denied", "noWallet", "html", "empty",
  "cut", "newer", "without",
] as const;
export type BarkdWrong = (typeof barkdWrongs)[number];

/**
 * See `ServerFault` there; `oddVersion` and `oddNetwork`: it speaks what no wallet takes. These two
 * and `key` are seen by a program that starts, `replayClose` by who opens a stream.
 */
export const serverWrongs = [
  "down", "blackHole", "closing", "slow", "key", "oddVersion", "oddNetwork", "failingRounds",
  "noRounds", "rejecting", "replayClose", "mute", "wildNumbers", "endlessMailbox", "storm",
] as const;
export type ServerWrong = (typeof serverWrongs)[number];

/** See `ChainFault` there. */
export const sourceWrongs = ["down", "html", "slow", "stale", "backwards"] as const;
export type SourceWrong = (typeof sourceWrongs)[number];

/**
 * `size`: how slow in ms, how many blocks back, how many thousandths of an answer, how many events
 * a second; 0 where there is nothing to say. `wallet`: `*` for all.
 */
export type ArkHarm =
  /** A wallet's program answers wrongly, late, or not at all. */
  | { readonly kind: "barkdWrong"; readonly node: NodeId; readonly wallet: string;
      readonly as: BarkdWrong; readonly size: number; readonly forMs: number }
  /** The Ark server does. */
  | { readonly kind: "serverWrong"; readonly node: NodeId; readonly as: ServerWrong;
      readonly size: number; readonly forMs: number }
  /** What wallets' programs take for the chain does. */
  | { readonly kind: "sourceWrong"; readonly node: NodeId; readonly wallet: string;
      readonly as: SourceWrong; readonly size: number; readonly forMs: number };
export const arkHarmKinds = ["barkdWrong", "serverWrong", "sourceWrong"] as const;
