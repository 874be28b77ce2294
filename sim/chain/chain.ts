/**
 * One chain and the two servers that tell of it: a Bitcoin Core node with wallets, and an Esplora.
 *
 * Rule 1: both show the same ledger, unless one was cut off; then it goes on telling the truth
 * about a chain that others have left.
 * Rule 2: what stops and starts loses what a process loses: scans and locks; wallets are loaded
 * again only if the node was told to (`load_on_startup`). Files stay.
 * Rule 3: time is an argument, in milliseconds, and only ever moves forward.
 * @module
 */
import { assert } from "../../core/assert.ts";
import { derive, type AddressOf } from "./address.ts";
import * as ledgers from "./ledger.ts";
import type { Ledger } from "./ledger.ts";
import { follow, type Wallet } from "./wallets.ts";

export type Config = {
  readonly ledger: ledgers.Config;
  readonly addressOf: AddressOf;
  /** Addresses that a wallet watches ahead, per descriptor; Bitcoin Core: 1,000. */
  readonly keypool: number;
  /** How long a scan takes over one block; 0: it is done at once. */
  readonly scanMsPerBlock: number;
  /** Bitcoin Core's own number for its version, and its name. */
  readonly version: number;
  readonly subversion: string;
  readonly hasTxIndex: boolean;
  readonly peers: number;
  /** Where wallets lie, in the node's complaints about them. */
  readonly walletFolder: string;
};

export const defaults: Config = {
  ledger: ledgers.defaults, addressOf: derive, keypool: 1_000, scanMsPerBlock: 0,
  version: 300_000, subversion: "/Satoshi:30.0.0/", hasTxIndex: true, peers: 8,
  walletFolder: "/var/lib/bitcoind/regtest/wallets",
};

export type Face = "bitcoind" | "esplora";

export type Chain = {
  readonly config: Config;
  readonly ledger: Ledger;
  /** What a server shows that was cut off; `undefined`: all there is. */
  readonly kept: { bitcoind: Ledger | undefined; esplora: Ledger | undefined };
  readonly wallets: Map<string, Wallet>;
  startedAtMs: number;
  /** Was the newest block older than a day whenever the node looked? */
  isInitial: boolean;
};

/** What is wrong with a node, without any of its answers being false. */
export type State = {
  /** What it says while it starts; `undefined`: it has started. */
  readonly warmUp: string | undefined;
  readonly peers: number;
  /** Headers beyond the newest block. */
  readonly headersAhead: number;
  readonly isMempoolLoaded: boolean;
  readonly isInitial: boolean;
  /** Blocks below are deleted; 0: none. */
  readonly prunedBelow: number;
  /** Wallets that are just being loaded, and a node that knows none. */
  readonly isLoading: boolean;
  readonly hasWallets: boolean;
};

export function healthy(config: Config): State {
  return {
    warmUp: undefined, peers: config.peers, headersAhead: 0, isMempoolLoaded: true,
    isInitial: false, prunedBelow: 0, isLoading: false, hasWallets: true,
  };
}

/** A chain of one block. Asserts the relations of `config`. */
export function create(
  config: Config = defaults, nowMs = 0, minerAddress?: string,
): Chain {
  assert(config.keypool >= 1, "a wallet that watches nothing");
  assert(config.scanMsPerBlock >= 0, "scans do not end before they begin");
  return {
    config, ledger: ledgers.create(config.ledger, minerAddress),
    kept: { bitcoind: undefined, esplora: undefined }, wallets: new Map(),
    startedAtMs: nowMs, isInitial: true,
  };
}

export function viewOf(c: Chain, face: Face): Ledger {
  return c.kept[face] ?? c.ledger;
}

/** From now on this server hears of nothing new. */
export function cutOff(c: Chain, face: Face): void {
  c.kept[face] ??= ledgers.copy(c.ledger);
}

export function rejoin(c: Chain, face: Face): void {
  c.kept[face] = undefined;
}

/** The node stops and starts. */
export function restart(c: Chain, nowMs: number): void {
  const view = viewOf(c, "bitcoind");
  for (const wallet of c.wallets.values()) {
    if (wallet.isLoaded) follow(wallet, view, nowMs, c.config);
    wallet.scan = undefined;
    wallet.locks.clear();
    wallet.isLoaded = wallet.isAtStart;
  }
  c.startedAtMs = nowMs;
  c.isInitial = true;
}

/** Forgets that a wallet is loaded; false: it was not. */
export function unload(c: Chain, name: string): boolean {
  const wallet = c.wallets.get(name);
  if (wallet?.isLoaded !== true) return false;
  wallet.isLoaded = false;
  wallet.scan = undefined;
  wallet.locks.clear();
  return true;
}

/** Loaded wallets look at what came by. */
export function settle(c: Chain, nowMs: number): void {
  const view = viewOf(c, "bitcoind");
  for (const wallet of c.wallets.values()) {
    if (wallet.isLoaded) follow(wallet, view, nowMs, c.config);
  }
  // Once it has seen a block of today it stays convinced.
  if (nowMs - ledgers.tipOf(view).timeS * 1_000 < dayMs) c.isInitial = false;
}

const dayMs = 86_400_000;
