/**
 * A little chain behind a Bitcoin Core node: coins that come and go, transactions in the pool and
 * in blocks, outages and slowness.
 * @module
 */
import { write } from "../../core/chain/plans/mark.ts";
import {
  chainAt, config, error, hashAt, quiet, replyOf, watch, type Node, type Said,
} from "./bitcoind.ts";

export type Output = {
  readonly n: number; readonly mixdepth: 0 | 1; readonly sat: bigint;
  readonly confirmations: number;
};

export type Chain = {
  height: number;
  branch: number;
  coins: Output[];
  /** Coins, by their number, that somebody has locked in the node. */
  readonly locked: Set<number>;
  /** Confirmations of transactions that are known; 0: in the pool. */
  readonly txs: Map<string, number>;
  mode: "up" | "refused" | "hang" | "warming" | "html";
  delayMs: number;
  isScanned: boolean;
  /** False: coins cannot be listed, and all else works. */
  isListing: boolean;
  asked: number;
};

export function create(): Chain {
  return {
    height: 130, branch: 0, coins: [{ n: 1, mixdepth: 0, sat: 50_000_000n, confirmations: 3 }],
    locked: new Set(), txs: new Map(), mode: "up", delayMs: 5, isScanned: true,
    isListing: true, asked: 0,
  };
}

export const txid = (n: number): string => n.toString(16).padStart(64, "0");

/** The answer of the node to a request with this body. */
export function answer(c: Chain, body: string): { status: number; body: string } {
  if (c.mode === "html") return { status: 200, body: "<html>captive portal</html>" };
  const node = c.mode === "warming" ? starting : nodeOf(c);
  return replyOf(node, {
    type: "request", token: 0, to: "", method: "POST", path: "/", headers: [], body, renew: false,
    timeoutMs: 1,
  });
}

const starting: Node = Object.fromEntries(
  Object.keys(quiet).map((name) => [name, error(-28, "Loading block index")]),
);

/** A block: everything that is in one lies deeper. */
export function mine(c: Chain, blocks = 1): void {
  c.height += blocks;
  c.coins = c.coins.map((coin) => ({ ...coin, confirmations: coin.confirmations + blocks }));
  for (const [id, depth] of c.txs) if (depth > 0) c.txs.set(id, depth + blocks);
}

function nodeOf(c: Chain): Node {
  const tip = hashAt(c.height, c.branch);
  const label = write(config, { from: 0, to: c.height, isWhole: true });
  return {
    ...quiet,
    setlabel: "null",
    rescanblockchain: (from, to) => JSON.stringify({ start_height: from, stop_height: to }),
    getblockchaininfo: chainAt(c.height, { bestblockhash: tip }),
    getbestblockhash: JSON.stringify(tip),
    getblockheader: (hash) => header(c, String(hash)),
    getaddressinfo: (address) => JSON.stringify({
      ismine: true, labels: c.isScanned ? [label] : [], ...homeOf(c, String(address)),
    }),
    listunspent: c.isListing
      ? `[${c.coins.filter(({ n }) => !c.locked.has(n)).map(unspent).join(",")}]` : error(-1, "no"),
    listlockunspent: JSON.stringify([...c.locked].map((n) => ({ txid: txid(n), vout: 1 }))),
    gettxout: (id) => lockedOut(c, String(id), tip),
    gettransaction: (id) => told(c, String(id)),
    getrawtransaction: (id) => told(c, String(id)),
  };
}

function header(c: Chain, hash: string): Said {
  const branch = Number.parseInt(hash.slice(0, 8), 16);
  const height = Number.parseInt(hash.slice(8), 16);
  const depth = branch === c.branch ? c.height - height + 1 : -1;
  return JSON.stringify({ confirmations: depth, height });
}

const btc = (sat: bigint): string =>
  `${sat / 100_000_000n}.${(sat % 100_000_000n).toString().padStart(8, "0")}`;

const addressOf = (n: number): string => `bcrt1qaddress${n}`;

/** The branch that a coin came from, and its own place in it. */
function placeOf({ n, mixdepth }: Output): { readonly desc: string; readonly parent: string } {
  const kind = mixdepth === 0 ? "wpkh" : "tr";
  const desc = `${kind}([67a47aff/${mixdepth === 0 ? 84 : 86}h/1h/0h/0/${n}]02ab)#x`;
  return { desc, parent: watch[2 * mixdepth]!.descriptor };
}

function unspent(coin: Output): string {
  const { n, sat, confirmations } = coin;
  const { desc, parent } = placeOf(coin);
  return `{"txid":"${txid(n)}","vout":1,"address":"${addressOf(n)}","amount":${btc(sat)},`
    + `"confirmations":${confirmations},"desc":"${desc}","parent_descs":["${parent}"]}`;
}

function homeOf(c: Chain, address: string): object {
  const coin = c.coins.find(({ n }) => addressOf(n) === address);
  if (coin === undefined) return {};
  const { desc, parent } = placeOf(coin);
  return { desc, parent_desc: parent };
}

function lockedOut(c: Chain, id: string, tip: string): Said {
  const coin = c.coins.find(({ n }) => txid(n) === id);
  if (coin === undefined) return "null";
  const { n, sat, confirmations } = coin;
  return `{"bestblock":"${tip}","confirmations":${confirmations},"value":${btc(sat)},`
    + `"scriptPubKey":{"address":"${addressOf(n)}"}}`;
}

function told(c: Chain, id: string): Said {
  const depth = c.txs.get(id);
  if (depth === undefined) return error(-5, "No such mempool or blockchain transaction.");
  const block = depth === 0 ? {}
    : { blockhash: hashAt(c.height), confirmations: depth };
  return JSON.stringify({
    txid: id, ...block, vout: [{ n: 0, value: 0.05, scriptPubKey: { address: "bcrt1qours00000" } }],
  });
}
