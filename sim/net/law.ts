/**
 * How long the systems at both ends of a connection wait before they send again, and when they
 * give up: what Linux does unless an operator changes it.
 * @module
 */

/** An instant that never comes. */
export const neverUs = Number.MAX_SAFE_INTEGER;

/** The first wait for an answer to what was sent (`TCP_RTO_MIN`); it doubles each time. */
const firstRtoUs = 200_000;
/** It grows no longer than this (`TCP_RTO_MAX`). */
const rtoUsMax = 120_000_000;

/** Unanswered repetitions before a connection is given up (`tcp_retries2`): after 924.6 s. */
export const retriesMax = 15;
/** The same for a connection whose process has let go of it (`tcp_orphan_retries`): 102.2 s. */
export const orphanRetriesMax = 8;

/** Repetitions of the first packet of a dial (`tcp_syn_retries`). */
export const synRetriesMax = 6;
/** When a dial without an answer fails, counted from its beginning. */
export const dialUsMax = 127_000_000;

/** At most so long do bytes wait for company when writes are joined (delayed acknowledgements). */
export const joinUsMax = 40_000;

/** The wait before repetition `nth`, from 0. */
export function rtoUs(nth: number): number {
  return nth >= 10 ? rtoUsMax : firstRtoUs * (1 << nth);
}

/** When, after the beginning of a dial, its first packet is sent for the `nth` time, from 0. */
export function synUs(nth: number): number {
  return ((1 << nth) - 1) * 1_000_000;
}
