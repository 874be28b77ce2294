/**
 * Calls to one wallet about coins and transactions.
 * @module
 */
import { satFrom } from "../../core/chain/amount.ts";
import { allOf, field, integerOf, textOf } from "../../core/chain/fields.ts";
import { isAddress, scriptOf } from "./address.ts";
import { btc, type Members, type Value } from "./json.ts";
import { placeOf, type Ledger } from "./ledger.ts";
import {
  hashFault, no, said, text, type Args, type Context, type Said, type WalletMethod,
} from "./rpc-call.ts";
import { ancestorsOf, decodedOf } from "./rpc-views.ts";
import { descOf, lastBlock, parentsOf } from "./rpc-wallet.ts";
import { isCoinbase, partsOf, sum, type Tx } from "./tx.ts";
import {
  confirmationsOf, conflictsOf, debitSat, isFromMe, isTrusted, unspentOf, type Unspent,
  type Wallet,
} from "./wallets.ts";

export const methods: { readonly [name: string]: WalletMethod } = {
  listunspent: {
    params: [
      "minconf?:number", "maxconf?:number", "addresses?:array", "include_unsafe?:bool",
      "query_options?:object",
    ],
    run: listUnspent,
  },
  gettransaction: {
    params: ["txid:string", "include_watchonly?:bool", "verbose?:bool"], run: transaction,
  },
  listreceivedbyaddress: {
    params: [
      "minconf?:number", "include_empty?:bool", "include_watchonly?:bool",
      "address_filter?:string", "include_immature_coinbase?:bool",
    ],
    run: listReceived,
  },
};

function listUnspent({ view }: Context, args: Args, w: Wallet): Said {
  const [minDepth, maxDepth, addresses, isUnsafe, options] = args;
  const wanted = allOf(addresses ?? [], textOf);
  if (wanted === undefined || !wanted.every(isAddress)) {
    return no(-5, `Invalid Bitcoin address: ${wanted?.find((one) => !isAddress(one)) ?? ""}`);
  }
  const leastSat = satFrom(field(options, "minimumAmount")) ?? 0n;
  const from = integerOf(minDepth) ?? 1;
  const to = integerOf(maxDepth) ?? 9_999_999;
  const coins = unspentOf(w, view).filter(({ outpoint, address, valueSat, confirmations }) => (
    confirmations >= from && confirmations <= to && valueSat >= leastSat
      && (wanted.length === 0 || wanted.includes(address)) && !w.locks.has(outpoint)
  ));
  const shown = coins.map((coin) => ({ coin, isSafe: isSafe(w, view, coin) }));
  return said(shown.filter((one) => one.isSafe || isUnsafe !== false)
    .map((one) => unspentMembers(w, view, one.coin, one.isSafe)));
}

function isSafe(w: Wallet, l: Ledger, { outpoint, confirmations }: Unspent): boolean {
  return confirmations > 0 || isTrusted(w, l, partsOf(outpoint).txid);
}

function unspentMembers(w: Wallet, l: Ledger, coin: Unspent, safe: boolean): Members {
  const { address, valueSat, confirmations } = coin;
  const { txid, vout } = partsOf(coin.outpoint);
  const kin = confirmations > 0 ? undefined : ancestorsOf(l, txid);
  const desc = descOf(w, address);
  return {
    txid, vout, address, label: w.labels.get(address), scriptPubKey: scriptOf(address).hex,
    amount: btc(valueSat), confirmations, ancestorcount: kin?.count,
    ancestorsize: kin?.sizeBytes, ancestorfees: kin === undefined ? undefined : Number(kin.feesSat),
    spendable: true, solvable: desc !== undefined, desc, parent_descs: parentsOf(w, address), safe,
  };
}

function transaction({ view }: Context, [txid, , verbose]: Args, w: Wallet): Said {
  const wrong = hashFault("txid", txid);
  if (wrong !== undefined) return wrong;
  const id = text(txid).toLowerCase();
  const seenAtMs = w.known.get(id);
  const tx = view.txs.get(id);
  if (seenAtMs === undefined || tx === undefined) {
    return no(-5, "Invalid or non-wallet transaction id");
  }
  const isOurs = isFromMe(w, tx);
  const netSat = creditSat(w, tx) - debitSat(w, tx);
  const feeSat = isOurs ? sum(tx.outputs) - debitSat(w, tx) : 0n;
  return said({
    amount: btc(netSat - feeSat), fee: isOurs ? btc(feeSat) : undefined,
    ...standing(w, view, tx, seenAtMs), details: details(w, view, tx, feeSat), hex: tx.hex,
    decoded: verbose === true ? decodedOf(tx) : undefined, lastprocessedblock: lastBlock(view),
  });
}

function creditSat(w: Wallet, tx: Tx): bigint {
  return sum(tx.outputs.filter(({ address }) => w.owned.has(address)));
}

function standing(w: Wallet, l: Ledger, tx: Tx, seenAtMs: number): Members {
  const block = placeOf(l, tx.txid);
  const confirmations = confirmationsOf(l, tx.txid);
  const conflicts = conflictsOf(w, l, tx);
  const timeS = Math.floor(seenAtMs / 1_000);
  return {
    confirmations, generated: isCoinbase(tx) ? true : undefined, blockhash: block?.hash,
    blockheight: block?.height,
    blockindex: block?.txs.findIndex(({ txid }) => txid === tx.txid),
    blocktime: block?.timeS,
    trusted: block === undefined ? isTrusted(w, l, tx.txid) : undefined,
    txid: tx.txid, wtxid: tx.wtxid, walletconflicts: conflicts.wallet,
    mempoolconflicts: conflicts.pool, time: timeS, timereceived: timeS,
    "bip125-replaceable": block === undefined ? "yes" : "no",
  };
}

/** What goes back to the wallet that spent is change, unless it bears a label. */
function details(w: Wallet, l: Ledger, tx: Tx, feeSat: bigint): readonly Value[] {
  const isOurs = isFromMe(w, tx);
  const sent: Value[] = [];
  const received: Value[] = [];
  for (const [vout, { valueSat, address }] of tx.outputs.entries()) {
    const isMine = w.owned.has(address);
    const label = w.labels.get(address);
    if (isOurs && isMine && label === undefined) continue;
    if (isOurs) {
      sent.push({
        address, category: "send", amount: btc(-valueSat), label, vout, fee: btc(feeSat),
        abandoned: false,
      });
    }
    if (!isMine) continue;
    received.push({
      address, parent_descs: parentsOf(w, address), category: categoryOf(l, tx),
      amount: btc(valueSat), label, vout, abandoned: false,
    });
  }
  return [...sent, ...received];
}

function categoryOf(l: Ledger, tx: Tx): string {
  if (!isCoinbase(tx)) return "receive";
  const confirmations = confirmationsOf(l, tx.txid);
  if (confirmations < 1) return "orphan";
  return confirmations >= l.config.maturity ? "generate" : "immature";
}

type Received = { sat: bigint; confirmations: number; txids: string[] };

function listReceived({ view }: Context, args: Args, w: Wallet): Said {
  const [minDepth, isEmpty, , only, isImmature] = args;
  const filter = textOf(only);
  if (filter !== undefined && !isAddress(filter)) {
    return no(-4, "address_filter parameter was invalid");
  }
  const found = new Map<string, Received>();
  for (const txid of w.known.keys()) {
    const tx = view.txs.get(txid);
    if (tx !== undefined) tally(w, view, tx, integerOf(minDepth) ?? 1, isImmature === true, found);
  }
  // Addresses that have a label are listed, and those that were paid.
  const addresses = new Set([...(isEmpty === true ? w.labels.keys() : []), ...found.keys()]);
  const shown = [...addresses].filter((one) => filter === undefined || one === filter);
  return said(shown.map((address) => {
    const { sat, confirmations, txids } = found.get(address)
      ?? { sat: 0n, confirmations: 0, txids: [] };
    const label = w.labels.get(address) ?? "";
    return { address, amount: btc(sat), confirmations, label, txids };
  }));
}

function tally(
  w: Wallet, l: Ledger, tx: Tx, minDepth: number, withImmature: boolean,
  found: Map<string, Received>,
): void {
  const confirmations = confirmationsOf(l, tx.txid);
  if (confirmations < minDepth) return;
  if (isCoinbase(tx)) {
    if (confirmations < 1 || (confirmations < l.config.maturity && !withImmature)) return;
  }
  for (const { address, valueSat } of tx.outputs) {
    if (!w.owned.has(address)) continue;
    const known = found.get(address);
    if (known === undefined) {
      found.set(address, { sat: valueSat, confirmations, txids: [tx.txid] });
      continue;
    }
    known.sat += valueSat;
    if (confirmations < known.confirmations) known.confirmations = confirmations;
    if (!known.txids.includes(tx.txid)) known.txids.push(tx.txid);
  }
}
