/**
 * The stand-in chain as an Esplora server tells it (`Blockstream/esplora`, `API.md`).
 *
 * Rule 1: "not there" is status 404 with the server's own plain text; what cannot be is 400. Both
 * are said of this server's chain only, which may be older than others' (`chain.ts`).
 * Rule 2: satoshis are whole numbers, hashes and heights plain text.
 * Rule 3: lists of transactions come newest first: up to 50 that wait, then 25 to a page.
 * @module
 */
import { isHash } from "../../core/chain/fields.ts";
import { isAddress, scriptOf } from "./address.ts";
import { viewOf, type Chain } from "./chain.ts";
import { numeral, write, type Members, type Value } from "./json.ts";
import {
  blockAt, heightOf, isActive, medianTimeS, placeOf, tipOf, type Block, type Ledger,
} from "./ledger.ts";
import { sizeOf } from "./rpc-views.ts";
import {
  isCoinbase, outpointOf, partsOf, sequence, witnessOf, type Output, type Tx,
} from "./tx.ts";

export type Told = { readonly status: number; readonly body: string };

const waitingMax = 50;
const pageMax = 25;

/** What the server answers to a GET of `path`, below whatever prefix it is served. */
export function answer(chain: Chain, path: string): Told {
  const view = viewOf(chain, "esplora");
  const [what = "", ...rest] = path.replace(/^\//, "").split("/");
  return routed(view, what, rest) ?? plain(404, `endpoint does not exist "${path}"`);
}

function routed(l: Ledger, what: string, rest: readonly string[]): Told | undefined {
  const [first = "", second, third] = rest;
  if (rest.length > (what === "address" ? 4 : 3)) return undefined;
  switch (what) {
    case "blocks": return first === "tip" && third === undefined ? tip(l, second) : undefined;
    case "block-height": return second === undefined ? atHeight(l, first) : undefined;
    case "block": return third === undefined ? block(l, first, second) : undefined;
    case "address": return address(l, first, rest.slice(1));
    case "tx": return third === undefined ? transaction(l, first, second) : undefined;
    case "mempool": return first === "" ? mempool(l) : undefined;
    case "fee-estimates": return first === "" ? json({}) : undefined;
    default: return undefined;
  }
}

function plain(status: number, body: string): Told {
  return { status, body };
}

function json(value: Value): Told {
  return { status: 200, body: write(value) };
}

function tip(l: Ledger, what: string | undefined): Told | undefined {
  switch (what) {
    case "height": return plain(200, String(heightOf(l)));
    case "hash": return plain(200, tipOf(l).hash);
    case undefined: default: return undefined;
  }
}

function atHeight(l: Ledger, text: string): Told {
  if (!/^[0-9]{1,9}$/.test(text)) return plain(400, "Invalid number");
  const found = blockAt(l, Number(text));
  return found === undefined ? plain(404, "Block not found") : plain(200, found.hash);
}

function block(l: Ledger, hash: string, what: string | undefined): Told | undefined {
  if (!isHash(hash)) return plain(400, "Invalid hex string");
  const found = l.blocks.get(hash);
  if (what === "status") return json(statusOfBlock(l, found));
  if (what !== undefined && what !== "txids") return undefined;
  if (found === undefined) return plain(404, "Block not found");
  return json(what === undefined ? blockMembers(l, found) : found.txs.map(({ txid }) => txid));
}

/** A block that is not known is told like one that was left behind. */
function statusOfBlock(l: Ledger, found: Block | undefined): Members {
  if (found === undefined || !isActive(l, found)) {
    return { in_best_chain: false, height: null, next_best: null };
  }
  const next = l.chain[found.height + 1] ?? null;
  return { in_best_chain: true, height: found.height, next_best: next };
}

function blockMembers(l: Ledger, found: Block): Members {
  const weight = found.txs.reduce((total, tx) => total + tx.weight, 324);
  return {
    id: found.hash, height: found.height, version: 0x20000000, timestamp: found.timeS,
    tx_count: found.txs.length, size: sizeOf(found), weight, merkle_root: found.merkleRoot,
    previousblockhash: found.height === 0 ? null : found.parent,
    mediantime: medianTimeS(l, found), nonce: 0, bits: 0x207fffff,
    difficulty: numeral("4.656542373906925e-10"),
  };
}

function transaction(l: Ledger, txid: string, what: string | undefined): Told | undefined {
  if (what !== undefined && what !== "status" && what !== "hex") return undefined;
  if (!isHash(txid)) return plain(400, "Invalid hex string");
  const tx = l.txs.get(txid);
  const isHere = l.pool.has(txid) || placeOf(l, txid) !== undefined;
  if (what === "status") return json(isHere ? status(l, txid) : { confirmed: false });
  if (tx === undefined || !isHere) return plain(404, "Transaction not found");
  return what === "hex" ? plain(200, tx.hex) : json(txMembers(l, tx));
}

function status(l: Ledger, txid: string): Members {
  const found = placeOf(l, txid);
  if (found === undefined) return { confirmed: false };
  return {
    confirmed: true, block_height: found.height, block_hash: found.hash, block_time: found.timeS,
  };
}

function txMembers(l: Ledger, tx: Tx): Members {
  return {
    txid: tx.txid, version: 2, locktime: tx.locktime, vin: vin(tx), vout: tx.outputs.map(output),
    size: tx.sizeBytes, weight: tx.weight, fee: Number(tx.feeSat), status: status(l, tx.txid),
  };
}

function vin(tx: Tx): readonly Value[] {
  if (isCoinbase(tx)) {
    return [{
      txid: "0".repeat(64), vout: 0xffffffff, prevout: null, scriptsig: tx.coinbase,
      scriptsig_asm: "", witness: ["0".repeat(64)], is_coinbase: true, sequence: 0xffffffff,
    }];
  }
  return tx.inputs.map((input, at) => ({
    ...partsOf(input.outpoint), prevout: output(input), scriptsig: "", scriptsig_asm: "",
    witness: witnessOf(input, at, tx.txid), is_coinbase: false, sequence,
  }));
}

function output({ valueSat, address: to }: Output): Members {
  const { hex, asm, type, program } = scriptOf(to);
  const [version] = asm.split(" ");
  return {
    scriptpubkey: hex,
    scriptpubkey_asm: `OP_${version === "0" ? "0" : `PUSHNUM_${version}`} `
      + `OP_PUSHBYTES_${program.length / 2} ${program}`,
    scriptpubkey_type: typeOf(type), scriptpubkey_address: to, value: Number(valueSat),
  };
}

function typeOf(type: string): string {
  switch (type) {
    case "witness_v0_keyhash": return "v0_p2wpkh";
    case "witness_v0_scripthash": return "v0_p2wsh";
    case "witness_v1_taproot": return "v1_p2tr";
    default: return "unknown";
  }
}

function address(l: Ledger, text: string, rest: readonly string[]): Told | undefined {
  const [what, part, last] = rest;
  if (!isAddress(text)) return plain(400, "Invalid Bitcoin address");
  if (what === undefined) return json(addressMembers(l, text));
  if (what === "utxo" && part === undefined) return json(utxos(l, text));
  if (what !== "txs") return undefined;
  const known = (l.byAddress.get(text) ?? []).map((txid) => l.txs.get(txid)!);
  switch (part) {
    case undefined: return list(l, [...waiting(l, known), ...page(l, known, undefined)]);
    case "mempool": return last === undefined ? list(l, waiting(l, known)) : undefined;
    case "chain": return list(l, page(l, known, last));
    default: return undefined;
  }
}

function list(l: Ledger, txs: readonly Tx[]): Told {
  return json(txs.map((tx) => txMembers(l, tx)));
}

function waiting(l: Ledger, known: readonly Tx[]): readonly Tx[] {
  return known.filter(({ txid }) => l.pool.has(txid)).toReversed().slice(0, waitingMax);
}

/** Those in blocks after `last`, the newest first. */
function page(l: Ledger, known: readonly Tx[], last: string | undefined): readonly Tx[] {
  const placed = known.flatMap((tx) => {
    const found = placeOf(l, tx.txid);
    return found === undefined ? [] : [{ tx, height: found.height, at: found.txs.indexOf(tx) }];
  });
  placed.sort((a, b) => b.height - a.height || b.at - a.at);
  const from = last === undefined ? 0 : placed.findIndex(({ tx }) => tx.txid === last) + 1;
  return placed.slice(from, from + pageMax).map(({ tx }) => tx);
}

type Stats = { tx: number; funded: number; fundedSat: bigint; spent: number; spentSat: bigint };

function addressMembers(l: Ledger, text: string): Members {
  const chain: Stats = { tx: 0, funded: 0, fundedSat: 0n, spent: 0, spentSat: 0n };
  const pool: Stats = { tx: 0, funded: 0, fundedSat: 0n, spent: 0, spentSat: 0n };
  for (const txid of l.byAddress.get(text) ?? []) {
    const tx = l.txs.get(txid)!;
    if (l.pool.has(txid)) tally(pool, tx, text);
    else if (placeOf(l, txid) !== undefined) tally(chain, tx, text);
  }
  return { address: text, chain_stats: statsMembers(chain), mempool_stats: statsMembers(pool) };
}

function tally(stats: Stats, tx: Tx, text: string): void {
  stats.tx += 1;
  for (const { address: to, valueSat } of tx.outputs) {
    if (to !== text) continue;
    stats.funded += 1;
    stats.fundedSat += valueSat;
  }
  for (const { address: from, valueSat } of tx.inputs) {
    if (from !== text) continue;
    stats.spent += 1;
    stats.spentSat += valueSat;
  }
}

function statsMembers(stats: Stats): Members {
  return {
    funded_txo_count: stats.funded, funded_txo_sum: Number(stats.fundedSat),
    spent_txo_count: stats.spent, spent_txo_sum: Number(stats.spentSat), tx_count: stats.tx,
  };
}

function utxos(l: Ledger, text: string): readonly Value[] {
  const found: Value[] = [];
  for (const txid of l.byAddress.get(text) ?? []) {
    for (const [vout, { address: to, valueSat }] of l.txs.get(txid)!.outputs.entries()) {
      const outpoint = outpointOf(txid, vout);
      if (to !== text || l.poolSpends.has(outpoint)) continue;
      if (!l.coins.has(outpoint) && !l.pool.has(txid)) continue;
      found.push({ txid, vout, status: status(l, txid), value: Number(valueSat) });
    }
  }
  return found;
}

function mempool(l: Ledger): Told {
  let weight = 0;
  let feeSat = 0n;
  for (const { tx } of l.pool.values()) {
    weight += tx.weight;
    feeSat += tx.feeSat;
  }
  return json({
    count: l.pool.size, vsize: Math.ceil(weight / 4), total_fee: Number(feeSat),
    fee_histogram: [],
  });
}
