/**
 * Names that look as real ones do: hashes, keys, tokens and dates.
 *
 * Rule 1: drawn from a key and labels, so that the same world gives the same names. They are
 * nobody's: nothing here was hashed, and no secret belongs to a key.
 * @module
 */
import { assert } from "../../core/assert.ts";
import { base64, hex } from "../../core/bytes.ts";
import { bytes, stream, type Key } from "../../core/prng.ts";

/** 64 hex digits for these labels. */
export function hashOf(key: Key, ...labels: readonly (string | number)[]): string {
  return hex(bytes(stream(key, ...labels), 32));
}

/** A public key in its short form. */
export function pubkeyOf(key: Key, ...labels: readonly (string | number)[]): string {
  return `02${hashOf(key, "pubkey", ...labels)}`;
}

/** A token as barkd writes it: a version byte 0 and 32 bytes, in the alphabet of URLs. */
export function tokenOf(key: Key, ...labels: readonly (string | number)[]): string {
  const whole = new Uint8Array(33);
  whole.set(bytes(stream(key, "token", ...labels), 32), 1);
  return base64(whole).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const dayMs = 86_400_000;

/** An instant as RFC 3339 writes it, in UTC with milliseconds; from 1970 to 9999. */
export function dateOf(unixMs: number): string {
  assert(Number.isSafeInteger(unixMs), "a whole number of milliseconds");
  assert(unixMs >= 0 && unixMs < 253_402_300_800_000, "a year of four digits");
  const { year, month, day } = civil(Math.floor(unixMs / dayMs));
  const ms = unixMs % dayMs;
  const time = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, Math.floor(ms / 1_000)
    % 60].map((part) => padded(part, 2)).join(":");
  return `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}T${time}`
    + `.${padded(ms % 1_000, 3)}Z`;
}

/** What `dateOf` wrote; `undefined`: anything else. */
export function instantOf(date: string): number | undefined {
  const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z$/.exec(date);
  if (found === null) return undefined;
  const [year, month, day, hour, minute, second, ms] = found.slice(1).map(Number) as
    [number, number, number, number, number, number, number];
  const at = daysTo(year, month, day) * dayMs + hour * 3_600_000 + minute * 60_000
    + second * 1_000 + ms;
  return at >= 0 && dateOf(at) === date ? at : undefined;
}

/** Days since 1970 as a date, counted in years that begin in March. */
function civil(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const inEra = shifted - era * 146_097;
  const years = Math.floor((inEra - Math.floor(inEra / 1_460) + Math.floor(inEra / 36_524)
    - Math.floor(inEra / 146_096)) / 365);
  const inYear = inEra - (365 * years + Math.floor(years / 4) - Math.floor(years / 100));
  const march = Math.floor((5 * inYear + 2) / 153);
  const month = march < 10 ? march + 3 : march - 9;
  const day = inYear - Math.floor((153 * march + 2) / 5) + 1;
  return { year: years + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function daysTo(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const years = y - era * 400;
  const inYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return era * 146_097 + years * 365 + Math.floor(years / 4) - Math.floor(years / 100)
    + inYear - 719_468;
}

function padded(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

/** A span as people write it: `1h`, `10m`, `10s`. Whole seconds. */
export function spanOf(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const hours = Math.floor(seconds / 3_600);
  const parts = [
    hours === 0 ? "" : `${hours}h`,
    Math.floor(seconds / 60) % 60 === 0 ? "" : `${Math.floor(seconds / 60) % 60}m`,
    seconds % 60 === 0 && seconds > 0 ? "" : `${seconds % 60}s`,
  ];
  return parts.filter((part) => part !== "").join(" ");
}
