/**
 * The periodic sync of a wallet: which steps, and what brings the next pass forward.
 *
 * Rule 1: which steps there are, in which order, and which of them wait for the server is policy.
 * Rule 2: a new block, a coin that moved, and a server or chain source that is back wake it.
 * Rule 3: under manual sync nothing runs by itself.
 * The steps take their turns as `rota.ts` says. Exits are not here, unless the policy wants them.
 * @module
 */
import { assert } from "../assert.ts";
import type { Mono } from "../time.ts";
import type * as prng from "../prng.ts";
import * as rota from "./rota.ts";

export type Config = rota.Config;
export type Event = rota.Event;
export type Effect = rota.Effect;
export type Sync = rota.Rota;

/** A sync that runs nothing until `started`; `jitter` is a stream of its own. */
export function create(config: Config, jitter: prng.Prng): Sync {
  for (const { op } of config.steps) assert(isStep.has(op), `sync: ${op} is no step of it`);
  return rota.create(config, jitter);
}

export const step: (m: Sync, event: Event, now: Mono, out: Effect[]) => void = rota.step;
export const deadline: (m: Sync) => Mono = rota.deadline;

/** When every step had last succeeded; `undefined`: never yet. */
export function goodAt(m: Sync): Mono | undefined {
  return m.turns.every(({ doneAt, isUnsupported }) => isUnsupported || doneAt !== undefined)
    ? m.goodAt : undefined;
}

/** What only looks, or joins rounds, is not for a pass. */
const isStep: ReadonlySet<rota.Plain> = new Set<rota.Plain>([
  "tip", "fee-rates", "sync", "sync-onchain", "sync-boards", "sync-offboards", "sync-rounds",
  "sync-exits", "progress-exits",
]);
