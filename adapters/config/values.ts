/**
 * The readable forms of a setting and the plain values behind them: seconds and rates.
 *
 * Rule 1: a rate has one parser and one writer, and what is written parses back to the same value.
 * Rule 2: knows nothing of keys, files or defaults.
 * @module
 */
import type { Rate } from "../../core/directory/config.ts";

/** What an address looks like, for messages and documentation. */
export const addressForm = "HOST:PORT, [IPv6]:PORT or unix:PATH (port 0 chooses a free one)";

/** What `parseRate` accepts, for messages and documentation. */
export const rateForm = '"TOKENS/PERIOD burst SIZE", such as "10/s burst 200" or "1/10s burst 3"';

const unitsMs: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1_000],
  ["min", 60_000],
  ["h", 3_600_000],
]);

const ratePattern = /^([0-9]{1,7})\s*\/\s*([0-9]{0,5})\s*(ms|s|min|h)(?:\s+burst\s+([0-9]{1,8}))?$/;

const tokensMax = 1_000_000;
const burstMax = 10_000_000;
const perMsMax = 86_400_000;

/**
 * Parses a rate such as `3/min burst 3`; without `burst`, the burst equals the tokens of one
 * period.
 */
export function parseRate(text: string): Rate | undefined {
  const match = ratePattern.exec(text.trim());
  if (match === null) return undefined;
  const tokens = Number(match[1]);
  const perMs = (match[2] === "" ? 1 : Number(match[2])) * (unitsMs.get(match[3] ?? "") ?? 0);
  const burst = match[4] === undefined ? tokens : Number(match[4]);
  const fits = within(tokens, tokensMax) && within(perMs, perMsMax) && within(burst, burstMax);
  return fits ? { tokens, perMs, burst } : undefined;
}

function within(value: number, max: number): boolean {
  return value >= 1 && value <= max;
}

/** The shortest text that `parseRate` reads back as `rate`. */
export function rateText(rate: Rate): string {
  let period = `${rate.perMs}ms`;
  for (const [unit, ms] of unitsMs) {
    const count = rate.perMs / ms;
    if (Number.isInteger(count)) period = count === 1 ? unit : `${count}${unit}`;
  }
  return `${rate.tokens}/${period} burst ${rate.burst}`;
}

/** Seconds, fractions allowed, to whole milliseconds. */
export function secondsToMs(seconds: number): number {
  return Math.round(seconds * 1_000);
}
