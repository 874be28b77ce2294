/**
 * Lines on standard error, for a daemon that must not wait for whoever reads them.
 *
 * Rule 1: a line that the system does not take now is lost, whole, and counted. No queue, no second
 * attempt: a stalled reader or a full disk costs lines and nothing else.
 * Rule 2: a line of which the system took a part is finished before the next one begins, so that
 * lines never run into each other.
 * Rule 3: before the first line that is taken again comes one that says how many were lost.
 * @module
 */
import { constants, fstatSync, openSync, writeSync } from "node:fs";
import { isatty } from "node:tty";

export interface Lines {
  /** Takes a line with its newline, or counts it as lost. Never throws, never waits. */
  write(line: string): void;
  /** Tries once to finish a line that was begun and to say what was lost. */
  look(): void;
}

/** The line, with its newline, that says how many were lost. */
export type LostLine = (lost: number) => string;

const nothing = new Uint8Array(0);

/**
 * Lines on a descriptor that does not block. `writeSome` writes what it can of the bytes and
 * returns how many, or throws the system's error.
 */
export function createLines(
  writeSome: (bytes: Uint8Array) => number,
  lostLine: LostLine,
): Lines {
  let rest: Uint8Array = nothing;
  let lost = 0;

  function write(line: string): void {
    look();
    // A line is not written past the news of those that are missing before it.
    if (rest.length > 0 || lost > 0 || !begin(line)) lost += 1;
  }

  function look(): void {
    if (rest.length > 0) finish();
    if (rest.length === 0 && lost > 0 && begin(lostLine(lost))) lost = 0;
  }

  function finish(): void {
    try {
      rest = rest.subarray(writeSome(rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EPIPE") return;
      // The reader left in the middle of a line; the next one must not take its end for a line.
      rest = nothing;
      lost += 1;
    }
  }

  /** False if nothing of the line was taken. */
  function begin(line: string): boolean {
    const bytes = Buffer.from(line);
    try {
      const taken = writeSome(bytes);
      if (taken === 0) return false;
      rest = bytes.subarray(taken);
      return true;
    } catch {
      return false;
    }
  }

  return { write, look };
}

/** This process's standard error. */
export function openStderr(lostLine: LostLine): Lines {
  // Node makes a pipe or socket non-blocking when its stream is first looked at.
  void process.stderr.isTTY;
  const descriptor = ownDescription() ?? 2;
  return createLines((bytes) => writeSync(descriptor, bytes), lostLine);
}

/**
 * Opens the pipe or terminal behind standard error once more, because whether a descriptor blocks
 * is shared with every process that inherited it, and Node lets terminals block. `undefined` where
 * that cannot be: a socket, or a pipe of another user.
 */
function ownDescription(): number | undefined {
  try {
    if (!fstatSync(2).isFIFO() && !isatty(2)) return undefined;
    return openSync("/dev/fd/2", constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
}
