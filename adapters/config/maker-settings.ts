/**
 * From the checked values of the file to what a maker takes: offers, accounts, targets.
 *
 * Rule 1: relations between values are told with their keys; all of them in one pass.
 * Rule 2: what would leave this machine needs Tor: a setting that would go around it is refused.
 * @module
 */
import * as bitcoind from "../../core/chain/bitcoind.ts";
import * as descriptor from "../../core/chain/descriptor.ts";
import * as esplora from "../../core/chain/esplora.ts";
import { notServing } from "../../core/joinmarket/onion.ts";
import { parseRatio } from "../../core/joinmarket/offer.ts";
import { check, defaults, type MakerConfig } from "../../core/maker/config.ts";
import * as offermath from "../../core/maker/offermath.ts";
import type * as notify from "../../core/notify/config.ts";
import * as onion from "../../core/tor/onion.ts";
import * as socks from "../../core/tor/socks.ts";
import { type Address, addressText } from "../address.ts";
import { primitives } from "../primitives.ts";
import { secretSource, type SecretSource } from "../secretfile.ts";
import type { Parsed } from "./schema.ts";
import {
  credentialsOf, type Env, noticesOf, type Relation, target, type TargetSpec,
} from "./targets.ts";

export type MakerSettings = {
  readonly http: Address;
  readonly httpRemote: boolean;
  readonly listen: Address | undefined;
  readonly socks: Address | undefined;
  /** All but the key, which a process makes when it starts. */
  readonly config: Omit<MakerConfig, "pubkey">;
  readonly targets: ReadonlyMap<string, TargetSpec>;
  /** The password of Tor's control port. */
  readonly password: SecretSource | undefined;
  /** By mixdepth. */
  readonly accounts: readonly descriptor.Account[];
  /** The command for notices; empty: none. */
  readonly exec: readonly string[];
};

export type MakerLoaded =
  | { readonly ok: true; readonly settings: MakerSettings }
  | { readonly ok: false; readonly broken: readonly Relation[] };

/** What a maker with these values would be, or what keeps it from being one. */
export function makerOf(parsed: Parsed, env: Env): MakerLoaded {
  const broken: Relation[] = [];
  const targets = new Map<string, TargetSpec>();
  const accounts = accountsOf(parsed, broken);
  const backend = backendOf(parsed, accounts, env, targets, broken);
  const { maker: m, tor, network } = parsed;
  if (m.directories.length === 0) {
    broken.push({ keys: ["maker.directories"], says: "a maker needs a directory to be found in" });
  }
  if (tor.socks === undefined && m.directories.some(isOnion)) {
    const says = "an onion is reached by Tor only";
    broken.push({ keys: ["maker.directories", "tor.socks"], says });
  }
  if (m.location !== "" && m.listen === undefined) {
    broken.push({ keys: ["maker.location", "maker.listen"], says: "takers would find nobody" });
  }
  const onionOf = onionsOf(parsed, broken);
  const notices = noticesOf(parsed, env, targets, broken, defaults.notify);
  const config = configOf(parsed, backend, notices, broken);
  const whole = { ...config, ...onionOf, ...updatesOf(parsed, targets, broken) };
  const password = passwordOf(parsed, env, broken);
  const relation = check({ ...whole, pubkey: "" });
  if (relation !== undefined) {
    broken.push({ keys: relation.keys.map((key) => `maker.${key}`), says: relation.says });
  }
  if (broken.length > 0) return { ok: false, broken };
  const { http, http_remote: httpRemote, listen } = m;
  const settings = {
    http, httpRemote, listen, socks: tor.socks, config: whole, targets, accounts, password,
    exec: parsed.notify.exec,
  };
  return { ok: true, settings: network === "regtest" ? patient(settings) : settings };
}

/** On a chain without miners no block is too old. */
function patient(s: MakerSettings): MakerSettings {
  return { ...s, config: { ...s.config, tip: { ...s.config.tip, staleMs: 0 } } };
}

function isOnion(address: string): boolean {
  return /\.onion:[0-9]+$/.test(address);
}

function configOf(
  parsed: Parsed, backend: Pick<MakerConfig, "bitcoind" | "esplora">, notices: notify.Config,
  broken: Relation[],
): Omit<MakerConfig, "pubkey"> {
  const { maker: m, network, log } = parsed;
  const d = defaults;
  const { link } = d.pool;
  return {
    ...d, network, logLevel: log.level, location: m.location === "" ? notServing : m.location,
    directories: m.directories.map((to) => isOnion(to)
      ? { to, directoryId: to, isolation: socks.label({ purpose: "directory", address: to }) }
      : { to }),
    auth: m.directory_auth, drainMs: m.drain_sec, ...backend, notify: notices,
    pool: {
      ...d.pool, startupMs: m.startup_timeout_sec,
      link: {
        ...link, dialMs: m.dial_timeout_sec, handshakeMs: m.handshake_timeout_sec,
        idleMs: m.idle_sec, pingGapMs: m.idle_sec, pongMs: m.pong_sec,
        unheardMs: Math.max(link.unheardMs, m.pong_sec),
        retry: { ...link.retry, maxMs: m.reconnect_max_sec }, retriesMax: m.retries_max,
      },
    },
    offers: {
      network, isMainnetAllowed: m.offer_on_mainnet, terms: termsOf(m.offers, broken),
      announceDelayMaxMs: m.reannounce_delay_sec, backendGraceMs: m.backend_grace_sec,
    },
    coins: { confirmationsMin: m.confirmations_min, isZeroMerged: m.merge_mixdepth_zero },
    wallet: {
      ...d.wallet, confirmationsMin: m.confirmations_min,
      mixdepths: Math.max(1, m.descriptors.length),
    },
    rescan: { ...d.rescan, intervalMs: m.rescan_interval_sec },
    pending: { ...d.pending, timeoutMs: m.pending_timeout_min * 60_000,
      warnMs: Math.min(d.pending.warnMs, m.pending_timeout_min * 60_000) },
    reports: { ...d.reports, summaryHours: m.summary_hours },
  };
}

/** Offers as they stand in the file, which has checked their form. */
export function termsOf(
  offers: readonly string[], broken: Relation[],
): readonly offermath.Terms[] {
  if (offers.length === 0) return offermath.defaults;
  const terms = offers.flatMap((text) => {
    const one = oneTerms(text);
    if (one === undefined) broken.push({ keys: ["maker.offers"], says: `"${text}" is no offer` });
    return one === undefined ? [] : [one];
  });
  const objection = offermath.objection(terms);
  if (objection !== undefined) broken.push({ keys: ["maker.offers"], says: objection });
  return terms;
}

function oneTerms(text: string): offermath.Terms | undefined {
  const [usual] = offermath.defaults;
  const words = text.split(" ");
  const after = (word: string): string | undefined => {
    const at = words.indexOf(word);
    return at < 0 ? undefined : words[at + 1];
  };
  const names = words.filter((word) => /^[a-z]/.test(word));
  if (usual === undefined || new Set(names).size < names.length) return undefined;
  const spread = after("spread");
  const common = {
    minsizeSat: BigInt(after("minsize") ?? usual.minsizeSat), txfeeSat: BigInt(after("txfee") ?? 0),
    txfeeSpreadPpm: spread === undefined ? usual.txfeeSpreadPpm : 10_000 * Number(spread),
    cjfeeSpreadPpm: spread === undefined ? usual.cjfeeSpreadPpm : 10_000 * Number(spread),
    sizeSpreadPpm: spread === undefined ? usual.sizeSpreadPpm : 10_000 * Number(spread),
  };
  const isTaproot = words.includes("taproot");
  const absolute = after("absolute");
  if (absolute !== undefined) {
    const kind = isTaproot ? "tr0absoffer" : "sw0absoffer";
    return { ...common, kind, cjfeeSat: BigInt(absolute) };
  }
  const cjfee = parseRatio(after("relative") ?? "");
  if (cjfee === undefined) return undefined;
  return { ...common, kind: isTaproot ? "tr0reloffer" : "sw0reloffer", cjfee };
}

/** The host puts its own version in. */
function updatesOf(
  parsed: Parsed, targets: Map<string, TargetSpec>, broken: Relation[],
): Partial<Pick<MakerConfig, "updates">> {
  const { updates: text } = parsed.notify;
  if (!URL.canParse(text)) return {};
  const { origin, pathname: path } = new URL(text);
  target(parsed, targets, broken, "update", {
    key: "notify.updates", url: origin, isolation: "update", credentials: { kind: "none" },
  });
  return { updates: { ...defaults.updates, isOn: true, path } };
}

/** The onion service of one's own: over the control port, to where guests arrive. */
function onionsOf(
  { maker: m, tor }: Parsed, broken: Relation[],
): Partial<Pick<MakerConfig, "onion" | "torControl">> {
  if (!m.onion) return {};
  const { control, socks: at } = tor;
  if (control === undefined || at === undefined || m.listen === undefined) {
    const says = "an onion service needs Tor's ports, and a place where guests arrive";
    broken.push({ keys: ["maker.onion", "tor.control", "tor.socks", "maker.listen"], says });
    return {};
  }
  if (m.location !== "") {
    broken.push({ keys: ["maker.onion", "maker.location"], says: "one of them, not both" });
  }
  return {
    torControl: addressText(control),
    onion: {
      ...onion.defaults, target: addressText(m.listen),
      control: {
        ...onion.defaults.control, hasPassword: tor.control_password !== "",
        cookiePath: tor.control_cookie === "" ? undefined : tor.control_cookie,
      },
    },
  };
}

/** The password of Tor's control port. */
export function passwordOf(
  { tor }: Parsed, env: Env, broken: Relation[],
): SecretSource | undefined {
  if (tor.control_password === "") return undefined;
  const source = secretSource(tor.control_password, env);
  if (source === undefined) {
    broken.push({ keys: ["tor.control_password"], says: "this names no secret" });
  }
  return source;
}

type Backends = Pick<MakerConfig, "bitcoind" | "esplora">;

const nobody: Backends = { bitcoind: undefined, esplora: undefined };

function backendOf(
  parsed: Parsed, accounts: readonly descriptor.Account[], env: Env,
  targets: Map<string, TargetSpec>, broken: Relation[],
): Backends {
  const { maker: m, bitcoind: b, esplora: e, network } = parsed;
  if (b.url !== "" && e.url !== "") {
    broken.push({ keys: ["bitcoind.url", "esplora.url"], says: "one of them is asked, not both" });
    return nobody;
  }
  const isAsked = b.url !== "" || e.url !== "";
  if (isAsked !== m.descriptors.length > 0) {
    const says = "a wallet needs both: somebody to ask, and the accounts to watch";
    const key = e.url === "" ? "bitcoind.url" : "esplora.url";
    broken.push({ keys: [key, "maker.descriptors"], says });
  }
  const watch = descriptor.watchOf(accounts.map((one) => [one]));
  if (!watch.ok) broken.push({ keys: ["maker.descriptors"], says: watch.fault.text });
  if (!isAsked || !watch.ok || watch.value.length === 0) return nobody;
  if (b.url === "") {
    const spec = { key: "esplora.url", url: e.url, isolation: "esplora" };
    target(parsed, targets, broken, "esplora", { ...spec, credentials: { kind: "none" } });
    const branches = watch.value.map(({ mixdepth, branch }) => ({ mixdepth, branch }));
    return { ...nobody, esplora: { ...esplora.defaults, network, branches } };
  }
  target(parsed, targets, broken, "bitcoind", {
    key: "bitcoind.url", url: b.url, isolation: "bitcoind",
    credentials: credentialsOf("basic", b.auth, "bitcoind.auth", env, broken),
  });
  const node = {
    ...bitcoind.defaults, wallet: b.wallet, network, watch: watch.value,
    birthHeight: m.birth_height, indexMax: b.index_max,
    peersMin: network === "regtest" ? 0 : b.peers_min,
  };
  return { ...nobody, bitcoind: node };
}

function accountsOf(
  { maker: m, network }: Parsed, broken: Relation[],
): readonly descriptor.Account[] {
  return m.descriptors.flatMap((text, mixdepth) => {
    const parsed = descriptor.parse(text, network, primitives.sha256);
    if (parsed.ok) return [parsed.value];
    const says = `the account of mixdepth ${mixdepth}: ${parsed.fault.text}`;
    broken.push({ keys: ["maker.descriptors"], says });
    return [];
  });
}
