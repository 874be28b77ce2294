/**
 * The zone that `--tz` names: a fixed offset, or one of the system's table.
 * @module
 */
import { offsetOf } from "../core/history/csv.ts";
import { dayOf, fixed, type Zone } from "../core/history/zone.ts";

/** Offsets that are remembered, and how long each holds: zones change at quarters of an hour. */
const rememberedMax = 100_000;
const quarterMs = 900_000;

/** The zone of `+02:00`, `UTC` or `Europe/Berlin`; `undefined` if there is none of that name. */
export function zoneOf(name: string): Zone | undefined {
  const offsetMs = offsetOf(name);
  if (offsetMs !== undefined) return fixed(offsetMs);
  try {
    return named(new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
      timeZone: name, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit",
      hour: "2-digit", minute: "2-digit", second: "2-digit",
    }));
  } catch {
    return undefined;
  }
}

function named(format: Intl.DateTimeFormat): Zone {
  const known = new Map<number, number>();
  return (unixMs) => {
    const quarter = Math.floor(unixMs / quarterMs);
    const before = known.get(quarter);
    if (before !== undefined) return before;
    if (known.size >= rememberedMax) known.clear();
    const offsetMs = ahead(format, quarter * quarterMs);
    known.set(quarter, offsetMs);
    return offsetMs;
  };
}

/** How far the local time of a whole second is ahead of UTC. */
function ahead(format: Intl.DateTimeFormat, unixMs: number): number {
  const parts = format.formatToParts(unixMs);
  const part = new Map(parts.map(({ type, value }) => [type, Number(value)]));
  const of = (type: Intl.DateTimeFormatPartTypes): number => part.get(type) ?? 0;
  const days = dayOf(of("year"), of("month"), of("day")) ?? 0;
  const localS = 86_400 * days + 3_600 * of("hour") + 60 * of("minute") + of("second");
  return localS * 1_000 - unixMs;
}
