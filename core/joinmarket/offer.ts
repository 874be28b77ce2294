/**
 * Offers: what a maker is willing to do, for how much.
 *
 * Rule 1: `kind oid minsize maxsize txfee cjfee`; sizes and fees in satoshis as bigint, never
 * floating point.
 * Rule 2: a relative fee keeps the text it came with and is a fraction of whole numbers. Digits and
 * exponent are bounded before anything is computed, so that no short text asks for a large number.
 * Rule 3: whether an offer is a good one, or backed by a bond, is not known here.
 * @module
 */
import { assert } from "../assert.ts";
import { bad, good } from "../fault.ts";
import type { Decoded } from "../fault.ts";
import type { Command } from "./command.ts";

const ABSOLUTE = ["absoffer", "swabsoffer", "sw0absoffer", "tr0absoffer"] as const;
const RELATIVE = ["reloffer", "swreloffer", "sw0reloffer", "tr0reloffer"] as const;

export type AbsoluteKind = (typeof ABSOLUTE)[number];
export type RelativeKind = (typeof RELATIVE)[number];

/** `units` / 10^`scale`, and how the maker wrote it. */
export type Ratio = { readonly text: string; readonly units: bigint; readonly scale: number };

type Terms = {
  /** The maker's number for this offer, 0 to 999,999,999. */
  readonly oid: number;
  readonly minsizeSat: bigint;
  readonly maxsizeSat: bigint;
  /** The maker's part of the transaction fee. */
  readonly txfeeSat: bigint;
};

export type Offer =
  | (Terms & { readonly kind: AbsoluteKind; readonly cjfeeSat: bigint })
  | (Terms & { readonly kind: RelativeKind; readonly cjfee: Ratio });

/** All the money there can be: 21 million bitcoin. */
export const satMax = 2_100_000_000_000_000n;
/** Characters of a relative fee. */
export const ratioLengthMax = 32;
/** Decimal places of a relative fee, exponent included. */
export const scaleMax = 40;

export function isAbsolute(word: string): word is AbsoluteKind {
  return (ABSOLUTE as readonly string[]).includes(word);
}

export function isRelative(word: string): word is RelativeKind {
  return (RELATIVE as readonly string[]).includes(word);
}

/** Does this command announce an offer? */
export function isOffer(word: string): word is Offer["kind"] {
  return isAbsolute(word) || isRelative(word);
}

/**
 * Reads an offer. Five arguments, or seven when a private line's public key and signature follow
 * the last command. Faults: `offer`.
 */
export function parse(command: Command): Decoded<Offer> {
  const { word, args } = command;
  if (!isOffer(word)) return bad("offer", "not an offer");
  if (args.length !== 5 && args.length !== 7) return bad("offer", "an offer has five fields");
  const oid = parseOid(args[0]!);
  const minsizeSat = parseSat(args[1]!);
  const maxsizeSat = parseSat(args[2]!);
  const txfeeSat = parseSat(args[3]!);
  if (oid === undefined) return bad("offer", "the offer number is malformed");
  if (minsizeSat === undefined || maxsizeSat === undefined || txfeeSat === undefined) {
    return bad("offer", "an amount is malformed or too large");
  }
  if (minsizeSat > maxsizeSat) return bad("offer", "the smallest size exceeds the largest");
  const terms: Terms = { oid, minsizeSat, maxsizeSat, txfeeSat };
  return isAbsolute(word) ? absolute(word, terms, args[4]!) : relative(word, terms, args[4]!);
}

function absolute(kind: AbsoluteKind, terms: Terms, fee: string): Decoded<Offer> {
  const cjfeeSat = parseSat(fee);
  if (cjfeeSat === undefined) return bad("offer", "the fee is malformed or too large");
  return good({ kind, ...terms, cjfeeSat });
}

function relative(kind: RelativeKind, terms: Terms, fee: string): Decoded<Offer> {
  const cjfee = parseRatio(fee);
  if (cjfee === undefined) return bad("offer", "the relative fee is malformed");
  return good({ kind, ...terms, cjfee });
}

function parseOid(text: string): number | undefined {
  return /^(0|[1-9][0-9]{0,8})$/.test(text) ? Number(text) : undefined;
}

function parseSat(text: string): bigint | undefined {
  if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) return undefined;
  const sat = BigInt(text);
  return sat <= satMax ? sat : undefined;
}

/**
 * A relative fee: decimal digits, a point, and an exponent as Python writes small floats (`2e-05`).
 * `undefined` if it is anything else, too long, or finer than `scaleMax` places.
 */
export function parseRatio(text: string): Ratio | undefined {
  if (text.length > ratioLengthMax) return undefined;
  const parts = /^([0-9]+)(?:\.([0-9]+))?(?:[eE]-([0-9]{1,2}))?$/.exec(text);
  if (parts === null) return undefined;
  const fraction = parts[2] ?? "";
  const scale = fraction.length + Number(parts[3] ?? "0");
  if (scale > scaleMax) return undefined;
  return { text, units: BigInt(parts[1]! + fraction), scale };
}

/**
 * The fraction `units` / 10^`scale` (whole, not negative) as a maker should write it: digits and a
 * point, no exponent, no zeros at its end. Asserts that `parseRatio` would read it back.
 */
export function ratio(units: bigint, scale: number): Ratio {
  assert(units >= 0n, "offer: a negative fee");
  assert(Number.isInteger(scale), "offer: decimal places are whole");
  assert(scale >= 0 && scale <= scaleMax, "offer: too many decimal places");
  let [left, places] = [units, scale];
  for (; places > 0 && left % 10n === 0n; places -= 1) left /= 10n;
  const digits = left.toString().padStart(places + 1, "0");
  const point = digits.length - places;
  const text = places === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
  assert(text.length <= ratioLengthMax, "offer: a relative fee with too many digits");
  return { text, units: left, scale: places };
}

/**
 * The fee of an offer for a coinjoin of `amountSat`. A relative one is rounded to the nearest whole
 * satoshi and a half to the even one, as every taker computes it: with another rule the two sides
 * would sign different transactions.
 */
export function feeSat(offer: Offer, amountSat: bigint): bigint {
  assert(amountSat >= 0n, "offer: a negative amount");
  if ("cjfeeSat" in offer) return offer.cjfeeSat;
  const whole = 10n ** BigInt(offer.cjfee.scale);
  const product = amountSat * offer.cjfee.units;
  const down = product / whole;
  const twiceLeft = (product - down * whole) * 2n;
  const isUp = twiceLeft > whole || (twiceLeft === whole && down % 2n === 1n);
  return isUp ? down + 1n : down;
}

/** The command that announces this offer, without its `!`. */
export function encode(offer: Offer): string {
  assert(offer.minsizeSat <= offer.maxsizeSat, "offer: the smallest size exceeds the largest");
  assert(offer.maxsizeSat <= satMax, "offer: a size beyond all money");
  const fee = "cjfeeSat" in offer ? String(offer.cjfeeSat) : offer.cjfee.text;
  return [
    offer.kind, offer.oid, offer.minsizeSat, offer.maxsizeSat, offer.txfeeSat, fee,
  ].map(String).join(" ");
}

/** The number of the offer that a `cancel` withdraws. Faults: `offer`. */
export function parseCancel(command: Command): Decoded<number> {
  if (command.word !== "cancel") return bad("offer", "not a cancellation");
  const oid = command.args.length === 1 ? parseOid(command.args[0]!) : undefined;
  return oid === undefined ? bad("offer", "the offer number is malformed") : good(oid);
}

/** The command that withdraws an offer, without its `!`. */
export function encodeCancel(oid: number): string {
  assert(parseOid(String(oid)) === oid, "offer: a malformed offer number");
  return `cancel ${oid}`;
}
