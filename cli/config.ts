/**
 * `dogwatch config init|check|show`.
 * @module
 */
import { closeSync, openSync, writeFileSync } from "node:fs";
import { type Entry, load } from "../adapters/config.ts";
import { filesAdvice, filesMax } from "../adapters/config/files.ts";
import { concerns } from "../adapters/config/keys.ts";
import { effective, effectiveJson, template } from "../adapters/config/text.ts";
import { exits } from "./exit.ts";
import {
  arkIn, configFile, type Flags, flagSettings, loadFlags, makerIn, type Read, tellProblems,
} from "./flags.ts";
import type { Io } from "./io.ts";

/**
 * Writes the template to `--config FILE`, which must not exist, or to stdout. Other flags set their
 * keys in it.
 */
export function init(flags: Flags, io: Io): number {
  const given = flagSettings(flags);
  // The flags alone are checked: an existing file or variable has no say in a new file.
  const checked = load({ file: undefined, env: {}, flags: given });
  if (!checked.ok) {
    tellProblems(io, checked.problems);
    return exits.usage;
  }
  const text = template(new Map(given.map(({ key, raw }) => [key, raw])));
  if (flags.config === undefined) {
    io.out(text);
    return exits.ok;
  }
  return writeNew(flags.config, text, io);
}

function writeNew(file: string, text: string, io: Io): number {
  try {
    const descriptor = openSync(file, "wx", 0o600);
    try {
      writeFileSync(descriptor, text);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === "EEXIST";
    const says = exists
      ? "it exists already and was left as it is; name another file or move it away"
      : `${(error as Error).message}; name a file in a directory that you may write`;
    io.err(`dogwatch: cannot write ${file}: ${says}\n`);
    return exits.failed;
  }
  io.err(`Wrote ${file}. Check it after a change with: dogwatch config check --config ${file}\n`);
  return exits.ok;
}

/** What keeps a maker or the daemon of Ark wallets from starting, where settings speak of them. */
function daemonProblems(read: Read, io: Io): readonly string[] {
  const isSet = (of: (key: string) => boolean): boolean =>
    read.entries.some(({ key, origin }) => of(key.key) && origin.from !== "default");
  const isArk = isSet((key) => key.startsWith("ark."));
  // Tor and notices are for both: alone, they speak of a maker.
  const isMaker = isSet((key) => concerns("maker", key) && !concerns("directory", key)
    && !(isArk && concerns("ark", key)));
  const made = [...(isMaker ? [makerIn(read, io)] : []), ...(isArk ? [arkIn(read, io)] : [])];
  return [...new Set(made.flatMap((one) => (one.ok ? [] : one.problems)))];
}

/** Checks file, environment and flags together, as the daemon would. Starts nothing. */
export function check(flags: Flags, io: Io): number {
  const loaded = loadFlags(flags, io);
  const problems = loaded.ok ? daemonProblems(loaded, io) : loaded.problems;
  const ok = problems.length === 0;
  const advice = loaded.ok ? filesAdvice(loaded.settings.directory, filesMax()) : undefined;
  const warnings = advice === undefined ? [] : [advice];
  const file = configFile(flags, io) ?? "no file, defaults";
  if (flags.json === true) {
    io.out(`${JSON.stringify({ schema: 1, ok, file, problems, warnings })}\n`);
  } else if (loaded.ok && ok) {
    io.out(`ok: ${file} (${changed(loaded.entries)} of ${loaded.entries.length} keys set)\n`);
  }
  tellProblems(io, problems);
  for (const warning of warnings) io.err(`dogwatch: warning: ${warning}\n`);
  return ok ? exits.ok : exits.usage;
}

function changed(entries: readonly Entry[]): number {
  return entries.filter((entry) => entry.origin.from !== "default").length;
}

/**
 * Prints what is in force, as a valid file or as JSON; with `origin`, where each value came from.
 */
export function show(flags: Flags & { readonly origin?: boolean }, io: Io): number {
  const loaded = loadFlags(flags, io);
  if (!loaded.ok) {
    tellProblems(io, loaded.problems);
    return exits.usage;
  }
  const origins = flags.origin === true;
  const json = flags.json === true;
  io.out(json ? effectiveJson(loaded.entries, origins) : effective(loaded.entries, origins));
  return exits.ok;
}
