/**
 * Drives a kernel with what happens, and carries out what it asks for.
 *
 * Rule 1: a queue, one timer and a table of performers; no decision. `step` is never called from
 * inside an effect: what a performer causes waits in the queue.
 * Rule 2: a back-stop tick comes every minute. It must change nothing; if it does, a deadline was
 * forgotten, which is logged as an error and counted.
 * Rule 3: whatever `step` throws is a bug of ours: the tail of the run is written down, and the
 * daemon ends with exit code 13. A trace that cannot be written ends the recording, nothing else.
 * @module
 */
import { assert } from "../core/assert.ts";
import type { LogField, LogLevel, Tick, WakeEffect } from "../core/kernel/io.ts";
import { step, TICK, type Kernel } from "../core/kernel/kernel.ts";
import * as trace from "../core/kernel/trace.ts";
import { sealKeyBytes } from "../core/secret.ts";
import type { Mono, Wall } from "../core/time.ts";
import { createJumpWatcher, type Ambient, type Timer } from "./ambient.ts";
import { writeCrash, type TraceFile, type WriteFailure } from "./tracefile.ts";

type Typed = { readonly type: string };

/** One performer for each kind of effect: a missing one is a type error. */
export type Performers<F extends Typed> = {
  readonly [K in F["type"]]: (effect: Extract<F, { readonly type: K }>) => void;
};

export type HostCounts = {
  /** Back-stop ticks that changed something. */
  backstopRescues: number;
  /** Steps since recording stopped; lines that were still held back then are lost as well. */
  unrecorded: number;
};

export type Recording = { readonly file: TraceFile; readonly header: trace.Header };

export type HostOptions<S, E extends Typed, F extends Typed> = {
  readonly kernel: Kernel<S, E, F>;
  readonly ambient: Ambient;
  readonly perform: Performers<F>;
  /** The event that tells wall time; sent at start and after jumps. */
  readonly anchored: (wall: Wall) => E;
  readonly log: (
    level: LogLevel,
    code: string,
    fields: { readonly [name: string]: LogField },
  ) => void;
  /** Needs a traced kernel. */
  readonly trace?: Recording;
  /** Between back-stop ticks. 60,000. */
  readonly backstopMs?: number;
  /** Where `crash-*.trace` goes; standard error if there is none. */
  readonly crashFolder?: string;
  readonly stderr: (text: string) => void;
  /** Must close everything and end the process. */
  readonly onFatal: (exitCode: 13, error: unknown) => void;
};

export interface Host<E> {
  /** Something happened. */
  push(event: E): void;
  /** Tells the wall time and starts the back-stop. */
  start(): void;
  /** Ends the trace, disarms the timers and drops every later event. */
  stop(): void;
  /** The trace file could not be written. */
  traceFailed(failure: WriteFailure): void;
  readonly counts: Readonly<HostCounts>;
}

/** Steps kept for a crash, and kinds of effects kept of each: no bytes but those that came in. */
const tailMax = 256;
const tailKindsMax = 16;
const flushMs = 1_000;

type Tail = {
  readonly i: number;
  readonly t: Mono;
  readonly event: Typed;
  readonly kinds: readonly string[];
  readonly effects: number;
};

type State<S, E extends Typed, F extends Typed> = {
  readonly options: HostOptions<S, E, F>;
  readonly kernel: Kernel<S, E, F>;
  readonly performers: { readonly [type: string]: (effect: Typed) => void };
  readonly timer: Timer;
  readonly clock: ReturnType<typeof createJumpWatcher>;
  readonly queue: (E | Tick)[];
  readonly tail: Tail[];
  /** What ends the regular calls. */
  readonly stops: (() => void)[];
  readonly counts: HostCounts;
  isRunning: boolean;
  isStopped: boolean;
  isRecording: boolean;
};

/** A host that waits for `start`. A trace gets its header at once. */
export function createHost<S, E extends Typed, F extends Typed>(
  options: HostOptions<S, E, F>,
): Host<E> {
  const { kernel, ambient, perform } = options;
  const h: State<S, E, F> = {
    options,
    kernel,
    performers: perform as unknown as State<S, E, F>["performers"],
    timer: ambient.timer(() => enter(h, TICK)),
    clock: createJumpWatcher(ambient),
    queue: [],
    tail: [],
    stops: [],
    counts: { backstopRescues: 0, unrecorded: 0 },
    isRunning: false,
    isStopped: false,
    isRecording: options.trace !== undefined,
  };
  if (options.trace !== undefined) {
    // Secrets are sealed under a key that lives as long as the recording and is written nowhere.
    trace.keyWith(digestOf(kernel), ambient.entropy(sealKeyBytes));
    options.trace.file.write(trace.headerText(options.trace.header));
  }
  return {
    push: (event) => enter(h, event),
    start: () => start(h),
    stop: () => stop(h),
    traceFailed: (failure) => traceFailed(h, failure),
    counts: h.counts,
  };
}

function enter<S, E extends Typed, F extends Typed>(h: State<S, E, F>, event: E | Tick): void {
  if (h.isStopped) return;
  h.queue.push(event);
  if (!h.isRunning) drain(h);
}

function drain<S, E extends Typed, F extends Typed>(h: State<S, E, F>): void {
  const { queue } = h;
  h.isRunning = true;
  for (let at = 0; at < queue.length && !h.isStopped; at += 1) {
    run(h, queue[at] as E | Tick, h.options.ambient.now());
  }
  queue.length = 0;
  h.isRunning = false;
}

function run<S, E extends Typed, F extends Typed>(
  h: State<S, E, F>,
  event: E | Tick,
  now: Mono,
): readonly Typed[] {
  const i = h.kernel.steps;
  let effects: readonly (F | WakeEffect)[];
  try {
    effects = step(h.kernel, event, now);
  } catch (error) {
    const died = trace.deathText(i, now, event, messageOf(error), h.kernel.digest?.key);
    if (h.isRecording) h.options.trace?.file.write(died);
    die(h, error, died);
    return [];
  }
  remember(h.tail, i, now, event, effects);
  if (h.options.trace !== undefined) record(h, h.options.trace.file, i, now, event, effects);
  try {
    for (let at = 0; at < effects.length; at += 1) carryOut(h, effects[at] as F | WakeEffect);
  } catch (error) {
    die(h, error, undefined);
  }
  return effects;
}

function carryOut<S, E extends Typed, F extends Typed>(
  h: State<S, E, F>,
  effect: F | WakeEffect,
): void {
  if (effect.type === "wake") return h.timer.arm((effect as WakeEffect).at);
  (h.performers[effect.type] as (effect: Typed) => void)(effect);
}

function record<S, E extends Typed, F extends Typed>(
  h: State<S, E, F>,
  file: TraceFile,
  i: number,
  now: Mono,
  event: Typed,
  effects: readonly Typed[],
): void {
  // A recording that stopped is not tried again: the file would have a gap.
  const isWritten =
    h.isRecording && file.write(trace.stepText(i, now, event, effects, digestOf(h.kernel)));
  if (!isWritten) h.counts.unrecorded += 1;
}

function backstop<S, E extends Typed, F extends Typed>(h: State<S, E, F>): void {
  if (h.isStopped || h.isRunning) return;
  tellTime(h);
  const now = h.options.ambient.now();
  // What is due now runs late, but it was not forgotten.
  const isDue = h.kernel.wakeAt <= now;
  h.isRunning = true;
  const effects = run(h, TICK, now);
  drain(h);
  const rescued = effects.find((effect) => effect.type !== "wake");
  if (isDue || rescued === undefined) return;
  h.counts.backstopRescues += 1;
  const fields = { effect: rescued.type, effects: effects.length };
  h.options.log("error", "host.backstop-rescue", fields);
}

function tellTime<S, E extends Typed, F extends Typed>(h: State<S, E, F>): void {
  const wall = h.clock.look();
  if (wall !== undefined) enter(h, h.options.anchored(wall));
}

function die<S, E extends Typed, F extends Typed>(
  h: State<S, E, F>,
  error: unknown,
  died: string | undefined,
): void {
  stopTimers(h);
  const { options } = h;
  options.trace?.file.close();
  const lines = tailTexts(h.tail);
  if (died !== undefined) lines.push(died);
  const stamp = String(options.ambient.wall().unixMs);
  const path =
    options.crashFolder === undefined ? undefined : writeCrash(options.crashFolder, stamp, lines);
  if (path === undefined) options.stderr(lines.map((line) => `${line}\n`).join(""));
  const crash = path ?? "standard error";
  const fields = { message: messageOf(error), step: h.kernel.steps, crash };
  options.log("error", "host.broken-invariant", fields);
  options.onFatal(13, error);
}

function stopTimers<S, E extends Typed, F extends Typed>(h: State<S, E, F>): void {
  h.isStopped = true;
  h.timer.disarm();
  for (const end of h.stops) end();
  h.stops.length = 0;
}

function start<S, E extends Typed, F extends Typed>(h: State<S, E, F>): void {
  const { ambient, backstopMs, trace: recording } = h.options;
  h.stops.push(ambient.every(backstopMs ?? 60_000, () => backstop(h)));
  if (recording !== undefined) h.stops.push(ambient.every(flushMs, recording.file.flush));
  tellTime(h);
}

function stop<S, E extends Typed, F extends Typed>(h: State<S, E, F>): void {
  if (h.isStopped) return;
  stopTimers(h);
  if (!h.isRecording) return;
  h.options.trace?.file.close(trace.footerText(h.kernel.steps, digestOf(h.kernel)));
}

function traceFailed<S, E extends Typed, F extends Typed>(
  h: State<S, E, F>,
  failure: WriteFailure,
): void {
  h.isRecording = false;
  const fields = { reason: failure.reason, text: failure.text };
  h.options.log("error", "host.recording-stopped", fields);
}

/** Overwrites the oldest of the last `tailMax` steps. */
function remember(
  tail: Tail[],
  i: number,
  now: Mono,
  event: Typed,
  effects: readonly Typed[],
): void {
  const kinds: string[] = [];
  const shown = Math.min(effects.length, tailKindsMax);
  for (let at = 0; at < shown; at += 1) kinds.push((effects[at] as Typed).type);
  tail[i % tailMax] = { i, t: now, event, kinds, effects: effects.length };
}

function tailTexts(tail: readonly Tail[]): string[] {
  const inOrder = [...tail].sort((a, b) => a.i - b.i);
  return inOrder.map((step) => {
    const kinds = trace.kindsOf(step.kinds.map((type) => ({ type })));
    if (step.effects > step.kinds.length) kinds.push(`of ${step.effects} effects`);
    return trace.tailText(step.i, step.t, step.event, kinds);
  });
}

function digestOf(kernel: { readonly digest: trace.Digest | undefined }): trace.Digest {
  assert(kernel.digest !== undefined, "a recording needs a traced kernel");
  return kernel.digest;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
