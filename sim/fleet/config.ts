/**
 * A fleet's configuration: the daemon's defaults with a scenario's settings over them.
 * @module
 */
import {
  defaults, lookingEvery, walletOf, type ArkConfig, type WalletConfig,
} from "../../core/ark/config.ts";
import type { FleetSettings, FleetSpec, WalletSpec } from "./spec.ts";

/** An address to claim to. */
export const home = "bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq";

export function configOf(spec: FleetSpec): ArkConfig {
  const s = spec.settings ?? {};
  const names = new Set<string>();
  const wallets = spec.wallets.filter(({ name }) => {
    const isNew = !names.has(name);
    names.add(name);
    return isNew;
  });
  return {
    ...defaults, version: "0.0.1", logLevel: s.verbose === true ? "debug" : "info",
    wallets: wallets.map((one) => walletConfig(one, s)),
    notify: {
      ...defaults.notify,
      targets: [{ kind: "webhook", to: "notice:0", path: "/", priorityMin: "low" }],
    },
  };
}

/** What requests of wallet `name` are addressed to, as the host reads it. */
export function walletIn(to: string): string | undefined {
  return to.startsWith("barkd:") ? to.slice("barkd:".length) : undefined;
}

/** Calls that move coins. */
const work = /\/(refresh\/delegated\/vtxos|exits\/start\/vtxos|exits\/claim\/vtxos)$/;

/** Does a call of this path move coins? */
export function isWork(path: string): boolean {
  return path.endsWith("/vtxos") && work.test(path);
}

function walletConfig(spec: WalletSpec, s: FleetSettings): WalletConfig {
  const one = walletOf(spec.name, "ark");
  const { guardian: g } = one;
  const d = g.expiry;
  return {
    ...one, rounds: spec.hasRounds === true ? "rounds:ark" : undefined,
    policy: { ...one.policy, isManual: spec.runsItself === true },
    guardian: {
      ...lookingEvery(g, s.lookMs ?? g.lookMs),
      expiry: {
        ...d, refreshBlocks: s.refreshBlocks ?? d.refreshBlocks,
        leadBlocks: s.leadBlocks ?? d.leadBlocks,
        failingBlocks: s.failingBlocks ?? d.failingBlocks,
        perLevelBlocks: s.perLevelBlocks ?? d.perLevelBlocks,
        marginBlocks: s.marginBlocks ?? d.marginBlocks,
      },
      refresh: { ...g.refresh, isOn: spec.noRefresh !== true },
      shepherd: {
        ...g.shepherd, autoExit: spec.autoExit === true, autoClaim: spec.autoClaim === true,
        destination: spec.autoClaim === true ? home : "",
      },
    },
  };
}
