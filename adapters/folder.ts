/**
 * Makes folders.
 *
 * Rule 1: one by one, from the first that is missing. What Node makes with `recursive` never ends
 * where a folder that is there holds no others, as in `/proc`: it asks for the same two for ever.
 * @module
 */
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/**
 * Makes a folder and those above it that are missing; it may be there already. `mode`: of those
 * that are made, less the process's mask. Throws what the system says, `EEXIST` for what is there
 * and no folder.
 */
export function makeFolder(path: string, mode = 0o777): void {
  const missing: string[] = [];
  for (let at = resolve(path); !existsSync(at) && at !== dirname(at); at = dirname(at)) {
    missing.push(at);
  }
  for (const folder of missing.toReversed()) makeOne(folder, mode);
  if (missing.length === 0 && !statSync(path).isDirectory()) mkdirSync(path, { mode });
}

/** Another process may have made it just now, or there is a link to nothing. */
function makeOne(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === "EEXIST";
    if (!isThere || !existsSync(folder)) throw error;
  }
}
