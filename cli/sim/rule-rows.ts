/**
 * A row of the simulator's rules, as they are written down.
 * @module
 */

/** What `Rule` has, in its order. */
export type Row = readonly [
  id: string, name: string, says: string, why: string, doubt: string, faults: string,
];
