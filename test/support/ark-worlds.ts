/**
 * Small worlds with our Ark daemon.
 */
import type { WalletSpec } from "../../sim/fleet/spec.ts";
import {
  simVersion, type Harm, type Scenario, type Trigger, type Work,
} from "../../sim/scenario.ts";

/** A wallet whose VTXOs live long enough not to be the subject, unless a test says so. */
export const wallet0: WalletSpec = {
  name: "wallet0", fundsSat: 500_000, autoExit: true, autoClaim: true, hasRounds: true,
  coins: [{ sat: 100_000, blocks: 36, levels: 1 }, { sat: 50_000, blocks: 20, levels: 2 }],
};

/** One fleet, `fleet0`, and its ark, `ark0`; nothing is left to chance but latencies. */
export function arkWorld(of: {
  readonly wallets?: readonly WalletSpec[];
  readonly faults?: readonly (readonly [at: number, harm: Harm])[];
  readonly work?: readonly (readonly [at: number, work: Work])[];
  readonly triggers?: readonly Trigger[];
  readonly faultyMs: number; readonly convergeMs?: number; readonly seed?: string;
}): Scenario {
  const { faults = [], work = [], triggers = [], wallets = [wallet0] } = of;
  return {
    simVersion, name: "ark world", seed: of.seed ?? "0x0000000000000001",
    nodes: [
      {
        id: "fleet0", kind: "fleet", wallets,
        settings: {
          refreshBlocks: 30, leadBlocks: 2, failingBlocks: 4, perLevelBlocks: 1, marginBlocks: 15,
        },
      },
      {
        id: "ark0", kind: "ark", pace: "steady", blockMs: 600_000, roundMs: 600_000,
        lifeBlocks: 36, deltaBlocks: 6,
      },
    ],
    net: {
      latencyMinUs: 200, latencyMeanUs: 300, segment: "whole", sendBufferBytes: 87_040,
      receiveBufferBytes: 131_072,
    },
    host: { stepUs: 20, effectUs: 3, timerLateUs: 1_200 },
    workload: work.map(([at, what], i) => ({ id: 10_000 + i, at, node: "ark0", ...what })),
    faults: faults.map(([at, harm], i) => ({ id: 1_000 + i, at, ...harm })), triggers,
    phases: {
      faultyMs: of.faultyMs, core: ["fleet0", "ark0"], convergeMs: of.convergeMs ?? 0, fates: [],
    },
  };
}
