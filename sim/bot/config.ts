/**
 * A bot's configuration: the daemon's defaults with a scenario's settings over them, and a wallet
 * of its own in the stand-in chain.
 *
 * Rule 1: pure; a node has the same wallet and the same nick in each of its processes.
 * @module
 */
import * as bitcoind from "../../core/chain/bitcoind.ts";
import { watchOf, type Account, type Watch } from "../../core/chain/descriptor.ts";
import { assert } from "../../core/assert.ts";
import { ascii, hex } from "../../core/bytes.ts";
import { ratio } from "../../core/joinmarket/offer.ts";
import { defaults, type MakerConfig } from "../../core/maker/config.ts";
import type { Terms } from "../../core/maker/offermath.ts";
import type { Directory } from "../../core/maker/pool.ts";
import * as onion from "../../core/tor/onion.ts";
import { derive } from "../chain/address.ts";
import { primitives, pubkeyOf } from "../primitives.ts";
import type { BotSettings, BotSpec, NodeId } from "../scenario.ts";

/** Mixdepths of a bot: two with money, and one that is paid by what it waits for. */
export const mixdepths = 3;
export const paidMixdepth = 2;
/** The last address index that a bot watches; bounds its rows too. */
export const indexMax = 31;

/** An absolute and a relative offer, which share the sizes. */
function termsOf(sizeSpreadPpm = 100_000): readonly Terms[] {
  const common = { minsizeSat: 100_000n, txfeeSat: 0n, txfeeSpreadPpm: 300_000, sizeSpreadPpm };
  return [
    { kind: "sw0absoffer", ...common, cjfeeSpreadPpm: 100_000, cjfeeSat: 500n },
    { kind: "sw0reloffer", ...common, cjfeeSpreadPpm: 0, cjfee: ratio(2n, 5) },
  ];
}

/** The name of a bot's wallet in its node. */
export function walletOf(id: NodeId): string {
  return `watch-${id}`;
}

/** What a bot's wallet watches. Nobody has keys: the names stand for them. */
export function watchesOf(id: NodeId): readonly Watch[] {
  const accounts = Array.from({ length: mixdepths }, (_, mixdepth): readonly Account[] => {
    const key = hex(primitives.sha256(ascii(`${id} ${mixdepth}`))).replaceAll("0", "z");
    return [{ kind: "wpkh", origin: "", key: `tpub${key}`, branches: [0, 1] }];
  });
  const all = watchOf(accounts);
  assert(all.ok, "accounts of a bot differ");
  return all.value;
}

/** An address of a bot, on the branch for receiving. */
export function addressOf(id: NodeId, mixdepth: number, index: number): string {
  const found = watchesOf(id).find((one) => one.mixdepth === mixdepth && one.branch === 0);
  assert(found !== undefined, "a mixdepth of a bot");
  return derive(found.descriptor, index);
}

/** The daemon's defaults with a scenario's settings over them. The core asserts relations. */
export function configOf(
  spec: BotSpec, secret: Uint8Array, directories: readonly Directory[],
): MakerConfig {
  const s = spec.settings ?? {};
  const d = defaults;
  return {
    ...d, network: "regtest",
    onion: spec.onion === true ? onion.defaults : undefined, pubkey: pubkeyOf(secret), directories,
    logLevel: s.verbose === true ? "debug" : "info",
    pool: {
      ...d.pool, startupMs: s.startupMs ?? d.pool.startupMs,
      link: {
        ...d.pool.link, dialMs: s.dialMs ?? d.pool.link.dialMs,
        handshakeMs: s.handshakeMs ?? d.pool.link.handshakeMs,
        idleMs: s.idleMs ?? d.pool.link.idleMs, pongMs: s.pongMs ?? d.pool.link.pongMs,
        retriesMax: s.retriesMax ?? d.pool.link.retriesMax,
        spentMs: s.spentMs ?? d.pool.link.spentMs,
      },
    },
    offers: {
      ...d.offers, network: "regtest", terms: termsOf(s.sizeSpreadPpm),
      announceDelayMaxMs: s.announceDelayMaxMs ?? d.offers.announceDelayMaxMs,
      backendGraceMs: s.backendGraceMs ?? d.offers.backendGraceMs,
    },
    bitcoind: {
      ...bitcoind.defaults, wallet: walletOf(spec.id), network: "regtest",
      watch: watchesOf(spec.id), indexMax,
    },
    wallet: { ...d.wallet, mixdepths, downMs: s.downMs ?? d.wallet.downMs },
    ...chainOf(s),
    notify: {
      ...d.notify,
      targets: [{ to: "notice:0", kind: "webhook", path: "/notices", priorityMin: "low" }],
    },
  };
}

function chainOf(s: BotSettings): Pick<MakerConfig, "tip" | "rescan" | "pending"> {
  const d = defaults;
  return {
    // On regtest no block is too old.
    tip: { ...d.tip, staleMs: 0, pollMs: s.pollMs ?? d.tip.pollMs },
    rescan: { ...d.rescan, intervalMs: s.intervalMs ?? d.rescan.intervalMs },
    pending: {
      ...d.pending, checkMs: s.checkMs ?? d.pending.checkMs,
      timeoutMs: s.timeoutMs ?? d.pending.timeoutMs, warnMs: s.warnMs ?? d.pending.warnMs,
      lateCheckMs: s.lateCheckMs ?? d.pending.lateCheckMs,
      settledMin: s.settledMin ?? d.pending.settledMin,
    },
  };
}
