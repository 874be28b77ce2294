/**
 * What a part of the guardian looks at, made by hand: VTXOs by stage, exits, and an own journal
 * that takes everything at once.
 * @module
 */
import * as drive from "../../core/ark/drive.ts";
import type { Coin, Stage } from "../../core/ark/expiry.ts";
import type { Effect, Sight } from "../../core/ark/guardian-events.ts";
import * as intents from "../../core/ark/intents.ts";
import type { Exit, Op, Vtxo } from "../../core/ark/wallet.ts";
import type { Notice } from "../../core/notify/notice.ts";
import * as prng from "../../core/prng.ts";
import { mono } from "../../core/time.ts";

export function coin(id: string, stage: Stage = "due", fields: Partial<Vtxo> = {}): Coin {
  const vtxo: Vtxo = {
    id, amountSat: 50_000n, expiryHeight: stage === "expired" ? 1_000 : 1_100,
    exitDeltaBlocks: 6, exitDepth: 2, state: "spendable", ...fields,
  };
  return { vtxo, stage, failures: 0, isExiting: false, isUntold: false };
}

/** Everything seen at `ms`, at height 1,000. */
export function sightOf(coins: readonly Coin[], exits: readonly Exit[] = [], ms = 0): Sight {
  return {
    coins: new Map(coins.map((one) => [one.vtxo.id, one])),
    exits: new Map(exits.map((one) => [one.vtxo, one])),
    vtxosFrom: mono(ms), exitsFrom: mono(ms), isFresh: true, tip: 1_000, said: 1_000,
    counted: 1_000, isProven: true,
    isStrange: false, isElsewhere: false, isBarred: false, info: undefined,
    unixMs: 1_763_000_000_000,
  };
}

export function exit(vtxo: string, state: Exit["state"]): Exit {
  return { vtxo, state, claimableHeight: undefined };
}

export function driven() {
  const book = intents.create(intents.defaults);
  const d = drive.create(drive.defaults, book, prng.stream(prng.key("sight"), "drive"));
  const out: Effect[] = [];
  const notices: Notice[] = [];
  /** Everything that is written becomes durable, and what is due is asked for. */
  const run = (mayAsk: (intent: intents.Intent) => boolean = () => true, ms = 0) => {
    const calls: { readonly token: number; readonly call: Op }[] = [];
    const settled: intents.Settled[] = [];
    for (let i = 0; i < 50 && out.length > 0; i += 1) {
      const effect = out.shift();
      if (effect?.type === "record") {
        const one = drive.durable(d, effect.token);
        if (one !== undefined) settled.push(one);
        drive.ask(d, mayAsk, mono(ms), out);
      } else if (effect?.type === "call") calls.push(effect);
      else if (effect?.type === "notice") notices.push(effect.notice);
    }
    return { calls, settled };
  };
  return { d, book, out, notices, run };
}
