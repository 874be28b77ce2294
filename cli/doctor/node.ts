/**
 * Bitcoin Core: does it answer, is it on our network and up to date, and can our wallet be there?
 *
 * Rule 1: asks only: no wallet is loaded, made or changed. What the daemon does by itself when it
 * starts is no fault.
 * Rule 2: where the daemon would refuse the node, so does this, for the same reason.
 * @module
 */
import type { Ambient } from "../../adapters/ambient.ts";
import type { MakerSettings } from "../../adapters/config/maker-settings.ts";
import type { TargetSpec } from "../../adapters/config/targets.ts";
import { createRequests, type Requests } from "../../adapters/requests.ts";
import type { Config } from "../../core/chain/bitcoind.ts";
import { ofFailure, type Reason, type Unavailable } from "../../core/chain/chain.ts";
import { canonical } from "../../core/chain/descriptor.ts";
import { allOf, field, integerOf, listOf, textOf } from "../../core/chain/fields.ts";
import { chainName, notSynced } from "../../core/chain/plans/plan.ts";
import { versionMin } from "../../core/chain/plans/prepare.ts";
import {
  type Chain, chainOf, descriptorOf, type Node, nodeOf, walletOf,
} from "../../core/chain/replies.ts";
import { type Call, decode, encode, ofError, type Outcome } from "../../core/chain/rpc.ts";
import type { RequestEvent } from "../../core/kernel/io.ts";
import { type Check, fail, type Finding, ok, warn } from "./finding.ts";
import { visitTo } from "./target.ts";

/** What the node knows of the time. */
export type NodeTime = {
  readonly blockMs: number | undefined;
  readonly peersAheadS: number | undefined;
};

const what = "bitcoind";
const walletWhat = "wallet";

/** `tell` hears once what the node knows of the time. */
export function node(
  settings: MakerSettings, ambient: Pick<Ambient, "entropy">, limitMs: number,
  tell: (time: NodeTime) => void,
): Check {
  let talk: Talk | undefined;
  const look = async (): Promise<readonly Finding[]> => {
    const { config: { bitcoind: config } } = settings;
    const spec = settings.targets.get("bitcoind");
    if (config === undefined || spec === undefined) {
      return [warn(what, "no wallet is configured: the maker would offer nothing",
        "set bitcoind.url (or esplora.url) and maker.descriptors")];
    }
    talk = open(config, spec, settings, ambient);
    return examine(talk, spec, tell);
  };
  return {
    what, limitMs, look,
    end: () => talk?.requests.closeAll(),
  };
}

type Talk = {
  readonly config: Config;
  readonly requests: Requests;
  serial: number;
  /** What only the operator can mend. */
  report: string;
  answered: (event: RequestEvent) => void;
};

function open(
  config: Config, spec: TargetSpec, settings: MakerSettings, ambient: Pick<Ambient, "entropy">,
): Talk {
  const talk: Talk = {
    config, serial: 0, report: "", answered: () => {},
    requests: createRequests({
      targets: new Map([["bitcoind", visitTo(spec, settings, ambient)]]),
      push: (event) => talk.answered(event),
      report: (_code, says) => (talk.report = says),
    }),
  };
  return talk;
}

/** The outcomes of several calls, or why there are none. */
async function call(
  talk: Talk, path: string, calls: readonly Call[],
): Promise<readonly Outcome[] | Unavailable> {
  const { config, requests } = talk;
  talk.serial += 1;
  const { serial } = talk;
  const event = await new Promise<RequestEvent>((resolve) => {
    talk.answered = resolve;
    requests.start({
      type: "req.start", req: serial, to: "bitcoind", method: "POST", path,
      headers: [["content-type", "application/json"]], body: encode(calls, serial), renew: false,
    });
  });
  if (event.type === "req.failed") return ofFailure(event.reason);
  const reply = decode(event.status, event.body, serial, calls.length, config.json);
  return reply.ok ? reply.outcomes : reply;
}

const general: readonly Call[] = [
  ["getblockchaininfo"], ["getnetworkinfo"], ["listwallets"], ["listwalletdir"],
];

async function examine(
  talk: Talk, spec: TargetSpec, tell: (time: NodeTime) => void,
): Promise<readonly Finding[]> {
  const { config } = talk;
  const where = spec.url.host;
  const outcomes = await call(talk, "/", general);
  if (!isList(outcomes)) return [away(talk, where, outcomes)];
  const [first, second, third, fourth] = outcomes;
  const refused = outcomes.slice(0, 2).find((one) => !one.ok);
  if (refused?.ok === false) return [away(talk, where, ofError(refused.code, refused.message))];
  const chain = first?.ok === true ? chainOf(first.result) : undefined;
  const info = second?.ok === true ? nodeOf(second.result) : undefined;
  if (chain === undefined || info === undefined || second?.ok !== true) {
    return [fail(what, `${where}: what answers is no Bitcoin Core`, fixes.nonsense)];
  }
  tell({
    blockMs: config.network === "regtest" ? undefined : chain.timeS * 1_000,
    peersAheadS: config.network === "regtest" ? undefined
      : integerOf(field(second.result, "timeoffset")),
  });
  const seen = `${where}: version ${versionText(info.version)}, ${config.network}`;
  return [
    standing(config, seen, chain, info), peers(config, info),
    await wallet(talk, namesOf(third), filesOf(fourth)),
  ];
}

function isList(value: readonly Outcome[] | Unavailable): value is readonly Outcome[] {
  return Array.isArray(value);
}

function away(talk: Talk, where: string, { reason, fault }: Unavailable): Finding {
  if (talk.report !== "") return fail(what, `${where}: ${talk.report}`, fixes.credentials);
  const seen = `${where}: ${fault.text}`;
  return reason === "warming-up" || reason === "busy" ? warn(what, seen, fixes[reason])
    : fail(what, seen, fixes[reason]);
}

const patience = "wait; the maker waits as well";

const fixes: { readonly [reason in Reason]: string } = {
  "unreachable": "start bitcoind with server=1, or correct bitcoind.url",
  "timeout": "is the node overloaded? See its debug.log",
  "credentials":
    "let bitcoind.auth name the .cookie of the running node, or a file that holds user:password",
  "refused": "see rpcallowip and rpcwhitelist in bitcoin.conf",
  "busy": `${patience}; rpcworkqueue in bitcoin.conf can be raised`,
  "warming-up": patience,
  "syncing": patience,
  "wallet-loading": patience,
  "rescanning": patience,
  "wallet": "let bitcoind.wallet name a new wallet: the maker makes it",
  "pruned": "raise maker.birth_height, or use a node that keeps old blocks",
  "no-index": "set txindex=1 in bitcoin.conf",
  "blocks-only": "set blocksonly=0 in bitcoin.conf",
  "wrong-network": "correct network, or bitcoind.url",
  "too-old": "install a later Bitcoin Core",
  "unsettled": "look again",
  "stale": "has the node peers? See its debug.log",
  "too-many": "the wallet is too large for this maker",
  "nonsense": "let bitcoind.url be the RPC port of Bitcoin Core: 8332 on mainnet",
};

function standing(
  config: Config, seen: string, chain: Chain, info: { readonly version: number },
): Finding {
  if (chain.chain !== chainName(config.network)) {
    return fail(what, `${seen} is configured, the node is on ${chain.chain}`,
      fixes["wrong-network"]);
  }
  if (info.version < versionMin) {
    return fail(what, `${seen}; the maker needs ${versionText(versionMin)}`, fixes["too-old"]);
  }
  const behind = notSynced(config, chain);
  if (behind !== undefined) {
    return warn(what, `${seen}; ${behind.fault.text}`, fixes[behind.reason]);
  }
  const at = `${seen}, block ${chain.blocks}`;
  if (chain.prunedBelow <= config.birthHeight) return ok(what, at);
  return warn(what, `${at}; blocks below ${chain.prunedBelow} are pruned`, fixes.pruned);
}

function peers({ peersMin }: Config, info: Node): Finding {
  const seen = `${info.peers} connected`;
  if (info.peers >= peersMin) {
    if (info.isTold) return ok("bitcoind peers", seen);
    const deaf = "nothing that waits for a block is seen, and nothing is ever given up";
    return warn("bitcoind peers", `${seen}, but blocksonly=1: ${deaf}`, fixes["blocks-only"]);
  }
  return fail("bitcoind peers", `${seen}, at least ${peersMin} needed (bitcoind.peers_min)`,
    "the node is cut off and would not hear of transactions: look at its network");
}

function versionText(version: number): string {
  return `${Math.floor(version / 10_000)}.${Math.floor(version / 100) % 100}`;
}

function namesOf(outcome: Outcome | undefined): readonly string[] | undefined {
  return outcome?.ok === true ? allOf(outcome.result, textOf) : undefined;
}

/** Wallets on disk, from `listwalletdir`. */
function filesOf(outcome: Outcome | undefined): readonly string[] {
  if (outcome?.ok !== true) return [];
  return (listOf(field(outcome.result, "wallets")) ?? [])
    .flatMap((one) => textOf(field(one, "name")) ?? []);
}

async function wallet(
  talk: Talk, loaded: readonly string[] | undefined, onDisk: readonly string[],
): Promise<Finding> {
  const { config } = talk;
  const name = `"${config.wallet}"`;
  if (loaded === undefined) {
    const fix = "remove disablewallet=1 from bitcoin.conf";
    return fail(walletWhat, "the node keeps no wallets", fix);
  }
  if (!loaded.includes(config.wallet)) {
    const seen = onDisk.includes(config.wallet) ? `${name} is not loaded; the maker loads it`
      : `there is no ${name} yet; the maker makes it`;
    return ok(walletWhat, seen);
  }
  const outcomes = await call(
    talk, `/wallet/${config.wallet}`, [["getwalletinfo"], ["listdescriptors"]],
  );
  if (!isList(outcomes)) return away(talk, name, outcomes);
  const [first, second] = outcomes;
  const found = first?.ok === true ? walletOf(first.result) : undefined;
  if (found === undefined) return fail(walletWhat, `${name} cannot be asked`, fixes.wallet);
  if (found.hasKeys) {
    return fail(walletWhat, `${name} holds private keys: the maker only watches`, fixes.wallet);
  }
  if (!found.isDescriptors) return fail(walletWhat, `${name} is of the old kind`, fixes.wallet);
  const missing = missingIn(config, second);
  if (found.scanning !== undefined) {
    const percent = Math.floor(found.scanning.permille / 10);
    return warn(walletWhat, `${name} searches old blocks, ${percent} % done`, fixes.rescanning);
  }
  if (missing === 0) return ok(walletWhat, `${name} watches all ${config.watch.length} branches`);
  return warn(walletWhat, `${name} lacks ${missing} of ${config.watch.length} branches`,
    "the maker adds them and searches old blocks, which can take hours");
}

function missingIn({ watch }: Config, outcome: Outcome | undefined): number {
  const list = outcome?.ok === true ? listOf(field(outcome.result, "descriptors")) ?? [] : [];
  const there = new Set(list.map((one) => canonical(descriptorOf(one)?.desc ?? "")));
  return watch.filter(({ descriptor }) => !there.has(canonical(descriptor))).length;
}
