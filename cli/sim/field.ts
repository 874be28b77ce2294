/**
 * A film of a recorded trace: one node of a daemon that ran in the field.
 *
 * Rule 1: the trace has to replay exactly before it is looked at; if it does not, the film ends at
 * the first step that differs, and says so.
 * @module
 */
import { readLines } from "../../adapters/tracefile.ts";
import type { DirectoryEffect, DirectoryEvent } from "../../core/directory/events.ts";
import type { Directory } from "../../core/directory/node.ts";
import * as kernel from "../../core/kernel/kernel.ts";
import * as trace from "../../core/kernel/trace.ts";
import { replay } from "../../sim/replay.ts";
import { freshKernel, notRecording } from "../replay.ts";
import { type Film, type Shot, tailMax } from "./film.ts";

type Machine = kernel.Kernel<Directory, DirectoryEvent, DirectoryEffect>;

export type Field = {
  readonly film: Film;
  /** What comparing every step with the recording gave. */
  readonly says: string;
  readonly isSame: boolean;
};

const nodeName = "directory";

/** Reads and replays a trace file. Throws for one that cannot be replayed. */
export function fieldOf(file: string): Field {
  const foreign = notRecording(file);
  if (foreign !== undefined) throw new Error(`it is not a recording: ${foreign}`);
  const verdict = replay(readLines(file), freshKernel);
  const lines = [...readLines(file)].map((line) => line.replace(/\n$/, ""));
  const says = verdict.ok
    ? `same: ${verdict.steps} steps as recorded`
    : `DIFFERENT at step ${verdict.step}: ${verdict.reason}${
      verdict.secretSeen ? "; a secret came before: it may be derived from that" : ""}`;
  const header = trace.parseHeader(lines[0] ?? "");
  if (!header.ok) throw new Error(`${file}: ${header.fault.text}`);
  const steps = lines.slice(1, 1 + verdict.steps);
  return { film: filmOf(header.value, steps), says, isSame: verdict.ok };
}

function filmOf(header: trace.Header, lines: readonly string[]): Film {
  let machine: Machine = freshKernel(header) as Machine;
  let tail: Shot[] = [];
  let taken = 0;
  let atMs = 0;
  const next = (): Shot | undefined => {
    const parsed = taken < lines.length ? trace.parseStep(lines[taken] ?? "") : undefined;
    if (parsed?.ok !== true) return undefined;
    const { i, t, event } = parsed.value;
    const effects = kernel.step(machine, event as DirectoryEvent, t);
    atMs = t - header.startedAt;
    taken += 1;
    const shot: Shot = { i, atMs, node: nodeName, event, effects: [...effects] };
    tail.push(shot);
    if (tail.length > 2 * tailMax) tail = tail.slice(-tailMax);
    return shot;
  };
  return {
    steps: () => taken,
    nowMs: () => atMs,
    next,
    tail: () => tail.slice(-tailMax),
    seek: (steps) => {
      if (steps < taken) {
        machine = freshKernel(header) as Machine;
        tail = [];
        [taken, atMs] = [0, 0];
      }
      while (taken < steps && next() !== undefined);
    },
    nodes: () => [nodeName],
    state: (node) => (node === nodeName ? machine.state : undefined),
    world: () => undefined,
    verdict: () => (taken >= lines.length ? "the recording is over" : undefined),
  };
}
