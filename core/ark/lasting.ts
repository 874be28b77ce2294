/**
 * Which height is written down for the next run.
 *
 * Rule 1: what was said in this run, or known before and still held, once in a while; and at once
 * what has come to have proof, or takes the place of a higher one that had none. What has no proof
 * is written down too: a process that dies young leaves its successor not blind.
 * Not known here: records, and what the next run makes of it (`height.ts`).
 * @module
 */
import type { Mono } from "../time.ts";
import * as heights from "./height.ts";
import type { Tip } from "./intents.ts";

/** Wall time, and when it was told. */
export type Anchor = { readonly unixMs: number; readonly at: Mono };

/**
 * What is to be written now; `undefined`: nothing. `known`: what stands in the journal; `isDue`: it
 * is time again; `isMisdated`: its stamp is by another clock.
 */
export function tipOf(
  m: heights.Height, known: Tip | undefined, anchor: Anchor, isDue: boolean, isMisdated: boolean,
  now: Mono,
): Tip | undefined {
  const said = heights.lasting(m, now);
  if (said === undefined || !heights.isKnown(m)) return undefined;
  const { height, at, agoMs } = said;
  const { isProven } = m;
  const unixMs = anchor.unixMs + (at - anchor.at) - agoMs;
  const isOther = isProven !== known?.isProven || (!isProven && height < known.height);
  if (unixMs < 0 || (!isDue && !isOther)) return undefined;
  if (height === known?.height && !isOther && !isMisdated) return undefined;
  return { height, unixMs, isProven };
}
