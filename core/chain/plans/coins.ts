/**
 * Every coin of ours in a Bitcoin Core wallet, at one tip.
 *
 * Rule 1: the best block is asked for before and after; if it moved, all is asked again.
 * Rule 2: `listunspent` leaves out what is locked in the wallet. Those coins are still ours, so
 * they are looked up one by one (`listlockunspent`, `gettxout`, `getaddressinfo`).
 * Rule 3: an output belongs to the mixdepth of the descriptor that its address was derived from,
 * and to none if that is not one of ours.
 * Rule 4: a node that is behind shows coins that are spent already; it gets no say.
 * @module
 */
import { unreachable } from "../../assert.ts";
import { unavailable, type Branch, type Coin, type Tip } from "../chain.ts";
import { canonical, placeOf } from "../descriptor.ts";
import { allOf, hashOf } from "../fields.ts";
import { addressInfoOf, chainOf, outpointOf, txOutOf, unspentOf } from "../replies.ts";
import type { TxOut, Unspent } from "../replies.ts";
import type { Call, Outcome } from "../rpc.ts";
import {
  anyFailed, done, garbled, notSynced, readBy, tipOf, unsettled, type Config, type Move,
} from "./plan.ts";

export type Stage = {
  readonly plan: "coins";
  readonly at: "listing" | "valuing" | "placing";
  readonly attempt: number;
  readonly tip: Tip | undefined;
  readonly unspent: readonly Unspent[];
  readonly locked: readonly string[];
  /** Locked outputs that are unspent, as if they had been listed. */
  readonly valued: readonly Unspent[];
};

/** More confirmations than the chain has blocks: no upper bound. */
const confirmationsMax = 9_999_999;

export function begin(config: Config, attempt = 1): Move<Stage> {
  const calls: readonly Call[] = [
    ["getbestblockhash"], ["listunspent", 0, confirmationsMax, [], true], ["listlockunspent"],
    ["getblockchaininfo"],
  ];
  return call(config, calls, {
    plan: "coins", at: "listing", attempt, tip: undefined, unspent: [], locked: [], valued: [],
  });
}

export function resume(config: Config, stage: Stage, outcomes: readonly Outcome[]): Move<Stage> {
  const wrong = anyFailed(outcomes);
  if (wrong !== undefined) return done(wrong);
  switch (stage.at) {
    case "listing": return listed(config, stage, outcomes);
    case "valuing": return valued(config, stage, outcomes);
    case "placing": return placed(config, stage, outcomes);
    default: return unreachable(stage.at); /* c8 ignore next */
  }
}

function call(config: Config, calls: readonly Call[], stage: Stage): Move<Stage> {
  return { type: "call", calls, isWallet: true, timeoutMs: config.walletMs, stage };
}

function again(config: Config, stage: Stage): Move<Stage> {
  if (stage.attempt >= config.attemptsMax) return done(unsettled());
  return begin(config, stage.attempt + 1);
}

function listed(config: Config, stage: Stage, outcomes: readonly Outcome[]): Move<Stage> {
  const before = readBy(outcomes[0], hashOf);
  const unspent = readBy(outcomes[1], (j) => allOf(j, unspentOf));
  const locked = readBy(outcomes[2], (j) => allOf(j, outpointOf));
  const chain = readBy(outcomes[3], chainOf);
  if (before === undefined || unspent === undefined) return done(garbled());
  if (locked === undefined || chain === undefined) return done(garbled());
  const behind = notSynced(config, chain);
  if (behind !== undefined) return done(behind);
  if (before !== chain.hash) return again(config, stage);
  if (unspent.length > config.coinsMax) return done(tooMany("coins", config.coinsMax));
  if (locked.length > config.lockedMax) return done(tooMany("locked coins", config.lockedMax));
  const tip = tipOf(config, chain);
  const next: Stage = { ...stage, at: "valuing", tip, unspent, locked };
  if (locked.length === 0) return finish(config, next, tip);
  return call(config, locked.map(txOutCall), next);
}

function tooMany(what: string, max: number): ReturnType<typeof unavailable> {
  return unavailable("too-many", "chain-many", `more than ${max} ${what}`);
}

function txOutCall(outpoint: string): Call {
  const [txid = "", vout] = outpoint.split(":");
  return ["gettxout", txid, Number(vout), true];
}

function valued(config: Config, stage: Stage, outcomes: readonly Outcome[]): Move<Stage> {
  const found: Unspent[] = [];
  for (const [i, outcome] of outcomes.entries()) {
    const out = readBy(outcome, txOutOf);
    if (out === undefined) return done(garbled());
    // A lock outlives the coin.
    if (out === null) continue;
    if (out.best !== stage.tip?.hash) return again(config, stage);
    if (out.address !== undefined) found.push(unspentBy(stage.locked[i]!, out.address, out));
  }
  const next: Stage = { ...stage, at: "placing", valued: found };
  const calls: readonly Call[] = [
    ...found.map(({ address }): Call => ["getaddressinfo", address]), ["getbestblockhash"],
  ];
  return call(config, calls, next);
}

function unspentBy(outpoint: string, address: string, out: TxOut): Unspent {
  const { valueSat, confirmations } = out;
  return { outpoint, address, valueSat, confirmations, desc: undefined, parents: [] };
}

function placed(config: Config, stage: Stage, outcomes: readonly Outcome[]): Move<Stage> {
  const after = readBy(outcomes.at(-1), hashOf);
  if (after === undefined || stage.tip === undefined) return done(garbled());
  if (after !== stage.tip.hash) return again(config, stage);
  const found: Unspent[] = [];
  for (const [i, unspent] of stage.valued.entries()) {
    const info = readBy(outcomes[i], addressInfoOf);
    if (info === undefined) return done(garbled());
    const parents = info.parent === undefined ? [] : [info.parent];
    found.push({ ...unspent, desc: info.desc, parents });
  }
  return finish(config, { ...stage, valued: found }, stage.tip);
}

function finish(config: Config, stage: Stage, tip: Tip): Move<Stage> {
  const coins: Coin[] = [];
  const mixdepths = mixdepthsOf(config);
  const locked = new Set(stage.locked);
  const seen = new Set<string>();
  let foreign = 0;
  for (const unspent of [...stage.unspent, ...stage.valued]) {
    if (seen.has(unspent.outpoint)) continue;
    seen.add(unspent.outpoint);
    const coin = coinOf(mixdepths, unspent, locked.has(unspent.outpoint));
    if (coin === undefined) foreign += 1;
    else coins.push(coin);
  }
  coins.sort((a, b) => (a.outpoint < b.outpoint ? -1 : a.outpoint > b.outpoint ? 1 : 0));
  return done({ ok: true, ask: "coins", tip, coins, foreign });
}

type Home = { readonly mixdepth: number; readonly branch: Branch };

/** Which branch of which mixdepth a descriptor of ours is, by its text without checksum. */
function mixdepthsOf(config: Config): ReadonlyMap<string, Home> {
  const homes = new Map<string, Home>();
  for (const { descriptor, mixdepth, branch } of config.watch) {
    homes.set(canonical(descriptor), { mixdepth, branch });
  }
  return homes;
}

function coinOf(
  homes: ReadonlyMap<string, Home>, unspent: Unspent, isLocked: boolean,
): Coin | undefined {
  const place = unspent.desc === undefined ? undefined : placeOf(unspent.desc);
  if (place === undefined) return undefined;
  const parents = unspent.parents.map((parent) => homes.get(canonical(parent)));
  const home = parents.find((found) => found?.branch === place.branch);
  if (home === undefined) return undefined;
  const { outpoint, valueSat, address, confirmations } = unspent;
  const { mixdepth, branch } = home;
  const { index } = place;
  return { outpoint, valueSat, address, confirmations, mixdepth, branch, index, isLocked };
}
