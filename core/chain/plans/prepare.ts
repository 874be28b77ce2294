/**
 * A Bitcoin Core node is made ready: the right network, a wallet without keys that holds our
 * descriptors.
 *
 * Rule 1: what is there is looked up, not tried out: the wallet is made only if the node lists no
 * file of that name, since errors of these calls share one number.
 * Rule 2: descriptors come in with the timestamp "now", which is quick; old blocks are searched by
 * `scan.ts`, in parts. Whether that was ever finished is in the answer (`isScanned`).
 * Rule 3: a wallet with private keys is refused, however its name came to be in the configuration:
 * the daemon is to watch, and a wallet that it could spend from is nobody's intent.
 * @module
 */
import { unreachable } from "../../assert.ts";
import { unavailable, type Unavailable } from "../chain.ts";
import { canonical } from "../descriptor.ts";
import { allOf, field, listOf, textOf } from "../fields.ts";
import { addressInfoOf, chainOf, descriptorOf, importOf, nodeOf, walletOf } from "../replies.ts";
import { codes, ofError, type Call, type Outcome, type Param } from "../rpc.ts";
import { read as readMark } from "./mark.ts";
import {
  anyFailed, chainName, done, failed, garbled, markDescriptor, readBy, type Config, type Move,
} from "./plan.ts";

export type Stage = {
  readonly plan: "prepare";
  readonly at: "looking" | "loading" | "making" | "reading" | "importing" | "marked";
  readonly imported: number;
  /** The address that bears the mark. */
  readonly address: string;
};

/** Taproot descriptors, and lists of descriptors in wallets: Bitcoin Core 22.0. */
export const versionMin = 220_000;

export function begin(config: Config): Move<Stage> {
  const calls: readonly Call[] = [
    ["getblockchaininfo"], ["getnetworkinfo"], ["listwallets"], ["listwalletdir"],
  ];
  return node(config.callMs, calls, "looking");
}

export function resume(config: Config, stage: Stage, outcomes: readonly Outcome[]): Move<Stage> {
  switch (stage.at) {
    case "looking": return looked(config, outcomes);
    case "loading": return loaded(config, outcomes[0]!);
    case "making": return made(config, outcomes[0]!);
    case "reading": return seen(config, outcomes);
    case "importing": return imported(config, stage, outcomes[0]!);
    case "marked": return marked(config, stage, outcomes[0]!);
    default: return unreachable(stage.at); /* c8 ignore next */
  }
}

function node(timeoutMs: number, calls: readonly Call[], at: Stage["at"]): Move<Stage> {
  const stage: Stage = { plan: "prepare", at, imported: 0, address: "" };
  return { type: "call", calls, isWallet: false, timeoutMs, stage };
}

function looked(config: Config, outcomes: readonly Outcome[]): Move<Stage> {
  const wrong = anyFailed(outcomes);
  if (wrong !== undefined) return done(wrong);
  const chain = readBy(outcomes[0], chainOf);
  const node = readBy(outcomes[1], nodeOf);
  const loaded = readBy(outcomes[2], (j) => allOf(j, textOf));
  const files = readBy(outcomes[3], (j) => listOf(field(j, "wallets")));
  if (chain === undefined || node === undefined || loaded === undefined || files === undefined) {
    return done(garbled());
  }
  if (chain.chain !== chainName(config.network)) return done(wrongNetwork(config));
  if (node.version < versionMin) return done(tooOld());
  if (loaded.includes(config.wallet)) return reading(config);
  if (files.some((file) => field(file, "name") === config.wallet)) return loading(config);
  // Name, no private keys, blank, no passphrase, no avoidance of reuse, descriptors.
  const call: Call = ["createwallet", config.wallet, true, true, "", false, true];
  return nodeCall(config, call, "making");
}

function wrongNetwork(config: Config): Unavailable {
  const text = `the node is not on ${config.network}`;
  return unavailable("wrong-network", "chain-network", text);
}

function tooOld(): Unavailable {
  return unavailable("too-old", "chain-old", "Bitcoin Core 22.0 or later is needed");
}

function nodeCall(config: Config, call: Call, at: Stage["at"]): Move<Stage> {
  return node(config.walletMs, [call], at);
}

function loading(config: Config): Move<Stage> {
  return nodeCall(config, ["loadwallet", config.wallet], "loading");
}

function loaded(config: Config, outcome: Outcome): Move<Stage> {
  if (!outcome.ok && outcome.code === codes.walletLoaded) return reading(config);
  const wrong = failed(outcome);
  return wrong === undefined ? reading(config) : done(wrong);
}

function made(config: Config, outcome: Outcome): Move<Stage> {
  // Somebody else made it since we looked.
  const isThere = !outcome.ok && outcome.code === codes.wallet && /exists/i.test(outcome.message);
  if (isThere) return loading(config);
  const wrong = failed(outcome);
  return wrong === undefined ? reading(config) : done(wrong);
}

function reading(config: Config): Move<Stage> {
  const calls: readonly Call[] = [
    ["getwalletinfo"], ["listdescriptors"], ["deriveaddresses", markDescriptor(config), [0, 0]],
  ];
  const stage: Stage = { plan: "prepare", at: "reading", imported: 0, address: "" };
  return { type: "call", calls, isWallet: true, timeoutMs: config.callMs, stage };
}

function seen(config: Config, outcomes: readonly Outcome[]): Move<Stage> {
  const wrong = anyFailed(outcomes);
  if (wrong !== undefined) return done(wrong);
  const wallet = readBy(outcomes[0], walletOf);
  const held = readBy(outcomes[1], (j) => allOf(field(j, "descriptors"), descriptorOf));
  const address = readBy(outcomes[2], (j) => textOf(listOf(j)?.[0]));
  if (wallet === undefined || held === undefined || address === undefined) return done(garbled());
  if (wallet.hasKeys) return done(unfit("wallet-keys", "this wallet can spend; name another"));
  if (!wallet.isDescriptors) {
    return done(unfit("wallet-legacy", "a wallet without descriptors; name another"));
  }
  const missing = missingOf(config, held);
  if (missing.length === 0) return mark(config, 0, address);
  const stage: Stage = { plan: "prepare", at: "importing", imported: missing.length, address };
  const calls: readonly Call[] = [["importdescriptors", missing]];
  return { type: "call", calls, isWallet: true, timeoutMs: config.walletMs, stage };
}

function unfit(code: string, text: string): Unavailable {
  return unavailable("wallet", code, text);
}

/** Requests for the descriptors that are not there, or not derived far enough. */
function missingOf(
  config: Config, held: readonly { readonly desc: string; readonly end: number }[],
): readonly Param[] {
  const ends = new Map<string, number>();
  for (const { desc, end } of held) ends.set(canonical(desc), end);
  const missing = config.watch.filter(({ descriptor }) => (
    (ends.get(canonical(descriptor)) ?? -1) < config.indexMax
  ));
  return missing.map(({ descriptor, branch }) => ({
    desc: descriptor, active: false, timestamp: "now", range: [0, config.indexMax],
    internal: branch === 1,
  }));
}

function imported(config: Config, stage: Stage, outcome: Outcome): Move<Stage> {
  const wrong = failed(outcome);
  if (wrong !== undefined) return done(wrong);
  const results = readBy(outcome, (j) => allOf(j, importOf));
  if (results?.length !== stage.imported) return done(garbled());
  const refused = results.find((result) => !result.ok);
  if (refused === undefined) return mark(config, stage.imported, stage.address);
  const { reason } = ofError(refused.code, refused.message);
  const text = `the wallet does not take a descriptor (error ${refused.code})`;
  return done(unavailable(reason === "refused" ? "wallet" : reason, "wallet-import", text));
}

function mark(config: Config, count: number, address: string): Move<Stage> {
  const stage: Stage = { plan: "prepare", at: "marked", imported: count, address };
  const calls: readonly Call[] = [["getaddressinfo", address]];
  return { type: "call", calls, isWallet: true, timeoutMs: config.callMs, stage };
}

function marked(config: Config, stage: Stage, outcome: Outcome): Move<Stage> {
  const wrong = failed(outcome);
  if (wrong !== undefined) return done(wrong);
  const info = readBy(outcome, addressInfoOf);
  if (info === undefined) return done(garbled());
  if (!info.isMine) {
    return done(unfit("wallet-blind", "the wallet does not know its own first address"));
  }
  const isScanned = readMark(config, info.labels)?.isWhole === true;
  return done({ ok: true, ask: "prepare", imported: stage.imported, isScanned });
}
