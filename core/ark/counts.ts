/**
 * What the daemon of Ark wallets has done since its start.
 * @module
 */
export type Counts = {
  /** Calls to wallets, those that failed for want of an answer, and those that were rejected. */
  calls: number;
  callsFailed: number;
  callsRejected: number;
  /** Given up; not answered in time and left running; answered after that. */
  callsDropped: number;
  callsOverdue: number;
  callsLate: number;
  /** Turned away here, because too many were under way or nothing may be asked any more. */
  callsBusy: number;
  streamsOpened: number;
  streamsEnded: number;
  /** Calls and subscriptions that waited for their turn at a server. */
  paced: number;
  rounds: number;
  /** Wallets' programs that were started here, each time. */
  programStarts: number;
  records: number;
  recordsRefused: number;
  /** Records of wallets that are not configured, and lines that are nobody's. */
  recordsOfOthers: number;
};

/** All zero. */
export function create(): Counts {
  return {
    calls: 0, callsFailed: 0, callsRejected: 0, callsDropped: 0, callsOverdue: 0, callsLate: 0,
    callsBusy: 0, streamsOpened: 0, streamsEnded: 0, paced: 0, rounds: 0,
    programStarts: 0, records: 0, recordsRefused: 0, recordsOfOthers: 0,
  };
}
