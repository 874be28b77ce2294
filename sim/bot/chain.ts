/**
 * The Bitcoin node of a world: a process that answers bots, in front of a chain that outlives it.
 *
 * Rule 1: what is asked of the chain itself (blocks, payments, reorganisations) happens whether or
 * not the node's process runs: others mine. The process only tells of it.
 * Rule 2: each start of the process is a new cookie; who shows an older one is refused.
 * Rule 3: an answer comes as late as the node needs for it.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import type { Coin } from "../../core/chain/chain.ts";
import type { ClockEvent, Tick } from "../../core/kernel/io.ts";
import type { Root } from "../../core/kernel/kernel.ts";
import * as prng from "../../core/prng.ts";
import type { Key } from "../../core/prng.ts";
import { NEVER } from "../../core/time.ts";
import { addressFor, derive } from "../chain/address.ts";
import * as blocks from "../chain/blocks.ts";
import * as chains from "../chain/chain.ts";
import type { Chain } from "../chain/chain.ts";
import * as ledgers from "../chain/ledger.ts";
import * as till from "../chain/till.ts";
import { outpointOf, type Tx } from "../chain/tx.ts";
import type { BotSpec, NodeId, RpcWrong, Work } from "../scenario.ts";
import * as ask from "./ask.ts";
import { addressOf, indexMax, mixdepths } from "./config.ts";
import * as rows from "./rows.ts";

/** A chain with all that a world knows of it. */
export type Ground = {
  readonly chain: Chain;
  /** What rows of bots wait for, by `rows.nameOf`. */
  readonly drafts: ReadonlyMap<string, Tx>;
  /** Which address of a bot is paid next. */
  readonly paid: Map<NodeId, number>;
  /** Chain acts so far: oracles look again when it has moved. */
  acts: number;
};

/** One question that came over HTTP, and who is to get the answer. */
export type Asked = {
  readonly asker: number; readonly incarnation: number; readonly req: number;
  readonly path: string; readonly body: string;
  /** What the asker took for the password: of which process of the node it is. */
  readonly cookie: number;
};

export type ChainEvent =
  | ClockEvent
  | { readonly type: "started" }
  | { readonly type: "asked"; readonly task: Work }
  | { readonly type: "rpc.asked"; readonly question: Asked; readonly wrong: RpcWrong | undefined };

export type ChainEffect = {
  readonly type: "rpc.answered"; readonly asker: number; readonly incarnation: number;
  readonly req: number; readonly status: number; readonly body: string; readonly afterMs: number;
};

export type ChainNode = {
  readonly ground: Ground;
  /** Which process of the node this is. */
  readonly life: number;
  /** Wall time less monotonic time, in ms. */
  wallMs: number;
};

/** Blocks that pay nobody who waits for a transaction. */
const restBlocks = 24;
const maturity = 10;

/** A chain in which every bot has coins, and nothing that any of them waits for was sent. */
export function found(key: Key, bots: readonly BotSpec[], unixMs: number): Ground {
  const config: chains.Config = {
    ...chains.defaults, addressOf: derive, keypool: indexMax + 1,
    ledger: { ...ledgers.defaults, maturity, seed: prng.below(prng.stream(key, "ledger"), 1e9) },
  };
  const chain = chains.create(config, unixMs);
  const { ledger } = chain;
  const drafts = new Map<string, Tx>();
  const reserve = addressFor("reserve");
  for (const spec of bots) {
    for (let row = 0; row < rows.countOf(spec); row += 1) {
      const [hash = ""] = blocks.mine(ledger, 1, unixMs, { address: reserve });
      const coinbase = ledger.blocks.get(hash)?.txs[0];
      if (coinbase === undefined) continue;
      drafts.set(rows.nameOf(spec.id, row), draftOf(key, ledger, spec.id, row, coinbase));
    }
  }
  blocks.mine(ledger, restBlocks, unixMs);
  const ground: Ground = { chain, drafts, paid: new Map(), acts: 0 };
  for (const spec of bots) {
    const p = prng.stream(key, "coins", spec.id);
    for (let i = prng.between(p, 1, 4); i > 0; i -= 1) {
      fund(ground, spec.id, BigInt(prng.between(p, 500_000, 200_000_000)), unixMs);
    }
  }
  blocks.mine(ledger, 2, unixMs);
  return ground;
}

function draftOf(key: Key, l: ledgers.Ledger, bot: NodeId, row: number, coinbase: Tx): Tx {
  const valueSat = rows.amountOf(key, bot, row);
  const allSat = coinbase.outputs[0]?.valueSat ?? 0n;
  return till.draft(l, [outpointOf(coinbase.txid, 0)], [
    { address: rows.destinationOf(bot, row), valueSat },
    { address: addressFor("somebody"), valueSat: allSat - valueSat - till.feeSat },
  ]);
}

/** Money for a bot, in turn in each mixdepth that earns. */
function fund(g: Ground, bot: NodeId, valueSat: bigint, nowMs: number): void {
  const nth = g.paid.get(bot) ?? 0;
  g.paid.set(bot, nth + 1);
  till.pay(g.chain.ledger, addressOf(bot, nth % 2, (nth >> 1) % indexMax), valueSat, nowMs);
}

/** A process of the node. */
export function create(ground: Ground, life: number): ChainNode {
  return { ground, life, wallMs: 0 };
}

export const root: Root<ChainNode, ChainEvent, ChainEffect> = {
  step, deadline: () => NEVER, effectsMax: () => 4,
};

function step(m: ChainNode, event: ChainEvent | Tick, now: number, out: ChainEffect[]): void {
  switch (event.type) {
    case "tick": case "asked": return;
    case "clock.anchored":
      m.wallMs = event.unixMs - now;
      return;
    case "started": return chains.restart(m.ground.chain, now + m.wallMs);
    case "rpc.asked": return answer(m, event.question, event.wrong, now + m.wallMs, out);
    default: return unreachable(event);
  }
}

function answer(
  m: ChainNode, q: Asked, wrong: RpcWrong | undefined, nowMs: number, out: ChainEffect[],
): void {
  const { asker, incarnation, req } = q;
  const said = wrong === "denied" || q.cookie !== m.life ? ask.denied
    : ask.answer(m.ground.chain, wrong, q.path, q.body, nowMs);
  out.push({ type: "rpc.answered", asker, incarnation, req, ...said });
}

/** Something happens to the chain itself; false: it cannot, and nothing did. */
export function act(g: Ground, task: Work, unixMs: number): boolean {
  const done = acted(g, task, unixMs);
  chains.settle(g.chain, unixMs);
  g.acts += 1;
  return done;
}

function acted(g: Ground, task: Work, unixMs: number): boolean {
  const { ledger } = g.chain;
  switch (task.op) {
    case "mine":
      blocks.mine(ledger, task.blocks, unixMs);
      return true;
    case "reorg": return reorg(g, task.blocks, task.isDropped, unixMs);
    case "send": {
      const draft = g.drafts.get(rows.nameOf(task.bot, task.row));
      return draft !== undefined && ledgers.submit(ledger, draft, unixMs).ok;
    }
    case "replace": return replace(g, task.bot, task.row, unixMs);
    case "evict": {
      const draft = g.drafts.get(rows.nameOf(task.bot, task.row));
      return draft !== undefined && ledgers.evict(ledger, draft.txid);
    }
    case "fund":
      fund(g, task.bot, BigInt(task.kSat) * 1_000n, unixMs);
      return true;
    case "drain": return drain(g, task.bot, unixMs);
    case "announce": case "orderbook": case "fill": case "peerlist": case "ping": case "chat":
    case "away": case "burst": case "append": case "pay": case "deposit": case "restartServer":
    case "restartProgram": case "changeToken": case "feeRate":
      return false;
    default: return unreachable(task);
  }
}

/** Blocks that the world began with stay: what bots wait for spends their coins. */
function reorg(g: Ground, wanted: number, isDropped: boolean, unixMs: number): boolean {
  const { ledger } = g.chain;
  const most = ledgers.heightOf(ledger) - rowsIn(g) - restBlocks;
  const depth = wanted < most ? wanted : most;
  if (depth < 1) return false;
  blocks.reorg(ledger, depth, depth + 1, unixMs, { leave: "all" });
  if (isDropped) for (const { txid } of g.drafts.values()) ledgers.evict(ledger, txid);
  return true;
}

function rowsIn(g: Ground): number {
  return g.drafts.size;
}

/** The coin of a row's transaction goes elsewhere, for a larger fee. */
function replace(g: Ground, bot: NodeId, row: number, unixMs: number): boolean {
  const draft = g.drafts.get(rows.nameOf(bot, row));
  const [input] = draft?.inputs ?? [];
  if (input === undefined) return false;
  const rest = input.valueSat - 4n * till.feeSat;
  const outputs = [{ address: addressFor("elsewhere"), valueSat: rest }];
  return till.spend(g.chain.ledger, [input.outpoint], outputs, unixMs).ok;
}

/** The largest coin of a bot is spent: its offers may be more than it has. */
function drain(g: Ground, bot: NodeId, unixMs: number): boolean {
  const { ledger } = g.chain;
  const own = new Set<string>();
  for (const mixdepth of [0, 1]) {
    for (let i = 0; i <= indexMax; i += 1) own.add(addressOf(bot, mixdepth, i));
  }
  let largest: ledgers.Coin | undefined;
  for (const coin of ledger.coins.values()) {
    if (!own.has(coin.address) || !ledgers.isSpendable(ledger, coin.outpoint)) continue;
    if (largest === undefined || coin.valueSat > largest.valueSat) largest = coin;
  }
  if (largest === undefined) return false;
  const outputs = [{ address: addressFor("shop"), valueSat: largest.valueSat - till.feeSat }];
  return till.spend(ledger, [largest.outpoint], outputs, unixMs).ok;
}

/** Where a row's transaction is: the truth. */
export type Place = "absent" | "pool" | "block";

export function placeOf(g: Ground, tx: Tx): Place {
  const { ledger } = g.chain;
  if (ledgers.placeOf(ledger, tx.txid) !== undefined) return "block";
  return ledger.pool.has(tx.txid) ? "pool" : "absent";
}

/** How deep a transaction is: 1 in the newest block, 0 in none. */
export function depthIn(g: Ground, txid: string): number {
  const block = ledgers.placeOf(g.chain.ledger, txid);
  return block === undefined ? 0 : ledgers.depthOf(g.chain.ledger, block.height);
}

/** The truth about a bot's coins: what is in blocks, and not spent by what waits. */
export function coinsOf(g: Ground, bot: NodeId): readonly Coin[] {
  const { ledger } = g.chain;
  const home = new Map<string, { mixdepth: number; index: number }>();
  for (let mixdepth = 0; mixdepth < mixdepths; mixdepth += 1) {
    for (let index = 0; index <= indexMax; index += 1) {
      home.set(addressOf(bot, mixdepth, index), { mixdepth, index });
    }
  }
  const out: Coin[] = [];
  for (const coin of ledger.coins.values()) {
    const at = home.get(coin.address);
    if (at === undefined || ledger.poolSpends.has(coin.outpoint)) continue;
    const { outpoint, valueSat, address, height } = coin;
    const confirmations = ledgers.depthOf(ledger, height);
    out.push({ outpoint, valueSat, address, confirmations, ...at, branch: 0, isLocked: false });
  }
  return out;
}
