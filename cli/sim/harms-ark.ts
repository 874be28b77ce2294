/**
 * What the faults around Ark wallets do, for people who write scenarios.
 * @module
 */
import type { ArkHarm } from "../../sim/scenario.ts";

const node = "node: the ark";
const wallet = "wallet: its name, or \"*\" for all";
const forMs = "forMs: how long it lasts, in ms";
const [at, id] = [60_000, 1];

type Words<H> = {
  readonly says: string; readonly fields: readonly string[];
  readonly example: H & { readonly id: number; readonly at: number };
};
type Of<K extends ArkHarm["kind"]> = Extract<ArkHarm, { readonly kind: K }>;

export const arkHarmWords: { readonly [kind in ArkHarm["kind"]]: Words<Of<kind>> } = {
  barkdWrong: {
    says: "The program of a wallet answers wrongly, late, or not at all.",
    fields: [
      node, wallet,
      "as: refusing, restarting: nobody listens; closing: it hangs up; silent: no answer; slow; " +
        "denied: the token is another one; noWallet: it runs without one; html: a proxy's page; " +
        "empty, cut: of an answer nothing, or a part; newer: of a version to come; without: " +
        "expiry heights are missing",
      "size: slow: ms; cut: thousandths that arrive; else 0", forMs,
    ],
    example: {
      id, at, kind: "barkdWrong", node: "ark0", wallet: "*", as: "silent", size: 0,
      forMs: 120_000,
    },
  },
  serverWrong: {
    says: "The Ark server is away, hostile, or not what it was.",
    fields: [
      node,
      "as: down, blackHole, closing: it cannot be reached; slow; key: it shows another key; " +
        "oddVersion, oddNetwork: wallets cannot take what it says of itself; failingRounds, " +
        "noRounds, rejecting: nothing is refreshed; replayClose, mute, storm, wildNumbers, " +
        "endlessMailbox: its streams are hostile",
      "size: slow: ms; storm: events a second; else 0", forMs,
    ],
    example: {
      id, at, kind: "serverWrong", node: "ark0", as: "key", size: 0, forMs: 600_000,
    },
  },
  sourceWrong: {
    says: "What a wallet's program takes for the chain is away, late, or behind.",
    fields: [
      node, wallet,
      "as: down, html: it does not answer; slow; stale: it hears of nothing new; backwards: it " +
        "tells of an older chain than it knows",
      "size: slow: ms; backwards: blocks; else 0", forMs,
    ],
    example: {
      id, at, kind: "sourceWrong", node: "ark0", wallet: "*", as: "stale", size: 0,
      forMs: 21_600_000,
    },
  },
};
