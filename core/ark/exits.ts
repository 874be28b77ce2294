/**
 * Exits in a lane of their own.
 *
 * Rule 1: nothing that syncs, streams or waits elsewhere can delay them; fee rates are refreshed
 * here too, whether the Ark server is there or not, and an exit goes on without fresh ones.
 * Rule 2: while an exit is under way there is a pass at every interval, and one for every block.
 * When the wallet says that none is, passes are rarer; an exit that begins brings the next forward.
 * Rule 3: progress is never cut. A pass that hangs is told, and there is no second beside it.
 * Not known here: which VTXOs are to exit, and who claims.
 * @module
 */
import { assert } from "../assert.ts";
import type { Mono } from "../time.ts";
import type * as prng from "../prng.ts";
import * as pause from "./pause.ts";
import * as rota from "./rota.ts";
import type { Done } from "./wallet.ts";

export type Config = {
  /** `false`: exits are steps of the sync, and this lane is idle. */
  readonly isOwn: boolean;
  readonly rota: rota.Config;
  /** Between passes while no exit is under way. */
  readonly idle: pause.Rest;
};

export type Event = rota.Event;
export type Effect = rota.Effect;

export type Exits = {
  readonly config: Config;
  readonly rota: rota.Rota;
  /** As the wallet said last; `undefined`: not yet. */
  isLive: boolean | undefined;
};

/** Asserts the ranges of `c`. */
export function check(c: Config): void {
  rota.check(c.rota);
  pause.checkRest(c.idle, 1, "exits: idle");
  assert(c.rota.steps.some(({ op }) => op === "progress-exits"), "exits: they make progress");
  for (const { gate } of c.rota.steps) assert(gate === "none", "exits: they wait for no server");
}

/** A lane that runs nothing until `started`; `jitter` is a stream of its own. */
export function create(config: Config, jitter: prng.Prng): Exits {
  check(config);
  return { config, rota: rota.create(config.rota, jitter), isLive: undefined };
}

export function step(m: Exits, event: Event, now: Mono, out: Effect[]): void {
  if (!m.config.isOwn) return;
  // Before the rota hears of it, so that the rest after this pass is already the right one.
  const { under } = m.rota.lane;
  if (event.type === "answered" && event.token === under?.token && event.answer.ok) {
    heard(m, event.answer.done, now);
  }
  rota.step(m.rota, event, now, out);
}

/** When a pass, a retry or the end of waiting is due. */
export function deadline(m: Exits): Mono {
  return rota.deadline(m.rota);
}

/** A pass that is far off because none was under way comes nearer; it may be a retry that tells. */
function heard(m: Exits, done: Done, now: Mono): void {
  if (done.op !== "progress-exits" || m.isLive === !done.isDone) return;
  m.isLive = !done.isDone;
  rota.pace(m.rota, m.isLive ? m.config.rota.rest : m.config.idle, now);
}
