/**
 * Times without a zone, and the instants they mean where clocks are set forward and back.
 *
 * Rule 1: an hour that comes twice means its first time; one that was left out is read as if the
 * clock had not been set yet. Both are said, so that a person can look.
 * Rule 2: a zone is a function from outside: the core knows no calendar of governments.
 * @module
 */

/** How far local time is ahead of UTC at an instant, in milliseconds; both may be negative. */
export type Zone = (unixMs: number) => number;

/** A zone that never changes. */
export function fixed(offsetMs: number): Zone {
  return () => offsetMs;
}

/** `twice`: the hour comes twice; `never`: it was left out. */
export type Reading = { readonly unixUs: number; readonly doubt: "twice" | "never" | undefined };

/** Longer than any zone is away from UTC. */
const dayMs = 86_400_000;

/** The instant of a local time, given as if it were UTC, in microseconds since 1970. */
export function instantOf(localUs: number, zone: Zone): Reading {
  const localMs = Math.floor(localUs / 1_000);
  const [before, after] = [zone(localMs - dayMs), zone(localMs + dayMs)];
  // The larger offset is the earlier instant.
  const [early, late] = before > after ? [before, after] : [after, before];
  const fitsEarly = zone(localMs - early) === early;
  const fitsLate = zone(localMs - late) === late;
  const isTwice = fitsEarly && fitsLate && early !== late;
  const offset = fitsEarly ? early : fitsLate ? late : before;
  const doubt = isTwice ? "twice" : fitsEarly || fitsLate ? undefined : "never";
  return { unixUs: localUs - offset * 1_000, doubt };
}

/** The local time of an instant, as if it were UTC; both in microseconds since 1970. */
export function localOf(unixUs: number, zone: Zone): number {
  return unixUs + zone(Math.floor(unixUs / 1_000)) * 1_000;
}

/** Days since 1970-01-01 of a date of the Gregorian calendar; `undefined` if there is none. */
export function dayOf(year: number, month: number, day: number): number | undefined {
  if (month < 1 || month > 12 || day < 1 || day > lengthOf(year, month)) return undefined;
  let days = 365 * (year - 1970) + leapsBefore(year) - leapsBefore(1970) + day - 1;
  for (let m = 1; m < month; m += 1) days += lengthOf(year, m);
  return days;
}

/** The date of a day, the other way round. */
export function dateOf(days: number): { year: number; month: number; day: number } {
  let year = 1970 + Math.floor(days / 366);
  while (days >= (dayOf(year + 1, 1, 1) as number)) year += 1;
  while (days < (dayOf(year, 1, 1) as number)) year -= 1;
  let month = 1;
  while (month < 12 && days >= (dayOf(year, month + 1, 1) as number)) month += 1;
  return { year, month, day: days - (dayOf(year, month, 1) as number) + 1 };
}

function leapsBefore(year: number): number {
  const y = year - 1;
  return Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
}

function lengthOf(year: number, month: number): number {
  if (month === 2) return leapsBefore(year + 1) > leapsBefore(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
