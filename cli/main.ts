#!/usr/bin/env node
/**
 * The entry point: arguments in, exit code out.
 *
 * Rule 1: whatever nobody caught is a fault of Dogwatch, and ends with the exit code that says so.
 * @module
 */
import { dogwatch } from "./args.ts";
import { exits } from "./exit.ts";
import { processIo } from "./io.ts";
import { askToStop } from "./signals.ts";

process.setSourceMapsEnabled(true);
const io = processIo(process, askToStop);
process.on("uncaughtException", (error) => {
  io.err(`dogwatch: a fault of Dogwatch, please report it: ${error.stack}\n`);
  process.exit(exits.invariant);
});

// A listener that is still closing must not keep a finished command alive.
process.exit(await io.finish(await dogwatch(process.argv.slice(2), io)));
