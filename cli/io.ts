/**
 * What a command may touch of the outside: stdout for data, stderr for talk, the environment.
 * @module
 */
import type { Env } from "../adapters/config/files.ts";

export type Io = {
  /** Data for programs and pipes. */
  readonly out: (text: string) => void;
  /** Talk for people: errors, hints, logs. */
  readonly err: (text: string) => void;
  readonly env: Env;
};

/**
 * The process's own streams. A reader that went away (`dogwatch status | head`) is not an error.
 */
export function processIo(): Io {
  process.stdout.on("error", ignoreClosed);
  process.stderr.on("error", ignoreClosed);
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    env: process.env,
  };
}

function ignoreClosed(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}
