/**
 * From the checked values of the file to what the daemon of Ark wallets takes.
 *
 * Rule 1: relations between values are told with their keys, those of one wallet with its name; all
 * of them in one pass.
 * Rule 2: what is not on this machine goes through Tor, each wallet's program and each Ark server
 * on circuits of its own.
 * Rule 3: a destination makes claims: the operator has named it, and that is the permission.
 * @module
 */
import {
  defaults, lookingEvery, problemsOf, targetOf, walletOf as usual, type ArkConfig,
  type WalletConfig,
} from "../../core/ark/config.ts";
import type * as guardian from "../../core/ark/guardian.ts";
import type { Policy } from "../../core/ark/policy.ts";
import * as supervisor from "../../core/ark/supervisor.ts";
import { type Address, addressText, isLoopback } from "../address.ts";
import type { Program } from "../children.ts";
import { isHere } from "../requests.ts";
import type { Parsed } from "./schema.ts";
import {
  credentialsOf, type Env, noticesOf, type Relation, target, type TargetSpec,
} from "./targets.ts";

/** An Ark server's gRPC; what is not on this machine goes through Tor, under `isolation`. */
export type ServerSpec = { readonly url: URL; readonly isolation: string | undefined };

export type ArkSettings = {
  readonly http: Address;
  readonly httpRemote: boolean;
  readonly socks: Address | undefined;
  /** All but the version, which a process puts in. */
  readonly config: ArkConfig;
  /** Wallets' programs, by `targetOf`, and targets of notices. */
  readonly targets: ReadonlyMap<string, TargetSpec>;
  /** Ark servers that tell of rounds, by the name in the wallets' `rounds`. */
  readonly servers: ReadonlyMap<string, ServerSpec>;
  /** Wallets' programs that are run here, by wallet. */
  readonly programs: ReadonlyMap<string, Program>;
  /** The command for notices; empty: none. */
  readonly exec: readonly string[];
};

export type ArkLoaded =
  | { readonly ok: true; readonly settings: ArkSettings }
  | { readonly ok: false; readonly broken: readonly Relation[] };

type FileWallet = Parsed["ark"]["wallet"][number];

/** What the daemon with these values would be, or what keeps it from being one. */
export function arkOf(parsed: Parsed, env: Env): ArkLoaded {
  const broken: Relation[] = [];
  const targets = new Map<string, TargetSpec>();
  const servers = new Map<string, ServerSpec>();
  const { ark: a, log, tor, notify } = parsed;
  if (a.wallet.length === 0) {
    const says = "nobody to look after: write an [[ark.wallet]] for each";
    broken.push({ keys: ["ark.wallet"], says });
  }
  for (const { name } of repeated(a.wallet)) {
    broken.push({ keys: [`ark.wallet ${name}`], says: "two wallets have this name" });
  }
  for (const wallet of a.wallet) {
    programOf(parsed, wallet, env, targets, broken);
    serverOf(parsed, wallet, servers, broken);
  }
  if (!a.http_remote && !isLoopback(a.http)) {
    const says = `${addressText(a.http)} is reachable from other machines and has no access ` +
      "control; choose a loopback address or a Unix socket, or set ark.http_remote = true";
    broken.push({ keys: ["ark.http", "ark.http_remote"], says });
  }
  if (a.margin_blocks * a.fast_block_sec < a.patience_sec) {
    const says = "an exit that is due waits for a refresh that was asked for: the margin, at " +
      "the fast pace, must be as long as that patience";
    broken.push({ keys: ["ark.margin_blocks", "ark.fast_block_sec", "ark.patience_sec"], says });
  }
  if (a.stop_sec > a.drain_sec) {
    broken.push({ keys: ["ark.stop_sec", "ark.drain_sec"], says: "the end comes before" });
  } else if (a.wallet.some((one) => one.run.length > 0 && !one.leave_running)
    && a.stop_sec + a.term_sec + supervisor.defaults.killMs > a.drain_sec) {
    const says = "programs that are run here need their time to end after the waiting: the sum " +
      "of the two and 2 s is not within the whole";
    broken.push({ keys: ["ark.stop_sec", "ark.term_sec", "ark.drain_sec"], says });
  }
  const config: ArkConfig = {
    ...defaults, logLevel: log.level, drainMs: a.drain_sec,
    wallets: a.wallet.map((one) => walletOf(parsed, one)),
    notify: noticesOf(parsed, env, targets, broken, defaults.notify),
  };
  if (broken.length === 0) {
    broken.push(...problemsOf(config).map(({ keys, says }) => (
      { keys: keys.map((key) => `ark.${key}`), says }
    )));
  }
  if (broken.length > 0) return { ok: false, broken };
  const settings = {
    http: a.http, httpRemote: a.http_remote, socks: tor.socks, config, targets, servers,
    exec: notify.exec, programs: programsOf(a.wallet),
  };
  return { ok: true, settings };
}

/** Those whose name was there before. */
function repeated(wallets: readonly FileWallet[]): readonly FileWallet[] {
  const seen = new Set<string>();
  return wallets.filter(({ name }) => {
    const isKnown = seen.has(name);
    seen.add(name);
    return isKnown;
  });
}

function programOf(
  parsed: Parsed, { name, url, token_file: file }: FileWallet, env: Env,
  targets: Map<string, TargetSpec>, broken: Relation[],
): void {
  const to = targetOf(name);
  const key = `ark.wallet ${name}: token_file`;
  target(parsed, targets, broken, to, {
    key: `ark.wallet ${name}: url`, url, isolation: to,
    credentials: credentialsOf("bearer", file, key, env, broken),
  });
}

function programsOf(wallets: readonly FileWallet[]): Map<string, Program> {
  return new Map(wallets.flatMap(({ name, run, leave_running: isLeft }) => (
    run.length === 0 ? [] : [[name, { run, isLeft }]]
  )));
}

/** One entry for each address, however many wallets name it. */
function serverOf(
  { tor }: Parsed, { name, server }: FileWallet, servers: Map<string, ServerSpec>,
  broken: Relation[],
): void {
  if (server === "") return;
  const key = `ark.wallet ${name}: server`;
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url === undefined) return void broken.push({ keys: [key], says: "this is no address" });
  const isLocal = isHere(url.hostname);
  if (!isLocal && tor.socks === undefined) {
    const says = "it is not on this machine, and nothing leaves around Tor";
    return void broken.push({ keys: [key, "tor.socks"], says });
  }
  servers.set(url.origin, { url, isolation: isLocal ? undefined : `ark:${url.origin}` });
}

/** As wallets call it. */
function networkName(network: Parsed["network"]): string {
  return network === "mainnet" ? "bitcoin" : network;
}

function walletOf({ ark: a, network }: Parsed, one: FileWallet): WalletConfig {
  const origin = URL.canParse(one.server) ? new URL(one.server).origin : undefined;
  const base = usual(one.name, origin ?? "");
  return {
    ...base, rounds: origin, policy: policyOf(base.policy, a.stop_sec, one.runs_itself),
    program: one.run.length === 0 ? undefined
      : { ...supervisor.defaults, termMs: a.term_sec, isLeft: one.leave_running },
    guardian: { ...guardOf(base.guardian, a, one), network: networkName(network) },
  };
}

function policyOf(p: Policy, stopMs: number, isManual: boolean): Policy {
  return { ...p, isManual, stopping: { ...p.stopping, stopMs } };
}

function guardOf(g: guardian.Config, a: Parsed["ark"], one: FileWallet): guardian.Config {
  const { expiry: { slowMs, jumpMs } } = g;
  const fastMs = a.fast_block_sec;
  return {
    ...lookingEvery(g, a.look_sec),
    expiry: {
      ...g.expiry, refreshBlocks: a.refresh_blocks, failingBlocks: a.failing_blocks,
      marginBlocks: a.margin_blocks, perLevelBlocks: a.per_level_blocks,
      remindBlocks: a.remind_blocks, fastMs, slowMs: slowMs > fastMs ? slowMs : fastMs,
      jumpMs: jumpMs < fastMs ? jumpMs : fastMs,
    },
    refresh: {
      ...g.refresh, isOn: one.refresh, patienceMs: a.patience_sec,
      unsureMs: g.refresh.unsureMs < a.patience_sec ? g.refresh.unsureMs : a.patience_sec,
    },
    shepherd: {
      ...g.shepherd, autoExit: one.auto_exit, exitMinSat: BigInt(a.exit_min_sat),
      autoClaim: one.claim_to !== "", destination: one.claim_to,
    },
  };
}
