/**
 * Everything an operator can set about Ark wallets, and every limit they live within.
 *
 * Rule 1: each part documents its own; here they stand together, with what only the whole knows.
 * Rule 2: secrets are not here. Addresses and tokens of wallets' programs stay with the host, which
 * knows them by `targetOf`.
 * @module
 */
import * as journal from "../history/journal.ts";
import type { LogLevel } from "../kernel/io.ts";
import * as delivery from "../notify/config.ts";
import * as requests from "../requests.ts";
import * as barkd from "./barkd-config.ts";
import * as books from "./books.ts";
import * as calls from "./calls.ts";
import * as fleet from "./fleet.ts";
import * as guardian from "./guardian.ts";
import * as news from "./news.ts";
import * as outages from "./outages.ts";
import { defaults as policy, type Policy } from "./policy.ts";
import type * as supervisor from "./supervisor.ts";
import * as watch from "./watch.ts";

export type WalletConfig = {
  /** 1 to 40 letters, digits, `.`, `_` and `-`; in records, notices and targets. */
  readonly name: string;
  /** Which Ark server it is at: wallets of one name are spread against each other. */
  readonly server: string;
  /** The host's name of that server's stream of round events; `undefined`: there is none. */
  readonly rounds: string | undefined;
  /** `isManual` for a program that runs a daemon of its own. */
  readonly policy: Policy;
  /** How its program is run by this process; `undefined`: somebody else runs it. */
  readonly program: supervisor.Config | undefined;
  /** `expiry.wallet` is the name. */
  readonly guardian: guardian.Config;
};

export type ArkConfig = {
  readonly version: string;
  readonly logLevel: LogLevel;
  readonly wallets: readonly WalletConfig[];
  /** Wallets of one process. 1,000. */
  readonly walletsMax: number;
  /** From the order to stop to the end, in ms; longer than any wallet's `stopMs`. 45,000. */
  readonly drainMs: number;
  /** News let the guard look at once, but so long after the last time, in ms. 10,000. */
  readonly nudgeMs: number;
  readonly barkd: barkd.Config;
  readonly calls: calls.Config;
  readonly fleet: fleet.Config;
  readonly news: news.Config;
  readonly books: books.Config;
  readonly watch: watch.Config;
  readonly outages: outages.Config;
  /** Of notices only; the wallets' have `calls`. */
  readonly requests: requests.Config;
  readonly journal: journal.Config;
  readonly notify: delivery.Config;
};

/** All but who runs it: no wallet. */
export const defaults: ArkConfig = {
  version: "", logLevel: "info", wallets: [], walletsMax: 1_000, drainMs: 45_000, nudgeMs: 10_000,
  barkd: barkd.defaults, calls: calls.defaults, fleet: fleet.defaults, news: news.defaults,
  books: books.defaults, watch: watch.defaults, outages: outages.defaults,
  requests: requests.defaults, journal: journal.defaults,
  notify: { ...delivery.defaults, label: "Dogwatch Ark" },
};

/** A wallet as it is when the operator says no more of it: refreshed, and no exit begun. */
export function walletOf(name: string, server = ""): WalletConfig {
  const { expiry } = guardian.defaults;
  return {
    name, server, rounds: undefined, policy, program: undefined,
    guardian: { ...guardian.defaults, expiry: { ...expiry, wallet: name } },
  };
}

/** A guard that looks so often, in ms, and holds what it saw for three looks at least. */
export function lookingEvery(g: guardian.Config, lookMs: number): guardian.Config {
  return { ...g, lookMs, sightMs: g.sightMs > 3 * lookMs ? g.sightMs : 3 * lookMs };
}

/** What it takes at most to end a program in which nothing goes on, in ms. */
export function endMsOf({ termMs, killMs, isLeft }: supervisor.Config): number {
  return isLeft ? 0 : termMs + killMs;
}

/** What requests to this wallet's program are addressed to. */
export function targetOf(name: string): string {
  return `barkd:${name}`;
}

/** Can records and targets hold this name? */
export function isName(name: string): boolean {
  return nameShape.test(name);
}

const nameShape = /^[A-Za-z0-9._-]{1,40}$/;

/** A relation between settings that does not hold: their names, and what is wrong. */
export type Broken = { readonly keys: readonly string[]; readonly says: string };

/** The broken relations between parts; each part asserts its own. */
export function problemsOf(c: ArkConfig): readonly Broken[] {
  const found: Broken[] = [];
  const says = (key: string, text: string): void => void found.push({ keys: [key], says: text });
  if (c.wallets.length > c.walletsMax) says("wallets", `at most ${c.walletsMax} wallets`);
  const names = new Set(c.wallets.map(({ name }) => name));
  if (names.size < c.wallets.length) says("wallets", "a wallet stands twice");
  if (c.drainMs < 1) says("drainMs", "an end in good order takes its time");
  if (c.nudgeMs < 1_000) says("nudgeMs", "whoever makes news makes no storm");
  if (c.calls.openMax < c.wallets.length) says("calls.openMax", "each wallet needs a call");
  for (const wallet of c.wallets) found.push(...walletProblems(c, wallet));
  return found;
}

/** The first of them. */
export function check(c: ArkConfig): Broken | undefined {
  return problemsOf(c)[0];
}

function walletProblems(c: ArkConfig, w: WalletConfig): readonly Broken[] {
  const found: Broken[] = [];
  const says = (key: string, text: string): void => {
    found.push({ keys: [`wallet.${w.name}.${key}`], says: text });
  };
  const { expiry, intents, refresh, shepherd } = w.guardian;
  if (!isName(w.name)) says("name", "1 to 40 letters, digits, dots, dashes and underscores");
  if (expiry.wallet !== w.name) says("guardian.expiry.wallet", "notices name another wallet");
  const { stopMs } = w.policy.stopping;
  if (stopMs > c.drainMs) says("stopMs", "the end comes before the wallet's");
  if (w.program !== undefined && stopMs + endMsOf(w.program) > c.drainMs) {
    says("program", "the end comes before that of the wallet's program");
  }
  for (const [key, max] of [
    ["intents.vtxosMax", intents.vtxosMax], ["refresh.batchMax", refresh.batchMax],
    ["shepherd.batchMax", shepherd.batchMax],
  ] as const) {
    if (max > c.barkd.askedMax) says(`guardian.${key}`, "more VTXOs than one call may name");
  }
  const { autoClaim, destination } = shepherd;
  if (destination !== "" && !destinationShape.test(destination)) {
    says("guardian.shepherd.destination", "coins are claimed to an address");
  }
  if (autoClaim && destination === "") {
    says("guardian.shepherd.destination", "a claim needs a destination");
  }
  return found;
}

/** As the backend takes it. */
const destinationShape = /^[A-Za-z0-9]{14,100}$/;
