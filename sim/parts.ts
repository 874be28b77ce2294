/**
 * What a named world is made of.
 * @module
 */
import type { Harm, NodeId, NodeSpec, Work } from "./scenario.ts";

export type Parts = {
  readonly nodes: readonly NodeSpec[];
  readonly work: readonly (readonly [number, NodeId, Work])[];
  readonly harm: readonly (readonly [number, Harm])[];
  readonly faultyMs: number;
  readonly convergeMs?: number;
  /** Kept in the core; all honest ones when absent. */
  readonly core?: readonly NodeId[];
};
