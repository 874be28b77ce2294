/**
 * A daemon under signals: those that come before it runs are remembered.
 * @module
 */
import { takeEarlyReload } from "./early.ts";
import type { Io } from "./io.ts";
import { onLook, onReload, onStop } from "./signals.ts";

/** What the signals do. */
export type Steering = {
  readonly stop: (signal: string) => void;
  readonly reload: () => void;
  /** Where there is something to look at. */
  readonly look?: () => void;
};

/** Runs `run`, which calls `steer` once, when there is a daemon to steer. Gives its exit code. */
export async function steered(
  io: Io, run: (steer: (steering: Steering) => void) => Promise<number>,
): Promise<number> {
  let steering: Steering | undefined;
  const early: { signal: string | undefined; reload: boolean } = {
    signal: undefined, reload: false,
  };
  // Unheard, a SIGHUP or a SIGUSR2 that comes while the daemon starts would end it.
  const undo = [
    onStop((signal) => {
      if (steering === undefined) early.signal = signal;
      else steering.stop(signal);
    }, io),
    onReload(() => {
      if (steering === undefined) early.reload = true;
      else steering.reload();
    }),
    onLook(() => steering?.look?.()),
  ];
  // Only now: without anybody who hears it, a signal is the system's.
  if (takeEarlyReload()) early.reload = true;
  try {
    return await run((chosen) => {
      steering = chosen;
      if (early.reload) steering.reload();
      if (early.signal !== undefined) steering.stop(early.signal);
    });
  } finally {
    for (const each of undo) each();
  }
}
