/**
 * A daemon that is asked to stop: what it says, and the end of waiting for it.
 * @module
 */
import type { Ambient } from "../adapters/ambient.ts";
import type { Log } from "../adapters/log.ts";
import { after } from "../core/time.ts";
import { exits } from "./exit.ts";

/** Beyond the core's own drain deadline: time for the last closes to come back. */
const drainGraceMs = 2_000;

type Stopping = {
  readonly ambient: Ambient;
  readonly log: Log;
  /** How long the core gives itself. */
  readonly drainMs: number;
  readonly finish: (code: number) => void;
  readonly ended: Promise<number>;
};

/** Says that `signal` stops the daemon, and ends one that has not ended in time. */
export function limitStop(
  signal: string, { ambient, log, drainMs, finish, ended }: Stopping,
): void {
  const withinMs = drainMs + drainGraceMs;
  const seconds = Math.ceil(withinMs / 1_000);
  log.log("info", "run.stopping", { signal, seconds });
  const overran = ambient.timer(() => {
    log.log("error", "run.overran", { seconds });
    finish(exits.failed);
  });
  overran.arm(after(ambient.now(), withinMs));
  void ended.then(() => overran.disarm());
}
