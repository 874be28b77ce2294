/**
 * What an Esplora server's replies say (the REST interface of `Blockstream/esplora`, `API.md`).
 *
 * Rule 1: satoshis are whole numbers here, heights and hashes as in Bitcoin.
 * Rule 2: "not there" is status 404 with the server's own plain text and nothing else.
 * @module
 */
import { parse, type Json, type Limits } from "../joinmarket/json.ts";
import { wholeSatFrom } from "./amount.ts";
import { unavailable, type Network, type Output, type Unavailable } from "./chain.ts";
import { allOf, countOf, field, flagOf, hashOf, isHash, textOf } from "./fields.ts";

export type Reply =
  | { readonly type: "said"; readonly body: string }
  | { readonly type: "absent" }
  | { readonly type: "trouble"; readonly answer: Unavailable };

/** Sorts a reply by its status, and by its body where the status is not enough. */
export function read(status: number, body: string): Reply {
  switch (status) {
    case 200: return isHtml(body) ? trouble("nonsense", "esplora-html", htmlText)
      : { type: "said", body };
    case 404:
      if (/^(transaction|block) not found$/i.test(body.trim())) return { type: "absent" };
      return trouble("nonsense", "esplora-404", "status 404, but not in the words of Esplora");
    case 400: return trouble("refused", "esplora-400", "the server calls the question malformed");
    case 401: case 403: return trouble("refused", "esplora-forbidden", "the server forbids it");
    case 429: case 503: return trouble("busy", "esplora-busy", "the server has too much to do");
    default:
      if (status >= 500 && status <= 599) {
        return trouble("unreachable", "esplora-5xx", `status ${status}: its backend is down`);
      }
      return trouble("nonsense", "esplora-status", `no Esplora answers with status ${status}`);
  }
}

const htmlText = "a page of HTML: no Esplora at this path; it usually is below /api";

function isHtml(body: string): boolean {
  return /^\s*</.test(body);
}

function trouble(reason: Unavailable["reason"], code: string, text: string): Reply {
  return { type: "trouble", answer: unavailable(reason, code, text) };
}

/** A reply that is none of what was asked for. */
export function garbled(): Unavailable {
  return unavailable("nonsense", "esplora-result", "not what this path answers, or cut off");
}

/** A block hash as plain text. */
export function hash(body: string): string | undefined {
  const text = body.trim();
  return isHash(text) ? text : undefined;
}

function json(body: string, limits: Limits): Json | undefined {
  const parsed = parse(body, limits);
  return parsed.ok ? parsed.value : undefined;
}

/** `/block/:hash` */
export function block(
  body: string, limits: Limits,
): { hash: string; height: number; timeS: number } | undefined {
  const j = json(body, limits);
  const id = hashOf(field(j, "id"));
  const height = countOf(field(j, "height"));
  const timeS = countOf(field(j, "timestamp"));
  if (id === undefined || height === undefined || timeS === undefined) return undefined;
  return { hash: id, height, timeS };
}

/** `/block/:hash/status`: is it in the chain? */
export function isKept(body: string, limits: Limits): boolean | undefined {
  return flagOf(field(json(body, limits), "in_best_chain"));
}

/** `/address/:address`: was it ever used, and how many outputs there are unspent. */
export function usage(
  body: string, limits: Limits,
): { isUsed: boolean; unspent: number } | undefined {
  const j = json(body, limits);
  let uses = 0;
  let unspent = 0;
  for (const part of ["chain_stats", "mempool_stats"]) {
    const stats = field(j, part);
    const txs = countOf(field(stats, "tx_count"));
    const funded = countOf(field(stats, "funded_txo_count"));
    const spent = countOf(field(stats, "spent_txo_count"));
    if (txs === undefined || funded === undefined || spent === undefined) return undefined;
    uses += txs;
    unspent += funded - spent;
  }
  return { isUsed: uses > 0, unspent };
}

/** Where a transaction is: `undefined` for the mempool. */
export type Place = { readonly height: number; readonly blockHash: string } | undefined;

function placeOf(status: Json | undefined): { readonly place: Place } | undefined {
  const isConfirmed = flagOf(field(status, "confirmed"));
  if (isConfirmed !== true) return isConfirmed === false ? { place: undefined } : undefined;
  const height = countOf(field(status, "block_height"));
  const blockHash = hashOf(field(status, "block_hash"));
  if (height === undefined || blockHash === undefined) return undefined;
  return { place: { height, blockHash } };
}

export type Utxo = { readonly outpoint: string; readonly valueSat: bigint; readonly place: Place };

/** `/address/:address/utxo` */
export function utxos(body: string, limits: Limits): readonly Utxo[] | undefined {
  return allOf(json(body, limits), utxo);
}

function utxo(j: Json): Utxo | undefined {
  const txid = hashOf(field(j, "txid"));
  const vout = countOf(field(j, "vout"));
  const valueSat = wholeSatFrom(field(j, "value"));
  const found = placeOf(field(j, "status"));
  if (txid === undefined || vout === undefined) return undefined;
  if (valueSat === undefined || found === undefined) return undefined;
  return { outpoint: `${txid}:${vout}`, valueSat, place: found.place };
}

export type Told = {
  readonly txid: string; readonly place: Place; readonly outputs: readonly Output[];
};

/** `/tx/:txid` */
export function tx(body: string, limits: Limits): Told | undefined {
  return told(json(body, limits) ?? null);
}

/** `/address/:address/txs`: the newest of them. */
export function txs(body: string, limits: Limits): readonly Told[] | undefined {
  return allOf(json(body, limits), told);
}

function told(j: Json): Told | undefined {
  const txid = hashOf(field(j, "txid"));
  const outs = allOf(field(j, "vout"), output);
  const found = placeOf(field(j, "status"));
  if (txid === undefined || outs === undefined || found === undefined) return undefined;
  const outputs = outs.map((out, vout): Output => ({ ...out, vout }));
  return { txid, place: found.place, outputs };
}

function output(j: Json): Omit<Output, "vout"> | undefined {
  const valueSat = wholeSatFrom(field(j, "value"));
  if (valueSat === undefined) return undefined;
  return { valueSat, address: textOf(field(j, "scriptpubkey_address")) };
}

/** The first block of each network, by which a server's network is told. */
export const genesis: { readonly [network in Network]: string } = {
  mainnet: "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
  testnet: "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
  testnet4: "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
  signet: "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
  regtest: "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
};
