/**
 * What a planted bug is.
 * @module
 */

/**
 * What a bug is aimed at: an invariant, a fault that was verified in another directory server, or
 * the journal.
 */
export const aims = [
  "D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9", "D10", "D11", "D12", "D13", "D14", "D15",
  "D16", "M1", "M2", "M3", "M4", "M5", "M6", "M7", "M9", "M10", "M11", "M12", "M13", "M14", "M15",
  "A2", "A5", "A6", "A8", "A9", "A10", "A11", "A12", "E1", "E2", "E5",
  "L1", "L2", "L5", "L6", "L7", "X1", "X2", "X3", "X4", "X5", "X6",
  // One peer that does not read makes the heartbeat wait for ever.
  "heartbeat-hang",
  // One peer that does not read holds up what all others are sent.
  "stall",
  // A burst of public lines costs healthy receivers lines or connections.
  "burst",
  // Many makers leave at once: notices cost makers times peers, or get lost.
  "mass-leave",
  // A line that arrives in two parts is lost when something is written in between.
  "split-line",
  // Private lines of one peer fill the queue of another.
  "starvation",
  // Peers are shown entries or senders that a stranger made up.
  "injection",
  // A dead connection keeps its nick from its owner.
  "ghost-nick",
  // An evicted peer that does not drain stays.
  "stuck-eviction",
  "journal",
] as const;
export type Aim = (typeof aims)[number];

/** `find` occurs exactly once in the compiled `file` (a path in the library) and is replaced. */
export type Edit = { readonly file: string; readonly find: string; readonly replace: string };

export type Mutant = Edit & {
  readonly id: string;
  readonly aims: Aim;
  /** Hunted in worlds with our makers, instead of those of directories. */
  readonly isMakers?: true;
  /** Hunted in worlds with our Ark daemon. */
  readonly isArks?: true;
  /** What bug it is, in one line. */
  readonly says: string;
  /** A second place, where the bug needs one. */
  readonly and?: Edit;
};
