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
  /** A simulated world broke an invariant. */
  safety: 10,
  /** After the heal something was still owed. */
  liveness: 11,
  /** The same seed did not give the same run. */
  nondeterministic: 12,
  /** Dogwatch found itself to be wrong; the log holds the last steps. */
  invariant: 13,
  /** A declared goal was never reached, or a fault never fired. */
  goals: 14,
  /** The budget was spent before there was a verdict. */
  budget: 15,
  /** A planted fault was not found: the simulator itself is broken. */
  canary: 16,
});

/** The table that `dogwatch --help` ends with. */
export const exitHelp = `
Exit codes:
   0  done
   1  failed, with the reason on stderr
   2  wrong usage or configuration; nothing was started
   3  the daemon that was asked does not answer
  13  Dogwatch found a fault in itself; please report the log

Exit codes of the simulator:
  10  a world broke an invariant
  11  a healed world did not come back to order
  12  the same seed gave different runs
  13  the core, or a worker, crashed
  14  a declared goal was never reached
  15  the budget was spent without a verdict
  16  a planted fault was not found`;
