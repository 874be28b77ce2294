/**
 * The readable forms of a setting and the plain values behind them: seconds and rates; and a value
 * as a message shows it.
 *
 * Rule 1: a rate has one parser and one writer, and what is written parses back to the same value.
 * Rule 2: knows nothing of keys, files or defaults.
 * @module
 */
import type { Rate } from "../../core/directory/config.ts";
import * as limiter from "../../core/limiter.ts";
import { unixPathBytesMax } from "../address.ts";

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

const ratePattern = /^([0-9]{1,9})\s*\/\s*([0-9]{0,5})\s*(ms|s|min|h)(?:\s+burst\s+([0-9]{1,9}))?$/;

/** The largest number of tokens and the largest burst: bytes are counted in tokens too. */
const tokensMax = 100_000_000;

/**
 * Parses a rate such as `3/min burst 3`; without `burst`, the burst equals the tokens of one
 * period. Refuses what a limiter cannot count exactly: more than 100,000 tokens per ms, or a large
 * burst of a very slow rate.
 */
export function parseRate(text: string): Rate | undefined {
  const match = ratePattern.exec(text.trim());
  if (match === null) return undefined;
  const tokens = Number(match[1]);
  const perMs = (match[2] === "" ? 1 : Number(match[2])) * (unitsMs.get(match[3] ?? "") ?? 0);
  const burst = match[4] === undefined ? tokens : Number(match[4]);
  const rate = { tokens, perMs, burst };
  const fits = tokens <= tokensMax && burst <= tokensMax && limiter.accepts(rate);
  return fits ? rate : undefined;
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

/** A value is shown in a message up to this many characters. */
const shownMax = 200;

/** A value of any kind for a message, cut, and without what a terminal would act on. */
export function valueText(raw: unknown): string {
  if (typeof raw === "number") return numberText(raw);
  const text = JSON.stringify(raw, (_, inner: unknown) => {
    return typeof inner === "number" && !Number.isFinite(inner) ? numberText(inner) : inner;
  }) ?? "nothing";
  const shown = text.length <= shownMax ? text : `${text.slice(0, shownMax)}…`;
  return shown.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/** As TOML writes it: JSON has no word for these three. */
function numberText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? "inf" : "-inf";
}

/** The fault of an address, or list of them, whose only fault is the length of a socket's path. */
export function longPath(raw: unknown): string | undefined {
  for (const one of [raw].flat()) {
    if (typeof one !== "string" || !one.startsWith("unix:")) continue;
    const bytes = Buffer.byteLength(one) - "unix:".length;
    if (bytes <= unixPathBytesMax) continue;
    return `the system takes ${unixPathBytesMax} bytes for the path of a Unix socket, ` +
      `and this has ${bytes}; choose a shorter one`;
  }
  return undefined;
}
