/**
 * Which rows are measured, how, and at which sizes.
 * @module
 */
export type Step = {
  /** The generator's row. */
  readonly row: string;
  readonly limits: "raised" | "defaults";
  /** Idle peers; a row with its own numbers has one size. */
  readonly sizes: "asked" | readonly number[];
  /** Lines of each sender under way. */
  readonly window: number;
  readonly repetitions: number;
  readonly durationMs: number;
  /** How often the row is run, each time on a fresh server. */
  readonly rounds: number;
  /** The bare write loop takes a turn in each round. */
  readonly isCompared: boolean;
};

export const sizesDefault: readonly number[] = [200, 1_000, 4_000, 15_000];
export const sizesQuick: readonly number[] = [200, 1_000];
export const restMs = 10_000;
export const restQuickMs = 2_000;

const basic: Step = {
  row: "",
  limits: "raised",
  sizes: "asked",
  window: 5,
  repetitions: 3,
  durationMs: 3_000,
  rounds: 1,
  isCompared: false,
};

/** In the order of the report. */
export const steps: readonly Step[] = [
  { ...basic, row: "handshake", repetitions: 5, isCompared: true },
  { ...basic, row: "memory", rounds: 3 },
  { ...basic, row: "one", repetitions: 10, rounds: 3, isCompared: true },
  { ...basic, row: "broadcast", durationMs: 4_000 },
  { ...basic, row: "private", window: 100 },
  { ...basic, row: "hinted", window: 100 },
  { ...basic, row: "burst", limits: "defaults", sizes: [1_000], rounds: 3 },
  { ...basic, row: "leave", limits: "defaults", sizes: [1_300], rounds: 3 },
  { ...basic, row: "stuck", limits: "defaults", sizes: [1_000], repetitions: 6, durationMs: 4_000 },
];

/** The same with short rows: for a look, not for the record. */
export function quick(step: Step): Step {
  return { ...step, durationMs: 1_000, rounds: 1 };
}
