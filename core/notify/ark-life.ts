/**
 * What the daemon of Ark wallets tells of itself and of the ways to its wallets: part of the closed
 * list; `ark.ts` has what it tells of coins.
 *
 * Rule 1: as in `notice.ts`. Names of wallets are the operator's own.
 * @module
 */
import { unreachable } from "../assert.ts";
import type { ArkIdentity } from "./ark.ts";
import { count, grouped, line, span, words } from "./format.ts";

/** A wallet's own program, its Ark server, and its chain source. */
export type Way = "program" | "server" | "chain";

export type ArkLifeNotice =
  | { readonly kind: "ark-started"; readonly wallets: number; readonly version: string }
  /** `why`: a word of a closed list. */
  | {
    readonly kind: "ark-way-down"; readonly wallet: string; readonly way: Way;
    readonly why: string;
  }
  | {
    readonly kind: "ark-way-up"; readonly wallet: string; readonly way: Way;
    readonly awayMs: number;
  }
  | { readonly kind: "ark-server-key"; readonly wallet: string }
  /** `count` of `total` wallets that share this server miss it; `wallet` is the first. */
  | {
    readonly kind: "ark-server-down"; readonly server: string; readonly wallet: string;
    readonly count: number; readonly total: number; readonly why: string;
  }
  | { readonly kind: "ark-server-up"; readonly server: string; readonly awayMs: number }
  /** Work that must not be cut does not end. */
  | {
    readonly kind: "ark-lane-stuck"; readonly wallet: string; readonly lane: string;
    readonly op: string; readonly ranMs: number;
  }
  /** Work was not done for too long, whatever was tried; and was at last. */
  | {
    readonly kind: "ark-lane-behind"; readonly wallet: string; readonly lane: string;
    readonly forMs: number;
  }
  | { readonly kind: "ark-lane-good"; readonly wallet: string; readonly lane: string }
  | { readonly kind: "ark-mail-stuck"; readonly wallet: string; readonly reads: number }
  /** A wallet's VTXOs or exits were not seen for so long; and they are again. */
  | { readonly kind: "ark-unseen" | "ark-seen"; readonly wallet: string; readonly forMs: number }
  /** Runs of a wallet's program end soon after their start, one after the other; no more. */
  | {
    readonly kind: "ark-program-crashing"; readonly wallet: string; readonly runs: number;
    readonly how: string;
  }
  | {
    readonly kind: "ark-program-steady"; readonly wallet: string; readonly loopedMs: number;
  }
  /** The wallet is of another network than is configured; both by the wallet's names of them. */
  | {
    readonly kind: "ark-network"; readonly wallet: string; readonly network: string;
    readonly expected: string;
  }
  /** Another wallet answers at the same address. */
  | { readonly kind: "ark-exchanged"; readonly wallet: string };

export type ArkLifeKind = ArkLifeNotice["kind"];

export const arkLifeKinds: readonly ArkLifeKind[] = [
  "ark-started", "ark-way-down", "ark-way-up", "ark-server-key", "ark-lane-stuck",
  "ark-lane-behind", "ark-lane-good", "ark-mail-stuck", "ark-exchanged",
  "ark-unseen", "ark-seen", "ark-program-crashing", "ark-program-steady",
  "ark-network", "ark-server-down", "ark-server-up",
];

/** Is it one of these? */
export function isArkLife(n: { readonly kind: string }): n is ArkLifeNotice {
  return arkLifeKinds.some((kind) => kind === n.kind);
}

/** As `notice.priorityOf`. */
export function arkLifePriority(n: ArkLifeNotice): "low" | "normal" | "high" | "urgent" {
  switch (n.kind) {
    case "ark-started": return "low";
    case "ark-server-key": case "ark-exchanged": case "ark-network": return "urgent";
    case "ark-way-down": case "ark-way-up": case "ark-lane-stuck": case "ark-lane-behind":
    case "ark-lane-good": case "ark-unseen": case "ark-seen": case "ark-program-crashing":
    case "ark-program-steady": case "ark-server-down": case "ark-server-up":
      return "high";
    case "ark-mail-stuck": return "normal";
    default: return unreachable(n); /* c8 ignore next */
  }
}

/** As `notice.identityOf`. */
export function arkLifeIdentity(n: ArkLifeNotice): ArkIdentity {
  switch (n.kind) {
    case "ark-started": return { nature: "state", subject: "process", state: "started" };
    case "ark-way-down": case "ark-way-up":
      return { nature: "state", subject: `ark:${n.wallet}:way:${n.way}`, state: n.kind };
    case "ark-server-key":
      return { nature: "event", subject: `ark:${n.wallet}:key`, state: n.kind };
    case "ark-server-down": case "ark-server-up": {
      const is = n.kind === "ark-server-down" ? `down ${2 * n.count > n.total ? "most" : "few"}`
        : "up";
      return { nature: "state", subject: `ark-server:${n.server}`, state: is };
    }
    case "ark-lane-stuck":
      return { nature: "event", subject: `ark:${n.wallet}:stuck:${n.lane}`, state: n.op };
    case "ark-lane-behind": case "ark-lane-good":
      return { nature: "state", subject: `ark:${n.wallet}:lane:${n.lane}`, state: n.kind };
    case "ark-unseen": case "ark-seen":
      return { nature: "state", subject: `ark:${n.wallet}:sight`, state: n.kind };
    case "ark-program-crashing": case "ark-program-steady":
      return { nature: "state", subject: `ark:${n.wallet}:program`, state: n.kind };
    case "ark-mail-stuck":
      return { nature: "event", subject: `ark:${n.wallet}:mail`, state: n.kind };
    case "ark-network":
      return { nature: "event", subject: `ark:${n.wallet}:network`, state: n.network };
    case "ark-exchanged":
      return { nature: "event", subject: `ark:${n.wallet}:identity`, state: n.kind };
    default: return unreachable(n); /* c8 ignore next */
  }
}

/** A title, and lines. */
export function arkLifeWording(n: ArkLifeNotice): readonly [title: string, ...lines: string[]] {
  if (n.kind === "ark-started") {
    return ["Ark daemon started", `Watching over ${count(n.wallets, "wallet")}.`,
      `Version: ${n.version}`];
  }
  if (n.kind === "ark-server-up") {
    return ["Shared Ark server back", `${line(n.server, 100)} is reached again by all wallets, `
      + `after ${span(n.awayMs)}.`];
  }
  const name = line(n.wallet, 40);
  switch (n.kind) {
    case "ark-server-down":
      return ["Shared Ark server away", `${line(n.server, 100)} does not answer `
        + `${count(n.count, "wallet")} of the ${grouped(n.total)} that share it; ${name} is one.`,
      `Reason: ${words(n.why)}.`, downTodo("server")];
    case "ark-way-down":
      return [`${wayName(n.way)} away`, `${name}: ${wayName(n.way).toLowerCase()} does not answer.`,
        `Reason: ${words(n.why)}.`, downTodo(n.way)];
    case "ark-way-up":
      return [`${wayName(n.way)} back`, `${name}: ${wayName(n.way).toLowerCase()} answers again, `
        + `after ${span(n.awayMs)}.`];
    case "ark-server-key":
      return ["Ark server has another key", `${name}: the Ark server does not show the key that `
        + "the wallet knows.", "Nothing is asked of it until you say that it is to be trusted.",
      "If it is not the server's own doing, an exit is the way out."];
    case "ark-lane-stuck":
      return ["Work does not end", `${name}: "${words(n.op)}" has run for ${span(n.ranMs)}.`,
        "It must not be cut; look at the wallet's program, and start it anew if it hangs."];
    case "ark-lane-behind":
      return ["Work is behind", `${name}: "${words(n.lane)}" was not done for ${span(n.forMs)}.`,
        "It is tried again and again; look at what the wallet's program says."];
    case "ark-lane-good":
      return ["Work is done again", `${name}: "${words(n.lane)}" has succeeded.`];
    case "ark-mail-stuck":
      return ["A message is not read", `${name}: one message of the mailbox was tried in `
        + `${count(n.reads, "reading")} in vain.`, "It stays on the server and is tried again."];
    case "ark-unseen":
      return ["Wallet not seen", `${name}: its VTXOs or exits were not read for ${span(n.forMs)}.`,
        "Nothing is begun meanwhile; look at what the wallet's program answers."];
    case "ark-seen":
      return ["Wallet seen again", `${name}: its VTXOs and exits are read again, after `
        + `${span(n.forMs)}.`];
    case "ark-program-crashing":
      return ["Wallet program keeps ending", `${name}: ${count(n.runs, "run")} of its program `
        + `ended soon after the start: ${words(n.how)}.`,
      "It is started again and again; its last words are in the log."];
    case "ark-program-steady":
      return ["Wallet program runs again", `${name}: it stays, after ${span(n.loopedMs)}.`];
    case "ark-network":
      return ["Wallet of another network", `${name}: it is of network ${words(n.network)}, and `
        + `${words(n.expected)} is configured.`,
      "Nothing that moves money is asked of it; mend the configuration, or the wallet's."];
    case "ark-exchanged":
      return ["Another wallet answers", `${name}: at its address is a wallet with another `
        + "fingerprint than before.",
      "Nothing is done for it until you say that it is to be trusted."];
    default: return unreachable(n); /* c8 ignore next */
  }
}

function wayName(way: Way): string {
  switch (way) {
    case "program": return "Wallet program";
    case "server": return "Ark server";
    case "chain": return "Chain source";
    default: return unreachable(way); /* c8 ignore next */
  }
}

function downTodo(way: Way): string {
  switch (way) {
    case "program": return "Nobody looks after its coins meanwhile: look at the program.";
    case "server": return "It is asked again and again; before coins expire you will hear of it.";
    case "chain": return "Heights are counted on by clock meanwhile; look at the chain source.";
    default: return unreachable(way); /* c8 ignore next */
  }
}
