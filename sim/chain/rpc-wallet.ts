/**
 * Calls to one wallet: what it holds, what it has seen, and how it searches.
 * @module
 */
import { canonical } from "../../core/chain/descriptor.ts";
import {
  countOf, field, flagOf, hashOf, integerOf, listOf, textOf,
} from "../../core/chain/fields.ts";
import type { Json } from "../../core/joinmarket/json.ts";
import { derivedOf, isAddress, prefix, scriptOf, summed } from "./address.ts";
import { btc, numeral, type Members } from "./json.ts";
import {
  blockAt, heightOf, medianTimeS, outputOf, tipOf, type Ledger,
} from "./ledger.ts";
import {
  no, said, text, type Args, type Context, type Said, type WalletMethod,
} from "./rpc-call.ts";
import { fixedOf, isRanged, notADescriptor, rangeOf, unsummed } from "./rpc-wallets.ts";
import { outpointOf, partsOf } from "./tx.ts";
import {
  follow, immatureSat, isTrusted, unspentOf, watchBranch, type Scan, type Wallet,
} from "./wallets.ts";

export const methods: { readonly [name: string]: WalletMethod } = {
  getwalletinfo: { params: [], run: info },
  listdescriptors: { params: ["private?:bool"], run: descriptors },
  importdescriptors: { params: ["requests:array"], run: importAll },
  rescanblockchain: { params: ["start_height?:number", "stop_height?:number"], run: rescan },
  abortrescan: { params: [], run: abort },
  getaddressinfo: { params: ["address:string"], run: addressInfo },
  setlabel: { params: ["address:string", "label:string"], run: setLabel },
  getbalances: { params: [], run: balances },
  getbalance: { params: [], run: balance },
  getnewaddress: { params: ["label?:string", "address_type?:string"], run: newAddress },
  lockunspent: {
    params: ["unlock:bool", "transactions?:array", "persistent?:bool"], run: lock,
  },
  listlockunspent: { params: [], run: listLocked },
};

export function lastBlock(l: Ledger): Members {
  const { hash, height } = tipOf(l);
  return { hash, height };
}

function info({ view, nowMs }: Context, _: Args, w: Wallet): Said {
  const flags = ["last_hardened_xpub_cached", "disable_private_keys", "blank", "descriptor_wallet"];
  const birth = w.branches.reduce((low, { timestampS }) => (
    timestampS < low ? timestampS : low
  ), w.createdAtS);
  return said({
    walletname: w.name, walletversion: 169900, format: "sqlite", txcount: w.known.size,
    keypoolsize: 0, keypoolsize_hd_internal: 0, paytxfee: btc(0n),
    private_keys_enabled: w.hasKeys, avoid_reuse: false, scanning: scanning(w.scan, nowMs),
    descriptors: true, external_signer: false, blank: !w.hasKeys, birthtime: birth,
    flags: w.hasKeys ? flags.slice(0, 1).concat("descriptor_wallet") : flags,
    lastprocessedblock: lastBlock(view),
  });
}

function scanning(scan: Scan | undefined, nowMs: number): false | Members {
  if (scan === undefined) return false;
  const passedMs = nowMs - scan.startedAtMs;
  const millionth = Math.floor(passedMs * 1_000_000 / (scan.endsAtMs - scan.startedAtMs));
  return {
    duration: Math.floor(passedMs / 1_000),
    progress: numeral(`0.${millionth.toString().padStart(6, "0")}`),
  };
}

function descriptors(_: Context, [isPrivate]: Args, w: Wallet): Said {
  if (isPrivate === true && !w.hasKeys) {
    return no(-4, "Can't get private descriptor string for watch-only wallets");
  }
  const sorted = w.branches.toSorted((a, b) => (a.descriptor < b.descriptor ? -1 : 1));
  return said({
    wallet_name: w.name,
    descriptors: sorted.map(({ descriptor, timestampS, isActive, end, next }) => ({
      desc: descriptor, timestamp: timestampS, active: isActive, range: [0, end], next,
      next_index: next,
    })),
  });
}

const isScanning = "Wallet is currently rescanning. Abort existing rescan or wait.";
/** Clocks of miners differ by so much; in seconds. */
const windowS = 7_200;

function importAll(context: Context, [requests]: Args, w: Wallet): Said {
  if (w.scan !== undefined) return no(-4, isScanning);
  const { view } = context;
  const nowS = medianTimeS(view, tipOf(view));
  const results: Said[] = [];
  let sinceS = nowS;
  for (const request of listOf(requests) ?? []) {
    const given = integerOf(field(request, "timestamp"));
    const timestampS = given === undefined ? nowS : given > 1 ? given : 1;
    const result = importOne(context, w, request, timestampS);
    if (result.ok && timestampS < sinceS) sinceS = timestampS;
    results.push(result);
  }
  const isAny = results.some(({ ok }) => ok);
  const from = firstSince(view, sinceS - windowS);
  if (isAny && from < context.state.prunedBelow) return said(results.map(pruned));
  const afterMs = isAny ? begin(context, w, from, heightOf(view), true) : 0;
  return said(results.map(resultOf), afterMs);
}

function resultOf(result: Said): Members {
  if (result.ok) return { success: true };
  return { success: false, error: { code: result.code, message: result.message } };
}

function pruned(result: Said): Members {
  if (!result.ok) return resultOf(result);
  const message = "Rescan failed for descriptor: the node has pruned the blocks it would need";
  return { success: false, error: { code: -1, message } };
}

function importOne(
  { chain }: Context, w: Wallet, request: Json, timestampS: number,
): Said {
  const descriptor = textOf(field(request, "desc"));
  if (descriptor === undefined) return no(-8, "Descriptor not found.");
  const checked = unsummed(descriptor, true);
  if ("wrong" in checked) return checked.wrong;
  const fixed = fixedOf(checked.body);
  if (fixed !== undefined) {
    if (!w.owned.has(fixed)) w.owned.set(fixed, undefined);
    return said(true);
  }
  if (!isRanged(checked.body)) return notADescriptor(checked.body);
  if (w.hasKeys) {
    return no(-4, "Cannot import descriptor without private keys to a wallet with private keys "
      + "enabled");
  }
  const range = field(request, "range");
  const bounds = range === undefined ? [0, 999] as const : rangeOf(range);
  if (bounds === undefined) return no(-8, "Range is invalid");
  watchBranch(w, {
    descriptor: summed(canonical(descriptor)), timestampS, end: bounds[1], next: 0,
    isInternal: flagOf(field(request, "internal")) === true,
    isActive: flagOf(field(request, "active")) === true,
  }, chain.config);
  return said(true);
}

/** The first block that can concern what was paid at this time or later. */
function firstSince(l: Ledger, timeS: number): number {
  for (let height = 0; height <= heightOf(l); height += 1) {
    if (blockAt(l, height)!.timeS >= timeS) return height;
  }
  return heightOf(l) + 1;
}

/** A scan begins; how long it takes. */
function begin(
  { chain, view, nowMs }: Context, w: Wallet, from: number, to: number, withPool: boolean,
): number {
  const blocks = to >= from ? to - from + 1 : 0;
  const afterMs = blocks * chain.config.scanMsPerBlock;
  w.scan = { from, to, withPool, startedAtMs: nowMs, endsAtMs: nowMs + afterMs };
  follow(w, view, nowMs, chain.config);
  return afterMs;
}

function rescan(context: Context, [start, stop]: Args, w: Wallet): Said {
  if (w.scan !== undefined) return no(-4, isScanning);
  const tip = heightOf(context.view);
  const from = integerOf(start) ?? (start === undefined || start === null ? 0 : -1);
  if (from < 0 || from > tip) return no(-8, "Invalid start_height");
  const isOpen = stop === undefined || stop === null;
  const to = isOpen ? tip : integerOf(stop) ?? -1;
  if (to < 0 || to > tip) return no(-8, "Invalid stop_height");
  if (to < from) return no(-8, "stop_height must be greater than start_height");
  if (from < context.state.prunedBelow) {
    return no(-1, "Can't rescan beyond pruned data. Use RPC call getblockchaininfo to determine "
      + "your pruned height.");
  }
  const afterMs = begin(context, w, from, to, isOpen);
  return said({ start_height: from, stop_height: to }, afterMs);
}

function abort(_: Context, __: Args, w: Wallet): Said {
  const wasScanning = w.scan !== undefined;
  w.scan = undefined;
  return said(wasScanning);
}

function addressInfo(_: Context, [given]: Args, w: Wallet): Said {
  const address = text(given);
  if (!isAddress(address)) return no(-5, wrongAddress(address));
  const { hex, version, program } = scriptOf(address);
  const isMine = w.owned.has(address);
  const home = w.owned.get(address);
  const branch = home === undefined ? undefined : w.branches[home.branch]!;
  const parent = branch?.descriptor;
  const desc = descOf(w, address);
  const { pubkey, ...key } = keyOf(desc, branch?.timestampS);
  const label = w.labels.get(address);
  return said({
    address, scriptPubKey: hex, ismine: isMine, solvable: parent !== undefined,
    desc, parent_desc: parent, iswatchonly: false, isscript: version === 1,
    iswitness: true, witness_version: version, witness_program: program,
    pubkey: version === 0 ? pubkey : undefined, ischange: isMine && label === undefined, ...key,
    labels: label === undefined ? [] : [label],
  });
}

function wrongAddress(address: string): string {
  const isSegwit = address.startsWith(`${prefix}1`);
  return isSegwit && /[^qpzry9x8gf2tvdw0s3jn54khce6mua7l]/.test(address.slice(prefix.length + 1))
    ? "Invalid Base 32 character" : "Invalid or unsupported Segwit (Bech32) encoding.";
}

/** What the node tells of the key behind an own address. */
function keyOf(desc: string | undefined, timestamp: number | undefined): Members & {
  readonly pubkey: string | undefined;
} {
  const found = /\[([0-9a-f]{8})\/([^\]]*)\]([0-9a-f]+)\)/.exec(desc ?? "");
  if (found === null) return { pubkey: undefined };
  const [, fingerprint = "", path = "", pubkey] = found;
  return {
    pubkey, timestamp, hdkeypath: `m/${path}`, hdseedid: "0".repeat(40),
    hdmasterfingerprint: fingerprint,
  };
}

/** An own address's own descriptor. */
export function descOf(w: Wallet, address: string): string | undefined {
  const home = w.owned.get(address);
  return home === undefined ? undefined
    : derivedOf(w.branches[home.branch]!.descriptor, home.index);
}

export function parentsOf(w: Wallet, address: string): readonly string[] {
  const home = w.owned.get(address);
  return home === undefined ? [] : [w.branches[home.branch]!.descriptor];
}

function setLabel(_: Context, [address, label]: Args, w: Wallet): Said {
  if (!isAddress(text(address))) return no(-5, "Invalid Bitcoin address");
  w.labels.set(text(address), text(label));
  return said(null);
}

function sums({ view }: Context, w: Wallet): { trustedSat: bigint; pendingSat: bigint } {
  let trustedSat = 0n;
  let pendingSat = 0n;
  for (const { outpoint, valueSat, confirmations } of unspentOf(w, view)) {
    const isSure = confirmations > 0 || isTrusted(w, view, partsOf(outpoint).txid);
    if (isSure) trustedSat += valueSat;
    else pendingSat += valueSat;
  }
  return { trustedSat, pendingSat };
}

function balances(context: Context, _: Args, w: Wallet): Said {
  const { trustedSat, pendingSat } = sums(context, w);
  return said({
    mine: {
      trusted: btc(trustedSat), untrusted_pending: btc(pendingSat),
      immature: btc(immatureSat(w, context.view)),
    },
    lastprocessedblock: lastBlock(context.view),
  });
}

function balance(context: Context, _: Args, w: Wallet): Said {
  return said(btc(sums(context, w).trustedSat));
}

function newAddress({ chain }: Context, _: Args, w: Wallet): Said {
  if (!w.hasKeys) return no(-4, "Error: This wallet has no available keys");
  return said(chain.ledger.minerAddress);
}

function lock(context: Context, [unlock, outputs]: Args, w: Wallet): Said {
  if (outputs === undefined || outputs === null) {
    if (unlock === true) w.locks.clear();
    return said(true);
  }
  const wanted: string[] = [];
  for (const item of listOf(outputs) ?? []) {
    const txid = hashOf(field(item, "txid"));
    const vout = countOf(field(item, "vout"));
    if (txid === undefined || vout === undefined) return no(-8, "Invalid parameter");
    const outpoint = outpointOf(txid, vout);
    const wrong = lockFault(context.view, w, outpoint, unlock === true);
    if (wrong !== undefined) return wrong;
    wanted.push(outpoint);
  }
  for (const outpoint of wanted) {
    if (unlock === true) w.locks.delete(outpoint);
    else w.locks.add(outpoint);
  }
  return said(true);
}

function lockFault(
  l: Ledger, w: Wallet, outpoint: string, isUnlock: boolean,
): Said | undefined {
  const { txid } = partsOf(outpoint);
  if (!w.known.has(txid)) return no(-8, "Invalid parameter, unknown transaction");
  if (outputOf(l, outpoint) === undefined) {
    return no(-8, "Invalid parameter, vout index out of bounds");
  }
  const isLocked = w.locks.has(outpoint);
  if (isUnlock && !isLocked) return no(-8, "Invalid parameter, expected locked output");
  if (!isUnlock && isLocked) return no(-8, "Invalid parameter, output already locked");
  const isSpent = l.spentBy.has(outpoint) || l.poolSpends.has(outpoint);
  return !isUnlock && isSpent ? no(-8, "Invalid parameter, expected unspent output") : undefined;
}

function listLocked(_: Context, __: Args, w: Wallet): Said {
  return said([...w.locks].map(partsOf));
}
