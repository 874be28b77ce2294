/**
 * From the arguments to an exit code.
 * @module
 */
// First: it listens while everything else is loaded.
import { takeEarlyReload } from "./early.ts";
import { CommanderError } from "commander";
import { exits } from "./exit.ts";
import type { Io } from "./io.ts";
import { program } from "./program.ts";

/** Runs `dogwatch` with these arguments (without the program's name). Resolves to the exit code. */
export async function dogwatch(args: readonly string[], io: Io): Promise<number> {
  let exit: number | undefined;
  const commands = program(io, (code) => (exit = code));
  try {
    await commands.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version that were asked for are answers; all else that commander throws is usage.
    return error.exitCode === 0 ? exits.ok : exits.usage;
  } finally {
    // Where no daemon took over, SIGHUP is the system's again.
    takeEarlyReload();
  }
  return exit ?? exits.usage;
}
