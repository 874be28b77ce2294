/**
 * A refresh driver alone, with a journal that takes everything, and what it is asked and answered.
 * @module
 */
import * as drive from "../../core/ark/drive.ts";
import * as expiry from "../../core/ark/expiry.ts";
import type { Sight } from "../../core/ark/guardian-events.ts";
import * as refresh from "../../core/ark/refresh.ts";
import * as ties from "../../core/ark/ties.ts";
import { done, type Answer, type Op } from "../../core/ark/wallet.ts";
import * as prng from "../../core/prng.ts";
import { mono } from "../../core/time.ts";
import { driven } from "./ark-sight.ts";

export const none: ReadonlySet<string> = new Set();
export const hour = 3_600_000;

export function start(fields: Partial<refresh.Config> = {}) {
  const config = { ...refresh.defaults, ...fields };
  const m = refresh.create(config, { ...expiry.defaults, wallet: "w" },
    prng.stream(prng.key("refresh"), "test"));
  const given = driven();
  const failed: string[] = [];
  const look = (s: Sight, ms: number, leaving = none, isReady = true) => {
    refresh.look(m, given.d, s, leaving, isReady, failed, mono(ms), given.out);
    return given.run((intent) => refresh.mayAsk(m, s, leaving, intent), ms);
  };
  const answer = (token: number, one: Answer, s: Sight, ms: number): void => {
    const heard = drive.answered(given.d, token, one, mono(ms), given.out);
    if (heard !== undefined) refresh.heard(m, heard, s, failed, mono(ms), given.out);
    given.run();
  };
  /** The wallet is asked what is under way, and names these. Says whether it is asked. */
  const pending = (s: Sight, ms: number, ids: readonly string[], leaving = none): boolean => {
    if (!refresh.asksPending(m, given.d, s, leaving, mono(ms))) return false;
    ties.heard(m.ties, ids);
    return true;
  };
  return { m, ...given, failed, look, answer, pending };
}

export const taken = done({ op: "refresh", roundId: 1, isConfirmed: false });

/** What a refresh was asked for, if any was. */
export function idsOf(seen: { calls: readonly { readonly call: Op }[] }): readonly string[] {
  for (const { call } of seen.calls) if (call.op === "refresh") return call.vtxos;
  return [];
}

export const rejected = (...ids: readonly string[]): Answer => ({
  ok: false, why: "rejected", fault: { code: "refused", text: "refused" }, ids,
});
