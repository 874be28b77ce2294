/**
 * How long a refresh that shows nothing is waited for.
 *
 * Rule 1: `patienceMs` where the server took it, `unsureMs` where nobody knows, and two rounds if
 * those are longer; but what a server says of its rounds counts up to the margin of exits only.
 * Rule 2: it ends where that margin does. One that was seen for the first time within the margin,
 * or whose blocks came in a burst, would be waited for until it expires. As soon as its height is
 * so near that an exit has its bare time left, and the exit is about to begin, a refresh has one
 * round to show what it did, and `hastyMs` at least: an exit of what a round has taken costs fees.
 * Rule 3: where no exit is about to begin there is nothing better than to wait: rule 1.
 * Rule 4: what an earlier run asked for is as old as its stamp says, and yet it has `anewMs` left:
 * a wallet that was driven by nobody meanwhile has to fetch what a round has brought. Not in haste:
 * a process that dies again and again must not make an exit wait.
 * Not known here: what becomes of a refresh that was waited for in vain (`refresh.ts`).
 * @module
 */
import { assert } from "../assert.ts";
import { heightOf, type Config as ExpiryConfig } from "./expiry.ts";
import type { Sight } from "./guardian-events.ts";
import type { Intent } from "./intents.ts";

export type Config = {
  /** What the server took is done within this, or came to nothing, in ms. 7,200,000. */
  readonly patienceMs: number;
  /** The same where nobody knows whether it took it, in ms. 7,200,000: its round may be as late. */
  readonly unsureMs: number;
  /** The least of it that a run leaves to what an earlier one asked for, in ms. 1,800,000. */
  readonly anewMs: number;
  /** The least of it where an exit has waited as long as it can, in ms. 1,200,000. */
  readonly hastyMs: number;
};

export const defaults: Config = {
  patienceMs: 7_200_000, unsureMs: 7_200_000, anewMs: 1_800_000, hastyMs: 1_200_000,
};

/** Asserts the ranges of `c`. */
export function check({ patienceMs, unsureMs, anewMs, hastyMs }: Config): void {
  assert(anewMs >= 1 && hastyMs >= 1, "patience: a call takes time");
  assert(unsureMs >= 1 && patienceMs >= unsureMs, "patience: who took it is waited for longer");
}

/**
 * For so long from now on may this refresh still come to something, in ms; below 1: it has had its
 * time. `leaving`: those whose exit is about to begin. `agoMs`: so old was it when this run began.
 */
export function leftMs(
  c: Config, e: ExpiryConfig, s: Sight, leaving: ReadonlySet<string>, intent: Intent, agoMs: number,
): number {
  const inAllMs = patienceOf(c, e, s, intent);
  if (!intent.vtxos.some((id) => leaving.has(id) && isBeyondMargin(e, s, id))) {
    const leastMs = c.anewMs < inAllMs ? c.anewMs : inAllMs;
    return inAllMs - agoMs > leastMs ? inAllMs - agoMs : leastMs;
  }
  const roundMs = (s.info?.roundIntervalS ?? 0) * 1_000;
  const hastyMs = roundMs > c.hastyMs ? roundMs : c.hastyMs;
  return (hastyMs < inAllMs ? hastyMs : inAllMs) - agoMs;
}

/** Rule 1. */
function patienceOf(c: Config, e: ExpiryConfig, s: Sight, { isSent }: Intent): number {
  const leastMs = isSent ? c.patienceMs : c.unsureMs;
  const roundsMs = (s.info?.roundIntervalS ?? 0) * 2_000;
  if (roundsMs <= leastMs) return leastMs;
  const marginMs = e.marginBlocks * e.fastMs;
  if (marginMs <= leastMs) return leastMs;
  return roundsMs < marginMs ? roundsMs : marginMs;
}

/** Rule 2: has its exit waited for as many blocks as it is to be begun earlier for? */
export function isBeyondMargin(e: ExpiryConfig, { coins, tip }: Sight, id: string): boolean {
  const coin = coins.get(id);
  if (coin === undefined || tip === undefined) return false;
  return tip >= heightOf(e, coin.vtxo, "exit-now") + e.marginBlocks;
}
