/**
 * The node's own calls: chain, mempool, network.
 * @module
 */
import { integerOf } from "../../core/chain/fields.ts";
import { btc, numeral, type Members, type Value } from "./json.ts";
import {
  blockAt, depthOf, familyOf, heightOf, isActive, medianTimeS, outputOf, placeOf, tipOf,
  type Block, type Ledger,
} from "./ledger.ts";
import {
  hashFault, levelOf, no, said, text, type Args, type Context, type Method, type Said,
} from "./rpc-call.ts";
import {
  ancestorsOf, bits, blockOf, chainWork, decodedOf, difficulty, headerOf, kinOf, scriptPubKey,
  sizeOf, target,
} from "./rpc-views.ts";
import { isCoinbase, outpointOf, vsizeOf, type Tx } from "./tx.ts";

export const methods: { readonly [name: string]: Method } = {
  getblockchaininfo: { params: [], run: chainInfo },
  getnetworkinfo: { params: [], run: networkInfo },
  getmempoolinfo: { params: [], run: mempoolInfo },
  getindexinfo: { params: ["index_name?:string"], run: indexInfo },
  getblockcount: { params: [], run: ({ view }) => said(heightOf(view)) },
  getbestblockhash: { params: [], run: ({ view }) => said(tipOf(view).hash) },
  getblockhash: { params: ["height:number"], run: blockHash },
  getblockheader: { params: ["blockhash:string", "verbose?:bool"], run: blockHeader },
  getblock: { params: ["blockhash:string", "verbosity?:any"], run: block },
  getchaintips: { params: [], run: chainTips },
  gettxout: { params: ["txid:string", "n:number", "include_mempool?:bool"], run: txOut },
  getrawtransaction: {
    params: ["txid:string", "verbosity?:any", "blockhash?:string"], run: rawTransaction,
  },
  getmempoolentry: { params: ["txid:string"], run: mempoolEntry },
  getrawmempool: { params: [], run: ({ view }) => said([...view.pool.keys()]) },
  estimatesmartfee: {
    params: ["conf_target:number", "estimate_mode?:string"],
    run: () => said({ errors: ["Insufficient data or no feerate found"], blocks: 0 }),
  },
  uptime: { params: [], run: uptime },
};

function uptime({ chain, nowMs }: Context): Said {
  return said(Math.floor((nowMs - chain.startedAtMs) / 1_000));
}

function chainInfo({ chain, view, state }: Context): Said {
  const tip = tipOf(view);
  const blocks = tip.height;
  const isInitial = chain.isInitial || state.isInitial;
  const isPruned = state.prunedBelow > 0;
  const isWhole = state.headersAhead === 0 && !isInitial;
  return said({
    chain: "regtest", blocks, headers: blocks + state.headersAhead, bestblockhash: tip.hash,
    bits, target, difficulty, time: tip.timeS, mediantime: medianTimeS(view, tip),
    verificationprogress: isWhole ? 1 : numeral("0.0002005571131645476"),
    initialblockdownload: isInitial, chainwork: chainWork(blocks), size_on_disk: diskBytes(view),
    pruned: isPruned, pruneheight: isPruned ? state.prunedBelow : undefined,
    automatic_pruning: isPruned ? false : undefined, warnings: [],
  });
}

function diskBytes(l: Ledger): number {
  // A block is stored with eight bytes around it; near enough for those that are left behind.
  return l.blocks.size * 300 + sizeOf(tipOf(l));
}

const networks = ["ipv4", "ipv6", "onion", "i2p", "cjdns"].map((name, at) => ({
  name, limited: at > 1, reachable: at < 2, proxy: "", proxy_randomize_credentials: false,
}));
const minRelaySat = 100n;

function networkInfo({ chain: { config }, state }: Context): Said {
  return said({
    version: config.version, subversion: config.subversion, protocolversion: 70016,
    localservices: "0000000000000c09",
    localservicesnames: ["NETWORK", "WITNESS", "NETWORK_LIMITED", "P2P_V2"], localrelay: true,
    timeoffset: 0, networkactive: true, connections: state.peers, connections_in: 0,
    connections_out: state.peers, networks, relayfee: btc(minRelaySat),
    incrementalfee: btc(minRelaySat), localaddresses: [], warnings: [],
  });
}

function mempoolInfo({ view, state }: Context): Said {
  const { count, sizeBytes, feesSat } = kinOf(view, [...view.pool.keys()]);
  return said({
    loaded: state.isMempoolLoaded, size: count, bytes: sizeBytes, usage: sizeBytes * 8,
    total_fee: btc(feesSat), maxmempool: 300_000_000, mempoolminfee: btc(minRelaySat),
    minrelaytxfee: btc(minRelaySat), incrementalrelayfee: btc(minRelaySat), unbroadcastcount: 0,
    fullrbf: true, permitbaremultisig: true, maxdatacarriersize: 100_000,
  });
}

function indexInfo({ chain, view }: Context): Said {
  if (!chain.config.hasTxIndex) return said({});
  return said({ txindex: { synced: true, best_block_height: heightOf(view) } });
}

function blockHash({ view }: Context, [height]: Args): Said {
  const found = blockAt(view, integerOf(height) ?? -1);
  return found === undefined ? no(-8, "Block height out of range") : said(found.hash);
}

function found(
  { view }: Context, hash: Args[number] | undefined,
): { readonly block: Block } | { readonly wrong: Said } {
  const wrong = hashFault("blockhash", hash);
  if (wrong !== undefined) return { wrong };
  const block = view.blocks.get(text(hash).toLowerCase());
  return block === undefined ? { wrong: no(-5, "Block not found") } : { block };
}

function blockHeader(context: Context, [hash, verbose]: Args): Said {
  const at = found(context, hash);
  if ("wrong" in at) return at.wrong;
  if (verbose === false) return said(at.block.hash + at.block.merkleRoot);
  return said(headerOf(context.view, at.block));
}

function block(context: Context, [hash, verbosity]: Args): Said {
  const at = found(context, hash);
  if ("wrong" in at) return at.wrong;
  if (levelOf(verbosity, 1) < 1) return said(at.block.txs.map((tx) => tx.hex).join(""));
  if (at.block.height < context.state.prunedBelow) {
    return no(-1, "Block not available (pruned data)");
  }
  return said(blockOf(context.view, at.block));
}

/** The tip, and the ends of branches that were left behind. */
function chainTips({ view }: Context): Said {
  const parents = new Set([...view.blocks.values()].map(({ parent }) => parent));
  const ends = [...view.blocks.values()].filter((one) => (
    !parents.has(one.hash) || one.hash === tipOf(view).hash
  ));
  ends.sort((a, b) => b.height - a.height || (a.hash < b.hash ? -1 : 1));
  return said(ends.map((end): Value => {
    let branchLength = 0;
    let at: Block | undefined = end;
    for (; at !== undefined && !isActive(view, at); at = view.blocks.get(at.parent)) {
      branchLength += 1;
    }
    const status = branchLength === 0 ? "active" : "valid-fork";
    return { height: end.height, hash: end.hash, branchlen: branchLength, status };
  }));
}

function txOut({ view }: Context, [txid, n, withPool]: Args): Said {
  const wrong = hashFault("txid", txid);
  if (wrong !== undefined) return wrong;
  const outpoint = outpointOf(text(txid).toLowerCase(), integerOf(n) ?? -1);
  const coin = view.coins.get(outpoint);
  const isSeen = withPool !== false;
  if (isSeen && view.poolSpends.has(outpoint)) return said(null);
  const output = coin ?? (isSeen && view.pool.has(outpoint.slice(0, 64))
    ? outputOf(view, outpoint) : undefined);
  if (output === undefined) return said(null);
  return said({
    bestblock: tipOf(view).hash,
    confirmations: coin === undefined ? 0 : depthOf(view, coin.height),
    value: btc(output.valueSat), scriptPubKey: scriptPubKey(output.address),
    coinbase: coin?.isCoinbase ?? false,
  });
}

const unknownTx = "Use gettransaction for wallet transactions.";

function rawTransaction({ chain, view }: Context, [txid, verbosity]: Args): Said {
  const wrong = hashFault("parameter 1", txid);
  if (wrong !== undefined) return wrong;
  const id = text(txid).toLowerCase();
  const waiting = view.pool.get(id)?.tx;
  const { hasTxIndex } = chain.config;
  const hash = hasTxIndex ? view.blockOf.get(id) : undefined;
  const tx = waiting ?? (hash === undefined ? undefined : view.txs.get(id));
  if (tx === undefined) {
    const where = hasTxIndex ? "mempool or blockchain transaction."
      : "mempool transaction. Use -txindex or provide a block hash to enable blockchain "
        + "transaction queries.";
    return no(-5, `No such ${where} ${unknownTx}`);
  }
  if (levelOf(verbosity, 0) < 1) return said(tx.hex);
  const place = waiting === undefined ? view.blocks.get(hash!) : undefined;
  return said({ ...decodedOf(tx), hex: tx.hex, ...placed(view, tx, place) });
}

/** An index still knows in which block something was that was left behind. */
function placed(l: Ledger, tx: Tx, block: Block | undefined): Members {
  if (block === undefined) return {};
  if (placeOf(l, tx.txid) === undefined) return { blockhash: block.hash, confirmations: 0 };
  return {
    blockhash: block.hash, confirmations: depthOf(l, block.height), time: block.timeS,
    blocktime: block.timeS,
  };
}

function mempoolEntry({ view }: Context, [txid]: Args): Said {
  const wrong = hashFault("txid", txid);
  if (wrong !== undefined) return wrong;
  const entry = view.pool.get(text(txid).toLowerCase());
  if (entry === undefined) return no(-5, "Transaction not in mempool");
  const { tx, atMs, height } = entry;
  const up = ancestorsOf(view, tx.txid);
  const family = familyOf(view, tx.txid);
  const down = kinOf(view, family);
  return said({
    vsize: vsizeOf(tx), weight: tx.weight, time: Math.floor(atMs / 1_000), height,
    descendantcount: down.count, descendantsize: down.sizeBytes, ancestorcount: up.count,
    ancestorsize: up.sizeBytes, wtxid: tx.wtxid,
    fees: {
      base: btc(tx.feeSat), modified: btc(tx.feeSat), ancestor: btc(up.feesSat),
      descendant: btc(down.feesSat),
    },
    depends: dependsOf(view, tx), spentby: childrenOf(view, tx), "bip125-replaceable": true,
    unbroadcast: false,
  });
}

function dependsOf(l: Ledger, tx: Tx): readonly string[] {
  const parents = tx.inputs.map(({ outpoint }) => outpoint.slice(0, 64));
  return [...new Set(parents)].filter((txid) => l.pool.has(txid));
}

function childrenOf(l: Ledger, tx: Tx): readonly string[] {
  if (isCoinbase(tx)) return [];
  const children = tx.outputs.map((_, vout) => l.poolSpends.get(outpointOf(tx.txid, vout)));
  return [...new Set(children.filter((child) => child !== undefined))];
}
