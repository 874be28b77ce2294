/**
 * Money between the two ways in which servers write it: bitcoin in decimals, satoshis in digits.
 *
 * Rule 1: exact or refused. A numeral is read as the digits that were sent; nothing passes through
 * floating point, nothing is rounded, and what is no whole number of satoshis is no amount. So the
 * `0.30000000000000004` of a gateway that computed in floats is refused, not repaired.
 * Rule 2: every way JSON has of writing a value is read (`1`, `1.00000000`, `1e-8`, `10E-1`), and
 * length and exponent are bounded before anything is computed.
 * Rule 3: an amount lies within all the money there can be.
 * @module
 */
import { assert } from "../assert.ts";
import { satMax } from "../joinmarket/offer.ts";
import { isNumeral, type Json } from "../joinmarket/json.ts";

/** Decimal places of one bitcoin. */
const places = 8;
/** Characters of a numeral: fees, coins and balances take at most seventeen. */
export const numeralLengthMax = 40;

const DECIMAL = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?$/;

/** The satoshis of an amount in bitcoin, from -21 million to 21 million bitcoin. */
export function satOf(numeral: string): bigint | undefined {
  if (numeral.length > numeralLengthMax) return undefined;
  const found = DECIMAL.exec(numeral);
  if (found === null) return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0"] = found;
  const sat = scaled(whole + fraction, places - fraction.length + Number(exponent));
  if (sat === undefined || sat > satMax) return undefined;
  return sign === "-" ? -sat : sat;
}

/** `digits` times ten to the `shift`, if that is whole. */
function scaled(digits: string, shift: number): bigint | undefined {
  const units = digits.replace(/^0+/, "");
  if (units === "") return 0n;
  if (shift >= 0) return shift > numeralLengthMax ? undefined : BigInt(units + "0".repeat(shift));
  const kept = units.length + shift;
  if (kept <= 0 || /[1-9]/.test(units.slice(kept))) return undefined;
  return BigInt(units.slice(0, kept));
}

/** As `satOf`, of a JSON number, or of a text that holds one as some gateways write it. */
export function satFrom(j: Json | undefined): bigint | undefined {
  if (isNumeral(j)) return satOf(j.numeral);
  return typeof j === "string" ? satOf(j) : undefined;
}

/** Satoshis that are written as such: digits and nothing else, zero to all the money. */
export function wholeSatFrom(j: Json | undefined): bigint | undefined {
  if (!isNumeral(j) || !/^(0|[1-9][0-9]{0,15})$/.test(j.numeral)) return undefined;
  const sat = BigInt(j.numeral);
  return sat <= satMax ? sat : undefined;
}

/** The amount in bitcoin with all eight decimals, as Bitcoin Core writes it. */
export function btcOf(sat: bigint): string {
  const size = sat < 0n ? -sat : sat;
  assert(size <= satMax, "more than all the money");
  const digits = size.toString().padStart(places + 1, "0");
  const point = digits.length - places;
  return `${sat < 0n ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`;
}
