/**
 * What is kept of a recorded trace while it is played again.
 * @module
 */
import type { ConnId } from "../../core/ids.ts";
import type * as trace from "../../core/kernel/trace.ts";
import type { Change, Tree } from "./tree.ts";

/** One connection as the directory knew it; instants in ms since the trace began. */
export type Seen = {
  readonly conn: ConnId;
  readonly openedMs: number;
  endedMs: number;
  isRegistered: boolean;
  who: Who | undefined;
};

/** What a peer said in its handshake. */
export type Who = {
  readonly nick: string; readonly maker: boolean; readonly features: readonly string[];
};

/** One step that is kept. */
export type Kept = {
  readonly atMs: number;
  readonly event: string;
  readonly conn: ConnId | undefined;
  /** What was received, or why it ended. */
  readonly what: string;
  readonly bytes: number;
  readonly effects: readonly KeptEffect[];
  /** The peer that sent it has become a registered one by it. */
  readonly registers: boolean;
};
export type KeptEffect = {
  readonly type: string;
  readonly conn: ConnId | undefined;
  readonly what: string;
  readonly bytes: number;
};

export type Story = {
  readonly header: trace.Header;
  readonly kept: Kept[];
  readonly seen: Map<ConnId, Seen>;
  /** The number of the first step that is kept. */
  readonly from: number;
  /** Steps in all, and the step and words of what went wrong, if anything did. */
  steps: number;
  wrong: { readonly step: number; readonly says: string } | undefined;
  readonly changes: { readonly step: number; readonly changes: readonly Change[] }[];
  first: Tree | undefined;
  last: Tree | undefined;
  digest: string;
};
