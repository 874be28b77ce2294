/**
 * What a run looked like, for pictures: made by a run that is watched (`record.ts`).
 *
 * Rule 1: plain data; instants in microseconds of true time; nodes by their index in the scenario.
 * @module
 */
import type { Outcome } from "./outcome.ts";
import type { HarmKind, Scenario } from "./scenario.ts";

export type Recording = {
  readonly scenario: Scenario;
  readonly outcome: Outcome;
  readonly steps: readonly StepRecord[];
  readonly messages: readonly Message[];
  readonly lives: readonly Life[];
  readonly bands: readonly Band[];
  readonly flags: readonly Flag[];
};

/** One step of a node; its place in `steps` is its number in the run. */
export type StepRecord = {
  readonly atUs: number;
  readonly node: number;
  /** The kind of event, such as `conn.received`. */
  readonly event: string;
  /** Which life (index in `lives`) it is about; -1: none. */
  readonly life: number;
  /** One line for people, such as `PUBMSG from maker3, 88 bytes`. */
  readonly says: string;
  /** Effects by kind and receiver, such as `conn.send maker3 PUBMSG`. */
  readonly effects: readonly string[];
};

/** One write on a connection, from the step that sent it to the step that read its last byte. */
export type Message = {
  readonly life: number;
  readonly from: number;
  readonly to: number;
  readonly sentUs: number;
  readonly sentStep: number;
  /** -1: never read. */
  readonly gotUs: number;
  readonly gotStep: number;
  /** What is in it, such as `HANDSHAKE` or `PUBMSG x3`. */
  readonly says: string;
  readonly bytes: number;
};

/** One connection, as each of its ends saw it: its generation. */
export type Life = {
  readonly from: number;
  readonly to: number;
  readonly dialedUs: number;
  /** When each end was told that it is open and that it is over; -1: never. */
  readonly fromOpenUs: number;
  readonly fromEndUs: number;
  readonly toOpenUs: number;
  readonly toEndUs: number;
  /** Of connections between the same two nodes, the how manieth, from 1. */
  readonly generation: number;
};

/** A fault while it lasts. */
export type Band = {
  /** The entry's id; triggers too. */
  readonly id: number;
  readonly kind: HarmKind | "heal";
  readonly says: string;
  /** Node indices; a fault of a link has two or more. */
  readonly nodes: readonly number[];
  readonly isLink: boolean;
  readonly fromUs: number;
  readonly toUs: number;
};

export type Flag = {
  readonly kind: "goal" | "mark" | "violation" | "heal" | "task";
  readonly atUs: number;
  readonly step: number;
  readonly node: number;
  readonly says: string;
};
