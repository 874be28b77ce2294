/**
 * The benchmark's clock and timers: the one place where `cli/bench` reads or waits for time.
 *
 * Rule 1: instants are microseconds of the process's monotonic clock, comparable inside one
 * process only.
 * Rule 2: every wait is bounded by its caller.
 * @module
 */

/** Monotonic microseconds, with a fraction. */
export function nowUs(): number {
  return performance.now() * 1_000;
}

/** Unix milliseconds, to compare with those in the log of another process on this machine. */
export function unixMs(): number {
  return Date.now();
}

/** Resolves after `ms` milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Runs `act` once the sockets that are ready now have been read. */
export function afterReads(act: () => void): void {
  setImmediate(act);
}

/**
 * Runs `act` about every millisecond, the finest that timers offer, until the returned function is
 * called.
 */
export function everyMs(act: () => void): () => void {
  const timer = setInterval(act, 1);
  return () => clearInterval(timer);
}

/**
 * Runs `act` after `ms` unless the returned function is called; does not keep the process alive.
 */
export function alarm(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms);
  timer.unref();
  return () => clearTimeout(timer);
}

/** Waits until `done()` holds, looking every `stepMs`; false when `limitMs` passed first. */
export async function until(
  done: () => boolean,
  limitMs: number,
  stepMs: number,
): Promise<boolean> {
  const endUs = nowUs() + limitMs * 1_000;
  while (!done()) {
    if (nowUs() > endUs) return false;
    await sleep(stepMs);
  }
  return true;
}

/** The date for a recorded report, `YYYY-MM-DD`. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}
