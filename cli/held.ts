/**
 * Lines of the log that wait until it is known whether the daemon starts: "this node is …" above
 * "nothing was started" would be a contradiction.
 *
 * Rule 1: an error never waits, and brings the lines before it along.
 * @module
 */
import type { Log, LogFields } from "../adapters/log.ts";
import type { LogLevel } from "../core/kernel/io.ts";

export type HeldLog = {
  readonly log: Log;
  /** Writes what waits, in its order; from now on nothing does. */
  readonly release: () => void;
};

/** A log over `log` that holds its lines back. Lines that wait at `close` are dropped. */
export function holdLog(log: Log): HeldLog {
  let waiting: (() => void)[] | undefined = [];
  const release = (): void => {
    const lines = waiting ?? [];
    waiting = undefined;
    for (const write of lines) write();
  };
  const write = (level: LogLevel, code: string, fields: LogFields): void => {
    if (level === "error") release();
    if (waiting === undefined) log.log(level, code, fields);
    else waiting.push(() => log.log(level, code, fields));
  };
  return {
    log: { log: write, setLevel: log.setLevel, close: log.close, counts: log.counts },
    release,
  };
}
