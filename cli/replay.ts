/**
 * `dogwatch replay FILE`: plays a recorded run again and says whether every step is the same.
 *
 * Rule 1: what is in the file reaches the terminal escaped and cut: it may be any file.
 * @module
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { cleanText } from "../adapters/log.ts";
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
    const says = notRecording(file);
    if (says !== undefined) {
      const advice = "name a file written with --record";
      io.err(`dogwatch: ${file} is not a recording: ${says}; ${advice}\n`);
      return exits.failed;
    }
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

/** What every header begins with, whatever its version. */
const headerStart = `{"trace":`;

/** Why a file cannot be a recording, from its first bytes: no file is too long to be asked. */
export function notRecording(file: string): string | undefined {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile()) return "it is not a regular file";
    const start = Buffer.alloc(headerStart.length);
    const size = readSync(fd, start);
    if (size === 0) return "it is empty";
    return start.toString("latin1") === headerStart ? undefined : "it begins with something else";
  } finally {
    closeSync(fd);
  }
}

/** A recording that this version cannot replay. */
export class ForeignTrace extends Error {}

/** A kernel as it was when the recording began; throws `ForeignTrace` for one of another kind. */
export function freshKernel(
  header: trace.Header,
): kernel.Kernel<directory.Directory, DirectoryEvent, DirectoryEffect> {
  if (header.kind !== "directory") {
    const kind = cleanText(header.kind);
    throw new ForeignTrace(`a trace of "${kind}", which this version cannot replay`);
  }
  const state = stateOf(header);
  return kernel.create(directory.root(primitives), state, header.startedAt, true);
}

/** A header that was not damaged holds a configuration that its own version had checked. */
function stateOf(header: trace.Header): directory.Directory {
  try {
    return directory.create(header.config as DirectoryConfig, header.startedAt);
  } catch {
    const version = cleanText(header.version);
    const says = `recorded by version ${version}, with settings that this one cannot take`;
    throw new ForeignTrace(says);
  }
}

function text(verdict: Verdict): string {
  if (!verdict.ok) return differenceText(verdict);
  const lines = [`same: ${verdict.steps} steps replayed, every effect as recorded`];
  if (verdict.torn) lines.push("the file ends in the middle of a line, as a killed run leaves it");
  else if (!verdict.footer && verdict.died === undefined) {
    lines.push("the file has no end mark: the run was killed");
  }
  if (verdict.died !== undefined) {
    lines.push(`the run ended in an error, and so did this: ${excerpt(verdict.died, 0)}`);
  }
  return `${lines.join("\n")}\n`;
}

function differenceText(difference: Difference): string {
  const secret = difference.secretSeen
    ? ["a secret came before this step: what follows from it cannot be replayed"]
    : [];
  const lines = [
    `DIFFERENT at step ${difference.step} (line ${difference.line}): ${difference.reason}`,
    ...contrast(difference.expected, difference.actual.trimEnd()),
    ...(difference.kinds.length > 0 ? [`  effects ${excerpt(difference.kinds.join(" "), 0)}`] : []),
    ...difference.effects.map((effect) => `    ${excerpt(effect, 0)}`),
    ...secret,
  ];
  return `${lines.join("\n")}\n`;
}

/** Characters of a line that are shown, and how many of them before the first that differs. */
const shownMax = 200;
const beforeMax = 60;

/**
 * Two lines from where they begin to differ: long ones are the same for long. A line that could not
 * be read is shown from its first byte that no recording holds.
 */
function contrast(expected: string, actual: string): string[] {
  let same = 0;
  while (same < expected.length && expected[same] === actual[same]) same += 1;
  const odd = actual.search(/[^\x20-\x7e]/);
  const from = startBefore(same);
  const shown = from === 0 ? startBefore(odd) : from;
  return [`  expected ${excerpt(expected, from)}`, `  recorded ${excerpt(actual, shown)}`];
}

function startBefore(at: number): number {
  return at < shownMax / 2 ? 0 : at - beforeMax;
}

function excerpt(text: string, from: number): string {
  const shown = cleanText(text.slice(from, from + shownMax));
  const isCut = text.length > from + shownMax && !shown.endsWith("…");
  return `${from > 0 ? "…" : ""}${shown}${isCut ? "…" : ""}`;
}
