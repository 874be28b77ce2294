/**
 * What a scenario's harm means for the little world of an Ark.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import type { BarkdFault, ChainFault, Outage, ServerFault } from "../ark/faults.ts";
import type { ArkHarm, BarkdWrong, ServerWrong, SourceWrong } from "./spec.ts";

/** From when to when, in unix milliseconds. */
export type Span = { readonly fromMs: number; readonly untilMs: number };

export function outageOf(harm: ArkHarm, { fromMs, untilMs }: Span): Outage {
  switch (harm.kind) {
    case "barkdWrong":
      return {
        on: "barkd", ...whoseOf(harm.wallet), fault: barkd(harm.as, harm.size), fromMs, untilMs,
      };
    case "serverWrong":
      return { on: "server", fault: server(harm.as, harm.size), fromMs, untilMs };
    case "sourceWrong":
      return {
        on: "chain", ...whoseOf(harm.wallet), fault: source(harm.as, harm.size), fromMs, untilMs,
      };
    default: return unreachable(harm);
  }
}

function whoseOf(wallet: string): { readonly wallet?: string } {
  return wallet === "*" ? {} : { wallet };
}

function barkd(as: BarkdWrong, size: number): BarkdFault {
  switch (as) {
    case "noWallet": return { kind: "no-wallet" };
    case "slow": return { kind: "slow", ms: size };
    case "html": return { kind: "html", status: 502 };
    case "cut": return { kind: "truncated", permille: size < 1_000 ? size : 1_000 };
    case "without": return { kind: "without", member: "expiry_height" };
    case "refusing": case "restarting": case "closing": case "silent": case "denied":
    case "empty": case "newer":
      return { kind: as };
    default: return unreachable(as);
  }
}

function server(as: ServerWrong, size: number): ServerFault {
  switch (as) {
    case "blackHole": return { kind: "black-hole" };
    case "slow": return { kind: "slow", ms: size };
    case "oddVersion": return { kind: "version", min: 9, max: 9 };
    case "oddNetwork": return { kind: "network", network: "bitcoin" };
    case "failingRounds": return { kind: "failing-rounds" };
    case "noRounds": return { kind: "no-rounds" };
    case "replayClose": return { kind: "replay-close" };
    case "wildNumbers": return { kind: "wild-numbers" };
    case "endlessMailbox": return { kind: "endless-mailbox" };
    case "storm": return { kind: "storm", perSecond: size };
    case "down": case "closing": case "key": case "rejecting": case "mute":
      return { kind: as };
    default: return unreachable(as);
  }
}

function source(as: SourceWrong, size: number): ChainFault {
  switch (as) {
    case "slow": return { kind: "slow", ms: size };
    case "backwards": return { kind: "backwards", blocks: size };
    case "down": case "html": case "stale": return { kind: as };
    default: return unreachable(as);
  }
}
