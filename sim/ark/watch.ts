/**
 * What could have been done for a VTXO in its last blocks, and who is to blame when it is lost.
 *
 * Rule 1: a chance is a block at whose arrival somebody who asked the wallet would have been
 * served: its program answers, and then the server for a refresh, or the chain and enough funds
 * for an exit, as long as the exit's last transaction can still come in time.
 * Rule 2: the blame is the daemon's as soon as there was one chance to exit and nobody asked for
 * it. Otherwise it goes to what was in the way of most blocks.
 * Rule 3: funds go to exits that are under way, and then to what is not; of either to what expires
 * first. What cannot be paid out of them keeps nothing back.
 * @module
 */
import { coinOf, fundsSat, unsent } from "./books.ts";
import { heightOf } from "./chain.ts";
import * as faults from "./faults.ts";
import type { Coin } from "./server.ts";
import type { Barkd, Blame, Chances, Wallet, World } from "./state.ts";

/** The notes on a VTXO, begun when they are first wanted. */
export function chancesOf(w: World, id: string): Chances {
  let found = w.chances.get(id);
  if (found === undefined) {
    found = {
      blocks: 0, refreshes: 0, exits: 0, barkdDown: 0, serverDown: 0, chainDown: 0, unfunded: 0,
      refreshAskedAt: undefined, exitAskedAt: undefined,
    };
    w.chances.set(id, found);
  }
  return found;
}

/** A block has come: notes what could be done now for all that expire soon. */
export function note(w: World): void {
  const tip = heightOf(w.chain);
  const isServerDown = faults.ofServer(w.outages, w.nowMs).some(({ kind }) => (
    kind !== "slow" && kind !== "mute" && kind !== "storm" && kind !== "replay-close"
      && kind !== "one-and-close" && kind !== "endless-mailbox" && kind !== "wild-numbers"
  ));
  const soon: Coin[] = [];
  for (const id of w.server.live) {
    const coin = w.server.coins.get(id)!;
    const left = coin.expiryHeight - tip;
    if (left > w.config.watchBlocks || left <= 0) continue;
    if (w.barkds.get(coin.owner)?.wallet?.vtxos.has(id) === true) soon.push(coin);
  }
  if (soon.length === 0) return;
  const funds = new Map<string, Funds>();
  for (const coin of soon.toSorted(byExpiry)) {
    const b = w.barkds.get(coin.owner)!;
    const own = funds.get(b.name) ?? fundsOf(w, b.wallet!);
    funds.set(b.name, own);
    noteOne(w, b, coin, own, coin.expiryHeight - tip, isServerDown);
  }
}

function byExpiry(a: Coin, b: Coin): number {
  return a.expiryHeight - b.expiryHeight || (a.id < b.id ? -1 : 1);
}

/** The wallet's money, the exits that are under way, and those that it is for. */
type Funds = {
  readonly fundsSat: bigint; readonly underWay: ReadonlySet<string>; readonly paid: string[];
};

function fundsOf(w: World, wallet: Wallet): Funds {
  const underWay = [...wallet.exits.values()]
    .filter(({ stage: { at } }) => at === "start" || at === "processing")
    .map(({ vtxo }) => coinOf(w, vtxo)).toSorted(byExpiry);
  const ids = underWay.map(({ id }) => id);
  const funds: Funds = { fundsSat: fundsSat(wallet), underWay: new Set(ids), paid: [] };
  for (const id of ids) pay(w, funds, id);
  return funds;
}

/** Can this one be paid beside the others? Then it is. */
function pay(w: World, { fundsSat: sat, paid }: Funds, id: string): boolean {
  const costs = BigInt(unsent(w, [...paid, id]) * w.config.exitVb * w.rate);
  if (costs > sat) return false;
  paid.push(id);
  return true;
}

function noteOne(
  w: World, b: Barkd, coin: Coin, funds: Funds, left: number, isServerDown: boolean,
): void {
  const chances = chancesOf(w, coin.id);
  chances.blocks += 1;
  const isBarkdDown = b.process !== "running"
    || faults.ofBarkd(w.outages, b.name, w.nowMs).length > 0;
  const isChainDown = faults.ofChain(w.outages, b.name, w.nowMs).length > 0;
  const isFunded = funds.underWay.has(coin.id)
    ? funds.paid.includes(coin.id)
    : pay(w, funds, coin.id);
  if (isBarkdDown) chances.barkdDown += 1;
  if (isServerDown) chances.serverDown += 1;
  if (isChainDown) chances.chainDown += 1;
  if (!isFunded) chances.unfunded += 1;
  if (!isBarkdDown && !isServerDown) chances.refreshes += 1;
  const isInTime = left > coin.exitDepth;
  if (isInTime && !isBarkdDown && !isChainDown && isFunded) chances.exits += 1;
}

/** Whose fault it is that this is lost. */
export function blameFor(c: Chances): Blame {
  if (c.exits > 0 && c.exitAskedAt === undefined) return "daemon";
  const ways: readonly (readonly [Blame, number])[] = [
    ["barkd", c.barkdDown], ["funds", c.unfunded], ["chain", c.chainDown],
    ["server", c.serverDown],
  ];
  let worst: Blame = "nobody";
  let most = 0;
  for (const [blame, blocks] of ways) {
    if (blocks <= most) continue;
    worst = blame;
    most = blocks;
  }
  return worst;
}
