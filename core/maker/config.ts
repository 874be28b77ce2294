/**
 * Everything an operator can set about a maker, and every limit it lives within.
 *
 * Rule 1: each part documents its own; here they stand together, with what only the whole knows.
 * Rule 2: secrets are not here. The nick's key, passwords and cookies stay with the host.
 * @module
 */
import type * as bitcoind from "../chain/bitcoind.ts";
import type * as esplora from "../chain/esplora.ts";
import * as tip from "../chain/tip.ts";
import type { Network } from "../directory/config.ts";
import * as book from "../history/book.ts";
import * as journal from "../history/journal.ts";
import { notServing } from "../joinmarket/onion.ts";
import type { LogLevel } from "../kernel/io.ts";
import * as delivery from "../notify/config.ts";
import * as requests from "../requests.ts";
import type * as onion from "../tor/onion.ts";
import * as dedup from "./dedup.ts";
import type { AuthMode } from "./greet.ts";
import * as guard from "./guard.ts";
import * as inbound from "./inbound.ts";
import { coinRule, type CoinRule } from "./offermath.ts";
import * as offers from "./offers.ts";
import * as pending from "./pending.ts";
import * as pool from "./pool.ts";
import * as reports from "./reports.ts";
import * as rescan from "./rescan.ts";
import * as updates from "./updates.ts";
import * as wallet from "./wallet.ts";

export type TalkConfig = {
  /** Signatures of texts that are said again and again; each is made once. 64. */
  readonly signaturesMax: number;
  /** Replies that wait for a signature; beyond, they are dropped. 1,024. */
  readonly repliesMax: number;
  /** A signature is waited for so long, in ms; then replies are dropped. 30,000. */
  readonly signMs: number;
};

export type MakerConfig = {
  readonly network: Network;
  /** 66 lower-case hex characters: the nick is made of it. */
  readonly pubkey: string;
  readonly logLevel: LogLevel;
  /** Where takers reach us directly; `NOT-SERVING-ONION` if they cannot. */
  readonly location: string;
  /** Our own onion service; `undefined`: there is none, or `location` is looked after elsewhere. */
  readonly onion: onion.Config | undefined;
  /** Tor's control port, `host:port` or `unix:path`. */
  readonly torControl: string;
  readonly directories: readonly pool.Directory[];
  /** Whether directories are shown the nick's key. */
  readonly auth: AuthMode;
  /** From the order to stop to the end, in ms. 10,000. */
  readonly drainMs: number;
  readonly pool: pool.Config;
  readonly dedup: dedup.Config;
  readonly offers: offers.Config;
  readonly guard: guard.Config;
  readonly talk: TalkConfig;
  readonly inbound: Omit<inbound.Config, "nick" | "network" | "features">;
  /** `undefined`: no wallet is watched, and nothing is ever offered. */
  readonly bitcoind: bitcoind.Config | undefined;
  /** Asked instead of a node of one's own. Not both. */
  readonly esplora: esplora.Config | undefined;
  readonly tip: tip.Config;
  readonly wallet: wallet.Config;
  /** Which coins are offered. */
  readonly coins: CoinRule;
  readonly rescan: rescan.Config;
  readonly requests: requests.Config;
  readonly journal: journal.Config;
  readonly book: book.Config;
  readonly pending: pending.Config;
  readonly notify: delivery.Config;
  readonly reports: reports.Config;
  readonly updates: updates.Config;
};

/** All but who we are: the network, the key, the directories and the wallet. */
export const defaults: Omit<MakerConfig, "network" | "pubkey"> = {
  logLevel: "info", location: notServing, onion: undefined, torControl: "127.0.0.1:9051",
  directories: [], auth: "prefer", drainMs: 10_000,
  pool: pool.defaults, dedup: dedup.defaults, offers: offers.defaults, guard: guard.defaults,
  talk: { signaturesMax: 64, repliesMax: 1_024, signMs: 30_000 }, inbound: inbound.defaults,
  bitcoind: undefined, esplora: undefined,
  tip: tip.defaults, wallet: wallet.defaults, coins: coinRule, rescan: rescan.defaults,
  requests: requests.defaults, journal: journal.defaults, book: book.defaults,
  pending: pending.defaults, notify: delivery.defaults, reports: reports.defaults,
  updates: updates.defaults,
};

/** A relation between settings that does not hold: their names, and what is wrong. */
export type Broken = { readonly keys: readonly string[]; readonly says: string };

/** The first broken relation between parts; each part asserts its own. */
export function check(c: MakerConfig): Broken | undefined {
  const says = (keys: readonly string[], text: string): Broken => ({ keys, says: text });
  if (c.directories.length > c.pool.directoriesMax) {
    return says(["directories"], `at most ${c.pool.directoriesMax} directories`);
  }
  const names = new Set(c.directories.map(({ to }) => to));
  if (names.size < c.directories.length) return says(["directories"], "a directory stands twice");
  if (c.offers.network !== c.network) return says(["network"], "offers for another network");
  if (c.guard.directoriesMax < c.pool.directoriesMax) {
    return says(["guard.directoriesMax"], "each directory needs a budget");
  }
  const { signaturesMax, repliesMax, signMs } = c.talk;
  if (signaturesMax < 1 || repliesMax < 1 || signMs < 1) {
    return says(["talk"], "a reply needs room and time for a signature");
  }
  if (c.drainMs < 1) return says(["drainMs"], "an end in good order takes its time");
  if (c.bitcoind !== undefined && c.esplora !== undefined) {
    return says(["bitcoind", "esplora"], "one of them is asked, not both");
  }
  const { bitcoind: node, esplora: server } = c;
  if (node !== undefined) return checkBackend(c, node.network, node.watch);
  return server === undefined ? undefined : checkBackend(c, server.network, server.branches);
}

function checkBackend(
  c: MakerConfig, network: string, watch: readonly { readonly mixdepth: number }[],
): Broken | undefined {
  // Two test networks share the name that JoinMarket has for them.
  const isTest = c.network === "testnet" && network === "testnet4";
  if (network !== c.network && !isTest) {
    return { keys: ["network"], says: "the node is asked about another network" };
  }
  const isBeyond = watch.some(({ mixdepth }) => mixdepth >= c.wallet.mixdepths);
  return isBeyond ? { keys: ["wallet.mixdepths"], says: "a descriptor of a mixdepth beyond them" }
    : undefined;
}
