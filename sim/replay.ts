/**
 * Plays a recorded trace through a fresh kernel and finds the first step that is not the same.
 *
 * Rule 1: every line is made again from the replay and compared byte for byte, so that any changed
 * byte of a file is found at the step it belongs to.
 * Rule 2: a run that was killed leaves a last line without its newline; that is a shorter trace and
 * no difference. A missing footer is told, and is no difference either.
 * Rule 3: reads no file; lines come with their newlines.
 * @module
 */
import { assert } from "../core/assert.ts";
import * as canon from "../core/kernel/canon.ts";
import { step, type Kernel } from "../core/kernel/kernel.ts";
import * as trace from "../core/kernel/trace.ts";

export type Reason =
  /** The first line is no header, or it is damaged. */
  | "header"
  /** A line that cannot be read. */
  | "parse"
  /** A line that reads well and is not what the replay gives. */
  | "digest"
  /** The replay threw where the recorded run went on, or did not throw as recorded. */
  | "threw"
  /** The last line has no newline and is not the beginning of what was due there. */
  | "torn-tail";

export type Verdict =
  | {
      readonly ok: true;
      /** Steps that were the same. */
      readonly steps: number;
      /** The file ends in the middle of a line. */
      readonly torn: boolean;
      /** The file ends as a clean stop leaves it. */
      readonly footer: boolean;
      /** The recorded run ended in this error, and so did the replay. */
      readonly died: string | undefined;
    }
  | Difference;

export type Difference = {
  readonly ok: false;
  readonly steps: number;
  /** The first differing step, from 0; it equals `steps`. A bad header counts as step 0. */
  readonly step: number;
  /** Its line in the file, from 1. */
  readonly line: number;
  readonly reason: Reason;
  readonly expected: string;
  readonly actual: string;
  /** Recomputed effects of that step, by kind and the first of them in full. */
  readonly kinds: readonly string[];
  readonly effects: readonly string[];
  /** A secret was among the events so far: what the core derives from one cannot be replayed. */
  readonly secretSeen: boolean;
};

type Typed = { readonly type: string };

type Run<S, E extends Typed, F extends Typed> = {
  readonly kernel: Kernel<S, E, F>;
  readonly digest: trace.Digest;
  steps: number;
  line: number;
  secretSeen: boolean;
  died: string | undefined;
  footer: boolean;
  torn: boolean;
};

/** Effects shown in full with a difference. */
const effectsShownMax = 20;

/**
 * Replays `lines` (each with its newline) through the kernel that `make` builds for the header; the
 * kernel must be traced. Throws only what `make` throws.
 */
export function replay<S, E extends Typed, F extends Typed>(
  lines: Iterable<string>,
  make: (header: trace.Header) => Kernel<S, E, F>,
): Verdict {
  let run: Run<S, E, F> | undefined;
  for (const line of lines) {
    if (run === undefined) {
      const header = trace.parseHeader(line.slice(0, -1));
      if (!header.ok || !line.endsWith("\n")) return badHeader(header, line);
      run = begin(make(header.value));
      continue;
    }
    const difference = next(run, line);
    if (difference !== undefined) return difference;
  }
  if (run === undefined) return badHeader(trace.parseHeader(""), "");
  return { ok: true, steps: run.steps, torn: run.torn, footer: run.footer, died: run.died };
}

/** The lines of a text, each with its newline; the last one may lack it. */
export function linesOf(text: string): string[] {
  const lines: string[] = [];
  let from = 0;
  while (from < text.length) {
    const end = text.indexOf("\n", from);
    const to = end < 0 ? text.length : end + 1;
    lines.push(text.slice(from, to));
    from = to;
  }
  return lines;
}

function badHeader(header: ReturnType<typeof trace.parseHeader>, line: string): Difference {
  const says = header.ok ? "a header without its newline" : header.fault.text;
  return {
    ok: false, steps: 0, step: 0, line: 1, reason: "header", expected: says, actual: line,
    kinds: [], effects: [], secretSeen: false,
  };
}

function begin<S, E extends Typed, F extends Typed>(kernel: Kernel<S, E, F>): Run<S, E, F> {
  assert(kernel.digest !== undefined, "a replay needs a traced kernel");
  return {
    kernel, digest: kernel.digest, steps: 0, line: 1, secretSeen: false, died: undefined,
    footer: false, torn: false,
  };
}

function next<S, E extends Typed, F extends Typed>(
  run: Run<S, E, F>,
  line: string,
): Difference | undefined {
  run.line += 1;
  const footer = trace.footerText(run.steps, run.digest);
  if (run.footer) return differ(run, "parse", "the end of the file", line);
  if (!line.endsWith("\n")) return torn(run, line, footer);
  const text = line.slice(0, -1);
  if (run.died !== undefined) return differ(run, "parse", "the end of the file", text);
  if (text.startsWith(`{"end":`)) {
    if (text !== footer) return differ(run, "digest", footer, text);
    run.footer = true;
    return undefined;
  }
  const parsed = trace.parseStep(text);
  if (!parsed.ok) return differ(run, "parse", parsed.fault.text, text);
  return play(run, parsed.value, text);
}

function play<S, E extends Typed, F extends Typed>(
  run: Run<S, E, F>,
  recorded: trace.Step,
  text: string,
): Difference | undefined {
  if (text.includes(`{"secret":"`)) run.secretSeen = true;
  const { t, event } = recorded;
  let effects: readonly Typed[];
  try {
    effects = step(run.kernel, event as E, t);
  } catch (error) {
    return threw(run, recorded, text, error instanceof Error ? error.message : String(error));
  }
  const again = trace.stepText(run.steps, t, event, effects, run.digest);
  if (recorded.died !== undefined) return differ(run, "threw", again, text, effects);
  if (again !== text) return differ(run, "digest", again, text, effects);
  run.steps += 1;
  return undefined;
}

function threw<S, E extends Typed, F extends Typed>(
  run: Run<S, E, F>,
  recorded: trace.Step,
  text: string,
  message: string,
): Difference | undefined {
  const again = trace.deathText(run.steps, recorded.t, recorded.event, message, undefined);
  if (again !== text) return differ(run, "threw", again, text);
  run.died = message;
  return undefined;
}

/** A killed run leaves the beginning of a line; anything else was damaged. */
function torn<S, E extends Typed, F extends Typed>(
  run: Run<S, E, F>,
  tail: string,
  footer: string,
): Difference | undefined {
  const start = `{"i":${run.steps},"t":`;
  const begins = start.startsWith(tail) || tail.startsWith(start) || footer.startsWith(tail);
  // A whole line with something else where its newline was.
  const whole = canon.parse(tail.slice(0, -1)).ok && !canon.parse(tail).ok;
  if (run.died !== undefined || !begins || whole) {
    return differ(run, "torn-tail", footer, tail);
  }
  run.torn = true;
  return undefined;
}

function differ<S, E extends Typed, F extends Typed>(
  run: Run<S, E, F>,
  reason: Reason,
  expected: string,
  actual: string,
  effects: readonly Typed[] = [],
): Difference {
  const shown = effects.slice(0, effectsShownMax).map((effect) => trace.effectText(effect));
  return {
    ok: false, steps: run.steps, step: run.steps, line: run.line, reason, expected, actual,
    kinds: trace.kindsOf(effects), effects: shown, secretSeen: run.secretSeen,
  };
}
