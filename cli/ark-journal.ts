/**
 * Makes the journal of Ark wallets smaller before it is opened, where that is worth it.
 * @module
 */
import * as fs from "node:fs/promises";
import { replace } from "../adapters/replace.ts";
import type { Log } from "../adapters/log.ts";
import { compact, worthBytes } from "../core/ark/compaction.ts";
import type { ArkConfig } from "../core/ark/config.ts";
import * as intents from "../core/ark/intents.ts";

/**
 * Whoever holds the lock of its folder may call it, before anybody reads the file. What goes wrong
 * leaves the file as it was, and is said.
 */
export async function shrink(
  path: string, { journal, notify }: ArkConfig, log: Pick<Log, "log">, minBytes = worthBytes,
): Promise<void> {
  const before = await read(path, minBytes);
  if (before === undefined) return;
  const { tornBytesMax } = journal;
  const after = compact(before, { tornBytesMax, notify, intents: intents.defaults });
  // A file that would soon be as large again is no gain.
  if (after === undefined || after.length > before.length >> 1) return;
  const says = await replace(path, after);
  if (says !== undefined) return log.log("warn", "run.journal-kept", { says });
  log.log("info", "run.journal-smaller", { before: before.length, after: after.length });
}

/** `undefined`: it is not there, is small, or cannot be read, as the journal will find out. */
async function read(path: string, minBytes: number): Promise<Uint8Array | undefined> {
  try {
    const about = await fs.stat(path);
    return about.isFile() && about.size >= minBytes ? await fs.readFile(path) : undefined;
  } catch {
    return undefined;
  }
}
