/**
 * May a node's "not found" be believed?
 *
 * Rule 1: it must have all blocks, the transactions that waited when it was stopped, and somebody
 * who tells it of new ones, to whom it listens.
 * Rule 2: what is in no mempool may be in a block. An index of transactions would say so; the
 * wallet would too, of transactions that concern it, unless it is searching old blocks just now.
 * Rule 3: everything else is a reason not to know.
 * @module
 */
import { unavailable, type Unavailable } from "../chain.ts";
import {
  addressInfoOf, chainOf, hasTxIndexOf, mempoolLoadedOf, nodeOf, walletOf,
} from "../replies.ts";
import { codes, type Call, type Outcome } from "../rpc.ts";
import { anyFailed, garbled, notSynced, readBy, type Config } from "./plan.ts";

/** What is asked beside the question; `address` is one of ours that would have been paid. */
export function calls(address: string | undefined): readonly Call[] {
  const asked: readonly Call[] = [
    ["getblockchaininfo"], ["getmempoolinfo"], ["getnetworkinfo"], ["getwalletinfo"],
    ["getindexinfo"],
  ];
  return address === undefined ? asked : [...asked, ["getaddressinfo", address]];
}

/**
 * Why absence cannot be concluded from the outcomes of `calls`; `undefined`: it can.
 * Of what is asked about, a `block` holds a rival already; the wallet `knows` it, so that it would
 * know of its block; it may be in the `index`; or it concerns an `address`, which only the wallet
 * follows.
 */
export function doubt(
  config: Config, outcomes: readonly Outcome[], by: "block" | "knows" | "index" | "address",
): Unavailable | undefined {
  const failed = anyFailed(outcomes);
  if (failed !== undefined) return failed;
  const chain = readBy(outcomes[0], chainOf);
  const isLoaded = readBy(outcomes[1], mempoolLoadedOf);
  const node = readBy(outcomes[2], nodeOf);
  const wallet = readBy(outcomes[3], walletOf);
  if (chain === undefined || isLoaded === undefined) return garbled();
  if (node === undefined || wallet === undefined) return garbled();
  const address = outcomes[5] === undefined ? notAsked : readBy(outcomes[5], addressInfoOf);
  if (address === undefined) return garbled();
  const behind = notSynced({ ...config, behindMax: 0 }, chain);
  if (behind !== undefined) return behind;
  if (!isLoaded) {
    return unavailable("warming-up", "chain-mempool", "the node still reads its mempool");
  }
  if (node.peers < config.peersMin) {
    return unavailable("syncing", "chain-alone", `the node has ${node.peers} peers`);
  }
  if (by === "block") return undefined;
  if (!node.isTold) {
    const text = "the node hears of transactions only in blocks (blocksonly=1)";
    return unavailable("blocks-only", "chain-blocks-only", text);
  }
  if (by === "knows") return undefined;
  if (by === "index" && readBy(outcomes[4], hasTxIndexOf) === true) return undefined;
  return walletDoubt(wallet.scanning !== undefined, address.isMine);
}

const notAsked = { isMine: false };

function walletDoubt(isScanning: boolean, isOurs: boolean): Unavailable | undefined {
  if (!isOurs) {
    const text = "no index of transactions (txindex=1), and the wallet would not know of this one";
    return unavailable("no-index", "chain-no-index", text);
  }
  if (!isScanning) return undefined;
  return unavailable("rescanning", "chain-rescanning", "the wallet still searches old blocks");
}

/** Is this the node's way to say that it does not know a transaction? */
export function isUnknown(outcome: Outcome | undefined): boolean {
  return outcome?.ok === false && outcome.code === codes.unknown;
}
