/**
 * SIGHUP while the program itself is still being loaded: a daemon is asked to read its
 * configuration, at any time, and must not end when a supervisor has just started it.
 *
 * Rule 1: evaluated before everything else, so it imports next to nothing. Other commands keep what
 * the system does: they end with their terminal.
 * @module
 */
import { onReload } from "./signals.ts";

const early = { isAsked: false };
const undo = ["directory", "maker"].includes(process.argv[2] ?? "")
  ? onReload(() => void (early.isAsked = true))
  : (): void => {};

/** Stops listening, once the daemon does so itself. Was there a SIGHUP? */
export function takeEarlyReload(): boolean {
  undo();
  return early.isAsked;
}
