/**
 * What a run came to.
 * @module
 */
import type { HarmKind, NodeId } from "./scenario.ts";

/** How bad it is; also the exit code (`cli/exit.ts`). */
export type Verdict = "pass" | "safety" | "liveness" | "crash" | "budget";

/** One thing that is wrong. A run ends with the first. */
export type Finding = {
  /** `D1`…`D16`, `X1`…`X6`, `L1`…`L9`, `M13`, `wire`; `crash` for a broken assertion. */
  readonly id: string;
  readonly node: NodeId;
  /** What was seen, in one line, without bytes that a peer chose. */
  readonly says: string;
  /**
   * What is equal for failures of one cause: the id and `says` with numbers and names left out.
   * Findings with equal shapes are one finding.
   */
  readonly shape: string;
  /** Which step (from 0) of the run, and when, in microseconds of true time. */
  readonly step: number;
  readonly atUs: number;
  /** For liveness: all that is still pending, each with its reason. */
  readonly pending: readonly string[];
};

/** Of one fault kind: how often it began, and how often while a session was active (S22). */
export type Fired = { readonly fired: number; readonly active: number };

/** How near a run came to an extreme, in parts of a thousand of the bound. */
export type Gauges = { readonly [name: string]: number };

export type Outcome = {
  readonly verdict: Verdict;
  readonly finding: Finding | undefined;
  /** 16 hex digits over every step; equal for equal runs. */
  readonly digest: string;
  /** The digest after every `checkpointSteps` steps. */
  readonly checkpoints: readonly string[];
  readonly steps: number;
  readonly virtualMs: number;
  /** Goals that were hit, with the step of the first hit. */
  readonly goals: { readonly [goal: string]: number };
  readonly faults: { readonly [kind in HarmKind]?: Fired };
  readonly gauges: Gauges;
  /** Ids of entries that did nothing because what they name is not there. */
  readonly idle: readonly number[];
};

export const checkpointSteps = 1_024;

/** A finding's shape: digits, nicks and quoted parts are taken out of what was seen. */
export function shapeOf(id: string, says: string): string {
  const words = says.replace(/\bJ5\w+/g, "NICK").replace(/\b[a-z]+[0-9]+\b/g, "NODE");
  return `${id}: ${words.replace(/[0-9]+/g, "N")}`;
}
