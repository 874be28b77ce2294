/**
 * What the daemon of an Ark wallet tells its operator unasked: part of the closed list.
 *
 * Rule 1: as in `notice.ts`: facts, a subject, one state of it; and the words, which pass every
 * amount through the operator's privacy setting. Ids of VTXOs name coins: they stand in subjects,
 * which are kept at home, and never in the words.
 * Rule 2: nothing here is chosen by a peer but the amounts and heights of our own wallet.
 * Not known here: when a notice is due, and where it goes.
 * @module
 */
import { unreachable } from "../assert.ts";
import { count, grouped, line, span, words } from "./format.ts";

/** Why nothing is done for a VTXO that would have to leave for the chain. */
export type ExitBlock =
  /** The operator does not let the daemon begin exits. */
  | "not-allowed"
  /** The wallet has not enough on the chain for the fees. */
  | "unfundable"
  /** It is worth less than an exit is by policy. */
  | "too-small"
  | "rejected"
  /** It has expired, and policy leaves that to the operator. */
  | "expired"
  /** Somebody has called the exit off. */
  | "canceled"
  /** A refresh that may still come to something holds it. */
  | "refreshing";

/** Why coins that can be claimed are not. */
export type ClaimBlock = "not-allowed" | "no-destination" | "rejected";

export type ArkNotice =
  /** `lead`: the VTXO among `count` that expires first. `nth`: 0, and one more each reminder. */
  | {
    readonly kind: "ark-expiry"; readonly wallet: string;
    readonly stage: "due" | "failing" | "exit-now" | "expired"; readonly lead: string;
    readonly count: number; readonly amountSat: bigint; readonly expiryHeight: number;
    readonly blocksLeft: number; readonly leftMs: number; readonly nth: number;
    readonly isEstimate: boolean;
  }
  /** No VTXO is in a stage from `failing` on any more. */
  | { readonly kind: "ark-expiry-over"; readonly wallet: string }
  /** `affected`: VTXOs that would have to leave at once if it were true. */
  | {
    readonly kind: "ark-tip-doubted"; readonly wallet: string; readonly height: number;
    readonly expected: number; readonly affected: number;
  }
  | {
    readonly kind: "ark-tip-missing"; readonly wallet: string; readonly count: number;
    readonly blindMs: number;
  }
  /** Those are not asked for again for `restMs`. `lead`: one of them. */
  | {
    readonly kind: "ark-refresh-rejected"; readonly wallet: string; readonly lead: string;
    readonly count: number; readonly amountSat: bigint; readonly why: string;
    readonly restMs: number;
  }
  | {
    readonly kind: "ark-exit-needed"; readonly wallet: string; readonly lead: string;
    readonly count: number; readonly amountSat: bigint; readonly blocksLeft: number;
    readonly why: ExitBlock;
  }
  | {
    readonly kind: "ark-exit-unfundable"; readonly wallet: string; readonly count: number;
    readonly feeSat: bigint;
  }
  | { readonly kind: "ark-exit-fundable"; readonly wallet: string }
  | {
    /** 0 satoshis: not known any more. */
    readonly kind: "ark-exit-started" | "ark-exit-claimed"; readonly wallet: string;
    readonly intent: number; readonly count: number; readonly amountSat: bigint;
  }
  | {
    /** `lead`: the first of those that are at this state for `stuckMs` or longer. */
    readonly kind: "ark-exit-stuck"; readonly wallet: string; readonly lead: string;
    readonly count: number; readonly state: string; readonly stuckMs: number;
  }
  | {
    readonly kind: "ark-exit-claimable"; readonly wallet: string; readonly lead: string;
    readonly count: number; readonly why: ClaimBlock;
  };

export type ArkKind = ArkNotice["kind"];

export const arkKinds: readonly ArkKind[] = [
  "ark-expiry", "ark-expiry-over", "ark-tip-doubted", "ark-tip-missing", "ark-refresh-rejected",
  "ark-exit-needed", "ark-exit-unfundable", "ark-exit-fundable", "ark-exit-started",
  "ark-exit-claimed", "ark-exit-stuck", "ark-exit-claimable",
];

/** Is it one of these? */
export function isArk(n: { readonly kind: string }): n is ArkNotice {
  return arkKinds.some((kind) => kind === n.kind);
}

/** As `notice.priorityOf`. */
export function arkPriority(n: ArkNotice): "low" | "normal" | "high" | "urgent" {
  switch (n.kind) {
    case "ark-expiry":
      return n.stage === "due" ? "normal" : n.stage === "failing" ? "high" : "urgent";
    case "ark-exit-needed": return "urgent";
    case "ark-tip-doubted": case "ark-tip-missing": case "ark-exit-unfundable":
    case "ark-exit-fundable": case "ark-exit-stuck": case "ark-expiry-over":
    case "ark-exit-started": case "ark-exit-claimable":
      return "high";
    case "ark-refresh-rejected": case "ark-exit-claimed": return "normal";
    default: return unreachable(n); /* c8 ignore next */
  }
}

/** As `notice.Identity`. */
export type ArkIdentity = {
  readonly nature: "state" | "event" | "once"; readonly subject: string; readonly state: string;
};

/** As `notice.identityOf`. */
export function arkIdentity(n: ArkNotice): ArkIdentity {
  const { wallet: w } = n;
  switch (n.kind) {
    case "ark-expiry":
      return {
        nature: "once", subject: `ark:${w}:${n.lead}`, state: `${n.stage} ${n.count} ${n.nth}`,
      };
    case "ark-expiry-over": return { nature: "event", subject: `ark:${w}:expiry`, state: "over" };
    case "ark-tip-doubted":
      return { nature: "event", subject: `ark:${w}:tip`, state: `${n.height}` };
    case "ark-tip-missing": return { nature: "event", subject: `ark:${w}:tip`, state: "missing" };
    case "ark-refresh-rejected":
      return {
        nature: "event", subject: `ark:${w}:refresh:${n.lead}`, state: `rejected ${n.count}`,
      };
    case "ark-exit-needed":
      return { nature: "event", subject: `ark:${w}:exit:${n.lead}`, state: `${n.why} ${n.count}` };
    case "ark-exit-unfundable": case "ark-exit-fundable":
      return { nature: "state", subject: `ark:${w}:exit-fee`, state: n.kind };
    case "ark-exit-started": case "ark-exit-claimed":
      return { nature: "once", subject: `ark:${w}:intent:${n.intent}`, state: n.kind };
    case "ark-exit-stuck":
      return {
        nature: "event", subject: `ark:${w}:exit:${n.lead}`, state: `stuck ${n.state} ${n.count}`,
      };
    case "ark-exit-claimable":
      return { nature: "event", subject: `ark:${w}:claim:${n.lead}`, state: `${n.why} ${n.count}` };
    default: return unreachable(n); /* c8 ignore next */
  }
}

/** A title, and lines. `amount` words satoshis as the operator lets them be told. */
export function arkWording(
  n: ArkNotice, amount: (sat: bigint) => string,
): readonly [title: string, ...lines: string[]] {
  const name = n.wallet === "" ? "The wallet" : line(n.wallet, 40);
  switch (n.kind) {
    case "ark-expiry": return aboutExpiry(n, name, amount);
    case "ark-expiry-over":
      return ["No VTXO in danger any more",
        `${name}: what was overdue is refreshed, or leaves for the chain.`];
    case "ark-tip-doubted":
      return ["Block height in doubt",
        `${name}: the chain source says ${grouped(n.height)}, by our count it is about `
        + `${grouped(n.expected)}.`,
        `If it is true, ${count(n.affected, "VTXO")} would have to leave for the chain at once.`,
        "It is believed when it stays; look at the chain source now."];
    case "ark-tip-missing":
      return ["No block height", `${name}: no height was heard for ${span(n.blindMs)}; nobody `
        + `knows when ${count(n.count, "VTXO")} will expire.`,
        "Look at the wallet's chain source."];
    case "ark-refresh-rejected":
      return ["Refresh rejected", `${name}: the Ark server refuses ${count(n.count, "VTXO")}, `
        + `${amount(n.amountSat)} in all.`, `Reason: ${words(n.why)}.`,
        `It is asked again after ${span(n.restMs)}.`];
    case "ark-exit-needed": case "ark-exit-unfundable": case "ark-exit-fundable":
    case "ark-exit-started": case "ark-exit-claimed": case "ark-exit-stuck":
    case "ark-exit-claimable":
      return aboutExit(n, name, amount);
    default: return unreachable(n); /* c8 ignore next */
  }
}

type About<K extends ArkKind> = Extract<ArkNotice, { readonly kind: K }>;
type Wording = readonly [title: string, ...lines: string[]];

function aboutExpiry(
  n: About<"ark-expiry">, name: string, amount: (sat: bigint) => string,
): Wording {
  const what = `${name}: ${count(n.count, "VTXO")}, ${amount(n.amountSat)} in all.`;
  const left = n.stage === "expired" ? `The first expired at height ${grouped(n.expiryHeight)}.`
    : `The first expires at height ${grouped(n.expiryHeight)}: ${count(n.blocksLeft, "block")}, `
      + `at least ${span(n.leftMs)}.`;
  const doubt = n.isEstimate ? ["The height is counted on by clock: the chain source is silent."]
    : [];
  const again = n.nth > 0 ? [`Told again, reminder ${n.nth}.`] : [];
  switch (n.stage) {
    case "due": return ["Refresh due", what, left, ...doubt, ...again];
    case "failing":
      return ["Refresh keeps failing", what, left, ...doubt, ...again,
        "Look whether the Ark server is reached, and what the wallet says."];
    case "exit-now":
      return ["Time to leave for the chain", what, left, ...doubt, ...again,
        "An exit has to begin now to end before the expiry."];
    case "expired":
      return ["VTXOs have expired", what, left, ...doubt, ...again,
        "The Ark server may take them at any time; an exit may still save them."];
    default: return unreachable(n.stage); /* c8 ignore next */
  }
}

function aboutExit(
  n: About<
    "ark-exit-needed" | "ark-exit-unfundable" | "ark-exit-fundable" | "ark-exit-started"
    | "ark-exit-claimed" | "ark-exit-stuck" | "ark-exit-claimable"
  >,
  name: string, amount: (sat: bigint) => string,
): Wording {
  switch (n.kind) {
    case "ark-exit-needed":
      return [
        n.why === "refreshing" ? "Exit waits for a refresh" : "Exit needed, by hand",
        `${name}: ${count(n.count, "VTXO")}, ${amount(n.amountSat)} in all, `
        + `${count(n.blocksLeft, "block")} to expiry.`, todo(n.why)];
    case "ark-exit-unfundable":
      return ["An exit could not be paid", `${name}: exits of ${count(n.count, "VTXO")} would cost `
        + `${amount(n.feeSat)} in fees, and the wallet has not that much confirmed on the chain.`,
        "Send some to its address on the chain, and let it confirm."];
    case "ark-exit-fundable": return ["An exit can be paid again", `${name} has enough for fees.`];
    case "ark-exit-started":
      return ["Exit begun", `${name}: ${count(n.count, "VTXO")}, ${amount(n.amountSat)} in all.`,
        "It takes confirmations and a waiting time; keep the wallet running."];
    case "ark-exit-claimed": {
      const sum = n.amountSat === 0n ? "" : `, ${amount(n.amountSat)} in all`;
      return ["Exit claimed", `${name}: ${count(n.count, "coin")}${sum}.`,
        "On the way to the destination."];
    }
    case "ark-exit-stuck":
      return ["Exit does not move", `${name}: ${count(n.count, "VTXO")} at "${words(n.state)}" for `
        + `${span(n.stuckMs)}.`, "Look at fees, and at the wallet's coins on the chain."];
    case "ark-exit-claimable":
      return ["Exit can be claimed", `${name}: ${count(n.count, "coin")} waits to be claimed.`,
        claimTodo(n.why)];
    default: return unreachable(n); /* c8 ignore next */
  }
}

function todo(why: ExitBlock): string {
  switch (why) {
    case "not-allowed":
      return "The daemon may not begin exits: begin them in the wallet, or allow it to.";
    case "unfundable": return "Fees cannot be paid: send coins to its address on the chain.";
    case "too-small": return "Policy leaves small amounts to you: is an exit worth it?";
    case "rejected": return "The wallet refused to begin: look at what it says.";
    case "expired": return "Begin an exit in the wallet if that is to be tried.";
    case "canceled": return "The exit was called off in the wallet; the daemon leaves it at that.";
    case "refreshing": return "An exit begins as soon as that refresh has come to nothing.";
    default: return unreachable(why); /* c8 ignore next */
  }
}

function claimTodo(why: ClaimBlock): string {
  switch (why) {
    case "not-allowed": return "The daemon may not claim: claim it in the wallet.";
    case "no-destination": return "No destination is configured: name one, or claim in the wallet.";
    case "rejected": return "The wallet refused the claim: look at what it says.";
    default: return unreachable(why); /* c8 ignore next */
  }
}
