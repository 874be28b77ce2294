/**
 * Says which VTXOs were rejected when they were to be refreshed: of one reason once in a while, of
 * all that came meanwhile at once.
 * @module
 */
import type { ArkNotice } from "../notify/ark.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import { byExpiry } from "./expiry.ts";
import type { Vtxo } from "./wallet.ts";

/** By reason: until when nothing more is told, and what is to be told then. */
export type Untold = Map<string, { readonly until: Mono; readonly list: Vtxo[] }>;

export type Config = {
  /** What was rejected is asked for again after this, in ms. */
  readonly restMs: number;
  /** Rejections of one reason are told so often at most, in ms. */
  readonly tellMs: number;
};

type Out = {
  readonly push: (effect: { readonly type: "notice"; readonly notice: ArkNotice }) => unknown;
};

/** When something is told, or a reason is forgotten. */
export function deadline(m: Untold): Mono {
  let at = NEVER;
  for (const { until } of m.values()) at = soonest(at, until);
  return at;
}

/** At once, or together with others of this reason when its time has come. */
export function tell(
  m: Untold, wallet: string, { restMs, tellMs }: Config, why: string, list: readonly Vtxo[],
  now: Mono, out: Out,
): void {
  const untold = m.get(why);
  if (untold !== undefined) return void untold.list.push(...list);
  const [first, ...others] = list.toSorted(byExpiry);
  if (first === undefined) return;
  m.set(why, { until: after(now, tellMs), list: [] });
  const amountSat = others.reduce((sum, vtxo) => sum + vtxo.amountSat, first.amountSat);
  const notice: ArkNotice = {
    kind: "ark-refresh-rejected", wallet, lead: first.id, count: list.length, amountSat, why,
    restMs,
  };
  out.push({ type: "notice", notice });
}

/** Tells what is to be told by now. */
export function tellLate(m: Untold, wallet: string, config: Config, now: Mono, out: Out): void {
  for (const [why, { until, list }] of [...m]) {
    if (until > now) continue;
    m.delete(why);
    tell(m, wallet, config, why, list, now, out);
  }
}
