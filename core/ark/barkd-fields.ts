/**
 * The kinds of values in barkd's JSON that no other server writes: ids of VTXOs, keys, spans in
 * words, instants as text. `undefined` for what is none; nothing here throws.
 * @module
 */
import { integerOf, textOf } from "../chain/fields.ts";
import type { Json } from "../joinmarket/json.ts";

/** Heights from here on mean seconds to Bitcoin (`nLockTime`): no block has one. */
export const heightMax = 499_999_999;
/** Deltas and depths travel as 16 bits. */
const shortMax = 65_535;
const idForm = /^[0-9a-f]{64}:(?:0|[1-9][0-9]{0,9})$/;

/** Is this a VTXO's id, `txid:vout`? */
export function isVtxoId(text: string): boolean {
  return idForm.test(text) && Number(text.slice(65)) <= 0xffffffff;
}

export function idOf(j: Json | undefined): string | undefined {
  return typeof j === "string" && isVtxoId(j) ? j : undefined;
}

/** Every VTXO that a text names, in order, each once, `max` at most. */
export function idsIn(text: string, max: number): readonly string[] {
  const found = new Set<string>();
  for (const [id] of text.matchAll(/(?<![0-9a-f])[0-9a-f]{64}:[0-9]{1,10}(?![0-9])/g)) {
    if (found.size >= max) break;
    if (isVtxoId(id)) found.add(id);
  }
  return [...found];
}

/** A block's height. */
export function heightOf(j: Json | undefined): number | undefined {
  return within(integerOf(j), heightMax);
}

/** A number of blocks or transactions that fits into 16 bits. */
export function shortOf(j: Json | undefined): number | undefined {
  return within(integerOf(j), shortMax);
}

function within(value: number | undefined, max: number): number | undefined {
  return value !== undefined && value >= 0 && value <= max ? value : undefined;
}

/** A compressed public key in lower-case hex. */
export function keyOf(j: Json | undefined): string | undefined {
  const text = textOf(j);
  return text !== undefined && /^0[23][0-9a-f]{64}$/.test(text) ? text : undefined;
}

const spans: ReadonlyMap<string, number> = new Map([
  ["year", 31_557_600], ["years", 31_557_600], ["month", 2_630_016], ["months", 2_630_016],
  ["day", 86_400], ["days", 86_400], ["h", 3_600], ["m", 60], ["s", 1], ["ms", 0], ["us", 0],
  ["ns", 0],
]);

/** Whole seconds of a span written as `1h 30m` or `10s`; a part of a second counts as none. */
export function secondsOf(j: Json | undefined): number | undefined {
  const text = textOf(j);
  if (text === undefined || text.length > 64) return undefined;
  let seconds = 0;
  for (const part of text.split(" ")) {
    const [, count, unit] = /^(0|[1-9][0-9]{0,8})([a-z]{1,6})$/.exec(part) ?? [];
    const span = unit === undefined ? undefined : spans.get(unit);
    if (count === undefined || span === undefined) return undefined;
    seconds += Number(count) * span;
  }
  return Number.isSafeInteger(seconds) ? seconds : undefined;
}

const instantForm =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Is this an instant as RFC 3339 writes it? */
export function isInstant(text: string): boolean {
  return instantOf(text) !== undefined;
}

/** Milliseconds since 1970 of an instant as RFC 3339 writes it; the rest is cut off. */
export function instantOf(j: Json | undefined): number | undefined {
  const found = instantForm.exec(textOf(j) ?? "");
  if (found === null) return undefined;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number) as Six;
  // A minute may end with a leap second.
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 60) return undefined;
  if (day < 1 || day > daysIn(year, month)) return undefined;
  const [eastH, eastM] = [Number(found[9] ?? "0"), Number(found[10] ?? "0")];
  if (eastH > 23 || eastM > 59) return undefined;
  const east = (eastH * 60 + eastM) * (found[8] === "-" ? -60 : 60);
  const seconds = daysSince(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - east;
  return seconds * 1_000 + Number((found[7] ?? "").padEnd(3, "0").slice(0, 3));
}

type Six = [number, number, number, number, number, number];

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days from 1970-01-01. */
function daysSince(year: number, month: number, day: number): number {
  const before = year - 1;
  let days = before * 365 + Math.floor(before / 4) - Math.floor(before / 100)
    + Math.floor(before / 400) - 719_162;
  for (let m = 1; m < month; m += 1) days += daysIn(year, m);
  return days + day - 1;
}
