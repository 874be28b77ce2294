/**
 * The exit codes and what they mean. A shell uses 126 and above itself, so Dogwatch does not.
 * @module
 */
export const exits = Object.freeze({
  /** Done as asked; also a daemon that was told to stop and drained. */
  ok: 0,
  /** Tried and failed: a port in use, a full disk, a replay that differs. */
  failed: 1,
  /** A wrong flag, command, configuration key or value. Nothing was started. */
  usage: 2,
  /** What was to be asked does not answer: the daemon of `status` and `healthcheck`. */
  unreachable: 3,
  /** Dogwatch found itself to be wrong; the log holds the last steps. */
  invariant: 13,
});

/** The table that `dogwatch --help` ends with. */
export const exitHelp = `
Exit codes:
   0  done
   1  failed, with the reason on stderr
   2  wrong usage or configuration; nothing was started
   3  the daemon that was asked does not answer
  13  Dogwatch found a fault in itself; please report the log`;
