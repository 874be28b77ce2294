/**
 * Exits that stand still: in one state for so long that somebody has to look.
 *
 * Rule 1: it is told once for each exit and state, `stuckMs` after it was first seen there.
 * Rule 2: all that stand still in one state are told of together, and of a state no more often than
 * once in `tellMs`: many exits make no storm.
 * Rule 3: a state that is not known may be a failure; it is told of like one that should move.
 * Not known here: what makes exits go on.
 * @module
 */
import { assert } from "../assert.ts";
import type { ArkNotice } from "../notify/ark.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import type { Effect } from "./guardian-events.ts";
import type { Exit, ExitState } from "./wallet.ts";

export type Config = {
  /** An exit that stays in one state for so long is told, in ms. 21,600,000. */
  readonly stuckMs: number;
  /** Of one state it is told so often at most, in ms. 3,600,000. */
  readonly tellMs: number;
};

export const defaults: Config = { stuckMs: 21_600_000, tellMs: 3_600_000 };

type Watched = {
  readonly state: ExitState; readonly since: Mono; isTold: boolean;
  /** As last seen among the VTXOs; 0 if it never was. */
  readonly amountSat: bigint;
};

export type Still = {
  readonly config: Config;
  readonly wallet: string;
  readonly watched: Map<string, Watched>;
  /** Until when nothing more is told of a state. */
  readonly quiet: Map<ExitState, Mono>;
};

/** No exit was seen. Asserts the ranges of `config`. */
export function create({ stuckMs, tellMs }: Config, wallet: string): Still {
  for (const ms of [stuckMs, tellMs]) {
    assert(Number.isSafeInteger(ms) && ms >= 1, "a time is a whole number of milliseconds");
  }
  return { config: { stuckMs, tellMs }, wallet, watched: new Map(), quiet: new Map() };
}

/** When it is told of one, should none move. */
export function deadline(m: Still): Mono {
  let at = NEVER;
  for (const one of m.watched.values()) if (!one.isTold) at = soonest(at, tellAt(m, one));
  return at;
}

/** The exits as the wallet lists them now; `amountOf`: what one is worth, as far as is known. */
export function look(
  m: Still, exits: ReadonlyMap<string, Exit>, amountOf: (vtxo: string) => bigint, now: Mono,
  out: Effect[],
): void {
  for (const id of m.watched.keys()) if (!exits.has(id)) m.watched.delete(id);
  const stuck = new Map<ExitState, string[]>();
  for (const { vtxo, state } of exits.values()) {
    const old = m.watched.get(vtxo);
    if (old?.state !== state) {
      const amountSat = amountOf(vtxo);
      m.watched.set(vtxo, { state, since: now, isTold: !isMoving(state), amountSat });
    } else if (!old.isTold && now >= tellAt(m, old)) {
      stuck.set(state, [...stuck.get(state) ?? [], vtxo]);
    }
  }
  for (const [state, list] of stuck) tell(m, state, list, now, out);
}

/** What it was worth when it was seen first; 0: not known. */
export function amountOf(m: Still, vtxo: string): bigint {
  return m.watched.get(vtxo)?.amountSat ?? 0n;
}

/** Should it be in another state soon? The rest waits for blocks, or for somebody. */
function isMoving(state: ExitState): boolean {
  return state === "start" || state === "processing" || state === "claim-in-progress"
    || state === "unknown";
}

function tellAt(m: Still, { state, since }: Watched): Mono {
  const at = after(since, m.config.stuckMs);
  const until = m.quiet.get(state);
  return until === undefined || until < at ? at : until;
}

function tell(
  m: Still, state: ExitState, list: readonly string[], now: Mono, out: Effect[],
): void {
  m.quiet.set(state, after(now, m.config.tellMs));
  let stuckMs: number = NEVER;
  for (const id of list) {
    const one = m.watched.get(id);
    assert(one !== undefined, "what stands still is watched");
    one.isTold = true;
    if (now - one.since < stuckMs) stuckMs = now - one.since;
  }
  const [lead = ""] = list.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const count = list.length;
  const notice: ArkNotice = {
    kind: "ark-exit-stuck", wallet: m.wallet, lead, count, state, stuckMs,
  };
  out.push({ type: "notice", notice });
}
