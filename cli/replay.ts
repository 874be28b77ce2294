/**
 * `dogwatch replay FILE`: plays a recorded run again and says whether every step is the same.
 * @module
 */
import { primitives } from "../adapters/primitives.ts";
import { readLines } from "../adapters/tracefile.ts";
import type { DirectoryConfig } from "../core/directory/config.ts";
import * as directory from "../core/directory/directory.ts";
import type { DirectoryEffect, DirectoryEvent } from "../core/directory/events.ts";
import * as kernel from "../core/kernel/kernel.ts";
import type * as trace from "../core/kernel/trace.ts";
import { type Difference, replay, type Verdict } from "../sim/replay.ts";
import { exits } from "./exit.ts";
import type { Flags } from "./flags.ts";
import type { Io } from "./io.ts";

/**
 * 0 when every step is the same, 1 when one differs or the file cannot be read, 2 for another
 * daemon's file.
 */
export function replayFile(file: string, flags: Flags, io: Io): number {
  let verdict: Verdict;
  try {
    verdict = replay(readLines(file), freshKernel);
  } catch (error) {
    if (error instanceof ForeignTrace) {
      io.err(`dogwatch: ${file}: ${error.message}\n`);
      return exits.usage;
    }
    io.err(`dogwatch: cannot replay ${file}: ${(error as Error).message}\n`);
    return exits.failed;
  }
  io.out(flags.json === true ? `${JSON.stringify({ schema: 1, ...verdict })}\n` : text(verdict));
  return verdict.ok ? exits.ok : exits.failed;
}

class ForeignTrace extends Error {}

function freshKernel(
  header: trace.Header,
): kernel.Kernel<directory.Directory, DirectoryEvent, DirectoryEffect> {
  if (header.kind !== "directory") {
    throw new ForeignTrace(`a trace of "${header.kind}", which this version cannot replay`);
  }
  // A header that was not damaged holds what a checked configuration was written as.
  const state = directory.create(header.config as DirectoryConfig, header.startedAt);
  return kernel.create(directory.root(primitives), state, header.startedAt, true);
}

function text(verdict: Verdict): string {
  if (!verdict.ok) return differenceText(verdict);
  const lines = [`same: ${verdict.steps} steps replayed, every effect as recorded`];
  if (verdict.torn) lines.push("the file ends in the middle of a line, as a killed run leaves it");
  else if (!verdict.footer && verdict.died === undefined) {
    lines.push("the file has no end mark: the run was killed");
  }
  if (verdict.died !== undefined) {
    lines.push(`the run ended in an error, and so did this: ${verdict.died}`);
  }
  return `${lines.join("\n")}\n`;
}

function differenceText(difference: Difference): string {
  const secret = difference.secretSeen
    ? ["a secret came before this step: what follows from it cannot be replayed"]
    : [];
  const lines = [
    `DIFFERENT at step ${difference.step} (line ${difference.line}): ${difference.reason}`,
    `  expected ${difference.expected}`,
    `  recorded ${difference.actual.trimEnd()}`,
    ...(difference.kinds.length > 0 ? [`  effects ${difference.kinds.join(" ")}`] : []),
    ...difference.effects.map((effect) => `    ${effect}`),
    ...secret,
  ];
  return `${lines.join("\n")}\n`;
}
