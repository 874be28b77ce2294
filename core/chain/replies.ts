/**
 * What Bitcoin Core's results say, method by method; `undefined` for a result that is not what the
 * method answers. Members that nobody needs are not looked at.
 * @module
 */
import type { Json } from "../joinmarket/json.ts";
import { satFrom } from "./amount.ts";
import type { Output, Progress } from "./chain.ts";
import {
  allOf, countOf, field, flagOf, hashOf, integerOf, listOf, permilleOf, textOf,
} from "./fields.ts";

/** `getblockchaininfo` */
export type Chain = {
  readonly chain: string;
  readonly blocks: number;
  readonly headers: number;
  readonly hash: string;
  readonly timeS: number;
  readonly isInitial: boolean;
  /** The lowest block that is kept; 0: all of them. */
  readonly prunedBelow: number;
};

export function chainOf(j: Json): Chain | undefined {
  const chain = textOf(field(j, "chain"));
  const blocks = countOf(field(j, "blocks"));
  const headers = countOf(field(j, "headers"));
  const hash = hashOf(field(j, "bestblockhash"));
  // Nodes before 23.0 tell the median of the last eleven blocks only.
  const timeS = countOf(field(j, "time") ?? field(j, "mediantime"));
  const isInitial = flagOf(field(j, "initialblockdownload"));
  if (chain === undefined || blocks === undefined || headers === undefined) return undefined;
  if (hash === undefined || timeS === undefined || isInitial === undefined) return undefined;
  const prunedBelow = field(j, "pruned") === true ? countOf(field(j, "pruneheight")) ?? 0 : 0;
  return { chain, blocks, headers, hash, timeS, isInitial, prunedBelow };
}

/** `getnetworkinfo` */
export type Node = {
  /** `300000` for 30.0. */
  readonly version: number;
  readonly peers: number;
  /** Do peers tell it of transactions? Not with `blocksonly=1`. */
  readonly isTold: boolean;
};

export function nodeOf(j: Json): Node | undefined {
  const version = countOf(field(j, "version"));
  const peers = countOf(field(j, "connections"));
  const isTold = flagOf(field(j, "localrelay") ?? true);
  if (version === undefined || peers === undefined || isTold === undefined) return undefined;
  return { version, peers, isTold };
}

/** `getwalletinfo` */
export type Wallet = {
  readonly hasKeys: boolean;
  readonly isDescriptors: boolean;
  /** `undefined`: no scan of old blocks is under way. */
  readonly scanning: Progress | undefined;
};

export function walletOf(j: Json): Wallet | undefined {
  const hasKeys = flagOf(field(j, "private_keys_enabled"));
  // Gone from nodes that know no other wallets.
  const isDescriptors = flagOf(field(j, "descriptors") ?? true);
  const scanning = field(j, "scanning") ?? false;
  if (hasKeys === undefined || isDescriptors === undefined) return undefined;
  if (scanning === false) return { hasKeys, isDescriptors, scanning: undefined };
  const permille = permilleOf(field(scanning, "progress"));
  if (permille === undefined) return undefined;
  return { hasKeys, isDescriptors, scanning: { permille, atHeight: undefined } };
}

/** One of `listunspent`. */
export type Unspent = {
  readonly outpoint: string;
  readonly address: string;
  readonly valueSat: bigint;
  readonly confirmations: number;
  /** The address's own descriptor, and those it was derived from. */
  readonly desc: string | undefined;
  readonly parents: readonly string[];
};

export function unspentOf(j: Json): Unspent | undefined {
  const outpoint = outpointOf(j);
  // Outputs without an address are of no wallet of ours; they are left out later, not here.
  const address = textOf(field(j, "address") ?? "");
  const valueSat = satFrom(field(j, "amount"));
  const confirmations = countOf(field(j, "confirmations"));
  const desc = textOf(field(j, "desc") ?? "");
  const parents = allOf(field(j, "parent_descs") ?? [], textOf);
  if (outpoint === undefined || address === undefined || valueSat === undefined) return undefined;
  if (confirmations === undefined || desc === undefined || parents === undefined) return undefined;
  if (valueSat < 0n) return undefined;
  return {
    outpoint, address, valueSat, confirmations, desc: desc === "" ? undefined : desc, parents,
  };
}

/** `txid:vout` of one of `listunspent` or `listlockunspent`. */
export function outpointOf(j: Json): string | undefined {
  const txid = hashOf(field(j, "txid"));
  const vout = countOf(field(j, "vout"));
  return txid === undefined || vout === undefined ? undefined : `${txid}:${vout}`;
}

/** `gettxout`; `null`: spent, or never there. */
export type TxOut = {
  readonly best: string; readonly valueSat: bigint; readonly confirmations: number;
  readonly address: string | undefined;
};

export function txOutOf(j: Json): TxOut | null | undefined {
  if (j === null) return null;
  const best = hashOf(field(j, "bestblock"));
  const valueSat = satFrom(field(j, "value"));
  const confirmations = countOf(field(j, "confirmations"));
  if (best === undefined || valueSat === undefined || confirmations === undefined) return undefined;
  return { best, valueSat, confirmations, address: addressOf(field(j, "scriptPubKey")) };
}

function addressOf(script: Json | undefined): string | undefined {
  return textOf(field(script, "address"));
}

/** `getaddressinfo` */
export type Address = {
  readonly isMine: boolean; readonly desc: string | undefined;
  readonly parent: string | undefined; readonly labels: readonly string[];
};

export function addressInfoOf(j: Json): Address | undefined {
  const isMine = flagOf(field(j, "ismine"));
  const labels = allOf(field(j, "labels") ?? [], textOf);
  if (isMine === undefined || labels === undefined) return undefined;
  return {
    isMine, labels, desc: textOf(field(j, "desc")), parent: textOf(field(j, "parent_desc")),
  };
}

/** `gettransaction`, and `getrawtransaction` with details; both may be in no block. */
export type Told = {
  /** 0 also for a transaction that only the wallet knows, and for one in a block left behind. */
  readonly confirmations: number;
  readonly blockHash: string | undefined;
  readonly height: number | undefined;
  readonly outputs: readonly Output[] | undefined;
  readonly conflicts: readonly string[];
};

export function toldOf(j: Json): Told | undefined {
  const txid = hashOf(field(j, "txid"));
  const confirmations = integerOf(field(j, "confirmations") ?? { numeral: "0" });
  const rivals = field(j, "mempoolconflicts") ?? field(j, "walletconflicts") ?? [];
  const conflicts = allOf(rivals, hashOf);
  const detailed = field(j, "vout") ?? field(field(j, "decoded"), "vout");
  const outputs = detailed === undefined ? undefined : allOf(detailed, outputOf);
  if (txid === undefined || confirmations === undefined) return undefined;
  if (conflicts === undefined) return undefined;
  if (detailed !== undefined && outputs === undefined) return undefined;
  return {
    confirmations, conflicts, outputs,
    blockHash: hashOf(field(j, "blockhash")), height: countOf(field(j, "blockheight")),
  };
}

function outputOf(j: Json): Output | undefined {
  const vout = countOf(field(j, "n"));
  const valueSat = satFrom(field(j, "value"));
  if (vout === undefined || valueSat === undefined || valueSat < 0n) return undefined;
  return { vout, valueSat, address: addressOf(field(j, "scriptPubKey")) };
}

/** `getblockheader`: negative confirmations for a block that is not in the chain. */
export function headerOf(j: Json): { confirmations: number; height: number } | undefined {
  const confirmations = integerOf(field(j, "confirmations"));
  const height = countOf(field(j, "height"));
  if (confirmations === undefined || height === undefined) return undefined;
  return { confirmations, height };
}

/** `listreceivedbyaddress` for one address: the transactions that paid it. */
export function receivedOf(j: Json, address: string): readonly string[] | undefined {
  const entries = listOf(j);
  if (entries === undefined) return undefined;
  const entry = entries.find((item) => field(item, "address") === address);
  return entry === undefined ? [] : allOf(field(entry, "txids"), hashOf);
}

/** One of `listdescriptors`: how far addresses are derived. */
export function descriptorOf(j: Json): { desc: string; end: number } | undefined {
  const desc = textOf(field(j, "desc"));
  const range = allOf(field(j, "range") ?? [], countOf);
  if (desc === undefined || range === undefined) return undefined;
  return { desc, end: range[1] ?? -1 };
}

/** One of the answers of `importdescriptors`. */
export function importOf(j: Json): { ok: boolean; code: number; message: string } | undefined {
  const ok = flagOf(field(j, "success"));
  if (ok === undefined) return undefined;
  const error = field(j, "error");
  const message = textOf(field(error, "message")) ?? "";
  return { ok, code: integerOf(field(error, "code")) ?? 0, message };
}

/** `rescanblockchain` */
export function scanOf(j: Json): { from: number; to: number } | undefined {
  const from = countOf(field(j, "start_height"));
  const to = countOf(field(j, "stop_height"));
  return from === undefined || to === undefined ? undefined : { from, to };
}

/** `getmempoolinfo`: false while what was there before a restart is still being read. */
export function mempoolLoadedOf(j: Json): boolean | undefined {
  return flagOf(field(j, "loaded"));
}

/** `getindexinfo`: does the node know of every transaction in which block it is? */
export function hasTxIndexOf(j: Json): boolean {
  return field(field(j, "txindex"), "synced") === true;
}
