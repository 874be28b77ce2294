/**
 * What cannot wait until the program itself is loaded.
 *
 * Rule 1: evaluated before everything else, so it imports next to nothing.
 * Rule 2: a SIGHUP asks a daemon to read its configuration, a SIGUSR2 to look at what it watches,
 * at any time, and neither must end one that a supervisor has just started. It looks when it starts
 * anyway. Other commands keep what the system does: they end with their terminal.
 * Rule 3: a maker has little to do for months. The room for young objects, which loading would
 * enlarge eightfold for good, stays as it is: a tenth of the process's memory.
 * @module
 */
import { setFlagsFromString } from "node:v8";
import { onLook, onReload } from "./signals.ts";

if (process.argv[2] === "maker") setFlagsFromString("--semi-space-growth-factor=1");

const daemons = ["directory", "maker", "ark"];
const [, , command = "", next = ""] = process.argv;
/** A word after it is another command, such as `ark plan`. */
const isDaemon = daemons.includes(command) && (next === "" || next.startsWith("-"));

const early = { isAsked: false };
const undo = isDaemon
  ? [onReload(() => void (early.isAsked = true)), onLook(() => {})]
  : [];

/** Stops listening, once the daemon does so itself. Was there a SIGHUP? */
export function takeEarlyReload(): boolean {
  for (const each of undo.splice(0)) each();
  return early.isAsked;
}
