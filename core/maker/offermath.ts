/**
 * Offer arithmetic: from what the operator asks and what the wallet holds to what is announced.
 *
 * Rule 1: whole satoshis and fractions of whole numbers, nothing else. Where something must be
 * rounded, it is rounded so that an announced offer can be honoured for every amount in its range,
 * from the balance it was drawn from, with change above dust and without a loss.
 * Rule 2: a coinjoin of amount `a` takes `a + txfee + dust + 1 - fee(a)` of inputs. A fee below
 * the whole amount never grows faster than the amount, so what is needed never falls as the amount
 * grows, and the largest amount that fits is exact.
 * Rule 3: fees and sizes are drawn at random around what was asked, so that the offers of a maker
 * do not give it away when it comes back under another nick. A draw of the sizes never decides
 * whether there is an offer.
 * Rule 4: one absolute and one relative offer share the sizes where their drawn fees meet: below,
 * the absolute one is dearer, above, the relative one. That seam is the same number on both sides.
 * Rule 5: the number of an offer is its place in the configuration, also when others are left out.
 *
 * Knows no coins by name, no time, and nothing of who is told.
 * @module
 */
import { assert } from "../assert.ts";
import * as offer from "../joinmarket/offer.ts";
import type { Offer, Ratio } from "../joinmarket/offer.ts";
import * as prng from "../prng.ts";

type Common = {
  /** The smallest coinjoin. 100,000; 0 to all money. */
  readonly minsizeSat: bigint;
  /** The maker's part of the transaction fee. 0; at most `feeSatMax`. */
  readonly txfeeSat: bigint;
  /** How far that part is drawn away from it, in millionths of it. 300,000; to 10,000,000. */
  readonly txfeeSpreadPpm: number;
  /** The same for the fee. 0; at most 1,000,000 for a relative fee, else 10,000,000. */
  readonly cjfeeSpreadPpm: number;
  /** The same for both sizes; the largest is drawn downwards only. 100,000; to 1,000,000. */
  readonly sizeSpreadPpm: number;
};

/** One offer as the operator asks for it. */
export type AbsoluteTerms = Common & {
  readonly kind: "sw0absoffer" | "tr0absoffer";
  /** What is earned, whatever the amount. 500; at most `feeSatMax`. */
  readonly cjfeeSat: bigint;
};
export type RelativeTerms = Common & {
  readonly kind: "sw0reloffer" | "tr0reloffer";
  /** The part of the amount that is asked, above 0 and below 1 however it is drawn. 0.00002. */
  readonly cjfee: Ratio;
};
export type Terms = AbsoluteTerms | RelativeTerms;

/** The terms of joinmarket-ng without configuration. */
export const defaults: readonly Terms[] = [{
  kind: "sw0reloffer", minsizeSat: 100_000n, txfeeSat: 0n, txfeeSpreadPpm: 300_000,
  cjfeeSpreadPpm: 0, sizeSpreadPpm: 100_000, cjfee: offer.ratio(2n, 5),
}];

/** What JoinMarket calls dust: change is larger, and no coinjoin is smaller. */
export const dustSat = 27_300n;
/** No absolute fee and no part of a transaction fee is asked beyond: one bitcoin. */
export const feeSatMax = 100_000_000n;
/** Offers of one maker; a reply is one private message for each. */
export const offersMax = 16;
/** Decimal places of a relative fee as it is configured. */
export const placesMax = 20;

/** A drawn relative fee has so many places more than it was asked with, less zeros at its end. */
const placesDrawn = 4;
const million = 1_000_000n;

/** Why these terms cannot be offered, as a sentence for the operator; `undefined` if they can. */
export function objection(list: readonly Terms[]): string | undefined {
  if (list.length > offersMax) return `at most ${offersMax} offers can be announced`;
  for (const terms of list) {
    const found = objectionTo(terms);
    if (found !== undefined) return found;
  }
  return undefined;
}

function objectionTo(terms: Terms): string | undefined {
  const { minsizeSat, txfeeSat, txfeeSpreadPpm, cjfeeSpreadPpm, sizeSpreadPpm } = terms;
  if (minsizeSat < 0n || minsizeSat > offer.satMax) return "the smallest size is out of range";
  if (txfeeSat < 0n || txfeeSat > feeSatMax) return "the transaction fee is 0 to one bitcoin";
  if (!isSpread(txfeeSpreadPpm, 10)) return "the transaction fee varies by a factor of 0 to 10";
  if (!isSpread(sizeSpreadPpm, 1)) return "sizes vary by a factor of 0 to 1";
  if ("cjfeeSat" in terms) {
    if (terms.cjfeeSat < 0n || terms.cjfeeSat > feeSatMax) return "the fee is 0 to one bitcoin";
    return isSpread(cjfeeSpreadPpm, 10) ? undefined : "the fee varies by a factor of 0 to 10";
  }
  if (!isSpread(cjfeeSpreadPpm, 1)) return "a relative fee varies by a factor of 0 to 1";
  return objectionToRatio(terms.cjfee, BigInt(cjfeeSpreadPpm));
}

function objectionToRatio(cjfee: Ratio, spreadPpm: bigint): string | undefined {
  const { units, scale } = cjfee;
  if (scale > placesMax) return `a relative fee has at most ${placesMax} decimal places`;
  if (units <= 0n) return "a relative fee is above 0";
  const most = units * (million + spreadPpm);
  return most < million * 10n ** BigInt(scale) ? undefined
    : "a relative fee is below 1, also at its highest";
}

function isSpread(ppm: number, most: number): boolean {
  return Number.isSafeInteger(ppm) && ppm >= 0 && ppm <= most * 1_000_000;
}

/** A coin as far as an offer depends on it. */
export type Coin = {
  readonly valueSat: bigint;
  readonly mixdepth: number;
  /** Below 1: not confirmed, or in conflict. */
  readonly confirmations: number;
  readonly isLocked: boolean;
};

export type CoinRule = {
  /** Confirmations without which a coin is not offered. 1; at least 1. */
  readonly confirmationsMin: number;
  /**
   * May coins of mixdepth 0 be spent together? False: deposits of different origin lie there, so
   * no more than its largest coin is offered.
   */
  readonly isZeroMerged: boolean;
};

/** The coin rule of joinmarket-ng without configuration. */
export const coinRule: CoinRule = { confirmationsMin: 1, isZeroMerged: false };

/** What one coinjoin could spend of a mixdepth: coins of two mixdepths never meet. */
export type Balance = { readonly mixdepth: number; readonly balanceSat: bigint };

/** What can be offered of each mixdepth that has such coins, by mixdepth. */
export function balances(coins: readonly Coin[], rule: CoinRule): readonly Balance[] {
  assert(rule.confirmationsMin >= 1, "a coin that is offered is confirmed");
  const sums = new Map<number, bigint>();
  for (const { valueSat, mixdepth, confirmations, isLocked } of coins) {
    if (isLocked || confirmations < rule.confirmationsMin) continue;
    const before = sums.get(mixdepth) ?? 0n;
    if (mixdepth !== 0 || rule.isZeroMerged) sums.set(mixdepth, before + valueSat);
    else sums.set(mixdepth, larger(before, valueSat));
  }
  return [...sums].map(([mixdepth, balanceSat]) => ({ mixdepth, balanceSat }))
    .sort((a, b) => a.mixdepth - b.mixdepth);
}

/** The largest balance, which decides how much is offered; 0 without coins. */
export function largestSat(list: readonly Balance[]): bigint {
  let found = 0n;
  for (const { balanceSat } of list) found = larger(found, balanceSat);
  return found;
}

/** The inputs that a coinjoin of `amountSat` takes under this offer, change included. */
export function requiredSat(o: Offer, amountSat: bigint): bigint {
  return amountSat + o.txfeeSat + dustSat + 1n - offer.feeSat(o, amountSat);
}

/** What the maker has more after a coinjoin of `amountSat` than before. */
export function profitSat(o: Offer, amountSat: bigint): bigint {
  return offer.feeSat(o, amountSat) - o.txfeeSat;
}

/** Can every coinjoin of this offer be made from `balanceSat`? */
export function isHonourable(o: Offer, balanceSat: bigint): boolean {
  return balanceSat > 0n && requiredSat(o, o.maxsizeSat) <= balanceSat;
}

/**
 * The largest amount under the fees of this offer that `balanceSat` suffices for, whatever its
 * sizes; `undefined` if not even nothing does.
 */
export function fillableSat(o: Offer, balanceSat: bigint): bigint | undefined {
  if (balanceSat <= 0n || requiredSat(o, 0n) > balanceSat) return undefined;
  let [fits, exceeds] = [0n, offer.satMax + 1n];
  while (exceeds - fits > 1n) {
    const middle = (fits + exceeds) / 2n;
    if (requiredSat(o, middle) <= balanceSat) fits = middle;
    else exceeds = middle;
  }
  return fits;
}

/**
 * The offers for a balance, by number; none where the balance does not reach beyond the smallest
 * size. Draws fees and sizes from `p`. Asserts that there is no `objection`.
 */
export function draw(list: readonly Terms[], balanceSat: bigint, p: prng.Prng): readonly Offer[] {
  assert(objection(list) === undefined, objection(list) ?? "");
  const fees = list.map((terms, oid) => drawFees(terms, oid, p));
  const absolute = fees.find(({ blank }) => "cjfeeSat" in blank);
  const relative = fees.find(({ blank }) => "cjfee" in blank);
  const drawn = list.length === 2 && absolute !== undefined && relative !== undefined
    ? drawDual(absolute, relative, balanceSat, p)
    : fees.map((part) => drawSizes(part, floorOf(part), balanceSat, p));
  return drawn.filter((o) => o !== undefined).sort((a, b) => a.oid - b.oid);
}

/** Terms and an offer whose fees are drawn; its sizes are not yet those of the offer. */
type Drawn = { readonly terms: Terms; readonly blank: Offer };

function drawFees(terms: Terms, oid: number, p: prng.Prng): Drawn {
  const txfeeSat = around(terms.txfeeSat, terms.txfeeSpreadPpm, p);
  const rest = { oid, minsizeSat: 0n, maxsizeSat: offer.satMax, txfeeSat };
  if ("cjfeeSat" in terms) {
    // What the maker pays for the transaction is asked for on top of what it is to earn.
    const cjfeeSat = around(terms.cjfeeSat, terms.cjfeeSpreadPpm, p) + txfeeSat;
    return { terms, blank: { kind: terms.kind, ...rest, cjfeeSat } };
  }
  const units = around(terms.cjfee.units * 10n ** BigInt(placesDrawn), terms.cjfeeSpreadPpm, p);
  const cjfee = offer.ratio(larger(units, 1n), terms.cjfee.scale + placesDrawn);
  return { terms, blank: { kind: terms.kind, ...rest, cjfee } };
}

/** Rule 4. Suppressed offers are `undefined`. */
function drawDual(
  absolute: Drawn, relative: Drawn, balanceSat: bigint, p: prng.Prng,
): readonly (Offer | undefined)[] {
  const seam = seamSat(absolute.blank, relative.blank);
  const absoluteFloor = floorOf(absolute);
  const relativeFloor = floorOf(relative);
  if (seam <= absoluteFloor) {
    return [drawSizes(relative, larger(absoluteFloor, relativeFloor), balanceSat, p)];
  }
  const ceiling = fillableSat(relative.blank, balanceSat);
  if (ceiling === undefined || seam >= ceiling) {
    return [drawSizes(absolute, absoluteFloor, balanceSat, p)];
  }
  // At the seam the relative fee is no higher, so what it takes there is no less.
  assert(requiredSat(absolute.blank, seam) <= balanceSat, "the seam is fillable on both sides");
  const minsizeSat = drawMinsize(absolute, absoluteFloor, seam, p);
  return [
    { ...absolute.blank, minsizeSat, maxsizeSat: seam },
    relativeFloor > seam ? drawAbove(relative, relativeFloor, seam, ceiling, p)
      : sized(relative, seam, ceiling, p),
  ];
}

/** The relative offer when its own smallest size keeps it away from the seam. */
function drawAbove(
  part: Drawn, floor: bigint, seam: bigint, ceiling: bigint, p: prng.Prng,
): Offer | undefined {
  if (ceiling <= floor) return undefined;
  return sized(part, larger(drawMinsize(part, floor, ceiling, p), seam), ceiling, p);
}

/** The largest amount for which the relative fee asks no more than the absolute one earns. */
function seamSat(absolute: Offer, relative: Offer): bigint {
  assert("cjfeeSat" in absolute, "an absolute offer");
  assert("cjfee" in relative, "a relative offer");
  const { units, scale } = relative.cjfee;
  return ((absolute.cjfeeSat - absolute.txfeeSat) * 10n ** BigInt(scale)) / units;
}

function drawSizes(
  part: Drawn, floor: bigint, balanceSat: bigint, p: prng.Prng,
): Offer | undefined {
  const ceiling = fillableSat(part.blank, balanceSat);
  if (ceiling === undefined || ceiling <= floor) return undefined;
  return sized(part, drawMinsize(part, floor, ceiling, p), ceiling, p);
}

/** The offer from `minsizeSat` on; how far it goes is drawn downwards from `ceiling`. */
function sized(part: Drawn, minsizeSat: bigint, ceiling: bigint, p: prng.Prng): Offer {
  const spread = BigInt(part.terms.sizeSpreadPpm);
  const low = larger((ceiling * (million - spread)) / million, minsizeSat + 1n);
  return { ...part.blank, minsizeSat, maxsizeSat: uniform(p, low, ceiling) };
}

/** A smallest size around `floor`, below `ceiling`, neither dust nor a loss. */
function drawMinsize(part: Drawn, floor: bigint, ceiling: bigint, p: prng.Prng): bigint {
  const drawn = around(floor, part.terms.sizeSpreadPpm, p);
  return larger(smaller(drawn, ceiling - 1n), leastSat(part.blank));
}

/**
 * The smallest size before it is drawn. A relative offer that pays for the transaction starts
 * where it earns half as much again as it pays.
 */
function floorOf({ terms, blank }: Drawn): bigint {
  const wanted = larger(terms.minsizeSat, leastSat(blank));
  return "cjfeeSat" in blank ? wanted : larger(wanted, amountOf(blank.txfeeSat * 3n, 2n, blank));
}

/** Below this an offer may not go: it would be dust, or cost more than it earns. */
function leastSat(blank: Offer): bigint {
  return "cjfeeSat" in blank ? dustSat : larger(dustSat, amountOf(blank.txfeeSat, 1n, blank));
}

/** The smallest amount whose relative fee is at least `fee` / `parts`. */
function amountOf(fee: bigint, parts: bigint, blank: Offer): bigint {
  assert("cjfee" in blank, "a relative offer");
  const { units, scale } = blank.cjfee;
  const whole = parts * units;
  return (fee * 10n ** BigInt(scale) + whole - 1n) / whole;
}

/** A whole number drawn from `ppm` millionths of `value` below it to as many above; not below 0. */
function around(value: bigint, ppm: number, p: prng.Prng): bigint {
  const spread = (value * BigInt(ppm)) / million;
  return uniform(p, larger(value - spread, 0n), value + spread);
}

/** A whole number from `low` to `high`, each as likely. */
function uniform(p: prng.Prng, low: bigint, high: bigint): bigint {
  assert(low <= high, "uniform: an empty range");
  const span = high - low + 1n;
  let [words, whole] = [0, 1n];
  for (; whole < span; words += 1) whole <<= 32n;
  const fair = whole - (whole % span);
  let drawn = fair;
  while (drawn >= fair) {
    drawn = 0n;
    for (let i = 0; i < words; i += 1) drawn = (drawn << 32n) | BigInt(prng.u32(p));
  }
  return low + (drawn % span);
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
