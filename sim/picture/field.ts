/**
 * A trace that a running directory recorded, as a recording for pictures: what happened in the
 * field is looked at with the tools for simulated runs.
 *
 * Rule 1: a trace knows one side. Each peer gets a lane by its nick, or by its connection while it
 * has said none; what it sent is drawn where it was received, and what was sent to it as received.
 * Rule 2: the trace is played again; a step that is not as recorded ends the picture, and is
 * its finding.
 * Rule 3: of a long trace only a part is kept, with the states of the directory in it.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import type { Directory } from "../../core/directory/directory.ts";
import type { DirectoryEffect, DirectoryEvent } from "../../core/directory/events.ts";
import type { ConnId } from "../../core/ids.ts";
import type { Tick, WakeEffect } from "../../core/kernel/io.ts";
import { step, type Kernel } from "../../core/kernel/kernel.ts";
import * as trace from "../../core/kernel/trace.ts";
import { shownTypes } from "../lines.ts";
import type { Recording } from "../recording.ts";
import { compose } from "./field-compose.ts";
import type { Written } from "./source.ts";
import type { KeptEffect, Story, Who } from "./story.ts";
import { changesOf, treeOf } from "./tree.ts";

export type DirectoryKernel = Kernel<Directory, DirectoryEvent, DirectoryEffect>;
type Effect = DirectoryEffect | WakeEffect;

export type FieldOptions = {
  /** Steps that are kept. 4,000. */
  readonly stepsMax?: number;
  /** The last step that is kept; the last one of the trace. */
  readonly lastStep?: number;
};

export type Field =
  | { readonly ok: true; readonly recording: Recording; readonly states: Written }
  /** What is wrong with the file. */
  | { readonly ok: false; readonly says: string };

/**
 * Plays the lines of a trace (each with its newline; read twice) through the kernel that `make`
 * builds for its header; the kernel must be traced. Throws only what `make` throws.
 */
export function fieldOf(
  lines: () => Iterable<string>, make: (header: trace.Header) => DirectoryKernel,
  options: FieldOptions = {},
): Field {
  const total = stepsIn(lines());
  const last = Math.min(total - 1, options.lastStep ?? total - 1);
  const from = Math.max(0, last + 1 - (options.stepsMax ?? 4_000));
  let kernel: DirectoryKernel | undefined;
  let story: Story | undefined;
  for (const line of lines()) {
    if (story === undefined || kernel === undefined) {
      const header = trace.parseHeader(line.replace(/\n$/, ""));
      if (!header.ok) return { ok: false, says: header.fault.text };
      kernel = make(header.value);
      story = begin(header.value, from);
      continue;
    }
    if (story.steps > last || line.startsWith(`{"end":`)) break;
    play(story, kernel, line);
    if (story.wrong !== undefined) break;
  }
  if (story === undefined) return { ok: false, says: "the file is empty" };
  return { ok: true, ...compose(story) };
}

function stepsIn(lines: Iterable<string>): number {
  let count = 0;
  for (const line of lines) if (line.startsWith(`{"i":`)) count += 1;
  return count;
}

function begin(header: trace.Header, from: number): Story {
  return {
    header, kept: [], seen: new Map(), from, steps: 0, wrong: undefined, changes: [],
    first: undefined, last: undefined, digest: "",
  };
}

function play(s: Story, k: DirectoryKernel, line: string): void {
  const text = line.replace(/\n$/, "");
  const parsed = trace.parseStep(text);
  // A run that was killed leaves a part of a line: the trace ends there.
  if (!parsed.ok) return wrong(s, line.endsWith("\n") ? parsed.fault.text : "");
  const { t, event, died } = parsed.value;
  const isKept = s.steps >= s.from;
  if (isKept && s.last === undefined) s.first = s.last = treeOf(k.state);
  let effects: readonly Effect[];
  try {
    effects = step(k, event as DirectoryEvent | Tick, t);
  } catch (error) {
    keep(s, t, event, [], false);
    return wrong(s, error instanceof Error ? error.message : String(error));
  }
  const registers = note(s, k, event as DirectoryEvent | Tick, t);
  if (isKept) {
    keep(s, t, event, effects, registers);
    const tree = treeOf(k.state);
    s.changes.push({ step: s.steps - s.from, changes: changesOf(s.last, tree) });
    s.last = tree;
  }
  const { digest } = k;
  if (digest !== undefined) {
    s.digest = trace.hex(digest);
    const again = trace.stepText(s.steps, t, event, effects, digest);
    if (again !== text) wrong(s, "the replay is not as recorded from here");
  }
  s.steps += 1;
  if (died !== undefined) wrong(s, died);
}

/** The step that was being played is the last; empty: nothing is wrong but the end. */
function wrong(s: Story, says: string): void {
  s.wrong ??= { step: s.steps, says };
}

/** Who came, who left, what they call themselves. Answers whether one was registered by this. */
function note(s: Story, k: DirectoryKernel, event: DirectoryEvent | Tick, t: number): boolean {
  if (!("conn" in event)) return false;
  const atMs = t - s.header.startedAt;
  const { conn } = event;
  if (event.type === "conn.opened") {
    const fresh = { conn, openedMs: atMs, endedMs: -1, isRegistered: false, who: undefined };
    s.seen.set(conn, fresh);
  }
  const seen = s.seen.get(conn);
  if (seen === undefined) return false;
  if (event.type === "conn.closed") seen.endedMs = atMs;
  const at = k.state.sessions.byConn.get(conn)?.at;
  if (at !== undefined && "hello" in at) seen.who = whoOf(at.hello);
  if (at?.phase !== "registered") return false;
  seen.who = whoOf(at.peer);
  const { isRegistered } = seen;
  seen.isRegistered = true;
  return !isRegistered;
}

/** A copy: what the machine holds may change. */
function whoOf({ nick, maker, features }: Who): Who {
  return { nick, maker, features };
}

function keep(
  s: Story, t: number, event: { readonly type: string }, effects: readonly Effect[],
  registers: boolean,
): void {
  const { conn, bytes, reason } = event as {
    readonly conn?: ConnId; readonly bytes?: Uint8Array; readonly reason?: string;
  };
  const isReceived = event.type === "conn.received" && bytes !== undefined;
  s.kept.push({
    atMs: t - s.header.startedAt, event: event.type, conn,
    what: isReceived ? shownTypes(bytes) : reason ?? "", bytes: isReceived ? bytes.length : 0,
    effects: effects.map(keptEffect), registers,
  });
}

function keptEffect(effect: Effect): KeptEffect {
  const base = { type: effect.type, conn: undefined, what: "", bytes: 0 };
  switch (effect.type) {
    case "conn.send": {
      const { conn, bytes } = effect;
      return { type: effect.type, conn, what: shownTypes(bytes), bytes: bytes.length };
    }
    case "conn.close":
      return { ...base, conn: effect.conn, what: `${effect.how}: ${effect.reason}` };
    case "log": return { ...base, what: `${effect.level} ${effect.code}` };
    case "wake": return { ...base, what: String(effect.at) };
    case "entropy.want": return { ...base, what: String(effect.size) };
    case "stopped": return base;
    default: return unreachable(effect);
  }
}
