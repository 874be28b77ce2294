/**
 * Signals, and the one place that ends the process by force.
 * @module
 */
import { exits } from "./exit.ts";
import type { Io } from "./io.ts";

/**
 * SIGTERM and SIGINT: the first asks to stop, the second ends at once. Also takes SIGUSR1 away from
 * Node, which would open its debugger to everybody on the machine. Returns what undoes it.
 */
export function onStop(stop: (signal: string) => void, io: Io): () => void {
  let asked = false;
  const handle = (signal: NodeJS.Signals): void => {
    if (asked) {
      io.err("dogwatch: second signal, ending at once\n");
      process.exit(exits.failed);
    }
    asked = true;
    stop(signal);
  };
  process.on("SIGTERM", handle);
  process.on("SIGINT", handle);
  if (!process.listeners("SIGUSR1").includes(ignore)) process.on("SIGUSR1", ignore);
  return () => {
    process.off("SIGTERM", handle);
    process.off("SIGINT", handle);
  };
}

/** Stops as SIGTERM would what `onStop` guards. Without it nothing happens. */
export function askToStop(): void {
  process.emit("SIGTERM", "SIGTERM");
}

/** SIGHUP: read the configuration again. Returns what undoes it. */
export function onReload(reload: () => void): () => void {
  process.on("SIGHUP", reload);
  return () => void process.off("SIGHUP", reload);
}

/** SIGUSR2: look at what is watched, now. Returns what undoes it. */
export function onLook(look: () => void): () => void {
  process.on("SIGUSR2", look);
  return () => void process.off("SIGUSR2", look);
}

function ignore(): void {}
