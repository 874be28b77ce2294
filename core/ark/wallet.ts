/**
 * What an Ark wallet can be asked, and what it can answer, whoever runs the wallet.
 *
 * Rule 1: five answers. Done; unsupported, because this backend has no such call; absent, which is
 * a fact; rejected, which will not change by asking again; and unavailable, which says nothing
 * about the wallet. No failure is ever an empty list.
 * Rule 2: what changes coins or keeps its progress in the caller's hands must not be cut: whoever
 * asks stops waiting and leaves the call alone. The rest may be given up at any time.
 * Rule 3: what only the source's own daemon calls is asked here too; a backend without it says so.
 * @module
 */
import type { Fault } from "../fault.ts";

/** Where a VTXO stands, as far as the wallet says. `unknown`: a state this version has not. */
export type VtxoState = "spendable" | "locked" | "exited" | "spent" | "unknown";

/** A virtual output: a coin off the chain that its owner can put on the chain until it expires. */
export type Vtxo = {
  readonly id: string;
  readonly amountSat: bigint;
  /** From this height on the server may take it. */
  readonly expiryHeight: number;
  /** Blocks between the last transaction of an exit and its claim. */
  readonly exitDeltaBlocks: number;
  /** Transactions that an exit has to confirm one after the other. */
  readonly exitDepth: number;
  readonly state: VtxoState;
};

export type ExitState = "start" | "processing" | "awaiting-delta" | "claimable"
  | "claim-in-progress" | "claimed" | "already-spent" | "canceled" | "unknown";

/** A coin on its way to the chain. */
export type Exit = {
  readonly vtxo: string;
  readonly state: ExitState;
  readonly claimableHeight: number | undefined;
};

/** All in satoshis; `undefined`: not known while exits are at work. */
export type Balance = {
  readonly spendableSat: bigint;
  readonly inRoundSat: bigint;
  readonly lightningSendSat: bigint;
  readonly lightningReceiveSat: bigint;
  readonly boardSat: bigint;
  readonly exitSat: bigint | undefined;
};

/** What the Ark server says of itself; whole numbers of blocks, seconds and satoshis. */
export type ArkInfo = {
  readonly network: string;
  readonly serverPubkey: string;
  readonly mailboxPubkey: string;
  readonly roundIntervalS: number;
  readonly exitDeltaBlocks: number;
  readonly expiryDeltaBlocks: number;
  readonly maxExitDepth: number;
};

/** What the server tells everybody about a round. */
export type RoundEvent = {
  readonly kind: "attempt" | "proposal" | "finished" | "failed";
  readonly roundSeq: number;
  /** 0 for the first try of a round, and for kinds that have none. */
  readonly attemptSeq: number;
};

/** Something happened in the wallet; what, is read anew. `lagging`: some were lost. */
export type News = { readonly kind: "movement" | "lagging" | "unknown" };

export type Op =
  /** Does the wallet's program answer? */
  | { readonly op: "alive" }
  /** Which wallet is it? */
  | { readonly op: "identity" }
  /** A live question to the Ark server: when is the next round? */
  | { readonly op: "probe" }
  | { readonly op: "ark-info" }
  /** The height of the wallet's own chain source. */
  | { readonly op: "tip" }
  | { readonly op: "vtxos" }
  | { readonly op: "balance" }
  | { readonly op: "exits" }
  /** Which VTXOs have something under way that may take them: a refresh that waits, above all. */
  | { readonly op: "pending" }
  /** What exits of these would cost, and whether the wallet can pay for it. */
  | { readonly op: "exit-fee"; readonly vtxos: readonly string[] }
  /** Waits for news after `since` (as the last answer named it). */
  | { readonly op: "notifications"; readonly since: string | undefined }
  | { readonly op: "sync" }
  | { readonly op: "sync-onchain" }
  | { readonly op: "sync-mailbox" }
  | { readonly op: "progress-exits" }
  /**
   * The server refreshes these in a round to come, as soon as it can. One that it kept for a height
   * would hold its intent open for days, and with it every exit of these.
   */
  | { readonly op: "refresh"; readonly vtxos: readonly string[] }
  | { readonly op: "exit"; readonly vtxos: readonly string[] }
  | { readonly op: "claim"; readonly vtxos: readonly string[]; readonly destination: string }
  | { readonly op: "refresh-server" }
  | { readonly op: "fee-rates" }
  | { readonly op: "sync-boards" }
  | { readonly op: "sync-offboards" }
  | { readonly op: "sync-rounds" }
  | { readonly op: "sync-exits" }
  | { readonly op: "progress-rounds"; readonly event: RoundEvent | undefined }
  /** Joins the round that begins with what is near its expiry. */
  | { readonly op: "maintain" };

export type OpName = Op["op"];

/** What is certain. */
export type Done =
  | { readonly op: "alive" }
  /** `undefined`: the program runs and has no wallet yet. */
  | { readonly op: "identity"; readonly fingerprint: string | undefined }
  | { readonly op: "probe"; readonly nextRoundUnixMs: number | undefined }
  | { readonly op: "ark-info"; readonly info: ArkInfo }
  | { readonly op: "tip"; readonly height: number }
  | { readonly op: "vtxos"; readonly vtxos: readonly Vtxo[] }
  | { readonly op: "balance"; readonly balance: Balance }
  | { readonly op: "exits"; readonly exits: readonly Exit[] }
  | { readonly op: "pending"; readonly vtxos: readonly string[] }
  | {
    readonly op: "exit-fee"; readonly isFundable: boolean; readonly feeSat: bigint;
    readonly txs: number;
  }
  | {
    readonly op: "notifications"; readonly news: readonly News[];
    readonly last: string | undefined;
  }
  /** `undefined`: the wallet does not say how far it has read. */
  | { readonly op: "sync-mailbox"; readonly checkpoint: number | undefined }
  | {
    readonly op: "progress-exits"; readonly isDone: boolean;
    readonly claimableHeight: number | undefined; readonly exits: readonly Exit[];
  }
  | {
    readonly op: "refresh"; readonly roundId: number | undefined;
    /** Does its transaction stand in a block? Then its VTXOs are gone, whatever is shown yet. */
    readonly isConfirmed: boolean;
  }
  | {
    readonly op: "sync" | "sync-onchain" | "exit" | "claim" | "refresh-server" | "fee-rates"
      | "sync-boards" | "sync-offboards" | "sync-rounds" | "sync-exits" | "progress-rounds"
      | "maintain";
  };

/** Why nothing is known. */
export type Reason =
  /** Nobody answers at the wallet's address. */
  | "unreachable"
  | "timeout"
  /** The token is wrong. */
  | "auth"
  /** The program runs without a wallet. */
  | "no-wallet"
  /** The wallet does not reach its Ark server. */
  | "server-down"
  /** The Ark server has another key than the wallet knows: exit is the way. */
  | "server-key"
  /** The Ark server, or the wallet's program, speaks no version that the other knows. */
  | "version"
  /** The Ark server is of another network. */
  | "network"
  /** The wallet's chain source fails. */
  | "chain"
  /** The answer is none. */
  | "malformed"
  /** Too much is under way, says whoever was asked. */
  | "busy"
  /** Not the wallet's doing: we did not ask, or went away. It says nothing about anybody. */
  | "unasked"
  | "other";

export const reasons: readonly Reason[] = [
  "unreachable", "timeout", "auth", "no-wallet", "server-down", "server-key", "version", "network",
  "chain", "malformed", "busy", "unasked", "other",
];

export type Failed =
  | { readonly ok: false; readonly why: "unsupported" }
  | { readonly ok: false; readonly why: "absent" }
  /** `ids`: the VTXOs that were named as the reason; may be empty. */
  | {
    readonly ok: false; readonly why: "rejected"; readonly fault: Fault;
    readonly ids: readonly string[];
  }
  | {
    readonly ok: false; readonly why: "unavailable"; readonly reason: Reason;
    readonly fault: Fault;
  };

export type Answer = { readonly ok: true; readonly done: Done } | Failed;

/** What a call needs beyond the wallet's own program. */
export type Need = "nothing" | "chain" | "server";

type Kind = { readonly isCuttable: boolean; readonly needs: Need };

const reading = (needs: Need): Kind => ({ isCuttable: true, needs });
const work = (needs: Need): Kind => ({ isCuttable: false, needs });

/** `sync` reports nothing and goes on without the server: it needs the chain at most. */
const kinds: { readonly [op in OpName]: Kind } = {
  "alive": reading("nothing"), "identity": reading("nothing"), "probe": reading("server"),
  "ark-info": reading("nothing"), "tip": reading("chain"), "vtxos": reading("nothing"),
  "balance": reading("nothing"), "exits": reading("nothing"), "pending": reading("nothing"),
  "exit-fee": reading("nothing"), "notifications": reading("nothing"),
  "sync": work("chain"), "sync-onchain": work("chain"),
  "sync-mailbox": work("server"), "progress-exits": work("chain"), "refresh": work("server"),
  "exit": work("nothing"), "claim": work("chain"), "refresh-server": reading("server"),
  "fee-rates": reading("chain"), "sync-boards": work("chain"), "sync-offboards": work("chain"),
  "sync-rounds": work("chain"), "sync-exits": work("chain"), "progress-rounds": work("server"),
  "maintain": work("server"),
};

/** All calls there are. */
export const names: readonly OpName[] = Object.keys(kinds) as OpName[];

/** May the request be given up while it is under way? */
export function isCuttable(op: OpName): boolean {
  return kinds[op].isCuttable;
}

/** What must be up for the call to do anything. */
export function needs(op: OpName): Need {
  return kinds[op].needs;
}

/** The certain answer. */
export function done(what: Done): Answer {
  return { ok: true, done: what };
}

/** Nothing is known. */
export function unavailable(reason: Reason, code: string, text: string): Answer {
  return { ok: false, why: "unavailable", reason, fault: { code, text } };
}
