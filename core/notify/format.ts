/**
 * Amounts, spans, stamps and lists as people read them.
 *
 * Rule 1: whole numbers only; nothing is rounded unless the name says so.
 * Rule 2: what leaves here has no control character and no half of a surrogate pair, whatever came
 * in: it can stand in any header, line or JSON string.
 * Not known here: what the words are about.
 * @module
 */
import { assert } from "../assert.ts";

const coinSat = 100_000_000n;

/** `1234567` as `1,234,567`. Whole, zero or more. */
export function grouped(value: bigint | number): string {
  const digits = `${value}`;
  assert(/^[0-9]+$/.test(digits), "only whole numbers are grouped");
  let out = "";
  for (let i = 0; i < digits.length; i += 1) {
    if (i > 0 && (digits.length - i) % 3 === 0) out += ",";
    out += digits.charAt(i);
  }
  return out;
}

/** An amount to the satoshi: `1,234 sats`, and from one bitcoin on `1.5 BTC`. */
export function exactly(sat: bigint): string {
  assert(sat >= 0n, "an amount is zero or more");
  if (sat >= coinSat) return `${bitcoins(sat)} BTC`;
  return sat === 1n ? "1 sat" : `${grouped(sat)} sats`;
}

/** An amount to two digits, so that it names no coin: `about 1,200 sats`. Zero is zero. */
export function roughly(sat: bigint): string {
  assert(sat >= 0n, "an amount is zero or more");
  if (sat === 0n) return exactly(sat);
  let unit = 1n;
  while (sat >= unit * 100n) unit *= 10n;
  return `about ${exactly(((sat + unit / 2n) / unit) * unit)}`;
}

function bitcoins(sat: bigint): string {
  const rest = `${sat % coinSat}`.padStart(8, "0").replace(/0+$/, "");
  const whole = grouped(sat / coinSat);
  return rest === "" ? whole : `${whole}.${rest}`;
}

/** A span in its two largest units, the smaller cut off: `3 h 20 min`. In ms, zero or more. */
export function span(ms: number): string {
  const seconds = over(ms, 1_000);
  const minutes = over(seconds, 60);
  const hours = over(minutes, 60);
  const days = over(hours, 24);
  if (seconds < 60) return `${seconds} s`;
  if (minutes < 60) return `${minutes} min`;
  if (days < 2) return two(hours, "h", minutes % 60, "min");
  return two(days, "d", hours % 24, "h");
}

function two(large: number, unit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`;
}

/**
 * A wall stamp as `2025-11-22 03:10:05 UTC`. Milliseconds since 1970, zero or more. The calendar is
 * counted from March, so that the leap day ends a year (Howard Hinnant, "chrono-compatible
 * low-level date algorithms").
 */
export function stamp(unixMs: number): string {
  const seconds = over(unixMs, 1_000);
  const days = over(seconds, 86_400) + 719_468;
  const era = over(days, 146_097);
  const dayOfEra = days - era * 146_097;
  const leaps = over(dayOfEra, 1_460) - over(dayOfEra, 36_524) + over(dayOfEra, 146_096);
  const yearOfEra = over(dayOfEra - leaps, 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + over(yearOfEra, 4) - over(yearOfEra, 100));
  const shifted = over(5 * dayOfYear + 2, 153);
  const day = dayOfYear - over(153 * shifted + 2, 5) + 1;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${pad(year, 4)}-${pad(month)}-${pad(day)} ${clock(seconds % 86_400)} UTC`;
}

function clock(second: number): string {
  return `${pad(over(second, 3_600))}:${pad(over(second, 60) % 60)}:${pad(second % 60)}`;
}

function pad(value: number, width = 2): string {
  return `${value}`.padStart(width, "0");
}

/** `a / b` without its fraction. Both whole, `a` zero or more. */
function over(a: number, b: number): number {
  assert(Number.isSafeInteger(a), "a count is whole");
  assert(a >= 0, "a count is zero or more");
  return (a - (a % b)) / b;
}

/** The first `max` names and how many more there are: `a, b, ... and 3 more`. */
export function names(list: readonly string[], max: number): string {
  const shown = list.slice(0, max).map((name) => line(name, 80)).join(", ");
  return list.length > max ? `${shown}, ... and ${list.length - max} more` : shown;
}

/** Any text as one line of at most `max` (3 or more) UTF-16 units, cut ones with an ellipsis. */
export function line(text: string, max: number): string {
  const clean = text.slice(0, max + 1).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .replaceAll(/\p{Cs}/gu, "?").trim();
  if (text.length <= max) return clean;
  const cut = clean.slice(0, max - 3);
  // The cut may have gone through a pair.
  return `${cut.replace(/[\ud800-\udbff]$/, "")}...`;
}

/** A code as words: `not-found` is `not found`. */
export function words(code: string): string {
  return line(code, 80).replaceAll("-", " ");
}

/** `1 coin`, `2 coins`. */
export function count(n: number, noun: string): string {
  return n === 1 ? `1 ${noun}` : `${grouped(n)} ${noun}s`;
}
