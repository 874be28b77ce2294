/**
 * What a command may touch of the outside: stdout for data, stderr for talk, the environment.
 *
 * Rule 1: data that could not be written is a failure, said on stderr and in the exit code. A
 * reader that went away (`dogwatch status | head`) is not: the command ends, quietly.
 * Rule 2: talk that nobody hears changes nothing.
 * @module
 */
import type { Writable } from "node:stream";
import type { Env } from "../adapters/config/files.ts";
import { exits } from "./exit.ts";

export type Io = {
  /** Data for programs and pipes. */
  readonly out: (text: string) => void;
  /** Talk for people: errors, hints, logs. */
  readonly err: (text: string) => void;
  readonly env: Env;
  /**
   * For who goes on without a reader of stdout: hears, once, why it could not be written. After
   * this call the process neither ends nor fails for it, and does not wait for it at its end.
   */
  readonly onLost?: (hear: (says: string) => void) => void;
};

export type ProcessIo = Io & {
  /**
   * Waits until stdout has gone out or is lost. The exit code: the command's, or 1 if it would be 0
   * and its output was lost.
   */
  readonly finish: (code: number) => Promise<number>;
};

export type Streams = {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Env;
};

/**
 * The process's own streams. When stdout is lost and nobody asked to hear of it, `stop` is called:
 * a command that would run on has nobody to run for.
 */
export function processIo({ stdout, stderr, env }: Streams, stop: () => void): ProcessIo {
  let hear: ((says: string) => void) | undefined;
  let isLost = false;
  let isFailed = false;
  let waiting = 0;
  let settled = (): void => {};

  function lost(error: NodeJS.ErrnoException): void {
    if (isLost) return;
    isLost = true;
    settled();
    if (hear !== undefined) return hear(error.message);
    if (error.code !== "EPIPE") {
      isFailed = true;
      stderr.write(`dogwatch: cannot write to stdout: ${error.message}; the output is lost\n`);
    }
    stop();
  }

  function out(text: string): void {
    if (isLost) return;
    waiting += 1;
    stdout.write(text, (error) => {
      waiting -= 1;
      if (error instanceof Error) lost(error);
      else if (waiting === 0) settled();
    });
  }

  async function finish(code: number): Promise<number> {
    const isDue = waiting > 0 && !isLost && hear === undefined;
    if (isDue) await new Promise<void>((resolve) => (settled = resolve));
    return isFailed && code === exits.ok ? exits.failed : code;
  }

  stdout.on("error", lost);
  stderr.on("error", () => {});
  return {
    out, err: (text) => void stderr.write(text), env, onLost: (to) => (hear = to), finish,
  };
}
