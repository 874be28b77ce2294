/**
 * One transaction of the history, and what its records make of it.
 *
 * Rule 1: an entry holds all that joinmarket-ng's `history.csv` says in its 28 columns, so that
 * nothing is lost on the way there and back. Amounts are satoshis, instants whole microseconds
 * since 1970 (that file has microseconds), lists are lists.
 * Rule 2: an entry never changes in the file: later records say what became of it, and `apply`
 * folds them over it. Applied in the order of the journal they give the same row everywhere.
 * Rule 3: `confirmed` is not final while the chain may be reorganised: `lost` takes it back, and
 * only `settled` ends the watch. `given-up` is not final either: `returned` takes it back.
 * Not known here: how records are spelled (`body.ts`), and when they are written.
 * @module
 */
import { unreachable } from "../assert.ts";

export const roles = ["maker", "taker", "send", "deposit"] as const;
export type Role = (typeof roles)[number];

/** What joinmarket-ng writes as the reason of a row that waits; it looks for these texts. */
export const reasons = {
  /** The taker has shown no transaction yet. */
  awaiting: "Awaiting transaction",
  /** Signed or sent, and in no block yet. */
  unconfirmed: "Pending confirmation",
} as const;

/** One row. Amounts are at most 21 million bitcoin either way; texts may be empty. */
export type Entry = {
  /** When it was written down, in microseconds since 1970. */
  readonly addedUs: number;
  /** Success or failure, whichever came. */
  readonly completedUs: number | undefined;
  readonly role: Role;
  /** It is in a block. */
  readonly isSuccess: boolean;
  /** Why it failed, or what it waits for. */
  readonly reason: string;
  /** As last recorded, not as of now. */
  readonly confirmations: number;
  readonly confirmedUs: number | undefined;
  /** 64 lower-case hex digits, or "" while it is not known. */
  readonly txid: string;
  readonly cjSat: bigint;
  /** Equal outputs, ours included. */
  readonly peers: number | undefined;
  readonly nicks: string;
  readonly feeReceivedSat: bigint;
  readonly txfeeContributionSat: bigint;
  readonly makerFeesPaidSat: bigint;
  readonly miningFeePaidSat: bigint;
  readonly netFeeSat: bigint;
  readonly mixdepth: number;
  readonly destination: string;
  readonly change: string;
  /** Outpoints, `txid:vout`. */
  readonly utxos: readonly string[];
  readonly broadcast: string;
  readonly network: string;
  readonly fingerprint: string;
  /** The addresses of `utxos`, in that order. */
  readonly sourceAddresses: readonly string[];
  readonly source: string;
  readonly inputSat: bigint;
  /** The output that pays `destination`; -1 unknown. */
  readonly vout: number;
  readonly amountSat: bigint;
};

/** An entry of which nothing is known but when it was written down: a base to fill in. */
export function blank(addedUs: number): Entry {
  return {
    addedUs, completedUs: undefined, role: "maker", isSuccess: false, reason: "", confirmations: 0,
    confirmedUs: undefined, txid: "", cjSat: 0n, peers: undefined, nicks: "", feeReceivedSat: 0n,
    txfeeContributionSat: 0n, makerFeesPaidSat: 0n, miningFeePaidSat: 0n, netFeeSat: 0n,
    mixdepth: 0, destination: "", change: "", utxos: [], broadcast: "", network: "",
    fingerprint: "", sourceAddresses: [], source: "", inputSat: 0n, vout: -1, amountSat: 0n,
  };
}

/** What became of the entry that record `of` of the journal brought. */
export type Change =
  /** Its transaction is known: found at the destination. */
  | { readonly type: "txid"; readonly of: number; readonly txid: string }
  /** We signed it. */
  | {
    readonly type: "signed"; readonly of: number; readonly txid: string;
    readonly feeReceivedSat: bigint; readonly txfeeContributionSat: bigint; readonly vout: number;
  }
  /** Seen in the memory pool, for the first time. */
  | { readonly type: "seen"; readonly of: number; readonly atUs: number }
  /** In a block; `peers`: equal outputs, if they could be counted. */
  | {
    readonly type: "confirmed"; readonly of: number; readonly atUs: number;
    readonly confirmations: number; readonly peers: number | undefined;
  }
  /** In no block any more: the chain was reorganised. */
  | { readonly type: "lost"; readonly of: number; readonly atUs: number }
  /** So deep that it is watched no longer. */
  | { readonly type: "settled"; readonly of: number; readonly confirmations: number }
  /** It has been absent for long. */
  | { readonly type: "warned"; readonly of: number; readonly atUs: number }
  | { readonly type: "given-up"; readonly of: number; readonly atUs: number; readonly why: string }
  /** It appeared after it was given up. */
  | { readonly type: "returned"; readonly of: number; readonly atUs: number }
  /** So long it was looked for in vain, in all processes together. */
  | { readonly type: "aged"; readonly of: number; readonly ageMs: number };

/** `waiting` for a block; `confirmed`, but not deep; `settled`; `given-up`, still watched. */
export const stages = ["waiting", "confirmed", "settled", "given-up"] as const;
export type Stage = (typeof stages)[number];

/** An entry with what became of it. */
export type Row = {
  /** The sequence of the record that brought it. */
  readonly id: number;
  readonly entry: Entry;
  readonly stage: Stage;
  readonly isSeen: boolean;
  readonly hasWarned: boolean;
  readonly ageMs: number;
};

/** The stage of an entry as it was brought; one that was imported may be over already. */
export function firstStage(entry: Entry): Stage {
  if (entry.isSuccess) return "settled";
  return entry.completedUs === undefined ? "waiting" : "given-up";
}

/** The row of an entry nothing has happened to. */
export function rowOf(id: number, entry: Entry): Row {
  const stage = firstStage(entry);
  return { id, entry, stage, isSeen: stage === "settled", hasWarned: false, ageMs: 0 };
}

/** The stage after a change. */
export function nextStage(stage: Stage, change: Change["type"]): Stage {
  switch (change) {
    case "confirmed": return "confirmed";
    case "settled": return "settled";
    case "given-up": return "given-up";
    case "lost": case "returned": return "waiting";
    case "txid": case "signed": case "seen": case "warned": case "aged": return stage;
    default: return unreachable(change); /* c8 ignore next */
  }
}

/** The row after a change. Any order of changes gives some row, the journal's the right one. */
export function apply(row: Row, change: Change): Row {
  const stage = nextStage(row.stage, change.type);
  const { entry } = row;
  switch (change.type) {
    // It was found, which ends the age of its absence.
    case "txid": return { ...row, entry: { ...entry, txid: change.txid }, ageMs: 0 };
    case "signed": return { ...row, entry: signed(entry, change) };
    case "seen": return { ...row, isSeen: true, ageMs: 0 };
    case "confirmed": return { ...row, stage, entry: confirmed(entry, change), ageMs: 0 };
    case "settled":
      return { ...row, stage, entry: { ...entry, confirmations: change.confirmations } };
    case "lost": case "returned":
      return { ...row, stage, entry: reopened(entry), ageMs: 0, hasWarned: false };
    case "warned": return { ...row, hasWarned: true };
    case "given-up": {
      const { atUs: completedUs, why: reason } = change;
      return { ...row, stage, entry: { ...entry, isSuccess: false, completedUs, reason } };
    }
    case "aged": return { ...row, ageMs: change.ageMs };
    default: return unreachable(change); /* c8 ignore next */
  }
}

function signed(entry: Entry, change: Extract<Change, { type: "signed" }>): Entry {
  const { txid, feeReceivedSat, txfeeContributionSat, vout } = change;
  const netFeeSat = feeReceivedSat - txfeeContributionSat;
  const reason = reasons.unconfirmed;
  return { ...entry, txid, feeReceivedSat, txfeeContributionSat, netFeeSat, vout, reason };
}

function confirmed(entry: Entry, change: Extract<Change, { type: "confirmed" }>): Entry {
  const { atUs, confirmations } = change;
  const peers = change.peers ?? entry.peers;
  const times = { completedUs: atUs, confirmedUs: atUs };
  return { ...entry, ...times, isSuccess: true, reason: "", confirmations, peers };
}

function reopened(entry: Entry): Entry {
  const reason = entry.txid === "" ? reasons.awaiting : reasons.unconfirmed;
  const times = { completedUs: undefined, confirmedUs: undefined };
  return { ...entry, ...times, isSuccess: false, reason, confirmations: 0 };
}
