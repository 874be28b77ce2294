/**
 * How long the link to one directory waits after a failure.
 *
 * Rule 1: while no directory was ever reached, Tor may still be starting: waits are short and grow
 * slowly. What fails then counts for nothing afterwards.
 * Rule 2: from then on waits double, and begin anew only when the link says that it is `healthy`.
 * Rule 3: a limit on retries makes them rare once it is spent, and never ends them: an outage that
 * nobody saw must not take a maker away for good.
 * Not known here: what failed, and what is healthy.
 * @module
 */
import { assert } from "../assert.ts";
import * as backoff from "../backoff.ts";
import type * as prng from "../prng.ts";

export type Config = {
  /** Waits while no directory was ever reached: 5 s, growing by half up to 30 s. */
  readonly startup: backoff.Config;
  /** Waits from then on: 5 s, doubling up to 300 s. */
  readonly retry: backoff.Config;
  /** After so many failures in a row the waits are those of `spentMs`. 0: no limit. */
  readonly retriesMax: number;
  /** The longest wait once the limit is spent, in ms. One hour. */
  readonly spentMs: number;
};

export const defaults: Config = {
  startup: { baseMs: 5_000, maxMs: 30_000, times: 3, per: 2 },
  retry: { baseMs: 5_000, maxMs: 300_000, times: 2, per: 1 }, retriesMax: 0, spentMs: 3_600_000,
};

export type Retry = {
  readonly config: Config;
  /** Its own stream. */
  readonly jitter: prng.Prng;
  isStartup: boolean;
  /** In a row: during startup, and since. */
  startupFailures: number;
  failures: number;
};

/** Asserts that waits grow and are finite. */
export function check(c: Config): void {
  backoff.check(c.startup);
  backoff.check(c.retry);
  backoff.check(spent(c));
  assert(Number.isSafeInteger(c.retriesMax), "retry: a whole number of retries");
  assert(c.retriesMax >= 0, "retry: a number of retries");
}

export function create(config: Config, jitter: prng.Prng): Retry {
  check(config);
  return { config, jitter, isStartup: false, startupFailures: 0, failures: 0 };
}

/** The longest and the shortest wait that `failed` would draw from now. */
export function range(m: Retry): backoff.Range {
  const { config, failures } = m;
  if (m.isStartup) return backoff.range(config.startup, m.startupFailures);
  if (isSpent(m)) return backoff.range(spent(config), 0);
  return backoff.range(config.retry, failures);
}

/** Counts a failure and draws the wait until the next try, in ms. */
export function failed(m: Retry): number {
  const { config, jitter } = m;
  if (m.isStartup) {
    m.startupFailures += 1;
    return backoff.delayMs(config.startup, m.startupFailures - 1, jitter);
  }
  const limited = isSpent(m);
  m.failures += 1;
  if (limited) return backoff.delayMs(spent(config), 0, jitter);
  return backoff.delayMs(config.retry, m.failures - 1, jitter);
}

/** Draws the first wait, and counts nothing: nothing has failed. */
export function pause(m: Retry): number {
  return backoff.delayMs(m.config.retry, 0, m.jitter);
}

/** The link has proved its health. */
export function healthy(m: Retry): void {
  m.startupFailures = 0;
  m.failures = 0;
}

/** Is the limit spent? The first `retriesMax` failures are followed by the usual waits. */
export function isSpent(m: Retry): boolean {
  return m.config.retriesMax > 0 && m.failures >= m.config.retriesMax;
}

function spent(c: Config): backoff.Config {
  return { baseMs: c.spentMs, maxMs: c.spentMs, times: 1, per: 1 };
}
